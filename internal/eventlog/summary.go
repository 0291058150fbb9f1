package eventlog

import "errors"

// A summary holds each device's numbers of all segments together, so that what is
// missing of a device is known without asking every segment. It is in memory
// alone: read from the facts of the segments after a start, moved on when a table
// is sealed, and read anew when something was removed. Merging changes nothing
// that it says.
type summary struct {
	runs  map[uint32][]byte // by device, as facts write them
	long  map[uint32]bool   // devices that have too many to be held, or that cannot be read
	bytes int
}

// Bounds of a summary: of one device and of all. Beyond them a device's numbers are
// read from the segments at each question.
const (
	mostSummary    = 64 << 10
	mostSummaries  = 256 << 20
	summaryPerItem = 64 // what an entry takes beside its bytes
)

func newSummary() *summary { return &summary{runs: map[uint32][]byte{}, long: map[uint32]bool{}} }

// of returns a device's numbers; false: the segments have to be asked.
func (s *summary) of(dev uint32) ([]byte, bool) {
	if s == nil || s.long[dev] {
		return nil, false
	}
	b, ok := s.runs[dev]
	if !ok {
		return []byte{0}, true // none
	}
	return b, true
}

func (s *summary) drop(dev uint32) {
	if b, ok := s.runs[dev]; ok {
		s.bytes -= len(b) + summaryPerItem
		delete(s.runs, dev)
	}
}

// put replaces what is held of some devices; nil: it cannot be held.
func (s *summary) put(fresh map[uint32][]byte) {
	for dev, b := range fresh {
		s.drop(dev)
		if b == nil || len(b) > mostSummary || s.bytes+len(b)+summaryPerItem > mostSummaries {
			s.long[dev] = true
		}
		if !s.long[dev] {
			s.runs[dev] = b
			s.bytes += len(b) + summaryPerItem
		}
	}
}

// fold returns what is held of a device with some more; nil: it cannot be held.
func (s *summary) fold(f *facts, dev uint32, more func(*facts) error) []byte {
	have, ok := s.of(dev)
	if !ok {
		return nil
	}
	f.reset()
	if f.mergeRuns(&cursor{b: have}) != nil || more(f) != nil {
		return nil
	}
	return f.appendRuns(make([]byte, 0, len(have)+32))
}

// foldTable returns what is held of the devices of a table with its numbers.
func (s *summary) foldTable(t *memTable, skip func(uint32) bool) map[uint32][]byte {
	out, f := map[uint32][]byte{}, newFacts()
	for _, dev := range t.devices() {
		if !skip(dev) {
			out[dev] = s.fold(f, dev, func(f *facts) error {
				t.runsInto(f, dev)
				return nil
			})
		}
	}
	return out
}

// read adds the numbers of all segments; false: a part of them cannot be read of
// which it is not known whose it is, or stop said so.
func (s *summary) read(v *view, stop func() bool) bool {
	f, now := newFacts(), newFacts() // now is what was read of a device one behind the other
	var dev uint32
	var bad error
	flush := func() {
		s.put(map[uint32][]byte{dev: s.fold(f, dev, func(f *facts) error {
			for k, runs := range now.runs {
				f.runs[k] = append(f.runs[k], runs...)
			}
			return bad
		})})
		now.reset()
	}
	var cost Cost
	err := v.eachFacts(newPlan(&Query{Scope: Everything()}), &cost, func(d deviceInfo, c *chunk) error {
		if d.dev != dev {
			if stop() {
				return ErrStop
			}
			if dev != 0 {
				flush()
			}
			dev, bad = d.dev, nil
		}
		bad = errors.Join(bad, now.chunkRuns(c))
		return nil
	})
	if dev != 0 {
		flush()
	}
	return err == nil && cost.Damaged == 0
}

// summing is how maintenance keeps the summary.
type summing struct {
	running bool     // it is being read
	stale   bool     // something was removed since that began
	broken  bool     // it could not be read, and nothing was removed since
	since   *summary // of what was sealed since that began
}

// sealed notes a table that was sealed.
func (e *Engine) sealed(t *memTable) {
	if s := &e.summing; s.running {
		s.since.put(s.since.foldTable(t, e.forgotten))
	}
}

// foldTable is what the summary has to hold once a table is sealed.
func (e *Engine) foldTable(t *memTable) map[uint32][]byte {
	if e.sum == nil { // only maintenance changes it
		return nil
	}
	e.mu.RLock()
	s := &summary{runs: make(map[uint32][]byte, len(t.devs)), long: map[uint32]bool{}}
	for _, dev := range t.devices() {
		if b, ok := e.sum.of(dev); ok {
			s.runs[dev] = b
		} else {
			s.long[dev] = true
		}
	}
	e.mu.RUnlock()
	return s.foldTable(t, e.forgotten)
}

// summarise begins to read the summary where there is none. Maintenance goes on
// meanwhile, and takes it as soon as it is there, in the middle of a merge as well.
func (e *Engine) summarise() {
	s := &e.summing
	if s.stale {
		s.broken = false
	}
	if e.sum != nil || s.running || s.broken || e.closing() {
		return
	}
	s.running, s.stale, s.since = true, false, newSummary()
	e.mu.RLock()
	v := e.viewLocked()
	e.mu.RUnlock()
	e.stopped.Go(func() {
		defer v.release()
		sum, n := newSummary(), 0
		whole := sum.read(v, func() bool {
			if n++; n%sealWithin == 0 {
				e.letRead()
			}
			return e.closing()
		})
		e.summed <- func() { e.summarised(sum, whole) } // there is room: only one is read at a time
	})
}

// summarised takes a summary that was read.
func (e *Engine) summarised(sum *summary, whole bool) {
	s := &e.summing
	since := s.since
	s.running, s.since = false, nil
	if s.stale {
		return // it is read again
	}
	if s.broken = !whole; s.broken {
		return
	}
	f := newFacts()
	for dev, b := range since.runs {
		sum.put(map[uint32][]byte{dev: sum.fold(f, dev, func(f *facts) error { return f.mergeRuns(&cursor{b: b}) })})
	}
	for dev := range since.long {
		sum.put(map[uint32][]byte{dev: nil})
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sum = sum
}

// viewOf returns the log as it stands, and a device's numbers in its segments; false:
// the segments have to be asked.
func (e *Engine) viewOf(dev uint32) (*view, []byte, bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	b, ok := e.sum.of(dev)
	return e.reading(e.viewLocked()), b, ok
}

// chunkRuns adds the numbers of a chunk.
func (f *facts) chunkRuns(c *chunk) error {
	d := cursor{b: c.facts}
	if err := eachCount(&d, func(hourAction, int) error { return nil }); err != nil {
		return err
	}
	return f.mergeRuns(&d)
}
