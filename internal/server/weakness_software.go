package server

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/exposure"
)

// The tags of weaknesses.
const (
	tagSomeFixes = "Some updates available"
	tagNoFix     = "No security update"
)

// ageWords are the values of the filter "age": published within the last 7, 30,
// 90 and 365 days, or longer ago.
var ageWords = []string{"week", "month", "quarter", "year", "older"}

// agesOf are the values of the filter that a weakness has; none when its date is not known.
func agesOf(r *WeaknessRow) []string {
	if r.Published.IsZero() {
		return nil
	}
	for i, days := range []int{7, 30, 90, 365} {
		if r.AgeDays < days {
			return ageWords[i:4]
		}
	}
	return ageWords[4:]
}

func weaknessSoftwareList() *list[WeaknessSoftwareRow] {
	return &list[WeaknessSoftwareRow]{
		text: func(r *WeaknessSoftwareRow, has func(string) bool) bool {
			return has(r.Name) || has(r.Vendor) || has(r.ID)
		},
		filters: map[string]func(*WeaknessSoftwareRow, []string) bool{
			"vendor": oneOf(func(r *WeaknessSoftwareRow) string { return r.Vendor }),
			"update": truth(func(r *WeaknessSoftwareRow) bool { return r.Update }),
		},
		values: map[string][]string{"update": yesNo},
		order: map[string]func(a, b *WeaknessSoftwareRow) int{
			"name":      byText(func(r *WeaknessSoftwareRow) string { return r.Name }),
			"vendor":    byText(func(r *WeaknessSoftwareRow) string { return r.Vendor }),
			"installed": byNumber(func(r *WeaknessSoftwareRow) int { return r.Installed }),
			"exposed":   byNumber(func(r *WeaknessSoftwareRow) int { return r.Exposed }),
			"update":    byText(func(r *WeaknessSoftwareRow) string { return r.Fixed }),
		},
		tie:     func(a, b *WeaknessSoftwareRow) int { return strings.Compare(a.ID, b.ID) },
		initial: []string{"-exposed", "name"},
	}
}

// WeaknessSoftware lists the products that have a weakness on some device.
func (s *Server) WeaknessSoftware(_ context.Context, caller Caller, id string, q Query) (Page[WeaknessSoftwareRow], error) {
	if err := s.need(caller, VulnerabilityRead); err != nil {
		return Page[WeaknessSoftwareRow]{}, err
	}
	id, err := s.knownWeakness(id)
	if err != nil {
		return Page[WeaknessSoftwareRow]{}, err
	}
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	l := c.lens(caller)
	byID := map[string]*WeaknessSoftwareRow{}
	exposed := map[string]*roaring.Bitmap{}
	for _, cid := range c.fleet.WeaknessComponents(id) {
		k := c.fleet.Component(cid)
		soft, ok := c.softwareRow(l, k.ID())
		if !ok {
			continue
		}
		hit, _ := c.fleet.HitOf(cid, id)
		r := byID[soft.ID]
		if r == nil {
			r = &WeaknessSoftwareRow{ID: soft.ID, Name: soft.Name, Vendor: soft.Vendor, Ecosystem: soft.Ecosystem, Installed: soft.Installed, Threats: soft.Threats}
			byID[soft.ID], exposed[soft.ID] = r, roaring.New()
		}
		if hit.Exposed && c.fleet.Held(cid, l.devs) {
			exposed[soft.ID].Or(c.fleet.DevicesOf(cid))
			r.Update = r.Update || hit.Fixed != ""
			r.Fixed = later(k.Key.Ecosystem, r.Fixed, hit.Fixed)
		}
	}
	for pid, devs := range exposed {
		byID[pid].Exposed = l.count(devs)
	}
	return weaknessSoftwareList().page(q, slices.Collect(maps.Values(byID)))
}

// remediesOf are the recommendations that close a weakness on some device, of
// the most devices first; those without a fix to install are not among them.
func (c *core) remediesOf(l lens, weakness string) []RecommendationRef {
	type key struct {
		product string
		remedy  exposure.Remedy
	}
	devices, names := map[key]*roaring.Bitmap{}, map[key]string{}
	for _, cid := range c.fleet.WeaknessComponents(weakness) {
		h, _ := c.fleet.HitOf(cid, weakness)
		if !h.Exposed || h.Remedy == exposure.Attention || !c.fleet.Held(cid, l.devs) {
			continue
		}
		k := c.fleet.Component(cid)
		at := key{k.ID(), h.Remedy}
		if h.Remedy.OfLine() {
			at.product = c.fleet.LineOf(cid).Product
		}
		if devices[at] == nil {
			devices[at], names[at] = roaring.New(), k.Product
		}
		devices[at].Or(c.fleet.DevicesOf(cid))
	}
	out := []RecommendationRef{}
	for at, devs := range devices {
		out = append(out, RecommendationRef{ID: recommendationID(at.product, at.remedy), Name: c.remedyName(at.product, at.remedy, names[at]), Type: remedyTypes[at.remedy], Devices: l.count(devs)})
	}
	slices.SortFunc(out, func(a, b RecommendationRef) int { return cmp.Or(b.Devices-a.Devices, strings.Compare(a.ID, b.ID)) })
	return out
}
