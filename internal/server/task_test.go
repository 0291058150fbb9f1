package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/group"
	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/store"
)

// ableAgent is a server with a connected agent whose host can do everything but scan.
func ableAgent(t *testing.T) (*Server, *fakeAgent) {
	t.Helper()
	s, a := fleetOf(t)
	a.says(s, &protocol.Response{Can: []protocol.Ability{{Kind: protocol.TaskCollect}, {Kind: protocol.TaskIsolate}, {Kind: protocol.TaskRelease}, {Kind: protocol.TaskScan, Reason: "there is no scanner"}}})
	return s, a
}

// says has an agent tell what its host can do.
func (a *fakeAgent) says(s *Server, r *protocol.Response) {
	a.s.t.Helper()
	a.send(&protocol.Message{Response: r})
	waitFor(a.s.t, "what the host can do to be known", func() bool {
		s.core.mu.RLock()
		defer s.core.mu.RUnlock()
		d := s.core.at(s.core.byID[a.id])
		raw, _ := json.Marshal(d.response)
		want, _ := json.Marshal(r)
		return bytes.Equal(raw, want)
	})
}

// leave ends the agent's session.
func (a *fakeAgent) leave(s *Server) {
	a.s.t.Helper()
	a.conn.CloseNow()
	waitFor(a.s.t, "the session to end", func() bool {
		s.core.mu.RLock()
		defer s.core.mu.RUnlock()
		return !s.gate.connected(a.id) && !s.core.at(s.core.byID[a.id]).online
	})
}

// back opens another session of an agent that says what it said last.
func (a *fakeAgent) back(s *Server, r *protocol.Response) {
	a.s.t.Helper()
	conn, _, err := a.s.dial(a.cert, 0)
	if err != nil {
		a.s.t.Fatal(err)
	}
	a.conn = conn
	a.send(&protocol.Message{Hello: &protocol.Hello{Version: protocol.Version, AgentVersion: "2.0", OS: "linux", Arch: "amd64", Nonce: a.last.Nonce, Evidence: protocol.Evidence{MachineID: "m1"}, Response: r}})
	m := a.recv()
	if m.Welcome == nil {
		a.s.t.Fatalf("answer to Hello: %+v", m)
	}
	a.last = m.Welcome
	a.send(&protocol.Message{Kept: &protocol.Kept{Nonce: m.Welcome.Nonce}})
}

// reports sends the state of a task and waits for its acknowledgement.
func (a *fakeAgent) reports(state protocol.TaskState) {
	a.s.t.Helper()
	a.send(&protocol.Message{TaskState: &state})
	if m := a.recv(); m.Ack == nil || len(m.Ack.Tasks) != 1 || m.Ack.Tasks[0] != (protocol.TaskAck{ID: state.ID, State: state.State}) {
		a.s.t.Fatalf("answer to a state: %+v", m)
	}
}

// does asks for an action that must be possible.
func (s *Server) does(t *testing.T, c Caller, device string, in NewMachineAction) MachineAction {
	t.Helper()
	if in.Comment == "" {
		in.Comment = "case 7"
	}
	out, err := s.Respond(t.Context(), c, []string{device}, in)
	if err != nil || len(out.Results) != 1 || out.Results[0].Action == nil {
		t.Fatalf("%s: %+v, %v", in.Kind, out, err)
	}
	return *out.Results[0].Action
}

// step sends what is to be sent now.
func (s *Server) step(t *testing.T) {
	t.Helper()
	if err := s.sendTasks(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (s *Server) stands(t *testing.T, id, status string) MachineAction {
	t.Helper()
	a, err := s.MachineAction(t.Context(), boss, id)
	if err != nil || a.Status != status {
		t.Fatalf("action %+v, %v; want %s", a, err, status)
	}
	return a
}

func TestMachineActionFromAskingToItsEnd(t *testing.T) {
	s, agent := ableAgent(t)
	id := string(agent.id)
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Millisecond)
	a := s.does(t, boss, id, NewMachineAction{Kind: protocol.TaskIsolate, Until: until, External: "x-1"})
	if a.Status != "Pending" || a.Type != "Isolate" || a.Scope != "Full" || a.Requester != boss.Name || a.Comment != "case 7" || a.External != "x-1" || !a.Until.Equal(until) || !a.MayCancel || !protocol.ValidTask(a.ID) {
		t.Errorf("asked: %+v", a)
	}
	_, err := s.Respond(t.Context(), boss, []string{id}, NewMachineAction{Kind: protocol.TaskIsolate, Comment: "again"})
	var active *ActiveError
	if !errors.As(err, &active) || err.Error() != "Action is already in progress" {
		t.Errorf("the same once more: %v", err)
	}
	release := s.does(t, boss, id, NewMachineAction{Kind: protocol.TaskRelease})
	s.step(t)
	m := agent.recv()
	if m.Isolate == nil || m.Isolate.ID != a.ID || !m.Isolate.Until.Equal(until) {
		t.Fatalf("the agent got %+v", m)
	}
	s.step(t) // it is not sent twice, and its end not before it
	agent.quiet(1)
	agent.reports(protocol.TaskState{ID: a.ID, State: protocol.TaskRunning})
	if now := s.stands(t, a.ID, "InProgress"); now.MayCancel || now.StartedAt.IsZero() {
		t.Errorf("under way: %+v", now)
	}
	agent.reports(protocol.TaskState{ID: a.ID, State: protocol.TaskSucceeded})
	if now := s.stands(t, a.ID, "Succeeded"); now.EndedAt.IsZero() || now.Error != "" {
		t.Errorf("ended: %+v", now)
	}
	agent.says(s, &protocol.Response{Can: []protocol.Ability{{Kind: protocol.TaskRelease}}, Isolation: protocol.Isolation{On: true, Since: time.Now().UTC().Truncate(time.Second), Task: a.ID}})
	page, err := s.Devices(t.Context(), boss, Query{Filter: map[string][]string{"isolated": {"true"}}}, nil)
	if err != nil || page.Total != 1 || !page.Items[0].Isolated {
		t.Errorf("isolated devices: %+v, %v", page, err)
	}
	if d, err := s.Device(t.Context(), boss, id); err != nil || d.Isolation == nil || d.Isolation.Action != a.ID {
		t.Errorf("device: %+v, %v", d.Isolation, err)
	}
	s.step(t)
	if m := agent.recv(); m.Release == nil || m.Release.ID != release.ID {
		t.Fatalf("the agent got %+v", m)
	}
	agent.reports(protocol.TaskState{ID: release.ID, State: protocol.TaskFailed, Detail: "no \x1b[31m right"})
	if now := s.stands(t, release.ID, "Failed"); now.Error != "no  [31m right" {
		t.Errorf("failed: %q", now.Error)
	}
	agent.reports(protocol.TaskState{ID: release.ID, State: protocol.TaskSucceeded}) // what has failed stays so
	s.stands(t, release.ID, "Failed")

	rows, err := s.MachineActions(t.Context(), boss, Query{Filter: map[string][]string{"active": {"false"}, "device": {id}}}, nil)
	if err != nil || rows.Total != 2 || rows.Items[0].ID != release.ID {
		t.Errorf("list: %+v, %v", rows, err)
	}
	line, err := s.Timeline(t.Context(), boss, id, TimelineQuery{From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour), Limit: 50, Groups: []string{"Response actions"}})
	if err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, r := range line.Items {
		titles = append(titles, r.Title)
	}
	all := strings.Join(titles, "\n")
	for _, want := range []string{"Isolate device: asked for by " + boss.Name, "Isolate device: in progress", "Isolate device: done", "Release from isolation: failed"} {
		if !strings.Contains(all, want) {
			t.Errorf("the timeline lacks %q:\n%s", want, all)
		}
	}
	ended := 0
	if _, err := s.st.Audit(t.Context(), store.AuditQuery{Actions: []string{"machine-action"}}, func(e audit.Entry, _ audit.Hash) error {
		ended++
		return nil
	}); err != nil || ended != 2 {
		t.Errorf("%d ends in the audit log, %v", ended, err)
	}
}

// What a device's agent does not say that its host can do is never asked of it.
func TestOnlyWhatAHostCanIsAskedOfIt(t *testing.T) {
	s, agent := fleetOf(t)
	id := string(agent.id)
	ask := func(kind, scope string) error {
		_, err := s.Respond(t.Context(), boss, []string{id}, NewMachineAction{Kind: kind, Scope: scope, Comment: "c"})
		return err
	}
	var unable *UnableError
	if err := ask(protocol.TaskIsolate, ""); !errors.As(err, &unable) || !unable.Old || !strings.Contains(err.Error(), "version t, cannot isolate its device") {
		t.Errorf("an agent that says nothing: %v", err)
	}
	agent.says(s, &protocol.Response{Can: []protocol.Ability{{Kind: protocol.TaskScan, Reason: "there is no scanner"}}})
	if err := ask(protocol.TaskScan, ScopeQuick); !errors.As(err, &unable) || unable.Old || !strings.Contains(err.Error(), "there is no scanner") {
		t.Errorf("a host without a scanner: %v", err)
	}
	kinds, err := s.DeviceActionKinds(t.Context(), boss, id)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kinds {
		if k.Can != (k.ID == ActionNudge) || k.Can != (k.WhyNot == "") || strings.HasSuffix(k.WhyNot, "..") {
			t.Errorf("%s: %+v", k.ID, k)
		}
	}
	// An agent that comes back as an older one gets nothing of what was asked for meanwhile.
	agent.says(s, &protocol.Response{Can: []protocol.Ability{{Kind: protocol.TaskScan}}})
	agent.leave(s)
	a := s.does(t, boss, id, NewMachineAction{Kind: protocol.TaskScan, Scope: ScopeFull})
	agent.back(s, nil)
	s.step(t)
	agent.quiet(1)
	if now := s.stands(t, a.ID, "Failed"); !strings.Contains(now.Error, "cannot scan") {
		t.Errorf("%+v", now)
	}
}

func TestMachineActionsAreChecked(t *testing.T) {
	s, agent := ableAgent(t)
	id := string(agent.id)
	for name, in := range map[string]NewMachineAction{
		"kind":     {Kind: "format", Comment: "c"},
		"comment":  {Kind: protocol.TaskCollect},
		"scope":    {Kind: protocol.TaskScan, Scope: "Deep", Comment: "c"},
		"scope of": {Kind: protocol.TaskCollect, Scope: ScopeFull, Comment: "c"},
		"scope in": {Kind: protocol.TaskIsolate, Scope: "Selective", Comment: "c"},
		"until":    {Kind: protocol.TaskIsolate, Until: time.Now(), Comment: "c"},
		"until of": {Kind: protocol.TaskRelease, Until: time.Now().Add(time.Hour), Comment: "c"},
		"far":      {Kind: protocol.TaskIsolate, Until: time.Now().Add(10 * 366 * 24 * time.Hour), Comment: "c"},
		"external": {Kind: protocol.TaskCollect, External: "a\nb", Comment: "c"},
	} {
		if _, err := s.Respond(t.Context(), boss, []string{id}, in); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.Respond(t.Context(), boss, nil, NewMachineAction{Kind: protocol.TaskCollect, Comment: "c"}); !errors.Is(err, ErrInvalid) {
		t.Errorf("no device: %v", err)
	}
	elsewhere := Caller{Name: "eve", Permissions: []string{MachineIsolate, MachineCollect, MachineRead}, Scope: exposure.Within(7)}
	if _, err := s.Respond(t.Context(), elsewhere, []string{id}, NewMachineAction{Kind: protocol.TaskCollect, Comment: "c"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("a device that the caller does not see: %v", err)
	}
	for kind, need := range map[string]string{protocol.TaskCollect: MachineCollect, protocol.TaskScan: MachineScan, protocol.TaskIsolate: MachineIsolate, protocol.TaskRelease: MachineIsolate} {
		for _, p := range KnownPermissions {
			who := Caller{Name: "eve", App: "e", Permissions: []string{p}, Scope: exposure.Everywhere()}
			_, err := s.Respond(t.Context(), who, []string{"nobody"}, NewMachineAction{Kind: kind, Comment: "c"})
			if errors.Is(err, ErrDenied) != (p != need) {
				t.Errorf("%s with %s: %v", kind, p, err)
			}
		}
	}
	// Of several devices each has its own result.
	a := s.does(t, boss, id, NewMachineAction{Kind: protocol.TaskCollect})
	other := enrol(t, s, "other")
	out, err := s.Respond(t.Context(), boss, []string{id, "nobody", string(other)}, NewMachineAction{Kind: protocol.TaskIsolate, Comment: "c"})
	if err != nil || out.Results[0].Action == nil || out.Results[1].Code != "ResourceNotFound" || out.Results[2].Code != "ClientVersionNotSupported" {
		t.Errorf("several: %+v, %v", out, err)
	}
	if page, err := s.MachineActions(t.Context(), elsewhere, Query{}, nil); err != nil || page.Total != 0 {
		t.Errorf("others' actions: %+v, %v", page, err)
	}
	if _, err := s.MachineAction(t.Context(), elsewhere, a.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("others' action: %v", err)
	}
	if _, err := s.CancelMachineAction(t.Context(), elsewhere, a.ID, "c"); !errors.Is(err, ErrNotFound) {
		t.Errorf("others' action cancelled: %v", err)
	}
}

// What is asked of a device that is away waits for it, over a restart of the
// server too, and no longer than three days.
func TestActionsWaitForTheirDevice(t *testing.T) {
	s, agent := ableAgent(t)
	id := string(agent.id)
	can := &protocol.Response{Can: []protocol.Ability{{Kind: protocol.TaskCollect}, {Kind: protocol.TaskIsolate}}}
	agent.says(s, can)
	agent.leave(s)
	a := s.does(t, boss, id, NewMachineAction{Kind: protocol.TaskCollect})
	s.step(t)
	if now := s.stands(t, a.ID, "Pending"); !now.SentAt.IsZero() {
		t.Errorf("sent to nobody: %+v", now)
	}
	agent.back(s, can)
	s.step(t)
	if m := agent.recv(); m.Collect == nil || m.Collect.ID != a.ID {
		t.Fatalf("the agent got %+v", m)
	}
	agent.leave(s) // before it took it
	agent.back(s, can)
	s.step(t)
	if m := agent.recv(); m.Collect == nil || m.Collect.ID != a.ID {
		t.Fatalf("in the next session the agent got %+v", m)
	}
	agent.leave(s)
	late := s.does(t, boss, id, NewMachineAction{Kind: protocol.TaskIsolate, Until: time.Now().Add(time.Hour)})
	s.opt.Now = func() time.Time { return time.Now().Add(taskLife + time.Second) }
	s.step(t)
	s.opt.Now = nil
	if now := s.stands(t, a.ID, "TimeOut"); !strings.Contains(now.Error, "did not begin") {
		t.Errorf("%+v", now)
	}
	s.stands(t, late.ID, "TimeOut")
	// The agent had it all the same and did it: that is what is told.
	agent.back(s, can)
	agent.reports(protocol.TaskState{ID: late.ID, State: protocol.TaskSucceeded}) // was never sent
	s.stands(t, late.ID, "TimeOut")
}

func TestCancel(t *testing.T) {
	s, agent := ableAgent(t)
	ctx, id := t.Context(), string(agent.id)
	can := &protocol.Response{Can: []protocol.Ability{{Kind: protocol.TaskCollect}, {Kind: protocol.TaskIsolate}}}
	agent.says(s, can)
	first := s.does(t, boss, id, NewMachineAction{Kind: protocol.TaskCollect})
	if _, err := s.CancelMachineAction(ctx, boss, first.ID, " "); !errors.Is(err, ErrInvalid) {
		t.Errorf("without a reason: %v", err)
	}
	row, err := s.CancelMachineAction(ctx, boss, first.ID, "a mistake")
	if err != nil || row.Status != "Cancelled" || row.Cancel == nil || row.Cancel.Comment != "a mistake" {
		t.Fatalf("not sent: %+v, %v", row, err)
	}
	s.step(t)
	agent.quiet(1)
	if _, err := s.CancelMachineAction(ctx, boss, first.ID, "again"); !errors.Is(err, ErrConflict) {
		t.Errorf("twice: %v", err)
	}
	// One that the agent has is for the agent to say.
	second := s.does(t, boss, id, NewMachineAction{Kind: protocol.TaskCollect})
	s.step(t)
	agent.recv()
	agent.reports(protocol.TaskState{ID: second.ID, State: protocol.TaskRunning})
	if row, err = s.CancelMachineAction(ctx, boss, second.ID, "enough"); err != nil || row.Status != "InProgress" || row.MayCancel {
		t.Fatalf("under way: %+v, %v", row, err)
	}
	s.step(t)
	if m := agent.recv(); m.CancelTask == nil || m.CancelTask.ID != second.ID {
		t.Fatalf("the agent got %+v", m)
	}
	agent.reports(protocol.TaskState{ID: second.ID, State: protocol.TaskCancelled})
	s.stands(t, second.ID, "Cancelled")
	// Isolation that has begun is not cancelled, it is ended.
	third := s.does(t, boss, id, NewMachineAction{Kind: protocol.TaskIsolate})
	s.step(t)
	agent.recv()
	agent.reports(protocol.TaskState{ID: third.ID, State: protocol.TaskRunning})
	if _, err := s.CancelMachineAction(ctx, boss, third.ID, "no"); !errors.Is(err, ErrConflict) || !strings.Contains(err.Error(), "release it instead") {
		t.Errorf("isolation under way: %v", err)
	}
	if _, err := s.CancelMachineAction(ctx, Caller{Name: "eve", App: "e", Permissions: []string{MachineScan, MachineRead}, Scope: exposure.Everywhere()}, third.ID, "no"); !errors.Is(err, ErrDenied) {
		t.Errorf("with another permission: %v", err)
	}
}

// A lockdown denies actions, cancels what waits, and has taken back what agents may have.
func TestLockdownHoldsActionsBack(t *testing.T) {
	s, agent := ableAgent(t)
	ctx, id := t.Context(), string(agent.id)
	waits := s.does(t, boss, id, NewMachineAction{Kind: protocol.TaskCollect})
	sent := s.does(t, boss, id, NewMachineAction{Kind: protocol.TaskIsolate})
	if _, _, err := s.st.ChangeMachineAction(ctx, sent.ID, func(a *store.MachineAction) bool { a.Sent = time.Now(); return true }); err != nil {
		t.Fatal(err)
	}
	if _, err := s.StartLockdown(ctx, boss, "attack"); err != nil {
		t.Fatal(err)
	}
	if now := s.stands(t, waits.ID, "Cancelled"); !strings.Contains(now.Error, "lockdown of "+boss.Name) {
		t.Errorf("%+v", now)
	}
	if _, err := s.Respond(ctx, boss, []string{id}, NewMachineAction{Kind: protocol.TaskCollect, Comment: "c"}); !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), "Lockdown") {
		t.Errorf("in a lockdown: %v", err)
	}
	s.step(t)
	if m := agent.recv(); m.CancelTask == nil || m.CancelTask.ID != sent.ID {
		t.Errorf("the agent got %+v", m)
	}
	// Also what is still in the store at the last moment.
	if _, err := s.st.AddMachineActions(ctx, []store.MachineAction{{ID: newUUID(), Kind: protocol.TaskRelease, Device: agent.id, Created: time.Now(), Expires: time.Now().Add(time.Hour)}}, nil, 1); err != nil {
		t.Fatal(err)
	}
	s.step(t)
	agent.quiet(1)
}

// Isolating devices of a protected group takes a second administrator, and is
// done with what whoever asked may do then.
func TestIsolationByFourEyes(t *testing.T) {
	s, agent := ableAgent(t)
	ctx, id := t.Context(), string(agent.id)
	admins := adminsGroup(t, s.Accounts).ID
	ann, ben := signedIn(t, s, "ann", admins), signedIn(t, s, "ben", admins)
	g, err := s.SaveDeviceGroup(ctx, boss, 0, RuleEdit{Name: "production", Rules: []group.Rule{{Conditions: []group.Condition{{Property: "name", Operator: "starts_with", Values: []string{id[:6]}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.SetApprovalPolicy(ctx, boss, ApprovalPolicy{Rules: []ApprovalRule{{Actions: []string{protocol.TaskIsolate}, Groups: []exposure.Group{g.ID}, Hours: 4}}}); err != nil {
		t.Fatal(err)
	}
	ask := func(who Caller) MachineAction {
		t.Helper()
		a := s.does(t, who, id, NewMachineAction{Kind: protocol.TaskIsolate})
		if a.Status != "Pending" || !a.Waits || a.Approval == "" {
			t.Fatalf("without a second administrator: %+v", a)
		}
		s.step(t)
		agent.quiet(1)
		return a
	}
	a := ask(ann)
	if _, err := s.Decide(ctx, ann, a.Approval, true, ""); !errors.Is(err, ErrDenied) {
		t.Errorf("who asked approves: %v", err)
	}
	if row, err := s.Decide(ctx, ben, a.Approval, false, "not now"); err != nil || row.State != store.ApprovalRefused {
		t.Fatalf("%+v, %v", row, err)
	}
	if now := s.stands(t, a.ID, "Cancelled"); now.Error != "ben refused it: not now" {
		t.Errorf("%+v", now)
	}
	a = ask(ann)
	if row, err := s.Decide(ctx, ben, a.Approval, true, ""); err != nil || row.State != store.ApprovalDone {
		t.Fatalf("%+v, %v", row, err)
	}
	s.step(t)
	if m := agent.recv(); m.Isolate == nil || m.Isolate.ID != a.ID {
		t.Fatalf("approved: the agent got %+v", m)
	}
	agent.reports(protocol.TaskState{ID: a.ID, State: protocol.TaskSucceeded})

	// The device is not among those of who asked any more when it is approved.
	operators := team(t, s.Accounts, "operators", ActOperations)
	cat := signedIn(t, s, "cat", operators)
	if _, err := s.SetGroupAccess(ctx, boss, g.ID, GroupAccess{UserGroups: []int64{operators, admins}}); err != nil {
		t.Fatal(err)
	}
	cat, err = s.personCaller(ctx, cat.UserID)
	if err != nil {
		t.Fatal(err)
	}
	a = ask(cat)
	if _, err := s.SetGroupAccess(ctx, boss, g.ID, GroupAccess{UserGroups: []int64{admins}}); err != nil {
		t.Fatal(err)
	}
	if row, err := s.Decide(ctx, ben, a.Approval, true, ""); err != nil || row.State != store.ApprovalFailed {
		t.Fatalf("out of scope: %+v, %v", row, err)
	}
	s.stands(t, a.ID, "Cancelled")
	s.step(t)
	agent.quiet(2)

	// And a lockdown ends what waits.
	a = ask(ann)
	if _, err := s.StartLockdown(ctx, boss, "attack"); err != nil {
		t.Fatal(err)
	}
	s.stands(t, a.ID, "Cancelled")
	if _, err := s.Decide(ctx, ben, a.Approval, true, ""); err == nil {
		t.Error("approved in a lockdown")
	}
}

// upload sends a package as an agent does and returns the status.
func (a *fakeAgent) upload(id string, body []byte, hash string) int {
	a.s.t.Helper()
	req, err := http.NewRequestWithContext(a.s.t.Context(), http.MethodPut, a.s.url+protocol.PackagePath+id, bytes.NewReader(body))
	if err != nil {
		a.s.t.Fatal(err)
	}
	req.Header.Set(protocol.PackageHash, hash)
	resp, err := a.s.client(a.cert, 0).Do(req)
	if err != nil {
		a.s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode
}

func TestPackages(t *testing.T) {
	s, agent := ableAgent(t)
	ctx, id := t.Context(), string(agent.id)
	body := []byte("PK\x03\x04 not really")
	digest := sha256.Sum256(body)
	hash := hex.EncodeToString(digest[:])
	a := s.does(t, boss, id, NewMachineAction{Kind: protocol.TaskCollect})
	if got := agent.upload(a.ID, body, hash); got != http.StatusNotFound {
		t.Errorf("before it was sent: %d", got)
	}
	s.step(t)
	agent.recv()
	stranger := agent.s.enroll(newKey(t))
	for name, got := range map[string][2]int{
		"another device":   {stranger.upload(a.ID, body, hash), 404},
		"no such action":   {agent.upload("0123abcd-4567-89ef-0123-456789abcdef", body, hash), 404},
		"a path":           {agent.upload("..%2f..%2fpicket.db", body, hash), 404},
		"another hash":     {agent.upload(a.ID, body, strings.Repeat("0", 64)), 400},
		"no hash":          {agent.upload(a.ID, body, ""), 400},
		"nothing":          {agent.upload(a.ID, nil, hash), 400},
		"without identity": {(&fakeAgent{s: agent.s}).upload(a.ID, body, hash), 403},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %d, want %d", name, got[0], got[1])
		}
	}
	agent.reports(protocol.TaskState{ID: a.ID, State: protocol.TaskRunning})
	if got := agent.upload(a.ID, body, hash); got != http.StatusNoContent {
		t.Fatalf("the package: %d", got)
	}
	info, err := os.Stat(s.packagePath(a.ID))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	if _, _, err := s.Package(ctx, boss, a.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("before its action has ended: %v", err)
	}
	agent.reports(protocol.TaskState{ID: a.ID, State: protocol.TaskSucceeded, Result: &protocol.TaskResult{Package: &protocol.PackageResult{Bytes: int64(len(body)), SHA256: hash}}})
	row := s.stands(t, a.ID, "Succeeded")
	if row.Package == nil || row.Package.Bytes != int64(len(body)) || row.Package.SHA256 != hash {
		t.Errorf("%+v", row.Package)
	}
	if got := agent.upload(a.ID, body, hash); got != http.StatusNotFound {
		t.Errorf("after its end: %d", got)
	}

	// The link works for who made it, while the package is there and it is not over.
	link, err := s.PackageLink(ctx, boss, a.ID, "https://p.example")
	if err != nil {
		t.Fatal(err)
	}
	token := strings.Split(strings.TrimPrefix(link.URL, "https://p.example/packages/"), "/")[0]
	read := func(token string) ([]byte, error) {
		_, f, err := s.LinkedPackage(ctx, token)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		return io.ReadAll(f)
	}
	if got, err := read(token); err != nil || !bytes.Equal(got, body) {
		t.Errorf("by its link: %q, %v", got, err)
	}
	other, err := s.tickets.vault.seal("forward:x", `{"a":"`+a.ID+`","e":99999999999}`)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{"changed": token[:len(token)-2] + "AA", "nothing": "", "sealed for another purpose": hex.EncodeToString(other)} {
		if _, err := read(bad); !errors.Is(err, ErrNotFound) {
			t.Errorf("a link that is %s: %v", name, err)
		}
	}
	eve := signedIn(t, s, "eve", team(t, s.Accounts, "inquirers", Investigate))
	theirs, err := s.PackageLink(ctx, eve, a.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.EditPerson(ctx, boss, eve.UserID, PersonEdit{Disabled: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := read(strings.Split(strings.TrimPrefix(theirs.URL, "/packages/"), "/")[0]); !errors.Is(err, ErrNotFound) {
		t.Errorf("a link of somebody who is out: %v", err)
	}
	s.opt.Now = func() time.Time { return time.Now().Add(packageLinkFor + time.Second) }
	if _, err := read(token); !errors.Is(err, ErrNotFound) {
		t.Errorf("a link that is over: %v", err)
	}
	s.opt.Now = nil

	// It goes when its time is over, and the action says so.
	if _, err := s.SetPackageRetention(ctx, boss, PackageRetention{Days: 1, Most: 1 << 20, Total: 1 << 30}); err != nil {
		t.Fatal(err)
	}
	s.opt.Now = func() time.Time { return time.Now().Add(25 * time.Hour) }
	if err := s.sweepPackages(context.WithoutCancel(ctx)); err != nil {
		t.Fatal(err)
	}
	s.opt.Now = nil
	if row = s.stands(t, a.ID, "Succeeded"); row.Package == nil || row.Package.Gone == "" || row.Package.Bytes != 0 {
		t.Errorf("%+v", row.Package)
	}
	if _, err := os.Stat(s.packagePath(a.ID)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file: %v", err)
	}
	if _, err := read(token); !errors.Is(err, ErrNotFound) {
		t.Errorf("a link to what is gone: %v", err)
	}
	if v, err := s.PackageRetention(ctx, boss); err != nil || v.Removed != 1 || v.Packages != 0 {
		t.Errorf("%+v, %v", v, err)
	}
	// A package that is not here is no success.
	a = s.does(t, boss, id, NewMachineAction{Kind: protocol.TaskCollect})
	s.step(t)
	agent.recv()
	agent.reports(protocol.TaskState{ID: a.ID, State: protocol.TaskSucceeded, Result: &protocol.TaskResult{Package: &protocol.PackageResult{Bytes: 1, SHA256: hash}}})
	s.stands(t, a.ID, "Failed")
	// Beyond the limits of the protocol it is a failure, and is acknowledged.
	a = s.does(t, boss, id, NewMachineAction{Kind: protocol.TaskCollect})
	s.step(t)
	agent.recv()
	agent.reports(protocol.TaskState{ID: a.ID, State: protocol.TaskSucceeded, Detail: strings.Repeat("x", protocol.MaxSentence+1)})
	s.stands(t, a.ID, "Failed")
}

// Actions and what became of them survive the server.
func TestActionsSurviveARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	agent := serveGateway(t, s.gate).enroll(newKey(t))
	agent.connect("", protocol.Evidence{MachineID: "m1"})
	agent.says(s, &protocol.Response{Can: []protocol.Ability{{Kind: protocol.TaskIsolate}}})
	a := s.does(t, boss, string(agent.id), NewMachineAction{Kind: protocol.TaskIsolate})
	agent.leave(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := openTest(t, dir)
	t.Cleanup(func() {
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	})
	back := serveGateway(t, again.gate)
	agent.s = back
	agent.back(again, &protocol.Response{Can: []protocol.Ability{{Kind: protocol.TaskIsolate}}})
	again.step(t)
	if m := agent.recv(); m.Isolate == nil || m.Isolate.ID != a.ID {
		t.Fatalf("the agent got %+v", m)
	}
}

// An isolation that ends on the host, or whose rules were gone, is told.
func TestIsolationEndsOnTheHost(t *testing.T) {
	s, agent := ableAgent(t)
	on := protocol.Isolation{On: true, Since: time.Now().UTC().Truncate(time.Second)}
	agent.says(s, &protocol.Response{Isolation: on})
	repaired := on
	repaired.Repaired = 2
	agent.says(s, &protocol.Response{Isolation: repaired})
	agent.says(s, &protocol.Response{Isolation: protocol.Isolation{Since: on.Since, Cause: "ended by root"}})
	// What the host says is told after it is known.
	for _, want := range []string{"The isolation ended on the device: ended by root", "The rules of the isolation were gone on the device and were put back"} {
		waitFor(t, want, func() bool {
			line, err := s.Timeline(t.Context(), boss, string(agent.id), TimelineQuery{From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour), Limit: 50})
			if err != nil {
				t.Fatal(err)
			}
			return slices.ContainsFunc(line.Items, func(r TimelineRow) bool { return r.Title == want })
		})
	}
}
