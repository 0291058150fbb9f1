package eventlog

import (
	"errors"
	"math"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/picketsec/picket/internal/inventory"
)

// ErrDamaged says that a part of the log could not be read because its checksum does not
// hold. It is wrapped.
var ErrDamaged = errDamaged

// Damage is a part of the log that is known to be damaged: the events in it cannot
// be read.
type Damage struct {
	What   string // "segment": a whole file; "block" of events; "index" of a file; "log": of the write-ahead log
	Events int    // in it; 0: not known
	Bytes  int64  // of the write-ahead log
	// From and To are when its events happened, both included; zero: not known.
	From, To time.Time
}

const (
	// mostSpoils is how many damaged parts of a segment are told apart.
	mostSpoils = 64
	// mostWalLosses is how many damaged files of the write-ahead log are told apart.
	mostWalLosses = 64
	anyDevice     = math.MaxUint32
)

// spoil is a damaged part of a segment that is open.
type spoil struct {
	what        string
	at          int64 // its place in the file, which names it
	rows        int
	bytes       int64  // of the write-ahead log
	first, last uint32 // devices that it may be of
	min, max    int64
	ref         spoilRef
}

// spoilRef is where a damaged part is. It is read again at the next start: somebody
// may have put a whole file in its place.
type spoilRef struct {
	Block []byte `json:"block,omitempty"` // its entry of the block index
	Index string `json:"index,omitempty"` // "blocks" or "devices"; with Group
	Group int    `json:"group,omitempty"`
}

// spoils are what was found damaged of a segment.
type spoils struct {
	mu    sync.Mutex
	list  []spoil
	fresh bool // there is something that the manifest does not say
}

// spoiled notes a damaged part. Beyond mostSpoils, the whole segment counts as one.
func (s *segment) spoiled(p spoil) {
	if s.copied {
		return
	}
	s.spoils.mu.Lock()
	defer s.spoils.mu.Unlock()
	n := len(s.spoils.list)
	if n >= mostSpoils || slices.ContainsFunc(s.spoils.list, func(o spoil) bool { return o.at == p.at }) {
		return
	}
	if n == mostSpoils-1 {
		p = spoil{what: "segment", at: -1, rows: s.foot.Rows, first: 0, last: anyDevice, min: s.foot.Min, max: s.foot.Max}
	}
	s.spoils.list, s.spoils.fresh = append(s.spoils.list, p), true
}

// spoiledBlock notes a block that cannot be read.
func (s *segment) spoiledBlock(b *blockInfo) {
	p := spoil{what: "block", at: b.off, rows: int(b.rows), first: b.firstDev, last: b.lastDev, min: s.foot.Min, max: s.foot.Max, ref: spoilRef{Block: b.append(nil)}}
	if b.firstDev == b.lastDev {
		p.min, p.max = b.firstTime, b.lastTime
	}
	s.spoiled(p)
}

// spoiledGroup notes a group of the index of devices or blocks that cannot be read: the
// events behind it are not found by it.
func (s *segment) spoiledGroup(ix *index, width, g int) {
	p := spoil{what: "index", at: ix.Off + int64(g*groupSize*width), first: 0, last: s.lastDevice(), min: s.foot.Min, max: s.foot.Max, ref: spoilRef{Group: g}}
	switch ix {
	case &s.foot.Blocks:
		p.ref.Index = "blocks"
	case &s.foot.Devices:
		p.ref.Index, p.first = "devices", s.foot.First[g]
		if g+1 < len(s.foot.First) {
			p.last = s.foot.First[g+1] - 1
		}
	default:
		return // of what is counted only
	}
	s.spoiled(p)
}

// lastDevice is a number that no device of the segment is above.
func (s *segment) lastDevice() uint32 {
	if s.foot.Present == nil || len(s.foot.First) == 0 {
		return anyDevice
	}
	for i, b := range slices.Backward(s.foot.Present) {
		if b != 0 {
			return s.foot.First[0] + uint32(i*8+bits.Len8(b)-1)
		}
	}
	return anyDevice
}

// recheck reads again what was damaged at the start before: what still is notes itself.
func (s *segment) recheck(refs []spoilRef, dec *zstd.Decoder) {
	for _, r := range refs {
		switch {
		case len(r.Block) == blockEntry:
			b := parseBlock(r.Block)
			_, _ = s.block(&b, dec)
		case r.Index == "blocks" && r.Group >= 0 && r.Group < len(s.foot.Blocks.Sums):
			_, _ = s.group(&s.foot.Blocks, blockEntry, r.Group)
		case r.Index == "devices" && r.Group >= 0 && r.Group < len(s.foot.Devices.Sums):
			_, _ = s.group(&s.foot.Devices, deviceEntry, r.Group)
		}
	}
	s.spoils.fresh = len(s.spoils.list) != len(refs)
	if len(s.spoils.list) > 0 {
		s.broken.Store(true)
	}
}

// take returns what the manifest has to say, when it does not.
func (p *spoils) take() ([]spoilRef, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.fresh {
		return nil, false
	}
	p.fresh = false
	out := make([]spoilRef, 0, len(p.list))
	for i := range p.list {
		out = append(out, p.list[i].ref)
	}
	return out, true
}

// again lets take return it once more.
func (p *spoils) again() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fresh = true
}

func (p *spoils) all() []spoil {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.list)
}

// keepSpoils puts what was found damaged into the manifest, so that it is known after
// the next start too.
func (e *Engine) keepSpoils() {
	e.mu.RLock()
	segs := e.segs
	e.mu.RUnlock()
	found := map[uint64][]spoilRef{}
	for _, s := range segs {
		if refs, fresh := s.spoils.take(); fresh {
			found[s.id] = refs
			e.opt.Log.Error("parts of a segment of events are damaged; the rest of it stays readable", "segment", s.id, "parts", len(refs))
		}
	}
	if len(found) == 0 {
		return
	}
	err := e.change(func(m *manifest) {
		for i := range m.Segments {
			if refs, ok := found[m.Segments[i].ID]; ok {
				m.Segments[i].Spoiled = refs
			}
		}
	}, func() {})
	if err != nil {
		e.opt.Log.Warn("what is damaged of the events could not be noted", "error", err)
		for _, s := range segs {
			if _, ok := found[s.id]; ok {
				s.spoils.again()
			}
		}
	}
}

// span is when the events of a segment happened, as far as its entry tells: entries that
// were written before times were kept have its day alone, of which several may be in it.
func (r *segmentRef) span() (from, to int64) {
	const several = 32
	switch {
	case r.Min != 0 || r.Max != 0:
		return r.Min, r.Max
	case r.Day == 0:
		return math.MinInt64, math.MaxInt64
	case r.Day%several == 0:
		return r.Day * day, (r.Day+several)*day - 1
	}
	return r.Day * day, (r.Day+1)*day - 1
}

// describe notes in the entry what is known of the segment as long as it can be opened.
func (r *segmentRef) describe(s *segment) {
	r.Min, r.Max, r.Last = s.foot.Min, s.foot.Max, s.lastDevice()
	if len(s.foot.First) > 0 {
		r.First = s.foot.First[0]
	}
}

// walLoss is damage in a file of the write-ahead log.
type walLoss struct {
	File  uint64 `json:"file"`
	Bytes int64  `json:"bytes"`
	From  int64  `json:"from"` // of the events in the rest of the file
	To    int64  `json:"to"`
}

// lostWal counts damage of a file of the write-ahead log, once.
func (e *Engine) lostWal(l walLoss) {
	if slices.ContainsFunc(e.man.Lost.Wal, func(o walLoss) bool { return o.File == l.File }) {
		return
	}
	e.man.Lost.WalBytes += l.Bytes
	e.man.Lost.Wal = append(slices.Clone(e.man.Lost.Wal), l)
	if n := len(e.man.Lost.Wal) - mostWalLosses; n > 0 {
		e.man.Lost.Wal[n].From = min(e.man.Lost.Wal[n].From, e.man.Lost.Wal[n-1].From)
		e.man.Lost.Wal[n].Bytes += e.man.Lost.Wal[n-1].Bytes
		e.man.Lost.Wal = e.man.Lost.Wal[n:]
	}
}

// Damage returns what is known to be damaged and may have held events of a device in a
// time; zero times: any.
func (e *Engine) Damage(d inventory.DeviceID, from, to time.Time) []Damage {
	p := newPlan(&Query{From: from, To: to})
	e.mu.RLock()
	n, ok := e.numbers[d]
	e.mu.RUnlock()
	if !ok {
		return nil
	}
	var out []Damage
	e.eachDamage(func(x spoil) {
		if n >= x.first && n <= x.last && x.max >= p.from && x.min < p.to {
			out = append(out, x.damage())
		}
	})
	return out
}

// Damages returns all that is known to be damaged and that the log would still keep.
func (e *Engine) Damages() []Damage {
	var out []Damage
	e.eachDamage(func(x spoil) { out = append(out, x.damage()) })
	return out
}

func (x *spoil) damage() Damage {
	d := Damage{What: x.what, Events: x.rows, Bytes: x.bytes}
	if x.min > math.MinInt64 && x.max < math.MaxInt64 {
		d.From, d.To = time.Unix(0, x.min).UTC(), time.Unix(0, x.max).UTC()
	}
	return d
}

// eachDamage calls f with every damaged part.
func (e *Engine) eachDamage(f func(spoil)) {
	e.mu.RLock()
	segs, refs, wal := e.segs, slices.Clone(e.man.Segments), e.man.Lost.Wal
	e.mu.RUnlock()
	for i := range refs {
		r := &refs[i]
		if !r.Damaged {
			continue
		}
		x := spoil{what: "segment", rows: r.Rows, first: r.First, last: r.Last}
		if x.min, x.max = r.span(); x.last == 0 {
			x.last = anyDevice
		}
		f(x)
	}
	for _, s := range segs {
		for _, x := range s.spoils.all() {
			f(x)
		}
	}
	for _, l := range wal {
		f(spoil{what: "log", bytes: l.Bytes, last: anyDevice, min: l.From, max: l.To})
	}
}

// dropLost forgets damage of events that would no longer be kept, and removes the files
// that could not be opened.
func (e *Engine) dropLost(before time.Time) error {
	old := func(r *segmentRef) bool {
		_, to := r.span()
		return r.Damaged && to < before.UnixNano()
	}
	var gone []uint64
	e.mu.RLock()
	for i := range e.man.Segments {
		if r := &e.man.Segments[i]; old(r) {
			gone = append(gone, r.ID)
		}
	}
	wal := slices.DeleteFunc(slices.Clone(e.man.Lost.Wal), func(l walLoss) bool { return l.To < before.UnixNano() })
	change := len(gone) > 0 || len(wal) != len(e.man.Lost.Wal)
	e.mu.RUnlock()
	if !change {
		return nil
	}
	err := e.change(func(m *manifest) {
		m.Segments = slices.DeleteFunc(m.Segments, func(r segmentRef) bool { return slices.Contains(gone, r.ID) })
	}, func() { e.man.Lost.Wal = wal })
	if err != nil {
		return err
	}
	for _, id := range gone {
		if err := os.Remove(filepath.Join(e.dir, segmentName(id))); err != nil && !errors.Is(err, os.ErrNotExist) {
			e.opt.Log.Warn("a damaged segment of events is not removed", "segment", id, "error", err)
		}
	}
	return nil
}
