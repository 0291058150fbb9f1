package server

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
)

// MachineVuln is one (device, weakness, product, version) for programs.
type MachineVuln struct {
	Num      uint32 // the device's place in the order of enrolment
	Device   inventory.DeviceID
	CVE      string
	Vendor   string
	Product  string
	Version  string
	Severity string
	FixingID string // advisory that announced the fix (DSA, USN, RHSA), "" if none
}

// Order puts rows in the order in which MachineVulns has them when nothing else
// is asked for: by device in order of enrolment, then weakness, vendor, product, version.
func (v *MachineVuln) Order(o *MachineVuln) int {
	return cmp.Or(cmp.Compare(v.Num, o.Num), v.orderInDevice(o))
}

func (v *MachineVuln) orderInDevice(o *MachineVuln) int {
	return cmp.Or(compareIDs(v.CVE, o.CVE), strings.Compare(v.Vendor, o.Vendor), strings.Compare(v.Product, o.Product), strings.Compare(v.Version, o.Version))
}

// MachineVulnQuery says which rows MachineVulns answers; the zero value is no
// row of all of them.
type MachineVulnQuery struct {
	Device   inventory.DeviceID    // "": of every device
	Weakness string                // in any of its ids; "": every one
	Where    *MachineVulnCondition // nil: all
	Order    []MachineVulnKey      // before MachineVuln.Order
	After    *MachineVuln          // only what comes behind this row, which need not exist any more
	Skip     int                   // rows to leave out, behind After
	Limit    int                   // rows to answer
	Count    bool                  // whether to count what Device, Weakness and Where leave
}

// MachineVulnPage is an answer of MachineVulns.
type MachineVulnPage struct {
	Rows  []MachineVuln
	More  bool // rows follow
	Total int  // when it was asked for, else 0

	looked int // rows and kinds of rows that were looked at
}

// MachineVulnKey is something to order by.
type MachineVulnKey struct {
	Value func(*MachineVuln) string // must not look at Num and Device; nil: the device's id
	Desc  bool
}

// compare orders two rows by the key.
func (k *MachineVulnKey) compare(a, b *MachineVuln) (n int) {
	if k.Value == nil {
		n = strings.Compare(string(a.Device), string(b.Device))
	} else {
		n = strings.Compare(k.Value(a), k.Value(b))
	}
	if k.Desc {
		return -n
	}
	return n
}

// order is the whole order of a query.
func (q *MachineVulnQuery) order(a, b *MachineVuln) int {
	for i := range q.Order {
		if n := q.Order[i].compare(a, b); n != 0 {
			return n
		}
	}
	return a.Order(b)
}

// MachineVulnCondition is a condition on rows. A leaf says what it looks at, so
// that it is asked once per device or once per kind of row where it can be.
type MachineVulnCondition struct {
	Op   string // "and", "or", "not"; "" is a leaf, which has exactly one of Row, Device and Both
	Kids []*MachineVulnCondition

	Row    func(*MachineVuln) bool       // looks at anything but Num and Device
	Device func(inventory.DeviceID) bool // looks at the device alone
	Both   func(*MachineVuln) bool       // looks at anything: every row is looked at
}

// Holds reports whether the condition, which may be nil, is true for a row.
func (c *MachineVulnCondition) Holds(v *MachineVuln) bool {
	if c == nil {
		return true
	}
	switch {
	case c.Op == "not":
		return !c.Kids[0].Holds(v)
	case c.Op != "":
		stop := c.Op == "or"
		for _, k := range c.Kids {
			if k.Holds(v) == stop {
				return stop
			}
		}
		return !stop
	case c.Row != nil:
		return c.Row(v)
	case c.Device != nil:
		return c.Device(v.Device)
	}
	return c.Both(v)
}

// leaves yields the leaves in their order.
func (c *MachineVulnCondition) leaves(yield func(*MachineVulnCondition) bool) {
	c.walk(yield)
}

func (c *MachineVulnCondition) walk(yield func(*MachineVulnCondition) bool) bool {
	if c == nil {
		return true
	}
	if c.Op == "" {
		return yield(c)
	}
	for _, k := range c.Kids {
		if !k.walk(yield) {
			return false
		}
	}
	return true
}

// farSkip is how many rows are rather counted in the index than walked over.
const farSkip = 20_000

// MachineVulns answers rows of what counts in exposure. It costs what the page
// holds, and where it filters, orders or counts, what there is of distinct
// components and their weaknesses; not what the fleet has of rows. Only a
// condition on Both looks at each.
func (s *Server) MachineVulns(ctx context.Context, caller Caller, q MachineVulnQuery) (MachineVulnPage, error) {
	if err := s.need(caller, VulnerabilityRead); err != nil {
		return MachineVulnPage{}, err
	}
	if q.Weakness != "" {
		q.Weakness = s.canonical(q.Weakness)
	}
	each := q.Device != ""
	for leaf := range q.Where.leaves {
		each = each || leaf.Both != nil
	}
	switch plain := q.Where == nil && !q.Count && q.Skip <= farSkip; {
	case q.Order == nil && (each || plain):
		return s.core.vulnsInTurn(ctx, caller, &q)
	case each:
		return s.core.vulnsSorted(ctx, caller, &q)
	}
	return s.core.vulnsByKind(ctx, caller, &q, farSkip)
}

// vulnsInTurn takes a page from the rows as they come.
func (c *core) vulnsInTurn(ctx context.Context, caller Caller, q *MachineVulnQuery) (page MachineVulnPage, err error) {
	skip, after := q.Skip, q.After
	if q.Count { // counts what lies before it too
		after = nil
	}
	for row := range c.machineVulnRows(ctx, caller, q, after) {
		page.looked++
		if !q.Where.Holds(&row) {
			continue
		}
		if q.Count {
			page.Total++
		}
		switch {
		case q.After != nil && row.Order(q.After) <= 0:
		case skip > 0:
			skip--
		case len(page.Rows) < q.Limit:
			page.Rows = append(page.Rows, row)
		default:
			if page.More = true; !q.Count {
				return page, nil
			}
		}
	}
	return page, ctx.Err()
}

// vulnsSorted looks at every row there is of what is asked about. It holds at
// most twice the rows up to the end of the page.
func (c *core) vulnsSorted(ctx context.Context, caller Caller, q *MachineVulnQuery) (page MachineVulnPage, err error) {
	want := q.Skip + q.Limit + 1
	cut := func() {
		slices.SortFunc(page.Rows, func(a, b MachineVuln) int { return q.order(&a, &b) })
		page.Rows = page.Rows[:min(want, len(page.Rows))]
	}
	for row := range c.machineVulnRows(ctx, caller, q, nil) {
		page.looked++
		if !q.Where.Holds(&row) {
			continue
		}
		if q.Count {
			page.Total++
		}
		if q.After != nil && q.order(&row, q.After) <= 0 {
			continue
		}
		if page.Rows = append(page.Rows, row); len(page.Rows) >= 2*want {
			cut()
		}
	}
	cut()
	page.More = len(page.Rows) == want
	page.Rows = page.Rows[min(q.Skip, len(page.Rows)):]
	page.Rows = page.Rows[:min(q.Limit, len(page.Rows))]
	return page, ctx.Err()
}

// machineVulnRows yields the rows of the devices and the weakness of a query behind one of them, in MachineVuln's order.
func (c *core) machineVulnRows(ctx context.Context, caller Caller, q *MachineVulnQuery, after *MachineVuln) iter.Seq[MachineVuln] {
	return func(yield func(MachineVuln) bool) {
		nums := c.machinesOf(caller, q)
		it := nums.Iterator()
		if after != nil {
			it.AdvanceIfNeeded(after.Num)
		}
		for it.HasNext() && ctx.Err() == nil {
			rows := c.machineVulns(it.Next(), q.Weakness, after)
			for i := range rows {
				if !yield(rows[i].MachineVuln) {
					return
				}
			}
		}
	}
}

// machinesOf are the devices that a query may have rows of.
func (c *core) machinesOf(caller Caller, q *MachineVulnQuery) *roaring.Bitmap {
	c.mu.RLock()
	defer c.mu.RUnlock()
	nums := roaring.New()
	switch {
	case q.Weakness != "":
		nums.Or(c.fleet.ExposedDevices(q.Weakness))
	case q.Device != "": // one device tells what it last had, also at rest
		nums.Or(c.fleet.Devices())
	default:
		nums.Or(c.active())
	}
	if q.Device != "" {
		one := roaring.New()
		if num, ok := c.byID[q.Device]; ok {
			one.Add(num)
		}
		nums.And(one)
	}
	return c.lens(caller).of(nums)
}

// machineVulnRow is a row and the component that it comes from.
type machineVulnRow struct {
	MachineVuln
	comp exposure.ComponentID
}

// machineVulns are the rows of one device behind one of them, one per weakness, product and version.
func (c *core) machineVulns(num uint32, weakness string, after *MachineVuln) []machineVulnRow {
	c.mu.RLock()
	defer c.mu.RUnlock()
	d := c.at(num)
	if d == nil {
		return nil
	}
	var out []machineVulnRow
	add := func(id exposure.ComponentID, h exposure.Hit) {
		if !h.Exposed {
			return
		}
		k := c.fleet.Component(id)
		row := machineVulnRow{MachineVuln{Num: num, Device: d.id, CVE: h.Weakness, Vendor: k.Vendor, Product: k.Product, Version: k.Version,
			Severity: string(c.peek(h.Weakness).Severity), FixingID: h.FixedBy}, id}
		if after == nil || row.Order(after) > 0 {
			out = append(out, row)
		}
	}
	if weakness == "" {
		for id, h := range c.fleet.DeviceHits(num) {
			add(id, h)
		}
	} else {
		for _, id := range c.fleet.WeaknessComponents(weakness) {
			if h, ok := c.fleet.HitOf(id, weakness); ok && c.fleet.DevicesOf(id).Contains(num) {
				add(id, h)
			}
		}
	}
	slices.SortFunc(out, func(a, b machineVulnRow) int { return cmp.Or(a.Order(&b.MachineVuln), cmp.Compare(a.comp, b.comp)) })
	return slices.CompactFunc(out, func(a, b machineVulnRow) bool { return a.Order(&b.MachineVuln) == 0 })
}
