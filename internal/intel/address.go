package intel

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/picketsec/picket/internal/advisory"
)

// A group is a set of feeds that come from one place. Its base address can be
// replaced, for a mirror inside a network that has no way out.
type group struct {
	name  string
	base  string
	feeds []string // "osv/" stands for every ecosystem
}

// groups lists the places, in the order in which they are asked: what decides
// findings first, what describes them after.
func groups() []group {
	return []group{
		{"debian", "https://security-tracker.debian.org/tracker/data", []string{advisory.FeedDebianTracker}},
		{"debian-lists", "https://salsa.debian.org/security-tracker-team/security-tracker/-/raw/master/data", []string{advisory.FeedDSA, advisory.FeedDLA}},
		{"kev", "https://www.cisa.gov/sites/default/files/feeds", []string{advisory.FeedKEV}},
		{"epss", "https://epss.empiricalsecurity.com", []string{advisory.FeedEPSS}},
		{"endoflife", "https://endoflife.date/api/v1", []string{advisory.FeedEndOfLife}},
		{"osv", "https://storage.googleapis.com/osv-vulnerabilities", []string{"osv/"}},
		{"nvd", "https://nvd.nist.gov/feeds/json/cve/2.0", []string{advisory.FeedNVD}},
		{"cve5", "https://api.github.com/repos/CVEProject/cvelistV5", []string{advisory.FeedCVE5}},
	}
}

// Groups returns the names of the places that Sync asks and their official base addresses.
func Groups() map[string]string {
	m := map[string]string{}
	for _, g := range groups() {
		m[g.name] = g.base
	}
	return m
}

// CheckFeeds reports the first name that is neither a group nor a feed of one.
func CheckFeeds(feeds []string, base map[string]string) error {
	var names []string
	for _, g := range groups() {
		names = append(names, g.name)
	}
	for _, f := range feeds {
		known := slices.ContainsFunc(groups(), func(g group) bool { return g.has(f) })
		if !known {
			return fmt.Errorf("%q is no feed: want one of %s, or osv/ECOSYSTEM", f, strings.Join(names, ", "))
		}
	}
	for g := range base {
		if !slices.Contains(names, g) {
			return fmt.Errorf("%q is no group of feeds: want one of %s", g, strings.Join(names, ", "))
		}
	}
	return nil
}

// has reports whether a name means the group or one of its feeds.
func (g *group) has(name string) bool {
	if name == g.name {
		return true
	}
	return slices.ContainsFunc(g.feeds, func(f string) bool {
		return f == name || strings.HasSuffix(f, "/") && strings.HasPrefix(name, f)
	})
}

// address is one file to fetch.
type address struct {
	name  string // of the source, stable: the key of what is remembered
	feed  string // for people
	url   string
	sha   string // sha256, lower-case hex; "" when upstream gives none; see checkContent
	size  int64  // in bytes, 0 when upstream gives none
	again bool   // ask without the remembered tags
}

// wanted reports whether a feed of the group was asked for.
func wanted(ask []string, g *group, feed string) bool {
	if len(ask) == 0 || slices.Contains(ask, g.name) {
		return true
	}
	return slices.Contains(ask, feed)
}

// plain lists the groups whose addresses are fixed.
func (g *group) plain(base string, ask []string) []address {
	at := func(feed, path string) []address {
		if !wanted(ask, g, feed) {
			return nil
		}
		return []address{{name: feed, feed: feed, url: base + "/" + path}}
	}
	switch g.name {
	case "debian":
		return at(advisory.FeedDebianTracker, "json")
	case "debian-lists":
		return append(at(advisory.FeedDSA, "DSA/list"), at(advisory.FeedDLA, "DLA/list")...)
	case "kev":
		return at(advisory.FeedKEV, "known_exploited_vulnerabilities.json")
	case "epss":
		return at(advisory.FeedEPSS, "epss_scores-current.csv.gz")
	case "endoflife":
		return at(advisory.FeedEndOfLife, "products/full")
	}
	return nil
}

// ecosystemAddress is where the export of an OSV ecosystem is.
func ecosystemAddress(base, ecosystem string) address {
	name := "osv/" + ecosystem
	return address{name: name, feed: name, url: base + "/" + url.PathEscape(ecosystem) + "/all.zip"}
}

// notByDefault are ecosystems that a sync leaves out unless they are named: the
// Debian tracker itself is a feed of its own, and the others speak of source
// trees and devices that no collector reports.
func notByDefault(ecosystem string) bool {
	switch ecosystem {
	case "Debian", "GIT", "OSS-Fuzz", "Android", "Linux", "UVI", "GSD", "JavaScript", "[EMPTY]", "":
		return true
	}
	return strings.Contains(ecosystem, ":") // a release: the ecosystem's own export has it
}
