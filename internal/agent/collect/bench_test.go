package collect

import (
	"testing"

	"github.com/picketsec/picket/internal/inventory"
)

// benchCollector runs one collector on this host; cold reads apt's lists anew
// each time, as after apt-get update.
func benchCollector(b *testing.B, name inventory.SectionName, cold bool) {
	h := liveHost(b)
	l := DefaultLimits()
	all := All()
	Run(b.Context(), collector(b, all, name), h, l)
	b.ReportAllocs()
	for b.Loop() {
		if cold {
			all = All()
		}
		Run(b.Context(), collector(b, all, name), h, l)
	}
}

func BenchmarkDPKG(b *testing.B)        { benchCollector(b, inventory.DPKG, false) }
func BenchmarkDPKGCold(b *testing.B)    { benchCollector(b, inventory.DPKG, true) }
func BenchmarkUpdates(b *testing.B)     { benchCollector(b, inventory.Updates, false) }
func BenchmarkUpdatesCold(b *testing.B) { benchCollector(b, inventory.Updates, true) }
func BenchmarkKernel(b *testing.B)      { benchCollector(b, inventory.Kernel, false) }
func BenchmarkRestart(b *testing.B)     { benchCollector(b, inventory.Restart, false) }
