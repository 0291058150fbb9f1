package api

import (
	"context"

	"github.com/picketsec/picket/internal/server"
)

func fakePlan() server.Plan {
	step := server.PlanStep{Order: 1, ID: "va-_-debian-_-openssl", Name: "Update " + poison, Type: server.RemedyUpdate, State: server.StepOpen}
	return server.Plan{ID: "1", Name: poison, CreatedAt: asOf, CreatedBy: poison, Groups: []int{}, GroupNames: []string{}, AllDevices: true, Steps: []server.PlanStep{step},
		Goal: server.PlanGoal{Types: []string{}, Exclude: []string{}, Recommendations: []string{}}, Actual: &server.PlanActual{Trend: []server.TrendPoint{}, AsOf: asOf}}
}

func (f *fake) WhatIf(_ context.Context, c server.Caller, ids []string) (server.WhatIf, error) {
	return server.WhatIf{Items: []server.WhatIfItem{{ID: ids[0], Name: poison}}}, need(c, server.RecommendationRead)
}

func (f *fake) DraftPlan(_ context.Context, c server.Caller, g server.PlanGoal) (server.Plan, error) {
	p := fakePlan()
	p.Goal.Target = g.Target
	return p, need(c, server.RecommendationRead)
}

func (f *fake) SavePlan(_ context.Context, c server.Caller, _, _ string) (server.Plan, error) {
	return fakePlan(), need(c, server.RecommendationWrite)
}

func (f *fake) Plans(_ context.Context, c server.Caller, q server.Query, where func(*server.PlanRow) bool) (server.Page[server.PlanRow], error) {
	return paged(f, []server.PlanRow{{ID: "1", Name: poison, CreatedBy: poison, Groups: []int{}, GroupNames: []string{poison}, CreatedAt: asOf}}, q, where), need(c, server.RecommendationRead)
}

func (f *fake) Plan(_ context.Context, c server.Caller, _ string) (server.Plan, error) {
	return fakePlan(), need(c, server.RecommendationRead)
}

func (f *fake) PlanSteps(_ context.Context, c server.Caller, _ string, q server.Query) (server.Page[server.PlanStep], error) {
	return paged(f, fakePlan().Steps, q, nil), need(c, server.RecommendationRead)
}

func (f *fake) DeletePlan(_ context.Context, c server.Caller, _ string) error {
	return need(c, server.RecommendationWrite)
}

func (f *fake) PlanSearch(_ context.Context, c server.Caller, _ string) (server.PlanSearch, error) {
	return server.PlanSearch{Stage: server.SearchPlans, Done: 1, Of: 2}, need(c, server.RecommendationRead)
}

func (f *fake) PlanRemediation(_ context.Context, c server.Caller, _ string) (server.PlanForm, error) {
	return server.PlanForm{GroupNames: []string{poison}, Steps: []server.PlanFormStep{{ID: "x", Name: poison, Type: server.RemedyUpdate, Exposed: 1}},
		Destinations: []server.FormDestination{}}, need(c, server.RemediationWrite)
}

func (f *fake) RemediatePlan(_ context.Context, c server.Caller, _ string, _ server.PlanRequest) (server.Plan, error) {
	return fakePlan(), need(c, server.RemediationWrite)
}
