package server

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/audit"
	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/inventory"
)

// timelineOf finds a device that the caller may see and makes its query.
func (s *Server) timelineOf(c Caller, id string, q *TimelineQuery) (*device, eventlog.Query, error) {
	if err := s.need(c, MachineRead); err != nil {
		return nil, eventlog.Query{}, err
	}
	s.core.mu.RLock()
	d, err := s.core.named(c.sees(), id)
	s.core.mu.RUnlock()
	if err != nil {
		return nil, eventlog.Query{}, err
	}
	out := eventlog.Query{Scope: eventlog.Only(d.id), From: q.From, To: q.To}
	if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		return nil, out, Invalidf("from", "must be before to")
	}
	if text := strings.ToLower(strings.TrimSpace(q.Text)); text != "" {
		find := newFinder(text)
		out.Filter = func(r eventlog.Row) bool { return find.in(r.Record) }
	}
	if err := s.ofGroups(c, d, q.Groups, q.Actions, &out); err != nil {
		return nil, out, err
	}
	return d, out, s.ofTechniques(c, d, q.Techniques, &out)
}

// actionsOf returns the actions of groups and names; nil: all.
func actionsOf(groups, names []string) ([]ev.Action, error) {
	if len(groups) == 0 && len(names) == 0 {
		return nil, nil
	}
	out := []ev.Action{}
	for _, g := range groups {
		if !slices.Contains(ev.Groups, ev.Group(g)) {
			return nil, Invalidf("group", "%q is no event group", g)
		}
	}
	for _, n := range names {
		if _, ok := ev.ActionOf(n); !ok {
			return nil, Invalidf("action", "%q is no action type", n)
		}
	}
	for a := range ev.Actions {
		if isNamed(names, a) && (len(groups) == 0 || slices.Contains(groups, string(a.Group()))) {
			out = append(out, a)
		}
	}
	return out, nil
}

// isNamed reports whether an action is one of some names, whatever their case; of
// none, every one is.
func isNamed(names []string, a ev.Action) bool {
	return len(names) == 0 || slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, a.String()) })
}

// Timeline returns a page of a device's events, newest first, and what is
// missing of the asked time.
func (s *Server) Timeline(ctx context.Context, c Caller, id string, q TimelineQuery) (Timeline, error) {
	d, query, err := s.timelineOf(c, id, &q)
	if err != nil {
		return Timeline{}, err
	}
	if q.Limit < 1 || q.Limit > 1000 {
		return Timeline{}, Invalidf("size", "must be 1 to 1000")
	}
	after, err := parsePlace(q.Cursor)
	if err != nil {
		return Timeline{}, err
	}
	s.telemetry.watch(d.id, s.now())
	flags, err := s.st.TimelineFlags(ctx, d.id)
	if err != nil {
		return Timeline{}, err
	}
	t := Timeline{AsOf: s.now(), Items: []TimelineRow{}, Missing: []MissingPart{}, Unreadable: []UnreadablePart{}, SkewSeconds: s.telemetry.skew(d.id).Seconds()}
	rows, next, damaged, err := s.pageOf(ctx, query, &q, flags, after)
	if err != nil {
		return Timeline{}, fmt.Errorf("read events of %s: %w", d.id, err)
	}
	t.Cursor, t.Damaged = next.String(), damaged
	alerts := s.alertsByEvent(c, d)
	for i := range rows {
		row := timelineRow(&rows[i])
		row.Flagged = flags[row.ID]
		row.Alerts = append(row.Alerts, alerts[row.ID]...)
		t.Items = append(t.Items, row)
	}
	if err := s.lacking(ctx, d.id, &q, &t); err != nil {
		return Timeline{}, err
	}
	return t, nil
}

func rowCursor(r *eventlog.Row) eventlog.Cursor {
	h := r.Record.Head()
	return eventlog.Cursor{Time: r.Time.UnixNano(), Kind: h.Action.Kind(), Seq: h.Seq}
}

func cursorBefore(a, b eventlog.Cursor) bool {
	if a.Time != b.Time {
		return a.Time < b.Time
	}
	if a.Kind != b.Kind {
		return a.Kind < b.Kind
	}
	return a.Seq < b.Seq
}

// eventID names an event of a device: its place in the timeline.
func eventID(r *eventlog.Row) string { return cursorID(rowCursor(r)) }

func cursorID(c eventlog.Cursor) string {
	return fmt.Sprintf("%d-%d-%d", c.Time, c.Kind, c.Seq)
}

func parseEventID(id string) (c eventlog.Cursor, err error) {
	p := strings.Split(id, "-")
	if len(p) != 3 {
		return c, fmt.Errorf("event %q: %w", id, ErrNotFound)
	}
	at, err1 := strconv.ParseInt(p[0], 10, 64)
	kind, err2 := strconv.ParseUint(p[1], 10, 8)
	seq, err3 := strconv.ParseUint(p[2], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil || at <= 0 || seq == 0 || !ev.Kind(kind).Valid() {
		return c, fmt.Errorf("event %q: %w", id, ErrNotFound)
	}
	return eventlog.Cursor{Time: at, Kind: ev.Kind(kind), Seq: seq}, nil
}

// timelineSteps are the widths of a chart's steps.
var timelineSteps = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 24 * time.Hour}

// TimelineCounts counts a device's events in at most 200 steps. Without bounds
// it is the last 30 days.
func (s *Server) TimelineCounts(ctx context.Context, c Caller, id string, q TimelineQuery) (TimelineCounts, error) {
	if q.To.IsZero() {
		q.To = s.now().Add(time.Hour).Truncate(time.Hour)
	}
	if q.From.IsZero() {
		q.From = q.To.Add(-30 * 24 * time.Hour)
	}
	d, query, err := s.timelineOf(c, id, &q)
	if err != nil {
		return TimelineCounts{}, err
	}
	step := timelineSteps[len(timelineSteps)-1]
	for _, w := range timelineSteps {
		if q.To.Sub(q.From)/w <= 200 {
			step = w
			break
		}
	}
	for q.To.Sub(q.From)/step > 1000 {
		step *= 2
	}
	query.From, query.To = q.From.Truncate(step), q.To.Add(step-1).Truncate(step)
	flags, err := s.st.TimelineFlags(ctx, d.id)
	if err != nil {
		return TimelineCounts{}, err
	}
	counts, err := s.countsOf(ctx, query, &q, flags, step)
	if err != nil {
		return TimelineCounts{}, fmt.Errorf("count events of %s: %w", d.id, err)
	}
	out := TimelineCounts{From: query.From.UTC(), To: query.To.UTC(), StepSeconds: int(step.Seconds()), Groups: map[string]int{}, Buckets: []TimelineBucket{},
		Alerts: s.alertMarks(c, d, query.From, query.To), Investigations: s.investigationMarks(c, d, query.From, query.To), Flags: flagMarks(flags, query.From, query.To)}
	for _, n := range counts {
		if k := len(out.Buckets); k == 0 || !out.Buckets[k-1].Start.Equal(n.Start) {
			out.Buckets = append(out.Buckets, TimelineBucket{Start: n.Start, Groups: map[string]int{}})
		}
		g := string(n.Action.Group())
		out.Buckets[len(out.Buckets)-1].Groups[g] += n.N
		out.Groups[g] += n.N
		out.Total += n.N
	}
	runs, err := s.telemetry.log.Runs(ctx, d.id)
	if err != nil && !errors.Is(err, eventlog.ErrDamaged) { // the timeline tells of damage
		return TimelineCounts{}, fmt.Errorf("read numbers of events of %s: %w", d.id, err)
	}
	for _, r := range runs {
		if out.First.IsZero() || r.First.Before(out.First) {
			out.First = r.First
		}
		if r.Last.After(out.Last) {
			out.Last = r.Last
		}
	}
	return out, nil
}

// TimelineExport yields every event of a query, newest first. An error is the
// last that it yields.
func (s *Server) TimelineExport(ctx context.Context, c Caller, id string, q TimelineQuery) (inventory.DeviceID, iter.Seq2[TimelineRow, error], error) {
	q.Limit = 1000
	d, _, err := s.timelineOf(c, id, &q)
	if err != nil {
		return "", nil, err
	}
	return d.id, func(yield func(TimelineRow, error) bool) {
		for {
			t, err := s.Timeline(ctx, c, string(d.id), q)
			if err == nil {
				err = c.Still(ctx)
			}
			if err != nil {
				yield(TimelineRow{}, err)
				return
			}
			for i := range t.Items {
				if !yield(t.Items[i], nil) {
					return
				}
			}
			if q.Cursor = t.Cursor; q.Cursor == "" {
				return
			}
		}
	}, nil
}

// FlagEvent flags an event of a device, or takes its flag away.
func (s *Server) FlagEvent(ctx context.Context, c Caller, id, event string, flagged bool) error {
	if err := s.need(c, MachineReadWrite, ManageDevices); err != nil {
		return err
	}
	was, err := s.TimelineEvent(ctx, c, id, event)
	if err != nil {
		return err
	}
	s.core.mu.RLock()
	d, err := s.core.named(c.sees(), id)
	s.core.mu.RUnlock()
	if err != nil {
		return err
	}
	audit.Change(ctx, string(d.id), map[string]any{"event": event, "flagged": was.Flagged}, map[string]any{"event": event, "flagged": flagged})
	if err := s.st.FlagTimeline(ctx, d.id, event, c.Name, flagged, s.now()); err != nil {
		return err
	}
	s.live.publish(LiveEvent{Resource: "timeline", ID: string(d.id)})
	return nil
}
