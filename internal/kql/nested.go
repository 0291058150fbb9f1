package kql

import "slices"

// nestedNode gives the first values in an order, and within each the first of others.
type nestedNode struct {
	in     plan
	cols   []Column
	levels []nestedLevel
	used   []bool
}

// nestedLevel has two columns: a value, and its aggregate.
type nestedLevel struct {
	value *expr
	most  int // below 0: all
	slots []*slot
	agg   *expr // over slots
	asc   bool
	rest  *Value // what the others are called; nil: they are left out
}

func (t *nestedNode) input() plan       { return t.in }
func (t *nestedNode) columns() []Column { return t.cols }
func (t *nestedNode) use(int)           {}
func (t *nestedNode) push(*expr)        {}

// run keeps the rows: which of them are others is known at the end only.
func (t *nestedNode) run(x *execution, out sink) error {
	kept := newStored(t.used)
	var rows [][]Value
	if err := t.in.run(x, func(row []Value) error {
		packed, n := kept.pack(row)
		rows = append(rows, packed)
		return x.keep(n + 24)
	}); err != nil {
		return err
	}
	return t.level(x, 0, kept, rows, make([]Value, len(t.cols)), out)
}

type nestedGroup struct {
	value, agg Value
	rows       [][]Value
}

// level gives the rows of one level and those below it.
func (t *nestedNode) level(x *execution, at int, kept *stored, rows [][]Value, made []Value, out sink) error {
	if at == len(t.levels) {
		return out(made)
	}
	l, size := &t.levels[at], 24*len(rows)
	if err := x.keep(size); err != nil {
		return err
	}
	defer x.free(size)
	groups, err := l.groups(x, kept, rows)
	if err != nil {
		return err
	}
	others := [][]Value{}
	if l.most >= 0 && len(groups) > l.most {
		for _, g := range groups[l.most:] {
			others = append(others, g.rows...)
		}
		groups = groups[:l.most]
	}
	for _, g := range groups {
		made[2*at], made[2*at+1] = g.value, g.agg
		if err := t.level(x, at+1, kept, g.rows, made, out); err != nil {
			return err
		}
	}
	if l.rest == nil || len(others) == 0 {
		return nil
	}
	made[2*at] = *l.rest
	if made[2*at+1], err = l.of(x, kept, others); err != nil {
		return err
	}
	for i := at + 1; i < len(t.levels); i++ { // others are not looked into
		below := &t.levels[i]
		made[2*i], made[2*i+1] = convert(Value{}, below.value.typ), convert(Value{}, below.agg.typ)
		if below.rest != nil {
			made[2*i] = *below.rest
			if made[2*i+1], err = below.of(x, kept, others); err != nil {
				return err
			}
		}
	}
	return out(made)
}

// groups are the values of a level in the order of their aggregates.
func (l *nestedLevel) groups(x *execution, kept *stored, rows [][]Value) ([]*nestedGroup, error) {
	byKey := map[string]*nestedGroup{}
	var groups []*nestedGroup
	row := make([]Value, kept.width)
	var key []byte
	before := x.memory
	defer func() { x.memory = before }()
	for _, packed := range rows {
		if err := x.tick(); err != nil {
			return nil, err
		}
		kept.unpack(packed, row)
		v := l.value.eval(row)
		key = v.key(key[:0])
		g := byKey[string(key)]
		if g == nil {
			g = &nestedGroup{value: v}
			byKey[string(key)] = g
			groups = append(groups, g)
			if err := x.keep(v.size() + len(key) + 160); err != nil {
				return nil, err
			}
		}
		g.rows = append(g.rows, packed)
	}
	for _, g := range groups {
		var err error
		if g.agg, err = l.of(x, kept, g.rows); err != nil {
			return nil, err
		}
	}
	k := &sortKey{asc: l.asc, nullsLast: true}
	slices.SortStableFunc(groups, func(a, b *nestedGroup) int { return k.compare(a.agg, b.agg) })
	return groups, nil
}

// of is the aggregate of rows.
func (l *nestedLevel) of(x *execution, kept *stored, rows [][]Value) (Value, error) {
	before := x.memory
	defer func() { x.memory = before }()
	accs := make([]accumulator, len(l.slots))
	for i, s := range l.slots {
		accs[i] = s.make(x)
	}
	row := make([]Value, kept.width)
	for _, packed := range rows {
		kept.unpack(packed, row)
		for _, a := range accs {
			if err := a.add(row); err != nil {
				return Value{}, err
			}
		}
	}
	results := make([]Value, len(accs))
	for i, a := range accs {
		results[i] = a.result()
	}
	return l.agg.eval(results), nil
}

// topNested binds the operator.
func (b *binder) topNested(in plan, o *op, e *env) plan {
	t := &nestedNode{in: in, used: make([]bool, len(in.columns()))}
	rows := &rowScope{cols: in.columns(), env: e, use: func(i int) {
		t.used[i] = true
		in.use(i)
	}}
	names := newNamer()
	for _, l := range o.levels {
		n := nestedLevel{value: b.expr(l.value.expr, rows), most: -1, asc: l.agg.asc}
		if l.most != nil {
			n.most = int(min(b.rowsOf(l.most, e), 1<<31))
		}
		ag := &aggScope{row: rows}
		n.agg = b.expr(l.agg.expr, &rowScope{env: e, aggs: ag})
		if n.slots = ag.slots; len(n.slots) == 0 {
			panic(fail(l.agg.expr.at, "values are ordered by an aggregate").with("for example by count()"))
		}
		if l.rest != nil {
			r := b.expr(l.rest, &rowScope{env: e})
			if !r.konst || !comparable(r.typ, n.value.typ) {
				panic(fail(l.rest.at, "what the others are called must be a constant of type %s", n.value.typ))
			}
			v := r.value()
			n.rest = &v
		}
		t.levels = append(t.levels, n)
		name := names.give(l.value, describe(l.value.expr), "")
		t.cols = append(t.cols, Column{name, n.value.typ}, Column{names.give(l.agg, "", "aggregated_"+name), n.agg.typ})
	}
	return t
}
