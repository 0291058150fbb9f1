package kql

import (
	"fmt"
	"math"
	"slices"
)

// maxSeries is the most values of one series.
const maxSeries = 100_000

// seriesNode makes arrays of aggregates in even steps on an axis, for every group.
type seriesNode struct {
	in             plan
	cols           []Column
	by             []*expr
	axis           *expr
	from, to, step *expr // from and to may be nil
	slots          []*slot
	exprs          []*expr // over the groups' values and results
	other          []Value // of steps without rows
	always         bool    // a series even of no rows
}

func (s *seriesNode) input() plan       { return s.in }
func (s *seriesNode) columns() []Column { return s.cols }
func (s *seriesNode) use(int)           {}
func (s *seriesNode) push(c *expr) {
	pushThrough(s.in, c, func(i int) int {
		if i < len(s.by) {
			return s.by[i].col
		}
		return -1
	})
}

// conditions are what every row meets that is in a series.
func (s *seriesNode) conditions() (out []*expr) {
	for op, bound := range map[string]*expr{">=": s.from, "<": s.to} {
		if bound != nil {
			out = append(out, &expr{typ: Bool, col: -1, op: op, args: []*expr{s.axis, bound}})
		}
	}
	return out
}

// axisOf counts steps on the axis: step 0 begins at the origin.
type axisOf struct {
	origin, step Value
	typ          Type
}

// number is the step that a value is in, as a number; false when it is no value of the axis.
func (a *axisOf) number(v Value) (int64, bool) {
	if a.typ == Real {
		f := math.Floor((v.float() - a.origin.float()) / a.step.float())
		return int64(f), v.numeric() && f > -(1<<53) && f < 1<<53
	}
	d := v.num - a.origin.num
	return (d - modulo(d, a.step.num)) / a.step.num, v.kind() == a.origin.kind()
}

// at is where a step begins.
func (a *axisOf) at(n int64) Value {
	if a.typ == Real {
		return RealValue(a.origin.float() + float64(n)*a.step.float())
	}
	v := a.origin
	v.num += n * a.step.num
	return v
}

type seriesGroup struct {
	by          []Value
	steps       map[int64][]accumulator
	first, last int64
}

// bounds evaluates from, to and step.
func (s *seriesNode) bounds() (a *axisOf, from, to Value, err error) {
	a = &axisOf{typ: s.axis.typ, step: s.step.eval(nil)}
	if a.step.typ == Real || s.from != nil && s.from.typ == Real {
		a.typ = Real
	}
	if s.from != nil {
		from = s.from.eval(nil)
		a.origin = from
	}
	if s.to != nil {
		to = s.to.eval(nil)
	}
	if a.step.IsNull() || a.step.typ != Real && a.step.num <= 0 || a.step.typ == Real && !(a.step.float() > 0) || s.from != nil && from.IsNull() || s.to != nil && to.IsNull() {
		return nil, from, to, &LimitError{"make-series needs a step above zero, and bounds that are values"}
	}
	if s.from == nil {
		switch a.typ {
		case DateTime:
			a.origin = binOf(ticksValue(0), a.step)
		case TimeSpan:
			a.origin = spanValue(0)
		default:
			a.origin = LongValue(0)
		}
	}
	return a, from, to, nil
}

func (s *seriesNode) run(x *execution, out sink) error {
	a, from, to, err := s.bounds()
	if err != nil {
		return err
	}
	groups := map[string]*seriesGroup{}
	var order []*seriesGroup
	var key []byte
	err = s.in.run(x, func(row []Value) error {
		v := s.axis.eval(row)
		n, ok := a.number(v)
		if v.IsNull() || !ok || !from.IsNull() && compare(v, from) < 0 || !to.IsNull() && compare(v, to) >= 0 {
			return nil
		}
		key = key[:0]
		for _, e := range s.by {
			key = e.eval(row).key(key)
		}
		g := groups[string(key)]
		if g == nil {
			g = &seriesGroup{steps: map[int64][]accumulator{}, first: n, last: n}
			size := len(key) + 200
			for _, e := range s.by {
				g.by = append(g.by, e.eval(row))
				size += g.by[len(g.by)-1].size()
			}
			groups[string(key)] = g
			order = append(order, g)
			if err := x.keep(size); err != nil {
				return err
			}
		}
		g.first, g.last = min(g.first, n), max(g.last, n)
		accs := g.steps[n]
		if accs == nil {
			accs = make([]accumulator, len(s.slots))
			for i, sl := range s.slots {
				accs[i] = sl.make(x)
			}
			g.steps[n] = accs
			if err := x.keep(64 + 64*len(accs)); err != nil {
				return err
			}
		}
		for _, acc := range accs {
			if err := acc.add(row); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(order) == 0 && s.always && len(s.by) == 0 && s.from != nil && s.to != nil {
		order = append(order, &seriesGroup{})
	}
	for _, g := range order {
		if s.from != nil {
			g.first = 0
		}
		if s.to != nil {
			g.last, _ = a.number(to)
			if compare(a.at(g.last), to) >= 0 {
				g.last--
			}
		}
		if err := s.give(x, a, g, out); err != nil {
			return err
		}
	}
	return nil
}

// give makes the row of a group.
func (s *seriesNode) give(x *execution, a *axisOf, g *seriesGroup, out sink) error {
	n := g.last - g.first + 1
	if g.last < g.first {
		n = 0
	}
	if n > maxSeries || n < 0 {
		return &LimitError{fmt.Sprintf("a series of make-series has more than %d values: take a longer step, or bounds that are nearer", maxSeries)}
	}
	size := 48 * int(n) * (len(s.exprs) + 1)
	if err := x.keep(size); err != nil {
		return err
	}
	defer x.free(size)
	lists := make([][]Value, len(s.exprs)+1)
	row := make([]Value, len(s.by)+len(s.slots))
	copy(row, g.by)
	for at := g.first; at < g.first+n; at++ {
		if err := x.tick(); err != nil {
			return err
		}
		accs := g.steps[at]
		for i, acc := range accs {
			row[len(s.by)+i] = acc.result()
		}
		for i, e := range s.exprs {
			v := s.other[i]
			if accs != nil {
				v = e.eval(row)
			}
			lists[i] = append(lists[i], v)
		}
		lists[len(s.exprs)] = append(lists[len(s.exprs)], a.at(at))
	}
	made := slices.Clone(g.by)
	for _, l := range lists {
		made = append(made, ArrayValue(l...))
	}
	return out(made)
}

// series binds make-series.
func (b *binder) series(in plan, o *op, e *env) plan {
	rows := &rowScope{cols: in.columns(), use: in.use, env: e}
	s := &seriesNode{in: in}
	names := newNamer()
	for _, n := range o.by {
		x := b.expr(n.expr, rows)
		s.by = append(s.by, x)
		s.cols = append(s.cols, Column{names.give(n, describe(n.expr), ""), x.typ})
	}
	ag := &aggScope{row: rows, width: len(s.by)}
	groups := &rowScope{cols: slices.Clone(s.cols), env: e, aggs: ag}
	for _, n := range o.list {
		before := len(ag.slots)
		x := b.expr(n.expr, groups)
		if len(ag.slots) == before {
			panic(fail(n.expr.at, "there is no aggregate in this part of make-series").with("columns to group by stand behind by"))
		}
		other := LongValue(0)
		if !number(x.typ) && x.typ != Bool {
			other = Value{}
		}
		if n.value != nil {
			d := b.expr(n.value, &rowScope{env: e})
			if !d.konst || !comparable(d.typ, x.typ) {
				panic(fail(n.value.at, "the default must be a constant of type %s", x.typ))
			}
			other = d.value()
		}
		s.exprs, s.other = append(s.exprs, x), append(s.other, whole(other, x.typ))
		s.cols = append(s.cols, Column{names.give(n, "", aggregateName(n.expr)), Dynamic})
	}
	s.slots = ag.slots
	s.axis = b.expr(o.on[0], rows)
	s.cols = append(s.cols, Column{names.give(&named{at: o.on[0].at, name: describe(o.on[0])}, "", ""), Dynamic})
	b.seriesBounds(s, o, e)
	if k, ok := o.opts["kind"]; ok {
		if s.always = k.text == "nonempty"; !s.always {
			panic(fail(k.at, "there is no kind of make-series %q", k.text).with("nonempty gives a series where there are no rows"))
		}
	}
	return s
}

// seriesBounds binds from, to and step.
func (b *binder) seriesBounds(s *seriesNode, o *op, e *env) {
	t := s.axis.typ
	if !number(t) && t != DateTime && t != TimeSpan {
		panic(fail(o.on[0].at, "the axis of make-series is a number, an instant or a span of time, not a value of type %s", t))
	}
	var v [3]*expr
	for i, n := range o.vals {
		if n == nil {
			continue
		}
		v[i] = b.expr(n, &rowScope{env: e})
		want := t
		if i == 2 && t == DateTime {
			want = TimeSpan
		}
		v[i] = literalAs(v[i], want)
		if v[i].typ != want && !(number(v[i].typ) && number(want)) {
			panic(fail(n.at, "a value of type %s is expected here, not %s", want, v[i].typ))
		}
	}
	s.from, s.to, s.step = v[0], v[1], v[2]
}
