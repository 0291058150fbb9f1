package agent

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/agent/sense"
	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/protocol"
)

const (
	flushEvery = 400 * time.Millisecond // an event is on the disk within a second
	aliveEvery = 10 * time.Second
	batchFull  = protocol.MaxEventBytes - event.MaxRecord
	maxGaps    = 1000 // that are told second by second; beyond it in one
	// pendingMax bounds the events in memory that the disk does not take.
	pendingMax = 8 << 20
)

// recorder numbers events, keeps each kind to its budget, and puts them on the
// disk in batches. Whatever it does not keep has had a number, and an event
// says which. Safe for concurrent use.
type recorder struct {
	clock   *sense.Clock
	log     *slog.Logger
	spools  [protocol.NumStreams]*spool
	changed chan struct{} // one token: something is there to be sent
	work    chan struct{} // one token: something waits for the disk
	full    chan struct{} // one token: a batch is full

	flushing sync.Mutex // one flush at a time
	pack     protocol.Compressor
	refused  bool // the disk refused the last one; flushing guards it

	mu      sync.Mutex // guards the fields below
	numbers *numbers
	open    [protocol.NumStreams]*batch
	sealed  []*batch
	pending int // bytes in sealed
	gaps    []gap
	budgets budgets
	told    [protocol.NumStreams]spans // what was read back from the spools
	started bool                       // run was called
	allowed chan struct{}              // closed while sources may run
	denied  chan struct{}              // closed while they may not
}

var _ sense.Sink = (*recorder)(nil)

// streamOf says which stream a kind travels in.
func streamOf(k event.Kind) int {
	switch k {
	case event.Logon, event.Account, event.Schedule, event.Service, event.Kernel, event.Antivirus, event.Response, event.Sensor:
		return protocol.StreamDetection
	}
	return protocol.StreamActivity
}

// passing are the kinds that are seen when they happen or never. Of the others
// the agent finds out what happened while it was not there.
var passing = []event.Kind{event.Process, event.ProcessEnd, event.Network, event.DNS, event.File, event.Image}

// notRunning is why one number of each passing kind is missing after a pause: it
// stands for a number of events that nobody knows. The cause follows.
const notRunning = "nothing was recorded: "

// openRecorder opens the two spools of events; limit is for both together.
func openRecorder(s *stateDir, limit int64, log *slog.Logger) (*recorder, error) {
	r := &recorder{log: log, changed: make(chan struct{}, 1), work: make(chan struct{}, 1), full: make(chan struct{}, 1), budgets: newBudgets(),
		allowed: make(chan struct{}), denied: make(chan struct{})}
	close(r.denied)
	for i, dir := range []string{"detections", "activity"} {
		share := limit / 4
		if i == protocol.StreamActivity {
			share = limit - share
		}
		sp, err := openSpool(spoolDisk{s, dir}, share, randomSalt)
		if err != nil {
			r.close()
			return nil, err
		}
		r.spools[i] = sp
		r.open[i] = newBatch(i)
	}
	var err error
	if r.numbers, err = openNumbers(s); err != nil {
		r.close()
		return nil, err
	}
	if !r.numbers.sameBoot {
		r.recover()
	}
	r.clock = sense.NewClock(r.numbers.origin)
	r.numbers.origin = r.clock.Origin()
	for _, sp := range r.spools {
		sp.dropped = r.dropped
		sp.removing = r.numbers.sync
	}
	return r, nil
}

// recover reads from the spools which numbers they hold, and until when: the file
// of numbers may be older than they are.
func (r *recorder) recover() {
	for _, sp := range r.spools {
		var last payload
		for after := uint64(0); ; {
			rec, ok := sp.peek(after)
			if !ok {
				break
			}
			after = rec.Seq
			if p, err := parsePayload(rec); err == nil {
				r.numbers.reached(&p.spans)
				last = p
			}
		}
		if at := last.newest(); at.After(r.numbers.alive) && r.numbers.found {
			r.numbers.alive = at
		}
	}
}

// resume tells what there is to say about the time since the last run.
func (r *recorder) resume() {
	r.mu.Lock()
	r.started = true
	now := r.clock.Now()
	since := r.numbers.alive
	if since.IsZero() || since.After(now) {
		since = now
	}
	for k := range event.Kinds {
		if from, to := r.numbers.unsaved(k); from <= to {
			r.tell(gap{kind: k, from: from, to: to, reason: "the agent ended before they were on its disk", since: since, end: now})
		}
	}
	e := r.numbers.resumed()
	if e != nil {
		for _, k := range passing {
			n := r.numbers.take(k, 1)
			r.tell(gap{kind: k, from: n, to: n, reason: notRunning + e.Text(event.Reason), since: since, end: now, uncounted: true})
		}
	}
	r.numbers.mark(now, false)
	r.mu.Unlock()
	if e != nil {
		e.Time = r.clock.Now()
		r.Put(e)
	}
}

// Put implements sense.Sink: it numbers an event and takes it, unless its kind
// has used up its budget.
func (r *recorder) Put(e *event.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := e.Kind()
	e.Seq = r.numbers.take(k, 1)
	if why := r.budgets.spend(k, r.clock.Now(), e); why != "" {
		r.gap(k, e.Seq, e.Seq, why)
		return
	}
	r.add(e)
}

// add takes a numbered event.
func (r *recorder) add(e *event.Event) {
	k := e.Kind()
	b := r.open[streamOf(k)]
	raw, err := event.Append(b.raw, e)
	if err != nil {
		r.log.Error("event not kept", "action", e.Action.String(), "error", err)
		r.gap(k, e.Seq, e.Seq, "it exceeds a limit")
		return
	}
	if r.pending > pendingMax {
		r.gap(k, e.Seq, e.Seq, "the agent's disk takes nothing")
		return
	}
	b.raw = raw
	b.count++
	r.note()
	b.spans.cover(k, e.Seq, e.Seq)
	if b.count == protocol.MaxEvents || len(b.raw) > batchFull {
		r.seal(b.stream)
		select {
		case r.full <- struct{}{}:
		default:
		}
	}
}

func (r *recorder) seal(i int) {
	b := r.open[i]
	r.sealed = append(r.sealed, b)
	r.pending += len(b.raw)
	r.open[i] = newBatch(i)
}

// Lost implements sense.Sink: events that were not seen have numbers too.
func (r *recorder) Lost(k event.Kind, n uint64, since time.Time, reason string) {
	if !k.Valid() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	from := r.numbers.take(k, max(n, 1)) // of a number that nobody knows, one stands for all
	r.tell(gap{kind: k, from: from, to: from + max(n, 1) - 1, reason: reason, since: since, end: r.clock.Now(), uncounted: n == 0})
}

// note says that something waits for the disk.
func (r *recorder) note() {
	select {
	case r.work <- struct{}{}:
	default:
	}
}

// run puts events on the disk until ctx ends; close does it with what is left.
func (r *recorder) run(ctx context.Context) error {
	r.resume()
	alive := time.NewTicker(aliveEvery)
	defer alive.Stop()
	var due <-chan time.Time // nil: nothing waits
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-alive.C:
			r.mu.Lock()
			r.numbers.mark(r.clock.Now(), false)
			r.mu.Unlock()
			continue
		case <-r.work:
			if due == nil {
				due = time.After(flushEvery)
			}
			continue
		case <-r.full:
		case <-due:
		}
		due = nil
		r.flush(ctx)
	}
}

// flush puts everything that waits on the disk.
func (r *recorder) flush(ctx context.Context) {
	r.flushing.Lock()
	defer r.flushing.Unlock()
	r.mu.Lock()
	if r.pending <= pendingMax { // else they wait until there is room
		gaps := r.gaps
		r.gaps = nil
		for i := range gaps {
			e := gaps[i].lostEvent()
			e.Seq = r.numbers.take(event.Sensor, 1)
			r.add(e)
		}
	}
	for i := range r.open {
		if r.open[i].spans != (spans{}) {
			r.seal(i)
		}
	}
	batches := r.sealed
	r.sealed, r.pending = nil, 0
	if r.started {
		r.numbers.live(r.clock.Now())
	}
	r.mu.Unlock()
	for stream := range r.spools {
		for n, b := range batches {
			if b == nil || b.stream != stream {
				continue
			}
			payload, err := b.payload(&r.pack)
			if err == nil {
				_, err = r.spools[stream].append(payload)
			}
			if err != nil {
				r.giveBack(batches)
				if !r.refused {
					r.refused = true
					r.log.ErrorContext(ctx, "events wait in memory: the state directory refuses writes", "error", err)
				}
				return
			}
			batches[n] = nil
			r.mu.Lock()
			r.numbers.saved(&b.spans)
			r.mu.Unlock()
		}
	}
	if len(batches) > 0 {
		if r.refused {
			r.refused = false
			r.log.InfoContext(ctx, "the state directory takes writes again")
		}
		r.wake()
	}
}

// giveBack puts batches that the disk did not take before the rest.
func (r *recorder) giveBack(batches []*batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var left []*batch
	for _, b := range batches {
		if b != nil {
			left = append(left, b)
			r.pending += len(b.raw)
		}
	}
	r.sealed = append(left, r.sealed...)
	r.note() // to be tried again
}

func (r *recorder) wake() {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// next returns the first batch of a stream after a number.
func (r *recorder) next(i int, after uint64) (payload, bool) {
	for {
		rec, ok := r.spools[i].next(after)
		if !ok {
			return payload{}, false
		}
		after = rec.Seq
		p, err := parsePayload(rec)
		if err != nil {
			continue // its checksum was right: another version's
		}
		r.mu.Lock()
		for k, s := range p.spans.each {
			if last := r.told[i][k].to; last > 0 && s.from > last+1 {
				r.gaps = append(r.gaps, gap{kind: k, from: last + 1, to: s.from - 1, reason: "damaged on the agent's disk", end: r.clock.Now()})
				r.note()
			}
			r.told[i].cover(k, s.from, s.to)
		}
		r.mu.Unlock()
		return p, true
	}
}

// acked forgets what the server has.
func (r *recorder) acked(i int, seq uint64) { r.spools[i].ack(seq) }

// known takes from a Welcome up to which number the server has a stream.
func (r *recorder) known(i int, list []protocol.Stream) uint64 {
	for _, s := range list {
		if s.Stream == i {
			r.spools[i].welcomed(s.Seq)
			return s.Seq
		}
	}
	return 0
}

func (r *recorder) stats(i int) protocol.SpoolStats { return r.spools[i].stats() }

// reset forgets everything: this agent is another device from now on.
func (r *recorder) reset() {
	r.flushing.Lock()
	defer r.flushing.Unlock()
	for _, sp := range r.spools {
		sp.reset()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.numbers.reset()
	r.sealed, r.pending, r.gaps = nil, 0, nil
	for i := range r.open {
		r.open[i], r.told[i] = newBatch(i), spans{}
	}
}

// allow says whether sources may run.
func (r *recorder) allow(yes bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.allowed:
		if !yes {
			r.allowed = make(chan struct{})
			close(r.denied)
		}
	default:
		if yes {
			r.denied = make(chan struct{})
			close(r.allowed)
		}
	}
}

// wait waits until sources may run, or may not.
func (r *recorder) wait(ctx context.Context, allowed bool) error {
	r.mu.Lock()
	ch := r.denied
	if allowed {
		ch = r.allowed
	}
	r.mu.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-ch:
		return nil
	}
}

// close puts what is left on the disk and notes an end in order.
func (r *recorder) close() {
	if r.numbers != nil && r.clock != nil {
		r.flush(context.Background())
		r.mu.Lock()
		if r.started {
			r.numbers.mark(r.clock.Now(), true)
		}
		r.numbers.close()
		r.numbers = nil
		r.mu.Unlock()
	}
	for _, sp := range r.spools {
		if sp != nil {
			sp.close()
		}
	}
}
