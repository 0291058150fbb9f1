package version

import "strings"

// The tokens of an apk version, in the order that decides when two versions
// have tokens of different kinds at the same place: the later kind is older.
type apkToken int

const (
	apkFirst    apkToken = iota // the first number
	apkNumber                   // .number
	apkLetter                   // one letter
	apkSuffix                   // _alpha, _p …
	apkSuffixNo                 // its number
	apkHash                     // ~commit
	apkBuild                    // -r number
	apkEnd
	apkInvalid
)

// apkSuffixes in their order; a version without suffix stands between rc and cvs.
var apkSuffixes = [...]string{"alpha", "beta", "pre", "rc", "", "cvs", "svn", "git", "hg", "p"}

const apkNoSuffix = 4

// apkScan reads a version token by token.
type apkScan struct {
	rest   string
	token  apkToken
	value  string
	suffix int
}

func validAlpine(v string) error {
	if !isDigit(v[0]) {
		return unreadable(v, "it does not start with a number")
	}
	for i := 0; i < len(v); i++ {
		if c := v[i]; !isDigit(c) && !isLetter(c) && strings.IndexByte("._~-+", c) < 0 {
			return unreadable(v, "it has a character that apk versions do not have")
		}
	}
	return nil
}

// compareAlpine orders two versions as apk does, also those that apk calls
// invalid: they have the order of their valid beginning.
func compareAlpine(a, b string) int {
	x, y := apkScan{rest: a}, apkScan{rest: b}
	x.first()
	y.first()
	for x.token == y.token && x.token < apkEnd {
		if n := x.compare(&y); n != 0 {
			return n
		}
		x.next()
		y.next()
	}
	switch {
	case x.token == y.token:
		return 0
	case x.token == apkSuffix && x.suffix < apkNoSuffix:
		return -1
	case y.token == apkSuffix && y.suffix < apkNoSuffix:
		return 1
	}
	return int(y.token - x.token)
}

func (s *apkScan) first() {
	s.token = apkFirst
	s.number()
}

func (s *apkScan) number() {
	n := digits(s.rest)
	if n == 0 {
		s.token = apkInvalid
		return
	}
	s.value, s.rest = s.rest[:n], s.rest[n:]
}

func (s *apkScan) next() {
	if s.rest == "" {
		s.token = apkEnd
		return
	}
	was := s.token
	s.token = apkInvalid
	switch c := s.rest[0]; {
	case 'a' <= c && c <= 'z':
		if was <= apkNumber {
			s.token, s.value, s.rest = apkLetter, s.rest[:1], s.rest[1:]
		}
	case c == '.':
		if was <= apkNumber {
			s.token, s.rest = apkNumber, s.rest[1:]
			s.number()
		}
	case isDigit(c):
		if was == apkSuffix {
			s.token = apkSuffixNo
			s.number()
		}
	case c == '_':
		if was <= apkSuffixNo {
			s.word()
		}
	case c == '~':
		if was < apkHash {
			s.hash()
		}
	case c == '-':
		if was < apkBuild && strings.HasPrefix(s.rest, "-r") {
			s.token, s.rest = apkBuild, s.rest[2:]
			s.number()
		}
	}
}

func (s *apkScan) word() {
	n := 1
	for n < len(s.rest) && 'a' <= s.rest[n] && s.rest[n] <= 'z' {
		n++
	}
	for i, w := range apkSuffixes {
		if w != "" && w == s.rest[1:n] {
			s.token, s.suffix, s.rest = apkSuffix, i, s.rest[n:]
			return
		}
	}
}

func (s *apkScan) hash() {
	n := 1
	for n < len(s.rest) && (isDigit(s.rest[n]) || 'a' <= s.rest[n] && s.rest[n] <= 'f') {
		n++
	}
	if n > 1 {
		s.token, s.value, s.rest = apkHash, s.rest[1:n], s.rest[n:]
	}
}

// compare orders two tokens of the same kind.
func (s *apkScan) compare(o *apkScan) int {
	switch s.token {
	case apkSuffix:
		return s.suffix - o.suffix
	case apkNumber:
		if s.value[0] == '0' || o.value[0] == '0' { // a leading zero makes it a fraction
			return strings.Compare(s.value, o.value)
		}
		return compareDigits(s.value, o.value)
	case apkFirst, apkSuffixNo, apkBuild:
		return compareDigits(s.value, o.value)
	}
	return strings.Compare(s.value, o.value)
}
