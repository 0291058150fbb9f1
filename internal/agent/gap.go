package agent

import (
	"fmt"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// gap is a range of numbers that were given to events that are not kept.
type gap struct {
	kind       event.Kind
	from, to   uint64
	reason     string
	since, end time.Time // when they happened; since is zero when it is not known
	uncounted  bool      // the range stands for a number of events that nobody knows
}

// tell notes numbers that are not kept, to be told with the next batch.
func (r *recorder) tell(g gap) {
	r.note()
	r.open[streamOf(g.kind)].spans.cover(g.kind, g.from, g.to)
	r.gaps = append(r.gaps, g)
}

// gap does the same for an event of this moment; those of a second are one range.
func (r *recorder) gap(k event.Kind, from, to uint64, reason string) {
	now := r.clock.Now()
	for i := len(r.gaps) - 1; i >= 0; i-- {
		if g := &r.gaps[i]; g.kind == k {
			if g.reason == reason && g.to+1 == from && (now.Sub(g.since) < time.Second || len(r.gaps) > maxGaps) {
				g.to, g.end = to, now
				r.note()
				r.open[streamOf(k)].spans.cover(k, from, to)
				return
			}
			break
		}
	}
	r.tell(gap{kind: k, from: from, to: to, reason: reason, since: now, end: now})
}

// dropped is told of what a spool gives up.
func (r *recorder) dropped(payload []byte) {
	if payload == nil {
		return // the next record that can be read tells which numbers are missing
	}
	p, err := parseSpans(payload)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.clock.Now()
	for k, s := range p.each {
		r.gaps = append(r.gaps, gap{kind: k, from: s.from, to: s.to, reason: "the agent's spool was full", end: now})
		r.note()
	}
}

// lostEvent says which numbers of a kind are missing, how many events these are
// if that is known, and when they happened if that is known.
func (g *gap) lostEvent() *event.Event {
	e := &event.Event{Action: event.SensorEventsLost, Time: g.end}
	e.Set(event.LostKind, g.kind.String())
	e.SetInt(event.LostFrom, int64(g.from))
	e.SetInt(event.LostTo, int64(g.to))
	if !g.uncounted {
		e.SetInt(event.EventCount, int64(g.to-g.from+1))
	}
	e.Set(event.Reason, g.reason)
	if !g.since.IsZero() {
		e.Set(event.AdditionalFields, fmt.Sprintf(`{"since":%q,"until":%q}`, g.since.Format(time.RFC3339Nano), g.end.Format(time.RFC3339Nano)))
	}
	return e
}
