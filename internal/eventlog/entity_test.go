package eventlog

import (
	"fmt"
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
	for dev := range 300 {
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
	if got, cost, err := e.Sightings(t.Context(), q); err != nil || cost.Damaged != 0 || len(got.Devices) != 300 {
		t.Fatalf("%d devices, %+v, %v", len(got.Devices), cost, err)
	}
	s := e.segs[0]
	flip(t, s.path, s.foot.Entities.Off+pageBytes+10) // the second page
	got, cost, err := e.Sightings(t.Context(), q)
	if err != nil || cost.Damaged != 1 || len(got.Devices) != 200 || got.Names[0].Name != event.AccountActed {
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
