package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/picketsec/picket/internal/exposure"
)

const (
	// planCandidates is how many recommendations a search takes into account:
	// those of the highest impact.
	planCandidates = 500
	// gatherStep is how many devices one step of gathering looks at under the lock.
	gatherStep = 5000
	// planTime is how long one search may take.
	planTime = 100 * time.Second
	// draftLife and mostDrafts bound what is kept of plans that are not saved.
	draftLife  = time.Hour
	mostDrafts = 40
)

// planTypes are the recommendations that a plan takes when none are named:
// those that can be carried out. AttentionRequired has nothing to install.
var planTypes = []string{RemedyUpdate, RemedyUpgrade, RemedyUninstall, RemedyRestart, RemedyConfigure}

// planDesk makes plans, one at a time, and keeps those that nobody saved yet.
type planDesk struct {
	turn chan struct{} // holds one token; who has it may search

	mu       sync.Mutex             // guards what follows
	drafts   []planDraft            // oldest first
	searches map[string]*planSearch // that run, by caller and name

	asking sync.Mutex // held while activities for steps are made: none is made twice
}

// planSearch is how far a search is.
type planSearch struct {
	stage    atomic.Pointer[string]
	done, of atomic.Int64
}

func (p *planSearch) tell(stage string, done, of int) {
	p.stage.Store(&stage)
	p.done.Store(int64(done))
	p.of.Store(int64(of))
}

// watch lets a search be asked about until end is called.
func (d *planDesk) watch(caller Caller, name string) (p *planSearch, end func(), err error) {
	p = &planSearch{}
	p.tell(SearchWaiting, 0, 0)
	if name == "" {
		return p, func() {}, nil
	}
	key := caller.id() + " " + name
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.searches[key] != nil {
		return nil, nil, Invalidf("search", "%q is the name of a search that runs already", name)
	}
	d.searches[key] = p
	return p, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.searches, key)
	}, nil
}

// PlanSearch says how far a search for a plan is that the caller began with
// DraftPlan: one that does not run (yet, or any more) has no stage.
func (s *Server) PlanSearch(_ context.Context, caller Caller, name string) (PlanSearch, error) {
	if err := s.need(caller, RecommendationRead); err != nil {
		return PlanSearch{}, err
	}
	d := s.plans
	d.mu.Lock()
	p := d.searches[caller.id()+" "+name]
	d.mu.Unlock()
	if p == nil {
		return PlanSearch{}, nil
	}
	return PlanSearch{Stage: *p.stage.Load(), Done: int(p.done.Load()), Of: int(p.of.Load())}, nil
}

type planDraft struct {
	plan Plan
	at   time.Time
}

func newPlanDesk() *planDesk {
	d := &planDesk{turn: make(chan struct{}, 1), searches: map[string]*planSearch{}}
	d.turn <- struct{}{}
	return d
}

// keep names a plan and keeps it for a while.
func (d *planDesk) keep(p *Plan, now time.Time) {
	p.Draft = rand.Text()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drafts = append(d.drafts, planDraft{*p, now})
	d.drafts = d.drafts[max(0, len(d.drafts)-mostDrafts):]
}

// find returns a plan that is kept.
func (d *planDesk) find(name string, now time.Time) (Plan, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drafts = slices.DeleteFunc(d.drafts, func(k planDraft) bool { return now.Sub(k.at) > draftLife || k.at.After(now.Add(time.Minute)) })
	for _, k := range d.drafts {
		if k.plan.Draft == name && name != "" {
			return k.plan, true
		}
	}
	return Plan{}, false
}

// targetOf is a target in units: thousandths of points are exact.
func targetOf(points float64) (exposure.Score, error) {
	n := math.Round(points * 1000)
	if !(n >= 0 && n <= 100_000) {
		return 0, Invalidf("target", "must be a score from 0 to 100")
	}
	return exposure.Score(n) * (exposure.ScoreUnit / 1000), nil
}

// check completes a goal and refuses what makes none.
func (g *PlanGoal) check() (exposure.Goal, error) {
	target, err := targetOf(g.Target)
	if err != nil {
		return exposure.Goal{}, err
	}
	g.Target = float64(uint64(target)/(exposure.ScoreUnit/1000)) / 1000
	for _, t := range g.Types {
		if !slices.Contains(remedyWords, t) {
			return exposure.Goal{}, Invalidf("types", "%q is not one of %v", t, remedyWords)
		}
	}
	if len(g.Types) == 0 {
		g.Types = slices.Clone(planTypes)
	}
	if len(g.Exclude) > 10_000 {
		return exposure.Goal{}, Invalidf("exclude", "names more than 10,000 recommendations")
	}
	out := exposure.Goal{Target: target, Restarts: -1, Devices: -1}
	for _, l := range []struct {
		name string
		to   *int
		from *int
	}{{"max_restarts", &out.Restarts, g.MaxRestarts}, {"max_devices", &out.Devices, g.MaxDevices}} {
		if l.from == nil {
			continue
		}
		if *l.from < 0 {
			return exposure.Goal{}, Invalidf(l.name, "must not be negative; leave it out for no limit")
		}
		*l.to = *l.from
	}
	if g.Exclude == nil {
		g.Exclude = []string{}
	}
	if g.Recommendations == nil {
		g.Recommendations = []string{}
	}
	return out, nil
}

// planned is a problem with what its candidates are called.
type planned struct {
	problem    *exposure.Problem
	rows       map[exposure.Cause]*RecommendationRow
	considered int
	available  int
	asOf       time.Time
	groupNames []string
	weights    string // of devices by their value, in words
}

// DraftPlan makes a patch plan for the caller's device groups: the smallest
// set of recommendations that reaches the goal, or exactly those that it
// names. It is kept for an hour, for SavePlan. When ctx ends it gives up.
func (s *Server) DraftPlan(ctx context.Context, caller Caller, g PlanGoal) (Plan, error) {
	if err := s.need(caller, RecommendationRead); err != nil {
		return Plan{}, err
	}
	goal, err := g.check()
	if err != nil {
		return Plan{}, err
	}
	var basket []exposure.Cause
	if len(g.Recommendations) > 0 {
		if basket, err = causes(g.Recommendations); err != nil {
			return Plan{}, err
		}
	}
	watch, end, err := s.plans.watch(caller, g.Search)
	if err != nil {
		return Plan{}, err
	}
	defer end()
	ctx, stop := context.WithTimeout(ctx, planTime)
	defer stop()
	select {
	case <-s.plans.turn:
		defer func() { s.plans.turn <- struct{}{} }()
	case <-ctx.Done():
		return Plan{}, tooLong(ctx)
	}
	x, err := s.core.plan(ctx, caller, &g, basket, watch)
	if err != nil {
		return Plan{}, err
	}
	out := Plan{Goal: g, Version: exposure.ScoreVersion, Weights: x.weights, Scored: x.problem.Devices(), AllDevices: caller.looks().All(), Groups: groupNumbers(caller.looks().Groups()), GroupNames: x.groupNames, Steps: []PlanStep{},
		Considered: x.considered, Available: x.available, CreatedAt: x.asOf, CreatedBy: caller.Name}
	var plan exposure.Plan
	if basket != nil {
		plan = x.problem.Whole(goal.Target)
	} else {
		ok := false
		if plan, ok = x.problem.Solve(goal, func(done, of int) bool { watch.tell(SearchPlans, done, of); return ctx.Err() == nil }); !ok {
			return Plan{}, tooLong(ctx)
		}
		out.Searched, out.Fewest, out.Lowest = true, plan.Fewest, plan.Lowest && out.Considered == out.Available
	}
	out.Before, out.Predicted, out.Reached = planScore(plan.Before), planScore(plan.Best), plan.Reached
	was := plan.Before
	for _, st := range plan.Steps {
		row := x.rows[st.Cause]
		fall := exposure.Mean{Num: was.Num.Minus(st.After.Num), Den: was.Den}
		out.Steps = append(out.Steps, PlanStep{Order: len(out.Steps) + 1, ID: row.ID, Name: row.Name, Type: row.Type, After: planScore(st.After), Fall: fall.Float(), Exposed: row.Exposed,
			Devices: st.Devices, Restarts: st.Restarts, Remaining: row.Exposed, State: StepOpen})
		was, out.Devices, out.Restarts = st.After, st.Devices, st.Restarts
	}
	s.plans.keep(&out, time.Now())
	return out, nil
}

// tooLong is why a search was given up.
func tooLong(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("the search for a plan took more than %d seconds and was ended; allow fewer types or device groups: %w", int(planTime.Seconds()), ErrUnavailable)
	}
	return ctx.Err()
}

func groupNumbers(groups []exposure.Group) []int {
	out := make([]int, 0, len(groups))
	for _, g := range groups {
		out = append(out, int(g))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// plan gathers what a plan is made from, a step at a time: others read and
// change the fleet in between. When that makes the scores stale, it begins again.
func (c *core) plan(ctx context.Context, caller Caller, g *PlanGoal, basket []exposure.Cause, watch *planSearch) (*planned, error) {
	for {
		if err := c.readSettled(ctx); err != nil {
			return nil, err
		}
		x := c.candidates(c.lens(caller), g, basket)
		x.groupNames = c.planGroups(groupNumbers(caller.looks().Groups()), nil)
		for stale, done, read := false, false, 0; !stale; read += gatherStep {
			watch.tell(SearchReading, min(read, len(c.devices)), len(c.devices))
			if done = x.problem.Gather(gatherStep); done {
				c.mu.RUnlock()
				return x, nil
			}
			c.mu.RUnlock()
			if ctx.Err() != nil {
				return nil, tooLong(ctx)
			}
			c.mu.RLock()
			stale = c.fleet.Scores().Stale()
		}
		c.mu.RUnlock()
	}
}

// candidates begins a problem with the recommendations that a goal allows, or
// those of a basket. What is under exceptions as a whole is not searched: it
// was decided not to do it. The caller holds mu for reading.
func (c *core) candidates(l lens, g *PlanGoal, basket []exposure.Cause) *planned {
	x := &planned{rows: map[exposure.Cause]*RecommendationRow{}, asOf: time.Now().UTC(), weights: weighingWords(c.weighting)}
	w := c.weights()
	var list []exposure.Cause
	if basket != nil {
		for _, cause := range basket {
			r, ok := c.reliefOf(l, cause, w)
			if !ok {
				continue
			}
			if row := c.recommendationRow(l, &r); row != nil {
				x.rows[cause] = row
				list = append(list, cause)
			}
		}
		x.available = len(list)
	} else {
		for _, r := range c.fleet.Scores().Reliefs(l.groups, w) {
			row := c.recommendationRow(l, &r)
			if row == nil || row.Status == StatusFull || !slices.Contains(g.Types, row.Type) || slices.Contains(g.Exclude, row.ID) {
				continue
			}
			if x.available++; len(list) < planCandidates {
				x.rows[r.Cause()] = row
				list = append(list, r.Cause())
			}
		}
	}
	x.considered = len(list)
	x.problem = c.fleet.Scores().NewProblem(list, l.groups, w)
	return x
}
