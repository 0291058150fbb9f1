package sense

import (
	"context"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// tick is the unit in which the kernel tells when a process started.
const tick = 10 * time.Millisecond

// Clock turns times since boot into times of events. It is read-only after
// NewClock, and safe for concurrent use.
type Clock struct {
	wall   time.Time     // host's clock when the agent started
	at     time.Duration // since boot, at that moment
	origin time.Time     // of the boot, the same for every run of the agent during it
}

// NewClock returns a clock that goes on from now. origin is the time of the
// boot as an earlier run of the agent since then had it; zero: there was none.
func NewClock(origin time.Time) *Clock {
	c := &Clock{wall: time.Now().Round(0), at: Now(), origin: origin}
	if origin.IsZero() {
		c.origin = c.wall.Add(-c.at)
	}
	return c
}

// Origin is the time of the boot, to be kept for the next run.
func (c *Clock) Origin() time.Time { return c.origin }

// At is the time of events at a time since boot: the host's clock at the start
// of the agent, moved on by the time since.
func (c *Clock) At(boot time.Duration) time.Time { return c.wall.Add(boot - c.at).UTC() }

// Now is the time of events now.
func (c *Clock) Now() time.Time { return c.At(Now()) }

// Stamp gives an event its times.
func (c *Clock) Stamp(e *event.Event, boot time.Duration) {
	e.Time = c.At(boot)
	e.Wall = c.wallAt(boot)
	if d := e.Wall.Sub(e.Time); d > -time.Millisecond && d < time.Millisecond {
		e.Wall = time.Time{} // the same but for the time between two readings
	}
}

// wallAt is what the host's clock would have shown at a time since boot, by what it shows now.
func (c *Clock) wallAt(boot time.Duration) time.Time {
	return time.Now().Round(0).Add(boot - Now()).UTC()
}

// Created is when a process started: the same for the same process from every
// source and in every run of the agent.
func (c *Clock) Created(ticks uint64) time.Time {
	return c.origin.Add(time.Duration(ticks) * tick).UTC()
}

// skew notices that somebody set the host's clock.
type skew struct{ last time.Duration }

// clockStep is what a clock may drift between two looks.
const clockStep = time.Second

// look takes how far the host's clock is from the clock of events, and returns
// by how much it was set since the last look; 0 when it was not.
func (s *skew) look(now time.Duration) time.Duration {
	by := now - s.last
	if by.Abs() < clockStep {
		s.last += by / 2 // drift is followed, a step is not
		return 0
	}
	s.last = now
	return by
}

// watchClock tells when somebody sets the host's clock.
func (h *host) watchClock(ctx context.Context) {
	var s skew
	t := time.NewTicker(clockEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		at := Now()
		wall := h.clock.wallAt(at)
		if by := s.look(wall.Sub(h.clock.At(at))); by != 0 {
			h.put(clockChanged(wall, by), at)
		}
	}
}

const clockEvery = 5 * time.Second

func clockChanged(wall time.Time, by time.Duration) *event.Event {
	e := &event.Event{Action: event.ClockChanged}
	e.Set(event.Source, "agent")
	e.Set(event.AdditionalFields, object(map[string]any{"newTime": wall, "previousTime": wall.Add(-by), "seconds": by.Seconds()}))
	return e
}
