package kql

import (
	"regexp"
	"slices"
	"strings"
)

// search reads search: tables, and what is looked for in their columns.
func (p *parser) search(o *op) {
	p.options(o, "kind", "withsource")
	if p.is("in") {
		p.want("(", "after in")
		for {
			o.tables = append(o.tables, p.wild())
			if !p.is(",") {
				break
			}
		}
		p.want(")", "after the tables")
	}
	if o.name == "find" {
		p.is("where")
	}
	was := p.searching
	p.searching = true
	o.list = []*named{{at: p.tok().at, expr: p.expr()}}
	p.searching = was
	if o.name != "find" {
		return
	}
	if t := p.tok(); t.text == "project" {
		if name, at := p.word(); name == "project" {
			o.by = p.nameds("project")
		} else if name != "project-smart" {
			panic(fail(at, "project or project-smart is expected, not %q", name))
		}
	}
}

// searched binds search and find: a union of tables, and its rows in which something is found.
func (b *binder) searched(in plan, o *op, e *env) plan {
	source := "$table"
	if o.name == "find" {
		if source = "source_"; o.opts["withsource"].text != "" {
			source = o.opts["withsource"].text
		}
	}
	if in != nil && (o.name == "find" || len(o.tables) > 0) {
		panic(fail(o.at, "%s over tables stands at the beginning of a query", o.name))
	}
	if in == nil {
		u := &op{at: o.at, name: "union", tables: o.tables, opts: map[string]option{"withsource": {text: source}}}
		if len(u.tables) == 0 {
			u.tables = []*node{{kind: nodeWild, at: o.at, text: "*"}}
		}
		in = b.union(nil, u, e)
	}
	kind := o.opts["kind"]
	if !slices.Contains([]string{"", "default", "case_insensitive", "case_sensitive"}, kind.text) {
		panic(fail(kind.at, "there is no kind of search %q", kind.text).with("case_insensitive or case_sensitive"))
	}
	s := &rowScope{cols: in.columns(), use: in.use, env: e}
	x := b.found(o.list[0].expr, s, kind.text == "case_sensitive")
	w := &whereNode{in: in, cond: x}
	if o.name == "find" {
		return b.findColumns(w, o, e)
	}
	return w
}

// found binds what is looked for: texts that any column may have, and conditions.
func (b *binder) found(n *node, s *rowScope, cased bool) *expr {
	switch {
	case n.kind == nodeBinary && (n.text == "and" || n.text == "or"):
		return logical(n.text, b.found(n.kids[0], s, cased), b.found(n.kids[1], s, cased))
	case n.kind == nodeCall && n.text == "not" && len(n.kids) == 1:
		x := b.found(n.kids[0], s, cased)
		return made("not", Bool, []*expr{x}, func(row []Value) Value { return BoolValue(!toBool(x.eval(row)).truth()) })
	case n.kind == nodeLiteral && n.typ == String:
		return b.term(n, &node{kind: nodeStar, at: n.at}, n, s, cased)
	case n.kind == nodeBinary && n.text == ":":
		if n.kids[1].kind != nodeLiteral || n.kids[1].typ != String {
			panic(fail(n.kids[1].at, "a text is expected behind :").with("for example FileName:\"curl\""))
		}
		return b.term(n, n.kids[0], n.kids[1], s, cased)
	}
	if n.kind == nodeBinary && n.kids[0].kind == nodeStar {
		return b.anyColumn(n, withoutSource(s))
	}
	x := b.expr(n, s)
	b.wantBool(x, n.at)
	return x
}

// withoutSource is a scope in which * does not look at the name of the table.
func withoutSource(s *rowScope) *rowScope {
	columns := *s
	if columns.cols = slices.Clone(s.cols); len(s.cols) > 0 && (s.cols[0].Name == "$table" || s.cols[0].Name == "source_") {
		columns.cols[0].Type = Bool
	}
	return &columns
}

// term binds a text that a column, or any, is to have: a word, its beginning (x*),
// its end (*x), a part (*x*), or parts with anything between them.
func (b *binder) term(at, where, text *node, s *rowScope, cased bool) *expr {
	t := text.val.Text()
	front, back := strings.HasPrefix(t, "*"), strings.HasSuffix(t, "*")
	plain := strings.Trim(t, "*")
	op := "has"
	switch {
	case plain == "":
		return constant(BoolValue(true), Bool)
	case strings.Contains(plain, "*"):
		parts := strings.Split(plain, "*")
		for i, p := range parts {
			parts[i] = regexp.QuoteMeta(p)
		}
		op, plain = "matches regex", "(?s)"+strings.Join(parts, ".*?")
		if !cased {
			plain = "(?i)" + plain
		}
	case front && back:
		op = "contains"
	case back:
		op = "hasprefix"
	case front:
		op = "hassuffix"
	}
	if cased && op != "matches regex" {
		op += "_cs"
	}
	lit := &node{kind: nodeLiteral, at: text.at, val: StringValue(plain), typ: String}
	n := &node{kind: nodeBinary, at: at.at, text: op, kids: []*node{where, lit}}
	if where.kind == nodeStar {
		return b.anyColumn(n, withoutSource(s))
	}
	return b.textual(n, op, b.expr(where, s), b.expr(lit, s))
}

// findColumns gives the columns of find: those that are asked for, or those that its condition names and a bag of the others.
func (b *binder) findColumns(in plan, o *op, e *env) plan {
	p := &projectNode{in: in}
	s := &rowScope{cols: in.columns(), use: in.use, env: e}
	names := newNamer()
	p.exprs, p.cols = []*expr{s.column(0)}, []Column{{names.plain(in.columns()[0].Name), String}}
	if len(o.by) > 0 {
		for _, n := range o.by {
			x := b.expr(n.expr, s)
			p.exprs, p.cols = append(p.exprs, x), append(p.cols, Column{names.give(n, describe(n.expr), ""), x.typ})
		}
		return p
	}
	named := namesIn(o.list[0].expr, map[string]bool{})
	var rest []int
	for i, c := range in.columns()[1:] {
		if named[c.Name] {
			p.exprs, p.cols = append(p.exprs, s.column(i+1)), append(p.cols, Column{names.plain(c.Name), c.Type})
			continue
		}
		rest = append(rest, i+1)
		s.column(i + 1)
	}
	cols := in.columns()
	p.exprs = append(p.exprs, &expr{typ: Dynamic, col: -1, op: "pack", eval: func(row []Value) Value {
		m := bagMaker{}
		for _, i := range rest {
			if v := row[i]; !v.IsNull() && (v.typ != String || v.text != "") {
				m.put(cols[i].Name, v)
			}
		}
		return m.value()
	}})
	p.cols = append(p.cols, Column{names.plain("pack_"), Dynamic})
	return p
}

// namesIn are the names that stand in an expression.
func namesIn(n *node, out map[string]bool) map[string]bool {
	if n.kind == nodeName {
		out[n.text] = true
	}
	for _, k := range n.kids {
		namesIn(k, out)
	}
	return out
}
