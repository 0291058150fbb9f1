package server

import (
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/exposure"
)

// mostRemembered is how many weaknesses an activity or an exception remembers.
const mostRemembered = 5000

// successor is what is recommended now for what a recommendation was about,
// when none of it is left on some devices under that recommendation: a fix was
// published where there was none, or the release line ended. was are the
// weaknesses that it was about; nil: any. ok is false when nothing followed.
// Findings that simply closed have no successor. The caller holds mu.
func (c *core) successor(product string, remedy exposure.Remedy, was []string, devs *roaring.Bitmap) (row RecommendationRef, ok bool) {
	type key struct {
		product string
		remedy  exposure.Remedy
	}
	next := map[key]*roaring.Bitmap{}
	take := func(k key, on *roaring.Bitmap) {
		if next[k] == nil {
			next[k] = roaring.New()
		}
		next[k].Or(roaring.And(on, devs))
	}
	name := ""
	for _, id := range c.fleet.CauseComponents(product, remedy, devs) {
		if remedy.OfLine() {
			return row, false // it is there still
		}
		name = c.fleet.Component(id).Product
		for h := range c.fleet.Hits(id) {
			if _, about := slices.BinarySearch(was, h.Weakness); !h.Exposed || was != nil && !about && h.Remedy != remedy {
				continue
			}
			switch {
			case h.Remedy == remedy:
				return row, false
			case h.Remedy.OfLine() && (remedy == exposure.Attention || h.Fixed != ""):
				take(key{c.fleet.LineOf(id).Product, h.Remedy}, c.fleet.DevicesOf(id))
			case h.Remedy == exposure.Update && remedy == exposure.Attention:
				take(key{product, exposure.Update}, c.fleet.DevicesOf(id))
			}
		}
	}
	if remedy.OfLine() { // a line was added to the product, or the last one ended
		other := exposure.Upgrade + exposure.Uninstall - remedy
		for _, id := range c.fleet.CauseComponents(product, other, devs) {
			name = c.fleet.Component(id).Product
			take(key{product, other}, c.fleet.DevicesOf(id))
		}
	}
	for k, on := range next {
		n := int(on.GetCardinality())
		id := recommendationID(k.product, k.remedy)
		if n > row.Devices || n == row.Devices && strings.Compare(id, row.ID) < 0 {
			row = RecommendationRef{ID: id, Name: c.remedyName(k.product, k.remedy, name), Type: remedyTypes[k.remedy], Devices: n}
		}
	}
	return row, row.Devices > 0
}

// weaknessesOf are the weaknesses that a recommendation is about on some
// devices, ordered, as far as they are remembered. The caller holds mu.
func (c *core) weaknessesOf(product string, remedy exposure.Remedy, devs *roaring.Bitmap) []string {
	out := []string{}
	for _, id := range c.fleet.CauseComponents(product, remedy, devs) {
		for h := range c.fleet.Hits(id) {
			if h.Exposed && h.Remedy == remedy {
				out = append(out, h.Weakness)
			}
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return out[:min(len(out), mostRemembered)]
}

// followed is what an activity without a fix to install became for its
// targets, ok false when it is what it was. The caller holds mu.
func (c *core) followed(a *activity) (next RecommendationRef, ok bool) {
	product, remedy, is := parseRecommendation(a.Recommendation)
	if !is || remedy != exposure.Attention || a.Type == RemedyUninstall || a.Status != RemediationActive || strings.HasPrefix(a.Recommendation, "sca-_-") {
		return next, false
	}
	return c.successor(product, remedy, a.spec.Weaknesses, roaring.And(a.targets, c.active()))
}

// excusedBefore says why an exception about a recommendation has nothing left
// to hold for although what it was about is there, "" when that is not so.
// The caller holds mu.
func (c *core) excusedBefore(id int64, e *exceptionSpec) string {
	x, ok := c.inForce(id, e)
	if !ok || x.What.Check >= 0 || x.What.Product == "" || x.What.Remedy == exposure.Gone || e.kind() != ExceptRecommendation {
		return ""
	}
	next, ok := c.successor(x.What.Product, x.What.Remedy, e.Was.About, c.fleet.Scores().Reached(&x))
	if !ok {
		return ""
	}
	switch next.Type {
	case RemedyUpdate:
		return "a fix was published: the recommendation is “" + next.Name + "” now"
	}
	return "its support ended: the recommendation is “" + next.Name + "” now"
}
