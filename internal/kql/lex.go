package kql

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Error is what is wrong with a query, and where.
type Error struct {
	Line    int    `json:"line"`   // from 1
	Column  int    `json:"column"` // from 1, in characters
	Length  int    `json:"length"` // characters from there on, at least 1
	Message string `json:"message"`
	Hint    string `json:"hint"` // how to mend it, or ""
}

// Error is the place and the message.
func (e *Error) Error() string {
	s := fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// span is a piece of the query.
type span struct{ from, to int }

// failure is an Error on its way through the parser and binder.
type failure struct {
	at   span
	text string
	hint string
	// missing says that a table is not there.
	missing bool
}

func (f *failure) Error() string { return f.text }

func fail(at span, format string, args ...any) *failure {
	return &failure{at: at, text: fmt.Sprintf(format, args...)}
}

func (f *failure) with(hint string) *failure {
	f.hint = hint
	return f
}

// place turns a failure into an Error of a text.
func (f *failure) place(text string) *Error {
	from, to := min(max(f.at.from, 0), len(text)), min(max(f.at.to, 0), len(text))
	line := strings.Count(text[:from], "\n") + 1
	begin := strings.LastIndexByte(text[:from], '\n') + 1
	piece := ""
	if to > from {
		piece, _, _ = strings.Cut(text[from:to], "\n")
	}
	return &Error{Line: line, Column: utf8.RuneCountInString(text[begin:from]) + 1, Length: max(1, utf8.RuneCountInString(piece)), Message: f.text, Hint: f.hint}
}

// tokenKind is what a token is.
type tokenKind uint8

const (
	tokenEnd    tokenKind = iota
	tokenName             // also operators that are words, with "!" before and "~" behind
	tokenQuoted           // a name in ['…']
	tokenString
	tokenNumber // long or real
	tokenSpan   // 5m
	tokenSign   // punctuation
	tokenBad    // an error once somebody wants it
)

type token struct {
	kind tokenKind
	at   span
	text string // of names and signs as they stand; of strings what they say; of bad ones the message
	val  Value  // of numbers and spans
}

// spanUnits are the endings of spans of time.
var spanUnits = map[string]int64{
	"d": tickDay, "day": tickDay, "days": tickDay, "h": tickHour, "hr": tickHour, "hrs": tickHour, "hour": tickHour, "hours": tickHour,
	"m": tickMinute, "min": tickMinute, "minute": tickMinute, "minutes": tickMinute, "s": tickSecond, "sec": tickSecond, "second": tickSecond, "seconds": tickSecond,
	"ms": tickSecond / 1000, "milli": tickSecond / 1000, "millis": tickSecond / 1000, "millisecond": tickSecond / 1000, "milliseconds": tickSecond / 1000,
	"microsecond": 10, "microseconds": 10, "micro": 10, "micros": 10, "us": 10, "tick": 1, "ticks": 1, "nanosecond": 0, "nanoseconds": 0,
}

// lex cuts a query into tokens; the last is tokenEnd.
func lex(text string) []token {
	l := lexer{text: text}
	for l.next() {
	}
	l.add(tokenEnd, len(text), "")
	return l.out
}

type lexer struct {
	text string
	pos  int
	out  []token
}

func (l *lexer) add(kind tokenKind, from int, text string) {
	l.out = append(l.out, token{kind: kind, at: span{from, l.pos}, text: text})
}

func (l *lexer) peek(n int) byte {
	if l.pos+n < len(l.text) {
		return l.text[l.pos+n]
	}
	return 0
}

// signs are the punctuation of more than one character, the longest first.
var signs = []string{"==", "=~", "!=", "!~", "<>", "<=", ">=", "..", "=>"}

func (l *lexer) next() bool {
	for l.pos < len(l.text) && strings.IndexByte(" \t\r\n\f\v", l.text[l.pos]) >= 0 {
		l.pos++
	}
	if l.pos >= len(l.text) {
		return false
	}
	from, c := l.pos, l.text[l.pos]
	switch {
	case c == '/' && l.peek(1) == '/':
		if i := strings.IndexByte(l.text[l.pos:], '\n'); i >= 0 {
			l.pos += i
		} else {
			l.pos = len(l.text)
		}
	case c == '"' || c == '\'':
		l.quoted(from, false)
	case (c == '@' || c == 'h' || c == 'H') && l.prefixed(from):
	case strings.HasPrefix(l.text[l.pos:], "```"):
		l.fenced(from)
	case c >= '0' && c <= '9':
		l.number(from)
	case nameStart(c):
		l.name(from)
	case c == '!' && nameStart(l.peek(1)):
		l.pos++
		l.name(from)
	case c == '[' && (l.peek(1) == '\'' || l.peek(1) == '"') && l.bracketed(from):
	case c >= utf8.RuneSelf:
		r, n := utf8.DecodeRuneInString(l.text[l.pos:])
		l.pos += n
		what := fmt.Sprintf("the character %q is not part of the language", r)
		if unicode.IsSpace(r) {
			what = "an unusual blank: replace it by an ordinary one"
		}
		l.add(tokenBad, from, what)
	default:
		l.sign(from)
	}
	return true
}

func (l *lexer) sign(from int) {
	for _, s := range signs {
		if strings.HasPrefix(l.text[l.pos:], s) {
			l.pos += len(s)
			l.add(tokenSign, from, s)
			return
		}
	}
	l.pos++
	s := l.text[from:l.pos]
	if !strings.Contains("|,;()[]{}=<>+-*/%.:?", s) {
		l.add(tokenBad, from, fmt.Sprintf("the character %q is not part of the language", s))
		return
	}
	l.add(tokenSign, from, s)
}

func nameStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '$'
}

func nameByte(c byte) bool { return nameStart(c) || c >= '0' && c <= '9' }

func (l *lexer) name(from int) {
	for l.pos < len(l.text) && nameByte(l.text[l.pos]) {
		l.pos++
	}
	if w := l.text[from:l.pos]; (w == "in" || w == "!in") && l.peek(0) == '~' {
		l.pos++
	}
	l.add(tokenName, from, l.text[from:l.pos])
}

// prefixed reads @"…", h"…" and h@"…"; false when it is none.
func (l *lexer) prefixed(from int) bool {
	at := from
	verbatim := false
	if c := l.text[at]; c == 'h' || c == 'H' {
		at++
	}
	if at < len(l.text) && l.text[at] == '@' {
		verbatim = true
		at++
	}
	if at >= len(l.text) || l.text[at] != '"' && l.text[at] != '\'' {
		return false
	}
	l.pos = at
	l.quoted(from, verbatim)
	return true
}

func (l *lexer) quoted(from int, verbatim bool) {
	s, ok := l.literal(verbatim)
	if !ok {
		l.add(tokenBad, from, "this text has no end: a quotation mark is missing")
		return
	}
	l.add(tokenString, from, s)
}

// literal reads a text from its quotation mark on.
func (l *lexer) literal(verbatim bool) (string, bool) {
	q := l.text[l.pos]
	l.pos++
	var b strings.Builder
	for l.pos < len(l.text) {
		c := l.text[l.pos]
		switch {
		case c == q && verbatim && l.peek(1) == q:
			b.WriteByte(q)
			l.pos += 2
		case c == q:
			l.pos++
			return b.String(), true
		case c == '\n':
			return "", false
		case c == '\\' && !verbatim:
			if !l.escape(&b) {
				return "", false
			}
		default:
			b.WriteByte(c)
			l.pos++
		}
	}
	return "", false
}

var escapes = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', '0': 0, 'a': '\a', 'b': '\b', 'f': '\f', 'v': '\v', '\\': '\\', '"': '"', '\'': '\''}

func (l *lexer) escape(b *strings.Builder) bool {
	c := l.peek(1)
	n := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
	if n > 0 && l.pos+2+n <= len(l.text) {
		r, err := strconv.ParseUint(l.text[l.pos+2:l.pos+2+n], 16, 32)
		if err != nil {
			return false
		}
		b.WriteRune(rune(r))
		l.pos += 2 + n
		return true
	}
	e, ok := escapes[c]
	if !ok {
		return false
	}
	b.WriteByte(e)
	l.pos += 2
	return true
}

func (l *lexer) fenced(from int) {
	end := strings.Index(l.text[from+3:], "```")
	if end < 0 {
		l.pos = len(l.text)
		l.add(tokenBad, from, "this text has no end: ``` is missing")
		return
	}
	l.pos = from + 3 + end + 3
	l.add(tokenString, from, l.text[from+3:from+3+end])
}

// bracketed reads a name in ['…']; false when it is an index.
func (l *lexer) bracketed(from int) bool {
	if n := len(l.out); n > 0 {
		if t := l.out[n-1]; t.at.to == from && (t.kind == tokenName || t.kind == tokenQuoted || t.text == ")" || t.text == "]") {
			return false
		}
	}
	l.pos++
	s, ok := l.literal(false)
	if !ok || l.peek(0) != ']' {
		l.pos = from
		return false
	}
	l.pos++
	l.add(tokenQuoted, from, s)
	return true
}

func (l *lexer) number(from int) {
	digits := func() {
		for l.pos < len(l.text) && l.text[l.pos] >= '0' && l.text[l.pos] <= '9' {
			l.pos++
		}
	}
	if l.text[from] == '0' && (l.peek(1) == 'x' || l.peek(1) == 'X') {
		for l.pos += 2; l.pos < len(l.text) && nameByte(l.text[l.pos]); l.pos++ {
		}
		n, err := strconv.ParseUint(l.text[from+2:l.pos], 16, 64)
		if err != nil {
			l.add(tokenBad, from, "this is no number of 64 bits in hexadecimal digits")
			return
		}
		l.value(tokenNumber, from, LongValue(int64(n)))
		return
	}
	digits()
	fraction := false
	if l.peek(0) == '.' && l.peek(1) >= '0' && l.peek(1) <= '9' {
		l.pos++
		digits()
		fraction = true
	}
	if c := l.peek(0); (c == 'e' || c == 'E') && (isDigit(l.peek(1)) || (l.peek(1) == '-' || l.peek(1) == '+') && isDigit(l.peek(2))) {
		l.pos += 2
		digits()
		fraction = true
	}
	number := l.text[from:l.pos]
	if nameStart(l.peek(0)) {
		l.withUnit(from, number)
		return
	}
	if !fraction {
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			l.add(tokenBad, from, "this number is larger than 64 bits")
			return
		}
		l.value(tokenNumber, from, LongValue(n))
		return
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil {
		l.add(tokenBad, from, "this number is too large")
		return
	}
	l.value(tokenNumber, from, RealValue(f))
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (l *lexer) withUnit(from int, number string) {
	at := l.pos
	for l.pos < len(l.text) && nameByte(l.text[l.pos]) {
		l.pos++
	}
	unit, ok := spanUnits[l.text[at:l.pos]]
	f, err := strconv.ParseFloat(number, 64)
	if ok && err == nil && f*float64(unit) < 1<<62 {
		n := int64(f * float64(unit))
		if whole, err := strconv.ParseInt(number, 10, 64); err == nil {
			n = whole * unit // exactly
		}
		l.value(tokenSpan, from, spanValue(n))
		return
	}
	l.add(tokenBad, from, fmt.Sprintf("%q is no number and no span of time such as 5m, 2h or 7d", l.text[from:l.pos]))
}

func (l *lexer) value(kind tokenKind, from int, v Value) {
	l.add(kind, from, l.text[from:l.pos])
	l.out[len(l.out)-1].val = v
}
