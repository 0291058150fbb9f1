package server

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/alert"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

// alertBook holds all alerts in memory, without their evidence and notes. An
// alert in it is never changed: a change puts another one in its place. Its
// lock is taken inside core.mu, never around it.
type alertBook struct {
	mu       sync.RWMutex
	byID     map[string]*store.Alert
	byDevice map[uint32][]*store.Alert // oldest first
	active   *roaring.Bitmap           // devices with active alerts
}

func newAlertBook() *alertBook {
	return &alertBook{byID: map[string]*store.Alert{}, byDevice: map[uint32][]*store.Alert{}, active: roaring.New()}
}

// isActive reports whether an alert counts in risk and exposure.
func isActive(a *store.Alert) bool {
	return alert.Active(alert.Status(a.Status), alert.Classification(a.Classification))
}

// put adds an alert or replaces what is there of it.
func (b *alertBook) put(a *store.Alert) {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := slices.Clone(b.byDevice[a.Device])
	if i := slices.IndexFunc(list, func(o *store.Alert) bool { return o.ID == a.ID }); i >= 0 {
		list[i] = a
	} else {
		list = append(list, a)
	}
	b.byID[a.ID], b.byDevice[a.Device] = a, list
	b.mark(a.Device)
}

// drop forgets an alert.
func (b *alertBook) drop(a *store.Alert) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.byID, a.ID)
	b.byDevice[a.Device] = slices.DeleteFunc(slices.Clone(b.byDevice[a.Device]), func(o *store.Alert) bool { return o.ID == a.ID })
	if len(b.byDevice[a.Device]) == 0 {
		delete(b.byDevice, a.Device)
	}
	b.mark(a.Device)
}

func (b *alertBook) mark(dev uint32) {
	next := b.active.Clone() // readers keep the one that they have
	if slices.ContainsFunc(b.byDevice[dev], isActive) {
		next.Add(dev)
	} else {
		next.Remove(dev)
	}
	b.active = next
}

func (b *alertBook) get(id string) *store.Alert {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.byID[id]
}

// of are the alerts of a device, oldest first. The result is shared.
func (b *alertBook) of(dev uint32) []*store.Alert {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.byDevice[dev]
}

// all are the alerts, in no order.
func (b *alertBook) all() []*store.Alert {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.Collect(maps.Values(b.byID))
}

// devices are those with active alerts. The result is shared.
func (b *alertBook) devices() *roaring.Bitmap {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.active
}

// markOf is what rows about a device say of its alerts: 1 when some are active.
func (b *alertBook) markOf(dev uint32) int {
	if b.devices().Contains(dev) {
		return 1
	}
	return 0
}

// open finds the alert of a device and title that is not resolved.
func (b *alertBook) open(dev uint32, title string) *store.Alert {
	for _, a := range b.of(dev) {
		if a.Title == title && a.Status != string(alert.Resolved) {
			return a
		}
	}
	return nil
}

// severities are those of a device's active alerts.
func (b *alertBook) severities(dev uint32) []alert.Severity {
	var out []alert.Severity
	for _, a := range b.of(dev) {
		if isActive(a) {
			out = append(out, alert.Severity(a.Severity))
		}
	}
	return out
}

// risk is the risk level of a device.
func (b *alertBook) risk(dev uint32) string { return alert.Risk(b.severities(dev)) }

// loadAlerts fills the book when the program starts.
func (s *Server) loadAlerts(ctx context.Context) error {
	list, err := s.st.Alerts(ctx)
	if err != nil {
		return err
	}
	c := s.core
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alerts.take(list)
	for dev := range c.alerts.byDevice {
		c.weighAlerts(dev)
	}
	return nil
}

// take fills an empty book.
func (b *alertBook) take(list []*store.Alert) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range list {
		b.byID[a.ID] = a
		b.byDevice[a.Device] = append(b.byDevice[a.Device], a)
		if isActive(a) {
			b.active.Add(a.Device)
		}
	}
}

// visibleAlert finds an alert of a device that is in the inventory and in a
// scope. The caller holds mu for reading.
func (c *core) visibleAlert(in exposure.Scope, id string) (*store.Alert, *device) {
	a := c.alerts.get(id)
	if a == nil {
		return nil, nil
	}
	if d := c.at(a.Device); d != nil && in.Has(d.group) {
		return a, d
	}
	return nil, nil
}

// alertRow is an alert as lists show it. The caller holds mu for reading.
func (c *core) alertRow(a *store.Alert, d *device) *AlertRow {
	r := &AlertRow{ID: a.ID, Title: a.Title, Description: a.Description, Recommended: a.Recommended, Severity: a.Severity, Status: a.Status,
		Classification: a.Classification, Determination: a.Determination, Category: a.Category, Source: a.Source, Maker: a.Maker, AssignedTo: a.Assigned,
		Active: isActive(a), Simulated: d.source() == "simulated", DeviceID: d.id, DeviceName: d.sum.Name, DeviceDNS: d.sum.FQDN, GroupID: d.group, Group: c.sorting.names[d.group], GroupWord: c.groupWord(d.group),
		UserName: a.UserName, UserDomain: a.UserDomain, User: a.UserName, Techniques: []Technique{}, Events: len(a.Events) + a.Dropped,
		Created: a.Created, Updated: a.Updated, FirstEvent: a.FirstEvent, LastEvent: a.LastEvent, Resolved: a.Resolved}
	if a.UserDomain != "" && a.UserName != "" {
		r.User = a.UserDomain + `\` + a.UserName
	}
	if i := c.investigations.ofAlert(d.id, a); i != nil {
		r.Investigation, r.InvestigationState = strconv.FormatInt(i.N, 10), string(c.investigations.state(i, d.online))
	}
	for _, id := range a.Techniques {
		r.Techniques = append(r.Techniques, techniqueOf(id, ""))
	}
	return r
}

// techniqueOf is a technique with what Picket knows of it.
func techniqueOf(id, reason string) Technique {
	t := Technique{ID: id, Tactic: []string{}, Reason: reason}
	if known, ok := alert.TechniqueOf(id); ok {
		t.Name, t.Tactic = known.Name, known.Tactics
	}
	return t
}

// affects finds the devices of a lens that are exposed to what filters of alerts
// name: of each kind one of the values. nil: no such filter. The caller holds
// mu for reading.
func (c *core) affects(l lens, filter map[string][]string) *roaring.Bitmap {
	var out *roaring.Bitmap
	narrow := func(name string, of func(id string) *roaring.Bitmap) {
		values, ok := filter[name]
		if !ok || len(values) == 0 {
			return
		}
		some := roaring.New()
		for _, v := range values {
			if devs := of(v); devs != nil {
				some.Or(devs)
			}
		}
		if out == nil {
			out = some
			return
		}
		out.And(some)
	}
	narrow("weakness", c.fleet.ExposedDevices)
	narrow("software", c.fleet.ProductExposedDevices)
	narrow("recommendation", func(id string) *roaring.Bitmap {
		row, remedy, err := c.recommendation(l, id)
		if err != nil {
			return nil
		}
		return c.affected(l, row, remedy)
	})
	return out
}
