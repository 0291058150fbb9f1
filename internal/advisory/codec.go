package advisory

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/version"
)

// The binary form is for storage by the same program: a leading byte gives its
// version, numbers are varints, strings have their length in front. Every
// statement stands alone, so that a list grows by appending.
const (
	statementV1 = 0xA1
	recordV1    = 0xB1
)

var errCodec = errors.New("stored data is damaged")

// Flags of a stored statement.
const (
	hasURL      = 1 << iota // a page that cannot be derived from feed and advisory
	ownWeakness             // the only weakness is the advisory's own id
	hasVersions
	hasDate
	hasAnnounced
	hasText    // urgency, note or module
	trackerURL // the page is trackerPage + advisory
)

// states are stored by their place in this list: entries are only ever appended.
var states = [...]State{"", Fixed, Open, NoDSA, Postponed, Ignored, EndOfLife, Affected, NotAffect, Unimportant, Undetermined}

// AppendStatement appends the binary form of s to b and returns the result.
func AppendStatement(b []byte, s Statement) []byte {
	flags := byte(0)
	switch s.URL {
	case "":
	case trackerPage + s.Advisory:
		flags |= trackerURL
	default:
		flags |= hasURL
	}
	if len(s.Weaknesses) == 1 && s.Weaknesses[0] == s.Advisory {
		flags |= ownWeakness
	}
	if len(s.Versions) > 0 {
		flags |= hasVersions
	}
	if !s.Date.IsZero() {
		flags |= hasDate
	}
	if len(s.Announced) > 0 {
		flags |= hasAnnounced
	}
	if s.Urgency != "" || s.Note != "" || s.Module != "" {
		flags |= hasText
	}
	b = append(b, statementV1, flags)
	b = appendString(b, s.Advisory)
	b = appendString(b, s.Feed)
	b = appendState(b, s.State)
	b = binary.AppendUvarint(b, uint64(len(s.Ranges)))
	for _, r := range s.Ranges {
		b = appendString(b, r.Introduced)
		b = appendString(b, r.Fixed)
		b = appendString(b, r.LastAffected)
	}
	if flags&ownWeakness == 0 {
		b = appendStrings(b, s.Weaknesses)
	}
	if flags&hasVersions != 0 {
		b = appendStrings(b, s.Versions)
	}
	if flags&hasURL != 0 {
		b = appendString(b, s.URL)
	}
	if flags&hasDate != 0 {
		b = appendTime(b, s.Date)
	}
	if flags&hasAnnounced != 0 {
		b = appendStrings(b, s.Announced)
	}
	if flags&hasText != 0 {
		b = appendString(b, s.Urgency)
		b = appendString(b, s.Note)
		b = appendString(b, s.Module)
	}
	return b
}

// DecodeStatements reads a run of statements that AppendStatement wrote. The
// result keeps no reference to b. Empty slices come back as nil and times in UTC.
func DecodeStatements(b []byte) ([]Statement, error) {
	r := &reader{text: string(b)}
	var out []Statement
	if n := len(b) / 48; n > 0 {
		out = make([]Statement, 0, min(n, 1<<16))
	}
	var derived []int32 // statements whose pages are derived from the advisory
	size := 0
	for r.at < len(r.text) {
		out = append(out, Statement{})
		s := &out[len(out)-1]
		if r.statement(s) {
			if derived == nil {
				derived = make([]int32, 0, cap(out))
			}
			derived = append(derived, int32(len(out)-1))
			size += len(trackerPage) + len(s.Advisory)
		}
		if r.bad {
			return nil, fmt.Errorf("read statement %d: %w", len(out), errCodec)
		}
	}
	if derived != nil {
		derivePages(out, derived, size)
	}
	return out, nil
}

// derivePages writes the derived pages into one text and cuts them from it.
func derivePages(list []Statement, derived []int32, size int) {
	var b strings.Builder
	b.Grow(size)
	for _, i := range derived {
		b.WriteString(trackerPage)
		b.WriteString(list[i].Advisory)
	}
	all := b.String()
	for _, i := range derived {
		n := len(trackerPage) + len(list[i].Advisory)
		list[i].URL, all = all[:n], all[n:]
	}
}

// statement reads one statement; derived says that its page is to be derived.
func (r *reader) statement(s *Statement) (derived bool) {
	if r.byte() != statementV1 {
		r.bad = true
		return false
	}
	flags := r.byte()
	s.Advisory = r.string()
	s.Feed = r.string()
	s.State = r.state()
	s.Ranges = r.ranges()
	if flags&ownWeakness != 0 {
		s.Weaknesses = append(r.room(1), s.Advisory)
	} else {
		s.Weaknesses = r.strings()
	}
	if flags&hasVersions != 0 {
		s.Versions = r.strings()
	}
	if flags&hasURL != 0 {
		s.URL = r.string()
	}
	if flags&hasDate != 0 {
		s.Date = r.time()
	}
	if flags&hasAnnounced != 0 {
		s.Announced = r.strings()
	}
	if flags&hasText != 0 {
		s.Urgency = r.string()
		s.Note = r.string()
		s.Module = r.string()
	}
	return flags&(trackerURL|hasURL) == trackerURL
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func appendStrings(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = appendString(b, s)
	}
	return b
}

// appendState stores a known state as one byte, any other as its text.
func appendState(b []byte, s State) []byte {
	for i, known := range states {
		if s == known {
			return append(b, byte(i))
		}
	}
	return appendString(append(b, math.MaxUint8), string(s))
}

// appendTime stores seconds and nanoseconds; location is not kept.
func appendTime(b []byte, t time.Time) []byte {
	b = binary.AppendVarint(b, t.Unix())
	return binary.AppendUvarint(b, uint64(t.Nanosecond()))
}

func appendFloat(b []byte, f float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
}

// reader takes values from a text; after an error bad is set and all values are
// zero. Small slices are cut from shared blocks, to save allocations.
type reader struct {
	text  string
	at    int
	bad   bool
	words []string
	spans []version.Range
}

func (r *reader) byte() byte {
	if r.bad || r.at >= len(r.text) {
		r.bad = true
		return 0
	}
	r.at++
	return r.text[r.at-1]
}

func (r *reader) uvarint() uint64 {
	if r.at < len(r.text) && r.text[r.at] < 0x80 && !r.bad {
		r.at++
		return uint64(r.text[r.at-1])
	}
	var n uint64
	for shift := 0; shift < 64; shift += 7 {
		c := r.byte()
		if r.bad {
			return 0
		}
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return n
		}
	}
	r.bad = true
	return 0
}

func (r *reader) varint() int64 {
	n := r.uvarint()
	return int64(n>>1) ^ -int64(n&1)
}

// count reads a length and checks that as many elements of at least size bytes can follow.
func (r *reader) count(size int) int {
	n := r.uvarint()
	if r.bad || n > uint64((len(r.text)-r.at)/size) {
		r.bad = true
		return 0
	}
	return int(n)
}

func (r *reader) string() string {
	n := r.count(1)
	if r.bad || n == 0 {
		return ""
	}
	r.at += n
	return r.text[r.at-n : r.at]
}

// room returns an empty slice with capacity n from the shared block.
func (r *reader) room(n int) []string {
	if len(r.words) < n {
		r.words = make([]string, max(n, 256))
	}
	out := r.words[:0:n]
	r.words = r.words[n:]
	return out
}

func (r *reader) strings() []string {
	n := r.count(1)
	if n == 0 {
		return nil
	}
	out := r.room(n)
	for range n {
		out = append(out, r.string())
	}
	return out
}

func (r *reader) ranges() []version.Range {
	n := r.count(3)
	if n == 0 {
		return nil
	}
	if len(r.spans) < n {
		r.spans = make([]version.Range, max(n, 256))
	}
	out := r.spans[:0:n]
	r.spans = r.spans[n:]
	for range n {
		out = append(out, version.Range{Introduced: r.string(), Fixed: r.string(), LastAffected: r.string()})
	}
	return out
}

func (r *reader) state() State {
	c := r.byte()
	switch {
	case int(c) < len(states):
		return states[c]
	case c == math.MaxUint8:
		return State(r.string())
	}
	r.bad = true
	return ""
}

func (r *reader) time() time.Time {
	sec, nano := r.varint(), r.uvarint()
	if r.bad || nano >= 1e9 {
		r.bad = true
		return time.Time{}
	}
	return time.Unix(sec, int64(nano)).UTC()
}

func (r *reader) float() float64 {
	if r.bad || len(r.text)-r.at < 8 {
		r.bad = true
		return 0
	}
	var bits uint64
	for i := range 8 {
		bits |= uint64(r.text[r.at+i]) << (8 * i)
	}
	r.at += 8
	return math.Float64frombits(bits)
}

func (r *reader) bool() bool {
	switch r.byte() {
	case 0:
		return false
	case 1:
		return true
	}
	r.bad = true
	return false
}
