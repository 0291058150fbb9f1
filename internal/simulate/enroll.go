package simulate

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"time"

	"github.com/coder/websocket"

	"github.com/picketsec/picket/internal/protocol"
)

// RefusedError is the server's considered no.
type RefusedError struct {
	Code   string // one of protocol's Refused… codes
	Reason string
}

// Error is the server's reason.
func (e *RefusedError) Error() string { return "the server refuses: " + e.Reason }

// ErrUnreached says that the server was never reached, or is not the one that the CA vouches for.
var ErrUnreached = errors.New("the server was not reached")

// How long one step of a connection may take.
const (
	dialLimit   = 15 * time.Second
	answerLimit = time.Minute
	maxAnswer   = 64 << 10
)

// spread is how many addresses of the loopback network the devices share: each
// has ports, and limits on the server's side, of its own.
const spread = 64

// dialer is where a device's connections come from.
func (f *fleet) dialer(n int) *net.Dialer {
	d := &net.Dialer{Timeout: dialLimit, KeepAlive: time.Minute}
	if f.loopback {
		d.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+n%spread))}
	}
	return d
}

// onLoopback reports whether a server is on this machine's IPv4 loopback, of
// which every address can be used without being configured (Linux alone).
func onLoopback(host string) bool {
	if runtime.GOOS != "linux" {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.To4() != nil && ip.IsLoopback()
}

// client returns an HTTP client for one purpose of one device; done ends its connections.
func (f *fleet) client(n int, with *identity) (c *http.Client, done func()) {
	cfg := &tls.Config{RootCAs: f.roots, MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}}
	if with != nil {
		cfg.Certificates = []tls.Certificate{{Certificate: [][]byte{with.cert}, PrivateKey: with.key}}
	}
	t := &http.Transport{DialContext: f.dialer(n).DialContext, TLSClientConfig: cfg, TLSHandshakeTimeout: dialLimit, MaxIdleConns: 1,
		ReadBufferSize: 1 << 10, WriteBufferSize: 1 << 10}
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, t.CloseIdleConnections
}

// enroll gets a certificate for a key. A key that the server knows needs no token.
func (f *fleet) enroll(ctx context.Context, i *identity) error {
	token, err := f.token(ctx)
	if err != nil {
		return err
	}
	csr, err := protocol.NewCSR(i.key)
	if err != nil {
		return err
	}
	body, err := json.Marshal(protocol.EnrollRequest{Version: protocol.Version, AgentVersion: f.opt.Version, Token: token, CSR: csr})
	if err != nil {
		return fmt.Errorf("encode enrolment: %w", err)
	}
	client, done := f.client(i.n, nil)
	defer done()
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url(protocol.EnrollPath), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	f.reached.Store(true)
	if resp.StatusCode != http.StatusOK {
		return refusal(resp.StatusCode, raw)
	}
	var out protocol.EnrollResponse
	if err := json.Unmarshal(raw, &out); err != nil {
		return fmt.Errorf("enrol: read answer: %w", err)
	}
	if err := f.accept(i, out.Certificate); err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	f.count.enrolled.Add(1)
	return nil
}

// accept takes a certificate from the server and keeps it: it must be one for
// this key that the server's own authority signed.
func (f *fleet) accept(i *identity, text string) error {
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" {
		return errors.New("the server sent no certificate")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return fmt.Errorf("read the server's certificate: %w", err)
	}
	id, err := protocol.CertID(cert)
	switch {
	case err != nil:
		return fmt.Errorf("read the server's certificate: %w", err)
	case id != i.id:
		return fmt.Errorf("the server sent a certificate for device %s, this is %s", id, i.id)
	case !f.good(cert):
		return errors.New("the certificate is not signed by the given authority")
	}
	i.cert = cert.Raw
	return f.book.save(i)
}

// enrolled reports whether a device has a certificate that opens a session with this server.
func (f *fleet) enrolled(i *identity) bool {
	cert, err := x509.ParseCertificate(i.cert)
	return err == nil && f.good(cert)
}

// good reports whether this server's authority signed a certificate, and it has not expired.
func (f *fleet) good(cert *x509.Certificate) bool {
	_, err := cert.Verify(x509.VerifyOptions{Roots: f.roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return err == nil
}

// refusal turns an HTTP answer that is no success into an error.
func refusal(status int, body []byte) error {
	var r protocol.Refusal
	if json.Unmarshal(body, &r) == nil && r.Code != "" && r.Code != protocol.RefusedBusy {
		return &RefusedError{Code: r.Code, Reason: clip(r.Reason)}
	}
	return fmt.Errorf("the server answers %d: %s", status, clip(r.Reason))
}

// clip shortens a text of the other side.
func clip(s string) string {
	if len(s) > 300 {
		s = s[:300]
	}
	return s
}

// dial opens a session's connection.
func (f *fleet) dial(ctx context.Context, i *identity) (*protocol.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	client, done := f.client(i.n, i)
	defer done()
	ws, resp, err := websocket.Dial(ctx, f.url(protocol.SessionPath), &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols && resp.Body != nil {
			raw, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // what came is enough to tell the reason
			return nil, refusal(resp.StatusCode, raw)
		}
		return nil, fmt.Errorf("connect: %w", err)
	}
	return protocol.NewConn(ws, nil), nil
}
