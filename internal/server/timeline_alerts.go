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
	tagged := s.tagged(c, d, ids)
	actions := tagged.actions
	if q.Actions != nil {
		asked := q.Actions
		actions = slices.DeleteFunc(actions, func(a ev.Action) bool { return !slices.Contains(asked, a) })
	}
	q.Actions = actions
	narrow(q, tagged.has)
	return nil
}

// narrow lets only rows through a query that keep lets through too.
func narrow(q *eventlog.Query, keep func(r eventlog.Row) bool) {
	before := q.Filter
	q.Filter = func(r eventlog.Row) bool { return (before == nil || before(r)) && keep(r) }
}

// choice is some of a device's events: what they can be, and which they are.
type choice struct {
	actions []ev.Action
	has     func(r eventlog.Row) bool
}

// tagged are the events of a device that may be part of techniques, and those that
// alerts with one of them refer to, as far as the caller reads alerts. Without ids
// they are those of any technique.
func (s *Server) tagged(c Caller, d *device, ids []string) choice {
	wanted := func(id string) bool {
		return len(ids) == 0 || slices.ContainsFunc(ids, func(of string) bool { return alert.Under(id, of) })
	}
	known := ids
	if len(ids) == 0 {
		for _, t := range alert.EventTechniques() {
			known = append(known, t.ID)
		}
	}
	cited := s.cited(c, d, func(a *store.Alert) bool { return slices.ContainsFunc(a.Techniques, wanted) })
	actions := append(alert.TechniqueActions(known), cited.actions...)
	slices.Sort(actions)
	return choice{slices.Compact(actions), func(r eventlog.Row) bool {
		return cited.has(r) || slices.ContainsFunc(alert.Tags(r.Record.Head().Action, func(c ev.Column) string { return string(r.Record.Text(c)) }), func(t alert.Tag) bool { return wanted(t.ID) })
	}}
}

// cited are the events of a device that some of its alerts refer to; none for
// those who may not read alerts.
func (s *Server) cited(c Caller, d *device, of func(*store.Alert) bool) choice {
	named, kinds := map[eventlog.Cursor]bool{}, map[ev.Kind]bool{}
	if readsAlerts(c) {
		for _, a := range s.core.alerts.of(d.num) {
			if !of(a) {
				continue
			}
			for _, id := range a.Events {
				if at, err := parseEventID(id); err == nil {
					named[at], kinds[at.Kind] = true, true
				}
			}
		}
	}
	out := choice{has: func(r eventlog.Row) bool { return named[rowCursor(&r)] }}
	for a := range ev.Actions {
		if kinds[a.Kind()] {
			out.actions = append(out.actions, a)
		}
	}
	return out
}

// ofGroups narrows a query to what groups and names of actions ask for. No action
// is of the groups for alerts and techniques: those are the events that alerts
// refer to which the caller may read, and those with a technique.
func (s *Server) ofGroups(c Caller, d *device, groups, names []string, q *eventlog.Query) error {
	own, err := actionsOf(groups, names)
	if err != nil {
		return err
	}
	var also []choice
	if slices.Contains(groups, string(ev.GroupAlert)) {
		also = append(also, s.cited(c, d, func(*store.Alert) bool { return true }))
	}
	if slices.Contains(groups, string(ev.GroupTechnique)) {
		also = append(also, s.tagged(c, d, nil))
	}
	if q.Actions = own; len(also) == 0 {
		return nil
	}
	q.Actions = slices.Clone(own)
	for _, o := range also {
		q.Actions = append(q.Actions, slices.DeleteFunc(o.actions, func(a ev.Action) bool { return !isNamed(names, a) })...)
	}
	slices.Sort(q.Actions)
	q.Actions = slices.Compact(q.Actions)
	narrow(q, func(r eventlog.Row) bool {
		return slices.Contains(own, r.Record.Head().Action) || slices.ContainsFunc(also, func(o choice) bool { return o.has(r) })
	})
	return nil
}
