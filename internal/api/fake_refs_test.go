package api

import (
	"context"
	"slices"

	"github.com/picketsec/picket/internal/server"
)

// deviceRefs has its rows in the order of the fake's devices, the first n of them.
func (f *fake) deviceRefs(n int, q server.DeviceRefQuery) (page server.DeviceRefPage) {
	var rows []server.DeviceRef
	for _, d := range f.devices[:min(n, len(f.devices))] {
		if (q.IDs == nil || slices.Contains(q.IDs, d.ID)) && (q.Groups == nil || slices.Contains(q.Groups, d.GroupID)) {
			rows = append(rows, server.DeviceRef{ID: d.ID, Name: d.Name, DNSName: d.DNSName, OSPlatform: d.OSPlatform, GroupID: d.GroupID, Group: d.GroupWord})
		}
	}
	f.refs.Store(&q)
	page.RowPage = q.Of(server.Each(rows))
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

func (f *fake) RemediationDeviceRefs(_ context.Context, c server.Caller, _ string, q server.DeviceRefQuery) (server.DeviceRefPage, error) {
	return f.deviceRefs(len(f.devices), q), need(c, server.RemediationRead, server.RemediationWrite)
}

func (f *fake) DeviceWeaknessTable(ctx context.Context, c server.Caller, id string, q server.WeaknessTableQuery) (server.WeaknessTablePage, error) {
	if _, err := f.find(id); err != nil {
		return server.WeaknessTablePage{}, err
	}
	return f.WeaknessTable(ctx, c, q)
}

// rowsAsked is what a table was asked.
type rowsAsked struct {
	skip, limit              int
	count, filtered, ordered bool
}

// tableOf answers a table and keeps what it was asked.
func tableOf[T any](f *fake, q server.RowQuery[T], rows []T) server.RowPage[T] {
	f.rows.Store(&rowsAsked{q.Skip, q.Limit, q.Count, q.Where != nil, q.Order != nil})
	return q.Of(server.Each(rows))
}

func (f *fake) DeviceSoftwareTable(_ context.Context, c server.Caller, id string, q server.RowQuery[server.SoftwareRow]) (server.RowPage[server.SoftwareRow], error) {
	if _, err := f.find(id); err != nil {
		return server.RowPage[server.SoftwareRow]{}, err
	}
	return tableOf(f, q, f.software), need(c, server.SoftwareRead)
}

func (f *fake) DeviceUpdateTable(_ context.Context, c server.Caller, id string, q server.RowQuery[server.MissingUpdate]) (server.RowPage[server.MissingUpdate], error) {
	if _, err := f.find(id); err != nil {
		return server.RowPage[server.MissingUpdate]{}, err
	}
	return tableOf(f, q, f.updates(server.Query{}).Items), need(c, server.SoftwareRead)
}

func (f *fake) SoftwareUpdateTable(_ context.Context, c server.Caller, _ string, q server.RowQuery[server.MissingUpdate]) (server.RowPage[server.MissingUpdate], error) {
	return tableOf(f, q, f.updates(server.Query{}).Items), need(c, server.SoftwareRead)
}

func (f *fake) SoftwareVersionTable(ctx context.Context, c server.Caller, id string, q server.RowQuery[server.VersionRow]) (server.RowPage[server.VersionRow], error) {
	s, err := f.Software(ctx, c, id)
	return tableOf(f, q, s.Distribution), err
}

func (f *fake) DeviceRecommendationTable(_ context.Context, c server.Caller, id string, q server.RowQuery[server.RecommendationRow]) (server.RowPage[server.RecommendationRow], error) {
	if _, err := f.find(id); err != nil {
		return server.RowPage[server.RecommendationRow]{}, err
	}
	return tableOf(f, q, f.recommendations()), need(c, server.RecommendationRead)
}
