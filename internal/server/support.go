package server

import (
	"strings"
	"time"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/intel"
	"github.com/picketsec/picket/internal/inventory"
)

// upcoming is how long before its end of support a version is tagged.
const upcoming = 183 * 24 * time.Hour

// catalogue is what the intelligence knows of products beyond their flaws. It
// matches by identifiers that endoflife.date publishes, never by name.
type catalogue interface {
	ProductBy(kind, id string) (advisory.Product, bool)
	EndOfLife(distribution, release string) (advisory.Product, advisory.Cycle, bool)
}

// release is a release of a distribution, as advisories name it.
type release struct{ ecosystem, name string }

// releaseLife is what endoflife.date knows of a release.
type releaseLife struct {
	product advisory.Product
	cycle   advisory.Cycle
}

// lookUp notes what is known of a component's product. The caller holds mu for writing.
func (c *core) lookUp(k exposure.Component) {
	cat, ok := c.view.(catalogue)
	if !ok {
		return
	}
	if k.Key.Release != "" {
		at := release{k.Key.Ecosystem, k.Key.Release}
		if p, cycle, ok := cat.EndOfLife(at.ecosystem, at.name); ok {
			c.releases[at] = releaseLife{p, cycle}
		} else {
			delete(c.releases, at)
		}
	}
	id := k.ID()
	if p, ok := cat.ProductBy("purl", exposure.ProductCode(k)); ok {
		c.catalogue[id] = &p
	} else {
		delete(c.catalogue, id)
	}
}

// productCode is the CPE name of a component where its product is known to
// have one, else its package URL.
func (c *core) productCode(k exposure.Component) string {
	if p := c.catalogue[k.ID()]; p != nil {
		for _, name := range p.CPEs {
			if code, ok := cpe23(name, k.Version); ok {
				return code
			}
		}
	}
	return exposure.ProductCode(k)
}

// cpe23 is a CPE 2.3 name of part, vendor and product of name, with a version.
func cpe23(name, version string) (string, bool) {
	rest, ok := strings.CutPrefix(name, "cpe:2.3:")
	if !ok {
		if rest, ok = strings.CutPrefix(name, "cpe:/"); !ok {
			return "", false
		}
	}
	parts := strings.Split(rest, ":")
	if len(parts) < 3 || parts[0] == "" || parts[1] == "" || parts[2] == "" {
		return "", false
	}
	var b strings.Builder
	for _, r := range upstream(version) {
		if !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '.' || r == '_' || r == '-') {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	v := b.String()
	if v == "" {
		v = "*"
	}
	return "cpe:2.3:" + parts[0] + ":" + parts[1] + ":" + parts[2] + ":" + v + ":*:*:*:*:*:*:*", true
}

// upstream is a version without epoch and distribution revision.
func upstream(version string) string {
	if i := strings.IndexByte(version, ':'); i >= 0 {
		version = version[i+1:]
	}
	if i := strings.LastIndexByte(version, '-'); i > 0 {
		version = version[:i]
	}
	return version
}

// support is what is known of the life of a component's version, nil when
// nothing is. A distribution supports its packages itself: for them only the
// distribution's own end counts, not that of the upstream project.
func (c *core) support(k exposure.Component) *EndOfLife {
	p := c.catalogue[k.ID()]
	if p == nil || k.Key.Release != "" {
		return nil
	}
	cycle, ok := cycleOf(p, k)
	if !ok {
		return nil
	}
	return lifeOf(*p, cycle, c.clock())
}

// cycleOf is the release line of a component's version. Versions of Go modules begin with a letter.
func cycleOf(p *advisory.Product, k exposure.Component) (advisory.Cycle, bool) {
	return intel.CycleOf(*p, strings.TrimPrefix(strings.TrimPrefix(k.Version, "go"), "v"))
}

// lineSupport is what is known of the life of the line that a component's
// version is of: that of its product, or of the release of the distribution
// that it is a package of.
func (c *core) lineSupport(k exposure.Component, now time.Time) *EndOfLife {
	if k.Key.Release == "" {
		return c.support(k)
	}
	r, ok := c.releases[release{k.Key.Ecosystem, k.Key.Release}]
	if !ok {
		return nil
	}
	return lifeOf(r.product, r.cycle, now)
}

func lifeOf(p advisory.Product, cycle advisory.Cycle, now time.Time) *EndOfLife {
	e := &EndOfLife{Product: p.Label, Cycle: cycle.Name, Date: cycle.EOL, Latest: cycle.Latest, Ended: cycle.Ended}
	if cycle.LTS > cycle.EOL {
		if forAll(&p) {
			e.Regular, e.Date = cycle.EOL, cycle.LTS
		} else {
			e.Extended = cycle.LTS
		}
	}
	if e.Date != "" {
		e.Ended = e.Date <= now.UTC().Format(time.DateOnly)
	}
	ended, near := wholeLife(&p, now)
	switch {
	case e.Ended && ended:
		e.Tag = tagEndedSoftware
	case e.Ended:
		e.Tag = tagEnded
	case e.near(now) && near:
		e.Tag = tagEndingSoftware
	case e.near(now):
		e.Tag = tagEnding
	}
	return e
}

// The tags of software whose support has ended, or ends within six months:
// the line that a version is of, or every line that the product has.
const (
	tagEnded          = "EOS version"
	tagEnding         = "Upcoming EOS version"
	tagEndedSoftware  = "EOS software"
	tagEndingSoftware = "Upcoming EOS software"
)

// near reports whether support ends within six months.
func (e *EndOfLife) near(now time.Time) bool {
	return !e.Ended && e.Date != "" && e.Date <= now.UTC().Add(upcoming).Format(time.DateOnly)
}

// forAll reports whether everybody gets the longer support of a product. That
// of most products is for subscribers, and who subscribed cannot be told from
// an inventory; Debian's is for all.
func forAll(p *advisory.Product) bool { return p.Name == "debian" }

// endOf is when the support of a line ends that everybody gets, "" when that is not known.
func endOf(p *advisory.Product, cycle *advisory.Cycle) string {
	if forAll(p) {
		return max(cycle.EOL, cycle.LTS)
	}
	return cycle.EOL
}

// wholeLife says whether no line of a product is supported any more, or none
// will be in six months. Of a product with one known line the second is not said:
// the next line may only not be known yet.
func wholeLife(p *advisory.Product, now time.Time) (ended, near bool) {
	ended, near = len(p.Cycles) > 0, len(p.Cycles) > 1
	for i := range p.Cycles {
		e := EndOfLife{Date: endOf(p, &p.Cycles[i]), Ended: p.Cycles[i].Ended}
		if e.Date != "" {
			e.Ended = e.Date <= now.UTC().Format(time.DateOnly)
		}
		ended, near = ended && e.Ended, near && (e.Ended || e.near(now))
	}
	return ended, near
}

// supported are the lines of a product that are supported, in the order of the
// feed: the newest first.
func supported(p *advisory.Product, now time.Time) []EndOfLife {
	out := []EndOfLife{}
	for i := range p.Cycles {
		if e := lifeOf(*p, p.Cycles[i], now); !e.Ended {
			out = append(out, *e)
		}
	}
	return out
}

// supportTag is the tag of a version at or near its end of support, "" if none.
func supportTag(e *EndOfLife) string {
	if e == nil {
		return ""
	}
	return e.Tag
}

// osLives knows how long releases of operating systems are supported, each
// looked up once. It is made without holding core.mu, used by one goroutine,
// and closed.
type osLives struct {
	view  intelView
	close func()
	now   time.Time
	known map[[2]string]*EndOfLife
}

func (c *core) osLives(now time.Time) *osLives {
	l := &osLives{close: func() {}, now: now, known: map[[2]string]*EndOfLife{}}
	if c.snapshot == nil {
		return l
	}
	if view, release, err := c.snapshot(); err == nil {
		l.view, l.close = view, release
	}
	return l
}

// of is the life of a device's release, nil when it is not known.
func (l *osLives) of(d *device) *EndOfLife {
	at := [2]string{d.sum.OSID, d.sum.OSVersion}
	life, ok := l.known[at]
	if !ok {
		life = osLife(l.view, at[0], at[1], l.now)
		l.known[at] = life
	}
	return life
}

// Lives of a release, as lists name them.
const (
	osSupported = "supported"
	osUpcoming  = "upcoming"
	osEnded     = "ended"
	osUnknown   = "unknown"
)

func (l *osLives) word(d *device) string { return lifeWord(l.of(d)) }

func lifeWord(life *EndOfLife) string {
	switch {
	case life == nil:
		return osUnknown
	case life.Ended:
		return osEnded
	case life.Tag != "":
		return osUpcoming
	}
	return osSupported
}

func osLife(view intelView, id, version string, now time.Time) *EndOfLife {
	cat, ok := view.(catalogue)
	if !ok || id == "" {
		return nil
	}
	p, cycle, ok := cat.EndOfLife(id, version)
	if !ok {
		return nil
	}
	return lifeOf(p, cycle, now)
}

// osSupport is the life of a device's operating system release.
func (s *Server) osSupport(os inventory.OS) *EndOfLife {
	view, release, err := s.snapshot()
	if err != nil {
		return nil
	}
	defer release()
	return osLife(view, os.ID, os.VersionID, s.now())
}
