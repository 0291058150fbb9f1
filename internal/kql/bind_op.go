package kql

import (
	"slices"
	"strconv"
	"strings"
)

// namer gives columns names that nothing else has.
type namer struct {
	taken map[string]bool
	next  int
}

func newNamer() *namer { return &namer{taken: map[string]bool{}} }

func namerOf(cols []Column) *namer {
	n := newNamer()
	for _, c := range cols {
		n.taken[c.Name] = true
	}
	return n
}

// plain is a name, with a number behind it when it is taken.
func (n *namer) plain(name string) string {
	out := name
	for i := 1; n.taken[out]; i++ {
		out = name + strconv.Itoa(i)
	}
	n.taken[out] = true
	return out
}

// give is the name of a new column: as it was given, as the expression describes
// itself, or Column1, Column2 …
func (n *namer) give(x *named, own, other string) string {
	name := x.name
	if name == "" && len(x.names) > 0 {
		name = x.names[0]
	}
	if name != "" {
		if n.taken[name] {
			panic(fail(x.at, "the column %s is there twice", name).with("give one of them another name: name = expression"))
		}
		n.taken[name] = true
		return name
	}
	if own != "" || other != "" {
		if own == "" {
			own = other
		}
		return n.plain(own)
	}
	for {
		n.next++
		if name := "Column" + strconv.Itoa(n.next); !n.taken[name] {
			n.taken[name] = true
			return name
		}
	}
}

// operator binds one operator over its input.
func (b *binder) operator(in plan, o *op, e *env) plan {
	switch o.name {
	case "print":
		return b.print(o, e)
	case "datatable":
		return b.datatable(o)
	case "range":
		return b.rangeOf(o, e)
	case "union":
		return b.union(in, o, e)
	case "search", "find":
		return b.searched(in, o, e)
	}
	if in == nil {
		panic(fail(o.at, "%s needs a table before it", o.name).with("DeviceProcessEvents | " + o.name + " …"))
	}
	s := &rowScope{cols: in.columns(), use: in.use, env: e}
	switch o.name {
	case "where", "filter":
		windows, used := windowsOver(in, s)
		x := b.expr(o.list[0].expr, s)
		b.wantBool(x, o.list[0].expr.at)
		w := &whereNode{in: in, cond: x}
		w.in = windowed(in, *windows, used)
		return w
	case "take", "limit", "sample":
		n := b.rowsOf(o.list[0].expr, e)
		if srt, ok := in.(*sortNode); ok && srt.most < 0 {
			srt.most = int(min(n, 1<<31))
			return srt
		}
		return &takeNode{in: in, n: n}
	case "project":
		return b.project(in, o, s)
	case "extend":
		return b.extend(in, o, s)
	case "serialize":
		in = &serializeNode{in}
		if len(o.list) == 0 {
			return in
		}
		return b.extend(in, o, s)
	case "project-away", "project-keep", "project-reorder":
		return b.pick(in, o)
	case "project-rename":
		return b.rename(in, o)
	case "distinct":
		return b.distinct(in, o, s)
	case "summarize":
		return b.summarize(in, o, e)
	case "count":
		return &countNode{in: in}
	case "sort", "order":
		return b.sort(in, o, s, -1)
	case "top":
		return b.sort(in, o, s, int(min(b.rowsOf(o.list[0].expr, e), 1<<31)))
	case "join", "lookup":
		return b.join(in, o, e)
	case "mv-expand", "mvexpand":
		return b.expand(in, o, e)
	case "mv-apply", "mvapply":
		return b.apply(in, o, e)
	case "partition":
		return b.partition(in, o, e)
	case "scan":
		return b.scan(in, o, e)
	case "invoke":
		return b.enrich(in, o, e)
	case "sample-distinct":
		return &takeNode{in: &distinctNode{in: b.project(in, o, s)}, n: b.rowsOf(o.vals[0], e)}
	case "make-series":
		return b.series(in, o, e)
	case "top-nested":
		return b.topNested(in, o, e)
	case "parse", "parse-where":
		return b.parse(in, o, e)
	case "parse-kv":
		return b.parsePairs(in, o, e)
	case "evaluate":
		return b.evaluate(in, o, e)
	case "getschema":
		return getSchema(in)
	case "consume":
		return &takeNode{in: in, n: 0}
	case "render":
		b.draw(o)
		return in
	}
	panic(fail(o.at, "the operator %s is not supported here", o.name))
}

// rowsOf is a constant number of rows.
func (b *binder) rowsOf(n *node, e *env) int64 {
	x := b.expr(n, &rowScope{env: e})
	if !x.konst || !number(x.typ) || x.value().IsNull() {
		panic(fail(n.at, "a number of rows is expected"))
	}
	v := toLong(x.value())
	if v.num < 0 {
		panic(fail(n.at, "the number of rows cannot be below zero"))
	}
	return v.num
}

func (b *binder) project(in plan, o *op, s *rowScope) plan {
	p := &projectNode{in: in}
	windows, used := windowsOver(in, s)
	names := newNamer()
	for _, n := range o.list {
		if parts := b.parts(n, s); parts != nil {
			for _, part := range parts {
				p.exprs = append(p.exprs, part.expr)
				p.cols = append(p.cols, Column{names.give(&named{at: n.at, name: part.name}, "", ""), part.expr.typ})
			}
			continue
		}
		x := b.expr(n.expr, s)
		p.exprs = append(p.exprs, x)
		p.cols = append(p.cols, Column{names.give(n, describe(n.expr), ""), x.typ})
	}
	p.in = windowed(in, *windows, used)
	return p
}

func (b *binder) extend(in plan, o *op, s *rowScope) plan {
	x := &extendNode{in: in, cols: slices.Clone(in.columns())}
	windows, used := windowsOver(in, s)
	names := namerOf(in.columns())
	given := map[string]bool{}
	list := make([]*named, 0, len(o.list))
	values := map[*named]*expr{}
	for _, n := range o.list {
		parts := b.parts(n, s)
		if parts == nil {
			list = append(list, n)
		}
		for _, part := range parts {
			of := &named{at: n.at, name: part.name, expr: n.expr}
			list, values[of] = append(list, of), part.expr
		}
	}
	for _, n := range list {
		v := values[n]
		if v == nil {
			v = b.expr(n.expr, s)
		}
		at := s.find(n.name)
		if n.name == "" {
			if at = -1; n.expr.kind == nodeName {
				at = s.find(n.expr.text)
			}
		}
		if n.name != "" && given[n.name] {
			panic(fail(n.at, "the column %s is there twice", n.name))
		}
		given[n.name] = true
		if at < 0 {
			at = len(x.cols)
			x.cols = append(x.cols, Column{Name: names.give(n, describe(n.expr), "")})
		}
		x.cols[at].Type = v.typ
		x.exprs, x.to = append(x.exprs, v), append(x.to, at)
	}
	x.from = make([]bool, len(x.cols))
	x.in = windowed(in, *windows, used)
	return x
}

// pick binds project-away, project-keep and project-reorder.
func (b *binder) pick(in plan, o *op) plan {
	cols := in.columns()
	hit := make([]bool, len(cols))
	var chosen []int
	for _, n := range o.list {
		found := false
		var here []int
		for i, c := range cols {
			if n.expr.kind == nodeWild && like(n.name, c.Name) || n.name == c.Name {
				found = true
				if !hit[i] {
					hit[i] = true
					here = append(here, i)
				}
			}
		}
		if !found && n.expr.kind != nodeWild {
			panic(unknownColumn(n.expr, &rowScope{cols: cols}))
		}
		if n.asc {
			slices.SortStableFunc(here, func(x, y int) int { return strings.Compare(cols[x].Name, cols[y].Name) })
		}
		chosen = append(chosen, here...)
	}
	p := &pickNode{in: in}
	switch o.name {
	case "project-keep":
		slices.Sort(chosen)
		p.from = chosen
	case "project-reorder":
		p.from = chosen
	}
	if o.name != "project-keep" {
		for i := range cols {
			if !hit[i] {
				p.from = append(p.from, i)
			}
		}
	}
	for _, f := range p.from {
		p.cols = append(p.cols, cols[f])
	}
	p.used = make([]bool, len(p.cols))
	return p
}

func (b *binder) rename(in plan, o *op) plan {
	cols := slices.Clone(in.columns())
	p := &pickNode{in: in, cols: cols, used: make([]bool, len(cols))}
	s := &rowScope{cols: in.columns()}
	for i := range cols {
		p.from = append(p.from, i)
	}
	for _, n := range o.list {
		if n.name == "" || n.expr.kind != nodeName {
			panic(fail(n.at, "project-rename takes new = old"))
		}
		at := s.find(n.expr.text)
		if at < 0 {
			panic(unknownColumn(n.expr, s))
		}
		if n.name != n.expr.text && s.find(n.name) >= 0 {
			panic(fail(n.at, "there is a column %s already", n.name))
		}
		cols[at].Name = n.name
	}
	return p
}

func (b *binder) distinct(in plan, o *op, s *rowScope) plan {
	if len(o.list) == 1 && o.list[0].expr.kind == nodeStar {
		for i := range in.columns() {
			in.use(i)
		}
		return &distinctNode{in: in}
	}
	return &distinctNode{in: b.project(in, o, s)}
}

func (b *binder) sort(in plan, o *op, s *rowScope, most int) plan {
	n := &sortNode{in: in, most: most, used: make([]bool, len(in.columns()))}
	for _, k := range o.by {
		x := b.expr(k.expr, s)
		if k.name != "" {
			panic(fail(k.at, "a column to order by has no name of its own"))
		}
		last := !k.asc // what is not there is smallest
		if k.nulls != 0 {
			last = k.nulls > 0
		}
		n.keys = append(n.keys, sortKey{expr: x, asc: k.asc, nullsLast: last})
	}
	return n
}

// draw notes what render says.
func (b *binder) draw(o *op) {
	r := &Render{Chart: o.list[0].name, Properties: map[string]string{}}
	known := []string{"table", "card", "timechart", "linechart", "columnchart", "barchart", "piechart", "areachart", "stackedareachart", "scatterchart", "anomalychart"}
	if !slices.Contains(known, r.Chart) {
		f := fail(o.list[0].at, "there is no chart %q", r.Chart)
		hint := didYouMean(r.Chart, known)
		if hint == "" {
			hint = "one of " + strings.Join(known, ", ")
		}
		panic(f.with(hint))
	}
	for k, v := range o.opts {
		r.Properties[k] = v.text
	}
	b.render = r
}

func getSchema(in plan) plan {
	cols := in.columns()
	return &valuesNode{cols: []Column{{"ColumnName", String}, {"ColumnOrdinal", Long}, {"DataType", String}, {"ColumnType", String}},
		rows: func(yield func([]Value) error) error {
			for i, c := range cols {
				if err := yield([]Value{StringValue(c.Name), LongValue(int64(i)), StringValue("System." + dataTypes[c.Type]), StringValue(c.Type.String())}); err != nil {
					return err
				}
			}
			return nil
		}}
}

var dataTypes = map[Type]string{Bool: "SByte", Int: "Int32", Long: "Int64", Real: "Double", String: "String", DateTime: "DateTime", TimeSpan: "TimeSpan", GUID: "Guid", Dynamic: "Object", Null: "Object"}

func (b *binder) print(o *op, e *env) plan {
	var cols []Column
	var row []*expr
	names := newNamer()
	for i, n := range o.list {
		x := b.expr(n.expr, &rowScope{env: e})
		row = append(row, x)
		cols = append(cols, Column{names.give(n, "", "print_"+strconv.Itoa(i)), x.typ})
	}
	return &valuesNode{cols: cols, rows: func(yield func([]Value) error) error {
		out := make([]Value, len(row))
		for i, x := range row {
			out[i] = x.eval(nil)
		}
		return yield(out)
	}}
}

func (b *binder) datatable(o *op) plan {
	var cols []Column
	for _, c := range o.cols {
		cols = append(cols, Column{c.name, c.typ})
	}
	if len(cols) == 0 || len(o.vals)%len(cols) != 0 {
		panic(fail(o.at, "the number of values is no multiple of the number of columns (%d)", len(cols)))
	}
	vals := make([]Value, len(o.vals))
	for i, n := range o.vals {
		x := b.expr(n, &rowScope{})
		if !x.konst {
			panic(fail(n.at, "datatable takes constants only"))
		}
		if vals[i] = convert(x.value(), cols[i%len(cols)].Type); cols[i%len(cols)].Type == Dynamic {
			vals[i] = x.value()
		}
	}
	return &valuesNode{cols: cols, rows: func(yield func([]Value) error) error {
		for i := 0; i < len(vals); i += len(cols) {
			if err := yield(vals[i : i+len(cols)]); err != nil {
				return err
			}
		}
		return nil
	}}
}

// maxRange is the most rows that range makes.
const maxRange = 1_000_000

func (b *binder) rangeOf(o *op, e *env) plan {
	var v [3]*expr
	for i := range v {
		v[i] = b.expr(o.vals[i], &rowScope{env: e})
	}
	t := v[0].typ
	if number(t) && (v[1].typ == Real || v[2].typ == Real) {
		t = Real
	}
	if resultOf("+", t, v[2].typ) == Null || !comparable(t, v[1].typ) {
		panic(fail(o.at, "range cannot go from %s to %s in steps of %s", v[0].typ, v[1].typ, v[2].typ))
	}
	return &valuesNode{cols: []Column{{o.cols[0].name, t}}, rows: func(yield func([]Value) error) error {
		at, end, step := v[0].eval(nil), v[1].eval(nil), v[2].eval(nil)
		up := step.num > 0
		if step.typ == Real {
			up = step.float() > 0
		}
		for n := 0; ; n++ {
			c := comparison("<=", at, end)
			if !up {
				c = comparison(">=", at, end)
			}
			if !c.truth() {
				return nil
			}
			if n == maxRange {
				return &LimitError{"range makes more than 1000000 rows"}
			}
			if err := yield([]Value{whole(at, t)}); err != nil {
				return err
			}
			next := add(at, step, 1)
			if next.IsNull() || compare(next, at) == 0 {
				return nil
			}
			at = next
		}
	}}
}
