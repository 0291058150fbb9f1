package server

import (
	"context"
	"errors"
	"math/big"
	"path/filepath"
	"strings"
	"testing"

	"github.com/picketsec/picket/internal/exposure"
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
		if err := tt(Caller{Permissions: []string{ScoreRead}}); !errors.Is(err, ErrDenied) {
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
