package server

import (
	"net/netip"

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

// facing says whether a device stands in the internet, and how that is known.
func (d *device) facing() (word, why string) {
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
	return facingUnknown, "No interface has a public IPv4 address; what a router forwards to the device cannot be seen from it."
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
