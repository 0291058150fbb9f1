package server

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
)

// What agents ask for that is in the audit log.
const (
	agentEnrols = "enrol-device"
	agentRenews = "renew-device-certificate"
	agentForks  = "fork-device"
	nodeEnrols  = "enrol-osquery"
)

// agentAct is something that an agent asks for which changes who is a device.
type agentAct struct {
	action string
	from   string // address
	device inventory.DeviceID
	// again: the device is one already. Its agent can ask for this any number of
	// times, so only some are listed; the others are counted with the next.
	again bool
}

// audited begins the entry of what an agent asks for; what is stored with the
// context has it. end says how the agent was answered, with nil when it got what
// it asked for.
func (s *Server) audited(ctx context.Context, a agentAct) (_ context.Context, end func(err error)) {
	e := audit.Entry{At: time.Now(), Kind: audit.Agent, Actor: "agent", ActorID: string(a.device), Remote: a.from, Action: a.action, Object: string(a.device), Outcome: audit.Done}
	if a.action == nodeEnrols {
		e.Actor = "osqueryd"
	}
	if a.again {
		missed, ok := s.repeated.take(time.Now())
		if !ok {
			return ctx, func(error) {}
		}
		e.NotListed = missed
	}
	ctx = audit.With(ctx, audit.NewDraft(e))
	return ctx, func(err error) { s.AuditEnd(ctx, enrolStatus(err)) }
}

// enrolStatus is the answer to a request of an agent that ended so.
func enrolStatus(err error) int {
	for _, denied := range []error{store.ErrTokenUnknown, store.ErrTokenExpired, store.ErrTokenRevoked, store.ErrTokenUsedUp, store.ErrTooManyClones} {
		if errors.Is(err, denied) {
			return http.StatusForbidden
		}
	}
	if err != nil {
		return http.StatusServiceUnavailable
	}
	return http.StatusOK
}

// remoteHost is an address without its port.
func remoteHost(remote string) string {
	if host, _, err := net.SplitHostPort(remote); err == nil {
		return host
	}
	return remote
}
