package version

import "strings"

// A version of the semver kind is "v", numbers joined by dots, then the rest:
// the pre-release part, and build metadata after a plus sign. Registries hold
// versions of fewer or more than three numbers, so any count is read; missing
// numbers are 0.
func validSemver(v string) error {
	s := strings.TrimPrefix(v, "v")
	if s == "" || !isDigit(s[0]) {
		return unreadable(v, "it does not start with a number")
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case isDigit(c), isLetter(c), strings.IndexByte(".-+~_:#", c) >= 0:
		default:
			return unreadable(v, "it has a character that versions do not have")
		}
	}
	return nil
}

// compareSemver orders by section 11 of the Semantic Versioning specification.
// fold ignores case (NuGet); metadata lets build metadata decide last (Pub).
func compareSemver(a, b string, fold, metadata bool) int {
	a, b = strings.TrimPrefix(a, "v"), strings.TrimPrefix(b, "v")
	if fold {
		a, b = strings.ToLower(a), strings.ToLower(b)
	}
	for {
		an, bn := digits(a), digits(b)
		if an == 0 && bn == 0 {
			break
		}
		if n := compareDigits(a[:an], b[:bn]); n != 0 {
			return n
		}
		a, b = nextNumber(a[an:]), nextNumber(b[bn:])
	}
	a, am, _ := strings.Cut(a, "+")
	b, bm, _ := strings.Cut(b, "+")
	if n := compareIdentifiers(strings.TrimLeft(a, "-."), strings.TrimLeft(b, "-.")); n != 0 {
		return n
	}
	if metadata {
		return strings.Compare(am, bm)
	}
	return 0
}

// nextNumber moves over the dot in front of a further number.
func nextNumber(s string) string {
	if len(s) > 1 && s[0] == '.' && isDigit(s[1]) {
		return s[1:]
	}
	return s
}

// compareIdentifiers orders pre-release parts: none is last, numbers before
// words, then identifier by identifier.
func compareIdentifiers(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == "":
		return 1
	case b == "":
		return -1
	}
	for {
		ai, arest, amore := strings.Cut(a, ".")
		bi, brest, bmore := strings.Cut(b, ".")
		anum, bnum := ai != "" && digits(ai) == len(ai), bi != "" && digits(bi) == len(bi)
		n := 0
		switch {
		case anum && bnum:
			n = compareDigits(ai, bi)
		case anum:
			n = -1
		case bnum:
			n = 1
		default:
			n = strings.Compare(ai, bi)
		}
		switch {
		case n != 0:
			return n
		case !amore && !bmore:
			return 0
		case !amore:
			return -1
		case !bmore:
			return 1
		}
		a, b = arest, brest
	}
}
