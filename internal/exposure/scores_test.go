package exposure

import (
	"fmt"
	"maps"
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
	lines    map[Component]Line // that have ended
	alerts   map[uint32][]AlertInput

	exceptions []Exception
	paths      map[uint32]map[int64][]Component // by device and exception
}

// found is a finding or a failed check of a device as the slow way sees it.
type found struct {
	product string
	cause   string // product of the cause: of the ended line with its remedies, else product
	remedy  Remedy
	check   int // -1: a finding, -2: an alert
	points  int64
	under   Under
	of      Component
	by      string // weakness
}

// on lists what a device has, one by one.
func (w *world) on(dev uint32) (out []found) {
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
			cause := c.ID()
			if l, ended := w.lines[c]; ended && (r == Attention || r == Update && l.Release != "" && l.Release != m.Fixed) {
				r, cause = l.Remedy, l.Product
			}
			out = append(out, found{c.ID(), cause, r, -1, int64(m.State.Of(w.points[m.Weakness], m.Fixed != "")), w.under(dev, func(e *Exception) bool {
				v, from, to := int(c.Version[0]), 0, 1000
				if e.What.From != "" {
					from = int(e.What.From[0])
				}
				if e.What.To != "" {
					to = int(e.What.To[0])
				}
				return e.What.Check < 0 && (e.What.Product == "" || e.What.Product == c.ID() && e.What.Remedy == Gone || e.What.Product == cause && e.What.Remedy == r) &&
					(e.What.Weakness == "" || e.What.Weakness == m.Weakness) && (e.What.Key == advisory.Key{} || e.What.Key == c.Key) && from <= v && v <= to && (e.What.Path == "" || slices.Contains(w.paths[dev][e.ID], c))
			}), c, m.Weakness})
		}
	}
	for _, c := range w.failed[dev] {
		out = append(out, found{"", "", 0, int(c), int64(w.checks[c]), w.under(dev, func(e *Exception) bool { return e.What.Check == int(c) }), Component{}, ""})
	}
	for _, a := range w.alerts[dev] {
		out = append(out, found{"", "", 0, -2, int64(a.Points), NoException, Component{}, ""})
	}
	return out
}

// drawAlerts gives a device some active alerts.
func (w *world) drawAlerts(t *rapid.T, dev uint32) []AlertInput {
	w.alerts[dev] = nil
	for i, severity := range rapid.SliceOfN(rapid.SampledFrom([]string{"High", "Medium", "Low", "UnSpecified", "Informational", "nonsense"}), 0, 3).Draw(t, "alerts") {
		w.alerts[dev] = append(w.alerts[dev], AlertInput{ID: fmt.Sprint("da", i), Points: AlertPoints(severity)})
	}
	return w.alerts[dev]
}

func (w *world) under(dev uint32, selects func(*Exception) bool) Under {
	u := NoException
	for i := range w.exceptions {
		e := &w.exceptions[i]
		if !e.Global && slices.ContainsFunc(w.exceptions, func(o Exception) bool { return o.Global && o.What == e.What }) {
			continue // suspended
		}
		if (e.Global || slices.Contains(e.Groups, w.group[dev]) || slices.Contains(e.Devices, dev)) && selects(e) {
			u = max(u, Excepted)
			if e.Mitigates {
				u = Mitigated
			}
		}
	}
	return u
}

// inForce are the exceptions that are not suspended.
func (w *world) inForce() (out []Exception) {
	for i, suspended := range Suspended(w.exceptions) {
		if !suspended {
			out = append(out, w.exceptions[i])
		}
	}
	return out
}

// sum adds up the points of a device, without those that drop names.
func (w *world) sum(dev uint32, drop func(found) bool) *big.Int {
	n := int64(0)
	for _, f := range w.on(dev) {
		if f.under != Mitigated && !drop(f) {
			n += f.points
		}
	}
	return big.NewInt(n)
}

// total is the weighted sum of scores in units, and the weight, over the devices of groups.
func (w *world) total(groups []Group, weights Weights, drop func(found) bool) (num *big.Int, den uint64) {
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

func nothing(found) bool { return false }

// relief is a Relief in numbers of any size.
type relief struct {
	Product      string
	Remedy       Remedy
	Check        int
	Devices      int
	Num          string
	Den          uint64
	Under        int
	DevicesAfter int
	NumAfter     string
}

// reliefs computes every relief as the difference of two whole scores.
func (w *world) reliefs(groups []Group, weights Weights) map[string]relief {
	out := map[string]relief{}
	with, den := w.total(groups, weights, nothing)
	try := func(r relief, has func(dev uint32) (is, under bool), drop func(found) bool) {
		open := func(f found) bool { return drop(f) && f.under == NoException }
		for dev := range w.value {
			if groups != nil && !slices.Contains(groups, w.group[dev]) {
				continue
			}
			all := w.on(dev)
			some := slices.ContainsFunc(all, drop)
			is, under := has(dev) // of the line, also without findings
			is, under = is && !some, under && !some
			if some || is {
				r.Devices++
			}
			if slices.ContainsFunc(all, open) || is && !under {
				r.DevicesAfter++
			}
			if slices.ContainsFunc(all, func(f found) bool { return drop(f) && f.under != NoException }) || is && under {
				r.Under++
			}
		}
		without, _ := w.total(groups, weights, drop)
		after, _ := w.total(groups, weights, open)
		r.Num, r.NumAfter, r.Den = new(big.Int).Sub(with, without).String(), new(big.Int).Sub(with, after).String(), den
		if r.Devices > 0 {
			out[fmt.Sprint(r.Product, r.Remedy, r.Check)] = r
		}
	}
	none := func(uint32) (bool, bool) { return false, false }
	for c := range w.assessed {
		for remedy := Update; remedy < remedies; remedy++ {
			try(relief{Product: c.ID(), Remedy: remedy, Check: -1}, none, func(f found) bool {
				return f.check < 0 && f.product == c.ID() && (remedy == Gone || f.remedy == remedy)
			})
		}
	}
	for _, l := range w.lines {
		try(relief{Product: l.Product, Remedy: l.Remedy, Check: -1}, func(dev uint32) (is, under bool) {
			is = slices.ContainsFunc(w.devices[dev], func(c Component) bool {
				o := w.lines[c]
				return o.Product == l.Product && o.Remedy == l.Remedy
			})
			return is, is && NoException != w.under(dev, func(e *Exception) bool {
				return e.What.Check < 0 && e.What.Product == l.Product && e.What.Remedy == l.Remedy && e.What.From+e.What.To+e.What.Path+e.What.Weakness == ""
			})
		}, func(f found) bool { return f.check < 0 && f.cause == l.Product && f.remedy == l.Remedy })
	}
	for i := range w.checks {
		try(relief{Check: i}, none, func(f found) bool { return f.check == i })
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
			group: map[uint32]Group{}, value: map[uint32]Value{}, failed: map[uint32][]uint32{}, checks: []Points{10, 100, 70},
			paths: map[uint32]map[int64][]Component{}, lines: map[Component]Line{}, alerts: map[uint32][]AlertInput{}}
		f := NewFleet(func(id string) Rating { return Rating{Points: w.points[id]} })
		s := f.Scores()
		s.SetChecks(w.checks)
		for dev := range uint32(4) {
			s.Drop(dev)
		}
		var comps []Component
		for i := range 6 {
			comps = append(comps, Component{Key: advisory.Key{Ecosystem: "Debian", Release: fmt.Sprint(i / 3)}, Vendor: "debian", Product: fmt.Sprint("p", i%3), Version: fmt.Sprint(i)})
		}
		weaknesses := []string{"CVE-2024-1", "CVE-2024-2", "CVE-2024-3"}
		for _, id := range weaknesses {
			w.points[id] = Points(rapid.Uint32Range(1, 6000).Draw(t, "points"))
		}
		step := func() {
			dev := rapid.Uint32Range(0, 3).Draw(t, "device")
			switch rapid.IntRange(0, 15).Draw(t, "op") {
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
			case 9, 10:
				w.exceptions = drawExceptions(t, comps, weaknesses)
				s.SetExceptions(w.inForce())
			case 11:
				w.paths[dev] = map[int64][]Component{}
				var hits []PathHit
				for _, id := range rapid.SliceOfNDistinct(rapid.Int64Range(1, 4), 0, 2, rapid.ID).Draw(t, "of exceptions") {
					w.paths[dev][id] = rapid.SliceOfNDistinct(rapid.SampledFrom(comps), 1, 2, rapid.ID).Draw(t, "found there")
					for _, c := range w.paths[dev][id] {
						n, _ := f.Intern(c)
						hits = append(hits, PathHit{id, n})
					}
				}
				s.SetPaths(dev, hits)
			case 12, 13:
				c := rapid.SampledFrom(comps).Draw(t, "of a line")
				id, _ := f.Intern(c)
				f.SetLine(id, w.drawLine(t, c))
			case 14, 15:
				s.SetAlerts(dev, w.drawAlerts(t, dev))
			}
		}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			step()
			s.Settle(rapid.IntRange(0, 3).Draw(t, "settle"))
		}
		for !s.Settle(1) {
		}
		weights := drawWeights(t, 2, 37, 5000)
		for _, groups := range [][]Group{nil, {1}, {0, 2}} {
			num, den := w.total(groups, weights, nothing)
			total := s.Total(groups, weights)
			if total.Mean.Num.Big().Cmp(num) != 0 || total.Mean.Den != den {
				t.Fatalf("score of %v is %v/%d, want %v/%d", groups, total.Mean.Num.Big(), total.Mean.Den, num, den)
			}
			parts, counted := new(big.Int), 0
			for dev := range uint32(4) {
				if part, ok := s.Part(dev, weights); ok && (groups == nil || slices.Contains(groups, s.DeviceGroup(dev))) {
					parts.Add(parts, part.Big())
					counted++
				}
			}
			valued := s.Valued(groups)
			if parts.Cmp(num) != 0 || counted != total.Devices || valued[ValueLow]+valued[ValueNormal]+valued[ValueHigh] != counted {
				t.Fatalf("parts of %d devices (%v by value) of %v add up to %v, want %v of %d", counted, valued, groups, parts, num, total.Devices)
			}
			got := map[string]relief{}
			for _, r := range s.Reliefs(groups, weights) {
				got[fmt.Sprint(r.Product, r.Remedy, r.Check)] = relief{r.Product, r.Remedy, r.Check, r.Devices, r.Impact.Num.Big().String(), r.Impact.Den,
					r.Under, r.DevicesAfter, r.ImpactAfter.Num.Big().String()}
				if !r.Remedy.OfLine() && (r.Impact.Num.IsZero() && r.DevicesAfter > 0 || r.ImpactAfter.Num.IsZero() != (r.DevicesAfter == 0)) {
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
		for _, id := range weaknesses {
			open, under := s.OpenDevices(id)
			if !under {
				open = f.ExposedDevices(id)
			}
			var got, want []uint32
			got = append(got, open.ToArray()...)
			for dev := range uint32(4) {
				for _, c := range w.devices[dev] {
					if n, _ := f.Lookup(c); slices.ContainsFunc(w.assessed[c].Matches, func(m Match) bool { return m.Weakness == id && m.Exposed }) &&
						s.UnderOf(dev, n, id) == NoException && !slices.Contains(want, dev) {
						want = append(want, dev)
					}
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%s is open on %v, want %v", id, got, want)
			}
		}
		w.returning(t, s, append(rapid.SliceOfDistinct(rapid.SampledFrom(append(w.exceptions, Exception{})), func(e Exception) int64 { return e.ID }).Draw(t, "stay"),
			renumbered(drawExceptions(t, comps, weaknesses))...))
		for dev := range w.value {
			score, points, ok := s.DeviceScore(dev)
			if want := w.sum(dev, nothing).Uint64(); !ok || points != want {
				t.Fatalf("device %d has %d points, %v, want %d", dev, points, ok, want)
			}
			shares, weight := Score(0), uint64(0)
			terms := s.Terms(dev)
			for _, term := range terms {
				shares += term.Share
				weight += uint64(term.Points)
				if (term.Under == Mitigated) != (term.Points == 0) || term.Weakness != "" && term.Under != s.UnderOf(dev, term.Component, term.Weakness) {
					t.Fatalf("term %+v of device %d", term, dev)
				}
			}
			if want := len(w.on(dev)); len(terms) != want {
				t.Fatalf("device %d has %d terms, want %d", dev, len(terms), want)
			}
			if shares != score || weight != points {
				t.Fatalf("terms of device %d add up to %d units of %d points, want %d of %d", dev, shares, weight, score, points)
			}
		}
	})
}

// drawWeights draws weights as somebody may set them, of an organisation of some size.
func drawWeights(t *rapid.T, devices ...int) Weights {
	w := DefaultWeighting()
	if rapid.Bool().Draw(t, "weights are set") {
		w.Low = rapid.Uint64Range(LeastWeight, MostWeight).Draw(t, "low")
		w.Normal = rapid.Uint64Range(LeastWeight, MostWeight).Draw(t, "normal")
		w.High = rapid.SampledFrom([]uint64{0, LeastWeight, 57, MostWeight}).Draw(t, "high")
	}
	return w.Of(rapid.SampledFrom(devices).Draw(t, "organisation"))
}

// osLine is the ended release of a distribution.
var osLine = Line{Product: "debian-_-debian_linux_10", Remedy: Upgrade}

// drawLine lets the line of a component end or go on.
func (w *world) drawLine(t *rapid.T, c Component) Line {
	l := rapid.SampledFrom([]Line{{}, osLine, {Product: c.ID(), Remedy: Upgrade, Release: "8"}, {Product: c.ID(), Remedy: Upgrade, Release: "9"},
		{Product: c.ID(), Remedy: Uninstall}}).Draw(t, "line")
	delete(w.lines, c)
	if l != (Line{}) {
		w.lines[c] = l
	}
	return l
}

// drawExceptions makes up to four exceptions of all kinds, keys often equal.
func drawExceptions(t *rapid.T, comps []Component, weaknesses []string) []Exception {
	out := make([]Exception, rapid.IntRange(0, 4).Draw(t, "exceptions"))
	for i := range out {
		w := Selector{Check: -1, Remedy: Gone}
		switch rapid.IntRange(0, 6).Draw(t, "kind") {
		case 0:
			w = Selector{Check: rapid.IntRange(0, 2).Draw(t, "check")}
		case 1:
			w.Weakness = rapid.SampledFrom(weaknesses).Draw(t, "of weakness")
		case 2:
			w.Product, w.Remedy = rapid.SampledFrom(comps).Draw(t, "of product").ID(), Remedy(rapid.IntRange(0, 5).Draw(t, "remedy"))
			if w.Remedy == Upgrade && rapid.Bool().Draw(t, "of a release") {
				w.Product = osLine.Product
			}
		case 3:
			w.Product = rapid.SampledFrom(comps).Draw(t, "of product").ID()
			w.From, w.To = rapid.SampledFrom([]string{"", "1", "3"}).Draw(t, "from"), rapid.SampledFrom([]string{"", "2", "4"}).Draw(t, "to")
		case 4:
			w.Product, w.Weakness = rapid.SampledFrom(comps).Draw(t, "of product").ID(), rapid.SampledFrom(weaknesses).Draw(t, "of weakness")
		case 5:
			w.Path = "**"
		case 6:
			w.Weakness, w.Key = rapid.SampledFrom(weaknesses).Draw(t, "of weakness"), rapid.SampledFrom(comps).Draw(t, "of component").Key
		}
		out[i] = Exception{ID: int64(i + 1), What: w, Mitigates: rapid.Bool().Draw(t, "mitigates")}
		switch rapid.IntRange(0, 2).Draw(t, "reach") {
		case 0:
			out[i].Global = true
		case 1:
			out[i].Groups = rapid.SliceOfNDistinct(rapid.SampledFrom([]Group{0, 1, 2}), 1, 2, rapid.ID).Draw(t, "groups")
		case 2:
			out[i].Devices = rapid.SliceOfNDistinct(rapid.Uint32Range(0, 3), 1, 2, rapid.ID).Draw(t, "named")
		}
	}
	return out
}

// returning holds what Returning says of other exceptions against the slow way.
func (w *world) returning(t *rapid.T, s *Scores, other []Exception) {
	then := *w
	then.exceptions = slices.DeleteFunc(other, func(e Exception) bool { return e.ID == 0 })
	got := s.Returning(then.inForce())
	devs, weaknesses, n := map[uint32]bool{}, map[string]bool{}, 0
	for dev := range w.value {
		after := then.on(dev)
		for i, f := range w.on(dev) {
			if f.check < 0 && f.under != NoException && after[i].under == NoException {
				n++
				devs[dev], weaknesses[f.by] = true, true
			}
		}
	}
	if got.Findings != n || !slices.Equal(got.Weaknesses, slices.Sorted(maps.Keys(weaknesses))) || !slices.Equal(got.Devices.ToArray(), slices.Sorted(maps.Keys(devs))) {
		t.Fatalf("returning: %+v, want %d findings of %v on %v", got, n, weaknesses, devs)
	}
}

// renumbered gives exceptions ids of their own.
func renumbered(list []Exception) []Exception {
	for i := range list {
		list[i].ID += 10
	}
	return list
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

// What a device counts by its value: high is worth a tenth of the fleet, but
// never less than a normal device and never more than ten of them.
func TestDefaultWeights(t *testing.T) {
	for devices, high := range map[int]uint64{0: 40, 1: 40, 9: 40, 10: 40, 11: 44, 50: 200, 100: 400, 101: 400, 1_000_000: 400} {
		if got, want := DefaultWeights(devices), (Weights{ValueNormal: 40, ValueLow: 30, ValueHigh: high}); got != want {
			t.Errorf("%d devices: %v fortieths, want %v", devices, got, want)
		}
	}
}

// What is set holds as it is; automatic follows the number of devices.
func TestWeightingOf(t *testing.T) {
	w := Weighting{Low: 20, Normal: 44, High: 130}
	for _, devices := range []int{0, 3, 1_000_000} {
		if got, want := w.Of(devices), (Weights{ValueNormal: 44, ValueLow: 20, ValueHigh: 130}); got != want {
			t.Errorf("%d devices: %v fortieths, want %v", devices, got, want)
		}
	}
	w.High = 0
	if got := w.Of(50)[ValueHigh]; got != 200 {
		t.Errorf("automatic of 50 devices is %d fortieths, want 200", got)
	}
}
