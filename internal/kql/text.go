package kql

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Case: ASCII letters fold to ASCII letters, all others by Unicode, and never
// one into the other: what a store finds by ASCII words is what is meant here.

func lowerByte(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		return rune(lowerByte(byte(r)))
	}
	if l := unicode.ToLower(r); l >= utf8.RuneSelf {
		return l
	}
	return r
}

// fold is a text in lower case.
func fold(s string) string {
	i := 0
	for i < len(s) && s[i] < utf8.RuneSelf && (s[i] < 'A' || s[i] > 'Z') {
		i++
	}
	if i == len(s) {
		return s
	}
	return strings.Map(foldRune, s)
}

// equalFold reports whether two texts are the same, whatever their case.
func equalFold(a, b string) bool {
	if len(a) == len(b) {
		i := 0
		for i < len(a) && a[i] < utf8.RuneSelf && b[i] < utf8.RuneSelf && lowerByte(a[i]) == lowerByte(b[i]) {
			i++
		}
		if i == len(a) {
			return true
		}
		if a[i] < utf8.RuneSelf && b[i] < utf8.RuneSelf {
			return false
		}
	}
	if isASCII(a) || isASCII(b) {
		return false
	}
	return fold(a) == fold(b)
}

// indexFold finds a folded needle in a text, from a place on; −1: it is not there.
func indexFold(s, needle string, from int) int {
	if needle == "" {
		return from
	}
	if !isASCII(needle) {
		f := fold(s)
		if from > len(f) {
			return -1
		}
		i := strings.Index(f[from:], needle)
		if i < 0 {
			return -1
		}
		return i + from
	}
	first := needle[0]
	for i := from; i+len(needle) <= len(s); i++ {
		if lowerByte(s[i]) != first {
			continue
		}
		j := 1
		for j < len(needle) && lowerByte(s[i+j]) == needle[j] {
			j++
		}
		if j == len(needle) {
			return i
		}
	}
	return -1
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= utf8.RuneSelf
}

// hasWord reports whether needle is in a text with the bounds of words on its
// left (front), on its right (back), or both.
func hasWord(s, needle string, caseless, front, back bool) bool {
	if needle == "" {
		return true
	}
	if caseless && !isASCII(needle) {
		s = fold(s)
	}
	for from := 0; from <= len(s); {
		var i int
		if caseless {
			i = indexFold(s, needle, from)
		} else if i = strings.Index(s[from:], needle); i >= 0 {
			i += from
		}
		if i < 0 {
			return false
		}
		end := i + len(needle)
		if (!front || i == 0 || !wordByte(s[i-1]) || !wordByte(needle[0])) && (!back || end >= len(s) || !wordByte(s[end]) || !wordByte(needle[len(needle)-1])) {
			return true
		}
		from = i + 1
	}
	return false
}

// HasWord reports whether a word is in a text, as has does.
func HasWord(text, word string) bool { return hasWord(text, fold(word), true, true, true) }

// textTest is a comparison of texts.
type textTest func(s, needle string) bool

// textTests are the operators of texts that are words. Those without case get a
// folded needle.
var textTests = map[string]textTest{
	"has":           func(s, n string) bool { return hasWord(s, n, true, true, true) },
	"hasprefix":     func(s, n string) bool { return hasWord(s, n, true, true, false) },
	"hassuffix":     func(s, n string) bool { return hasWord(s, n, true, false, true) },
	"has_cs":        func(s, n string) bool { return hasWord(s, n, false, true, true) },
	"hasprefix_cs":  func(s, n string) bool { return hasWord(s, n, false, true, false) },
	"hassuffix_cs":  func(s, n string) bool { return hasWord(s, n, false, false, true) },
	"contains":      func(s, n string) bool { return indexFold(s, n, 0) >= 0 },
	"contains_cs":   strings.Contains,
	"startswith":    func(s, n string) bool { return strings.HasPrefix(headFold(s, n), n) },
	"startswith_cs": strings.HasPrefix,
	"endswith":      func(s, n string) bool { return strings.HasSuffix(tailFold(s, n), n) },
	"endswith_cs":   strings.HasSuffix,
}

// headFold folds the beginning of a text that a needle can be equal to.
func headFold(s, n string) string {
	if isASCII(n) && len(s) > len(n) {
		s = s[:len(n)]
	}
	return fold(s)
}

func tailFold(s, n string) string {
	if isASCII(n) && len(s) > len(n) {
		s = s[len(s)-len(n):]
	}
	return fold(s)
}
