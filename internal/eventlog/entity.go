package eventlog

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"sort"

	"github.com/picketsec/picket/internal/event"
)

// The index of entities (docs/eventlog.md): for every entity of a segment and
// every device and name it was seen with, how often, when, and in which block last.
const (
	postingEntry = 40
	postingPage  = 100 // entries, followed by a checksum
	pageBytes    = postingPage*postingEntry + 4
	// mostOfDevice and mostPostings are how many entries one device, and all of
	// them, have in a segment. What goes beyond is counted. They bound the memory
	// of whoever writes a segment to 125 MB.
	mostOfDevice = 16 << 10
	mostPostings = 3 << 20
)

// posting is an entry of the index of entities.
type posting struct {
	key         uint64 // of the entity
	dev         uint32
	name        uint32 // hash of the name
	count       uint32 // events
	block       uint32 // the last block with one of them
	first, last int64
}

// entityIndex is where the entries are.
type entityIndex struct {
	Off int64 `json:"off"`
	N   int   `json:"n"`
	// Dropped counts mentions of entities that there was no room for.
	Dropped int `json:"dropped,omitempty"`
}

// hashEntity is the key of an entity, whatever the case of ASCII letters.
func hashEntity[T string | []byte](k event.EntityKind, id T) uint64 {
	h := (uint64(fnvOffset) ^ uint64(k)) * fnvPrime
	for i := range len(id) {
		h = (h ^ uint64(lower(id[i]))) * fnvPrime
	}
	return mix(h)
}

func hashName(name []byte) uint32 {
	h := uint64(fnvOffset)
	for _, c := range name {
		h = (h ^ uint64(c)) * fnvPrime
	}
	return uint32(mix(h))
}

func (p *posting) append(dst []byte) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint64(dst, p.key)
	dst = le.AppendUint32(dst, p.dev)
	dst = le.AppendUint32(dst, p.name)
	dst = le.AppendUint32(dst, p.count)
	dst = le.AppendUint32(dst, p.block)
	dst = le.AppendUint64(dst, uint64(p.first))
	return le.AppendUint64(dst, uint64(p.last))
}

func parsePosting(b []byte) posting {
	le := binary.LittleEndian
	return posting{key: le.Uint64(b), dev: le.Uint32(b[8:]), name: le.Uint32(b[12:]), count: le.Uint32(b[16:]), block: le.Uint32(b[20:]),
		first: int64(le.Uint64(b[24:])), last: int64(le.Uint64(b[32:]))}
}

// entitySet gathers the entries of a segment, device by device.
type entitySet struct {
	all     []posting
	from    int // where the device under way begins
	at      map[entityName]int
	refs    []event.EntityRef
	dropped int
}

type entityName struct {
	key  uint64
	name uint32
}

// add notes the entities of one row of the device under way.
func (s *entitySet) add(r *row, block uint32) {
	s.refs = r.rec.Entities(s.refs[:0])
	if s.at == nil {
		s.at = map[entityName]int{}
	}
	for i := range s.refs {
		x := &s.refs[i]
		k := entityName{hashEntity(x.Kind, x.ID), hashName(x.Name)}
		if n, ok := s.at[k]; ok {
			p := &s.all[n]
			p.count++
			p.block, p.first, p.last = block, min(p.first, r.time), max(p.last, r.time)
			continue
		}
		if len(s.all)-s.from >= mostOfDevice || len(s.all) >= mostPostings {
			s.dropped++
			continue
		}
		s.at[k] = len(s.all)
		s.all = append(s.all, posting{key: k.key, dev: r.dev, name: k.name, count: 1, block: block, first: r.time, last: r.time})
	}
}

// endDevice ends the device under way.
func (s *entitySet) endDevice() {
	s.from = len(s.all)
	clear(s.at)
}

// pages returns the entries in order of key, device and name.
func (s *entitySet) pages(write func([]byte) error) error {
	slices.SortFunc(s.all, func(a, b posting) int {
		switch {
		case a.key != b.key:
			return compare(a.key, b.key)
		case a.dev != b.dev:
			return compare(a.dev, b.dev)
		}
		return compare(a.name, b.name)
	})
	buf := make([]byte, 0, pageBytes)
	for from := 0; from < len(s.all); from += postingPage {
		buf = buf[:0]
		for i := from; i < min(from+postingPage, len(s.all)); i++ {
			buf = s.all[i].append(buf)
		}
		buf = binary.LittleEndian.AppendUint32(buf, crc32.Checksum(buf, castagnoli))
		if err := write(buf); err != nil {
			return err
		}
	}
	return nil
}

func compare[T uint32 | uint64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// page reads one page of entries.
func (s *segment) postingPage(n int) ([]posting, error) {
	x := s.foot.Entities
	size := min(postingPage, x.N-n*postingPage)*postingEntry + 4
	b, err := s.part(x.Off+int64(n*pageBytes), uint32(size))
	if err != nil {
		return nil, err
	}
	body := b[:size-4]
	if binary.LittleEndian.Uint32(b[size-4:]) != crc32.Checksum(body, castagnoli) {
		return nil, fmt.Errorf("%w: index of entities", errDamaged)
	}
	out := make([]posting, 0, len(body)/postingEntry)
	for ; len(body) > 0; body = body[postingEntry:] {
		out = append(out, parsePosting(body))
	}
	return out, nil
}

// postings yields the entries of an entity, in order of device and name. A
// page that is damaged is told to bad and skipped.
func (s *segment) postings(key uint64, bad func(error), yield func(*posting) bool) {
	x := s.foot.Entities
	if x == nil || x.N == 0 {
		return
	}
	pages := (x.N + postingPage - 1) / postingPage
	// The first page that begins at or beyond the key; entries may begin in the one before.
	var broken error
	n := sort.Search(pages, func(i int) bool {
		p, err := s.postingPage(i)
		if err != nil {
			broken = err
			return false
		}
		return p[0].key >= key
	})
	if broken != nil {
		// A page on the way is damaged, so that nothing is known of the order: all are read.
		n = 0
	}
	for n = max(n-1, 0); n < pages; n++ {
		p, err := s.postingPage(n)
		if err != nil {
			bad(err)
			continue
		}
		for i := range p {
			if p[i].key > key {
				return
			}
			if p[i].key == key && !yield(&p[i]) {
				return
			}
		}
	}
}
