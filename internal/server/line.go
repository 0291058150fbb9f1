package server

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

// endedLine is the line of a component when its support has ended by now, the
// zero Line when it goes on or nothing is known of it. Packages of a
// distribution are of its release, others of a line of their product.
func (c *core) endedLine(k exposure.Component, now time.Time) exposure.Line {
	if k.Key.Release != "" {
		life, ok := c.releases[release{k.Key.Ecosystem, k.Key.Release}]
		if !ok || !lifeOf(life.product, life.cycle, now).Ended {
			return exposure.Line{}
		}
		id := releaseID(life)
		c.endings[id] = life
		return exposure.Line{Product: id, Remedy: exposure.Upgrade} // also without a supported release of it: a device has some system
	}
	p := c.catalogue[k.ID()]
	if p == nil {
		return exposure.Line{}
	}
	cycle, ok := cycleOf(p, k)
	if !ok || !lifeOf(*p, cycle, now).Ended {
		return exposure.Line{}
	}
	line := exposure.Line{Product: k.ID(), Remedy: exposure.Upgrade, Release: cycle.Name}
	if ended, _ := wholeLife(p, now); ended {
		line.Remedy = exposure.Uninstall
	}
	return line
}

// releaseID names the cause that the end of a distribution's release is, as if
// it were a product: "debian-_-debian_linux_10", by its CPE name where it has one.
func releaseID(life releaseLife) string {
	vendor, product := life.product.Name, life.product.Name
	for _, name := range life.product.CPEs {
		if code, ok := cpe23(name, "0"); ok {
			parts := strings.Split(code, ":")
			vendor, product = parts[3], parts[4]
			break
		}
	}
	return exposure.Component{Vendor: vendor, Product: product + "_" + strings.ReplaceAll(life.cycle.Name, " ", "_")}.ID()
}

// releaseName is a release for people: "Debian 10".
func releaseName(life releaseLife) string {
	return cmp.Or(life.product.Label, life.product.Name) + " " + life.cycle.Name
}

// setLine takes in whether the line of a component has ended. The caller holds mu for writing.
func (c *core) setLine(id exposure.ComponentID, now time.Time) {
	c.takeLine(id, c.endedLine(c.fleet.Component(id), now))
}

func (c *core) takeLine(id exposure.ComponentID, line exposure.Line) {
	if was := c.fleet.LineOf(id); c.fleet.SetLine(id, line) {
		for rows := range c.caches {
			rows.mu.Lock()
			rows.forgetProduct(was.Product)
			c.forgetProductsOf(rows, id)
			rows.mu.Unlock()
		}
	}
}

// setLines does so for every component. Tags tell of ends to come, too: with a
// new day all rows are made anew. The caller holds mu for writing.
func (c *core) setLines(now time.Time) {
	known := map[release]exposure.Line{} // most components are of a few releases
	for _, id := range c.fleet.Components() {
		k := c.fleet.Component(id)
		at := release{k.Key.Ecosystem, k.Key.Release}
		line, ok := known[at]
		if !ok || at.name == "" {
			line = c.endedLine(k, now)
			known[at] = line
		}
		c.takeLine(id, line)
	}
	if day := dayOf(now); day != c.lineDay {
		c.lineDay = day
		for rows := range c.caches {
			rows.forget()
		}
	}
}

// lineNames names what ended, for what is noted: a line, and beside it the product as a whole.
func (c *core) lineNames(id exposure.ComponentID) []string {
	line := c.fleet.LineOf(id)
	switch {
	case line.Product == "":
		return nil
	case line.Remedy == exposure.Uninstall:
		return []string{line.Product + " " + line.Release, line.Product + wholeProduct}
	}
	return []string{line.Product + " " + line.Release}
}

// wholeProduct ends the names of products that ended as a whole.
const wholeProduct = " *"

// noteLine takes in what a report of a device brings into the fleet: that its
// line ended is no news. The caller holds mu for writing.
func (c *core) noteLine(id exposure.ComponentID) {
	for _, name := range c.lineNames(id) {
		if !c.noted.has[notedLine][name] {
			n := store.Noted{What: notedLine, Name: name, Level: 1}
			c.noted.take([]store.Noted{n})
			c.noted.unsaved = append(c.noted.unsaved, n)
		}
	}
}

// followSupport takes in whose support ended with a new day, and tells of it.
func (s *Server) followSupport(ctx context.Context, now time.Time) error {
	c := s.core
	c.mu.RLock()
	same := c.lineDay == dayOf(now)
	c.mu.RUnlock()
	if same {
		return nil
	}
	before := s.standing()
	c.mu.Lock()
	c.setLines(now)
	c.mu.Unlock()
	s.askExceptions()
	s.live.publish(LiveEvent{Resource: "all"})
	return s.tellSupport(ctx, before, false)
}

// tellSupport publishes the ends of support that were not told yet: one event
// per product, or release of a distribution. What had ended when the feed that knows
// of it was first loaded is no news.
func (s *Server) tellSupport(ctx context.Context, before standing, quiet bool) error {
	view, release, err := s.snapshot()
	if err != nil {
		return err
	}
	feeds, err := view.Feeds()
	release()
	if err != nil {
		return fmt.Errorf("read feeds: %w", err)
	}
	loaded := ""
	for i := range feeds {
		if f := feeds[i].Name; f == advisory.FeedEndOfLife || f == advisory.FeedDemo && loaded == "" {
			loaded = f
		}
	}
	c := s.core
	c.mu.RLock()
	known := loaded != "" && c.noted.has[notedLine][loaded] && !quiet
	now, product := map[string]bool{}, map[string]string{}
	if loaded != "" {
		now[loaded] = true
	}
	for _, id := range c.fleet.Components() { // also those that no device has just now: it would be no news of theirs
		for _, name := range c.lineNames(id) {
			now[name], product[name] = true, c.fleet.LineOf(id).Product
		}
	}
	news, counted := &store.News{}, c.active().Clone()
	var came []string
	came, news.Noted = c.noted.differ(notedLine, slices.Sorted(maps.Keys(now)))
	byProduct := map[string][]string{}
	for _, name := range came {
		if id, ok := product[name]; ok && known {
			byProduct[id] = append(byProduct[id], name)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(byProduct)) {
		var e store.Event
		if e, err = c.supportEvent(id, byProduct[id]); err != nil {
			break
		}
		news.Events = append(news.Events, e)
	}
	c.mu.RUnlock()
	if err != nil || len(news.Noted) == 0 {
		return err
	}
	if news.Change, err = s.change(counted, before); err != nil {
		return err
	}
	if err := s.st.AddNews(ctx, news); err != nil {
		return fmt.Errorf("store ends of support: %w", err)
	}
	s.told(news)
	return nil
}

// supportEvent tells of lines of a product, or of a release, that have ended.
// The caller holds mu for reading.
func (c *core) supportEvent(id string, names []string) (store.Event, error) {
	e := store.Event{Kind: SupportEnded, Product: id, Weaknesses: []string{}}
	devs, seen := roaring.New(), map[string]bool{}
	for _, r := range []exposure.Remedy{exposure.Upgrade, exposure.Uninstall} {
		for _, cid := range c.fleet.CauseComponents(id, r, nil) {
			if !slices.ContainsFunc(c.lineNames(cid), func(n string) bool { return slices.Contains(names, n) }) {
				continue
			}
			devs.Or(c.fleet.DevicesOf(cid))
			for h := range c.fleet.Hits(cid) {
				if h.Exposed && h.Remedy == r && !seen[h.Weakness] {
					seen[h.Weakness] = true
					e.Weaknesses = append(e.Weaknesses, h.Weakness)
				}
			}
			e.Link = "/recommendations?open=" + url.QueryEscape(recommendationID(id, r))
		}
	}
	slices.SortFunc(e.Weaknesses, compareIDs)
	if life, ok := c.endings[id]; ok {
		e.Vendor, e.Component = life.product.Name, releaseName(life)
	} else if info, ok := c.fleet.Product(id, nil); ok {
		e.Vendor, e.Component = info.Vendor, info.Name
		var lines []string
		for _, n := range names {
			if line := strings.TrimPrefix(n, id+" "); line == strings.TrimSpace(wholeProduct) {
				e.Detail = "No version of it is supported any more."
			} else {
				lines = append(lines, line)
			}
		}
		if len(lines) > 0 {
			e.Component += " " + someOf(lines)
		}
	}
	var err error
	e.Devices, err = packDevices(roaring.And(devs, c.active()))
	return e, err
}

// lineDevices are the devices of a lens that are of an ended line, those in no
// score too, as a set that must not be changed. The caller holds mu for reading.
func (c *core) lineDevices(l lens, product string, r exposure.Remedy) *roaring.Bitmap {
	out := c.fleet.LineDevices(product, r)
	out.And(c.active())
	return l.of(out)
}

// remedyRelief is what the score would be lower by without a cause of software;
// ok is false when no active device of the lens has it.
func (c *core) remedyRelief(l lens, product string, r exposure.Remedy) (exposure.Relief, bool) {
	out, ok := c.fleet.Scores().ReliefOf(product, r, l.groups, c.weights())
	if ok || !r.OfLine() {
		return out, ok
	}
	out = exposure.Relief{Product: product, Remedy: r, Check: -1, Impact: exposure.Mean{Den: out.Impact.Den}, ImpactAfter: exposure.Mean{Den: out.Impact.Den}}
	return out, !c.lineDevices(l, product, r).IsEmpty()
}

// knownLine reports whether a product id is that of a release that has ended, and
// that some device of the scope has.
func (s *Server) knownLine(where exposure.Scope, product string, remedy exposure.Remedy) bool {
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	_, ok := s.core.endings[product]
	l := s.core.lensOf(where)
	return ok && (l.devs == nil || !s.core.lineDevices(l, product, remedy).IsEmpty())
}

// releaseSoftware is the release of an operating system in the place of a
// product. The caller holds mu for reading.
func (c *core) releaseSoftware(l lens, id string) (*SoftwareRow, bool) {
	life, ok := c.endings[id]
	comps := c.fleet.CauseComponents(id, exposure.Upgrade, l.devs)
	if !ok || len(comps) == 0 {
		return nil, false
	}
	k := c.fleet.Component(comps[0])
	vendor, _, _ := strings.Cut(id, "-_-")
	r := &SoftwareRow{ID: id, Name: releaseName(life), Vendor: vendor, Ecosystem: k.Key.Ecosystem, Tags: []string{}, Trend: []int{},
		Installed: int(c.lineDevices(l, id, exposure.Upgrade).GetCardinality())}
	if tag := lifeOf(life.product, life.cycle, c.clock()).Tag; tag != "" {
		r.Tags = append(r.Tags, tag)
	}
	for _, name := range life.product.CPEs {
		if code, ok := cpe23(name, life.cycle.Name); ok {
			r.ProductCode = code
			break
		}
	}
	return r, true
}

// productOf is what endoflife.date knows of a product, or of the distribution
// of an ended release, nil when nothing is known.
func (c *core) productOf(id string) *advisory.Product {
	if life, ok := c.endings[id]; ok {
		return &life.product
	}
	return c.catalogue[id]
}

// upgradeTo is the newest version of a line that is supported, "" when there is none.
func (c *core) upgradeTo(id string) string {
	p := c.productOf(id)
	if p == nil {
		return ""
	}
	for _, e := range supported(p, c.clock()) {
		return cmp.Or(e.Latest, e.Cycle)
	}
	return ""
}

// mostSupported is how many lines to move to are named.
const mostSupported = 10

// moveTo are the lines of a product that are supported.
func (c *core) moveTo(id string) []EndOfLife {
	p := c.productOf(id)
	if p == nil {
		return []EndOfLife{}
	}
	out := supported(p, c.clock())
	return out[:min(len(out), mostSupported)]
}

// lineRows are the lines of a product on devices of a lens that have ended or
// will soon. The caller holds mu for reading.
func (c *core) lineRows(l lens, product string) []LineRow {
	out := []LineRow{}
	if life, ok := c.endings[product]; ok {
		if n := int(c.lineDevices(l, product, exposure.Upgrade).GetCardinality()); n > 0 {
			out = append(out, LineRow{EndOfLife: *lifeOf(life.product, life.cycle, c.clock()), Devices: n})
		}
		return out
	}
	devs := map[EndOfLife]*roaring.Bitmap{}
	for _, id := range c.fleet.ProductComponents(product, l.devs) {
		e := c.support(c.fleet.Component(id))
		if e == nil || e.Tag == "" {
			continue
		}
		if devs[*e] == nil {
			devs[*e] = roaring.New()
		}
		devs[*e].Or(c.fleet.DevicesOf(id))
	}
	for e, on := range devs {
		out = append(out, LineRow{EndOfLife: e, Devices: l.count(roaring.And(on, c.active()))})
	}
	slices.SortFunc(out, func(a, b LineRow) int {
		return cmp.Or(strings.Compare(supportEnds(&a.EndOfLife), supportEnds(&b.EndOfLife)), strings.Compare(a.Cycle, b.Cycle))
	})
	return out
}

// deviceRemedy begins the row of a recommendation for one device, by a
// component of it there.
func (c *core) deviceRemedy(id exposure.ComponentID, product string, r exposure.Remedy) *DeviceRecommendationRow {
	k := c.fleet.Component(id)
	row := &DeviceRecommendationRow{ID: recommendationID(product, r), Name: c.remedyName(product, r, k.Product), ProductID: product,
		Component: k.Product, Vendor: k.Vendor, Type: remedyTypes[r], Tags: []string{}, ProductCode: c.productCode(k), Threats: Threats{Exploit: advisory.NoExploit}}
	if r.OfLine() {
		row.Version = c.upgradeTo(product)
	}
	if life, ok := c.endings[product]; ok {
		row.Component, row.ProductCode = releaseName(life), ""
		row.Vendor, _, _ = strings.Cut(product, "-_-")
	}
	return row
}

// supportTag is the tag of a component's line: of its product, or of the
// release that has ended.
func (c *core) supportTag(id exposure.ComponentID) string {
	k := c.fleet.Component(id)
	if life, ok := c.endings[c.fleet.LineOf(id).Product]; ok {
		return lifeOf(life.product, life.cycle, c.clock()).Tag
	}
	return supportTag(c.support(k))
}
