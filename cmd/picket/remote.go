package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/picketsec/picket/client"
	"github.com/picketsec/picket/internal/api"
	"github.com/picketsec/picket/internal/server"
)

// Remote says which server a command asks, and as whom: another one with
// credentials, or the one of a data directory on this machine without any.
type Remote struct {
	Data        string `env:"PICKET_DATA" help:"Data directory on this machine, unless --url or --credentials are given: no credentials are needed, and no server has to run."`
	URL         string `name:"url" env:"PICKET_URL" help:"Address of a server, such as https://picket.example."`
	ClientID    string `name:"client-id" env:"PICKET_CLIENT_ID" help:"Client id of an application or of your own token; its secret is in PICKET_CLIENT_SECRET."`
	Credentials string `env:"PICKET_CREDENTIALS" help:"File of mode 0600 with {\"url\", \"clientId\", \"clientSecret\", \"ca\"}."`
	CA          string `name:"ca" env:"PICKET_CA" help:"Certificates (PEM) that vouch for the server; without it the system's."`
}

// credentials are what the file of --credentials holds. "picket app create"
// prints it but for url and ca.
type credentials struct {
	URL          string `json:"url"`
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret"`
	CA           string `json:"ca"`
}

// refusedError and unreachedError have exit codes of their own.
type refusedError struct{ error }
type unreachedError struct{ error }

// Unwrap gives what the client said.
func (e refusedError) Unwrap() error { return e.error }

// Unwrap gives what the client said.
func (e unreachedError) Unwrap() error { return e.error }

// remoteCode is the exit code of an error of a server that was asked, 0 for others.
func remoteCode(err error) int {
	var refused refusedError
	var unreached unreachedError
	switch {
	case errors.As(err, &refused):
		return exitRefused
	case errors.As(err, &unreached):
		return exitNoServer
	}
	return 0
}

// remoteError sorts the errors of the client.
func remoteError(err error) error {
	var answer *client.Error
	switch {
	case err == nil || errors.Is(err, context.Canceled):
		return err
	case remoteCode(err) != 0:
		return err
	case errors.Is(err, client.ErrUnreachable):
		return unreachedError{err}
	case errors.As(err, &answer) && (answer.Refused() || answer.Status == http.StatusTooManyRequests):
		return refusedError{fmt.Errorf("%w (check client id, secret and permissions)", err)}
	case errors.As(err, &answer) && (answer.Status == http.StatusUnprocessableEntity || answer.Status == http.StatusBadRequest):
		return server.Invalidf("request", "%v", err)
	}
	return err
}

// open makes the client; close ends what it needs.
func (r *Remote) open(e *env) (c *client.Client, done func() error, err error) {
	if r.URL == "" && r.Credentials == "" && r.Data != "" {
		return r.local(e)
	}
	given, err := r.given()
	if err != nil {
		return nil, nil, err
	}
	if r.Credentials == "" && given.ClientSecret == "" {
		return r.asPerson(given)
	}
	if given.URL == "" || given.ClientID == "" || given.ClientSecret == "" {
		return nil, nil, errNobody()
	}
	hc, done, err := httpFor(given.CA)
	if err != nil {
		return nil, nil, err
	}
	c, err = client.New(client.Options{URL: given.URL, ClientID: given.ClientID, ClientSecret: given.ClientSecret, UserAgent: "picket/" + version, HTTP: hc})
	if err != nil {
		return nil, nil, server.Invalidf("--url", "%v", err)
	}
	return c, done, nil
}

func errNobody() error {
	return server.Invalidf("--url", "run picket login, or give --url, --client-id and the secret in PICKET_CLIENT_SECRET, or a file by --credentials, or --data on the server's machine")
}

// asPerson makes the client of whoever ran "picket login" at this server.
func (r *Remote) asPerson(given credentials) (*client.Client, func() error, error) {
	file, err := loginFile()
	if err != nil {
		return nil, nil, err
	}
	l, err := readLogin(file)
	if err != nil {
		return nil, nil, err
	}
	if l.URL == "" || given.URL != "" && strings.TrimRight(given.URL, "/") != l.URL || given.ClientID != "" && given.ClientID != l.ClientID {
		return nil, nil, errNobody()
	}
	if given.CA == "" {
		given.CA = l.CA
	}
	hc, done, err := httpFor(given.CA)
	if err != nil {
		return nil, nil, err
	}
	hc.Transport = &signedIn{file: file, base: hc.Transport, l: l}
	c, err := client.New(client.Options{URL: l.URL, UserAgent: "picket/" + version, HTTP: hc})
	if err != nil {
		return nil, nil, server.Invalidf("--url", "%v", err)
	}
	return c, done, nil
}

// httpFor makes what requests are sent with; ca is a file of certificates, "" for the system's.
func httpFor(ca string) (*http.Client, func() error, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		text, err := os.ReadFile(ca)
		if err != nil {
			return nil, nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(text) {
			return nil, nil, server.Invalidf("--ca", "%q holds no certificate", ca)
		}
		transport.TLSClientConfig.RootCAs = pool
	}
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		func() error { transport.CloseIdleConnections(); return nil }, nil
}

// given joins the file with flags and environment, which go first.
func (r *Remote) given() (credentials, error) {
	var g credentials
	if r.Credentials != "" {
		info, err := os.Stat(r.Credentials)
		if err != nil {
			return g, err
		}
		if info.Mode().Perm()&0o077 != 0 {
			return g, server.Invalidf("--credentials", "%q has mode %04o: others can read the secret; run chmod 600", r.Credentials, info.Mode().Perm())
		}
		text, err := os.ReadFile(r.Credentials)
		if err != nil {
			return g, err
		}
		if err := json.Unmarshal(text, &g); err != nil {
			return g, server.Invalidf("--credentials", "%q is not a JSON object with url, clientId and clientSecret: %v", r.Credentials, err)
		}
		if g.CA != "" && !filepath.IsAbs(g.CA) {
			g.CA = filepath.Join(filepath.Dir(r.Credentials), g.CA)
		}
	}
	for _, f := range []struct{ from, to *string }{{&r.URL, &g.URL}, {&r.ClientID, &g.ClientID}, {&r.CA, &g.CA}} {
		if *f.from != "" {
			*f.to = *f.from
		}
	}
	if s := os.Getenv("PICKET_CLIENT_SECRET"); s != "" {
		g.ClientSecret = s
	}
	return g, nil
}

// local asks the server that has the data directory, over its admin socket, or
// opens the directory when none runs.
func (r *Remote) local(e *env) (*client.Client, func() error, error) {
	raw, err := server.Ask(e.ctx, r.Data, "ping", struct{}{}, nil)
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "unix", server.SocketPath(r.Data))
	}
	done := func() error { return nil }
	switch {
	case errors.Is(err, server.ErrNoServer):
		if _, err := os.Stat(filepath.Join(r.Data, "picket.db")); err != nil {
			return nil, nil, fmt.Errorf("%q is not a data directory of Picket: %w", r.Data, err)
		}
		if dial, done, err = r.inside(e); err != nil {
			return nil, nil, err
		}
	case err != nil:
		return nil, nil, err
	case string(raw) == "":
		return nil, nil, errors.New("the server on this machine does not answer")
	}
	transport := &http.Transport{DialContext: dial}
	c, err := client.New(client.Options{URL: "http://localhost", HTTP: &http.Client{Transport: transport}, UserAgent: "picket/" + version})
	if err != nil {
		return nil, nil, errors.Join(err, done())
	}
	return c, func() error { transport.CloseIdleConnections(); return done() }, nil
}

// inside opens the data directory and serves the API to this process alone.
func (r *Remote) inside(e *env) (dial func(context.Context, string, string) (net.Conn, error), done func() error, err error) {
	s, err := server.Open(e.ctx, server.Options{Dir: r.Data, Log: e.quiet(), Version: version})
	if err != nil {
		return nil, nil, err
	}
	ln := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	srv := &http.Server{Handler: api.New(api.Options{Server: s, Log: e.quiet(), Local: true}), ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ln) }()
	return ln.dial, func() error {
		err := srv.Close()
		<-ended
		return errors.Join(err, s.Close())
	}, nil
}

// pipeListener accepts the connections that its own dial makes.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	mine, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return mine, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept waits for the next connection.
func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept; it is called once.
func (l *pipeListener) Close() error {
	close(l.closed)
	return nil
}

// Addr has nothing to say.
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "inside", Net: "unix"} }
