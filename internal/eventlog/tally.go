package eventlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// A tally holds the facts of the devices of several segments, device by device, so
// that what is known of one device is read from a few places, however many segments
// there are. Its file has the form of a segment without blocks; the facts of a device
// are chunks, one for each day of segments. Everything in it is in the segments
// too: a tally that is damaged or lost costs time and nothing else.
type tally struct {
	*segment
	// days are the segments whose facts are in it, by the day that they are of. A day of
	// which a segment went or lost events is not there: its chunks no longer hold.
	days  map[int64][]uint64
	parts int // days in the file
}

// tallyAt is how many segments are asked one by one before their facts are put
// into a tally.
const tallyAt = 8

// tallyRef is a tally in the manifest.
type tallyRef struct {
	ID    uint64     `json:"id"`
	Parts int        `json:"parts"`
	Days  []tallyDay `json:"days"`
}

type tallyDay struct {
	Day      int64    `json:"day"`
	Segments []uint64 `json:"segments"`
}

func tallyName(id uint64) string { return fmt.Sprintf("tally-%016x", id) }

// ref is what the manifest says of the tally.
func (t *tally) ref() tallyRef {
	r := tallyRef{ID: t.id, Parts: t.parts}
	for day, segs := range t.days {
		r.Days = append(r.Days, tallyDay{day, segs})
	}
	slices.SortFunc(r.Days, func(a, b tallyDay) int { return cmpInt(a.Day, b.Day) })
	return r
}

// openTally opens a tally and holds its index of devices.
func openTally(dir string, r *tallyRef) (*tally, error) {
	s, err := openSegment(filepath.Join(dir, tallyName(r.ID)), r.ID, 0)
	if err != nil {
		return nil, err
	}
	s.copied = true
	if err := s.holdIndex(); err != nil {
		s.refs.release()
		return nil, fmt.Errorf("tally %s: %w", s.path, err)
	}
	t := &tally{segment: s, days: map[int64][]uint64{}, parts: r.Parts}
	for _, d := range r.Days {
		t.days[d.Day] = d.Segments
	}
	return t, nil
}

// openTallies opens what the manifest says of tallies. One that cannot be opened is
// left out; days of which a segment is not there do not count.
func (e *Engine) openTallies() {
	there := map[uint64]bool{}
	for _, s := range e.segs {
		there[s.id] = true
	}
	for i := range e.man.Tallies {
		t, err := openTally(e.dir, &e.man.Tallies[i])
		if err != nil {
			e.opt.Log.Warn("a tally of events cannot be read and is made again", "error", err)
			continue
		}
		for day, segs := range t.days {
			if slices.ContainsFunc(segs, func(id uint64) bool { return !there[id] }) {
				delete(t.days, day)
			}
		}
		e.tallies = append(e.tallies, t)
	}
	e.man.Tallies = tallyRefs(e.tallies)
	e.listLoose()
}

// listLoose notes which segments no tally has. The caller holds mu, or is alone.
func (e *Engine) listLoose() {
	in := map[uint64]bool{}
	for _, t := range e.tallies {
		for _, segs := range t.days {
			for _, id := range segs {
				in[id] = true
			}
		}
	}
	e.loose = nil // views have the old one
	for _, s := range e.segs {
		if !in[s.id] {
			e.loose = append(e.loose, s)
		}
	}
}

// chunk are the facts of a device of segments of one day, with the hours of its events.
type chunk struct {
	day         int64
	first, last int64
	facts       []byte
}

// append writes a chunk: day, first hour, last − first, length, facts.
func (c *chunk) append(dst []byte) []byte {
	dst = binary.AppendVarint(dst, c.day)
	dst = binary.AppendVarint(dst, c.first)
	dst = binary.AppendUvarint(dst, uint64(c.last-c.first))
	dst = binary.AppendUvarint(dst, uint64(len(c.facts)))
	return append(dst, c.facts...)
}

func nextChunk(d *cursor) (c chunk, err error) {
	c.day, c.first = d.varint(), d.varint()
	c.last = c.first + int64(d.uvarint())
	n := d.uvarint()
	if d.bad || n > uint64(len(d.b)) {
		return c, errFacts
	}
	c.facts, d.b = d.b[:n:n], d.b[n:]
	return c, nil
}

// partReader reads a part of a file.
type partReader func(off int64, n uint32) ([]byte, error)

// ledger is where facts of devices are: a segment or a tally.
type ledger interface {
	device(dev uint32) (deviceInfo, bool, error)
	devices(bad func(error), yield func(deviceInfo) bool)
	// each calls f with every chunk of a device. When the error is errDamaged, f was not called.
	each(d deviceInfo, read partReader, f func(*chunk) error) error
	part(off int64, n uint32) ([]byte, error)
}

func (s *segment) each(d deviceInfo, read partReader, f func(*chunk) error) error {
	b, err := factBytes(d, read)
	if err != nil {
		return err
	}
	return f(&chunk{day: s.day, first: floorDiv(d.min, hour), last: floorDiv(d.max, hour), facts: b})
}

func (t *tally) each(d deviceInfo, read partReader, f func(*chunk) error) error {
	b, err := factBytes(d, read)
	if err != nil {
		return err
	}
	for c := (cursor{b: b}); len(c.b) > 0; {
		k, err := nextChunk(&c)
		if err != nil {
			return err
		}
		if t.days[k.day] == nil {
			continue
		}
		if err := f(&k); err != nil {
			return err
		}
	}
	return nil
}

// behind returns the segments whose facts a tally has.
func (v *view) behind(t *tally) []*segment {
	in := map[uint64]bool{}
	for _, segs := range t.days {
		for _, id := range segs {
			in[id] = true
		}
	}
	var out []*segment
	for _, s := range v.segs {
		if in[s.id] {
			out = append(out, s)
		}
	}
	return out
}

// eachFacts calls f with what all segments know of the devices of a plan's scope, in
// chunks that reach into its time.
func (v *view) eachFacts(p *plan, cost *Cost, f func(d deviceInfo, c *chunk) error) error {
	in := func(c *chunk) bool { return (c.last+1)*hour > p.from && c.first*hour < p.to }
	one := func(l ledger, foot *footer) error {
		if foot.Max < p.from || foot.Min >= p.to {
			return nil
		}
		cost.Segments++
		return v.factsIn(l, p.q.Scope, cost, func(d deviceInfo, c *chunk) error {
			if !in(c) {
				return nil
			}
			return f(d, c)
		})
	}
	for _, t := range v.tallies {
		if err := one(t, &t.foot); err != nil {
			return err
		}
	}
	for _, s := range v.loose {
		if err := one(s, &s.foot); err != nil {
			return err
		}
	}
	return nil
}

// factsIn is eachFacts for one ledger.
func (v *view) factsIn(l ledger, scope Scope, cost *Cost, f func(d deviceInfo, c *chunk) error) error {
	one := func(d deviceInfo, read partReader) error {
		err := l.each(d, read, func(c *chunk) error { return f(d, c) })
		if !errors.Is(err, errDamaged) {
			return err
		}
		t, ok := l.(*tally)
		if !ok {
			cost.Damaged++
			return nil
		}
		t.broken.Store(true)
		for _, s := range v.behind(t) {
			cost.Segments++
			if err := v.factsIn(s, Only(v.device(d.dev)), cost, f); err != nil {
				return err
			}
		}
		return nil
	}
	if !scope.all && len(scope.set) <= fewDevices {
		for _, dev := range v.wanted(scope) {
			d, ok, err := l.device(dev)
			if err != nil {
				cost.Damaged++
				if err := errOnlyDamage(err); err != nil {
					return err
				}
			}
			if ok {
				if err := one(d, l.part); err != nil {
					return err
				}
			}
		}
		return nil
	}
	var err error
	ahead := readAhead(l.part)
	l.devices(func(error) { cost.Damaged++ }, func(d deviceInfo) bool {
		if id := v.device(d.dev); id != "" && scope.Has(id) {
			err = one(d, ahead)
		}
		return err == nil
	})
	return err
}

// aheadBytes is how much is read at once of facts that are read in their order.
const aheadBytes = 256 << 10

// readAhead returns a reader of parts that stand one behind the other.
func readAhead(read partReader) partReader {
	var buf []byte
	var at int64
	return func(off int64, n uint32) ([]byte, error) {
		if off < at || off+int64(n) > at+int64(len(buf)) {
			b, err := read(off, max(n, aheadBytes))
			if err != nil { // the end of the file may be nearer
				return read(off, n)
			}
			at, buf = off, b
		}
		return slices.Clone(buf[off-at : off-at+int64(n)]), nil
	}
}

// replaceTallies puts a tally (nil: none) in the place of others and removes those.
func (e *Engine) replaceTallies(old []*tally, fresh *tally) error {
	all := slices.DeleteFunc(slices.Clone(e.tallies), func(t *tally) bool { return slices.Contains(old, t) })
	if fresh != nil {
		all = append(all, fresh)
	}
	if err := e.change(func(m *manifest) { m.Tallies = tallyRefs(all) }, func() { e.setTallies(all) }); err != nil {
		return err
	}
	for _, t := range old {
		_ = os.Remove(t.path) // the next start removes it otherwise
		t.refs.release()
	}
	return nil
}

func tallyRefs(all []*tally) []tallyRef {
	out := make([]tallyRef, 0, len(all))
	for _, t := range all {
		out = append(out, t.ref())
	}
	return out
}

func (e *Engine) setTallies(all []*tally) {
	e.tallies = all
	e.listLoose()
}

// talliesWithout returns the tallies as they are once segments took the place of
// others of a day; same says that they hold the same events.
func (e *Engine) talliesWithout(old, fresh []*segment, same bool) []*tally {
	out := make([]*tally, 0, len(e.tallies))
	for _, t := range e.tallies {
		for _, day := range old {
			ids := t.days[day.day]
			if !slices.Contains(ids, day.id) {
				continue
			}
			left := slices.DeleteFunc(slices.Clone(ids), func(id uint64) bool {
				return slices.ContainsFunc(old, func(s *segment) bool { return s.id == id })
			})
			u := &tally{segment: t.segment, days: make(map[int64][]uint64, len(t.days)), parts: t.parts}
			for d, ids := range t.days {
				u.days[d] = ids
			}
			if same && len(ids)-len(left) == len(old) { // all of them were in it
				for _, s := range fresh {
					left = append(left, s.id)
				}
				u.days[day.day] = left
			} else {
				left = nil
			}
			if len(left) == 0 {
				delete(u.days, day.day)
			}
			t = u
			break // all of old are of one day
		}
		out = append(out, t)
	}
	return out
}
