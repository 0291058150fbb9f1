package eventlog

import (
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
	mergeAt = 6
	// mergeMost is the size from which a segment is left as it is.
	mergeMost = 2 << 30
)

// tier groups sizes: a segment of the next tier is some mergeAt times as large.
func tier(bytes int64) int {
	t := 0
	for n := int64(4 << 20); bytes > n; n *= mergeAt {
		t++
	}
	return t
}

// merge makes one segment of several of the same day and size, as long as there are any.
func (e *Engine) merge() {
	for !e.closing() {
		group := e.mergeable()
		if group == nil {
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
	}
}

func (e *Engine) mergeable() []*segment {
	e.mu.RLock()
	defer e.mu.RUnlock()
	type key struct {
		day  int64
		tier int
	}
	groups := map[key][]*segment{}
	for _, s := range e.segs {
		if s.size < mergeMost && !s.broken.Load() {
			k := key{s.day, tier(s.size)}
			if groups[k] = append(groups[k], s); len(groups[k]) == mergeAt {
				return groups[k]
			}
		}
	}
	return nil
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
	err := e.change(func(m *manifest) {
		m.Segments = append(slices.DeleteFunc(m.Segments, func(r segmentRef) bool { return gone(r.ID) }), refs(fresh)...)
	}, func() {
		e.segs = append(slices.DeleteFunc(slices.Clone(e.segs), func(s *segment) bool { return gone(s.id) }), fresh...)
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

// sealWithin is how many rows are copied before tables that wait are sealed.
const sealWithin = 4096

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
	if a.dev != b.dev {
		return a.dev < b.dev
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
			if e.closing() {
				return ErrClosed
			}
			e.seal() // what comes in never waits for what is written anew
		}
		wk := h[0]
		r := wk.rows[0]
		if r.dev != last {
			last, forgotten = r.dev, e.forgotten(r.dev)
		}
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
