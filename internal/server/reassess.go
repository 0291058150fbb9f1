package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
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

	c := s.core
	c.mu.RLock()
	var ids []exposure.ComponentID
	if t.All {
		ids = c.fleet.Components()
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

	changed, closed, err := c.reassessed(t, ids, comps, results, view)
	if err != nil {
		return err
	}
	if err := s.st.Reassessed(ctx, t.Generation, changed, closed); err != nil {
		return fmt.Errorf("store assessments: %w", err)
	}
	s.live.publish(LiveEvent{Resource: "intel"})
	if len(changed) > 0 || t.All {
		s.live.publish(LiveEvent{Resource: "all"})
	}
	return nil
}

// reassessed brings the index to new assessments and returns what the store has to learn.
func (c *core) reassessed(t touched, ids []exposure.ComponentID, comps []exposure.Component, results []exposure.Assessment, view intelView) ([]store.Component, []store.Closed, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.view = view
	defer func() { c.view = nil }()
	if t.All {
		clear(c.facts)
		c.rows.forget()
		c.fleet.Rerate(slices.Collect(c.fleet.Weaknesses())...)
	} else {
		for _, w := range t.Weaknesses {
			delete(c.facts, w)
		}
		c.fleet.Rerate(t.Weaknesses...)
		for _, w := range t.Weaknesses {
			c.fact(w)
		}
		c.forgetWeaknesses(t.Weaknesses)
	}
	at := time.Now().Unix()
	looked := map[string]bool{}
	var changed []store.Component
	var closed []store.Closed
	set := func(i int, id exposure.ComponentID) error {
		before := c.known[id]
		if pid := comps[i].ID(); t.All && !looked[pid] {
			looked[pid] = true
			c.lookUp(comps[i])
		}
		c.forgetComponent(id, c.fleet.SetAssessment(id, &results[i]))
		if sameKnown(before, &results[i]) {
			return nil
		}
		closed = append(closed, c.closedBy(id, before, &results[i], view, time.Now().UnixMilli())...)
		c.learn(id, &results[i], at)
		spec, err := json.Marshal(comps[i])
		if err != nil {
			return fmt.Errorf("encode component: %w", err)
		}
		changed = append(changed, store.Component{ID: uint32(id), Spec: spec, Known: c.known[id]})
		c.saved[id] = true
		return nil
	}
	var failed error
	all := func() {
		for i, id := range ids {
			failed = errors.Join(failed, set(i, id))
		}
	}
	if t.All {
		c.fleet.Bulk(all)
	} else {
		all()
	}
	return changed, closed, failed
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
func assessAll(ctx context.Context, comps []exposure.Component, view exposure.Intelligence) ([]exposure.Assessment, error) {
	out := make([]exposure.Assessment, len(comps))
	workers := min(runtime.GOMAXPROCS(0), max(1, len(comps)/256))
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(comps); i += workers {
				if i%1024 == w && ctx.Err() != nil {
					errs[w] = ctx.Err()
					return
				}
				a, err := exposure.Assess(comps[i], view)
				if err != nil {
					errs[w] = fmt.Errorf("assess %s: %w", comps[i].Key, err)
					return
				}
				out[i] = a
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
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
	now := make(map[string]bool, len(a.Matches))
	for _, m := range a.Matches {
		now[m.Weakness] = true
	}
	var out []store.Closed
	for _, k := range before {
		if now[k.Weakness] {
			continue
		}
		row := store.Closed{Device: store.AllDevices, Component: uint32(id), Weakness: k.Weakness, First: k.Since, At: at}
		switch {
		case view.Rejected(k.Weakness):
			row.Reason, row.Detail = "rejected", "the record was rejected or withdrawn"
		case view.Canonical(k.Weakness) != k.Weakness && now[view.Canonical(k.Weakness)]:
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
