package kql

import (
	"slices"
	"strings"
	"time"
)

// Column is a column of a table or of a result.
type Column struct {
	Name string
	Type Type
}

// Table is what a query may read.
type Table struct {
	Name    string
	Columns []Column
}

// Tables are the tables that there are.
type Tables interface {
	// Table returns a table by its name; false when there is none.
	Table(name string) (*Table, bool)
	// Names are the names of all tables.
	Names() []string
}

// Options are what a query is prepared with.
type Options struct {
	Tables Tables
	// Enrichments are what invoke adds to rows, besides functions of let. A query
	// that uses one asks for a Reader that is an Enricher.
	Enrichments []*Enrichment
	Now         time.Time // what now() is
}

// Query is a checked query, ready to be run once.
type Query struct {
	text   string
	root   plan
	render *Render
	subs   []*subquery // in the order in which they must run
	open   bool        // columns depend on rows
	kept   int         // bytes that Resolve keeps
	notes  []string

	options Options
}

// Render is how a result is to be drawn.
type Render struct {
	Chart      string            `json:"chart"`      // timechart, barchart, columnchart, piechart, linechart, areachart, scatterchart, table, card …
	Properties map[string]string `json:"properties"` // title, xcolumn, ycolumns, series, kind … as they were written
}

// Prepare checks a query. An error is an *Error.
func Prepare(text string, o Options) (q *Query, err error) {
	stmts, f := parse(text)
	if f != nil {
		return nil, f.place(text)
	}
	q = &Query{text: text, options: o}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case openEnd:
			q.open, err = true, nil
		default:
			panic(r)
		}
	}()
	if f := newBinder(o).query(stmts, q); f != nil {
		return nil, f.place(text)
	}
	return q, nil
}

func newBinder(o Options) *binder {
	return &binder{tables: o.Tables, enrichments: o.Enrichments, now: ticksOf(o.Now), functions: indexFunctions(), shared: map[sharedKey]*sharedTable{}, scalars: map[sharedKey]*expr{}}
}

// Columns are the columns of the result; none of a query that is open.
func (q *Query) Columns() []Column {
	if q.open {
		return nil
	}
	return q.root.columns()
}

// Render is what the query says of drawing; nil: nothing.
func (q *Query) Render() *Render { return q.render }

// binder checks names and types and makes the plan.
type binder struct {
	tables      Tables
	enrichments []*Enrichment
	now         int64
	functions   map[string]function
	render      *Render
	ops         int
	joins       int
	calls       int // of functions under way
	subs        []*subquery
	shared      map[sharedKey]*sharedTable
	scalars     map[sharedKey]*expr // of toscalar()
	x           *execution          // of Resolve; nil: nothing is read
}

func (b *binder) query(stmts []statement, q *Query) (f *failure) {
	defer catch(&f)
	q.root = b.statements(stmts, nil)
	for i := range q.root.columns() {
		q.root.use(i)
	}
	q.render, q.subs = b.render, b.subs
	return nil
}

// env are the names that let gives, innermost first.
type env struct {
	up   *env
	name string
	def  *definition
}

// definition is what a name stands for.
type definition struct {
	expr *node // a scalar or a table, bound in env
	env  *env
	fn   *statement
	val  *expr // a parameter's value
}

func (e *env) find(name string) (*definition, bool) {
	for ; e != nil; e = e.up {
		if e.name == name {
			return e.def, true
		}
	}
	return nil, false
}

// statements binds lets and the query behind them.
func (b *binder) statements(stmts []statement, e *env) plan {
	e, last := b.lets(stmts, e)
	return b.table(last.expr, e)
}

func (b *binder) lets(stmts []statement, e *env) (*env, *statement) {
	for i := range stmts {
		s := &stmts[i]
		if s.name == "" {
			return e, s
		}
		d := &definition{expr: s.expr, env: e}
		if s.fn {
			d.fn = s
		}
		e = &env{up: e, name: s.name, def: d}
	}
	panic(fail(span{}, "there is nothing to run"))
}

// count bounds what is made of a query whose functions are put in their places.
func (b *binder) count(at span) {
	if b.ops++; b.ops > MaxOperators {
		panic(fail(at, "the query has more than %d operators, functions and lets in their places included", MaxOperators))
	}
}

// table binds an expression that must be a table.
func (b *binder) table(n *node, e *env) plan {
	if p := b.tryTable(n, e); p != nil {
		return p
	}
	panic(fail(n.at, "a table is expected here, not a value").with("print shows a value: print x = 1 + 1"))
}

// tryTable binds a table; nil when the expression is none.
func (b *binder) tryTable(n *node, e *env) plan {
	switch n.kind {
	case nodePipe:
		return b.pipe(n.pipe, e)
	case nodeName:
		return b.namedTable(n, e)
	case nodeCall:
		return b.calledTable(n, e)
	}
	return nil
}

func (b *binder) pipe(p *pipe, e *env) plan {
	var in plan
	start := b.invoked(p, e)
	if p.source != nil && start < 0 {
		in = b.table(p.source, e)
	}
	for i, o := range p.ops {
		prefix := &node{kind: nodePipe, at: p.at, pipe: &pipe{at: p.at, source: p.source, ops: p.ops[:i]}}
		switch {
		case o.name == "as": // the rows up to here get a name for what follows
			b.count(o.at)
			e = &env{up: e, name: o.list[0].name, def: &definition{expr: prefix, env: e}}
		case i == start: // and here they are the first argument of a function
			c := *o.list[0].expr
			c.kids = append([]*node{prefix}, c.kids...)
			if in = b.calledTable(&c, e); in == nil {
				panic(fail(c.at, "%s gives a value, not a table", c.text))
			}
		case i > start:
			b.count(o.at)
			in = b.operator(in, o, e)
		}
	}
	return in
}

// invoked is the place of the last operator that invokes a function of let; −1: none does.
func (b *binder) invoked(p *pipe, e *env) int {
	for i, o := range slices.Backward(p.ops) {
		if o.name != "invoke" || i == 0 && p.source == nil {
			continue
		}
		if d, ok := e.find(o.list[0].expr.text); ok && d.fn != nil && o.list[0].expr.kind == nodeCall {
			return i
		}
	}
	return -1
}

func (b *binder) namedTable(n *node, e *env) plan {
	if d, ok := e.find(n.text); ok {
		switch {
		case d.val != nil || d.fn != nil && len(d.fn.params) > 0:
			return nil
		case d.fn != nil:
			return b.nested(n.at, func() plan { return b.statements(d.fn.body, d.env) })
		}
		b.count(n.at)
		return b.nested(n.at, func() plan { return b.tryTable(d.expr, d.env) })
	}
	t, ok := b.tables.Table(n.text)
	if !ok {
		names := b.tables.Names()
		for x := e; x != nil; x = x.up {
			names = append(names, x.name)
		}
		names = slices.Clone(names)
		f := fail(n.at, "there is no table %q", n.text)
		f.missing = true
		for _, name := range names {
			if strings.EqualFold(name, n.text) {
				panic(f.with("did you mean " + name + "?"))
			}
		}
		panic(f.with(didYouMean(n.text, names)))
	}
	return newScan(t)
}

// nested bounds lets and functions within each other.
func (b *binder) nested(at span, f func() plan) plan {
	if b.calls++; b.calls > MaxNesting {
		panic(fail(at, "lets and functions are nested more than %d deep", MaxNesting))
	}
	defer func() { b.calls-- }()
	return f()
}

func (b *binder) calledTable(n *node, e *env) plan {
	switch n.text {
	case "materialize":
		return b.materialize(n, e)
	case "table":
		if len(n.kids) != 1 || n.kids[0].kind != nodeLiteral || n.kids[0].val.typ != String {
			panic(fail(n.at, "table takes the name of a table as a text"))
		}
		return b.namedTable(&node{kind: nodeName, at: n.at, text: n.kids[0].val.text}, e)
	}
	d, ok := e.find(n.text)
	if !ok || d.fn == nil {
		return nil
	}
	inner, last := b.lets(d.fn.body, b.arguments(n, d, e))
	return b.nested(n.at, func() plan { return b.tryTable(last.expr, inner) })
}

// arguments gives a function's parameters their values.
func (b *binder) arguments(n *node, d *definition, e *env) *env {
	b.count(n.at)
	inner := d.env
	if len(n.kids) > len(d.fn.params) {
		panic(fail(n.at, "%s takes %s, not %d", n.text, arity(len(d.fn.params), len(d.fn.params)), len(n.kids)))
	}
	for i := range d.fn.params {
		p := &d.fn.params[i]
		arg := &definition{}
		switch {
		case p.table:
			if i >= len(n.kids) {
				panic(fail(n.at, "the argument %s of %s is missing", p.name, n.text))
			}
			arg.expr, arg.env = n.kids[i], e
		case i < len(n.kids):
			v := b.expr(n.kids[i], &rowScope{env: e})
			arg.val = b.as(v, p.typ, n.kids[i].at)
		case p.value != nil:
			arg.val = b.as(b.expr(p.value, &rowScope{env: d.env}), p.typ, p.at)
		default:
			panic(fail(n.at, "the argument %s of %s is missing", p.name, n.text))
		}
		inner = &env{up: inner, name: p.name, def: arg}
	}
	return inner
}

// as checks that a value fits a type, numbers into each other.
func (b *binder) as(x *expr, t Type, at span) *expr {
	num := func(t Type) bool { return t == Int || t == Long || t == Real }
	switch {
	case x.typ == t, x.typ == Null, t == Dynamic, x.typ == Dynamic:
		return x
	case num(x.typ) && num(t):
		return convertExpr(x, t)
	}
	panic(fail(at, "a value of type %s is expected, not %s", t, x.typ).with("to" + t.String() + "() converts"))
}
