package server

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
)

// WeaknessColumns is what the index says of a weakness without a look at the
// components that have it.
type WeaknessColumns struct {
	ID        string
	Title     string
	Severity  advisory.Severity
	CVSS      float64 // base of the preferred score, 0 without one
	CVSSVer   string
	CVSS3     float64 // base of the best score of CVSS 3, else CVSS
	EPSS      float64
	Exploit   advisory.Exploit
	Published time.Time
	Updated   time.Time
	Exposed   int // devices that the caller sees where it counts, at least 1
}

// WeaknessTableQuery says which of the weaknesses that count on a device
// WeaknessTable answers; the zero value is no row of all of them.
// They come in the order of ids: CVEs by year and number.
type WeaknessTableQuery struct {
	IDs []string // only these, without regard to case; nil: all
	RowQuery[WeaknessColumns]
}

// WeaknessTablePage is an answer of WeaknessTable.
type WeaknessTablePage struct {
	RowPage[WeaknessColumns]
	looked int // weaknesses whose columns were read
}

// WeaknessTable answers weaknesses that count on a device the caller sees, by
// their columns alone. It reads those of IDs; of all weaknesses it reads in the
// order of ids and stops behind the page, unless Order or Count ask for the rest.
func (s *Server) WeaknessTable(ctx context.Context, caller Caller, q WeaknessTableQuery) (WeaknessTablePage, error) {
	if err := s.need(caller, VulnerabilityRead); err != nil {
		return WeaknessTablePage{}, err
	}
	return s.core.weaknessTable(ctx, caller, &q)
}

// SoftwareWeaknessTable is WeaknessTable for those that count through a product.
func (s *Server) SoftwareWeaknessTable(ctx context.Context, caller Caller, id string, q WeaknessTableQuery) (WeaknessTablePage, error) {
	if err := s.need(caller, VulnerabilityRead); err != nil {
		return WeaknessTablePage{}, err
	}
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	l := c.lens(caller)
	if _, ok := c.fleet.Product(id, l.devs); !ok {
		return WeaknessTablePage{}, fmt.Errorf("software %q: %w", id, ErrNotFound)
	}
	return c.tableOf(ctx, l, c.hitsOf(c.fleet.ProductComponents(id, l.devs), func(*exposure.Hit) bool { return true }), 0, &q)
}

// RecommendationWeaknessTable is WeaknessTable for those that a recommendation closes.
func (s *Server) RecommendationWeaknessTable(ctx context.Context, caller Caller, id string, q WeaknessTableQuery) (WeaknessTablePage, error) {
	if err := s.need(caller, RecommendationRead); err != nil {
		return WeaknessTablePage{}, err
	}
	c := s.core
	if err := c.settle(ctx); err != nil {
		return WeaknessTablePage{}, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	l := c.lens(caller)
	row, remedy, err := c.recommendation(l, id)
	if err != nil {
		return WeaknessTablePage{}, err
	}
	return c.tableOf(ctx, l, c.hitsOf(c.fleet.CauseComponents(row.ProductID, remedy, l.devs), func(h *exposure.Hit) bool { return h.Remedy == remedy }), 0, &q)
}

// DeviceWeaknessTable is WeaknessTable for those that count on a device. One at
// rest is in no count of devices: what only it has is exposed once.
func (s *Server) DeviceWeaknessTable(ctx context.Context, caller Caller, id string, q WeaknessTableQuery) (WeaknessTablePage, error) {
	if err := s.need(caller, VulnerabilityRead); err != nil {
		return WeaknessTablePage{}, err
	}
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	d, err := c.named(caller.sees(), id)
	if err != nil {
		return WeaknessTablePage{}, err
	}
	among := map[string]bool{}
	for _, h := range c.fleet.DeviceHits(d.num) {
		if h.Exposed {
			among[h.Weakness] = true
		}
	}
	return c.tableOf(ctx, c.lens(caller), among, 1, &q)
}

// hitsOf are the ids of the weaknesses that count through components, each once.
func (c *core) hitsOf(components []exposure.ComponentID, which func(*exposure.Hit) bool) map[string]bool {
	out := map[string]bool{}
	for _, id := range components {
		for h := range c.fleet.Hits(id) {
			if h.Exposed && which(&h) {
				out[h.Weakness] = true
			}
		}
	}
	return out
}

func (c *core) weaknessTable(ctx context.Context, caller Caller, q *WeaknessTableQuery) (page WeaknessTablePage, err error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.tableOf(ctx, c.lens(caller), nil, 0, q)
}

// tableOf reads the table of the weaknesses in among, nil for all; each of them
// counts on as many devices at least. The caller holds mu for reading.
func (c *core) tableOf(ctx context.Context, l lens, among map[string]bool, least int, q *WeaknessTableQuery) (page WeaknessTablePage, err error) {
	var ids iter.Seq[string]
	switch {
	case q.IDs != nil:
		ids = c.weakIDs.named(c.fleet, q.IDs)
	case among != nil:
		ids = slices.Values(slices.SortedFunc(maps.Keys(among), compareIDs))
	default:
		ids = slices.Values(c.weakIDs.sorted(c.fleet))
	}
	survey := c.fleet.Survey(l.devs)
	var w WeaknessColumns
	page.RowPage = q.Of(func(yield func(*WeaknessColumns) bool) {
		for id := range ids {
			if err = ctx.Err(); err != nil {
				return
			}
			if among != nil && !among[id] {
				continue
			}
			page.looked++
			if c.columns(&w, survey, id, least) && !yield(&w) {
				return
			}
		}
	})
	return page, err
}

// columns reads what the index says of a weakness, false when it counts on no
// device of the survey. The caller holds mu for reading.
func (c *core) columns(w *WeaknessColumns, survey *exposure.Survey, id string, least int) bool {
	info, ok := survey.Weakness(id)
	if info.Exposed = max(info.Exposed, least); !ok || info.Exposed == 0 {
		return false
	}
	f := c.peek(id)
	*w = WeaknessColumns{ID: id, Title: f.Title, Severity: f.Severity, CVSS: f.CVSS, CVSSVer: f.CVSSVer, CVSS3: f.CVSS3, EPSS: f.Threats.EPSS,
		Exploit: f.Threats.Exploit, Published: f.Published, Updated: f.Updated, Exposed: info.Exposed}
	return true
}

// WeaknessFacts is what the intelligence knows of a weakness; of one that it
// does not know, the id alone.
func (s *Server) WeaknessFacts(_ context.Context, caller Caller, id string) (advisory.Weakness, error) {
	if err := s.need(caller, VulnerabilityRead); err != nil {
		return advisory.Weakness{}, err
	}
	view, release, err := s.snapshot()
	if err != nil {
		return advisory.Weakness{}, err
	}
	defer release()
	id = view.Canonical(id)
	w, ok := view.Weakness(id)
	if !ok {
		return advisory.Weakness{ID: id}, nil
	}
	w.ExploitTypes = advisory.ExploitTypesOf(&w)
	return w, nil
}

// weakIDs has the ids of the index in the order of lists. The index never
// forgets an id, so that what was sorted is good while none comes.
type weakIDs struct {
	mu  sync.Mutex // readers sort while they hold core.mu for reading
	ids []string
	odd []string // of ids: those that upper case changes, or that are not ASCII
}

// sorted are all ids, CVEs by year and number. The result must not be changed.
// The caller holds core.mu for reading.
func (o *weakIDs) sorted(f *exposure.Fleet) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.renew(f)
	return o.ids
}

func (o *weakIDs) renew(f *exposure.Fleet) {
	fresh := f.WeaknessesFrom(len(o.ids))
	if len(fresh) == 0 {
		return
	}
	ids := slices.Concat(o.ids, fresh) // readers have the old ones
	slices.SortFunc(ids, compareIDs)
	o.ids = ids
	for _, id := range fresh {
		if !plainID(id) {
			o.odd = append(o.odd, id)
		}
	}
}

// plainID reports whether an id is the only one that equals it without regard
// to case and is its own upper case.
func plainID(id string) bool {
	for i := range len(id) {
		if c := id[i]; c >= 0x80 || 'a' <= c && c <= 'z' {
			return false
		}
	}
	return true
}

// named yields the ids of the index that equal one of some texts in lower case,
// each once, in the order of sorted.
func (o *weakIDs) named(f *exposure.Fleet, texts []string) iter.Seq[string] {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.renew(f)
	asked := make(map[string]bool, len(texts))
	var out []string
	for _, text := range texts {
		low := strings.ToLower(text)
		if asked[low] {
			continue
		}
		asked[low] = true
		if up := strings.ToUpper(low); plainID(up) && strings.ToLower(up) == low {
			out = append(out, up) // when there is none, it has no columns
		}
	}
	for _, id := range o.odd {
		if asked[strings.ToLower(id)] {
			out = append(out, id)
		}
	}
	slices.SortFunc(out, compareIDs)
	return slices.Values(slices.Compact(out))
}
