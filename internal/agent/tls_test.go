package agent

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/protocol"
)

// signer is a certificate with its key.
type signer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// signed makes a certificate that parent signs; without one it signs itself.
func signed(t *testing.T, parent *signer, mod func(*x509.Certificate)) *signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	mod(c)
	from := &signer{cert: c, key: key}
	if parent != nil {
		from = parent
	}
	der, err := x509.CreateCertificate(rand.Reader, c, from.cert, &key.PublicKey, from.key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return &signer{cert: c, key: key}
}

func authorityCert(c *x509.Certificate) {
	c.Subject, c.IsCA, c.BasicConstraintsValid, c.KeyUsage = pkix.Name{CommonName: "authority"}, true, true, x509.KeyUsageCertSign
	c.ExtKeyUsage, c.IPAddresses = nil, nil
}

// listener serves HTTPS with a certificate and counts the requests that it hears of.
func listener(t *testing.T, leaf *signer, highest uint16, chain ...*signer) (addr string, asked *atomic.Int32) {
	t.Helper()
	cert := tls.Certificate{Certificate: [][]byte{leaf.cert.Raw}, PrivateKey: leaf.key}
	for _, c := range chain {
		cert.Certificate = append(cert.Certificate, c.cert.Raw)
	}
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: highest, Certificates: []tls.Certificate{cert}}) //nolint:gosec // what the agent has to refuse
	if err != nil {
		t.Fatal(err)
	}
	asked = new(atomic.Int32)
	srv := &http.Server{ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			w.WriteHeader(http.StatusTeapot)
		})}
	var wg sync.WaitGroup
	wg.Go(func() { _ = srv.Serve(ln) }) // ends with srv.Close
	t.Cleanup(func() {
		_ = srv.Close()
		wg.Wait()
	})
	return ln.Addr().String(), asked
}

// TestTLSOfTheServerIsVerified is for the class of CVE-2020-1887: the agent sends
// nothing, neither its token nor a package, to a server that does not show a
// certificate for the name that the agent was told, from the authority that it was
// told, in its time, over TLS 1.3. It holds for every way in which the agent
// speaks to its server.
func TestTLSOfTheServerIsVerified(t *testing.T) {
	root := signed(t, nil, authorityCert)
	fine := func(*x509.Certificate) {}
	below := func(mod func(*x509.Certificate)) *signer { return signed(t, root, mod) }
	twin := signed(t, nil, authorityCert) // of the same name, with another key
	device := below(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
	leaf := below(fine)
	old := signed(t, nil, func(c *x509.Certificate) {
		authorityCert(c)
		c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-time.Hour)
	})
	type server struct {
		leaf    *signer
		chain   []*signer
		highest uint16
		root    *signer // that the agent was told of; nil: root
		good    bool
		says    string // part of the error
	}
	servers := map[string]server{
		"the server":                        {leaf: leaf, good: true},
		"the server, with its authority":    {leaf: leaf, chain: []*signer{root}, good: true},
		"another address":                   {leaf: below(func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 2)} }), says: "127.0.0.1"},
		"another name":                      {leaf: below(func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"picket.example"} }), says: "127.0.0.1"},
		"the name in its common name alone": {leaf: below(func(c *x509.Certificate) { c.IPAddresses, c.Subject = nil, pkix.Name{CommonName: "127.0.0.1"} }), says: "127.0.0.1"},
		"another authority":                 {leaf: signed(t, signed(t, nil, func(c *x509.Certificate) { authorityCert(c); c.Subject.CommonName = "other" }), fine), says: "unknown authority"},
		"another authority of the name":     {leaf: signed(t, twin, fine), chain: []*signer{twin}, says: "unknown authority"},
		"no authority":                      {leaf: signed(t, nil, fine), says: "unknown authority"},
		"signed by a device":                {leaf: signed(t, device, fine), chain: []*signer{device}, says: "unknown authority"},
		"signed by another server":          {leaf: signed(t, leaf, fine), chain: []*signer{leaf}, says: "unknown authority"},
		"a device's certificate":            {leaf: device, says: "incompatible key usage"},
		"expired": {leaf: below(func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Minute)
		}), says: "expired"},
		"not valid yet":        {leaf: below(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(30 * time.Minute) }), says: "not yet valid"},
		"an expired authority": {leaf: signed(t, old, fine), root: old, says: "expired"},
		"TLS 1.2":              {leaf: leaf, highest: tls.VersionTLS12, says: "protocol version"},
		"TLS 1.1":              {leaf: leaf, highest: tls.VersionTLS11, says: "protocol version"},
	}
	ways := map[string]func(a *agent) error{
		"enrolment": func(a *agent) error { return a.enroll(t.Context()) },
		"session":   func(a *agent) error { return a.session(t.Context(), func() {}) },
		"package": func(a *agent) error {
			return a.sendPackage(t.Context(), "0123abcd-4567-89ef-0123-456789abcdef", &protocol.PackageResult{Bytes: 3, SHA256: strings.Repeat("0", 64)})
		},
		"whether the server is in reach": func(a *agent) error { return a.reachServer(t.Context()) },
	}
	for name, srv := range servers {
		t.Run(name, func(t *testing.T) {
			addr, asked := listener(t, srv.leaf, srv.highest, srv.chain...)
			told := root
			if srv.root != nil {
				told = srv.root
			}
			dir := t.TempDir()
			ca := filepath.Join(dir, "ca.pem")
			if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: told.cert.Raw}), 0o600); err != nil {
				t.Fatal(err)
			}
			a, err := open(context.Background(), Config{Server: "https://" + addr, CA: ca, State: filepath.Join(dir, "s"), Token: "secret"})
			if err != nil {
				t.Fatal(err)
			}
			defer a.close()
			a.ident.cert = device.cert // the handshake is over before anybody looks at it
			a.tasks.ident.Store(a.ident)
			if err := a.state.replace(uploadName("0123abcd-4567-89ef-0123-456789abcdef"), []byte("zip")); err != nil {
				t.Fatal(err)
			}
			for way, try := range ways {
				before := asked.Load()
				err := try(a)
				reached := asked.Load() > before
				if srv.good && !reached {
					t.Errorf("%s: the server was not asked: %v", way, err)
				}
				if !srv.good && (reached || err == nil || !strings.Contains(err.Error(), srv.says)) {
					t.Errorf("%s: the server was asked: %v; error %v, want %q", way, reached, err, srv.says)
				}
			}
		})
	}
}
