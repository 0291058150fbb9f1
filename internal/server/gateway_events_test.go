package server

import (
	"errors"
	"testing"
	"time"

	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/protocol"
)

// happening packs events that follow each other by a second.
func happening(t *testing.T, stream int, seq uint64, events ...ev.Event) *protocol.Events {
	t.Helper()
	var b []byte
	for i := range events {
		var err error
		if b, err = ev.Append(b, &events[i]); err != nil {
			t.Fatal(err)
		}
	}
	e, err := protocol.NewEvents(stream, seq, b, len(events))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Events are acknowledged when they are kept; what cannot be read is counted
// and acknowledged; a failure ends the session, so that nothing is kept out of order.
func TestEventsAreAcknowledged(t *testing.T) {
	s := newSite(t)
	a := s.enroll(newKey(t))
	if w := a.connect("", home); len(w.Events) != 0 {
		t.Fatalf("events are kept of a new device: %v", w.Events)
	}
	one := ev.Event{Action: ev.ProcessCreated, Seq: 1, Time: time.Now()}
	a.send(&protocol.Message{Events: happening(t, 1, 7, one)})
	want := protocol.Stream{Stream: 1, Seq: 7}
	if m := a.recv(); m.Ack == nil || len(m.Ack.Events) != 1 || m.Ack.Events[0] != want {
		t.Fatalf("answer %+v", m)
	}
	bad := happening(t, 1, 8, one)
	bad.Count = 5
	a.send(&protocol.Message{Events: bad})
	if m := a.recv(); m.Ack == nil || len(m.Ack.Events) != 1 || m.Ack.Events[0].Seq != 8 {
		t.Fatalf("answer to what cannot be read: %+v", m)
	}
	s.g.mu.Lock()
	n := s.g.signs[a.id].Rejected
	s.g.mu.Unlock()
	if n != 1 {
		t.Errorf("%d counted, want 1", n)
	}
	a.bye()
	if w := a.connect(a.last.Nonce, home); len(w.Events) != 1 || w.Events[0] != want {
		t.Errorf("welcome says %v", w.Events)
	}
	s.b.mu.Lock()
	s.b.failEvents = errors.New("disk")
	s.b.mu.Unlock()
	a.send(&protocol.Message{Events: happening(t, 1, 9, one)})
	if m := a.recv(); m.Refusal == nil || m.Refusal.Code != protocol.RefusedBusy {
		t.Errorf("answer when nothing can be kept: %+v", m)
	}
}

// An agent is told to hold its events when the log is behind, and for how long; and while they wait
// for a disk, again and for longer each time, and not any more once they are kept.
func TestEventsBehindSlowAgents(t *testing.T) {
	s := newSite(t)
	s.g.slowAfter = 60 * time.Millisecond
	a := s.enroll(newKey(t))
	a.connect("", home)
	one := ev.Event{Action: ev.ProcessCreated, Seq: 1, Time: time.Now()}
	set := func(behind time.Duration, hold chan struct{}) {
		s.b.mu.Lock()
		defer s.b.mu.Unlock()
		s.b.behind, s.b.holdEvents = behind, hold
	}
	acked := func(seq uint64) {
		t.Helper()
		if m := a.recv(); m.Ack == nil || len(m.Ack.Events) != 1 || m.Ack.Events[0].Seq != seq {
			t.Fatalf("answer %+v, want that %d is kept and nothing else", m, seq)
		}
	}
	a.send(&protocol.Message{Events: happening(t, 1, 1, one)})
	acked(1) // nothing is behind: nobody is slowed
	for _, c := range []struct{ behind, want time.Duration }{{3 * time.Second, 3 * time.Second}, {time.Millisecond, 60 * time.Millisecond}, {time.Hour, mostSlow}} {
		set(c.behind, nil)
		a.send(&protocol.Message{Events: happening(t, 1, 2, one)})
		if m := a.recv(); m.Slow == nil || m.Slow.Millis != int(c.want.Milliseconds()) {
			t.Fatalf("answer %+v when the log is behind by %v, want a pause of %v", m, c.behind, c.want)
		}
		acked(2)
	}
	hold := make(chan struct{})
	set(0, hold)
	a.send(&protocol.Message{Events: happening(t, 1, 3, one)})
	last := 0
	for range 3 {
		m := a.recv()
		if m.Slow == nil || m.Slow.Millis < 60 || m.Slow.Millis < last {
			t.Fatalf("answer %+v while the disk holds, want a pause of at least %d ms", m, last)
		}
		last = m.Slow.Millis
	}
	close(hold)
	set(0, nil)
	for m := a.recv(); m.Ack == nil; m = a.recv() {
		if m.Slow == nil {
			t.Fatalf("answer %+v", m)
		}
	}
	time.Sleep(3 * s.g.slowAfter)
	a.send(&protocol.Message{Events: happening(t, 1, 4, one)})
	acked(4) // nothing came in between
}
