package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/store"
)

const (
	tasksEvery = 15 * time.Second
	sendAgain  = time.Minute        // a task that an agent was sent and has not answered
	runLife    = 3 * 24 * time.Hour // without a word from an agent that began
)

// taskDesk hands pending actions to agents. It holds nothing that the store
// does not: what was sent is only remembered so as not to send it all the time.
type taskDesk struct {
	wakes chan struct{}
	mu    sync.Mutex
	told  map[string]sentTask // by id of the action
	notes sync.Mutex          // one line of a timeline at a time
	slots chan struct{}       // for uploads
}

// sentTask is when an action was sent, in which session.
type sentTask struct {
	in *session
	at time.Time
}

func newTaskDesk() *taskDesk {
	return &taskDesk{wakes: make(chan struct{}, 1), told: map[string]sentTask{}, slots: make(chan struct{}, mostUploads)}
}

func (d *taskDesk) wake() {
	select {
	case d.wakes <- struct{}{}:
	default:
	}
}

// due reports whether an action is to be sent now in a session, and notes it. Its
// id may be followed by a blank and by what is sent of it.
func (d *taskDesk) due(id string, in *session, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if was, ok := d.told[id]; ok && was.in == in && now.Sub(was.at) < sendAgain {
		return false
	}
	d.told[id] = sentTask{in, now}
	return true
}

// forget drops what is noted of actions that are not active any more.
func (d *taskDesk) forget(active map[string]bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id := range d.told {
		if of, _, _ := strings.Cut(id, " "); !active[of] {
			delete(d.told, id)
		}
	}
}

// runTasks sends pending actions to agents that are there, ends what takes too
// long, and removes packages that are not to be kept, until ctx ends.
func (s *Server) runTasks(ctx context.Context) error {
	tick := time.NewTicker(tasksEvery)
	defer tick.Stop()
	swept := time.Time{}
	for {
		if err := s.sendTasks(ctx); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "hand actions to agents", "error", err)
		}
		if err := s.settleInvestigations(ctx); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "end investigations", "error", err)
		}
		if time.Since(swept) > sweepPackages {
			if err := s.sweepPackages(ctx); err != nil && ctx.Err() == nil {
				s.log.ErrorContext(ctx, "remove packages", "error", err)
			}
			swept = time.Now()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		case <-s.tasks.wakes:
		}
	}
}

// sendTasks looks at every active action once.
func (s *Server) sendTasks(ctx context.Context) error {
	var list []store.MachineAction
	err := s.st.MachineActions(ctx, store.ActionFilter{Active: true}, func(t *store.MachineAction) bool {
		list = append(list, *t)
		return true
	})
	if err != nil {
		return err
	}
	slices.Reverse(list) // in the order in which they were asked for
	active, cut := map[string]bool{}, map[inventory.DeviceID]bool{}
	var errs []error
	for i := range list {
		t := &list[i]
		active[t.ID] = true
		if t.Waits {
			continue
		}
		turn := true
		if t.Kind == protocol.TaskIsolate || t.Kind == protocol.TaskRelease { // one after the other: the last decides
			turn = !cut[t.Device]
			cut[t.Device] = true
		}
		errs = append(errs, s.advance(ctx, t, turn))
	}
	s.tasks.forget(active)
	return errors.Join(errs...)
}

// advance does what is next for one active action; turn says that it may be sent.
func (s *Server) advance(ctx context.Context, t *store.MachineAction, turn bool) error {
	now := s.now()
	switch {
	case t.Status == store.ActionPending && !now.Before(t.Expires):
		why := "The device did not connect within 3 days."
		if !t.Sent.IsZero() {
			why = "The agent did not begin within 3 days."
		}
		return s.timeOut(ctx, t, why)
	case t.Status == store.ActionRunning && now.Sub(t.Updated) > runLife:
		return s.timeOut(ctx, t, "The agent has not told for 3 days what became of it.")
	case t.Status == store.ActionPending && !t.Until.IsZero() && !now.Before(t.Until):
		return s.timeOut(ctx, t, "The time until which it was to hold is over.")
	}
	in := s.gate.session(t.Device)
	switch {
	case in == nil:
		return nil
	case !t.Cancelled.IsZero():
		if s.tasks.due(t.ID+" cancel", in, now) {
			s.gate.tell(in, &protocol.Message{CancelTask: &protocol.CancelTask{ID: t.ID}})
		}
		return nil
	case t.Status != store.ActionPending || !turn || !s.tasks.due(t.ID, in, now):
		return nil
	}
	return s.sendTask(ctx, t)
}

// sendTask hands an action to its agent, when whoever asked may still ask for it
// and no lockdown holds. That it was handed over is on disk before. Only advance
// calls it, with actions that act stored and that wait for no approval.
func (s *Server) sendTask(ctx context.Context, t *store.MachineAction) error {
	a, ok := actionByID(t.Kind)
	if !ok || !a.task {
		return s.failTask(ctx, t, fmt.Sprintf("This version knows no action %q.", t.Kind))
	}
	if err := s.guard.open(); err != nil {
		return nil // its lockdown has cancelled it, or is about to
	}
	who, err := s.requester(ctx, &store.Approval{App: t.App, User: t.User})
	if err == nil {
		err = s.need(who, a.need...)
	}
	if err == nil {
		_, err = s.actionTargets(who, &a, []string{string(t.Device)})
	}
	var unable *UnableError
	switch {
	case errors.As(err, &unable):
		return s.failTask(ctx, t, unable.Message)
	case errors.Is(err, ErrUnauthenticated), errors.Is(err, ErrDenied), errors.Is(err, ErrNotFound):
		return s.failTask(ctx, t, t.Requester+" may not do this any more, or the device is gone.")
	case err != nil:
		return err
	}
	var ask []byte
	if t.Kind == protocol.TaskInvestigate {
		if ask, err = s.askInvestigation(ctx, t); err != nil {
			return err
		}
	}
	now := s.now()
	sent, changed, err := s.st.ChangeMachineAction(ctx, t.ID, func(t *store.MachineAction) bool {
		if t.Status != store.ActionPending || t.Waits || !t.Cancelled.IsZero() {
			return false
		}
		if t.Sent.IsZero() {
			t.Sent = now
		}
		t.Updated = now
		return true
	})
	if err != nil || !changed {
		return err
	}
	sent.Ask = ask
	_, err = s.gate.carry(order{action: a.id, effect: a.effect(), stands: s.guard.open}, t.Device, a.message(&sent))
	if _, locked := errors.AsType[*LockdownError](err); locked {
		return nil
	}
	return err
}

func (s *Server) failTask(ctx context.Context, t *store.MachineAction, why string) error {
	return s.endTask(ctx, t, store.ActionFailed, why)
}

// timeOut ends an action that took too long, and takes it back from an agent that may have it.
func (s *Server) timeOut(ctx context.Context, t *store.MachineAction, why string) error {
	if in := s.gate.session(t.Device); in != nil && !t.Sent.IsZero() {
		s.gate.tell(in, &protocol.Message{CancelTask: &protocol.CancelTask{ID: t.ID}})
	}
	return s.endTask(ctx, t, store.ActionTimeOut, why)
}

func (s *Server) endTask(ctx context.Context, t *store.MachineAction, status, why string) error {
	return s.moveTask(ctx, t.ID, func(t *store.MachineAction) bool {
		if !t.Active() {
			return false
		}
		t.Status, t.Error = status, why
		return true
	})
}

// moveTask changes an action on the server's own account. When it ends by that,
// the audit log and the device's timeline tell it.
func (s *Server) moveTask(ctx context.Context, id string, fn func(*store.MachineAction) bool) error {
	now := s.now().Truncate(time.Millisecond)
	var before string
	entry := audit.NewDraft(audit.Entry{At: now, Kind: audit.Local, Actor: "server", ActorID: "server", Action: "machine-action", Object: id, Outcome: audit.Done})
	audited := audit.With(ctx, entry)
	t, changed, err := s.st.ChangeMachineAction(audited, id, func(t *store.MachineAction) bool {
		before = t.Status
		if !fn(t) {
			return false
		}
		t.Updated = now
		if t.Status == store.ActionRunning && t.Started.IsZero() {
			t.Started = now
		}
		if !t.Active() {
			t.Ended, t.Waits = now, false
		}
		if t.Active() {
			_, _, _ = entry.Take() // how far it is goes into no log
		} else {
			audit.Change(audited, id, map[string]any{"status": before}, map[string]any{"status": t.Status, "action": t.Kind, "device": t.Device, "name": t.Name, "error": t.Error, "requester": t.Requester})
		}
		return true
	})
	if errors.Is(err, store.ErrNotFound) || err == nil && !changed {
		return nil
	}
	if err != nil {
		return err
	}
	if !t.Active() {
		s.log.InfoContext(ctx, "action ended", "action", t.ID, "kind", t.Kind, "device", t.Device, "status", t.Status)
	}
	if before != t.Status {
		s.tellAction(ctx, &t)
		s.tasks.wake()
	} else {
		s.live.publish(LiveEvent{Resource: "machine-actions", ID: string(t.Device)})
	}
	return nil
}

// taskState keeps what an agent says of one of its tasks, durably when it
// returns nil. What is no task of the device, or has ended, changes nothing: but
// what was taken back or given up and was done all the same is told as it is.
func (s *Server) taskState(ctx context.Context, id inventory.DeviceID, m *protocol.TaskState) error {
	found, err := s.investigated(ctx, id, m)
	if err != nil {
		return err
	}
	result, err := json.Marshal(m.Result)
	if err != nil {
		return fmt.Errorf("encode result: %w", err)
	}
	return s.moveTask(ctx, m.ID, func(t *store.MachineAction) bool {
		if t.Device != id || t.Sent.IsZero() {
			return false
		}
		late := (t.Status == store.ActionTimeOut || t.Status == store.ActionCancelled) && m.State == protocol.TaskSucceeded
		if !t.Active() && !late {
			return false
		}
		detail := printable(m.Detail)
		switch m.State {
		case protocol.TaskRunning:
			if t.Status == store.ActionRunning && t.Error == detail {
				return false
			}
			t.Status, t.Error = store.ActionRunning, detail
			return true
		case protocol.TaskSucceeded:
			t.Status, t.Error, t.Result = store.ActionSucceeded, detail, result
			if p := m.Result; t.Kind == protocol.TaskCollect && (t.Package == 0 || p == nil || p.Package == nil || p.Package.SHA256 != t.PackageHash) {
				t.Status, t.Error = store.ActionFailed, "The agent says that it is done, but its package is not here."
			}
			if t.Kind == protocol.TaskInvestigate && !found {
				t.Status, t.Error = store.ActionFailed, "The agent says that it is done, but it says nothing of what it found."
			}
		case protocol.TaskFailed:
			t.Status, t.Error, t.Result = store.ActionFailed, orElse(detail, "The agent says no more than that it failed."), result
		case protocol.TaskCancelled:
			t.Status, t.Error, t.Result = store.ActionCancelled, orElse(detail, "Cancelled before it was done."), result
		}
		return true
	})
}

// CancelMachineAction takes an action back. One that its agent was not sent has
// ended when it returns; else its agent is told, when it is there, and says what
// it comes to. It is ErrConflict for what has ended or cannot be taken back.
func (s *Server) CancelMachineAction(ctx context.Context, caller Caller, id, comment string) (MachineAction, error) {
	if err := s.need(caller, MachineIsolate, MachineScan, MachineCollect, AlertWrite); err != nil {
		return MachineAction{}, err
	}
	comment = strings.TrimSpace(comment)
	if comment == "" {
		return MachineAction{}, Invalidf("comment", "say why: it is kept with the action")
	}
	if err := checkComment("comment", comment); err != nil {
		return MachineAction{}, err
	}
	t, err := s.machineAction(ctx, caller, id)
	if err != nil {
		return MachineAction{}, err
	}
	a, ok := actionByID(t.Kind)
	if !ok {
		return MachineAction{}, fmt.Errorf("this version knows no action %q: %w", t.Kind, ErrConflict)
	}
	if err := s.need(caller, a.need...); err != nil {
		return MachineAction{}, err
	}
	now, why := s.now().Truncate(time.Millisecond), ""
	audit.Change(ctx, t.ID, map[string]any{"status": t.Status, "action": t.Kind, "device": t.Device, "name": t.Name, "requester": t.Requester}, map[string]any{"cancelled": true, "comment": comment})
	t, changed, err := s.st.ChangeMachineAction(ctx, t.ID, func(t *store.MachineAction) bool {
		if why = uncancellable(t); why != "" {
			return false
		}
		t.Canceller, t.CancelNote, t.Cancelled, t.Updated = caller.Name, comment, now, now
		if t.Sent.IsZero() {
			t.Status, t.Waits, t.Ended, t.Error = store.ActionCancelled, false, now, "Cancelled before the agent was told."
		}
		return true
	})
	switch {
	case err != nil:
		return MachineAction{}, notFound(err)
	case !changed:
		return MachineAction{}, fmt.Errorf("%s: %w", strings.ToLower(why[:1])+strings.TrimSuffix(why[1:], "."), ErrConflict)
	}
	s.log.InfoContext(ctx, "action cancelled", "action", t.ID, "kind", t.Kind, "device", t.Device, "by", caller.Name)
	s.tellAction(ctx, &t)
	s.tasks.wake()
	return s.machineActionRow(caller, &t), nil
}

// DeviceActionKinds says which actions can be asked for on a device, and why not.
func (s *Server) DeviceActionKinds(ctx context.Context, caller Caller, id string) ([]DeviceActionKind, error) {
	if err := s.need(caller, MachineRead); err != nil {
		return nil, err
	}
	c := s.core
	c.mu.RLock()
	d, err := c.named(caller.sees(), id)
	var device store.ApprovalDevice
	unable := map[string]string{}
	if err == nil {
		device = store.ApprovalDevice{ID: d.id, Name: d.sum.Name}
		for _, a := range actions() {
			if err := a.able(d); err != nil {
				unable[a.id] = sentence(err)
			}
		}
	}
	c.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	busy := map[string]string{}
	err = s.st.MachineActions(ctx, store.ActionFilter{Device: device.ID, Active: true}, func(t *store.MachineAction) bool {
		busy[t.Kind] = t.ID
		return true
	})
	if err != nil {
		return nil, err
	}
	locked := s.guard.open()
	out := []DeviceActionKind{}
	for _, a := range actions() {
		k := DeviceActionKind{ActionKind: ActionKind{ID: a.id, Name: a.name, Effect: a.effect(), May: s.need(caller, a.need...) == nil}, WhyNot: unable[a.id], Active: busy[a.id]}
		switch {
		case k.WhyNot != "":
		case !k.May:
			k.WhyNot = "You lack the permission for this."
		case locked != nil:
			k.WhyNot = locked.Error()
		case k.Active != "":
			k.WhyNot = "This is pending or in progress already."
		}
		k.Can = k.WhyNot == ""
		k.Approval = s.approvalHours(&a, []store.ApprovalDevice{device}) > 0
		out = append(out, k)
	}
	return out, nil
}

// responseChanged keeps what a host says of tasks.
func (s *Server) responseChanged(ctx context.Context, id inventory.DeviceID, r *protocol.Response) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode what a host can do: %w", err)
	}
	if err := s.st.SetResponse(ctx, id, raw); err != nil {
		return err
	}
	s.connectionChanged(id, true)
	return nil
}

// isolationChanged tells in a device's timeline that its isolation ended, or was
// put back, without an action of Picket.
func (s *Server) isolationChanged(ctx context.Context, id inventory.DeviceID, was, now *protocol.Isolation) {
	switch {
	case was.On && !now.On && now.Task == "":
		s.noteResponse(ctx, id, "IsolationEnded", map[string]any{"Cause": orElse(printable(now.Cause), "The agent does not say why.")}, "")
	case now.Repaired > was.Repaired && now.On:
		s.noteResponse(ctx, id, "IsolationRepaired", map[string]any{"Times": now.Repaired - was.Repaired}, "")
	}
}
