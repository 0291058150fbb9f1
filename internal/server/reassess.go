package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

// touched is what a change of the intelligence concerns.
type touched struct {
	All        bool
	Keys       []advisory.Key
	Weaknesses []string
	Generation uint64
	Start      bool // the server starts: the index knows nothing yet
	Unsure     bool // the intelligence or the rules may have changed while it did not run
	Quiet      bool // nothing of it is news: no events are made
}

// reassess brings the fleet to the intelligence as it is: it judges again only
// the components that the change touches, records what closed and why, and
// returns when all of it is on disk and answers come from it.
func (s *Server) reassess(ctx context.Context, t touched) error {
	s.reassessing.Lock()
	defer s.reassessing.Unlock()
	view, release, err := s.snapshot()
	if err != nil {
		return err
	}
	defer release()
	before, err := s.stood(ctx, t.Start)
	if err != nil {
		return err
	}

	c := s.core
	c.mu.RLock()
	var ids []exposure.ComponentID
	if t.All {
		ids = c.fleet.ComponentsByPackage()
	} else {
		ids = c.touchedComponents(t)
	}
	comps := make([]exposure.Component, len(ids))
	for i, id := range ids {
		comps[i] = c.fleet.Component(id)
	}
	c.mu.RUnlock()

	results, err := assessAll(ctx, comps, view)
	if err != nil {
		return err
	}

	take := c.reassessed
	if !t.Start {
		take = c.reassessedInSteps
	}
	done, err := take(t, ids, comps, results, view)
	if err != nil {
		return err
	}
	news, err := s.news(done.news, before)
	if err != nil {
		return err
	}
	if err := s.st.Reassessed(ctx, t.Generation, done.rows, done.learned, done.closed, news, done.before...); err != nil {
		return fmt.Errorf("store assessments: %w", err)
	}
	s.told(news)
	if t.All {
		if err := s.tellSupport(ctx, before, t.Quiet); err != nil {
			return err
		}
	}
	c.mu.Lock()
	c.intelPending = c.intelPending[len(done.before):]
	c.mu.Unlock()
	select {
	case s.settleSoon <- struct{}{}:
	default:
	}
	s.askExceptions()
	s.live.publish(LiveEvent{Resource: "intel"})
	if !done.empty() || t.All {
		s.live.publish(LiveEvent{Resource: "all"})
	}
	return nil
}

// reassessment is what the store has to learn of new assessments.
type reassessment struct {
	rows    []store.Component // stored whole
	learned []store.Learned   // of components that are stored already
	closed  []store.Closed
	news    *newsroom
	before  []*store.Change // not committed yet; of earlier attempts too
}

func (r *reassessment) empty() bool { return len(r.rows)+len(r.learned) == 0 }

// rewriteAbove is how many components an assessment stores whole rather than
// as changes of their rows.
const rewriteAbove = 5000

// reassessed brings the index to new assessments in one go and returns what the
// store has to learn: when the server starts and nobody reads.
func (c *core) reassessed(t touched, ids []exposure.ComponentID, comps []exposure.Component, results []exposure.Assessment, view intelView) (reassessment, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.view = view
	defer func() { c.view = nil }()
	k := c.taking(t, ids, comps, results, view)
	note := c.noteIntel(t, ids, results)
	judged := k.judged(0, len(ids))
	c.refreshFacts(t)
	for i := range comps {
		k.lookUp(comps[i])
	}
	var diffs []exposure.AssessmentDiff
	c.fleet.Bulk(func() {
		diffs = c.fleet.SetAssessments(ids, results)
		c.setLines(c.clock())
	})
	note(diffs)
	if err := k.took(0, judged, diffs); err != nil {
		return reassessment{}, err
	}
	c.placeSoon(k.at)
	news, err := c.newsroom(t, ids, results, k.was, view)
	if err != nil {
		return reassessment{}, err
	}
	if !t.Quiet {
		for i, id := range ids {
			news.component(id, results[i].Matches)
		}
		news.join()
	}
	return k.done(news), nil
}

// taking is a change of the intelligence on its way into the index.
type taking struct {
	c       *core
	t       touched
	ids     []exposure.ComponentID
	comps   []exposure.Component
	results []exposure.Assessment
	view    intelView
	at      time.Time
	was     map[exposure.ComponentID][]store.Known // of those that changed
	looked  map[string]bool
	out     reassessment
}

func (c *core) taking(t touched, ids []exposure.ComponentID, comps []exposure.Component, results []exposure.Assessment, view intelView) *taking {
	return &taking{c: c, t: t, ids: ids, comps: comps, results: results, view: view, at: time.Now(), was: map[exposure.ComponentID][]store.Known{}, looked: map[string]bool{}}
}

// judged says of components from … to whether they could be judged before.
func (k *taking) judged(from, to int) []bool {
	out := make([]bool, to-from)
	for i := range out {
		out[i] = k.c.judged(k.ids[from+i])
	}
	return out
}

// lookUp asks the catalogue for a product and release, once.
func (k *taking) lookUp(comp exposure.Component) {
	if pid := comp.ID() + " " + comp.Key.Release; !k.looked[pid] {
		k.looked[pid] = true
		k.c.lookUp(comp)
	}
}

// took follows up on the assessments of components from a place on, which the
// index has now: diffs is what changed, judged whether they could be before.
func (k *taking) took(from int, judged []bool, diffs []exposure.AssessmentDiff) error {
	c, now := k.c, k.at
	whole := len(k.ids) > rewriteAbove
	c.doubt(k.ids[from:from+len(diffs)], judged)
	for n := range diffs {
		i := from + n
		id := k.ids[i]
		c.forgetComponent(id, diffs[n])
		before := c.known[id]
		if sameKnown(before, &k.results[i]) {
			continue
		}
		k.was[id] = before
		k.out.closed = append(k.out.closed, c.closedBy(id, before, &k.results[i], k.view, now.UnixMilli())...)
		c.learn(id, &k.results[i], now.Unix())
		if c.saved[id] && !whole {
			k.out.learned = appendLearned(k.out.learned, id, before, c.known[id])
			continue
		}
		spec, err := json.Marshal(k.comps[i])
		if err != nil {
			return fmt.Errorf("encode component: %w", err)
		}
		k.out.rows = append(k.out.rows, store.Component{ID: uint32(id), Spec: spec, Known: c.known[id]})
		c.saved[id] = true
	}
	return nil
}

// done says what the store has to learn when everything was taken in and told.
func (k *taking) done(news *newsroom) reassessment {
	news.end()
	k.out.before, k.out.news = slices.Clone(k.c.intelPending), news
	return k.out
}

// refreshFacts takes new facts of weaknesses from the view.
func (c *core) refreshFacts(t touched) {
	if t.All {
		clear(c.facts)
		for rows := range c.caches {
			rows.forget()
		}
		c.fleet.Rerate(slices.Collect(c.fleet.Weaknesses())...)
		return
	}
	for _, w := range t.Weaknesses {
		delete(c.facts, w)
	}
	c.fleet.Rerate(t.Weaknesses...)
	for _, w := range t.Weaknesses {
		c.fact(w)
	}
	c.forgetWeaknesses(t.Weaknesses)
}

// appendLearned adds what differs between two lists of what is known of a
// component, both ordered by weakness.
func appendLearned(list []store.Learned, id exposure.ComponentID, was, now []store.Known) []store.Learned {
	for len(was) > 0 || len(now) > 0 {
		switch {
		case len(now) == 0 || len(was) > 0 && was[0].Weakness < now[0].Weakness:
			list = append(list, store.Learned{Component: uint32(id), Known: store.Known{Weakness: was[0].Weakness}, Gone: true})
			was = was[1:]
		case len(was) == 0 || now[0].Weakness < was[0].Weakness:
			list = append(list, store.Learned{Component: uint32(id), Known: now[0]})
			now = now[1:]
		default:
			if was[0] != now[0] {
				list = append(list, store.Learned{Component: uint32(id), Known: now[0]})
			}
			was, now = was[1:], now[1:]
		}
	}
	return list
}

// touchedComponents are the components that statements about the keys concern,
// and those that have one of the weaknesses.
func (c *core) touchedComponents(t touched) []exposure.ComponentID {
	seen := map[exposure.ComponentID]bool{}
	var ids []exposure.ComponentID
	add := func(list []exposure.ComponentID) {
		for _, id := range list {
			if !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
	}
	for _, k := range t.Keys {
		add(c.fleet.ComponentsByKey(k))
	}
	for _, w := range t.Weaknesses {
		add(c.fleet.WeaknessComponents(w))
	}
	return ids
}

// assessAll judges components on every processor; results are in their order.
// What the intelligence says of a package is read once for all its versions.
func assessAll(ctx context.Context, comps []exposure.Component, view exposure.Intelligence) ([]exposure.Assessment, error) {
	order := make([]int, len(comps))
	for i := range order {
		order[i] = i
	}
	byKey := func(a, b int) int { return comps[a].Key.Compare(comps[b].Key) }
	if !slices.IsSortedFunc(order, byKey) {
		slices.SortFunc(order, byKey)
	}
	var runs [][]int // of one package each
	for len(order) > 0 {
		n := 1
		for n < len(order) && comps[order[n]].Key == comps[order[0]].Key {
			n++
		}
		runs, order = append(runs, order[:n]), order[n:]
	}
	out := make([]exposure.Assessment, len(comps))
	workers := min(runtime.GOMAXPROCS(0), max(1, len(runs)/16))
	errs := make([]error, workers)
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for n := next.Add(1) - 1; n < int64(len(runs)) && errs[w] == nil; n = next.Add(1) - 1 {
				if errs[w] = ctx.Err(); errs[w] == nil {
					errs[w] = assessRun(runs[n], comps, out, view)
				}
			}
		})
	}
	wg.Wait()
	return out, errors.Join(errs...)
}

// assessRun judges components of one package.
func assessRun(run []int, comps []exposure.Component, out []exposure.Assessment, view exposure.Intelligence) error {
	v := &onePackage{Intelligence: view}
	for _, i := range run {
		a, err := exposure.Assess(comps[i], v)
		if err != nil {
			return fmt.Errorf("assess %s: %w", comps[i].Key, err)
		}
		out[i] = a
	}
	return nil
}

// onePackage remembers what the intelligence says of the last package that was asked for.
type onePackage struct {
	exposure.Intelligence
	key  advisory.Key
	list []advisory.Statement
}

// Statements is that of the intelligence.
func (o *onePackage) Statements(k advisory.Key) ([]advisory.Statement, error) {
	if o.list != nil && o.key == k {
		return o.list, nil
	}
	list, err := o.Intelligence.Statements(k)
	if err == nil {
		o.key, o.list = k, list
	}
	return list, err
}

func sameKnown(before []store.Known, a *exposure.Assessment) bool {
	if len(before) != len(a.Matches) {
		return false
	}
	for i, m := range a.Matches {
		if before[i].Weakness != m.Weakness || before[i].State != string(m.State) {
			return false
		}
	}
	return true
}

// closedBy says which weaknesses of a component the intelligence closed, and why.
func (c *core) closedBy(id exposure.ComponentID, before []store.Known, a *exposure.Assessment, view exposure.Intelligence, at int64) []store.Closed {
	has := func(weakness string) bool {
		_, ok := slices.BinarySearchFunc(a.Matches, weakness, func(m exposure.Match, w string) int { return strings.Compare(m.Weakness, w) })
		return ok
	}
	var out []store.Closed
	for _, k := range before {
		if has(k.Weakness) {
			continue
		}
		row := store.Closed{Device: store.AllDevices, Component: uint32(id), Weakness: k.Weakness, First: k.Since, At: at}
		switch {
		case view.Rejected(k.Weakness):
			row.Reason, row.Detail = "rejected", "the record was rejected or withdrawn"
		case view.Canonical(k.Weakness) != k.Weakness && has(view.Canonical(k.Weakness)):
			row.Reason, row.Detail = "merged", "it is the same weakness as "+view.Canonical(k.Weakness)
		case a.Unassessed != "":
			row.Reason, row.Detail = "not-assessed", a.Unassessed
		default:
			comp := c.fleet.Component(id)
			row.Reason, row.Detail = "advisory-changed", "no loaded feed says any more that "+comp.Product+" "+comp.Version+" has it"
		}
		out = append(out, row)
	}
	return out
}
