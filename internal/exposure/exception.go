package exposure

import (
	"slices"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/version"
)

// Exception takes findings or a failed check out of what there is to do, on
// the devices that it reaches, while it is in force.
type Exception struct {
	ID        int64
	What      Selector
	Groups    []Group  // device groups that it reaches
	Devices   []uint32 // devices that it reaches, besides those of Groups
	Global    bool     // reaches every device, now and later
	Mitigates bool     // the risk is dealt with in another way: what it selects weighs nothing
}

// Selector says which findings or which failed check an exception is about. It
// is the exception's key: exceptions with equal selectors are about the same.
// A finding is selected when every part that is given holds.
type Selector struct {
	Check    int    // number of a configuration check; -1: findings, by the parts below
	Product  string // product id; "": any
	Remedy   Remedy // of Product's findings; Gone: any; Upgrade and Uninstall: of its ended line, see Line
	Weakness string // canonical id; "": any
	From, To string // lowest and highest version, both included, in the order of the ecosystem; "": no bound
	// Key selects the components with just this key, wherever they are: one
	// release's package of a product. The zero value is any.
	Key advisory.Key
	// Path is a glob (see MatchPath). A component is selected on a device only
	// if it was found there in files and every one of them matches.
	Path string
}

// holds reports whether a component is selected, were it found at the right
// paths. A version that cannot be compared is in no range.
func (w *Selector) holds(c *Component, product string) bool {
	if w.Check >= 0 || w.Product != "" && w.Product != product || w.Key != (advisory.Key{}) && w.Key != c.Key {
		return false
	}
	if w.From != "" {
		if n, err := version.Compare(c.Key.Ecosystem, c.Version, w.From); err != nil || n < 0 {
			return false
		}
	}
	if w.To != "" {
		if n, err := version.Compare(c.Key.Ecosystem, c.Version, w.To); err != nil || n > 0 {
			return false
		}
	}
	return true
}

// Suspended says of each of some exceptions that are in force whether it is
// suspended: a global one suspends all others of the same key until it ends.
func Suspended(list []Exception) []bool {
	global := map[Selector]bool{}
	for i := range list {
		if list[i].Global {
			global[list[i].What] = true
		}
	}
	out := make([]bool, len(list))
	for i := range list {
		out[i] = !list[i].Global && global[list[i].What]
	}
	return out
}

// Under says how a finding or a failed check stands to exceptions.
type Under uint8

// What exceptions make of a finding, least first.
const (
	NoException Under = iota
	Excepted          // nobody has to do anything about it; it weighs what it weighs
	Mitigated         // excepted, and it weighs nothing
)

func (e *Exception) under() Under {
	if e.Mitigates {
		return Mitigated
	}
	return Excepted
}

// PathHit is a component of one device that is selected by a path of an
// exception: all the places where it was found there match.
type PathHit struct {
	Exception int64       `json:"exception"`
	Component ComponentID `json:"component"`
}

// PathHits returns the components of a device, by their place in uses, whose
// every path matches the glob.
func PathHits(glob string, uses []Use) []int {
	var out []int
	for i := range uses {
		found, all := false, true
		for _, e := range uses[i].Evidence {
			all = all && len(e.Paths) > 0
			for _, p := range e.Paths {
				found = true
				all = all && MatchPath(glob, p)
			}
		}
		if found && all {
			out = append(out, i)
		}
	}
	return out
}

// MatchPath reports whether a path matches a glob as a whole: "*" stands for
// any run of characters but "/", "**" for any run at all, "?" for one
// character but "/". Its work is in proportion to the product of both lengths.
func MatchPath(glob, path string) bool {
	// now[i] says whether glob up to here matches the first i bytes of path.
	now := make([]bool, len(path)+1)
	now[0] = true
	for len(glob) > 0 {
		next := make([]bool, len(path)+1)
		switch {
		case len(glob) > 1 && glob[0] == '*' && glob[1] == '*':
			glob = glob[2:]
			if i := slices.Index(now, true); i >= 0 {
				for ; i < len(next); i++ {
					next[i] = true
				}
			}
		case glob[0] == '*':
			glob = glob[1:]
			for i := range next {
				next[i] = now[i] || i > 0 && next[i-1] && path[i-1] != '/'
			}
		default:
			for i := range path {
				next[i+1] = now[i] && (glob[0] == path[i] || glob[0] == '?' && path[i] != '/')
			}
			glob = glob[1:]
		}
		now = next
	}
	return now[len(path)]
}
