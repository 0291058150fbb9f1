// Package advisory is what the world knows to be wrong: weaknesses (CVE and
// other ids), the statements that feeds make about packages, and the decoders
// of the upstream formats that say so.
//
// Two kinds of facts come out of a feed. A Weakness describes one flaw: text,
// scores, exploitation. A Statement says how one flaw, or one advisory that
// closes several, touches one package: which versions, which state, which fix.
//
// The package is pure: decoders read an io.Reader and yield Records; nothing
// here opens files, talks to networks or reads the clock.
package advisory

import (
	"cmp"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/version"
)

// Key names a package in the words of OSV: an ecosystem without its release
// ("Debian", "Ubuntu", "Alpine", "AlmaLinux", "Rocky Linux", "PyPI", "npm",
// "Go", "Maven", "RubyGems", "crates.io", "NuGet", "Packagist" …), the release
// as the distribution's own version id ("12", "22.04", "3.19", "9"; empty for
// language ecosystems) and the package's name (source package for Debian,
// Ubuntu, Alpine and Rocky Linux; binary package for AlmaLinux; PEP 503 name
// for PyPI; "group:artifact" for Maven).
type Key struct {
	Ecosystem string
	Release   string
	Name      string
}

// Compare orders keys by ecosystem, release and name.
func (k Key) Compare(o Key) int {
	return cmp.Or(cmp.Compare(k.Ecosystem, o.Ecosystem), cmp.Compare(k.Release, o.Release), cmp.Compare(k.Name, o.Name))
}

// String is "Debian:12/openssl" or "PyPI/django".
func (k Key) String() string {
	if k.Release == "" {
		return k.Ecosystem + "/" + k.Name
	}
	return k.Ecosystem + ":" + k.Release + "/" + k.Name
}

// State is what a feed says of a flaw in a package. Debian's words are kept.
type State string

// The states. The first group counts in exposure.
const (
	Fixed        State = "fixed"       // a fixed version exists in the release
	Open         State = "open"        // affected, no fix yet
	NoDSA        State = "no-dsa"      // affected, minor: no advisory is planned
	Postponed    State = "postponed"   // affected, fix comes with a later update
	Ignored      State = "ignored"     // affected, will not be fixed
	EndOfLife    State = "end-of-life" // affected, package no longer supported in the release
	Affected     State = "affected"    // affected, the feed tells no more (OSV without a fix)
	NotAffect    State = "not-affected"
	Unimportant  State = "unimportant"  // no security impact in practice
	Undetermined State = "undetermined" // the distribution does not know yet
)

// Exposed reports whether a vulnerable package in this state counts in exposure.
func (s State) Exposed() bool {
	switch s {
	case Fixed, Open, NoDSA, Postponed, Ignored, EndOfLife, Affected:
		return true
	}
	return false
}

// Statement is what one record of one feed says of one package.
type Statement struct {
	// Advisory is the record's own id: "CVE-2024-1" in the Debian tracker,
	// "DSA-6374-1", "GHSA-…", "ALSA-2024:1234".
	Advisory string
	// Weaknesses are the flaws it speaks of: CVE ids where there are any, else
	// the record's own id. Never empty.
	Weaknesses []string
	Feed       string // "debian-tracker", "debian-dsa", "osv/PyPI" …: a name in Feeds
	State      State
	// Ranges and Versions say which versions are vulnerable: in any range, or
	// listed. Both empty with State NotAffect: none; with any other state: all.
	Ranges   []version.Range
	Versions []string
	Urgency  string    // the feed's own word, "" if none ("unimportant", "high")
	Note     string    // the feed's own remark ("Minor issue"), capped
	Module   string    // rpm modularity "name:stream" that the statement is limited to
	URL      string    // the advisory's page
	Date     time.Time // when the record was published or last changed, if it says so
	// Related advisories that announced the fix (DSA, DLA, USN), for evidence.
	Announced []string
}

// Severity is the qualitative rating of CVSS 3.1, section 5.
type Severity string

// Severities, worst first. Unrated means that no feed scores the weakness.
const (
	Critical Severity = "Critical"
	High     Severity = "High"
	Medium   Severity = "Medium"
	Low      Severity = "Low"
	Unrated  Severity = "None"
)

// SeverityOf rates a CVSS base score (0 to 10).
func SeverityOf(score float64) Severity {
	switch {
	case score >= 9:
		return Critical
	case score >= 7:
		return High
	case score >= 4:
		return Medium
	case score > 0:
		return Low
	}
	return Unrated
}

// Score is one CVSS rating of a weakness.
type Score struct {
	Version string  `json:"version"` // "4.0", "3.1", "3.0", "2.0"
	Vector  string  `json:"vector"`  // as published
	Base    float64 `json:"base"`    // computed from the vector when the feed gives none
	Source  string  `json:"source"`  // who rated: "nvd", "cna", "cisa-adp", "ghsa", …
}

// Exploit is how far exploitation is known, in the words of the Defender API.
type Exploit string

// Exploit maturities, least first.
const (
	NoExploit       Exploit = "NoExploit"
	ExploitPublic   Exploit = "ExploitIsPublic"   // a proof of concept is public (SSVC "poc", NVD reference tag "Exploit")
	ExploitVerified Exploit = "ExploitIsVerified" // exploited in the wild (KEV, SSVC "active")
	ExploitInKit    Exploit = "ExploitIsInKit"    // part of a kit (KEV: known ransomware use)
)

// KEV is an entry of CISA's catalogue of known exploited vulnerabilities.
type KEV struct {
	Added      string `json:"added"` // YYYY-MM-DD
	Due        string `json:"due,omitempty"`
	Name       string `json:"name,omitempty"`
	Action     string `json:"action,omitempty"`
	Ransomware bool   `json:"ransomware"`
}

// Reference is a link to more.
type Reference struct {
	URL  string   `json:"url"`
	Tags []string `json:"tags,omitempty"`
}

// Weakness is one flaw with all that the loaded feeds say of it, merged.
type Weakness struct {
	ID          string    `json:"id"` // canonical: the CVE id where one exists
	Aliases     []string  `json:"aliases"`
	Title       string    `json:"title,omitempty"`
	Description string    `json:"description"`
	Published   time.Time `json:"published,omitzero"`
	Modified    time.Time `json:"modified,omitzero"`
	Rejected    bool      `json:"rejected"` // rejected by its CNA or withdrawn by its only database
	Scores      []Score   `json:"scores"`   // preferred first: 4.0, 3.1, 3.0, 2.0
	Severity    Severity  `json:"severity"` // of the preferred score; of the feed's own word when there is none
	// SeverityFrom says where Severity comes from: "CVSS 3.1 (nvd)", "urgency (debian-tracker)", "" when unrated.
	SeverityFrom string      `json:"severity_from"`
	EPSS         float64     `json:"epss"` // 0 to 1, 0 when unknown
	EPSSRank     float64     `json:"epss_percentile"`
	EPSSDate     string      `json:"epss_date,omitempty"`
	KEV          *KEV        `json:"kev"`
	Exploit      Exploit     `json:"exploit"`
	ExploitTypes []string    `json:"exploit_types,omitempty"`
	CWEs         []string    `json:"cwes,omitempty"`
	References   []Reference `json:"references,omitempty"`
	// Sources are the feeds that contributed, in a fixed order.
	Sources []string `json:"sources"`
}

// Best returns the preferred score, ok false when there is none.
func (w *Weakness) Best() (Score, bool) {
	if len(w.Scores) == 0 {
		return Score{}, false
	}
	return w.Scores[0], true
}

// IsCVE reports whether id has the form of a CVE id.
func IsCVE(id string) bool {
	rest, ok := strings.CutPrefix(id, "CVE-")
	if !ok || len(rest) < 9 || rest[4] != '-' {
		return false
	}
	for i, c := range []byte(rest) {
		if i != 4 && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// Coverage says that a feed speaks for an ecosystem and release: a package of
// it without any statement is then known to have no known weakness.
type Coverage struct {
	Feed string
	Date time.Time // of the feed's data
}
