package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func built() *handler {
	return newHandler(fstest.MapFS{
		"index.html":        {Data: []byte(`<meta name="csp-nonce" content="__CSP_NONCE__"><div id="root"></div>`)},
		"favicon.svg":       {Data: []byte("<svg/>")},
		".gitkeep":          {Data: nil},
		"assets/main-1a.js": {Data: []byte(strings.Repeat("console.log(1);", 200))},
	})
}

func get(t *testing.T, h http.Handler, method, target string, head map[string]string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, "http://localhost/", nil)
	r.URL.Path = target
	for k, v := range head {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatalf("read body: %v", err)
	}
	return string(b)
}

func TestPaths(t *testing.T) {
	cases := []struct {
		method, path string
		status       int
		kind, holds  string
	}{
		{"GET", "/", 200, "text/html", `id="root"`},
		{"GET", "/index.html", 200, "text/html", `id="root"`},
		{"GET", "/devices/0123/vulnerabilities", 200, "text/html", `id="root"`},
		{"GET", "/welcome", 200, "text/html", `id="root"`},
		{"GET", "/favicon.svg", 200, "image/svg+xml", "<svg/>"},
		{"GET", "/assets/main-1a.js", 200, "text/javascript", "console.log"},
		{"GET", "/assets/gone-2b.js", 404, "text/plain", "load the page again"},
		{"GET", "/assets/", 404, "text/plain", ""},
		{"GET", "/assets", 404, "text/plain", ""},
		{"GET", "/.gitkeep", 200, "text/html", `id="root"`},
		{"GET", "/../web.go", 200, "text/html", `id="root"`},
		{"GET", "/assets/../../web.go", 200, "text/html", `id="root"`},
		{"GET", "/api/x/nothing", 404, "application/problem+json", "no such path"},
		{"GET", "/api", 404, "application/problem+json", ""},
		{"POST", "/api/x/nothing", 404, "application/problem+json", ""},
		{"GET", "/x/../api/x/nothing", 404, "application/problem+json", ""},
		{"POST", "/devices", 405, "text/plain", ""},
		{"HEAD", "/devices", 200, "text/html", ""},
	}
	h := built()
	for _, c := range cases {
		t.Run(c.method+c.path, func(t *testing.T) {
			r := get(t, h, c.method, c.path, nil)
			body := text(t, r)
			if r.StatusCode != c.status || !strings.HasPrefix(r.Header.Get("Content-Type"), c.kind) || !strings.Contains(body, c.holds) {
				t.Errorf("got %d %q %.80q, want %d %q with %q", r.StatusCode, r.Header.Get("Content-Type"), body, c.status, c.kind, c.holds)
			}
			if c.method == "HEAD" && body != "" {
				t.Errorf("HEAD has a body: %.80q", body)
			}
		})
	}
}

func TestNonce(t *testing.T) {
	h := built()
	meta := regexp.MustCompile(`content="([A-Z2-7]{20,})"`)
	seen := map[string]bool{}
	for range 3 {
		r := get(t, h, "GET", "/devices", nil)
		m := meta.FindStringSubmatch(text(t, r))
		if m == nil {
			t.Fatal("index.html has no nonce")
		}
		csp := r.Header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "style-src 'self' 'nonce-"+m[1]+"'") {
			t.Errorf("policy %q does not name the page's nonce %q", csp, m[1])
		}
		for _, bad := range []string{"unsafe-inline", "unsafe-eval", "*"} {
			if strings.Contains(csp, bad) {
				t.Errorf("policy %q has %s", csp, bad)
			}
		}
		for _, need := range []string{"default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"} {
			if !strings.Contains(csp, need) {
				t.Errorf("policy %q lacks %s", csp, need)
			}
		}
		if seen[m[1]] {
			t.Errorf("nonce %q was used twice", m[1])
		}
		seen[m[1]] = true
	}
}

func TestHeaders(t *testing.T) {
	h := built()
	page, file := get(t, h, "GET", "/devices", nil), get(t, h, "GET", "/assets/main-1a.js", nil)
	if got := page.Header.Get("Cache-Control"); got != "no-cache" {
		t.Errorf("page: Cache-Control %q", got)
	}
	if got := file.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
		t.Errorf("asset: Cache-Control %q", got)
	}
	for _, r := range []*http.Response{page, file} {
		if r.Header.Get("X-Content-Type-Options") != "nosniff" || r.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("headers %v lack nosniff or no-referrer", r.Header)
		}
	}
}

func TestGzip(t *testing.T) {
	h := built()
	r := get(t, h, "GET", "/assets/main-1a.js", map[string]string{"Accept-Encoding": "br, gzip;q=0.8"})
	if r.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("not compressed: %v", r.Header)
	}
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil || !strings.HasPrefix(string(b), "console.log") {
		t.Errorf("got %.40q, %v", b, err)
	}
	for _, accept := range []string{"", "br", "gzip;q=0"} {
		if r := get(t, h, "GET", "/assets/main-1a.js", map[string]string{"Accept-Encoding": accept}); r.Header.Get("Content-Encoding") != "" {
			t.Errorf("Accept-Encoding %q was answered with %q", accept, r.Header.Get("Content-Encoding"))
		}
	}
}

func TestNotBuilt(t *testing.T) {
	h := newHandler(fstest.MapFS{".gitkeep": {}})
	r := get(t, h, "GET", "/devices", nil)
	if body := text(t, r); r.StatusCode != 404 || !strings.Contains(body, "console not built: run <code>make web</code>") {
		t.Errorf("got %d %q", r.StatusCode, body)
	}
	if r := get(t, h, "GET", "/api/x/status", nil); r.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("/api/ answers with %q", r.Header.Get("Content-Type"))
	}
}

// TestEmbedded looks at what this binary carries, whichever it is.
func TestEmbedded(t *testing.T) {
	r := get(t, Handler(), "GET", "/", nil)
	body := text(t, r)
	if Built() {
		if r.StatusCode != 200 || !strings.Contains(body, `<div id="root">`) || strings.Contains(body, nonceMark) {
			t.Errorf("built, yet got %d %.200q", r.StatusCode, body)
		}
	} else if r.StatusCode != 404 || !strings.Contains(body, "make web") {
		t.Errorf("not built, yet got %d %.200q", r.StatusCode, body)
	}
}
