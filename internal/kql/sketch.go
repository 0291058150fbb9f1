package kql

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// sketch estimates how many different keys were added (HyperLogLog; Flajolet
// and others, 2007): 2^14 counters, a standard error of 0.8 %.
type sketch struct {
	max [sketchSize]uint8
}

const (
	sketchBits = 14
	sketchSize = 1 << sketchBits
)

func (s *sketch) add(k [16]byte) {
	h := spread(binary.LittleEndian.Uint64(k[:8]) ^ spread(binary.LittleEndian.Uint64(k[8:])))
	i := h >> (64 - sketchBits)
	rank := uint8(bits.LeadingZeros64(h<<sketchBits|1<<(sketchBits-1))) + 1
	s.max[i] = max(s.max[i], rank)
}

func spread(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

func (s *sketch) count() int64 {
	sum, zero := 0.0, 0
	for _, m := range s.max {
		sum += math.Pow(2, -float64(m))
		if m == 0 {
			zero++
		}
	}
	n := float64(sketchSize)
	e := 0.7213 / (1 + 1.079/n) * n * n / sum
	if e <= 2.5*n && zero > 0 {
		e = n * math.Log(n/float64(zero))
	}
	return int64(math.Round(e))
}
