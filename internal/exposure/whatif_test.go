package exposure

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/picketsec/picket/internal/advisory"
)

// drawFleet makes a fleet of some devices with products in several versions and
// roles, failed checks, groups and values, and the slow way's view of it.
func drawFleet(t *rapid.T, devices, products int) (*world, *Fleet) {
	w := &world{devices: map[uint32][]Component{}, assessed: map[Component]Assessment{}, points: map[string]Points{},
		group: map[uint32]Group{}, value: map[uint32]Value{}, failed: map[uint32][]uint32{}, checks: []Points{10, 100, 70}, lines: map[Component]Line{}, alerts: map[uint32][]AlertInput{}}
	var weaknesses []string
	for i := range 5 {
		id := fmt.Sprintf("CVE-2024-%d", i)
		weaknesses = append(weaknesses, id)
		w.points[id] = Points(rapid.Uint32Range(1, 6000).Draw(t, "points"))
	}
	var comps []Component
	for p := range products {
		for v := range 2 {
			c := Component{Vendor: "debian", Product: fmt.Sprint("p", p), Version: fmt.Sprint(v)}
			if v == 1 {
				c.Role = rapid.SampledFrom([]Role{Plain, KernelRunning, InMemory}).Draw(t, "role")
			}
			var a Assessment
			for _, id := range weaknesses {
				m := Match{Weakness: id, Exposed: true}
				switch rapid.IntRange(0, 7).Draw(t, "state") {
				case 0, 1:
					m.State, m.Fixed = State(advisory.Fixed), "9"
				case 2:
					m.State = State(advisory.NoDSA)
				case 3:
					m.State, m.Fixed = RestartNeeded, "9"
				case 4:
					m.State, m.Exposed = State(advisory.Unimportant), false
				default:
					continue
				}
				a.Matches = append(a.Matches, m)
			}
			comps = append(comps, c)
			w.assessed[c] = a
			w.drawLine(t, c)
		}
	}
	for dev := range uint32(devices) {
		w.devices[dev] = rapid.SliceOfNDistinct(rapid.SampledFrom(comps), 0, min(6, len(comps)), rapid.ID).Draw(t, "list")
		w.failed[dev] = rapid.SliceOfNDistinct(rapid.Uint32Range(0, 2), 0, 3, rapid.ID).Draw(t, "failed")
		if rapid.IntRange(0, 5).Draw(t, "in") > 0 {
			w.drawAlerts(t, dev)
			w.group[dev], w.value[dev] = Group(rapid.IntRange(0, 1).Draw(t, "group")), Value(rapid.IntRange(0, 2).Draw(t, "value"))
		}
	}
	w.exceptions = slices.DeleteFunc(drawExceptions(t, comps, weaknesses), func(e Exception) bool { return e.What.From+e.What.To != "" })
	return w, w.fleet()
}

// fleet builds the fleet that the world describes, settled.
func (w *world) fleet() *Fleet {
	f := NewFleet(func(id string) Rating { return Rating{Points: w.points[id]} })
	s := f.Scores()
	s.SetChecks(w.checks)
	for _, c := range slices.SortedFunc(maps.Keys(w.assessed), compareComponents) {
		id, _ := f.Intern(c)
		a := w.assessed[c]
		f.SetAssessment(id, &a)
		f.SetLine(id, w.lines[c])
	}
	for dev := range uint32(len(w.devices)) {
		var ids []ComponentID
		for _, c := range w.devices[dev] {
			id, _ := f.Intern(c)
			ids = append(ids, id)
		}
		f.SetDevice(dev, ids)
		s.SetFailed(dev, w.failed[dev])
		s.SetAlerts(dev, w.alerts[dev])
		if v, in := w.value[dev]; in {
			s.Put(dev, w.group[dev], v)
		}
	}
	s.SetExceptions(w.inForce())
	for !s.Settle(1) {
	}
	return f
}

// remedyIn is the remedy of a match of a component, and the product of its cause.
func (w *world) remedyIn(c Component, m *Match) (cause string, r Remedy) {
	cause, r = c.ID(), plainRemedy(m)
	if l, ended := w.lines[c]; ended && (r == Attention || r == Update && l.Release != "" && l.Release != m.Fixed) {
		return l.Product, l.Remedy
	}
	return cause, r
}

func plainRemedy(m *Match) Remedy {
	switch {
	case m.State == RestartNeeded:
		return Restart
	case m.Fixed != "":
		return Update
	}
	return Attention
}

// drops reports whether one of the causes takes something away.
func drops(causes []Cause, product, cause string, r Remedy, check int) bool {
	return slices.ContainsFunc(causes, func(c Cause) bool {
		if c.Product == "" {
			return check >= 0 && check == c.Check
		}
		return check < 0 && (c.Product == product && c.Remedy == Gone || c.Product == cause && c.Remedy == r)
	})
}

// carriedOut is the world after the causes are gone.
func (w *world) carriedOut(causes []Cause, groups []Group) *world {
	out := *w
	out.assessed, out.devices, out.failed = map[Component]Assessment{}, map[uint32][]Component{}, map[uint32][]uint32{}
	maps.Copy(out.assessed, w.assessed)
	out.lines = maps.Clone(w.lines)
	gone := func(c Component, m *Match) bool {
		cause, r := w.remedyIn(c, m)
		return m.Exposed && drops(causes, c.ID(), cause, r, -1)
	}
	for dev, list := range w.devices {
		out.devices[dev], out.failed[dev] = list, w.failed[dev]
		if _, in := w.value[dev]; !in || groups != nil && !slices.Contains(groups, w.group[dev]) {
			continue
		}
		var next []Component
		for _, c := range list { // as an agent would report it: a version without these findings
			a := w.assessed[c]
			fixed := c
			fixed.Version += "+fixed"
			kept := slices.DeleteFunc(slices.Clone(a.Matches), func(m Match) bool { return gone(c, &m) })
			out.assessed[fixed] = Assessment{Matches: kept}
			if l, ended := w.lines[c]; ended { // the rest is what it was
				out.lines[fixed] = l
			}
			next = append(next, fixed)
		}
		out.devices[dev] = next
		out.failed[dev] = slices.DeleteFunc(slices.Clone(w.failed[dev]), func(c uint32) bool { return drops(causes, "", "", 0, int(c)) })
	}
	return &out
}

// slowOutcome counts the rest of an Outcome one by one.
func (w *world) slowOutcome(causes []Cause, groups []Group) Outcome {
	var out Outcome
	closed, left := map[string]bool{}, map[string]bool{}
	for dev := range w.value {
		if groups != nil && !slices.Contains(groups, w.group[dev]) {
			continue
		}
		kinds := map[int]bool{}
		for _, f := range w.on(dev) {
			if !drops(causes, f.product, f.cause, f.remedy, f.check) {
				left[f.by] = true
				continue
			}
			out.Findings++
			if f.check >= 0 {
				out.Checks++
			} else {
				closed[f.by] = true
			}
			if f.under != Mitigated {
				kinds[map[Role]int{KernelRunning: 1, InMemory: 2}[f.of.Role]] = true
			}
		}
		switch {
		case kinds[1]:
			out.Restarts.Reboot++
		case kinds[2]:
			out.Restarts.Programs++
		case kinds[0]:
			out.Restarts.Unknown++
		default:
			continue
		}
		out.Touched++
	}
	for id := range closed {
		out.Weaknesses++
		if !left[id] {
			out.Cleared++
		}
	}
	return out
}

// What-if is the score that carrying it out gives, to the unit, and that of
// big integers; it counts what goes away.
func TestWhatIfIsWhatHappens(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w, f := drawFleet(t, 6, 4)
		s := f.Scores()
		weights := drawWeights(t, 2, 37, 5000)
		var all []Cause
		for _, r := range s.Reliefs(nil, weights) {
			all = append(all, r.Cause())
		}
		all = append(all, Cause{Product: "nobody-_-has-it"}, Cause{Check: 77}, Cause{Check: -1})
		causes := rapid.SliceOfNDistinct(rapid.SampledFrom(all), 0, 6, rapid.ID).Draw(t, "causes")
		for _, groups := range [][]Group{nil, {1}, {}} {
			got := s.WhatIf(causes, groups, weights)
			num, den := w.total(groups, weights, func(f found) bool { return drops(causes, f.product, f.cause, f.remedy, f.check) })
			if got.After.Mean.Num.Big().Cmp(num) != 0 || got.After.Mean.Den != den {
				t.Fatalf("%v in %v: score %v/%d, want %v/%d", causes, groups, got.After.Mean.Num.Big(), got.After.Mean.Den, num, den)
			}
			opt := cmp.AllowUnexported(Sum{})
			if diff := cmp.Diff(s.Total(groups, weights), got.Before, opt); diff != "" {
				t.Fatalf("score before (-total +what-if):\n%s", diff)
			}
			done := w.carriedOut(causes, groups).fleet().Scores()
			if diff := cmp.Diff(done.Total(groups, weights), got.After, opt); diff != "" {
				t.Fatalf("%v in %v (-carried out +what-if):\n%s", causes, groups, diff)
			}
			want := w.slowOutcome(causes, groups)
			want.Before, want.After = got.Before, got.After
			if diff := cmp.Diff(want, got, opt); diff != "" {
				t.Fatalf("%v in %v (-slow +what-if):\n%s", causes, groups, diff)
			}
		}
		for _, r := range s.Reliefs(nil, weights) {
			got := s.WhatIf([]Cause{r.Cause()}, nil, weights)
			fall := got.Before.Mean.Num
			fall.minus(got.After.Mean.Num)
			if fall != r.Impact.Num || got.Touched > r.Devices || r.Under == 0 && got.Touched != r.Devices && !r.Remedy.OfLine() || (got.Touched == 0) != r.Impact.Num.IsZero() {
				t.Fatalf("%+v alone: falls by %v on %d devices", r, fall.Big(), got.Touched)
			}
		}
	})
}
