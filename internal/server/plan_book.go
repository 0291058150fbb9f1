package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

// mostPlans is how many saved plans are kept.
const mostPlans = 1000

// SavePlan saves a plan that DraftPlan made, as it was predicted.
func (s *Server) SavePlan(ctx context.Context, caller Caller, draft, name string) (Plan, error) {
	if err := s.need(caller, RecommendationWrite); err != nil {
		return Plan{}, err
	}
	if name = strings.TrimSpace(name); name == "" || len(name) > 200 {
		return Plan{}, Invalidf("name", "must have 1 to 200 bytes")
	}
	p, ok := s.plans.find(draft, time.Now())
	if !ok || !sees(caller, &p) {
		return Plan{}, fmt.Errorf("draft %q: it is kept for an hour; make the plan again: %w", draft, ErrNotFound)
	}
	if len(p.Steps) == 0 {
		return Plan{}, Invalidf("draft", "the plan has no steps: there is nothing to save")
	}
	p.Name, p.CreatedBy, p.Draft = name, caller.Name, ""
	body, err := json.Marshal(&p)
	if err != nil {
		return Plan{}, fmt.Errorf("encode plan: %w", err)
	}
	row := store.Plan{Name: name, Created: p.CreatedAt, CreatedBy: p.CreatedBy, Body: body}
	if !p.AllDevices {
		row.Groups = []uint16{}
		for _, g := range p.Groups {
			row.Groups = append(row.Groups, uint16(g))
		}
	}
	audit.Change(ctx, name, nil, map[string]any{"name": name, "steps": len(p.Steps), "device_groups": p.GroupNames})
	id, err := s.st.AddPlan(ctx, row, mostPlans)
	if errors.Is(err, store.ErrFull) {
		return Plan{}, fmt.Errorf("%d plans are saved, as many as are kept; delete one: %w", mostPlans, ErrConflict)
	}
	if err != nil {
		return Plan{}, fmt.Errorf("save plan: %w", err)
	}
	s.log.InfoContext(ctx, "patch plan saved", "plan", id, "name", name, "by", caller.Name)
	s.live.publish(LiveEvent{Resource: "plans"})
	p.ID = strconv.FormatInt(id, 10)
	return s.measured(ctx, caller, p)
}

// sees reports whether a plan is within the device groups that a caller looks at.
func sees(c Caller, p *Plan) bool { return c.looks().Covers(p.scope()) }

func planOf(row *store.Plan) (p Plan, err error) {
	if err := json.Unmarshal(row.Body, &p); err != nil {
		return Plan{}, fmt.Errorf("plan %d: %w", row.ID, err)
	}
	if p.Weights == "" { // it was saved when there were no others
		p.Weights = weightsWords("")
	}
	p.ID, p.Name, p.CreatedBy, p.CreatedAt = strconv.FormatInt(row.ID, 10), row.Name, row.CreatedBy, row.Created
	return p, nil
}

// scope are the devices of a plan.
func (p *Plan) scope() exposure.Scope {
	if p.AllDevices {
		return exposure.Everywhere()
	}
	out := []exposure.Group{}
	for _, g := range p.Groups {
		out = append(out, exposure.Group(g))
	}
	return exposure.Within(out...)
}

// Plan is a saved plan with what became of it: each step's state now, and how
// the score of its devices went since.
func (s *Server) Plan(ctx context.Context, caller Caller, id string) (Plan, error) {
	if err := s.need(caller, RecommendationRead); err != nil {
		return Plan{}, err
	}
	p, err := s.saved(ctx, caller, id)
	if err != nil {
		return Plan{}, err
	}
	return s.measured(ctx, caller, p)
}

// saved reads a plan that a caller may see.
func (s *Server) saved(ctx context.Context, caller Caller, id string) (Plan, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return Plan{}, fmt.Errorf("plan %q: %w", id, ErrNotFound)
	}
	row, err := s.st.Plan(ctx, n)
	if errors.Is(err, store.ErrNotFound) {
		return Plan{}, fmt.Errorf("plan %q: %w", id, ErrNotFound)
	}
	if err != nil {
		return Plan{}, fmt.Errorf("read plan %q: %w", id, err)
	}
	p, err := planOf(&row)
	if err == nil && !sees(caller, &p) {
		return Plan{}, fmt.Errorf("plan %q: %w", id, ErrNotFound)
	}
	return p, err
}

// measured puts into a saved plan what became of it.
func (s *Server) measured(ctx context.Context, caller Caller, p Plan) (Plan, error) {
	trend, err := s.trend(ctx, p.scope(), p.CreatedAt)
	if err != nil {
		return Plan{}, fmt.Errorf("read history of the score: %w", err)
	}
	if err := s.core.readSettled(ctx); err != nil {
		return Plan{}, err
	}
	defer s.core.mu.RUnlock()
	s.core.measure(&p)
	if caller.Has(RemediationRead) || caller.Has(RemediationWrite) {
		s.core.stepActivities(&p)
	}
	begin := TrendPoint{At: p.CreatedAt, Score: p.Before.Score, Version: p.Version, Weights: p.Weights, Devices: p.Scored}
	now := TrendPoint{At: p.Actual.AsOf, Score: p.Actual.Score.Score, Version: exposure.ScoreVersion, Weights: weighingWords(s.core.weighting), Devices: p.Scored}
	trend = slices.DeleteFunc(trend, func(t TrendPoint) bool { return !t.At.After(begin.At) || !t.At.Before(now.At) })
	p.Actual.Trend = append(append([]TrendPoint{begin}, trend...), now)
	return p, nil
}

// measure sets the states of a plan's steps and its actual score. The caller
// holds mu for reading.
func (c *core) measure(p *Plan) {
	l := c.lensOf(p.scope())
	w := c.weights()
	p.GroupNames = c.planGroups(p.Groups, p.GroupNames)
	p.Actual = &PlanActual{Score: planScore(c.fleet.Scores().Total(l.groups, w).Mean), Trend: []TrendPoint{}, AsOf: time.Now().UTC()}
	for i := range p.Steps {
		st := &p.Steps[i]
		st.Remaining, st.State = 0, StepDone
		if cause, ok := namedCause(st.ID); ok {
			if r, has := c.reliefOf(l, cause, w); has {
				st.Remaining, st.State = r.Devices, StepProgress
			}
		}
		switch {
		case st.State == StepDone:
			p.Actual.Done++
		case st.Remaining >= st.Exposed:
			st.State = StepOpen
		}
	}
}

// planGroups are the names of device groups as they are now; one that was
// deleted keeps the name that it had when the plan was made, when that is
// known. The caller holds mu for reading.
func (c *core) planGroups(groups []int, was []string) []string {
	out := make([]string, 0, len(groups))
	for i, g := range groups {
		name, ok := c.sorting.names[exposure.Group(g)]
		switch {
		case ok:
		case len(was) == len(groups):
			name = was[i] + deletedGroup // no plan is made for a group that is gone
		default:
			name = "group " + strconv.Itoa(g) + deletedGroup
		}
		out = append(out, name)
	}
	return out
}

// deletedGroup follows the name of a group that is there no more.
const deletedGroup = " (deleted)"

func planList() *list[PlanRow] {
	return &list[PlanRow]{
		text: func(r *PlanRow, has func(string) bool) bool { return has(r.Name) || has(r.CreatedBy) },
		filters: map[string]func(*PlanRow, []string) bool{
			"state": oneOf(func(r *PlanRow) string { return r.State }),
		},
		values: map[string][]string{"state": {StepOpen, StepProgress, StepDone}},
		order: map[string]func(a, b *PlanRow) int{
			"name":      byText(func(r *PlanRow) string { return r.Name }),
			"created":   byTime(func(r *PlanRow) time.Time { return r.CreatedAt }),
			"target":    byNumber(func(r *PlanRow) float64 { return r.Target }),
			"predicted": byNumber(func(r *PlanRow) float64 { return r.Predicted }),
			"actual":    byNumber(func(r *PlanRow) float64 { return r.Actual }),
			"steps":     byNumber(func(r *PlanRow) int { return r.Steps }),
			"devices":   byNumber(func(r *PlanRow) int { return r.Devices }),
			"restarts":  byNumber(func(r *PlanRow) int { return r.Restarts }),
		},
		tie:     func(a, b *PlanRow) int { return len(b.ID) - len(a.ID) + strings.Compare(b.ID, a.ID) },
		initial: []string{"-created"},
	}
}

// Plans lists saved plans within the caller's device groups, with what became of them.
func (s *Server) Plans(ctx context.Context, caller Caller, q Query, where func(*PlanRow) bool) (Page[PlanRow], error) {
	if err := s.need(caller, RecommendationRead); err != nil {
		return Page[PlanRow]{}, err
	}
	saved, err := s.st.Plans(ctx)
	if err != nil {
		return Page[PlanRow]{}, fmt.Errorf("read plans: %w", err)
	}
	var plans []Plan
	for i := range saved {
		p, err := planOf(&saved[i])
		if err != nil {
			return Page[PlanRow]{}, err
		}
		if sees(caller, &p) {
			plans = append(plans, p)
		}
	}
	if err := s.core.readSettled(ctx); err != nil {
		return Page[PlanRow]{}, err
	}
	defer s.core.mu.RUnlock()
	var rows []*PlanRow
	for i := range plans {
		p := &plans[i]
		s.core.measure(p)
		row := &PlanRow{ID: p.ID, Name: p.Name, CreatedAt: p.CreatedAt, CreatedBy: p.CreatedBy, AllDevices: p.AllDevices, Groups: p.Groups, GroupNames: p.GroupNames, Target: p.Goal.Target,
			Before: p.Before.Score, Predicted: p.Predicted.Score, Actual: p.Actual.Score.Score, Steps: len(p.Steps), Done: p.Actual.Done, Devices: p.Devices,
			Restarts: p.Restarts, State: p.state()}
		if where == nil || where(row) {
			rows = append(rows, row)
		}
	}
	return planList().page(q, rows)
}

// state is that of a plan as a whole.
func (p *Plan) state() string {
	switch {
	case p.Actual.Done == len(p.Steps):
		return StepDone
	case slices.ContainsFunc(p.Steps, func(st PlanStep) bool { return st.State != StepOpen }):
		return StepProgress
	}
	return StepOpen
}

func planStepList() *list[PlanStep] {
	return &list[PlanStep]{
		text:    func(r *PlanStep, has func(string) bool) bool { return has(r.Name) || has(r.ID) },
		filters: map[string]func(*PlanStep, []string) bool{"state": oneOf(func(r *PlanStep) string { return r.State })},
		values:  map[string][]string{"state": {StepOpen, StepProgress, StepDone}},
		order: map[string]func(a, b *PlanStep) int{
			"order": byNumber(func(r *PlanStep) int { return r.Order }),
			"name":  byText(func(r *PlanStep) string { return r.Name }),
			"state": byText(func(r *PlanStep) string { return r.State }),
		},
		tie:     func(a, b *PlanStep) int { return strings.Compare(a.ID, b.ID) },
		initial: []string{"order"},
	}
}

// PlanSteps lists the steps of a saved plan.
func (s *Server) PlanSteps(ctx context.Context, caller Caller, id string, q Query) (Page[PlanStep], error) {
	if err := s.need(caller, RecommendationRead); err != nil {
		return Page[PlanStep]{}, err
	}
	p, err := s.Plan(ctx, caller, id)
	if err != nil {
		return Page[PlanStep]{}, err
	}
	rows := make([]*PlanStep, 0, len(p.Steps))
	for i := range p.Steps {
		rows = append(rows, &p.Steps[i])
	}
	return planStepList().page(q, rows)
}

// DeletePlan forgets a saved plan.
func (s *Server) DeletePlan(ctx context.Context, caller Caller, id string) error {
	if err := s.need(caller, RecommendationWrite); err != nil {
		return err
	}
	p, err := s.saved(ctx, caller, id)
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(p.ID, 10, 64)
	if err != nil {
		return err
	}
	audit.Change(ctx, id, map[string]any{"name": p.Name, "steps": len(p.Steps), "made_by": p.CreatedBy}, nil)
	if err := s.st.DeletePlan(ctx, n); errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("plan %q: %w", id, ErrNotFound)
	} else if err != nil {
		return fmt.Errorf("delete plan %q: %w", id, err)
	}
	s.log.InfoContext(ctx, "patch plan deleted", "plan", id, "name", p.Name, "by", caller.Name)
	s.live.publish(LiveEvent{Resource: "plans"})
	return nil
}
