package kql

import "math"

// resultOf is the type of an arithmetic expression; Null when there is none.
func resultOf(op string, l, r Type) Type {
	if l == Null || r == Null {
		if l == Null {
			l, r = r, l
		}
		if l == Null {
			return Real
		}
		return l
	}
	switch {
	case l == Dynamic || r == Dynamic:
		return Dynamic
	case number(l) && number(r):
		if l == Real || r == Real {
			return Real
		}
		return Long
	case l == DateTime && r == DateTime && op == "-":
		return TimeSpan
	case l == DateTime && r == TimeSpan && (op == "+" || op == "-"):
		return DateTime
	case l == TimeSpan && r == DateTime && op == "+":
		return DateTime
	case l == TimeSpan && r == TimeSpan:
		switch op {
		case "/":
			return Real
		case "*":
			return Null
		}
		return TimeSpan
	case l == TimeSpan && number(r) && (op == "*" || op == "/"), number(l) && r == TimeSpan && op == "*":
		return TimeSpan
	}
	return Null
}

func (b *binder) arithmetic(n *node, l, r *expr) *expr {
	t := resultOf(n.text, l.typ, r.typ)
	if t == Null {
		f := fail(n.at, "there is no %s of values of the types %s and %s", n.text, l.typ, r.typ)
		if n.text == "+" && (l.typ == String || r.typ == String) {
			f = f.with("strcat() joins texts")
		}
		panic(f)
	}
	op := n.text
	return made(op, t, []*expr{l, r}, func(row []Value) Value { return calculate(op, l.eval(row), r.eval(row)) })
}

// calculate computes; null when it cannot be.
func calculate(op string, a, b Value) Value {
	if a.IsNull() || b.IsNull() {
		return Value{}
	}
	switch op {
	case "+":
		return add(a, b, 1)
	case "-":
		return add(a, b, -1)
	case "*":
		return multiply(a, b)
	case "/":
		return divide(a, b)
	}
	if a.typ == Real || b.typ == Real {
		if a.numeric() && b.numeric() {
			return RealValue(math.Mod(a.float(), b.float()))
		}
		return Value{}
	}
	whole := func(v Value) bool { return v.numeric() || v.typ == TimeSpan }
	if !whole(a) || !whole(b) || b.num == 0 || b.num == -1 {
		if b.num == -1 && whole(a) && whole(b) {
			return Value{typ: a.typ}
		}
		return Value{}
	}
	m := a.num % b.num
	if m < 0 { // the rest is never below zero
		m += max(b.num, -b.num)
	}
	if a.typ == TimeSpan {
		return spanValue(m)
	}
	return LongValue(m)
}

func add(a, b Value, sign int64) Value {
	switch {
	case a.numeric() && b.numeric():
		if a.typ == Real || b.typ == Real {
			return RealValue(a.float() + float64(sign)*b.float())
		}
		return LongValue(a.num + sign*b.num)
	case a.typ == DateTime && b.typ == DateTime && sign < 0:
		return spanValue(a.num - b.num)
	case a.typ == DateTime && b.typ == TimeSpan:
		return ticksValue(a.num + sign*b.num)
	case a.typ == TimeSpan && b.typ == DateTime && sign > 0:
		return ticksValue(a.num + b.num)
	case a.typ == TimeSpan && b.typ == TimeSpan:
		return spanValue(a.num + sign*b.num)
	}
	return Value{}
}

func multiply(a, b Value) Value {
	if b.typ == TimeSpan {
		a, b = b, a
	}
	switch {
	case a.typ == TimeSpan && b.numeric():
		if b.typ == Real {
			return spanOf(float64(a.num) * b.float())
		}
		return spanValue(a.num * b.num)
	case a.numeric() && b.numeric():
		if a.typ == Real || b.typ == Real {
			return RealValue(a.float() * b.float())
		}
		return LongValue(a.num * b.num)
	}
	return Value{}
}

func spanOf(f float64) Value {
	if math.IsNaN(f) || math.Abs(f) >= 1<<63 {
		return Value{}
	}
	return spanValue(int64(f))
}

func divide(a, b Value) Value {
	switch {
	case a.typ == TimeSpan && b.typ == TimeSpan:
		return RealValue(float64(a.num) / float64(b.num))
	case a.typ == TimeSpan && b.numeric():
		return spanOf(float64(a.num) / b.float())
	case a.numeric() && b.numeric():
		if a.typ == Real || b.typ == Real {
			return RealValue(a.float() / b.float())
		}
		if b.num == 0 {
			return Value{}
		}
		if b.num == -1 {
			return LongValue(-a.num)
		}
		return LongValue(a.num / b.num)
	}
	return Value{}
}

// binOf rounds a value down to a multiple of a step; null when it cannot be.
func binOf(v, step Value) Value {
	switch {
	case v.typ == DateTime && step.typ == TimeSpan && step.num > 0:
		const epoch = 621355968000000000 // ticks from the year 1 to 1970
		n := v.num + epoch
		return ticksValue(n - modulo(n, step.num) - epoch)
	case v.typ == TimeSpan && step.typ == TimeSpan && step.num > 0:
		return spanValue(v.num - modulo(v.num, step.num))
	case v.typ == Real && step.numeric() || v.numeric() && step.typ == Real:
		s := step.float()
		if s <= 0 {
			return Value{}
		}
		return RealValue(math.Floor(v.float()/s) * s)
	case v.numeric() && step.numeric() && step.num > 0:
		return LongValue(v.num - modulo(v.num, step.num))
	}
	return Value{}
}

func modulo(n, m int64) int64 {
	if r := n % m; r < 0 {
		return r + m
	} else {
		return r
	}
}
