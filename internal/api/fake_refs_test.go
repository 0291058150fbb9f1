package api

import (
	"context"
	"slices"

	"github.com/picketsec/picket/internal/server"
)

// deviceRefs has its rows in the order of the fake's devices, the first n of them.
func (f *fake) deviceRefs(n int, q server.DeviceRefQuery) (page server.DeviceRefPage) {
	for _, d := range f.devices[:min(n, len(f.devices))] {
		r := server.DeviceRef{ID: d.ID, Name: d.Name, DNSName: d.DNSName, OSPlatform: d.OSPlatform, GroupID: d.GroupID, Group: d.Group}
		if (q.IDs == nil || slices.Contains(q.IDs, d.ID)) && (q.Groups == nil || slices.Contains(q.Groups, d.GroupID)) && (q.Where == nil || q.Where(&r)) {
			page.Rows = append(page.Rows, r)
		}
	}
	f.refs.Store(&q)
	if q.Count {
		page.Total = len(page.Rows)
	}
	if q.Order != nil {
		slices.SortStableFunc(page.Rows, func(a, b server.DeviceRef) int { return q.Order(&a, &b) })
	}
	if page.Rows = page.Rows[min(q.Skip, len(page.Rows)):]; q.Limit >= 0 && len(page.Rows) > q.Limit {
		page.Rows, page.More = page.Rows[:q.Limit], q.Limit > 0
	}
	return page
}

func (f *fake) WeaknessDeviceRefs(ctx context.Context, c server.Caller, id string, q server.DeviceRefQuery) (server.DeviceRefPage, error) {
	if _, err := f.Weakness(ctx, c, id); err != nil {
		return server.DeviceRefPage{}, err
	}
	return f.deviceRefs(2, q), need(c, server.VulnerabilityRead)
}

func (f *fake) SoftwareDeviceRefs(ctx context.Context, c server.Caller, id string, q server.DeviceRefQuery) (server.DeviceRefPage, error) {
	if _, err := f.Software(ctx, c, id); err != nil {
		return server.DeviceRefPage{}, err
	}
	return f.deviceRefs(len(f.devices), q), need(c, server.SoftwareRead)
}

func (f *fake) RecommendationDeviceRefs(_ context.Context, c server.Caller, _ string, q server.DeviceRefQuery) (server.DeviceRefPage, error) {
	return f.deviceRefs(len(f.devices), q), need(c, server.RecommendationRead)
}

func (f *fake) SoftwareWeaknessTable(ctx context.Context, c server.Caller, _ string, q server.WeaknessTableQuery) (server.WeaknessTablePage, error) {
	return f.WeaknessTable(ctx, c, q)
}

func (f *fake) RecommendationWeaknessTable(ctx context.Context, c server.Caller, _ string, q server.WeaknessTableQuery) (server.WeaknessTablePage, error) {
	page, _ := f.WeaknessTable(ctx, c, q)
	return page, need(c, server.RecommendationRead)
}
