package kql

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Plug-ins of evaluate give columns that depend on rows. A query that uses one is
// open: what is before the plug-in is read by Resolve, and the rest of the query
// is checked and run over what was read.

// openEnd ends the binding of a query whose columns are not known yet.
type openEnd struct{}

// readFailure is an error of reading, on its way through the binder.
type readFailure struct{ err error }

// Open reports whether columns depend on rows: Resolve is needed before Columns and Run.
func (q *Query) Open() bool { return q.open }

// Resolve reads what an open query needs to know its columns; it does nothing for
// others. Its errors are those of Prepare and of Run.
func (q *Query) Resolve(ctx context.Context, r Reader, l Limits) (err error) {
	if !q.open {
		return nil
	}
	stmts, f := parse(q.text)
	if f != nil {
		return f.place(q.text)
	}
	x := &execution{ctx: ctx, reader: r, limits: l}
	b := newBinder(q.options)
	b.x = x
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *readFailure:
			err = r.err
		default:
			panic(r)
		}
	}()
	if f := b.query(stmts, q); f != nil {
		return f.place(q.text)
	}
	q.open, q.kept, q.notes = false, x.memory, x.notes
	return nil
}

// evaluate binds a call of a plug-in.
func (b *binder) evaluate(in plan, o *op, e *env) plan {
	c := o.list[0].expr
	if c.kind == nodeCall && c.text == "ipv4_lookup" {
		return b.addressLookup(in, c, e)
	}
	for _, k := range c.kids {
		if k.label != "" {
			panic(fail(k.at, "%s has no argument %q", c.text, k.label))
		}
	}
	plugins := map[string]func(in plan, c *node, e *env) func(rows [][]Value) plan{"bag_unpack": b.bagUnpack, "pivot": b.pivot, "narrow": b.narrow}
	make, ok := plugins[c.text]
	if c.kind != nodeCall || !ok {
		panic(fail(c.at, "there is no plug-in %q here", c.text).with("bag_unpack, pivot, narrow or ipv4_lookup"))
	}
	of := make(in, c, e)
	if b.x == nil {
		panic(openEnd{})
	}
	for i := range in.columns() {
		in.use(i)
	}
	for _, s := range b.subs {
		if s.first == nil {
			b.must(s.run(b.x))
		}
	}
	pushDown(in)
	var rows [][]Value
	b.must(in.run(b.x, func(row []Value) error {
		n := 48
		for _, v := range row {
			n += v.size()
		}
		rows = append(rows, slices.Clone(row))
		return b.x.keep(n)
	}))
	return of(rows)
}

// must ends the binding when reading failed.
func (b *binder) must(err error) {
	if err != nil {
		panic(&readFailure{err})
	}
}

// tooMany ends the binding when rows would give more columns than a table may have.
func (b *binder) tooMany(n int, what string) {
	if n > maxNames {
		b.must(&LimitError{fmt.Sprintf("%s would give more than %d columns: filter before it", what, maxNames)})
	}
}

// columnOf is the place of a column that a plug-in is told.
func columnOf(in plan, n *node) int {
	s := &rowScope{cols: in.columns()}
	if n.kind != nodeName || s.find(n.text) < 0 {
		panic(unknownColumn(n, s))
	}
	return s.find(n.text)
}

func constantText(b *binder, n *node, e *env) string {
	x := b.expr(n, &rowScope{env: e})
	if !x.konst || x.typ != String {
		panic(fail(n.at, "a text is expected"))
	}
	return x.value().Text()
}

// rowsNode gives rows that were read, each changed.
func rowsNode(cols []Column, rows [][]Value, change func(row []Value, yield func([]Value) error) error) plan {
	return &valuesNode{cols: cols, rows: func(yield func([]Value) error) error {
		for _, r := range rows {
			if err := change(r, yield); err != nil {
				return err
			}
		}
		return nil
	}}
}

// bagUnpack makes a column of every member of bags.
func (b *binder) bagUnpack(in plan, c *node, e *env) func([][]Value) plan {
	if len(c.kids) < 1 || len(c.kids) > 3 {
		panic(fail(c.at, "bag_unpack takes a column, a prefix and what is done about columns that are there").with(`bag_unpack(AdditionalFields, "x_", "keep_source")`))
	}
	at := columnOf(in, c.kids[0])
	if t := in.columns()[at].Type; t != Dynamic && t != String {
		panic(fail(c.kids[0].at, "bag_unpack takes a dynamic column, not one of type %s", t))
	}
	prefix, conflict := "", "error"
	if len(c.kids) > 1 {
		prefix = constantText(b, c.kids[1], e)
	}
	if len(c.kids) > 2 {
		if conflict = constantText(b, c.kids[2], e); !slices.Contains([]string{"error", "replace_source", "keep_source"}, conflict) {
			panic(fail(c.kids[2].at, "there is no way %q", conflict).with("error, replace_source or keep_source"))
		}
	}
	return func(rows [][]Value) plan {
		types := map[string]Type{}
		for _, r := range rows {
			r[at] = asDynamic(r[at])
			keys, items := r[at].Members()
			for i, k := range keys {
				t := items[i].typ
				if was, ok := types[k]; t == array || t == bag || ok && was != Null && t != Null && was != t {
					t = Dynamic
				} else if t == Null {
					t = was
				}
				types[k] = t
			}
			b.tooMany(len(types), "bag_unpack")
		}
		var cols []Column
		from, taken := []int{}, map[string]int{}
		for i, col := range in.columns() {
			if i != at {
				taken[col.Name] = len(cols)
				cols, from = append(cols, col), append(from, i)
			}
		}
		members := make([]string, len(cols))
		for _, k := range sortedNames(types) {
			col := Column{prefix + k, types[k]}
			if col.Type == Null {
				col.Type = Dynamic
			}
			i, ok := taken[col.Name]
			switch {
			case ok && conflict == "error":
				panic(fail(c.at, "the column %s is there already", col.Name).with(`give the new columns a prefix: bag_unpack(column, "x_")`))
			case ok && conflict == "keep_source":
			case ok:
				cols[i], from[i], members[i] = col, -1, k
			default:
				cols, from, members = append(cols, col), append(from, -1), append(members, k)
			}
		}
		out := make([]Value, len(cols))
		return rowsNode(cols, rows, func(r []Value, yield func([]Value) error) error {
			for i, f := range from {
				if f >= 0 {
					out[i] = r[f]
				} else if out[i] = r[at].member(members[i]); cols[i].Type == String {
					out[i] = StringValue(out[i].Text())
				}
			}
			return yield(out)
		})
	}
}

// pivot makes a column of every value of a column, with an aggregate of its rows.
func (b *binder) pivot(in plan, c *node, e *env) func([][]Value) plan {
	if len(c.kids) < 1 {
		panic(fail(c.at, "pivot takes a column, an aggregate and the columns that stay").with("pivot(ActionType, count(), DeviceName)"))
	}
	at := columnOf(in, c.kids[0])
	agg := &node{kind: nodeCall, at: c.at, text: "count"}
	kids := c.kids[1:]
	if len(kids) > 0 && kids[0].kind == nodeCall {
		agg, kids = kids[0], kids[1:]
	}
	var by []int
	for _, k := range kids {
		by = append(by, columnOf(in, k))
	}
	inAgg := namesIn(agg, map[string]bool{})
	if len(kids) == 0 {
		for i, col := range in.columns() {
			if i != at && !inAgg[col.Name] {
				by = append(by, i)
			}
		}
	}
	ag := &aggScope{row: &rowScope{cols: in.columns(), env: e}}
	b.expr(agg, &rowScope{env: e, aggs: ag})
	if len(ag.slots) == 0 {
		panic(fail(agg.at, "pivot takes an aggregate").with("for example count()"))
	}
	return func(rows [][]Value) plan {
		values := map[string]Value{}
		for _, r := range rows {
			values[r[at].Text()] = r[at]
			b.tooMany(len(values)+len(by), "pivot")
		}
		v := &valuesNode{cols: in.columns(), rows: func(yield func([]Value) error) error {
			for _, r := range rows {
				if err := yield(r); err != nil {
					return err
				}
			}
			return nil
		}}
		s, names := &summarizeNode{in: v}, newNamer()
		for i, k := range by {
			col := in.columns()[k]
			s.by = append(s.by, &expr{typ: col.Type, col: k, eval: func(row []Value) Value { return row[k] }})
			s.exprs = append(s.exprs, &expr{typ: col.Type, col: i, eval: func(row []Value) Value { return row[i] }})
			s.cols = append(s.cols, Column{names.plain(col.Name), col.Type})
		}
		ag := &aggScope{row: &rowScope{cols: in.columns(), env: e}, width: len(by)}
		groups := &rowScope{env: e, aggs: ag}
		for _, name := range sortedNames(values) {
			before := len(ag.slots)
			x := b.expr(agg, groups)
			for _, sl := range ag.slots[before:] {
				plain := sl.make
				cond := &expr{typ: Bool, col: -1, eval: func(row []Value) Value { return BoolValue(row[at].Text() == name) }}
				sl.make = func(x *execution) accumulator { return &onlyIf{cond: cond, a: plain(x)} }
			}
			s.exprs, s.cols = append(s.exprs, x), append(s.cols, Column{names.plain(name), x.typ})
		}
		s.slots = ag.slots
		return s
	}
}

// narrow makes a row of every value: the number of its row, the name of its column, and the value as a text.
func (b *binder) narrow(in plan, c *node, _ *env) func([][]Value) plan {
	if len(c.kids) > 0 {
		panic(fail(c.at, "narrow takes no arguments"))
	}
	return func(rows [][]Value) plan {
		return &valuesNode{cols: []Column{{"Row", Long}, {"Column", String}, {"Value", String}}, rows: func(yield func([]Value) error) error {
			for n, r := range rows {
				for i, v := range r {
					if err := yield([]Value{LongValue(int64(n)), StringValue(in.columns()[i].Name), StringValue(v.Text())}); err != nil {
						return err
					}
				}
			}
			return nil
		}}
	}
}

var errOpen = errors.New("the columns of the query depend on rows: it must be resolved first")
