package api

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/rig/pest"
	"github.com/picketsec/picket/internal/server"
)

// poisons are texts that a hostile host may send in place of any text.
var poisons = pest.Texts

// met is what events of the first device say where the rest is what it likes: the routes
// of entities are asked for them, and answer with its other texts.
var met = map[string]string{"event.SHA256": strings.Repeat("a", 64), "event.RemoteIP": "192.0.2.7", "event.RemoteUrl": "example.com", "event.AccountName": "alice"}

// infest enrols a new device of which every string is text, apart from what
// honest says; it returns the device and what the server refused.
func infest(t *testing.T, p *pest.Pest, token, text string, honest map[string]string) (inventory.DeviceID, []protocol.Rejected) {
	t.Helper()
	sections, err := pest.Sections(func(string) string { return text }, honest)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p.Text = func(name string) string {
		if text == poisons[0] && met[name] != "" {
			return met[name]
		}
		return text
	}
	id, rejected, err := p.Send(ctx, token, protocol.Hello{AgentVersion: "<b>pest", OS: "<b>", Arch: "<b>", Tags: []string{text[:min(len(text), protocol.MaxTag)]}}, sections)
	if err != nil {
		t.Fatal(err)
	}
	return id, rejected
}

// TestPoisonHost sends every poison in every string that is collected to the
// real server, by the wire, and asks every route and the command line what they
// make of it.
func TestPoisonHost(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.Open(t.Context(), server.Options{Dir: dir, Log: discard(), AgentAddr: ln.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := s.AgentTLS()
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: s.AgentHandler(), ReadHeaderTimeout: time.Minute}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = srv.Serve(tls.NewListener(ln, cfg)) }) // ends with srv.Close
	wg.Go(func() { _ = s.Run(ctx) })                          // ends with ctx
	defer func() {
		cancel()
		_ = srv.Close()
		wg.Wait()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	importPoison(t, s, "CVE-2024-1000")

	ca, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	p := &pest.Pest{Addr: ln.Addr().String(), Roots: x509.NewCertPool()}
	p.Roots.AppendCertsFromPEM(ca)
	admin := server.Caller{Name: "test", Admin: true}
	token, _, err := s.CreateToken(t.Context(), admin, poisons[0], 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	var devices []string
	for i, text := range poisons {
		if testing.Short() && i%4 > 0 {
			continue
		}
		id, rejected := infest(t, p, token, text, nil)
		devices = append(devices, string(id))
		if len(rejected) > 0 && utf8.ValidString(text) { // what is no UTF-8 changes on the wire: its hash does not hold
			t.Errorf("%.30q was refused: %v", text, rejected)
		}
	}
	// One that leaves out whatever it can: what is a list is a list.
	bare, _ := infest(t, p, token, "", nil)
	devices = append(devices, string(bare))
	// One more that has findings: what the engine needs is as it should be, all else is poison.
	for _, text := range []string{poisons[0], "\x00nul\x1b[31mred\u202e"} {
		id, _ := infest(t, p, token, text, vulnerable)
		devices = append(devices, string(id))
	}
	importPoison(t, s, "CVE-2024-1000", "CVE-2024-1001") // which is an event
	if _, err := s.MakeException(t.Context(), admin, server.NewException{Recommendation: "va-_-debian-_-openssl-_-attentionrequired", Scope: server.ScopeGlobal,
		Justification: server.RiskAccepted, Days: 30, Context: strings.ToValidUTF8(poisons[0], "")}); err != nil {
		t.Error(err)
	}
	w := &world{t: t, apps: map[string][]string{}, h: New(Options{Server: s, Log: discard()})}
	_, clientID, secret, err := s.CreateApp(t.Context(), poisons[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	access, err := s.IssueToken(t.Context(), "http://picket.test", clientID, secret)
	if err != nil {
		t.Fatal(err)
	}
	auth := []string{"Authorization", "Bearer " + access.Token}
	poisonPlan(t, s, admin)
	requestPoison(t, s)
	raisePoison(t, s, admin, devices)
	waitPoison(t, s, admin, devices)
	asked := askEverything(t, w, auth, devices)
	t.Logf("%d devices, %d answers", len(devices), asked)

	said := w.do("GET", "/api/x/devices/"+string(bare), "", auth...).body
	for _, list := range []string{"addresses", "paths", "processes"} {
		if !strings.Contains(said, `"`+list+`":[]`) {
			t.Errorf("%s of a device that leaves out its lists: %s", list, said)
		}
	}

	last := devices[len(devices)-1]
	raw, err := json.Marshal(server.ExplainArgs{Device: last, Weakness: "CVE-2024-1000"})
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.Admin(t.Context(), "explain", raw, func(server.Progress) {})
	var text string
	if err == nil {
		err = json.Unmarshal(out, &text)
	}
	if err != nil || !strings.Contains(text, "openssl") || strings.ContainsAny(text, "\x1b\x00\r\u202e") {
		t.Errorf("explain: %v %q", err, text)
	}
}

// requestPoison makes a remediation activity whose own text is poison too.
func requestPoison(t *testing.T, s *server.Server) {
	t.Helper()
	boss := server.Caller{Name: poisons[0], Admin: true}
	recs, err := s.Recommendations(t.Context(), boss, server.Query{Filter: map[string][]string{"type": {server.RemedyAttention}}}, nil)
	if err != nil || len(recs.Items) == 0 {
		t.Fatalf("recommendations: %v", err)
	}
	if _, err := s.RequestRemediation(t.Context(), boss, server.RemediationRequest{Recommendation: recs.Items[0].ID, Type: server.RemedyAttention, Priority: "High",
		Notes: poisons[0] + "\x00\x1b[31m"}); err != nil {
		t.Fatal(err)
	}
}

// importPoison loads a tracker whose own texts are poison too.
func importPoison(t *testing.T, s *server.Server, cves ...string) {
	t.Helper()
	type m = map[string]any
	list := m{}
	for _, cve := range cves {
		list[cve] = m{"description": poisons[0] + "\u202e\x1b[31m", "scope": poisons[1], "releases": m{"bookworm": m{
			"status": "open", "urgency": poisons[0], "nodsa": poisons[1], "nodsa_reason": poisons[0], "repositories": m{"bookworm": "1"}}}}
	}
	raw, err := json.Marshal(m{"openssl": list})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "tracker.json")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	args, err := json.Marshal(server.IntelImportArgs{Paths: []string{file}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Admin(t.Context(), "intel import", args, func(server.Progress) {}); err != nil {
		t.Fatal(err)
	}
}

// poisonPlan saves a plan of a poisoned recommendation under a poisoned name.
func poisonPlan(t *testing.T, s *server.Server, admin server.Caller) {
	t.Helper()
	recs, err := s.Recommendations(t.Context(), admin, server.Query{Limit: 1}, nil)
	if err != nil || len(recs.Items) == 0 {
		t.Fatalf("recommendations: %v", err)
	}
	p, err := s.DraftPlan(t.Context(), admin, server.PlanGoal{Target: 1, Recommendations: []string{recs.Items[0].ID}})
	if err == nil {
		_, err = s.SavePlan(t.Context(), admin, p.Draft, poisons[0][:min(len(poisons[0]), 200)])
	}
	if err != nil {
		t.Fatal(err)
	}
}

// raisePoison raises an alert about the last event of a user of each device that has one.
func raisePoison(t *testing.T, s *server.Server, admin server.Caller, devices []string) {
	t.Helper()
	raised := 0
	for _, d := range devices {
		line, err := s.Timeline(t.Context(), admin, d, server.TimelineQuery{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range line.Items {
			if r.User == "" {
				continue
			}
			if _, _, err := s.CreateAlert(t.Context(), admin, server.NewAlert{Device: d, Severity: "High", Title: r.User[:min(len(r.User), 50)] + "!", Description: poisons[0][:min(len(poisons[0]), 200)],
				Recommended: "none", Category: "Malware", Report: r.ID, EventTime: r.Time}); err != nil {
				t.Fatal(err)
			}
			raised++
			break
		}
	}
	if raised == 0 {
		t.Fatal("no device has an event of a user")
	}
}

// waitPoison lets an action wait for somebody who approves it.
func waitPoison(t *testing.T, s *server.Server, admin server.Caller, devices []string) {
	t.Helper()
	if _, err := s.SetApprovalPolicy(t.Context(), admin, server.ApprovalPolicy{Rules: []server.ApprovalRule{{AllActions: true, AllDevices: true, Hours: 1}}}); err != nil {
		t.Fatal(err)
	}
	text := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, poisons[0])
	if _, r, err := s.Nudge(t.Context(), admin, devices[0], text); err != nil || r.Approval == nil {
		t.Fatalf("%+v, %v", r, err)
	}
	short := string([]rune(text)[:min(200, len([]rune(text)))])
	if _, _, err := s.SaveIndicator(t.Context(), admin, server.IndicatorEdit{Type: "DomainName", Value: "evil.example", Action: "Block", Title: short, Description: short, Recommended: short,
		Application: short, External: short, Educate: short}); err != nil {
		t.Fatal(err)
	}
}

// vulnerable is a Debian 12 with a vulnerable openssl.
var vulnerable = map[string]string{
	"os.id": "debian", "os.version_id": "12", "os.codename": "bookworm",
	"dpkg.eco": inventory.EcoDebian, "dpkg.name": "openssl", "dpkg.version": "1.0-1", "dpkg.source": "openssl", "dpkg.source_version": "1.0-1",
	"dpkg.origin": "Debian", "dpkg.module": "", "dpkg.unassessed": "",
}

// askEverything asks every route for each device, product and weakness and
// checks that no answer holds what a browser, a terminal or a spreadsheet would obey.
func askEverything(t *testing.T, w *world, auth, devices []string) (asked int) {
	t.Helper()
	ids := func(target string) (out []string) {
		a := w.do("GET", target, "", auth...)
		var page struct{ Items []struct{ ID string } }
		if err := json.Unmarshal([]byte(a.body), &page); err != nil || a.code != 200 {
			t.Fatalf("%s = %d %.200s", target, a.code, a.body)
		}
		for _, i := range page.Items {
			out = append(out, i.ID)
		}
		return out
	}
	seen := map[string]bool{}
	ask := func(target string) {
		if seen[target] {
			return
		}
		seen[target] = true
		asked++
		harmless(t, target, w.stop(w.request("GET", target, "", auth...)))
	}
	for _, name := range registered(t) {
		method, route, _ := strings.Cut(name, " ")
		if method != "GET" || !slices.Contains(server.AppPermissions, table[name].anyOf()[0]) {
			continue
		}
		forms := []string{route}
		if strings.HasSuffix(route, "/export") {
			forms = []string{route + "?format=csv", route + "?format=jsonl"}
		}
		for _, form := range forms {
			for _, target := range targets(form, devices, ids) {
				ask(target)
			}
		}
	}
	for _, text := range poisons {
		if q := fmt.Sprintf("%x", text); len(q) < 400 {
			var b strings.Builder
			for i := 0; i < len(q); i += 2 {
				b.WriteString("%" + q[i:i+2])
			}
			ask("/api/x/search?q=" + b.String())
			ask("/api/machines/findbytag?tag=" + b.String())
		}
	}
	return asked
}

// targets puts every id that exists into a route. Routes that need a text of
// their own are left out.
func targets(route string, devices []string, ids func(target string) []string) (out []string) {
	put := func(in, name string, list []string) {
		for _, id := range list {
			out = append(out, strings.Replace(in, name, id, 1))
		}
	}
	switch {
	case strings.Contains(route, "(…)"), strings.HasSuffix(route, "/search"), strings.HasSuffix(route, "/findbytag"):
	case strings.HasSuffix(route, "ChangesByMachine"):
		return []string{route + "?sinceTime=" + time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)}
	case !strings.Contains(route, "{"):
		return []string{route}
	case strings.Contains(route, "/indicators/{id}"):
		put(route, "{id}", ids("/api/x/indicators?size=100"))
	case strings.HasPrefix(route, "/api/x/devices/"), strings.HasPrefix(route, "/api/machines/"):
		for _, d := range devices {
			at := strings.Replace(route, "{id}", d, 1)
			switch {
			case strings.Contains(at, "/timeline/events/{sub}"):
				put(at, "{sub}", ids("/api/x/devices/"+d+"/timeline?size=100"))
			case strings.Contains(at, "{product}"):
				put(at, "{product}", ids("/api/x/devices/"+d+"/software?size=100"))
			case strings.Contains(at, "{weakness}"):
				put(at, "{weakness}", ids("/api/x/devices/"+d+"/vulnerabilities?size=100"))
			default:
				out = append(out, at)
			}
		}
	case strings.Contains(route, "/secure-score/checks/{id}"):
		put(route, "{id}", ids("/api/x/secure-score/checks?size=4"))
	case strings.Contains(route, "/recommendations/{id}"):
		put(route, "{id}", ids("/api/x/recommendations?size=100"))
	case strings.Contains(route, "/alerts/{id}"):
		put(route, "{id}", ids("/api/x/alerts?size=100"))
	case strings.Contains(route, "/approvals/{id}"):
		put(route, "{id}", ids("/api/x/approvals?size=100"))
	case strings.Contains(route, "/machine-actions/{id}"), strings.Contains(route, "/machineactions/{id}"):
		put(route, "{id}", ids("/api/x/machine-actions?size=100"))
	case strings.Contains(route, "/investigations/{id}"):
		put(route, "{id}", ids("/api/x/investigations?size=100"))
	case strings.Contains(route, "/events/{id}"):
		put(route, "{id}", ids("/api/x/events?size=100"))
	case strings.Contains(route, "/plans/{id}"):
		put(route, "{id}", ids("/api/x/plans?size=100"))
	case strings.Contains(route, "/exceptions/{id}"):
		put(route, "{id}", ids("/api/x/exceptions?size=100"))
	case strings.Contains(route, "/remediations/{id}"), strings.Contains(route, "/remediationTasks/{id}"):
		put(route, "{id}", ids("/api/x/remediations"))
	case strings.Contains(route, "/files/{id}"):
		put(route, "{id}", []string{met["event.SHA256"]})
	case strings.Contains(route, "/ips/{id}"):
		put(route, "{id}", []string{met["event.RemoteIP"]})
	case strings.Contains(route, "/domains/{id}"):
		put(route, "{id}", []string{met["event.RemoteUrl"]})
	case strings.Contains(route, "/users/{id}"):
		put(route, "{id}", []string{met["event.AccountName"]})
	case strings.Contains(route, "/software/{id}"):
		put(route, "{id}", ids("/api/x/software?size=100"))
	default:
		put(route, "{id}", ids("/api/x/weaknesses?size=100"))
	}
	return out
}

// harmless checks one answer. What is asked for exists, so it is 200.
func harmless(t *testing.T, target string, a answer) {
	t.Helper()
	target = target[:min(len(target), 120)]
	if a.code != 200 || a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s = %d %.300s", target, a.code, a.body)
		return
	}
	switch ct := a.header.Get("Content-Type"); {
	case strings.HasPrefix(ct, "text/csv"):
		rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
		if err != nil {
			t.Errorf("%s: %v", target, err)
		}
		for _, row := range rows {
			for _, cell := range row {
				if _, err := strconv.ParseFloat(cell, 64); err != nil && cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
					t.Errorf("%s: a spreadsheet would run %.60q", target, cell)
				}
			}
		}
		if !strings.Contains(a.header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %v", target, a.header)
		}
	case strings.Contains(ct, "json"), strings.Contains(ct, "ndjson"), strings.Contains(ct, "event-stream"):
		if i := strings.IndexAny(a.body, "<>\x1b\x00\u2028"); i >= 0 {
			t.Errorf("%s: markup or control characters: %.80q", target, a.body[max(0, i-20):])
		}
		lines := strings.Split(strings.TrimSpace(a.body), "\n")
		if strings.Contains(ct, "+json") { // one document over many lines
			lines = []string{a.body}
		}
		for _, l := range lines {
			if !strings.Contains(ct, "event-stream") && l != "" && !json.Valid([]byte(l)) {
				t.Errorf("%s: not JSON: %.80q", target, l)
			}
		}
	default:
		t.Errorf("%s: unexpected content type %q", target, ct)
	}
}
