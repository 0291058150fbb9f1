package server

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/picketsec/picket/internal/protocol"
)

// responseOf is what an agent that says hello says of tasks, as it is kept.
func responseOf(h *protocol.Hello) ([]byte, error) {
	if h.Response == nil {
		return nil, nil
	}
	raw, err := json.Marshal(h.Response)
	if err != nil {
		return nil, fmt.Errorf("encode what a host can do: %w", err)
	}
	return raw, nil
}

// taskState keeps the state of a task and acknowledges it. One that is beyond the
// limits is counted and makes its task a failed one: it would come again just so.
func (s *session) taskState(ctx context.Context, t *protocol.TaskState) error {
	ack := protocol.TaskAck{ID: protocol.Clip(t.ID), State: protocol.Clip(t.State)}
	if err := protocol.CheckTaskState(t); err != nil {
		s.g.alive(s.id, nil, 1)
		s.log.WarnContext(ctx, "state of a task rejected", "reason", short(err.Error()))
		t = &protocol.TaskState{ID: t.ID, State: protocol.TaskFailed, Detail: "The agent said something of it that is beyond the limits of the protocol."}
	}
	if protocol.ValidTask(t.ID) {
		if err := s.g.backend.taskState(ctx, s.id, t); err != nil {
			s.log.ErrorContext(ctx, "state of a task not stored, the agent will try again", "error", err)
			return s.refuse(ctx, protocol.RefusedBusy, "the server cannot store states of tasks now")
		}
	}
	return s.send(ctx, &protocol.Message{Ack: &protocol.Ack{Tasks: []protocol.TaskAck{ack}}})
}

// response keeps what became different of what a host can do.
func (s *session) response(ctx context.Context, r *protocol.Response) error {
	if err := protocol.CheckResponse(r); err != nil {
		s.g.alive(s.id, nil, 1)
		s.log.WarnContext(ctx, "what a host says of tasks rejected", "reason", short(err.Error()))
		return nil
	}
	if err := s.g.backend.responseChanged(ctx, s.id, r); err != nil {
		s.log.ErrorContext(ctx, "what a host says of tasks not stored", "error", err)
		return s.refuse(ctx, protocol.RefusedBusy, "the server cannot store what a host can do now")
	}
	return nil
}
