package simulate

import (
	"testing"
	"time"
)

func BenchmarkSections(b *testing.B) {
	u, c := mustUniverse(b), &clock{start: start, tick: time.Minute}
	var fleet []*host
	for n := range 200 {
		fleet = append(fleet, newHost(u, c, 1, n))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		fleet[i%200].sections(start)
	}
}

func BenchmarkNewHost(b *testing.B) {
	u, c := mustUniverse(b), &clock{start: start, tick: time.Minute}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		newHost(u, c, 1, i)
	}
}
