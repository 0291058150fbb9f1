package eventlog

import (
	"errors"
	"hash/crc32"
	"iter"
	"os"
	"path/filepath"
	"slices"
)

// tally puts the facts of segments that are asked one by one into a tally, together
// with tallies that are not much larger, so that there are few of each.
func (e *Engine) tally() {
	e.tallying = true
	defer func() { e.tallying = false }()
	for !e.closing() {
		old, segs := e.untallied()
		if old == nil && segs == nil {
			return
		}
		switch err := e.writeTally(old, segs); {
		case errors.Is(err, errDamaged): // who is damaged is left out the next time
		case e.closing():
			return
		case err != nil:
			e.opt.Log.Error("a tally of events could not be written", "error", err)
			return
		}
	}
}

// untallied returns what becomes one tally: none when there is nothing to do.
func (e *Engine) untallied() (old []*tally, segs []*segment) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	for _, t := range e.tallies {
		if t.broken.Load() || 2*len(t.days) < t.parts {
			return []*tally{t}, nil
		}
	}
	sum := int64(0)
	for _, s := range e.loose {
		if !s.broken.Load() {
			segs = append(segs, s)
			sum += s.factSize()
		}
	}
	if len(segs) < tallyAt {
		return nil, nil
	}
	bySize := slices.Clone(e.tallies)
	slices.SortFunc(bySize, func(a, b *tally) int { return cmpInt(a.size, b.size) })
	for _, t := range bySize {
		if t.size > 2*sum {
			break
		}
		old, sum = append(old, t), sum+t.size
	}
	return old, segs
}

// factSize is how many bytes the facts in a segment are, about.
func (s *segment) factSize() int64 {
	if s.foot.Facts > 0 {
		return s.foot.Facts
	}
	return s.size / 64
}

// ledgerWalk yields the devices of a ledger in their order, with their chunks.
type ledgerWalk struct {
	ledger
	next func() (deviceInfo, bool)
	stop func()
	read partReader
	d    deviceInfo
	more bool
	seg  *segment // is marked when it is damaged
	bad  error
}

func walkLedger(l ledger, s *segment) *ledgerWalk {
	w := &ledgerWalk{ledger: l, seg: s, read: readAhead(l.part)}
	w.next, w.stop = iter.Pull(func(yield func(deviceInfo) bool) {
		l.devices(func(err error) { w.bad = err }, yield)
	})
	return w
}

func (w *ledgerWalk) step() error {
	w.d, w.more = w.next()
	return w.failed(w.bad)
}

// failed marks what is damaged, so that it is left out from now on.
func (w *ledgerWalk) failed(err error) error {
	if errors.Is(err, errDamaged) {
		w.seg.broken.Store(true)
	}
	return err
}

// writeTally writes the facts of tallies and segments into one tally, and puts it
// in the place of those tallies.
func (e *Engine) writeTally(old []*tally, segs []*segment) error {
	var in []*ledgerWalk
	fresh := tallyRef{ID: e.nextID()}
	days := map[int64][]uint64{}
	for _, t := range old {
		if t.broken.Load() {
			continue // its segments are taken the next time
		}
		in = append(in, walkLedger(t, t.segment))
		for day, ids := range t.days {
			days[day] = append(days[day], ids...)
		}
	}
	for _, s := range segs {
		in = append(in, walkLedger(s, s))
		days[s.day] = append(days[s.day], s.id)
	}
	defer func() {
		for _, w := range in {
			w.stop()
		}
	}()
	if len(days) == 0 {
		return e.replaceTallies(old, nil)
	}
	w, err := newSegmentWriter(filepath.Join(e.dir, tallyName(fresh.ID)))
	if err != nil {
		return err
	}
	if err := e.joinFacts(w, in); err != nil {
		w.abandon()
		return err
	}
	if err := w.finish(); err != nil {
		_ = os.Remove(w.f.Name())
		return err
	}
	for day, ids := range days {
		fresh.Days = append(fresh.Days, tallyDay{day, ids})
	}
	fresh.Parts = len(fresh.Days)
	t, err := openTally(e.dir, &fresh)
	if err == nil {
		if err = syncDir(e.dir); err == nil {
			if err = e.replaceTallies(old, t); err == nil {
				return nil
			}
		}
		t.refs.release()
	}
	_ = os.Remove(w.f.Name())
	return err
}

// joinFacts writes the facts of ledgers device by device.
func (e *Engine) joinFacts(w *segmentWriter, in []*ledgerWalk) error {
	for _, l := range in {
		if err := l.step(); err != nil {
			return err
		}
	}
	j := joiner{facts: newFacts(), days: map[int64][]chunk{}}
	for n := 0; ; n++ {
		if n%256 == 0 {
			if err := e.giveWay(); err != nil {
				return err
			}
		}
		dev, any := uint32(0), false
		for _, l := range in {
			if l.more && (!any || l.d.dev < dev) {
				dev, any = l.d.dev, true
			}
		}
		if !any {
			return nil
		}
		j.begin(dev)
		for _, l := range in {
			if !l.more || l.d.dev != dev {
				continue
			}
			err := l.each(l.d, l.read, j.add)
			if err == nil {
				j.reach(l.d)
				err = l.step()
			}
			if err != nil {
				return l.failed(err)
			}
		}
		if e.forgotten(dev) {
			continue
		}
		d, b, err := j.entry()
		if err != nil {
			return err
		}
		if len(b) > 0 {
			if err := w.addFacts(d, b); err != nil {
				return err
			}
		}
	}
}

// joiner makes one entry of what several ledgers know of a device.
type joiner struct {
	d     deviceInfo
	seen  bool
	days  map[int64][]chunk
	facts *facts
	buf   []byte
}

func (j *joiner) begin(dev uint32) {
	j.d, j.seen = deviceInfo{dev: dev}, false
	clear(j.days)
}

func (j *joiner) add(c *chunk) error {
	j.days[c.day] = append(j.days[c.day], *c)
	return nil
}

func (j *joiner) reach(d deviceInfo) {
	if !j.seen {
		j.d.min, j.d.max, j.seen = d.min, d.max, true
	}
	j.d.min, j.d.max = min(j.d.min, d.min), max(j.d.max, d.max)
}

// entry returns the chunks by day. Those of a day that only one ledger has are
// taken as they are.
func (j *joiner) entry() (deviceInfo, []byte, error) {
	j.buf = j.buf[:0]
	days := make([]int64, 0, len(j.days))
	for day := range j.days {
		days = append(days, day)
	}
	slices.Sort(days)
	for _, day := range days {
		c := j.days[day][0]
		if more := j.days[day][1:]; len(more) > 0 {
			j.facts.reset()
			for _, o := range j.days[day] {
				c.first, c.last = min(c.first, o.first), max(c.last, o.last)
				if err := j.facts.merge(o.facts); err != nil {
					return j.d, nil, err
				}
			}
			c.facts = j.facts.append(nil)
		}
		j.buf = c.append(j.buf)
	}
	return j.d, j.buf, nil
}

// addFacts writes the facts of one device of a tally, which comes after all before it.
func (w *segmentWriter) addFacts(d deviceInfo, b []byte) error {
	w.dev = d
	w.dev.factsOff, w.dev.factsSize, w.dev.factsSum = w.off, uint32(len(b)), crc32.Checksum(b, castagnoli)
	if w.foot.Devices.N == 0 {
		w.foot.Min, w.foot.Max = d.min, d.max
	}
	w.foot.Min, w.foot.Max = min(w.foot.Min, d.min), max(w.foot.Max, d.max)
	w.foot.Facts += int64(len(b))
	w.listDevice()
	return w.write(b)
}
