package kql

import "errors"

// scanNode reads a table.
type scanNode struct {
	cols []Column
	scan Scan
}

func newScan(t *Table) *scanNode {
	return &scanNode{cols: t.Columns, scan: Scan{Table: t, Use: make([]bool, len(t.Columns))}}
}

func (s *scanNode) columns() []Column { return s.cols }
func (s *scanNode) use(i int)         { s.scan.Use[i] = true }

// empty reports whether no row can meet the bounds of time.
func (s *scanNode) empty() bool {
	return !s.scan.From.IsZero() && !s.scan.To.IsZero() && !s.scan.From.Before(s.scan.To)
}

func (s *scanNode) run(x *execution, out sink) error {
	if s.empty() {
		return nil
	}
	return x.reader.Read(x.ctx, s.scan, func(row []Value) error {
		if err := x.tick(); err != nil {
			return err
		}
		return out(row)
	})
}

// whereNode keeps the rows of which a condition is true.
type whereNode struct {
	in   plan
	cond *expr
}

func (w *whereNode) input() plan                      { return w.in }
func (w *whereNode) columns() []Column                { return w.in.columns() }
func (w *whereNode) use(i int)                        { w.in.use(i) }
func (w *whereNode) push(c *expr)                     { w.in.push(c) }
func (w *whereNode) run(x *execution, out sink) error { return w.in.run(x, w.flow(x, out)) }
func (w *whereNode) flow(_ *execution, out sink) sink {
	width := len(w.columns())
	return func(row []Value) error {
		if !toBool(w.cond.eval(row)).truth() {
			return nil
		}
		return out(row[:width]) // without the values of windows
	}
}

// projectNode computes all columns anew.
type projectNode struct {
	in    plan
	cols  []Column
	exprs []*expr
}

func (p *projectNode) input() plan       { return p.in }
func (p *projectNode) columns() []Column { return p.cols }
func (p *projectNode) use(int)           {}
func (p *projectNode) push(c *expr) {
	pushThrough(p.in, c, func(i int) int { return p.exprs[i].col })
}
func (p *projectNode) run(x *execution, out sink) error { return p.in.run(x, p.flow(x, out)) }
func (p *projectNode) flow(_ *execution, out sink) sink {
	buf := make([]Value, len(p.exprs))
	return func(row []Value) error {
		for i, e := range p.exprs {
			buf[i] = e.eval(row)
		}
		return out(buf)
	}
}

// extendNode adds columns, or replaces them.
type extendNode struct {
	in    plan
	cols  []Column
	exprs []*expr
	to    []int // place of each expression's column
	from  []bool
}

func (e *extendNode) input() plan       { return e.in }
func (e *extendNode) columns() []Column { return e.cols }
func (e *extendNode) made(i int) bool {
	for _, t := range e.to {
		if t == i {
			return true
		}
	}
	return false
}
func (e *extendNode) use(i int) {
	if !e.made(i) {
		e.from[i] = true
		e.in.use(i)
	}
}
func (e *extendNode) push(c *expr) {
	pushThrough(e.in, c, func(i int) int {
		for k, t := range e.to {
			if t == i {
				return e.exprs[k].col
			}
		}
		return i
	})
}
func (e *extendNode) run(x *execution, out sink) error { return e.in.run(x, e.flow(x, out)) }
func (e *extendNode) flow(_ *execution, out sink) sink {
	buf := make([]Value, len(e.cols))
	copied := newStored(e.from).cols
	return func(row []Value) error {
		for _, i := range copied {
			buf[i] = row[i]
		}
		for k, expr := range e.exprs {
			buf[e.to[k]] = expr.eval(row)
		}
		return out(buf)
	}
}

// pickNode chooses and renames columns.
type pickNode struct {
	in   plan
	cols []Column
	from []int
	used []bool
}

func (p *pickNode) input() plan       { return p.in }
func (p *pickNode) columns() []Column { return p.cols }
func (p *pickNode) use(i int) {
	p.used[i] = true
	p.in.use(p.from[i])
}
func (p *pickNode) push(c *expr)                     { pushThrough(p.in, c, func(i int) int { return p.from[i] }) }
func (p *pickNode) run(x *execution, out sink) error { return p.in.run(x, p.flow(x, out)) }
func (p *pickNode) flow(_ *execution, out sink) sink {
	buf := make([]Value, len(p.cols))
	return func(row []Value) error {
		for i, f := range p.from {
			if p.used[i] {
				buf[i] = row[f]
			}
		}
		return out(buf)
	}
}

// takeNode ends after some rows.
type takeNode struct {
	in plan
	n  int64
}

func (t *takeNode) input() plan       { return t.in }
func (t *takeNode) columns() []Column { return t.in.columns() }
func (t *takeNode) use(i int)         { t.in.use(i) }
func (t *takeNode) push(*expr)        {}
func (t *takeNode) run(x *execution, out sink) error {
	if t.n <= 0 {
		return nil
	}
	enough, left := errors.New("enough"), t.n
	err := t.in.run(x, func(row []Value) error {
		if err := out(row); err != nil {
			return err
		}
		if left--; left == 0 {
			return enough
		}
		return nil
	})
	if errors.Is(err, enough) {
		return nil
	}
	return err
}

// valuesNode gives rows that it makes itself.
type valuesNode struct {
	cols []Column
	rows func(yield func(row []Value) error) error
}

func (v *valuesNode) columns() []Column { return v.cols }
func (v *valuesNode) use(int)           {}
func (v *valuesNode) push(*expr)        {}
func (v *valuesNode) run(x *execution, out sink) error {
	return v.rows(func(row []Value) error {
		if err := x.tick(); err != nil {
			return err
		}
		return out(row)
	})
}

// distinctNode gives every row once. It looks at all of its columns.
type distinctNode struct{ in plan }

func (d *distinctNode) input() plan       { return d.in }
func (d *distinctNode) columns() []Column { return d.in.columns() }
func (d *distinctNode) use(int)           {}
func (d *distinctNode) push(c *expr)      { d.in.push(c) }
func (d *distinctNode) run(x *execution, out sink) error {
	seen := map[string]struct{}{}
	var buf []byte
	return d.in.run(x, func(row []Value) error {
		buf = buf[:0]
		for _, v := range row {
			buf = v.key(buf)
		}
		if _, ok := seen[string(buf)]; ok {
			return nil
		}
		seen[string(buf)] = struct{}{}
		if err := x.keep(len(buf) + 48); err != nil {
			return err
		}
		return out(row)
	})
}

// countNode counts rows.
type countNode struct{ in plan }

func (c *countNode) input() plan       { return c.in }
func (c *countNode) columns() []Column { return []Column{{Name: "Count", Type: Long}} }
func (c *countNode) use(int)           {}
func (c *countNode) push(*expr)        {}
func (c *countNode) run(x *execution, out sink) error {
	n := int64(0)
	if err := c.in.run(x, func([]Value) error { n++; return nil }); err != nil {
		return err
	}
	return out([]Value{LongValue(n)})
}
