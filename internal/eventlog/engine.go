package eventlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/picketsec/picket/internal/inventory"
)

// Options of an engine. Zero fields are the defaults.
type Options struct {
	// MemBytes is how much is kept in memory before it is sealed into a
	// segment (64 MiB); two to four times as much may be there under load.
	MemBytes int64
	Log      *slog.Logger
	// patience returns what ends the waiting for those who read; tests do.
	patience func() <-chan time.Time
	// create opens a new file for the write-ahead log; tests let it fail.
	create func(path string) (file, error)
}

// maxFrozen is how many full tables wait to be sealed before Append waits.
const maxFrozen = 2

// forgetStream is the stream of the record that forgets a device.
const forgetStream = 255

// Engine is the engine on files of a directory: a write-ahead log, and segments
// of a day each that never change. It is a Log.
type Engine struct {
	dir string
	opt Options

	reqs    chan *request
	work    chan func() // for the one goroutine that changes segments
	stop    chan struct{}
	stopped sync.WaitGroup
	once    sync.Once
	room    chan struct{} // told when a table was sealed

	// wal is the open file of the log, of the writer alone.
	wal     file
	walBuf  []byte
	decoder sync.Pool

	mu      sync.RWMutex
	active  *memTable
	frozen  []*memTable // oldest first
	segs    []*segment
	tallies []*tally
	loose   []*segment // those of segs that no tally has
	man     manifest
	numbers map[inventory.DeviceID]uint32
	marks   map[inventory.DeviceID][]streamMark
	sum     *summary // of all of segs; nil: not read yet

	summing  summing     // of maintenance alone
	summed   chan func() // takes a summary that was read
	tallying bool        // a tally is being made; of maintenance alone

	sealTook  atomic.Int64  // nanoseconds that the last table took to be sealed
	readers   atomic.Int64  // questions that are being answered
	idle      chan struct{} // told when there is none any more
	rewritten atomic.Int64  // rows that were written anew since the start
}

type request struct {
	batch  Batch
	rows   []row
	done   chan result
	forget bool
	also   []*request    // the same batch again, in the same group
	rotate chan struct{} // not nil: only begin a new table; closed when that is done
}

type result struct {
	fresh bool
	err   error
}

var _ Log = (*Engine)(nil)

// Open opens the log in a directory, which is made (0700) when it is not there.
// What was acknowledged before is there again. A segment that is damaged is left
// out and counted ([Engine.Stats]); it does not hinder the rest.
func Open(dir string, opt Options) (*Engine, error) {
	if opt.MemBytes <= 0 {
		opt.MemBytes = 64 << 20
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.patience == nil {
		opt.patience = func() <-chan time.Time { return time.After(patience) }
	}
	if opt.create == nil {
		opt.create = func(path string) (file, error) { return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) }
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open event log: %w", err)
	}
	e := &Engine{
		dir: dir, opt: opt, reqs: make(chan *request, 64), work: make(chan func(), 16), summed: make(chan func(), 1), stop: make(chan struct{}), room: make(chan struct{}, 1), idle: make(chan struct{}, 1),
		numbers: map[inventory.DeviceID]uint32{}, marks: map[inventory.DeviceID][]streamMark{},
	}
	e.decoder.New = func() any {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBlock), zstd.WithDecoderLowmem(true))
		if err != nil {
			panic(err) // only options that are not allowed
		}
		return d
	}
	if err := e.recover(); err != nil {
		return nil, fmt.Errorf("open event log: %w", err)
	}
	e.stopped.Go(e.write)
	e.stopped.Go(e.maintain)
	return e, nil
}

// recover reads the manifest, opens the segments and replays the log.
func (e *Engine) recover() error {
	m, err := loadManifest(e.dir)
	if err != nil {
		return err
	}
	if err := sweepFiles(e.dir, m); err != nil {
		return err
	}
	e.man = *m
	for i, d := range m.Devices {
		if d != "" {
			e.numbers[d] = uint32(i + 1)
		}
	}
	for d, marks := range m.Marks {
		e.marks[inventory.DeviceID(d)] = slices.Clone(marks)
	}
	for i := range e.man.Segments {
		ref := &e.man.Segments[i]
		s, err := openSegment(filepath.Join(e.dir, segmentName(ref.ID)), ref.ID, ref.Day)
		if err != nil {
			e.opt.Log.Error("a segment of events is damaged and left out", "segment", ref.ID, "rows", ref.Rows, "error", err)
			if !ref.Damaged {
				ref.Damaged = true
				e.man.Lost.Segments++
			}
			continue
		}
		ref.Damaged = false // somebody may have put a whole file in its place
		ref.describe(s)
		e.recheck(s, ref.Spoiled)
		e.segs = append(e.segs, s)
	}
	e.openTallies()
	ids, err := walFiles(e.dir, m.WalFrom)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := e.replay(id); err != nil {
			return fmt.Errorf("replay %s: %w", walName(id), err)
		}
		e.man.Next = max(e.man.Next, id+1)
	}
	e.active = newMemTable(e.man.Next)
	e.man.Next++
	return nil
}

// recheck reads again what was found damaged of a segment.
func (e *Engine) recheck(s *segment, refs []spoilRef) {
	if len(refs) == 0 {
		return
	}
	dec := e.decoder.Get().(*zstd.Decoder)
	defer e.decoder.Put(dec)
	s.recheck(refs, dec)
}

// replay brings a log file's batches back into a table.
func (e *Engine) replay(id uint64) error {
	t := newMemTable(id)
	path := filepath.Join(e.dir, walName(id))
	loss := walLoss{File: id, From: math.MinInt64, To: math.MaxInt64}
	dmg, err := readWal(path, func(b *Batch) error {
		if b.Stream == forgetStream {
			e.forgetLocked(b.Device)
			return nil
		}
		if b.Seq <= e.markLocked(b.Device, b.Stream) {
			return nil
		}
		rows, err := split(0, b)
		if err != nil {
			return nil // its checksum held, so this was written; nothing to be had from it
		}
		for i := range rows {
			if loss.From == math.MinInt64 || rows[i].time < loss.From {
				loss.From = rows[i].time
			}
		}
		e.applyLocked(t, b, rows)
		return nil
	})
	if err != nil {
		return err
	}
	if dmg.Bytes > 0 && !dmg.Tail {
		if st, err := os.Stat(path); err == nil {
			loss.To = st.ModTime().Add(time.Minute).UnixNano() // no event is later than a minute after its receipt
		}
		loss.Bytes = dmg.Bytes
		e.lostWal(loss)
		e.opt.Log.Error("the log of events is damaged", "file", walName(id), "bytes", dmg.Bytes)
	}
	e.frozen = append(e.frozen, t)
	return nil
}

// applyLocked puts a batch's rows into a table. The caller holds mu, or is alone.
func (e *Engine) applyLocked(t *memTable, b *Batch, rows []row) {
	n, ok := e.numbers[b.Device]
	if !ok {
		e.man.Devices = append(e.man.Devices, b.Device)
		n = uint32(len(e.man.Devices))
		e.numbers[b.Device] = n
	}
	for i := range rows {
		rows[i].dev = n
	}
	t.add(n, rows)
	t.mark(b.Device, b.Stream, b.Seq)
	marks := e.marks[b.Device]
	setMark(&marks, b.Stream, b.Seq)
	e.marks[b.Device] = marks
}

func setMark(marks *[]streamMark, stream int, seq uint64) {
	for i := range *marks {
		if (*marks)[i].Stream == stream {
			(*marks)[i].Seq = max((*marks)[i].Seq, seq)
			return
		}
	}
	*marks = append(*marks, streamMark{stream, seq})
}

func (e *Engine) markLocked(d inventory.DeviceID, stream int) uint64 {
	for _, m := range e.marks[d] {
		if m.Stream == stream {
			return m.Seq
		}
	}
	return 0
}

// forgetLocked takes a device's number and marks away.
func (e *Engine) forgetLocked(d inventory.DeviceID) {
	if n, ok := e.numbers[d]; ok {
		delete(e.numbers, d)
		e.man.Devices = slices.Clone(e.man.Devices) // views have the old ones
		e.man.Devices[n-1] = ""
		if e.sum != nil {
			e.sum.drop(n)
		}
	}
	delete(e.marks, d)
}

// number returns a device's number; false: it has none, or was forgotten.
func (e *Engine) number(d inventory.DeviceID) (uint32, bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	n, ok := e.numbers[d]
	return n, ok
}

// Mark returns the highest number kept of a device and stream.
func (e *Engine) Mark(d inventory.DeviceID, stream int) uint64 {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.markLocked(d, stream)
}

// Append keeps a batch, see [Log].
func (e *Engine) Append(ctx context.Context, b Batch) (bool, error) {
	if b.Stream < 0 || b.Stream >= forgetStream {
		return false, fmt.Errorf("append events: stream %d", b.Stream)
	}
	rows, err := split(0, &b)
	if err != nil || len(rows) != b.Count {
		return false, fmt.Errorf("append events: %d records, %d announced: %w", len(rows), b.Count, errors.Join(err, errors.New("not as checked")))
	}
	if b.Packed == nil {
		b.Packed = packer.EncodeAll(b.Records, nil)
	}
	return e.ask(ctx, &request{batch: b, rows: rows, done: make(chan result, 1)})
}

// packer compresses batches that come without a compressed form.
var packer = func() *zstd.Encoder {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(2), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		panic(err) // only options that are not allowed
	}
	return enc
}()

// Forget removes a device, see [Log].
func (e *Engine) Forget(ctx context.Context, d inventory.DeviceID) error {
	_, err := e.ask(ctx, &request{batch: Batch{Device: d, Stream: forgetStream, Packed: packer.EncodeAll(nil, nil)}, done: make(chan result, 1), forget: true})
	return err
}

func (e *Engine) ask(ctx context.Context, r *request) (bool, error) {
	select {
	case e.reqs <- r:
	case <-ctx.Done():
		return false, ctx.Err()
	case <-e.stop:
		return false, ErrClosed
	}
	select {
	case res := <-r.done:
		return res.fresh, res.err
	case <-ctx.Done():
		return false, ctx.Err()
	case <-e.stop:
		// The writer answers everything that it took before it ends.
		select {
		case res := <-r.done:
			return res.fresh, res.err
		default:
			return false, ErrClosed
		}
	}
}

// Close seals nothing and loses nothing: what was acknowledged is in the log.
func (e *Engine) Close() error {
	e.once.Do(func() { close(e.stop) })
	e.stopped.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range e.segs {
		s.refs.release()
	}
	for _, t := range e.tallies {
		t.refs.release()
	}
	e.segs, e.loose, e.tallies = nil, nil, nil
	return nil
}

// Stats say how the log fares.
type Stats struct {
	Segments     int   // sealed files
	Bytes        int64 // of them
	Rows         int64 // in them
	MemRows      int   // that are in the write-ahead log and in memory
	MemBytes     int64
	Rewritten    int64 // rows that merging and retention wrote anew since the start
	LostSegments int   // damaged and left out
	LostBytes    int64 // of the write-ahead log, damaged
	Devices      int
}

// Stats returns the state of the log.
func (e *Engine) Stats() Stats {
	e.mu.RLock()
	defer e.mu.RUnlock()
	s := Stats{Devices: len(e.numbers), Rewritten: e.rewritten.Load(), LostSegments: e.man.Lost.Segments, LostBytes: e.man.Lost.WalBytes}
	for _, r := range e.man.Segments {
		if !r.Damaged {
			s.Segments++
			s.Bytes += r.Bytes
			s.Rows += int64(r.Rows)
		}
	}
	for _, t := range append(slices.Clone(e.frozen), e.active) {
		s.MemRows += t.rowCount()
		s.MemBytes += t.size()
	}
	return s
}
