package exposure

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// SetAssessment replaces what is known of a component and carries the
// differences into every bitmap and count that they touch. The assessment is
// not kept: Hits has its matches in short, Assess gives the evidence again.
func (f *Fleet) SetAssessment(id ComponentID, a *Assessment) AssessmentDiff {
	d := f.setAssessment(id, a)
	f.settle()
	return d
}

// SetAssessments does what SetAssessment does for many components at once and
// returns their diffs in the order of ids, which name each component once. It
// costs less than one after the other: devices that gain a weakness through
// any of the components are joined before they are counted.
func (f *Fleet) SetAssessments(ids []ComponentID, as []Assessment) []AssessmentDiff {
	out := make([]AssessmentDiff, len(ids))
	for i, id := range ids {
		out[i] = f.setAssessment(id, &as[i])
	}
	f.settle()
	return out
}

// setAssessment is SetAssessment with what devices gain held back.
func (f *Fleet) setAssessment(id ComponentID, a *Assessment) AssessmentDiff {
	var d AssessmentDiff
	if !f.known(id) {
		return d
	}
	c := &f.comps[id]
	c.assessed, c.unassessed = true, a.Unassessed
	old, now := c.hits, f.hits(a.Matches, c.hits)
	c.hits = now
	f.changes++
	if !slices.Equal(old, now) {
		f.scores.reweigh(id)
	}
	exposed := false
	i, j := 0, 0
	for i < len(old) || j < len(now) {
		switch {
		case j == len(now) || i < len(old) && f.weak[old[i].weak].id < f.weak[now[j].weak].id:
			w := old[i].weak
			d.Closed = append(d.Closed, f.weak[w].id)
			d.Before = append(d.Before, f.expand(id, &old[i]))
			if !f.bulk {
				f.weak[w].leave(id)
				f.move(id, w, old[i].bit, 0)
			}
			i++
		case i == len(old) || f.weak[now[j].weak].id < f.weak[old[i].weak].id:
			w := now[j].weak
			d.Opened = append(d.Opened, f.weak[w].id)
			if !f.bulk {
				f.weak[w].join(id, now[j].bit)
				f.move(id, w, 0, now[j].bit)
			}
			exposed = exposed || now[j].bit&bitsCount != 0
			j++
		default:
			if old[i] != now[j] {
				d.Changed = append(d.Changed, f.weak[now[j].weak].id)
				d.Before = append(d.Before, f.expand(id, &old[i]))
				if !f.bulk {
					f.weak[now[j].weak].leave(id)
					f.weak[now[j].weak].join(id, now[j].bit)
					f.move(id, now[j].weak, old[i].bit, now[j].bit)
				}
			}
			exposed = exposed || now[j].bit&bitsCount != 0
			i++
			j++
		}
	}
	if exposed != c.exposed {
		c.exposed = exposed
		f.kinds[id].bits ^= productExposed
		if f.bulk {
			return d
		}
		p := &f.products[c.product]
		if exposed && !c.devices.IsEmpty() {
			f.held.rising[c.product] = append(f.held.rising[c.product], id)
		}
		if !exposed {
			p.exposed.AndNot(c.devices)
			for _, m := range p.members {
				if f.comps[m].exposed {
					p.exposed.Or(roaring.And(f.comps[m].devices, c.devices))
				}
			}
		}
	}
	return d
}

// hits turns matches into their short form, ordered by weakness, each weakness
// once. was are the hits before: most matches are as they were, and what is
// written there need not be looked up.
func (f *Fleet) hits(matches []Match, was []hit) []hit {
	if len(matches) == 0 {
		return nil
	}
	again := func(text string, id uint32) uint32 {
		if f.text[id] == text {
			return id
		}
		return f.internText(text)
	}
	out := make([]hit, 0, len(matches))
	for i := range matches {
		m := &matches[i]
		for len(was) > 0 && f.weak[was[0].weak].id < m.Weakness {
			was = was[1:]
		}
		var h hit // 0 is the empty text
		if len(was) > 0 && f.weak[was[0].weak].id == m.Weakness {
			h = was[0]
		} else {
			h.weak = f.internWeakness(m.Weakness)
		}
		h.fixed, h.by, h.state, h.bit = again(m.Fixed, h.fixed), again(m.FixedBy(), h.by), again(string(m.State), h.state), bitHidden
		switch {
		case m.Exposed && m.Fixed != "":
			h.bit = bitFixable
		case m.Exposed:
			h.bit = bitExposed
		}
		out = append(out, h)
	}
	byID := func(a, b hit) int { return compareText(f.weak[a.weak].id, f.weak[b.weak].id) }
	if !slices.IsSortedFunc(out, byID) {
		slices.SortStableFunc(out, byID)
	}
	return slices.CompactFunc(out, func(a, b hit) bool { return a.weak == b.weak })
}

// move carries the devices of a component from one standing to another in one
// weakness; was and now are single bits or 0. The component's hits are those
// after the change. A new standing is held back.
func (f *Fleet) move(id ComponentID, w uint32, was, now uint8) {
	devs := f.comps[id].devices
	if was == now || devs.IsEmpty() {
		return
	}
	weak := &f.weak[w]
	if was == 0 {
		g := gained{w, now}
		f.held.gains[g] = append(f.held.gains[g], id)
		return
	}
	before := [2]*roaring.Bitmap{within(devs, weak.sets[1]), within(devs, weak.sets[2])}
	set := weak.sets[bitIndex(was)]
	set.AndNot(devs)
	for _, m := range weak.members {
		if m.id != id && m.bit == was {
			set.Or(roaring.And(f.comps[m.id].devices, devs))
		}
	}
	if now != 0 {
		f.set(weak, bitIndex(now)).Or(devs)
	}
	if (was|now)&bitsCount == 0 {
		return
	}
	after := [2]*roaring.Bitmap{within(devs, weak.sets[1]), within(devs, weak.sets[2])}
	touched := roaring.Or(roaring.Xor(before[0], after[0]), roaring.Xor(before[1], after[1]))
	for it := touched.Iterator(); it.HasNext(); {
		dev := it.Next()
		was, is := maskOf(dev, before), maskOf(dev, after)
		f.tally[dev].sub(f.adds.of(f.classes[w], was))
		f.tally[dev].add(f.adds.of(f.classes[w], is))
		switch {
		case was == 0:
			weak.exposed++
		case is == 0:
			weak.exposed--
		}
	}
}

// set returns one of a weakness's sets, made when it is not there.
func (f *Fleet) set(w *weakness, i int) *roaring.Bitmap {
	if w.sets[i] == nil {
		w.sets[i] = roaring.New()
	}
	return w.sets[i]
}

// bitIndex is the place of a standing's bit in weakness.sets.
func bitIndex(bit uint8) int { return int(bit >> 1) } // 1, 2, 4 → 0, 1, 2

// join makes a component one of the members.
func (w *weakness) join(id ComponentID, bit uint8) {
	m := member{id, bit}
	w.members = append(w.members, m)
	w.sign.flip(m)
}

// leave takes a component out of the members.
func (w *weakness) leave(id ComponentID) {
	if i := slices.IndexFunc(w.members, func(m member) bool { return m.id == id }); i >= 0 {
		w.sign.flip(w.members[i])
		w.members[i] = w.members[len(w.members)-1]
		w.members = w.members[:len(w.members)-1]
	}
}

func within(devs, set *roaring.Bitmap) *roaring.Bitmap {
	if set == nil {
		return roaring.New()
	}
	return roaring.And(devs, set)
}

func maskOf(dev uint32, sets [2]*roaring.Bitmap) uint8 {
	var m uint8
	if sets[0].Contains(dev) {
		m |= bitExposed
	}
	if sets[1].Contains(dev) {
		m |= bitFixable
	}
	return m
}
