package server

import (
	"context"
	"fmt"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
)

// DeviceRef is what lists of references say of a device.
type DeviceRef struct {
	ID         inventory.DeviceID
	Name       string
	DNSName    string
	OSPlatform string
	GroupID    exposure.Group
	Group      string
}

// DeviceRefQuery says which references to devices are answered; the zero value is no row.
type DeviceRefQuery struct {
	IDs    []inventory.DeviceID // only these; nil: all
	Groups []exposure.Group     // only devices of these groups; nil: all
	// Where keeps a device; nil keeps all. Like Order, it is asked while the
	// index is held: it must not call the server or keep what it is given.
	Where func(*DeviceRef) bool
	Order func(a, b *DeviceRef) int // before the order in which devices came
	Skip  int                       // rows to leave out
	Limit int                       // rows to answer; -1: all
	Count bool                      // whether to count what is left
}

// DeviceRefPage is an answer about references.
type DeviceRefPage struct {
	Rows  []DeviceRef
	More  bool // rows follow
	Total int  // 0 unless it was asked for

	looked int // devices that were looked at
}

// WeaknessDeviceRefs are the devices on which a weakness counts.
func (s *Server) WeaknessDeviceRefs(ctx context.Context, caller Caller, id string, q DeviceRefQuery) (DeviceRefPage, error) {
	if err := s.need(caller, VulnerabilityRead); err != nil {
		return DeviceRefPage{}, err
	}
	id, err := s.knownWeakness(id)
	if err != nil {
		return DeviceRefPage{}, err
	}
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.deviceRefs(ctx, c.lens(caller).of(c.fleet.ExposedDevices(id)), &q)
}

// SoftwareDeviceRefs are the devices that have a product.
func (s *Server) SoftwareDeviceRefs(ctx context.Context, caller Caller, id string, q DeviceRefQuery) (DeviceRefPage, error) {
	if err := s.need(caller, SoftwareRead); err != nil {
		return DeviceRefPage{}, err
	}
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	l := c.lens(caller)
	if _, ok := c.fleet.Product(id, l.devs); !ok {
		return DeviceRefPage{}, fmt.Errorf("software %q: %w", id, ErrNotFound)
	}
	return c.deviceRefs(ctx, l.of(c.fleet.InstalledDevices(id)), &q)
}

// RecommendationDeviceRefs are the devices with what a recommendation closes.
func (s *Server) RecommendationDeviceRefs(ctx context.Context, caller Caller, id string, q DeviceRefQuery) (DeviceRefPage, error) {
	if err := s.need(caller, RecommendationRead); err != nil {
		return DeviceRefPage{}, err
	}
	c := s.core
	if err := c.settle(ctx); err != nil {
		return DeviceRefPage{}, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	l := c.lens(caller)
	row, remedy, err := c.recommendation(l, id)
	if err != nil {
		return DeviceRefPage{}, err
	}
	return c.deviceRefs(ctx, c.affected(l, row, remedy), &q)
}

// deviceRefs reads a page of some devices, in the order in which they came: it
// narrows them by the index first, and stops behind the page unless Order or
// Count ask for the rest. The caller holds mu for reading.
func (c *core) deviceRefs(ctx context.Context, devs *roaring.Bitmap, q *DeviceRefQuery) (page DeviceRefPage, err error) {
	if q.IDs != nil {
		some := roaring.New()
		for _, id := range q.IDs {
			if num, ok := c.byID[id]; ok {
				some.Add(num)
			}
		}
		devs = roaring.And(devs, some)
	}
	if q.Groups != nil {
		some := roaring.New()
		for _, g := range q.Groups {
			if m := c.members[g]; m != nil {
				some.Or(m)
			}
		}
		devs = roaring.And(devs, some)
	}
	most := q.Skip + q.Limit + 1 // with one to see that more follow
	for it := devs.Iterator(); it.HasNext(); {
		if page.looked++; page.looked%1000 == 0 && ctx.Err() != nil {
			return DeviceRefPage{}, ctx.Err()
		}
		d := c.at(it.Next())
		if d == nil {
			continue
		}
		r := DeviceRef{ID: d.id, Name: d.sum.Name, DNSName: d.sum.FQDN, OSPlatform: d.sum.OSPlatform, GroupID: d.group, Group: c.sorting.names[d.group]}
		if q.Where != nil && !q.Where(&r) {
			continue
		}
		page.Total++
		switch {
		case q.Limit < 0 || len(page.Rows) < most:
			page.Rows = append(page.Rows, r)
		case q.Order != nil:
			if page.Rows = append(page.Rows, r); len(page.Rows) >= 2*most+1000 {
				page.firsts(q, most)
			}
		}
		if q.Order == nil && q.Limit >= 0 && len(page.Rows) == most && !q.Count {
			break
		}
	}
	if q.Order != nil {
		page.firsts(q, len(page.Rows))
	}
	page.Rows = page.Rows[min(q.Skip, len(page.Rows)):]
	if q.Limit >= 0 && len(page.Rows) > q.Limit {
		page.Rows, page.More = page.Rows[:q.Limit], q.Limit > 0
	}
	if !q.Count {
		page.Total = 0
	}
	return page, nil
}

// firsts keeps the first n rows in the order that is asked for.
func (p *DeviceRefPage) firsts(q *DeviceRefQuery, n int) {
	slices.SortStableFunc(p.Rows, func(a, b DeviceRef) int { return q.Order(&a, &b) })
	p.Rows = p.Rows[:min(n, len(p.Rows))]
}
