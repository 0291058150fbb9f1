package api

import (
	"context"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/server"
)

type devicesIn struct {
	Paging
	DeviceFilter
}

type devicesOut struct {
	ExportFormat
	DeviceFilter
}

type deviceSoftwareIn struct {
	ID
	Paging
	DeviceSoftwareFilter
}

type deviceSoftwareOut struct {
	ID
	ExportFormat
	DeviceSoftwareFilter
}

type deviceVulnsIn struct {
	ID
	Paging
	DeviceVulnFilter
}

type deviceVulnsOut struct {
	ID
	ExportFormat
	DeviceVulnFilter
}

type deviceClosedIn struct {
	ID
	Paging
	ClosedFilter
}

type deviceClosedOut struct {
	ID
	ExportFormat
	ClosedFilter
}

type updatesIn struct {
	ID
	Paging
	UpdateFilter
}

type updatesOut struct {
	ID
	ExportFormat
	UpdateFilter
}

type deviceProductIn struct {
	ID
	Product string `path:"product" maxLength:"2000" doc:"Product id (vendor-_-product)."`
}

type deviceWeaknessIn struct {
	ID
	Weakness string `path:"weakness" maxLength:"200" doc:"CVE or other id."`
}

// deviceRoutes are the list of devices and everything below one device. A
// device is named by its id or by its name.
func (c *console) deviceRoutes() {
	device := c.deviceOwner()
	list[devicesIn, devicesOut](c, "devices", "/devices", "Devices", nil, deviceColumns,
		func(ctx context.Context, caller server.Caller, _ string, q server.Query) (server.Page[server.DeviceRow], error) {
			return c.srv.Devices(ctx, caller, q, nil)
		})
	get(c, "operating-systems", "/operating-systems", "Releases of operating systems that devices run", func(ctx context.Context, caller server.Caller, _ *empty) ([]server.OSRow, error) {
		return c.srv.OperatingSystems(ctx, caller)
	})
	get(c, "device", "/devices/{id}", "One device", func(ctx context.Context, caller server.Caller, in *ID) (server.Device, error) {
		return c.srv.Device(ctx, caller, in.ID)
	})
	list[deviceSoftwareIn, deviceSoftwareOut](c, "device-software", "/devices/{id}/software", "Software of a device", device, deviceSoftwareColumns, c.srv.DeviceSoftware)
	get(c, "device-product", "/devices/{id}/software/{product}", "One product on a device",
		func(ctx context.Context, caller server.Caller, in *deviceProductIn) (server.DeviceSoftware, error) {
			return c.srv.DeviceSoftwareOne(ctx, caller, in.ID.ID, in.Product)
		})
	list[deviceVulnsIn, deviceVulnsOut](c, "device-vulnerabilities", "/devices/{id}/vulnerabilities", "Weaknesses of a device", device, deviceVulnColumns, c.srv.DeviceVulns)
	get(c, "device-vulnerability", "/devices/{id}/vulnerabilities/{weakness}", "One weakness on a device with its evidence",
		func(ctx context.Context, caller server.Caller, in *deviceWeaknessIn) (server.DeviceVuln, error) {
			return c.srv.DeviceVuln(ctx, caller, in.ID.ID, in.Weakness)
		})
	list[updatesIn, updatesOut](c, "device-updates", "/devices/{id}/updates", "Updates that vendors announced and that a device lacks", device, updateColumns, c.srv.DeviceUpdates)
	list[deviceClosedIn, deviceClosedOut](c, "device-closed", "/devices/{id}/closed", "Findings of a device that are gone, and why", device, closedColumns, c.srv.DeviceClosed)
}

// deviceOwner names the device that a list is below by its id.
func (c *console) deviceOwner() *owner {
	return &owner{column: "device_id", id: func(ctx context.Context, caller server.Caller, id string) (string, error) {
		if inventory.DeviceID(id).Valid() {
			return id, nil
		}
		d, err := c.srv.Device(ctx, caller, id)
		return string(d.ID), err
	}}
}
