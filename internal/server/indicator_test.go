package server

import (
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

func indicatorOf(typ alert.IndicatorType, value string, action alert.IndicatorAction) IndicatorEdit {
	return IndicatorEdit{Type: string(typ), Value: value, Action: string(action), Title: "Bad " + value, Description: "Seen in case 77.", Severity: "High", Generate: true}
}

func (l *life) indicate(e IndicatorEdit) IndicatorRow {
	l.t.Helper()
	r, _, err := l.s.SaveIndicator(l.t.Context(), admin, e)
	if err != nil {
		l.t.Fatal(err)
	}
	return r
}

// raised are the alerts of indicators, by title, with how many events each has.
func (l *life) raised() map[string]int {
	l.t.Helper()
	p, err := l.s.Alerts(l.t.Context(), admin, Query{Filter: map[string][]string{"source": {"CustomerTI"}, "device": {string(l.id)}}}, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	out := map[string]int{}
	for _, r := range p.Items {
		out[r.Title] = r.Events
	}
	return out
}

func (l *life) wantRaised(what string, want map[string]int) {
	l.t.Helper()
	if got := l.raised(); fmt.Sprint(got) != fmt.Sprint(want) {
		l.t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// An event that matches raises one alert for each indicator and value, with its evidence,
// before it is acknowledged; further ones are taken into it.
func TestIndicatorRaisesOneAlert(t *testing.T) {
	s := testServer(t)
	l, other := newLife(t, s, "one"), newLife(t, s, "two")
	host := l.indicate(indicatorOf(alert.DomainName, "evil.example", alert.Block))
	file := l.indicate(indicatorOf(alert.FileSHA256, strings.Repeat("ab", 32), alert.AuditOnly))
	a, b := l.curl(), l.curl()
	l.send(a, b)
	l.send(l.curl())
	hostTitle := fmt.Sprintf("Bad evil.example: evil.example (indicator %s)", host.ID)
	fileTitle := fmt.Sprintf("Bad %s: %[1]s (indicator %s)", strings.Repeat("ab", 32), file.ID)
	l.wantRaised("two indicators", map[string]int{hostTitle: 3, fileTitle: 3})
	other.wantRaised("another device", map[string]int{})
	page, err := s.Alerts(t.Context(), admin, Query{Filter: map[string][]string{"entity": {"domain:evil.example"}}}, nil)
	if err != nil || len(page.Items) != 2 {
		t.Fatal(page, err)
	}
	for _, r := range page.Items {
		got, err := s.Alert(t.Context(), admin, r.ID)
		if err != nil || got.Severity != "High" || got.Status != "New" || !got.Active || got.User != "alice" || len(got.Evidence) == 0 || !got.FirstEvent.Equal(a.Time) || !slices.Contains(got.EventIDs, fmt.Sprintf("%d-%d-%d", b.Time.UnixNano(), b.Kind(), b.Seq)) {
			t.Errorf("%+v, %v", got, err)
		}
		if honest := strings.Contains(got.Description, "not enforced on endpoints"); honest != (got.Title == hostTitle) {
			t.Errorf("%s: %s", got.Title, got.Description)
		}
	}
	// A new one for another process, after the first is resolved.
	resolved := "Resolved"
	if err := s.UpdateAlerts(t.Context(), admin, []string{page.Items[0].ID, page.Items[1].ID}, AlertChange{Status: &resolved}); err != nil {
		t.Fatal(err)
	}
	another := l.curl()
	another.SetInt(ev.InitiatingProcessID, 102)
	l.send(another)
	p, err := s.Alerts(t.Context(), admin, Query{Filter: map[string][]string{"source": {"CustomerTI"}, "status": {"New"}}}, nil)
	if err != nil || len(p.Items) != 2 || p.Items[0].Events != 1 {
		t.Errorf("%+v %v", p, err)
	}
	// None once it is deleted.
	if err := s.DeleteIndicators(t.Context(), admin, []string{host.ID, file.ID}); err != nil {
		t.Fatal(err)
	}
	l.send(l.curl())
	if p, err = s.Alerts(t.Context(), admin, Query{Filter: map[string][]string{"source": {"CustomerTI"}, "status": {"New"}}}, nil); err != nil || p.Items[0].Events != 1 {
		t.Errorf("%+v %v", p, err)
	}
}

// A batch that was kept and not acknowledged comes again: its alerts are raised then, and
// what an alert has is not taken in twice.
func TestIndicatorOfABatchThatComesAgain(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	net := l.curl()
	l.send(net) // kept, and the server ended before it looked
	x := l.indicate(indicatorOf(alert.IPAddress, "192.0.2.7", alert.AuditOnly))
	e := happening(t, 1, l.seq, net)
	for range 2 {
		e.Sent = time.Now()
		if err := s.keepEvents(t.Context(), l.id, e); err != nil {
			t.Fatal(err)
		}
	}
	l.wantRaised("twice", map[string]int{fmt.Sprintf("Bad 192.0.2.7: 192.0.2.7 (indicator %s)", x.ID): 1})
}

// What is allowed raises nothing, and keeps others of the same thing from it; other device
// groups and what has expired do not count.
func TestIndicatorsThatDoNotCount(t *testing.T) {
	now := time.Now().UTC()
	s := testServer(t)
	s.opt.Now = func() time.Time { return now }
	l := newLife(t, s, "one")
	g, err := s.SaveDeviceGroup(t.Context(), admin, 0, RuleEdit{Name: "Others"})
	if err != nil {
		t.Fatal(err)
	}
	soon := now.Add(time.Hour)
	elsewhere := indicatorOf(alert.IPAddress, "192.0.2.7", alert.AuditOnly)
	elsewhere.Groups = []exposure.Group{g.ID}
	l.indicate(elsewhere)
	short := indicatorOf(alert.FileSHA256, strings.Repeat("ab", 32), alert.AuditOnly)
	short.Expires = &soon
	l.indicate(short)
	l.indicate(indicatorOf(alert.DomainName, "example.org", alert.AuditOnly))
	l.indicate(indicatorOf(alert.DomainName, "a.example.org", alert.Allowed))
	visit := func(host string) ev.Event {
		return l.event(ev.ConnectionSuccess, func(e *ev.Event) { e.Set(ev.RemoteURL, host) })
	}
	now = now.Add(2 * time.Hour)
	l.send(l.curl(), visit("b.a.example.org"))
	l.wantRaised("nothing counts", map[string]int{})
	l.send(visit("b.example.org"))
	if got := l.raised(); len(got) != 1 {
		t.Errorf("%v", got)
	}
	elsewhere.Groups = []exposure.Group{0} // devices that no rule takes
	l.indicate(elsewhere)
	l.send(l.curl())
	if got := l.raised(); len(got) != 2 {
		t.Errorf("%v", got)
	}
}

// What an endpoint says of a host is on one line where an alert names it.
func TestIndicatorNamesAHostileHost(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	x := l.indicate(indicatorOf(alert.DomainName, "evil.example", alert.AuditOnly))
	l.send(l.event(ev.ConnectionSuccess, func(e *ev.Event) { e.Set(ev.RemoteURL, "a\r\nbcc\x1b.evil.example") }))
	l.wantRaised("a name with ends of lines", map[string]int{"Bad evil.example: a  bcc .evil.example (indicator " + x.ID + ")": 1})
}

// An alert names so many events and counts the rest; an indicator counts all.
func TestIndicatorCounts(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	x := l.indicate(indicatorOf(alert.IPAddress, "192.0.2.7", alert.AuditOnly))
	for range 3 {
		events := make([]ev.Event, 0, 100)
		for range 100 {
			events = append(events, l.curl())
		}
		l.send(events...)
	}
	if got, err := s.Indicator(t.Context(), admin, x.ID); err != nil || got.Matched != 300 || !got.LastMatched.Equal(l.now) {
		t.Errorf("%+v %v", got, err)
	}
	if err := s.storeCounts(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.wantRaised("counted", map[string]int{fmt.Sprintf("Bad 192.0.2.7: 192.0.2.7 (indicator %s)", x.ID): 300})
	list, err := s.st.Indicators(t.Context())
	if err != nil || len(list) != 1 || list[0].Matched != 300 || !list[0].LastMatched.Equal(l.now) {
		t.Errorf("%+v %v", list, err)
	}
	alerts, err := s.st.Alerts(t.Context())
	if err != nil || len(alerts) != 1 || len(alerts[0].Events) != mostAlertEvents || alerts[0].Dropped != 100 {
		t.Errorf("%d alerts, %v", len(alerts), err)
	}
}

// A new indicator finds what is stored, of every type, and says how far that is.
func TestIndicatorLooksBack(t *testing.T) {
	for typ, value := range map[alert.IndicatorType]string{alert.FileSHA256: strings.Repeat("ab", 32), alert.FileSHA1: strings.Repeat("cd", 20), alert.FileMD5: strings.Repeat("ef", 16),
		alert.IPAddress: "192.0.2.7", alert.DomainName: "example", alert.URL: "https://evil.example/x"} {
		t.Run(string(typ), func(t *testing.T) {
			s := testServer(t)
			l, other := newLife(t, s, "one"), newLife(t, s, "two")
			if typ == alert.DomainName {
				value = "evil.example"
			}
			net := l.curl()
			net.Set(ev.InitiatingProcessSHA1, strings.Repeat("cd", 20))
			net.Set(ev.InitiatingProcessMD5, strings.Repeat("ef", 16))
			l.send(net, l.start(1, 100, "sh"))
			other.send(other.start(1, 100, "sh"))
			x := l.indicate(indicatorOf(typ, value, alert.AuditOnly))
			if x.Look != LookWaiting {
				t.Errorf("%+v", x)
			}
			s.lookBack(t.Context())
			if got, err := s.Indicator(t.Context(), admin, x.ID); err != nil || got.Look != LookDone || got.LookDevices != 1 || got.LookEvents != 1 {
				t.Errorf("%+v %v", got, err)
			}
			if got := l.raised(); len(got) != 1 || len(other.raised()) != 0 {
				t.Errorf("%v", got)
			}
			list, err := s.st.Indicators(t.Context())
			if err != nil || list[0].Look != LookDone || list[0].LookEvents != 1 {
				t.Errorf("%+v %v", list[0], err)
			}
		})
	}
}

// Who has only the own ones sees and changes no other; who does not see all devices makes
// none for all of them.
func TestWhoMayIndicate(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	g, err := s.SaveDeviceGroup(t.Context(), admin, 0, RuleEdit{Name: "Finance"})
	if err != nil {
		t.Fatal(err)
	}
	everybodys := l.indicate(indicatorOf(alert.IPAddress, "192.0.2.7", alert.AuditOnly))
	own := Caller{Name: "siem", App: "app-1", Permissions: []string{TiWriteOwn}, Scope: exposure.Everywhere()}
	narrow := Caller{Name: "ben", UserID: 7, Permissions: []string{TiWrite}, Scope: exposure.Within(g.ID)}
	mine, made, err := s.SaveIndicator(t.Context(), own, indicatorOf(alert.IPAddress, "192.0.2.8", alert.AuditOnly))
	if err != nil || !made || mine.SourceType != "AadApp" || mine.CreatedBy != "app-1" || mine.SourceName != "siem" {
		t.Fatal(mine, made, err)
	}
	list := func(c Caller) (out []string) {
		p, err := s.Indicators(t.Context(), c, Query{Sort: []string{"value"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Items {
			out = append(out, r.Value)
		}
		return out
	}
	equal(t, "own", list(own), "192.0.2.8")
	equal(t, "all", list(admin), "192.0.2.7", "192.0.2.8")
	ctx := t.Context()
	if _, err := s.Indicator(ctx, own, everybodys.ID); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if err := s.DeleteIndicators(ctx, own, []string{mine.ID, everybodys.ID}); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if _, _, err := s.SaveIndicator(ctx, own, indicatorOf(alert.IPAddress, "192.0.2.7", alert.Allowed)); !errors.Is(err, ErrDenied) {
		t.Error(err)
	}
	if _, err := s.ChangeIndicator(ctx, own, everybodys.ID, indicatorOf(alert.IPAddress, "192.0.2.7", alert.Allowed)); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if _, _, err := s.SaveIndicator(ctx, narrow, indicatorOf(alert.IPAddress, "192.0.2.9", alert.AuditOnly)); !errors.Is(err, ErrDenied) {
		t.Error(err)
	}
	if err := s.DeleteIndicators(ctx, narrow, []string{everybodys.ID}); !errors.Is(err, ErrDenied) {
		t.Error(err)
	}
	within := indicatorOf(alert.IPAddress, "192.0.2.9", alert.AuditOnly)
	within.GroupNames = []string{"finance"}
	r, _, err := s.SaveIndicator(ctx, narrow, within)
	if err != nil || !slices.Equal(r.Groups, []exposure.Group{g.ID}) || !r.Editable {
		t.Error(r, err)
	}
	if got, err := s.Indicator(ctx, narrow, everybodys.ID); err != nil || got.Editable {
		t.Error(got, err)
	}
	other := Caller{Name: "eve", UserID: 8, Permissions: []string{TiWrite}, Scope: exposure.Within(900)}
	if _, err := s.Indicator(ctx, other, r.ID); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	for _, c := range []Caller{{}, {Permissions: []string{AlertWrite, MachineRead}, Scope: exposure.Everywhere()}} {
		_, err1 := s.Indicators(ctx, c, Query{}, nil)
		_, err2 := s.Indicator(ctx, c, mine.ID)
		fresh := within
		fresh.Value = "192.0.2.99" // nobody's yet
		_, _, err3 := s.SaveIndicator(ctx, c, fresh)
		_, err4 := s.ChangeIndicator(ctx, c, mine.ID, within)
		_, err5 := s.ImportIndicators(ctx, c, nil)
		for _, err := range []error{err1, err2, err3, err4, err5, s.DeleteIndicators(ctx, c, []string{mine.ID})} {
			if !errors.Is(err, ErrDenied) {
				t.Error(err)
			}
		}
	}
}

// One of a value is changed and not made again, in whatever case; what cannot be is refused.
func TestIndicatorsAreChecked(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	good := indicatorOf(alert.DomainName, "evil.example", alert.Block)
	first := l.indicate(good)
	again := good
	again.Value, again.Action, again.Application, again.Title = "EVIL.example.", "allow", "other", "Good"
	r, made, err := s.SaveIndicator(t.Context(), admin, again)
	if err != nil || made || r.ID != first.ID || r.Action != "Allowed" || r.Application != "" || r.Title != "Good" || r.Look != LookNone || r.Enforcement != EnforcedAllow || first.Enforcement != EnforcedNot {
		t.Errorf("%+v %v %v", r, made, err)
	}
	if _, err := s.ChangeIndicator(t.Context(), admin, first.ID, indicatorOf(alert.DomainName, "other.example", alert.Block)); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	past := time.Now().Add(-time.Hour)
	for name, change := range map[string]func(e *IndicatorEdit){
		"type": func(e *IndicatorEdit) { e.Type = "x" }, "action": func(e *IndicatorEdit) { e.Action = "x" }, "value": func(e *IndicatorEdit) { e.Value = "*.x.example" },
		"title": func(e *IndicatorEdit) { e.Title = " " }, "long": func(e *IndicatorEdit) { e.Description = strings.Repeat("x", 2001) }, "severity": func(e *IndicatorEdit) { e.Severity = "UnSpecified" },
		"alert": func(e *IndicatorEdit) { e.Action, e.Generate = "Audit", false }, "expired": func(e *IndicatorEdit) { e.Expires = &past },
		"group": func(e *IndicatorEdit) { e.Groups = []exposure.Group{77} }, "group name": func(e *IndicatorEdit) { e.GroupNames = []string{"x"} },
	} {
		e := good
		change(&e)
		if _, _, err := s.SaveIndicator(t.Context(), admin, e); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.indicators.most = 2
	list := []IndicatorEdit{good, {}, indicatorOf(alert.IPAddress, "192.0.2.1", alert.AuditOnly), indicatorOf(alert.IPAddress, "192.0.2.2", alert.AuditOnly)}
	out, err := s.ImportIndicators(t.Context(), admin, list)
	if err != nil || out[0].Row == nil || out[0].Row.ID != first.ID || out[1].Err == nil || out[2].Row == nil || out[2].Row.ID == "0" || !errors.Is(out[3].Err, ErrInvalid) {
		t.Errorf("%+v %v", out, err)
	}
	if _, _, err := s.SaveIndicator(t.Context(), admin, list[3]); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if out, err := s.ImportIndicators(t.Context(), admin, nil); err != nil || len(out) != 0 {
		t.Error(out, err)
	}
	if _, err := s.ImportIndicators(t.Context(), admin, make([]IndicatorEdit, MostIndicatorsAtOnce+1)); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}

// Indicators outlive the server; those that expired long ago do not stay.
func TestIndicatorsAreKept(t *testing.T) {
	now := time.Now().UTC()
	dir := t.TempDir()
	s := openTest(t, dir)
	s.opt.Now = func() time.Time { return now }
	l := newLife(t, s, "one")
	soon := now.Add(time.Hour)
	e := indicatorOf(alert.IPAddress, "192.0.2.7", alert.AuditOnly)
	l.indicate(e)
	e.Value, e.Expires, e.Groups = "192.0.2.8", &soon, []exposure.Group{0}
	want := l.indicate(e)
	if err := s.st.NoteIndicators(t.Context(), []*store.Indicator{{ID: 1, Look: LookRunning}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir)
	t.Cleanup(func() { _ = s.Close() })
	s.opt.Now = func() time.Time { return now }
	if got, err := s.Indicator(t.Context(), admin, want.ID); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v, want %+v, %v", got, want, err)
	}
	if got, err := s.Indicator(t.Context(), admin, "1"); err != nil || got.Look != LookWaiting {
		t.Errorf("%+v %v", got, err)
	}
	for _, c := range []struct {
		after time.Duration
		left  int
	}{{2 * time.Hour, 2}, {keepExpired, 1}} {
		now = now.Add(c.after)
		if err := s.removeExpired(t.Context()); err != nil {
			t.Fatal(err)
		}
		if p, err := s.Indicators(t.Context(), admin, Query{}, nil); err != nil || p.Total != c.left {
			t.Errorf("%d left, want %d, %v", p.Total, c.left, err)
		}
	}
}
