package collect

import (
	"context"
	"net"
	"slices"

	"github.com/picketsec/picket/internal/inventory"
)

// collectInterfaces lists the network interfaces of the running host.
func collectInterfaces(ctx context.Context, h Host, l Limits) *inventory.Section {
	if !h.Live {
		return absent(inventory.Interfaces, "another root file system is inventoried: it has no interfaces of its own")
	}
	r := begin(inventory.Interfaces, l)
	list, err := net.Interfaces()
	if err != nil {
		r.problem("the interfaces cannot be listed: %s", err)
	}
	for _, in := range list {
		f := inventory.Interface{
			Name:      r.text(in.Name, 256),
			MAC:       in.HardwareAddr.String(),
			Up:        in.Flags&net.FlagUp != 0,
			Loopback:  in.Flags&net.FlagLoopback != 0,
			Addresses: []string{},
		}
		addrs, err := in.Addrs()
		if err != nil {
			r.problem("the addresses of interface %q cannot be listed: %s", in.Name, err)
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && len(f.Addresses) < 1000 {
				f.Addresses = append(f.Addresses, n.IP.String())
			}
		}
		slices.Sort(f.Addresses)
		f.Addresses = slices.Compact(f.Addresses)
		r.put(f.Name, f)
	}
	return r.done(ctx)
}
