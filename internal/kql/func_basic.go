package kql

import (
	"math"
	"strconv"
)

// conditionFunctions choose between values.
func conditionFunctions() []function {
	isEmpty := func(v Value) bool { return v.IsNull() || v.typ == String && v.text == "" }
	return []function{
		{name: "iff", args: "condition, then, else", doc: "One of two values.", min: 3, max: 3, bind: func(b *binder, n *node, _ *rowScope, a []*expr) *expr {
			b.wantBool(a[0], n.kids[0].at)
			t := b.common(n, a[1:])
			x, y := a[1], a[2]
			return made(n.text, t, a, func(row []Value) Value {
				if toBool(a[0].eval(row)).truth() {
					return whole(x.eval(row), t)
				}
				return whole(y.eval(row), t)
			})
		}},
		{name: "case", args: "condition, value, condition, value …, else", doc: "The value behind the first condition that holds.", min: 3, max: -1, bind: func(b *binder, n *node, _ *rowScope, a []*expr) *expr {
			if len(a)%2 == 0 {
				panic(fail(n.at, "case takes pairs of a condition and a value, and a last value"))
			}
			var values []*expr
			for i := 0; i+1 < len(a); i += 2 {
				b.wantBool(a[i], n.kids[i].at)
				values = append(values, a[i+1])
			}
			values = append(values, a[len(a)-1])
			t := b.common(n, values)
			return made(n.text, t, a, func(row []Value) Value {
				for i := 0; i+1 < len(a); i += 2 {
					if toBool(a[i].eval(row)).truth() {
						return whole(a[i+1].eval(row), t)
					}
				}
				return whole(a[len(a)-1].eval(row), t)
			})
		}},
		{name: "coalesce", args: "value, value …", doc: "The first value that is there.", min: 1, max: -1, bind: func(b *binder, n *node, _ *rowScope, a []*expr) *expr {
			t := b.common(n, a)
			return made(n.text, t, a, func(row []Value) Value {
				for _, x := range a {
					if v := x.eval(row); !isEmpty(v) {
						return whole(v, t)
					}
				}
				return convert(Value{}, t)
			})
		}},
		{name: "not", args: "condition", doc: "True when the condition is false.", min: 1, max: 1, bind: func(b *binder, n *node, _ *rowScope, a []*expr) *expr {
			b.wantBool(a[0], n.kids[0].at)
			return made("not", Bool, a, func(row []Value) Value {
				v := toBool(a[0].eval(row))
				if v.IsNull() {
					return v
				}
				return BoolValue(!v.truth())
			})
		}},
		{name: "isempty", args: "value", doc: "Whether there is no value, or an empty text.", min: 1, max: 1, result: Bool, f1: func(v Value) Value { return BoolValue(isEmpty(v)) }},
		{name: "isnotempty", args: "value", doc: "Whether there is a value that is no empty text.", min: 1, max: 1, result: Bool, f1: func(v Value) Value { return BoolValue(!isEmpty(v)) }},
		{name: "isnull", args: "value", doc: "Whether there is no value. A text is never null.", min: 1, max: 1, result: Bool, f1: func(v Value) Value { return BoolValue(v.IsNull()) }},
		{name: "isnotnull", args: "value", doc: "Whether there is a value.", min: 1, max: 1, result: Bool, f1: func(v Value) Value { return BoolValue(!v.IsNull()) }},
	}
}

// common is the type of values of which one is taken.
func (b *binder) common(n *node, a []*expr) Type {
	t := firstType(a)
	for i, x := range a {
		switch {
		case x.typ == t || x.typ == Null:
		case number(x.typ) && number(t):
			if x.typ == Real || t == Real {
				t = Real
			} else {
				t = Long
			}
		case x.typ == Dynamic || t == Dynamic:
			t = Dynamic
		default:
			panic(fail(n.at, "the values of %s have different types: %s and %s", n.text, t, x.typ).with("convert value " + strconv.Itoa(i+1) + " with to" + t.String() + "()"))
		}
	}
	return t
}

// whole makes a real of a whole number where the type is real.
func whole(v Value, t Type) Value {
	if t == Real && v.numeric() {
		return toReal(v)
	}
	return v
}

func convertFunctions() []function {
	to := func(name string, t Type, doc string) function {
		return function{name: name, args: "value", doc: doc, min: 1, max: 1, result: t, f1: func(v Value) Value { return convert(v, t) }}
	}
	return []function{
		to("tostring", String, "The value as text."), to("tobool", Bool, "True or false of a text or number."), to("toint", Int, "A whole number of 32 bits."),
		to("tolong", Long, "A whole number of 64 bits."), to("todouble", Real, "A number with a fraction."), to("todatetime", DateTime, "An instant of a text."),
		to("totimespan", TimeSpan, "A span of time of a text."), to("toguid", GUID, "A GUID of a text."),
		{name: "tohex", args: "number [, digits]", doc: "A number in hexadecimal digits.", min: 1, max: 2, result: String, wants: []Type{Long}, fn: func(a []Value) Value {
			if a[0].IsNull() {
				return StringValue("")
			}
			s := strconv.FormatUint(uint64(a[0].num), 16)
			for len(a) > 1 && int64(len(s)) < min(a[1].num, 64) {
				s = "0" + s
			}
			return StringValue(s)
		}},
		{name: "parse_json", args: "text", doc: "Reads a text as JSON.", min: 1, max: 1, result: Dynamic, f1: func(v Value) Value {
			if v.typ == String {
				return ParseJSON(v.text)
			}
			return v
		}},
		{name: "gettype", args: "value", doc: "The type of a value.", min: 1, max: 1, result: String, f1: func(v Value) Value {
			switch v.typ {
			case array:
				return StringValue("array")
			case bag:
				return StringValue("dictionary")
			}
			return StringValue(v.typ.String())
		}},
		{name: "parse_version", args: "text", doc: "A version of up to four numbers as one number, so that versions can be compared.", min: 1, max: 1, result: Real, wants: []Type{String}, f1: parseVersion},
	}
}

// parseVersion is a version as a number: its parts in steps of 100 million.
func parseVersion(v Value) Value {
	var n float64
	parts := 0
	for start := 0; start <= len(v.text) && parts < 4; parts++ {
		end := start
		for end < len(v.text) && v.text[end] != '.' {
			end++
		}
		p, err := strconv.ParseUint(v.text[start:end], 10, 26)
		if err != nil {
			return Value{}
		}
		n, start = n*1e8+float64(p), end+1
	}
	for ; parts < 4; parts++ {
		n *= 1e8
	}
	return RealValue(n)
}

func mathFunctions() []function {
	real1 := func(name, doc string, f func(float64) float64) function {
		return function{name: name, args: "number", doc: doc, min: 1, max: 1, result: Real, wants: []Type{Real}, f1: func(v Value) Value {
			if !v.numeric() {
				return Value{}
			}
			return RealValue(f(v.float()))
		}}
	}
	same := func(a []*expr) Type { return firstType(a) }
	best := func(name, doc string, sign int) function {
		return function{name: name, args: "value, value …", doc: doc, min: 1, max: -1, bind: func(b *binder, n *node, _ *rowScope, a []*expr) *expr {
			t := b.common(n, a)
			return made(n.text, t, a, func(row []Value) Value {
				var out Value
				for _, x := range a {
					if v := x.eval(row); !v.IsNull() && (out.IsNull() || compare(v, out)*sign > 0) {
						out = v
					}
				}
				return whole(out, t)
			})
		}}
	}
	return []function{
		{name: "bin", args: "value, step", doc: "Rounds a number or an instant down to a multiple of a step.", min: 1, max: 2, bind: bindBin},
		{name: "bin_at", args: "value, step, point", doc: "Rounds down so that a given point is a multiple.", min: 3, max: 3, typed: same, fn: func(a []Value) Value {
			switch off := add(a[0], a[2], -1); {
			case a[0].typ == DateTime && a[2].typ == DateTime && a[1].typ == TimeSpan:
				return add(a[2], binOf(off, a[1]), 1)
			case a[0].IsNull() || a[1].IsNull() || a[2].IsNull():
				return Value{}
			default:
				return add(a[2], binOf(off, a[1]), 1)
			}
		}},
		{name: "abs", args: "number", doc: "The number without its sign.", min: 1, max: 1, typed: same, f1: func(v Value) Value {
			if (v.numeric() || v.typ == TimeSpan) && (v.typ == Real && v.float() < 0 || v.typ != Real && v.num < 0) {
				return negative(v)
			}
			return v
		}},
		{name: "sign", args: "number", doc: "−1, 0 or 1.", min: 1, max: 1, result: Long, wants: []Type{Real}, f1: func(v Value) Value {
			switch {
			case !v.numeric():
				return Value{}
			case v.float() > 0:
				return LongValue(1)
			case v.float() < 0:
				return LongValue(-1)
			}
			return LongValue(0)
		}},
		{name: "round", args: "number [, digits]", doc: "Rounds a number.", min: 1, max: 2, result: Real, wants: []Type{Real, Long}, fn: func(a []Value) Value {
			if !a[0].numeric() {
				return Value{}
			}
			p := 1.0
			if len(a) > 1 {
				p = math.Pow10(int(min(max(a[1].num, -15), 15)))
			}
			return RealValue(math.Round(a[0].float()*p) / p)
		}},
		real1("ceiling", "The next whole number above.", math.Ceil), real1("sqrt", "The square root.", math.Sqrt), real1("exp", "e to a power.", math.Exp),
		real1("log", "The natural logarithm.", math.Log), real1("log10", "The logarithm to the base 10.", math.Log10), real1("log2", "The logarithm to the base 2.", math.Log2),
		{name: "pow", args: "base, exponent", doc: "A power.", min: 2, max: 2, result: Real, wants: []Type{Real}, f2: func(a, b Value) Value {
			if !a.numeric() || !b.numeric() {
				return Value{}
			}
			return RealValue(math.Pow(a.float(), b.float()))
		}},
		{name: "isnan", args: "number", doc: "Whether it is no number.", min: 1, max: 1, result: Bool, wants: []Type{Real}, f1: func(v Value) Value { return BoolValue(v.numeric() && math.IsNaN(v.float())) }},
		{name: "isfinite", args: "number", doc: "Whether it is neither infinite nor no number.", min: 1, max: 1, result: Bool, wants: []Type{Real}, f1: func(v Value) Value {
			return BoolValue(v.numeric() && !math.IsNaN(v.float()) && !math.IsInf(v.float(), 0))
		}},
		best("max_of", "The largest value.", 1), best("min_of", "The smallest value.", -1),
		{name: "binary_and", args: "a, b", doc: "The bits that are set in both.", min: 2, max: 2, result: Long, wants: []Type{Long}, f2: func(a, b Value) Value { return bitwise(a, b, a.num&b.num) }},
		{name: "binary_or", args: "a, b", doc: "The bits that are set in one or both.", min: 2, max: 2, result: Long, wants: []Type{Long}, f2: func(a, b Value) Value { return bitwise(a, b, a.num|b.num) }},
		{name: "binary_xor", args: "a, b", doc: "The bits that are set in exactly one.", min: 2, max: 2, result: Long, wants: []Type{Long}, f2: func(a, b Value) Value { return bitwise(a, b, a.num^b.num) }},
		{name: "binary_shift_left", args: "number, bits", doc: "Moves bits to the left.", min: 2, max: 2, result: Long, wants: []Type{Long}, f2: func(a, b Value) Value { return bitwise(a, b, a.num<<(uint64(b.num)&63)) }},
		{name: "binary_shift_right", args: "number, bits", doc: "Moves bits to the right.", min: 2, max: 2, result: Long, wants: []Type{Long}, f2: func(a, b Value) Value { return bitwise(a, b, a.num>>(uint64(b.num)&63)) }},
	}
}

func bitwise(a, b Value, n int64) Value {
	if a.IsNull() || b.IsNull() {
		return Value{}
	}
	return LongValue(n)
}

func bindBin(_ *binder, n *node, _ *rowScope, a []*expr) *expr {
	if len(a) == 1 { // floor(x)
		a = append(a, constant(LongValue(1), Long))
	}
	t := a[0].typ
	good := t == DateTime && a[1].typ == TimeSpan || t == TimeSpan && a[1].typ == TimeSpan || number(t) && number(a[1].typ) || t == Dynamic || t == Null || a[1].typ == Dynamic
	if !good {
		panic(fail(n.at, "a value of type %s cannot be rounded to steps of type %s", t, a[1].typ).with("bin(Timestamp, 1h)"))
	}
	if number(t) && a[1].typ == Real {
		t = Real
	}
	x, step := a[0], a[1]
	return made(n.text, t, a, func(row []Value) Value { return binOf(x.eval(row), step.eval(row)) })
}
