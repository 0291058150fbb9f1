package exposure

import (
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
)

// mostParts is how many groups may be followed at a time; readers of others
// compare sets of devices instead.
const mostParts = 512

// parts knows how many devices of each group have each component, for groups
// that somebody asked for. Changes keep it up to date. It has its own lock,
// because readers ask.
type parts struct {
	mu     sync.RWMutex
	of     []Group // by device; changes only with the fleet
	groups map[Group]*part
	scopes map[*roaring.Bitmap][]*part
}

// part is one group: devices by component, counted when it is first asked for.
type part struct {
	group Group
	once  sync.Once
	have  []uint32 // nil before that; by component, shorter where the rest is 0
}

func (p *part) move(id ComponentID, by int) {
	if n := int(id) + 1 - len(p.have); n > 0 {
		p.have = append(p.have, make([]uint32, n)...)
	}
	p.have[id] = uint32(int(p.have[id]) + by)
}

// Assign notes the device group of a device, which Follow needs to know; it is 0 before.
func (f *Fleet) Assign(dev uint32, g Group) {
	f.grow(dev)
	was := f.parts.of[dev]
	if was == g {
		return
	}
	f.parts.of[dev] = g
	if f.bulk || f.resting.Contains(dev) {
		return
	}
	for _, change := range []struct {
		group Group
		by    int
	}{{was, -1}, {g, 1}} {
		if p := f.parts.groups[change.group]; p != nil && p.have != nil {
			for _, id := range f.devices[dev] {
				p.move(id, change.by)
			}
		}
	}
}

// Follow makes reading methods that take this very scope fast, until Unfollow.
// The scope is the devices that are assigned to groups, and stays so. Readers
// may call it.
func (f *Fleet) Follow(scope *roaring.Bitmap, groups []Group) {
	f.parts.mu.Lock()
	defer f.parts.mu.Unlock()
	if f.parts.groups == nil {
		f.parts.groups, f.parts.scopes = map[Group]*part{}, map[*roaring.Bitmap][]*part{}
	}
	list := make([]*part, 0, len(groups))
	for _, g := range groups {
		p := f.parts.groups[g]
		if p == nil {
			if len(f.parts.groups) >= mostParts {
				return
			}
			p = &part{group: g}
			f.parts.groups[g] = p
		}
		list = append(list, p)
	}
	f.parts.scopes[scope] = list
}

// Unfollow forgets a scope. Readers may call it.
func (f *Fleet) Unfollow(scope *roaring.Bitmap) {
	f.parts.mu.Lock()
	defer f.parts.mu.Unlock()
	delete(f.parts.scopes, scope)
	if len(f.parts.groups) < mostParts {
		return
	}
	used := map[*part]bool{}
	for _, list := range f.parts.scopes {
		for _, p := range list {
			used[p] = true
		}
	}
	for g, p := range f.parts.groups {
		if !used[p] {
			delete(f.parts.groups, g)
		}
	}
}

// Held reports whether some device in scope (nil: any) has the component.
func (f *Fleet) Held(id ComponentID, scope *roaring.Bitmap) bool {
	return f.known(id) && f.heldIn(id, scope, f.followedBy(scope))
}

// heldIn is Held with what is followed of the scope, nil when it is not.
func (f *Fleet) heldIn(id ComponentID, scope *roaring.Bitmap, list []*part) bool {
	switch devs := f.comps[id].devices; {
	case scope == nil:
		return !devs.IsEmpty()
	case list == nil:
		return devs.Intersects(scope)
	}
	for _, p := range list {
		if int(id) < len(p.have) && p.have[id] > 0 {
			return true
		}
	}
	return false
}

// followedBy are the groups of a followed scope, each counted; nil when it is not followed.
func (f *Fleet) followedBy(scope *roaring.Bitmap) []*part {
	if scope == nil {
		return nil
	}
	f.parts.mu.RLock()
	list := f.parts.scopes[scope]
	f.parts.mu.RUnlock()
	for _, p := range list {
		p.once.Do(func() { p.have = f.count(p.group) })
	}
	return list
}

func (f *Fleet) count(g Group) []uint32 {
	have := make([]uint32, len(f.comps))
	for dev, of := range f.parts.of {
		if of == g && !f.resting.Contains(uint32(dev)) {
			for _, id := range f.devices[dev] {
				have[id]++
			}
		}
	}
	return have
}

// moved carries a change of one device into the counts of its group.
func (f *Fleet) moved(dev uint32, d *DeviceDiff) {
	p := f.parts.groups[f.parts.of[dev]]
	if p == nil || p.have == nil {
		return
	}
	for _, id := range d.Added {
		p.move(id, 1)
	}
	for _, id := range d.Removed {
		p.move(id, -1)
	}
}

// recount forgets the counts of groups, not that they are followed.
func (f *Fleet) recount() {
	for _, p := range f.parts.groups {
		p.once, p.have = sync.Once{}, nil
	}
}
