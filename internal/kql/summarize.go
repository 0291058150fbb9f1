package kql

// aggScope collects the aggregates of a summarize.
type aggScope struct {
	row   *rowScope // of the rows that are aggregated
	slots []*slot
	width int // of the groups' own values, before the aggregates
}

// slot is one aggregate of a summarize.
type slot struct {
	make func(x *execution) accumulator
}

// accumulator is an aggregate of one group under way.
type accumulator interface {
	add(row []Value) error
	result() Value
}

// slotExpr reads an aggregate's result.
func (a *aggScope) slotExpr(t Type, make func(x *execution) accumulator) *expr {
	i := a.width + len(a.slots)
	a.slots = append(a.slots, &slot{make: make})
	return &expr{typ: t, col: -1, op: "aggregate", eval: func(row []Value) Value { return row[i] }}
}

// summarizeNode makes one row of every group.
type summarizeNode struct {
	in    plan
	cols  []Column
	by    []*expr
	slots []*slot
	exprs []*expr // over the groups' values and results
}

func (s *summarizeNode) input() plan       { return s.in }
func (s *summarizeNode) columns() []Column { return s.cols }
func (s *summarizeNode) use(int)           {}
func (s *summarizeNode) push(c *expr) {
	pushThrough(s.in, c, func(i int) int {
		if i < len(s.by) {
			return s.by[i].col
		}
		return -1
	})
}

type aggGroup struct {
	by   []Value
	accs []accumulator
}

func (s *summarizeNode) run(x *execution, out sink) error {
	groups := map[string]*aggGroup{}
	var order []*aggGroup
	var key []byte
	by := make([]Value, len(s.by))
	fresh := func() *aggGroup {
		g := &aggGroup{by: append([]Value{}, by...), accs: make([]accumulator, len(s.slots))}
		for i, sl := range s.slots {
			g.accs[i] = sl.make(x)
		}
		order = append(order, g)
		return g
	}
	var all *aggGroup
	if len(s.by) == 0 {
		all = fresh()
	}
	err := s.in.run(x, func(row []Value) error {
		g := all
		if g == nil {
			key = key[:0]
			for i, e := range s.by {
				by[i] = e.eval(row)
				key = by[i].key(key)
			}
			if g = groups[string(key)]; g == nil {
				size := len(key) + 200 + 64*len(s.slots)
				for _, v := range by {
					size += v.size()
				}
				if err := x.keep(size); err != nil {
					return err
				}
				g = fresh()
				groups[string(key)] = g
			}
		}
		for _, a := range g.accs {
			if err := a.add(row); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	row := make([]Value, len(s.by)+len(s.slots))
	buf := make([]Value, len(s.exprs))
	for _, g := range order {
		if err := x.tick(); err != nil {
			return err
		}
		copy(row, g.by)
		for i, a := range g.accs {
			row[len(s.by)+i] = a.result()
		}
		for i, e := range s.exprs {
			buf[i] = e.eval(row)
		}
		if err := out(buf); err != nil {
			return err
		}
	}
	return nil
}

// summarize binds the operator.
func (b *binder) summarize(in plan, o *op, e *env) plan {
	rows := &rowScope{cols: in.columns(), use: in.use, env: e}
	s := &summarizeNode{in: in}
	names := newNamer()
	for _, n := range o.by {
		x := b.expr(n.expr, rows)
		s.by = append(s.by, x)
		s.cols = append(s.cols, Column{Name: names.give(n, describe(n.expr), ""), Type: x.typ})
	}
	ag := &aggScope{row: rows, width: len(s.by)}
	groups := &rowScope{cols: append([]Column{}, s.cols...), env: e, aggs: ag}
	for i, c := range s.cols {
		s.exprs = append(s.exprs, &expr{typ: c.Type, col: i, eval: func(row []Value) Value { return row[i] }})
	}
	if len(o.list) == 0 && len(o.by) == 0 {
		panic(fail(o.at, "summarize needs an aggregate, or columns behind by"))
	}
	for _, n := range o.list {
		if n.expr.kind == nodeCall {
			if many := b.many(n.expr); many != nil {
				for _, part := range many(n, groups, s.cols) {
					s.exprs = append(s.exprs, part.expr)
					name := part.name
					if n.name == "" && len(n.names) == 0 { // nobody chose it: Timestamp beside bin(Timestamp, 1h) is Timestamp1
						name = names.plain(name)
					} else {
						name = names.give(&named{at: n.at, name: name}, "", "")
					}
					s.cols = append(s.cols, Column{Name: name, Type: part.expr.typ})
				}
				continue
			}
		}
		before := len(ag.slots)
		x := b.expr(n.expr, groups)
		if len(ag.slots) == before {
			panic(fail(n.expr.at, "there is no aggregate in this part of summarize").with("columns to group by stand behind by"))
		}
		s.exprs = append(s.exprs, x)
		s.cols = append(s.cols, Column{Name: names.give(n, "", aggregateName(n.expr)), Type: x.typ})
	}
	s.slots = ag.slots
	return s
}

// aggregateName is the name of an aggregate's column where none is given: sum_X.
func aggregateName(n *node) string {
	if n.kind != nodeCall || aggregates[n.text].name == "" {
		return ""
	}
	arg := ""
	if len(n.kids) > 0 {
		arg = describe(n.kids[0])
	}
	switch n.text {
	case "count", "countif":
		return n.text + "_"
	case "take_any", "any", "take_anyif":
		return arg
	case "make_set", "make_set_if", "makeset":
		return "set_" + arg
	case "make_list", "make_list_if", "makelist":
		return "list_" + arg
	case "make_bag", "make_bag_if":
		return "bag_" + arg
	case "percentile":
		if len(n.kids) == 2 && n.kids[1].kind == nodeLiteral {
			return "percentile_" + arg + "_" + n.kids[1].val.Text()
		}
	}
	return n.text + "_" + arg
}
