package kql

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// timeForms are the forms in which an instant is read; without a zone it is UTC.
var timeForms = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02 15:04Z07:00", "2006-01-02 15:04", "2006-01-02", "2006-01", "2006",
	time.RFC1123, time.RFC1123Z, time.RFC850, time.ANSIC, "01/02/2006 15:04:05", "01/02/2006",
}

// parseTime reads an instant of the years 1 to 9999.
func parseTime(s string) (Value, bool) {
	s = strings.TrimSpace(s)
	if len(s) > 64 {
		return Value{}, false
	}
	for _, f := range timeForms {
		if t, err := time.Parse(f, s); err == nil && t.Year() >= 1 && t.Year() <= 9999 {
			return ticksValue(ticksOf(t)), true
		}
	}
	return Value{}, false
}

// parseSpan reads 2h, 1.5d, 1.02:03:04.5 and 02:03.
func parseSpan(s string) (Value, bool) {
	s = strings.TrimSpace(s)
	if len(s) > 64 || s == "" {
		return Value{}, false
	}
	rest, negated := strings.CutPrefix(s, "-")
	n, ok := clockSpan(rest)
	if !ok {
		end := strings.IndexFunc(rest, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
		unit, f := int64(tickDay), 0.0
		var err error
		if end < 0 {
			f, err = strconv.ParseFloat(rest, 64)
		} else {
			unit, ok = spanUnits[strings.TrimSpace(rest[end:])]
			if !ok {
				return Value{}, false
			}
			f, err = strconv.ParseFloat(rest[:end], 64)
		}
		if err != nil || math.Abs(f*float64(unit)) >= 1<<62 {
			return Value{}, false
		}
		n = int64(math.Round(f * float64(unit)))
	}
	if negated {
		n = -n
	}
	return spanValue(n), true
}

// clockSpan reads [d.]hh:mm[:ss[.fffffff]].
func clockSpan(s string) (int64, bool) {
	parts := strings.Split(s, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return 0, false
	}
	var n int64
	if d, h, ok := strings.Cut(parts[0], "."); ok {
		days, err := strconv.ParseUint(d, 10, 23)
		if err != nil {
			return 0, false
		}
		n, parts[0] = int64(days)*tickDay, h
	}
	var fraction string
	if len(parts) == 3 {
		parts[2], fraction, _ = strings.Cut(parts[2], ".")
	}
	for i, p := range parts {
		v, err := strconv.ParseUint(p, 10, 8)
		if err != nil || i == 0 && v > 23 || v > 59 {
			return 0, false
		}
		n += int64(v) * []int64{tickHour, tickMinute, tickSecond}[i]
	}
	if fraction != "" {
		v, err := strconv.ParseUint((fraction + "0000000")[:7], 10, 64)
		if err != nil || len(fraction) > 9 {
			return 0, false
		}
		n += int64(v)
	}
	return n, true
}

// parseLiteral reads what stands in datetime(…), long(…) and the like.
func parseLiteral(s string, t Type) (Value, bool) {
	switch t {
	case DateTime:
		return parseTime(s)
	case TimeSpan:
		return parseSpan(s)
	case GUID:
		return parseGUID(s)
	case String:
		return StringValue(s), true
	case Int, Long:
		n, err := strconv.ParseInt(s, 0, 64)
		return LongValue(n), err == nil && (t == Long || n == int64(int32(n)))
	case Real:
		switch strings.ToLower(s) {
		case "nan":
			return RealValue(math.NaN()), true
		case "+inf", "inf":
			return RealValue(math.Inf(1)), true
		case "-inf":
			return RealValue(math.Inf(-1)), true
		}
		f, err := strconv.ParseFloat(s, 64)
		return RealValue(f), err == nil
	case Bool:
		b, err := strconv.ParseBool(strings.ToLower(s))
		return BoolValue(b), err == nil
	}
	return Value{}, false
}

// parseGUID reads 8-4-4-4-12 hexadecimal digits.
func parseGUID(s string) (Value, bool) {
	s = strings.ToLower(strings.Trim(strings.TrimSpace(s), "{}"))
	if len(s) != 36 {
		return Value{}, false
	}
	for i := range len(s) {
		c := s[i]
		hyphen := i == 8 || i == 13 || i == 18 || i == 23
		if hyphen != (c == '-') || !hyphen && !isDigit(c) && (c < 'a' || c > 'f') {
			return Value{}, false
		}
	}
	return Value{typ: GUID, text: s}, true
}

// convert makes a value of a type as to…() does: null where it cannot be.
func convert(v Value, t Type) Value {
	if v.IsNull() && t != String {
		return v
	}
	switch t {
	case String:
		return StringValue(v.Text())
	case Bool:
		return toBool(v)
	case Int:
		if n := toLong(v); n.typ == Long && n.num == int64(int32(n.num)) {
			return n
		}
		return Value{}
	case Long:
		return toLong(v)
	case Real:
		return toReal(v)
	case DateTime:
		switch v.typ {
		case DateTime:
			return v
		case String:
			if p, ok := parseTime(v.text); ok {
				return p
			}
		case Int, Long:
			return ticksValue(v.num)
		}
		return Value{}
	case TimeSpan:
		switch v.typ {
		case TimeSpan:
			return v
		case String:
			if p, ok := parseSpan(v.text); ok {
				return p
			}
		case Int, Long:
			return spanValue(v.num)
		}
		return Value{}
	case GUID:
		if p, ok := parseGUID(v.Text()); ok {
			return p
		}
		return Value{}
	}
	return v
}

func toBool(v Value) Value {
	switch v.typ {
	case Bool:
		return v
	case Int, Long:
		return BoolValue(v.num != 0)
	case Real:
		return BoolValue(v.float() != 0)
	case String:
		switch strings.ToLower(strings.TrimSpace(v.text)) {
		case "true", "1":
			return BoolValue(true)
		case "false", "0":
			return BoolValue(false)
		}
	}
	return Value{}
}

func toLong(v Value) Value {
	switch v.typ {
	case Bool, Int, Long, DateTime, TimeSpan:
		return LongValue(v.num)
	case Real:
		f := v.float()
		if math.IsNaN(f) || math.Abs(f) >= 1<<63 {
			return Value{}
		}
		return LongValue(int64(f))
	case String:
		s := strings.TrimSpace(v.text)
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return LongValue(n)
		}
		if len(s) > 2 && (s[:2] == "0x" || s[:2] == "0X") {
			if n, err := strconv.ParseUint(s[2:], 16, 64); err == nil {
				return LongValue(int64(n))
			}
		}
		if f, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(f) < 1<<63 {
			return LongValue(int64(f))
		}
	}
	return Value{}
}

func toReal(v Value) Value {
	switch v.typ {
	case Bool, Int, Long:
		return RealValue(float64(v.num))
	case Real:
		return v
	case String:
		if f, err := strconv.ParseFloat(strings.TrimSpace(v.text), 64); err == nil {
			return RealValue(f)
		}
	}
	return Value{}
}
