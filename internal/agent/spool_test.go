package agent

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// memDisk is a disk in memory that knows what a power cut would leave: what
// was not synced may be there in full, in part or not at all.
type memDisk struct {
	files  map[string]*memFile
	synced map[string]bool // directory entries that survive a cut
	fault  func(op string) error
	partly bool // a failing write leaves half of its bytes
}

type memFile struct {
	data []byte
	safe int // bytes that survive a cut
}

func newMemDisk() *memDisk { return &memDisk{files: map[string]*memFile{}, synced: map[string]bool{}} }

func (d *memDisk) fail(op string) error {
	if d.fault == nil {
		return nil
	}
	return d.fault(op)
}

func (d *memDisk) Create(name string) (diskFile, error) {
	if err := d.fail("create"); err != nil {
		return nil, err
	}
	if d.files[name] != nil {
		return nil, os.ErrExist
	}
	d.files[name] = &memFile{}
	return &memHandle{d, d.files[name]}, nil
}

func (d *memDisk) Open(name string) (diskFile, error) {
	f := d.files[name]
	if f == nil {
		return nil, os.ErrNotExist
	}
	return &memHandle{d, f}, nil
}

func (d *memDisk) Remove(name string) error {
	if err := d.fail("remove"); err != nil {
		return err
	}
	delete(d.files, name)
	delete(d.synced, name)
	return nil
}

func (d *memDisk) Names() ([]string, error) { return slices.Collect(maps.Keys(d.files)), nil }

func (d *memDisk) Replace(name string, data []byte) error {
	if err := d.fail("replace"); err != nil {
		return err
	}
	d.files[name] = &memFile{data: bytes.Clone(data), safe: len(data)}
	d.synced[name] = true
	return nil
}

func (d *memDisk) Sync() error {
	if err := d.fail("sync-dir"); err != nil {
		return err
	}
	for n := range d.files {
		d.synced[n] = true
	}
	return nil
}

func (d *memDisk) ReadFile(name string, max int64) ([]byte, error) {
	f := d.files[name]
	if f == nil {
		return nil, os.ErrNotExist
	}
	if int64(len(f.data)) > max {
		return nil, errors.New("too large")
	}
	return bytes.Clone(f.data), nil
}

// segments is the size of all segments.
func (d *memDisk) segments() (n int64) {
	for name, f := range d.files {
		if strings.HasSuffix(name, ".seg") {
			n += int64(len(f.data))
		}
	}
	return n
}

// cut returns what is left after a power cut.
func (d *memDisk) cut(rnd *rand.Rand) *memDisk {
	out := newMemDisk()
	for n, f := range d.files {
		if !d.synced[n] && rnd.IntN(2) == 0 {
			continue
		}
		keep := f.safe
		if len(f.data) > keep {
			keep += rnd.IntN(len(f.data) - keep + 1)
		}
		out.files[n] = &memFile{data: bytes.Clone(f.data[:keep]), safe: keep}
		out.synced[n] = true
	}
	return out
}

func (d *memDisk) clone() *memDisk {
	out := newMemDisk()
	for n, f := range d.files {
		out.files[n] = &memFile{data: bytes.Clone(f.data), safe: f.safe}
		out.synced[n] = d.synced[n]
	}
	return out
}

type memHandle struct {
	d *memDisk
	f *memFile
}

func (h *memHandle) Write(p []byte) (int, error) {
	if err := h.d.fail("write"); err != nil {
		n := 0
		if h.d.partly {
			n = len(p) / 2
			h.f.data = append(h.f.data, p[:n]...)
		}
		return n, err
	}
	h.f.data = append(h.f.data, p...)
	return len(p), nil
}

func (h *memHandle) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(h.f.data).ReadAt(p, off)
}

func (h *memHandle) Sync() error {
	if err := h.d.fail("sync"); err != nil {
		return err
	}
	h.f.safe = len(h.f.data)
	return nil
}

func (h *memHandle) Truncate(n int64) error {
	if err := h.d.fail("truncate"); err != nil {
		return err
	}
	h.f.data = h.f.data[:n]
	h.f.safe = min(h.f.safe, int(n))
	return nil
}

func (h *memHandle) Close() error { return nil }

// saltSource gives salts that differ and are the same in every run.
func saltSource() func() uint32 {
	n := uint32(0x9e3779b9)
	return func() uint32 { n = n*1664525 + 1013904223; return n }
}

func mustOpenSpool(t *testing.T, d disk, limit int64) *spool {
	t.Helper()
	s, err := openSpool(d, limit, saltSource())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustAppend(t *testing.T, s *spool, text string) uint64 {
	t.Helper()
	seq, err := s.append([]byte(text))
	if err != nil {
		t.Fatalf("append(%q): %v", text, err)
	}
	return seq
}

// content reads all records, checking that numbers rise.
func content(t *testing.T, s *spool) []string {
	t.Helper()
	out := []string{}
	for after := uint64(0); ; {
		r, ok := s.next(after)
		if !ok {
			return out
		}
		if r.Seq <= after {
			t.Fatalf("number %d after %d", r.Seq, after)
		}
		after = r.Seq
		out = append(out, string(r.Payload))
	}
}

func TestSpoolKeepsOrderOverRestarts(t *testing.T) {
	d := newMemDisk()
	want := []string{}
	for round := range 3 {
		s := mustOpenSpool(t, d, 1<<20)
		for i := range 3 {
			text := fmt.Sprintf("round %d record %d", round, i)
			mustAppend(t, s, text)
			want = append(want, text)
		}
		if diff := cmp.Diff(want, content(t, s)); diff != "" {
			t.Fatal(diff)
		}
		s.close()
	}
	s := mustOpenSpool(t, d, 1<<20)
	r, _ := s.next(0)
	s.ack(r.Seq)
	if diff := cmp.Diff(want[1:], content(t, s)); diff != "" {
		t.Fatal(diff)
	}
	if st := s.stats(); st.Queued != len(want)-1 || st.Dropped != 0 {
		t.Errorf("stats = %+v", st)
	}
}

// threeSegments is a spool whose records lie in several segments.
func threeSegments(t *testing.T) (*memDisk, []string) {
	d := newMemDisk()
	s := mustOpenSpool(t, d, 64*(4<<10))
	var want []string
	for i := range 12 {
		text := fmt.Sprintf("record %d ", i) + strings.Repeat(string(rune('a'+i)), 900)
		mustAppend(t, s, text)
		want = append(want, text)
	}
	s.close()
	if len(d.files) != 3 {
		t.Fatalf("%d segments, the test wants 3", len(d.files))
	}
	return d, want
}

func TestSpoolEveryFlippedByteCostsOneRecord(t *testing.T) {
	d, want := threeSegments(t)
	for name, f := range d.files {
		for off := range f.data {
			if testing.Short() && off%7 != 0 {
				continue
			}
			c := d.clone()
			c.files[name].data[off] ^= 0xff
			s := mustOpenSpool(t, c, 64*(4<<10))
			got := content(t, s)
			if len(got) != len(want)-1 {
				t.Fatalf("%s byte %d: %d records left of %d", name, off, len(got), len(want))
			}
			i := 0
			for _, g := range got {
				for i < len(want) && want[i] != g {
					i++
				}
				if i == len(want) {
					t.Fatalf("%s byte %d: a record that was never written, or out of order", name, off)
				}
				i++
			}
			// The very end cannot be told from an append that never returned,
			// when the damage hides that a record begins there.
			if lost := s.stats().Dropped; lost != 1 && (lost != 0 || slices.Contains(got, want[len(want)-1])) {
				t.Fatalf("%s byte %d: %d counted as lost", name, off, lost)
			}
			lost := s.stats().Dropped
			if again := mustOpenSpool(t, c, 64*(4<<10)).stats().Dropped; again != lost {
				t.Fatalf("%s byte %d: counted %d, after a restart %d", name, off, lost, again)
			}
		}
	}
}

func TestSpoolTruncatedAnywhere(t *testing.T) {
	d, want := threeSegments(t)
	names := slices.Sorted(maps.Keys(d.files))
	for i, name := range names {
		for cut := range d.files[name].data {
			if testing.Short() && cut%7 != 0 {
				continue
			}
			c := d.clone()
			c.files[name].data = c.files[name].data[:cut]
			s := mustOpenSpool(t, c, 64*(4<<10))
			got := content(t, s)
			for _, g := range got {
				if !slices.Contains(want, g) {
					t.Fatalf("%s cut at %d: a record that was never written", name, cut)
				}
			}
			whole := cut / (len(want[0]) + recordHeader)
			if other := len(got) - whole; other < 8-1 || len(got) > len(want) {
				t.Fatalf("%s cut at %d: %d records left", name, cut, len(got))
			}
			if i < len(names)-1 && int(s.stats().Dropped) != len(want)-len(got) {
				t.Fatalf("%s cut at %d: %d lost, %d counted", name, cut, len(want)-len(got), s.stats().Dropped)
			}
			mustAppend(t, s, "and on")
			if got = content(t, s); got[len(got)-1] != "and on" {
				t.Fatalf("%s cut at %d: append after damage is not read", name, cut)
			}
		}
	}
}

// TestSpoolFullDisk refuses the n-th call of every kind, for every n: what was
// there stays, what append accepted is there after a power cut, and a refused
// record is there at most once.
func TestSpoolFullDisk(t *testing.T) {
	for _, op := range []string{"write", "write+truncate", "sync", "sync+truncate", "create", "sync-dir", "replace", "remove"} {
		for _, partly := range []bool{false, true} {
			for n := range 14 {
				t.Run(fmt.Sprintf("%s-%d-%t", op, n, partly), func(t *testing.T) { fullDisk(t, op, partly, n) })
			}
		}
	}
}

func fullDisk(t *testing.T, op string, partly bool, n int) {
	d := newMemDisk()
	d.partly = partly
	first, second, _ := strings.Cut(op, "+")
	calls := 0
	d.fault = func(o string) error {
		if o == first {
			calls++
		}
		if o == first && calls == n+1 || o == second {
			return syscall.ENOSPC
		}
		return nil
	}
	s := mustOpenSpool(t, d, 64*(4<<10))
	var accepted, refused []string
	for i := range 12 {
		text := fmt.Sprintf("record %d ", i) + strings.Repeat("x", 900)
		if _, err := s.append([]byte(text)); err != nil {
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("append: %v", err)
			}
			refused = append(refused, text)
			if !s.stats().Blocked {
				t.Fatal("the disk refused and the server would not hear of it")
			}
			continue
		}
		accepted = append(accepted, text)
		if s.stats().Blocked {
			t.Fatal("the disk takes writes again and the server would not hear of it")
		}
	}
	if second == "" && op != "remove" && d.segments() != s.stats().Bytes {
		t.Fatalf("%d bytes of segments on disk, %d counted against the limit", d.segments(), s.stats().Bytes)
	}
	if diff := cmp.Diff(accepted, content(t, s)); diff != "" {
		t.Fatalf("before restart: %s", diff)
	}
	if len(refused) > 2 {
		t.Fatalf("%d appends refused after one fault", len(refused))
	}
	s.close()
	d.fault = nil
	left := []*memDisk{d.clone()} // what is there when nothing is cut
	for seed := range uint64(4) {
		left = append(left, d.cut(rand.New(rand.NewPCG(seed, 1))))
	}
	followed := len(accepted) > 0 && strings.HasPrefix(accepted[len(accepted)-1], "record 11")
	for i, l := range left {
		s = mustOpenSpool(t, l, 64*(4<<10))
		got := content(t, s)
		if i == 0 && followed && slices.ContainsFunc(got, func(g string) bool { return slices.Contains(refused, g) }) {
			t.Fatal("a refused record came to life beside the one that took its place")
		}
		got = slices.DeleteFunc(got, func(g string) bool { return slices.Contains(refused, g) })
		if diff := cmp.Diff(accepted, got); diff != "" {
			t.Fatalf("after a power cut: %s", diff)
		}
		if lost := s.stats().Dropped; lost > 1 || lost == 1 && op != "write+truncate" {
			t.Fatalf("nothing was lost, %d counted", lost)
		}
	}
}

// TestSpoolPowerCutBetweenAnyTwoCalls stops after the n-th call for every n.
func TestSpoolPowerCutBetweenAnyTwoCalls(t *testing.T) {
	for n := range 40 {
		for seed := range uint64(6) {
			d := newMemDisk()
			calls := 0
			cut := errors.New("power cut")
			d.fault = func(string) error {
				if calls++; calls > n {
					return cut
				}
				return nil
			}
			s := mustOpenSpool(t, d, 64*(4<<10))
			var accepted []string
			var acked int
			for i := range 12 {
				text := fmt.Sprintf("record %d ", i) + strings.Repeat("y", 900)
				seq, err := s.append([]byte(text))
				if err != nil {
					break
				}
				accepted = append(accepted, text)
				if i == 5 {
					s.ack(seq)
					acked = 6
				}
			}
			left := d.cut(rand.New(rand.NewPCG(seed, uint64(n))))
			got := content(t, mustOpenSpool(t, left, 64*(4<<10)))
			// Acknowledged records may come again (their numbers say so); the others must.
			must := accepted[min(acked, len(accepted)):]
			seen := map[string]int{}
			for _, g := range got {
				seen[g]++
			}
			for _, m := range must {
				if seen[m] != 1 {
					t.Fatalf("cut after %d calls, seed %d: %.10q is there %d times", n, seed, m, seen[m])
				}
			}
		}
	}
}

func TestSpoolDropsOldestAndCounts(t *testing.T) {
	d := newMemDisk()
	limit := int64(64 << 10)
	s := mustOpenSpool(t, d, limit)
	last := ""
	for i := range 200 {
		last = fmt.Sprintf("record %d ", i) + strings.Repeat("z", 900)
		mustAppend(t, s, last)
		if st := s.stats(); st.Bytes > limit {
			t.Fatalf("%d bytes, the limit is %d", st.Bytes, limit)
		}
	}
	got := content(t, s)
	st := s.stats()
	if got[len(got)-1] != last || int(st.Dropped)+len(got) != 200 || st.Dropped == 0 {
		t.Fatalf("%d left, %d counted as dropped, of 200", len(got), st.Dropped)
	}
	s.close()
	s = mustOpenSpool(t, d, limit)
	if again := s.stats(); again.Dropped != st.Dropped || again.Queued != len(got) {
		t.Fatalf("after a restart %+v, before %+v", again, st)
	}
}

func TestSpoolNumbersAreNeverGivenTwice(t *testing.T) {
	d := newMemDisk()
	seen := map[uint64]bool{}
	take := func(n uint64) {
		t.Helper()
		if seen[n] {
			t.Fatalf("number %d given twice", n)
		}
		seen[n] = true
	}
	for round := range 4 {
		s := mustOpenSpool(t, d, 1<<20)
		take(mustAppend(t, s, "a"))
		take(s.reserve())
		take(mustAppend(t, s, "b"))
		take(s.reserve())
		if round == 1 {
			s.lift(1 << 40)
			take(mustAppend(t, s, "above"))
		}
		s.close()
	}
	if s := mustOpenSpool(t, d, 1<<20); s.reserve() <= 1<<40 {
		t.Error("a lifted number was forgotten")
	}
}

// TestSpoolRecordInsideRecord puts a complete record into the payload of
// another and damages the outer one: the inner one must not come to life.
func TestSpoolRecordInsideRecord(t *testing.T) {
	other := newMemDisk()
	s := mustOpenSpool(t, other, 1<<20)
	mustAppend(t, s, "forged")
	var inner []byte
	for _, f := range other.files {
		inner = f.data
	}
	d := newMemDisk()
	n := uint32(0xfeedface)
	s, err := openSpool(d, 1<<20, func() uint32 { n++; return n })
	if err != nil {
		t.Fatal(err)
	}
	mustAppend(t, s, string(inner)+"tail")
	mustAppend(t, s, "honest")
	for _, f := range d.files {
		f.data[0] ^= 1
	}
	if diff := cmp.Diff([]string{"honest"}, content(t, mustOpenSpool(t, d, 1<<20))); diff != "" {
		t.Error(diff)
	}
}

func FuzzSpool(f *testing.F) {
	d := newMemDisk()
	s, err := openSpool(d, 1<<20, saltSource())
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{"one", "two", strings.Repeat("three", 100)} {
		if _, err := s.append([]byte(text)); err != nil {
			f.Fatal(err)
		}
	}
	name := ""
	for n, file := range d.files {
		name = n
		f.Add(file.data)
	}
	f.Add([]byte(recordMagic))
	f.Add([]byte(recordMagic + "\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d := newMemDisk()
		d.files[name] = &memFile{data: raw, safe: len(raw)}
		s := mustOpenSpool(t, d, 1<<20)
		before := len(content(t, s))
		mustAppend(t, s, "still works")
		if got := content(t, s); len(got) != before+1 || got[before] != "still works" {
			t.Fatalf("%d records, then %d", before, len(got))
		}
	})
}
