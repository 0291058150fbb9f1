package api

import (
	"context"
	"strings"

	"github.com/picketsec/picket/internal/server"
)

// EntitySpan is how far back an entity is looked for.
type EntitySpan struct {
	Days int `query:"days" minimum:"1" maximum:"366" default:"30" doc:"Whole days (UTC) back from now."`
}

// EntityDeviceFilter narrows and orders the devices that met an entity.
type EntityDeviceFilter struct {
	TextFilter
	EntitySpan
	Sort     []string `query:"sort" enum:"name,-name,os,-os,health,-health,group,-group,events,-events,first,-first,last,-last" doc:"Columns; minus is descending."`
	OS       []string `query:"os" doc:"OS platform, as in os_platform."`
	Health   []string `query:"health" enum:"Active,Inactive,ImpairedCommunication,NoSensorData"`
	Exposure []string `query:"exposure" enum:"None,Low,Medium,High,NoData" doc:"Exposure level."`
}

func (f EntityDeviceFilter) query() server.Query {
	return f.queryWith(f.Sort, named("days", []string{whole(f.Days)}), named("os", f.OS), named("health", f.Health), named("exposure", f.Exposure))
}

type entityIn struct {
	ID
	EntitySpan
}

type entityEventsIn struct {
	ID
	EntitySpan
	Size int `query:"size" minimum:"1" maximum:"200" default:"30" doc:"Events, the newest."`
}

type entityDevicesIn struct {
	ID
	Paging
	EntityDeviceFilter
}

type entityDevicesOut struct {
	ID
	ExportFormat
	EntityDeviceFilter
}

// entityRoutes are what is known of files, addresses, hosts and accounts across devices.
func (c *console) entityRoutes() {
	for _, k := range []struct{ kind, path, name string }{
		{server.EntityFile, "/files/{id}", "file"}, {server.EntityIP, "/ips/{id}", "address"},
		{server.EntityDomain, "/domains/{id}", "host and those below it"}, {server.EntityUser, "/users/{id}", "user's account"},
	} {
		get(c, k.kind, k.path, "What is known of a "+k.name+" on all devices", func(ctx context.Context, caller server.Caller, in *entityIn) (server.EntityView, error) {
			return c.srv.Entity(ctx, caller, server.EntityQuery{Kind: k.kind, ID: in.ID.ID, Days: in.Days})
		})
		get(c, k.kind+"-events", k.path+"/events", "The newest events of a "+k.name, func(ctx context.Context, caller server.Caller, in *entityEventsIn) (server.EntityEvents, error) {
			return c.srv.EntityEvents(ctx, caller, server.EntityQuery{Kind: k.kind, ID: in.ID.ID, Days: in.Days}, in.Size)
		})
		of := &owner{column: k.kind, id: func(_ context.Context, _ server.Caller, id string) (string, error) { return id, nil }}
		list[entityDevicesIn, entityDevicesOut](c, k.kind+"-devices", k.path+"/devices", "Devices that met a "+k.name, of, entityDeviceColumns,
			func(ctx context.Context, caller server.Caller, id string, q server.Query) (server.Page[server.EntityDevice], error) {
				return c.srv.EntityDevices(ctx, caller, k.kind, id, q)
			})
	}
}

var entityDeviceColumns = []column[server.EntityDevice]{
	{"device_id", func(r *server.EntityDevice) string { return string(r.ID) }},
	{"name", func(r *server.EntityDevice) string { return r.Name }},
	{"os_platform", func(r *server.EntityDevice) string { return r.OSPlatform }},
	{"os_name", func(r *server.EntityDevice) string { return r.OSName }},
	{"health", func(r *server.EntityDevice) string { return r.Health }},
	{"group", func(r *server.EntityDevice) string { return r.Group }},
	{"exposure", func(r *server.EntityDevice) string { return r.Exposure }},
	{"events", func(r *server.EntityDevice) string { return whole(r.Events) }},
	{"first", func(r *server.EntityDevice) string { return instant(r.First) }},
	{"last", func(r *server.EntityDevice) string { return instant(r.Last) }},
	{"names", func(r *server.EntityDevice) string { return strings.Join(r.Names, "; ") }},
}
