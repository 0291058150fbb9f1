package exposure

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// Remedy is what closes findings of one product on a device.
type Remedy uint8

// The remedies. Each finding that counts has exactly one of them but Gone,
// which stands for all of a product together: the product was not there.
const (
	Update    Remedy = iota // a fixed version exists
	Attention               // no fix exists
	Restart                 // the fix is on disk, not yet in memory
	Gone
	Upgrade   // the release line has ended, see Line: another one is supported
	Uninstall // the product as a whole has ended

	remedies = Gone + 1 // places of a product in sums; causes of lines have their own
	lineSlot = 3        // place in ownPoints of findings that are of an ended line
)

// Group numbers a device group, from 0. Every device is in exactly one.
type Group uint16

// Scores keeps the exposure score of every device of a fleet, and what the
// score would be without each cause: exact integers, one function for all. It
// follows changes of single devices by itself. What touches many devices at
// once (assessments, ratings, Bulk) leaves it stale: it answers as it last was
// until Settle has walked over the devices.
//
// Like its fleet, Scores is not safe for concurrent change, and its reading
// methods may run side by side.
type Scores struct {
	f      *Fleet
	checks []Points // by check number
	devs   []scored // by device
	in     *roaring.Bitmap
	stale  bool // now is frozen
	now    sums
	next   *sums  // while Settle is under way: what now will be
	upTo   uint32 // devices below are in next
	work   causeMarks

	exc     *exceptions             // nil: none is in force
	alerts  map[uint32][]AlertInput // active ones, by device
	paths   map[uint32][]PathHit
	pathAt  map[PathHit]*roaring.Bitmap
	byGroup map[Group]*roaring.Bitmap // devices, also those that count nowhere
}

// sums is what follows from the points of components.
type sums struct {
	own     []ownPoints // by component
	cohorts []*cohort   // by group and value
}

// ownPoints are the points of one component by the slot of its findings' remedy.
type ownPoints [4]Points

func (o *ownPoints) all() uint64 {
	return uint64(o[0]) + uint64(o[1]) + uint64(o[2]) + uint64(o[3])
}

// scored is one device. A device that is out counts nowhere.
type scored struct {
	sum    uint64 // points, as in Scores.now
	next   uint64 // as in Scores.next
	failed []uint32
	group  Group
	value  Value
	in     bool
	regime *regime // what exceptions make of it; nil: nothing
}

// cohort is the devices of one group and value.
type cohort struct {
	devices  uint32
	levels   [4]uint32 // devices by level, none to high
	sum      Sum
	products []causeSum       // by product and remedy
	lines    []causeSum       // by cause of ended lines
	checks   []causeSum       // by check number
	less     map[int]*lessSum // by place in products, lineLess of a cause, or -1 - check number
}

// causeSum is one cause over the devices of a cohort.
type causeSum struct {
	devices uint32 // that have it, mitigated or not
	impact  Sum    // what the sum of scores falls by without it
}

func newScores(f *Fleet) *Scores {
	return &Scores{f: f, in: roaring.New(), alerts: map[uint32][]AlertInput{}, paths: map[uint32][]PathHit{}, pathAt: map[PathHit]*roaring.Bitmap{}, byGroup: map[Group]*roaring.Bitmap{}}
}

// Scores returns the scores of the fleet.
func (f *Fleet) Scores() *Scores { return f.scores }

// Stale reports whether something changed that only Settle takes in.
func (s *Scores) Stale() bool { return s.stale }

// Put puts a device into a group and gives it a value. Only devices that are
// placed count in scores.
func (s *Scores) Put(dev uint32, g Group, v Value) {
	s.grow(dev)
	if d := &s.devs[dev]; d.in && d.group == g && d.value == v {
		return
	}
	s.leave(dev)
	d := &s.devs[dev]
	s.regroup(dev, g)
	d.value, d.in = v, true
	s.in.Add(dev)
	s.join(dev)
}

// Drop takes a device out of every score: it was silent for too long, or is no more.
func (s *Scores) Drop(dev uint32) {
	s.grow(dev)
	s.leave(dev)
	s.devs[dev].in = false
	s.in.Remove(dev)
}

// SetChecks says what each failed check weighs, by its number.
func (s *Scores) SetChecks(weights []Points) {
	s.checks = slices.Clone(weights)
	s.spoil()
}

// SetFailed says which checks fail on a device, by number, each once. The list is kept.
func (s *Scores) SetFailed(dev uint32, failed []uint32) {
	s.grow(dev)
	if slices.Equal(s.devs[dev].failed, failed) {
		return
	}
	s.leave(dev)
	s.devs[dev].failed = failed
	s.join(dev)
}

func (s *Scores) grow(dev uint32) {
	for n := len(s.devs); n <= int(dev); n++ {
		s.devs = append(s.devs, scored{})
		s.regroup(uint32(n), 0)
	}
}

// regroup puts a device that is out of the sums into a group.
func (s *Scores) regroup(dev uint32, g Group) {
	d := &s.devs[dev]
	if in := s.byGroup[d.group]; in != nil {
		in.Remove(dev)
	}
	if s.byGroup[g] == nil {
		s.byGroup[g] = roaring.New()
	}
	s.byGroup[g].Add(dev)
	d.group = g
	s.rerule(dev)
}

// weigh computes what a component weighs, by remedy.
func (s *Scores) weigh(id ComponentID) (p ownPoints) {
	f := s.f
	hits := f.comps[id].hits
	for i := range hits {
		h := &hits[i]
		if h.bit&bitsCount == 0 {
			continue
		}
		state := State(f.text[h.state])
		p[f.remedy(id, h).slot()] += state.Of(f.weak[h.weak].rating.Points, h.bit == bitFixable)
	}
	return p
}

// remedyOf is what closes a finding whose release line goes on.
func remedyOf(state State, bit uint8) Remedy {
	switch {
	case state == RestartNeeded:
		return Restart
	case bit == bitFixable:
		return Update
	}
	return Attention
}

// reweigh takes in new hits of a component.
func (s *Scores) reweigh(id ComponentID) {
	s.exc.forget(id)
	switch {
	case s.f.bulk || !s.f.comps[id].devices.IsEmpty():
		s.spoil()
	case s.next != nil:
		s.next.put(id, s.weigh(id))
	case !s.stale:
		s.now.put(id, s.weigh(id))
	}
}

func (s *sums) put(id ComponentID, own ownPoints) {
	if n := int(id) + 1 - len(s.own); n > 0 {
		s.own = append(s.own, make([]ownPoints, n)...)
	}
	s.own[id] = own
}

// of is what a component weighs; one that was never assessed weighs nothing.
func (s *sums) of(id ComponentID) *ownPoints {
	if int(id) >= len(s.own) {
		return &ownPoints{}
	}
	return &s.own[id]
}

// spoil makes the sums stale; a Settle that is under way begins again.
func (s *Scores) spoil() { s.stale, s.next, s.upTo = true, nil, 0 }

// leave takes a device out of the sums, as it stands.
func (s *Scores) leave(dev uint32) { s.move(dev, false) }

// join puts a device into the sums.
func (s *Scores) join(dev uint32) { s.move(dev, true) }

func (s *Scores) move(dev uint32, add bool) {
	switch {
	case int(dev) >= len(s.devs) || !s.devs[dev].in:
	case !s.stale:
		s.devs[dev].sum = s.account(&s.now, dev, add)
	case s.next != nil && dev < s.upTo:
		s.devs[dev].next = s.account(s.next, dev, add)
	}
}

func (s *sums) cohort(d *scored) *cohort {
	i := int(d.group)*int(values) + int(d.value)
	for len(s.cohorts) <= i {
		s.cohorts = append(s.cohorts, &cohort{})
	}
	return s.cohorts[i]
}

// Settle walks over up to n devices and reports whether the scores are up to
// date. An owner calls it until they are, giving its lock back in between:
// reading and changing go on meanwhile. Work is in proportion to n, and for
// the first call to the number of components.
func (s *Scores) Settle(n int) (done bool) {
	if !s.stale {
		return true
	}
	if s.next == nil {
		s.next, s.upTo = &sums{own: make([]ownPoints, len(s.f.comps))}, 0
		s.exc.forgetAll()
		for i := range s.f.comps {
			s.next.own[i] = s.weigh(ComponentID(i))
		}
	}
	for ; n > 0 && int(s.upTo) < len(s.devs); n-- {
		if d := &s.devs[s.upTo]; d.in {
			d.next = s.account(s.next, s.upTo, true)
		}
		s.upTo++
	}
	if int(s.upTo) < len(s.devs) {
		return false
	}
	s.now, s.next, s.stale = *s.next, nil, false
	for i := range s.devs {
		s.devs[i].sum = s.devs[i].next
	}
	return true
}

// causeMarks is working memory for one walk over a device: points by product.
type causeMarks struct {
	gen     uint32
	stamp   []uint32
	points  [][4]uint64
	touched []uint32

	underAt []uint32 // by product: 1 + its place in under, when that is of this walk
	under   []underPoints

	lineAt []uint32 // by cause of ended lines, as underAt
	lines  []linePoints
}

// underPoints are the points of a product's findings on one device that
// exceptions are about, by slot of the remedy.
type underPoints struct {
	product         uint32
	mitigated, shut [4]uint64
}

func (m *causeMarks) begin(products int) {
	if len(m.stamp) < products {
		n := products + products/4
		m.stamp, m.points, m.gen = make([]uint32, n), make([][4]uint64, n), 0
	}
	m.gen++
	if m.gen == 0 {
		clear(m.stamp)
		m.gen = 1
	}
	m.touched, m.under, m.lines = m.touched[:0], m.under[:0], m.lines[:0]
}

// of finds a product's place in under, a new one if need be.
func (m *causeMarks) of(product uint32, products int) *underPoints {
	if len(m.underAt) < products {
		m.underAt = append(m.underAt, make([]uint32, products-len(m.underAt))...)
	}
	if u := m.had(product); u != nil {
		return u
	}
	m.under = append(m.under, underPoints{product: product})
	m.underAt[product] = uint32(len(m.under))
	return &m.under[len(m.under)-1]
}

// had finds a product's place in under, nil when it has none.
func (m *causeMarks) had(product uint32) *underPoints {
	if len(m.under) == 0 || int(product) >= len(m.underAt) {
		return nil
	}
	if at := int(m.underAt[product]); at > 0 && at <= len(m.under) && m.under[at-1].product == product {
		return &m.under[at-1]
	}
	return nil
}

// account adds a device to its cohort, or takes it away again: then it must
// stand as when it was added. It returns the device's points.
func (s *Scores) account(to *sums, dev uint32, add bool) uint64 {
	m := &s.work
	d := &s.devs[dev]
	m.begin(len(s.f.products))
	sum := uint64(0)
	for _, id := range s.f.DeviceComponents(dev) {
		own := to.of(id)
		k := s.f.kinds[id]
		if k.bits&componentEnded != 0 { // it is of its cause also without findings
			m.ofLine(s.f.comps[id].cause, len(s.f.lines)).raw += uint64(own[lineSlot])
		}
		all := own.all()
		if all == 0 {
			continue
		}
		sum += all
		prod := k.product
		if m.stamp[prod] != m.gen {
			m.stamp[prod], m.points[prod] = m.gen, [4]uint64{}
			m.touched = append(m.touched, prod)
		}
		pts := &m.points[prod]
		for slot, n := range own {
			pts[slot] += uint64(n)
		}
		if d.regime != nil && s.touches(id) {
			sum -= s.deduct(m, d.regime, id, prod)
		}
	}
	for _, c := range d.failed {
		if d.regime == nil || s.checkUnder(d.regime, c) != Mitigated {
			sum += uint64(s.checks[c])
		}
	}
	sum += s.alerted(dev)
	p := to.cohort(d)
	p.count(ScoreOf(sum), add)
	if n := len(s.f.products) * int(remedies); len(p.products) < n {
		p.products = append(p.products, make([]causeSum, n-len(p.products))...)
	}
	if len(p.checks) < len(s.checks) {
		p.checks = append(p.checks, make([]causeSum, len(s.checks)-len(p.checks))...)
	}
	if len(m.lines) > 0 {
		s.countLines(p, d, sum, m.lines, add)
	}
	score := uint64(ScoreOf(sum))
	for _, prod := range m.touched {
		pts := &m.points[prod]
		if u := m.had(prod); u != nil {
			p.except(int(prod)*int(remedies), sum, pts, u, add)
			continue
		}
		at := p.products[int(prod)*int(remedies):][:remedies]
		all := pts[0] + pts[1] + pts[2] + pts[3]
		whole := score - uint64(ScoreOf(sum-all))
		at[Gone].count(whole, add)
		for r, n := range pts[:lineSlot] {
			switch n {
			case 0:
			case all:
				at[r].count(whole, add)
			default:
				at[r].count(score-uint64(ScoreOf(sum-n)), add)
			}
		}
	}
	for _, c := range d.failed {
		w := uint64(s.checks[c])
		if d.regime != nil {
			p.exceptCheck(int(c), sum, w, s.checkUnder(d.regime, c), add)
			continue
		}
		p.checks[c].count(score-uint64(ScoreOf(sum-w)), add)
	}
	return sum
}

func (p *cohort) count(score Score, add bool) {
	level := &p.levels[levelIndex(score)]
	if add {
		p.devices++
		*level++
		p.sum.add(uint64(score))
		return
	}
	p.devices--
	*level--
	p.sum.sub(uint64(score))
}

func levelIndex(s Score) int {
	switch LevelOf(s.Float()) {
	case LevelLow:
		return 1
	case LevelMedium:
		return 2
	case LevelHigh:
		return 3
	}
	return 0
}

func (c *causeSum) count(impact uint64, add bool) {
	if add {
		c.devices++
		c.impact.add(impact)
		return
	}
	c.devices--
	c.impact.sub(impact)
}

// Devices returns the devices that count in scores. The result is shared.
func (s *Scores) Devices() *roaring.Bitmap { return s.in }

// InGroups returns the devices that count in scores and are in one of the
// groups (nil: any), as a new set.
func (s *Scores) InGroups(groups []Group) *roaring.Bitmap {
	if groups == nil {
		return s.in.Clone()
	}
	out := roaring.New()
	for _, g := range groups {
		if in := s.byGroup[g]; in != nil {
			out.Or(in)
		}
	}
	out.And(s.in)
	return out
}
