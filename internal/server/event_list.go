package server

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/posture"
)

// eventShares are the values of the filter of originally impacted devices: at least so many per cent.
var eventShares = []string{"1", "10", "25", "50", "75", "100"}

func eventList() *list[eventRow] {
	return &list[eventRow]{
		text: func(r *eventRow, has func(string) bool) bool {
			return has(r.Title) || has(r.Component) || has(r.ProductID) || has(r.Detail) || slices.ContainsFunc(r.e.Weaknesses, has)
		},
		filters: map[string]func(*eventRow, []string) bool{
			"type":      oneOf(func(r *eventRow) string { return r.Kind }),
			"product":   oneOf(func(r *eventRow) string { return r.ProductID }),
			"component": oneOf(func(r *eventRow) string { return r.Component }),
			"check":     oneOf(func(r *eventRow) string { return r.Check }),
			"weakness": func(r *eventRow, v []string) bool {
				return slices.ContainsFunc(v, func(w string) bool { return slices.Contains(r.e.Weaknesses, w) })
			},
			"share": func(r *eventRow, v []string) bool {
				return slices.ContainsFunc(v, func(s string) bool {
					n, err := strconv.Atoi(s)
					return err == nil && 100*r.Impacted >= n*r.Counted
				})
			},
			"impact": truth(func(r *eventRow) bool { return r.Impacted > 0 }),
		},
		values: map[string][]string{"type": eventKinds, "share": eventShares, "impact": yesNo},
		order: map[string]func(a, b *eventRow) int{
			"date":       byTime(func(r *eventRow) time.Time { return r.At }),
			"component":  byText(func(r *eventRow) string { return r.Component }),
			"type":       byNumber(func(r *eventRow) int { return slices.Index(eventKinds, r.Kind) }),
			"impacted":   byNumber(func(r *eventRow) int { return r.Impacted }),
			"share":      byNumber(func(r *eventRow) float64 { return r.Share }),
			"weaknesses": byNumber(func(r *eventRow) int { return r.Weaknesses }),
			"severity":   byNumber(func(r *eventRow) int { return severityRank(r.Severity) }),
		},
		tie:     func(a, b *eventRow) int { return cmp.Compare(b.e.ID, a.e.ID) },
		initial: []string{"-date", "-impacted"},
	}
}

// eventRow is a row with the event behind it.
type eventRow struct {
	EventRow
	e *event
}

// eventRange takes the range of time out of a query: "days" counts back from
// now; "from" and "to" are days in UTC, both included, or times. No bound is a
// zero time.
func eventRange(q *Query, now time.Time) (from, to time.Time, err error) {
	one := func(name string) string {
		vals := q.Filter[name]
		if len(vals) != 1 {
			return ""
		}
		return vals[0]
	}
	days, first, last := one("days"), one("from"), one("to")
	filter := map[string][]string{}
	for k, v := range q.Filter {
		if k != "days" && k != "from" && k != "to" {
			filter[k] = v
		}
	}
	q.Filter = filter
	if days != "" {
		n, err := strconv.Atoi(days)
		if err != nil || n < 1 || n > 3660 {
			return from, to, Invalidf("days", "%q is not a number of days from 1 to 3660", days)
		}
		from = now.AddDate(0, 0, -n)
	}
	read := func(name, text string, end bool) (time.Time, error) {
		if text == "" {
			return time.Time{}, nil
		}
		if t, err := time.Parse(time.RFC3339, text); err == nil {
			return t.UTC(), nil
		}
		t, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return t, Invalidf(name, "%q is neither a day (2026-01-31) nor a time (2026-01-31T12:00:00Z)", text)
		}
		if end {
			t = t.AddDate(0, 0, 1)
		}
		return t, nil
	}
	start, err := read("from", first, false)
	if err != nil {
		return from, to, err
	}
	if start.After(from) {
		from = start
	}
	to, err = read("to", last, true)
	return from, to, err
}

// eventRows are the rows of a range for a caller, newest first. The returned
// lens is good while the caller holds mu for reading, as it must.
func (c *core) eventRows(list []*event, l lens) []*eventRow {
	rows := make([]*eventRow, 0, len(list))
	for _, e := range list {
		if r := c.eventRow(e, l); r != nil {
			rows = append(rows, r)
		}
	}
	return rows
}

// eventRow is an event without what costs a look at components. Within device
// groups an event that concerned none of their devices is nil.
func (c *core) eventRow(e *event, l lens) *eventRow {
	r := &eventRow{e: e, EventRow: EventRow{ID: "ev-" + strconv.FormatInt(e.ID, 10), At: e.At, Kind: e.Kind, Component: e.Component, Vendor: e.Vendor, ProductID: e.Product,
		Check: e.Check, Detail: e.Detail, Link: e.Link, Weaknesses: len(e.Weaknesses), Impacted: l.count(e.devices), Counted: l.count(e.change.counted),
		Severity: advisory.Unrated, Threats: Threats{Exploit: advisory.NoExploit}}}
	if l.devs != nil && r.Impacted == 0 {
		return nil
	}
	r.Share = share(r.Impacted, r.Counted)
	for _, w := range e.Weaknesses {
		f := c.peek(w)
		if severityRank(f.Severity) > severityRank(r.Severity) {
			r.Severity = f.Severity
		}
		r.Threats.add(f.Threats)
	}
	r.Title = eventTitle(r)
	r.Score = ScoreStep{Score: "exposure", Trend: "unknown"}
	if l.sees.All() { // it is the score of all devices
		r.Score = c.events.step(e.change, e.Check != "")
	}
	return r
}

func share(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return 100 * float64(n) / float64(of)
}

// eventTitle is an event in one sentence.
func eventTitle(r *eventRow) string {
	many := func(n int, one, more string) string {
		if n == 1 {
			return "1 " + one
		}
		return strconv.Itoa(n) + " " + more
	}
	w, on := many(r.Weaknesses, "vulnerability", "vulnerabilities"), ", impacting "+many(r.Impacted, "device", "devices")
	switch r.Kind {
	case NewVulnerability:
		return r.Component + " has " + many(r.Weaknesses, "new vulnerability", "new vulnerabilities") + on
	case NewPublicExploit:
		return r.Component + ": an exploit became public for " + w + on
	case ExploitVerified:
		return r.Component + ": exploitation was verified for " + w + on
	case ExploitInKit:
		return r.Component + ": an exploit kit has " + w + on
	case AddedToKEV:
		return r.Component + ": " + w + " added to the known exploited" + on
	case FixPublished:
		return r.Component + ": a fix was published for " + w + on
	case SupportEnded:
		return "Support of " + r.Component + " ended" + on
	case NewConfiguration:
		return "New configuration assessment: " + r.Component + on
	case ExceptionExpired:
		return r.Component + ": an exception expired" + on
	case ExceptionResurfaced:
		return r.Component + ": an exception no longer holds" + on
	}
	return "First assessment of " + r.Component + ": " + w + on
}

// complete adds what costs a look at the fleet as it is.
func (c *core) complete(r *eventRow, l lens) {
	in := c.fleet.Scores().Devices()
	r.CurrentOf = l.count(in)
	r.Current = l.count(roaring.And(c.stillHas(r.e), in))
	r.CurrentShare = share(r.Current, r.CurrentOf)
	r.RecommendationID = c.recommendationFor(r.e, l)
}

// stillHas are the devices on which what an event is about counts now.
func (c *core) stillHas(e *event) *roaring.Bitmap {
	if n, ok := checkNumber(e.Check); ok {
		return c.checks.devices(n, posture.Fail)
	}
	out := roaring.New()
	if e.Kind == SupportEnded {
		out.Or(c.fleet.LineDevices(e.Product, exposure.Upgrade))
		out.Or(c.fleet.LineDevices(e.Product, exposure.Uninstall))
		return out
	}
	if e.Product == "" {
		for _, w := range e.Weaknesses {
			out.Or(c.fleet.ExposedDevices(w))
		}
		return out
	}
	ids := make(map[string]bool, len(e.Weaknesses))
	for _, w := range e.Weaknesses {
		ids[w] = true
	}
	for _, id := range c.fleet.ProductComponents(e.Product, nil) {
		for h := range c.fleet.Hits(id) {
			if h.Exposed && ids[h.Weakness] {
				out.Or(c.fleet.DevicesOf(id))
				break
			}
		}
	}
	return out
}

// recommendationFor is what to do about an event, "" when there is nothing (any more).
func (c *core) recommendationFor(e *event, l lens) string {
	if n, ok := checkNumber(e.Check); ok {
		if _, ok := c.checkRelief(l, n); ok {
			return "sca-_-" + e.Check
		}
		return ""
	}
	if e.Product == "" {
		return ""
	}
	order := []exposure.Remedy{exposure.Update, exposure.Upgrade, exposure.Uninstall, exposure.Attention, exposure.Restart}
	if e.Kind == SupportEnded {
		order = order[1:3]
	}
	for _, r := range order {
		if _, ok := c.remedyRelief(l, e.Product, r); ok {
			return recommendationID(e.Product, r)
		}
	}
	return ""
}

// Events lists what changed what the fleet is exposed to. Its query takes
// "days", "from" and "to" beside the list's filters.
func (s *Server) Events(ctx context.Context, caller Caller, q Query) (Page[EventRow], error) {
	if err := s.need(caller, VulnerabilityRead); err != nil {
		return Page[EventRow]{}, err
	}
	now := time.Now().UTC()
	from, to, err := eventRange(&q, now)
	if err != nil {
		return Page[EventRow]{}, err
	}
	c := s.core
	list, err := c.events.between(ctx, s.st, from, to)
	if err != nil {
		return Page[EventRow]{}, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	l := c.lens(caller)
	cut, total, err := eventList().cut(q, c.eventRows(list, l))
	if err != nil {
		return Page[EventRow]{}, err
	}
	p := Page[EventRow]{Total: total, AsOf: now, Items: make([]EventRow, len(cut))}
	for i, r := range cut {
		c.complete(r, l)
		p.Items[i] = r.EventRow
	}
	return p, nil
}

// EventCounts are the numbers above the timeline, for a query of Events.
func (s *Server) EventCounts(ctx context.Context, caller Caller, q Query) (EventCounts, error) {
	if err := s.need(caller, VulnerabilityRead); err != nil {
		return EventCounts{}, err
	}
	now := time.Now().UTC()
	from, to, err := eventRange(&q, now)
	if err != nil {
		return EventCounts{}, err
	}
	c := s.core
	list, err := c.events.between(ctx, s.st, from, to)
	if err != nil {
		return EventCounts{}, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	rows, total, err := eventList().cut(q, c.eventRows(list, c.lens(caller)))
	if err != nil {
		return EventCounts{}, err
	}
	fresh, hot := map[string]bool{}, map[string]bool{}
	for _, r := range rows {
		for _, w := range r.e.Weaknesses {
			switch r.Kind {
			case NewVulnerability:
				fresh[w] = true
				if f := c.peek(w); exploitRank(f.Threats.Exploit) > 0 || f.Threats.KEV {
					hot[w] = true
				}
			case NewPublicExploit, ExploitVerified, ExploitInKit, AddedToKEV:
				hot[w] = true
			}
		}
	}
	return EventCounts{Vulnerabilities: len(fresh), Exploitable: len(hot), Events: total, AsOf: now}, nil
}

// eventByID finds an event by the id of its row.
func (s *Server) eventByID(ctx context.Context, id string) (*event, error) {
	text, ok := strings.CutPrefix(id, "ev-")
	n, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil {
		return nil, fmt.Errorf("event %q: %w", id, ErrNotFound)
	}
	e, err := s.core.events.one(ctx, s.st, n)
	if err == nil && e == nil {
		err = fmt.Errorf("event %q: %w", id, ErrNotFound)
	}
	return e, err
}

// Event is one event.
func (s *Server) Event(ctx context.Context, caller Caller, id string) (EventDetail, error) {
	if err := s.need(caller, VulnerabilityRead); err != nil {
		return EventDetail{}, err
	}
	e, err := s.eventByID(ctx, id)
	if err != nil {
		return EventDetail{}, err
	}
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	l := c.lens(caller)
	r := c.eventRow(e, l)
	if r == nil {
		return EventDetail{}, fmt.Errorf("event %q concerned no device of these groups: %w", id, ErrNotFound)
	}
	c.complete(r, l)
	return EventDetail{EventRow: r.EventRow, WeaknessIDs: e.Weaknesses, AsOf: time.Now().UTC()}, nil
}

// EventVulns lists the weaknesses of an event that some device has now.
func (s *Server) EventVulns(ctx context.Context, caller Caller, id string, q Query) (Page[WeaknessRow], error) {
	if err := s.need(caller, VulnerabilityRead); err != nil {
		return Page[WeaknessRow]{}, err
	}
	e, err := s.eventByID(ctx, id)
	if err != nil {
		return Page[WeaknessRow]{}, err
	}
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	l := c.lens(caller)
	if l.devs != nil && !l.has(e.devices) {
		return Page[WeaknessRow]{}, fmt.Errorf("event %q concerned no device of these groups: %w", id, ErrNotFound)
	}
	var rows []*WeaknessRow
	for _, w := range e.Weaknesses {
		if r, ok := c.cachedWeakness(l, w); ok {
			rows = append(rows, r)
		}
	}
	return weaknessList().page(q, rows)
}

// eventWeight is how impactful an event is: the devices that it concerned times
// the points of its heaviest weakness, or of its check.
func (c *core) eventWeight(r *eventRow) uint64 {
	heaviest := exposure.Points(1)
	for _, w := range r.e.Weaknesses {
		heaviest = max(heaviest, c.peek(w).Points)
	}
	if k, ok := posture.ByID(r.e.Check); ok {
		heaviest = exposure.CheckPoints(k.Impact)
	}
	return uint64(r.Impacted) * uint64(heaviest)
}

// topEvents are the n most impactful rows, the newer first of two that are
// alike. What is a first assessment or concerned no device is no top event.
func (c *core) topEvents(rows []*eventRow, n int) []*eventRow {
	kept := slices.DeleteFunc(slices.Clone(rows), func(r *eventRow) bool { return r.Kind == FirstAssessment || r.Impacted == 0 })
	weight := make(map[*eventRow]uint64, len(kept))
	for _, r := range kept {
		weight[r] = c.eventWeight(r)
	}
	return window(kept, func(a, b *eventRow) int {
		return cmp.Or(cmp.Compare(weight[b], weight[a]), b.At.Compare(a.At), cmp.Compare(b.e.ID, a.e.ID))
	}, 0, n)
}

// topEventsShown is how many events the dashboard shows, of a week and of a day.
const topEventsShown = 3

// dashboardEvents fills in the top events of the last seven days and the days
// of the trends on which something happened.
func (c *core) dashboardEvents(d *Dashboard, list []*event, l lens, now time.Time) {
	rows := c.eventRows(list, l)
	week := slices.DeleteFunc(slices.Clone(rows), func(r *eventRow) bool { return r.At.Before(now.AddDate(0, 0, -7)) })
	d.TopEvents = []EventRow{}
	for _, r := range c.topEvents(week, topEventsShown) {
		c.complete(r, l)
		d.TopEvents = append(d.TopEvents, r.EventRow)
	}
	d.EventDays = c.eventDays(rows, func(r *eventRow) bool { return r.Check == "" })
	d.CheckDays = c.eventDays(rows, func(r *eventRow) bool { return r.Check != "" })
}

// eventDays are the days on which something of a kind happened to a device, in
// order, with the most impactful of it.
func (c *core) eventDays(rows []*eventRow, of func(*eventRow) bool) []EventDay {
	byDay := map[string][]*eventRow{}
	for _, r := range rows {
		if r.Impacted > 0 && of(r) {
			day := r.At.Format(time.DateOnly)
			byDay[day] = append(byDay[day], r)
		}
	}
	out := []EventDay{}
	for day, rows := range byDay {
		top := c.topEvents(rows, topEventsShown)
		if len(top) == 0 {
			continue
		}
		e := EventDay{Day: day, At: top[0].At, Total: len(rows)}
		for _, r := range top {
			e.Events = append(e.Events, r.EventRow)
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b EventDay) int { return strings.Compare(a.Day, b.Day) })
	return out
}
