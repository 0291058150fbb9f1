package posture

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func drawCounts(t *rapid.T) map[string]Count {
	counts := map[string]Count{}
	for _, c := range Checks() {
		if !rapid.Bool().Draw(t, "in") {
			continue
		}
		n := rapid.IntRange(0, 10_000_000)
		counts[c.ID] = Count{Pass: n.Draw(t, "pass"), Mitigated: n.Draw(t, "mitigated"), Fail: n.Draw(t, "fail"), NotAssessed: n.Draw(t, "not assessed")}
	}
	return counts
}

// TestScoreAddsUp proves that every score opens into terms that sum to it
// exactly, and that a check's impact is what the score gains when all comply.
func TestScoreAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		counts := drawCounts(t)
		s := Score(counts)
		byCheck, byCategory := new(big.Rat), new(big.Rat)
		var most, mostOf int64
		for _, k := range s.Checks {
			byCheck.Add(byCheck, k.Got)
			most += k.Max
		}
		for _, c := range s.Categories {
			byCategory.Add(byCategory, c.Got)
			mostOf += c.Max
		}
		if byCheck.Cmp(s.Total.Got) != 0 || byCategory.Cmp(s.Total.Got) != 0 || most != s.Total.Max || mostOf != s.Total.Max {
			t.Fatalf("total %s of %d, by check %s of %d, by category %s of %d", s.Total.Got, s.Total.Max, byCheck, most, byCategory, mostOf)
		}
		if len(s.Checks) == 0 {
			return
		}
		k := s.Checks[rapid.IntRange(0, len(s.Checks)-1).Draw(t, "check")]
		n := counts[k.Check]
		counts[k.Check] = Count{Pass: n.Applicable()}
		gain := new(big.Rat).Sub(Score(counts).Total.Got, s.Total.Got)
		if gain.Cmp(k.Impact) != 0 {
			t.Fatalf("%s: impact %s, the score gains %s", k.Check, k.Impact, gain)
		}
	})
}

// TestScoreMonotone proves that a device that complies raises the score of its
// check, and that one that fails or cannot be judged any more lowers it.
func TestScoreMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.SampledFrom(Checks()).Draw(t, "check").ID
		n := rapid.IntRange(1, 1_000_000)
		c := Count{Pass: n.Draw(t, "pass"), Mitigated: n.Draw(t, "mitigated"), Fail: n.Draw(t, "fail"), NotAssessed: n.Draw(t, "not assessed")}
		got := func(c Count) *big.Rat { return Score(map[string]Count{id: c}).Total.Got }
		mended, broken, blind, lost := c, c, c, c
		mended.Fail, mended.Pass = c.Fail-1, c.Pass+1
		broken.Pass, broken.Fail = c.Pass-1, c.Fail+1
		blind.Pass, blind.NotAssessed = c.Pass-1, c.NotAssessed+1
		lost.Fail, lost.NotAssessed = c.Fail-1, c.NotAssessed+1
		if got(mended).Cmp(got(c)) <= 0 || got(broken).Cmp(got(c)) >= 0 || got(blind).Cmp(got(c)) >= 0 {
			t.Fatalf("%+v: got %s; mended %s, broken %s, blind %s", c, got(c), got(mended), got(broken), got(blind))
		}
		if got(lost).Cmp(got(c)) > 0 {
			t.Fatalf("%+v: a failing device that cannot be judged any more raises %s to %s", c, got(c), got(lost))
		}
	})
}

func TestScoreExamples(t *testing.T) {
	var c Count
	for _, s := range []State{Pass, Fail, NotApplicable, NotAssessed, Pass} {
		c.Add(s)
	}
	if c != (Count{Pass: 2, Fail: 1, NotAssessed: 1}) || c.Applicable() != 4 {
		t.Errorf("counts: %+v", c)
	}
	s := Score(map[string]Count{
		"scid-4001": {Pass: 1, Fail: 2},        // impact 9: 3 points
		"scid-4010": {Mitigated: 1, Fail: 1},   // impact 10: 5 points
		"scid-2001": {NotAssessed: 4, Fail: 1}, // impact 7: none
		"scid-3030": {},                        // concerns no device
		"scid-0000": {Pass: 1},                 // no check
	})
	if len(s.Checks) != 3 || s.Total.Max != 26 || s.Total.Got.Cmp(big.NewRat(8, 1)) != 0 || s.Version != ScoreVersion {
		t.Errorf("score: %d checks, %s of %d, version %d", len(s.Checks), s.Total.Got, s.Total.Max, s.Version)
	}
	if p := s.Total.PerCent().FloatString(4); p != "30.7692" {
		t.Errorf("per cent: %s", p)
	}
	if s.Categories[0].PerCent() != nil {
		t.Error("a category without checks has a per cent")
	}
}
