package server

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/picketsec/picket/internal/alert"
	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
)

// mostTagged is of how many events techniques are counted.
const mostTagged = 200_000

// TechniqueCount is a technique with the events of a device that may be part of it.
type TechniqueCount struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Events int    `json:"events"` // 0: only alerts name it
}

// TimelineTechniques are the ATT&CK techniques that occur on a device, by id: those
// of the events that a query asks for, of which at most 200,000 are counted, and
// those of the device's alerts, for whoever may read them.
func (s *Server) TimelineTechniques(ctx context.Context, c Caller, id string, q TimelineQuery) ([]TechniqueCount, error) {
	q.Techniques = nil
	d, want, err := s.timelineOf(c, id, &q)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, t := range alert.EventTechniques() {
		ids = append(ids, t.ID)
	}
	tagged := alert.TechniqueActions(ids)
	if want.Actions == nil {
		want.Actions = tagged
	} else {
		want.Actions = slices.DeleteFunc(want.Actions, func(a ev.Action) bool { return !slices.Contains(tagged, a) })
	}
	counts, events := map[string]int{}, 0
	if readsAlerts(c) {
		for _, a := range s.core.alerts.of(d.num) {
			for _, t := range a.Techniques {
				counts[t] += 0
			}
		}
	}
	if len(want.Actions) > 0 {
		_, err = s.telemetry.log.Scan(ctx, want, func(r eventlog.Row) error {
			if events++; events > mostTagged {
				return eventlog.ErrStop
			}
			for _, t := range alert.Tags(r.Record.Head().Action, func(c ev.Column) string { return string(r.Record.Text(c)) }) {
				counts[t.ID]++
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("count techniques of %s: %w", d.id, err)
		}
	}
	out := []TechniqueCount{}
	for _, id := range slices.Sorted(maps.Keys(counts)) {
		t, _ := alert.TechniqueOf(id) // an alert may name one that is not known here
		out = append(out, TechniqueCount{ID: id, Name: t.Name, Events: counts[id]})
	}
	return out, nil
}
