package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
)

// ApprovalDeviceRow is a device of a request, and how it went there.
type ApprovalDeviceRow struct {
	ID     inventory.DeviceID `json:"id"`
	Name   string             `json:"name"` // when it was asked for
	Result string             `json:"result,omitempty" doc:"Why it did not work on this device."`
}

// ApprovalRow is a request that somebody else decides.
type ApprovalRow struct {
	ID        string              `json:"id"`
	Kind      string              `json:"kind" doc:"Id of an action, approval-policy or leave-approval."`
	Name      string              `json:"name"` // of the action
	State     string              `json:"state" enum:"pending,approved,running,done,failed,refused,withdrawn,expired,cancelled"`
	Devices   []ApprovalDeviceRow `json:"devices"`
	Comment   string              `json:"comment"`
	Requester string              `json:"requester"`
	Program   bool                `json:"program"` // asked for with a token
	CreatedAt time.Time           `json:"created_at"`
	ExpiresAt time.Time           `json:"expires_at"`
	Decider   string              `json:"decider,omitempty"`
	DecidedAt time.Time           `json:"decided_at,omitzero"`
	Note      string              `json:"note,omitempty"` // of whoever decided
	EndedAt   time.Time           `json:"ended_at,omitzero"`
	Result    string              `json:"result,omitempty"`
	// Own says that the caller asked; MayDecide that the caller can decide, and WhyNot why not.
	Own       bool   `json:"own"`
	MayDecide bool   `json:"may_decide"`
	WhyNot    string `json:"why_not,omitempty"`
	// Before and After are the rules of approval, for a change of them.
	Before *ApprovalPolicy `json:"before,omitempty"`
	After  *ApprovalPolicy `json:"after,omitempty"`
	// Change is what takes devices out of the reach of rules of approval.
	Change json.RawMessage `json:"change,omitempty" doc:"For leave-approval: {before, after} of what is changed; either may be left out."`
}

// askApproval stores a request for somebody else to decide.
func (s *Server) askApproval(ctx context.Context, c Caller, a *action, on []store.ApprovalDevice, comment string, hours int) (ApprovalRow, error) {
	return s.addApproval(ctx, c, store.Approval{Kind: a.id, Args: json.RawMessage("{}"), Devices: on, Comment: comment}, hours)
}

func (s *Server) addApproval(ctx context.Context, c Caller, p store.Approval, hours int) (ApprovalRow, error) {
	p.State, p.Requester, p.User, p.App = store.ApprovalPending, c.Name, c.UserID, c.App
	p.Created = s.now().Truncate(time.Millisecond)
	p.Expires = p.Created.Add(time.Duration(hours) * time.Hour)
	audit.Change(ctx, objectNames(p.Devices), nil, map[string]any{"request": p.Kind, "devices": namesOf(p.Devices), "comment": p.Comment, "expires": p.Expires, "args": p.Args})
	id, err := s.st.AddApproval(ctx, p, mostPending)
	switch {
	case errors.Is(err, store.ErrTaken):
		return ApprovalRow{}, fmt.Errorf("the same waits for an approval on one of these devices already: %w", ErrConflict)
	case errors.Is(err, store.ErrFull):
		return ApprovalRow{}, fmt.Errorf("%d requests of yours wait already: withdraw some: %w", mostPending, ErrConflict)
	case err != nil:
		return ApprovalRow{}, err
	}
	p.ID = id
	s.log.InfoContext(ctx, "approval asked for", "approval", id, "action", p.Kind, "by", c.Name)
	s.live.publish(LiveEvent{Resource: "approvals"})
	return s.approvalRow(ctx, c, &p), nil
}

// shows reports whether a caller may know of a request: whoever sees all of its
// devices; what is about no device is the administrators'.
func (s *Server) shows(c Caller, p *store.Approval) bool {
	if p.Kind == store.ApprovalPolicyKind {
		return c.Has(ManageSettings)
	}
	if c.sees().All() || p.Kind == store.ApprovalLeaveKind && c.Has(ManageSettings) {
		return true
	}
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	return !slices.ContainsFunc(p.Devices, func(d store.ApprovalDevice) bool {
		num, ok := s.core.byID[d.ID]
		return !ok || !c.sees().Has(s.core.at(num).group)
	})
}

// among reports whether a request is about the device groups that a caller looks at.
func (s *Server) among(c Caller, p *store.Approval) bool {
	if c.looks().All() {
		return true
	}
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	return slices.ContainsFunc(p.Devices, func(d store.ApprovalDevice) bool {
		num, ok := s.core.byID[d.ID]
		return ok && c.looks().Has(s.core.at(num).group)
	})
}

// mayDecide is nil for whoever may approve or refuse a request: somebody else
// than who asked, with the permission of the action and that of approving.
func (s *Server) mayDecide(ctx context.Context, c Caller, p *store.Approval) error {
	need := []string{ManageSettings}
	if p.Kind != store.ApprovalPolicyKind && p.Kind != store.ApprovalLeaveKind {
		a, ok := actionByID(p.Kind)
		if !ok {
			return fmt.Errorf("this version knows no action %q: %w", p.Kind, ErrConflict)
		}
		if err := s.need(c, ApproveActions); err != nil {
			return err
		}
		need = a.need
	}
	if err := s.need(c, need...); err != nil {
		return err
	}
	if p.User != 0 && p.User == c.UserID {
		return &PolicyError{Message: "Somebody else than who asked has to decide."}
	}
	if p.App != "" {
		app, err := s.st.AppByClient(ctx, p.App)
		if err == nil && app.By == c.Name {
			return &PolicyError{Message: "You registered the application that asked, so somebody else has to decide."}
		}
	}
	return s.ownEyes(ctx, c, p.Created)
}

func (s *Server) approvalRow(ctx context.Context, c Caller, p *store.Approval) ApprovalRow {
	r := ApprovalRow{ID: strconv.FormatInt(p.ID, 10), Kind: p.Kind, Name: p.Kind, State: p.State, Devices: []ApprovalDeviceRow{}, Comment: p.Comment, Requester: p.Requester,
		Program: p.App != "", CreatedAt: p.Created, ExpiresAt: p.Expires, Decider: p.Decider, DecidedAt: p.Decided, Note: p.Note, EndedAt: p.Ended, Result: p.Result,
		Own: s.asked(c, p)}
	for _, d := range p.Devices {
		r.Devices = append(r.Devices, ApprovalDeviceRow{ID: d.ID, Name: d.Name, Result: p.Results[d.ID]})
	}
	if a, ok := actionByID(p.Kind); ok {
		r.Name = a.name
	}
	if p.Kind == store.ApprovalPolicyKind {
		var change policyChange
		if err := json.Unmarshal(p.Args, &change); err == nil {
			r.Before, r.After = &change.Before, &change.After
		}
		r.Name = "Change the rules of approval"
	}
	if p.Kind == store.ApprovalLeaveKind {
		var ch leaving
		if err := json.Unmarshal(p.Args, &ch); err == nil {
			r.Name, r.Change = ch.Subject, change(ch.Before, ch.After)
		}
	}
	if p.State == store.ApprovalPending && !p.Expires.After(s.now()) {
		r.State, r.EndedAt, r.Result = store.ApprovalExpired, p.Expires, "Nobody decided in time."
	}
	if r.State == store.ApprovalPending {
		var policy *PolicyError
		switch err := s.mayDecide(ctx, c, p); {
		case err == nil:
			r.MayDecide = true
		case errors.As(err, &policy):
			r.WhyNot = policy.Message
		default:
			r.WhyNot = "You lack the permission to approve this."
		}
	}
	return r
}

// asked reports whether a caller is who asked.
func (s *Server) asked(c Caller, p *store.Approval) bool {
	return c.UserID == p.User && c.App == p.App
}

// Approvals lists requests. Filters are "state", "kind", "requester" and
// "device", an id; it is ordered by the time of asking, the newest first.
func (s *Server) Approvals(ctx context.Context, c Caller, q Query) (Page[ApprovalRow], error) {
	if err := s.need(c, MachineRead); err != nil {
		return Page[ApprovalRow]{}, err
	}
	all, err := s.st.Approvals(ctx)
	if err != nil {
		return Page[ApprovalRow]{}, err
	}
	var rows []*ApprovalRow
	for i := range all {
		if s.shows(c, &all[i]) && s.among(c, &all[i]) {
			r := s.approvalRow(ctx, c, &all[i])
			rows = append(rows, &r)
		}
	}
	return approvalList().page(q, rows)
}

var approvalStates = []string{store.ApprovalPending, store.ApprovalApproved, store.ApprovalRunning, store.ApprovalDone, store.ApprovalFailed, store.ApprovalRefused,
	store.ApprovalWithdrawn, store.ApprovalExpired, store.ApprovalCancelled}

func approvalList() *list[ApprovalRow] {
	return &list[ApprovalRow]{
		text: func(r *ApprovalRow, has func(string) bool) bool {
			return has(r.Name) || has(r.Requester) || has(r.Decider) || has(r.Comment) || has(r.Note) ||
				slices.ContainsFunc(r.Devices, func(d ApprovalDeviceRow) bool { return has(d.Name) })
		},
		filters: map[string]func(*ApprovalRow, []string) bool{
			"state":     oneOf(func(r *ApprovalRow) string { return r.State }),
			"kind":      oneOf(func(r *ApprovalRow) string { return r.Kind }),
			"requester": oneOf(func(r *ApprovalRow) string { return r.Requester }),
			"device": func(r *ApprovalRow, v []string) bool {
				return slices.ContainsFunc(r.Devices, func(d ApprovalDeviceRow) bool { return slices.Contains(v, string(d.ID)) })
			},
		},
		values: map[string][]string{"state": approvalStates},
		order: map[string]func(a, b *ApprovalRow) int{
			"created":   byTime(func(r *ApprovalRow) time.Time { return r.CreatedAt }),
			"expires":   byTime(func(r *ApprovalRow) time.Time { return r.ExpiresAt }),
			"name":      byText(func(r *ApprovalRow) string { return r.Name }),
			"requester": byText(func(r *ApprovalRow) string { return r.Requester }),
			"state":     byText(func(r *ApprovalRow) string { return r.State }),
		},
		tie: func(a, b *ApprovalRow) int {
			if n := len(b.ID) - len(a.ID); n != 0 {
				return n
			}
			return strings.Compare(b.ID, a.ID)
		},
		initial: []string{"-created"},
	}
}

// Approval is one request.
func (s *Server) Approval(ctx context.Context, c Caller, id string) (ApprovalRow, error) {
	if err := s.need(c, MachineRead); err != nil {
		return ApprovalRow{}, err
	}
	p, err := s.approval(ctx, c, id)
	if err != nil {
		return ApprovalRow{}, err
	}
	return s.approvalRow(ctx, c, &p), nil
}

// approval finds a request that the caller may know of.
func (s *Server) approval(ctx context.Context, c Caller, id string) (store.Approval, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return store.Approval{}, fmt.Errorf("request %q: %w", id, ErrNotFound)
	}
	p, err := s.st.Approval(ctx, n)
	if err == nil && !s.shows(c, &p) {
		err = store.ErrNotFound
	}
	return p, notFound(err)
}

// Decide approves or refuses a request. What is approved is carried out before
// Decide returns, once; what is not possible then makes the request a failed
// one and is no error. Somebody else deciding first is ErrConflict.
func (s *Server) Decide(ctx context.Context, c Caller, id string, approve bool, note string) (ApprovalRow, error) {
	if err := s.need(c, ApproveActions, ManageSettings); err != nil {
		return ApprovalRow{}, err
	}
	note = strings.TrimSpace(note)
	if err := checkComment("note", note); err != nil {
		return ApprovalRow{}, err
	}
	p, err := s.approval(ctx, c, id)
	if err != nil {
		return ApprovalRow{}, err
	}
	if err := s.mayDecide(ctx, c, &p); err != nil {
		return ApprovalRow{}, err
	}
	if approve {
		if err := s.guard.open(); err != nil {
			return ApprovalRow{}, err
		}
	}
	if p.State != store.ApprovalPending || !p.Expires.After(s.now()) {
		return ApprovalRow{}, fmt.Errorf("this request waits no more: %w", ErrConflict)
	}
	p, err = s.decide(ctx, c, p, approve, note)
	if errors.Is(err, store.ErrNotFound) {
		return ApprovalRow{}, fmt.Errorf("this request waits no more: %w", ErrConflict)
	}
	s.live.publish(LiveEvent{Resource: "approvals"})
	if err != nil {
		return ApprovalRow{}, err
	}
	s.log.InfoContext(ctx, "request decided", "approval", p.ID, "action", p.Kind, "approved", approve, "asked_by", p.Requester, "by", c.Name)
	return s.approvalRow(ctx, c, &p), nil
}

func (s *Server) decide(ctx context.Context, c Caller, p store.Approval, approve bool, note string) (store.Approval, error) {
	p.Decider, p.Decided, p.Note = c.Name, s.now(), note
	if approve && p.Kind == store.ApprovalPolicyKind {
		return s.applyPolicy(ctx, p)
	}
	if approve && p.Kind == store.ApprovalLeaveKind {
		return s.applyLeaving(ctx, p)
	}
	p.State = store.ApprovalApproved
	if !approve {
		p.State, p.Ended = store.ApprovalRefused, p.Decided
	}
	audit.Change(ctx, strconv.FormatInt(p.ID, 10), map[string]any{"state": store.ApprovalPending, "request": p.Kind, "requester": p.Requester, "devices": p.Devices},
		map[string]any{"state": p.State, "note": note})
	if err := s.st.MoveApproval(ctx, store.ApprovalPending, p); err != nil || !approve {
		return p, err
	}
	return s.carryApproved(context.WithoutCancel(ctx), p)
}

// WithdrawApproval takes back a request of the caller's own.
func (s *Server) WithdrawApproval(ctx context.Context, c Caller, id string) (ApprovalRow, error) {
	if err := s.need(c, MachineRead); err != nil {
		return ApprovalRow{}, err
	}
	p, err := s.approval(ctx, c, id)
	if err != nil {
		return ApprovalRow{}, err
	}
	if !s.asked(c, &p) {
		return ApprovalRow{}, &PolicyError{Message: "Only who asked can withdraw a request; refuse it instead."}
	}
	audit.Change(ctx, id, map[string]any{"state": p.State, "request": p.Kind, "devices": p.Devices}, map[string]any{"state": store.ApprovalWithdrawn})
	p.State, p.Ended = store.ApprovalWithdrawn, s.now()
	if err := s.st.MoveApproval(ctx, store.ApprovalPending, p); errors.Is(err, store.ErrNotFound) {
		return ApprovalRow{}, fmt.Errorf("this request waits no more: %w", ErrConflict)
	} else if err != nil {
		return ApprovalRow{}, err
	}
	s.live.publish(LiveEvent{Resource: "approvals"})
	return s.approvalRow(ctx, c, &p), nil
}

// toDecide counts the requests that a caller can decide.
func (s *Server) toDecide(ctx context.Context, c Caller) (n int, err error) {
	if s.need(c, ApproveActions, ManageSettings) != nil {
		return 0, nil
	}
	list, err := s.st.Approvals(ctx, store.ApprovalPending)
	if err != nil {
		return 0, err
	}
	for i := range list {
		if s.shows(c, &list[i]) && s.approvalRow(ctx, c, &list[i]).MayDecide {
			n++
		}
	}
	return n, nil
}

// ActionAPI is what package api relies on for actions on agents, and who approves them.
type ActionAPI interface {
	// Nudge returns the device's name.
	Nudge(ctx context.Context, c Caller, id, comment string) (string, ActionResult, error)
	ActionKinds(ctx context.Context, c Caller) ([]ActionKind, error)
	Approvals(ctx context.Context, c Caller, q Query) (Page[ApprovalRow], error)
	Approval(ctx context.Context, c Caller, id string) (ApprovalRow, error)
	Decide(ctx context.Context, c Caller, id string, approve bool, note string) (ApprovalRow, error)
	WithdrawApproval(ctx context.Context, c Caller, id string) (ApprovalRow, error)
}

// MachineActionAPI is what package api relies on for what is done on devices once.
type MachineActionAPI interface {
	Respond(ctx context.Context, c Caller, devices []string, in NewMachineAction) (MachineActionResults, error)
	MachineActions(ctx context.Context, c Caller, q Query, where func(*MachineAction) bool) (Page[MachineAction], error)
	MachineAction(ctx context.Context, c Caller, id string) (MachineAction, error)
	StartInvestigation(ctx context.Context, c Caller, device string, in NewInvestigation) (out Investigation, joined bool, err error)
	Investigations(ctx context.Context, c Caller, q Query, where func(*InvestigationRow) bool) (Page[InvestigationRow], error)
	Investigation(ctx context.Context, c Caller, id string) (Investigation, error)
	CancelMachineAction(ctx context.Context, c Caller, id, comment string) (MachineAction, error)
	DeviceActionKinds(ctx context.Context, c Caller, id string) ([]DeviceActionKind, error)
}

// PackageAPI is what package api relies on for investigation packages.
type PackageAPI interface {
	Package(ctx context.Context, c Caller, id string) (MachineAction, *os.File, error)
	PackageLink(ctx context.Context, c Caller, id, base string) (PackageLink, error)
	LinkedPackage(ctx context.Context, token string) (MachineAction, *os.File, error)
	PackageRetention(ctx context.Context, c Caller) (PackageRetentionView, error)
	SetPackageRetention(ctx context.Context, c Caller, r PackageRetention) (PackageRetentionView, error)
}

// GuardAPI is what package api relies on for what stands before every action.
type GuardAPI interface {
	ApprovalPolicy(ctx context.Context, c Caller) (ApprovalPolicy, error)
	SetApprovalPolicy(ctx context.Context, c Caller, p ApprovalPolicy) (ApprovalPolicyResult, error)
	Lockdown(ctx context.Context, c Caller) (Lockdown, error)
	StartLockdown(ctx context.Context, c Caller, reason string) (Lockdown, error)
	LiftLockdown(ctx context.Context, c Caller) (Lockdown, error)
	KeepLockdown(ctx context.Context, c Caller) (Lockdown, error)
}
