package exposure

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// candidatesOf are all causes that a plan may take, in the order of impact.
func candidatesOf(s *Scores, groups []Group, w Weights) []Cause {
	var out []Cause
	for _, r := range s.Reliefs(groups, w) {
		if r.Remedy != Gone || r.Check >= 0 {
			out = append(out, r.Cause())
		}
	}
	return out
}

// brute is one answer of trying every set.
type brute struct {
	size   int      // of the smallest that reaches the target, -1: none does
	lowest *big.Int // of that size; without one, of all that are within the limits
}

// bruteForce tries every set of candidates by WhatIf.
func bruteForce(s *Scores, candidates []Cause, groups []Group, w Weights, goals []Goal) []brute {
	out := make([]brute, len(goals))
	for i := range out {
		out[i] = brute{size: -1, lowest: s.Total(groups, w).Mean.Num.Big()}
	}
	for bits := range 1 << len(candidates) {
		var set []Cause
		for i, c := range candidates {
			if bits>>i&1 == 1 {
				set = append(set, c)
			}
		}
		o := s.WhatIf(set, groups, w)
		num := o.After.Mean.Num.Big()
		for i, g := range goals {
			b := &out[i]
			if g.Devices >= 0 && o.Touched > g.Devices || g.Restarts >= 0 && o.Restarts.Known() > g.Restarts {
				continue
			}
			reaches := o.After.Mean.Num.Compare(Sum{lo: uint64(g.Target)}.times(o.After.Mean.Den)) < 0
			lower := num.Cmp(b.lowest) < 0
			switch {
			case reaches && (b.size < 0 || len(set) < b.size):
				b.size, b.lowest = len(set), num
			case reaches && len(set) == b.size && lower, b.size < 0 && lower:
				b.lowest = num
			}
		}
	}
	return out
}

func gathered(s *Scores, candidates []Cause, groups []Group, w Weights, step int) *Problem {
	p := s.NewProblem(candidates, groups, w)
	for !p.Gather(step) {
	}
	return p
}

// check holds a plan against what trying everything says, and its steps
// against what-if.
func (b *brute) check(s *Scores, p *Problem, plan Plan, g Goal, groups []Group, w Weights) error {
	if plan.Reached != (b.size >= 0) {
		return fmt.Errorf("reached %v, the smallest set has %d", plan.Reached, b.size)
	}
	if plan.Reached && (len(plan.Steps) != b.size || plan.Fewest != b.size) {
		return fmt.Errorf("%d steps, said to be at least %d, the smallest set has %d", len(plan.Steps), plan.Fewest, b.size)
	}
	if plan.Best.Num.Big().Cmp(b.lowest) != 0 || !plan.Lowest {
		return fmt.Errorf("score %v, lowest %v, want %v", plan.Best.Num.Big(), plan.Lowest, b.lowest)
	}
	return stepsHold(s, plan, g, groups, w)
}

// stepsHold holds every step of a plan against what-if, and all against the limits.
func stepsHold(s *Scores, plan Plan, g Goal, groups []Group, w Weights) error {
	var set []Cause
	for i, step := range plan.Steps {
		set = append(set, step.Cause)
		o := s.WhatIf(set, groups, w)
		if o.After.Mean != step.After || o.Touched != step.Devices || o.Restarts.Known() != step.Restarts {
			return fmt.Errorf("step %d: score %v on %d devices with %d restarts, what-if says %v on %d with %d", i, step.After.Num.Big(), step.Devices, step.Restarts,
				o.After.Mean.Num.Big(), o.Touched, o.Restarts.Known())
		}
		if g.Devices >= 0 && step.Devices > g.Devices || g.Restarts >= 0 && step.Restarts > g.Restarts {
			return fmt.Errorf("step %d is beyond the limits", i)
		}
	}
	if n := len(plan.Steps); n > 0 && plan.Steps[n-1].After != plan.Best {
		return fmt.Errorf("the last step ends at %v, the plan at %v", plan.Steps[n-1].After.Num.Big(), plan.Best.Num.Big())
	}
	return nil
}

func drawGoals(t *rapid.T, s *Scores, groups []Group, w Weights, n int) []Goal {
	var goals []Goal
	now := uint64(s.Total(groups, w).Mean.Float() * ScoreUnit)
	for range n {
		g := Goal{Target: Score(rapid.Uint64Range(0, now+now/10+1).Draw(t, "target")), Devices: -1, Restarts: -1}
		if rapid.Bool().Draw(t, "limit devices") {
			g.Devices = rapid.IntRange(0, 6).Draw(t, "devices")
		}
		if rapid.Bool().Draw(t, "limit restarts") {
			g.Restarts = rapid.IntRange(0, 4).Draw(t, "restarts")
		}
		goals = append(goals, g)
	}
	return goals
}

// A plan is what trying every set of candidates finds: as small, as low, as
// impossible; and each of its steps is what what-if says.
func TestPlanEqualsBruteForce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		_, f := drawFleet(t, 6, 4)
		s := f.Scores()
		w := drawWeights(t, 2, 37)
		groups := rapid.SampledFrom([][]Group{nil, {1}}).Draw(t, "groups")
		candidates := candidatesOf(s, groups, w)
		candidates = candidates[:min(len(candidates), rapid.IntRange(0, 9).Draw(t, "candidates"))]
		goals := drawGoals(t, s, groups, w, 4)
		p := gathered(s, candidates, groups, w, 2)
		for i, b := range bruteForce(s, candidates, groups, w, goals) {
			plan, ok := p.Solve(goals[i], nil)
			if !ok {
				t.Fatal("gave up")
			}
			if plan.Before != s.Total(groups, w).Mean {
				t.Fatalf("begins at %v", plan.Before)
			}
			if err := b.check(s, p, plan, goals[i], groups, w); err != nil {
				t.Fatalf("%+v of %v: %v", goals[i], candidates, err)
			}
		}
	})
}

// The same with as many candidates as the promise names.
func TestPlanOfFifteenEqualsBruteForce(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		s := randomScores(rand.New(rand.NewPCG(seed, 1)), 12, 15)
		w := DefaultWeights(12)
		candidates := candidatesOf(s, nil, w)
		if len(candidates) < smallPlan {
			t.Fatalf("%d candidates", len(candidates))
		}
		candidates = candidates[:smallPlan]
		now := uint64(s.Total(nil, w).Mean.Float() * ScoreUnit)
		goals := []Goal{{Score(now / 2), -1, -1}, {Score(now / 10 * 7), -1, 8}, {Score(now / 10 * 8), 2, -1}, {0, -1, 6}, {Score(now / 4), -1, -1}}
		p := gathered(s, candidates, nil, w, 1000)
		for i, b := range bruteForce(s, candidates, nil, w, goals) {
			plan, _ := p.Solve(goals[i], nil)
			if err := b.check(s, p, plan, goals[i], nil, w); err != nil {
				t.Errorf("seed %d, %+v: %v", seed, goals[i], err)
			}
		}
	}
}

// The best set may hold none of the candidates that promise most: four that
// relieve most alone leave no room within the limit for more than a small one,
// and the one that relieves most for each device leaves none for both of those
// that are best together.
func TestPlanLooksBeyondTheMostPromising(t *testing.T) {
	f := NewFleet(func(id string) Rating {
		return Rating{Points: map[string]Points{"b": 942, "m": 1400, "s": 2080}[id[:1]]}
	})
	dev := uint32(0)
	for _, c := range []struct {
		name    string
		devices int
	}{{"b1", 3}, {"b2", 3}, {"b3", 3}, {"b4", 3}, {"m1", 2}, {"m2", 2}, {"s", 1}} {
		id, _ := f.Intern(Component{Vendor: "debian", Product: c.name, Version: "1"})
		f.SetAssessment(id, &Assessment{Matches: []Match{{Weakness: c.name, State: "fixed", Fixed: "9", Exposed: true}}})
		for range c.devices {
			f.SetDevice(dev, []ComponentID{id})
			f.Scores().Put(dev, 0, ValueNormal)
			dev++
		}
	}
	for !f.Scores().Settle(1000) {
	}
	s, w, g := f.Scores(), DefaultWeights(int(dev)), Goal{Target: 0, Devices: 4, Restarts: -1}
	candidates := candidatesOf(s, nil, w)
	p := gathered(s, candidates, nil, w, 1000)
	plan, _ := p.Solve(g, nil)
	if err := bruteForce(s, candidates, nil, w, []Goal{g})[0].check(s, p, plan, g, nil, w); err != nil {
		t.Error(err)
	}
	var names []string
	for _, step := range plan.Steps {
		names = append(names, step.Cause.Product)
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"debian-_-m1", "debian-_-m2"}) {
		t.Errorf("the plan is %v", names)
	}
}

// randomScores is a settled fleet of devices with all sorts of products.
func randomScores(r *rand.Rand, devices, products int) *Scores {
	points := map[string]Points{}
	f := NewFleet(func(id string) Rating { return Rating{Points: points[id]} })
	var ids []ComponentID
	for p := range products {
		for v := range 4 {
			c := Component{Vendor: "debian", Product: fmt.Sprint("p", p), Version: fmt.Sprint(v)}
			if p%5 == 0 {
				c.Role = KernelRunning
			}
			a := Assessment{}
			for i := range 1 + r.IntN(3) {
				id := fmt.Sprintf("CVE-%d-%d%d", p, v, i)
				points[id] = Points(1 + r.IntN(3000))
				a.Matches = append(a.Matches, Match{Weakness: id, State: "fixed", Fixed: "9", Exposed: true})
			}
			id, _ := f.Intern(c)
			f.SetAssessment(id, &a)
			ids = append(ids, id)
		}
	}
	for dev := range uint32(devices) {
		var list []ComponentID
		for p := range products {
			if r.IntN(3) > 0 {
				list = append(list, ids[p*4+r.IntN(4)])
			}
		}
		f.SetDevice(dev, list)
		f.Scores().Put(dev, Group(r.IntN(3)), Value(r.IntN(3)))
	}
	for !f.Scores().Settle(1000) {
	}
	return f.Scores()
}

// Beyond what is searched completely, the number that a plan names as the
// least is never more than what trying everything finds, its own number of
// steps never less, and no set of k relieves more than the bound for k.
func TestPlanSaysItsBound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		_, f := drawFleet(t, 6, 4)
		s := f.Scores()
		w := DefaultWeights(2)
		candidates := candidatesOf(s, nil, w)
		candidates = candidates[:min(len(candidates), rapid.IntRange(0, 9).Draw(t, "candidates"))]
		goals := drawGoals(t, s, nil, w, 3)
		p := gathered(s, candidates, nil, w, 2)
		budget := rapid.SampledFrom([]int{0, 100, 1000}).Draw(t, "budget")
		for i, b := range bruteForce(s, candidates, nil, w, goals) {
			x := newSolver(p, goals[i], nil)
			x.complete, x.budget = false, budget
			plan, _ := x.solve()
			if plan.Reached && (plan.Fewest > b.size || len(plan.Steps) < b.size) {
				t.Fatalf("%+v: %d steps, said to be at least %d, the smallest set has %d", goals[i], len(plan.Steps), plan.Fewest, b.size)
			}
			if plan.Lowest && plan.Best.Num.Big().Cmp(b.lowest) != 0 && (len(plan.Steps) == b.size || !plan.Reached) {
				t.Fatalf("%+v: %v is said to be the lowest, it is %v", goals[i], plan.Best.Num.Big(), b.lowest)
			}
			if err := stepsHold(s, plan, goals[i], nil, w); err != nil {
				t.Fatal(err)
			}
		}
		x := newSolver(p, Goal{Devices: -1, Restarts: -1}, nil)
		fixed := rapid.SliceOfNDistinct(rapid.IntRange(0, max(0, len(candidates)-1)), 0, min(2, len(x.free)), rapid.ID).Draw(t, "chosen")
		for _, c := range fixed {
			if slices.Contains(x.free, c) {
				x.state[c] = chosen
			}
		}
		for k := 1; k <= 3; k++ {
			total := x.bound(k)
			shares := slices.Clone(x.gains)
			for bits := range 1 << len(x.free) {
				set := slices.Clone(fixed)
				sum := total
				for i, c := range x.free {
					if bits>>i&1 == 1 && x.state[c] == open {
						set = append(set, c)
						sum.plus(shares[c])
					}
				}
				if len(set) <= len(fixed)+k && x.relief(set).Compare(sum) > 0 {
					t.Fatalf("%v of %d more relieve %v, the bound says %v", set, k, x.relief(set).Big(), sum.Big())
				}
			}
		}
	})
}

// Who waits is told how far it is, and may give up.
func TestPlanGivesUp(t *testing.T) {
	t.Parallel()
	s := randomScores(rand.New(rand.NewPCG(7, 7)), 60, 40)
	w := DefaultWeights(60)
	p := gathered(s, candidatesOf(s, nil, w), nil, w, 1000)
	g := Goal{Target: Score(s.Total(nil, w).Mean.Float() * ScoreUnit / 2), Devices: -1, Restarts: -1}
	calls := 0
	plan, ok := p.Solve(g, func(done, of int) bool {
		calls++
		if done < 0 || done > of {
			t.Errorf("%d of %d", done, of)
		}
		return true
	})
	if !ok || calls < 3 || !plan.Reached {
		t.Fatalf("ok %v after %d calls, reached %v", ok, calls, plan.Reached)
	}
	again, _ := p.Solve(g, nil)
	if len(again.Steps) != len(plan.Steps) || again.Best != plan.Best {
		t.Errorf("the same problem has two plans: %v and %v", plan, again)
	}
	left := calls / 2
	if _, ok := p.Solve(g, func(int, int) bool { left--; return left > 0 }); ok {
		t.Error("it did not give up")
	}
	if left < -20 {
		t.Errorf("it went on for %d calls", -left)
	}
}

// A plan of 500 candidates for devices that are all different.
func BenchmarkPlan(b *testing.B) {
	for _, devices := range []int{1000, 20_000} {
		s := randomScores(rand.New(rand.NewPCG(1, 1)), devices, 150)
		w := DefaultWeights(devices)
		candidates := candidatesOf(s, nil, w)
		g := Goal{Target: Score(s.Total(nil, w).Mean.Float() * ScoreUnit / 2), Devices: -1, Restarts: -1}
		b.Run(fmt.Sprint(devices), func(b *testing.B) {
			for b.Loop() {
				began := time.Now()
				p := gathered(s, candidates, nil, w, 5000)
				b.ReportMetric(time.Since(began).Seconds(), "gather-s")
				plan, _ := p.Solve(g, nil)
				b.ReportMetric(float64(len(plan.Steps)), "steps")
				b.ReportMetric(float64(plan.Fewest), "fewest")
				b.ReportMetric(float64(p.classes.len()), "classes")
				b.ReportMetric(float64(len(p.classes.cand)), "entries")
			}
		})
	}
}
