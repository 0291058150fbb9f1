package server

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
)

const (
	// keepEventsFor is how long events are kept, keepEventBytes how many at most.
	keepEventsFor  = 180 * 24 * time.Hour
	keepEventBytes = 512 << 30
	retainEvery    = time.Hour
	// watchedFor is how long the timeline of a device is told of after somebody read
	// it, tellEvery how often at most, mostWatched of how many devices.
	watchedFor  = time.Hour
	tellEvery   = 500 * time.Millisecond
	mostWatched = 10_000
	// skewMatters is the difference of clocks that is corrected and shown.
	// Below it lies what the network and a busy host add.
	skewMatters = 5 * time.Second
)

// telemetry is what happened on devices: the log of events, what is known of
// their clocks, and whose timelines are read.
type telemetry struct {
	log     *eventlog.Engine
	mu      sync.Mutex
	clock   map[inventory.DeviceID]time.Duration // server's − that of the device's events, by the last of them
	wall    map[inventory.DeviceID]time.Duration // server's − the device's own
	watched map[inventory.DeviceID]*watch
	retain  chan struct{} // told when it is set anew how long events are kept
}

// watch is a device whose timeline was read lately.
type watch struct {
	until   time.Time
	told    time.Time
	pending bool // it will be told of soon
}

func openTelemetry(dir string, log *slog.Logger) (*telemetry, error) {
	e, err := eventlog.Open(filepath.Join(dir, "events"), eventlog.Options{Log: log})
	if err != nil {
		return nil, err
	}
	return &telemetry{log: e, clock: map[inventory.DeviceID]time.Duration{}, wall: map[inventory.DeviceID]time.Duration{}, watched: map[inventory.DeviceID]*watch{}, retain: make(chan struct{}, 1)}, nil
}

// watch notes that somebody reads a device's timeline.
func (t *telemetry) watch(id inventory.DeviceID, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.watched[id]
	if w == nil {
		if len(t.watched) >= mostWatched {
			for other, o := range t.watched {
				if o.until.Before(now) || len(t.watched) >= mostWatched {
					delete(t.watched, other)
				}
			}
		}
		w = &watch{}
		t.watched[id] = w
	}
	w.until = now.Add(watchedFor)
}

// happened calls tell when somebody reads the device's timeline: at once, or
// after a while when it was told of just now, and never twice for what came in between.
func (t *telemetry) happened(id inventory.DeviceID, now time.Time, tell func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.watched[id]
	switch {
	case w == nil || w.pending:
		return
	case w.until.Before(now):
		delete(t.watched, id)
		return
	}
	wait := w.told.Add(tellEvery).Sub(now)
	if wait <= 0 {
		w.told = now
		tell()
		return
	}
	w.pending = true
	time.AfterFunc(min(wait, tellEvery), func() {
		t.mu.Lock()
		w.pending, w.told = false, now.Add(wait)
		t.mu.Unlock()
		tell()
	})
}

// skew returns how far a device's own clock is behind the server's; 0: it is
// right as far as can be told.
func (t *telemetry) skew(id inventory.DeviceID) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.wall[id]
}

// note estimates from when something was sent and received how far the clock of
// a device's events is behind, which is returned and added to their times, and
// how far its own is, which somebody may have set since the agent started.
func (t *telemetry) note(id inventory.DeviceID, e *protocol.Events, received time.Time) time.Duration {
	wall := e.Wall
	if wall.IsZero() {
		wall = e.Sent
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	estimate(t.wall, id, wall, received)
	return estimate(t.clock, id, e.Sent, received)
}

// estimate changes only with what matters, or each batch would have one of its own.
func estimate(of map[inventory.DeviceID]time.Duration, id inventory.DeviceID, sent, received time.Time) time.Duration {
	skew := received.Sub(sent).Round(time.Second)
	if sent.IsZero() || skew.Abs() < skewMatters {
		skew = 0
	}
	if was := of[id]; skew != 0 && was != 0 && (skew-was).Abs() < skewMatters {
		return was
	}
	of[id] = skew
	return skew
}

// eventsKept are the highest numbers that are durable, by stream.
func (s *Server) eventsKept(id inventory.DeviceID) []protocol.Stream {
	var out []protocol.Stream
	for stream := range protocol.NumStreams {
		if n := s.telemetry.log.Mark(id, stream); n > 0 {
			out = append(out, protocol.Stream{Stream: stream, Seq: n})
		}
	}
	return out
}

// eventsBehind is for how long events will wait until they are kept; 0: they do not.
func (s *Server) eventsBehind() time.Duration { return s.telemetry.log.Behind() }

// keepEvents checks what an agent delivered and makes it durable, and the alerts of
// indicators with it.
func (s *Server) keepEvents(ctx context.Context, id inventory.DeviceID, e *protocol.Events) error {
	records, err := e.Records()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := onlyAgents(records); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	now := s.now()
	batch := eventlog.Batch{Device: id, Stream: e.Stream, Seq: e.Seq, Received: now, Skew: s.telemetry.note(id, e, now), Records: records, Count: e.Count, Packed: e.Packed}
	fresh, err := s.telemetry.log.Append(ctx, batch)
	if err != nil {
		return err
	}
	if err := s.matchEvents(ctx, &batch, fresh); err != nil {
		return err
	}
	if err := s.noteReached(ctx, &batch); err != nil {
		return err
	}
	if fresh && e.Count > 0 {
		s.telemetry.happened(id, now, func() { s.live.publish(LiveEvent{Resource: "timeline", ID: string(id)}) })
	}
	return nil
}
