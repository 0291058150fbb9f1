package server

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/alert"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

// noOne is how filters name that an alert is assigned to nobody, or not classified.
const noOne = "-"

func words[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

// alertAt reads the bounds of a filter by time.
func alertAt(q Query, name string) (time.Time, error) {
	v := q.Filter[name]
	if len(v) == 0 {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, v[0])
	if err != nil || len(v) > 1 {
		return t, Invalidf(name, "is one time, as 2026-01-02T03:04:05Z")
	}
	return t, nil
}

// alertList describes lists of alerts. Their bounds were read before.
func alertList(now, from, to time.Time, entity map[int64]bool, seq func(*AlertRow) int64) *list[AlertRow] {
	rank := func(r *AlertRow) int { return alert.Severity(r.Severity).Rank() }
	return &list[AlertRow]{
		text: func(r *AlertRow, has func(string) bool) bool {
			return has(r.Title) || has(r.DeviceName) || has(r.ID) || has(r.Description) || has(r.User) || slices.ContainsFunc(r.Techniques, func(t Technique) bool { return has(t.ID) || has(t.Name) })
		},
		filters: map[string]func(*AlertRow, []string) bool{
			"severity":       oneOf(func(r *AlertRow) string { return r.Severity }),
			"status":         oneOf(func(r *AlertRow) string { return r.Status }),
			"category":       oneOf(func(r *AlertRow) string { return r.Category }),
			"classification": oneOf(func(r *AlertRow) string { return cmp.Or(r.Classification, noOne) }),
			"source":         oneOf(func(r *AlertRow) string { return r.Source }),
			"assigned":       oneOf(func(r *AlertRow) string { return cmp.Or(r.AssignedTo, noOne) }),
			"device":         oneOf(func(r *AlertRow) string { return string(r.DeviceID) }),
			"device_group":   oneOf(func(r *AlertRow) string { return fmt.Sprint(r.GroupID) }),
			"active":         truth(func(r *AlertRow) bool { return r.Active }),
			"simulated":      truth(func(r *AlertRow) bool { return r.Simulated }),
			"technique": func(r *AlertRow, want []string) bool {
				return slices.ContainsFunc(r.Techniques, func(t Technique) bool {
					return slices.ContainsFunc(want, func(w string) bool { return alert.Under(t.ID, w) })
				})
			},
			"from":   func(r *AlertRow, _ []string) bool { return !r.Created.Before(from) },
			"to":     func(r *AlertRow, _ []string) bool { return r.Created.Before(to) },
			"entity": func(r *AlertRow, _ []string) bool { return entity[seq(r)] },
			"raised": func(r *AlertRow, v []string) bool {
				return slices.ContainsFunc(v, func(days string) bool { n, _ := strconv.Atoi(days); return !r.Created.Before(now.AddDate(0, 0, -n)) })
			},
			"investigation_state": oneOf(func(r *AlertRow) string { return cmp.Or(r.InvestigationState, noOne) }),
		},
		values: map[string][]string{"severity": words(alert.Severities), "status": words(alert.Statuses), "category": alert.Categories, "active": yesNo, "simulated": yesNo,
			"raised": {"1", "7", "30"}, "investigation_state": append([]string{noOne}, words(alert.InvestigationStates)...),
			"classification": {noOne, string(alert.TruePositive), string(alert.Expected), string(alert.FalsePositive)}},
		order: map[string]func(a, b *AlertRow) int{
			"created":     byTime(func(r *AlertRow) time.Time { return r.Created }),
			"updated":     byTime(func(r *AlertRow) time.Time { return r.Updated }),
			"first_event": byTime(func(r *AlertRow) time.Time { return r.FirstEvent }),
			"last_event":  byTime(func(r *AlertRow) time.Time { return r.LastEvent }),
			"title":       byText(func(r *AlertRow) string { return r.Title }),
			"severity":    byNumber(rank),
			"status":      byNumber(func(r *AlertRow) int { return slices.Index(alert.Statuses, alert.Status(r.Status)) }),
			"category":    byText(func(r *AlertRow) string { return r.Category }),
			"device":      byText(func(r *AlertRow) string { return r.DeviceName }),
			"assigned":    byText(func(r *AlertRow) string { return r.AssignedTo }),
			"user":        byText(func(r *AlertRow) string { return r.User }),

			"classification":      byText(func(r *AlertRow) string { return r.Classification }),
			"investigation_state": byText(func(r *AlertRow) string { return r.InvestigationState }),
			"id":                  byText(func(r *AlertRow) string { return r.ID }),
		},
		tie:     func(a, b *AlertRow) int { return strings.Compare(a.ID, b.ID) },
		initial: []string{"-created", "-severity"},
	}
}

// needOfAlerts are what filters of alerts ask for besides reading alerts.
var needOfAlerts = map[string]string{"weakness": VulnerabilityRead, "software": SoftwareRead, "recommendation": RecommendationRead}

// Alerts lists the alerts on the devices that the caller may see. where, when
// given, keeps only the rows for which it is true.
func (s *Server) Alerts(ctx context.Context, caller Caller, q Query, where func(*AlertRow) bool) (Page[AlertRow], error) {
	if err := s.need(caller, AlertRead, AlertWrite); err != nil {
		return Page[AlertRow]{}, err
	}
	for name, permission := range needOfAlerts {
		if len(q.Filter[name]) > 0 {
			if err := s.need(caller, permission); err != nil {
				return Page[AlertRow]{}, err
			}
		}
	}
	from, err := alertAt(q, "from")
	if err != nil {
		return Page[AlertRow]{}, err
	}
	to, err := alertAt(q, "to")
	if err != nil {
		return Page[AlertRow]{}, err
	}
	entity, err := s.alertsOfEntities(ctx, q.Filter["entity"])
	if err != nil {
		return Page[AlertRow]{}, err
	}
	if len(q.Filter["recommendation"]) > 0 {
		if err := s.core.settle(ctx); err != nil {
			return Page[AlertRow]{}, err
		}
	}
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	l := c.lens(caller)
	on := c.affects(l, q.Filter)
	q.Filter = withoutAffects(q.Filter)
	bySeq := map[string]int64{}
	rows := c.alertRows(l, on, where, func(a *store.Alert) {
		if entity != nil {
			bySeq[a.ID] = a.Seq
		}
	})
	p, err := alertList(s.now(), from, to, entity, func(r *AlertRow) int64 { return bySeq[r.ID] }).page(q, rows)
	c.countElsewhere(caller.sees(), Each(p.Items))
	return p, err
}

// countElsewhere fills in on how many other devices of a scope there is an active
// alert with the title of each row. The caller holds mu for reading.
func (c *core) countElsewhere(in exposure.Scope, rows iter.Seq[*AlertRow]) {
	on := map[string]*roaring.Bitmap{}
	for r := range rows {
		on[r.Title] = roaring.New()
	}
	for _, a := range c.alerts.all() {
		if devs := on[a.Title]; devs != nil && isActive(a) {
			if d := c.at(a.Device); d != nil && in.Has(d.group) {
				devs.Add(d.num)
			}
		}
	}
	for r := range rows {
		r.Elsewhere = int(on[r.Title].GetCardinality())
		if num, ok := c.byID[r.DeviceID]; ok && on[r.Title].Contains(num) {
			r.Elsewhere--
		}
	}
}

// DeviceAlerts lists the alerts on one device, by its id or name.
func (s *Server) DeviceAlerts(ctx context.Context, caller Caller, idOrName string, q Query, where func(*AlertRow) bool) (Page[AlertRow], error) {
	if err := s.need(caller, AlertRead, AlertWrite); err != nil {
		return Page[AlertRow]{}, err
	}
	s.core.mu.RLock()
	d, err := s.core.named(caller.sees(), idOrName)
	s.core.mu.RUnlock()
	if err != nil {
		return Page[AlertRow]{}, err
	}
	filter := maps.Clone(q.Filter)
	if filter == nil {
		filter = map[string][]string{}
	}
	filter["device"] = []string{string(d.id)}
	q.Filter = filter
	return s.Alerts(ctx, caller, q, where)
}

// EntityAlerts lists the alerts whose evidence names a file by its hash, an
// address, a host or an account; an account may be named with its domain. Of what
// no alert names the list is empty. It is an *InputError of field "id" when id is
// no such thing.
func (s *Server) EntityAlerts(ctx context.Context, caller Caller, kind, id string, q Query, where func(*AlertRow) bool) (Page[AlertRow], error) {
	if err := s.need(caller, AlertRead, AlertWrite); err != nil {
		return Page[AlertRow]{}, err
	}
	if _, err := entityID(kind, id); err != nil {
		return Page[AlertRow]{}, err
	}
	filter := maps.Clone(q.Filter)
	if filter == nil {
		filter = map[string][]string{}
	}
	filter["entity"] = []string{kind + ":" + id}
	q.Filter = filter
	return s.Alerts(ctx, caller, q, where)
}

// withoutAffects are filters without those that affects has looked at.
func withoutAffects(filter map[string][]string) map[string][]string {
	out := map[string][]string{}
	for name, values := range filter {
		if _, ok := needOfAlerts[name]; !ok {
			out[name] = values
		}
	}
	return out
}

// alertRows are the rows of alerts on devices of a lens, and of on where that is
// not nil. The caller holds mu for reading.
func (c *core) alertRows(l lens, on *roaring.Bitmap, where func(*AlertRow) bool, note func(*store.Alert)) []*AlertRow {
	rows := []*AlertRow{}
	for _, a := range c.alerts.all() {
		d := c.at(a.Device)
		if d == nil || l.devs != nil && !l.devs.Contains(d.num) || on != nil && !on.Contains(d.num) {
			continue
		}
		r := c.alertRow(a, d)
		if where == nil || where(r) {
			note(a)
			rows = append(rows, r)
		}
	}
	return rows
}

// alertsOfEntities are the alerts whose evidence names one of some entities, by
// seq; nil: no entity is asked for.
func (s *Server) alertsOfEntities(ctx context.Context, entities []string) (map[int64]bool, error) {
	if len(entities) == 0 {
		return nil, nil
	}
	out := map[int64]bool{}
	for _, e := range entities {
		kind, value, ok := strings.Cut(e, ":")
		if !ok || !slices.Contains([]string{EntityFile, EntityIP, EntityDomain, EntityUser}, kind) {
			return nil, Invalidf("entity", "%q is not file:…, ip:…, domain:… or user:…", e)
		}
		if kept, err := entityID(kind, value); err == nil { // the same thing, written otherwise
			value = kept
		}
		some, err := s.st.AlertsOf(ctx, store.AlertEntity{Kind: kind, Value: strings.ToLower(value)})
		if err != nil {
			return nil, err
		}
		for seq := range some {
			out[seq] = true
		}
	}
	return out, nil
}

// FillAlerts adds comments, and evidence when it is asked for, to rows that
// Alerts returned to the same caller.
func (s *Server) FillAlerts(ctx context.Context, caller Caller, rows []AlertRow, evidence bool) error {
	if err := s.need(caller, AlertRead, AlertWrite); err != nil {
		return err
	}
	seqs := make([]int64, 0, len(rows))
	at := map[int64]*AlertRow{}
	s.core.mu.RLock()
	for i := range rows {
		if a, _ := s.core.visibleAlert(caller.sees(), rows[i].ID); a != nil {
			seqs = append(seqs, a.Seq)
			at[a.Seq] = &rows[i]
		}
	}
	s.core.mu.RUnlock()
	parts, err := s.st.AlertParts(ctx, seqs, evidence)
	if err != nil {
		return err
	}
	for seq, r := range at {
		for _, n := range parts[seq].Notes {
			if n.Kind == store.AlertComment {
				r.Comments = append(r.Comments, AlertNote(n))
			}
		}
		if r.Evidence, err = decodeEvidence(parts[seq].Evidence); err != nil {
			return err
		}
	}
	return nil
}

func decodeEvidence(list [][]byte) ([]AlertEvidence, error) {
	out := []AlertEvidence{}
	for _, raw := range list {
		var e AlertEvidence
		if err := json.Unmarshal(raw, &e); err != nil {
			return nil, fmt.Errorf("read evidence of an alert: %w", err)
		}
		out = append(out, e)
	}
	return out, nil
}

// mostOtherAlerts is how many other alerts of its device an alert names.
const mostOtherAlerts = 20

// Alert is one alert with its evidence and history.
func (s *Server) Alert(ctx context.Context, caller Caller, id string) (Alert, error) {
	if err := s.need(caller, AlertRead, AlertWrite); err != nil {
		return Alert{}, err
	}
	c := s.core
	c.mu.RLock()
	a, d := c.visibleAlert(caller.sees(), id)
	if a == nil {
		c.mu.RUnlock()
		return Alert{}, fmt.Errorf("alert %q: %w", id, ErrNotFound)
	}
	out := Alert{AlertRow: *c.alertRow(a, d), EventIDs: slices.Clone(a.Events), Dropped: a.Dropped, Notes: []AlertNote{}, Others: []AlertRef{},
		Risk: c.alerts.risk(d.num), Exposure: c.exposureOf(d), AsOf: s.now()}
	others := slices.Clone(c.alerts.of(d.num))
	c.countElsewhere(caller.sees(), slices.Values([]*AlertRow{&out.AlertRow}))
	c.mu.RUnlock()
	slices.SortFunc(out.EventIDs, func(x, y string) int {
		p, _ := parseEventID(x)
		q, _ := parseEventID(y)
		return cmp.Or(cmp.Compare(q.Time, p.Time), strings.Compare(y, x))
	})
	if out.EventIDs == nil {
		out.EventIDs = []string{}
	}
	for _, o := range slices.Backward(others) {
		if o.ID != a.ID && isActive(o) && len(out.Others) < mostOtherAlerts {
			out.Others = append(out.Others, AlertRef{ID: o.ID, Title: o.Title, Severity: o.Severity, Time: o.LastEvent})
		}
	}
	parts, err := s.st.AlertParts(ctx, []int64{a.Seq}, true)
	if err != nil {
		return Alert{}, err
	}
	for _, n := range slices.Backward(parts[a.Seq].Notes) {
		out.Notes = append(out.Notes, AlertNote(n))
	}
	for _, n := range parts[a.Seq].Notes {
		if n.Kind == store.AlertComment {
			out.Comments = append(out.Comments, AlertNote(n))
		}
	}
	if out.Evidence, err = decodeEvidence(parts[a.Seq].Evidence); err != nil {
		return Alert{}, err
	}
	out.AlertRow.Evidence = out.Evidence
	return out, nil
}
