package intel

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/advisory"
)

// sharedFeeds is the folder with real feeds; where it is missing the test says
// so and is skipped, but not in CI.
func sharedFeeds(t testing.TB, parts ...string) string {
	t.Helper()
	dir := filepath.Join(append([]string{"..", "..", "..", "shared", "feeds"}, parts...)...)
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("real feeds are missing: %v", err)
		}
		t.Skipf("real feeds are missing: %v", err)
	}
	return dir
}

// loadedOf returns the loads of a feed with a status.
func loadedOf(res Result, feed string, status Status) []Load {
	var out []Load
	for _, l := range res.Loads {
		if l.Feed == feed && l.Status == status {
			out = append(out, l)
		}
	}
	return out
}

// The whole folder of real feeds, as a person would give it.
func TestRealFeeds(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	dir := sharedFeeds(t)
	path := filepath.Join(t.TempDir(), "intel.db")
	s := openAt(t, path, Options{Now: time.Now})
	var peak uint64
	calls := 0
	began := time.Now()
	res, err := s.Import(t.Context(), []string{dir}, ImportOptions{Progress: func(Progress) {
		if calls++; calls%5000 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("whole folder: %s, heap at most %d MB", time.Since(began).Round(time.Millisecond), peak>>20)
	checkRealLoads(t, res)
	rates(t, res)
	if st, err := os.Stat(path); err == nil {
		t.Logf("file: %d MB", st.Size()>>20)
	}
	checkRealAnswers(t, s)

	gen := s.Generation()
	var again []string
	for _, part := range []string{"debian-security", "kev", "epss", "endoflife", "osv/npm", "osv/Alpine"} {
		again = append(again, filepath.Join(dir, part))
	}
	if res, err = s.Import(t.Context(), again, ImportOptions{}); err != nil || res.Changed || s.Generation() != gen {
		t.Errorf("parts of the folder again: changed %v, %v, %s", res.Changed, err, statuses(res))
	}
	realDelta(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	began = time.Now()
	s = openAt(t, path, Options{})
	if _, ok := weaknessOf(t, s, "CVE-2024-3094"); !ok {
		t.Error("CVE-2024-3094 is gone after opening again")
	}
	took := time.Since(began)
	t.Logf("open and first answer: %s", took)
	if took > 3*time.Second {
		t.Errorf("open took %s, floor 3 s", took)
	}
}

func weaknessOf(t testing.TB, s *Store, id string) (w advisory.Weakness, ok bool) {
	view(t, s, func(sn *Snapshot) { w, ok = sn.Weakness(id) })
	return w, ok
}

// checkRealLoads compares with the counts of the READMEs beside the data.
func checkRealLoads(t *testing.T, res Result) {
	t.Helper()
	for feed, want := range map[string]struct {
		records int
		date    string
		status  Status // of the others
		others  int
	}{
		"kev":            {1630, "2026-06-29", Superseded, 2},
		"debian-tracker": {14846, "2026-06-30", Small, 1},
		"debian-dsa":     {6410, "2026-06-30", Superseded, 2},
		"debian-dla":     {4804, "2026-06-30", Superseded, 2},
		"epss":           {1551, "2026-06-30", Superseded, 1},
		"endoflife":      {459, "2026-06-30", Superseded, 1},
	} {
		got := loadedOf(res, feed, Loaded)
		if len(got) != 1 || got[0].Records != want.records || got[0].Date.Format(time.DateOnly) != want.date {
			t.Errorf("%s: loaded %+v, want %d records of %s", feed, got, want.records, want.date)
		}
		if others := loadedOf(res, feed, want.status); len(others) < want.others {
			t.Errorf("%s: %d loads are %s, want at least %d", feed, len(others), want.status, want.others)
		}
	}
	for feed, want := range map[string]int{"cve5": 42191, "osv/Go": 3786, "osv/AlmaLinux": 5166, "osv/Bitnami": 7444, "osv/PyPI": 2661, "osv/crates.io": 1127, "nvd": 20581} {
		most := 0
		for _, l := range loadedOf(res, feed, Loaded) {
			most = max(most, l.Records)
		}
		if most != want {
			t.Errorf("%s: the largest load has %d records, want %d", feed, most, want)
		}
	}
	unknown := 0
	for _, l := range res.Loads {
		if l.Status == Unknown {
			unknown++
		}
		if l.Reason == "" && l.Status != Loaded && l.Status != Unchanged {
			t.Errorf("no reason: %+v", l)
		}
	}
	if unknown < 50 {
		t.Errorf("only %d unknown files are listed", unknown)
	}
}

// rates prints the import rate of each feed, all sources together.
func rates(t *testing.T, res Result) {
	records, took := map[string]int{}, map[string]time.Duration{}
	for _, l := range res.Loads {
		if l.Status == Loaded || l.Status == Superseded {
			feed, _, _ := strings.Cut(l.Feed, "/")
			records[feed] += l.Records
			took[feed] += l.Took
		}
	}
	var lines []string
	for f := range records {
		lines = append(lines, fmt.Sprintf("%-15s %7d records %9.0f per second", f, records[f], float64(records[f])/max(took[f].Seconds(), 1e-9)))
	}
	sort.Strings(lines)
	t.Logf("import rates (reading to staged):\n%s", strings.Join(lines, "\n"))
}

func checkRealAnswers(t *testing.T, s *Store) {
	t.Helper()
	view(t, s, func(sn *Snapshot) {
		k := bookworm("openssl")
		list, err := sn.Statements(k)
		if err != nil || len(list) < 20 {
			t.Errorf("statements about openssl: %d, %v", len(list), err)
		}
		n := 0
		c := sn.r.statement.Cursor()
		keys := map[advisory.Key]bool{}
		for at, _ := c.First(); at != nil && len(keys) < 5000; at, _ = c.Next() {
			if p, err := split(at, 5); err == nil {
				keys[advisory.Key{Ecosystem: p[0], Release: p[1], Name: p[2]}] = true
			}
		}
		began := time.Now()
		for k := range keys {
			list, err := sn.Statements(k)
			if err != nil {
				t.Error(err)
			}
			n += len(list)
		}
		t.Logf("statements: %d packages, %d statements, %s per package", len(keys), n, time.Since(began)/time.Duration(max(len(keys), 1)))
		w, ok := sn.Weakness("CVE-2021-44228")
		if !ok || w.KEV == nil || w.EPSS < 0.9 || w.Severity != advisory.Critical || w.Exploit != advisory.ExploitInKit {
			t.Errorf("CVE-2021-44228: %v %+v", ok, w)
		}
		if n := sn.Weaknesses(); n < 100_000 {
			t.Errorf("%d weaknesses", n)
		} else {
			t.Logf("weaknesses: %d", n)
		}
		p, cycle, ok := sn.EndOfLife("Debian", "12")
		if !ok || p.Label != "Debian" || cycle.EOL == "" || cycle.LTS == "" {
			t.Errorf("end of life of Debian 12: %v %+v", ok, cycle)
		}
		if p, ok := sn.ProductBy("purl", "pkg:deb/debian/python3.11@3.11.2-6?arch=amd64"); !ok || p.Name != "python" {
			t.Errorf("by purl: %v %s", ok, p.Name)
		} else if c, ok := CycleOf(p, "3.11.2-6"); !ok || c.Name != "3.11" {
			t.Errorf("cycle of python 3.11.2: %v %+v", ok, c)
		}
		if p, ok := sn.ProductBy("cpe", "cpe:2.3:a:openssl:openssl:3.0.1:*:*:*:*:*:*:*"); !ok || p.Name != "openssl" {
			t.Errorf("by cpe: %v %s", ok, p.Name)
		}
	})
}

// realDelta measures a change of 100 records on the whole content.
func realDelta(t *testing.T, s *Store) {
	t.Helper()
	var members []member
	for i := range 100 {
		members = append(members, member{fmt.Sprintf("%d.json", i), osvJSON(fmt.Sprintf("GHSA-test-0000-%04d", i), "2026-07-01T00:00:00Z",
			fmt.Sprintf(`,"aliases":["CVE-2026-9%05d"],"affected":[{"package":{"ecosystem":"PyPI","name":"n%d"},"versions":["1"]}]`, i, i))})
	}
	archive := zipOf(t, members...)
	began := time.Now()
	res := give(t, s, "delta.zip", archive)
	took := time.Since(began)
	t.Logf("delta of 100 records: %s", took)
	if !res.InPlace || res.All || len(res.Keys) != 100 || len(res.Weaknesses) != 100 {
		t.Errorf("in place %v, all %v, %d keys, %d weaknesses", res.InPlace, res.All, len(res.Keys), len(res.Weaknesses))
	}
	if took > 3*time.Second {
		t.Errorf("delta took %s", took)
	}
}
