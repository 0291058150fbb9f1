package server

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/posture"
	"github.com/picketsec/picket/internal/store"
)

// verdicts holds one device's results, two bits a check in the order of
// posture.Checks: what is kept in memory and, as text, in its summary.
type verdicts []byte

// verdictStates are the states of a result by their two bits.
var verdictStates = [4]posture.State{posture.NotAssessed, posture.Pass, posture.Fail, posture.NotApplicable}

func newVerdicts(results []posture.Result) verdicts {
	v := make(verdicts, (len(results)+3)/4)
	for i, r := range results {
		v[i/4] |= byte(slices.Index(verdictStates[:], r.State)) << (i % 4 * 2)
	}
	return v
}

func (v verdicts) state(check int) posture.State {
	if check/4 >= len(v) {
		return posture.NotAssessed
	}
	return verdictStates[v[check/4]>>(check%4*2)&3]
}

// failed lists the numbers of the checks that fail.
func (v verdicts) failed() []uint32 {
	var out []uint32
	for i := range posture.Checks() {
		if v.state(i) == posture.Fail {
			out = append(out, uint32(i))
		}
	}
	return out
}

// text and parseVerdicts carry verdicts through a summary. They say which
// checks they are of: results of other checks are not taken.
func (v verdicts) text() string {
	return checksDigest() + ":" + base64.RawStdEncoding.EncodeToString(v)
}

func parseVerdicts(s string) (verdicts, bool) {
	digest, rest, _ := strings.Cut(s, ":")
	v, err := base64.RawStdEncoding.DecodeString(rest)
	return v, err == nil && digest == checksDigest() && len(v) == (len(posture.Checks())+3)/4
}

// checksDigest names the catalogue of checks that verdicts are of.
func checksDigest() string { return posture.Digest() }

// checkBook counts results over devices.
type checkBook struct {
	by [4][]*roaring.Bitmap // by state and check: devices
}

func newCheckBook() *checkBook {
	b := &checkBook{}
	for s := range b.by {
		b.by[s] = make([]*roaring.Bitmap, len(posture.Checks()))
		for i := range b.by[s] {
			b.by[s][i] = roaring.New()
		}
	}
	return b
}

// set replaces the results of a device; nil takes it out.
func (b *checkBook) set(num uint32, was, now verdicts) {
	for i := range posture.Checks() {
		old, is := was.state(i), now.state(i)
		if was != nil && now != nil && old == is {
			continue
		}
		if was != nil {
			b.by[slices.Index(verdictStates[:], old)][i].Remove(num)
		}
		if now != nil {
			b.by[slices.Index(verdictStates[:], is)][i].Add(num)
		}
	}
}

// devices are those with a state of a check. The result is shared.
func (b *checkBook) devices(check int, s posture.State) *roaring.Bitmap {
	return b.by[slices.Index(verdictStates[:], s)][check]
}

// judge takes in the results of a device. The caller holds mu for writing.
func (c *core) judge(d *device, now verdicts) {
	c.checks.set(d.num, d.verdicts, now)
	d.verdicts = now
	c.fleet.Scores().SetFailed(d.num, now.failed())
}

// checkWeights are the points of each check.
func checkWeights() []exposure.Points {
	var out []exposure.Points
	for _, k := range posture.Checks() {
		out = append(out, exposure.CheckPoints(k.Impact))
	}
	return out
}

// checkNumber is the number of a check, ok false for an unknown id.
func checkNumber(id string) (int, bool) {
	return slices.BinarySearchFunc(posture.Checks(), id, func(k *posture.Check, id string) int { return strings.Compare(k.ID, id) })
}

// secureScore is the secure score of the active devices of a lens. The caller
// holds mu for reading.
func (c *core) secureScore(l lens) posture.SecureScore {
	return posture.Score(c.checkCounts(l.of(c.active())))
}

// checkCounts counts the results of every check over some devices, by id. The
// caller holds mu for reading.
func (c *core) checkCounts(in *roaring.Bitmap) map[string]posture.Count {
	counts := map[string]posture.Count{}
	for i, k := range posture.Checks() {
		counts[k.ID] = c.checkCount(i, in)
	}
	return counts
}

// checkCount counts the results of a check over some devices. The caller holds
// mu for reading.
func (c *core) checkCount(check int, in *roaring.Bitmap) posture.Count {
	n := posture.Count{
		Pass:        int(c.checks.devices(check, posture.Pass).AndCardinality(in)),
		Fail:        int(c.checks.devices(check, posture.Fail).AndCardinality(in)),
		NotAssessed: int(c.checks.devices(check, posture.NotAssessed).AndCardinality(in)),
	}
	if other := c.fleet.Scores().CheckMitigated(check); other != nil {
		other = roaring.And(other, in)
		fail, blind := int(c.checks.devices(check, posture.Fail).AndCardinality(other)), int(c.checks.devices(check, posture.NotAssessed).AndCardinality(other))
		n.Fail, n.NotAssessed, n.Mitigated = n.Fail-fail, n.NotAssessed-blind, fail+blind
	}
	return n
}

// SecureScore is how well devices are configured, by category.
func (s *Server) SecureScore(_ context.Context, caller Caller) (SecureScoreView, error) {
	if err := s.need(caller, ScoreRead); err != nil {
		return SecureScoreView{}, err
	}
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	return secureView(s.core.secureScore(s.core.lens(caller)), time.Now().UTC()), nil
}

func secureView(score posture.SecureScore, now time.Time) SecureScoreView {
	v := SecureScoreView{SecureCategory: secureCategory("", score.Total), Version: score.Version, Categories: []SecureCategory{}, AsOf: now}
	for _, k := range score.Categories {
		v.Categories = append(v.Categories, secureCategory(string(k.Category), k.Points))
	}
	return v
}

func secureCategory(name string, p posture.Points) SecureCategory {
	c := SecureCategory{Category: name, Max: p.Max}
	c.Got, _ = p.Got.Float64()
	if pc := p.PerCent(); pc != nil {
		c.PerCent, _ = pc.Float64()
	}
	return c
}

// recheck judges devices again whose results are of other checks, after an
// update of Picket, until ctx ends or all are done. A device that cannot be
// judged is logged and stays not assessed; the others go on.
func (s *Server) recheck(ctx context.Context) error {
	c := s.core
	for num := 0; ctx.Err() == nil; num++ {
		c.mu.RLock()
		if num >= len(c.devices) {
			c.mu.RUnlock()
			return nil
		}
		d := c.devices[num]
		todo := d != nil && d.verdicts == nil && d.sum.OSID != ""
		c.mu.RUnlock()
		if !todo {
			continue
		}
		if err := s.recheckOne(ctx, d); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "judge configuration again", "device", d.id, "error", err)
		}
	}
	return ctx.Err()
}

func (s *Server) recheckOne(ctx context.Context, d *device) error {
	d.report.Lock()
	defer d.report.Unlock()
	sections, err := s.st.Sections(ctx, d.num)
	if err != nil {
		return fmt.Errorf("read sections of %s: %w", d.id, err)
	}
	now := newVerdicts(posture.Evaluate(sections))
	s.core.mu.Lock()
	s.core.judge(d, now)
	d.sum.Posture = now.text()
	sum, held := d.sum, d.held
	s.core.mu.Unlock()
	raw, err := json.Marshal(sum)
	if err != nil {
		return fmt.Errorf("encode summary: %w", err)
	}
	rep := store.Ingest{Device: d.num, ID: d.id, At: time.Now().UTC(), State: &store.DeviceState{Device: d.num, Summary: raw, Components: held}}
	if _, err := s.st.Apply(ctx, []store.Ingest{rep}); err != nil {
		return fmt.Errorf("store results of checks of %s: %w", d.id, err)
	}
	return nil
}

// DeviceChecks lists what configuration checks say of a device, with the settings that decided.
func (s *Server) DeviceChecks(ctx context.Context, caller Caller, id string, q Query) (Page[DeviceCheckRow], error) {
	if err := s.need(caller, RecommendationRead); err != nil {
		return Page[DeviceCheckRow]{}, err
	}
	s.core.mu.RLock()
	d, err := s.core.named(caller.sees(), id)
	s.core.mu.RUnlock()
	if err != nil {
		return Page[DeviceCheckRow]{}, err
	}
	sections, err := s.st.Sections(ctx, d.num)
	if err != nil {
		return Page[DeviceCheckRow]{}, fmt.Errorf("read sections of %s: %w", d.id, err)
	}
	return deviceCheckList().page(q, checkRows(sections))
}

func checkRows(sections map[inventory.SectionName]*inventory.Section) []*DeviceCheckRow {
	var rows []*DeviceCheckRow
	for _, r := range posture.Evaluate(sections) {
		k, _ := posture.ByID(r.Check)
		row := &DeviceCheckRow{ID: "sca-_-" + r.Check, Check: r.Check, Name: k.Title, Category: string(k.Category), Subcategory: k.Subcategory,
			Impact: k.Impact, State: string(r.State), Reason: r.Reason, Evidence: []CheckEvidence{}}
		for _, e := range r.Evidence {
			row.Evidence = append(row.Evidence, CheckEvidence{Section: string(e.Section), Setting: e.Setting, Found: e.Found, Expected: e.Expected, Source: e.Source, Holds: e.Holds})
		}
		rows = append(rows, row)
	}
	return rows
}

func deviceCheckList() *list[DeviceCheckRow] {
	var categories []string
	for _, c := range posture.Categories {
		categories = append(categories, string(c))
	}
	states := []string{string(posture.Pass), string(posture.Fail), string(posture.NotApplicable), string(posture.NotAssessed)}
	return &list[DeviceCheckRow]{
		text: func(r *DeviceCheckRow, has func(string) bool) bool {
			return has(r.Name) || has(r.ID) || has(r.Subcategory)
		},
		filters: map[string]func(*DeviceCheckRow, []string) bool{
			"state":    oneOf(func(r *DeviceCheckRow) string { return r.State }),
			"category": oneOf(func(r *DeviceCheckRow) string { return r.Category }),
		},
		values: map[string][]string{"state": states, "category": categories},
		order: map[string]func(a, b *DeviceCheckRow) int{
			"name":     byText(func(r *DeviceCheckRow) string { return r.Name }),
			"category": byText(func(r *DeviceCheckRow) string { return r.Category }),
			"impact":   byNumber(func(r *DeviceCheckRow) int { return r.Impact }),
			"state":    byText(func(r *DeviceCheckRow) string { return r.State }),
		},
		tie:     func(a, b *DeviceCheckRow) int { return strings.Compare(a.ID, b.ID) },
		initial: []string{"-impact", "name"},
	}
}
