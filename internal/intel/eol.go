package intel

import (
	"bytes"
	"strings"

	"github.com/picketsec/picket/internal/advisory"
)

// Product returns a product of endoflife.date by its name there ("debian", "python").
// While that feed is not loaded, those of the demo intelligence stand for it.
func (sn *Snapshot) Product(name string) (advisory.Product, bool) {
	feed := advisory.FeedEndOfLife
	if sn.tx.Bucket(bucketRecord).Bucket([]byte(feed)) == nil {
		feed = advisory.FeedDemo
	}
	e, err := sn.r.entryOf(feed, strings.ToLower(name))
	if err != nil {
		return advisory.Product{}, false
	}
	rec, err := e.record()
	if err != nil || rec.Product == nil {
		return advisory.Product{}, false
	}
	return *rec.Product, true
}

// entryOf reads the entry of a record that may not be there.
func (r reading) entryOf(feed, id string) (entry, error) { return r.entry(place{feed, id}) }

// ProductBy returns the product of endoflife.date that claims an identifier:
// kind "purl" (a version and qualifiers are ignored), "cpe" (2.2 or 2.3 form;
// only part, vendor and product count) or "repology".
func (sn *Snapshot) ProductBy(kind, id string) (advisory.Product, bool) {
	id = strings.ToLower(id)
	var tries []string
	switch kind {
	case "purl":
		id, _, _ = strings.Cut(id, "?")
		id, _, _ = strings.Cut(id, "#")
		if i := strings.LastIndexByte(id, '@'); i > strings.LastIndexByte(id, '/') {
			id = id[:i]
		}
		tries = []string{id}
	case "cpe":
		tries = cpeForms(id)
	default:
		tries = []string{id}
	}
	for _, t := range tries {
		name := ""
		scan(sn.tx.Bucket(bucketProduct), join(kind, t, ""), func(rest, _ []byte) bool {
			_, product, _ := bytes.Cut(rest, []byte{0})
			name = string(product)
			return false
		})
		if name != "" {
			return sn.Product(name)
		}
	}
	return advisory.Product{}, false
}

// cpeForms returns both forms of a CPE name, cut behind the product.
func cpeForms(id string) []string {
	var parts []string
	switch {
	case strings.HasPrefix(id, "cpe:2.3:"):
		parts = strings.Split(strings.TrimPrefix(id, "cpe:2.3:"), ":")
	case strings.HasPrefix(id, "cpe:/"):
		parts = strings.Split(strings.TrimPrefix(id, "cpe:/"), ":")
	}
	if len(parts) < 3 {
		return nil
	}
	tail := strings.Join(parts[:3], ":")
	return []string{"cpe:2.3:" + tail, "cpe:/" + tail}
}

// distributionProduct is the name at endoflife.date of a distribution, by its
// ecosystem or its os-release id.
func distributionProduct(distribution string) string {
	switch name := strings.ToLower(distribution); name {
	case "alpine":
		return "alpine-linux"
	case "rocky", "rocky linux":
		return "rocky-linux"
	case "red hat", "redhat", "rhel":
		return "rhel"
	case "amzn", "amazon linux":
		return "amazon-linux"
	case "ol", "oracle", "oracle linux":
		return "oracle-linux"
	case "suse", "sles":
		return "sles"
	case "opensuse-leap", "opensuse":
		return "opensuse"
	case "pop":
		return "pop-os"
	default:
		return name
	}
}

// EndOfLife returns the release cycle of a distribution ("Debian", "rhel") that
// a release ("12", "9.4") belongs to, and the product's name for people.
func (sn *Snapshot) EndOfLife(distribution, release string) (product advisory.Product, c advisory.Cycle, ok bool) {
	if product, ok = sn.Product(distributionProduct(distribution)); !ok {
		return product, c, false
	}
	c, ok = CycleOf(product, release)
	return product, c, ok
}

// CycleOf returns the cycle that a version belongs to: the one whose name is
// the version or its longest beginning at a point ("3.11" for "3.11.2", not
// "3.1"), or whose codename is the version.
func CycleOf(p advisory.Product, version string) (advisory.Cycle, bool) {
	version = strings.ToLower(strings.TrimSpace(version))
	if i := strings.IndexByte(version, ':'); i >= 0 { // an epoch
		version = version[i+1:]
	}
	best, found := advisory.Cycle{}, false
	for _, c := range p.Cycles {
		name := strings.ToLower(c.Name)
		if name == "" {
			continue
		}
		if version == name || strings.EqualFold(c.Code, version) {
			return c, true
		}
		if rest, ok := strings.CutPrefix(version, name); ok && strings.ContainsRune(".-+~ _", rune(rest[0])) && (!found || len(name) > len(best.Name)) {
			best, found = c, true
		}
	}
	return best, found
}
