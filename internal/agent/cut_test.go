package agent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/protocol"
)

// cuttable is a recording on a disk of which it is known what a cut of the power
// leaves: of the numbers what was synced last, of a removed segment maybe all.
type cuttable struct {
	*recording
	rnd     *rand.Rand
	durable []byte // the file of numbers as it was synced last
	removed map[string][]byte
	segment int64 // size of segments; 0: as it is
	limit   int64

	// What the server has.
	marks [protocol.NumStreams]uint64
	byNum map[event.Kind]map[uint64]string
	byID  map[string]int
}

// synced notes what of a file outlives a cut.
type synced struct {
	numbersStore
	c *cuttable
}

func (s synced) Sync() error {
	raw, err := os.ReadFile(filepath.Join(s.c.path, numbersFile))
	s.c.durable = raw
	return err
}

// undead is a disk whose removed files may come back.
type undead struct {
	disk
	c   *cuttable
	dir string
}

func (d undead) Remove(name string) error {
	raw, err := os.ReadFile(filepath.Join(d.c.path, d.dir, name))
	if err == nil {
		d.c.removed[filepath.Join(d.dir, name)] = raw
	}
	return d.disk.Remove(name)
}

func newCuttable(t *testing.T, seed uint64, limit, segment int64) *cuttable {
	c := &cuttable{recording: &recording{T: t, path: filepath.Join(t.TempDir(), "s")}, rnd: rand.New(rand.NewPCG(seed, 1)), removed: map[string][]byte{}, segment: segment, limit: limit,
		byNum: map[event.Kind]map[uint64]string{}, byID: map[string]int{}}
	c.begin()
	t.Cleanup(func() {
		c.close()
		_ = c.s.close() // the test is over
	})
	return c
}

func (c *cuttable) begin() {
	c.start(c.limit)
	c.numbers.f = synced{c.numbers.f, c}
	for i, dir := range []string{"detections", "activity"} {
		sp := c.spools[i]
		sp.d = undead{sp.d, c, dir}
		sp.removing = c.numbers.sync
		if c.segment > 0 {
			sp.segBytes = c.segment
		}
	}
}

// cut ends the run as a loss of power does.
func (c *cuttable) cut() {
	c.kill()
	raw := bytes.Clone(c.durable)
	if len(raw) >= numbersNext {
		copy(raw[32:72], "another boot\x00")
	}
	if err := os.WriteFile(filepath.Join(c.path, numbersFile), raw, 0o600); err != nil {
		c.Fatal(err)
	}
	for name, raw := range c.removed {
		if c.rnd.IntN(2) == 0 {
			if err := os.WriteFile(filepath.Join(c.path, name), raw, 0o600); err != nil {
				c.Fatal(err)
			}
		}
	}
	c.removed = map[string][]byte{}
	c.begin()
}

// put makes an event of a kind with a name of its own and some bytes that hardly compress.
func (c *cuttable) put(a event.Action, id string) {
	noise := make([]byte, 200)
	for i := range noise {
		noise[i] = byte(' ' + c.rnd.IntN(90))
	}
	e := &event.Event{Action: a, Time: time.Now()}
	e.Set(event.FileName, id)
	e.Set(event.FolderPath, string(noise))
	c.Put(e)
}

// session lets the server take some batches of each stream; the last answer may get lost.
func (c *cuttable) session(most int) {
	c.Helper()
	for i := range c.spools {
		after := c.known(i, []protocol.Stream{{Stream: i, Seq: c.marks[i]}})
		for range most {
			p, ok := c.next(i, after)
			if !ok {
				break
			}
			after = p.seq
			c.take(i, p)
			if c.rnd.IntN(8) == 0 {
				break
			}
			c.acked(i, after)
		}
	}
}

// take is the server's: what it has it does not take again.
func (c *cuttable) take(stream int, p payload) {
	c.Helper()
	if p.seq <= c.marks[stream] {
		c.Errorf("batch %d of stream %d is sent after the server said that it has %d", p.seq, stream, c.marks[stream])
		return
	}
	c.marks[stream] = p.seq
	for _, e := range unpackEvents(c.T, p) {
		if c.byNum[e.Kind()] == nil {
			c.byNum[e.Kind()] = map[uint64]string{}
		}
		id := fmt.Sprint(e.Action, " ", e.Text(event.FileName), e.Text(event.LostKind), e.Time.UnixNano())
		if was, ok := c.byNum[e.Kind()][e.Seq]; ok {
			c.Errorf("%s %d is given twice: %s and %s", e.Kind(), e.Seq, was, id)
		}
		c.byNum[e.Kind()][e.Seq] = id
		if name := e.Text(event.FileName); name != "" {
			if c.byID[name]++; c.byID[name] > 1 {
				c.Errorf("event %s is there %d times", name, c.byID[name])
			}
		}
	}
}

// Whatever ends a run, a loss of power with what was not synced included: no
// number is given to two events, none comes twice, and what was on the disk comes.
func TestNoNumberTwiceOverCuts(t *testing.T) {
	actions := []event.Action{event.ProcessCreated, event.ProcessTerminated, event.ConnectionSuccess, event.DNSQueryResponse, event.LogonFailed, event.ServiceInstalled}
	for _, mode := range []struct {
		name           string
		limit, segment int64
	}{{"room", defaultEvent, 4 << 10}, {"drops", minSpool, 4 << 10}} {
		for seed := range uint64(12) {
			t.Run(fmt.Sprint(mode.name, " ", seed), func(t *testing.T) {
				c := newCuttable(t, seed, mode.limit, mode.segment)
				if mode.name == "drops" {
					for _, sp := range c.spools {
						sp.limit = 16 << 10
					}
				}
				kept, waits := []string{}, []string{}
				for n := range 120 {
					switch c.rnd.IntN(12) {
					case 0:
						c.cut()
						waits = nil
					case 1:
						c.kill()
						c.begin()
						waits = nil
					case 2:
						c.stop()
						kept, waits = append(kept, waits...), nil
						c.begin()
					case 3, 4, 5:
						c.session(1 + c.rnd.IntN(6))
					case 6, 7, 8:
						c.flush(t.Context())
						kept, waits = append(kept, waits...), nil
					default:
						a := actions[c.rnd.IntN(1+c.rnd.IntN(len(actions)))]
						for i := range 1 + c.rnd.IntN(12) {
							id := fmt.Sprintf("event %d.%d", n, i)
							c.put(a, id)
							waits = append(waits, id)
						}
					}
				}
				for range 200 {
					c.session(50)
				}
				for _, id := range kept {
					if mode.name == "room" && c.byID[id] != 1 {
						t.Errorf("%s was on the disk and is not at the server", id)
					}
				}
			})
		}
	}
}

// A directory that was put back from a copy has numbers of batches that the server
// knows: what was kept under them since is not taken for known.
func TestCopyOfTheSpoolLosesNothing(t *testing.T) {
	d := newMemDisk()
	s := mustOpenSpool(t, d, 1<<20)
	mustAppend(t, s, "old")
	copied := d.clone()
	for range 3 {
		s = mustOpenSpool(t, d, 1<<20)
	}
	mustAppend(t, s, "elsewhere")
	last, _ := s.next(0)
	for r, ok := last, true; ok; r, ok = s.next(last.Seq) {
		last = r
	}
	s = mustOpenSpool(t, copied, 1<<20)
	mustAppend(t, s, "since")
	s.welcomed(last.Seq)
	r, ok := s.next(last.Seq)
	if !ok || string(r.Payload) != "since" {
		t.Errorf("behind the server's number there is %q", r.Payload)
	}
	if _, ok := s.next(r.Seq); ok || s.stats().Queued != 1 {
		t.Errorf("%d records are left, want 1", s.stats().Queued)
	}
}

// A spool from which everything went begins behind what it gave out.
func TestEmptySpoolGoesOnCounting(t *testing.T) {
	d := newMemDisk()
	s := mustOpenSpool(t, d, 1<<20)
	s.segBytes = 1
	s.lift(1 << 30)
	last := mustAppend(t, s, "only")
	s.ack(last)
	if d.segments() != 0 {
		t.Fatal("the test wants an empty directory")
	}
	s = mustOpenSpool(t, d, 1<<20)
	if seq := mustAppend(t, s, "next"); seq <= last {
		t.Errorf("number %d after %d", seq, last)
	}
}

// The last segment, of which everything was acknowledged, goes when a later run
// begins another: the numbers in it stay given.
func TestNumbersOutliveTheLastSegment(t *testing.T) {
	c := newCuttable(t, 1, defaultEvent, 0)
	c.put(event.LogonFailed, "before")
	c.flush(t.Context())
	c.kill()
	c.begin()
	for c.stats(protocol.StreamDetection).Queued > 0 {
		c.session(9)
	}
	c.put(event.ServiceInstalled, "other")
	c.flush(t.Context())
	c.removed = map[string][]byte{}
	c.cut()
	c.put(event.LogonFailed, "after")
	c.flush(t.Context())
	for c.byID["after"] == 0 && !t.Failed() {
		c.session(9)
	}
}

// What is dropped for want of room may have been sent.
func TestNumbersOutliveWhatIsDropped(t *testing.T) {
	c := newCuttable(t, 1, defaultEvent, 0)
	sp := c.spools[protocol.StreamDetection]
	sp.limit, sp.segBytes = 16<<10, 4<<10
	c.put(event.LogonFailed, "before")
	c.flush(t.Context())
	for after := uint64(0); c.byID["before"] == 0; {
		p, ok := c.next(protocol.StreamDetection, after)
		if !ok {
			t.Fatal("it was not sent")
		}
		c.take(protocol.StreamDetection, p) // and the answer is lost
		after = p.seq
	}
	for i := range 100 {
		c.put(event.ServiceInstalled, fmt.Sprint("other ", i))
		c.flush(t.Context())
	}
	if sp.stats().Dropped == 0 {
		t.Fatal("the test wants something to be dropped")
	}
	c.removed = map[string][]byte{}
	c.cut()
	c.put(event.LogonFailed, "after")
	c.flush(t.Context())
	for c.byID["after"] == 0 && !t.Failed() {
		c.session(9)
	}
}

// While the numbers cannot be made durable, what holds them stays.
func TestNumbersThatCannotBeSyncedKeepTheirSegment(t *testing.T) {
	c := newCuttable(t, 1, defaultEvent, 1)
	c.put(event.LogonFailed, "one")
	c.flush(t.Context())
	sp := c.spools[protocol.StreamDetection]
	sp.removing = func() error { return errFull }
	for after := uint64(0); ; {
		p, ok := c.next(protocol.StreamDetection, after)
		if !ok {
			break
		}
		after = p.seq
		c.acked(protocol.StreamDetection, after)
	}
	if len(sp.segs) == 0 || sp.stats().Queued != 0 {
		t.Errorf("%d segments and %d batches are left", len(sp.segs), sp.stats().Queued)
	}
}

// A pause says since when nothing was recorded, to the last sign of life, and
// that nobody knows how many events are missing; what a kill cost is counted.
func TestPauseIsToldExactly(t *testing.T) {
	for _, how := range []string{"kill", "cut"} {
		t.Run(how, func(t *testing.T) {
			c := newCuttable(t, 1, defaultEvent, 0)
			c.put(event.ProcessCreated, "early")
			c.flush(t.Context())
			time.Sleep(50 * time.Millisecond)
			before := c.clock.Now()
			c.put(event.ProcessCreated, "before")
			c.flush(t.Context())
			after := c.clock.Now()
			if how == "kill" {
				c.put(event.ProcessCreated, "in memory")
			}
			time.Sleep(50 * time.Millisecond)
			if how == "kill" {
				c.kill()
				c.begin()
			} else {
				_ = c.numbers.sync()                                                                 // the test's
				c.durable = append(c.durable[:16:16], append(make([]byte, 8), c.durable[24:]...)...) // the sign of life is old
				c.cut()
			}
			c.flush(t.Context())
			c.drain()
			kinds, counted := map[string]bool{}, 0
			for _, e := range c.sent {
				if e.Action != event.SensorEventsLost {
					continue
				}
				var times struct{ Since, Until time.Time }
				if err := json.Unmarshal([]byte(e.Text(event.AdditionalFields)), &times); err != nil {
					t.Fatal(err)
				}
				if times.Since.Before(before.Add(-time.Millisecond)) || times.Since.After(after) || !times.Until.Equal(e.Time) || !times.Until.After(after.Add(40*time.Millisecond)) {
					t.Errorf("%s: from %s to %s, the last sign of life was from %s to %s", e.Text(event.Reason), times.Since, times.Until, before, after)
				}
				if n, ok := e.Get(event.EventCount); ok {
					counted += int(n.Number)
				} else {
					kinds[e.Text(event.LostKind)] = true
				}
			}
			want := 0
			if how == "kill" {
				want = 1
			}
			if len(kinds) != len(passing) || counted != want {
				t.Errorf("of %v nobody knows how many, of others %d; want %v and %d", kinds, counted, passing, want)
			}
		})
	}
}
