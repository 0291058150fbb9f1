package server

import (
	"errors"
	"fmt"
	"testing"
	"time"

	ev "github.com/picketsec/picket/internal/event"
)

// The chart of flagged events counts those that the list has and no others, and knows the
// flags of the time whatever is asked for.
func TestTimelineChartOfFlags(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	l.now = l.now.Add(-time.Hour).Truncate(time.Hour).Add(time.Minute) // all of them in one step
	for pid := range int64(5) {
		l.send(l.start(1, 300+pid, fmt.Sprintf("p%d", pid)))
	}
	l.now = l.now.Add(10 * time.Minute)
	l.send(l.event(ev.ConnectionSuccess, nil))
	all := l.timeline(TimelineQuery{}).Items
	for _, i := range []int{0, 2, 4} {
		if err := s.FlagEvent(t.Context(), admin, string(l.id), all[i].ID, true); err != nil {
			t.Fatal(err)
		}
	}
	day := TimelineQuery{From: l.now.Add(-3 * time.Hour), To: l.now.Add(time.Hour)}
	for name, c := range map[string]struct {
		change  func(*TimelineQuery)
		total   int
		buckets int
	}{
		"all":                  {func(*TimelineQuery) {}, 6, 2},
		"flagged":              {func(q *TimelineQuery) { q.Flagged = true }, 3, 2},
		"flagged of a group":   {func(q *TimelineQuery) { q.Flagged, q.Groups = true, []string{"Process events"} }, 2, 1},
		"flagged with a text":  {func(q *TimelineQuery) { q.Flagged, q.Text = true, "started p3" }, 1, 1},
		"flagged of no time":   {func(q *TimelineQuery) { q.Flagged, q.To = true, q.From.Add(time.Hour) }, 0, 0},
		"a text and no flag":   {func(q *TimelineQuery) { q.Text = "started p2" }, 1, 1},
		"flagged and not that": {func(q *TimelineQuery) { q.Flagged, q.Text = true, "started p4" }, 0, 0},
	} {
		q := day
		c.change(&q)
		n, err := s.TimelineCounts(t.Context(), admin, string(l.id), q)
		if err != nil || n.Total != c.total || len(n.Buckets) != c.buckets {
			t.Errorf("%s: %+v, %v", name, n, err)
			continue
		}
		q.Limit = 100
		if tl := l.timeline(q); len(tl.Items) != c.total {
			t.Errorf("%s: the list has %d, the chart %d", name, len(tl.Items), c.total)
		}
		sum := 0
		for i, b := range n.Buckets {
			if i > 0 && !n.Buckets[i-1].Start.Before(b.Start) {
				t.Errorf("%s: buckets %v", name, n.Buckets)
			}
			for _, m := range b.Groups {
				sum += m
			}
		}
		if sum != c.total {
			t.Errorf("%s: %d in the buckets", name, sum)
		}
		if marks := len(n.Flags); name != "flagged of no time" && (marks != 3 || n.Flags[0].ID != all[4].ID || !n.Flags[0].Time.Equal(all[4].Time)) {
			t.Errorf("%s: flags %+v", name, n.Flags)
		}
	}
}

// Flagged events first: each event once, over pages of any size, and in an export.
func TestTimelineFlaggedFirst(t *testing.T) {
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
	var want []string
	for _, i := range []int{2, 5, 7, 0, 1, 3, 4, 6, 8, 9} {
		want = append(want, all[i].Title)
	}
	for size := 1; size <= 11; size++ {
		var got []string
		q := TimelineQuery{FlaggedFirst: true, Limit: size}
		for range 20 {
			p := l.timeline(q)
			got = append(got, titles(p.Items)...)
			if q.Cursor = p.Cursor; q.Cursor == "" {
				break
			}
		}
		equal(t, fmt.Sprintf("pages of %d", size), got, want...)
	}
	_, rows, err := s.TimelineExport(t.Context(), admin, string(l.id), TimelineQuery{FlaggedFirst: true})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for r, err := range rows {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r.Title)
	}
	equal(t, "export", got, want...)
	for _, bad := range []string{"x", "f1", "o1-2", "ff"} {
		if _, err := s.Timeline(t.Context(), admin, string(l.id), TimelineQuery{Limit: 1, Cursor: bad, FlaggedFirst: true}); !errors.Is(err, ErrInvalid) {
			t.Errorf("cursor %q: %v", bad, err)
		}
	}
}

// What a row shows is found: its words, its numbers, and texts that are none of the event's.
func TestTimelineFindsWhatIsShown(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	l.send(l.start(1, 4321, "curl"), l.event(ev.ConnectionSuccess, func(e *ev.Event) {
		e.Set(ev.RemoteIP, "192.0.2.7")
		e.SetInt(ev.RemotePort, 8443)
		e.Set(ev.InitiatingProcessFileName, "curl")
		e.SetInt(ev.InitiatingProcessID, 4321)
	}), l.event(ev.LogonFailed, func(e *ev.Event) {
		e.Set(ev.AccountDomain, "corp")
		e.Set(ev.AccountName, "Örs")
		e.Set(ev.RemoteIP, "192.0.2.9")
		e.Set(ev.FailureReason, "InvalidPassword")
	}))
	const start, connect, logon = "p1 started curl", "curl connected to 192.0.2.7:8443", `corp\Örs failed to log on from 192.0.2.9`
	for text, want := range map[string][]string{
		"failed to log on":        {logon},
		"Failed":                  {logon},
		`CORP\ö`:                  {logon},
		"örs":                     {logon},
		"reason: invalid":         {logon},
		"8443":                    {connect},
		"844":                     nil, // a number is found whole
		"4321":                    {connect, start},
		"connected to 192":        {connect},
		"192.0.2.7:8443":          {connect},
		"started curl":            {start},
		"--flag":                  {start},
		"LogonFailed":             {logon},
		"192.0.2.":                {logon, connect},
		"started connected":       nil,
		"nothing like it at all!": nil,
	} {
		equal(t, text, titles(l.timeline(TimelineQuery{Text: text}).Items), want...)
	}
}

// An export has no longest time and no most rows: of 40 days it has each event once, newest first,
// also across days of which nothing happened.
func TestTimelineExportOfFortyDays(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	now := l.now
	want := 0
	for day := 40; day >= 0; day-- {
		if day%7 == 3 {
			continue
		}
		l.now = now.AddDate(0, 0, -day)
		var events []ev.Event
		for i := range 35 {
			events = append(events, l.start(1, int64(1000*day+i+2), fmt.Sprintf("d%d-%d", day, i)))
		}
		l.send(events...)
		want += len(events)
	}
	export := func(q TimelineQuery) (n int, seen map[string]bool) {
		t.Helper()
		_, rows, err := s.TimelineExport(t.Context(), admin, string(l.id), q)
		if err != nil {
			t.Fatal(err)
		}
		seen = map[string]bool{}
		last := now.Add(time.Hour)
		for r, err := range rows {
			if err != nil {
				t.Fatal(err)
			}
			if r.Time.After(last) || seen[r.ID] {
				t.Fatalf("%s of %v is there twice or behind %v", r.Title, r.Time, last)
			}
			seen[r.ID], last = true, r.Time
			n++
		}
		return n, seen
	}
	if n, _ := export(TimelineQuery{}); n != want || n <= 1000 {
		t.Errorf("%d events, want %d, of more than one page", n, want)
	}
	if n, _ := export(TimelineQuery{From: now.AddDate(0, 0, -39), To: now.AddDate(0, 0, -8)}); n != 35*26 {
		t.Errorf("%d events of the days from 39 to 9, 26 of them with some, want %d", n, 35*26)
	}
	if n, _ := export(TimelineQuery{Text: "started d40-"}); n != 35 {
		t.Errorf("%d events of the first day", n)
	}
}

// BenchmarkFinder finds a text in events as they are stored: one in their texts, one in words
// that only rows show, and one that is nowhere.
func BenchmarkFinder(b *testing.B) {
	var records []ev.Record
	for i := range 1000 {
		e := ev.Event{Action: ev.ProcessCreated, Seq: uint64(i + 1), Time: time.Unix(1764000000, 0)}
		e.Set(ev.FileName, "gcc")
		e.Set(ev.FolderPath, "/usr/bin/gcc")
		e.Set(ev.SHA256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
		e.Set(ev.ProcessCommandLine, fmt.Sprintf("/usr/bin/gcc -O2 -g -c -o build/obj/file%d.o src/lib/some/where/file%d.c", i, i))
		e.SetInt(ev.ProcessID, int64(1000+i))
		e.Set(ev.AccountName, "builder")
		e.Set(ev.InitiatingProcessFileName, "make")
		e.Set(ev.InitiatingProcessCommandLine, "make -j8 all")
		buf, err := ev.Append(nil, &e)
		if err != nil {
			b.Fatal(err)
		}
		r, _, err := ev.Next(buf)
		if err != nil {
			b.Fatal(err)
		}
		records = append(records, r)
	}
	for name, text := range map[string]string{"text": "file999.c", "words": "make started gcc", "nowhere": "mimikatz", "nowhere, two words": "no such"} {
		b.Run(name, func(b *testing.B) {
			f := newFinder(text)
			for b.Loop() {
				for _, r := range records {
					f.in(r)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(records)), "ns/event")
		})
	}
}
