package agent

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// scan reads all segments and counts what is missing.
func (s *spool) scan() {
	kept := s.segs[:0]
	lost, highest := uint64(0), s.meta.Counted
	for i, g := range s.segs {
		bound := uint64(0) // first ordinal of the next segment
		if i+1 < len(s.segs) {
			bound = s.segs[i+1].ord
		}
		have, torn := uint64(0), uint64(0)
		if raw, err := s.d.ReadFile(g.name, s.segBytes+maxRecord+recordHeader); err == nil {
			have, torn = g.parse(raw, bound, s.meta.Counted)
		}
		last := max(g.lastOrd, g.ord-1)
		if bound > 0 {
			last = max(last, bound-1)
		} else {
			last += torn
		}
		missing := uint64(0)
		if from := max(g.ord-1, s.meta.Counted); last > from {
			missing = last - from - have
		}
		lost += missing
		highest = max(highest, last)
		s.ord, s.seq = max(s.ord, last+1), max(s.seq, g.seq)
		if n := len(g.entries); n > 0 {
			s.seq = max(s.seq, g.entries[n-1].seq+1)
		}
		if last <= s.meta.DroppedTo || len(g.entries) == 0 && i+1 < len(s.segs) {
			_ = s.d.Remove(g.name) // tried again at the next start
			continue
		}
		s.total += g.size
		kept = append(kept, g)
	}
	s.segs = kept
	if lost > 0 {
		s.meta.Dropped += lost
		s.meta.Counted = highest
		s.saveMeta()
	}
}

// parse finds the records of a segment and returns how many of them have an
// ordinal above counted. damagedEnd is 1 when the segment ends in a record that
// is complete in length and damaged, else 0: a torn end is an append that
// never returned.
func (g *segment) parse(raw []byte, bound, counted uint64) (have, damagedEnd uint64) {
	g.size = int64(len(raw))
	g.lastOrd = g.ord - 1
	for off := 0; off < len(raw); {
		n, ord, seq, ok := g.record(raw[off:])
		if ok && ord > g.lastOrd && (bound == 0 || ord < bound) {
			g.entries = append(g.entries, entry{seq: seq, off: uint32(off), n: uint32(n)})
			g.lastOrd = ord
			if ord > counted {
				have++
			}
			off += recordHeader + n
			damagedEnd = 0
			continue
		}
		if n >= 0 {
			damagedEnd = 1
		}
		next := bytes.Index(raw[off+1:], []byte(recordMagic))
		if next < 0 {
			break
		}
		off += 1 + next
	}
	return have, damagedEnd
}

// record reads the record at the start of raw. n is -1 when no complete record
// can start here; ok says that its checksum is right.
func (g *segment) record(raw []byte) (n int, ord, seq uint64, ok bool) {
	if len(raw) < recordHeader || string(raw[:4]) != recordMagic {
		return -1, 0, 0, false
	}
	size := binary.BigEndian.Uint32(raw[4:])
	if size > maxRecord || int(size) > len(raw)-recordHeader {
		return -1, 0, 0, false
	}
	n = int(size)
	ord, seq = binary.BigEndian.Uint64(raw[8:]), binary.BigEndian.Uint64(raw[16:])
	return n, ord, seq, binary.BigEndian.Uint32(raw[24:]) == g.sum(raw[:24], raw[recordHeader:recordHeader+n])
}

func (g *segment) sum(header, payload []byte) uint32 {
	return crc32.Update(crc32.Update(g.salt, castagnoli, header), castagnoli, payload)
}
