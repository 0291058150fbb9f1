package kql

import (
	"fmt"
	"strings"
)

// expr reads an expression. From the loosest to the tightest: or, and,
// comparisons, + −, * / %, signs, members.
func (p *parser) expr() *node {
	defer p.enter()()
	return p.chain([]string{"or"}, func() *node {
		return p.chain([]string{"and"}, p.comparison)
	})
}

// chain reads operands with operators of one strength between them.
func (p *parser) chain(ops []string, operand func() *node) *node {
	left := operand()
	for {
		t := p.tok()
		found := false
		for _, o := range ops {
			found = found || p.sees(o)
		}
		if !found {
			return left
		}
		p.pos++
		right := operand()
		left = &node{kind: nodeBinary, text: t.text, at: span{left.at.from, right.at.to}, kids: []*node{left, right}}
	}
}

// comparisons are the operators with a right side of one value.
var comparisons = map[string]bool{"==": true, "!=": true, "<>": true, "=~": true, "!~": true, "<": true, "<=": true, ">": true, ">=": true}

// textOperators are the comparisons of texts that are words.
var textOperators = map[string]bool{"has": true, "has_cs": true, "hasprefix": true, "hasprefix_cs": true, "hassuffix": true, "hassuffix_cs": true,
	"contains": true, "contains_cs": true, "startswith": true, "startswith_cs": true, "endswith": true, "endswith_cs": true}

var listOperators = map[string]bool{"in": true, "in~": true, "!in": true, "!in~": true, "has_any": true, "has_all": true}

func (p *parser) comparison() *node {
	left := p.sum()
	t := p.tok()
	if t.kind != tokenSign && t.kind != tokenName {
		return left
	}
	plain := strings.TrimPrefix(t.text, "!")
	switch {
	case t.kind == tokenSign && comparisons[t.text], t.kind == tokenName && textOperators[plain]:
		p.pos++
		right := p.sum()
		text := t.text
		if text == "<>" {
			text = "!="
		}
		return &node{kind: nodeBinary, text: text, at: span{left.at.from, right.at.to}, kids: []*node{left, right}}
	case p.searching && t.kind == tokenSign && t.text == ":":
		p.pos++
		right := p.sum()
		return &node{kind: nodeBinary, text: ":", at: span{left.at.from, right.at.to}, kids: []*node{left, right}}
	case t.text == "matches":
		p.pos++
		p.want("regex", "after matches")
		right := p.sum()
		return &node{kind: nodeBinary, text: "matches regex", at: span{left.at.from, right.at.to}, kids: []*node{left, right}}
	case t.kind == tokenName && listOperators[t.text]:
		p.pos++
		n := &node{kind: nodeIn, text: t.text, kids: []*node{left}}
		p.want("(", "after "+t.text)
		for !p.is(")") {
			if len(n.kids) > 1 {
				p.want(",", "between values")
			}
			n.kids = append(n.kids, p.tabular())
			if len(n.kids) > 10_000 {
				panic(fail(p.tok().at, "there are more than 10000 values in the list"))
			}
		}
		n.at = span{left.at.from, p.toks[p.pos-1].at.to}
		return n
	case plain == "between":
		p.pos++
		p.want("(", "after "+t.text)
		lo := p.sum()
		p.want("..", "between the two bounds")
		hi := p.sum()
		end := p.want(")", "after the bounds")
		return &node{kind: nodeBetween, text: t.text, at: span{left.at.from, end.at.to}, kids: []*node{left, lo, hi}}
	case t.kind == tokenSign && t.text == "=":
		panic(fail(t.at, "\"=\" gives a name; it does not compare").with("use == or =~"))
	}
	return left
}

func (p *parser) sum() *node {
	return p.chain([]string{"+", "-"}, func() *node {
		return p.chain([]string{"*", "/", "%"}, p.unary)
	})
}

func (p *parser) unary() *node {
	t := p.tok()
	if t.kind == tokenSign && (t.text == "-" || t.text == "+") {
		defer p.enter()()
		p.pos++
		e := p.unary()
		if t.text == "+" {
			return e
		}
		if e.kind == nodeLiteral && e.val.numeric() || e.kind == nodeLiteral && e.val.typ == TimeSpan {
			e.val, e.at.from = negative(e.val), t.at.from
			return e
		}
		return &node{kind: nodeUnary, text: "-", at: span{t.at.from, e.at.to}, kids: []*node{e}}
	}
	return p.postfix()
}

func negative(v Value) Value {
	if v.typ == Real {
		return RealValue(-v.float())
	}
	v.num = -v.num
	return v
}

// postfix reads members and indexes behind a primary.
func (p *parser) postfix() *node {
	e := p.primary()
	for n := 0; ; n++ {
		if n > MaxNesting {
			panic(fail(p.tok().at, "there are more than %d members in a row", MaxNesting))
		}
		switch {
		case p.sees(".") && e.kind != nodeLiteral:
			p.pos++
			if p.tok().kind == tokenSign && p.tok().text == "[" {
				continue
			}
			name, at := p.name("a member")
			e = &node{kind: nodePath, text: name, at: span{e.at.from, at.to}, kids: []*node{e}}
		case p.sees("["):
			p.pos++
			i := p.expr()
			end := p.want("]", "after the index")
			e = &node{kind: nodeIndex, at: span{e.at.from, end.at.to}, kids: []*node{e, i}}
		default:
			return e
		}
	}
}

func (p *parser) primary() *node {
	t := p.tok()
	switch t.kind {
	case tokenString:
		p.pos++
		s := t.text
		at := t.at
		for p.tok().kind == tokenString { // texts beside each other are one
			s += p.tok().text
			at.to = p.take().at.to
		}
		return &node{kind: nodeLiteral, at: at, val: StringValue(s), typ: String}
	case tokenNumber, tokenSpan:
		p.pos++
		return &node{kind: nodeLiteral, at: t.at, val: t.val, typ: t.val.typ}
	case tokenQuoted:
		p.pos++
		return &node{kind: nodeName, at: t.at, text: t.text}
	case tokenName:
		return p.nameOrCall(t)
	case tokenSign:
		switch t.text {
		case "(":
			return p.brackets()
		case "*":
			p.pos++
			return &node{kind: nodeStar, at: t.at}
		}
	}
	panic(p.unexpected("a value or a column is expected"))
}

func (p *parser) brackets() *node {
	open := p.take()
	e := p.tabular()
	end := p.want(")", "to close the bracket")
	if e.kind == nodePipe {
		e.at = span{open.at.from, end.at.to}
	}
	return e
}

// nameOrCall reads what begins with a name: a literal, a call or the name itself.
func (p *parser) nameOrCall(t token) *node {
	if strings.HasPrefix(t.text, "!") {
		panic(p.unexpected("a value or a column is expected"))
	}
	p.pos++
	switch {
	case t.text == "true" || t.text == "false":
		return &node{kind: nodeLiteral, at: t.at, val: BoolValue(t.text == "true"), typ: Bool}
	case t.text == "decimal" && p.sees("("):
		panic(fail(t.at, "the type decimal is not supported").with("use real"))
	case !p.sees("("):
		return &node{kind: nodeName, at: t.at, text: t.text}
	}
	if typ, ok := typeWords[t.text]; ok {
		return p.typed(t, typ)
	}
	p.pos++
	n := &node{kind: nodeCall, text: t.text}
	for !p.is(")") {
		if len(n.kids) > 0 {
			p.want(",", "between arguments")
		}
		n.kids = append(n.kids, p.argument())
		if len(n.kids) > maxNames {
			panic(fail(t.at, "%s has more than %d arguments", t.text, maxNames))
		}
	}
	n.at = span{t.at.from, p.toks[p.pos-1].at.to}
	return n
}

// argument reads an argument.
func (p *parser) argument() *node {
	if t := p.tok(); t.kind == tokenName && p.seesAt(1, "=") {
		if p.plugin {
			p.pos += 2
			n := *p.argument()
			n.label = t.text
			return &n
		}
		panic(fail(t.at, "an argument has no name").with("compare with ==; give a column its name before the function"))
	}
	was := p.plugin
	p.plugin = false
	n := p.tabular()
	p.plugin = was
	return n
}

// typed reads datetime(…), dynamic(…) and the like.
func (p *parser) typed(t token, typ Type) *node {
	open := p.take()
	n := &node{kind: nodeLiteral, typ: typ}
	if typ == Dynamic {
		n.val = p.dynamic(0)
		n.at = span{t.at.from, p.want(")", "after the value").at.to}
		return n
	}
	if p.tok().kind == tokenString {
		s := p.take().text
		n.at = span{t.at.from, p.want(")", "after the value").at.to}
		return p.literal(n, s)
	}
	for p.tok().kind != tokenEnd && !p.sees(")") && !p.sees("(") && !p.sees("|") {
		p.pos++
	}
	end := p.want(")", "after the value")
	n.at = span{t.at.from, end.at.to}
	return p.literal(n, strings.TrimSpace(p.text[open.at.to:end.at.from]))
}

func (p *parser) literal(n *node, s string) *node {
	if s == "null" {
		return n
	}
	v, ok := parseLiteral(s, n.typ)
	if !ok {
		f := fail(n.at, "%q is no %s", s, n.typ)
		switch n.typ {
		case DateTime:
			f = f.with("for example datetime(2026-11-26) or datetime(2026-11-26T10:00:00Z)")
		case TimeSpan:
			f = f.with("for example 2h or timespan(1.02:03:04)")
		case Int, Long, Real:
			f = f.with(fmt.Sprintf("to%s() converts what is no literal", n.typ))
		}
		panic(f)
	}
	n.val = v
	return n
}

// dynamic reads the value of dynamic(…).
func (p *parser) dynamic(depth int) Value {
	if depth > MaxDepth {
		panic(fail(p.tok().at, "the value is nested more than %d deep", MaxDepth))
	}
	t := p.tok()
	switch {
	case p.is("["):
		items := []Value{}
		for !p.is("]") {
			if len(items) > 0 {
				p.want(",", "between values")
			}
			items = append(items, p.dynamic(depth+1))
		}
		return ArrayValue(items...)
	case p.is("{"):
		var b bagMaker
		for !p.is("}") {
			if len(b.keys) > 0 {
				p.want(",", "between members")
			}
			k := p.take()
			if k.kind != tokenString && k.kind != tokenName {
				p.pos--
				panic(p.unexpected("the name of a member is expected"))
			}
			p.want(":", "after the name of a member")
			b.put(k.text, p.dynamic(depth+1))
		}
		return b.value()
	case t.kind == tokenQuoted: // ["text"] that was taken for a name
		p.pos++
		return ArrayValue(StringValue(t.text))
	case p.is("null"):
		return Value{}
	}
	e := p.unary()
	if e.kind != nodeLiteral {
		panic(fail(e.at, "a dynamic literal holds values only").with("use pack_array() or bag_pack() for what is computed"))
	}
	return e.val
}
