package exposure

import (
	"cmp"
	"math/bits"
	"slices"
)

// MostCandidates is how many causes a Problem takes.
const MostCandidates = 1000

// Problem is what patch plans are made from: the devices of some groups, each
// as its points and what the candidates take off them. It is gathered from the
// scores in steps, so that their owner can give its lock back in between, and
// stands for itself afterwards: Solve needs no lock. Devices that are alike in
// all of this are one class.
type Problem struct {
	s      *Scores // nil once gathered
	net    *netting
	groups []Group
	w      Weights
	causes []Cause
	upTo   uint32
	marks  causeMarks // points by candidate, of one device

	classes  rows
	byHash   map[uint64]uint32
	before   Mean
	devices  int
	touched  []bitset // by candidate
	restarts []bitset // by candidate: devices where a restart is certain, see Restarts
}

// rows are classes of devices. The entries of class i are from[i] up to
// from[i+1], most points first.
type rows struct {
	sum    []uint64 // points of each of its devices
	weight []uint64 // of all its devices together
	from   []uint32
	cand   []uint16
	pts    []uint64
}

func (r *rows) len() int { return len(r.sum) }

// NewProblem begins to gather the devices of groups (nil: all) for candidates:
// distinct, each with a remedy other than Gone. Causes beyond MostCandidates
// are not taken.
func (s *Scores) NewProblem(candidates []Cause, groups []Group, w Weights) *Problem {
	p := &Problem{s: s, groups: groups, w: w, byHash: map[uint64]uint32{}}
	for _, c := range candidates {
		if len(p.causes) < MostCandidates && c.Remedy != Gone {
			p.causes = append(p.causes, c)
		}
	}
	p.classes.from = []uint32{0}
	p.touched, p.restarts = make([]bitset, len(p.causes)), make([]bitset, len(p.causes))
	return p
}

// Gather walks over up to n devices and reports whether all are gathered. The
// scores must not be stale.
func (p *Problem) Gather(n int) (done bool) {
	if p.s == nil {
		return true
	}
	byComponent, byCheck := p.lookup()
	p.net = p.s.netting()
	if r := &p.classes; p.upTo > 0 { // what is to come is like what came
		more := int(uint64(len(r.cand)) * uint64(len(p.s.devs)-int(p.upTo)) / uint64(p.upTo))
		r.cand, r.pts = slices.Grow(r.cand, more), slices.Grow(r.pts, more)
	}
	for ; n > 0 && int(p.upTo) < len(p.s.devs); n-- {
		d := &p.s.devs[p.upTo]
		if d.in && (p.groups == nil || slices.Contains(p.groups, d.group)) {
			p.take(p.upTo, d, byComponent, byCheck)
		}
		p.upTo++
	}
	if int(p.upTo) < len(p.s.devs) {
		return false
	}
	p.s, p.net, p.byHash = nil, nil, nil
	return true
}

// Devices is how many devices were gathered.
func (p *Problem) Devices() int { return p.devices }

// none is no candidate.
const none = -1

// lookup says which candidate the findings of a component, by remedy, and a
// failed check belong to.
func (p *Problem) lookup() (byComponent [][4]int16, byCheck []int16) {
	f := p.s.f
	byComponent, byCheck = make([][4]int16, len(f.comps)), make([]int16, len(p.s.checks))
	for i := range byComponent {
		byComponent[i] = [4]int16{none, none, none, none}
	}
	for i := range byCheck {
		byCheck[i] = none
	}
	for i, c := range p.causes {
		if c.Product == "" {
			if c.Check >= 0 && c.Check < len(byCheck) {
				byCheck[c.Check] = int16(i)
			}
			continue
		}
		for _, id := range f.CauseComponents(c.Product, c.Remedy, nil) {
			byComponent[id][c.Remedy.slot()] = int16(i)
		}
	}
	return byComponent, byCheck
}

// take adds a device.
func (p *Problem) take(dev uint32, d *scored, byComponent [][4]int16, byCheck []int16) {
	m := &p.marks
	m.begin(len(p.causes))
	sum := uint64(0)
	hit := func(c int16, pts uint64, role Role) {
		if c == none {
			return
		}
		i := uint32(c)
		if m.stamp[i] != m.gen {
			m.stamp[i], m.points[i] = m.gen, [4]uint64{}
			m.touched = append(m.touched, i)
			p.touched[i].set(dev, len(p.s.devs))
		}
		m.points[i][0] += pts
		if restartKind(role) < 2 {
			p.restarts[i].set(dev, len(p.s.devs))
		}
	}
	for _, id := range p.s.f.DeviceComponents(dev) {
		own := p.s.now.of(id)
		if k := p.net.regime(dev, id); k != nil {
			left := p.net.of(k, id)
			own = &left
		}
		all := own.all()
		if all == 0 {
			continue
		}
		sum += all
		to := &byComponent[id]
		for r, n := range own {
			if n > 0 && to[r] != none {
				hit(to[r], uint64(n), p.s.f.comps[id].Role)
			}
		}
	}
	for _, c := range d.failed {
		if pts := uint64(p.s.checkPoints(dev, c)); pts > 0 {
			sum += pts
			hit(byCheck[c], pts, Plain)
		}
	}
	sum += p.s.alerted(dev)
	weight := p.w[d.value]
	p.devices++
	p.before.Den += weight
	p.before.Num.plus(Sum{lo: uint64(ScoreOf(sum))}.times(weight))
	p.classify(sum, weight)
}

// classify adds the device in marks to its class.
func (p *Problem) classify(sum, weight uint64) {
	m, r := &p.marks, &p.classes
	hash := sum
	for _, c := range m.touched {
		hash = bits.RotateLeft64(hash^uint64(c), 23)*0x9e3779b97f4a7c15 ^ m.points[c][0]
	}
	if i, ok := p.byHash[hash]; ok && p.same(i, sum) {
		r.weight[i] += weight
		return
	}
	i := uint32(r.len())
	p.byHash[hash] = i
	slices.SortFunc(m.touched, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(m.points[b][0], m.points[a][0]), cmp.Compare(a, b))
	})
	for _, c := range m.touched {
		r.cand, r.pts = append(r.cand, uint16(c)), append(r.pts, m.points[c][0])
	}
	r.sum, r.weight, r.from = append(r.sum, sum), append(r.weight, weight), append(r.from, uint32(len(r.cand)))
}

// same reports whether the device in marks is of class i.
func (p *Problem) same(i uint32, sum uint64) bool {
	m, r := &p.marks, &p.classes
	from, to := r.from[i], r.from[i+1]
	if r.sum[i] != sum || int(to-from) != len(m.touched) {
		return false
	}
	for j := from; j < to; j++ { // as many, each with the same points: the same
		if c := r.cand[j]; m.stamp[c] != m.gen || m.points[c][0] != r.pts[j] {
			return false
		}
	}
	return true
}

// every returns the rows of every n-th class.
func (r *rows) every(n int) *rows {
	if n <= 1 {
		return r
	}
	out := &rows{from: []uint32{0}}
	for i := 0; i < r.len(); i += n {
		from, to := r.from[i], r.from[i+1]
		out.sum, out.weight = append(out.sum, r.sum[i]), append(out.weight, r.weight[i])
		out.cand, out.pts = append(out.cand, r.cand[from:to]...), append(out.pts, r.pts[from:to]...)
		out.from = append(out.from, uint32(len(out.cand)))
	}
	return out
}

// bitset is a set of devices, dense: unions of it cost a word for 64 devices.
type bitset []uint64

// set adds a device of a fleet of n.
func (b *bitset) set(dev uint32, n int) {
	if n := n/64 + 1 - len(*b); n > 0 {
		*b = append(*b, make([]uint64, n)...)
	}
	(*b)[dev/64] |= 1 << (dev % 64)
}

func (b bitset) count() int {
	n := 0
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// with counts the union of b and o.
func (b bitset) with(o bitset) int {
	if len(b) < len(o) {
		b, o = o, b
	}
	n := 0
	for i, w := range o {
		n += bits.OnesCount64(b[i] | w)
	}
	for _, w := range b[len(o):] {
		n += bits.OnesCount64(w)
	}
	return n
}

// join adds o.
func (b *bitset) join(o bitset) {
	if n := len(o) - len(*b); n > 0 {
		*b = append(*b, make([]uint64, n)...)
	}
	for i, w := range o {
		(*b)[i] |= w
	}
}
