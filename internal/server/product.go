package server

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/posture"
	"github.com/picketsec/picket/internal/version"
)

func versionList() *list[VersionRow] {
	return &list[VersionRow]{
		text: func(r *VersionRow, has func(string) bool) bool {
			return has(r.Version) || slices.ContainsFunc(r.Places, has)
		},
		filters: map[string]func(*VersionRow, []string) bool{
			"tag":        anyOf(func(r *VersionRow) []string { return r.Tags }),
			"vulnerable": truth(func(r *VersionRow) bool { return r.Weaknesses > 0 }),
		},
		values: map[string][]string{"vulnerable": yesNo},
		order: map[string]func(a, b *VersionRow) int{
			"version":    func(a, b *VersionRow) int { return compareVersions(a.ecosystem, a.Version, b.Version) },
			"installed":  byNumber(func(r *VersionRow) int { return r.Installed }),
			"exposed":    byNumber(func(r *VersionRow) int { return r.Exposed }),
			"weaknesses": byNumber(func(r *VersionRow) int { return r.Weaknesses }),
			"support":    byText(func(r *VersionRow) string { return supportEnds(r.EOL) }),
		},
		tie:     func(a, b *VersionRow) int { return strings.Compare(a.Version, b.Version) },
		initial: []string{"-installed", "-version"},
	}
}

// compareVersions orders versions as their ecosystem does, those that it cannot
// read by text.
func compareVersions(ecosystem, a, b string) int {
	if n, err := version.Compare(ecosystem, a, b); err == nil {
		return n
	}
	return strings.Compare(a, b)
}

// supportEnds orders what is known of ends of support: what ended without a
// date first, what goes on and is not known last.
func supportEnds(e *EndOfLife) string {
	switch {
	case e == nil:
		return "9999-99"
	case e.Date == "" && !e.Ended:
		return "9999"
	}
	return e.Date
}

// versionRows are the installed versions of a product. The caller holds mu for reading.
func (c *core) versionRows(l lens, id string) []*VersionRow {
	now := c.clock()
	byVersion := map[string]*VersionRow{}
	exposed := map[string]*roaring.Bitmap{}
	for _, v := range c.fleet.ProductVersions(id, l.devs) {
		byVersion[v.Version] = &VersionRow{Version: v.Version, Installed: v.Installed, Weaknesses: int(v.Counts.Weaknesses),
			Severity: severityCount(v.Counts), Tags: []string{}, Places: []string{}}
		exposed[v.Version] = roaring.New()
	}
	for _, cid := range c.fleet.ProductComponents(id, l.devs) {
		k := c.fleet.Component(cid)
		r := byVersion[k.Version]
		if r == nil { // only in memory, or leftover configuration
			continue
		}
		r.ecosystem = k.Key.Ecosystem
		if place := strings.TrimSpace(k.Key.Ecosystem + " " + k.Key.Release); !slices.Contains(r.Places, place) {
			r.Places = append(r.Places, place)
		}
		if e := c.lineSupport(k, now); e != nil && (r.EOL == nil || supportEnds(e) < supportEnds(r.EOL)) {
			r.EOL = e
		}
		for h := range c.fleet.Hits(cid) {
			if h.Exposed {
				exposed[k.Version].Or(c.fleet.DevicesOf(cid))
				break
			}
		}
	}
	out := slices.Collect(maps.Values(byVersion))
	for _, r := range out {
		slices.Sort(r.Places)
		r.Exposed = l.count(exposed[r.Version])
		if tag := supportTag(r.EOL); tag != "" {
			r.Tags = append(r.Tags, tag)
		}
	}
	return out
}

// SoftwareVersions lists the installed versions of a product.
func (s *Server) SoftwareVersions(_ context.Context, caller Caller, id string, q Query) (Page[VersionRow], error) {
	rows, err := s.softwareVersions(caller, id)
	if err != nil {
		return Page[VersionRow]{}, err
	}
	return versionList().page(q, rows)
}

// SoftwareVersionTable is SoftwareVersions, the most installed first.
func (s *Server) SoftwareVersionTable(_ context.Context, caller Caller, id string, q RowQuery[VersionRow]) (RowPage[VersionRow], error) {
	rows, err := s.softwareVersions(caller, id)
	slices.SortFunc(rows, versionList().compare(&Query{}))
	return q.Of(slices.Values(rows)), err
}

func (s *Server) softwareVersions(caller Caller, id string) ([]*VersionRow, error) {
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
	return c.versionRows(l, id), nil
}

// withVersion takes the filter "version", which lists below a product have
// beside their own, out of a query.
func withVersion(q Query) (Query, []string) { return without(q, "version") }

// without takes a filter that a list does not have itself out of a query.
func without(q Query, filter string) (Query, []string) {
	values := q.Filter[filter]
	if values != nil {
		q.Filter = maps.Clone(q.Filter)
		delete(q.Filter, filter)
	}
	return q, values
}

// ofVersions are the components of a product on devices of the lens, those of some versions
// alone when any are named.
func (c *core) ofVersions(l lens, id string, versions []string) []exposure.ComponentID {
	return slices.DeleteFunc(c.fleet.ProductComponents(id, l.devs), func(cid exposure.ComponentID) bool {
		return len(versions) > 0 && !slices.Contains(versions, c.fleet.Component(cid).Version)
	})
}

// misconfigurations are the configuration checks of a product that fail on a
// device that has it, by impact.
func (c *core) misconfigurations(l lens, id string) []SoftwareCheck {
	out := []SoftwareCheck{}
	have := l.of(c.fleet.InstalledDevices(id))
	for n, k := range posture.Checks() {
		if len(k.Products) == 0 || !c.concerns(l, k, id) {
			continue
		}
		if fail := c.checks.devices(n, posture.Fail).AndCardinality(have); fail > 0 {
			out = append(out, SoftwareCheck{ID: "sca-_-" + k.ID, Name: k.Title, Impact: k.Impact, Severity: checkSeverity(k.Impact), Devices: int(fail)})
		}
	}
	slices.SortStableFunc(out, func(a, b SoftwareCheck) int { return cmp.Or(b.Impact-a.Impact, b.Devices-a.Devices) })
	return out
}

// concerns reports whether a check is about a product: about one of its
// packages of a distribution. Packages of languages have the same names and are others.
func (c *core) concerns(l lens, k *posture.Check, id string) bool {
	return slices.ContainsFunc(c.fleet.ProductComponents(id, l.devs), func(cid exposure.ComponentID) bool {
		comp := c.fleet.Component(cid)
		return comp.Key.Release != "" && k.Concerns(comp.Product)
	})
}

// checkSeverity is the impact of a check, 1 to 10, in the words of severities.
func checkSeverity(impact int) advisory.Severity {
	switch {
	case impact >= 8:
		return advisory.High
	case impact >= 5:
		return advisory.Medium
	}
	return advisory.Low
}

// SoftwareRecommendations lists what to do about a product: about its
// weaknesses, and about settings that are not as they should be on a device
// that has it.
func (s *Server) SoftwareRecommendations(ctx context.Context, caller Caller, id string, q Query) (Page[RecommendationRow], error) {
	if err := s.need(caller, RecommendationRead); err != nil {
		return Page[RecommendationRow]{}, err
	}
	c := s.core
	if err := c.settle(ctx); err != nil {
		return Page[RecommendationRow]{}, err
	}
	weakness := s.weaknessIn(q.Text)
	c.mu.RLock()
	defer c.mu.RUnlock()
	l := c.lens(caller)
	if _, ok := c.fleet.Product(id, l.devs); !ok {
		return Page[RecommendationRow]{}, fmt.Errorf("software %q: %w", id, ErrNotFound)
	}
	settings := map[string]bool{}
	for _, k := range c.misconfigurations(l, id) {
		settings[k.ID] = true
	}
	rows := slices.DeleteFunc(c.recommendationRows(l), func(r *RecommendationRow) bool { return r.ProductID != id && !settings[r.ID] })
	return c.recommendationPage(l, q, weakness, rows)
}
