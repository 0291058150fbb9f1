package server

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/group"
	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/store"
)

// Every message that the server can send has an effect, and every action one
// that somebody may ask for (CVE-2025-6264): a new message fails here until
// somebody has said what it makes an agent do.
func TestEveryMessageHasAnEffect(t *testing.T) {
	fromAgent := []string{"Hello", "Kept", "Deliver", "Seen", "CSR", "Events", "TaskState", "Response"}
	typ := reflect.TypeFor[protocol.Message]()
	for i := range typ.NumField() {
		f := typ.Field(i)
		var m protocol.Message
		reflect.ValueOf(&m).Elem().Field(i).Set(reflect.New(f.Type.Elem()))
		effect := effectOf(&m)
		if slices.Contains(fromAgent, f.Name) != (effect == "") {
			t.Errorf("%s has the effect %q", f.Name, effect)
		}
		err := (&session{}).send(t.Context(), &protocol.Message{Nudge: m.Nudge, Hello: m.Hello})
		if effect != EffectProtocol && err == nil {
			t.Errorf("%s is sent without an order", f.Name)
		}
	}
	for _, a := range actions() {
		if !slices.Contains([]Effect{EffectLook, EffectRead, EffectChange, EffectRun}, a.effect()) || len(a.need) == 0 || a.name == "" || a.able == nil {
			t.Errorf("action %+v is not complete", a.id)
		}
	}
}

// Nothing but act and what was approved reaches the agents' connections: who
// calls what is read from the source (CVE-2026-19583).
func TestOneWayToAgents(t *testing.T) {
	calls, orders, nudges, asks := map[string][]string{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			in := name
			if fn, ok := d.(*ast.FuncDecl); ok {
				in = fn.Name.Name
			}
			ast.Inspect(d, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					if sel, ok := n.Fun.(*ast.SelectorExpr); ok {
						calls[sel.Sel.Name] = append(calls[sel.Sel.Name], in)
						if x, ok := sel.X.(*ast.SelectorExpr); ok && (x.Sel.Name == "conn" || x.Sel.Name == "gate") {
							what := x.Sel.Name + "." + sel.Sel.Name
							calls[what] = append(calls[what], in)
						}
					}
				case *ast.CompositeLit:
					switch typ := n.Type.(type) {
					case *ast.Ident:
						orders[in] = orders[in] || typ.Name == "order"
					case *ast.SelectorExpr:
						nudges[in] = nudges[in] || typ.Sel.Name == "Nudge"
						if slices.Contains([]string{"Collect", "Scan", "Isolate", "Release"}, typ.Sel.Name) {
							asks[in] = true
						}
					}
				}
				return true
			})
		}
	}
	maps.DeleteFunc(orders, func(_ string, is bool) bool { return !is })
	maps.DeleteFunc(nudges, func(_ string, is bool) bool { return !is })
	only := func(what string, got []string, want ...string) {
		t.Helper()
		slices.Sort(got)
		if got = slices.Compact(got); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	only("who makes orders", slices.Sorted(maps.Keys(orders)), "carryOut", "sendTask")
	only("who makes a nudge", slices.Collect(maps.Keys(nudges)), "actions")
	only("who makes tasks", slices.Sorted(maps.Keys(asks)), "taskActions")
	only("who carries orders", calls["gate.carry"], "carryOut", "sendTask")
	only("who sends tasks", calls["sendTask"], "advance")
	only("who looks at them", calls["advance"], "sendTasks")
	only("who stores tasks", calls["AddMachineActions"], "askTasks")
	only("who asks for tasks", calls["askTasks"], "act")
	only("who lets tasks go that waited", calls["approveTasks"], "carryAs")
	only("who changes tasks", calls["ChangeMachineAction"], "CancelMachineAction", "approveTasks", "dropPackage", "moveTask", "sendTask", "takePackage")
	only("who says what the connection's business is", calls["gate.tell"], "advance", "timeOut")
	only("who carries out", calls["carryOut"], "act", "carryAs")
	only("who carries out what was approved", calls["carryAs"], "carryApproved")
	only("who finds what was approved", calls["carryApproved"], "decide", "resumeApprovals")
	only("who decides", calls["decide"], "Decide")
	only("who writes to a connection", calls["conn.Send"], "write")
	only("who hands over what is approved", calls["MoveApproval"], "WithdrawApproval", "applyLeaving", "applyPolicy", "carryApproved", "decide", "resumeApprovals")
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, "_test.go") && name != "gateway_session.go" && strings.Contains(string(raw), ".conn.Send") {
			t.Errorf("%s sends to a connection itself", name)
		}
	}
}

// fleetOf is a server with an agent that is connected.
func fleetOf(t *testing.T) (*Server, *fakeAgent) {
	t.Helper()
	s := testServer(t)
	a := serveGateway(t, s.gate).enroll(newKey(t))
	a.connect("", protocol.Evidence{MachineID: "m1"})
	return s, a
}

// quiet fails when the agent was sent something that is no acknowledgement.
func (a *fakeAgent) quiet(mark uint64) {
	a.s.t.Helper()
	a.send(&protocol.Message{Seen: &protocol.Seen{Mark: mark}})
	if m := a.recv(); m.Ack == nil || m.Ack.Mark != mark {
		a.s.t.Errorf("the agent got %+v", m)
	}
}

func (a *fakeAgent) nudged() {
	a.s.t.Helper()
	if m := a.recv(); m.Nudge == nil {
		a.s.t.Errorf("the agent got %+v", m)
	}
}

// signedIn is a new person of some user groups in a session of the own.
func signedIn(t *testing.T, s *Server, name string, groups ...int64) Caller {
	t.Helper()
	l, err := s.AddPerson(t.Context(), boss, NewPerson{Name: name, UserGroups: groups})
	if err != nil {
		t.Fatal(err)
	}
	in, err := s.RedeemLink(t.Context(), l.Secret, Place{})
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := s.SessionCaller(t.Context(), in.Secret)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// everything is a rule that asks for an approval of all actions on all devices.
func everything() ApprovalPolicy {
	return ApprovalPolicy{Rules: []ApprovalRule{{AllActions: true, AllDevices: true, Hours: 2}}}
}

func TestApprovalIsBySomebodyElse(t *testing.T) {
	s, agent := fleetOf(t)
	ctx, id := t.Context(), string(agent.id)
	operators := team(t, s.Accounts, "operators", ActOperations, Investigate)
	ann, ben := signedIn(t, s, "ann", operators), signedIn(t, s, "ben", operators)
	inquirer := signedIn(t, s, "ida", team(t, s.Accounts, "inquirers", Investigate))
	reader := signedIn(t, s, "rob", team(t, s.Accounts, "readers", ViewOperations))
	if _, out, err := s.Nudge(ctx, ann, id, ""); err != nil || out.State != "done" {
		t.Fatalf("without a policy: %+v, %v", out, err)
	}
	agent.nudged()
	if r, err := s.SetApprovalPolicy(ctx, boss, everything()); err != nil || r.Approval != nil {
		t.Fatalf("protecting more: %+v, %v", r, err)
	}
	_, out, err := s.Nudge(ctx, ann, id, "case 7")
	if err != nil || out.State != "pending" || out.Approval == nil || out.Approval.MayDecide || !out.Approval.Own || out.Approval.Comment != "case 7" {
		t.Fatalf("with a policy: %+v, %v", out.Approval, err)
	}
	agent.quiet(1)
	if _, _, err := s.Nudge(ctx, ben, id, ""); !errors.Is(err, ErrConflict) {
		t.Errorf("the same once more: %v", err)
	}
	late := signedIn(t, s, "late", operators)
	request := out.Approval.ID
	token := ben
	token.App, token.session = "some-token", ""
	for name, tt := range map[string]struct {
		who  Caller
		want error
	}{
		"who asked":                          {ann, ErrDenied},
		"without the right to approve":       {inquirer, ErrDenied},
		"a reader":                           {reader, ErrDenied},
		"the command line":                   {LocalCaller(), ErrDenied},
		"a token of somebody who may":        {token, ErrDenied},
		"an account that was made meanwhile": {late, ErrDenied},
		"who does not see the device":        {Caller{UserID: ben.UserID, Name: "ben", session: "x", Permissions: ben.Permissions, Scope: exposure.Within(7)}, ErrNotFound},
	} {
		for _, approve := range []bool{true, false} {
			if _, err := s.Decide(ctx, tt.who, request, approve, ""); !errors.Is(err, tt.want) {
				t.Errorf("%s decides (%v): %v, want %v", name, approve, err, tt.want)
			}
		}
	}
	agent.quiet(2)
	row, err := s.Decide(ctx, ben, request, true, "go on")
	if err != nil || row.State != store.ApprovalDone || row.Decider != "ben" || row.Requester != "ann" || row.Note != "go on" {
		t.Fatalf("approved: %+v, %v", row, err)
	}
	agent.nudged()
	if _, err := s.Decide(ctx, ben, request, true, ""); !errors.Is(err, ErrConflict) {
		t.Errorf("approved twice: %v", err)
	}
	agent.quiet(3)
	page, err := s.Approvals(ctx, reader, Query{Filter: map[string][]string{"state": {"done"}}})
	if err != nil || page.Total != 1 || page.Items[0].ID != request {
		t.Errorf("history: %+v, %v", page, err)
	}
	elsewhere := reader
	elsewhere.Groups = []exposure.Group{7}
	if page, err := s.Approvals(ctx, elsewhere, Query{}); err != nil || page.Total != 0 {
		t.Errorf("of another device group: %+v, %v", page, err)
	}
}

func TestRequestsEnd(t *testing.T) {
	s, agent := fleetOf(t)
	ctx, id := t.Context(), string(agent.id)
	operators := team(t, s.Accounts, "operators", ActOperations, Investigate)
	ann, ben := signedIn(t, s, "ann", operators), signedIn(t, s, "ben", operators)
	if _, err := s.SetApprovalPolicy(ctx, boss, everything()); err != nil {
		t.Fatal(err)
	}
	ask := func() string {
		t.Helper()
		_, out, err := s.Nudge(ctx, ann, id, "")
		if err != nil {
			t.Fatal(err)
		}
		return out.Approval.ID
	}
	gone := func(what, request, state string) {
		t.Helper()
		row, err := s.Approval(ctx, ben, request)
		if err != nil || row.State != state || row.MayDecide {
			t.Errorf("%s: %+v, %v", what, row, err)
		}
		if _, err := s.Decide(ctx, ben, request, true, ""); !errors.Is(err, ErrConflict) {
			t.Errorf("%s and approved then: %v", what, err)
		}
	}
	request := ask()
	if _, err := s.Decide(ctx, ben, request, false, "not now"); err != nil {
		t.Fatal(err)
	}
	gone("refused", request, store.ApprovalRefused)
	request = ask()
	if _, err := s.WithdrawApproval(ctx, ben, request); !errors.Is(err, ErrDenied) {
		t.Errorf("somebody else withdraws: %v", err)
	}
	if _, err := s.WithdrawApproval(ctx, ann, request); err != nil {
		t.Fatal(err)
	}
	gone("withdrawn", request, store.ApprovalWithdrawn)
	request = ask()
	s.opt.Now = func() time.Time { return time.Now().Add(2*time.Hour + time.Second) }
	gone("too old", request, store.ApprovalExpired)
	if err := s.expireApprovals(ctx); err != nil {
		t.Fatal(err)
	}
	s.opt.Now = nil
	gone("expired", request, store.ApprovalExpired)

	// What whoever asked may not do any more is not done.
	request = ask()
	if _, err := s.EditPerson(ctx, boss, ann.UserID, PersonEdit{Disabled: true}); err != nil {
		t.Fatal(err)
	}
	if row, err := s.Decide(ctx, ben, request, true, ""); err != nil || row.State != store.ApprovalFailed || !strings.Contains(row.Result, "may not do this any more") {
		t.Errorf("asked by somebody who is out: %+v, %v", row, err)
	}
	agent.quiet(1)
}

// What was approved when the server stopped is carried out once it runs again;
// what may have been sent is not sent again.
func TestApprovedActionsAreCarriedOutOnce(t *testing.T) {
	s, agent := fleetOf(t)
	ctx := t.Context()
	for _, state := range []string{store.ApprovalApproved, store.ApprovalRunning} {
		id, err := s.st.AddApproval(ctx, store.Approval{Kind: ActionNudge, Args: []byte("{}"), Requester: "command line",
			Devices: []store.ApprovalDevice{{ID: agent.id, Name: state}}, Created: time.Now(), Expires: time.Now().Add(time.Hour)}, 10)
		if err == nil {
			err = s.st.MoveApproval(ctx, store.ApprovalPending, store.Approval{ID: id, State: state})
		}
		if err := s.st.MoveApproval(ctx, store.ApprovalPending, store.Approval{ID: id, State: store.ApprovalRefused}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("what is %s is decided once more: %v", state, err) // by two at the same moment
		}
		if err != nil {
			t.Fatal(err)
		}
		if state == store.ApprovalApproved {
			err = s.resumeApprovals(ctx)
			agent.nudged()
		}
		if err = errors.Join(err, s.resumeApprovals(ctx)); err != nil {
			t.Fatal(err)
		}
		agent.quiet(uint64(id))
		want := map[string]string{store.ApprovalApproved: store.ApprovalDone, store.ApprovalRunning: store.ApprovalFailed}[state]
		if p, err := s.st.Approval(ctx, id); err != nil || p.State != want {
			t.Errorf("%s became %+v, %v", state, p, err)
		}
	}
}

func TestPolicyIsNotWeakenedByOne(t *testing.T) {
	s, agent := fleetOf(t)
	ctx := t.Context()
	admins := adminsGroup(t, s.Accounts).ID
	ann, ben := signedIn(t, s, "ann", admins), signedIn(t, s, "ben", admins)
	g, err := s.SaveDeviceGroup(ctx, boss, 0, RuleEdit{Name: "production", Rules: []group.Rule{{Conditions: []group.Condition{{Property: "name", Operator: "starts_with", Values: []string{"x"}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	some := ApprovalPolicy{Rules: []ApprovalRule{{Actions: []string{ActionNudge}, Groups: []exposure.Group{0, g.ID}, Hours: 24}}}
	if r, err := s.SetApprovalPolicy(ctx, ann, some); err != nil || r.Approval != nil {
		t.Fatalf("%+v, %v", r, err)
	}
	if err := s.DeleteDeviceGroup(ctx, ann, g.ID); !errors.Is(err, ErrConflict) {
		t.Errorf("a protected group is deleted: %v", err)
	}
	r, err := s.SetApprovalPolicy(ctx, ann, ApprovalPolicy{})
	if err != nil || r.Approval == nil || len(r.Policy.Rules) != 1 {
		t.Fatalf("less: %+v, %v", r, err)
	}
	if _, out, err := s.Nudge(ctx, ann, string(agent.id), ""); err != nil || out.Approval == nil {
		t.Errorf("the policy does not hold any more: %+v, %v", out, err)
	}
	if _, err := s.Decide(ctx, ann, r.Approval.ID, true, ""); !errors.Is(err, ErrDenied) {
		t.Errorf("who asked approves: %v", err)
	}
	if row, err := s.Decide(ctx, ben, r.Approval.ID, true, ""); err != nil || row.State != store.ApprovalDone {
		t.Fatalf("%+v, %v", row, err)
	}
	if p, err := s.ApprovalPolicy(ctx, ann); err != nil || len(p.Rules) != 0 {
		t.Errorf("policy: %+v, %v", p, err)
	}
	if err := s.DeleteDeviceGroup(ctx, ann, g.ID); err != nil {
		t.Error(err)
	}

	for name, tt := range map[string]struct {
		before, after ApprovalPolicy
		want          bool
	}{
		"nothing to something":       {ApprovalPolicy{}, some, false},
		"the same":                   {some, some, false},
		"all to some":                {everything(), some, true},
		"some to all":                {some, everything(), false},
		"a group less":               {some, ApprovalPolicy{Rules: []ApprovalRule{{Actions: []string{ActionNudge}, Groups: []exposure.Group{0}, Hours: 24}}}, true},
		"all actions to those known": {everything(), ApprovalPolicy{Rules: []ApprovalRule{{Actions: []string{ActionNudge}, AllDevices: true, Hours: 2}}}, true},
		"split in two":               {some, ApprovalPolicy{Rules: []ApprovalRule{{Actions: []string{ActionNudge}, Groups: []exposure.Group{0}, Hours: 1}, {AllActions: true, Groups: []exposure.Group{g.ID}, Hours: 1}}}, false},
	} {
		if got := weaker(tt.before, tt.after); got != tt.want {
			t.Errorf("%s is weaker: %v", name, got)
		}
	}
}

func TestLockdown(t *testing.T) {
	s, agent := fleetOf(t)
	ctx, id := t.Context(), string(agent.id)
	admins := adminsGroup(t, s.Accounts).ID
	ann, ben := signedIn(t, s, "ann", admins), signedIn(t, s, "ben", admins)
	if _, err := s.SetApprovalPolicy(ctx, boss, everything()); err != nil {
		t.Fatal(err)
	}
	_, waiting, err := s.Nudge(ctx, ann, id, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.StartLockdown(ctx, LocalCaller(), "we are being attacked"); err != nil {
		t.Fatal(err)
	}
	locked := func(when string, lifts int) {
		t.Helper()
		var why *LockdownError
		if _, _, err := s.Nudge(ctx, ann, id, ""); !errors.As(err, &why) || !errors.Is(err, ErrDenied) {
			t.Errorf("%s: %v", when, err)
		}
		if _, _, err := s.Nudge(ctx, LocalCaller(), id, ""); !errors.As(err, &why) {
			t.Errorf("%s, on the server: %v", when, err)
		}
		l, err := s.Lockdown(ctx, ann)
		if err != nil || !l.On || len(l.Lifts) != lifts {
			t.Errorf("%s: %+v, %v", when, l, err)
		}
	}
	locked("at first", 0)
	if row, err := s.Approval(ctx, ben, waiting.Approval.ID); err != nil || row.State != store.ApprovalCancelled {
		t.Errorf("what waited: %+v, %v", row, err)
	}
	if st, err := s.Status(ctx, ann); err != nil || st.Lockdown == nil || st.Lockdown.Reason != "we are being attacked" {
		t.Errorf("status: %+v, %v", st.Lockdown, err)
	}
	late := signedIn(t, s, "late", admins)
	token := ben
	token.App, token.session = "some-token", ""
	for name, who := range map[string]Caller{"the command line": LocalCaller(), "a token": token, "an account that was made meanwhile": late} {
		if _, err := s.LiftLockdown(ctx, who); !errors.Is(err, ErrDenied) {
			t.Errorf("%s lifts it: %v", name, err)
		}
	}
	for range 3 { // one administrator is one, however often
		if _, err := s.LiftLockdown(ctx, ann); err != nil {
			t.Fatal(err)
		}
		locked("with one word", 1)
	}
	if _, err := s.KeepLockdown(ctx, ann); err != nil {
		t.Fatal(err)
	}
	locked("with the word taken back", 0)
	if _, err := s.LiftLockdown(ctx, ann); err != nil {
		t.Fatal(err)
	}
	s.opt.Now = func() time.Time { return time.Now().Add(liftLife + time.Minute) }
	if _, err := s.LiftLockdown(ctx, ben); err != nil { // that of ann is too old
		t.Fatal(err)
	}
	s.opt.Now = nil
	locked("with an old word", 1)
	if err := s.guard.load(ctx, s.st); err != nil {
		t.Fatal(err)
	}
	locked("after a restart", 1)
	agent.quiet(1)
	if l, err := s.LiftLockdown(ctx, ann); err != nil || l.On {
		t.Fatalf("with two words: %+v, %v", l, err)
	}
	if _, out, err := s.Nudge(ctx, ann, id, ""); err != nil || out.Approval == nil {
		t.Errorf("afterwards: %v", err)
	}

	// Break-glass needs a reason.
	if _, err := s.StartLockdown(ctx, ann, "again"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Admin(ctx, "lockdown break-glass", []byte(`{"reason":" "}`), nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("break-glass without a reason: %v", err)
	}
	if _, err := s.Admin(ctx, "lockdown break-glass", []byte(`{"reason":"the other administrator left"}`), nil); err != nil {
		t.Fatal(err)
	}
	page, err := s.Audit(ctx, boss, Query{Text: "the other administrator left"})
	if err != nil || page.Total != 1 || page.Items[0].Action != "lockdown break-glass" {
		t.Errorf("audit log: %+v, %v", page, err)
	}
}

// A lockdown that begins after an order was given holds it back at the last moment.
func TestOrdersAreLookedAtWhenTheyAreSent(t *testing.T) {
	s, agent := fleetOf(t)
	a, _ := actionByID(ActionNudge)
	o := order{action: a.id, effect: EffectLook, stands: s.guard.open}
	s.gate.mu.Lock()
	open := s.gate.sessions[agent.id]
	s.gate.mu.Unlock()
	s.guard.lockdown.Store(&Lockdown{On: true, By: "ann"})
	if err := open.carry(t.Context(), o, a.message(&store.MachineAction{})); !errors.Is(err, ErrDenied) {
		t.Errorf("sent in a lockdown: %v", err)
	}
	s.guard.lockdown.Store(&Lockdown{})
	if _, err := s.gate.carry(order{action: "x", effect: EffectRun, stands: s.guard.open}, agent.id, a.message(&store.MachineAction{})); err == nil {
		t.Error("an order of another effect carries a nudge")
	}
	if err := open.send(t.Context(), a.message(&store.MachineAction{})); err == nil {
		t.Error("a nudge is sent without an order")
	}
	agent.quiet(1)
}
