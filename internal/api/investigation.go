package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/server"
)

// InvestigationFilter narrows and orders the list of investigations.
type InvestigationFilter struct {
	TextFilter
	Sort   []string `query:"sort" enum:"started,-started,ended,-ended,device,-device,state,-state,requester,-requester,id,-id" doc:"Columns; minus is descending."`
	Device []string `query:"device" doc:"Device ids."`
	Group  []string `query:"device_group" doc:"Device groups, by number; 0: devices that no rule takes."`
	State  []string `query:"state" enum:"Queued,PendingApproval,PendingResource,Running,Benign,PartiallyInvestigated,Failed,TerminatedByUser,TerminatedBySystem"`
	Alert  []string `query:"alert" doc:"Ids of alerts that belong to it."`
	Active []string `query:"active" enum:"true,false" doc:"Whether it has not ended."`
	From   []string `query:"from" doc:"Started at this instant or later (RFC 3339)."`
	To     []string `query:"to" doc:"Started before this instant (RFC 3339)."`
}

func (f InvestigationFilter) query() server.Query {
	return f.queryWith(f.Sort, named("device", f.Device), named("device_group", f.Group), named("state", f.State), named("alert", f.Alert), named("active", f.Active), named("from", f.From), named("to", f.To))
}

type investigationsIn struct {
	Paging
	InvestigationFilter
}

type investigationsOut struct {
	ExportFormat
	InvestigationFilter
}

type investigationIn struct {
	ID
	Body server.NewInvestigation
}

var investigationColumns = []column[server.InvestigationRow]{
	{"investigation_id", func(r *server.InvestigationRow) string { return r.ID }},
	{"state", func(r *server.InvestigationRow) string { return r.State }},
	{"details", func(r *server.InvestigationRow) string { return r.Details }},
	{"device_id", func(r *server.InvestigationRow) string { return string(r.DeviceID) }},
	{"device", func(r *server.InvestigationRow) string { return r.DeviceName }},
	{"group", func(r *server.InvestigationRow) string { return r.Group }},
	{"alerts", func(r *server.InvestigationRow) string { return strconv.Itoa(r.Alerts) }},
	{"trigger", func(r *server.InvestigationRow) string { return r.Trigger }},
	{"requester", func(r *server.InvestigationRow) string { return r.Requester }},
	{"comment", func(r *server.InvestigationRow) string { return r.Comment }},
	{"started_at", func(r *server.InvestigationRow) string { return instant(r.Started) }},
	{"ended_at", func(r *server.InvestigationRow) string { return instant(r.Ended) }},
	{"cancelled_by", func(r *server.InvestigationRow) string { return r.Canceller }},
}

// investigationRoutes are investigations of devices. What they are taken back by is
// the action that they belong to.
func (c *console) investigationRoutes() {
	act(c, huma.Operation{OperationID: "start-investigation", Method: http.MethodPost, Path: "/devices/{id}/investigations",
		Summary: "Have the agent examine what the device's alerts name; while an investigation goes on on the device, that one is joined", DefaultStatus: http.StatusCreated},
		func(ctx context.Context, caller server.Caller, in *investigationIn) (server.Investigation, error) {
			out, _, err := c.srv.StartInvestigation(ctx, caller, in.ID.ID, in.Body)
			return out, err
		})
	list[investigationsIn, investigationsOut](c, "investigations", "/investigations", "Investigations of devices", nil, investigationColumns,
		func(ctx context.Context, caller server.Caller, _ string, q server.Query) (server.Page[server.InvestigationRow], error) {
			return c.srv.Investigations(ctx, caller, q, nil)
		})
	get(c, "investigation", "/investigations/{id}", "One investigation, with its evidence, verdicts and log", func(ctx context.Context, caller server.Caller, in *ID) (server.Investigation, error) {
		return c.srv.Investigation(ctx, caller, in.ID)
	})
}
