package mde

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/server"
)

var drawColumns = rapid.Custom(func(t *rapid.T) server.WeaknessColumns {
	of := func(name string, from ...string) string { return rapid.SampledFrom(from).Draw(t, name) }
	number := func(name string) float64 { return float64(rapid.IntRange(0, 3).Draw(t, name)) }
	w := server.WeaknessColumns{ID: of("id", "CVE-2024-1", "CVE-2024-20", "GHSA-aa", "ghsa-AA"), Title: of("title", "", "a"), Severity: advisory.Severity(of("severity", "High", "Low", "Unrated")),
		CVSS3: number("cvss"), EPSS: number("epss"), Exploit: advisory.Exploit(of("exploit", "", string(advisory.NoExploit), string(advisory.ExploitVerified))), Exposed: rapid.IntRange(1, 3).Draw(t, "exposed")}
	if rapid.Bool().Draw(t, "dated") {
		w.Published = time.Date(2024, 1, rapid.IntRange(1, 3).Draw(t, "day"), 0, 0, 0, 0, time.UTC)
	}
	return w
})

// factsOf is what the intelligence says of a row that is drawn.
func factsOf(id string) *advisory.Weakness {
	return &advisory.Weakness{ID: id, Description: "about " + id, ExploitTypes: []string{"Local", id}}
}

func drawVulnFilter(t *rapid.T, depth int) string {
	if depth == 0 || rapid.IntRange(0, 2).Draw(t, "leaf") == 0 {
		op := rapid.SampledFrom([]string{"eq", "ne", "gt", "le"}).Draw(t, "op")
		id := rapid.SampledFrom([]string{"CVE-2024-1", "cve-2024-20", "Ghsa-aa", "x"}).Draw(t, "id")
		return rapid.SampledFrom([]string{
			"id eq '" + id + "'", "'" + id + "' eq NAME", "id in ('" + id + "','CVE-2024-1',null)", "id " + op + " '" + id + "'", "id eq null", "name eq id", "id eq 5",
			"severity " + op + " 'High'", "severity eq null", "cvssV3 " + op + " 2", "exposedMachines " + op + " '1'", "publicExploit", "exploitVerified ne true", "exploitInKit eq false",
			"publishedOn " + op + " 2024-01-02", "EPSS " + op + " 1", "EPSS eq null", "startswith(id,'cve')", "cveSupportability eq 'supported'", "true",
			"contains(description,'" + id + "')", "exploitTypes/any(id: id eq '" + id + "')", "length(Description) gt 14", "cvssVector eq null", "exploitUris/any()",
		}).Draw(t, "condition")
	}
	if rapid.IntRange(0, 3).Draw(t, "not") == 0 {
		return "not (" + drawVulnFilter(t, depth-1) + ")"
	}
	kids := []string{drawVulnFilter(t, depth-1), drawVulnFilter(t, depth-1)}
	return "(" + strings.Join(kids, rapid.SampledFrom([]string{" and ", " or "}).Draw(t, "junction")) + ")"
}

// TestVulnFilter: what is handed to the server keeps each weakness that a
// filter keeps, and nothing else where columns decide; ids that it names are
// those of every row.
func TestVulnFilter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		filter := drawVulnFilter(t, 3)
		plain, err := compile(vulnProps, filter)
		if err != nil {
			t.Fatalf("%s: %v", filter, err)
		}
		f, err := vulnFilterOf(filter)
		if err != nil {
			t.Fatalf("%s: %v", filter, err)
		}
		columns := f.columns()
		for range 10 {
			w := drawColumns.Draw(t, "row")
			row, again := vulnOf(&w), vulnOf(&w)
			row.load, again.load = factsOf, factsOf
			want := plain(&row)
			if got := f.where(&again); got != want {
				t.Fatalf("%s is %v, want %v, for %+v", filter, got, want, w)
			}
			if got := columns(&w); want && !got || !f.wide && got != want {
				t.Fatalf("%s: columns say %v, want %v, for %+v", filter, got, want, w)
			}
			if want && f.ids != nil && !slices.ContainsFunc(f.ids, func(id string) bool { return strings.EqualFold(id, w.ID) }) {
				t.Fatalf("%s is said to be about %q, and holds for %+v", filter, f.ids, w)
			}
		}
	})
}

// What the server is told of a filter: ids that are looked up, and whether the
// rest is decided by columns.
func TestVulnFilterParts(t *testing.T) {
	for filter, want := range map[string]string{
		"id eq 'a'": "[a] false", "'a' eq name and severity eq 'High'": "[a] false", "id in ('a','b') and id eq 'b'": "[b] false", "id eq 'a' or name eq 'b'": "[a b] false",
		"id eq 'a' or severity eq 'High'": "all false", "not (id eq 'a')": "all false", "id ne 'a'": "all false", "id eq null": "[] false", "cvssV3 ge 7 and exposedMachines gt 0": "all false",
		"contains(DESCRIPTION,'x') and id eq 'a'": "[a] true", "exploitTypes/any(t: t eq 'x')": "all true", "cvssVector ne null": "all true", "": "all false",
	} {
		f, err := vulnFilterOf(filter)
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprint(f.ids, " ", f.wide)
		if f.ids == nil {
			got = fmt.Sprint("all ", f.wide)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", filter, got, want)
		}
	}
}

// Facts are read only of weaknesses that columns leave.
func TestVulnFilterReadsLittle(t *testing.T) {
	f, err := vulnFilterOf("contains(description,'about') and severity eq 'High'")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for i := range 100 {
		w := server.WeaknessColumns{ID: fmt.Sprint("CVE-2024-", i), Severity: advisory.Low}
		if i%10 == 0 {
			w.Severity = advisory.High
		}
		if !f.columns()(&w) {
			continue
		}
		v := vulnOf(&w)
		v.load = func(id string) *advisory.Weakness { read++; return factsOf(id) }
		if !f.where(&v) {
			t.Errorf("%s is left out", w.ID)
		}
	}
	if read != 10 {
		t.Errorf("facts of %d weaknesses were read, want 10", read)
	}
}
