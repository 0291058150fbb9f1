package server

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

func deviceVulnList() *list[DeviceVulnRow] {
	return &list[DeviceVulnRow]{
		text: func(r *DeviceVulnRow, has func(string) bool) bool {
			return has(r.ID) || has(r.Title) || slices.ContainsFunc(r.Software, func(s SoftwareRef) bool { return has(s.Name) })
		},
		filters: map[string]func(*DeviceVulnRow, []string) bool{
			"severity": oneOf(func(r *DeviceVulnRow) string { return string(r.Severity) }),
			"state":    oneOf(func(r *DeviceVulnRow) string { return string(r.State) }),
			"exposed":  truth(func(r *DeviceVulnRow) bool { return r.Exposed }),

			"exception": truth(func(r *DeviceVulnRow) bool { return r.Exception }),
			"fix":       fixIs(func(r *DeviceVulnRow) bool { return r.FixVersion != "" }),
			"threat":    func(r *DeviceVulnRow, v []string) bool { return threatIs(r.Threats, v) },
			"software": anyOf(func(r *DeviceVulnRow) []string {
				var ids []string
				for _, s := range r.Software {
					ids = append(ids, s.ID)
				}
				return ids
			}),
		},
		values: map[string][]string{"exposed": yesNo, "exception": yesNo, "fix": {"available", "none"}, "threat": threatWords, "severity": severityWords},
		order: map[string]func(a, b *DeviceVulnRow) int{
			"id":         func(a, b *DeviceVulnRow) int { return compareIDs(a.ID, b.ID) },
			"severity":   byNumber(func(r *DeviceVulnRow) int { return severityRank(r.Severity) }),
			"cvss":       byNumber(func(r *DeviceVulnRow) float64 { return r.CVSS }),
			"epss":       byNumber(func(r *DeviceVulnRow) float64 { return r.EPSS }),
			"published":  byTime(func(r *DeviceVulnRow) time.Time { return r.Published }),
			"updated":    byTime(func(r *DeviceVulnRow) time.Time { return r.Updated }),
			"first_seen": byTime(func(r *DeviceVulnRow) time.Time { return r.FirstSeen }),
			"state":      byNumber(func(r *DeviceVulnRow) int { return stateRank(r.State) }),
			"software": byText(func(r *DeviceVulnRow) string {
				if len(r.Software) == 0 {
					return ""
				}
				return r.Software[0].Name
			}),
		},
		tie:     func(a, b *DeviceVulnRow) int { return compareIDs(b.ID, a.ID) },
		initial: []string{"-severity", "-cvss"},
	}
}

// fixIs is the filter "fix": available or none.
func fixIs[T any](has func(*T) bool) func(*T, []string) bool {
	return func(r *T, vals []string) bool {
		if has(r) {
			return slices.Contains(vals, "available")
		}
		return slices.Contains(vals, "none")
	}
}

// compareIDs orders CVE ids by year and number, others by text.
func compareIDs(a, b string) int {
	x, okA := strings.CutPrefix(a, "CVE-")
	y, okB := strings.CutPrefix(b, "CVE-")
	if !okA || !okB {
		return strings.Compare(a, b)
	}
	yearA, numA, _ := strings.Cut(x, "-")
	yearB, numB, _ := strings.Cut(y, "-")
	if yearA != yearB {
		return strings.Compare(yearA, yearB)
	}
	if len(numA) != len(numB) {
		return len(numA) - len(numB)
	}
	return strings.Compare(numA, numB)
}

// DeviceVulns lists the weaknesses of a device, one row per weakness; the
// filter "recommendation" takes those that some recommendations close.
func (s *Server) DeviceVulns(ctx context.Context, c Caller, id string, q Query) (Page[DeviceVulnRow], error) {
	if err := s.need(c, VulnerabilityRead); err != nil {
		return Page[DeviceVulnRow]{}, err
	}
	s.core.mu.RLock()
	d, err := s.core.named(c.sees(), id)
	s.core.mu.RUnlock()
	if err != nil {
		return Page[DeviceVulnRow]{}, err
	}
	return s.deviceVulns(&portrait{device: d}, q)
}

func (s *Server) deviceVulns(p *portrait, q Query) (Page[DeviceVulnRow], error) {
	q, recommendations := without(q, "recommendation")
	s.core.mu.RLock()
	rows := slices.Clone(s.core.vulnRows(p.device))
	if len(recommendations) > 0 {
		closes := s.core.closedOn(p.device, recommendations)
		rows = slices.DeleteFunc(rows, func(r *DeviceVulnRow) bool { return !closes[r.ID] })
	}
	s.core.mu.RUnlock()
	return deviceVulnList().page(q, rows)
}

// closedOn are the weaknesses that some recommendations close on a device. The
// caller holds mu for reading.
func (c *core) closedOn(d *device, recommendations []string) map[string]bool {
	out := map[string]bool{}
	for id, h := range c.fleet.DeviceHits(d.num) {
		if !h.Exposed || out[h.Weakness] {
			continue
		}
		product := c.fleet.Component(id).ID()
		if h.Remedy.OfLine() {
			product = c.fleet.LineOf(id).Product
		}
		out[h.Weakness] = slices.Contains(recommendations, recommendationID(product, h.Remedy))
	}
	return out
}

// vulnRows joins the findings of a device into one row per weakness. The
// caller holds mu for reading and does not change the result.
func (c *core) vulnRows(d *device) []*DeviceVulnRow {
	return keep(&c.kept, c.mu.state(), "weaknesses of "+string(d.id), func() ([]*DeviceVulnRow, int) {
		rows := c.newVulnRows(d)
		return rows, vulnRowSize * len(rows)
	})
}

// vulnRowSize is what a row of a device's weaknesses takes, roughly.
const vulnRowSize = 500

func (c *core) newVulnRows(d *device) []*DeviceVulnRow {
	held := make(map[uint32]store.Held, d.held.Len())
	for h := range d.held.All() {
		held[h.Component] = h
	}
	byID := map[string]*DeviceVulnRow{}
	var rows []*DeviceVulnRow
	for id, h := range c.fleet.DeviceHits(d.num) {
		r := byID[h.Weakness]
		if r == nil {
			f := c.peek(h.Weakness)
			r = &DeviceVulnRow{ID: h.Weakness, Title: f.Title, Severity: f.Severity, CVSS: f.CVSS, CVSSVer: f.CVSSVer, EPSS: f.Threats.EPSS,
				Published: f.Published, Updated: f.Updated, Threats: f.Threats, State: h.State, Exposed: h.Exposed, Exception: true}
			byID[h.Weakness] = r
			rows = append(rows, r)
		} else if h.Exposed && !r.Exposed || h.Exposed == r.Exposed && stateRank(h.State) > stateRank(r.State) {
			r.State, r.Exposed = h.State, h.Exposed
		}
		if h.Exposed && r.Exception {
			r.Exception = c.fleet.Scores().UnderOf(d.num, id, h.Weakness) != exposure.NoException
		}
		comp := c.fleet.Component(id)
		ref := SoftwareRef{ID: comp.ID(), Name: comp.Product, Vendor: comp.Vendor, Version: comp.Version, Fixed: h.Fixed}
		if !slices.Contains(r.Software, ref) {
			r.Software = append(r.Software, ref)
		}
		if r.FixVersion == "" {
			r.FixVersion = h.Fixed
		}
		if k, ok := held[uint32(id)]; ok {
			if at := c.firstSeen(k, h.Weakness); r.FirstSeen.IsZero() || at.Before(r.FirstSeen) {
				r.FirstSeen = at
			}
		}
	}
	mark := c.alerts.markOf(d.num)
	for _, r := range rows {
		r.Exception = r.Exception && r.Exposed
		if r.Exposed {
			r.Threats.Alerts = mark
		}
	}
	return rows
}

// DeviceVuln is one weakness on one device with the evidence of each finding.
func (s *Server) DeviceVuln(ctx context.Context, caller Caller, id, weakness string) (DeviceVuln, error) {
	if err := s.need(caller, VulnerabilityRead); err != nil {
		return DeviceVuln{}, err
	}
	p, err := s.portrait(ctx, caller.sees(), id)
	if err != nil {
		return DeviceVuln{}, err
	}
	view, release, err := s.snapshot()
	if err != nil {
		return DeviceVuln{}, err
	}
	defer release()
	weakness = view.Canonical(weakness)

	c := s.core
	c.mu.RLock()
	var out DeviceVuln
	for _, r := range c.vulnRows(p.device) {
		if r.ID == weakness {
			out.DeviceVulnRow = *r
		}
	}
	comps := map[exposure.Component]store.Held{} // those that have the weakness
	for h := range p.device.held.All() {
		if _, hit := c.fleet.HitOf(exposure.ComponentID(h.Component), weakness); hit {
			comps[c.fleet.Component(exposure.ComponentID(h.Component))] = h
		}
	}
	c.mu.RUnlock()
	if out.ID == "" {
		return DeviceVuln{}, fmt.Errorf("device %s has no finding of %q: %w", p.device.id, weakness, ErrNotFound)
	}
	if w, ok := view.Weakness(weakness); ok {
		w.ExploitTypes = advisory.ExploitTypesOf(&w)
		out.Weakness = w
	} else {
		out.Weakness.ID = weakness
	}
	for _, u := range p.profile.Uses {
		h, has := comps[u.Component]
		if !has {
			continue
		}
		a, err := exposure.Assess(u.Component, view)
		if err != nil {
			return DeviceVuln{}, fmt.Errorf("assess %s: %w", u.Component.Key, err)
		}
		for _, m := range a.Matches {
			if m.Weakness != weakness {
				continue
			}
			c.mu.RLock()
			since := c.firstSeen(h, weakness)
			c.mu.RUnlock()
			f := found{exposure.Finding{Device: p.device.id, Component: u.Component, Match: m, FirstSeen: since, Evidence: u.Evidence}, a.Coverage}
			out.found = append(out.found, f)
			out.Logic = append(out.Logic, logicOf(&f))
		}
	}
	return out, nil
}

// logicOf is the evidence of one finding.
func logicOf(f *found) DetectionLogic {
	k, m := f.Component, &f.Match
	l := DetectionLogic{
		Software: SoftwareRef{ID: k.ID(), Name: k.Product, Vendor: k.Vendor, Version: k.Version, Fixed: m.Fixed},
		State:    m.State, Exposed: m.Exposed, Rule: m.Rule, Feed: m.Statement.Feed, Advisory: m.Statement.Advisory, URL: m.Statement.URL,
		Announced: m.Statement.Announced, Urgency: m.Statement.Urgency, Note: m.Statement.Note, Role: k.Role, Evidence: f.Evidence, FirstSeen: f.FirstSeen,
	}
	for _, cov := range f.coverage {
		if cov.Feed == m.Statement.Feed {
			l.FeedDate = cov.Date
		}
	}
	if l.FeedDate.IsZero() {
		l.FeedDate = m.Statement.Date
	}
	if l.Announced == nil {
		l.Announced = []string{}
	}
	return l
}

// DeviceClosed lists findings that a device no longer has, newest first, at most 1,000.
func (s *Server) DeviceClosed(ctx context.Context, caller Caller, id string, q Query) (Page[ClosedRow], error) {
	if err := s.need(caller, VulnerabilityRead); err != nil {
		return Page[ClosedRow]{}, err
	}
	s.core.mu.RLock()
	d, err := s.core.named(caller.sees(), id)
	s.core.mu.RUnlock()
	if err != nil {
		return Page[ClosedRow]{}, err
	}
	rows, err := s.closedOf(ctx, d)
	if err != nil {
		return Page[ClosedRow]{}, err
	}
	l := &list[ClosedRow]{
		text:    func(r *ClosedRow, has func(string) bool) bool { return has(r.ID) || has(r.Software) || has(r.Reason) },
		filters: map[string]func(*ClosedRow, []string) bool{"reason": oneOf(func(r *ClosedRow) string { return r.Reason })},
		order:   map[string]func(a, b *ClosedRow) int{"closed_at": byTime(func(r *ClosedRow) time.Time { return r.ClosedAt })},
		tie:     func(a, b *ClosedRow) int { return compareIDs(b.ID, a.ID) },
		initial: []string{"-closed_at"},
	}
	return l.page(q, rows)
}

// closedOf reads the findings that a device no longer has, at most 1,000.
func (s *Server) closedOf(ctx context.Context, d *device) ([]*ClosedRow, error) {
	c := s.core
	c.mu.RLock()
	since := make(map[uint32]int64, d.held.Len())
	comps := make([]uint32, 0, d.held.Len())
	for h := range d.held.All() {
		since[h.Component] = h.Since
		comps = append(comps, h.Component)
	}
	c.mu.RUnlock()
	closed, err := s.st.ClosedOf(ctx, d.num, comps, 1000)
	if err != nil {
		return nil, fmt.Errorf("read closed findings of %s: %w", d.id, err)
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	rows := make([]*ClosedRow, 0, len(closed))
	for _, k := range closed {
		if k.Device == store.AllDevices && k.At/1000 < since[k.Component] {
			continue
		}
		comp := c.fleet.Component(exposure.ComponentID(k.Component))
		row := &ClosedRow{ID: k.Weakness, Severity: c.peek(k.Weakness).Severity, Software: comp.Product, Version: comp.Version,
			Reason: k.Reason, Detail: k.Detail, ClosedAt: time.UnixMilli(k.At).UTC()}
		if k.First > 0 {
			row.FirstSeen = time.Unix(k.First, 0).UTC()
		}
		rows = append(rows, row)
	}
	return rows, nil
}
