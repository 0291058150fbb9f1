package api

import (
	"context"

	"github.com/picketsec/picket/internal/server"
)

type softwareIn struct {
	Paging
	SoftwareFilter
}

type softwareOut struct {
	ExportFormat
	SoftwareFilter
}

type softwareDevicesIn struct {
	ID
	Paging
	SoftwareDeviceFilter
}

type softwareDevicesOut struct {
	ID
	ExportFormat
	SoftwareDeviceFilter
}

type softwareVulnsIn struct {
	ID
	Paging
	SoftwareWeaknessFilter
}

type softwareVulnsOut struct {
	ID
	ExportFormat
	SoftwareWeaknessFilter
}

type softwareVersionsIn struct {
	ID
	Paging
	VersionFilter
}

type softwareVersionsOut struct {
	ID
	ExportFormat
	VersionFilter
}

type softwareRecommendationsIn struct {
	ID
	Paging
	RecommendationFilter
}

type softwareRecommendationsOut struct {
	ID
	ExportFormat
	RecommendationFilter
}

// softwareRoutes are the products over all devices.
func (c *console) softwareRoutes() {
	product := &owner{column: "software_id", id: func(_ context.Context, _ server.Caller, id string) (string, error) { return id, nil }}
	list[softwareIn, softwareOut](c, "software", "/software", "Products over all devices", nil, softwareColumns,
		func(ctx context.Context, caller server.Caller, _ string, q server.Query) (server.Page[server.SoftwareRow], error) {
			return c.srv.SoftwareList(ctx, caller, q, nil)
		})
	get(c, "product", "/software/{id}", "One product", func(ctx context.Context, caller server.Caller, in *ID) (server.Software, error) {
		return c.srv.Software(ctx, caller, in.ID)
	})
	list[softwareDevicesIn, softwareDevicesOut](c, "product-devices", "/software/{id}/devices", "Devices that have a product", product, deviceColumns, c.srv.SoftwareDevices)
	list[softwareVulnsIn, softwareVulnsOut](c, "product-vulnerabilities", "/software/{id}/vulnerabilities", "Weaknesses of a product", product, weaknessColumns, c.srv.SoftwareVulns)
	list[updatesIn, updatesOut](c, "product-updates", "/software/{id}/updates", "Updates of a product that vendors announced and that devices lack", product, updateColumns, c.srv.SoftwareUpdates)
	list[softwareVersionsIn, softwareVersionsOut](c, "product-versions", "/software/{id}/versions", "Installed versions of a product", product, versionColumns, c.srv.SoftwareVersions)
	list[softwareRecommendationsIn, softwareRecommendationsOut](c, "product-recommendations", "/software/{id}/recommendations", "What to do about a product", product, recommendationColumns, c.srv.SoftwareRecommendations)
}
