package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
)

var oddIDs = []string{"GHSA-aa", "ghsa-AA", "GHSA-AA", "RULE-ſ", "RULE-S"}

// tableCore is vulnCore with ids that differ in nothing but their case.
func tableCore(t *rapid.T) *core {
	c := vulnCore(t)
	id, _ := c.fleet.Intern(exposure.Component{Key: advisory.Key{Ecosystem: "npm"}, Vendor: "npm", Product: "odd", Version: "1"})
	var a exposure.Assessment
	for _, w := range slices.Sorted(slices.Values(oddIDs)) {
		a.Matches = append(a.Matches, exposure.Match{Weakness: w, Exposed: rapid.Bool().Draw(t, "odd"), State: exposure.RestartNeeded})
	}
	c.fleet.SetAssessment(id, &a)
	num := uint32(len(c.devices))
	d := c.register(store.Device{Num: num, ID: inventory.DeviceID(fmt.Sprintf("%040x", num+1000))})
	c.fleet.SetDevice(num, []exposure.ComponentID{id})
	c.regroup(d, exposure.Group(num%3))
	for _, f := range c.facts {
		f.CVSS3 = float64(rapid.IntRange(0, 3).Draw(t, "cvss"))
		f.Threats.Exploit = rapid.SampledFrom([]advisory.Exploit{"", advisory.NoExploit, advisory.ExploitPublic, advisory.ExploitInKit}).Draw(t, "exploit")
	}
	return c
}

// walked are the weaknesses of the console's list that count, as columns.
func walked(c *core, caller Caller) (out []WeaknessColumns) {
	for _, r := range c.weaknessRows(c.lens(caller)) {
		if r.Exposed > 0 {
			out = append(out, WeaknessColumns{ID: r.ID, Title: r.Title, Severity: r.Severity, CVSS: r.CVSS, CVSSVer: r.CVSSVer, CVSS3: c.facts[r.ID].CVSS3, EPSS: r.EPSS,
				Exploit: r.Threats.Exploit, Published: r.Published, Updated: r.Updated, Exposed: r.Exposed})
		}
	}
	slices.SortFunc(out, func(a, b WeaknessColumns) int { return compareIDs(a.ID, b.ID) })
	return out
}

func drawTableQuery(t *rapid.T) *WeaknessTableQuery {
	q := &WeaknessTableQuery{}
	q.Skip, q.Limit, q.Count = rapid.IntRange(0, 6).Draw(t, "skip"), rapid.IntRange(-1, 6).Draw(t, "limit"), rapid.Bool().Draw(t, "count")
	if rapid.Bool().Draw(t, "named") {
		ids := append([]string{"CVE-2024-998", "cve-2024-1000", "CVE-2024-1002", "CVE-1999-1", ""}, oddIDs...)
		q.IDs = rapid.SliceOfN(rapid.SampledFrom(ids), 0, 5).Draw(t, "ids")
	}
	if rapid.Bool().Draw(t, "where") {
		most := rapid.IntRange(0, 20).Draw(t, "most")
		severity := rapid.SampledFrom([]advisory.Severity{advisory.Low, advisory.High, ""}).Draw(t, "severity")
		q.Where = func(w *WeaknessColumns) bool { return w.Exposed <= most && (severity == "" || w.Severity == severity) }
	}
	if rapid.Bool().Draw(t, "order") {
		sign := rapid.SampledFrom([]int{-1, 1}).Draw(t, "sign")
		by := rapid.SampledFrom([]func(*WeaknessColumns) float64{
			func(w *WeaknessColumns) float64 { return float64(w.Exposed) }, func(w *WeaknessColumns) float64 { return w.CVSS3 }}).Draw(t, "by")
		q.Order = func(a, b *WeaknessColumns) int { return sign * cmp.Compare(by(a), by(b)) }
	}
	return q
}

func plainTable(all []WeaknessColumns, q *WeaknessTableQuery) (page WeaknessTablePage) {
	for _, w := range all {
		low := strings.ToLower(w.ID) // not EqualFold, for which ſ is an s
		named := q.IDs == nil || slices.ContainsFunc(q.IDs, func(id string) bool { return strings.ToLower(id) == low })
		if named && (q.Where == nil || q.Where(&w)) {
			page.Rows = append(page.Rows, w)
		}
	}
	if q.Count {
		page.Total = len(page.Rows)
	}
	if q.Order != nil {
		slices.SortStableFunc(page.Rows, func(a, b WeaknessColumns) int { return q.Order(&a, &b) })
	}
	page.Rows = page.Rows[min(q.Skip, len(page.Rows)):]
	if q.Limit >= 0 && len(page.Rows) > q.Limit {
		page.Rows, page.More = page.Rows[:q.Limit], q.Limit > 0
	}
	return page
}

// TestWeaknessTable: a page by columns is the page that a walk over whole rows
// gives, whatever is named, filtered, ordered, counted and skipped, also once
// weaknesses came after the first question.
func TestWeaknessTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := tableCore(t)
		caller := admin
		if rapid.Bool().Draw(t, "scope") {
			caller.Groups = []exposure.Group{0, 2}
		}
		for i := range 8 {
			if i == 4 {
				id, _ := c.fleet.Intern(exposure.Component{Vendor: "late", Product: "late", Version: "1"})
				c.fleet.SetAssessment(id, &exposure.Assessment{Matches: []exposure.Match{{Weakness: "CVE-2024-999", Exposed: true}, {Weakness: "cve-2024-1000", Exposed: true}}})
				c.fleet.SetDevice(0, []exposure.ComponentID{id})
				c.rows.forget()
				for rows := range c.caches {
					rows.forget()
				}
			}
			q := drawTableQuery(t)
			want := plainTable(walked(c, caller), q)
			got, err := c.weaknessTable(context.Background(), caller, q)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.Rows, want.Rows) || got.More != want.More || got.Total != want.Total {
				t.Fatalf("%+v:\n got %v more %v total %d\nwant %v more %v total %d", q, got.Rows, got.More, got.Total, want.Rows, want.More, want.Total)
			}
		}
	})
}

// TestWeaknessTableLooksAtLittle: what is named is looked up, a page in the
// order of ids ends the walk, and no whole row is made for either.
func TestWeaknessTableLooksAtLittle(t *testing.T) {
	c := newCore()
	var a exposure.Assessment
	for i := range 500 {
		a.Matches = append(a.Matches, exposure.Match{Weakness: fmt.Sprintf("CVE-2024-%04d", i), Exposed: true})
	}
	id, _ := c.fleet.Intern(exposure.Component{Vendor: "debian", Product: "p", Version: "1"})
	c.fleet.SetAssessment(id, &a)
	c.register(store.Device{Num: 0, ID: inventory.DeviceID(strings.Repeat("0", 40))})
	c.fleet.SetDevice(0, []exposure.ComponentID{id})
	third := func(w *WeaknessColumns) bool { return w.ID[len(w.ID)-1] == '3' }
	byID := func(a, b *WeaknessColumns) int { return strings.Compare(b.ID, a.ID) }
	for name, tt := range map[string]struct {
		ids                 []string
		q                   RowQuery[WeaknessColumns]
		looked, rows, total int
	}{
		"named":         {[]string{"cve-2024-0007", "CVE-2024-0499", "CVE-1999-1"}, RowQuery[WeaknessColumns]{Limit: -1, Order: byID}, 3, 2, 0},
		"none named":    {[]string{}, RowQuery[WeaknessColumns]{Limit: 10, Count: true}, 0, 0, 0},
		"first page":    {nil, RowQuery[WeaknessColumns]{Limit: 10}, 11, 10, 0},
		"later page":    {nil, RowQuery[WeaknessColumns]{Skip: 100, Limit: 10}, 111, 10, 0},
		"filtered page": {nil, RowQuery[WeaknessColumns]{Where: third, Limit: 2}, 24, 2, 0},
		"counted":       {nil, RowQuery[WeaknessColumns]{Where: third, Limit: 2, Count: true}, 500, 2, 50},
		"ordered":       {nil, RowQuery[WeaknessColumns]{Order: byID, Limit: 2}, 500, 2, 0},
	} {
		page, err := c.weaknessTable(t.Context(), admin, &WeaknessTableQuery{IDs: tt.ids, RowQuery: tt.q})
		if err != nil {
			t.Fatal(err)
		}
		if page.looked != tt.looked || len(page.Rows) != tt.rows || page.Total != tt.total {
			t.Errorf("%s: looked at %d, %d rows, %d in all; want %d, %d, %d", name, page.looked, len(page.Rows), page.Total, tt.looked, tt.rows, tt.total)
		}
	}
	if n := len(c.rows.weak); n != 0 {
		t.Errorf("%d whole rows were made", n)
	}
}

// A fact has the best score of CVSS 3 wherever it stands, else the preferred one.
func TestFactScoreOfCVSS3(t *testing.T) {
	for want, scores := range map[float64][]advisory.Score{
		0: nil, 7: {{Version: "4.0", Base: 9}, {Version: "3.1", Base: 7}, {Version: "3.0", Base: 6}}, 5: {{Version: "2.0", Base: 5}}, 8: {{Version: "3.0", Base: 8}, {Version: "2.0", Base: 1}},
	} {
		if got := factOf(&advisory.Weakness{Scores: scores}).CVSS3; got != want {
			t.Errorf("%v: %v, want %v", scores, got, want)
		}
	}
}

// Columns and facts are only for who may read weaknesses.
func TestWeaknessTableDenied(t *testing.T) {
	s := testServer(t)
	none := Caller{Name: "none", Permissions: []string{SoftwareRead}}
	if _, err := s.WeaknessTable(t.Context(), none, WeaknessTableQuery{}); !errors.Is(err, ErrDenied) {
		t.Errorf("columns: %v", err)
	}
	if _, err := s.WeaknessFacts(t.Context(), none, "CVE-2024-1"); !errors.Is(err, ErrDenied) {
		t.Errorf("facts: %v", err)
	}
	if w, err := s.WeaknessFacts(t.Context(), admin, "CVE-2024-1"); err != nil || w.ID != "CVE-2024-1" || w.Description != "" {
		t.Errorf("facts of what nobody knows: %+v, %v", w, err)
	}
}
