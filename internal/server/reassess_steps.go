package server

import (
	"maps"
	"slices"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

// A change of the intelligence goes into a running server in steps, so that
// lists and reports wait for one step and not for all of it. After each step the
// index agrees with itself: every count is that of the assessments and facts
// that it has at that moment, some of them the new ones already, as if the
// change had come as many small ones. Each step is recorded by itself, so that
// an export of a moment in between says what was there. See ADR 4.

// stepTime is how long a step holds the lock when there is more to do.
const stepTime = 20 * time.Millisecond

// inSteps calls do with 0, then with the place that it returned, up to n, and
// end after each step, with mu held for writing and view set.
func (c *core) inSteps(n int, view intelView, do func(at int) (next int, err error), end func()) error {
	step := func(at int) (int, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.view = view
		defer func() { c.view = nil }()
		defer end()
		for began := time.Now(); at < n; {
			var err error
			if at, err = do(at); err != nil {
				return at, err
			}
			if c.small || time.Since(began) > stepTime {
				break
			}
		}
		return at, nil
	}
	for at := 0; at < n; {
		var err error
		if at, err = step(at); err != nil {
			return err
		}
	}
	return nil
}

// eachIn makes one of a list's items at a time what inSteps does.
func eachIn(do func(i int) error) func(at int) (int, error) {
	return func(at int) (int, error) { return at + 1, do(at) }
}

// portionWork is how many standings of devices a portion may change: some
// milliseconds of work. It may be some times as many to end with a package,
// whose versions share their weaknesses.
const (
	portionWork = 1 << 20
	portionMost = 8 * portionWork
)

// portion is up to where components from a place on are taken in together, so
// that devices which gain a weakness through several of them are joined before
// they are counted.
func (k *taking) portion(at int) int {
	work := uint64(0)
	for to := at; to < len(k.ids); to++ {
		if work > portionMost || work > portionWork && k.comps[to].Key != k.comps[to-1].Key || k.c.small && to > at {
			return to
		}
		changes := len(k.results[to].Matches) - len(k.c.known[k.ids[to]])
		work += uint64(1+max(changes, -changes)) * (1 + k.c.fleet.DevicesOf(k.ids[to]).GetCardinality())
	}
	return len(k.ids)
}

// reassessedInSteps is reassessed for a server that is asked meanwhile.
func (c *core) reassessedInSteps(t touched, ids []exposure.ComponentID, comps []exposure.Component, results []exposure.Assessment, view intelView) (reassessment, error) {
	k := c.taking(t, ids, comps, results, view)
	if err := k.facts(); err != nil {
		return reassessment{}, err
	}
	var had []bool
	var diffs []exposure.AssessmentDiff
	from := 0 // where the step began
	err := c.inSteps(len(ids), view, func(at int) (int, error) {
		to := k.portion(at)
		judged := k.judged(at, to)
		for _, id := range ids[at:to] {
			had = append(had, c.fleet.HasHits(id))
		}
		diffs = append(diffs, c.fleet.SetAssessments(ids[at:to], results[at:to])...)
		for i := at; t.All && i < to; i++ {
			k.lookUp(comps[i])
			c.setLine(ids[i], c.clock())
		}
		return to, k.took(at, judged, diffs[at-from:])
	}, func() {
		c.recordIntel(ids[from:from+len(diffs)], had, diffs, nil, false)
		from, had, diffs = from+len(diffs), had[:0], diffs[:0]
	})
	if err != nil {
		return reassessment{}, err
	}
	for placed := false; !placed; {
		c.mu.Lock()
		placed = c.placeUnsure(settleStep, k.at)
		c.mu.Unlock()
	}
	var news *newsroom
	err = c.inSteps(1, view, eachIn(func(int) (err error) {
		if t.All {
			c.lineDay = dayOf(c.clock())
			for rows := range c.caches {
				rows.forget()
			}
		}
		news, err = c.newsroom(t, ids, results, k.was, view)
		return err
	}), func() {})
	if err != nil {
		return reassessment{}, err
	}
	if !t.Quiet {
		err = c.inSteps(len(ids), view, eachIn(func(i int) error {
			news.component(ids[i], results[i].Matches)
			return nil
		}), news.join)
		if err != nil {
			return reassessment{}, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return k.done(news), nil
}

// facts takes new facts of weaknesses from the view: of those that are touched,
// or of all. They are read before the lock is taken.
func (k *taking) facts() error {
	c := k.c
	list := k.t.Weaknesses
	if k.t.All {
		c.mu.RLock()
		list = slices.Sorted(maps.Keys(c.facts))
		c.mu.RUnlock()
	}
	fresh := make([]*fact, len(list))
	for i, w := range list {
		fresh[i] = factIn(k.view, w)
	}
	var was []store.FactWas
	return c.inSteps(len(list), k.view, eachIn(func(i int) error {
		w := list[i]
		old, now := c.facts[w], fresh[i]
		if old != nil && old.same(now) {
			return nil
		}
		c.facts[w] = now
		c.fleet.Rerate(w)
		c.forgetWeaknesses(list[i : i+1])
		if old != nil {
			if before := exportFact(w, old); before != exportFact(w, now) {
				was = append(was, before)
			}
		}
		return nil
	}), func() {
		c.recordIntel(nil, nil, nil, was, false)
		was = nil
	})
}

// component gathers what a component has to tell.
func (n *newsroom) component(id exposure.ComponentID, now []exposure.Match) {
	was, changed := n.before[id]
	if !changed && len(n.raised) == 0 {
		return
	}
	if !changed {
		was = n.c.known[id]
	}
	if devs := n.c.fleet.DevicesOf(id); devs.Intersects(n.counted) {
		n.look(id, was, now, devs)
	}
}

// join takes the devices that were told of since the last call into the events:
// before mu is given back, for the sets are the index's own.
func (n *newsroom) join() {
	for _, d := range n.drafts {
		if len(d.parts) == 0 {
			continue
		}
		more := n.c.fleet.Union(d.parts, n.counted)
		if d.devs.IsEmpty() {
			d.devs = more
		} else {
			d.devs.Or(more)
		}
		d.parts = d.parts[:0]
	}
}

// end gathers what follows from all components.
func (n *newsroom) end() {
	n.noted = append(n.noted, n.c.noteZeroDays(n.exploited)...)
}
