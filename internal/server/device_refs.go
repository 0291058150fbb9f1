package server

import (
	"context"
	"fmt"

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
	Group      string // "Unassigned" where no rule takes the device, "None" where there are no groups
}

// DeviceRefQuery says which references to devices are answered; the zero value is no row.
// They come in the order in which the devices came.
type DeviceRefQuery struct {
	IDs    []inventory.DeviceID // only these; nil: all
	Groups []exposure.Group     // only devices of these groups; nil: all
	RowQuery[DeviceRef]
}

// DeviceRefPage is an answer about references.
type DeviceRefPage struct {
	RowPage[DeviceRef]
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

// RemediationDeviceRefs are the targets of an activity that are there.
func (s *Server) RemediationDeviceRefs(ctx context.Context, caller Caller, id string, q DeviceRefQuery) (DeviceRefPage, error) {
	if err := s.need(caller, RemediationRead, RemediationWrite); err != nil {
		return DeviceRefPage{}, err
	}
	a, _, err := s.visible(caller, id)
	if err != nil {
		return DeviceRefPage{}, err
	}
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.deviceRefs(ctx, c.lens(caller).of(roaring.And(a.targets, c.fleet.Devices())), &q)
}

// deviceRefs reads a page of some devices; it narrows them by the index first.
// The caller holds mu for reading.
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
	var r DeviceRef
	page.RowPage = q.Of(func(yield func(*DeviceRef) bool) {
		for it := devs.Iterator(); it.HasNext(); {
			if page.looked++; page.looked%1000 == 0 && ctx.Err() != nil {
				err = ctx.Err()
				return
			}
			d := c.at(it.Next())
			if d == nil {
				continue
			}
			r = DeviceRef{ID: d.id, Name: d.sum.Name, DNSName: d.sum.FQDN, OSPlatform: d.sum.OSPlatform, GroupID: d.group, Group: c.groupWord(d.group)}
			if !yield(&r) {
				return
			}
		}
	})
	return page, err
}
