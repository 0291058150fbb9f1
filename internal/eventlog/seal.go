package eventlog

import (
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

const day = int64(24 * time.Hour)

// retryAfter is how long maintenance waits after the disk refused.
const retryAfter = 5 * time.Second

// maintain does what changes segments, one thing after the other: sealing,
// merging, retention.
func (e *Engine) maintain() {
	e.summarise()
	e.seal()
	e.tally()
	retry := time.NewTicker(retryAfter)
	defer retry.Stop()
	for {
		select {
		case <-e.stop:
			return
		case f := <-e.work:
			f()
		case take := <-e.summed:
			take()
		case <-retry.C:
			e.seal() // what the disk refused before
		}
		e.tally()
		e.merge()
		e.summarise()
		e.keepSpoils()
	}
}

func (e *Engine) closing() bool {
	select {
	case <-e.stop:
		return true
	default:
		return false
	}
}

// seal turns every table that waits into segments. Their facts are put into tallies
// meanwhile, however many tables come: who reads never has to ask many segments. While a
// tally is made, only tables that hold up writing are sealed.
func (e *Engine) seal() {
	for !e.closing() {
		if !e.tallying {
			e.tally()
		}
		e.mu.RLock()
		var t *memTable
		if n := len(e.frozen); n > 0 && (!e.tallying || n > maxFrozen) {
			t = e.frozen[0]
		}
		e.mu.RUnlock()
		if t == nil {
			return
		}
		began := time.Now()
		if err := e.sealTable(t); err != nil {
			e.opt.Log.Error("events could not be sealed; they stay in the log", "error", err)
			return
		}
		e.sealTook.Store(int64(time.Since(began)))
		select {
		case e.room <- struct{}{}:
		default:
		}
	}
}

func (e *Engine) sealTable(t *memTable) error {
	segs, err := e.writeTable(t)
	if err != nil {
		return err
	}
	fresh := e.foldTable(t)
	err = e.change(func(m *manifest) {
		m.Segments = append(m.Segments, refs(segs)...)
		m.WalFrom = t.wal + 1
		if m.Marks == nil {
			m.Marks = map[string][]streamMark{}
		}
		for d, marks := range t.marks {
			if !e.knows(d) {
				continue
			}
			have := m.Marks[string(d)]
			for _, s := range marks {
				setMark(&have, s.Stream, s.Seq)
			}
			m.Marks[string(d)] = have
		}
	}, func() {
		e.frozen = e.frozen[1:]
		e.segs = append(e.segs, segs...)
		e.listLoose()
		if e.sum != nil {
			e.sum.put(fresh)
		}
	})
	if err != nil {
		discard(segs)
		return err
	}
	e.sealed(t)
	_ = os.Remove(filepath.Join(e.dir, walName(t.wal))) // the next start removes it otherwise
	return nil
}

func refs(segs []*segment) []segmentRef {
	out := make([]segmentRef, 0, len(segs))
	for _, s := range segs {
		r := segmentRef{ID: s.id, Day: s.day, Bytes: s.size, Rows: s.foot.Rows}
		r.describe(s)
		out = append(out, r)
	}
	return out
}

// discard closes and removes segments that nobody knows.
func discard(segs []*segment) {
	for _, s := range segs {
		s.refs.release()
		_ = os.Remove(s.path)
	}
}

// change makes a change of the manifest durable, and then, at once with it,
// of what readers see. Only maintenance calls it.
func (e *Engine) change(edit func(*manifest), then func()) error {
	e.mu.RLock()
	m := e.man
	m.Segments = slices.Clone(m.Segments)
	m.Devices = slices.Clone(m.Devices)
	marks := make(map[string][]streamMark, len(m.Marks))
	for d, s := range m.Marks {
		if _, known := e.numbers[inventory.DeviceID(d)]; known {
			marks[d] = slices.Clone(s)
		}
	}
	m.Marks = marks
	e.mu.RUnlock()
	edit(&m)
	if err := m.save(e.dir); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	// Meanwhile the writer gave numbers to devices and files.
	m.Devices, m.Next, m.Lost = e.man.Devices, max(m.Next, e.man.Next), e.man.Lost
	e.man = m
	then()
	return nil
}

// nextID gives a number to a new file.
func (e *Engine) nextID() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	id := e.man.Next
	e.man.Next++
	return id
}

func (e *Engine) knows(d inventory.DeviceID) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	_, ok := e.numbers[d]
	return ok
}

// forgotten reports whether a device's number belongs to nobody.
func (e *Engine) forgotten(dev uint32) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return int(dev) > len(e.man.Devices) || e.man.Devices[dev-1] == ""
}

// mostDays is how many segments a table may become. The times of events come
// from endpoints: whatever they say, there are no more files than that.
const mostDays = 40

// dayWidth returns how many days go into one segment.
func (t *memTable) dayWidth() int64 {
	for _, width := range []int64{1, 32} {
		seen := map[int64]bool{}
		for _, dev := range t.devices() {
			for _, r := range t.device(dev) {
				seen[floorDiv(r.time, day*width)] = true
			}
			if len(seen) > mostDays {
				break
			}
		}
		if len(seen) <= mostDays {
			return width
		}
	}
	return 1 << 20 // all in one
}

// writeTable writes a table's rows into a segment for each day that they
// belong to.
func (e *Engine) writeTable(t *memTable) (segs []*segment, err error) {
	writers := map[int64]*segmentWriter{}
	ids := map[int64]uint64{}
	defer func() {
		for _, w := range writers {
			w.abandon()
		}
		if err != nil {
			discard(segs)
			segs = nil
		}
	}()
	width := t.dayWidth()
	for _, dev := range t.devices() {
		if e.forgotten(dev) {
			continue
		}
		rows := t.device(dev)
		for i := range rows {
			d := floorDiv(rows[i].time, day*width) * width
			w := writers[d]
			if w == nil {
				ids[d] = e.nextID()
				if w, err = newSegmentWriter(filepath.Join(e.dir, segmentName(ids[d]))); err != nil {
					return nil, err
				}
				writers[d] = w
			}
			if err = w.add(&rows[i]); err != nil {
				return nil, err
			}
		}
	}
	days := make([]int64, 0, len(writers))
	for d := range writers {
		days = append(days, d)
	}
	slices.Sort(days)
	for _, d := range days {
		w := writers[d]
		delete(writers, d)
		s, err := e.finishSegment(w, ids[d], d)
		if err != nil {
			return segs, err
		}
		segs = append(segs, s)
	}
	return segs, syncDir(e.dir)
}

// finishSegment completes a file and opens it.
func (e *Engine) finishSegment(w *segmentWriter, id uint64, d int64) (*segment, error) {
	if err := w.finish(); err != nil {
		_ = os.Remove(w.f.Name())
		return nil, err
	}
	return openSegment(w.f.Name(), id, d)
}
