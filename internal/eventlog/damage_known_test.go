package eventlog

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

func deviceOf(n int) inventory.DeviceID { return testBatch(n, 1, 1).Device }

// A damaged block is known from when it was first read: as what may be missing of the
// devices and the time that it is of, and of no other; after a start too, until the
// file is whole again.
func TestDamagedBlockIsKnown(t *testing.T) {
	dir, path, rows := sealed(t)
	at := int64(len(segmentMagic) + 100) // in the first block
	flip(t, path, at)
	e := openTest(t, dir, Options{})
	if d := e.Damages(); len(d) != 0 {
		t.Errorf("nothing was read, and %+v is damaged", d)
	}
	n, cost := scanAll(t, e)
	found := e.Damages()
	if len(found) != 1 || found[0].What != "block" || found[0].Events != rows-n || cost.Damaged != 1 {
		t.Fatalf("%d of %d events, %+v, damage %+v", n, rows, cost, found)
	}
	_, _ = scanAll(t, e) // the same again is the same
	for _, c := range []struct {
		device   int
		from, to time.Time
		want     int
	}{
		{1, time.Time{}, time.Time{}, 1},
		{1, time.Unix(1764150000, 0), time.Unix(1764150002, 0), 1},
		{1, time.Unix(1764150002, 0), time.Time{}, 0},
		{1, time.Time{}, time.Unix(1764150001, 0), 0},
		{200, time.Time{}, time.Time{}, 0},
		{999, time.Time{}, time.Time{}, 0},
	} {
		if got := e.Damage(deviceOf(c.device), c.from, c.to); len(got) != c.want {
			t.Errorf("device %d from %v to %v: %+v, want %d", c.device, c.from, c.to, got, c.want)
		}
	}
	e.quiet()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e = openTest(t, dir, Options{})
	if again := e.Damages(); !slices.Equal(found, again) {
		t.Errorf("after a start %+v, before it %+v", again, found)
	}
	e.quiet()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	flip(t, path, at)
	if mended := openTest(t, dir, Options{}).Damages(); len(mended) != 0 {
		t.Errorf("mended: %+v", mended)
	}
}

// An index that cannot be read hides the events of the devices in it.
func TestDamagedIndexIsKnown(t *testing.T) {
	dir, _, _ := sealed(t)
	e := openTest(t, dir, Options{})
	e.Summarised() // nothing else reads it now
	e.SpoilIndex()
	for _, n := range []int{1, 100} {
		if _, _, cost, err := e.Page(t.Context(), Query{Scope: Only(deviceOf(n))}, Cursor{}, 5); err != nil || cost.Damaged == 0 {
			t.Errorf("page of device %d: %+v, %v", n, cost, err)
		}
	}
	if d := e.Damages(); len(d) != 2 || d[0].What != "index" {
		t.Errorf("damage %+v, want that of two groups", d)
	}
	if a, b := e.Damage(deviceOf(2), time.Time{}, time.Time{}), e.Damage(deviceOf(199), time.Time{}, time.Time{}); len(a) != 1 || len(b) != 0 {
		t.Errorf("of device 2 %+v, of device 199 %+v", a, b)
	}
	if _, err := e.Runs(t.Context(), deviceOf(2)); err != nil && !errors.Is(err, ErrDamaged) {
		t.Errorf("numbers: %v", err)
	}
}

// A segment that cannot be opened may be missing of every device of that time that was there,
// until its events would no longer be kept: then it goes.
func TestLostSegmentIsKnown(t *testing.T) {
	dir, path, rows := sealed(t)
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	flip(t, path, st.Size()-1)
	e := openTest(t, dir, Options{})
	put(t, e, testBatch(300, 1, 2)) // was not there then
	found := e.Damages()
	if len(found) != 1 || found[0].What != "segment" || found[0].Events != rows || found[0].From.Unix() != 1764150001 || found[0].To.Unix() != 1764150001 {
		t.Fatalf("damage %+v", found)
	}
	ends := found[0].To
	for _, c := range []struct {
		device   int
		from, to time.Time
		want     int
	}{{1, time.Time{}, time.Time{}, 1}, {200, ends, time.Time{}, 1}, {200, ends.Add(1), time.Time{}, 0}, {300, time.Time{}, time.Time{}, 0}} {
		if got := e.Damage(deviceOf(c.device), c.from, c.to); len(got) != c.want {
			t.Errorf("device %d from %v: %+v, want %d", c.device, c.from, got, c.want)
		}
	}
	if err := e.Retain(t.Context(), Policy{Age: time.Hour}, ends.Add(30*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if len(e.Damages()) != 1 {
		t.Error("it is forgotten before its time")
	}
	if err := e.Retain(t.Context(), Policy{Age: time.Hour}, ends.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "seg-*")); len(e.Damages()) != 0 || slices.Contains(left, path) {
		t.Errorf("after its time: %+v, files %v", e.Damages(), left)
	}
	if s := e.Stats(); s.LostSegments != 1 {
		t.Errorf("%d lost segments in all, want 1", s.LostSegments)
	}
}

// What the write-ahead log lost is of any device, from the first event of that file on;
// it is counted once, however often the file is read.
func TestDamagedLogIsKnown(t *testing.T) {
	dir := t.TempDir()
	e := openTest(t, dir, Options{})
	for seq := range uint64(3) {
		put(t, e, testBatch(1, seq+1, 2))
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	ids, err := walFiles(dir, 0)
	if err != nil || len(ids) != 1 {
		t.Fatal(ids, err)
	}
	flip(t, filepath.Join(dir, walName(ids[0])), 90)
	e = openTest(t, dir, Options{})
	first := time.Unix(1764150002, 0) // of the second batch
	found := e.Damage(deviceOf(1), time.Time{}, time.Time{})
	if len(found) != 1 || found[0].What != "log" || found[0].Bytes == 0 || !found[0].From.Equal(first) || found[0].Bytes != e.Stats().LostBytes {
		t.Fatalf("damage %+v", found)
	}
	if d := e.Damage(deviceOf(1), time.Time{}, first); len(d) != 0 {
		t.Errorf("before the file: %+v", d)
	}
	e.lostWal(walLoss{File: ids[0], Bytes: 5})
	if e.Stats().LostBytes != found[0].Bytes {
		t.Error("counted twice")
	}
}

// While too many tables wait to be sealed, Append waits and nothing is lost: it gives up with
// its context, reading goes on, and Behind says for how long.
func TestAppendWaitsForRoom(t *testing.T) {
	e := openTest(t, t.TempDir(), Options{})
	goOn := e.HoldMaintenance()
	t.Cleanup(goOn)
	seq := uint64(0)
	for range maxFrozen + 1 {
		if e.Behind() != 0 {
			t.Fatal("behind before there are too many")
		}
		seq++
		put(t, e, testBatch(1, seq, 3))
		e.SealNow()
	}
	if d := e.Behind(); d < leastBehind {
		t.Errorf("behind by %v", d)
	}
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	seq++
	if _, err := e.Append(short, testBatch(1, seq, 3)); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("it does not wait: %v", err)
	}
	if n, _ := scanAll(t, e); n != 3*(maxFrozen+1) {
		t.Errorf("%d events can be read", n)
	}
	done := make(chan error, 1)
	go func() {
		_, err := e.Append(t.Context(), testBatch(1, seq+1, 3))
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("it does not wait: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	goOn()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	// The one that gave up was in the queue: it is kept as well, before the one behind it.
	if n, _ := scanAll(t, e); n != 3*(maxFrozen+3) || e.Mark(deviceOf(1), 1) != seq+1 || e.Behind() != 0 {
		t.Errorf("%d events, mark %d, behind %v", n, e.Mark(deviceOf(1), 1), e.Behind())
	}
}
