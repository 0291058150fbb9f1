// Package version orders versions as the ecosystems themselves do.
//
//	n, err := version.Compare("Debian", "1:1.0-1", "2.0-1") // n > 0: the epoch decides
//
// The order is that of the ecosystem's own package manager. The orders of dpkg,
// rpm, apk, semver, PEP 440, Maven and RubyGems are written out here: they are
// compared millions of times, and osv-scalibr's semantic package, which gives
// the order of the other ecosystems, allocates for each number, compares apk's
// commit hashes and Maven's nested qualifiers otherwise than the tools do, is
// not transitive for gems with words, and reads what is not a version. No type
// of it escapes. An unreadable version is an error, never a guess.
package version

import (
	"errors"
	"fmt"
)

// ErrUnreadable says that a version is empty or not of the ecosystem's form.
var ErrUnreadable = errors.New("unreadable version")

// ErrEcosystem says that the ecosystem has no order here.
var ErrEcosystem = errors.New("unknown ecosystem")

// Range is a set of versions by order: Introduced ≤ v, and v < Fixed or
// v ≤ LastAffected when they are given. Introduced "" or "0" is the beginning.
type Range struct {
	Introduced   string
	Fixed        string
	LastAffected string
}

// maxLength is the longest version that is read, in bytes.
const maxLength = 512

// family is the set of rules that an ecosystem orders its versions by.
type family string

const (
	debian    family = "deb"
	redhat    family = "rpm"
	alpine    family = "apk"
	semver    family = "semver"
	pypi      family = "pypi"
	maven     family = "maven"
	rubygems  family = "gem"
	nuget     family = "nuget"
	packagist family = "composer"
	pub       family = "pub"
	cran      family = "cran"
	hackage   family = "hackage"
)

// familyOf maps OSV's ecosystem names, without release, to the order that the
// ecosystem's package manager uses.
func familyOf(ecosystem string) (family, bool) {
	switch ecosystem {
	case "Debian", "Ubuntu", "Echo":
		return debian, true
	case "AlmaLinux", "Rocky Linux", "Red Hat", "openSUSE", "SUSE", "Azure Linux", "Mageia", "openEuler",
		"Photon OS", "Fedora", "CentOS", "Oracle Linux", "Amazon Linux", "CBL-Mariner":
		return redhat, true
	case "Alpine", "Alpaquita", "BellSoft Hardened Containers", "Wolfi", "Chainguard", "MinimOS":
		return alpine, true
	case "Go", "npm", "crates.io", "Hex", "Bitnami", "Bioconductor", "ConanCenter", "SwiftURL", "GHC", "Julia",
		"Docker Hardened Images", "GitHub Actions", "VSCode":
		return semver, true
	case "PyPI":
		return pypi, true
	case "Maven":
		return maven, true
	case "RubyGems":
		return rubygems, true
	case "NuGet":
		return nuget, true
	case "Packagist":
		return packagist, true
	case "Pub":
		return pub, true
	case "CRAN":
		return cran, true
	case "Hackage":
		return hackage, true
	}
	return "", false
}

// Known reports whether versions of the ecosystem can be ordered. Ecosystems
// are OSV's names without release: "Debian", not "Debian:12".
func Known(ecosystem string) bool {
	_, ok := familyOf(ecosystem)
	return ok
}

// Valid returns nil when v is a version of the ecosystem, else an error that
// wraps ErrUnreadable or ErrEcosystem and says what is wrong.
func Valid(ecosystem, v string) error {
	f, ok := familyOf(ecosystem)
	if !ok {
		return fmt.Errorf("%w %q", ErrEcosystem, ecosystem)
	}
	return valid(f, v)
}

// Compare returns a negative number when a comes before b, 0 when they are
// equal in the ecosystem's order and a positive number when a comes after b.
// Errors wrap ErrEcosystem or ErrUnreadable.
func Compare(ecosystem, a, b string) (int, error) {
	f, ok := familyOf(ecosystem)
	if !ok {
		return 0, fmt.Errorf("%w %q", ErrEcosystem, ecosystem)
	}
	if err := valid(f, a); err != nil {
		return 0, err
	}
	if err := valid(f, b); err != nil {
		return 0, err
	}
	return compare(f, a, b)
}

// compare orders two valid versions.
func compare(f family, a, b string) (int, error) {
	switch f {
	case debian:
		return compareDebian(a, b), nil
	case redhat:
		return compareRPM(a, b), nil
	case alpine:
		return compareAlpine(a, b), nil
	case semver:
		return compareSemver(a, b, false, false), nil
	case nuget:
		return compareSemver(a, b, true, false), nil
	case pub:
		return compareSemver(a, b, false, true), nil
	case pypi:
		return comparePyPI(a, b)
	case maven:
		return compareMaven(a, b), nil
	case rubygems:
		return compareGems(a, b), nil
	}
	return compareSemantic(f, a, b)
}

// Contains reports whether v is in the range. An error (see Compare) says that
// v or a bound of the range is unreadable: then nothing is known.
func Contains(ecosystem string, r Range, v string) (bool, error) {
	f, ok := familyOf(ecosystem)
	if !ok {
		return false, fmt.Errorf("%w %q", ErrEcosystem, ecosystem)
	}
	if err := valid(f, v); err != nil {
		return false, err
	}
	if r.Introduced != "" && r.Introduced != "0" {
		n, err := bound(f, v, r.Introduced)
		if err != nil || n < 0 {
			return false, err
		}
	}
	if r.Fixed != "" {
		n, err := bound(f, v, r.Fixed)
		if err != nil || n >= 0 {
			return false, err
		}
	}
	if r.LastAffected != "" {
		n, err := bound(f, v, r.LastAffected)
		if err != nil || n > 0 {
			return false, err
		}
	}
	return true, nil
}

// bound compares a valid v with a bound of a range.
func bound(f family, v, limit string) (int, error) {
	if err := valid(f, limit); err != nil {
		return 0, fmt.Errorf("bound of the range: %w", err)
	}
	return compare(f, v, limit)
}

// valid checks a version against the rules of its family.
func valid(f family, v string) error {
	if v == "" {
		return fmt.Errorf("%w: it is empty", ErrUnreadable)
	}
	if len(v) > maxLength {
		return fmt.Errorf("%w: it is longer than %d bytes", ErrUnreadable, maxLength)
	}
	switch f {
	case debian:
		return validDebian(v)
	case redhat:
		return validRPM(v)
	}
	for i := 0; i < len(v); i++ {
		if v[i] <= ' ' || v[i] >= 0x7f {
			return unreadable(v, "it has a blank, a control character or one outside of ASCII")
		}
	}
	switch f {
	case alpine:
		return validAlpine(v)
	case semver, nuget, pub:
		return validSemver(v)
	case pypi:
		_, err := parsePyPI(v)
		return err
	case rubygems:
		return validGem(v)
	case maven: // gives every text an order
		return nil
	}
	return validSemantic(f, v)
}

func unreadable(v, why string) error {
	return fmt.Errorf("%w %q: %s", ErrUnreadable, v, why)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// compareDigits orders two runs of digits by value, whatever their length.
func compareDigits(a, b string) int {
	for len(a) > 0 && a[0] == '0' {
		a = a[1:]
	}
	for len(b) > 0 && b[0] == '0' {
		b = b[1:]
	}
	switch {
	case len(a) != len(b):
		return len(a) - len(b)
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// digits returns the length of the run of digits at the start of s.
func digits(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}
