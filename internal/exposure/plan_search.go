package exposure

import (
	"math/bits"
	"slices"
)

// spend counts work and reports whether to search on.
func (x *solver) spend(entries int) bool {
	x.work += entries + 1
	if !x.stopped && x.more != nil && !x.more(min(x.work, x.budget), x.budget) {
		x.stopped = true
	}
	return !x.stopped && (x.complete || x.work < x.budget)
}

// relief is what the weighted sum of scores falls by without a set of candidates.
func (x *solver) relief(set []int) (total Sum) {
	marks := make([]bool, len(x.p.causes))
	for _, c := range set {
		marks[c] = true
	}
	r := &x.p.classes
	x.spend(len(r.cand))
	for i := range r.sum {
		gone := uint64(0)
		for j := r.from[i]; j < r.from[i+1]; j++ {
			if marks[r.cand[j]] {
				gone += r.pts[j]
			}
		}
		if gone > 0 {
			total.plus(fall(r.sum[i], gone).times(r.weight[i]))
		}
	}
	return total
}

// fall is what the score of sum points falls by without some of them.
func fall(sum, gone uint64) Sum { return Sum{lo: uint64(ScoreOf(sum) - ScoreOf(sum-gone))} }

// bound looks at the sets that extend the chosen candidates by at most k open
// ones. It returns the relief of those chosen, and in gains, for every open
// candidate, a share such that no such set relieves more than relief and the
// shares of what it adds.
//
// On one device of a points after those chosen, a set that takes r of them
// relieves G(r) = S(a) − S(a−r), where S is the score. It takes at most T, the
// sum of the k largest open entries. Without rounding G is convex and G(0) = 0,
// so G(r) ≤ r/T · G(T); S is rounded down, which makes G at most 1 larger or
// smaller on either side: G(r) < r/T · (G(T)+1) + 1. An entry's share is its
// part of that, rounded up, and the 1.
func (x *solver) bound(k int) (relief Sum) {
	for _, c := range x.free {
		x.gains[c] = Sum{}
	}
	r := &x.p.classes
	for i := range r.sum {
		left, most, n := r.sum[i], uint64(0), 0
		from, to := r.from[i], r.from[i+1]
		for j := from; j < to; j++ {
			switch x.state[r.cand[j]] {
			case chosen:
				left -= r.pts[j]
			case open:
				if n < k { // most points first
					most += r.pts[j]
					n++
				}
			}
		}
		if left != r.sum[i] {
			relief.plus(fall(r.sum[i], r.sum[i]-left).times(r.weight[i]))
		}
		if n == 0 {
			continue
		}
		g, w := fall(left, most).lo+1, r.weight[i]
		for j := from; j < to; j++ {
			if c := r.cand[j]; x.state[c] == open {
				hi, lo := bits.Mul64(r.pts[j], g)
				q, rest := bits.Div64(hi, lo, most) // pts ≤ most, so it is at most g
				if rest > 0 {
					q++
				}
				x.gains[c].plus(Sum{lo: q + 1}.times(w))
			}
		}
	}
	return relief
}

// exact puts into gains what each open candidate alone relieves further, and
// returns the relief of those chosen.
func (x *solver) exact(r *rows) (relief Sum) {
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
		if left != r.sum[i] {
			relief.plus(fall(r.sum[i], r.sum[i]-left).times(r.weight[i]))
		}
		for j := from; j < to; j++ {
			if c := r.cand[j]; x.state[c] == open {
				x.gains[c].plus(fall(left, r.pts[j]).times(r.weight[i]))
			}
		}
	}
	return relief
}

// opened lists the open candidates, that of the highest gain first.
func (x *solver) opened() []int {
	var list []int
	for _, c := range x.free {
		if x.state[c] == open {
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b int) int { return x.gains[b].Compare(x.gains[a]) })
	return list
}

// fewest is the least k, from 1 up to most, for which the bound does not rule
// out that k candidates relieve what is needed.
func (x *solver) fewest(most int) int {
	low := 1
	for low < most && !x.stopped {
		mid := low + (most-low)/2
		x.spend(len(x.p.classes.cand))
		if x.atMost(mid).Compare(x.need) >= 0 {
			most = mid
		} else {
			low = mid + 1
		}
	}
	return low
}

// atMost is what no k open candidates relieve more than.
func (x *solver) atMost(k int) Sum {
	total := x.bound(k)
	for _, c := range x.opened()[:min(k, len(x.free))] {
		total.plus(x.gains[c])
	}
	return total
}

// search goes through the sets of up to k candidates that fit and keeps the
// one that relieves most: more than the best one, or with need, when the best
// one has more than k, as much as is needed. It reports whether it saw all of
// them, or ruled them out.
func (x *solver) search(k int, need bool) (exhausted bool) {
	if x.stopped {
		return false
	}
	d := &digger{solver: x, floor: x.bestRelief}
	if need && (x.best == nil || len(x.best) > k) {
		d.floor = x.need
		d.floor.minus(Sum{lo: 1})
	}
	return d.dig(k, nil, nil)
}

// digger is a search in depth.
type digger struct {
	*solver
	floor Sum // only what relieves more is of use
	set   []int
}

// dig searches below the set that is chosen.
func (d *digger) dig(k int, touched, restarts bitset) (exhausted bool) {
	if !d.spend(len(d.p.classes.cand)) {
		return false
	}
	if k <= 1 {
		d.last(touched, restarts)
		return true
	}
	relief := d.bound(k)
	d.take(relief)
	order := d.opened()
	shares := make([]Sum, len(order))
	for i, c := range order {
		shares[i] = d.gains[c]
	}
	defer func() {
		for _, c := range order {
			d.state[c] = open
		}
	}()
	for i, c := range order {
		total := relief
		for _, n := range shares[i:min(i+k, len(shares))] {
			total.plus(n)
		}
		if total.Compare(d.floor) <= 0 {
			return true
		}
		if next, again, fits := d.add(c, touched, restarts); fits {
			d.state[c] = chosen
			d.set = append(d.set, c)
			if !d.dig(k-1, next, again) {
				return false
			}
			d.set = d.set[:len(d.set)-1]
		}
		d.state[c] = out // the sets with it are seen
	}
	return true
}

// last takes the best set of one candidate more, or none.
func (d *digger) last(touched, restarts bitset) {
	relief := d.exact(&d.p.classes)
	d.take(relief)
	for _, c := range d.opened() {
		total := relief
		total.plus(d.gains[c])
		if total.Compare(d.floor) <= 0 {
			return
		}
		if _, _, fits := d.add(c, touched, restarts); fits {
			d.set = append(d.set, c)
			d.take(total)
			d.set = d.set[:len(d.set)-1]
			return
		}
	}
}

// take takes the set that is chosen when it relieves more than any before.
func (d *digger) take(relief Sum) {
	if relief.Compare(d.floor) > 0 {
		d.best, d.bestRelief, d.floor = slices.Clone(d.set), relief, relief
	}
}

// add joins the devices of a candidate to those of the set.
func (d *digger) add(c int, touched, restarts bitset) (next, again bitset, fits bool) {
	switch {
	case !d.limited():
		return nil, nil, true
	case !d.within(touched.with(d.p.touched[c]), restarts.with(d.p.restarts[c])):
		return nil, nil, false
	}
	next, again = slices.Clone(touched), slices.Clone(restarts)
	next.join(d.p.touched[c])
	again.join(d.p.restarts[c])
	return next, again, true
}
