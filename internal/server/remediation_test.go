package server

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/group"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/posture"
)

const opensslFix = "openssl CVE-2024-0001 resolved 3.0.15-1~deb12u1"

// within waits for a condition.
func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("not within 30 s: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// running starts the workers of a server that remediation needs.
func running(t *testing.T, s *Server) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var g errgroup.Group
	g.Go(func() error { return s.runRemediations(ctx) })
	g.Go(func() error { return s.runTickets(ctx) })
	t.Cleanup(func() {
		stop()
		if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func request(t *testing.T, s *Server, rec string, to ...string) Remediation {
	t.Helper()
	r, err := s.RequestRemediation(t.Context(), admin, RemediationRequest{Recommendation: rec, Type: RemedyUpdate, Priority: "High", Due: "2199-01-31", Notes: "please", Destinations: to})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func remediationNow(t *testing.T, s *Server, id string) Remediation {
	t.Helper()
	r, err := s.Remediation(t.Context(), admin, id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// An activity's progress is what the fleet says; it is completed when every
// target is fixed and opened again when one is exposed again; its targets stay
// those of the request; its history says who did what.
func TestRemediationFollowsTheFleet(t *testing.T) {
	s := testServer(t)
	running(t, s)
	load(t, s, "tracker.json", opensslFix)
	one, two := newReport(s, enrol(t, s, "one")), newReport(s, enrol(t, s, "two"))
	one.send(t, "openssl 3.0.11-1~deb12u1")
	two.send(t, "openssl 3.0.11-1~deb12u1")
	r := request(t, s, "va-_-debian-_-openssl")
	if r.Progress != (RemediationProgress{Targets: 2, Exposed: 2}) || r.Status != RemediationActive || r.CreatedBy != "test" || r.Due != "2199-01-31" || !r.Tracked || !r.Open {
		t.Errorf("new activity %+v", r.RemediationRow)
	}
	rec, err := s.Recommendation(t.Context(), admin, "va-_-debian-_-openssl")
	if err != nil || rec.Activities != 1 {
		t.Errorf("the recommendation has %d activities, %v, want 1", rec.Activities, err)
	}

	one.send(t, "openssl 3.0.15-1~deb12u1")
	late := newReport(s, enrol(t, s, "late")) // exposed later: no target
	late.send(t, "openssl 3.0.11-1~deb12u1")
	if r = remediationNow(t, s, r.ID); r.Progress != (RemediationProgress{Targets: 2, Fixed: 1, Exposed: 1}) || r.Status != RemediationActive {
		t.Errorf("after one of two: %+v %s", r.Progress, r.Status)
	}
	two.send(t, "openssl 3.0.15-1~deb12u1")
	within(t, "completion", func() bool { return remediationNow(t, s, r.ID).Status == RemediationCompleted })
	r = remediationNow(t, s, r.ID)
	if r.CompletionMethod != CompletedAutomatic || r.CompletedBy != SystemConfirmation || r.Progress.Fixed != 2 {
		t.Errorf("completed %+v", r.RemediationRow)
	}
	if _, err := s.ReopenRemediation(t.Context(), admin, r.ID, ""); !errors.Is(err, ErrConflict) {
		t.Errorf("re-opening with every target fixed: %v, want a conflict", err)
	}
	two.send(t, "openssl 3.0.11-1~deb12u1")
	within(t, "re-opening", func() bool { return remediationNow(t, s, r.ID).Status == RemediationActive })
	if r, err = s.CompleteRemediation(t.Context(), admin, r.ID, "accepted"); err != nil || r.CompletionMethod != CompletedManual || r.CompletedBy != "test" {
		t.Errorf("completed by hand %+v, %v", r.RemediationRow, err)
	}
	two.send(t, "openssl 3.0.12-1~deb12u1") // still exposed: what a person completed stays so
	s.follow(t.Context(), &touchedDevices{all: true})
	if r = remediationNow(t, s, r.ID); r.Status != RemediationCompleted {
		t.Error("an activity that a person completed was opened by the fleet")
	}
	if r, err = s.ReopenRemediation(t.Context(), admin, r.ID, "not yet"); err != nil || r.Status != RemediationActive {
		t.Errorf("re-opened by hand %+v, %v", r.RemediationRow, err)
	}
	var got []string
	for _, e := range r.History {
		got = append(got, e.Who+" "+e.What)
	}
	want := []string{"test requested", "System confirmation completed", "System reopened", "test completed", "test reopened"}
	if len(got) != len(want) {
		t.Fatalf("history %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("history %q, want %q", got, want)
		}
	}
}

// What cannot be said is never counted as fixed.
func TestOnlyWhatIsSeenCountsAsFixed(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker.json", opensslFix)
	var list []*report
	for _, n := range []string{"silent", "partial", "gone", "fixed", "exposed"} {
		r := newReport(s, enrol(t, s, n))
		r.send(t, "openssl 3.0.11-1~deb12u1")
		list = append(list, r)
	}
	r := request(t, s, "va-_-debian-_-openssl")
	for _, d := range list[:4] {
		d.send(t, "openssl 3.0.15-1~deb12u1")
	}
	// One fell silent, one could read its package database only in part, one is no more.
	s.core.mu.Lock()
	s.core.place(s.core.at(s.core.byID[list[0].id]), time.Now().Add(31*24*time.Hour))
	s.core.fleet.RemoveDevice(s.core.byID[list[2].id])
	s.core.mu.Unlock()
	part := inventory.NewSection(inventory.DPKG, inventory.Partial, "a file could not be read")
	part.Seal()
	if _, err := s.ingest(t.Context(), list[1].id, 10, []inventory.Delta{inventory.Diff(nil, part)}); err != nil {
		t.Fatal(err)
	}
	want := RemediationProgress{Targets: 5, Fixed: 1, Exposed: 1, Silent: 1, Removed: 1, NotAssessed: 1}
	if r = remediationNow(t, s, r.ID); r.Progress != want {
		t.Errorf("progress %+v, want %+v", r.Progress, want)
	}
	states := map[string]string{}
	page, err := s.RemediationDevices(t.Context(), admin, r.ID, Query{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range page.Items {
		states[string(d.ID)] = d.State
	}
	for i, state := range []string{"silent", "not_assessed", "removed", "fixed", "exposed"} {
		if states[string(list[i].id)] != state {
			t.Errorf("target %d is %q, want %q", i, states[string(list[i].id)], state)
		}
	}
	var refs []inventory.DeviceID
	found, err := s.RemediationDeviceRefs(t.Context(), admin, r.ID, DeviceRefQuery{RowQuery: RowQuery[DeviceRef]{Limit: -1}})
	for _, d := range found.Rows {
		refs = append(refs, d.ID)
	}
	if want := []inventory.DeviceID{list[0].id, list[1].id, list[3].id, list[4].id}; err != nil || !slices.Equal(refs, want) {
		t.Errorf("references to %v, %v, want all targets that are there, %v", refs, err, want)
	}
	list[4].send(t, "openssl 3.0.15-1~deb12u1")
	s.follow(t.Context(), &touchedDevices{all: true})
	if r = remediationNow(t, s, r.ID); r.Status != RemediationActive {
		t.Errorf("completed with progress %+v", r.Progress)
	}
}

// Activities, their targets and their history are there after a restart; what
// changed meanwhile is followed then.
func TestRemediationSurvivesARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	load(t, s, "tracker.json", opensslFix)
	one := newReport(s, enrol(t, s, "one"))
	one.send(t, "openssl 3.0.11-1~deb12u1")
	r := request(t, s, "va-_-debian-_-openssl")
	if _, err := s.EditRemediation(t.Context(), admin, r.ID, "Low", "", "later"); err != nil {
		t.Fatal(err)
	}
	one.send(t, "openssl 3.0.15-1~deb12u1") // no worker runs
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir)
	defer func() { _ = s.Close() }()
	got := remediationNow(t, s, r.ID)
	if got.Progress != (RemediationProgress{Targets: 1, Fixed: 1}) || got.Priority != "Low" || got.Due != "" || got.Notes != "later" || len(got.History) != 2 || got.History[1].Detail != "priority High → Low, due 2199-01-31 → none, notes changed" {
		t.Errorf("after a restart %+v %+v", got.RemediationRow, got.History)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.runRemediations(ctx) }()
	within(t, "completion", func() bool { return remediationNow(t, s, r.ID).Status == RemediationCompleted })
	stop()
	<-done
}

// A request says what is wrong with it.
func TestRemediationRequests(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker.json", opensslFix, "curl CVE-2024-0004 open")
	one := newReport(s, enrol(t, s, "one"))
	one.send(t, "openssl 3.0.11-1~deb12u1", "curl 7.88.1-10+deb12u5")
	good := RemediationRequest{Recommendation: "va-_-debian-_-openssl", Type: RemedyUpdate, Priority: "High"}
	for name, c := range map[string]struct {
		change func(*RemediationRequest)
		want   error
	}{
		"no priority":         {func(r *RemediationRequest) { r.Priority = "" }, ErrInvalid},
		"another type":        {func(r *RemediationRequest) { r.Type = RemedyRestart }, ErrInvalid},
		"no day":              {func(r *RemediationRequest) { r.Due = "tomorrow" }, ErrInvalid},
		"attention with due":  {func(r *RemediationRequest) { r.Type, r.Due = RemedyAttention, "2199-01-31" }, ErrInvalid},
		"unknown destination": {func(r *RemediationRequest) { r.Destinations = []string{"x"} }, ErrInvalid},
		"empty group":         {func(r *RemediationRequest) { r.Groups = []uint32{7} }, ErrInvalid},
		"nothing to do":       {func(r *RemediationRequest) { r.Recommendation = "va-_-debian-_-nginx" }, ErrNotFound},
		"long notes":          {func(r *RemediationRequest) { r.Notes = string(make([]byte, maxNotes+1)) }, ErrInvalid},
	} {
		in := good
		c.change(&in)
		if _, err := s.RequestRemediation(t.Context(), admin, in); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	r, err := s.RequestRemediation(t.Context(), admin, RemediationRequest{Recommendation: "va-_-debian-_-curl-_-attentionrequired", Type: RemedyAttention, Priority: "Low"})
	if err != nil || r.Tracked {
		t.Fatalf("attention required: %+v, %v, want an activity that is not tracked", r.RemediationRow, err)
	}
	one.send(t, "openssl 3.0.11-1~deb12u1")
	s.follow(t.Context(), &touchedDevices{all: true})
	if r = remediationNow(t, s, r.ID); r.Status != RemediationActive {
		t.Error("an activity whose progress cannot be measured was completed by the fleet")
	}
	for _, p := range []string{RecommendationRead, RemediationRead, MachineReadWrite} {
		if _, err := s.RequestRemediation(t.Context(), Caller{Permissions: []string{p}, Scope: exposure.Everywhere()}, good); !errors.Is(err, ErrDenied) {
			t.Errorf("request with %s: %v, want a refusal", p, err)
		}
	}
	if _, err := s.RequestRemediation(t.Context(), Caller{Name: "soar", App: "x", Permissions: []string{RemediationWrite}, Scope: exposure.Everywhere()}, good); err != nil {
		t.Errorf("request with %s alone: %v", RemediationWrite, err)
	}
	d, err := s.Dashboard(t.Context(), Caller{Permissions: []string{ScoreRead}, Scope: exposure.Everywhere()})
	if err != nil || len(d.Remediations) != 0 || d.RemediationN != 0 {
		t.Errorf("a dashboard without the permission shows activities: %+v, %v", d.Remediations, err)
	}
	if d, err = s.Dashboard(t.Context(), admin); err != nil || d.RemediationN != 2 || d.Remediations[0].Priority != "High" {
		t.Errorf("dashboard %+v, %v, want two activities, the pressing one first", d.Remediations, err)
	}
}

// Software can be asked to go, with a fix or without one: a device is done when it
// has no version of it any more, fixed ones count too.
func TestRemediationByRemoval(t *testing.T) {
	s := testServer(t)
	running(t, s)
	load(t, s, "tracker.json", opensslFix, "curl CVE-2024-0004 open")
	one, two := newReport(s, enrol(t, s, "one")), newReport(s, enrol(t, s, "two"))
	for _, r := range []*report{one, two} {
		r.send(t, "bash 5.2", "openssl 3.0.11-1~deb12u1", "curl 7.88.1-10+deb12u5")
	}
	for rec, types := range map[string][]string{"va-_-debian-_-openssl": {RemedyUpdate, RemedyUninstall, RemedyAttention}, "va-_-debian-_-curl-_-attentionrequired": {RemedyAttention, RemedyUninstall}} {
		f, err := s.RemediationForm(t.Context(), admin, rec)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "types of "+rec, f.Types, types...)
	}
	remove := func(rec string) Remediation {
		t.Helper()
		r, err := s.RequestRemediation(t.Context(), admin, RemediationRequest{Recommendation: rec, Type: RemedyUninstall, Priority: "High", Due: "2199-01-31"})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	ssl, curl := remove("va-_-debian-_-openssl"), remove("va-_-debian-_-curl-_-attentionrequired")
	update := request(t, s, "va-_-debian-_-openssl")
	if ssl.Title != "Uninstall openssl" || curl.Title != "Uninstall curl" || ssl.Version != "" || !curl.Tracked || curl.Due == "" {
		t.Errorf("requested %+v, %+v", ssl.RemediationRow, curl.RemediationRow)
	}
	two.send(t, "bash 5.2", "openssl 3.0.15-1~deb12u1", "curl 7.88.1-10+deb12u5")
	s.follow(t.Context(), &touchedDevices{all: true})
	for name, c := range map[string]struct {
		id    string
		fixed int
	}{"the update": {update.ID, 1}, "the removal": {ssl.ID, 0}, "that without a fix": {curl.ID, 0}} {
		if r := remediationNow(t, s, c.id); r.Progress != (RemediationProgress{Targets: 2, Fixed: c.fixed, Exposed: 2 - c.fixed}) {
			t.Errorf("%s after one of two was updated: %+v", name, r.Progress)
		}
	}
	load(t, s, "fixed.json", "curl CVE-2024-0004 resolved 7.88.1-10+deb12u6") // what is to go stays what it was
	s.follow(t.Context(), &touchedDevices{all: true})
	if r := remediationNow(t, s, curl.ID); r.Type != RemedyUninstall || r.Title != "Uninstall curl" || r.Status != RemediationActive {
		t.Errorf("a fix was published: %+v", r.RemediationRow)
	}
	for _, r := range []*report{one, two} {
		r.send(t, "bash 5.2")
	}
	for _, id := range []string{ssl.ID, curl.ID, update.ID} {
		within(t, "completion", func() bool { return remediationNow(t, s, id).Status == RemediationCompleted })
	}
	if _, err := s.RequestRemediation(t.Context(), admin, RemediationRequest{Recommendation: "sca-_-ssh-root-login", Type: RemedyUninstall, Priority: "High"}); err == nil {
		t.Error("a setting was asked to be uninstalled")
	}
}

// An activity may be for some device groups, and a filter of device groups
// holds for activities, their targets and counts.
func TestRemediationOfDeviceGroups(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker.json", opensslFix)
	one, two := newReport(s, enrol(t, s, "one")), newReport(s, enrol(t, s, "two"))
	one.send(t, "openssl 3.0.11-1~deb12u1")
	two.send(t, "openssl 3.0.11-1~deb12u1")
	mustTag(t, s, two.id, []string{"web"}, nil)
	g := mustGroup(t, s, 0, "Web servers", on(group.Tag, group.Equals, "web"))
	form, err := s.RemediationForm(t.Context(), admin, "va-_-debian-_-openssl")
	if err != nil || len(form.Groups) != 2 || form.Groups[0] != (FormGroup{ID: uint32(g), Name: "Web servers", Exposed: 1}) || form.Groups[1].Exposed != 1 || form.Exposed != 2 {
		t.Errorf("form %+v, %v", form, err)
	}
	r, err := s.RequestRemediation(t.Context(), admin, RemediationRequest{Recommendation: "va-_-debian-_-openssl", Type: RemedyUpdate, Priority: "High", Groups: []uint32{uint32(g)}})
	if err != nil || r.Progress.Targets != 1 || len(r.Groups) != 1 || r.Groups[0] != "Web servers" {
		t.Fatalf("request for a group: %+v, %v", r.RemediationRow, err)
	}
	all := request(t, s, "va-_-debian-_-openssl")
	for group, want := range map[exposure.Group]int{0: 1, g: 2} {
		caller := admin
		caller.Groups = []exposure.Group{group}
		page, err := s.Remediations(t.Context(), caller, Query{}, nil)
		if err != nil || page.Total != want || page.Items[0].Progress.Targets != 1 {
			t.Errorf("group %d has %+v, %v, want %d activities of one target each", group, page, err, want)
		}
		devices, err := s.RemediationDevices(t.Context(), caller, all.ID, Query{})
		if err != nil || devices.Total != 1 {
			t.Errorf("group %d has %d targets of the activity for all, %v", group, devices.Total, err)
		}
		refs, err := s.RemediationDeviceRefs(t.Context(), caller, all.ID, DeviceRefQuery{RowQuery: RowQuery[DeviceRef]{Limit: -1}})
		if err != nil || len(refs.Rows) != 1 || refs.Rows[0].GroupID != group {
			t.Errorf("group %d has references to %+v, %v", group, refs.Rows, err)
		}
	}
	other := admin
	other.Groups = []exposure.Group{0}
	if _, err := s.Remediation(t.Context(), other, r.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("an activity of another group: %v, want not found", err)
	}
	if _, err := s.RemediationDeviceRefs(t.Context(), other, r.ID, DeviceRefQuery{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("references of another group's activity: %v, want not found", err)
	}
}

// What an activity tells whoever carries it out is about its own device groups,
// and says no number of devices: not everybody sees all of them.
func TestAnActivityTellsOfItsOwnDevices(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker.json", "openssl CVE-2024-0002 resolved 3.0.12-1~deb12u1", opensslFix)
	old, newer := newReport(s, enrol(t, s, "old")), newReport(s, enrol(t, s, "newer"))
	old.send(t, "openssl 3.0.11-1~deb12u1")
	newer.send(t, "openssl 3.0.13-1~deb12u1")
	mustTag(t, s, newer.id, []string{"web"}, nil)
	g := mustGroup(t, s, 0, "Web servers", on(group.Tag, group.Equals, "web"))
	in := RemediationRequest{Recommendation: "va-_-debian-_-openssl", Type: RemedyUpdate, Priority: "High"}
	for want, groups := range map[string][]uint32{
		"openssl has 2 known weaknesses that an update fixes.": nil,
		"openssl has 1 known weakness that an update fixes.":   {uint32(g)},
	} {
		in.Groups = groups
		if r, err := s.RequestRemediation(t.Context(), admin, in); err != nil || r.About != want || len(r.Steps) != 2 {
			t.Errorf("in groups %v it says %q with %d steps, want %q, %v", groups, r.About, len(r.Steps), want, err)
		}
	}
	if rec, err := s.Recommendation(t.Context(), admin, in.Recommendation); err != nil || rec.Description != "openssl on 2 devices has 2 known weaknesses that an update fixes." {
		t.Errorf("the recommendation says %q, %v", rec.Description, err)
	}
}

// judged says what a check, by its place, says of a device.
func judged(s *Server, id inventory.DeviceID, check int, state posture.State) {
	s.core.mu.Lock()
	defer s.core.mu.Unlock()
	d := s.core.at(s.core.byID[id])
	v := slices.Clone(d.verdicts)
	v[check/4] = v[check/4]&^(3<<(check%4*2)) | byte(slices.Index(verdictStates[:], state))<<(check%4*2)
	s.core.judge(d, v)
}

// A failed configuration check is followed too: fixed is what passes, not what
// could not be judged.
func TestRemediationOfSettings(t *testing.T) {
	s := testServer(t)
	var list []*report
	for _, n := range []string{"passes", "unknown", "fails"} {
		r := newReport(s, enrol(t, s, n))
		r.send(t, "openssl 3.0.11-1~deb12u1")
		list = append(list, r)
	}
	const check = 3
	judge := func(i int, state posture.State) { judged(s, list[i].id, check, state) }
	for i := range list {
		judge(i, posture.Fail)
	}
	r, err := s.RequestRemediation(t.Context(), admin, RemediationRequest{Recommendation: "sca-_-" + posture.Checks()[check].ID, Type: RemedyConfigure, Priority: "Medium"})
	if err != nil || r.Progress.Exposed != 3 {
		t.Fatalf("request %+v, %v", r.Progress, err)
	}
	judge(0, posture.Pass)
	judge(1, posture.NotAssessed)
	if r = remediationNow(t, s, r.ID); r.Progress != (RemediationProgress{Targets: 3, Fixed: 1, Exposed: 1, NotAssessed: 1}) {
		t.Errorf("progress %+v", r.Progress)
	}
	judge(1, posture.NotApplicable)
	judge(2, posture.Pass)
	s.follow(t.Context(), &touchedDevices{all: true})
	if r = remediationNow(t, s, r.ID); r.Status != RemediationCompleted || r.Progress.Fixed != 3 {
		t.Errorf("after all was done %+v %s", r.Progress, r.Status)
	}
}
