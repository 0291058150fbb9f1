package server

import (
	"cmp"
	"slices"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
)

// severityRank orders severities, worst highest.
func severityRank(s advisory.Severity) int {
	switch s {
	case advisory.Critical:
		return 4
	case advisory.High:
		return 3
	case advisory.Medium:
		return 2
	case advisory.Low:
		return 1
	}
	return 0
}

// exploitRank orders exploit maturities, worst highest.
func exploitRank(e advisory.Exploit) int {
	switch e {
	case advisory.ExploitInKit:
		return 3
	case advisory.ExploitVerified:
		return 2
	case advisory.ExploitPublic:
		return 1
	}
	return 0
}

// add makes t the worst of itself and o.
func (t *Threats) add(o Threats) {
	if exploitRank(o.Exploit) > exploitRank(t.Exploit) {
		t.Exploit = o.Exploit
	}
	t.KEV = t.KEV || o.KEV
	t.Ransom = t.Ransom || o.Ransom
	t.EPSS = max(t.EPSS, o.EPSS)
}

// graver orders threats: by how far exploits are, then by KEV, ransomware,
// devices with alerts, and EPSS.
func graver(a, b Threats) int {
	yes := func(a, b bool) int {
		if a == b {
			return 0
		} else if a {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(exploitRank(a.Exploit), exploitRank(b.Exploit)), yes(a.KEV, b.KEV), yes(a.Ransom, b.Ransom), cmp.Compare(a.Alerts, b.Alerts), cmp.Compare(a.EPSS, b.EPSS))
}

// threatIs reports whether any of the threat filter's words fits.
func threatIs(t Threats, words []string) bool {
	rank := exploitRank(t.Exploit)
	return slices.Contains(words, "exploit") && rank > 0 || slices.Contains(words, "verified") && rank > 1 || slices.Contains(words, "kit") && rank > 2 ||
		slices.Contains(words, "kev") && t.KEV || slices.Contains(words, "ransomware") && t.Ransom ||
		slices.Contains(words, "alert") && t.Alerts > 0
}

var threatWords = []string{"exploit", "verified", "kit", "kev", "ransomware", "alert"}

var severityWords = []string{string(advisory.Critical), string(advisory.High), string(advisory.Medium), string(advisory.Low), string(advisory.Unrated)}

func severityCount(c exposure.Counts) SeverityCount {
	return SeverityCount{Critical: int(c.Critical), High: int(c.High), Medium: int(c.Medium), Low: int(c.Low), Unrated: int(c.Unrated)}
}

// add counts one weakness.
func (n *SeverityCount) add(s advisory.Severity) {
	switch s {
	case advisory.Critical:
		n.Critical++
	case advisory.High:
		n.High++
	case advisory.Medium:
		n.Medium++
	case advisory.Low:
		n.Low++
	default:
		n.Unrated++
	}
}

// sum is the number of weaknesses of all severities.
func (n *SeverityCount) sum() int { return n.Critical + n.High + n.Medium + n.Low + n.Unrated }

// worse orders counts by their worst severities.
func worse(a, b SeverityCount) int {
	for _, d := range []int{a.Critical - b.Critical, a.High - b.High, a.Medium - b.Medium, a.Low - b.Low, a.Unrated - b.Unrated} {
		if d != 0 {
			return d
		}
	}
	return 0
}

// stateRank orders the states of a finding: what counts most comes first when
// one row stands for several findings.
func stateRank(s exposure.State) int {
	order := []exposure.State{
		exposure.State(advisory.NotAffect), exposure.KernelToolOnly, exposure.LatentKernel,
		exposure.State(advisory.Undetermined), exposure.State(advisory.Unimportant),
		exposure.State(advisory.Ignored), exposure.State(advisory.Postponed), exposure.State(advisory.NoDSA),
		exposure.State(advisory.EndOfLife), exposure.State(advisory.Affected), exposure.State(advisory.Open),
		exposure.RestartNeeded, exposure.State(advisory.Fixed),
	}
	return slices.Index(order, s)
}
