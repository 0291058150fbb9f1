package server

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/posture"
	"github.com/picketsec/picket/internal/store"
)

// remediationSpec is what was asked for, as it was then: it is stored as JSON.
type remediationSpec struct {
	Description string   `json:"description"`
	Steps       []string `json:"steps"`
	Component   string   `json:"component"`
	Vendor      string   `json:"vendor"`
	ProductID   string   `json:"product_id"`
	Ecosystem   string   `json:"ecosystem"`
	Version     string   `json:"version"`
	Category    string   `json:"category"`
	Groups      []uint32 `json:"groups,omitempty"`
	GroupNames  []string `json:"group_names,omitempty"`
	Unnoticed   bool     `json:"unnoticed,omitempty"` // only devices on which nobody would notice it
	Plan        string   `json:"plan,omitempty"`      // id of the patch plan that it is a step of
	PlanName    string   `json:"plan_name,omitempty"`
	// Weaknesses are those without a fix that it is about, ordered.
	Weaknesses []string `json:"weaknesses,omitempty"`
}

// activity is a remediation activity in memory. It is never changed: a change
// puts another one in its place.
type activity struct {
	store.Remediation
	spec    remediationSpec
	targets *roaring.Bitmap
	tickets string // summary of its deliveries
}

// tracked reports whether progress can be measured: where there is no fix to
// install, nothing on a device says that the work is done.
func (a *activity) tracked() bool { return a.Type != RemedyAttention }

// remediationBook holds all activities in memory. Its lock is taken inside
// core.mu, never around it.
type remediationBook struct {
	mu   sync.RWMutex
	byID map[string]*activity
	open map[string][]*activity // active ones by recommendation
}

func newRemediationBook() *remediationBook {
	return &remediationBook{byID: map[string]*activity{}, open: map[string][]*activity{}}
}

// put adds an activity or replaces what is there of it.
func (b *remediationBook) put(a *activity) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.replace(a)
}

func (b *remediationBook) replace(a *activity) {
	b.byID[a.ID] = a
	open := slices.DeleteFunc(slices.Clone(b.open[a.Recommendation]), func(o *activity) bool { return o.ID == a.ID })
	if a.Status == RemediationActive {
		open = append(open, a)
	}
	b.open[a.Recommendation] = open
}

// change replaces an activity by a copy that fn has changed.
func (b *remediationBook) change(id string, fn func(a *activity)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if old := b.byID[id]; old != nil {
		next := *old
		fn(&next)
		b.replace(&next)
	}
}

// turn replaces an activity by what it became for another recommendation;
// what else changed of it meanwhile stays.
func (b *remediationBook) turn(a, to *activity) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.byID[a.ID]
	if now == nil {
		return
	}
	b.open[a.Recommendation] = slices.DeleteFunc(slices.Clone(b.open[a.Recommendation]), func(o *activity) bool { return o.ID == a.ID })
	next := *now
	next.Recommendation, next.Type, next.Title, next.spec = to.Recommendation, to.Type, to.Title, to.spec
	b.replace(&next)
}

func (b *remediationBook) get(id string) (*activity, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if a := b.byID[id]; a != nil {
		return a, nil
	}
	return nil, fmt.Errorf("remediation %q: %w", id, ErrNotFound)
}

// all are the activities, oldest first.
func (b *remediationBook) all() []*activity {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.SortedFunc(maps.Values(b.byID), func(x, y *activity) int { return int(x.Seq - y.Seq) })
}

// targeting is how many activities that are under way have a device as a target.
func (b *remediationBook) targeting(num uint32) int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	n := 0
	for _, list := range b.open {
		for _, a := range list {
			if a.targets.Contains(num) {
				n++
			}
		}
	}
	return n
}

// active is how many activities for a recommendation are under way that have a
// target in the lens.
func (b *remediationBook) active(l lens, recommendation string) int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	n := 0
	for _, a := range b.open[recommendation] {
		if l.has(a.targets) {
			n++
		}
	}
	return n
}

// load reads the activities from the store.
func (b *remediationBook) load(ctx context.Context, st *store.Store) error {
	err := st.Remediations(ctx, func(r store.Remediation) error {
		a := &activity{Remediation: r, targets: roaring.New()}
		if err := json.Unmarshal(r.Spec, &a.spec); err != nil {
			return fmt.Errorf("remediation %s: %w", r.ID, err)
		}
		if err := a.targets.UnmarshalBinary(slices.Clone(r.Targets)); err != nil {
			return fmt.Errorf("targets of remediation %s: %w", r.ID, err)
		}
		a.Spec, a.Targets = nil, nil
		b.put(a)
		return nil
	})
	if err != nil {
		return fmt.Errorf("load remediations: %w", err)
	}
	tickets, err := st.Tickets(ctx)
	if err != nil {
		return fmt.Errorf("load tickets: %w", err)
	}
	byID := map[string][]store.Delivery{}
	for _, d := range tickets {
		byID[d.Remediation] = append(byID[d.Remediation], d)
	}
	for id, list := range byID {
		b.change(id, func(a *activity) { a.tickets = ticketSummary(list) })
	}
	return nil
}

// ticketWords are summaries of an activity's tickets, worst first.
var ticketWords = []string{"dead", "failing", "pending", "open", "in progress", "closed", "sent", "none"}

// ticketSummary is the worst of some deliveries.
func ticketSummary(list []store.Delivery) string {
	worst := len(ticketWords) - 1
	for i := range list {
		word := list[i].State
		switch {
		case word == "pending" && list[i].Error != "":
			word = "failing"
		case word == "sent" && list[i].Phase != "":
			word = list[i].Phase
		}
		if n := slices.Index(ticketWords, word); n >= 0 {
			worst = min(worst, n)
		}
	}
	return ticketWords[worst]
}

// cause says where what a recommendation is about is, from the facts alone:
// exceptions and weights do not touch it.
type cause struct {
	there   *roaring.Bitmap // devices that have it
	unknown *roaring.Bitmap // devices of which it cannot be said
}

// packageSections are the package databases of distributions. A device whose
// database could be read only in part may have what was not read.
var packageSections = []inventory.SectionName{inventory.DPKG, inventory.RPM, inventory.APK}

// ofLanguage are the ecosystems whose packages are in no such database.
var ofLanguage = []string{"PyPI", "npm", "RubyGems", "Go", "Maven", "snap", "flatpak"}

// causeOf finds the cause of a recommendation, also of one that no device needs
// any more. kept is for what was requested before: what an update fixes is there
// until it is fixed, also where only another release line has the fix since its own
// ended, and so is what has ended, whatever is recommended for it now. The caller holds mu for reading.
func (c *core) causeOf(recommendation, ecosystem string, kept bool) cause {
	out := cause{roaring.New(), roaring.New()}
	if check, ok := strings.CutPrefix(recommendation, "sca-_-"); ok {
		n, known := checkNumber(check)
		if !known { // a check of another version of Picket
			out.unknown.Or(c.fleet.Devices())
			return out
		}
		out.there.Or(c.checks.devices(n, posture.Fail))
		out.unknown.Or(c.fleet.Devices())
		out.unknown.AndNot(c.checks.devices(n, posture.Pass))
		out.unknown.AndNot(c.checks.devices(n, posture.NotApplicable))
		out.unknown.AndNot(out.there)
		return out
	}
	product, remedy, ok := parseRecommendation(recommendation)
	if !ok {
		return out
	}
	if remedy.OfLine() { // what is of the line is seen, judged or not
		out.there.Or(c.fleet.LineDevices(product, remedy))
		if kept {
			out.there.Or(c.fleet.LineDevices(product, exposure.Upgrade+exposure.Uninstall-remedy))
		}
		out.unknown.Or(c.partial)
		out.unknown.AndNot(out.there)
		return out
	}
	for _, id := range c.fleet.ProductComponents(product, nil) {
		done, why := c.fleet.Assessed(id)
		if k := c.fleet.Component(id); (!done || why != "") && k.Role != exposure.Residual {
			out.unknown.Or(c.fleet.DevicesOf(id))
			continue
		}
		for h := range c.fleet.Hits(id) {
			if h.Exposed && (h.Remedy == remedy || kept && remedy == exposure.Update && h.Remedy.OfLine() && h.Fixed != "") {
				out.there.Or(c.fleet.DevicesOf(id))
				break
			}
		}
	}
	if !slices.Contains(ofLanguage, ecosystem) {
		out.unknown.Or(c.partial)
	}
	out.unknown.AndNot(out.there)
	return out
}

// causeFor is the cause of an activity: that of its recommendation or, when it is
// to remove software that could be updated, the software in any version. The caller
// holds mu for reading.
func (c *core) causeFor(a *activity) cause {
	product, remedy, ok := parseRecommendation(a.Recommendation)
	if !ok || a.Type != RemedyUninstall || remedy == exposure.Uninstall {
		return c.causeOf(a.Recommendation, a.spec.Ecosystem, true)
	}
	out := cause{roaring.New(), roaring.New()}
	for _, id := range c.fleet.ProductComponents(product, nil) {
		if role := c.fleet.Component(id).Role; role != exposure.Residual && role != exposure.InMemory {
			out.there.Or(c.fleet.DevicesOf(id))
		}
	}
	if !slices.Contains(ofLanguage, a.spec.Ecosystem) {
		out.unknown.Or(c.partial)
	}
	out.unknown.AndNot(out.there)
	return out
}

// setSummary takes in what lists show of a device. The caller holds mu for writing.
func (c *core) setSummary(d *device, sum summary) {
	c.moveSystem(d.num, d.sum.OSPlatform, sum.OSPlatform)
	d.sum = sum
	if sum.Partial {
		c.partial.Add(d.num)
	} else {
		c.partial.Remove(d.num)
	}
}

// moveSystem notes that a device has another platform; "" is none.
func (c *core) moveSystem(num uint32, from, to string) {
	if on := c.systems[from]; on != nil {
		on.Remove(num)
	}
	if to == "" {
		return
	}
	on := c.systems[to]
	if on == nil {
		on = roaring.New()
		c.systems[to] = on
	}
	on.Add(num)
}

// parts are the targets of an activity by what is known of each. They are new sets.
type parts struct{ fixed, exposed, silent, removed, unknown *roaring.Bitmap }

// The words of parts, as lists of targets have them.
var targetWords = []string{"fixed", "exposed", "silent", "removed", "not_assessed"}

// partition splits targets. The caller holds mu for reading.
func (c *core) partition(targets *roaring.Bitmap, k cause) parts {
	counted := roaring.And(targets, c.active())
	p := parts{removed: roaring.AndNot(targets, c.fleet.Devices()), exposed: roaring.And(counted, k.there), unknown: roaring.And(counted, k.unknown)}
	p.silent = roaring.AndNot(targets, p.removed)
	p.silent.AndNot(counted)
	p.fixed = roaring.AndNot(counted, p.exposed)
	p.fixed.AndNot(p.unknown)
	return p
}

func (p *parts) progress() RemediationProgress {
	n := RemediationProgress{Fixed: int(p.fixed.GetCardinality()), Exposed: int(p.exposed.GetCardinality()), Silent: int(p.silent.GetCardinality()),
		Removed: int(p.removed.GetCardinality()), NotAssessed: int(p.unknown.GetCardinality())}
	n.Targets = n.Fixed + n.Exposed + n.Silent + n.Removed + n.NotAssessed
	return n
}

// of is the word of one device.
func (p *parts) of(num uint32) string {
	for i, set := range []*roaring.Bitmap{p.fixed, p.exposed, p.silent, p.removed, p.unknown} {
		if set.Contains(num) {
			return targetWords[i]
		}
	}
	return ""
}

// causeMemo remembers the causes of one question.
type causeMemo map[string]cause

func (m causeMemo) of(c *core, a *activity) cause {
	key := a.Type + " " + a.Recommendation
	k, ok := m[key]
	if !ok {
		k = c.causeFor(a)
		m[key] = k
	}
	return k
}
