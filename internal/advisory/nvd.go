package advisory

import (
	"fmt"
	"strings"
)

// nvdRecord is one CVE in the NVD API 2.0.
type nvdRecord struct {
	ID           string     `json:"id"`
	Published    string     `json:"published"`
	Modified     string     `json:"lastModified"`
	Status       string     `json:"vulnStatus"`
	Descriptions []langText `json:"descriptions"`
	Metrics      struct {
		V40  []nvdMetric `json:"cvssMetricV40"`
		V31  []nvdMetric `json:"cvssMetricV31"`
		V30  []nvdMetric `json:"cvssMetricV30"`
		V2   []nvdMetric `json:"cvssMetricV2"`
		SSVC []struct {
			Data struct {
				Options []map[string]any `json:"options"`
			} `json:"ssvcData"`
		} `json:"ssvcV203"`
	} `json:"metrics"`
	Weaknesses []struct {
		Description []langText `json:"description"`
	} `json:"weaknesses"`
	References []struct {
		URL  string   `json:"url"`
		Tags []string `json:"tags"`
	} `json:"references"`
	KEVAdded  string `json:"cisaExploitAdd"`
	KEVDue    string `json:"cisaActionDue"`
	KEVAction string `json:"cisaRequiredAction"`
	KEVName   string `json:"cisaVulnerabilityName"`
}

type nvdMetric struct {
	Source string   `json:"source"`
	Type   string   `json:"type"`
	Data   cve5CVSS `json:"cvssData"`
}

// nvd2 reads an answer of the API or a feed file: both have the same shape.
func (d *decoding) nvd2() error {
	d.h = Header{Feed: FeedNVD, Mode: Merge, Version: "2.0"}
	s, err := newSplitter(d.r, largeBuffer)
	if err != nil {
		return err
	}
	seen := false
	err = s.object(func(key string) error {
		switch key {
		case "timestamp":
			text, err := s.text()
			d.h.Date = when(text)
			return err
		case "format":
			text, err := s.text()
			if err == nil && text != "NVD_CVE" {
				err = fmt.Errorf("format %.40q is not NVD_CVE", text)
			}
			return err
		case "vulnerabilities":
			seen = true
			return s.array(func(i int) error { return d.nvdRow(s, i) })
		}
		return s.discard()
	})
	if err == nil && !seen {
		err = errNoList("of vulnerabilities")
	}
	if err != nil {
		return err
	}
	return s.finish()
}

func (d *decoding) nvdRow(s *splitter, i int) error {
	var row struct {
		CVE nvdRecord `json:"cve"`
	}
	bad, err := s.into(&row)
	if err != nil {
		return err
	}
	if bad == nil && !IsCVE(row.CVE.ID) {
		bad = fmt.Errorf("%.60q is not a CVE id", row.CVE.ID)
	}
	if bad != nil {
		d.drop(row.CVE.ID, fmt.Sprintf("entry %d", i+1), bad)
		return nil
	}
	return d.emit(d.h, row.CVE.record())
}

func (r *nvdRecord) record() Record {
	w := &Weakness{
		ID: r.ID, Description: clean(english(r.Descriptions), maxDescription),
		Published: when(r.Published), Modified: when(r.Modified),
	}
	rec := Record{ID: r.ID, Modified: w.Modified, Withdrawn: strings.EqualFold(r.Status, "Rejected"), Facts: w}
	for _, list := range [][]nvdMetric{r.Metrics.V40, r.Metrics.V31, r.Metrics.V30, r.Metrics.V2} {
		for _, m := range list {
			w.Scores = addScore(w.Scores, nvdSource(m.Source), m.Data.Vector, m.Data.Base)
		}
	}
	for _, s := range r.Metrics.SSVC {
		for _, o := range s.Data.Options {
			for key, value := range o {
				if word, _ := value.(string); strings.EqualFold(key, "exploitation") {
					w.Exploit = atLeast(w.Exploit, ssvcWord(word))
				}
			}
		}
	}
	for _, list := range r.Weaknesses {
		for _, t := range list.Description {
			w.CWEs = addCWE(w.CWEs, t.Value)
		}
	}
	for _, ref := range r.References {
		w.addNVDReference(ref.URL, ref.Tags)
	}
	if added := day(r.KEVAdded); added != "" {
		rec.KEV = &KEV{Added: added, Due: day(r.KEVDue), Name: line(r.KEVName, maxTitle), Action: clean(r.KEVAction, maxDescription/2)}
		w.Exploit = atLeast(w.Exploit, ExploitVerified)
	}
	return rec
}

func ssvcWord(word string) Exploit {
	switch strings.ToLower(word) {
	case "active":
		return ExploitVerified
	case "poc", "public poc":
		return ExploitPublic
	}
	return NoExploit
}

// addNVDReference takes a link; NVD's tag "Exploit" says that it leads to one.
func (w *Weakness) addNVDReference(address string, tags []string) {
	w.References = addReference(w.References, address, tags)
	for _, t := range tags {
		if t == "Exploit" {
			w.Exploit = atLeast(w.Exploit, ExploitPublic)
		}
	}
}

// nvdSource names who rated. NVD writes the address of the organisation, or
// its id: CISA's ADP rates under the id below.
func nvdSource(source string) string {
	switch source {
	case "", "nvd@nist.gov":
		return "nvd"
	case "134c704f-9b21-4f2e-91b3-4a467353bcc0":
		return "cisa-adp"
	}
	return strings.ToLower(line(source, 80))
}
