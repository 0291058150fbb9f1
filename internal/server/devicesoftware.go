package server

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
)

func deviceSoftwareList() *list[DeviceSoftwareRow] {
	return &list[DeviceSoftwareRow]{
		text: func(r *DeviceSoftwareRow, has func(string) bool) bool {
			return has(r.Name) || has(r.Vendor) || has(r.Version) || has(r.ProductCode)
		},
		filters: map[string]func(*DeviceSoftwareRow, []string) bool{
			"vendor":     oneOf(func(r *DeviceSoftwareRow) string { return r.Vendor }),
			"ecosystem":  oneOf(func(r *DeviceSoftwareRow) string { return r.Ecosystem }),
			"code":       anyOf(func(r *DeviceSoftwareRow) []string { return codeKinds(r.ProductCode) }),
			"vulnerable": truth(func(r *DeviceSoftwareRow) bool { return r.Weaknesses > 0 }),
			"update":     truth(func(r *DeviceSoftwareRow) bool { return r.Update != "" }),
			"threat":     func(r *DeviceSoftwareRow, v []string) bool { return threatIs(r.Threats, v) },
			"assessed":   truth(func(r *DeviceSoftwareRow) bool { return r.NotAssessed == "" }),
		},
		values: map[string][]string{"code": codeWords, "vulnerable": yesNo, "update": yesNo, "assessed": yesNo, "threat": threatWords},
		order: map[string]func(a, b *DeviceSoftwareRow) int{
			"name":       byText(func(r *DeviceSoftwareRow) string { return r.Name }),
			"vendor":     byText(func(r *DeviceSoftwareRow) string { return r.Vendor }),
			"version":    byText(func(r *DeviceSoftwareRow) string { return r.Version }),
			"weaknesses": byNumber(func(r *DeviceSoftwareRow) int { return r.Weaknesses }),
			"severity":   func(a, b *DeviceSoftwareRow) int { return worse(a.Severity, b.Severity) },
			"last_found": byTime(func(r *DeviceSoftwareRow) time.Time { return r.LastFound }),
		},
		tie:     func(a, b *DeviceSoftwareRow) int { return strings.Compare(a.ID, b.ID) },
		initial: []string{"-severity", "name"},
	}
}

// codeWords are the kinds of product codes that lists are filtered by.
var codeWords = []string{"available", "cpe", "purl", "none"}

// codeKinds says which kinds of product code a text is of.
func codeKinds(code string) []string {
	switch {
	case code == "":
		return []string{"none"}
	case strings.HasPrefix(code, "cpe:"):
		return []string{"available", "cpe"}
	}
	return []string{"available", "purl"}
}

// DeviceSoftware lists the products of a device.
func (s *Server) DeviceSoftware(ctx context.Context, c Caller, id string, q Query) (Page[DeviceSoftwareRow], error) {
	if err := s.need(c, SoftwareRead); err != nil {
		return Page[DeviceSoftwareRow]{}, err
	}
	p, err := s.portrait(ctx, c.sees(), id)
	if err != nil {
		return Page[DeviceSoftwareRow]{}, err
	}
	s.core.mu.RLock()
	rows := s.core.softwareRows(p)
	s.core.mu.RUnlock()
	return deviceSoftwareList().page(q, rows)
}

// DeviceSoftwareTable is the products of a device by name: weaknesses are those
// on the device, how many devices have a product is counted over all that the
// caller sees.
func (s *Server) DeviceSoftwareTable(ctx context.Context, caller Caller, id string, q RowQuery[SoftwareRow]) (RowPage[SoftwareRow], error) {
	if err := s.need(caller, SoftwareRead); err != nil {
		return RowPage[SoftwareRow]{}, err
	}
	p, err := s.portrait(ctx, caller.sees(), id)
	if err != nil {
		return RowPage[SoftwareRow]{}, err
	}
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	rows, l := c.softwareRows(p), c.lens(caller)
	slices.SortFunc(rows, deviceSoftwareList().compare(&Query{Sort: []string{"name"}}))
	var r SoftwareRow
	return q.Of(func(yield func(*SoftwareRow) bool) {
		for _, d := range rows {
			r = SoftwareRow{ID: d.ID, Name: d.Name, Vendor: d.Vendor, Weaknesses: d.Weaknesses, Threats: d.Threats, Exposed: min(d.Weaknesses, 1), Installed: 1}
			if all, ok := c.fleet.Product(d.ID, l.devs); ok {
				r.Exposed, r.Installed = all.Exposed, all.Installed
			}
			if !yield(&r) {
				return
			}
		}
	}), nil
}

// softwareRows joins the components of a device into one row per product. The
// caller holds mu for reading.
func (c *core) softwareRows(p *portrait) []*DeviceSoftwareRow {
	held := make(map[exposure.Component]store.Held, p.device.held.Len())
	for h := range p.device.held.All() {
		held[c.fleet.Component(exposure.ComponentID(h.Component))] = h
	}
	updates := map[string]inventory.Update{}
	if sec := p.sections[inventory.Updates]; sec != nil {
		vals, _ := inventory.Decode[inventory.Update](sec)
		for _, u := range vals {
			name := u.Source
			if name == "" {
				name = u.Name
			}
			if old, ok := updates[name]; !ok || u.Security && !old.Security {
				updates[name] = u
			}
		}
	}
	counts := c.productCounts(p.device.num)
	byID := map[string]*DeviceSoftwareRow{}
	var rows []*DeviceSoftwareRow
	for _, u := range p.profile.Uses {
		id := u.Component.ID()
		r := byID[id]
		if r == nil {
			r = &DeviceSoftwareRow{ID: id, Name: u.Component.Product, Vendor: u.Component.Vendor, Ecosystem: u.Component.Key.Ecosystem,
				Threats: Threats{Exploit: advisory.NoExploit}, Tags: []string{}, Versions: []string{},
				ProductCode: c.productCode(u.Component)}
			r.Severity = counts[id]
			r.Weaknesses = r.Severity.sum()
			byID[id] = r
			rows = append(rows, r)
		}
		c.addUse(r, u, held, p)
		if up, ok := updates[u.Component.Product]; ok && sectionOf(u) == inventory.DPKG && r.Update == "" {
			r.Update, r.UpdateSec = up.Candidate, up.Security
			r.Tags = append(r.Tags, "Update available")
		}
	}
	mark := c.alerts.markOf(p.device.num)
	for _, r := range rows {
		r.Version = strings.Join(r.Versions, ", ")
		if r.Weaknesses > 0 {
			r.Threats.Alerts = mark
		}
	}
	return rows
}

// productCounts counts, by product, the distinct weaknesses of a device that count in exposure.
func (c *core) productCounts(num uint32) map[string]SeverityCount {
	type pair struct{ product, weakness string }
	seen := map[pair]bool{}
	out := map[string]SeverityCount{}
	product, last := "", exposure.ComponentID(0)
	for id, h := range c.fleet.DeviceHits(num) {
		if product == "" || id != last {
			product, last = c.fleet.Component(id).ID(), id
		}
		if at := (pair{product, h.Weakness}); h.Exposed && !seen[at] {
			seen[at] = true
			n := out[product]
			n.add(c.peek(h.Weakness).Severity)
			out[product] = n
		}
	}
	return out
}

// addUse adds one component of the product to its row.
func (c *core) addUse(r *DeviceSoftwareRow, u exposure.Use, held map[exposure.Component]store.Held, p *portrait) {
	if !slices.Contains(r.Versions, u.Component.Version) && u.Component.Role != exposure.InMemory {
		r.Versions = append(r.Versions, u.Component.Version)
	}
	if u.Component.Role == exposure.InMemory && !slices.Contains(r.Tags, "Restart needed") {
		r.Tags = append(r.Tags, "Restart needed")
	}
	if r.NotAssessed == "" {
		r.NotAssessed = u.Component.Unassessed
	}
	if tag := supportTag(c.support(u.Component)); tag != "" && !slices.Contains(r.Tags, tag) {
		r.Tags = append(r.Tags, tag)
	}
	if h, ok := held[u.Component]; ok {
		at := time.Unix(h.Since, 0).UTC()
		for _, past := range h.Past {
			at = time.Unix(past.Since, 0).UTC()
		}
		if r.FirstFound.IsZero() || at.Before(r.FirstFound) {
			r.FirstFound = at
		}
		id := exposure.ComponentID(h.Component)
		if _, why := c.fleet.Assessed(id); why != "" && r.NotAssessed == "" {
			r.NotAssessed = why
		}
		for hit := range c.fleet.Hits(id) {
			if hit.Exposed {
				r.Threats.add(c.peek(hit.Weakness).Threats)
			}
		}
	}
	if at := p.seen[sectionOf(u)]; at.After(r.LastFound) {
		r.LastFound = at
	}
}

func sectionOf(u exposure.Use) inventory.SectionName {
	if len(u.Evidence) == 0 {
		return ""
	}
	return u.Evidence[0].Section
}

// os is the operating system that a device reported, zero when it did not.
func (p *portrait) os() inventory.OS { return first[inventory.OS](p.sections[inventory.OSSection]) }

// DeviceSoftwareOne is one product on one device with its packages and findings.
func (s *Server) DeviceSoftwareOne(ctx context.Context, caller Caller, id, product string) (DeviceSoftware, error) {
	if err := s.need(caller, SoftwareRead); err != nil {
		return DeviceSoftware{}, err
	}
	p, err := s.portrait(ctx, caller.sees(), id)
	if err != nil {
		return DeviceSoftware{}, err
	}
	out := DeviceSoftware{Packages: []PackageRow{}, Weak: []DeviceVulnRow{}}
	c := s.core
	c.mu.RLock()
	for _, r := range c.softwareRows(p) {
		if r.ID == product {
			out.DeviceSoftwareRow = *r
		}
	}
	for _, r := range c.vulnRows(p.device) {
		if slices.ContainsFunc(r.Software, func(x SoftwareRef) bool { return x.ID == product }) {
			out.Weak = append(out.Weak, *r)
		}
	}
	for _, u := range p.profile.Uses {
		if u.Component.ID() == product && out.EOL == nil {
			out.EOL = c.support(u.Component)
		}
	}
	c.mu.RUnlock()
	if out.ID == "" {
		return DeviceSoftware{}, fmt.Errorf("device %s has no product %q: %w", p.device.id, product, ErrNotFound)
	}
	slices.SortFunc(out.Weak, func(a, b DeviceVulnRow) int {
		if d := severityRank(b.Severity) - severityRank(a.Severity); d != 0 {
			return d
		}
		return compareIDs(b.ID, a.ID)
	})
	os := p.os()
	for _, u := range p.profile.Uses {
		if u.Component.ID() != product {
			continue
		}
		for _, ev := range u.Evidence {
			out.Packages = append(out.Packages, packageRow(p, u, ev, os))
		}
	}
	return out, nil
}

// packageRow is one package record beneath a product.
func packageRow(p *portrait, u exposure.Use, ev exposure.Evidence, os inventory.OS) PackageRow {
	row := PackageRow{Section: ev.Section, Name: ev.Package, Version: ev.Version, Arch: ev.Arch, Paths: ev.Paths, Residual: ev.Residual, Role: u.Component.Role}
	if row.Paths == nil {
		row.Paths = []string{}
	}
	if pkg, ok := p.item(ev); ok {
		row.Source, row.SourceVer, row.Vendor, row.Summary, row.Installed = pkg.Source, pkg.SourceVersion, pkg.Vendor, pkg.Summary, pkg.InstalledAt
		row.PURL = exposure.PURL(os, pkg)
	}
	return row
}

// item finds the package record behind a piece of evidence.
func (p *portrait) item(ev exposure.Evidence) (inventory.Package, bool) {
	sec := p.sections[ev.Section]
	if sec == nil {
		return inventory.Package{}, false
	}
	i, ok := slices.BinarySearchFunc(sec.Items, ev.Item, func(it inventory.Item, key string) int { return strings.Compare(it.Key, key) })
	if !ok {
		return inventory.Package{}, false
	}
	one := inventory.Section{Items: sec.Items[i : i+1]}
	vals, _ := inventory.Decode[inventory.Package](&one)
	if len(vals) == 0 {
		return inventory.Package{}, false
	}
	return vals[0], true
}
