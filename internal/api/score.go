package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/server"
)

// ScoreGroupFilter narrows and orders the device groups of a score.
type ScoreGroupFilter struct {
	TextFilter
	Sort []string `query:"sort" enum:"name,-name,devices,-devices,score,-score,weight,-weight,share,-share" doc:"Columns; minus is descending."`
}

func (f ScoreGroupFilter) query() server.Query { return f.queryWith(f.Sort) }

// ScoreDeviceFilter narrows and orders the devices of a score.
type ScoreDeviceFilter struct {
	TextFilter
	Sort     []string `query:"sort" enum:"name,-name,group,-group,score,-score,weight,-weight,share,-share" doc:"Columns; minus is descending."`
	Group    []string `query:"device_group" doc:"Device groups, by number; 0: devices that no rule takes."`
	Value    []string `query:"value" enum:"Low,Normal,High" doc:"What the device is worth."`
	Exposure []string `query:"exposure" enum:"None,Low,Medium,High" doc:"Exposure level."`
}

func (f ScoreDeviceFilter) query() server.Query {
	return f.queryWith(f.Sort, named("device_group", f.Group), named("value", f.Value), named("exposure", f.Exposure))
}

// ScoreTermFilter narrows and orders the terms of a device's score.
type ScoreTermFilter struct {
	TextFilter
	Sort     []string `query:"sort" enum:"points,-points,weakness,-weakness,component,-component,cvss,-cvss" doc:"Columns; minus is descending."`
	Kind     []string `query:"kind" enum:"finding,check,alert" doc:"What the term is of."`
	Severity []string `query:"severity" enum:"Critical,High,Medium,Low,None" doc:"Of a weakness."`
	Threat   []string `query:"threat" enum:"exploit,verified,kit,kev,ransomware,alert" doc:"alert: the device has an active alert."`
}

func (f ScoreTermFilter) query() server.Query {
	return f.queryWith(f.Sort, named("kind", f.Kind), named("severity", f.Severity), named("threat", f.Threat))
}

// SecureCheckFilter narrows and orders the configuration checks of the secure score.
type SecureCheckFilter struct {
	TextFilter
	Sort     []string `query:"sort" enum:"name,-name,category,-category,impact,-impact,got,-got,missing,-missing,passed,-passed,failed,-failed,not_assessed,-not_assessed,not_applicable,-not_applicable" doc:"Columns; minus is descending."`
	Category []string `query:"category" enum:"Application,OS,Network,Accounts,SecurityControls"`
	Missing  []string `query:"missing" enum:"true,false" doc:"Whether points are missing."`
	State    []string `query:"state" enum:"pass,fail,not_applicable,not_assessed" doc:"Results that some device has."`
}

func (f SecureCheckFilter) query() server.Query {
	return f.queryWith(f.Sort, named("category", f.Category), named("missing", f.Missing), named("state", f.State))
}

// CheckDeviceFilter narrows and orders the devices of a configuration check.
type CheckDeviceFilter struct {
	TextFilter
	Sort  []string `query:"sort" enum:"name,-name,os,-os,group,-group,state,-state" doc:"Columns; minus is descending."`
	State []string `query:"state" enum:"pass,fail,not_applicable,not_assessed" doc:"Its result on the device."`
	Group []string `query:"device_group" doc:"Device groups, by number; 0: devices that no rule takes."`
}

func (f CheckDeviceFilter) query() server.Query {
	return f.queryWith(f.Sort, named("state", f.State), named("device_group", f.Group))
}

type scoreGroupsIn struct {
	Paging
	ScoreGroupFilter
}

type scoreGroupsOut struct {
	ExportFormat
	ScoreGroupFilter
}

type scoreDevicesIn struct {
	Paging
	ScoreDeviceFilter
}

type scoreDevicesOut struct {
	ExportFormat
	ScoreDeviceFilter
}

type scoreTermsIn struct {
	ID
	Paging
	ScoreTermFilter
}

type scoreTermsOut struct {
	ID
	ExportFormat
	ScoreTermFilter
}

type secureChecksIn struct {
	Paging
	SecureCheckFilter
}

type secureChecksOut struct {
	ExportFormat
	SecureCheckFilter
}

type checkDevicesIn struct {
	ID
	Paging
	CheckDeviceFilter
}

type checkDevicesOut struct {
	ID
	ExportFormat
	CheckDeviceFilter
}

type deviceWeightsIn struct {
	Body server.DeviceWeights
}

// scoreRoutes open scores into their parts, and say what devices count in them.
func (c *console) scoreRoutes() {
	list[scoreGroupsIn, scoreGroupsOut](c, "score-groups", "/exposure-score/groups", "What device groups put into the exposure score", nil, scoreGroupColumns,
		func(ctx context.Context, caller server.Caller, _ string, q server.Query) (server.Page[server.ScoreGroupPart], error) {
			return c.srv.ScoreGroups(ctx, caller, q)
		})
	list[scoreDevicesIn, scoreDevicesOut](c, "score-devices", "/exposure-score/devices", "What devices put into the exposure score", nil, scoreDeviceColumns,
		func(ctx context.Context, caller server.Caller, _ string, q server.Query) (server.Page[server.ScoreDevicePart], error) {
			return c.srv.ScoreDevices(ctx, caller, q)
		})
	list[scoreTermsIn, scoreTermsOut](c, "device-score-terms", "/devices/{id}/score/terms", "All terms of a device's exposure score", c.deviceOwner(), scoreTermColumns, c.srv.DeviceScoreTerms)
	list[secureChecksIn, secureChecksOut](c, "secure-checks", "/secure-score/checks", "What configuration checks put into the secure score", nil, secureCheckColumns,
		func(ctx context.Context, caller server.Caller, _ string, q server.Query) (server.Page[server.SecureCheckRow], error) {
			return c.srv.SecureChecks(ctx, caller, q)
		})
	get(c, "secure-check", "/secure-score/checks/{id}", "One configuration check, over all devices", func(ctx context.Context, caller server.Caller, in *ID) (server.SecureCheck, error) {
		return c.srv.SecureCheck(ctx, caller, in.ID)
	})
	check := &owner{column: "check", id: func(_ context.Context, _ server.Caller, id string) (string, error) { return id, nil }}
	list[checkDevicesIn, checkDevicesOut](c, "check-devices", "/secure-score/checks/{id}/devices", "What a configuration check says of devices, and why", check, checkDeviceColumns, c.srv.CheckDevices)
	get(c, "device-weights", "/device-weights", "What devices count in scores by their value", func(ctx context.Context, caller server.Caller, _ *empty) (server.DeviceWeightsView, error) {
		return c.srv.DeviceWeights(ctx, caller)
	})
	act(c, huma.Operation{OperationID: "set-device-weights", Method: http.MethodPut, Path: "/device-weights", Summary: "Set what devices count in scores by their value", DefaultStatus: http.StatusOK},
		func(ctx context.Context, caller server.Caller, in *deviceWeightsIn) (server.DeviceWeightsView, error) {
			return c.srv.SetDeviceWeights(ctx, caller, in.Body)
		})
}
