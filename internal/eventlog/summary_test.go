package eventlog_test

import (
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/eventlog/eventlogtest"
)

// The newest page of a device and what is missing of it ask no segment that they
// have nothing from: an index that cannot be read hinders neither. After a start
// the numbers are read once; what was not readable then is asked for again.
func TestNewestPageAsksNoOldSegment(t *testing.T) {
	dir := t.TempDir()
	e, err := eventlog.Open(dir, eventlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	d := eventlogtest.Device(0)
	for day := range 3 {
		at := eventlogtest.Base.Add(time.Duration(day) * 24 * time.Hour)
		var events []event.Event
		for i := range 10 {
			events = append(events, eventlogtest.Event(event.ProcessCreated, uint64(10*day+i+1), at.Add(time.Duration(i)*time.Second), "x"))
		}
		if _, err := e.Append(t.Context(), eventlogtest.Batch(d, 0, uint64(day+1), events...)); err != nil {
			t.Fatal(err)
		}
		settle(e)
	}
	e.Summarised()
	e.SpoilIndex()
	rows, _, cost, err := e.Page(t.Context(), eventlog.Query{Scope: eventlog.Only(d)}, eventlog.Cursor{}, 9)
	if err != nil || len(rows) != 9 || cost.Damaged != 0 || cost.Segments != 1 {
		t.Errorf("%d rows, %+v, %v", len(rows), cost, err)
	}
	runs, err := e.Runs(t.Context(), d)
	if err != nil || len(runs) != 1 || runs[0].To != 30 {
		t.Errorf("runs %v, %v", runs, err)
	}
	if rows, _, cost, err = e.Page(t.Context(), eventlog.Query{Scope: eventlog.Only(d)}, eventlog.Cursor{}, 100); err != nil || len(rows) != 20 || cost.Damaged != 1 {
		t.Errorf("all that can be read: %d rows, %+v, %v", len(rows), cost, err)
	}
}

// What is sealed while the numbers are being read is among them.
func TestSealedWhileSummarising(t *testing.T) {
	e, err := eventlog.Open(t.TempDir(), eventlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	d := eventlogtest.Device(0)
	for i := range 2 {
		b := eventlogtest.Batch(d, 0, uint64(i+1), eventlogtest.Event(event.ProcessCreated, uint64(i+1), eventlogtest.Base.Add(time.Duration(i)*time.Second), "x"))
		if _, err := e.Append(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			settle(e)
			e.Summarised()
		}
	}
	e.SealWhileSummarising()
	runs, err := e.Runs(t.Context(), d)
	if err != nil || len(runs) != 1 || runs[0].To != 2 {
		t.Errorf("runs %v, %v", runs, err)
	}
}
