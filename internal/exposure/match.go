package exposure

import (
	"fmt"
	"slices"
	"strings"

	"github.com/picketsec/picket/internal/advisory"
)

// match turns a verdict into a match, as the component's role has it; ok is
// false when the role leaves nothing of it.
func (m *matcher) match(c *Component, v string, d *verdict, onDisk map[string]bool) (match Match, ok bool) {
	match = Match{Weakness: d.weakness, State: d.state(), Fixed: d.fixed(), Statement: *d.statement}
	match.Exposed = match.State.Exposed()
	more := ""
	switch c.Role {
	case KernelLatent:
		if match.Exposed {
			match.State, match.Exposed = LatentKernel, false
			more = "; this kernel is installed, but not running"
		}
	case KernelTools:
		if match.Exposed {
			match.State, match.Exposed = KernelToolOnly, false
			more = "; headers or tools of the kernel, not the kernel itself"
		}
	case KernelRunning:
		if match.Exposed && onDisk != nil && !onDisk[d.weakness] {
			match.State, match.Fixed = RestartNeeded, c.Disk
			more = "; " + c.Disk + " is installed, which does not have it: reboot"
		}
	case InMemory:
		if !match.Exposed || c.Disk != "" && (onDisk == nil || onDisk[d.weakness]) {
			return Match{}, false // told by the component on disk
		}
		match.State, match.Fixed = RestartNeeded, c.Disk
		more = "; processes still use the old files, no longer on disk: restart them"
		if c.Disk != "" {
			more = "; processes still use the old files, " + c.Disk + " on disk does not have it: restart them"
		}
	}
	match.Rule = m.rule(c, v, d) + more
	return match, true
}

// rule says in one line what was compared.
func (m *matcher) rule(c *Component, v string, d *verdict) string {
	shown := v
	if v != c.Version {
		shown = v + " (of " + c.Version + ")"
	}
	about := " (" + sourceWord(c.Key.Ecosystem) + c.Key.Name + ", " + place(c.Key) + ")"
	if c.Key.Release == "" {
		about = " (" + c.Key.Ecosystem + " " + c.Key.Name + ")"
	}
	r := d.in
	from := ""
	if r.Introduced != "" && r.Introduced != "0" {
		from = r.Introduced + " ≤ "
	}
	by := " by " + orderOf(c.Key.Ecosystem)
	switch {
	case d.listed:
		return shown + " is listed as vulnerable" + about
	case r.Fixed != "" && proOnly(d.statement):
		return from + shown + " < " + r.Fixed + by + about + "; the fix is for Ubuntu Pro only"
	case r.Fixed != "":
		return from + shown + " < " + r.Fixed + by + about
	case r.LastAffected != "":
		return from + shown + " ≤ " + r.LastAffected + by + about
	case from != "":
		return from + shown + by + ", no end known" + about
	}
	return "every version is affected, " + shown + " too" + about
}

// sourceWord says what a name means where it is not the installed package's.
func sourceWord(ecosystem string) string {
	switch ecosystem {
	case "Debian", "Ubuntu", "Alpine", "Rocky Linux", "openSUSE", "SUSE", "Azure Linux", "Oracle Linux", "Amazon Linux", "Fedora", "CentOS":
		return "source "
	}
	return ""
}

// orderOf names the order of versions that an ecosystem uses.
func orderOf(ecosystem string) string {
	switch ecosystem {
	case "Debian", "Ubuntu":
		return "dpkg order"
	case "Alpine", "Wolfi", "Chainguard":
		return "apk order"
	case "PyPI":
		return "PEP 440 order"
	case "Maven":
		return "Maven order"
	case "RubyGems":
		return "Gem::Version order"
	case "Go", "npm", "crates.io":
		return "SemVer order"
	}
	if sourceWord(ecosystem) != "" || ecosystem == "AlmaLinux" || ecosystem == "Red Hat" {
		return "rpm order"
	}
	return ecosystem + " order"
}

// maxAnnounced caps the advisories named as evidence of one match.
const maxAnnounced = 16

// announce adds to each match the vendor's advisories (DSA, USN …) that other
// statements about the package carry for its weakness.
func (m *matcher) announce(matches []Match) {
	var at map[string]int
	for i := range m.statements {
		s := &m.statements[i]
		if !announces(s.Advisory) {
			continue
		}
		if at == nil {
			at = make(map[string]int, len(matches))
			for j := range matches {
				at[matches[j].Weakness] = j
			}
		}
		for _, w := range s.Weaknesses {
			if !advisory.IsCVE(w) {
				w = m.in.Canonical(w)
			}
			j, ok := at[w]
			if !ok || matches[j].Statement.Advisory == s.Advisory || slices.Contains(matches[j].Statement.Announced, s.Advisory) ||
				len(matches[j].Statement.Announced) >= maxAnnounced {
				continue
			}
			old := matches[j].Statement.Announced
			matches[j].Statement.Announced = append(old[:len(old):len(old)], s.Advisory)
		}
	}
	if at == nil {
		return
	}
	for j := range matches {
		if list := matches[j].Statement.Announced; len(list) > 1 && !slices.IsSorted(list) {
			list = slices.Clone(list)
			slices.Sort(list)
			matches[j].Statement.Announced = list
		}
	}
}

// FixedBy names the vendor's advisory (DSA, USN, ALSA …) that announced the fix:
// the one that decided, else the newest that speaks of the weakness. It is ""
// when no fixed version is known or no such advisory is loaded.
func (m *Match) FixedBy() string {
	switch n := len(m.Statement.Announced); {
	case m.Fixed == "":
		return ""
	case announces(m.Statement.Advisory):
		return m.Statement.Advisory
	case n > 0:
		return m.Statement.Announced[n-1] // sorted
	}
	return ""
}

// announces reports whether an id is that of a vendor's advisory for an update.
func announces(id string) bool {
	for _, prefix := range []string{"DSA-", "DLA-", "USN-", "ALSA-", "RLSA-", "RHSA-", "ELSA-", "ALAS", "SUSE-SU-", "openSUSE-SU-"} {
		if strings.HasPrefix(id, prefix) {
			return true
		}
	}
	return false
}

// backportedTo returns the release that a backport was built for: "12" for "~bpo12+1".
func backportedTo(v string) string {
	release, _, ok := backport(v)
	if !ok {
		return ""
	}
	n := 0
	_, _ = fmt.Sscan(release, &n)
	return fmt.Sprint(n - 1)
}
