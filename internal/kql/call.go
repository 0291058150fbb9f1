package kql

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// function is a scalar function.
type function struct {
	name   string
	args   string // as people read them: "text, start [, length]"
	doc    string
	min    int
	max    int // −1: any number
	result Type
	// typed gives the type where result is Null.
	typed func(args []*expr) Type
	// wants are the types of arguments, the last of all that follow; Null: any.
	wants []Type
	f1    func(a Value) Value
	f2    func(a, b Value) Value
	fn    func(args []Value) Value
	// bind is instead of all that where a function is special.
	bind func(b *binder, n *node, s *rowScope, args []*expr) *expr
	lazy bool // bind binds the arguments itself
	// parts are the columns of a function that gives several: fn gives them as an
	// array. Where one value is wanted it is the first.
	parts []Column
}

// call binds a call of a function, an aggregate or a function of let.
func (b *binder) call(n *node, s *rowScope) *expr {
	if d, ok := s.env.find(n.text); ok && d.fn != nil {
		return b.calledValue(n, d, s)
	}
	if a, ok := aggregates[n.text]; ok && s.aggs != nil {
		return b.aggregate(n, a, s)
	}
	if n.text == "toscalar" {
		return b.toScalar(n, s)
	}
	f, ok := b.functions[n.text]
	if !ok {
		panic(b.unknownFunction(n, s))
	}
	return b.callOf(f, n, s)
}

// callOf binds a call of a function that is found.
func (b *binder) callOf(f function, n *node, s *rowScope) *expr {
	if len(n.kids) < f.min || f.max >= 0 && len(n.kids) > f.max {
		panic(fail(n.at, "%s takes %s, not %d", n.text, arity(f.min, f.max), len(n.kids)).with(f.name + "(" + f.args + ")"))
	}
	if f.lazy {
		return f.bind(b, n, s, nil)
	}
	args := make([]*expr, len(n.kids))
	for i, k := range n.kids {
		args[i] = b.expr(k, s)
		if len(f.wants) > 0 {
			args[i] = b.argument(&f, args[i], f.wants[min(i, len(f.wants)-1)], k.at)
		}
	}
	if f.bind != nil {
		return f.bind(b, n, s, args)
	}
	return f.over(args)
}

// argument checks the type of an argument. Whole numbers may stand where
// fractions are wanted; a dynamic value is converted.
func (b *binder) argument(f *function, x *expr, want Type, at span) *expr {
	switch {
	case want == Null || x.typ == want || x.typ == Null || want == Dynamic:
		return x
	case x.typ == Dynamic || number(x.typ) && number(want) || x.typ == GUID && want == String || x.typ == Bool && number(want):
		return convertExpr(x, want)
	}
	if y := literalAs(x, want); y.typ == want {
		return y
	}
	panic(fail(at, "%s takes a value of type %s here, not %s", f.name, want, x.typ).with(f.name + "(" + f.args + ")"))
}

// over is the function over arguments.
func (f *function) over(args []*expr) *expr {
	if f.parts != nil {
		all := *f
		all.parts, all.result = nil, Dynamic
		return itemExpr(all.over(args), 0, f.parts[0].Type)
	}
	t := f.result
	if f.typed != nil {
		t = f.typed(args)
	}
	switch {
	case f.f1 != nil:
		a := args[0]
		return made(f.name, t, args, func(row []Value) Value { return f.f1(a.eval(row)) })
	case f.f2 != nil:
		a, c := args[0], args[1]
		return made(f.name, t, args, func(row []Value) Value { return f.f2(a.eval(row), c.eval(row)) })
	}
	buf := make([]Value, len(args))
	return made(f.name, t, args, func(row []Value) Value {
		for i, a := range args {
			buf[i] = a.eval(row)
		}
		return f.fn(buf)
	})
}

func arity(least, most int) string {
	words := []string{"no", "one", "two", "three", "four", "five"}
	word := func(n int) string {
		if n < len(words) {
			return words[n]
		}
		return strconv.Itoa(n)
	}
	switch {
	case most < 0 || most >= maxNames:
		return word(least) + " or more arguments"
	case least == 1 && most == 1:
		return "one argument"
	case least == most:
		return word(least) + " arguments"
	}
	return word(least) + " to " + word(most) + " arguments"
}

func (b *binder) unknownFunction(n *node, s *rowScope) *failure {
	if _, ok := aggregates[n.text]; ok {
		return fail(n.at, "the aggregate %s works in summarize only", n.text)
	}
	f := fail(span{n.at.from, n.at.from + len(n.text)}, "there is no function %q", n.text)
	if hint, ok := absentFunctions[n.text]; ok {
		f.text = fmt.Sprintf("the function %s is not supported", n.text)
		return f.with(hint)
	}
	names := make([]string, 0, 200)
	for name := range b.functions {
		names = append(names, name)
	}
	if s.aggs != nil {
		for name := range aggregates {
			names = append(names, name)
		}
	}
	for e := s.env; e != nil; e = e.up {
		names = append(names, e.name)
	}
	for _, name := range names {
		if strings.EqualFold(name, n.text) {
			return f.with("did you mean " + name + "?")
		}
	}
	return f.with(didYouMean(n.text, names))
}

// calledValue binds a function of let that gives a value.
func (b *binder) calledValue(n *node, d *definition, s *rowScope) *expr {
	if len(n.kids) > len(d.fn.params) {
		panic(fail(n.at, "%s takes %s, not %d", n.text, arity(len(d.fn.params), len(d.fn.params)), len(n.kids)))
	}
	b.count(n.at)
	inner := d.env
	for i := range d.fn.params {
		p := &d.fn.params[i]
		arg := &definition{}
		switch {
		case p.table && i < len(n.kids):
			arg.expr, arg.env = n.kids[i], s.env
		case i < len(n.kids):
			arg.val = b.as(b.expr(n.kids[i], s), p.typ, n.kids[i].at)
		case p.value != nil:
			arg.val = b.as(b.expr(p.value, &rowScope{env: d.env}), p.typ, p.at)
		default:
			panic(fail(n.at, "the argument %s of %s is missing", p.name, n.text))
		}
		inner = &env{up: inner, name: p.name, def: arg}
	}
	e, last := b.lets(d.fn.body, inner)
	var x *expr
	b.nested(n.at, func() plan { x = b.expr(last.expr, &rowScope{env: e}); return nil })
	return x
}

// subquery is a table that is read before the rest of the query.
type subquery struct {
	in    plan
	first []Value // of the first column, once it ran
	limit int     // most rows
}

// maxList is the most values that a table gives to in.
const maxList = 1_000_000

func (b *binder) sub(p plan) *subquery {
	s := &subquery{in: p, limit: maxList}
	b.subs = append(b.subs, s)
	return s
}

// toScalar binds toscalar(): the first column of the first row.
func (b *binder) toScalar(n *node, s *rowScope) *expr {
	if len(n.kids) != 1 {
		panic(fail(n.at, "toscalar takes one table"))
	}
	key := sharedKey{n, s.env}
	if x := b.scalars[key]; x != nil {
		return x
	}
	p := b.tryTable(n.kids[0], s.env)
	if p == nil {
		return b.expr(n.kids[0], s)
	}
	if len(p.columns()) == 0 {
		panic(fail(n.at, "the table has no column"))
	}
	p.use(0)
	sub := b.sub(p)
	sub.limit = 1
	x := &expr{typ: p.columns()[0].Type, col: -1, op: "toscalar", eval: func([]Value) Value {
		if len(sub.first) == 0 {
			return Value{}
		}
		return sub.first[0]
	}}
	b.scalars[key] = x
	return x
}

// indexFunctions are all functions by their names.
func indexFunctions() map[string]function {
	out := map[string]function{}
	for _, list := range [][]function{conditionFunctions(), textFunctions(), moreTextFunctions(), convertFunctions(), timeFunctions(), mathFunctions(), dynamicFunctions(), addressFunctions(), windowFunctions(), arrayFunctions(), seriesFunctions(), partFunctions(), codeFunctions(), moreMathFunctions(), turnedFunctions(), inTextFunctions(), moreSeriesFunctions(), modelFunctions()} {
		for _, f := range list {
			out[f.name] = f
		}
	}
	for alias, name := range functionAliases {
		f := out[name]
		f.name = alias
		out[alias] = f
	}
	return out
}

// functionAliases are second names of functions.
var functionAliases = map[string]string{"iif": "iff", "todynamic": "parse_json", "parsejson": "parse_json", "toobject": "parse_json", "toreal": "todouble", "notnull": "isnotnull",
	"notempty": "isnotempty", "pack": "bag_pack", "pack_dictionary": "bag_pack", "arraylength": "array_length", "floor": "bin", "replace": "replace_regex",
	"datepart": "datetime_part", "ceil": "ceiling", "boolean": "tobool", "toboolean": "tobool", "base64_decodestring": "base64_decode_tostring",
	"base64_encodestring": "base64_encode_tostring", "extractjson": "extract_json", "url_encode_component": "url_encode", "unicode_codepoints_from_string": "to_utf8", "unicode_codepoints_to_string": "make_string"}

// absentFunctions are functions of the language that are not here, and why or what to do instead.
var absentFunctions = map[string]string{
	"geo_info_from_ip_address": "Picket has no map of addresses to places; ipv4_is_in_range and ipv4_is_private tell networks apart", "geo_distance_2points": "Picket knows no places",
	"geo_point_in_polygon": "Picket knows no places", "rand": "a query gives the same each time; sample takes some rows", "new_guid": "a query gives the same each time; strcat and hash_sha256 make a key of columns",
	"hash": "use hash_sha256 or hash_md5", "todecimal": "use toreal", "parse_xml": "extract takes values by a regular expression", "parse_user_agent": "extract takes values by a regular expression",
	"datetime_utc_to_local": "times are in UTC; add a span of time", "datetime_local_to_utc": "times are in UTC; add a span of time", "ingestion_time": "use Timestamp", "current_principal": "a query does not know who runs it",
	"series_decompose_forecast": "use series_fit_line", "series_fit_2lines": "use series_fit_line", "hll": "dcount is exact up to 100,000 values", "tdigest": "percentile is exact", "dcount_hll": "dcount is exact up to 100,000 values",
}

// firstType is the type of the first argument that has one.
func firstType(args []*expr) Type {
	for _, a := range args {
		if a.typ != Null {
			return a.typ
		}
	}
	return Null
}

// sortedNames are the names of functions or aggregates in order.
func sortedNames[T any](m map[string]T) []string {
	out := make([]string, 0, len(m))
	for name := range m {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
