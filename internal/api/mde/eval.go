package mde

import (
	"cmp"
	"strings"
	"time"
	"unicode/utf8"
)

// kind is the type of a property.
type kind int

const (
	text    kind = iota // string
	word                // string compared without regard to case: ids, names of hosts, enumerations
	number              // float64
	instant             // time.Time
	flag                // bool
	texts               // []string
	objects             // []map[string]any
)

// prop is one property of an entity: its name, type and value. The value is
// nil or of the type that the kind says.
type prop[T any] struct {
	name string
	kind kind
	get  func(*T) any
}

// value gives the value of an expression for a row; vars are the variables of lambdas.
type value[T any] func(row *T, vars []any) any

// compiler turns nodes into functions over rows.
type compiler[T any] struct {
	props []prop[T]
	vars  []string // names of lambda variables in scope
}

// compile makes a predicate of a $filter. Property names are case-sensitive;
// one that is not known is looked up without regard to case.
func compile[T any](props []prop[T], filter string) (func(*T) bool, error) {
	n, err := parseFilter(filter)
	if err != nil {
		return nil, err
	}
	c := &compiler[T]{props: props}
	v, err := c.condition(n)
	if err != nil {
		return nil, err
	}
	return func(row *T) bool { return v(row, nil) == true }, nil
}

func lookup[T any](props []prop[T], name string) (prop[T], bool) {
	for _, p := range props {
		if p.name == name {
			return p, true
		}
	}
	for _, p := range props {
		if strings.EqualFold(p.name, name) {
			return p, true
		}
	}
	return prop[T]{}, false
}

// condition compiles what must be true or false.
func (c *compiler[T]) condition(n *node) (value[T], error) {
	switch n.op {
	case "and", "or":
		return c.junction(n)
	case "not":
		k, err := c.condition(n.kids[0])
		if err != nil {
			return nil, err
		}
		return func(r *T, v []any) any { return k(r, v) != true }, nil
	case "eq", "ne", "gt", "ge", "lt", "le":
		return c.comparison(n)
	case "in":
		return c.membership(n)
	case "any", "all":
		return c.lambda(n)
	case "call":
		return c.test(n)
	case "lit":
		if b, ok := n.lit.(bool); ok {
			return func(*T, []any) any { return b }, nil
		}
	case "prop":
		k, v, err := c.operand(n)
		if err != nil {
			return nil, err
		}
		if k == flag {
			return v, nil
		}
	}
	return nil, odataError("a value stands where a condition is expected")
}

func (c *compiler[T]) junction(n *node) (value[T], error) {
	kids := make([]value[T], len(n.kids))
	for i, k := range n.kids {
		var err error
		if kids[i], err = c.condition(k); err != nil {
			return nil, err
		}
	}
	stop := n.op == "or"
	return func(r *T, v []any) any {
		for _, k := range kids {
			if (k(r, v) == true) == stop {
				return stop
			}
		}
		return !stop
	}, nil
}

func (c *compiler[T]) comparison(n *node) (value[T], error) {
	ak, a, bk, b, err := c.pair(n.kids[0], n.kids[1])
	if err != nil {
		return nil, err
	}
	fold := ak == word || bk == word
	op := n.op
	return func(r *T, v []any) any { return holds(op, a(r, v), b(r, v), fold) }, nil
}

// pair compiles two operands; a literal takes the type of what it is compared with.
func (c *compiler[T]) pair(x, y *node) (ak kind, a value[T], bk kind, b value[T], err error) {
	if x.op == "lit" && y.op != "lit" {
		bk, b, ak, a, err = c.pair(y, x)
		return ak, a, bk, b, err
	}
	if ak, a, err = c.operand(x); err != nil {
		return ak, a, bk, b, err
	}
	if y.op != "lit" {
		bk, b, err = c.operand(y)
		return ak, a, bk, b, err
	}
	lit, err := coerce(ak, y)
	return ak, a, ak, func(*T, []any) any { return lit }, err
}

// coerce gives a literal the type of a property: quoted numbers and dates are taken.
func coerce(k kind, n *node) (any, error) {
	if n.lit == nil {
		return nil, nil
	}
	switch k {
	case text, word:
		switch l := n.lit.(type) {
		case string:
			return l, nil
		case bool:
			if l {
				return "true", nil
			}
			return "false", nil
		}
		return n.name, nil // a number or a date as it was written
	case number:
		switch l := n.lit.(type) {
		case float64:
			return l, nil
		case string:
			if f, ok := parseNumber(strings.TrimSpace(l)); ok {
				return f, nil
			}
		}
		return nil, odataError("%v is not a number", n.lit)
	case instant:
		switch l := n.lit.(type) {
		case time.Time:
			return l, nil
		case string:
			if at, ok := parseTime(strings.Replace(strings.TrimSpace(l), " ", "T", 1)); ok {
				return at, nil
			}
		}
		return nil, odataError("%v is not a date", n.lit)
	case flag:
		switch l := n.lit.(type) {
		case bool:
			return l, nil
		case string:
			if strings.EqualFold(l, "true") || strings.EqualFold(l, "false") {
				return strings.EqualFold(l, "true"), nil
			}
		}
		return nil, odataError("%v is neither true nor false", n.lit)
	}
	return nil, odataError("a list cannot be compared with a value; use any")
}

// holds compares two values. Nothing is equal to null but null, and null is
// neither greater nor less.
func holds(op string, a, b any, fold bool) bool {
	if a == nil || b == nil {
		same := a == nil && b == nil
		return op == "eq" && same || op == "ne" && !same
	}
	order, ok := compare(a, b, fold)
	if !ok {
		return op == "ne"
	}
	switch op {
	case "eq":
		return order == 0
	case "ne":
		return order != 0
	case "gt":
		return order > 0
	case "ge":
		return order >= 0
	case "lt":
		return order < 0
	}
	return order <= 0
}

// compare orders two values of one type; ok is false for different types.
func compare(a, b any, fold bool) (order int, ok bool) {
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		if fold {
			x, y = strings.ToLower(x), strings.ToLower(y)
		}
		return strings.Compare(x, y), ok
	case float64:
		y, ok := b.(float64)
		return cmp.Compare(x, y), ok
	case time.Time:
		y, ok := b.(time.Time)
		return x.Compare(y), ok
	case bool:
		y, ok := b.(bool)
		if x == y {
			return 0, ok
		} else if y {
			return -1, ok
		}
		return 1, ok
	}
	return 0, false
}

func (c *compiler[T]) membership(n *node) (value[T], error) {
	k, v, err := c.operand(n.kids[0])
	if err != nil {
		return nil, err
	}
	var set []any
	for _, kid := range n.kids[1:] {
		if kid.op != "lit" {
			return nil, odataError("in takes a list of values")
		}
		lit, err := coerce(k, kid)
		if err != nil {
			return nil, err
		}
		set = append(set, lit)
	}
	return func(r *T, vars []any) any {
		x := v(r, vars)
		for _, s := range set {
			if holds("eq", x, s, k == word) {
				return true
			}
		}
		return false
	}, nil
}

// test compiles a function that is a condition.
func (c *compiler[T]) test(n *node) (value[T], error) {
	var match func(s, part string) bool
	args := n.kids
	switch n.name {
	case "startswith":
		match = strings.HasPrefix
	case "endswith":
		match = strings.HasSuffix
	case "contains":
		match = strings.Contains
	case "substringof": // OData 3: the part comes first
		match = strings.Contains
		if len(args) == 2 {
			args = []*node{args[1], args[0]}
		}
	default:
		return nil, odataError("there is no condition %q", n.name)
	}
	if len(args) != 2 {
		return nil, odataError("%s takes two values", n.name)
	}
	k, a, _, b, err := c.pair(args[0], args[1])
	if err != nil {
		return nil, err
	}
	if k != text && k != word {
		return nil, odataError("%s takes text", n.name)
	}
	return func(r *T, v []any) any {
		s, ok := a(r, v).(string)
		part, ok2 := b(r, v).(string)
		if k == word {
			s, part = strings.ToLower(s), strings.ToLower(part)
		}
		return ok && ok2 && match(s, part)
	}, nil
}

// lambda compiles any and all over a list.
func (c *compiler[T]) lambda(n *node) (value[T], error) {
	k, list, err := c.operand(n.kids[0])
	if err != nil {
		return nil, err
	}
	if k != texts && k != objects {
		return nil, odataError("%s takes a list", n.op)
	}
	if len(n.kids) == 1 {
		return func(r *T, v []any) any { return len(elements(list(r, v))) > 0 }, nil
	}
	c.vars = append(c.vars, n.name)
	cond, err := c.condition(n.kids[1])
	c.vars = c.vars[:len(c.vars)-1]
	if err != nil {
		return nil, err
	}
	stop := n.op == "any"
	return func(r *T, v []any) any {
		scope := append(v[:len(v):len(v)], nil)
		for _, e := range elements(list(r, v)) {
			scope[len(v)] = e
			if (cond(r, scope) == true) == stop {
				return stop
			}
		}
		return !stop
	}, nil
}

func elements(list any) []any {
	var out []any
	switch l := list.(type) {
	case []string:
		for _, s := range l {
			out = append(out, s)
		}
	case []map[string]any:
		for _, m := range l {
			out = append(out, m)
		}
	}
	return out
}

// operand compiles a value.
func (c *compiler[T]) operand(n *node) (kind, value[T], error) {
	switch n.op {
	case "lit":
		k := text
		switch n.lit.(type) {
		case float64:
			k = number
		case time.Time:
			k = instant
		case bool:
			k = flag
		}
		lit := n.lit
		return k, func(*T, []any) any { return lit }, nil
	case "prop":
		return c.property(n.name)
	case "call":
		return c.function(n)
	}
	v, err := c.condition(n)
	return flag, v, err
}

func (c *compiler[T]) property(path string) (kind, value[T], error) {
	head, field, nested := strings.Cut(path, "/")
	for i := len(c.vars) - 1; i >= 0; i-- {
		if c.vars[i] != head {
			continue
		}
		if !nested {
			return text, func(_ *T, v []any) any { s, ok := v[i].(string); return orNil(s, ok) }, nil
		}
		return word, func(_ *T, v []any) any {
			m, _ := v[i].(map[string]any)
			s, ok := m[field].(string)
			return orNil(s, ok)
		}, nil
	}
	p, ok := lookup(c.props, path)
	if !ok {
		return 0, nil, odataError("there is no property %q", path)
	}
	return p.kind, func(r *T, _ []any) any { return p.get(r) }, nil
}

func orNil(s string, ok bool) any {
	if !ok {
		return nil
	}
	return s
}

// function compiles a function that is a value.
func (c *compiler[T]) function(n *node) (kind, value[T], error) {
	var apply func(string) any
	out := text
	switch n.name {
	case "tolower":
		apply = func(s string) any { return strings.ToLower(s) }
	case "toupper":
		apply = func(s string) any { return strings.ToUpper(s) }
	case "trim":
		apply = func(s string) any { return strings.TrimSpace(s) }
	case "length":
		out, apply = number, func(s string) any { return float64(utf8.RuneCountInString(s)) }
	default:
		v, err := c.test(n)
		return flag, v, err
	}
	if len(n.kids) != 1 {
		return 0, nil, odataError("%s takes one value", n.name)
	}
	k, v, err := c.operand(n.kids[0])
	if err != nil {
		return 0, nil, err
	}
	if k != text && k != word {
		return 0, nil, odataError("%s takes text", n.name)
	}
	return out, func(r *T, vars []any) any {
		if s, ok := v(r, vars).(string); ok {
			return apply(s)
		}
		return nil
	}, nil
}
