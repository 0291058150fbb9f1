package eventlog

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/picketsec/picket/internal/inventory"
)

// A record of the write-ahead log, numbers little-endian:
//
//	magic (4) · length of the rest after the checksum (4) · checksum (4) ·
//	device (20) · stream (1) · number (8) · received (8) · skew (8) · events (4) · packed events
//
// The checksum is CRC32C of everything behind it.
const (
	walMagic  = "PkW1"
	walHead   = 12
	walBody   = 20 + 1 + 8 + 8 + 8 + 4
	maxWalRec = 16 << 20
)

// maxRaw is the most that a batch unpacks to.
const maxRaw = 64 << 20

// file is what the write-ahead log needs of a file. It is an interface because
// tests let it fail.
type file interface {
	io.Writer
	Sync() error
	Close() error
}

// appendWal writes a batch at the end of dst.
func appendWal(dst []byte, b *Batch) ([]byte, error) {
	id, err := hex.DecodeString(string(b.Device))
	if err != nil || len(id) != 20 {
		return dst, fmt.Errorf("device %q: not 40 hexadecimal digits", b.Device)
	}
	n := walBody + len(b.Packed)
	if n > maxWalRec {
		return dst, fmt.Errorf("batch of %d bytes exceeds the limit of %d", n, maxWalRec)
	}
	le := binary.LittleEndian
	at := len(dst)
	dst = append(dst, walMagic...)
	dst = le.AppendUint32(dst, uint32(n))
	dst = append(dst, 0, 0, 0, 0)
	dst = append(dst, id...)
	dst = append(dst, byte(b.Stream))
	dst = le.AppendUint64(dst, b.Seq)
	dst = le.AppendUint64(dst, uint64(b.Received.UnixNano()))
	dst = le.AppendUint64(dst, uint64(b.Skew))
	dst = le.AppendUint32(dst, uint32(b.Count))
	dst = append(dst, b.Packed...)
	le.PutUint32(dst[at+8:], crc32.Checksum(dst[at+walHead:], castagnoli))
	return dst, nil
}

// walDamage is what was lost of a write-ahead log.
type walDamage struct {
	Bytes int64 // that belong to no whole record
	Tail  bool  // and they are the end of the file: a write that was cut short
}

// readWal calls f with every whole record of a file. What is damaged is
// skipped up to the next record whose checksum holds.
func readWal(path string, f func(*Batch) error) (walDamage, error) {
	var dmg walDamage
	b, err := os.ReadFile(path)
	if err != nil {
		return dmg, err
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxRaw))
	if err != nil {
		return dmg, err
	}
	defer dec.Close()
	for len(b) > 0 {
		batch, n, err := parseWal(b, dec)
		if err == nil {
			if err := f(batch); err != nil {
				return dmg, err
			}
			b, dmg.Tail = b[n:], false
			continue
		}
		next := bytes.Index(b[1:], []byte(walMagic)) + 1
		if next == 0 {
			next = len(b)
		}
		dmg.Bytes += int64(next)
		dmg.Tail = next == len(b)
		b = b[next:]
	}
	return dmg, nil
}

var errWal = errors.New("no whole record")

func parseWal(b []byte, dec *zstd.Decoder) (*Batch, int, error) {
	le := binary.LittleEndian
	if len(b) < walHead || string(b[:4]) != walMagic {
		return nil, 0, errWal
	}
	n := int(le.Uint32(b[4:]))
	if n < walBody || n > maxWalRec || len(b)-walHead < n {
		return nil, 0, errWal
	}
	body := b[walHead : walHead+n]
	if crc32.Checksum(body, castagnoli) != le.Uint32(b[8:]) {
		return nil, 0, errWal
	}
	out := &Batch{
		Device: inventory.DeviceID(hex.EncodeToString(body[:20])), Stream: int(body[20]), Seq: le.Uint64(body[21:]),
		Received: time.Unix(0, int64(le.Uint64(body[29:]))), Skew: time.Duration(le.Uint64(body[37:])), Count: int(le.Uint32(body[45:])),
	}
	raw, err := dec.DecodeAll(body[walBody:], nil)
	if err != nil {
		return nil, 0, errWal
	}
	out.Records = raw
	return out, walHead + n, nil
}
