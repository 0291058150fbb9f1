package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/server"
)

// ApprovalFilter narrows and orders the list of requests for approval.
type ApprovalFilter struct {
	TextFilter
	Sort      []string `query:"sort" enum:"created,-created,expires,-expires,name,-name,requester,-requester,state,-state" doc:"Columns; minus is descending."`
	State     []string `query:"state" enum:"pending,approved,running,done,failed,refused,withdrawn,expired,cancelled"`
	Kind      []string `query:"kind" doc:"Ids of actions, approval-policy or leave-approval."`
	Requester []string `query:"requester" doc:"Names of people and applications."`
	Device    []string `query:"device" doc:"Ids of devices."`
}

func (f ApprovalFilter) query() server.Query {
	return f.queryWith(f.Sort, named("state", f.State), named("kind", f.Kind), named("requester", f.Requester), named("device", f.Device))
}

type approvalsIn struct {
	Paging
	ApprovalFilter
}

type approvalsOut struct {
	ExportFormat
	ApprovalFilter
}

type nudgeIn struct {
	ID
	Body *struct {
		Comment string `json:"comment,omitempty" maxLength:"1000" doc:"For whoever has to approve it, and for the audit log."`
	}
}

// nudged is what became of asking: 200 when the agent was told, 202 when
// somebody else has to approve it first.
type nudged struct {
	Status int
	Body   server.ActionResult
}

type decideIn struct {
	ID
	Body struct {
		Note string `json:"note,omitempty" maxLength:"1000" doc:"For whoever asked."`
	}
}

type approvalPolicyIn struct {
	Body server.ApprovalPolicy
}

type lockdownIn struct {
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"1000" doc:"Everybody reads it."`
	}
}

var approvalColumns = []column[server.ApprovalRow]{
	{"request", func(r *server.ApprovalRow) string { return r.ID }},
	{"action", func(r *server.ApprovalRow) string { return r.Kind }},
	{"state", func(r *server.ApprovalRow) string { return r.State }},
	{"devices", func(r *server.ApprovalRow) string {
		var names []string
		for _, d := range r.Devices {
			names = append(names, d.Name)
		}
		return strings.Join(names, " ")
	}},
	{"requester", func(r *server.ApprovalRow) string { return r.Requester }},
	{"comment", func(r *server.ApprovalRow) string { return r.Comment }},
	{"created_at", func(r *server.ApprovalRow) string { return instant(r.CreatedAt) }},
	{"expires_at", func(r *server.ApprovalRow) string { return instant(r.ExpiresAt) }},
	{"decider", func(r *server.ApprovalRow) string { return r.Decider }},
	{"decided_at", func(r *server.ApprovalRow) string { return instant(r.DecidedAt) }},
	{"note", func(r *server.ApprovalRow) string { return r.Note }},
	{"ended_at", func(r *server.ApprovalRow) string { return instant(r.EndedAt) }},
	{"result", func(r *server.ApprovalRow) string { return r.Result }},
}

// actionRoutes are what is done on devices, who approves it, and the lockdown.
func (c *console) actionRoutes() {
	get(c, "action-kinds", "/action-kinds", "Actions on devices, and which of them the caller may ask for", func(ctx context.Context, caller server.Caller, _ *empty) ([]server.ActionKind, error) {
		return c.srv.ActionKinds(ctx, caller)
	})
	change(c, "nudge-device", http.MethodPost, "/devices/{id}/nudge", "Ask a device's agent to look at everything now; 202 when somebody else has to approve it first", http.StatusOK,
		func(ctx context.Context, caller server.Caller, in *nudgeIn) (*nudged, error) {
			comment := ""
			if in.Body != nil {
				comment = in.Body.Comment
			}
			_, out, err := c.srv.Nudge(ctx, caller, in.ID.ID, comment)
			status := http.StatusOK
			if out.Approval != nil {
				status = http.StatusAccepted
			}
			return &nudged{Status: status, Body: out}, err
		})
	list[approvalsIn, approvalsOut](c, "approvals", "/approvals", "Requests that somebody else has to approve, and what became of them", nil, approvalColumns,
		func(ctx context.Context, caller server.Caller, _ string, q server.Query) (server.Page[server.ApprovalRow], error) {
			return c.srv.Approvals(ctx, caller, q)
		})
	get(c, "approval", "/approvals/{id}", "One request", func(ctx context.Context, caller server.Caller, in *ID) (server.ApprovalRow, error) {
		return c.srv.Approval(ctx, caller, in.ID)
	})
	c.decisionRoutes()
	get(c, "lockdown", "/lockdown", "Whether a lockdown holds", func(ctx context.Context, caller server.Caller, _ *empty) (server.Lockdown, error) {
		return c.srv.Lockdown(ctx, caller)
	})
	send(c, huma.Operation{OperationID: "start-lockdown", Method: http.MethodPost, Path: "/lockdown", Summary: "Deny every action on devices to everybody, at once"},
		func(ctx context.Context, caller server.Caller, in *lockdownIn) (server.Lockdown, error) {
			return c.srv.StartLockdown(ctx, caller, in.Body.Reason)
		})
	send(c, huma.Operation{OperationID: "lift-lockdown", Method: http.MethodPost, Path: "/lockdown/lift", Summary: "Say that the lockdown may end; it ends with the word of a second administrator"},
		func(ctx context.Context, caller server.Caller, _ *empty) (server.Lockdown, error) {
			return c.srv.LiftLockdown(ctx, caller)
		})
	send(c, huma.Operation{OperationID: "keep-lockdown", Method: http.MethodDelete, Path: "/lockdown/lift", Summary: "Take the own word back"},
		func(ctx context.Context, caller server.Caller, _ *empty) (server.Lockdown, error) {
			return c.srv.KeepLockdown(ctx, caller)
		})
}

func (c *console) decisionRoutes() {
	decide := func(id, verb, summary string, approve bool) {
		send(c, huma.Operation{OperationID: id, Method: http.MethodPost, Path: "/approvals/{id}/" + verb, Summary: summary},
			func(ctx context.Context, caller server.Caller, in *decideIn) (server.ApprovalRow, error) {
				return c.srv.Decide(ctx, caller, in.ID.ID, approve, in.Body.Note)
			})
	}
	decide("approve-action", "approve", "Approve what somebody else asked for; it is carried out at once", true)
	decide("refuse-action", "refuse", "Refuse what somebody else asked for", false)
	send(c, huma.Operation{OperationID: "withdraw-action", Method: http.MethodPost, Path: "/approvals/{id}/withdraw", Summary: "Take back what the caller asked for"},
		func(ctx context.Context, caller server.Caller, in *ID) (server.ApprovalRow, error) {
			return c.srv.WithdrawApproval(ctx, caller, in.ID)
		})
	get(c, "approval-policy", "/approval-policy", "What somebody else has to approve", func(ctx context.Context, caller server.Caller, _ *empty) (server.ApprovalPolicy, error) {
		return c.srv.ApprovalPolicy(ctx, caller)
	})
	send(c, huma.Operation{OperationID: "set-approval-policy", Method: http.MethodPut, Path: "/approval-policy", Summary: "Change what somebody else has to approve; less waits for another administrator"},
		func(ctx context.Context, caller server.Caller, in *approvalPolicyIn) (server.ApprovalPolicyResult, error) {
			return c.srv.SetApprovalPolicy(ctx, caller, in.Body)
		})
}
