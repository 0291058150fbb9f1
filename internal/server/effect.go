package server

import "github.com/picketsec/picket/internal/protocol"

// Effect is what a message makes an agent do. It follows from the message
// itself, never from the name of an action.
type Effect string

// The effects, from none to the strongest.
const (
	// EffectProtocol is the connection's own business: acknowledgements,
	// certificates, pace. Nobody asks for it.
	EffectProtocol Effect = "protocol"
	// EffectLook makes the agent look again at what it reports anyway.
	EffectLook Effect = "look"
	// EffectRead fetches something from the device that it does not report by itself.
	EffectRead Effect = "read"
	// EffectChange changes the device: isolates it, moves a file away, takes the agent off.
	EffectChange Effect = "change"
	// EffectRun runs a program on the device: its scanner, or a script that somebody chose.
	EffectRun Effect = "run"
)

// effectOf is the effect of a message to an agent; "" when nobody has said, and
// then it is never sent.
func effectOf(m *protocol.Message) Effect {
	switch {
	case m.Nudge != nil:
		return EffectLook
	case m.Welcome != nil, m.Ack != nil, m.Resync != nil, m.Slow != nil, m.Renew != nil, m.Certificate != nil, m.Refusal != nil:
		return EffectProtocol
	case m.Collect != nil:
		return EffectRead
	case m.Investigate != nil: // its scanner runs as it does in a scan
		return EffectRun
	case m.Scan != nil:
		return EffectRun
	case m.Isolate != nil, m.Release != nil:
		return EffectChange
	case m.CancelTask != nil: // it begins nothing: what it takes back had an order
		return EffectProtocol
	case m.Fork != nil: // the agent makes a new key; it is told so by the gateway alone, when two agents show one key
		return EffectProtocol
	}
	return ""
}

// order is leave to make the agents of some devices do something. Server.act
// and what it carries out make orders, nothing else does.
type order struct {
	action string
	effect Effect
	stands func() error // says at the last moment whether it still may be
}
