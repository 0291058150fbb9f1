package eventlog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/inventory"
)

func testBatch(dev int, seq uint64, n int) Batch {
	b := Batch{Device: inventory.DeviceID(fmt.Sprintf("%040x", dev)), Stream: 1, Seq: seq, Received: time.Unix(1764160000, 0), Count: n}
	for i := range n {
		e := event.Event{Action: event.ProcessCreated, Seq: (seq-1)*uint64(n) + uint64(i) + 1, Time: time.Unix(1764150000+int64(seq), int64(i))}
		e.Set(event.ProcessCommandLine, strings.Repeat(fmt.Sprintf("%d-%d-%d ", dev, seq, i), 20))
		b.Records, _ = event.Append(b.Records, &e)
	}
	return b
}

func openTest(t *testing.T, dir string, opt Options) *Engine {
	t.Helper()
	e, err := Open(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func put(t *testing.T, e *Engine, b Batch) {
	t.Helper()
	if _, err := e.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func scanAll(t *testing.T, e *Engine) (int, Cost) {
	t.Helper()
	n := 0
	cost, err := e.Scan(t.Context(), Query{Scope: Everything()}, func(Row) error { n++; return nil })
	if err != nil {
		t.Fatal(err)
	}
	return n, cost
}

// sealed returns a closed log with one segment, and the segment's file.
func sealed(t *testing.T) (dir, path string, rows int) {
	t.Helper()
	dir = t.TempDir()
	e := openTest(t, dir, Options{})
	for dev := range 200 {
		put(t, e, testBatch(dev+1, 1, 10))
	}
	e.SealNow()
	for e.Stats().MemRows > 0 {
		time.Sleep(time.Millisecond)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(dir, "seg-*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("segments %v, %v", found, err)
	}
	return dir, found[0], 2000
}

func flip(t *testing.T, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var b [1]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 0x41
	if _, err := f.WriteAt(b[:], at); err != nil {
		t.Fatal(err)
	}
}

// Whatever byte of a segment is changed: nothing false is read, what is lost is
// told, and damage in a block costs that block alone.
func TestDamagedSegment(t *testing.T) {
	dir, path, rows := sealed(t)
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for i := range int64(60) {
		at := st.Size() * i / 60
		flip(t, path, at)
		e, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		n, cost := scanAll(t, e)
		lost := e.Stats().LostSegments
		switch {
		case n > rows:
			t.Errorf("byte %d: %d events of %d", at, n, rows)
		case n < rows && cost.Damaged == 0 && lost == 0:
			t.Errorf("byte %d: %d events of %d, and nothing is said", at, n, rows)
		case cost.Damaged == 1 && n < rows-1000:
			t.Errorf("byte %d: one block cost %d events", at, rows-n)
		}
		if cost.Damaged > 0 || lost > 0 {
			told++
		}
		page, _, pcost, err := e.Page(context.Background(), Query{Scope: Only(testBatch(77, 1, 1).Device)}, Cursor{}, 20)
		if err != nil || len(page) != 10 && pcost.Damaged == 0 && lost == 0 {
			t.Errorf("byte %d: page of %d, %+v, %v", at, len(page), pcost, err)
		}
		_ = e.Close()
		flip(t, path, at)
		if err := os.Remove(filepath.Join(dir, manifestName+".new")); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if told < 30 {
		t.Errorf("only %d of 60 damages were noticed", told)
	}
	if n, cost := scanAll(t, openTest(t, dir, Options{})); n != rows || cost.Damaged != 0 {
		t.Errorf("mended: %d events, %+v", n, cost)
	}
}

// A damaged record of the log costs its batch and no other, and is counted,
// wherever in it the damage is.
func TestDamagedLog(t *testing.T) {
	for name, at := range map[string]int64{"magic": 0, "length": 5, "checksum": 9, "device": 20, "number": 34, "skew": 50, "events": 90} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			e := openTest(t, dir, Options{})
			for seq := range uint64(5) {
				put(t, e, testBatch(1, seq+1, 3))
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			ids, err := walFiles(dir, 0)
			if err != nil || len(ids) != 1 {
				t.Fatal(ids, err)
			}
			path := filepath.Join(dir, walName(ids[0]))
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			second := strings.Index(string(b[4:]), walMagic) + 4
			flip(t, path, int64(second)+at)
			e = openTest(t, dir, Options{})
			runs, err := e.Runs(t.Context(), testBatch(1, 1, 1).Device)
			if n, _ := scanAll(t, e); n != 12 || err != nil || len(runs) != 2 || runs[1].From != 7 {
				t.Errorf("%d events and runs %v, want those of four batches; %v", n, runs, err)
			}
			if e.Stats().LostBytes == 0 {
				t.Error("the damage is not counted")
			}
		})
	}
}

// faultFile fails when it is told to.
type faultFile struct {
	file
	fault *fault
}

type fault struct{ create, write, sync bool }

var errFault = errors.New("no space left")

func (f faultFile) Write(b []byte) (int, error) {
	if f.fault.write {
		n, _ := f.file.Write(b[:len(b)/2])
		return n, errFault
	}
	return f.file.Write(b)
}

func (f faultFile) Sync() error {
	if f.fault.sync {
		return errFault
	}
	return f.file.Sync()
}

// While the disk refuses nothing is acknowledged; when it works again
// everything goes on, and nothing is there twice.
func TestDiskRefuses(t *testing.T) {
	for _, what := range []string{"create", "write", "sync"} {
		t.Run(what, func(t *testing.T) {
			dir := t.TempDir()
			var f fault
			e := openTest(t, dir, Options{create: func(path string) (file, error) {
				if f.create {
					return nil, errFault
				}
				w, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
				return faultFile{w, &f}, err
			}})
			if what == "create" {
				f.create = true
			} else {
				put(t, e, testBatch(1, 1, 3))
				f.write, f.sync = what == "write", what == "sync"
			}
			next := e.Mark(testBatch(1, 1, 1).Device, 1) + 1
			for range 3 {
				if _, err := e.Append(t.Context(), testBatch(1, next, 3)); !errors.Is(err, errFault) {
					t.Fatalf("acknowledged while the disk refuses: %v", err)
				}
			}
			if n, _ := scanAll(t, e); n != int(next-1)*3 {
				t.Errorf("%d events are seen that were not acknowledged", n)
			}
			f = fault{}
			put(t, e, testBatch(1, next, 3))
			for range 2 {
				if n, _ := scanAll(t, e); n != int(next)*3 {
					t.Errorf("%d events, want %d", n, next*3)
				}
				_ = e.Close()
				e = openTest(t, dir, Options{})
			}
		})
	}
}

// However far apart the times of events are, there are few files.
func TestTimesDoNotMakeFiles(t *testing.T) {
	dir := t.TempDir()
	e := openTest(t, dir, Options{})
	for seq := range uint64(500) {
		b := testBatch(1, seq+1, 1)
		ev := event.Event{Action: event.ProcessCreated, Seq: seq + 1, Time: time.Unix(1764160000-int64(seq)*11000, 0)}
		b.Records, _ = event.Append(nil, &ev)
		put(t, e, b)
	}
	e.SealNow()
	for e.Stats().MemRows > 0 {
		time.Sleep(time.Millisecond)
	}
	if s := e.Stats(); s.Segments > mostDays || s.Rows != 500 {
		t.Errorf("%d files with %d events", s.Segments, s.Rows)
	}
}

// A query for a word reads the blocks that may hold it, not all.
func TestWordsPrune(t *testing.T) {
	dir, _, _ := sealed(t)
	e := openTest(t, dir, Options{})
	_, all := scanAll(t, e)
	n := 0
	cost, err := e.Scan(t.Context(), Query{Scope: Everything(), Terms: []string{"77-1-3"}}, func(Row) error { n++; return nil })
	if err != nil || n != 1 {
		t.Fatalf("%d events, %v", n, err)
	}
	if cost.Blocks > all.Blocks/2 {
		t.Errorf("%d of %d blocks read", cost.Blocks, all.Blocks)
	}
	whole := strings.Repeat("77-1-3 ", 20)
	cost, err = e.Scan(t.Context(), Query{Scope: Everything(), Equals: []Equal{{Columns: []event.Column{event.ProcessCommandLine}, Values: []string{whole}}}}, func(Row) error { n++; return nil })
	if err != nil || n != 2 || cost.Blocks > all.Blocks/2 {
		t.Errorf("%d events, %d of %d blocks, %v", n-1, cost.Blocks, all.Blocks, err)
	}
}

func TestMergesFewFiles(t *testing.T) {
	e := openTest(t, t.TempDir(), Options{})
	for seq := range uint64(40) {
		put(t, e, testBatch(1, seq+1, 5))
		e.SealNow()
	}
	for e.Stats().MemRows > 0 || e.Stats().Segments > 12 {
		time.Sleep(5 * time.Millisecond)
	}
	if n, cost := scanAll(t, e); n != 200 || cost.Damaged > 0 {
		t.Errorf("%d events, %+v", n, cost)
	}
}

func FuzzWal(f *testing.F) {
	b := testBatch(1, 1, 3)
	b.Packed = packer.EncodeAll(b.Records, nil)
	rec, err := appendWal(nil, &b)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(slices.Concat(rec, rec))
	f.Add(rec[:len(rec)-1])
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(dir, "wal")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		total := 0
		dmg, err := readWal(path, func(b *Batch) error { total += len(b.Records); return nil })
		if err != nil || dmg.Bytes > int64(len(b)) {
			t.Fatal(dmg, err)
		}
	})
}

// lazyFile keeps what is written until it is synced: a disk that loses power
// keeps no more.
type lazyFile struct {
	*os.File
	pending []byte
}

func (f *lazyFile) Write(b []byte) (int, error) {
	f.pending = append(f.pending, b...)
	return len(b), nil
}

func (f *lazyFile) Sync() error {
	_, err := f.File.Write(f.pending)
	f.pending = nil
	return err
}

// What is acknowledged survives the loss of power: it was synced.
func TestPowerCut(t *testing.T) {
	dir := t.TempDir()
	e := openTest(t, dir, Options{create: func(path string) (file, error) {
		w, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		return &lazyFile{File: w}, err
	}})
	for seq := range uint64(3) {
		put(t, e, testBatch(1, seq+1, 4))
		after := t.TempDir()
		if err := os.CopyFS(after, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		if n, _ := scanAll(t, openTest(t, after, Options{})); n != int(seq+1)*4 {
			t.Errorf("%d events after the cut, %d were acknowledged", n, (seq+1)*4)
		}
	}
}
