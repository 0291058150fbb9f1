package version

import "strings"

// splitRPM splits [epoch:]version[-release] as rpm does: the epoch is a run of
// digits before a colon, the release follows the last hyphen. hasRelease tells
// an absent release from an empty one.
func splitRPM(v string) (epoch, ver, release string, hasRelease bool) {
	if n := digits(v); n < len(v) && v[n] == ':' {
		epoch, v = v[:n], v[n+1:]
	}
	if i := strings.LastIndexByte(v, '-'); i >= 0 {
		return epoch, v[:i], v[i+1:], true
	}
	return epoch, v, "", false
}

// validRPM accepts printable ASCII without blanks and at most one colon, which
// ends a numeric epoch, with a version that is not empty.
func validRPM(v string) error {
	for i := 0; i < len(v); i++ {
		if v[i] <= ' ' || v[i] >= 0x7f {
			return unreadable(v, "it has a blank, a control character or one outside of ASCII")
		}
	}
	if v[0] == ':' {
		return unreadable(v, "the epoch is empty")
	}
	_, ver, _, _ := splitRPM(v)
	if ver == "" {
		return unreadable(v, "there is nothing before the release or after the epoch")
	}
	if strings.IndexByte(ver, ':') >= 0 {
		return unreadable(v, "the epoch is not a number")
	}
	return nil
}

// compareRPM orders two valid versions as rpm does. An absent epoch is 0; an
// absent release comes before any release.
func compareRPM(a, b string) int {
	ae, av, ar, aHas := splitRPM(a)
	be, bv, br, bHas := splitRPM(b)
	if n := compareDigits(ae, be); n != 0 {
		return n
	}
	if n := compareRPMPart(av, bv); n != 0 {
		return n
	}
	switch {
	case aHas && bHas:
		return compareRPMPart(ar, br)
	case aHas:
		return 1
	case bHas:
		return -1
	}
	return 0
}

// rpmSkip moves over the characters that only separate.
func rpmSkip(s string, i int) int {
	for i < len(s) && !isDigit(s[i]) && !isLetter(s[i]) && s[i] != '~' && s[i] != '^' {
		i++
	}
	return i
}

// rpmRun returns the end of the run of digits or of letters that begins at i.
func rpmRun(s string, i int, number bool) int {
	for i < len(s) && (number && isDigit(s[i]) || !number && isLetter(s[i])) {
		i++
	}
	return i
}

// compareRPMPart orders versions or releases segment by segment as rpmvercmp
// does: a tilde sorts before everything, a caret after the end but before any
// further segment, numbers are newer than letters, and what is left over wins.
func compareRPMPart(a, b string) int {
	if a == b {
		return 0
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		i, j = rpmSkip(a, i), rpmSkip(b, j)
		at, bt := i < len(a) && a[i] == '~', j < len(b) && b[j] == '~'
		if at || bt {
			if !at {
				return 1
			}
			if !bt {
				return -1
			}
			i++
			j++
			continue
		}
		ac, bc := i < len(a) && a[i] == '^', j < len(b) && b[j] == '^'
		if ac || bc {
			switch {
			case i >= len(a):
				return -1
			case j >= len(b):
				return 1
			case !ac:
				return 1
			case !bc:
				return -1
			}
			i++
			j++
			continue
		}
		if i >= len(a) || j >= len(b) {
			break
		}
		number := isDigit(a[i])
		ae, be := rpmRun(a, i, number), rpmRun(b, j, number)
		if be == j {
			if number {
				return 1
			}
			return -1
		}
		var n int
		if number {
			n = compareDigits(a[i:ae], b[j:be])
		} else {
			n = strings.Compare(a[i:ae], b[j:be])
		}
		if n != 0 {
			return n
		}
		i, j = ae, be
	}
	switch {
	case i >= len(a) && j >= len(b):
		return 0
	case i >= len(a):
		return -1
	}
	return 1
}
