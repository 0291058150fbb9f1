package server

import (
	"context"
	"encoding/json"
)

// Nudge asks the agent of a device to look at everything now, and returns the
// device's name and what became of it. It does not wait for what the agent
// finds. It is ErrConflict for a device without an agent, and ErrUnavailable
// when its agent is not connected: that one looks at everything anyway when it
// starts.
func (s *Server) Nudge(ctx context.Context, caller Caller, id, comment string) (string, ActionResult, error) {
	out, err := s.act(ctx, caller, wanted{action: ActionNudge, devices: []string{id}, comment: comment})
	if err != nil {
		return "", ActionResult{}, err
	}
	return out.on[0].Name, out.ActionResult, nil
}

// NudgeArgs are those of the verb "nudge".
type NudgeArgs struct {
	Device string `json:"device"`
}

// NudgeAnswer is what the verb "nudge" answers.
type NudgeAnswer struct {
	Name    string `json:"name"`    // of the device
	Pending bool   `json:"pending"` // somebody else has to approve it first
}

func nudgeVerb(ctx context.Context, s *Server, raw json.RawMessage, _ func(Progress)) (any, error) {
	args, err := verbArgs[NudgeArgs](raw)
	if err != nil {
		return nil, err
	}
	name, out, err := s.Nudge(ctx, LocalCaller(), args.Device, "")
	return NudgeAnswer{Name: name, Pending: out.Approval != nil}, err
}
