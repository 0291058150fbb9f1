package advisory

import (
	"errors"
	"fmt"
	"slices"

	"github.com/picketsec/picket/internal/version"
)

// demoRow is one weakness of Picket's own demo intelligence.
type demoRow struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Published   string `json:"published"`
	CVSS        []struct {
		Vector string `json:"vector"`
	} `json:"cvss"`
	KEV        *KEV           `json:"kev"`
	EPSS       float64        `json:"epss"`
	Percentile float64        `json:"epss_percentile"`
	Exploit    Exploit        `json:"exploit"`
	CWEs       []string       `json:"cwes"`
	References []string       `json:"references"`
	Affected   []demoAffected `json:"affected"`
}

type demoAffected struct {
	Ecosystem  string `json:"ecosystem"`
	Release    string `json:"release"`
	Name       string `json:"name"`
	State      State  `json:"state"`
	Fixed      string `json:"fixed"`
	Introduced string `json:"introduced"`
	Urgency    string `json:"urgency"`
	Advisory   string `json:"advisory"`
}

// demo reads demo intelligence: {"picket_demo": 1, "date": "YYYY-MM-DD", "products": [...], "weaknesses": [...]};
// products are as endoflife.date has them.
func (d *decoding) demo() error {
	d.h = Header{Feed: FeedDemo, Mode: Replace}
	s, err := newSplitter(d.r, largeBuffer)
	if err != nil {
		return err
	}
	seen := false
	err = s.object(func(key string) error {
		switch key {
		case "picket_demo":
			raw, err := s.value()
			if err == nil && string(raw) != "1" {
				err = fmt.Errorf("version %.20s of the demo format is not known", raw)
			}
			d.h.Version = "1"
			return err
		case "date":
			text, err := s.text()
			d.h.Date = when(text)
			return err
		case "products":
			return s.array(func(i int) error { return d.eolProduct(s, i) })
		case "weaknesses":
			seen = true
			return s.array(func(i int) error { return d.demoRow(s, i) })
		}
		return s.discard()
	})
	if err == nil && !seen {
		err = errNoList("of weaknesses")
	}
	if err != nil {
		return err
	}
	return s.finish()
}

func (d *decoding) demoRow(s *splitter, i int) error {
	var row demoRow
	bad, err := s.into(&row)
	if err != nil {
		return err
	}
	var rec Record
	if bad == nil {
		rec, bad = d.demoRecord(&row)
	}
	if bad != nil {
		d.drop(row.ID, fmt.Sprintf("weakness %d", i+1), bad)
		return nil
	}
	return d.emit(d.h, rec)
}

func (d *decoding) demoRecord(row *demoRow) (Record, error) {
	if !validID(row.ID) {
		return Record{}, badID(row.ID)
	}
	if !slices.Contains([]Exploit{"", NoExploit, ExploitPublic, ExploitVerified, ExploitInKit}, row.Exploit) {
		return Record{}, fmt.Errorf("exploit %.40q is not known", row.Exploit)
	}
	w := &Weakness{
		ID: row.ID, Title: line(row.Title, maxTitle), Description: clean(row.Description, maxDescription),
		Published: when(row.Published), Exploit: row.Exploit,
	}
	for _, c := range row.CVSS {
		before := len(w.Scores)
		if w.Scores = addScore(w.Scores, FeedDemo, c.Vector, 0); len(w.Scores) == before {
			return Record{}, fmt.Errorf("CVSS vector %.80q is not valid", c.Vector)
		}
	}
	for _, c := range row.CWEs {
		w.CWEs = addCWE(w.CWEs, c)
	}
	for _, r := range row.References {
		w.References = addReference(w.References, r, nil)
	}
	rec := Record{ID: row.ID, Facts: w}
	if k := row.KEV; k != nil && day(k.Added) != "" {
		rec.KEV = &KEV{Added: day(k.Added), Due: day(k.Due), Name: line(k.Name, maxTitle), Action: clean(k.Action, maxDescription/2), Ransomware: k.Ransomware}
		w.Exploit = atLeast(w.Exploit, ExploitVerified)
		if k.Ransomware {
			w.Exploit = ExploitInKit
		}
	}
	if row.EPSS != 0 || row.Percentile != 0 {
		if !(row.EPSS >= 0 && row.EPSS <= 1 && row.Percentile >= 0 && row.Percentile <= 1) {
			return Record{}, errors.New("epss and epss_percentile must be from 0 to 1")
		}
		rec.EPSS = &EPSS{Score: row.EPSS, Percentile: row.Percentile}
		if !d.h.Date.IsZero() {
			rec.EPSS.Date = d.h.Date.Format("2006-01-02")
		}
	}
	for _, a := range row.Affected {
		st, err := a.statement(row.ID)
		if err != nil {
			return Record{}, fmt.Errorf("affected %.80q: %w", a.Name, err)
		}
		st.Date = w.Published
		rec.Statements = append(rec.Statements, Placed{
			Key: Key{Ecosystem: a.Ecosystem, Release: a.Release, Name: NormalName(a.Ecosystem, a.Name)}, Statement: st,
		})
	}
	return rec, nil
}

func (a *demoAffected) statement(id string) (Statement, error) {
	st := Statement{Advisory: id, Weaknesses: []string{id}, Feed: FeedDemo, State: a.State, Urgency: line(a.Urgency, 40)}
	if a.Advisory != "" {
		if !validID(a.Advisory) {
			return st, badID(a.Advisory)
		}
		st.Announced = []string{a.Advisory}
	}
	switch {
	case !version.Known(a.Ecosystem):
		return st, fmt.Errorf("ecosystem %.40q is not known", a.Ecosystem)
	case !validName(a.Name):
		return st, errors.New("the package has no usable name")
	case !a.State.Exposed() && a.State != NotAffect && a.State != Unimportant && a.State != Undetermined:
		return st, fmt.Errorf("state %.40q is not known", a.State)
	case a.State == Fixed && a.Fixed == "":
		return st, errors.New("state fixed without a fixed version")
	}
	for _, v := range []string{a.Fixed, a.Introduced} {
		if v == "" || v == "0" {
			continue
		}
		if err := version.Valid(a.Ecosystem, v); err != nil {
			return st, err
		}
	}
	if a.Fixed != "" || a.Introduced != "" {
		st.Ranges = []version.Range{{Introduced: a.Introduced, Fixed: a.Fixed}}
	}
	return st, nil
}
