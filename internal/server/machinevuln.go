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

// Order puts rows in the order in which MachineVulns yields them: by device in
// order of enrolment, then weakness, vendor, product, version.
func (v *MachineVuln) Order(o *MachineVuln) int {
	return cmp.Or(cmp.Compare(v.Num, o.Num), compareIDs(v.CVE, o.CVE), strings.Compare(v.Vendor, o.Vendor),
		strings.Compare(v.Product, o.Product), strings.Compare(v.Version, o.Version))
}

// MachineVulnQuery says which rows MachineVulns yields; the zero value is all.
type MachineVulnQuery struct {
	Device   inventory.DeviceID // "": of every device
	Weakness string             // in any of its ids; "": every one
	After    *MachineVuln       // only what comes behind this row, which need not exist any more
}

// MachineVulns yields what counts in exposure, in MachineVuln's order. It costs
// what it yields: a device or a weakness that is named is not searched for.
func (s *Server) MachineVulns(ctx context.Context, caller Caller, q MachineVulnQuery) (iter.Seq[MachineVuln], error) {
	if err := s.need(caller, VulnerabilityRead); err != nil {
		return nil, err
	}
	if q.Weakness != "" {
		q.Weakness = s.canonical(q.Weakness)
	}
	return func(yield func(MachineVuln) bool) {
		nums := s.core.machinesOf(caller, q)
		it := nums.Iterator()
		if q.After != nil {
			it.AdvanceIfNeeded(q.After.Num)
		}
		for it.HasNext() && ctx.Err() == nil {
			rows := s.core.machineVulns(it.Next(), q)
			for i := range rows {
				if !yield(rows[i].MachineVuln) {
					return
				}
			}
		}
	}, nil
}

// machinesOf are the devices that a query may have rows of.
func (c *core) machinesOf(caller Caller, q MachineVulnQuery) *roaring.Bitmap {
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

// machineVulns are the rows of one device, one per weakness, product and version.
func (c *core) machineVulns(num uint32, q MachineVulnQuery) []machineVulnRow {
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
		if q.After == nil || row.Order(q.After) > 0 {
			out = append(out, row)
		}
	}
	if q.Weakness == "" {
		for id, h := range c.fleet.DeviceHits(num) {
			add(id, h)
		}
	} else {
		for _, id := range c.fleet.WeaknessComponents(q.Weakness) {
			if h, ok := c.fleet.HitOf(id, q.Weakness); ok && c.fleet.DevicesOf(id).Contains(num) {
				add(id, h)
			}
		}
	}
	slices.SortFunc(out, func(a, b machineVulnRow) int { return cmp.Or(a.Order(&b.MachineVuln), cmp.Compare(a.comp, b.comp)) })
	return slices.CompactFunc(out, func(a, b machineVulnRow) bool { return a.Order(&b.MachineVuln) == 0 })
}

// CountMachineVulns counts the rows that MachineVulns yields for every device,
// of one weakness ("": every one) and of those where is true for (nil: all),
// from the index: it costs what there is of distinct components and not of
// devices. where gets rows without a device.
func (s *Server) CountMachineVulns(ctx context.Context, caller Caller, weakness string, where func(*MachineVuln) bool) (int, error) {
	if err := s.need(caller, VulnerabilityRead); err != nil {
		return 0, err
	}
	if weakness != "" {
		weakness = s.canonical(weakness)
	}
	type software struct{ vendor, product, version string }
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	l := c.lens(caller)
	ids := c.fleet.WeaknessComponents(weakness)
	if weakness == "" {
		ids = c.fleet.Components()
	}
	same := map[software][]exposure.ComponentID{} // components that rows cannot tell apart
	for _, id := range ids {
		if k := c.fleet.Component(id); c.fleet.DevicesOf(id).GetCardinality() > 0 {
			at := software{k.Vendor, k.Product, k.Version}
			same[at] = append(same[at], id)
		}
	}
	total := 0
	for at, ids := range same {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		has := map[string]*roaring.Bitmap{} // devices by weakness; of several components
		for _, id := range ids {
			devices, n := c.fleet.DevicesOf(id), -1
			for h := range c.fleet.Hits(id) {
				if !h.Exposed || weakness != "" && h.Weakness != weakness {
					continue
				}
				if where != nil && !where(&MachineVuln{CVE: h.Weakness, Vendor: at.vendor, Product: at.product, Version: at.version,
					Severity: string(c.peek(h.Weakness).Severity), FixingID: h.FixedBy}) {
					continue
				}
				if len(ids) > 1 {
					if has[h.Weakness] == nil {
						has[h.Weakness] = roaring.New()
					}
					has[h.Weakness].Or(devices)
					continue
				}
				if n < 0 {
					n = l.count(devices)
				}
				total += n
			}
		}
		for _, devices := range has {
			total += l.count(devices)
		}
	}
	return total, nil
}
