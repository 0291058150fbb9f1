package server

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/group"
	"github.com/picketsec/picket/internal/rig"
	"github.com/picketsec/picket/internal/ticket"
)

const hookSecret = "0123456789abcdef"

// quick makes a server send without long waits.
func quick(s *Server) {
	s.tickets.lease, s.tickets.retry, s.tickets.most, s.tickets.poll = 2*time.Second, 10*time.Millisecond, 40*time.Millisecond, 20*time.Millisecond
}

func destination(t *testing.T, s *Server, kind ticket.Kind, c ticket.Config, secret string) DestinationRow {
	t.Helper()
	d, err := s.PutDestination(t.Context(), admin, "", DestinationInput{Kind: kind, Name: "at " + string(kind), Enabled: true, Config: c, Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// exposed is a server with one exposed device.
func exposed(t *testing.T, s *Server) *report {
	t.Helper()
	load(t, s, "tracker.json", opensslFix)
	r := newReport(s, enrol(t, s, "one"))
	r.send(t, "openssl 3.0.11-1~deb12u1")
	return r
}

// desks are receivers of all kinds, with how a destination reaches them.
func desks(t *testing.T) map[ticket.Kind]struct {
	desk   *rig.Desk
	config ticket.Config
	secret string
} {
	t.Helper()
	type d = struct {
		desk   *rig.Desk
		config ticket.Config
		secret string
	}
	out := map[ticket.Kind]d{}
	hook, github, jira, now := rig.NewHook(), rig.NewGitHub("tok", "acme/ops"), rig.NewJira("2", "Bearer tok"), rig.NewServiceNow("Bearer tok")
	now.Close()
	now = rig.NewServiceNow("Basic cGlja2V0OnRvaw==")
	out[ticket.Webhook] = d{hook, ticket.Config{URL: hook.URL}, hookSecret}
	out[ticket.GitHub] = d{github, ticket.Config{URL: github.URL, Project: "acme/ops"}, "tok"}
	out[ticket.Jira] = d{jira, ticket.Config{URL: jira.URL, API: "2", Project: "SEC", Issue: "Task"}, "tok"}
	out[ticket.ServiceNow] = d{now, ticket.Config{URL: now.URL, User: "picket", Project: "incident"}, "tok"}
	for _, k := range out {
		t.Cleanup(k.desk.Close)
	}
	return out
}

// A ticket goes out with the activity; its state comes back; a closed ticket
// completes nothing; all hear of completion, trackers by a comment.
func TestTicketsGoOutAndComeBack(t *testing.T) {
	s := testServer(t)
	quick(s)
	running(t, s)
	dev := exposed(t, s)
	all := desks(t)
	mail, err := rig.NewMail(rig.MailOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer mail.Close()
	ids := []string{destination(t, s, ticket.Email, ticket.Config{Host: mail.Host, Port: mail.Port, TLS: "none", From: "p@example.org", To: []string{"o@example.org"}}, "").ID}
	for kind, k := range all {
		ids = append(ids, destination(t, s, kind, k.config, k.secret).ID)
	}
	r := request(t, s, "va-_-debian-_-openssl", ids...)
	if r.Ticket != "pending" || len(r.Tickets) != 5 {
		t.Errorf("new activity has tickets %q %+v", r.Ticket, r.Tickets)
	}
	within(t, "five tickets", func() bool {
		r = remediationNow(t, s, r.ID)
		return !slices.ContainsFunc(r.Tickets, func(k TicketRow) bool { return k.State != "sent" })
	})
	all[ticket.Jira].desk.SetState("SEC-1", "In Progress")
	all[ticket.GitHub].desk.SetState("1", "closed/completed")
	all[ticket.ServiceNow].desk.SetState("100", "7")
	want := map[ticket.Kind]string{ticket.Jira: "in progress", ticket.GitHub: "closed", ticket.ServiceNow: "closed", ticket.Webhook: "", ticket.Email: ""}
	within(t, "states of tickets", func() bool {
		r = remediationNow(t, s, r.ID)
		return r.Ticket == "in progress" && !slices.ContainsFunc(r.Tickets, func(k TicketRow) bool { return k.Phase != want[k.Kind] })
	})
	if r.Status != RemediationActive {
		t.Errorf("with closed tickets the activity is %s", r.Status)
	}
	within(t, "a conditional question", func() bool {
		return slices.ContainsFunc(all[ticket.GitHub].desk.Asked(), func(q rig.DeskRequest) bool { return q.Status == http.StatusNotModified })
	})
	dev.send(t, "openssl 3.0.15-1~deb12u1")
	within(t, "completion told", func() bool { return len(all[ticket.Webhook].desk.Tickets()) == 2 && len(mail.Got()) == 2 })
	second := all[ticket.Webhook].desk.Tickets()[1].Fields
	if second["event"] != "remediation.completed" || second["fixed"] != 1.0 || second["id"] != r.ID {
		t.Errorf("the webhook heard %v", second)
	}
	if subject := mail.Got()[1].Text.Header; subject.Get("In-Reply-To") != mail.Got()[0].Text.Header.Get("Message-ID") {
		t.Errorf("the second mail does not answer the first: %v", subject)
	}
	within(t, "completion told to all", func() bool {
		r = remediationNow(t, s, r.ID)
		return len(r.Tickets) == 10 && !slices.ContainsFunc(r.Tickets, func(k TicketRow) bool { return k.State != "sent" })
	})
	for kind, k := range all {
		if n := len(k.desk.Tickets()); n != map[bool]int{true: 2, false: 1}[kind == ticket.Webhook] {
			t.Errorf("%s has %d tickets", kind, n)
		}
		if got := k.desk.Tickets()[0].Comments; kind != ticket.Webhook && (len(got) != 1 || !strings.Contains(got[0], "completed (System confirmation). Fixed devices: 1 of 1")) {
			t.Errorf("%s has comments %q, want one of the completion", kind, got)
		}
	}
	within(t, "the state of the worst ticket on the activity", func() bool { return remediationNow(t, s, r.ID).Ticket == "in progress" })
}

// The ticket of somebody who sees one device group tells of its devices alone:
// their number, and the steps for their systems.
func TestTicketsTellOfWhatTheirRequesterSees(t *testing.T) {
	s := testServer(t)
	quick(s)
	running(t, s)
	load(t, s, "tracker.json", opensslFix)
	g, err := s.SaveDeviceGroup(t.Context(), admin, 0, RuleEdit{Name: "alpha", Rules: on(group.Name, group.StartsWith, "alpha")})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"alpha-0", "omega-0", "omega-1"} {
		_, err := s.ImportSBOM(t.Context(), admin, []byte(`{"bomFormat":"CycloneDX","specVersion":"1.5","metadata":{"timestamp":"2026-11-01T00:00:00Z","component":{"type":"container","name":"`+name+`","version":"1"}},
			"components":[{"type":"library","name":"openssl","version":"3.0.11-1~deb12u1","purl":"pkg:deb/debian/openssl@3.0.11-1~deb12u1?arch=amd64&distro=debian-12&upstream=openssl"}]}`), SBOMImport{})
		if err != nil {
			t.Fatal(err)
		}
	}
	desk := rig.NewHook()
	t.Cleanup(desk.Close)
	to := destination(t, s, ticket.Webhook, ticket.Config{URL: desk.URL}, hookSecret).ID
	ana := Caller{Name: "ana", UserID: 4711, Permissions: []string{RemediationWrite, RemediationRead, RecommendationRead}, Scope: exposure.Within(g.ID)}
	r, err := s.RequestRemediation(t.Context(), ana, RemediationRequest{Recommendation: "va-_-debian-_-openssl", Type: RemedyUpdate, Priority: "High", Destinations: []string{to}})
	if err != nil || r.Progress.Targets != 1 {
		t.Fatalf("%+v, %v", r.Progress, err)
	}
	within(t, "the ticket", func() bool { return len(desk.Tickets()) == 1 })
	if _, err := s.CompleteRemediation(t.Context(), ana, r.ID, "done"); err != nil {
		t.Fatal(err)
	}
	within(t, "its completion", func() bool { return len(desk.Tickets()) == 2 })
	for _, k := range desk.Tickets() {
		raw := mustJSON(t, k.Fields)
		if k.Fields["targets"] != 1.0 || strings.Contains(raw, "omega") || strings.Contains(raw, "3 devices") || strings.Contains(raw, "2 devices") {
			t.Errorf("a ticket says %s", raw)
		}
	}
	if _, err := s.RetryTicket(t.Context(), Caller{Permissions: []string{RemediationWrite}, Scope: exposure.Within(g.ID + 1)}, r.ID, r.Tickets[0].ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("whoever does not see it sends it again: %v", err)
	}
}

// What became of an activity waits for its ticket; without one there is nothing
// to comment on, and that is said at once.
func TestCommentsWaitForTheirTicket(t *testing.T) {
	s := testServer(t)
	quick(s)
	exposed(t, s)
	desk := rig.NewGitHub("tok", "acme/ops")
	defer desk.Close()
	var broken atomic.Bool
	broken.Store(true)
	desk.Before = func(*http.Request) (int, map[string]string, string) {
		if broken.Load() {
			return http.StatusServiceUnavailable, nil, "maintenance"
		}
		return 0, nil, ""
	}
	d := destination(t, s, ticket.GitHub, ticket.Config{URL: desk.URL, Project: "acme/ops"}, "tok")
	r := request(t, s, "va-_-debian-_-openssl", d.ID)
	if _, err := s.CompleteRemediation(t.Context(), admin, r.ID, ""); err != nil {
		t.Fatal(err)
	}
	running(t, s)
	within(t, "attempts", func() bool { return remediationNow(t, s, r.ID).Tickets[0].Attempts > 1 })
	if k := remediationNow(t, s, r.ID).Tickets; len(k) != 2 || k[1].Attempts != 0 {
		t.Errorf("tickets %+v, want the comment to wait", k)
	}
	broken.Store(false)
	within(t, "the comment", func() bool { return len(desk.Tickets()) == 1 && len(desk.Tickets()[0].Comments) == 1 })

	broken.Store(true)
	s.tickets.life = 20 * time.Millisecond
	r = request(t, s, "va-_-debian-_-openssl", d.ID)
	within(t, "giving up", func() bool {
		r := remediationNow(t, s, r.ID)
		return r.Tickets[0].State == "dead" && r.Ticket == "dead"
	}) // the activity is told after its ticket
	broken.Store(false)
	s.tickets.life = time.Hour
	if _, err := s.CompleteRemediation(t.Context(), admin, r.ID, ""); err != nil {
		t.Fatal(err)
	}
	within(t, "the end of the comment", func() bool { return remediationNow(t, s, r.ID).Tickets[1].State == "dead" })
	if k := remediationNow(t, s, r.ID).Tickets[1]; !strings.Contains(k.Error, "never made") || k.Mend == "" || k.Attempts != 1 {
		t.Errorf("comment %+v", k)
	}
	for _, k := range remediationNow(t, s, r.ID).Tickets {
		if _, err := s.RetryTicket(t.Context(), admin, r.ID, k.ID); err != nil {
			t.Fatal(err)
		}
	}
	within(t, "the second ticket and its comment", func() bool { return len(desk.Tickets()) == 2 && len(desk.Tickets()[1].Comments) == 1 })
}

// A receiver in trouble is tried again, with the same key, and what is wrong is
// told; after the time that is given it is given up, and a person may try again.
func TestTicketsAreTriedAgain(t *testing.T) {
	s := testServer(t)
	quick(s)
	running(t, s)
	exposed(t, s)
	hook := rig.NewHook()
	defer hook.Close()
	var broken atomic.Bool
	broken.Store(true)
	hook.Before = func(*http.Request) (int, map[string]string, string) {
		if broken.Load() {
			return http.StatusServiceUnavailable, nil, "maintenance"
		}
		return 0, nil, ""
	}
	s.tickets.life = 500 * time.Millisecond
	d := destination(t, s, ticket.Webhook, ticket.Config{URL: hook.URL}, hookSecret)
	r := request(t, s, "va-_-debian-_-openssl", d.ID)
	within(t, "a second attempt", func() bool { return remediationNow(t, s, r.ID).Tickets[0].Attempts > 1 })
	within(t, "giving up", func() bool {
		r := remediationNow(t, s, r.ID)
		return r.Tickets[0].State == "dead" && r.Ticket == "dead"
	}) // the activity is told after its ticket
	r = remediationNow(t, s, r.ID)
	if k := r.Tickets[0]; !strings.Contains(k.Error, "503") || !strings.Contains(k.Error, "maintenance") || k.Mend == "" || r.Ticket != "dead" {
		t.Errorf("ticket %+v, %q", k, r.Ticket)
	}
	rows, err := s.Destinations(t.Context(), admin)
	if err != nil || rows[0].Dead != 1 || rows[0].Sent != 0 {
		t.Errorf("settings count %+v, %v", rows, err)
	}
	broken.Store(false)
	if _, err := s.RetryTicket(t.Context(), admin, r.ID, r.Tickets[0].ID); err != nil {
		t.Fatal(err)
	}
	within(t, "delivery", func() bool { return remediationNow(t, s, r.ID).Tickets[0].State == "sent" })
	if _, err := s.RetryTicket(t.Context(), admin, r.ID, r.Tickets[0].ID); !errors.Is(err, ErrConflict) {
		t.Errorf("retry of a ticket that was sent: %v, want a conflict", err)
	}
	keys := map[string]bool{}
	for _, q := range hook.Asked() {
		keys[q.Header.Get(ticket.HeaderKey)] = true
		if err := ticket.Verify(hookSecret, q.Header.Get(ticket.HeaderTimestamp), q.Header.Get(ticket.HeaderSignature), q.Body, time.Now(), ticket.ReplayWindow); err != nil {
			t.Error(err)
		}
	}
	if len(keys) != 1 || len(hook.Tickets()) != 1 {
		t.Errorf("%d keys and %d tickets, want one of each", len(keys), len(hook.Tickets()))
	}
	if n := len(remediationNow(t, s, r.ID).History); n != 3 { // requested, given up, sent
		t.Errorf("history has %d lines: %+v", n, remediationNow(t, s, r.ID).History)
	}
}

func TestPauses(t *testing.T) {
	k := newTicketDesk(&vault{})
	for n, want := range map[int]time.Duration{1: 15 * time.Second, 2: 30 * time.Second, 5: 4 * time.Minute, 9: time.Hour, 500: time.Hour} {
		seen := map[time.Duration]bool{}
		for range 50 {
			p := k.pause(n, errors.New("x"))
			seen[p] = true
			if p < want*3/4 || p > want*5/4 {
				t.Errorf("pause after %d attempts is %v, want about %v", n, p, want)
			}
		}
		if len(seen) < 2 {
			t.Errorf("pauses after %d attempts have no jitter", n)
		}
	}
	if p := k.pause(1, &ticket.Error{After: 10 * time.Minute}); p != 10*time.Minute {
		t.Errorf("a receiver asks for ten minutes and gets %v", p)
	}
}

// TestOutboxChild is no test: it is the server that the next test kills.
func TestOutboxChild(t *testing.T) {
	dir := os.Getenv("PICKET_OUTBOX_DIR")
	if dir == "" {
		t.Skip("runs as a child of TestKilledBetweenSentAndNoted")
	}
	s := openTest(t, dir)
	quick(s)
	t.Error(s.runTickets(t.Context()))
}

// A server that is killed after the receiver has made the ticket, or the comment
// of its completion, and before it knows of it makes no second one.
func TestKilledBetweenSentAndNoted(t *testing.T) {
	if testing.Short() {
		t.Skip("once, without the race detector")
	}
	all := desks(t)
	mail, err := rig.NewMail(rig.MailOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer mail.Close()
	kill := func(t *testing.T, kind ticket.Kind, c ticket.Config, secret string, onMade func(func()), about string) *Server {
		dir := filepath.Join(t.TempDir(), "data")
		s := openTest(t, dir)
		exposed(t, s)
		r := request(t, s, "va-_-debian-_-openssl", destination(t, s, kind, c, secret).ID)
		last := 0
		if about == "completed" {
			if _, err := s.ticketRound(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := s.CompleteRemediation(t.Context(), admin, r.ID, ""); err != nil {
				t.Fatal(err)
			}
			last = 1
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestOutboxChild$")
		child.Env = append(os.Environ(), "PICKET_OUTBOX_DIR="+dir)
		var killed atomic.Bool
		started := make(chan struct{})
		onMade(func() {
			<-started
			if killed.CompareAndSwap(false, true) {
				if err := child.Process.Signal(syscall.SIGKILL); err != nil {
					t.Error(err)
				}
				_, _ = child.Process.Wait() // dead before anything is answered
			}
		})
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		close(started)
		within(t, "the kill", killed.Load)
		_ = child.Wait() // its end is what this test is about
		s = openTest(t, dir)
		quick(s)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.runTickets(ctx) }()
		within(t, "delivery", func() bool { return remediationNow(t, s, r.ID).Tickets[last].State == "sent" })
		if k := remediationNow(t, s, r.ID).Tickets[last]; k.Attempts != 2 || k.Ref == "" {
			t.Errorf("%s: %+v, want a ticket after two attempts", kind, k)
		}
		stop()
		<-done
		return s
	}
	for kind, k := range all {
		t.Run(string(kind), func(t *testing.T) {
			s := kill(t, kind, k.config, k.secret, func(fn func()) { k.desk.OnMade(fn) }, "created")
			if n := len(k.desk.Tickets()); n != 1 {
				t.Errorf("%d tickets, want exactly one", n)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		if kind == ticket.Webhook {
			continue
		}
		t.Run(string(kind)+" comment", func(t *testing.T) {
			k.desk.OnMade(nil)
			s := kill(t, kind, k.config, k.secret, func(fn func()) { k.desk.OnMade(fn) }, "completed")
			all := k.desk.Tickets() // the other part's first
			if len(all) != 2 || len(all[1].Comments) != 1 {
				t.Errorf("tickets %+v, want the second with exactly one comment", all)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("email", func(t *testing.T) {
		c := ticket.Config{Host: mail.Host, Port: mail.Port, TLS: "none", From: "p@example.org", To: []string{"o@example.org"}}
		s := kill(t, ticket.Email, c, "", func(fn func()) { mail.OnTaken(fn) }, "created")
		got := mail.Got() // SMTP has no way to ask: the same message may come twice, under one name
		if len(got) != 2 || got[0].Text.Header.Get("Message-ID") != got[1].Text.Header.Get("Message-ID") || got[0].Body != got[1].Body {
			t.Errorf("mails %+v, want one message under one Message-ID", got)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A secret is sealed on disk, never told, and does not follow a changed address.
func TestSecretsOfDestinations(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	const secret = "very-secret-webhook-key"
	d := destination(t, s, ticket.Webhook, ticket.Config{URL: "https://hooks.example.org/a"}, secret)
	for _, suffix := range []string{"", "-wal"} {
		raw, err := os.ReadFile(filepath.Join(dir, "picket.db"+suffix))
		if err == nil && strings.Contains(string(raw), secret) {
			t.Errorf("picket.db%s holds the secret in the clear", suffix)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, vaultFile)); err != nil || info.Mode().Perm() != 0o600 || info.Size() != 32 {
		t.Errorf("key file: %v, %v", info, err)
	}
	in := DestinationInput{Kind: ticket.Webhook, Name: "renamed", Enabled: true, Config: ticket.Config{URL: "https://hooks.example.org/a"}}
	if row, err := s.PutDestination(t.Context(), admin, d.ID, in); err != nil || row.Name != "renamed" || !row.HasSecret {
		t.Errorf("renaming: %+v, %v", row, err)
	}
	in.Config.URL = "https://attacker.example.org"
	if _, err := s.PutDestination(t.Context(), admin, d.ID, in); !errors.Is(err, ErrInvalid) {
		t.Errorf("another address without the secret: %v, want a refusal", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir)
	defer func() { _ = s.Close() }()
	all, err := s.destinations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	one := all[d.ID]
	if got, err := s.tickets.vault.unseal("ticket:"+d.ID, one.Secret); err != nil || got != secret {
		t.Errorf("after a restart the secret is %q, %v", got, err)
	}
	if _, err := s.tickets.vault.unseal("ticket:other", one.Secret); err == nil {
		t.Error("a secret can be moved to another destination")
	}
	if err := s.RemoveDestination(t.Context(), admin, d.ID); err != nil {
		t.Fatal(err)
	}
	if all, err = s.destinations(t.Context()); err != nil || len(all[d.ID].Secret) != 0 {
		t.Errorf("a removed destination keeps its secret: %v", err)
	}
	if rows, err := s.Destinations(t.Context(), admin); err != nil || len(rows) != 0 {
		t.Errorf("a removed destination is listed: %+v, %v", rows, err)
	}
}

// A destination that was turned off or removed holds nothing else up.
func TestDestinationsOffAndRemoved(t *testing.T) {
	s := testServer(t)
	quick(s)
	running(t, s)
	exposed(t, s)
	hook := rig.NewHook()
	defer hook.Close()
	down := destination(t, s, ticket.GitHub, ticket.Config{URL: "http://127.0.0.1:1", Project: "a/b"}, "t")
	up := destination(t, s, ticket.Webhook, ticket.Config{URL: hook.URL}, hookSecret)
	r := request(t, s, "va-_-debian-_-openssl", down.ID, up.ID)
	within(t, "one of two", func() bool { return len(hook.Tickets()) == 1 })
	within(t, "the error of the other", func() bool { return remediationNow(t, s, r.ID).Ticket == "failing" })
	if err := s.RemoveDestination(t.Context(), admin, down.ID); err != nil {
		t.Fatal(err)
	}
	within(t, "giving up", func() bool {
		r := remediationNow(t, s, r.ID)
		return r.Tickets[0].State == "dead" && r.Ticket == "dead"
	}) // the activity is told after its ticket
	if _, err := s.RetryTicket(t.Context(), admin, r.ID, r.Tickets[0].ID); !errors.Is(err, ErrConflict) {
		t.Errorf("retry at a removed destination: %v, want a conflict", err)
	}
	if _, err := s.RequestRemediation(t.Context(), admin, RemediationRequest{Recommendation: "va-_-debian-_-openssl", Type: RemedyUpdate, Priority: "Low", Destinations: []string{down.ID}}); !errors.Is(err, ErrInvalid) {
		t.Errorf("request to a removed destination: %v, want a refusal", err)
	}
	res, err := s.TestDestination(t.Context(), admin, up.ID)
	if err != nil || !res.OK || len(hook.Tickets()) != 2 || hook.Tickets()[1].Fields["event"] != "remediation.test" {
		t.Errorf("test %+v, %v", res, err)
	}
}
