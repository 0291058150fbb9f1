package kql

import (
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
)

// aggregate is an aggregate function.
type aggregate struct {
	name string
	args string
	doc  string
	min  int
	max  int
	cond bool // the last argument is a condition
	bind func(b *binder, n *node, args []*expr) (Type, func(x *execution) accumulator)
}

// aggregate binds a call: its arguments are over rows, its result over groups.
func (b *binder) aggregate(n *node, a aggregate, s *rowScope) *expr {
	if len(n.kids) < a.min || len(n.kids) > a.max {
		panic(fail(n.at, "%s takes %s, not %d", n.text, arity(a.min, a.max), len(n.kids)).with(a.name + "(" + a.args + ")"))
	}
	args := make([]*expr, len(n.kids))
	for i, k := range n.kids {
		args[i] = b.expr(k, s.aggs.row)
	}
	var cond *expr
	if a.cond { // behind the value that is aggregated
		at := min(1, len(args)-1)
		if a.name == "countif" {
			at = 0
		}
		cond = args[at]
		b.wantBool(cond, n.kids[at].at)
		args = slices.Delete(args, at, at+1)
	}
	t, mk := a.bind(b, n, args)
	if cond != nil {
		plain := mk
		mk = func(x *execution) accumulator { return &onlyIf{cond: cond, a: plain(x)} }
	}
	return s.aggs.slotExpr(t, mk)
}

type onlyIf struct {
	cond *expr
	a    accumulator
}

func (o *onlyIf) add(row []Value) error {
	if !toBool(o.cond.eval(row)).truth() {
		return nil
	}
	return o.a.add(row)
}
func (o *onlyIf) result() Value { return o.a.result() }

// fold is an accumulator of one value.
type foldAcc struct {
	arg  *expr
	now  Value
	step func(now, v Value) Value
}

func (f *foldAcc) add(row []Value) error {
	if v := f.arg.eval(row); !v.IsNull() {
		f.now = f.step(f.now, v)
	}
	return nil
}
func (f *foldAcc) result() Value { return f.now }

func folding(first Value, step func(now, v Value) Value) func(*binder, *node, []*expr) (Type, func(*execution) accumulator) {
	return func(_ *binder, _ *node, a []*expr) (Type, func(*execution) accumulator) {
		return a[0].typ, func(*execution) accumulator { return &foldAcc{arg: a[0], now: first, step: step} }
	}
}

type countAcc struct{ n int64 }

func (c *countAcc) add([]Value) error { c.n++; return nil }
func (c *countAcc) result() Value     { return LongValue(c.n) }

func bindCount(*binder, *node, []*expr) (Type, func(*execution) accumulator) {
	return Long, func(*execution) accumulator { return &countAcc{} }
}

func bindSum(b *binder, n *node, a []*expr) (Type, func(*execution) accumulator) {
	t := a[0].typ
	if !number(t) && t != TimeSpan && t != Dynamic && t != Bool {
		panic(fail(n.kids[0].at, "%s adds numbers, not values of type %s", n.text, t).with("tolong() or todouble() makes a number of a text"))
	}
	if t == Int || t == Bool {
		t = Long
	}
	zero := map[Type]Value{Long: LongValue(0), Real: RealValue(0), TimeSpan: spanValue(0)}[t]
	return t, func(*execution) accumulator {
		return &foldAcc{arg: a[0], now: zero, step: func(now, v Value) Value {
			if now.IsNull() {
				return v
			}
			return add(now, v, 1)
		}}
	}
}

// moments are number, mean and squares of numbers.
type moments struct {
	arg       *expr
	n         float64
	mean, sum float64 // sum of squared differences (Welford)
	span      bool
	give      func(m *moments) float64
}

func (m *moments) add(row []Value) error {
	v := m.arg.eval(row)
	if !v.numeric() && v.typ != TimeSpan && v.typ != DateTime {
		return nil
	}
	m.n++
	d := v.float() - m.mean
	m.mean += d / m.n
	m.sum += d * (v.float() - m.mean)
	return nil
}
func (m *moments) result() Value {
	if m.n == 0 {
		return RealValue(math.NaN())
	}
	if m.span {
		return spanOf(m.give(m))
	}
	return RealValue(m.give(m))
}

func bindMoments(give func(m *moments) float64) func(*binder, *node, []*expr) (Type, func(*execution) accumulator) {
	return func(_ *binder, n *node, a []*expr) (Type, func(*execution) accumulator) {
		t := Real
		switch {
		case a[0].typ == TimeSpan:
			t = TimeSpan
		case !number(a[0].typ) && a[0].typ != Dynamic && a[0].typ != Bool:
			panic(fail(n.kids[0].at, "%s looks at numbers, not at values of type %s", n.text, a[0].typ))
		}
		return t, func(*execution) accumulator { return &moments{arg: a[0], span: t == TimeSpan, give: give} }
	}
}

// ExactDistinct is up to how many values dcount is exact.
const ExactDistinct = 100_000

// distinctAcc counts values: exactly up to ExactDistinct, then by an estimate.
type distinctAcc struct {
	x    *execution
	arg  *expr
	set  map[[16]byte]struct{}
	big  *sketch
	buf  []byte
	kept int
}

func (d *distinctAcc) add(row []Value) error {
	v := d.arg.eval(row)
	if v.IsNull() {
		return nil
	}
	d.buf = v.key(d.buf[:0])
	k := digest(d.buf)
	if d.big != nil {
		d.big.add(k)
		return nil
	}
	if _, ok := d.set[k]; ok {
		return nil
	}
	if len(d.set) == ExactDistinct {
		d.big = &sketch{}
		for o := range d.set {
			d.big.add(o)
		}
		d.big.add(k)
		d.set = nil
		d.x.free(d.kept)
		d.x.note(fmt.Sprintf("dcount is an estimate where there are more than %d different values (about 1 %% off).", ExactDistinct))
		return d.x.keep(sketchSize)
	}
	d.set[k] = struct{}{}
	d.kept += 40
	return d.x.keep(40)
}

func (d *distinctAcc) result() Value {
	if d.big != nil {
		return LongValue(d.big.count())
	}
	return LongValue(int64(len(d.set)))
}

// digest is a key of 16 bytes: the bytes themselves when they are fewer.
func digest(b []byte) (out [16]byte) {
	if len(b) < 16 {
		copy(out[:], b)
		out[15] = byte(len(b))
		return out
	}
	h := sha256.Sum256(b)
	copy(out[:], h[:])
	out[15] |= 0x80
	return out
}

func bindDistinct(_ *binder, _ *node, a []*expr) (Type, func(*execution) accumulator) {
	return Long, func(x *execution) accumulator { return &distinctAcc{x: x, arg: a[0], set: map[[16]byte]struct{}{}} }
}

// listAcc collects values.
type listAcc struct {
	x     *execution
	arg   *expr
	most  int
	seen  map[string]bool // of a set
	nulls bool            // places without a value count
	list  []Value
	buf   []byte
}

func (l *listAcc) add(row []Value) error {
	v := l.arg.eval(row)
	if v.IsNull() && !l.nulls || len(l.list) == l.most {
		return nil
	}
	size := v.size()
	if l.seen != nil {
		l.buf = v.key(l.buf[:0])
		if l.seen[string(l.buf)] {
			return nil
		}
		l.seen[string(l.buf)] = true
		size += len(l.buf) + 32
	}
	l.list = append(l.list, v)
	if len(l.list) == l.most && l.most == maxCollected {
		l.x.note(fmt.Sprintf("An array has the first %d values only.", maxCollected))
	}
	return l.x.keep(size)
}
func (l *listAcc) result() Value { return ArrayValue(l.list...) }

// maxCollected is the most values of make_set and make_list.
const maxCollected = 1 << 20

func bindList(set bool) func(*binder, *node, []*expr) (Type, func(*execution) accumulator) {
	return func(_ *binder, n *node, a []*expr) (Type, func(*execution) accumulator) {
		most := maxCollected
		if len(a) > 1 {
			if !a[1].konst || !number(a[1].typ) || a[1].value().num < 1 {
				panic(fail(n.kids[len(n.kids)-1].at, "the most values must be a number from 1 on"))
			}
			most = int(min(a[1].value().num, maxCollected))
		}
		return Dynamic, func(x *execution) accumulator {
			l := &listAcc{x: x, arg: a[0], most: most, nulls: n.text == "make_list_with_nulls"}
			if set {
				l.seen = map[string]bool{}
			}
			return l
		}
	}
}

// bagAcc joins bags.
type bagAcc struct {
	x   *execution
	arg *expr
	m   bagMaker
}

func (b *bagAcc) add(row []Value) error {
	v := asDynamic(b.arg.eval(row))
	if v.typ != bag {
		return nil
	}
	for i, k := range v.list.keys {
		if b.m.find(k) < 0 {
			b.m.put(k, v.list.items[i])
			if err := b.x.keep(len(k) + 16 + v.list.items[i].size()); err != nil {
				return err
			}
		}
	}
	return nil
}
func (b *bagAcc) result() Value { return b.m.value() }

func bindBag(_ *binder, _ *node, a []*expr) (Type, func(*execution) accumulator) {
	return Dynamic, func(x *execution) accumulator { return &bagAcc{x: x, arg: a[0]} }
}

// rankAcc keeps numbers for percentiles.
type rankAcc struct {
	x    *execution
	arg  *expr
	at   []float64
	many bool
	all  []Value
}

func (r *rankAcc) add(row []Value) error {
	v := r.arg.eval(row)
	if v.IsNull() {
		return nil
	}
	r.all = append(r.all, v)
	return r.x.keep(40)
}

// result is by nearest rank: exact.
func (r *rankAcc) result() Value {
	slices.SortFunc(r.all, compare)
	out := make([]Value, len(r.at))
	for i, p := range r.at {
		if n := len(r.all); n > 0 {
			k := int(math.Ceil(p/100*float64(n))) - 1
			out[i] = r.all[min(max(k, 0), n-1)]
		}
	}
	if r.many {
		return ArrayValue(out...)
	}
	return out[0]
}

func ranks(n *node, a []*expr) []float64 {
	var at []float64
	for i, x := range a[1:] {
		if !x.konst || !number(x.typ) || !(x.value().float() >= 0 && x.value().float() <= 100) {
			panic(fail(n.kids[i+1].at, "a percentile is a number from 0 to 100"))
		}
		at = append(at, x.value().float())
	}
	return at
}

func bindRank(_ *binder, n *node, a []*expr) (Type, func(*execution) accumulator) {
	if t := a[0].typ; !number(t) && t != TimeSpan && t != DateTime && t != Dynamic {
		panic(fail(n.kids[0].at, "%s looks at numbers, not at values of type %s", n.text, t))
	}
	at := ranks(n, a)
	return a[0].typ, func(x *execution) accumulator { return &rankAcc{x: x, arg: a[0], at: at} }
}

var aggregates = aggregateTable()

func aggregateTable() map[string]aggregate {
	larger := func(sign int) func(now, v Value) Value {
		return func(now, v Value) Value {
			if now.IsNull() || compare(v, now)*sign > 0 {
				return v
			}
			return now
		}
	}
	any := folding(Value{}, func(now, v Value) Value {
		if now.IsNull() || now.typ == String && now.text == "" {
			return v
		}
		return now
	})
	bits := func(f func(a, b int64) int64) func(now, v Value) Value {
		return func(now, v Value) Value { return LongValue(f(now.num, toLong(v).num)) }
	}
	avg := bindMoments(func(m *moments) float64 { return m.mean })
	sample := func(m *moments) float64 {
		if m.n < 2 {
			return 0
		}
		return m.sum / (m.n - 1)
	}
	list := []aggregate{
		{"count", "", "How many rows there are.", 0, 0, false, bindCount},
		{"countif", "condition", "How many rows meet a condition.", 1, 1, true, bindCount},
		{"dcount", "value [, accuracy]", "How many different values there are: exact up to 100,000.", 1, 2, false, bindDistinct},
		{"dcountif", "value, condition [, accuracy]", "How many different values rows have that meet a condition.", 2, 3, true, bindDistinct},
		{"count_distinct", "value", "How many different values there are.", 1, 1, false, bindDistinct},
		{"count_distinctif", "value, condition", "How many different values rows have that meet a condition.", 2, 2, true, bindDistinct},
		{"sum", "number", "The sum.", 1, 1, false, bindSum},
		{"sumif", "number, condition", "The sum of rows that meet a condition.", 2, 2, true, bindSum},
		{"avg", "number", "The mean.", 1, 1, false, avg},
		{"avgif", "number, condition", "The mean of rows that meet a condition.", 2, 2, true, avg},
		{"min", "value", "The smallest value.", 1, 1, false, folding(Value{}, larger(-1))},
		{"minif", "value, condition", "The smallest value of rows that meet a condition.", 2, 2, true, folding(Value{}, larger(-1))},
		{"max", "value", "The largest value.", 1, 1, false, folding(Value{}, larger(1))},
		{"maxif", "value, condition", "The largest value of rows that meet a condition.", 2, 2, true, folding(Value{}, larger(1))},
		{"take_any", "value, value …", "The values of some row.", 1, 1, false, any},
		{"take_anyif", "value, condition", "The value of some row that meets a condition.", 2, 2, true, any},
		{"make_set", "value [, most]", "Every value, once, as an array.", 1, 2, false, bindList(true)},
		{"make_set_if", "value, condition [, most]", "Every value of rows that meet a condition, once.", 2, 3, true, bindList(true)},
		{"make_list", "value [, most]", "All values as an array.", 1, 2, false, bindList(false)},
		{"make_list_with_nulls", "value [, most]", "All values as an array, null where there is none.", 1, 2, false, bindList(false)},
		{"make_list_if", "value, condition [, most]", "All values of rows that meet a condition.", 2, 3, true, bindList(false)},
		{"make_bag", "bag", "The members of all bags.", 1, 1, false, bindBag},
		{"make_bag_if", "bag, condition", "The members of bags of rows that meet a condition.", 2, 2, true, bindBag},
		{"percentile", "number, percent", "The value that a share of all is not above (by nearest rank, exact).", 2, 2, false, bindRank},
		{"stdev", "number", "The standard deviation of a sample.", 1, 1, false, bindMoments(func(m *moments) float64 { return math.Sqrt(sample(m)) })},
		{"stdevif", "number, condition", "The standard deviation of rows that meet a condition.", 2, 2, true, bindMoments(func(m *moments) float64 { return math.Sqrt(sample(m)) })},
		{"stdevp", "number", "The standard deviation of all.", 1, 1, false, bindMoments(func(m *moments) float64 { return math.Sqrt(m.sum / m.n) })},
		{"stdevpif", "number, condition", "The standard deviation of all rows that meet a condition.", 2, 2, true, bindMoments(func(m *moments) float64 { return math.Sqrt(m.sum / m.n) })},
		{"binary_all_and", "number", "The bits that all numbers have.", 1, 1, false, folding(LongValue(-1), bits(func(a, b int64) int64 { return a & b }))},
		{"binary_all_or", "number", "The bits that any number has.", 1, 1, false, folding(LongValue(0), bits(func(a, b int64) int64 { return a | b }))},
		{"binary_all_xor", "number", "The bits that an odd count of numbers has.", 1, 1, false, folding(LongValue(0), bits(func(a, b int64) int64 { return a ^ b }))},
		{"variancep", "number", "The variance of all.", 1, 1, false, bindMoments(func(m *moments) float64 { return m.sum / m.n })},
		{"varianceif", "number, condition", "The variance of rows that meet a condition.", 2, 2, true, bindMoments(sample)},
		{"variance", "number", "The variance of a sample.", 1, 1, false, bindMoments(sample)},
	}
	out := map[string]aggregate{}
	for _, a := range list {
		out[a.name] = a
	}
	for alias, name := range map[string]string{"any": "take_any", "anyif": "take_anyif", "makeset": "make_set", "makelist": "make_list"} {
		a := out[name]
		a.name = alias
		out[alias] = a
	}
	return out
}
