package server

import (
	"cmp"
	"slices"
	"time"

	"github.com/picketsec/picket/internal/alert"
	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/store"
)

// mostAlertMarks is how many alerts a chart of a timeline shows.
const mostAlertMarks = 200

// readsAlerts reports whether somebody may read alerts.
func readsAlerts(c Caller) bool { return c.Has(AlertRead) || c.Has(AlertWrite) }

func refOf(a *store.Alert, at time.Time) AlertRef {
	return AlertRef{ID: a.ID, Title: a.Title, Severity: a.Severity, Time: at}
}

// alertsByEvent are a device's alerts by the ids of the events that they refer
// to; none for those who may not read alerts.
func (s *Server) alertsByEvent(c Caller, d *device) map[string][]AlertRef {
	out := map[string][]AlertRef{}
	if !readsAlerts(c) {
		return out
	}
	for _, a := range s.core.alerts.of(d.num) {
		for _, id := range a.Events {
			out[id] = append(out[id], refOf(a, a.LastEvent))
		}
	}
	return out
}

// alertMarks are a device's alerts whose first event was in a time, oldest first.
func (s *Server) alertMarks(c Caller, d *device, from, to time.Time) []AlertRef {
	out := []AlertRef{}
	if !readsAlerts(c) {
		return out
	}
	for _, a := range s.core.alerts.of(d.num) {
		if !a.FirstEvent.Before(from) && a.FirstEvent.Before(to) {
			out = append(out, refOf(a, a.FirstEvent))
		}
	}
	slices.SortFunc(out, func(a, b AlertRef) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID)) })
	return out[:min(len(out), mostAlertMarks)]
}

// ofTechniques narrows a query to events that may be part of techniques, and to
// those that alerts with one of them refer to, as far as the caller reads alerts.
func (s *Server) ofTechniques(c Caller, d *device, ids []string, q *eventlog.Query) error {
	if len(ids) == 0 {
		return nil
	}
	for _, id := range ids {
		if !alert.IsTechnique(id) {
			return Invalidf("technique", "%q is no ATT&CK technique such as T1053 or T1053.003", id)
		}
	}
	wanted := func(id string) bool {
		return slices.ContainsFunc(ids, func(of string) bool { return alert.Under(id, of) })
	}
	actions := alert.TechniqueActions(ids)
	named := map[eventlog.Cursor]bool{}
	if readsAlerts(c) {
		for _, a := range s.core.alerts.of(d.num) {
			if !slices.ContainsFunc(a.Techniques, wanted) {
				continue
			}
			for _, id := range a.Events {
				if at, err := parseEventID(id); err == nil {
					named[at] = true
				}
			}
		}
	}
	for at := range named {
		for a := range ev.Actions {
			if a.Kind() == at.Kind && !slices.Contains(actions, a) {
				actions = append(actions, a)
			}
		}
	}
	if q.Actions != nil {
		asked := q.Actions
		actions = slices.DeleteFunc(actions, func(a ev.Action) bool { return !slices.Contains(asked, a) })
	}
	q.Actions = actions
	before := q.Filter
	q.Filter = func(r eventlog.Row) bool {
		if before != nil && !before(r) {
			return false
		}
		if named[rowCursor(&r)] {
			return true
		}
		return slices.ContainsFunc(alert.Tags(r.Record.Head().Action, func(c ev.Column) string { return string(r.Record.Text(c)) }), func(t alert.Tag) bool { return wanted(t.ID) })
	}
	return nil
}
