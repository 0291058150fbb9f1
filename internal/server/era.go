package server

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
)

// era reads the fleet as it was at one moment, at, device by device, while the
// fleet goes on: what came later is undone. With since it reads a second
// moment too, the one before all changes from since on. It is used by one
// goroutine.
type era struct {
	s     *Server
	at    int64 // Unix microseconds
	since int64 // 0: only at

	groups []exposure.Group // whose devices it shows; nil: all

	intelAt int64 // of the change of the intelligence up to which the pasts know
	now     *past // changes after at
	then    *past // changes from since on; nil without since
	parts   map[uint32]*part
}

// part is a component in an era.
type part struct {
	exposure.Component
	id        uint32
	productID string
	known     []store.Known
	now, then []weakAt // by weakness; then only with since
	differs   bool     // now and then are not the same
	last      int64    // when the intelligence last changed it, in the span of the era
	code      bool     // a CPE name is known
	eol       *EndOfLife
}

// weakAt is a weakness of a component at a moment.
type weakAt struct {
	store.FactWas
	fixed, by string
}

// deviceAt is a device in an era.
type deviceAt struct {
	*device
	sum       summary
	verdicts  verdicts
	seen      time.Time
	now       []store.Held
	groupID   exposure.Group
	groupName string
	then      []store.Held // with since
	changes   []*store.Change
	movedAt   int64 // when it came into the groups of the era or left them; 0: it did not

	placed map[uint32][]string // paths by component as the store has them; nil: not read
}

func (s *Server) newEra(at, since int64) *era {
	return &era{s: s, at: at, since: since, intelAt: -1}
}

// from is the first moment whose changes matter to the era.
func (e *era) from() int64 {
	if e.since > 0 {
		return min(e.since, e.at+1)
	}
	return e.at + 1
}

// device reads a device, a removed one too, nil when there is none of this number.
func (e *era) device(ctx context.Context, num uint32) (*deviceAt, error) {
	c := e.s.core
	for {
		c.mu.RLock()
		d := c.at(num)
		if d == nil {
			d = c.gone[num]
		}
		if d == nil {
			c.mu.RUnlock()
			return nil, nil
		}
		if p := d.pending; p != nil && p.At <= e.at {
			c.mu.RUnlock()
			d.wait() // its commit decides whether it counts
			continue
		}
		out := &deviceAt{device: d, sum: d.sum, verdicts: d.verdicts, seen: d.lastSeen(time.Now()), now: d.held.List()}
		in, was := e.move(c, out)
		changed, pending := d.changedAt >= e.from(), d.pending
		c.mu.RUnlock()

		if changed {
			var err error
			if out.changes, err = e.s.st.Changes(ctx, int64(num), e.from()); err != nil {
				return nil, fmt.Errorf("read changes of %s: %w", d.id, err)
			}
			if n := len(out.changes); pending != nil && (n == 0 || out.changes[n-1].At < pending.At) {
				out.changes = append(out.changes, pending)
			}
		}
		held := out.now
		out.now = heldBefore(e.at+1, held, out.changes)
		out.verdicts = verdictsBefore(e.at+1, out.verdicts, out.changes)
		if e.since > 0 {
			out.then = heldBefore(e.since, held, out.changes)
		}
		if !in {
			out.now, out.verdicts = nil, nil
		}
		if !was {
			out.then = nil
		}
		ok, err := e.learn(ctx, out)
		if ok || err != nil {
			return out, err
		}
	}
}

// move says in which group a device is, or was where it is in none of the era's
// any more, and whether it is in one of them at each of the two moments. The
// caller holds mu for reading.
func (e *era) move(c *core, d *deviceAt) (in, was bool) {
	sees := func(g exposure.Group) bool { return e.groups == nil || slices.Contains(e.groups, g) }
	g, _ := c.moves.before(d.num, d.group, e.at+1, e.at)
	in = sees(g)
	if e.since > 0 {
		before, at := c.moves.before(d.num, d.group, e.since, e.at)
		if was = sees(before); was != in {
			d.movedAt = at
		}
		if !in {
			g = before
		}
	}
	d.groupID, d.groupName = g, c.groupWord(g)
	return in, was
}

// groupWord is a device group as programs are told of it, whichever way they ask: the
// Defender API, exports, hunting. "None" where there are no groups, "Unassigned" for
// devices that no rule takes.
func (c *core) groupWord(g exposure.Group) string {
	switch {
	case len(c.sorting.groups) == 0:
		return "None"
	case g == 0:
		return "Unassigned"
	}
	return c.sorting.names[g]
}

// wait waits for the end of a report of the device.
func (d *device) wait() {
	d.report.Lock()
	defer d.report.Unlock()
}

// learn makes the parts of a device known, ok false when the intelligence
// changed since the device was read.
func (e *era) learn(ctx context.Context, d *deviceAt) (ok bool, err error) {
	c := e.s.core
	c.mu.RLock()
	if c.intelAt != e.intelAt {
		at, pending := c.intelAt, slices.Clone(c.intelPending)
		c.mu.RUnlock()
		return false, e.reload(ctx, at, pending)
	}
	defer c.mu.RUnlock()
	for _, list := range [2][]store.Held{d.now, d.then} {
		for _, h := range list {
			e.part(c, h.Component)
			for _, p := range h.Past {
				e.part(c, p.Component)
			}
		}
	}
	return true, nil
}

// reload reads what changes of the intelligence there were.
func (e *era) reload(ctx context.Context, at int64, pending []*store.Change) error {
	var changes []*store.Change
	if at >= e.from() {
		var err error
		if changes, err = e.s.st.Changes(ctx, store.AllDevices, e.from()); err != nil {
			return fmt.Errorf("read changes of the intelligence: %w", err)
		}
		for _, p := range pending {
			if n := len(changes); n == 0 || changes[n-1].At < p.At {
				changes = append(changes, p)
			}
		}
	}
	e.intelAt, e.parts = at, map[uint32]*part{}
	e.now = newPast(e.at+1, changes)
	if e.since > 0 {
		e.then = newPast(e.since, changes)
	}
	return nil
}

// part returns a component. The caller holds mu for reading when it may be new.
func (e *era) part(c *core, id uint32) *part {
	if p := e.parts[id]; p != nil {
		return p
	}
	p := &part{Component: c.fleet.Component(exposure.ComponentID(id)), id: id, known: c.known[exposure.ComponentID(id)]}
	p.productID = p.ID()
	p.now = e.weak(c, e.now, id)
	p.eol = c.support(p.Component)
	p.code = strings.HasPrefix(c.productCode(p.Component), "cpe:")
	if e.since > 0 {
		p.then = e.weak(c, e.then, id)
		p.differs = e.then.unsure || !slices.Equal(p.now, p.then)
		if w := e.then.comps[id]; w != nil {
			p.last = w.last
		}
	}
	e.parts[id] = p
	return p
}

func (e *era) weak(c *core, p *past, id uint32) []weakAt {
	hits := p.hits(c.fleet, exposure.ComponentID(id))
	if len(hits) == 0 {
		return nil
	}
	out := make([]weakAt, len(hits))
	for i, h := range hits {
		out[i] = weakAt{p.fact(c, h.Weakness), h.Fixed, h.FixedBy}
	}
	return out
}

// since is when the intelligence first said that the component has a weakness, 0 when it does not.
func (p *part) since(weakness string) int64 {
	i, ok := slices.BinarySearchFunc(p.known, weakness, func(k store.Known, w string) int { return strings.Compare(k.Weakness, w) })
	if !ok {
		return 0
	}
	return p.known[i].Since
}

// firstSeen is core.firstSeen without the lock.
func (e *era) firstSeen(p *part, h *store.Held, weakness string) int64 {
	at := max(h.Since, p.since(weakness))
	for _, b := range h.Past {
		k := e.parts[b.Component].since(weakness)
		if k == 0 {
			break
		}
		at = min(at, max(b.Since, k))
	}
	return at
}

// compare orders parts by what rows of exports call software.
func (p *part) compare(o *part) int {
	return cmp.Or(strings.Compare(p.Vendor, o.Vendor), strings.Compare(p.Product, o.Product), strings.Compare(p.Version, o.Version))
}

// use is a component of a device in an era.
type use struct {
	*part
	held *store.Held
}

// uses are the components of a list that keep lets through, ordered by software.
func (e *era) uses(held []store.Held, keep func(*part) bool) []use {
	var out []use
	for i := range held {
		if p := e.parts[held[i].Component]; keep(p) {
			out = append(out, use{p, &held[i]})
		}
	}
	slices.SortFunc(out, func(a, b use) int { return cmp.Or(a.compare(b.part), cmp.Compare(a.id, b.id)) })
	return out
}

// paths are where a component was on a device at the moment (then: before
// since). Those of a distribution's packages are its package manager's matter.
func (e *era) paths(ctx context.Context, d *deviceAt, p *part, then bool) ([]string, error) {
	from := e.at + 1
	if then {
		from = e.since
	}
	if list, ok := pathsBefore(from, d.changes)[p.id]; ok {
		return list, nil
	}
	if p.Key.Release != "" {
		return nil, nil
	}
	if d.placed == nil {
		if err := e.place(ctx, d); err != nil {
			return nil, err
		}
	}
	return d.placed[p.id], nil
}

// place reads the paths of a device's packages.
func (e *era) place(ctx context.Context, d *deviceAt) error {
	sections, err := e.s.st.SomeSections(ctx, d.num, append([]inventory.SectionName{inventory.OSSection}, placedSections...))
	if err != nil {
		return fmt.Errorf("read paths of %s: %w", d.id, err)
	}
	profile := exposure.Profile(sections)
	d.placed = map[uint32][]string{}
	c := e.s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	for k, list := range placesOf(&profile) {
		if id, ok := c.fleet.Lookup(k); ok {
			d.placed[uint32(id)] = list
		}
	}
	return nil
}
