package advisory

import "time"

// Record is one item decoded from a feed: everything that it says of one id.
// What a feed does not say is the zero value.
type Record struct {
	// ID is unique in its feed: the CVE id in CVE 5, NVD, KEV and EPSS, the OSV
	// id, "source/CVE-…" in the Debian tracker, the DSA id, the product in endoflife.date.
	ID       string
	Modified time.Time // of the record, zero when the format has none: then the feed's date decides
	// Withdrawn closes every finding that rests on the record. On a CVE record
	// it means REJECTED and closes every finding of the CVE.
	Withdrawn bool
	// Aliases are other ids of the same flaw (CVE, GHSA, PYSEC, GO, RUSTSEC …).
	// A bundle that closes several flaws (DSA, DLA, USN, ALSA, RLSA) has none: its
	// flaws are in the Weaknesses of its statements.
	Aliases []string
	// Facts are what the record says of the flaw itself; nil for pure statements.
	// Of a Weakness only text, dates, Scores, Exploit, ExploitTypes, CWEs and
	// References are read; ID is the flaw (a CVE id where there is one).
	Facts      *Weakness
	Statements []Placed
	KEV        *KEV
	EPSS       *EPSS
	Product    *Product
}

// Placed is a statement and the package that it is about.
type Placed struct {
	Key       Key
	Statement Statement
}

// EPSS is one row of FIRST's daily file.
type EPSS struct {
	Score      float64
	Percentile float64
	Date       string // score_date of the file, YYYY-MM-DD
}

// Product is one product of endoflife.date with its release cycles.
type Product struct {
	Name   string   `json:"name"`
	Label  string   `json:"label"`
	PURLs  []string `json:"purls,omitempty"` // identifiers, without version
	CPEs   []string `json:"cpes,omitempty"`
	Repo   []string `json:"repology,omitempty"`
	Cycles []Cycle  `json:"cycles"`
}

// Cycle is one release cycle of a product.
type Cycle struct {
	Name   string `json:"name"`           // "12", "3.11"
	Code   string `json:"code,omitempty"` // codename
	Ended  bool   `json:"ended"`
	EOL    string `json:"eol,omitempty"` // YYYY-MM-DD; "" when unknown
	LTS    string `json:"lts,omitempty"` // end of long-term support, YYYY-MM-DD
	Latest string `json:"latest,omitempty"`
}

// Mode says how a new load of a feed relates to what is loaded.
type Mode string

const (
	// Replace: a load is the whole truth; records that it lacks are gone.
	Replace Mode = "replace"
	// Merge: each record stands alone; the newest Modified wins.
	Merge Mode = "merge"
)

// Header is what a decoder learns of the feed as a whole.
type Header struct {
	Feed    string    // "debian-tracker", "debian-dsa", "debian-dla", "osv/PyPI", "cve5", "nvd", "kev", "epss", "endoflife"
	Mode    Mode      //
	Date    time.Time // of the data, zero when the format does not say
	Version string    // catalogue, model or schema version, "" if none
}
