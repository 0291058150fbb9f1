package server

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
)

func softwareList() *list[SoftwareRow] {
	return &list[SoftwareRow]{
		text: func(r *SoftwareRow, has func(string) bool) bool { return has(r.Name) || has(r.Vendor) || has(r.ID) },
		filters: map[string]func(*SoftwareRow, []string) bool{
			"vendor":     oneOf(func(r *SoftwareRow) string { return r.Vendor }),
			"ecosystem":  oneOf(func(r *SoftwareRow) string { return r.Ecosystem }),
			"vulnerable": truth(func(r *SoftwareRow) bool { return r.Weaknesses > 0 }),
			"threat":     func(r *SoftwareRow, v []string) bool { return threatIs(r.Threats, v) },
			"code":       anyOf(func(r *SoftwareRow) []string { return codeKinds(r.ProductCode) }),
			"assessed":   truth(func(r *SoftwareRow) bool { return r.NotAssessed == "" }),
			"tag":        anyOf(func(r *SoftwareRow) []string { return r.Tags }),
		},
		values: map[string][]string{"code": codeWords, "vulnerable": yesNo, "assessed": yesNo, "threat": threatWords},
		order: map[string]func(a, b *SoftwareRow) int{
			"name":       byText(func(r *SoftwareRow) string { return r.Name }),
			"vendor":     byText(func(r *SoftwareRow) string { return r.Vendor }),
			"weaknesses": byNumber(func(r *SoftwareRow) int { return r.Weaknesses }),
			"exposed":    byNumber(func(r *SoftwareRow) int { return r.Exposed }),
			"impact":     byNumber(func(r *SoftwareRow) float64 { return r.Impact }),
			"installed":  byNumber(func(r *SoftwareRow) int { return r.Installed }),
			"severity":   func(a, b *SoftwareRow) int { return worse(a.Severity, b.Severity) },
			"threats":    func(a, b *SoftwareRow) int { return graver(a.Threats, b.Threats) },
		},
		tie:     func(a, b *SoftwareRow) int { return strings.Compare(a.ID, b.ID) },
		initial: []string{"-severity", "-exposed", "name"},
	}
}

// newSoftwareRow computes a product over the devices of a lens. The caller holds mu for reading.
func (c *core) newSoftwareRow(l lens, id string) (*SoftwareRow, bool) {
	info, ok := c.fleet.Product(id, l.devs)
	if !ok {
		return nil, false
	}
	r := &SoftwareRow{ID: id, Name: info.Name, Vendor: info.Vendor, Ecosystem: info.Ecosystem, Versions: info.Versions,
		Weaknesses: int(info.Counts.Weaknesses), Severity: severityCount(info.Counts), Exposed: info.Exposed, Installed: info.Installed,
		Threats: Threats{Exploit: advisory.NoExploit}, Tags: []string{}, Trend: []int{}, NotAssessed: info.Unassessed}
	for i, cid := range c.fleet.ProductComponents(id, l.devs) {
		if i == 0 {
			r.ProductCode = c.productCode(c.fleet.Component(cid))
		}
		if tag := supportTag(c.support(c.fleet.Component(cid))); tag != "" && !slices.Contains(r.Tags, tag) {
			r.Tags = append(r.Tags, tag)
		}
		for h := range c.fleet.Hits(cid) {
			if !h.Exposed {
				continue
			}
			r.Threats.add(c.peek(h.Weakness).Threats)
			if !slices.Contains(r.Tags, tagZeroDay) && h.Remedy == exposure.Attention && c.zeroDay(h.Weakness) {
				r.Tags = append(r.Tags, tagZeroDay)
			}
		}
	}
	r.Threats.Alerts = int(l.of(c.alerts.devices()).AndCardinality(c.fleet.ProductExposedDevices(id)))
	return r, true
}

// SoftwareList lists the products that some device has.
func (s *Server) SoftwareList(_ context.Context, c Caller, q Query, where func(*SoftwareRow) bool) (Page[SoftwareRow], error) {
	if err := s.need(c, SoftwareRead); err != nil {
		return Page[SoftwareRow]{}, err
	}
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	var rows []*SoftwareRow
	weights, l := s.core.weights(), s.core.lens(c)
	for _, shared := range s.core.productRows(l) {
		r := *shared
		if relief, ok := s.core.fleet.Scores().ReliefOf(r.ID, exposure.Gone, l.groups, weights); ok {
			r.Impact = relief.Impact.Float()
		}
		if where == nil || where(&r) {
			rows = append(rows, &r)
		}
	}
	p, err := softwareList().page(q, rows)
	s.core.softwareTrends(p.Items, l)
	return p, err
}

// Software is one product with its versions.
func (s *Server) Software(ctx context.Context, caller Caller, id string) (Software, error) {
	if err := s.need(caller, SoftwareRead); err != nil {
		return Software{}, err
	}
	c := s.core
	var events []*event
	if caller.Has(VulnerabilityRead) {
		var err error
		if events, err = c.events.between(ctx, s.st, s.now().Add(-trendShown), time.Time{}); err != nil {
			return Software{}, err
		}
		events = slices.DeleteFunc(events, func(e *event) bool { return e.Product != id })
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	l := c.lens(caller)
	row, ok := c.softwareRow(l, id)
	if !ok {
		return Software{}, fmt.Errorf("software %q: %w", id, ErrNotFound)
	}
	impact, _ := c.fleet.Scores().ReliefOf(id, exposure.Gone, l.groups, c.weights())
	out := Software{SoftwareRow: *row, Distribution: []VersionRow{}, EOL: []EndOfLife{}, Checks: c.misconfigurations(l, id)}
	out.Impact = impact.Impact.Float()
	out.Trend = c.trends.of(softwareCause(id), l.groups, impact.Devices)
	out.EventDays = c.eventDays(c.eventRows(events, l), func(*eventRow) bool { return true })
	rows := c.versionRows(l, id)
	slices.SortFunc(rows, versionList().compare(&Query{}))
	for _, r := range rows {
		if r.EOL != nil && !slices.Contains(out.EOL, *r.EOL) {
			out.EOL = append(out.EOL, *r.EOL)
		}
		out.Distribution = append(out.Distribution, *r)
	}
	for _, k := range out.Checks {
		out.Misconfigured.add(k.Severity)
	}
	return out, nil
}

// SoftwareDevices lists the devices that have a product; the filter "version"
// takes those that have one of some versions.
func (s *Server) SoftwareDevices(_ context.Context, caller Caller, id string, q Query) (Page[DeviceRow], error) {
	if err := s.need(caller, SoftwareRead); err != nil {
		return Page[DeviceRow]{}, err
	}
	c := s.core
	q, versions := withVersion(q)
	c.mu.RLock()
	l := c.lens(caller)
	_, ok := c.fleet.Product(id, l.devs)
	devs := l.of(c.fleet.InstalledDevices(id)).Clone()
	if len(versions) > 0 {
		some := roaring.New()
		for _, cid := range c.ofVersions(l, id, versions) {
			some.Or(c.fleet.DevicesOf(cid))
		}
		devs.And(some)
	}
	c.mu.RUnlock()
	if !ok {
		return Page[DeviceRow]{}, fmt.Errorf("software %q: %w", id, ErrNotFound)
	}
	return c.deviceRows(caller.sees(), q, nil, func() *roaring.Bitmap { return devs }, "", s.now())
}

// SoftwareVulns lists the weaknesses that count in exposure through a product;
// the filter "version" takes those of some versions.
func (s *Server) SoftwareVulns(_ context.Context, caller Caller, id string, q Query) (Page[WeaknessRow], error) {
	if err := s.need(caller, VulnerabilityRead); err != nil {
		return Page[WeaknessRow]{}, err
	}
	c := s.core
	q, versions := withVersion(q)
	c.mu.RLock()
	defer c.mu.RUnlock()
	l := c.lens(caller)
	if _, ok := c.fleet.Product(id, l.devs); !ok {
		return Page[WeaknessRow]{}, fmt.Errorf("software %q: %w", id, ErrNotFound)
	}
	seen := map[string]bool{}
	var rows []*WeaknessRow
	for _, cid := range c.ofVersions(l, id, versions) {
		for h := range c.fleet.Hits(cid) {
			if !h.Exposed || seen[h.Weakness] {
				continue
			}
			seen[h.Weakness] = true
			if r, ok := c.cachedWeakness(l, h.Weakness); ok {
				rows = append(rows, r)
			}
		}
	}
	return weaknessList().page(q, rows)
}
