package server

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/exposure"
)

// topRows is how many rows a card of the dashboard has.
const topRows = 5

// Dashboard is what the vulnerability management dashboard shows, all of one
// moment. Cards that the caller has no permission for are empty.
func (s *Server) Dashboard(ctx context.Context, caller Caller) (Dashboard, error) {
	if err := s.need(caller, ScoreRead); err != nil {
		return Dashboard{}, err
	}
	if err := s.core.settle(ctx); err != nil {
		return Dashboard{}, err
	}
	now := time.Now().UTC()
	trends, err := s.trends(ctx, caller, now)
	if err != nil {
		return Dashboard{}, err
	}
	events, err := s.core.events.between(ctx, s.st, now.Add(-trendShown), time.Time{})
	if err != nil {
		return Dashboard{}, err
	}
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	l := s.core.lens(caller)
	out := s.core.dashboard(l, now)
	out.Remediations, out.RemediationN = s.core.topRemediations(l, now)
	s.core.dashboardEvents(&out, events, l, now)
	trends.end(&out)
	s.core.recommendationTrends(out.Recommendations, l)
	for i := range out.Software {
		out.Software[i].Trend = s.core.trends.of(softwareCause(out.Software[i].ID), l.groups, out.Software[i].Exposed)
	}
	out.withhold(caller)
	return out, nil
}

// withhold empties the cards that a caller has no permission for.
func (d *Dashboard) withhold(c Caller) {
	if !c.Has(RecommendationRead) {
		d.Recommendations, d.RecCount = []RecommendationRow{}, 0
	}
	if !c.Has(SoftwareRead) {
		d.Software = []TopSoftware{}
	}
	if !c.Has(MachineRead) {
		d.Devices = []TopDevice{}
	}
	if !c.Has(RemediationRead) && !c.Has(RemediationWrite) {
		d.Remediations, d.RemediationN = []TopRemediation{}, 0
	}
	if !c.Has(VulnerabilityRead) {
		d.Weaknesses, d.Exploitable, d.KEV = 0, 0, 0
		d.TopEvents, d.EventDays, d.CheckDays = []EventRow{}, []EventDay{}, []EventDay{}
	}
}

// dashboard is the dashboard without its trend. The caller holds mu for reading.
func (c *core) dashboard(l lens, now time.Time) Dashboard {
	d := Dashboard{Score: c.scoreView(l), Secure: secureView(c.secureScore(l), now), Recommendations: []RecommendationRow{}, Software: []TopSoftware{}, Devices: c.topDevices(l, now)}
	reliefs := c.reliefs(l)
	for i := range reliefs {
		r := &reliefs[i]
		switch {
		case r.Check >= 0 || r.Remedy != exposure.Gone:
			d.RecCount++
			if len(d.Recommendations) < topRows {
				if row := c.recommendationRow(l, r); row != nil {
					d.Recommendations = append(d.Recommendations, *row)
				}
			}
		case len(d.Software) < topRows:
			if soft, ok := c.softwareRow(l, r.Product); ok {
				d.Software = append(d.Software, TopSoftware{ID: soft.ID, Name: soft.Name, Vendor: soft.Vendor, Weaknesses: soft.Weaknesses,
					Exposed: r.Devices, Installed: soft.Installed, Threats: soft.Threats, Impact: r.Impact.Float(), Tags: soft.Tags})
			}
		}
	}
	for w := range c.fleet.ExposedRatings(l.devs) {
		d.Weaknesses++
		if w.Exploitable {
			d.Exploitable++
		}
		if w.KEV {
			d.KEV++
		}
	}
	return d
}

// topDevices are the devices of the highest scores.
func (c *core) topDevices(l lens, now time.Time) []TopDevice {
	top := keep(&c.kept, c.mu.state(), "top devices "+l.key(), func() ([]scored, int) { return c.topScored(l), 16 * topRows })
	out := make([]TopDevice, 0, len(top))
	for _, t := range top {
		out = append(out, TopDevice{ID: t.d.id, Name: t.d.sum.Name, OSName: t.d.sum.OSName, Score: t.score.Float(), Level: exposure.LevelOf(t.score.Float()),
			Weaknesses: int(c.fleet.DeviceCounts(t.d.num).Weaknesses), LastSeen: t.d.lastSeen(now)})
	}
	return out
}

// scored is a device with its score.
type scored struct {
	d     *device
	score exposure.Score
}

func (c *core) topScored(l lens) []scored {
	all := make([]scored, 0, len(c.devices))
	for _, d := range c.devices {
		if d == nil || l.devs != nil && !l.devs.Contains(d.num) {
			continue
		}
		if score, _, ok := c.fleet.Scores().DeviceScore(d.num); ok && score > 0 {
			all = append(all, scored{d, score})
		}
	}
	return window(all, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.score, a.score), strings.Compare(string(a.d.id), string(b.d.id)))
	}, 0, topRows)
}

func deviceRecommendationList() *list[DeviceRecommendationRow] {
	return &list[DeviceRecommendationRow]{
		text: func(r *DeviceRecommendationRow, has func(string) bool) bool {
			return has(r.Name) || has(r.Vendor) || has(r.ID)
		},
		filters: map[string]func(*DeviceRecommendationRow, []string) bool{
			"type":   oneOf(func(r *DeviceRecommendationRow) string { return r.Type }),
			"threat": func(r *DeviceRecommendationRow, v []string) bool { return threatIs(r.Threats, v) },
			"status": oneOf(func(r *DeviceRecommendationRow) string { return r.Status }),
			"tag":    anyOf(func(r *DeviceRecommendationRow) []string { return r.Tags }),

			"exception": truth(func(r *DeviceRecommendationRow) bool { return r.Exception }),
		},
		values: map[string][]string{"type": remedyWords, "threat": threatWords, "status": statusWords, "exception": yesNo},
		order: map[string]func(a, b *DeviceRecommendationRow) int{
			"name":       byText(func(r *DeviceRecommendationRow) string { return r.Name }),
			"component":  byText(func(r *DeviceRecommendationRow) string { return r.Component }),
			"weaknesses": byNumber(func(r *DeviceRecommendationRow) int { return r.Weaknesses }),
			"impact":     byNumber(func(r *DeviceRecommendationRow) float64 { return r.Impact }),
			"type":       byText(func(r *DeviceRecommendationRow) string { return r.Type }),
			"severity":   func(a, b *DeviceRecommendationRow) int { return worse(a.Severity, b.Severity) },
			"threats":    func(a, b *DeviceRecommendationRow) int { return graver(a.Threats, b.Threats) },
			"status":     byText(func(r *DeviceRecommendationRow) string { return r.Status }),
			"share":      byNumber(func(r *DeviceRecommendationRow) float64 { return r.Share }),
			"points":     byNumber(func(r *DeviceRecommendationRow) uint64 { return r.Points }),
			"tags":       byText(func(r *DeviceRecommendationRow) string { return strings.Join(r.Tags, ", ") }),
			"vendor":     byText(func(r *DeviceRecommendationRow) string { return r.Vendor }),
			"version":    byText(func(r *DeviceRecommendationRow) string { return r.Version }),
		},
		tie:     func(a, b *DeviceRecommendationRow) int { return strings.Compare(a.ID, b.ID) },
		initial: []string{"-impact"},
	}
}

// DeviceRecommendations lists what to do on one device.
func (s *Server) DeviceRecommendations(ctx context.Context, caller Caller, id string, q Query) (Page[DeviceRecommendationRow], error) {
	if err := s.need(caller, RecommendationRead); err != nil {
		return Page[DeviceRecommendationRow]{}, err
	}
	c := s.core
	if err := c.settle(ctx); err != nil {
		return Page[DeviceRecommendationRow]{}, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	d, err := c.named(caller.sees(), id)
	if err != nil {
		return Page[DeviceRecommendationRow]{}, err
	}
	return deviceRecommendationList().page(q, c.deviceRemedies(d))
}

// DeviceRecommendationTable is what to do on one device, by component, with the
// figures of all devices that the caller sees.
func (s *Server) DeviceRecommendationTable(ctx context.Context, caller Caller, id string, q RowQuery[RecommendationRow]) (RowPage[RecommendationRow], error) {
	if err := s.need(caller, RecommendationRead); err != nil {
		return RowPage[RecommendationRow]{}, err
	}
	c := s.core
	if err := c.settle(ctx); err != nil {
		return RowPage[RecommendationRow]{}, err
	}
	rows, err := c.deviceAdvice(caller, id)
	if err != nil {
		return RowPage[RecommendationRow]{}, err
	}
	for _, r := range rows {
		if err := s.countUnnoticed(ctx, caller, r); err != nil {
			return RowPage[RecommendationRow]{}, err
		}
	}
	slices.SortFunc(rows, recommendationList(nil).compare(&Query{Sort: []string{"component"}}))
	return q.Of(slices.Values(rows)), nil
}

// deviceAdvice are the recommendations for a device, with the figures of all devices
// that the caller sees.
func (c *core) deviceAdvice(caller Caller, id string) ([]*RecommendationRow, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	d, err := c.named(caller.sees(), id)
	if err != nil {
		return nil, err
	}
	l, critical := c.lens(caller), c.criticalCount()
	var rows []*RecommendationRow
	for _, r := range c.deviceRemedies(d) {
		if row, remedy, err := c.recommendation(l, r.ID); err == nil {
			row.Critical = critical(l, row, remedy)
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// deviceRemedies joins the terms of a device's score into one row per
// recommendation. The caller holds mu for reading.
func (c *core) deviceRemedies(d *device) []*DeviceRecommendationRow {
	score, points, _ := c.fleet.Scores().DeviceScore(d.num)
	type key struct {
		product string
		remedy  exposure.Remedy
	}
	type sums struct {
		row   *DeviceRecommendationRow
		units uint64
		seen  map[string]bool
		open  bool // some of it is under no exception
	}
	byKey := map[key]*sums{}
	var keys []key
	fixes := c.newFixes()
	var out []*DeviceRecommendationRow
	for _, t := range c.fleet.Scores().Terms(d.num) {
		if t.Alert != "" {
			continue // it is resolved, not recommended
		}
		if t.Weakness == "" {
			out = append(out, checkRemedy(&t, score, points))
			continue
		}
		k := c.fleet.Component(t.Component)
		at := key{k.ID(), t.Remedy}
		if t.Remedy.OfLine() {
			at.product = c.fleet.LineOf(t.Component).Product
		}
		u := byKey[at]
		if u == nil {
			u = &sums{row: c.deviceRemedy(t.Component, at.product, t.Remedy), seen: map[string]bool{}}
			byKey[at] = u
			keys = append(keys, at)
		}
		if tag := c.supportTag(t.Component); tag != "" && !slices.Contains(u.row.Tags, tag) {
			u.row.Tags = append(u.row.Tags, tag)
		}
		if h, ok := c.fleet.HitOf(t.Component, t.Weakness); ok {
			if !t.Remedy.OfLine() {
				u.row.Version = later(k.Key.Ecosystem, u.row.Version, h.Fixed)
			}
			if tag := c.hitTag(&h, fixes); tag != "" && !slices.Contains(u.row.Tags, tag) {
				u.row.Tags = append(u.row.Tags, tag)
			}
		}
		if t.Under == exposure.NoException {
			u.open = true
		} else {
			u.row.Exception = true
		}
		u.row.Points += uint64(t.Points)
		u.units += uint64(t.Share)
		if !u.seen[t.Weakness] {
			u.seen[t.Weakness] = true
			f := c.peek(t.Weakness)
			u.row.Weaknesses++
			u.row.Severity.add(f.Severity)
			u.row.Threats.add(f.Threats)
		}
	}
	for _, id := range c.fleet.DeviceComponents(d.num) { // ended lines without findings here
		line := c.fleet.LineOf(id)
		if at := (key{line.Product, line.Remedy}); line.Product != "" && byKey[at] == nil {
			byKey[at] = &sums{row: c.deviceRemedy(id, at.product, at.remedy), open: true}
			byKey[at].row.Tags = append(byKey[at].row.Tags, c.supportTag(id))
			keys = append(keys, at)
		}
	}
	for _, k := range keys {
		u := byKey[k]
		u.row.Status = statusUnder(u.row.Exception, u.open)
		u.row.Share = exposure.Score(u.units).Float()
		u.row.Impact = (score - exposure.ScoreOf(points-u.row.Points)).Float()
		out = append(out, u.row)
	}
	mark := c.alerts.markOf(d.num)
	for _, r := range out {
		r.Threats.Alerts = mark
	}
	return slices.Clip(out)
}
