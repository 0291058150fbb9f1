package server

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
)

// mostWeaknessIDs is how many weaknesses a missing update names.
const mostWeaknessIDs = 200

func missingList() *list[MissingUpdate] {
	return &list[MissingUpdate]{
		text: func(r *MissingUpdate, has func(string) bool) bool {
			return has(r.ID) || slices.ContainsFunc(r.Products, func(p SoftwareRef) bool { return has(p.Name) }) || slices.ContainsFunc(r.WeaknessIDs, has)
		},
		filters: map[string]func(*MissingUpdate, []string) bool{
			"severity": oneOf(func(r *MissingUpdate) string { return string(r.Severity.worst()) }),
			"threat":   func(r *MissingUpdate, v []string) bool { return threatIs(r.Threats, v) },
		},
		values: map[string][]string{"severity": severityWords, "threat": threatWords},
		order: map[string]func(a, b *MissingUpdate) int{
			"id":         byText(func(r *MissingUpdate) string { return r.ID }),
			"products":   byText(func(r *MissingUpdate) string { return r.Products[0].Name }),
			"weaknesses": byNumber(func(r *MissingUpdate) int { return r.Weaknesses }),
			"severity":   func(a, b *MissingUpdate) int { return worse(a.Severity, b.Severity) },
			"devices":    byNumber(func(r *MissingUpdate) int { return r.Devices }),
		},
		tie:     func(a, b *MissingUpdate) int { return strings.Compare(b.ID, a.ID) },
		initial: []string{"-severity"},
	}
}

// worst is the highest severity that is counted, Unrated when there is none.
func (n *SeverityCount) worst() advisory.Severity {
	switch {
	case n.Critical > 0:
		return advisory.Critical
	case n.High > 0:
		return advisory.High
	case n.Medium > 0:
		return advisory.Medium
	case n.Low > 0:
		return advisory.Low
	}
	return advisory.Unrated
}

// DeviceUpdates lists the updates that a device lacks.
func (s *Server) DeviceUpdates(_ context.Context, caller Caller, id string, q Query) (Page[MissingUpdate], error) {
	rows, err := s.deviceUpdates(caller, id)
	if err != nil {
		return Page[MissingUpdate]{}, err
	}
	return missingList().page(q, rows)
}

// DeviceUpdateTable is DeviceUpdates by id.
func (s *Server) DeviceUpdateTable(_ context.Context, caller Caller, id string, q RowQuery[MissingUpdate]) (RowPage[MissingUpdate], error) {
	rows, err := s.deviceUpdates(caller, id)
	slices.SortFunc(rows, missingList().compare(&Query{Sort: []string{"id"}}))
	return q.Of(slices.Values(rows)), err
}

func (s *Server) deviceUpdates(caller Caller, id string) ([]*MissingUpdate, error) {
	if err := s.need(caller, SoftwareRead); err != nil {
		return nil, err
	}
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	d, err := c.named(caller.sees(), id)
	if err != nil {
		return nil, err
	}
	return c.missing(caller, c.fleet.DeviceComponents(d.num), d), nil
}

// SoftwareUpdates lists the updates of a product that devices lack.
func (s *Server) SoftwareUpdates(_ context.Context, caller Caller, id string, q Query) (Page[MissingUpdate], error) {
	rows, err := s.softwareUpdates(caller, id)
	if err != nil {
		return Page[MissingUpdate]{}, err
	}
	return missingList().page(q, rows)
}

// SoftwareUpdateTable is SoftwareUpdates by id.
func (s *Server) SoftwareUpdateTable(_ context.Context, caller Caller, id string, q RowQuery[MissingUpdate]) (RowPage[MissingUpdate], error) {
	rows, err := s.softwareUpdates(caller, id)
	slices.SortFunc(rows, missingList().compare(&Query{Sort: []string{"id"}}))
	return q.Of(slices.Values(rows)), err
}

func (s *Server) softwareUpdates(caller Caller, id string) ([]*MissingUpdate, error) {
	if err := s.need(caller, SoftwareRead); err != nil {
		return nil, err
	}
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	l := c.lens(caller)
	if _, ok := c.fleet.Product(id, l.devs); !ok {
		return nil, fmt.Errorf("software %q: %w", id, ErrNotFound)
	}
	return c.missing(caller, c.fleet.ProductComponents(id, l.devs), nil), nil
}

// missing are the updates that some components lack, with how many devices lack
// them. of is the device whose list it is; nil: the list is about all. The caller
// holds mu for reading.
func (c *core) missing(caller Caller, ids []exposure.ComponentID, of *device) []*MissingUpdate {
	byID := map[string]*MissingUpdate{}
	seen := map[[2]string]bool{}
	fixes := c.newFixes()
	var rows []*MissingUpdate
	for _, cid := range ids {
		for h := range c.fleet.Hits(cid) {
			if !h.Exposed || h.FixedBy == "" || h.Remedy != exposure.Update {
				continue
			}
			r := byID[h.FixedBy]
			if r == nil {
				r = &MissingUpdate{ID: h.FixedBy, URL: AdvisoryPage(h.FixedBy), WeaknessIDs: []string{}, Tags: []string{}, Threats: Threats{Exploit: advisory.NoExploit}}
				byID[h.FixedBy], rows = r, append(rows, r)
			}
			c.lacks(r, cid, h.Fixed)
			if seen[[2]string{h.FixedBy, h.Weakness}] {
				continue
			}
			seen[[2]string{h.FixedBy, h.Weakness}] = true
			f := c.peek(h.Weakness)
			r.Weaknesses++
			r.Severity.add(f.Severity)
			r.Threats.add(f.Threats)
			r.WeaknessIDs = append(r.WeaknessIDs, h.Weakness)
			if fixes[h.Weakness] && len(r.Tags) == 0 {
				r.Tags = append(r.Tags, tagZeroDayFixed)
			}
		}
	}
	l := c.lens(caller)
	for _, r := range rows {
		lacking := l.of(c.lacking(r))
		r.Devices = int(lacking.GetCardinality())
		if of != nil { // alerts on the device itself and on others are told apart
			lacking.Remove(of.num)
			r.Threats.Alerts, r.AlertsElsewhere = c.alerts.markOf(of.num), int(lacking.AndCardinality(c.alerts.devices()))
		} else {
			r.Threats.Alerts = int(lacking.AndCardinality(c.alerts.devices()))
		}
		slices.SortFunc(r.WeaknessIDs, compareIDs)
		slices.SortFunc(r.Products, func(a, b SoftwareRef) int { return strings.Compare(a.Name, b.Name) })
		if r.WeaknessIDs = r.WeaknessIDs[:min(len(r.WeaknessIDs), mostWeaknessIDs)]; !caller.Has(VulnerabilityRead) {
			r.WeaknessIDs = []string{}
		}
	}
	return rows
}

// lacks notes that a component lacks an update; fixed is the version to go to.
func (c *core) lacks(r *MissingUpdate, id exposure.ComponentID, fixed string) {
	k := c.fleet.Component(id)
	if p := strings.TrimSpace(k.Key.Ecosystem + " " + k.Key.Release); !slices.Contains(r.Systems, p) {
		r.Systems = append(r.Systems, p)
	}
	for i := range r.Products {
		if p := &r.Products[i]; p.ID == k.ID() && p.Version == k.Version {
			p.Fixed = later(k.Key.Ecosystem, p.Fixed, fixed)
			return
		}
	}
	r.Products = append(r.Products, SoftwareRef{ID: k.ID(), Name: k.Product, Vendor: k.Vendor, Version: k.Version, Fixed: fixed})
}

// lacking are the devices on which a weakness counts that an update fixes.
func (c *core) lacking(r *MissingUpdate) *roaring.Bitmap {
	out, done := roaring.New(), map[exposure.ComponentID]bool{}
	for _, w := range r.WeaknessIDs {
		for _, cid := range c.fleet.WeaknessComponents(w) {
			if done[cid] {
				continue
			}
			if h, ok := c.fleet.HitOf(cid, w); ok && h.Exposed && h.FixedBy == r.ID && h.Remedy == exposure.Update {
				done[cid] = true
				out.Or(c.fleet.DevicesOf(cid))
			}
		}
	}
	out.And(c.active())
	return out
}

// AdvisoryPage is the address at which an advisory of a vendor can be read, ""
// when its place is not known.
func AdvisoryPage(id string) string {
	for prefix, page := range advisoryPages {
		if strings.HasPrefix(id, prefix) {
			return page + id
		}
	}
	return ""
}

// advisoryPages are the addresses below which advisories are, by the beginning of their ids.
var advisoryPages = map[string]string{
	"DSA-": "https://security-tracker.debian.org/tracker/", "DLA-": "https://security-tracker.debian.org/tracker/",
	"USN-": "https://ubuntu.com/security/notices/", "LSN-": "https://ubuntu.com/security/notices/",
	"RHSA-": "https://access.redhat.com/errata/", "RHBA-": "https://access.redhat.com/errata/", "RHEA-": "https://access.redhat.com/errata/",
	"RLSA-": "https://errata.rockylinux.org/", "ALSA-": "https://osv.dev/vulnerability/",
	"GHSA-": "https://github.com/advisories/", "GO-": "https://pkg.go.dev/vuln/", "PYSEC-": "https://osv.dev/vulnerability/", "RUSTSEC-": "https://osv.dev/vulnerability/",
}
