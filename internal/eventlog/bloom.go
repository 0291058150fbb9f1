package eventlog

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"hash/maphash"
	"math/bits"

	"github.com/picketsec/picket/internal/event"
)

// A filter says which words a block may hold: a Bloom filter with ten bits and
// seven probes per word (a false hit in a hundred), in 64-bit words.
const (
	bitsPerTerm = 10
	probes      = 7
	// mostTerms is how many different words a block's filter tells apart. A
	// block with more of them has no filter and is read for every word.
	mostTerms = 16 << 10
	// longestWhole is the longest text that can be asked for as a whole.
	longestWhole = 512
)

// termSet collects the hashes of a block's words.
type termSet struct {
	all   []uint64
	slots []uint64 // those of all by their hashes, but 0
	full  bool
	// texts are some of those whose words are in, by a hash that no endpoint knows: most
	// texts of a block are there many times.
	texts [1 << 10][]byte
}

// termSlots is a power of two above mostTerms.
const termSlots = 2 * mostTerms

var textSeed = maphash.MakeSeed()

func (s *termSet) reset() {
	if s.slots == nil {
		s.slots = make([]uint64, termSlots)
	}
	clear(s.slots)
	clear(s.texts[:])
	s.all, s.full = s.all[:0], false
}

func (s *termSet) add(h uint64) {
	if s.full {
		return
	}
	h = max(h, 1) // 0 is a free slot; mayHold does the same
	for i := h % termSlots; s.slots[i] != h; i = (i + 1) % termSlots {
		if s.slots[i] == 0 {
			s.slots[i] = h
			s.all = append(s.all, h)
			break
		}
	}
	s.full = len(s.all) > mostTerms
}

// addRecord adds the words of every text of a record, and the texts as a whole. The
// record stays as it is until the set is reset.
func (s *termSet) addRecord(r event.Record) {
	for _, text := range r.Texts {
		known := &s.texts[maphash.Bytes(textSeed, text)%uint64(len(s.texts))]
		if len(text) == len(*known) && bytes.Equal(text, *known) {
			continue
		}
		*known = text
		if len(text) <= longestWhole {
			s.add(hashWhole(text))
		}
		eachTerm(text, s.add)
	}
}

// filter returns the filter with its checksum; nil when there are too many words.
func (s *termSet) filter() []byte {
	if s.full {
		return nil
	}
	words := max(1, (len(s.all)*bitsPerTerm+63)/64)
	b := make([]byte, words*8+4)
	for _, h := range s.all {
		probe(h, words, func(word int, bit uint64) bool {
			at := b[word*8:]
			binary.LittleEndian.PutUint64(at, binary.LittleEndian.Uint64(at)|bit)
			return true
		})
	}
	binary.LittleEndian.PutUint32(b[words*8:], crc32.Checksum(b[:words*8], castagnoli))
	return b
}

// mayHold reports whether a filter's block may hold a word. A filter that is
// damaged or not there excludes nothing.
func mayHold(filter []byte, h uint64) bool {
	words := (len(filter) - 4) / 8
	if words < 1 || binary.LittleEndian.Uint32(filter[words*8:]) != crc32.Checksum(filter[:words*8], castagnoli) {
		return true
	}
	return probe(max(h, 1), words, func(word int, bit uint64) bool {
		return binary.LittleEndian.Uint64(filter[word*8:])&bit != 0
	})
}

// probe calls f with every place of a hash until f says no.
func probe(h uint64, words int, f func(word int, bit uint64) bool) bool {
	a, b := h, bits.RotateLeft64(h, 32)|1
	for range probes {
		hi, _ := bits.Mul64(a, uint64(words)*64)
		if !f(int(hi>>6), 1<<(hi&63)) {
			return false
		}
		a += b * 0x9e3779b97f4a7c15
	}
	return true
}

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// mix spreads a hash over all bits.
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// hashWhole is the hash of a text as a whole, whatever the case of its ASCII letters.
func hashWhole[T string | []byte](text T) uint64 {
	h := uint64(fnvOffset) ^ 0xff
	for i := range len(text) {
		h = (h ^ uint64(lower(text[i]))) * fnvPrime
	}
	return mix(h)
}

// eachTerm calls f with the hash of every word: letters and digits of ASCII
// and everything beyond ASCII, whatever the case of ASCII letters.
func eachTerm[T string | []byte](text T, f func(uint64)) {
	h, in := uint64(fnvOffset), false
	for i := range len(text) {
		c := text[i]
		if wordByte(c) {
			h, in = (h^uint64(lower(c)))*fnvPrime, true
			continue
		}
		if in {
			f(mix(h))
			h, in = fnvOffset, false
		}
	}
	if in {
		f(mix(h))
	}
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80
}

// equalFold reports whether two texts are the same, whatever the case of ASCII letters.
func equalFold(a []byte, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(b) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// hasTerm reports whether a text holds a word as a whole.
func hasTerm(text []byte, term string) bool {
	if len(term) == 0 || len(text) < len(term) {
		return false
	}
	first := lower(term[0])
	for i := 0; i+len(term) <= len(text); i++ {
		if lower(text[i]) != first || i > 0 && wordByte(text[i-1]) && wordByte(term[0]) {
			continue
		}
		end := i + len(term)
		if end < len(text) && wordByte(text[end]) && wordByte(term[len(term)-1]) {
			continue
		}
		if equalFold(text[i:end], term) {
			return true
		}
	}
	return false
}
