package eventlog

import (
	"container/heap"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"

	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/inventory"
)

// view is a moment of the log: tables and segments that nothing is taken from
// while it is used.
type view struct {
	tables  []*memTable
	segs    []*segment
	tallies []*tally
	loose   []*segment           // those of segs that no tally has
	ids     []inventory.DeviceID // by number − 1
	number  func(inventory.DeviceID) (uint32, bool)
	done    func() // of whom it is for; nil: nobody waits for them
}

// view returns the log as it stands, to somebody who reads. release it.
func (e *Engine) view() *view {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.reading(e.viewLocked())
}

// reading notes that somebody reads until the view is released: work on segments
// gives way.
func (e *Engine) reading(v *view) *view {
	e.readers.Add(1)
	v.done = func() {
		if e.readers.Add(-1) == 0 {
			select {
			case e.idle <- struct{}{}:
			default:
			}
		}
	}
	return v
}

func (e *Engine) viewLocked() *view {
	// Slices that others have are added to or replaced, never changed.
	v := &view{tables: append(slices.Clone(e.frozen), e.active), segs: e.segs, tallies: e.tallies, loose: e.loose, ids: e.man.Devices, number: e.number}
	for _, s := range v.segs {
		s.refs.acquire()
	}
	for _, t := range v.tallies {
		t.refs.acquire()
	}
	return v
}

func (v *view) release() {
	if v.done != nil {
		v.done()
	}
	for _, s := range v.segs {
		s.refs.release()
	}
	for _, t := range v.tallies {
		t.refs.release()
	}
}

// device returns a number's device; "" when it was forgotten.
func (v *view) device(n uint32) inventory.DeviceID {
	if n == 0 || int(n) > len(v.ids) {
		return ""
	}
	return v.ids[n-1]
}

// plan is a query made ready.
type plan struct {
	q        *Query
	from, to int64
	actions  []bool     // by action; nil: all
	kinds    uint32     // that the actions have
	words    [][]uint64 // of each group one must be in a block
	// hours are those in which segments have events of the actions, in order; nil: not asked.
	hours   []int64
	anyHour bool // they could not be read
}

func newPlan(q *Query) *plan {
	p := &plan{q: q, from: math.MinInt64, to: math.MaxInt64, kinds: math.MaxUint32}
	if !q.From.IsZero() {
		p.from = q.From.UnixNano()
	}
	if !q.To.IsZero() {
		p.to = q.To.UnixNano()
	}
	if q.Actions != nil {
		p.kinds = 0
		for _, a := range q.Actions {
			if !a.Valid() {
				continue
			}
			for len(p.actions) <= int(a) {
				p.actions = append(p.actions, false)
			}
			p.actions[a] = true
			p.kinds |= 1 << a.Kind()
		}
		if p.actions == nil {
			p.actions = []bool{false}
		}
	}
	for _, eq := range q.Equals {
		var any []uint64
		for _, v := range eq.Values {
			if len(v) > longestWhole {
				any = nil
				break
			}
			any = append(any, hashWhole(v))
		}
		if any != nil {
			p.words = append(p.words, any)
		}
	}
	for _, t := range q.Terms {
		eachTerm(t, func(h uint64) { p.words = append(p.words, []uint64{h}) })
	}
	for _, list := range q.Any {
		if any := longestWords(list); any != nil {
			p.words = append(p.words, any)
		}
	}
	return p
}

// longestWords are the hashes of the longest word of each text; nil when one has none.
func longestWords(list []string) []uint64 {
	var out []uint64
	for _, t := range list {
		longest := ""
		for w := range strings.FieldsFuncSeq(t, func(r rune) bool { return r < utf8.RuneSelf && !wordByte(byte(r)) }) {
			if len(w) > len(longest) {
				longest = w
			}
		}
		if longest == "" {
			return nil
		}
		eachTerm(longest, func(h uint64) { out = append(out, h) })
	}
	return out
}

// plain reports whether the query looks at times and actions only.
func (p *plan) plain() bool {
	return len(p.q.Equals) == 0 && len(p.q.Terms) == 0 && len(p.q.Any) == 0 && p.q.Filter == nil
}

// takes reports whether a row of a device in the scope is asked for.
func (p *plan) takes(r *row, d inventory.DeviceID) bool {
	if r.time < p.from || r.time >= p.to {
		return false
	}
	if p.actions != nil {
		a := int(r.rec.Head().Action)
		if a >= len(p.actions) || !p.actions[a] {
			return false
		}
	}
	for i := range p.q.Equals {
		if !hasValue(r.rec, &p.q.Equals[i]) {
			return false
		}
	}
	for _, t := range p.q.Terms {
		if !anyHasTerm(r.rec, t) {
			return false
		}
	}
	for _, list := range p.q.Any {
		if !slices.ContainsFunc(list, func(t string) bool { return anyHasTerm(r.rec, t) }) {
			return false
		}
	}
	return p.q.Filter == nil || p.q.Filter(toRow(r, d))
}

func hasValue(rec event.Record, eq *Equal) bool {
	for c, text := range rec.Texts {
		if !slices.Contains(eq.Columns, c) {
			continue
		}
		for _, v := range eq.Values {
			if equalFold(text, v) {
				return true
			}
		}
	}
	return false
}

func anyHasTerm(rec event.Record, term string) bool {
	for _, text := range rec.Texts {
		if hasTerm(text, term) {
			return true
		}
	}
	return false
}

func toRow(r *row, d inventory.DeviceID) Row {
	return Row{Device: d, Time: time.Unix(0, r.time).UTC(), Received: time.Unix(0, r.recv).UTC(), Record: r.rec}
}

// source yields rows of one device, newest first.
type source struct {
	rows []row // left of what was read, in order: the last is next
	// Of a segment: the blocks left to read, before the ones in rows.
	seg   *segment
	dev   uint32
	first int   // first block of the device
	next  int   // the next block to read; below first: none
	min   int64 // nothing of it is before this time
	max   int64
	found bool // the device was looked for in the segment
	infos []blockInfo
	infoN int // the block of the first of infos
}

// info returns a block's entry; those of a group are read together.
func (s *source) info(n int) (*blockInfo, error) {
	if n < s.infoN || n >= s.infoN+len(s.infos) {
		first := max(s.first, n/groupSize*groupSize)
		infos, err := s.seg.blocks(first, n-first+1)
		if err != nil {
			return nil, err
		}
		s.infos, s.infoN = infos, first
	}
	return &s.infos[n-s.infoN], nil
}

// fill reads blocks until there are rows in the plan's window or no more blocks.
func (s *source) fill(p *plan, before *Cursor, dec *zstd.Decoder, cost *Cost) error {
	for len(s.rows) == 0 && s.seg != nil && s.next >= s.first {
		b, err := s.info(s.next)
		if err != nil {
			cost.Damaged += s.next - s.first + 1
			s.next = s.first - 1
			return errOnlyDamage(err)
		}
		s.next--
		if b.lastDev < s.dev || b.lastDev == s.dev && b.lastTime < max(p.from, s.min) {
			s.next = s.first - 1
			return nil
		}
		if b.firstDev == s.dev && (b.firstTime >= p.to || !before.IsZero() && b.firstTime > before.Time) || b.kinds&p.kinds == 0 || b.firstDev == b.lastDev && !p.hit(b.firstTime, b.lastTime) || !s.seg.mayHold(b, p.words) {
			continue
		}
		rows, err := s.seg.block(b, dec)
		cost.Blocks++
		if err != nil {
			cost.Damaged++
			if err := errOnlyDamage(err); err != nil {
				return err
			}
			continue
		}
		s.rows = cut(rows, s.dev, p, before)
	}
	return nil
}

func errOnlyDamage(err error) error {
	if errors.Is(err, errDamaged) {
		return nil
	}
	return err
}

// cut returns a device's rows within the plan's times and before a place.
func cut(rows []row, dev uint32, p *plan, before *Cursor) []row {
	lo, _ := slices.BinarySearchFunc(rows, dev, func(r row, d uint32) int { return cmpInt(int64(r.dev), int64(d)) })
	hi, _ := slices.BinarySearchFunc(rows, dev+1, func(r row, d uint32) int { return cmpInt(int64(r.dev), int64(d)) })
	return cutBefore(window(rows[lo:hi], p.from, p.to), before)
}

func cutBefore(rows []row, before *Cursor) []row {
	if before.IsZero() {
		return rows
	}
	n, _ := slices.BinarySearchFunc(rows, *before, func(r row, c Cursor) int {
		if r.key().before(c) {
			return -1
		}
		return 1
	})
	return rows[:n]
}

// sources is a heap of sources that have rows: the newest row is on top.
type sources []*source

func (h sources) top(i int) Cursor { s := h[i]; return s.rows[len(s.rows)-1].key() }
func (h sources) Len() int         { return len(h) }
func (h sources) Less(i, j int) bool {
	return h.top(j).before(h.top(i))
}
func (h sources) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *sources) Push(x any)   { *h = append(*h, x.(*source)) }
func (h *sources) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

// Page returns one page of a device's events, see [Log].
func (e *Engine) Page(ctx context.Context, q Query, after Cursor, limit int) ([]Row, Cursor, Cost, error) {
	var cost Cost
	d, ok := q.Scope.one()
	if !ok || limit <= 0 {
		return nil, Cursor{}, cost, errors.New("a page of events needs one device and a size")
	}
	n, known := e.number(d)
	if !known {
		return nil, Cursor{}, cost, nil
	}
	v, sum, summed := e.viewOf(n)
	defer v.release()
	dec := e.decoder.Get().(*zstd.Decoder)
	defer e.decoder.Put(dec)
	p := newPlan(&q)
	if summed && !p.mayBeIn(sum) {
		p.hours = []int64{}
	}
	h, later := v.open(n, p, &after)
	rows, next, err := v.newest(ctx, p, h, later, after, limit, dec, &cost)
	return rows, next, cost, err
}

// asksAfter is how many segments are read for events of some actions before it is asked
// in which hours there are any.
const asksAfter = 4

// newest reads rows of sources, newest first: of h, which have rows, and of later, which
// are read when they are needed. The cursor is that of the last row when there are more.
func (v *view) newest(ctx context.Context, p *plan, h sources, later []*source, after Cursor, limit int, dec *zstd.Decoder, cost *Cost) ([]Row, Cursor, error) {
	heap.Init(&h)
	slices.SortFunc(later, func(a, b *source) int { return cmpInt(b.max, a.max) })
	var out []Row
	for {
		// A segment is read only when nothing newer than its newest is left.
		for len(later) > 0 && (len(h) == 0 || later[0].max >= h.top(0).Time) {
			if cost.Segments >= asksAfter && p.actions != nil && p.hours == nil {
				if err := v.findHours(p, cost); err != nil {
					return nil, Cursor{}, err
				}
				later = slices.DeleteFunc(later, func(s *source) bool { return !p.hit(s.seg.foot.Min, s.max) })
				continue
			}
			s := later[0]
			later = later[1:]
			if !s.found {
				// Its newest may be much older than its segment's.
				switch ok, err := s.find(p, &after, cost); {
				case err != nil:
					return nil, Cursor{}, err
				case ok:
					i, _ := slices.BinarySearchFunc(later, s, func(a, b *source) int { return cmpInt(b.max, a.max) })
					later = slices.Insert(later, i, s)
				}
				continue
			}
			cost.Segments++
			if err := s.fill(p, &after, dec, cost); err != nil {
				return nil, Cursor{}, err
			}
			if len(s.rows) > 0 {
				heap.Push(&h, s)
			}
		}
		if len(h) == 0 {
			return out, Cursor{}, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, Cursor{}, err
		}
		s := h[0]
		r := s.rows[len(s.rows)-1]
		cost.Rows++
		if d := v.device(r.dev); p.takes(&r, d) {
			if len(out) == limit {
				return out, cursorOf(&out[limit-1]), nil
			}
			out = append(out, toRow(&r, d))
		}
		s.rows = s.rows[:len(s.rows)-1]
		if err := s.fill(p, &after, dec, cost); err != nil {
			return nil, Cursor{}, err
		}
		if len(s.rows) > 0 {
			heap.Fix(&h, 0)
		} else {
			heap.Pop(&h)
		}
	}
}

func cursorOf(r *Row) Cursor {
	h := r.Record.Head()
	return Cursor{Time: r.Time.UnixNano(), Kind: h.Action.Kind(), Seq: h.Seq}
}

// open returns the sources in memory that have rows, and the segments that may
// have some: in which they are looked for when it is their turn.
func (v *view) open(dev uint32, p *plan, after *Cursor) (sources, []*source) {
	var h sources
	for _, t := range v.tables {
		if rows := cutBefore(window(t.device(dev), p.from, p.to), after); len(rows) > 0 {
			h = append(h, &source{rows: rows})
		}
	}
	var later []*source
	for _, s := range v.segs {
		if s.foot.Max < p.from || s.foot.Min >= p.to || !after.IsZero() && s.foot.Min > after.Time || s.lacks(dev) || !p.hit(s.foot.Min, s.foot.Max) {
			continue
		}
		src := &source{seg: s, dev: dev, max: min(s.foot.Max, p.to-1)}
		if !after.IsZero() {
			src.max = min(src.max, after.Time)
		}
		later = append(later, src)
	}
	return h, later
}

// find looks for the device in the segment, and says whether it has rows there
// that may be asked for.
func (s *source) find(p *plan, after *Cursor, cost *Cost) (bool, error) {
	s.found = true
	d, ok, err := s.seg.device(s.dev)
	if err != nil {
		cost.Damaged++
		return false, errOnlyDamage(err)
	}
	if !ok || d.max < p.from || d.min >= p.to || !after.IsZero() && d.min > after.Time {
		return false, nil
	}
	s.first, s.min, s.max = int(d.firstBlock), d.min, min(d.max, s.max)
	if s.next, err = s.seg.lastBefore(d, s.max+1); err != nil {
		cost.Damaged++
		return false, errOnlyDamage(err)
	}
	return true, nil
}

// lastBefore finds the last block of a device that may hold rows before a time.
func (s *segment) lastBefore(d deviceInfo, until int64) (int, error) {
	lo, hi := int(d.firstBlock), int(d.firstBlock+d.blocks) // the block is in [lo, hi)
	for hi-lo > 1 {
		mid := (lo + hi) / 2
		b, err := s.blocks(mid, 1)
		if err != nil {
			return 0, err
		}
		if b[0].firstTime < until { // the device's blocks but the first begin with it
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo, nil
}

// one returns the device of a scope of exactly one.
func (s Scope) one() (inventory.DeviceID, bool) {
	if s.all || len(s.set) != 1 {
		return "", false
	}
	for d := range s.set {
		return d, true
	}
	return "", false
}
