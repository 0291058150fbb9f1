package kql

import "math"

// seriesOf are the numbers of a series; NaN where there is none. False when it is no series.
func seriesOf(v Value) ([]float64, bool) {
	if v = asDynamic(v); v.typ != array {
		return nil, false
	}
	out := make([]float64, len(v.list.items))
	for i, e := range v.list.items {
		if out[i] = math.NaN(); e.numeric() {
			out[i] = e.float()
		}
	}
	return out, true
}

// seriesValue is a series of numbers; null in the places that have none.
func seriesValue(s []float64) Value {
	items := make([]Value, len(s))
	for i, f := range s {
		if !math.IsNaN(f) {
			items[i] = RealValue(f)
		}
	}
	return ArrayValue(items...)
}

// present are the numbers of a series that are there.
func present(s []float64) []float64 {
	out := make([]float64, 0, len(s))
	for _, f := range s {
		if !math.IsNaN(f) {
			out = append(out, f)
		}
	}
	return out
}

// moreSeriesFunctions work on series place by place, and add them up.
func moreSeriesFunctions() []function {
	each := func(name, doc string, f func(float64) float64) function {
		return function{name: name, args: "array", doc: doc, min: 1, max: 1, result: Dynamic, f1: func(v Value) Value {
			s, ok := seriesOf(v)
			if !ok {
				return Value{}
			}
			for i := range s {
				s[i] = f(s[i])
			}
			return seriesValue(s)
		}}
	}
	compared := func(name, doc, op string) function {
		return function{name: name, args: "array, array", doc: doc, min: 2, max: 2, result: Dynamic, f2: func(a, b Value) Value {
			return placeByPlace(a, b, func(x, y Value) Value { return comparison(op, x, y) })
		}}
	}
	both := func(name, doc string, f func(x, y []float64) float64) function {
		return function{name: name, args: "array, array", doc: doc, min: 2, max: 2, result: Real, f2: func(a, b Value) Value {
			x, ok1 := seriesOf(a)
			y, ok2 := seriesOf(b)
			if !ok1 || !ok2 || len(x) != len(y) || len(x) == 0 {
				return Value{}
			}
			r := f(x, y)
			if math.IsNaN(r) {
				return Value{}
			}
			return RealValue(r)
		}}
	}
	one := func(name, doc string, f func(s []float64) float64) function {
		return function{name: name, args: "array", doc: doc, min: 1, max: 1, result: Real, f1: func(v Value) Value {
			s, ok := seriesOf(v)
			if !ok {
				return Value{}
			}
			return RealValue(f(present(s)))
		}}
	}
	dot := func(x, y []float64) float64 {
		sum := 0.0
		for i := range x {
			sum += x[i] * y[i]
		}
		return sum
	}
	return []function{
		each("series_abs", "The numbers of an array without their signs.", math.Abs), each("series_ceiling", "The numbers of an array rounded up.", math.Ceil), each("series_floor", "The numbers of an array rounded down.", math.Floor),
		each("series_exp", "The powers of e by the numbers of an array.", math.Exp), each("series_log", "The natural logarithms of the numbers of an array.", math.Log),
		each("series_sign", "The signs of the numbers of an array: −1, 0 or 1.", func(f float64) float64 {
			switch {
			case f > 0:
				return 1
			case f < 0:
				return -1
			}
			return f
		}),
		{name: "series_pow", args: "array, array", doc: "The powers of two arrays, place by place.", min: 2, max: 2, result: Dynamic, f2: func(a, b Value) Value {
			return placeByPlace(a, b, func(x, y Value) Value { return RealValue(math.Pow(x.float(), y.float())) })
		}},
		compared("series_greater", "Whether numbers of an array are above those of another.", ">"), compared("series_greater_equals", "Whether numbers of an array are not below those of another.", ">="),
		compared("series_less", "Whether numbers of an array are below those of another.", "<"), compared("series_less_equals", "Whether numbers of an array are not above those of another.", "<="),
		compared("series_equals", "Whether numbers of two arrays are the same.", "=="), compared("series_not_equals", "Whether numbers of two arrays are different.", "!="),
		one("series_sum", "The sum of an array's numbers.", func(s []float64) float64 {
			sum := 0.0
			for _, f := range s {
				sum += f
			}
			return sum
		}),
		one("series_product", "The product of an array's numbers.", func(s []float64) float64 {
			product := 1.0
			for _, f := range s {
				product *= f
			}
			return product
		}),
		one("series_magnitude", "The length of an array as a vector.", func(s []float64) float64 { return math.Sqrt(dot(s, s)) }),
		both("series_dot_product", "The dot product of two arrays.", dot),
		both("series_cosine_similarity", "How far two arrays point the same way, 1 to −1.", func(x, y []float64) float64 { return dot(x, y) / math.Sqrt(dot(x, x)*dot(y, y)) }),
		both("series_pearson_correlation", "How far two arrays rise and fall together, 1 to −1.", func(x, y []float64) float64 {
			mx, my := mean(x), mean(y)
			var xy, xx, yy float64
			for i := range x {
				xy += (x[i] - mx) * (y[i] - my)
				xx += (x[i] - mx) * (x[i] - mx)
				yy += (y[i] - my) * (y[i] - my)
			}
			return xy / math.Sqrt(xx*yy)
		}),
		{name: "series_fill_backward", args: "array", doc: "The array with the value behind in the places that have none.", min: 1, max: 1, result: Dynamic, f1: func(v Value) Value {
			if v = asDynamic(v); v.typ != array {
				return Value{}
			}
			items := append([]Value{}, v.list.items...)
			for i := len(items) - 2; i >= 0; i-- {
				if items[i].IsNull() {
					items[i] = items[i+1]
				}
			}
			return ArrayValue(items...)
		}},
		{name: "series_fill_linear", args: "array", doc: "The array with values on the line between their neighbours in the places that have none; at the ends the nearest.", min: 1, max: 1, result: Dynamic, f1: func(v Value) Value {
			s, ok := seriesOf(v)
			if !ok {
				return Value{}
			}
			last := -1
			for i, f := range s {
				if math.IsNaN(f) {
					continue
				}
				for k := last + 1; k < i; k++ {
					if s[k] = f; last >= 0 {
						s[k] = s[last] + (f-s[last])*float64(k-last)/float64(i-last)
					}
				}
				last = i
			}
			for k := last + 1; k < len(s) && last >= 0; k++ {
				s[k] = s[last]
			}
			return seriesValue(s)
		}},
	}
}

// placeByPlace is a function of the numbers of two arrays in the same places; of
// an array and a number, of each and the number. Null where either has none.
func placeByPlace(a, b Value, f func(x, y Value) Value) Value {
	a, b = asDynamic(a), asDynamic(b)
	n := 0
	for _, v := range []Value{a, b} {
		if v.typ == array {
			n = max(n, len(v.list.items))
		}
	}
	items := make([]Value, n)
	for i := range items {
		x, y := a, b
		if a.typ == array {
			x = a.at(int64(i))
		}
		if b.typ == array {
			y = b.at(int64(i))
		}
		if x.numeric() && y.numeric() {
			items[i] = f(toReal(x), toReal(y))
		}
	}
	return ArrayValue(items...)
}

func mean(s []float64) float64 {
	sum := 0.0
	for _, f := range s {
		sum += f
	}
	return sum / float64(max(len(s), 1))
}
