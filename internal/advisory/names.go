package advisory

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

var cveInside = regexp.MustCompile(`(?:^|-)(CVE-[0-9]{4}-[0-9]{4,19})$`)

// cveIn returns the CVE id that an id is or ends with ("DEBIAN-CVE-2024-1234"), "" when none.
func cveIn(id string) string {
	if len(id) > maxID {
		return ""
	}
	if m := cveInside.FindStringSubmatch(id); m != nil {
		return m[1]
	}
	return ""
}

// bundles are the beginnings of advisories that close several flaws with one
// update. The second value says that such advisories are also published for
// mere bug fixes and enhancements.
var bundles = []struct {
	prefix string
	bugFix bool
}{
	{"DSA-", false}, {"DLA-", false}, {"DTSA-", false}, {"USN-", false}, {"LSN-", false},
	{"ALSA-", false}, {"ALBA-", true}, {"ALEA-", true},
	{"RLSA-", false}, {"RXSA-", false}, {"RLBA-", true}, {"RLEA-", true},
	{"RHSA-", false}, {"RHBA-", true}, {"RHEA-", true},
	{"ELSA-", false}, {"ELBA-", true}, {"ELEA-", true},
	{"SUSE-SU-", false}, {"SUSE-RU-", true}, {"SUSE-FU-", true}, {"SUSE-OU-", true},
	{"openSUSE-SU-", false}, {"openSUSE-RU-", true},
	{"MGASA-", false}, {"MGAA-", true}, {"OESA-", false}, {"ALAS", false}, {"FEDORA-", false},
}

func isBundle(id string) bool {
	for _, b := range bundles {
		if strings.HasPrefix(id, b.prefix) {
			return true
		}
	}
	return false
}

// isBugFix reports whether an advisory is of a kind that need not concern security.
func isBugFix(id string) bool {
	for _, b := range bundles {
		if b.bugFix && strings.HasPrefix(id, b.prefix) {
			return true
		}
	}
	return false
}

// NormalName returns the name under which a package of an ecosystem is looked
// up: the PEP 503 name for PyPI, lower case for NuGet and Packagist, whose
// names do not tell case apart; otherwise the name itself.
func NormalName(ecosystem, name string) string {
	switch ecosystem {
	case "PyPI":
		b := make([]byte, 0, len(name))
		for i := 0; i < len(name); i++ {
			c := name[i]
			if c == '-' || c == '_' || c == '.' {
				if n := len(b); n == 0 || b[n-1] != '-' {
					b = append(b, '-')
				}
				continue
			}
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			b = append(b, c)
		}
		return string(b)
	case "NuGet", "Packagist":
		return strings.ToLower(name)
	}
	return name
}

var (
	serviceLevel = regexp.MustCompile(`\b([0-9]{1,2}) SP([0-9])\b`)
	plainRelease = regexp.MustCompile(`\b([0-9]{1,2}(?:\.[0-9]{1,2})?)(?:-[A-Z]+)*$`)
)

// splitEcosystem splits OSV's "Debian:12" into the ecosystem and the release
// as the distribution's own version id. note says what the statement requires
// of the host beyond the release.
func splitEcosystem(s string) (eco, release, note string) {
	eco, rest, _ := strings.Cut(s, ":")
	switch eco {
	case "Debian":
		if major, ok := strings.CutSuffix(rest, ".0"); ok && len(major) > 0 && major > "3" {
			rest = major // "6.0": the number alone names a release since etch
		}
		return eco, DebianRelease(rest), ""
	case "Ubuntu":
		parts := slices.DeleteFunc(strings.Split(rest, ":"), func(p string) bool { return p == "LTS" })
		if len(parts) == 2 && parts[0] == "Pro" {
			return eco, parts[1], "Ubuntu Pro"
		}
		return eco, strings.Join(parts, ":"), ""
	case "Alpine":
		return eco, strings.TrimPrefix(rest, "v"), ""
	case "Red Hat":
		parts := strings.Split(rest, ":")
		if len(parts) >= 2 && parts[0] == "enterprise_linux" {
			return eco, parts[1], ""
		}
		if len(parts) >= 2 {
			return eco, parts[0] + ":" + parts[1], ""
		}
		return eco, rest, ""
	case "SUSE", "openSUSE":
		if strings.Contains(rest, "Tumbleweed") {
			return eco, "tumbleweed", ""
		}
		if m := serviceLevel.FindStringSubmatch(rest); m != nil {
			return eco, m[1] + "." + m[2], ""
		}
		if m := plainRelease.FindStringSubmatch(rest); m != nil {
			return eco, m[1], ""
		}
	}
	return eco, rest, ""
}

// validFeedName reports whether an ecosystem's name may become part of a feed's name.
func validFeedName(eco string) bool {
	if eco == "" || len(eco) > 60 || !utf8.ValidString(eco) {
		return false
	}
	for i := 0; i < len(eco); i++ {
		if c := eco[i]; !isAlnum(c) && c != ' ' && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

var moduleForm = regexp.MustCompile(`^(?:[A-Z][a-z]+: )?([A-Za-z0-9_+-]+):([A-Za-z0-9_.+-]+) `)

// moduleIn finds "name:stream" in the summary of a modular update
// ("Important: nodejs:18 security update"), "" when there is none.
func moduleIn(summary string) string {
	if m := moduleForm.FindStringSubmatch(summary + " "); m != nil {
		return m[1] + ":" + m[2]
	}
	return ""
}

// severityWord maps the words of feeds to a severity, "" when it is none.
func severityWord(word string) Severity {
	switch strings.ToLower(strings.TrimSuffix(strings.TrimSpace(word), "*")) {
	case "critical":
		return Critical
	case "high", "important":
		return High
	case "medium", "moderate":
		return Medium
	case "low", "negligible", "minor":
		return Low
	}
	return ""
}

// lessID orders ids for people: CVE ids first, by year and number, then the others.
func lessID(a, b string) bool {
	ay, an := cveNumber(a)
	by, bn := cveNumber(b)
	if ay != by {
		if ay == 0 || by == 0 {
			return ay != 0
		}
		return ay < by
	}
	if an != bn {
		return an < bn
	}
	return a < b
}

func cveNumber(id string) (year int, number uint64) {
	if !IsCVE(id) {
		return 0, 0
	}
	year, _ = strconv.Atoi(id[4:8])
	number, _ = strconv.ParseUint(id[9:], 10, 64)
	return year, number
}

// compact drops repeated neighbours.
func compact(s []string) []string { return slices.Compact(s) }

// sortedKeys returns the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
