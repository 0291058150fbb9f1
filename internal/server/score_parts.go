package server

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
)

// ScorePartsAPI is what package api relies on to open scores into their parts.
type ScorePartsAPI interface {
	ScoreGroups(ctx context.Context, c Caller, q Query) (Page[ScoreGroupPart], error)
	ScoreDevices(ctx context.Context, c Caller, q Query) (Page[ScoreDevicePart], error)
	DeviceScoreTerms(ctx context.Context, c Caller, id string, q Query) (Page[ScoreTerm], error)
	SecureChecks(ctx context.Context, c Caller, q Query) (Page[SecureCheckRow], error)
	SecureCheck(ctx context.Context, c Caller, id string) (SecureCheck, error)
	CheckDevices(ctx context.Context, c Caller, id string, q Query) (Page[CheckDeviceRow], error)
	DeviceWeights(ctx context.Context, c Caller) (DeviceWeightsView, error)
	SetDeviceWeights(ctx context.Context, c Caller, w DeviceWeights) (DeviceWeightsView, error)
}

// ScoreGroupPart is what one device group puts into the score of those that
// somebody looks at.
type ScoreGroupPart struct {
	ID      exposure.Group         `json:"id"`
	Name    string                 `json:"name"`
	Devices int                    `json:"devices"` // that count
	Score   float64                `json:"score"`   // the group's own
	Level   exposure.ExposureLevel `json:"level"`
	Weight  float64                `json:"weight"` // of its devices together
	Num     string                 `json:"num"`    // exact: the nums of all rows add up to that of the score
	Den     uint64                 `json:"den"`    // that of the score: Num / (Den · 10¹⁵) points
	Share   float64                `json:"share"`  // these points, not rounded
}

// ScoreDevicePart is what one device puts into the score of those that somebody
// looks at: its own score times its weight.
type ScoreDevicePart struct {
	ID      inventory.DeviceID     `json:"id"`
	Name    string                 `json:"name"`
	OSName  string                 `json:"os_name"`
	GroupID exposure.Group         `json:"group_id"`
	Group   string                 `json:"group"`
	Value   string                 `json:"value"`
	Weight  float64                `json:"weight"`
	Score   float64                `json:"score"` // the device's own
	Level   exposure.ExposureLevel `json:"level"`
	Units   string                 `json:"units"` // the device's own score, exact: Num is 40 · Weight times this
	Num     string                 `json:"num"`   // exact: the nums of all rows add up to that of the score
	Den     uint64                 `json:"den"`   // that of the score: Num / (Den · 10¹⁵) points
	Share   float64                `json:"share"` // these points, not rounded
}

// groupPart and devicePart are rows before they are shown: what orders them, exact.
type groupPart struct {
	ScoreGroupPart
	part exposure.Sum
}

type devicePart struct {
	d    *device
	part exposure.Sum
}

func scoreGroupList() *list[groupPart] {
	return &list[groupPart]{
		text: func(r *groupPart, has func(string) bool) bool { return has(r.Name) },
		order: map[string]func(a, b *groupPart) int{
			"name":    byText(func(r *groupPart) string { return r.Name }),
			"devices": byNumber(func(r *groupPart) int { return r.Devices }),
			"score":   byNumber(func(r *groupPart) float64 { return r.Score }),
			"weight":  byNumber(func(r *groupPart) float64 { return r.Weight }),
			"share":   func(a, b *groupPart) int { return a.part.Compare(b.part) },
		},
		tie:     func(a, b *groupPart) int { return cmp.Compare(a.ID, b.ID) },
		initial: []string{"-share"},
	}
}

// ScoreGroups opens the score of what the caller looks at into its device
// groups, as far as they have devices that count.
func (s *Server) ScoreGroups(ctx context.Context, caller Caller, q Query) (Page[ScoreGroupPart], error) {
	if err := s.need(caller, ScoreRead); err != nil {
		return Page[ScoreGroupPart]{}, err
	}
	c := s.core
	if err := c.readSettled(ctx); err != nil {
		return Page[ScoreGroupPart]{}, err
	}
	defer c.mu.RUnlock()
	l := scoreGroupList()
	cut, total, err := l.cut(q, c.groupParts(c.lens(caller)))
	if err != nil {
		return Page[ScoreGroupPart]{}, err
	}
	p := Page[ScoreGroupPart]{Total: total, AsOf: time.Now().UTC(), Items: make([]ScoreGroupPart, len(cut))}
	for i, r := range cut {
		p.Items[i] = r.ScoreGroupPart
	}
	return p, nil
}

// groupParts are the groups of a lens with devices that count. The caller holds mu for reading.
func (c *core) groupParts(l lens) []*groupPart {
	scores, w := c.fleet.Scores(), c.weights()
	den := scores.Total(l.groups, w).Mean.Den
	var out []*groupPart
	for g := range c.members {
		if l.groups != nil && !slices.Contains(l.groups, g) {
			continue
		}
		t := scores.Total([]exposure.Group{g}, w)
		if t.Devices == 0 {
			continue
		}
		out = append(out, &groupPart{ScoreGroupPart{ID: g, Name: c.groupName(g), Devices: t.Devices, Score: t.Mean.Float(), Level: exposure.LevelOf(t.Mean.Float()), Weight: weightOf(t.Mean.Den),
			Num: t.Mean.Num.Big().String(), Den: den, Share: exposure.Mean{Num: t.Mean.Num, Den: den}.Float()}, t.Mean.Num})
	}
	return out
}

func (c *core) scoreDeviceList() *list[devicePart] {
	score := func(r *devicePart) exposure.Score {
		n, _, _ := c.fleet.Scores().DeviceScore(r.d.num)
		return n
	}
	w := c.weights()
	return &list[devicePart]{
		text: func(r *devicePart, has func(string) bool) bool {
			return has(r.d.sum.Name) || has(r.d.sum.FQDN) || has(string(r.d.id))
		},
		filters: map[string]func(*devicePart, []string) bool{
			"device_group": oneOf(func(r *devicePart) string { return strconv.Itoa(int(r.d.group)) }),
			"value":        oneOf(func(r *devicePart) string { return valueWords[r.d.value] }),
			"exposure":     oneOf(func(r *devicePart) string { return string(exposure.LevelOf(score(r).Float())) }),
		},
		values: map[string][]string{"value": {"Low", "Normal", "High"}, "exposure": {"None", "Low", "Medium", "High"}},
		order: map[string]func(a, b *devicePart) int{
			"name":   byText(func(r *devicePart) string { return r.d.sum.Name }),
			"group":  byText(func(r *devicePart) string { return c.sorting.names[r.d.group] }),
			"score":  byNumber(score),
			"weight": byNumber(func(r *devicePart) uint64 { return w[r.d.value] }),
			"share":  func(a, b *devicePart) int { return a.part.Compare(b.part) },
		},
		tie:     func(a, b *devicePart) int { return strings.Compare(string(a.d.id), string(b.d.id)) },
		initial: []string{"-share"},
	}
}

// ScoreDevices opens the score of what the caller looks at into its devices that count.
func (s *Server) ScoreDevices(ctx context.Context, caller Caller, q Query) (Page[ScoreDevicePart], error) {
	if err := s.need(caller, ScoreRead); err != nil {
		return Page[ScoreDevicePart]{}, err
	}
	c := s.core
	if err := c.readSettled(ctx); err != nil {
		return Page[ScoreDevicePart]{}, err
	}
	defer c.mu.RUnlock()
	l := c.lens(caller)
	parts := c.deviceParts(l)
	rows := make([]*devicePart, len(parts))
	for i := range parts {
		rows[i] = &parts[i]
	}
	cut, total, err := c.scoreDeviceList().cut(q, rows)
	if err != nil {
		return Page[ScoreDevicePart]{}, err
	}
	scores, w := c.fleet.Scores(), c.weights()
	den := scores.Total(l.groups, w).Mean.Den
	p := Page[ScoreDevicePart]{Total: total, AsOf: time.Now().UTC(), Items: make([]ScoreDevicePart, len(cut))}
	for i, r := range cut {
		score, _, _ := scores.DeviceScore(r.d.num)
		p.Items[i] = ScoreDevicePart{ID: r.d.id, Name: r.d.sum.Name, OSName: r.d.sum.OSName, GroupID: r.d.group, Group: c.groupName(r.d.group), Value: valueWords[r.d.value], Weight: weightOf(w[r.d.value]),
			Score: score.Float(), Level: exposure.LevelOf(score.Float()), Units: units(score), Num: r.part.Big().String(), Den: den, Share: exposure.Mean{Num: r.part, Den: den}.Float()}
	}
	return p, nil
}

// deviceParts are the devices of a lens that count, in no order. They are kept
// while nothing changes, and the caller, who holds mu for reading, does not change them.
func (c *core) deviceParts(l lens) []devicePart {
	const size = 24
	return keep(&c.kept, c.mu.state(), "score parts "+l.key(), func() ([]devicePart, int) {
		w := c.weights()
		out := make([]devicePart, 0, len(c.devices))
		for _, d := range c.devices {
			if d == nil || l.devs != nil && !l.devs.Contains(d.num) {
				continue
			}
			if part, ok := c.fleet.Scores().Part(d.num, w); ok {
				out = append(out, devicePart{d, part})
			}
		}
		return out, size * cap(out)
	})
}

// termRow is a term with its place in the order of exposure.Scores.Terms.
type termRow struct {
	ScoreTerm
	at int
}

// The kinds of terms.
var termKinds = []string{"finding", "check", "alert"}

func scoreTermList() *list[termRow] {
	return &list[termRow]{
		text: func(r *termRow, has func(string) bool) bool {
			return has(r.Weakness) || has(r.Component) || has(r.Check) || has(r.Version)
		},
		filters: map[string]func(*termRow, []string) bool{
			"kind":     oneOf(func(r *termRow) string { return r.Kind }),
			"severity": oneOf(func(r *termRow) string { return string(r.Severity) }),
			"threat":   func(r *termRow, v []string) bool { return threatIs(r.Threats, v) },
		},
		values: map[string][]string{"kind": termKinds, "threat": threatWords},
		order: map[string]func(a, b *termRow) int{
			"points":    byNumber(func(r *termRow) uint64 { return r.Points }),
			"weakness":  byText(func(r *termRow) string { return r.Weakness }),
			"component": byText(func(r *termRow) string { return r.Component }),
			"cvss":      byNumber(func(r *termRow) float64 { return r.CVSS }),
		},
		tie:     func(a, b *termRow) int { return cmp.Compare(a.at, b.at) },
		initial: []string{"-points"},
	}
}

// DeviceScoreTerms lists all terms of a device's score: their units add up to
// those of the score, and their points to its points.
func (s *Server) DeviceScoreTerms(ctx context.Context, caller Caller, id string, q Query) (Page[ScoreTerm], error) {
	if err := s.need(caller, ScoreRead); err != nil {
		return Page[ScoreTerm]{}, err
	}
	c := s.core
	if err := c.readSettled(ctx); err != nil {
		return Page[ScoreTerm]{}, err
	}
	defer c.mu.RUnlock()
	d, err := c.named(caller.sees(), id)
	if err != nil {
		return Page[ScoreTerm]{}, err
	}
	terms := c.fleet.Scores().Terms(d.num)
	rows := make([]*termRow, len(terms))
	for i := range terms {
		rows[i] = &termRow{c.scoreTerm(caller, &terms[i]), i}
	}
	cut, total, err := scoreTermList().cut(q, rows)
	if err != nil {
		return Page[ScoreTerm]{}, err
	}
	p := Page[ScoreTerm]{Total: total, AsOf: time.Now().UTC(), Items: make([]ScoreTerm, len(cut))}
	for i, r := range cut {
		p.Items[i] = r.ScoreTerm
	}
	return p, nil
}
