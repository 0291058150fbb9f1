package api

import (
	"context"

	"github.com/picketsec/picket/internal/server"
)

type weaknessesIn struct {
	Paging
	WeaknessFilter
}

type weaknessesOut struct {
	ExportFormat
	WeaknessFilter
}

type weaknessDevicesIn struct {
	ID
	Paging
	WeaknessDeviceFilter
}

type weaknessDevicesOut struct {
	ID
	ExportFormat
	WeaknessDeviceFilter
}

type weaknessSoftwareIn struct {
	ID
	Paging
	WeaknessSoftwareFilter
}

type weaknessSoftwareOut struct {
	ID
	ExportFormat
	WeaknessSoftwareFilter
}

// weaknessRoutes are the weaknesses over all devices.
func (c *console) weaknessRoutes() {
	weakness := &owner{column: "weakness_id", id: func(_ context.Context, _ server.Caller, id string) (string, error) { return id, nil }}
	list[weaknessesIn, weaknessesOut](c, "weaknesses", "/weaknesses", "Weaknesses over all devices", nil, weaknessColumns,
		func(ctx context.Context, caller server.Caller, _ string, q server.Query) (server.Page[server.WeaknessRow], error) {
			return c.srv.Weaknesses(ctx, caller, q, nil)
		})
	get(c, "weakness", "/weaknesses/{id}", "One weakness", func(ctx context.Context, caller server.Caller, in *ID) (server.WeaknessDetail, error) {
		return c.srv.Weakness(ctx, caller, in.ID)
	})
	list[weaknessDevicesIn, weaknessDevicesOut](c, "weakness-devices", "/weaknesses/{id}/devices", "Devices that have a weakness", weakness, weaknessDeviceColumns, c.srv.WeaknessDevices)
	list[weaknessSoftwareIn, weaknessSoftwareOut](c, "weakness-software", "/weaknesses/{id}/software", "Products that have a weakness", weakness, weaknessSoftwareColumns, c.srv.WeaknessSoftware)
}
