package server

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/store"
)

// siem takes messages of syslog over TLS.
type siem struct {
	ln   net.Listener
	mu   sync.Mutex
	text strings.Builder
}

func newSIEM(t *testing.T, at string, cfg *tls.Config) *siem {
	t.Helper()
	ln, err := tls.Listen("tcp", at, cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := &siem{ln: ln}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer func() { _ = c.Close() }()
				b := make([]byte, 64<<10)
				for {
					n, err := c.Read(b)
					r.mu.Lock()
					r.text.Write(b[:n])
					r.mu.Unlock()
					if err != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		wg.Wait()
	})
	return r
}

func (r *siem) got() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func (r *siem) port() int { return r.ln.Addr().(*net.TCPAddr).Port }

// TestSyslogOverTLSIsVerified is for the class of CVE-2020-1887 at another of our
// ends: the server delivers events over TLS to a receiver that shows a certificate
// of the named authority for the named host, and says nothing to any other. What
// could not be delivered waits, and arrives when the receiver is mended.
func TestSyslogOverTLSIsVerified(t *testing.T) {
	s := testServer(t)
	ours, other := newTestAuthority(t, time.Now), newTestAuthority(t, time.Now)
	past := newTestAuthority(t, func() time.Time { return time.Now().Add(-serverLife - 24*time.Hour) })
	config := func(a *authority, highest uint16) *tls.Config {
		cfg, err := a.serverTLS("127.0.0.1:0", nil)
		if err != nil {
			t.Fatal(err)
		}
		cfg.MaxVersion, cfg.MinVersion = highest, tls.VersionTLS10
		cfg.CipherSuites = nil
		return cfg
	}
	good := newSIEM(t, "127.0.0.1:0", config(ours, 0))
	input := func(r *siem, host, ca string) ForwardInput {
		return ForwardInput{Kind: "syslog", Name: "siem", Enabled: true, Classes: []string{ForwardExposure}, Config: ForwardConfig{Host: host, Port: r.port(), TLS: true, CA: ca}}
	}
	row, err := s.PutForward(t.Context(), admin, "", input(good, "127.0.0.1", string(ours.pem)))
	if err != nil {
		t.Fatal(err)
	}
	defer s.forward.forget(row.ID)
	for name, bad := range map[string]struct {
		at  *siem
		to  string
		ca  string
		why string
	}{
		"another authority":       {newSIEM(t, "127.0.0.1:0", config(other, 0)), "127.0.0.1", string(ours.pem), "unknown authority"},
		"no authority named":      {newSIEM(t, "127.0.0.1:0", config(ours, 0)), "127.0.0.1", "", "unknown authority"},
		"another address":         {newSIEM(t, "127.0.0.2:0", config(ours, 0)), "127.0.0.2", string(ours.pem), "127.0.0.2"},
		"an expired certificate":  {newSIEM(t, "127.0.0.1:0", config(past, 0)), "127.0.0.1", string(past.pem), "expired"},
		"TLS 1.1":                 {newSIEM(t, "127.0.0.1:0", config(ours, tls.VersionTLS11)), "127.0.0.1", string(ours.pem), "version"},
		"no TLS at the other end": {plainSIEM(t), "127.0.0.1", string(ours.pem), "tls"},
	} {
		if _, err := s.PutForward(t.Context(), admin, row.ID, input(bad.at, bad.to, bad.ca)); err != nil {
			t.Fatal(err)
		}
		res, err := s.TestForward(t.Context(), admin, row.ID)
		if err != nil || res.OK || !strings.Contains(res.Text+res.Mend, bad.why) {
			t.Errorf("%s: test = %+v, %v; want %q", name, res, err, bad.why)
		}
		happen(t, s, 1, strings.ReplaceAll(name, " ", "-"))
		round(t, s)
		if now := forwardRow(t, s); now.Sent != 0 || now.Waiting == 0 || now.Error == "" {
			t.Errorf("%s: %+v", name, now)
		}
		if got := bad.at.got(); strings.Contains(got, "picket") {
			t.Errorf("%s was told %q", name, got)
		}
		s.forward.forget(row.ID)
	}
	if _, err := s.PutForward(t.Context(), admin, row.ID, input(good, "127.0.0.1", string(ours.pem))); err != nil {
		t.Fatal(err)
	}
	if res, err := s.TestForward(t.Context(), admin, row.ID); err != nil || !res.OK {
		t.Errorf("the good receiver: %+v, %v", res, err)
	}
	waitFor(t, "what waited to arrive", func() bool {
		if _, err := s.forwardRound(t.Context()); err != nil {
			t.Fatal(err)
		}
		return forwardRow(t, s).Waiting == 0
	})
	waitFor(t, "the messages", func() bool {
		return strings.Count(good.got(), "picket.exposure - {") == 6 && strings.Contains(good.got(), "picket.test - {")
	})
}

func newTestAuthority(t *testing.T, now func() time.Time) *authority {
	t.Helper()
	a, err := openAuthority(t.TempDir(), now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// plainSIEM takes TCP without TLS.
func plainSIEM(t *testing.T) *siem {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &siem{ln: ln}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				b := make([]byte, 4096)
				n, _ := c.Read(b)
				r.mu.Lock()
				r.text.Write(b[:n])
				r.mu.Unlock()
				_, _ = io.WriteString(c, "220 not TLS\r\n")
				_ = c.Close()
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		wg.Wait()
	})
	return r
}

// ecsOfForwards are the fields of the Elastic Common Schema 8.17 in the field sets
// that events use, with their types: k keyword, t text, d date, l long, f float,
// i ip, * several values may be there.
const ecsOfForwards = `
@timestamp d
message t
tags k*
ecs.version k
event.action k
event.agent_id_status k
event.category k*
event.code k
event.created d
event.dataset k
event.duration l
event.end d
event.hash k
event.id k
event.ingested d
event.kind k
event.module k
event.original k
event.outcome k
event.provider k
event.reason k
event.reference k
event.risk_score f
event.risk_score_norm f
event.sequence l
event.severity l
event.start d
event.timezone k
event.type k*
event.url k
observer.hostname k
observer.ip i*
observer.mac k*
observer.name k
observer.product k
observer.serial_number k
observer.type k
observer.vendor k
observer.version k
vulnerability.category k*
vulnerability.classification k
vulnerability.description k
vulnerability.enumeration k
vulnerability.id k*
vulnerability.reference k
vulnerability.report_id k
vulnerability.scanner.vendor k
vulnerability.score.base f
vulnerability.score.environmental f
vulnerability.score.temporal f
vulnerability.score.version k
vulnerability.severity k
package.architecture k
package.build_version k
package.checksum k
package.description k
package.install_scope k
package.installed d
package.license k
package.name k
package.path k
package.reference k
package.size l
package.type k
package.version k
user.domain k
user.email k
user.full_name k
user.hash k
user.id k
user.name k
user.roles k*
source.address k
source.bytes l
source.domain k
source.ip i
source.mac k
source.packets l
source.port l
source.registered_domain k
`

// ecsWords are the values that the schema allows where it allows only some.
var ecsWords = map[string][]string{
	"event.kind":     {"alert", "asset", "enrichment", "event", "metric", "state", "pipeline_error", "signal"},
	"event.outcome":  {"success", "failure", "unknown"},
	"event.category": {"api", "authentication", "configuration", "database", "driver", "email", "file", "host", "iam", "intrusion_detection", "library", "malware", "network", "package", "process", "registry", "session", "threat", "vulnerability", "web"},
	"event.type":     {"access", "admin", "allowed", "change", "connection", "creation", "deletion", "denied", "device", "end", "error", "group", "indicator", "info", "installation", "protocol", "start", "user"},
}

// ecsTypes are the types that the schema expects with a category.
var ecsTypes = map[string][]string{"vulnerability": {"info"}, "configuration": {"access", "change", "creation", "deletion", "info"}, "iam": {"admin", "change", "creation", "deletion", "group", "info", "user"}}

// checkECS says what of a document is not in the schema. Our own fields are below picket.
func checkECS(doc map[string]any) (bad []string) {
	types := map[string]string{}
	for line := range strings.Lines(ecsOfForwards) {
		if name, kind, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			types[name] = kind
		}
	}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		if m, ok := v.(map[string]any); ok && types[at] == "" {
			for k, v := range m {
				name := strings.TrimPrefix(at+"."+k, ".")
				if name != "picket" {
					walk(name, v)
				}
			}
			return
		}
		kind, known := types[at]
		list, several := v.([]any)
		if !several {
			list = []any{v}
		}
		switch {
		case !known:
			bad = append(bad, at+" is no field of ECS")
			return
		case several && !strings.HasSuffix(kind, "*"):
			bad = append(bad, at+" has several values")
		}
		for _, v := range list {
			text, isText := v.(string)
			number, isNumber := v.(float64)
			ok := isText
			switch kind[0] {
			case 'd':
				_, err := time.Parse(time.RFC3339Nano, text)
				ok = isText && err == nil
			case 'l':
				ok = isNumber && number == float64(int64(number))
			case 'f':
				ok = isNumber
			case 'i':
				ok = isText && net.ParseIP(text) != nil
			}
			if words := ecsWords[at]; !ok || words != nil && !slices.Contains(words, text) {
				bad = append(bad, fmt.Sprintf("%s is %v", at, v))
			}
		}
	}
	walk("", doc)
	event, _ := doc["event"].(map[string]any)
	categories, _ := event["category"].([]any)
	kinds, _ := event["type"].([]any)
	for _, c := range categories {
		for _, k := range kinds {
			if allowed := ecsTypes[fmt.Sprint(c)]; !slices.Contains(allowed, fmt.Sprint(k)) {
				bad = append(bad, fmt.Sprintf("the type %v is not one of the category %v", k, c))
			}
		}
	}
	for _, name := range []string{"@timestamp", "ecs.version", "message", "event.id", "event.kind", "event.category", "event.type", "event.action", "event.dataset", "event.module", "event.sequence", "observer.vendor", "observer.product", "observer.version", "observer.serial_number"} {
		if fields(doc, name) == nil {
			bad = append(bad, name+" is missing")
		}
	}
	return bad
}

// TestForwardedEventsAreECS makes an event of every class that is forwarded, with
// everything set that it can have, and holds each field against the schema.
func TestForwardedEventsAreECS(t *testing.T) {
	s := testServer(t)
	s.opt.PublicURL = "https://picket.example"
	ctx := t.Context()
	if _, err := s.PutForward(ctx, admin, "", ForwardInput{Kind: "webhook", Name: "x", Enabled: true, Classes: forwardClasses, Config: ForwardConfig{URL: "https://127.0.0.1:1/in"}, Secret: hookKey}); err != nil {
		t.Fatal(err)
	}
	for _, kind := range eventKinds {
		news := &store.News{Change: store.EventChange{At: time.Now().UTC(), Counted: noDevices()}, Events: []store.Event{{Kind: kind, Component: "openssl 3.0.1", Weaknesses: []string{"CVE-2026-1", "CVE-2026-2"}, Devices: noDevices()}}}
		if err := s.st.AddNews(ctx, news); err != nil {
			t.Fatal(err)
		}
	}
	for _, outcome := range []audit.Outcome{audit.Done, audit.Denied, audit.Failed} {
		for _, kind := range []audit.Kind{audit.Person, audit.Application, audit.Local, audit.Nobody} {
			e := audit.Entry{At: time.Now(), Kind: kind, Actor: "alice", ActorID: "7", Remote: "192.0.2.1", Action: "set-device-value", Object: "o", Outcome: outcome, Status: 403, Request: "r", Detail: json.RawMessage(`{"before":{"a":1}}`)}
			if err := s.st.AppendAudit(ctx, e); err != nil {
				t.Fatal(err)
			}
		}
	}
	list, _, err := s.st.Outgoing(ctx, 0, forwardClasses, 1000)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, o := range list {
		raw, severity, err := s.forwardDocument(ctx, &o)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := json.Unmarshal(raw, &doc); err != nil {
			t.Fatal(err)
		}
		seen[o.Class]++
		if bad := checkECS(doc); len(bad) > 0 || severity < 0 || severity > 7 {
			t.Errorf("%s: severity %d, %q\n%s", o.Class, severity, bad, raw)
		}
	}
	for _, class := range forwardClasses {
		if seen[class] == 0 {
			t.Errorf("no event of the class %s was made", class)
		}
	}
	if seen[ForwardExposure] != len(eventKinds) {
		t.Errorf("%d kinds of events, %d documents", len(eventKinds), seen[ForwardExposure])
	}
	if bad := checkECS(map[string]any{"event": map[string]any{"kind": "thing", "colour": "red"}}); len(bad) < 3 {
		t.Errorf("a wrong document is taken: %q", bad)
	}
}
