package version

import "strings"

// pep440 is a version split as PEP 440 says; all parts are lower case.
type pep440 struct {
	epoch   string
	release string // numbers joined by dots
	pre     byte   // 'a', 'b', 'c' (rc), 0 for none
	preNo   string
	post    bool
	postNo  string
	dev     bool
	devNo   string
	local   string // after the plus sign
}

// The words of PEP 440, longer ones first where one begins another.
var (
	preWords  = []string{"preview", "alpha", "beta", "pre", "rc", "a", "b", "c"}
	postWords = []string{"post", "rev", "r"}
	devWords  = []string{"dev"}
)

func isSeparator(c byte) bool { return c == '-' || c == '_' || c == '.' }

// word takes an optional separator, one of the words, and an optional number
// that may have a separator of its own.
func word(s string, words []string) (which, number, rest string, ok bool) {
	t := s
	if t != "" && isSeparator(t[0]) {
		t = t[1:]
	}
	for _, w := range words {
		if !strings.HasPrefix(t, w) {
			continue
		}
		t = t[len(w):]
		skip := 0
		if len(t) > 1 && isSeparator(t[0]) && isDigit(t[1]) {
			skip = 1
		}
		n := digits(t[skip:])
		return w, t[skip : skip+n], t[skip+n:], true
	}
	return "", "", s, false
}

func parsePyPI(text string) (p pep440, err error) {
	s := strings.ToLower(text)
	s = strings.TrimPrefix(s, "v")
	n := digits(s)
	if n > 0 && n < len(s) && s[n] == '!' {
		p.epoch, s = s[:n], s[n+1:]
		n = digits(s)
	}
	if n == 0 {
		return p, unreadable(text, "it does not start with a number")
	}
	for n+1 < len(s) && s[n] == '.' && isDigit(s[n+1]) {
		n++
		n += digits(s[n:])
	}
	p.release, s = s[:n], s[n:]
	if w, number, rest, ok := word(s, preWords); ok {
		p.pre, p.preNo, s = w[0], number, rest
		if w[0] == 'p' || w[0] == 'r' {
			p.pre = 'c'
		}
	}
	if len(s) > 1 && s[0] == '-' && isDigit(s[1]) { // 1.0-1 is 1.0.post1
		n := digits(s[1:])
		p.post, p.postNo, s = true, s[1:1+n], s[1+n:]
	} else if _, number, rest, ok := word(s, postWords); ok {
		p.post, p.postNo, s = true, number, rest
	}
	if _, number, rest, ok := word(s, devWords); ok {
		p.dev, p.devNo, s = true, number, rest
	}
	if s == "" {
		return p, nil
	}
	if s[0] != '+' || len(s) == 1 {
		return p, unreadable(text, "it does not follow PEP 440")
	}
	p.local = s[1:]
	for i, last := 0, byte('.'); i < len(p.local); i++ {
		c := p.local[i]
		if !isDigit(c) && !isLetter(c) && (!isSeparator(c) || isSeparator(last) || i == len(p.local)-1) {
			return p, unreadable(text, "its local part does not follow PEP 440")
		}
		last = c
	}
	return p, nil
}

// compareDotted orders numbers joined by dots; missing numbers are 0.
func compareDotted(a, b string) int {
	for a != "" || b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		if n := compareDigits(x, y); n != 0 {
			return n
		}
	}
	return 0
}

// preRank orders the phases: a development release of the version itself comes
// first, a version without pre-release last.
func (p *pep440) preRank() int {
	switch {
	case p.pre != 0:
		return int(p.pre)
	case p.dev && !p.post:
		return 0
	}
	return 256
}

func comparePyPI(text, other string) (int, error) {
	a, err := parsePyPI(text)
	if err != nil {
		return 0, err
	}
	b, err := parsePyPI(other)
	if err != nil {
		return 0, err
	}
	if n := compareDigits(a.epoch, b.epoch); n != 0 {
		return n, nil
	}
	if n := compareDotted(a.release, b.release); n != 0 {
		return n, nil
	}
	if n := a.preRank() - b.preRank(); n != 0 {
		return n, nil
	}
	if n := compareDigits(a.preNo, b.preNo); n != 0 {
		return n, nil
	}
	if a.post != b.post {
		if a.post {
			return 1, nil
		}
		return -1, nil
	}
	if n := compareDigits(a.postNo, b.postNo); n != 0 {
		return n, nil
	}
	if a.dev != b.dev {
		if a.dev {
			return -1, nil
		}
		return 1, nil
	}
	if n := compareDigits(a.devNo, b.devNo); n != 0 {
		return n, nil
	}
	return compareLocal(a.local, b.local), nil
}

// compareLocal orders local parts: none is first, numbers after words.
func compareLocal(a, b string) int {
	for a != "" && b != "" {
		var x, y string
		x, a = cutLocal(a)
		y, b = cutLocal(b)
		xnum, ynum := digits(x) == len(x), digits(y) == len(y)
		n := 0
		switch {
		case xnum && ynum:
			n = compareDigits(x, y)
		case xnum:
			n = 1
		case ynum:
			n = -1
		default:
			n = strings.Compare(x, y)
		}
		if n != 0 {
			return n
		}
	}
	return len(a) - len(b)
}

func cutLocal(s string) (part, rest string) {
	if i := strings.IndexAny(s, "-_."); i >= 0 {
		return s[:i], s[i+1:]
	}
	return s, ""
}
