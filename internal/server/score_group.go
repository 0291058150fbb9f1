package server

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

// groupScores are the last recorded scores by device group.
type groupScores map[exposure.Group]store.GroupScore

// lastGroupScores reads what was recorded last.
func (s *Server) lastGroupScores(ctx context.Context) (groupScores, error) {
	points, err := s.st.GroupScores(ctx, exposure.Everywhere(), time.Now())
	if err != nil {
		return nil, fmt.Errorf("read history of device groups: %w", err)
	}
	last := groupScores{}
	for _, p := range points {
		last[exposure.Group(p.Group)] = p
	}
	return last, nil
}

// recordGroups appends the scores of groups that changed to their history and
// to last. A group that lost its last device is recorded with none.
func (s *Server) recordGroups(ctx context.Context, last groupScores, now time.Time) error {
	c := s.core
	c.mu.RLock()
	var news []store.GroupScore
	weights, stamp := c.weights(), weightsStamp(c.weighting)
	groups := maps.Clone(c.members)
	for g := range last {
		groups[g] = nil
	}
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		t := c.fleet.Scores().Total([]exposure.Group{g}, weights)
		p := store.GroupScore{Group: uint16(g), At: now, Version: exposure.ScoreVersion, Weights: stamp, Num: t.Mean.Num.Big().String(), Den: t.Mean.Den, Devices: t.Devices}
		was, recorded := last[g]
		if was.At, was.Group = p.At, p.Group; was != p && (recorded || p.Devices > 0) {
			news = append(news, p)
		}
	}
	c.mu.RUnlock()
	if err := s.st.AddGroupScores(ctx, news); err != nil {
		return err
	}
	for _, p := range news {
		last[exposure.Group(p.Group)] = p
	}
	return nil
}

// groupTrend is the score of some device groups since a time: a point whenever
// that of one of them changed, exact until it is divided.
func groupTrend(points []store.GroupScore, in exposure.Scope, since time.Time) []TrendPoint {
	now := map[uint16]store.GroupScore{}
	var out []TrendPoint
	for i, p := range points {
		if !in.Has(exposure.Group(p.Group)) {
			continue
		}
		now[p.Group] = p
		if i+1 < len(points) && points[i+1].At.Equal(p.At) && slices.ContainsFunc(points[i+1:], func(o store.GroupScore) bool {
			return o.At.Equal(p.At) && in.Has(exposure.Group(o.Group))
		}) {
			continue // more of the same moment
		}
		t := TrendPoint{At: p.At, Version: p.Version, Weights: weightsWords(p.Weights)}
		num, den := new(big.Int), uint64(0)
		for _, q := range now {
			if n, ok := new(big.Int).SetString(q.Num, 10); ok {
				num.Add(num, n)
			}
			den, t.Devices = den+q.Den, t.Devices+q.Devices
		}
		if den == 0 {
			continue // no devices, no score
		}
		t.Score, _ = new(big.Rat).SetFrac(num, new(big.Int).Mul(new(big.Int).SetUint64(den), big.NewInt(exposure.ScoreUnit))).Float64()
		if t.At.Before(since) {
			t.At = since
			out = out[:0]
		}
		out = append(out, t)
	}
	return out
}

// trend is the history of the score of the devices in a scope, oldest first.
func (s *Server) trend(ctx context.Context, in exposure.Scope, since time.Time) ([]TrendPoint, error) {
	if !in.All() {
		points, err := s.st.GroupScores(ctx, in, since)
		return groupTrend(points, in, since), err
	}
	points, _, err := s.core.past.since(ctx, s.st, since, time.Now())
	out := make([]TrendPoint, 0, len(points)+1)
	for _, p := range points {
		out = append(out, TrendPoint{At: p.At, Score: p.Score, Version: p.Version, Weights: weightsWords(p.Weights), Devices: p.Devices})
	}
	return out, err
}
