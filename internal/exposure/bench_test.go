package exposure

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/version"
)

// synthetic is a fleet in which hosts share most packages and differ in their
// versions: sources × versions distinct components, perHost packages each.
type synthetic struct {
	in      *memory
	comps   []Component
	hosts   [][]ComponentID // indices of comps
	sources int
	perSrc  int
}

func synthesize(hosts, perHost, sources, perSrc int) *synthetic {
	s := &synthetic{in: newMemory(), sources: sources, perSrc: perSrc}
	r := rand.New(rand.NewPCG(1, 2))
	date := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	cve := 0
	for i := range sources {
		k := advisory.Key{Ecosystem: "Debian", Release: "12", Name: fmt.Sprintf("source-%04d", i)}
		n := 8 // as the tracker has it, a few sources have most of the flaws
		switch {
		case i == 0:
			n = 4000
		case i < 30:
			n = 200
		case i < 300:
			n = 40
		}
		for range n {
			cve++
			st := advisory.Statement{Advisory: fmt.Sprintf("CVE-2026-%05d", cve), Feed: "debian-tracker", State: advisory.Fixed,
				Ranges: []version.Range{{Fixed: fmt.Sprintf("1:2.%d.0-1+deb12u1", r.IntN(perSrc+1))}}}
			switch r.IntN(10) {
			case 0:
				st.State, st.Ranges = advisory.NoDSA, nil
			case 1, 2:
				st.State, st.Ranges = advisory.Unimportant, nil
			case 3, 4, 5, 6:
				st.Ranges = []version.Range{{Fixed: "1:1.0-1"}} // old: fixed long ago
			}
			st.Weaknesses = []string{st.Advisory}
			s.in.statements[k] = append(s.in.statements[k], st)
		}
		for j := range perSrc {
			s.comps = append(s.comps, Component{Key: k, Version: fmt.Sprintf("1:2.%d.0-1", j), Vendor: "debian", Product: k.Name})
		}
	}
	s.in.cover("Debian", "12", "debian-tracker", date)
	at := r.Perm(len(s.comps)) // ids come in the order in which hosts report, not by version
	shuffled := make([]Component, len(s.comps))
	for i, c := range s.comps {
		shuffled[at[i]] = c
	}
	s.comps = shuffled
	for range hosts {
		level := min(int(r.ExpFloat64()*2), perSrc-1) // most hosts are nearly up to date
		list := make([]ComponentID, 0, perHost)
		first := r.IntN(sources)
		for j := range perHost {
			src := j // the common half
			if j >= perHost/2 {
				src = perHost/2 + (first+j*7)%(sources-perHost/2)
			}
			v := max(0, perSrc-1-level-r.IntN(2))
			list = append(list, ComponentID(at[src*perSrc+v]))
		}
		s.hosts = append(s.hosts, list)
	}
	return s
}

func rateTest(id string) Rating {
	sev := []advisory.Severity{advisory.Critical, advisory.High, advisory.Medium, advisory.Low, advisory.Unrated}
	n := int(id[len(id)-1])
	return Rating{Severity: sev[n%5], Exploitable: n%7 == 0, KEV: n%9 == 0}
}

// full builds a fleet from nothing: intern, load, assess.
func (s *synthetic) full(b testing.TB) *Fleet {
	f := NewFleet(rateTest)
	ids := make([]ComponentID, len(s.comps))
	for i, c := range s.comps {
		ids[i], _ = f.Intern(c)
	}
	f.Bulk(func() {
		for i, h := range s.hosts {
			f.SetDevice(uint32(i), h) // ids are indices: Intern numbers from 0
		}
		for _, id := range ids {
			a, err := Assess(f.Component(id), s.in)
			if err != nil {
				b.Fatal(err)
			}
			f.SetAssessment(id, &a)
		}
	})
	return f
}

// The whole fleet of 45,000 hosts with 600 packages, 42,000 of them distinct, from nothing.
func BenchmarkColdMatch(b *testing.B) {
	s := synthesize(45_000, 600, 3000, 14)
	var f *Fleet
	b.ReportAllocs()
	for b.Loop() {
		f = s.full(b)
	}
	b.StopTimer()
	report(b, f)
}

// Assess alone, over all distinct components.
func BenchmarkAssess(b *testing.B) {
	s := synthesize(1, 600, 3000, 14)
	b.ReportAllocs()
	for b.Loop() {
		for _, c := range s.comps {
			if _, err := Assess(c, s.in); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(s.comps)), "ns/component")
}

func report(b *testing.B, f *Fleet) {
	findings := 0
	for dev := range f.Devices().GetCardinality() {
		findings += int(f.DeviceCounts(uint32(dev)).Weaknesses)
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(findings), "findings")
	b.ReportMetric(float64(m.HeapAlloc)/1e6, "MB-live")
	runtime.KeepAlive(f)
}

// 100 advisories change at 100,000 hosts: assess what they touch, counts updated.
func BenchmarkDelta(b *testing.B) {
	s := synthesize(100_000, 600, 3000, 14)
	f := s.full(b)
	r := rand.New(rand.NewPCG(3, 4))
	turn := 0
	for b.Loop() {
		turn++
		for i := range 100 {
			k := advisory.Key{Ecosystem: "Debian", Release: "12", Name: fmt.Sprintf("source-%04d", 30+r.IntN(s.sources-30))}
			b.StopTimer()
			id := fmt.Sprintf("CVE-2027-%05d", turn*100+i)
			s.in.statements[k] = append(s.in.statements[k][:len(s.in.statements[k]):len(s.in.statements[k])], advisory.Statement{
				Advisory: id, Weaknesses: []string{id}, Feed: "debian-tracker", State: advisory.Fixed,
				Ranges: []version.Range{{Fixed: fmt.Sprintf("1:2.%d.0-1+deb12u1", s.perSrc-1)}}})
			b.StartTimer()
			for _, c := range f.ComponentsByKey(k) {
				a, err := Assess(f.Component(c), s.in)
				if err != nil {
					b.Fatal(err)
				}
				f.SetAssessment(c, &a)
			}
		}
	}
	report(b, f)
}

// One host of 600 known components: it comes, one package changes, it goes.
func BenchmarkDevice(b *testing.B) {
	s := synthesize(10_000, 600, 3000, 14)
	f := s.full(b)
	b.Run("come-and-go", func(b *testing.B) {
		for b.Loop() {
			f.SetDevice(20_000, s.hosts[5])
			f.RemoveDevice(20_000)
		}
	})
	b.Run("one-change", func(b *testing.B) {
		other := append([]ComponentID(nil), s.hosts[5]...)
		for i, c := range f.comps {
			if c.product == f.comps[other[3]].product && ComponentID(i) != other[3] {
				other[3] = ComponentID(i)
				break
			}
		}
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			n++
			if n%2 == 0 {
				f.SetDevice(5, s.hosts[5])
			} else {
				f.SetDevice(5, other)
			}
		}
	})
	b.Run("counts", func(b *testing.B) {
		for b.Loop() {
			f.DeviceCounts(5)
		}
	})
}

// Lists over all devices: every weakness and every product with its counts.
func BenchmarkLists(b *testing.B) {
	s := synthesize(100_000, 600, 3000, 14)
	f := s.full(b)
	scope := f.Devices().Clone()
	for dev := uint32(0); dev < 100_000; dev += 3 {
		scope.Remove(dev)
	}
	b.Run("weaknesses", func(b *testing.B) {
		n := 0
		for b.Loop() {
			n = 0
			for id := range f.Weaknesses() {
				f.Weakness(id, nil)
				n++
			}
		}
		b.ReportMetric(float64(n), "rows")
	})
	b.Run("weaknesses-scope", func(b *testing.B) {
		for b.Loop() {
			for id := range f.Weaknesses() {
				f.Weakness(id, scope)
			}
		}
	})
	b.Run("products", func(b *testing.B) {
		n := 0
		for b.Loop() {
			n = 0
			for id := range f.Products() {
				f.Product(id, nil)
				n++
			}
		}
		b.ReportMetric(float64(n), "rows")
	})
}

// A full recomputation of the scores of all devices.
func BenchmarkSettle(b *testing.B) {
	s := synthesize(100_000, 600, 3000, 14)
	f := s.full(b)
	for dev := range uint32(100_000) {
		f.Scores().Put(dev, Group(dev%20), ValueNormal)
	}
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			f.Scores().spoil()
			f.Scores().Settle(1 << 30)
		}
	})
}
