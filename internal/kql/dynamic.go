package kql

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of dynamic values from outside.
const (
	// MaxDepth is how deep arrays and bags may be nested; what is deeper is null.
	MaxDepth = 64
	// MaxItems is the most values in one dynamic value that is parsed.
	MaxItems = 100_000
)

const hexDigits = "0123456789abcdef"

// AppendJSON appends the value as JSON: times and spans as texts, numbers that
// JSON does not know as texts.
func (v Value) AppendJSON(b []byte) []byte {
	switch v.typ {
	case Null:
		return append(b, "null"...)
	case Bool:
		return strconv.AppendBool(b, v.num != 0)
	case Int, Long:
		return strconv.AppendInt(b, v.num, 10)
	case Real:
		f := v.float()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return appendString(b, realText(f))
		}
		return append(b, realText(f)...)
	case array:
		b = append(b, '[')
		for i, e := range v.list.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = e.AppendJSON(b)
		}
		return append(b, ']')
	case bag:
		b = append(b, '{')
		for i, e := range v.list.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, v.list.keys[i])
			b = append(b, ':')
			b = e.AppendJSON(b)
		}
		return append(b, '}')
	}
	return appendString(b, v.Text())
}

// appendString appends a text as JSON. Markup characters are escaped.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			i++
			switch {
			case c == '"' || c == '\\':
				b = append(b, '\\', c)
			case c == '\n':
				b = append(b, '\\', 'n')
			case c == '\r':
				b = append(b, '\\', 'r')
			case c == '\t':
				b = append(b, '\\', 't')
			case c < ' ' || c == 0x7f || c == '<' || c == '>' || c == '&':
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			default:
				b = append(b, c)
			}
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			b = append(b, `\ufffd`...)
		case r == '\u2028' || r == '\u2029':
			b = append(b, '\\', 'u', '2', '0', '2', hexDigits[r&15])
		default:
			b = append(b, s[i:i+n]...)
		}
		i += n
	}
	return append(b, '"')
}

// ParseJSON reads a text as JSON; what is none, or beyond the limits, is the
// text itself, as parse_json() has it.
func ParseJSON(s string) Value {
	t := strings.TrimSpace(s)
	if t == "" {
		return Value{}
	}
	switch c := t[0]; {
	case c == '{', c == '[', c == '"', c == '-', c >= '0' && c <= '9', t == "true", t == "false", t == "null":
	default:
		return StringValue(s)
	}
	d := json.NewDecoder(bytes.NewReader([]byte(t)))
	d.UseNumber()
	p := jsonParser{d: d, left: MaxItems}
	v, ok := p.value(0)
	if !ok || d.More() || int(d.InputOffset()) != len(t) {
		return StringValue(s)
	}
	return v
}

type jsonParser struct {
	d    *json.Decoder
	left int
}

func (p *jsonParser) value(depth int) (Value, bool) {
	t, err := p.d.Token()
	if err != nil {
		return Value{}, false
	}
	return p.rest(t, depth)
}

func (p *jsonParser) rest(t json.Token, depth int) (Value, bool) {
	if p.left--; p.left < 0 || depth > MaxDepth {
		return Value{}, false
	}
	switch t := t.(type) {
	case nil:
		return Value{}, true
	case bool:
		return BoolValue(t), true
	case string:
		return StringValue(t), true
	case json.Number:
		if n, err := strconv.ParseInt(string(t), 10, 64); err == nil {
			return LongValue(n), true
		}
		f, err := strconv.ParseFloat(string(t), 64)
		return RealValue(f), err == nil
	case json.Delim:
		if t == '[' {
			return p.array(depth)
		}
		return p.bag(depth)
	}
	return Value{}, false
}

func (p *jsonParser) array(depth int) (Value, bool) {
	items := []Value{}
	for p.d.More() {
		v, ok := p.value(depth + 1)
		if !ok {
			return Value{}, false
		}
		items = append(items, v)
	}
	_, err := p.d.Token()
	return ArrayValue(items...), err == nil
}

func (p *jsonParser) bag(depth int) (Value, bool) {
	var b bagMaker
	for p.d.More() {
		k, err := p.d.Token()
		key, isText := k.(string)
		if err != nil || !isText {
			return Value{}, false
		}
		v, ok := p.value(depth + 1)
		if !ok {
			return Value{}, false
		}
		b.put(key, v)
	}
	_, err := p.d.Token()
	return b.value(), err == nil
}

// bagMaker collects the names of a bag, each once: the last value stays.
type bagMaker struct {
	keys  []string
	items []Value
	at    map[string]int // once there are many
}

func (m *bagMaker) find(key string) int {
	if m.at != nil {
		if i, ok := m.at[key]; ok {
			return i
		}
		return -1
	}
	for i, k := range m.keys {
		if k == key {
			return i
		}
	}
	return -1
}

func (m *bagMaker) put(key string, v Value) {
	if i := m.find(key); i >= 0 {
		m.items[i] = v
		return
	}
	m.keys, m.items = append(m.keys, key), append(m.items, v)
	if m.at != nil {
		m.at[key] = len(m.keys) - 1
	} else if len(m.keys) > 16 {
		m.at = make(map[string]int, 32)
		for i, k := range m.keys {
			m.at[k] = i
		}
	}
}

func (m *bagMaker) value() Value { return BagValue(m.keys, m.items) }

// asDynamic is a value as dynamic functions see it: a text that holds an array
// or a bag as JSON is that.
func asDynamic(v Value) Value {
	if v.typ == String {
		if t := strings.TrimSpace(v.text); strings.HasPrefix(t, "{") || strings.HasPrefix(t, "[") {
			return ParseJSON(t)
		}
	}
	return v
}

// member is v.name or v["name"]; null when there is none.
func (v Value) member(name string) Value {
	if v.typ == bag {
		for i, k := range v.list.keys {
			if k == name {
				return v.list.items[i]
			}
		}
	}
	return Value{}
}

// at is v[i]; a number below zero counts from the end.
func (v Value) at(i int64) Value {
	if v.typ != array {
		return Value{}
	}
	if i < 0 {
		i += int64(len(v.list.items))
	}
	if i < 0 || i >= int64(len(v.list.items)) {
		return Value{}
	}
	return v.list.items[i]
}

// Members are the names and values of a bag; none of every other value. They
// are shared.
func (v Value) Members() ([]string, []Value) {
	if v.typ != bag {
		return nil, nil
	}
	return v.list.keys, v.list.items
}
