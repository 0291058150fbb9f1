package api

import (
	"context"
	"fmt"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/server"
)

// entityNeed is what opens each kind.
var entityNeed = map[string]string{server.EntityFile: server.FileRead, server.EntityIP: server.AddressRead, server.EntityDomain: server.URLRead, server.EntityUser: server.AccountRead}

func (f *fake) Entity(_ context.Context, c server.Caller, q server.EntityQuery) (server.EntityView, error) {
	switch q.ID {
	case "nobody":
		return server.EntityView{}, fmt.Errorf("%s: %w", q.ID, server.ErrNotFound)
	case "none":
		return server.EntityView{}, server.Invalidf("id", "is none")
	}
	return server.EntityView{Kind: q.Kind, ID: q.ID, Name: poison, Days: q.Days, Devices: 2, Events: 5, First: asOf, Last: asOf, AsOf: asOf,
		Names: []server.EntityName{{Name: poison, Devices: 2, Events: 5}, {}}, File: &server.EntityFileFacts{SHA1: "a", Size: 7, Path: poison}}, need(c, entityNeed[q.Kind])
}

func (f *fake) EntityDevices(_ context.Context, c server.Caller, _, _ string, _ server.Query) (server.Page[server.EntityDevice], error) {
	return server.Page[server.EntityDevice]{Total: 1, Items: []server.EntityDevice{{ID: deviceID(1), Name: poison, Names: []string{poison}, Events: 3}}}, need(c, server.MachineRead)
}

func (f *fake) EntityEvents(_ context.Context, c server.Caller, _ server.EntityQuery, _ int) (server.EntityEvents, error) {
	return server.EntityEvents{Items: []server.EntityEvent{{TimelineRow: timelineRows()[0], DeviceID: deviceID(1), DeviceName: poison}}, AsOf: asOf}, need(c, server.MachineRead)
}

func (f *fake) SeenOn(_ context.Context, c server.Caller, q server.EntityQuery) (map[inventory.DeviceID]bool, error) {
	if q.ID == "none" {
		return nil, server.Invalidf("id", "is none")
	}
	return map[inventory.DeviceID]bool{deviceID(1): true}, need(c, server.MachineRead)
}

func (f *fake) Retention(_ context.Context, c server.Caller) (server.RetentionView, error) {
	return server.RetentionView{Retention: server.Retention{Kinds: []server.RetentionKind{}}, Stored: []server.StoredKind{}, AsOf: asOf}, need(c, server.ManageSettings)
}

func (f *fake) SetRetention(ctx context.Context, c server.Caller, _ server.Retention) (server.RetentionView, error) {
	return f.Retention(ctx, c)
}
