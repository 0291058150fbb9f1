package server

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

// ApprovalRule says which actions on which devices somebody else has to approve.
type ApprovalRule struct {
	AllActions bool             `json:"all_actions" doc:"Every action, also those that a later version brings."`
	Actions    []string         `json:"actions" maxItems:"100" doc:"Ids of actions, without all_actions."`
	AllDevices bool             `json:"all_devices"`
	Groups     []exposure.Group `json:"groups" maxItems:"500" doc:"Ids of device groups, without all_devices; 0 is the devices in none."`
	Hours      int              `json:"hours" minimum:"1" maximum:"168" doc:"How long a request waits."`
}

// ApprovalPolicy is what somebody else has to approve.
type ApprovalPolicy struct {
	Rules []ApprovalRule `json:"rules" maxItems:"50"`
}

// ApprovalPolicyResult is what became of a change of the policy.
type ApprovalPolicyResult struct {
	Policy ApprovalPolicy `json:"policy"` // in force
	// Approval waits for another administrator, because something would be protected less.
	Approval *ApprovalRow `json:"approval,omitempty"`
}

const (
	approvalSetting = "approval_policy"
	mostRules       = 50
	policyHours     = 72 // that a change of the policy waits
)

// covers reports whether a rule is about an action on the devices of a group.
func (r *ApprovalRule) covers(action string, group exposure.Group) bool {
	return (r.AllActions || slices.Contains(r.Actions, action)) && (r.AllDevices || slices.Contains(r.Groups, group))
}

// approvalHours is how long an action waits for somebody else, 0 when nobody has to approve it.
func (s *Server) approvalHours(a *action, on []store.ApprovalDevice) (hours int) {
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, d := range on {
		num, ok := c.byID[d.ID]
		if !ok {
			continue
		}
		for i, r := range s.guard.policy.Load().Rules {
			if r.covers(a.id, c.at(num).group) && (hours == 0 || r.Hours < hours) {
				hours = s.guard.policy.Load().Rules[i].Hours
			}
		}
	}
	return hours
}

// weaker reports whether something that before protects is not protected by
// after. What no rule names is stood for by one action and one group of its own.
func weaker(before, after ApprovalPolicy) bool {
	kinds, groups := []string{""}, []exposure.Group{exposure.Group(lastGroup + 1)}
	for _, p := range []ApprovalPolicy{before, after} {
		for _, r := range p.Rules {
			kinds, groups = append(kinds, r.Actions...), append(groups, r.Groups...)
		}
	}
	covered := func(p *ApprovalPolicy, k string, g exposure.Group) bool {
		return slices.ContainsFunc(p.Rules, func(r ApprovalRule) bool { return r.covers(k, g) })
	}
	for _, k := range kinds {
		for _, g := range groups {
			if covered(&before, k, g) && !covered(&after, k, g) {
				return true
			}
		}
	}
	return false
}

// ApprovalPolicy is the policy in force.
func (s *Server) ApprovalPolicy(_ context.Context, c Caller) (ApprovalPolicy, error) {
	if err := s.need(c, ManageSettings); err != nil {
		return ApprovalPolicy{}, err
	}
	return *s.guard.policy.Load(), nil
}

// SetApprovalPolicy changes what somebody else has to approve. Protecting more
// holds at once; protecting anything less waits for another administrator.
func (s *Server) SetApprovalPolicy(ctx context.Context, c Caller, p ApprovalPolicy) (ApprovalPolicyResult, error) {
	if err := s.need(c, ManageSettings); err != nil {
		return ApprovalPolicyResult{}, err
	}
	s.sorting.Lock() // no device group goes meanwhile
	defer s.sorting.Unlock()
	if err := s.checkPolicy(&p); err != nil {
		return ApprovalPolicyResult{}, err
	}
	raw, err := json.Marshal(p)
	if err != nil {
		return ApprovalPolicyResult{}, fmt.Errorf("encode approval policy: %w", err)
	}
	g := &s.guard
	g.mu.Lock()
	defer g.mu.Unlock()
	was := *g.policy.Load()
	if weaker(was, p) {
		change, err := json.Marshal(policyChange{Before: was, After: p})
		if err != nil {
			return ApprovalPolicyResult{}, fmt.Errorf("encode approval policy: %w", err)
		}
		row, err := s.addApproval(ctx, c, store.Approval{Kind: store.ApprovalPolicyKind, Args: change, Devices: []store.ApprovalDevice{}}, policyHours)
		return ApprovalPolicyResult{Policy: was, Approval: &row}, err
	}
	audit.Change(ctx, "approval policy", was, p)
	if err := s.st.SetSetting(ctx, approvalSetting, raw); err != nil {
		return ApprovalPolicyResult{}, err
	}
	g.policy.Store(&p)
	s.log.InfoContext(ctx, "approval policy changed", "rules", len(p.Rules), "by", c.Name)
	s.live.publish(LiveEvent{Resource: "approvals"})
	return ApprovalPolicyResult{Policy: p}, nil
}

// policyChange is what an approval of the policy's kind is about.
type policyChange struct {
	Before ApprovalPolicy `json:"before"`
	After  ApprovalPolicy `json:"after"`
}

// checkPolicy checks a policy and puts its lists in order. The caller holds s.sorting.
func (s *Server) checkPolicy(p *ApprovalPolicy) error {
	if len(p.Rules) > mostRules {
		return Invalidf("rules", "%d, at most %d", len(p.Rules), mostRules)
	}
	if p.Rules == nil {
		p.Rules = []ApprovalRule{}
	}
	names := s.rules().names
	for i := range p.Rules {
		r, field := &p.Rules[i], "rules["+strconv.Itoa(i)+"]."
		if r.Hours < 1 || r.Hours > 168 {
			return Invalidf(field+"hours", "%d is not between 1 and 168", r.Hours)
		}
		if r.AllActions {
			r.Actions = nil
		} else if len(r.Actions) == 0 {
			return Invalidf(field+"actions", "name at least one action, or all")
		}
		if r.AllDevices {
			r.Groups = nil
		} else if len(r.Groups) == 0 {
			return Invalidf(field+"groups", "name at least one device group, or all devices")
		}
		for _, id := range r.Actions {
			if _, ok := actionByID(id); !ok {
				return Invalidf(field+"actions", "there is no action %q", id)
			}
		}
		for _, id := range r.Groups {
			if _, ok := names[id]; !ok {
				return Invalidf(field+"groups", "there is no device group %d: read the groups again", id)
			}
		}
		slices.Sort(r.Actions)
		slices.Sort(r.Groups)
		r.Actions, r.Groups = append([]string{}, slices.Compact(r.Actions)...), append([]exposure.Group{}, slices.Compact(r.Groups)...)
	}
	return nil
}

// protected says that a rule of approval names a device group, which then stays.
func (s *Server) protected(id exposure.Group) error {
	for _, r := range s.guard.policy.Load().Rules {
		if slices.Contains(r.Groups, id) {
			return fmt.Errorf("a rule of approval protects this device group: take it out of Approvals and lockdown first: %w", ErrConflict)
		}
	}
	return nil
}

// applyPolicy puts a policy into force that another administrator approved.
func (s *Server) applyPolicy(ctx context.Context, p store.Approval) (store.Approval, error) {
	var change policyChange
	if err := json.Unmarshal(p.Args, &change); err != nil {
		return p, fmt.Errorf("read change of the approval policy: %w", err)
	}
	s.sorting.Lock()
	defer s.sorting.Unlock()
	g := &s.guard
	g.mu.Lock()
	defer g.mu.Unlock()
	was, err := json.Marshal(g.policy.Load())
	if err != nil {
		return p, fmt.Errorf("encode approval policy: %w", err)
	}
	before, err := json.Marshal(change.Before)
	if err != nil {
		return p, fmt.Errorf("encode approval policy: %w", err)
	}
	raw, err := json.Marshal(change.After)
	if err != nil {
		return p, fmt.Errorf("encode approval policy: %w", err)
	}
	p.Ended = s.now()
	if string(was) != string(before) || s.checkPolicy(&change.After) != nil {
		p.State, p.Result = store.ApprovalFailed, "The policy was changed meanwhile: ask again."
		return p, s.st.MoveApproval(ctx, store.ApprovalPending, p)
	}
	p.State = store.ApprovalDone
	audit.Change(ctx, strconv.FormatInt(p.ID, 10), change.Before, change.After)
	if err := s.st.MoveApprovalWith(ctx, store.ApprovalPending, p, approvalSetting, raw); err != nil {
		return p, err
	}
	g.policy.Store(&change.After)
	s.log.WarnContext(ctx, "approval policy changed", "rules", len(change.After.Rules), "asked_by", p.Requester, "approved_by", p.Decider)
	return p, nil
}
