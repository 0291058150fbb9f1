package eventlog

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/inventory"
)

// Entities answers what is known of one file, address, host or account across
// devices. Its methods are safe for concurrent use.
type Entities interface {
	// Sightings tells on which devices an entity was seen, and what it went by.
	Sightings(ctx context.Context, q EntityQuery) (Sightings, Cost, error)
	// Latest returns the newest events of an entity, newest first, n at most.
	Latest(ctx context.Context, q EntityQuery, n int) ([]Row, Cost, error)
}

var _ Entities = (*Engine)(nil)

// EntityQuery names an entity: ID as [event.EntityID] makes it, whatever the case of ASCII letters.
type EntityQuery struct {
	Scope Scope
	// From, To: only devices that saw it in this time. Counts, first and last are those of the whole of the
	// days (UTC) that the time reaches into.
	From, To time.Time
	Kind     event.EntityKind
	ID       string
}

// Sightings are where an entity was seen.
type Sightings struct {
	Devices []Sighting  // in order of the devices' ids
	Names   []NameCount // the most frequent first, mostNames of them
	// Unlisted counts mentions of entities, of this or of others, that the index
	// had no room for in the days asked for: with 0 the answer is whole.
	Unlisted int
}

// Sighting is an entity on one device.
type Sighting struct {
	Device      inventory.DeviceID
	Events      int
	First, Last time.Time
	// Names are the places in Sightings.Names of what it went by here.
	Names []int
}

// NameCount is a name with how often the entity went by it.
type NameCount struct {
	Name            string // "": the event has none
	Devices, Events int
}

// mostNames is how many names of an entity are told.
const mostNames = 20

type nameTally struct {
	devices map[uint32]struct{}
	events  int
	at      func(dec *zstd.Decoder) string // reads the name
}

// sighter adds up what is known of an entity.
type sighter struct {
	q       *EntityQuery
	p       *plan
	v       *view
	key     uint64
	in      map[uint32]bool // devices asked for before
	devices map[uint32]*Sighting
	names   map[uint32]*nameTally
	of      map[uint32]map[uint32]struct{} // names by device
}

func newSighter(v *view, q *EntityQuery) *sighter {
	s := &sighter{q: q, v: v, key: hashEntity(q.Kind, q.ID), in: map[uint32]bool{}, devices: map[uint32]*Sighting{},
		names: map[uint32]*nameTally{}, of: map[uint32]map[uint32]struct{}{}}
	s.p = newPlan(&Query{Scope: q.Scope, From: q.From, To: q.To})
	s.p.words = entityWords(q)
	s.p.q.Filter = func(r Row) bool { return s.mentions(r.Record) != nil }
	return s
}

// entityWords are what a block's filter must hold for an entity.
func entityWords(q *EntityQuery) [][]uint64 {
	switch q.Kind {
	case event.EntityDomain: // a name above the one that the event has
	case event.EntityAddress:
		return [][]uint64{{hashWhole(q.ID), hashWhole("::ffff:" + q.ID)}}
	default:
		return [][]uint64{{hashWhole(q.ID)}}
	}
	var out [][]uint64
	eachTerm(q.ID, func(h uint64) { out = append(out, []uint64{h}) })
	return out
}

// mentions returns how a record speaks of the entity; nil: it does not.
func (s *sighter) mentions(rec event.Record) *event.EntityRef {
	var buf [16]event.EntityRef
	for _, x := range rec.Entities(buf[:0]) {
		if x.Kind == s.q.Kind && hashEntity(x.Kind, x.ID) == s.key {
			return &x
		}
	}
	return nil
}

// sees reports whether a device is in the scope.
func (s *sighter) sees(dev uint32) bool {
	in, known := s.in[dev]
	if !known {
		id := s.v.device(dev)
		in = id != "" && s.q.Scope.Has(id)
		s.in[dev] = in
	}
	return in
}

// seen adds up one entry.
func (s *sighter) seen(p *posting, at func(dec *zstd.Decoder) string) {
	first, last := time.Unix(0, p.first).UTC(), time.Unix(0, p.last).UTC()
	d := s.devices[p.dev]
	if d == nil {
		d = &Sighting{Device: s.v.device(p.dev), First: first, Last: last}
		s.devices[p.dev], s.of[p.dev] = d, map[uint32]struct{}{}
	}
	d.Events += int(p.count)
	if first.Before(d.First) {
		d.First = first
	}
	if last.After(d.Last) {
		d.Last = last
	}
	s.of[p.dev][p.name] = struct{}{}
	n := s.names[p.name]
	if n == nil {
		n = &nameTally{devices: map[uint32]struct{}{}, at: at}
		s.names[p.name] = n
	}
	n.devices[p.dev] = struct{}{}
	n.events += int(p.count)
}

// segment adds up the entries of a segment.
func (s *sighter) segment(ctx context.Context, g *segment, cost *Cost) error {
	cost.Segments++
	n := 0
	g.postings(s.key, func(error) { cost.Damaged++ }, func(p *posting) bool {
		cost.Rows++
		if p.last >= s.p.from && p.first < s.p.to && s.sees(p.dev) {
			block := int(p.block)
			s.seen(p, func(dec *zstd.Decoder) string { return s.nameIn(g, block, dec, p.dev, p.name) })
		}
		n++
		return n%1024 != 0 || ctx.Err() == nil
	})
	return ctx.Err()
}

// nameIn reads a name whose hash is known from a block that has it.
func (s *sighter) nameIn(g *segment, block int, dec *zstd.Decoder, dev, name uint32) string {
	infos, err := g.blocks(block, 1)
	if err != nil {
		return ""
	}
	rows, err := g.block(&infos[0], dec)
	if err != nil {
		return ""
	}
	for i := range rows {
		if rows[i].dev == dev {
			if x := s.mentions(rows[i].rec); x != nil && hashName(x.Name) == name {
				return string(x.Name)
			}
		}
	}
	return ""
}

// table adds up the rows in memory.
func (s *sighter) table(ctx context.Context, t *memTable) error {
	for _, dev := range t.devices() {
		if !s.sees(dev) {
			continue
		}
		for _, r := range window(t.device(dev), s.p.from, s.p.to) {
			if x := s.mentions(r.rec); x != nil {
				s.seen(&posting{dev: dev, name: hashName(x.Name), count: 1, first: r.time, last: r.time}, func(*zstd.Decoder) string { return string(x.Name) })
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// Sightings tells where an entity was seen, see [Entities].
func (e *Engine) Sightings(ctx context.Context, q EntityQuery) (Sightings, Cost, error) {
	var cost Cost
	var out Sightings
	if q.ID == "" {
		return out, cost, errors.New("sightings need an entity")
	}
	v := e.view()
	defer v.release()
	dec := e.decoder.Get().(*zstd.Decoder)
	defer e.decoder.Put(dec)
	s := newSighter(v, &q)
	for _, t := range v.tables {
		if err := s.table(ctx, t); err != nil {
			return out, cost, err
		}
	}
	for _, g := range v.segs {
		if g.foot.Max < s.p.from || g.foot.Min >= s.p.to {
			continue
		}
		if g.foot.Entities == nil {
			out.Unlisted += g.foot.Rows
			continue
		}
		out.Unlisted += g.foot.Entities.Dropped
		if err := s.segment(ctx, g, &cost); err != nil {
			return out, cost, err
		}
	}
	s.list(&out, dec)
	return out, cost, nil
}

// list puts what was added up in order and reads the names.
func (s *sighter) list(out *Sightings, dec *zstd.Decoder) {
	hashes := make([]uint32, 0, len(s.names))
	for h := range s.names {
		hashes = append(hashes, h)
	}
	slices.SortFunc(hashes, func(a, b uint32) int {
		x, y := s.names[a], s.names[b]
		return cmp.Or(cmp.Compare(len(y.devices), len(x.devices)), cmp.Compare(y.events, x.events), cmp.Compare(a, b))
	})
	hashes = hashes[:min(len(hashes), mostNames)]
	place := map[uint32]int{}
	for i, h := range hashes {
		n := s.names[h]
		place[h] = i
		out.Names = append(out.Names, NameCount{Name: n.at(dec), Devices: len(n.devices), Events: n.events})
	}
	for dev, d := range s.devices {
		for h := range s.of[dev] {
			if i, ok := place[h]; ok {
				d.Names = append(d.Names, i)
			}
		}
		slices.Sort(d.Names)
		out.Devices = append(out.Devices, *d)
	}
	slices.SortFunc(out.Devices, func(a, b Sighting) int { return cmp.Compare(a.Device, b.Device) })
}

// Latest returns the newest events of an entity, see [Entities].
func (e *Engine) Latest(ctx context.Context, q EntityQuery, n int) ([]Row, Cost, error) {
	var cost Cost
	if q.ID == "" || n <= 0 {
		return nil, cost, errors.New("the latest events need an entity and a number")
	}
	v := e.view()
	defer v.release()
	dec := e.decoder.Get().(*zstd.Decoder)
	defer e.decoder.Put(dec)
	s := newSighter(v, &q)
	var h sources
	for _, t := range v.tables {
		for _, dev := range t.devices() {
			if !s.sees(dev) {
				continue
			}
			var rows []row
			for _, r := range window(t.device(dev), s.p.from, s.p.to) {
				if s.mentions(r.rec) != nil {
					rows = append(rows, r)
				}
			}
			if len(rows) > 0 {
				h = append(h, &source{rows: rows, dev: dev})
			}
		}
	}
	var later []*source
	for _, g := range v.segs {
		if g.foot.Max < s.p.from || g.foot.Min >= s.p.to {
			continue
		}
		cost.Segments++
		later = append(later, s.sources(g, &cost)...)
		if err := ctx.Err(); err != nil {
			return nil, cost, err
		}
	}
	rows, _, err := v.newest(ctx, s.p, h, later, Cursor{}, n, dec, &cost)
	return rows, cost, err
}

// sources returns where a segment's events of the entity are, one for each device.
func (s *sighter) sources(g *segment, cost *Cost) []*source {
	var out []*source
	g.postings(s.key, func(error) { cost.Damaged++ }, func(p *posting) bool {
		if p.last < s.p.from || p.first >= s.p.to || !s.sees(p.dev) {
			return true
		}
		if n := len(out); n > 0 && out[n-1].dev == p.dev { // by another name
			o := out[n-1]
			o.next, o.min, o.max = max(o.next, int(p.block)), min(o.min, p.first), max(o.max, p.last)
			return true
		}
		out = append(out, &source{seg: g, dev: p.dev, next: int(p.block), min: p.first, max: p.last, found: true})
		return true
	})
	return out
}
