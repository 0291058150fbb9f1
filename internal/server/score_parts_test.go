package server

import (
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/group"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/posture"
	"github.com/picketsec/picket/internal/store"
)

// pages reads a list to its end, n rows at a time.
func pages[T any](t *testing.T, n int, read func(q Query) (Page[T], error)) []T {
	t.Helper()
	var out []T
	for {
		p, err := read(Query{Offset: len(out), Limit: n})
		if err != nil {
			t.Fatal(err)
		}
		if out = append(out, p.Items...); len(p.Items) == 0 {
			if len(out) != p.Total {
				t.Fatalf("%d rows of %d", len(out), p.Total)
			}
			return out
		}
	}
}

// wantSum holds that decimal numbers add up to one.
func wantSum[T any](t *testing.T, what, want string, rows []T, of func(*T) string) {
	t.Helper()
	sum := new(big.Int)
	for i := range rows {
		sum.Add(sum, number(t, of(&rows[i])))
	}
	if sum.String() != want {
		t.Errorf("%s add up to %v, want %s", what, sum, want)
	}
}

// opens holds that the score of what a caller looks at opens into device groups,
// devices and terms that add up to it, to the unit; it returns its devices.
func opens(t *testing.T, s *Server, when string, c Caller) []ScoreDevicePart {
	t.Helper()
	whole, err := s.ExposureScore(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	groups := pages(t, 2, func(q Query) (Page[ScoreGroupPart], error) { return s.ScoreGroups(t.Context(), c, q) })
	wantSum(t, when+": device groups", whole.Num, groups, func(r *ScoreGroupPart) string { return r.Num })
	devices := pages(t, 4, func(q Query) (Page[ScoreDevicePart], error) { return s.ScoreDevices(t.Context(), c, q) })
	wantSum(t, when+": devices", whole.Num, devices, func(r *ScoreDevicePart) string { return r.Num })
	if len(devices) != whole.Devices || !slices.IsSortedFunc(devices, func(a, b ScoreDevicePart) int { return number(t, b.Num).Cmp(number(t, a.Num)) }) {
		t.Errorf("%s: %d devices of %d, or not in the order of their shares", when, len(devices), whole.Devices)
	}
	counted, weight := 0, 0.0
	for _, g := range groups {
		counted += g.Devices
		weight += g.Weight
		of := Query{Filter: map[string][]string{"device_group": {fmt.Sprint(g.ID)}}}
		p, err := s.ScoreDevices(t.Context(), c, of)
		if err != nil || p.Total != g.Devices || g.Den != whole.Den {
			t.Errorf("%s: %d devices of group %+v, %v", when, p.Total, g, err)
		}
		wantSum(t, when+": devices of "+g.Name, g.Num, p.Items, func(r *ScoreDevicePart) string { return r.Num })
	}
	if counted != whole.Devices || weight*exposure.Fortieths != float64(whole.Den) {
		t.Errorf("%s: groups have %d devices of weight %v, want %d of %d fortieths", when, counted, weight, whole.Devices, whole.Den)
	}
	for _, d := range devices {
		own := number(t, d.Units)
		if own.Mul(own, big.NewInt(int64(d.Weight*exposure.Fortieths))); own.String() != d.Num || d.Den != whole.Den {
			t.Errorf("%s: %+v is not its score times its weight", when, d)
		}
		score, err := s.DeviceScore(t.Context(), c, string(d.ID))
		if err != nil || score.Units != d.Units || score.Weight != d.Weight {
			t.Errorf("%s: device %+v, %v, in the list %+v", when, score, err, d)
		}
		terms := pages(t, 3, func(q Query) (Page[ScoreTerm], error) { return s.DeviceScoreTerms(t.Context(), c, string(d.ID), q) })
		wantSum(t, when+": terms of "+d.Name, d.Units, terms, func(r *ScoreTerm) string { return r.Units })
		points := uint64(0)
		for _, term := range terms {
			points += term.Points
		}
		if points != score.Points || len(terms) != score.TermCount {
			t.Errorf("%s: %d terms of %d points, want %d of %d", when, len(terms), points, score.TermCount, score.Points)
		}
	}
	return devices
}

// Every score opens into terms that add up to it exactly, down to the findings of
// each device, whatever happens to devices, groups and weights; and somebody who
// sees one group is told of that group alone.
func TestEveryScoreOpens(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker.json", "openssl CVE-2024-0001 resolved 3.0.15-1~deb12u1", "openssl CVE-2024-0002 open", "curl CVE-2024-0004 resolved 7.88.1-10+deb12u8")
	r := rand.New(rand.NewPCG(7, 7))
	var all []*report
	for i := range 7 {
		d := newReport(s, enrol(t, s, fmt.Sprint("host", i)))
		d.os = inventory.OS{ID: "debian", VersionID: "12", Codename: "bookworm", PrettyName: "Debian GNU/Linux 12 (bookworm)", Family: "linux", Arch: "amd64", Hostname: fmt.Sprint("host", i)}
		d.send(t)
		all = append(all, d)
	}
	versions := [][]string{{"openssl 3.0.11-1~deb12u1"}, {"openssl 3.0.15-1~deb12u1"}, {"openssl 3.0.11-1~deb12u1", "curl 7.88.1-10+deb12u5"}, {"curl 7.88.1-10+deb12u5"}}
	a := mustGroup(t, s, 0, "A", on(group.Tag, group.Equals, "a"))
	b := mustGroup(t, s, 0, "B", on(group.Tag, group.Equals, "b"))
	weights := []DeviceWeights{{Low: 0.75, Normal: 1}, {Low: 0.025, Normal: 0.5, High: 10}, {Low: 1, Normal: 1, High: 1}, {Low: 0.1, Normal: 0.3}}
	for step := range 25 {
		d := all[r.IntN(len(all))]
		switch r.IntN(5) {
		case 0, 1:
			d.send(t, versions[r.IntN(len(versions))]...)
		case 2:
			tag := []string{"a", "b"}[r.IntN(2)]
			mustTag(t, s, d.id, []string{tag}, []string{map[string]string{"a": "b", "b": "a"}[tag]})
		case 3:
			if err := s.SetDeviceValue(t.Context(), admin, string(d.id), []string{"Low", "Normal", "High"}[r.IntN(3)]); err != nil {
				t.Fatal(err)
			}
		case 4:
			if _, err := s.SetDeviceWeights(t.Context(), admin, weights[r.IntN(len(weights))]); err != nil {
				t.Fatal(err)
			}
		}
		when := fmt.Sprint("step ", step)
		devices := opens(t, s, when, admin)
		chosen := admin
		chosen.Groups = []exposure.Group{a, 0}
		opens(t, s, when+", a selection", chosen)
		one := Caller{Permissions: []string{ScoreRead, MachineRead}, Scope: exposure.Within(b)}
		for _, d := range opens(t, s, when+", one group seen", one) {
			if d.GroupID != b {
				t.Errorf("%s: a device of another group is told of: %+v", when, d)
			}
		}
		for _, d := range devices {
			if _, err := s.DeviceScoreTerms(t.Context(), one, string(d.ID), Query{}); (err == nil) != (d.GroupID == b) || err != nil && !errors.Is(err, ErrNotFound) {
				t.Errorf("%s: terms of a device in group %d for somebody who sees group %d: %v", when, d.GroupID, b, err)
			}
		}
	}
	if _, err := s.ScoreDevices(t.Context(), Caller{Permissions: []string{MachineRead}, Scope: exposure.Everywhere()}, Query{}); !errors.Is(err, ErrDenied) {
		t.Errorf("devices for who may not read scores: %v", err)
	}
	p, err := s.ScoreDevices(t.Context(), admin, Query{Text: "HOST3"})
	if err != nil || p.Total != 1 || p.Items[0].Name != "host3" {
		t.Errorf("looking for a device: %+v, %v", p, err)
	}
}

// Terms have no cap: those that the score of a device has no room for are in the list of all.
func TestAllTermsOfADevice(t *testing.T) {
	s := testServer(t)
	var rows []string
	for i := range mostTerms + 100 {
		rows = append(rows, fmt.Sprintf("openssl CVE-2024-%04d resolved 3.0.15-1~deb12u1", i+1))
	}
	load(t, s, "tracker.json", rows...)
	d := newReport(s, enrol(t, s, "one"))
	d.send(t, "openssl 3.0.11-1~deb12u1")
	score, err := s.DeviceScore(t.Context(), admin, string(d.id))
	if err != nil || len(score.Terms) != mostTerms || score.TermCount < mostTerms+100 {
		t.Fatalf("%d terms of %d, %v", len(score.Terms), score.TermCount, err)
	}
	opens(t, s, "many terms", admin)
	all, err := s.DeviceScoreTerms(t.Context(), admin, string(d.id), Query{})
	if err != nil || all.Total != score.TermCount || len(all.Items) != all.Total {
		t.Fatalf("%d rows of %d, %v, want all %d", len(all.Items), all.Total, err, score.TermCount)
	}
	for i := range score.Terms {
		if all.Items[i] != score.Terms[i] {
			t.Fatalf("term %d is %+v, in the list of all %+v", i, score.Terms[i], all.Items[i])
		}
	}
	found, err := s.DeviceScoreTerms(t.Context(), admin, string(d.id), Query{Text: "CVE-2024-0600", Filter: map[string][]string{"kind": {"finding"}}})
	if err != nil || found.Total != 1 {
		t.Errorf("looking for a term: %+v, %v", found, err)
	}
	if checks, err := s.DeviceScoreTerms(t.Context(), admin, string(d.id), Query{Filter: map[string][]string{"kind": {"check"}}}); err != nil || checks.Total != score.TermCount-mostTerms-100 {
		t.Errorf("%d checks, %v", checks.Total, err)
	}
}

// Weights hold at once for scores, impacts, what-if and plans, survive a restart,
// are in the audit log and are drawn on the trend as a change of method.
func TestDeviceWeights(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	load(t, s, "tracker.json", "openssl CVE-2024-0001 resolved 3.0.15-1~deb12u1", "curl CVE-2024-0004 resolved 7.88.1-10+deb12u8")
	low, high := newReport(s, enrol(t, s, "low")), newReport(s, enrol(t, s, "high"))
	low.send(t, "openssl 3.0.11-1~deb12u1")
	high.send(t, "curl 7.88.1-10+deb12u5", "openssl 3.0.11-1~deb12u1")
	for r, v := range map[*report]string{low: "Low", high: "High"} {
		if err := s.SetDeviceValue(t.Context(), admin, string(r.id), v); err != nil {
			t.Fatal(err)
		}
	}
	v, err := s.DeviceWeights(t.Context(), admin)
	if err != nil || v.DeviceWeights != (DeviceWeights{Low: 0.75, Normal: 1}) || v.HighNow != 1 || v.Default != v.DeviceWeights || v.Devices != (ValueCount{Low: 1, High: 1}) {
		t.Fatalf("by default %+v, %v", v, err)
	}
	before := scoreNow(t, s)
	if before.Den != 70 || before.Weights != "Low 0.75, Normal 1, High automatic" {
		t.Fatalf("score by default %+v", before)
	}
	h := &historian{groups: groupScores{}, secures: groupSecures{}}
	now := time.Now().UTC()
	if err := s.record(t.Context(), h, now.Add(-3*time.Hour)); err != nil {
		t.Fatal(err)
	}
	for field, bad := range map[string]DeviceWeights{"low": {Low: 0, Normal: 1}, "normal": {Low: 1, Normal: 0.75}, "high": {Low: 1, Normal: 1, High: 0.5}} {
		var wrong *InputError
		if _, err := s.SetDeviceWeights(t.Context(), admin, bad); !errors.As(err, &wrong) || wrong.Field != field {
			t.Errorf("%+v: %v, want an error about %s", bad, err, field)
		}
	}
	for _, bad := range []DeviceWeights{{Low: 0.51, Normal: 1}, {Low: 0.01, Normal: 1}, {Low: 1, Normal: 10.025}, {Low: 1, Normal: 1, High: -1}, {Low: 1, Normal: 1.025}, {Low: -0.75, Normal: 1}} {
		if _, err := s.SetDeviceWeights(t.Context(), admin, bad); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	for name, c := range map[string]Caller{"who may only view": {Permissions: viewing, Scope: exposure.Everywhere()}, "who sees one group": {Permissions: []string{ManageSecurity}, Scope: exposure.Within(1)}} {
		if _, err := s.SetDeviceWeights(t.Context(), c, DeviceWeights{Low: 1, Normal: 1}); !errors.Is(err, ErrDenied) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if now := scoreNow(t, s); now.Num != before.Num || now.Den != before.Den {
		t.Errorf("refused weights changed the score to %+v", now)
	}

	want := DeviceWeights{Low: 0.05, Normal: 1, High: 4}
	ctx := s.Audited(t.Context(), admin, "set-device-weights", "", "request")
	if v, err = s.SetDeviceWeights(ctx, admin, want); err != nil || v.DeviceWeights != want || v.HighNow != 4 {
		t.Fatalf("%+v, %v", v, err)
	}
	s.AuditEnd(ctx, 200)
	log, err := s.Audit(t.Context(), admin, Query{})
	if err != nil || len(log.Items) == 0 || !strings.Contains(string(log.Items[0].Detail), `"low":0.75`) || !strings.Contains(string(log.Items[0].Detail), `"low":0.05`) {
		t.Errorf("audit: %+v, %v", log.Items, err)
	}
	after := scoreNow(t, s)
	if after.Den != 2+160 || after.Score <= before.Score || after.Weights != "Low 0.05, Normal 1, High 4" {
		t.Errorf("score with weights %+v, was %+v", after, before)
	}
	rec, err := s.Recommendation(t.Context(), admin, "va-_-debian-_-curl")
	if err != nil || rec.ImpactDen != after.Den {
		t.Errorf("impact %+v, %v", rec.RecommendationRow, err)
	}
	what, err := s.WhatIf(t.Context(), admin, []string{"va-_-debian-_-curl"})
	if err != nil || what.ImpactNum != rec.ImpactNum || what.ImpactDen != rec.ImpactDen || what.Before.Weights != after.Weights {
		t.Errorf("what-if %+v, %v, want the impact %s", what, err, rec.ImpactNum)
	}
	plan, err := s.DraftPlan(t.Context(), admin, PlanGoal{Target: 1, Recommendations: []string{"va-_-debian-_-curl"}})
	if err != nil || plan.Before.Num != after.Num || plan.Before.Den != after.Den || plan.Weights != after.Weights {
		t.Errorf("plan %+v, %v", plan, err)
	}
	// All that follows from scratch is the same.
	if fresh := s.core.recomputed(); fresh.Num.Big().String() != after.Num || fresh.Den != after.Den {
		t.Errorf("computed from scratch the score is %v/%d, want %s/%d", fresh.Num.Big(), fresh.Den, after.Num, after.Den)
	}

	if err := s.record(t.Context(), h, now.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	group := admin
	group.Groups = []exposure.Group{0}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir)
	defer func() { _ = s.Close() }()
	if again := scoreNow(t, s); again.Num != after.Num || again.Den != after.Den || again.Weights != after.Weights {
		t.Errorf("after a restart %+v, was %+v", again, after)
	}
	for name, c := range map[string]Caller{"all devices": admin, "a group": group} {
		d, err := s.Dashboard(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		var method []string
		for _, p := range d.Trend {
			method = append(method, p.Weights)
		}
		if got, want := fmt.Sprint(slices.Compact(method)), fmt.Sprint([]string{before.Weights, after.Weights}); got != want || len(d.Trend) < 2 || d.Trend[0].Score != before.Score {
			t.Errorf("the trend of %s was made with %v, want %v: %+v", name, got, want, d.Trend)
		}
	}
	last, err := s.st.LastScores(t.Context())
	if err != nil || last.Weights != after.Weights {
		t.Errorf("last %+v, %v", last, err)
	}
	if p, err := s.recordScore(t.Context(), store.ScorePoint{At: now.Add(-10 * time.Minute), Version: exposure.ScoreVersion, Num: after.Num, Den: after.Den}, now); err != nil || !p.At.Equal(now) {
		t.Errorf("a score that other weights gave was not recorded: %+v, %v", p, err)
	}
}

// Of every stretch of time the history has a point of each method.
func TestHistoryKeepsEveryWeighting(t *testing.T) {
	s := testServer(t)
	at := time.UnixMilli(1_700_000_000_000).UTC() // the whole second of a stretch of two
	for i, weights := range []string{"", "Low 1, Normal 1, High 2"} {
		if err := s.st.AddScore(t.Context(), store.ScorePoint{At: at.Add(time.Duration(i) * time.Second), Version: 3, Weights: weights, Num: "1", Den: 1, Devices: 1}); err != nil {
			t.Fatal(err)
		}
	}
	points, err := s.st.Scores(t.Context(), at.Add(-time.Hour), at.Add(2*time.Second), 1)
	if err != nil || len(points) != 2 || points[0].Weights != "" || points[1].Weights == "" {
		t.Errorf("history %+v, %v, want a point of each method", points, err)
	}
}

// recomputed is the score of all devices, computed anew from what every device has.
func (c *core) recomputed() exposure.Mean {
	c.mu.RLock()
	defer c.mu.RUnlock()
	w, sum := c.weights(), new(big.Int)
	den := uint64(0)
	for it := c.fleet.Scores().Devices().Iterator(); it.HasNext(); {
		dev, points := it.Next(), uint64(0)
		for _, t := range c.fleet.Scores().Terms(dev) {
			points += uint64(t.Points)
		}
		weight := w[c.devices[dev].value]
		score := new(big.Int).SetUint64(uint64(exposure.ScoreOf(points)))
		sum.Add(sum, score.Mul(score, new(big.Int).SetUint64(weight)))
		den += weight
	}
	total := c.fleet.Scores().Total(nil, w).Mean
	if total.Num.Big().Cmp(sum) != 0 || total.Den != den {
		return exposure.Mean{}
	}
	return total
}

// The secure score opens into all checks: the points of each category and of all
// add up, and what is missing has devices that fail or were not judged.
func TestTheSecureScoreOpens(t *testing.T) {
	s := testServer(t)
	one, two := newReport(s, enrol(t, s, "one")), newReport(s, enrol(t, s, "two"))
	one.send(t, "openssl 3.0.11-1~deb12u1")
	two.send(t, "openssl 3.0.11-1~deb12u1")
	move(t, s, two, 1)
	judgeAll(s, one, posture.Pass, 1, 2, 3)
	judgeAll(s, one, posture.Fail, 4, 5)
	judgeAll(s, one, posture.NotApplicable, 6, 7)
	judgeAll(s, two, posture.NotApplicable, 7)
	judgeAll(s, two, posture.Pass, 2, 4)
	for _, c := range []Caller{admin, {Permissions: []string{ScoreRead, RecommendationRead}, Scope: exposure.Within(1)}} {
		score, err := s.SecureScore(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		rows := pages(t, 50, func(q Query) (Page[SecureCheckRow], error) { return s.SecureChecks(t.Context(), c, q) })
		if len(rows) != len(posture.Checks()) {
			t.Fatalf("%d rows of %d checks", len(rows), len(posture.Checks()))
		}
		for _, k := range append(score.Categories, score.SecureCategory) {
			got, most := new(big.Rat), int64(0)
			for _, r := range rows {
				if k.Category != "" && r.Category != k.Category {
					continue
				}
				part, ok := new(big.Rat).SetString(r.GotExact)
				if !ok {
					t.Fatalf("%q is no fraction", r.GotExact)
				}
				got.Add(got, part)
				most += r.Max
				if (r.Missing > 0) != (r.Failed+r.NotAssessed > 0) || (r.Max == 0) != (r.Passed+r.Mitigated+r.Failed+r.NotAssessed == 0) {
					t.Errorf("%+v: points are missing where no device lacks it, or the other way round", r)
				}
			}
			if f, _ := got.Float64(); f != k.Got || most != k.Max {
				t.Errorf("checks of %q add up to %v of %d, want %v of %d", k.Category, f, most, k.Got, k.Max)
			}
		}
		for _, r := range rows {
			p, err := s.CheckDevices(t.Context(), c, r.ID, Query{})
			if err != nil || p.Total != r.Passed+r.Mitigated+r.Failed+r.NotAssessed+r.NotConcern {
				t.Fatalf("%s: %d devices, %v, in the list %+v", r.ID, p.Total, err, r)
			}
		}
	}
	all, err := s.SecureChecks(t.Context(), admin, Query{Filter: map[string][]string{"state": {"not_assessed"}}})
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(all.Items, func(r SecureCheckRow) bool { return r.NotAssessed == 2 })
	if at < 0 {
		t.Fatal("every check judges a device of which nothing but packages is known")
	}
	check := all.Items[at].Check
	blind, err := s.CheckDevices(t.Context(), admin, check, Query{Filter: map[string][]string{"state": {"not_assessed"}}})
	if err != nil || blind.Total != 2 || blind.Items[0].Reason == "" || blind.Items[0].State != "not_assessed" {
		t.Errorf("devices of which %s says nothing: %+v, %v, want both with the reason", check, blind.Items, err)
	}
	seen, err := s.CheckDevices(t.Context(), Caller{Permissions: []string{RecommendationRead}, Scope: exposure.Within(1)}, check, Query{})
	if err != nil || seen.Total != 1 || seen.Items[0].ID != two.id {
		t.Errorf("for somebody who sees one group: %+v, %v", seen.Items, err)
	}
	if _, err := s.CheckDevices(t.Context(), admin, "scid-0", Query{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("a check that does not exist: %v", err)
	}
}
