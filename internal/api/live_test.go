package api

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// tap is a ResponseWriter that ends the request after some flushes.
type tap struct {
	mu      sync.Mutex
	head    http.Header
	code    int
	body    bytes.Buffer
	flushes int
	end     func()
}

func (t *tap) Header() http.Header { return t.head }

func (t *tap) WriteHeader(code int) {
	if t.code == 0 {
		t.code = code
	}
}

func (t *tap) Write(b []byte) (int, error) {
	t.WriteHeader(200)
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.body.Write(b)
}

func (t *tap) Flush() {
	if t.flushes--; t.flushes == 0 {
		t.end()
	}
}

// stream sends a request and hangs up after some flushes.
func (w *world) stream(r *http.Request, flushes int) answer {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	out := &tap{head: http.Header{}, flushes: flushes, end: cancel}
	w.h.ServeHTTP(out, r.WithContext(ctx))
	return answer{out.code, out.head, out.body.String()}
}

func TestLiveStream(t *testing.T) {
	w := newWorld(t)
	session := w.session()
	a := w.stream(w.request("GET", "/api/x/live", "", session...), 2)
	if a.code != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/event-stream") {
		t.Fatalf("%d %v", a.code, a.header)
	}
	if !strings.Contains(a.body, "event: change\ndata: {\"resource\":\"devices\"}\n\n") {
		t.Errorf("body = %q", a.body)
	}
	for _, tt := range []struct {
		header, value string
		code          int
	}{
		{"Origin", "http://picket.test", 200},
		{"Origin", "http://evil.test", 403},
		{"Origin", "null", 403},
		{"Sec-Fetch-Site", "cross-site", 403},
		{"Sec-Fetch-Site", "same-origin", 200},
	} {
		a := w.stream(w.request("GET", "/api/x/live", "", append(session, tt.header, tt.value)...), 1)
		if a.code != tt.code {
			t.Errorf("%s: %s = %d, want %d", tt.header, tt.value, a.code, tt.code)
		}
	}
}
