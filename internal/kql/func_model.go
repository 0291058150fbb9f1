package kql

import (
	"math"
	"slices"
)

// longestModel is the most values of a series that a model is made of; of one that
// is longer there is none.
const longestModel = 10_000

// mostSeason is the longest season that is looked for.
const mostSeason = 400

// modelFunctions describe series: lines, seasons and what does not fit.
func modelFunctions() []function {
	real := func(names ...string) []Column {
		var out []Column
		for _, n := range names {
			out = append(out, Column{n, Real})
		}
		return out
	}
	seasons := "array [, season [, trend]]"
	return []function{
		{name: "series_stats", args: "array", doc: "min, min_idx, max, max_idx, avg, stdev and variance of an array's numbers, each a column.", min: 1, max: 2, fn: func(a []Value) Value {
			v := seriesStats(a[0])
			if v.typ != bag {
				return Value{}
			}
			return ArrayValue(v.list.items...)
		}, parts: []Column{{"min", Real}, {"min_idx", Long}, {"max", Real}, {"max_idx", Long}, {"avg", Real}, {"stdev", Real}, {"variance", Real}}},
		{name: "series_fit_line", args: "array", doc: "The line that fits an array best: rsquare, slope, variance, rvariance, interception and the line, each a column.", min: 1, max: 1, fn: func(a []Value) Value {
			l, ok := lineOf(a[0])
			if !ok {
				return Value{}
			}
			return ArrayValue(RealValue(l.rsquare), RealValue(l.slope), RealValue(l.variance), RealValue(l.rvariance), RealValue(l.start), seriesValue(l.fit))
		}, parts: append(real("rsquare", "slope", "variance", "rvariance", "interception"), Column{"line_fit", Dynamic})},
		{name: "series_fit_line_dynamic", args: "array", doc: "The line that fits an array best, as a bag.", min: 1, max: 1, result: Dynamic, f1: func(v Value) Value {
			l, ok := lineOf(v)
			if !ok {
				return Value{}
			}
			return BagValue([]string{"rsquare", "slope", "variance", "rvariance", "interception", "line_fit"}, []Value{RealValue(l.rsquare), RealValue(l.slope), RealValue(l.variance), RealValue(l.rvariance), RealValue(l.start), seriesValue(l.fit)})
		}},
		{name: "series_outliers", args: "array [, \"ctukey\" or \"tukey\"]", doc: "How far each number is outside of the middle ones: above 1.5 or below −1.5 it is an outlier.", min: 1, max: 2, result: Dynamic, fn: func(a []Value) Value {
			s, ok := seriesOf(a[0])
			if !ok {
				return Value{}
			}
			return seriesValue(outliers(s, len(a) > 1 && a[1].Text() == "tukey"))
		}},
		{name: "series_decompose", args: seasons, doc: "A series as baseline, seasonal, trend and residual, each a column. A season is a number of values, 0 for none, −1 to look for one; a trend is avg, linefit or none.", min: 1, max: 3, fn: func(a []Value) Value {
			m, ok := modelOf(a[0], a[1:])
			if !ok {
				return Value{}
			}
			return ArrayValue(seriesValue(m.baseline), seriesValue(m.seasonal), seriesValue(m.trend), seriesValue(m.residual))
		}, parts: []Column{{"baseline", Dynamic}, {"seasonal", Dynamic}, {"trend", Dynamic}, {"residual", Dynamic}}},
		{name: "series_decompose_anomalies", args: "array [, threshold [, season [, trend [, test_points [, \"ctukey\" or \"tukey\"]]]]]", doc: "Where a series is above (1) or below (−1) what its season and trend lead to expect, how far, and what was expected, each a column.", min: 1, max: 6, fn: anomalies,
			parts: []Column{{"ad_flag", Dynamic}, {"ad_score", Dynamic}, {"baseline", Dynamic}}},
	}
}

// line is a straight line through a series.
type line struct {
	slope, start                 float64
	rsquare, variance, rvariance float64
	fit                          []float64
}

func lineOf(v Value) (line, bool) {
	s, ok := seriesOf(v)
	if !ok || len(present(s)) < 2 {
		return line{}, false
	}
	return fitLine(s), true
}

// fitLine is the line of least squares; places without a number do not count.
func fitLine(s []float64) line {
	var n, mx, my, xx, xy, yy float64
	for i, y := range s {
		if math.IsNaN(y) {
			continue
		}
		n++ // Welford, for two
		dx, dy := float64(i)-mx, y-my
		mx += dx / n
		my += dy / n
		xx += dx * (float64(i) - mx)
		xy += dx * (y - my)
		yy += dy * (y - my)
	}
	l := line{fit: make([]float64, len(s))}
	if xx > 0 {
		l.slope = xy / xx
	}
	l.start = my - l.slope*mx
	rest := max(yy-l.slope*xy, 0)
	if l.rsquare = 1; yy > 0 {
		l.rsquare = 1 - rest/yy
	}
	if n > 1 {
		l.variance, l.rvariance = yy/(n-1), rest/(n-1)
	}
	for i := range l.fit {
		l.fit[i] = l.start + l.slope*float64(i)
	}
	return l
}

// model is a series taken apart: baseline is trend and season, residual the rest.
type model struct{ baseline, seasonal, trend, residual []float64 }

// modelOf makes a model of a series; args are season and trend.
func modelOf(v Value, args []Value) (m model, ok bool) {
	s, ok := seriesOf(v)
	if !ok || len(s) == 0 || len(s) > longestModel {
		return m, false
	}
	season, trend := int64(-1), "avg"
	if len(args) > 0 && args[0].numeric() {
		season = toLong(args[0]).num
	}
	if len(args) > 1 && args[1].Text() != "" {
		trend = args[1].Text()
	}
	n := len(s)
	m.trend, m.seasonal = make([]float64, n), make([]float64, n)
	switch trend {
	case "linefit":
		m.trend = fitLine(s).fit
	case "avg":
		avg := mean(present(s))
		for i := range m.trend {
			m.trend[i] = avg
		}
	}
	flat := make([]float64, n)
	for i := range s {
		flat[i] = s[i] - m.trend[i]
	}
	if season < 0 {
		season = int64(seasonOf(flat))
	}
	if season > 1 && season <= int64(n) {
		p := int(season)
		for phase := range p {
			var sum, count float64
			for i := phase; i < n; i += p {
				if !math.IsNaN(flat[i]) {
					sum, count = sum+flat[i], count+1
				}
			}
			for i := phase; i < n && count > 0; i += p {
				m.seasonal[i] = sum / count
			}
		}
	}
	m.baseline, m.residual = make([]float64, n), make([]float64, n)
	for i := range s {
		m.baseline[i] = m.trend[i] + m.seasonal[i]
		m.residual[i] = s[i] - m.baseline[i]
	}
	return m, true
}

// seasonOf is the shortest number of values after which a series is most like
// itself; 0 when no correlation is above 0.6.
func seasonOf(s []float64) int {
	at := func(i int) float64 {
		if math.IsNaN(s[i]) {
			return 0
		}
		return s[i]
	}
	own := 0.0
	for i := range s {
		own += at(i) * at(i)
	}
	best, most := 0, 0.6
	for p := 2; p <= min(len(s)/2, mostSeason) && own > 0; p++ {
		both, a, b := 0.0, 0.0, 0.0
		for i := p; i < len(s); i++ {
			both += at(i) * at(i-p)
			a += at(i) * at(i)
			b += at(i-p) * at(i-p)
		}
		if a > 0 && b > 0 && both/math.Sqrt(a*b) > most+1e-9 {
			best, most = p, both/math.Sqrt(a*b)
		}
	}
	return best
}

// outliers says how many widths of the middle numbers (10 to 90 percent of all, or
// 25 to 75) each number is outside of them. A middle without width counts as 1 wide.
func outliers(s []float64, quarters bool) []float64 {
	sorted := present(s)
	slices.Sort(sorted)
	low, high := 0.1, 0.9
	if quarters {
		low, high = 0.25, 0.75
	}
	at := func(share float64) float64 {
		f := share * float64(len(sorted)-1)
		i := int(f)
		if i+1 >= len(sorted) {
			return sorted[i]
		}
		return sorted[i] + (sorted[i+1]-sorted[i])*(f-float64(i))
	}
	out := make([]float64, len(s))
	if len(sorted) == 0 {
		return out
	}
	lo, hi := at(low), at(high)
	width := hi - lo
	if width <= 0 {
		width = 1
	}
	for i, f := range s {
		switch {
		case f > hi:
			out[i] = (f - hi) / width
		case f < lo:
			out[i] = (f - lo) / width
		}
	}
	return out
}

// anomalies is series_decompose_anomalies.
func anomalies(a []Value) Value {
	threshold := 1.5
	if len(a) > 1 && a[1].numeric() {
		threshold = a[1].float()
	}
	m, ok := modelOf(a[0], a[min(2, len(a)):min(4, len(a))])
	if !ok {
		return Value{}
	}
	score := outliers(m.residual, len(a) > 5 && a[5].Text() == "tukey")
	flags := make([]Value, len(score))
	for i, f := range score {
		flag := int64(0)
		switch {
		case f > threshold:
			flag = 1
		case f < -threshold:
			flag = -1
		}
		flags[i] = LongValue(flag)
	}
	return ArrayValue(ArrayValue(flags...), seriesValue(score), seriesValue(m.baseline))
}
