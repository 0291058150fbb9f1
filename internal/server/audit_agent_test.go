package server

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
)

// What makes a device, or keeps it one, is in the audit log: an enrolment, one
// that is refused, a renewed certificate, a fork and an osqueryd. Tokens are not.
func TestWhatMakesADeviceIsAudited(t *testing.T) {
	s := testServer(t)
	s.gate.pingWait = 300 * time.Millisecond
	site := serveGateway(t, s.gate)
	seen := 0
	told := func(action string, device inventory.DeviceID, outcome audit.Outcome, detail ...string) {
		t.Helper()
		seen++
		rows := auditLog(t, s, Query{Filter: map[string][]string{"action": {action}}})
		i := slices.IndexFunc(rows, func(r AuditRow) bool { return r.Object == string(device) && r.Outcome == outcome })
		if i < 0 {
			t.Fatalf("no entry of %s of %s that is %s: %+v", action, device, outcome, rows)
		}
		if r := rows[i]; r.Kind != audit.Agent || r.Remote != "127.0.0.1" && r.Remote != "192.0.2.1" || r.ActorID != string(device) {
			t.Errorf("%s is told as %+v", action, r)
		}
		for _, d := range detail {
			if !strings.Contains(string(rows[i].Detail), d) {
				t.Errorf("%s tells %s, not %q", action, rows[i].Detail, d)
			}
		}
	}
	a := site.enroll(newKey(t))
	told(agentEnrols, a.id, audit.Done, `"certificate"`, string(a.id))

	key := newKey(t)
	csr, err := protocol.NewCSR(key)
	if err != nil {
		t.Fatal(err)
	}
	if status, _, _ := site.post(protocol.EnrollRequest{Version: 1, Token: "pkt_GUESSEDGUESSEDGUESSEDGUESS", CSR: csr}); status != http.StatusForbidden {
		t.Fatalf("a guessed token = %d", status)
	}
	id, err := protocol.KeyID(key)
	if err != nil {
		t.Fatal(err)
	}
	told(agentEnrols, id, audit.Denied)

	w := a.connect("", home)
	if csr, err = protocol.NewCSR(a.key); err != nil {
		t.Fatal(err)
	}
	a.send(&protocol.Message{CSR: &protocol.CSR{Purpose: protocol.PurposeRenew, PEM: csr}})
	if m := a.recv(); m.Certificate == nil {
		t.Fatalf("renewal = %+v", m)
	}
	told(agentRenews, a.id, audit.Done, `"expires"`)

	stop := a.answer()
	copied := *a
	clone := copied.fork(copied.hello(w.Nonce, home))
	stop()
	told(agentForks, clone.id, audit.Done, `"fork_of":"`+string(a.id)+`"`)

	now := time.Now()
	secret, _, err := s.st.CreateToken(t.Context(), "osquery", "test", 1, now, now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time the token is used up
		rec := httptest.NewRecorder()
		s.AgentHandler().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/osquery/enroll", strings.NewReader(`{"enroll_secret":"`+secret+`","host_identifier":"web","host_details":{}}`)))
		if rec.Code != http.StatusOK {
			t.Fatalf("osquery = %d %s", rec.Code, rec.Body)
		}
	}
	rows := auditLog(t, s, Query{Filter: map[string][]string{"action": {nodeEnrols}}})
	if len(rows) != 2 || rows[0].Outcome != audit.Done || rows[1].Outcome != audit.Denied || rows[0].Actor != "osqueryd" || !strings.Contains(string(rows[0].Detail), `"host_identifier":"web"`) {
		t.Errorf("osquery: %+v", rows)
	}
	for _, r := range auditLog(t, s, Query{}) {
		if text := string(r.Detail) + r.Object; strings.Contains(text, secret) || strings.Contains(text, site.secs) || strings.Contains(text, "GUESSED") {
			t.Errorf("a token is in the log: %+v", r)
		}
	}
}

// An agent that asks for certificates without end does not fill the audit log:
// what is not listed is counted.
func TestRepeatedRenewalsAreCounted(t *testing.T) {
	s := testServer(t)
	act := agentAct{action: agentRenews, device: inventory.IDFromKey([]byte("x")), again: true}
	for range mostRefusals + 50 {
		_, end := s.audited(t.Context(), act)
		end(nil)
	}
	n := len(auditLog(t, s, Query{}))
	if n < mostRefusals || n > mostRefusals+40 {
		t.Errorf("%d entries", n)
	}
	s.repeated.left = 1
	_, end := s.audited(t.Context(), act)
	end(nil)
	rows, counted := auditLog(t, s, Query{}), 0
	for _, r := range rows {
		counted += r.NotListed
	}
	if len(rows) != n+1 || counted != mostRefusals+50-n {
		t.Errorf("%d entries say that %d are not listed", len(rows), counted)
	}
}

// Every route of the agents' listener leaves an entry, or is named with why it
// does not; and every command of the admin socket leaves one, done or failed, or
// is named as one that only reads.
func TestEveryAgentRouteAndVerbIsAudited(t *testing.T) {
	const data = "what a device reports, which changes nobody's rights"
	said := map[string]string{"POST /agent/v1/enroll": agentEnrols, "GET /agent/v1/session": agentRenews + " and " + agentForks, "PUT /agent/v1/package/{id}": "the action that asked for it is in the log",
		"POST /api/osquery/enroll": nodeEnrols, "POST /api/v1/osquery/enroll": nodeEnrols}
	for _, path := range []string{"config", "log", "distributed/read", "distributed/write"} {
		said["POST /api/osquery/"+path], said["POST /api/v1/osquery/"+path] = data, data
	}
	s := testServer(t)
	for _, r := range s.AgentRoutes() {
		if said[r] == "" {
			t.Errorf("nothing says what %s leaves in the audit log", r)
		}
	}
	if len(s.AgentRoutes()) != len(said) {
		t.Errorf("routes %q, want those of %v", s.AgentRoutes(), said)
	}
	quiet := []string{"ping", "explain", "intel status", "vex list", "audit verify", "lockdown status", "bench load", "bench match"} // which change nothing that anybody relies on
	if !slices.Equal(quiet, quietVerbs) {
		t.Errorf("quiet are %q, want %q", quietVerbs, quiet)
	}
	args := map[string]string{"intel sync": `{"base":{"debian":"nowhere"}}`} // nothing is fetched
	for _, verb := range AdminVerbs() {
		if strings.HasPrefix(verb, "bench ") {
			continue // quiet, and long
		}
		before := len(auditLog(t, s, Query{}))
		_, err := s.Admin(t.Context(), verb, []byte(cmp.Or(args[verb], "{}")), func(Progress) {})
		rows := auditLog(t, s, Query{})
		want := 1
		if slices.Contains(quiet, verb) {
			want = 0
		}
		if len(rows) != before+want {
			t.Errorf("%q (%v) left %d entries, want %d", verb, err, len(rows)-before, want)
			continue
		}
		if want == 1 {
			if r := rows[len(rows)-1]; r.Action != verb || r.Kind != audit.Local || (r.Outcome == audit.Done) != (err == nil) {
				t.Errorf("%q (%v) is told as %+v", verb, err, r)
			}
		}
	}
}
