package server

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/group"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/posture"

	ev "github.com/picketsec/picket/internal/event"
)

const day24 = 24 * time.Hour

// daysAgo is what a device of these tests does at a time.
func (l *life) daysAgo(days int, events ...func() ev.Event) {
	l.t.Helper()
	l.now = time.Now().UTC().Add(-time.Duration(days) * day24).Truncate(time.Second)
	var list []ev.Event
	for _, e := range events {
		list = append(list, e())
	}
	l.send(list...)
}

// sensor says which source some kinds have.
func (l *life) sensor(source string, kinds ...ev.Kind) func() ev.Event {
	return func() ev.Event {
		return l.event(ev.SensorStarted, func(e *ev.Event) {
			e.Set(ev.Source, source)
			var names []string
			for _, k := range kinds {
				names = append(names, fmt.Sprintf("%q", k))
			}
			e.Set(ev.AdditionalFields, `{"kinds":[`+strings.Join(names, ",")+`]}`)
		})
	}
}

func (l *life) runs(name string) func() ev.Event {
	return func() ev.Event {
		return l.event(ev.ProcessCreated, func(e *ev.Event) { e.Set(ev.FileName, name) })
	}
}

func (l *life) logsOn(name string) func() ev.Event {
	return func() ev.Event {
		return l.event(ev.LogonSuccess, func(e *ev.Event) {
			e.Set(ev.Protocol, "ssh")
			e.Set(ev.AccountName, name)
		})
	}
}

// lostProcess says that a process event with the next number is not there; counted
// or, as of a pause, not.
func (l *life) lostProcess(since, until time.Time, counted bool) func() ev.Event {
	return func() ev.Event {
		l.seqs[ev.Process]++
		n := int64(l.seqs[ev.Process])
		return l.event(ev.SensorEventsLost, func(e *ev.Event) {
			e.Set(ev.LostKind, ev.Process.String())
			e.SetInt(ev.LostFrom, n)
			e.SetInt(ev.LostTo, n)
			if counted {
				e.SetInt(ev.EventCount, 1)
			}
			e.Set(ev.AdditionalFields, fmt.Sprintf(`{"since":%q,"until":%q}`, since.Format(time.RFC3339Nano), until.Format(time.RFC3339Nano)))
		})
	}
}

func checkAt(t *testing.T, id string) int {
	t.Helper()
	n, ok := checkNumber(id)
	if !ok {
		t.Fatalf("no check %s", id)
	}
	return n
}

// impacts are what the list of a recommendation's devices says of each, by name.
func impacts(t *testing.T, s *Server, caller Caller, rec string, words ...string) map[inventory.DeviceID]string {
	t.Helper()
	q := Query{Filter: map[string][]string{}}
	if words != nil {
		q.Filter["user_impact"] = words
	}
	p, err := s.RecommendationDevices(t.Context(), caller, rec, q)
	if err != nil {
		t.Fatal(err)
	}
	if p.Total != len(p.Items) {
		t.Errorf("%d of %d devices", len(p.Items), p.Total)
	}
	out := map[inventory.DeviceID]string{}
	for _, d := range p.Items {
		if d.NoticeWhy == "" {
			t.Errorf("%s: no reason", d.Name)
		}
		out[d.ID] = d.Notice
	}
	return out
}

// Whether people would notice a change is said by what happened on each device,
// and is not assessed where that is not known whole: in the list, its filter, the
// form and the counts. An activity for devices without user impact has no others.
func TestUserImpactFollowsFromEvents(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker.json", opensslFix) // scores are about devices that something is known of
	check := checkAt(t, "scid-4062")
	rec := "sca-_-" + posture.Checks()[check].ID
	want := map[inventory.DeviceID]string{}
	device := func(name, notice string, lives func(l *life)) *life {
		l := newLife(t, s, name)
		judged(s, l.id, check, posture.Fail)
		want[l.id] = notice
		if lives != nil {
			lives(l)
		}
		return l
	}
	whole := func(l *life) { l.daysAgo(40, l.sensor(ev.SourceEBPF, ev.Process, ev.Network), l.runs("ls")) }
	unused := device("unused", "none", func(l *life) {
		whole(l)
		l.daysAgo(2, l.runs("ls"))
	})
	used := device("used", "expected", func(l *life) {
		whole(l)
		l.daysAgo(3, l.runs("sudo"))
	})
	older := device("used before", "none", func(l *life) {
		whole(l)
		l.daysAgo(33, l.runs("sudo"))
		l.daysAgo(1, l.runs("ls"))
	})
	device("a number is missing", "not_assessed", func(l *life) {
		whole(l)
		l.daysAgo(9, l.runs("ls"))
		l.seqs[ev.Process]++
		l.daysAgo(8, l.runs("ls"))
	})
	device("some were lost", "not_assessed", func(l *life) {
		whole(l)
		at := time.Now().Add(-9 * day24)
		l.daysAgo(9, l.lostProcess(at, at, true), l.runs("ls"))
	})
	restarted := device("restarted", "none", func(l *life) {
		whole(l)
		at := time.Now().Add(-9 * day24)
		l.daysAgo(9, l.lostProcess(at, at.Add(5*time.Minute), false), l.runs("ls"))
	})
	device("away", "not_assessed", func(l *life) {
		whole(l)
		at := time.Now().Add(-9 * day24)
		l.daysAgo(8, l.lostProcess(at, at.Add(day24), false), l.runs("ls"))
	})
	device("the first are not kept", "not_assessed", func(l *life) {
		l.seqs[ev.Process] = 70
		l.daysAgo(40, l.sensor(ev.SourceEBPF, ev.Process))
		l.daysAgo(20, l.runs("ls"))
	})
	device("says too much", "not_assessed", func(l *life) {
		whole(l)
		at := time.Now().Add(-9 * day24)
		for range 6 {
			var pauses []func() ev.Event
			for range 850 {
				pauses = append(pauses, l.lostProcess(at, at, false))
			}
			l.daysAgo(9, pauses...)
		}
		l.daysAgo(8, l.runs("ls"))
	})
	device("younger", "not_assessed", func(l *life) { l.daysAgo(10, l.sensor(ev.SourceEBPF, ev.Process), l.runs("ls")) })
	device("by a poorer source", "not_assessed", func(l *life) { l.daysAgo(40, l.sensor(ev.SourceProc, ev.Process), l.runs("ls")) })
	device("without events", "not_assessed", nil)

	if got := impacts(t, s, admin, rec); !maps.Equal(got, want) {
		t.Errorf("list\n%v\nwant\n%v", got, want)
	}
	p, err := s.RecommendationDevices(t.Context(), admin, rec, Query{Filter: map[string][]string{"user_impact": {"expected"}}})
	if why := "last used " + time.Now().UTC().Add(-3*day24).Format(time.DateOnly); err != nil || len(p.Items) != 1 || p.Items[0].ID != used.id || p.Items[0].NoticeWhy != why {
		t.Errorf("used: %+v, %v, want %q", p.Items, err, why)
	}
	few := Caller{Permissions: []string{RecommendationRead}, Scope: exposure.Everywhere()}
	p, err = s.RecommendationDevices(t.Context(), few, rec, Query{Filter: map[string][]string{"user_impact": {"expected", "not_assessed"}}})
	if err != nil || len(p.Items) != 9 {
		t.Fatalf("for who may not read events: %d devices, %v", len(p.Items), err)
	}
	for _, d := range p.Items {
		if want := map[string]string{"expected": "used in the last 30 days", "not_assessed": "not all that happened there is known"}[d.Notice]; d.NoticeWhy != want {
			t.Errorf("who may not read events is told %q of %s", d.NoticeWhy, d.Name)
		}
	}
	for _, word := range noticeWords {
		got := impacts(t, s, admin, rec, word)
		for id, w := range want {
			if (w == word) != (got[id] == word) {
				t.Errorf("filter %s: %s is %q, want %q", word, id, got[id], w)
			}
		}
	}
	var bad *InputError
	if _, err := s.RecommendationDevices(t.Context(), admin, rec, Query{Filter: map[string][]string{"user_impact": {"much"}}}); !errors.As(err, &bad) || bad.Field != "user_impact" {
		t.Errorf("a filter that is none: %v", err)
	}
	f, err := s.RemediationForm(t.Context(), admin, rec)
	if err != nil || f.UserImpact == nil || *f.UserImpact != (NoticeCount{None: 3, Expected: 1, NotAssessed: 8, Days: 30, Evidence: true}) || f.Exposed != 12 {
		t.Errorf("form %+v of %d, %v", f.UserImpact, f.Exposed, err)
	}
	rows := []RecommendationRow{{ID: rec, Type: RemedyConfigure}, {ID: "va-_-debian-_-openssl"}}
	if err := s.CountUnnoticed(t.Context(), admin, rows); err != nil || rows[0].Unnoticed != 3 || rows[1].Unnoticed != 0 {
		t.Errorf("counted %d and %d, %v", rows[0].Unnoticed, rows[1].Unnoticed, err)
	}
	if err := s.CountUnnoticed(t.Context(), Caller{Permissions: []string{MachineRead}, Scope: exposure.Everywhere()}, rows); err == nil {
		t.Error("counted for who may not read recommendations")
	}
	table, err := s.DeviceRecommendationTable(t.Context(), admin, string(used.id), RowQuery[RecommendationRow]{Limit: -1})
	if i := slices.IndexFunc(table.Rows, func(r RecommendationRow) bool { return r.ID == rec }); err != nil || i < 0 || table.Rows[i].Unnoticed != 3 {
		t.Errorf("recommendations of a device: %+v, %v", table.Rows, err)
	}
	r, err := s.RequestRemediation(t.Context(), admin, RemediationRequest{Recommendation: rec, Type: RemedyConfigure, Priority: "Low", Unnoticed: true})
	if err != nil || r.Progress.Targets != 3 || !r.Unnoticed || r.History[0].Detail != "3 exposed devices without user impact" {
		t.Fatalf("activity %+v, %v", r, err)
	}
	targets, err := s.RemediationDevices(t.Context(), admin, r.ID, Query{Sort: []string{"name"}})
	var ids []inventory.DeviceID
	for _, d := range targets.Items {
		ids = append(ids, d.ID)
	}
	for _, l := range []*life{unused, older, restarted} {
		if err != nil || len(ids) != 3 || !slices.Contains(ids, l.id) {
			t.Errorf("targets %v, %v", ids, err)
		}
	}

	mustTag(t, s, unused.id, []string{"web"}, nil)
	g := mustGroup(t, s, 0, "Web servers", on(group.Tag, group.Equals, "web"))
	f, err = s.RemediationForm(t.Context(), admin, rec)
	if err != nil || len(f.Groups) != 2 || f.Groups[0].Unnoticed != 1 || f.Groups[1].Unnoticed != 2 {
		t.Errorf("groups of the form %+v, %v", f.Groups, err)
	}
	web := admin
	web.Groups = []exposure.Group{g}
	if got := impacts(t, s, web, rec); !maps.Equal(got, map[inventory.DeviceID]string{unused.id: "none"}) {
		t.Errorf("of the selected group %v", got)
	}

	s.opt.Now = func() time.Time { return time.Now().Add(25 * time.Hour) } // nobody has reported since
	if got := impacts(t, s, admin, rec, "none"); len(got) != 0 {
		t.Errorf("of devices that are away %v is said", got)
	}
	_, err = s.RequestRemediation(t.Context(), admin, RemediationRequest{Recommendation: rec, Type: RemedyConfigure, Priority: "Low", Unnoticed: true})
	if !errors.As(err, &bad) || bad.Field != "unnoticed" {
		t.Errorf("a request for no device: %v", err)
	}
}

// Logons by SSH tell of use only where sshd says them: another check says whether it does.
func TestUserImpactNeedsTheLog(t *testing.T) {
	s := testServer(t)
	check, log := checkAt(t, "scid-1001"), checkAt(t, "scid-1009")
	rec := "sca-_-" + posture.Checks()[check].ID
	l := newLife(t, s, "one")
	judged(s, l.id, check, posture.Fail)
	l.daysAgo(40, l.sensor(ev.SourceJournal, ev.Logon), l.logsOn("alice"))
	for _, c := range []struct {
		log  posture.State
		want string
	}{{posture.NotAssessed, "not_assessed"}, {posture.Fail, "not_assessed"}, {posture.Pass, "none"}} {
		judged(s, l.id, log, c.log)
		if got := impacts(t, s, admin, rec)[l.id]; got != c.want {
			t.Errorf("the log is %s: %q, want %q", c.log, got, c.want)
		}
	}
	l.daysAgo(1, l.logsOn("root"))
	if got := impacts(t, s, admin, rec)[l.id]; got != "expected" {
		t.Errorf("after root logged in %q", got)
	}
}

// What no device's people notice, and what events cannot tell of, is said of every
// device alike; of software nothing is.
func TestUserImpactWithoutEvents(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker.json", opensslFix)
	l := newReport(s, enrol(t, s, "one"))
	l.send(t, "openssl 3.0.11-1~deb12u1")
	for id, want := range map[string]NoticeCount{
		"scid-1009": {None: 1, Days: 30, Evidence: true},
		"scid-4018": {Expected: 1, Days: 30},
	} {
		n := checkAt(t, id)
		judged(s, l.id, n, posture.Fail)
		f, err := s.RemediationForm(t.Context(), admin, "sca-_-"+id)
		if err != nil || f.UserImpact == nil || *f.UserImpact != want {
			t.Errorf("%s: %+v, %v", id, f.UserImpact, err)
		}
	}
	f, err := s.RemediationForm(t.Context(), admin, "va-_-debian-_-openssl")
	if err != nil || f.UserImpact != nil {
		t.Errorf("of software %+v, %v", f.UserImpact, err)
	}
	p, err := s.RecommendationDevices(t.Context(), admin, "va-_-debian-_-openssl", Query{})
	if err != nil || len(p.Items) != 1 || p.Items[0].Notice != "" {
		t.Errorf("devices of software %+v, %v", p.Items, err)
	}
	var bad *InputError
	_, err = s.RequestRemediation(t.Context(), admin, RemediationRequest{Recommendation: "va-_-debian-_-openssl", Type: RemedyUpdate, Priority: "Low", Unnoticed: true})
	if !errors.As(err, &bad) || bad.Field != "unnoticed" {
		t.Errorf("a request for software: %v", err)
	}
}
