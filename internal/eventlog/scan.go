package eventlog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/inventory"
)

// Scan calls f with every event of a query, see [Log].
func (e *Engine) Scan(ctx context.Context, q Query, f func(Row) error) (Cost, error) {
	var cost Cost
	v := e.view()
	defer v.release()
	dec := e.decoder.Get().(*zstd.Decoder)
	defer e.decoder.Put(dec)
	p := newPlan(&q)
	err := v.scan(ctx, p, dec, &cost, f)
	if errors.Is(err, ErrStop) {
		err = nil
	}
	return cost, err
}

func (v *view) scan(ctx context.Context, p *plan, dec *zstd.Decoder, cost *Cost, f func(Row) error) error {
	take := func(rows []row) error {
		var last uint32
		var id inventory.DeviceID
		in := false
		for i := range rows {
			r := &rows[i]
			if r.dev != last {
				last, id = r.dev, v.device(r.dev)
				in = id != "" && p.q.Scope.Has(id)
			}
			if !in {
				continue
			}
			cost.Rows++
			if p.takes(r, id) {
				if err := f(toRow(r, id)); err != nil {
					return err
				}
			}
		}
		return ctx.Err()
	}
	wanted := v.wanted(p.q.Scope)
	for _, t := range v.tables {
		for _, dev := range v.in(t, p.q.Scope, wanted) {
			if err := take(window(t.device(dev), p.from, p.to)); err != nil {
				return err
			}
		}
	}
	segs := slices.DeleteFunc(slices.Clone(v.segs), func(s *segment) bool { return s.foot.Max < p.from || s.foot.Min >= p.to })
	for i, s := range segs {
		cost.Segments++
		watch := func(share float64) {
			if p.q.Watch != nil {
				p.q.Watch(*cost, (float64(i)+share)/float64(len(segs)))
			}
		}
		if err := v.scanSegment(s, p, wanted, dec, cost, take, watch); err != nil {
			return err
		}
		watch(1)
	}
	return nil
}

// wanted returns the numbers of a scope's devices, in order; nil: all. Few are looked
// up: how many devices there are does not matter then.
func (v *view) wanted(s Scope) []uint32 {
	if s.all {
		return nil
	}
	out := []uint32{}
	if len(s.set) <= fewDevices {
		for id := range s.set {
			if n, ok := v.number(id); ok && v.device(n) == id {
				out = append(out, n)
			}
		}
		slices.Sort(out)
		return out
	}
	for i, id := range v.ids {
		if id != "" && s.Has(id) {
			out = append(out, uint32(i+1))
		}
	}
	return out
}

func (v *view) scanSegment(s *segment, p *plan, wanted []uint32, dec *zstd.Decoder, cost *Cost, take func([]row) error, watch func(share float64)) error {
	for first, n := range s.parts(wanted, cost) {
		watch(float64(first) / float64(max(s.foot.Blocks.N, 1)))
		infos, err := s.blocks(first, n)
		if err != nil {
			cost.Damaged += n
			if err := errOnlyDamage(err); err != nil {
				return err
			}
			continue
		}
		for i := range infos {
			b := &infos[i]
			if !wants(b, p, wanted) || !s.mayHold(b, p.words) {
				continue
			}
			rows, err := s.block(b, dec)
			cost.Blocks++
			cost.Bytes += int64(b.size)
			if err != nil {
				cost.Damaged++
				if err := errOnlyDamage(err); err != nil {
					return err
				}
				continue
			}
			if err := take(rows); err != nil {
				return err
			}
		}
	}
	return nil
}

// fewDevices is how many devices are looked up one by one; of more, the whole
// block index is read.
const fewDevices = 64

// parts yields which blocks may hold events of some devices (nil: of all), as the
// first and how many, each block once.
func (s *segment) parts(wanted []uint32, cost *Cost) func(yield func(first, n int) bool) {
	return func(yield func(int, int) bool) {
		next, end := 0, s.foot.Blocks.N
		upTo := func(end int) bool {
			for next < end {
				n := min(groupSize, end-next)
				if !yield(next, n) {
					return false
				}
				next += n
			}
			return true
		}
		if wanted == nil || len(wanted) > fewDevices {
			upTo(end)
			return
		}
		for _, dev := range wanted {
			d, ok, err := s.device(dev)
			if err != nil {
				cost.Damaged++
				continue
			}
			if !ok {
				continue
			}
			next = max(next, int(d.firstBlock)) // two devices may share a block
			if !upTo(min(int(d.firstBlock+d.blocks), end)) {
				return
			}
		}
	}
}

// wants reports whether a block may hold rows of the plan and the devices.
func wants(b *blockInfo, p *plan, wanted []uint32) bool {
	if b.kinds&p.kinds == 0 || b.firstDev == b.lastDev && (b.lastTime < p.from || b.firstTime >= p.to) {
		return false
	}
	if wanted == nil {
		return true
	}
	i, _ := slices.BinarySearch(wanted, b.firstDev)
	return i < len(wanted) && wanted[i] <= b.lastDev
}

// mostCounts bounds an answer of Counts.
const mostCounts = 200_000

// Counts counts events by time and action, see [Log].
func (e *Engine) Counts(ctx context.Context, q Query, step time.Duration) ([]Count, Cost, error) {
	var cost Cost
	if q.From.IsZero() || q.To.IsZero() || step <= 0 || q.To.Sub(q.From)/step > mostCounts/10 {
		return nil, cost, fmt.Errorf("counts of events need a beginning, an end and at most %d steps", mostCounts/10)
	}
	v := e.view()
	defer v.release()
	p := newPlan(&q)
	c := counter{from: p.from, step: int64(step), n: map[hourAction]int{}}
	var err error
	if p.plain() && int64(step)%hour == 0 && p.from%hour == 0 && p.to%hour == 0 {
		err = v.countFacts(ctx, p, &c, &cost)
	} else {
		dec := e.decoder.Get().(*zstd.Decoder)
		defer e.decoder.Put(dec)
		err = v.scan(ctx, p, dec, &cost, func(r Row) error { return c.add(r.Time.UnixNano(), r.Record.Head().Action, 1) })
	}
	return c.list(), cost, err
}

// counter counts by step, whose number since from stands in hourAction.hour.
type counter struct {
	from, step int64
	n          map[hourAction]int
}

func (c *counter) add(at int64, a event.Action, n int) error {
	c.n[hourAction{(at - c.from) / c.step, a}] += n
	if len(c.n) > mostCounts {
		return fmt.Errorf("counts of events: more than %d steps and actions", mostCounts)
	}
	return nil
}

func (c *counter) list() []Count {
	out := make([]Count, 0, len(c.n))
	for k, n := range c.n {
		out = append(out, Count{Start: time.Unix(0, c.from+k.hour*c.step).UTC(), Action: k.action, N: n})
	}
	slices.SortFunc(out, func(a, b Count) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Action, b.Action))
	})
	return out
}

// countFacts counts from what segments know of their devices, and from the
// rows in memory. Beginning, end and step are whole hours.
func (v *view) countFacts(ctx context.Context, p *plan, c *counter, cost *Cost) error {
	wanted := v.wanted(p.q.Scope)
	for _, t := range v.tables {
		for _, dev := range v.in(t, p.q.Scope, wanted) {
			for _, r := range window(t.device(dev), p.from, p.to) {
				a := r.rec.Head().Action
				if p.actions != nil && (int(a) >= len(p.actions) || !p.actions[a]) {
					continue
				}
				if err := c.add(r.time, a, 1); err != nil {
					return err
				}
			}
		}
	}
	return v.eachFacts(p, cost, func(_ deviceInfo, k *chunk) error {
		return errors.Join(ctx.Err(), eachCount(&cursor{b: k.facts}, func(k hourAction, n int) error {
			at := k.hour * hour
			if at < p.from || at >= p.to || p.actions != nil && (int(k.action) >= len(p.actions) || !p.actions[k.action]) {
				return nil
			}
			return c.add(at, k.action, n)
		}))
	})
}

// findHours notes in which hours the segments have events of the plan's actions. Where that
// cannot be read, all hours may have some.
func (v *view) findHours(p *plan, cost *Cost) error {
	damaged, segments := cost.Damaged, cost.Segments
	seen := map[int64]bool{}
	err := v.eachFacts(p, cost, func(_ deviceInfo, k *chunk) error {
		return eachCount(&cursor{b: k.facts}, func(k hourAction, _ int) error {
			if int(k.action) < len(p.actions) && p.actions[k.action] {
				seen[k.hour] = true
			}
			return nil
		})
	})
	cost.Segments = segments // of those that events are read from
	if p.hours = slices.Sorted(maps.Keys(seen)); p.hours == nil {
		p.hours = []int64{}
	}
	if cost.Damaged > damaged {
		cost.Damaged, p.anyHour = damaged, true // what it costs the page is counted there
	}
	return err
}

// hit reports whether segments may have events of the plan between two times.
func (p *plan) hit(first, last int64) bool {
	if p.hours == nil || p.anyHour {
		return true
	}
	i, _ := slices.BinarySearch(p.hours, floorDiv(first, hour))
	return i < len(p.hours) && p.hours[i]*hour <= last
}

// mayBeIn reports whether there may be events of the plan's actions, by the numbers of a device.
func (p *plan) mayBeIn(numbers []byte) bool {
	f := newFacts()
	if p.actions == nil || f.mergeRuns(&cursor{b: numbers}) != nil {
		return true
	}
	for k := range f.runs {
		if p.kinds&(1<<k) != 0 {
			return true
		}
	}
	return false
}

// in returns the devices of a table that are in the scope, whose numbers are wanted.
func (v *view) in(t *memTable, s Scope, wanted []uint32) []uint32 {
	if wanted != nil && len(wanted) <= fewDevices {
		return wanted // a table is asked for one as quickly as whether it has it
	}
	return slices.DeleteFunc(t.devices(), func(n uint32) bool {
		id := v.device(n)
		return id == "" || !s.Has(id)
	})
}

// Runs returns a device's numbers that are there, see [Log].
func (e *Engine) Runs(ctx context.Context, d inventory.DeviceID) ([]Run, error) {
	n, known := e.number(d)
	if !known {
		return nil, nil
	}
	v, sum, summed := e.viewOf(n)
	defer v.release()
	f := newFacts()
	if summed {
		if err := f.mergeRuns(&cursor{b: sum}); err != nil {
			return nil, fmt.Errorf("numbers of a device's events in memory: %w", err)
		}
	} else if err := v.sealedRuns(ctx, d, f); err != nil {
		return nil, err
	}
	for _, t := range v.tables {
		t.runsInto(f, n)
	}
	var out []Run
	for k := range event.Kinds {
		for _, r := range tidy(f.runs[k]) {
			out = append(out, Run{Kind: k, From: r.from, To: r.to, First: time.Unix(0, r.first).UTC(), Last: time.Unix(0, r.last).UTC()})
		}
	}
	return out, nil
}

// sealedRuns adds a device's numbers from all segments.
func (v *view) sealedRuns(ctx context.Context, d inventory.DeviceID, f *facts) error {
	var cost Cost
	err := v.eachFacts(newPlan(&Query{Scope: Only(d)}), &cost, func(_ deviceInfo, c *chunk) error {
		if err := f.chunkRuns(c); err != nil {
			return err
		}
		return ctx.Err()
	})
	if err == nil && cost.Damaged > 0 {
		err = fmt.Errorf("numbers of a device's events: %d parts %w", cost.Damaged, errDamaged)
	}
	return err
}
