package server

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/posture"
	"github.com/picketsec/picket/internal/store"
)

// What noted things are called in the store.
const (
	notedCover  = "cover"
	notedFeed   = "feed"
	notedThreat = "threat"
	notedCheck  = "check"
	notedLine   = "line"
)

// notedBook is what was told already, as the store has it. It is guarded by core.mu.
type notedBook struct {
	has    map[string]map[string]bool // what → names: places that feeds speak for, feeds, checks
	threat map[string]uint8           // threat level by weakness; absent: none
	// unsaved came with reports of devices; the next report's transaction takes it.
	unsaved []store.Noted
}

func newNotedBook() *notedBook {
	return &notedBook{has: map[string]map[string]bool{notedCover: {}, notedFeed: {}, notedCheck: {}, notedLine: {}, notedZeroDay: {}}, threat: map[string]uint8{}}
}

// take takes in what the store has noted.
func (b *notedBook) take(list []store.Noted) {
	for _, n := range list {
		switch set := b.has[n.What]; {
		case n.What == notedThreat && n.Level > 0:
			b.threat[n.Name] = n.Level
		case n.What == notedThreat:
			delete(b.threat, n.Name)
		case set == nil:
		case n.Level > 0:
			set[n.Name] = true
		default:
			delete(set, n.Name)
		}
	}
}

// differ lists what of one kind is there now and was not noted, and the other
// way round, as changes for the store.
func (b *notedBook) differ(what string, now []string) (came []string, changes []store.Noted) {
	for _, name := range now {
		if !b.has[what][name] {
			came = append(came, name)
			changes = append(changes, store.Noted{What: what, Name: name, Level: 1})
		}
	}
	for name := range b.has[what] {
		if !slices.Contains(now, name) {
			changes = append(changes, store.Noted{What: what, Name: name})
		}
	}
	return came, changes
}

// kevBit marks a weakness in CISA's catalogue; below it is the maturity of its exploit.
const kevBit = 4

// threatLevel is what is noted of a weakness's threats.
func threatLevel(t Threats) uint8 {
	level := uint8(exploitRank(t.Exploit))
	if t.KEV {
		level |= kevBit
	}
	return level
}

// threatNews says which kinds of events a rise of a threat level makes. That
// an entry in KEV proves exploitation is no news of its own.
func threatNews(was, now uint8) []string {
	var kinds []string
	if now&kevBit > was&kevBit {
		kinds = append(kinds, AddedToKEV)
	}
	if rank := now &^ kevBit; rank > was&^kevBit {
		switch {
		case rank == 3:
			kinds = append(kinds, ExploitInKit)
		case rank == 2 && len(kinds) == 0:
			kinds = append(kinds, ExploitVerified)
		case rank == 1:
			kinds = append(kinds, NewPublicExploit)
		}
	}
	return kinds
}

// place names what feeds speak for, "" when none does. What only the demo
// speaks for is another place: real feeds that come later are no news in bulk.
func place(view intelView, ecosystem, release string) string {
	demo := ""
	for _, k := range view.Coverage(ecosystem, release) {
		if k.Feed != advisory.FeedDemo {
			return strings.TrimSpace(ecosystem + " " + release)
		}
		demo = strings.TrimSpace(ecosystem+" "+release) + " (demo)"
	}
	return demo
}

// note takes in what a report of a device brings into the fleet: it is known
// from inventory, so it is no news when the intelligence changes. The caller
// holds mu for writing, with view set.
func (c *core) note(id exposure.ComponentID, a *exposure.Assessment) {
	k := c.fleet.Component(id).Key
	add := func(n store.Noted) {
		c.noted.take([]store.Noted{n})
		c.noted.unsaved = append(c.noted.unsaved, n)
	}
	if p := place(c.view, k.Ecosystem, k.Release); p != "" && !c.noted.has[notedCover][p] {
		add(store.Noted{What: notedCover, Name: p, Level: 1})
	}
	for i := range a.Matches {
		w := a.Matches[i].Weakness
		if c.noted.threat[w] > 0 {
			continue
		}
		if level := threatLevel(c.fact(w).Threats); level > 0 {
			add(store.Noted{What: notedThreat, Name: w, Level: level})
		}
	}
}

// draft is an event in the making.
type draft struct {
	kind, product string
	weak          map[string]bool
	devs          *roaring.Bitmap
	parts         []*roaring.Bitmap // shared sets of devices that join takes into devs
}

// newsroom gathers the events of one change of the intelligence. What was known
// before and what is known now decide, both as the store has them: judged again
// after a crash, the same change has the same events.
type newsroom struct {
	c       *core
	view    intelView
	before  map[exposure.ComponentID][]store.Known // of components of which something else is known now
	counted *roaring.Bitmap
	places  map[[2]string]string // by ecosystem and release, "": no feed speaks for it
	first   map[string]bool      // places that feeds speak for from now on
	feeds   []string             // that are new and tell of threats
	raised  map[string][]string  // kinds of events by weakness
	noted   []store.Noted
	drafts  map[[2]string]*draft
}

// newsroom begins to gather what a change of the intelligence has to tell: of
// each of ids, component has to be called, join before mu is given back, and end
// at last. The caller of all four holds mu for writing; the index has the new assessments, results is parallel
// to ids.
func (c *core) newsroom(t touched, ids []exposure.ComponentID, results []exposure.Assessment, before map[exposure.ComponentID][]store.Known, view intelView) (*newsroom, error) {
	n := &newsroom{c: c, view: view, before: before, counted: c.fleet.Scores().Devices(), places: map[[2]string]string{}, first: map[string]bool{},
		raised: map[string][]string{}, drafts: map[[2]string]*draft{}}
	if err := n.newFeeds(); err != nil {
		return nil, err
	}
	n.cover(ids)
	n.threats(t, ids, results)
	return n, nil
}

// newFeeds finds feeds that were never loaded before and tell of threats.
func (n *newsroom) newFeeds() error {
	feeds, err := n.view.Feeds()
	if err != nil {
		return fmt.Errorf("read feeds: %w", err)
	}
	var names []string
	for i := range feeds {
		names = append(names, feeds[i].Name)
	}
	came, changes := n.c.noted.differ(notedFeed, names)
	n.noted = append(n.noted, changes...)
	for _, name := range came {
		if name == advisory.FeedKEV || name == advisory.FeedCVE5 || name == advisory.FeedNVD {
			n.feeds = append(n.feeds, name)
		}
	}
	return nil
}

// cover finds the places that feeds begin or cease to speak for.
func (n *newsroom) cover(ids []exposure.ComponentID) {
	for _, id := range ids {
		k := n.c.fleet.Component(id).Key
		at := [2]string{k.Ecosystem, k.Release}
		if _, done := n.places[at]; done {
			continue
		}
		p := place(n.view, k.Ecosystem, k.Release)
		n.places[at] = p
		if p != "" && !n.c.noted.has[notedCover][p] {
			n.first[p] = true
			n.noted = append(n.noted, store.Noted{What: notedCover, Name: p, Level: 1})
		}
		plain := strings.TrimSpace(k.Ecosystem + " " + k.Release)
		for _, old := range []string{plain, plain + " (demo)"} {
			if old != p && n.c.noted.has[notedCover][old] {
				n.noted = append(n.noted, store.Noted{What: notedCover, Name: old})
			}
		}
	}
}

// threats finds the weaknesses whose threats changed.
func (n *newsroom) threats(t touched, ids []exposure.ComponentID, results []exposure.Assessment) {
	seen := map[string]bool{}
	look := func(w string) {
		if seen[w] {
			return
		}
		seen[w] = true
		was, now := n.c.noted.threat[w], threatLevel(n.c.peek(w).Threats)
		if was == now {
			return
		}
		n.noted = append(n.noted, store.Noted{What: notedThreat, Name: w, Level: now})
		if kinds := threatNews(was, now); len(kinds) > 0 {
			n.raised[w] = kinds
		}
	}
	if t.All {
		for w := range n.c.noted.threat {
			look(w)
		}
		for w := range n.c.fleet.Weaknesses() {
			look(w)
		}
		return
	}
	for _, w := range t.Weaknesses {
		look(w)
	}
	for i, id := range ids {
		if _, changed := n.before[id]; changed {
			for _, m := range results[i].Matches {
				look(m.Weakness)
			}
		}
	}
}

// exploited yields the weaknesses that are exploited, as they are noted before
// or from now on; some twice.
func (n *newsroom) exploited(yield func(string) bool) {
	for w := range n.c.noted.threat {
		if !yield(w) {
			return
		}
	}
	for _, k := range n.noted {
		if k.What == notedThreat && k.Level > 0 && n.c.noted.threat[k.Name] == 0 && !yield(k.Name) {
			return
		}
	}
}

// look compares what was and what is known of one component. Both lists are
// ordered by weakness.
func (n *newsroom) look(id exposure.ComponentID, was []store.Known, now []exposure.Match, devs *roaring.Bitmap) {
	comp := n.c.fleet.Component(id)
	product, first := comp.ID(), n.first[n.places[[2]string{comp.Key.Ecosystem, comp.Key.Release}]]
	var renamed map[string]bool
	rest := was
	for i := range now {
		m := &now[i]
		if !m.Exposed {
			continue
		}
		for len(rest) > 0 && rest[0].Weakness < m.Weakness {
			rest = rest[1:]
		}
		var k store.Known
		had := len(rest) > 0 && rest[0].Weakness == m.Weakness
		if had {
			k = rest[0]
		}
		switch {
		case had && exposure.State(k.State).Exposed():
			if first {
				continue
			}
			if m.State == exposure.State(advisory.Fixed) && !fixable(k.State) {
				n.tell(FixPublished, product, m.Weakness, devs)
			}
			for _, kind := range n.raised[m.Weakness] {
				if len(n.feeds) > 0 {
					n.tell(FirstAssessment, "", m.Weakness, devs)
					break
				}
				n.tell(kind, product, m.Weakness, devs)
			}
		case first:
			n.tell(FirstAssessment, "", m.Weakness, devs)
		default:
			if renamed == nil {
				renamed = n.renamed(was)
			}
			if fresh := n.without(id, product, m.Weakness, devs); !renamed[m.Weakness] && fresh.Intersects(n.counted) {
				n.tell(NewVulnerability, product, m.Weakness, fresh)
			}
		}
	}
}

func fixable(state string) bool {
	return state == string(advisory.Fixed) || state == string(exposure.RestartNeeded)
}

func knownOf(list []store.Known, weakness string) (store.Known, bool) {
	i, ok := slices.BinarySearchFunc(list, weakness, func(k store.Known, w string) int { return strings.Compare(k.Weakness, w) })
	if !ok {
		return store.Known{}, false
	}
	return list[i], true
}

// renamed are the ids under which weaknesses that counted are known now.
func (n *newsroom) renamed(was []store.Known) map[string]bool {
	out := map[string]bool{}
	for _, k := range was {
		if now := n.view.Canonical(k.Weakness); now != k.Weakness && exposure.State(k.State).Exposed() {
			out[now] = true
		}
	}
	return out
}

// without takes away the devices where the weakness counted before through
// another component of the same product.
func (n *newsroom) without(id exposure.ComponentID, product, weakness string, devs *roaring.Bitmap) *roaring.Bitmap {
	for _, other := range n.c.fleet.WeaknessComponents(weakness) {
		if other == id {
			continue
		}
		was, changed := n.before[other]
		if !changed {
			was = n.c.known[other]
		}
		if k, had := knownOf(was, weakness); had && exposure.State(k.State).Exposed() && n.c.fleet.Component(other).ID() == product {
			devs = roaring.AndNot(devs, n.c.fleet.DevicesOf(other))
		}
	}
	return devs
}

func (n *newsroom) tell(kind, product, weakness string, devs *roaring.Bitmap) {
	at := [2]string{kind, product}
	d := n.drafts[at]
	if d == nil {
		d = &draft{kind: kind, product: product, weak: map[string]bool{}, devs: roaring.New()}
		n.drafts[at] = d
	}
	d.weak[weakness] = true
	if n := len(d.parts); n == 0 || d.parts[n-1] != devs {
		d.parts = append(d.parts, devs)
	}
}

// rows are the events in their order: by kind, then product. The caller holds
// mu for reading.
func (n *newsroom) rows() ([]store.Event, error) {
	drafts := make([]*draft, 0, len(n.drafts))
	for _, d := range n.drafts {
		drafts = append(drafts, d)
	}
	slices.SortFunc(drafts, func(a, b *draft) int {
		if i, j := slices.Index(eventKinds, a.kind), slices.Index(eventKinds, b.kind); i != j {
			return i - j
		}
		return strings.Compare(a.product, b.product)
	})
	out := make([]store.Event, 0, len(drafts))
	for _, d := range drafts {
		e := store.Event{Kind: d.kind, Product: d.product, Weaknesses: make([]string, 0, len(d.weak))}
		for w := range d.weak {
			e.Weaknesses = append(e.Weaknesses, w)
		}
		slices.SortFunc(e.Weaknesses, compareIDs)
		if info, ok := n.c.fleet.Product(d.product, nil); ok {
			e.Vendor, e.Component = info.Vendor, info.Name
		}
		if d.kind == FirstAssessment {
			e.Component = n.firstText()
		}
		var err error
		if e.Devices, err = packDevices(d.devs); err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// firstText names up to five places and feeds that spoke for the first time.
func (n *newsroom) firstText() string {
	list := slices.Clone(n.feeds)
	for p := range n.first {
		list = append(list, p)
	}
	slices.Sort(list)
	if len(list) > 5 {
		list = append(list[:5], fmt.Sprintf("%d more", len(list)-5))
	}
	return strings.Join(list, ", ")
}

// news is what a change has to tell the store, with how the organisation stood before.
func (s *Server) news(n *newsroom, before standing) (*store.News, error) {
	s.core.mu.RLock()
	rows, err := n.rows()
	counted := n.counted.Clone()
	s.core.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	out := &store.News{Events: rows, Noted: n.noted}
	out.Change, err = s.change(counted, before)
	return out, err
}

// stood is how the organisation stood before a change: at the start of the
// server as its history says, as its index is still empty.
func (s *Server) stood(ctx context.Context, atStart bool) (standing, error) {
	if !atStart {
		if err := s.core.settle(ctx); err != nil {
			return standing{}, err
		}
		return s.standing(), s.scoreChanges(ctx)
	}
	last, err := s.st.LastScores(ctx)
	if err != nil {
		return standing{}, fmt.Errorf("read the last scores: %w", err)
	}
	out := standing{version: last.Version, secureVersion: last.SecureVersion, secure: last.Secure}
	if last.Den > 0 {
		out.score = fmt.Sprintf("%s/%d", last.Num, last.Den)
	}
	return out, nil
}

// tellChecks publishes the configuration checks that are new in this version of
// Picket, once devices were judged by them. The checks of the first version
// that ran here are no news.
func (s *Server) tellChecks(ctx context.Context) error {
	c := s.core
	c.mu.RLock()
	known := len(c.noted.has[notedCheck]) > 0
	news := &store.News{}
	counted := c.active().Clone()
	var ids, came []string
	for _, k := range posture.Checks() {
		ids = append(ids, k.ID)
	}
	came, news.Noted = c.noted.differ(notedCheck, ids)
	var err error
	for _, id := range came {
		if !known || err != nil || counted.IsEmpty() {
			break
		}
		i, _ := checkNumber(id)
		e := store.Event{Kind: NewConfiguration, Check: id, Component: posture.Checks()[i].Title, Weaknesses: []string{}}
		e.Devices, err = packDevices(roaring.And(c.checks.devices(i, posture.Fail), counted))
		news.Events = append(news.Events, e)
	}
	c.mu.RUnlock()
	if err != nil || len(news.Noted) == 0 {
		return err
	}
	before, err := s.stood(ctx, true)
	if err != nil {
		return err
	}
	if news.Change, err = s.change(counted, before); err != nil {
		return err
	}
	if err := s.st.AddNews(ctx, news); err != nil {
		return fmt.Errorf("store new checks: %w", err)
	}
	s.told(news)
	return nil
}
