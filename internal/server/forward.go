package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/picketsec/picket/internal/store"
	"github.com/picketsec/picket/internal/ticket"
)

// Bounds and pace of forwarding.
const (
	forwardBatch = 100              // events of one message to a webhook, or one write to syslog
	forwardKeep  = 100_000          // events that wait for one receiver; older ones are dropped and counted
	forwardIdle  = 30 * time.Second // between looks while nobody is to get anything
	forwardSoon  = time.Second      // while somebody is
	forwardFirst = time.Second      // before the second attempt; doubled with each
	forwardMost  = 5 * time.Minute
	forwardTime  = 45 * time.Second // for one attempt
	maxForwards  = 20
)

// Classes of what is forwarded.
const (
	ForwardExposure = store.ClassExposure // the event timeline
	ForwardAudit    = store.ClassAudit    // the audit log
)

var forwardClasses = []string{ForwardExposure, ForwardAudit}

// forwardDesk is what forwarding needs besides the store.
type forwardDesk struct {
	soon chan struct{} // there may be something to send
	keep int

	mu   sync.Mutex // guards open
	open map[string]*openForward
}

// openForward is a receiver that is in use, as it was configured then.
type openForward struct {
	of   time.Time
	send forwarder
}

// forwarder sends events in their order, all or none; key names them for ever.
type forwarder interface {
	forward(ctx context.Context, key string, events []json.RawMessage, worst int) error
	close() error
}

func newForwardDesk() *forwardDesk {
	return &forwardDesk{soon: make(chan struct{}, 1), keep: forwardKeep, open: map[string]*openForward{}}
}

// wake lets forwarding look at once.
func (f *forwardDesk) wake() {
	select {
	case f.soon <- struct{}{}:
	default:
	}
}

// forget closes what is open of a receiver.
func (f *forwardDesk) forget(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if o := f.open[id]; o != nil {
		_ = o.send.close() // it is not used any more
		delete(f.open, id)
	}
}

// forwarder gives the sender of a receiver, opened when it is new or was changed.
func (s *Server) forwarder(f *store.Forward) (forwarder, error) {
	s.forward.mu.Lock()
	defer s.forward.mu.Unlock()
	if o := s.forward.open[f.ID]; o != nil {
		if o.of.Equal(f.Updated) {
			return o.send, nil
		}
		_ = o.send.close()
		delete(s.forward.open, f.ID)
	}
	send, err := s.newForwarder(f)
	if err != nil {
		return nil, err
	}
	s.forward.open[f.ID] = &openForward{f.Updated, send}
	return send, nil
}

// runForward sends what is in the outbox until ctx ends.
func (s *Server) runForward(ctx context.Context) error {
	defer func() {
		for id := range s.forward.open {
			s.forward.forget(id)
		}
	}()
	for {
		pause, err := s.forwardRound(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "forward events", "error", err)
		}
		wait := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			wait.Stop()
			return ctx.Err()
		case <-s.forward.soon:
			wait.Stop()
		case <-wait.C:
		}
	}
}

// forwardRound sends to every receiver what it has still to get, each on its
// own, and says how long to wait for the next round.
func (s *Server) forwardRound(ctx context.Context) (time.Duration, error) {
	list, err := s.st.Forwards(ctx)
	if err != nil {
		return forwardIdle, err
	}
	pauses := make([]time.Duration, len(list))
	g, each := errgroup.WithContext(ctx)
	g.SetLimit(4)
	on := false
	for i := range list {
		f := &list[i]
		if pauses[i] = forwardIdle; !f.Enabled {
			continue
		}
		on, pauses[i] = true, forwardSoon
		g.Go(func() (err error) {
			pauses[i], err = s.forwardTo(each, f)
			return err
		})
	}
	err = g.Wait()
	if on {
		err = errors.Join(err, s.st.PruneOutbox(ctx))
	}
	return slices.Min(append(pauses, forwardIdle)), err
}

// forwardTo sends to one receiver until it has everything or fails.
func (s *Server) forwardTo(ctx context.Context, f *store.Forward) (pause time.Duration, err error) {
	for {
		if wait := time.Until(f.Next); wait > 0 {
			return min(wait, forwardSoon), nil
		}
		batch, total, err := s.st.Outgoing(ctx, f.Cursor, f.Classes, forwardBatch)
		if err != nil || total == 0 {
			return forwardSoon, err
		}
		if total > int64(s.forward.keep) {
			if err := s.dropOutgoing(ctx, f, total-int64(s.forward.keep)); err != nil {
				return forwardIdle, ignoreGone(err)
			}
			continue
		}
		if err := s.forwardBatch(ctx, f, batch); err != nil {
			return forwardFirst, err
		}
	}
}

// dropOutgoing gives up the oldest entries that wait for a receiver, and counts them.
func (s *Server) dropOutgoing(ctx context.Context, f *store.Forward, n int64) error {
	cut, err := s.st.OutboxCut(ctx, f.Cursor, f.Classes, s.forward.keep)
	if err != nil {
		return fmt.Errorf("bound outbox: %w", err)
	}
	s.log.WarnContext(ctx, "events for a receiver were dropped", "receiver", f.ID, "name", f.Name, "dropped", n)
	if err := s.st.Forwarded(ctx, f.ID, cut, 0, n, time.Now()); err != nil {
		return err
	}
	f.Cursor, f.Dropped = cut, f.Dropped+n
	s.live.publish(LiveEvent{Resource: "forwarding"})
	return nil
}

// forwardBatch sends one batch and stores how it ended; err is for the store.
func (s *Server) forwardBatch(ctx context.Context, f *store.Forward, batch []store.Outgoing) error {
	var events []json.RawMessage
	worst, lost := 7, int64(0)
	for _, o := range batch {
		doc, severity, err := s.forwardDocument(ctx, &o)
		if errors.Is(err, store.ErrNotFound) {
			lost++ // it was too old to be kept
			continue
		}
		if err != nil {
			return err
		}
		events, worst = append(events, doc), min(worst, severity)
	}
	last := batch[len(batch)-1].Seq
	var err error
	if len(events) > 0 {
		var to forwarder
		if to, err = s.forwarder(f); err == nil {
			try, cancel := context.WithTimeout(ctx, forwardTime)
			err = to.forward(try, fmt.Sprintf("%s-%d-%d", f.ID, batch[0].Seq, last), events, worst)
			cancel()
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	now := time.Now().UTC()
	defer s.live.publish(LiveEvent{Resource: "forwarding"})
	if err == nil {
		f.Cursor, f.Attempts, f.Next = last, 0, time.Time{}
		return s.goneForward(f, s.st.Forwarded(ctx, f.ID, last, int64(len(events)), lost, now))
	}
	f.Attempts++
	what, mend := explainForward(err)
	f.Next = now.Add(forwardPause(f.Attempts, err))
	s.log.WarnContext(ctx, "events not forwarded", "receiver", f.ID, "name", f.Name, "attempts", f.Attempts, "error", err)
	return s.goneForward(f, s.st.ForwardFailed(ctx, f.ID, f.Next, what, mend))
}

// goneForward ends the work for a receiver that was removed meanwhile.
func (s *Server) goneForward(f *store.Forward, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		s.forward.forget(f.ID)
		f.Next = time.Now().Add(forwardIdle)
		return nil
	}
	return err
}

// forwardPause is how long to wait after an attempt that failed: doubled each
// time, with jitter, and at least as long as the receiver asks for.
func forwardPause(attempts int, err error) time.Duration {
	d := forwardMost
	if attempts < 10 {
		d = min(forwardMost, forwardFirst<<(attempts-1))
	}
	d = time.Duration(float64(d) * (0.75 + rand.Float64()/2))
	var e *ticket.Error
	if errors.As(err, &e) {
		d = max(d, e.After)
	}
	return d
}

func explainForward(err error) (what, mend string) {
	var e *ticket.Error
	if errors.As(err, &e) {
		return e.What, e.Mend
	}
	return err.Error(), "Check address and port, and that this server may reach it (firewall)."
}
