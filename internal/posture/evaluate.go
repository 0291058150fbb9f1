package posture

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/picketsec/picket/internal/inventory"
)

// State is what a check says of a device.
type State string

// The states of a result.
const (
	Pass          State = "pass"
	Fail          State = "fail"
	NotApplicable State = "not_applicable" // it cannot concern the device: Reason is the proof
	NotAssessed   State = "not_assessed"   // it could not be judged: Reason says why
)

// Result is what one check says of one device.
type Result struct {
	Check string // id
	State State
	// Reason says in one sentence why the state is not Pass.
	Reason string
	// Evidence are the settings that decided, what offends first; at most
	// MaxEvidence of them.
	Evidence []Evidence
}

// MaxEvidence is how many settings a result shows.
const MaxEvidence = 20

// Evidence is one setting as it was found.
type Evidence struct {
	Section  inventory.SectionName
	Setting  string
	Found    string // the value, "not set", or why it was not read
	Expected string
	Source   string // file and line, "default", or empty
	Holds    bool   // it is as expected
}

// families are the families of distributions that checks speak of, with the
// ids of os-release(5) that belong to each beside its name.
var families = map[string][]string{
	"debian": {"ubuntu", "linuxmint", "raspbian", "kali", "pop", "devuan", "elementary", "zorin"},
	"ubuntu": {"linuxmint", "pop", "elementary", "zorin"},
	"rhel":   {"centos", "rocky", "almalinux", "ol", "fedora", "amzn", "azurelinux", "cloudlinux", "eurolinux", "scientific", "virtuozzo"},
	"suse":   {"sles", "opensuse-leap", "opensuse-tumbleweed", "sled"},
	"alpine": {"wolfi"},
}

// Evaluate judges a device by the sections that its agent reported (sealed;
// missing ones were not reported) and returns one result per check, ordered by
// id. It is a function of its argument alone.
func Evaluate(sections map[inventory.SectionName]*inventory.Section) []Result {
	d := newDevice(sections)
	out := make([]Result, 0, len(Checks()))
	for _, c := range Checks() {
		out = append(out, d.evaluate(c))
	}
	return out
}

// EvaluateOne is Evaluate for one check.
func EvaluateOne(c *Check, sections map[inventory.SectionName]*inventory.Section) Result {
	return newDevice(sections).evaluate(c)
}

// device is what is known of one.
type device struct {
	sections map[inventory.SectionName]*inventory.Section
	os       inventory.OS
	unknown  string // why the operating system is not known
}

func newDevice(sections map[inventory.SectionName]*inventory.Section) *device {
	d := &device{sections: sections}
	s := sections[inventory.OSSection]
	switch {
	case s == nil || len(s.Items) == 0:
		d.unknown = "the agent has not reported the operating system"
	case json.Unmarshal(s.Items[0].Value, &d.os) != nil:
		d.unknown = "what the agent reported of the operating system is not of the agreed form"
	case d.os.Family == "":
		d.unknown = "the agent did not recognise the operating system"
	}
	return d
}

// is reports whether the device's distribution belongs to one of the families.
func (d *device) is(list []string) bool {
	for _, f := range list {
		if d.os.ID == f || slices.Contains(families[f], d.os.ID) || slices.Contains(d.os.IDLike, f) {
			return true
		}
	}
	return false
}

func (d *device) evaluate(c *Check) Result {
	r := Result{Check: c.ID}
	switch {
	case d.unknown != "":
		r.State, r.Reason = NotAssessed, d.unknown
		return r
	case d.os.Family != "linux":
		r.State, r.Reason = NotApplicable, fmt.Sprintf("the check is for Linux, the device runs %s", clip(d.os.Family, 64))
		return r
	case len(c.Families) > 0 && !d.is(c.Families):
		r.State, r.Reason = NotApplicable, fmt.Sprintf("the check is for %s, the device runs %s", strings.Join(c.Families, ", "), clip(d.os.ID, 64))
		return r
	}
	for _, n := range c.needs {
		switch v, seen, why := d.line(n.line); v {
		case no:
			return done(r, NotApplicable, n.proof, seen)
		case inapplicable:
			return done(r, NotApplicable, why, nil)
		case unknown:
			return done(r, NotAssessed, why, seen)
		}
	}
	return d.test(c, r)
}

// test judges the lines of a check, all of which have to hold. A line that
// does not hold decides, whatever could not be read beside it.
func (d *device) test(c *Check, r Result) Result {
	var all []Evidence
	var whys, proofs []string
	failed := false
	for _, l := range c.tests {
		v, seen, why := d.line(l)
		all = append(all, seen...)
		switch v {
		case no:
			failed = true
		case unknown:
			whys = append(whys, why)
		case inapplicable:
			proofs = append(proofs, why)
		}
	}
	switch {
	case failed:
		return done(r, Fail, "", all)
	case len(whys) > 0:
		return done(r, NotAssessed, strings.Join(distinct(whys), "; "), all)
	case len(proofs) > 0:
		return done(r, NotApplicable, strings.Join(distinct(proofs), "; "), nil)
	}
	return done(r, Pass, "", all)
}

func distinct(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// done fills a result: what offends comes first, and tells why it fails.
func done(r Result, s State, reason string, seen []Evidence) Result {
	slices.SortStableFunc(seen, func(a, b Evidence) int { return cmp.Compare(rank(a), rank(b)) })
	if s == Fail && reason == "" {
		e := seen[0]
		reason = fmt.Sprintf("%s: found %s, expected: %s", e.Setting, clip(e.Found, 200), e.Expected)
	}
	if len(seen) > MaxEvidence {
		seen = seen[:MaxEvidence]
	}
	r.State, r.Reason, r.Evidence = s, clip(reason, maxReason), seen
	return r
}

func rank(e Evidence) int {
	if e.Holds {
		return 1
	}
	return 0
}

// line judges a line: one condition that holds is enough.
func (d *device) line(l line) (v verdict, seen []Evidence, why string) {
	v = inapplicable
	for i := range l {
		w, e, y := d.cond(&l[i])
		if w == yes {
			return yes, e, ""
		}
		seen = append(seen, e...)
		if w == unknown || w == no && v == inapplicable || w == inapplicable && v == inapplicable {
			if v = w; y != "" {
				why = y
			}
		}
	}
	return v, seen, why
}

// cond judges one condition.
func (d *device) cond(k *cond) (verdict, []Evidence, string) {
	if k.section == packages {
		return d.installed(k)
	}
	s := d.sections[k.section]
	switch {
	case s == nil:
		return unknown, nil, fmt.Sprintf("the agent has not reported the section %s", k.section)
	case s.Status == inventory.NotApplicable:
		return inapplicable, nil, cmp.Or(s.Reason, fmt.Sprintf("the section %s does not apply to the device", k.section))
	case strings.Contains(k.name, "*"):
		return d.each(k, s)
	}
	i, ok := slices.BinarySearchFunc(s.Items, k.name, func(it inventory.Item, name string) int { return strings.Compare(it.Key, name) })
	if !ok && s.Status != inventory.Complete {
		return unknown, nil, incomplete(s)
	}
	var it inventory.Item
	if ok {
		it = s.Items[i]
	}
	return judge(k, k.name, it, ok)
}

func incomplete(s *inventory.Section) string {
	return fmt.Sprintf("the section %s was read only in part: %s", s.Name, cmp.Or(s.Reason, "the agent gave no reason"))
}

// judge judges one setting.
func judge(k *cond, name string, it inventory.Item, set bool) (verdict, []Evidence, string) {
	var s inventory.Setting
	if set {
		var ok bool
		if s, ok = setting(it.Value); !ok {
			return unknown, nil, fmt.Sprintf("%s is not of the agreed form", clip(name, 200))
		}
	}
	if s.Unread != "" {
		why := fmt.Sprintf("%s: %s", clip(name, 200), clip(s.Unread, 500))
		return unknown, nil, why
	}
	v, why := k.holds(s, set)
	if k.quiet {
		return v, nil, why
	}
	return v, []Evidence{{Section: k.section, Setting: clip(name, 200), Found: found(s, set), Expected: k.expected(), Source: clip(s.Source, maxSource), Holds: v == yes}}, why
}

// each judges every setting that matches a pattern. One that offends decides;
// that all hold is known only of a section that was read in full.
func (d *device) each(k *cond, s *inventory.Section) (verdict, []Evidence, string) {
	v, why := yes, ""
	var seen []Evidence
	some := false
	for _, it := range s.Items {
		if !like(k.name, it.Key) {
			continue
		}
		some = true
		w, e, y := judge(k, it.Key, it, true)
		if len(seen) < MaxEvidence || w == no {
			seen = append(seen, e...)
		}
		switch {
		case w == no:
			v = no
		case w == unknown && v == yes:
			v, why = unknown, y
		}
	}
	switch {
	case !some && k.op == opPresent:
		v = no
		seen = []Evidence{{Section: k.section, Setting: k.name, Found: "not set", Expected: k.expected()}}
	case some && k.op == opPresent:
		return yes, seen, ""
	}
	if v != no && s.Status != inventory.Complete || v == no && !some && s.Status != inventory.Complete {
		return unknown, seen, incomplete(s)
	}
	return v, seen, why
}
