package server

import (
	"context"
	"sync"

	"github.com/picketsec/picket/internal/inventory"
)

// live tells consoles what changed. Publishing never blocks: a reader that
// does not keep up loses events and is told so by one {Resource: "all"}.
type live struct {
	mu   sync.Mutex
	subs map[*subscriber]bool
}

type subscriber struct {
	ch   chan LiveEvent
	lost bool
}

func newLive() *live { return &live{subs: map[*subscriber]bool{}} }

func (l *live) publish(ev LiveEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for s := range l.subs {
		if s.lost {
			select {
			case s.ch <- LiveEvent{Resource: "all"}:
				s.lost = false
			default:
			}
			continue
		}
		select {
		case s.ch <- ev:
		default:
			s.lost = true
		}
	}
}

// Subscribe delivers what changes of what the caller may see, until ctx or its
// credentials end; slow readers lose events and get one {Resource: "all"} instead.
func (s *Server) Subscribe(ctx context.Context, c Caller) (<-chan LiveEvent, error) {
	if err := s.need(c, MachineRead); err != nil {
		return nil, err
	}
	out := make(chan LiveEvent)
	go s.relay(ctx, c, s.live.subscribe(ctx), out)
	return out, nil
}

// relay passes on what a caller may know of. When what it may see changes it is
// told that everything may be different; when its credentials end, out ends.
func (s *Server) relay(ctx context.Context, c Caller, in <-chan LiveEvent, out chan<- LiveEvent) {
	defer close(out)
	for ev := range in {
		if ev.Resource == liveAccess || ev.Resource == "all" { // the latter also in place of what was lost
			now, changed, err := c.Again(ctx)
			if err != nil || s.need(now, MachineRead) != nil {
				return
			}
			if c = now; changed {
				ev = LiveEvent{Resource: "all"}
			}
		}
		if !s.tells(c, ev) {
			continue
		}
		select {
		case out <- ev:
		case <-ctx.Done():
			return
		}
	}
}

// liveAccess says that somebody may do or see something else than before. It
// reaches no console.
const liveAccess = "access"

// tells reports whether a caller may know of an event.
func (s *Server) tells(c Caller, ev LiveEvent) bool {
	switch {
	case ev.Resource == liveAccess:
		return false
	case ev.Resource == "audit":
		return c.Has(ManageSettings)
	case ev.ID == "" || c.sees().All():
		return true
	case ev.Resource == "remediation":
		_, _, err := s.visible(c, ev.ID)
		return err == nil
	}
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	num, ok := s.core.byID[inventory.DeviceID(ev.ID)]
	return ok && c.sees().Has(s.core.at(num).group)
}

func (l *live) subscribe(ctx context.Context) <-chan LiveEvent {
	sub := &subscriber{ch: make(chan LiveEvent, 64)}
	l.mu.Lock()
	l.subs[sub] = true
	l.mu.Unlock()
	context.AfterFunc(ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.subs, sub)
		close(sub.ch)
	})
	return sub.ch
}
