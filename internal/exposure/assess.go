package exposure

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/version"
)

// maxNotes caps Assessment.Notes.
const maxNotes = 20

// Assess matches one component against the intelligence. The result depends on
// nothing else, and not on the order of the statements. What cannot be judged
// has no matches and a reason in Unassessed; an error says that the
// intelligence could not be read, and nothing about the component.
//
// Of several feeds the one closest to the package decides for each weakness:
// for Debian the security tracker, then OSV's records of it, then the lists of
// advisories, and demo intelligence last everywhere. Feeds of equal standing
// are joined: a version is vulnerable when one of them says so.
func Assess(c Component, in Intelligence) (Assessment, error) {
	if c.Unassessed != "" {
		return Assessment{Unassessed: c.Unassessed}, nil
	}
	v := bareVersion(c.Key.Ecosystem, c.Version)
	if err := version.Valid(c.Key.Ecosystem, v); err != nil {
		if errors.Is(err, version.ErrEcosystem) {
			return Assessment{Unassessed: "versions of " + clip(c.Key.Ecosystem, 60) + " cannot be compared"}, nil
		}
		if c.Version == "" {
			return Assessment{Unassessed: "version is empty"}, nil
		}
		return Assessment{Unassessed: "version " + quoted(c.Version) + " is unreadable"}, nil
	}
	coverage := in.Coverage(c.Key.Ecosystem, c.Key.Release)
	if len(coverage) == 0 {
		return Assessment{Unassessed: "no loaded feed covers " + place(c.Key)}, nil
	}
	m := matcher{in: in, key: c.Key, module: c.Module, modular: modular(c.Module, v)}
	var err error
	if m.statements, err = in.Statements(c.Key); err != nil {
		return Assessment{}, fmt.Errorf("read statements of %s: %w", c.Key, err)
	}
	verdicts := m.run(v)
	slices.Sort(m.notes)
	a := Assessment{Coverage: coverage, Notes: m.notes[:min(len(m.notes), maxNotes):min(len(m.notes), maxNotes)]}
	if len(verdicts) == 0 {
		return a, nil
	}
	onDisk, err := diskVerdicts(c, in)
	if err != nil {
		return Assessment{}, err
	}
	a.Matches = make([]Match, 0, len(verdicts))
	for i := range verdicts {
		if match, ok := m.match(&c, v, &verdicts[i], onDisk); ok {
			a.Matches = append(a.Matches, match)
		}
	}
	m.announce(a.Matches)
	return a, nil
}

// bareVersion is what is compared of a version: without the backport suffix of
// Debian, without the "v" or "go" of Go.
func bareVersion(ecosystem, v string) string {
	switch ecosystem {
	case "Debian":
		if _, bare, ok := backport(v); ok {
			return bare
		}
	case "Go":
		return strings.TrimPrefix(strings.TrimPrefix(v, "go"), "v")
	}
	return v
}

// place names an ecosystem and release for people: "Debian 12", "PyPI".
func place(k advisory.Key) string {
	if k.Release == "" {
		return clip(k.Ecosystem, 60)
	}
	return clip(k.Ecosystem, 60) + " " + clip(k.Release, 40)
}

// diskVerdicts returns the weaknesses of the version on disk, nil when there is
// no other version there or it cannot be judged.
func diskVerdicts(c Component, in Intelligence) (map[string]bool, error) {
	if c.Disk == "" {
		return nil, nil
	}
	k := c.Key
	if k.Ecosystem == "Debian" {
		// Either of the two versions may be a backport, judged by another release.
		if release, _, ok := backport(c.Disk); ok {
			k.Release = release
		} else if _, _, ok := backport(c.Version); ok {
			k.Release = backportedTo(c.Version)
		}
	}
	v := bareVersion(k.Ecosystem, c.Disk)
	if version.Valid(k.Ecosystem, v) != nil || len(in.Coverage(k.Ecosystem, k.Release)) == 0 {
		return nil, nil
	}
	m := matcher{in: in, key: k, module: c.Module, modular: modular(c.Module, v)}
	var err error
	if m.statements, err = in.Statements(k); err != nil {
		return nil, fmt.Errorf("read statements of %s: %w", k, err)
	}
	out := map[string]bool{}
	for _, d := range m.run(v) {
		if d.state().Exposed() {
			out[d.weakness] = true
		}
	}
	return out, nil
}

// verdict says that one statement finds a version vulnerable to one weakness.
type verdict struct {
	weakness  string
	statement *advisory.Statement
	in        version.Range // the range that holds the version
	listed    bool          // the version is listed by name
	rank      int
}

// fixed returns the version that fixes it, "" when there is none to be had.
func (d *verdict) fixed() string {
	if proOnly(d.statement) {
		return ""
	}
	return d.in.Fixed
}

// state is the feed's word, with "fixed" only where a fix is named.
func (d *verdict) state() State {
	switch s := d.statement.State; {
	case s == advisory.Fixed && d.fixed() == "":
		return State(advisory.Affected)
	case s == advisory.Affected && d.fixed() != "":
		return State(advisory.Fixed)
	default:
		return State(s)
	}
}

// Exposed reports whether findings in this state count in exposure.
func (s State) Exposed() bool { return s == RestartNeeded || advisory.State(s).Exposed() }

// proOnly reports whether the fix of a statement is only for subscribers of Ubuntu Pro.
func proOnly(s *advisory.Statement) bool { return strings.HasPrefix(s.Note, "Ubuntu Pro") }

// matcher matches versions of one package against its statements.
type matcher struct {
	in         Intelligence
	key        advisory.Key
	module     string
	modular    bool
	statements []advisory.Statement
	skipped    map[*advisory.Statement]bool // not comparable
	notes      []string
	memo       map[string]int // bound → order of the version against it, for packages with many statements
}

// run returns one verdict per weakness that v has, ordered by weakness.
func (m *matcher) run(v string) []verdict {
	if len(m.statements) > 128 {
		m.memo = make(map[string]int, 64)
	}
	var found []verdict
	for i := range m.statements {
		s := &m.statements[i]
		if s.State == advisory.NotAffect || !m.sameModule(s) {
			continue
		}
		in, listed, ok := m.holds(s, v)
		if !ok {
			continue
		}
		rank := rankOf(m.key.Ecosystem, s)
		for _, w := range s.Weaknesses {
			if !advisory.IsCVE(w) {
				w = m.in.Canonical(w)
			}
			found = append(found, verdict{weakness: w, statement: s, in: in, listed: listed, rank: rank})
		}
	}
	if len(found) == 0 {
		return nil
	}
	slices.SortFunc(found, m.order)
	found = slices.CompactFunc(found, func(a, b verdict) bool { return a.weakness == b.weakness })
	m.overrule(&found)
	return slices.DeleteFunc(found, func(d verdict) bool { return m.in.Rejected(d.weakness) })
}

// order puts the deciding verdict of each weakness first: the closest feed,
// then one that counts, then the highest fix.
func (m *matcher) order(a, b verdict) int {
	if n := cmp.Or(cmp.Compare(a.weakness, b.weakness), cmp.Compare(a.rank, b.rank)); n != 0 {
		return n
	}
	if x, y := a.state().Exposed(), b.state().Exposed(); x != y {
		if x {
			return -1
		}
		return 1
	}
	if x, y := a.fixed(), b.fixed(); x != y {
		if x == "" || y == "" {
			return cmp.Compare(len(y), len(x))
		}
		if n, err := version.Compare(m.key.Ecosystem, y, x); err == nil && n != 0 {
			return n
		}
		return cmp.Compare(x, y)
	}
	return cmp.Or(cmp.Compare(a.statement.Feed, b.statement.Feed), cmp.Compare(a.statement.Advisory, b.statement.Advisory),
		cmp.Compare(a.statement.State, b.statement.State), cmp.Compare(a.in.Introduced, b.in.Introduced), cmp.Compare(a.statement.Note, b.statement.Note))
}

// overrule drops verdicts of which a closer feed knows the weakness and does
// not find the version vulnerable.
func (m *matcher) overrule(found *[]verdict) {
	best := 99
	for i := range m.statements {
		best = min(best, rankOf(m.key.Ecosystem, &m.statements[i]))
	}
	var open map[string]int // weakness → rank of its verdict
	for i := range *found {
		if d := &(*found)[i]; d.rank > best {
			if open == nil {
				open = map[string]int{}
			}
			open[d.weakness] = d.rank
		}
	}
	if open == nil {
		return
	}
	over := map[string]bool{}
	for i := range m.statements {
		s := &m.statements[i]
		if m.skipped[s] || !m.sameModule(s) {
			continue
		}
		rank := rankOf(m.key.Ecosystem, s)
		for _, w := range s.Weaknesses {
			if !advisory.IsCVE(w) {
				w = m.in.Canonical(w)
			}
			if at, ok := open[w]; ok && rank < at {
				over[w] = true
			}
		}
	}
	*found = slices.DeleteFunc(*found, func(d verdict) bool { return over[d.weakness] && d.rank == open[d.weakness] })
}

// rankOf says how close a statement's feed is to the packages of an ecosystem; less is closer.
func rankOf(ecosystem string, s *advisory.Statement) int {
	if s.Feed == "demo" {
		return 9
	}
	if ecosystem != "Debian" {
		return 1
	}
	switch s.Feed {
	case "debian-tracker":
		return 0
	case "debian-dsa", "debian-dla":
		return 4
	}
	if strings.HasPrefix(s.Advisory, "DSA-") || strings.HasPrefix(s.Advisory, "DLA-") {
		return 3
	}
	return 2
}

// holds reports whether a statement finds v vulnerable, and by which range.
func (m *matcher) holds(s *advisory.Statement, v string) (in version.Range, listed, ok bool) {
	if len(s.Ranges) == 0 && len(s.Versions) == 0 {
		return in, false, true
	}
	for _, r := range s.Ranges {
		hit, err := m.contains(r, v)
		if err != nil {
			m.note(s, err)
			continue
		}
		if hit {
			return r, false, true
		}
	}
	for _, w := range s.Versions {
		if w == v {
			return in, true, true
		}
	}
	if len(s.Versions) > 64 {
		return in, false, false // compared by text alone
	}
	for _, w := range s.Versions {
		if n, err := version.Compare(m.key.Ecosystem, v, w); err == nil && n == 0 {
			return in, true, true
		}
	}
	return in, false, false
}

// contains is version.Contains with a memory of bounds that were compared before.
func (m *matcher) contains(r version.Range, v string) (bool, error) {
	if r.Introduced != "" && r.Introduced != "0" {
		if n, err := m.compare(v, r.Introduced); err != nil || n < 0 {
			return false, err
		}
	}
	if r.Fixed != "" {
		if n, err := m.compare(v, r.Fixed); err != nil || n >= 0 {
			return false, err
		}
	}
	if r.LastAffected != "" {
		if n, err := m.compare(v, r.LastAffected); err != nil || n > 0 {
			return false, err
		}
	}
	return true, nil
}

func (m *matcher) compare(v, bound string) (int, error) {
	if m.memo != nil {
		if n, ok := m.memo[bound]; ok {
			return n, nil
		}
	}
	n, err := version.Compare(m.key.Ecosystem, v, bound)
	if err != nil {
		return 0, err
	}
	if m.memo != nil {
		m.memo[bound] = n
	}
	return n, nil
}

// note remembers a statement that could not be compared.
func (m *matcher) note(s *advisory.Statement, err error) {
	if m.skipped == nil {
		m.skipped = map[*advisory.Statement]bool{}
	}
	m.skipped[s] = true
	m.notes = append(m.notes, clip(s.Advisory, 60)+" of "+s.Feed+" left out: "+clip(err.Error(), 200))
}

// modular reports whether a package belongs to an rpm module.
func modular(label, v string) bool { return label != "" || strings.Contains(v, ".module") }

// sameModule reports whether a statement speaks of the component's module
// stream: updates of one stream say nothing of another, nor of the package outside modules.
func (m *matcher) sameModule(s *advisory.Statement) bool {
	if s.Module != "" {
		return s.Module == m.module
	}
	switch m.key.Ecosystem {
	case "AlmaLinux", "Rocky Linux", "Red Hat", "CentOS", "Oracle Linux":
		for _, r := range s.Ranges {
			if r.Fixed != "" {
				return strings.Contains(r.Fixed, ".module") == m.modular
			}
		}
	}
	return true
}
