package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
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
	// mostSpan bounds the numbers of one range, so that any sum of them is a number of JSON.
	mostSpan = 1 << 40
)

// lost is what an agent said of numbers that it gave to events that it does not have.
type lost struct {
	from, to     uint64
	counted      bool
	since, until time.Time // zero: not said
	at           time.Time // when it was said
	reason       string
}

// lacking adds what is missing of the asked time: the numbers that are not there,
// cut to pieces by what the agent said of them.
func (s *Server) lacking(ctx context.Context, id inventory.DeviceID, q *TimelineQuery, t *Timeline) error {
	parts := s.telemetry.log.Damage(id, q.From, q.To)
	t.Unreadable = unreadable(parts)
	t.Damaged = max(t.Damaged, len(parts))
	runs, err := s.telemetry.log.Runs(ctx, id)
	if errors.Is(err, eventlog.ErrDamaged) { // which numbers are there is not known: nothing can be said of those that are not
		t.Damaged = max(t.Damaged, 1)
		return nil
	}
	if err != nil {
		return fmt.Errorf("read numbers of events of %s: %w", id, err)
	}
	since := q.From
	for i := 1; i < len(runs); i++ {
		if a, b := runs[i-1], runs[i]; a.Kind == b.Kind && overlaps(q, a.Last, b.First) && a.Last.Before(since) {
			since = a.Last
		}
	}
	said, err := s.saidLost(ctx, id, since)
	if err != nil {
		return err
	}
	pauses := map[[2]int64]bool{}
	for k := range ev.Kinds {
		n := 0
		for n < len(runs) && runs[n].Kind == k {
			n++
		}
		for _, p := range partsOf(k, runs[:n], said[k.String()]) {
			if !overlaps(q, p.After, p.Before) {
				continue
			}
			if p.Reason == "" && slices.ContainsFunc(parts, func(d eventlog.Damage) bool { return mayHaveHeld(&d, &p) }) {
				p.Reason = "perhaps in a part of the server's log that cannot be read"
			}
			if t.MissingN += p.Count; p.Count == 0 {
				pauses[[2]int64{p.After.UnixNano(), p.Before.UnixNano()}] = true
			}
			if len(t.Missing) < mostMissing {
				t.Missing = append(t.Missing, p)
			}
		}
		runs = runs[n:]
	}
	t.Pauses = len(pauses)
	t.Complete = t.MissingN == 0 && t.Pauses == 0 && t.Damaged == 0
	return nil
}

// unreadable tells what is damaged of the log, the first hundred parts of it.
func unreadable(parts []eventlog.Damage) []UnreadablePart {
	out := []UnreadablePart{}
	for _, d := range parts[:min(len(parts), mostMissing)] {
		out = append(out, UnreadablePart{What: d.What, Events: d.Events, Bytes: d.Bytes, From: d.From, To: d.To})
	}
	return out
}

// mayHaveHeld reports whether a damaged part may have held what is missing.
func mayHaveHeld(d *eventlog.Damage, p *MissingPart) bool {
	return d.From.IsZero() || !p.Before.Before(d.From) && !p.After.After(d.To)
}

// overlaps reports whether something may have happened in the asked time.
func overlaps(q *TimelineQuery, after, before time.Time) bool {
	return (q.From.IsZero() || !before.Before(q.From)) && (q.To.IsZero() || after.Before(q.To))
}

// partsOf are the parts of a kind that are missing: between its runs, and before
// the first and behind the last as far as something was said of them. What
// is far before the first is older than what is kept.
func partsOf(k ev.Kind, runs []eventlog.Run, said []lost) []MissingPart {
	var out []MissingPart
	if len(runs) == 0 {
		return beyond(k, said, 1, math.MaxUint64)
	}
	first, last := runs[0], runs[len(runs)-1]
	for i := len(said) - 1; i >= 0; i-- { // the ranges that lead up to the first
		if l := &said[i]; l.from < first.From && l.to+1 >= first.From {
			first.From = l.from
		}
	}
	out = append(out, beyond(k, said, first.From, runs[0].From-1)...)
	for i := 1; i < len(runs); i++ {
		a, b := runs[i-1], runs[i]
		out = append(out, pieces(MissingPart{Kind: k.String(), From: a.To + 1, To: b.From - 1, After: a.Last, Before: b.First}, said)...)
	}
	return append(out, beyond(k, said, last.To+1, math.MaxUint64)...)
}

// beyond are the parts of a range that something was said of.
func beyond(k ev.Kind, said []lost, from, to uint64) []MissingPart {
	var out []MissingPart
	for _, l := range said {
		a, b := max(l.from, from), min(l.to, to)
		if a > b {
			continue
		}
		out = append(out, pieces(MissingPart{Kind: k.String(), From: a, To: b, After: l.at, Before: l.at}, []lost{l})...)
		from = b + 1
	}
	return out
}

// saidLost reads what the agent said of missing numbers since a time, by kind and
// in their order.
func (s *Server) saidLost(ctx context.Context, id inventory.DeviceID, since time.Time) (map[string][]lost, error) {
	query := eventlog.Query{Scope: eventlog.Only(id), Actions: []ev.Action{ev.SensorEventsLost}}
	if !since.IsZero() {
		query.From = since.Add(-time.Minute)
	}
	rows, _, _, err := s.telemetry.log.Page(ctx, query, eventlog.Cursor{}, mostLost)
	if err != nil {
		return nil, fmt.Errorf("read lost events of %s: %w", id, err)
	}
	said := map[string][]lost{}
	for i := range rows {
		if kind, l, ok := lostSaid(&rows[i]); ok {
			said[kind] = append(said[kind], l)
		}
	}
	sortLost(said)
	return said, nil
}

// lostSaid is what an event says of lost ones of a kind.
func lostSaid(r *eventlog.Row) (kind string, l lost, ok bool) {
	from, _ := r.Record.Number(ev.LostFrom)
	to, _ := r.Record.Number(ev.LostTo)
	if from < 1 || to < from || to-from >= mostSpan {
		return "", lost{}, false // an endpoint may say anything
	}
	_, counted := r.Record.Number(ev.EventCount)
	l = lost{from: uint64(from), to: uint64(to), counted: counted, at: r.Time, reason: string(r.Record.Text(ev.Reason))}
	var times struct{ Since, Until time.Time }
	if json.Unmarshal(r.Record.Text(ev.AdditionalFields), &times) == nil && !times.Since.IsZero() && !times.Until.Before(times.Since) {
		skew := r.Time.Sub(time.Unix(0, r.Record.Head().Time))
		l.since, l.until = times.Since.Add(skew), times.Until.Add(skew)
	}
	return string(r.Record.Text(ev.LostKind)), l, true
}

// sortLost orders what was said of each kind by its numbers.
func sortLost(said map[string][]lost) {
	for _, list := range said {
		slices.SortStableFunc(list, func(a, b lost) int { return cmp.Compare(a.from, b.from) })
	}
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
