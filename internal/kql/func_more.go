package kql

import (
	"cmp"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// arrayFunctions make and change arrays and bags.
func arrayFunctions() []function {
	return []function{
		{name: "range", args: "from, to [, step]", doc: "An array of values in even steps.", min: 2, max: 3, result: Dynamic, fn: rangeArray},
		{name: "repeat", args: "value, times", doc: "An array of the same value.", min: 2, max: 2, result: Dynamic, f2: func(v, n Value) Value {
			if !n.numeric() || n.num < 0 || n.typ == Real {
				return Value{}
			}
			return ArrayValue(slices.Repeat([]Value{v}, int(min(n.num, maxMade)))...)
		}},
		{name: "array_sum", args: "array", doc: "The sum of an array's numbers.", min: 1, max: 1, result: Real, f1: func(v Value) Value {
			if v = asDynamic(v); v.typ != array {
				return Value{}
			}
			sum := 0.0
			for _, e := range v.list.items {
				if !e.numeric() {
					return Value{}
				}
				sum += e.float()
			}
			return RealValue(sum)
		}},
		{name: "array_reverse", args: "array", doc: "The values of an array from its end to its beginning.", min: 1, max: 1, result: Dynamic, f1: func(v Value) Value {
			if v = asDynamic(v); v.typ != array {
				return Value{}
			}
			items := slices.Clone(v.list.items)
			slices.Reverse(items)
			return ArrayValue(items...)
		}},
		{name: "array_iff", args: "conditions, then, else", doc: "Of each place, the value of one of two arrays.", min: 3, max: 3, result: Dynamic, fn: func(a []Value) Value {
			c := asDynamic(a[0])
			if c.typ != array {
				return Value{}
			}
			items := make([]Value, len(c.list.items))
			for i, v := range c.list.items {
				from := asDynamic(a[2])
				if toBool(v).truth() {
					from = asDynamic(a[1])
				}
				if items[i] = from; from.typ == array {
					items[i] = from.at(int64(i))
				}
			}
			return ArrayValue(items...)
		}},
		{name: "zip", args: "array, array …", doc: "An array of arrays: the first values, the second values …", min: 2, max: 16, result: Dynamic, fn: func(a []Value) Value {
			n := 0
			lists := make([]Value, len(a))
			for i, v := range a {
				if lists[i] = asDynamic(v); lists[i].typ != array {
					return Value{}
				}
				n = max(n, len(lists[i].list.items))
			}
			items := make([]Value, n)
			for i := range items {
				row := make([]Value, len(a))
				for k, l := range lists {
					row[k] = l.at(int64(i))
				}
				items[i] = ArrayValue(row...)
			}
			return ArrayValue(items...)
		}},
		{name: "set_equals", args: "array, array", doc: "Whether two arrays have the same values.", min: 2, max: 2, result: Bool, f2: func(a, b Value) Value {
			a, b = setOf([]Value{a}, func(int) bool { return true }), setOf([]Value{b}, func(int) bool { return true })
			if a.typ != array || b.typ != array {
				return Value{}
			}
			both := setOf([]Value{a, b}, func(n int) bool { return n == 2 })
			return BoolValue(len(both.list.items) == len(a.list.items) && len(a.list.items) == len(b.list.items))
		}},
		{name: "jaccard_index", args: "array, array", doc: "How many values two arrays have in common, of all that one of them has: 0 to 1.", min: 2, max: 2, result: Real, f2: func(a, b Value) Value {
			both, all := setOf([]Value{a, b}, func(n int) bool { return n == 2 }), setOf([]Value{a, b}, func(int) bool { return true })
			if all.typ != array || len(all.list.items) == 0 {
				return Value{}
			}
			return RealValue(float64(len(both.list.items)) / float64(len(all.list.items)))
		}},
		{name: "bag_set_key", args: "bag, name, value", doc: "The bag with a member set.", min: 3, max: 3, result: Dynamic, fn: func(a []Value) Value {
			v := asDynamic(a[0])
			if v.typ != bag {
				return Value{}
			}
			m := bagMaker{}
			for i, k := range v.list.keys {
				m.put(k, v.list.items[i])
			}
			m.put(a[1].Text(), a[2])
			return m.value()
		}},
		{name: "bag_zip", args: "names, values", doc: "A bag of an array of names and one of values.", min: 2, max: 2, result: Dynamic, f2: func(a, b Value) Value {
			if a, b = asDynamic(a), asDynamic(b); a.typ != array || b.typ != array {
				return Value{}
			}
			m := bagMaker{}
			for i, k := range a.list.items {
				m.put(k.Text(), b.at(int64(i)))
			}
			return m.value()
		}},
		{name: "dynamic_to_json", args: "value", doc: "A value as JSON, the names of bags in order.", min: 1, max: 1, result: String, f1: func(v Value) Value {
			return StringValue(string(sortedBag(v).AppendJSON(nil)))
		}},
	}
}

// maxMade is the most values of an array that a function makes of none.
const maxMade = 1 << 16

func rangeArray(a []Value) Value {
	step := LongValue(1)
	switch {
	case len(a) > 2:
		step = a[2]
	case a[0].typ == DateTime || a[0].typ == TimeSpan:
		step = spanValue(tickHour)
	}
	items := []Value{}
	for at := a[0]; len(items) < maxMade; {
		c := comparison("<=", at, a[1])
		if step.typ == Real && step.float() < 0 || step.typ != Real && step.num < 0 {
			c = comparison(">=", at, a[1])
		}
		if !c.truth() {
			break
		}
		items = append(items, at)
		next := add(at, step, 1)
		if next.IsNull() || compare(next, at) == 0 {
			return Value{}
		}
		at = next
	}
	return ArrayValue(items...)
}

// sortedBag is a value whose bags have their members in the order of names.
func sortedBag(v Value) Value {
	switch v.typ {
	case array:
		items := make([]Value, len(v.list.items))
		for i, e := range v.list.items {
			items[i] = sortedBag(e)
		}
		return ArrayValue(items...)
	case bag:
		keys := slices.Sorted(slices.Values(v.list.keys))
		items := make([]Value, len(keys))
		for i, k := range keys {
			items[i] = sortedBag(v.member(k))
		}
		return BagValue(keys, items)
	}
	return v
}

// seriesFunctions are over arrays of numbers.
func seriesFunctions() []function {
	pair := func(name, doc, op string) function {
		return function{name: name, args: "array, array", doc: doc, min: 2, max: 2, result: Dynamic, f2: func(a, b Value) Value {
			return placeByPlace(a, b, func(x, y Value) Value { return calculate(op, x, y) })
		}}
	}
	return []function{
		pair("series_add", "The sums of two arrays, place by place.", "+"), pair("series_subtract", "The differences of two arrays, place by place.", "-"),
		pair("series_multiply", "The products of two arrays, place by place.", "*"), pair("series_divide", "The quotients of two arrays, place by place.", "/"),
		{name: "series_fill_const", args: "array, value", doc: "The array with a value in the places that have none.", min: 2, max: 2, result: Dynamic, f2: func(a, b Value) Value {
			if a = asDynamic(a); a.typ != array {
				return Value{}
			}
			items := slices.Clone(a.list.items)
			for i := range items {
				if items[i].IsNull() {
					items[i] = b
				}
			}
			return ArrayValue(items...)
		}},
		{name: "series_fill_forward", args: "array", doc: "The array with the value before in the places that have none.", min: 1, max: 1, result: Dynamic, f1: func(a Value) Value {
			if a = asDynamic(a); a.typ != array {
				return Value{}
			}
			items := slices.Clone(a.list.items)
			for i := 1; i < len(items); i++ {
				if items[i].IsNull() {
					items[i] = items[i-1]
				}
			}
			return ArrayValue(items...)
		}},
		{name: "series_stats_dynamic", args: "array", doc: "min, min_idx, max, max_idx, avg, stdev and variance of an array's numbers.", min: 1, max: 1, result: Dynamic, f1: seriesStats},
	}
}

func seriesStats(v Value) Value {
	if v = asDynamic(v); v.typ != array {
		return Value{}
	}
	m, lo, hi := moments{}, 0, 0
	at := -1
	for i, e := range v.list.items {
		if !e.numeric() {
			continue
		}
		if at < 0 {
			at, lo, hi = i, i, i
		}
		if compare(e, v.list.items[lo]) < 0 {
			lo = i
		}
		if compare(e, v.list.items[hi]) > 0 {
			hi = i
		}
		m.arg = constant(e, e.typ)
		_ = m.add(nil) // never fails
	}
	if at < 0 {
		return Value{}
	}
	variance := 0.0
	if m.n > 1 {
		variance = m.sum / (m.n - 1)
	}
	return BagValue([]string{"min", "min_idx", "max", "max_idx", "avg", "stdev", "variance"}, []Value{toReal(v.list.items[lo]), LongValue(int64(lo)), toReal(v.list.items[hi]), LongValue(int64(hi)),
		RealValue(m.mean), RealValue(math.Sqrt(variance)), RealValue(variance)})
}

// partFunctions take texts apart, and ask what is in them.
func partFunctions() []function {
	text := []Type{String}
	return []function{
		{name: "extract_json", args: "path, text [, typeof(type)]", doc: "A value of JSON by its path, such as $.user.name.", min: 2, max: 3, lazy: true, bind: bindExtractJSON},
		{name: "has_any_index", args: "text, array", doc: "The place of the first word of an array that is in a text; −1: none is.", min: 2, max: 2, result: Long, f2: func(a, b Value) Value {
			if b = asDynamic(b); b.typ != array {
				return Value{}
			}
			s := a.Text()
			return LongValue(int64(slices.IndexFunc(b.list.items, func(w Value) bool { return hasWord(s, fold(w.Text()), true, true, true) })))
		}},
		{name: "indexof_regex", args: "text, pattern", doc: "Where what a regular expression matches begins, from 0; −1: nothing does.", min: 2, max: 2, bind: func(b *binder, n *node, _ *rowScope, args []*expr) *expr {
			re := b.pattern(args[1], n.kids[1].at)
			return made(n.text, Long, []*expr{args[0]}, func(row []Value) Value {
				s := args[0].eval(row).Text()
				m := re.FindStringIndex(s)
				if m == nil {
					return LongValue(-1)
				}
				return LongValue(int64(utf8.RuneCountInString(s[:m[0]])))
			})
		}},
		{name: "regex_quote", args: "text", doc: "A text as a regular expression that matches it.", min: 1, max: 1, result: String, wants: text, f1: func(v Value) Value { return StringValue(regexp.QuoteMeta(v.text)) }},
		{name: "parse_urlquery", args: "text", doc: "Takes what stands behind ? in an address apart: Query Parameters.", min: 1, max: 1, result: Dynamic, wants: text, f1: func(v Value) Value {
			params := bagMaker{}
			for i, pair := range strings.Split(strings.TrimPrefix(v.text, "?"), "&") {
				if k, p, _ := strings.Cut(pair, "="); k != "" && i < 1000 {
					if s, err := url.QueryUnescape(p); err == nil {
						p = s
					}
					params.put(k, StringValue(p))
				}
			}
			return BagValue([]string{"Query Parameters"}, []Value{params.value()})
		}},
		{name: "format_bytes", args: "number [, digits]", doc: "A number of bytes as people read it, such as 1.5 MB.", min: 1, max: 2, result: String, wants: []Type{Long}, fn: formatBytes},
		{name: "make_string", args: "number or array …", doc: "The text of characters by their numbers.", min: 1, max: -1, result: String, fn: func(a []Value) Value {
			var b strings.Builder
			for _, v := range a {
				items := []Value{v}
				if v = asDynamic(v); v.typ == array {
					items = v.list.items
				}
				for _, e := range items {
					if n := toLong(e); !n.IsNull() && n.num > 0 && n.num <= utf8.MaxRune && b.Len() < maxText {
						b.WriteRune(rune(n.num))
					}
				}
			}
			return StringValue(b.String())
		}},
		{name: "unixtime_microseconds_todatetime", args: "microseconds", doc: "An instant of microseconds since 1970.", min: 1, max: 1, result: DateTime, wants: []Type{Long}, f1: func(v Value) Value { return unix(v, 10) }},
		{name: "ipv6_is_match", args: "address, other [, bits]", doc: "Whether two addresses or ranges of either kind are the same in their first bits.", min: 2, max: 3, result: Bool, wants: []Type{String, String, Long}, fn: sameNetwork},
	}
}

func formatBytes(a []Value) Value {
	digits := 0
	if len(a) > 1 {
		digits = int(min(max(a[1].num, 0), 6))
	}
	if a[0].IsNull() {
		return StringValue("")
	}
	f, units := float64(a[0].num), []string{"Bytes", "KB", "MB", "GB", "TB", "PB", "EB"}
	i := 0
	for math.Abs(f) >= 1024 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	s := strconv.FormatFloat(f, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return StringValue(s + " " + units[i])
}

func sameNetwork(a []Value) Value {
	x, ok1 := prefix(a[0].text)
	y, ok2 := prefix(a[1].text)
	if !ok1 || !ok2 || x.Addr().Is4() != y.Addr().Is4() {
		return BoolValue(false)
	}
	bits := min(x.Bits(), y.Bits())
	if len(a) > 2 && !a[2].IsNull() {
		bits = min(bits, int(min(max(a[2].num, 0), 128)))
	}
	p, err1 := x.Addr().Prefix(bits)
	q, err2 := y.Addr().Prefix(bits)
	return BoolValue(cmp.Or(err1, err2) == nil && p == q)
}

// bindExtractJSON binds extract_json: the path is a constant of members and places.
func bindExtractJSON(b *binder, n *node, s *rowScope, _ []*expr) *expr {
	path, x := b.expr(n.kids[0], s), b.expr(n.kids[1], s)
	if !path.konst {
		panic(fail(n.kids[0].at, "the path must be a constant").with("for example \"$.user.name\""))
	}
	steps, ok := jsonPath(path.value().Text())
	if !ok {
		panic(fail(n.kids[0].at, "the path cannot be read").with("for example \"$.user.name\" or \"$.list[0]\""))
	}
	t := String
	if len(n.kids) == 3 {
		k := n.kids[2]
		if k.kind != nodeCall || k.text != "typeof" || len(k.kids) != 1 || k.kids[0].kind != nodeName || typeWords[k.kids[0].text] == Null {
			panic(fail(k.at, "typeof(type) is expected").with("for example typeof(long)"))
		}
		t = typeWords[k.kids[0].text]
	}
	return made(n.text, t, []*expr{x}, func(row []Value) Value {
		v := asDynamic(x.eval(row))
		for _, st := range steps {
			if st.name != "" {
				v = v.member(st.name)
			} else {
				v = v.at(st.at)
			}
		}
		if t == Dynamic {
			return v
		}
		return convert(v, t)
	})
}

type jsonStep struct {
	name string
	at   int64
}

var jsonSteps = regexp.MustCompile(`^(?:\.([^.\[\]]+)|\[(-?\d{1,9})\]|\[["']([^"'\]]+)["']\])`)

// jsonPath reads $.a.b[0]['c'].
func jsonPath(s string) (out []jsonStep, ok bool) {
	s, ok = strings.CutPrefix(s, "$")
	for ok && s != "" && len(out) <= MaxDepth {
		m := jsonSteps.FindStringSubmatch(s)
		if m == nil {
			return nil, false
		}
		st := jsonStep{name: m[1] + m[3]}
		if m[2] != "" {
			st.at, _ = strconv.ParseInt(m[2], 10, 64) // nine digits
		}
		out, s = append(out, st), s[len(m[0]):]
	}
	return out, ok && s == ""
}
