package demo_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/demo"
	"github.com/picketsec/picket/internal/version"
)

// TestDecodes holds that the product reads its own demo intelligence whole.
func TestDecodes(t *testing.T) {
	data := demo.Intelligence()
	if f, ok := advisory.Sniff("intelligence.json", data[:min(len(data), 4096)]); !ok || f != advisory.FormatDemo {
		t.Fatalf("Sniff = %q, %v, want %q", f, ok, advisory.FormatDemo)
	}
	ids := map[string]bool{}
	ecosystems := map[string]int{}
	states := map[advisory.State]int{}
	kev, products := 0, 0
	h, err := advisory.Decode(advisory.FormatDemo, "intelligence.json", bytes.NewReader(data), func(_ advisory.Header, r advisory.Record) error {
		if ids[r.ID] {
			t.Errorf("%s is there twice", r.ID)
		}
		ids[r.ID] = true
		if p := r.Product; p != nil {
			if len(p.Cycles) < 3 || len(p.CPEs)+len(p.PURLs) == 0 {
				t.Errorf("product %s has %d release lines and identifiers %v %v", p.Name, len(p.Cycles), p.CPEs, p.PURLs)
			}
			products++
			return nil
		}
		if !advisory.IsCVE(r.ID) {
			t.Errorf("%s is no CVE id", r.ID)
		}
		if len(r.Statements) == 0 {
			t.Errorf("%s says nothing of any package", r.ID)
		}
		for _, p := range r.Statements {
			ecosystems[p.Key.Ecosystem]++
			states[p.Statement.State]++
			if distro := p.Key.Ecosystem == "Debian" || p.Key.Ecosystem == "Ubuntu"; distro != (p.Key.Release != "") {
				t.Errorf("%s: %s: a release belongs to distributions and to nothing else", r.ID, p.Key)
			}
		}
		if r.KEV != nil {
			kev++
		}
		return nil
	}, func(id, reason string) { t.Errorf("skipped %s: %s", id, reason) })
	if err != nil {
		t.Fatal(err)
	}
	if h.Date.IsZero() || h.Date.After(time.Now()) {
		t.Errorf("date = %v", h.Date)
	}
	if products < 5 {
		t.Errorf("%d products, want at least 5", products)
	}
	if len(ids) < 180 {
		t.Errorf("%d weaknesses, want at least 180", len(ids))
	}
	for _, eco := range []string{"Debian", "Ubuntu", "PyPI", "npm", "Maven", "Go", "RubyGems"} {
		if ecosystems[eco] < 10 {
			t.Errorf("%d statements for %s, want at least 10", ecosystems[eco], eco)
		}
	}
	for _, s := range []advisory.State{advisory.Fixed, advisory.NoDSA, advisory.Ignored, advisory.Unimportant, advisory.NotAffect} {
		if states[s] == 0 {
			t.Errorf("no statement has the state %s: the first run would not show it", s)
		}
	}
	if kev < 30 {
		t.Errorf("%d weaknesses are known to be exploited, want at least 30", kev)
	}
}

// TestFile holds what the decoder forgives: dates, lengths, vectors, versions, words.
func TestFile(t *testing.T) {
	var file struct {
		Weaknesses []struct {
			ID, Title, Description, Published string
			CVSS                              []struct{ Version, Vector string }
			KEV                               *struct{ Added, Due string }
			EPSS                              float64
			Affected                          []struct {
				Ecosystem, Release, Name, Fixed, Introduced string
				State                                       advisory.State
			}
		}
	}
	if err := json.Unmarshal(demo.Intelligence(), &file); err != nil {
		t.Fatal(err)
	}
	date := func(id, text string) {
		if _, err := time.Parse(time.DateOnly, text); err != nil && text != "" {
			t.Errorf("%s: date %q: %v", id, text, err)
		}
	}
	for _, w := range file.Weaknesses {
		date(w.ID, w.Published)
		if w.KEV != nil {
			date(w.ID, w.KEV.Added)
			date(w.ID, w.KEV.Due)
		}
		if w.Title == "" || len(w.Title) > 90 || strings.HasSuffix(w.Title, ".") {
			t.Errorf("%s: title %q: want 1 to 90 bytes without a full stop", w.ID, w.Title)
		}
		if len(w.Description) < 20 || len(w.Description) > 200 || !strings.HasSuffix(w.Description, ".") {
			t.Errorf("%s: description of %d bytes: want one sentence of at most 200", w.ID, len(w.Description))
		}
		for _, c := range w.CVSS {
			if _, ver, base, ok := advisory.ReadVector(c.Vector); !ok || ver != c.Version || base <= 0 {
				t.Errorf("%s: vector %q is read as version %q, base %v, %v; want version %q", w.ID, c.Vector, ver, base, ok, c.Version)
			}
		}
		for _, a := range w.Affected {
			if a.State == "" {
				t.Errorf("%s: %s in %s %s has no state", w.ID, a.Name, a.Ecosystem, a.Release)
			}
			if a.Introduced != "" && a.Fixed != "" {
				if n, err := version.Compare(a.Ecosystem, a.Introduced, a.Fixed); err != nil || n >= 0 {
					t.Errorf("%s: %s: introduced %q is not before fixed %q (%d, %v)", w.ID, a.Name, a.Introduced, a.Fixed, n, err)
				}
			}
			if a.Ecosystem == "Debian" && !slices.Contains([]string{"7", "8", "9", "10", "11", "12", "13"}, a.Release) {
				t.Errorf("%s: %s: release %q is not one of Debian's numbers", w.ID, a.Name, a.Release)
			}
		}
	}
}

// TestBase holds that the base is a part of the whole: what it lacks was
// published, or listed as exploited, after its day.
func TestBase(t *testing.T) {
	read := func(data []byte) map[string]advisory.Record {
		out := map[string]advisory.Record{}
		_, err := advisory.Decode(advisory.FormatDemo, "demo.json", bytes.NewReader(data), func(_ advisory.Header, r advisory.Record) error {
			out[r.ID] = r
			return nil
		}, func(id, reason string) { t.Errorf("skipped %s: %s", id, reason) })
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	raw, err := demo.Base()
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	base, whole := read(raw), read(demo.Intelligence())
	later, listed := 0, 0
	for id, w := range whole {
		b, has := base[id]
		switch {
		case !has:
			later++
			if !w.Facts.Published.After(day) {
				t.Errorf("%s of %s is not in the base", id, w.Facts.Published)
			}
		case w.KEV != nil && b.KEV == nil:
			listed++
			if w.KEV.Added <= "2025-01-01" || b.Facts.Exploit == advisory.ExploitVerified {
				t.Errorf("%s, listed on %s, is %+v in the base", id, w.KEV.Added, b.Facts)
			}
		}
	}
	if len(base)+later != len(whole) || later < 20 || listed < 4 {
		t.Errorf("%d of %d weaknesses are in the base, %d were listed later: too little news", len(base), len(whole), listed)
	}
}
