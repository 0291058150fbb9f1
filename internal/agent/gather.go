package agent

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/agent/collect"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
)

// How often sections are looked at for which nothing can be watched.
const (
	roundEvery   = time.Minute      // interfaces
	kernelEvery  = 10 * time.Minute // kernel parameters, mounts
	restartSoon  = 20 * time.Second // processes that need a restart, while there are some
	restartLater = 5 * time.Minute  // and while there are none
	slowBudget   = 3 * time.Hour    // of one slow collector under the governor
	slowRest     = 2 * time.Second  // between two passes of slow collectors, at least
	duty         = 0.05             // share of the time that a lane works, but for its burst
	quickBurst   = 3 * time.Second  // of CPU time at full speed after a long rest: many looks
	slowBurst    = 10 * time.Second // of walking, waits for the disk included: some walks
	firstWalkers = 4                // directories read at a time before the first report
)

// gatherer runs the collectors in two lanes, so that a change of a package
// database is on its way while a walk over the disk goes on.
type gatherer struct {
	cfg        Config
	keep       *keeper
	log        *slog.Logger
	collectors []collect.Collector
	lanes      [2]*lane             // quick, slow
	first      chan struct{}        // closed when every section was looked at once
	used       func() time.Duration // CPU time of this process
	seldom     time.Duration        // between polls where the system tells of changes

	mu       sync.Mutex                     // guards the fields below
	waiting  map[inventory.SectionName]bool // not looked at yet
	restarts bool                           // the restart section is not empty
	fullPass time.Duration
}

// lane is a queue of sections that are to be looked at.
type lane struct {
	name string
	slow bool
	gov  *governor // used by the lane's loop alone
	wake chan struct{}

	mu      sync.Mutex // guards pending
	pending map[inventory.SectionName]bool
}

func newGatherer(cfg Config, k *keeper, log *slog.Logger) *gatherer {
	g := &gatherer{cfg: cfg, keep: k, log: log, collectors: collect.All(), first: make(chan struct{}), used: cpuTime, seldom: pollSeldom,
		waiting: map[inventory.SectionName]bool{}, fullPass: cfg.FullPass}
	g.lanes[0] = newLane("collect", false, quickBurst)
	g.lanes[1] = newLane("collect-slow", true, slowBurst)
	for _, c := range g.collectors {
		g.waiting[c.Name] = true
	}
	return g
}

func newLane(name string, slow bool, burst time.Duration) *lane {
	return &lane{name: name, slow: slow, gov: newGovernor(burst), wake: make(chan struct{}, 1), pending: map[inventory.SectionName]bool{}}
}

// start adds the gatherer's loops to a group.
func (g *gatherer) start(grp *group) {
	g.all()
	for _, l := range g.lanes {
		grp.add(l.name, func(ctx context.Context) error { return g.runLane(ctx, l) })
	}
	if g.cfg.Once {
		return
	}
	grp.add("passes", g.passes)
	grp.add("watch", g.watch)
}

// trigger asks for a look at some sections. It does not wait.
func (g *gatherer) trigger(names ...inventory.SectionName) {
	for _, c := range g.collectors {
		for _, n := range names {
			if c.Name == n {
				g.lane(c).add(n)
			}
		}
	}
}

// all asks for a look at every section.
func (g *gatherer) all() {
	for _, c := range g.collectors {
		g.lane(c).add(c.Name)
	}
}

// nudge is the server's wish to look now.
func (g *gatherer) nudge() { g.all() }

func (g *gatherer) lane(c collect.Collector) *lane {
	if c.Slow {
		return g.lanes[1]
	}
	return g.lanes[0]
}

func (l *lane) add(name inventory.SectionName) {
	l.mu.Lock()
	l.pending[name] = true
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *lane) take() map[inventory.SectionName]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pending) == 0 {
		return nil
	}
	p := l.pending
	l.pending = map[inventory.SectionName]bool{}
	return p
}

// runLane looks at what is asked for, again and again. A change after a quiet
// time is looked at at once; changes that never end do not keep the host busy,
// because a lane rests for what it works beyond its share.
func (g *gatherer) runLane(ctx context.Context, l *lane) error {
	for {
		names := l.take()
		if names == nil {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-l.wake:
			}
			continue
		}
		start, used := time.Now(), g.used()
		first := g.batch(ctx, l, names)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		took := time.Since(start)
		debug.FreeOSMemory()
		if first || g.cfg.Once {
			continue
		}
		rest := max(took/4, slowRest)
		if !l.slow { // else it was slowed while it worked
			rest = l.gov.spend(g.used() - used)
		}
		if !sleep(ctx, rest) {
			return ctx.Err()
		}
	}
}

// batch runs the named collectors of a lane once. first says that one of the
// sections was not known before.
func (g *gatherer) batch(ctx context.Context, l *lane, names map[inventory.SectionName]bool) (first bool) {
	dir, live := g.cfg.hostRoot()
	host, closer, err := collect.OpenHost(dir, live, time.Now())
	if err != nil {
		g.log.ErrorContext(ctx, "root cannot be inventoried", "root", dir, "error", err)
		for n := range names {
			g.looked(n)
		}
		return false
	}
	defer closer.Close()
	known := g.keep.hashes()
	for _, c := range g.collectors {
		if !names[c.Name] {
			continue
		}
		limits := collect.DefaultLimits()
		limits.MaxItems = protocol.MaxItems
		if _, ok := known[c.Name]; !ok || g.cfg.Once {
			first, limits.Walkers = true, firstWalkers
		} else if l.slow {
			l.gov.from = time.Now()
			limits.Yield = func() { l.gov.yield(ctx) }
			limits.Budget = slowBudget
		}
		start := time.Now()
		sec := collect.Run(ctx, c, host, limits)
		if ctx.Err() != nil {
			return first
		}
		if c.Name == inventory.Restart {
			g.mu.Lock()
			g.restarts = len(sec.Items) > 0
			g.mu.Unlock()
		}
		g.keep.offer(ctx, sec)
		g.looked(c.Name)
		g.log.DebugContext(ctx, "section collected", "section", c.Name, "status", sec.Status, "items", len(sec.Items), "took", time.Since(start))
	}
	return first
}

// looked notes that a section was looked at; after the last one the sender is
// told, also when nothing changed.
func (g *gatherer) looked(name inventory.SectionName) {
	g.mu.Lock()
	had := len(g.waiting)
	delete(g.waiting, name)
	done := had > 0 && len(g.waiting) == 0
	g.mu.Unlock()
	if done {
		close(g.first)
		g.keep.wake()
	}
}

// policy takes the server's wishes.
func (g *gatherer) policy(p protocol.Policy) {
	if p.FullPassSeconds <= 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fullPass = max(time.Duration(p.FullPassSeconds)*time.Second, 10*time.Minute)
}

// passes looks at time: full passes, and what cannot be watched.
func (g *gatherer) passes(ctx context.Context) error {
	now := time.Now()
	nextFull, nextRestart, nextRound, nextKernel := now.Add(g.jitterPass()), now.Add(restartLater), now.Add(roundEvery), now.Add(kernelEvery)
	for {
		if !sleep(ctx, restartSoon) {
			return ctx.Err()
		}
		now := time.Now()
		g.mu.Lock()
		restarts := g.restarts
		g.mu.Unlock()
		if restarts || now.After(nextRestart) {
			g.trigger(inventory.Restart)
			nextRestart = now.Add(restartLater)
		}
		if now.After(nextRound) {
			g.trigger(inventory.Interfaces)
			nextRound = now.Add(roundEvery)
		}
		if now.After(nextKernel) {
			g.trigger(inventory.Sysctl, inventory.Mounts)
			nextKernel = now.Add(kernelEvery)
		}
		if now.After(nextFull) {
			g.all()
			nextFull = now.Add(g.jitterPass())
		}
	}
}

func (g *gatherer) jitterPass() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.fullPass*9/10 + rand.N(g.fullPass/5)
}

// governor holds a loop to its share of the time. What it does not use it may
// use later at full speed, up to burst.
type governor struct {
	burst time.Duration
	left  time.Duration // work that is free; below zero: work that is to be rested for
	at    time.Time     // when left was right
	from  time.Time     // start of the present slice of work
}

const (
	slice   = 5 * time.Millisecond // that a governed loop works at a stretch
	maxNap  = 2 * time.Second      // at a stretch; the rest follows after the next slice
	maxDebt = time.Minute          // of work: a disk that hangs is no work
)

func newGovernor(burst time.Duration) *governor {
	return &governor{burst: burst, left: burst, at: time.Now()}
}

// spend counts work that ends now and returns how long to rest for it.
func (g *governor) spend(worked time.Duration) (rest time.Duration) {
	now := time.Now()
	earned := time.Duration(float64(now.Sub(g.at)) * duty)
	g.left, g.at = max(min(g.left+earned, g.burst)-worked, -maxDebt), now
	return time.Duration(float64(max(-g.left, 0)) / duty)
}

// yield ends a slice of work when it is over, and rests.
func (g *governor) yield(ctx context.Context) {
	worked := time.Since(g.from)
	if worked < slice {
		return
	}
	sleep(ctx, min(g.spend(worked), maxNap))
	g.from = time.Now()
}
