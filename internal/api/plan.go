package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/server"
)

// PlanFilter narrows and orders saved patch plans.
type PlanFilter struct {
	TextFilter
	Sort  []string `query:"sort" enum:"name,-name,created,-created,target,-target,predicted,-predicted,actual,-actual,steps,-steps,devices,-devices,restarts,-restarts" doc:"Columns; minus is descending."`
	State []string `query:"state" enum:"Open,In progress,Done"`
}

func (f PlanFilter) query() server.Query { return f.queryWith(f.Sort, named("state", f.State)) }

// PlanStepFilter narrows and orders the steps of a saved patch plan.
type PlanStepFilter struct {
	TextFilter
	Sort  []string `query:"sort" enum:"order,-order,name,-name,state,-state" doc:"Columns; minus is descending."`
	State []string `query:"state" enum:"Open,In progress,Done"`
}

func (f PlanStepFilter) query() server.Query { return f.queryWith(f.Sort, named("state", f.State)) }

type plansIn struct {
	Paging
	PlanFilter
}

type plansOut struct {
	ExportFormat
	PlanFilter
}

type planStepsIn struct {
	ID
	Paging
	PlanStepFilter
}

type planStepsOut struct {
	ID
	ExportFormat
	PlanStepFilter
}

type whatIfIn struct {
	Body struct {
		Recommendations []string `json:"recommendations" minItems:"1" maxItems:"500" doc:"Ids of recommendations that are carried out together."`
	}
}

type draftPlanIn struct {
	Body struct {
		Target          float64  `json:"target" minimum:"0" maximum:"100" doc:"The score is to be below it; thousandths count."`
		Types           []string `json:"types,omitempty" maxItems:"20" doc:"Types of recommendations that may be taken; none: Update, Restart and ConfigurationChange."`
		Exclude         []string `json:"exclude,omitempty" maxItems:"10000" doc:"Ids of recommendations that may not be taken."`
		MaxRestarts     *int     `json:"max_restarts,omitempty" minimum:"0" doc:"Most devices that restart for certain."`
		MaxDevices      *int     `json:"max_devices,omitempty" minimum:"0" doc:"Most devices that are touched."`
		Recommendations []string `json:"recommendations,omitempty" maxItems:"500" doc:"Exactly what to do, in place of a search."`
		Search          string   `json:"search,omitempty" maxLength:"64" pattern:"^[A-Za-z0-9._~-]*$" doc:"A name of your choice under which /plan-searches says how far the search is, while it runs."`
	}
}

type planRequestIn struct {
	ID
	Body struct {
		Steps        []string `json:"steps" minItems:"1" maxItems:"500" doc:"Ids of the recommendations of steps: an activity is made for each, all or none."`
		Priority     string   `json:"priority" enum:"High,Medium,Low"`
		Due          string   `json:"due,omitempty" maxLength:"10" doc:"YYYY-MM-DD; not for steps of type AttentionRequired."`
		Notes        string   `json:"notes,omitempty" maxLength:"4000"`
		Destinations []string `json:"destinations,omitempty" maxItems:"10" doc:"Where tickets go; empty: just track."`
	}
}

type savePlanIn struct {
	Body struct {
		Draft string `json:"draft" minLength:"1" maxLength:"100" doc:"As the draft names itself."`
		Name  string `json:"name" minLength:"1" maxLength:"200"`
	}
}

// planRoutes are What-if and patch plans.
func (c *console) planRoutes() {
	busy := append([]int{http.StatusServiceUnavailable}, readErrors...)
	huma.Register(c.api, huma.Operation{OperationID: "what-if", Method: http.MethodPost, Path: "/what-if", Errors: readErrors, DefaultStatus: http.StatusOK,
		Summary: "The exact score with some recommendations carried out together, and what that means"},
		func(ctx context.Context, in *whatIfIn) (*body[server.WhatIf], error) {
			v, err := c.srv.WhatIf(ctx, callerOf(ctx), in.Body.Recommendations)
			if err != nil {
				return nil, c.problem(ctx, "what-if", err)
			}
			return &body[server.WhatIf]{Body: v}, nil
		})
	huma.Register(c.api, huma.Operation{OperationID: "draft-plan", Method: http.MethodPost, Path: "/plans/draft", Errors: busy, DefaultStatus: http.StatusOK,
		Summary: "Make a patch plan: the smallest set of recommendations that brings the score below a target, or exactly those that are named"},
		func(ctx context.Context, in *draftPlanIn) (*body[server.Plan], error) {
			v, err := c.srv.DraftPlan(ctx, callerOf(ctx), server.PlanGoal{Target: in.Body.Target, Types: in.Body.Types, Exclude: in.Body.Exclude,
				MaxRestarts: in.Body.MaxRestarts, MaxDevices: in.Body.MaxDevices, Recommendations: in.Body.Recommendations, Search: in.Body.Search})
			if err != nil {
				return nil, c.problem(ctx, "draft-plan", err)
			}
			return &body[server.Plan]{Body: v}, nil
		})
	huma.Register(c.api, huma.Operation{OperationID: "save-plan", Method: http.MethodPost, Path: "/plans", Errors: append([]int{http.StatusConflict}, readErrors...),
		DefaultStatus: http.StatusCreated, Summary: "Save a patch plan that was drafted within the last hour"},
		func(ctx context.Context, in *savePlanIn) (*body[server.Plan], error) {
			v, err := c.srv.SavePlan(ctx, callerOf(ctx), in.Body.Draft, in.Body.Name)
			if err != nil {
				return nil, c.problem(ctx, "save-plan", err)
			}
			return &body[server.Plan]{Body: v}, nil
		})
	list[plansIn, plansOut](c, "plans", "/plans", "Saved patch plans, with what became of them", nil, planColumns,
		func(ctx context.Context, caller server.Caller, _ string, q server.Query) (server.Page[server.PlanRow], error) {
			return c.srv.Plans(ctx, caller, q, nil)
		})
	get(c, "plan", "/plans/{id}", "A saved patch plan: predicted and actual", func(ctx context.Context, caller server.Caller, in *ID) (server.Plan, error) {
		return c.srv.Plan(ctx, caller, in.ID)
	})
	plan := &owner{column: "plan_id", id: func(_ context.Context, _ server.Caller, id string) (string, error) { return id, nil }}
	list[planStepsIn, planStepsOut](c, "plan-steps", "/plans/{id}/steps", "Steps of a saved patch plan and their state now", plan, planStepColumns, c.srv.PlanSteps)
	get(c, "plan-search", "/plan-searches/{id}", "How far a search for a patch plan is that you began; without a stage it does not run", func(ctx context.Context, caller server.Caller, in *ID) (server.PlanSearch, error) {
		return c.srv.PlanSearch(ctx, caller, in.ID)
	})
	get(c, "plan-remediation-form", "/plans/{id}/remediation", "What the form to request remediation of a saved patch plan offers", func(ctx context.Context, caller server.Caller, in *ID) (server.PlanForm, error) {
		return c.srv.PlanRemediation(ctx, caller, in.ID)
	})
	act(c, huma.Operation{OperationID: "remediate-plan", Method: http.MethodPost, Path: "/plans/{id}/remediation", Summary: "Request remediation of steps of a saved patch plan", DefaultStatus: http.StatusCreated},
		func(ctx context.Context, caller server.Caller, in *planRequestIn) (server.Plan, error) {
			b := &in.Body
			return c.srv.RemediatePlan(ctx, caller, in.ID.ID, server.PlanRequest{Steps: b.Steps, Priority: b.Priority, Due: b.Due, Notes: b.Notes, Destinations: b.Destinations})
		})
	huma.Register(c.api, huma.Operation{OperationID: "delete-plan", Method: http.MethodDelete, Path: "/plans/{id}", Errors: readErrors,
		DefaultStatus: http.StatusNoContent, Summary: "Delete a saved patch plan"},
		func(ctx context.Context, in *ID) (*empty, error) {
			if err := c.srv.DeletePlan(ctx, callerOf(ctx), in.ID); err != nil {
				return nil, c.problem(ctx, "delete-plan", err)
			}
			return nil, nil
		})
}

var planColumns = []column[server.PlanRow]{
	{"plan_id", func(r *server.PlanRow) string { return r.ID }},
	{"name", func(r *server.PlanRow) string { return r.Name }},
	{"created_at", func(r *server.PlanRow) string { return instant(r.CreatedAt) }},
	{"created_by", func(r *server.PlanRow) string { return r.CreatedBy }},
	{"device_groups", func(r *server.PlanRow) string { return groupWords(r.AllDevices, r.GroupNames) }},
	{"state", func(r *server.PlanRow) string { return r.State }},
	{"target", func(r *server.PlanRow) string { return number(r.Target) }},
	{"before", func(r *server.PlanRow) string { return number(r.Before) }},
	{"predicted", func(r *server.PlanRow) string { return number(r.Predicted) }},
	{"actual", func(r *server.PlanRow) string { return number(r.Actual) }},
	{"steps", func(r *server.PlanRow) string { return whole(r.Steps) }},
	{"done", func(r *server.PlanRow) string { return whole(r.Done) }},
	{"devices", func(r *server.PlanRow) string { return whole(r.Devices) }},
	{"restarts", func(r *server.PlanRow) string { return whole(r.Restarts) }},
}

// groupWords are the device groups of a plan: "all", or their names.
func groupWords(all bool, names []string) string {
	if all {
		return "all"
	}
	return words(names)
}

var planStepColumns = []column[server.PlanStep]{
	{"step", func(r *server.PlanStep) string { return whole(r.Order) }},
	{"recommendation_id", func(r *server.PlanStep) string { return r.ID }},
	{"name", func(r *server.PlanStep) string { return r.Name }},
	{"type", func(r *server.PlanStep) string { return r.Type }},
	{"score_after", func(r *server.PlanStep) string { return number(r.After.Score) }},
	{"fall", func(r *server.PlanStep) string { return number(r.Fall) }},
	{"exposed_devices", func(r *server.PlanStep) string { return whole(r.Exposed) }},
	{"devices", func(r *server.PlanStep) string { return whole(r.Devices) }},
	{"restarts", func(r *server.PlanStep) string { return whole(r.Restarts) }},
	{"state", func(r *server.PlanStep) string { return r.State }},
	{"remaining_devices", func(r *server.PlanStep) string { return whole(r.Remaining) }},
	{"remediation_id", func(r *server.PlanStep) string { return r.Activity }},
	{"remediation_status", func(r *server.PlanStep) string { return r.ActivityStatus }},
}
