package eventlog

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/inventory"
)

// inMaintenance runs f where segments are changed, and waits for it.
func inMaintenance(e *Engine, f func()) {
	done := make(chan struct{})
	e.work <- func() {
		defer close(done)
		f()
	}
	<-done
}

// However fast tables come, so that sealing never ends, few segments are without a tally:
// a month of a device is read from few places all the time.
func TestTalliesWhileTablesCome(t *testing.T) {
	e := openTest(t, t.TempDir(), Options{})
	most := 0
	var failed error
	inMaintenance(e, func() {
		for n := range 5 * tallyAt {
			_, err := e.Append(t.Context(), hourly(1, uint64(n+1), tallyNow.AddDate(0, 0, n-5*tallyAt)))
			failed = errors.Join(failed, err)
			e.SealNow()
			e.seal()
			most = max(most, len(e.loose))
		}
	})
	if failed != nil || most > tallyAt || len(e.tallies) == 0 || len(e.tallies) > 6 {
		t.Errorf("%d segments without a tally, %d tallies, %v", most, len(e.tallies), failed)
	}
	if n, cost, reads := histogram(t, e, testBatch(1, 1, 0).Device); n != 4*30 || cost.Damaged != 0 || reads > int64(2*tallyAt+6) {
		t.Errorf("%d events of %d, %+v, %d reads", n, 4*30, cost, reads)
	}
}

// While a tally is made, tables that hold up writing are sealed, and no others.
func TestTallyLetsTablesWait(t *testing.T) {
	e := openTest(t, t.TempDir(), Options{})
	var left []int
	var failed error
	inMaintenance(e, func() {
		e.tallying = true
		for n := range maxFrozen + 1 {
			_, err := e.Append(t.Context(), hourly(1, uint64(n+1), tallyNow))
			failed = errors.Join(failed, err)
			e.SealNow()
		}
		e.seal()
		left = append(left, len(e.frozen))
		e.tallying = false
		e.seal()
		left = append(left, len(e.frozen))
	})
	if failed != nil || !slices.Equal(left, []int{maxFrozen, 0}) {
		t.Errorf("%v tables wait, want %d and none; %v", left, maxFrozen, failed)
	}
}

// What is known of the devices together is there as soon as it was read, in the middle of a
// merge, and reading it gives way to others as merging does.
func TestSummaryWhileMerging(t *testing.T) {
	waits, over := make(chan struct{}), make(chan time.Time)
	e := openTest(t, t.TempDir(), Options{patience: func() <-chan time.Time {
		waits <- struct{}{}
		return over
	}})
	for n := range sealWithin + 1 { // devices
		put(t, e, hourly(n+1, 1, tallyNow))
	}
	settled(e)
	segs := slices.Clone(e.segs)
	v := e.view() // there is somebody who reads
	merged := make(chan error, 1)
	e.work <- func() {
		e.mu.Lock()
		e.sum = nil
		e.mu.Unlock()
		e.summing = summing{}
		e.summarise()
		merged <- e.rewrite(segs, nil)
	}
	for range 2 { // both wait: the merge, and what reads the numbers
		<-waits
	}
	over <- time.Time{}
	over <- time.Time{}
	<-waits // the merge, at its next step
	there := func() bool {
		e.mu.RLock()
		defer e.mu.RUnlock()
		return e.sum != nil
	}
	for len(e.summed) == 0 && !there() { // until the numbers were read
		time.Sleep(time.Millisecond)
	}
	over <- time.Time{}
	<-waits // and at the one behind
	if !there() {
		t.Error("the numbers are not there while the merge goes on")
	}
	v.release()
	if err := <-merged; err != nil {
		t.Error(err)
	}
}

// A page of what is rare reads little before the numbers of the devices are known, too.
func TestRarePageBeforeSummary(t *testing.T) {
	e := month(t, t.TempDir())
	e.Summarised()
	done := make(chan struct{})
	e.summed <- func() { // only maintenance changes it
		e.mu.Lock()
		e.sum = nil
		e.mu.Unlock()
		e.summing.broken = true // or they would be read again at once
		close(done)
	}
	<-done
	for a, want := range map[event.Action]int{event.LogonSuccess: 3, event.ConnectionSuccess: 0} {
		before := e.reads()
		rows, _, cost, err := e.Page(t.Context(), Query{Scope: Only(testBatch(7, 1, 0).Device), Actions: []event.Action{a}}, Cursor{}, 30)
		if reads := e.reads() - before; err != nil || len(rows) != want || cost.Damaged != 0 || reads > 60 {
			t.Errorf("%v: %d rows of %d, %+v, %d reads of %d segments, %v", a, len(rows), want, cost, reads, len(e.segs), err)
		}
	}
}

// A question about few devices looks at those and at no other, however many there are.
func TestFewAreLookedUp(t *testing.T) {
	ids := make([]inventory.DeviceID, 1000)
	numbers := map[inventory.DeviceID]uint32{}
	for i := range ids {
		ids[i] = testBatch(i+1, 1, 0).Device
		numbers[ids[i]] = uint32(i + 1)
	}
	asked := 0
	v := &view{ids: ids, number: func(d inventory.DeviceID) (uint32, bool) {
		asked++
		n, ok := numbers[d]
		return n, ok
	}}
	if got := v.wanted(Only(ids[900], ids[4], "unknown")); !slices.Equal(got, []uint32{5, 901}) || asked != 3 {
		t.Errorf("%v, %d were looked up", got, asked)
	}
	table := newMemTable(1)
	for i := range ids {
		table.devs[uint32(i+1)] = &memDevice{sorted: true}
	}
	if got := v.in(table, Only(ids[4]), []uint32{5}); !slices.Equal(got, []uint32{5}) || cap(got) > 1 {
		t.Errorf("%v", got)
	}
	if got := v.wanted(Only(ids[:100]...)); len(got) != 100 || asked != 3 {
		t.Errorf("%d of 100, %d were looked up", len(got), asked)
	}
	ids[4] = "" // it was forgotten
	if got := v.wanted(Only(testBatch(5, 1, 0).Device)); len(got) != 0 {
		t.Errorf("%v", got)
	}
}
