package exposure

import (
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
)

// Line is the release line that a component is of, when its support has ended:
// nobody makes fixes in it any more. The zero Line says nothing of the kind.
//
// Findings of the component that no fix within the line closes have the line's
// remedy, and are one cause for all components whose lines name the same
// Product and Remedy: a whole release of a distribution is one.
type Line struct {
	// Product is the product id of the cause: the component's own, or one that
	// stands for the release of a distribution and has no components of its own.
	Product string
	Remedy  Remedy // Upgrade or Uninstall
	// Release is the name of the line in versions of the product ("3.2"): a fix
	// with another one is beyond it. "" when every fix is within the line.
	Release string
}

// holds reports whether a version is of the line, as names of release lines
// are the beginnings of their versions.
func (l *Line) holds(version string) bool {
	if l.Release == "" {
		return true
	}
	if i := strings.IndexByte(version, ':'); i >= 0 { // an epoch
		version = version[i+1:]
	}
	rest, ok := strings.CutPrefix(strings.TrimPrefix(strings.ToLower(version), "v"), strings.ToLower(l.Release))
	return ok && (rest == "" || strings.IndexByte(".-+~ _", rest[0]) >= 0)
}

// lineCause is what the lines of some components have in common.
type lineCause struct {
	product string
	remedy  Remedy
	members []ComponentID // in no order
}

type causeKey struct {
	product string
	remedy  Remedy
}

// SetLine says that the line of a component has ended, or with the zero Line
// that it has not, and reports whether that is news. A line without a product
// or without one of its two remedies is the zero Line, as is any of a component
// of which only configuration is left. Devices that have the component leave
// the scores stale.
func (f *Fleet) SetLine(id ComponentID, l Line) (changed bool) {
	if !f.known(id) {
		return false
	}
	c := &f.comps[id]
	if l.Product == "" || !l.Remedy.OfLine() || c.Role == Residual {
		l = Line{}
	}
	if c.line == l {
		return false
	}
	if c.line != (Line{}) {
		f.lines[c.cause].members = without(f.lines[c.cause].members, id)
		f.kinds[id].bits &^= componentEnded
	}
	c.line, c.cause = l, 0
	if l != (Line{}) {
		c.cause = f.internCause(causeKey{l.Product, l.Remedy})
		f.lines[c.cause].members = append(f.lines[c.cause].members, id)
		f.kinds[id].bits |= componentEnded
	}
	f.scores.reweigh(id)
	return true
}

func (f *Fleet) internCause(k causeKey) uint32 {
	if i, ok := f.lineIDs[k]; ok {
		return i
	}
	i := uint32(len(f.lines))
	f.lines = append(f.lines, lineCause{product: k.product, remedy: k.remedy})
	f.lineIDs[k] = i
	return i
}

// LineOf returns what SetLine said of a component.
func (f *Fleet) LineOf(id ComponentID) Line {
	if int(id) >= len(f.comps) {
		return Line{}
	}
	return f.comps[id].line
}

// Causes returns the causes that ended lines make on some device within scope
// (nil: any), ordered by product, then remedy.
func (f *Fleet) Causes(scope *roaring.Bitmap) []Cause {
	var out []Cause
	list := f.followedBy(scope)
	for i := range f.lines {
		if slices.ContainsFunc(f.lines[i].members, func(id ComponentID) bool { return f.heldIn(id, scope, list) }) {
			out = append(out, Cause{Product: f.lines[i].product, Remedy: f.lines[i].remedy})
		}
	}
	slices.SortFunc(out, func(a, b Cause) int {
		if a.Product != b.Product {
			return compareText(a.Product, b.Product)
		}
		return int(a.Remedy) - int(b.Remedy)
	})
	return out
}

// CauseComponents returns the components on devices within scope (nil: any)
// whose findings may be of a cause, ascending: those of its product, or those
// of its ended line.
func (f *Fleet) CauseComponents(product string, remedy Remedy, scope *roaring.Bitmap) []ComponentID {
	if !remedy.OfLine() {
		return f.ProductComponents(product, scope)
	}
	if i, ok := f.lineIDs[causeKey{product, remedy}]; ok {
		return f.live(f.lines[i].members, scope)
	}
	return nil
}

// LineDevices returns the devices with a component whose ended line makes a
// cause, whether it has findings or not, as a new set.
func (f *Fleet) LineDevices(product string, remedy Remedy) *roaring.Bitmap {
	i, ok := f.lineIDs[causeKey{product, remedy}]
	if !ok {
		return roaring.New()
	}
	return f.unionOf(f.lines[i].members)
}

// unionOf returns the devices that have one of some components, as a new set.
func (f *Fleet) unionOf(ids []ComponentID) *roaring.Bitmap {
	sets := make([]*roaring.Bitmap, 0, len(ids))
	for _, id := range ids {
		if devs := f.comps[id].devices; !devs.IsEmpty() {
			sets = append(sets, devs)
		}
	}
	switch len(sets) {
	case 0:
		return roaring.New()
	case 1:
		return sets[0].Clone()
	}
	return f.Union(sets, nil)
}

// OfLine reports whether a remedy is that of an ended line.
func (r Remedy) OfLine() bool { return r == Upgrade || r == Uninstall }

// slot is the place of a remedy in ownPoints.
func (r Remedy) slot() int {
	if r.OfLine() {
		return lineSlot
	}
	return int(r)
}

// remedy is what closes a hit of a component that counts in exposure.
func (f *Fleet) remedy(id ComponentID, h *hit) Remedy {
	r := remedyOf(State(f.text[h.state]), h.bit)
	if f.kinds[id].bits&componentEnded == 0 {
		return r
	}
	if l := &f.comps[id].line; r == Attention || r == Update && !l.holds(f.text[h.fixed]) {
		return l.Remedy
	}
	return r
}

// holds reports whether a component is selected, were it found at the right
// paths.
func (f *Fleet) holds(w *Selector, id ComponentID) bool {
	c := &f.comps[id]
	if !w.Remedy.OfLine() || w.Product == "" {
		return w.holds(&c.Component, f.products[c.product].id)
	}
	return c.line.Remedy == w.Remedy && w.holds(&c.Component, c.line.Product)
}

// linePoints are the points of one cause of ended lines on one device.
type linePoints struct {
	cause                uint32
	raw, mitigated, shut uint64
}

// ofLine finds the place of a cause in lines, a new one if need be.
func (m *causeMarks) ofLine(cause uint32, causes int) *linePoints {
	if len(m.lineAt) < causes {
		m.lineAt = append(m.lineAt, make([]uint32, causes-len(m.lineAt))...)
	}
	if at := int(m.lineAt[cause]); at > 0 && at <= len(m.lines) && m.lines[at-1].cause == cause {
		return &m.lines[at-1]
	}
	m.lines = append(m.lines, linePoints{cause: cause})
	m.lineAt[cause] = uint32(len(m.lines))
	return &m.lines[len(m.lines)-1]
}

// lineLess is the place of a cause of ended lines in cohort.less.
func lineLess(cause uint32) int { return 1<<40 + int(cause) }

// countLines counts a device's causes of ended lines: on every device that is
// of the line, whether it has findings of it or not.
func (s *Scores) countLines(p *cohort, d *scored, sum uint64, lines []linePoints, add bool) {
	if n := len(s.f.lines); len(p.lines) < n {
		p.lines = append(p.lines, make([]causeSum, n-len(p.lines))...)
	}
	score := uint64(ScoreOf(sum))
	for i := range lines {
		l := &lines[i]
		impact := score - uint64(ScoreOf(sum-(l.raw-l.mitigated)))
		p.lines[l.cause].count(impact, add)
		if d.regime == nil {
			continue
		}
		if l.shut > 0 || l.raw == 0 && s.lineUnder(d.regime, l.cause) {
			after := score - uint64(ScoreOf(sum-(l.raw-l.shut)))
			p.lessen(lineLess(l.cause), l.raw == l.shut, impact-after, add)
		}
	}
}

// lineUnder reports whether an exception about a cause of ended lines as a
// whole holds on the devices of a regime: also where it has no findings.
func (s *Scores) lineUnder(k *regime, cause uint32) bool {
	l := &s.f.lines[cause]
	return slices.ContainsFunc(s.exc.byProduct[l.product], func(i int32) bool {
		w := &s.exc.list[i].What
		_, reached := slices.BinarySearch(k.reach, i)
		return reached && w.Remedy == l.remedy && w.From+w.To+w.Path == ""
	})
}
