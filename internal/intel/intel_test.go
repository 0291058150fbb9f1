package intel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"

	"github.com/picketsec/picket/internal/advisory"
)

// fixed is the clock of these tests.
func fixed() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }

func open(t testing.TB, opt Options) *Store {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "intel.db"), opt)
}

func openAt(t testing.TB, path string, opt Options) *Store {
	t.Helper()
	if opt.Now == nil {
		opt.Now = fixed
	}
	s, err := Open(path, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// put writes a file and returns its path.
func put(t testing.TB, dir, name, content string) string {
	t.Helper()
	p := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

// give imports contents from memory and wants no error.
func give(t testing.TB, s *Store, name, content string) Result {
	t.Helper()
	res, err := s.ImportBytes(t.Context(), name, []byte(content), ImportOptions{})
	if err != nil {
		t.Fatalf("import %s: %v", name, err)
	}
	return res
}

// statuses lists feed and status of loads, one a line.
func statuses(res Result) string {
	var b strings.Builder
	for _, l := range res.Loads {
		feed := l.Feed
		if feed == "" {
			feed = "-"
		}
		fmt.Fprintf(&b, "%s %s +%d ~%d -%d =%d\n", feed, l.Status, l.Added, l.Updated, l.Removed, l.Unchanged)
	}
	return b.String()
}

func view(t testing.TB, s *Store, fn func(*Snapshot)) {
	t.Helper()
	if err := s.View(func(sn *Snapshot) error { fn(sn); return nil }); err != nil {
		t.Fatal(err)
	}
}

func said1(t testing.TB, s *Store, k advisory.Key) []string {
	t.Helper()
	out := []string{}
	view(t, s, func(sn *Snapshot) {
		list, err := sn.Statements(k)
		if err != nil {
			t.Fatal(err)
		}
		for _, st := range list {
			fix := ""
			if len(st.Ranges) > 0 {
				fix = st.Ranges[0].Fixed
			}
			out = append(out, fmt.Sprintf("%s %s %s %s %s", st.Feed, st.Advisory, strings.Join(st.Weaknesses, "+"), st.State, fix))
		}
	})
	return out
}

// dump is all content that answers come from, without times of loading.
func dump(t testing.TB, s *Store) []string {
	t.Helper()
	var out []string
	view(t, s, func(sn *Snapshot) {
		err := sn.tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			switch string(name) {
			case "source":
				return nil
			case "feed":
				return b.ForEach(func(_, v []byte) error {
					var f FeedState
					if err := json.Unmarshal(v, &f); err != nil {
						return err
					}
					out = append(out, fmt.Sprintf("feed %s %s %d %s", f.Name, f.Date.Format(time.DateOnly), f.Records, f.Digest))
					return nil
				})
			case "record":
				return b.ForEachBucket(func(feed []byte) error {
					return b.Bucket(feed).ForEach(func(k, v []byte) error {
						out = append(out, fmt.Sprintf("record %s %q %x", feed, k, sumOf(v)))
						return nil
					})
				})
			case "meta":
				out = append(out, fmt.Sprintf("weaknesses %d", readNumber(b, keyWeaknesses)))
				return nil
			}
			return b.ForEach(func(k, v []byte) error {
				out = append(out, fmt.Sprintf("%s %q %x", name, k, v))
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := sn.Weaknesses(), sn.r.count(); got != want {
			t.Errorf("Weaknesses() = %d, counted anew %d", got, want)
		}
	})
	return out
}

// The fixtures below are written for these tests.

func trackerJSON(rows ...string) string { return "{" + strings.Join(rows, ",") + "}" }

func trackerRow(source, cve, status, fix string) string {
	return fmt.Sprintf(`%q:{%q:{"description":"Flaw %s.","releases":{"bookworm":{"status":%q,"repositories":{"bookworm":"1"},"fixed_version":%q,"urgency":"not yet assigned"}}}}`,
		source, cve, cve, status, fix)
}

// trackerOf makes a tracker with n rows of sources p0, p1 …
func trackerOf(n int, fix string) string {
	var rows []string
	for i := range n {
		rows = append(rows, trackerRow(fmt.Sprintf("p%d", i), fmt.Sprintf("CVE-2024-%05d", i), "resolved", fix))
	}
	return trackerJSON(rows...)
}

func osvJSON(id, modified string, more string) string {
	return fmt.Sprintf(`{"schema_version":"1.6.0","id":%q,"modified":%q,"published":"2024-01-01T00:00:00Z","summary":"Flaw %s","details":"Details."%s}`, id, modified, id, more)
}

const djangoAffected = `,"affected":[{"package":{"ecosystem":"PyPI","name":"django"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"4.2"}]}]}]`

func cveJSON(id, state, updated string) string {
	if state == "REJECTED" {
		return fmt.Sprintf(`{"dataType":"CVE_RECORD","dataVersion":"5.1","cveMetadata":{"cveId":%q,"state":"REJECTED","dateUpdated":%q},"containers":{"cna":{"rejectedReasons":[{"lang":"en","value":"No flaw."}]}}}`, id, updated)
	}
	return fmt.Sprintf(`{"dataType":"CVE_RECORD","dataVersion":"5.1","cveMetadata":{"cveId":%q,"state":"PUBLISHED","dateUpdated":%q,"datePublished":"2024-01-01T00:00:00Z"},"containers":{"cna":{"title":"Title of %s","descriptions":[{"lang":"en","value":"Description."}],"metrics":[{"cvssV3_1":{"version":"3.1","vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H","baseScore":9.8}}]}}}`, id, updated, id)
}

func kevJSON(date string, ids ...string) string {
	var rows []string
	for _, id := range ids {
		rows = append(rows, fmt.Sprintf(`{"cveID":%q,"vendorProject":"V","product":"P","vulnerabilityName":"N","dateAdded":"2024-05-01","shortDescription":"S","requiredAction":"A","dueDate":"2024-06-01","knownRansomwareCampaignUse":"Unknown","notes":""}`, id))
	}
	return fmt.Sprintf(`{"title":"T","catalogVersion":"%s","dateReleased":"%sT00:00:00.0000Z","count":%d,"vulnerabilities":[%s]}`, strings.ReplaceAll(date, "-", "."), date, len(ids), strings.Join(rows, ","))
}

func epssCSV(date string, rows ...string) string {
	return fmt.Sprintf("#model_version:v2025.03.14,score_date:%sT00:00:00+0000\ncve,epss,percentile\n%s\n", date, strings.Join(rows, "\n"))
}

func bookworm(source string) advisory.Key {
	return advisory.Key{Ecosystem: "Debian", Release: "12", Name: source}
}

func django() advisory.Key { return advisory.Key{Ecosystem: "PyPI", Name: "django"} }

func TestImportAnswers(t *testing.T) {
	s := open(t, Options{})
	dir := t.TempDir()
	put(t, dir, "tracker-2026-06-30.json", trackerJSON(trackerRow("openssl", "CVE-2024-0001", "resolved", "3.0.1-1")))
	put(t, dir, "osv/GHSA-aaaa-bbbb-cccc.json", osvJSON("GHSA-aaaa-bbbb-cccc", "2024-05-01T00:00:00Z", `,"aliases":["CVE-2024-0002"]`+djangoAffected))
	put(t, dir, "cve/CVE-2024-0002.json", cveJSON("CVE-2024-0002", "PUBLISHED", "2024-05-01T00:00:00Z"))
	put(t, dir, "kev.json", kevJSON("2026-06-29", "CVE-2024-0002"))
	put(t, dir, "epss.csv", epssCSV("2026-06-30", "CVE-2024-0002,0.5,0.9"))
	put(t, dir, "notes.txt", "nothing that is known")
	put(t, dir, "two.json", "[]")
	res, err := s.Import(t.Context(), []string{dir}, ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := `cve5 loaded +1 ~0 -0 =0
debian-tracker loaded +1 ~0 -0 =0
epss loaded +1 ~0 -0 =0
kev loaded +1 ~0 -0 =0
osv/PyPI loaded +1 ~0 -0 =0
- skipped +0 ~0 -0 =0
- skipped +0 ~0 -0 =0
`
	if diff := cmp.Diff(want, statuses(res)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"debian-tracker CVE-2024-0001 CVE-2024-0001 fixed 3.0.1-1"}, said1(t, s, bookworm("openssl"))); diff != "" {
		t.Error(diff)
	}
	view(t, s, func(sn *Snapshot) {
		w, ok := sn.Weakness("ghsa-aaaa-bbbb-cccc")
		if !ok || w.ID != "CVE-2024-0002" || w.KEV == nil || w.EPSS != 0.5 || w.Severity != advisory.Critical || !slices.Contains(w.Aliases, "GHSA-aaaa-bbbb-cccc") {
			t.Errorf("Weakness = %v %+v", ok, w)
		}
		if got := sn.Weaknesses(); got != 2 {
			t.Errorf("Weaknesses() = %d, want 2", got)
		}
		if diff := cmp.Diff([]string{"CVE-2024-0001", "CVE-2024-0002"}, sn.Search("cve-2024", 5)); diff != "" {
			t.Error(diff)
		}
		cov := sn.Coverage("Debian", "12")
		if len(cov) != 1 || cov[0].Feed != "debian-tracker" || cov[0].Date.Format(time.DateOnly) != "2026-06-30" {
			t.Errorf("Coverage = %v", cov)
		}
		if got := sn.Coverage("Debian", "11"); len(got) != 0 {
			t.Errorf("Coverage of a release that no feed speaks for = %v", got)
		}
	})
}

func TestImportTwiceIsUnchanged(t *testing.T) {
	s := open(t, Options{})
	files := map[string]string{
		"tracker-2026-06-30.json": trackerOf(5, "1.0-1"),
		"kev.json":                kevJSON("2026-06-29", "CVE-2024-0002"),
		"a.json":                  osvJSON("GHSA-aaaa-bbbb-cccc", "2024-05-01T00:00:00Z", djangoAffected),
	}
	for name, text := range files {
		give(t, s, name, text)
	}
	gen, before := s.Generation(), dump(t, s)
	for name, text := range files {
		res := give(t, s, name, text)
		if res.Changed || res.Loads[0].Status != Unchanged || len(res.Keys)+len(res.Weaknesses) > 0 {
			t.Errorf("%s again: changed %v, %s", name, res.Changed, statuses(res))
		}
	}
	if s.Generation() != gen {
		t.Errorf("generation rose from %d to %d", gen, s.Generation())
	}
	if diff := cmp.Diff(before, dump(t, s)); diff != "" {
		t.Error(diff)
	}
}

// pieces are imports whose order must not matter.
func pieces() map[string]string {
	return map[string]string{
		"kev-old.json":            kevJSON("2025-08-25", "CVE-2024-0002"),
		"kev-new.json":            kevJSON("2026-06-29", "CVE-2024-0002", "CVE-2024-0003"),
		"tracker-2026-06-30.json": trackerOf(4, "1.0-1"),
		"tracker-2026-06-01.json": trackerOf(5, "0.9-1"),
		"g1.json":                 osvJSON("GHSA-aaaa-bbbb-cccc", "2024-05-01T00:00:00Z", `,"aliases":["CVE-2024-0002"]`+djangoAffected),
		"g2.json":                 osvJSON("GHSA-aaaa-bbbb-cccc", "2024-06-01T00:00:00Z", `,"aliases":["CVE-2024-0009"]`+djangoAffected),
		"g3.json":                 osvJSON("GHSA-aaaa-bbbb-cccc", "2024-06-01T00:00:00Z", `,"aliases":["CVE-2024-0008"]`+djangoAffected),
		"p1.json":                 osvJSON("PYSEC-2024-1", "2024-02-01T00:00:00Z", `,"aliases":["GHSA-aaaa-bbbb-cccc"]`+djangoAffected),
		"c1.json":                 cveJSON("CVE-2024-0008", "PUBLISHED", "2024-05-01T00:00:00Z"),
		"c2.json":                 cveJSON("CVE-2024-0008", "REJECTED", "2024-05-02T00:00:00Z"),
	}
}

func TestOrderOfImportsDoesNotMatter(t *testing.T) {
	all := pieces()
	names := sortedKeys(all)
	var want []string
	for turn := range 12 {
		s := open(t, Options{inPlace: 1 + turn%3*1000}) // in place and by copy
		order := slices.Clone(names)
		for i := range order { // a different order each time, the same in every run
			j := (i*7 + turn*5) % len(order)
			order[i], order[j] = order[j], order[i]
		}
		for _, n := range order {
			give(t, s, n, all[n])
		}
		got := dump(t, s)
		if want == nil {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("order %v:\n%s", order, diff)
		}
	}
	// all at once
	s := open(t, Options{})
	dir := t.TempDir()
	for n, text := range all {
		put(t, dir, n, text)
	}
	if _, err := s.Import(t.Context(), []string{dir}, ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, dump(t, s)); diff != "" {
		t.Errorf("all at once:\n%s", diff)
	}
}

func TestNewestWinsOlderIsListed(t *testing.T) {
	s := open(t, Options{})
	dir := t.TempDir()
	put(t, dir, "2025-08-25/kev.json", kevJSON("2025-08-25", "CVE-2024-0002"))
	put(t, dir, "2026-06-30/kev.json", kevJSON("2026-06-29", "CVE-2024-0003"))
	res, err := s.Import(t.Context(), []string{dir}, ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("kev superseded +0 ~0 -0 =0\nkev loaded +1 ~0 -0 =0\n", statuses(res)); diff != "" {
		t.Error(diff)
	}
	res = give(t, s, "kev.json", kevJSON("2025-08-25", "CVE-2024-0002"))
	if res.Loads[0].Status != Older || res.Changed {
		t.Errorf("older data: %s", statuses(res))
	}
	res, err = s.ImportBytes(t.Context(), "kev.json", []byte(kevJSON("2025-08-25", "CVE-2024-0002")), ImportOptions{Force: true})
	if err != nil || res.Loads[0].Status != Loaded || res.Loads[0].Removed != 1 {
		t.Errorf("older data by force: %v %s", err, statuses(res))
	}
}

func TestSuspiciouslySmall(t *testing.T) {
	s := open(t, Options{})
	dir := t.TempDir()
	put(t, dir, "2026-06-30/tracker.json", trackerOf(200, "1.0-1"))
	put(t, dir, "sample-2026-08-07/tracker.json", trackerOf(3, "2.0-1"))
	res, err := s.Import(t.Context(), []string{dir}, ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("debian-tracker loaded +200 ~0 -0 =0\ndebian-tracker suspiciously small +0 ~0 -0 =0\n", statuses(res)); diff != "" {
		t.Error(diff)
	}
	if res := give(t, s, "tracker-2026-09-01.json", trackerOf(10, "2.0-1")); res.Changed || res.Loads[0].Status != Small {
		t.Errorf("a small newer load: %s", statuses(res))
	}
	if res := give(t, s, "tracker-2026-09-01.json", trackerOf(150, "2.0-1")); res.Loads[0].Status != Loaded || res.Loads[0].Removed != 50 {
		t.Errorf("a smaller newer load: %s", statuses(res))
	}
	// The sample first: its date is that of a name and does not keep the real one out.
	s = open(t, Options{})
	give(t, s, "tracker-2026-08-07.json", trackerOf(3, "2.0-1"))
	if res := give(t, s, "tracker-2026-06-30.json", trackerOf(200, "1.0-1")); res.Loads[0].Status != Loaded {
		t.Errorf("the real export after a sample: %s", statuses(res))
	}
}

func TestPathErrors(t *testing.T) {
	s := open(t, Options{})
	dir := t.TempDir()
	good := put(t, dir, "kev.json", kevJSON("2026-06-29", "CVE-2024-0003"))
	unknown := put(t, dir, "notes.txt", "nothing that is known")
	cut := put(t, dir, "cut.json", trackerOf(20, "1")[:700])
	res, err := s.Import(t.Context(), []string{good, unknown, cut, filepath.Join(dir, "missing")}, ImportOptions{})
	var bad []string
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
		var pe *PathError
		if !errors.As(e, &pe) {
			t.Fatalf("not a PathError: %v", e)
		}
		bad = append(bad, filepath.Base(pe.Path))
	}
	if diff := cmp.Diff([]string{"notes.txt", "cut.json", "missing"}, bad); diff != "" {
		t.Error(diff)
	}
	if !res.Changed || len(said1(t, s, bookworm("p0"))) > 0 {
		t.Errorf("the good file counts, the cut one does not: %s", statuses(res))
	}
	if _, err := s.Import(t.Context(), []string{dir}, ImportOptions{}); err != nil {
		t.Errorf("in a directory the same files are listed, no error: %v", err)
	}
}

func TestCancelledImportChangesNothing(t *testing.T) {
	s := open(t, Options{inPlace: 1})
	give(t, s, "kev.json", kevJSON("2025-08-25", "CVE-2024-0002"))
	before := dump(t, s)
	ctx, stop := context.WithCancel(t.Context())
	_, err := s.ImportBytes(ctx, "tracker-2026-01-01.json", []byte(trackerOf(3000, "1")), ImportOptions{Progress: func(p Progress) {
		if p.Phase == "compiling" {
			stop()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	if diff := cmp.Diff(before, dump(t, s)); diff != "" {
		t.Error(diff)
	}
	left, _ := filepath.Glob(s.path + ".*")
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestOpenRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "intel.db")
	s := openAt(t, path, Options{})
	if _, err := Open(path, Options{}); !errors.Is(err, ErrLocked) {
		t.Errorf("second open: %v", err)
	}
	if err := s.update(func(tx *bolt.Tx) error { return tx.Bucket(bucketMeta).Put(keyLayout, []byte("other")) }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Options{}); !errors.Is(err, ErrLayout) {
		t.Errorf("open of another form: %v", err)
	}
}
