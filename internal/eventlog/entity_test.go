package eventlog

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
)

func accountRow(t *testing.T, dev uint32, name string) *row {
	t.Helper()
	e := event.Event{Action: event.ProcessCreated, Seq: 1, Time: time.Unix(1, 0)}
	e.Set(event.AccountName, name)
	b, err := event.Append(nil, &e)
	if err != nil {
		t.Fatal(err)
	}
	rec, _, err := event.Next(b)
	if err != nil {
		t.Fatal(err)
	}
	return &row{dev: dev, time: 1, rec: rec}
}

// A device with too many entities takes no room from others, and what is left
// out is counted.
func TestEntitiesAreBounded(t *testing.T) {
	var s entitySet
	for n := range mostOfDevice + 100 {
		s.add(accountRow(t, 1, fmt.Sprint("user", n)), 0)
	}
	s.add(accountRow(t, 1, "user0"), 0) // there is one already
	s.endDevice()
	s.add(accountRow(t, 2, "user0"), 1)
	s.endDevice()
	if len(s.all) != mostOfDevice+1 || s.dropped != 100 || s.all[0].count != 2 || s.all[mostOfDevice].dev != 2 {
		t.Errorf("%d entries, %d dropped, first %+v", len(s.all), s.dropped, s.all[0])
	}
}

// Damage in the index costs its page, is counted, and the rest is found.
func TestDamagedEntities(t *testing.T) {
	dir := t.TempDir()
	e := openTest(t, dir, Options{})
	at := time.Unix(1764150000, 0)
	for dev := range 1000 {
		b := Batch{Device: testBatch(dev+1, 1, 0).Device, Stream: 1, Seq: 1, Received: at, Count: 1}
		x := event.Event{Action: event.ProcessCreated, Seq: 1, Time: at}
		x.Set(event.AccountName, "root")
		x.Set(event.FileName, "sh")
		b.Records, _ = event.Append(nil, &x)
		put(t, e, b)
	}
	e.SealNow()
	for e.Stats().MemRows > 0 {
		time.Sleep(time.Millisecond)
	}
	q := EntityQuery{Kind: event.EntityAccount, ID: "root", Scope: Everything()}
	if got, cost, err := e.Sightings(t.Context(), q); err != nil || cost.Damaged != 0 || len(got.Devices) != 1000 {
		t.Fatalf("%d devices, %+v, %v", len(got.Devices), cost, err)
	}
	s := e.segs[0]
	second, err := s.postingPage(1)
	if err != nil || s.foot.Entities.Pages < 2 || s.foot.Entities.Pages > s.foot.Entities.N/100 {
		t.Fatalf("%+v, %v", s.foot.Entities, err)
	}
	flip(t, s.path, s.foot.Entities.Off+pageBytes+10)
	got, cost, err := e.Sightings(t.Context(), q)
	if err != nil || cost.Damaged != 1 || len(got.Devices) != 1000-len(second) || got.Names[0].Name != event.AccountActed {
		t.Errorf("%d devices, %+v, %v, %v", len(got.Devices), cost, got.Names, err)
	}
}

// The newest events of an entity are read from where it was last, not by looking
// through a device's blocks.
func TestLatestReadsLittle(t *testing.T) {
	dir := t.TempDir()
	e := openTest(t, dir, Options{})
	for seq := range uint64(40) {
		put(t, e, testBatch(1, seq+1, 500))
	}
	at := time.Unix(1764150000, 0)
	b := Batch{Device: testBatch(1, 1, 0).Device, Stream: 2, Seq: 1, Received: at.Add(time.Hour), Count: 1}
	x := event.Event{Action: event.LogonSuccess, Seq: 1, Time: at.Add(20 * time.Second)}
	x.Set(event.AccountName, "alice")
	b.Records, _ = event.Append(nil, &x)
	put(t, e, b)
	e.SealNow()
	for e.Stats().MemRows > 0 {
		time.Sleep(time.Millisecond)
	}
	if n := e.segs[0].foot.Blocks.N; n < 20 {
		t.Fatalf("%d blocks are too few to tell", n)
	}
	rows, cost, err := e.Latest(t.Context(), EntityQuery{Kind: event.EntityAccount, ID: "alice", Scope: Everything()}, 10)
	if err != nil || len(rows) != 1 || cost.Blocks != 1 {
		t.Errorf("%d rows, %+v, %v", len(rows), cost, err)
	}
}

// Whatever the entries are, pages give them back in order, and hold as many as fit.
func TestPagesGiveBack(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	pick := func(few ...uint64) uint64 { return few[rng.IntN(len(few))] }
	const begin = -5
	for range 200 {
		var s entitySet
		for range rng.IntN(2000) {
			p := posting{key: pick(0, 1, rng.Uint64(), math.MaxUint64), dev: uint32(pick(0, 1, uint64(rng.Uint32()), math.MaxUint32)), name: uint32(pick(0, 7, uint64(rng.Uint32()))),
				count: uint32(pick(1, 300, math.MaxUint32)), block: uint32(pick(0, 90, math.MaxUint32)), first: begin + int64(pick(0, rng.Uint64()>>2))}
			p.last = p.first + int64(pick(0, 1, rng.Uint64()>>2))
			s.all = append(s.all, p)
		}
		var got []posting
		pages, err := s.pages(begin, func(b []byte) error {
			if len(b) != pageBytes {
				t.Fatalf("a page of %d bytes", len(b))
			}
			p, err := parsePage(b[:pageBytes-4], begin)
			got = append(got, p...)
			return err
		})
		if err != nil || !slices.Equal(got, s.all) || pages > 1+len(s.all)/60 {
			t.Fatalf("%d entries of %d in %d pages, %v", len(got), len(s.all), pages, err)
		}
	}
}

func FuzzPage(f *testing.F) {
	p := posting{key: 9, dev: 1, name: 2, count: 3, block: 4, first: 5, last: 6}
	f.Add(p.append([]byte{1, 0}, &posting{}, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 2 {
			return
		}
		if p, err := parsePage(b, 0); err == nil && (len(p) == 0 || len(p) > len(b)) {
			t.Fatalf("%d entries of %d bytes", len(p), len(b))
		}
	})
}
