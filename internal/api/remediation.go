package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/server"
	"github.com/picketsec/picket/internal/ticket"
)

// RemediationFilter narrows and orders remediation activities.
type RemediationFilter struct {
	TextFilter
	Sort           []string `query:"sort" enum:"title,-title,component,-component,type,-type,status,-status,progress,-progress,priority,-priority,due,-due,created,-created,completed,-completed,ticket,-ticket,created_by,-created_by,completed_by,-completed_by,targets,-targets" doc:"Columns; minus is descending."`
	Type           []string `query:"type" enum:"Update,Upgrade,Uninstall,AttentionRequired,Restart,ConfigurationChange" doc:"Type of remediation."`
	Status         []string `query:"status" enum:"Active,Completed"`
	Priority       []string `query:"priority" enum:"High,Medium,Low"`
	Ticket         []string `query:"ticket" enum:"none,pending,failing,dead,sent,open,in progress,closed" doc:"The worst of its tickets."`
	Overdue        []string `query:"overdue" enum:"true,false"`
	Recommendation []string `query:"recommendation" doc:"Id of the recommendation that it was made from."`
}

func (f RemediationFilter) query() server.Query {
	return f.queryWith(f.Sort, named("type", f.Type), named("status", f.Status), named("priority", f.Priority), named("ticket", f.Ticket),
		named("overdue", f.Overdue), named("recommendation", f.Recommendation))
}

// RemediationDeviceFilter narrows and orders the targets of an activity.
type RemediationDeviceFilter struct {
	TextFilter
	Sort  []string `query:"sort" enum:"name,-name,state,-state,last_seen,-last_seen" doc:"Columns; minus is descending."`
	State []string `query:"state" enum:"fixed,exposed,silent,removed,not_assessed"`
}

func (f RemediationDeviceFilter) query() server.Query {
	return f.queryWith(f.Sort, named("state", f.State))
}

type remediationsIn struct {
	Paging
	RemediationFilter
}

type remediationsOut struct {
	ExportFormat
	RemediationFilter
}

type remediationDevicesIn struct {
	ID
	Paging
	RemediationDeviceFilter
}

type remediationDevicesOut struct {
	ID
	ExportFormat
	RemediationDeviceFilter
}

type requestRemediationIn struct {
	Body struct {
		Recommendation string   `json:"recommendation_id" maxLength:"2000"`
		Type           string   `json:"type" maxLength:"100" doc:"One of those that the form offers."`
		Groups         []uint32 `json:"groups,omitempty" maxItems:"1000" doc:"Device groups; empty: all exposed devices."`
		Unnoticed      bool     `json:"unnoticed,omitempty" doc:"Only devices on which nobody would notice the change; for configuration changes."`
		Priority       string   `json:"priority" enum:"High,Medium,Low"`
		Due            string   `json:"due,omitempty" maxLength:"10" doc:"YYYY-MM-DD; not for AttentionRequired."`
		Notes          string   `json:"notes,omitempty" maxLength:"4000"`
		Destinations   []string `json:"destinations,omitempty" maxItems:"10" doc:"Where tickets go; empty: just track."`
	}
}

type editRemediationIn struct {
	ID
	Body struct {
		Priority string `json:"priority" enum:"High,Medium,Low"`
		Due      string `json:"due,omitempty" maxLength:"10"`
		Notes    string `json:"notes,omitempty" maxLength:"4000"`
	}
}

type noteIn struct {
	ID
	Body struct {
		Note string `json:"note,omitempty" maxLength:"4000" doc:"Why; it goes into the history."`
	}
}

type retryTicketIn struct {
	ID
	Sub int64 `path:"sub" minimum:"1" doc:"Id of the message."`
}

type destinationBody struct {
	Kind    ticket.Kind   `json:"kind" enum:"webhook,email,jira,github,servicenow"`
	Name    string        `json:"name" minLength:"1" maxLength:"100"`
	Enabled bool          `json:"enabled"`
	Config  ticket.Config `json:"config"`
	Secret  string        `json:"secret,omitempty" maxLength:"2000" doc:"Key, token or password; never told again. Empty keeps the one that is there."`
}

type newDestinationIn struct{ Body destinationBody }

type destinationIn struct {
	ID
	Body destinationBody
}

// act registers a route that changes something and answers with what is there now.
func act[I, T any](c *console, op huma.Operation, do func(ctx context.Context, caller server.Caller, in *I) (T, error)) {
	op.Errors = append([]int{http.StatusConflict}, readErrors...)
	op.MaxBodyBytes = 64 << 10
	huma.Register(c.api, op, func(ctx context.Context, in *I) (*body[T], error) {
		v, err := do(ctx, callerOf(ctx), in)
		if err != nil {
			return nil, c.problem(ctx, op.OperationID, err)
		}
		return &body[T]{Body: v}, nil
	})
}

// remediationRoutes are remediation activities and Settings › Ticketing.
func (c *console) remediationRoutes() {
	activity := &owner{column: "remediation_id", id: func(_ context.Context, _ server.Caller, id string) (string, error) { return id, nil }}
	list[remediationsIn, remediationsOut](c, "remediations", "/remediations", "Remediation activities", nil, remediationColumns,
		func(ctx context.Context, caller server.Caller, _ string, q server.Query) (server.Page[server.RemediationRow], error) {
			return c.srv.Remediations(ctx, caller, q, nil)
		})
	get(c, "remediation", "/remediations/{id}", "One activity with tickets and history", func(ctx context.Context, caller server.Caller, in *ID) (server.Remediation, error) {
		return c.srv.Remediation(ctx, caller, in.ID)
	})
	list[remediationDevicesIn, remediationDevicesOut](c, "remediation-devices", "/remediations/{id}/devices", "Targets of an activity, and whether each is fixed", activity, remediationDeviceColumns, c.srv.RemediationDevices)
	get(c, "remediation-form", "/recommendations/{id}/remediation", "What the form to request remediation offers", func(ctx context.Context, caller server.Caller, in *ID) (server.RemediationForm, error) {
		return c.srv.RemediationForm(ctx, caller, in.ID)
	})
	act(c, huma.Operation{OperationID: "request-remediation", Method: http.MethodPost, Path: "/remediations", Summary: "Request remediation", DefaultStatus: http.StatusCreated},
		func(ctx context.Context, caller server.Caller, in *requestRemediationIn) (server.Remediation, error) {
			b := &in.Body
			return c.srv.RequestRemediation(ctx, caller, server.RemediationRequest{Recommendation: b.Recommendation, Type: b.Type, Groups: b.Groups, Priority: b.Priority, Due: b.Due,
				Notes: b.Notes, Destinations: b.Destinations, Unnoticed: b.Unnoticed})
		})
	act(c, huma.Operation{OperationID: "edit-remediation", Method: http.MethodPut, Path: "/remediations/{id}", Summary: "Change priority, due date and notes"},
		func(ctx context.Context, caller server.Caller, in *editRemediationIn) (server.Remediation, error) {
			return c.srv.EditRemediation(ctx, caller, in.ID.ID, in.Body.Priority, in.Body.Due, in.Body.Notes)
		})
	act(c, huma.Operation{OperationID: "complete-remediation", Method: http.MethodPost, Path: "/remediations/{id}/complete", Summary: "Mark an activity as completed"},
		func(ctx context.Context, caller server.Caller, in *noteIn) (server.Remediation, error) {
			return c.srv.CompleteRemediation(ctx, caller, in.ID.ID, in.Body.Note)
		})
	act(c, huma.Operation{OperationID: "reopen-remediation", Method: http.MethodPost, Path: "/remediations/{id}/reopen", Summary: "Make a completed activity active again"},
		func(ctx context.Context, caller server.Caller, in *noteIn) (server.Remediation, error) {
			return c.srv.ReopenRemediation(ctx, caller, in.ID.ID, in.Body.Note)
		})
	act(c, huma.Operation{OperationID: "retry-ticket", Method: http.MethodPost, Path: "/remediations/{id}/tickets/{sub}/retry", Summary: "Send a message of an activity now"},
		func(ctx context.Context, caller server.Caller, in *retryTicketIn) (server.Remediation, error) {
			return c.srv.RetryTicket(ctx, caller, in.ID.ID, in.Sub)
		})
	get(c, "ticketing", "/ticketing", "Where tickets go", func(ctx context.Context, caller server.Caller, _ *empty) ([]server.DestinationRow, error) {
		return c.srv.Destinations(ctx, caller)
	})
	act(c, huma.Operation{OperationID: "add-destination", Method: http.MethodPost, Path: "/ticketing", Summary: "Add a place for tickets", DefaultStatus: http.StatusCreated},
		func(ctx context.Context, caller server.Caller, in *newDestinationIn) (server.DestinationRow, error) {
			return c.srv.PutDestination(ctx, caller, "", server.DestinationInput(in.Body))
		})
	act(c, huma.Operation{OperationID: "change-destination", Method: http.MethodPut, Path: "/ticketing/{id}", Summary: "Change a place for tickets"},
		func(ctx context.Context, caller server.Caller, in *destinationIn) (server.DestinationRow, error) {
			if in.ID.ID == "" {
				return server.DestinationRow{}, server.ErrNotFound
			}
			return c.srv.PutDestination(ctx, caller, in.ID.ID, server.DestinationInput(in.Body))
		})
	act(c, huma.Operation{OperationID: "test-destination", Method: http.MethodPost, Path: "/ticketing/{id}/test", Summary: "Try a place for tickets"},
		func(ctx context.Context, caller server.Caller, in *ID) (server.TestResult, error) {
			return c.srv.TestDestination(ctx, caller, in.ID)
		})
	huma.Register(c.api, huma.Operation{OperationID: "remove-destination", Method: http.MethodDelete, Path: "/ticketing/{id}", Summary: "Remove a place for tickets and its secret",
		Errors: readErrors, DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, in *ID) (*empty, error) {
			if err := c.srv.RemoveDestination(ctx, callerOf(ctx), in.ID); err != nil {
				return nil, c.problem(ctx, "remove-destination", err)
			}
			return nil, nil
		})
}

var remediationColumns = []column[server.RemediationRow]{
	{"remediation_id", func(r *server.RemediationRow) string { return r.ID }},
	{"title", func(r *server.RemediationRow) string { return r.Title }},
	{"recommendation_id", func(r *server.RemediationRow) string { return r.Recommendation }},
	{"component", func(r *server.RemediationRow) string { return r.Component }},
	{"vendor", func(r *server.RemediationRow) string { return r.Vendor }},
	{"version", func(r *server.RemediationRow) string { return r.Version }},
	{"type", func(r *server.RemediationRow) string { return r.Type }},
	{"status", func(r *server.RemediationRow) string { return r.Status }},
	{"status_at", func(r *server.RemediationRow) string { return instant(r.StatusAt) }},
	{"targets", func(r *server.RemediationRow) string { return whole(r.Progress.Targets) }},
	{"fixed", func(r *server.RemediationRow) string { return ifTracked(r, r.Progress.Fixed) }},
	{"exposed", func(r *server.RemediationRow) string { return whole(r.Progress.Exposed) }},
	{"silent", func(r *server.RemediationRow) string { return whole(r.Progress.Silent) }},
	{"removed", func(r *server.RemediationRow) string { return whole(r.Progress.Removed) }},
	{"not_assessed", func(r *server.RemediationRow) string { return whole(r.Progress.NotAssessed) }},
	{"priority", func(r *server.RemediationRow) string { return r.Priority }},
	{"due", func(r *server.RemediationRow) string { return r.Due }},
	{"created_at", func(r *server.RemediationRow) string { return instant(r.CreatedAt) }},
	{"created_by", func(r *server.RemediationRow) string { return r.CreatedBy }},
	{"completion_method", func(r *server.RemediationRow) string { return r.CompletionMethod }},
	{"completed_by", func(r *server.RemediationRow) string { return r.CompletedBy }},
	{"device_groups", func(r *server.RemediationRow) string { return words(r.Groups) }},
	{"ticket", func(r *server.RemediationRow) string { return r.Ticket }},
	{"notes", func(r *server.RemediationRow) string { return r.Notes }},
	{"software_id", func(r *server.RemediationRow) string { return r.ProductID }},
	{"category", func(r *server.RemediationRow) string { return r.Category }},
	{"overdue", func(r *server.RemediationRow) string { return strconv.FormatBool(r.Overdue) }},
	{"unnoticed", func(r *server.RemediationRow) string { return strconv.FormatBool(r.Unnoticed) }},
}

// ifTracked is a count, nothing where progress cannot be measured.
func ifTracked(r *server.RemediationRow, n int) string {
	if !r.Tracked {
		return ""
	}
	return whole(n)
}

var remediationDeviceColumns = []column[server.RemediationDevice]{
	{"device_id", func(r *server.RemediationDevice) string { return string(r.ID) }},
	{"name", func(r *server.RemediationDevice) string { return r.Name }},
	{"os_name", func(r *server.RemediationDevice) string { return r.OSName }},
	{"state", func(r *server.RemediationDevice) string { return r.State }},
	{"last_seen", func(r *server.RemediationDevice) string { return instant(r.LastSeen) }},
	{"alerts", func(r *server.RemediationDevice) string { return whole(r.Alerts) }},
}
