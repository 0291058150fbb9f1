package kql

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// expr is an expression that is checked: it gives a value of a row.
type expr struct {
	typ   Type
	eval  func(row []Value) Value
	konst bool // eval looks at no row
	// For whoever pushes conditions into a store: what it is.
	col  int // a column of the row; −1: something else
	op   string
	args []*expr
}

func constant(v Value, t Type) *expr {
	return &expr{typ: t, konst: true, col: -1, eval: func([]Value) Value { return v }}
}

// value is the value of a constant.
func (x *expr) value() Value { return x.eval(nil) }

// made is an expression of a function over arguments; it is computed at once
// when they are constants.
func made(op string, t Type, args []*expr, eval func([]Value) Value) *expr {
	x := &expr{typ: t, eval: eval, col: -1, op: op, args: args, konst: len(args) > 0}
	for _, a := range args {
		x.konst = x.konst && a.konst
	}
	if x.konst {
		v := eval(nil)
		x.eval = func([]Value) Value { return v }
	}
	return x
}

func convertExpr(x *expr, t Type) *expr {
	if x.typ == t {
		return x
	}
	return made("to", t, []*expr{x}, func(row []Value) Value { return convert(x.eval(row), t) })
}

// rowScope are the names that an expression may use.
type rowScope struct {
	cols []Column
	use  func(i int) // notes that a column is used
	env  *env
	aggs *aggScope // aggregates may be called, and columns only within them
	// windows are functions over other rows; nil where there are none.
	windows *[]*window
	steps   *stepScope // of scan; nil elsewhere
	ordered bool       // rows come in an order that the query gave them
}

func (s *rowScope) find(name string) int {
	return slices.IndexFunc(s.cols, func(c Column) bool { return c.Name == name })
}

// column is the value of a column.
func (s *rowScope) column(i int) *expr {
	if s.use != nil {
		s.use(i)
	}
	return &expr{typ: s.cols[i].Type, col: i, eval: func(row []Value) Value { return row[i] }}
}

func (b *binder) expr(n *node, s *rowScope) *expr {
	switch n.kind {
	case nodeLiteral:
		return constant(n.val, n.typ)
	case nodeName:
		return b.nameExpr(n, s)
	case nodePath:
		if step := s.step(n.kids[0]); step >= 0 {
			return b.stepColumn(n, step, s)
		}
		x := b.expr(n.kids[0], s)
		b.wantDynamic(x, n.kids[0].at)
		name := n.text
		return made(".", Dynamic, []*expr{x}, func(row []Value) Value { return x.eval(row).member(name) })
	case nodeIndex:
		return b.index(n, s)
	case nodeUnary:
		x := b.expr(n.kids[0], s)
		if !(number(x.typ) || x.typ == TimeSpan || x.typ == Dynamic) {
			panic(fail(n.at, "a value of type %s has no sign", x.typ))
		}
		return made("-", x.typ, []*expr{x}, func(row []Value) Value {
			if v := x.eval(row); v.numeric() || v.typ == TimeSpan {
				return negative(v)
			}
			return Value{}
		})
	case nodeBinary:
		return b.binary(n, s)
	case nodeIn:
		return b.in(n, s)
	case nodeBetween:
		return b.between(n, s)
	case nodeCall:
		return b.call(n, s)
	case nodePipe:
		panic(fail(n.at, "a value is expected here, not a table").with("toscalar() makes a value of a table with one row"))
	case nodeStar:
		panic(fail(n.at, "* cannot be used here").with("where * has \"text\" looks at every column"))
	}
	panic(fail(n.at, "a value is expected here"))
}

func (b *binder) wantDynamic(x *expr, at span) {
	if x.typ == Dynamic || x.typ == Null {
		return
	}
	f := fail(at, "a value of type %s has no members", x.typ)
	if x.typ == String {
		f = f.with("parse_json() reads a text as JSON")
	}
	panic(f)
}

func (b *binder) index(n *node, s *rowScope) *expr {
	x, i := b.expr(n.kids[0], s), b.expr(n.kids[1], s)
	b.wantDynamic(x, n.kids[0].at)
	return made("[]", Dynamic, []*expr{x, i}, func(row []Value) Value {
		v, k := x.eval(row), i.eval(row)
		switch k.typ {
		case String:
			return v.member(k.text)
		case Int, Long:
			return v.at(k.num)
		}
		return Value{}
	})
}

func (b *binder) nameExpr(n *node, s *rowScope) *expr {
	if i := s.find(n.text); i >= 0 {
		return s.column(i)
	}
	if d, ok := s.env.find(n.text); ok {
		switch {
		case d.val != nil:
			return d.val
		case d.expr != nil:
			b.count(n.at)
			var x *expr
			b.nested(n.at, func() plan { x = b.expr(d.expr, &rowScope{env: d.env}); return nil })
			return x
		}
		panic(fail(n.at, "%s is a function", n.text).with(n.text + "(…) calls it"))
	}
	if s.aggs != nil && slices.ContainsFunc(s.aggs.row.cols, func(c Column) bool { return c.Name == n.text }) {
		panic(fail(n.at, "the column %s must be within an aggregate", n.text).with("for example take_any(" + n.text + "), or put it behind by"))
	}
	panic(unknownColumn(n, s))
}

func unknownColumn(n *node, s *rowScope) *failure {
	f := fail(n.at, "there is no column %q", n.text)
	var names []string
	for _, c := range s.cols {
		if strings.EqualFold(c.Name, n.text) {
			return f.with("did you mean " + c.Name + "?")
		}
		names = append(names, c.Name)
	}
	for e := s.env; e != nil; e = e.up {
		names = append(names, e.name)
	}
	if now := columnsNow[n.text]; s.find(now) >= 0 {
		return f.with("it is called " + now + " here")
	}
	return f.with(didYouMean(n.text, names))
}

// columnsNow are columns of older tables and of other products, and what they are called in those of hunting.
var columnsNow = map[string]string{"TimeGenerated": "Timestamp", "EventTime": "Timestamp", "ComputerName": "DeviceName", "MachineId": "DeviceId", "Computer": "DeviceName"}

func number(t Type) bool { return t == Int || t == Long || t == Real }

// binary binds operators with two sides.
func (b *binder) binary(n *node, s *rowScope) *expr {
	if n.kids[0].kind == nodeStar {
		return b.anyColumn(n, s)
	}
	l, r := b.expr(n.kids[0], s), b.expr(n.kids[1], s)
	switch n.text {
	case "and", "or":
		b.wantBool(l, n.kids[0].at)
		b.wantBool(r, n.kids[1].at)
		return logical(n.text, l, r)
	case "+", "-", "*", "/", "%":
		return b.arithmetic(n, l, r)
	case "==", "!=", "<", "<=", ">", ">=":
		return b.compared(n, l, r)
	}
	return b.textual(n, n.text, l, r)
}

func (b *binder) wantBool(x *expr, at span) {
	if x.typ != Bool && x.typ != Dynamic && x.typ != Null && !number(x.typ) {
		panic(fail(at, "true or false is expected here, not a value of type %s", x.typ))
	}
}

func logical(op string, l, r *expr) *expr {
	stop := op == "or"
	return made(op, Bool, []*expr{l, r}, func(row []Value) Value {
		a := toBool(l.eval(row))
		if a.typ == Bool && a.truth() == stop {
			return a
		}
		c := toBool(r.eval(row))
		if c.typ == Bool && c.truth() == stop || a.typ == Bool {
			return c
		}
		return Value{}
	})
}

// anyColumn binds * has "text": one of the columns with a text must do.
func (b *binder) anyColumn(n *node, s *rowScope) *expr {
	var out *expr
	for i, c := range s.cols {
		if c.Type != String && c.Type != Dynamic {
			continue
		}
		x := b.textual(n, n.text, s.column(i), b.expr(n.kids[1], s))
		if out == nil {
			out = x
		} else {
			out = logical("or", out, x)
		}
	}
	if out == nil {
		panic(fail(n.at, "there are no columns with texts"))
	}
	return out
}

// textual binds the comparisons of texts.
func (b *binder) textual(n *node, op string, l, r *expr) *expr {
	for i, x := range []*expr{l, r} {
		if x.typ != String && x.typ != Dynamic && x.typ != Null && x.typ != GUID {
			f := fail(n.at, "%s compares texts; this is a value of type %s", op, x.typ)
			if i < len(n.kids) {
				f.at = n.kids[i].at
			}
			panic(f.with("tostring() makes a text of it"))
		}
	}
	plain, negated := strings.CutPrefix(op, "!")
	switch op {
	case "matches regex":
		return b.matches(n, l, r)
	case "=~", "!~":
		return made(op, Bool, []*expr{l, r}, func(row []Value) Value {
			return BoolValue(equalFold(l.eval(row).Text(), r.eval(row).Text()) != (op == "!~"))
		})
	}
	test, ok := textTests[plain]
	if !ok {
		panic(fail(n.at, "there is no operator %s", op))
	}
	caseless := !strings.HasSuffix(plain, "_cs")
	if r.konst {
		needle := r.value().Text()
		if caseless {
			needle = fold(needle)
		}
		return made(op, Bool, []*expr{l, r}, func(row []Value) Value { return BoolValue(test(l.eval(row).Text(), needle) != negated) })
	}
	return made(op, Bool, []*expr{l, r}, func(row []Value) Value {
		needle := r.eval(row).Text()
		if caseless {
			needle = fold(needle)
		}
		return BoolValue(test(l.eval(row).Text(), needle) != negated)
	})
}

// maxPattern is the most bytes of a regular expression.
const maxPattern = 4096

// pattern compiles a constant regular expression (RE2).
func (b *binder) pattern(x *expr, at span) *regexp.Regexp {
	if !x.konst {
		panic(fail(at, "the regular expression must be a constant"))
	}
	s := x.value().Text()
	if len(s) > maxPattern {
		panic(fail(at, "the regular expression has %d bytes; at most %d are read", len(s), maxPattern))
	}
	re, err := regexp.Compile(s)
	if err != nil {
		panic(fail(at, "the regular expression does not compile: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: ")).with(`write it as @"…", so that \ is left alone; the syntax is RE2's`))
	}
	return re
}

func (b *binder) matches(n *node, l, r *expr) *expr {
	re := b.pattern(r, n.kids[1].at)
	return made("matches regex", Bool, []*expr{l}, func(row []Value) Value { return BoolValue(re.MatchString(l.eval(row).Text())) })
}

// comparable reports whether values of two types can be compared.
func comparable(a, b Type) bool {
	same := func(t Type) Type {
		switch t {
		case Bool, Int, Long, Real:
			return Real
		case GUID:
			return String
		}
		return t
	}
	return a == Null || b == Null || a == Dynamic || b == Dynamic || same(a) == same(b)
}

// compared binds == != < <= > >=.
func (b *binder) compared(n *node, l, r *expr) *expr {
	l, r = literalAs(l, r.typ), literalAs(r, l.typ)
	if !comparable(l.typ, r.typ) {
		f := fail(n.at, "values of the types %s and %s cannot be compared", l.typ, r.typ)
		if l.typ == String || r.typ == String {
			f = f.with("tostring(), tolong() or todatetime() converts one of them")
		}
		panic(f)
	}
	args := []*expr{l, r}
	if l.typ == String && r.typ == String && r.konst && l.typ != Dynamic {
		want := r.value().text
		switch n.text {
		case "==":
			return made("==", Bool, args, func(row []Value) Value { return BoolValue(l.eval(row).text == want) })
		case "!=":
			return made("!=", Bool, args, func(row []Value) Value { return BoolValue(l.eval(row).text != want) })
		}
	}
	return made(n.text, Bool, args, func(row []Value) Value { return comparison(n.text, l.eval(row), r.eval(row)) })
}

// literalAs reads a constant text as a time or span where it is compared with one.
func literalAs(x *expr, t Type) *expr {
	if x.typ == String && x.konst && (t == DateTime || t == TimeSpan) {
		if v := convert(x.value(), t); !v.IsNull() {
			return constant(v, t)
		}
	}
	return x
}

// comparison compares as the language has it: two nulls are neither equal nor
// not; a null is unequal to every value and in no order to it.
func comparison(op string, a, b Value) Value {
	if a.IsNull() || b.IsNull() {
		if a.IsNull() && b.IsNull() || op != "==" && op != "!=" {
			return Value{}
		}
		return BoolValue(op == "!=")
	}
	if a.kind() != b.kind() { // of dynamic values
		return BoolValue(op == "!=")
	}
	c := compare(a, b)
	switch op {
	case "==":
		return BoolValue(c == 0)
	case "!=":
		return BoolValue(c != 0)
	case "<":
		return BoolValue(c < 0)
	case "<=":
		return BoolValue(c <= 0)
	case ">":
		return BoolValue(c > 0)
	}
	return BoolValue(c >= 0)
}

func (b *binder) between(n *node, s *rowScope) *expr {
	x, lo, hi := b.expr(n.kids[0], s), b.expr(n.kids[1], s), b.expr(n.kids[2], s)
	lo, hi = literalAs(lo, x.typ), literalAs(hi, x.typ)
	if x.typ == DateTime && hi.typ == TimeSpan { // (begin .. 1d)
		from, length := lo, hi
		hi = made("+", DateTime, []*expr{from, length}, func(row []Value) Value { return add(from.eval(row), length.eval(row), 1) })
	}
	if !comparable(x.typ, lo.typ) || !comparable(x.typ, hi.typ) {
		panic(fail(n.at, "a value of type %s cannot be between values of the types %s and %s", x.typ, lo.typ, hi.typ))
	}
	negated := strings.HasPrefix(n.text, "!")
	return made(n.text, Bool, []*expr{x, lo, hi}, func(row []Value) Value {
		v := x.eval(row)
		if v.IsNull() {
			return v
		}
		in := comparison(">=", v, lo.eval(row)).truth() && comparison("<=", v, hi.eval(row)).truth()
		return BoolValue(in != negated)
	})
}

// describe is an expression's own name for a column: that of a column or member, or "".
func describe(n *node) string {
	switch n.kind {
	case nodeName:
		return n.text
	case nodePath:
		if d := describe(n.kids[0]); d != "" {
			return d + "_" + n.text
		}
		return n.text
	case nodeIndex:
		if k := n.kids[1]; k.kind == nodeLiteral {
			return fmt.Sprintf("%s_%s", describe(n.kids[0]), k.val.Text())
		}
	case nodeCall:
		if keepsName[n.text] && len(n.kids) > 0 {
			return describe(n.kids[0])
		}
	}
	return ""
}

// keepsName are the functions whose result has the name of its argument.
var keepsName = map[string]bool{"bin": true, "floor": true, "startofday": true, "startofhour": true, "startofweek": true, "startofmonth": true, "startofyear": true,
	"tostring": true, "tolong": true, "toint": true, "todouble": true, "toreal": true, "tobool": true, "todatetime": true, "totimespan": true, "any": true, "take_any": true,
	"take_anyif": true, "arg_max": true, "arg_min": true}
