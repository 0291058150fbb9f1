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

// RunEntities runs what an engine must pass that is asked for entities; settle as for Run.
func RunEntities(t *testing.T, open Open, settle func(Closer)) {
	for seed := range uint64(3) {
		dir := t.TempDir()
		l := open(t, dir)
		m := &mentions{rng: rand.New(rand.NewPCG(seed, 31))}
		const devices = 6
		for round := range 160 {
			d := Device(m.rng.IntN(devices))
			if _, err := l.Append(t.Context(), m.batch(d, uint64(round+1))); err != nil {
				t.Fatal(err)
			}
			switch round {
			case 60:
				settle(l)
			case 100:
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
				l = open(t, dir)
			case 130:
				if err := l.Forget(t.Context(), Device(5)); err != nil {
					t.Fatal(err)
				}
				m.all = slices.DeleteFunc(m.all, func(x entry) bool { return x.dev == Device(5) })
			}
			if round%40 == 39 {
				for range 20 {
					checkEntity(t, l.(eventlog.Entities), m)
				}
			}
		}
		settle(l)
		for range 20 {
			checkEntity(t, l.(eventlog.Entities), m)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// mentions is a history of events that speak of a few entities.
type mentions struct {
	rng *rand.Rand
	all []entry
	seq uint64
}

var (
	sums     = []string{strings.Repeat("a1", 32), strings.Repeat("B2", 32), strings.Repeat("c3", 20), strings.Repeat("d4", 20)}
	hosts    = []string{"www.Example.com", "example.com", "mirror.a.b.example.org", "other.test"}
	adrs     = []string{"203.0.113.7", "2001:db8::1", "::ffff:203.0.113.7"}
	accounts = []string{"root", "Root", "alice"}
	programs = []string{"sh", "bash", "curl", ""}
)

func (m *mentions) pick(from []string) string { return from[m.rng.IntN(len(from))] }

func (m *mentions) batch(d inventory.DeviceID, seq uint64) eventlog.Batch {
	var events []event.Event
	for range 1 + m.rng.IntN(30) {
		m.seq++
		at := Base.Add(time.Duration(m.rng.IntN(5*24*3600)) * time.Second)
		e := Event([]event.Action{event.ProcessCreated, event.ConnectionSuccess, event.LogonSuccess, event.LogonFailed}[m.rng.IntN(4)], m.seq, at, strings.Repeat("x", m.rng.IntN(300)))
		for c, from := range map[event.Column][]string{event.SHA256: sums[:2], event.SHA1: sums[2:], event.InitiatingProcessSHA256: sums[:2], event.RemoteURL: hosts, event.RemoteIP: adrs,
			event.AccountName: accounts, event.InitiatingProcessAccountName: accounts, event.FileName: programs, event.InitiatingProcessFileName: programs} {
			if m.rng.IntN(5) == 0 {
				e.Set(c, m.pick(from))
			}
		}
		events = append(events, e)
		m.all = append(m.all, entry{d, at, e})
	}
	return Batch(d, 1, seq, events...)
}

// speaks says what an event says of an entity, told once more.
func speaks(e *event.Event, k event.EntityKind, id string) (name string, ok bool) {
	is := func(c event.Column) bool { return strings.EqualFold(strings.TrimPrefix(e.Text(c), "::ffff:"), id) }
	switch k {
	case event.EntityFile:
		if is(event.SHA256) || is(event.SHA1) {
			return e.Text(event.FileName), true
		}
		return e.Text(event.InitiatingProcessFileName), is(event.InitiatingProcessSHA256)
	case event.EntityAddress:
		return e.Text(event.InitiatingProcessFileName), is(event.RemoteIP)
	case event.EntityDomain:
		return e.Text(event.InitiatingProcessFileName), is(event.RemoteURL) || strings.HasSuffix(strings.ToLower(e.Text(event.RemoteURL)), "."+id)
	}
	if is(event.AccountName) {
		return cmp.Or(map[event.Action]string{event.LogonSuccess: event.AccountLogon, event.LogonFailed: event.AccountRefused}[e.Action], event.AccountActed), true
	}
	return event.AccountActed, is(event.InitiatingProcessAccountName)
}

func (m *mentions) query() eventlog.EntityQuery {
	q := eventlog.EntityQuery{Kind: event.EntityKind(1 + m.rng.IntN(4)), Scope: eventlog.Everything()}
	q.ID = m.pick([][]string{sums, adrs[:2], {"example.com", "www.example.com", "b.example.org", "example.org", "nowhere.test"}, {"root", "ALICE", "bob"}}[q.Kind-1])
	if m.rng.IntN(2) == 0 {
		q.Scope = eventlog.Only(Device(0), Device(3), Device(5))
	}
	if m.rng.IntN(2) == 0 { // days, so that counts are those of the time
		q.From = Base.Truncate(24 * time.Hour).Add(time.Duration(m.rng.IntN(4)) * 24 * time.Hour)
		q.To = q.From.Add(time.Duration(1+m.rng.IntN(3)) * 24 * time.Hour)
	}
	return q
}

type nameTally struct {
	devices map[inventory.DeviceID]bool
	events  int
}

func checkEntity(t *testing.T, l eventlog.Entities, m *mentions) {
	t.Helper()
	q := m.query()
	want := map[inventory.DeviceID]*eventlog.Sighting{}
	names := map[string]*nameTally{}
	var events []entry
	for _, x := range m.all {
		name, ok := speaks(&x.e, q.Kind, q.ID)
		if !ok || !q.Scope.Has(x.dev) || !q.From.IsZero() && x.at.Before(q.From) || !q.To.IsZero() && !x.at.Before(q.To) {
			continue
		}
		events = append(events, x)
		d := want[x.dev]
		if d == nil {
			d = &eventlog.Sighting{Device: x.dev, First: x.at, Last: x.at}
			want[x.dev] = d
		}
		d.Events++
		if x.at.Before(d.First) {
			d.First = x.at
		}
		if x.at.After(d.Last) {
			d.Last = x.at
		}
		n := names[name]
		if n == nil {
			n = &nameTally{devices: map[inventory.DeviceID]bool{}}
			names[name] = n
		}
		n.events++
		n.devices[x.dev] = true
	}
	got, cost, err := l.Sightings(t.Context(), q)
	if err != nil || cost.Damaged > 0 || got.Unlisted > 0 {
		t.Fatalf("sightings: %v, %+v, %d", err, cost, got.Unlisted)
	}
	what := fmt.Sprintf("%d %s %v–%v", q.Kind, q.ID, q.From, q.To)
	if len(got.Devices) != len(want) || len(got.Names) != len(names) {
		t.Fatalf("%s: %d devices and %d names, want %d and %d: %+v", what, len(got.Devices), len(got.Names), len(want), len(names), got.Names)
	}
	for _, d := range got.Devices {
		if w := want[d.Device]; w == nil || w.Events != d.Events || !w.First.Equal(d.First) || !w.Last.Equal(d.Last) || len(d.Names) == 0 {
			t.Errorf("%s: %+v, want %+v", what, d, w)
		}
		for _, n := range d.Names {
			if !names[got.Names[n].Name].devices[d.Device] {
				t.Errorf("%s: %s went by %q nowhere", what, d.Device, got.Names[n].Name)
			}
		}
	}
	for _, n := range got.Names {
		if w := names[n.Name]; w == nil || w.events != n.Events || len(w.devices) != n.Devices {
			t.Errorf("%s: name %+v, want %+v", what, n, w)
		}
	}
	slices.SortFunc(events, func(a, b entry) int { return cmp.Or(newer(a, b), cmp.Compare(a.dev, b.dev)) })
	n := 1 + m.rng.IntN(40)
	rows, _, err := l.Latest(t.Context(), q, n)
	if err != nil {
		t.Fatal(err)
	}
	var latest []entry
	for _, r := range rows {
		latest = append(latest, entry{r.Device, r.Time, r.Record.Event()})
	}
	compare(t, "latest of "+what, latest, events[:min(n, len(events))])
}
