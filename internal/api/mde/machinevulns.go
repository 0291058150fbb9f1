package mde

import (
	"encoding/base64"
	"encoding/json"
	"iter"
	"slices"
	"strings"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/server"
)

// machinesVulns is one row per machine, weakness, product and version. The list
// has hundreds of millions of rows in a large fleet, so a page costs what it
// holds: pages follow each other by a $skiptoken that names the last row, and a
// machine or weakness that the filter asks for is looked up. $count counts in
// the index unless the filter is about machines. $orderby looks at every row.
func (h *Handler) machinesVulns(q *request) error {
	o, err := parseOptions(q.r.URL.RawQuery)
	if err != nil {
		return err
	}
	var of server.MachineVulnQuery
	counts := true // the index can count
	if o.filter != "" {
		n, err := parseFilter(o.filter)
		if err != nil {
			return err
		}
		of.Device = inventory.DeviceID(strings.ToLower(pinned(n, "machineId")))
		of.Weakness = upperCVE(pinned(n, "cveId"))
		counts = !names(n, "id", "machineId")
	}
	if o.token != "" {
		if of.After, err = readToken(o.token); err != nil {
			return err
		}
	}
	less, err := order(machineVulnProps, o.orderby)
	if err != nil {
		return err
	}
	return serveWith(q, o, "PublicAssetVulnerabilityDtos", machineVulnProps, true, func(want server.Query, where func(*server.MachineVuln) bool) (server.Page[server.MachineVuln], error) {
		rows, err := h.opt.Server.MachineVulns(q.ctx(), q.caller, of)
		if err != nil {
			return server.Page[server.MachineVuln]{}, err
		}
		var page server.Page[server.MachineVuln]
		if less != nil {
			page = firstOf(rows, where, less, o.skip+o.limit())
			return page, q.ctx().Err()
		}
		page = pageOf(rows, where, want, o.count && !counts)
		if n := len(page.Items); n > 0 && (counts || !o.count) {
			q.token = writeToken(&page.Items[n-1])
		}
		if o.count && counts {
			more := page.Total > o.skip+len(page.Items)
			q.more = &more
			if page.Total, err = h.opt.Server.CountMachineVulns(q.ctx(), q.caller, of.Weakness, where); err != nil {
				return page, err
			}
		}
		return page, q.ctx().Err()
	})
}

// pageOf takes rows offset … offset+limit. Unless all are to be counted it stops
// at the first row behind them, which the total then includes.
func pageOf[T any](rows iter.Seq[T], where func(*T) bool, want server.Query, count bool) server.Page[T] {
	var page server.Page[T]
	for r := range rows {
		if where != nil && !where(&r) {
			continue
		}
		page.Total++
		switch full := len(page.Items) == want.Limit; {
		case full && !count:
			return page
		case !full && page.Total > want.Offset:
			page.Items = append(page.Items, r)
		}
	}
	return page
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
	Num     uint32 `json:"n"`
	CVE     string `json:"c"`
	Vendor  string `json:"v"`
	Product string `json:"p"`
	Version string `json:"r"`
}

func writeToken(r *server.MachineVuln) string {
	raw, err := json.Marshal(position{r.Num, r.CVE, r.Vendor, r.Product, r.Version})
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
	return &server.MachineVuln{Num: p.Num, CVE: p.CVE, Vendor: p.Vendor, Product: p.Product, Version: p.Version}, nil
}
