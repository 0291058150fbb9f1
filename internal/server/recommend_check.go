package server

import (
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/posture"
)

func categoryWords() []string {
	var out []string
	for _, c := range posture.Categories {
		out = append(out, string(c))
	}
	return out
}

// checkRow is the recommendation of a failed configuration check. The caller
// holds mu for reading.
func (c *core) checkRow(l lens, r *exposure.Relief) *RecommendationRow {
	k := posture.Checks()[r.Check]
	count := c.checkCount(r.Check, l.of(c.active()))
	row := &RecommendationRow{ID: "sca-_-" + k.ID, Name: k.Title, Component: categoryName(k.Category), Category: string(k.Category), Type: RemedyConfigure,
		Installed: count.Applicable(), CheckImpact: k.Impact, Subcategory: k.Subcategory, Productivity: k.Productivity, Trend: []int{}, Platforms: []string{}, Tags: []string{}, Threats: Threats{Exploit: advisory.NoExploit}}
	all := *r
	if blind := int(roaring.AndNot(l.of(c.active()), c.fleet.Scores().Devices()).AndCardinality(c.checks.devices(r.Check, posture.Fail))); blind > 0 {
		all.Devices, all.DevicesAfter = all.Devices+blind, all.DevicesAfter+blind // in no score, and to be mended all the same
	}
	c.gauge(l, row, &all)
	row.Activities = c.remediations.active(l, row.ID)
	row.Threats.Alerts = int(roaring.And(l.of(c.active()), c.alerts.devices()).AndCardinality(c.checks.devices(r.Check, posture.Fail)))
	if s := posture.Score(map[string]posture.Count{k.ID: count}); len(s.Checks) == 1 {
		row.SecureGain, _ = s.Checks[0].Impact.Float64()
	}
	return row
}

// categoryName is a category in words for people.
func categoryName(c posture.Category) string {
	switch c {
	case posture.SecurityControls:
		return "Security controls"
	case posture.OS:
		return "Operating system"
	}
	return string(c)
}

// checkAdvice is a configuration check with how to make it pass.
func (c *core) checkAdvice(l lens, row *RecommendationRow) Recommendation {
	out := Recommendation{RecommendationRow: *row, Fixes: []FixRow{}, Lines: []LineRow{}, Supported: []EndOfLife{}, References: []string{}, Steps: []string{}, AsOf: time.Now().UTC()}
	n, ok := checkNumber(strings.TrimPrefix(row.ID, "sca-_-"))
	if !ok {
		return out
	}
	k := posture.Checks()[n]
	out.Description, out.UserImpact, out.Steps, out.References = k.Rationale, k.UserImpact, checkSteps(k), checkReferences(k)
	out.NotAssessed = int(c.checks.devices(n, posture.NotAssessed).AndCardinality(l.of(c.active())))
	return out
}

// checkSteps says how to make a check pass.
func checkSteps(k *posture.Check) []string {
	out := []string{}
	for _, r := range k.Remediation {
		for line := range strings.Lines(r.Steps) {
			if line = strings.TrimSpace(line); line == "" {
				continue
			} else if len(r.Families) > 0 {
				line = strings.Join(r.Families, ", ") + ": " + line
			}
			out = append(out, line)
		}
	}
	return out
}

// checkReferences are the places of benchmarks that ask for the same.
func checkReferences(k *posture.Check) []string {
	out := []string{}
	for _, r := range k.References {
		out = append(out, strings.TrimSpace(r.Benchmark+" "+r.Item))
	}
	slices.Sort(out)
	return out
}

// statusUnder is how a recommendation of one device stands when some of it is
// under exceptions, or some under none.
func statusUnder(some, open bool) string {
	switch {
	case !some:
		return StatusActive
	case open:
		return StatusPartial
	}
	return StatusFull
}

// checkRemedy is a failed check as a recommendation for one device.
func checkRemedy(t *exposure.Term, score exposure.Score, points uint64) *DeviceRecommendationRow {
	k := posture.Checks()[t.Check]
	return &DeviceRecommendationRow{ID: "sca-_-" + k.ID, Name: k.Title, Component: categoryName(k.Category), Type: RemedyConfigure, Points: uint64(t.Points),
		Share: t.Share.Float(), Impact: (score - exposure.ScoreOf(points-uint64(t.Points))).Float(), Status: statusUnder(t.Under != exposure.NoException, t.Under == exposure.NoException), Exception: t.Under != exposure.NoException,
		Tags: []string{}, Threats: Threats{Exploit: advisory.NoExploit}}
}
