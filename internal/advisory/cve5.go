package advisory

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// cve5Record is a CVE record of the CVE Program, JSON 5.x.
type cve5Record struct {
	DataType    string `json:"dataType"`
	DataVersion string `json:"dataVersion"`
	Meta        struct {
		ID        string `json:"cveId"`
		State     string `json:"state"`
		Published string `json:"datePublished"`
		Updated   string `json:"dateUpdated"`
		Rejected  string `json:"dateRejected"`
	} `json:"cveMetadata"`
	Containers struct {
		CNA cve5Container   `json:"cna"`
		ADP []cve5Container `json:"adp"`
	} `json:"containers"`
}

type cve5Container struct {
	Provider struct {
		Short   string `json:"shortName"`
		Updated string `json:"dateUpdated"`
	} `json:"providerMetadata"`
	Title        string     `json:"title"`
	Descriptions []langText `json:"descriptions"`
	Rejected     []langText `json:"rejectedReasons"`
	ProblemTypes []struct {
		Descriptions []struct {
			CWE  string `json:"cweId"`
			Text string `json:"description"`
		} `json:"descriptions"`
	} `json:"problemTypes"`
	References []struct {
		URL  string   `json:"url"`
		Tags []string `json:"tags"`
	} `json:"references"`
	Metrics []cve5Metric `json:"metrics"`
}

type langText struct {
	Lang  string `json:"lang"`
	Value string `json:"value"`
}

type cve5Metric struct {
	V40   *cve5CVSS `json:"cvssV4_0"`
	V31   *cve5CVSS `json:"cvssV3_1"`
	V30   *cve5CVSS `json:"cvssV3_0"`
	V20   *cve5CVSS `json:"cvssV2_0"`
	Other *struct {
		Type    string          `json:"type"`
		Content json.RawMessage `json:"content"`
	} `json:"other"`
}

type cve5CVSS struct {
	Vector string  `json:"vectorString"`
	Base   float64 `json:"baseScore"`
}

// english returns the first text in English, else the first text.
func english(texts []langText) string {
	for _, t := range texts {
		if strings.HasPrefix(strings.ToLower(t.Lang), "en") && strings.TrimSpace(t.Value) != "" {
			return t.Value
		}
	}
	for _, t := range texts {
		if strings.TrimSpace(t.Value) != "" {
			return t.Value
		}
	}
	return ""
}

// cve5 reads one CVE record.
func (d *decoding) cve5() error {
	d.h = Header{Feed: FeedCVE5, Mode: Merge}
	s, err := newSplitter(d.r, smallBuffer)
	if err != nil {
		return err
	}
	if c, err := s.peek(); err != nil {
		return err
	} else if c != '{' {
		return s.wrong(c, "an object")
	}
	var r cve5Record
	bad, err := s.into(&r)
	if err != nil {
		return err
	}
	if err := s.finish(); err != nil {
		return err
	}
	switch {
	case bad != nil:
	case r.DataType != "" && r.DataType != "CVE_RECORD":
		bad = fmt.Errorf("data type %.40q is not CVE_RECORD", r.DataType)
	case !IsCVE(r.Meta.ID):
		bad = fmt.Errorf("%.60q is not a CVE id", r.Meta.ID)
	case r.Meta.State != "PUBLISHED" && r.Meta.State != "REJECTED":
		bad = fmt.Errorf("state %.40q is neither PUBLISHED nor REJECTED", r.Meta.State)
	}
	if bad != nil {
		d.drop(r.Meta.ID, d.name, bad)
		return nil
	}
	d.h.Version = line(r.DataVersion, 20)
	rec := cve5ToRecord(&r)
	d.h.Date = rec.Modified
	return d.emit(d.h, rec)
}

func cve5ToRecord(r *cve5Record) Record {
	m := &r.Meta
	w := &Weakness{ID: m.ID, Published: when(m.Published), Modified: when(m.Updated)}
	rec := Record{ID: m.ID, Withdrawn: m.State == "REJECTED", Facts: w, Modified: w.Modified}
	for _, t := range append([]string{m.Rejected, r.Containers.CNA.Provider.Updated}, adpDates(r)...) {
		if at := when(t); at.After(rec.Modified) {
			rec.Modified = at
		}
	}
	cna := &r.Containers.CNA
	w.Title = line(cna.Title, maxTitle)
	w.Description = clean(english(cna.Descriptions), maxDescription)
	if rec.Withdrawn && w.Description == "" {
		w.Description = clean(english(cna.Rejected), maxDescription)
	}
	rec.add(cna, "cna")
	for i := range r.Containers.ADP {
		c := &r.Containers.ADP[i]
		source := strings.ToLower(line(c.Provider.Short, 40))
		if source == "" {
			source = "adp"
		}
		rec.add(c, source)
		if w.Description == "" {
			w.Description = clean(english(c.Descriptions), maxDescription)
		}
	}
	return rec
}

func adpDates(r *cve5Record) []string {
	var out []string
	for i := range r.Containers.ADP {
		out = append(out, r.Containers.ADP[i].Provider.Updated)
	}
	return out
}

// add takes the ratings, weakness classes and links of one container.
func (r *Record) add(c *cve5Container, source string) {
	w := r.Facts
	for _, m := range c.Metrics {
		for _, v := range []*cve5CVSS{m.V40, m.V31, m.V30, m.V20} {
			if v != nil {
				w.Scores = addScore(w.Scores, source, v.Vector, v.Base)
			}
		}
		if m.Other == nil {
			continue
		}
		switch strings.ToLower(m.Other.Type) {
		case "ssvc":
			w.Exploit = atLeast(w.Exploit, ssvcExploit(m.Other.Content))
		case "kev":
			r.kevMarker(m.Other.Content)
		}
	}
	for _, p := range c.ProblemTypes {
		for _, desc := range p.Descriptions {
			id := desc.CWE
			if id == "" {
				id, _, _ = strings.Cut(desc.Text, " ")
				id = strings.TrimRight(id, ":")
			}
			w.CWEs = addCWE(w.CWEs, id)
		}
	}
	for _, ref := range c.References {
		w.References = addReference(w.References, ref.URL, ref.Tags)
		for _, t := range ref.Tags {
			if t == "exploit" {
				w.Exploit = atLeast(w.Exploit, ExploitPublic)
			}
		}
	}
}

// ssvcExploit reads the decision point "Exploitation" of a CISA SSVC rating.
func ssvcExploit(raw json.RawMessage) Exploit {
	var content struct {
		Options []map[string]string `json:"options"`
	}
	if len(raw) == 0 || json.Unmarshal(raw, &content) != nil {
		return NoExploit
	}
	for _, o := range content.Options {
		switch strings.ToLower(o["Exploitation"]) {
		case "active":
			return ExploitVerified
		case "poc":
			return ExploitPublic
		}
	}
	return NoExploit
}

// kevMarker takes CISA's mark that the flaw is in its catalogue.
func (r *Record) kevMarker(raw json.RawMessage) {
	var content struct {
		Added string `json:"dateAdded"`
	}
	if len(raw) == 0 || json.Unmarshal(raw, &content) != nil || day(content.Added) == "" {
		return
	}
	r.KEV = &KEV{Added: day(content.Added)}
	r.Facts.Exploit = atLeast(r.Facts.Exploit, ExploitVerified)
}

// errNoList says that a feed file lacks its list of records.
func errNoList(what string) error { return errors.New("the file has no list " + what) }
