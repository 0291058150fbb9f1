// Package event holds the words for what happens on an endpoint: the kinds of
// events, the tables, columns and action types that hunting, the timeline and
// exports name them by, and the form in which events travel and are kept.
//
// An event is a row of one of the Defender hunting tables. Its columns are
// those of the table; a column that has no value is absent. [Append] writes an
// event, [Record] reads one in place.
package event

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
	"unicode/utf8"
)

// Limits of one event. What is longer is cut by whoever makes the event, and
// refused by whoever reads it.
const (
	// MaxValue is the most bytes of one text.
	MaxValue = 32 << 10
	// MaxFields is the most columns of one event.
	MaxFields = 96
	// MaxRecord is the most bytes of one event in its written form.
	MaxRecord = 256 << 10
)

// Field is one column of an event: its text, or its number.
type Field struct {
	Column Column
	Text   string // of columns with a text
	Number int64  // of numbers; 0 or 1 for a bool; nanoseconds since 1970 for a time
}

// Event is one thing that happened on a device.
type Event struct {
	Action Action
	// Seq counts the events of a device and kind from 1 and is never given
	// twice: a number that is missing is an event that is missing.
	Seq uint64
	// Time is when it happened by the clock that orders the timeline: the host's,
	// moved on by its monotonic clock, so that it never jumps while the agent runs.
	Time time.Time
	// Wall is the host's wall clock as it stood; zero when it is Time.
	Wall time.Time
	// Fields have each column once, in the order of columns.
	Fields []Field
}

// Kind is the kind of the event's action.
func (e *Event) Kind() Kind { return e.Action.Kind() }

// Set gives a text to a column; an empty text leaves it absent. What is longer
// than MaxValue is cut at a character.
func (e *Event) Set(c Column, text string) {
	if text == "" {
		return
	}
	if len(text) > MaxValue {
		n := MaxValue
		for n > MaxValue-utf8.UTFMax && !utf8.RuneStart(text[n]) {
			n--
		}
		text = text[:n]
	}
	e.put(Field{Column: c, Text: text})
}

// SetInt gives a number to a column.
func (e *Event) SetInt(c Column, n int64) { e.put(Field{Column: c, Number: n}) }

// SetBool gives a truth value to a column.
func (e *Event) SetBool(c Column, b bool) {
	f := Field{Column: c}
	if b {
		f.Number = 1
	}
	e.put(f)
}

// SetTime gives a time to a column; the zero time leaves it absent.
func (e *Event) SetTime(c Column, t time.Time) {
	if !t.IsZero() {
		e.put(Field{Column: c, Number: t.UnixNano()})
	}
}

func (e *Event) put(f Field) {
	i, found := slices.BinarySearchFunc(e.Fields, f.Column, func(a Field, c Column) int { return cmp.Compare(a.Column, c) })
	if found {
		e.Fields[i] = f
		return
	}
	e.Fields = slices.Insert(e.Fields, i, f)
}

// Get returns a column's field, and false when it is absent.
func (e *Event) Get(c Column) (Field, bool) {
	i, found := slices.BinarySearchFunc(e.Fields, c, func(a Field, c Column) int { return cmp.Compare(a.Column, c) })
	if !found {
		return Field{}, false
	}
	return e.Fields[i], true
}

// Text returns the text of a column, "" when it is absent.
func (e *Event) Text(c Column) string {
	f, _ := e.Get(c)
	return f.Text
}

// ErrMalformed is what every reader's error wraps when bytes are no event.
var ErrMalformed = errors.New("not an event")

// The form of a record, all numbers as varints (those with a sign zig-zag):
//
//	length of the rest · action · seq · time · wall − time (0: the same)
//	· number of fields · fields, each: column − column before · value
//
// A value is its length and bytes for a text, a number for the rest. Times are
// nanoseconds since 1970. Actions and columns are their numbers in the
// catalogue, which only ever grows.

// Append writes an event at the end of dst.
func Append(dst []byte, e *Event) ([]byte, error) {
	if err := e.check(); err != nil {
		return dst, err
	}
	start := len(dst)
	dst = append(dst, 0, 0, 0) // the length, written with a fixed width of three
	dst = binary.AppendUvarint(dst, uint64(e.Action))
	dst = binary.AppendUvarint(dst, e.Seq)
	dst = binary.AppendVarint(dst, e.Time.UnixNano())
	wall := int64(0)
	if !e.Wall.IsZero() {
		wall = e.Wall.UnixNano() - e.Time.UnixNano()
	}
	dst = binary.AppendVarint(dst, wall)
	dst = binary.AppendUvarint(dst, uint64(len(e.Fields)))
	last := Column(0)
	for i := range e.Fields {
		f := &e.Fields[i]
		dst = binary.AppendUvarint(dst, uint64(f.Column-last))
		last = f.Column
		if f.Column.Type() == String || f.Column.Type() == Dynamic {
			dst = binary.AppendUvarint(dst, uint64(len(f.Text)))
			dst = append(dst, f.Text...)
		} else {
			dst = binary.AppendVarint(dst, f.Number)
		}
	}
	n := len(dst) - start - 3
	if n+3 > MaxRecord {
		return dst[:start], fmt.Errorf("event of %d bytes exceeds the limit of %d", n+3, MaxRecord)
	}
	dst[start], dst[start+1], dst[start+2] = byte(n)|0x80, byte(n>>7)|0x80, byte(n>>14)
	return dst, nil
}

func (e *Event) check() error {
	if !e.Action.Valid() {
		return fmt.Errorf("action %d is not in the catalogue", e.Action)
	}
	if len(e.Fields) > MaxFields {
		return fmt.Errorf("%d columns exceed the limit of %d", len(e.Fields), MaxFields)
	}
	last := Column(0)
	for i := range e.Fields {
		f := &e.Fields[i]
		if !f.Column.Valid() || f.Column <= last {
			return fmt.Errorf("column %d is unknown, twice there or out of order", f.Column)
		}
		if len(f.Text) > MaxValue {
			return fmt.Errorf("column %s: %d bytes exceed the limit of %d", f.Column, len(f.Text), MaxValue)
		}
		last = f.Column
	}
	return nil
}

// Record is one event in its written form, without the length before it. Its
// methods expect what [Next] returned: a record that was checked.
type Record []byte

// Next cuts the first record off some bytes and checks all of it: known action
// and columns, columns in order, no value beyond its limit, nothing left over.
// It is the guard for bytes from an endpoint.
func Next(b []byte) (rec Record, rest []byte, err error) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > MaxRecord || uint64(len(b)-w) < n {
		return nil, nil, fmt.Errorf("%w: length", ErrMalformed)
	}
	rec, rest = Record(b[w:w+int(n)]), b[w+int(n):]
	d := reader{b: rec}
	action, seq := d.uvarint(), d.uvarint()
	at, wall := d.varint(), d.varint()
	fields := d.uvarint()
	switch {
	case d.bad:
		return nil, nil, fmt.Errorf("%w: cut short", ErrMalformed)
	case action > math.MaxUint16 || !Action(action).Valid():
		return nil, nil, fmt.Errorf("%w: unknown action %d", ErrMalformed, action)
	case seq == 0:
		return nil, nil, fmt.Errorf("%w: number 0", ErrMalformed)
	case at < minTime || at > maxTime || wall < -maxTime || wall > maxTime:
		return nil, nil, fmt.Errorf("%w: time out of range", ErrMalformed)
	case fields > MaxFields:
		return nil, nil, fmt.Errorf("%w: %d columns", ErrMalformed, fields)
	}
	column := uint64(0)
	for range fields {
		step := d.uvarint()
		column += step
		if d.bad || step == 0 || step > math.MaxUint16 || column > math.MaxUint16 || !Column(column).Valid() {
			return nil, nil, fmt.Errorf("%w: unknown column or order", ErrMalformed)
		}
		if !d.value(Column(column)) {
			return nil, nil, fmt.Errorf("%w: value of %s", ErrMalformed, Column(column))
		}
	}
	if d.bad || len(d.b) != 0 {
		return nil, nil, fmt.Errorf("%w: bytes left over", ErrMalformed)
	}
	return rec, rest, nil
}

// Times outside of 1970 to 2200 are no times of events.
const (
	minTime = 0
	maxTime = 230 * 365 * 24 * int64(time.Hour)
)

// Split cuts a record off bytes that this process wrote; it checks only that
// the length fits.
func Split(b []byte) (rec Record, rest []byte, err error) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > MaxRecord || uint64(len(b)-w) < n {
		return nil, nil, fmt.Errorf("%w: length", ErrMalformed)
	}
	return Record(b[w : w+int(n)]), b[w+int(n):], nil
}

// Head is what every event has.
type Head struct {
	Action Action
	Seq    uint64
	Time   int64 // nanoseconds since 1970
	Wall   int64 // host's wall clock
}

// Head returns the record's head.
func (r Record) Head() Head {
	h, _ := r.head()
	return h
}

func (r Record) head() (Head, reader) {
	d := reader{b: r}
	h := Head{Action: Action(d.uvarint()), Seq: d.uvarint(), Time: d.varint()}
	h.Wall = h.Time + d.varint()
	return h, d
}

// Text returns the text of a column without copying it; nil when it is absent
// or no text.
func (r Record) Text(c Column) []byte {
	for f, raw := range r.fields {
		if f.Column == c {
			return raw
		}
		if f.Column > c {
			break
		}
	}
	return nil
}

// Number returns the number of a column, and false when it is absent.
func (r Record) Number(c Column) (int64, bool) {
	for f := range r.fields {
		if f.Column == c {
			return f.Number, true
		}
		if f.Column > c {
			break
		}
	}
	return 0, false
}

// Texts yields every column with a text, which it does not copy.
func (r Record) Texts(yield func(Column, []byte) bool) {
	for f, raw := range r.fields {
		if raw != nil && !yield(f.Column, raw) {
			return
		}
	}
}

// Each yields every column: its number, or the bytes of its text, which are not
// copied; Text is empty.
func (r Record) Each(yield func(f Field, text []byte) bool) { r.fields(yield) }

// fields yields the fields; Text is empty, and the bytes of a text are raw.
func (r Record) fields(yield func(Field, []byte) bool) {
	_, d := r.head()
	column := Column(0)
	for range d.uvarint() {
		column += Column(d.uvarint())
		f := Field{Column: column}
		var raw []byte
		if column.text() {
			raw = d.bytes()
		} else {
			f.Number = d.varint()
		}
		if d.bad || !yield(f, raw) {
			return
		}
	}
}

// Event returns the event, with texts of its own.
func (r Record) Event() Event {
	h := r.Head()
	e := Event{Action: h.Action, Seq: h.Seq, Time: time.Unix(0, h.Time).UTC()}
	if h.Wall != h.Time {
		e.Wall = time.Unix(0, h.Wall).UTC()
	}
	for f, raw := range r.fields {
		f.Text = string(raw)
		e.Fields = append(e.Fields, f)
	}
	return e
}

// reader reads numbers and texts; bad stays set after the first failure.
type reader struct {
	b   []byte
	bad bool
}

func (d *reader) uvarint() uint64 {
	n, w := binary.Uvarint(d.b)
	if w <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[w:]
	return n
}

func (d *reader) varint() int64 {
	n, w := binary.Varint(d.b)
	if w <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[w:]
	return n
}

func (d *reader) bytes() []byte {
	n := d.uvarint()
	if d.bad || n > MaxValue || n > uint64(len(d.b)) {
		d.bad, d.b = true, nil
		return nil
	}
	b := d.b[:n:n]
	d.b = d.b[n:]
	return b
}

// value skips the value of a column and reports whether it is a good one.
func (d *reader) value(c Column) bool {
	switch c.Type() {
	case String, Dynamic:
		b := d.bytes()
		return !d.bad && len(b) > 0 && utf8.Valid(b)
	case Bool:
		n := d.varint()
		return !d.bad && (n == 0 || n == 1)
	default:
		d.varint()
		return !d.bad
	}
}
