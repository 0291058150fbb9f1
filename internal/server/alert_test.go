package server

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/group"
)

// alertOf is a good alert about an event of a device.
func alertOf(l *life, e *ev.Event) NewAlert {
	return NewAlert{Device: string(l.id), Severity: "Medium", Title: "A shell from the net", Description: "It should not be.", Recommended: "Look at it.", Category: "execution",
		Report: fmt.Sprint(e.Seq), EventTime: e.Time, Techniques: []string{"t1059.004"}}
}

func (l *life) raise(n NewAlert) Alert {
	l.t.Helper()
	a, _, err := l.s.CreateAlert(l.t.Context(), admin, n)
	if err != nil {
		l.t.Fatal(err)
	}
	return a
}

func (l *life) alerts(filter map[string][]string) []string {
	l.t.Helper()
	p, err := l.s.Alerts(l.t.Context(), admin, Query{Filter: filter}, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	out := []string{}
	for _, r := range p.Items {
		out = append(out, r.Title)
	}
	slices.Sort(out)
	return out
}

// curl is a connection that a process makes.
func (l *life) curl() ev.Event {
	return l.event(ev.ConnectionSuccess, func(e *ev.Event) {
		e.Set(ev.RemoteIP, "192.0.2.7")
		e.Set(ev.RemoteURL, "https://Evil.example/x")
		e.SetInt(ev.InitiatingProcessID, 101)
		e.SetInt(ev.InitiatingProcessCreationTime, 1764000000e9)
		e.Set(ev.InitiatingProcessFileName, "curl")
		e.Set(ev.InitiatingProcessFolderPath, "/usr/bin/curl")
		e.Set(ev.InitiatingProcessSHA256, strings.Repeat("AB", 32))
		e.Set(ev.InitiatingProcessAccountName, "alice")
	})
}

func TestAnAlertIsAboutAnEvent(t *testing.T) {
	s := testServer(t)
	l, other := newLife(t, s, "one"), newLife(t, s, "two")
	started, net := l.start(1, 100, "sh"), l.curl()
	net.Time = net.Time.Add(123456789)
	l.send(started, net)
	id := ""
	for _, r := range l.timeline(TimelineQuery{}).Items {
		if r.Action == "ConnectionSuccess" {
			id = r.ID
		}
	}
	for name, change := range map[string]func(n *NewAlert){
		"another number":        func(n *NewAlert) { n.Report = "7" },
		"another time":          func(n *NewAlert) { n.EventTime = n.EventTime.Add(time.Hour) },
		"a device that has not": func(n *NewAlert) { n.Device = string(other.id) },
		"no such device":        func(n *NewAlert) { n.Device = strings.Repeat("0", 40) },
		"another id":            func(n *NewAlert) { n.Report = "1-1-1" },
	} {
		n := alertOf(l, &net)
		change(&n)
		if _, _, err := s.CreateAlert(t.Context(), admin, n); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(n *NewAlert){
		"severity": func(n *NewAlert) { n.Severity = "Severe" }, "unspecified": func(n *NewAlert) { n.Severity = "UnSpecified" }, "category": func(n *NewAlert) { n.Category = "Fun" },
		"title": func(n *NewAlert) { n.Title = " " }, "long title": func(n *NewAlert) { n.Title = strings.Repeat("x", 257) }, "description": func(n *NewAlert) { n.Description = "" },
		"recommended": func(n *NewAlert) { n.Recommended = "" }, "technique": func(n *NewAlert) { n.Techniques = []string{"X1"} }, "report": func(n *NewAlert) { n.Report = "x" },
		"time": func(n *NewAlert) { n.EventTime = time.Time{} }, "many techniques": func(n *NewAlert) { n.Techniques = slices.Repeat([]string{"T1059"}, 21) },
	} {
		n := alertOf(l, &net)
		change(&n)
		if _, _, err := s.CreateAlert(t.Context(), admin, n); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := l.alerts(nil); len(got) != 0 {
		t.Fatalf("there are alerts: %v", got)
	}
	// Its number with the time to the second, and its id, both say which event.
	for i, report := range []string{"1", id} {
		n := alertOf(l, &net)
		n.Report, n.EventTime, n.Title = report, net.Time.Truncate(time.Second), fmt.Sprintf("alert %d", i)
		a, made, err := s.CreateAlert(t.Context(), admin, n)
		if err != nil || !made {
			t.Fatalf("%s: %v %v", report, made, err)
		}
		if !regexp.MustCompile(`^da[0-9]+_-?[0-9]+$`).MatchString(a.ID) || !slices.Equal(a.EventIDs, []string{id}) || !a.FirstEvent.Equal(net.Time) || a.Status != "New" || !a.Active ||
			a.Category != "Execution" || a.Source != "CustomDetection" || a.User != "alice" || a.Techniques[0].ID != "T1059.004" || a.Techniques[0].Name == "" {
			t.Errorf("alert: %+v", a)
		}
		kinds := []string{}
		for _, e := range a.Evidence {
			kinds = append(kinds, e.Kind)
		}
		equal(t, "evidence", kinds, "Process", "Ip", "Url", "User")
		if p := a.Evidence[0]; p.PID != 101 || p.Name != "curl" || p.Path != "/usr/bin/curl" || p.Account != "alice" || p.SHA256 == "" || p.Event != id {
			t.Errorf("process: %+v", p)
		}
	}
	// It is found by what its event names, and by nothing else.
	for entity, want := range map[string]int{"ip:192.0.2.7": 2, "ip:192.0.2.8": 0, "domain:evil.EXAMPLE": 2, "file:" + strings.Repeat("ab", 32): 2, "user:ALICE": 2, "user:bob": 0,
		`user:corp\alice`: 0, "ip:::ffff:192.0.2.7": 2, "domain:https://evil.example/y": 2, "domain:example": 0, "file:" + strings.Repeat("ac", 32): 0} {
		if got := l.alerts(map[string][]string{"entity": {entity}}); len(got) != want {
			t.Errorf("%s: %v", entity, got)
		}
		kind, thing, _ := strings.Cut(entity, ":")
		page, err := s.EntityAlerts(t.Context(), admin, kind, thing, Query{}, nil)
		if err != nil || page.Total != want {
			t.Errorf("alerts of the %s %q: %d, %v", kind, thing, page.Total, err)
		}
		if _, err := s.EntityAlerts(t.Context(), Caller{Name: "x", Permissions: []string{FileRead, AddressRead, URLRead, AccountRead}, Scope: exposure.Everywhere()}, kind, thing, Query{}, nil); !errors.Is(err, ErrDenied) {
			t.Errorf("alerts of the %s for who may not read alerts: %v", kind, err)
		}
	}
	for kind, thing := range map[string]string{EntityFile: "none", EntityIP: "none", EntityUser: "", "process": "1"} {
		var in *InputError
		if _, err := s.EntityAlerts(t.Context(), admin, kind, thing, Query{}, nil); !errors.As(err, &in) {
			t.Errorf("alerts of the %s %q: %v", kind, thing, err)
		}
	}
	if _, err := s.Alerts(t.Context(), admin, Query{Filter: map[string][]string{"entity": {"nonsense"}}}, nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("an entity of no kind: %v", err)
	}
	// A program is another source of alerts.
	app := Caller{Name: "siem", App: "client", Permissions: []string{AlertRead, AlertWrite}, Scope: exposure.Everywhere()}
	n := alertOf(l, &started)
	n.Title = "by a program"
	a, _, err := s.CreateAlert(t.Context(), app, n)
	if err != nil || a.Source != "ThirdPartySensors" || a.Maker != "siem" {
		t.Errorf("%+v %v", a.AlertRow, err)
	}
	if p := a.Evidence[0]; p.Kind != "Process" || p.PID != 100 || p.ParentPID != 1 || p.Command != "sh --flag" {
		t.Errorf("a process that was started: %+v", p)
	}
}

func TestAFurtherEventJoinsAnOpenAlert(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	l := newLife(t, s, "one")
	first, second, third := l.start(1, 100, "sh"), l.start(1, 101, "nc"), l.start(1, 102, "nc")
	l.send(first, second, third)
	a := l.raise(alertOf(l, &second))
	n := alertOf(l, &first)
	n.Severity, n.Techniques = "High", []string{"T1105"}
	b, made, err := s.CreateAlert(t.Context(), admin, n)
	if err != nil || made || b.ID != a.ID {
		t.Fatalf("another alert: %v %v", made, err)
	}
	if b.Severity != "High" || b.Events != 2 || !b.FirstEvent.Equal(first.Time) || !b.LastEvent.Equal(second.Time) || len(b.Techniques) != 2 || !b.Updated.After(a.Updated) {
		t.Errorf("merged: %+v", b.AlertRow)
	}
	n.Severity = "Low" // severities only rise by themselves
	if b = l.raise(n); b.Severity != "High" || b.Events != 2 {
		t.Errorf("the same event again: %+v", b.AlertRow)
	}
	resolved := "Resolved"
	if err := s.UpdateAlerts(t.Context(), admin, []string{a.ID}, AlertChange{Status: &resolved}); err != nil {
		t.Fatal(err)
	}
	c := l.raise(alertOf(l, &third))
	if c.ID == a.ID {
		t.Fatal("a resolved alert took an event in")
	}
	again := "New"
	if err := s.UpdateAlerts(t.Context(), admin, []string{a.ID}, AlertChange{Status: &again}); !errors.Is(err, ErrConflict) {
		t.Errorf("two of one title are open: %v", err)
	}
	if err := s.UpdateAlerts(t.Context(), admin, []string{c.ID}, AlertChange{Status: &resolved}); err != nil {
		t.Fatal(err)
	}
	if err := s.UpdateAlerts(t.Context(), admin, []string{a.ID, c.ID}, AlertChange{Status: &again}); !errors.Is(err, ErrConflict) {
		t.Errorf("two of one title were opened at once: %v", err)
	}
	// All of it is there after a restart.
	before, err := s.Alert(t.Context(), admin, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir)
	t.Cleanup(func() { _ = s.Close() })
	after, err := s.Alert(t.Context(), admin, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	before.AsOf, after.AsOf = time.Time{}, time.Time{}
	if x, y := fmt.Sprintf("%+v", before), fmt.Sprintf("%+v", after); x != y {
		t.Errorf("before the restart\n%s\nafter\n%s", x, y)
	}
}

func TestWorkOnAlerts(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	var ids []string
	for i := range 3 {
		e := l.start(1, int64(100+i), "sh")
		l.send(e)
		n := alertOf(l, &e)
		n.Title = fmt.Sprintf("alert %d", i)
		ids = append(ids, l.raise(n).ID)
	}
	text := func(s string) *string { return &s }
	update := func(ids []string, ch AlertChange) error { return s.UpdateAlerts(t.Context(), admin, ids, ch) }
	for name, ch := range map[string]AlertChange{"nothing": {}, "status": {Status: text("Done")}, "classification": {Classification: text("Maybe")}, "determination": {Determination: text("Apt")},
		"comment": {Comment: strings.Repeat("x", mostAlertComment+1)}, "assigned": {AssignedTo: text(strings.Repeat("x", 201))}} {
		if err := update(ids[:1], ch); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := update([]string{ids[0], "da1_1"}, AlertChange{Comment: "x"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("one that is not there: %v", err)
	}
	if a, _ := s.Alert(t.Context(), admin, ids[0]); len(a.Notes) != 0 {
		t.Errorf("some of a change that failed was made: %+v", a.Notes)
	}
	if err := update(ids[:2], AlertChange{Status: text("inprogress"), AssignedTo: text("alice"), Classification: text("truepositive"), Determination: text("notmalicious"), Comment: "mine"}); err != nil {
		t.Fatal(err)
	}
	a, err := s.Alert(t.Context(), admin, ids[1])
	if err != nil || a.Status != "InProgress" || a.AssignedTo != "alice" || a.Classification != "TruePositive" || a.Determination != "Clean" || !a.Active {
		t.Fatalf("%+v %v", a.AlertRow, err)
	}
	notes := []string{}
	for _, n := range a.Notes {
		notes = append(notes, n.Kind+" "+n.Text)
	}
	equal(t, "history", notes, "comment mine", "change determination: none → Clean", "change classification: none → TruePositive", "change assigned to: none → alice", "change status: New → InProgress")
	was := a.Updated
	if err := update(ids[1:2], AlertChange{Status: text("InProgress")}); err != nil {
		t.Fatal(err)
	}
	if a, _ = s.Alert(t.Context(), admin, ids[1]); !a.Updated.Equal(was) || len(a.Notes) != 5 {
		t.Error("a change that changes nothing left a trace")
	}
	for _, tt := range []struct {
		filter map[string][]string
		want   []string
	}{
		{map[string][]string{"status": {"InProgress"}}, []string{"alert 0", "alert 1"}},
		{map[string][]string{"assigned": {"-"}}, []string{"alert 2"}},
		{map[string][]string{"classification": {"-"}}, []string{"alert 2"}},
		{map[string][]string{"technique": {"T1059"}}, []string{"alert 0", "alert 1", "alert 2"}},
		{map[string][]string{"technique": {"T1"}}, []string{}},
		{map[string][]string{"from": {time.Now().Add(time.Hour).Format(time.RFC3339)}}, []string{}},
		{map[string][]string{"to": {time.Now().Add(-time.Hour).Format(time.RFC3339)}}, []string{}},
		{map[string][]string{"device": {"nobody"}}, []string{}},
	} {
		equal(t, fmt.Sprint(tt.filter), l.alerts(tt.filter), tt.want...)
	}
	if err := update(ids[2:], AlertChange{Classification: text("FalsePositive")}); err != nil {
		t.Fatal(err)
	}
	equal(t, "active", l.alerts(map[string][]string{"active": {"true"}}), "alert 0", "alert 1")
	if err := update(ids[:1], AlertChange{Status: text("Resolved"), AssignedTo: text("")}); err != nil {
		t.Fatal(err)
	}
	if a, _ = s.Alert(t.Context(), admin, ids[0]); a.Resolved.IsZero() || a.AssignedTo != "" || a.Active {
		t.Errorf("resolved: %+v", a.AlertRow)
	}
	if err := update(ids[:1], AlertChange{Status: text("New")}); err != nil {
		t.Fatal(err)
	}
	if a, _ = s.Alert(t.Context(), admin, ids[0]); !a.Resolved.IsZero() || !a.Active {
		t.Errorf("opened again: %+v", a.AlertRow)
	}
	for name, c := range map[string]Caller{"reads only": {Permissions: []string{AlertRead}, Scope: exposure.Everywhere()}, "nothing": {}} {
		if err := s.UpdateAlerts(t.Context(), c, ids, AlertChange{Comment: "x"}); !errors.Is(err, ErrDenied) {
			t.Errorf("who %s: %v", name, err)
		}
	}
	if _, err := s.Alerts(t.Context(), Caller{Permissions: []string{AlertRead}, Scope: exposure.Everywhere()}, Query{Filter: map[string][]string{"weakness": {"CVE-2024-1"}}}, nil); !errors.Is(err, ErrDenied) {
		t.Errorf("weaknesses through alerts: %v", err)
	}
}

func TestOldAlertsAreForgotten(t *testing.T) {
	now := time.Now().UTC()
	s := testServer(t)
	s.opt.Now = func() time.Time { return now }
	l := newLife(t, s, "one")
	for i, status := range []string{"Resolved", "InProgress"} {
		e := l.start(1, int64(100+i), "sh")
		l.send(e)
		n := alertOf(l, &e)
		n.Title = status
		if err := s.UpdateAlerts(t.Context(), admin, []string{l.raise(n).ID}, AlertChange{Status: &status}); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		after time.Duration
		want  []string
	}{{keepAlertsFor - time.Hour, []string{"InProgress", "Resolved"}}, {2 * time.Hour, []string{"InProgress"}}} {
		now = now.Add(tt.after)
		if err := s.forgetAlerts(t.Context()); err != nil {
			t.Fatal(err)
		}
		equal(t, "alerts", l.alerts(nil), tt.want...)
	}
	list, err := s.st.Alerts(t.Context())
	if err != nil || len(list) != 1 {
		t.Errorf("%d alerts are stored: %v", len(list), err)
	}
}

// Active alerts make the risk level, add to the score and mark what their device
// is exposed to; resolved and false ones do neither.
func TestAlertsMoveRiskAndScore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	load(t, s, "tracker.json", "openssl CVE-2024-0001 resolved 3.0.15-1~deb12u1")
	const ssl = "openssl 3.0.11-1~deb12u1"
	l := newLife(t, s, "one", ssl)
	newLife(t, s, "two", ssl)
	first, second := l.start(1, 100, "sh"), l.start(1, 101, "nc")
	l.send(first, second)
	type state struct {
		points uint64
		risk   string
		marked int
	}
	now := func() state {
		t.Helper()
		score, err := s.DeviceScore(t.Context(), admin, string(l.id))
		if err != nil {
			t.Fatal(err)
		}
		sum, units := uint64(0), exposure.Score(0)
		for _, term := range score.Terms {
			sum += term.Points
			units += exposure.Score(number(t, term.Units).Uint64())
			if (term.Alert != "") != (term.Kind == "alert") {
				t.Errorf("term %+v", term)
			}
		}
		if sum != score.Points || fmt.Sprint(uint64(units)) != score.Units {
			t.Errorf("terms are %d points, %d units, of %d, %s", sum, units, score.Points, score.Units)
		}
		d, err := s.Device(t.Context(), admin, string(l.id))
		if err != nil {
			t.Fatal(err)
		}
		w, err := s.Weaknesses(t.Context(), admin, Query{Filter: map[string][]string{"threat": {"alert"}}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		soft, err := s.SoftwareList(t.Context(), admin, Query{Filter: map[string][]string{"threat": {"alert"}}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		recs, err := s.Recommendations(t.Context(), admin, Query{Filter: map[string][]string{"threat": {"alert"}}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(w.Items) > 0 != (len(soft.Items) > 0) || len(w.Items) > 0 != (len(recs.Items) > 0) {
			t.Errorf("%d weaknesses, %d products, %d recommendations are marked", len(w.Items), len(soft.Items), len(recs.Items))
		}
		for _, r := range w.Items {
			if r.Threats.Alerts != 1 || r.Exposed != 2 {
				t.Errorf("weakness on %d devices, %d with alerts", r.Exposed, r.Threats.Alerts)
			}
		}
		return state{score.Points, d.Risk, len(w.Items)}
	}
	before := now()
	if before.risk != "None" || before.marked != 0 || before.points == 0 {
		t.Fatalf("before: %+v", before)
	}
	a := l.raise(alertOf(l, &first))
	with := now()
	if want := (state{before.points + uint64(exposure.AlertPoints("Medium")), "Medium", 1}); with != want {
		t.Errorf("with an alert: %+v, want %+v", with, want)
	}
	n := alertOf(l, &second)
	n.Severity = "High"
	l.raise(n)
	if got := now(); got.points != before.points+uint64(exposure.AlertPoints("High")) || got.risk != "High" {
		t.Errorf("with a higher severity: %+v", got)
	}
	if p, err := s.Devices(t.Context(), admin, Query{Filter: map[string][]string{"risk": {"High"}}}, nil); err != nil || len(p.Items) != 1 || p.Items[0].ID != l.id || p.Items[0].Alerts != 1 {
		t.Errorf("devices of high risk: %+v %v", p.Items, err)
	}
	for filter, want := range map[string]int{"weakness:CVE-2024-0001": 1, "weakness:CVE-2024-9": 0, "software:debian-_-openssl": 1, "recommendation:va-_-debian-_-openssl": 1, "recommendation:va-_-debian-_-bash": 0} {
		name, value, _ := strings.Cut(filter, ":")
		if got := l.alerts(map[string][]string{name: {value}}); len(got) != want {
			t.Errorf("alerts of %s: %v, want %d", filter, got, want)
		}
	}
	// A restart finds the same.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir)
	t.Cleanup(func() { _ = s.Close() })
	l.s = s
	if got := now(); got.points != before.points+4000 || got.risk != "High" || got.marked != 1 {
		t.Errorf("after a restart: %+v", got)
	}
	for _, word := range []string{"FalsePositive", "InformationalExpectedActivity"} {
		if err := s.UpdateAlerts(t.Context(), admin, []string{a.ID}, AlertChange{Classification: &word}); err != nil {
			t.Fatal(err)
		}
		if got := now(); got != before {
			t.Errorf("%s: %+v, want %+v", word, got, before)
		}
	}
	none, resolved := "", "Resolved"
	if err := s.UpdateAlerts(t.Context(), admin, []string{a.ID}, AlertChange{Classification: &none}); err != nil {
		t.Fatal(err)
	}
	if got := now(); got.marked != 1 {
		t.Errorf("not classified any more: %+v", got)
	}
	if err := s.UpdateAlerts(t.Context(), admin, []string{a.ID}, AlertChange{Status: &resolved}); err != nil {
		t.Fatal(err)
	}
	if got := now(); got != before {
		t.Errorf("resolved: %+v, want %+v", got, before)
	}
}

// An alert says on how many other devices that the caller sees there is an active
// one of its title, and lists are narrowed by when alerts were raised and by how
// their investigation stands.
func TestAlertsElsewhere(t *testing.T) {
	s := testServer(t)
	var lives []*life
	ids := map[string]string{}
	for _, name := range []string{"one", "two", "three"} {
		l := newLife(t, s, name)
		e := l.start(1, 100, "sh")
		l.send(e)
		n := alertOf(l, &e)
		a := l.raise(n)
		ids[name] = a.ID
		lives = append(lives, l)
		other := alertOf(l, &e)
		other.Title = "Only on " + name
		l.raise(other)
	}
	elsewhere := func(who Caller, id string) int {
		t.Helper()
		p, err := s.Alerts(t.Context(), who, Query{}, nil)
		one, err1 := s.Alert(t.Context(), who, id)
		if err != nil || err1 != nil {
			t.Fatal(err, err1)
		}
		for _, r := range p.Items {
			if strings.HasPrefix(r.Title, "Only on") && r.Elsewhere != 0 {
				t.Errorf("%s is on %d other devices", r.Title, r.Elsewhere)
			}
			if r.ID == id {
				if r.Elsewhere != one.Elsewhere {
					t.Errorf("the list says %d, the alert %d", r.Elsewhere, one.Elsewhere)
				}
				return r.Elsewhere
			}
		}
		t.Fatalf("%s is not in the list", id)
		return 0
	}
	if n := elsewhere(admin, ids["one"]); n != 2 {
		t.Errorf("on %d other devices, want 2", n)
	}
	mustTag(t, s, lives[0].id, []string{"web"}, nil)
	mustTag(t, s, lives[1].id, []string{"web"}, nil)
	some := Caller{Name: "some", Permissions: []string{AlertRead}, Scope: exposure.Within(mustGroup(t, s, 0, "Web servers", on(group.Tag, group.Equals, "web")))}
	if n := elsewhere(some, ids["one"]); n != 1 {
		t.Errorf("for who sees two devices it is on %d others, want 1", n)
	}
	if err := s.UpdateAlerts(t.Context(), admin, []string{ids["two"]}, AlertChange{Status: new("Resolved")}); err != nil {
		t.Fatal(err)
	}
	if n := elsewhere(some, ids["one"]); n != 0 {
		t.Errorf("the other is resolved: %d", n)
	}
	if n := elsewhere(admin, ids["two"]); n != 2 {
		t.Errorf("the resolved one itself: on %d others, want 2", n)
	}
	count := func(filter map[string][]string) int {
		t.Helper()
		p, err := s.Alerts(t.Context(), admin, Query{Filter: filter, Sort: []string{"investigation_state"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return p.Total
	}
	if n := count(map[string][]string{"raised": {"7"}}); n != 6 {
		t.Errorf("%d were raised within 7 days, want 6", n)
	}
	now := time.Now()
	s.opt.Now = func() time.Time { return now.AddDate(0, 0, 8) }
	if a, b := count(map[string][]string{"raised": {"1", "7"}}), count(map[string][]string{"raised": {"7", "30"}}); a != 0 || b != 6 {
		t.Errorf("eight days later %d within 7 days and %d within 30, want 0 and 6", a, b)
	}
	if a, b := count(map[string][]string{"investigation_state": {noOne}}), count(map[string][]string{"investigation_state": {"Running"}}); a != 6 || b != 0 {
		t.Errorf("%d without an investigation, %d in one that runs", a, b)
	}
	for _, bad := range []map[string][]string{{"raised": {"8"}}, {"investigation_state": {"Fine"}}} {
		if _, err := s.Alerts(t.Context(), admin, Query{Filter: bad}, nil); !errors.Is(err, ErrInvalid) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

// The timeline is filtered by technique: what an event says of itself, and what
// an alert says of the events that it refers to.
func TestTimelineOfTechniques(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	cron := l.event(ev.ScheduledTaskCreated, func(e *ev.Event) { e.Set(ev.TaskName, "/etc/cron.d/backup") })
	timer := l.event(ev.ScheduledTaskCreated, func(e *ev.Event) { e.Set(ev.TaskName, "backup.timer") })
	logon := l.event(ev.LogonSuccess, func(e *ev.Event) { e.Set(ev.Protocol, "login"); e.Set(ev.AccountName, "bob") })
	shell := l.start(1, 100, "sh")
	l.send(cron, timer, logon, shell)
	n := alertOf(l, &shell)
	n.Techniques = []string{"T1053"}
	a := l.raise(n)
	blind := Caller{Permissions: []string{MachineRead}, Scope: exposure.Everywhere()} // reads no alerts
	for _, tt := range []struct {
		q    TimelineQuery
		who  Caller
		want []string
	}{
		{TimelineQuery{Techniques: []string{"T1053.003"}}, admin, []string{"Created the scheduled task /etc/cron.d/backup"}},
		{TimelineQuery{Techniques: []string{"T1053"}}, admin, []string{"p1 started sh", "Created the scheduled task backup.timer", "Created the scheduled task /etc/cron.d/backup"}},
		{TimelineQuery{Techniques: []string{"T1053"}, Actions: []string{"ProcessCreated"}}, admin, []string{"p1 started sh"}},
		{TimelineQuery{Techniques: []string{"T1053"}, Text: "timer"}, admin, []string{"Created the scheduled task backup.timer"}},
		{TimelineQuery{Techniques: []string{"T1053"}}, blind, []string{"Created the scheduled task backup.timer", "Created the scheduled task /etc/cron.d/backup"}},
		{TimelineQuery{Techniques: []string{"T1021.004"}}, admin, []string{}},
		{TimelineQuery{Groups: []string{"Alert-related events"}}, admin, []string{"p1 started sh"}},
		{TimelineQuery{Groups: []string{"Alert-related events"}, Actions: []string{"LogonSuccess"}}, admin, []string{}},
		{TimelineQuery{Groups: []string{"Alert-related events"}, Text: "nowhere"}, admin, []string{}},
		{TimelineQuery{Groups: []string{"Alert-related events"}}, blind, []string{}},
		{TimelineQuery{Groups: []string{"Alert-related events", "Logon and user activity"}}, admin, []string{"p1 started sh", "bob logged on by login"}},
		{TimelineQuery{Groups: []string{"Techniques"}}, admin, []string{"p1 started sh", "Created the scheduled task backup.timer", "Created the scheduled task /etc/cron.d/backup"}},
		{TimelineQuery{Groups: []string{"Techniques"}}, blind, []string{"Created the scheduled task backup.timer", "Created the scheduled task /etc/cron.d/backup"}},
		{TimelineQuery{Groups: []string{"Techniques"}, Techniques: []string{"T1053.006"}}, admin, []string{"Created the scheduled task backup.timer"}},
		{TimelineQuery{Groups: []string{"Alert-related events", "Techniques"}, Techniques: []string{"T1053"}, Actions: []string{"scheduledtaskcreated"}}, admin, []string{"Created the scheduled task backup.timer", "Created the scheduled task /etc/cron.d/backup"}},
	} {
		tt.q.Limit = 100
		tl, err := s.Timeline(t.Context(), tt.who, string(l.id), tt.q)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, fmt.Sprintf("%+v", tt.q), titles(tl.Items), tt.want...)
		counts, err := s.TimelineCounts(t.Context(), tt.who, string(l.id), tt.q)
		if err != nil || counts.Total != len(tt.want) {
			t.Errorf("%+v: %d events are counted, %v", tt.q, counts.Total, err)
		}
	}
	// Those that occur: T1053 itself only in what the alert says.
	for _, tt := range []struct {
		who  Caller
		q    TimelineQuery
		want string
	}{
		{admin, TimelineQuery{}, "T1053 0, T1053.003 1, T1053.006 1"},
		{Caller{Permissions: []string{MachineRead}, Scope: exposure.Everywhere()}, TimelineQuery{Text: "timer"}, "T1053.006 1"},
		{admin, TimelineQuery{Actions: []string{"LogonSuccess"}}, "T1053 0"},
	} {
		got, err := s.TimelineTechniques(t.Context(), tt.who, string(l.id), tt.q)
		var words []string
		for _, n := range got {
			words = append(words, fmt.Sprintf("%s %d", n.ID, n.Events))
			if n.Name == "" {
				t.Errorf("%s has no name", n.ID)
			}
		}
		if strings.Join(words, ", ") != tt.want || err != nil {
			t.Errorf("techniques of %+v: %q, want %q, %v", tt.q, words, tt.want, err)
		}
	}
	if _, err := s.TimelineTechniques(t.Context(), Caller{Permissions: []string{MachineRead}}, string(l.id), TimelineQuery{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("techniques of a device that is not seen: %v", err)
	}
	for _, group := range ev.Groups { // also those of which no agent sends events yet
		if _, err := s.Timeline(t.Context(), admin, string(l.id), TimelineQuery{Limit: 1, Groups: []string{string(group)}}); err != nil {
			t.Errorf("%s: %v", group, err)
		}
		if _, err := s.Timeline(t.Context(), Caller{Permissions: []string{MachineRead, AlertRead}}, string(l.id), TimelineQuery{Limit: 1, Groups: []string{string(group)}}); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s of a device that is not seen: %v", group, err)
		}
	}
	if _, err := s.Timeline(t.Context(), admin, string(l.id), TimelineQuery{Limit: 1, Techniques: []string{"x"}}); !errors.Is(err, ErrInvalid) {
		t.Errorf("no technique: %v", err)
	}
	tl := l.timeline(TimelineQuery{})
	if first := tl.Items[0]; len(first.Alerts) != 1 || first.Alerts[0].ID != a.ID || len(tl.Items[1].Alerts) != 0 {
		t.Errorf("alerts of events: %+v", tl.Items)
	}
	if cronRow := tl.Items[3]; len(cronRow.Techniques) != 1 || cronRow.Techniques[0].Reason == "" || cronRow.Techniques[0].Name == "" {
		t.Errorf("techniques of %q: %+v", cronRow.Title, cronRow.Techniques)
	}
	q := TimelineQuery{From: shell.Time.Add(-time.Hour), To: shell.Time.Add(time.Hour)}
	counts, err := s.TimelineCounts(t.Context(), admin, string(l.id), q)
	if err != nil || len(counts.Alerts) != 1 || !counts.Alerts[0].Time.Equal(shell.Time) {
		t.Errorf("marks: %+v %v", counts.Alerts, err)
	}
	counts, err = s.TimelineCounts(t.Context(), Caller{Permissions: []string{MachineRead}, Scope: exposure.Everywhere()}, string(l.id), q)
	if err != nil || len(counts.Alerts) != 0 {
		t.Errorf("who may not read alerts sees %+v %v", counts.Alerts, err)
	}
}
