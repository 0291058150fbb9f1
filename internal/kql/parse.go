package kql

import (
	"fmt"
	"slices"
	"strings"
)

// Caps of a query.
const (
	// MaxQuery is the most bytes of a query.
	MaxQuery = 64 << 10
	// MaxNesting is how deep brackets, calls and sub-queries may be nested.
	MaxNesting = 100
	// MaxOperators is the most tabular operators, after functions and lets were put in their places.
	MaxOperators = 500
	// MaxJoins is the most joins and lookups, counted likewise.
	MaxJoins  = 16
	maxTokens = 20_000
	maxNames  = 500 // in a list
)

// parser turns tokens into statements. It gives up at the first mistake, by a
// panic with a *failure that parse catches.
type parser struct {
	text  string
	toks  []token
	pos   int
	depth int
	// searching: column:"text" is read
	searching bool
	// plugin: arguments may have names
	plugin bool
}

// parse reads a whole query: statements, of which the last is the query.
func parse(text string) (out []statement, err *failure) {
	if len(text) > MaxQuery {
		return nil, fail(span{}, "the query has %d bytes; at most %d are read", len(text), MaxQuery)
	}
	p := &parser{text: text, toks: lex(text)}
	if len(p.toks) > maxTokens {
		return nil, fail(span{}, "the query has %d words and signs; at most %d are read", len(p.toks), maxTokens)
	}
	defer catch(&err)
	return p.statements(false), nil
}

// catch turns the panic of a *failure into an error.
func catch(err **failure) {
	switch r := recover().(type) {
	case nil:
	case *failure:
		*err = r
	default:
		panic(r)
	}
}

func (p *parser) tok() token { return p.toks[p.pos] }

func (p *parser) take() token {
	t := p.toks[p.pos]
	if t.kind != tokenEnd {
		p.pos++
	}
	return t
}

// is reports whether the next token is a sign or word, and takes it.
func (p *parser) is(text string) bool {
	if t := p.tok(); (t.kind == tokenSign || t.kind == tokenName) && t.text == text {
		p.pos++
		return true
	}
	return false
}

func (p *parser) sees(text string) bool {
	t := p.tok()
	return (t.kind == tokenSign || t.kind == tokenName) && t.text == text
}

// seesAt looks n tokens further on.
func (p *parser) seesAt(n int, text string) bool {
	if p.pos+n >= len(p.toks) {
		return false
	}
	t := p.toks[p.pos+n]
	return (t.kind == tokenSign || t.kind == tokenName) && t.text == text
}

func (p *parser) want(text, after string) token {
	if !p.sees(text) {
		panic(p.unexpected(fmt.Sprintf("%q is expected %s", text, after)))
	}
	return p.take()
}

// unexpected is a failure at the next token.
func (p *parser) unexpected(what string) *failure {
	t := p.tok()
	switch t.kind {
	case tokenBad:
		return fail(t.at, "%s", t.text)
	case tokenEnd:
		return fail(t.at, "the query ends here, but %s", what)
	case tokenString:
		return fail(t.at, "%s, not a text", what)
	}
	return fail(t.at, "%s, not %q", what, p.text[t.at.from:t.at.to])
}

// enter counts nesting; the result ends it.
func (p *parser) enter() func() {
	if p.depth++; p.depth > MaxNesting {
		panic(fail(p.tok().at, "brackets are nested more than %d deep", MaxNesting))
	}
	return func() { p.depth-- }
}

// name takes a name.
func (p *parser) name(what string) (string, span) {
	t := p.tok()
	if t.kind != tokenName && t.kind != tokenQuoted || strings.HasPrefix(t.text, "!") || t.text == "" {
		panic(p.unexpected("the name of " + what + " is expected"))
	}
	p.pos++
	return t.text, t.at
}

// statements reads up to the end, or to the "}" of a function's body.
func (p *parser) statements(body bool) []statement {
	defer p.enter()()
	var out []statement
	for {
		for p.is(";") {
		}
		if p.tok().kind == tokenEnd || body && p.sees("}") {
			break
		}
		if len(out) > 0 && out[len(out)-1].name == "" {
			panic(fail(p.tok().at, "there is one query at a time: only let statements may come before it").with("put let before the name, or take this away"))
		}
		if p.sees("set") || p.sees("declare") || p.sees("alias") {
			panic(fail(p.tok().at, "the statement %q is not supported", p.tok().text))
		}
		if p.sees("let") {
			out = append(out, p.let())
		} else {
			at := p.tok().at
			e := p.tabular()
			out = append(out, statement{at: at, expr: e})
		}
		if len(out) > maxNames {
			panic(fail(p.tok().at, "there are more than %d statements", maxNames))
		}
		if !p.sees(";") && p.tok().kind != tokenEnd && !(body && p.sees("}")) {
			panic(p.unexpected("an operator such as | where, or the end of the query, is expected"))
		}
	}
	if len(out) == 0 || out[len(out)-1].name != "" {
		panic(p.unexpected("there is nothing to run: a query begins with the name of a table").with("for example: DeviceProcessEvents | take 10"))
	}
	return out
}

func (p *parser) let() statement {
	p.take()
	name, at := p.name("what is defined")
	p.want("=", "after the name")
	s := statement{at: at, name: name}
	if p.sees("view") && p.seesAt(1, "(") { // a function without parameters, for union and search
		p.pos++
	}
	if !p.function() {
		s.expr = p.tabular()
		return s
	}
	s.fn = true
	p.want("(", "before the parameters")
	s.params = p.params()
	p.want("{", "before the body of the function")
	s.body = p.statements(true)
	p.want("}", "after the body of the function")
	return s
}

// function reports whether "(a: string) {" comes: the brackets that match are followed by "{".
func (p *parser) function() bool {
	if !p.sees("(") {
		return false
	}
	open := 0
	for i := p.pos; i < len(p.toks); i++ {
		switch t := p.toks[i]; {
		case t.kind != tokenSign:
		case t.text == "(":
			open++
		case t.text == ")":
			if open--; open == 0 {
				return i+1 < len(p.toks) && p.toks[i+1].kind == tokenSign && p.toks[i+1].text == "{"
			}
		}
	}
	return false
}

func (p *parser) params() []colDef {
	var out []colDef
	for !p.is(")") {
		if len(out) > 0 {
			p.want(",", "between parameters")
		}
		name, at := p.name("a parameter")
		d := colDef{at: at, name: name}
		p.want(":", "between a parameter and its type")
		if p.is("(") {
			d.table = true
			for !p.is(")") {
				p.take()
				if p.tok().kind == tokenEnd {
					panic(p.unexpected("\")\" is expected"))
				}
			}
		} else {
			d.typ = p.typeName()
		}
		if p.is("=") {
			d.value = p.unary()
		}
		out = append(out, d)
	}
	return out
}

var typeWords = map[string]Type{"bool": Bool, "boolean": Bool, "int": Int, "long": Long, "real": Real, "double": Real, "string": String,
	"datetime": DateTime, "date": DateTime, "timespan": TimeSpan, "time": TimeSpan, "guid": GUID, "uuid": GUID, "uniqueid": GUID, "dynamic": Dynamic}

func (p *parser) typeName() Type {
	t := p.tok()
	typ, ok := typeWords[t.text]
	if t.kind != tokenName || !ok {
		panic(p.unexpected("a type is expected: string, long, int, real, bool, datetime, timespan, dynamic or guid"))
	}
	p.pos++
	return typ
}

// tabular reads an expression and the operators behind it.
func (p *parser) tabular() *node {
	defer p.enter()()
	from := p.tok().at
	var pp *pipe
	if o := p.source(); o != nil {
		pp = &pipe{at: from, ops: []*op{o}}
	} else {
		e := p.expr()
		if !p.sees("|") {
			return e
		}
		pp = &pipe{at: from, source: e}
	}
	for p.is("|") {
		pp.ops = append(pp.ops, p.operator())
	}
	pp.at.to = p.toks[max(p.pos-1, 0)].at.to
	return &node{kind: nodePipe, at: pp.at, pipe: pp}
}

// source reads what makes rows by itself; nil when it is something else.
func (p *parser) source() *op {
	t := p.tok()
	if t.kind != tokenName {
		return nil
	}
	switch t.text {
	case "union", "print":
		return p.operator()
	case "range":
		if !p.seesAt(1, "(") {
			return p.operator()
		}
	case "datatable":
		if p.seesAt(1, "(") {
			return p.operator()
		}
	case "search", "find":
		return p.operator()
	case "externaldata", "external_data":
		panic(fail(t.at, "%s is not supported: a query reads nothing from outside", t.text).with(unsupported["externaldata"]))
	}
	return nil
}

// word takes the name of an operator, hyphens included.
func (p *parser) word() (string, span) {
	t := p.tok()
	if t.kind != tokenName {
		panic(p.unexpected("the name of an operator is expected after |"))
	}
	p.pos++
	name, at := t.text, t.at
	for p.sees("-") && p.tok().at.from == at.to {
		n := p.toks[p.pos+1]
		if n.kind != tokenName || n.at.from != at.to+1 {
			break
		}
		p.pos += 2
		name, at.to = name+"-"+n.text, n.at.to
	}
	return name, at
}

// unsupported are operators of the language that are not here, and what to do instead.
var unsupported = map[string]string{
	"fork": "run two queries", "facet": "run two queries", "reduce": "use summarize", "externaldata": "put the values into the query: datatable(SHA256: string) [\"…\"]",
	"graph-match": "use join", "make-graph": "use join", "assert-schema": "", "macro-expand": "", "execute_and_cache": "",
}

func (p *parser) operator() *op {
	name, at := p.word()
	o := &op{at: at, name: name}
	operators := operatorTable()
	read, ok := operators[name]
	if !ok {
		if hint, known := unsupported[name]; known {
			panic(fail(at, "the operator %s is not supported", name).with(hint))
		}
		names := make([]string, 0, len(operators))
		for n := range operators {
			names = append(names, n)
		}
		panic(fail(at, "there is no operator %q", name).with(didYouMean(name, names)))
	}
	read(p, o)
	if n := len(o.list) + len(o.by) + len(o.tables) + len(o.on); n > maxNames {
		panic(fail(at, "%s has %d parts; at most %d are read", name, n, maxNames))
	}
	return o
}

// options reads name=value pairs that come before the rest of an operator.
func (p *parser) options(o *op, known ...string) {
	for {
		t := p.tok()
		if t.kind != tokenName {
			return
		}
		name, n := t.text, 1
		for p.seesAt(n, ".") && p.pos+n+1 < len(p.toks) && p.toks[p.pos+n+1].kind == tokenName { // hint.strategy
			name += "." + p.toks[p.pos+n+1].text
			n += 2
		}
		hint := strings.HasPrefix(name, "hint.")
		if !hint && !slices.Contains(known, name) || !p.seesAt(n, "=") {
			return
		}
		p.pos += n + 1
		v := p.take()
		if v.kind != tokenName && v.kind != tokenQuoted && v.kind != tokenString && v.kind != tokenNumber {
			p.pos--
			panic(p.unexpected("the value of " + name + " is expected"))
		}
		if o.opts == nil {
			o.opts = map[string]option{}
		}
		o.opts[name] = option{at: v.at, text: v.text}
	}
}

// didYouMean is a hint with the name that is nearest, or "".
func didYouMean(name string, known []string) string {
	best, at := "", (len(name)+1)/3+1
	slices.Sort(known)
	for _, k := range known {
		if d := distance(strings.ToLower(name), strings.ToLower(k), at); d < at {
			best, at = k, d
		}
	}
	if best == "" {
		return ""
	}
	return "did you mean " + best + "?"
}

// distance is how many letters must change to make b of a; most+1 when there are more.
func distance(a, b string, most int) int {
	if a == b {
		return 0
	}
	if len(a)-len(b) > most || len(b)-len(a) > most || len(a) > 100 {
		return most + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost++
			}
			last = row[j+1]
			row[j+1] = min(cost, row[j]+1, last+1)
		}
	}
	return row[len(b)]
}
