package exposure

import (
	"math/big"
	"math/bits"
)

// Sum is a sum of scores, exact: an integer of 128 bits, which 10 million
// devices of any weight do not exceed.
type Sum struct{ hi, lo uint64 }

func (s *Sum) add(n uint64) {
	var carry uint64
	s.lo, carry = bits.Add64(s.lo, n, 0)
	s.hi += carry
}

func (s *Sum) sub(n uint64) {
	var borrow uint64
	s.lo, borrow = bits.Sub64(s.lo, n, 0)
	s.hi -= borrow
}

func (s *Sum) plus(o Sum) {
	var carry uint64
	s.lo, carry = bits.Add64(s.lo, o.lo, 0)
	s.hi += o.hi + carry
}

// Minus returns s without a sum that is at most s.
func (s Sum) Minus(o Sum) Sum {
	s.minus(o)
	return s
}

// times returns s · n.
func (s Sum) times(n uint64) Sum {
	hi, lo := bits.Mul64(s.lo, n)
	return Sum{hi: hi + s.hi*n, lo: lo}
}

// IsZero reports whether the sum is 0.
func (s Sum) IsZero() bool { return s == Sum{} }

// Compare orders sums.
func (s Sum) Compare(o Sum) int {
	switch {
	case s == o:
		return 0
	case s.hi < o.hi || s.hi == o.hi && s.lo < o.lo:
		return -1
	}
	return 1
}

// Big is the sum as an integer of any size.
func (s Sum) Big() *big.Int {
	n := new(big.Int).SetUint64(s.hi)
	n.Lsh(n, 64)
	return n.Or(n, new(big.Int).SetUint64(s.lo))
}

// Mean is a weighted mean of scores: Num units over Den of weight, exact. Means
// with the same Den add up and compare by Num alone.
type Mean struct {
	Num Sum
	Den uint64
}

// Float is the mean in points, 0 when nothing was weighed.
func (m Mean) Float() float64 {
	if m.Den == 0 {
		return 0
	}
	den := new(big.Int).SetUint64(m.Den)
	f, _ := new(big.Rat).SetFrac(m.Num.Big(), den.Mul(den, big.NewInt(ScoreUnit))).Float64()
	return f
}
