package server

import (
	"context"
	"maps"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/alert"
	"github.com/picketsec/picket/internal/store"
)

// mostTopAlerts is how many alerts a summary lists.
const mostTopAlerts = 5

// mostAssignees is how many names a summary offers for filters.
const mostAssignees = 200

// AlertSummary counts the active alerts on the devices that are asked for.
func (s *Server) AlertSummary(_ context.Context, caller Caller) (AlertSummary, error) {
	if err := s.need(caller, AlertRead, AlertWrite); err != nil {
		return AlertSummary{}, err
	}
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.alertSummary(c.lens(caller)), nil
}

// alertSummary is one over the devices of a lens. The caller holds mu for reading.
func (c *core) alertSummary(l lens) AlertSummary {
	out := AlertSummary{Severities: map[string]int{}, Top: []AlertRow{}, Assignees: []string{}}
	for _, v := range alert.Severities {
		out.Severities[string(v)] = 0
	}
	names := map[string]bool{}
	active := []*AlertRow{}
	for _, r := range c.alertRows(l, nil, nil, func(*store.Alert) {}) {
		if r.AssignedTo != "" {
			names[r.AssignedTo] = true
		}
		if !r.Active {
			continue
		}
		active = append(active, r)
		out.Active++
		out.Severities[r.Severity]++
		if r.Status == string(alert.New) {
			out.New++
		}
		if r.AssignedTo == "" {
			out.Unassigned++
		}
	}
	out.Devices = l.count(roaring.And(c.alerts.devices(), c.fleet.Devices()))
	out.Assignees = append(out.Assignees, slices.Sorted(maps.Keys(names))...)
	out.Assignees = out.Assignees[:min(len(out.Assignees), mostAssignees)]
	top := window(active, func(a, b *AlertRow) int {
		if n := alert.Severity(b.Severity).Rank() - alert.Severity(a.Severity).Rank(); n != 0 {
			return n
		}
		return b.Created.Compare(a.Created)
	}, 0, mostTopAlerts)
	for _, r := range top {
		out.Top = append(out.Top, *r)
	}
	return out
}

// Techniques are the ATT&CK techniques that events can have, by id.
func (s *Server) Techniques(_ context.Context, caller Caller) ([]Technique, error) {
	if err := s.need(caller, MachineRead); err != nil {
		return nil, err
	}
	out := []Technique{}
	for _, t := range alert.EventTechniques() {
		out = append(out, Technique{ID: t.ID, Name: t.Name, Tactic: t.Tactics})
	}
	return out, nil
}
