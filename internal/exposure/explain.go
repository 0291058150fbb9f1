package exposure

import (
	"fmt"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/advisory"
)

// Explain says in lines of text why a finding is there: the verdict, the rule,
// the advisory with its feed and the feed's date, and every package record
// behind it. coverage is that of the component's assessment. Bytes that could
// steer a terminal are shown as escapes. Lines have no newline at their end.
func Explain(f Finding, coverage []advisory.Coverage) []string {
	var out []string
	say := func(format string, a ...any) { out = append(out, Printable(fmt.Sprintf(format, a...))) }
	c, m, s := f.Component, f.Match, f.Match.Statement
	say("%s on %s", m.Weakness, f.Device)
	counts := "counts in exposure"
	if !m.Exposed {
		counts = "does not count in exposure"
	}
	say("  state      %s, %s: %s", m.State, counts, meaning(m.State))
	say("  software   %s %s (%s)", c.Product, c.Version, c.ID())
	if c.Role != Plain {
		say("  role       %s", roleWord(c.Role))
	}
	if c.Module != "" {
		say("  module     %s", c.Module)
	}
	if m.Fixed != "" {
		say("  fixed in   %s", m.Fixed)
	} else {
		say("  fixed in   no fixed version is known")
	}
	say("  rule       %s", m.Rule)
	say("  looked up  %s", c.Key)
	say("  advisory   %s%s", s.Advisory, dated(s.Date))
	if s.URL != "" {
		say("             %s", s.URL)
	}
	if len(s.Announced) > 0 {
		say("  announced  %s", strings.Join(s.Announced, ", "))
	}
	if s.Urgency != "" {
		say("  urgency    %s", s.Urgency)
	}
	if s.Note != "" {
		say("  note       %s", s.Note)
	}
	for _, v := range coverage {
		mark := ""
		if v.Feed == s.Feed {
			mark = ", decided"
		}
		say("  feed       %s%s%s", v.Feed, dated(v.Date), mark)
	}
	if !f.FirstSeen.IsZero() {
		say("  first seen %s", f.FirstSeen.UTC().Format(time.RFC3339))
	}
	for _, e := range f.Evidence {
		arch := ""
		if e.Arch != "" {
			arch = " " + e.Arch
		}
		say("  evidence   %s record %q: %s %s%s", e.Section, e.Item, e.Package, e.Version, arch)
		for _, p := range e.Paths {
			say("             %s", p)
		}
		for _, p := range e.Processes {
			say("             process %d (%s)", p.PID, p.Name)
		}
	}
	return out
}

// meaning explains a state in a few words.
func meaning(s State) string {
	switch s {
	case LatentKernel:
		return "a finding if this kernel ran"
	case KernelToolOnly:
		return "headers or tools of a vulnerable kernel source"
	case RestartNeeded:
		return "fixed on disk, the old version is still in memory"
	}
	switch advisory.State(s) {
	case advisory.Fixed:
		return "a fixed version exists"
	case advisory.Open:
		return "affected, no fix yet"
	case advisory.NoDSA:
		return "affected, minor: no advisory is planned"
	case advisory.Postponed:
		return "affected, the fix comes with a later update"
	case advisory.Ignored:
		return "affected, will not be fixed"
	case advisory.EndOfLife:
		return "affected, no longer supported in this release"
	case advisory.Affected:
		return "affected, the feed names no fix"
	case advisory.Unimportant:
		return "no security impact in practice"
	case advisory.Undetermined:
		return "the distribution does not know yet"
	}
	return "the feed's own word"
}

func roleWord(r Role) string {
	switch r {
	case KernelRunning:
		return "the kernel that runs"
	case KernelLatent:
		return "a kernel that is installed, not running"
	case KernelTools:
		return "headers or tools of the kernel"
	case InMemory:
		return "replaced on disk, still in memory"
	case Residual:
		return "removed, configuration files remain"
	}
	return string(r)
}

func dated(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " of " + t.UTC().Format(time.DateOnly)
}

// Printable makes text from an endpoint or a feed safe for a terminal: control
// characters and direction marks are shown as escapes.
func Printable(s string) string {
	clean := true
	for _, r := range s {
		if unsafeRune(r) {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unsafeRune(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// unsafeRune reports whether a rune moves a cursor or turns text around.
func unsafeRune(r rune) bool {
	return r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2060 && r <= 0x206f || r == 0xfeff || r == 0xfffd
}
