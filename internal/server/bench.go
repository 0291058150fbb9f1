package server

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/posture"
	"github.com/picketsec/picket/internal/store"
)

// The verbs of this file exist for benchmarks: they fill a data directory with
// devices that no agent stands behind (agent version "bulk", tag "bulk"), and
// measure the engine inside the built program.

// BenchLoadArgs say what to load. The devices run Debian 12; they share images
// of packages, each with a few versions of its own.
type BenchLoadArgs struct {
	Devices  int      `json:"devices"`
	Packages int      `json:"packages"` // per device
	Distinct int      `json:"distinct"` // distinct (source, version) in the fleet
	Sources  []string `json:"sources"`  // names of source packages to draw from
	Seed     uint64   `json:"seed"`
}

// BenchLoaded is what was loaded.
type BenchLoaded struct {
	Devices    int     `json:"devices"`
	Components int     `json:"components"`
	Seconds    float64 `json:"seconds"`
}

// The most that is loaded for a benchmark.
const (
	mostBenchDevices  = 1_000_000
	mostBenchDistinct = 1_000_000
)

// images is how many package sets the devices share.
const images = 240

func benchLoadVerb(ctx context.Context, s *Server, raw json.RawMessage, progress func(Progress)) (any, error) {
	var a BenchLoadArgs
	if err := json.Unmarshal(raw, &a); err != nil {
		return nil, Invalidf("arguments", "%v", err)
	}
	if a.Devices > mostBenchDevices || a.Distinct > mostBenchDistinct || len(a.Sources) > mostBenchDistinct {
		return nil, Invalidf("arguments", "at most %d devices, %d distinct packages and as many sources", mostBenchDevices, mostBenchDistinct)
	}
	if a.Devices < 1 || a.Packages < 1 || len(a.Sources) < a.Packages || a.Distinct < a.Packages {
		return nil, Invalidf("arguments", "need devices and packages of at least 1, and as many sources and distinct packages as packages")
	}
	started := time.Now()
	rng := rand.New(rand.NewPCG(a.Seed, 1))
	sets := benchImages(a, rng)
	built := map[int]*benchImage{}
	for from := 0; from < a.Devices; from += 1000 {
		if err := s.benchDevices(ctx, a, sets, built, from, min(a.Devices, from+1000), rng); err != nil {
			return nil, err
		}
		progress(Progress{Text: "loading devices", Done: int64(from), Of: int64(a.Devices)})
	}
	s.core = newCore()
	if err := s.core.load(ctx, s.st); err != nil {
		return nil, err
	}
	return BenchLoaded{Devices: a.Devices, Components: len(s.core.fleet.Components()), Seconds: time.Since(started).Seconds()}, nil
}

// benchImage is one package set: what its devices report, packed once.
type benchImage struct {
	sections []*inventory.Section
	comps    []exposure.Component
	packed   map[inventory.SectionName][]byte
	hashes   map[inventory.SectionName]string
	held     []exposure.ComponentID
	summary  []byte
}

// benchImages draws package sets that together have the asked number of distinct packages.
func benchImages(a BenchLoadArgs, rng *rand.Rand) [][]inventory.Package {
	perSource := (a.Distinct + len(a.Sources) - 1) / len(a.Sources)
	sets := make([][]inventory.Package, images)
	next := make([]int, len(a.Sources)) // every version is given out before one is given twice
	for i := range sets {
		for _, src := range rng.Perm(len(a.Sources))[:a.Packages] {
			v := next[src] % perSource
			next[src]++
			if next[src] > perSource {
				v = rng.IntN(perSource)
			}
			name := a.Sources[src]
			version := fmt.Sprintf("%d.%d.%d-%d+deb12u%d", v%7, v%11, v%5, 1+v%3, v)
			sets[i] = append(sets[i], inventory.Package{Ecosystem: inventory.EcoDebian, Name: name, Version: version, Arch: "amd64",
				Source: name, SourceVersion: version, Paths: []string{"var/lib/dpkg/status"}})
		}
	}
	return sets
}

func (s *Server) benchDevices(ctx context.Context, a BenchLoadArgs, sets [][]inventory.Package, built map[int]*benchImage, from, to int, rng *rand.Rand) error {
	at := time.Now().UTC().Truncate(time.Millisecond)
	var list []store.Bulk
	var comps []store.Component
	for n := from; n < to; n++ {
		i := n % images
		img := built[i]
		if img == nil {
			var err error
			if img, err = s.benchImage(sets[i], at); err != nil {
				return err
			}
			built[i] = img
			for _, k := range img.comps {
				id, isNew := s.core.fleet.Intern(k)
				img.held = append(img.held, id)
				if !isNew {
					continue
				}
				spec, err := json.Marshal(k)
				if err != nil {
					return err
				}
				comps = append(comps, store.Component{ID: uint32(id), Spec: spec})
			}
			slices.Sort(img.held)
		}
		state := store.DeviceState{}
		held := make([]store.Held, len(img.held))
		for i, id := range img.held {
			held[i] = store.Held{Component: uint32(id), Since: at.Unix()}
		}
		state.Components = store.Hold(held)
		var sum summary
		if err := json.Unmarshal(img.summary, &sum); err != nil {
			return err
		}
		sum.Name = "bulk-" + strconv.Itoa(n)
		sum.IP = fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255)
		sum.Tags = []string{"bulk"}
		raw, err := json.Marshal(sum)
		if err != nil {
			return err
		}
		state.Summary = raw
		var key [32]byte
		for j := range key {
			key[j] = byte(rng.Uint32())
		}
		list = append(list, store.Bulk{ID: inventory.IDFromKey(key[:]), Sections: img.sections, Packed: img.packed, Hashes: img.hashes, State: state})
	}
	_, err := s.st.AddBulk(ctx, list, comps)
	return err
}

func (s *Server) benchImage(pkgs []inventory.Package, at time.Time) (*benchImage, error) {
	osSec := inventory.NewSection(inventory.OSSection, inventory.Complete, "")
	osSec.Put("os", inventory.OS{ID: "debian", Name: "Debian GNU/Linux", PrettyName: "Debian GNU/Linux 12 (bookworm)", VersionID: "12",
		Codename: "bookworm", Family: "linux", Arch: "amd64", Hostname: "bulk"})
	dpkg := inventory.NewSection(inventory.DPKG, inventory.Complete, "")
	for _, p := range pkgs {
		dpkg.Put(p.Name+":"+p.Arch, p)
	}
	img := &benchImage{packed: map[inventory.SectionName][]byte{}, hashes: map[inventory.SectionName]string{}}
	all := map[inventory.SectionName]*inventory.Section{}
	for _, sec := range []*inventory.Section{osSec, dpkg} {
		sec.SeenAt = at
		sec.Seal()
		body, err := s.st.Pack(sec.Items)
		if err != nil {
			return nil, err
		}
		img.packed[sec.Name] = body
		img.hashes[sec.Name] = sec.Hash()
		img.sections = append(img.sections, sec)
		all[sec.Name] = sec
	}
	profile := exposure.Profile(all)
	for _, u := range profile.Uses {
		img.comps = append(img.comps, u.Component)
	}
	sum := summarise(all, &profile)
	sum.Posture = newVerdicts(posture.Evaluate(all)).text()
	raw, err := json.Marshal(sum)
	img.summary = raw
	return img, err
}

// BenchMatched is a full match of the fleet, cold: nothing was known before.
type BenchMatched struct {
	Devices    int     `json:"devices"`
	Components int     `json:"components"`
	Findings   uint64  `json:"findings"` // (device, component, weakness)
	Seconds    float64 `json:"seconds"`  // judge every component, join devices, persist
	CPUSeconds float64 `json:"cpu_seconds"`
	PeakMB     float64 `json:"peak_mb"` // heap in use at the end, before a collection
}

// benchMatchVerb forgets every assessment and judges the fleet again.
func benchMatchVerb(ctx context.Context, s *Server, _ json.RawMessage, _ func(Progress)) (any, error) {
	if err := s.st.ForgetAssessments(ctx); err != nil {
		return nil, err
	}
	s.core = newCore()
	if err := s.core.load(ctx, s.st); err != nil {
		return nil, err
	}
	runtime.GC()
	debug.FreeOSMemory()
	started, cpu := time.Now(), cpuSeconds()
	if err := s.reassess(ctx, touched{All: true, Generation: s.intel.Generation(), Quiet: true}); err != nil {
		return nil, err
	}
	out := BenchMatched{Seconds: time.Since(started).Seconds(), CPUSeconds: cpuSeconds() - cpu}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	out.PeakMB = float64(mem.HeapInuse) / (1 << 20)
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	out.Devices = int(c.fleet.Devices().GetCardinality())
	for _, id := range c.fleet.Components() {
		out.Components++
		n := uint64(0)
		for range c.fleet.Hits(id) {
			n++
		}
		out.Findings += n * c.fleet.DevicesOf(id).GetCardinality()
	}
	return out, nil
}
