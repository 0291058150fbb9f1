package advisory

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
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
	return d.kevEntry(&row, fmt.Sprintf("entry %d", i+1), bad)
}

// kevEntry emits one entry, or drops it: bad is what is known to be wrong with it.
func (d *decoding) kevEntry(row *kevRow, where string, bad error) error {
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

// maxKEVTable bounds the catalogue as a table: a quote that is not closed makes
// all the rest one field.
const maxKEVTable = 64 << 20

// kevTable reads the catalogue as CISA's CSV file: a header with the names of
// the fields, then one row per entry. It tells no date of its own: that of the
// newest entry stands for it.
func (d *decoding) kevTable() error {
	d.h = Header{Feed: FeedKEV, Mode: Replace}
	tail := &lastByte{r: io.LimitReader(d.r, maxKEVTable+1)}
	in := csv.NewReader(tail)
	in.FieldsPerRecord = -1
	head, err := in.Read()
	if err != nil {
		return fmt.Errorf("read header: %w", err)
	}
	at := map[string]int{}
	for i, name := range head {
		at[strings.TrimPrefix(name, "\ufeff")] = i
	}
	cut := false
	for n := 1; ; n++ {
		fields, err := in.Read()
		if err == io.EOF {
			break
		}
		var parse *csv.ParseError
		if err != nil && !errors.As(err, &parse) {
			return err
		}
		if cut = err != nil; !cut && len(fields) != len(head) {
			err = fmt.Errorf("the row has %d fields, the header %d", len(fields), len(head))
		}
		get := func(name string) string {
			if i, ok := at[name]; ok && i < len(fields) {
				return fields[i]
			}
			return ""
		}
		row := kevRow{ID: get("cveID"), Name: get("vulnerabilityName"), Added: get("dateAdded"), Text: get("shortDescription"), Action: get("requiredAction"),
			Due: get("dueDate"), Ransomware: get("knownRansomwareCampaignUse"), CWEs: strings.FieldsFunc(get("cwes"), func(r rune) bool { return r == ',' || r == ' ' })}
		if added, bad := time.Parse(time.DateOnly, day(row.Added)); err == nil && bad == nil && IsCVE(row.ID) && added.After(d.h.Date) {
			d.h.Date = added
		}
		if err := d.kevEntry(&row, fmt.Sprintf("row %d", n), err); err != nil {
			return err
		}
	}
	switch {
	case tail.n > maxKEVTable:
		return fmt.Errorf("the file is larger than %d bytes", maxKEVTable)
	case cut, tail.b != '\n':
		return errTruncated
	}
	return nil
}

// lastByte remembers how much was read and what came last.
type lastByte struct {
	r io.Reader
	n int64
	b byte
}

// Read reads on.
func (l *lastByte) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if n > 0 {
		l.n, l.b = l.n+int64(n), p[n-1]
	}
	return n, err
}
