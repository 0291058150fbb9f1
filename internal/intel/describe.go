package intel

import (
	"sort"
	"strings"

	"github.com/picketsec/picket/internal/advisory"
)

// unfit says why a record cannot be kept, "" when it can.
func unfit(rec *advisory.Record) string {
	const most = 1024
	bad := func(s string) bool { return s == "" || len(s) > most || strings.IndexByte(s, 0) >= 0 }
	if bad(rec.ID) {
		return "the id is empty, too long or holds a NUL"
	}
	for _, a := range rec.Aliases {
		if bad(a) {
			return "an alias is empty, too long or holds a NUL"
		}
	}
	for i := range rec.Statements {
		p := &rec.Statements[i]
		if bad(p.Key.Ecosystem) || bad(p.Key.Name) || p.Key.Release != "" && bad(p.Key.Release) {
			return "a package name is empty, too long or holds a NUL"
		}
		for _, w := range p.Statement.Weaknesses {
			if bad(w) {
				return "the id of a flaw is empty, too long or holds a NUL"
			}
		}
	}
	return ""
}

// describe fills what the indexes need to know of a record, but for its packages.
//
// The group holds the ids of the one flaw that the record describes: its own id
// and its aliases. A bundle (DSA, ALSA …) describes none; the flaws that it
// speaks of are in said.
func describe(feed string, rec *advisory.Record) entry {
	e := entry{withdrawn: rec.Withdrawn}
	if !rec.Modified.IsZero() {
		e.modified = rec.Modified.UnixMilli()
	}
	if p := rec.Product; p != nil {
		for _, list := range []struct {
			kind string
			ids  []string
		}{{"purl", p.PURLs}, {"cpe", p.CPEs}, {"repology", p.Repo}} {
			for _, id := range list.ids {
				if id != "" && strings.IndexByte(id, 0) < 0 {
					e.ids = append(e.ids, list.kind+"\x00"+strings.ToLower(id))
				}
			}
		}
	}
	if feed == advisory.FeedEPSS || rec.Product != nil {
		return e // a score or a product makes no weakness
	}
	spoken := map[string]bool{}
	for i := range rec.Statements {
		for _, w := range rec.Statements[i].Statement.Weaknesses {
			spoken[w] = true
		}
	}
	own := rec.ID
	if strings.Contains(own, "/") {
		own = ""
	}
	flaw := ""
	if rec.Facts != nil {
		flaw = rec.Facts.ID
	}
	if own == "" && len(rec.Aliases) > 0 {
		own = flaw
	}
	describes := own != "" && (len(rec.Aliases) > 0 || flaw == own || spoken[own] || rec.KEV != nil || rec.Withdrawn ||
		feed == advisory.FeedCVE5 || feed == advisory.FeedNVD)
	if describes {
		e.group = append(e.group, own)
		for _, a := range rec.Aliases {
			if !contains(e.group, a) {
				e.group = append(e.group, a)
			}
		}
	}
	if flaw != "" {
		spoken[flaw] = true
	}
	for w := range spoken {
		if strings.IndexByte(w, 0) < 0 && !contains(e.group, w) {
			e.said = append(e.said, w)
		}
	}
	sort.Strings(e.said)
	return e
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}

// sayings groups a record's statements by package, encoded.
func sayings(rec *advisory.Record) []said {
	var list []said
	at := make(map[advisory.Key]int, len(rec.Statements))
	for i := range rec.Statements {
		p := &rec.Statements[i]
		n, ok := at[p.Key]
		if !ok {
			n = len(list)
			at[p.Key] = n
			list = append(list, said{key: p.Key})
		}
		list[n].value = advisory.AppendStatement(list[n].value, p.Statement)
	}
	return list
}
