package exposure

import (
	"cmp"
	"slices"
)

// weigher says how much a candidate is wanted next: by what it relieves
// further, and by the devices and restarts that it adds.
type weigher func(relief float64, devices, restarts int) float64

// orders are the ways in which a first plan is made: by relief, and where
// there are limits by relief for each device and for each restart.
func (x *solver) orders() []weigher {
	out := []weigher{func(relief float64, _, _ int) float64 { return relief }}
	if x.g.Devices >= 0 {
		out = append(out, func(relief float64, devices, _ int) float64 { return relief / float64(1+devices) })
	}
	if x.g.Restarts >= 0 {
		out = append(out, func(relief float64, _, restarts int) float64 { return relief / float64(1+restarts) })
	}
	return out
}

// greedy chooses candidates one by one within the limits until they relieve
// what is needed, or none is left. The order rests on a sample of the classes;
// whether it is enough is exact.
func (x *solver) greedy(weigh weigher) []int {
	defer x.reopen()
	var set []int
	var touched, restarts bitset
	for check := 1; !x.stopped; {
		x.exact(x.sample)
		best, most := none, -1.0
		nd, nr := touched.count(), restarts.count()
		for _, c := range x.free {
			if x.state[c] != open {
				continue
			}
			d, r := 0, 0
			if x.limited() {
				d, r = touched.with(x.p.touched[c]), restarts.with(x.p.restarts[c])
				if !x.within(d, r) {
					x.state[c] = out // for good: sets only grow
					continue
				}
			}
			if v := weigh(x.gains[c].float(), d-nd, r-nr); v > most {
				best, most = c, v
			}
		}
		if best == none {
			break
		}
		x.state[best] = chosen
		set = append(set, best)
		if x.limited() {
			touched.join(x.p.touched[best])
			restarts.join(x.p.restarts[best])
		}
		if len(set) == check {
			if check *= 2; x.relief(set).Compare(x.need) >= 0 {
				break
			}
		}
	}
	return x.shortest(set)
}

// shortest is the shortest beginning of a set that relieves what is needed, all
// of it when none does.
func (x *solver) shortest(set []int) []int {
	low, high := 0, len(set)
	for low < high && !x.stopped {
		mid := low + (high-low)/2
		if x.relief(set[:mid]).Compare(x.need) >= 0 {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return set[:high]
}

// reopen makes every candidate open again.
func (x *solver) reopen() {
	for _, c := range x.free {
		x.state[c] = open
	}
}

// float is the sum as an order of size; no score is made of it.
func (s Sum) float() float64 { return float64(s.hi)*(1<<64) + float64(s.lo) }

// trim takes out of a set that relieves what is needed what it can do without,
// that which matters least first.
func (x *solver) trim(set []int) []int {
	set = slices.Clone(set)
	defer x.reopen()
	for len(set) > 1 && !x.stopped {
		x.reopen()
		for _, c := range set {
			x.state[c] = chosen
		}
		relief := x.losses()
		least := slices.MinFunc(set, func(a, b int) int { return cmp.Or(x.gains[a].Compare(x.gains[b]), cmp.Compare(a, b)) })
		if relief.minus(x.gains[least]); relief.Compare(x.need) < 0 {
			break
		}
		set = slices.DeleteFunc(set, func(c int) bool { return c == least })
	}
	return set
}

// losses puts into gains what the chosen candidates relieve less without each
// of them, and returns what they relieve.
func (x *solver) losses() (relief Sum) {
	r := &x.p.classes
	x.spend(len(r.cand))
	for _, c := range x.free {
		x.gains[c] = Sum{}
	}
	for i := range r.sum {
		left := r.sum[i]
		from, to := r.from[i], r.from[i+1]
		for j := from; j < to; j++ {
			if x.state[r.cand[j]] == chosen {
				left -= r.pts[j]
			}
		}
		if left == r.sum[i] {
			continue
		}
		relief.plus(fall(r.sum[i], r.sum[i]-left).times(r.weight[i]))
		for j := from; j < to; j++ {
			if c := r.cand[j]; x.state[c] == chosen {
				x.gains[c].plus(fall(left+r.pts[j], r.pts[j]).times(r.weight[i]))
			}
		}
	}
	return relief
}

// describe puts the best set into a plan: the steps in the order of what each
// relieves after those before it, with the exact score after each.
func (x *solver) describe(plan *Plan) {
	order := x.ordered(x.best)
	rank := make([]int, len(x.p.causes))
	for i, c := range order {
		rank[c] = i + 1
	}
	falls := make([]Sum, len(order)) // by step: with those before it
	r := &x.p.classes
	type part struct {
		rank int
		pts  uint64
	}
	var parts []part
	for i := range r.sum {
		parts = parts[:0]
		for j := r.from[i]; j < r.from[i+1]; j++ {
			if n := rank[r.cand[j]]; n > 0 {
				parts = append(parts, part{n - 1, r.pts[j]})
			}
		}
		slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.rank, b.rank) })
		left := r.sum[i]
		for _, p := range parts {
			falls[p.rank].plus(fall(left, p.pts).times(r.weight[i]))
			left -= p.pts
		}
	}
	var touched, restarts bitset
	for i, c := range order {
		plan.Best.Num.minus(falls[i])
		touched.join(x.p.touched[c])
		restarts.join(x.p.restarts[c])
		plan.Steps = append(plan.Steps, PlanStep{Candidate: c, Cause: x.p.causes[c], After: plan.Best, Devices: touched.count(), Restarts: restarts.count()})
	}
}

// ordered is a set in the order in which its members relieve most, one after the other.
func (x *solver) ordered(set []int) []int {
	for _, c := range x.free {
		x.state[c] = out
	}
	for _, c := range set {
		x.state[c] = open
	}
	order := make([]int, 0, len(set))
	for len(order) < len(set) {
		x.exact(x.sample)
		c := x.opened()[0]
		x.state[c] = chosen
		order = append(order, c)
	}
	x.reopen()
	return order
}
