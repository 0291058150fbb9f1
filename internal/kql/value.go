package kql

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"time"
)

// Type is the type of a column or value.
type Type uint8

// The types of columns. A value may be of none: it is null then, whatever the
// type of its column.
const (
	Null Type = iota
	Bool
	Int // 32 bits; counted with as Long
	Long
	Real
	String // never null: "" instead
	DateTime
	TimeSpan
	GUID
	Dynamic // a value of any type, an array or a bag
	array   // of values of a dynamic column only
	bag
)

var typeNames = [...]string{"null", "bool", "int", "long", "real", "string", "datetime", "timespan", "guid", "dynamic", "dynamic", "dynamic"}

// String is the type's name in the language.
func (t Type) String() string { return typeNames[t] }

// TicksPerSecond is the resolution of times and spans: 100 nanoseconds.
const TicksPerSecond = 10_000_000

// Value is one value: immutable. The zero Value is null.
type Value struct {
	typ  Type
	num  int64 // Bool, Int, Long; Real as its bits; ticks of DateTime (since 1970) and TimeSpan
	text string
	list *collection
}

// collection is an array, or a bag whose names are keys.
type collection struct {
	keys  []string
	items []Value
	bytes int // about how many a copy of all of it takes
}

// MaxValue is about the most bytes of an array or bag with all that is in it;
// one that is larger is null.
const MaxValue = 64 << 20

// collected is a collection as a value.
func collected(t Type, c *collection) Value {
	c.bytes = 48
	for _, k := range c.keys {
		c.bytes += 16 + len(k)
	}
	for _, i := range c.items {
		if c.bytes += i.size(); c.bytes > MaxValue {
			return Value{}
		}
	}
	return Value{typ: t, list: c}
}

// BoolValue and its sisters make values.
func BoolValue(b bool) Value {
	if b {
		return Value{typ: Bool, num: 1}
	}
	return Value{typ: Bool}
}

// LongValue is a whole number.
func LongValue(n int64) Value { return Value{typ: Long, num: n} }

// RealValue is a number with a fraction.
func RealValue(f float64) Value { return Value{typ: Real, num: int64(math.Float64bits(f))} }

// StringValue is a text.
func StringValue(s string) Value { return Value{typ: String, text: s} }

// TimeValue is an instant, cut to 100 nanoseconds; the zero time is null.
func TimeValue(t time.Time) Value {
	if t.IsZero() {
		return Value{}
	}
	return ticksValue(ticksOf(t))
}

func ticksValue(n int64) Value { return Value{typ: DateTime, num: n} }

func spanValue(n int64) Value { return Value{typ: TimeSpan, num: n} }

func ticksOf(t time.Time) int64 {
	return t.Unix()*TicksPerSecond + int64(t.Nanosecond())/100
}

func timeOf(ticks int64) time.Time {
	sec := ticks / TicksPerSecond
	rest := ticks % TicksPerSecond
	if rest < 0 {
		sec, rest = sec-1, rest+TicksPerSecond
	}
	return time.Unix(sec, rest*100).UTC()
}

// ArrayValue is an array of a dynamic column; null above MaxValue. It keeps items.
func ArrayValue(items ...Value) Value {
	return collected(array, &collection{items: items})
}

// BagValue is a bag of a dynamic column; null above MaxValue. It keeps keys and items.
func BagValue(keys []string, items []Value) Value {
	if keys == nil {
		keys = []string{}
	}
	return collected(bag, &collection{keys: keys, items: items})
}

// IsNull reports whether there is no value.
func (v Value) IsNull() bool { return v.typ == Null }

// Time is the instant of a DateTime; the zero time of every other value.
func (v Value) Time() time.Time {
	if v.typ != DateTime {
		return time.Time{}
	}
	return timeOf(v.num)
}

func (v Value) float() float64 {
	if v.typ == Real {
		return math.Float64frombits(uint64(v.num))
	}
	return float64(v.num)
}

// truth reports whether a value is true: null is not.
func (v Value) truth() bool { return v.typ == Bool && v.num != 0 }

func (v Value) numeric() bool { return v.typ >= Bool && v.typ <= Real }

// size is about how many bytes a value takes.
func (v Value) size() int {
	n := 40 + len(v.text)
	if v.list != nil {
		n += v.list.bytes
	}
	return n
}

// Text is the value as tostring() gives it: "" of null.
func (v Value) Text() string {
	switch v.typ {
	case Null:
		return ""
	case Bool:
		return strconv.FormatBool(v.num != 0)
	case Int, Long:
		return strconv.FormatInt(v.num, 10)
	case Real:
		return realText(v.float())
	case String, GUID:
		return v.text
	case DateTime:
		return timeText(v.num)
	case TimeSpan:
		return spanText(v.num)
	}
	return string(v.AppendJSON(nil))
}

func realText(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == math.Trunc(f) && math.Abs(f) < 1e15:
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

const timeForm = "2006-01-02T15:04:05.0000000Z"

func timeText(ticks int64) string { return timeOf(ticks).Format(timeForm) }

const (
	tickSecond = TicksPerSecond
	tickMinute = 60 * tickSecond
	tickHour   = 60 * tickMinute
	tickDay    = 24 * tickHour
)

// spanText is [-][d.]hh:mm:ss[.fffffff].
func spanText(n int64) string {
	var b strings.Builder
	u := uint64(n)
	if n < 0 {
		b.WriteByte('-')
		u = -u
	}
	if d := u / tickDay; d > 0 {
		b.WriteString(strconv.FormatUint(d, 10) + ".")
	}
	two := func(n uint64) {
		b.WriteByte(byte('0' + n/10))
		b.WriteByte(byte('0' + n%10))
	}
	two(u % tickDay / tickHour)
	b.WriteByte(':')
	two(u % tickHour / tickMinute)
	b.WriteByte(':')
	two(u % tickMinute / tickSecond)
	if f := u % tickSecond; f > 0 {
		s := strconv.FormatUint(f, 10)
		b.WriteString("." + strings.Repeat("0", 7-len(s)) + s)
	}
	return b.String()
}

// compare orders two values that are not null. Values of different kinds are
// ordered by kind: numbers, texts, times, spans, arrays, bags.
func compare(a, b Value) int {
	if a.typ == String && b.typ == String {
		return strings.Compare(a.text, b.text)
	}
	if a.numeric() && b.numeric() {
		if a.typ != Real && b.typ != Real {
			return cmp.Compare(a.num, b.num)
		}
		return cmp.Compare(a.float(), b.float())
	}
	if x, y := a.kind(), b.kind(); x != y {
		return cmp.Compare(x, y)
	}
	switch a.typ {
	case DateTime, TimeSpan:
		return cmp.Compare(a.num, b.num)
	case String, GUID:
		return strings.Compare(a.text, b.text)
	}
	return strings.Compare(a.Text(), b.Text())
}

// kind is what values have in common that can be compared.
func (v Value) kind() Type {
	switch v.typ {
	case Bool, Int, Long, Real:
		return Real
	case GUID:
		return String
	}
	return v.typ
}

// key appends what tells a value from all others to b: two values have the same
// key when they are equal, or both null.
func (v Value) key(b []byte) []byte {
	k := v.kind()
	b = append(b, byte(k))
	switch k {
	case Null:
	case Real:
		n := uint64(v.num)
		if v.typ == Real {
			f := v.float()
			if f == math.Trunc(f) && math.Abs(f) < 1<<62 { // 2.0 is 2
				n = uint64(int64(f))
			} else {
				b[len(b)-1] = 0xff
			}
		}
		b = appendUint64(b, n)
	case DateTime, TimeSpan:
		b = appendUint64(b, uint64(v.num))
	case String:
		b = appendUint64(b, uint64(len(v.text)))
		b = append(b, v.text...)
	default:
		n := len(b)
		b = appendUint64(b, 0)
		b = v.AppendJSON(b)
		m := uint64(len(b) - n - 8)
		for i := range 8 {
			b[n+i] = byte(m >> (8 * i))
		}
	}
	return b
}

func appendUint64(b []byte, n uint64) []byte {
	return append(b, byte(n), byte(n>>8), byte(n>>16), byte(n>>24), byte(n>>32), byte(n>>40), byte(n>>48), byte(n>>56))
}
