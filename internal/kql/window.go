package kql

// window is a function over the rows around a row: its value is a column behind
// those of the rows that windowNode gives.
type window struct {
	// start begins a run over rows: what it returns is called once with each row,
	// in order, and gives the value of the row.
	start func() func(row []Value) Value
	ahead int // how many rows ahead the value is of a later row; 0: of none
	arg   *expr
	other *expr // where there is no such row; nil: null
}

// maxWindow is how many rows prev and next look back or ahead.
const maxWindow = 10_000

// windowNode computes windows. Its rows have their values behind the columns.
type windowNode struct {
	in      plan
	windows []*window
	used    []bool
}

func (w *windowNode) input() plan       { return w.in }
func (w *windowNode) columns() []Column { return w.in.columns() }
func (w *windowNode) push(*expr)        {}
func (w *windowNode) use(i int) {
	w.used[i] = true
	w.in.use(i)
}

func (w *windowNode) run(x *execution, out sink) error {
	copied, width := newStored(w.used).cols, len(w.used)
	steps, ahead := make([]func([]Value) Value, len(w.windows)), 0
	for i, f := range w.windows {
		if ahead = max(ahead, f.ahead); f.ahead == 0 {
			steps[i] = f.start()
		}
	}
	q := &windowQueue{w: w, x: x, out: out, ahead: ahead, buf: make([]Value, width+len(w.windows))}
	buf := make([]Value, width+len(w.windows))
	err := w.in.run(x, func(row []Value) error {
		for _, i := range copied {
			buf[i] = row[i]
		}
		for i, step := range steps {
			if buf[width+i] = (Value{}); step != nil {
				buf[width+i] = step(buf)
			}
		}
		if ahead == 0 {
			return out(buf)
		}
		return q.add(buf)
	})
	for err == nil && len(q.rows) > 0 {
		err = q.give()
	}
	return err
}

// windowQueue holds rows back until those ahead of them are known.
type windowQueue struct {
	w     *windowNode
	x     *execution
	out   sink
	ahead int
	rows  []windowRow
	buf   []Value
}

type windowRow struct {
	row  []Value // as it is given
	args []Value // of the windows that look ahead
	size int
}

func (q *windowQueue) add(row []Value) error {
	r := windowRow{row: append([]Value{}, row...), size: 96}
	for _, v := range row {
		r.size += v.size()
	}
	for _, f := range q.w.windows {
		if f.ahead > 0 {
			r.args = append(r.args, f.arg.eval(row))
			r.size += r.args[len(r.args)-1].size()
		}
	}
	q.rows = append(q.rows, r)
	if err := q.x.keep(r.size); err != nil {
		return err
	}
	if len(q.rows) > q.ahead {
		return q.give()
	}
	return nil
}

// give gives the first row.
func (q *windowQueue) give() error {
	r := q.rows[0]
	copy(q.buf, r.row)
	k := 0
	for i, f := range q.w.windows {
		if f.ahead == 0 {
			continue
		}
		v := convert(Value{}, f.arg.typ)
		switch {
		case f.ahead < len(q.rows):
			v = q.rows[f.ahead].args[k]
		case f.other != nil:
			v = f.other.eval(q.buf)
		}
		q.buf[len(q.w.used)+i] = v
		k++
	}
	q.rows[0] = windowRow{}
	q.rows = q.rows[1:]
	q.x.free(r.size)
	return q.out(q.buf)
}

// ordered reports whether rows come in an order that a query gave them.
func ordered(p plan) bool {
	switch p := p.(type) {
	case *sortNode, *valuesNode, *serializeNode:
		return true
	case *takeNode, *whereNode, *projectNode, *extendNode, *pickNode, *parseNode, *expandNode, *windowNode, *stepsNode, *enrichNode:
		return ordered(p.(interface{ input() plan }).input())
	case *partNode:
		return ordered(p.in)
	case *materializeNode:
		return ordered(p.t.in)
	}
	return false
}

// serializeNode says that rows are to stay in the order in which they come.
type serializeNode struct{ in plan }

func (s *serializeNode) input() plan                      { return s.in }
func (s *serializeNode) columns() []Column                { return s.in.columns() }
func (s *serializeNode) use(i int)                        { s.in.use(i) }
func (s *serializeNode) push(c *expr)                     { s.in.push(c) }
func (s *serializeNode) run(x *execution, out sink) error { return s.in.run(x, out) }

// windowed puts the windows of an operator's expressions between it and its input.
func windowed(in plan, windows []*window, used []bool) plan {
	if len(windows) == 0 {
		return in
	}
	return &windowNode{in: in, windows: windows, used: used}
}

// windowsOver lets expressions over a plan use windows, and notes the columns that they look at.
func windowsOver(in plan, s *rowScope) (windows *[]*window, used []bool) {
	windows, used = &[]*window{}, make([]bool, len(in.columns()))
	s.windows, s.ordered = windows, ordered(in)
	s.use = func(i int) {
		used[i] = true
		in.use(i)
	}
	return windows, used
}

// window binds a call of a window over its arguments.
func (b *binder) window(n *node, s *rowScope, t Type, w *window) *expr {
	if s.windows == nil {
		panic(fail(n.at, "%s looks at other rows, and works in extend, project, serialize and where", n.text).with("sort the rows first: … | sort by Timestamp asc | extend …"))
	}
	if !s.ordered {
		panic(fail(n.at, "%s needs rows in an order, and these have none", n.text).with("sort the rows first, or write serialize to take them as they come"))
	}
	at := len(s.cols) + len(*s.windows)
	*s.windows = append(*s.windows, w)
	return &expr{typ: t, col: -1, op: n.text, eval: func(row []Value) Value { return row[at] }}
}

// windowArgs binds the arguments of a window.
func (b *binder) windowArgs(n *node, s *rowScope) []*expr {
	before := 0
	if s.windows != nil {
		before = len(*s.windows)
	}
	args := make([]*expr, len(n.kids))
	for i, k := range n.kids {
		args[i] = b.expr(k, s)
	}
	if s.windows != nil {
		for _, w := range (*s.windows)[before:] {
			if w.ahead > 0 {
				panic(fail(n.at, "next cannot be used within %s", n.text).with("give its value a column first: extend Next = next(…)"))
			}
		}
	}
	return args
}

// windowFunctions are functions over the rows around a row.
func windowFunctions() []function {
	return []function{
		{name: "row_number", args: "[first [, restart]]", doc: "Counts rows, from 1 where nothing is said, and anew where a condition holds.", min: 0, max: 2, lazy: true, bind: bindRowNumber},
		{name: "row_cumsum", args: "number [, restart]", doc: "The sum of this and all rows before, from where a condition held last.", min: 1, max: 2, lazy: true, bind: bindRowSum},
		{name: "row_rank_dense", args: "value [, restart]", doc: "Counts different values, in rows that are sorted by them.", min: 1, max: 2, lazy: true, bind: bindRowRank},
		{name: "row_rank_min", args: "value [, restart]", doc: "The number of the first row with the same value, in rows that are sorted by it.", min: 1, max: 2, lazy: true, bind: bindRowRank},
		{name: "row_window_session", args: "instant or number, longest, longest pause [, restart]", doc: "Where the session of a row began: rows in order are one session until it is too long, or nothing came for too long.", min: 3, max: 4, lazy: true, bind: bindRowSession},
		{name: "prev", args: "column [, rows [, otherwise]]", doc: "The value some rows before.", min: 1, max: 3, lazy: true, bind: bindPrev},
		{name: "next", args: "column [, rows [, otherwise]]", doc: "The value some rows ahead.", min: 1, max: 3, lazy: true, bind: bindNext},
	}
}

// restartOf is the condition under which a window begins anew.
func (b *binder) restartOf(n *node, a []*expr, i int) func(row []Value) bool {
	if len(a) <= i {
		return func([]Value) bool { return false }
	}
	b.wantBool(a[i], n.kids[i].at)
	return func(row []Value) bool { return toBool(a[i].eval(row)).truth() }
}

func bindRowNumber(b *binder, n *node, s *rowScope, _ []*expr) *expr {
	a := b.windowArgs(n, s)
	first := int64(1)
	if len(a) > 0 {
		if !a[0].konst || !number(a[0].typ) {
			panic(fail(n.kids[0].at, "the first number must be a constant"))
		}
		first = a[0].value().num
	}
	restart := b.restartOf(n, a, 1)
	return b.window(n, s, Long, &window{start: func() func([]Value) Value {
		next := first
		return func(row []Value) Value {
			if restart(row) {
				next = first
			}
			next++
			return LongValue(next - 1)
		}
	}})
}

func bindRowSum(b *binder, n *node, s *rowScope, _ []*expr) *expr {
	a := b.windowArgs(n, s)
	if t := a[0].typ; !number(t) && t != TimeSpan && t != Dynamic {
		panic(fail(n.kids[0].at, "%s adds numbers, not values of type %s", n.text, t))
	}
	restart := b.restartOf(n, a, 1)
	return b.window(n, s, a[0].typ, &window{start: func() func([]Value) Value {
		var sum Value
		return func(row []Value) Value {
			if restart(row) {
				sum = Value{}
			}
			if v := a[0].eval(row); sum.IsNull() {
				sum = v
			} else if !v.IsNull() {
				sum = add(sum, v, 1)
			}
			return sum
		}
	}})
}

func bindRowRank(b *binder, n *node, s *rowScope, _ []*expr) *expr {
	a := b.windowArgs(n, s)
	restart, dense := b.restartOf(n, a, 1), n.text == "row_rank_dense"
	return b.window(n, s, Long, &window{start: func() func([]Value) Value {
		var rank, rows int64
		var last []byte
		return func(row []Value) Value {
			key := a[0].eval(row).key(nil)
			again := restart(row)
			if again {
				rank, rows = 0, 0
			}
			rows++
			if again || string(key) != string(last) {
				if rank++; !dense {
					rank = rows
				}
			}
			last = key
			return LongValue(rank)
		}
	}})
}

func bindRowSession(b *binder, n *node, s *rowScope, _ []*expr) *expr {
	a := b.windowArgs(n, s)
	t := a[0].typ
	step := t
	if t == DateTime {
		step = TimeSpan
	}
	if !number(t) && t != DateTime || !a[1].konst || !a[2].konst || !(a[1].typ == step && a[2].typ == step || number(t) && number(a[1].typ) && number(a[2].typ)) {
		panic(fail(n.at, "row_window_session takes an instant and two constant spans of time, or numbers").with("row_window_session(Timestamp, 1h, 5m, DeviceId != prev(DeviceId))"))
	}
	longest, pause, restart := a[1].value(), a[2].value(), b.restartOf(n, a, 3)
	return b.window(n, s, t, &window{start: func() func([]Value) Value {
		var began, last Value
		return func(row []Value) Value {
			again, v := restart(row), a[0].eval(row)
			if v.IsNull() {
				return v
			}
			if again || began.IsNull() || compare(add(v, began, -1), longest) > 0 || compare(add(v, last, -1), pause) > 0 {
				began = v
			}
			last = v
			return began
		}
	}})
}

// distanceOf is how many rows prev and next look back or ahead, and what they give where there is no row.
func (b *binder) distanceOf(n *node, a []*expr) (int, *expr) {
	rows := int64(1)
	if len(a) > 1 {
		if !a[1].konst || !number(a[1].typ) {
			panic(fail(n.kids[1].at, "the number of rows must be a constant"))
		}
		rows = toLong(a[1].value()).num
	}
	if rows < 1 || rows > maxWindow {
		panic(fail(n.at, "%s looks 1 to %d rows away", n.text, maxWindow))
	}
	if len(a) < 3 {
		return int(rows), nil
	}
	if t := a[0].typ; !comparable(t, a[2].typ) && a[2].konst { // next(Timestamp, 1, 0)
		if v := convert(a[2].value(), t); !v.IsNull() {
			a[2] = constant(v, t)
		}
	}
	if !comparable(a[0].typ, a[2].typ) {
		panic(fail(n.kids[2].at, "the value where there is no row has the type %s, not %s", a[2].typ, a[0].typ))
	}
	return int(rows), a[2]
}

func bindPrev(b *binder, n *node, s *rowScope, _ []*expr) *expr {
	a := b.windowArgs(n, s)
	back, other := b.distanceOf(n, a)
	return b.window(n, s, a[0].typ, &window{start: func() func([]Value) Value {
		past := make([]Value, back) // a ring
		at, full := 0, false
		return func(row []Value) Value {
			now := convert(Value{}, a[0].typ)
			if full {
				now = past[at]
			} else if other != nil {
				now = other.eval(row)
			}
			past[at] = a[0].eval(row)
			if at++; at == back {
				at, full = 0, true
			}
			return now
		}
	}})
}

func bindNext(b *binder, n *node, s *rowScope, _ []*expr) *expr {
	a := b.windowArgs(n, s)
	ahead, other := b.distanceOf(n, a)
	return b.window(n, s, a[0].typ, &window{ahead: ahead, arg: a[0], other: other})
}
