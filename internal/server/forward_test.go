package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/store"
	"github.com/picketsec/picket/internal/ticket"
)

const hookKey = "a signing key of 30 characters"

// hookReceiver is a webhook that checks signatures and takes events, or refuses.
type hookReceiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	after  string
	keys   []string
	events []map[string]any
	wrong  []string
}

func newHookReceiver(t *testing.T) *hookReceiver {
	t.Helper()
	h := &hookReceiver{status: 200}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = ticket.Verify(hookKey, r.Header.Get(ticket.HeaderTimestamp), r.Header.Get(ticket.HeaderSignature), body, time.Now(), ticket.ReplayWindow)
		}
		if err != nil {
			h.wrong = append(h.wrong, err.Error())
		}
		if h.status != 200 {
			if h.after != "" {
				w.Header().Set("Retry-After", h.after)
			}
			w.WriteHeader(h.status)
			return
		}
		var in struct{ Events []map[string]any }
		if err := json.Unmarshal(body, &in); err != nil {
			h.wrong = append(h.wrong, err.Error())
		}
		h.keys = append(h.keys, r.Header.Get(ticket.HeaderKey))
		h.events = append(h.events, in.Events...)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hookReceiver) answer(status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = status
}

func (h *hookReceiver) got() []map[string]any {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]map[string]any{}, h.events...)
}

// noDevices is an empty set of devices as the store holds it.
func noDevices() []byte {
	raw, err := roaring.New().ToBytes()
	if err != nil {
		panic(err)
	}
	return raw
}

// happen puts n events into the timeline.
func happen(t *testing.T, s *Server, n int, name string) {
	t.Helper()
	for i := range n {
		news := &store.News{Change: store.EventChange{At: time.Now().UTC(), Counted: noDevices()}, Events: []store.Event{{Kind: "NewVulnerability", Component: fmt.Sprintf("%s-%d", name, i), Weaknesses: []string{"CVE-2026-1"}, Devices: noDevices()}}}
		if err := s.st.AddNews(t.Context(), news); err != nil {
			t.Fatal(err)
		}
	}
}

func webhookTo(h *hookReceiver, classes ...string) ForwardInput {
	return ForwardInput{Kind: "webhook", Name: "siem", Enabled: true, Classes: classes, Config: ForwardConfig{URL: h.URL + "/in"}, Secret: hookKey}
}

func round(t *testing.T, s *Server) {
	t.Helper()
	if _, err := s.forwardRound(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func forwardRow(t *testing.T, s *Server) ForwardRow {
	t.Helper()
	rows, err := s.Forwards(t.Context(), admin)
	if err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	return rows[0]
}

func fields(e map[string]any, path string) any {
	var v any = e
	for _, k := range strings.Split(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[k]
	}
	return v
}

func TestEventsGoOutSignedInOrderAndInECS(t *testing.T) {
	s, h := testServer(t), newHookReceiver(t)
	happen(t, s, 1, "before")
	if _, err := s.PutForward(t.Context(), admin, "", webhookTo(h, ForwardExposure)); err != nil {
		t.Fatal(err)
	}
	happen(t, s, 250, "new")
	round(t, s)
	got := h.got()
	if len(got) != 250 || len(h.wrong) > 0 {
		t.Fatalf("%d events, wrong: %v", len(got), h.wrong)
	}
	for i, e := range got {
		if name := fields(e, "package.name"); name != fmt.Sprintf("new-%d", i) {
			t.Fatalf("event %d is %v", i, name)
		}
	}
	e := got[0]
	for path, want := range map[string]any{"ecs.version": ecsVersion, "event.module": "picket", "event.dataset": "picket.exposure", "event.kind": "event", "event.action": "NewVulnerability",
		"event.category": "[vulnerability]", "vulnerability.id": "[CVE-2026-1]", "observer.vendor": "Picket"} {
		if v := fields(e, path); fmt.Sprint(v) != fmt.Sprint(want) {
			t.Errorf("%s = %v, want %v", path, v, want)
		}
	}
	if at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(e["@timestamp"])); err != nil || time.Since(at) > time.Minute || fields(e, "event.id") == nil || fields(e, "message") == "" {
		t.Errorf("event = %v, %v", e, err)
	}
	row := forwardRow(t, s)
	if row.Sent != 250 || row.Waiting != 0 || row.Dropped != 0 || row.LastSent == nil || row.Error != "" {
		t.Errorf("row = %+v", row)
	}
	if list, total, err := s.st.Outgoing(t.Context(), 0, forwardClasses, 10); err != nil || total != 0 {
		t.Errorf("the outbox still holds %v, %v", list, err)
	}
}

func TestWhatFailsIsSentAgainInItsOrderAndNothingIsLost(t *testing.T) {
	s, h := testServer(t), newHookReceiver(t)
	if _, err := s.PutForward(t.Context(), admin, "", webhookTo(h, ForwardExposure)); err != nil {
		t.Fatal(err)
	}
	h.answer(503)
	happen(t, s, 3, "a")
	round(t, s)
	row := forwardRow(t, s)
	if row.Waiting != 3 || row.Attempts != 1 || row.Error == "" || row.NextAt == nil || row.Sent != 0 {
		t.Fatalf("row = %+v", row)
	}
	h.answer(200)
	round(t, s) // it is not time yet
	if len(h.got()) != 0 {
		t.Error("sent before the pause was over")
	}
	happen(t, s, 2, "b")
	again := openAgain(t, s)
	for end := time.Now().Add(20 * time.Second); len(h.got()) < 5 && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		round(t, again)
	}
	var names []string
	for _, e := range h.got() {
		names = append(names, fmt.Sprint(fields(e, "package.name")))
	}
	if got := strings.Join(names, " "); got != "a-0 a-1 a-2 b-0 b-1" {
		t.Errorf("after a restart came %s", got)
	}
	if row = forwardRow(t, again); row.Attempts != 0 || row.Error != "" || row.Sent != 5 {
		t.Errorf("row = %+v", row)
	}
}

// openAgain closes a server and opens its directory again.
func openAgain(t *testing.T, s *Server) *Server {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(copied, os.DirFS(s.Dir())); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"secrets.key", "ca.key"} { // CopyFS widens modes
		if err := os.Chmod(filepath.Join(copied, secret), 0o600); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	again := openTest(t, copied)
	t.Cleanup(func() { _ = again.Close() })
	return again
}

func TestWhatWaitsIsBoundedAndDropsAreCounted(t *testing.T) {
	s, h := testServer(t), newHookReceiver(t)
	s.forward.keep = 10
	if _, err := s.PutForward(t.Context(), admin, "", webhookTo(h, ForwardExposure)); err != nil {
		t.Fatal(err)
	}
	happen(t, s, 25, "x")
	round(t, s)
	row := forwardRow(t, s)
	if row.Dropped != 15 || row.Sent != 10 || fields(h.got()[0], "package.name") != "x-15" {
		t.Errorf("row = %+v, first %v", row, fields(h.got()[0], "package.name"))
	}
}

func TestTheOutboxIsWrittenWithItsEvent(t *testing.T) {
	s, h := testServer(t), newHookReceiver(t)
	if _, err := s.PutForward(t.Context(), admin, "", webhookTo(h, ForwardExposure, ForwardAudit)); err != nil {
		t.Fatal(err)
	}
	bad := &store.News{Change: store.EventChange{At: time.Now(), Counted: noDevices()}, Events: []store.Event{{Kind: "a", Devices: noDevices()}, {Kind: "b", Devices: nil}}}
	if err := s.st.AddNews(t.Context(), bad); err == nil {
		t.Fatal("an event without devices is stored: the test does not test")
	}
	if _, total, err := s.st.Outgoing(t.Context(), 0, []string{ForwardExposure}, 1); err != nil || total != 0 {
		t.Errorf("%d entries of a transaction that failed, %v", total, err)
	}
	if err := s.st.AppendAudit(t.Context(), audit.Entry{At: time.Now(), Kind: audit.Person, Actor: "ada", Action: "set-password", Outcome: audit.Denied, Remote: "192.0.2.1"}); err != nil {
		t.Fatal(err)
	}
	round(t, s)
	got := h.got()
	if len(got) != 1 || fields(got[0], "user.name") != "ada" || fields(got[0], "event.outcome") != "failure" || fields(got[0], "source.address") != "192.0.2.1" || fields(got[0], "event.action") != "set-password" {
		t.Errorf("audit = %v", got)
	}
}

func TestOffGetsNothingAndOnGetsWhatIsNew(t *testing.T) {
	s, h := testServer(t), newHookReceiver(t)
	other := newHookReceiver(t) // because of which the outbox is written all the time, and kept
	other.answer(503)
	if _, err := s.PutForward(t.Context(), admin, "", webhookTo(other, ForwardExposure)); err != nil {
		t.Fatal(err)
	}
	in := webhookTo(h, ForwardExposure)
	row, err := s.PutForward(t.Context(), admin, "", in)
	if err != nil {
		t.Fatal(err)
	}
	in.Enabled, in.Secret = false, ""
	if _, err := s.PutForward(t.Context(), admin, row.ID, in); err != nil {
		t.Fatal(err)
	}
	happen(t, s, 3, "off")
	round(t, s)
	in.Enabled = true
	if _, err := s.PutForward(t.Context(), admin, row.ID, in); err != nil {
		t.Fatal(err)
	}
	happen(t, s, 1, "on")
	round(t, s)
	if got := h.got(); len(got) != 1 || fields(got[0], "package.name") != "on-0" {
		t.Errorf("got %v", got)
	}
	if err := s.RemoveForward(t.Context(), admin, row.ID); err != nil {
		t.Fatal(err)
	}
	happen(t, s, 1, "removed")
	round(t, s)
	if len(h.got()) != 1 {
		t.Error("a receiver that was removed gets events")
	}
}

func TestSyslogGetsEventsAndTests(t *testing.T) {
	s := testServer(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	var mu sync.Mutex
	var text strings.Builder
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				b := make([]byte, 64<<10)
				for {
					n, err := c.Read(b)
					mu.Lock()
					text.Write(b[:n])
					mu.Unlock()
					if err != nil {
						return
					}
				}
			}()
		}
	}()
	row, err := s.PutForward(t.Context(), admin, "", ForwardInput{Kind: "syslog", Name: "siem", Enabled: true, Classes: []string{ForwardExposure}, Config: ForwardConfig{Host: "127.0.0.1", Port: ln.Addr().(*net.TCPAddr).Port}})
	if err != nil {
		t.Fatal(err)
	}
	if res, err := s.TestForward(t.Context(), admin, row.ID); err != nil || !res.OK {
		t.Errorf("test = %+v, %v", res, err)
	}
	happen(t, s, 2, "s")
	round(t, s)
	all := func() string { mu.Lock(); defer mu.Unlock(); return text.String() }
	for end := time.Now().Add(10 * time.Second); !strings.Contains(all(), `"s-1"`) && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
	}
	if got := all(); strings.Index(got, `"s-0"`) > strings.Index(got, `"s-1"`) || !strings.Contains(got, "picket.exposure - {") || !strings.Contains(got, "picket.test - {") || !strings.Contains(got, "<108>1 ") {
		t.Errorf("got %s", got)
	}
	s.forward.forget(row.ID)
}

func TestReceiversOfEventsKeepTheirSecrets(t *testing.T) {
	s, h := testServer(t), newHookReceiver(t)
	ctx := t.Context()
	in := webhookTo(h, ForwardExposure)
	row, err := s.PutForward(ctx, admin, "", in)
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range mustRows(t, s) {
		if strings.Contains(string(raw), hookKey) {
			t.Error("the store holds a signing key in the clear")
		}
	}
	moved := in
	moved.Secret, moved.Config.URL = "", "https://evil.example/"
	if _, err := s.PutForward(ctx, admin, row.ID, moved); !errors.Is(err, ErrInvalid) {
		t.Errorf("a key follows to another address: %v", err)
	}
	for name, bad := range map[string]ForwardInput{
		"http to others": {Kind: "webhook", Name: "n", Classes: []string{"audit"}, Config: ForwardConfig{URL: "http://siem.example/"}, Secret: hookKey},
		"a short key":    {Kind: "webhook", Name: "n", Classes: []string{"audit"}, Config: ForwardConfig{URL: "https://siem.example/"}, Secret: "short"},
		"no class":       {Kind: "syslog", Name: "n", Config: ForwardConfig{Host: "h"}},
		"another class":  {Kind: "syslog", Name: "n", Classes: []string{"x"}, Config: ForwardConfig{Host: "h"}},
		"no host":        {Kind: "syslog", Name: "n", Classes: []string{"audit"}},
		"another kind":   {Kind: "smoke", Name: "n", Classes: []string{"audit"}},
		"no certificate": {Kind: "syslog", Name: "n", Classes: []string{"audit"}, Config: ForwardConfig{Host: "h", TLS: true, CA: "x"}},
	} {
		if _, err := s.PutForward(ctx, admin, "", bad); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s = %v", name, err)
		}
	}
	nobody := Caller{App: "x", Permissions: KnownPermissions}
	if _, err := s.Forwards(context.Background(), nobody); !errors.Is(err, ErrDenied) {
		t.Errorf("an application lists receivers: %v", err)
	}
}
