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
	// pageBytes is the size of a page: entries as numbers of variable length, zeros, a checksum.
	pageBytes = 4096
	// Segments were written with entries of a fixed size before.
	fixedEntry = 40
	fixedPage  = 100 // entries, followed by a checksum
	fixedBytes = fixedPage*fixedEntry + 4
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
	// Pages is how many pages there are; 0: the entries have a fixed size.
	Pages int `json:"pages,omitempty"`
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

// append writes an entry behind another of its page (the zero posting before the first), of a
// segment that begins at a time: key − key before; device, or device − device before
// of the same key; twice the number of events, plus 1 if the name is the one before; the name if it is not;
// block; first − begin; last − first.
func (p *posting) append(dst []byte, before *posting, begin int64) []byte {
	dst = binary.AppendUvarint(dst, p.key-before.key)
	dev := p.dev
	if p.key == before.key {
		dev -= before.dev
	}
	dst = binary.AppendUvarint(dst, uint64(dev))
	if p.name == before.name {
		dst = binary.AppendUvarint(dst, uint64(p.count)<<1|1)
	} else {
		dst = binary.AppendUvarint(dst, uint64(p.count)<<1)
		dst = binary.LittleEndian.AppendUint32(dst, p.name)
	}
	dst = binary.AppendUvarint(dst, uint64(p.block))
	dst = binary.AppendUvarint(dst, uint64(p.first-begin))
	return binary.AppendUvarint(dst, uint64(p.last-p.first))
}

// nextPosting reads the entry behind another.
func nextPosting(d *cursor, before *posting, begin int64) posting {
	p := posting{key: before.key + d.uvarint(), dev: uint32(d.uvarint()), name: before.name}
	if p.key == before.key {
		p.dev += before.dev
	}
	n := d.uvarint()
	p.count = uint32(n >> 1)
	if n&1 == 0 {
		if d.bad = d.bad || len(d.b) < 4; d.bad {
			return p
		}
		p.name, d.b = binary.LittleEndian.Uint32(d.b), d.b[4:]
	}
	p.block = uint32(d.uvarint())
	p.first = begin + int64(d.uvarint())
	p.last = p.first + int64(d.uvarint())
	return p
}

// parseFixed reads an entry of a fixed size.
func parseFixed(b []byte) posting {
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

// pages writes the entries in order of key, device and name, of a segment that begins at
// a time, and returns how many pages they are.
func (s *entitySet) pages(begin int64, write func([]byte) error) (int, error) {
	slices.SortFunc(s.all, func(a, b posting) int {
		switch {
		case a.key != b.key:
			return compare(a.key, b.key)
		case a.dev != b.dev:
			return compare(a.dev, b.dev)
		}
		return compare(a.name, b.name)
	})
	n, page, room := 0, make([]byte, 2, pageBytes), pageBytes-4
	var one []byte
	var before posting
	flush := func() error {
		page = append(page, make([]byte, room-len(page))...)
		page = binary.LittleEndian.AppendUint32(page, crc32.Checksum(page, castagnoli))
		err := write(page)
		n, page, before = n+1, append(page[:0], 0, 0), posting{}
		return err
	}
	for i := range s.all {
		p := &s.all[i]
		if one = p.append(one[:0], &before, begin); len(page)+len(one) > room {
			if err := flush(); err != nil {
				return n, err
			}
			one = p.append(one[:0], &before, begin)
		}
		page = append(page, one...)
		binary.LittleEndian.PutUint16(page, binary.LittleEndian.Uint16(page)+1)
		before = *p
	}
	if len(s.all) == 0 {
		return 0, nil
	}
	err := flush()
	return n, err
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

// postingPage reads one page of entries.
func (s *segment) postingPage(n int) ([]posting, error) {
	x := s.foot.Entities
	off, size := x.Off+int64(n)*pageBytes, pageBytes
	if x.Pages == 0 {
		off, size = x.Off+int64(n)*fixedBytes, min(fixedPage, x.N-n*fixedPage)*fixedEntry+4
	}
	b, err := s.part(off, uint32(size))
	if err != nil {
		return nil, err
	}
	body := b[:size-4]
	if binary.LittleEndian.Uint32(b[size-4:]) != crc32.Checksum(body, castagnoli) {
		return nil, fmt.Errorf("%w: index of entities", errDamaged)
	}
	if x.Pages == 0 {
		out := make([]posting, 0, len(body)/fixedEntry)
		for ; len(body) > 0; body = body[fixedEntry:] {
			out = append(out, parseFixed(body))
		}
		return out, nil
	}
	return parsePage(body, s.foot.Min)
}

// parsePage reads the entries of a page; there is one at least.
func parsePage(body []byte, begin int64) ([]posting, error) {
	count := int(binary.LittleEndian.Uint16(body))
	out := make([]posting, 0, min(count, len(body)))
	d, before := cursor{b: body[2:]}, posting{}
	for range count {
		before = nextPosting(&d, &before, begin)
		out = append(out, before)
		if d.bad {
			break
		}
	}
	if d.bad || len(out) == 0 {
		return nil, fmt.Errorf("%w: index of entities", errDamaged)
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
	pages := x.Pages
	if pages == 0 {
		pages = (x.N + fixedPage - 1) / fixedPage
	}
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
