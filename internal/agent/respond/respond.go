// Package respond carries out on an endpoint what a person has asked for: it
// collects an investigation package, cuts the host off from the network, and
// looks for malware. It has no connection of its own and knows no server; who
// asks, and who is told, is the agent's business.
//
//	r := respond.New(respond.Config{State: "/var/lib/picket-agent", Version: "1.4.0"})
//	if why := r.Can()[respond.Collect]; why == "" {
//		pkg, err := r.Collect(ctx, w)
//	}
//
// Whatever it does keeps to the limits that the agent has set for its own
// process: it starts few programs, each by an absolute path from a list, without
// a shell, with an environment of its own, and they share the agent's limits.
package respond

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// Kind is a kind of action.
type Kind string

// The kinds of actions.
const (
	Collect Kind = "collect" // an investigation package
	Scan    Kind = "scan"    // an antivirus scan
	Isolate Kind = "isolate" // cut off from everything but the server
	Release Kind = "release" // the end of that
	// Investigate examines files, processes and addresses that somebody names.
	Investigate Kind = "investigate"
)

// Kinds are all kinds.
var Kinds = []Kind{Collect, Scan, Isolate, Release, Investigate}

// ErrUnsupported says that this system, or this way to run the agent, has no
// such action. Its text is for people.
var ErrUnsupported = errors.New("not supported")

// Config is what actions work with.
type Config struct {
	State   string // the agent's own directory
	Root    string // root file system that the agent inventories; "" and "/" are the running host
	Version string // of the agent
	Log     *slog.Logger
	// Event takes an event that has everything but its times and its number. It
	// may be called by several goroutines at once. nil: events are not wanted.
	Event func(*event.Event)
	// Server returns the addresses that the agent needs to reach its server: those
	// it is connected to, and those that it would connect to now; with a proxy,
	// the proxy's. Without it nothing can be isolated.
	Server func(ctx context.Context) ([]netip.AddrPort, error)
	// Reach returns nil when the server answers over a connection that was opened
	// after the call. It gives up when ctx ends.
	Reach func(ctx context.Context) error
	// Named says that the server, or the proxy, is known by a name that the host's
	// resolver answers for: questions to it stay allowed in isolation.
	Named bool
	// Changed is told when isolation begins, ends or is repaired, by whatever
	// means. It must not ask for an action itself. nil: nobody wants to know.
	Changed func(Isolation)
}

// Responder carries out actions. Safe for concurrent use; of each kind one
// action runs at a time, and a second one waits for it.
type Responder struct {
	cfg Config
	log *slog.Logger

	collecting, scanning chan struct{} // one token each
	scans                scans
	isolation            isolation
	clam                 clam     // of this host
	places               places   // of a quick scan
	dpkg                 string   // directory of the package database
	starts               []string // places from which something is started
	progressEvery        time.Duration
}

// New returns a responder. It does nothing to the host before it is asked to,
// and before Run.
func New(cfg Config) *Responder {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Event == nil {
		cfg.Event = func(*event.Event) {}
	}
	if cfg.Changed == nil {
		cfg.Changed = func(Isolation) {}
	}
	if cfg.Root != "" {
		cfg.Root = filepath.Clean(cfg.Root)
	}
	if cfg.Root == "/" {
		cfg.Root = ""
	}
	return &Responder{cfg: cfg, log: cfg.Log, collecting: make(chan struct{}, 1), scanning: make(chan struct{}, 1), clam: hostClam, places: quickPlaces, dpkg: dpkgDir, starts: startPlaces, progressEvery: time.Second}
}

// Can tells of every kind why this host cannot do it, in a sentence for people;
// "" means that it can. It asks the host each time.
func (r *Responder) Can() map[Kind]string {
	out := map[Kind]string{}
	for _, k := range Kinds {
		out[k] = ""
		if err := r.can(k); err != nil {
			out[k] = err.Error()
		}
	}
	return out
}

// live reports whether the running host is what the agent looks at.
func (r *Responder) live() bool { return r.cfg.Root == "" }

// unsupported is ErrUnsupported with a text.
type unsupported string

func (u unsupported) Error() string      { return string(u) }
func (unsupported) Is(target error) bool { return target == ErrUnsupported }

// take takes a token, or says that ctx has ended.
func take(ctx context.Context, c chan struct{}) (release func(), err error) {
	select {
	case c <- struct{}{}:
		return func() { <-c }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
