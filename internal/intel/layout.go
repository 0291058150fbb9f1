package intel

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
	bolt "go.etcd.io/bbolt"

	"github.com/picketsec/picket/internal/advisory"
)

// The buckets of the file. Keys are strings joined by NUL; text from feeds that
// holds a NUL is refused at staging.
//
//	meta       layout, generation, weaknesses
//	feed       feed → JSON of FeedState
//	record     one bucket per feed: record id → entry (see below)
//	statement  ecosystem, release, name, feed, record id → statements, encoded one after the other
//	about      flaw id, feed, record id: the record speaks of the flaw
//	alias      id, other id, feed, record id: the record says that they are the same flaw
//	gone       flaw id, feed, record id: the record was rejected or withdrawn
//	weak       flaw id in upper case → number of records that speak of it, the id as written
//	coverage   ecosystem, release, feed → number of statement entries
//	product    kind ("purl", "cpe", "repology"), identifier, feed, product of endoflife.date
//	source     what sync remembers of an upstream address → JSON
var (
	bucketMeta      = []byte("meta")
	bucketFeed      = []byte("feed")
	bucketRecord    = []byte("record")
	bucketStatement = []byte("statement")
	bucketAbout     = []byte("about")
	bucketAlias     = []byte("alias")
	bucketGone      = []byte("gone")
	bucketWeak      = []byte("weak")
	bucketCoverage  = []byte("coverage")
	bucketProduct   = []byte("product")
	bucketSource    = []byte("source")

	keyLayout     = []byte("layout")
	keyGeneration = []byte("generation")
	keyWeaknesses = []byte("weaknesses")
)

func fixedBuckets() [][]byte {
	return [][]byte{bucketMeta, bucketFeed, bucketRecord, bucketStatement, bucketAbout, bucketAlias,
		bucketGone, bucketWeak, bucketCoverage, bucketProduct, bucketSource}
}

// errCorrupt says that the file holds what this package never writes.
var errCorrupt = errors.New("the intelligence file is damaged: import the feeds again")

// join makes a key.
func join(parts ...string) []byte {
	n := len(parts) - 1
	for _, p := range parts {
		n += len(p)
	}
	b := make([]byte, 0, n)
	for i, p := range parts {
		if i > 0 {
			b = append(b, 0)
		}
		b = append(b, p...)
	}
	return b
}

// split takes a key of n parts apart.
func split(key []byte, n int) ([]string, error) {
	parts := strings.SplitN(string(key), "\x00", n)
	if len(parts) != n {
		return nil, errCorrupt
	}
	return parts, nil
}

func readNumber(b *bolt.Bucket, key []byte) uint64 {
	v := b.Get(key)
	if len(v) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(v)
}

func writeNumber(b *bolt.Bucket, key []byte, n uint64) error {
	return b.Put(key, binary.BigEndian.AppendUint64(nil, n))
}

// sum identifies the content of a record.
type sum [16]byte

// entry is a record as the file keeps it: what is needed to compare it with a
// newer one and to take it out of the indexes, and the record itself without
// its statements.
type entry struct {
	sum       sum
	modified  int64 // milliseconds since 1970, 0 when the record has no date
	size      int   // bytes of the encoded record, statements included
	withdrawn bool
	group     []string       // ids of the flaw that the record describes; the first is its own
	said      []string       // other flaws that its statements speak of
	keys      []advisory.Key // packages that its statements speak of
	ids       []string       // identifiers of a product, "kind\x00identifier"
	body      []byte         // advisory.AppendRecord, compressed when flagged
	packed    bool
}

const (
	flagWithdrawn = 1 << iota
	flagPacked
)

// appendEntry encodes e.
func appendEntry(b []byte, e *entry) []byte {
	b = append(b, e.sum[:]...)
	b = binary.AppendVarint(b, e.modified)
	b = binary.AppendUvarint(b, uint64(e.size))
	var flags byte
	if e.withdrawn {
		flags |= flagWithdrawn
	}
	if e.packed {
		flags |= flagPacked
	}
	b = append(b, flags)
	b = appendStrings(b, e.group)
	b = appendStrings(b, e.said)
	b = appendStrings(b, e.ids)
	b = binary.AppendUvarint(b, uint64(len(e.keys)))
	for _, k := range e.keys {
		b = appendString(b, k.Ecosystem)
		b = appendString(b, k.Release)
		b = appendString(b, k.Name)
	}
	return append(b, e.body...)
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendStrings(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = appendString(b, s)
	}
	return b
}

// parser reads what the append functions wrote. The first fault sticks.
type parser struct {
	b   []byte
	bad bool
}

func (p *parser) uvarint() uint64 {
	n, w := binary.Uvarint(p.b)
	if w <= 0 {
		p.bad, p.b = true, nil
		return 0
	}
	p.b = p.b[w:]
	return n
}

func (p *parser) varint() int64 {
	n, w := binary.Varint(p.b)
	if w <= 0 {
		p.bad, p.b = true, nil
		return 0
	}
	p.b = p.b[w:]
	return n
}

func (p *parser) bytes(n uint64) []byte {
	if n > uint64(len(p.b)) {
		p.bad, p.b = true, nil
		return nil
	}
	v := p.b[:n]
	p.b = p.b[n:]
	return v
}

func (p *parser) text() string { return string(p.bytes(p.uvarint())) }

func (p *parser) strings() []string {
	n := p.uvarint()
	if n > uint64(len(p.b)) { // each takes at least one byte
		p.bad = true
		return nil
	}
	if n == 0 {
		return nil
	}
	list := make([]string, 0, n)
	for range n {
		list = append(list, p.text())
	}
	return list
}

// parseHead reads only what decides whether a record is newer.
func parseHead(b []byte) (e entry, err error) {
	p := parser{b: b}
	p.head(&e)
	if p.bad {
		return e, errCorrupt
	}
	return e, nil
}

func (p *parser) head(e *entry) {
	copy(e.sum[:], p.bytes(uint64(len(e.sum))))
	e.modified = p.varint()
	e.size = int(p.uvarint())
	flags := p.bytes(1)
	if len(flags) == 1 {
		e.withdrawn = flags[0]&flagWithdrawn != 0
		e.packed = flags[0]&flagPacked != 0
	}
}

// parseEntry reads an entry whole; body shares memory with b.
func parseEntry(b []byte) (e entry, err error) {
	p := parser{b: b}
	p.head(&e)
	e.group = p.strings()
	e.said = p.strings()
	e.ids = p.strings()
	n := p.uvarint()
	if n > uint64(len(p.b)) {
		return e, errCorrupt
	}
	for range n {
		e.keys = append(e.keys, advisory.Key{Ecosystem: p.text(), Release: p.text(), Name: p.text()})
	}
	if p.bad {
		return e, errCorrupt
	}
	e.body = p.b
	return e, nil
}

// record decodes the record, without its statements.
func (e *entry) record() (advisory.Record, error) {
	raw := e.body
	if e.packed {
		var err error
		if raw, err = unpack(raw); err != nil {
			return advisory.Record{}, fmt.Errorf("%w (%v)", errCorrupt, err)
		}
	}
	r, err := advisory.DecodeRecord(raw)
	if err != nil {
		return r, fmt.Errorf("%w (%v)", errCorrupt, err)
	}
	return r, nil
}

// newer reports whether a replaces b in a feed of records that stand alone: the
// later date, then the longer record, then the greater sum, so that the order
// of imports does not matter.
func (e *entry) newer(than *entry) bool {
	switch {
	case e.modified != than.modified:
		return e.modified > than.modified
	case e.size != than.size:
		return e.size > than.size
	}
	return bytes.Compare(e.sum[:], than.sum[:]) > 0
}

func sumOf(b []byte) (s sum) {
	full := sha256.Sum256(b)
	copy(s[:], full[:])
	return s
}

// codec compresses records. Both parts are safe for concurrent use.
var codec = sync.OnceValue(func() (c struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}) {
	// The options are constant and valid, so neither constructor can fail.
	c.enc, _ = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	c.dec, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(64<<20))
	return c
})

func pack(b []byte) []byte { return codec().enc.EncodeAll(b, make([]byte, 0, len(b)/2)) }

func unpack(b []byte) ([]byte, error) { return codec().dec.DecodeAll(b, nil) }
