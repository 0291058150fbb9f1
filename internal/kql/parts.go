package kql

import "slices"

// parts binds a call of a function that gives several columns, as they are named
// before it or by the function; nil when it is none.
func (b *binder) parts(n *named, s *rowScope) []madePart {
	c := n.expr
	if c.kind != nodeCall {
		return nil
	}
	f, ok := b.functions[c.text]
	if !ok || f.parts == nil {
		return nil
	}
	if d, ok := s.env.find(c.text); ok && d.fn != nil {
		return nil
	}
	columns := f.parts
	f.parts, f.result = nil, Dynamic
	f.fn = remembered(f.fn)
	all := b.callOf(f, c, s)
	names := n.names
	if n.name != "" {
		names = []string{n.name}
	}
	var out []madePart
	for i, col := range columns {
		name := c.text + "_" + describe(c.kids[0]) + "_" + col.Name
		if len(names) > 0 {
			if i == len(names) {
				break
			}
			name = names[i]
		}
		out = append(out, madePart{name, itemExpr(all, i, col.Type)})
	}
	return out
}

// remembered is a function of a series that computes once where it is called with
// the same series again and again, for one column after the other.
func remembered(f func([]Value) Value) func([]Value) Value {
	var last []Value
	var was Value
	return func(a []Value) Value {
		same := len(last) == len(a) && len(a) > 0 && a[0].list != nil && a[0].list == last[0].list
		for i := 1; same && i < len(a); i++ {
			same = a[i] == last[i]
		}
		if !same {
			last, was = slices.Clone(a), f(a)
		}
		return was
	}
}
