package kql

// applyNode runs a query over the values of each row's arrays.
type applyNode struct {
	in     plan
	expand *expandNode // what the query's rows are made by; its input is a row
	row    *rowNode
	query  plan
	cols   []Column
	from   []int // of each column: of a row, or −1−i of the query
	used   []bool
}

func (a *applyNode) input() plan       { return a.in }
func (a *applyNode) columns() []Column { return a.cols }
func (a *applyNode) use(i int) {
	if f := a.from[i]; f >= 0 {
		a.used[f] = true
		a.in.use(f)
	} else {
		a.query.use(-1 - f)
	}
}
func (a *applyNode) push(c *expr) {
	pushThrough(a.in, c, func(i int) int { return max(a.from[i], -1) })
}

func (a *applyNode) run(x *execution, out sink) error {
	buf := make([]Value, len(a.cols))
	return a.in.run(x, func(row []Value) error {
		a.row.now = row
		for i, f := range a.from {
			if f >= 0 && a.used[f] {
				buf[i] = row[f]
			}
		}
		return x.apart(a.query, func(made []Value) error {
			for i, f := range a.from {
				if f < 0 {
					buf[i] = made[-1-f]
				}
			}
			return out(buf)
		})
	})
}

// apart runs a plan once of many times: what it keeps in memory is free after it,
// what is kept of its rows is not.
func (x *execution) apart(p plan, out sink) error {
	before, behind := x.memory, 0
	err := p.run(x, func(row []Value) error {
		was := x.memory
		err := out(row)
		behind += x.memory - was
		return err
	})
	x.memory = before + behind
	return err
}

// rowNode gives the row that a query is applied to.
type rowNode struct {
	in  plan
	now []Value
}

func (r *rowNode) columns() []Column { return r.in.columns() }
func (r *rowNode) use(i int)         { r.in.use(i) }
func (r *rowNode) push(*expr)        {}
func (r *rowNode) run(x *execution, out sink) error {
	if err := x.tick(); err != nil {
		return err
	}
	return out(r.now)
}

// apply binds mv-apply: the arrays become rows, and the query behind on runs over those of each row.
func (b *binder) apply(in plan, o *op, e *env) plan {
	a := &applyNode{in: in, row: &rowNode{in: in}, used: make([]bool, len(in.columns()))}
	a.expand = b.expand(a.row, o, e).(*expandNode)
	a.query = b.within(a.expand, o, e)
	names := newNamer()
	place := map[string]int{}
	for i, c := range in.columns() {
		place[c.Name] = i
		names.taken[c.Name] = true
		a.cols, a.from = append(a.cols, c), append(a.from, i)
	}
	for i, c := range a.query.columns() {
		if at, ok := place[c.Name]; ok {
			a.cols[at], a.from[at] = c, -1-i
			continue
		}
		a.cols, a.from = append(a.cols, Column{names.plain(c.Name), c.Type}), append(a.from, -1-i)
	}
	return a
}

// within binds the operators in the brackets of mv-apply and partition over some rows of many.
func (b *binder) within(in plan, of *op, e *env) plan {
	for _, o := range of.tables[0].pipe.ops {
		b.count(o.at)
		switch o.name {
		case "join", "lookup", "union", "as", "render", "search", "find", "evaluate", "invoke":
			panic(fail(o.at, "%s cannot be used within %s", o.name, of.name).with("what is in the brackets looks at some of the rows, and reads no table"))
		}
		in = b.operator(in, o, e)
	}
	return in
}
