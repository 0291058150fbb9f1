package server

import (
	"context"
	"fmt"
	"slices"

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

// exposedSystems fills in the platforms of the devices that recommendations are
// about. The caller holds mu for reading.
func (c *core) exposedSystems(l lens, rows []RecommendationRow) {
	for i := range rows {
		r := &rows[i]
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
