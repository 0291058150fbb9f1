package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/store"
)

// action is something that people and programs make agents do. Its effect is
// that of the message.
type action struct {
	id      string
	name    string                                         // as a button says it
	need    []string                                       // permissions of which one is enough
	message func(t *store.MachineAction) *protocol.Message // t is the zero action unless it is a task
	task    bool                                           // it is kept as a machine action, with a state of its own
	// able says why a device cannot do it at all; nil when it can.
	able func(d *device) error
}

func (a *action) effect() Effect { return effectOf(a.message(&store.MachineAction{})) }

// ActionNudge is the id of the action that makes an agent look at everything now.
const ActionNudge = "check-in"

// actions are all of them.
func actions() []action {
	return append([]action{{
		id: ActionNudge, name: "Check in now", need: []string{MachineReadWrite, ManageDevices},
		message: func(*store.MachineAction) *protocol.Message { return &protocol.Message{Nudge: &protocol.Nudge{}} },
		able: func(d *device) error {
			if d.agent.Source == store.SourceSBOM {
				return fmt.Errorf("%s has no agent that could look: import its document again: %w", d.sum.Name, ErrConflict)
			}
			return nil
		},
	}}, taskActions()...)
}

func actionByID(id string) (action, bool) {
	list := actions()
	i := slices.IndexFunc(list, func(a action) bool { return a.id == id })
	if i < 0 {
		return action{}, false
	}
	return list[i], true
}

// ActionKind is an action that can be asked for.
type ActionKind struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Effect Effect `json:"effect" enum:"look,read,change,run" doc:"look: the agent looks again at what it reports anyway; read: something else is fetched; change: the device is changed; run: a program runs."`
	May    bool   `json:"may" doc:"The caller holds the permission for it."`
}

// ActionResult is what became of asking for an action.
type ActionResult struct {
	State string `json:"state" enum:"done,pending"`
	// Approval waits for somebody else, when the state is pending.
	Approval *ApprovalRow `json:"approval,omitempty"`
}

// ErrNeedsApproval says that an action waits for somebody else. It is an ErrConflict.
var ErrNeedsApproval = fmt.Errorf("somebody else has to approve this: %w", ErrConflict)

// ActionKinds lists the actions that there are.
func (s *Server) ActionKinds(_ context.Context, c Caller) ([]ActionKind, error) {
	if err := s.need(c, MachineRead); err != nil {
		return nil, err
	}
	out := []ActionKind{}
	for _, a := range actions() {
		out = append(out, ActionKind{ID: a.id, Name: a.name, Effect: a.effect(), May: s.need(c, a.need...) == nil})
	}
	return out, nil
}

const (
	mostActionDevices = 100 // in one request
	mostComment       = 1000
	mostPending       = 200 // of one requester
)

// wanted is what somebody wants done: scope, until and external are those of tasks.
type wanted struct {
	action   string
	devices  []string
	comment  string
	scope    string
	until    time.Time
	external string
	alert    string // that an investigation is started from
}

// acted is what became of it.
type acted struct {
	ActionResult
	on      []store.ApprovalDevice
	actions []store.MachineAction // of tasks, those that are stored
}

// act is the one way to make agents do something: whoever asks needs the
// permission of the action and sees every device, no lockdown holds, the
// devices can do it, and the rules of approval ask for nobody else or somebody
// else decides first. It is ErrNotFound for a device that the caller does not
// see, a *LockdownError during a lockdown, ErrConflict when the same waits for
// an approval already, and ErrUnavailable when no agent that it is for is
// connected. A task is stored and waits for its agent instead; where all devices
// have an active one of its kind it is an *ActiveError.
func (s *Server) act(ctx context.Context, caller Caller, q wanted) (acted, error) {
	a, ok := actionByID(q.action)
	if !ok || a.effect() == "" || a.effect() == EffectProtocol {
		return acted{}, fmt.Errorf("action %q has no effect that anybody may ask for", q.action)
	}
	if err := s.need(caller, a.need...); err != nil {
		return acted{}, err
	}
	q.comment = strings.TrimSpace(q.comment)
	if err := checkComment("comment", q.comment); err != nil {
		return acted{}, err
	}
	if len(q.devices) == 0 || len(q.devices) > mostActionDevices {
		return acted{}, Invalidf("devices", "name 1 to %d devices", mostActionDevices)
	}
	on, err := s.actionTargets(caller, &a, q.devices)
	if err != nil {
		return acted{}, err
	}
	if err := s.guard.open(); err != nil {
		return acted{on: on}, err
	}
	hours := s.approvalHours(&a, on)
	if a.task {
		return s.askTasks(ctx, caller, &a, on, q, hours)
	}
	if hours > 0 {
		row, err := s.askApproval(ctx, caller, &a, on, q.comment, hours)
		return acted{ActionResult: ActionResult{State: store.ApprovalPending, Approval: &row}, on: on}, err
	}
	audit.Change(ctx, objectNames(on), nil, map[string]any{"action": a.id, "effect": a.effect(), "devices": on, "comment": q.comment})
	return acted{ActionResult: ActionResult{State: store.ApprovalDone}, on: on}, s.carryOut(&a, on)
}

// checkComment checks a sentence that a person gives.
func checkComment(field, text string) error {
	if len(text) > mostComment || strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' }) >= 0 {
		return Invalidf(field, "must be text of at most %d bytes", mostComment)
	}
	return nil
}

func objectNames(on []store.ApprovalDevice) string {
	if len(on) == 1 {
		return string(on[0].ID)
	}
	return fmt.Sprintf("%d devices", len(on))
}

// actionTargets finds the devices of an action among those that a caller sees, each once.
func (s *Server) actionTargets(caller Caller, a *action, devices []string) ([]store.ApprovalDevice, error) {
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	var on []store.ApprovalDevice
	for _, name := range devices {
		d, err := c.named(caller.sees(), name)
		if err != nil {
			return nil, err
		}
		if err := a.able(d); err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(on, func(o store.ApprovalDevice) bool { return o.ID == d.id }) {
			on = append(on, store.ApprovalDevice{ID: d.id, Name: d.sum.Name})
		}
	}
	return on, nil
}

// carryOut sends the message of an action to the agents of devices. Those that
// are not connected are told in an ErrUnavailable; the others have it.
func (s *Server) carryOut(a *action, on []store.ApprovalDevice) error {
	o := order{action: a.id, effect: a.effect(), stands: s.guard.open}
	var away []string
	for _, d := range on {
		switch sent, err := s.gate.carry(o, d.ID, a.message(&store.MachineAction{})); {
		case err != nil:
			return err
		case !sent:
			away = append(away, d.Name)
		}
	}
	switch {
	case len(away) == 0:
		return nil
	case len(on) == 1:
		return fmt.Errorf("the agent of %s is not connected: it looks at everything when it starts: %w", away[0], ErrUnavailable)
	}
	return fmt.Errorf("%d of %d agents are not connected, among them that of %s: %w", len(away), len(on), away[0], ErrUnavailable)
}

// carryApproved carries out what was approved, once: whoever finds it in the
// state approved marks it as running, durably, before anything is sent.
func (s *Server) carryApproved(ctx context.Context, p store.Approval) (store.Approval, error) {
	if err := s.guard.open(); err != nil {
		return p, err
	}
	p.State = store.ApprovalRunning
	if err := s.st.MoveApproval(ctx, store.ApprovalApproved, p); err != nil {
		return p, notFound(err)
	}
	err := s.carryAs(ctx, &p)
	p.State, p.Ended, p.Result = store.ApprovalDone, s.now(), ""
	if err != nil {
		p.State, p.Result = store.ApprovalFailed, sentence(err)
	}
	if err := s.st.MoveApproval(context.WithoutCancel(ctx), store.ApprovalRunning, p); err != nil {
		return p, err
	}
	s.log.InfoContext(ctx, "approved action carried out", "approval", p.ID, "action", p.Kind, "state", p.State, "asked_by", p.Requester, "approved_by", p.Decider)
	s.live.publish(LiveEvent{Resource: "approvals"})
	return p, nil
}

// carryAs carries out an approval with what whoever asked may do now.
func (s *Server) carryAs(ctx context.Context, p *store.Approval) error {
	a, ok := actionByID(p.Kind)
	if !ok {
		return fmt.Errorf("this version knows no action %q: %w", p.Kind, ErrConflict)
	}
	who, err := s.requester(ctx, p)
	if err == nil {
		err = s.need(who, a.need...)
	}
	var on []store.ApprovalDevice
	if err == nil {
		on, err = s.actionTargets(who, &a, deviceIDs(p.Devices))
	}
	switch {
	case errors.Is(err, ErrUnauthenticated), errors.Is(err, ErrDenied), errors.Is(err, ErrNotFound):
		return fmt.Errorf("%s may not do this any more, or a device is gone: %w", p.Requester, ErrConflict)
	case err != nil:
		return err
	}
	if a.task {
		return s.approveTasks(ctx, p.ID, on)
	}
	err = s.carryOut(&a, on)
	p.Results = map[inventory.DeviceID]string{}
	for _, d := range on {
		if p.Results[d.ID] = ""; !s.gate.connected(d.ID) {
			p.Results[d.ID] = "Its agent was not connected."
		}
	}
	return err
}

func deviceIDs(on []store.ApprovalDevice) []string {
	out := make([]string, len(on))
	for i, d := range on {
		out[i] = string(d.ID)
	}
	return out
}

// requester is who asked for an approval, with what that one may do now.
func (s *Server) requester(ctx context.Context, p *store.Approval) (Caller, error) {
	switch {
	case p.App != "" && p.User != 0:
		return s.holderFor(ctx, p.App, p.User)
	case p.App != "":
		return s.appHolder(ctx, p.App)
	case p.User != 0:
		return s.personCaller(ctx, p.User)
	}
	return LocalCaller(), nil
}

// sentence is an error as a person reads it: without the words of its kind.
func sentence(err error) string {
	text := err.Error()
	for _, kind := range []error{ErrNotFound, ErrConflict, ErrInvalid, ErrDenied, ErrUnavailable} {
		text = strings.TrimSuffix(text, ": "+kind.Error())
	}
	r := []rune(text)
	return cutText(strings.ToUpper(string(r[:1]))+strings.TrimSuffix(string(r[1:]), ".")+".", mostComment)
}

// runApprovals ends what nobody decided in time, and carries out what was
// approved when the server stopped before it could.
func (s *Server) runApprovals(ctx context.Context) error {
	if err := s.resumeApprovals(ctx); err != nil {
		s.log.ErrorContext(ctx, "approved actions not resumed", "error", err)
	}
	tick := time.NewTicker(approvalsEvery)
	defer tick.Stop()
	for {
		if err := s.expireApprovals(ctx); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "end requests that nobody decided", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

const approvalsEvery = 30 * time.Second

// resumeApprovals carries out what is approved. What was running when the
// server stopped is not sent again: it may have arrived.
func (s *Server) resumeApprovals(ctx context.Context) error {
	list, err := s.st.Approvals(ctx, store.ApprovalApproved, store.ApprovalRunning)
	if err != nil {
		return err
	}
	for _, p := range list {
		if p.State == store.ApprovalRunning {
			p.State, p.Ended, p.Result = store.ApprovalFailed, s.now(), "The server stopped while this was carried out: some agents may have it and some not. Ask again."
			if p.Kind == store.ApprovalLeaveKind {
				p.Result = "The server stopped while this was carried out: look whether it holds, and ask again if not."
			}
			if err := s.st.MoveApproval(s.byServer(ctx, "carry-out-action", &p), store.ApprovalRunning, p); err != nil {
				return err
			}
			continue
		}
		if _, err := s.carryApproved(s.byServer(ctx, "carry-out-action", &p), p); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) expireApprovals(ctx context.Context) error {
	waiting, err := s.st.Approvals(ctx, store.ApprovalPending)
	if err != nil || !slices.ContainsFunc(waiting, func(a store.Approval) bool { return !a.Expires.After(s.now()) }) {
		return err
	}
	ctx = s.byServer(ctx, "expire-approvals", nil)
	ended, err := s.st.ExpireApprovals(ctx, s.now())
	if err == nil && len(ended) > 0 {
		s.log.InfoContext(ctx, "requests ended that nobody decided", "requests", len(ended))
		s.live.publish(LiveEvent{Resource: "approvals"})
	}
	return err
}

// byServer is a context whose changes the audit log tells as the server's own.
func (s *Server) byServer(ctx context.Context, what string, p *store.Approval) context.Context {
	e := audit.Entry{At: time.Now(), Kind: audit.Local, Actor: "server", ActorID: "server", Action: what, Outcome: audit.Done}
	if p != nil {
		e.Object = fmt.Sprint(p.ID)
	}
	return audit.With(ctx, audit.NewDraft(e))
}
