package advisory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// Errors of one value; the reader stands behind the value, so the next can be read.
var (
	errTooLarge = fmt.Errorf("larger than %d bytes", maxRecord)
	errTooDeep  = fmt.Errorf("nested deeper than %d levels", maxDepth)
)

// splitter walks a JSON document of any size and hands out single values as
// raw bytes. It keeps no more than one value in memory, bounds the value's size
// and depth, and leaves the value's own syntax to json.Unmarshal.
type splitter struct {
	r        io.Reader
	buf      []byte
	pos, end int
	read     int64 // bytes before buf
	raw      []byte
	err      error
}

// Buffer sizes: for files of one record, which come by the ten thousand, and for whole feeds.
const (
	smallBuffer = 4 << 10
	largeBuffer = 64 << 10
)

func newSplitter(r io.Reader, size int) (*splitter, error) {
	s := &splitter{r: r, buf: make([]byte, size)}
	for s.end < 3 && s.err == nil {
		s.fill()
	}
	if bytes.HasPrefix(s.buf[:s.end], []byte("\xef\xbb\xbf")) {
		s.pos = 3
	}
	if s.err != nil && s.err != io.EOF {
		return nil, s.err
	}
	return s, nil
}

// fill reads more; it reports whether there is a byte at pos.
func (s *splitter) fill() bool {
	if s.err != nil {
		return s.pos < s.end
	}
	if s.pos == s.end {
		s.read += int64(s.end)
		s.pos, s.end = 0, 0
	}
	for tries := 0; tries < 100; tries++ {
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		if err != nil {
			s.err = err
		}
		if n > 0 || err != nil {
			return s.pos < s.end
		}
	}
	s.err = io.ErrNoProgress
	return false
}

// fail returns why there is no further byte.
func (s *splitter) fail() error {
	if s.err == nil || errors.Is(s.err, io.EOF) || errors.Is(s.err, io.ErrUnexpectedEOF) {
		return errTruncated
	}
	return s.err
}

// peek returns the next byte that is not white space without consuming it.
func (s *splitter) peek() (byte, error) {
	for {
		for s.pos < s.end {
			switch c := s.buf[s.pos]; c {
			case ' ', '\t', '\r', '\n':
				s.pos++
			default:
				return c, nil
			}
		}
		if !s.fill() {
			return 0, s.fail()
		}
	}
}

func (s *splitter) expect(want byte) error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c != want {
		return s.wrong(c, string(rune(want)))
	}
	s.pos++
	return nil
}

func (s *splitter) wrong(c byte, want string) error {
	return fmt.Errorf("byte %d is %q, want %s", s.read+int64(s.pos), c, want)
}

// object calls fn for each key of the object that comes next. fn must consume the value.
func (s *splitter) object(fn func(key string) error) error {
	if err := s.expect('{'); err != nil {
		return err
	}
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c == '}' {
		s.pos++
		return nil
	}
	for {
		if c, err = s.peek(); err != nil {
			return err
		} else if c != '"' {
			return s.wrong(c, "a key")
		}
		key, err := s.text()
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		if err := fn(key); err != nil {
			return err
		}
		more, err := s.more('}')
		if err != nil || !more {
			return err
		}
	}
}

// array calls fn for each element of the array that comes next. fn must consume the element.
func (s *splitter) array(fn func(i int) error) error {
	if err := s.expect('['); err != nil {
		return err
	}
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c == ']' {
		s.pos++
		return nil
	}
	for i := 0; ; i++ {
		if err := fn(i); err != nil {
			return err
		}
		more, err := s.more(']')
		if err != nil || !more {
			return err
		}
	}
}

// more consumes a comma (true) or the closing byte (false).
func (s *splitter) more(closing byte) (bool, error) {
	c, err := s.peek()
	if err != nil {
		return false, err
	}
	switch c {
	case ',':
		s.pos++
		return true, nil
	case closing:
		s.pos++
		return false, nil
	}
	return false, s.wrong(c, "a comma or "+string(rune(closing)))
}

// text reads a string value.
func (s *splitter) text() (string, error) {
	raw, err := s.value()
	if err != nil {
		return "", err
	}
	if n := len(raw); n >= 2 && bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) && raw[0] == '"' {
		return string(raw[1 : n-1]), nil
	}
	var t string
	if err := json.Unmarshal(raw, &t); err != nil {
		return "", fmt.Errorf("read string before byte %d: %w", s.read+int64(s.pos), err)
	}
	return t, nil
}

// finish checks that nothing but white space follows.
func (s *splitter) finish() error {
	c, err := s.peek()
	if errors.Is(err, errTruncated) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.wrong(c, "the end of the file")
}

// value reads the next value whole. The bytes are valid until the next call.
// errTooLarge and errTooDeep consume the value; any other error is final.
func (s *splitter) value() ([]byte, error) {
	c, err := s.peek()
	if err != nil {
		return nil, err
	}
	s.raw = s.raw[:0]
	switch c {
	case '{', '[', '"':
		return s.composite()
	case ',', ':', '}', ']':
		return nil, s.wrong(c, "a value")
	}
	for {
		start := s.pos
		for s.pos < s.end {
			switch s.buf[s.pos] {
			case ',', '}', ']', ':', ' ', '\t', '\r', '\n':
				s.raw = append(s.raw, s.buf[start:s.pos]...)
				return s.raw, nil
			}
			s.pos++
		}
		s.raw = append(s.raw, s.buf[start:s.pos]...)
		if len(s.raw) > 64 {
			return nil, s.wrong(c, "a value")
		}
		if !s.fill() {
			if errors.Is(s.err, io.EOF) {
				return s.raw, nil
			}
			return nil, s.fail()
		}
	}
}

// composite reads a string, an array or an object by counting brackets.
func (s *splitter) composite() ([]byte, error) {
	c := counter{}
	var bad error
	for {
		start := s.pos
		n, done := c.count(s.buf[s.pos:s.end])
		s.pos += n
		switch {
		case bad != nil:
		case c.deepest > maxDepth:
			bad = errTooDeep
		case len(s.raw)+n > maxRecord:
			bad = errTooLarge
		default:
			s.raw = append(s.raw, s.buf[start:s.pos]...)
		}
		if done {
			if bad != nil {
				return nil, bad
			}
			return s.raw, nil
		}
		if !s.fill() {
			return nil, s.fail()
		}
	}
}

// counter follows the brackets and strings of one JSON value.
type counter struct {
	depth, deepest    int
	inString, escaped bool
}

// count reads on in part; it returns how many bytes of it belong to the value,
// and whether the value ends there.
func (c *counter) count(part []byte) (int, bool) {
	for i := 0; i < len(part); {
		if c.inString {
			if c.escaped {
				c.escaped = false
				i++
				continue
			}
			n := bytes.IndexByte(part[i:], '"')
			if n < 0 {
				n = len(part) - i
			}
			if e := bytes.IndexByte(part[i:i+n], '\\'); e >= 0 {
				c.escaped = true
				i += e + 1
				continue
			}
			if i += n; i == len(part) {
				break
			}
			c.inString = false
		} else {
			switch part[i] {
			case '"':
				c.inString = true
				i++
				continue
			case '{', '[':
				c.depth++
				c.deepest = max(c.deepest, c.depth)
			case '}', ']':
				c.depth--
			}
		}
		i++
		if c.depth <= 0 && !c.inString {
			return i, true
		}
	}
	return len(part), false
}

// skippable reports whether err concerns one value only.
func skippable(err error) bool {
	return errors.Is(err, errTooLarge) || errors.Is(err, errTooDeep)
}

// into reads the next value into v. bad is an error of this value alone.
func (s *splitter) into(v any) (bad, err error) {
	raw, err := s.value()
	if skippable(err) {
		return err, nil
	}
	if err != nil {
		return nil, err
	}
	return plainError(json.Unmarshal(raw, v)), nil
}

// plainError says in words of the format, not of Go, what is wrong with a value.
func plainError(err error) error {
	var typ *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &typ):
		return fmt.Errorf("field %q is of the wrong type: %s", typ.Field, typ.Value)
	case errors.As(err, &syntax):
		return fmt.Errorf("not valid JSON at byte %d of the record: %w", syntax.Offset, err)
	}
	return err
}

// discard consumes the next value.
func (s *splitter) discard() error {
	_, err := s.value()
	if skippable(err) {
		return nil
	}
	return err
}

// topKeys reads the keys of the JSON object at the start of head, as far as
// head reaches, each with its value where that is a short scalar. It calls seen
// after each key and after each value, until seen returns true.
func topKeys(head []byte, seen func(keys map[string]string) bool) {
	keys := map[string]string{}
	s := &splitter{buf: head, end: len(head), err: io.EOF}
	enough := errors.New("seen enough")
	_ = s.object(func(key string) error {
		if len(keys) >= 200 {
			return enough
		}
		keys[key] = ""
		if seen(keys) {
			return enough
		}
		raw, err := s.value()
		if err != nil {
			return err
		}
		if len(raw) <= 64 {
			if keys[key] = string(raw); seen(keys) {
				return enough
			}
		}
		return nil
	})
}

// isCycleArray reports whether head begins an array of endoflife.date cycles.
func isCycleArray(head []byte) bool {
	s := &splitter{buf: head, end: len(head), err: io.EOF}
	found := false
	done := errors.New("seen")
	_ = s.array(func(int) error {
		raw, err := s.value()
		if err != nil {
			return err
		}
		if raw[0] == '{' {
			topKeys(raw, func(k map[string]string) bool {
				_, cycle := k["cycle"]
				_, eol := k["eol"]
				found = cycle && eol
				return found
			})
		}
		return done
	})
	return found
}
