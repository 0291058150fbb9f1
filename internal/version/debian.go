package version

import (
	"math"
	"strconv"
	"strings"
)

// splitDebian splits [epoch:]upstream[-revision] as deb-version(7) says: the
// epoch ends at the first colon, the revision begins after the last hyphen.
func splitDebian(v string) (epoch, upstream, revision string) {
	if i := strings.IndexByte(v, ':'); i >= 0 {
		epoch, v = v[:i], v[i+1:]
	}
	if i := strings.LastIndexByte(v, '-'); i >= 0 {
		return epoch, v[:i], v[i+1:]
	}
	return epoch, v, ""
}

// validDebian accepts what dpkg accepts without a complaint: a numeric epoch
// up to 2³¹−1, an upstream version that starts with a digit, no empty
// revision, and only the characters that Debian policy allows.
func validDebian(v string) error {
	epoch, upstream, revision := splitDebian(v)
	if len(epoch) < len(v) && v[len(epoch)] == ':' {
		if epoch == "" {
			return unreadable(v, "the epoch is empty")
		}
		if digits(epoch) != len(epoch) {
			return unreadable(v, "the epoch is not a number")
		}
		if n, err := strconv.ParseUint(epoch, 10, 64); err != nil || n > math.MaxInt32 {
			return unreadable(v, "the epoch is too big")
		}
	}
	if upstream == "" {
		return unreadable(v, "there is nothing before the revision or after the epoch")
	}
	if !isDigit(upstream[0]) {
		return unreadable(v, "it does not start with a digit")
	}
	for i := 0; i < len(upstream); i++ {
		if debianWeights[upstream[i]] == debianBad {
			return unreadable(v, "it has a character other than letters, digits and .-+~:")
		}
	}
	if revision == "" && v[len(v)-1] == '-' {
		return unreadable(v, "the revision is empty")
	}
	for i := 0; i < len(revision); i++ {
		if c := revision[i]; debianWeights[c] == debianBad || c == ':' {
			return unreadable(v, "its revision has a character other than letters, digits and .+~")
		}
	}
	return nil
}

// compareDebian orders two valid versions as dpkg does.
func compareDebian(a, b string) int {
	ae, au, ar := splitDebian(a)
	be, bu, br := splitDebian(b)
	if n := compareDigits(ae, be); n != 0 {
		return n
	}
	if n := compareDebianPart(au, bu); n != 0 {
		return n
	}
	return compareDebianPart(ar, br)
}

// debianBad marks the characters that no version has.
const debianBad = -2

// debianWeights orders the characters outside of numbers: the tilde before the
// end, the end (and digits, which end the run) before letters, letters before the rest.
var debianWeights = func() (w [256]int16) {
	for i := range w {
		switch c := byte(i); {
		case isDigit(c):
			w[i] = 0
		case isLetter(c):
			w[i] = int16(c)
		case c == '~':
			w[i] = -1
		case c == '.', c == '-', c == '+', c == ':':
			w[i] = int16(c) + 256
		default:
			w[i] = debianBad
		}
	}
	return w
}()

// debianWeight is the weight at i, also behind the end.
func debianWeight(s string, i int) int {
	if i >= len(s) {
		return 0
	}
	return int(debianWeights[s[i]])
}

// compareDebianPart orders upstream versions or revisions: runs without digits
// by weight, runs of digits by value, in turn.
func compareDebianPart(a, b string) int {
	if a == b {
		return 0
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		for i < len(a) && !isDigit(a[i]) || j < len(b) && !isDigit(b[j]) {
			if n := debianWeight(a, i) - debianWeight(b, j); n != 0 {
				return n
			}
			i++
			j++
		}
		if i > len(a) {
			i = len(a)
		}
		if j > len(b) {
			j = len(b)
		}
		ad, bd := digits(a[i:]), digits(b[j:])
		if n := compareDigits(a[i:i+ad], b[j:j+bd]); n != 0 {
			return n
		}
		i += ad
		j += bd
	}
	return 0
}
