package eventlog

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"

	"github.com/picketsec/picket/internal/event"
)

// blockBytes is how much is gathered before it is compressed.
const blockBytes = 64 << 10

// segmentWriter writes a segment from rows in their order.
type segmentWriter struct {
	f    *os.File
	w    *bufio.Writer
	off  int64
	enc  *zstd.Encoder
	foot footer

	raw, packed []byte
	info        blockInfo
	last        row
	terms       termSet

	dev     deviceInfo
	have    bool // a device is under way
	facts   *facts
	factBuf []byte // facts of all devices; small beside the blocks

	entities entitySet
	kinds    [event.NumKinds]struct {
		rows         int
		bytes, since int64
	}

	blocks, devices []byte
}

// newSegmentWriter begins a file at a path that does not exist.
func newSegmentWriter(path string) (*segmentWriter, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(128<<10), zstd.WithEncoderCRC(false))
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	w := &segmentWriter{f: f, w: bufio.NewWriterSize(f, 256<<10), enc: enc, facts: newFacts()}
	w.terms.reset()
	return w, w.write([]byte(segmentMagic))
}

func (w *segmentWriter) write(b []byte) error {
	n, err := w.w.Write(b)
	w.off += int64(n)
	return err
}

// add writes one row, which comes after every row that was added before.
func (w *segmentWriter) add(r *row) error {
	h := r.rec.Head()
	if !w.have || r.dev != w.dev.dev {
		w.endDevice()
		w.dev = deviceInfo{dev: r.dev, firstBlock: uint32(len(w.blocks) / blockEntry), min: r.time}
		w.have = true
	}
	step := r.dev - w.last.dev
	from := w.last.time
	if w.info.rows == 0 {
		step, from = r.dev, 0
		w.info.firstDev, w.info.firstTime = r.dev, r.time
	} else if step > 0 {
		from = 0
	}
	w.raw = binary.AppendUvarint(w.raw, uint64(step))
	w.raw = binary.AppendVarint(w.raw, r.time-from)
	w.raw = binary.AppendVarint(w.raw, r.recv-r.time)
	w.raw = binary.AppendUvarint(w.raw, uint64(len(r.rec)))
	w.raw = append(w.raw, r.rec...)
	w.last = *r
	w.info.rows++
	w.info.kinds |= 1 << h.Action.Kind()
	w.info.lastDev, w.info.lastTime = r.dev, r.time
	w.terms.addRecord(r.rec)
	w.entities.add(r, uint32(len(w.blocks)/blockEntry))

	w.dev.max = r.time
	w.dev.blocks = uint32(len(w.blocks)/blockEntry) - w.dev.firstBlock + 1
	w.facts.add(r.time, h)
	if w.foot.Rows == 0 {
		w.foot.Min, w.foot.Max = r.time, r.time
	}
	w.foot.Min, w.foot.Max = min(w.foot.Min, r.time), max(w.foot.Max, r.time)
	w.foot.Rows++
	k := &w.kinds[h.Action.Kind()]
	if k.rows++; k.rows == 1 || r.time < k.since {
		k.since = r.time
	}
	k.bytes += int64(len(r.rec))
	if len(w.raw) >= blockBytes {
		return w.endBlock()
	}
	return nil
}

func (w *segmentWriter) endBlock() error {
	if w.info.rows == 0 {
		return nil
	}
	w.packed = w.enc.EncodeAll(w.raw, w.packed[:0])
	w.info.off, w.info.size, w.info.sum = w.off, uint32(len(w.packed)), crc32.Checksum(w.packed, castagnoli)
	filter := w.terms.filter()
	w.info.bloomOff, w.info.bloomSize = w.off+int64(len(w.packed)), uint32(len(filter))
	w.blocks = w.info.append(w.blocks)
	w.raw, w.info, w.last = w.raw[:0], blockInfo{}, row{}
	w.terms.reset()
	if err := w.write(w.packed); err != nil {
		return err
	}
	return w.write(filter)
}

func (w *segmentWriter) endDevice() {
	if !w.have {
		return
	}
	from := len(w.factBuf)
	w.factBuf = w.facts.append(w.factBuf)
	w.facts.reset()
	w.entities.endDevice()
	w.dev.factsOff, w.dev.factsSize = int64(from), uint32(len(w.factBuf)-from) // moved too
	w.dev.factsSum = crc32.Checksum(w.factBuf[from:], castagnoli)
	w.listDevice()
	w.have = false
}

// listDevice puts the device under way into the index.
func (w *segmentWriter) listDevice() {
	if w.foot.Devices.N%groupSize == 0 {
		w.foot.First = append(w.foot.First, w.dev.dev)
	}
	w.foot.Devices.N++
	w.devices = w.dev.append(w.devices)
}

// present tells which devices are in an index: the bits from the first device on. An
// index of few that are far apart has none.
func present(entries []byte) []byte {
	if len(entries) == 0 {
		return nil
	}
	first, last := parseDevice(entries).dev, parseDevice(entries[len(entries)-deviceEntry:]).dev
	n := int(last-first)/8 + 1
	if n > len(entries) {
		return nil
	}
	bits := make([]byte, n)
	for ; len(entries) > 0; entries = entries[deviceEntry:] {
		at := binary.LittleEndian.Uint32(entries) - first
		bits[at/8] |= 1 << (at % 8)
	}
	return bits
}

// shift adds to the place of the facts in every entry of the device index.
func shift(entries []byte, by int64) {
	const at = 28
	for ; len(entries) > 0; entries = entries[deviceEntry:] {
		binary.LittleEndian.PutUint64(entries[at:], binary.LittleEndian.Uint64(entries[at:])+uint64(by))
	}
}

func sums(entries []byte, width int) []uint32 {
	var out []uint32
	for len(entries) > 0 {
		n := min(len(entries), groupSize*width)
		out = append(out, crc32.Checksum(entries[:n], castagnoli))
		entries = entries[n:]
	}
	return out
}

// finish writes what follows the blocks and makes the file durable. The file
// is closed whatever happens.
func (w *segmentWriter) finish() error {
	err := w.end()
	if err == nil {
		err = w.f.Sync()
	}
	if cerr := w.f.Close(); err == nil {
		err = cerr
	}
	_ = w.enc.Close()
	if err != nil {
		return fmt.Errorf("write segment: %w", err)
	}
	return nil
}

func (w *segmentWriter) end() error {
	if err := w.endBlock(); err != nil {
		return err
	}
	w.endDevice()
	if w.foot.Rows > 0 { // else it is a tally, whose facts are there already
		shift(w.devices, w.off)
		w.foot.Facts = int64(len(w.factBuf))
		if err := w.write(w.factBuf); err != nil {
			return err
		}
	}
	w.foot.Blocks = index{Off: w.off, N: len(w.blocks) / blockEntry, Sums: sums(w.blocks, blockEntry)}
	if err := w.write(w.blocks); err != nil {
		return err
	}
	w.foot.Devices.Off, w.foot.Devices.Sums = w.off, sums(w.devices, deviceEntry)
	w.foot.Present = present(w.devices)
	if err := w.write(w.devices); err != nil {
		return err
	}
	w.foot.Entities = &entityIndex{Off: w.off, N: len(w.entities.all), Dropped: w.entities.dropped}
	var err error
	if w.foot.Entities.Pages, err = w.entities.pages(w.foot.Min, w.write); err != nil {
		return err
	}
	w.foot.Kinds, w.foot.Sizes, w.foot.Since = map[event.Kind]int{}, map[event.Kind]int64{}, map[event.Kind]int64{}
	for k, n := range w.kinds {
		if n.rows > 0 {
			w.foot.Kinds[event.Kind(k)], w.foot.Sizes[event.Kind(k)], w.foot.Since[event.Kind(k)] = n.rows, n.bytes, n.since
		}
	}
	foot, err := json.Marshal(&w.foot)
	if err != nil {
		return err
	}
	t := binary.LittleEndian.AppendUint64(nil, uint64(w.off))
	t = binary.LittleEndian.AppendUint32(t, uint32(len(foot)))
	t = binary.LittleEndian.AppendUint32(t, crc32.Checksum(foot, castagnoli))
	if err := w.write(append(append(foot, t...), segmentMagic...)); err != nil {
		return err
	}
	return w.w.Flush()
}

// abandon closes and removes a file that was not finished.
func (w *segmentWriter) abandon() {
	_ = w.enc.Close()
	_ = w.f.Close()
	_ = os.Remove(w.f.Name())
}

// syncDir makes the entries of a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return d.Sync()
}
