package server

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/group"
	"github.com/picketsec/picket/internal/posture"
)

const (
	// outAfter is how long a device may be silent and still count in scores.
	outAfter = 30 * 24 * time.Hour
	// settleStep is how many devices one step of settling takes under the lock.
	settleStep = 1000
)

// valueWords are the values of devices as people and programs write them.
var valueWords = map[exposure.Value]string{exposure.ValueLow: "Low", exposure.ValueNormal: "Normal", exposure.ValueHigh: "High"}

func valueOf(word string) (exposure.Value, bool) {
	for v, w := range valueWords {
		if w == word {
			return v, true
		}
	}
	return exposure.ValueNormal, false
}

// weights are those of the organisation as it is. The caller holds mu for reading.
func (c *core) weights() exposure.Weights {
	return c.weighting.Of(c.fleet.Scores().Total(nil, exposure.DefaultWeights(0)).Devices)
}

// scoreView is the score of a part of the fleet. The caller holds mu for reading.
func (c *core) scoreView(l lens) ScoreView {
	return c.scoreViewOf(c.fleet.Scores().Total(l.groups, c.weights()), time.Now().UTC())
}

// scoreViewOf is a score as it is shown. The caller holds mu for reading.
func (c *core) scoreViewOf(t exposure.ScoreTotal, now time.Time) ScoreView {
	return ScoreView{Score: t.Mean.Float(), Level: exposure.LevelOf(t.Mean.Float()), Version: exposure.ScoreVersion, Weights: weighingWords(c.weighting), Num: t.Mean.Num.Big().String(),
		Den: t.Mean.Den, Devices: t.Devices, AsOf: now, Levels: LevelCount{None: t.Levels[exposure.LevelNone],
			Low: t.Levels[exposure.LevelLow], Medium: t.Levels[exposure.LevelMedium], High: t.Levels[exposure.LevelHigh]}}
}

// ExposureScore is the score of all devices that the caller may see.
func (s *Server) ExposureScore(ctx context.Context, caller Caller) (ScoreView, error) {
	if err := s.need(caller, ScoreRead); err != nil {
		return ScoreView{}, err
	}
	if err := s.core.settle(ctx); err != nil {
		return ScoreView{}, err
	}
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	return s.core.scoreView(s.core.lens(caller)), nil
}

// SetDeviceValue says what a device is worth: Low, Normal or High.
func (s *Server) SetDeviceValue(ctx context.Context, caller Caller, id, word string) error {
	if err := s.need(caller, MachineReadWrite, ManageDevices); err != nil {
		return err
	}
	v, ok := valueOf(word)
	if !ok {
		return Invalidf("value", "%q is not one of Low, Normal, High", word)
	}
	s.sorting.Lock()
	defer s.sorting.Unlock()
	c := s.core
	c.mu.RLock()
	d, err := c.named(caller.sees(), id)
	was := exposure.ValueNormal
	if err == nil {
		was = d.value
	}
	c.mu.RUnlock()
	if err != nil {
		return err
	}
	stored := word
	if v == exposure.ValueNormal {
		stored = ""
	}
	before, after := map[string]string{"value": valueWords[was]}, map[string]string{"value": word}
	ask := leaving{Do: doSetValue, Device: string(d.id), Value: word, Subject: "Set device value", Before: before, After: after}
	if err := s.keepProtected(ctx, caller, ask, []*device{d}, func(_ *device, f *group.Facts) exposure.Group {
		f.Value = word
		return c.sorting.under(f)
	}); err != nil {
		return err
	}
	audit.Change(ctx, string(d.id), before, after)
	if err := s.st.SetDeviceValue(ctx, d.num, stored); err != nil {
		return fmt.Errorf("store value of %s: %w", d.id, err)
	}
	c.mu.Lock()
	d.value = v
	c.place(d, time.Now())
	c.mu.Unlock()
	s.log.InfoContext(ctx, "device value set", "device", d.id, "value", word, "by", caller.Name)
	s.live.publish(LiveEvent{Resource: "device", ID: string(d.id)})
	return nil
}

// underWords are what exceptions make of a finding, in words.
var underWords = map[exposure.Under]string{exposure.Excepted: "Excepted", exposure.Mitigated: "Mitigated"}

// mostTerms caps the terms of a device's score as one answer; DeviceScoreTerms has all.
const mostTerms = 500

// DeviceScore opens the score of a device into the findings that make it.
func (s *Server) DeviceScore(ctx context.Context, caller Caller, id string) (DeviceScore, error) {
	if err := s.need(caller, ScoreRead); err != nil {
		return DeviceScore{}, err
	}
	c := s.core
	if err := c.settle(ctx); err != nil {
		return DeviceScore{}, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	d, err := c.named(caller.sees(), id)
	if err != nil {
		return DeviceScore{}, err
	}
	score, points, ok := c.fleet.Scores().DeviceScore(d.num)
	out := DeviceScore{Score: score.Float(), Level: exposure.LevelOf(score.Float()), Version: exposure.ScoreVersion, Units: units(score),
		Points: points, Value: valueWords[d.value], Weight: weightOf(c.weights()[d.value]), Counted: ok, Terms: []ScoreTerm{}}
	rest := exposure.Score(0)
	terms := c.fleet.Scores().Terms(d.num)
	out.TermCount = len(terms)
	for i := range terms {
		if i >= mostTerms {
			rest += terms[i].Share
			continue
		}
		out.Terms = append(out.Terms, c.scoreTerm(caller, &terms[i]))
	}
	out.RestUnits = units(rest)
	return out, nil
}

// scoreTerm is a term as it is shown. The caller holds mu for reading.
func (c *core) scoreTerm(caller Caller, t *exposure.Term) ScoreTerm {
	switch {
	case t.Alert != "":
		return c.alertTerm(caller, t)
	case t.Weakness == "":
		k := posture.Checks()[t.Check]
		return ScoreTerm{Kind: "check", Check: k.ID, Component: k.Title, State: exposure.State(posture.Fail), Exception: underWords[t.Under], Threats: Threats{Exploit: advisory.NoExploit},
			Points: uint64(t.Points), Units: units(t.Share), Share: t.Share.Float()}
	}
	k, f := c.fleet.Component(t.Component), c.peek(t.Weakness)
	return ScoreTerm{Kind: "finding", Weakness: t.Weakness, Severity: f.Severity, CVSS: f.CVSS, Fallback: f.Fallback, Threats: f.Threats,
		State: t.State, ProductID: k.ID(), Component: k.Product, Version: k.Version, Exception: underWords[t.Under], Points: uint64(t.Points), Units: units(t.Share), Share: t.Share.Float()}
}

// alertTerm is an active alert as a part of a score; what it is about is told to
// those who may read alerts. The caller holds mu for reading.
func (c *core) alertTerm(caller Caller, t *exposure.Term) ScoreTerm {
	out := ScoreTerm{Kind: "alert", Component: "Active alert", Threats: Threats{Exploit: advisory.NoExploit}, Points: uint64(t.Points), Units: units(t.Share), Share: t.Share.Float()}
	if a := c.alerts.get(t.Alert); a != nil && (caller.Has(AlertRead) || caller.Has(AlertWrite)) {
		out.Alert, out.Component, out.Severity = a.ID, a.Title, advisory.Severity(a.Severity)
	}
	return out
}

// units writes a score with all its digits.
func units(s exposure.Score) string { return strconv.FormatUint(uint64(s), 10) }

// retire takes devices out of scores that have been silent for too long.
func (s *Server) retire(now time.Time) {
	c := s.core
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.devices {
		if d != nil && !d.online && now.Sub(d.agent.LastSeen) > outAfter {
			c.place(d, now)
		}
	}
}
