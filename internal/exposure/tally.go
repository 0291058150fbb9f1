package exposure

import "github.com/picketsec/picket/internal/advisory"

// Counts counts distinct weaknesses that count in exposure, each once however
// many components have it.
type Counts struct {
	Weaknesses  uint32
	Critical    uint32
	High        uint32
	Medium      uint32
	Low         uint32
	Unrated     uint32
	Fixable     uint32 // of Weaknesses: a fixed version exists
	Exploitable uint32 // of Weaknesses: Rating.Exploitable
	KEV         uint32 // of Weaknesses: Rating.KEV
	Products    uint32 // installed products; 0 except in the counts of a device
}

// tally holds the nine counters of Counts that weaknesses move, in lanes of 21
// bits, so that one weakness is three additions.
type tally [3]uint64

const (
	lane     = 21
	laneMask = 1<<lane - 1
)

func (t *tally) add(d tally) {
	t[0] += d[0]
	t[1] += d[1]
	t[2] += d[2]
}

// sub takes away what was added before, so no lane can run below zero.
func (t *tally) sub(d tally) {
	t[0] -= d[0]
	t[1] -= d[1]
	t[2] -= d[2]
}

func (t *tally) counts(products uint32) Counts {
	get := func(word, n int) uint32 { return uint32(t[word] >> (n * lane) & laneMask) }
	return Counts{Weaknesses: get(0, 0), Critical: get(0, 1), High: get(0, 2), Medium: get(1, 0), Low: get(1, 1), Unrated: get(1, 2),
		Fixable: get(2, 0), Exploitable: get(2, 1), KEV: get(2, 2), Products: products}
}

// class is a Rating in five bits: severity, exploitable, KEV.
type class uint8

const classes = 5 * 4

func (r Rating) class() class {
	c := class(4)
	switch r.Severity {
	case advisory.Critical:
		c = 0
	case advisory.High:
		c = 1
	case advisory.Medium:
		c = 2
	case advisory.Low:
		c = 3
	}
	c *= 4
	if r.Exploitable {
		c++
	}
	if r.KEV {
		c += 2
	}
	return c
}

// tallies holds what one weakness adds, by class and whether a fix exists.
type tallies [classes][2]tally

func newTallies() *tallies {
	var t tallies
	for c := range t {
		severity := c / 4
		for fix := range 2 {
			d := &t[c][fix]
			d[0] = 1
			if severity < 2 {
				d[0] += 1 << ((severity + 1) * lane)
			} else {
				d[1] += 1 << ((severity - 2) * lane)
			}
			d[2] = uint64(fix) + uint64(c&1)<<lane + uint64(c>>1&1)<<(2*lane)
		}
	}
	return &t
}

// of returns what a weakness of a class adds for a standing mask.
func (t *tallies) of(c class, mask uint8) tally {
	switch {
	case mask&bitFixable != 0:
		return t[c][1]
	case mask&bitExposed != 0:
		return t[c][0]
	}
	return tally{}
}
