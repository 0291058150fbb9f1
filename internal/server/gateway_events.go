package server

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/protocol"
)

// events keeps what happened and acknowledges it. What cannot be read is
// counted and acknowledged too: it would come again just so. Any other failure ends the
// session, because numbers behind this one must not be kept before it.
func (s *session) events(ctx context.Context, e *protocol.Events) error {
	s.g.alive(s.id, &e.Spool, 0)
	if e.Seq > maxSeq {
		return s.refuse(ctx, protocol.RefusedRequest, fmt.Sprintf("number %d of events is not possible", e.Seq))
	}
	err := s.keepEvents(ctx, e)
	switch {
	case errors.Is(err, ErrInvalid):
		s.g.alive(s.id, nil, 1)
		s.log.WarnContext(ctx, "events rejected", "stream", e.Stream, "seq", e.Seq, "reason", short(err.Error()))
	case err != nil:
		s.log.ErrorContext(ctx, "events not stored, the agent will try again", "stream", e.Stream, "seq", e.Seq, "error", err)
		return s.refuse(ctx, protocol.RefusedBusy, "the server cannot store events now")
	}
	return s.send(ctx, &protocol.Message{Ack: &protocol.Ack{Events: []protocol.Stream{{Stream: e.Stream, Seq: e.Seq}}}})
}

const (
	// slowAfter is how long events wait to be kept before the agent is asked to hold those that
	// follow; mostSlow is for how long at most, as it is asked again while they still wait.
	slowAfter = 500 * time.Millisecond
	mostSlow  = 30 * time.Second
)

// keepEvents hands events over. While the log is behind, and again while these wait for it or for the
// disk, the agent is asked to hold what follows: for as long as that will take, as far as is known, or
// as it has taken.
func (s *session) keepEvents(ctx context.Context, e *protocol.Events) error {
	began := time.Now()
	if behind := s.g.backend.eventsBehind(); behind > 0 {
		if _, err := s.slow(ctx, behind); err != nil {
			return err
		}
	}
	done := make(chan struct{})
	var asking sync.Mutex // no answer is sent while the agent is being asked
	var timer *time.Timer
	ask := func() {
		asking.Lock()
		defer asking.Unlock()
		select {
		case <-done:
			return
		default:
		}
		if hold, err := s.slow(ctx, max(time.Since(began), s.g.backend.eventsBehind())); err == nil {
			timer.Reset(hold * 3 / 4) // before the agent begins again
		}
	}
	asking.Lock()
	timer = time.AfterFunc(s.g.slowAfter, ask)
	asking.Unlock()
	err := s.g.backend.keepEvents(ctx, s.id, e)
	asking.Lock()
	close(done)
	timer.Stop()
	asking.Unlock()
	return err
}

// slow asks the agent to send nothing for a while, and returns for how long.
func (s *session) slow(ctx context.Context, wait time.Duration) (time.Duration, error) {
	hold := min(max(wait, s.g.slowAfter), mostSlow)
	s.log.DebugContext(ctx, "events are kept slowly, the agent is asked to hold them", "for", hold)
	return hold, s.send(ctx, &protocol.Message{Slow: &protocol.Slow{Millis: int(hold.Milliseconds())}})
}
