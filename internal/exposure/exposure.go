// Package exposure turns inventories and intelligence into findings.
//
// Findings are a pure function of (inventory, intelligence, time): the same
// input gives the same findings, byte for byte. The work is split so that no
// step ever runs over all hosts:
//
//	profile := exposure.Profile(sections)          // one device: which components, with which evidence, which gaps
//	result := exposure.Assess(component, intel)    // one distinct component, once for the whole fleet
//	fleet.SetAssessment(id, result)                // bitmaps join the two
//
// The package does no I/O, keeps no clock and starts no goroutine. Fleet is not
// safe for concurrent use: its owner holds the lock.
package exposure

import (
	"time"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/inventory"
)

// Role says what a component is on the device, where that decides whether its
// findings count.
type Role string

// The roles.
const (
	Plain         Role = ""               // an ordinary package
	KernelRunning Role = "kernel-running" // the kernel that runs: counts
	KernelLatent  Role = "kernel-latent"  // installed, not running: listed, outside exposure
	KernelTools   Role = "kernel-tools"   // headers and tools built from the kernel's source: listed, outside exposure
	InMemory      Role = "in-memory"      // replaced on disk, old version still mapped by a process: restart needed
	Residual      Role = "residual"       // removed, only configuration files remain: listed, never assessed
)

// Component is what is matched: one distinct (package, version, role). Equal
// components on any number of devices are assessed once.
type Component struct {
	Key     advisory.Key // what advisories are looked up by
	Version string       // what they are compared with: the source version for distributions
	Role    Role
	// Disk is the version that is on disk for what runs in memory (roles
	// KernelRunning and InMemory), when it is another one: a weakness that it
	// no longer has needs only a restart.
	Disk string
	// Module is the rpm modularity label "name:stream" of the package, empty outside modules.
	Module string
	// Vendor and Product name the row in software lists and the Defender API
	// ("debian", "openssl"); ID gives "vendor-_-product".
	Vendor  string
	Product string
	// Unassessed is why this component cannot be judged whatever the
	// intelligence says ("version is empty", "package of a third party: Docker"); empty when it can.
	Unassessed string
}

// Use is a component on one device, with the package records that prove it.
type Use struct {
	Component Component
	Evidence  []Evidence
}

// Evidence is one package record behind a component.
type Evidence struct {
	Section  inventory.SectionName `json:"section"`
	Item     string                `json:"item"`    // key within the section
	Package  string                `json:"package"` // binary package or distribution name
	Version  string                `json:"version"`
	Arch     string                `json:"arch,omitempty"`
	Paths    []string              `json:"paths,omitempty"`
	Residual bool                  `json:"residual,omitempty"`
	// Processes that still use the old files, for InMemory.
	Processes []inventory.Process `json:"processes,omitempty"`
}

// DeviceProfile is one device as the engine sees it.
type DeviceProfile struct {
	Uses []Use // ordered by vendor, product, version, role
	Gaps []Gap // what was not looked at: sections that are partial, kernels that no package explains, unknown distribution
}

// Gap is a hole in what is known of a device. It is shown, never counted as safe.
type Gap struct {
	Section inventory.SectionName `json:"section,omitempty"`
	What    string                `json:"what"`
	Why     string                `json:"why"`
}

// State is the state of a finding: the feed's own word, or one of the three
// that the device adds.
type State string

// The states that the device adds to those of package advisory.
const (
	LatentKernel   State = "latent-kernel"  // would be a finding if this kernel ran
	KernelToolOnly State = "kernel-tools"   // headers or tools of a vulnerable kernel source
	RestartNeeded  State = "restart-needed" // fixed on disk, still in memory (library or kernel)
)

// Match is one weakness of one component.
type Match struct {
	Weakness string // canonical id
	State    State
	Fixed    string // version that fixes it in this release, "" when there is none
	// Exposed says whether it counts: contract.md lists the states that do.
	Exposed   bool
	Statement advisory.Statement // the statement that decided
	Rule      string             // the rule in one line: "3.0.15-1 < 3.0.17-1 by dpkg order (source openssl, bookworm)"
}

// Assessment is what the intelligence says of one component.
type Assessment struct {
	Matches []Match // ordered by weakness
	// Unassessed is why nothing can be said, with no matches: unreadable
	// version, unknown release, no feed for it. Never "safe".
	Unassessed string
	Coverage   []advisory.Coverage // the feeds that spoke
	// Notes name statements that could not be compared and were left out, at most 20.
	Notes []string
}

// Intelligence is what Assess needs to know of the world. Implementations
// answer from one consistent snapshot and are safe for concurrent readers.
type Intelligence interface {
	// Statements returns what the feeds say of a package, in a fixed order.
	// The result is shared: it must not be changed.
	Statements(k advisory.Key) ([]advisory.Statement, error)
	// Coverage returns the feeds that speak for an ecosystem and release, none
	// when no loaded feed does.
	Coverage(ecosystem, release string) []advisory.Coverage
	// Canonical joins aliases: the CVE id where the alias group has one.
	Canonical(id string) string
	// Rejected reports whether a weakness was rejected or withdrawn.
	Rejected(id string) bool
}

// Finding is one weakness on one device: what lists and exports show.
type Finding struct {
	Device    inventory.DeviceID
	Component Component
	Match     Match
	FirstSeen time.Time
	Evidence  []Evidence
}
