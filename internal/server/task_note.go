package server

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/store"
)

// responseStream is the server's own stream of events of a device; agents have
// those of the protocol. Events of the kind response are in no other.
const responseStream = 254

// tellAction tells consoles and the device's timeline that an action was asked
// for, approved or has ended.
func (s *Server) tellAction(ctx context.Context, t *store.MachineAction) {
	s.live.publish(LiveEvent{Resource: "machine-actions", ID: string(t.Device)})
	more := map[string]any{"ActionId": t.ID, "Status": t.Status, "Requestor": t.Requester, "RequestorComment": t.Comment}
	if t.Scope != "" {
		more["Scope"] = t.Scope
	}
	if t.Waits {
		more["WaitsForApproval"] = true
	}
	if !t.Cancelled.IsZero() {
		more["CancellationRequestor"], more["CancellationComment"] = t.Canceller, t.CancelNote
	}
	if r := resultOf(t.Result); r != nil && r.Scan != nil {
		more["Detections"] = len(r.Scan.Detections) + r.Scan.More
	}
	if t.Kind == protocol.TaskInvestigate {
		s.investigationMoved(ctx, t)
		if i := s.core.investigations.ofAction(t.ID); i != nil {
			more["InvestigationId"] = i.N
			if i.State != "" {
				more["InvestigationState"] = i.State
			}
		}
	}
	s.noteResponse(ctx, t.Device, taskTypes[t.Kind], more, t.Error)
}

// noteResponse puts an event of what was done by order into a device's timeline.
// A timeline that cannot be written is logged: the action is kept all the same.
func (s *Server) noteResponse(ctx context.Context, id inventory.DeviceID, action string, more map[string]any, why string) {
	more["ActionType"] = action
	raw, err := json.Marshal(more)
	if err != nil {
		s.log.ErrorContext(ctx, "response action not told in the timeline", "device", id, "error", err)
		return
	}
	s.tasks.notes.Lock()
	defer s.tasks.notes.Unlock()
	now := s.now()
	seq := s.telemetry.log.Mark(id, responseStream) + 1
	e := ev.Event{Action: ev.ResponseAction, Seq: seq, Time: now}
	e.Set(ev.AdditionalFields, string(raw))
	e.Set(ev.Reason, why)
	record, err := ev.Append(nil, &e)
	if err == nil {
		_, err = s.telemetry.log.Append(ctx, eventlog.Batch{Device: id, Stream: responseStream, Seq: seq, Received: now, Records: record, Count: 1})
	}
	if err != nil {
		s.log.ErrorContext(ctx, "response action not told in the timeline", "device", id, "error", err)
		return
	}
	s.telemetry.happened(id, now, func() { s.live.publish(LiveEvent{Resource: "timeline", ID: string(id)}) })
}

// responseWords are what actions are called in a timeline.
var responseWords = map[string]string{
	"CollectInvestigationPackage": "Collect investigation package", "RunAntiVirusScan": "Antivirus scan", "Isolate": "Isolate device", "Unisolate": "Release from isolation",
	"Investigation": "Automated investigation",
}

// responseTitle says what an event of the kind response tells.
func responseTitle(e *ev.Event) string {
	var more struct {
		ActionType, Status, Requestor, Scope, Cause, CancellationRequestor, InvestigationState string
		WaitsForApproval                                                                       bool
		Times                                                                                  int64
	}
	_ = json.Unmarshal([]byte(e.Text(ev.AdditionalFields)), &more) // what is not there is not said
	what := orElse(responseWords[more.ActionType], more.ActionType)
	switch {
	case more.ActionType == "IsolationEnded":
		return "The isolation ended on the device: " + more.Cause
	case more.ActionType == "IsolationRepaired":
		return "The rules of the isolation were gone on the device and were put back"
	case more.Scope != "" && more.ActionType == "RunAntiVirusScan":
		what = more.Scope + " antivirus scan"
	}
	switch more.Status {
	case store.ActionPending:
		switch {
		case more.WaitsForApproval:
			return what + ": asked for by " + more.Requestor + ", waits for an approval"
		case more.CancellationRequestor != "":
			return what + ": to be cancelled, by " + more.CancellationRequestor
		}
		return what + ": asked for by " + more.Requestor
	case store.ActionRunning:
		return what + ": in progress"
	case store.ActionSucceeded:
		if more.InvestigationState != "" {
			return what + ": " + more.InvestigationState
		}
		return what + ": done"
	case store.ActionFailed:
		return what + ": failed"
	case store.ActionTimeOut:
		return what + ": ended by time"
	case store.ActionCancelled:
		return what + ": cancelled"
	}
	return orElse(what, "Response action")
}

// isolationView is what is shown of the isolation of a device. The caller holds core.mu for reading.
func (d *device) isolationView() *IsolationView {
	i := &d.response.Isolation
	if !i.On && i.Since.IsZero() && i.Repaired == 0 {
		return nil
	}
	return &IsolationView{On: i.On, Since: i.Since.UTC().Truncate(time.Millisecond), Until: i.Until.UTC().Truncate(time.Millisecond), Action: i.Task, Cause: printable(i.Cause), Repaired: i.Repaired}
}

// onlyAgents refuses events that are the server's to tell: what was done by order.
func onlyAgents(records []byte) error {
	for rest := records; len(rest) > 0; {
		var r ev.Record
		var err error
		if r, rest, err = ev.Next(rest); err != nil {
			return err
		}
		if k := r.Head().Action.Kind(); k == ev.Response {
			return fmt.Errorf("an event of the kind %s from an agent", k)
		}
	}
	return nil
}
