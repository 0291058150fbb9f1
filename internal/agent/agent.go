// Package agent is what runs on an endpoint: it collects the inventory, notices
// changes, and delivers what changed to the server. It reports facts and judges
// nothing, listens on no port, and keeps to limits that it sets itself.
//
//	err := agent.Run(ctx, agent.Config{Server: "https://picket:8681", CA: "ca.pem", Token: "pkt_…", State: "/var/lib/picket-agent"})
//	os.Exit(agent.ExitCode(err))
//
// What is collected goes to disk first and to the network second. Two things
// are on disk: the last content of each section, and the changes that the
// server has not acknowledged. The content is what counts: whatever is lost of
// the changes, the server gets the section whole.
package agent

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	mrand "math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
)

// Config is what an agent is started with.
type Config struct {
	Server   string        // URL of the server's agent listener
	CA       string        // file with the authority that the server's certificate must come from
	Token    string        // enrolment token; not needed when State is enrolled
	State    string        // directory of the agent's own
	Root     string        // root file system to inventory; "" is the running host
	Once     bool          // report once and return
	Version  string        // of the agent
	SpoolMax int64         // bytes on disk for changes that wait; 0 is 64 MiB
	EventMax int64         // bytes on disk for events that wait; 0 is 256 MiB
	NoEvents bool          // report the inventory alone, record nothing that happens
	FullPass time.Duration // between full passes; 0 is 4 h
	Log      *slog.Logger  // nil: no log
}

// The limits of time of an agent that runs once.
const onceLimit = 20 * time.Second // without reaching the server

const (
	defaultSpool = 64 << 20
	minSpool     = 1 << 20
	defaultEvent = 256 << 20
	minEvent     = 16 << 20
	maxEvent     = 4 << 30
	defaultPass  = 4 * time.Hour
	minBackoff   = 500 * time.Millisecond
	maxBackoff   = time.Minute
)

// agent is a running agent.
type agent struct {
	cfg    Config
	log    *slog.Logger
	base   *url.URL
	roots  *x509.CertPool
	state  *stateDir
	spool  *spool
	keep   *keeper
	gather *gatherer
	events *recorder
	times  *times
	tasks  *taskBook
	hands  *hands
	// dialled is where the last connection to the server, or its proxy, went; nil: none was made.
	dialled atomic.Pointer[netip.AddrPort]

	// The connect loop and the sessions that it runs, one after the other, own these.
	ident    *identity
	rejected map[inventory.SectionName]string // content that the server will not take, by hash
}

// Validate says what is wrong with the configuration and how to mend it.
func (c *Config) Validate() error {
	u, err := url.Parse(c.Server)
	switch {
	case c.Server == "":
		return usageErr("--server is missing: give the URL of the server's agent listener")
	case err != nil || u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "":
		return usageErr("--server %q is not of the form https://HOST:PORT", c.Server)
	case c.CA == "":
		return usageErr("--ca is missing: copy ca.pem from the server's data directory and name it")
	case c.State == "":
		return usageErr("--state is missing: name a directory for the agent alone")
	case c.SpoolMax != 0 && c.SpoolMax < minSpool:
		return usageErr("the spool needs at least %d bytes", minSpool)
	case c.EventMax != 0 && (c.EventMax < minEvent || c.EventMax > maxEvent):
		return usageErr("--event-disk: the disk for events that wait is %d to %d MiB", minEvent>>20, maxEvent>>20)
	}
	if c.Root != "" {
		if info, err := os.Stat(c.Root); err != nil || !info.IsDir() {
			return usageErr("--root %q is not a directory", c.Root)
		}
	}
	return nil
}

// Run runs an agent until ctx ends, or until everything is acknowledged when
// cfg.Once is set. The returned error is nil in both cases; ExitCode tells the
// others apart.
func Run(ctx context.Context, cfg Config) error {
	a, err := open(ctx, cfg)
	if err != nil {
		return err
	}
	defer a.close()
	err = a.run(ctx)
	if ctx.Err() != nil || errors.Is(err, errDone) {
		if len(a.rejected) > 0 && cfg.Once {
			return &RefusedError{Code: "rejected", Reason: fmt.Sprintf("it rejected %d sections, see the log", len(a.rejected))}
		}
		if cfg.Once && !errors.Is(err, errDone) {
			return fmt.Errorf("interrupted before the server had acknowledged everything: %w", context.Cause(ctx))
		}
		return nil
	}
	return err
}

// open checks the configuration and opens everything that is on disk.
func open(ctx context.Context, cfg Config) (*agent, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.SpoolMax == 0 {
		cfg.SpoolMax = defaultSpool
	}
	if cfg.EventMax == 0 {
		cfg.EventMax = defaultEvent
	}
	if cfg.FullPass == 0 {
		cfg.FullPass = defaultPass
	}
	a := &agent{cfg: cfg, log: cfg.Log, times: newTimes(), rejected: map[inventory.SectionName]string{}}
	var err error
	if a.base, err = url.Parse(cfg.Server); err != nil {
		return nil, usageErr("--server: %v", err)
	}
	if a.roots, err = loadRoots(cfg.CA); err != nil {
		return nil, usageErr("%v", err)
	}
	if a.state, err = openState(cfg.State); err != nil {
		return nil, err
	}
	if a.ident, err = loadIdentity(a.state, identityFile); err != nil {
		a.close()
		return nil, err
	}
	a.times.remembered(a.lastSession().Now)
	if a.spool, err = openSpool(spoolDisk{a.state, "spool"}, cfg.SpoolMax, randomSalt); err != nil {
		a.close()
		return nil, stateErr("%w", err)
	}
	if a.events, err = openRecorder(a.state, cfg.EventMax, a.log); err != nil {
		a.close()
		return nil, stateErr("%w", err)
	}
	a.hands = a.newResponder()
	if !cfg.Once { // an isolated host is cut off before anything else is done
		if err := a.hands.Restore(ctx); err != nil {
			a.log.ErrorContext(ctx, "isolation not restored", "error", err)
		}
	}
	if a.tasks, err = openTasks(a.state, a.newHand(), a.log); err != nil {
		a.close()
		return nil, stateErr("%w", err)
	}
	a.tasks.send = a.sendPackage
	a.keep = openKeeper(ctx, a.state, a.spool, a.log)
	a.keep.differs = a.events.packagesChanged
	a.gather = newGatherer(cfg, a.keep, a.log)
	return a, nil
}

// close frees what open opened; twice is no harm.
func (a *agent) close() {
	if a.spool != nil {
		a.spool.close()
	}
	if a.events != nil {
		a.events.close()
	}
	_ = a.state.close() // ends with the process in any case
}

func (a *agent) run(ctx context.Context) error {
	g := newGroup(ctx, a.log)
	a.gather.start(g)
	g.add("connect", a.connect)
	if !a.cfg.Once {
		a.tasks.start(g)
		g.add("isolation", a.hands.Run)
	}
	if _, live := a.cfg.hostRoot(); live && !a.cfg.Once && !a.cfg.NoEvents {
		g.add("record", a.events.run)
		g.add("sense", a.sense)
	}
	return g.wait()
}

// randomSalt gives a segment of the spool its salt.
func randomSalt() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint32(b[:])
}

// url is a path on the server.
func (a *agent) url(path string) string { return "https://" + a.base.Host + path }

// client returns an HTTP client for one purpose; done ends its connections.
func (a *agent) client(id *identity) (c *http.Client, done func()) {
	t := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         a.dial,
		TLSClientConfig:     clientTLS(a.roots, id, a.times.now),
		TLSHandshakeTimeout: 15 * time.Second,
		MaxIdleConns:        1,
		ReadBufferSize:      4 << 10,
		WriteBufferSize:     4 << 10,
	}
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, t.CloseIdleConnections
}

// connect enrols if need be and keeps a session open, backing off with jitter
// while that does not work.
func (a *agent) connect(ctx context.Context) error {
	wait, started := minBackoff, time.Now()
	reached := false
	for {
		err := a.attempt(ctx, func() { wait, reached = minBackoff, true })
		if ctx.Err() != nil {
			return ctx.Err()
		}
		refused, isRefused := errors.AsType[*RefusedError](err)
		_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
		if bad, ok := errors.AsType[x509.CertificateInvalidError](err); ok && bad.Reason == x509.Expired {
			a.times.doubt()
		}
		switch {
		case errors.Is(err, errDone):
			return err
		case errors.Is(err, errForked):
			continue
		case errors.Is(err, ErrState):
			return err
		case isRefused && (refused.Code == protocol.RefusedUnknown || refused.Code == protocol.RefusedCertificate):
			a.ident.cert = nil // the key is known, or the token is good: both enrol
		case isRefused && refused.Code == protocol.RefusedToken:
			return err
		case (isRefused || untrusted) && a.cfg.Once:
			return err
		}
		if a.cfg.Once && !reached && time.Since(started) > onceLimit {
			return fmt.Errorf("%w: %w", errUnreached, err)
		}
		pause := wait/2 + mrand.N(wait)
		a.log.WarnContext(ctx, "no session with the server, trying again", "error", err, "seconds", int(pause.Round(time.Second).Seconds()))
		if !sleep(ctx, pause) {
			return ctx.Err()
		}
		wait = backoff(wait)
	}
}

// backoff is the pause after a pause.
func backoff(wait time.Duration) time.Duration { return min(wait*2, maxBackoff) }

// attempt enrols when there is no good certificate, then runs a session.
func (a *agent) attempt(ctx context.Context, welcomed func()) error {
	if a.ident.cert == nil || !protocol.Trusted(a.ident.cert, a.roots, a.times.now()) {
		if err := a.enroll(ctx); err != nil {
			return err
		}
	}
	return a.session(ctx, welcomed)
}

// hostRoot is the root that is inventoried, and whether it is the running host.
func (c *Config) hostRoot() (dir string, live bool) {
	if c.Root == "" || filepath.Clean(c.Root) == "/" {
		return liveRoot, true
	}
	return c.Root, false
}
