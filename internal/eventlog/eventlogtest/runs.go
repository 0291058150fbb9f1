package eventlogtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/inventory"
)

// runsOf are the runs of a device as its events give them.
func runsOf(t *testing.T, l eventlog.Log, d inventory.DeviceID) []string {
	t.Helper()
	type at struct {
		seq  uint64
		time time.Time
	}
	all := map[event.Kind][]at{}
	_, err := l.Scan(t.Context(), eventlog.Query{Scope: eventlog.Only(d)}, func(r eventlog.Row) error {
		h := r.Record.Head()
		all[h.Action.Kind()] = append(all[h.Action.Kind()], at{h.Seq, r.Time})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for k := range event.Kinds {
		list := all[k]
		slices.SortFunc(list, func(a, b at) int { return int(int64(a.seq) - int64(b.seq)) })
		for i := 0; i < len(list); {
			r := eventlog.Run{Kind: k, From: list[i].seq, To: list[i].seq, First: list[i].time, Last: list[i].time}
			for i++; i < len(list) && list[i].seq <= r.To+1; i++ {
				r.To = list[i].seq
				if list[i].time.Before(r.First) {
					r.First = list[i].time
				}
				if list[i].time.After(r.Last) {
					r.Last = list[i].time
				}
			}
			out = append(out, fmt.Sprint(r))
		}
	}
	return out
}

// testRunsFollow checks that the runs and counts are those of the events that are there,
// whatever is appended, removed, forgotten and opened again, also while the
// engine is at work.
func testRunsFollow(t *testing.T, open Open, settle func(Closer)) {
	const devices = 5
	dir := t.TempDir()
	l := open(t, dir)
	defer func() { _ = l.Close() }()
	h := &history{rng: rand.New(rand.NewPCG(5, 6)), seqs: map[string]uint64{}}
	check := func(what string) {
		t.Helper()
		for n := range devices {
			runs, err := l.Runs(t.Context(), Device(n))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range runs {
				got = append(got, fmt.Sprint(r))
			}
			if want := runsOf(t, l, Device(n)); !slices.Equal(got, want) {
				t.Fatalf("%s: runs of device %d are %v, its events give %v", what, n, got, want)
			}
			q := eventlog.Query{Scope: eventlog.Only(Device(n)), From: Base.AddDate(0, 0, -60), To: Base.AddDate(0, 0, 20)}
			counts, _, err := l.Counts(t.Context(), q, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			sum := 0
			for _, c := range counts {
				sum += c.N
			}
			if want := count(t, l, q); sum != want {
				t.Fatalf("%s: %d events of device %d are counted, %d are there", what, sum, n, want)
			}
		}
	}
	now := Base.Add(6 * 24 * time.Hour)
	for i := range 400 {
		if _, err := l.Append(t.Context(), h.batch(devices)); err != nil {
			t.Fatal(err)
		}
		switch {
		case i%50 == 49:
			settle(l)
			check("settled")
		case i%9 == 0:
			check("at work")
		}
		var err error
		switch i {
		case 120:
			err = l.Retain(t.Context(), eventlog.Policy{Kinds: map[event.Kind]time.Duration{event.Network: 4 * 24 * time.Hour}}, now)
		case 210, 211:
			err = l.Retain(t.Context(), eventlog.Policy{Age: 5 * 24 * time.Hour}, now)
		case 260:
			err = l.Forget(t.Context(), Device(1))
		case 300:
			if err = l.Close(); err == nil {
				l = open(t, dir)
			}
		default:
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		check(fmt.Sprint("step ", i))
	}
}
