package exposure

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// Cause is what one recommendation takes away: the findings of a product that
// one remedy closes, or a failed check.
type Cause struct {
	Product string // product id, "" for a check
	Remedy  Remedy // of the product; Gone: all of its findings; Upgrade, Uninstall: those of its ended line
	Check   int    // number of the check when Product is ""
}

// Cause is what carrying out a relief takes away.
func (r *Relief) Cause() Cause {
	if r.Check >= 0 {
		return Cause{Check: r.Check}
	}
	return Cause{Product: r.Product, Remedy: r.Remedy}
}

// Outcome is what carrying out some causes together does.
type Outcome struct {
	Before ScoreTotal
	After  ScoreTotal // exactly what Total says once all of it is carried out; Den as before
	// Findings counts what is gone, on each device for itself: findings of
	// components, and the Checks among them.
	Findings   uint64
	Checks     uint64
	Weaknesses int // distinct weaknesses of these findings
	Cleared    int // of Weaknesses: no device in the groups has them afterwards
	Touched    int // devices that have one of the causes, not mitigated as a whole
	Restarts   Restarts
}

// Restarts says on how many of the touched devices something must be started
// again before the findings are gone. Each device counts once, where it stands first.
type Restarts struct {
	Reboot   int // a finding of the kernel that runs: only another running kernel closes it
	Programs int // old files in memory: the programs that use them
	Unknown  int // the agent does not say what uses the package, or what takes a setting in
}

// Known are the devices where a restart is certain.
func (r Restarts) Known() int { return r.Reboot + r.Programs }

// restartKind is what closes findings of a component beyond a change on disk.
func restartKind(r Role) int {
	switch r {
	case KernelRunning:
		return 0
	case InMemory:
		return 1
	}
	return 2
}

// WhatIf computes the score of groups (nil: all) as it would be with all
// causes carried out, jointly: on a device with several of them they relieve
// more than one after the other alone, because the score is a curve. Causes
// that nobody has change nothing. Only devices with one of the causes are
// walked over (for checks, all are looked at).
func (s *Scores) WhatIf(causes []Cause, groups []Group, w Weights) Outcome {
	out := Outcome{Before: s.Total(groups, w), After: s.Total(groups, w)}
	in := s.InGroups(groups)
	x := &exchange{s: s, net: s.netting(), in: in, removed: make([]uint64, len(s.devs)), touched: roaring.New(), covered: map[uint32]int{}}
	for i := range x.restart {
		x.restart[i] = roaring.New()
	}
	masks, checks := s.split(causes)
	for id, mask := range masks {
		x.component(id, mask, &out)
	}
	if slices.Contains(checks, true) {
		x.fail(checks, &out)
	}
	x.weaknesses(&out)
	x.restarts(&out)
	x.settle(&out, w)
	return out
}

// split turns causes into slots of remedies by component, a bit each, and marks by check.
func (s *Scores) split(causes []Cause) (masks map[ComponentID]uint8, checks []bool) {
	masks, checks = map[ComponentID]uint8{}, make([]bool, len(s.checks))
	for _, c := range causes {
		if c.Product == "" {
			if c.Check >= 0 && c.Check < len(checks) {
				checks[c.Check] = true
			}
			continue
		}
		mask := uint8(1) << c.Remedy.slot()
		if c.Remedy == Gone {
			mask = 1<<len(ownPoints{}) - 1
		}
		for _, id := range s.f.CauseComponents(c.Product, c.Remedy, nil) {
			masks[id] |= mask
		}
	}
	return masks, checks
}

// exchange is one WhatIf under way.
type exchange struct {
	s       *Scores
	net     *netting
	in      *roaring.Bitmap
	removed []uint64 // points by device
	touched *roaring.Bitmap
	restart [3]*roaring.Bitmap // by restartKind
	covered map[uint32]int     // by weakness: components in the groups of which it is taken away
}

// component takes away the findings of a component with the remedies of mask.
func (x *exchange) component(id ComponentID, mask uint8, out *Outcome) {
	f := x.s.f
	own := x.s.now.of(id)
	pts := uint64(0)
	for slot, n := range own {
		pts += uint64(n) * uint64(mask>>slot&1)
	}
	if pts == 0 {
		return
	}
	devs := roaring.And(f.comps[id].devices, x.in)
	if devs.IsEmpty() {
		return
	}
	n := uint64(0)
	for i := range f.comps[id].hits {
		h := &f.comps[id].hits[i]
		if h.bit&bitsCount != 0 && mask>>f.remedy(id, h).slot()&1 == 1 {
			n++
			x.covered[h.weak]++
		}
	}
	out.Findings += n * devs.GetCardinality()
	needed := devs // where not all of it is mitigated
	if x.net.about != nil && x.net.about[id] {
		needed = devs.Clone()
	}
	for it := devs.Iterator(); it.HasNext(); {
		dev, n := it.Next(), pts
		if k := x.net.regime(dev, id); k != nil {
			n = 0
			for slot, left := range x.net.of(k, id) {
				n += uint64(left) * uint64(mask>>slot&1)
			}
		}
		x.removed[dev] += n
		if n == 0 {
			needed.Remove(dev) // n can only be 0 where exceptions are about it
		}
	}
	x.touched.Or(needed)
	x.restart[restartKind(f.comps[id].Role)].Or(needed)
}

// fail takes away failed checks.
func (x *exchange) fail(checks []bool, out *Outcome) {
	for it := x.in.Iterator(); it.HasNext(); {
		dev := it.Next()
		had := false
		for _, c := range x.s.devs[dev].failed {
			if int(c) < len(checks) && checks[c] {
				out.Checks++
				pts := uint64(x.s.checkPoints(dev, c))
				had = had || pts > 0
				x.removed[dev] += pts
			}
		}
		if had {
			x.touched.Add(dev)
			x.restart[2].Add(dev)
		}
	}
	out.Findings += out.Checks
}

// weaknesses counts the weaknesses that are taken away, and those that are
// left nowhere: as many components have them as they are taken away from.
func (x *exchange) weaknesses(out *Outcome) {
	f := x.s.f
	live := map[ComponentID]bool{}
	for weak, n := range x.covered {
		out.Weaknesses++
		for _, m := range f.weak[weak].members {
			if m.bit&bitsCount == 0 {
				continue
			}
			has, known := live[m.id]
			if !known {
				has = f.comps[m.id].devices.Intersects(x.in)
				live[m.id] = has
			}
			if has {
				n--
			}
		}
		if n == 0 {
			out.Cleared++
		}
	}
}

func (x *exchange) restarts(out *Outcome) {
	x.restart[1].AndNot(x.restart[0])
	x.restart[2].AndNot(x.restart[0])
	x.restart[2].AndNot(x.restart[1])
	out.Restarts = Restarts{Reboot: int(x.restart[0].GetCardinality()), Programs: int(x.restart[1].GetCardinality()), Unknown: int(x.restart[2].GetCardinality())}
	out.Touched = int(x.touched.GetCardinality())
}

// settle moves the touched devices to their new scores.
func (x *exchange) settle(out *Outcome, w Weights) {
	var fall [values]Sum
	for it := x.touched.Iterator(); it.HasNext(); {
		dev := it.Next()
		d := &x.s.devs[dev]
		was, now := ScoreOf(d.sum), ScoreOf(d.sum-min(x.removed[dev], d.sum)) // stale sums may be behind the components
		fall[d.value].add(uint64(was - now))
		out.After.Levels[LevelOf(was.Float())]--
		out.After.Levels[LevelOf(now.Float())]++
	}
	for v := range fall {
		out.After.Mean.Num.minus(fall[v].times(w[v]))
	}
}

// minus takes away a sum that is at most s.
func (s *Sum) minus(o Sum) {
	s.sub(o.lo)
	s.hi -= o.hi
}
