package mde

import (
	"slices"
	"strings"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/server"
)

// vulns is the list of weaknesses that count on at least one device. The server
// filters, orders, counts and pages by what its index has a column for. Where a
// filter or an order speaks of anything else, the server leaves out what its
// columns refuse, and the rest is looked at one by one.
func (h *Handler) vulns(q *request) error {
	return h.vulnTable(q, func(want server.WeaknessTableQuery) (server.WeaknessTablePage, error) {
		return h.opt.Server.WeaknessTable(q.ctx(), q.caller, want)
	})
}

// vulnTable is a list of weaknesses that the server reads as vulns says.
func (h *Handler) vulnTable(q *request, read func(server.WeaknessTableQuery) (server.WeaknessTablePage, error)) error {
	o, err := parseOptions(q.r.URL.RawQuery)
	if err != nil {
		return err
	}
	f, err := vulnFilterOf(o.filter)
	if err != nil {
		return err
	}
	all, shown, err := rowQuery(o, vulnProps)
	if err != nil {
		return err
	}
	want := server.WeaknessTableQuery{IDs: f.ids, RowQuery: server.RowQuery[server.WeaknessColumns]{Where: f.columns(), Limit: -1}}
	if f.wide || wideOrder(o.orderby) {
		page, err := read(want)
		if err != nil {
			return err
		}
		writeRows(q, o, "Vulnerabilities", shown, all.Of(server.Each(h.tableVulns(q, page.Rows))))
		return nil
	}
	want.Skip, want.Limit, want.Count = all.Skip, all.Limit, all.Count
	if all.Order != nil {
		var x, y vuln
		want.Order = func(a, b *server.WeaknessColumns) int {
			x, y = vulnOf(a), vulnOf(b)
			return all.Order(&x, &y)
		}
	}
	page, err := read(want)
	if err != nil {
		return err
	}
	writeRows(q, o, "Vulnerabilities", shown, server.RowPage[vuln]{Rows: h.tableVulns(q, page.Rows), More: page.More, Total: page.Total})
	return nil
}

// machineVulns is one row per weakness that counts on a device.
func (h *Handler) machineVulns(q *request) error {
	return h.vulnTable(q, func(want server.WeaknessTableQuery) (server.WeaknessTablePage, error) {
		page, err := h.opt.Server.DeviceWeaknessTable(q.ctx(), q.caller, lowerID(q.id), want)
		return page, missing(err, "Machine", q.id)
	})
}

// loader looks weaknesses up for rows that need more than a row says.
func (h *Handler) loader(q *request) func(id string) *advisory.Weakness {
	return func(id string) *advisory.Weakness {
		w, err := h.opt.Server.WeaknessFacts(q.ctx(), q.caller, id)
		if err != nil {
			return nil // the row itself is then all that is known
		}
		return &w
	}
}

// tableVulns turns rows of the server into rows of this API.
func (h *Handler) tableVulns(q *request, rows []server.WeaknessColumns) []vuln {
	load := h.loader(q)
	out := make([]vuln, len(rows))
	for i := range rows {
		out[i] = vulnOf(&rows[i])
		out[i].load = load
	}
	return out
}

func vulnOf(w *server.WeaknessColumns) vuln {
	return vuln{base: &w.CVSS3, WeaknessRow: server.WeaknessRow{ID: w.ID, Title: w.Title, Severity: w.Severity, CVSS: w.CVSS, CVSSVer: w.CVSSVer, EPSS: w.EPSS,
		Published: w.Published, Updated: w.Updated, Exposed: w.Exposed, Threats: server.Threats{Exploit: w.Exploit, EPSS: w.EPSS}}}
}

func (h *Handler) vuln(q *request) error {
	d, err := h.opt.Server.Weakness(q.ctx(), q.caller, upperCVE(q.id))
	if err != nil {
		return missing(err, "Vulnerability", q.id)
	}
	return serveOne(q, "Vulnerabilities", vulnProps, &vuln{WeaknessRow: d.WeaknessRow, facts: &d.Weakness})
}

// vulnFilter is what a $filter asks of weaknesses.
type vulnFilter struct {
	ids   []string         // it holds for no other; nil: it does not say
	where func(*vuln) bool // nil: all
	wide  bool             // it speaks of what has no column
}

// vulnFilterOf reads a $filter, "" for none.
func vulnFilterOf(filter string) (vulnFilter, error) {
	if filter == "" {
		return vulnFilter{}, nil
	}
	n, err := parseFilter(filter)
	if err != nil {
		return vulnFilter{}, err
	}
	n = columnsFirst(n)
	c := &compiler[vuln]{props: vulnProps}
	v, err := c.condition(n)
	if err != nil {
		return vulnFilter{}, err
	}
	ids, _ := pinnedIDs(n)
	return vulnFilter{ids: ids, where: func(r *vuln) bool { return v(r, nil) == true }, wide: names(n, wideVulnProps...)}, nil
}

// columns is the filter for the server: it keeps what columns do not decide.
func (f *vulnFilter) columns() func(*server.WeaknessColumns) bool {
	if f.where == nil {
		return nil
	}
	var v vuln
	return func(w *server.WeaknessColumns) bool {
		v = vulnOf(w)
		return f.where(&v) || v.asked
	}
}

// wideOrder reports whether an $orderby speaks of what has no column.
func wideOrder(orderby string) bool {
	for _, part := range strings.Split(orderby, ",") {
		if f := strings.Fields(part); len(f) > 0 && slices.ContainsFunc(wideVulnProps, func(p string) bool { return strings.EqualFold(p, f[0]) }) {
			return true
		}
	}
	return false
}

// columnsFirst puts what columns decide before the rest in "and" and "or",
// which does not change what they mean.
func columnsFirst(n *node) *node {
	if len(n.kids) == 0 {
		return n
	}
	out := *n
	out.kids = make([]*node, len(n.kids))
	for i, k := range n.kids {
		out.kids[i] = columnsFirst(k)
	}
	if n.op == "and" || n.op == "or" {
		slices.SortStableFunc(out.kids, func(a, b *node) int { return btoi(names(a, wideVulnProps...)) - btoi(names(b, wideVulnProps...)) })
	}
	return &out
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// pinnedIDs returns the ids of which one must be the row's wherever a filter
// holds, without regard to case; ok is false when the filter does not say.
func pinnedIDs(n *node) (ids []string, ok bool) {
	values, ok := pinnedValues(n, word, "id", "name")
	if !ok {
		return nil, false
	}
	ids = []string{}
	for _, v := range values {
		if text, is := v.(string); is { // no id is null
			ids = append(ids, text)
		}
	}
	return ids, true
}

// pinnedValues returns the values of which one must be that of one of some
// properties, which are the same, wherever a filter holds; ok is false when the
// filter does not say.
func pinnedValues(n *node, kind kind, names ...string) (values []any, ok bool) {
	switch n.op {
	case "and":
		for _, k := range n.kids {
			if some, yes := pinnedValues(k, kind, names...); yes && (!ok || len(some) < len(values)) {
				values, ok = some, true
			}
		}
		return values, ok
	case "or":
		for _, k := range n.kids {
			some, yes := pinnedValues(k, kind, names...)
			if !yes {
				return nil, false
			}
			values = append(values, some...)
		}
		return values, true
	case "eq", "in":
		prop, among := n.kids[0], n.kids[1:]
		if n.op == "eq" && prop.op == "lit" {
			prop, among = n.kids[1], n.kids[:1]
		}
		if prop.op != "prop" || !slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(prop.name, name) }) {
			return nil, false
		}
		for _, k := range among {
			lit, err := coerce(kind, k)
			if k.op != "lit" || err != nil {
				return nil, false
			}
			values = append(values, lit)
		}
		return values, true
	}
	return nil, false
}
