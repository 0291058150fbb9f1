package intel

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/picketsec/picket/internal/advisory"
)

// benchStore is a store with the real Debian feeds.
func benchStore(b *testing.B) *Store {
	if p := os.Getenv("PICKET_BENCH_INTEL"); p != "" { // a file that is there already
		return openAt(b, p, Options{})
	}
	s := openAt(b, filepath.Join(b.TempDir(), "intel.db"), Options{})
	if _, err := s.Import(b.Context(), []string{sharedFeeds(b, "debian-security")}, ImportOptions{}); err != nil {
		b.Fatal(err)
	}
	return s
}

func BenchmarkStatements(b *testing.B) {
	s := benchStore(b)
	for name, k := range map[string]advisory.Key{"openssl": bookworm("openssl"), "linux": bookworm("linux"), "none": bookworm("no-such-package")} {
		b.Run(name, func(b *testing.B) {
			sn, err := s.Snapshot()
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = sn.Close() }()
			n := 0
			for b.Loop() {
				list, err := sn.Statements(k)
				if err != nil {
					b.Fatal(err)
				}
				n = len(list)
			}
			b.ReportMetric(float64(n), "statements")
		})
	}
}

func BenchmarkSnapshot(b *testing.B) {
	s := benchStore(b)
	for b.Loop() {
		sn, err := s.Snapshot()
		if err != nil {
			b.Fatal(err)
		}
		if err := sn.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	s := benchStore(b)
	path := s.Path()
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := Open(path, Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
