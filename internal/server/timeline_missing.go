package server

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"time"

	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/inventory"
)

const (
	// mostMissing is how many missing parts an answer lists.
	mostMissing = 100
	// mostLost is how many of an agent's words about lost events are read for an answer.
	mostLost = 5000
)

// lost is what an agent said of numbers that it gave to events that it does not have.
type lost struct {
	from, to     uint64
	counted      bool
	since, until time.Time // zero: not said
	reason       string
}

// lacking adds what is missing of the asked time: the numbers that are not there,
// cut to pieces by what the agent said of them.
func (s *Server) lacking(ctx context.Context, id inventory.DeviceID, q *TimelineQuery, t *Timeline) error {
	runs, err := s.telemetry.log.Runs(ctx, id)
	if err != nil {
		return fmt.Errorf("read numbers of events of %s: %w", id, err)
	}
	var parts []MissingPart
	for i := 1; i < len(runs); i++ {
		a, b := runs[i-1], runs[i]
		if a.Kind == b.Kind && overlaps(q, a.Last, b.First) {
			parts = append(parts, MissingPart{Kind: a.Kind.String(), From: a.To + 1, To: b.From - 1, After: a.Last, Before: b.First})
		}
	}
	var said map[string][]lost
	if len(parts) > 0 {
		if said, err = s.saidLost(ctx, id, parts); err != nil {
			return err
		}
	}
	pauses := map[[2]int64]bool{}
	for i := range parts {
		for _, p := range pieces(parts[i], said[parts[i].Kind]) {
			if !overlaps(q, p.After, p.Before) {
				continue
			}
			if t.MissingN += p.Count; p.Count == 0 {
				pauses[[2]int64{p.After.UnixNano(), p.Before.UnixNano()}] = true
			}
			if len(t.Missing) < mostMissing {
				t.Missing = append(t.Missing, p)
			}
		}
	}
	t.Pauses = len(pauses)
	t.Complete = t.MissingN == 0 && t.Pauses == 0 && t.Damaged == 0
	return nil
}

// overlaps reports whether something may have happened in the asked time.
func overlaps(q *TimelineQuery, after, before time.Time) bool {
	return (q.From.IsZero() || !before.Before(q.From)) && (q.To.IsZero() || after.Before(q.To))
}

// saidLost reads what the agent said of missing numbers, by kind and in their order.
func (s *Server) saidLost(ctx context.Context, id inventory.DeviceID, parts []MissingPart) (map[string][]lost, error) {
	first, byKind := parts[0].After, map[string][]MissingPart{}
	for _, p := range parts {
		byKind[p.Kind] = append(byKind[p.Kind], p)
		if p.After.Before(first) {
			first = p.After
		}
	}
	query := eventlog.Query{Scope: eventlog.Only(id), From: first.Add(-time.Minute), Actions: []ev.Action{ev.SensorEventsLost}, Filter: func(r eventlog.Row) bool {
		from, _ := r.Record.Number(ev.LostFrom)
		to, _ := r.Record.Number(ev.LostTo)
		list := byKind[string(r.Record.Text(ev.LostKind))]
		i := sort.Search(len(list), func(i int) bool { return list[i].To >= uint64(from) })
		return i < len(list) && list[i].From <= uint64(to)
	}}
	rows, _, _, err := s.telemetry.log.Page(ctx, query, eventlog.Cursor{}, mostLost)
	if err != nil {
		return nil, fmt.Errorf("read lost events of %s: %w", id, err)
	}
	said := map[string][]lost{}
	for i := range rows {
		r := &rows[i]
		from, _ := r.Record.Number(ev.LostFrom)
		to, _ := r.Record.Number(ev.LostTo)
		_, counted := r.Record.Number(ev.EventCount)
		l := lost{from: uint64(from), to: uint64(to), counted: counted, reason: string(r.Record.Text(ev.Reason))}
		var times struct{ Since, Until time.Time }
		if json.Unmarshal(r.Record.Text(ev.AdditionalFields), &times) == nil && !times.Since.IsZero() && !times.Until.Before(times.Since) {
			skew := r.Time.Sub(time.Unix(0, r.Record.Head().Time))
			l.since, l.until = times.Since.Add(skew), times.Until.Add(skew)
		}
		kind := string(r.Record.Text(ev.LostKind))
		said[kind] = append(said[kind], l)
	}
	for _, list := range said {
		slices.SortStableFunc(list, func(a, b lost) int { return cmp.Compare(a.from, b.from) })
	}
	return said, nil
}

// pieces cuts a part by what was said of it; what nothing was said of is counted
// and has no reason.
func pieces(p MissingPart, said []lost) []MissingPart {
	var out []MissingPart
	next := p.From
	rest := func(to uint64) {
		if next <= to {
			out = append(out, MissingPart{Kind: p.Kind, From: next, To: to, Count: to - next + 1, After: p.After, Before: p.Before})
		}
	}
	for _, l := range said {
		from, to := max(l.from, next), min(l.to, p.To)
		if from > to || next > p.To {
			continue
		}
		rest(from - 1)
		one := MissingPart{Kind: p.Kind, From: from, To: to, After: p.After, Before: p.Before, Reason: l.reason}
		if l.counted {
			one.Count = to - from + 1
		}
		if !l.since.IsZero() {
			one.After, one.Before = l.since, l.until
		}
		out = append(out, one)
		next = to + 1
	}
	rest(p.To)
	return out
}
