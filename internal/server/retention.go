package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/audit"
	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/store"
)

const (
	retentionSetting = "event_retention"
	mostKeepDays     = 3650
	leastKeepBytes   = 1 << 30
	mostKeepBytes    = 1 << 50
	leastKindBytes   = 16 << 20
)

// Retention says how long events are kept.
type Retention struct {
	Days  int             `json:"days" minimum:"1" maximum:"3650" doc:"Days that events are kept."`
	Bytes int64           `json:"bytes" minimum:"1073741824" maximum:"1125899906842624" doc:"Bytes on disk that all events may take; the oldest go first."`
	Kinds []RetentionKind `json:"kinds" maxItems:"40" doc:"Kinds that are kept shorter or take less."`
}

// RetentionKind is the life of one kind of events.
type RetentionKind struct {
	Kind  string `json:"kind" maxLength:"40"`
	Days  int    `json:"days,omitempty" minimum:"0" maximum:"3650" doc:"0: as all others."`
	Bytes int64  `json:"bytes,omitempty" minimum:"0" maximum:"1125899906842624" doc:"0: no bound of its own; at least 16 MiB."`
}

// RetentionView is Retention with what is stored now.
type RetentionView struct {
	Retention
	Stored []StoredKind `json:"stored"`
	AsOf   time.Time    `json:"as_of"`
	// Damage is what of the log cannot be read, and what damage has cost since the log began.
	Damage LogDamage `json:"damage"`
}

// LogDamage is what of the log of events is damaged.
type LogDamage struct {
	Segments int   `json:"segments" doc:"Files that cannot be opened, of events that would still be kept."`
	Parts    int   `json:"parts" doc:"Blocks and indexes that cannot be read, of files that can be opened."`
	Events   int   `json:"events" doc:"Events in them, as far as is known."`
	LogBytes int64 `json:"log_bytes" doc:"Bytes of the write-ahead log that could not be read."`
	Ever     int   `json:"segments_ever" doc:"Files that could not be opened, ever."`
}

// logDamage adds up what is damaged.
func (s *Server) logDamage() LogDamage {
	out := LogDamage{Ever: s.telemetry.log.Stats().LostSegments}
	for _, d := range s.telemetry.log.Damages() {
		out.Events += d.Events
		out.LogBytes += d.Bytes
		switch d.What {
		case "segment":
			out.Segments++
		case "log":
		default:
			out.Parts++
		}
	}
	return out
}

// damageNotice says what of the log of events cannot be read; nil: nothing that is known of.
func (s *Server) damageNotice() *Notice {
	d := s.logDamage()
	var what []string
	for _, x := range []struct {
		n    int64
		text string
	}{{int64(d.Segments), "files"}, {int64(d.Parts), "parts of files"}, {d.LogBytes, "bytes of the write-ahead log"}} {
		if x.n > 0 {
			what = append(what, fmt.Sprintf("%d %s", x.n, x.text))
		}
	}
	if what == nil {
		return nil
	}
	return &Notice{"warning", "Stored events are damaged: " + strings.Join(what, ", ") + " cannot be read. Timelines of that time say so. Check the server's disk.", "/settings/retention"}
}

// StoredKind is what is kept of a kind now.
type StoredKind struct {
	Kind     string    `json:"kind"`
	Events   int       `json:"events"`
	Bytes    int64     `json:"bytes"`
	Oldest   time.Time `json:"oldest,omitzero"`
	DayBytes int64     `json:"day_bytes" doc:"Of bytes: what happened in the last 24 hours."`
	// WillHold is for how many days events are kept at the rate of the last 24
	// hours, by the days and the bytes that are set; 0: nothing came.
	WillHold float64 `json:"will_hold_days"`
}

func defaultRetention() Retention {
	return Retention{Days: int(keepEventsFor / (24 * time.Hour)), Bytes: keepEventBytes, Kinds: []RetentionKind{}}
}

// check refuses what cannot be; kinds without a bound of their own are left out.
func (r Retention) check() (Retention, error) {
	if r.Days < 1 || r.Days > mostKeepDays {
		return r, Invalidf("days", "must be 1 to %d", mostKeepDays)
	}
	if r.Bytes < leastKeepBytes || r.Bytes > mostKeepBytes {
		return r, Invalidf("bytes", "must be 1 GiB to 1 PiB")
	}
	kinds := []RetentionKind{}
	seen := map[string]bool{}
	for _, k := range r.Kinds {
		if _, ok := ev.KindOf(k.Kind); !ok || seen[k.Kind] {
			return r, Invalidf("kinds", "%q is no kind of events, or is there twice", k.Kind)
		}
		seen[k.Kind] = true
		if k.Days < 0 || k.Days > r.Days {
			return r, Invalidf("kinds", "%s: days must not be more than the %d of all events", k.Kind, r.Days)
		}
		if k.Bytes != 0 && (k.Bytes < leastKindBytes || k.Bytes > r.Bytes) {
			return r, Invalidf("kinds", "%s: bytes must be at least 16 MiB and not more than those of all events", k.Kind)
		}
		if k.Days != 0 || k.Bytes != 0 {
			kinds = append(kinds, k)
		}
	}
	r.Kinds = kinds
	return r, nil
}

func (r Retention) policy() eventlog.Policy {
	const day = 24 * time.Hour
	p := eventlog.Policy{Age: time.Duration(r.Days) * day, Bytes: r.Bytes, Kinds: map[ev.Kind]time.Duration{}, KindBytes: map[ev.Kind]int64{}}
	for _, k := range r.Kinds {
		kind, _ := ev.KindOf(k.Kind)
		if k.Days > 0 {
			p.Kinds[kind] = time.Duration(k.Days) * day
		}
		if k.Bytes > 0 {
			p.KindBytes[kind] = k.Bytes
		}
	}
	return p
}

// retention reads what is set.
func (s *Server) retention(ctx context.Context) (Retention, error) {
	raw, err := s.st.Setting(ctx, retentionSetting)
	if errors.Is(err, store.ErrNotFound) {
		return defaultRetention(), nil
	}
	if err != nil {
		return Retention{}, fmt.Errorf("read how long events are kept: %w", err)
	}
	var r Retention
	if err := json.Unmarshal(raw, &r); err != nil {
		return Retention{}, fmt.Errorf("read how long events are kept: %w", err)
	}
	return r.check()
}

// Retention tells how long events are kept, and what is stored.
func (s *Server) Retention(ctx context.Context, c Caller) (RetentionView, error) {
	if err := s.need(c, ManageSettings); err != nil {
		return RetentionView{}, err
	}
	r, err := s.retention(ctx)
	if err != nil {
		return RetentionView{}, err
	}
	return s.retentionView(r), nil
}

func (s *Server) retentionView(r Retention) RetentionView {
	out := RetentionView{Retention: r, Stored: []StoredKind{}, AsOf: s.now(), Damage: s.logDamage()}
	held := s.telemetry.log.Holdings(out.AsOf)
	perDay := int64(0)
	for _, h := range held {
		perDay += h.Day
	}
	for _, h := range held {
		k := StoredKind{Kind: h.Kind.String(), Events: h.Events, Bytes: h.Bytes, Oldest: h.Oldest, DayBytes: h.Day}
		if h.Day > 0 {
			k.WillHold = min(float64(r.Days), float64(r.Bytes)/float64(perDay))
			for _, own := range r.Kinds {
				if own.Kind == k.Kind && own.Days > 0 {
					k.WillHold = min(k.WillHold, float64(own.Days))
				}
				if own.Kind == k.Kind && own.Bytes > 0 {
					k.WillHold = min(k.WillHold, float64(own.Bytes)/float64(h.Day))
				}
			}
		}
		out.Stored = append(out.Stored, k)
	}
	return out
}

// SetRetention sets how long events are kept; it holds at once, and what goes is
// removed in the background.
func (s *Server) SetRetention(ctx context.Context, c Caller, r Retention) (RetentionView, error) {
	if err := s.need(c, ManageSettings); err != nil {
		return RetentionView{}, err
	}
	r, err := r.check()
	if err != nil {
		return RetentionView{}, err
	}
	was, err := s.retention(ctx)
	if err != nil {
		return RetentionView{}, err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return RetentionView{}, err
	}
	audit.Change(ctx, "retention", was, r)
	if err := s.st.SetSetting(ctx, retentionSetting, text); err != nil {
		return RetentionView{}, err
	}
	select {
	case s.telemetry.retain <- struct{}{}:
	default: // it is about to begin
	}
	return s.retentionView(r), nil
}

// runTelemetry removes events that are no longer kept, every hour and when it is
// set anew, until ctx ends.
func (s *Server) runTelemetry(ctx context.Context) error {
	tick := time.NewTicker(retainEvery)
	defer tick.Stop()
	for {
		r, err := s.retention(ctx)
		if err == nil {
			err = s.telemetry.log.Retain(ctx, r.policy(), s.now())
		}
		if err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "old events are not removed", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.telemetry.retain:
		case <-tick.C:
		}
	}
}
