package server

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/picketsec/picket/internal/alert"
	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
)

// Limits of an alert.
const (
	mostAlertTitle      = 256
	mostAlertText       = 4000
	mostAlertTechniques = 20
	mostAlertEvents     = 200  // that an alert refers to; more are counted
	mostOpenAlerts      = 1000 // of a device
	mostAlertComment    = 30_000
	keepAlertsFor       = 180 * 24 * time.Hour // after they were resolved
	sameInstant         = time.Second          // a program's time of an event may be cut to the second
)

// Detection sources, as the Defender API names them.
const (
	sourceCustom     = "CustomDetection"   // a person raised it
	sourceThirdParty = "ThirdPartySensors" // a program raised it
)

// checked is a new alert whose words are known.
func (n *NewAlert) checked() error {
	sev, ok := alert.ParseSeverity(n.Severity)
	if !ok || sev == alert.Unspecified {
		return Invalidf("severity", "%q is not one of Informational, Low, Medium, High", n.Severity)
	}
	n.Severity = string(sev)
	if n.Category, ok = alert.ParseCategory(n.Category); !ok {
		return Invalidf("category", "is not one of %s", strings.Join(alert.Categories, ", "))
	}
	for _, t := range []struct {
		name string
		text *string
		most int
	}{{"title", &n.Title, mostAlertTitle}, {"description", &n.Description, mostAlertText}, {"recommendedAction", &n.Recommended, mostAlertText}} {
		*t.text = strings.TrimSpace(*t.text)
		if *t.text == "" || utf8.RuneCountInString(*t.text) > t.most {
			return Invalidf(t.name, "must have 1 to %d characters", t.most)
		}
	}
	if len(n.Techniques) > mostAlertTechniques {
		return Invalidf("mitreTechniques", "are more than %d", mostAlertTechniques)
	}
	n.Techniques = slices.Clone(n.Techniques)
	for i, t := range n.Techniques {
		if n.Techniques[i] = strings.ToUpper(strings.TrimSpace(t)); !alert.IsTechnique(n.Techniques[i]) {
			return Invalidf("mitreTechniques", "%q is no ATT&CK technique such as T1053 or T1053.003", t)
		}
	}
	slices.Sort(n.Techniques)
	n.Techniques = slices.Compact(n.Techniques)
	if n.EventTime.IsZero() {
		return Invalidf("eventTime", "is the time of the event")
	}
	return nil
}

// CreateAlert raises an alert about an event that a device has in its timeline.
// An open alert of the same device and title takes the event in instead: made
// is false then. Without such an event it is ErrNotFound.
func (s *Server) CreateAlert(ctx context.Context, caller Caller, n NewAlert) (out Alert, made bool, err error) {
	if err := s.need(caller, AlertWrite); err != nil {
		return Alert{}, false, err
	}
	s.core.mu.RLock()
	d, err := s.core.named(caller.sees(), n.Device)
	s.core.mu.RUnlock()
	if err != nil {
		return Alert{}, false, err
	}
	if err := n.checked(); err != nil {
		return Alert{}, false, err
	}
	r, err := s.referredEvent(ctx, d.id, n.EventTime, n.Report)
	if err != nil {
		return Alert{}, false, err
	}
	id, made, err := s.raise(ctx, caller, d, &n, r)
	if err != nil {
		return Alert{}, false, err
	}
	out, err = s.Alert(ctx, caller, id)
	return out, made, err
}

// referredEvent finds an event of a device by its number and time; its id in the
// timeline says both.
func (s *Server) referredEvent(ctx context.Context, id inventory.DeviceID, at time.Time, report string) (*eventlog.Row, error) {
	q := eventlog.Query{Scope: eventlog.Only(id), From: at.Add(-sameInstant), To: at.Add(sameInstant)}
	match := func(eventlog.Cursor) bool { return false }
	if cur, err := parseEventID(report); err == nil {
		match = func(c eventlog.Cursor) bool { return c == cur }
	} else if n, err := strconv.ParseUint(report, 10, 64); err == nil {
		match = func(c eventlog.Cursor) bool { return c.Seq == n }
	} else {
		return nil, Invalidf("reportId", "is the number of an event, or its id in the timeline")
	}
	q.Filter = func(r eventlog.Row) bool { return match(rowCursor(&r)) }
	rows, _, _, err := s.telemetry.log.Page(ctx, q, eventlog.Cursor{}, 100)
	if err != nil {
		return nil, fmt.Errorf("read events of %s: %w", id, err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("event %s of device %s at %s: %w", report, id, at.UTC().Format(time.RFC3339Nano), ErrNotFound)
	}
	// Kinds number their events each for themselves: the nearest in time is meant.
	near := slices.MinFunc(rows, func(a, b eventlog.Row) int { return cmp.Compare(a.Time.Sub(at).Abs(), b.Time.Sub(at).Abs()) })
	return &near, nil
}

// raise stores an alert about an event, or takes the event into an open one.
func (s *Server) raise(ctx context.Context, caller Caller, d *device, n *NewAlert, r *eventlog.Row) (id string, made bool, err error) {
	found := evidenceOf(r)
	var evidence []store.AlertEvidence
	for i := range found {
		e, err := found[i].stored()
		if err != nil {
			return "", false, err
		}
		evidence = append(evidence, e)
	}
	s.alerting.Lock()
	defer s.alerting.Unlock()
	now := s.now()
	if was := s.core.alerts.open(d.num, n.Title); was != nil {
		return was.ID, false, s.merge(ctx, caller, was, n, r, evidence)
	}
	open := 0
	for _, a := range s.core.alerts.of(d.num) {
		if a.Status != string(alert.Resolved) {
			open++
		}
	}
	if open >= mostOpenAlerts {
		return "", false, fmt.Errorf("%d alerts of the device are open: resolve some first: %w", open, ErrConflict)
	}
	a := &store.Alert{ID: newAlertID(now), Device: d.num, Title: n.Title, Description: n.Description, Recommended: n.Recommended, Category: n.Category, Severity: n.Severity,
		Status: string(alert.New), Techniques: n.Techniques, Source: sourceCustom, Maker: caller.Name, Created: now, Updated: now, FirstEvent: r.Time, LastEvent: r.Time,
		Events: []string{eventID(r)}}
	if caller.App != "" {
		a.Source = sourceThirdParty
	}
	for i := range found {
		if found[i].Kind == evidenceUser {
			a.UserName, a.UserDomain = found[i].Account, found[i].Domain
		}
	}
	audit.Change(ctx, a.ID, nil, map[string]any{"device": d.id, "title": a.Title, "severity": a.Severity, "category": a.Category, "event": a.Events[0]})
	if err := s.st.AddAlert(ctx, store.AlertEdit{Alert: a, Evidence: evidence, Events: a.Events}); err != nil {
		return "", false, err
	}
	s.alertsChanged(d.num, a)
	s.log.InfoContext(ctx, "alert raised", "alert", a.ID, "device", d.id, "severity", a.Severity, "by", caller.Name)
	return a.ID, true, nil
}

// merge takes an event into an open alert. The caller holds alerting.
func (s *Server) merge(ctx context.Context, caller Caller, was *store.Alert, n *NewAlert, r *eventlog.Row, evidence []store.AlertEvidence) error {
	a := *was
	edit := store.AlertEdit{Alert: &a}
	id, now := eventID(r), s.now()
	switch {
	case slices.Contains(a.Events, id):
	case len(a.Events) >= mostAlertEvents:
		a.Dropped++
	default:
		a.Events = append(slices.Clone(a.Events), id)
		edit.Events, edit.Evidence = []string{id}, evidence
	}
	if r.Time.Before(a.FirstEvent) {
		a.FirstEvent = r.Time
	}
	if r.Time.After(a.LastEvent) {
		a.LastEvent = r.Time
	}
	if alert.Severity(n.Severity).Rank() > alert.Severity(a.Severity).Rank() {
		edit.Notes = append(edit.Notes, store.AlertNote{At: now, By: caller.Name, Kind: store.AlertChange, Text: "severity: " + a.Severity + " → " + n.Severity + ", by a further event"})
		a.Severity = n.Severity
	}
	a.Techniques = slices.Concat(a.Techniques, n.Techniques)
	slices.Sort(a.Techniques)
	a.Techniques = slices.Compact(a.Techniques)
	a.Techniques = a.Techniques[:min(len(a.Techniques), mostAlertTechniques)]
	a.Updated = now
	audit.Change(ctx, a.ID, map[string]any{"severity": was.Severity, "events": len(was.Events)}, map[string]any{"severity": a.Severity, "events": len(a.Events), "event": id})
	if err := s.st.ChangeAlerts(ctx, []store.AlertEdit{edit}); err != nil {
		return err
	}
	s.alertsChanged(a.Device, &a)
	return nil
}

// newAlertID makes an id of the form da<digits>_<digits with a sign>.
func newAlertID(now time.Time) string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process rather than return less
	const ticks1970 = 621355968000000000
	return fmt.Sprintf("da%d_%d", ticks1970+now.UnixNano()/100, int32(binary.BigEndian.Uint32(b[:])))
}

// EventTime is the time in an event's id, the zero time where it is no such id.
func EventTime(id string) time.Time {
	c, err := parseEventID(id)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(0, c.Time).UTC()
}
