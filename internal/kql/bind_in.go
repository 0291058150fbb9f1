package kql

import "strings"

// in binds in, in~, has_any and has_all, whose list may be a table.
func (b *binder) in(n *node, s *rowScope) *expr {
	x := b.expr(n.kids[0], s)
	if sub := b.listTable(n, s); sub != nil {
		return b.inTable(n, x, sub)
	}
	args := []*expr{x}
	konst := true
	for _, k := range n.kids[1:] {
		a := b.expr(k, s)
		args, konst = append(args, literalAs(a, x.typ)), konst && a.konst
		if !comparable(x.typ, a.typ) {
			panic(fail(k.at, "values of the types %s and %s cannot be compared", x.typ, a.typ))
		}
	}
	if n.text == "has_any" || n.text == "has_all" {
		return hasList(n.text, args, konst)
	}
	return inList(n.text, args, konst)
}

// flat are the values of a list: arrays are what is in them.
func flat(args []*expr, row []Value) []Value {
	out := make([]Value, 0, len(args))
	for _, a := range args {
		if v := a.eval(row); v.typ == array {
			out = append(out, v.list.items...)
		} else {
			out = append(out, v)
		}
	}
	return out
}

func inKey(v Value, caseless bool, b []byte) []byte {
	if caseless {
		v = StringValue(fold(v.Text()))
	}
	return v.key(b[:0])
}

func inList(op string, args []*expr, konst bool) *expr {
	caseless, negated := strings.HasSuffix(op, "~"), strings.HasPrefix(op, "!")
	x := args[0]
	if !konst {
		return made(op, Bool, args, func(row []Value) Value {
			v := string(inKey(x.eval(row), caseless, nil))
			for _, e := range flat(args[1:], row) {
				if string(inKey(e, caseless, nil)) == v {
					return BoolValue(!negated)
				}
			}
			return BoolValue(negated)
		})
	}
	set := map[string]bool{}
	for _, v := range flat(args[1:], nil) {
		set[string(inKey(v, caseless, nil))] = true
	}
	var buf []byte
	return made(op, Bool, args, func(row []Value) Value {
		buf = inKey(x.eval(row), caseless, buf)
		return BoolValue(set[string(buf)] != negated)
	})
}

func hasList(op string, args []*expr, konst bool) *expr {
	all := op == "has_all"
	x := args[0]
	needles := func(row []Value) []string {
		var out []string
		for _, v := range flat(args[1:], row) {
			out = append(out, fold(v.Text()))
		}
		return out
	}
	var fixed []string
	if konst {
		fixed = needles(nil)
	}
	return made(op, Bool, args, func(row []Value) Value {
		list := fixed
		if !konst {
			list = needles(row)
		}
		text := x.eval(row).Text()
		for _, needle := range list {
			if hasWord(text, needle, true, true, true) != all {
				return BoolValue(!all)
			}
		}
		return BoolValue(all)
	})
}

// listTable binds the list of in when it is one table; nil when it is values.
func (b *binder) listTable(n *node, s *rowScope) *subquery {
	if len(n.kids) != 2 {
		return nil
	}
	k := n.kids[1]
	if k.kind == nodeName && s.find(k.text) >= 0 {
		return nil
	}
	if k.kind == nodeName {
		if d, ok := s.env.find(k.text); !ok || d.val != nil {
			if _, table := b.tables.Table(k.text); ok || !table {
				return nil
			}
		}
	}
	if k.kind != nodeName && k.kind != nodePipe && k.kind != nodeCall {
		return nil
	}
	p := b.tryTable(k, s.env)
	if p == nil {
		return nil
	}
	if len(p.columns()) == 0 {
		panic(fail(k.at, "the table has no column"))
	}
	p.use(0)
	return b.sub(p)
}

func (b *binder) inTable(n *node, x *expr, sub *subquery) *expr {
	caseless, negated := strings.HasSuffix(n.text, "~"), strings.HasPrefix(n.text, "!")
	if c := sub.in.columns()[0]; !comparable(x.typ, c.Type) {
		panic(fail(n.at, "values of the types %s and %s cannot be compared", x.typ, c.Type))
	}
	if n.text == "has_any" || n.text == "has_all" {
		list := &expr{typ: Dynamic, col: -1, eval: func([]Value) Value { return ArrayValue(sub.first...) }}
		return hasList(n.text, []*expr{x, list}, false)
	}
	var set map[string]bool
	var buf []byte
	out := made(n.text, Bool, []*expr{x}, func(row []Value) Value {
		if set == nil {
			set = map[string]bool{}
			for _, v := range sub.first {
				set[string(inKey(v, caseless, nil))] = true
			}
		}
		buf = inKey(x.eval(row), caseless, buf)
		return BoolValue(set[string(buf)] != negated)
	})
	if x.konst { // made computed it before there was a table
		out.konst = false
		out.eval = func([]Value) Value {
			for _, v := range sub.first {
				if string(inKey(v, caseless, nil)) == string(inKey(x.value(), caseless, nil)) {
					return BoolValue(!negated)
				}
			}
			return BoolValue(negated)
		}
	}
	out.op, out.args = n.text, []*expr{x, {typ: Dynamic, col: -1, op: "table", eval: func([]Value) Value { return ArrayValue(sub.first...) }}}
	return out
}
