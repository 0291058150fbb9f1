package intel

import (
	"bytes"
	"strings"

	bolt "go.etcd.io/bbolt"

	"github.com/picketsec/picket/internal/advisory"
)

// How ids are joined. A record that names aliases says that all of them are one
// flaw; those sayings are the edges of a graph, kept per record, so that taking
// a record out takes its edges out. Groups are found by walking from an id.
//
// A CVE id is a flaw of its own: walks end at CVE ids and never lead through
// one, so two CVEs are never merged, also when one advisory names both. An id
// that leads to one CVE has it as its canonical id; one that leads to several
// belongs to each of them, and its canonical id is the lowest. Without a CVE
// the canonical id is the lowest GHSA id, else the lowest id.

// maxGroup bounds a walk; ids beyond it are left out.
const maxGroup = 256

// reading are the buckets that answers come from, in any transaction.
type reading struct {
	statement, about, alias, gone, weak, record *bolt.Bucket
}

func newReading(tx *bolt.Tx) reading {
	return reading{statement: tx.Bucket(bucketStatement), about: tx.Bucket(bucketAbout), alias: tx.Bucket(bucketAlias),
		gone: tx.Bucket(bucketGone), weak: tx.Bucket(bucketWeak), record: tx.Bucket(bucketRecord)}
}

// scan calls fn with what follows the prefix in each key that has it, until fn says stop.
func scan(b *bolt.Bucket, prefix []byte, fn func(rest, value []byte) (more bool)) {
	c := b.Cursor()
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		if !fn(k[len(prefix):], v) {
			return
		}
	}
}

// walk returns the ids that are the same flaw as id, id included: non-CVE ids
// that are connected, and the CVEs that they lead to. From a CVE it goes to its
// aliases and on from there.
func (r reading) walk(id string) (others, cves []string) {
	seen := map[string]bool{id: true}
	queue := []string{id}
	if advisory.IsCVE(id) {
		cves = append(cves, id)
	} else {
		others = append(others, id)
	}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		last := ""
		scan(r.alias, join(at, ""), func(rest, _ []byte) bool {
			to, _, _ := bytes.Cut(rest, []byte{0})
			if string(to) == last || seen[string(to)] {
				return true
			}
			last = string(to)
			seen[last] = true
			if advisory.IsCVE(last) {
				cves = append(cves, last)
			} else {
				others = append(others, last)
				queue = append(queue, last)
			}
			return len(seen) < maxGroup
		})
		if len(seen) >= maxGroup {
			break
		}
	}
	return others, cves
}

// canonical returns the canonical id.
func (r reading) canonical(id string) string {
	if advisory.IsCVE(id) {
		return id
	}
	return lowest(r.walk(id))
}

// lowest picks the canonical id of a group.
func lowest(others, cves []string) string {
	best := ""
	for _, c := range cves {
		if best == "" || cveLess(c, best) {
			best = c
		}
	}
	if best != "" {
		return best
	}
	ghsa := false
	for _, o := range others {
		is := strings.HasPrefix(o, "GHSA-")
		if best == "" || is && !ghsa || is == ghsa && o < best {
			best, ghsa = o, is
		}
	}
	return best
}

// cveLess orders CVE ids by year and number.
func cveLess(a, b string) bool {
	if a[:9] != b[:9] || len(a) == len(b) {
		return a < b
	}
	return len(a) < len(b)
}

// flaws returns the canonical ids that an id stands for: itself when it is a
// CVE, else every CVE that it leads to, else the canonical id of its group.
func (r reading) flaws(id string) []string {
	if advisory.IsCVE(id) {
		return []string{id}
	}
	others, cves := r.walk(id)
	if len(cves) == 0 {
		return []string{lowest(others, nil)}
	}
	for i := 1; i < len(cves); i++ { // insertion sort: there are one or two
		for j := i; j > 0 && cveLess(cves[j], cves[j-1]); j-- {
			cves[j], cves[j-1] = cves[j-1], cves[j]
		}
	}
	return cves
}

// family returns every id whose records speak of the weakness with canonical
// id c: c and its aliases, not the other CVEs of those aliases.
func (r reading) family(c string) []string {
	others, _ := r.walk(c)
	if advisory.IsCVE(c) {
		return append([]string{c}, others...)
	}
	return others
}

// place is where a record is.
type place struct{ feed, id string }

// speaking returns the records that speak of any of the ids, each once: records
// whose own id it is, and those that the index names.
func (r reading) speaking(ids []string) []place {
	var list []place
	seen := map[place]bool{}
	add := func(p place) {
		if !seen[p] {
			seen[p] = true
			list = append(list, p)
		}
	}
	for _, id := range ids {
		_ = r.record.ForEachBucket(func(feed []byte) error { // fn returns no error
			if r.record.Bucket(feed).Get([]byte(id)) != nil {
				add(place{string(feed), id})
			}
			return nil
		})
		scan(r.about, join(id, ""), func(rest, _ []byte) bool {
			feed, rec, ok := bytes.Cut(rest, []byte{0})
			if ok {
				add(place{string(feed), string(rec)})
			}
			return true
		})
	}
	return list
}

// entry reads a record's entry.
func (r reading) entry(p place) (entry, error) {
	b := r.record.Bucket([]byte(p.feed))
	if b == nil {
		return entry{}, errCorrupt
	}
	raw := b.Get([]byte(p.id))
	if raw == nil {
		return entry{}, errCorrupt
	}
	return parseEntry(raw)
}

// rejected reports whether a weakness was rejected or withdrawn: its CVE record
// says so, or else NVD's does and there is no CVE record, or else every record
// that describes it is withdrawn and no other record speaks of it.
func (r reading) rejected(c string) bool {
	gone := map[place]bool{}
	family := []string{c}
	if !advisory.IsCVE(c) {
		family = r.family(c)
	}
	for _, id := range family {
		scan(r.gone, join(id, ""), func(rest, _ []byte) bool {
			feed, rec, ok := bytes.Cut(rest, []byte{0})
			if ok {
				gone[place{string(feed), string(rec)}] = true
			}
			return true
		})
	}
	if len(gone) == 0 {
		return false
	}
	for _, feed := range []string{advisory.FeedCVE5, advisory.FeedNVD} {
		b := r.record.Bucket([]byte(feed))
		if b != nil && b.Get([]byte(c)) != nil {
			return gone[place{feed, c}]
		}
	}
	for _, p := range r.speaking(r.family(c)) {
		if p.feed != advisory.FeedEPSS && !gone[p] {
			return false
		}
	}
	return true
}

// known reports whether any loaded record speaks of the id.
func (r reading) known(id string) bool {
	return number(r.weak.Get([]byte(strings.ToUpper(id)))) > 0
}

// distinct counts the weaknesses among ids: those that records speak of and
// that are their own canonical id.
func (r reading) distinct(ids map[string]struct{}) int {
	n := 0
	for id := range ids {
		if r.known(id) && r.canonical(id) == id {
			n++
		}
	}
	return n
}

// count counts all weaknesses.
func (r reading) count() int {
	n := 0
	_ = r.weak.ForEach(func(k, v []byte) error { // fn returns no error
		id := written(v)
		if advisory.IsCVE(id) || r.canonical(id) == id {
			n++
		}
		return nil
	})
	return n
}

// written is the id behind a counter of bucket weak.
func written(v []byte) string {
	i := 0
	for i < len(v) && v[i]&0x80 != 0 { // the varint ends at the first byte without the high bit
		i++
	}
	if i++; i > len(v) {
		return ""
	}
	return string(v[i:])
}
