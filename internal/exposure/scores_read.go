package exposure

import (
	"cmp"
	"iter"
	"math/bits"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// DeviceScore is the score of a device and the points behind it, ok false for
// a device that counts nowhere.
func (s *Scores) DeviceScore(dev uint32) (score Score, points uint64, ok bool) {
	if int(dev) >= len(s.devs) || !s.devs[dev].in {
		return 0, 0, false
	}
	return ScoreOf(s.devs[dev].sum), s.devs[dev].sum, true
}

// DeviceValue is what a device is worth.
func (s *Scores) DeviceValue(dev uint32) Value {
	if int(dev) >= len(s.devs) {
		return ValueNormal
	}
	return s.devs[dev].value
}

// DeviceGroup is the group of a device.
func (s *Scores) DeviceGroup(dev uint32) Group {
	if int(dev) >= len(s.devs) {
		return 0
	}
	return s.devs[dev].group
}

// Failed returns the numbers of the checks that fail on a device. The result is shared.
func (s *Scores) Failed(dev uint32) []uint32 {
	if int(dev) >= len(s.devs) {
		return nil
	}
	return s.devs[dev].failed
}

// ScoreTotal is the score of some device groups.
type ScoreTotal struct {
	Mean    Mean
	Devices int
	Levels  map[ExposureLevel]int // devices by level
}

// Total is the score of groups (nil: all), the weighted mean of their devices.
func (s *Scores) Total(groups []Group, w Weights) ScoreTotal {
	t := ScoreTotal{Levels: map[ExposureLevel]int{LevelNone: 0, LevelLow: 0, LevelMedium: 0, LevelHigh: 0}}
	for v, p := range s.of(groups) {
		t.Mean.Num.plus(p.sum.times(w[v]))
		t.Mean.Den += uint64(p.devices) * w[v]
		t.Devices += int(p.devices)
		for i, l := range []ExposureLevel{LevelNone, LevelLow, LevelMedium, LevelHigh} {
			t.Levels[l] += int(p.levels[i])
		}
	}
	return t
}

// Part is what a device puts into the Num of a score of many: its score times
// its weight. The parts of the devices of some groups add up to the Num of
// their Total, to the unit; ok is false for a device that counts nowhere.
func (s *Scores) Part(dev uint32, w Weights) (part Sum, ok bool) {
	score, _, ok := s.DeviceScore(dev)
	if !ok {
		return Sum{}, false
	}
	return Sum{lo: uint64(score)}.times(w[s.devs[dev].value]), true
}

// Valued counts the devices of groups (nil: all) that count, by value.
func (s *Scores) Valued(groups []Group) [values]int {
	var out [values]int
	for v, p := range s.of(groups) {
		out[v] += int(p.devices)
	}
	return out
}

// of yields the cohorts of groups (nil: all) with the value of their devices.
func (s *Scores) of(groups []Group) iter.Seq2[Value, *cohort] {
	return func(yield func(Value, *cohort) bool) {
		for i, p := range s.now.cohorts {
			if p.devices > 0 && (groups == nil || slices.Contains(groups, Group(i/int(values)))) && !yield(Value(i%int(values)), p) {
				return
			}
		}
	}
}

// Relief is what a score would be lower by without one cause.
type Relief struct {
	Product string // product id, when Check is -1
	Remedy  Remedy
	Check   int  // number of the check, -1 for a product
	Devices int  // that have the cause, under exceptions or not
	Impact  Mean // with the Den of the groups' score: exact difference

	Under        int  // of Devices: some of the cause is under an exception
	DevicesAfter int  // of Devices: some of the cause is under none
	ImpactAfter  Mean // of what is under no exception: exact difference
}

// Reliefs returns every cause that some device in groups (nil: all) has: each
// remedy of each product, each ended line, and each failed check. A line is
// there on every device that is of it, also without findings: then it relieves
// nothing. They are ordered by impact,
// highest first, then by product, remedy and check.
func (s *Scores) Reliefs(groups []Group, w Weights) []Relief {
	den := s.Total(groups, w).Mean.Den
	nc := 0
	for _, p := range s.of(groups) {
		nc = max(nc, len(p.checks))
	}
	products := make([]Relief, len(s.f.products)*int(remedies))
	checks := make([]Relief, nc)
	lines := make([]Relief, len(s.f.lines))
	for v, p := range s.of(groups) {
		for i := range p.products {
			products[i].take(&p.products[i], w[v])
		}
		for i := range p.checks {
			checks[i].take(&p.checks[i], w[v])
		}
		for i := range p.lines {
			lines[i].take(&p.lines[i], w[v])
		}
		for i, l := range p.less {
			switch {
			case i < 0:
				checks[-1-i].lessen(l, w[v])
			case i >= lineLess(0):
				lines[i-lineLess(0)].lessen(l, w[v])
			default:
				products[i].lessen(l, w[v])
			}
		}
	}
	out := make([]Relief, 0, 1024)
	for i := range products {
		if r := &products[i]; r.Devices > 0 {
			r.Product, r.Remedy, r.Check = s.f.products[i/int(remedies)].id, Remedy(i%int(remedies)), -1
			r.Impact.Den, r.ImpactAfter.Den = den, den
			out = append(out, *r)
		}
	}
	for i := range lines {
		if r := &lines[i]; r.Devices > 0 {
			r.Product, r.Remedy, r.Check = s.f.lines[i].product, s.f.lines[i].remedy, -1
			r.Impact.Den, r.ImpactAfter.Den = den, den
			out = append(out, *r)
		}
	}
	for i := range checks {
		if r := &checks[i]; r.Devices > 0 {
			r.Check, r.Impact.Den, r.ImpactAfter.Den = i, den, den
			out = append(out, *r)
		}
	}
	slices.SortFunc(out, func(a, b Relief) int {
		return cmp.Or(b.Impact.Num.Compare(a.Impact.Num), cmp.Compare(a.Product, b.Product), cmp.Compare(a.Remedy, b.Remedy), cmp.Compare(a.Check, b.Check))
	})
	return out
}

func (r *Relief) take(c *causeSum, weight uint64) {
	if c.devices == 0 {
		return
	}
	r.Devices += int(c.devices)
	r.DevicesAfter += int(c.devices)
	n := c.impact.times(weight)
	r.Impact.Num.plus(n)
	r.ImpactAfter.Num.plus(n)
}

// lessen takes what is under exceptions from what take added.
func (r *Relief) lessen(l *lessSum, weight uint64) {
	if l == nil {
		return
	}
	r.Under += int(l.under)
	r.DevicesAfter -= int(l.devices)
	r.ImpactAfter.Num.minus(l.impact.times(weight))
}

// ReliefOf is one of Reliefs, ok false when no device in groups has it.
func (s *Scores) ReliefOf(product string, remedy Remedy, groups []Group, w Weights) (Relief, bool) {
	sums, i, less, ok := s.placeOf(product, remedy)
	if !ok {
		return Relief{}, false
	}
	r := Relief{Product: product, Remedy: remedy, Check: -1}
	for v, c := range s.of(groups) {
		r.Impact.Den += uint64(c.devices) * w[v]
		if list := sums(c); i < len(list) {
			r.take(&list[i], w[v])
			r.lessen(c.less[less], w[v])
		}
	}
	r.ImpactAfter.Den = r.Impact.Den
	return r, r.Devices > 0
}

// placeOf says where cohorts have a cause: in which list, at which place there, and in less.
func (s *Scores) placeOf(product string, remedy Remedy) (sums func(*cohort) []causeSum, at, less int, ok bool) {
	if remedy.OfLine() {
		i, ok := s.f.lineIDs[causeKey{product, remedy}]
		return func(c *cohort) []causeSum { return c.lines }, int(i), lineLess(i), ok
	}
	p, ok := s.f.productIDs[product]
	i := int(p)*int(remedies) + int(remedy)
	return func(c *cohort) []causeSum { return c.products }, i, i, ok && remedy < remedies
}

// CheckReliefOf is that of one failed check, ok false when no device in groups fails it.
func (s *Scores) CheckReliefOf(check int, groups []Group, w Weights) (Relief, bool) {
	r := Relief{Check: check}
	for v, c := range s.of(groups) {
		r.Impact.Den += uint64(c.devices) * w[v]
		if check >= 0 && check < len(c.checks) {
			r.take(&c.checks[check], w[v])
			r.lessen(c.less[-1-check], w[v])
		}
	}
	r.ImpactAfter.Den = r.Impact.Den
	return r, r.Devices > 0
}

// Term is the share of one cause in a device's score.
type Term struct {
	Component ComponentID // of a finding
	Weakness  string      // "" for a check and for an alert
	Alert     string      // id of an active alert, "" for the others
	Check     uint32
	Remedy    Remedy
	State     State
	Under     Under // Mitigated: Points and Share are 0
	Points    Points
	Share     Score // the terms' shares add up to the score, to the unit
}

// Terms opens a device's score into findings, failed checks and active alerts. Shares are in
// proportion to points: the shares of the first n terms together are
// ⌊score · points of the first n / all points⌋. Terms are ordered by points,
// highest first, then by product, version, role, weakness, check and alert. What is
// mitigated is among them, with no points. Terms of a stale score tell of the device as it is; they add up to ScoreOf their points.
func (s *Scores) Terms(dev uint32) []Term {
	if int(dev) >= len(s.devs) || !s.devs[dev].in {
		return nil
	}
	var out []Term
	sum := uint64(0)
	k := s.devs[dev].regime
	for _, id := range s.f.DeviceComponents(dev) {
		var about []int32
		if k != nil {
			about = s.about(id)
		}
		for i := range s.f.comps[id].hits {
			h := &s.f.comps[id].hits[i]
			if h.bit&bitsCount == 0 {
				continue
			}
			state := State(s.f.text[h.state])
			w := &s.f.weak[h.weak]
			t := Term{Component: id, Weakness: w.id, State: state, Remedy: s.f.remedy(id, h), Under: s.under(k, about, id, h)}
			if t.Under != Mitigated {
				t.Points = state.Of(w.rating.Points, h.bit == bitFixable)
			}
			sum += uint64(t.Points)
			out = append(out, t)
		}
	}
	for _, c := range s.devs[dev].failed {
		t := Term{Check: c, Under: s.checkUnder(k, c)}
		if t.Under != Mitigated {
			t.Points = s.checks[c]
		}
		sum += uint64(t.Points)
		out = append(out, t)
	}
	for _, a := range s.alerts[dev] {
		sum += uint64(a.Points)
		out = append(out, Term{Alert: a.ID, Points: a.Points})
	}
	slices.SortFunc(out, s.compareTerms)
	score := uint64(ScoreOf(sum))
	upTo, given := uint64(0), uint64(0)
	for i := range out {
		upTo += uint64(out[i].Points)
		if sum == 0 {
			break
		}
		hi, lo := bits.Mul64(score, upTo)
		share, _ := bits.Div64(hi, lo, sum) // upTo ≤ sum, so it is at most the score
		out[i].Share, given = Score(share-given), share
	}
	return out
}

func (s *Scores) compareTerms(a, b Term) int {
	if n := cmp.Or(cmp.Compare(b.Points, a.Points), cmp.Compare(a.Weakness, b.Weakness), cmp.Compare(a.Alert, b.Alert), cmp.Compare(a.Check, b.Check)); n != 0 || a.Weakness == "" {
		return n
	}
	x, y := s.f.comps[a.Component].Component, s.f.comps[b.Component].Component
	return cmp.Or(cmp.Compare(x.ID(), y.ID()), cmp.Compare(x.Version, y.Version), cmp.Compare(x.Role, y.Role), x.Key.Compare(y.Key),
		cmp.Compare(x.Disk, y.Disk), cmp.Compare(x.Module, y.Module))
}

// Affected returns the devices in groups (nil: any) that have findings of a
// product with a remedy (Gone: with any), or are of an ended line, under
// exceptions or not, as a new set.
func (s *Scores) Affected(product string, remedy Remedy, groups []Group) *roaring.Bitmap {
	if remedy.OfLine() {
		out := s.f.LineDevices(product, remedy)
		out.And(s.InGroups(groups))
		return out
	}
	out := roaring.New()
	p, ok := s.f.productIDs[product]
	if !ok {
		return out
	}
	for _, id := range s.f.products[p].members {
		own := *s.now.of(id)
		if remedy == Gone && own != (ownPoints{}) || remedy < Gone && own[remedy] > 0 {
			out.Or(s.f.comps[id].devices)
		}
	}
	out.And(s.InGroups(groups))
	return out
}
