package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/picketsec/picket/client"
	"github.com/picketsec/picket/internal/api"
	"github.com/picketsec/picket/internal/server"
)

// world is a whole server with a few devices, behind a proxy that counts and spoils.
type world struct {
	t     *testing.T
	s     *server.Server
	url   string
	calls atomic.Int64
	spoil atomic.Pointer[func(w http.ResponseWriter, r *http.Request) bool] // true: it answered
	id    string
	key   string
}

func newWorld(t *testing.T, permissions ...string) *world {
	t.Helper()
	s, err := server.Open(t.Context(), server.Options{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{t: t, s: s}
	h := api.New(api.Options{Server: s})
	web := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.calls.Add(1)
		if f := w.spoil.Load(); f != nil && (*f)(rw, r) {
			return
		}
		h.ServeHTTP(rw, r)
	}))
	t.Cleanup(web.Close)
	w.url = web.URL
	if _, w.id, w.key, err = s.CreateApp(t.Context(), "client", permissions); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) client() *client.Client {
	w.t.Helper()
	c, err := client.New(client.Options{URL: w.url, ClientID: w.id, ClientSecret: w.key, MaxWait: 5 * time.Second})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// devices imports bills of materials through the client itself.
func (w *world) devices(c *client.Client, n int) {
	w.t.Helper()
	for i := range n {
		doc := fmt.Sprintf(`{"bomFormat":"CycloneDX","specVersion":"1.5","metadata":{"timestamp":"2026-01-01T00:00:00Z","component":{"type":"device","name":"host-%02d"}},
			"components":[{"type":"library","name":"left-pad","version":"1.%d.0","purl":"pkg:npm/left-pad@1.%d.0"}]}`, i, i, i)
		if _, err := c.ImportSBOM(w.t.Context(), client.ImportSBOMParams{}, strings.NewReader(doc)); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestListsOfAllPages(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	w.devices(c, 7)
	seen := map[string]bool{}
	before := w.calls.Load()
	for d, err := range c.DevicesAll(t.Context(), client.DevicesParams{Size: 3, Sort: []string{"name"}}) {
		if err != nil {
			t.Fatal(err)
		}
		seen[d.Name] = true
	}
	if len(seen) != 7 || w.calls.Load()-before != 3 {
		t.Errorf("%d devices in %d calls, want 7 in 3", len(seen), w.calls.Load()-before)
	}
	page, err := c.Devices(t.Context(), client.DevicesParams{Q: "host-03"})
	if err != nil || page.Total != 1 || page.Items[0].Name != "host-03" || page.Items[0].FirstSeen.IsZero() {
		t.Errorf("search = %+v, %v", page, err)
	}
	one, err := c.Device(t.Context(), page.Items[0].ID, client.DeviceParams{})
	if err != nil || one.Name != "host-03" || one.Software != 1 {
		t.Errorf("device = %+v, %v", one, err)
	}
}

func TestCommasAreNotSeparators(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	w.devices(c, 2)
	page, err := c.Devices(t.Context(), client.DevicesParams{Q: "host-00"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ChangeTags(t.Context(), client.TagChange{Devices: []string{page.Items[0].ID}, Add: []string{"a,b"}}); err != nil {
		t.Fatal(err)
	}
	if page, err = c.Devices(t.Context(), client.DevicesParams{Tag: []string{"a,b", "none"}}); err != nil || page.Total != 1 {
		t.Errorf("by a tag with a comma: %d, %v", page.Total, err)
	}
}

func TestErrorsSayWhat(t *testing.T) {
	w := newWorld(t, "Machine.Read.All")
	c := w.client()
	var e *client.Error
	if _, err := c.Device(t.Context(), "nobody", client.DeviceParams{}); !errors.As(err, &e) || !e.NotFound() || e.Request == "" {
		t.Errorf("an unknown device = %v", err)
	}
	if _, err := c.Weaknesses(t.Context(), client.WeaknessesParams{}); !errors.As(err, &e) || !e.Refused() {
		t.Errorf("without the permission = %v", err)
	}
	if _, err := c.Devices(t.Context(), client.DevicesParams{Sort: []string{"nonsense"}}); !errors.As(err, &e) || e.Status != 422 || !strings.Contains(err.Error(), "sort") {
		t.Errorf("a wrong order = %v", err)
	}
	wrong, err := client.New(client.Options{URL: w.url, ClientID: w.id, ClientSecret: "wrong"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wrong.Devices(t.Context(), client.DevicesParams{}); !errors.As(err, &e) || !e.Refused() || strings.Contains(err.Error(), w.key) {
		t.Errorf("a wrong secret = %v", err)
	}
	gone, err := client.New(client.Options{URL: "http://127.0.0.1:1", ClientID: w.id, ClientSecret: w.key})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gone.Devices(t.Context(), client.DevicesParams{}); !errors.Is(err, client.ErrUnreachable) {
		t.Errorf("nobody there = %v", err)
	}
	for _, bad := range []client.Options{{}, {URL: "http://picket.example", ClientID: "a", ClientSecret: "b"}, {URL: w.url}, {URL: w.url, ClientID: "a"}, {URL: "ftp://x", ClientID: "a", ClientSecret: "b"}, {URL: "https://u:p@x", ClientID: "a", ClientSecret: "b"}} {
		if _, err := client.New(bad); err == nil {
			t.Errorf("New(%+v) is taken", bad)
		}
	}
}

// once answers the next request of a path in another way.
func (w *world) once(status int, header string) {
	var done atomic.Bool
	f := func(rw http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/api/") || done.Swap(true) {
			return false
		}
		if header != "" {
			rw.Header().Set("Retry-After", header)
		}
		rw.WriteHeader(status)
		return true
	}
	w.spoil.Store(&f)
}

func TestTriesAgainWhereThatIsRight(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	if _, err := c.Status(t.Context(), client.StatusParams{}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		status int
		after  string
		ok     bool
	}{
		{"a token that ended", 401, "", true},
		{"too many calls", 429, "1", true},
		{"too long a wait", 429, "3600", false},
		{"a server that starts", 503, "1", true},
		{"a mistake of the server", 500, "1", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.once(tt.status, tt.after)
			_, err := c.Status(t.Context(), client.StatusParams{})
			if (err == nil) != tt.ok {
				t.Errorf("err = %v", err)
			}
		})
	}
	t.Run("a body is sent again whole", func(t *testing.T) {
		w.devices(c, 1)
		w.once(401, "")
		if _, err := c.ChangeTags(t.Context(), client.TagChange{Devices: []string{"host-00"}, Add: []string{"again"}}); err != nil {
			t.Fatal(err)
		}
		page, err := c.Devices(t.Context(), client.DevicesParams{Tag: []string{"again"}})
		if err != nil || page.Total != 1 {
			t.Errorf("%d devices have the tag, %v", page.Total, err)
		}
	})
	t.Run("a wait ends with its context", func(t *testing.T) {
		w.once(429, "5")
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := c.Status(ctx, client.StatusParams{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err = %v", err)
		}
	})
}

func TestExportsAreWholeOrAnError(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	w.devices(c, 3)
	s, err := c.ExportDevices(t.Context(), client.ExportDevicesParams{Format: "jsonl"})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(s)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := s.Check()
	if err != nil || rows != 3 || bytes.Count(raw, []byte("\n")) != 3 || !strings.HasPrefix(s.Name, "devices-") || !strings.HasSuffix(s.Name, ".jsonl") {
		t.Errorf("%d rows in %d bytes, name %q, %v", rows, len(raw), s.Name, err)
	}
	var first client.DeviceRow
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&first); err != nil || first.ID == "" {
		t.Errorf("a row = %+v, %v", first, err)
	}
	for name, sum := range map[string]string{"another body": strconv.Itoa(1), "no trailer": ""} {
		f := func(rw http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, "/export") {
				return false
			}
			rw.Header().Set("Trailer", "X-Picket-Rows, X-Picket-Sha256")
			_, _ = rw.Write([]byte("{}\n"))
			if sum != "" {
				rw.Header().Set("X-Picket-Rows", "1")
				rw.Header().Set("X-Picket-Sha256", sum)
			}
			return true
		}
		w.spoil.Store(&f)
		if s, err = c.ExportDevices(t.Context(), client.ExportDevicesParams{}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Check(); !errors.Is(err, client.ErrCut) {
			t.Errorf("%s, not read: %v", name, err)
		}
		if _, err := io.ReadAll(s); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Check(); !errors.Is(err, client.ErrCut) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
