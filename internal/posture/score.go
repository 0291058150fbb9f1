package posture

import (
	"cmp"
	"math/big"
	"slices"
)

// ScoreVersion numbers the formula of the secure score. Every stored score
// carries it, so that a change of the formula is never taken for a change of
// the fleet.
const ScoreVersion = 1

// Count is how many devices have each result of one check. A device counts
// once; devices that the check does not concern are not in it.
type Count struct {
	Pass int
	// Mitigated are devices that fail, or could not be judged, and have an
	// exception that says that the risk is dealt with in another way.
	Mitigated   int
	Fail        int
	NotAssessed int
}

// Applicable is how many devices the check concerns.
func (c Count) Applicable() int { return c.Pass + c.Mitigated + c.Fail + c.NotAssessed }

// Add counts one device's result. NotApplicable counts nowhere.
func (c *Count) Add(s State) {
	switch s {
	case Pass:
		c.Pass++
	case Fail:
		c.Fail++
	case NotAssessed:
		c.NotAssessed++
	}
}

// Points are an exact part of an exact maximum.
type Points struct {
	Got *big.Rat
	Max int64
}

// PerCent is 100·Got/Max; nil when Max is 0 and there is nothing to score.
func (p Points) PerCent() *big.Rat {
	if p.Max == 0 {
		return nil
	}
	r := new(big.Rat).Mul(p.Got, big.NewRat(100, 1))
	return r.Quo(r, new(big.Rat).SetInt64(p.Max))
}

// CheckScore is the part of one check in the score.
type CheckScore struct {
	Check    string
	Category Category
	Count    Count
	Points
	// Impact is what the score gains when every device complies: Max - Got.
	Impact *big.Rat
}

// SecureScore is the score of a set of devices: higher is better. Total is the
// sum over Categories, and each of them the sum over its Checks, exactly.
type SecureScore struct {
	Version    int
	Total      Points
	Categories []CategoryScore // every category, in the order of Categories
	Checks     []CheckScore    // those that concern a device, ordered by id
}

// CategoryScore is the part of one category.
type CategoryScore struct {
	Category Category
	Points
}

// Score computes the secure score from the counts of each check, by id. With
// the impact of a check i, n the devices that it concerns and c those that
// comply (Pass and Mitigated), Max is the sum of i and Got the sum of i·c/n
// over the checks with n > 0; docs/posture.md gives the reasons. A device that
// could not be judged counts in n and not in c: it never raises a score. Ids
// that no check has are passed over.
func Score(counts map[string]Count) SecureScore {
	s := SecureScore{Version: ScoreVersion, Total: Points{Got: new(big.Rat)}}
	at := map[Category]int{}
	for i, c := range Categories {
		at[c] = i
		s.Categories = append(s.Categories, CategoryScore{Category: c, Points: Points{Got: new(big.Rat)}})
	}
	for id, n := range counts {
		c, ok := ByID(id)
		if !ok || n.Applicable() <= 0 {
			continue
		}
		s.Checks = append(s.Checks, scoreOf(c, n))
	}
	slices.SortFunc(s.Checks, func(a, b CheckScore) int { return cmp.Compare(a.Check, b.Check) })
	for _, k := range s.Checks {
		for _, p := range []*Points{&s.Total, &s.Categories[at[k.Category]].Points} {
			p.Got.Add(p.Got, k.Got)
			p.Max += k.Max
		}
	}
	return s
}

// scoreOf is the part of one check.
func scoreOf(c *Check, n Count) CheckScore {
	most := int64(c.Impact)
	got := big.NewRat(most*int64(n.Pass+n.Mitigated), int64(n.Applicable()))
	return CheckScore{
		Check: c.ID, Category: c.Category, Count: n, Points: Points{Got: got, Max: most},
		Impact: new(big.Rat).Sub(new(big.Rat).SetInt64(most), got),
	}
}
