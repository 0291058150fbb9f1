package advisory

import (
	"fmt"
	"strings"
)

// nvd11Item is one CVE in the retired NVD feed format 1.1.
type nvd11Item struct {
	CVE struct {
		Meta struct {
			ID string `json:"ID"`
		} `json:"CVE_data_meta"`
		Problem struct {
			Data []struct {
				Description []langText `json:"description"`
			} `json:"problemtype_data"`
		} `json:"problemtype"`
		References struct {
			Data []struct {
				URL  string   `json:"url"`
				Tags []string `json:"tags"`
			} `json:"reference_data"`
		} `json:"references"`
		Description struct {
			Data []langText `json:"description_data"`
		} `json:"description"`
	} `json:"cve"`
	Impact struct {
		V3 struct {
			CVSS cve5CVSS `json:"cvssV3"`
		} `json:"baseMetricV3"`
		V2 struct {
			CVSS cve5CVSS `json:"cvssV2"`
		} `json:"baseMetricV2"`
	} `json:"impact"`
	Published string `json:"publishedDate"`
	Modified  string `json:"lastModifiedDate"`
}

// nvd11 reads a feed file of the format 1.1.
func (d *decoding) nvd11() error {
	d.h = Header{Feed: FeedNVD, Mode: Merge, Version: "1.1"}
	s, err := newSplitter(d.r, largeBuffer)
	if err != nil {
		return err
	}
	seen := false
	err = s.object(func(key string) error {
		switch key {
		case "CVE_data_timestamp":
			text, err := s.text()
			d.h.Date = when(text)
			return err
		case "CVE_Items":
			seen = true
			return s.array(func(i int) error { return d.nvd11Row(s, i) })
		}
		return s.discard()
	})
	if err == nil && !seen {
		err = errNoList("CVE_Items")
	}
	if err != nil {
		return err
	}
	return s.finish()
}

func (d *decoding) nvd11Row(s *splitter, i int) error {
	var row nvd11Item
	bad, err := s.into(&row)
	if err != nil {
		return err
	}
	id := row.CVE.Meta.ID
	if bad == nil && !IsCVE(id) {
		bad = fmt.Errorf("%.60q is not a CVE id", id)
	}
	if bad != nil {
		d.drop(id, fmt.Sprintf("entry %d", i+1), bad)
		return nil
	}
	w := &Weakness{
		ID: id, Description: clean(english(row.CVE.Description.Data), maxDescription),
		Published: when(row.Published), Modified: when(row.Modified),
	}
	for _, v := range []cve5CVSS{row.Impact.V3.CVSS, row.Impact.V2.CVSS} {
		w.Scores = addScore(w.Scores, "nvd", v.Vector, v.Base)
	}
	for _, p := range row.CVE.Problem.Data {
		for _, t := range p.Description {
			w.CWEs = addCWE(w.CWEs, t.Value)
		}
	}
	for _, ref := range row.CVE.References.Data {
		w.addNVDReference(ref.URL, ref.Tags)
	}
	// The format has no status: the text of a rejected CVE begins with this mark.
	withdrawn := strings.HasPrefix(w.Description, "** REJECT **") || strings.HasPrefix(w.Description, "Rejected reason:")
	return d.emit(d.h, Record{ID: id, Modified: w.Modified, Withdrawn: withdrawn, Facts: w})
}
