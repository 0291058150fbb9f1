package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// The codings of a frame, its first byte.
const (
	codingPlain  = 0
	codingZstd   = 1
	codingEvents = 2
)

// compressFrom is the size in bytes from which a message is compressed.
const compressFrom = 1 << 10

// ErrTooLarge says that a message exceeds a limit of the protocol.
var ErrTooLarge = errors.New("message exceeds the limit of the protocol")

// Encode returns the frame of m. Its error is ErrTooLarge, or says that m has
// no JSON form.
func Encode(m *Message) ([]byte, error) {
	if m.Events != nil {
		return encodeEvents(m)
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	if len(raw) > MaxMessage {
		return nil, fmt.Errorf("encode message of %d bytes: %w", len(raw), ErrTooLarge)
	}
	if len(raw) < compressFrom {
		return append([]byte{codingPlain}, raw...), nil
	}
	packed, err := Compress([]byte{codingZstd}, raw)
	if err != nil {
		return nil, err
	}
	if len(packed) > MaxFrame {
		return nil, fmt.Errorf("encode message of %d bytes compressed: %w", len(packed), ErrTooLarge)
	}
	return packed, nil
}

// Decode reads a frame. It never takes more memory than MaxMessage and a
// window of 8 MiB, whatever the frame says. When the frame holds a Deliver that
// cannot be decoded, the error is a *DamagedError with its number.
func Decode(frame []byte) (*Message, error) {
	if len(frame) == 0 {
		return nil, errors.New("decode message: empty frame")
	}
	body := frame[1:]
	switch frame[0] {
	case codingPlain:
	case codingEvents:
		return decodeEvents(body)
	case codingZstd:
		raw, err := Decompress(body, MaxMessage)
		if err != nil {
			return nil, fmt.Errorf("decode message: %w", err)
		}
		body = raw
	default:
		return nil, fmt.Errorf("decode message: coding %d is not known", frame[0])
	}
	if len(body) > MaxMessage {
		return nil, fmt.Errorf("decode message of %d bytes: %w", len(body), ErrTooLarge)
	}
	m := new(Message)
	if err := json.Unmarshal(body, m); err != nil {
		var salvage struct {
			Deliver struct {
				Seq uint64 `json:"seq"`
			} `json:"deliver"`
		}
		if json.Unmarshal(body, &salvage) == nil && salvage.Deliver.Seq > 0 {
			return nil, &DamagedError{Seq: salvage.Deliver.Seq, Err: err}
		}
		return nil, fmt.Errorf("decode message: %w", err)
	}
	return m, nil
}

// DamagedError is a Deliver whose number can be read and whose deltas cannot.
type DamagedError struct {
	Seq uint64
	Err error
}

// Error names the number and the cause.
func (e *DamagedError) Error() string { return fmt.Sprintf("decode delivery %d: %v", e.Seq, e.Err) }

// Unwrap returns the cause.
func (e *DamagedError) Unwrap() error { return e.Err }

// Compress appends the zstd form of raw to dst. It favours a small footprint
// over speed: one goroutine, a window of 256 KiB, a checksum.
func Compress(dst, raw []byte) ([]byte, error) { return new(Compressor).Append(dst, raw) }

// Compressor does what Compress does, for those who do it again and again: what
// it works with is used again, and given back to the runtime when it has not
// been used for a while. The zero value is ready. Safe for concurrent use.
type Compressor struct{ free sync.Pool }

// Append appends the zstd form of raw to dst.
func (c *Compressor) Append(dst, raw []byte) ([]byte, error) {
	enc, ok := c.free.Get().(*zstd.Encoder)
	if !ok {
		var err error
		enc, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(256<<10),
			zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(true))
		if err != nil {
			return nil, fmt.Errorf("compress: %w", err)
		}
	}
	defer c.free.Put(enc) // it holds nothing but memory: EncodeAll starts no goroutine
	return enc.EncodeAll(raw, dst), nil
}

// Decompress returns what packed holds, at most limit bytes: more is ErrTooLarge.
func Decompress(packed []byte, limit int) ([]byte, error) {
	dec, err := zstd.NewReader(bytes.NewReader(packed), zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	defer dec.Close()
	raw, err := io.ReadAll(io.LimitReader(dec, int64(limit)+1))
	if err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	if len(raw) > limit {
		return nil, ErrTooLarge
	}
	return raw, nil
}
