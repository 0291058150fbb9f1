package server

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

// maxMoves is how many moves are kept at most, whatever their age.
const maxMoves = 1 << 20

// moveBook knows when devices went from one device group to another, so that
// an export for some of them shows a device that left them as gone, and one that
// came as new. Its fields are guarded by core.mu.
type moveBook struct {
	ready bool  // false while the fleet is loaded: placing a device then is no move
	since int64 // from when on all moves are known
	of    map[uint32][]store.Move
	count int

	// What is not stored yet. A crash loses it: where devices are is compared with
	// where they were noted to be when the program starts.
	moves  []store.Move
	groups map[uint32]exposure.Group
	wake   chan struct{} // holds one
}

func newMoveBook() *moveBook {
	return &moveBook{of: map[uint32][]store.Move{}, groups: map[uint32]exposure.Group{}, wake: make(chan struct{}, 1)}
}

// placed notes where a device is.
func (b *moveBook) placed(num uint32, g exposure.Group) {
	if !b.ready {
		return
	}
	b.groups[num] = g
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// moved notes that a device went to another group.
func (b *moveBook) moved(m store.Move) {
	if !b.ready {
		return
	}
	b.of[m.Device] = append(b.of[m.Device], m)
	b.count++
	b.moves = append(b.moves, m)
	b.placed(m.Device, m.Now)
}

// before is the group of a device before all its moves from a time on; now is
// the one that it is in. at is the last of these moves up to another time, 0: none.
func (b *moveBook) before(num uint32, now exposure.Group, from, to int64) (g exposure.Group, at int64) {
	g = now
	list := b.of[num]
	for i := len(list) - 1; i >= 0 && list[i].At >= from; i-- {
		if g = list[i].Was; list[i].At <= to {
			at = max(at, list[i].At)
		}
	}
	return g, at
}

// drop forgets the moves before a time, and the oldest beyond a fixed number.
func (b *moveBook) drop(before int64, most int) {
	if b.count > most {
		var all []int64
		for _, list := range b.of {
			for _, m := range list {
				all = append(all, m.At)
			}
		}
		slices.Sort(all)
		before = max(before, all[len(all)-most])
	}
	if before <= b.since {
		return
	}
	b.since = before
	maps.DeleteFunc(b.of, func(num uint32, list []store.Move) bool {
		kept := slices.DeleteFunc(list, func(m store.Move) bool { return m.At < before })
		b.of[num] = kept
		b.count -= len(list) - len(kept)
		return len(kept) == 0
	})
}

// loadMoves reads the moves that there were, and notes those that nobody noted.
func (s *Server) loadMoves(ctx context.Context) error {
	m, err := s.st.Moved(ctx)
	if err != nil {
		return fmt.Errorf("read moves between device groups: %w", err)
	}
	c := s.core
	c.mu.Lock()
	b := c.moves
	b.since = m.Since
	for _, v := range m.Moves {
		b.of[v.Device] = append(b.of[v.Device], v)
		c.stamps.notBefore(v.At)
	}
	b.count = len(m.Moves)
	b.ready = true
	for _, d := range c.devices {
		if d == nil {
			continue
		}
		switch g, noted := m.Groups[d.num]; {
		case !noted:
			b.placed(d.num, d.group)
		case g != d.group:
			b.moved(store.Move{At: c.stamps.next(), Device: d.num, Was: g, Now: d.group})
		}
	}
	if !m.Known && len(c.byID) > 0 {
		b.since = c.stamps.next()
	}
	since := b.since
	c.mu.Unlock()
	if m.Known {
		return nil
	}
	return s.st.DropMoves(ctx, since)
}

// runMoves stores moves until ctx ends.
func (s *Server) runMoves(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.core.moves.wake:
		}
		if err := s.saveMoves(ctx); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "note moves between device groups", "error", err)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Second):
			}
		}
	}
}

// saveMoves stores what is not stored yet.
func (s *Server) saveMoves(ctx context.Context) error {
	c, b := s.core, s.core.moves
	c.mu.Lock()
	moves, groups := b.moves, b.groups
	b.moves, b.groups = nil, map[uint32]exposure.Group{}
	c.mu.Unlock()
	if len(groups) == 0 {
		return nil
	}
	err := s.st.SaveMoves(ctx, moves, groups)
	if err == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	b.moves = append(moves, b.moves...)
	for num, g := range groups {
		if _, newer := b.groups[num]; !newer {
			b.placed(num, g)
		}
	}
	return err
}

// dropMoves forgets moves that no export may ask for any more.
func (s *Server) dropMoves(ctx context.Context, before int64) error {
	s.core.mu.Lock()
	was := s.core.moves.since
	s.core.moves.drop(before, maxMoves)
	since := s.core.moves.since
	s.core.mu.Unlock()
	if since == was {
		return nil
	}
	return s.st.DropMoves(ctx, since)
}
