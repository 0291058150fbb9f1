package sense

import (
	"strconv"

	"github.com/picketsec/picket/internal/event"
)

// logonEvent is the event of a logon; pid is the process that wrote of it.
func (h *host) logonEvent(l *logon, pid uint32, source string) *event.Event {
	e := &event.Event{Action: l.action}
	e.Set(event.AccountName, valid(l.user))
	e.Set(event.AccountDomain, h.users.host)
	if uid, ok := h.users.uid(l.user); ok {
		e.Set(event.AccountSID, strconv.FormatUint(uint64(uid), 10))
	}
	e.Set(event.LogonType, l.typ)
	e.Set(event.Protocol, l.protocol)
	e.Set(event.FailureReason, valid(l.reason))
	if l.remote.IsValid() {
		e.Set(event.RemoteIP, l.remote.String())
		e.Set(event.RemoteIPType, addrType(l.remote))
	}
	if l.port > 0 {
		e.SetInt(event.RemotePort, int64(l.port))
	}
	if l.action == event.LogonSuccess {
		e.SetBool(event.IsLocalAdmin, h.users.admin(l.user))
	}
	more := l.more
	if l.by != "" {
		if more == nil {
			more = map[string]any{}
		}
		more["by"] = l.by
	}
	if len(more) > 0 {
		e.Set(event.AdditionalFields, object(more))
	}
	e.Set(event.Source, source)
	if p := h.who(pid); p != nil {
		h.initiated(e, p, p.key)
		if p.session != unset {
			e.SetInt(event.LogonID, int64(p.session))
		}
	} else if pid != 0 {
		e.SetInt(event.InitiatingProcessID, int64(pid))
	}
	return e
}
