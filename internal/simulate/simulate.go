// Package simulate is a fleet of devices that do not exist: for the demo, for
// work on the product, and as a load generator. Each speaks the agents' protocol
// with a key and a certificate of its own, over a connection of its own, and
// reports the inventory of a made-up host that changes as time passes.
//
//	sum, err := simulate.Run(ctx, simulate.Options{Server: "https://localhost:8681", CA: pem, Token: token, Dir: dir, Devices: 30})
//
// What a device is and becomes follows from the seed, its number, the date of
// the fleet's first start and the lists in data (and those of the simulating
// machine, see Local): the same ones give the same bytes. What is installed is
// kept as one byte per source package; reports are written when they are needed.
package simulate

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"
)

// The limits of a simulation.
const (
	MaxDevices     = 1_000_000
	MaxConnections = 60_000
)

// Options say what is simulated, and against which server.
type Options struct {
	Server string // "https://host:port" of the agent listener
	CA     []byte // PEM of the authority that the server's certificate must come from
	// Token returns an enrolment token with as many uses as there are devices.
	// It is called at most once, when the first device has to enrol; nil: all are enrolled.
	Token func(context.Context) (string, error)
	Dir   string // for the devices' keys, made with mode 0700

	Devices     int
	Seed        uint64
	Connections int     // open at a time; devices beyond check in by turns
	Rate        float64 // new connections per second, 0: no limit
	Speed       float64 // how many times faster than the clock a device's days pass
	Start       time.Time
	Once        bool          // end when every device has delivered its inventory
	Duration    time.Duration // end after that time, 0: never
	Local       *Local        // packages of this machine, nil: none
	Version     string        // of the agents

	Log      *slog.Logger
	Progress func(Summary) // called four times a second, nil: never
}

// Summary is what a simulation has done.
type Summary struct {
	Devices    int     `json:"devices"`
	Settled    int     `json:"settled"`    // devices of which the server has the whole inventory
	Connected  int     `json:"connected"`  // sessions open now
	Enrolled   int     `json:"enrolled"`   // certificates got in this run
	Sections   int64   `json:"sections"`   // changes of sections that the server has acknowledged
	Deliveries int64   `json:"deliveries"` // messages that carried them
	Acks       int64   `json:"acks"`
	Changes    int64   `json:"changes"` // days that have passed on devices
	Reconnects int64   `json:"reconnects"`
	Errors     int64   `json:"errors"`   // connections that failed and were tried again
	Rejected   int64   `json:"rejected"` // sections that the server would not take
	Seconds    float64 `json:"seconds"`
}

// ErrOptions says that an option is not allowed.
var ErrOptions = errors.New("not allowed")

// check says what is wrong with options.
func (o *Options) check() error {
	u, err := url.Parse(o.Server)
	switch {
	case err != nil || u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "":
		return fmt.Errorf("server %q is not of the form https://HOST:PORT: %w", o.Server, ErrOptions)
	case o.Devices < 1 || o.Devices > MaxDevices:
		return fmt.Errorf("%d devices, 1 to %d are possible: %w", o.Devices, MaxDevices, ErrOptions)
	case o.Connections < 1 || o.Connections > MaxConnections:
		return fmt.Errorf("%d connections, 1 to %d are possible: %w", o.Connections, MaxConnections, ErrOptions)
	case o.Speed <= 0 || o.Speed > 86400:
		return fmt.Errorf("speed %g, more than 0 and at most 86400 (a day a second) is possible: %w", o.Speed, ErrOptions)
	case o.Rate < 0 || o.Duration < 0:
		return fmt.Errorf("a negative rate or duration: %w", ErrOptions)
	case o.Dir == "":
		return fmt.Errorf("no directory for the devices' keys: %w", ErrOptions)
	}
	return nil
}

// Run simulates until ctx ends, or until what Options ask for is done; both are
// no error. An error is a *protocol.RefusedError, or wraps ErrOptions, ErrState or
// ErrUnreached, or is another failure that trying again does not mend. The
// Summary is good in every case.
func Run(ctx context.Context, opt Options) (Summary, error) {
	f, err := open(opt)
	if err != nil {
		return Summary{Devices: opt.Devices}, err
	}
	return f.finish(ctx, f.run(ctx))
}

// finish closes everything and tells an end that was asked for from a failure.
func (f *fleet) finish(ctx context.Context, err error) (Summary, error) {
	if ctx.Err() != nil || errors.Is(err, errOver) {
		err = nil
	}
	return f.summary(), errors.Join(err, f.note(), f.book.close())
}

// open reads everything that a simulation needs and makes the devices.
func open(opt Options) (*fleet, error) {
	if err := opt.check(); err != nil {
		return nil, err
	}
	f := &fleet{opt: opt, log: opt.Log, base: strings.TrimRight(opt.Server, "/"), roots: x509.NewCertPool(), gate: make(chan struct{}, arrivals()),
		patience: 15 * time.Second}
	if f.log == nil {
		f.log = slog.New(slog.DiscardHandler)
	}
	if !f.roots.AppendCertsFromPEM(opt.CA) {
		return nil, fmt.Errorf("the CA is no certificate in PEM form: %w", ErrOptions)
	}
	if u, err := url.Parse(opt.Server); err == nil {
		f.loopback = onLoopback(u.Hostname())
	}
	if opt.Rate > 0 {
		f.pace.every = time.Duration(float64(time.Second) / opt.Rate)
	}
	u, err := loadUniverse()
	if err != nil {
		return nil, err
	}
	if opt.Local != nil {
		u.addLocal(opt.Local.OS, opt.Local.Packages)
	}
	f.tick = time.Duration(24 * float64(time.Hour) / opt.Speed)
	state := fleetState{Seed: opt.Seed, Start: opt.Start.UTC(), Tick: f.tick}
	if opt.Start.IsZero() {
		state.Start = time.Now().UTC().Truncate(time.Second)
	}
	if f.book, err = openBook(opt.Dir, &state); err != nil {
		return nil, err
	}
	f.age, f.clock = state.Age, clock{start: state.Start, tick: state.Tick}
	f.hosts = make([]*host, opt.Devices)
	for n := range f.hosts {
		h := newHost(u, &f.clock, opt.Seed, n)
		for due := h.due(f.age); h.step < due; {
			h.advance()
		}
		f.hosts[n] = h
	}
	f.began = time.Now()
	return f, nil
}
