package exposure

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/picketsec/picket/internal/advisory"
)

// plain is what a fleet must answer, computed the slow way.
type plain struct {
	devices  map[uint32][]Component
	resting  map[uint32]bool // in no list over devices
	assessed map[Component]Assessment
	rating   map[string]Rating
}

// answers is everything that a fleet answers, by text keys.
type answers map[string]any

func (p *plain) standing(list []Component) map[string]Standing {
	out := map[string]Standing{}
	for _, c := range list {
		for _, m := range p.assessed[c].Matches {
			s := Hidden
			switch {
			case m.Exposed && m.Fixed != "":
				s = Fixable
			case m.Exposed:
				s = Exposed
			}
			out[m.Weakness] = max(out[m.Weakness], s)
		}
	}
	return out
}

func (p *plain) counts(list []Component) (c Counts) {
	for w, s := range p.standing(list) {
		if s < Exposed {
			continue
		}
		r := p.rating[w]
		c.Weaknesses++
		switch r.Severity {
		case advisory.Critical:
			c.Critical++
		case advisory.High:
			c.High++
		case advisory.Medium:
			c.Medium++
		case advisory.Low:
			c.Low++
		default:
			c.Unrated++
		}
		if s == Fixable {
			c.Fixable++
		}
		if r.Exploitable {
			c.Exploitable++
		}
		if r.KEV {
			c.KEV++
		}
	}
	return c
}

func (p *plain) answer(scope map[uint32]bool) answers {
	out := answers{}
	products := map[string][]Component{}
	for dev, list := range p.devices {
		if scope != nil && !scope[dev] {
			continue
		}
		c := p.counts(list)
		installed, exposed := map[string]bool{}, map[string]bool{}
		for _, comp := range list {
			if !p.resting[dev] && !slices.Contains(products[comp.ID()], comp) {
				products[comp.ID()] = append(products[comp.ID()], comp)
			}
			if comp.Role != Residual && comp.Role != InMemory {
				installed[comp.ID()] = true
			}
			for _, m := range p.assessed[comp].Matches {
				if m.Exposed {
					exposed[comp.ID()] = true
				}
			}
		}
		c.Products = uint32(len(installed))
		out[fmt.Sprintf("device %d", dev)] = c
		if p.resting[dev] {
			for w, s := range p.standing(list) {
				out[fmt.Sprintf("device %d %s", dev, w)] = s
			}
			continue
		}
		for id := range installed {
			out.more("product "+id+" installed", dev)
		}
		for id := range exposed {
			out.more("product "+id+" exposed", dev)
		}
		for w, s := range p.standing(list) {
			out[fmt.Sprintf("device %d %s", dev, w)] = s
			out.more("weakness "+w+" affected", dev)
			if s >= Exposed {
				out.more("weakness "+w+" exposed", dev)
			}
			if s == Fixable {
				out.more("weakness "+w+" fixable", dev)
			}
		}
	}
	for id, comps := range products {
		out["product "+id+" counts"] = p.counts(comps)
	}
	return out
}

// more adds a device to a list; lists are compared by their length and content.
func (a answers) more(key string, dev uint32) {
	list, _ := a[key].([]uint32)
	list = append(list, dev)
	slices.Sort(list)
	a[key] = list
}

// ask asks a fleet the same questions.
func ask(t *rapid.T, f *Fleet, scope *roaring.Bitmap) answers {
	out := answers{}
	devs := f.Devices().Clone()
	if scope != nil {
		devs.And(scope)
	}
	list := func(key string, b *roaring.Bitmap, count int) {
		b = roaring.And(b, devs)
		if int(b.GetCardinality()) != count {
			t.Fatalf("%s: counted %d devices, the set has %d", key, count, b.GetCardinality())
		}
		if !b.IsEmpty() {
			out[key] = b.ToArray()
		}
	}
	last := ""
	for w := range f.Weaknesses() {
		if w <= last {
			t.Fatalf("weaknesses out of order: %q after %q", w, last)
		}
		last = w
		info, _ := f.Weakness(w, scope)
		list("weakness "+w+" affected", f.AffectedDevices(w), info.Affected)
		list("weakness "+w+" exposed", f.ExposedDevices(w), info.Exposed)
		fixable := roaring.New()
		for it := devs.Iterator(); it.HasNext(); {
			dev := it.Next()
			s := f.DeviceStanding(dev, w)
			if s == Fixable && !f.Resting().Contains(dev) {
				fixable.Add(dev)
			}
			if s != Clear {
				out[fmt.Sprintf("device %d %s", dev, w)] = s
			}
		}
		list("weakness "+w+" fixable", fixable, info.Fixable)
	}
	for id := range f.Products() {
		info, ok := f.Product(id, scope)
		if !ok {
			continue
		}
		out["product "+id+" counts"] = info.Counts
		list("product "+id+" installed", f.InstalledDevices(id), info.Installed)
		list("product "+id+" exposed", f.ProductExposedDevices(id), info.Exposed)
	}
	for it := devs.Iterator(); it.HasNext(); {
		dev := it.Next()
		out[fmt.Sprintf("device %d", dev)] = f.DeviceCounts(dev)
	}
	return out
}

// Whatever the order and the batching of changes to devices, components,
// intelligence and ratings: the fleet answers as a full evaluation does, and
// so does a fleet that is built from nothing.
// sweep forgets every component that no device has.
func sweep(f *Fleet) {
	for _, id := range f.Idle() {
		if f.Forget(id) {
			f.Free(id)
		}
	}
}

func TestFleetIncrementalIsFull(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := &plain{devices: map[uint32][]Component{}, resting: map[uint32]bool{}, assessed: map[Component]Assessment{}, rating: map[string]Rating{}}
		rate := func(w string) Rating { return p.rating[w] }
		var comps []Component
		for i := range rapid.IntRange(1, 8).Draw(t, "components") {
			c := Component{Vendor: "debian", Product: fmt.Sprintf("p%d", i%3), Version: fmt.Sprint(i), Key: advisory.Key{Ecosystem: "Debian", Release: "12", Name: fmt.Sprint(i % 4)}}
			c.Role = rapid.SampledFrom([]Role{Plain, Plain, KernelLatent, InMemory, Residual}).Draw(t, "role")
			comps = append(comps, c)
		}
		devices := []uint32{0, 1, 2}
		if rapid.IntRange(0, 9).Draw(t, "large") == 0 {
			devices = append(devices, 70_000) // a second container
		}
		f := NewFleet(rate)
		weaknesses := []string{"CVE-2024-1", "CVE-2024-2", "CVE-2024-3"}
		groups := map[uint32]Group{}
		scopeOf := func(some ...Group) map[uint32]bool {
			in := map[uint32]bool{}
			for _, dev := range devices {
				in[dev] = slices.Contains(some, groups[dev])
			}
			maps.DeleteFunc(in, func(_ uint32, has bool) bool { return !has })
			return in
		}
		follow := func(some ...Group) *roaring.Bitmap {
			scope := roaring.BitmapOf(slices.Collect(maps.Keys(scopeOf(some...)))...)
			f.Follow(scope, some)
			return scope
		}
		step := func() {
			switch rapid.IntRange(0, 13).Draw(t, "op") {
			case 0, 1, 2, 3:
				dev := rapid.SampledFrom(devices).Draw(t, "device")
				var list []Component
				var ids []ComponentID
				for _, c := range rapid.SliceOfN(rapid.SampledFrom(comps), 0, 5).Draw(t, "list") {
					id, _ := f.Intern(c)
					ids = append(ids, id)
					if a, ok := p.assessed[c]; ok {
						if done, _ := f.Assessed(id); !done { // swept and back
							f.SetAssessment(id, &a)
						}
					}
					if !slices.Contains(list, c) {
						list = append(list, c)
					}
				}
				p.devices[dev] = list
				f.SetDevice(dev, ids)
			case 4, 5, 6, 7:
				var ids []ComponentID
				var as []Assessment
				for _, c := range rapid.SliceOfNDistinct(rapid.SampledFrom(comps), 1, min(3, len(comps)), func(c Component) Component { return c }).Draw(t, "assessed") {
					var a Assessment
					for _, w := range weaknesses {
						switch rapid.IntRange(0, 3).Draw(t, w) {
						case 1:
							a.Matches = append(a.Matches, Match{Weakness: w, State: "unimportant"})
						case 2:
							a.Matches = append(a.Matches, Match{Weakness: w, State: "open", Exposed: true})
						case 3:
							a.Matches = append(a.Matches, Match{Weakness: w, State: "fixed", Fixed: "9", Exposed: true})
						}
					}
					p.assessed[c] = a
					id, _ := f.Intern(c)
					ids, as = append(ids, id), append(as, a)
				}
				if len(ids) == 1 && rapid.Bool().Draw(t, "alone") {
					f.SetAssessment(ids[0], &as[0])
					break
				}
				f.SetAssessments(ids, as)
			case 8:
				w := rapid.SampledFrom(weaknesses).Draw(t, "weakness")
				p.rating[w] = Rating{Severity: rapid.SampledFrom([]advisory.Severity{advisory.Critical, advisory.High, advisory.Medium, advisory.Low, advisory.Unrated}).Draw(t, "severity"),
					Exploitable: rapid.Bool().Draw(t, "exploitable"), KEV: rapid.Bool().Draw(t, "kev")}
				f.Rerate(w)
			case 9:
				dev := rapid.SampledFrom(devices).Draw(t, "gone")
				delete(p.devices, dev)
				delete(p.resting, dev)
				f.RemoveDevice(dev)
				sweep(f)
			case 10:
				dev := rapid.SampledFrom(devices).Draw(t, "silent")
				if _, ok := p.devices[dev]; ok {
					p.resting[dev] = true
				}
				f.Rest(dev)
				sweep(f)
			case 11:
				dev := rapid.SampledFrom(devices).Draw(t, "back")
				delete(p.resting, dev)
				f.Wake(dev)
			case 12:
				dev := rapid.SampledFrom(devices).Draw(t, "assigned")
				groups[dev] = Group(rapid.IntRange(0, 2).Draw(t, "group"))
				f.Assign(dev, groups[dev])
			case 13: // counts of groups exist from here on
				scope := follow(0, 1)
				if !f.bulk {
					f.Held(0, scope)
				}
				f.Unfollow(scope)
			}
		}
		for range rapid.IntRange(1, 12).Draw(t, "batches") {
			n := rapid.IntRange(1, 6).Draw(t, "steps")
			if rapid.Bool().Draw(t, "bulk") {
				f.Bulk(func() {
					for range n {
						step()
					}
				})
				continue
			}
			for range n {
				step()
			}
		}
		for _, of := range [][]Group{{0}, {1, 2}} {
			if diff := cmp.Diff(p.answer(scopeOf(of...)), ask(t, f, follow(of...))); diff != "" {
				t.Fatalf("groups %d differ from full (-full +followed):\n%s", of, diff)
			}
		}
		for _, s := range []map[uint32]bool{nil, {0: true, 70_000: true}} {
			var scope *roaring.Bitmap
			if s != nil {
				scope = roaring.BitmapOf(slices.Collect(maps.Keys(s))...)
			}
			want := p.answer(s)
			if diff := cmp.Diff(want, ask(t, f, scope)); diff != "" {
				t.Fatalf("incremental differs from full (-full +incremental):\n%s", diff)
			}
			fresh := NewFleet(rate)
			fresh.Bulk(func() {
				for dev, list := range p.devices {
					var ids []ComponentID
					for _, c := range list {
						id, isNew := fresh.Intern(c)
						if a, ok := p.assessed[c]; ok && isNew {
							fresh.SetAssessment(id, &a)
						}
						ids = append(ids, id)
					}
					fresh.SetDevice(dev, ids)
					if p.resting[dev] {
						fresh.Rest(dev)
					}
				}
			})
			if diff := cmp.Diff(want, ask(t, fresh, scope)); diff != "" {
				t.Fatalf("bulk differs from full (-full +bulk):\n%s", diff)
			}
		}
	})
}

// A device that has a weakness through two components leaves only with both.
func TestFleetOverlap(t *testing.T) {
	t.Parallel()
	f := NewFleet(func(string) Rating { return Rating{Severity: advisory.High} })
	a, _ := f.Intern(Component{Product: "a"})
	b, _ := f.Intern(Component{Product: "b"})
	has := Assessment{Matches: []Match{{Weakness: "CVE-2024-1", State: "fixed", Fixed: "2", Exposed: true}}}
	f.SetAssessment(a, &has)
	f.SetAssessment(b, &has)
	f.SetDevice(1, []ComponentID{a, b})
	for i, step := range []struct {
		change func()
		want   int
	}{
		{func() {}, 1},
		{func() { f.SetAssessment(a, &Assessment{}) }, 1},
		{func() { f.SetAssessment(a, &has); f.SetDevice(1, []ComponentID{a}) }, 1},
		{func() { f.SetDevice(1, nil) }, 0},
	} {
		step.change()
		info, _ := f.Weakness("CVE-2024-1", nil)
		if got := f.DeviceCounts(1).High; info.Exposed != step.want || int(got) != step.want {
			t.Errorf("step %d: %d devices exposed, %d high on the device, want %d", i, info.Exposed, got, step.want)
		}
	}
}

// Setting the same again changes nothing and says so.
func TestFleetSameAgain(t *testing.T) {
	t.Parallel()
	f := NewFleet(func(string) Rating { return Rating{} })
	c, _ := f.Intern(Component{Product: "a"})
	a := Assessment{Matches: []Match{{Weakness: "CVE-2024-1", State: "open", Exposed: true}}}
	f.SetAssessment(c, &a)
	first := f.SetDevice(3, []ComponentID{c})
	if want := (DeviceDiff{Added: []ComponentID{c}, Changes: []DeviceChange{{"CVE-2024-1", Clear, Exposed}}}); !cmp.Equal(want, first) {
		t.Errorf("first report: %+v, want %+v", first, want)
	}
	if d := f.SetDevice(3, []ComponentID{c}); len(d.Added)+len(d.Removed)+len(d.Changes) != 0 {
		t.Errorf("the same report again changed %+v", d)
	}
	if d := f.SetAssessment(c, &a); !d.Empty() {
		t.Errorf("the same assessment again changed %+v", d)
	}
}

// Components that are assessed together give their devices what each has, and
// no device what another's component has.
func TestFleetAssessedTogether(t *testing.T) {
	t.Parallel()
	f := NewFleet(func(string) Rating { return Rating{Severity: advisory.High} })
	var ids []ComponentID
	var as []Assessment
	for i := range 4 { // two weaknesses, two components each, on devices of their own
		id, _ := f.Intern(Component{Product: fmt.Sprint("p", i/2), Version: fmt.Sprint(i)})
		f.SetDevice(uint32(i), []ComponentID{id})
		ids = append(ids, id)
		as = append(as, Assessment{Matches: []Match{{Weakness: fmt.Sprint("CVE-2024-", i/2), State: "fixed", Fixed: "9", Exposed: true}}})
	}
	f.SetAssessments(ids, as)
	for i := range 2 {
		want := []uint32{uint32(2 * i), uint32(2*i + 1)}
		if got := f.ExposedDevices(fmt.Sprint("CVE-2024-", i)).ToArray(); !slices.Equal(got, want) {
			t.Errorf("weakness %d is on %v, want %v", i, got, want)
		}
		if got := f.ProductExposedDevices("-_-" + fmt.Sprint("p", i)).ToArray(); !slices.Equal(got, want) {
			t.Errorf("product %d is exposed on %v, want %v", i, got, want)
		}
	}
	for dev := range uint32(4) {
		if got := f.DeviceCounts(dev).High; got != 1 {
			t.Errorf("device %d has %d weaknesses, want 1", dev, got)
		}
	}
}

// Joining sets of any density loses nothing of any of them.
func TestGatherUnion(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const devices = 200_000
		var sets []*roaring.Bitmap
		want := roaring.New()
		for range rapid.IntRange(1, 5).Draw(t, "sets") {
			s := roaring.New()
			from, step := rapid.Uint32Range(0, devices-1).Draw(t, "from"), rapid.Uint32Range(1, 200).Draw(t, "step")
			for dev := from; dev < devices; dev += step {
				s.Add(dev)
			}
			if rapid.Bool().Draw(t, "runs") {
				s.RunOptimize()
			}
			sets = append(sets, s)
			want.Or(s)
		}
		var within *roaring.Bitmap
		if rapid.Bool().Draw(t, "within") {
			within = roaring.New()
			within.AddRange(uint64(rapid.Uint32Range(0, devices).Draw(t, "first")), devices)
			want.And(within)
		}
		g := newGather(devices)
		got, own := g.union(sets, within)
		for i := range g.words { // the next use of the words changes nothing of the result
			g.words[i] = 0x5555555555555555
		}
		if !got.Equals(want) {
			t.Fatalf("union of %d sets has %d devices, want %d", len(sets), got.GetCardinality(), want.GetCardinality())
		}
		if own { // and the result may be changed without changing a set
			got.Clear()
			all := roaring.FastOr(sets...)
			if within != nil {
				all.And(within)
			}
			if !all.Equals(want) {
				t.Fatal("the result shares what it says is the caller's own")
			}
		}
	})
}
