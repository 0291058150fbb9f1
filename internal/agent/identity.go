package agent

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
)

const (
	identityFile = "identity.pem"
	forkFile     = "fork.pem"
	maxPEM       = 64 << 10
)

// identity is the agent's key and, once enrolled, its certificate.
type identity struct {
	key  *ecdsa.PrivateKey
	id   inventory.DeviceID
	cert *x509.Certificate // nil: not enrolled
}

// loadIdentity reads a key, or makes one and writes it before it is used.
func loadIdentity(s *stateDir, name string) (*identity, error) {
	raw, err := s.read(name, maxPEM)
	if errors.Is(err, fs.ErrNotExist) {
		return newIdentity(s, name)
	}
	if err != nil {
		return nil, stateErr("read %s: %w", name, err)
	}
	id := &identity{}
	for {
		var block *pem.Block
		if block, raw = pem.Decode(raw); block == nil {
			break
		}
		switch block.Type {
		case "PRIVATE KEY":
			k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return nil, stateErr("read %s: %w", name, err)
			}
			key, ok := k.(*ecdsa.PrivateKey)
			if !ok || key.Curve != elliptic.P256() {
				return nil, stateErr("read %s: the key is not ECDSA P-256", name)
			}
			id.key = key
		case "CERTIFICATE":
			if id.cert, err = x509.ParseCertificate(block.Bytes); err != nil {
				return nil, stateErr("read %s: %w", name, err)
			}
		}
	}
	if id.key == nil {
		return nil, stateErr("read %s: it holds no key; remove the file to start as a new device", name)
	}
	if id.id, err = protocol.KeyID(id.key); err != nil {
		return nil, stateErr("read %s: %w", name, err)
	}
	if id.cert != nil && !id.key.PublicKey.Equal(id.cert.PublicKey) {
		id.cert = nil // enrol again with the key
	}
	return id, nil
}

func newIdentity(s *stateDir, name string) (*identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	id := &identity{key: key}
	if id.id, err = protocol.KeyID(key); err != nil {
		return nil, err
	}
	if err := id.save(s, name); err != nil {
		return nil, err
	}
	return id, nil
}

// save writes key and certificate as one file, all or nothing.
func (i *identity) save(s *stateDir, name string) error {
	der, err := x509.MarshalPKCS8PrivateKey(i.key)
	if err != nil {
		return fmt.Errorf("encode key: %w", err)
	}
	var buf bytes.Buffer
	_ = pem.Encode(&buf, &pem.Block{Type: "PRIVATE KEY", Bytes: der}) // a buffer takes everything
	if i.cert != nil {
		_ = pem.Encode(&buf, &pem.Block{Type: "CERTIFICATE", Bytes: i.cert.Raw})
	}
	if err := s.replace(name, buf.Bytes()); err != nil {
		return stateErr("write %s: %w", name, err)
	}
	return nil
}

// accept takes a certificate from the server: it must be one for this key, and
// one that the server's own authority signed.
func (i *identity) accept(text string, roots *x509.CertPool, now time.Time) (err error) {
	cert, err := protocol.CheckIssued(text, i.id, roots, now)
	if err == nil {
		i.cert = cert
	}
	return err
}

// loadRoots reads the authorities that the server's certificate must come from.
func loadRoots(path string) (*x509.CertPool, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read --ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(raw) {
		return nil, fmt.Errorf("read --ca %q: it holds no certificate in PEM form (copy the server's ca.pem)", path)
	}
	return pool, nil
}

// clientTLS is the only place that configures TLS for connections to the server.
// Whether a certificate is valid yet, and still, is judged by now.
func clientTLS(roots *x509.CertPool, id *identity, now func() time.Time) *tls.Config {
	cfg := &tls.Config{RootCAs: roots, Time: now, MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}}
	if id != nil && id.cert != nil {
		cfg.Certificates = []tls.Certificate{{Certificate: [][]byte{id.cert.Raw}, PrivateKey: id.key, Leaf: id.cert}}
	}
	return cfg
}

// RefusedError is the server's considered no.
type RefusedError = protocol.RefusedError

// enroll gets a certificate for the key. A key that the server knows needs no token.
func (a *agent) enroll(ctx context.Context) error {
	csr, err := protocol.NewCSR(a.ident.key)
	if err != nil {
		return err
	}
	client, done := a.client(nil)
	defer done()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	out, err := protocol.Enroll(ctx, client, a.url(""), protocol.EnrollRequest{Version: protocol.Version, AgentVersion: a.cfg.Version, Token: a.cfg.Token, CSR: csr})
	if err != nil {
		return err
	}
	if err := a.ident.accept(out.Certificate, a.roots, a.times.now()); err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	if err := a.ident.save(a.state, identityFile); err != nil {
		return err
	}
	a.log.InfoContext(ctx, "enrolled", "device", a.ident.id, "expires", a.ident.cert.NotAfter)
	return nil
}

// clip shortens a text of others for the log.
func clip(s string) string { return protocol.Clip(s) }
