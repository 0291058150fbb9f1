package agent

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/protocol"
)

// put makes n events of an action.
func (r *rig) put(a event.Action, n int) {
	for i := range n {
		e := &event.Event{Action: a, Time: time.Now()}
		e.Set(event.FileName, fmt.Sprint(i))
		r.a.events.Put(e)
	}
}

func (r *rig) events() []event.Event {
	r.f.mu.Lock()
	defer r.f.mu.Unlock()
	return r.f.records[r.a.ident.id]
}

// account says which numbers of a kind are there, and which are said to be
// missing; every number up to last must be one of the two.
func (r *rig) account(k event.Kind, last uint64) (there, missing int) {
	r.t.Helper()
	state := make([]byte, last+1)
	for _, e := range r.events() {
		if e.Kind() == k && e.Seq <= last {
			if state[e.Seq] == 1 {
				r.t.Errorf("%s %d is there twice", k, e.Seq)
			}
			state[e.Seq] = 1
			there++
		}
	}
	for _, e := range r.events() {
		if e.Action != event.SensorEventsLost || e.Text(event.LostKind) != k.String() {
			continue
		}
		from, _ := e.Get(event.LostFrom)
		to, _ := e.Get(event.LostTo)
		for n := from.Number; n <= to.Number && n <= int64(last); n++ {
			if state[n] == 1 {
				r.t.Errorf("%s %d is there and said to be missing: %s", k, n, e.Text(event.Reason))
			}
			if state[n] == 0 {
				missing++
			}
			state[n] = 2
		}
	}
	for n := uint64(1); n <= last; n++ {
		if state[n] == 0 {
			r.t.Errorf("%s %d is neither there nor said to be missing", k, n)
		}
	}
	return there, missing
}

func TestEventsArriveOnce(t *testing.T) {
	f := newFakeServer(t)
	state := filepath.Join(t.TempDir(), "s")
	r := newRig(t, f, state)
	r.put(event.ProcessCreated, 5000)
	r.put(event.LogonSuccess, 3)
	r.a.events.flush(t.Context())
	r.mustSync()
	for i := range protocol.NumStreams {
		if n := r.a.events.stats(i).Queued; n != 0 {
			t.Errorf("%d batches of stream %d are queued after their acknowledgement", n, i)
		}
	}
	r.a.close()
	r = newRig(t, f, state)
	r.put(event.ProcessCreated, 10)
	r.a.events.flush(t.Context())
	r.mustSync()
	if there, missing := r.account(event.Process, 5010); there != 5010 || missing != 0 {
		t.Errorf("%d processes there, %d missing", there, missing)
	}
	if there, _ := r.account(event.Logon, 3); there != 3 {
		t.Errorf("%d logons there", there)
	}
	if e := r.events()[0]; e.Kind() != event.Logon {
		t.Errorf("the first event that came is %s, logons go first", e.Action)
	}
}

// An agent whose events were not acknowledged sends them again, with the same
// number, and the server has each once.
func TestEventsAreSentAgain(t *testing.T) {
	f := newFakeServer(t)
	r := newRig(t, f, filepath.Join(t.TempDir(), "s"))
	r.put(event.ProcessCreated, 20)
	r.a.events.flush(t.Context())
	times := 0
	f.takes = func(e *protocol.Events) []*protocol.Message {
		if times++; times > 1 {
			return nil
		}
		f.keepEvents(r.a.ident.id, e) // kept, and the answer is lost with the connection
		f.conn.CloseNow()
		return []*protocol.Message{}
	}
	r.mustSync()
	if there, missing := r.account(event.Process, 20); there != 20 || missing != 0 {
		t.Errorf("%d there, %d missing", there, missing)
	}
	if n := r.a.events.stats(protocol.StreamActivity).Queued; n != 0 {
		t.Errorf("%d batches are still queued", n)
	}
}

func TestOlderServerGetsNoEvents(t *testing.T) {
	f := newFakeServer(t)
	f.version = eventsVersion - 1
	r := newRig(t, f, filepath.Join(t.TempDir(), "s"))
	r.put(event.ProcessCreated, 3)
	r.a.events.flush(t.Context())
	r.mustSync()
	if n := len(r.events()); n != 0 {
		t.Errorf("%d events were sent", n)
	}
	select {
	case <-r.a.events.allowed:
		t.Error("sources may run")
	default:
	}
	if got := r.a.lastSession().Server; got != eventsVersion-1 {
		t.Errorf("the server that was there last speaks %d", got)
	}
}

// unpackEvents returns the events of a batch.
func unpackEvents(t *testing.T, p payload) (out []event.Event) {
	t.Helper()
	raw, err := (&protocol.Events{Packed: p.packed, Count: p.count}).Records()
	if err != nil {
		t.Fatal(err)
	}
	for len(raw) > 0 {
		var rec event.Record
		if rec, raw, err = event.Split(raw); err != nil {
			t.Fatal(err)
		}
		out = append(out, rec.Event())
	}
	return out
}

// A server that asks for it gets no events for a while.
func TestSlowHoldsEvents(t *testing.T) {
	f := newFakeServer(t)
	r := newRig(t, f, filepath.Join(t.TempDir(), "s"))
	const batches = 12
	for range batches {
		r.put(event.ProcessCreated, 5)
		r.a.events.flush(t.Context())
	}
	var asked, last time.Time
	f.takes = func(e *protocol.Events) []*protocol.Message {
		last = time.Now()
		ack := f.keepEvents(r.a.ident.id, e)
		if asked.IsZero() {
			asked = time.Now()
			return append([]*protocol.Message{{Slow: &protocol.Slow{Millis: 900}}}, ack...)
		}
		return ack
	}
	r.mustSync()
	if there, missing := r.account(event.Process, 5*batches); there != 5*batches || missing != 0 {
		t.Errorf("%d there, %d missing", there, missing)
	}
	if waited := last.Sub(asked); waited < 800*time.Millisecond {
		t.Errorf("the last events came %s after the server had asked for a pause", waited)
	}
}
