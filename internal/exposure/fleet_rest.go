package exposure

import (
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
)

// Rest takes a device out of every list and count over devices, and out of
// scores: it was silent for too long to speak of it as it is. What it was last
// known to have stays readable by its number: DeviceComponents, DeviceCounts,
// DeviceHits, DeviceStanding. It returns what left the lists.
func (f *Fleet) Rest(dev uint32) DeviceDiff {
	if !f.present.Contains(dev) || f.resting.Contains(dev) {
		return DeviceDiff{}
	}
	f.scores.Drop(dev)
	return f.rest(dev)
}

// Wake puts a resting device back into lists and counts; scores take it in by
// Put. It returns what came into the lists.
func (f *Fleet) Wake(dev uint32) DeviceDiff {
	if !f.resting.Contains(dev) {
		return DeviceDiff{}
	}
	return f.wake(dev)
}

// Resting returns the devices that rest. The result is shared.
func (f *Fleet) Resting() *roaring.Bitmap { return f.resting }

func (f *Fleet) rest(dev uint32) (d DeviceDiff) {
	list := f.devices[dev]
	if !f.bulk { // a rebuild leaves resting devices out by itself
		d = f.setDevice(dev, nil)
		f.devices[dev] = list
	}
	f.resting.Add(dev)
	for _, id := range list {
		f.comps[id].kept++
	}
	return d
}

func (f *Fleet) wake(dev uint32) (d DeviceDiff) {
	f.resting.Remove(dev)
	list := f.devices[dev]
	for _, id := range list {
		f.comps[id].kept--
	}
	if !f.bulk {
		f.devices[dev] = nil
		d = f.setDevice(dev, list)
	}
	f.quiet.drop(dev)
	return d
}

// quiet remembers the counts of resting devices, which no change keeps up to
// date: they are counted again when something was assessed or rated since. It
// has its own lock, because readers fill it.
type quiet struct {
	mu     sync.Mutex
	change uint64 // how many changes there were when counts was filled
	counts map[uint32]Counts
}

func (q *quiet) drop(dev uint32) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.counts, dev)
}

// countsAtRest are the counts of a resting device.
func (f *Fleet) countsAtRest(dev uint32) Counts {
	q := &f.quiet
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.counts == nil || q.change != f.changes {
		q.counts, q.change = map[uint32]Counts{}, f.changes
	}
	c, ok := q.counts[dev]
	if !ok {
		list := f.devices[dev]
		c = f.countHits(func(yield func(ComponentID) bool) {
			for _, id := range list {
				if !yield(id) {
					return
				}
			}
		})
		seen := map[uint32]bool{}
		for _, id := range list {
			if k := f.kinds[id]; k.bits&productInstalled != 0 {
				seen[k.product] = true
			}
		}
		c.Products = uint32(len(seen))
		q.counts[dev] = c
	}
	return c
}

// standingAtRest is how a resting device stands to a weakness.
func (f *Fleet) standingAtRest(dev, weak uint32) Standing {
	mask := uint8(0)
	for _, id := range f.devices[dev] {
		for i := range f.comps[id].hits {
			if h := &f.comps[id].hits[i]; h.weak == weak {
				mask |= h.bit
			}
		}
	}
	return standingOf(mask)
}

// DeviceAssessed reports whether anything on a device could be judged: some
// component that is more than leftover configuration was assessed.
func (f *Fleet) DeviceAssessed(dev uint32) bool {
	for _, id := range f.DeviceComponents(dev) {
		if c := &f.comps[id]; c.assessed && c.unassessed == "" && c.Role != Residual {
			return true
		}
	}
	return false
}
