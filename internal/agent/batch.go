package agent

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/protocol"
)

// batch is a message of events that is being filled.
type batch struct {
	stream int
	raw    []byte
	count  int
	spans  spans
}

func newBatch(stream int) *batch { return &batch{stream: stream} }

// span is a range of numbers of one kind; to is 0 when it is empty.
type span struct{ from, to uint64 }

// spans are the numbers of each kind that a batch accounts for: those of its
// events, and those between them that are lost.
type spans [event.NumKinds]span

func (s *spans) cover(k event.Kind, from, to uint64) {
	if s[k].to == 0 {
		s[k] = span{from, to}
		return
	}
	s[k].from, s[k].to = min(s[k].from, from), max(s[k].to, to)
}

// each yields the spans that are not empty.
func (s *spans) each(yield func(event.Kind, span) bool) {
	for k := range event.Kinds {
		if s[k].to > 0 && !yield(k, s[k]) {
			return
		}
	}
}

// payload is a batch as it was read back from a spool.
type payload struct {
	seq    uint64
	count  int
	spans  spans
	packed []byte
}

var errPayload = errors.New("not a batch of events")

// payload is the form of a batch in the spool, numbers as varints: 1 · events ·
// kinds · each kind, first and last number · the events as they travel.
func (b *batch) payload(pack *protocol.Compressor) ([]byte, error) {
	out := binary.AppendUvarint([]byte{1}, uint64(b.count))
	n := 0
	for range b.spans.each {
		n++
	}
	out = binary.AppendUvarint(out, uint64(n))
	for k, s := range b.spans.each {
		out = binary.AppendUvarint(out, uint64(k))
		out = binary.AppendUvarint(out, s.from)
		out = binary.AppendUvarint(out, s.to)
	}
	return pack.Append(out, b.raw)
}

func parsePayload(rec record) (payload, error) {
	p := payload{seq: rec.Seq}
	b := rec.Payload
	if len(b) == 0 || b[0] != 1 {
		return p, errPayload
	}
	b = b[1:]
	bad := false
	num := func() uint64 {
		n, w := binary.Uvarint(b)
		if w <= 0 {
			bad, b = true, nil
			return 0
		}
		b = b[w:]
		return n
	}
	p.count = int(min(num(), protocol.MaxEvents))
	for n := min(num(), uint64(event.NumKinds)); n > 0 && !bad; n-- {
		k, from, to := num(), num(), num()
		if k < uint64(event.NumKinds) && from > 0 && from <= to {
			p.spans.cover(event.Kind(k), from, to)
		}
	}
	if bad {
		return p, errPayload
	}
	p.packed = b
	return p, nil
}

// newest is when the last event of a batch happened that can be read; zero: none.
func (p *payload) newest() (at time.Time) {
	raw, err := protocol.Decompress(p.packed, protocol.MaxEventBytes)
	for err == nil && len(raw) > 0 {
		var r event.Record
		if r, raw, err = event.Split(raw); err == nil {
			if t := time.Unix(0, r.Head().Time).UTC(); t.After(at) {
				at = t
			}
		}
	}
	return at
}

func parseSpans(raw []byte) (*spans, error) {
	p, err := parsePayload(record{Payload: raw})
	return &p.spans, err
}
