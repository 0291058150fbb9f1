package exposure

import "github.com/RoaringBitmap/roaring/v2"

// UnderOf is how a weakness of a component stands on a device that was Put or Dropped before.
func (s *Scores) UnderOf(dev uint32, id ComponentID, weakness string) Under {
	if int(dev) >= len(s.devs) || s.devs[dev].regime == nil || int(id) >= len(s.f.comps) {
		return NoException
	}
	about := s.about(id)
	for i := range s.f.comps[id].hits {
		if h := &s.f.comps[id].hits[i]; len(about) > 0 && s.f.weak[h.weak].id == weakness {
			return s.under(s.devs[dev].regime, about, id, h)
		}
	}
	return NoException
}

// CheckUnder is how a failed check stands on a device.
func (s *Scores) CheckUnder(dev uint32, check uint32) Under {
	if int(dev) >= len(s.devs) {
		return NoException
	}
	return s.checkUnder(s.devs[dev].regime, check)
}

// reached returns the devices that an exception reaches, all true for every one.
func (s *Scores) reached(i int32) (devs *roaring.Bitmap, all bool) {
	e := &s.exc.list[i]
	if e.Global {
		return nil, true
	}
	out := roaring.New()
	for _, g := range e.Groups {
		if in := s.byGroup[g]; in != nil {
			out.Or(in)
		}
	}
	if named := s.exc.devices[i]; named != nil {
		out.Or(named)
	}
	return out, false
}

// OpenDevices returns the devices where a weakness counts in exposure and not
// all of it is under an exception, as a new set; under reports whether an
// exception is about it anywhere.
func (s *Scores) OpenDevices(weakness string) (open *roaring.Bitmap, under bool) {
	w, ok := s.f.weakIDs[weakness]
	if !ok || s.exc == nil {
		return s.f.ExposedDevices(weakness), false
	}
	open = roaring.New()
	for _, m := range s.f.weak[w].members {
		if m.bit&bitsCount == 0 {
			continue
		}
		left := s.f.comps[m.id].devices
		var h *hit
		about := s.about(m.id)
		if len(about) > 0 {
			for i := range s.f.comps[m.id].hits {
				if s.f.comps[m.id].hits[i].weak == w {
					h = &s.f.comps[m.id].hits[i]
				}
			}
		}
		for _, i := range about {
			e := &s.exc.list[i]
			if h == nil || !s.selects(e, h) {
				continue
			}
			under = true
			devs, all := s.reached(i)
			if e.What.Path != "" {
				at := s.pathAt[PathHit{e.ID, m.id}]
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
				left = nil
				break
			}
			left = roaring.AndNot(left, devs)
		}
		if left != nil {
			open.Or(left)
		}
	}
	return open, under
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
		devs, all := s.reached(i)
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
