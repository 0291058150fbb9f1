package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/picketsec/picket/internal/api"
	"github.com/picketsec/picket/internal/server"
	"github.com/picketsec/picket/web"
)

// ServerCmd is "picket server".
type ServerCmd struct {
	Data        string            `required:"" env:"PICKET_DATA" help:"Data directory, created with mode 0700."`
	Listen      string            `default:"127.0.0.1:8680" env:"PICKET_LISTEN" help:"Address of the console and the API. Plain HTTP on loopback without a certificate, elsewhere only TLS."`
	AgentListen string            `default:"127.0.0.1:8681" env:"PICKET_AGENT_LISTEN" help:"Address that agents connect to (TLS by the server's own CA)."`
	TLSCert     string            `env:"PICKET_TLS_CERT" help:"Certificate chain (PEM) for --listen."`
	TLSKey      string            `env:"PICKET_TLS_KEY" help:"Private key (PEM) for --listen."`
	IntelBase   map[string]string `env:"PICKET_INTEL_BASE" help:"Base address of a mirror by feed group, as osv=https://mirror.example/osv; separated by semicolons."`
	PublicURL   string            `env:"PICKET_PUBLIC_URL" help:"Address that links handed out to others start with."`
}

// Run serves until a signal ends it.
func (c *ServerCmd) Run(e *env) error {
	l, err := c.bind()
	if err != nil {
		return err
	}
	s, err := server.Open(e.ctx, c.options(e, l))
	if err != nil {
		return errors.Join(err, l.close())
	}
	link, err := s.FirstSignInLink(e.ctx)
	if err != nil {
		return errors.Join(err, l.close(), s.Close())
	}
	e.log.InfoContext(e.ctx, "picket is serving", "console", l.consoleURL(), "agents", "https://"+l.agents.Addr().String(), "data", c.Data)
	if link != "" {
		_, _ = fmt.Fprintf(e.err, "first sign-in: %s\n", l.consoleURL()+"/welcome#"+link)
	}
	return errors.Join(c.serve(e.ctx, e, s, l), s.Close())
}

func (c *ServerCmd) options(e *env, l *listeners) server.Options {
	return server.Options{Dir: c.Data, Log: e.log, Version: version, PublicURL: c.PublicURL, IntelBase: c.IntelBase, AgentAddr: l.agents.Addr().String()}
}

// listeners are the two open sockets of a server.
type listeners struct {
	console, agents net.Listener
	tls             *tls.Config // nil: plain HTTP
}

func (l *listeners) close() error { return errors.Join(l.console.Close(), l.agents.Close()) }

// consoleURL is how a person on this machine reaches the console.
func (l *listeners) consoleURL() string {
	scheme := "http"
	if l.tls != nil {
		scheme = "https"
	}
	host, port, _ := net.SplitHostPort(l.console.Addr().String())
	if ip := net.ParseIP(host); ip == nil || ip.IsLoopback() || ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// bind opens both sockets before anything else is touched, so that a busy port
// is a clear error and changes nothing.
func (c *ServerCmd) bind() (*listeners, error) {
	var cfg *tls.Config
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return nil, server.Invalidf("--tls-cert", "needs --tls-key, and the other way round")
	case c.TLSCert != "":
		cert, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
		if err != nil {
			return nil, fmt.Errorf("read certificate %q: %w", c.TLSCert, err)
		}
		cfg = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	case !loopback(c.Listen):
		return nil, server.Invalidf("--listen", "%q is not a loopback address: give --tls-cert and --tls-key, or listen on 127.0.0.1", c.Listen)
	}
	console, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen for the console: %w (give another --listen)", err)
	}
	agents, err := net.Listen("tcp", c.AgentListen)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen for agents: %w (give another --agent-listen)", err), console.Close())
	}
	return &listeners{console: console, agents: agents, tls: cfg}, nil
}

func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// serve runs everything until ctx ends or one part fails.
func (c *ServerCmd) serve(ctx context.Context, e *env, s *server.Server, l *listeners) error {
	g, ctx := errgroup.WithContext(ctx)
	agentTLS, err := s.AgentTLS()
	if err != nil {
		return errors.Join(err, l.close())
	}
	console := &http.Server{
		Handler:           api.New(api.Options{Server: s, Web: web.Handler(), PublicURL: c.PublicURL, Log: e.log}),
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, TLSConfig: l.tls,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	agents := &http.Server{
		Handler: s.AgentHandler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: discardLogger(), BaseContext: func(net.Listener) context.Context { return ctx },
	}
	s.ServeLocal(api.New(api.Options{Server: s, PublicURL: c.PublicURL, Log: e.log, Local: true}))
	g.Go(func() error { return s.Run(ctx) })
	g.Go(func() error {
		ln := api.Lenient(l.console)
		if l.tls != nil {
			ln = tls.NewListener(l.console, l.tls)
		}
		return serveHTTP(ctx, console, ln, "console")
	})
	g.Go(func() error { return serveHTTP(ctx, agents, tls.NewListener(l.agents, agentTLS), "agents") })
	err = g.Wait()
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// serveHTTP serves until ctx ends, then gives open requests three seconds.
func serveHTTP(ctx context.Context, srv *http.Server, ln net.Listener, what string) error {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		if srv.Shutdown(late) != nil {
			_ = srv.Close()
		}
	})
	err := srv.Serve(ln)
	if !stop() {
		<-done
	}
	if errors.Is(err, http.ErrServerClosed) {
		return ctx.Err()
	}
	return fmt.Errorf("serve %s: %w", what, err)
}
