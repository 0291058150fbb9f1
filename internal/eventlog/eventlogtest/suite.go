// Package eventlogtest is what every engine of the event log must pass.
package eventlogtest

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/inventory"
)

// Open opens an engine on a directory; closing is the suite's business.
type Open func(t *testing.T, dir string) Closer

// Closer is an engine that can be closed.
type Closer interface {
	eventlog.Log
	Close() error
}

// Run runs the suite. settle waits until an engine has done what it does
// behind the scenes; nil: nothing to wait for.
func Run(t *testing.T, open Open, settle func(Closer)) {
	if settle == nil {
		settle = func(Closer) {}
	}
	t.Run("against a model", func(t *testing.T) { testModel(t, open, settle) })
	t.Run("once", func(t *testing.T) { testOnce(t, open) })
	t.Run("scope", func(t *testing.T) { testScope(t, open, settle) })
	t.Run("forget", func(t *testing.T) { testForget(t, open, settle) })
	t.Run("retain", func(t *testing.T) { testRetain(t, open, settle) })
	t.Run("times", func(t *testing.T) { testTimes(t, open) })
	t.Run("runs", func(t *testing.T) { testRuns(t, open, settle) })
}

// Base is the time that the suite's events are around.
var Base = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// Device returns the id of the nth made-up device.
func Device(n int) inventory.DeviceID { return inventory.DeviceID(fmt.Sprintf("%040x", n+1)) }

// Batch makes a batch of events.
func Batch(d inventory.DeviceID, stream int, seq uint64, events ...event.Event) eventlog.Batch {
	b := eventlog.Batch{Device: d, Stream: stream, Seq: seq, Received: Base.Add(20 * 24 * time.Hour), Count: len(events)}
	for i := range events {
		var err error
		if b.Records, err = event.Append(b.Records, &events[i]); err != nil {
			panic(err)
		}
	}
	return b
}

// Event makes an event with a command line.
func Event(a event.Action, seq uint64, at time.Time, command string) event.Event {
	e := event.Event{Action: a, Seq: seq, Time: at}
	e.Set(event.ProcessCommandLine, command)
	return e
}

type entry struct {
	dev inventory.DeviceID
	at  time.Time
	e   event.Event
}

func (a *entry) key() eventlog.Cursor {
	return eventlog.Cursor{Time: a.at.UnixNano(), Kind: a.e.Kind(), Seq: a.e.Seq}
}

func newer(a, b entry) int {
	ka, kb := a.key(), b.key()
	return cmp.Or(cmp.Compare(kb.Time, ka.Time), cmp.Compare(kb.Kind, ka.Kind), cmp.Compare(kb.Seq, ka.Seq))
}

var words = []string{"alpha", "Beta", "gamma", "10.0.0.1", "/usr/bin/sh", "delta-epsilon"}

// history is a random history of some devices: everything that was appended.
type history struct {
	rng  *rand.Rand
	all  []entry
	seqs map[string]uint64
}

func (h *history) next(key string) uint64 {
	h.seqs[key]++
	return h.seqs[key]
}

// batch makes the next batch of a device; now and then numbers are left out and
// times go back.
func (h *history) batch(devices int) eventlog.Batch {
	d := Device(h.rng.IntN(devices))
	skew := time.Duration(h.rng.IntN(3)-1) * time.Minute
	actions := []event.Action{event.ProcessCreated, event.ProcessTerminated, event.ConnectionSuccess, event.LogonFailed}
	var events []event.Event
	at := Base.Add(time.Duration(h.rng.IntN(5*24*3600)) * time.Second)
	for range 1 + h.rng.IntN(40) {
		a := actions[h.rng.IntN(len(actions))]
		at = at.Add(time.Duration(h.rng.IntN(100)-10) * time.Second)
		if h.rng.IntN(50) == 0 {
			h.next(string(d) + a.Kind().String())
		}
		e := Event(a, h.next(string(d)+a.Kind().String()), at, words[h.rng.IntN(len(words))]+" "+strings.Repeat("x", h.rng.IntN(200)))
		if h.rng.IntN(2) == 0 {
			e.Set(event.RemoteIP, words[h.rng.IntN(len(words))])
		}
		events = append(events, e)
		h.all = append(h.all, entry{d, at.Add(skew), e})
	}
	b := Batch(d, 1, h.next(string(d)), events...)
	b.Skew = skew
	return b
}

func (h *history) query(devices int) eventlog.Query {
	q := eventlog.Query{Scope: eventlog.Only(Device(h.rng.IntN(devices)))}
	if h.rng.IntN(3) > 0 {
		q.From = Base.Add(time.Duration(h.rng.IntN(120)) * time.Hour)
		q.To = q.From.Add(time.Duration(1+h.rng.IntN(60)) * time.Hour)
	}
	switch h.rng.IntN(5) {
	case 0:
		q.Actions = []event.Action{event.ConnectionSuccess, event.LogonFailed}
	case 1:
		q.Equals = []eventlog.Equal{{Columns: []event.Column{event.RemoteIP}, Values: []string{"BETA", "10.0.0.1"}}}
	case 2:
		q.Terms = []string{[]string{"alpha", "ALPHA", "10.0.0.1", "epsilon", "alph", "0"}[h.rng.IntN(6)]}
	case 3:
		q.Filter = func(r eventlog.Row) bool { return r.Record.Head().Seq%3 == 0 }
	}
	return q
}

// matches is the query told once more, the slow way.
func matches(q *eventlog.Query, x *entry) bool {
	if !q.Scope.Has(x.dev) || !q.From.IsZero() && x.at.Before(q.From) || !q.To.IsZero() && !x.at.Before(q.To) {
		return false
	}
	if q.Actions != nil && !slices.Contains(q.Actions, x.e.Action) {
		return false
	}
	for _, eq := range q.Equals {
		ok := false
		for _, c := range eq.Columns {
			ok = ok || slices.ContainsFunc(eq.Values, func(v string) bool { return v != "" && strings.EqualFold(v, x.e.Text(c)) })
		}
		if !ok {
			return false
		}
	}
	for _, term := range q.Terms {
		ok := false
		for _, f := range x.e.Fields {
			parts := strings.FieldsFunc(strings.ToLower(f.Text), func(r rune) bool { return r == ' ' || r == '/' || r == '-' })
			for _, p := range parts {
				ok = ok || p == strings.ToLower(term) || slices.Contains(strings.Split(p, "."), strings.ToLower(term))
			}
		}
		if !ok {
			return false
		}
	}
	if q.Filter == nil {
		return true
	}
	rec, err := event.Append(nil, &x.e)
	if err != nil {
		panic(err)
	}
	r, _, err := event.Next(rec)
	if err != nil {
		panic(err)
	}
	return q.Filter(eventlog.Row{Device: x.dev, Time: x.at, Record: r})
}

func (h *history) want(q *eventlog.Query) []entry {
	var out []entry
	for i := range h.all {
		if matches(q, &h.all[i]) {
			out = append(out, h.all[i])
		}
	}
	slices.SortFunc(out, newer)
	return out
}

func testModel(t *testing.T, open Open, settle func(Closer)) {
	for seed := range uint64(3) {
		dir := t.TempDir()
		l := open(t, dir)
		h := &history{rng: rand.New(rand.NewPCG(seed, 7)), seqs: map[string]uint64{}}
		const devices = 5
		for round := range 240 {
			if fresh, err := l.Append(t.Context(), h.batch(devices)); err != nil || !fresh {
				t.Fatalf("append: fresh %v, %v", fresh, err)
			}
			if round%40 == 39 {
				for range 25 {
					q := h.query(devices)
					checkPage(t, l, h, q)
					checkScan(t, l, h, q)
					checkCounts(t, l, h, q)
				}
			}
			if round == 120 {
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
				l = open(t, dir)
			}
			if round == 180 {
				settle(l)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func checkPage(t *testing.T, l eventlog.Log, h *history, q eventlog.Query) {
	t.Helper()
	want := h.want(&q)
	var got []entry
	var at eventlog.Cursor
	size := 1 + h.rng.IntN(30)
	for {
		rows, next, cost, err := l.Page(t.Context(), q, at, size)
		if err != nil || cost.Damaged > 0 {
			t.Fatalf("page: %v, %+v", err, cost)
		}
		for _, r := range rows {
			got = append(got, entry{r.Device, r.Time, r.Record.Event()})
		}
		if len(rows) > size {
			t.Fatalf("a page of %d has %d rows", size, len(rows))
		}
		if at = next; at.IsZero() {
			break
		}
	}
	compare(t, "page", got, want)
}

func checkScan(t *testing.T, l eventlog.Log, h *history, q eventlog.Query) {
	t.Helper()
	if h.rng.IntN(2) == 0 {
		q.Scope = eventlog.Only(Device(0), Device(2), Device(99))
	}
	if h.rng.IntN(4) == 0 {
		q.Scope = eventlog.Everything()
	}
	var got []entry
	if _, err := l.Scan(t.Context(), q, func(r eventlog.Row) error {
		got = append(got, entry{r.Device, r.Time, r.Record.Event()})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	want := h.want(&q)
	order := func(a, b entry) int { return cmp.Or(cmp.Compare(a.dev, b.dev), newer(a, b)) }
	slices.SortFunc(got, order)
	slices.SortFunc(want, order)
	compare(t, "scan", got, want)
}

func checkCounts(t *testing.T, l eventlog.Log, h *history, q eventlog.Query) {
	t.Helper()
	if q.From.IsZero() {
		q.From, q.To = Base.Add(-24*time.Hour), Base.Add(8*24*time.Hour)
	}
	step := []time.Duration{time.Hour, 6 * time.Hour, 7 * time.Minute}[h.rng.IntN(3)]
	got, _, err := l.Counts(t.Context(), q, step)
	if err != nil {
		t.Fatal(err)
	}
	type key struct {
		at int64
		a  event.Action
	}
	want := map[key]int{}
	for _, x := range h.want(&q) {
		want[key{q.From.Add(x.at.Sub(q.From) / step * step).UnixNano(), x.e.Action}]++
	}
	if len(got) != len(want) {
		t.Errorf("counts: %d, want %d", len(got), len(want))
	}
	for _, c := range got {
		if want[key{c.Start.UnixNano(), c.Action}] != c.N {
			t.Errorf("counts: %s %s: %d, want %d", c.Start, c.Action, c.N, want[key{c.Start.UnixNano(), c.Action}])
		}
	}
}

func compare(t *testing.T, what string, got, want []entry) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d events, want %d", what, len(got), len(want))
		return
	}
	for i := range got {
		if got[i].dev != want[i].dev || !got[i].at.Equal(want[i].at) || got[i].e.Seq != want[i].e.Seq || got[i].e.Action != want[i].e.Action || got[i].e.Text(event.ProcessCommandLine) != want[i].e.Text(event.ProcessCommandLine) {
			t.Errorf("%s: event %d is %v, want %v", what, i, got[i], want[i])
			return
		}
	}
}

func count(t *testing.T, l eventlog.Log, q eventlog.Query) int {
	t.Helper()
	n := 0
	if _, err := l.Scan(t.Context(), q, func(eventlog.Row) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

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
