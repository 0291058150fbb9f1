// Package posture judges how a device is configured: checks with an expected
// state, evaluated on the settings that its agent collected, and the secure
// score that follows from the results.
//
//	results := posture.Evaluate(sections)
//	c, _ := posture.ByID(results[0].Check)
//
// The checks are data files that are reviewed like code (checks/*.txt, one per
// category; docs/posture.md tells their form). A result is one of four: what
// could not be read is "not assessed" with the reason and never passes, what
// cannot concern the device is "not applicable" with the proof.
//
// The package is pure: it does no I/O and reads no clock. Everything is safe
// for concurrent use, and nothing that it returns may be changed.
package posture

import (
	"embed"
	"path"
	"sync"

	"github.com/picketsec/picket/internal/inventory"
)

// Category is one of the five groups of checks, in the words of the API.
type Category string

// The categories.
const (
	Application      Category = "Application"
	OS               Category = "OS"
	Network          Category = "Network"
	Accounts         Category = "Accounts"
	SecurityControls Category = "SecurityControls"
)

// Categories lists the categories in the order in which they are shown.
var Categories = []Category{Application, OS, Network, Accounts, SecurityControls}

// MaxImpact is the highest impact of a check; the lowest is 1.
const MaxImpact = 10

// Check is one expectation of how a device is configured.
type Check struct {
	ID          string // "scid-1001"; never given to another check
	Title       string // the state that is expected, as a sentence without a full stop
	Category    Category
	Subcategory string
	Impact      int    // 1 to MaxImpact: what failing it means for an attacker
	Rationale   string // why it matters
	UserImpact  string // what people notice of the remediation
	// Productivity says that the remediation is expected to be noticed by
	// people in their work.
	Productivity bool
	// Uses are events that show that somebody uses what the remediation takes
	// away; empty: no event could show it. Logged is the check that passes where
	// such events are told at all, "" for none.
	Uses   []Use
	Logged string
	// Products are the packages whose configuration the check is about, as
	// distributions name them: source packages, or binary ones where advisories
	// name those. A name may be a pattern of path.Match ("php[0-9]*"). Empty:
	// the check is about the host as a whole.
	Products []string
	// Families are the families of distributions that the check is for
	// ("debian", "rhel"); empty for every Linux.
	Families    []string
	Remediation []Remedy
	References  []Reference

	needs []need
	tests []line
}

// Remedy is a way to make a check pass.
type Remedy struct {
	Families []string // families of distributions that it is for; empty for all
	Steps    string   // text and commands, one per line
}

// Reference is the place of a benchmark that asks for the same.
type Reference struct {
	Benchmark string // "CIS Debian Linux 12 v1.1.0"
	Item      string // "3.3.8"
}

// Expectation is one setting that a check looks at. Of several with the same
// Line one is enough.
type Expectation struct {
	Section  inventory.SectionName
	Setting  string // a name, or a pattern with "*" for all that match
	Expected string // "is 0", "at least 14"
	Line     int
}

// Concerns reports whether the check is about the configuration of a package
// of a distribution, by the relation that its data file declares.
func (c *Check) Concerns(product string) bool {
	for _, p := range c.Products {
		if ok, err := path.Match(p, product); err == nil && ok {
			return true
		}
	}
	return false
}

// Expectations lists what a check looks at, in the order in which it does.
func (c *Check) Expectations() []Expectation {
	var out []Expectation
	for i, l := range c.tests {
		for _, k := range l {
			if !k.quiet {
				out = append(out, Expectation{Section: k.section, Setting: k.label(), Expected: k.expected(), Line: i})
			}
		}
	}
	return out
}

//go:embed checks/*.txt
var files embed.FS

type catalogue struct {
	list []*Check
	byID map[string]*Check
}

// load parses the data files. They are part of the program: that they parse is
// a test, so a mistake in them stops the program.
var load = sync.OnceValue(func() catalogue {
	list, err := readChecks(files)
	if err != nil {
		panic("posture: " + err.Error())
	}
	c := catalogue{list: list, byID: make(map[string]*Check, len(list))}
	for _, k := range list {
		c.byID[k.ID] = k
	}
	return c
})

// Checks returns every check, ordered by id. The slice is shared.
func Checks() []*Check { return load().list }

// ByID returns a check by its id.
func ByID(id string) (*Check, bool) {
	c, ok := load().byID[id]
	return c, ok
}
