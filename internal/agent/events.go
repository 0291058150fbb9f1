package agent

import (
	"context"
	"time"

	"github.com/picketsec/picket/internal/agent/sense"
	"github.com/picketsec/picket/internal/protocol"
)

// eventsVersion is the first protocol in which events travel.
const eventsVersion = 3

// stream is a session's view of one stream of events.
type stream struct {
	at     uint64 // last number that was dealt with
	flight []sentEvents
}

// sentEvents is a message of events that was sent.
type sentEvents struct {
	seq uint64
	at  time.Time
}

// fillEvents sends as many events as may be in flight, what a person should see
// soon before the rest. It takes idle back while the server has not
// acknowledged all of them.
func (l *link) fillEvents(ctx context.Context, idle *bool) error {
	if l.version < eventsVersion {
		return nil
	}
	for i := range l.streams {
		s := &l.streams[i]
		for len(s.flight) < l.max && time.Until(l.paused) <= 0 {
			rec, ok := l.a.events.next(i, s.at)
			if !ok {
				break
			}
			s.at = rec.seq
			if rec.count == 0 {
				continue
			}
			s.flight = append(s.flight, sentEvents{seq: rec.seq, at: time.Now()})
			m := &protocol.Events{Stream: i, Seq: rec.seq, Sent: l.a.events.clock.Now(), Wall: time.Now().UTC(), Count: rec.count, Spool: l.a.events.stats(i), Packed: rec.packed}
			if err := l.conn.Send(ctx, &protocol.Message{Events: m}); err != nil {
				return err
			}
		}
		if len(s.flight) > 0 {
			*idle = false
			if len(s.flight) == l.max && i == protocol.StreamDetection {
				return nil // the rest after these
			}
		}
	}
	return nil
}

// ackedEvents takes what the server has on its disk.
func (l *link) ackedEvents(k protocol.Stream) {
	if k.Stream < 0 || k.Stream >= len(l.streams) {
		return
	}
	s := &l.streams[k.Stream]
	if k.Seq > s.at {
		return // never sent: not believed
	}
	for len(s.flight) > 0 && s.flight[0].seq <= k.Seq {
		s.flight = s.flight[1:]
	}
	l.a.events.acked(k.Stream, k.Seq)
}

// sense runs the sources of events while the server is one that takes events.
func (a *agent) sense(ctx context.Context) error {
	a.events.allow(a.lastSession().Server >= eventsVersion)
	for {
		if err := a.events.wait(ctx, true); err != nil {
			return err
		}
		run, stop := context.WithCancel(ctx)
		g := newGroup(run, a.log)
		g.add("sources", func(ctx context.Context) error {
			return sense.Run(ctx, sense.Config{Clock: a.events.clock, Sink: a.events, Memory: stateMemory{a.state}, ScannedLately: a.hands.ScannedLately, Log: a.log})
		})
		g.add("allowed", func(ctx context.Context) error { return a.events.wait(ctx, false) })
		err := g.wait()
		stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		a.log.InfoContext(ctx, "sources of events are off: the server is older than they are")
	}
}
