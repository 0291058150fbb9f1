package server

import (
	"fmt"
	"slices"
	"strings"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
)

// mostMatches are the devices that an error names.
const mostMatches = 10

// matches returns the devices, wherever they are, that are meant by an id, or
// that have a name, short or full, without regard to case; what answers a caller
// asks named. The caller holds mu for reading.
func (c *core) matches(idOrName string) []*device {
	if num, ok := c.byID[inventory.DeviceID(idOrName)]; ok {
		return []*device{c.at(num)}
	}
	var out []*device
	for _, d := range c.devices {
		if d != nil && (foldEqual(d.sum.Name, idOrName) || d.sum.FQDN != "" && foldEqual(d.sum.FQDN, idOrName)) {
			out = append(out, d)
		}
	}
	return out
}

// named returns the device of a scope by its id, or the one with a name; outside
// of the scope there is none. A name belongs to
// the host that has it: a bill of materials of the same name does not stand in
// its way, and is found by its id. Where more than one is left it is
// ErrNotFound, and the error names them.
func (c *core) named(in exposure.Scope, idOrName string) (*device, error) {
	all := slices.DeleteFunc(c.matches(idOrName), func(d *device) bool { return !in.Has(d.group) })
	var hosts []*device
	for _, d := range all {
		if d.agent.Source != store.SourceSBOM {
			hosts = append(hosts, d)
		}
	}
	switch {
	case len(hosts) == 1:
		return hosts[0], nil
	case len(all) == 1:
		return all[0], nil
	case len(all) == 0:
		return nil, fmt.Errorf("device %q: %w", idOrName, ErrNotFound)
	}
	return nil, ambiguous(idOrName, all)
}

// meant is named for people at a command line: a name that more than one
// device has is always an error that names them.
func (c *core) meant(idOrName string) (*device, error) {
	if all := c.matches(idOrName); len(all) > 1 {
		return nil, ambiguous(idOrName, all)
	}
	return c.named(exposure.Everywhere(), idOrName)
}

func ambiguous(name string, all []*device) error {
	var list []string
	for _, d := range all[:min(len(all), mostMatches)] {
		list = append(list, fmt.Sprintf("%s (%s)", d.id, d.source()))
	}
	if n := len(all) - mostMatches; n > 0 {
		list = append(list, fmt.Sprintf("and %d more", n))
	}
	return fmt.Errorf("%d devices are called %q: give the id of one: %s: %w", len(all), name, strings.Join(list, ", "), ErrNotFound)
}
