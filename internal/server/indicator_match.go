package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/picketsec/picket/internal/alert"
	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
)

// sourceIndicator is the detection source of alerts that indicators raise.
const sourceIndicator = "CustomerTI"

const (
	// mostEvidentEvents is of how many events at once an alert takes evidence.
	mostEvidentEvents = 50
	// mostAlertEntity is how much of a long value the title of an alert shows.
	mostAlertEntity = 120
)

// sighted are events of a device in which an indicator matches a value.
type sighted struct {
	x        *store.Indicator
	entity   string
	hostOnly bool
	rows     []eventlog.Row
}

// applying are the indicators of a set that hold for a device group at a moment.
func (set *indicatorSet) applying(group exposure.Group, now time.Time) func(id int64) *store.Indicator {
	return func(id int64) *store.Indicator {
		x := set.byID[id]
		if x == nil || expired(x, now) || len(x.Groups) > 0 && !slices.Contains(x.Groups, uint32(group)) {
			return nil
		}
		return x
	}
}

// relevant are the hits of an event that count.
func relevant(hits []alert.Hit, applies func(id int64) *store.Indicator) []alert.Hit {
	hits = slices.DeleteFunc(hits, func(h alert.Hit) bool { return applies(h.ID) == nil })
	return alert.Relevant(hits, func(id int64) bool { return applies(id).Action == string(alert.Allowed) })
}

// collect adds an event to what was found.
func collect(to []*sighted, hits []alert.Hit, applies func(id int64) *store.Indicator, row func() eventlog.Row) []*sighted {
	for _, h := range hits {
		entity := printable(h.Entity)
		i := slices.IndexFunc(to, func(f *sighted) bool { return f.x.ID == h.ID && f.entity == entity })
		if i < 0 {
			i = len(to)
			to = append(to, &sighted{x: applies(h.ID), entity: entity, hostOnly: h.HostOnly})
		}
		to[i].rows = append(to[i].rows, row())
	}
	return to
}

// matchEvents looks for indicators in a batch that is in the log, and raises alerts
// before the batch is acknowledged. A batch that comes again, because it was not
// acknowledged, is looked at again: an alert takes an event in only once.
func (s *Server) matchEvents(ctx context.Context, b *eventlog.Batch, fresh bool) error {
	set := s.indicators.set.Load()
	if set.matcher.Empty() {
		return nil
	}
	var hits []alert.Hit
	var out []*sighted
	var d *device
	var applies func(id int64) *store.Indicator
	for rest := b.Records; len(rest) > 0; {
		rec, after, err := ev.Split(rest)
		if err != nil {
			break // the log has what was before it, too
		}
		rest = after
		if hits = set.matcher.Match(rec, hits[:0]); len(hits) == 0 {
			continue
		}
		if d == nil {
			if d = s.deviceOf(b.Device); d == nil {
				return nil
			}
			s.core.mu.RLock()
			group := d.group
			s.core.mu.RUnlock()
			applies = set.applying(group, s.now())
		}
		out = collect(out, relevant(hits, applies), applies, func() eventlog.Row {
			row := eventlog.Row{Device: b.Device, Time: b.At(rec.Head()), Received: b.Received, Record: rec}
			if !fresh {
				row = s.stored(ctx, row)
			}
			return row
		})
	}
	return s.raiseFound(ctx, d, out)
}

// deviceOf finds a device of the inventory by its id; nil: there is none.
func (s *Server) deviceOf(id inventory.DeviceID) *device {
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	d, err := s.core.named(exposure.Everywhere(), string(id))
	if err != nil {
		return nil
	}
	return d
}

// stored is an event as the log has it, whose time may be another than that of a
// batch which came again.
func (s *Server) stored(ctx context.Context, row eventlog.Row) eventlog.Row {
	const apart = time.Hour // of two estimates of the device's clock
	h := row.Record.Head()
	q := eventlog.Query{Scope: eventlog.Only(row.Device), From: row.Time.Add(-apart), To: row.Time.Add(apart), Actions: []ev.Action{h.Action},
		Filter: func(r eventlog.Row) bool { return r.Record.Head().Seq == h.Seq }}
	if rows, _, _, err := s.telemetry.log.Page(ctx, q, eventlog.Cursor{}, 1); err == nil && len(rows) == 1 {
		return rows[0]
	}
	return row
}

// raiseFound raises alerts of what was found on a device, or takes it into those that
// are open: one for each indicator and value.
func (s *Server) raiseFound(ctx context.Context, d *device, list []*sighted) error {
	var errs []error
	for _, f := range list {
		n, last := int64(len(f.rows)), slices.MaxFunc(f.rows, func(a, b eventlog.Row) int { return a.Time.Compare(b.Time) }).Time
		err := s.raiseOne(ctx, d, f)
		switch {
		case errors.Is(err, ErrConflict):
			s.log.WarnContext(ctx, "indicator matched, no alert raised", "indicator", f.x.ID, "device", d.id, "error", err)
		case err != nil:
			errs = append(errs, err)
			continue
		}
		s.indicators.note(f.x.ID, n, last)
	}
	return errors.Join(errs...)
}

func (s *Server) raiseOne(ctx context.Context, d *device, f *sighted) error {
	s.alerting.Lock()
	defer s.alerting.Unlock()
	now, title := s.now(), indicatorTitle(f.x, f.entity)
	was, rows := s.core.alerts.open(d.num, title), f.rows
	if was == nil {
		var err error
		if rows, err = s.unreported(ctx, d.num, title, f); err != nil || len(rows) == 0 {
			return err
		}
	}
	a := &store.Alert{ID: newAlertID(now), Device: d.num, Title: title, Description: indicatorText(f), Recommended: f.x.Recommended, Category: "SuspiciousActivity", Severity: f.x.Severity,
		Status: string(alert.New), Source: sourceIndicator, Maker: fmt.Sprintf("indicator %d", f.x.ID), Created: now, Updated: now}
	if was != nil {
		copied := *was
		a = &copied
		a.Events, a.Updated = slices.Clone(was.Events), now
	} else if s.openAlerts(d.num) >= mostOpenAlerts {
		return fmt.Errorf("%d alerts of the device are open: %w", mostOpenAlerts, ErrConflict)
	}
	edit := store.AlertEdit{Alert: a}
	beyond, lastBeyond := 0, time.Time{}
	for i := range rows {
		r := &rows[i]
		id := eventID(r)
		switch {
		case slices.Contains(a.Events, id):
			continue
		case len(a.Events) >= mostAlertEvents:
			beyond++
			if r.Time.After(lastBeyond) {
				lastBeyond = r.Time
			}
			continue
		}
		a.Events, edit.Events = append(a.Events, id), append(edit.Events, id)
		if a.FirstEvent.IsZero() || r.Time.Before(a.FirstEvent) {
			a.FirstEvent = r.Time
		}
		if r.Time.After(a.LastEvent) {
			a.LastEvent = r.Time
		}
		if len(edit.Events) > mostEvidentEvents {
			continue
		}
		if err := addEvidence(&edit, r); err != nil {
			return err
		}
	}
	if beyond > 0 { // counted only, and stored with others
		s.indicators.noteMore(a.ID, int64(beyond), lastBeyond)
	}
	switch {
	case len(edit.Events) == 0:
		return nil
	case was != nil:
		if err := s.st.ChangeAlerts(ctx, []store.AlertEdit{edit}); err != nil {
			return err
		}
	default:
		if err := s.st.AddAlert(ctx, edit); err != nil {
			return err
		}
		s.log.InfoContext(ctx, "alert raised", "alert", a.ID, "device", d.id, "severity", a.Severity, "by", a.Maker)
	}
	s.alertsChanged(d.num, a)
	return nil
}

func addEvidence(edit *store.AlertEdit, r *eventlog.Row) error {
	for _, x := range evidenceOf(r) {
		e, err := x.stored()
		if err != nil {
			return err
		}
		edit.Evidence = append(edit.Evidence, e)
		if x.Kind == evidenceUser {
			edit.Alert.UserName, edit.Alert.UserDomain = x.Account, x.Domain
		}
	}
	return nil
}

// openAlerts counts the alerts of a device that are not resolved.
func (s *Server) openAlerts(dev uint32) (n int) {
	for _, a := range s.core.alerts.of(dev) {
		if a.Status != string(alert.Resolved) {
			n++
		}
	}
	return n
}

// indicatorTitle is the title of an indicator's alert of a value: another for each of both.
func indicatorTitle(x *store.Indicator, entity string) string {
	tail := fmt.Sprintf(": %s (indicator %d)", ellipsis(entity, mostAlertEntity), x.ID)
	return ellipsis(x.Title, mostAlertTitle-utf8.RuneCountInString(tail)) + tail
}

func ellipsis(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

// indicatorText says what matched, and what was done about it: nothing but the alert.
func indicatorText(f *sighted) string {
	var b strings.Builder
	b.WriteString(f.x.Description)
	fmt.Fprintf(&b, "\n\nIndicator %d of type %s for %s matched %s.", f.x.ID, f.x.Type, f.x.Value, f.entity)
	if f.hostOnly {
		b.WriteString(" The event tells only the host: whether it was this path is not known.")
	}
	if alert.IndicatorAction(f.x.Action).Prevents() {
		fmt.Fprintf(&b, " Its action %s is not enforced on endpoints: this was detected, and nothing was blocked.", f.x.Action)
	}
	return ellipsis(b.String(), mostAlertText)
}

func (d *indicatorDesk) note(id, n int64, last time.Time) {
	d.counting.Lock()
	defer d.counting.Unlock()
	d.counts[id] = d.counts[id].plus(n, last)
}

func (d *indicatorDesk) noteMore(id string, n int64, last time.Time) {
	d.counting.Lock()
	defer d.counting.Unlock()
	d.more[id] = d.more[id].plus(n, last)
}

func (c indicatorCount) plus(n int64, last time.Time) indicatorCount {
	c.n += n
	if last.After(c.last) {
		c.last = last
	}
	return c
}

// storeCounts stores what was counted since the last time. What cannot be stored is
// counted on.
func (s *Server) storeCounts(ctx context.Context) error {
	d := s.indicators
	d.counting.Lock()
	counts, more := d.counts, d.more
	d.counts, d.more = map[int64]indicatorCount{}, map[string]indicatorCount{}
	d.counting.Unlock()
	err := s.storeMore(ctx, more)
	if err != nil {
		for id, n := range more {
			d.noteMore(id, n.n, n.last)
		}
	}
	if len(counts) == 0 {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var changed []*store.Indicator
	for id, n := range counts {
		if x := d.set.Load().byID[id]; x != nil {
			y := *x
			if y.Matched += n.n; n.last.After(y.LastMatched) {
				y.LastMatched = n.last
			}
			changed = append(changed, &y)
		}
	}
	if err2 := s.st.NoteIndicators(ctx, changed); err2 != nil {
		for id, n := range counts {
			d.note(id, n.n, n.last)
		}
		return errors.Join(err, err2)
	}
	d.with(changed, true)
	return err
}

// storeMore adds events to alerts that name as many as they may.
func (s *Server) storeMore(ctx context.Context, more map[string]indicatorCount) error {
	if len(more) == 0 {
		return nil
	}
	s.alerting.Lock()
	defer s.alerting.Unlock()
	var edits []store.AlertEdit
	for id, n := range more {
		was := s.core.alerts.get(id)
		if was == nil {
			continue
		}
		a := *was
		if a.Dropped += int(n.n); n.last.After(a.LastEvent) {
			a.LastEvent = n.last
		}
		a.Updated = s.now()
		edits = append(edits, store.AlertEdit{Alert: &a})
	}
	if err := s.st.ChangeAlerts(ctx, edits); err != nil {
		return err
	}
	for _, e := range edits {
		s.alertsChanged(e.Alert.Device, e.Alert)
	}
	return nil
}
