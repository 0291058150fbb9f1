package exposure

import (
	"slices"
)

// Goal is what a patch plan is to reach, and within which limits.
type Goal struct {
	Target   Score // the score is to be below it
	Restarts int   // most devices on which a restart is certain (Restarts.Known); negative: any number
	Devices  int   // most devices that are touched; negative: any number
}

// PlanStep is one change of a plan. What it counts is of this and all steps
// before it together.
type PlanStep struct {
	Candidate int // index into the candidates of the problem
	Cause     Cause
	After     Mean // the exact score
	Devices   int  // touched
	Restarts  int  // of these, where a restart is certain
}

// Plan is an answer of Solve.
type Plan struct {
	Before Mean
	// Steps are what to do, that with the greatest fall first; none when the
	// score is below the target already, or when the target cannot be reached
	// although nothing limits the plan.
	Steps   []PlanStep
	Reached bool
	// Fewest is proven: with fewer changes than this no plan within the limits
	// reaches the target. A plan that reached it with as many steps is one of
	// the smallest. 0 when it is not reached.
	Fewest int
	// Lowest says that no plan has a lower score: with as many steps at most
	// when the target is reached, within the limits when it is not.
	Lowest bool
	// Best is the score after all steps; without steps because the target is
	// out of reach, that after all candidates.
	Best Mean
}

const (
	// smallPlan is up to how many candidates the search is complete, whatever it costs.
	smallPlan = 15
	// planWork is how many entries (a class and a candidate of it) a search
	// beyond that looks at: a number and not a time, so that the same fleet
	// always gets the same plan.
	planWork = 40_000_000
	// planSample is how many entries the order of a first plan is made from.
	planSample = 100_000
)

// Solve finds the smallest set of candidates that brings the score below the
// target within the limits, and among such sets one of the lowest score. Up to
// 15 candidates the answer is always the best one; beyond that the search is
// bounded, and the plan says what is proven of it. docs/adr/0017 has the proof
// of the bound.
//
// more is called from time to time with how much of the search is done, for
// who waits; when it returns false, Solve gives up and ok is false. Equal
// problems have equal plans. The problem must be gathered; it is not changed.
func (p *Problem) Solve(g Goal, more func(done, of int) bool) (plan Plan, ok bool) {
	return newSolver(p, g, more).solve()
}

// Whole is the plan of all candidates that some device has, in the order in
// which each relieves most after those before it. Nothing is said of smaller ones.
func (p *Problem) Whole(target Score) Plan {
	x := newSolver(p, Goal{Target: target, Devices: -1, Restarts: -1}, nil)
	plan := Plan{Before: p.before, Best: p.before}
	x.best = x.free
	x.describe(&plan)
	plan.Reached = plan.Best.Den > 0 && plan.Best.Num.Compare(x.ceiling()) < 0
	return plan
}

// ceiling is what the weighted sum of scores has to be below.
func (x *solver) ceiling() Sum { return Sum{lo: uint64(x.g.Target)}.times(x.p.before.Den) }

func (x *solver) solve() (plan Plan, ok bool) {
	p, ceiling := x.p, x.ceiling()
	plan = Plan{Before: p.before, Best: p.before}
	if p.before.Num.Compare(ceiling) < 0 || p.before.Den == 0 {
		plan.Reached, plan.Lowest = p.before.Den > 0, true
		return plan, true
	}
	x.need = p.before.Num // the relief that is needed: it leaves less than the ceiling
	x.need.minus(ceiling)
	x.need.add(1)
	all := x.relief(x.free)
	switch {
	case all.Compare(x.need) >= 0:
		plan.Reached = x.reach(&plan)
	case x.fits(x.free) && !x.cut:
		plan.Lowest = true
		plan.Best.Num.minus(all)
		return plan, !x.stopped
	}
	if !plan.Reached && x.fits(x.free) {
		x.best, plan.Lowest = x.free, true
	} else if !plan.Reached {
		for _, weigh := range x.orders() {
			x.offer(x.greedy(weigh))
		}
		plan.Lowest = x.search(len(x.free), false)
	}
	x.describe(&plan)
	return plan, !x.stopped
}

// solver is one Solve under way.
type solver struct {
	p      *Problem
	g      Goal
	more   func(done, of int) bool
	free   []int // candidates that may be chosen, each alone within the limits
	cut    bool  // there are others, beyond the limits
	need   Sum
	sample *rows

	best       []int // the best set so far, nil: none
	bestRelief Sum

	complete bool // the search has no bound
	budget   int  // entries that it looks at otherwise
	work     int  // entries looked at
	stopped  bool // more said so

	state []uint8 // by candidate, while searching: open, chosen or out
	gains []Sum   // by candidate: working memory of passes
}

// The states of a candidate while searching.
const (
	open uint8 = iota
	chosen
	out
)

func newSolver(p *Problem, g Goal, more func(done, of int) bool) *solver {
	x := &solver{p: p, g: g, more: more, budget: planWork, state: make([]uint8, len(p.causes)), gains: make([]Sum, len(p.causes))}
	for c := range p.causes {
		x.state[c] = out
		switch n := p.touched[c].count(); {
		case n == 0:
		case x.within(n, p.restarts[c].count()):
			x.free = append(x.free, c)
			x.state[c] = open
		default:
			x.cut = true
		}
	}
	x.complete = len(x.free) <= smallPlan
	x.sample = p.classes.every((len(p.classes.cand) + planSample - 1) / planSample)
	return x
}

func (x *solver) within(devices, restarts int) bool {
	return (x.g.Devices < 0 || devices <= x.g.Devices) && (x.g.Restarts < 0 || restarts <= x.g.Restarts)
}

func (x *solver) limited() bool { return x.g.Devices >= 0 || x.g.Restarts >= 0 }

// fits reports whether a set of candidates is within the limits.
func (x *solver) fits(set []int) bool {
	if !x.limited() {
		return true
	}
	var touched, restarts bitset
	for _, c := range set {
		touched.join(x.p.touched[c])
		restarts.join(x.p.restarts[c])
	}
	return x.within(touched.count(), restarts.count())
}

// offer takes a set that fits if it is better than the best one.
func (x *solver) offer(set []int) {
	if len(set) == 0 || !x.fits(set) {
		return
	}
	r := x.relief(set)
	if x.best == nil || x.better(len(set), r) {
		x.best, x.bestRelief = slices.Clone(set), r
	}
}

// better reports whether a set of n candidates with a relief is better than
// the best: it reaches what is needed and that does not, or it is smaller and
// reaches it too, or as large and relieves more.
func (x *solver) better(n int, r Sum) bool {
	reaches, has := r.Compare(x.need) >= 0, x.bestRelief.Compare(x.need) >= 0
	switch {
	case reaches != has:
		return reaches
	case reaches && n != len(x.best):
		return n < len(x.best)
	}
	return r.Compare(x.bestRelief) > 0
}

// reach looks for the smallest set that relieves what is needed, and for the
// one of its size that relieves most.
func (x *solver) reach(plan *Plan) bool {
	for _, weigh := range x.orders() {
		if set := x.greedy(weigh); x.relief(set).Compare(x.need) >= 0 {
			x.offer(x.trim(set))
		}
	}
	most := len(x.free) + 1 // a set of fewer is looked for
	if x.best != nil {
		most = len(x.best)
	}
	low := x.fewest(most)
	for ; low < most && !x.stopped; low++ { // smaller sets are ruled out: what is found first is of the smallest size
		if x.bound(low); !x.complete {
			if set := x.opened()[:low]; x.relief(set).Compare(x.need) >= 0 {
				x.offer(set)
			}
		}
		exhausted := x.search(low, true)
		if x.best != nil && len(x.best) <= low {
			plan.Fewest, plan.Lowest = low, exhausted
			return true
		}
		if !exhausted {
			break
		}
	}
	if x.best == nil { // nothing within the limits, or nothing found
		return false
	}
	if plan.Fewest = low; low == len(x.best) {
		plan.Lowest = x.search(low, true)
	}
	return true
}
