package sense

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// connections brings together connections of the same kind between the same
// ends: the first is told at once, those that follow within a window as one
// event with their number.
type connections struct {
	windows[connKey]
	open map[connKey]*connGroup
}

type connKey struct {
	kind          uint32
	owner         key
	local, remote netip.Addr
	port          uint16 // the one that is not the kernel's choice
}

type connGroup struct {
	last kernelConnection
	more int64
}

const (
	connWindow = time.Minute
	maxGroups  = 4096
)

func newConnections() connections {
	return connections{windows[connKey]{length: connWindow}, map[connKey]*connGroup{}}
}

// add takes a connection and says whether to tell it now.
func (c *connections) add(k connKey, r *kernelConnection) bool {
	if g := c.open[k]; g != nil {
		g.last = *r
		g.more++
		return false
	}
	if len(c.open) < maxGroups {
		c.open[k] = &connGroup{}
		c.begin(k, time.Duration(r.time))
	}
	return true
}

// over takes out the groups whose window has passed, all of them when end is
// set, and gives those of which something is still to be told.
func (c *connections) over(now time.Duration, end bool, each func(connKey, *connGroup)) {
	for k := range c.ended(now, end) {
		g := c.open[k]
		delete(c.open, k)
		if g.more > 0 {
			each(k, g)
		}
	}
}

var connActions = [kernelTypes]event.Action{kernelConnect: event.ConnectionSuccess, kernelFailed: event.ConnectionFailed,
	kernelAccept: event.InboundConnectionAccepted, kernelListen: event.ListeningConnectionCreated,
	kernelSent: event.ConnectionSuccess, kernelReceived: event.InboundConnectionAccepted}

// datagrams reports whether a record is of UDP.
func (r *kernelConnection) datagrams() bool { return r.kind == kernelSent || r.kind == kernelReceived }

// keyOf returns what connections that are told together have in common.
func keyOf(r *kernelConnection) connKey {
	k := connKey{kind: r.kind, owner: key{r.pid, ticks(r.start)}, local: r.local.Addr(), remote: r.remote.Addr(), port: r.remote.Port()}
	if r.kind == kernelAccept || r.kind == kernelListen || r.kind == kernelReceived {
		k.port = r.local.Port()
	}
	return k
}

// connected is the event of a connection that a source saw; of count, if more than one.
func (h *host) connected(r *kernelConnection, count int64, source string) *event.Event {
	e := &event.Event{Action: connActions[r.kind], Fields: make([]event.Field, 0, 24)}
	if r.kind != kernelListen {
		e.Set(event.RemoteIP, r.remote.Addr().String())
		e.SetInt(event.RemotePort, int64(r.remote.Port()))
		e.Set(event.RemoteIPType, addrType(r.remote.Addr()))
	}
	protocol := "Tcp"
	if r.datagrams() {
		protocol = "Udp"
	}
	if !r.datagrams() || !r.local.Addr().IsUnspecified() { // a socket of UDP need not have an address of its own
		e.Set(event.LocalIP, r.local.Addr().String())
		e.Set(event.LocalIPType, addrType(r.local.Addr()))
	}
	e.SetInt(event.LocalPort, int64(r.local.Port()))
	e.Set(event.Protocol, protocol)
	e.Set(event.Source, source)
	if count > 1 {
		e.SetInt(event.EventCount, count)
	}
	owner := key{r.pid, ticks(r.start)}
	if r.pid != 0 && r.start == 0 { // of a listener that was there before the agent
		if p := h.procs.now(r.pid); p != nil {
			owner = p.key
		}
	}
	p := h.procs.get(owner)
	if p != nil {
		e.Set(event.ContainerID, p.container)
	}
	h.initiated(e, p, owner)
	return e
}

// addrType is the kind of an address, in the words of the hunting tables.
func addrType(a netip.Addr) string {
	switch {
	case !a.IsValid():
		return ""
	case a.IsLoopback():
		return "Loopback"
	case a.IsPrivate(), a.IsLinkLocalUnicast():
		return "Private"
	case a.IsMulticast():
		return "Multicast"
	case a.IsUnspecified():
		return "Reserved"
	case a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return "Broadcast"
	case a.Is6() && netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 0x01}), 32).Contains(a):
		return "Teredo"
	case a.Is4() && a.As4()[0] >= 240:
		return "Reserved"
	}
	return "Public"
}

// cgroup2 finds where the second version of control groups is mounted, in the
// form of /proc/PID/mountinfo; "" when it is not.
func cgroup2(mountinfo string) string {
	for _, f := range fieldsOf(mountinfo) {
		for i := 6; i < len(f)-1; i++ {
			if f[i] == "-" {
				if f[i+1] == "cgroup2" {
					return unescaped(f[4])
				}
				break
			}
		}
	}
	return ""
}

// unescaped reads a path as mountinfo writes it: blanks and the like as octal numbers.
func unescaped(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// portKey is what a line of /proc/net/tcp says of a socket that waits.
type portKey struct {
	port  uint16
	inode uint64
}

// parseListeners reads the sockets that wait for connections off /proc/net/tcp
// or tcp6.
func parseListeners(text string) []portKey {
	var out []portKey
	for _, f := range fieldsOf(text) {
		if len(f) < 10 || f[3] != "0A" {
			continue
		}
		_, port, ok := cutLast(f[1], ':')
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(port, 16, 16)
		inode, err2 := strconv.ParseUint(f[9], 10, 64)
		if err == nil && err2 == nil {
			out = append(out, portKey{uint16(n), inode})
		}
	}
	return out
}
