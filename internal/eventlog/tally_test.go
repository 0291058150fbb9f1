package eventlog

import (
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/inventory"
)

var tallyNow = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// month fills a log with four segments a day for thirty days, in which each of 40 devices has
// events, and one device that has some on one day alone.
func month(t *testing.T, dir string) *Engine {
	t.Helper()
	e := openTest(t, dir, Options{})
	for n := range 123 {
		at := tallyNow.Add(time.Duration(n-123) * 6 * time.Hour)
		for dev := range 40 {
			put(t, e, hourly(dev+1, uint64(n+1), at))
		}
		if n == 3 {
			put(t, e, hourly(99, 1, at))
		}
		if n%50 == 3 { // and device 7 has one of a rare kind three times
			b := hourly(7, uint64(n+1), at)
			x := event.Event{Action: event.LogonSuccess, Seq: uint64(n + 1), Time: at}
			b.Records, _ = event.Append(nil, &x)
			b.Stream, b.Count = 2, 1
			put(t, e, b)
		}
		settled(e)
	}
	e.quiet()
	return e
}

// hourly is a batch with an event in each of four hours.
func hourly(dev int, seq uint64, at time.Time) Batch {
	b := Batch{Device: testBatch(dev, 1, 0).Device, Stream: 1, Seq: seq, Received: at.Add(5 * time.Hour), Count: 4}
	for i := range 4 {
		x := event.Event{Action: event.ProcessCreated, Seq: (seq-1)*4 + uint64(i) + 1, Time: at.Add(time.Duration(i) * time.Hour)}
		b.Records, _ = event.Append(b.Records, &x)
	}
	return b
}

// histogram counts thirty days of a device, and says what it cost.
func histogram(t *testing.T, e *Engine, d inventory.DeviceID) (n int, cost Cost, reads int64) {
	t.Helper()
	before := e.reads()
	counts, cost, err := e.Counts(t.Context(), Query{Scope: Only(d), From: tallyNow.AddDate(0, 0, -30), To: tallyNow}, 6*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range counts {
		n += c.N
	}
	return n, cost, e.reads() - before
}

// A month of one device is counted, and told to be whole, from a few places, however
// many segments there are: at most two reads of each segment that no tally has
// and one of each tally. The same after a start.
func TestHistogramReadsLittle(t *testing.T) {
	dir := t.TempDir()
	e := month(t, dir)
	e.Summarised()
	for range 2 {
		if n := e.Stats().Segments; n < 60 {
			t.Fatalf("%d segments are too few to tell", n)
		}
		if len(e.loose) >= tallyAt || len(e.tallies) > 6 {
			t.Errorf("%d segments without a tally, %d tallies", len(e.loose), len(e.tallies))
		}
		most := int64(2*len(e.loose) + len(e.tallies))
		n, cost, reads := histogram(t, e, testBatch(7, 1, 0).Device)
		if n != 483 || cost.Damaged+cost.Blocks+cost.Rows != 0 || reads > most {
			t.Errorf("%d events of 483, %+v, %d reads, at most %d", n, cost, reads, most)
		}
		if n, _, reads := histogram(t, e, testBatch(99, 1, 0).Device); n != 4 || reads > most {
			t.Errorf("%d events of 4, %d reads", n, reads)
		}
		have := slices.Clone(e.man.Tallies)
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		e = openTest(t, dir, Options{})
		e.Summarised()
		e.quiet()
		if !slices.EqualFunc(have, e.man.Tallies, func(a, b tallyRef) bool { return a.ID == b.ID }) {
			t.Errorf("a start made tallies anew: %d of %d", len(e.man.Tallies), len(have))
		}
	}
}

// A page reads from the segments that it is from and from no other, wherever in
// the log they are.
func TestPageReadsLittle(t *testing.T) {
	e := month(t, t.TempDir())
	e.Summarised()
	for dev, rows := range map[int]int{7: 3, 99: 4} {
		before := e.reads()
		page, _, cost, err := e.Page(t.Context(), Query{Scope: Only(testBatch(dev, 1, 0).Device)}, Cursor{}, rows)
		if reads := e.reads() - before; err != nil || len(page) != rows || cost.Segments > 2 || reads > 6 {
			t.Errorf("device %d: %d rows of %d, %+v, %d reads, %v", dev, len(page), rows, cost, reads, err)
		}
	}
}

// A page of what is rare reads little of the segments that have other events of the
// device, and nothing of a kind that the device has none of. Where the facts cannot be
// read, all of them are looked at.
func TestRarePagesReadLittle(t *testing.T) {
	e := month(t, t.TempDir())
	e.Summarised()
	page := func(a event.Action) (rows int, cost Cost, reads int64) {
		t.Helper()
		before := e.reads()
		got, _, cost, err := e.Page(t.Context(), Query{Scope: Only(testBatch(7, 1, 0).Device), Actions: []event.Action{a}}, Cursor{}, 30)
		if err != nil {
			t.Fatal(err)
		}
		return len(got), cost, e.reads() - before
	}
	if rows, cost, reads := page(event.LogonSuccess); rows != 3 || cost.Damaged != 0 || reads > 60 {
		t.Errorf("%d rows of 3, %+v, %d reads, %d segments", rows, cost, reads, len(e.segs))
	}
	if rows, cost, reads := page(event.ConnectionSuccess); rows != 0 || reads != 0 {
		t.Errorf("%d rows of 0, %+v, %d reads", rows, cost, reads)
	}
	s := e.loose[0]
	d, _, err := s.device(e.numbers[testBatch(7, 1, 0).Device])
	if err != nil {
		t.Fatal(err)
	}
	flip(t, s.path, d.factsOff)
	if rows, _, reads := page(event.LogonSuccess); rows != 3 || reads < int64(len(e.segs)) {
		t.Errorf("%d rows of 3, %d reads", rows, reads)
	}
}

// What a tally says is in the segments too: damage of it, or its loss, changes no
// answer, and it is made again.
func TestDamagedTally(t *testing.T) {
	for name, harm := range map[string]func(t *testing.T, path string){
		"facts":  func(t *testing.T, path string) { flip(t, path, 20) },
		"footer": func(t *testing.T, path string) { end(t, path, func(n int64) { flip(t, path, n-30) }) },
		"index": func(t *testing.T, path string) {
			s, err := openSegment(path, 1, 0)
			if err != nil {
				t.Fatal(err)
			}
			flip(t, path, s.foot.Devices.Off+3)
			s.refs.release()
		},
		"length": func(t *testing.T, path string) {
			end(t, path, func(n int64) {
				if err := os.Truncate(path, n/2); err != nil {
					t.Fatal(err)
				}
			})
		},
		"gone": func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			e := openTest(t, dir, Options{})
			for n := range 10 {
				put(t, e, hourly(1, uint64(n+1), tallyNow.AddDate(0, 0, n-20)))
				settled(e)
			}
			e.quiet()
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			old, err := filepath.Glob(filepath.Join(dir, "tally-*"))
			if err != nil || len(old) != 1 {
				t.Fatal(old, err)
			}
			harm(t, old[0])
			e = openTest(t, dir, Options{})
			for range 2 {
				d := testBatch(1, 1, 0).Device
				runs, err := e.Runs(t.Context(), d)
				if n, cost, _ := histogram(t, e, d); n != 40 || cost.Damaged != 0 || err != nil || len(runs) != 1 || runs[0].To != 40 {
					t.Errorf("%d events of 40, %+v, runs %v, %v", n, cost, runs, err)
				}
				e.quiet()
			}
			if len(e.tallies) != 1 || e.tallies[0].path == old[0] || len(e.loose) >= tallyAt {
				t.Errorf("%d tallies, %d segments without; it was not made again", len(e.tallies), len(e.loose))
			}
		})
	}
}

func end(t *testing.T, path string, f func(int64)) {
	t.Helper()
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	f(st.Size())
}

// The events of a segment that is damaged are counted no more.
func TestTallyOfDamagedSegment(t *testing.T) {
	dir := t.TempDir()
	e := openTest(t, dir, Options{})
	for n := range 10 {
		put(t, e, hourly(1, uint64(n+1), tallyNow.AddDate(0, 0, n-20)))
		settled(e)
	}
	e.quiet()
	if err := e.Close(); err != nil || len(e.man.Tallies) != 1 {
		t.Fatal(e.man.Tallies, err)
	}
	path := filepath.Join(dir, segmentName(e.man.Segments[0].ID))
	end(t, path, func(n int64) { flip(t, path, n-30) })
	e = openTest(t, dir, Options{})
	d := testBatch(1, 1, 0).Device
	runs, err := e.Runs(t.Context(), d)
	if n, _, _ := histogram(t, e, d); n != 36 || err != nil || len(runs) != 1 || runs[0].From != 5 {
		t.Errorf("%d events of 36, runs %v, %v", n, runs, err)
	}
}

// A log that was written before there were tallies and marks of who is there opens,
// whole, and gets tallies.
func TestOlderStore(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/store-1")); err != nil {
		t.Fatal(err)
	}
	d := testBatch(1, 1, 0).Device
	for range 2 {
		e := openTest(t, dir, Options{})
		for _, made := range []bool{false, true} {
			rows, _ := scanAll(t, e)
			runs, err := e.Runs(t.Context(), d)
			if n, cost, _ := histogram(t, e, d); n != 80 || cost.Damaged != 0 || rows != 88 || err != nil || len(runs) != 2 || runs[0].To != 44 {
				t.Errorf("%d events of 80, %d rows of 88, runs %v, %v", n, rows, runs, err)
			}
			seen, cost, err := e.Sightings(t.Context(), EntityQuery{Kind: event.EntityAddress, ID: "10.0.0.1", Scope: Everything()})
			if err != nil || len(seen.Devices) != 1 || seen.Devices[0].Events != 44 || seen.Unlisted+cost.Damaged != 0 {
				t.Errorf("%+v, %+v, %v", seen, cost, err)
			}
			if s := e.Stats(); s.LostSegments != 0 || s.LostBytes != 0 {
				t.Errorf("%+v", s)
			}
			e.quiet()
			if made && (len(e.tallies) != 1 || len(e.loose) >= tallyAt) {
				t.Errorf("%d tallies", len(e.tallies))
			}
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Days go from tallies with their segments: what is left is what the segments have, and
// a tally that is mostly gone is written anew.
func TestTallyLosesDays(t *testing.T) {
	e := month(t, t.TempDir())
	files := func() int64 {
		n := int64(0)
		for _, t := range e.tallies {
			n += t.size
		}
		return n
	}
	all := files()
	d := testBatch(7, 1, 0).Device
	for _, left := range []int{20, 8, 2} {
		if err := e.Retain(t.Context(), Policy{Age: time.Duration(left) * 24 * time.Hour}, tallyNow); err != nil {
			t.Fatal(err)
		}
		e.quiet()
		rows := 0
		if _, err := e.Scan(t.Context(), Query{Scope: Only(d)}, func(Row) error { rows++; return nil }); err != nil {
			t.Fatal(err)
		}
		if n, cost, _ := histogram(t, e, d); n != rows || n < left*16 || n > (left+1)*16+3 || cost.Damaged != 0 {
			t.Errorf("%d days left: %d counted, %d there, %+v", left, n, rows, cost)
		}
	}
	if n := files(); n > all/3 {
		t.Errorf("tallies take %d bytes of %d", n, all)
	}
}

// A device that is forgotten leaves the tallies when they are written anew.
func TestTallyForgets(t *testing.T) {
	e := openTest(t, t.TempDir(), Options{})
	for n := range 2 * tallyAt {
		for dev := range 2 {
			put(t, e, hourly(dev+1, uint64(n+1), tallyNow.AddDate(0, 0, n-20)))
		}
		settled(e)
		if n == tallyAt {
			if err := e.Forget(t.Context(), testBatch(1, 1, 0).Device); err != nil {
				t.Fatal(err)
			}
		}
	}
	e.quiet()
	var have []uint32
	for _, tl := range e.tallies {
		tl.devices(func(err error) { t.Error(err) }, func(d deviceInfo) bool { have = append(have, d.dev); return true })
	}
	if !slices.Contains(have, 2) || slices.Contains(have, 1) && len(e.tallies) == 1 {
		t.Errorf("devices %v in %d tallies", have, len(e.tallies))
	}
	if n, _, _ := histogram(t, e, testBatch(1, 1, 0).Device); n != 4*(tallyAt-1) { // it came back after it was forgotten
		t.Errorf("%d events", n)
	}
}

func FuzzTally(f *testing.F) {
	facts := newFacts()
	facts.add(hour*3, event.Head{Action: event.ProcessCreated, Seq: 4})
	c := chunk{day: 20000, first: 3, last: 3, facts: facts.append(nil)}
	f.Add(c.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		tl := &tally{days: map[int64][]uint64{20000: {1}}}
		d := deviceInfo{factsSize: uint32(len(b)), factsSum: crc32.Checksum(b, castagnoli)}
		got := newFacts()
		_ = tl.each(d, func(int64, uint32) ([]byte, error) { return b, nil }, func(c *chunk) error {
			if len(c.facts) > len(b) {
				t.Fatal(fmt.Sprint(len(c.facts), " of ", len(b)))
			}
			return got.merge(c.facts)
		})
	})
}
