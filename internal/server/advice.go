package server

import (
	"fmt"
	"strings"
)

// advice says in words what a recommendation is about and how to carry it out.
// Names are those of packages: they are text, never run by Picket. devices is how
// many have it, as "2 devices"; "" leaves that out.
func advice(r *Recommendation, devices string) (description string, steps []string) {
	weaknesses := plural(r.Weaknesses, "known weakness", "known weaknesses")
	name := r.Component
	if devices != "" {
		name += " on " + devices
	}
	switch r.Type {
	case RemedyUpgrade, RemedyUninstall:
		return lineAdvice(r, name, weaknesses)
	case RemedyAttention:
		return fmt.Sprintf("%s has %s that no update fixes yet.", name, weaknesses), []string{
			"Read what the vendor says of each weakness: some are judged minor, some are only awaiting an update.",
			"Where the software is not needed, remove it.",
			"Where it is needed, limit who can reach it until an update exists; this recommendation turns into an update by itself then."}
	case RemedyRestart:
		return fmt.Sprintf("The fixed version of %s is installed, and programs still use the old one with %s.", name, weaknesses), []string{
			"Restart the programs that the device page names under Restart needed; for a kernel, reboot.",
			"The findings close as soon as the agent sees the new version in use."}
	}
	description = fmt.Sprintf("%s has %s that an update fixes.", name, weaknesses)
	for _, f := range r.Fixes {
		if f.Version == "" {
			continue
		}
		steps = append(steps, fmt.Sprintf("%s: bring %s to %s or later%s.", f.Place, f.Package, f.Version, command(f)))
	}
	return description, append(steps, "The findings close as soon as the agent sees the new version; where old code stays in memory, a restart is recommended instead.")
}

// task is the description of an activity for it. How many devices there are is
// said by the activity's targets, of which not everybody sees all.
func (r *Recommendation) task() string {
	if r.Type == RemedyConfigure {
		return r.Description
	}
	text, _ := advice(r, "")
	return text
}

// removal is the description of an activity that removes software which an update,
// or nothing, was recommended for.
func removal(r *Recommendation) string {
	return fmt.Sprintf("%s is not wanted any more: it is to be removed from the devices on which it has weaknesses now.", r.Component)
}

func removalSteps() []string {
	return []string{"Look what else needs it, then remove it with the package manager that installed it.", "A device counts as fixed as soon as its agent no longer finds the software, in whatever version."}
}

// lineAdvice is that of software whose support has ended.
func lineAdvice(r *Recommendation, name, weaknesses string) (description string, steps []string) {
	var ended []string
	for _, l := range r.Lines {
		if l.Ended {
			ended = append(ended, l.says())
		}
	}
	description = fmt.Sprintf("%s is no longer supported: %s. Nobody makes fixes for it any more", name, strings.Join(ended, ", "))
	if r.Weaknesses > 0 {
		description += fmt.Sprintf(", and it has %s that no update of it fixes", weaknesses)
	}
	description += "."
	if r.Type == RemedyUninstall {
		return description, []string{"Remove it, or replace it by software that is supported: no version of it is.",
			"The recommendation closes as soon as the agent no longer finds it."}
	}
	for _, e := range r.Supported {
		steps = append(steps, "Move to "+e.says()+".")
	}
	if len(r.Supported) == 0 {
		steps = append(steps, "No release of it is supported any more: move to another operating system.")
	}
	return description, append(steps, "The recommendation closes as soon as the agent no longer finds what is not supported.")
}

// says is a line with when its support ends, in words.
func (e *EndOfLife) says() string {
	out := e.Product + " " + e.Cycle
	switch {
	case e.Ended && e.Date != "":
		out += " (until " + e.Date
	case e.Ended:
		out += " (ended"
	case e.Date != "":
		out += " (supported until " + e.Date
	default:
		out += " (supported"
	}
	if e.Extended != "" {
		out += ", for subscribers until " + e.Extended
	}
	return out + ")"
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// command names the package manager's command where there is one for all cases.
func command(f FixRow) string {
	place, _, _ := strings.Cut(f.Place, " ")
	switch place {
	case "Debian", "Ubuntu":
		return " (apt-get update, then apt-get install --only-upgrade with the binary packages of this source)"
	case "Alpine", "Wolfi", "Chainguard":
		return " (apk upgrade)"
	case "AlmaLinux", "Rocky", "Red", "CentOS", "Oracle", "Fedora", "Amazon", "Azure":
		return " (dnf upgrade)"
	case "openSUSE", "SUSE":
		return " (zypper patch)"
	case "npm":
		return " in each place that the device page names (npm update, or a new release of the program that ships it)"
	case "PyPI":
		return " in each environment that the device page names (pip install --upgrade)"
	case "Go", "Maven", "crates.io", "RubyGems":
		return " by a release of the program that was built with it"
	}
	return ""
}
