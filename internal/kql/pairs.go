package kql

import (
	"slices"
	"strings"
)

// pairReader takes names and values out of a text, as parse-kv does.
type pairReader struct {
	names       []string
	pair, kv    string
	open, close byte // around a value; 0: nothing
	escape      byte // before a quote in a value; 0: nothing
	found       []Value
}

// read gives the value of each name; null where it is not there. Of a name that is there twice the last counts.
func (r *pairReader) read(text string) []Value {
	clear(r.found)
	for text != "" {
		text = strings.TrimLeft(text, " \t\r\n")
		at := strings.Index(text, r.kv)
		if at < 0 {
			break
		}
		name := text[:at]
		if cut := strings.LastIndex(name, r.pair); cut >= 0 { // words without a value before it
			name = name[cut+len(r.pair):]
		}
		var value string
		value, text = r.value(text[at+len(r.kv):])
		name = strings.TrimSpace(name)
		for i, n := range r.names {
			if n == name {
				r.found[i] = StringValue(value)
			}
		}
	}
	return r.found
}

// value takes a value from the beginning of a text, and returns what is behind it.
func (r *pairReader) value(text string) (value, rest string) {
	if s := strings.TrimLeft(text, " "); r.open != 0 && s != "" && s[0] == r.open {
		var b strings.Builder
		for i := 1; i < len(s); i++ {
			switch {
			case r.escape != 0 && s[i] == r.escape && i+1 < len(s):
				i++
				b.WriteByte(s[i])
			case s[i] == r.close:
				_, rest, _ = strings.Cut(s[i+1:], r.pair)
				return b.String(), rest
			default:
				b.WriteByte(s[i])
			}
		}
	}
	value, rest, _ = strings.Cut(text, r.pair)
	return strings.TrimSpace(value), rest
}

// parsePairs binds parse-kv.
func (b *binder) parsePairs(in plan, o *op, e *env) plan {
	s := &rowScope{cols: in.columns(), use: in.use, env: e}
	p := &parseNode{in: in, arg: b.expr(o.list[0].expr, s), cols: append([]Column{}, in.columns()...)}
	r := &pairReader{pair: " ", kv: "="}
	for name, v := range o.opts {
		switch {
		case name == "pair_delimiter" && v.text != "":
			r.pair = v.text
		case name == "kv_delimiter" && v.text != "":
			r.kv = v.text
		case name == "quote" && (len(v.text) == 1 || len(v.text) == 2):
			r.open, r.close = v.text[0], v.text[len(v.text)-1]
		case name == "escape" && len(v.text) == 1:
			r.escape = v.text[0]
		default:
			panic(fail(v.at, "parse-kv takes no %s like this", name).with("pair_delimiter, kv_delimiter, quote (one or two characters) and escape (one) are texts; extract() takes regular expressions"))
		}
	}
	if len(o.cols) == 0 {
		panic(fail(o.at, "parse-kv needs columns").with("parse-kv Text as (user: string, pid: long)"))
	}
	for _, c := range o.cols {
		if slices.Contains(r.names, c.name) {
			panic(fail(c.at, "the column %s is there twice", c.name))
		}
		at := s.find(c.name)
		if at < 0 {
			at = len(p.cols)
			p.cols = append(p.cols, Column{c.name, c.typ})
		}
		p.cols[at].Type = c.typ
		r.names = append(r.names, c.name)
		p.to, p.types = append(p.to, at), append(p.types, c.typ)
	}
	r.found = make([]Value, len(r.names))
	p.pairs, p.used = r, make([]bool, len(p.cols))
	return p
}
