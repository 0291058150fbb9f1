package simulate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/picketsec/picket/internal/protocol"
)

// fleet is a running simulation.
type fleet struct {
	opt      Options
	log      *slog.Logger
	base     string // "https://host:port"
	loopback bool
	roots    *x509.CertPool
	book     *book
	hosts    []*host
	clock    clock

	tick     time.Duration // a simulated day, at this run's speed
	patience time.Duration // how long the server may be out of reach before anything worked
	began    time.Time     // of this run
	age      float64       // simulated days before this run
	pace     pace
	gate     chan struct{} // a place for each device that arrives
	reached  atomic.Bool   // the server has answered once

	tokenMu   sync.Mutex // guards tokenText
	tokenText string

	count counters
}

// counters are a Summary in the making.
type counters struct {
	enrolled, connected, settled, sections, deliveries, acks, changes, reconnects, errs, rejected atomic.Int64
}

// errOver ends a simulation that has done what it was asked for.
var errOver = errors.New("the simulation is over")

// Backing off after an error.
const (
	minBackoff = time.Second
	maxBackoff = time.Minute
)

// token is the enrolment token; it is asked for when the first device needs it.
func (f *fleet) token(ctx context.Context) (string, error) {
	f.tokenMu.Lock()
	defer f.tokenMu.Unlock()
	if f.tokenText == "" && f.opt.Token != nil {
		t, err := f.opt.Token(ctx)
		if err != nil {
			return "", fmt.Errorf("get an enrolment token: %w", err)
		}
		f.tokenText = t
	}
	return f.tokenText, nil
}

// now is the age of the fleet in simulated days.
func (f *fleet) now() float64 { return f.age + float64(time.Since(f.began))/float64(f.tick) }

// due is how many steps of a device have passed at an age.
func (h *host) due(age float64) int { return max(0, int(age-h.phase+1)) }

// untilStep is the time to the next step of a device.
func (f *fleet) untilStep(h *host) time.Duration {
	return time.Duration((float64(h.step) + h.phase - f.now()) * float64(f.tick))
}

// advance lets the steps of a device pass that are due.
func (f *fleet) advance(h *host) {
	for due := h.due(f.now()); h.step < due; {
		h.advance()
		f.count.changes.Add(1)
	}
}

// run lets all devices live until ctx ends or the simulation is over.
func (f *fleet) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	stay, turns := f.share()
	for _, h := range f.hosts[:stay] {
		g.Go(func() error { return f.resident(ctx, h) })
	}
	queue := make(chan *visit, len(f.hosts)-stay)
	for _, h := range f.hosts[stay:] {
		queue <- &visit{h: h}
	}
	for range turns {
		g.Go(func() error { return f.visits(ctx, queue) })
	}
	g.Go(func() error { return f.watch(ctx) })
	return g.Wait()
}

// share divides the connections: how many devices stay connected, and how many
// connections the others use by turns.
func (f *fleet) share() (stay, turns int) {
	n := len(f.hosts)
	if n <= f.opt.Connections {
		return n, 0
	}
	turns = min(max(f.opt.Connections/8, 1), 256)
	return f.opt.Connections - turns, turns
}

// resident is a device that stays connected.
func (f *fleet) resident(ctx context.Context, h *host) error {
	wait, settled := minBackoff, false
	for first := true; ; first = false {
		if !f.silence(ctx, h) {
			return ctx.Err()
		}
		if !first {
			f.count.reconnects.Add(1)
		}
		err := f.attempt(ctx, h, true, func() {
			wait = minBackoff
			if !settled {
				settled = true
				f.count.settled.Add(1)
			}
		})
		if errors.Is(err, errSilent) {
			continue
		}
		if err = f.judge(ctx, h, err); err != nil {
			return err
		}
		if !sleep(ctx, wait/2+rand.N(wait)) {
			return ctx.Err()
		}
		wait = min(2*wait, maxBackoff)
	}
}

// silence lets the steps pass for which a device is silent. A fleet that only
// delivers does not wait for that.
func (f *fleet) silence(ctx context.Context, h *host) bool {
	for f.advance(h); h.quiet > 0 && !f.opt.Once; f.advance(h) {
		if !sleep(ctx, f.untilStep(h)) {
			return false
		}
	}
	return ctx.Err() == nil
}

// visit is a device that checks in by turns.
type visit struct {
	h       *host
	ready   time.Time
	settled bool
}

// minTurn is the least time between two visits of one device.
const minTurn = 20 * time.Second

// visits lets devices check in one after the other.
func (f *fleet) visits(ctx context.Context, queue chan *visit) error {
	for {
		var v *visit
		select {
		case v = <-queue:
		case <-ctx.Done():
			return ctx.Err()
		}
		if !sleep(ctx, time.Until(v.ready)) {
			return ctx.Err()
		}
		f.advance(v.h)
		v.ready = time.Now().Add(max(f.tick, minTurn))
		if v.h.quiet == 0 || f.opt.Once {
			err := f.attempt(ctx, v.h, false, func() {
				if !v.settled {
					v.settled = true
					f.count.settled.Add(1)
				} else {
					f.count.reconnects.Add(1)
				}
			})
			if err != nil {
				v.ready = time.Now().Add(minBackoff + rand.N(minTurn))
			}
			if err = f.judge(ctx, v.h, err); err != nil {
				return err
			}
		}
		queue <- v
	}
}

// attempt enrols a device when it has no good certificate, then runs a session.
// Only so many devices arrive at once; one that has settled makes room.
func (f *fleet) attempt(ctx context.Context, h *host, stay bool, settled func()) error {
	if err := f.pace.wait(ctx); err != nil {
		return err
	}
	select {
	case f.gate <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	leave := sync.OnceFunc(func() { <-f.gate })
	defer leave()
	id, err := f.book.load(h.n)
	if err != nil {
		return err
	}
	if !f.enrolled(id) {
		if err := f.enroll(ctx, id); err != nil {
			return err
		}
	}
	err = f.session(ctx, h, id, stay, func() {
		leave()
		settled()
	})
	if r, ok := errors.AsType[*protocol.RefusedError](err); ok && (r.Code == protocol.RefusedUnknown || r.Code == protocol.RefusedCertificate) {
		id.cert = nil // the server has forgotten it: enrol again
		return errors.Join(f.book.save(id), errors.New(r.Reason))
	}
	return err
}

// judge tells errors that end the simulation from those that pass: nil.
func (f *fleet) judge(ctx context.Context, h *host, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	_, isRefused := errors.AsType[*protocol.RefusedError](err)
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case isRefused, errors.Is(err, ErrState):
		return fmt.Errorf("device %d (%s): %w", h.n, h.name(), err)
	case untrusted:
		return fmt.Errorf("%w: it is not the one that the CA vouches for: %w", ErrUnreached, err)
	case !f.reached.Load() && time.Since(f.began) > f.patience:
		return fmt.Errorf("%w: %w", ErrUnreached, err)
	}
	f.count.errs.Add(1)
	f.log.WarnContext(ctx, "simulated device has no session, it tries again", "device", h.name(), "error", err)
	return nil
}

// watch tells how far the simulation is, keeps its age and ends it.
func (f *fleet) watch(ctx context.Context) error {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	var over <-chan time.Time
	if f.opt.Duration > 0 {
		t := time.NewTimer(f.opt.Duration)
		defer t.Stop()
		over = t.C
	}
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-over:
			return errOver
		case <-tick.C:
		}
		s := f.summary()
		if f.opt.Progress != nil {
			f.opt.Progress(s)
		}
		if f.opt.Once && s.Settled == s.Devices {
			return errOver
		}
		if n%40 == 0 {
			if err := f.note(); err != nil {
				return err
			}
		}
	}
}

// note keeps the age of the fleet.
func (f *fleet) note() error {
	err := f.book.note(fleetState{Seed: f.opt.Seed, Start: f.clock.start, Tick: f.clock.tick, Age: f.now()})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	return nil
}

func (f *fleet) summary() Summary {
	c := &f.count
	return Summary{Devices: len(f.hosts), Settled: int(c.settled.Load()), Connected: int(c.connected.Load()), Enrolled: int(c.enrolled.Load()),
		Sections: c.sections.Load(), Deliveries: c.deliveries.Load(), Acks: c.acks.Load(), Changes: c.changes.Load(),
		Reconnects: c.reconnects.Load(), Errors: c.errs.Load(), Rejected: c.rejected.Load(), Seconds: time.Since(f.began).Seconds()}
}

// pace spaces arrivals evenly. Its zero value lets all through.
type pace struct {
	every time.Duration
	mu    sync.Mutex // guards next
	next  time.Time
}

func (p *pace) wait(ctx context.Context) error {
	if p.every <= 0 {
		return ctx.Err()
	}
	p.mu.Lock()
	at := time.Now()
	if p.next.After(at) {
		at = p.next
	}
	p.next = at.Add(p.every)
	p.mu.Unlock()
	if !sleep(ctx, time.Until(at)) {
		return ctx.Err()
	}
	return nil
}

// arrivals is how many devices enrol or bring their first inventory at once.
func arrivals() int { return 8 * runtime.GOMAXPROCS(0) }
