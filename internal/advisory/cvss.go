package advisory

import (
	"strings"

	gocvss20 "github.com/pandatix/go-cvss/20"
	gocvss30 "github.com/pandatix/go-cvss/30"
	gocvss31 "github.com/pandatix/go-cvss/31"
	gocvss40 "github.com/pandatix/go-cvss/40"
)

// baseMetrics40 are the metrics of the CVSS 4.0 base group: threat and
// environment metrics in a vector do not change the base score.
var baseMetrics40 = []string{"AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA"}

// ReadVector computes the base score of a CVSS vector by the formulas of the
// specification of its version (2.0, 3.0, 3.1, 4.0). ok is false when the
// vector is not valid. The returned vector is trimmed of wrapping.
func ReadVector(text string) (vector, ver string, base float64, ok bool) {
	vector = strings.Trim(strings.TrimSpace(text), "()")
	if len(vector) > 400 {
		return "", "", 0, false
	}
	switch {
	case strings.HasPrefix(vector, "CVSS:4.0/"):
		v, err := gocvss40.ParseVector(baseOf40(vector))
		if err != nil {
			return "", "", 0, false
		}
		return vector, "4.0", v.Score(), true
	case strings.HasPrefix(vector, "CVSS:3.1/"):
		v, err := gocvss31.ParseVector(vector)
		if err != nil {
			return "", "", 0, false
		}
		return vector, "3.1", v.BaseScore(), true
	case strings.HasPrefix(vector, "CVSS:3.0/"):
		v, err := gocvss30.ParseVector(vector)
		if err != nil {
			return "", "", 0, false
		}
		return vector, "3.0", v.BaseScore(), true
	case strings.HasPrefix(vector, "AV:"), strings.HasPrefix(vector, "CVSS:2.0/"), strings.HasPrefix(vector, "CVSS2#"):
		vector = strings.TrimPrefix(strings.TrimPrefix(vector, "CVSS:2.0/"), "CVSS2#")
		v, err := gocvss20.ParseVector(vector)
		if err != nil {
			return "", "", 0, false
		}
		return vector, "2.0", v.BaseScore(), true
	}
	return "", "", 0, false
}

// baseOf40 reduces a CVSS 4.0 vector to its base metrics.
func baseOf40(vector string) string {
	var b strings.Builder
	b.WriteString("CVSS:4.0")
	for _, part := range strings.Split(vector, "/")[1:] {
		name, _, _ := strings.Cut(part, ":")
		for _, m := range baseMetrics40 {
			if m == name {
				b.WriteByte('/')
				b.WriteString(part)
			}
		}
	}
	return b.String()
}

// addScore appends the rating that a vector gives, once per source, version
// and vector. given is the base score that the feed states: it is kept as
// published (some rate with temporal metrics included); without one the base
// score is computed. A vector that cannot be read counts only when the feed
// states a score and the vector's beginning tells the version.
func addScore(to []Score, source, text string, given float64) []Score {
	vector, ver, base, ok := ReadVector(text)
	stated := given > 0 && given <= 10
	if !ok {
		if vector, ver = vectorVersion(text); ver == "" || !stated {
			return to
		}
	}
	if stated {
		base = given
	}
	s := Score{Version: ver, Vector: vector, Base: base, Source: source}
	for _, have := range to {
		if have.Version == s.Version && have.Vector == s.Vector && have.Source == s.Source {
			return to
		}
	}
	if len(to) >= maxScores {
		return to
	}
	return append(to, s)
}

// vectorVersion tells the version of a vector that does not parse.
func vectorVersion(text string) (vector, ver string) {
	vector = line(text, 200)
	for _, v := range []string{"4.0", "3.1", "3.0"} {
		if strings.HasPrefix(vector, "CVSS:"+v+"/") {
			return vector, v
		}
	}
	return "", ""
}

// exploitRank orders exploit maturities.
func exploitRank(e Exploit) int {
	switch e {
	case ExploitPublic:
		return 1
	case ExploitVerified:
		return 2
	case ExploitInKit:
		return 3
	}
	return 0
}

// atLeast returns the further of two maturities.
func atLeast(have, more Exploit) Exploit {
	if exploitRank(more) > exploitRank(have) {
		return more
	}
	return have
}
