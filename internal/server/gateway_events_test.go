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
