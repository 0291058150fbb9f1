package exposure

import (
	"encoding/binary"
	"reflect"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// exceptions are those in force, found by what they select.
type exceptions struct {
	list      []Exception
	byID      map[int64]int32
	byProduct map[string][]int32 // of any weakness
	byWeak    map[string][]int32
	anywhere  []int32 // of any product and weakness: by path
	byCheck   map[int][]int32
	global    []int32
	byGroup   map[Group][]int32
	byDevice  map[uint32][]int32
	regimes   map[string]*regime
	ofGroup   map[Group]*regime
	marks     []mark // by component
}

// mark says whether some exception selects a component on some device.
type mark uint8

const (
	unmarked mark = iota
	untouched
	touched
)

// regime is what devices have in common that the same exceptions reach: what
// these take from each component. A device without exceptions has none.
type regime struct {
	key   string
	reach []int32   // exceptions, ascending
	paths []PathHit // of a device that has some, ordered
	taken map[ComponentID]*taken
}

// taken are the points of a component's findings that exceptions are about, by
// remedy: those of mitigated findings, and those of all that are excepted.
type taken struct{ mitigated, shut ownPoints }

// lessSum is what a cause loses by exceptions over the devices of a cohort.
type lessSum struct {
	under   uint32 // devices with findings of it that are under an exception
	devices uint32 // of them: with no other findings of it
	impact  Sum    // of findings that are under an exception and still weigh
}

// SetExceptions replaces the exceptions in force, each id once; those that are
// suspended are not among them. It leaves the scores stale.
func (s *Scores) SetExceptions(list []Exception) {
	if len(list) == 0 && s.exc == nil || s.exc != nil && reflect.DeepEqual(list, s.exc.list) {
		return
	}
	s.spoil()
	s.exc = nil
	if len(list) > 0 {
		s.exc = indexExceptions(slices.Clone(list))
	}
	for dev := range s.devs {
		s.rerule(uint32(dev))
	}
}

func indexExceptions(list []Exception) *exceptions {
	x := &exceptions{list: list, byID: map[int64]int32{}, byProduct: map[string][]int32{}, byWeak: map[string][]int32{}, byCheck: map[int][]int32{},
		byGroup: map[Group][]int32{}, byDevice: map[uint32][]int32{}, regimes: map[string]*regime{}, ofGroup: map[Group]*regime{}}
	for n := range list {
		e, i := &list[n], int32(n)
		x.byID[e.ID] = i
		switch w := &e.What; {
		case w.Check >= 0:
			x.byCheck[w.Check] = append(x.byCheck[w.Check], i)
		case w.Weakness != "":
			x.byWeak[w.Weakness] = append(x.byWeak[w.Weakness], i)
		case w.Product != "":
			x.byProduct[w.Product] = append(x.byProduct[w.Product], i)
		default:
			x.anywhere = append(x.anywhere, i)
		}
		if e.Global {
			x.global = append(x.global, i)
			continue
		}
		for _, g := range e.Groups {
			x.byGroup[g] = append(x.byGroup[g], i)
		}
		for _, dev := range e.Devices {
			x.byDevice[dev] = append(x.byDevice[dev], i)
		}
	}
	return x
}

// SetPaths says which components of a device are selected by paths of
// exceptions, in force or not. The list is kept.
func (s *Scores) SetPaths(dev uint32, hits []PathHit) {
	s.grow(dev)
	if slices.Equal(s.paths[dev], hits) {
		return
	}
	s.leave(dev)
	for _, h := range s.paths[dev] {
		if at := s.pathAt[h]; at != nil {
			at.Remove(dev)
			if at.IsEmpty() {
				delete(s.pathAt, h)
			}
		}
	}
	delete(s.paths, dev)
	if len(hits) > 0 {
		s.paths[dev] = hits
		for _, h := range hits {
			if s.pathAt[h] == nil {
				s.pathAt[h] = roaring.New()
			}
			s.pathAt[h].Add(dev)
		}
	}
	s.rerule(dev)
	s.join(dev)
}

// PathsOf returns what SetPaths said of a device. The result is shared.
func (s *Scores) PathsOf(dev uint32) []PathHit { return s.paths[dev] }

// rerule puts a device that is out of the sums, or whose sums are stale, into
// the regime that its group, its paths and the exceptions make.
func (s *Scores) rerule(dev uint32) {
	s.devs[dev].regime = s.exc.regimeOf(dev, s.devs[dev].group, s.paths[dev])
}

func (x *exceptions) regimeOf(dev uint32, g Group, paths []PathHit) *regime {
	if x == nil {
		return nil
	}
	own := x.byDevice[dev]
	if len(own) == 0 && len(paths) == 0 {
		k, ok := x.ofGroup[g]
		if !ok {
			k = x.intern(slices.Concat(x.global, x.byGroup[g]), nil)
			x.ofGroup[g] = k
		}
		return k
	}
	return x.intern(slices.Concat(x.global, x.byGroup[g], own), paths)
}

func (x *exceptions) intern(reach []int32, paths []PathHit) *regime {
	slices.Sort(reach)
	reach = slices.Compact(reach)
	var held []PathHit
	for _, h := range paths {
		if i, ok := x.byID[h.Exception]; ok {
			if _, ok := slices.BinarySearch(reach, i); ok {
				held = append(held, h)
			}
		}
	}
	if len(reach) == 0 {
		return nil
	}
	key := make([]byte, 0, 4*len(reach)+12*len(held)+1)
	for _, i := range reach {
		key = binary.BigEndian.AppendUint32(key, uint32(i))
	}
	for _, h := range held {
		key = append(key, '/')
		key = binary.BigEndian.AppendUint64(key, uint64(h.Exception))
		key = binary.BigEndian.AppendUint32(key, uint32(h.Component))
	}
	k := x.regimes[string(key)]
	if k == nil {
		k = &regime{key: string(key), reach: reach, paths: held, taken: map[ComponentID]*taken{}}
		x.regimes[k.key] = k
	}
	return k
}

// forget drops what regimes remember: of one component, which has new hits.
func (x *exceptions) forget(id ComponentID) {
	if x == nil || int(id) >= len(x.marks) || x.marks[id] == unmarked {
		return
	}
	if x.marks[id] == touched {
		for _, k := range x.regimes {
			delete(k.taken, id)
		}
	}
	x.marks[id] = unmarked
}

// forgetAll drops what regimes remember of components.
func (x *exceptions) forgetAll() {
	if x == nil {
		return
	}
	clear(x.marks)
	for _, k := range x.regimes {
		clear(k.taken)
	}
}

// touches reports whether some exception is about a component's findings on
// some device. Only changing methods call it: it remembers.
func (s *Scores) touches(id ComponentID) bool {
	x := s.exc
	if int(id) >= len(x.marks) {
		x.marks = append(x.marks, make([]mark, len(s.f.comps)-len(x.marks))...)
	}
	if x.marks[id] == unmarked {
		x.marks[id] = untouched
		if len(s.about(id)) > 0 {
			x.marks[id] = touched
		}
	}
	return x.marks[id] == touched
}

// about lists the exceptions that select something of a component, whatever
// they reach and wherever it was found.
func (s *Scores) about(id ComponentID) []int32 {
	x := s.exc
	if x == nil || int(id) >= len(s.f.comps) {
		return nil
	}
	out := s.aboutAll(id, nil)
	if len(x.byWeak) > 0 {
		for i := range s.f.comps[id].hits {
			out = s.aboutHit(id, &s.f.comps[id].hits[i], out)
		}
	}
	return out
}

// aboutAll appends the exceptions that are about a component, not one weakness.
func (s *Scores) aboutAll(id ComponentID, out []int32) []int32 {
	x, c := s.exc, &s.f.comps[id]
	product := s.f.products[c.product].id
	lists := [3][]int32{x.byProduct[product], x.anywhere}
	if c.line.Product != product {
		lists[2] = x.byProduct[c.line.Product]
	}
	for _, list := range lists {
		for _, i := range list {
			if s.f.holds(&x.list[i].What, id) {
				out = append(out, i)
			}
		}
	}
	return out
}

// aboutHit appends the exceptions that are about a component and the weakness of one of its hits.
func (s *Scores) aboutHit(id ComponentID, h *hit, out []int32) []int32 {
	x := s.exc
	for _, i := range x.byWeak[s.f.weak[h.weak].id] {
		if s.f.holds(&x.list[i].What, id) {
			out = append(out, i)
		}
	}
	return out
}

// selects reports whether an exception that is about a component is about one of its hits.
func (s *Scores) selects(e *Exception, id ComponentID, h *hit) bool {
	w := &e.What
	return (w.Weakness == "" || w.Weakness == s.f.weak[h.weak].id) && (w.Product == "" || w.Remedy == Gone || w.Remedy == s.f.remedy(id, h))
}

// reaches reports whether an exception that is about a component holds on the devices of a regime.
func (k *regime) reaches(i int32, e *Exception, id ComponentID) bool {
	if k == nil {
		return false
	}
	_, ok := slices.BinarySearch(k.reach, i)
	return ok && (e.What.Path == "" || slices.Contains(k.paths, PathHit{e.ID, id}))
}

// under is how a hit of a component stands on the devices of a regime; about
// are the exceptions about the component.
func (s *Scores) under(k *regime, about []int32, id ComponentID, h *hit) Under {
	u := NoException
	for _, i := range about {
		if e := &s.exc.list[i]; u < e.under() && k.reaches(i, e, id) && s.selects(e, id, h) {
			u = e.under()
		}
	}
	return u
}

// taken is what exceptions take from a component on the devices of a regime.
func (s *Scores) taken(k *regime, id ComponentID) *taken {
	t := k.taken[id]
	if t != nil {
		return t
	}
	t = s.take(k, id)
	k.taken[id] = t
	return t
}

// take computes what taken remembers.
func (s *Scores) take(k *regime, id ComponentID) *taken {
	t := &taken{}
	about := s.about(id)
	for i := range s.f.comps[id].hits {
		h := &s.f.comps[id].hits[i]
		if h.bit&bitsCount == 0 {
			continue
		}
		u := s.under(k, about, id, h)
		if u == NoException {
			continue
		}
		state := State(s.f.text[h.state])
		r, p := s.f.remedy(id, h).slot(), state.Of(s.f.weak[h.weak].rating.Points, h.bit == bitFixable)
		t.shut[r] += p
		if u == Mitigated {
			t.mitigated[r] += p
		}
	}
	return t
}

// checkUnder is how a failed check stands on the devices of a regime.
func (s *Scores) checkUnder(k *regime, check uint32) Under {
	u := NoException
	if k == nil {
		return u
	}
	for _, i := range s.exc.byCheck[int(check)] {
		if _, ok := slices.BinarySearch(k.reach, i); ok {
			u = max(u, s.exc.list[i].under())
		}
	}
	return u
}

// deduct notes what exceptions take from a component on a device of a regime and
// returns the points that are mitigated.
func (s *Scores) deduct(m *causeMarks, k *regime, id ComponentID, product uint32) (mitigated uint64) {
	t := s.taken(k, id)
	if t.shut == (ownPoints{}) {
		return 0
	}
	u := m.of(product, len(s.f.products))
	for r := range t.shut {
		u.shut[r] += uint64(t.shut[r])
		u.mitigated[r] += uint64(t.mitigated[r])
		mitigated += uint64(t.mitigated[r])
	}
	if t.shut[lineSlot] > 0 {
		l := m.ofLine(s.f.comps[id].cause, len(s.f.lines))
		l.shut += uint64(t.shut[lineSlot])
		l.mitigated += uint64(t.mitigated[lineSlot])
	}
	return mitigated
}

// except counts a device's causes of one product, at a place in products, of
// which u is under exceptions. sum are the points that the device has, pts
// those of the product, mitigated ones included.
func (p *cohort) except(at int, sum uint64, pts *[4]uint64, u *underPoints, add bool) {
	var all, mitigated, shut uint64
	for r := range pts {
		if r < lineSlot {
			p.exceptOne(at+r, sum, pts[r], u.mitigated[r], u.shut[r], add)
		}
		all, mitigated, shut = all+pts[r], mitigated+u.mitigated[r], shut+u.shut[r]
	}
	p.exceptOne(at+int(Gone), sum, all, mitigated, shut, add)
}

func (p *cohort) exceptOne(at int, sum, raw, mitigated, shut uint64, add bool) {
	if raw == 0 {
		return
	}
	score := uint64(ScoreOf(sum))
	impact := score - uint64(ScoreOf(sum-(raw-mitigated)))
	p.products[at].count(impact, add)
	if shut > 0 {
		after := score - uint64(ScoreOf(sum-(raw-shut)))
		p.lessen(at, raw == shut, impact-after, add)
	}
}

// exceptCheck counts a check of some weight that fails on a device with sum points.
func (p *cohort) exceptCheck(check int, sum, weight uint64, u Under, add bool) {
	impact := uint64(0)
	if u != Mitigated {
		impact = uint64(ScoreOf(sum) - ScoreOf(sum-weight))
	}
	p.checks[check].count(impact, add)
	if u != NoException {
		p.lessen(-1-check, true, impact, add)
	}
}

// lessen counts a device on which a cause is under exceptions, whole or in part.
func (p *cohort) lessen(at int, whole bool, impact uint64, add bool) {
	l := p.less[at]
	if l == nil {
		if p.less == nil {
			p.less = map[int]*lessSum{}
		}
		l = &lessSum{}
		p.less[at] = l
	}
	n := uint32(0)
	if whole {
		n = 1
	}
	if add {
		l.under++
		l.devices += n
		l.impact.add(impact)
		return
	}
	l.under--
	l.devices -= n
	l.impact.sub(impact)
	if l.under == 0 {
		delete(p.less, at)
	}
}
