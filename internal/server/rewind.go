package server

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
)

// changesKept is how long the record of changes goes back: a day more than a
// delta may ask for.
const changesKept = 15 * 24 * time.Hour

// record is what core knows of the record of changes.
type record struct {
	stamps       stamps
	intelAt      int64           // the last change of the intelligence that is recorded
	intelPending []*store.Change // recorded, not committed yet
}

// recorded is what the record has of a device.
type recorded struct {
	changedAt int64         // its last change
	pending   *store.Change // recorded, its commit has not ended
}

// loadChanges reads from when on changes are recorded, and the last ones.
func (s *Server) loadChanges(ctx context.Context) error {
	since, err := s.st.ChangesSince(ctx, time.Now())
	if err != nil {
		return fmt.Errorf("read since when changes are recorded: %w", err)
	}
	s.changesSince.Store(since)
	last, err := s.st.LastChanges(ctx)
	if err != nil {
		return fmt.Errorf("read when devices changed: %w", err)
	}
	c := s.core
	c.mu.Lock()
	defer c.mu.Unlock()
	for num, at := range last {
		c.stamps.notBefore(at)
		if num == store.AllDevices {
			c.intelAt = at
		} else if d := c.at(uint32(num)); d != nil {
			d.changedAt = at
		} else if d := c.gone[uint32(num)]; d != nil {
			d.changedAt = at
		}
	}
	return nil
}

// stamps gives the times of changes: Unix microseconds that rise strictly,
// whatever the wall clock does.
type stamps struct {
	mu   sync.Mutex
	last int64
}

func (k *stamps) next() int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last = max(time.Now().UnixMicro(), k.last+1)
	return k.last
}

func (k *stamps) notBefore(at int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last = max(k.last, at)
}

// noteDevice records what a report changes of a device, judged being what its
// checks say from then on: the report commits it. The caller holds mu for
// writing and calls noted when the commit has ended.
func (c *core) noteDevice(d *device, old []store.Held, diff exposure.DeviceDiff, paths []store.PathsWas, judged verdicts) *store.Change {
	was := d.verdictsWas(judged)
	if len(diff.Added)+len(diff.Removed)+len(paths) == 0 && was == nil {
		return nil
	}
	ch := &store.Change{At: c.stamps.next(), Device: int64(d.num), Paths: paths, Verdicts: was}
	if len(old) == 0 {
		ch.First = true
	} else {
		for _, id := range diff.Added {
			ch.Added = append(ch.Added, uint32(id))
		}
		for _, id := range diff.Removed {
			if i, ok := heldAt(old, uint32(id)); ok {
				ch.Removed = append(ch.Removed, old[i])
			}
		}
	}
	d.pending, d.changedAt = ch, ch.At
	return ch
}

// verdictsWas is what a change has to say of the results of a device's checks,
// nil when they stay as they are. What checks of another version of Picket said
// is not known any more, and nothing is said of it.
func (d *device) verdictsWas(judged verdicts) *string {
	if bytes.Equal(d.verdicts, judged) || d.verdicts == nil && d.sum.OSID != "" {
		return nil
	}
	text := ""
	if d.verdicts != nil {
		text = d.verdicts.text()
	}
	return &text
}

// verdictsBefore are the results of a device's checks before all its changes
// from a time on; changes are ordered, oldest first.
func verdictsBefore(from int64, now verdicts, changes []*store.Change) verdicts {
	for _, ch := range changes {
		if ch.At < from || ch.Verdicts == nil {
			continue
		}
		was, ok := parseVerdicts(*ch.Verdicts)
		if !ok {
			return nil // none, or of other checks
		}
		return was
	}
	return now
}

func heldAt(list []store.Held, id uint32) (int, bool) {
	return slices.BinarySearchFunc(list, id, func(h store.Held, id uint32) int { return cmp.Compare(h.Component, id) })
}

// noteIntel looks at what new assessments are about to replace, and returns
// what records it once the index has them. What is recorded waits in
// intelPending until a commit has taken it. The caller holds mu for writing.
func (c *core) noteIntel(t touched, ids []exposure.ComponentID, results []exposure.Assessment) func(diffs []exposure.AssessmentDiff) {
	facts := c.factsBefore(t)
	had := make([]bool, len(ids))
	var known []exposure.AssessmentDiff
	if t.Start {
		had, known = c.asKnown(ids, results)
	} else {
		for i, id := range ids {
			for range c.fleet.Hits(id) {
				had[i] = true
				break
			}
		}
	}
	return func(diffs []exposure.AssessmentDiff) {
		if t.Start {
			diffs = known
		}
		c.recordIntel(ids, had, diffs, facts(), t.Unsure && len(ids) > 0)
	}
}

// recordIntel records what components were to weaknesses before diffs.
func (c *core) recordIntel(ids []exposure.ComponentID, had []bool, diffs []exposure.AssessmentDiff, facts []store.FactWas, unsure bool) {
	ch := &store.Change{Device: store.AllDevices, Facts: facts, Unsure: unsure}
	told := map[string]bool{} // weaknesses in Facts
	for _, f := range facts {
		told[f.Weakness] = true
	}
	for i, id := range ids {
		d := &diffs[i]
		if d.Empty() {
			continue
		}
		if !had[i] {
			ch.None = append(ch.None, uint32(id))
			continue
		}
		for _, h := range d.Before {
			ch.Hits = append(ch.Hits, store.HitWas{Component: uint32(id), Weakness: h.Weakness, State: string(h.State), Fixed: h.Fixed, FixedBy: h.FixedBy, Exposed: h.Exposed})
			if h.Exposed && !told[h.Weakness] { // nobody may keep its facts when no component has it any more
				told[h.Weakness] = true
				ch.Facts = append(ch.Facts, exportFact(h.Weakness, c.fact(h.Weakness)))
			}
		}
		for _, w := range d.Opened {
			ch.Hits = append(ch.Hits, store.HitWas{Component: uint32(id), Weakness: w})
		}
	}
	if len(ch.None)+len(ch.Hits)+len(ch.Facts) == 0 && !unsure {
		return
	}
	ch.At = c.stamps.next()
	c.intelAt = ch.At
	c.intelPending = append(c.intelPending, ch)
}

// asKnown is what the store says that components were to weaknesses before the
// program started, as far as the assessments now differ: the index holds no
// hits yet. A fix that changed is told by "unsure".
func (c *core) asKnown(ids []exposure.ComponentID, results []exposure.Assessment) (had []bool, diffs []exposure.AssessmentDiff) {
	had, diffs = make([]bool, len(ids)), make([]exposure.AssessmentDiff, len(ids))
	for i, id := range ids {
		was := c.known[id]
		had[i] = len(was) > 0
		now := make(map[string]exposure.State, len(results[i].Matches))
		for _, m := range results[i].Matches {
			now[m.Weakness] = m.State
		}
		for _, k := range was {
			state := exposure.State(k.State)
			if s, still := now[k.Weakness]; !still || s != state {
				diffs[i].Before = append(diffs[i].Before, exposure.Hit{Weakness: k.Weakness, State: state, Exposed: state.Exposed()})
				diffs[i].Changed = append(diffs[i].Changed, k.Weakness)
			}
			delete(now, k.Weakness)
		}
		diffs[i].Opened = slices.Sorted(maps.Keys(now))
	}
	return had, diffs
}

// exportFact is the part of a fact that exports show.
func exportFact(weakness string, f *fact) store.FactWas {
	return store.FactWas{Weakness: weakness, Severity: string(f.Severity), CVSS: f.CVSS, Exploit: string(f.Threats.Exploit)}
}

// factsBefore keeps what exports said of weaknesses whose facts a change of the
// intelligence takes anew; the result lists, after it, those that differ.
func (c *core) factsBefore(t touched) func() []store.FactWas {
	old := map[string]*fact{}
	if t.All {
		maps.Copy(old, c.facts)
	} else {
		for _, w := range t.Weaknesses {
			if f := c.facts[w]; f != nil {
				old[w] = f
			}
		}
	}
	return func() []store.FactWas {
		var out []store.FactWas
		for w, f := range old {
			if was, now := exportFact(w, f), exportFact(w, c.peek(w)); was != now {
				out = append(out, was)
			}
		}
		slices.SortFunc(out, func(a, b store.FactWas) int { return strings.Compare(a.Weakness, b.Weakness) })
		return out
	}
}

// placedSections are the sections whose packages have paths of their own: those
// of a distribution are where its package manager put them.
var placedSections = []inventory.SectionName{inventory.Snap, inventory.Flatpak, inventory.Python, inventory.NPM, inventory.Ruby, inventory.GoBinaries, inventory.Java}

// maxPaths is how many paths of one component exports tell.
const maxPaths = 50

// placesOf are the paths of the components of a profile that have their own.
func placesOf(p *exposure.DeviceProfile) map[exposure.Component][]string {
	out := map[exposure.Component][]string{}
	for i := range p.Uses {
		u := &p.Uses[i]
		for _, ev := range u.Evidence {
			if slices.Contains(placedSections, ev.Section) {
				out[u.Component] = append(out[u.Component], ev.Paths...)
			}
		}
	}
	for k, list := range out {
		slices.Sort(list)
		list = slices.Compact(list)
		out[k] = list[:min(len(list), maxPaths)]
	}
	return out
}

// movedFiles are the paths of components that a report moves or takes away.
// before holds the sections that it replaced.
func (c *core) movedFiles(before map[inventory.SectionName]*inventory.Section, sections map[inventory.SectionName]*inventory.Section, now *exposure.DeviceProfile) []store.PathsWas {
	if !slices.ContainsFunc(placedSections, func(n inventory.SectionName) bool { return before[n] != nil }) {
		return nil
	}
	all := maps.Clone(sections)
	maps.Copy(all, before)
	profile := exposure.Profile(all)
	is := placesOf(now)
	var out []store.PathsWas
	for k, was := range placesOf(&profile) {
		if id, ok := c.fleet.Lookup(k); ok && !slices.Equal(was, is[k]) {
			out = append(out, store.PathsWas{Component: uint32(id), Paths: was})
		}
	}
	slices.SortFunc(out, func(a, b store.PathsWas) int { return cmp.Compare(a.Component, b.Component) })
	return out
}

// past undoes changes of the intelligence: it says how things were before all
// changes from a time on.
type past struct {
	from   int64
	comps  map[uint32]*compWas
	facts  map[string]factWas
	unsure bool
}

type factWas struct {
	store.FactWas
	last int64 // when it last changed
}

// compWas is what a component was to weaknesses; none: to those that are not in hits nothing.
type compWas struct {
	hits map[string]store.HitWas
	none bool
	last int64 // when it last changed
}

func newPast(from int64, changes []*store.Change) *past {
	p := &past{from: from, comps: map[uint32]*compWas{}, facts: map[string]factWas{}}
	of := func(id uint32, at int64) *compWas {
		k := p.comps[id]
		if k == nil {
			k = &compWas{}
			p.comps[id] = k
		}
		k.last = at
		return k
	}
	for _, ch := range changes {
		if ch.At < from {
			continue
		}
		p.unsure = p.unsure || ch.Unsure
		for _, id := range ch.None {
			of(id, ch.At).none = true
		}
		for _, h := range ch.Hits {
			k := of(h.Component, ch.At)
			if _, older := k.hits[h.Weakness]; older || k.none {
				continue
			}
			if k.hits == nil {
				k.hits = map[string]store.HitWas{}
			}
			k.hits[h.Weakness] = h
		}
		for _, f := range ch.Facts {
			if older, ok := p.facts[f.Weakness]; ok {
				f = older.FactWas
			}
			p.facts[f.Weakness] = factWas{f, ch.At}
		}
	}
	return p
}

// hits are those of a component that counted in exposure, by weakness.
func (p *past) hits(fleet *exposure.Fleet, id exposure.ComponentID) []exposure.Hit {
	was := p.comps[uint32(id)]
	var out []exposure.Hit
	if was == nil || !was.none {
		for h := range fleet.Hits(id) {
			if was != nil {
				if _, other := was.hits[h.Weakness]; other {
					continue
				}
			}
			if h.Exposed {
				out = append(out, h)
			}
		}
	}
	if was == nil || len(was.hits) == 0 {
		return out
	}
	for _, h := range was.hits {
		if h.Exposed {
			out = append(out, exposure.Hit{Weakness: h.Weakness, State: exposure.State(h.State), Fixed: h.Fixed, FixedBy: h.FixedBy, Exposed: true})
		}
	}
	slices.SortFunc(out, func(a, b exposure.Hit) int { return strings.Compare(a.Weakness, b.Weakness) })
	return out
}

// fact is what exports said of a weakness.
func (p *past) fact(c *core, weakness string) store.FactWas {
	if f, ok := p.facts[weakness]; ok {
		return f.FactWas
	}
	return exportFact(weakness, c.peek(weakness))
}

// heldBefore are the components of a device before all its changes from a time
// on; changes are ordered, oldest first.
func heldBefore(from int64, now []store.Held, changes []*store.Change) []store.Held {
	type presence struct {
		held  store.Held
		there bool
	}
	was := map[uint32]presence{}
	none := false
	for _, ch := range changes {
		if ch.At < from {
			continue
		}
		if none = ch.First; none {
			break
		}
		for _, id := range ch.Added {
			if _, older := was[id]; !older {
				was[id] = presence{}
			}
		}
		for _, h := range ch.Removed {
			if _, older := was[h.Component]; !older {
				was[h.Component] = presence{h, true}
			}
		}
	}
	if len(was) == 0 && !none {
		return now
	}
	var out []store.Held
	for _, h := range now {
		if _, other := was[h.Component]; !other && !none {
			out = append(out, h)
		}
	}
	for _, p := range was {
		if p.there {
			out = append(out, p.held)
		}
	}
	slices.SortFunc(out, func(a, b store.Held) int { return cmp.Compare(a.Component, b.Component) })
	return out
}

// pathsBefore are the recorded paths of components before changes from a time on.
func pathsBefore(from int64, changes []*store.Change) map[uint32][]string {
	var out map[uint32][]string
	for _, ch := range changes {
		if ch.At < from {
			continue
		}
		for _, p := range ch.Paths {
			if _, older := out[p.Component]; !older {
				if out == nil {
					out = map[uint32][]string{}
				}
				out[p.Component] = p.Paths
			}
		}
	}
	return out
}

// dropChanges forgets changes that no delta may ask for any more.
func (s *Server) dropChanges(ctx context.Context) error {
	since, err := s.st.DropChanges(ctx, time.Now().Add(-changesKept).UnixMicro())
	if err != nil {
		return fmt.Errorf("forget old changes: %w", err)
	}
	s.changesSince.Store(since)
	return s.dropMoves(ctx, time.Now().Add(-changesKept).UnixMicro())
}

// runChanges keeps the record of changes within its bounds, sweeps components
// and removes export files whose time is over, until ctx ends.
func (s *Server) runChanges(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for n := 0; ; n++ {
		if n%60 == 0 {
			if err := s.dropChanges(ctx); err != nil && ctx.Err() == nil {
				s.log.ErrorContext(ctx, "keep the record of changes within its bounds", "error", err)
			}
			if err := s.sweep(ctx, time.Now()); err != nil && ctx.Err() == nil {
				s.log.ErrorContext(ctx, "remove components that no device has any more", "error", err)
			}
		}
		s.expire(time.Now())
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
