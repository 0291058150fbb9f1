package kql

// partitionNode runs a query over the rows of each value of a column, in the order
// in which the values come first. All rows are in memory before the first run.
type partitionNode struct {
	in    plan
	key   *expr
	part  *partNode
	query plan
}

func (p *partitionNode) input() plan       { return p.in }
func (p *partitionNode) columns() []Column { return p.query.columns() }
func (p *partitionNode) use(i int)         { p.query.use(i) }
func (p *partitionNode) push(*expr)        {}

// partNode gives the rows of one value.
type partNode struct {
	in   plan
	used []bool
	kept *stored
	rows [][]Value
}

func (p *partNode) columns() []Column { return p.in.columns() }
func (p *partNode) use(i int) {
	p.used[i] = true
	p.in.use(i)
}
func (p *partNode) push(*expr) {}
func (p *partNode) run(x *execution, out sink) error {
	buf := make([]Value, p.kept.width)
	for _, r := range p.rows {
		if err := x.tick(); err != nil {
			return err
		}
		p.kept.unpack(r, buf)
		if err := out(buf); err != nil {
			return err
		}
	}
	return nil
}

// partRows are the rows of one value, and about how many bytes they take.
type partRows struct {
	rows [][]Value
	size int
}

func (p *partitionNode) run(x *execution, out sink) error {
	p.part.kept = newStored(p.part.used)
	parts := map[string]*partRows{}
	var order []*partRows
	var key []byte
	err := p.in.run(x, func(row []Value) error {
		key = p.key.eval(row).key(key[:0])
		g, size := parts[string(key)], 24
		if g == nil {
			g = &partRows{}
			parts[string(key)] = g
			order = append(order, g)
			size += len(key) + 128
		}
		packed, n := p.part.kept.pack(row)
		g.rows, g.size = append(g.rows, packed), g.size+size+n
		return x.keep(size + n)
	})
	if err != nil {
		return err
	}
	for _, g := range order {
		p.part.rows = g.rows
		if err := x.apart(p.query, out); err != nil {
			return err
		}
		g.rows = nil
		x.free(g.size)
	}
	return nil
}

// partition binds the operator.
func (b *binder) partition(in plan, o *op, e *env) plan {
	p := &partitionNode{in: in, part: &partNode{in: in, used: make([]bool, len(in.columns()))}}
	p.key = b.expr(o.by[0].expr, &rowScope{cols: in.columns(), use: in.use, env: e})
	p.query = b.within(p.part, o, e)
	return p
}
