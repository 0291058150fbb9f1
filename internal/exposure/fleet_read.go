package exposure

import (
	"iter"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// Devices returns the devices of the fleet.
func (f *Fleet) Devices() *roaring.Bitmap { return f.present }

// DeviceComponents returns the components of a device, each once, in the order
// in which they were set; nil for a device that is not there. The result is shared.
func (f *Fleet) DeviceComponents(dev uint32) []ComponentID {
	if int(dev) >= len(f.devices) {
		return nil
	}
	return f.devices[dev]
}

// DeviceCounts returns the counts of a device, kept up to date with every change.
func (f *Fleet) DeviceCounts(dev uint32) Counts {
	if int(dev) >= len(f.tally) {
		return Counts{}
	}
	if f.resting.Contains(dev) {
		return f.countsAtRest(dev)
	}
	return f.tally[dev].counts(f.installed[dev])
}

// DeviceProductCounts counts the weaknesses of one product's components on one device.
func (f *Fleet) DeviceProductCounts(dev uint32, product string) Counts {
	p, ok := f.productIDs[product]
	if !ok {
		return Counts{}
	}
	return f.countHits(func(yield func(ComponentID) bool) {
		for _, id := range f.DeviceComponents(dev) {
			if f.comps[id].product == p && !yield(id) {
				return
			}
		}
	})
}

// DeviceNotAssessed counts the products of a device of which some component
// could not be judged; residual packages are no gap.
func (f *Fleet) DeviceNotAssessed(dev uint32) int {
	seen := map[uint32]bool{}
	for _, id := range f.DeviceComponents(dev) {
		if c := &f.comps[id]; c.unassessed != "" && c.Role != Residual {
			seen[c.product] = true
		}
	}
	return len(seen)
}

// DeviceStanding returns how a device stands to a weakness.
func (f *Fleet) DeviceStanding(dev uint32, weakness string) Standing {
	w, ok := f.weakIDs[weakness]
	if !ok {
		return Clear
	}
	if f.resting.Contains(dev) {
		return f.standingAtRest(dev, w)
	}
	for i := 2; i >= 0; i-- {
		if s := f.weak[w].sets[i]; s != nil && s.Contains(dev) {
			return Standing(i + 1)
		}
	}
	return Clear
}

// Hits yields the hits of a component, ordered by weakness.
func (f *Fleet) Hits(id ComponentID) iter.Seq[Hit] {
	return func(yield func(Hit) bool) {
		if int(id) >= len(f.comps) {
			return
		}
		for _, h := range f.comps[id].hits {
			if !yield(f.expand(id, &h)) {
				return
			}
		}
	}
}

// HasHits reports whether a component has any weakness.
func (f *Fleet) HasHits(id ComponentID) bool {
	return int(id) < len(f.comps) && len(f.comps[id].hits) > 0
}

// Union joins sets of devices of this fleet and keeps of them what is in
// within (nil: all of it). The result of one set and no within is that set itself: it must not be changed.
func (f *Fleet) Union(sets []*roaring.Bitmap, within *roaring.Bitmap) *roaring.Bitmap {
	out, _ := newGather(len(f.devices)).union(sets, within)
	return out
}

// HitOf returns a component's hit of one weakness.
func (f *Fleet) HitOf(id ComponentID, weakness string) (Hit, bool) {
	h := f.hitOf(id, weakness)
	if h == nil {
		return Hit{}, false
	}
	return f.expand(id, h), true
}

func (f *Fleet) hitOf(id ComponentID, weakness string) *hit {
	if int(id) >= len(f.comps) {
		return nil
	}
	hits := f.comps[id].hits
	i, ok := slices.BinarySearchFunc(hits, weakness, func(h hit, id string) int { return compareText(f.weak[h.weak].id, id) })
	if !ok {
		return nil
	}
	return &hits[i]
}

func (f *Fleet) expand(id ComponentID, h *hit) Hit {
	return Hit{Weakness: f.weak[h.weak].id, State: State(f.text[h.state]), Fixed: f.text[h.fixed], FixedBy: f.text[h.by], Exposed: h.bit&bitsCount != 0, Remedy: f.remedy(id, h)}
}

// DeviceHits yields every hit of every component of a device, by component, then weakness.
func (f *Fleet) DeviceHits(dev uint32) iter.Seq2[ComponentID, Hit] {
	return func(yield func(ComponentID, Hit) bool) {
		for _, id := range f.DeviceComponents(dev) {
			for _, h := range f.comps[id].hits {
				if !yield(id, f.expand(id, &h)) {
					return
				}
			}
		}
	}
}

// Weaknesses yields the ids of weaknesses that some component has, ascending.
func (f *Fleet) Weaknesses() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, w := range f.weakOrder {
			if len(f.weak[w].members) > 0 && !yield(f.weak[w].id) {
				return
			}
		}
	}
}

// WeaknessesFrom returns the ids of weaknesses that some component has or had,
// from the n-th (from 0) on that came. None is ever taken away, nor changes its place.
func (f *Fleet) WeaknessesFrom(n int) []string {
	var out []string
	for i := n; i < len(f.weak); i++ {
		out = append(out, f.weak[i].id)
	}
	return out
}

// WeaknessInfo counts the devices of one weakness.
type WeaknessInfo struct {
	ID       string
	Rating   Rating
	Exposed  int // devices where it counts in exposure
	Affected int // devices with any hit of it
	Fixable  int // of Exposed: a fixed version exists
}

// Weakness counts the devices of a weakness within scope (nil: all), ok false
// when no component has it.
func (f *Fleet) Weakness(id string, scope *roaring.Bitmap) (info WeaknessInfo, ok bool) {
	return f.Survey(scope).Weakness(id)
}

// ExposedDevices returns the devices where a weakness counts in exposure. The result is a copy.
func (f *Fleet) ExposedDevices(weakness string) *roaring.Bitmap {
	if w, ok := f.weakIDs[weakness]; ok {
		return f.weak[w].union(false)
	}
	return roaring.New()
}

// ExposedIn counts the devices of a set where a weakness counts in exposure.
func (f *Fleet) ExposedIn(weakness string, devs *roaring.Bitmap) int {
	w, ok := f.weakIDs[weakness]
	if !ok || devs.IsEmpty() {
		return 0
	}
	return f.weak[w].countExposed(devs)
}

// AffectedDevices returns the devices with any hit of a weakness. The result is a copy.
func (f *Fleet) AffectedDevices(weakness string) *roaring.Bitmap {
	if w, ok := f.weakIDs[weakness]; ok {
		return f.weak[w].union(true)
	}
	return roaring.New()
}

// ProductOf returns the product id of a component, "" for an id that is not in use.
func (f *Fleet) ProductOf(id ComponentID) string {
	if !f.known(id) {
		return ""
	}
	return f.products[f.comps[id].product].id
}

// WeaknessComponents returns the components that have a weakness, ascending.
func (f *Fleet) WeaknessComponents(weakness string) []ComponentID {
	w, ok := f.weakIDs[weakness]
	if !ok {
		return nil
	}
	out := make([]ComponentID, 0, len(f.weak[w].members))
	for _, m := range f.weak[w].members {
		out = append(out, m.id)
	}
	slices.Sort(out)
	return out
}

// ExposedWeaknesses counts the weaknesses that count in exposure on at least
// one device within scope (nil: all).
func (f *Fleet) ExposedWeaknesses(scope *roaring.Bitmap) int {
	n := 0
	for i := range f.weak {
		if f.weak[i].exposedIn(scope) {
			n++
		}
	}
	return n
}

// ExposedRatings yields the rating of each of those weaknesses, in no order.
func (f *Fleet) ExposedRatings(scope *roaring.Bitmap) iter.Seq[Rating] {
	return func(yield func(Rating) bool) {
		for i := range f.weak {
			if w := &f.weak[i]; w.exposedIn(scope) && !yield(w.rating) {
				return
			}
		}
	}
}

// exposedIn reports whether the weakness counts on a device within scope (nil: all).
func (w *weakness) exposedIn(scope *roaring.Bitmap) bool {
	return w.exposed > 0 && (scope == nil || w.sets[1] != nil && w.sets[1].Intersects(scope) || w.sets[2] != nil && w.sets[2].Intersects(scope))
}

// Products yields the ids of products that some device has (also those of
// which only configuration files remain), ascending.
func (f *Fleet) Products() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, p := range f.productOrder {
			if f.productUsed(p) && !yield(f.products[p].id) {
				return
			}
		}
	}
}

func (f *Fleet) productUsed(p uint32) bool {
	for _, id := range f.products[p].members {
		if !f.comps[id].devices.IsEmpty() {
			return true
		}
	}
	return false
}

// ProductInfo is one product over many devices.
type ProductInfo struct {
	ID         string
	Vendor     string
	Name       string
	Ecosystem  string
	Installed  int    // devices
	Exposed    int    // devices with a weakness of it that counts
	Versions   int    // distinct installed versions
	Counts     Counts // distinct weaknesses that count on at least one device; Products is 0
	Unassessed string // why a version of it could not be judged, "" when all could
}

// Product tells of one product within scope (nil: all devices), ok false when
// no device in scope has it.
func (f *Fleet) Product(id string, scope *roaring.Bitmap) (info ProductInfo, ok bool) {
	p, ok := f.productIDs[id]
	if !ok {
		return ProductInfo{}, false
	}
	prod := &f.products[p]
	live := f.live(prod.members, scope)
	if len(live) == 0 {
		return ProductInfo{}, false
	}
	first := &f.comps[live[0]]
	info = ProductInfo{ID: id, Vendor: first.Vendor, Name: first.Product, Ecosystem: first.Key.Ecosystem,
		Installed: cardinality(prod.installed, scope), Exposed: cardinality(prod.exposed, scope),
		Counts: f.countHits(slices.Values(live))}
	for i, id := range live {
		c := &f.comps[id]
		if f.kinds[id].bits&productInstalled != 0 && !slices.ContainsFunc(live[:i], func(o ComponentID) bool {
			return f.comps[o].Version == c.Version && f.kinds[o].bits&productInstalled != 0
		}) {
			info.Versions++
		}
		if info.Unassessed == "" && c.Role != Residual {
			info.Unassessed = c.unassessed
		}
	}
	return info, true
}

// ProductComponents returns the components of a product that some device in
// scope (nil: all) has, ascending.
func (f *Fleet) ProductComponents(product string, scope *roaring.Bitmap) []ComponentID {
	p, ok := f.productIDs[product]
	if !ok {
		return nil
	}
	return f.live(f.products[p].members, scope)
}

// live keeps the components that some device in scope has, ascending.
func (f *Fleet) live(members []ComponentID, scope *roaring.Bitmap) []ComponentID {
	out := make([]ComponentID, 0, len(members))
	list := f.followedBy(scope)
	for _, id := range members {
		if f.heldIn(id, scope, list) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// VersionInfo is one version of a product over many devices.
type VersionInfo struct {
	Version   string
	Installed int
	Counts    Counts // distinct weaknesses of this version that count
}

// ProductVersions returns the installed versions of a product within scope
// (nil: all), ordered by version text.
func (f *Fleet) ProductVersions(product string, scope *roaring.Bitmap) []VersionInfo {
	byVersion := map[string][]ComponentID{}
	for _, id := range f.ProductComponents(product, scope) {
		if f.kinds[id].bits&productInstalled != 0 {
			v := f.comps[id].Version
			byVersion[v] = append(byVersion[v], id)
		}
	}
	out := make([]VersionInfo, 0, len(byVersion))
	for v, ids := range byVersion {
		devs := roaring.New()
		for _, id := range ids {
			devs.Or(f.comps[id].devices)
		}
		out = append(out, VersionInfo{Version: v, Installed: cardinality(devs, scope), Counts: f.countHits(slices.Values(ids))})
	}
	slices.SortFunc(out, func(a, b VersionInfo) int { return compareText(a.Version, b.Version) })
	return out
}

// InstalledDevices returns the devices that have a product.
func (f *Fleet) InstalledDevices(product string) *roaring.Bitmap {
	if p, ok := f.productIDs[product]; ok {
		return f.products[p].installed
	}
	return roaring.New()
}

// ProductExposedDevices returns the devices where some weakness of a product counts.
func (f *Fleet) ProductExposedDevices(product string) *roaring.Bitmap {
	if p, ok := f.productIDs[product]; ok {
		return f.products[p].exposed
	}
	return roaring.New()
}

// countHits counts the distinct weaknesses of some components.
func (f *Fleet) countHits(ids iter.Seq[ComponentID]) Counts {
	s := f.pool.Get().(*scratch)
	defer f.pool.Put(s)
	s.weak.begin(len(f.weak))
	for id := range ids {
		for _, h := range f.comps[id].hits {
			s.weak.touch(h.weak)
			s.weak.now[h.weak] |= h.bit
		}
	}
	var sum tally
	for _, w := range s.weak.touched {
		sum.add(f.adds.of(f.classes[w], s.weak.now[w]))
	}
	return sum.counts(0)
}

// countExposed counts the devices in scope where the weakness counts.
func (w *weakness) countExposed(scope *roaring.Bitmap) int {
	a, b := w.sets[1], w.sets[2]
	n := cardinality(a, scope) + cardinality(b, scope)
	if a != nil && b != nil && a.Intersects(b) {
		n -= cardinality(roaring.And(a, b), scope)
	}
	return n
}

// union returns a copy of the devices where the weakness counts, with those
// where it is hidden too if asked.
func (w *weakness) union(hidden bool) *roaring.Bitmap {
	out := roaring.New()
	for i, s := range w.sets {
		if s != nil && (i > 0 || hidden) {
			out.Or(s)
		}
	}
	return out
}

// cardinality counts a set (nil: empty) within scope (nil: everything).
func cardinality(set, scope *roaring.Bitmap) int {
	switch {
	case set == nil:
		return 0
	case scope == nil:
		return int(set.GetCardinality())
	}
	return int(set.AndCardinality(scope))
}
