package eventlog

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"
)

const (
	// mergeAt is how many segments of a day and a size become one.
	mergeAt = 16
	// mergeQuiet is how many become one, whatever their sizes, of a day for which
	// none came lately: that has none of the newest mergeNew segments.
	mergeQuiet = 4
	mergeNew   = 2 * mostDays
	// mergeMost is the size from which a segment is left as it is, mergeTotal how much
	// is made one at most.
	mergeMost  = 256 << 20
	mergeTotal = 1 << 30
)

// tier groups sizes: a segment of the next tier is some mergeAt times as large.
func tier(bytes int64) int {
	t := 0
	for n := int64(64 << 10); bytes > n; n *= mergeAt {
		t++
	}
	return t
}

// mergeItem is what merging looks at of a segment.
type mergeItem struct {
	id   uint64
	day  int64
	size int64
}

// pickMerge returns which segments are to become one; nil: none. All are of a day.
// Each event is written anew once or twice in its life: segments of a size are joined
// in great numbers, and what is left of a day when the day is over.
func pickMerge(all []mergeItem) []mergeItem {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b mergeItem) int { return cmp.Compare(b.id, a.id) })
	lately := map[int64]bool{}
	for i := range min(len(all), mergeNew) {
		lately[all[i].day] = true
	}
	slices.SortFunc(all, func(a, b mergeItem) int {
		return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.size, b.size), cmp.Compare(a.id, b.id))
	})
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].day == all[0].day {
			n++
		}
		day := all[:n]
		all = all[n:]
		for len(day) > 0 && day[len(day)-1].size >= mergeMost {
			day = day[:len(day)-1]
		}
		if group := pickSize(day); group != nil {
			return group
		}
		if len(day) > 0 && !lately[day[0].day] {
			if group := pickRest(day); group != nil {
				return group
			}
		}
	}
	return nil
}

// pickSize returns segments of one size among those of a day, which are in order of size.
func pickSize(day []mergeItem) []mergeItem {
	for len(day) > 0 {
		n, sum := 0, int64(0)
		for n < len(day) && n < mergeAt && tier(day[n].size) == tier(day[0].size) && sum+day[n].size <= mergeTotal {
			sum += day[n].size
			n++
		}
		if n == mergeAt || n < len(day) && n > 1 && sum+day[n].size > mergeTotal {
			return day[:n]
		}
		day = day[n:]
	}
	return nil
}

// pickRest returns the smaller ones of a day, without those that are large beside
// all smaller ones together.
func pickRest(day []mergeItem) []mergeItem {
	n, sum := 0, int64(0)
	for n < len(day) && sum+day[n].size <= mergeTotal {
		sum += day[n].size
		n++
	}
	for ; n >= mergeQuiet; n-- {
		largest := day[n-1].size
		if sum -= largest; largest <= 4*sum {
			return day[:n]
		}
	}
	return nil
}

// merge makes one segment of several of the same day and size, as long as there are any.
func (e *Engine) merge() {
	for !e.closing() {
		group := e.mergeable()
		if len(group) == 0 {
			return
		}
		if err := e.rewrite(group, nil); err != nil {
			if e.closing() {
				return // the segments are as they were
			}
			e.opt.Log.Error("segments of events could not be merged", "error", err)
			return
		}
		e.seal() // tables that wait come first
		e.tally()
	}
}

func (e *Engine) mergeable() []*segment {
	e.mu.RLock()
	defer e.mu.RUnlock()
	all := make([]mergeItem, 0, len(e.segs))
	for _, s := range e.segs {
		if !s.broken.Load() {
			all = append(all, mergeItem{s.id, s.day, s.size})
		}
	}
	group := pickMerge(all)
	return slices.DeleteFunc(slices.Clone(e.segs), func(s *segment) bool {
		return !slices.ContainsFunc(group, func(m mergeItem) bool { return m.id == s.id })
	})
}

// rewrite writes segments anew as one, without what drop says and without
// forgotten devices, and puts it in their place. A segment that turns out to be
// damaged is left as it is and never merged again.
func (e *Engine) rewrite(group []*segment, drop func(*row) bool) error {
	id := e.nextID()
	w, err := newSegmentWriter(filepath.Join(e.dir, segmentName(id)))
	if err != nil {
		return err
	}
	if err := e.copyRows(w, group, drop); err != nil {
		w.abandon()
		if errors.Is(err, errDamaged) {
			e.opt.Log.Error("a segment of events is damaged; the rest of it stays readable", "error", err)
			return nil
		}
		return err
	}
	var fresh []*segment
	if w.foot.Rows > 0 {
		s, err := e.finishSegment(w, id, group[0].day)
		if err != nil {
			return err
		}
		fresh = []*segment{s}
		if err := syncDir(e.dir); err != nil {
			discard(fresh)
			return err
		}
	} else {
		w.abandon()
	}
	if err := e.replace(group, fresh, drop == nil); err != nil {
		discard(fresh)
		return err
	}
	return nil
}

// replace puts segments in the place of others and removes those; same says that
// they hold the same events.
func (e *Engine) replace(old, fresh []*segment, same bool) error {
	gone := func(id uint64) bool { return slices.ContainsFunc(old, func(s *segment) bool { return s.id == id }) }
	tallies := e.talliesWithout(old, fresh, same)
	err := e.change(func(m *manifest) {
		m.Tallies = tallyRefs(tallies)
		m.Segments = append(slices.DeleteFunc(m.Segments, func(r segmentRef) bool { return gone(r.ID) }), refs(fresh)...)
	}, func() {
		e.segs = append(slices.DeleteFunc(slices.Clone(e.segs), func(s *segment) bool { return gone(s.id) }), fresh...)
		e.setTallies(tallies)
		if !same {
			e.sum = nil
		}
	})
	if err != nil {
		return err
	}
	if !same {
		e.summing.stale = true
	}
	for _, s := range old {
		_ = os.Remove(s.path) // the next start removes it otherwise
		s.refs.release()
	}
	return nil
}

// sealWithin is how many rows are copied before tables that wait are sealed and
// those who read come first.
const sealWithin = 1024

// patience is how long work on segments waits for those who read each time: however
// many they are, it goes on at a fifth of its speed or so.
const patience = 20 * time.Millisecond

// giveWay lets those who read come first, and tables that wait.
func (e *Engine) giveWay() error {
	e.seal()
	select {
	case take := <-e.summed:
		take()
		e.summarise() // when it is of what is not there any more
	default:
	}
	e.letRead()
	if e.closing() {
		return ErrClosed
	}
	return nil
}

// letRead waits while anybody reads, but for so long and no longer.
func (e *Engine) letRead() {
	if e.readers.Load() == 0 {
		return
	}
	over := e.opt.patience()
	for e.readers.Load() > 0 {
		select {
		case <-e.idle:
		case <-over:
			return
		case <-e.stop:
			return
		}
	}
}

// walker yields the rows of a segment in their order.
type walker struct {
	s    *segment
	next int
	rows []row
}

func (w *walker) fill(dec *zstd.Decoder) error {
	for len(w.rows) == 0 && w.next < w.s.foot.Blocks.N {
		infos, err := w.s.blocks(w.next, 1)
		if err == nil {
			w.next++
			w.rows, err = w.s.block(&infos[0], dec)
		}
		if err != nil {
			w.s.broken.Store(errors.Is(err, errDamaged))
			return err
		}
	}
	return nil
}

// walkers is a heap of walkers that have rows: the first row is on top.
type walkers []*walker

func (h walkers) Len() int           { return len(h) }
func (h walkers) Less(i, j int) bool { return rowBefore(&h[i].rows[0], &h[j].rows[0]) }
func (h walkers) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *walkers) Push(x any)        { *h = append(*h, x.(*walker)) }
func (h *walkers) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

func rowBefore(a, b *row) bool {
	switch {
	case a.dev != b.dev:
		return a.dev < b.dev
	case a.time != b.time: // nearly always; the rest is in the record
		return a.time < b.time
	}
	return a.key().before(b.key())
}

func (e *Engine) copyRows(w *segmentWriter, group []*segment, drop func(*row) bool) error {
	dec := e.decoder.Get().(*zstd.Decoder)
	defer e.decoder.Put(dec)
	var h walkers
	for _, s := range group {
		wk := &walker{s: s}
		if err := wk.fill(dec); err != nil {
			return err
		}
		if len(wk.rows) > 0 {
			h = append(h, wk)
		}
	}
	heap.Init(&h)
	last, forgotten := uint32(0), false
	for n := 0; len(h) > 0; n++ {
		if n%sealWithin == 0 {
			if err := e.giveWay(); err != nil {
				return err
			}
		}
		wk := h[0]
		r := wk.rows[0]
		if r.dev != last {
			last, forgotten = r.dev, e.forgotten(r.dev)
		}
		e.rewritten.Add(1)
		if !forgotten && (drop == nil || !drop(&r)) {
			if err := w.add(&r); err != nil {
				return err
			}
		}
		wk.rows = wk.rows[1:]
		if err := wk.fill(dec); err != nil {
			return err
		}
		if len(wk.rows) > 0 {
			heap.Fix(&h, 0)
		} else {
			heap.Pop(&h)
		}
	}
	return nil
}

// Retain removes what a policy no longer keeps, see [Log]. Whole segments
// go at once; a kind with a shorter life is written out of the others.
func (e *Engine) Retain(ctx context.Context, p Policy, now time.Time) error {
	done := make(chan error, 1)
	select {
	case e.work <- func() { done <- e.retain(ctx, p, now) }:
	case <-ctx.Done():
		return ctx.Err()
	case <-e.stop:
		return ErrClosed
	}
	select {
	case err := <-done:
		return err
	case <-e.stop:
		return ErrClosed
	}
}
