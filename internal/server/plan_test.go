package server

import (
	"context"
	"errors"
	"math/big"
	"path/filepath"
	"strings"
	"testing"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/group"
)

// planWorld is two devices with three products to update.
func planWorld(t *testing.T, s *Server) (one, two *report) {
	t.Helper()
	load(t, s, "tracker.json",
		"openssl CVE-2024-0001 resolved 3.0.15-1~deb12u1", "openssl CVE-2024-0002 resolved 3.0.14-1~deb12u1", "openssl CVE-2024-0003 open",
		"curl CVE-2024-0004 resolved 7.88.1-10+deb12u8", "expat CVE-2024-0005 resolved 2.5.0-1+deb12u1")
	one, two = newReport(s, enrol(t, s, "one")), newReport(s, enrol(t, s, "two"))
	one.send(t, "openssl 3.0.11-1~deb12u1", "libssl3 3.0.11-1~deb12u1 openssl", "curl 7.88.1-10+deb12u5", "expat 2.5.0-1")
	two.send(t, "openssl 3.0.14-1~deb12u1", "expat 2.5.0-1")
	return one, two
}

const (
	doOpenssl = "va-_-debian-_-openssl"
	doCurl    = "va-_-debian-_-curl"
	doExpat   = "va-_-debian-_-expat"
)

// What-if is what the score is afterwards, to the unit; a plan's steps are
// what-if's; a saved plan says what became of it, also after a restart.
func TestPlansComeTrue(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	one, two := planWorld(t, s)
	if err := s.SetDeviceValue(t.Context(), admin, string(two.id), "Low"); err != nil {
		t.Fatal(err)
	}
	before := scoreNow(t, s)
	w, err := s.WhatIf(t.Context(), admin, []string{doOpenssl, doCurl, "va-_-debian-_-nothing"})
	if err != nil {
		t.Fatal(err)
	}
	if w.Before.Num != before.Num || w.Findings != 4 || w.Weaknesses != 3 || w.Cleared != 3 || w.Devices != 2 || w.Restarts != (RestartCount{Unknown: 2}) {
		t.Errorf("what-if %+v, want 4 findings of 3 weaknesses on 2 devices", w)
	}
	if len(w.Items) != 3 || !w.Items[0].Open || w.Items[0].Name != "Update openssl" || w.Items[0].Devices != 2 || w.Items[2].Open || w.Impact <= w.Separate {
		t.Errorf("items %+v: together %v, alone %v", w.Items, w.Impact, w.Separate)
	}

	draft, err := s.DraftPlan(t.Context(), admin, PlanGoal{Target: w.After.Score + 0.01})
	if err != nil {
		t.Fatal(err)
	}
	if !draft.Reached || !draft.Lowest || draft.Fewest != len(draft.Steps) || draft.Version != exposure.ScoreVersion || !draft.AllDevices {
		t.Errorf("draft %+v", draft)
	}
	basket, err := s.DraftPlan(t.Context(), admin, PlanGoal{Target: 1, Recommendations: []string{doCurl, doOpenssl}})
	if err != nil || len(basket.Steps) != 2 || basket.Predicted.Num != w.After.Num || basket.Reached || basket.Searched || basket.Devices != 2 {
		t.Fatalf("plan of the basket %+v, %v, want the what-if's %s", basket, err, w.After.Num)
	}
	plan, err := s.SavePlan(t.Context(), admin, basket.Draft, " spring ")
	if err != nil || plan.ID == "" || plan.Name != "spring" || plan.Actual.Done != 0 || plan.Actual.Score.Num != before.Num || plan.Steps[0].State != StepOpen {
		t.Fatalf("saved %+v, %v", plan, err)
	}

	one.send(t, "openssl 3.0.15-1~deb12u1", "libssl3 3.0.15-1~deb12u1 openssl", "curl 7.88.1-10+deb12u5", "expat 2.5.0-1")
	half, err := s.Plan(t.Context(), admin, plan.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range half.Steps {
		if want := map[string]string{doOpenssl: StepProgress, doCurl: StepOpen}[st.ID]; st.State != want {
			t.Errorf("step %s is %s with %d devices left, want %s", st.ID, st.State, st.Remaining, want)
		}
	}
	one.send(t, "openssl 3.0.15-1~deb12u1", "libssl3 3.0.15-1~deb12u1 openssl", "curl 7.88.1-10+deb12u8", "expat 2.5.0-1")
	two.send(t, "openssl 3.0.15-1~deb12u1", "expat 2.5.0-1")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir)
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	done, err := s.Plan(t.Context(), admin, plan.ID)
	if err != nil {
		t.Fatal(err)
	}
	if done.Actual.Done != 2 || done.Actual.Score != done.Predicted || done.Predicted.Num != w.After.Num || done.Before.Num != before.Num {
		t.Errorf("after all steps the score is %+v, predicted %+v, %d steps done", done.Actual.Score, done.Predicted, done.Actual.Done)
	}
	if tr := done.Actual.Trend; len(tr) < 2 || tr[0].Score != before.Score || tr[len(tr)-1].Score != done.Actual.Score.Score {
		t.Errorf("trend %+v", tr)
	}
	rows, err := s.Plans(t.Context(), admin, Query{Filter: map[string][]string{"state": {StepDone}}}, nil)
	if err != nil || rows.Total != 1 || rows.Items[0].Actual != rows.Items[0].Predicted || rows.Items[0].Done != 2 {
		t.Errorf("plans that are done: %+v, %v", rows, err)
	}
	if err := s.DeletePlan(t.Context(), admin, plan.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Plan(t.Context(), admin, plan.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("a deleted plan: %v", err)
	}
}

// Plans and what-if are about the device groups that are asked for, and a plan
// about others is not there.
func TestPlansStayInTheirGroups(t *testing.T) {
	s := testServer(t)
	one, two := planWorld(t, s)
	move(t, s, one, 1)
	move(t, s, two, 2)
	in := func(g ...exposure.Group) Caller {
		return Caller{Name: "test", Admin: true, Groups: append([]exposure.Group{}, g...)} // never nil: that is all
	}
	w, err := s.WhatIf(t.Context(), in(2), []string{doOpenssl, doCurl})
	if err != nil || w.Devices != 1 || w.Findings != 1 || w.Before.Devices != 1 || w.Items[1].Open {
		t.Errorf("what-if in group 2: %+v, %v", w, err)
	}
	p, err := s.DraftPlan(t.Context(), in(2), PlanGoal{Target: 0.001, Types: []string{RemedyUpdate}})
	if err != nil || p.Scored != 1 || p.AllDevices || p.Available != 2 || p.Before.Num != w.Before.Num {
		t.Fatalf("draft in group 2: %+v, %v", p, err)
	}
	if _, err := s.SavePlan(t.Context(), in(1), p.Draft, "x"); !errors.Is(err, ErrNotFound) {
		t.Errorf("group 1 saves a draft of group 2: %v", err)
	}
	if p, err = s.DraftPlan(t.Context(), in(2), PlanGoal{Target: 1, Recommendations: []string{doOpenssl}}); err != nil {
		t.Fatal(err)
	}
	saved, err := s.SavePlan(t.Context(), in(2, 3), p.Draft, "x")
	if err != nil {
		t.Fatal(err)
	}
	one.send(t) // what happens in other groups is nothing to it
	for _, tt := range []struct {
		caller Caller
		sees   bool
	}{{admin, true}, {in(2), true}, {in(1, 2), true}, {in(1), false}, {in(), false}} {
		list, err := s.Plans(t.Context(), tt.caller, Query{}, nil)
		if err != nil || list.Total == 1 != tt.sees {
			t.Errorf("groups %v list %d plans, %v", tt.caller.Groups, list.Total, err)
		}
		got, err := s.Plan(t.Context(), tt.caller, saved.ID)
		if tt.sees && (err != nil || got.Actual.Score.Num != w.Before.Num) || !tt.sees && !errors.Is(err, ErrNotFound) {
			t.Errorf("groups %v see %+v, %v", tt.caller.Groups, got.Actual, err)
		}
	}
	if err := s.DeletePlan(t.Context(), in(1), saved.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("group 1 deletes a plan of group 2: %v", err)
	}
}

// What a goal allows is all that a plan takes; what cannot be reached is said so.
func TestPlansKeepToTheirGoal(t *testing.T) {
	s := testServer(t)
	planWorld(t, s)
	n := func(i int) *int { return &i }
	all, err := s.DraftPlan(t.Context(), admin, PlanGoal{Target: 0, Types: []string{RemedyUpdate}})
	if err != nil || all.Reached || len(all.Steps) != 0 || !all.Lowest {
		t.Fatalf("a score below 0: %+v, %v", all, err)
	}
	w, err := s.WhatIf(t.Context(), admin, []string{doOpenssl, doCurl, doExpat})
	if err != nil || all.Predicted.Num != w.After.Num {
		t.Errorf("the lowest score is said to be %s, is %s, %v", all.Predicted.Num, w.After.Num, err)
	}
	for _, tt := range []struct {
		name  string
		goal  PlanGoal
		steps string
	}{
		{"everything", PlanGoal{Target: w.After.Score + 0.001, Types: []string{RemedyUpdate}}, doCurl + " " + doExpat + " " + doOpenssl},
		{"not openssl", PlanGoal{Target: 0.5, Types: []string{RemedyUpdate}, Exclude: []string{doOpenssl}, MaxDevices: n(5)}, ""},
		{"one device", PlanGoal{Target: 0.5, Types: []string{RemedyUpdate}, MaxDevices: n(1)}, doCurl},
		{"no device", PlanGoal{Target: 0.5, MaxDevices: n(0)}, ""},
		{"no restart", PlanGoal{Target: w.After.Score + 0.001, Types: []string{RemedyUpdate}, MaxRestarts: n(0)}, doCurl + " " + doExpat + " " + doOpenssl},
		{"restarts alone", PlanGoal{Target: 0.5, Types: []string{RemedyRestart}}, ""},
	} {
		p, err := s.DraftPlan(t.Context(), admin, tt.goal)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		for _, id := range strings.Fields(tt.steps) {
			found := false
			for _, st := range p.Steps {
				found = found || st.ID == id
			}
			if !found {
				t.Errorf("%s: %s is missing in %+v", tt.name, id, p.Steps)
			}
		}
		if len(p.Steps) != len(strings.Fields(tt.steps)) || tt.goal.MaxDevices != nil && p.Devices > *tt.goal.MaxDevices {
			t.Errorf("%s: %d steps on %d devices", tt.name, len(p.Steps), p.Devices)
		}
		last := p.Before
		for _, st := range p.Steps {
			if number(t, st.After.Num).Cmp(number(t, last.Num)) >= 0 || st.Fall <= 0 {
				t.Errorf("%s: step %s does not lower the score", tt.name, st.ID)
			}
			last = st.After
		}
		if len(p.Steps) > 0 && last != p.Predicted {
			t.Errorf("%s: ends at %+v, predicted %+v", tt.name, last, p.Predicted)
		}
	}
	for name, g := range map[string]PlanGoal{"target": {Target: -1}, "above": {Target: 101}, "types": {Types: []string{"Pray"}}, "restarts": {MaxRestarts: n(-1)},
		"id": {Recommendations: []string{"nonsense"}}, "twice": {Recommendations: []string{doCurl, doCurl}}, "check": {Recommendations: []string{"sca-_-scid-0"}}} {
		if _, err := s.DraftPlan(t.Context(), admin, g); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v, want a refusal", name, err)
		}
	}
	if _, err := s.WhatIf(t.Context(), admin, nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("what-if of nothing: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.DraftPlan(ctx, admin, PlanGoal{Target: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	if _, err := s.DraftPlan(t.Context(), admin, PlanGoal{Target: 1}); err != nil {
		t.Errorf("after one was given up: %v", err)
	}
	if _, err := s.SavePlan(t.Context(), admin, all.Draft, "nothing"); !errors.Is(err, ErrInvalid) {
		t.Errorf("a plan without steps is saved: %v", err)
	}
	for _, tt := range []func(Caller) error{
		func(c Caller) error { _, err := s.WhatIf(t.Context(), c, []string{doCurl}); return err },
		func(c Caller) error { _, err := s.DraftPlan(t.Context(), c, PlanGoal{}); return err },
		func(c Caller) error { _, err := s.SavePlan(t.Context(), c, all.Draft, "x"); return err },
		func(c Caller) error { _, err := s.Plan(t.Context(), c, "1"); return err },
		func(c Caller) error { return s.DeletePlan(t.Context(), c, "1") },
	} {
		if err := tt(Caller{Permissions: []string{ScoreRead}, Scope: exposure.Everywhere()}); !errors.Is(err, ErrDenied) {
			t.Errorf("without the permission: %v", err)
		}
	}
}

// A target's thousandths are exact.
func TestTargetOf(t *testing.T) {
	t.Parallel()
	for in, want := range map[float64]string{30: "30000000000000000", 0.1: "100000000000000", 29.999: "29999000000000000", 100: "100000000000000000"} {
		if got, err := targetOf(in); err != nil || new(big.Int).SetUint64(uint64(got)).String() != want {
			t.Errorf("target %v is %d, %v", in, got, err)
		}
	}
}

// savedPlan saves the plan of some recommendations.
func savedPlan(t *testing.T, s *Server, caller Caller, steps ...string) Plan {
	t.Helper()
	d, err := s.DraftPlan(t.Context(), caller, PlanGoal{Target: 1, Recommendations: steps})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.SavePlan(t.Context(), caller, d.Draft, "spring")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Remediation of a plan makes one activity for each step, all or none, once;
// steps say what became of theirs, activities which plan they are of.
func TestRemediationOfAPlan(t *testing.T) {
	s := testServer(t)
	one, two := planWorld(t, s)
	p := savedPlan(t, s, admin, doOpenssl, doCurl, doExpat)
	one.send(t, "openssl 3.0.11-1~deb12u1", "libssl3 3.0.11-1~deb12u1 openssl", "curl 7.88.1-10+deb12u8", "expat 2.5.0-1")
	form, err := s.PlanRemediation(t.Context(), admin, p.ID)
	if err != nil || len(form.Steps) != 3 || len(form.GroupNames) != 0 {
		t.Fatalf("form %+v, %v", form, err)
	}
	for _, st := range form.Steps {
		if want := map[string]int{doOpenssl: 2, doCurl: 0, doExpat: 2}[st.ID]; st.Exposed != want || st.Active != 0 || st.Asked {
			t.Errorf("form offers %+v, want %d exposed devices", st, want)
		}
	}
	count := func() int {
		page, err := s.Remediations(t.Context(), admin, Query{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return page.Total
	}
	good := PlanRequest{Steps: []string{doOpenssl, doExpat}, Priority: "High", Due: "2199-01-31", Notes: "please"}
	for name, c := range map[string]struct {
		change func(*PlanRequest)
		want   error
	}{
		"a step that is done":   {func(r *PlanRequest) { r.Steps = append([]string{doOpenssl}, doCurl) }, ErrConflict},
		"a step of no plan":     {func(r *PlanRequest) { r.Steps = append([]string{doOpenssl}, "va-_-debian-_-nginx") }, ErrInvalid},
		"a step that is twice":  {func(r *PlanRequest) { r.Steps = []string{doOpenssl, doOpenssl} }, ErrInvalid},
		"no step":               {func(r *PlanRequest) { r.Steps = nil }, ErrInvalid},
		"no priority":           {func(r *PlanRequest) { r.Priority = "" }, ErrInvalid},
		"a destination too few": {func(r *PlanRequest) { r.Destinations = []string{"x"} }, ErrInvalid},
	} {
		in := good
		c.change(&in)
		if _, err := s.RemediatePlan(t.Context(), admin, p.ID, in); !errors.Is(err, c.want) || count() != 0 {
			t.Errorf("%s: %v and %d activities, want %v and none", name, err, count(), c.want)
		}
	}
	for _, perm := range []string{RecommendationRead, RemediationWrite} {
		if _, err := s.RemediatePlan(t.Context(), Caller{Permissions: []string{perm}, Scope: exposure.Everywhere()}, p.ID, good); !errors.Is(err, ErrDenied) {
			t.Errorf("request with %s alone: %v, want a refusal", perm, err)
		}
	}
	if p, err = s.RemediatePlan(t.Context(), admin, p.ID, good); err != nil || count() != 2 {
		t.Fatalf("request: %v, %d activities", err, count())
	}
	for _, st := range p.Steps {
		if (st.Activity != "") != (st.ID != doCurl) || st.Activity != "" && st.ActivityStatus != RemediationActive {
			t.Errorf("step %+v after the request", st)
		}
		if st.Activity != "" {
			if r := remediationNow(t, s, st.Activity); r.Recommendation != st.ID || r.Due != good.Due || r.Priority != "High" || r.Progress.Targets != 2 || r.Plan == nil || *r.Plan != (PlanRef{p.ID, "spring"}) {
				t.Errorf("activity of %s is %+v", st.ID, r)
			}
		}
	}
	if _, err := s.RemediatePlan(t.Context(), admin, p.ID, PlanRequest{Steps: []string{doExpat}, Priority: "Low"}); !errors.Is(err, ErrConflict) || count() != 2 {
		t.Errorf("the same request again: %v and %d activities, want a conflict and 2", err, count())
	}
	two.send(t, "openssl 3.0.14-1~deb12u1", "expat 2.5.0-1+deb12u1")
	one.send(t, "openssl 3.0.11-1~deb12u1", "libssl3 3.0.11-1~deb12u1 openssl", "curl 7.88.1-10+deb12u8", "expat 2.5.0-1+deb12u1")
	s.follow(t.Context(), &touchedDevices{all: true})
	if p, err = s.Plan(t.Context(), admin, p.ID); err != nil || p.Actual.Done != 2 {
		t.Fatalf("plan %+v, %v", p, err)
	}
	for _, st := range p.Steps {
		if st.ID == doExpat && (st.State != StepDone || st.ActivityStatus != RemediationCompleted) {
			t.Errorf("step %+v, want it done and its activity completed", st)
		}
	}
	if q, err := s.Plan(t.Context(), Caller{Permissions: []string{RecommendationRead}, Scope: exposure.Everywhere()}, p.ID); err != nil || q.Steps[0].Activity != "" {
		t.Errorf("activities are told without the permission: %+v, %v", q.Steps, err)
	}
	id := p.Steps[0].Activity
	if err := s.DeletePlan(t.Context(), admin, p.ID); err != nil {
		t.Fatal(err)
	}
	if r := remediationNow(t, s, id); r.Plan == nil || *r.Plan != (PlanRef{"", "spring"}) {
		t.Errorf("activity of a plan that was deleted: %+v", r.Plan)
	}
}

// A plan of some device groups is requested for their devices, under the names
// of the groups; a group that is deleted keeps the name that it had.
func TestPlansNameTheirGroups(t *testing.T) {
	s := testServer(t)
	one, _ := planWorld(t, s)
	mustTag(t, s, one.id, []string{"web"}, nil)
	g := mustGroup(t, s, 0, "Web servers", on(group.Tag, group.Equals, "web"))
	in := admin
	in.Groups = []exposure.Group{g}
	p := savedPlan(t, s, in, doExpat)
	if _, err := s.RemediatePlan(t.Context(), Caller{Name: "test", Admin: true, Groups: []exposure.Group{0}}, p.ID, PlanRequest{Steps: []string{doExpat}, Priority: "Low"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("a plan of other groups: %v, want not found", err)
	}
	p, err := s.RemediatePlan(t.Context(), admin, p.ID, PlanRequest{Steps: []string{doExpat}, Priority: "Low"})
	if err != nil {
		t.Fatal(err)
	}
	if r := remediationNow(t, s, p.Steps[0].Activity); r.Progress.Targets != 1 || len(r.Groups) != 1 || r.Groups[0] != "Web servers" {
		t.Errorf("activity %+v, want one target in Web servers", r.RemediationRow)
	}
	names := func(want string) {
		t.Helper()
		p, err := s.Plan(t.Context(), admin, p.ID)
		rows, listErr := s.Plans(t.Context(), admin, Query{}, nil)
		form, formErr := s.PlanRemediation(t.Context(), admin, p.ID)
		if err := errors.Join(err, listErr, formErr); err != nil {
			t.Fatal(err)
		}
		for _, got := range [][]string{p.GroupNames, rows.Items[0].GroupNames, form.GroupNames} {
			if len(got) != 1 || got[0] != want {
				t.Errorf("groups of the plan are %q, want %q", got, want)
			}
		}
	}
	names("Web servers")
	mustGroup(t, s, g, "Web", on(group.Tag, group.Equals, "web"))
	names("Web")
	if err := s.DeleteDeviceGroup(t.Context(), admin, g); err != nil {
		t.Fatal(err)
	}
	names("Web servers (deleted)")
	if _, err := s.CompleteRemediation(t.Context(), admin, p.Steps[0].Activity, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := s.RemediatePlan(t.Context(), admin, p.ID, PlanRequest{Steps: []string{doExpat}, Priority: "Low"}); !errors.Is(err, ErrConflict) {
		t.Errorf("a plan whose group is gone asks other devices: %v, want a conflict", err)
	}
	if _, err := s.RemediatePlan(t.Context(), admin, savedPlan(t, s, admin, doExpat).ID, PlanRequest{Steps: []string{doExpat}, Priority: "Low"}); err != nil {
		t.Errorf("the same step of another plan: %v", err)
	}
}

// Who waits for a plan is told how far the search is, and nobody else.
func TestPlanSearchTellsHowFarItIs(t *testing.T) {
	s := testServer(t)
	planWorld(t, s)
	<-s.plans.turn // somebody else searches
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := s.DraftPlan(ctx, admin, PlanGoal{Target: 1, Search: "mine"})
		done <- err
	}()
	within(t, "the search is known", func() bool {
		p, err := s.PlanSearch(t.Context(), admin, "mine")
		return err == nil && p.Stage == SearchWaiting
	})
	if p, err := s.PlanSearch(t.Context(), Caller{UserID: 7, Admin: true}, "mine"); err != nil || p != (PlanSearch{}) {
		t.Errorf("the search of somebody else: %+v, %v, want nothing", p, err)
	}
	if _, err := s.DraftPlan(t.Context(), admin, PlanGoal{Target: 1, Search: "mine"}); !errors.Is(err, ErrInvalid) {
		t.Errorf("a second search of the same name: %v", err)
	}
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("a search that was cancelled: %v", err)
	}
	if p, err := s.PlanSearch(t.Context(), admin, "mine"); err != nil || p != (PlanSearch{}) {
		t.Errorf("a search that ended: %+v, %v, want nothing", p, err)
	}
	s.plans.turn <- struct{}{}
	watch, end, err := s.plans.watch(admin, "again")
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	x, err := s.core.plan(t.Context(), admin, &PlanGoal{Types: planTypes}, nil, watch)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := s.PlanSearch(t.Context(), admin, "again"); err != nil || p.Stage != SearchReading || p.Of < 2 {
		t.Errorf("while the fleet is read: %+v, %v", p, err)
	}
	if x.problem.Devices() != 2 {
		t.Errorf("%d devices gathered", x.problem.Devices())
	}
}
