package exposure

import (
	"maps"
	"slices"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/advisory"
)

// ComponentID names an interned component within one Fleet: dense, from 0. An
// id may be used again after Forget and Free.
type ComponentID uint32

// Standing says how a device (or a component) stands to one weakness.
type Standing uint8

// The standings, least first.
const (
	Clear   Standing = iota // no match
	Hidden                  // matched, but outside exposure (latent kernel, unimportant …)
	Exposed                 // counts in exposure, no fixed version is known
	Fixable                 // counts in exposure, a fixed version exists
)

// Rating is what the fleet's counts need to know of a weakness.
type Rating struct {
	Severity    advisory.Severity
	Exploitable bool   // a public exploit or worse
	KEV         bool   // in CISA's catalogue
	Points      Points // what it weighs in scores, see WeaknessPoints
}

// Hit is one weakness of one component, without the evidence: Assess the
// component again for the statement and the rule.
type Hit struct {
	Weakness string
	State    State
	Fixed    string
	FixedBy  string // vendor's advisory that announced the fix, "" if none
	Exposed  bool
	Remedy   Remedy // what closes it on a device, when it counts in exposure
}

// DeviceChange is a weakness whose standing on a device changed.
type DeviceChange struct {
	Weakness string
	Was, Now Standing
}

// DeviceDiff is what SetDevice changed.
type DeviceDiff struct {
	Added, Removed []ComponentID  // ascending
	Changes        []DeviceChange // each weakness once, in no order
}

// AssessmentDiff is what SetAssessment changed for the component, each list
// ordered by weakness.
type AssessmentDiff struct {
	Opened  []string // matched now, not before
	Closed  []string // matched before, not now
	Changed []string // matched before and now, in another state or with another fix
	Before  []Hit    // what Closed and Changed were, ordered by weakness
}

// Empty reports whether nothing changed.
func (d AssessmentDiff) Empty() bool { return len(d.Opened)+len(d.Closed)+len(d.Changed) == 0 }

// Fleet joins devices, components and weaknesses by bitmaps, so that no answer
// costs a walk over all devices:
//
//	f := exposure.NewFleet(rate)
//	id, isNew := f.Intern(component)
//	f.SetDevice(7, []exposure.ComponentID{id})
//	f.SetAssessment(id, &assessment)
//	exposed := f.ExposedDevices("CVE-2024-1")
//
// Devices are dense small numbers that the owner assigns. The order of
// SetDevice and SetAssessment does not matter: the state is the same function
// of the last assessment of each component and the last list of each device.
//
// Fleet is not safe for concurrent change. Methods that only read may run side
// by side with each other while nothing changes it: the owner holds a
// read-write lock. Bitmaps that reading methods return are shared unless a
// method says otherwise: they must not be changed, and not be read after the
// lock was given back.
type Fleet struct {
	rate func(weakness string) Rating

	ids   map[Component]ComponentID
	byKey map[advisory.Key][]ComponentID
	comps []component
	kinds []kind // by component: what walks over devices need of it, side by side
	free  []ComponentID

	weakIDs   map[string]uint32
	weak      []weakness
	weakOrder []uint32 // by weakness id

	productIDs   map[string]uint32
	products     []product
	productOrder []uint32 // by product id

	lines   []lineCause // of ended lines
	lineIDs map[causeKey]uint32

	devices   [][]ComponentID // by device, each component once
	tally     []tally         // by device
	installed []uint32        // by device: products
	present   *roaring.Bitmap
	resting   *roaring.Bitmap // of those present: in no list and count over devices
	classes   []class         // by weakness
	adds      *tallies
	bulk      bool // inside Bulk: bitmaps and counts are stale
	held      held // within one SetAssessments
	scores    *Scores
	changes   uint64 // of assessments and ratings
	quiet     quiet
	parts     parts

	text    []string          // interned fixed versions, advisories and states
	textIDs map[string]uint32 //
	work    *scratch          // of the changing methods
	pool    sync.Pool         // of *scratch, for reading methods
}

// component is the state of one interned component.
type component struct {
	Component
	product    uint32
	devices    *roaring.Bitmap
	hits       []hit // by weakness id (text)
	unassessed string
	assessed   bool
	exposed    bool   // some hit counts in exposure
	kept       uint32 // resting devices that have it
	line       Line   // that has ended, else zero
	cause      uint32 // of the line, when it is not zero
}

// kind is what a component makes of its product on a device; bits is 0 only
// for ids that are free.
type kind struct {
	product uint32
	bits    uint8
}

// hit is a Hit in twenty bytes; fixed, by and state are interned texts.
type hit struct {
	weak  uint32
	fixed uint32
	by    uint32
	state uint32
	bit   uint8 // 1 << (Standing-1)
}

// weakness is the state of one weakness. sets holds the devices by standing
// of any of their components: hidden, exposed without a fix, exposed with one.
// A device may be in several; the highest is its standing.
type weakness struct {
	id      string
	rating  Rating
	sets    [3]*roaring.Bitmap // nil: empty
	members []member           // components with a hit of it, in no order: changed by join and leave
	sign    sign               // of the members
	exposed uint32             // devices in sets[1] or sets[2]
}

// member is a component that has a weakness, with the standing bit of its hit.
type member struct {
	id  ComponentID
	bit uint8
}

// product is the state of one product.
type product struct {
	id        string
	members   []ComponentID
	installed *roaring.Bitmap
	exposed   *roaring.Bitmap
}

// NewFleet returns an empty fleet. rate is asked once per weakness when it
// first appears and again by Rerate; it must not call the fleet.
func NewFleet(rate func(weakness string) Rating) *Fleet {
	f := &Fleet{
		rate:       rate,
		ids:        map[Component]ComponentID{},
		byKey:      map[advisory.Key][]ComponentID{},
		weakIDs:    map[string]uint32{},
		productIDs: map[string]uint32{},
		lineIDs:    map[causeKey]uint32{},
		textIDs:    map[string]uint32{"": 0},
		text:       []string{""},
		present:    roaring.New(),
		resting:    roaring.New(),
		adds:       newTallies(),
		held:       held{gains: map[gained][]ComponentID{}, rising: map[uint32][]ComponentID{}, columns: map[columnKey]*columns{}},
		work:       &scratch{},
	}
	f.pool.New = func() any { return &scratch{} }
	f.scores = newScores(f)
	return f
}

// Intern returns the id of a component, a new one when it was not known. A new
// component has no assessment: the owner assesses it.
func (f *Fleet) Intern(c Component) (id ComponentID, isNew bool) {
	if id, ok := f.ids[c]; ok {
		return id, false
	}
	if n := len(f.free); n > 0 {
		id, f.free = f.free[n-1], f.free[:n-1]
	} else {
		id = ComponentID(len(f.comps))
		f.comps = append(f.comps, component{})
		f.kinds = append(f.kinds, kind{})
	}
	f.intern(id, c)
	return id, true
}

// intern makes a component known under an id that is not in use.
func (f *Fleet) intern(id ComponentID, c Component) {
	p := f.internProduct(c.ID())
	f.comps[id] = component{Component: c, product: p, devices: roaring.New()}
	f.kinds[id] = kind{product: p, bits: productListed}
	if c.Role != Residual && c.Role != InMemory {
		f.kinds[id].bits |= productInstalled
	}
	f.products[p].members = append(f.products[p].members, id)
	f.ids[c] = id
	f.byKey[c.Key] = append(f.byKey[c.Key], id)
}

// known reports whether an id is in use.
func (f *Fleet) known(id ComponentID) bool { return int(id) < len(f.kinds) && f.kinds[id].bits != 0 }

// Lookup returns the id of a component that is interned.
func (f *Fleet) Lookup(c Component) (ComponentID, bool) {
	id, ok := f.ids[c]
	return id, ok
}

// Component returns an interned component, the zero Component for an id that is not in use.
func (f *Fleet) Component(id ComponentID) Component {
	if int(id) >= len(f.comps) {
		return Component{}
	}
	return f.comps[id].Component
}

// Components returns the ids in use, ascending.
func (f *Fleet) Components() []ComponentID {
	out := make([]ComponentID, 0, len(f.ids))
	for i := range f.comps {
		if f.kinds[i].bits != 0 {
			out = append(out, ComponentID(i))
		}
	}
	return out
}

// ComponentsByPackage returns the ids in use in the order of what statements
// concern them: those of one package are side by side.
func (f *Fleet) ComponentsByPackage() []ComponentID {
	out := make([]ComponentID, 0, len(f.ids))
	for _, k := range slices.SortedFunc(maps.Keys(f.byKey), advisory.Key.Compare) {
		out = append(out, f.byKey[k]...)
	}
	return out
}

// ComponentsByKey returns the components that statements about k concern, in
// no fixed order: what an intelligence delta has to assess again. The result is shared.
func (f *Fleet) ComponentsByKey(k advisory.Key) []ComponentID { return f.byKey[k] }

// DevicesOf returns the devices that have the component.
func (f *Fleet) DevicesOf(id ComponentID) *roaring.Bitmap {
	if !f.known(id) {
		return roaring.New()
	}
	return f.comps[id].devices
}

// Assessed reports whether SetAssessment was called for the component, and why
// it could not be judged ("" when it could).
func (f *Fleet) Assessed(id ComponentID) (done bool, unassessed string) {
	if int(id) >= len(f.comps) {
		return false, ""
	}
	return f.comps[id].assessed, f.comps[id].unassessed
}

// Restore interns a component under the id that it had, for owners that keep
// ids, and reports whether it could: neither may be in use. Smaller ids that are
// not in use stay out of use until Free.
func (f *Fleet) Restore(id ComponentID, c Component) bool {
	if _, ok := f.ids[c]; ok || f.known(id) {
		return false
	}
	f.Reserve(id)
	f.intern(id, c)
	return true
}

// Reserve keeps an id that is not in use yet, and all smaller ones, from being
// given to a component before Free.
func (f *Fleet) Reserve(id ComponentID) {
	if n := int(id) + 1 - len(f.comps); n > 0 {
		f.comps = append(f.comps, make([]component, n)...)
		f.kinds = append(f.kinds, make([]kind, n)...)
	}
}

// Idle returns the components that no device has, resting ones included, ascending.
func (f *Fleet) Idle() (out []ComponentID) {
	for i := range f.comps {
		if f.idle(ComponentID(i)) {
			out = append(out, ComponentID(i))
		}
	}
	return out
}

func (f *Fleet) idle(id ComponentID) bool {
	return f.known(id) && f.comps[id].devices.IsEmpty() && f.comps[id].kept == 0
}

// Forget takes out a component that no device has, and reports whether it did.
// Its id is not used again before Free. Inside Bulk it does nothing.
func (f *Fleet) Forget(id ComponentID) bool {
	if f.bulk || !f.idle(id) {
		return false
	}
	c := &f.comps[id]
	f.SetAssessment(id, &Assessment{})
	f.SetLine(id, Line{})
	f.products[c.product].members = without(f.products[c.product].members, id)
	if rest := without(f.byKey[c.Key], id); len(rest) > 0 {
		f.byKey[c.Key] = rest
	} else {
		delete(f.byKey, c.Key)
	}
	delete(f.ids, c.Component)
	*c, f.kinds[id] = component{}, kind{}
	return true
}

// Free lets ids that Forget or Reserve took out of use be given to components
// again. Each is freed once.
func (f *Fleet) Free(ids ...ComponentID) {
	for _, id := range ids {
		if int(id) < len(f.kinds) && !f.known(id) {
			f.free = append(f.free, id)
		}
	}
}

// without removes id from a list whose order does not matter.
func without(list []ComponentID, id ComponentID) []ComponentID {
	if i := slices.Index(list, id); i >= 0 {
		list[i] = list[len(list)-1]
		list = list[:len(list)-1]
	}
	return list
}

func (f *Fleet) internProduct(id string) uint32 {
	if p, ok := f.productIDs[id]; ok {
		return p
	}
	p := uint32(len(f.products))
	f.products = append(f.products, product{id: id, installed: roaring.New(), exposed: roaring.New()})
	f.productIDs[id] = p
	at, _ := slices.BinarySearchFunc(f.productOrder, id, func(o uint32, id string) int { return compareText(f.products[o].id, id) })
	f.productOrder = slices.Insert(f.productOrder, at, p)
	return p
}

func (f *Fleet) internWeakness(id string) uint32 {
	if w, ok := f.weakIDs[id]; ok {
		return w
	}
	w := uint32(len(f.weak))
	rating := f.rate(id)
	f.weak = append(f.weak, weakness{id: id, rating: rating})
	f.classes = append(f.classes, rating.class())
	f.weakIDs[id] = w
	at, _ := slices.BinarySearchFunc(f.weakOrder, id, func(o uint32, id string) int { return compareText(f.weak[o].id, id) })
	f.weakOrder = slices.Insert(f.weakOrder, at, w)
	return w
}

func (f *Fleet) internText(s string) uint32 {
	if i, ok := f.textIDs[s]; ok {
		return i
	}
	i := uint32(len(f.text))
	f.text = append(f.text, s)
	f.textIDs[s] = i
	return i
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
