package kql

import "strings"

// madePart is one column of an aggregate that gives several.
type madePart struct {
	name string
	expr *expr
}

// many is an aggregate that gives several columns; nil when there is none of that name.
func (b *binder) many(n *node) func(n *named, s *rowScope, have []Column) []madePart {
	switch n.text {
	case "take_any", "any":
		if len(n.kids) > 1 || len(n.kids) == 1 && n.kids[0].kind == nodeStar {
			return b.anyRow
		}
	case "arg_max":
		return func(n *named, s *rowScope, have []Column) []madePart { return b.argBest(n, s, have, 1) }
	case "arg_min":
		return func(n *named, s *rowScope, have []Column) []madePart { return b.argBest(n, s, have, -1) }
	case "percentiles":
		return b.percentiles
	}
	return nil
}

// itemExpr reads one value of an aggregate that gives an array.
func itemExpr(all *expr, i int, t Type) *expr {
	return &expr{typ: t, col: -1, op: "aggregate", eval: func(row []Value) Value {
		v := all.eval(row)
		if v.typ != array || i >= len(v.list.items) {
			return Value{}
		}
		return v.list.items[i]
	}}
}

func (b *binder) percentiles(n *named, s *rowScope, _ []Column) []madePart {
	c := n.expr
	if len(c.kids) < 2 {
		panic(fail(c.at, "percentiles takes a number and percentages").with("percentiles(FileSize, 50, 95, 99)"))
	}
	args := make([]*expr, len(c.kids))
	for i, k := range c.kids {
		args[i] = b.expr(k, s.aggs.row)
	}
	at := ranks(c, args)
	all := s.aggs.slotExpr(Dynamic, func(x *execution) accumulator { return &rankAcc{x: x, arg: args[0], at: at, many: true} })
	var out []madePart
	for i := range at {
		name := "percentile_" + describe(c.kids[0]) + "_" + c.kids[i+1].val.Text()
		if i < len(n.names) {
			name = n.names[i]
		}
		out = append(out, madePart{strings.TrimSuffix(name, ".0"), itemExpr(all, i, args[0].typ)})
	}
	return out
}

// bestAcc keeps the row with the largest or smallest value.
type bestAcc struct {
	x    *execution
	by   *expr
	args []*expr
	sign int
	best Value
	vals []Value
	size int
}

func (a *bestAcc) add(row []Value) error {
	v := a.by.eval(row)
	if v.IsNull() && a.vals != nil || !v.IsNull() && !a.best.IsNull() && compare(v, a.best)*a.sign <= 0 {
		return nil
	}
	a.best = v
	vals := make([]Value, 0, len(a.args)+1)
	vals = append(vals, v)
	size := v.size()
	for _, e := range a.args {
		vals = append(vals, e.eval(row))
		size += vals[len(vals)-1].size()
	}
	a.vals = vals
	a.x.free(a.size)
	a.size = size
	return a.x.keep(size)
}
func (a *bestAcc) result() Value { return ArrayValue(a.vals...) }

// argBest binds arg_max and arg_min.
func (b *binder) argBest(n *named, s *rowScope, have []Column, sign int) []madePart {
	c := n.expr
	if len(c.kids) < 1 || len(c.kids) > maxNames {
		panic(fail(c.at, "%s takes a value and columns", c.text).with(c.text + "(Timestamp, *)"))
	}
	by := b.expr(c.kids[0], s.aggs.row)
	name := n.name
	if name == "" && len(n.names) > 0 {
		name = n.names[0]
	}
	if name == "" {
		if name = describe(c.kids[0]); name == "" {
			name = strings.TrimPrefix(c.text, "arg_") + "_"
		}
	}
	var args []*expr
	parts := []madePart{{name: name}}
	taken := map[string]bool{describe(c.kids[0]): true}
	for _, h := range have {
		taken[h.Name] = true
	}
	for i, k := range c.kids[1:] {
		if k.kind == nodeStar {
			for j, col := range s.aggs.row.cols {
				if !taken[col.Name] {
					args = append(args, s.aggs.row.column(j))
					parts = append(parts, madePart{name: col.Name})
				}
			}
			continue
		}
		part := describe(k)
		if i+1 < len(n.names) {
			part = n.names[i+1]
		}
		args = append(args, b.expr(k, s.aggs.row))
		parts = append(parts, madePart{name: part})
		taken[part] = true
	}
	all := s.aggs.slotExpr(Dynamic, func(x *execution) accumulator { return &bestAcc{x: x, by: by, args: args, sign: sign} })
	parts[0].expr = itemExpr(all, 0, by.typ)
	for i, a := range args {
		parts[i+1].expr = itemExpr(all, i+1, a.typ)
	}
	return parts
}

// anyRow binds take_any of several columns: those of the first row.
func (b *binder) anyRow(n *named, s *rowScope, have []Column) []madePart {
	c := *n.expr
	c.kids = append([]*node{{kind: nodeLiteral, at: c.at}}, c.kids...)
	return b.argBest(&named{at: n.at, names: append([]string{""}, n.names...), expr: &c}, s, have, 1)[1:]
}
