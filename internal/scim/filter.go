package scim

import (
	"strings"
	"unicode/utf8"
)

// Filter is a parsed filter (RFC 7644, section 3.4.2.2).
type Filter struct {
	op    string // and, or, not, has (a value path), pr, or a comparison
	attr  string // lower case, "name.givenname"
	value any    // string, bool, float64 or nil
	l, r  *Filter
}

// ParseFilter parses a filter of at most MaxFilter bytes.
func ParseFilter(text string) (*Filter, error) {
	if len(text) > MaxFilter || !utf8.ValidString(text) {
		return nil, errorf("invalidFilter", "the filter has more than %d bytes, or is not text", MaxFilter)
	}
	p := &parser{rest: text}
	f, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.rest != "" {
		return nil, p.wrong("and, or, or the end")
	}
	return f, nil
}

type parser struct {
	rest string
}

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t") }

func (p *parser) wrong(want string) error {
	at := p.rest
	if len(at) > 30 {
		at = strings.ToValidUTF8(at[:30], "") + "…"
	}
	if at == "" {
		return errorf("invalidFilter", "the filter ends where %s should be", want)
	}
	return errorf("invalidFilter", "%s should stand at %q", want, at)
}

// word takes a word of letters, digits and what attribute names may have.
func (p *parser) word() string {
	p.space()
	n := strings.IndexFunc(p.rest, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.:$", r))
	})
	if n < 0 {
		n = len(p.rest)
	}
	w := p.rest[:n]
	p.rest = p.rest[n:]
	return w
}

// keyword takes a word when it is this one.
func (p *parser) keyword(k string) bool {
	save := p.rest
	if strings.EqualFold(p.word(), k) {
		return true
	}
	p.rest = save
	return false
}

// mark takes a character when it is next.
func (p *parser) mark(c byte) bool {
	p.space()
	if p.rest != "" && p.rest[0] == c {
		p.rest = p.rest[1:]
		return true
	}
	return false
}

func (p *parser) or(depth int) (*Filter, error) {
	l, err := p.and(depth)
	for err == nil && p.keyword("or") {
		var r *Filter
		if r, err = p.and(depth); err == nil {
			l = &Filter{op: "or", l: l, r: r}
		}
	}
	return l, err
}

func (p *parser) and(depth int) (*Filter, error) {
	l, err := p.unary(depth)
	for err == nil && p.keyword("and") {
		var r *Filter
		if r, err = p.unary(depth); err == nil {
			l = &Filter{op: "and", l: l, r: r}
		}
	}
	return l, err
}

func (p *parser) unary(depth int) (*Filter, error) {
	if depth > maxDepth {
		return nil, errorf("invalidFilter", "more than %d parentheses stand within each other", maxDepth)
	}
	save := p.rest
	if p.keyword("not") {
		if p.mark('(') {
			f, err := p.closed(depth, ')')
			return &Filter{op: "not", l: f}, err
		}
		p.rest = save // an attribute of that name
	}
	if p.mark('(') {
		return p.closed(depth, ')')
	}
	attr := strings.ToLower(p.word())
	if attr == "" {
		return nil, p.wrong("an attribute")
	}
	if i := strings.LastIndexByte(attr, ':'); i >= 0 {
		attr = attr[i+1:]
	}
	if p.mark('[') {
		f, err := p.closed(depth, ']')
		return &Filter{op: "has", attr: attr, l: f}, err
	}
	op := strings.ToLower(p.word())
	switch op {
	case "pr":
		return &Filter{op: op, attr: attr}, nil
	case "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le":
	default:
		return nil, errorf("invalidFilter", "%q is not one of eq, ne, co, sw, ew, gt, ge, lt, le, pr", op)
	}
	v, err := p.value()
	return &Filter{op: op, attr: attr, value: v}, err
}

func (p *parser) closed(depth int, end byte) (*Filter, error) {
	f, err := p.or(depth + 1)
	if err == nil && !p.mark(end) {
		err = p.wrong("\"" + string(end) + "\"")
	}
	return f, err
}

// value takes a JSON text, true, false, null or number.
func (p *parser) value() (any, error) {
	p.space()
	if !strings.HasPrefix(p.rest, `"`) {
		switch w := p.word(); strings.ToLower(w) {
		case "true", "false":
			return strings.EqualFold(w, "true"), nil
		case "null":
			return nil, nil
		case "":
			return nil, p.wrong("a value")
		default:
			return nil, errorf("invalidFilter", "%q is not a value: texts stand in quotation marks", w)
		}
	}
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; c {
		case '"':
			p.rest = p.rest[i+1:]
			return b.String(), nil
		case '\\':
			if i++; i < len(p.rest) {
				b.WriteByte(p.rest[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return nil, errorf("invalidFilter", "a quotation mark is not closed")
}

// Equals is the attribute (in lower case) and text of a filter that is nothing
// but "attribute eq text", which an index can answer.
func (f *Filter) Equals() (attr, text string, ok bool) {
	text, is := f.value.(string)
	return f.attr, text, f.op == "eq" && is
}

// Match reports whether a document fits. Attributes that it does not have
// match only ne, and eq null. Texts are compared without regard to case, but
// for id and externalId.
func (f *Filter) Match(d Doc) bool {
	switch f.op {
	case "and":
		return f.l.Match(d) && f.r.Match(d)
	case "or":
		return f.l.Match(d) || f.r.Match(d)
	case "not":
		return !f.l.Match(d)
	case "has":
		for _, v := range find(d, f.attr) {
			if one, ok := v.(Doc); ok && f.l.Match(one) {
				return true
			}
		}
		return false
	}
	values := find(d, f.attr)
	if f.op == "pr" {
		return len(values) > 0
	}
	if f.op == "ne" {
		return !f.any(values, "eq")
	}
	return f.any(values, f.op)
}

func (f *Filter) any(values []any, op string) bool {
	if f.value == nil {
		return op == "eq" && len(values) == 0
	}
	for _, v := range values {
		if one, ok := v.(Doc); ok { // of a list without a sub-attribute: its value
			v = one["value"]
		}
		switch have := v.(type) {
		case bool:
			if want, ok := f.value.(bool); ok && op == "eq" && have == want {
				return true
			}
		case string:
			if want, ok := f.value.(string); ok && f.compare(have, want, op) {
				return true
			}
		}
	}
	return false
}

func (f *Filter) compare(have, want, op string) bool {
	if f.attr != "id" && f.attr != "externalid" {
		have, want = strings.ToLower(have), strings.ToLower(want)
	}
	switch op {
	case "eq":
		return have == want
	case "co":
		return strings.Contains(have, want)
	case "sw":
		return strings.HasPrefix(have, want)
	case "ew":
		return strings.HasSuffix(have, want)
	case "gt":
		return have > want
	case "ge":
		return have >= want
	case "lt":
		return have < want
	}
	return have <= want
}

// find is every value of an attribute, named in lower case.
func find(d Doc, path string) []any {
	head, rest, more := strings.Cut(path, ".")
	var out []any
	for key, v := range d {
		if !strings.EqualFold(key, head) {
			continue
		}
		switch v := v.(type) {
		case []Doc:
			for _, one := range v {
				if more {
					out = append(out, find(one, rest)...)
				} else {
					out = append(out, one)
				}
			}
		case Doc:
			if more {
				out = append(out, find(v, rest)...)
			} else if len(v) > 0 {
				out = append(out, v)
			}
		default:
			if !more {
				out = append(out, v)
			}
		}
	}
	return out
}
