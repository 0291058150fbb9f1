package server

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/store"
)

// What manages a device.
const (
	managedByPicket  = "picket"
	managedByOsquery = "osquery"
	managedByNothing = "nothing"
)

var managers = []string{managedByPicket, managedByOsquery, managedByNothing}

// managedBy is what can be told to do something on a device.
func (d *device) managedBy() string {
	switch d.agent.Source {
	case store.SourceSBOM:
		return managedByNothing
	case store.SourceOsquery:
		return managedByOsquery
	}
	return managedByPicket
}

// Whether a device can be reached from the internet. There is no "no": a router
// or balancer before a device, which cannot be seen from it, may forward to it.
const (
	facingYes     = "yes"
	facingUnknown = "not_assessed"
)

// reachedFor is how long a connection from the internet says that a device can be
// reached from there, and reachedEvery how old the last one that is noted gets before
// another is.
const (
	reachedFor   = 7 * 24 * time.Hour
	reachedEvery = time.Hour
)

// facing says whether a device can be reached from the internet, and how that is
// known. The caller holds mu for reading.
func (d *device) facing(now time.Time) (word, why string) {
	if d.agent.Source == store.SourceSBOM {
		return facingUnknown, "A document tells no addresses."
	}
	for _, i := range d.sum.Interfaces {
		if !i.Up || i.Loopback {
			continue
		}
		for _, a := range i.Addresses {
			if ip, err := netip.ParseAddr(a); err == nil && publicIPv4(ip) {
				return facingYes, a + " on " + i.Name + " is a public address."
			}
		}
	}
	if r := d.reached; now.Sub(r.At) < reachedFor {
		return facingYes, fmt.Sprintf("Port %d took a connection from %s at %s.", r.Port, r.Remote, r.At.Format("2006-01-02 15:04 MST"))
	}
	return facingUnknown, "No interface has a public IPv4 address, and no connection from one was taken within 7 days; what a router would forward to the device cannot be seen from it."
}

// noteReached keeps that a device took a connection from the internet. It is called
// before the batch is acknowledged, also when it comes again.
func (s *Server) noteReached(ctx context.Context, b *eventlog.Batch) error {
	d := s.deviceOf(b.Device)
	if d == nil {
		return nil
	}
	s.core.mu.RLock()
	last := d.reached.At
	s.core.mu.RUnlock()
	if age := b.Received.Sub(last); age >= 0 && age < reachedEvery {
		return nil
	}
	r, ok := reachedIn(b.Records)
	if !ok {
		return nil
	}
	r.At = b.Received.UTC().Truncate(time.Millisecond)
	if err := s.st.SetReached(ctx, d.num, r); err != nil {
		return fmt.Errorf("store that %s was reached from the internet: %w", d.id, err)
	}
	s.core.mu.Lock()
	word, _ := d.facing(r.At)
	d.reached = r
	s.core.mu.Unlock()
	if word != facingYes {
		s.live.publish(LiveEvent{Resource: "device", ID: string(d.id)})
	}
	return nil
}

// reachedIn finds the last connection from a public address of IPv4 that events say
// was taken. A datagram is none: its source is easily forged, and answers are
// datagrams as well.
func reachedIn(records []byte) (r store.Reached, ok bool) {
	for len(records) > 0 {
		rec, rest, err := ev.Split(records)
		if err != nil {
			break
		}
		records = rest
		if rec.Head().Action != ev.InboundConnectionAccepted || string(rec.Text(ev.Protocol)) != "Tcp" {
			continue
		}
		ip, err := netip.ParseAddr(string(rec.Text(ev.RemoteIP)))
		if err != nil || !publicIPv4(ip) {
			continue
		}
		port, _ := rec.Number(ev.LocalPort)
		r, ok = store.Reached{Remote: ip.Unmap().String(), Port: port}, true
	}
	return r, ok
}

// loadReached reads which devices took connections from the internet.
func (c *core) loadReached(ctx context.Context, st *store.Store) error {
	all, err := st.ReachedDevices(ctx)
	if err != nil {
		return fmt.Errorf("load connections from the internet: %w", err)
	}
	for num, r := range all {
		if d := c.at(num); d != nil {
			d.reached = r
		}
	}
	return nil
}

// notPublic are the blocks of IPv4 that the internet does not route: RFC 6890 and
// what came after it.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("224.0.0.0/3"),
}

// publicIPv4 reports whether an address is one of IPv4 that the internet routes.
// IPv6 is left out: there every host has a global address, also behind a filter.
func publicIPv4(ip netip.Addr) bool {
	ip = ip.Unmap()
	if !ip.Is4() {
		return false
	}
	for _, p := range notPublic {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}
