package server

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/posture"
	"github.com/picketsec/picket/internal/store"
)

// groupSecureEvery is how often the history of a group's secure score may grow:
// a month of it has to be counted together within the time of a dashboard.
const groupSecureEvery = 12 * time.Hour

// groupSecures are what was recorded last, by device group.
type groupSecures map[exposure.Group]store.GroupSecure

// packCounts writes counts of checks so that equal counts are equal bytes.
func packCounts(counts map[string]posture.Count) []byte {
	var out []byte
	for _, id := range slices.Sorted(maps.Keys(counts)) {
		n := counts[id]
		if n.Applicable() == 0 {
			continue
		}
		out = binary.AppendUvarint(out, uint64(len(id)))
		out = append(out, id...)
		for _, k := range []int{n.Pass, n.Mitigated, n.Fail, n.NotAssessed} {
			out = binary.AppendUvarint(out, uint64(k))
		}
	}
	return out
}

// addCounts adds what packCounts wrote to counts.
func addCounts(counts map[string]posture.Count, packed []byte) error {
	for len(packed) > 0 {
		size, n := binary.Uvarint(packed)
		if n <= 0 || size > uint64(len(packed)-n) {
			return errors.New("counts of checks are damaged")
		}
		id := string(packed[n : n+int(size)])
		packed = packed[n+int(size):]
		sum := counts[id]
		for _, k := range []*int{&sum.Pass, &sum.Mitigated, &sum.Fail, &sum.NotAssessed} {
			v, n := binary.Uvarint(packed)
			if n <= 0 {
				return errors.New("counts of checks are damaged")
			}
			*k, packed = *k+int(v), packed[n:]
		}
		counts[id] = sum
	}
	return nil
}

// recordGroupSecures appends what the secure scores of groups are made from to
// their history, where that changed and it is time. A group that lost its last
// device is recorded with none.
func (s *Server) recordGroupSecures(ctx context.Context, last groupSecures, now time.Time) error {
	c := s.core
	c.mu.RLock()
	groups := map[exposure.Group]bool{}
	for g := range c.members {
		groups[g] = true
	}
	c.mu.RUnlock()
	for g := range last {
		groups[g] = true
	}
	var news []store.GroupSecure
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		was, recorded := last[g]
		if since := now.Sub(was.At); recorded && since >= 0 && since < groupSecureEvery {
			continue
		}
		c.mu.RLock() // for one group at a time: there may be hundreds
		in := roaring.New()
		if m := c.members[g]; m != nil {
			in = roaring.And(m, c.active())
		}
		p := store.GroupSecure{Group: uint16(g), At: now, Devices: int(in.GetCardinality()), Counts: packCounts(c.checkCounts(in))}
		c.mu.RUnlock()
		if (recorded || p.Devices > 0) && (p.Devices != was.Devices || !bytes.Equal(p.Counts, was.Counts)) {
			news = append(news, p)
		}
	}
	if err := s.st.AddGroupSecures(ctx, news); err != nil {
		return err
	}
	for _, p := range news {
		last[exposure.Group(p.Group)] = p
	}
	return nil
}

// lastGroupSecures reads what was recorded last.
func (s *Server) lastGroupSecures(ctx context.Context) (groupSecures, error) {
	points, err := s.st.GroupSecures(ctx, exposure.Everywhere(), time.Now())
	if err != nil {
		return nil, fmt.Errorf("read history of secure scores of device groups: %w", err)
	}
	last := groupSecures{}
	for _, p := range points {
		last[exposure.Group(p.Group)] = p
	}
	return last, nil
}

// groupSecureTrend is the secure score of some device groups since a time, by
// today's formula and checks: a point whenever one of them changed.
func (s *Server) groupSecureTrend(ctx context.Context, in exposure.Scope, since time.Time) ([]SecureTrendPoint, error) {
	points, err := s.st.GroupSecures(ctx, in, since)
	if err != nil {
		return nil, fmt.Errorf("read history of secure scores of device groups: %w", err)
	}
	now := map[uint16]store.GroupSecure{}
	var out []SecureTrendPoint
	for i, p := range points {
		now[p.Group] = p
		if i+1 < len(points) && (points[i+1].At.Equal(p.At) || !points[i+1].At.After(since)) {
			continue // more of the same moment, or of before the time that is asked for
		}
		counts, devices := map[string]posture.Count{}, 0
		for _, q := range now {
			devices += q.Devices
			if err := addCounts(counts, q.Counts); err != nil {
				return nil, fmt.Errorf("device group %d at %s: %w", q.Group, q.At.Format(time.RFC3339), err)
			}
		}
		v := secureView(posture.Score(counts), p.At)
		if v.Max == 0 {
			continue // nothing was judged: no score
		}
		t := SecureTrendPoint{At: p.At, PerCent: v.PerCent, Version: v.Version, Devices: devices, Categories: []SecureTrendCategory{}}
		if t.At.Before(since) {
			t.At = since
		}
		for _, k := range v.Categories {
			if k.Max > 0 {
				t.Categories = append(t.Categories, SecureTrendCategory{k.Category, k.PerCent})
			}
		}
		out = append(out, t)
	}
	return out, nil
}
