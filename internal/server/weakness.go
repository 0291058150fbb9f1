package server

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

func weaknessList() *list[WeaknessRow] {
	return &list[WeaknessRow]{
		text: func(r *WeaknessRow, has func(string) bool) bool {
			return has(r.ID) || has(r.Title) || slices.ContainsFunc(r.Software, func(s SoftwareRef) bool { return has(s.Name) })
		},
		filters: map[string]func(*WeaknessRow, []string) bool{
			"severity": oneOf(func(r *WeaknessRow) string { return string(r.Severity) }),
			"threat":   func(r *WeaknessRow, v []string) bool { return threatIs(r.Threats, v) },
			"fix":      fixIs(func(r *WeaknessRow) bool { return r.Fixable }),
			"exposed":  oneOf(func(r *WeaknessRow) string { return exposedWord(r) }),

			"exception": truth(func(r *WeaknessRow) bool { return r.Exception }),
			"state":     anyOf(func(r *WeaknessRow) []string { return r.States }),
			"tag":       anyOf(func(r *WeaknessRow) []string { return r.Tags }),
			"age":       anyOf(func(r *WeaknessRow) []string { return agesOf(r) }),
		},
		values: map[string][]string{"exposed": append([]string{"unknown"}, yesNo...), "exception": yesNo, "fix": {"available", "none"}, "threat": threatWords, "severity": severityWords,
			"age": ageWords, "tag": {tagSomeFixes, tagNoFix, tagZeroDay}},
		order: map[string]func(a, b *WeaknessRow) int{
			"id":        func(a, b *WeaknessRow) int { return compareIDs(a.ID, b.ID) },
			"severity":  byNumber(func(r *WeaknessRow) int { return severityRank(r.Severity) }),
			"cvss":      byNumber(func(r *WeaknessRow) float64 { return r.CVSS }),
			"epss":      byNumber(func(r *WeaknessRow) float64 { return r.EPSS }),
			"age":       byNumber(func(r *WeaknessRow) int64 { return ageOf(r) }),
			"published": byTime(func(r *WeaknessRow) time.Time { return r.Published }),
			"updated":   byTime(func(r *WeaknessRow) time.Time { return r.Updated }),
			"exposed":   byNumber(func(r *WeaknessRow) int { return r.Exposed }),

			"exposed_after": byNumber(func(r *WeaknessRow) int { return r.After }),
			"threats":       func(a, b *WeaknessRow) int { return graver(a.Threats, b.Threats) },
		},
		tie:     func(a, b *WeaknessRow) int { return compareIDs(b.ID, a.ID) },
		initial: []string{"-severity", "-exposed", "-cvss"},
	}
}

// ageOf orders weaknesses by age: the higher, the older. What is not known to be
// published is the youngest.
func ageOf(r *WeaknessRow) int64 {
	if r.Published.IsZero() {
		return math.MinInt64
	}
	return -r.Published.Unix()
}

// exposedWord says whether a weakness counts on some device: "true", "false",
// or "unknown" where it counts on none and the feed does not know of some.
func exposedWord(r *WeaknessRow) string {
	switch {
	case r.Exposed > 0:
		return "true"
	case r.Unknown:
		return "unknown"
	}
	return "false"
}

// weaknessRow is a weakness over the devices of a lens. The caller holds mu for reading.
func (c *core) weaknessRow(l lens, id string, now time.Time) (*WeaknessRow, bool) {
	return c.surveyedRow(l, c.fleet.Survey(l.devs), id, now)
}

// surveyedRow is weaknessRow for one of many.
func (c *core) surveyedRow(l lens, survey *exposure.Survey, id string, now time.Time) (*WeaknessRow, bool) {
	info, ok := survey.Weakness(id)
	if !ok || info.Affected == 0 {
		return nil, false
	}
	f := c.peek(id)
	r := &WeaknessRow{ID: id, Title: f.Title, Severity: f.Severity, CVSS: f.CVSS, CVSSVer: f.CVSSVer, EPSS: f.Threats.EPSS, Threats: f.Threats,
		Published: f.Published, Updated: f.Updated, Exposed: info.Exposed, Affected: info.Affected, Fixable: info.Fixable > 0,
		Software: []SoftwareRef{}, Tags: []string{}}
	r.After = r.Exposed
	if open, under := c.fleet.Scores().OpenDevices(id); under {
		r.Exception, r.After = true, l.count(open)
	}
	if !f.Published.IsZero() {
		r.AgeDays = int(now.Sub(f.Published).Hours() / 24)
	}
	var known [4]string
	products := known[:0] // few, so looking through them is quick
	for _, cid := range c.fleet.WeaknessComponents(id) {
		if !c.fleet.Held(cid, l.devs) {
			continue
		}
		if h, ok := c.fleet.HitOf(cid, id); ok && !slices.Contains(r.States, string(h.State)) {
			r.States = append(r.States, string(h.State))
		}
		pid := c.fleet.ProductOf(cid)
		if slices.Contains(products, pid) {
			continue
		}
		products = append(products, pid)
		if len(r.Software) < 3 {
			k := c.fleet.Component(cid)
			r.Software = append(r.Software, SoftwareRef{ID: pid, Name: k.Product, Vendor: k.Vendor})
		}
	}
	r.SoftwareN = len(products)
	r.Threats.Alerts = c.fleet.ExposedIn(id, l.of(c.alerts.devices()))
	r.Unknown = r.Exposed == 0 && slices.Contains(r.States, string(advisory.Undetermined))
	switch {
	case info.Exposed == 0:
	case info.Fixable == 0:
		r.Tags = append(r.Tags, tagNoFix)
		if c.zeroDay(id) {
			r.Tags = append(r.Tags, tagZeroDay)
		}
	case info.Fixable < info.Exposed:
		r.Tags = append(r.Tags, tagSomeFixes)
	}
	return r, true
}

// Weaknesses lists the weaknesses that some device has, in any state.
func (s *Server) Weaknesses(_ context.Context, c Caller, q Query, where func(*WeaknessRow) bool) (Page[WeaknessRow], error) {
	if err := s.need(c, VulnerabilityRead); err != nil {
		return Page[WeaknessRow]{}, err
	}
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	var rows []*WeaknessRow
	for _, r := range s.core.weaknessRows(s.core.lens(c)) {
		if where == nil || where(r) {
			rows = append(rows, r)
		}
	}
	return weaknessList().page(q, rows)
}

// Weakness is one weakness, also one that no device has when the intelligence knows it.
func (s *Server) Weakness(_ context.Context, caller Caller, id string) (WeaknessDetail, error) {
	if err := s.need(caller, VulnerabilityRead); err != nil {
		return WeaknessDetail{}, err
	}
	view, release, err := s.snapshot()
	if err != nil {
		return WeaknessDetail{}, err
	}
	defer release()
	id = view.Canonical(id)
	w, known := view.Weakness(id)
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	l := c.lens(caller)
	row, ok := c.weaknessRow(l, id, time.Now())
	switch {
	case ok:
	case known:
		f := factOf(&w)
		row = &WeaknessRow{ID: id, Title: f.Title, Severity: f.Severity, CVSS: f.CVSS, CVSSVer: f.CVSSVer, EPSS: f.Threats.EPSS, Threats: f.Threats,
			Published: f.Published, Updated: f.Updated, Software: []SoftwareRef{}, Tags: []string{}}
	default:
		return WeaknessDetail{}, fmt.Errorf("weakness %q: %w", id, ErrNotFound)
	}
	if !known {
		w = advisory.Weakness{ID: id, Severity: row.Severity}
	}
	w.ExploitTypes = advisory.ExploitTypesOf(&w)
	return WeaknessDetail{WeaknessRow: *row, Weakness: w, Recommendations: c.remediesOf(l, id)}, nil
}

// WeaknessDevices lists the devices that have a weakness, in any state.
func (s *Server) WeaknessDevices(_ context.Context, caller Caller, id string, q Query) (Page[WeaknessDevice], error) {
	if err := s.need(caller, VulnerabilityRead); err != nil {
		return Page[WeaknessDevice]{}, err
	}
	id, err := s.knownWeakness(id)
	if err != nil {
		return Page[WeaknessDevice]{}, err
	}
	now := time.Now().UTC()
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	rows := func() []*device {
		var out []*device
		for it := c.lens(caller).of(c.fleet.AffectedDevices(id)).Iterator(); it.HasNext(); {
			if d := c.at(it.Next()); d != nil {
				out = append(out, d)
			}
		}
		return out
	}
	exposed := c.fleet.ExposedDevices(id)
	l := &list[device]{
		text: func(d *device, has func(string) bool) bool {
			return has(d.sum.Name) || has(string(d.id)) || has(d.sum.OSName)
		},
		filters: map[string]func(*device, []string) bool{
			"exposed": truth(func(d *device) bool { return exposed.Contains(d.num) }),
			"update":  truth(func(d *device) bool { return c.fleet.DeviceStanding(d.num, id) == exposure.Fixable }),
		},
		values: map[string][]string{"exposed": yesNo, "update": yesNo},
		order: map[string]func(a, b *device) int{
			"name":      byText(func(d *device) string { return d.sum.Name }),
			"domain":    byText(func(d *device) string { return domainOf(d.sum.FQDN) }),
			"os":        byText(func(d *device) string { return d.sum.OSName }),
			"last_seen": byTime(func(d *device) time.Time { return d.lastSeen(now) }),
		},
		tie:     func(a, b *device) int { return strings.Compare(string(a.id), string(b.id)) },
		initial: []string{"name"},
	}
	cut, total, err := keptCut(c, "devices of "+strconv.Quote(id)+" "+scopeKey(caller.looks())+" ", l, q, rows)
	if err != nil {
		return Page[WeaknessDevice]{}, err
	}
	p := Page[WeaknessDevice]{Total: total, AsOf: now, Items: make([]WeaknessDevice, len(cut))}
	comps := c.fleet.WeaknessComponents(id)
	for i, d := range cut {
		p.Items[i] = WeaknessDevice{ID: d.id, Name: d.sum.Name, DNSName: d.sum.FQDN, OSPlatform: d.sum.OSPlatform, OSName: d.sum.OSName, LastSeen: d.lastSeen(now),
			GroupID: d.group, Group: c.sorting.names[d.group], Alerts: len(c.alerts.severities(d.num)),
			Exposed: exposed.Contains(d.num), Update: c.fleet.DeviceStanding(d.num, id) == exposure.Fixable, Software: []SoftwareRef{}}
		c.fillWeaknessDevice(&p.Items[i], d, id, comps)
	}
	return p, nil
}

// fillWeaknessDevice adds what costs a look at the device's components.
func (c *core) fillWeaknessDevice(r *WeaknessDevice, d *device, weakness string, comps []exposure.ComponentID) {
	held := make(map[uint32]store.Held, len(comps))
	for h := range d.held.All() {
		if slices.Contains(comps, exposure.ComponentID(h.Component)) {
			held[h.Component] = h
		}
	}
	for _, id := range comps {
		h, ok := held[uint32(id)]
		if !ok {
			continue
		}
		hit, _ := c.fleet.HitOf(id, weakness)
		k := c.fleet.Component(id)
		r.Software = append(r.Software, SoftwareRef{ID: k.ID(), Name: k.Product, Vendor: k.Vendor, Version: k.Version, Fixed: hit.Fixed})
		if r.State == "" || stateRank(hit.State) > stateRank(r.State) {
			r.State = hit.State
		}
		if r.Fix == "" {
			r.Fix = hit.Fixed
		}
		if at := c.firstSeen(h, weakness); r.FirstSeen.IsZero() || at.Before(r.FirstSeen) {
			r.FirstSeen = at
		}
	}
}

// knownWeakness is the id that lists use for a weakness; ErrNotFound when
// neither a device nor the intelligence knows it.
func (s *Server) knownWeakness(id string) (string, error) {
	view, release, err := s.snapshot()
	if err != nil {
		return "", err
	}
	defer release()
	id = view.Canonical(id)
	s.core.mu.RLock()
	held := len(s.core.fleet.WeaknessComponents(id)) > 0
	s.core.mu.RUnlock()
	if !held {
		if _, ok := view.Weakness(id); !ok {
			return "", fmt.Errorf("weakness %q: %w", id, ErrNotFound)
		}
	}
	return id, nil
}

// canonical is the id that lists use for a weakness.
func (s *Server) canonical(id string) string {
	view, release, err := s.snapshot()
	if err != nil {
		return id
	}
	defer release()
	return view.Canonical(id)
}
