package protocol

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// PeerID returns the device at the other end of a TLS connection that has
// verified its client certificate. It refuses everything but TLS 1.3, one chain
// of a leaf signed directly by the authority, a P-256 key, a certificate that
// cannot sign others, and a common name that is the id of the certificate's key.
func PeerID(cs *tls.ConnectionState) (inventory.DeviceID, *x509.Certificate, error) {
	switch {
	case cs == nil || !cs.HandshakeComplete:
		return "", nil, errors.New("no TLS connection")
	case cs.Version != tls.VersionTLS13:
		return "", nil, errors.New("a session needs TLS 1.3")
	case len(cs.VerifiedChains) == 0:
		return "", nil, errors.New("a session needs a device certificate")
	}
	for _, chain := range cs.VerifiedChains {
		if len(chain) != 2 {
			return "", nil, fmt.Errorf("certificate chain of %d, a device certificate is signed by the authority itself", len(chain))
		}
	}
	cert := cs.VerifiedChains[0][0]
	id, err := CertID(cert)
	return id, cert, err
}

// CertID returns the device that a certificate names. It refuses certificates
// that can sign others, that are not for clients, and whose common name is not the id of their key.
func CertID(cert *x509.Certificate) (inventory.DeviceID, error) {
	if cert.IsCA || cert.KeyUsage&(x509.KeyUsageCertSign|x509.KeyUsageCRLSign) != 0 {
		return "", errors.New("the certificate can sign others")
	}
	client := false
	for _, u := range cert.ExtKeyUsage {
		client = client || u == x509.ExtKeyUsageClientAuth
	}
	if !client {
		return "", errors.New("the certificate is not for clients")
	}
	if err := checkKey(cert.PublicKey); err != nil {
		return "", err
	}
	id := inventory.IDFromKey(cert.RawSubjectPublicKeyInfo)
	if cert.Subject.CommonName != string(id) {
		return "", errors.New("the certificate's common name is not the id of its key")
	}
	return id, nil
}

// KeyID returns the device id of a private key.
func KeyID(key crypto.Signer) (inventory.DeviceID, error) {
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return "", fmt.Errorf("encode public key: %w", err)
	}
	return inventory.IDFromKey(spki), nil
}

// NewCSR returns a signing request for key in PEM form.
func NewCSR(key crypto.Signer) (string, error) {
	id, err := KeyID(key)
	if err != nil {
		return "", err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: string(id)}}, key)
	if err != nil {
		return "", fmt.Errorf("create certificate request: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})), nil
}

// ParseCSR reads a signing request, checks that its sender holds the key, and
// returns the device id of that key. The names in the request are ignored.
func ParseCSR(text string) (inventory.DeviceID, *x509.CertificateRequest, error) {
	if len(text) > MaxEnroll {
		return "", nil, fmt.Errorf("certificate request of %d bytes, at most %d", len(text), MaxEnroll)
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE REQUEST" {
		return "", nil, errors.New("certificate request: no PEM block \"CERTIFICATE REQUEST\"")
	}
	req, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return "", nil, fmt.Errorf("certificate request: %w", err)
	}
	if err := checkKey(req.PublicKey); err != nil {
		return "", nil, fmt.Errorf("certificate request: %w", err)
	}
	if err := req.CheckSignature(); err != nil {
		return "", nil, fmt.Errorf("certificate request: %w", err)
	}
	return inventory.IDFromKey(req.RawSubjectPublicKeyInfo), req, nil
}

func checkKey(pub any) error {
	k, ok := pub.(*ecdsa.PublicKey)
	if !ok || k.Curve != elliptic.P256() {
		return errors.New("the key is not ECDSA P-256")
	}
	return nil
}

// RenewDue reports whether less than a third of a certificate's life is left.
func RenewDue(cert *x509.Certificate, now time.Time) bool {
	return now.After(cert.NotAfter.Add(-cert.NotAfter.Sub(cert.NotBefore) / 3))
}
