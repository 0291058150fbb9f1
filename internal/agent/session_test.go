package agent

import (
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
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
)

// fakeServer is the other end of the protocol, with everything in memory and
// every answer in the hands of the test.
type fakeServer struct {
	t    *testing.T
	addr string
	ca   string // file
	cert *x509.Certificate
	key  *ecdsa.PrivateKey

	mu       sync.Mutex // guards the fields below
	held     map[inventory.DeviceID]map[inventory.SectionName]*inventory.Section
	lastSeq  map[inventory.DeviceID]uint64
	delivers []protocol.Deliver
	hellos   []protocol.Hello
	issued   []inventory.DeviceID // by certificate requests of sessions
	seen     int
	version  int // of the protocol; 0: the newest
	events   map[inventory.DeviceID]*[protocol.NumStreams]uint64
	records  map[inventory.DeviceID][]event.Event
	takes    func(e *protocol.Events) []*protocol.Message  // nil: keep and acknowledge
	answer   func(d *protocol.Deliver) []*protocol.Message // nil: apply and acknowledge
	first    func(id inventory.DeviceID) *protocol.Message // in place of the Welcome, when not nil
	conn     *protocol.Conn                                // of the last session
}

func newFakeServer(t *testing.T) *fakeServer {
	t.Helper()
	f := &fakeServer{t: t, held: map[inventory.DeviceID]map[inventory.SectionName]*inventory.Section{}, lastSeq: map[inventory.DeviceID]uint64{}}
	var err error
	if f.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der := f.sign(root, root, &f.key.PublicKey)
	if f.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	f.ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(f.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644); err != nil {
		t.Fatal(err)
	}
	leaf := f.sign(&x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, f.cert, &f.key.PublicKey)
	pool := x509.NewCertPool()
	pool.AddCert(f.cert)
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{MinVersion: tls.VersionTLS13, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: pool,
		Certificates: []tls.Certificate{{Certificate: [][]byte{leaf}, PrivateKey: f.key}}})
	if err != nil {
		t.Fatal(err)
	}
	f.addr = ln.Addr().String()
	mux := http.NewServeMux()
	mux.HandleFunc(protocol.EnrollPath, f.enroll)
	mux.HandleFunc(protocol.SessionPath, f.session)
	ctx, cancel := context.WithCancel(context.Background())
	srv := &http.Server{Handler: mux, BaseContext: func(net.Listener) context.Context { return ctx }, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug), ReadHeaderTimeout: time.Minute}
	var wg sync.WaitGroup
	wg.Go(func() { _ = srv.Serve(ln) }) // ends with srv.Close
	t.Cleanup(func() {
		cancel()
		_ = srv.Close()
		wg.Wait()
	})
	return f
}

func (f *fakeServer) sign(c, parent *x509.Certificate, pub *ecdsa.PublicKey) []byte {
	der, err := x509.CreateCertificate(rand.Reader, c, parent, pub, f.key)
	if err != nil {
		f.t.Fatal(err)
	}
	return der
}

func (f *fakeServer) issue(csr string) (inventory.DeviceID, string) {
	id, req, err := protocol.ParseCSR(csr)
	if err != nil {
		f.t.Error(err)
		return "", ""
	}
	der := f.sign(&x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: string(id)}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, f.cert, req.PublicKey.(*ecdsa.PublicKey))
	return id, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func (f *fakeServer) enroll(w http.ResponseWriter, r *http.Request) {
	var req protocol.EnrollRequest
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		f.t.Error(err)
	}
	id, cert := f.issue(req.CSR)
	_ = json.NewEncoder(w).Encode(protocol.EnrollResponse{Device: id, Certificate: cert}) // a client that is gone asks again
}

func (f *fakeServer) session(w http.ResponseWriter, r *http.Request) {
	id, _, err := protocol.PeerID(r.TLS)
	if err != nil {
		f.t.Error(err)
		return
	}
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	ctx := r.Context()
	c := protocol.NewConn(ws, nil)
	defer c.CloseNow()
	for {
		m, done, err := c.Recv(ctx)
		done()
		if err != nil {
			return
		}
		for _, a := range f.take(id, c, m) {
			if c.Send(ctx, a) != nil {
				return
			}
		}
	}
}

// take applies a message and returns the answers.
func (f *fakeServer) take(id inventory.DeviceID, c *protocol.Conn, m *protocol.Message) []*protocol.Message {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conn = c
	switch {
	case m.Hello != nil:
		f.hellos = append(f.hellos, *m.Hello)
		if f.first != nil {
			if a := f.first(id); a != nil {
				return []*protocol.Message{a}
			}
		}
		hashes := map[inventory.SectionName]string{}
		for n, s := range f.held[id] {
			hashes[n] = s.Hash()
		}
		w := &protocol.Welcome{Version: protocol.Version, Nonce: "n", Hashes: hashes, LastSeq: f.lastSeq[id]}
		if f.version > 0 {
			w.Version = f.version
		}
		if last := f.events[id]; last != nil {
			for i, seq := range last {
				w.Events = append(w.Events, protocol.Stream{Stream: i, Seq: seq})
			}
		}
		return []*protocol.Message{{Welcome: w}}
	case m.Events != nil:
		if f.takes != nil {
			if a := f.takes(m.Events); a != nil {
				return a
			}
		}
		return f.keepEvents(id, m.Events)
	case m.CSR != nil:
		id, cert := f.issue(m.CSR.PEM)
		f.issued = append(f.issued, id)
		return []*protocol.Message{{Certificate: &protocol.Certificate{PEM: cert}}}
	case m.Seen != nil:
		f.seen += len(m.Seen.Sections)
		return []*protocol.Message{{Ack: &protocol.Ack{Mark: m.Seen.Mark}}}
	case m.Deliver != nil:
		f.delivers = append(f.delivers, *m.Deliver)
		if f.answer != nil {
			if a := f.answer(m.Deliver); a != nil {
				return a
			}
		}
		return f.apply(id, m.Deliver)
	}
	return nil
}

func (f *fakeServer) apply(id inventory.DeviceID, d *protocol.Deliver) []*protocol.Message {
	if f.held[id] == nil {
		f.held[id] = map[inventory.SectionName]*inventory.Section{}
	}
	var resync []inventory.SectionName
	if d.Seq <= f.lastSeq[id] {
		f.t.Errorf("number %d after %d", d.Seq, f.lastSeq[id])
	}
	for _, x := range d.Deltas {
		next, err := inventory.Apply(f.held[id][x.Name], x)
		if err != nil {
			resync = append(resync, x.Name)
			continue
		}
		f.held[id][x.Name] = next
	}
	f.lastSeq[id] = d.Seq
	out := []*protocol.Message{{Ack: &protocol.Ack{Seq: d.Seq}}}
	if len(resync) > 0 {
		out = slices.Insert(out, 0, &protocol.Message{Resync: &protocol.Resync{Sections: resync}})
	}
	return out
}

// keepEvents takes events once and acknowledges them.
func (f *fakeServer) keepEvents(id inventory.DeviceID, m *protocol.Events) []*protocol.Message {
	if f.events == nil {
		f.events, f.records = map[inventory.DeviceID]*[protocol.NumStreams]uint64{}, map[inventory.DeviceID][]event.Event{}
	}
	if f.events[id] == nil {
		f.events[id] = new([protocol.NumStreams]uint64)
	}
	last := &f.events[id][m.Stream]
	ack := []*protocol.Message{{Ack: &protocol.Ack{Events: []protocol.Stream{{Stream: m.Stream, Seq: m.Seq}}}}}
	if m.Seq <= *last {
		return ack
	}
	raw, err := m.Records()
	if err != nil {
		f.t.Error(err)
	}
	for len(raw) > 0 {
		rec, rest, err := event.Split(raw)
		if err != nil {
			f.t.Error(err)
			break
		}
		f.records[id], raw = append(f.records[id], rec.Event()), rest
	}
	*last = m.Seq
	return ack
}

// rig is an agent without collectors: the test offers sections itself.
type rig struct {
	t *testing.T
	f *fakeServer
	a *agent
}

func newRig(t *testing.T, f *fakeServer, state string) *rig {
	t.Helper()
	cfg := Config{Server: "https://" + f.addr, CA: f.ca, State: state, Root: t.TempDir(), Once: true, Log: slog.New(slog.DiscardHandler), SpoolMax: minSpool}
	a, err := open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	close(a.gather.first)
	t.Cleanup(a.close)
	return &rig{t: t, f: f, a: a}
}

// sync connects until everything is acknowledged.
func (r *rig) sync() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	err := r.a.connect(ctx)
	if errors.Is(err, errDone) {
		return nil
	}
	return err
}

func (r *rig) mustSync() {
	r.t.Helper()
	if err := r.sync(); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) offer(name inventory.SectionName, keys ...string) {
	s := inventory.NewSection(name, inventory.Complete, "")
	for _, k := range keys {
		s.Put(k, inventory.Package{Name: k, Summary: strings.Repeat("s", 50)})
	}
	s.SeenAt = time.Now()
	r.a.keep.offer(context.Background(), s)
}

// keys of a section as the server has it.
func (r *rig) keys(name inventory.SectionName) string {
	r.f.mu.Lock()
	defer r.f.mu.Unlock()
	var out []string
	if s := r.f.held[r.a.ident.id][name]; s != nil {
		for _, it := range s.Items {
			out = append(out, it.Key)
		}
	}
	return strings.Join(out, " ")
}

func (r *rig) count() int {
	r.f.mu.Lock()
	defer r.f.mu.Unlock()
	return len(r.f.delivers)
}

func TestOnlyChangesTravel(t *testing.T) {
	f := newFakeServer(t)
	state := filepath.Join(t.TempDir(), "s")
	r := newRig(t, f, state)
	r.offer(inventory.DPKG, "a", "b", "c")
	r.mustSync()
	r.a.close()
	r = newRig(t, f, state)
	r.offer(inventory.DPKG, "a", "b", "c")
	r.mustSync()
	if n := r.count(); n != 1 || f.seen != 1 {
		t.Fatalf("%d deliveries and %d unchanged sections, want 1 and 1", n, f.seen)
	}
	r.offer(inventory.DPKG, "a", "c", "d")
	r.offer(inventory.DPKG, "a", "c", "e")
	r.a.close()
	r = newRig(t, f, state) // the changes are on disk
	r.mustSync()
	last := f.delivers[len(f.delivers)-1]
	if n := r.count(); n != 2 || len(last.Deltas) != 2 || last.Deltas[0].Base == "" || len(last.Deltas[0].Put) != 1 {
		t.Fatalf("%d deliveries, the last %+v", n, last)
	}
	if got := r.keys(inventory.DPKG); got != "a c e" {
		t.Errorf("the server has %q", got)
	}
}

func TestServerThatLostOrMixedUpItsData(t *testing.T) {
	f := newFakeServer(t)
	r := newRig(t, f, filepath.Join(t.TempDir(), "s"))
	r.offer(inventory.DPKG, "a")
	r.offer(inventory.RPM, "r")
	r.mustSync()
	f.held = map[inventory.DeviceID]map[inventory.SectionName]*inventory.Section{} // restored from nothing
	f.lastSeq[r.a.ident.id] = 0
	r.offer(inventory.DPKG, "a", "b")
	r.mustSync()
	if got := r.keys(inventory.DPKG) + "|" + r.keys(inventory.RPM); got != "a b|r" {
		t.Errorf("the server has %q", got)
	}
	// The server asks in the middle of a session.
	asked := false
	f.answer = func(d *protocol.Deliver) []*protocol.Message {
		if asked {
			return nil
		}
		asked = true
		f.lastSeq[r.a.ident.id] = d.Seq
		return []*protocol.Message{{Resync: &protocol.Resync{Sections: []inventory.SectionName{d.Deltas[0].Name}}}, {Ack: &protocol.Ack{Seq: d.Seq}}}
	}
	r.offer(inventory.DPKG, "a", "z")
	r.mustSync()
	if got := r.keys(inventory.DPKG); !asked || got != "a z" {
		t.Errorf("the server has %q", got)
	}
	// A restored state directory: its numbers are below those of the server.
	f.lastSeq[r.a.ident.id] = 1 << 50
	r.offer(inventory.DPKG, "a", "y")
	r.mustSync()
	if got := r.keys(inventory.DPKG); got != "a y" {
		t.Errorf("the server has %q", got)
	}
}

func TestRejectedContentIsNotSentAgain(t *testing.T) {
	f := newFakeServer(t)
	r := newRig(t, f, filepath.Join(t.TempDir(), "s"))
	f.answer = func(d *protocol.Deliver) []*protocol.Message {
		var bad []protocol.Rejected
		for _, x := range d.Deltas {
			if x.Name == inventory.NPM {
				bad = append(bad, protocol.Rejected{Name: x.Name, Hash: x.Hash, Reason: "poison"})
			}
		}
		if len(bad) == 0 {
			return nil
		}
		f.lastSeq[r.a.ident.id] = d.Seq
		return []*protocol.Message{{Ack: &protocol.Ack{Seq: d.Seq, Rejected: bad}}}
	}
	r.offer(inventory.NPM, "bad")
	r.mustSync()
	n := r.count()
	r.offer(inventory.DPKG, "a")
	r.mustSync()
	if r.count() != n+1 || r.keys(inventory.DPKG) != "a" || len(r.a.rejected) != 1 {
		t.Errorf("%d deliveries after %d, rejected %v", r.count(), n, r.a.rejected)
	}
	f.answer = nil
	r.offer(inventory.NPM, "good")
	r.mustSync()
	if got := r.keys(inventory.NPM); got != "good" {
		t.Errorf("new content of the section does not arrive: %q", got)
	}
}

func TestSpoolThatOverflows(t *testing.T) {
	f := newFakeServer(t)
	r := newRig(t, f, filepath.Join(t.TempDir(), "s"))
	r.offer(inventory.DPKG, "start")
	r.offer(inventory.RPM, "r0")
	r.mustSync()
	r.offer(inventory.RPM, "r1")
	noise := func() string { return strings.ToLower(rand.Text() + rand.Text()) }
	for range 60 {
		keys := []string{}
		for range 400 {
			keys = append(keys, noise())
		}
		r.offer(inventory.DPKG, keys...)
	}
	r.offer(inventory.DPKG, "end")
	st := r.a.spool.stats()
	if st.Dropped == 0 || st.Bytes > minSpool {
		t.Fatalf("stats = %+v: the test wants an overflow", st)
	}
	r.mustSync()
	if got := r.keys(inventory.DPKG) + "|" + r.keys(inventory.RPM); got != "end|r1" {
		t.Errorf("the server has %.60q", got)
	}
	if last := f.delivers[len(f.delivers)-1].Spool; last.Dropped != st.Dropped {
		t.Errorf("reported %d dropped, want %d", last.Dropped, st.Dropped)
	}
}

// refusing is a spool disk that takes no writes.
type refusing struct{ disk }

func (refusing) Create(string) (diskFile, error) { return nil, syscall.ENOSPC }

func TestFullDiskLosesNothingWhileTheServerIsThere(t *testing.T) {
	f := newFakeServer(t)
	r := newRig(t, f, filepath.Join(t.TempDir(), "s"))
	r.offer(inventory.DPKG, "a")
	r.mustSync()
	r.a.spool.d = refusing{r.a.spool.d}
	sections := filepath.Join(r.a.state.path, "sections")
	if err := os.RemoveAll(sections); err != nil { // replace fails in every way
		t.Fatal(err)
	}
	r.offer(inventory.DPKG, "a", "b")
	r.mustSync()
	if got := r.keys(inventory.DPKG); got != "a b" {
		t.Errorf("the server has %q", got)
	}
	if !r.a.spool.stats().Blocked && len(r.a.keep.memory) == 0 {
		t.Error("the refusal is not noted")
	}
	if err := os.Mkdir(sections, 0o700); err != nil {
		t.Fatal(err)
	}
	r.a.keep.flushMemory()
	if len(r.a.keep.memory) != 0 {
		t.Error("the section is still in memory only")
	}
}

// TestCrashBetweenTheTwoWrites stops after the change is queued and before the
// content is written, as heal expects it.
func TestCrashBetweenTheTwoWrites(t *testing.T) {
	f := newFakeServer(t)
	state := filepath.Join(t.TempDir(), "s")
	r := newRig(t, f, state)
	r.offer(inventory.DPKG, "a")
	r.mustSync()
	before, err := os.ReadFile(filepath.Join(state, sectionFile(inventory.DPKG)))
	if err != nil {
		t.Fatal(err)
	}
	r.offer(inventory.DPKG, "a", "b")
	r.a.close()
	if err := os.WriteFile(filepath.Join(state, sectionFile(inventory.DPKG)), before, 0o600); err != nil {
		t.Fatal(err)
	}
	r = newRig(t, f, state)
	r.offer(inventory.DPKG, "a", "b", "c")
	n := r.count()
	r.mustSync()
	if got := r.keys(inventory.DPKG); got != "a b c" {
		t.Errorf("the server has %q", got)
	}
	for _, d := range f.delivers[n:] {
		for _, x := range d.Deltas {
			if x.Base == "" {
				t.Error("a whole section was sent: the kept content was not brought up to date")
			}
		}
	}
	// A damaged file costs a whole section, nothing else.
	r.a.close()
	if err := os.WriteFile(filepath.Join(state, sectionFile(inventory.DPKG)), []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	r = newRig(t, f, state)
	r.offer(inventory.DPKG, "d")
	r.mustSync()
	if got := r.keys(inventory.DPKG); got != "d" {
		t.Errorf("the server has %q", got)
	}
}

func TestForkInTheAgent(t *testing.T) {
	f := newFakeServer(t)
	r := newRig(t, f, filepath.Join(t.TempDir(), "s"))
	r.offer(inventory.DPKG, "a")
	r.mustSync()
	was := r.a.ident.id
	f.first = func(id inventory.DeviceID) *protocol.Message {
		if id == was {
			return &protocol.Message{Fork: &protocol.Fork{Reason: "twice"}}
		}
		return nil
	}
	r.offer(inventory.DPKG, "a", "b")
	r.mustSync()
	if r.a.ident.id == was || r.keys(inventory.DPKG) != "a b" {
		t.Errorf("now %s with %q", r.a.ident.id, r.keys(inventory.DPKG))
	}
	state := r.a.state.path
	if _, err := os.Lstat(filepath.Join(state, forkFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("fork.pem is left: %v", err)
	}
	id := r.a.ident.id
	r.a.close()
	if r = newRig(t, f, state); r.a.ident.id != id {
		t.Error("after a restart it is another device")
	}
}

func TestHostileServerAnswers(t *testing.T) {
	f := newFakeServer(t)
	r := newRig(t, f, filepath.Join(t.TempDir(), "s"))
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := protocol.NewCSR(other)
	if err != nil {
		t.Fatal(err)
	}
	_, wrong := f.issue(csr)
	if err := r.a.ident.accept(wrong, r.a.roots, time.Now()); err == nil {
		t.Error("a certificate for another device was taken")
	}
	own, err := protocol.NewCSR(r.a.ident.key)
	if err != nil {
		t.Fatal(err)
	}
	_, good := f.issue(own)
	if err := r.a.ident.accept(good, x509.NewCertPool(), time.Now()); err == nil {
		t.Error("a certificate of another authority was taken")
	}
	if err := r.a.ident.accept(good, r.a.roots, time.Now()); err != nil {
		t.Errorf("the good certificate: %v", err)
	}
}

func TestUnreachedServer(t *testing.T) {
	if got := ExitCode(fmt.Errorf("%w: x", errUnreached)); got != ExitNoServer {
		t.Errorf("exit %d", got)
	}
	if got := backoff(maxBackoff); got != maxBackoff {
		t.Errorf("backoff grows to %v", got)
	}
}
