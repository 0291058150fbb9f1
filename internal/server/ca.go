package server

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// How long certificates live. Every certificate begins an hour early, for
// hosts whose clock is a little behind.
const (
	caLife     = 10 * 365 * 24 * time.Hour
	serverLife = 90 * 24 * time.Hour
	agentLife  = 30 * 24 * time.Hour
	backdate   = time.Hour
	nameCheck  = time.Minute // how often the addresses of a wildcard listener are looked at again
)

// authority is the server's own certificate authority: it signs the agents'
// certificates and that of the agent listener. Safe for concurrent use.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
	pool *x509.CertPool
	now  func() time.Time

	mu      sync.Mutex // guards the listener's certificate
	leaf    *tls.Certificate
	names   []string
	checked time.Time
}

// openAuthority reads the authority from dir (ca.pem, ca.key) or makes a new
// one when neither file is there. ca.key must be readable by its owner alone.
func openAuthority(dir string, now func() time.Time) (*authority, error) {
	certPath, keyPath := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca.key")
	keyPEM, keyErr := os.ReadFile(keyPath)
	certPEM, certErr := os.ReadFile(certPath)
	switch {
	case errors.Is(keyErr, fs.ErrNotExist) && errors.Is(certErr, fs.ErrNotExist):
		return createAuthority(certPath, keyPath, now)
	case keyErr != nil:
		return nil, fmt.Errorf("read authority key: %w (restore %q from a backup: agents trust only the authority that they enrolled with)", keyErr, keyPath)
	case certErr != nil && !errors.Is(certErr, fs.ErrNotExist):
		return nil, fmt.Errorf("read authority certificate: %w", certErr)
	}
	info, err := os.Stat(keyPath)
	if err != nil {
		return nil, fmt.Errorf("read authority key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("authority key %q has mode %04o: others can read it; replace the authority, or run chmod 600 if nobody could have", keyPath, info.Mode().Perm())
	}
	key, err := parseKey(keyPEM)
	if err != nil {
		return nil, fmt.Errorf("read authority key %q: %w", keyPath, err)
	}
	if certErr != nil {
		// The certificate says nothing that the key does not: agents that
		// trust the lost one trust this one.
		return certify(certPath, key, now)
	}
	block, _ := pem.Decode(certPEM)
	if block == nil {
		return nil, fmt.Errorf("read authority certificate %q: no PEM block", certPath)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read authority certificate %q: %w", certPath, err)
	}
	if !cert.IsCA || !key.PublicKey.Equal(cert.PublicKey) {
		return nil, fmt.Errorf("read authority certificate %q: it is not that of the key %q", certPath, keyPath)
	}
	return newAuthority(cert, key, now), nil
}

func parseKey(text []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM block")
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := k.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("not an ECDSA key")
	}
	return key, nil
}

func createAuthority(certPath, keyPath string, now func() time.Time) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("create authority: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("create authority: %w", err)
	}
	if err := replaceFile(keyPath, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		return nil, fmt.Errorf("write authority key: %w", err)
	}
	return certify(certPath, key, now)
}

// certify makes the authority's certificate. Its name follows from the key.
func certify(certPath string, key *ecdsa.PrivateKey, now func() time.Time) (*authority, error) {
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, fmt.Errorf("create authority: %w", err)
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	at := now()
	tmpl := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Picket authority " + string(inventory.IDFromKey(spki)[:12])},
		NotBefore: at.Add(-backdate), NotAfter: at.Add(caLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("create authority: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("create authority: %w", err)
	}
	a := newAuthority(cert, key, now)
	if err := replaceFile(certPath, a.pem, 0o644); err != nil {
		return nil, fmt.Errorf("write authority certificate: %w", err)
	}
	return a, nil
}

func newAuthority(cert *x509.Certificate, key *ecdsa.PrivateKey, now func() time.Time) *authority {
	a := &authority{cert: cert, key: key, now: now, pool: x509.NewCertPool(),
		pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})}
	a.pool.AddCert(cert)
	return a
}

// replaceFile writes a file so that a crash leaves the old or the new content.
func replaceFile(path string, data []byte, mode fs.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if _, err = f.Write(data); err != nil {
		return errors.Join(err, f.Close())
	}
	if err = errors.Join(f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// fingerprint is the SHA-256 of the authority's certificate, hexadecimal.
func (a *authority) fingerprint() string {
	sum := sha256.Sum256(a.cert.Raw)
	return hex.EncodeToString(sum[:])
}

// issued is a certificate for an agent.
type issued struct {
	pem     string
	serial  string
	expires time.Time
}

// issue signs an agent certificate for a public key. Its only name is the
// device id, which follows from the key.
func (a *authority) issue(pub crypto.PublicKey) (inventory.DeviceID, issued, error) {
	spki, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return "", issued{}, fmt.Errorf("issue agent certificate: %w", err)
	}
	id := inventory.IDFromKey(spki)
	serial, err := newSerial()
	if err != nil {
		return "", issued{}, err
	}
	at := a.now()
	tmpl := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: string(id)},
		NotBefore: at.Add(-backdate), NotAfter: at.Add(agentLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, pub, a.key)
	if err != nil {
		return "", issued{}, fmt.Errorf("issue agent certificate: %w", err)
	}
	return id, issued{pem: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), serial: serial.Text(16), expires: tmpl.NotAfter}, nil
}

func newSerial() (*big.Int, error) {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		return nil, fmt.Errorf("draw serial number: %w", err)
	}
	b[0] = b[0]&0x7f | 0x40 // positive, always 16 bytes
	return new(big.Int).SetBytes(b), nil
}

// serverTLS returns the configuration of a listener on addr ("host:port"):
// TLS 1.3, and 1.2 with forward secrecy for osqueryd (see modern), HTTP/1.1,
// device certificates verified when they are given. The
// certificate names addr's host (every address of this machine for a wildcard),
// extra, localhost, the loopback addresses and the host name; it is replaced
// when these change and before it expires.
func (a *authority) serverTLS(addr string, extra []string) (*tls.Config, error) {
	if _, err := a.serverCert(addr, extra); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256},
		NextProtos:   []string{"http/1.1"},
		ClientAuth:   tls.VerifyClientCertIfGiven,
		ClientCAs:    a.pool,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return a.serverCert(addr, extra)
		},
		// Every session is verified anew, so that a withdrawn authority or an
		// expired certificate is not carried on by a ticket.
		SessionTicketsDisabled: true,
	}, nil
}

func (a *authority) serverCert(addr string, extra []string) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	at := a.now()
	if a.leaf != nil && at.Sub(a.checked) < nameCheck && at.Sub(a.checked) >= 0 {
		return a.leaf, nil
	}
	names := listenNames(addr, extra)
	a.checked = at
	if a.leaf != nil && slices.Equal(names, a.names) && at.Before(a.leaf.Leaf.NotAfter.Add(-serverLife/3)) && at.After(a.leaf.Leaf.NotBefore) {
		return a.leaf, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("issue listener certificate: %w", err)
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	tmpl := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Picket server"},
		NotBefore: at.Add(-backdate), NotAfter: at.Add(serverLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			tmpl.IPAddresses = append(tmpl.IPAddresses, ip)
		} else {
			tmpl.DNSNames = append(tmpl.DNSNames, n)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("issue listener certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("issue listener certificate: %w", err)
	}
	a.leaf = &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
	a.names = names
	return a.leaf, nil
}

// maxNames bounds the names of the listener certificate on machines with very many addresses.
const maxNames = 200

// listenNames lists, sorted, the names under which a listener on addr is reached.
func listenNames(addr string, extra []string) []string {
	set := map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true}
	if h, err := os.Hostname(); err == nil && validName(h) {
		set[h] = true
	}
	for _, n := range extra {
		if validName(n) {
			set[n] = true
		}
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	ip := net.ParseIP(host)
	switch {
	case host == "" || ip != nil && ip.IsUnspecified():
		addrs, _ := net.InterfaceAddrs() // without them the certificate still names the fixed ones
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && len(set) < maxNames {
				set[n.IP.String()] = true
			}
		}
	case validName(host):
		set[host] = true
	}
	names := make([]string, 0, len(set))
	for n := range set {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// validName reports whether n can stand in a certificate: an address without zone or a DNS name.
func validName(n string) bool {
	if net.ParseIP(n) != nil {
		return true
	}
	if n == "" || len(n) > 253 {
		return false
	}
	for _, c := range []byte(n) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return true
}
