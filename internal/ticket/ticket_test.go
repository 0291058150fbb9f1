package ticket_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/rig"
	"github.com/picketsec/picket/internal/ticket"
)

var at = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func message(key string) *ticket.Message {
	return &ticket.Message{Key: key, Thread: key, Event: "created", ID: "a1", Title: "Update openssl – now", Description: "Two weaknesses.", Steps: []string{"apt install openssl @all <b>"},
		Type: "Update", Component: "openssl", Priority: "High", Due: at, Notes: "soon\nplease", By: "ann", Targets: 3, Link: "https://picket.example/remediation?open=a1", At: at}
}

// tracker is one of the systems that have tickets with a state.
type tracker struct {
	kind   ticket.Kind
	desk   func(t *testing.T) *rig.Desk
	config ticket.Config // without the address
	secret string
	states map[string]ticket.Phase // words of the desk
}

func basic(user, secret string) string {
	r := httptest.NewRequest("GET", "/", nil)
	r.SetBasicAuth(user, secret)
	return r.Header.Get("Authorization")
}

func trackers() map[string]tracker {
	return map[string]tracker{
		"github": {ticket.GitHub, func(*testing.T) *rig.Desk { return rig.NewGitHub("tok", "acme/ops") }, ticket.Config{Project: "acme/ops", Labels: []string{"security"}}, "tok",
			map[string]ticket.Phase{"open": ticket.Open, "closed/not_planned": ticket.Closed}},
		"jira cloud": {ticket.Jira, func(*testing.T) *rig.Desk { return rig.NewJira("3", basic("ann@example.org", "tok")) }, ticket.Config{API: "3", User: "ann@example.org", Project: "SEC", Issue: "Task"}, "tok",
			map[string]ticket.Phase{"To Do": ticket.Open, "In Progress": ticket.InProgress, "Done": ticket.Closed}},
		"jira server": {ticket.Jira, func(*testing.T) *rig.Desk { return rig.NewJira("2", "Bearer pat", "duedate", "priority") }, ticket.Config{API: "2", Project: "SEC", Issue: "Bug"}, "pat",
			map[string]ticket.Phase{"Done": ticket.Closed}},
		"servicenow": {ticket.ServiceNow, func(*testing.T) *rig.Desk { return rig.NewServiceNow(basic("picket", "pw")) }, ticket.Config{User: "picket", Project: "incident"}, "pw",
			map[string]ticket.Phase{"1": ticket.Open, "2": ticket.InProgress, "6": ticket.Closed, "7": ticket.Closed}},
	}
}

func (k tracker) start(t *testing.T) (*rig.Desk, ticket.Destination) {
	t.Helper()
	d := k.desk(t)
	t.Cleanup(d.Close)
	return d, k.open(t, d.URL, k.secret)
}

func (k tracker) open(t *testing.T, url, secret string) ticket.Destination {
	t.Helper()
	c := k.config
	c.URL = url
	to, err := ticket.New(k.kind, c, secret, ticket.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// Every tracker makes one ticket for a key, however often it is told to, finds
// the one that is there when an earlier attempt may have made it, and says how
// far it is.
func TestTrackers(t *testing.T) {
	for name, k := range trackers() {
		t.Run(name, func(t *testing.T) {
			d, to := k.start(t)
			ctx := t.Context()
			if err := to.Test(ctx, message("0")); err != nil {
				t.Errorf("test of good settings: %v", err)
			}
			first, err := to.Send(ctx, message("k1"))
			if err != nil {
				t.Fatal(err)
			}
			other, err := to.Send(ctx, message("k2"))
			if err != nil || other.ID == first.ID || other.URL == "" {
				t.Fatalf("second ticket %+v, %v", other, err)
			}
			again := message("k1")
			again.Again = time.Now().Add(-time.Minute)
			if ref, err := to.Send(ctx, again); err != nil || ref.ID != first.ID || ref.URL != first.URL {
				t.Errorf("sent again: %+v, %v, want %+v", ref, err, first)
			}
			fresh := message("k3") // an attempt began and nothing came of it
			fresh.Again = time.Now()
			if ref, err := to.Send(ctx, fresh); err != nil || ref.ID == first.ID || ref.ID == other.ID {
				t.Errorf("sent after an attempt that did not get through: %+v, %v", ref, err)
			}
			if n := len(d.Tickets()); n != 3 {
				t.Errorf("%d tickets, want 3", n)
			}
			text := d.Tickets()[0].Fields
			raw, err := json.Marshal(text)
			if err != nil || !strings.Contains(string(raw), "Update openssl") || !strings.Contains(string(raw), "open=a1") || !strings.Contains(string(raw), "apt install openssl") {
				t.Errorf("ticket %s lacks title, step or link", raw)
			}
			wantComments(t, d, to, first.ID)
			for state, phase := range k.states {
				d.SetState(first.ID, state)
				if st, err := to.State(ctx, first.ID, ""); err != nil || st.Phase != phase || st.Word == "" {
					t.Errorf("state %q is %+v, %v, want %q", state, st, err, phase)
				}
			}
			var e *ticket.Error
			if _, err := to.State(ctx, "999", ""); !errors.As(err, &e) || e.Mend == "" {
				t.Errorf("state of a ticket that is not there: %v", err)
			}
			bad := k.open(t, d.URL, "wrong")
			if _, err := bad.Send(ctx, message("k4")); !errors.As(err, &e) || !strings.Contains(e.What, "401") || !strings.Contains(e.Mend, "token") {
				t.Errorf("a wrong token: %v, want an error that says how to mend it", err)
			}
			if strings.Contains(e.What+e.Mend, "wrong") {
				t.Errorf("the error tells the secret: %v", e)
			}
		})
	}
}

// wantComments has what became of a ticket told there, once for each key.
func wantComments(t *testing.T, d *rig.Desk, to ticket.Destination, id string) {
	t.Helper()
	told := func(key string, again time.Time) {
		t.Helper()
		m := message(key)
		m.Event, m.Ticket, m.Fixed, m.Again = "completed", id, 3, again
		if ref, err := to.Send(t.Context(), m); err != nil || ref.ID != id || ref.URL == "" || ref.Phase != ticket.Unknown {
			t.Errorf("comment %s: %+v, %v", key, ref, err)
		}
	}
	told("c1", time.Time{})
	told("c1", time.Now().Add(-time.Minute)) // it may have got through, and did
	told("c2", time.Now())                   // it may have got through, and did not
	got := d.Tickets()[0].Comments
	if len(got) != 2 || !strings.Contains(got[0], "completed") || !strings.Contains(got[0], "3 of 3") || !strings.Contains(got[0], "c1") || len(d.Tickets()[1].Comments) != 0 {
		t.Errorf("comments %q, want two that say what is done", got)
	}
	for n := range 150 { // more than a page of comments, the first of them ours
		told("x"+strconv.Itoa(n), time.Time{})
	}
	told("c1", time.Now().Add(-time.Minute))
	if n := len(d.Tickets()[0].Comments); n != 152 {
		t.Errorf("%d comments, want 152", n)
	}
	m := message("c9")
	m.Event, m.Ticket = "reopened", "999"
	var e *ticket.Error
	if _, err := to.Send(t.Context(), m); !errors.As(err, &e) || e.Mend == "" {
		t.Errorf("a comment on a ticket that is not there: %v", err)
	}
}

// GitHub is asked with the tag of the last answer: nothing is sent when nothing changed.
func TestConditionalQuestions(t *testing.T) {
	d, to := trackers()["github"].start(t)
	ref, err := to.Send(t.Context(), message("k"))
	if err != nil {
		t.Fatal(err)
	}
	st, err := to.State(t.Context(), ref.ID, "")
	if err != nil || st.ETag == "" {
		t.Fatalf("%+v, %v", st, err)
	}
	if again, err := to.State(t.Context(), ref.ID, st.ETag); err != nil || !again.Same {
		t.Errorf("asked again: %+v, %v, want the same", again, err)
	}
	if asked := d.Asked(); asked[len(asked)-1].Status != http.StatusNotModified {
		t.Errorf("the answer was %d", asked[len(asked)-1].Status)
	}
	d.SetState(ref.ID, "closed/completed")
	if again, err := to.State(t.Context(), ref.ID, st.ETag); err != nil || again.Same || again.Phase != ticket.Closed || again.Word != "closed (completed)" {
		t.Errorf("after a change: %+v, %v", again, err)
	}
}

// A project without due date and priority on its screen gets the ticket without them.
func TestJiraSparesFields(t *testing.T) {
	d, to := trackers()["jira server"].start(t)
	if _, err := to.Send(t.Context(), message("k")); err != nil {
		t.Fatal(err)
	}
	f := d.Tickets()[0].Fields
	if f["duedate"] != nil || f["priority"] != nil || !strings.Contains(f["description"].(string), "Priority: High") || !strings.Contains(f["description"].(string), "Due: 2026-01-02") {
		t.Errorf("fields %v", f)
	}
}

// A mention or markup in text of an advisory reaches nobody.
func TestGitHubTextIsHarmless(t *testing.T) {
	d, to := trackers()["github"].start(t)
	if _, err := to.Send(t.Context(), message("k")); err != nil {
		t.Fatal(err)
	}
	if body := d.Tickets()[0].Fields["body"].(string); strings.Contains(body, "@all") || strings.Contains(body, "<b>") || !strings.Contains(body, "<!-- picket:k -->") {
		t.Errorf("body %q", body)
	}
}

// A webhook is signed over timestamp and body, carries its key, and is taken once.
func TestWebhook(t *testing.T) {
	const secret = "0123456789abcdef"
	d := rig.NewHook()
	defer d.Close()
	to, err := ticket.New(ticket.Webhook, ticket.Config{URL: d.URL + "/in?x=1"}, secret, ticket.Options{Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if ref, err := to.Send(t.Context(), message("k1")); err != nil || ref.ID != "T1" {
			t.Fatalf("%+v, %v", ref, err)
		}
	}
	if n := len(d.Tickets()); n != 1 {
		t.Errorf("the receiver took it %d times, want once", n)
	}
	r := d.Asked()[0]
	stamp, sig := r.Header.Get(ticket.HeaderTimestamp), r.Header.Get(ticket.HeaderSignature)
	for name, c := range map[string]struct {
		secret, stamp, sig string
		body               []byte
		now                time.Time
		ok                 bool
	}{
		"as it came":      {secret, stamp, sig, r.Body, at.Add(time.Minute), true},
		"another secret":  {secret + "x", stamp, sig, r.Body, at, false},
		"another body":    {secret, stamp, sig, append([]byte(" "), r.Body...), at, false},
		"another time":    {secret, strconv.Itoa(int(at.Unix()) + 1), sig, r.Body, at, false},
		"replayed later":  {secret, stamp, sig, r.Body, at.Add(ticket.ReplayWindow + time.Second), false},
		"from the future": {secret, stamp, sig, r.Body, at.Add(-ticket.ReplayWindow - time.Second), false},
	} {
		if err := ticket.Verify(c.secret, c.stamp, c.sig, c.body, c.now, ticket.ReplayWindow); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	var in struct {
		Version                    int
		Event, ID, Title, Priority string
		Targets                    int
		Due                        time.Time
	}
	if err := json.Unmarshal(r.Body, &in); err != nil || in.Version != 1 || in.Event != "remediation.created" || in.ID != "a1" || in.Targets != 3 || !in.Due.Equal(at) || r.Header.Get(ticket.HeaderEvent) != "remediation.created" {
		t.Errorf("body %s, %v", r.Body, err)
	}
	if _, err := to.State(t.Context(), "T1", ""); !errors.Is(err, ticket.ErrNoState) {
		t.Errorf("state of a webhook: %v", err)
	}
}

// What a receiver does to a request that it should not do.
func TestManners(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("a redirect to another host was followed with %q", r.Header.Get("Authorization"))
	}))
	defer other.Close()
	hang := make(chan struct{})
	defer close(hang)
	answers := map[string]struct {
		answer http.HandlerFunc
		want   string // in what or mend
		after  time.Duration
	}{
		"redirect": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) }, "redirect", 0},
		"too much": {func(w http.ResponseWriter, _ *http.Request) {
			for range 3 << 10 {
				_, _ = io.WriteString(w, strings.Repeat("x", 1024))
			}
		}, "more than", 0},
		"sign-in page": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>sign in</html>") }, "not the API's JSON", 0},
		"slow down": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(http.StatusTooManyRequests)
		}, "429", 2 * time.Minute},
		"broken": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, "502", 0},
		"hangs":  {func(_ http.ResponseWriter, r *http.Request) { <-hang }, "in time", 0},
	}
	for name, c := range answers {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(c.answer)
			defer srv.CloseClientConnections()
			to := trackers()["github"].open(t, srv.URL, "tok")
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			_, err := to.State(ctx, "1", "")
			var e *ticket.Error
			if !errors.As(err, &e) || !strings.Contains(e.What, c.want) || e.Mend == "" || e.After != c.after {
				t.Errorf("%+v, want an error about %q with how to mend it", err, c.want)
			}
		})
	}
	var e *ticket.Error
	if _, err := trackers()["github"].open(t, "https://169.254.169.254", "tok").State(t.Context(), "1", ""); !errors.As(err, &e) || !strings.Contains(e.What, "link-local") {
		t.Errorf("a link-local address: %v", err)
	}
	if _, err := trackers()["github"].open(t, "http://127.0.0.1:1", "tok").State(t.Context(), "1", ""); !errors.As(err, &e) || !strings.Contains(e.What, "refused") {
		t.Errorf("a closed port: %v", err)
	}
}

// Settings that cannot work are refused by name.
func TestSettings(t *testing.T) {
	long := "0123456789abcdef"
	mail := ticket.Config{Host: "mail.example.org", Port: 587, TLS: "starttls", From: "Picket <picket@example.org>", To: []string{"ops@example.org"}}
	with := func(c ticket.Config, f func(*ticket.Config)) ticket.Config { f(&c); return c }
	for _, c := range []struct {
		kind   ticket.Kind
		config ticket.Config
		secret string
		field  string // "": fine
	}{
		{ticket.Webhook, ticket.Config{URL: "https://x.example/in"}, long, ""},
		{ticket.Webhook, ticket.Config{URL: "https://x.example/in"}, "short", "secret"},
		{ticket.Webhook, ticket.Config{URL: "http://x.example/in"}, long, "url"},
		{ticket.Webhook, ticket.Config{URL: "http://127.0.0.1:8/in"}, long, ""},
		{ticket.Webhook, ticket.Config{URL: "ftp://x.example"}, long, "url"},
		{ticket.Webhook, ticket.Config{URL: "https://a:b@x.example"}, long, "url"},
		{ticket.Webhook, ticket.Config{URL: "https://x.example/\r\nHost: y"}, long, "config"},
		{ticket.GitHub, ticket.Config{URL: "https://api.github.com", Project: "acme/ops"}, "t", ""},
		{ticket.GitHub, ticket.Config{URL: "https://api.github.com", Project: "acme"}, "t", "project"},
		{ticket.GitHub, ticket.Config{URL: "https://api.github.com", Project: "acme/../x"}, "t", "project"},
		{ticket.GitHub, ticket.Config{URL: "https://api.github.com", Project: "acme/ops"}, "", "secret"},
		{ticket.Jira, ticket.Config{URL: "https://x.example", Project: "SEC", Issue: "Task", API: "3"}, "t", "user"},
		{ticket.Jira, ticket.Config{URL: "https://x.example", Project: "SEC", Issue: "Task", API: "1"}, "t", "api"},
		{ticket.Jira, ticket.Config{URL: "https://x.example", Project: `S"C`, Issue: "Task", API: "2"}, "t", "project"},
		{ticket.ServiceNow, ticket.Config{URL: "https://x.example", Project: "../x", User: "u"}, "t", "project"},
		{ticket.ServiceNow, ticket.Config{URL: "https://x.example?x=1", Project: "incident", User: "u"}, "t", "url"},
		{ticket.Email, mail, "", ""},
		{ticket.Email, with(mail, func(c *ticket.Config) { c.User = "u" }), "", "user"},
		{ticket.Email, with(mail, func(c *ticket.Config) { c.User, c.TLS = "u", "none" }), "pw", "tls"},
		{ticket.Email, with(mail, func(c *ticket.Config) { c.To = nil }), "", "to"},
		{ticket.Email, with(mail, func(c *ticket.Config) { c.To = []string{"a@b\r\nBcc: c@d"} }), "", "config"},
		{ticket.Email, with(mail, func(c *ticket.Config) { c.From = "nobody" }), "", "from"},
		{"fax", ticket.Config{URL: "https://x.example"}, "t", "kind"},
	} {
		_, err := ticket.New(c.kind, c.config, c.secret, ticket.Options{})
		var f *ticket.FieldError
		if c.field == "" && err != nil || c.field != "" && (!errors.As(err, &f) || f.Field != c.field) {
			t.Errorf("%s %+v: %v, want %q", c.kind, c.config, err, c.field)
		}
	}
}

// certificate makes a key for 127.0.0.1 and the pool that trusts it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "rig"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool
}

// Mail goes out over STARTTLS, TLS or in the clear to this machine, with PLAIN
// or LOGIN; the same key is the same Message-ID; what follows answers the first.
func TestMail(t *testing.T) {
	conf, pool := certificate(t)
	for name, c := range map[string]struct {
		server rig.MailOptions
		tls    string
		user   string
		secret string
		want   string // error; "": fine
	}{
		"starttls and plain": {rig.MailOptions{TLS: conf, User: "u", Password: "p"}, "starttls", "u", "p", ""},
		"tls and login":      {rig.MailOptions{TLS: conf, Now: true, LoginOnly: true, User: "u", Password: "p"}, "tls", "u", "p", ""},
		"nothing":            {rig.MailOptions{}, "none", "", "", ""},
		"wrong password":     {rig.MailOptions{TLS: conf, User: "u", Password: "p"}, "starttls", "u", "wrong", "535"},
		"no starttls":        {rig.MailOptions{User: "u", Password: "p"}, "starttls", "u", "p", "STARTTLS"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := rig.NewMail(c.server)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			to, err := ticket.New(ticket.Email, ticket.Config{Host: m.Host, Port: m.Port, TLS: c.tls, User: c.user, From: "Picket <picket@example.org>", To: []string{"Ops <ops@example.org>", "sec@example.org"}}, c.secret, ticket.Options{Roots: pool})
			if err != nil {
				t.Fatal(err)
			}
			ref, err := to.Send(t.Context(), message("k1"))
			if c.want != "" {
				var e *ticket.Error
				if !errors.As(err, &e) || !strings.Contains(e.What, c.want) || e.Mend == "" {
					t.Errorf("%v, want an error about %s", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			done := message("k2")
			done.Event, done.Thread = "completed", "k1"
			for _, msg := range []*ticket.Message{message("k1"), done} {
				if _, err := to.Send(t.Context(), msg); err != nil {
					t.Fatal(err)
				}
			}
			got := m.Got()
			if len(got) != 3 || len(got[0].To) != 2 || got[0].TLS != (c.tls != "none") || got[0].User != c.user {
				t.Fatalf("mail server got %+v", got)
			}
			id := got[0].Text.Header.Get("Message-ID")
			if id != ref.ID || id != "<k1@example.org>" || got[1].Text.Header.Get("Message-ID") != id || got[2].Text.Header.Get("In-Reply-To") != id || got[2].Text.Header.Get("Message-ID") == id {
				t.Errorf("ids %q, %q, %q in reply to %q", id, got[1].Text.Header.Get("Message-ID"), got[2].Text.Header.Get("Message-ID"), got[2].Text.Header.Get("In-Reply-To"))
			}
			text, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(got[0].Body)))
			if err != nil || !strings.Contains(string(text), "1. apt install openssl") || !strings.Contains(string(text), "soon\r\nplease") || got[0].Text.Header.Get("Auto-Submitted") != "auto-generated" {
				t.Errorf("text %q, %v", text, err)
			}
		})
	}
}

// An untrusted certificate is refused, and said so.
func TestUntrustedMailServer(t *testing.T) {
	conf, _ := certificate(t)
	m, err := rig.NewMail(rig.MailOptions{TLS: conf, Now: true})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	to, err := ticket.New(ticket.Email, ticket.Config{Host: m.Host, Port: m.Port, TLS: "tls", From: "picket@example.org", To: []string{"unknown@example.org"}}, "", ticket.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var e *ticket.Error
	if _, err := to.Send(t.Context(), message("k")); !errors.As(err, &e) || !strings.Contains(e.Mend, "certificate") {
		t.Errorf("%v, want an error about the certificate", err)
	}
}
