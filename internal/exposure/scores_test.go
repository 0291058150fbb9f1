package exposure

import (
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/picketsec/picket/internal/advisory"
)

// world is a fleet as the slow way of scoring sees it.
type world struct {
	devices  map[uint32][]Component
	assessed map[Component]Assessment
	points   map[string]Points
	group    map[uint32]Group
	value    map[uint32]Value
	failed   map[uint32][]uint32
	checks   []Points
}

// sum adds up the points of a device, without those that drop names.
func (w *world) sum(dev uint32, drop func(product string, r Remedy, check int) bool) *big.Int {
	n := int64(0)
	for _, c := range w.devices[dev] {
		for _, m := range w.assessed[c].Matches {
			if !m.Exposed {
				continue
			}
			r := Attention
			if m.Fixed != "" {
				r = Update
			}
			if m.State == RestartNeeded {
				r = Restart
			}
			if !drop(c.ID(), r, -1) {
				n += int64(m.State.Of(w.points[m.Weakness], m.Fixed != ""))
			}
		}
	}
	for _, c := range w.failed[dev] {
		if !drop("", 0, int(c)) {
			n += int64(w.checks[c])
		}
	}
	return big.NewInt(n)
}

// total is the weighted sum of scores in units, and the weight, over the devices of groups.
func (w *world) total(groups []Group, weights Weights, drop func(string, Remedy, int) bool) (num *big.Int, den uint64) {
	num = new(big.Int)
	for dev, v := range w.value {
		if groups != nil && !slices.Contains(groups, w.group[dev]) {
			continue
		}
		sum := w.sum(dev, drop)
		score := new(big.Int).Mul(big.NewInt(100*ScoreUnit), sum)
		score.Quo(score, new(big.Int).Add(sum, big.NewInt(half)))
		num.Add(num, score.Mul(score, new(big.Int).SetUint64(weights[v])))
		den += weights[v]
	}
	return num, den
}

func nothing(string, Remedy, int) bool { return false }

// relief is a Relief in numbers of any size.
type relief struct {
	Product string
	Remedy  Remedy
	Check   int
	Devices int
	Num     string
	Den     uint64
}

// reliefs computes every relief as the difference of two whole scores.
func (w *world) reliefs(groups []Group, weights Weights) map[string]relief {
	out := map[string]relief{}
	with, den := w.total(groups, weights, nothing)
	try := func(r relief, drop func(string, Remedy, int) bool) {
		for dev := range w.value {
			if (groups == nil || slices.Contains(groups, w.group[dev])) && w.sum(dev, nothing).Cmp(w.sum(dev, drop)) != 0 {
				r.Devices++
			}
		}
		without, _ := w.total(groups, weights, drop)
		if r.Num, r.Den = new(big.Int).Sub(with, without).String(), den; r.Devices > 0 {
			out[fmt.Sprint(r.Product, r.Remedy, r.Check)] = r
		}
	}
	for c := range w.assessed {
		for remedy := Update; remedy < remedies; remedy++ {
			try(relief{Product: c.ID(), Remedy: remedy, Check: -1}, func(p string, r Remedy, check int) bool {
				return check < 0 && p == c.ID() && (remedy == Gone || r == remedy)
			})
		}
	}
	for i := range w.checks {
		try(relief{Check: i}, func(_ string, _ Remedy, check int) bool { return check == i })
	}
	return out
}

// Whatever happens to a fleet, step by step: its scores are those of a full
// computation, every relief is the difference of the score with and without
// the cause, and the terms of a device add up to its score. All to the unit.
func TestScoresAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := &world{devices: map[uint32][]Component{}, assessed: map[Component]Assessment{}, points: map[string]Points{},
			group: map[uint32]Group{}, value: map[uint32]Value{}, failed: map[uint32][]uint32{}, checks: []Points{10, 100, 70}}
		f := NewFleet(func(id string) Rating { return Rating{Points: w.points[id]} })
		s := f.Scores()
		s.SetChecks(w.checks)
		var comps []Component
		for i := range 6 {
			comps = append(comps, Component{Vendor: "debian", Product: fmt.Sprint("p", i%3), Version: fmt.Sprint(i)})
		}
		weaknesses := []string{"CVE-2024-1", "CVE-2024-2", "CVE-2024-3"}
		for _, id := range weaknesses {
			w.points[id] = Points(rapid.Uint32Range(1, 6000).Draw(t, "points"))
		}
		step := func() {
			dev := rapid.Uint32Range(0, 3).Draw(t, "device")
			switch rapid.IntRange(0, 8).Draw(t, "op") {
			case 0, 1, 2:
				list := rapid.SliceOfNDistinct(rapid.SampledFrom(comps), 0, 4, rapid.ID).Draw(t, "list")
				var ids []ComponentID
				for _, c := range list {
					id, _ := f.Intern(c)
					ids = append(ids, id)
				}
				w.devices[dev] = list
				f.SetDevice(dev, ids)
			case 3, 4:
				c := rapid.SampledFrom(comps).Draw(t, "component")
				var a Assessment
				for _, id := range weaknesses {
					m := Match{Weakness: id, Exposed: true}
					switch rapid.IntRange(0, 5).Draw(t, id) {
					case 0:
						m.State, m.Fixed = State(advisory.Fixed), "9"
					case 1:
						m.State = State(advisory.NoDSA)
					case 2:
						m.State, m.Fixed = RestartNeeded, "9"
					case 3:
						m.State, m.Exposed = State(advisory.Unimportant), false
					default:
						continue
					}
					a.Matches = append(a.Matches, m)
				}
				w.assessed[c] = a
				id, _ := f.Intern(c)
				f.SetAssessment(id, &a)
			case 5:
				id := rapid.SampledFrom(weaknesses).Draw(t, "weakness")
				w.points[id] = Points(rapid.Uint32Range(1, 6000).Draw(t, "points"))
				f.Rerate(id)
			case 6:
				g, v := Group(rapid.IntRange(0, 2).Draw(t, "group")), Value(rapid.IntRange(0, 2).Draw(t, "value"))
				w.group[dev], w.value[dev] = g, v
				s.Put(dev, g, v)
			case 7:
				w.failed[dev] = rapid.SliceOfNDistinct(rapid.Uint32Range(0, 2), 0, 3, rapid.ID).Draw(t, "failed")
				s.SetFailed(dev, w.failed[dev])
			case 8:
				delete(w.value, dev)
				s.Drop(dev)
			}
		}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			step()
			s.Settle(rapid.IntRange(0, 3).Draw(t, "settle"))
		}
		for !s.Settle(1) {
		}
		weights := DefaultWeights(rapid.SampledFrom([]int{2, 37, 5000}).Draw(t, "organisation"))
		for _, groups := range [][]Group{nil, {1}, {0, 2}} {
			num, den := w.total(groups, weights, nothing)
			total := s.Total(groups, weights)
			if total.Mean.Num.Big().Cmp(num) != 0 || total.Mean.Den != den {
				t.Fatalf("score of %v is %v/%d, want %v/%d", groups, total.Mean.Num.Big(), total.Mean.Den, num, den)
			}
			got := map[string]relief{}
			for _, r := range s.Reliefs(groups, weights) {
				got[fmt.Sprint(r.Product, r.Remedy, r.Check)] = relief{r.Product, r.Remedy, r.Check, r.Devices, r.Impact.Num.Big().String(), r.Impact.Den}
				if r.Impact.Num.IsZero() {
					t.Fatalf("cause %+v has no impact", r)
				}
				if r.Check < 0 {
					one, ok := s.ReliefOf(r.Product, r.Remedy, groups, weights)
					if diff := cmp.Diff(r, one, cmp.AllowUnexported(Sum{})); !ok || diff != "" {
						t.Fatalf("asked for alone (-list +alone):\n%s", diff)
					}
					if n := s.Affected(r.Product, r.Remedy, groups).GetCardinality(); int(n) != r.Devices {
						t.Fatalf("cause %+v affects %d devices", r, n)
					}
				}
			}
			if diff := cmp.Diff(w.reliefs(groups, weights), got); diff != "" {
				t.Fatalf("reliefs of %v (-slow +fleet):\n%s", groups, diff)
			}
		}
		for dev := range w.value {
			score, points, ok := s.DeviceScore(dev)
			if want := w.sum(dev, nothing).Uint64(); !ok || points != want {
				t.Fatalf("device %d has %d points, %v, want %d", dev, points, ok, want)
			}
			shares, weight := Score(0), uint64(0)
			for _, term := range s.Terms(dev) {
				shares += term.Share
				weight += uint64(term.Points)
			}
			if shares != score || weight != points {
				t.Fatalf("terms of device %d add up to %d units of %d points, want %d of %d", dev, shares, weight, score, points)
			}
		}
	})
}

// A score rises with every point, never reaches 100, and the smallest finding
// of one device among ten million moves the mean.
func TestScoreIsStrict(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sum := rapid.Uint64Range(0, 30_000_000_000).Draw(t, "sum")
		a, b := ScoreOf(sum), ScoreOf(sum+1)
		if b <= a || b >= 100*ScoreUnit {
			t.Fatalf("score of %d is %d, of one more %d", sum, a, b)
		}
		var with, without Sum
		for range 3 {
			with.plus(Sum{lo: uint64(b)})
			without.plus(Sum{lo: uint64(b)})
		}
		without.sub(uint64(b))
		without.add(uint64(a))
		if with.times(400).Compare(without.times(400)) <= 0 {
			t.Fatal("a finding less does not lower the sum")
		}
	})
	if ScoreOf(0) != 0 || ScoreOf(half) != 50*ScoreUnit {
		t.Errorf("score of nothing %d, of %d points %d", ScoreOf(0), half, ScoreOf(half))
	}
}

func TestWeaknessPoints(t *testing.T) {
	t.Parallel()
	base := func(b float64) []advisory.Score { return []advisory.Score{{Version: "3.1", Base: b}} }
	for _, tt := range []struct {
		name     string
		w        advisory.Weakness
		want     Points
		fallback bool
	}{
		{"nothing known", advisory.Weakness{}, 250, true},
		{"low", advisory.Weakness{Scores: base(0.1)}, 1, false},
		{"medium", advisory.Weakness{Scores: base(5.3)}, 280, false},
		{"worst", advisory.Weakness{Scores: base(10)}, 1000, false},
		{"public exploit", advisory.Weakness{Scores: base(10), Exploit: advisory.ExploitPublic}, 2000, false},
		{"known exploited", advisory.Weakness{Scores: base(10), KEV: &advisory.KEV{}}, 3000, false},
		{"ransomware, EPSS 1", advisory.Weakness{Scores: base(10), KEV: &advisory.KEV{Ransomware: true}, EPSS: 1}, 6000, false},
		{"EPSS out of range", advisory.Weakness{Scores: base(10), EPSS: 7}, 3000, false},
		{"by word", advisory.Weakness{Severity: advisory.Critical}, 902, true},
	} {
		if got, fallback := WeaknessPoints(&tt.w); got != tt.want || fallback != tt.fallback {
			t.Errorf("%s: %d points, fallback %v, want %d, %v", tt.name, got, fallback, tt.want, tt.fallback)
		}
	}
	for state, want := range map[State]Points{State(advisory.NoDSA): 31, State(advisory.Open): 125, State(advisory.EndOfLife): 1000, State(advisory.Unimportant): 0, LatentKernel: 0} {
		if got := state.Of(1000, false); got != want {
			t.Errorf("%s without a fix: %d points, want %d", state, got, want)
		}
	}
	if got := State(advisory.NoDSA).Of(3, false); got != 1 {
		t.Errorf("a small finding that counts weighs %d, want 1", got)
	}
}
