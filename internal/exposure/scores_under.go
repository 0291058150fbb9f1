package exposure

import (
	"maps"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// UnderOf is how a weakness of a component stands on a device that was Put or Dropped before.
func (s *Scores) UnderOf(dev uint32, id ComponentID, weakness string) Under {
	if int(dev) >= len(s.devs) || s.devs[dev].regime == nil || int(id) >= len(s.f.comps) {
		return NoException
	}
	h := s.f.hitOf(id, weakness)
	if h == nil {
		return NoException
	}
	return s.under(s.devs[dev].regime, s.aboutHit(id, h, s.aboutAll(id, nil)), id, h)
}

// CheckUnder is how a failed check stands on a device.
func (s *Scores) CheckUnder(dev uint32, check uint32) Under {
	if int(dev) >= len(s.devs) {
		return NoException
	}
	return s.checkUnder(s.devs[dev].regime, check)
}

// reached returns the devices that an exception reaches, as a new set; all true for every one.
func (s *Scores) reached(e *Exception) (devs *roaring.Bitmap, all bool) {
	if e.Global {
		return nil, true
	}
	out := roaring.New()
	for _, g := range e.Groups {
		if in := s.byGroup[g]; in != nil {
			out.Or(in)
		}
	}
	out.AddMany(e.Devices)
	return out, false
}

// OpenDevices returns the devices where a weakness counts in exposure and not
// all of it is under an exception, as a new set. under is false, and the set
// nil, when no exception is about it anywhere: then they are ExposedDevices.
func (s *Scores) OpenDevices(weakness string) (open *roaring.Bitmap, under bool) {
	w, ok := s.f.weakIDs[weakness]
	if !ok || s.exc == nil {
		return nil, false
	}
	members := s.f.weak[w].members
	if !slices.ContainsFunc(members, func(m member) bool { return len(s.selecting(m, weakness)) > 0 }) {
		return nil, false
	}
	open = roaring.New()
	for _, m := range members {
		if m.bit&bitsCount == 0 {
			continue
		}
		left := s.leftOf(m.id, s.selecting(m, weakness))
		if left != nil {
			open.Or(left)
		}
	}
	return open, true
}

// selecting are the exceptions that are about a member's hit of a weakness, where it counts in exposure.
func (s *Scores) selecting(m member, weakness string) []int32 {
	x := s.exc
	if m.bit&bitsCount == 0 || len(x.anywhere) == 0 && len(x.byWeak[weakness]) == 0 && len(x.byProduct[s.f.ProductOf(m.id)])+len(x.byProduct[s.f.comps[m.id].line.Product]) == 0 {
		return nil
	}
	h := s.f.hitOf(m.id, weakness)
	if h == nil {
		return nil
	}
	return slices.DeleteFunc(s.aboutHit(m.id, h, s.aboutAll(m.id, nil)), func(i int32) bool { return !s.selects(&x.list[i], m.id, h) })
}

// leftOf returns the devices with a component that none of some exceptions
// about it reaches, nil for none; the result may be the component's own set.
func (s *Scores) leftOf(id ComponentID, about []int32) *roaring.Bitmap {
	left := s.f.comps[id].devices
	for _, i := range about {
		e := &s.exc.list[i]
		devs, all := s.reached(e)
		if e.What.Path != "" {
			at := s.pathAt[PathHit{e.ID, id}]
			if at == nil {
				continue
			}
			if all {
				devs, all = at, false
			} else {
				devs.And(at)
			}
		}
		if all {
			return nil
		}
		left = roaring.AndNot(left, devs)
	}
	return left
}

// Returned is what exceptions that end give back.
type Returned struct {
	Findings   int      // pairs of a device and a weakness of one of its components
	Weaknesses []string // ascending
	Devices    *roaring.Bitmap
}

// Returning says which findings would be under no exception any more if list
// were in force instead of the exceptions that are, on devices that count in
// scores. Exceptions are the same when their ids are.
func (s *Scores) Returning(list []Exception) Returned {
	out := Returned{Devices: roaring.New()}
	if s.exc == nil {
		return out
	}
	stay := map[int64]bool{}
	for i := range list {
		stay[list[i].ID] = true
	}
	touched := map[ComponentID]bool{}
	for i := range s.exc.list {
		if e := &s.exc.list[i]; !stay[e.ID] {
			for _, id := range s.candidates(&e.What) {
				if s.f.holds(&e.What, id) {
					touched[id] = true
				}
			}
		}
	}
	then := *s // the same fleet under other exceptions; only read
	then.exc = indexExceptions(list)
	weaknesses := map[string]bool{}
	for id := range touched {
		c := &s.f.comps[id]
		for i := range c.hits {
			h := &c.hits[i]
			if h.bit&bitsCount == 0 {
				continue
			}
			m, weakness := member{id: id, bit: h.bit}, s.f.weak[h.weak].id
			back := then.leftOf(id, then.selecting(m, weakness))
			if back == nil {
				continue
			}
			back = roaring.And(back, s.in)
			if now := s.leftOf(id, s.selecting(m, weakness)); now != nil {
				back.AndNot(now)
			}
			if n := back.GetCardinality(); n > 0 {
				out.Findings += int(n)
				out.Devices.Or(back)
				weaknesses[weakness] = true
			}
		}
	}
	out.Weaknesses = slices.Sorted(maps.Keys(weaknesses))
	return out
}

// CheckMitigated returns the devices that an exception which mitigates a check
// reaches, whatever the check says of them; nil when there are none.
func (s *Scores) CheckMitigated(check int) *roaring.Bitmap {
	if s.exc == nil {
		return nil
	}
	var out *roaring.Bitmap
	for _, i := range s.exc.byCheck[check] {
		if !s.exc.list[i].Mitigates {
			continue
		}
		devs, all := s.reached(&s.exc.list[i])
		if all {
			return s.f.present
		}
		if out == nil {
			out = devs
		} else {
			out.Or(devs)
		}
	}
	return out
}

// Selected returns what an exception is about, in force or not: the weaknesses
// that it selects where it reaches, in no order, and the devices that have them
// and count in scores, as a new set. For one about a check both are empty.
func (s *Scores) Selected(e *Exception) (weaknesses []string, devs *roaring.Bitmap) {
	devs = roaring.New()
	reach, all := s.reached(e)
	seen := map[uint32]bool{}
	for _, id := range s.candidates(&e.What) {
		c := &s.f.comps[id]
		if c.devices.IsEmpty() || !s.f.holds(&e.What, id) {
			continue
		}
		on := roaring.And(c.devices, s.in)
		if !all {
			on.And(reach)
		}
		if e.What.Path != "" {
			at := s.pathAt[PathHit{e.ID, id}]
			if at == nil {
				continue
			}
			on.And(at)
		}
		if on.IsEmpty() {
			continue
		}
		has := false
		for i := range c.hits {
			h := &c.hits[i]
			if h.bit&bitsCount == 0 || !s.selects(e, id, h) {
				continue
			}
			has = true
			if !seen[h.weak] {
				seen[h.weak] = true
				weaknesses = append(weaknesses, s.f.weak[h.weak].id)
			}
		}
		if has {
			devs.Or(on)
		}
	}
	return weaknesses, devs
}

// candidates are the components that a selector may be about.
func (s *Scores) candidates(w *Selector) []ComponentID {
	switch {
	case w.Check >= 0:
		return nil
	case w.Product != "" && w.Remedy.OfLine():
		return s.f.CauseComponents(w.Product, w.Remedy, nil)
	case w.Product != "":
		if p, ok := s.f.productIDs[w.Product]; ok {
			return s.f.products[p].members
		}
		return nil
	case w.Weakness != "":
		return s.f.WeaknessComponents(w.Weakness)
	}
	return s.f.Components()
}

// Reached returns the devices that an exception reaches and that count in scores, as a new set.
func (s *Scores) Reached(e *Exception) *roaring.Bitmap {
	devs, all := s.reached(e)
	if all {
		return s.in.Clone()
	}
	devs.And(s.in)
	return devs
}

// netting tells what components weigh on single devices, without what is
// mitigated there. It remembers: a reader makes its own and soon drops it.
type netting struct {
	s     *Scores
	about []bool // by component: some exception is about it; nil: there is none
	left  map[netOf]ownPoints
}

type netOf struct {
	k  *regime
	id ComponentID
}

func (s *Scores) netting() *netting {
	n := &netting{s: s}
	if s.exc == nil {
		return n
	}
	n.about, n.left = make([]bool, len(s.f.comps)), map[netOf]ownPoints{}
	for i := range n.about {
		n.about[i] = s.f.kinds[i].bits != 0 && len(s.about(ComponentID(i))) > 0
	}
	return n
}

// regime is what a component on a device is under, nil when no exception is about it there.
func (n *netting) regime(dev uint32, id ComponentID) *regime {
	if n.about == nil || !n.about[id] {
		return nil
	}
	return n.s.devs[dev].regime
}

// of is what is left of a component on the devices of a regime.
func (n *netting) of(k *regime, id ComponentID) ownPoints {
	left, ok := n.left[netOf{k, id}]
	if !ok {
		left = *n.s.now.of(id)
		for r, p := range n.s.take(k, id).mitigated {
			left[r] -= p
		}
		n.left[netOf{k, id}] = left
	}
	return left
}

// checkPoints is what a failed check weighs on a device.
func (s *Scores) checkPoints(dev, check uint32) Points {
	if s.checkUnder(s.devs[dev].regime, check) == Mitigated {
		return 0
	}
	return s.checks[check]
}
