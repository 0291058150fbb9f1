package server

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// seenEvery is how long "looked at again" may wait to be written: it is no fact
// that an agent waits for, so many are written at once.
const seenEvery = 5 * time.Second

// seenBook collects when unchanged sections were looked at again.
type seenBook struct {
	mu   sync.Mutex
	byID map[uint32]map[inventory.SectionName]time.Time
}

func (b *seenBook) note(num uint32, names map[inventory.SectionName]time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.byID == nil {
		b.byID = map[uint32]map[inventory.SectionName]time.Time{}
	}
	if have := b.byID[num]; have != nil {
		maps.Copy(have, names)
		return
	}
	b.byID[num] = maps.Clone(names)
}

// overlay puts what is not written yet over what was read.
func (b *seenBook) overlay(num uint32, seen map[inventory.SectionName]time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name, at := range b.byID[num] {
		if old, ok := seen[name]; ok && at.After(old) {
			seen[name] = at
		}
	}
}

func (b *seenBook) take() map[uint32]map[inventory.SectionName]time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.byID
	b.byID = nil
	return out
}

// seen notes that unchanged sections were looked at again.
func (s *Server) seen(_ context.Context, id inventory.DeviceID, names map[inventory.SectionName]time.Time, _ time.Time) error {
	d, err := s.deviceByID(id)
	if err != nil {
		return err
	}
	s.looked.note(d.num, names)
	return nil
}

// flushSeen writes what was collected.
func (s *Server) flushSeen(ctx context.Context) {
	book := s.looked.take()
	if len(book) == 0 {
		return
	}
	if err := s.st.SeenSections(ctx, book); err != nil {
		s.log.ErrorContext(ctx, "write when sections were seen", "error", err)
	}
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	for num := range book {
		if d := s.core.at(num); d != nil {
			d.stored.Add(1)
		}
	}
}

// runSeen writes now and then until ctx ends, and once more then.
func (s *Server) runSeen(ctx context.Context) error {
	tick := time.NewTicker(seenEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			s.flushSeen(context.WithoutCancel(ctx))
			return ctx.Err()
		case <-tick.C:
			s.flushSeen(ctx)
		}
	}
}
