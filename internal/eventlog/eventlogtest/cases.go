package eventlogtest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/inventory"
)

func testOnce(t *testing.T, open Open) {
	dir := t.TempDir()
	l := open(t, dir)
	b := Batch(Device(0), 1, 5, Event(event.ProcessCreated, 1, Base, "once"))
	type answer struct {
		fresh bool
		err   error
	}
	answers := make(chan answer)
	for range 20 {
		go func() {
			fresh, err := l.Append(context.Background(), b)
			answers <- answer{fresh, err}
		}()
	}
	fresh := 0
	for range 20 {
		a := <-answers
		if a.err != nil {
			t.Error(a.err)
		}
		if a.fresh {
			fresh++
		}
	}
	if fresh != 1 {
		t.Errorf("the same batch is fresh %d times", fresh)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, dir)
	defer func() { _ = l.Close() }()
	for seq, want := range map[uint64]bool{5: false, 4: false, 6: true} {
		b.Seq = seq
		if fresh, err := l.Append(t.Context(), b); err != nil || fresh != want {
			t.Errorf("number %d after reopening: fresh %v, %v", seq, fresh, err)
		}
	}
	if n := count(t, l, eventlog.Query{Scope: eventlog.Everything()}); n != 2 {
		t.Errorf("%d events, want 2", n)
	}
	if got := l.Mark(Device(0), 1); got != 6 {
		t.Errorf("mark %d, want 6", got)
	}
	b.Stream, b.Seq = 0, 1
	if fresh, err := l.Append(t.Context(), b); err != nil || !fresh {
		t.Errorf("another stream's numbers are its own: %v, %v", fresh, err)
	}
}

func testScope(t *testing.T, open Open, settle func(Closer)) {
	l := open(t, t.TempDir())
	defer func() { _ = l.Close() }()
	for i := range 3 {
		if _, err := l.Append(t.Context(), Batch(Device(i), 0, 1, Event(event.ProcessCreated, 1, Base, "x"))); err != nil {
			t.Fatal(err)
		}
	}
	settle(l)
	many := []inventory.DeviceID{Device(2)}
	for i := range 100 {
		many = append(many, Device(1000+i))
	}
	for _, c := range []struct {
		scope eventlog.Scope
		want  int
	}{{eventlog.Only(many...), 1}, {eventlog.Scope{}, 0}, {eventlog.Only(), 0}, {eventlog.Only(Device(1)), 1}, {eventlog.Everything(), 3}} {
		if n := count(t, l, eventlog.Query{Scope: c.scope}); n != c.want {
			t.Errorf("scan within %v: %d events, want %d", c.scope, n, c.want)
		}
		counts, _, err := l.Counts(t.Context(), eventlog.Query{Scope: c.scope, From: Base.Truncate(time.Hour), To: Base.Truncate(time.Hour).Add(time.Hour)}, time.Hour)
		n := 0
		for _, x := range counts {
			n += x.N
		}
		if err != nil || n != c.want {
			t.Errorf("counts within %v: %d, want %d, %v", c.scope, n, c.want, err)
		}
	}
	if _, _, _, err := l.Page(t.Context(), eventlog.Query{Scope: eventlog.Everything()}, eventlog.Cursor{}, 10); err == nil {
		t.Error("a page of more than one device")
	}
}

func testForget(t *testing.T, open Open, settle func(Closer)) {
	dir := t.TempDir()
	l := open(t, dir)
	put := func(n int, seq uint64) {
		t.Helper()
		if fresh, err := l.Append(t.Context(), Batch(Device(n), 0, seq, Event(event.ProcessCreated, seq, Base, "x"))); err != nil || !fresh {
			t.Fatal(fresh, err)
		}
	}
	put(0, 1)
	put(1, 1)
	if err := l.Forget(t.Context(), Device(0)); err != nil {
		t.Fatal(err)
	}
	for _, again := range []bool{false, true} {
		if again {
			settle(l)
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			l = open(t, dir)
		}
		if n := count(t, l, eventlog.Query{Scope: eventlog.Everything()}); n != 1 {
			t.Errorf("after reopening %v: %d events, want the other device's 1", again, n)
		}
	}
	put(0, 1) // it may come back with the numbers that it had
	if n := count(t, l, eventlog.Query{Scope: eventlog.Only(Device(0))}); n != 1 {
		t.Errorf("%d events of the device that came back, want 1", n)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func testRetain(t *testing.T, open Open, settle func(Closer)) {
	l := open(t, t.TempDir())
	defer func() { _ = l.Close() }()
	var seq uint64
	for day := range 10 {
		for range 50 {
			seq++
			at := Base.Add(time.Duration(day) * 24 * time.Hour)
			b := Batch(Device(0), 0, seq, Event(event.ProcessCreated, seq, at, "x"), Event(event.ConnectionSuccess, seq, at, "y"))
			if _, err := l.Append(t.Context(), b); err != nil {
				t.Fatal(err)
			}
		}
		settle(l)
	}
	now := Base.Add(10 * 24 * time.Hour)
	p := eventlog.Policy{Age: 6*24*time.Hour + 13*time.Hour, Kinds: map[event.Kind]time.Duration{event.Network: 3*24*time.Hour + 13*time.Hour}}
	if err := l.Retain(t.Context(), p, now); err != nil {
		t.Fatal(err)
	}
	for a, days := range map[event.Action]int{event.ProcessCreated: 6, event.ConnectionSuccess: 3} {
		if n := count(t, l, eventlog.Query{Scope: eventlog.Everything(), Actions: []event.Action{a}}); n != days*50 {
			t.Errorf("%s: %d left, want %d", a, n, days*50)
		}
	}
	if err := l.Retain(t.Context(), eventlog.Policy{Bytes: 1}, now); err != nil {
		t.Fatal(err)
	}
	if n := count(t, l, eventlog.Query{Scope: eventlog.Everything()}); n != 0 {
		t.Errorf("%d events left within 1 byte", n)
	}
	if l.Mark(Device(0), 0) != seq {
		t.Error("what was removed by age would be taken once more")
	}
}

func testRuns(t *testing.T, open Open, settle func(Closer)) {
	l := open(t, t.TempDir())
	defer func() { _ = l.Close() }()
	for i, seq := range []uint64{1, 2, 3, 7, 8, 4, 20} {
		b := Batch(Device(0), 0, uint64(i+1), Event(event.ProcessCreated, seq, Base.Add(time.Duration(seq)*time.Second), "x"))
		if _, err := l.Append(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if i == 3 {
			settle(l)
		}
	}
	runs, err := l.Runs(t.Context(), Device(0))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range runs {
		got = append(got, fmt.Sprintf("%s %d-%d %d-%d", r.Kind, r.From, r.To, int(r.First.Sub(Base).Seconds()), int(r.Last.Sub(Base).Seconds())))
	}
	if want := []string{"process 1-4 1-4", "process 7-8 7-8", "process 20-20 20-20"}; !slices.Equal(got, want) {
		t.Errorf("runs %v, want %v", got, want)
	}
}

// The clock of an endpoint puts no event far from when it was received.
func testTimes(t *testing.T, open Open) {
	l := open(t, t.TempDir())
	defer func() { _ = l.Close() }()
	for i, at := range []time.Time{Base.AddDate(100, 0, 0), Base.AddDate(-30, 0, 0), Base} {
		b := Batch(Device(0), 0, uint64(i+1), Event(event.ProcessCreated, uint64(i+1), at, "x"))
		b.Received = Base.Add(time.Hour)
		b.Skew = 10 * time.Minute
		if _, err := l.Append(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	rows, _, _, err := l.Page(t.Context(), eventlog.Query{Scope: eventlog.Only(Device(0))}, eventlog.Cursor{}, 10)
	if err != nil || len(rows) != 3 {
		t.Fatal(len(rows), err)
	}
	recv := Base.Add(time.Hour)
	for i, want := range []time.Time{recv.Add(time.Minute), Base.Add(10 * time.Minute), recv.Add(-60 * 24 * time.Hour)} {
		if !rows[i].Time.Equal(want) {
			t.Errorf("event %d at %s, want %s", i, rows[i].Time, want)
		}
	}
}
