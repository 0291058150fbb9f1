// Package eventlogtest is what every engine of the event log must pass.
package eventlogtest

import (
	"cmp"
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
	t.Run("runs follow", func(t *testing.T) { testRunsFollow(t, open, settle) })
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
	switch h.rng.IntN(6) {
	case 0:
		q.Actions = []event.Action{event.ConnectionSuccess, event.LogonFailed}
	case 1:
		q.Equals = []eventlog.Equal{{Columns: []event.Column{event.RemoteIP}, Values: []string{"BETA", "10.0.0.1"}}}
	case 2:
		q.Terms = []string{[]string{"alpha", "ALPHA", "10.0.0.1", "epsilon", "alph", "0"}[h.rng.IntN(6)]}
	case 4:
		some := []string{"alpha", "10.0.0.1", "EPSILON", "alph", "0", "zeta"}
		for range 1 + h.rng.IntN(2) {
			q.Any = append(q.Any, []string{some[h.rng.IntN(5)], some[h.rng.IntN(6)]})
		}
	case 3:
		q.Filter = func(r eventlog.Row) bool { return r.Record.Head().Seq%3 == 0 }
	}
	return q
}

// says reports whether a term is in a text of an entry.
func says(x *entry, term string) bool {
	for _, f := range x.e.Fields {
		for _, p := range strings.FieldsFunc(strings.ToLower(f.Text), func(r rune) bool { return r == ' ' || r == '/' || r == '-' }) {
			if p == strings.ToLower(term) || slices.Contains(strings.Split(p, "."), strings.ToLower(term)) {
				return true
			}
		}
	}
	return false
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
		if !says(x, term) {
			return false
		}
	}
	for _, list := range q.Any {
		if !slices.ContainsFunc(list, func(term string) bool { return says(x, term) }) {
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
