package intel

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// cutDownload leaves the beginning of a download behind, as a process that
// ended in it would.
func cutDownload(t *testing.T, opt SyncOptions, url, begin, etag, modified string, total int) {
	t.Helper()
	if err := os.MkdirAll(opt.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	part := (&transfer{dir: opt.Dir}).file(address{name: "kev"}) + ".part"
	if err := os.WriteFile(part, []byte(begin), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(part+".json", fmt.Appendf(nil, `{"url":%q,"etag":%q,"last_modified":%q,"total":%d}`, url, etag, modified, total), 0o600); err != nil {
		t.Fatal(err)
	}
}

// feedVersion is the version that the loaded feed gives itself.
func feedVersion(t *testing.T, s *Store, name string) (version string) {
	t.Helper()
	view(t, s, func(sn *Snapshot) {
		feeds, err := sn.Feeds()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range feeds {
			if f.Name == name {
				version = f.Version
			}
		}
	})
	return version
}

// The rest of a download is taken only from the file that it began with: when
// upstream has another one, it comes whole, or the two would be one.
func TestSyncNeverJoinsTwoFiles(t *testing.T) {
	ids := []string{"CVE-2024-0001", "CVE-2024-0002", "CVE-2024-0003"}
	old, now := kevJSON("2026-06-29", ids...), kevJSON("2026-06-30", ids...)
	if len(old) != len(now) {
		t.Fatal("the test wants two files of one length")
	}
	for _, tt := range []struct{ name, tag, at, wasTag, wasAt string }{
		{"by tag", `"two"`, "", `"one"`, ""},
		{"by date", "", "Tue, 30 Jun 2026 10:00:00 GMT", "", "Mon, 29 Jun 2026 10:00:00 GMT"},
		{"by date beside a weak tag", "", "Tue, 30 Jun 2026 10:00:00 GMT", `W/"one"`, "Mon, 29 Jun 2026 10:00:00 GMT"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u, s := newUpstream(t), open(t, Options{})
			u.set(kevPath, now, tt.tag)
			u.times[kevPath] = tt.at
			opt := u.options(t, nil, "kev")
			cutDownload(t, opt, u.URL+kevPath, old[:200], tt.wasTag, tt.wasAt, len(old))
			if res := syncOnce(t, s, opt); outcomes(res) != "kev loaded \n" {
				t.Errorf("%q", outcomes(res))
			}
			if got := feedVersion(t, s, "kev"); got != "2026.06.30" {
				t.Errorf("version %s was loaded: the beginning is of another file", got)
			}
			if diff := cmp.Diff([]string{kevPath + " bytes=200-"}, u.asked()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A server that does not keep to the range that it was asked for, or does not
// have it any more, is asked for the whole file.
func TestSyncStartsAnewAfterAWrongRange(t *testing.T) {
	body := kevJSON("2026-06-30", "CVE-2024-0001", "CVE-2024-0002")
	for name, answer := range map[string]func(w http.ResponseWriter){
		"another range": func(w http.ResponseWriter) {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes 100-%d/%d", len(body)-1, len(body)))
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write([]byte(body[100:]))
		},
		"no such range": func(w http.ResponseWriter) { w.WriteHeader(http.StatusRequestedRangeNotSatisfiable) },
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			u, s := newUpstream(t), open(t, Options{})
			u.set(kevPath, body, `"one"`)
			u.setHook(func(w http.ResponseWriter, r *http.Request) bool {
				if r.Header.Get("Range") == "" {
					return false
				}
				answer(w)
				return true
			})
			opt := u.options(t, nil, "kev")
			cutDownload(t, opt, u.URL+kevPath, body[:200], `"one"`, "", len(body))
			if res := syncOnce(t, s, opt); outcomes(res) != "kev loaded \n" {
				t.Errorf("%q", outcomes(res))
			}
			if diff := cmp.Diff([]string{kevPath + " bytes=200-", kevPath}, u.asked()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What is not worth a second attempt gets none.
func TestSyncRefusesAtOnce(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(kevJSON("2026-06-30", "CVE-2024-0001")))
	}))
	defer plain.Close()
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		want   string
		asked  int
	}{
		{"too large", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(int64(maxDownload)+1))
			w.WriteHeader(http.StatusOK)
		}, "the file is larger than", 1},
		{"from https to http", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, plain.URL, http.StatusFound) }, "redirect from https to http", 3},
		{"in circles", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, "more than 8 redirects", 3 * 8},
		{"gone", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }, "the server answers 410", 1},
	} {
		t.Run(strings.ReplaceAll(tt.name, " ", "_"), func(t *testing.T) {
			asked := 0
			u := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked++; tt.answer(w, r) }))
			defer u.Close()
			client := SyncClient(func(*http.Request) (*url.URL, error) { return nil, nil })
			client.Transport.(*http.Transport).TLSClientConfig = u.Client().Transport.(*http.Transport).TLSClientConfig
			opt := (&upstream{Server: u}).options(t, nil, "kev")
			opt.Client = client
			s := open(t, Options{})
			res := syncOnce(t, s, opt)
			if got := outcomes(res); res.Changed || !strings.Contains(got, "kev failed") || !strings.Contains(got, tt.want) || asked != tt.asked {
				t.Errorf("asked %d times, %q, want %q after %d", asked, got, tt.want, tt.asked)
			}
		})
	}
}

// The pauses between attempts double, up to half a minute.
func TestSyncBacksOffFurther(t *testing.T) {
	u, s := newUpstream(t), open(t, Options{})
	u.setHook(func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusBadGateway); return true })
	var waits []time.Duration
	opt := u.options(t, &waits, "kev")
	opt.tries = 10
	syncOnce(t, s, opt)
	if len(waits) != 9 {
		t.Fatalf("%d pauses, want 9", len(waits))
	}
	base := firstPause
	for i, w := range waits {
		if w < base/2 || w > base {
			t.Errorf("pause %d is %v, want between %v and %v", i+1, w, base/2, base)
		}
		base = min(2*base, lastPause)
	}
}

// With force what has not changed is asked for and taken again, and what is
// older too.
func TestSyncWithForce(t *testing.T) {
	u, s := newUpstream(t), open(t, Options{})
	u.set(kevPath, kevJSON("2026-06-29", "CVE-2024-0001"), `"one"`)
	opt := u.options(t, nil, "kev")
	syncOnce(t, s, opt)
	if res := syncOnce(t, s, opt); outcomes(res) != "kev not modified \n" {
		t.Errorf("without force: %q", outcomes(res))
	}
	opt.Force = true
	if res := syncOnce(t, s, opt); outcomes(res) != "kev unchanged \n" {
		t.Errorf("with force: %q", outcomes(res))
	}
	u.set(kevPath, kevJSON("2026-01-01", "CVE-2024-0009"), `"old"`)
	if res := syncOnce(t, s, opt); outcomes(res) != "kev loaded \n" || feedVersion(t, s, "kev") != "2026.01.01" {
		t.Errorf("older data with force: %q, version %s", outcomes(res), feedVersion(t, s, "kev"))
	}
}
