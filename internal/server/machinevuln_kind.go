package server

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/exposure"
)

// mostMasks is how many different sets of devices one condition may make.
const mostMasks = 1024

// ErrManySets says that a condition joins devices with the rest of the rows in
// too many ways.
var ErrManySets = errors.New("the condition asks for too many different sets of devices; ask for them one after the other")

// vulnKind are the rows that differ in nothing but the device: those of the
// devices in devs that are in mask (nil: all). Both are shared.
type vulnKind struct {
	comp       exposure.ComponentID
	cve, fixed string
	devs, mask *roaring.Bitmap
	rows       int
	rank       []uint32 // by the keys before the device's
}

func (k *vulnKind) has(num uint32) bool {
	return k.devs.Contains(num) && (k.mask == nil || k.mask.Contains(num))
}

// vulnKinds finds the rows of a query by their kinds. It is good while core.mu
// is held for reading.
type vulnKinds struct {
	c     *core
	q     *MachineVulnQuery
	lens  lens
	base  *roaring.Bitmap // the devices that rows may be of
	kinds []vulnKind

	leaves []*MachineVulnCondition // of the condition that look at no device
	sets   map[*MachineVulnCondition]*roaring.Bitmap
	masks  map[string]*roaring.Bitmap // by what leaves say
	truth  []byte

	front, back []MachineVulnKey // the keys before and behind the device's
	byDevice    int              // 1 ascending, -1 descending, 0: in order of enrolment

	page MachineVulnPage
	skip int
	far  int // how many rows are rather counted than walked over
}

// vulnsByKind takes a page from the index. More than far rows to be skipped
// are rather counted than walked over.
func (c *core) vulnsByKind(ctx context.Context, caller Caller, q *MachineVulnQuery, far int) (MachineVulnPage, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	l := c.lens(caller)
	v := &vulnKinds{c: c, q: q, lens: l, base: l.of(c.active()), skip: q.Skip, far: far, sets: map[*MachineVulnCondition]*roaring.Bitmap{}, masks: map[string]*roaring.Bitmap{}}
	v.split()
	if err := v.gather(ctx); err != nil {
		return MachineVulnPage{}, err
	}
	v.page.looked = len(v.kinds)
	if q.Count {
		for i := range v.kinds {
			v.page.Total += v.kinds[i].rows
		}
	}
	if q.Limit > 0 {
		v.serve(ctx)
	}
	return v.page, ctx.Err()
}

// split divides the keys, and notes what the condition asks of rows and of devices.
func (v *vulnKinds) split() {
	v.front = v.q.Order
	if i := slices.IndexFunc(v.q.Order, func(k MachineVulnKey) bool { return k.Value == nil }); i >= 0 {
		v.front, v.back = v.q.Order[:i], v.q.Order[i+1:]
		if v.byDevice = 1; v.q.Order[i].Desc {
			v.byDevice = -1
		}
	}
	for leaf := range v.q.Where.leaves {
		if leaf.Device == nil {
			v.leaves = append(v.leaves, leaf)
			continue
		}
		set := roaring.New()
		for it := v.base.Iterator(); it.HasNext(); {
			if d := v.c.at(it.Next()); d != nil && leaf.Device(d.id) {
				set.Add(d.num)
			}
		}
		v.sets[leaf] = set
	}
	v.truth = make([]byte, len(v.leaves))
}

// gather fills kinds.
func (v *vulnKinds) gather(ctx context.Context) error {
	products := v.c.fleet.Products()
	if v.q.Weakness != "" {
		products = v.productsWith(v.q.Weakness)
	}
	for product := range products {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		ids := v.c.fleet.ProductComponents(product, nil)
		alike := func(a, b exposure.ComponentID) int { // names of one product may differ in case
			x, y := v.c.fleet.Component(a), v.c.fleet.Component(b)
			return cmp.Or(strings.Compare(x.Version, y.Version), strings.Compare(x.Product, y.Product), strings.Compare(x.Vendor, y.Vendor))
		}
		slices.SortFunc(ids, func(a, b exposure.ComponentID) int { return cmp.Or(alike(a, b), cmp.Compare(a, b)) })
		for len(ids) > 0 {
			n := 1 // of those that rows cannot tell apart
			for n < len(ids) && alike(ids[n], ids[0]) == 0 {
				n++
			}
			if err := v.gatherAlike(ids[:n]); err != nil {
				return err
			}
			ids = ids[n:]
		}
	}
	return v.rank()
}

// productsWith yields the products with a component that has a weakness, each once.
func (v *vulnKinds) productsWith(weakness string) iter.Seq[string] {
	known := map[string]bool{}
	for _, id := range v.c.fleet.WeaknessComponents(weakness) {
		known[v.c.fleet.ProductOf(id)] = true
	}
	return maps.Keys(known)
}

// gatherAlike adds the kinds of components that rows cannot tell apart: a
// device that has several has one row of each weakness, that of the first.
func (v *vulnKinds) gatherAlike(ids []exposure.ComponentID) error {
	apart := true
	if len(ids) > 1 {
		seen := roaring.New()
		for _, id := range ids {
			devs := v.c.fleet.DevicesOf(id)
			apart = apart && !seen.Intersects(devs)
			seen.Or(devs)
		}
	}
	taken := map[string]*roaring.Bitmap{} // by weakness, unless they are apart
	for _, id := range ids {
		k, all := v.c.fleet.Component(id), v.c.fleet.DevicesOf(id)
		counts := counted{}
		row := MachineVuln{Vendor: k.Vendor, Product: k.Product, Version: k.Version}
		for h := range v.c.fleet.Hits(id) {
			if !h.Exposed || v.q.Weakness != "" && h.Weakness != v.q.Weakness {
				continue
			}
			devs := all
			if !apart {
				if t := taken[h.Weakness]; t == nil {
					taken[h.Weakness] = all.Clone()
				} else {
					devs = roaring.AndNot(all, t)
					t.Or(all)
				}
			}
			row.CVE, row.Severity, row.FixingID = h.Weakness, string(v.c.peek(h.Weakness).Severity), h.FixedBy
			mask, some, err := v.mask(&row)
			if err != nil {
				return err
			}
			if !some {
				continue
			}
			if n := counts.of(devs, mask); n > 0 {
				v.kinds = append(v.kinds, vulnKind{comp: id, cve: h.Weakness, fixed: h.FixedBy, devs: devs, mask: mask, rows: n})
			}
		}
	}
	return nil
}

// counted remembers how many devices were counted last.
type counted struct {
	devs, mask *roaring.Bitmap
	n          int
}

func (c *counted) of(devs, mask *roaring.Bitmap) int {
	if c.devs != devs || c.mask != mask {
		c.devs, c.mask = devs, mask
		if c.n = 0; mask == nil {
			c.n = int(devs.GetCardinality())
		} else {
			c.n = int(devs.AndCardinality(mask))
		}
	}
	return c.n
}

// mask are the devices for which the condition holds with the rest of a row,
// nil for all there are; some is false for none.
func (v *vulnKinds) mask(row *MachineVuln) (mask *roaring.Bitmap, some bool, err error) {
	if len(v.sets) == 0 {
		return v.lens.devs, v.q.Where.Holds(row), nil
	}
	for i, leaf := range v.leaves {
		if v.truth[i] = 0; leaf.Row(row) {
			v.truth[i] = 1
		}
	}
	if m, ok := v.masks[string(v.truth)]; ok {
		return m, !m.IsEmpty(), nil
	}
	if len(v.masks) == mostMasks {
		return nil, false, ErrManySets
	}
	m := v.devices(v.q.Where, row)
	v.masks[string(v.truth)] = m
	return m, !m.IsEmpty(), nil
}

// devices are those for which a condition holds with the rest of a row. The
// result must not be changed.
func (v *vulnKinds) devices(c *MachineVulnCondition, row *MachineVuln) *roaring.Bitmap {
	if set := v.sets[c]; set != nil {
		return set
	}
	if c.Op == "" {
		if c.Row(row) {
			return v.base
		}
		return roaring.New()
	}
	out := v.devices(c.Kids[0], row)
	if c.Op == "not" {
		return roaring.AndNot(v.base, out)
	}
	for _, k := range c.Kids[1:] {
		if c.Op == "and" {
			out = roaring.And(out, v.devices(k, row))
		} else {
			out = roaring.Or(out, v.devices(k, row))
		}
	}
	return out
}

// rank orders the kinds by the keys before the device's: equal ranks are one group.
func (v *vulnKinds) rank() error {
	if len(v.front) == 0 {
		return nil
	}
	ranks := make([]uint32, len(v.front)*len(v.kinds))
	var row MachineVuln
	for n := range v.front {
		key := &v.front[n]
		at := map[string]uint32{}
		for i := range v.kinds {
			v.fill(&v.kinds[i], &row)
			at[key.Value(&row)] = 0
		}
		values := slices.Sorted(maps.Keys(at))
		if key.Desc {
			slices.Reverse(values)
		}
		for i, s := range values {
			at[s] = uint32(i)
		}
		for i := range v.kinds {
			v.fill(&v.kinds[i], &row)
			ranks[i*len(v.front)+n] = at[key.Value(&row)]
		}
	}
	for i := range v.kinds {
		v.kinds[i].rank = ranks[i*len(v.front) : (i+1)*len(v.front)]
	}
	slices.SortFunc(v.kinds, func(a, b vulnKind) int { return cmp.Or(slices.Compare(a.rank, b.rank), cmp.Compare(a.comp, b.comp)) })
	return nil
}

// fill makes a row of a kind, without the device.
func (v *vulnKinds) fill(k *vulnKind, row *MachineVuln) {
	c := v.c.fleet.Component(k.comp)
	*row = MachineVuln{CVE: k.cve, Vendor: c.Vendor, Product: c.Product, Version: c.Version, Severity: string(v.c.peek(k.cve).Severity), FixingID: k.fixed}
}

// serve fills the page group by group.
func (v *vulnKinds) serve(ctx context.Context) {
	for rest := v.kinds; len(rest) > 0 && !v.page.More && ctx.Err() == nil; {
		n := 1
		for n < len(rest) && slices.Equal(rest[n].rank, rest[0].rank) {
			n++
		}
		group := rest[:n]
		rest = rest[n:]
		after := v.q.After
		if after != nil {
			var row MachineVuln
			v.fill(&group[0], &row)
			side := 0
			for i := range v.front {
				if side = v.front[i].compare(&row, after); side != 0 {
					break
				}
			}
			if side < 0 {
				continue
			}
			if side > 0 {
				after = nil
			}
		}
		if after == nil {
			if total := sum(group); total <= v.skip {
				v.skip -= total
				continue
			}
		}
		v.serveGroup(ctx, group, after)
	}
}

func sum(group []vulnKind) (n int) {
	for i := range group {
		n += group[i].rows
	}
	return n
}

// serveGroup adds rows of kinds that the keys before the device's do not tell apart.
func (v *vulnKinds) serveGroup(ctx context.Context, group []vulnKind, after *MachineVuln) {
	nums := v.inOrder(v.unite(group), after)
	at := map[exposure.ComponentID][]int{}
	for i := range group {
		at[group[i].comp] = append(at[group[i].comp], i)
	}
	if after != nil && len(nums) > 0 && v.c.devices[nums[0]].id == after.Device {
		v.serveDevice(nums[0], group, at, after)
		nums = nums[1:]
	}
	if v.skip > v.far {
		nums = v.jump(group, nums)
	}
	for _, num := range nums {
		if v.page.More || ctx.Err() != nil {
			return
		}
		v.serveDevice(num, group, at, nil)
	}
}

// unite are the devices with rows of some kinds.
func (v *vulnKinds) unite(group []vulnKind) *roaring.Bitmap {
	out := roaring.New()
	parts := map[*roaring.Bitmap]*roaring.Bitmap{} // by mask
	most := v.base.GetCardinality()
	for i := range group {
		k := &group[i]
		if i > 0 && group[i-1].devs == k.devs && group[i-1].mask == k.mask {
			continue
		}
		if parts[k.mask] == nil {
			parts[k.mask] = roaring.New()
		}
		parts[k.mask].Or(k.devs)
		if i%64 == 63 && parts[k.mask].GetCardinality() >= most && k.mask == nil {
			return parts[k.mask] // that is all there are
		}
	}
	for mask, devs := range parts {
		if mask != nil {
			devs = roaring.And(devs, mask)
		}
		out.Or(devs)
	}
	return out
}

// inOrder lists devices as the rows have them, from the one of a row (nil: the first) on.
func (v *vulnKinds) inOrder(devs *roaring.Bitmap, after *MachineVuln) []uint32 {
	var nums []uint32
	if v.byDevice == 0 {
		nums = devs.ToArray()
	} else {
		for _, num := range v.c.inIDOrder() {
			if devs.Contains(num) {
				nums = append(nums, num)
			}
		}
	}
	if v.byDevice < 0 {
		slices.Reverse(nums)
	}
	if after == nil {
		return nums
	}
	i, _ := slices.BinarySearchFunc(nums, after, func(num uint32, at *MachineVuln) int {
		if v.byDevice != 0 {
			return v.byDevice * strings.Compare(string(v.c.devices[num].id), string(at.Device))
		}
		return cmp.Compare(num, at.Num)
	})
	return nums[i:]
}

// jump leaves out devices whose rows are all to be skipped.
func (v *vulnKinds) jump(group []vulnKind, nums []uint32) []uint32 {
	rows := make([]uint32, len(v.c.devices)) // by device
	buf := make([]uint32, 1024)
	for i := 0; i < len(group); {
		k, times := &group[i], uint32(0)
		for ; i < len(group) && group[i].devs == k.devs && group[i].mask == k.mask; i++ {
			times++
		}
		devs := k.devs
		if k.mask != nil {
			devs = roaring.And(devs, k.mask)
		}
		it := devs.ManyIterator()
		for n := it.NextMany(buf); n > 0; n = it.NextMany(buf) {
			for _, num := range buf[:n] {
				rows[num] += times
			}
		}
	}
	for len(nums) > 0 && int(rows[nums[0]]) <= v.skip {
		v.skip -= int(rows[nums[0]])
		nums = nums[1:]
	}
	return nums
}

// serveDevice adds the rows of a device of some kinds, which at has by component.
func (v *vulnKinds) serveDevice(num uint32, group []vulnKind, at map[exposure.ComponentID][]int, after *MachineVuln) {
	d := v.c.devices[num]
	var rows []MachineVuln
	add := func(k *vulnKind) {
		if !k.has(num) {
			return
		}
		var row MachineVuln
		v.fill(k, &row)
		row.Num, row.Device = num, d.id
		if after == nil || v.q.order(&row, after) > 0 {
			rows = append(rows, row)
		}
	}
	if comps := v.c.fleet.DeviceComponents(num); len(comps) < len(group) {
		for _, id := range comps {
			for _, i := range at[id] {
				add(&group[i])
			}
		}
	} else {
		for i := range group {
			add(&group[i])
		}
	}
	v.page.looked += len(rows)
	if len(rows) <= v.skip {
		v.skip -= len(rows)
		return
	}
	slices.SortFunc(rows, func(a, b MachineVuln) int {
		for i := range v.back {
			if n := v.back[i].compare(&a, &b); n != 0 {
				return n
			}
		}
		return a.orderInDevice(&b)
	})
	rows = rows[v.skip:]
	v.skip = 0
	room := v.q.Limit - len(v.page.Rows)
	v.page.More = len(rows) > room
	v.page.Rows = append(v.page.Rows, rows[:min(room, len(rows))]...)
}
