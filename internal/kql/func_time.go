package kql

import (
	"strconv"
	"strings"
	"time"
)

func timeFunctions() []function {
	when := []Type{DateTime}
	span := func(v Value, f func(time.Time) time.Time) Value {
		if v.typ != DateTime {
			return Value{}
		}
		return ticksValue(ticksOf(f(timeOf(v.num))))
	}
	out := []function{
		{name: "now", args: "[offset]", doc: "The instant at which the query began.", min: 0, max: 1, wants: []Type{TimeSpan}, bind: func(b *binder, _ *node, _ *rowScope, a []*expr) *expr {
			v := ticksValue(b.now)
			if len(a) == 1 && a[0].konst {
				v = add(v, a[0].value(), 1)
			}
			return constant(v, DateTime)
		}},
		{name: "ago", args: "span", doc: "The instant a span of time ago.", min: 1, max: 1, wants: []Type{TimeSpan}, bind: func(b *binder, _ *node, _ *rowScope, a []*expr) *expr {
			now := ticksValue(b.now)
			return made("ago", DateTime, a, func(row []Value) Value { return add(now, a[0].eval(row), -1) })
		}},
		{name: "datetime_add", args: "part, number, instant", doc: "Adds years, months, days … to an instant.", min: 3, max: 3, result: DateTime, wants: []Type{String, Long, DateTime}, fn: func(a []Value) Value {
			return timeAdd(a[0].text, a[1], a[2])
		}},
		{name: "datetime_diff", args: "part, later, earlier", doc: "How many borders of years, months, days … lie between two instants.", min: 3, max: 3, result: Long, wants: []Type{String, DateTime, DateTime}, fn: func(a []Value) Value {
			x, ok1 := partNumber(a[0].text, a[1])
			y, ok2 := partNumber(a[0].text, a[2])
			if !ok1 || !ok2 {
				return Value{}
			}
			return LongValue(x - y)
		}},
		{name: "datetime_part", args: "part, instant", doc: "The year, month, day, hour … of an instant.", min: 2, max: 2, result: Long, wants: []Type{String, DateTime}, f2: func(a, v Value) Value { return partOf(a.text, v) }},
		{name: "dayofweek", args: "instant", doc: "Days since Sunday, as a span of time.", min: 1, max: 1, result: TimeSpan, wants: when, f1: func(v Value) Value {
			if v.IsNull() {
				return v
			}
			return spanValue(int64(v.Time().Weekday()) * tickDay)
		}},
		{name: "format_datetime", args: "instant, format", doc: "An instant in a form such as 'yyyy-MM-dd HH:mm:ss'.", min: 2, max: 2, result: String, wants: []Type{DateTime, String}, f2: func(v, f Value) Value {
			if v.IsNull() {
				return StringValue("")
			}
			return StringValue(formatTime(v.num, f.text))
		}},
		{name: "format_timespan", args: "span, format", doc: "A span of time in a form such as 'd.hh:mm:ss'.", min: 2, max: 2, result: String, wants: []Type{TimeSpan, String}, f2: func(v, f Value) Value {
			if v.IsNull() {
				return StringValue("")
			}
			return StringValue(formatSpan(v.num, f.text))
		}},
		{name: "make_datetime", args: "year, month, day [, hour, minute, second]", doc: "An instant of its parts.", min: 3, max: 6, result: DateTime, wants: []Type{Long}, fn: makeTime},
		{name: "make_timespan", args: "[day,] hour, minute [, second]", doc: "A span of its parts.", min: 2, max: 4, result: TimeSpan, wants: []Type{Long}, fn: func(a []Value) Value {
			unit := [][]int64{{tickHour, tickMinute}, {tickHour, tickMinute, tickSecond}, {tickDay, tickHour, tickMinute, tickSecond}}[len(a)-2]
			var n int64
			for i, v := range a {
				if v.IsNull() || v.num < 0 || v.num > 1<<20 {
					return Value{}
				}
				n += v.num * unit[i]
			}
			return spanValue(n)
		}},
		{name: "unixtime_seconds_todatetime", args: "seconds", doc: "An instant of seconds since 1970.", min: 1, max: 1, result: DateTime, wants: []Type{Long}, f1: func(v Value) Value { return unix(v, tickSecond) }},
		{name: "unixtime_milliseconds_todatetime", args: "milliseconds", doc: "An instant of milliseconds since 1970.", min: 1, max: 1, result: DateTime, wants: []Type{Long}, f1: func(v Value) Value { return unix(v, tickSecond/1000) }},
	}
	for _, p := range []struct{ name, doc string }{{"hourofday", "hour"}, {"dayofmonth", "day"}, {"dayofyear", "dayofyear"}, {"monthofyear", "month"}, {"getmonth", "month"}, {"getyear", "year"}, {"week_of_year", "week"}} {
		part := p.doc
		out = append(out, function{name: p.name, args: "instant", doc: "The " + part + " of an instant, as a number.", min: 1, max: 1, result: Long, wants: when, f1: func(v Value) Value { return partOf(part, v) }})
	}
	for _, u := range []string{"hour", "day", "week", "month", "year"} {
		out = append(out,
			function{name: "startof" + u, args: "instant [, offset]", doc: "The beginning of the " + u + " of an instant.", min: 1, max: 2, result: DateTime, wants: []Type{DateTime, Long}, fn: func(a []Value) Value {
				return span(a[0], func(t time.Time) time.Time { return startOf(t, u, offset(a)) })
			}},
			function{name: "endof" + u, args: "instant [, offset]", doc: "The last moment of the " + u + " of an instant.", min: 1, max: 2, result: DateTime, wants: []Type{DateTime, Long}, fn: func(a []Value) Value {
				return span(a[0], func(t time.Time) time.Time { return startOf(t, u, offset(a)+1).Add(-100) })
			}})
	}
	return out
}

func unix(v Value, unit int64) Value {
	if v.IsNull() || v.num > 1<<62/unit || v.num < -(1<<62)/unit {
		return Value{}
	}
	return ticksValue(v.num * unit)
}

func offset(a []Value) int {
	if len(a) > 1 {
		return int(min(max(a[1].num, -100_000), 100_000))
	}
	return 0
}

func startOf(t time.Time, unit string, n int) time.Time {
	y, m, d := t.Date()
	switch unit {
	case "hour":
		return t.Truncate(time.Hour).Add(time.Duration(n) * time.Hour)
	case "day":
		return time.Date(y, m, d+n, 0, 0, 0, 0, time.UTC)
	case "week":
		return time.Date(y, m, d-int(t.Weekday())+7*n, 0, 0, 0, 0, time.UTC)
	case "month":
		return time.Date(y, m+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	}
	return time.Date(y+n, 1, 1, 0, 0, 0, 0, time.UTC)
}

// clockParts are the parts of an instant that have one length.
var clockParts = map[string]int64{"day": tickDay, "hour": tickHour, "minute": tickMinute, "second": tickSecond, "millisecond": tickSecond / 1000, "microsecond": 10, "nanosecond": 0, "week": 7 * tickDay}

// partNumber counts parts up to an instant.
func partNumber(part string, v Value) (int64, bool) {
	if v.IsNull() {
		return 0, false
	}
	t := v.Time()
	switch part = strings.ToLower(part); part {
	case "year":
		return int64(t.Year()), true
	case "quarter":
		return int64(t.Year())*4 + int64(t.Month()-1)/3, true
	case "month":
		return int64(t.Year())*12 + int64(t.Month()), true
	case "week": // weeks begin on Sunday; 1970 began on a Thursday
		n := v.num + 4*tickDay
		return (n - modulo(n, 7*tickDay)) / (7 * tickDay), true
	case "nanosecond":
		return v.num * 100, true
	}
	unit := clockParts[part]
	if unit == 0 {
		return 0, false
	}
	return (v.num - modulo(v.num, unit)) / unit, true
}

func timeAdd(part string, n, v Value) Value {
	if n.IsNull() || v.IsNull() || n.num > 1<<40 || n.num < -(1<<40) {
		return Value{}
	}
	t, k := v.Time(), int(n.num)
	switch part = strings.ToLower(part); part {
	case "year":
		t = t.AddDate(k, 0, 0)
	case "quarter":
		t = t.AddDate(0, 3*k, 0)
	case "month":
		t = t.AddDate(0, k, 0)
	default:
		unit := clockParts[part]
		if unit == 0 || n.num > 1<<61/unit || n.num < -(1<<61)/unit {
			return Value{}
		}
		return ticksValue(v.num + n.num*unit)
	}
	if t.Year() < 1 || t.Year() > 9999 {
		return Value{}
	}
	return ticksValue(ticksOf(t))
}

func partOf(part string, v Value) Value {
	if v.IsNull() {
		return v
	}
	t := v.Time()
	n := 0
	switch strings.ToLower(part) {
	case "year":
		n = t.Year()
	case "quarter":
		n = (int(t.Month())-1)/3 + 1
	case "month":
		n = int(t.Month())
	case "week", "week_of_year", "weekofyear":
		_, n = t.ISOWeek()
	case "day":
		n = t.Day()
	case "dayofyear":
		n = t.YearDay()
	case "hour":
		n = t.Hour()
	case "minute":
		n = t.Minute()
	case "second":
		n = t.Second()
	case "millisecond":
		n = t.Nanosecond() / 1e6
	case "microsecond":
		n = t.Nanosecond() / 1e3
	case "nanosecond":
		n = t.Nanosecond()
	default:
		return Value{}
	}
	return LongValue(int64(n))
}

func makeTime(a []Value) Value {
	p := [6]int{0, 1, 1}
	bounds := [6][2]int64{{1, 9999}, {1, 12}, {1, 31}, {0, 23}, {0, 59}, {0, 59}}
	for i, v := range a {
		if v.IsNull() || v.num < bounds[i][0] || v.num > bounds[i][1] {
			return Value{}
		}
		p[i] = int(v.num)
	}
	t := time.Date(p[0], time.Month(p[1]), p[2], p[3], p[4], p[5], 0, time.UTC)
	if t.Day() != p[2] {
		return Value{}
	}
	return ticksValue(ticksOf(t))
}

// formatRuns calls f with each run of the same letter, and with the rest one by one.
func formatRuns(format string, f func(c byte, n int)) {
	format = format[:min(len(format), 200)]
	for i := 0; i < len(format); {
		n := 1
		for i+n < len(format) && format[i+n] == format[i] {
			n++
		}
		f(format[i], n)
		i += n
	}
}

func padded(n, width int) string {
	s := strconv.Itoa(n)
	for len(s) < width {
		s = "0" + s
	}
	return s
}

func formatTime(ticks int64, format string) string {
	t := timeOf(ticks)
	var b strings.Builder
	formatRuns(format, func(c byte, n int) {
		switch c {
		case 'y':
			if n <= 2 {
				b.WriteString(padded(t.Year()%100, n))
			} else {
				b.WriteString(padded(t.Year(), n))
			}
		case 'M':
			b.WriteString(padded(int(t.Month()), n))
		case 'd':
			b.WriteString(padded(t.Day(), n))
		case 'H':
			b.WriteString(padded(t.Hour(), n))
		case 'h':
			b.WriteString(padded((t.Hour()+11)%12+1, n))
		case 'm':
			b.WriteString(padded(t.Minute(), n))
		case 's':
			b.WriteString(padded(t.Second(), n))
		case 'f', 'F':
			b.WriteString(padded(t.Nanosecond()/100, 7)[:min(n, 7)])
		case 't':
			b.WriteString(t.Format("PM"))
		default:
			b.WriteString(strings.Repeat(string(rune(c)), n))
		}
	})
	return b.String()
}

func formatSpan(ticks int64, format string) string {
	u := uint64(max(ticks, -ticks))
	var b strings.Builder
	if ticks < 0 {
		b.WriteByte('-')
	}
	formatRuns(format, func(c byte, n int) {
		switch c {
		case 'd':
			b.WriteString(padded(int(u/tickDay), n))
		case 'h', 'H':
			b.WriteString(padded(int(u%tickDay/tickHour), n))
		case 'm':
			b.WriteString(padded(int(u%tickHour/tickMinute), n))
		case 's':
			b.WriteString(padded(int(u%tickMinute/tickSecond), n))
		case 'f', 'F':
			b.WriteString(padded(int(u%tickSecond), 7)[:min(n, 7)])
		default:
			b.WriteString(strings.Repeat(string(rune(c)), n))
		}
	})
	return b.String()
}
