package server

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/store"
)

// memBackend is the rest of the server as the gateway sees it, in memory.
type memBackend struct {
	mu         sync.Mutex
	sections   map[inventory.DeviceID]map[inventory.SectionName]*inventory.Section
	applied    []uint64 // numbers of the deliveries that came
	registered []inventory.DeviceID
	online     map[inventory.DeviceID]bool
	looked     map[inventory.SectionName]time.Time
	fail       func(seq uint64) error
	hold       chan struct{} // when not nil, ingest waits for it
	events     []*protocol.Events
	failEvents error
	holdEvents chan struct{} // when not nil, keepEvents waits for it
	behind     time.Duration
}

func (b *memBackend) eventsKept(inventory.DeviceID) []protocol.Stream {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.events) == 0 {
		return nil
	}
	e := b.events[len(b.events)-1]
	return []protocol.Stream{{Stream: e.Stream, Seq: e.Seq}}
}

func (b *memBackend) eventsBehind() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.behind
}

func (b *memBackend) keepEvents(_ context.Context, _ inventory.DeviceID, e *protocol.Events) error {
	b.mu.Lock()
	hold := b.holdEvents
	b.mu.Unlock()
	if hold != nil {
		<-hold
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failEvents != nil {
		return b.failEvents
	}
	if _, err := e.Records(); err != nil {
		return Invalidf("events", "%v", err)
	}
	b.events = append(b.events, e)
	return nil
}

func (b *memBackend) audited(ctx context.Context, _ agentAct) (context.Context, func(error)) {
	return ctx, func(error) {}
}

func (b *memBackend) taskState(context.Context, inventory.DeviceID, *protocol.TaskState) error {
	return nil
}

func (b *memBackend) responseChanged(context.Context, inventory.DeviceID, *protocol.Response) error {
	return nil
}

func (b *memBackend) takePackage(context.Context, inventory.DeviceID, string, string, int64, io.Reader) error {
	return ErrNotFound
}

func newMemBackend() *memBackend {
	return &memBackend{sections: map[inventory.DeviceID]map[inventory.SectionName]*inventory.Section{},
		online: map[inventory.DeviceID]bool{}, looked: map[inventory.SectionName]time.Time{}}
}

func (b *memBackend) sectionHashes(_ context.Context, id inventory.DeviceID) (map[inventory.SectionName]string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := map[inventory.SectionName]string{}
	for n, s := range b.sections[id] {
		out[n] = s.Hash()
	}
	return out, nil
}

func (b *memBackend) ingest(ctx context.Context, id inventory.DeviceID, seq uint64, deltas []inventory.Delta) ([]inventory.SectionName, error) {
	b.mu.Lock()
	hold, fail := b.hold, b.fail
	b.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if fail != nil && len(deltas) > 0 {
		if err := fail(seq); err != nil {
			return nil, err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.applied = append(b.applied, seq)
	if b.sections[id] == nil {
		b.sections[id] = map[inventory.SectionName]*inventory.Section{}
	}
	var resync []inventory.SectionName
	for _, d := range deltas {
		next, err := inventory.Apply(b.sections[id][d.Name], d)
		if err != nil {
			resync = append(resync, d.Name)
			continue
		}
		b.sections[id][d.Name] = next
	}
	return resync, nil
}

func (b *memBackend) seen(_ context.Context, _ inventory.DeviceID, names map[inventory.SectionName]time.Time, _ time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for n, at := range names {
		b.looked[n] = at
	}
	return nil
}

func (b *memBackend) deviceRegistered(_ context.Context, id inventory.DeviceID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.registered = append(b.registered, id)
}

func (b *memBackend) connectionChanged(id inventory.DeviceID, connected bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.online[id] = connected
}

func (b *memBackend) reportsLost(inventory.DeviceID, store.Sign) {}

func (b *memBackend) isOnline(id inventory.DeviceID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.online[id]
}

// site is a gateway on a real listener.
type site struct {
	t    *testing.T
	g    *gateway
	b    *memBackend
	ca   *authority
	url  string
	secs string // an enrolment token without limit
}

func newSite(t *testing.T) *site {
	t.Helper()
	ctx := context.Background()
	st, err := store.Open(ctx, t.TempDir(), store.Options{Memory: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	ca, err := openAuthority(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	b := newMemBackend()
	g := newGateway(st, ca, b, slog.New(slog.DiscardHandler))
	g.pingWait = 300 * time.Millisecond
	s := serveGateway(t, g)
	s.b = b
	return s
}

// serveGateway puts a gateway on a real listener until the test ends.
func serveGateway(t *testing.T, g *gateway) *site {
	t.Helper()
	ctx, ca := context.Background(), g.ca
	cfg, err := ca.serverTLS("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	// Sessions are hijacked connections: the base context ends them.
	base, cancel := context.WithCancel(ctx)
	ln, err := tls.Listen("tcp", "127.0.0.1:0", cfg)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: g.handler(), BaseContext: func(net.Listener) context.Context { return base },
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug), ReadHeaderTimeout: 10 * time.Second}
	var serving sync.WaitGroup
	serving.Go(func() { _ = srv.Serve(ln) }) // ends with srv.Close
	t.Cleanup(func() {
		cancel()
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		serving.Wait()
		waitFor(t, "sessions to end", func() bool { return g.count() == 0 })
	})
	secret, _, err := g.createToken(ctx, "test", "", 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	return &site{t: t, g: g, ca: ca, url: "https://" + ln.Addr().String(), secs: secret}
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); <-tick.C {
		if ok() {
			return
		}
	}
	t.Fatalf("waited too long for %s", what)
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// client makes a TLS client with an optional certificate (DER chain).
func (s *site) client(cert *tls.Certificate, max uint16) *http.Client {
	cfg := &tls.Config{RootCAs: s.ca.pool, MaxVersion: max}
	if cert != nil {
		// Given to every server that asks, also when it asks for another authority.
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	}
	tr := &http.Transport{TLSClientConfig: cfg, DisableKeepAlives: true}
	s.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func (s *site) post(req protocol.EnrollRequest) (int, protocol.EnrollResponse, protocol.Refusal) {
	s.t.Helper()
	body, _ := json.Marshal(req)
	resp, err := s.client(nil, 0).Post(s.url+protocol.EnrollPath, "application/json", bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	var ok protocol.EnrollResponse
	var no protocol.Refusal
	_ = json.Unmarshal(raw, &ok)
	_ = json.Unmarshal(raw, &no)
	return resp.StatusCode, ok, no
}

// fakeAgent speaks the protocol and nothing more.
type fakeAgent struct {
	s    *site
	key  *ecdsa.PrivateKey
	id   inventory.DeviceID
	cert *tls.Certificate
	conn *protocol.Conn
	last *protocol.Welcome
}

func (s *site) enroll(key *ecdsa.PrivateKey) *fakeAgent {
	s.t.Helper()
	csr, err := protocol.NewCSR(key)
	if err != nil {
		s.t.Fatal(err)
	}
	status, out, no := s.post(protocol.EnrollRequest{Version: 1, Token: s.secs, CSR: csr})
	if status != 200 {
		s.t.Fatalf("enrol: %d %+v", status, no)
	}
	a := &fakeAgent{s: s, key: key, id: out.Device}
	a.use(out.Certificate)
	return a
}

func (a *fakeAgent) use(text string) {
	a.s.t.Helper()
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		a.s.t.Fatal("no certificate")
	}
	a.cert = &tls.Certificate{Certificate: [][]byte{block.Bytes}, PrivateKey: a.key}
}

// dial opens a session; code is that of the server's refusal, "" when TLS failed.
func (s *site) dial(cert *tls.Certificate, max uint16) (conn *protocol.Conn, code string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ws, resp, err := websocket.Dial(ctx, s.url+protocol.SessionPath, &websocket.DialOptions{HTTPClient: s.client(cert, max)})
	if err != nil {
		var no protocol.Refusal
		if resp != nil {
			_ = json.NewDecoder(resp.Body).Decode(&no) // what is no refusal has no code
		}
		return nil, no.Code, err
	}
	conn = protocol.NewConn(ws, nil)
	s.t.Cleanup(conn.CloseNow)
	return conn, "", nil
}

func (a *fakeAgent) send(m *protocol.Message) {
	a.s.t.Helper()
	if err := a.conn.Send(context.Background(), m); err != nil {
		a.s.t.Fatal(err)
	}
}

func (a *fakeAgent) recv() *protocol.Message {
	a.s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	m, done, err := a.conn.Recv(ctx)
	done()
	if err != nil {
		a.s.t.Fatal(err)
	}
	return m
}

// hello opens a session and returns the first answer.
func (a *fakeAgent) hello(nonce string, e protocol.Evidence) *protocol.Message {
	a.s.t.Helper()
	conn, _, err := a.s.dial(a.cert, 0)
	if err != nil {
		a.s.t.Fatal(err)
	}
	a.conn = conn
	a.send(&protocol.Message{Hello: &protocol.Hello{Version: 1, AgentVersion: "t", OS: "linux", Arch: "amd64", Nonce: nonce, Evidence: e}})
	return a.recv()
}

// connect opens a session that must be let in, and confirms the nonce.
func (a *fakeAgent) connect(nonce string, e protocol.Evidence) *protocol.Welcome {
	a.s.t.Helper()
	m := a.hello(nonce, e)
	if m.Welcome == nil {
		a.s.t.Fatalf("answer to Hello: %+v", m)
	}
	a.last = m.Welcome
	a.send(&protocol.Message{Kept: &protocol.Kept{Nonce: m.Welcome.Nonce}})
	waitFor(a.s.t, "the nonce to be noted", func() bool {
		d, err := a.s.g.st.Device(context.Background(), a.id)
		return err == nil && d.Nonce == m.Welcome.Nonce
	})
	return m.Welcome
}

func (a *fakeAgent) bye() {
	a.conn.CloseNow()
	waitFor(a.s.t, "the session to end", func() bool { return !a.s.b.isOnline(a.id) })
}

var home = protocol.Evidence{MachineID: strings.Repeat("a", 64), BootID: "b1", MACs: []string{"02:00:00:00:00:01"}}

func section(name inventory.SectionName, keys ...string) *inventory.Section {
	s := inventory.NewSection(name, inventory.Complete, "")
	for _, k := range keys {
		s.Put(k, inventory.Package{Name: k, Version: "1"})
	}
	s.Seal()
	return s
}

func TestEnrolAndDeliver(t *testing.T) {
	s := newSite(t)
	a := s.enroll(newKey(t))
	w := a.connect("", home)
	if w.LastSeq != 0 || len(w.Hashes) != 0 || w.Nonce == "" {
		t.Fatalf("first Welcome = %+v", w)
	}
	one := section(inventory.DPKG, "bash", "openssl")
	a.send(&protocol.Message{Deliver: &protocol.Deliver{Seq: 7, Deltas: []inventory.Delta{inventory.Diff(nil, one)}}})
	if m := a.recv(); m.Ack == nil || m.Ack.Seq != 7 || len(m.Ack.Rejected) != 0 {
		t.Fatalf("answer = %+v", m)
	}
	two := section(inventory.DPKG, "bash", "curl")
	a.send(&protocol.Message{Deliver: &protocol.Deliver{Seq: 9, Deltas: []inventory.Delta{inventory.Diff(one, two)}}})
	a.recv()
	// A number that was there is acknowledged and changes nothing.
	a.send(&protocol.Message{Deliver: &protocol.Deliver{Seq: 8, Deltas: []inventory.Delta{inventory.Diff(nil, one)}}})
	if m := a.recv(); m.Ack == nil || m.Ack.Seq != 9 {
		t.Fatalf("answer to an old number = %+v", m)
	}
	if got := s.b.sections[a.id][inventory.DPKG].Hash(); got != two.Hash() {
		t.Error("the section is not what was delivered")
	}
	if !slices.Equal(s.b.applied, []uint64{7, 9}) {
		t.Errorf("applied %v, want 7 and 9 once", s.b.applied)
	}
	// A change from content that the server does not have: first what to send whole, then the Ack.
	a.send(&protocol.Message{Deliver: &protocol.Deliver{Seq: 10, Deltas: []inventory.Delta{inventory.Diff(one, section(inventory.DPKG, "x"))}}})
	if m := a.recv(); m.Resync == nil || m.Resync.Sections[0] != inventory.DPKG {
		t.Fatalf("answer to a misplaced change = %+v", m)
	}
	if m := a.recv(); m.Ack == nil || m.Ack.Seq != 10 {
		t.Fatalf("then = %+v", m)
	}
	at := time.Now().UTC().Truncate(time.Second)
	a.send(&protocol.Message{Seen: &protocol.Seen{Mark: 3, Sections: map[inventory.SectionName]time.Time{inventory.DPKG: at, "bogus": at}, Spool: protocol.SpoolStats{Dropped: 5}}})
	if m := a.recv(); m.Ack == nil || m.Ack.Mark != 3 || !s.b.looked[inventory.DPKG].Equal(at) || len(s.b.looked) != 1 {
		t.Fatalf("answer to Seen = %+v, noted %v", m, s.b.looked)
	}
	look := order{action: "check-in", effect: EffectLook, stands: func() error { return nil }}
	nudge := &protocol.Message{Nudge: &protocol.Nudge{}}
	if sent, err := s.g.carry(look, a.id, nudge); !sent || err != nil {
		t.Error("nudge: not connected", err)
	}
	if m := a.recv(); m.Nudge == nil {
		t.Errorf("nudge = %+v", m)
	}
	s.g.flush(context.Background())
	if d, err := s.g.st.Device(context.Background(), a.id); err != nil || d.Dropped != 5 || d.AgentVersion != "t" {
		t.Errorf("device = %+v, %v", d, err)
	}
	a.bye()
	if sent, err := s.g.carry(look, a.id, nudge); s.g.connected(a.id) || sent || err != nil {
		t.Error("the device is still connected", err)
	}
}

// forge makes a client certificate for a key, signed by the site's authority
// or another one, as mod says.
func (s *site) forge(key *ecdsa.PrivateKey, parent *x509.Certificate, signer *ecdsa.PrivateKey, mod func(*x509.Certificate)) *tls.Certificate {
	s.t.Helper()
	id, err := protocol.KeyID(key)
	if err != nil {
		s.t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(77), Subject: pkix.Name{CommonName: string(id)}, NotBefore: time.Now().Add(-2 * time.Hour),
		NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true}
	if mod != nil {
		mod(c)
	}
	if parent == nil {
		parent = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		s.t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestSessionRefusesEveryCertificateButItsOwn(t *testing.T) {
	s := newSite(t)
	other, err := openAuthority(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	good := s.enroll(newKey(t))
	key := newKey(t)
	own := func(mod func(*x509.Certificate)) *tls.Certificate { return s.forge(key, s.ca.cert, s.ca.key, mod) }
	sub := newKey(t)
	subCert := s.forge(sub, s.ca.cert, s.ca.key, func(c *x509.Certificate) {
		c.IsCA, c.KeyUsage, c.ExtKeyUsage = true, x509.KeyUsageCertSign, nil
	})
	parsed, err := x509.ParseCertificate(subCert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	chained := s.forge(key, parsed, sub, nil)
	chained.Certificate = append(chained.Certificate, subCert.Certificate[0])

	for _, tt := range []struct {
		name string
		cert *tls.Certificate
		max  uint16
		code string // of the refusal; "": the handshake fails
	}{
		{name: "none", code: protocol.RefusedCertificate},
		{name: "other authority", cert: s.forge(key, other.cert, other.key, nil)},
		{name: "self-signed", cert: s.forge(key, nil, key, nil)},
		{name: "expired", cert: own(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })},
		{name: "not yet valid", cert: own(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) })},
		{name: "signed by a signed one", cert: chained},
		{name: "can sign", cert: own(func(c *x509.Certificate) {
			c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageDigitalSignature
		}), code: protocol.RefusedCertificate},
		{name: "sign usage without being an authority", cert: own(func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageCRLSign }), code: protocol.RefusedCertificate},
		{name: "for servers", cert: own(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })},
		{name: "name of another device", cert: own(func(c *x509.Certificate) { c.Subject.CommonName = string(good.id) }), code: protocol.RefusedCertificate},
		{name: "free name", cert: own(func(c *x509.Certificate) { c.Subject.CommonName = "host.example" }), code: protocol.RefusedCertificate},
		{name: "never issued", cert: own(nil), code: protocol.RefusedUnknown},
		{name: "serial of another device's certificate", cert: own(func(c *x509.Certificate) {
			leaf, err := x509.ParseCertificate(good.cert.Certificate[0])
			if err != nil {
				t.Fatal(err)
			}
			c.SerialNumber = leaf.SerialNumber
		}), code: protocol.RefusedUnknown},
		{name: "TLS 1.2", cert: good.cert, max: tls.VersionTLS12, code: protocol.RefusedCertificate},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn, code, err := s.dial(tt.cert, tt.max)
			if err == nil {
				conn.CloseNow()
				t.Fatal("a session was opened")
			}
			if code != tt.code {
				t.Errorf("refused with %q, want %q (%v)", code, tt.code, err)
			}
		})
	}
	conn, _, err := s.dial(good.cert, 0)
	if err != nil {
		t.Fatalf("the good certificate: %v", err)
	}
	conn.CloseNow()
}

func TestPeerIDNeedsTLS13(t *testing.T) {
	s := newSite(t)
	a := s.enroll(newKey(t))
	leaf, err := x509.ParseCertificate(a.cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	cs := &tls.ConnectionState{HandshakeComplete: true, Version: tls.VersionTLS13, VerifiedChains: [][]*x509.Certificate{{leaf, s.ca.cert}}}
	if id, _, err := protocol.PeerID(cs); err != nil || id != a.id {
		t.Fatalf("PeerID = %v, %v", id, err)
	}
	cs.Version = tls.VersionTLS12
	if _, _, err := protocol.PeerID(cs); err == nil {
		t.Error("TLS 1.2 passes")
	}
}

func TestEnrolTokens(t *testing.T) {
	s := newSite(t)
	ctx := context.Background()
	ask := func(secret string, key *ecdsa.PrivateKey) (int, string) {
		csr, err := protocol.NewCSR(key)
		if err != nil {
			t.Fatal(err)
		}
		status, _, no := s.post(protocol.EnrollRequest{Version: 1, Token: secret, CSR: csr})
		return status, no.Reason
	}
	once, row, err := s.g.createToken(ctx, "t", "one", 1, 1)
	if err != nil || !strings.HasPrefix(once, "pkt_") || len(once) < 4+26 {
		t.Fatalf("createToken = %q, %v", once, err)
	}
	key := newKey(t)
	if status, reason := ask(once, key); status != 200 {
		t.Fatalf("first use: %d %s", status, reason)
	}
	if status, reason := ask(once, newKey(t)); status != 403 || !strings.Contains(reason, "used up") {
		t.Errorf("second use: %d %s", status, reason)
	}
	// The key that is enrolled already needs no token and stays the device it is.
	if status, _ := ask("", key); status != 200 {
		t.Errorf("same key without token: %d", status)
	}
	if len(s.b.registered) != 1 {
		t.Errorf("registered %v, want one device", s.b.registered)
	}
	if status, reason := ask("", newKey(t)); status != 403 || !strings.Contains(reason, "no enrolment token") {
		t.Errorf("new key without token: %d %s", status, reason)
	}
	if status, reason := ask("pkt_AAAAAAAAAAAAAAAAAAAAAAAAAA", newKey(t)); status != 403 || !strings.Contains(reason, "not known") {
		t.Errorf("unknown token: %d %s", status, reason)
	}
	list, err := s.g.tokens(ctx)
	if err != nil || len(list) != 2 {
		t.Fatalf("tokens = %v, %v", list, err)
	}
	for _, r := range list {
		if r.ID == row.ID && r.Uses != 1 {
			t.Errorf("uses = %d, want 1", r.Uses)
		}
	}
	many, row, err := s.g.createToken(ctx, "t", "", 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.g.revokeToken(ctx, "t", row.ID); err != nil {
		t.Fatal(err)
	}
	if status, reason := ask(many, newKey(t)); status != 403 || !strings.Contains(reason, "revoked") {
		t.Errorf("revoked token: %d %s", status, reason)
	}
	if err := s.g.revokeToken(ctx, "t", "tok_none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("revoke of nothing: %v", err)
	}
	short, _, err := s.g.createToken(ctx, "t", "", 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	s.g.now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	if status, reason := ask(short, newKey(t)); status != 403 || !strings.Contains(reason, "expired") {
		t.Errorf("expired token: %d %s", status, reason)
	}
}

func TestLastUseOfATokenIsGivenOnce(t *testing.T) {
	s := newSite(t)
	secret, _, err := s.g.createToken(context.Background(), "t", "", 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	ok := 0
	for range 12 {
		csr, err := protocol.NewCSR(newKey(t))
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			status, _, _ := s.post(protocol.EnrollRequest{Version: 1, Token: secret, CSR: csr})
			mu.Lock()
			defer mu.Unlock()
			if status == 200 {
				ok++
			}
		})
	}
	wg.Wait()
	if ok != 3 {
		t.Errorf("%d enrolments with a token for 3", ok)
	}
}

func TestEnrolRefusesBadRequests(t *testing.T) {
	s := newSite(t)
	csr, err := protocol.NewCSR(newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	broken := strings.Replace(csr, csr[60:64], "AAAA", 1)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, p384)
	if err != nil {
		t.Fatal(err)
	}
	wrong := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
	for name, req := range map[string]protocol.EnrollRequest{
		"no csr":      {Version: 1, Token: s.secs},
		"broken csr":  {Version: 1, Token: s.secs, CSR: broken},
		"other curve": {Version: 1, Token: s.secs, CSR: wrong},
		"old version": {Version: 0, Token: s.secs, CSR: csr},
		"huge":        {Version: 1, Token: strings.Repeat("x", protocol.MaxEnroll), CSR: csr},
	} {
		if status, _, no := s.post(req); status != 400 || no.Reason == "" {
			t.Errorf("%s: %d %+v", name, status, no)
		}
	}
}

// Who guesses tokens is refused for a while, also with a good one; who enrols
// a fleet from one address is not.
func TestGuessingTokensIsLimited(t *testing.T) {
	s := newSite(t)
	csr, err := protocol.NewCSR(newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	good := protocol.EnrollRequest{Version: 1, Token: s.secs, CSR: csr}
	for range 2 * faultBurst {
		if status, _, no := s.post(good); status != 200 {
			t.Fatalf("a good request: %d %+v", status, no)
		}
	}
	wrong := good
	if wrong.CSR, err = protocol.NewCSR(newKey(t)); err != nil { // a key that is no device yet
		t.Fatal(err)
	}
	wrong.Token = "pkt_AAAAAAAAAAAAAAAAAAAAAAAAAA"
	limited := false
	for range 3 * faultBurst {
		status, _, no := s.post(wrong)
		if limited = status == 429; limited {
			break
		}
		if status != 403 || no.Code != protocol.RefusedToken {
			t.Fatalf("a wrong token: %d %+v", status, no)
		}
	}
	if status, _, _ := s.post(good); !limited || status != 429 {
		t.Errorf("limited after %d wrong tokens: %v; then a good one: %d", 3*faultBurst, limited, status)
	}
}

func TestLimiter(t *testing.T) {
	l, at := newLimiter(), time.Unix(1000, 0)
	for i := range faultBurst {
		if !l.allow("a", at) {
			t.Fatalf("refused after %d faults", i)
		}
		l.blame("a", at)
	}
	if l.allow("a", at) {
		t.Error("still allowed after the last fault")
	}
	if !l.allow("b", at) {
		t.Error("another address pays for it")
	}
	if !l.allow("a", at.Add(10*time.Second)) {
		t.Error("not allowed after a while")
	}
	for i := range maxBuckets + 10 {
		l.allow(string(rune(i))+"x", at)
	}
	if len(l.by) > maxBuckets {
		t.Errorf("%d addresses remembered", len(l.by))
	}
	for remote, want := range map[string]string{"10.1.2.3:99": "10.1.2.3", "[2001:db8::1]:5": "2001:db8::/64", "[::ffff:10.1.2.3]:5": "10.1.2.3"} {
		if got := remoteKey(remote); got != want {
			t.Errorf("remoteKey(%q) = %q, want %q", remote, got, want)
		}
	}
}
