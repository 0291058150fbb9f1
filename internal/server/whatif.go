package server

import (
	"context"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/exposure"
)

// mostBasket is how many recommendations one what-if takes.
const mostBasket = 500

// readSettled takes mu for reading, with scores that are up to date; the caller
// gives it back. It returns an error without the lock.
func (c *core) readSettled(ctx context.Context) error {
	for {
		if err := c.settle(ctx); err != nil {
			return err
		}
		c.mu.RLock()
		if !c.fleet.Scores().Stale() {
			return nil
		}
		c.mu.RUnlock()
	}
}

// namedCause is what a recommendation takes away; ok is false for an id that can name none.
func namedCause(id string) (cause exposure.Cause, ok bool) {
	if check, is := strings.CutPrefix(id, "sca-_-"); is {
		n, known := checkNumber(check)
		return exposure.Cause{Check: n}, known
	}
	product, remedy, ok := parseRecommendation(id)
	return exposure.Cause{Product: product, Remedy: remedy}, ok && product != ""
}

// reliefOf is what a cause alone relieves in a lens, ok false when no device has it.
func (c *core) reliefOf(l lens, cause exposure.Cause, w exposure.Weights) (exposure.Relief, bool) {
	if cause.Product == "" {
		return c.fleet.Scores().CheckReliefOf(cause.Check, l.groups, w)
	}
	return c.remedyRelief(l, cause.Product, cause.Remedy)
}

// causes turns ids of recommendations, each once, into what they take away.
func causes(ids []string) ([]exposure.Cause, error) {
	if len(ids) == 0 {
		return nil, Invalidf("recommendations", "names none: give at least one id")
	}
	if len(ids) > mostBasket {
		return nil, Invalidf("recommendations", "names %d, at most %d are taken", len(ids), mostBasket)
	}
	out := make([]exposure.Cause, 0, len(ids))
	for _, id := range ids {
		cause, ok := namedCause(id)
		switch {
		case !ok:
			return nil, Invalidf("recommendations", "%q is not the id of a recommendation", id)
		case slices.Contains(out, cause):
			return nil, Invalidf("recommendations", "names %q twice", id)
		}
		out = append(out, cause)
	}
	return out, nil
}

// WhatIf computes the exact score as it would be with all of some
// recommendations carried out, jointly, and what that means.
func (s *Server) WhatIf(ctx context.Context, caller Caller, ids []string) (WhatIf, error) {
	if err := s.need(caller, RecommendationRead); err != nil {
		return WhatIf{}, err
	}
	list, err := causes(ids)
	if err != nil {
		return WhatIf{}, err
	}
	c := s.core
	if err := c.readSettled(ctx); err != nil {
		return WhatIf{}, err
	}
	defer c.mu.RUnlock()
	l, w := c.lens(caller), c.weights()
	o := c.fleet.Scores().WhatIf(list, l.groups, w)
	now := time.Now().UTC()
	fall := new(big.Int).Sub(o.Before.Mean.Num.Big(), o.After.Mean.Num.Big())
	out := WhatIf{Before: c.scoreViewOf(o.Before, now), After: c.scoreViewOf(o.After, now), Impact: points(fall, o.Before.Mean.Den), ImpactNum: fall.String(),
		ImpactDen: o.Before.Mean.Den, Findings: o.Findings, Checks: o.Checks, Weaknesses: o.Weaknesses, Cleared: o.Cleared, Devices: o.Touched,
		Restarts: RestartCount{Reboot: o.Restarts.Reboot, Programs: o.Restarts.Programs, Unknown: o.Restarts.Unknown}, Items: make([]WhatIfItem, 0, len(list))}
	sum := new(big.Int)
	for i, cause := range list {
		item := WhatIfItem{ID: ids[i], Name: ids[i]}
		if r, ok := c.reliefOf(l, cause, w); ok {
			if row := c.recommendationRow(l, &r); row != nil {
				item.Name, item.Type = row.Name, row.Type
			}
			item.Open, item.Devices, item.Impact = true, r.Devices, r.Impact.Float()
			sum.Add(sum, r.Impact.Num.Big())
		}
		out.Items = append(out.Items, item)
	}
	out.Separate = points(sum, o.Before.Mean.Den)
	return out, nil
}

// points is an exact fraction of units as a number of points, 0 of nothing.
func points(num *big.Int, den uint64) float64 {
	if den == 0 {
		return 0
	}
	d := new(big.Int).SetUint64(den)
	f, _ := new(big.Rat).SetFrac(num, d.Mul(d, big.NewInt(exposure.ScoreUnit))).Float64()
	return f
}
