package server

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/picketsec/picket/internal/store"
)

// Nudge asks the agent of a device to look at everything now, and returns the
// device's name. It does not wait for what the agent finds. It is ErrConflict
// for a device without an agent, and ErrUnavailable when its agent is not
// connected: that one looks at everything anyway when it starts.
func (s *Server) Nudge(_ context.Context, caller Caller, id string) (string, error) {
	if err := s.need(caller, MachineReadWrite, ManageDevices); err != nil {
		return "", err
	}
	c := s.core
	c.mu.RLock()
	d, err := c.named(caller.sees(), id)
	if err != nil {
		c.mu.RUnlock()
		return "", err
	}
	name, of, source := d.sum.Name, d.id, d.agent.Source
	c.mu.RUnlock()
	switch {
	case source == store.SourceSBOM:
		return "", fmt.Errorf("%s has no agent that could look: import its document again: %w", name, ErrConflict)
	case !s.gate.nudge(of):
		return "", fmt.Errorf("the agent of %s is not connected: it looks at everything when it starts: %w", name, ErrUnavailable)
	}
	return name, nil
}

// NudgeArgs are those of the verb "nudge".
type NudgeArgs struct {
	Device string `json:"device"`
}

func nudgeVerb(ctx context.Context, s *Server, raw json.RawMessage, _ func(Progress)) (any, error) {
	var args NudgeArgs
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, Invalidf("arguments", "%v", err)
	}
	return s.Nudge(ctx, Caller{Name: "local", Admin: true}, args.Device)
}
