package demo_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/demo"
	"github.com/picketsec/picket/internal/version"
)

// feed opens a file of the shared feeds. Where there are none the test is
// skipped, or fails when CI is set.
func feed(t *testing.T, name string) io.Reader {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "feeds", filepath.FromSlash(name)))
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("no shared feeds: %v", err)
	} else if err != nil {
		t.Skipf("no shared feeds: %v", err)
	}
	t.Cleanup(func() { _ = f.Close() })
	if !strings.HasSuffix(name, ".gz") {
		return f
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// decode calls see for every record of a file.
func decode(t *testing.T, f advisory.Format, name string, r io.Reader, see func(advisory.Record)) {
	t.Helper()
	if _, err := advisory.Decode(f, name, r, func(_ advisory.Header, rec advisory.Record) error { see(rec); return nil }, nil); err != nil {
		t.Fatal(err)
	}
}

// records is what the demo intelligence says of weaknesses, by id.
func records(t *testing.T) map[string]advisory.Record {
	t.Helper()
	out := map[string]advisory.Record{}
	decode(t, advisory.FormatDemo, "intelligence.json", bytes.NewReader(demo.Intelligence()), func(r advisory.Record) {
		if r.Product == nil {
			out[r.ID] = r
		}
	})
	return out
}

// atLeast fails when a comparison had next to nothing to compare.
func atLeast(t *testing.T, what string, got, want int) {
	t.Helper()
	t.Logf("%d %s compared", got, what)
	if got < want {
		t.Errorf("%d %s compared, want at least %d", got, what, want)
	}
}

func TestKEVIsTheCatalogue(t *testing.T) {
	catalogue := map[string]advisory.KEV{}
	decode(t, advisory.FormatKEV, "kev.json", feed(t, "kev/2026-06-30/known_exploited_vulnerabilities.json"), func(r advisory.Record) { catalogue[r.ID] = *r.KEV })
	n := 0
	for id, r := range records(t) {
		k, in := catalogue[id]
		switch {
		case in != (r.KEV != nil):
			t.Errorf("%s: in the catalogue: %v, here: %v", id, in, r.KEV != nil)
		case in:
			n++
			if k.Added != r.KEV.Added || k.Due != r.KEV.Due || k.Ransomware != r.KEV.Ransomware {
				t.Errorf("%s: added, due, ransomware are %s, %s, %v, want %s, %s, %v", id, r.KEV.Added, r.KEV.Due, r.KEV.Ransomware, k.Added, k.Due, k.Ransomware)
			}
		}
	}
	atLeast(t, "entries of KEV", n, 40)
}

// TestLinesAreThoseOfEndOfLife holds that the release lines are the feed's of that day.
func TestLinesAreThoseOfEndOfLife(t *testing.T) {
	products := map[string]*advisory.Product{}
	decode(t, advisory.FormatEndOfLife, "products.json", feed(t, "endoflife/products-full.api-v1.derived-2026-06-30.json.gz"), func(r advisory.Record) { products[r.ID] = r.Product })
	n := 0
	decode(t, advisory.FormatDemo, "intelligence.json", bytes.NewReader(demo.Intelligence()), func(r advisory.Record) {
		if r.Product == nil {
			return
		}
		want := products[r.ID]
		if want == nil {
			t.Errorf("endoflife.date does not know %s", r.ID)
			return
		}
		for i, c := range r.Product.Cycles {
			if c.Code = want.Cycles[i].Code; c != want.Cycles[i] {
				t.Errorf("%s: line %+v, want %+v", r.ID, c, want.Cycles[i])
			}
			n++
		}
	})
	atLeast(t, "release lines", n, 40)
}

func TestEPSSIsTheDaysFile(t *testing.T) {
	scores := map[string]advisory.EPSS{}
	decode(t, advisory.FormatEPSS, "epss_scores-2026-06-30.csv", feed(t, "epss/epss_scores-2026-06-30.kev-subset.csv.gz"), func(r advisory.Record) { scores[r.ID] = *r.EPSS })
	n := 0
	for id, r := range records(t) {
		want, in := scores[id]
		switch {
		case in != (r.EPSS != nil):
			t.Errorf("%s: has an EPSS score in the file: %v, here: %v", id, in, r.EPSS != nil)
		case in:
			n++
			if r.EPSS.Score != want.Score || r.EPSS.Percentile != want.Percentile {
				t.Errorf("%s: EPSS %g (%g), want %g (%g)", id, r.EPSS.Score, r.EPSS.Percentile, want.Score, want.Percentile)
			}
		}
	}
	atLeast(t, "EPSS scores", n, 40)
}

// place is a weakness in a package.
type place struct {
	advisory.Key
	id string
}

// fixes is where a weakness is fixed in a package of a distribution.
func fixes(r advisory.Record, see func(at place, fixed string, st *advisory.Statement)) {
	for i := range r.Statements {
		st := &r.Statements[i].Statement
		fixed := ""
		if len(st.Ranges) == 1 {
			fixed = st.Ranges[0].Fixed
		}
		for _, id := range st.Weaknesses {
			see(place{r.Statements[i].Key, id}, fixed, st)
		}
	}
}

// TestDebianFixesAreTheTrackers compares with the tracker's export of the
// releases that it has, and with the advisory that a row names.
func TestDebianFixesAreTheTrackers(t *testing.T) {
	tracker := map[place]string{}
	decode(t, advisory.FormatDebianTracker, "tracker.json", feed(t, "debian-security/security-tracker.derived-2026-06-30.json.gz"), func(r advisory.Record) {
		fixes(r, func(at place, fixed string, _ *advisory.Statement) { tracker[at] = fixed })
	})
	announced := map[string]map[place]string{}
	for _, name := range []string{"DSA", "DLA"} {
		decode(t, advisory.FormatDSA, name+".list", feed(t, "debian-security/to-2026-06-30.reconstructed/"+name+".list.gz"), func(r advisory.Record) {
			announced[r.ID] = map[place]string{}
			fixes(r, func(at place, fixed string, _ *advisory.Statement) { announced[r.ID][at] = fixed })
		})
	}
	inTracker, inLists := 0, 0
	for _, r := range records(t) {
		fixes(r, func(at place, fixed string, st *advisory.Statement) {
			if at.Ecosystem != "Debian" {
				return
			}
			if want, ok := tracker[at]; ok {
				inTracker++
				if fixed != want {
					t.Errorf("%s in %s is %s %q, the tracker says fixed %q", at.id, at.Key, st.State, fixed, want)
				}
			}
			for _, name := range st.Announced {
				inLists++
				if want, ok := announced[name][at]; !ok || fixed != want {
					t.Errorf("%s in %s is fixed in %q, %s says %q (%v)", at.id, at.Key, fixed, name, want, ok)
				}
			}
			if st.State == advisory.Fixed && len(st.Announced) == 0 && tracker[at] != "" {
				t.Errorf("%s in %s names no advisory", at.id, at.Key)
			}
		})
	}
	atLeast(t, "fixes of the tracker", inTracker, 200)
	atLeast(t, "fixes of advisories", inLists, 200)
}

// TestRangesAreThoseOfOSV compares the affected versions of language packages
// with every record of the sample that speaks of the same weakness and package.
func TestRangesAreThoseOfOSV(t *testing.T) {
	want := map[place]map[string][]version.Range{} // by the record's id
	for _, eco := range []string{"Go", "PyPI", "npm", "Maven", "RubyGems"} {
		name := "osv/" + eco + "/all.zip"
		raw, err := io.ReadAll(feed(t, name))
		if err != nil {
			t.Fatal(err)
		}
		z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range z.File {
			in, err := e.Open()
			if err != nil {
				t.Fatal(err)
			}
			decode(t, advisory.FormatOSV, path.Join(name, e.Name), in, func(r advisory.Record) {
				for _, p := range r.Statements {
					for _, id := range p.Statement.Weaknesses {
						at := place{p.Key, id}
						if want[at] == nil {
							want[at] = map[string][]version.Range{}
						}
						want[at][p.Statement.Advisory] = append(want[at][p.Statement.Advisory], p.Statement.Ranges...)
					}
				}
			})
			_ = in.Close()
		}
	}
	n := 0
	for _, r := range records(t) {
		here := map[place][]version.Range{}
		named := map[place]string{}
		fixes(r, func(at place, _ string, st *advisory.Statement) {
			here[at] = append(here[at], st.Ranges...)
			if len(st.Announced) > 0 {
				named[at] = st.Announced[0]
			}
		})
		for at, got := range here {
			for id, feed := range want[at] {
				if _, both := want[at][named[at]]; both && id != named[at] {
					continue // another database's view; the row names the one that it follows
				}
				n++
				if named[at] != id {
					t.Errorf("%s in %s follows %q, the feed has %s", at.id, at.Key, named[at], id)
				}
				if a, b := spell(got), spell(feed); !slices.Equal(a, b) {
					t.Errorf("%s in %s is affected in %v, %s says %v", at.id, at.Key, a, id, b)
				}
			}
		}
	}
	atLeast(t, "packages of OSV", n, 30)
}

// spell writes ranges in one way, in order.
func spell(list []version.Range) []string {
	var out []string
	for _, r := range list {
		if r.Introduced == "0" {
			r.Introduced = ""
		}
		text := "[" + r.Introduced + ", " + r.Fixed + ")"
		if r.LastAffected != "" {
			text = "[" + r.Introduced + ", " + r.LastAffected + "]"
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// TestScoresAndDatesArePublished compares vectors and dates of publication with
// NVD and the CVE records, for the weaknesses that the samples have.
func TestScoresAndDatesArePublished(t *testing.T) {
	if testing.Short() {
		t.Skip("short: reads some 100,000 records")
	}
	here := records(t)
	vectors, dates := map[string][]string{}, map[string][]string{}
	note := func(r advisory.Record) {
		if here[r.ID].Facts == nil || r.Facts == nil {
			return
		}
		for _, s := range r.Facts.Scores {
			vectors[r.ID] = append(vectors[r.ID], metrics(s.Vector))
		}
		if !r.Facts.Published.IsZero() {
			dates[r.ID] = append(dates[r.ID], r.Facts.Published.Format(time.DateOnly))
		}
	}
	// Not nvdcve-2.0-2025-2026.composed: it has no scores and no real dates.
	for _, name := range []string{"nvdcve-1.1-2018", "nvdcve-1.1-2021", "nvdcve-1.1-2025", "nvdcve-1.1-recent"} {
		decode(t, advisory.FormatNVD11, name, feed(t, "nvd/"+name+".json.gz"), note)
	}
	for _, name := range []string{"nvdcve-2.0-2021.derived", "nvdcve-2.0-2025.derived", "nvdcve-2.0-2024.composed"} {
		decode(t, advisory.FormatNVD2, name, feed(t, "nvd/"+name+".json.gz"), note)
	}
	cveRecords(t, func(name string, r io.Reader) {
		if _, ok := here[strings.TrimSuffix(path.Base(name), ".json")]; ok {
			decode(t, advisory.FormatCVE5, name, r, note)
		}
	})
	scores, days := 0, 0
	for id, r := range here {
		if len(vectors[id]) > 0 && len(r.Facts.Scores) == 0 {
			t.Errorf("%s has no score, the feeds have %v", id, vectors[id])
		}
		for _, s := range r.Facts.Scores {
			if known := vectors[id]; len(known) > 0 {
				scores++
				if !slices.Contains(known, metrics(s.Vector)) {
					t.Errorf("%s is scored %s, the feeds have %v", id, s.Vector, known)
				}
			}
		}
		if known := dates[id]; len(known) > 0 {
			days++
			if day := r.Facts.Published.Format(time.DateOnly); !slices.Contains(known, day) {
				t.Errorf("%s is published on %s, the feeds have %v", id, day, known)
			}
		}
	}
	atLeast(t, "scores", scores, 50)
	atLeast(t, "dates", days, 50)
}

// metrics is a vector with its metrics in one order: some CNAs have their own.
func metrics(vector string) string {
	parts := strings.Split(vector, "/")
	slices.Sort(parts)
	return strings.Join(parts, "/")
}

// cveRecords calls see for every CVE record of the sample.
func cveRecords(t *testing.T, see func(name string, r io.Reader)) {
	t.Helper()
	z, err := zstd.NewReader(feed(t, "cve5/cve-records-2024-10-17.tar.zst"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for in := tar.NewReader(z); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg && strings.HasSuffix(h.Name, ".json") {
			see(h.Name, in)
		}
	}
}

// TestNamesOfAdvisories holds that a row of an ecosystem names an advisory of a
// database that speaks for it.
func TestNamesOfAdvisories(t *testing.T) {
	databases := map[string][]string{
		"Debian": {"DSA-", "DLA-"}, "Ubuntu": {"USN-"}, "Go": {"GO-", "GHSA-"}, "PyPI": {"PYSEC-", "GHSA-"}, "npm": {"GHSA-"}, "Maven": {"GHSA-"}, "RubyGems": {"GHSA-"},
	}
	for id, r := range records(t) {
		for _, p := range r.Statements {
			for _, name := range p.Statement.Announced {
				if !slices.ContainsFunc(databases[p.Key.Ecosystem], func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
					t.Errorf("%s in %s names %s; those of its database begin with %v", id, p.Key, name, databases[p.Key.Ecosystem])
				}
			}
		}
	}
}
