package kql

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/csv"
	"io"
	"math"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"
)

// codeFunctions read and write texts in the forms that programs hide them in.
func codeFunctions() []function {
	text := []Type{String}
	return []function{
		{name: "gzip_decompress_from_base64_string", args: "text", doc: "The text that was compressed by gzip and written as base64; empty when it is none, or larger than 1 MB.", min: 1, max: 1, result: String, wants: text, f1: func(v Value) Value {
			return unpacked(v.text, func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) })
		}},
		{name: "zlib_decompress_from_base64_string", args: "text", doc: "The text that was compressed by zlib and written as base64; empty when it is none, or larger than 1 MB.", min: 1, max: 1, result: String, wants: text, f1: func(v Value) Value {
			return unpacked(v.text, func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) })
		}},
		{name: "base64_decode_toarray", args: "text", doc: "The bytes of a text in base64 as numbers.", min: 1, max: 1, result: Dynamic, wants: text, f1: func(v Value) Value {
			raw, err := base64.StdEncoding.DecodeString(v.text)
			if err != nil || len(raw) > MaxItems {
				return Value{}
			}
			items := make([]Value, len(raw))
			for i, b := range raw {
				items[i] = LongValue(int64(b))
			}
			return ArrayValue(items...)
		}},
		{name: "parse_csv", args: "text", doc: "The values of the first line of a text in CSV.", min: 1, max: 1, result: Dynamic, wants: text, f1: func(v Value) Value {
			r := csv.NewReader(strings.NewReader(v.text))
			r.LazyQuotes, r.FieldsPerRecord = true, -1
			fields, err := r.Read()
			if err != nil || len(fields) > MaxItems {
				return ArrayValue()
			}
			items := make([]Value, len(fields))
			for i, f := range fields {
				items[i] = StringValue(f)
			}
			return ArrayValue(items...)
		}},
		{name: "string_size", args: "text", doc: "How many bytes a text has.", min: 1, max: 1, result: Long, wants: text, f1: func(v Value) Value { return LongValue(int64(len(v.text))) }},
		{name: "isutf8", args: "text", doc: "Whether a text is valid UTF-8.", min: 1, max: 1, result: Bool, wants: text, f1: func(v Value) Value { return BoolValue(utf8.ValidString(v.text)) }},
		{name: "to_utf8", args: "text", doc: "The numbers of a text's characters.", min: 1, max: 1, result: Dynamic, wants: text, f1: func(v Value) Value {
			items := []Value{}
			for _, r := range v.text {
				if len(items) == MaxItems {
					return Value{}
				}
				items = append(items, LongValue(int64(r)))
			}
			return ArrayValue(items...)
		}},
		{name: "replace_strings", args: "text, array, array", doc: "Replaces each text of an array by that of another in the same place.", min: 3, max: 3, result: String, wants: []Type{String, Dynamic, Dynamic}, fn: replaceStrings},
	}
}

// unpacked is the text that a reader makes of base64; "" when it is none or too long.
func unpacked(s string, open func(io.Reader) (io.Reader, error)) Value {
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return StringValue("")
	}
	r, err := open(bytes.NewReader(raw))
	if err != nil {
		return StringValue("")
	}
	out, err := io.ReadAll(io.LimitReader(r, maxText+1))
	if err != nil || len(out) > maxText || !utf8.Valid(out) {
		return StringValue("")
	}
	return StringValue(string(out))
}

func replaceStrings(a []Value) Value {
	s, from, to := a[0].text, asDynamic(a[1]), asDynamic(a[2])
	if from.typ != array || to.typ != array || len(from.list.items) != len(to.list.items) {
		return StringValue(s)
	}
	for i, f := range from.list.items {
		old, by := f.Text(), to.list.items[i].Text()
		if n := strings.Count(s, old); old == "" || len(s)+n*(len(by)-len(old)) > maxText {
			continue
		}
		s = strings.ReplaceAll(s, old, by)
	}
	return StringValue(s)
}

// moreMathFunctions are those of angles and bits.
func moreMathFunctions() []function {
	real1 := func(name, doc string, f func(float64) float64) function {
		return function{name: name, args: "number", doc: doc, min: 1, max: 1, result: Real, wants: []Type{Real}, f1: func(v Value) Value {
			if !v.numeric() {
				return Value{}
			}
			return RealValue(f(v.float()))
		}}
	}
	return []function{
		real1("sin", "The sine of an angle in radians.", math.Sin), real1("cos", "The cosine of an angle in radians.", math.Cos), real1("tan", "The tangent of an angle in radians.", math.Tan),
		real1("asin", "The angle with a sine.", math.Asin), real1("acos", "The angle with a cosine.", math.Acos), real1("atan", "The angle with a tangent.", math.Atan),
		real1("degrees", "An angle in radians as degrees.", func(f float64) float64 { return f * 180 / math.Pi }), real1("radians", "An angle in degrees as radians.", func(f float64) float64 { return f * math.Pi / 180 }),
		real1("exp2", "Two to the power of a number.", math.Exp2), real1("exp10", "Ten to the power of a number.", func(f float64) float64 { return math.Pow(10, f) }),
		{name: "pi", args: "", doc: "The number π.", min: 0, max: 0, result: Real, fn: func([]Value) Value { return RealValue(math.Pi) }},
		{name: "atan2", args: "y, x", doc: "The angle of the point (x, y).", min: 2, max: 2, result: Real, wants: []Type{Real}, f2: func(a, b Value) Value {
			if !a.numeric() || !b.numeric() {
				return Value{}
			}
			return RealValue(math.Atan2(a.float(), b.float()))
		}},
		{name: "isinf", args: "number", doc: "Whether a number is infinite.", min: 1, max: 1, result: Bool, wants: []Type{Real}, f1: func(v Value) Value { return BoolValue(v.numeric() && math.IsInf(v.float(), 0)) }},
		{name: "binary_not", args: "number", doc: "All bits of a number turned.", min: 1, max: 1, result: Long, wants: []Type{Long}, f1: func(v Value) Value {
			if v.IsNull() {
				return v
			}
			return LongValue(^v.num)
		}},
		{name: "bitset_count_ones", args: "number", doc: "How many bits of a number are set.", min: 1, max: 1, result: Long, wants: []Type{Long}, f1: func(v Value) Value {
			if v.IsNull() {
				return v
			}
			return LongValue(int64(bits.OnesCount64(uint64(v.num))))
		}},
	}
}

// turnedFunctions move the values of arrays.
func turnedFunctions() []function {
	moved := func(name, doc string, sign int, fill bool) function {
		return function{name: name, args: map[bool]string{true: "array, places [, value]", false: "array, places"}[fill], doc: doc, min: 2, max: map[bool]int{true: 3, false: 2}[fill], result: Dynamic, wants: []Type{Dynamic, Long, Null}, fn: func(a []Value) Value {
			v := asDynamic(a[0])
			if v.typ != array || a[1].IsNull() {
				return Value{}
			}
			n, items := len(v.list.items), make([]Value, len(v.list.items))
			by := a[1].num * int64(sign)
			for i := range items {
				from := int64(i) + by%int64(n)
				if fill {
					if from = int64(i) + min(max(by, int64(-n)), int64(n)); from < 0 || from >= int64(n) {
						if len(a) > 2 {
							items[i] = a[2]
						}
						continue
					}
				}
				items[i] = v.list.items[(from+int64(n))%int64(n)]
			}
			return ArrayValue(items...)
		}}
	}
	return []function{
		moved("array_rotate_left", "The array with its first values behind its last.", 1, false), moved("array_rotate_right", "The array with its last values before its first.", -1, false),
		moved("array_shift_left", "The array moved to the left; what is free is null, or a value.", 1, true), moved("array_shift_right", "The array moved to the right; what is free is null, or a value.", -1, true),
		{name: "array_split", args: "array, place or array of places", doc: "The array cut into arrays at places.", min: 2, max: 2, result: Dynamic, f2: func(a, b Value) Value {
			if a, b = asDynamic(a), asDynamic(b); a.typ != array {
				return Value{}
			}
			n, at, out := len(a.list.items), 0, []Value{}
			places := []Value{b}
			if b.typ == array {
				places = b.list.items
			}
			for _, p := range places {
				to := toLong(p).num
				if to < 0 {
					to += int64(n)
				}
				cut := max(at, int(min(max(to, 0), int64(n))))
				out = append(out, ArrayValue(slices.Clone(a.list.items[at:cut])...))
				at = cut
			}
			return ArrayValue(append(out, ArrayValue(slices.Clone(a.list.items[at:])...))...)
		}},
		{name: "bag_pack_columns", args: "column, column …", doc: "A bag of columns by their names.", min: 1, max: -1, result: Dynamic, bind: func(_ *binder, n *node, _ *rowScope, a []*expr) *expr {
			for _, k := range n.kids {
				if k.kind != nodeName {
					panic(fail(k.at, "bag_pack_columns takes columns").with("bag_pack takes names and values"))
				}
			}
			return made(n.text, Dynamic, a, func(row []Value) Value {
				var m bagMaker
				for i, x := range a {
					m.put(n.kids[i].text, x.eval(row))
				}
				return m.value()
			})
		}},
	}
}
