package mde

import (
	"slices"
	"strings"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/server"
)

// restProp is the part of a row's id behind the device's. No $filter can name it.
const restProp = "-rest"

// deviceLen is how long the id of a device is, which a row's id begins with.
const deviceLen = 40

// machineVulnParts are what a filter over rows is made of, once machineVulnFilter took ids apart.
var machineVulnParts = append(slices.Clone(machineVulnProps), prop[server.MachineVuln]{restProp, word, func(r *server.MachineVuln) any { return restOf(r) }})

func restOf(r *server.MachineVuln) string {
	return "-_-" + strings.Join([]string{r.CVE, r.Vendor, r.Product, r.Version, r.FixingID}, "-_-")
}

// machineVulnFilter parses a $filter and takes what it asks of id apart, into
// what that asks of the device and of the rest.
func machineVulnFilter(filter string) (*node, error) {
	if _, err := compile(machineVulnProps, filter); err != nil {
		return nil, err
	}
	n, err := parseFilter(filter)
	if err != nil {
		return nil, err
	}
	return takeApart(n), nil
}

// takeApart returns an equal expression that speaks of machineId and restProp
// where n compares id with a text.
func takeApart(n *node) *node {
	switch n.op {
	case "and", "or", "not":
		out := &node{op: n.op}
		for _, k := range n.kids {
			out.kids = append(out.kids, takeApart(k))
		}
		return out
	case "in":
		if !isID(n.kids[0]) {
			return n
		}
		out := &node{op: "or"}
		for _, k := range n.kids[1:] {
			out.kids = append(out.kids, comparedID(&node{op: "eq", kids: []*node{n.kids[0], k}}))
		}
		return out
	case "eq", "ne", "gt", "ge", "lt", "le":
		if k, yes, ok := isTrue(n); ok && yes {
			return takeApart(k)
		} else if ok {
			return &node{op: "not", kids: []*node{takeApart(k)}}
		}
		return comparedID(n)
	case "call":
		return searchedID(n)
	}
	return n
}

// isTrue takes "startswith(…) eq true" and its like apart: the condition, and whether it is to be true.
func isTrue(n *node) (cond *node, yes, ok bool) {
	a, b := n.kids[0], n.kids[1]
	if a.op == "lit" {
		a, b = b, a
	}
	yes, ok = b.lit.(bool)
	ok = ok && b.op == "lit" && (n.op == "eq" || n.op == "ne") && a.op == "call" && slices.Contains([]string{"startswith", "endswith", "contains", "substringof"}, a.name)
	return a, yes == (n.op == "eq"), ok
}

func isID(n *node) bool { return n.op == "prop" && strings.EqualFold(n.name, "id") }

func either(kids ...*node) *node { return &node{op: "or", kids: kids} }

func both(kids ...*node) *node { return &node{op: "and", kids: kids} }

func asks(op, name, text string) *node {
	return &node{op: op, kids: []*node{{op: "prop", name: name}, {op: "lit", lit: text}}}
}

func asksPart(function, name, text string) *node {
	return &node{op: "call", name: function, kids: []*node{{op: "prop", name: name}, {op: "lit", lit: text}}}
}

// turned are the operators with their sides changed.
var turned = map[string]string{"eq": "eq", "ne": "ne", "gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}

// comparedID takes a comparison of id with a text apart, and leaves any other.
func comparedID(n *node) *node {
	a, b, op := n.kids[0], n.kids[1], n.op
	if isID(b) {
		a, b, op = b, a, turned[op]
	}
	text, ok := asText(a, b)
	if !ok {
		return n
	}
	cut := min(deviceLen, len(text))
	device, rest := text[:cut], text[cut:]
	same := both(asks("eq", "machineId", device), asks("eq", restProp, rest))
	switch op {
	case "eq":
		return same
	case "ne":
		return &node{op: "not", kids: []*node{same}}
	}
	return either(asks(op[:1]+"t", "machineId", device), both(asks("eq", "machineId", device), asks(op, restProp, rest)))
}

// asText is the text that id is compared with, in lower case.
func asText(id, b *node) (text string, ok bool) {
	if !isID(id) || b.op != "lit" {
		return "", false
	}
	lit, err := coerce(word, b)
	text, ok = lit.(string)
	return strings.ToLower(text), ok && err == nil
}

// searchedID takes a search for a text in id apart, and leaves any other.
func searchedID(n *node) *node {
	name, args := n.name, n.kids
	if name == "substringof" && len(args) == 2 {
		name, args = "contains", []*node{args[1], args[0]}
	}
	if len(args) != 2 {
		return n
	}
	text, ok := asText(args[0], args[1])
	switch {
	case !ok:
		return n
	case name == "startswith" && len(text) <= deviceLen:
		return asksPart(name, "machineId", text)
	case name == "startswith":
		return both(asks("eq", "machineId", text[:deviceLen]), asksPart(name, restProp, text[deviceLen:]))
	case name == "endswith":
		return across(either(asksPart(name, restProp, text)), text, func(rest string) *node { return asks("eq", restProp, rest) })
	case name == "contains":
		return across(either(asksPart(name, restProp, text), asksPart(name, "machineId", text)), text, func(rest string) *node { return asksPart("startswith", restProp, rest) })
	}
	return n
}

// across adds to some alternatives that a text begins in the device's id and ends in the rest.
func across(out *node, text string, end func(rest string) *node) *node {
	for cut := 1; cut < len(text) && cut <= deviceLen; cut++ {
		out.kids = append(out.kids, both(asksPart("endswith", "machineId", text[:cut]), end(text[cut:])))
	}
	return out
}

// machineVulnWhere makes a condition of an expression whose ids were taken
// apart. each says that some of it can only be asked of every row.
func machineVulnWhere(n *node) (cond *server.MachineVulnCondition, each bool, err error) {
	if n.op == "and" || n.op == "or" || n.op == "not" {
		cond = &server.MachineVulnCondition{Op: n.op}
		for _, k := range n.kids {
			kid, some, err := machineVulnWhere(k)
			if err != nil {
				return nil, false, err
			}
			cond.Kids, each = append(cond.Kids, kid), each || some
		}
		return cond, each, nil
	}
	c := &compiler[server.MachineVuln]{props: machineVulnParts}
	v, err := c.condition(n)
	if err != nil {
		return nil, false, err
	}
	holds := func(r *server.MachineVuln) bool { return v(r, nil) == true }
	switch device := names(n, "machineId"); {
	case names(n, "id"), device && names(n, restProp, "cveId", "fixingKbId", "productName", "productVendor", "productVersion", "severity"):
		return &server.MachineVulnCondition{Both: holds}, true, nil
	case device:
		return &server.MachineVulnCondition{Device: func(id inventory.DeviceID) bool { return holds(&server.MachineVuln{Device: id}) }}, false, nil
	}
	return &server.MachineVulnCondition{Row: holds}, false, nil
}

// machineVulnOrder makes the server's keys of an $orderby: as orderOf has it,
// null is before everything, and words are compared without regard to case.
func machineVulnOrder(orderby string) ([]server.MachineVulnKey, error) {
	if _, err := order(machineVulnProps, orderby); err != nil || strings.TrimSpace(orderby) == "" {
		return nil, err
	}
	var keys []server.MachineVulnKey
	for _, part := range strings.Split(orderby, ",") {
		f := strings.Fields(part)
		p, _ := lookup(machineVulnParts, f[0])
		desc := len(f) == 2 && strings.EqualFold(f[1], "desc")
		if p.name == "id" || p.name == "machineId" {
			keys = append(keys, server.MachineVulnKey{Desc: desc})
		}
		if p.name == "machineId" {
			continue
		}
		if p.name == "id" {
			p, _ = lookup(machineVulnParts, restProp)
		}
		keys = append(keys, server.MachineVulnKey{Desc: desc, Value: func(r *server.MachineVuln) string {
			s, _ := p.get(r).(string)
			if p.kind == word {
				s = strings.ToLower(s)
			}
			return s
		}})
	}
	return keys, nil
}
