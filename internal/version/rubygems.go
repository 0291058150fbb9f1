package version

import (
	"regexp"
	"strings"
)

var gemForm = regexp.MustCompile(`^[0-9]+(?:\.[0-9A-Za-z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$`)

func validGem(v string) error {
	if !gemForm.MatchString(v) {
		return unreadable(v, "it does not have the form of a RubyGems version")
	}
	return nil
}

// gemSegments splits a version as Gem::Version does: runs of digits and runs
// of letters, a hyphen reading ".pre.", without the zeros at the end of the
// numbers in front of the first word and without those at the very end.
func gemSegments(v string) []string {
	v = strings.ReplaceAll(v, "-", ".pre.")
	var out []string
	words := false
	for i := 0; i < len(v); {
		n := digits(v[i:])
		if n == 0 {
			for i+n < len(v) && isLetter(v[i+n]) {
				n++
			}
			if n == 0 {
				i++
				continue
			}
			if !words {
				words, out = true, dropZeros(out)
			}
		}
		out = append(out, v[i:i+n])
		i += n
	}
	return dropZeros(out)
}

// dropZeros removes numbers of value 0 from the end.
func dropZeros(s []string) []string {
	for len(s) > 0 && strings.Trim(s[len(s)-1], "0") == "" {
		s = s[:len(s)-1]
	}
	return s
}

// compareGems orders segment by segment; a missing one is 0, and a word comes
// before a number.
func compareGems(a, b string) int {
	x, y := gemSegments(a), gemSegments(b)
	for i := 0; i < len(x) || i < len(y); i++ {
		p, q := "0", "0"
		if i < len(x) {
			p = x[i]
		}
		if i < len(y) {
			q = y[i]
		}
		n := 0
		switch pn, qn := isDigit(p[0]), isDigit(q[0]); {
		case pn && qn:
			n = compareDigits(p, q)
		case pn:
			n = 1
		case qn:
			n = -1
		default:
			n = strings.Compare(p, q)
		}
		if n != 0 {
			return n
		}
	}
	return 0
}
