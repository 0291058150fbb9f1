package advisory

import (
	"strings"
	"time"
)

// Feed names. OSV feeds are "osv/" and the ecosystem.
const (
	FeedCVE5          = "cve5"
	FeedNVD           = "nvd"
	FeedDebianTracker = "debian-tracker"
	FeedDSA           = "debian-dsa"
	FeedDLA           = "debian-dla"
	FeedKEV           = "kev"
	FeedEPSS          = "epss"
	FeedEndOfLife     = "endoflife"
	FeedDemo          = "demo"
	feedOSVPrefix     = "osv/"
)

// Title returns the name of a feed for people.
func Title(feed string) string {
	if eco, ok := strings.CutPrefix(feed, feedOSVPrefix); ok {
		return "OSV " + eco
	}
	switch feed {
	case FeedCVE5:
		return "CVE records"
	case FeedNVD:
		return "National Vulnerability Database"
	case FeedDebianTracker:
		return "Debian security tracker"
	case FeedDSA:
		return "Debian security advisories"
	case FeedDLA:
		return "Debian LTS advisories"
	case FeedKEV:
		return "CISA Known Exploited Vulnerabilities"
	case FeedEPSS:
		return "FIRST EPSS"
	case FeedEndOfLife:
		return "endoflife.date"
	case FeedDemo:
		return "Demo intelligence"
	}
	return feed
}

// Licence returns the terms under which a feed's data is published, in a few words.
func Licence(feed string) string {
	if eco, ok := strings.CutPrefix(feed, feedOSVPrefix); ok {
		switch eco {
		case "crates.io":
			return "CC0-1.0 (RustSec), CC-BY-4.0 (GitHub)"
		case "AlmaLinux":
			return "MIT"
		case "Bitnami":
			return "Apache-2.0"
		case "Debian":
			return "free to use (no copyright claimed by Debian), via OSV.dev"
		case "Go", "PyPI", "npm", "Maven", "NuGet", "RubyGems", "Packagist", "Hex", "Pub":
			return "CC-BY-4.0"
		}
		return "as its database states (OSV.dev)"
	}
	switch feed {
	case FeedCVE5:
		return "CVE Program Terms of Use; ADP container CC0-1.0"
	case FeedNVD:
		return "public domain (uses NVD data, not endorsed by NVD)"
	case FeedDebianTracker, FeedDSA, FeedDLA:
		return "free to use (no copyright claimed by Debian)"
	case FeedKEV:
		return "CC0-1.0"
	case FeedEPSS:
		return "free with attribution (FIRST)"
	case FeedEndOfLife:
		return "MIT"
	case FeedDemo:
		return "Apache-2.0"
	}
	return "unknown"
}

// MaxAge returns the age of a feed's data from which on it counts as stale; 0
// means that the feed never is. Daily feeds get two missed days, the KEV
// catalogue (working days) a long weekend.
func MaxAge(feed string) time.Duration {
	const dayLong = 24 * time.Hour
	switch feed {
	case FeedDemo:
		return 0
	case FeedKEV:
		return 7 * dayLong
	case FeedDSA, FeedDLA:
		return 14 * dayLong
	case FeedEndOfLife:
		return 14 * dayLong
	}
	return 3 * dayLong
}

// Rests reports whether a feed may go without any change for longer than its
// MaxAge although nothing is wrong: then its upstream's word that there is
// nothing newer counts, and not the date of its newest record.
func Rests(feed string) bool {
	switch feed {
	case FeedDSA, FeedDLA, FeedKEV, FeedEndOfLife:
		return true
	}
	return strings.HasPrefix(feed, feedOSVPrefix)
}

// feedRank orders feeds where an order shows: sources, and who wins a tie.
func feedRank(feed string) int {
	if strings.HasPrefix(feed, feedOSVPrefix) {
		return 2
	}
	switch feed {
	case FeedCVE5:
		return 0
	case FeedNVD:
		return 1
	case FeedDebianTracker:
		return 3
	case FeedDSA:
		return 4
	case FeedDLA:
		return 5
	case FeedKEV:
		return 6
	case FeedEPSS:
		return 7
	case FeedEndOfLife:
		return 8
	case FeedDemo:
		return 10
	}
	return 9
}
