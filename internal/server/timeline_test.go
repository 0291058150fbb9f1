package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/inventory"
)

// life is what a test's device does.
type life struct {
	t    *testing.T
	s    *Server
	id   inventory.DeviceID
	seq  uint64
	seqs map[ev.Kind]uint64
	now  time.Time
}

func newLife(t *testing.T, s *Server, key string, packages ...string) *life {
	l := &life{t: t, s: s, id: enrol(t, s, key), seqs: map[ev.Kind]uint64{}, now: time.Now().UTC().Add(-time.Hour).Truncate(time.Second)}
	newReport(s, l.id).send(t, append([]string{"bash 5.2"}, packages...)...)
	return l
}

// event makes the next event of a kind, a second after the one before.
func (l *life) event(a ev.Action, set func(*ev.Event)) ev.Event {
	l.now = l.now.Add(time.Second)
	l.seqs[a.Kind()]++
	e := ev.Event{Action: a, Seq: l.seqs[a.Kind()], Time: l.now}
	if set != nil {
		set(&e)
	}
	return e
}

func (l *life) send(events ...ev.Event) {
	l.t.Helper()
	l.seq++
	e := happening(l.t, 1, l.seq, events...)
	e.Sent = l.s.now() // a test may have set it
	if err := l.s.keepEvents(l.t.Context(), l.id, e); err != nil {
		l.t.Fatal(err)
	}
}

// start is a process that another starts; pids say which.
func (l *life) start(parent, pid int64, name string) ev.Event {
	return l.event(ev.ProcessCreated, func(e *ev.Event) {
		e.Set(ev.FileName, name)
		e.Set(ev.ProcessCommandLine, name+" --flag")
		e.SetInt(ev.ProcessID, pid)
		e.SetInt(ev.ProcessCreationTime, l.now.UnixNano())
		e.Set(ev.AccountName, "alice")
		e.SetInt(ev.InitiatingProcessID, parent)
		e.SetInt(ev.InitiatingProcessCreationTime, births[parent])
		e.Set(ev.InitiatingProcessFileName, orElse(names[parent], fmt.Sprintf("p%d", parent)))
		births[pid], names[pid] = l.now.UnixNano(), name
	})
}

// births are when the processes of a test began, names what they are.
var (
	births = map[int64]int64{1: 1764000000e9}
	names  = map[int64]string{}
)

func (l *life) timeline(q TimelineQuery) Timeline {
	l.t.Helper()
	if q.Limit == 0 {
		q.Limit = 100
	}
	tl, err := l.s.Timeline(l.t.Context(), admin, string(l.id), q)
	if err != nil {
		l.t.Fatal(err)
	}
	return tl
}

func titles(rows []TimelineRow) []string {
	out := []string{}
	for _, r := range rows {
		out = append(out, r.Title)
	}
	return out
}

func TestTimeline(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	l := newLife(t, s, "one")
	l.send(l.start(1, 100, "sh"), l.start(100, 101, "curl"))
	l.send(l.event(ev.ConnectionSuccess, func(e *ev.Event) {
		e.Set(ev.RemoteIP, "192.0.2.7")
		e.SetInt(ev.RemotePort, 443)
		e.SetInt(ev.InitiatingProcessID, 101)
		e.SetInt(ev.InitiatingProcessCreationTime, births[101])
		e.Set(ev.InitiatingProcessFileName, "curl")
	}), l.event(ev.LogonFailed, func(e *ev.Event) {
		e.Set(ev.AccountName, "bob")
		e.Set(ev.Protocol, "ssh")
		e.Set(ev.RemoteIP, "192.0.2.9")
		e.Set(ev.FailureReason, "InvalidPassword")
	}))
	want := []string{"bob failed to log on by ssh from 192.0.2.9", "curl connected to 192.0.2.7:443", "sh started curl", "p1 started sh"}
	for _, again := range []bool{false, true} {
		if again {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = openTest(t, dir)
			l.s = s
		}
		tl := l.timeline(TimelineQuery{})
		equal(t, "timeline", titles(tl.Items), want...)
		if !tl.Complete || tl.SkewSeconds != 0 {
			t.Errorf("complete %v, skew %v", tl.Complete, tl.SkewSeconds)
		}
		for name, c := range map[string]struct {
			q    TimelineQuery
			want []string
		}{
			"group":   {TimelineQuery{Groups: []string{"Network events"}}, want[1:2]},
			"action":  {TimelineQuery{Actions: []string{"processcreated"}}, want[2:]},
			"text":    {TimelineQuery{Text: "--FLAG"}, want[2:]},
			"time":    {TimelineQuery{From: tl.Items[2].Time, To: tl.Items[0].Time}, want[1:3]},
			"nothing": {TimelineQuery{Groups: []string{"Registry events"}}, nil},
		} {
			equal(t, name, titles(l.timeline(c.q).Items), c.want...)
		}
		var paged []string
		q := TimelineQuery{Limit: 3}
		for {
			p := l.timeline(q)
			paged = append(paged, titles(p.Items)...)
			if q.Cursor = p.Cursor; q.Cursor == "" {
				break
			}
		}
		equal(t, "pages", paged, want...)
	}
	t.Cleanup(func() { _ = s.Close() })
	counts, err := s.TimelineCounts(t.Context(), admin, string(l.id), TimelineQuery{})
	if err != nil || counts.Total != 4 || counts.Groups["Process events"] != 2 {
		t.Errorf("counts %+v, %v", counts, err)
	}
	users, err := s.LogonUsers(t.Context(), admin, string(l.id))
	if err != nil || len(users.Items) != 1 || users.Items[0].Failed != 1 || users.Most != "" {
		t.Errorf("users %+v, %v", users, err)
	}
	if _, err := s.Timeline(t.Context(), Caller{Name: "x", Permissions: []string{SoftwareRead}}, string(l.id), TimelineQuery{Limit: 1}); !errors.Is(err, ErrDenied) {
		t.Errorf("without the permission: %v", err)
	}
}

// The most and the least frequent user are people at the device: what logs on for a
// job is in the list alone. Each user has when it was seen first and last.
func TestFrequentUsersLogOnThemselves(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	began := l.now
	for _, name := range []string{"cron", "cron", "cron", "cron", "alice", "alice", "bob", "cron"} {
		l.send(l.event(ev.LogonSuccess, func(e *ev.Event) {
			e.Set(ev.AccountName, name)
			e.Set(ev.LogonType, map[bool]string{true: "Batch", false: "RemoteInteractive"}[name == "cron"])
		}))
	}
	users, err := s.LogonUsers(t.Context(), admin, string(l.id))
	if err != nil || users.Most != "alice" || users.Least != "bob" || len(users.Items) != 3 || users.Items[0].Name != "cron" {
		t.Fatalf("users %+v, %v", users, err)
	}
	if cron := users.Items[0]; !cron.First.Equal(began.Add(time.Second)) || !cron.Last.Equal(l.now) {
		t.Errorf("cron was seen from %v to %v", cron.First, cron.Last)
	}
	only := newLife(t, s, "two")
	only.send(only.event(ev.LogonSuccess, func(e *ev.Event) { e.Set(ev.AccountName, "cron"); e.Set(ev.LogonType, "Batch") }))
	if users, err = s.LogonUsers(t.Context(), admin, string(only.id)); err != nil || users.Most != "" || users.Least != "" || len(users.Items) != 1 {
		t.Errorf("without a logon of a person: %+v, %v", users, err)
	}
}

// A number that is not there is told, with the reason that the agent gave; what
// was never given is not missing.
func TestTimelineTellsWhatIsMissing(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	l.send(l.start(1, 100, "a"))
	l.seqs[ev.Process] += 3
	l.send(l.start(1, 101, "b"))
	tl := l.timeline(TimelineQuery{})
	if tl.Complete || tl.MissingN != 3 || len(tl.Missing) != 1 || tl.Missing[0].From != 2 || tl.Missing[0].To != 4 || tl.Missing[0].Reason != "" {
		t.Fatalf("missing %+v", tl)
	}
	l.send(l.event(ev.SensorEventsLost, func(e *ev.Event) {
		e.Set(ev.LostKind, ev.Process.String())
		e.SetInt(ev.LostFrom, 2)
		e.SetInt(ev.LostTo, 4)
		e.SetInt(ev.EventCount, 3)
		e.Set(ev.Reason, "budget")
	}))
	if tl = l.timeline(TimelineQuery{}); tl.Missing[0].Reason != "budget" || tl.MissingN != 3 || tl.Pauses != 0 || tl.Items[0].Title != "3 process events were dropped" {
		t.Errorf("missing %+v, %v", tl.Missing, titles(tl.Items))
	}
	if tl = l.timeline(TimelineQuery{From: tl.Items[0].Time}); !tl.Complete {
		t.Errorf("a time in which nothing is missing: %+v", tl.Missing)
	}
}

// A pause is of an unknown number of events, and of the time that the agent says;
// what was dropped beside it is counted, and what nothing was said of too.
func TestTimelineTellsPausesFromLosses(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	said := func(kind ev.Kind, from, to, count int64, reason string, since, until time.Time) ev.Event {
		return l.event(ev.SensorEventsLost, func(e *ev.Event) {
			e.Set(ev.LostKind, kind.String())
			e.SetInt(ev.LostFrom, from)
			e.SetInt(ev.LostTo, to)
			if count > 0 {
				e.SetInt(ev.EventCount, count)
			}
			e.Set(ev.Reason, reason)
			if !since.IsZero() {
				e.Set(ev.AdditionalFields, fmt.Sprintf(`{"since":%q,"until":%q}`, since.Format(time.RFC3339Nano), until.Format(time.RFC3339Nano)))
			}
		})
	}
	l.send(l.start(1, 100, "a"))
	l.seqs[ev.Process] += 6 // 2 to 7
	l.send(l.start(1, 101, "b"))
	tl := l.timeline(TimelineQuery{})
	first, last := tl.Items[1].Time, tl.Items[0].Time
	step := last.Sub(first) / 8
	since, until := first.Add(step), first.Add(2*step)
	l.send(said(ev.Process, 3, 3, 0, "nothing was recorded", since, until), said(ev.Process, 4, 5, 2, "budget", first.Add(6*step), first.Add(7*step)),
		said(ev.Process, 1, 2, 2, "twice told", time.Time{}, time.Time{}))
	tl = l.timeline(TimelineQuery{})
	want := []MissingPart{
		{Kind: "process", From: 2, To: 2, Count: 1, After: first, Before: last, Reason: "twice told"},
		{Kind: "process", From: 3, To: 3, After: since, Before: until, Reason: "nothing was recorded"},
		{Kind: "process", From: 4, To: 5, Count: 2, After: first.Add(6 * step), Before: first.Add(7 * step), Reason: "budget"},
		{Kind: "process", From: 6, To: 7, Count: 2, After: first, Before: last},
	}
	if d := cmp.Diff(want, tl.Missing); d != "" || tl.MissingN != 5 || tl.Pauses != 1 || tl.Complete {
		t.Errorf("%d missing, %d pauses, complete %v (-want +got):\n%s", tl.MissingN, tl.Pauses, tl.Complete, d)
	}
	if got := titles(tl.Items); !slices.Contains(got, "An unknown number of process events is missing") {
		t.Errorf("titles %v", got)
	}
	// The times narrow what is asked for: neither the pause nor the budget was then.
	if tl = l.timeline(TimelineQuery{From: first.Add(3 * step), To: first.Add(5 * step)}); tl.MissingN != 3 || tl.Pauses != 0 {
		t.Errorf("between them %d are missing and there are %d pauses", tl.MissingN, tl.Pauses)
	}
}

// What was said of numbers before the first event of a kind and behind the last is
// missing too; what was long before the first is older than what is kept.
func TestTimelineTellsWhatIsMissingAtTheEnds(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	l.seqs[ev.Process] = 9
	l.send(l.start(1, 100, "a"), l.start(1, 101, "b")) // 10 and 11
	said := func(kind ev.Kind, from, to int64) ev.Event {
		return l.event(ev.SensorEventsLost, func(e *ev.Event) {
			e.Set(ev.LostKind, kind.String())
			e.SetInt(ev.LostFrom, from)
			e.SetInt(ev.LostTo, to)
			e.SetInt(ev.EventCount, to-from+1)
			e.Set(ev.Reason, "said")
		})
	}
	l.send(said(ev.Process, 1, 2), said(ev.Process, 6, 7), said(ev.Process, 8, 9), said(ev.Process, 12, 14), said(ev.DNS, 1, 1), said(ev.File, 1, 1<<60))
	tl := l.timeline(TimelineQuery{})
	got := []string{}
	for _, m := range tl.Missing {
		got = append(got, fmt.Sprintf("%s %d-%d %d %s", m.Kind, m.From, m.To, m.Count, m.Reason))
	}
	equal(t, "missing", got, "process 6-7 2 said", "process 8-9 2 said", "process 12-14 3 said", "dns 1-1 1 said")
	if tl.MissingN != 8 || tl.Complete {
		t.Errorf("%d missing, complete %v", tl.MissingN, tl.Complete)
	}
	if tl = l.timeline(TimelineQuery{From: tl.Items[0].Time.Add(time.Second)}); !tl.Complete {
		t.Errorf("later: %+v", tl.Missing)
	}
}

// A host whose clock is wrong has its events where they happened.
func TestTimelineCorrectsClocks(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	at := time.Now().UTC().Truncate(time.Millisecond)
	const ahead = 3 * 24 * time.Hour
	e := happening(t, 1, 1, ev.Event{Action: ev.ProcessCreated, Seq: 1, Time: at.Add(ahead)})
	e.Sent = at.Add(ahead)
	if err := s.keepEvents(t.Context(), l.id, e); err != nil {
		t.Fatal(err)
	}
	tl := l.timeline(TimelineQuery{To: at.Add(time.Minute)})
	if len(tl.Items) != 1 || tl.Items[0].Time.Sub(at).Abs() > 2*time.Second || !tl.Items[0].HostTime.Equal(at.Add(ahead)) || tl.SkewSeconds != -ahead.Seconds() {
		t.Errorf("timeline %+v", tl)
	}
}

// Who reads a timeline is told of what happens, not for every message, and of
// the last one too; nobody is told of devices that nobody reads.
func TestTimelineIsTold(t *testing.T) {
	s := testServer(t)
	l, other := newLife(t, s, "one"), newLife(t, s, "two")
	told, err := s.Subscribe(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	timelines := func(quiet time.Duration) (n int) {
		for {
			select {
			case e := <-told:
				switch {
				case e.Resource == "timeline" && e.ID == string(l.id):
					n++
				case e.Resource == "timeline" || e.Resource == "all":
					t.Errorf("told of %+v", e)
				}
			case <-time.After(quiet):
				return n
			}
		}
	}
	l.send(l.start(1, 100, "a"))
	if n := timelines(2 * tellEvery); n != 0 {
		t.Errorf("told %d times of what nobody reads", n)
	}
	l.timeline(TimelineQuery{})
	for pid := range int64(200) {
		l.send(l.start(1, 101+pid, "b"))
		other.send(other.start(1, 101+pid, "b"))
	}
	if n := timelines(4 * tellEvery); n < 2 || n > 40 {
		t.Errorf("told %d times of 200 messages", n)
	}
}

// An event that says nothing of a process or of anything else has an empty graph,
// not none: who reads it finds a list.
func TestTimelineGraphOfNothing(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	l.send(l.event(ev.ProcessCreated, nil), l.event(ev.FileCreated, nil), l.event(ev.ConnectionSuccess, nil), l.event(ev.LogonSuccess, nil), l.event(ev.ServiceInstalled, nil))
	rows := l.timeline(TimelineQuery{}).Items
	if len(rows) != 5 {
		t.Fatalf("%v", titles(rows))
	}
	for _, r := range rows {
		d, err := s.TimelineEvent(t.Context(), admin, string(l.id), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, none := range []string{`"nodes":null`, `"edges":null`, `"facts":null`} {
			if strings.Contains(string(raw), none) {
				t.Errorf("%s: %s", r.Title, none)
			}
		}
	}
}

// The graph joins the process to those above it, by number and birth.
func TestTimelineGraph(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	l.send(l.start(1, 200, "sshd"), l.start(200, 201, "bash"), l.start(201, 202, "curl"), l.start(201, 203, "ls"))
	curl := births[202]
	l.send(l.event(ev.FileCreated, func(e *ev.Event) {
		e.Set(ev.FileName, "loot")
		e.Set(ev.FolderPath, "/tmp/loot")
		e.SetInt(ev.InitiatingProcessID, 202)
		e.SetInt(ev.InitiatingProcessCreationTime, curl)
		e.Set(ev.InitiatingProcessFileName, "curl")
	}))
	l.send(l.start(1, 202, "other")) // the number again
	rows := l.timeline(TimelineQuery{Text: "curl --flag"}).Items
	if len(rows) != 1 {
		t.Fatalf("%v", titles(rows))
	}
	d, err := s.TimelineEvent(t.Context(), admin, string(l.id), rows[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for _, n := range d.Nodes {
		names[n.ID] = n.Name
	}
	var edges []string
	for _, e := range d.Edges {
		edges = append(edges, names[e.From]+" "+e.Label+" "+names[e.To])
	}
	for _, want := range []string{"sshd started bash", "bash started curl", "curl created loot"} {
		if !strings.Contains(strings.Join(edges, "\n"), want) {
			t.Errorf("no edge %q in %q", want, edges)
		}
	}
	for _, n := range d.Nodes {
		if n.Name == "other" || n.Focus != (n.Name == "curl") {
			t.Errorf("node %+v", n)
		}
	}
	if _, err := s.TimelineEvent(t.Context(), admin, string(l.id), "1-1-1"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an event that is not there: %v", err)
	}
}

func TestTimelineFlags(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	for pid := range int64(10) {
		l.send(l.start(1, 300+pid, fmt.Sprintf("p%d", pid)))
	}
	all := l.timeline(TimelineQuery{}).Items
	for _, i := range []int{2, 5, 7} {
		if err := s.FlagEvent(t.Context(), admin, string(l.id), all[i].ID, true); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.FlagEvent(t.Context(), admin, string(l.id), all[5].ID, false); err != nil {
		t.Fatal(err)
	}
	first := l.timeline(TimelineQuery{Flagged: true, Limit: 1})
	equal(t, "flagged", titles(first.Items), all[2].Title)
	equal(t, "the next", titles(l.timeline(TimelineQuery{Flagged: true, Cursor: first.Cursor}).Items), all[7].Title)
	if err := s.FlagEvent(t.Context(), admin, string(l.id), "1-1-1", true); !errors.Is(err, ErrNotFound) {
		t.Errorf("an event that is not there: %v", err)
	}
	n := 0
	_, rows, err := s.TimelineExport(t.Context(), admin, string(l.id), TimelineQuery{})
	if err != nil {
		t.Fatal(err)
	}
	for r, err := range rows {
		if err != nil {
			t.Fatal(err)
		}
		if r.Flagged {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d flags in the export, want 2", n)
	}
}
