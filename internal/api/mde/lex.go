package mde

import (
	"strconv"
	"strings"
	"time"
)

// tokenKind is what a token of a $filter is.
type tokenKind int

const (
	tokEnd   tokenKind = iota
	tokWord            // property, operator or function name
	tokText            // 'quoted'
	tokNum             // 12.5
	tokTime            // 2024-05-20T09:00:00Z
	tokPunct           // ( ) , : /
)

type token struct {
	kind tokenKind
	text string // word, decoded text or punctuation
	num  float64
	at   time.Time
	pos  int
}

// Bounds on what a client may make the server do with one expression.
const (
	maxExpression = 16 << 10
	maxTokens     = 2000
	maxDepth      = 64
)

// lex splits a $filter into tokens.
func lex(s string) ([]token, error) {
	if len(s) > maxExpression {
		return nil, odataError("the expression is longer than %d bytes", maxExpression)
	}
	var out []token
	for i := 0; ; {
		for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == '\r' || s[i] == '\n') {
			i++
		}
		if i == len(s) {
			return append(out, token{kind: tokEnd, pos: i}), nil
		}
		if len(out) == maxTokens {
			return nil, odataError("the expression has more than %d parts", maxTokens)
		}
		t, n, err := lexOne(s, i)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
		i += n
	}
}

func lexOne(s string, i int) (token, int, error) {
	c := s[i]
	switch {
	case strings.IndexByte("(),:/", c) >= 0:
		return token{kind: tokPunct, text: s[i : i+1], pos: i}, 1, nil
	case c == '\'' || c == '"':
		text, n, ok := quoted(s[i:])
		if !ok {
			return token{}, 0, odataError("the text that begins at position %d has no closing quote", i)
		}
		return token{kind: tokText, text: text, pos: i}, n, nil
	case c >= '0' && c <= '9' || c == '-' || c == '.':
		return lexNumber(s, i)
	case wordByte(c):
		n := 1
		for i+n < len(s) && (wordByte(s[i+n]) || s[i+n] >= '0' && s[i+n] <= '9' || s[i+n] == '.') {
			n++
		}
		// datetime'…', guid'…' and the names of enumerations in front of a text say nothing that is not known.
		if i+n < len(s) && s[i+n] == '\'' {
			text, m, ok := quoted(s[i+n:])
			if !ok {
				return token{}, 0, odataError("the text that begins at position %d has no closing quote", i+n)
			}
			return token{kind: tokText, text: text, pos: i}, n + m, nil
		}
		return token{kind: tokWord, text: s[i : i+n], pos: i}, n, nil
	}
	return token{}, 0, odataError("%q at position %d is not understood", s[i:i+1], i)
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '$' || c == '@'
}

// quoted reads a text in quotes; a doubled quote stands for one.
func quoted(s string) (text string, n int, ok bool) {
	q := s[0]
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != q {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == q {
			b.WriteByte(q)
			i++
			continue
		}
		return b.String(), i + 1, true
	}
	return "", 0, false
}

// lexNumber reads a number, a date, or a bare GUID or version that begins with a digit.
func lexNumber(s string, i int) (token, int, error) {
	n := 1
	for i+n < len(s) && strings.IndexByte(" \t\r\n,()'\"/", s[i+n]) < 0 {
		n++
	}
	word := s[i : i+n]
	// A plus in an offset arrives as a blank: "2024-05-20T09:00:00 02:00".
	if rest := s[i+n:]; len(rest) >= 6 && rest[0] == ' ' && len(word) > 10 && (word[10] == 'T' || word[10] == 't') && clock(rest[1:6]) && (len(rest) == 6 || strings.IndexByte(" ),", rest[6]) >= 0) {
		if at, ok := parseTime(word + "+" + rest[1:6]); ok {
			return token{kind: tokTime, text: word, at: at, pos: i}, n + 6, nil
		}
	}
	if at, ok := parseTime(word); ok {
		return token{kind: tokTime, text: word, at: at, pos: i}, n, nil
	}
	if num, ok := parseNumber(word); ok {
		return token{kind: tokNum, text: word, num: num, pos: i}, n, nil
	}
	if strings.Trim(word, "0123456789abcdefABCDEF-") == "" && len(word) > 8 {
		return token{kind: tokText, text: word, pos: i}, n, nil
	}
	return token{}, 0, odataError("%q at position %d is neither a number nor a date", word, i)
}

func clock(s string) bool {
	_, err := time.Parse("15:04", s)
	return err == nil
}

// parseNumber reads a number with the suffixes of OData's older versions.
func parseNumber(s string) (float64, bool) {
	s = strings.TrimRight(s, "dDfFmMlL")
	if s == "" || strings.Trim(s, "0123456789+-.eE") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// parseTime reads dates and times as clients write them: with or without time,
// zone and fraction of a second; without a zone it is UTC.
func parseTime(s string) (time.Time, bool) {
	if len(s) < 10 || len(s) > 40 || s[4] != '-' || s[7] != '-' {
		return time.Time{}, false
	}
	b := []byte(s)
	if len(b) > 10 && (b[10] == ' ' || b[10] == 't') {
		b[10] = 'T'
	}
	if b[len(b)-1] == 'z' {
		b[len(b)-1] = 'Z'
	}
	text := string(b)
	for _, layout := range []string{
		"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02T15:04Z07:00", "2006-01-02T15:04",
		"2006-01-02Z07:00", "2006-01-02",
	} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), true
		}
	}
	return time.Time{}, false
}
