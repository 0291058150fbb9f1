package kql

import (
	"slices"
	"strings"
	"time"
)

// push makes conditions for the store of what is asked of a table.
func (s *scanNode) push(c *expr) {
	if s.pushTime(c) {
		return
	}
	s.scan.Where = append(s.scan.Where, s.conditions(c)...)
}

// fixed reports whether an expression has one value for all rows.
func fixed(x *expr) bool {
	if x.konst || x.op == "table" || x.op == "toscalar" {
		return true
	}
	if x.col >= 0 || len(x.args) == 0 {
		return false
	}
	for _, a := range x.args {
		if !fixed(a) {
			return false
		}
	}
	return true
}

func allFixed(list []*expr) bool {
	for _, x := range list {
		if !fixed(x) {
			return false
		}
	}
	return true
}

// sides returns the column and the fixed side of a comparison; turned says that
// the column is on the right.
func sides(c *expr) (col int, value *expr, turned, ok bool) {
	if len(c.args) != 2 {
		return 0, nil, false, false
	}
	l, r := c.args[0], c.args[1]
	switch {
	case l.col >= 0 && fixed(r):
		return l.col, r, false, true
	case r.col >= 0 && fixed(l):
		return r.col, l, true, true
	}
	return 0, nil, false, false
}

var turnedOps = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}

// pushTime narrows the time that is read; false when the condition is not of that kind.
func (s *scanNode) pushTime(c *expr) bool {
	isTime := func(i int) bool { return s.cols[i].Name == "Timestamp" && s.cols[i].Type == DateTime }
	if c.op == "between" && c.args[0].col >= 0 && isTime(c.args[0].col) && fixed(c.args[1]) && fixed(c.args[2]) {
		s.bound(">=", c.args[1].eval(nil))
		s.bound("<=", c.args[2].eval(nil))
		return true
	}
	if _, ok := turnedOps[c.op]; !ok {
		return false
	}
	col, value, turned, ok := sides(c)
	if !ok || !isTime(col) {
		return false
	}
	op := c.op
	if turned {
		op = turnedOps[op]
	}
	s.bound(op, value.eval(nil))
	return true
}

// bound narrows by one comparison. Times of stores are finer than a tick: a row
// has a tick's time from its beginning to the next one.
func (s *scanNode) bound(op string, v Value) {
	if v.typ != DateTime {
		return
	}
	at, next := timeOf(v.num), timeOf(v.num+1)
	from := func(t time.Time) {
		if s.scan.From.IsZero() || t.After(s.scan.From) {
			s.scan.From = t
		}
	}
	to := func(t time.Time) {
		if s.scan.To.IsZero() || t.Before(s.scan.To) {
			s.scan.To = t
		}
	}
	switch op {
	case ">":
		from(next)
	case ">=":
		from(at)
	case "<":
		to(at)
	case "<=":
		to(next)
	case "==":
		from(at)
		to(next)
	}
}

// conditions are what a store can use of a condition; none when it can use nothing.
func (s *scanNode) conditions(c *expr) []Condition {
	text := func(i int) bool { return i >= 0 && s.cols[i].Type == String }
	switch c.op {
	case "==", "=~":
		col, value, _, ok := sides(c)
		if !ok || !text(col) {
			return nil
		}
		op := Equals
		if c.op == "=~" {
			op = EqualsFold
		}
		return usable(s.cols[col].Name, op, []Value{value.eval(nil)})
	case "in", "in~":
		x := c.args[0]
		if !text(x.col) {
			return nil
		}
		if !allFixed(c.args[1:]) {
			return nil
		}
		op := Equals
		if c.op == "in~" {
			op = EqualsFold
		}
		return usable(s.cols[x.col].Name, op, flat(c.args[1:], nil))
	case "has", "has_cs":
		if x := c.args[0]; text(x.col) && fixed(c.args[1]) {
			return usable(s.cols[x.col].Name, Has, []Value{c.args[1].eval(nil)})
		}
		return s.anywhere(c)
	case "has_any":
		return s.anywhere(c)
	case "has_all":
		if x := c.args[0]; text(x.col) && allFixed(c.args[1:]) {
			var out []Condition
			for _, v := range flat(c.args[1:], nil) {
				out = append(out, usable(s.cols[x.col].Name, Has, []Value{v})...)
			}
			return out
		}
	case "or":
		if one := either(s.conditions(c.args[0]), s.conditions(c.args[1])); one != nil {
			return one
		}
		return s.anywhere(c)
	case "and":
		return append(s.conditions(c.args[0]), s.conditions(c.args[1])...)
	}
	return nil
}

// anywhere is a condition for what asks for words in columns, whichever they are:
// one of the words is in some column then.
func (s *scanNode) anywhere(c *expr) []Condition {
	words, ok := s.words(c, nil)
	if !ok {
		return nil
	}
	slices.SortFunc(words, func(a, b Value) int { return strings.Compare(a.Text(), b.Text()) })
	return usable("", Has, slices.CompactFunc(words, func(a, b Value) bool { return a.Text() == b.Text() }))
}

// words are the words of which one is in some column of every row that a condition
// holds for; false when it may hold without one.
func (s *scanNode) words(c *expr, out []Value) ([]Value, bool) {
	if len(out) > maxPushed {
		return nil, false
	}
	switch c.op {
	case "has", "has_cs", "has_any":
		x := c.args[0]
		if x.col < 0 || s.cols[x.col].Type != String && s.cols[x.col].Type != Dynamic || !allFixed(c.args[1:]) {
			return nil, false
		}
		return append(out, flat(c.args[1:], nil)...), true
	case "or":
		out, ok := s.words(c.args[0], out)
		if !ok {
			return nil, false
		}
		return s.words(c.args[1], out)
	case "and": // either side will do
		if one, ok := s.words(c.args[0], out); ok {
			return one, true
		}
		return s.words(c.args[1], out)
	}
	return nil, false
}

// without is a condition without what asks for words in columns that are not
// there: these have none. It is c itself when nothing can be left out.
func without(c *expr, absent func(col int) bool) *expr {
	if c.op != "or" {
		return c
	}
	gone := func(x *expr) bool {
		if x.op != "has" && x.op != "has_cs" || x.args[0].col < 0 || !absent(x.args[0].col) || !fixed(x.args[1]) {
			return false
		}
		return x.args[1].eval(nil).Text() != "" // every text has the empty one
	}
	a, b := without(c.args[0], absent), without(c.args[1], absent)
	switch {
	case gone(a):
		return b
	case gone(b):
		return a
	case a == c.args[0] && b == c.args[1]:
		return c
	}
	return logical("or", a, b)
}

// maxPushed is the most values of a condition that a store is asked for.
const maxPushed = 10_000

// usable is a condition with values that every store can use: texts of ASCII, not empty.
func usable(col string, op ConditionOp, values []Value) []Condition {
	if len(values) > maxPushed {
		return nil
	}
	c := Condition{Column: col, Op: op, Values: []string{}}
	for _, v := range values {
		t := v.Text()
		if t == "" || !isASCII(t) {
			return nil
		}
		c.Values = append(c.Values, t)
	}
	return []Condition{c}
}

// either is one condition for "a or b" where both ask for values of one column.
func either(a, b []Condition) []Condition {
	if len(a) != 1 || len(b) != 1 || a[0].Column != b[0].Column || a[0].Op == Has || b[0].Op == Has {
		return nil
	}
	out := Condition{Column: a[0].Column, Op: Equals, Values: append(append([]string{}, a[0].Values...), b[0].Values...)}
	if a[0].Op == EqualsFold || b[0].Op == EqualsFold {
		out.Op = EqualsFold
	}
	return []Condition{out}
}

// through rewrites a condition for what is below: column i is column cols[i]
// there, −1: not there. Nil when it cannot be.
func through(c *expr, cols func(i int) int) *expr {
	if c.konst || c.op == "table" || c.op == "toscalar" {
		return c
	}
	if c.col >= 0 {
		to := cols(c.col)
		if to < 0 {
			return nil
		}
		return &expr{typ: c.typ, col: to, eval: func(row []Value) Value { return row[to] }}
	}
	if len(c.args) == 0 {
		return nil
	}
	out := &expr{typ: c.typ, op: c.op, col: -1, args: make([]*expr, len(c.args)), eval: c.eval}
	for i, a := range c.args {
		if out.args[i] = through(a, cols); out.args[i] == nil {
			return nil
		}
	}
	return out
}

// pushThrough offers a condition to what is below.
func pushThrough(in plan, c *expr, cols func(i int) int) {
	if below := through(c, cols); below != nil {
		in.push(below)
	}
}
