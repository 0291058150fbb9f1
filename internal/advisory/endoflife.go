package advisory

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// eolProduct is a product in endoflife.date's API v1.
type eolProduct struct {
	Name        string `json:"name"`
	Label       string `json:"label"`
	Identifiers []struct {
		Type string `json:"type"`
		ID   string `json:"id"`
	} `json:"identifiers"`
	Releases []eolRelease `json:"releases"`
}

type eolRelease struct {
	Name   string `json:"name"`
	Code   string `json:"codename"`
	Ended  bool   `json:"isEol"`
	EOL    string `json:"eolFrom"`
	EOES   string `json:"eoesFrom"`
	Latest *struct {
		Name string `json:"name"`
	} `json:"latest"`
}

// eolCycle is a release cycle in the API v0: eol and lts are dates or booleans.
type eolCycle struct {
	Cycle    json.RawMessage `json:"cycle"`
	Code     string          `json:"codename"`
	EOL      json.RawMessage `json:"eol"`
	LTS      json.RawMessage `json:"lts"`
	Extended json.RawMessage `json:"extendedSupport"`
	Latest   json.RawMessage `json:"latest"`
}

// endOfLife reads products with their release cycles: /api/v1/products/full,
// /api/v1/products/NAME, or the old /api/NAME.json, where the product's name
// is that of the file.
func (d *decoding) endOfLife() error {
	d.h = Header{Feed: FeedEndOfLife, Mode: Replace}
	s, err := newSplitter(d.r, largeBuffer)
	if err != nil {
		return err
	}
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c == '[' {
		if err := d.eolCycles(s); err != nil {
			return err
		}
		return s.finish()
	}
	total, seen := -1, -1
	err = s.object(func(key string) error {
		switch key {
		case "schema_version":
			text, err := s.text()
			d.h.Version = line(text, 20)
			return err
		case "generated_at", "last_modified":
			text, err := s.text()
			if t := when(text); t.After(d.h.Date) {
				d.h.Date = t
			}
			return err
		case "total":
			bad, err := s.into(&total)
			return errors.Join(bad, err)
		case "result":
			if c, err := s.peek(); err != nil {
				return err
			} else if c == '{' {
				seen, d.h.Mode = 1, Merge
				return d.eolProduct(s, 0)
			}
			seen = 0
			return s.array(func(i int) error {
				seen++
				return d.eolProduct(s, i)
			})
		}
		return s.discard()
	})
	switch {
	case err != nil:
		return err
	case seen < 0:
		return errNoList("of products")
	case total >= 0 && d.h.Mode == Replace && total != seen:
		d.skip("products", fmt.Sprintf("the file says that it has %d products, it has %d", total, seen))
	}
	return s.finish()
}

func (d *decoding) eolProduct(s *splitter, i int) error {
	var p eolProduct
	bad, err := s.into(&p)
	if err != nil {
		return err
	}
	where := fmt.Sprintf("product %d", i+1)
	switch {
	case bad != nil:
	case !validID(p.Name):
		bad = badID(p.Name)
	case p.Releases == nil:
		bad = errors.New("product has no list of releases")
	}
	if bad != nil {
		d.drop(p.Name, where, bad)
		return nil
	}
	out := &Product{Name: p.Name, Label: line(p.Label, maxTitle)}
	for _, id := range p.Identifiers {
		v := line(id.ID, maxTitle)
		switch {
		case v == "":
		case id.Type == "purl":
			out.PURLs = addOnce(out.PURLs, v)
		case id.Type == "cpe":
			out.CPEs = addOnce(out.CPEs, v)
		case id.Type == "repology":
			out.Repo = addOnce(out.Repo, v)
		}
	}
	for _, r := range p.Releases {
		c := Cycle{Name: line(r.Name, 80), Code: line(r.Code, 80), Ended: r.Ended, EOL: day(r.EOL), LTS: day(r.EOES)}
		if r.Latest != nil {
			c.Latest = line(r.Latest.Name, 80)
		}
		if c.Name != "" && len(out.Cycles) < maxRanges {
			out.Cycles = append(out.Cycles, c)
		}
	}
	return d.emit(d.h, Record{ID: p.Name, Product: out})
}

// eolCycles reads the old form: one product, named by the file.
func (d *decoding) eolCycles(s *splitter) error {
	d.h.Mode = Merge
	name := strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(d.name, ".gz"), ".json"))
	if !validID(name) {
		return fmt.Errorf("the product is named by the file, and %.60q is no product name: name the file PRODUCT.json", d.name)
	}
	p := &Product{Name: name, Label: name}
	err := s.array(func(i int) error {
		var row eolCycle
		bad, err := s.into(&row)
		if err != nil {
			return err
		}
		c := Cycle{Name: line(scalar(row.Cycle), 80), Code: line(row.Code, 80), Latest: line(scalar(row.Latest), 80)}
		eol := scalar(row.EOL)
		c.EOL, c.Ended = day(eol), eol == "true"
		c.LTS = day(scalar(row.Extended))
		if c.LTS == "" {
			c.LTS = day(scalar(row.LTS))
		}
		if bad == nil && c.Name == "" {
			bad = errors.New("cycle has no name")
		}
		if bad != nil {
			d.drop("", fmt.Sprintf("cycle %d", i+1), bad)
			return nil
		}
		if len(p.Cycles) < maxRanges {
			p.Cycles = append(p.Cycles, c)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return d.emit(d.h, Record{ID: name, Product: p})
}

// scalar returns a JSON string, number or boolean as text, "" for anything else.
func scalar(raw json.RawMessage) string {
	if len(raw) == 0 {
		return ""
	}
	switch raw[0] {
	case '"':
		var s string
		if json.Unmarshal(raw, &s) != nil {
			return ""
		}
		return s
	case '{', '[', 'n':
		return ""
	}
	return string(raw)
}
