package server

import (
	"context"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/posture"
)

// place gives a device the tags and the group that rules say, and lets it
// count in lists and scores, or not: one that was silent
// for too long, or that somebody excluded, is in neither, and one of which nothing could be judged is in no
// score, which it would only make look better. The caller holds mu for writing.
func (c *core) place(d *device, now time.Time) {
	c.regroup(d, c.classify(d))
	if d.exclusion != nil || now.Sub(d.lastSeen(now)) > outAfter {
		c.forgetDevice(c.fleet.Rest(d.num))
		return
	}
	c.forgetDevice(c.fleet.Wake(d.num))
	c.fleet.Scores().Put(d.num, d.group, d.value)
	if !c.fleet.DeviceAssessed(d.num) {
		c.fleet.Scores().Drop(d.num)
	}
}

// doubt notes that devices of components may have to be placed anew, because
// they can be judged now and could not before, or the other way round: was says
// it of each before. The caller holds mu for writing.
func (c *core) doubt(ids []exposure.ComponentID, was []bool) {
	var sets []*roaring.Bitmap
	for i, id := range ids {
		if c.judged(id) != was[i] {
			sets = append(sets, c.fleet.DevicesOf(id))
		}
	}
	if len(sets) == 0 {
		return
	}
	// When a fleet is judged for the first time, all are in doubt after a few
	// components: joining the devices of the others would only cost.
	if sure := roaring.AndNot(c.fleet.Devices(), c.fleet.Resting()); roaring.AndNot(sure, c.unsure).IsEmpty() {
		return
	}
	c.unsure.Or(c.fleet.Union(sets, nil))
}

// judged reports whether a component could be judged.
func (c *core) judged(id exposure.ComponentID) bool {
	done, why := c.fleet.Assessed(id)
	return done && why == ""
}

// placeUnsure places up to n of the devices in doubt and reports whether none
// is left. The caller holds mu for writing.
func (c *core) placeUnsure(n int, now time.Time) bool {
	some := make([]uint32, n)
	some = some[:c.unsure.ManyIterator().NextMany(some)]
	c.unsure.AndNot(roaring.BitmapOf(some...))
	for _, num := range some {
		if d := c.at(num); d != nil {
			c.place(d, now)
		}
	}
	return c.unsure.IsEmpty()
}

// placeSoon places the devices in doubt at once where that costs little: when
// scores have to be computed anew anyway, or there are few of them. The caller
// holds mu for writing; what is left waits for settle.
func (c *core) placeSoon(now time.Time) {
	for n := c.unsure.GetCardinality(); n > 0 && (n <= settleStep || c.fleet.Scores().Stale()); n = c.unsure.GetCardinality() {
		c.placeUnsure(settleStep, now)
	}
}

// settle brings the scores up to date, a step at a time: others read and
// change the fleet in between.
func (c *core) settle(ctx context.Context) error {
	for ctx.Err() == nil {
		c.mu.RLock()
		stale := c.fleet.Scores().Stale() || !c.unsure.IsEmpty()
		c.mu.RUnlock()
		if !stale {
			return nil
		}
		c.mu.Lock()
		done := c.placeUnsure(settleStep, time.Now()) && c.fleet.Scores().Settle(settleStep)
		c.mu.Unlock()
		if done && c.settled != nil {
			c.settled()
		}
	}
	return ctx.Err()
}

// active are the devices that are in lists: those that were not silent for too
// long and that nobody excluded. The result is shared.
func (c *core) active() *roaring.Bitmap {
	if c.fleet.Resting().IsEmpty() {
		return c.fleet.Devices()
	}
	return roaring.AndNot(c.fleet.Devices(), c.fleet.Resting())
}

// noDataReason says why a device has no exposure level, "" when it has one.
func (c *core) noDataReason(d *device, now time.Time) string {
	if c.exposureOf(d) != noData {
		return ""
	}
	switch {
	case d.exclusion != nil:
		return "it is excluded: " + exclusionReasons[d.exclusion.Reason]
	case now.Sub(d.lastSeen(now)) > outAfter:
		return "it was silent for more than 30 days"
	case d.sum.OSID == "":
		return "its operating system is not known yet"
	}
	for _, id := range c.fleet.DeviceComponents(d.num) {
		if done, why := c.fleet.Assessed(id); done && why != "" {
			return "nothing on it could be judged: " + why
		}
	}
	return "no software was reported yet"
}

// checkRelief is what the score would be lower by if no device failed a check;
// ok is false when no active device of the lens fails it.
func (c *core) checkRelief(l lens, n int) (exposure.Relief, bool) {
	r, ok := c.fleet.Scores().CheckReliefOf(n, l.groups, c.weights())
	return r, ok || c.checks.devices(n, posture.Fail).Intersects(l.of(c.active()))
}

// reliefs are what the scores of a part of the fleet would be lower by, and the
// failed checks and ended releases of devices that are in no score: those lower
// nothing there, and are to be mended all the same.
func (c *core) reliefs(l lens) []exposure.Relief {
	return keep(&c.kept, c.mu.state(), "reliefs "+l.key(), func() ([]exposure.Relief, int) {
		list := c.newReliefs(l)
		return list, reliefSize * len(list)
	})
}

// reliefSize is what a relief takes, roughly.
const reliefSize = 200

func (c *core) newReliefs(l lens) []exposure.Relief {
	w := c.weights()
	out := c.fleet.Scores().Reliefs(l.groups, w)
	if c.active().GetCardinality() == c.fleet.Scores().Devices().GetCardinality() {
		return out
	}
	there := map[int]bool{}
	for i := range out {
		there[out[i].Check] = true
	}
	den := c.fleet.Scores().Total(l.groups, w).Mean.Den
	in := l.of(c.active())
	lines := map[exposure.Cause]bool{}
	for i := range out {
		if out[i].Remedy.OfLine() {
			lines[out[i].Cause()] = true
		}
	}
	for _, k := range c.fleet.Causes(in) {
		if !lines[k] {
			out = append(out, exposure.Relief{Product: k.Product, Remedy: k.Remedy, Check: -1, Impact: exposure.Mean{Den: den}, ImpactAfter: exposure.Mean{Den: den}})
		}
	}
	for n := range posture.Checks() {
		if failing := c.checks.devices(n, posture.Fail); !there[n] && failing.Intersects(in) {
			out = append(out, exposure.Relief{Check: n, Impact: exposure.Mean{Den: den}, ImpactAfter: exposure.Mean{Den: den}})
		}
	}
	return out
}
