package server

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

// aged puts another version of an alert in its place, in memory.
func (l *life) aged(id string, change func(a *store.Alert)) {
	a := *l.s.core.alerts.get(id)
	change(&a)
	l.s.core.alerts.put(&a)
}

// An alert takes so many events and techniques and no more, counts the rest, and
// says when it rose and what its events name.
func TestAnAlertIsBounded(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	first, net, last := l.start(1, 100, "sh"), l.curl(), l.start(1, 101, "nc")
	l.send(first, net, last)
	a := l.raise(alertOf(l, &first))
	n := alertOf(l, &net)
	n.Severity = "High"
	for i := range mostAlertTechniques {
		n.Techniques = append(n.Techniques, fmt.Sprintf("T%04d", 1100+i))
	}
	n.Techniques = n.Techniques[1:]
	b := l.raise(n)
	if b.ID != a.ID || !b.LastEvent.Equal(net.Time) || len(b.Techniques) != mostAlertTechniques {
		t.Errorf("merged: %d techniques, last event %v: %+v", len(b.Techniques), b.LastEvent, b.AlertRow)
	}
	if len(b.Notes) != 1 || b.Notes[0].Text != "severity: Medium → High, by a further event" {
		t.Errorf("history: %+v", b.Notes)
	}
	if !slices.ContainsFunc(b.Evidence, func(e AlertEvidence) bool { return e.IP == "192.0.2.7" }) {
		t.Errorf("evidence of the further event is missing: %+v", b.Evidence)
	}
	l.aged(a.ID, func(a *store.Alert) {
		for len(a.Events) < mostAlertEvents {
			a.Events = append(slices.Clone(a.Events), fmt.Sprintf("1-1-%d", len(a.Events)))
		}
	})
	if b = l.raise(alertOf(l, &last)); len(b.EventIDs) != mostAlertEvents || b.Dropped != 1 || b.Events != mostAlertEvents+1 {
		t.Errorf("%d events, %d dropped, %d in all", len(b.EventIDs), b.Dropped, b.Events)
	}
}

// A device has so many open alerts and no more; those that are resolved do not count.
func TestOpenAlertsAreBounded(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	e := l.start(1, 100, "sh")
	l.send(e)
	a := l.raise(alertOf(l, &e))
	for i := range mostOpenAlerts - 1 {
		o := *s.core.alerts.get(a.ID)
		o.ID, o.Title = fmt.Sprintf("da1_%d", i), fmt.Sprintf("alert %d", i)
		s.core.alerts.put(&o)
	}
	n := alertOf(l, &e)
	n.Title = "one more"
	if _, _, err := s.CreateAlert(t.Context(), admin, n); !errors.Is(err, ErrConflict) {
		t.Errorf("one more than may be open: %v", err)
	}
	l.aged("da1_1", func(a *store.Alert) { a.Status = "Resolved" })
	if _, made, err := s.CreateAlert(t.Context(), admin, n); err != nil || !made {
		t.Errorf("after one was resolved: %v %v", made, err)
	}
}

// A change names at least one alert and not too many, each once, and all of them
// are still there when it is made.
func TestChangesOfAlertsAreBounded(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	e := l.start(1, 100, "sh")
	l.send(e)
	a := l.raise(alertOf(l, &e))
	for _, ids := range [][]string{nil, {}, slices.Repeat([]string{a.ID}, MostAlertsAtOnce+1)} {
		if err := s.UpdateAlerts(t.Context(), admin, ids, AlertChange{Comment: "x"}); !errors.Is(err, ErrInvalid) {
			t.Errorf("%d alerts: %v", len(ids), err)
		}
	}
	if err := s.UpdateAlerts(t.Context(), admin, slices.Repeat([]string{a.ID}, MostAlertsAtOnce), AlertChange{Comment: "x"}); err != nil {
		t.Error(err)
	}
	got, err := s.Alert(t.Context(), admin, a.ID)
	if err != nil || len(got.Notes) != 1 || len(got.Comments) != 1 {
		t.Errorf("an alert that was named often: %+v, %v", got.Notes, err)
	}
	if err := s.st.RemoveAlerts(t.Context(), []int64{s.core.alerts.get(a.ID).Seq}); err != nil {
		t.Fatal(err)
	}
	if err := s.UpdateAlerts(t.Context(), admin, []string{a.ID}, AlertChange{Comment: "y"}); !errors.Is(err, ErrConflict) {
		t.Errorf("one that was removed meanwhile: %v", err)
	}
}

// Alerts on devices of others cannot be raised, read or changed, nor what they
// name; each of these asks for its permission.
func TestAlertsOfOthers(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	e, again, net := l.start(1, 100, "sh"), l.start(1, 101, "sh"), l.curl()
	l.send(e, again, net)
	a := l.raise(alertOf(l, &e))
	l.raise(alertOf(l, &again))
	if b := l.raise(alertOf(l, &net)); b.ID != a.ID {
		t.Fatal("another alert")
	}
	if err := s.UpdateAlerts(t.Context(), admin, []string{a.ID}, AlertChange{Comment: "secret"}); err != nil {
		t.Fatal(err)
	}
	all := []string{AlertRead, AlertWrite, MachineRead, FileRead, AccountRead, AddressRead, URLRead}
	rows := func() []AlertRow { return []AlertRow{{ID: a.ID}} }
	fill := func(c Caller) error {
		list := rows()
		if err := s.FillAlerts(t.Context(), c, list, true); err != nil {
			return err
		}
		if len(list[0].Comments) == 0 && len(list[0].Evidence) == 0 {
			return ErrNotFound
		}
		return nil
	}
	calls := map[string]func(c Caller) error{
		"raise": func(c Caller) error {
			n := alertOf(l, &e)
			n.Title = "raised by " + c.Name
			_, _, err := s.CreateAlert(t.Context(), c, n)
			return err
		},
		"change": func(c Caller) error { return s.UpdateAlerts(t.Context(), c, []string{a.ID}, AlertChange{Comment: "x"}) },
		"read":   func(c Caller) error { _, err := s.Alert(t.Context(), c, a.ID); return err },
		"fill":   fill,
	}
	needs := map[string]string{"raise": AlertWrite, "change": AlertWrite, "read": AlertRead, "fill": AlertRead}
	for kind, permission := range needOfRelated {
		needs[kind] = permission
		calls[kind] = func(c Caller) error {
			_, err := s.AlertRelated(t.Context(), c, a.ID, kind, RowQuery[AlertEvidence]{Limit: -1})
			return err
		}
	}
	for what, call := range calls {
		if err := call(Caller{Name: "others", Permissions: all, Scope: exposure.Within(7)}); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s of others: %v", what, err)
		}
		without := slices.DeleteFunc(slices.Clone(all), func(p string) bool { return p == needs[what] || needs[what] == AlertRead && p == AlertWrite })
		if err := call(Caller{Name: "without", Permissions: without, Scope: exposure.Everywhere()}); !errors.Is(err, ErrDenied) {
			t.Errorf("%s without %s: %v", what, needs[what], err)
		}
		if err := call(Caller{Name: "may", Permissions: all, Scope: exposure.Everywhere()}); err != nil {
			t.Errorf("%s by who may: %v", what, err)
		}
	}
	equal(t, "what was made", l.alerts(nil), "A shell from the net", "raised by may")
	if got, err := s.Alert(t.Context(), admin, a.ID); err != nil || len(got.Comments) != 2 {
		t.Errorf("comments: %+v, %v", got.Comments, err)
	}
	files, err := s.AlertRelated(t.Context(), admin, a.ID, RelatedFiles, RowQuery[AlertEvidence]{Limit: -1})
	names := []string{}
	for _, r := range files.Rows {
		names = append(names, r.Name)
	}
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "files, each once", names, "sh", "p1", "curl")
}
