package kql

import "strings"

// operatorTable is how what follows the name of each operator is read.
func operatorTable() map[string]func(*parser, *op) {
	none := func(*parser, *op) {}
	list := func(p *parser, o *op) { o.list = p.nameds(o.name) }
	names := func(p *parser, o *op) { o.list = p.wilds() }
	one := func(p *parser, o *op) { o.list = []*named{{at: p.tok().at, expr: p.expr()}} }
	join := func(p *parser, o *op) { p.join(o) }
	return map[string]func(*parser, *op){
		"where": one, "filter": one, "take": one, "limit": one, "sample": one,
		"project": list, "extend": list, "print": list,
		"project-away": names, "project-keep": names, "project-reorder": names,
		"project-rename": list,
		"distinct":       func(p *parser, o *op) { o.list = p.exprs() },
		"summarize":      (*parser).summarize,
		"count":          none, "getschema": none, "consume": none,
		"serialize": func(p *parser, o *op) {
			if !p.ends() {
				o.list = p.nameds(o.name)
			}
		},
		"sort": (*parser).sort, "order": (*parser).sort,
		"top":  (*parser).top,
		"join": join, "lookup": join,
		"union":  (*parser).union,
		"search": (*parser).search, "find": (*parser).search,
		"parse": (*parser).parse, "parse-where": (*parser).parse, "parse-kv": (*parser).pairs,
		"mv-expand": (*parser).expand, "mvexpand": (*parser).expand,
		"mv-apply": (*parser).apply, "mvapply": (*parser).apply,
		"partition": (*parser).partition, "scan": (*parser).scan,
		"sample-distinct": func(p *parser, o *op) {
			o.vals = []*node{p.expr()}
			p.want("of", "after the number of values")
			o.list = []*named{p.named()}
		},
		"invoke":      func(p *parser, o *op) { o.list = []*named{{at: p.tok().at, expr: p.postfix()}} },
		"make-series": (*parser).series, "top-nested": (*parser).nested,
		"evaluate": func(p *parser, o *op) {
			p.options(o)
			p.plugin = true
			o.list = []*named{{at: p.tok().at, expr: p.postfix()}}
			p.plugin = false
		},
		"render":    (*parser).render,
		"datatable": (*parser).datatable, "range": (*parser).rangeOf,
		"as": func(p *parser, o *op) {
			p.options(o, "hint.materialized")
			name, at := p.name("the result")
			o.list = []*named{{at: at, name: name}}
		},
	}
}

// ends reports whether an operator has no more words.
func (p *parser) ends() bool {
	return p.tok().kind == tokenEnd || p.sees("|") || p.sees(";") || p.sees(")") || p.sees("}") || p.sees(",")
}

// nameds reads a list of expressions, each with a name or without.
func (p *parser) nameds(of string) []*named {
	if p.ends() {
		panic(p.unexpected("a list of columns is expected after " + of))
	}
	out := []*named{p.named()}
	for p.is(",") {
		out = append(out, p.named())
	}
	return out
}

func (p *parser) named() *named {
	n := &named{at: p.tok().at}
	t := p.tok()
	switch {
	case (t.kind == tokenName || t.kind == tokenQuoted) && p.seesAt(1, "="):
		n.name = t.text
		p.pos += 2
	case p.sees("(") && p.listOfNames():
		p.pos++
		for {
			name, _ := p.name("a column")
			n.names = append(n.names, name)
			if !p.is(",") {
				break
			}
		}
		p.want(")", "after the names")
		p.want("=", "after the names")
	}
	n.expr = p.expr()
	n.at.to = n.expr.at.to
	return n
}

// listOfNames reports whether "(a, b) =" comes.
func (p *parser) listOfNames() bool {
	for i := p.pos + 1; i+1 < len(p.toks); i += 2 {
		if k := p.toks[i].kind; k != tokenName && k != tokenQuoted || p.toks[i+1].kind != tokenSign {
			return false
		}
		switch p.toks[i+1].text {
		case ",":
		case ")":
			return i+2 < len(p.toks) && p.toks[i+2].kind == tokenSign && p.toks[i+2].text == "="
		default:
			return false
		}
	}
	return false
}

func (p *parser) exprs() []*named {
	var out []*named
	for {
		at := p.tok().at
		if p.is("*") {
			out = append(out, &named{at: at, expr: &node{kind: nodeStar, at: at}})
		} else {
			out = append(out, p.named())
		}
		if !p.is(",") {
			return out
		}
	}
}

// wilds reads names that may hold *.
func (p *parser) wilds() []*named {
	var out []*named
	for {
		w := p.wild()
		n := &named{at: w.at, expr: w, name: w.text}
		if p.is("asc") {
			n.asc = true
		} else {
			p.is("desc")
		}
		out = append(out, n)
		if !p.is(",") {
			return out
		}
	}
}

// wild reads a name that may hold *.
func (p *parser) wild() *node {
	t := p.tok()
	if t.kind == tokenQuoted {
		p.pos++
		return &node{kind: nodeName, at: t.at, text: t.text}
	}
	at, end := t.at, t.at.from
	for (p.tok().kind == tokenName || p.tok().kind == tokenNumber || p.sees("*")) && p.tok().at.from == end {
		end = p.take().at.to
	}
	if end == at.from {
		panic(p.unexpected("the name of a column is expected"))
	}
	at.to = end
	n := &node{kind: nodeName, at: at, text: p.text[at.from:at.to]}
	if strings.Contains(n.text, "*") {
		n.kind = nodeWild
	}
	return n
}

func (p *parser) summarize(o *op) {
	p.options(o)
	if !p.sees("by") {
		if p.ends() {
			panic(p.unexpected("a list of aggregates is expected after summarize").with("for example: summarize count() by DeviceName"))
		}
		o.list = p.nameds(o.name)
	}
	if p.is("by") {
		o.by = p.nameds("by")
	}
}

func (p *parser) sort(o *op) {
	p.options(o)
	p.want("by", "after "+o.name)
	o.by = p.orders()
}

func (p *parser) orders() []*named {
	var out []*named
	for {
		n := p.named()
		if p.is("asc") {
			n.asc = true
		} else {
			p.is("desc")
		}
		if p.is("nulls") {
			switch {
			case p.is("first"):
				n.nulls = -1
			case p.is("last"):
				n.nulls = 1
			default:
				panic(p.unexpected("first or last is expected after nulls"))
			}
		}
		out = append(out, n)
		if !p.is(",") {
			return out
		}
	}
}

func (p *parser) top(o *op) {
	at := p.tok().at
	o.list = []*named{{at: at, expr: p.expr()}}
	p.want("by", "after the number of rows")
	o.by = p.orders()
}

func (p *parser) join(o *op) {
	p.options(o, "kind")
	at := p.tok().at
	t := p.tabularOrName()
	t.at.from = at.from
	o.tables = []*node{t}
	p.want("on", "after the other table")
	for {
		o.on = append(o.on, p.expr())
		if !p.is(",") {
			return
		}
	}
}

// tabularOrName reads a table: a name, a call or something in brackets.
func (p *parser) tabularOrName() *node {
	if p.sees("(") {
		return p.primary()
	}
	return p.postfix()
}

func (p *parser) union(o *op) {
	p.options(o, "kind", "withsource", "with_source", "isfuzzy")
	for {
		t := p.tok()
		next := p.toks[min(p.pos+1, len(p.toks)-1)]
		if p.sees("*") || t.kind == tokenName && next.text == "*" && next.at.from == t.at.to {
			o.tables = append(o.tables, p.wild())
		} else {
			o.tables = append(o.tables, p.tabularOrName())
		}
		if !p.is(",") {
			return
		}
	}
}

func (p *parser) parse(o *op) {
	p.options(o, "kind", "flags")
	o.list = []*named{{at: p.tok().at, expr: p.expr()}}
	p.want("with", "after the text that is parsed")
	for !p.ends() {
		t := p.take()
		switch {
		case t.kind == tokenString:
			o.parts = append(o.parts, part{at: t.at, text: t.text})
		case t.kind == tokenSign && t.text == "*":
			o.parts = append(o.parts, part{at: t.at, star: true})
		case t.kind == tokenName || t.kind == tokenQuoted:
			c := part{at: t.at, name: t.text, typ: String}
			if p.is(":") {
				c.typ = p.typeName()
			}
			o.parts = append(o.parts, c)
		default:
			p.pos--
			panic(p.unexpected("a text, * or a column is expected in the pattern"))
		}
	}
	if len(o.parts) == 0 || len(o.parts) > 100 {
		panic(fail(o.at, "the pattern of %s has %d parts; 1 to 100 are read", o.name, len(o.parts)))
	}
}

func (p *parser) expand(o *op) {
	p.options(o, "kind", "bagexpansion", "with_itemindex")
	for {
		n := p.named()
		if p.is("to") {
			p.want("typeof", "after to")
			p.want("(", "after typeof")
			n.typ = p.typeName()
			p.want(")", "after the type")
		}
		o.list = append(o.list, n)
		if !p.is(",") {
			break
		}
	}
	if p.is("limit") {
		o.vals = []*node{p.unary()}
	}
}

func (p *parser) render(o *op) {
	name, at := p.name("a chart")
	o.list = []*named{{at: at, name: name}}
	p.properties(o)
}

// pairs reads parse-kv: a text, the columns that are in it, and what is between them.
func (p *parser) pairs(o *op) {
	o.list = []*named{{at: p.tok().at, expr: p.expr()}}
	p.want("as", "after the text that is parsed")
	p.want("(", "after as")
	o.cols = p.params()
	p.properties(o)
}

// properties reads with (name=value, …), which may be missing.
func (p *parser) properties(o *op) {
	o.opts = map[string]option{}
	if p.is("with") {
		p.want("(", "after with")
		for !p.is(")") {
			key, _ := p.name("a property")
			at := p.want("=", "after a property").at
			var text []string
			for !p.sees(")") && !(p.sees(",") && p.toks[min(p.pos+2, len(p.toks)-1)].text == "=") {
				if p.tok().kind == tokenEnd {
					panic(p.unexpected("\")\" is expected"))
				}
				text = append(text, p.take().text)
			}
			at.to = p.toks[p.pos-1].at.to
			o.opts[key] = option{at: at, text: strings.Join(text, "")}
			p.is(",")
		}
	}
}

func (p *parser) datatable(o *op) {
	p.want("(", "after datatable")
	for !p.is(")") {
		if len(o.cols) > 0 {
			p.want(",", "between columns")
		}
		name, at := p.name("a column")
		p.want(":", "between a column and its type")
		o.cols = append(o.cols, colDef{at: at, name: name, typ: p.typeName()})
	}
	if t := p.tok(); t.kind == tokenQuoted && p.text[t.at.from] == '[' { // ["text"] that was taken for a name
		p.pos++
		o.vals = []*node{{kind: nodeLiteral, at: t.at, val: StringValue(t.text), typ: String}}
		return
	}
	p.want("[", "before the values")
	for !p.is("]") {
		o.vals = append(o.vals, p.unary())
		if !p.is(",") && !p.sees("]") {
			panic(p.unexpected("\",\" is expected between values"))
		}
	}
}

func (p *parser) rangeOf(o *op) {
	name, at := p.name("a column")
	o.cols = []colDef{{at: at, name: name}}
	p.want("from", "after the column")
	o.vals = append(o.vals, p.expr())
	p.want("to", "after the first value")
	o.vals = append(o.vals, p.expr())
	p.want("step", "after the last value")
	o.vals = append(o.vals, p.expr())
}
