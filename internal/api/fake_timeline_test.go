package api

import (
	"context"
	"errors"
	"iter"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/server"
)

// timelineRows are what the fake's devices did.
func timelineRows() []server.TimelineRow {
	return []server.TimelineRow{{ID: "1-1-1", Time: asOf, Title: poison, Action: "ProcessCreated", Info: []string{poison}, Entities: []server.Entity{}, Fields: map[string]any{"FileName": poison},
		Techniques: []server.Technique{}, Alerts: []server.AlertRef{}}}
}

func (f *fake) Timeline(_ context.Context, c server.Caller, _ string, _ server.TimelineQuery) (server.Timeline, error) {
	return server.Timeline{Items: timelineRows(), AsOf: asOf, Complete: true, Missing: []server.MissingPart{}, Unreadable: []server.UnreadablePart{}}, need(c, server.MachineRead)
}

func (f *fake) TimelineCounts(_ context.Context, c server.Caller, _ string, _ server.TimelineQuery) (server.TimelineCounts, error) {
	return server.TimelineCounts{Buckets: []server.TimelineBucket{}, Groups: map[string]int{}, Flags: []server.FlagMark{}}, need(c, server.MachineRead)
}

func (f *fake) TimelineEvent(_ context.Context, c server.Caller, _, _ string) (server.TimelineEvent, error) {
	return server.TimelineEvent{TimelineRow: timelineRows()[0], Nodes: []server.GraphNode{}, Edges: []server.GraphEdge{}}, need(c, server.MachineRead)
}

func (f *fake) TimelineExport(_ context.Context, c server.Caller, _ string, q server.TimelineQuery) (inventory.DeviceID, iter.Seq2[server.TimelineRow, error], error) {
	return deviceID(1), func(yield func(server.TimelineRow, error) bool) {
		for range 3 {
			if !yield(timelineRows()[0], nil) {
				return
			}
		}
		if q.Text == "broken" {
			yield(server.TimelineRow{}, errors.New("broken"))
		}
	}, need(c, server.MachineRead)
}

func (f *fake) TimelineTechniques(_ context.Context, c server.Caller, _ string, _ server.TimelineQuery) ([]server.TechniqueCount, error) {
	return []server.TechniqueCount{{ID: "T1059", Name: poison, Events: 3}}, need(c, server.MachineRead)
}

func (f *fake) DeviceHealth(_ context.Context, c server.Caller, _ string) (server.DeviceHealth, error) {
	return server.DeviceHealth{State: "ok", Sources: []server.SensorSource{{Name: poison, Kinds: []string{"process"}}}, Antivirus: poison, Engine: poison, AsOf: asOf}, need(c, server.MachineRead)
}

func (f *fake) FlagEvent(_ context.Context, c server.Caller, _, _ string, _ bool) error {
	return need(c, server.MachineReadWrite)
}

func (f *fake) LogonUsers(_ context.Context, c server.Caller, _ string) (server.LogonUsers, error) {
	return server.LogonUsers{Items: []server.LogonUser{}}, need(c, server.MachineRead)
}

func (f *fake) DeviceUsers(_ context.Context, c server.Caller, _ string, q server.RowQuery[server.LogonUser]) (server.RowPage[server.LogonUser], error) {
	return tableOf(f, q, []server.LogonUser{{Name: poison, Domain: poison, Logons: 1, Types: []string{"Network"}, First: asOf, Last: asOf}}), need(c, server.AccountRead)
}
