package advisory

import (
	"errors"
	"fmt"
)

// kevRow is one entry of the catalogue. Fields are those of CISA's schema.
type kevRow struct {
	ID         string   `json:"cveID"`
	Name       string   `json:"vulnerabilityName"`
	Added      string   `json:"dateAdded"`
	Text       string   `json:"shortDescription"`
	Action     string   `json:"requiredAction"`
	Due        string   `json:"dueDate"`
	Ransomware string   `json:"knownRansomwareCampaignUse"`
	CWEs       []string `json:"cwes"`
}

// kev reads the catalogue of known exploited vulnerabilities.
func (d *decoding) kev() error {
	d.h = Header{Feed: FeedKEV, Mode: Replace}
	s, err := newSplitter(d.r, largeBuffer)
	if err != nil {
		return err
	}
	count, seen := -1, -1
	err = s.object(func(key string) error {
		var text string
		switch key {
		case "catalogVersion":
			if text, err = s.text(); err == nil {
				d.h.Version = line(text, 40)
			}
			return err
		case "dateReleased":
			if text, err = s.text(); err == nil {
				d.h.Date = when(text)
			}
			return err
		case "count":
			bad, err := s.into(&count)
			return errors.Join(bad, err)
		case "vulnerabilities":
			seen = 0
			return s.array(func(i int) error {
				seen++
				return d.kevRow(s, i)
			})
		}
		return s.discard()
	})
	if err != nil {
		return err
	}
	if seen < 0 {
		return errors.New("the catalogue has no list of vulnerabilities")
	}
	if count >= 0 && count != seen {
		d.skip("catalogue", fmt.Sprintf("it says that it has %d entries, it has %d", count, seen))
	}
	return s.finish()
}

func (d *decoding) kevRow(s *splitter, i int) error {
	var row kevRow
	bad, err := s.into(&row)
	if err != nil {
		return err
	}
	where := fmt.Sprintf("entry %d", i+1)
	switch {
	case bad != nil:
	case !IsCVE(row.ID):
		bad = fmt.Errorf("%.60q is not a CVE id", row.ID)
	case day(row.Added) == "":
		bad = fmt.Errorf("date added %.40q is not readable", row.Added)
	}
	if bad != nil {
		d.drop(row.ID, where, bad)
		return nil
	}
	rec := Record{ID: row.ID, KEV: &KEV{
		Added: day(row.Added), Due: day(row.Due), Name: line(row.Name, maxTitle),
		Action: clean(row.Action, maxDescription/2), Ransomware: row.Ransomware == "Known",
	}}
	facts := Weakness{ID: row.ID, Title: rec.KEV.Name, Description: clean(row.Text, maxDescription), Exploit: ExploitVerified}
	if rec.KEV.Ransomware {
		facts.Exploit = ExploitInKit
	}
	for _, c := range row.CWEs {
		facts.CWEs = addCWE(facts.CWEs, c)
	}
	rec.Facts = &facts
	return d.emit(d.h, rec)
}
