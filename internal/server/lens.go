package server

import (
	"slices"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

// mostLenses is how many selections of device groups keep their rows.
const mostLenses = 16

// lens is the part of the fleet that an answer is about: device groups. It is good while the caller holds core.mu for reading.
type lens struct {
	groups []exposure.Group // nil: all
	sees   exposure.Scope   // what whoever asks may see, besides what the answer is about
	devs   *roaring.Bitmap  // the devices in them, nil: all; shared, never changed
	rows   *rowCache
}

// has reports whether one of some devices is in the lens.
func (l lens) has(devs *roaring.Bitmap) bool {
	if l.devs == nil {
		return !devs.IsEmpty()
	}
	return l.devs.Intersects(devs)
}

// of narrows a set of devices, which it does not change.
func (l lens) of(devs *roaring.Bitmap) *roaring.Bitmap {
	if l.devs == nil {
		return devs
	}
	return roaring.And(devs, l.devs)
}

// key names the devices of the lens in keys.
func (l lens) key() string {
	if l.groups == nil {
		return scopeKey(exposure.Everywhere())
	}
	return scopeKey(exposure.Within(l.groups...))
}

// count counts the devices of a set that are in the lens.
func (l lens) count(devs *roaring.Bitmap) int {
	if l.devs == nil {
		return int(devs.GetCardinality())
	}
	return int(devs.AndCardinality(l.devs))
}

// lenses keeps the rows of the selections that were asked for last, so that a
// page of a list costs the same with a filter of groups as without.
type lenses struct {
	mu    sync.Mutex // readers make lenses while they hold core.mu for reading
	order []string   // least recently used first
	byKey map[string]lens
}

// lens is what a caller's answers are about: what the caller may see of what
// was asked for. The caller of lens holds mu for reading.
func (c *core) lens(caller Caller) lens {
	l := c.lensOf(caller.looks())
	l.sees = caller.sees()
	return l
}

// lensOf is the part of the fleet in a scope. The caller holds mu for reading.
func (c *core) lensOf(in exposure.Scope) lens {
	groups := in.Groups()
	if groups == nil {
		return lens{rows: c.rows, sees: in}
	}
	s := &c.lenses
	s.mu.Lock()
	defer s.mu.Unlock()
	k := scopeKey(in)
	s.order = append(slices.DeleteFunc(s.order, func(o string) bool { return o == k }), k)
	if l, ok := s.byKey[k]; ok {
		return l
	}
	if len(s.order) > mostLenses {
		c.fleet.Unfollow(s.byKey[s.order[0]].devs)
		delete(s.byKey, s.order[0])
		s.order = slices.Delete(s.order, 0, 1)
	}
	l := lens{groups: groups, sees: in, devs: roaring.New(), rows: newRowCache()}
	for _, g := range groups {
		if m := c.members[g]; m != nil {
			l.devs.Or(m)
		}
	}
	c.fleet.Follow(l.devs, groups)
	s.byKey[k] = l
	return l
}

// caches yields the rows of every lens that is kept.
func (c *core) caches(yield func(*rowCache) bool) {
	if !yield(c.rows) {
		return
	}
	c.lenses.mu.Lock()
	defer c.lenses.mu.Unlock()
	for _, l := range c.lenses.byKey {
		if !yield(l.rows) {
			return
		}
	}
}

// regroup notes the group of a device; lenses that it enters or leaves are
// made anew. The caller holds mu for writing.
func (c *core) regroup(d *device, g exposure.Group) {
	c.fleet.Assign(d.num, g)
	was := c.members[d.group]
	if d.group == g && was != nil && was.Contains(d.num) {
		return
	}
	if was != nil {
		was.Remove(d.num)
	}
	if c.members[g] == nil {
		c.members[g] = roaring.New()
	}
	c.members[g].Add(d.num)
	c.renewLenses(g, d.group)
	if was != nil && d.group != g {
		c.moves.moved(store.Move{At: c.stamps.next(), Device: d.num, Was: d.group, Now: g})
	} else {
		c.moves.placed(d.num, g)
	}
	d.group = g
	if len(c.exceptions) > 0 {
		for rows := range c.caches {
			rows.forgetWeak()
		}
	}
}

// renewLenses forgets the lenses with one of two groups. The caller holds mu for writing.
func (c *core) renewLenses(a, b exposure.Group) {
	s := &c.lenses
	for k, l := range s.byKey {
		if slices.Contains(l.groups, a) || slices.Contains(l.groups, b) {
			c.fleet.Unfollow(l.devs)
			delete(s.byKey, k)
			s.order = slices.DeleteFunc(s.order, func(o string) bool { return o == k })
		}
	}
}
