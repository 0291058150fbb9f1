package collect

import (
	"testing"

	"github.com/picketsec/picket/internal/inventory"
)

func benchCollector(b *testing.B, name inventory.SectionName) {
	h := liveHost(b)
	l := DefaultLimits()
	b.ReportAllocs()
	for b.Loop() {
		Run(b.Context(), collector(b, All(), name), h, l)
	}
}

func BenchmarkDPKG(b *testing.B)    { benchCollector(b, inventory.DPKG) }
func BenchmarkUpdates(b *testing.B) { benchCollector(b, inventory.Updates) }
func BenchmarkRestart(b *testing.B) { benchCollector(b, inventory.Restart) }
