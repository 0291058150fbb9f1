package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/alert"
	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/store"
)

// StartInvestigation has the agent of a device examine what the device's alerts name.
// While one goes on on the device, that one is joined: joined is true then. Else it is
// asked for by act, with its errors.
func (s *Server) StartInvestigation(ctx context.Context, caller Caller, device string, in NewInvestigation) (out Investigation, joined bool, err error) {
	if err := s.need(caller, AlertWrite); err != nil {
		return Investigation{}, false, err
	}
	in.Comment = strings.TrimSpace(in.Comment)
	order := NewMachineAction{Kind: protocol.TaskInvestigate, Comment: in.Comment, External: in.External}
	if err := order.check(s.now()); err != nil {
		return Investigation{}, false, err
	}
	s.core.mu.RLock()
	d, err := s.core.named(caller.sees(), device)
	if err == nil && in.Alert != "" {
		if a, on := s.core.visibleAlert(caller.sees(), in.Alert); a == nil || on.num != d.num {
			err = Invalidf("alert", "%q is no alert on the device", in.Alert)
		}
	}
	s.core.mu.RUnlock()
	if err != nil {
		return Investigation{}, false, err
	}
	if err := s.guard.open(); err != nil {
		return Investigation{}, false, err
	}
	for range 3 { // one that ends meanwhile cannot be joined, one that begins can
		if i := s.core.investigations.running(d.id); i != nil {
			ok, err := s.join(ctx, caller, i, in.Comment, in.Alert)
			if err != nil {
				return Investigation{}, false, err
			}
			if ok {
				out, err := s.Investigation(ctx, caller, strconv.FormatInt(i.N, 10))
				return out, true, err
			}
		}
		done, err := s.act(ctx, caller, wanted{action: protocol.TaskInvestigate, devices: []string{string(d.id)}, comment: in.Comment, external: order.External, alert: in.Alert})
		if errors.Is(err, &ActiveError{}) {
			continue
		}
		if err != nil {
			return Investigation{}, false, err
		}
		out, err := s.Investigation(ctx, caller, strconv.FormatInt(done.actions[0].Investigation, 10))
		return out, false, err
	}
	return Investigation{}, false, &ActiveError{}
}

// join notes that somebody else wants the investigation that goes on, with the alert
// that it is wanted for. It is false when that has ended.
func (s *Server) join(ctx context.Context, caller Caller, i *store.Investigation, comment, alertID string) (bool, error) {
	s.investigating.Lock()
	defer s.investigating.Unlock()
	now := s.core.investigations.get(i.N)
	t, err := s.st.MachineAction(ctx, i.Action)
	if err != nil || !t.Active() || now == nil || !now.Ended.IsZero() {
		if errors.Is(err, store.ErrNotFound) || err == nil {
			return false, s.settle(ctx, i)
		}
		return false, err
	}
	next := *now
	if alertID != "" && !slices.Contains(next.Alerts, alertID) {
		next.Alerts = append(slices.Clone(next.Alerts), alertID)
	}
	id := strconv.FormatInt(i.N, 10)
	audit.Change(ctx, id, nil, map[string]any{"device": i.Device, "name": i.Name, "joined": true, "comment": comment})
	if err := s.keepInvestigation(ctx, &next, caller.Name+" wants it, too: "+comment); err != nil {
		return false, err
	}
	return true, nil
}

// keepInvestigation stores an investigation with lines of its log, and tells consoles.
// The caller holds investigating.
func (s *Server) keepInvestigation(ctx context.Context, i *store.Investigation, lines ...string) error {
	var log []store.InvestigationLine
	for _, l := range lines {
		log = append(log, store.InvestigationLine{At: s.now(), Text: l})
	}
	if err := s.st.ChangeInvestigation(ctx, i, log); err != nil {
		return err
	}
	kept := *i
	kept.Asked, kept.Evidence = nil, nil
	s.core.investigations.put(&kept)
	s.live.publish(LiveEvent{Resource: "investigations", ID: string(i.Device)})
	if d := s.deviceOf(i.Device); d != nil && len(i.Alerts) > 0 {
		s.live.publish(LiveEvent{Resource: "alert", ID: string(i.Device)})
	}
	return nil
}

// alertsToInvestigate are the alerts of a device that are active, and one more.
func (s *Server) alertsToInvestigate(id inventory.DeviceID, and string) []string {
	out := []string{}
	if and != "" {
		out = append(out, and)
	}
	if d := s.deviceOf(id); d != nil {
		for _, a := range slices.Backward(s.core.alerts.of(d.num)) {
			if isActive(a) && a.ID != and && len(out) < mostInvestigated {
				out = append(out, a.ID)
			}
		}
	}
	return out
}

// mostInvestigated is how many alerts an investigation begins with: the newest.
const mostInvestigated = 200

// investigationBegan puts a new investigation into the book. Only askTasks calls it.
func (s *Server) investigationBegan(t *store.MachineAction) {
	s.core.investigations.put(&store.Investigation{N: t.Investigation, Action: t.ID, Device: t.Device, Name: t.Name, Requester: t.Requester, Comment: t.Comment, Trigger: t.Trigger,
		Started: t.Created, Alerts: t.Alerts})
	s.core.investigations.trim(store.MostInvestigations)
}

// investigationMoved follows the action of an investigation. What cannot be stored now
// is stored when its loop looks at it.
func (s *Server) investigationMoved(ctx context.Context, t *store.MachineAction) {
	i := s.core.investigations.ofAction(t.ID)
	if i == nil {
		return
	}
	s.investigating.Lock()
	defer s.investigating.Unlock()
	s.core.investigations.told(i.N, t)
	now := *s.core.investigations.get(i.N)
	var err error
	switch {
	case !now.Ended.IsZero():
		return
	case !t.Active():
		err = s.settle(ctx, &now)
	case t.Status == store.ActionRunning:
		err = s.keepInvestigation(ctx, &now, "The agent of the device began to examine.")
	case t.Waits:
		err = s.keepInvestigation(ctx, &now, "It waits for somebody else to approve it.")
	case !t.Cancelled.IsZero():
		err = s.keepInvestigation(ctx, &now, t.Canceller+" wants it cancelled: "+t.CancelNote)
	case t.Approval != 0:
		err = s.keepInvestigation(ctx, &now, "It is approved.")
	}
	if err != nil {
		s.log.ErrorContext(ctx, "investigation not noted", "investigation", i.N, "error", err)
	}
}

// settleInvestigations ends investigations whose actions have ended.
func (s *Server) settleInvestigations(ctx context.Context) error {
	s.investigating.Lock()
	defer s.investigating.Unlock()
	var errs []error
	for _, i := range s.core.investigations.unfinished() {
		errs = append(errs, s.settle(ctx, i))
	}
	return errors.Join(errs...)
}

// settle ends an investigation whose action ended without findings. The caller holds investigating.
func (s *Server) settle(ctx context.Context, i *store.Investigation) error {
	now := s.core.investigations.get(i.N)
	if now == nil || !now.Ended.IsZero() {
		return nil
	}
	t, err := s.st.MachineAction(ctx, i.Action)
	switch {
	case errors.Is(err, store.ErrNotFound):
		t = store.MachineAction{Status: store.ActionCancelled, Error: "What was asked of the device is not kept any more."}
	case err != nil:
		return err
	case t.Active():
		s.core.investigations.told(i.N, &t)
		return nil
	}
	next := *now
	next.Ended, next.Details, next.Canceller = cmp.Or(t.Ended, s.now().Truncate(time.Millisecond)), t.Error, t.Canceller
	next.State = string(alert.InvestigationBySystem)
	switch {
	case t.Status == store.ActionFailed || t.Status == store.ActionSucceeded: // findings are stored before that it succeeded
		next.State = string(alert.InvestigationFailed)
	case t.Status == store.ActionCancelled && t.Canceller != "":
		next.State = string(alert.InvestigationByUser)
		next.Details = strings.TrimSpace(t.Canceller + ": " + t.CancelNote)
	}
	next.Alerts = s.joinedAlerts(&next)
	return s.keepInvestigation(ctx, &next, fmt.Sprintf("Ended, %s: %s", next.State, orElse(next.Details, "no reason is known.")))
}

// joinedAlerts are those of an investigation with those that came while it went on.
func (s *Server) joinedAlerts(i *store.Investigation) []string {
	out := slices.Clone(i.Alerts)
	d := s.deviceOf(i.Device)
	if d == nil {
		return out
	}
	for _, a := range s.core.alerts.of(d.num) {
		if !a.Created.Before(i.Started) && (i.Ended.IsZero() || !a.Created.After(i.Ended)) && !slices.Contains(out, a.ID) {
			out = append(out, a.ID)
		}
	}
	return out
}

// seesInvestigation reports whether a caller may know of an investigation.
func (s *Server) seesInvestigation(c Caller, i *store.Investigation, looks bool) bool {
	return s.seesAction(c, &store.MachineAction{Device: i.Device}, looks)
}

func (s *Server) investigationRow(i *store.Investigation) InvestigationRow {
	r := InvestigationRow{ID: strconv.FormatInt(i.N, 10), Details: i.Details, Active: i.Ended.IsZero(), DeviceID: i.Device, DeviceName: i.Name, DeviceDNS: i.Name, Requester: i.Requester,
		Comment: i.Comment, Trigger: i.Trigger, Canceller: i.Canceller, Action: i.Action, Alerts: len(s.joinedAlerts(i)), Started: i.Started, Ended: i.Ended}
	online := false
	c := s.core
	c.mu.RLock()
	if num, ok := c.byID[i.Device]; ok {
		d := c.at(num)
		online = d.online
		r.DeviceName, r.DeviceDNS, r.GroupID, r.Group = d.sum.Name, cmp.Or(d.sum.FQDN, d.sum.Name), d.group, c.groupName(d.group)
	}
	c.mu.RUnlock()
	state := c.investigations.state(i, online)
	r.State = string(state)
	switch state {
	case alert.InvestigationPendingApproval:
		r.Details = "It waits for somebody else to approve it."
	case alert.InvestigationPendingResource:
		r.Details = "The device is not connected: it is asked when it comes, within 3 days."
	}
	return r
}

// Investigations lists investigations of the devices that the caller looks at, the
// newest first. where, when given, keeps only the rows for which it is true.
func (s *Server) Investigations(ctx context.Context, caller Caller, q Query, where func(*InvestigationRow) bool) (Page[InvestigationRow], error) {
	if err := s.need(caller, AlertRead, AlertWrite); err != nil {
		return Page[InvestigationRow]{}, err
	}
	from, err := alertAt(q, "from")
	if err != nil {
		return Page[InvestigationRow]{}, err
	}
	to, err := alertAt(q, "to")
	if err != nil {
		return Page[InvestigationRow]{}, err
	}
	alertIDs := q.Filter["alert"]
	var rows []*InvestigationRow
	for _, i := range s.core.investigations.all() {
		if !s.seesInvestigation(caller, i, true) || len(alertIDs) > 0 && !slices.ContainsFunc(s.joinedAlerts(i), func(id string) bool { return slices.Contains(alertIDs, id) }) {
			continue
		}
		if r := s.investigationRow(i); where == nil || where(&r) {
			rows = append(rows, &r)
		}
	}
	if err := ctx.Err(); err != nil {
		return Page[InvestigationRow]{}, err
	}
	return investigationList(from, to).page(q, rows)
}

func investigationList(from, to time.Time) *list[InvestigationRow] {
	number := func(r *InvestigationRow) int { n, _ := strconv.Atoi(r.ID); return n }
	return &list[InvestigationRow]{
		text: func(r *InvestigationRow, has func(string) bool) bool {
			return has(r.ID) || has(r.DeviceName) || has(r.Requester) || has(r.Comment) || has(r.State) || has(r.Details)
		},
		filters: map[string]func(*InvestigationRow, []string) bool{
			"device":       oneOf(func(r *InvestigationRow) string { return string(r.DeviceID) }),
			"device_group": oneOf(func(r *InvestigationRow) string { return strconv.Itoa(int(r.GroupID)) }),
			"state":        oneOf(func(r *InvestigationRow) string { return r.State }),
			"active":       truth(func(r *InvestigationRow) bool { return r.Active }),
			"alert":        func(*InvestigationRow, []string) bool { return true }, // they were looked at before
			"from":         func(r *InvestigationRow, _ []string) bool { return !r.Started.Before(from) },
			"to":           func(r *InvestigationRow, _ []string) bool { return r.Started.Before(to) },
		},
		values: map[string][]string{"state": words(alert.InvestigationStates), "active": yesNo},
		order: map[string]func(a, b *InvestigationRow) int{
			"started":   byTime(func(r *InvestigationRow) time.Time { return r.Started }),
			"ended":     byTime(func(r *InvestigationRow) time.Time { return r.Ended }),
			"device":    byText(func(r *InvestigationRow) string { return r.DeviceName }),
			"state":     byText(func(r *InvestigationRow) string { return r.State }),
			"requester": byText(func(r *InvestigationRow) string { return r.Requester }),
			"id":        byNumber(number),
		},
		tie:     func(a, b *InvestigationRow) int { return number(b) - number(a) },
		initial: []string{"-started"},
	}
}

// Investigation is one investigation.
func (s *Server) Investigation(ctx context.Context, caller Caller, id string) (Investigation, error) {
	if err := s.need(caller, AlertRead, AlertWrite); err != nil {
		return Investigation{}, err
	}
	n, err := strconv.ParseInt(id, 10, 64)
	var i *store.Investigation
	if err == nil {
		i = s.core.investigations.get(n)
	}
	if i == nil || !s.seesInvestigation(caller, i, false) {
		return Investigation{}, fmt.Errorf("investigation %q: %w", id, ErrNotFound)
	}
	_, raw, log, err := s.st.InvestigationParts(ctx, n)
	if err != nil {
		return Investigation{}, notFound(err)
	}
	out := Investigation{InvestigationRow: s.investigationRow(i), AlertRefs: []AlertRef{}, Evidence: []InvestigationEvidence{}, Log: []InvestigationLine{}, AsOf: s.now()}
	var found findings
	if err := json.Unmarshal(raw, &found); err != nil {
		return Investigation{}, fmt.Errorf("read evidence of investigation %d: %w", n, err)
	}
	out.Evidence = append(out.Evidence, found.Evidence...)
	out.Scanner, out.NoScanner = found.Scanner, found.NoScanner
	for _, l := range log {
		out.Log = append(out.Log, InvestigationLine(l))
	}
	for _, id := range s.joinedAlerts(i) {
		if a := s.core.alerts.get(id); a != nil {
			out.AlertRefs = append(out.AlertRefs, refOf(a, a.LastEvent))
		}
	}
	slices.SortFunc(out.AlertRefs, func(a, b AlertRef) int { return cmp.Or(b.Time.Compare(a.Time), strings.Compare(a.ID, b.ID)) })
	out.Connected = s.gate.connected(i.Device)
	if t, err := s.st.MachineAction(ctx, i.Action); err == nil {
		out.Cancel = uncancellable(&t) == "" && s.need(caller, AlertWrite) == nil
	}
	return out, nil
}
