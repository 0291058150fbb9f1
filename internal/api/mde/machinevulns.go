package mde

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/server"
)

// mostEach is how far a client may skip in an order when every row has to be looked at.
const mostEach = 1_000_000

// machinesVulns is one row per machine, weakness, product and version. The list
// has hundreds of millions of rows in a large fleet, so the server pages it by
// what it knows of components and weaknesses: pages follow each other by a
// $skiptoken that names the last row, filter and order are handed down.
func (h *Handler) machinesVulns(q *request) error {
	o, err := parseOptions(q.r.URL.RawQuery)
	if err != nil {
		return err
	}
	shown, err := chosen(machineVulnProps, o.selects)
	if err != nil {
		return err
	}
	want := server.MachineVulnQuery{Skip: o.skip, Limit: o.limit(), Count: o.count}
	each := false
	if o.filter != "" {
		n, err := machineVulnFilter(o.filter)
		if err != nil {
			return err
		}
		want.Device = inventory.DeviceID(strings.ToLower(pinned(n, "machineId")))
		want.Weakness = upperCVE(pinned(n, "cveId"))
		if want.Where, each, err = machineVulnWhere(n); err != nil {
			return err
		}
	}
	if o.token != "" {
		if want.After, err = readToken(o.token); err != nil {
			return err
		}
	}
	if want.Order, err = machineVulnOrder(o.orderby); err != nil {
		return err
	}
	if each && want.Order != nil && o.skip > mostEach {
		return odataError("with this $filter, $orderby skips at most %d rows; follow @odata.nextLink", mostEach)
	}
	page, err := h.opt.Server.MachineVulns(q.ctx(), q.caller, want)
	if errors.Is(err, server.ErrManySets) {
		return odataError("$filter: %v", err)
	}
	if err != nil {
		return err
	}
	if n := len(page.Rows); n > 0 {
		q.token = writeToken(&page.Rows[n-1])
	}
	q.more = &page.More
	writeList(q, o, "PublicAssetVulnerabilityDtos", shown, page.Rows, page.Total)
	return nil
}

// pinned returns the text that a property must be equal to wherever a filter
// holds, "" when the filter does not say.
func pinned(n *node, name string) string {
	switch n.op {
	case "and":
		for _, k := range n.kids {
			if v := pinned(k, name); v != "" {
				return v
			}
		}
	case "eq":
		a, b := n.kids[0], n.kids[1]
		if a.op == "lit" {
			a, b = b, a
		}
		if text, ok := b.lit.(string); ok && b.op == "lit" && a.op == "prop" && strings.EqualFold(a.name, name) {
			return text
		}
	}
	return ""
}

// names reports whether a filter speaks of one of some properties.
func names(n *node, props ...string) bool {
	if n.op == "prop" && slices.ContainsFunc(props, func(p string) bool { return strings.EqualFold(p, n.name) }) {
		return true
	}
	return slices.ContainsFunc(n.kids, func(k *node) bool { return names(k, props...) })
}

// position is what a $skiptoken says of the last row of a page.
type position struct {
	Num      uint32 `json:"n"`
	Device   string `json:"d"`
	CVE      string `json:"c"`
	Vendor   string `json:"v"`
	Product  string `json:"p"`
	Version  string `json:"r"`
	Severity string `json:"s,omitempty"`
	Fixing   string `json:"f,omitempty"`
}

func writeToken(r *server.MachineVuln) string {
	raw, err := json.Marshal(position{r.Num, string(r.Device), r.CVE, r.Vendor, r.Product, r.Version, r.Severity, r.FixingID})
	if err != nil { // strings and a number: there is no reason
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

func readToken(token string) (*server.MachineVuln, error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	var p position
	if err != nil || json.Unmarshal(raw, &p) != nil {
		return nil, odataError("$skiptoken is not one that this server gave")
	}
	return &server.MachineVuln{Num: p.Num, Device: inventory.DeviceID(p.Device), CVE: p.CVE, Vendor: p.Vendor, Product: p.Product, Version: p.Version,
		Severity: p.Severity, FixingID: p.Fixing}, nil
}
