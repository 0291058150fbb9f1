package sense

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// kindsOf are the kinds that an event of a sensor names.
func kindsOf(t *testing.T, e *event.Event) []string {
	t.Helper()
	var more struct{ Kinds []string }
	if err := json.Unmarshal([]byte(e.Text(event.AdditionalFields)), &more); err != nil {
		t.Fatal(err)
	}
	return more.Kinds
}

// taker is a sink that keeps everything.
type taker struct {
	mu     sync.Mutex // guards the fields below
	events []event.Event
	lost   map[event.Kind]uint64
}

func (k *taker) Put(e *event.Event) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.events = append(k.events, *e)
}

func (k *taker) Lost(kind event.Kind, n uint64, _ time.Time, _ string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.lost == nil {
		k.lost = map[event.Kind]uint64{}
	}
	k.lost[kind] += max(n, 1)
}

func (k *taker) all() []event.Event {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.events)
}

var quiet = slog.New(slog.DiscardHandler)

// memory is a Memory that the test keeps.
type memory struct{ m *sync.Map }

func newMemory() memory { return memory{new(sync.Map)} }

func (m memory) Get(name string) []byte {
	v, _ := m.m.Load(name)
	raw, _ := v.([]byte)
	return raw
}

func (m memory) Set(name string, v []byte) { m.m.Store(name, v) }

// newBareHost is a host whose sources are started one by one.
func newBareHost(k *taker, m memory) *host {
	c := NewClock(time.Time{})
	return &host{cfg: Config{Clock: c, Sink: k, Memory: m}, log: quiet, clock: c, sink: k, procs: newTable(), users: newUsers("/"), files: newHasher(), asked: newAskers(), clam: newOnce()}
}

// A source that panics has failed: the next takes its place, and that is said.
func TestSourceThatPanics(t *testing.T) {
	k := &taker{}
	h := newBareHost(k, newMemory())
	ctx, cancel := context.WithCancel(t.Context())
	kinds := []event.Kind{event.DNS}
	h.keep(ctx, []way{
		{source: "opens badly", kinds: kinds, open: func(context.Context, *host) (running, error) { panic("no") }},
		{source: "runs badly", kinds: kinds, open: func(context.Context, *host) (running, error) {
			return runs(func(context.Context) error { panic("no") }), nil
		}},
		{source: "good", kinds: kinds, open: func(context.Context, *host) (running, error) {
			return runs(func(ctx context.Context) error {
				cancel()
				return ctx.Err()
			}), nil
		}},
	}, time.Time{}, "")
	var got []string
	for _, e := range k.all() {
		got = append(got, e.Action.String()+" "+e.Text(event.Source)+" "+e.Text(event.Reason))
	}
	want := []string{"SensorStarted runs badly opens badly: panic: no", "SensorChanged good opens badly: panic: no; runs badly: panic: no"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if k.lost[event.DNS] != 1 {
		t.Errorf("%d are said to be missing between two sources", k.lost[event.DNS])
	}
}

// What is beside a source ends with it, and says that it is another than before.
func TestSourcesBesideOthers(t *testing.T) {
	k := &taker{}
	h := newBareHost(k, newMemory())
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	beside := []way{{source: "side", kinds: []event.Kind{event.Network}, open: func(context.Context, *host) (running, error) {
		return runs(func(ctx context.Context) error {
			cancel()
			<-ctx.Done()
			time.Sleep(20 * time.Millisecond) // ends later than what it is beside
			close(ended)
			return ctx.Err()
		}), nil
	}}}
	until := runs(func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	})
	h.keep(ctx, []way{
		{source: "best", kinds: []event.Kind{event.Process, event.Network}, open: func(context.Context, *host) (running, error) {
			return runs(func(context.Context) error { return errors.New("broke") }), nil
		}},
		{source: "next", kinds: []event.Kind{event.Process}, beside: beside, open: func(context.Context, *host) (running, error) { return until, nil }},
	}, time.Time{}, "")
	select {
	case <-ended:
	default:
		t.Error("what is beside outlives it")
	}
	var got []string
	for _, e := range k.all() {
		got = append(got, e.Action.String()+" "+e.Text(event.Source)+" "+e.Text(event.Reason))
	}
	slices.Sort(got)
	want := []string{"SensorChanged next best: broke", "SensorChanged side best: broke", "SensorStarted best "}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if k.lost[event.Network] != 1 {
		t.Errorf("%d are said to be missing between two sources", k.lost[event.Network])
	}
}

type runs func(context.Context) error

func (r runs) Run(ctx context.Context) error { return r(ctx) }
