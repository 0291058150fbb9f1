package exposure

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// The bits of a standing in masks and in hit.bit.
const (
	bitHidden  = 1 << (Hidden - 1)
	bitExposed = 1 << (Exposed - 1)
	bitFixable = 1 << (Fixable - 1)
	bitsCount  = bitExposed | bitFixable // standings that count in exposure
)

// The bits of a product on a device.
const (
	productInstalled = 1
	productExposed   = 2
	productListed    = 4 // there at all
	componentEnded   = 8 // of the component alone: its line has ended
)

// scratch is working memory for one walk over a device's hits, used again and
// again: entries are valid only where stamp equals gen.
type scratch struct {
	weak, prod, comp marks
}

// marks is a sparse map from dense ids to two masks.
type marks struct {
	gen      uint32
	stamp    []uint32
	was, now []uint8
	touched  []uint32
}

func (m *marks) begin(n int) {
	if len(m.stamp) < n {
		n += n / 4
		m.stamp, m.was, m.now, m.gen = make([]uint32, n), make([]uint8, n), make([]uint8, n), 0
	}
	m.gen++
	if m.gen == 0 { // after 2³² walks
		clear(m.stamp)
		m.gen = 1
	}
	m.touched = m.touched[:0]
}

func (m *marks) touch(i uint32) {
	if m.stamp[i] != m.gen {
		m.stamp[i], m.was[i], m.now[i] = m.gen, 0, 0
		m.touched = append(m.touched, i)
	}
}

// SetDevice replaces the components of a device and returns what changed. The
// first call for a number adds the device. comps may be in any order and is
// not kept; ids that are not in use are ignored.
func (f *Fleet) SetDevice(dev uint32, comps []ComponentID) DeviceDiff {
	f.grow(dev)
	f.present.Add(dev)
	now := f.tidy(comps)
	if f.resting.Contains(dev) {
		f.wake(dev)
		defer f.rest(dev)
	}
	return f.setDevice(dev, now)
}

// RemoveDevice takes a device out of the fleet and returns what changed.
func (f *Fleet) RemoveDevice(dev uint32) DeviceDiff {
	if !f.present.Contains(dev) {
		return DeviceDiff{}
	}
	f.scores.Drop(dev)
	f.Wake(dev)
	f.present.Remove(dev)
	return f.setDevice(dev, nil)
}

func (f *Fleet) grow(dev uint32) {
	if n := int(dev) + 1 - len(f.devices); n > 0 {
		f.devices = append(f.devices, make([][]ComponentID, n)...)
		f.tally = append(f.tally, make([]tally, n)...)
		f.installed = append(f.installed, make([]uint32, n)...)
		f.parts.of = append(f.parts.of, make([]Group, n)...)
	}
}

// tidy copies a list of components: each once, only ids in use.
func (f *Fleet) tidy(comps []ComponentID) []ComponentID {
	out := make([]ComponentID, 0, len(comps))
	m := &f.work.comp
	m.begin(len(f.comps))
	for _, id := range comps {
		if f.known(id) && m.stamp[id] != m.gen {
			m.stamp[id] = m.gen
			out = append(out, id)
		}
	}
	return out
}

// setDevice stores a tidy list and carries the differences into the bitmaps.
func (f *Fleet) setDevice(dev uint32, now []ComponentID) DeviceDiff {
	var d DeviceDiff
	old := f.devices[dev]
	if f.bulk {
		f.devices[dev] = now
		return d
	}
	d.Added, d.Removed = f.diff(old, now)
	if len(d.Added)+len(d.Removed) == 0 {
		f.devices[dev] = now
		return d
	}
	f.scores.leave(dev)
	f.devices[dev] = now
	f.scores.join(dev)
	for _, id := range d.Added {
		f.comps[id].devices.Add(dev)
	}
	for _, id := range d.Removed {
		f.comps[id].devices.Remove(dev)
	}
	f.moved(dev, &d)
	// Only weaknesses and products of changed components can change; what the
	// unchanged ones add to those is looked up in one walk.
	w, p := &f.work.weak, &f.work.prod
	w.begin(len(f.weak))
	p.begin(len(f.products))
	f.mark(d.Removed, w, p, true)
	f.mark(d.Added, w, p, false)
	f.markKept(now, d.Added, w, p)
	for _, i := range p.touched {
		was, is := p.was[i], p.now[i]
		f.installed[dev] += uint32(is&productInstalled) - uint32(was&productInstalled)
		if was == is {
			continue
		}
		prod := &f.products[i]
		flip(prod.installed, dev, was&productInstalled != 0, is&productInstalled != 0)
		flip(prod.exposed, dev, was&productExposed != 0, is&productExposed != 0)
	}
	sum := f.tally[dev]
	for _, i := range w.touched {
		was, is := w.was[i], w.now[i]
		if was == is {
			continue
		}
		sum.add(f.adds.of(f.classes[i], is))
		sum.sub(f.adds.of(f.classes[i], was))
		d.Changes = f.restand(d.Changes, dev, i, was, is)
	}
	f.tally[dev] = sum
	return d
}

// restand brings one device from one standing mask of a weakness to another,
// except in the device's own counts.
func (f *Fleet) restand(changes []DeviceChange, dev, w uint32, was, is uint8) []DeviceChange {
	weak := &f.weak[w]
	for bit := range weak.sets {
		if (was^is)&(1<<bit) != 0 {
			flip(f.set(weak, bit), dev, was&(1<<bit) != 0, is&(1<<bit) != 0)
		}
	}
	switch was, is := was&bitsCount != 0, is&bitsCount != 0; {
	case is && !was:
		weak.exposed++
	case was && !is:
		weak.exposed--
	}
	if was, is := standingOf(was), standingOf(is); was != is {
		changes = append(changes, DeviceChange{Weakness: weak.id, Was: was, Now: is})
	}
	return changes
}

// diff returns what is only in now and what is only in old, ascending.
func (f *Fleet) diff(old, now []ComponentID) (added, removed []ComponentID) {
	m := &f.work.comp
	m.begin(len(f.comps))
	for _, id := range old {
		m.stamp[id], m.was[id], m.now[id] = m.gen, 1, 0
	}
	for _, id := range now {
		if m.stamp[id] != m.gen {
			added = append(added, id)
			continue
		}
		m.now[id] = 1
	}
	for _, id := range old {
		if m.now[id] == 0 {
			removed = append(removed, id)
		}
	}
	slices.Sort(added)
	slices.Sort(removed)
	return added, removed
}

// markKept adds what the components of now that are not in added (ascending)
// were and are, to the weaknesses and products that are touched already.
func (f *Fleet) markKept(now, added []ComponentID, w, p *marks) {
	if len(now) == len(added) {
		return
	}
	for _, id := range now {
		if _, isNew := slices.BinarySearch(added, id); isNew {
			continue
		}
		if k := f.kinds[id]; p.stamp[k.product] == p.gen {
			p.was[k.product] |= k.bits
			p.now[k.product] |= k.bits
		}
		hits := f.comps[id].hits
		for i := range hits {
			if h := &hits[i]; w.stamp[h.weak] == w.gen {
				w.was[h.weak] |= h.bit
				w.now[h.weak] |= h.bit
			}
		}
	}
}

// mark notes the standings of a list of components, as what was or what is.
func (f *Fleet) mark(list []ComponentID, w, p *marks, was bool) {
	wm, pm := w.now, p.now
	if was {
		wm, pm = w.was, p.was
	}
	for _, id := range list {
		k := f.kinds[id]
		p.touch(k.product)
		pm[k.product] |= k.bits
		hits := f.comps[id].hits
		for i := range hits {
			h := &hits[i]
			w.touch(h.weak)
			wm[h.weak] |= h.bit
		}
	}
}

// flip brings one device in a set from was to is.
func flip(set *roaring.Bitmap, dev uint32, was, is bool) {
	switch {
	case is && !was:
		set.Add(dev)
	case was && !is:
		set.Remove(dev)
	}
}

// standingOf returns the highest standing in a mask.
func standingOf(mask uint8) Standing {
	switch {
	case mask&bitFixable != 0:
		return Fixable
	case mask&bitExposed != 0:
		return Exposed
	case mask&bitHidden != 0:
		return Hidden
	}
	return Clear
}

// Rerate asks again for the ratings of weaknesses and carries changes into the
// counts of the devices that have them. It returns how many ratings changed.
func (f *Fleet) Rerate(weaknesses ...string) int {
	n := 0
	for _, id := range weaknesses {
		i, ok := f.weakIDs[id]
		if !ok {
			continue
		}
		w := &f.weak[i]
		old, now := w.rating, f.rate(id)
		if old == now {
			continue
		}
		n++
		f.changes++
		if old.Points != now.Points && len(w.members) > 0 {
			f.scores.spoil()
		}
		was, is := old.class(), now.class()
		w.rating, f.classes[i] = now, is
		if f.bulk {
			continue
		}
		for bit := bitExposed; bit <= bitFixable; bit <<= 1 {
			set := w.sets[bit>>1]
			if set == nil {
				continue
			}
			other := w.sets[(bitsCount&^bit)>>1]
			for it := set.Iterator(); it.HasNext(); {
				dev := it.Next()
				mask := uint8(bit)
				if other != nil && other.Contains(dev) {
					if bit == bitExposed {
						continue // counted with the other set
					}
					mask |= bitExposed
				}
				f.tally[dev].sub(f.adds.of(was, mask))
				f.tally[dev].add(f.adds.of(is, mask))
			}
		}
	}
	return n
}
