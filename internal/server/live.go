package server

import (
	"context"
	"sync"
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

// Subscribe delivers what changes until ctx ends; slow readers lose events and
// get one {Resource: "all"} instead.
func (s *Server) Subscribe(ctx context.Context, c Caller) (<-chan LiveEvent, error) {
	if err := s.need(c, MachineRead); err != nil {
		return nil, err
	}
	return s.live.subscribe(ctx), nil
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
