package mde

import (
	"fmt"
	"net/http"
	"strings"
)

// odataError says that a query option cannot be understood.
func odataError(format string, args ...any) error {
	return &Error{Status: http.StatusBadRequest, Code: "ODataError", Message: "The query is not valid: " + fmt.Sprintf(format, args...) + "."}
}

// node is a part of a parsed expression.
type node struct {
	op   string // "and", "or", "not", "eq" …, "in", "call", "any", "all", "prop", "lit"
	name string // of a function, property (path) or variable
	kids []*node
	lit  any // nil, string, float64, bool, time.Time
}

// parser is a recursive descent over tokens: or < and < not < comparison.
type parser struct {
	toks  []token
	i     int
	depth int
}

// parseFilter parses a $filter.
func parseFilter(s string) (*node, error) {
	toks, err := lex(s)
	if err != nil {
		return nil, err
	}
	p := &parser{toks: toks}
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != tokEnd {
		return nil, odataError("%q at position %d is not expected there", t.text, t.pos)
	}
	return n, nil
}

func (p *parser) peek() token { return p.toks[p.i] }

func (p *parser) next() token {
	t := p.toks[p.i]
	if t.kind != tokEnd {
		p.i++
	}
	return t
}

func (p *parser) word(w string) bool {
	if t := p.peek(); t.kind == tokWord && strings.EqualFold(t.text, w) {
		p.i++
		return true
	}
	return false
}

func (p *parser) punct(c string) bool {
	if t := p.peek(); t.kind == tokPunct && t.text == c {
		p.i++
		return true
	}
	return false
}

func (p *parser) want(c string) error {
	if p.punct(c) {
		return nil
	}
	t := p.peek()
	if t.kind == tokEnd {
		return odataError("it ends where %q is expected", c)
	}
	return odataError("%q at position %d is not %q", t.text, t.pos, c)
}

func (p *parser) enter() error {
	if p.depth++; p.depth > maxDepth {
		return odataError("it is nested deeper than %d", maxDepth)
	}
	return nil
}

func (p *parser) or() (*node, error) { return p.chain("or", p.and) }

func (p *parser) and() (*node, error) { return p.chain("and", p.not) }

func (p *parser) chain(op string, sub func() (*node, error)) (*node, error) {
	first, err := sub()
	if err != nil {
		return nil, err
	}
	n := &node{op: op, kids: []*node{first}}
	for p.word(op) {
		k, err := sub()
		if err != nil {
			return nil, err
		}
		n.kids = append(n.kids, k)
	}
	if len(n.kids) == 1 {
		return first, nil
	}
	return n, nil
}

func (p *parser) not() (*node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	if p.word("not") {
		k, err := p.not()
		if err != nil {
			return nil, err
		}
		return &node{op: "not", kids: []*node{k}}, nil
	}
	return p.compare()
}

// compare is "a op b", "a in (…)", or a condition by itself.
func (p *parser) compare() (*node, error) {
	var left *node
	var err error
	if p.punct("(") {
		if left, err = p.or(); err == nil {
			err = p.want(")")
		}
	} else {
		left, err = p.operand()
	}
	if err != nil {
		return nil, err
	}
	if p.word("in") {
		return p.list(left)
	}
	t := p.peek()
	if t.kind != tokWord {
		return left, nil
	}
	op := strings.ToLower(t.text)
	switch op {
	case "eq", "ne", "gt", "ge", "lt", "le":
		p.i++
		right, err := p.operand()
		if err != nil {
			return nil, err
		}
		return &node{op: op, kids: []*node{left, right}}, nil
	}
	return left, nil
}

func (p *parser) list(left *node) (*node, error) {
	if err := p.want("("); err != nil {
		return nil, err
	}
	n := &node{op: "in", kids: []*node{left}}
	for {
		k, err := p.operand()
		if err != nil {
			return nil, err
		}
		n.kids = append(n.kids, k)
		if !p.punct(",") {
			return n, p.want(")")
		}
	}
}

// operand is a literal, a property path, a function call or a lambda.
func (p *parser) operand() (*node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	t := p.next()
	switch t.kind {
	case tokText:
		return &node{op: "lit", lit: t.text}, nil
	case tokNum:
		return &node{op: "lit", lit: t.num, name: t.text}, nil
	case tokTime:
		return &node{op: "lit", lit: t.at, name: t.text}, nil
	case tokEnd:
		return nil, odataError("it ends where a value is expected")
	case tokPunct:
		if t.text == "(" {
			n, err := p.or()
			if err != nil {
				return nil, err
			}
			return n, p.want(")")
		}
		return nil, odataError("%q at position %d is not a value", t.text, t.pos)
	}
	switch strings.ToLower(t.text) {
	case "null":
		return &node{op: "lit"}, nil
	case "true", "false":
		return &node{op: "lit", lit: strings.EqualFold(t.text, "true")}, nil
	}
	if p.punct("(") {
		return p.call(t)
	}
	return p.path(t)
}

func (p *parser) call(t token) (*node, error) {
	n := &node{op: "call", name: strings.ToLower(t.text)}
	if p.punct(")") {
		return n, nil
	}
	for {
		k, err := p.operand()
		if err != nil {
			return nil, err
		}
		n.kids = append(n.kids, k)
		if !p.punct(",") {
			return n, p.want(")")
		}
	}
}

// path is a property, "variable/property", or "list/any(v: …)".
func (p *parser) path(t token) (*node, error) {
	n := &node{op: "prop", name: t.text}
	for p.punct("/") {
		s := p.next()
		if s.kind != tokWord {
			return nil, odataError("%q at position %d is not a property", s.text, s.pos)
		}
		low := strings.ToLower(s.text)
		if (low == "any" || low == "all") && p.punct("(") {
			return p.lambda(low, n)
		}
		n.name += "/" + s.text
	}
	return n, nil
}

func (p *parser) lambda(op string, list *node) (*node, error) {
	n := &node{op: op, kids: []*node{list}}
	if p.punct(")") {
		return n, nil
	}
	v := p.next()
	if v.kind != tokWord {
		return nil, odataError("%q at position %d is not the name of a variable", v.text, v.pos)
	}
	n.name = v.text
	if err := p.want(":"); err != nil {
		return nil, err
	}
	k, err := p.or()
	if err != nil {
		return nil, err
	}
	n.kids = append(n.kids, k)
	return n, p.want(")")
}
