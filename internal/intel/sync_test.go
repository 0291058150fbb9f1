package intel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// upstream is a server that plays the official addresses.
type upstream struct {
	*httptest.Server
	mu    sync.Mutex
	files map[string]string                                        // by path
	tags  map[string]string                                        // ETag by path
	times map[string]string                                        // Last-Modified by path
	hook  func(w http.ResponseWriter, r *http.Request) (done bool) // before everything
	log   []string                                                 // "GET /path range status"
}

func newUpstream(t *testing.T) *upstream {
	t.Helper()
	u := &upstream{files: map[string]string{}, tags: map[string]string{}, times: map[string]string{}}
	u.Server = httptest.NewServer(http.HandlerFunc(u.serve))
	t.Cleanup(u.Close)
	return u
}

func (u *upstream) serve(w http.ResponseWriter, r *http.Request) {
	u.mu.Lock()
	body, ok := u.files[r.URL.Path]
	tag, at, hook := u.tags[r.URL.Path], u.times[r.URL.Path], u.hook
	u.log = append(u.log, strings.TrimSpace(r.URL.Path+" "+r.Header.Get("Range")))
	u.mu.Unlock()
	if hook != nil && hook(w, r) {
		return
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	if tag != "" {
		w.Header().Set("ETag", tag)
	}
	var mod time.Time
	if at != "" {
		mod, _ = http.ParseTime(at)
	}
	http.ServeContent(w, r, "", mod, strings.NewReader(body))
}

func (u *upstream) set(path, body, tag string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.files[path], u.tags[path] = body, tag
}

func (u *upstream) setHook(h func(http.ResponseWriter, *http.Request) bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.hook = h
}

func (u *upstream) asked() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	l := u.log
	u.log = nil
	return l
}

// options sync from the upstream, without waiting.
func (u *upstream) options(t *testing.T, waits *[]time.Duration, feeds ...string) SyncOptions {
	t.Helper()
	base := map[string]string{}
	for g := range Groups() {
		base[g] = u.URL + "/" + g
	}
	return SyncOptions{Dir: filepath.Join(t.TempDir(), "sync"), Feeds: feeds, Base: base, Client: u.Client(), tries: 3,
		pause: func(ctx context.Context, d time.Duration) error {
			if waits != nil {
				*waits = append(*waits, d)
			}
			return ctx.Err()
		}}
}

const kevPath = "/kev/known_exploited_vulnerabilities.json"

func syncOnce(t *testing.T, s *Store, opt SyncOptions) SyncResult {
	t.Helper()
	res, err := s.Sync(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// outcome lists name, status and error of each source.
func outcomes(res SyncResult) string {
	var b strings.Builder
	for _, s := range res.Sources {
		fmt.Fprintf(&b, "%s %s %s\n", s.Name, s.Status, s.Error)
	}
	return b.String()
}

func TestSyncAsksForChangesOnly(t *testing.T) {
	u, s := newUpstream(t), open(t, Options{})
	u.set(kevPath, kevJSON("2026-06-29", "CVE-2024-0001"), `"one"`)
	changes := 0
	opt := u.options(t, nil, "kev")
	opt.Changed = func(r Result) error { changes++; return nil }
	if res := syncOnce(t, s, opt); !res.Changed || outcomes(res) != "kev loaded \n" || changes != 1 {
		t.Errorf("first: %v %d %q", res.Changed, changes, outcomes(res))
	}
	if res := syncOnce(t, s, opt); res.Changed || outcomes(res) != "kev not modified \n" || changes != 1 {
		t.Errorf("second: %v %d %q", res.Changed, changes, outcomes(res))
	}
	u.set(kevPath, kevJSON("2026-06-30", "CVE-2024-0001", "CVE-2024-0002"), `"two"`)
	if res := syncOnce(t, s, opt); outcomes(res) != "kev loaded \n" || changes != 2 {
		t.Errorf("changed upstream: %q", outcomes(res))
	}
	if left, _ := os.ReadDir(opt.Dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestSyncAsksByDate: upstreams without ETags answer by Last-Modified.
func TestSyncAsksByDate(t *testing.T) {
	u, s := newUpstream(t), open(t, Options{})
	u.set("/debian/json", trackerOf(3, "1"), "")
	u.times["/debian/json"] = "Mon, 29 Jun 2026 10:00:00 GMT"
	opt := u.options(t, nil, "debian-tracker")
	for i, want := range []string{"debian-tracker loaded \n", "debian-tracker not modified \n"} {
		if res := syncOnce(t, s, opt); outcomes(res) != want {
			t.Errorf("sync %d: %q, want %q", i, outcomes(res), want)
		}
	}
	u.set("/debian/json", trackerOf(4, "1"), "")
	u.times["/debian/json"] = "Tue, 30 Jun 2026 10:00:00 GMT"
	if res := syncOnce(t, s, opt); outcomes(res) != "debian-tracker loaded \n" {
		t.Errorf("changed upstream: %q", outcomes(res))
	}
}

// TestSyncThroughProxy: with a proxy nothing goes to the address itself.
func TestSyncThroughProxy(t *testing.T) {
	s := open(t, Options{})
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.String())
		_, _ = io.WriteString(w, kevJSON("2026-06-29", "CVE-2024-0001"))
	}))
	defer proxy.Close()
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	opt := SyncOptions{Dir: t.TempDir(), Feeds: []string{"kev"}, Base: map[string]string{"kev": "http://feeds.invalid/kev"}, Client: SyncClient(http.ProxyURL(at)), tries: 1}
	if res := syncOnce(t, s, opt); outcomes(res) != "kev loaded \n" {
		t.Errorf("%q", outcomes(res))
	}
	if diff := cmp.Diff([]string{"GET http://feeds.invalid/kev/known_exploited_vulnerabilities.json"}, asked); diff != "" {
		t.Error(diff)
	}
}

// TestStaleness: what rests is as fresh as its upstream's last answer; what
// changes every day is as fresh as its data.
func TestStaleness(t *testing.T) {
	now := time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)
	u, s := newUpstream(t), open(t, Options{Now: func() time.Time { return now }})
	u.set(kevPath, kevJSON("2026-06-29", "CVE-2024-0001"), `"one"`)
	u.set("/osv/PyPI/all.zip", zipOf(t, member{"a.json", osvJSON("GHSA-aaaa-bbbb-cccc", "2024-05-01T00:00:00Z", djangoAffected)}), `"one"`)
	u.set("/epss/epss_scores-current.csv.gz", gz(t, epssCSV("2026-06-30", "CVE-2024-0001,0.1,0.2")), `"one"`)
	stale := func() (names []string) {
		t.Helper()
		view(t, s, func(sn *Snapshot) {
			feeds, err := sn.Feeds()
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range feeds {
				if f.Stale(now) {
					names = append(names, f.Name)
				}
			}
		})
		return names
	}
	opt := u.options(t, nil, "kev", "epss", "osv/PyPI")
	syncOnce(t, s, opt)
	if diff := cmp.Diff([]string{"epss"}, stale()); diff != "" {
		t.Errorf("after a sync: %s", diff)
	}
	now = now.AddDate(0, 0, 8)
	if diff := cmp.Diff([]string{"epss", "kev", "osv/PyPI"}, stale()); diff != "" {
		t.Errorf("eight days without a sync: %s", diff)
	}
	if res := syncOnce(t, s, opt); !strings.Contains(outcomes(res), "kev not modified") {
		t.Errorf("%q", outcomes(res))
	}
	if diff := cmp.Diff([]string{"epss"}, stale()); diff != "" {
		t.Errorf("after a sync without news: %s", diff)
	}
	u.setHook(func(w http.ResponseWriter, r *http.Request) bool { w.WriteHeader(http.StatusNotFound); return true })
	now = now.AddDate(0, 0, 8)
	syncOnce(t, s, opt)
	if diff := cmp.Diff([]string{"epss", "kev", "osv/PyPI"}, stale()); diff != "" {
		t.Errorf("after a sync that failed: %s", diff)
	}
}

func TestSyncRefusesOlderData(t *testing.T) {
	u, s := newUpstream(t), open(t, Options{})
	give(t, s, "kev.json", kevJSON("2026-06-29", "CVE-2024-0001"))
	u.set(kevPath, kevJSON("2026-01-01", "CVE-2024-0009"), `"old"`)
	if res := syncOnce(t, s, u.options(t, nil, "kev")); res.Changed || outcomes(res) != "kev older \n" {
		t.Errorf("%v %q", res.Changed, outcomes(res))
	}
}

func TestSyncGoesOnAfterCut(t *testing.T) {
	u, s := newUpstream(t), open(t, Options{})
	body := kevJSON("2026-06-29", "CVE-2024-0001", "CVE-2024-0002", "CVE-2024-0003")
	u.set(kevPath, body, `"one"`)
	cuts := 0
	u.setHook(func(w http.ResponseWriter, r *http.Request) bool {
		if cuts++; cuts > 1 {
			return false
		}
		w.Header().Set("ETag", `"one"`)
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = w.Write([]byte(body[:400]))
		return true // the handler returns early: the connection is cut
	})
	if res := syncOnce(t, s, u.options(t, nil, "kev")); outcomes(res) != "kev loaded \n" {
		t.Errorf("%q", outcomes(res))
	}
	if diff := cmp.Diff([]string{kevPath, kevPath + " bytes=400-"}, u.asked()); diff != "" {
		t.Error(diff)
	}
	// Also when the process ended in between, and from the start when the file is another one.
	for _, tt := range []struct{ name, tag, want string }{
		{"same file", `"one"`, "bytes=100-"}, {"other file", `"two"`, "bytes=100-"},
	} {
		s := open(t, Options{})
		u.setHook(nil)
		u.set(kevPath, body, tt.tag)
		opt := u.options(t, nil, "kev")
		if err := os.MkdirAll(opt.Dir, 0o700); err != nil {
			t.Fatal(err)
		}
		part := (&transfer{dir: opt.Dir}).file(address{name: "kev"}) + ".part"
		if err := os.WriteFile(part, []byte(body[:100]), 0o600); err != nil {
			t.Fatal(err)
		}
		note := fmt.Sprintf(`{"url":%q,"etag":"\"one\"","total":%d}`, u.URL+kevPath, len(body))
		if err := os.WriteFile(part+".json", []byte(note), 0o600); err != nil {
			t.Fatal(err)
		}
		if res := syncOnce(t, s, opt); outcomes(res) != "kev loaded \n" {
			t.Errorf("%s: %q", tt.name, outcomes(res))
		}
		if diff := cmp.Diff([]string{kevPath + " " + tt.want}, u.asked()); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestSyncChecksHash(t *testing.T) {
	u, s := newUpstream(t), open(t, Options{Now: func() time.Time { return time.Date(2002, 7, 1, 0, 0, 0, 0, time.UTC) }})
	nvd := func(id string) string {
		return fmt.Sprintf(`{"resultsPerPage":1,"startIndex":0,"totalResults":1,"format":"NVD_CVE","version":"2.0","timestamp":"2026-01-01T00:00:00.000","vulnerabilities":[{"cve":{"id":%q,"lastModified":"2024-05-01T00:00:00.000","descriptions":[{"lang":"en","value":"D"}]}}]}`, id)
	}
	meta := func(body string) string {
		sum := sha256.Sum256([]byte(body))
		return fmt.Sprintf("lastModifiedDate:2026-01-01T00:00:00-05:00\r\nsize:%d\r\nzipSize:1\r\ngzSize:1\r\nsha256:%s\r\n", len(body), strings.ToUpper(hex.EncodeToString(sum[:])))
	}
	u.set("/nvd/nvdcve-2.0-2002.json.gz", gz(t, nvd("CVE-2002-0001")), "")
	u.set("/nvd/nvdcve-2.0-2002.meta", meta(nvd("CVE-2002-0001")), "")
	u.set("/nvd/nvdcve-2.0-modified.json.gz", gz(t, nvd("CVE-2002-0002")), "")
	u.set("/nvd/nvdcve-2.0-modified.meta", meta(nvd("CVE-2002-0003")), "")
	opt := u.options(t, nil, "nvd")
	res := syncOnce(t, s, opt)
	if got := outcomes(res); !strings.Contains(got, "nvd-2002 loaded") || !strings.Contains(got, "nvd-modified failed the content does not have the hash") {
		t.Errorf("%q", got)
	}
	view(t, s, func(sn *Snapshot) {
		if _, ok := sn.Weakness("CVE-2002-0002"); ok {
			t.Error("content with a wrong hash was loaded")
		}
	})
	u.set("/nvd/nvdcve-2.0-modified.meta", meta(nvd("CVE-2002-0002")), "")
	u.asked()
	if got := outcomes(syncOnce(t, s, opt)); !strings.Contains(got, "nvd-2002 not modified") || !strings.Contains(got, "nvd-modified loaded") {
		t.Errorf("%q", got)
	}
	for _, line := range u.asked() {
		if strings.Contains(line, "2002.json.gz") {
			t.Errorf("a file with the hash that is loaded was fetched again")
		}
	}
	// Everything is there: the file of modified records is enough.
	syncOnce(t, s, opt)
	if diff := cmp.Diff([]string{"/nvd/nvdcve-2.0-modified.meta"}, u.asked()); diff != "" {
		t.Error(diff)
	}
}

// The list of a release says how large its files are and what they hash to.
func TestSyncChecksReleaseFiles(t *testing.T) {
	cve := zipOf(t, member{"cves/2024/0xxx/CVE-2024-0001.json", cveJSON("CVE-2024-0001", "PUBLISHED", "2024-05-01T00:00:00Z")})
	sum := sha256.Sum256([]byte(cve))
	good := "sha256:" + hex.EncodeToString(sum[:])
	for _, tt := range []struct {
		name, digest string
		size         int
		want         string
	}{
		{"both", good, len(cve), "cve5-delta loaded \n"},
		{"no digest", "", len(cve), "cve5-delta loaded \n"},
		{"another size", "", len(cve) + 1, "does not have the size"},
		{"another hash", "sha256:" + strings.Repeat("0", 64), len(cve), "does not have the hash"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u, s := newUpstream(t), open(t, Options{})
			u.set("/cve5/releases/latest", fmt.Sprintf(`{"assets":[{"name":"2026-06-30_delta_CVEs_at_1000Z.zip","browser_download_url":%q,"size":%d,"digest":%q}]}`, u.URL+"/delta.zip", tt.size, tt.digest), "")
			u.set("/delta.zip", cve, "")
			opt := u.options(t, nil, "cve5")
			res := syncOnce(t, s, opt)
			if got := outcomes(res); !strings.Contains(got, tt.want) || res.Changed != strings.Contains(tt.want, "loaded") {
				t.Errorf("changed %v, %q, want %q", res.Changed, got, tt.want)
			}
			u.asked()
			if tt.name == "both" {
				if res := syncOnce(t, s, opt); outcomes(res) != "cve5-delta not modified \n" || len(u.asked()) != 1 {
					t.Errorf("the same hash again: %q", outcomes(res))
				}
			}
		})
	}
}

func TestSyncTruncatedGzip(t *testing.T) {
	u, s := newUpstream(t), open(t, Options{})
	body := gz(t, epssCSV("2026-06-30", "CVE-2024-0001,0.1,0.2", "CVE-2024-0002,0.1,0.2"))
	u.set("/epss/epss_scores-current.csv.gz", body[:len(body)-5], `"one"`)
	res := syncOnce(t, s, u.options(t, nil, "epss"))
	if res.Changed || !strings.Contains(outcomes(res), "epss failed") || res.Failed() == nil {
		t.Errorf("%v %q", res.Changed, outcomes(res))
	}
	u.set("/epss/epss_scores-current.csv.gz", body, `"one"`) // the same tag: it must not be taken for known
	if res := syncOnce(t, s, u.options(t, nil, "epss")); outcomes(res) != "epss loaded \n" {
		t.Errorf("%q", outcomes(res))
	}
}

func TestSyncBacksOff(t *testing.T) {
	u, s := newUpstream(t), open(t, Options{})
	u.set(kevPath, kevJSON("2026-06-29", "CVE-2024-0001"), "")
	n := 0
	u.setHook(func(w http.ResponseWriter, r *http.Request) bool {
		switch n++; n {
		case 1:
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
		case 2:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			return false
		}
		return true
	})
	var waits []time.Duration
	if res := syncOnce(t, s, u.options(t, &waits, "kev")); outcomes(res) != "kev loaded \n" {
		t.Errorf("%q", outcomes(res))
	}
	if len(waits) != 2 || waits[0] != 7*time.Second || waits[1] < firstPause/2 || waits[1] > 2*firstPause {
		t.Errorf("waits = %v", waits)
	}
	// It gives up after some tries, and at once when told to come back much later.
	waits = nil
	u.setHook(func(w http.ResponseWriter, r *http.Request) bool { w.WriteHeader(500); return true })
	if res := syncOnce(t, s, u.options(t, &waits, "kev")); !strings.Contains(outcomes(res), "kev failed the server answers 500") || len(waits) != 2 {
		t.Errorf("%q %v", outcomes(res), waits)
	}
	waits = nil
	u.setHook(func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Retry-After", "86400")
		w.WriteHeader(503)
		return true
	})
	if res := syncOnce(t, s, u.options(t, &waits, "kev")); !strings.Contains(outcomes(res), "come back in 24h") || len(waits) != 0 {
		t.Errorf("%q %v", outcomes(res), waits)
	}
}

// All groups at once, one of them broken: the others load.
func TestSyncAllGroups(t *testing.T) {
	u, s := newUpstream(t), open(t, Options{Now: func() time.Time { return time.Date(2002, 7, 1, 0, 0, 0, 0, time.UTC) }})
	u.set("/debian/json", trackerOf(3, "1"), "")
	u.times["/debian/json"] = "Mon, 29 Jun 2026 10:00:00 GMT"
	u.set("/debian-lists/DSA/list", "[01 Jan 2026] DSA-6000-1 openssl - security update\n\t{CVE-2024-0001}\n\t[bookworm] - openssl 3.0.1-1\n", "")
	u.set("/debian-lists/DLA/list", "<html>not a list</html>", "")
	u.set(kevPath, kevJSON("2026-06-29", "CVE-2024-0001"), "")
	u.set("/epss/epss_scores-current.csv.gz", gz(t, epssCSV("2026-06-30", "CVE-2024-0001,0.1,0.2")), "")
	u.set("/osv/ecosystems.txt", "PyPI\nDebian\nDebian:12\nAndroid\nRocky Linux\n", "")
	u.set("/osv/PyPI/all.zip", zipOf(t, member{"a.json", osvJSON("GHSA-aaaa-bbbb-cccc", "2024-05-01T00:00:00Z", djangoAffected)}), "")
	u.set("/osv/Rocky Linux/all.zip", zipOf(t, member{"a.json", osvJSON("RLSA-2024:1", "2024-05-01T00:00:00Z", `,"affected":[{"package":{"ecosystem":"Rocky Linux:9","name":"x"},"versions":["1"]}]`)}), "")
	u.set("/cve5/releases/latest", fmt.Sprintf(`{"assets":[{"name":"2026-06-30_all_CVEs_at_midnight.zip.zip","browser_download_url":%q},{"name":"2026-06-30_delta_CVEs_at_1000Z.zip","browser_download_url":%q}]}`,
		u.URL+"/2026-06-30_all_CVEs_at_midnight.zip.zip", u.URL+"/delta.zip"), "")
	cve := member{"cves/2024/0xxx/CVE-2024-0001.json", cveJSON("CVE-2024-0001", "PUBLISHED", "2024-05-01T00:00:00Z")}
	u.set("/2026-06-30_all_CVEs_at_midnight.zip.zip", zipOf(t, member{"cves.zip", zipOf(t, cve)}), `"all"`)
	u.set("/delta.zip", zipOf(t, cve), `"delta"`)
	opt := u.options(t, nil)
	res := syncOnce(t, s, opt)
	got := outcomes(res)
	// Which of the two files of CVE records comes first is open; the other has nothing new.
	got = strings.NewReplacer("cve5-all unchanged", "cve5-all loaded", "cve5-delta unchanged", "cve5-delta loaded").Replace(got)
	for _, want := range []string{"debian-tracker loaded", "debian-dsa loaded", "debian-dla failed holds no known feed", "kev loaded", "epss loaded",
		"osv/PyPI loaded", "osv/Rocky Linux loaded", "cve5-all loaded", "cve5-delta loaded", "endoflife failed the server answers 404", "nvd failed"} {
		if !strings.Contains(got, want) {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
	view(t, s, func(sn *Snapshot) {
		feeds, err := sn.Feeds()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range feeds {
			if f.Name == "debian-tracker" && (f.DateFrom != "download" || f.Date.Day() != 29) {
				t.Errorf("date of the tracker = %v by %s", f.Date, f.DateFrom)
			}
			if f.Name == "debian-tracker" && f.Source != u.URL+"/debian/json" {
				t.Errorf("source = %s", f.Source)
			}
		}
	})
	u.asked()
	syncOnce(t, s, opt)
	for _, line := range u.asked() {
		if strings.Contains(line, "all_CVEs") {
			t.Error("the whole list of CVEs was asked for twice on one day")
		}
	}
}

func TestSyncCancelled(t *testing.T) {
	u, s := newUpstream(t), open(t, Options{})
	ctx, stop := context.WithCancel(t.Context())
	u.setHook(func(w http.ResponseWriter, r *http.Request) bool {
		stop()
		<-r.Context().Done()
		return true
	})
	if _, err := s.Sync(ctx, u.options(t, nil, "kev")); err == nil {
		t.Error("no error")
	}
}

func TestCheckFeeds(t *testing.T) {
	for _, good := range []string{"osv", "osv/PyPI", "kev", "debian-dsa", "debian-tracker"} {
		if err := CheckFeeds([]string{good}, nil); err != nil {
			t.Error(err)
		}
	}
	if CheckFeeds([]string{"osv2"}, nil) == nil || CheckFeeds(nil, map[string]string{"x": "http://h"}) == nil {
		t.Error("unknown names pass")
	}
}

// FuzzAnswers reads the small texts that upstreams send beside their files.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{"lastModifiedDate:x\r\nsize:12\r\nsha256:" + strings.Repeat("AB", 32) + "\r\n", "sha256:\nsize:-99999999999999999999", "bytes 100-199/200", "bytes -1-", "120",
		"9227000000", "Wed, 21 Oct 2026 07:28:00 GMT"} {
		f.Add(s)
	}
	now := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		if sha, _ := readMeta([]byte(s)); sha != "" && len(sha) != 64 {
			t.Errorf("hash %q", sha)
		}
		if d := retryAfter(s, now); d < 0 {
			t.Errorf("wait %s", d)
		}
		if at, ok := rangeStart(s); ok && at < 0 {
			t.Errorf("range from %d", at)
		}
	})
}
