package agent

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
)

// A certificate that is not for the key beside it is not used: the agent asks
// for one with the key that it has.
func TestCertificateOfAnotherKeyIsLeft(t *testing.T) {
	f := newFakeServer(t)
	r := newRig(t, f, filepath.Join(t.TempDir(), "s"))
	r.offer(inventory.DPKG, "a")
	r.mustSync()
	stranger, err := newIdentity(r.a.state, "stranger.pem")
	if err != nil {
		t.Fatal(err)
	}
	mixed := &identity{key: stranger.key, cert: r.a.ident.cert}
	if err := mixed.save(r.a.state, "mixed.pem"); err != nil {
		t.Fatal(err)
	}
	got, err := loadIdentity(r.a.state, "mixed.pem")
	if err != nil || got.cert != nil || got.id != stranger.id {
		t.Errorf("identity %s with a certificate of %s: %v", got.id, r.a.ident.id, err)
	}
	if again, err := loadIdentity(r.a.state, identityFile); err != nil || again.cert == nil {
		t.Errorf("the right certificate is left too: %v", err)
	}
}

// The agent speaks TLS 1.3 and nothing older, whatever the server offers.
func TestOldTLSIsRefused(t *testing.T) {
	f := newFakeServer(t)
	leaf := f.sign(&x509.Certificate{SerialNumber: big.NewInt(3), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, f.cert, &f.key.PublicKey)
	for _, tt := range []struct {
		highest uint16
		refused bool
	}{{tls.VersionTLS12, true}, {tls.VersionTLS13, false}} {
		ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tt.highest,
			Certificates: []tls.Certificate{{Certificate: [][]byte{leaf}, PrivateKey: f.key}}})
		if err != nil {
			t.Fatal(err)
		}
		asked := false
		srv := &http.Server{ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked = true; f.enroll(w, r) })}
		var wg sync.WaitGroup
		wg.Go(func() { _ = srv.Serve(ln) }) // ends with srv.Close
		a, err := open(context.Background(), Config{Server: "https://" + ln.Addr().String(), CA: f.ca, State: filepath.Join(t.TempDir(), "s"), Token: "secret"})
		if err != nil {
			t.Fatal(err)
		}
		err = a.enroll(t.Context())
		a.close()
		_ = srv.Close()
		wg.Wait()
		if refused := err != nil && strings.Contains(err.Error(), "protocol version"); refused != tt.refused || asked == tt.refused {
			t.Errorf("a server with %s at most: asked %v, %v", tls.VersionName(tt.highest), asked, err)
		}
	}
}

// forkOnce lets the fake server tell each of the devices to fork.
func (f *fakeServer) forkOnce(ids ...inventory.DeviceID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.first = func(id inventory.DeviceID) *protocol.Message {
		for _, was := range ids {
			if id == was {
				return &protocol.Message{Fork: &protocol.Fork{Reason: "twice"}}
			}
		}
		return nil
	}
}

// A crash at the end of a fork leaves the new key in both files. When the new
// device has to fork in turn, that key is not taken for a new one.
func TestForkAfterACrashInAFork(t *testing.T) {
	f := newFakeServer(t)
	r := newRig(t, f, filepath.Join(t.TempDir(), "s"))
	r.offer(inventory.DPKG, "a")
	r.mustSync()
	one := r.a.ident.id
	f.forkOnce(one)
	r.mustSync()
	two := r.a.ident.id
	raw, err := os.ReadFile(filepath.Join(r.a.state.path, identityFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.a.state.replace(forkFile, raw); err != nil {
		t.Fatal(err)
	}
	f.forkOnce(one, two)
	r.mustSync()
	if three := r.a.ident.id; three == one || three == two || r.keys(inventory.DPKG) != "a" {
		t.Errorf("%s became %s, then %s with %q", one, two, three, r.keys(inventory.DPKG))
	}
	if want := []inventory.DeviceID{two, r.a.ident.id}; !slices.Equal(f.issued, want) {
		t.Errorf("certificates were asked for %v, want %v: each once", f.issued, want)
	}
}

// What waited for the server belongs to the device that the copy was. The new
// one sends what it has now and counts nothing as lost.
func TestForkLeavesTheQueue(t *testing.T) {
	f := newFakeServer(t)
	r := newRig(t, f, filepath.Join(t.TempDir(), "s"))
	r.offer(inventory.DPKG, "a")
	r.mustSync()
	n := r.count()
	r.offer(inventory.DPKG, "a", "b")
	if st := r.a.spool.stats(); st.Queued != 1 {
		t.Fatalf("stats = %+v: the test wants a change that waits", st)
	}
	f.forkOnce(r.a.ident.id)
	r.mustSync()
	if st := r.a.spool.stats(); st.Queued != 0 || st.Dropped != 0 {
		t.Errorf("stats = %+v", st)
	}
	if last := f.hellos[len(f.hellos)-1].Spool; last.Queued != 0 || last.Bytes != 0 {
		t.Errorf("the new device says that %+v waits", last)
	}
	for _, d := range f.delivers[n:] {
		if d.Spool.Queued != 0 || len(d.Deltas) != 1 || d.Deltas[0].Base != "" {
			t.Errorf("the new device sent %+v, want one whole section and no queue", d)
		}
	}
	if got := r.keys(inventory.DPKG); got != "a b" {
		t.Errorf("the server has %q", got)
	}
}

// A server that does not know the certificate any more gets a request for the
// same key: the device stays who it is, without a token.
func TestForgottenDeviceEnrolsAgain(t *testing.T) {
	for _, code := range []string{protocol.RefusedUnknown, protocol.RefusedCertificate} {
		t.Run(code, func(t *testing.T) {
			f := newFakeServer(t)
			r := newRig(t, f, filepath.Join(t.TempDir(), "s"))
			r.offer(inventory.DPKG, "a")
			r.mustSync()
			id, old := r.a.ident.id, r.a.ident.cert
			refusals := 0
			f.mu.Lock()
			f.first = func(inventory.DeviceID) *protocol.Message {
				if refusals++; refusals > 1 {
					return nil
				}
				return &protocol.Message{Refusal: &protocol.Refusal{Code: code, Reason: "the server was set up anew"}}
			}
			f.held, f.lastSeq = map[inventory.DeviceID]map[inventory.SectionName]*inventory.Section{}, map[inventory.DeviceID]uint64{}
			f.mu.Unlock()
			r.mustSync()
			if r.a.ident.id != id || r.a.ident.cert.Equal(old) || refusals != 2 || r.keys(inventory.DPKG) != "a" {
				t.Errorf("%s with %q after %d sessions, the same certificate: %v", r.a.ident.id, r.keys(inventory.DPKG), refusals, r.a.ident.cert.Equal(old))
			}
		})
	}
}

// A token that is refused ends the agent, other refusals do not end one that
// goes on.
func TestRefusedTokenEndsTheAgent(t *testing.T) {
	f := newFakeServer(t)
	r := newRig(t, f, filepath.Join(t.TempDir(), "s"))
	r.a.cfg.Once = false
	f.first = func(inventory.DeviceID) *protocol.Message {
		return &protocol.Message{Refusal: &protocol.Refusal{Code: protocol.RefusedToken, Reason: "used up"}}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if refused, ok := errors.AsType[*RefusedError](r.a.connect(ctx)); !ok || refused.Code != protocol.RefusedToken {
		t.Errorf("refused = %v", refused)
	}
}

// Of another root the evidence is what its files say, and nothing of the host
// that the agent runs on.
func TestEvidenceOfAnotherRoot(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "etc/machine-id"), []byte("0123456789abcdef0123456789abcdef\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	a := &agent{cfg: Config{Root: root}}
	if e := a.evidence(); len(e.MachineID) != 64 || e.BootID != "" || len(e.MACs) != 0 {
		t.Errorf("evidence = %+v", e)
	}
}
