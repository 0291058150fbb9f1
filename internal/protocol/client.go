package protocol

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// RefusedError is the server's considered no.
type RefusedError struct {
	Code   string // one of the Refused… codes
	Reason string // at most 300 bytes
}

// Error is the server's reason.
func (e *RefusedError) Error() string { return "the server refuses: " + e.Reason }

// NewRefusal turns a Refusal into an error: a *RefusedError, or another one
// when the server is only busy.
func NewRefusal(r *Refusal) error {
	if r.Code == RefusedBusy {
		return errors.New("the server is busy: " + Clip(r.Reason))
	}
	return &RefusedError{Code: r.Code, Reason: Clip(r.Reason)}
}

// ReadRefusal turns the answer to a request that did not succeed into an error,
// a *RefusedError when it is a considered no. It reads at most MaxEnroll bytes.
func ReadRefusal(resp *http.Response) error {
	var r Refusal
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, MaxEnroll)) // what came is enough to tell the reason
	switch {
	case json.Unmarshal(raw, &r) == nil && r.Code != "" && r.Code != RefusedBusy:
		return &RefusedError{Code: r.Code, Reason: Clip(r.Reason)}
	case r.Reason != "":
		return fmt.Errorf("the server answers %d: %s", resp.StatusCode, Clip(r.Reason))
	}
	return fmt.Errorf("the server answers %d: is this the address of the agent listener?", resp.StatusCode)
}

// Clip shortens a text of the other side for a log.
func Clip(s string) string {
	if len(s) > 300 {
		s = s[:300]
	}
	return s
}

// Enroll asks the server at base ("https://host:port") for a certificate. The
// error is a *RefusedError when the server says no. Whether the certificate is
// good is the caller's business: see CheckIssued.
func Enroll(ctx context.Context, client *http.Client, base string, r EnrollRequest) (EnrollResponse, error) {
	var out EnrollResponse
	body, err := json.Marshal(r)
	if err != nil {
		return out, fmt.Errorf("encode enrolment: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+EnrollPath, bytes.NewReader(body))
	if err != nil {
		return out, fmt.Errorf("enrol: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return out, fmt.Errorf("enrol: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return out, ReadRefusal(resp)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, MaxEnroll)).Decode(&out); err != nil {
		return out, fmt.Errorf("enrol: read answer: %w", err)
	}
	return out, nil
}

// CheckIssued reads a certificate that the server issued: it must be one for
// the key of device id, and one that an authority in roots signed.
func CheckIssued(text string, id inventory.DeviceID, roots *x509.CertPool, now time.Time) (*x509.Certificate, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("the server sent no certificate")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read the server's certificate for this device: %w", err)
	}
	got, err := CertID(cert)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the server's certificate for this device: %w", err)
	case got != id:
		return nil, fmt.Errorf("the server sent a certificate for device %s, this is %s", got, id)
	case !Trusted(cert, roots, now):
		return nil, errors.New("the certificate for this device is not signed by the authority in --ca, or this host's clock is wrong")
	}
	return cert, nil
}

// Trusted reports whether a device certificate is good for a session with the
// server that roots belong to.
func Trusted(cert *x509.Certificate, roots *x509.CertPool, now time.Time) bool {
	_, err := cert.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return err == nil
}
