package kql

import (
	"regexp"
	"strings"
)

// expandNode makes a row of every value of arrays.
type expandNode struct {
	in    plan
	cols  []Column
	exprs []*expr
	to    []int
	types []Type
	index int // place of the index, −1: none
	most  int64
	used  []bool
}

func (e *expandNode) input() plan       { return e.in }
func (e *expandNode) columns() []Column { return e.cols }
func (e *expandNode) made(i int) bool {
	for _, t := range e.to {
		if t == i {
			return true
		}
	}
	return i == e.index
}
func (e *expandNode) use(i int) {
	if !e.made(i) {
		e.used[i] = true
		e.in.use(i)
	}
}
func (e *expandNode) push(c *expr) {
	pushThrough(e.in, c, func(i int) int {
		if e.made(i) {
			return -1
		}
		return i
	})
}

// itemsOf are the values that mv-expand makes rows of. A bag gives one bag of each member.
func itemsOf(v Value) []Value {
	switch v = asDynamic(v); v.typ {
	case array:
		return v.list.items
	case bag:
		out := make([]Value, len(v.list.items))
		for i, k := range v.list.keys {
			out[i] = BagValue([]string{k}, []Value{v.list.items[i]})
		}
		return out
	}
	return []Value{v}
}

func (e *expandNode) run(x *execution, out sink) error {
	buf := make([]Value, len(e.cols))
	copied := newStored(e.used).cols
	lists := make([][]Value, len(e.exprs))
	return e.in.run(x, func(row []Value) error {
		for _, i := range copied {
			buf[i] = row[i]
		}
		n := 0
		for k, ex := range e.exprs {
			lists[k] = itemsOf(ex.eval(row))
			n = max(n, len(lists[k]))
		}
		for i := range min(n, int(e.most)) {
			for k, l := range lists {
				var v Value
				if i < len(l) {
					v = l[i]
				}
				if e.types[k] != Null && e.types[k] != Dynamic {
					v = convert(v, e.types[k])
				}
				buf[e.to[k]] = v
			}
			if e.index >= 0 {
				buf[e.index] = LongValue(int64(i))
			}
			if err := x.tick(); err != nil {
				return err
			}
			if err := out(buf); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *binder) expand(in plan, o *op, e *env) plan {
	s := &rowScope{cols: in.columns(), use: in.use, env: e}
	x := &expandNode{in: in, cols: append([]Column{}, in.columns()...), index: -1, most: 1 << 30}
	names := namerOf(in.columns())
	for _, n := range o.list {
		v := b.expr(n.expr, s)
		b.wantDynamic(v, n.expr.at)
		t := n.typ
		if t == Null {
			t = Dynamic
		}
		at := -1
		if name := n.name; name != "" {
			at = s.find(name)
		} else if n.expr.kind == nodeName {
			at = s.find(n.expr.text)
		}
		if at < 0 {
			at = len(x.cols)
			x.cols = append(x.cols, Column{Name: names.give(n, describe(n.expr), ""), Type: t})
		}
		x.cols[at].Type = t
		x.exprs, x.to, x.types = append(x.exprs, v), append(x.to, at), append(x.types, n.typ)
	}
	if i, ok := o.opts["with_itemindex"]; ok {
		x.index = len(x.cols)
		x.cols = append(x.cols, Column{names.plain(i.text), Long})
	}
	if len(o.vals) == 1 {
		x.most = b.rowsOf(o.vals[0], e)
	}
	x.used = make([]bool, len(x.cols))
	return x
}

// parseNode takes a text apart.
type parseNode struct {
	in    plan
	arg   *expr
	re    *regexp.Regexp
	pairs *pairReader // instead of re: of parse-kv
	cols  []Column
	to    []int  // place of each group's column
	types []Type // of each group
	only  bool   // rows that do not fit are left out
	used  []bool
}

func (p *parseNode) input() plan       { return p.in }
func (p *parseNode) columns() []Column { return p.cols }
func (p *parseNode) made(i int) bool {
	for _, t := range p.to {
		if t == i {
			return true
		}
	}
	return false
}
func (p *parseNode) use(i int) {
	if !p.made(i) {
		p.used[i] = true
		p.in.use(i)
	}
}
func (p *parseNode) push(c *expr) {
	pushThrough(p.in, c, func(i int) int {
		if p.made(i) {
			return -1
		}
		return i
	})
}
func (p *parseNode) run(x *execution, out sink) error {
	buf := make([]Value, len(p.cols))
	copied := newStored(p.used).cols
	return p.in.run(x, func(row []Value) error {
		text := p.arg.eval(row).Text()
		for _, i := range copied {
			buf[i] = row[i]
		}
		if p.pairs != nil {
			for k, v := range p.pairs.read(text) {
				buf[p.to[k]] = convert(v, p.types[k])
			}
			return out(buf)
		}
		m := p.re.FindStringSubmatchIndex(text)
		fits := m != nil
		for k, t := range p.to {
			v := Value{}
			if m != nil && m[2*k+2] >= 0 {
				v = StringValue(text[m[2*k+2]:m[2*k+3]])
			}
			if buf[t] = convert(v, p.types[k]); fits && p.types[k] != String && buf[t].IsNull() {
				fits = false
			}
		}
		if !fits {
			if p.only {
				return nil
			}
			for k, t := range p.to {
				buf[t] = convert(Value{}, p.types[k])
			}
		}
		return out(buf)
	})
}

// parse binds parse and parse-where: the pattern becomes a regular expression.
func (b *binder) parse(in plan, o *op, e *env) plan {
	s := &rowScope{cols: in.columns(), use: in.use, env: e}
	p := &parseNode{in: in, arg: b.expr(o.list[0].expr, s), cols: append([]Column{}, in.columns()...), only: o.name == "parse-where"}
	kind := o.opts["kind"].text
	if kind != "" && kind != "simple" && kind != "regex" && kind != "relaxed" {
		panic(fail(o.opts["kind"].at, "there is no kind of parse %q", kind).with("simple, relaxed or regex"))
	}
	var re strings.Builder
	re.WriteString("(?s")
	if strings.Contains(o.opts["flags"].text, "i") {
		re.WriteString("i")
	}
	re.WriteString(")^")
	for i, c := range o.parts {
		switch {
		case c.star:
			re.WriteString(".*?")
		case c.name == "" && kind == "regex":
			re.WriteString("(?:" + c.text + ")")
		case c.name == "":
			re.WriteString(regexp.QuoteMeta(c.text))
		default:
			if i > 0 && o.parts[i-1].name != "" {
				panic(fail(c.at, "two columns follow each other: there must be a text between them"))
			}
			re.WriteString(map[Type]string{Long: `\s*(-?\d+)`, Int: `\s*(-?\d+)`, Real: `\s*(-?[\d.]+(?:[eE][-+]?\d+)?)`}[c.typ])
			if !number(c.typ) {
				re.WriteString("(.*?)")
			}
			at := s.find(c.name)
			if at < 0 {
				at = len(p.cols)
				p.cols = append(p.cols, Column{c.name, c.typ})
			}
			p.cols[at].Type = c.typ
			p.to, p.types = append(p.to, at), append(p.types, c.typ)
		}
	}
	re.WriteString("$")
	p.used = make([]bool, len(p.cols))
	compiled, err := regexp.Compile(re.String())
	if err != nil || re.Len() > maxPattern || compiled.NumSubexp() != len(p.to) {
		f := fail(o.at, "the pattern cannot be read")
		if err == nil {
			f = fail(o.at, "the pattern is too long, or has groups of its own").with("write (?:…) for a group that only holds together")
		}
		panic(f)
	}
	p.re = compiled
	return p
}
