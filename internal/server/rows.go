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

// forgetWeak drops the rows of weaknesses. The caller holds core.mu for writing.
func (r *rowCache) forgetWeak() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.weak)
}

// forgetProduct drops the rows of a product. The caller holds mu of the cache.
func (r *rowCache) forgetProduct(id string) {
	delete(r.products, id)
	delete(r.remedies, id)
}

// forgetProductsOf drops the rows of a component's product, and those of the
// ended release that it is of. The caller holds mu of the cache.
func (c *core) forgetProductsOf(rows *rowCache, id exposure.ComponentID) {
	rows.forgetProduct(c.fleet.Component(id).ID())
	if l := c.fleet.LineOf(id); l.Product != "" {
		rows.forgetProduct(l.Product)
	}
}

// forgetDevice drops the rows that a change of one device touches.
func (c *core) forgetDevice(diff exposure.DeviceDiff) {
	for rows := range c.caches {
		rows.mu.Lock()
		for _, ch := range diff.Changes {
			delete(rows.weak, ch.Weakness)
		}
		for _, id := range slices.Concat(diff.Added, diff.Removed) {
			c.forgetProductsOf(rows, id)
			for h := range c.fleet.Hits(id) {
				delete(rows.weak, h.Weakness)
			}
		}
		rows.mu.Unlock()
	}
}

// forgetComponent drops the rows that a new assessment of one component touches.
func (c *core) forgetComponent(id exposure.ComponentID, diff exposure.AssessmentDiff) {
	for rows := range c.caches {
		rows.mu.Lock()
		c.forgetProductsOf(rows, id)
		changed := slices.Concat(diff.Opened, diff.Closed, diff.Changed)
		for _, w := range changed {
			delete(rows.weak, w)
		}
		c.forgetZeroDays(rows, changed)
		rows.mu.Unlock()
	}
}

// forgetWeaknesses drops the rows that new facts of weaknesses touch.
func (c *core) forgetWeaknesses(ids []string) {
	for rows := range c.caches {
		rows.mu.Lock()
		for _, w := range ids {
			delete(rows.weak, w)
			for _, id := range c.fleet.WeaknessComponents(w) {
				c.forgetProductsOf(rows, id)
			}
		}
		rows.mu.Unlock()
	}
}

// cachedWeakness returns the row of a weakness, ok false when no device of the
// lens has it. The caller holds core.mu for reading.
func (c *core) cachedWeakness(l lens, id string) (*WeaknessRow, bool) {
	l.rows.mu.Lock()
	defer l.rows.mu.Unlock()
	return c.cachedWeaknessLocked(l, c.fleet.Survey(l.devs), id, time.Now())
}

func (c *core) cachedWeaknessLocked(l lens, survey *exposure.Survey, id string, now time.Time) (*WeaknessRow, bool) {
	if day := now.Unix() / 86400; day != l.rows.day {
		clear(l.rows.weak)
		l.rows.day = day
	}
	r, have := l.rows.weak[id]
	if !have {
		r, _ = c.surveyedRow(l, survey, id, now)
		l.rows.weak[id] = r
	}
	return r, r != nil
}

// weaknessRows returns the rows of all weaknesses that some device of the lens
// has, in a slice of the caller's.
func (c *core) weaknessRows(l lens) []*WeaknessRow {
	l.rows.mu.Lock()
	defer l.rows.mu.Unlock()
	now, survey := time.Now(), c.fleet.Survey(l.devs)
	out := make([]*WeaknessRow, 0, len(l.rows.weak))
	for id := range c.fleet.Weaknesses() {
		if r, ok := c.cachedWeaknessLocked(l, survey, id, now); ok {
			out = append(out, r)
		}
	}
	return out
}

// softwareRow returns the row of a product, ok false when no device of the lens has it.
func (c *core) softwareRow(l lens, id string) (*SoftwareRow, bool) {
	l.rows.mu.Lock()
	defer l.rows.mu.Unlock()
	return c.softwareRowLocked(l, id)
}

func (c *core) softwareRowLocked(l lens, id string) (*SoftwareRow, bool) {
	r, have := l.rows.products[id]
	if !have {
		r, _ = c.newSoftwareRow(l, id)
		l.rows.products[id] = r
	}
	return r, r != nil
}

// productRows returns the rows of all products that some device of the lens
// has, in a slice of the caller's.
func (c *core) productRows(l lens) []*SoftwareRow {
	l.rows.mu.Lock()
	defer l.rows.mu.Unlock()
	out := make([]*SoftwareRow, 0, len(l.rows.products))
	for id := range c.fleet.Products() {
		if r, ok := c.softwareRowLocked(l, id); ok {
			out = append(out, r)
		}
	}
	return out
}
