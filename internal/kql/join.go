package kql

import "fmt"

// joinKind is how rows of two tables are joined.
var joinKinds = map[string]bool{"innerunique": true, "inner": true, "leftouter": true, "rightouter": true, "fullouter": true,
	"leftanti": true, "anti": true, "leftantisemi": true, "rightanti": true, "rightantisemi": true, "leftsemi": true, "rightsemi": true}

// joinNode joins two tables by the keys of their rows. Rows with a null key join nothing.
type joinNode struct {
	kind        string
	left, right plan
	lkeys       []*expr
	rkeys       []*expr
	cols        []Column
	from        []int  // of each column: of the left table, or −1−i of the right one
	rused       []bool // columns of the right table that are kept
}

func (j *joinNode) columns() []Column { return j.cols }
func (j *joinNode) use(i int) {
	if f := j.from[i]; f >= 0 {
		j.left.use(f)
	} else {
		j.rused[-1-f] = true
		j.right.use(-1 - f)
	}
}

// push offers a condition to the side that it looks at, where leaving rows out
// before the join is the same as after it.
func (j *joinNode) push(c *expr) {
	switch j.kind {
	case "inner", "leftouter", "leftanti", "leftsemi":
		pushThrough(j.left, c, func(i int) int { return max(j.from[i], -1) })
	}
	switch j.kind {
	case "inner", "rightouter", "rightanti", "rightsemi":
		pushThrough(j.right, c, func(i int) int {
			if j.from[i] >= 0 {
				return -1
			}
			return -1 - j.from[i]
		})
	}
}

// joined is a row of the right table, or of both sides where that is needed.
type joined struct {
	row     []Value
	matched bool
}

func keyOf(keys []*expr, row []Value, buf []byte) ([]byte, bool) {
	buf = buf[:0]
	for _, k := range keys {
		v := k.eval(row)
		if v.IsNull() {
			return buf, false
		}
		buf = v.key(buf)
	}
	return buf, true
}

// run reads the right table into memory and walks over the left one.
func (j *joinNode) run(x *execution, out sink) error {
	kept := newStored(j.rused)
	table := map[string][]*joined{}
	var loners []*joined // without a key
	var buf []byte
	err := j.right.run(x, func(row []Value) error {
		key, ok := keyOf(j.rkeys, row, buf)
		buf = key
		if !ok && j.kind != "rightouter" && j.kind != "fullouter" && j.kind != "rightanti" {
			return nil
		}
		if ok && (j.kind == "leftsemi" || j.kind == "leftanti") && table[string(key)] != nil {
			return nil // one is enough
		}
		packed, n := kept.pack(row)
		r := &joined{row: packed}
		if !ok {
			loners = append(loners, r)
		} else {
			if table[string(key)] == nil {
				n += len(key) + 48
			}
			table[string(key)] = append(table[string(key)], r)
		}
		return x.keep(n)
	})
	if err != nil {
		return err
	}
	w := &joinWriter{j: j, x: x, out: out, kept: kept, right: make([]Value, kept.width), buf: make([]Value, len(j.cols))}
	if err := j.walk(x, table, w); err != nil {
		return err
	}
	return j.rest(table, loners, w)
}

// walk goes over the left table.
func (j *joinNode) walk(x *execution, table map[string][]*joined, w *joinWriter) error {
	seen := map[string]bool{}
	var buf []byte
	return j.left.run(x, func(row []Value) error {
		key, ok := keyOf(j.lkeys, row, buf)
		buf = key
		var matches []*joined
		if ok {
			matches = table[string(key)]
		}
		switch j.kind {
		case "leftanti":
			if len(matches) == 0 {
				return w.write(row, nil)
			}
			return nil
		case "leftsemi":
			if len(matches) > 0 {
				return w.write(row, nil)
			}
			return nil
		case "innerunique":
			if !ok || seen[string(key)] {
				return nil
			}
			if len(matches) > 0 {
				seen[string(key)] = true
				if err := x.keep(len(key) + 48); err != nil {
					return err
				}
			}
		case "leftouter", "fullouter":
			if len(matches) == 0 {
				return w.write(row, nil)
			}
		}
		for _, m := range matches {
			m.matched = true
			if j.kind == "rightsemi" || j.kind == "rightanti" {
				continue
			}
			if err := w.write(row, m.row); err != nil {
				return err
			}
		}
		return nil
	})
}

// rest gives the rows of the right table that are shown for themselves.
func (j *joinNode) rest(table map[string][]*joined, loners []*joined, w *joinWriter) error {
	var want func(m *joined) bool
	switch j.kind {
	case "rightouter", "fullouter", "rightanti":
		want = func(m *joined) bool { return !m.matched }
	case "rightsemi":
		want = func(m *joined) bool { return m.matched }
	default:
		return nil
	}
	all := loners
	for _, k := range sortedNames(table) {
		all = append(all, table[k]...)
	}
	for _, m := range all {
		if want(m) {
			if err := w.write(nil, m.row); err != nil {
				return err
			}
		}
	}
	return nil
}

// joinWriter puts rows of both sides together.
type joinWriter struct {
	j          *joinNode
	x          *execution
	out        sink
	kept       *stored
	right, buf []Value
}

func (w *joinWriter) write(left, right []Value) error {
	if err := w.x.tick(); err != nil {
		return err
	}
	if right != nil {
		w.kept.unpack(right, w.right)
	}
	for i, f := range w.j.from {
		switch {
		case f >= 0 && left != nil:
			w.buf[i] = left[f]
		case f < 0 && right != nil:
			w.buf[i] = w.right[-1-f]
		case w.j.cols[i].Type == String:
			w.buf[i] = StringValue("")
		default:
			w.buf[i] = Value{}
		}
	}
	return w.out(w.buf)
}

// join binds join and lookup.
func (b *binder) join(in plan, o *op, e *env) plan {
	if b.joins++; b.joins > MaxJoins {
		panic(fail(o.at, "the query has more than %d joins", MaxJoins))
	}
	kind := "innerunique"
	if o.name == "lookup" {
		kind = "leftouter"
	}
	if k, ok := o.opts["kind"]; ok {
		if kind = k.text; !joinKinds[kind] || o.name == "lookup" && kind != "inner" && kind != "leftouter" {
			known := []string{"inner", "leftouter"}
			if o.name == "join" {
				known = sortedNames(joinKinds)
			}
			panic(fail(k.at, "there is no kind of %s %q", o.name, kind).with(fmt.Sprint("one of ", known)))
		}
	}
	if same, ok := map[string]string{"anti": "leftanti", "leftantisemi": "leftanti", "rightantisemi": "rightanti"}[kind]; ok {
		kind = same
	}
	j := &joinNode{kind: kind, left: in, right: b.table(o.tables[0], e)}
	j.rused = make([]bool, len(j.right.columns()))
	ls := &rowScope{cols: in.columns(), use: in.use, env: e}
	rs := &rowScope{cols: j.right.columns(), use: j.right.use, env: e}
	keys := map[string]bool{}
	for _, c := range o.on {
		b.joinKey(j, c, ls, rs, keys)
	}
	j.columnsOf(o.name == "lookup", keys)
	return j
}

// joinKey binds one condition behind on: a column, or $left.a == $right.b.
func (b *binder) joinKey(j *joinNode, c *node, ls, rs *rowScope, keys map[string]bool) {
	if c.kind == nodeBinary && c.text == "and" {
		b.joinKey(j, c.kids[0], ls, rs, keys)
		b.joinKey(j, c.kids[1], ls, rs, keys)
		return
	}
	l, r := c, c
	switch {
	case c.kind == nodeName:
		keys[c.text] = true
	case c.kind == nodeBinary && c.text == "==":
		l, r = c.kids[0], c.kids[1]
		if side(l) == "$right" || side(r) == "$left" {
			l, r = r, l
		}
		if side(l) != "$left" || side(r) != "$right" {
			panic(fail(c.at, "a condition of join names one column of each side").with("$left.DeviceId == $right.DeviceId"))
		}
		l, r = sided(l), sided(r)
		if l.text == r.text {
			keys[r.text] = true
		}
	default:
		panic(fail(c.at, "join compares columns for equality only").with("on DeviceId, or on $left.a == $right.b"))
	}
	x, y := b.expr(l, ls), b.expr(r, rs)
	if !comparable(x.typ, y.typ) {
		panic(fail(c.at, "columns of the types %s and %s cannot be joined", x.typ, y.typ))
	}
	j.lkeys, j.rkeys = append(j.lkeys, x), append(j.rkeys, y)
}

// side is "$left" or "$right" of $left.a and $right.a.
func side(n *node) string {
	if n.kind == nodePath && n.kids[0].kind == nodeName {
		return n.kids[0].text
	}
	return ""
}

func sided(n *node) *node { return &node{kind: nodeName, at: n.at, text: n.text} }

// columnsOf are the columns of the result.
func (j *joinNode) columnsOf(lookup bool, keys map[string]bool) {
	names := newNamer()
	if j.kind != "rightsemi" && j.kind != "rightanti" {
		for i, c := range j.left.columns() {
			j.cols, j.from = append(j.cols, Column{names.plain(c.Name), c.Type}), append(j.from, i)
		}
	}
	if j.kind == "leftsemi" || j.kind == "leftanti" {
		return
	}
	for i, c := range j.right.columns() {
		if lookup && keys[c.Name] {
			continue
		}
		j.cols, j.from = append(j.cols, Column{names.plain(c.Name), c.Type}), append(j.from, -1-i)
	}
}
