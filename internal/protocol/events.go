package protocol

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// The streams of events. Each has its own numbers, and an agent sends a lower
// stream first.
const (
	StreamDetection = 0 // what a person should see soon
	StreamActivity  = 1 // everything else
	NumStreams      = 2
)

// Limits of one Events.
const (
	// MaxEvents is the most events in one message.
	MaxEvents = 4096
	// MaxEventBytes is the most bytes of them before they are compressed.
	MaxEventBytes = 2 << 20
)

// Events carry what happened on the device. Seq is greater than that of every
// earlier Events of this device and stream, and stays the same when it is sent
// again; the server keeps each at most once.
type Events struct {
	Stream int        `json:"stream"`
	Seq    uint64     `json:"seq"`
	Sent   time.Time  `json:"sent"`          // the agent's clock of events when it sent this
	Wall   time.Time  `json:"wall,omitzero"` // the host's clock then; zero: the same, or not known
	Count  int        `json:"count"`         // events in Packed
	Spool  SpoolStats `json:"spool"`
	// Packed are the events (package event), one after the other, compressed
	// with zstd. They travel behind the JSON of the message, as they are.
	Packed []byte `json:"-"`
}

// Stream is the highest number of a stream.
type Stream struct {
	Stream int    `json:"stream"`
	Seq    uint64 `json:"seq"`
}

// NewEvents packs some events. Its error is ErrTooLarge.
func NewEvents(stream int, seq uint64, records []byte, count int) (*Events, error) {
	if count > MaxEvents || len(records) > MaxEventBytes {
		return nil, fmt.Errorf("%d events of %d bytes: %w", count, len(records), ErrTooLarge)
	}
	packed, err := Compress(nil, records)
	if err != nil {
		return nil, err
	}
	return &Events{Stream: stream, Seq: seq, Count: count, Packed: packed}, nil
}

// Records unpacks the events and checks every one of them: what it returns is
// Count records that event.Split cuts apart. The error says what is wrong;
// the whole message is refused then.
func (e *Events) Records() ([]byte, error) {
	raw, err := Decompress(e.Packed, MaxEventBytes)
	if err != nil {
		return nil, fmt.Errorf("events %d: %w", e.Seq, err)
	}
	n := 0
	for rest := raw; len(rest) > 0; n++ {
		if _, rest, err = event.Next(rest); err != nil {
			return nil, fmt.Errorf("events %d: the %dth: %w", e.Seq, n+1, err)
		}
	}
	if n != e.Count || n > MaxEvents {
		return nil, fmt.Errorf("events %d: holds %d, says %d, limit %d", e.Seq, n, e.Count, MaxEvents)
	}
	return raw, nil
}

// encodeEvents is the frame of a message with events: the length of its JSON
// as a varint, its JSON, and the events.
func encodeEvents(m *Message) ([]byte, error) {
	head, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	out := binary.AppendUvarint([]byte{codingEvents}, uint64(len(head)))
	out = append(append(out, head...), m.Events.Packed...)
	if len(out) > MaxFrame {
		return nil, fmt.Errorf("encode message of %d bytes: %w", len(out), ErrTooLarge)
	}
	return out, nil
}

// decodeEvents reads such a frame, without its first byte.
func decodeEvents(body []byte) (*Message, error) {
	n, w := binary.Uvarint(body)
	if w <= 0 || n > uint64(len(body)-w) {
		return nil, errors.New("decode message: length of the head of events")
	}
	m := new(Message)
	if err := json.Unmarshal(body[w:w+int(n)], m); err != nil {
		return nil, fmt.Errorf("decode message: %w", err)
	}
	if m.Events == nil || m.Events.Stream < 0 || m.Events.Stream >= NumStreams || m.Events.Seq == 0 {
		return nil, errors.New("decode message: no events, an unknown stream, or number 0")
	}
	m.Events.Packed = body[w+int(n):]
	return m, nil
}
