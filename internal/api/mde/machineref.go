package mde

import (
	"math"
	"strings"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/server"
)

// machineRefProps are the properties of a machine in a list of references. All
// of them are columns of the server.
var machineRefProps = []prop[server.DeviceRef]{
	{"id", word, func(r *server.DeviceRef) any { return string(r.ID) }},
	{"computerDnsName", word, func(r *server.DeviceRef) any { return dnsName(r.DNSName, r.Name) }},
	{"osPlatform", word, func(r *server.DeviceRef) any { return textOrNil(r.OSPlatform) }},
	{"rbacGroupName", text, func(r *server.DeviceRef) any { return textOrNil(r.Group) }},
	{"rbacGroupId", number, func(r *server.DeviceRef) any { return float64(r.GroupID) }},
}

// machineRefs lists references to machines. The server filters, orders, counts
// and pages; machines and groups that a filter names are found by the index.
func machineRefs(q *request, read func(server.DeviceRefQuery) (server.DeviceRefPage, error)) error {
	o, err := parseOptions(q.r.URL.RawQuery)
	if err != nil {
		return err
	}
	rows, shown, err := rowQuery(o, machineRefProps)
	if err != nil {
		return err
	}
	want := server.DeviceRefQuery{RowQuery: rows}
	if o.filter != "" {
		n, err := parseFilter(o.filter)
		if err != nil {
			return err
		}
		if lits, ok := pinnedValues(n, word, "id"); ok {
			want.IDs = []inventory.DeviceID{}
			for _, v := range lits {
				if id, is := v.(string); is {
					want.IDs = append(want.IDs, inventory.DeviceID(strings.ToLower(id)))
				}
			}
		}
		if lits, ok := pinnedValues(n, number, "rbacGroupId"); ok {
			want.Groups = []exposure.Group{}
			for _, v := range lits {
				if f, is := v.(float64); is && f == math.Trunc(f) && f >= 0 && f <= math.MaxUint16 {
					want.Groups = append(want.Groups, exposure.Group(f))
				}
			}
		}
	}
	page, err := read(want)
	if err != nil {
		return err
	}
	writeRows(q, o, "MachineReferences", shown, page.RowPage)
	return nil
}
