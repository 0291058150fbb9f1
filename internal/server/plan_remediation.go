package server

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/audit"
)

// mayRemediate refuses callers that may not see plans or not ask for
// remediation, and finds the plan.
func (s *Server) mayRemediate(ctx context.Context, caller Caller, id string) (Plan, error) {
	if err := errors.Join(s.need(caller, RecommendationRead), s.need(caller, RemediationWrite)); err != nil {
		return Plan{}, err
	}
	return s.saved(ctx, caller, id)
}

// PlanRemediation is what the form to request remediation of a saved plan offers.
func (s *Server) PlanRemediation(ctx context.Context, caller Caller, id string) (PlanForm, error) {
	p, err := s.mayRemediate(ctx, caller, id)
	if err != nil {
		return PlanForm{}, err
	}
	f := PlanForm{Steps: []PlanFormStep{}}
	if f.Destinations, err = s.formDestinations(ctx); err != nil {
		return PlanForm{}, err
	}
	if err := s.core.readSettled(ctx); err != nil {
		return PlanForm{}, err
	}
	c := s.core
	defer c.mu.RUnlock()
	f.GroupNames = c.planGroups(p.Groups, p.GroupNames)
	l := c.lensOf(p.scope())
	for i := range p.Steps {
		st := &p.Steps[i]
		step := PlanFormStep{ID: st.ID, Name: st.Name, Type: st.Type, Active: c.remediations.active(l, st.ID), Asked: c.remediations.asked(p.ID, st.ID)}
		if row, _, err := c.recommendation(l, st.ID); err == nil {
			step.Name, step.Type = row.Name, row.Type
			step.Exposed = l.count(roaring.And(c.causeOf(row.ID, row.Ecosystem, false).there, c.active()))
		}
		f.Steps = append(f.Steps, step)
	}
	return f, nil
}

// RemediatePlan requests remediation of steps of a saved plan: an activity for
// each, on the devices of the plan that are exposed now, all of them or none.
// A step whose activity from this plan is still under way is ErrConflict, so
// that a request which is sent again makes nothing twice.
func (s *Server) RemediatePlan(ctx context.Context, caller Caller, id string, in PlanRequest) (Plan, error) {
	p, err := s.mayRemediate(ctx, caller, id)
	if err != nil {
		return Plan{}, err
	}
	if len(in.Steps) == 0 {
		return Plan{}, Invalidf("steps", "must name at least one step of the plan")
	}
	if err := s.checkDestinations(ctx, in.Destinations); err != nil {
		return Plan{}, err
	}
	s.plans.asking.Lock()
	defer s.plans.asking.Unlock()
	scoped := caller
	scoped.Groups = p.scope().Groups() // within what the caller looks at: saved saw to that
	req := RemediationRequest{Priority: in.Priority, Notes: in.Notes, Groups: s.groupsLeft(&p)}
	seen := map[string]bool{}
	var list []*activity
	for _, step := range in.Steps {
		i := slices.IndexFunc(p.Steps, func(st PlanStep) bool { return st.ID == step })
		if i < 0 || seen[step] {
			return Plan{}, Invalidf("steps", "%q is not a step of the plan, or is named twice", step)
		}
		seen[step] = true
		if s.core.remediations.asked(p.ID, step) {
			return Plan{}, fmt.Errorf("%q was requested with this plan already and is under way; nothing was requested: %w", p.Steps[i].Name, ErrConflict)
		}
		a, err := s.stepActivity(ctx, scoped, req, &p.Steps[i], in.Due)
		if err != nil {
			return Plan{}, err
		}
		a.spec.Plan, a.spec.PlanName = p.ID, p.Name
		list = append(list, a)
	}
	audit.Change(ctx, id, nil, map[string]any{"plan": p.Name, "steps": in.Steps, "priority": in.Priority, "due": in.Due})
	if err := s.saveRequests(ctx, list, in.Destinations); err != nil {
		return Plan{}, err
	}
	return s.measured(ctx, caller, p)
}

// stepActivity makes the activity of one step, of the type that its
// recommendation has now.
func (s *Server) stepActivity(ctx context.Context, caller Caller, req RemediationRequest, st *PlanStep, due string) (*activity, error) {
	rec, err := s.recommendationFor(ctx, caller, st.ID)
	if errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("no device of the plan needs %q any more; nothing was requested: %w", st.Name, ErrConflict)
	}
	if err != nil {
		return nil, err
	}
	req.Recommendation, req.Type = st.ID, rec.Type
	if rec.Type != RemedyAttention {
		req.Due = due
	}
	return s.newActivity(ctx, caller, req)
}

// groupsLeft are the device groups of a plan that are still there.
func (s *Server) groupsLeft(p *Plan) (out []uint32) {
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	for _, g := range p.scope().Groups() {
		if _, ok := s.core.sorting.names[g]; ok || g == 0 {
			out = append(out, uint32(g))
		}
	}
	return out
}

// asked reports whether an activity for a step of a plan is under way.
func (b *remediationBook) asked(plan, recommendation string) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.ContainsFunc(b.open[recommendation], func(a *activity) bool { return a.spec.Plan == plan })
}

// stepActivities notes at each step of a saved plan the last activity that was
// requested with it. The caller holds mu for reading.
func (c *core) stepActivities(p *Plan) {
	l := c.lensOf(p.scope())
	last := map[string]*activity{}
	for _, a := range c.remediations.all() {
		if a.spec.Plan == p.ID && l.has(a.targets) {
			last[a.Recommendation] = a
		}
	}
	for i := range p.Steps {
		if a := last[p.Steps[i].ID]; a != nil {
			p.Steps[i].Activity, p.Steps[i].ActivityStatus = a.ID, a.Status
		}
	}
}
