package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/picketsec/picket/internal/alert"
	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

// MostAlertsAtOnce is how many alerts one change may name.
const MostAlertsAtOnce = 1000

// checked is a change whose words are known.
func (c *AlertChange) checked() error {
	if c.Status == nil && c.AssignedTo == nil && c.Classification == nil && c.Determination == nil && c.Comment == "" {
		return Invalidf("status", "nothing is to be changed: give a status, assignedTo, a classification, a determination or a comment")
	}
	if c.Status != nil {
		v, ok := alert.ParseStatus(*c.Status)
		if !ok {
			return Invalidf("status", "%q is not one of New, InProgress, Resolved", *c.Status)
		}
		word := string(v)
		c.Status = &word
	}
	if c.Classification != nil {
		v, ok := alert.ParseClassification(*c.Classification)
		if !ok {
			return Invalidf("classification", "%q is not one of TruePositive, InformationalExpectedActivity, FalsePositive", *c.Classification)
		}
		word := string(v)
		c.Classification = &word
	}
	if c.Determination != nil {
		v, ok := alert.ParseDetermination(*c.Determination)
		if !ok {
			return Invalidf("determination", "%q is none that Picket knows", *c.Determination)
		}
		c.Determination = &v
	}
	if c.AssignedTo != nil {
		v := strings.TrimSpace(*c.AssignedTo)
		if utf8.RuneCountInString(v) > 200 {
			return Invalidf("assignedTo", "must have at most 200 characters")
		}
		c.AssignedTo = &v
	}
	c.Comment = strings.TrimSpace(c.Comment)
	if utf8.RuneCountInString(c.Comment) > mostAlertComment {
		return Invalidf("comment", "must have at most %d characters", mostAlertComment)
	}
	return nil
}

// apply changes an alert and says what of it is another than before.
func (c *AlertChange) apply(a *store.Alert, now time.Time) (changes []string) {
	set := func(name string, to *string, field *string) {
		if to == nil || *to == *field {
			return
		}
		changes = append(changes, fmt.Sprintf("%s: %s → %s", name, cmp.Or(*field, "none"), cmp.Or(*to, "none")))
		*field = *to
	}
	set("status", c.Status, &a.Status)
	set("assigned to", c.AssignedTo, &a.Assigned)
	set("classification", c.Classification, &a.Classification)
	set("determination", c.Determination, &a.Determination)
	if resolved := a.Status == string(alert.Resolved); resolved != !a.Resolved.IsZero() {
		a.Resolved = time.Time{}
		if resolved {
			a.Resolved = now
		}
	}
	return changes
}

// UpdateAlerts changes alerts, each in the same way: all of them or none. One
// that the caller does not see is ErrNotFound. An alert that is opened again
// while another of its title is open on the device is ErrConflict.
func (s *Server) UpdateAlerts(ctx context.Context, caller Caller, ids []string, ch AlertChange) error {
	if err := s.need(caller, AlertWrite); err != nil {
		return err
	}
	if len(ids) == 0 || len(ids) > MostAlertsAtOnce {
		return Invalidf("alertIds", "must be 1 to %d", MostAlertsAtOnce)
	}
	if err := ch.checked(); err != nil {
		return err
	}
	s.alerting.Lock()
	defer s.alerting.Unlock()
	now := s.now()
	var edits []store.AlertEdit
	var before, after []map[string]string
	c := s.core
	c.mu.RLock()
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		was, _ := c.visibleAlert(caller.sees(), id)
		if was == nil {
			c.mu.RUnlock()
			return fmt.Errorf("alert %q: %w", id, ErrNotFound)
		}
		a := *was
		notes := []store.AlertNote{}
		for _, text := range ch.apply(&a, now) {
			notes = append(notes, store.AlertNote{At: now, By: caller.Name, Kind: store.AlertChange, Text: text})
		}
		if ch.Comment != "" {
			notes = append(notes, store.AlertNote{At: now, By: caller.Name, Kind: store.AlertComment, Text: ch.Comment})
		}
		if o := c.alerts.open(a.Device, a.Title); was.Status == string(alert.Resolved) && a.Status != was.Status && o != nil {
			c.mu.RUnlock()
			return fmt.Errorf("alert %s has the same title and device and is open already: %w", o.ID, ErrConflict)
		}
		if len(notes) > 0 {
			a.Updated = now
			edits = append(edits, store.AlertEdit{Alert: &a, Notes: notes})
			before, after = append(before, wordsOf(was)), append(after, wordsOf(&a))
		}
	}
	c.mu.RUnlock()
	if err := oneOpen(edits); err != nil || len(edits) == 0 {
		return err
	}
	object := ""
	if len(edits) == 1 {
		object = edits[0].Alert.ID
	}
	audit.Change(ctx, object, before, after)
	if err := s.st.ChangeAlerts(ctx, edits); err != nil {
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("an alert was removed meanwhile: look again: %w", ErrConflict)
		}
		return err
	}
	byDevice := map[uint32][]*store.Alert{}
	for _, e := range edits {
		byDevice[e.Alert.Device] = append(byDevice[e.Alert.Device], e.Alert)
	}
	for dev, list := range byDevice {
		s.alertsChanged(dev, list...)
	}
	return nil
}

// oneOpen refuses to open two alerts of one title on a device at once.
func oneOpen(edits []store.AlertEdit) error {
	type of struct {
		device uint32
		title  string
	}
	open := map[of]string{}
	for _, e := range edits {
		k := of{e.Alert.Device, e.Alert.Title}
		if e.Alert.Status == string(alert.Resolved) {
			continue
		}
		if id, ok := open[k]; ok {
			return fmt.Errorf("alerts %s and %s have the same title and device: only one of them can be open: %w", id, e.Alert.ID, ErrConflict)
		}
		open[k] = e.Alert.ID
	}
	return nil
}

// wordsOf is what the audit log shows of an alert.
func wordsOf(a *store.Alert) map[string]string {
	return map[string]string{"id": a.ID, "status": a.Status, "assigned_to": a.Assigned, "classification": a.Classification, "determination": a.Determination}
}

// alertsChanged takes stored changes of a device's alerts into memory, and
// tells of them. The caller holds alerting.
func (s *Server) alertsChanged(dev uint32, list ...*store.Alert) {
	c := s.core
	c.mu.Lock()
	was := c.alerts.devices().Contains(dev)
	for _, a := range list {
		c.alerts.put(a)
	}
	c.weighAlerts(dev)
	d := c.at(dev)
	if d != nil && c.alerts.devices().Contains(dev) != was {
		c.forgetDevice(exposure.DeviceDiff{Removed: c.fleet.DeviceComponents(dev)}) // rows say which devices have alerts
	}
	c.mu.Unlock()
	if d != nil {
		s.live.publish(LiveEvent{Resource: "alert", ID: string(d.id)})
	}
}

// weighAlerts tells the scores which alerts of a device are active. The caller
// holds mu for writing.
func (c *core) weighAlerts(dev uint32) {
	var in []exposure.AlertInput
	for _, a := range c.alerts.of(dev) {
		if isActive(a) {
			in = append(in, exposure.AlertInput{ID: a.ID, Points: exposure.AlertPoints(a.Severity)})
		}
	}
	c.fleet.Scores().SetAlerts(dev, in)
}

// forgetAlerts removes alerts that were resolved so long ago that they are kept
// no longer.
func (s *Server) forgetAlerts(ctx context.Context) error {
	s.alerting.Lock()
	defer s.alerting.Unlock()
	var old []*store.Alert
	var seqs []int64
	for _, a := range s.core.alerts.all() {
		if !a.Resolved.IsZero() && s.now().Sub(a.Updated) > keepAlertsFor {
			old, seqs = append(old, a), append(seqs, a.Seq)
		}
	}
	if len(old) == 0 {
		return nil
	}
	if err := s.st.RemoveAlerts(ctx, seqs); err != nil {
		return err
	}
	for _, a := range old {
		s.core.alerts.drop(a)
	}
	s.log.InfoContext(ctx, "old alerts removed", "alerts", len(old))
	return nil
}
