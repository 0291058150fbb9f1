package eventlog

import (
	"context"
	"slices"
	"time"

	"github.com/picketsec/picket/internal/event"
)

func (e *Engine) retain(ctx context.Context, p Policy, now time.Time) error {
	e.mu.RLock()
	segs := slices.Clone(e.segs)
	e.mu.RUnlock()
	slices.SortFunc(segs, func(a, b *segment) int { return cmpInt(a.foot.Max, b.foot.Max) })
	total := int64(0)
	for _, s := range segs {
		total += s.size
	}
	full := tooMuch(segs, p.KindBytes)
	for _, s := range segs {
		if err := ctx.Err(); err != nil {
			return err
		}
		old := p.Age > 0 && s.foot.Max < now.Add(-p.Age).UnixNano()
		if old || p.Bytes > 0 && total > p.Bytes {
			total -= s.size
			if err := e.replace([]*segment{s}, nil, false); err != nil {
				return err
			}
			continue
		}
		if drop := expired(s, p, now, full[s]); drop != nil && !s.broken.Load() {
			if err := e.rewrite([]*segment{s}, drop); err != nil {
				return err
			}
		}
		e.seal() // tables that wait come first
	}
	if p.Age > 0 {
		return e.dropLost(now.Add(-p.Age))
	}
	return nil
}

type kindSet [event.NumKinds]bool

// tooMuch returns which kinds are to go from which segments, the oldest first, so
// that none takes more than it may. segs are ordered by age.
func tooMuch(segs []*segment, limits map[event.Kind]int64) map[*segment]kindSet {
	out := map[*segment]kindSet{}
	for k, limit := range limits {
		if limit <= 0 || !k.Valid() {
			continue
		}
		sum := int64(0)
		for _, s := range slices.Backward(segs) {
			if s.foot.Kinds[k] == 0 {
				continue
			}
			if sum += s.share(k); sum > limit {
				set := out[s]
				set[k] = true
				out[s] = set
			}
		}
	}
	return out
}

// share is how many bytes of the file a kind takes.
func (s *segment) share(k event.Kind) int64 {
	if s.foot.Sizes == nil {
		return int64(float64(s.size) * float64(s.foot.Kinds[k]) / float64(max(1, s.foot.Rows)))
	}
	sum := int64(0)
	for _, n := range s.foot.Sizes {
		sum += n
	}
	return int64(float64(s.size) * float64(s.foot.Sizes[k]) / float64(max(1, sum)))
}

// expired returns which rows of a segment are to go; nil: none. The times of a kind are
// not known one by one: a segment is written anew when all of it is beyond the
// kind's age.
func expired(s *segment, p Policy, now time.Time, gone kindSet) func(*row) bool {
	found := gone != kindSet{}
	for k, age := range p.Kinds {
		if age > 0 && s.foot.Kinds[k] > 0 && k.Valid() && s.foot.Max < now.Add(-age).UnixNano() {
			gone[k], found = true, true
		}
	}
	if !found {
		return nil
	}
	return func(r *row) bool { return gone[r.rec.Head().Action.Kind()] }
}

// Holding is what the log holds of a kind.
type Holding struct {
	Kind   event.Kind
	Events int
	// Bytes are its share of the files, and what it takes in memory before it is sealed.
	Bytes  int64
	Oldest time.Time // zero: there is none
	// Day is how many of Bytes happened in the last 24 hours, as far as the segments tell.
	Day int64
}

// Holdings tells what the log holds of each kind, in the order of kinds.
func (e *Engine) Holdings(now time.Time) []Holding {
	v := e.view()
	defer v.release()
	out := make([]Holding, event.NumKinds)
	seen := func(k event.Kind, events int, bytes, oldest int64, part float64) {
		h := &out[k]
		h.Events += events
		h.Bytes += bytes
		h.Day += int64(float64(bytes) * part)
		if at := time.Unix(0, oldest).UTC(); h.Oldest.IsZero() || at.Before(h.Oldest) {
			h.Oldest = at
		}
	}
	since := now.Add(-24 * time.Hour).UnixNano()
	for _, s := range v.segs {
		part := float64(s.foot.Max-max(since, s.foot.Min)+1) / float64(s.foot.Max-s.foot.Min+1)
		for k, n := range s.foot.Kinds {
			if !k.Valid() {
				continue
			}
			at, ok := s.foot.Since[k]
			if !ok {
				at = s.foot.Min
			}
			seen(k, n, s.share(k), at, max(0, part))
		}
	}
	for _, t := range v.tables {
		for _, dev := range t.devices() {
			for _, r := range t.device(dev) {
				part := 0.0
				if r.time >= since {
					part = 1
				}
				seen(r.rec.Head().Action.Kind(), 1, int64(len(r.rec)), r.time, part)
			}
		}
	}
	kept := out[1:]
	for i := range kept {
		kept[i].Kind = event.Kind(i + 1)
	}
	return kept
}
