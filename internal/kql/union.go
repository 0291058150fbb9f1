package kql

import (
	"slices"
	"strings"
)

// unionNode gives the rows of several tables one after the other.
type unionNode struct {
	cols  []Column
	parts []unionPart
}

type unionPart struct {
	in   plan
	from []int // of each column of the union: the part's, or −1
	name string
}

const withSource = -2 // in from: the name of the part

func (u *unionNode) columns() []Column { return u.cols }
func (u *unionNode) use(i int) {
	for _, p := range u.parts {
		if p.from[i] >= 0 {
			p.in.use(p.from[i])
		}
	}
}
func (u *unionNode) push(c *expr) {
	for _, p := range u.parts {
		here := without(c, func(col int) bool { return p.from[col] == -1 })
		pushThrough(p.in, here, func(i int) int { return max(p.from[i], -1) })
	}
}

// flow makes rows of a part to rows of the union.
func (u *unionNode) flow(p *unionPart, out sink) sink {
	buf := make([]Value, len(u.cols))
	for i, f := range p.from {
		switch {
		case f == withSource:
			buf[i] = StringValue(p.name)
		case f < 0 && u.cols[i].Type == String:
			buf[i] = StringValue("")
		}
	}
	return func(row []Value) error {
		for i, f := range p.from {
			if f >= 0 {
				buf[i] = row[f]
			}
		}
		return out(buf)
	}
}

// run reads tables at once where the reader can, the other parts one after the other.
func (u *unionNode) run(x *execution, out sink) error {
	var scans []Scan
	var sinks []sink
	rest := u.gather(x, out, &scans, &sinks)
	if many, ok := x.reader.(ManyReader); ok && len(scans) > 1 {
		if err := many.ReadMany(x.ctx, scans, func(i int, row []Value) error {
			if err := x.tick(); err != nil {
				return err
			}
			return sinks[i](row)
		}); err != nil {
			return err
		}
	} else {
		for i, s := range scans {
			if err := (&scanNode{scan: s}).run(x, sinks[i]); err != nil {
				return err
			}
		}
	}
	for _, run := range rest {
		if err := run(); err != nil {
			return err
		}
	}
	return nil
}

// gather collects the tables whose rows flow into the union one by one; it returns what runs the other parts.
func (u *unionNode) gather(x *execution, out sink, scans *[]Scan, sinks *[]sink) (rest []func() error) {
	for i := range u.parts {
		into := u.flow(&u.parts[i], out)
		in := u.parts[i].in
		for {
			f, ok := in.(interface {
				flow(x *execution, out sink) sink
				input() plan
			})
			if !ok {
				break
			}
			into, in = f.flow(x, into), f.input()
		}
		switch in := in.(type) {
		case *scanNode:
			if !in.empty() {
				*scans, *sinks = append(*scans, in.scan), append(*sinks, into)
			}
		case *unionNode:
			rest = append(rest, in.gather(x, into, scans, sinks)...)
		default:
			rest = append(rest, func() error { return in.run(x, into) })
		}
	}
	return rest
}

// union binds the operator. Columns of the same name and type are one; of the
// same name and different types they get their type as an ending.
func (b *binder) union(in plan, o *op, e *env) plan {
	u := &unionNode{}
	if in != nil {
		u.parts = append(u.parts, unionPart{in: in, name: "union_arg0"})
	}
	fuzzy := o.opts["isfuzzy"].text == "true"
	for _, n := range o.tables {
		for _, t := range b.wildTables(n) {
			p, name := b.fuzzyTable(t, e, fuzzy)
			if p != nil {
				u.parts = append(u.parts, unionPart{in: p, name: name})
			}
		}
	}
	if len(u.parts) == 0 {
		panic(fail(o.at, "none of the tables of the union is there"))
	}
	if len(u.parts) > 64 {
		panic(fail(o.at, "a union takes at most 64 tables"))
	}
	b.unionColumns(u, o)
	return u
}

// wildTables are the tables that a name with * means.
func (b *binder) wildTables(n *node) []*node {
	if n.kind != nodeWild {
		return []*node{n}
	}
	var out []*node
	names := slices.Clone(b.tables.Names())
	slices.Sort(names)
	for _, name := range names {
		if like(n.text, name) {
			out = append(out, &node{kind: nodeName, at: n.at, text: name})
		}
	}
	if len(out) == 0 {
		panic(fail(n.at, "no table has a name like %q", n.text))
	}
	return out
}

// like reports whether a name fits a pattern with *.
func like(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if !strings.HasPrefix(name, parts[0]) {
		return false
	}
	name = name[len(parts[0]):]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(name, p)
		if i < 0 {
			return false
		}
		name = name[i+len(p):]
	}
	last := parts[len(parts)-1]
	return len(parts) == 1 && name == "" || len(parts) > 1 && strings.HasSuffix(name, last)
}

// fuzzyTable binds a part; nil when it is not there and need not be.
func (b *binder) fuzzyTable(n *node, e *env, fuzzy bool) (p plan, name string) {
	name = "union_arg"
	if n.kind == nodeName {
		name = n.text
	}
	if fuzzy {
		subs := len(b.subs)
		defer func() {
			r := recover()
			if f, ok := r.(*failure); ok && f.missing {
				p, b.subs = nil, b.subs[:subs]
			} else if r != nil {
				panic(r)
			}
		}()
	}
	return b.table(n, e), name
}

func (b *binder) unionColumns(u *unionNode, o *op) {
	type key struct {
		name string
		typ  Type
	}
	types := map[string]map[Type]bool{}
	count := map[string]int{}
	for _, p := range u.parts {
		for _, c := range p.in.columns() {
			if types[c.Name] == nil {
				types[c.Name] = map[Type]bool{}
			}
			types[c.Name][c.Type] = true
			count[c.Name]++
		}
	}
	source := o.opts["withsource"].text
	if source == "" {
		source = o.opts["with_source"].text
	}
	names := newNamer()
	if source != "" {
		u.cols = append(u.cols, Column{names.plain(source), String})
	}
	at := map[key]int{}
	inner := o.opts["kind"].text == "inner"
	for _, p := range u.parts {
		for _, c := range p.in.columns() {
			k := key{c.Name, c.Type}
			if _, ok := at[k]; ok || inner && count[c.Name] < len(u.parts) {
				continue
			}
			name := c.Name
			if len(types[c.Name]) > 1 {
				name += "_" + c.Type.String()
			}
			at[k] = len(u.cols)
			u.cols = append(u.cols, Column{names.plain(name), c.Type})
		}
	}
	for i := range u.parts {
		p := &u.parts[i]
		p.from = make([]int, len(u.cols))
		for j := range p.from {
			p.from[j] = -1
		}
		if source != "" {
			p.from[0] = withSource
		}
		for j, c := range p.in.columns() {
			if k, ok := at[key{c.Name, c.Type}]; ok {
				p.from[k] = j
			}
		}
	}
}
