package exposure

import (
	"cmp"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// DeviceSet is the components of one device.
type DeviceSet struct {
	Device     uint32
	Components []ComponentID
}

// Load sets many devices: the same result as SetDevice for each in turn, by
// Bulk where that is cheaper.
func (f *Fleet) Load(batch []DeviceSet) {
	set := func() {
		for _, d := range batch {
			f.SetDevice(d.Device, d.Components)
		}
	}
	if !f.bulk && len(batch) > 200 && uint64(len(batch)) > f.present.GetCardinality()/20 {
		f.Bulk(set)
		return
	}
	set()
}

// Bulk runs fn, which may intern, set and assess as many devices and
// components as it likes, and computes bitmaps and counts once afterwards from
// everything. That is how a server starts and how it takes in a whole new
// intelligence; for a few changes it costs more than the changes themselves.
//
// Inside fn, diffs of devices are empty, and reading methods other than Component, Lookup, Assessed, Hits,
// HitOf and DeviceComponents answer from stale data.
func (f *Fleet) Bulk(fn func()) {
	if f.bulk {
		fn()
		return
	}
	f.bulk = true
	f.scores.spoil()
	fn()
	f.bulk = false
	f.rebuild()
}

// rebuild computes everything that follows from the devices' lists and the
// components' hits.
func (f *Fleet) rebuild() {
	lists := f.transpose()
	// Older versions have the weaknesses of newer ones and more. With the
	// components of most hits first, the sets of one package mostly grow from
	// each other, which unite makes use of.
	order := make([]uint32, 0, len(f.comps))
	for i := range f.comps {
		if f.kinds[i].bits != 0 {
			order = append(order, uint32(i))
		}
	}
	slices.SortFunc(order, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(len(f.comps[b].hits), len(f.comps[a].hits)), cmp.Compare(a, b))
	})
	for i := range f.weak {
		w := &f.weak[i]
		w.sets, w.members, w.sign, w.exposed = [3]*roaring.Bitmap{}, w.members[:0], sign{}, 0
	}
	for _, i := range order {
		for _, h := range f.comps[i].hits {
			f.weak[h.weak].join(ComponentID(i), h.bit)
		}
	}
	dense := newGather(len(f.devices))
	for _, i := range order {
		f.comps[i].devices = dense.of(lists[i])
	}
	f.recount()
	for i := range f.products {
		p := &f.products[i]
		p.installed = dense.of(f.listsWith(p.members, productInstalled, lists)...)
		p.exposed = dense.of(f.listsWith(p.members, productExposed, lists)...)
	}
	rank := make([]uint32, len(f.comps))
	for n, i := range order {
		rank[i] = uint32(n)
	}
	f.tallyAll(f.unite(lists, rank, dense))
}

// listsWith returns the device lists of the components that have a product bit.
func (f *Fleet) listsWith(ids []ComponentID, bit uint8, lists [][]uint32) [][]uint32 {
	var out [][]uint32
	for _, id := range ids {
		if f.kinds[id].bits&bit != 0 {
			out = append(out, lists[id])
		}
	}
	return out
}

// gather unites lists of devices in one array of bits, used again and again.
type gather struct{ words []uint64 }

func newGather(devices int) *gather { return &gather{words: make([]uint64, (devices+63)/64)} }

func (g *gather) add(list []uint32) {
	for _, dev := range list {
		g.words[dev/64] |= 1 << (dev % 64)
	}
}

// join adds a set.
func (g *gather) join(s *roaring.Bitmap) {
	if s.Stats().BitmapContainers == 0 { // of those it would overwrite what is there
		s.WriteDenseTo(g.words)
		return
	}
	var buf [512]uint32
	it := s.ManyIterator()
	for n := it.NextMany(buf[:]); n > 0; n = it.NextMany(buf[:]) {
		g.add(buf[:n])
	}
}

// of returns the union of some lists.
func (g *gather) of(lists ...[]uint32) *roaring.Bitmap {
	n := 0
	for _, l := range lists {
		n += len(l)
	}
	out := roaring.New()
	if n < len(g.words)/8 { // few in a big fleet
		for _, l := range lists {
			out.AddMany(l)
		}
		return out
	}
	clear(g.words)
	for _, l := range lists {
		g.add(l)
	}
	out.FromDense(g.words, true)
	return out
}

// union joins sets, and keeps of them what is in within (nil: all). The result
// is the caller's own, or, own false, the one set itself, which must not be changed.
func (g *gather) union(sets []*roaring.Bitmap, within *roaring.Bitmap) (out *roaring.Bitmap, own bool) {
	n := uint64(0)
	for _, s := range sets {
		n += s.GetCardinality()
	}
	few := n < uint64(len(g.words)/8) // in a big fleet
	switch {
	case len(sets) == 1 && within == nil:
		return sets[0], false
	case len(sets) == 1:
		return roaring.And(sets[0], within), true
	case few && within == nil:
		return roaring.FastOr(sets...), true
	case few:
		return roaring.And(roaring.FastOr(sets...), within), true
	}
	clear(g.words)
	for _, s := range sets {
		g.join(s)
	}
	out = roaring.New()
	if within == nil {
		out.FromDense(g.words, true)
		return out, true
	}
	out.FromDense(g.words, false) // reads the words while they are
	return roaring.And(out, within), true
}

// transpose turns lists of components by device into lists of devices by
// component, ascending: counts, then fills.
func (f *Fleet) transpose() [][]uint32 {
	start := make([]uint64, len(f.comps)+1)
	for dev, list := range f.devices {
		if f.resting.Contains(uint32(dev)) {
			continue
		}
		for _, id := range list {
			start[id+1]++
		}
	}
	for i := 1; i < len(start); i++ {
		start[i] += start[i-1]
	}
	all := make([]uint32, start[len(f.comps)])
	at := slices.Clone(start[:len(f.comps)])
	for dev, list := range f.devices {
		if f.resting.Contains(uint32(dev)) {
			continue
		}
		for _, id := range list {
			all[at[id]] = uint32(dev)
			at[id]++
		}
	}
	out := make([][]uint32, len(f.comps))
	for i := range out {
		out[i] = all[start[i]:start[i+1]]
	}
	return out
}

// unite fills the device sets of every weakness from its members, which are in
// order of rank. Weaknesses of one package often have the same members, or one
// more: a set is grown from the one before where it can be. unite returns the
// weaknesses that some device has through more than one component.
func (f *Fleet) unite(lists [][]uint32, rank []uint32, dense *gather) (shared []uint32) {
	order := make([]uint32, 0, len(f.weak))
	for i := range f.weak {
		if len(f.weak[i].members) > 0 {
			order = append(order, uint32(i))
		}
	}
	slices.SortFunc(order, func(a, b uint32) int {
		return slices.CompareFunc(f.weak[a].members, f.weak[b].members, func(x, y member) int {
			return cmp.Or(cmp.Compare(rank[x.id], rank[y.id]), cmp.Compare(x.bit, y.bit))
		})
	})
	var grown [3]struct {
		words   *gather
		members []ComponentID
		set     *roaring.Bitmap
	}
	for b := range grown {
		grown[b].words = newGather(len(f.devices))
	}
	var now [3][]ComponentID
	for _, w := range order {
		weak := &f.weak[w]
		for b := range now {
			now[b] = now[b][:0]
		}
		sum := 0
		for _, m := range weak.members {
			now[bitIndex(m.bit)] = append(now[bitIndex(m.bit)], m.id)
			if m.bit != bitHidden {
				sum += len(lists[m.id])
			}
		}
		for b, ids := range now {
			if len(ids) == 0 {
				continue
			}
			g := &grown[b]
			if g.set == nil || !isPrefix(g.members, ids) {
				clear(g.words.words)
				g.members, g.set = g.members[:0], nil
			}
			if g.set != nil && len(g.members) == len(ids) {
				weak.sets[b] = g.set.Clone()
				continue
			}
			for _, id := range ids[len(g.members):] {
				g.words.add(lists[id])
			}
			g.members = append(g.members, ids[len(g.members):]...)
			g.set = roaring.New()
			g.set.FromDense(g.words.words, true)
			weak.sets[b] = g.set
		}
		weak.exposed = uint32(weak.countExposed(nil))
		if sum != int(weak.exposed) {
			shared = append(shared, w)
		}
	}
	return shared
}

func isPrefix(a, b []ComponentID) bool { return len(a) <= len(b) && slices.Equal(a, b[:len(a)]) }

// tallyAll computes the counts of every device: what each component adds, and
// for shared weaknesses, which components of one device would count twice,
// device by device.
func (f *Fleet) tallyAll(shared []uint32) {
	twice := make([]bool, len(f.weak))
	for _, w := range shared {
		twice[w] = true
	}
	each := make([]tally, len(f.comps))
	for i := range f.comps {
		for _, h := range f.comps[i].hits {
			if !twice[h.weak] {
				each[i].add(f.adds.of(f.classes[h.weak], h.bit))
			}
		}
	}
	p := &f.work.prod
	for dev, list := range f.devices {
		if f.resting.Contains(uint32(dev)) {
			f.tally[dev], f.installed[dev] = tally{}, 0
			continue
		}
		p.begin(len(f.products))
		var sum tally
		products := uint32(0)
		for _, id := range list {
			sum.add(each[id])
			if k := f.kinds[id]; p.stamp[k.product] != p.gen && k.bits&productInstalled != 0 {
				p.stamp[k.product] = p.gen
				products++
			}
		}
		f.tally[dev], f.installed[dev] = sum, products
	}
	var buf [512]uint32
	for _, w := range shared {
		weak := &f.weak[w]
		sets := [2]*roaring.Bitmap{weak.sets[1], weak.sets[2]}
		if sets[0] != nil && sets[1] != nil {
			sets[0] = roaring.AndNot(sets[0], sets[1])
		}
		for b, set := range sets {
			if set == nil {
				continue
			}
			one := f.adds.of(f.classes[w], bitExposed<<b)
			for it := set.ManyIterator(); ; {
				n := it.NextMany(buf[:])
				if n == 0 {
					break
				}
				for _, dev := range buf[:n] {
					f.tally[dev].add(one)
				}
			}
		}
	}
}
