package server

import (
	"context"
	"slices"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

// Components that no device has any more are swept from the store and the
// index. They stay while something names them: what replaced them on a device,
// a closed finding, or a record of changes, which is why they go only after
// longer than that record goes back. A number is used for another component as
// much later again, because records of changes of the intelligence name
// components that no device has, too.
const (
	sweepAfter = changesKept + 24*time.Hour
	sweepMost  = 1000 // components of one sweep, so that no commit waits long
	sweepStep  = 500  // devices that are looked at with the lock in one go
)

// loadIdle reads what is known of components that no device has. The caller
// holds mu for writing; every stored component is in the fleet.
func (c *core) loadIdle(ctx context.Context, st *store.Store) error {
	reserved := map[exposure.ComponentID]bool{}
	last := exposure.ComponentID(0)
	for id := range c.saved {
		last = max(last, id)
	}
	err := st.Idles(ctx, func(i store.Idle) {
		id := exposure.ComponentID(i.Component)
		if i.Swept {
			reserved[id] = true
			last = max(last, id)
			c.fleet.Reserve(id)
			return
		}
		c.idle[id] = i.Since
	})
	for id := exposure.ComponentID(0); id < last; id++ {
		if !c.saved[id] && !reserved[id] {
			c.fleet.Free(id)
		}
	}
	return err
}

// wake notes that a device has components again; it returns those that no
// device had, which the commit that gives them to the device has to tell the
// store. The caller holds mu for writing.
func (c *core) wake(added []exposure.ComponentID) (woken []uint32) {
	for _, id := range added {
		if _, ok := c.idle[id]; ok {
			delete(c.idle, id)
			woken = append(woken, uint32(id))
		}
	}
	return woken
}

// sweep notes which components no device has, and removes those that none has
// had for long and nothing names. Reports go on meanwhile: one that takes up a
// component that is about to go keeps it (see intern).
func (s *Server) sweep(ctx context.Context, now time.Time) error {
	s.reassessing.Lock() // an assessment that is under way goes by numbers
	defer s.reassessing.Unlock()
	c := s.core
	w := store.Sweep{At: now, Freed: now.Add(-sweepAfter)}
	c.mu.Lock()
	w.Idle, w.Used = c.noticeIdle(now)
	if len(c.intelPending) == 0 { // else: changes that name components are not in the store yet
		w.Due = c.dueForSweep(now)
	}
	for _, id := range w.Due {
		c.going[exposure.ComponentID(id)] = true
	}
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		clear(c.going)
		c.mu.Unlock()
	}()
	if len(w.Due) > 0 {
		c.keepNamed()
	}
	w.Still = func(id uint32) bool {
		c.mu.RLock()
		defer c.mu.RUnlock()
		return c.going[exposure.ComponentID(id)]
	}
	done, err := s.st.SweepComponents(ctx, w)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range done.Kept {
		if _, ok := c.idle[exposure.ComponentID(id)]; ok {
			c.idle[exposure.ComponentID(id)] = now
		}
	}
	for _, num := range done.Gone {
		id := exposure.ComponentID(num)
		if !c.going[id] {
			continue // a report took it up while it went, and stores it again
		}
		var diff exposure.AssessmentDiff
		for h := range c.fleet.Hits(id) {
			diff.Closed = append(diff.Closed, h.Weakness)
		}
		c.forgetComponent(id, diff)
		if !c.fleet.Forget(id) {
			continue
		}
		delete(c.known, id)
		delete(c.saved, id)
		delete(c.idle, id)
	}
	for _, id := range done.Free {
		c.fleet.Free(exposure.ComponentID(id))
	}
	return nil
}

// dueForSweep are the components that no device has had for long, those of
// longest first. The caller holds mu.
func (c *core) dueForSweep(now time.Time) (due []uint32) {
	for id, since := range c.idle {
		if now.Sub(since) > sweepAfter && c.saved[id] {
			due = append(due, uint32(id))
		}
	}
	slices.SortFunc(due, func(a, b uint32) int {
		return c.idle[exposure.ComponentID(a)].Compare(c.idle[exposure.ComponentID(b)])
	})
	return due[:min(len(due), sweepMost)]
}

// noticeIdle brings idle up to date and returns what the store has to learn.
// The caller holds mu for writing.
func (c *core) noticeIdle(now time.Time) (idle, used []uint32) {
	is := map[exposure.ComponentID]bool{}
	for _, id := range c.fleet.Idle() {
		is[id] = true
		if _, ok := c.idle[id]; !ok && c.saved[id] && len(idle) < 10*sweepMost {
			c.idle[id] = now
			idle = append(idle, uint32(id))
		}
	}
	for id := range c.idle {
		if !is[id] {
			delete(c.idle, id)
			used = append(used, uint32(id))
		}
	}
	return idle, used
}

// keepNamed takes from those that are about to go what devices name: the
// components that theirs replaced, and what a report that is being committed
// takes away. It looks at a few devices at a time.
func (c *core) keepNamed() {
	for from, more := 0, true; more; from += sweepStep {
		c.mu.RLock()
		var named []exposure.ComponentID
		note := func(id uint32) {
			if c.going[exposure.ComponentID(id)] {
				named = append(named, exposure.ComponentID(id))
			}
		}
		more = from+sweepStep < len(c.devices)
		for _, d := range c.devices[min(from, len(c.devices)):min(from+sweepStep, len(c.devices))] {
			if d == nil {
				continue
			}
			for _, list := range [2]store.Holding{d.held, d.before} {
				for h := range list.All() {
					for _, p := range h.Past {
						note(p.Component)
					}
				}
			}
			for h := range d.before.All() {
				note(h.Component)
			}
		}
		c.mu.RUnlock()
		if len(named) == 0 {
			continue
		}
		c.mu.Lock()
		for _, id := range named {
			delete(c.going, id)
		}
		c.mu.Unlock()
	}
}
