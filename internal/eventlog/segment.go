package eventlog

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"sort"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"

	"github.com/picketsec/picket/internal/event"
)

// The form of a segment (docs/eventlog.md):
//
//	magic · blocks · facts of devices · filters of blocks · block index ·
//	device index · index of entities · footer (JSON) · its offset, length,
//	checksum · magic
//
// Indexes are entries of a fixed width in groups with a checksum each, so that
// a reader takes from the file what it asks for and holds little.
const (
	segmentMagic = "PkEvSeg1"
	blockEntry   = 60
	deviceEntry  = 44
	groupSize    = 64 // entries of an index with one checksum
	trailerSize  = 8 + 4 + 4 + 8
	maxFooter    = 64 << 20
	maxBlock     = 8 << 20 // decompressed
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errDamaged = errors.New("damaged")

// footer is what a segment says of itself.
type footer struct {
	Rows  int                `json:"rows"`
	Min   int64              `json:"min"` // times
	Max   int64              `json:"max"`
	Kinds map[event.Kind]int `json:"kinds"` // rows
	// Sizes are the bytes of the records of each kind before they were compressed, Since the time of the
	// first of each kind; nil in a segment that was written before they were kept.
	Sizes map[event.Kind]int64 `json:"sizes,omitempty"`
	Since map[event.Kind]int64 `json:"since,omitempty"`

	Blocks  index `json:"blocks"`
	Devices index `json:"devices"`
	// First are the first devices of the groups of the device index.
	First []uint32 `json:"first"`
	// Present has a bit for each device from the first on that says whether it is there; nil: not known.
	Present []byte `json:"present,omitempty"`
	// Facts is how many bytes the facts are; 0: not known.
	Facts int64 `json:"facts,omitempty"`
	// Entities is nil in a segment that was written before there was such an index.
	Entities *entityIndex `json:"entities,omitempty"`
}

// index is where the entries of an index are, and the checksums of its groups.
type index struct {
	Off  int64    `json:"off"`
	N    int      `json:"n"`
	Sums []uint32 `json:"sums"`
}

// blockInfo is an entry of the block index.
type blockInfo struct {
	off       int64
	size      uint32
	rows      uint32
	sum       uint32
	bloomOff  int64
	bloomSize uint32
	firstDev  uint32
	firstTime int64
	lastDev   uint32
	lastTime  int64
	kinds     uint32
}

func (b *blockInfo) append(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, uint64(b.off))
	dst = binary.LittleEndian.AppendUint32(dst, b.size)
	dst = binary.LittleEndian.AppendUint32(dst, b.rows)
	dst = binary.LittleEndian.AppendUint32(dst, b.sum)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(b.bloomOff))
	dst = binary.LittleEndian.AppendUint32(dst, b.bloomSize)
	dst = binary.LittleEndian.AppendUint32(dst, b.firstDev)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(b.firstTime))
	dst = binary.LittleEndian.AppendUint32(dst, b.lastDev)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(b.lastTime))
	return binary.LittleEndian.AppendUint32(dst, b.kinds)
}

func parseBlock(b []byte) blockInfo {
	le := binary.LittleEndian
	return blockInfo{
		off: int64(le.Uint64(b)), size: le.Uint32(b[8:]), rows: le.Uint32(b[12:]), sum: le.Uint32(b[16:]),
		bloomOff: int64(le.Uint64(b[20:])), bloomSize: le.Uint32(b[28:]), firstDev: le.Uint32(b[32:]), firstTime: int64(le.Uint64(b[36:])),
		lastDev: le.Uint32(b[44:]), lastTime: int64(le.Uint64(b[48:])), kinds: le.Uint32(b[56:]),
	}
}

// deviceInfo is an entry of the device index.
type deviceInfo struct {
	dev        uint32
	firstBlock uint32
	blocks     uint32
	min, max   int64
	factsOff   int64
	factsSize  uint32
	factsSum   uint32
}

func (d *deviceInfo) append(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, d.dev)
	dst = binary.LittleEndian.AppendUint32(dst, d.firstBlock)
	dst = binary.LittleEndian.AppendUint32(dst, d.blocks)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(d.min))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(d.max))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(d.factsOff))
	dst = binary.LittleEndian.AppendUint32(dst, d.factsSize)
	return binary.LittleEndian.AppendUint32(dst, d.factsSum)
}

func parseDevice(b []byte) deviceInfo {
	le := binary.LittleEndian
	return deviceInfo{
		dev: le.Uint32(b), firstBlock: le.Uint32(b[4:]), blocks: le.Uint32(b[8:]), min: int64(le.Uint64(b[12:])), max: int64(le.Uint64(b[20:])),
		factsOff: int64(le.Uint64(b[28:])), factsSize: le.Uint32(b[36:]), factsSum: le.Uint32(b[40:]),
	}
}

// row is one event with the number of its device. Rows are ordered by device,
// time, kind and number.
type row struct {
	dev  uint32
	time int64
	recv int64
	rec  event.Record
}

// key is what rows of one device are ordered by.
func (r *row) key() Cursor {
	h := r.rec.Head()
	return Cursor{Time: r.time, Kind: h.Action.Kind(), Seq: h.Seq}
}

// before reports whether a stands before b.
func (c Cursor) before(o Cursor) bool {
	if c.Time != o.Time {
		return c.Time < o.Time
	}
	if c.Kind != o.Kind {
		return c.Kind < o.Kind
	}
	return c.Seq < o.Seq
}

// segment is an open segment. Its methods are safe for concurrent use; it
// stays readable after its file was removed until its last reader is done.
type segment struct {
	id   uint64
	day  int64
	path string
	f    *os.File
	size int64
	foot footer
	refs refCount
	// broken says that a part of it was found damaged.
	broken atomic.Bool
	// spoils are the parts of it that were found damaged.
	spoils spoils
	// copied says that all of it is elsewhere too: nothing is lost with it.
	copied bool
	// held is the index of devices, when it is held in memory.
	held []byte
	// reads counts the parts that were read of the file since it was opened.
	reads atomic.Int64
}

// openSegment reads the footer and nothing else. A file that is no whole
// segment is errDamaged.
func openSegment(path string, id uint64, day int64) (*segment, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	s := &segment{id: id, day: day, path: path, f: f}
	if err := s.readFooter(); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("segment %s: %w", path, err)
	}
	s.refs.init(func() { _ = f.Close() })
	return s, nil
}

func (s *segment) readFooter() error {
	st, err := s.f.Stat()
	if err != nil {
		return err
	}
	s.size = st.Size()
	var t [trailerSize]byte
	if s.size < int64(len(segmentMagic)+trailerSize) {
		return fmt.Errorf("%w: %d bytes", errDamaged, s.size)
	}
	if _, err := s.f.ReadAt(t[:], s.size-trailerSize); err != nil {
		return err
	}
	off, n, sum := int64(binary.LittleEndian.Uint64(t[:])), binary.LittleEndian.Uint32(t[8:]), binary.LittleEndian.Uint32(t[12:])
	if string(t[16:]) != segmentMagic || n > maxFooter || off < 0 || off+int64(n) > s.size {
		return fmt.Errorf("%w: trailer", errDamaged)
	}
	b := make([]byte, n)
	if _, err := s.f.ReadAt(b, off); err != nil {
		return err
	}
	if crc32.Checksum(b, castagnoli) != sum || json.Unmarshal(b, &s.foot) != nil {
		return fmt.Errorf("%w: footer", errDamaged)
	}
	if groups(s.foot.Blocks.N) != len(s.foot.Blocks.Sums) || groups(s.foot.Devices.N) != len(s.foot.Devices.Sums) || len(s.foot.First) != len(s.foot.Devices.Sums) {
		return fmt.Errorf("%w: footer", errDamaged)
	}
	return nil
}

func groups(n int) int { return (n + groupSize - 1) / groupSize }

// holdIndex reads the whole index of devices and holds it.
func (s *segment) holdIndex() error {
	held := make([]byte, 0, s.foot.Devices.N*deviceEntry)
	for g := range s.foot.Devices.Sums {
		b, err := s.group(&s.foot.Devices, deviceEntry, g)
		if err != nil {
			return err
		}
		held = append(held, b...)
	}
	s.held = held
	return nil
}

// lacks reports whether the segment is known to have nothing of a device.
func (s *segment) lacks(dev uint32) bool {
	if len(s.foot.First) == 0 || dev < s.foot.First[0] {
		return true
	}
	at := dev - s.foot.First[0]
	return s.foot.Present != nil && (int(at/8) >= len(s.foot.Present) || s.foot.Present[at/8]&(1<<(at%8)) == 0)
}

// group reads a group of an index.
func (s *segment) group(ix *index, width, g int) ([]byte, error) {
	b, err := s.readGroup(ix, width, g)
	if errors.Is(err, errDamaged) {
		s.spoiledGroup(ix, width, g)
	}
	return b, err
}

func (s *segment) readGroup(ix *index, width, g int) ([]byte, error) {
	n := min(groupSize, ix.N-g*groupSize)
	if s.held != nil && ix == &s.foot.Devices {
		return s.held[g*groupSize*width:][:n*width], nil
	}
	b := make([]byte, n*width)
	s.reads.Add(1)
	if _, err := s.f.ReadAt(b, ix.Off+int64(g*groupSize*width)); err != nil && !errors.Is(err, io.EOF) {
		return nil, unread(err)
	}
	if crc32.Checksum(b, castagnoli) != ix.Sums[g] {
		return nil, fmt.Errorf("%w: index", errDamaged)
	}
	return b, nil
}

// device finds a device's entry.
func (s *segment) device(dev uint32) (deviceInfo, bool, error) {
	if s.lacks(dev) {
		return deviceInfo{}, false, nil
	}
	g := sort.Search(len(s.foot.First), func(i int) bool { return s.foot.First[i] > dev }) - 1
	if g < 0 {
		return deviceInfo{}, false, nil
	}
	b, err := s.group(&s.foot.Devices, deviceEntry, g)
	if err != nil {
		return deviceInfo{}, false, err
	}
	n := len(b) / deviceEntry
	i := sort.Search(n, func(i int) bool { return binary.LittleEndian.Uint32(b[i*deviceEntry:]) >= dev })
	if i == n || binary.LittleEndian.Uint32(b[i*deviceEntry:]) != dev {
		return deviceInfo{}, false, nil
	}
	return parseDevice(b[i*deviceEntry:]), true, nil
}

// devices yields every entry of the device index; a group that is damaged is
// told to bad and skipped.
func (s *segment) devices(bad func(error), yield func(deviceInfo) bool) {
	for g := range s.foot.Devices.Sums {
		b, err := s.group(&s.foot.Devices, deviceEntry, g)
		if err != nil {
			bad(err)
			continue
		}
		for ; len(b) > 0; b = b[deviceEntry:] {
			if !yield(parseDevice(b)) {
				return
			}
		}
	}
}

// blocks reads entries of the block index.
func (s *segment) blocks(first, n int) ([]blockInfo, error) {
	if first < 0 || n < 0 || first+n > s.foot.Blocks.N {
		return nil, fmt.Errorf("%w: blocks", errDamaged)
	}
	out := make([]blockInfo, 0, n)
	for g := first / groupSize; g*groupSize < first+n; g++ {
		b, err := s.group(&s.foot.Blocks, blockEntry, g)
		if err != nil {
			return nil, err
		}
		for i := range len(b) / blockEntry {
			if at := g*groupSize + i; at >= first && at < first+n {
				out = append(out, parseBlock(b[i*blockEntry:]))
			}
		}
	}
	return out, nil
}

// factBytes reads the facts of a device.
func factBytes(d deviceInfo, read partReader) ([]byte, error) {
	b, err := read(d.factsOff, d.factsSize)
	if err != nil {
		return nil, err
	}
	if crc32.Checksum(b, castagnoli) != d.factsSum {
		return nil, fmt.Errorf("%w: facts", errDamaged)
	}
	return b, nil
}

func (s *segment) part(off int64, n uint32) ([]byte, error) {
	if off < 0 || int64(n) > s.size || off > s.size-int64(n) {
		return nil, fmt.Errorf("%w: place beyond the end", errDamaged)
	}
	b := make([]byte, n)
	s.reads.Add(1)
	_, err := s.f.ReadAt(b, off)
	return b, unread(err)
}

// unread makes damage of what the disk says when it does not give back what is there.
func unread(err error) error {
	if err == nil || errors.Is(err, os.ErrClosed) {
		return err
	}
	return fmt.Errorf("%w: %w", errDamaged, err)
}

// mayHold reports whether a block may hold each of some groups of words, one of
// a group.
func (s *segment) mayHold(b *blockInfo, words [][]uint64) bool {
	if len(words) == 0 || b.bloomSize == 0 {
		return true
	}
	filter, err := s.part(b.bloomOff, b.bloomSize)
	if err != nil {
		return true
	}
	for _, any := range words {
		found := false
		for _, h := range any {
			if found = mayHold(filter, h); found {
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// block reads the rows of a block. The rows' records are parts of buf.
func (s *segment) block(b *blockInfo, dec *zstd.Decoder) ([]row, error) {
	rows, err := s.readBlock(b, dec)
	if errors.Is(err, errDamaged) {
		s.spoiledBlock(b)
	}
	return rows, err
}

func (s *segment) readBlock(b *blockInfo, dec *zstd.Decoder) ([]row, error) {
	packed, err := s.part(b.off, b.size)
	if err != nil {
		return nil, err
	}
	if crc32.Checksum(packed, castagnoli) != b.sum {
		return nil, fmt.Errorf("%w: block", errDamaged)
	}
	raw, err := dec.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: block: %w", errDamaged, err)
	}
	rows := make([]row, 0, min(int(b.rows), len(raw)))
	d := cursor{b: raw}
	var r row
	for len(d.b) > 0 {
		step := d.uvarint()
		if step > 0 {
			r.dev, r.time = r.dev+uint32(step), 0
		}
		r.time += d.varint()
		r.recv = r.time + d.varint()
		rec, rest, err := event.Split(d.b)
		if d.bad || err != nil {
			return nil, fmt.Errorf("%w: block", errDamaged)
		}
		r.rec, d.b = rec, rest
		rows = append(rows, r)
	}
	return rows, nil
}
