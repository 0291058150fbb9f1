// Package sense notices what happens on the running host: one file per source
// of events. A source is the best that the kernel gives; where it does not
// work, the next one takes its place, and the agent says which it has.
//
// Sources report what happens in the agent's own process namespace and below
// it, and nothing of other hosts on the same kernel. What a file holds, what a
// process is given in its environment, and what travels over a network are
// never looked at, but for answers of the name service.
package sense

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// Sink takes what sources see. Its methods may be called by several goroutines
// at once and return soon.
type Sink interface {
	// Put takes an event that has everything but its number. The event is the sink's.
	Put(e *event.Event)
	// Lost says that n events of a kind happened and were not seen, and why; 0:
	// nobody knows how many. They happened between since, zero when that is not
	// known, and now.
	Lost(k event.Kind, n uint64, since time.Time, reason string)
}

// Memory is what sources remember over restarts of the agent. Get returns nil
// for what is not known; Set is best effort.
type Memory interface {
	Get(name string) []byte
	Set(name string, value []byte)
}

// Config is what the sources work with.
type Config struct {
	Clock  *Clock
	Sink   Sink
	Memory Memory
	Log    *slog.Logger
	// Without names sources that are not to be used, as if the host did not have
	// them: for hosts on which one of them does harm, and for tests.
	Without []string
	// ScannedLately reports whether the agent itself has had files scanned in that
	// time: it tells of what was found, so what the scanner's log says of files that
	// it was given without a name is not told again. nil: it never scans.
	ScannedLately func(time.Duration) bool
}

// Names of sources.
const (
	SourceEBPF     = event.SourceEBPF
	SourceConn     = event.SourceConn
	SourceProc     = event.SourceProc
	SourceFanotify = event.SourceFanotify
	SourceJournal  = event.SourceJournal
	SourceUtmp     = event.SourceUtmp
	SourceFiles    = event.SourceFiles
	SourcePacket   = event.SourcePacket
	SourceMaps     = event.SourceMaps
	SourceSockets  = event.SourceSockets
)

// way is one source as a way to events of some kinds.
type way struct {
	source string
	kinds  []event.Kind
	// open starts it; run reads it until ctx ends. An error of either lets the
	// next way have its turn.
	open func(ctx context.Context, h *host) (running, error)
	// beside are ways to other kinds, kept running as long as this one runs.
	beside []way
}

// running is a source that was opened. Run reads it until ctx ends, and frees
// everything it holds before it returns.
type running interface {
	Run(ctx context.Context) error
}

// lacking is a source that does not give all that it could on another host.
type lacking interface {
	// lacks says what is not there and why, "" when all is.
	lacks() string
}

// host is what the sources of one host share.
type host struct {
	cfg     Config
	log     *slog.Logger
	clock   *Clock
	sink    Sink
	procs   *table
	users   *users
	files   *hasher
	asked   *askers
	clam    *once // what ClamAV said of late
	modules moduleState
}

// retryEvery is how long after a failure of the last way all ways are tried again.
const retryEvery = 5 * time.Minute

// Run reads all sources until ctx ends. The error is that of ctx: a source that
// fails is replaced by the next best one, and is said to be.
func Run(ctx context.Context, cfg Config) error {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	h := &host{cfg: cfg, log: cfg.Log, clock: cfg.Clock, sink: cfg.Sink, procs: newTable(), users: newUsers("/"), files: newHasher(), asked: newAskers(), clam: newOnce()}
	var wg sync.WaitGroup
	wg.Go(func() { h.watchClock(ctx) })
	for _, ways := range h.allWays() {
		wg.Go(func() { h.keep(ctx, ways, time.Time{}, "") })
	}
	wg.Wait()
	return ctx.Err()
}

// keep has one of some ways running, the first that works. ended is when the
// last one that ran did, zero when none has; why says why there is no better one.
func (h *host) keep(ctx context.Context, ways []way, ended time.Time, why string) {
	first := ended.IsZero()
	for ctx.Err() == nil {
		for _, w := range ways {
			if slices.Contains(h.cfg.Without, w.source) {
				why = join(why, w.source+": not wanted")
				continue
			}
			var r running
			err := guarded(func() (err error) {
				r, err = w.open(ctx, h)
				return err
			})
			if err == nil {
				said := why
				if l, ok := r.(lacking); ok && l.lacks() != "" {
					said = join(why, l.lacks())
				}
				h.tell(first, w, said)
				for _, k := range w.kinds {
					if !first {
						h.sink.Lost(k, 0, ended, "the source changed")
					}
				}
				err = h.run(ctx, r, w.beside, ended, why)
				first, ended = false, h.clock.Now()
			}
			if ctx.Err() != nil {
				return
			}
			why = join(why, w.source+": "+text(err))
			h.log.WarnContext(ctx, "source of events not usable", "source", w.source, "error", err)
		}
		h.tell(first, way{kinds: ways[0].kinds}, why)
		first, why = false, ""
		select {
		case <-ctx.Done():
		case <-time.After(retryEvery):
		}
	}
}

// run reads a source until it ends, and those beside it.
func (h *host) run(ctx context.Context, r running, beside []way, ended time.Time, why string) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	if len(beside) > 0 {
		wg.Go(func() { h.keep(ctx, beside, ended, why) })
	}
	err := guarded(func() error { return r.Run(ctx) })
	cancel()
	wg.Wait()
	return err
}

// guarded turns a panic of a source into its failure: what a host's processes
// write must not end the agent.
func guarded(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return fn()
}

func text(err error) string {
	if err == nil {
		return "ended"
	}
	s, _, _ := strings.Cut(err.Error(), "\n")
	return s
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// tell says which source some kinds have from now on; none when it has no name.
func (h *host) tell(first bool, w way, why string) {
	e := &event.Event{Action: event.SensorChanged}
	if first {
		e.Action = event.SensorStarted
	}
	names := make([]string, 0, len(w.kinds))
	for _, k := range w.kinds {
		names = append(names, k.String())
	}
	source := w.source
	if source == "" {
		source = "none"
	}
	e.Set(event.Source, source)
	e.Set(event.Reason, why)
	e.Set(event.AdditionalFields, object(map[string]any{"kinds": names}))
	h.put(e, Now())
}

// put stamps an event with the time since boot at which it happened, and hands it on.
func (h *host) put(e *event.Event, at time.Duration) {
	h.clock.Stamp(e, at)
	h.sink.Put(e)
}

// object is the JSON form of additional fields.
func object(fields map[string]any) string {
	raw, err := json.Marshal(fields)
	if err != nil {
		return ""
	}
	return string(raw)
}
