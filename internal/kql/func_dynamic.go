package kql

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
)

func dynamicFunctions() []function {
	return []function{
		{name: "array_length", args: "array", doc: "How many values an array has.", min: 1, max: 1, result: Long, f1: func(v Value) Value {
			if v = asDynamic(v); v.typ == array {
				return LongValue(int64(len(v.list.items)))
			}
			return Value{}
		}},
		{name: "array_concat", args: "array, array …", doc: "The values of all arrays.", min: 1, max: -1, result: Dynamic, fn: func(a []Value) Value {
			items := []Value{}
			for _, v := range a {
				if v = asDynamic(v); v.typ == array && len(items)+len(v.list.items) <= MaxItems {
					items = append(items, v.list.items...)
				}
			}
			return ArrayValue(items...)
		}},
		{name: "array_slice", args: "array, start, end", doc: "The values from a place to another, both included.", min: 3, max: 3, result: Dynamic, fn: func(a []Value) Value {
			v := asDynamic(a[0])
			if v.typ != array || !a[1].numeric() || !a[2].numeric() {
				return Value{}
			}
			n := int64(len(v.list.items))
			from, to := a[1].num, a[2].num
			if from < 0 {
				from += n
			}
			if to < 0 {
				to += n
			}
			from, to = max(from, 0), min(to+1, n)
			if from >= to {
				return ArrayValue()
			}
			return ArrayValue(v.list.items[from:to]...)
		}},
		{name: "array_index_of", args: "array, value", doc: "The place of a value in an array, −1 when it is not there.", min: 2, max: 2, result: Long, f2: func(a, b Value) Value {
			if a = asDynamic(a); a.typ != array {
				return Value{}
			}
			return LongValue(int64(slices.IndexFunc(a.list.items, func(v Value) bool { return comparison("==", v, b).truth() })))
		}},
		{name: "array_sort_asc", args: "array", doc: "The values of an array in order.", min: 1, max: 1, result: Dynamic, f1: func(v Value) Value { return sortArray(v, 1) }},
		{name: "array_sort_desc", args: "array", doc: "The values of an array in descending order.", min: 1, max: 1, result: Dynamic, f1: func(v Value) Value { return sortArray(v, -1) }},
		{name: "strcat_array", args: "array, delimiter", doc: "Joins the values of an array as a text.", min: 2, max: 2, result: String, f2: func(a, b Value) Value {
			if a = asDynamic(a); a.typ != array {
				return StringValue("")
			}
			parts := make([]string, len(a.list.items))
			for i, v := range a.list.items {
				parts[i] = v.Text()
			}
			return cutText(strings.Join(parts, b.Text()))
		}},
		{name: "set_union", args: "array, array …", doc: "Every value of all arrays, once.", min: 1, max: -1, result: Dynamic, fn: func(a []Value) Value { return setOf(a, func(n int) bool { return n > 0 }) }},
		{name: "set_intersect", args: "array, array …", doc: "The values that all arrays have.", min: 1, max: -1, result: Dynamic, fn: func(a []Value) Value {
			most := len(a)
			return setOf(a, func(n int) bool { return n == most })
		}},
		{name: "set_difference", args: "array, array …", doc: "The values of the first array that no other has.", min: 1, max: -1, result: Dynamic, fn: func(a []Value) Value {
			others := map[string]bool{}
			for _, v := range a[1:] {
				if v = asDynamic(v); v.typ == array {
					for _, e := range v.list.items {
						others[string(e.key(nil))] = true
					}
				}
			}
			out := setOf(a[:1], func(int) bool { return true })
			if out.typ != array {
				return out
			}
			return ArrayValue(slices.DeleteFunc(out.list.items, func(e Value) bool { return others[string(e.key(nil))] })...)
		}},
		{name: "set_has_element", args: "array, value", doc: "Whether an array has a value.", min: 2, max: 2, result: Bool, f2: func(a, b Value) Value {
			if a = asDynamic(a); a.typ != array {
				return Value{}
			}
			return BoolValue(slices.ContainsFunc(a.list.items, func(v Value) bool { return comparison("==", v, b).truth() }))
		}},
		{name: "bag_keys", args: "bag", doc: "The names of a bag's members.", min: 1, max: 1, result: Dynamic, f1: func(v Value) Value {
			if v = asDynamic(v); v.typ != bag {
				return Value{}
			}
			items := make([]Value, len(v.list.keys))
			for i, k := range v.list.keys {
				items[i] = StringValue(k)
			}
			return ArrayValue(items...)
		}},
		{name: "bag_has_key", args: "bag, name", doc: "Whether a bag has a member.", min: 2, max: 2, result: Bool, f2: func(a, b Value) Value {
			if a = asDynamic(a); a.typ != bag {
				return Value{}
			}
			return BoolValue(slices.Contains(a.list.keys, b.Text()))
		}},
		{name: "bag_merge", args: "bag, bag …", doc: "The members of all bags; of the same name that of the first.", min: 1, max: -1, result: Dynamic, fn: func(a []Value) Value {
			var m bagMaker
			for _, v := range a {
				if v = asDynamic(v); v.typ != bag {
					continue
				}
				for i, k := range v.list.keys {
					if m.find(k) < 0 {
						m.put(k, v.list.items[i])
					}
				}
			}
			return m.value()
		}},
		{name: "bag_remove_keys", args: "bag, array", doc: "The bag without some members.", min: 2, max: 2, result: Dynamic, f2: func(a, b Value) Value {
			a, b = asDynamic(a), asDynamic(b)
			if a.typ != bag || b.typ != array {
				return a
			}
			var m bagMaker
			for i, k := range a.list.keys {
				if !slices.ContainsFunc(b.list.items, func(v Value) bool { return v.Text() == k }) {
					m.put(k, a.list.items[i])
				}
			}
			return m.value()
		}},
		{name: "bag_pack", args: "name, value, name, value …", doc: "Makes a bag.", min: 2, max: -1, result: Dynamic, fn: func(a []Value) Value {
			var m bagMaker
			for i := 0; i+1 < len(a); i += 2 {
				m.put(a[i].Text(), a[i+1])
			}
			return m.value()
		}},
		{name: "pack_array", args: "value, value …", doc: "Makes an array.", min: 0, max: -1, result: Dynamic, bind: func(_ *binder, n *node, s *rowScope, a []*expr) *expr {
			if len(n.kids) == 0 {
				return constant(ArrayValue(), Dynamic)
			}
			return made(n.text, Dynamic, a, func(row []Value) Value {
				items := make([]Value, len(a))
				for i, x := range a {
					items[i] = x.eval(row)
				}
				return ArrayValue(items...)
			})
		}},
		{name: "pack_all", args: "", doc: "All columns as a bag.", min: 0, max: 1, lazy: true, bind: func(_ *binder, n *node, s *rowScope, _ []*expr) *expr {
			keys := make([]string, len(s.cols))
			for i, c := range s.cols {
				keys[i] = c.Name
				s.column(i)
			}
			return &expr{typ: Dynamic, col: -1, op: n.text, eval: func(row []Value) Value { return BagValue(keys, slices.Clone(row[:len(keys)])) }}
		}},
		{name: "column_ifexists", args: "name, otherwise", doc: "A column if there is one of that name, else another value.", min: 2, max: 2, lazy: true, bind: func(b *binder, n *node, s *rowScope, _ []*expr) *expr {
			if k := n.kids[0]; k.kind == nodeLiteral && k.val.typ == String {
				if i := s.find(k.val.text); i >= 0 {
					return s.column(i)
				}
			}
			return b.expr(n.kids[1], s)
		}},
	}
}

func sortArray(v Value, sign int) Value {
	if v = asDynamic(v); v.typ != array {
		return Value{}
	}
	items := slices.Clone(v.list.items)
	slices.SortStableFunc(items, func(a, b Value) int { return order(a, b, sign) })
	return ArrayValue(items...)
}

// order orders values, null last.
func order(a, b Value, sign int) int {
	switch {
	case a.IsNull() && b.IsNull():
		return 0
	case a.IsNull():
		return 1
	case b.IsNull():
		return -1
	}
	return sign * compare(a, b)
}

// setOf are the values of arrays, once each, of which as many arrays as keep says have them.
func setOf(arrays []Value, keep func(n int) bool) Value {
	count := map[string]int{}
	var all []Value
	for _, v := range arrays {
		if v = asDynamic(v); v.typ != array {
			return Value{}
		}
		seen := map[string]bool{}
		for _, e := range v.list.items {
			k := string(e.key(nil))
			if seen[k] {
				continue
			}
			seen[k] = true
			if count[k] == 0 {
				all = append(all, e)
			}
			count[k]++
		}
	}
	return ArrayValue(slices.DeleteFunc(all, func(e Value) bool { return !keep(count[string(e.key(nil))]) })...)
}

func addressFunctions() []function {
	text := []Type{String}
	private := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16")}
	return []function{
		{name: "ipv4_is_private", args: "address", doc: "Whether an IPv4 address is one of private networks; null when it is none.", min: 1, max: 1, result: Bool, wants: text, f1: func(v Value) Value {
			p, ok := prefix(v.text)
			if !ok || !p.Addr().Is4() {
				return Value{}
			}
			return BoolValue(slices.ContainsFunc(private, func(n netip.Prefix) bool { return n.Contains(p.Addr()) }))
		}},
		{name: "ipv4_is_in_range", args: "address, range", doc: "Whether an IPv4 address is in a range such as 10.0.0.0/8.", min: 2, max: 2, result: Bool, wants: text, f2: func(a, b Value) Value { return inRange(a, b, true) }},
		{name: "ipv6_is_in_range", args: "address, range", doc: "Whether an address of either kind is in a range.", min: 2, max: 2, result: Bool, wants: text, f2: func(a, b Value) Value { return inRange(a, b, false) }},
		{name: "ipv4_is_in_any_range", args: "address, range …", doc: "Whether an IPv4 address is in one of several ranges.", min: 2, max: -1, result: Bool, fn: func(a []Value) Value {
			return BoolValue(slices.ContainsFunc(listed(a[1:]), func(e Value) bool { return inRange(a[0], StringValue(e.Text()), true).truth() }))
		}},
		{name: "ipv4_is_match", args: "address, other [, bits]", doc: "Whether two IPv4 addresses or ranges are the same in their first bits.", min: 2, max: 3, result: Bool, wants: []Type{String, String, Long}, fn: func(a []Value) Value {
			c := compareAddresses(a)
			if c.IsNull() {
				return c
			}
			return BoolValue(c.num == 0)
		}},
		{name: "ipv4_compare", args: "address, other [, bits]", doc: "−1, 0 or 1 as an IPv4 address is before, the same as or behind another.", min: 2, max: 3, result: Long, wants: []Type{String, String, Long}, fn: compareAddresses},
		{name: "parse_ipv4", args: "address", doc: "An IPv4 address as a number.", min: 1, max: 1, result: Long, wants: text, f1: func(v Value) Value {
			p, ok := prefix(v.text)
			if !ok || !p.Addr().Is4() {
				return Value{}
			}
			b := p.Masked().Addr().As4()
			return LongValue(int64(binary.BigEndian.Uint32(b[:])))
		}},
		{name: "format_ipv4", args: "number", doc: "The IPv4 address of a number.", min: 1, max: 1, result: String, wants: []Type{Long}, f1: func(v Value) Value {
			if v.IsNull() || v.num < 0 || v.num > 1<<32-1 {
				return StringValue("")
			}
			var b [4]byte
			binary.BigEndian.PutUint32(b[:], uint32(v.num))
			return StringValue(netip.AddrFrom4(b).String())
		}},
		{name: "ipv4_netmask_suffix", args: "range", doc: "How many bits of a range are fixed.", min: 1, max: 1, result: Long, wants: text, f1: func(v Value) Value {
			p, ok := prefix(v.text)
			if !ok || !p.Addr().Is4() {
				return Value{}
			}
			return LongValue(int64(p.Bits()))
		}},
	}
}

// prefix reads an address or a range.
func prefix(s string) (netip.Prefix, bool) {
	s = strings.TrimSpace(s)
	if strings.Contains(s, "/") {
		p, err := netip.ParsePrefix(s)
		return p, err == nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	a = a.Unmap()
	return netip.PrefixFrom(a, a.BitLen()), true
}

func inRange(a, b Value, four bool) Value {
	x, ok1 := prefix(a.Text())
	y, ok2 := prefix(b.Text())
	if !ok1 || !ok2 || four && (!x.Addr().Is4() || !y.Addr().Is4()) {
		return Value{}
	}
	return BoolValue(y.Contains(x.Addr()) && x.Bits() >= y.Bits())
}

func compareAddresses(a []Value) Value {
	x, ok1 := prefix(a[0].text)
	y, ok2 := prefix(a[1].text)
	if !ok1 || !ok2 || !x.Addr().Is4() || !y.Addr().Is4() {
		return Value{}
	}
	n := min(x.Bits(), y.Bits())
	if len(a) > 2 {
		if a[2].IsNull() || a[2].num < 0 || a[2].num > 32 {
			return Value{}
		}
		n = min(n, int(a[2].num))
	}
	p, q := x.Addr().As4(), y.Addr().As4()
	u, v := binary.BigEndian.Uint32(p[:]), binary.BigEndian.Uint32(q[:])
	if n < 32 {
		mask := ^(uint32(1)<<(32-n) - 1)
		u, v = u&mask, v&mask
	}
	switch {
	case u < v:
		return LongValue(-1)
	case u > v:
		return LongValue(1)
	}
	return LongValue(0)
}
