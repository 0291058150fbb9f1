package agent

import (
	"context"
	"errors"
	"io"

	"github.com/picketsec/picket/internal/protocol"
)

// errNoHand is a sentence for people at the server and at the host.
var errNoHand = errors.New("this agent was built without response actions")

// noHand refuses every task: the hand of an agent that was built without response
// actions (build tag noexec).
type noHand struct{}

var _ hand = noHand{}

// can implements hand.
func (noHand) can() map[string]string {
	out := map[string]string{}
	for _, kind := range protocol.TaskKinds {
		out[kind] = errNoHand.Error()
	}
	return out
}

// isolation implements hand.
func (noHand) isolation() protocol.Isolation { return protocol.Isolation{} }

// do implements hand.
func (noHand) do(context.Context, task, io.Writer, func(string)) (*protocol.TaskResult, error) {
	return nil, errNoHand
}
