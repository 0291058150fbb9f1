package kql

import (
	"net/netip"
	"slices"
	"strings"
)

// inTextFunctions look for addresses in texts.
func inTextFunctions() []function {
	find := func(name, args, doc string, most int, prefixes bool) function {
		return function{name: name, args: args, doc: doc, min: 2, max: most, result: Bool, fn: func(a []Value) Value {
			for _, e := range listed(a[1:]) {
				if hasAddress(a[0].Text(), e.Text(), prefixes) {
					return BoolValue(true)
				}
			}
			return BoolValue(false)
		}}
	}
	return []function{
		find("has_ipv4", "text, address", "Whether an IPv4 address is in a text, with no digit, letter or dot around it.", 2, false),
		find("has_any_ipv4", "text, address …", "Whether one of several IPv4 addresses is in a text.", -1, false),
		find("has_ipv4_prefix", "text, beginning", "Whether an IPv4 address that begins so is in a text: 10.0.", 2, true),
		find("has_any_ipv4_prefix", "text, beginning …", "Whether an IPv4 address with one of several beginnings is in a text.", -1, true),
		{name: "ipv6_compare", args: "address, other [, bits]", doc: "−1, 0 or 1 as an address of either kind is before, the same as or behind another.", min: 2, max: 3, result: Long, wants: []Type{String, String, Long}, fn: func(a []Value) Value {
			x, ok1 := prefix(a[0].text)
			y, ok2 := prefix(a[1].text)
			if !ok1 || !ok2 {
				return Value{}
			}
			bits := min(wideBits(x), wideBits(y))
			if len(a) > 2 && !a[2].IsNull() {
				bits = min(bits, int(min(max(a[2].num, 0), 128)))
			}
			p, _ := netip.AddrFrom16(x.Addr().As16()).Prefix(bits) // 0 to 128 bits
			q, _ := netip.AddrFrom16(y.Addr().As16()).Prefix(bits)
			return LongValue(int64(p.Addr().Compare(q.Addr())))
		}},
		{name: "ipv6_is_in_any_range", args: "address, range …", doc: "Whether an address of either kind is in one of several ranges.", min: 2, max: -1, result: Bool, fn: func(a []Value) Value {
			return BoolValue(slices.ContainsFunc(listed(a[1:]), func(e Value) bool { return inRange(a[0], StringValue(e.Text()), false).truth() }))
		}},
		{name: "parse_ipv6", args: "address", doc: "An address of either kind in the long form of IPv6.", min: 1, max: 1, result: String, wants: []Type{String}, f1: func(v Value) Value {
			p, ok := prefix(v.text)
			if !ok {
				return StringValue("")
			}
			p = netip.PrefixFrom(netip.AddrFrom16(p.Addr().As16()), wideBits(p)).Masked()
			return StringValue(p.Addr().StringExpanded())
		}},
	}
}

// listed are values; those of an array are what is in it.
func listed(a []Value) []Value {
	out := make([]Value, 0, len(a))
	for _, v := range a {
		if v = asDynamic(v); v.typ == array {
			out = append(out, v.list.items...)
		} else {
			out = append(out, v)
		}
	}
	return out
}

// wideBits are the bits of a range in the form of IPv6.
func wideBits(p netip.Prefix) int {
	if p.Addr().Is4() {
		return p.Bits() + 96
	}
	return p.Bits()
}

// hasAddress reports whether an address, or one that begins so, is in a text.
func hasAddress(text, want string, begins bool) bool {
	if begins {
		if want == "" || strings.Trim(want, "0123456789.") != "" {
			return false
		}
	} else if a, err := netip.ParseAddr(want); err != nil || !a.Is4() {
		return false
	}
	part := func(i int) bool { return i >= 0 && i < len(text) && (nameByte(text[i]) || text[i] == '.') }
	for at := 0; ; at++ {
		i := strings.Index(text[at:], want)
		if i < 0 {
			return false
		}
		if at += i; part(at - 1) {
			continue
		}
		end := at + len(want)
		if !begins {
			if !part(end) || text[end] == '.' && !part(end+1) { // a dot that ends a sentence
				return true
			}
			continue
		}
		for end = at; end < len(text) && (isDigit(text[end]) || text[end] == '.'); end++ {
		}
		if a, err := netip.ParseAddr(strings.TrimRight(text[at:end], ".")); err == nil && a.Is4() && !part(end) {
			return true
		}
	}
}
