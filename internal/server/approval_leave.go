package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/group"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
)

// mostLeaving is how many devices one change may take out of the reach of a
// rule of approval: whoever decides is shown all of them.
const mostLeaving = 1000

// The changes that can take devices out of a group that a rule of approval
// names. The group itself cannot be deleted.
const (
	doSaveGroup     = "save-device-group"
	doOrderGroups   = "order-device-groups"
	doSaveTagRule   = "save-tag-rule"
	doDeleteTagRule = "delete-tag-rule"
	doChangeTags    = "change-tags"
	doSetValue      = "set-device-value"
)

// leaving is a change that takes devices out of the reach of a rule of approval,
// as it waits for an administrator: what is to be called with what.
type leaving struct {
	Do      string           `json:"do"`
	ID      int64            `json:"id,omitempty"`
	Edit    RuleEdit         `json:"edit,omitzero"`
	SeenBy  *[]int64         `json:"seen_by,omitempty"` // of Edit: an empty list is not none
	Order   []exposure.Group `json:"order,omitempty"`
	Tags    TagChange        `json:"tags,omitzero"`
	Device  string           `json:"device,omitempty"`
	Value   string           `json:"value,omitempty"`
	Subject string           `json:"subject"` // in words
	Before  any              `json:"before,omitempty"`
	After   any              `json:"after,omitempty"`
}

// edited is a change of rules.
func edited(do string, id int64, e RuleEdit, subject string, before, after any) leaving {
	ch := leaving{Do: do, ID: id, Edit: e, Subject: subject, Before: before, After: after}
	if e.UserGroups != nil {
		ch.SeenBy = &e.UserGroups
	}
	return ch
}

// keepProtected lets a change pass that leaves every device under the rules of
// approval that it is under, or that another administrator approved for these
// devices. Any other waits for one from here on: the error is an
// ErrNeedsApproval and names the request. The caller holds s.sorting; next is
// the group that a device would be in, of what rules look at. on are the
// devices that the change concerns, nil for all.
func (s *Server) keepProtected(ctx context.Context, c Caller, ch leaving, on []*device, next func(*device, *group.Facts) exposure.Group) error {
	out := s.leavers(on, next)
	switch {
	case len(out) == 0:
		return nil
	case len(out) > mostLeaving:
		return fmt.Errorf("more than %d devices would leave the reach of a rule of approval: change the rule first: %w", mostLeaving, ErrNeedsApproval)
	case c.approved != nil:
		for _, d := range out {
			if !slices.ContainsFunc(c.approved, func(a store.ApprovalDevice) bool { return a.ID == d.ID }) {
				return fmt.Errorf("other devices than those that were shown would leave the reach of a rule of approval now: ask again: %w", ErrConflict)
			}
		}
		return nil
	}
	raw, err := json.Marshal(ch)
	if err != nil {
		return fmt.Errorf("encode change of device groups: %w", err)
	}
	row, err := s.addApproval(ctx, c, store.Approval{Kind: store.ApprovalLeaveKind, Args: raw, Devices: out}, policyHours)
	if err != nil {
		return err
	}
	return fmt.Errorf("%s would leave the reach of a rule of approval: request %s waits in Approvals for an administrator: %w", countedDevices(len(out)), row.ID, ErrNeedsApproval)
}

func countedDevices(devices int) string {
	if devices == 1 {
		return "a device"
	}
	return strconv.Itoa(devices) + " devices"
}

// leavers are the devices for which an action needs an approval now and would
// not in the group that next gives them, one more than mostLeaving at most. An
// action that no rule names is asked for too.
func (s *Server) leavers(on []*device, next func(*device, *group.Facts) exposure.Group) (out []store.ApprovalDevice) {
	rules := s.guard.policy.Load().Rules
	if !slices.ContainsFunc(rules, func(r ApprovalRule) bool { return !r.AllDevices }) {
		return nil // a group decides nothing
	}
	kinds := []string{""}
	for _, r := range rules {
		kinds = append(kinds, r.Actions...)
	}
	known := map[[2]exposure.Group]bool{}
	loses := func(from, to exposure.Group) bool {
		is, ok := known[[2]exposure.Group{from, to}]
		if !ok {
			covered := func(k string, g exposure.Group) bool {
				return slices.ContainsFunc(rules, func(r ApprovalRule) bool { return r.covers(k, g) })
			}
			is = slices.ContainsFunc(kinds, func(k string) bool { return covered(k, from) && !covered(k, to) })
			known[[2]exposure.Group{from, to}] = is
		}
		return is
	}
	c := s.core
	if on == nil {
		c.mu.RLock()
		on = slices.Clone(c.devices)
		c.mu.RUnlock()
	}
	for step := range slices.Chunk(on, previewStep) {
		c.mu.RLock()
		for _, d := range step {
			if d == nil || len(out) > mostLeaving {
				continue
			}
			f := d.facts()
			if to := next(d, &f); to != d.group && loses(d.group, to) {
				out = append(out, store.ApprovalDevice{ID: d.id, Name: d.sum.Name})
			}
		}
		c.mu.RUnlock()
	}
	return out
}

// under is the group that a device would be in by these rules. f holds what
// rules for tags look at.
func (s *sorting) under(f *group.Facts) exposure.Group {
	all := slices.Clone(f.Tags)
	for i := range s.tags {
		if t := &s.tags[i]; t.match.Match(f) {
			all = append(all, t.name)
		}
	}
	f.Tags = all
	return s.groupOf(f)
}

// byRules is next of keepProtected for rules that change.
func byRules(next *sorting) func(*device, *group.Facts) exposure.Group {
	return func(_ *device, f *group.Facts) exposure.Group { return next.under(f) }
}

// applyLeaving carries a change out that another administrator approved, once,
// with what whoever asked may do now. What is not possible then makes the
// request a failed one and is no error.
func (s *Server) applyLeaving(ctx context.Context, p store.Approval) (store.Approval, error) {
	var ch leaving
	if err := json.Unmarshal(p.Args, &ch); err != nil {
		return p, fmt.Errorf("read change of device groups: %w", err)
	}
	audit.Change(ctx, strconv.FormatInt(p.ID, 10), map[string]any{"state": store.ApprovalPending, "requester": p.Requester, "change": ch.Subject, "was": ch.Before},
		map[string]any{"state": store.ApprovalApproved, "devices": namesOf(p.Devices), "is": ch.After})
	p.State = store.ApprovalRunning
	if err := s.st.MoveApproval(ctx, store.ApprovalPending, p); err != nil {
		return p, err
	}
	ctx = context.WithoutCancel(ctx)
	err := s.leaveAs(ctx, &p, &ch)
	p.State, p.Ended, p.Result = store.ApprovalDone, s.now(), ""
	if err != nil {
		p.State, p.Result = store.ApprovalFailed, sentence(err)
	}
	s.log.WarnContext(ctx, "devices left the reach of a rule of approval", "approval", p.ID, "devices", len(p.Devices), "state", p.State, "asked_by", p.Requester, "approved_by", p.Decider)
	return p, s.st.MoveApproval(ctx, store.ApprovalRunning, p)
}

func (s *Server) leaveAs(ctx context.Context, p *store.Approval, ch *leaving) error {
	who, err := s.requester(ctx, p)
	if err == nil {
		who.approved = p.Devices
		if ch.SeenBy != nil {
			ch.Edit.UserGroups = append([]int64{}, *ch.SeenBy...)
		}
		switch ch.Do {
		case doSaveGroup:
			_, err = s.SaveDeviceGroup(ctx, who, exposure.Group(ch.ID), ch.Edit)
		case doOrderGroups:
			err = s.OrderDeviceGroups(ctx, who, ch.Order)
		case doSaveTagRule:
			_, err = s.SaveTagRule(ctx, who, ch.ID, ch.Edit)
		case doDeleteTagRule:
			err = s.DeleteTagRule(ctx, who, ch.ID)
		case doChangeTags:
			_, err = s.ChangeTags(ctx, who, ch.Tags)
		case doSetValue:
			err = s.SetDeviceValue(ctx, who, ch.Device, ch.Value)
		default:
			err = fmt.Errorf("this version knows no change %q: %w", ch.Do, ErrConflict)
		}
	}
	if errors.Is(err, ErrUnauthenticated) || errors.Is(err, ErrDenied) || errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%s may not do this any more, or what it is about is gone: %w", p.Requester, ErrConflict)
	}
	return err
}

// namesOf are the names of the first devices, as the audit log keeps them.
func namesOf(on []store.ApprovalDevice) []string {
	var out []string
	for _, d := range on[:min(len(on), 50)] {
		out = append(out, d.Name)
	}
	if more := len(on) - len(out); more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return out
}

// tagsOf are the manual tags of devices by name, of the first 100. The caller holds mu for reading.
func tagsOf(list []*device, change func([]string) []string) map[inventory.DeviceID][]string {
	out := map[inventory.DeviceID][]string{}
	for _, d := range list[:min(len(list), 100)] {
		out[d.id] = append([]string{}, change(d.tagged)...)
	}
	return out
}

// change is what was and is to be, as JSON.
func change(before, after any) json.RawMessage {
	out := map[string]any{}
	if before != nil {
		out["before"] = before
	}
	if after != nil {
		out["after"] = after
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return nil
	}
	return raw
}
