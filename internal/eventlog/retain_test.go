package eventlog

import (
	"fmt"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/inventory"
)

// mixed is a batch of process and network events of a day; the process events are ten times as large.
func mixed(seq uint64, at time.Time, n int) Batch {
	b := Batch{Device: inventory.DeviceID(fmt.Sprintf("%040x", 1)), Stream: 1, Seq: seq, Received: at, Count: 2 * n}
	for i := range n {
		p := event.Event{Action: event.ProcessCreated, Seq: (seq-1)*uint64(n) + uint64(i) + 1, Time: at.Add(time.Duration(i) * time.Millisecond)}
		text := make([]byte, 400)
		for j := range text {
			text[j] = byte('a' + (i*31+j*7+int(seq))%26)
		}
		p.Set(event.ProcessCommandLine, string(text))
		c := event.Event{Action: event.ConnectionSuccess, Seq: p.Seq, Time: p.Time}
		c.Set(event.RemoteIP, "10.0.0.1")
		b.Records, _ = event.Append(b.Records, &p)
		b.Records, _ = event.Append(b.Records, &c)
	}
	return b
}

func settled(e *Engine) {
	e.SealNow()
	for e.Stats().MemRows > 0 {
		time.Sleep(time.Millisecond)
	}
}

func holding(e *Engine, k event.Kind, now time.Time) Holding {
	for _, h := range e.Holdings(now) {
		if h.Kind == k {
			return h
		}
	}
	return Holding{}
}

// A kind with a bound of its own loses its oldest days and no other kind does.
func TestRetainByKindAndSize(t *testing.T) {
	e := openTest(t, t.TempDir(), Options{})
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for d := range 5 {
		put(t, e, mixed(uint64(d+1), now.AddDate(0, 0, d-6), 500))
		settled(e)
	}
	before, other := holding(e, event.Process, now), holding(e, event.Network, now)
	if before.Events != 2500 || other.Events != 2500 || before.Bytes < 4*other.Bytes || !before.Oldest.Equal(now.AddDate(0, 0, -6)) {
		t.Fatalf("process %+v, network %+v", before, other)
	}
	if before.Day != 0 {
		t.Errorf("%d bytes of the last day, there are none", before.Day)
	}
	if err := e.Retain(t.Context(), Policy{KindBytes: map[event.Kind]int64{event.Process: before.Bytes * 11 / 20}}, now); err != nil {
		t.Fatal(err)
	}
	after := holding(e, event.Process, now)
	if after.Events != 1000 || after.Bytes > before.Bytes*11/20 || !after.Oldest.Equal(now.AddDate(0, 0, -3)) {
		t.Errorf("process %+v", after)
	}
	if n := holding(e, event.Network, now); n.Events != 2500 {
		t.Errorf("network %+v", n)
	}
	put(t, e, mixed(6, now.Add(-time.Hour), 10)) // in memory
	if h := holding(e, event.Process, now); h.Events != 1010 || h.Day == 0 {
		t.Errorf("with what is in memory %+v", h)
	}
}

// Writing a segment anew does not keep tables that wait from being sealed, so that
// nothing that comes in waits for it.
func TestRetentionHoldsNothingUp(t *testing.T) {
	e := openTest(t, t.TempDir(), Options{})
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	put(t, e, mixed(1, now.AddDate(0, 0, -3), 3*sealWithin))
	settled(e)
	e.mu.RLock()
	segs := []*segment{e.segs[0]}
	e.mu.RUnlock()
	waiting := func() int {
		e.mu.RLock()
		defer e.mu.RUnlock()
		return len(e.frozen)
	}
	n, left := 0, -1
	done := make(chan error)
	e.work <- func() {
		done <- e.rewrite(segs, func(*row) bool {
			if n++; n == 1 { // the disk is busy with old events; new ones come in
				for seq := range uint64(2) {
					if _, err := e.Append(t.Context(), mixed(seq+2, now, 5)); err != nil {
						t.Error(err)
					}
					e.SealNow()
				}
				if waiting() != 2 {
					t.Errorf("%d tables wait, want 2", waiting())
				}
			}
			left = waiting()
			return false
		})
	}
	if err := <-done; err != nil || n != 6*sealWithin || left != 0 {
		t.Errorf("%d rows, %d tables waited to the end, %v", n, left, err)
	}
}
