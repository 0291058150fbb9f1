package exposure

import (
	"hash/maphash"

	"github.com/RoaringBitmap/roaring/v2"
)

// sign tells sets of members apart: the exclusive or of a hash of each. The
// seeds are of this process alone, so nobody can choose sets that clash; that
// two of a million do by chance is less likely than 10⁻²⁶.
type sign [2]uint64

var signSeeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// flip takes a member in, or out again.
func (s *sign) flip(m member) {
	for i := range s {
		s[i] ^= maphash.Comparable(signSeeds[i], m)
	}
}

// Survey counts many weaknesses within one scope. Weaknesses of one package
// often have the same components: those are counted once. A survey is for one
// reader, while nothing changes the fleet.
type Survey struct {
	f     *Fleet
	scope *roaring.Bitmap
	seen  map[sign]headcount
}

// headcount is the part of WeaknessInfo that follows from the components alone.
type headcount struct{ exposed, affected, fixable int }

// Survey starts a survey within scope (nil: all devices).
func (f *Fleet) Survey(scope *roaring.Bitmap) *Survey {
	return &Survey{f: f, scope: scope}
}

// Weakness counts the devices of a weakness, ok false when no component has it.
func (s *Survey) Weakness(id string) (info WeaknessInfo, ok bool) {
	w, ok := s.f.weakIDs[id]
	if !ok || len(s.f.weak[w].members) == 0 {
		return WeaknessInfo{}, false
	}
	weak := &s.f.weak[w]
	n, known := s.seen[weak.sign]
	if !known {
		n = weak.headcount(s.scope)
		if s.seen == nil {
			s.seen = map[sign]headcount{}
		}
		s.seen[weak.sign] = n
	}
	return WeaknessInfo{ID: weak.id, Rating: weak.rating, Exposed: n.exposed, Affected: n.affected, Fixable: n.fixable}, true
}

func (w *weakness) headcount(scope *roaring.Bitmap) headcount {
	n := headcount{exposed: int(w.exposed), fixable: cardinality(w.sets[2], scope)}
	if scope != nil {
		n.exposed = w.countExposed(scope)
	}
	n.affected = n.exposed
	if hidden := w.sets[0]; hidden != nil && !hidden.IsEmpty() {
		n.affected = cardinality(w.union(true), scope)
	}
	return n
}
