package server

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/picketsec/picket/internal/alert"
	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
)

const (
	// lookBackFor is how far a new indicator looks back in the stored events.
	lookBackFor = 30 * 24 * time.Hour
	// mostLookDevices is on how many devices, mostLookEvents how many events of each, the newest.
	mostLookDevices = 1000
	mostLookEvents  = 50
	// mostLookScanned is how many events of what the log has no index for.
	mostLookScanned = 5000
	// indicatorEvery is how often what was counted is stored.
	indicatorEvery = 10 * time.Second
)

// lookSoon says that there is something to look back for.
func (s *Server) lookSoon() {
	select {
	case s.indicators.soon <- struct{}{}:
	default:
	}
}

// runIndicators looks for new indicators in stored events, stores what was counted and
// removes what has expired long ago, until ctx ends.
func (s *Server) runIndicators(ctx context.Context) error {
	tick := time.NewTicker(indicatorEvery)
	defer tick.Stop()
	s.lookSoon()
	for {
		select {
		case <-ctx.Done():
			if err := s.storeCounts(context.WithoutCancel(ctx)); err != nil {
				s.log.ErrorContext(ctx, "store matches of indicators", "error", err)
			}
			return ctx.Err()
		case <-s.indicators.soon:
			s.lookBack(ctx)
		case <-tick.C:
		}
		if err := errors.Join(s.storeCounts(ctx), s.removeExpired(ctx)); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "store matches of indicators", "error", err)
		}
	}
}

// removeExpired removes what expired long ago.
func (s *Server) removeExpired(ctx context.Context) error {
	d := s.indicators
	d.mu.Lock()
	defer d.mu.Unlock()
	before := s.now().Add(-keepExpired)
	var gone []int64
	for _, x := range d.set.Load().list {
		if expired(x, before) {
			gone = append(gone, x.ID)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	if err := s.st.DeleteIndicators(ctx, gone); err != nil {
		return fmt.Errorf("remove expired indicators: %w", err)
	}
	d.put(slices.DeleteFunc(slices.Clone(d.set.Load().list), func(x *store.Indicator) bool { return slices.Contains(gone, x.ID) }), nil)
	return nil
}

// lookBack looks for every indicator that waits for it, the oldest first.
func (s *Server) lookBack(ctx context.Context) {
	for ctx.Err() == nil {
		list := s.indicators.set.Load().list
		i := slices.IndexFunc(list, func(x *store.Indicator) bool { return x.Look == LookWaiting })
		if i < 0 {
			return
		}
		x := list[i]
		s.noteLook(ctx, x, LookRunning, 0, 0)
		devices, events, whole, err := s.lookForOne(ctx, x)
		state := LookDone
		switch {
		case ctx.Err() != nil:
			return // it begins anew at the next start
		case err != nil:
			state = LookFailed
			s.log.ErrorContext(ctx, "look for an indicator in stored events", "indicator", x.ID, "error", err)
		case !whole:
			state = LookPartial
		}
		s.noteLook(ctx, x, state, devices, events)
	}
}

// noteLook notes how far the look for an indicator is, unless that was changed meanwhile.
func (s *Server) noteLook(ctx context.Context, x *store.Indicator, state string, devices, events int) {
	d := s.indicators
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.set.Load().byID[x.ID]
	if now == nil || !now.Updated.Equal(x.Updated) {
		return
	}
	y := *now
	y.Look, y.LookDevices, y.LookEvents = state, devices, events
	if err := s.st.NoteIndicators(ctx, []*store.Indicator{&y}); err != nil && ctx.Err() == nil {
		s.log.ErrorContext(ctx, "store how far a look for an indicator is", "indicator", x.ID, "error", err)
	}
	d.with([]*store.Indicator{&y}, true)
}

// lookForOne looks for one indicator and raises alerts of what it finds. whole says that
// this was all there is.
func (s *Server) lookForOne(ctx context.Context, x *store.Indicator) (devices, events int, whole bool, err error) {
	byDevice, whole, err := s.storedEvents(ctx, x)
	if err != nil {
		return 0, 0, false, err
	}
	set := s.indicators.set.Load()
	for id, rows := range byDevice {
		d := s.deviceOf(id)
		if d == nil {
			continue
		}
		s.core.mu.RLock()
		applies := set.applying(d.group, s.now())
		s.core.mu.RUnlock()
		var out []*sighted
		n := 0
		for _, row := range rows {
			hits := relevant(set.matcher.Match(row.Record, nil), applies)
			hits = slices.DeleteFunc(hits, func(h alert.Hit) bool { return h.ID != x.ID })
			if len(hits) > 0 {
				n++
			}
			out = collect(out, hits, applies, func() eventlog.Row { return row })
		}
		if err := s.raiseFound(ctx, d, out); err != nil {
			return devices, events, false, err
		}
		if n > 0 {
			devices, events = devices+1, events+n
		}
	}
	return devices, events, whole, nil
}

// storedEvents reads events of the last days that may be of an indicator, by device.
func (s *Server) storedEvents(ctx context.Context, x *store.Indicator) (map[inventory.DeviceID][]eventlog.Row, bool, error) {
	q := eventlog.EntityQuery{Scope: eventlog.Everything(), From: s.now().Add(-lookBackFor), ID: x.Key}
	switch alert.IndicatorType(x.Type) {
	case alert.FileSHA1, alert.FileSHA256:
		q.Kind = ev.EntityFile
	case alert.IPAddress:
		q.Kind = ev.EntityAddress
	case alert.DomainName:
		q.Kind = ev.EntityDomain
	case alert.URL:
		u, err := url.Parse(x.Key)
		if err != nil {
			return nil, false, err
		}
		q.Kind, q.ID = ev.EntityDomain, u.Hostname()
		if id, ok := ev.EntityID(ev.EntityAddress, q.ID); ok {
			q.Kind, q.ID = ev.EntityAddress, id
		}
	case alert.FileMD5:
		return s.scannedEvents(ctx, x)
	default:
		return nil, true, nil
	}
	seen, cost, err := s.telemetry.log.Sightings(ctx, q)
	if err != nil {
		return nil, false, err
	}
	whole := seen.Unlisted == 0 && cost.Damaged == 0
	out := map[inventory.DeviceID][]eventlog.Row{}
	for i := range seen.Devices {
		if i == mostLookDevices {
			return out, false, nil
		}
		one := q
		one.Scope = eventlog.Only(seen.Devices[i].Device)
		rows, cost, err := s.telemetry.log.Latest(ctx, one, mostLookEvents)
		if err != nil {
			return nil, false, err
		}
		whole = whole && cost.Damaged == 0 && len(rows) < mostLookEvents
		out[seen.Devices[i].Device] = rows
	}
	return out, whole, nil
}

// scannedEvents reads events with an MD5, which the log has no index of.
func (s *Server) scannedEvents(ctx context.Context, x *store.Indicator) (map[inventory.DeviceID][]eventlog.Row, bool, error) {
	out := map[inventory.DeviceID][]eventlog.Row{}
	n, whole := 0, true
	cost, err := s.telemetry.log.Scan(ctx, eventlog.Query{Scope: eventlog.Everything(), From: s.now().Add(-lookBackFor),
		Equals: []eventlog.Equal{{Columns: []ev.Column{ev.MD5, ev.InitiatingProcessMD5}, Values: []string{x.Key}}}}, func(r eventlog.Row) error {
		if n++; n > mostLookScanned {
			return eventlog.ErrStop
		}
		if len(out[r.Device]) < mostLookEvents {
			r.Record = slices.Clone(r.Record)
			out[r.Device] = append(out[r.Device], r)
		} else {
			whole = false
		}
		return nil
	})
	return out, whole && n <= mostLookScanned && cost.Damaged == 0, err
}
