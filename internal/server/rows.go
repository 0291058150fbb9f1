package server

import (
	"slices"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/exposure"
)

// rowCache keeps the rows of the two lists over all devices, so that a page of
// them costs a filter and not a walk over the index. Changes of the index
// forget exactly the rows that they touch; rows are made again when they are
// asked for. It has its own lock: readers fill it while they hold core.mu for
// reading. Rows are shared and never changed once made.
type rowCache struct {
	mu       sync.Mutex
	weak     map[string]*WeaknessRow // nil value: no device has it
	products map[string]*SoftwareRow
	remedies map[string]map[exposure.Remedy]*RecommendationRow // by product
	day      int64                                             // ages are in days: a new day forgets them
}

func newRowCache() *rowCache {
	return &rowCache{weak: map[string]*WeaknessRow{}, products: map[string]*SoftwareRow{}, remedies: map[string]map[exposure.Remedy]*RecommendationRow{}}
}

// forget drops every row. The caller holds core.mu for writing.
func (r *rowCache) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.weak)
	clear(r.products)
	clear(r.remedies)
}

// forgetProduct drops the rows of a product. The caller holds mu of the cache.
func (r *rowCache) forgetProduct(id string) {
	delete(r.products, id)
	delete(r.remedies, id)
}

// forgetDevice drops the rows that a change of one device touches.
func (c *core) forgetDevice(diff exposure.DeviceDiff) {
	c.rows.mu.Lock()
	defer c.rows.mu.Unlock()
	for _, ch := range diff.Changes {
		delete(c.rows.weak, ch.Weakness)
	}
	for _, id := range slices.Concat(diff.Added, diff.Removed) {
		c.rows.forgetProduct(c.fleet.Component(id).ID())
		for h := range c.fleet.Hits(id) {
			delete(c.rows.weak, h.Weakness)
		}
	}
}

// forgetComponent drops the rows that a new assessment of one component touches.
func (c *core) forgetComponent(id exposure.ComponentID, diff exposure.AssessmentDiff) {
	c.rows.mu.Lock()
	defer c.rows.mu.Unlock()
	c.rows.forgetProduct(c.fleet.Component(id).ID())
	for _, w := range slices.Concat(diff.Opened, diff.Closed, diff.Changed) {
		delete(c.rows.weak, w)
	}
}

// forgetWeaknesses drops the rows that new facts of weaknesses touch.
func (c *core) forgetWeaknesses(ids []string) {
	c.rows.mu.Lock()
	defer c.rows.mu.Unlock()
	for _, w := range ids {
		delete(c.rows.weak, w)
		for _, id := range c.fleet.WeaknessComponents(w) {
			c.rows.forgetProduct(c.fleet.Component(id).ID())
		}
	}
}

// cachedWeakness returns the row of a weakness, ok false when no device has it.
// The caller holds core.mu for reading.
func (c *core) cachedWeakness(id string) (*WeaknessRow, bool) {
	c.rows.mu.Lock()
	defer c.rows.mu.Unlock()
	return c.cachedWeaknessLocked(id, time.Now())
}

func (c *core) cachedWeaknessLocked(id string, now time.Time) (*WeaknessRow, bool) {
	if day := now.Unix() / 86400; day != c.rows.day {
		clear(c.rows.weak)
		c.rows.day = day
	}
	r, have := c.rows.weak[id]
	if !have {
		r, _ = c.weaknessRow(id, now)
		c.rows.weak[id] = r
	}
	return r, r != nil
}

// weaknessRows returns the rows of all weaknesses that some device has, in a
// slice of the caller's.
func (c *core) weaknessRows() []*WeaknessRow {
	c.rows.mu.Lock()
	defer c.rows.mu.Unlock()
	now := time.Now()
	out := make([]*WeaknessRow, 0, len(c.rows.weak))
	for id := range c.fleet.Weaknesses() {
		if r, ok := c.cachedWeaknessLocked(id, now); ok {
			out = append(out, r)
		}
	}
	return out
}

// softwareRow returns the row of a product, ok false when no device has it.
func (c *core) softwareRow(id string) (*SoftwareRow, bool) {
	c.rows.mu.Lock()
	defer c.rows.mu.Unlock()
	return c.softwareRowLocked(id)
}

func (c *core) softwareRowLocked(id string) (*SoftwareRow, bool) {
	r, have := c.rows.products[id]
	if !have {
		r, _ = c.newSoftwareRow(id)
		c.rows.products[id] = r
	}
	return r, r != nil
}

// productRows returns the rows of all products that some device has, in a
// slice of the caller's.
func (c *core) productRows() []*SoftwareRow {
	c.rows.mu.Lock()
	defer c.rows.mu.Unlock()
	out := make([]*SoftwareRow, 0, len(c.rows.products))
	for id := range c.fleet.Products() {
		if r, ok := c.softwareRowLocked(id); ok {
			out = append(out, r)
		}
	}
	return out
}
