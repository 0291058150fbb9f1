package agent

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"sync"

	"github.com/picketsec/picket/internal/protocol"
)

// The form of a segment: records one after the other, each
//
//	magic (4) · length of the payload (4) · ordinal (8) · number (8) · checksum (4) · payload
//
// in big-endian order. The checksum is CRC32C over everything else, begun with
// the segment's salt, so that bytes inside a payload are never taken for a
// record. The name of a segment holds its first ordinal, its first number and
// its salt. Ordinals have no gaps: what is missing between two records was lost.
const (
	recordMagic  = "PkS1"
	recordHeader = 28
	maxRecord    = 8 << 20
	// seqJump is how far the numbers jump at every start, so that a number that
	// was given out by reserve and never written is not given out again.
	seqJump = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// disk is the directory of a spool. It is an interface because the tests
// inject faults into every call.
type disk interface {
	Create(name string) (diskFile, error)   // a new file, for appending
	Open(name string) (diskFile, error)     // for reading
	Remove(name string) error               //
	Names() ([]string, error)               //
	Replace(name string, data []byte) error // all or nothing, durable
	Sync() error                            // makes Create and Remove durable
	ReadFile(name string, max int64) ([]byte, error)
}

// diskFile is an open file of a disk.
type diskFile interface {
	io.Writer
	io.ReaderAt
	io.Closer
	Sync() error
	Truncate(size int64) error
}

// spool keeps records on disk until they are acknowledged: first in, first
// out, bounded in bytes, durable when append returns. Damage costs the damaged
// record and no other; every lost record is counted. Safe for concurrent use.
type spool struct {
	mu       sync.Mutex // guards everything below
	d        disk
	limit    int64
	segBytes int64
	salt     func() uint32
	segs     []*segment
	active   diskFile // of the last segment, nil when the next append starts a new one
	total    int64
	seq, ord uint64 // of the next record
	meta     spoolMeta
	unsaved  bool // meta is newer than on disk
	blocked  bool // the last append found the disk unwilling

	// When set: dropped is told the content of each record that is given up
	// before it was acknowledged, nil when it can't be read; removing is called
	// before a segment goes, and the segment stays when it fails. Neither may
	// call the spool.
	dropped  func(payload []byte)
	removing func() error
	sent     uint64 // highest number that this run, or one before it, may have sent
}

// spoolMeta is what outlives segments.
type spoolMeta struct {
	Dropped   uint64 `json:"dropped"`    // records lost, ever
	Counted   uint64 `json:"counted"`    // up to this ordinal losses are in Dropped
	DroppedTo uint64 `json:"dropped_to"` // segments up to this ordinal were dropped
	Next      uint64 `json:"next"`       // no number below was free when the last segment went
}

const metaFile = "meta.json"

type segment struct {
	name     string
	ord, seq uint64 // of the first record
	salt     uint32
	entries  []entry // not acknowledged
	lastOrd  uint64
	size     int64
}

type entry struct {
	seq    uint64
	off, n uint32
}

// record is one record of a spool.
type record struct {
	Seq     uint64
	Payload []byte
}

var errRecordSize = errors.New("record exceeds the limit of the spool")

// openSpool reads what a directory holds. limit is in bytes; salt gives a
// random number per segment. Damage is no error: what can be read is kept.
func openSpool(d disk, limit int64, salt func() uint32) (*spool, error) {
	s := &spool{d: d, limit: limit, segBytes: max(limit/64, 4<<10), salt: salt, seq: 1, ord: 1}
	if raw, err := d.ReadFile(metaFile, 64<<10); err == nil {
		if json.Unmarshal(raw, &s.meta) != nil {
			s.meta = spoolMeta{}
		}
	}
	names, err := d.Names()
	if err != nil {
		return nil, fmt.Errorf("list spool: %w", err)
	}
	for _, name := range names {
		seg := &segment{name: name}
		if n, err := fmt.Sscanf(name, "%016x-%016x-%08x.seg", &seg.ord, &seg.seq, &seg.salt); err == nil && n == 3 && seg.fileName() == name && seg.ord > 0 {
			s.segs = append(s.segs, seg)
		}
	}
	slices.SortFunc(s.segs, func(a, b *segment) int { return cmp.Or(cmp.Compare(a.ord, b.ord), cmp.Compare(a.seq, b.seq)) })
	s.scan()
	s.seq = max(s.seq, s.meta.Next) + seqJump
	s.sent = s.seq - 1
	s.ord = max(s.ord, s.meta.Counted+1, s.meta.DroppedTo+1)
	return s, nil
}

func (g *segment) fileName() string { return fmt.Sprintf("%016x-%016x-%08x.seg", g.ord, g.seq, g.salt) }

// append writes a record and returns its number once it is on the disk. When
// the disk refuses, nothing that was there before is touched. To stay within
// the limit the oldest segments go first, counted.
func (s *spool) append(payload []byte) (uint64, error) {
	if len(payload) > maxRecord {
		return 0, errRecordSize
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	need := int64(recordHeader + len(payload))
	if need > s.limit {
		return 0, errRecordSize
	}
	for s.total+need > s.limit && len(s.segs) > 0 {
		if err := s.dropOldest(); err != nil {
			return 0, s.refused(err)
		}
	}
	if s.active == nil || s.last().size >= s.segBytes {
		if err := s.rotate(); err != nil {
			return 0, s.refused(err)
		}
	}
	g := s.last()
	buf := make([]byte, recordHeader, int(need))
	copy(buf, recordMagic)
	binary.BigEndian.PutUint32(buf[4:], uint32(len(payload)))
	binary.BigEndian.PutUint64(buf[8:], s.ord)
	binary.BigEndian.PutUint64(buf[16:], s.seq)
	binary.BigEndian.PutUint32(buf[24:], g.sum(buf[:24], payload))
	buf = append(buf, payload...)
	_, err := s.active.Write(buf)
	if err == nil {
		err = s.active.Sync()
	}
	seq := s.seq
	s.seq++ // also after an error: the record may be on the disk after all
	if err != nil {
		_ = s.active.Truncate(g.size) // best effort: whatever stays is skipped when read
		s.seal()
		return 0, s.refused(err)
	}
	g.entries = append(g.entries, entry{seq: seq, off: uint32(g.size), n: uint32(len(payload))})
	g.size += need
	g.lastOrd = s.ord
	s.total += need
	s.ord++
	s.blocked = false
	if s.unsaved {
		s.saveMeta()
	}
	return seq, nil
}

func (s *spool) refused(err error) error {
	s.blocked = true
	return fmt.Errorf("append to spool: %w", err)
}

func (s *spool) last() *segment { return s.segs[len(s.segs)-1] }

// seal ends the active segment: the next append starts a new one.
func (s *spool) seal() {
	if s.active != nil {
		_ = s.active.Close() // every record in it was synced
		s.active = nil
	}
}

func (s *spool) rotate() error {
	s.seal()
	g := &segment{ord: s.ord, seq: s.seq, salt: s.salt(), lastOrd: s.ord - 1}
	g.name = g.fileName()
	f, err := s.d.Create(g.name)
	if err != nil {
		return err
	}
	if err := s.d.Sync(); err != nil {
		return errors.Join(err, f.Close(), s.d.Remove(g.name))
	}
	// A segment without records whose first ordinal is this one would hide
	// this one's records from a reader.
	if n := len(s.segs); n > 0 && len(s.segs[n-1].entries) == 0 {
		if err := s.mayGo(); err != nil {
			return errors.Join(err, f.Close(), s.d.Remove(g.name))
		}
		s.remove(n - 1)
	}
	s.active = f
	s.segs = append(s.segs, g)
	return nil
}

// mayGo makes durable what has to outlive a segment that is about to go.
func (s *spool) mayGo() error {
	if s.removing == nil {
		return nil
	}
	return s.removing()
}

// dropOldest gives up the oldest segment. The count is on disk before the
// records are gone.
func (s *spool) dropOldest() error {
	if err := s.mayGo(); err != nil {
		return err
	}
	g := s.segs[0]
	if s.dropped != nil {
		for _, e := range g.entries {
			payload, err := s.read(g, e)
			if err != nil {
				payload = nil
			}
			s.dropped(payload)
		}
	}
	if len(g.entries) > 0 {
		s.meta.Dropped += uint64(len(g.entries))
		s.meta.Counted = max(s.meta.Counted, g.lastOrd)
		s.meta.DroppedTo = max(s.meta.DroppedTo, g.lastOrd)
		s.meta.Next = max(s.meta.Next, s.seq)
		s.saveMeta() // a full disk may refuse: then with the next append that succeeds
	}
	if len(s.segs) == 1 {
		s.seal()
	}
	s.remove(0)
	return nil
}

func (s *spool) remove(i int) {
	g := s.segs[i]
	_ = s.d.Remove(g.name) // what stays is known to be dropped or acknowledged
	s.total -= g.size
	s.segs = slices.Delete(s.segs, i, i+1)
}

func (s *spool) saveMeta() {
	raw, err := json.Marshal(s.meta)
	if err == nil {
		err = s.d.Replace(metaFile, raw)
	}
	s.unsaved = err != nil
}

// reserve gives out a number for a message that is not in the spool: higher
// than all before, lower than all after.
func (s *spool) reserve() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	return s.seq - 1
}

// lift makes the next number higher than last, which the server has seen.
func (s *spool) lift(last uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq = max(s.seq, last+1)
}

// welcomed takes up to which number the server has records, as it says when a
// session begins, and forgets those. If it has numbers that were never sent, this
// directory was put back from a copy: what was kept under them since gets numbers
// behind them.
func (s *spool) welcomed(last uint64) {
	s.lift(last)
	s.mu.Lock()
	after := s.sent
	s.sent = max(s.sent, last)
	s.mu.Unlock()
	for after < last {
		r, ok := s.peek(after)
		if !ok || r.Seq > last {
			break
		}
		if _, err := s.append(r.Payload); err != nil {
			break // the disk refuses: what the server takes for known is lost
		}
		after = r.Seq
	}
	s.ack(last)
}

// next returns the first record with a number above after, to be sent. A record
// that turns out to be unreadable is counted as lost and skipped.
func (s *spool) next(after uint64) (record, bool) {
	r, ok := s.peek(after)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = max(s.sent, r.Seq)
	return r, ok
}

// peek returns what next does, not to be sent.
func (s *spool) peek(after uint64) (record, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.segs {
		i, _ := slices.BinarySearchFunc(g.entries, after+1, func(e entry, t uint64) int { return cmp.Compare(e.seq, t) })
		for i < len(g.entries) {
			e := g.entries[i]
			if p, err := s.read(g, e); err == nil {
				return record{Seq: e.seq, Payload: p}, true
			}
			g.entries = slices.Delete(g.entries, i, i+1)
			s.meta.Dropped++
			s.saveMeta()
			if s.dropped != nil {
				s.dropped(nil)
			}
		}
	}
	return record{}, false
}

func (s *spool) read(g *segment, e entry) (payload []byte, err error) {
	f := s.active
	if f == nil || g != s.last() {
		if f, err = s.d.Open(g.name); err != nil {
			return nil, err
		}
		defer f.Close()
	}
	raw := make([]byte, recordHeader+int(e.n))
	if _, err := f.ReadAt(raw, int64(e.off)); err != nil {
		return nil, err
	}
	n, _, seq, ok := g.record(raw)
	if !ok || n != int(e.n) || seq != e.seq {
		return nil, errors.New("record is damaged")
	}
	return raw[recordHeader:], nil
}

// ack forgets all records up to seq.
func (s *spool) ack(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := 0; i < len(s.segs); {
		g := s.segs[i]
		n, _ := slices.BinarySearchFunc(g.entries, seq+1, func(e entry, t uint64) int { return cmp.Compare(e.seq, t) })
		g.entries = g.entries[n:]
		if len(g.entries) > 0 {
			return
		}
		if i == len(s.segs)-1 && g.size < s.segBytes {
			return // goes on, or names the next number at the next start
		}
		if s.mayGo() != nil {
			return // it goes with a later acknowledgement
		}
		if i == len(s.segs)-1 {
			s.meta.Next = s.seq
			if s.saveMeta(); s.unsaved {
				return
			}
			s.seal()
		}
		s.remove(i)
	}
}

// reset forgets all records without counting them: they belong to another device.
func (s *spool) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seal()
	for len(s.segs) > 0 {
		s.remove(0)
	}
}

// stats tell how the spool fares.
func (s *spool) stats() protocol.SpoolStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := protocol.SpoolStats{Bytes: s.total, Dropped: s.meta.Dropped, Blocked: s.blocked}
	for _, g := range s.segs {
		st.Queued += len(g.entries)
	}
	return st
}

// close closes the open file. Records are on disk already.
func (s *spool) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seal()
}
