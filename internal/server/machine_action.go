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
	"unicode"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/store"
)

// The scopes of machine actions, as the Defender API spells them.
const (
	ScopeQuick = "Quick"
	ScopeFull  = "Full"
)

const (
	taskLife     = 72 * time.Hour       // that an action waits for its device
	leastUntil   = time.Minute          // from now, of an isolation that ends by itself
	mostUntil    = 366 * 24 * time.Hour //
	mostExternal = 200
)

// ActiveError says that a device has an active action of the kind. It is an ErrConflict.
type ActiveError struct{}

// Error is what programs of the Defender API look for.
func (*ActiveError) Error() string { return "Action is already in progress" }

// Is makes every ActiveError an ErrConflict.
func (*ActiveError) Is(target error) bool { return target == ErrConflict }

// UnableError says that a device cannot do an action. It is an ErrConflict.
type UnableError struct {
	Message string
	Old     bool // its agent is too old; else its system or its kind of source cannot
}

// Error is a sentence for people.
func (e *UnableError) Error() string { return e.Message }

// Is makes every UnableError an ErrConflict.
func (e *UnableError) Is(target error) bool { return target == ErrConflict }

// Code is the code of the Defender API.
func (e *UnableError) Code() string {
	if e.Old {
		return "ClientVersionNotSupported"
	}
	return "OsPlatformNotSupported"
}

// taskTypes are the kinds of tasks as the Defender API names them, taskVerbs as sentences do.
var (
	taskTypes = map[string]string{protocol.TaskCollect: "CollectInvestigationPackage", protocol.TaskScan: "RunAntiVirusScan", protocol.TaskIsolate: "Isolate", protocol.TaskRelease: "Unisolate", protocol.TaskInvestigate: "Investigation"}
	taskVerbs = map[string]string{protocol.TaskCollect: "collect an investigation package", protocol.TaskScan: "scan for malware", protocol.TaskIsolate: "isolate its device", protocol.TaskRelease: "release its device from isolation", protocol.TaskInvestigate: "investigate"}
)

// ableTo says why a device cannot do a kind of task: what its agent says of its host decides.
func ableTo(kind string) func(d *device) error {
	return func(d *device) error {
		name := d.sum.Name
		switch d.agent.Source {
		case store.SourceSBOM, store.SourceOsquery:
			return &UnableError{Message: fmt.Sprintf("%s has no agent of Picket that could %s.", name, taskVerbs[kind])}
		}
		i := slices.IndexFunc(d.response.Can, func(a protocol.Ability) bool { return a.Kind == kind })
		switch {
		case i < 0 && d.agent.AgentVersion == "":
			return &UnableError{Old: true, Message: fmt.Sprintf("The agent of %s has not connected yet.", name)}
		case i < 0:
			return &UnableError{Old: true, Message: fmt.Sprintf("The agent of %s, version %s, cannot %s.", name, printable(d.agent.AgentVersion), taskVerbs[kind])}
		case d.response.Can[i].Reason != "":
			return &UnableError{Message: fmt.Sprintf("The agent of %s cannot %s: %s", name, taskVerbs[kind], printable(d.response.Can[i].Reason))}
		}
		return nil
	}
}

// printable is text of an endpoint as a sentence can have it.
func printable(text string) string { return strings.TrimSpace(protocol.Sentence(text)) }

// taskActions are the actions that are kept as machine actions.
func taskActions() []action {
	task := func(id, name string, need string, message func(t *store.MachineAction) *protocol.Message) action {
		return action{id: id, name: name, need: []string{need}, message: message, able: ableTo(id), task: true}
	}
	return []action{
		task(protocol.TaskCollect, "Collect investigation package", MachineCollect, func(t *store.MachineAction) *protocol.Message {
			return &protocol.Message{Collect: &protocol.Collect{ID: t.ID}}
		}),
		task(protocol.TaskScan, "Run antivirus scan", MachineScan, func(t *store.MachineAction) *protocol.Message {
			extent := protocol.ScanQuick
			if t.Scope == ScopeFull {
				extent = protocol.ScanFull
			}
			return &protocol.Message{Scan: &protocol.Scan{ID: t.ID, Extent: extent}}
		}),
		task(protocol.TaskIsolate, "Isolate device", MachineIsolate, func(t *store.MachineAction) *protocol.Message {
			return &protocol.Message{Isolate: &protocol.Isolate{ID: t.ID, Until: t.Until}}
		}),
		task(protocol.TaskRelease, "Release from isolation", MachineIsolate, func(t *store.MachineAction) *protocol.Message {
			return &protocol.Message{Release: &protocol.Release{ID: t.ID}}
		}),
		task(protocol.TaskInvestigate, "Initiate automated investigation", AlertWrite, func(t *store.MachineAction) *protocol.Message {
			return &protocol.Message{Investigate: investigateOf(t)}
		}),
	}
}

// check makes what somebody asks for whole, or says what is wrong with it.
func (n *NewMachineAction) check(now time.Time) error {
	n.Comment, n.External = strings.TrimSpace(n.Comment), strings.TrimSpace(n.External)
	switch {
	case taskTypes[n.Kind] == "":
		return Invalidf("kind", "%q is not one of collect, scan, isolate, release, investigate", n.Kind)
	case n.Comment == "":
		return Invalidf("comment", "say why: it is kept with the action")
	case len(n.External) > mostExternal || strings.IndexFunc(n.External, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0:
		return Invalidf("external_id", "must be text of at most %d bytes on one line", mostExternal)
	case n.Kind == protocol.TaskScan && n.Scope != ScopeQuick && n.Scope != ScopeFull:
		return Invalidf("scope", "a scan is Quick or Full")
	case n.Kind == protocol.TaskIsolate && n.Scope != "" && n.Scope != ScopeFull:
		return Invalidf("scope", "Linux has full isolation only: leave it out, or say Full")
	case (n.Kind == protocol.TaskCollect || n.Kind == protocol.TaskRelease || n.Kind == protocol.TaskInvestigate) && n.Scope != "":
		return Invalidf("scope", "belongs to scans and isolation: leave it out")
	case n.Kind != protocol.TaskIsolate && !n.Until.IsZero():
		return Invalidf("until", "belongs to isolation: leave it out")
	case !n.Until.IsZero() && (n.Until.Before(now.Add(leastUntil)) || n.Until.After(now.Add(mostUntil))):
		return Invalidf("until", "must be between a minute and a year from now")
	}
	if n.Kind == protocol.TaskIsolate {
		n.Scope = ScopeFull
	}
	n.Until = n.Until.UTC().Truncate(time.Millisecond)
	return checkComment("comment", n.Comment)
}

// Respond asks for an action on devices, each once. What one device cannot do is
// told with it and stops no other; with a single device it is the error: an
// *UnableError, an *ActiveError, or ErrNotFound for one that the caller does not
// see. During a lockdown it is a *LockdownError. An action waits for its device
// for 72 hours, or for somebody else's approval first.
func (s *Server) Respond(ctx context.Context, caller Caller, devices []string, in NewMachineAction) (MachineActionResults, error) {
	a, ok := actionByID(in.Kind)
	if ok {
		if err := s.need(caller, a.need...); err != nil {
			return MachineActionResults{}, err
		}
	}
	if err := in.check(s.now()); err != nil {
		return MachineActionResults{}, err
	}
	if len(devices) == 0 || len(devices) > mostActionDevices {
		return MachineActionResults{}, Invalidf("devices", "name 1 to %d devices", mostActionDevices)
	}
	if err := s.guard.open(); err != nil {
		return MachineActionResults{}, err
	}
	out := MachineActionResults{Results: make([]MachineActionResult, 0, len(devices))}
	ids, able := map[string]inventory.DeviceID{}, []string{}
	for _, name := range devices {
		on, err := s.actionTargets(caller, &a, []string{name})
		if err == nil {
			err = s.idle(ctx, on[0].ID, in.Kind)
		}
		if in.Kind == protocol.TaskInvestigate && errors.Is(err, &ActiveError{}) { // the one that goes on is joined
			i, _, err := s.StartInvestigation(ctx, caller, string(on[0].ID), NewInvestigation{Comment: in.Comment, External: in.External})
			if err != nil {
				return MachineActionResults{}, err
			}
			row, err := s.MachineAction(ctx, caller, i.Action)
			if err != nil {
				return MachineActionResults{}, err
			}
			out.Results = append(out.Results, MachineActionResult{Device: name, Action: &row})
			continue
		}
		switch {
		case err != nil && (len(devices) == 1 || deviceCode(err) == ""):
			return MachineActionResults{}, err
		case err != nil:
			out.Results = append(out.Results, MachineActionResult{Device: name, Error: sentenceOf(err), Code: deviceCode(err)})
			continue
		}
		ids[name] = on[0].ID
		able = append(able, string(on[0].ID))
		out.Results = append(out.Results, MachineActionResult{Device: name})
	}
	if len(able) == 0 {
		return out, nil
	}
	done, err := s.act(ctx, caller, wanted{action: in.Kind, devices: able, comment: in.Comment, scope: in.Scope, until: in.Until, external: in.External})
	if err != nil {
		return MachineActionResults{}, err
	}
	out.Approval = done.Approval
	byDevice := map[inventory.DeviceID]*store.MachineAction{}
	for i := range done.actions {
		byDevice[done.actions[i].Device] = &done.actions[i]
	}
	for i := range out.Results {
		r := &out.Results[i]
		if r.Error != "" || r.Action != nil {
			continue
		}
		t := byDevice[ids[r.Device]]
		if t == nil {
			r.Error, r.Code = (&ActiveError{}).Error(), deviceCode(&ActiveError{})
			continue
		}
		row := s.machineActionRow(caller, t)
		r.Action = &row
	}
	return out, nil
}

// askTasks stores what was asked for, with the request for its approval when
// somebody else has to give it. Only act calls it.
func (s *Server) askTasks(ctx context.Context, c Caller, a *action, on []store.ApprovalDevice, q wanted, hours int) (acted, error) {
	now := s.now().Truncate(time.Millisecond)
	list, ids := make([]store.MachineAction, 0, len(on)), []string{}
	for _, d := range on {
		t := store.MachineAction{ID: newUUID(), Kind: a.id, Scope: q.scope, Device: d.ID, Name: d.Name, Requester: c.Name, User: c.UserID, App: c.App,
			Comment: q.comment, External: q.external, Until: q.until, Created: now, Expires: now.Add(taskLife)}
		if a.id == protocol.TaskInvestigate {
			t.Trigger, t.Alerts = q.alert, s.alertsToInvestigate(d.ID, q.alert)
		}
		list, ids = append(list, t), append(ids, t.ID)
	}
	noted := map[string]any{"action": a.id, "effect": a.effect(), "devices": on, "comment": q.comment, "actions": ids}
	if q.scope != "" {
		noted["scope"] = q.scope
	}
	if !q.until.IsZero() {
		noted["until"] = q.until
	}
	var p *store.Approval
	if hours > 0 {
		args, err := json.Marshal(map[string]any{"scope": q.scope, "until": q.until})
		if err != nil {
			return acted{}, fmt.Errorf("encode request: %w", err)
		}
		p = &store.Approval{Kind: a.id, Args: args, Devices: slices.Clone(on), Comment: q.comment, State: store.ApprovalPending, Requester: c.Name, User: c.UserID, App: c.App,
			Created: now, Expires: now.Add(time.Duration(hours) * time.Hour)}
		noted["request"], noted["expires"] = a.id, p.Expires
	}
	audit.Change(ctx, objectNames(on), nil, noted)
	added, err := s.st.AddMachineActions(ctx, list, p, mostPending)
	switch {
	case errors.Is(err, store.ErrTaken):
		return acted{}, &ActiveError{}
	case errors.Is(err, store.ErrFull):
		return acted{}, fmt.Errorf("%d requests of yours wait already: withdraw some: %w", mostPending, ErrConflict)
	case err != nil:
		return acted{}, err
	case len(added) == 0:
		return acted{}, &ActiveError{}
	}
	out := acted{ActionResult: ActionResult{State: store.ApprovalDone}, on: on, actions: added}
	if p != nil {
		row := s.approvalRow(ctx, c, p)
		out.State, out.Approval = store.ApprovalPending, &row
		s.live.publish(LiveEvent{Resource: "approvals"})
	}
	for i := range added {
		if a.id == protocol.TaskInvestigate {
			s.investigationBegan(&added[i])
		}
		s.log.InfoContext(ctx, "action on a device", "action", added[i].ID, "kind", a.id, "device", added[i].Device, "by", c.Name, "waits", p != nil)
		s.tellAction(ctx, &added[i])
	}
	s.tasks.wake()
	return out, nil
}

// approveTasks lets agents have what waited for an approval. Only carryAs calls it.
func (s *Server) approveTasks(ctx context.Context, approval int64, on []store.ApprovalDevice) error {
	var waiting []string
	err := s.st.MachineActions(ctx, store.ActionFilter{Approval: approval, Active: true}, func(t *store.MachineAction) bool {
		if t.Waits && slices.ContainsFunc(on, func(d store.ApprovalDevice) bool { return d.ID == t.Device }) {
			waiting = append(waiting, t.ID)
		}
		return true
	})
	if err != nil {
		return err
	}
	now, some := s.now(), false
	for _, id := range waiting {
		t, changed, err := s.st.ChangeMachineAction(ctx, id, func(t *store.MachineAction) bool {
			if !t.Waits || t.Status != store.ActionPending {
				return false
			}
			t.Waits, t.Updated, t.Expires = false, now, now.Add(taskLife)
			return true
		})
		if err != nil {
			return err
		}
		if some = some || changed; changed {
			s.tellAction(ctx, &t)
		}
	}
	s.tasks.wake()
	if !some {
		return fmt.Errorf("all of it was cancelled meanwhile: %w", ErrConflict)
	}
	return nil
}

// machineActionRow tells an action. Of a device that is gone it has the name that it had.
func (s *Server) machineActionRow(caller Caller, t *store.MachineAction) MachineAction {
	r := MachineAction{ID: t.ID, Kind: t.Kind, Type: taskTypes[t.Kind], Name: t.Kind, Scope: t.Scope, Status: t.Status, DeviceID: t.Device, DeviceName: t.Name, DeviceDNS: t.Name,
		Requester: t.Requester, Program: t.App != "", Source: "Portal", Comment: t.Comment, External: t.External, CreatedAt: t.Created, UpdatedAt: t.Updated, ExpiresAt: t.Expires,
		SentAt: t.Sent, StartedAt: t.Started, EndedAt: t.Ended, Until: t.Until, Error: t.Error, Waits: t.Waits, Result: resultOf(t.Result)}
	a, known := actionByID(t.Kind)
	if known {
		r.Name = a.name
	}
	if r.Program {
		r.Source = "PublicApi"
	}
	if i := s.core.investigations.ofAction(t.ID); i != nil {
		r.Investigation = strconv.FormatInt(i.N, 10)
	}
	if t.Approval != 0 {
		r.Approval = strconv.FormatInt(t.Approval, 10)
	}
	if t.Package > 0 || t.PackageGone != "" {
		r.Package = &InvestigationPackage{Bytes: t.Package, SHA256: t.PackageHash, Gone: t.PackageGone}
	}
	if !t.Cancelled.IsZero() {
		r.Cancel = &MachineActionCancel{By: t.Canceller, Comment: t.CancelNote, At: t.Cancelled}
	}
	c := s.core
	c.mu.RLock()
	if num, ok := c.byID[t.Device]; ok {
		d := c.at(num)
		r.DeviceName, r.DeviceDNS, r.GroupID, r.Group = d.sum.Name, cmp.Or(d.sum.FQDN, d.sum.Name), d.group, c.groupName(d.group)
	}
	c.mu.RUnlock()
	if r.WhyNot = uncancellable(t); r.WhyNot == "" && (!known || s.need(caller, a.need...) != nil) {
		r.WhyNot = "You lack the permission to cancel this."
	}
	r.MayCancel = r.WhyNot == ""
	return r
}

// uncancellable says why an action cannot be cancelled, "" when it can.
func uncancellable(t *store.MachineAction) string {
	switch {
	case !t.Active():
		return "It has ended."
	case !t.Cancelled.IsZero():
		return "Its agent is told already that it is to be cancelled."
	case t.Status == store.ActionRunning && t.Kind == protocol.TaskIsolate:
		return "The device is being isolated: release it instead."
	case t.Status == store.ActionRunning && t.Kind == protocol.TaskRelease:
		return "The device is being released: isolate it again instead."
	}
	return ""
}

// seesAction reports whether a caller may know of an action: whoever sees its
// device, and of a device that is gone, whoever sees all. looks narrows that to
// the device groups that the caller looks at.
func (s *Server) seesAction(caller Caller, t *store.MachineAction, looks bool) bool {
	in := caller.sees()
	if looks {
		in = caller.looks()
	}
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	num, ok := s.core.byID[t.Device]
	if !ok {
		return in.All()
	}
	return caller.sees().Has(s.core.at(num).group) && in.Has(s.core.at(num).group)
}

// MachineActions lists actions on the devices that the caller looks at, the newest
// first. where, when given, keeps only the rows for which it is true.
func (s *Server) MachineActions(ctx context.Context, caller Caller, q Query, where func(*MachineAction) bool) (Page[MachineAction], error) {
	if err := s.need(caller, MachineRead, MachineReadWrite); err != nil {
		return Page[MachineAction]{}, err
	}
	from, err := alertAt(q, "from")
	if err != nil {
		return Page[MachineAction]{}, err
	}
	to, err := alertAt(q, "to")
	if err != nil {
		return Page[MachineAction]{}, err
	}
	f := store.ActionFilter{}
	if of := q.Filter["device"]; len(of) == 1 {
		f.Device = inventory.DeviceID(of[0])
	}
	var rows []*MachineAction
	err = s.st.MachineActions(ctx, f, func(t *store.MachineAction) bool {
		if s.seesAction(caller, t, true) {
			if r := s.machineActionRow(caller, t); where == nil || where(&r) {
				rows = append(rows, &r)
			}
		}
		return ctx.Err() == nil
	})
	if err = errors.Join(err, ctx.Err()); err != nil {
		return Page[MachineAction]{}, err
	}
	return machineActionList(from, to).page(q, rows)
}

var actionStatuses = []string{store.ActionPending, store.ActionRunning, store.ActionSucceeded, store.ActionFailed, store.ActionTimeOut, store.ActionCancelled}

func machineActionList(from, to time.Time) *list[MachineAction] {
	return &list[MachineAction]{
		text: func(r *MachineAction, has func(string) bool) bool {
			return has(r.Name) || has(r.Type) || has(r.DeviceName) || has(r.Requester) || has(r.Comment) || has(r.ID) || has(r.External) || has(r.Error)
		},
		filters: map[string]func(*MachineAction, []string) bool{
			"device":       oneOf(func(r *MachineAction) string { return string(r.DeviceID) }),
			"device_group": oneOf(func(r *MachineAction) string { return strconv.Itoa(int(r.GroupID)) }),
			"kind":         oneOf(func(r *MachineAction) string { return r.Kind }),
			"status":       oneOf(func(r *MachineAction) string { return r.Status }),
			"requester":    oneOf(func(r *MachineAction) string { return r.Requester }),
			"active":       truth(func(r *MachineAction) bool { return r.Status == store.ActionPending || r.Status == store.ActionRunning }),
			"from":         func(r *MachineAction, _ []string) bool { return !r.CreatedAt.Before(from) },
			"to":           func(r *MachineAction, _ []string) bool { return r.CreatedAt.Before(to) },
		},
		values: map[string][]string{"kind": protocol.TaskKinds, "status": actionStatuses, "active": yesNo},
		order: map[string]func(a, b *MachineAction) int{
			"created":   byTime(func(r *MachineAction) time.Time { return r.CreatedAt }),
			"updated":   byTime(func(r *MachineAction) time.Time { return r.UpdatedAt }),
			"device":    byText(func(r *MachineAction) string { return r.DeviceName }),
			"kind":      byText(func(r *MachineAction) string { return r.Kind }),
			"status":    byNumber(func(r *MachineAction) int { return slices.Index(actionStatuses, r.Status) }),
			"requester": byText(func(r *MachineAction) string { return r.Requester }),
			"id":        byText(func(r *MachineAction) string { return r.ID }),
		},
		tie:     func(a, b *MachineAction) int { return strings.Compare(a.ID, b.ID) },
		initial: []string{"-created"},
	}
}

// machineAction finds an action that the caller may know of.
func (s *Server) machineAction(ctx context.Context, caller Caller, id string) (store.MachineAction, error) {
	t, err := s.st.MachineAction(ctx, strings.ToLower(id))
	if err == nil && !s.seesAction(caller, &t, false) {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.MachineAction{}, notFound(err)
	}
	return t, nil
}

// MachineAction is one action.
func (s *Server) MachineAction(ctx context.Context, caller Caller, id string) (MachineAction, error) {
	if err := s.need(caller, MachineRead, MachineReadWrite); err != nil {
		return MachineAction{}, err
	}
	t, err := s.machineAction(ctx, caller, id)
	if err != nil {
		return MachineAction{}, err
	}
	return s.machineActionRow(caller, &t), nil
}
