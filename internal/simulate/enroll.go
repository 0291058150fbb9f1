package simulate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"time"

	"github.com/coder/websocket"

	"github.com/picketsec/picket/internal/protocol"
)

// ErrUnreached says that the server was never reached, or is not the one that the CA vouches for.
var ErrUnreached = errors.New("the server was not reached")

// How long one step of a connection may take.
const (
	dialLimit   = 15 * time.Second
	answerLimit = time.Minute
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
	client, done := f.client(i.n, nil)
	defer done()
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	out, err := protocol.Enroll(ctx, client, f.base, protocol.EnrollRequest{Version: protocol.Version, AgentVersion: f.opt.Version, Token: token, CSR: csr})
	if err != nil {
		return err
	}
	f.reached.Store(true)
	if err := f.accept(i, out.Certificate); err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	f.count.enrolled.Add(1)
	return nil
}

// accept takes a certificate from the server and keeps it.
func (f *fleet) accept(i *identity, text string) error {
	cert, err := protocol.CheckIssued(text, i.id, f.roots, time.Now())
	if err != nil {
		return err
	}
	i.cert = cert.Raw
	return f.book.save(i)
}

// enrolled reports whether a device has a certificate that opens a session with this server.
func (f *fleet) enrolled(i *identity) bool {
	cert, err := x509.ParseCertificate(i.cert)
	return err == nil && protocol.Trusted(cert, f.roots, time.Now())
}

// dial opens a session's connection.
func (f *fleet) dial(ctx context.Context, i *identity) (*protocol.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	client, done := f.client(i.n, i)
	defer done()
	ws, resp, err := websocket.Dial(ctx, f.base+protocol.SessionPath, &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols && resp.Body != nil {
			return nil, protocol.ReadRefusal(resp)
		}
		return nil, fmt.Errorf("connect: %w", err)
	}
	return protocol.NewConn(ws, nil), nil
}
