package kql

// sharedKey is a table or value that is written once and used again.
type sharedKey struct {
	n *node
	e *env
}

// sharedTable are rows that are read once, however often they are used.
type sharedTable struct {
	in     plan
	refs   int
	used   []bool
	kept   *stored
	rows   [][]Value
	done   bool
	pushed bool
}

// materializeNode is one use of shared rows. With one use they are not kept.
type materializeNode struct{ t *sharedTable }

func (m *materializeNode) columns() []Column { return m.t.in.columns() }
func (m *materializeNode) use(i int) {
	m.t.used[i] = true
	m.t.in.use(i)
}
func (m *materializeNode) push(c *expr) {
	if m.t.refs == 1 {
		m.t.in.push(c)
	}
}

func (m *materializeNode) run(x *execution, out sink) error {
	t := m.t
	if t.refs == 1 {
		return t.in.run(x, out)
	}
	if !t.done {
		t.kept = newStored(t.used)
		if err := t.in.run(x, func(row []Value) error {
			packed, n := t.kept.pack(row)
			t.rows = append(t.rows, packed)
			return x.keep(n + 24)
		}); err != nil {
			return err
		}
		t.done = true
	}
	buf := make([]Value, t.kept.width)
	for _, r := range t.rows {
		if err := x.tick(); err != nil {
			return err
		}
		t.kept.unpack(r, buf)
		if err := out(buf); err != nil {
			return err
		}
	}
	return nil
}

// materialize binds a use of materialize().
func (b *binder) materialize(n *node, e *env) plan {
	if len(n.kids) != 1 {
		panic(fail(n.at, "materialize takes one table"))
	}
	key := sharedKey{n, e}
	t := b.shared[key]
	if t == nil {
		in := b.table(n.kids[0], e)
		t = &sharedTable{in: in, used: make([]bool, len(in.columns()))}
		for i := range t.used { // what reads after Resolve is not known yet
			if b.x != nil {
				t.used[i] = true
				in.use(i)
			}
		}
		b.shared[key] = t
	}
	t.refs++
	return &materializeNode{t}
}
