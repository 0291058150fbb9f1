package server

import (
	"maps"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

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

// inSteps calls do for 0 … n, and end after each step, with mu held for writing
// and view set.
func (c *core) inSteps(n int, view intelView, do func(i int) error, end func()) error {
	step := func(at int) (int, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.view = view
		defer func() { c.view = nil }()
		defer end()
		for began := time.Now(); at < n; {
			if err := do(at); err != nil {
				return at, err
			}
			if at++; c.small || time.Since(began) > stepTime {
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

// reassessedInSteps is reassessed for a server that is asked meanwhile.
func (c *core) reassessedInSteps(t touched, ids []exposure.ComponentID, comps []exposure.Component, results []exposure.Assessment, view intelView) (reassessment, error) {
	k := c.taking(t, ids, comps, results, view)
	if err := k.facts(); err != nil {
		return reassessment{}, err
	}
	var had []bool
	var diffs []exposure.AssessmentDiff
	from := 0 // where the step began
	err := c.inSteps(len(ids), view, func(i int) error {
		has := false
		for range c.fleet.Hits(ids[i]) {
			has = true
			break
		}
		had = append(had, has)
		judged := k.judged(i, i+1)
		diffs = append(diffs, c.fleet.SetAssessment(ids[i], &results[i]))
		if t.All {
			k.lookUp(comps[i])
			c.setLine(ids[i], c.clock())
		}
		return k.took(i, judged, diffs[i-from:])
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
	err = c.inSteps(1, view, func(int) (err error) {
		if t.All {
			c.lineDay = dayOf(c.clock())
			for rows := range c.caches {
				rows.forget()
			}
		}
		news, err = c.newsroom(t, ids, results, k.was, view)
		return err
	}, func() {})
	if err != nil {
		return reassessment{}, err
	}
	err = c.inSteps(len(ids), view, func(i int) error {
		news.component(ids[i], results[i].Matches)
		return nil
	}, func() {})
	if err != nil {
		return reassessment{}, err
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
	return c.inSteps(len(list), k.view, func(i int) error {
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
	}, func() {
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
	if devs := roaring.And(n.c.fleet.DevicesOf(id), n.counted); !devs.IsEmpty() {
		n.look(id, was, now, devs)
	}
}

// end gathers what follows from all components.
func (n *newsroom) end() {
	n.noted = append(n.noted, n.c.noteZeroDays(n.exploited)...)
}
