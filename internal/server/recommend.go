package server

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/posture"
	"github.com/picketsec/picket/internal/version"
)

// remedyTypes are the types of recommendations for software, by remedy.
var remedyTypes = map[exposure.Remedy]string{exposure.Update: RemedyUpdate, exposure.Attention: RemedyAttention, exposure.Restart: RemedyRestart,
	exposure.Upgrade: RemedyUpgrade, exposure.Uninstall: RemedyUninstall}

// recommendationID names a recommendation: "va-_-" and the product, and for
// types other than Update the type behind it.
func recommendationID(product string, r exposure.Remedy) string {
	id := "va-_-" + product
	if r != exposure.Update {
		id += "-_-" + strings.ToLower(remedyTypes[r])
	}
	return id
}

// parseRecommendation is the inverse of recommendationID.
func parseRecommendation(id string) (product string, r exposure.Remedy, ok bool) {
	rest, ok := strings.CutPrefix(id, "va-_-")
	if !ok {
		return "", 0, false
	}
	for _, r := range []exposure.Remedy{exposure.Attention, exposure.Restart, exposure.Upgrade, exposure.Uninstall} {
		if p, ok := strings.CutSuffix(rest, "-_-"+strings.ToLower(remedyTypes[r])); ok && strings.Contains(p, "-_-") {
			return p, r, true
		}
	}
	return rest, exposure.Update, true
}

// gauge fills in what a row has from a relief.
func (c *core) gauge(l lens, row *RecommendationRow, r *exposure.Relief) {
	row.Exposed, row.Impact, row.ImpactNum, row.ImpactDen = r.Devices, r.Impact.Float(), r.Impact.Num.Big().String(), r.Impact.Den
	row.ExposedAfter, row.ImpactAfter, row.ImpactAfterNum = r.DevicesAfter, r.ImpactAfter.Float(), r.ImpactAfter.Num.Big().String()
	switch {
	case r.DevicesAfter == 0:
		row.Status = StatusFull
	case r.Under > 0, slices.ContainsFunc(c.excepted[row.ID], func(e *exceptionSpec) bool { return l.concerns(c, e) }):
		row.Status = StatusPartial
	default:
		row.Status = StatusActive
	}
}

// statusWords are how recommendations stand to exceptions.
var statusWords = []string{StatusActive, StatusPartial, StatusFull}

// remedyWords are all types of recommendations.
var remedyWords = []string{RemedyUpdate, RemedyUpgrade, RemedyUninstall, RemedyAttention, RemedyRestart, RemedyConfigure}

// recommendationList is the list of recommendations; those of closing match any text.
func recommendationList(closing map[string]bool) *list[RecommendationRow] {
	return &list[RecommendationRow]{
		text: func(r *RecommendationRow, has func(string) bool) bool {
			return has(r.Name) || has(r.Vendor) || has(r.ID) || closing[r.ID]
		},
		filters: map[string]func(*RecommendationRow, []string) bool{
			"type":   oneOf(func(r *RecommendationRow) string { return r.Type }),
			"threat": func(r *RecommendationRow, v []string) bool { return threatIs(r.Threats, v) },
			"status": oneOf(func(r *RecommendationRow) string { return r.Status }),

			"category": oneOf(func(r *RecommendationRow) string { return r.Category }),
			"tag":      anyOf(func(r *RecommendationRow) []string { return r.Tags }),
			"vendor":   oneOf(func(r *RecommendationRow) string { return r.Vendor }),

			"component": oneOf(func(r *RecommendationRow) string { return r.Component }),

			"weaknesses": truth(func(r *RecommendationRow) bool { return r.Weaknesses > 0 }),
			"os":         anyOf(func(r *RecommendationRow) []string { return r.Platforms }),
		},
		values: map[string][]string{"type": remedyWords, "threat": threatWords, "status": statusWords, "category": categoryWords(), "weaknesses": yesNo},
		order: map[string]func(a, b *RecommendationRow) int{
			"name":       byText(func(r *RecommendationRow) string { return r.Name }),
			"component":  byText(func(r *RecommendationRow) string { return r.Component }),
			"weaknesses": byNumber(func(r *RecommendationRow) int { return r.Weaknesses }),
			"exposed":    byNumber(func(r *RecommendationRow) int { return r.Exposed }),
			"impact":     byNumber(func(r *RecommendationRow) float64 { return r.Impact }),
			"type":       byText(func(r *RecommendationRow) string { return r.Type }),
			"status":     byText(func(r *RecommendationRow) string { return r.Status }),

			"exposed_after": byNumber(func(r *RecommendationRow) int { return r.ExposedAfter }),
			"impact_after":  byNumber(func(r *RecommendationRow) float64 { return r.ImpactAfter }),
			"secure":        byNumber(func(r *RecommendationRow) float64 { return r.SecureGain }),
			"severity":      func(a, b *RecommendationRow) int { return worse(a.Severity, b.Severity) },

			"os":          byText(func(r *RecommendationRow) string { return strings.Join(r.Platforms, ", ") }),
			"threats":     func(a, b *RecommendationRow) int { return graver(a.Threats, b.Threats) },
			"activities":  byNumber(func(r *RecommendationRow) int { return r.Activities }),
			"tags":        byText(func(r *RecommendationRow) string { return strings.Join(r.Tags, ", ") }),
			"category":    byText(func(r *RecommendationRow) string { return r.Category }),
			"subcategory": byText(func(r *RecommendationRow) string { return r.Subcategory }),
			"ecosystem":   byText(func(r *RecommendationRow) string { return r.Ecosystem }),
			"vendor":      byText(func(r *RecommendationRow) string { return r.Vendor }),
			"version":     byText(func(r *RecommendationRow) string { return r.Version }),
		},
		tie:     func(a, b *RecommendationRow) int { return strings.Compare(a.ID, b.ID) },
		initial: []string{"-impact"},
	}
}

// Recommendations lists what to do, by what it lowers the score.
func (s *Server) Recommendations(ctx context.Context, caller Caller, q Query, where func(*RecommendationRow) bool) (Page[RecommendationRow], error) {
	if err := s.need(caller, RecommendationRead); err != nil {
		return Page[RecommendationRow]{}, err
	}
	if err := s.core.settle(ctx); err != nil {
		return Page[RecommendationRow]{}, err
	}
	weakness := s.weaknessIn(q.Text)
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	l := s.core.lens(caller)
	rows := s.core.recommendationRows(l)
	if where != nil {
		rows = slices.DeleteFunc(rows, func(r *RecommendationRow) bool { return !where(r) })
	}
	return s.core.recommendationPage(l, q, weakness, rows)
}

// recommendationRows are all recommendations for a part of the fleet. The caller holds mu for reading.
func (c *core) recommendationRows(l lens) []*RecommendationRow {
	reliefs := c.reliefs(l)
	out := make([]*RecommendationRow, 0, len(reliefs))
	for i := range reliefs {
		if r := c.recommendationRow(l, &reliefs[i]); r != nil {
			out = append(out, r)
		}
	}
	return out
}

// recommendationRow makes the row of a relief, nil for those that stand for
// more than one recommendation.
func (c *core) recommendationRow(l lens, r *exposure.Relief) *RecommendationRow {
	if r.Check >= 0 {
		return c.checkRow(l, r)
	}
	if r.Remedy == exposure.Gone {
		return nil
	}
	facts := c.remedyFacts(l, r.Product)[r.Remedy]
	if facts == nil {
		return nil
	}
	row, all := *facts, *r
	if r.Remedy.OfLine() {
		blind := int(roaring.AndNot(c.lineDevices(l, r.Product, r.Remedy), c.fleet.Scores().Devices()).GetCardinality())
		all.Devices, all.DevicesAfter = all.Devices+blind, all.DevicesAfter+blind // in no score, and to be moved all the same
	}
	c.gauge(l, &row, &all)
	row.Activities = c.remediations.active(l, row.ID)
	return &row
}

// remedyFacts are the rows of a product's recommendations without what depends
// on the scores. The result is shared.
func (c *core) remedyFacts(l lens, product string) map[exposure.Remedy]*RecommendationRow {
	l.rows.mu.Lock()
	defer l.rows.mu.Unlock()
	if have, ok := l.rows.remedies[product]; ok {
		return have
	}
	out := map[exposure.Remedy]*RecommendationRow{}
	soft, ok := c.softwareRowLocked(l, product)
	if !ok {
		soft, ok = c.releaseSoftware(l, product)
	}
	for r := range remedyTypes {
		if !ok {
			break
		}
		row := c.remedyRow(l, soft, r)
		if row.Weaknesses > 0 || r.OfLine() && len(c.fleet.CauseComponents(product, r, l.devs)) > 0 {
			out[r] = row
		}
	}
	l.rows.remedies[product] = out
	return out
}

func (c *core) remedyRow(l lens, soft *SoftwareRow, remedy exposure.Remedy) *RecommendationRow {
	row := &RecommendationRow{ID: recommendationID(soft.ID, remedy), ProductID: soft.ID, Component: soft.Name, Vendor: soft.Vendor, Ecosystem: soft.Ecosystem,
		Type: remedyTypes[remedy], Category: "Application", Installed: soft.Installed, Trend: []int{}, Platforms: []string{}, Tags: soft.Tags, ProductCode: soft.ProductCode, Threats: Threats{Exploit: advisory.NoExploit}}
	row.Tags = slices.DeleteFunc(slices.Clone(row.Tags), func(t string) bool { return t == tagZeroDay }) // of other findings
	fixes := c.newFixes()
	seen := map[string]bool{}
	alerted, on := l.of(c.alerts.devices()), roaring.New()
	for _, id := range c.fleet.CauseComponents(soft.ID, remedy, l.devs) {
		k := c.fleet.Component(id)
		counts := false
		for h := range c.fleet.Hits(id) {
			if !h.Exposed || h.Remedy != remedy {
				continue
			}
			counts = true
			if !remedy.OfLine() {
				row.Version = later(k.Key.Ecosystem, row.Version, h.Fixed)
			}
			if !seen[h.Weakness] {
				seen[h.Weakness] = true
				if tag := c.hitTag(&h, fixes); tag != "" && !slices.Contains(row.Tags, tag) {
					row.Tags = append(row.Tags, tag)
				}
				f := c.peek(h.Weakness)
				row.Weaknesses++
				row.Severity.add(f.Severity)
				row.Threats.add(f.Threats)
			}
		}
		if counts || remedy.OfLine() {
			on.Or(roaring.And(alerted, c.fleet.DevicesOf(id)))
		}
	}
	row.Threats.Alerts = int(on.GetCardinality())
	row.Name = c.remedyName(soft.ID, remedy, soft.Name)
	if _, ok := c.endings[soft.ID]; ok {
		row.Category = string(posture.OS)
	}
	if remedy.OfLine() {
		row.Version = c.upgradeTo(soft.ID)
	}
	return row
}

// remedyName is a recommendation in a few words; name is that of its product.
func (c *core) remedyName(product string, r exposure.Remedy, name string) string {
	switch r {
	case exposure.Upgrade:
		if life, ok := c.endings[product]; ok {
			return "Upgrade " + releaseName(life) + " to a supported release"
		}
		return "Upgrade " + name + " to a supported version"
	case exposure.Uninstall:
		return "Uninstall " + name
	case exposure.Attention:
		return "Attention required: " + name
	case exposure.Restart:
		return "Restart what uses " + name
	}
	return "Update " + name
}

// later returns the later of two versions, by text where they cannot be compared.
func later(ecosystem, a, b string) string {
	if a == "" || b == "" {
		return max(a, b)
	}
	if n, err := version.Compare(ecosystem, a, b); err == nil {
		if n < 0 {
			return b
		}
		return a
	}
	return max(a, b)
}

// recommendation finds a recommendation by its id. The caller holds mu for reading.
func (c *core) recommendation(l lens, id string) (row *RecommendationRow, remedy exposure.Remedy, err error) {
	if check, ok := strings.CutPrefix(id, "sca-_-"); ok {
		if n, known := checkNumber(check); known {
			if r, has := c.checkRelief(l, n); has {
				return c.checkRow(l, &r), exposure.Gone, nil
			}
		}
		return nil, 0, fmt.Errorf("recommendation %q: %w", id, ErrNotFound)
	}
	product, remedy, ok := parseRecommendation(id)
	if ok {
		var r exposure.Relief
		if r, ok = c.remedyRelief(l, product, remedy); ok {
			row = c.recommendationRow(l, &r)
		}
	}
	if row == nil {
		return nil, 0, fmt.Errorf("recommendation %q: %w", id, ErrNotFound)
	}
	return row, remedy, nil
}

// Recommendation is one recommendation with how to carry it out.
func (s *Server) Recommendation(ctx context.Context, caller Caller, id string) (Recommendation, error) {
	if err := s.need(caller, RecommendationRead); err != nil {
		return Recommendation{}, err
	}
	c := s.core
	if err := c.settle(ctx); err != nil {
		return Recommendation{}, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	l := c.lens(caller)
	row, remedy, err := c.recommendation(l, id)
	if err != nil {
		return Recommendation{}, err
	}
	row.Trend = c.trends.of(row.ID, l.groups, row.Exposed)
	c.exposedSystems(l, slices.Values([]*RecommendationRow{row}))
	if row.Type == RemedyConfigure {
		return c.checkAdvice(l, row), nil
	}
	out := Recommendation{RecommendationRow: *row, Fixes: c.fixes(l, row.ProductID, remedy), Lines: c.lineRows(l, row.ProductID), Supported: c.moveTo(row.ProductID), References: []string{}, AsOf: time.Now().UTC()}
	out.Description, out.Steps = advice(&out, plural(out.Exposed, "device", "devices"))
	return out, nil
}

// fixes says what closes a product's findings of one remedy, by release and
// package. A device with several versions of a package is one device.
func (c *core) fixes(l lens, product string, remedy exposure.Remedy) []FixRow {
	byKey := map[advisory.Key]*FixRow{}
	on := map[advisory.Key]*roaring.Bitmap{}
	var keys []advisory.Key
	if remedy.OfLine() { // where to is said by the lines that are supported
		return []FixRow{}
	}
	for _, id := range c.fleet.ProductComponents(product, l.devs) {
		k := c.fleet.Component(id)
		fixed, has := "", false
		for h := range c.fleet.Hits(id) {
			if h.Exposed && h.Remedy == remedy {
				fixed, has = later(k.Key.Ecosystem, fixed, h.Fixed), true
			}
		}
		if !has {
			continue
		}
		row := byKey[k.Key]
		if row == nil {
			row = &FixRow{Place: strings.TrimSpace(k.Key.Ecosystem + " " + k.Key.Release), Package: k.Key.Name}
			byKey[k.Key], on[k.Key] = row, roaring.New()
			keys = append(keys, k.Key)
		}
		row.Version = later(k.Key.Ecosystem, row.Version, fixed)
		row.Versions++
		on[k.Key].Or(c.fleet.DevicesOf(id))
	}
	counted := c.fleet.Scores().Affected(product, remedy, l.groups)
	slices.SortFunc(keys, advisory.Key.Compare)
	out := make([]FixRow, 0, len(keys))
	for _, k := range keys {
		byKey[k].Devices = int(on[k].AndCardinality(counted))
		out = append(out, *byKey[k])
	}
	return out
}

// RecommendationDevices lists the devices with findings that a recommendation
// closes. Of a configuration change it says of each whether anybody would notice
// it; filter user_impact: none, expected, not_assessed.
func (s *Server) RecommendationDevices(ctx context.Context, caller Caller, id string, q Query) (Page[DeviceRow], error) {
	if err := s.need(caller, RecommendationRead); err != nil {
		return Page[DeviceRow]{}, err
	}
	c := s.core
	if err := c.settle(ctx); err != nil {
		return Page[DeviceRow]{}, err
	}
	c.mu.RLock()
	l := c.lens(caller)
	row, remedy, err := c.recommendation(l, id)
	if err != nil {
		c.mu.RUnlock()
		return Page[DeviceRow]{}, err
	}
	devs := c.affected(l, row, remedy)
	c.mu.RUnlock()
	k := checkOf(row.ID)
	if k == nil {
		return c.deviceRows(caller.sees(), q, nil, func() *roaring.Bitmap { return devs }, "", s.now())
	}
	if len(q.Filter["user_impact"]) > 0 {
		known, err := s.notices(ctx, k, devs)
		if err != nil {
			return Page[DeviceRow]{}, err
		}
		if devs, err = byNotice(&q, known); err != nil {
			return Page[DeviceRow]{}, err
		}
	}
	p, err := c.deviceRows(caller.sees(), q, nil, func() *roaring.Bitmap { return devs }, "", s.now())
	if err != nil {
		return p, err
	}
	known, err := s.notices(ctx, k, roaring.And(devs, c.numbersOf(p.Items)))
	if err != nil {
		return Page[DeviceRow]{}, err
	}
	c.sayNotice(caller, p.Items, known)
	return p, nil
}

// affected are the devices with what a recommendation closes.
func (c *core) affected(l lens, row *RecommendationRow, remedy exposure.Remedy) *roaring.Bitmap {
	if remedy.OfLine() {
		return c.lineDevices(l, row.ProductID, remedy)
	}
	if row.Type != RemedyConfigure {
		return c.fleet.Scores().Affected(row.ProductID, remedy, l.groups)
	}
	n, _ := checkNumber(strings.TrimPrefix(row.ID, "sca-_-"))
	return l.of(roaring.And(c.checks.devices(n, posture.Fail), c.active()))
}

// RecommendationVulns lists the weaknesses that a recommendation closes.
func (s *Server) RecommendationVulns(ctx context.Context, caller Caller, id string, q Query) (Page[WeaknessRow], error) {
	if err := s.need(caller, RecommendationRead); err != nil {
		return Page[WeaknessRow]{}, err
	}
	c := s.core
	if err := c.settle(ctx); err != nil {
		return Page[WeaknessRow]{}, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	l := c.lens(caller)
	row, remedy, err := c.recommendation(l, id)
	if err != nil {
		return Page[WeaknessRow]{}, err
	}
	seen := map[string]bool{}
	var rows []*WeaknessRow
	for _, cid := range c.fleet.CauseComponents(row.ProductID, remedy, l.devs) {
		for h := range c.fleet.Hits(cid) {
			if !h.Exposed || h.Remedy != remedy || seen[h.Weakness] {
				continue
			}
			seen[h.Weakness] = true
			if r, ok := c.cachedWeakness(l, h.Weakness); ok {
				rows = append(rows, r)
			}
		}
	}
	return weaknessList().page(q, rows)
}
