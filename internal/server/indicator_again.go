package server

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/alert"
	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/store"
)

const (
	// sameVisit is how long a process may pause and still be at the same visit of an
	// address or a host. A browser runs for days: what it visits tomorrow is news.
	sameVisit = time.Hour
	// mostResolved is of how many resolved alerts, the last ones, the processes are known again.
	mostResolved = 10
)

// unreported are the events that a new alert is right for: not those that a resolved alert of
// the title tells of, and not what a process that it names does on. Of these the
// resolved alert counts more events. The caller holds alerting.
func (s *Server) unreported(ctx context.Context, dev uint32, title string, f *sighted) ([]eventlog.Row, error) {
	var old []*store.Alert
	for _, a := range slices.Backward(s.core.alerts.of(dev)) {
		if a.Title == title && a.Status == string(alert.Resolved) {
			old = append(old, a)
		}
	}
	if len(old) == 0 {
		return f.rows, nil
	}
	known, err := s.processesOf(ctx, old[:min(len(old), mostResolved)])
	if err != nil {
		return nil, err
	}
	var out []eventlog.Row
	for i := range f.rows {
		r := &f.rows[i]
		id := eventID(r)
		if slices.ContainsFunc(old, func(a *store.Alert) bool { return slices.Contains(a.Events, id) }) {
			continue
		}
		key, visits := f.acting(r)
		a := known[key]
		if key == "" || a == nil || visits && r.Time.Sub(s.indicators.lastOf(a)) > sameVisit {
			out = append(out, *r)
			continue
		}
		s.indicators.noteMore(a.ID, 1, r.Time)
	}
	return out, nil
}

// processesOf are the processes that alerts name, each with the newest of them.
func (s *Server) processesOf(ctx context.Context, newestFirst []*store.Alert) (map[string]*store.Alert, error) {
	seqs := make([]int64, len(newestFirst))
	for i, a := range newestFirst {
		seqs[i] = a.Seq
	}
	parts, err := s.st.AlertParts(ctx, seqs, true)
	if err != nil {
		return nil, err
	}
	out := map[string]*store.Alert{}
	for _, a := range newestFirst {
		list, err := decodeEvidence(parts[a.Seq].Evidence)
		if err != nil {
			return nil, err
		}
		for i := range list {
			if x := &list[i]; x.Kind == evidenceProcess && out[x.key()] == nil {
				out[x.key()] = a
			}
		}
	}
	return out, nil
}

// acting is the process by which an event is the same thing as before: the one that
// runs the file, or, with visits, the one that is at an address or a host. "": there is
// none, or it cannot be told from others of its number; then every event is a new thing.
func (f *sighted) acting(r *eventlog.Row) (key string, visits bool) {
	e := r.Record.Event()
	process := func(c, above processColumns) string {
		if x, ok := evidentProcess(&e, c, above); ok && !x.Began.IsZero() {
			return x.key()
		}
		return ""
	}
	has := func(columns ...ev.Column) bool {
		return slices.ContainsFunc(columns, func(c ev.Column) bool { return e.Text(c) != "" && strings.ToLower(e.Text(c)) == f.entity })
	}
	switch alert.IndicatorType(f.x.Type) {
	case alert.FileSHA1, alert.FileSHA256, alert.FileMD5:
		if has(ev.SHA1, ev.SHA256, ev.MD5) {
			if e.Kind() == ev.Process || e.Kind() == ev.ProcessEnd {
				return process(subject, initiator), false
			}
			return "", false // it was written, loaded, renamed: once more
		}
		return process(initiator, parent), false
	}
	return process(initiator, parent), true
}

// lastOf is when the last event of an alert was, counted ones too that are not stored yet.
func (d *indicatorDesk) lastOf(a *store.Alert) time.Time {
	d.counting.Lock()
	defer d.counting.Unlock()
	if more, ok := d.more[a.ID]; ok && more.last.After(a.LastEvent) {
		return more.last
	}
	return a.LastEvent
}
