package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/alert"
	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

// raisedNew are the titles of alerts that are new, and resolves them.
func (l *life) raisedNew(resolve bool) []string {
	l.t.Helper()
	p, err := l.s.Alerts(l.t.Context(), admin, Query{Filter: map[string][]string{"source": {"CustomerTI"}, "status": {"New"}, "device": {string(l.id)}}}, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	titles, ids := []string{}, []string{}
	for _, r := range p.Items {
		title, _, _ := strings.Cut(r.Title, ":")
		titles, ids = append(titles, title), append(ids, r.ID)
	}
	if status := "Resolved"; resolve && len(ids) > 0 {
		if err := l.s.UpdateAlerts(l.t.Context(), admin, ids, AlertChange{Status: &status}); err != nil {
			l.t.Fatal(err)
		}
	}
	slices.Sort(titles)
	return titles
}

// Once an alert is resolved, another is raised for what is new: a file that runs or is
// written once more, another process at a host, the same one after a pause. What the alert
// tells of, and what its process does on, is no news; it is counted.
func TestIndicatorAfterItsAlertIsResolved(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	l.now = l.now.Add(-8 * time.Hour)
	file := strings.Repeat("ab", 32)
	host := l.indicate(indicatorOf(alert.DomainName, "evil.example", alert.Block))
	l.indicate(indicatorOf(alert.FileSHA256, file, alert.Block))
	process := func(pid int64) ev.Event {
		e := l.curl()
		e.SetInt(ev.InitiatingProcessID, pid)
		return e
	}
	both := []string{"Bad " + file, "Bad evil.example"}
	first := process(101)
	l.send(first)
	equal(t, "the first", l.raisedNew(true), both...)
	l.send(process(101))
	again := happening(t, 1, l.seq, first)
	again.Sent = s.now()
	if err := s.keepEvents(t.Context(), l.id, again); err != nil {
		t.Fatal(err)
	}
	equal(t, "the same process, and the batch again", l.raisedNew(false))
	if err := s.storeCounts(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.wantRaised("counted", map[string]int{fmt.Sprintf("Bad evil.example: evil.example (indicator %s)", host.ID): 2, l.titleOf(file): 2})
	changed := indicatorOf(alert.DomainName, "evil.example", alert.Warn)
	l.indicate(changed)
	s.lookBack(t.Context())
	equal(t, "looked for again", l.raisedNew(false))
	l.now = l.now.Add(sameVisit - time.Minute)
	l.send(process(101))
	l.now = l.now.Add(sameVisit - time.Minute)
	l.send(process(101))
	equal(t, "it goes on", l.raisedNew(false))
	l.now = l.now.Add(sameVisit + time.Minute)
	l.send(process(101))
	equal(t, "after a pause", l.raisedNew(true), "Bad evil.example")
	l.send(process(102))
	equal(t, "another process", l.raisedNew(true), both...)
	later := process(101)
	later.SetInt(ev.InitiatingProcessCreationTime, 1764000001e9)
	l.send(later)
	equal(t, "another of the same number", l.raisedNew(true), both...)
	for range 2 {
		l.send(l.event(ev.ConnectionSuccess, func(e *ev.Event) {
			e.Set(ev.RemoteURL, "evil.example")
			e.SetInt(ev.InitiatingProcessID, 300)
		}))
		equal(t, "a process that may be another of its number", l.raisedNew(true), "Bad evil.example")
	}
	run := func(pid int64) ev.Event {
		e := l.start(1, pid, "curl")
		e.Set(ev.SHA256, file)
		return e
	}
	l.send(run(200))
	equal(t, "it runs", l.raisedNew(true), "Bad "+file)
	mine := process(200)
	mine.SetInt(ev.InitiatingProcessCreationTime, births[200])
	l.send(mine)
	equal(t, "what runs goes to the host", l.raisedNew(true), "Bad evil.example")
	l.send(run(201))
	equal(t, "it runs once more", l.raisedNew(true), "Bad "+file)
	for range 2 {
		l.send(l.event(ev.FileCreated, func(e *ev.Event) {
			e.Set(ev.FileName, "curl")
			e.Set(ev.SHA256, file)
			e.SetInt(ev.InitiatingProcessID, 101)
			e.SetInt(ev.InitiatingProcessCreationTime, 1764000000e9)
		}))
		equal(t, "it is written", l.raisedNew(true), "Bad "+file)
	}
}

// titleOf is the title of the only alert of a value.
func (l *life) titleOf(value string) string {
	for title := range l.raised() {
		if strings.Contains(title, value) {
			return title
		}
	}
	return value
}

// What the alert of an event cannot be stored for is not acknowledged: it comes again, and
// is raised then, also by a server that began anew.
func TestIndicatorBeforeTheAcknowledgement(t *testing.T) {
	x := &eventScript{t: t, dir: t.TempDir()}
	s := openTest(t, x.dir)
	l := newLife(t, s, "one")
	l.indicate(indicatorOf(alert.IPAddress, "192.0.2.7", alert.AuditOnly))
	if err := x.exec(`CREATE TRIGGER broken BEFORE INSERT ON alert BEGIN SELECT RAISE(ABORT, 'broken by the test'); END`); err != nil {
		t.Fatal(err)
	}
	e := happening(t, 1, 1, l.curl())
	e.Sent = s.now()
	if err := s.keepEvents(t.Context(), l.id, e); err == nil {
		t.Error("kept without its alert")
	}
	if err := errors.Join(x.exec(`DROP TRIGGER broken`), s.keepEvents(t.Context(), l.id, e)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	l.s = openTest(t, x.dir)
	t.Cleanup(func() { _ = l.s.Close() })
	equal(t, "after the next start", l.raisedNew(false), "Bad 192.0.2.7")
}

// A look back ends 30 days ago, and says when there was more than it takes.
func TestIndicatorLooksBackSoFar(t *testing.T) {
	for typ, value := range map[alert.IndicatorType]string{alert.IPAddress: "192.0.2.7", alert.FileMD5: strings.Repeat("ef", 16)} {
		s := testServer(t)
		l, busy := newLife(t, s, "old"), newLife(t, s, "busy")
		visit := func(l *life) ev.Event {
			e := l.curl()
			e.Set(ev.InitiatingProcessMD5, strings.Repeat("ef", 16))
			return e
		}
		l.now = l.now.Add(-lookBackFor)
		l.send(visit(l))
		for range mostLookEvents + 1 {
			busy.send(visit(busy))
		}
		x := l.indicate(indicatorOf(typ, value, alert.AuditOnly))
		s.lookBack(t.Context())
		if got, err := s.Indicator(t.Context(), admin, x.ID); err != nil || got.Look != LookPartial || got.LookDevices != 1 || got.LookEvents != mostLookEvents {
			t.Errorf("%s: %+v %v", typ, got, err)
		}
		if len(l.raised()) != 0 || len(busy.raised()) != 1 {
			t.Errorf("%s: %v, %v", typ, l.raised(), busy.raised())
		}
	}
}

// A device has so many open alerts; then a match is counted alone, and events are
// acknowledged all the same.
func TestIndicatorOnADeviceFullOfAlerts(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	x := l.indicate(indicatorOf(alert.IPAddress, "192.0.2.7", alert.AuditOnly))
	num := s.deviceOf(l.id).num
	s.core.mu.Lock()
	for i := range mostOpenAlerts {
		s.core.alerts.put(&store.Alert{ID: fmt.Sprint("a", i), Device: num, Title: fmt.Sprint(i), Severity: "Low", Status: "New"})
	}
	s.core.mu.Unlock()
	l.send(l.curl())
	if got, err := s.Indicator(t.Context(), admin, x.ID); err != nil || got.Matched != 1 || len(l.raised()) != 0 {
		t.Errorf("%+v %v %v", got, err, l.raised())
	}
}

// Who sees some device groups changes nothing that concerns others, gives nothing to
// others, and is not told which they are. Bounds hold for every way of writing.
func TestIndicatorsOfHiddenGroups(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	ctx := t.Context()
	var ids []exposure.Group
	for _, name := range []string{"Finance", "Board"} {
		g, err := s.SaveDeviceGroup(ctx, admin, 0, RuleEdit{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, g.ID)
	}
	narrow := Caller{Name: "ben", UserID: 7, Permissions: []string{TiWrite}, Scope: exposure.Within(ids[0])}
	e := indicatorOf(alert.IPAddress, "192.0.2.7", alert.AuditOnly)
	e.Groups = ids
	r := l.indicate(e)
	got, err := s.Indicator(ctx, narrow, r.ID)
	if err != nil || got.Editable || !slices.Equal(got.Groups, ids[:1]) || !slices.Equal(got.GroupNames, []string{"Finance"}) {
		t.Errorf("%+v %v", got, err)
	}
	mine := e
	mine.Groups = ids[:1]
	_, _, err1 := s.SaveIndicator(ctx, narrow, mine)
	_, err2 := s.ChangeIndicator(ctx, narrow, r.ID, mine)
	out, err3 := s.ImportIndicators(ctx, narrow, []IndicatorEdit{mine})
	mine.Value, mine.Groups = "192.0.2.8", ids[1:]
	_, _, err4 := s.SaveIndicator(ctx, narrow, mine)
	if err3 != nil {
		t.Fatal(err3)
	}
	for i, err := range []error{err1, err2, out[0].Err, s.DeleteIndicators(ctx, narrow, []string{r.ID})} {
		if !errors.Is(err, ErrDenied) {
			t.Errorf("%d: %v", i, err)
		}
	}
	// A device group that is hidden is not there.
	mine.Groups = []exposure.Group{4711}
	_, _, err5 := s.SaveIndicator(ctx, narrow, mine)
	if !errors.Is(err4, ErrInvalid) || !errors.Is(err5, ErrInvalid) || strings.ReplaceAll(err4.Error(), fmt.Sprint(ids[1]), "4711") != err5.Error() {
		t.Errorf("a hidden device group is told apart from none: %v, %v", err4, err5)
	}
	// What expired is active again by a change: there must be room for it.
	now := time.Now().UTC()
	s.opt.Now = func() time.Time { return now }
	soon := now.Add(time.Hour)
	e.Expires = &soon
	l.indicate(e)
	now = now.Add(2 * time.Hour)
	s.indicators.most = 1
	l.indicate(indicatorOf(alert.IPAddress, "192.0.2.9", alert.AuditOnly))
	e.Expires = nil
	if _, err := s.ChangeIndicator(ctx, admin, r.ID, e); !errors.Is(err, ErrInvalid) {
		t.Errorf("too many: %v", err)
	}
	if err := s.DeleteIndicators(ctx, admin, make([]string, MostIndicatorsAtOnce+1)); !errors.Is(err, ErrInvalid) {
		t.Errorf("many at once: %v", err)
	}
	if err := s.DeleteIndicators(ctx, admin, nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("none: %v", err)
	}
	s.indicators.most = 3
	same := indicatorOf(alert.IPAddress, "192.0.2.10", alert.AuditOnly)
	other := same
	other.Title = "The last one counts"
	if out, err := s.ImportIndicators(ctx, admin, []IndicatorEdit{same, other}); err != nil || out[0].Row == nil || out[1].Row == nil || out[0].Row.ID != out[1].Row.ID || out[1].Row.Title != other.Title {
		t.Errorf("%+v %v", out, err)
	}
}

// The audit log tells both sides of what is written.
func TestIndicatorsAreAudited(t *testing.T) {
	s := testServer(t)
	e := indicatorOf(alert.IPAddress, "192.0.2.7", alert.AuditOnly)
	id := ""
	for _, c := range []struct {
		what   string
		do     func(ctx context.Context) error
		object string
		want   []string
	}{
		{"make", func(ctx context.Context) error {
			r, _, err := s.SaveIndicator(ctx, admin, e)
			id = r.ID
			return err
		}, "IpAddress:192.0.2.7", []string{`{"after":{"action":"Audit"`}},
		{"change", func(ctx context.Context) error {
			e.Action, e.Severity = "Block", "Low"
			_, err := s.ChangeIndicator(ctx, admin, id, e)
			return err
		}, "IpAddress:192.0.2.7", []string{`"before":{"action":"Audit"`, `"after":{"action":"Block"`, `"severity":"Low"`}},
		{"import", func(ctx context.Context) error {
			_, err := s.ImportIndicators(ctx, admin, []IndicatorEdit{e, {}})
			return err
		}, "", []string{`"before":{"replaced":1`, `"failed":1`, `"imported":1`, `Block 192.0.2.7`}},
		{"delete", func(ctx context.Context) error { return s.DeleteIndicators(ctx, admin, []string{id}) }, "IpAddress:192.0.2.7", []string{`"before":[{`, `"value":"192.0.2.7"`}},
	} {
		if err := c.do(s.Audited(t.Context(), admin, c.what, "", "")); err != nil {
			t.Fatal(c.what, err)
		}
		page, err := s.Audit(t.Context(), boss, Query{Filter: map[string][]string{"action": {c.what}}})
		if err != nil || len(page.Items) != 1 {
			t.Fatal(c.what, page, err)
		}
		for _, want := range c.want {
			if x := page.Items[0]; x.Object != c.object || !strings.Contains(string(x.Detail), want) {
				t.Errorf("%s: %q %s, want %s", c.what, x.Object, x.Detail, want)
			}
		}
	}
}
