package server

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/eventlog"
)

// mostFlagMarks bounds the flags on a chart.
const mostFlagMarks = 200

// rowPlace is a place in a timeline. When flagged events come first, "f" says that it is among
// those, "o" that it is among the others.
type rowPlace struct {
	part string
	at   eventlog.Cursor
}

// String is the cursor that a list gives out; "": there are no more.
func (p rowPlace) String() string {
	if p.at.IsZero() {
		return p.part
	}
	return p.part + cursorID(p.at)
}

func parsePlace(cursor string) (p rowPlace, err error) {
	rest := cursor
	for _, part := range []string{"f", "o"} {
		if r, ok := strings.CutPrefix(cursor, part); ok {
			p.part, rest = part, r
		}
	}
	if rest != "" {
		if p.at, err = parseEventID(rest); err != nil {
			return p, Invalidf("cursor", "is not one that this list gave out")
		}
	}
	return p, nil
}

// pageOf reads a page of a timeline, and the place of the next.
func (s *Server) pageOf(ctx context.Context, query eventlog.Query, q *TimelineQuery, flags map[string]bool, after rowPlace) (rows []eventlog.Row, next rowPlace, damaged int, err error) {
	if !q.Flagged && !q.FlaggedFirst {
		var cost eventlog.Cost
		rows, next.at, cost, err = s.telemetry.log.Page(ctx, query, after.at, q.Limit)
		return rows, next, cost.Damaged, err
	}
	first := rowPlace{part: "f"}
	if q.Flagged {
		first.part = ""
	}
	if after.part != "o" {
		if rows, err = s.flaggedRows(ctx, query, flags, after.at); err != nil {
			return nil, next, 0, err
		}
		if len(rows) > q.Limit {
			rows = rows[:q.Limit]
			first.at = rowCursor(&rows[q.Limit-1])
			return rows, first, 0, nil
		}
		after.at = eventlog.Cursor{}
	}
	if q.Flagged {
		return rows, next, 0, nil
	}
	next.part = "o"
	if len(rows) == q.Limit {
		return rows, next, 0, nil
	}
	others := query
	others.Filter = func(r eventlog.Row) bool {
		return !flags[eventID(&r)] && (query.Filter == nil || query.Filter(r))
	}
	more, at, cost, err := s.telemetry.log.Page(ctx, others, after.at, q.Limit-len(rows))
	if next.at = at; at.IsZero() {
		next = rowPlace{}
	}
	return append(rows, more...), next, cost.Damaged, err
}

// flaggedRows reads the flagged events of a query, newest first.
func (s *Server) flaggedRows(ctx context.Context, q eventlog.Query, flags map[string]bool, after eventlog.Cursor) ([]eventlog.Row, error) {
	var out []eventlog.Row
	for id := range flags {
		cur, err := parseEventID(id)
		if err != nil || !after.IsZero() && !cursorBefore(cur, after) {
			continue
		}
		at := time.Unix(0, cur.Time)
		if !q.From.IsZero() && at.Before(q.From) || !q.To.IsZero() && !at.Before(q.To) {
			continue
		}
		one := q
		one.From, one.To = at, at.Add(1)
		one.Filter = func(r eventlog.Row) bool {
			h := r.Record.Head()
			return h.Seq == cur.Seq && h.Action.Kind() == cur.Kind && (q.Filter == nil || q.Filter(r))
		}
		rows, _, _, err := s.telemetry.log.Page(ctx, one, eventlog.Cursor{}, 1)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	slices.SortFunc(out, func(a, b eventlog.Row) int {
		if cursorBefore(rowCursor(&a), rowCursor(&b)) {
			return 1
		}
		return -1
	})
	return out, nil
}

// countsOf counts the events of a query by steps of time.
func (s *Server) countsOf(ctx context.Context, query eventlog.Query, q *TimelineQuery, flags map[string]bool, step time.Duration) ([]eventlog.Count, error) {
	if !q.Flagged {
		counts, _, err := s.telemetry.log.Counts(ctx, query, step)
		return counts, err
	}
	rows, err := s.flaggedRows(ctx, query, flags, eventlog.Cursor{})
	if err != nil {
		return nil, err
	}
	var out []eventlog.Count
	for i := range slices.Backward(rows) {
		start := query.From.Add(rows[i].Time.Sub(query.From).Truncate(step)).UTC()
		out = append(out, eventlog.Count{Start: start, Action: rows[i].Record.Head().Action, N: 1})
	}
	return out, nil
}

// flagMarks are the flagged events of a time, oldest first: the newest 200 of them.
func flagMarks(flags map[string]bool, from, to time.Time) []FlagMark {
	out := []FlagMark{}
	for id := range flags {
		c, err := parseEventID(id)
		if err != nil {
			continue
		}
		if at := time.Unix(0, c.Time).UTC(); !at.Before(from) && at.Before(to) {
			out = append(out, FlagMark{ID: id, Time: at})
		}
	}
	slices.SortFunc(out, func(a, b FlagMark) int { return a.Time.Compare(b.Time) })
	return out[max(0, len(out)-mostFlagMarks):]
}
