package kql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Reader reads tables for a query.
type Reader interface {
	// Read calls yield with every row of a table that the scan asks for, and may
	// call it with more rows. A row has a place for each column of the table; only
	// those of Use need to be filled. yield's error ends the scan and is returned.
	// yield keeps nothing of the row.
	Read(ctx context.Context, s Scan, yield func(row []Value) error) error
}

// ManyReader reads several tables at once, for what is joined by union.
type ManyReader interface {
	Reader
	// ReadMany calls yield with every row that one of the scans asks for, and with
	// the number of that scan, in any order; otherwise it is as Read.
	ReadMany(ctx context.Context, scans []Scan, yield func(scan int, row []Value) error) error
}

// Scan says what a query needs of a table.
type Scan struct {
	Table *Table
	Use   []bool // the columns that are looked at
	// From and To bound the column Timestamp: From included, To not; zero: unbounded.
	From, To time.Time
	// Where are conditions that every row meets that the query can use. The query
	// checks them again.
	Where []Condition
}

// Condition is one that a store may use to read less.
type Condition struct {
	Column string // "": any column of texts or dynamic values; with Has only
	Op     ConditionOp
	Values []string // one of these; of Has of a column exactly one
}

// ConditionOp is how a column is compared with values.
type ConditionOp uint8

// The comparisons of conditions.
const (
	Equals     ConditionOp = iota + 1 // the same text
	EqualsFold                        // the same text, whatever its case
	Has                               // the value is in the text with the bounds of words around it, whatever its case
)

// Limits bound a run.
type Limits struct {
	Rows   int // most rows of the result: what is more is cut off
	Memory int // most bytes that a run keeps in memory
}

// LimitError says that a query needed more than it may.
type LimitError struct{ Message string }

// Error is the message.
func (e *LimitError) Error() string { return e.Message }

// Outcome is what there is to say of a run.
type Outcome struct {
	Rows      int
	Truncated bool     // there are more rows than Limits.Rows
	Notes     []string // what the reader of a result should know: estimates, cuts
}

// sink takes rows. It keeps nothing of them.
type sink func(row []Value) error

// plan is a step of a query that gives rows.
type plan interface {
	columns() []Column
	// use notes that a column of the result is looked at.
	use(i int)
	// push offers a condition on the columns that every row must meet: it may
	// be used to read less, and is checked by whoever offers it.
	push(c *expr)
	run(x *execution, out sink) error
}

// execution is a run under way.
type execution struct {
	ctx    context.Context
	reader Reader
	limits Limits
	memory int
	ticks  int
	notes  []string
}

// keep counts bytes that are kept in memory.
func (x *execution) keep(n int) error {
	if x.memory += n; x.memory > x.limits.Memory {
		return &LimitError{fmt.Sprintf("the query needs more than %d MB of memory: filter earlier, or keep fewer columns and groups", x.limits.Memory>>20)}
	}
	return nil
}

func (x *execution) free(n int) { x.memory -= n }

// tick looks now and then whether the run is to end.
func (x *execution) tick() error {
	if x.ticks++; x.ticks&0x3ff == 0 {
		return x.ctx.Err()
	}
	return nil
}

func (x *execution) note(text string) {
	if !slices.Contains(x.notes, text) {
		x.notes = append(x.notes, text)
	}
}

var errEnough = errors.New("enough rows")

// Run runs a query, once, and calls out with the rows of its result in order.
// It ends early with ctx's error, a *LimitError or out's error. out keeps
// nothing of the row.
func (q *Query) Run(ctx context.Context, r Reader, l Limits, out func(row []Value) error) (o Outcome, err error) {
	if q.open {
		return Outcome{}, errOpen
	}
	x := &execution{ctx: ctx, reader: r, limits: l, memory: q.kept, notes: q.notes}
	for _, s := range q.subs {
		if s.first != nil { // Resolve ran it
			continue
		}
		if err := s.run(x); err != nil {
			return Outcome{}, err
		}
	}
	pushDown(q.root)
	err = q.root.run(x, func(row []Value) error {
		if o.Rows == l.Rows {
			o.Truncated = true
			return errEnough
		}
		o.Rows++
		return out(row)
	})
	if errors.Is(err, errEnough) && o.Truncated {
		err = nil
	}
	o.Notes = x.notes
	return o, err
}

func (s *subquery) run(x *execution) error {
	pushDown(s.in)
	s.first = []Value{}
	seen := map[string]bool{}
	var buf []byte
	enough := errors.New("enough")
	err := s.in.run(x, func(row []Value) error {
		buf = row[0].key(buf[:0])
		if seen[string(buf)] {
			return nil
		}
		seen[string(buf)] = true
		if len(s.first) == s.limit && s.limit > 1 {
			return &LimitError{fmt.Sprintf("the table behind in has more than %d values", s.limit)}
		}
		s.first = append(s.first, row[0])
		if s.limit == 1 {
			return enough
		}
		return x.keep(row[0].size() + len(buf) + 32)
	})
	if errors.Is(err, enough) {
		return nil
	}
	return err
}

// pushDown offers the conditions of every where to what is below it.
func pushDown(p plan) {
	if w, ok := p.(*whereNode); ok {
		for _, c := range conjuncts(w.cond) {
			w.in.push(c)
		}
	}
	if s, ok := p.(*seriesNode); ok {
		for _, c := range s.conditions() {
			s.in.push(c)
		}
	}
	for _, k := range inputs(p) {
		pushDown(k)
	}
}

// conjuncts are the parts of a and b and c.
func conjuncts(c *expr) []*expr {
	if c.op == "and" {
		return append(conjuncts(c.args[0]), conjuncts(c.args[1])...)
	}
	return []*expr{c}
}

// inputs are the steps below one.
func inputs(p plan) []plan {
	switch p := p.(type) {
	case *scanNode, *valuesNode:
		return nil
	case *joinNode:
		return []plan{p.left, p.right}
	case *addressNode:
		return []plan{p.in, p.table}
	case *materializeNode:
		if p.t.pushed {
			return nil
		}
		p.t.pushed = true
		return []plan{p.t.in}
	case *unionNode:
		out := make([]plan, len(p.parts))
		for i := range p.parts {
			out[i] = p.parts[i].in
		}
		return out
	case interface{ input() plan }:
		return []plan{p.input()}
	}
	return nil
}

// stored says how rows are kept in memory: only the columns that are looked at.
type stored struct {
	cols  []int
	width int
}

func newStored(used []bool) *stored {
	s := &stored{width: len(used)}
	for i, u := range used {
		if u {
			s.cols = append(s.cols, i)
		}
	}
	return s
}

// pack returns the columns of a row that are kept.
func (s *stored) pack(row []Value) ([]Value, int) {
	out := make([]Value, len(s.cols))
	n := 48
	for i, c := range s.cols {
		out[i] = row[c]
		n += out[i].size()
	}
	return out, n
}

// unpack writes a kept row into a whole one.
func (s *stored) unpack(packed, row []Value) {
	for i, c := range s.cols {
		row[c] = packed[i]
	}
}
