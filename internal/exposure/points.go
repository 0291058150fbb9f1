package exposure

import (
	"math/bits"

	"github.com/picketsec/picket/internal/advisory"
)

// ScoreVersion names the formula of this file and of scores.go. Every stored
// score carries it; a change of a number below is a new version.
const ScoreVersion = 3

// Points say how much one finding or failed check weighs on a device. Points
// add up; docs/scoring.md gives the formula and the reasons.
type Points uint32

// WeaknessPoints weighs a weakness that can be fixed: its severity, times what
// is known of its exploitation. fallback is true when no CVSS score exists and
// a word, or nothing, had to stand for it.
//
//	base   = ⌊(10 · CVSS)² / 10⌋                       1 to 1,000
//	threat = 8 + exploit + ⌊16 · EPSS⌋                  in eighths, 8 to 48
//	points = max(1, ⌊base · threat / 8⌋)
//
// where exploit is 8 when a proof of concept is public, 16 when exploitation
// was seen (CISA KEV among others), 24 when ransomware or a kit uses it.
func WeaknessPoints(w *advisory.Weakness) (p Points, fallback bool) {
	tenths, fallback := severityTenths(w)
	threat := uint32(8) + exploitEighths(w) + uint32(16*min(max(w.EPSS, 0), 1))
	return Points(max(1, tenths*tenths/10*threat/8)), fallback
}

// severityTenths is ten times the CVSS base score, 1 to 100; without a score,
// the middle of what the word means, and 5.0 for none.
func severityTenths(w *advisory.Weakness) (tenths uint32, fallback bool) {
	if s, ok := w.Best(); ok && s.Base > 0 {
		return max(1, uint32(10*min(s.Base, 10)+0.5)), false
	}
	switch w.Severity {
	case advisory.Critical:
		return 95, true
	case advisory.High:
		return 80, true
	case advisory.Medium:
		return 55, true
	case advisory.Low:
		return 25, true
	}
	return 50, true
}

func exploitEighths(w *advisory.Weakness) uint32 {
	switch {
	case w.Exploit == advisory.ExploitInKit || w.KEV != nil && w.KEV.Ransomware:
		return 24
	case w.Exploit == advisory.ExploitVerified || w.KEV != nil:
		return 16
	case w.Exploit == advisory.ExploitPublic:
		return 8
	}
	return 0
}

// Of is what a weakness of p points weighs in a state. Where a fix or a
// restart would close it, or nobody makes fixes any more, it weighs all of p.
// Where no fix exists it weighs an eighth, and a thirty-second where the
// vendor looked and found it too minor for an update: nothing can be installed
// against it, and weighing it in full would drown what can. It never weighs 0
// while it counts.
func (s State) Of(p Points, fixable bool) Points {
	switch {
	case !s.Exposed():
		return 0
	case fixable, s == RestartNeeded, s == State(advisory.EndOfLife):
		return max(1, p)
	case s == State(advisory.NoDSA), s == State(advisory.Postponed), s == State(advisory.Ignored):
		return max(1, p/32)
	}
	return max(1, p/8)
}

// CheckPoints is what a failed configuration check of an impact from 1 to 10 weighs.
func CheckPoints(impact int) Points { return Points(2 * min(max(impact, 1), 10)) }

// Score is an exposure score in units of 10⁻¹⁵ points: 0 to 100·ScoreUnit, the
// upper end never reached. Lower is better.
type Score uint64

// ScoreUnit is how many units make one point of a score.
const ScoreUnit = 1_000_000_000_000_000

// half is the sum of points at which a device's score is 50.
const half = 10_000

// ScoreOf is the score of a device whose findings and failed checks weigh sum
// together: ⌊100 · sum / (sum + 10,000)⌋ in units. It rises with every single
// point up to 3·10¹⁰ of them, and never reaches 100.
func ScoreOf(sum uint64) Score {
	hi, lo := bits.Mul64(100*ScoreUnit, sum)
	q, _ := bits.Div64(hi, lo, sum+half) // hi < sum + half since 100·ScoreUnit < 2⁶⁴
	return Score(q)
}

// Float is the score in points.
func (s Score) Float() float64 { return float64(s) / ScoreUnit }

// ExposureLevel is a score as people name it.
type ExposureLevel string

// The levels: 0 is none, below 30 low, below 70 medium, from 70 on high.
const (
	LevelNone   ExposureLevel = "None"
	LevelLow    ExposureLevel = "Low"
	LevelMedium ExposureLevel = "Medium"
	LevelHigh   ExposureLevel = "High"
)

// LevelOf is the level of a score in points.
func LevelOf(points float64) ExposureLevel {
	switch {
	case points <= 0:
		return LevelNone
	case points < 30:
		return LevelLow
	case points < 70:
		return LevelMedium
	}
	return LevelHigh
}

// Value is what a device is worth to the organisation.
type Value uint8

// The values of a device, in the order of their weights.
const (
	ValueNormal Value = iota
	ValueLow
	ValueHigh
	values
)

// Weights are what each value of a device counts in a mean, in fortieths.
type Weights [values]uint64

// Fortieths is how many units of a weight make 1.
const Fortieths = 40

// The bounds of a weight that somebody sets, in fortieths: 0.025 to 10. It is
// never 0, so that every finding that counts moves the score.
const (
	LeastWeight = 1
	MostWeight  = 10 * Fortieths
)

// Weighting says what each value of a device is worth, in fortieths.
type Weighting struct {
	Low, Normal uint64
	High        uint64 // 0: automatic, a tenth of the number of devices, at least 1 and at most 10
}

// DefaultWeighting is what holds unless somebody says otherwise: Low 0.75, Normal 1, High automatic.
func DefaultWeighting() Weighting { return Weighting{Low: 30, Normal: Fortieths} }

// Of are the weights of an organisation of n devices.
func (w Weighting) Of(n int) Weights {
	high := w.High
	if high == 0 {
		high = uint64(min(max(n*Fortieths/10, Fortieths), 10*Fortieths))
	}
	return Weights{ValueNormal: w.Normal, ValueLow: w.Low, ValueHigh: high}
}

// DefaultWeights are those of an organisation of n devices: Low 0.75, Normal 1,
// High n/10 but at least 1 and at most 10.
func DefaultWeights(n int) Weights { return DefaultWeighting().Of(n) }
