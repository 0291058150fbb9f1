package kql

// Scan looks at rows in order for sequences: its steps, from the last to the
// first, each take a row when their condition holds. Every step has a state: the
// rows that it and the steps before it took last. A row that meets a step while
// the step before it has a state takes that state over; one that meets a step
// that has a state itself, or the first step, goes on with it.

// stepsNode is scan.
type stepsNode struct {
	in    plan
	cols  []Column
	steps []stepPlan
	slots []stepSlot // of states, behind the columns in the rows of expressions
	match int        // place of the number of the sequence, −1: none
	used  []bool     // columns of the result
	blank []Value    // of columns that are declared, and of texts
}

// stepPlan is a step that is bound.
type stepPlan struct {
	output string
	when   *expr
	gives  []*expr
	to     []int // place of each value's column
}

// stepSlot is a column of a step's state that an expression looks at.
type stepSlot struct{ step, col int }

func (s *stepsNode) input() plan       { return s.in }
func (s *stepsNode) columns() []Column { return s.cols }
func (s *stepsNode) push(*expr)        {}
func (s *stepsNode) use(i int) {
	s.used[i] = true
	if i < len(s.in.columns()) {
		s.in.use(i)
	}
}

// sequence is the state of a step: what is kept of the rows that it and the steps
// before it took, each the values of all slots' columns.
type sequence struct {
	took  [][]Value
	match int64
	last  []Value // the row that is given when the step takes no other; of output=last
	size  int
}

// stepRun is a scan under way.
type stepRun struct {
	s       *stepsNode
	x       *execution
	out     sink
	state   []*sequence
	matches int64
	row     []Value // columns, and the slots behind them
	made    []Value
	kept    *stored
	cols    []int // that slots look at
	place   []int // of a column in cols
}

func (s *stepsNode) run(x *execution, out sink) error {
	r := &stepRun{s: s, x: x, out: out, state: make([]*sequence, len(s.steps)), row: make([]Value, len(s.cols)+len(s.slots)), made: make([]Value, len(s.cols)), kept: newStored(s.used), place: make([]int, len(s.cols))}
	for _, sl := range s.slots {
		if r.place[sl.col] == 0 {
			r.cols = append(r.cols, sl.col)
			r.place[sl.col] = len(r.cols) // one more than it is
		}
	}
	width := len(s.in.columns())
	err := s.in.run(x, func(row []Value) error {
		copy(r.row, s.blank)
		copy(r.row[:width], row)
		return r.take()
	})
	for k := range r.state {
		if err == nil {
			err = r.close(k)
		}
	}
	return err
}

// take looks at the row for every step.
func (r *stepRun) take() error {
	for k := len(r.s.steps) - 1; k >= 0; k-- {
		if k > 0 && r.state[k-1] != nil && r.meets(k, r.state[k-1]) {
			if err := r.close(k); err != nil {
				return err
			}
			before := r.state[k-1]
			if err := r.give(before); err != nil {
				return err
			}
			r.state[k-1], r.state[k] = nil, before
			if err := r.enter(k, before); err != nil {
				return err
			}
			continue
		}
		if q := r.state[k]; (q != nil || k == 0) && r.meets(k, q) {
			if q == nil {
				q = &sequence{}
			}
			if k == 0 {
				q.match = r.matches
				r.matches++
			}
			r.state[k] = q
			if err := r.enter(k, q); err != nil {
				return err
			}
		}
	}
	return nil
}

// meets reports whether the row meets the condition of a step in a state.
func (r *stepRun) meets(k int, q *sequence) bool {
	for i, sl := range r.s.slots {
		v := r.s.blank[sl.col]
		if q != nil && sl.step < len(q.took) && q.took[sl.step] != nil {
			v = q.took[sl.step][r.place[sl.col]-1]
		}
		r.row[len(r.s.cols)+i] = v
	}
	return toBool(r.s.steps[k].when.eval(r.row)).truth()
}

// enter makes the row that a step took the last of its state, and gives it.
func (r *stepRun) enter(k int, q *sequence) error {
	st := &r.s.steps[k]
	copy(r.made, r.row[:len(r.made)])
	for i, e := range st.gives {
		r.made[st.to[i]] = e.eval(r.row)
	}
	if r.s.match >= 0 {
		r.made[r.s.match] = LongValue(q.match)
	}
	took := make([]Value, len(r.cols))
	for i, c := range r.cols {
		took[i] = r.made[c]
	}
	for len(q.took) <= k {
		q.took = append(q.took, nil)
	}
	q.took[k] = took
	if st.output == "last" {
		q.last, _ = r.kept.pack(r.made)
	}
	r.x.free(q.size)
	q.size = 96 + sizeOf(q.last)
	for _, row := range q.took {
		q.size += sizeOf(row)
	}
	if err := r.x.keep(q.size); err != nil || st.output != "all" {
		return err
	}
	return r.out(r.made)
}

// give gives the row that a state holds back.
func (r *stepRun) give(q *sequence) error {
	if q.last == nil {
		return nil
	}
	buf := make([]Value, r.kept.width)
	r.kept.unpack(q.last, buf)
	q.last = nil
	return r.out(buf)
}

// sizeOf is about how many bytes a row takes.
func sizeOf(row []Value) int {
	n := 0
	for _, v := range row {
		n += v.size()
	}
	return n
}

// close ends the state of a step.
func (r *stepRun) close(k int) error {
	q := r.state[k]
	if q == nil {
		return nil
	}
	r.state[k] = nil
	r.x.free(q.size)
	return r.give(q)
}

// stepScope are the steps that an expression of scan may look at.
type stepScope struct {
	names []string
	node  *stepsNode
}

// step is the place of a step by its name; −1: there is none.
func (s *rowScope) step(n *node) int {
	if s.steps == nil || n.kind != nodeName {
		return -1
	}
	for i, name := range s.steps.names {
		if name == n.text {
			return i
		}
	}
	return -1
}

// stepColumn binds step.Column.
func (b *binder) stepColumn(n *node, step int, s *rowScope) *expr {
	col := s.find(n.text)
	if col < 0 {
		panic(unknownColumn(&node{kind: nodeName, at: n.at, text: n.text}, s))
	}
	st := s.steps.node
	at := len(st.cols)
	for i, sl := range st.slots {
		if sl == (stepSlot{step, col}) {
			at += i
			return &expr{typ: s.cols[col].Type, col: -1, op: "step", eval: func(row []Value) Value { return row[at] }}
		}
	}
	at += len(st.slots)
	st.slots = append(st.slots, stepSlot{step, col})
	if col < len(st.in.columns()) {
		st.in.use(col)
	}
	return &expr{typ: s.cols[col].Type, col: -1, op: "step", eval: func(row []Value) Value { return row[at] }}
}

// scan binds the operator.
func (b *binder) scan(in plan, o *op, e *env) plan {
	if !ordered(in) {
		panic(fail(o.at, "scan needs rows in an order, and these have none").with("sort the rows first, or write serialize to take them as they come"))
	}
	if len(o.steps) == 0 {
		panic(fail(o.at, "scan needs a step").with("scan with (step s: true => …)"))
	}
	s := &stepsNode{in: in, cols: append([]Column{}, in.columns()...), match: -1}
	names := namerOf(s.cols)
	for _, c := range s.cols {
		s.blank = append(s.blank, convert(Value{}, c.Type))
	}
	for _, c := range o.cols {
		v := Value{}
		if c.table {
			panic(fail(c.at, "scan declares columns, not tables"))
		}
		if c.value != nil {
			x := b.as(b.expr(c.value, &rowScope{env: e}), c.typ, c.at)
			if !x.konst {
				panic(fail(c.value.at, "the first value of a column must be a constant"))
			}
			v = x.value()
		}
		s.cols = append(s.cols, Column{names.give(&named{at: c.at, name: c.name}, "", ""), c.typ})
		s.blank = append(s.blank, convert(v, c.typ))
	}
	if id, ok := o.opts["with_match_id"]; ok {
		s.match = len(s.cols)
		s.cols = append(s.cols, Column{names.give(&named{at: id.at, name: id.text}, "", ""), Long})
		s.blank = append(s.blank, Value{})
	}
	s.used = make([]bool, len(s.cols))
	row := &rowScope{cols: s.cols, env: e, steps: &stepScope{node: s}, use: func(i int) {
		if i < len(in.columns()) {
			in.use(i)
		}
	}}
	for i := range o.steps {
		st := &o.steps[i]
		if row.step(&node{kind: nodeName, text: st.name}) >= 0 || row.find(st.name) >= 0 {
			panic(fail(st.at, "the name %s is there twice", st.name).with("steps have names that no column and no other step has"))
		}
		row.steps.names = append(row.steps.names, st.name)
	}
	all := row.steps.names
	for i := range o.steps {
		row.steps.names = all[:i+1] // a step sees itself and those before it
		s.steps = append(s.steps, b.scanStep(&o.steps[i], row))
	}
	return s
}

// scanStep binds a step.
func (b *binder) scanStep(st *scanStep, row *rowScope) stepPlan {
	out := stepPlan{output: st.output, when: b.expr(st.when, row)}
	b.wantBool(out.when, st.when.at)
	for _, g := range st.gives {
		at := row.find(g.name)
		if at < 0 || at == row.steps.node.match {
			panic(fail(g.at, "a step gives values to columns that are there or declared").with("scan declare (name: type) with (step s: true => name = …)"))
		}
		out.to = append(out.to, at)
		x := b.as(b.expr(g.expr, row), row.cols[at].Type, g.expr.at)
		if t := row.cols[at].Type; t != Dynamic {
			x = convertExpr(x, t)
		}
		out.gives = append(out.gives, x)
	}
	return out
}
