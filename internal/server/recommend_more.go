package server

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/exposure"
)

// RecommendationSoftware is the product that a recommendation is about, with
// all that counts of it, not only what the recommendation closes. A release of
// an operating system has the recommendation's own figures. One about a setting
// is not found: no product is behind it.
func (s *Server) RecommendationSoftware(ctx context.Context, caller Caller, id string) (SoftwareRow, error) {
	if err := s.need(caller, RecommendationRead); err != nil {
		return SoftwareRow{}, err
	}
	c := s.core
	if err := c.settle(ctx); err != nil {
		return SoftwareRow{}, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	l := c.lens(caller)
	r, _, err := c.recommendation(l, id)
	if err != nil {
		return SoftwareRow{}, err
	}
	if r.Type == RemedyConfigure {
		return SoftwareRow{}, fmt.Errorf("software of recommendation %q, which is about a setting: %w", id, ErrNotFound)
	}
	row, ok := c.softwareRow(l, r.ProductID)
	if !ok {
		return SoftwareRow{ID: r.ProductID, Name: r.Component, Vendor: r.Vendor, Ecosystem: r.Ecosystem, Weaknesses: r.Weaknesses, Severity: r.Severity,
			Threats: r.Threats, Exposed: r.Exposed, Installed: r.Installed, Impact: r.Impact, Tags: r.Tags, Trend: []int{}, ProductCode: r.ProductCode}, nil
	}
	out := *row
	if relief, ok := c.fleet.Scores().ReliefOf(out.ID, exposure.Gone, l.groups, c.weights()); ok {
		out.Impact = relief.Impact.Float()
	}
	return out, nil
}

// weaknessIn is the weakness whose id a search is, "" when it is none that a
// device has or had; the case of letters does not matter.
func (s *Server) weaknessIn(text string) string {
	text = strings.TrimSpace(text)
	if !strings.Contains(text, "-") {
		return ""
	}
	for _, id := range []string{strings.ToUpper(text), text} {
		if id = s.canonical(id); s.core.held(id) {
			return id
		}
	}
	return ""
}

// held reports whether some device has a weakness.
func (c *core) held(weakness string) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.fleet.WeaknessComponents(weakness)) > 0
}

// recommendationPage makes a page of recommendations. A search for a weakness
// finds those that close it. The caller holds mu for reading.
func (c *core) recommendationPage(l lens, q Query, weakness string, rows []*RecommendationRow) (Page[RecommendationRow], error) {
	closing := map[string]bool{}
	if weakness != "" {
		for _, id := range c.fleet.WeaknessComponents(weakness) {
			h, _ := c.fleet.HitOf(id, weakness)
			if !h.Exposed || !c.fleet.Held(id, l.devs) {
				continue
			}
			product := c.fleet.ProductOf(id)
			if h.Remedy.OfLine() {
				product = c.fleet.LineOf(id).Product
			}
			closing[recommendationID(product, h.Remedy)] = true
		}
	}
	if len(q.Filter["os"]) > 0 || slices.Contains(q.Sort, "os") || slices.Contains(q.Sort, "-os") {
		c.exposedSystems(l, slices.Values(rows)) // of a page alone otherwise
	}
	p, err := recommendationList(closing).page(q, rows)
	c.recommendationTrends(p.Items, l)
	c.exposedSystems(l, Each(p.Items))
	return p, err
}

// exposedSystems fills in the platforms of the devices that recommendations are
// about. The caller holds mu for reading.
func (c *core) exposedSystems(l lens, rows iter.Seq[*RecommendationRow]) {
	for r := range rows {
		_, remedy, _ := parseRecommendation(r.ID)
		r.Platforms = []string{}
		devs := c.affected(l, r, remedy)
		for name, on := range c.systems {
			if on.Intersects(devs) {
				r.Platforms = append(r.Platforms, name)
			}
		}
		slices.Sort(r.Platforms)
	}
}

// CountCritical fills in how many of the exposed devices of some recommendations
// are of high value. Rows of what the caller does not see are left as they are.
func (s *Server) CountCritical(_ context.Context, caller Caller, rows []RecommendationRow) error {
	if err := s.need(caller, RecommendationRead); err != nil {
		return err
	}
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	l, critical := c.lens(caller), c.criticalCount()
	for i := range rows {
		if row, remedy, err := c.recommendation(l, rows[i].ID); err == nil {
			rows[i].Critical = critical(l, row, remedy)
		}
	}
	return nil
}

// criticalCount counts the devices of high value with what a recommendation
// closes. The caller holds mu for reading, also when the result is called.
func (c *core) criticalCount() func(l lens, row *RecommendationRow, remedy exposure.Remedy) int {
	high := roaring.New()
	for _, d := range c.devices {
		if d != nil && d.value == exposure.ValueHigh {
			high.Add(d.num)
		}
	}
	return func(l lens, row *RecommendationRow, remedy exposure.Remedy) int {
		if high.IsEmpty() {
			return 0
		}
		return int(c.affected(l, row, remedy).AndCardinality(high))
	}
}
