package server

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/picketsec/picket/internal/exposure"
)

// dump is all that the index says of devices, weaknesses and products.
func dump(c *core) string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var b strings.Builder
	for it := c.fleet.Devices().Iterator(); it.HasNext(); {
		dev := it.Next()
		fmt.Fprintf(&b, "device %d %+v\n", dev, c.fleet.DeviceCounts(dev))
		var rows []string
		for id, h := range c.fleet.DeviceHits(dev) {
			rows = append(rows, fmt.Sprintf("\t%d %+v", id, h))
		}
		slices.Sort(rows)
		b.WriteString(strings.Join(rows, "\n") + "\n")
	}
	for w := range c.fleet.Weaknesses() {
		info, _ := c.fleet.Weakness(w, nil)
		fmt.Fprintf(&b, "%s %+v %v %v %+v\n", w, info, c.fleet.ExposedDevices(w), c.fleet.AffectedDevices(w), *c.peek(w))
	}
	for p := range c.fleet.Products() {
		info, _ := c.fleet.Product(p, nil)
		fmt.Fprintf(&b, "%s %+v %v %v\n", p, info, c.fleet.InstalledDevices(p), c.fleet.ProductExposedDevices(p))
	}
	for _, id := range c.fleet.Components() {
		done, why := c.fleet.Assessed(id)
		fmt.Fprintf(&b, "component %d %v %q %+v\n", id, done, why, c.known[id])
	}
	return b.String()
}

// TestStepsEndWhereOneGoEnds: over random histories, what a change of the
// intelligence leaves behind, taken in one component at a time, is to the byte
// what a server has that judges everything in one go.
func TestStepsEndWhereOneGoEnds(t *testing.T) {
	found := 0
	for seed := range uint64(6) {
		dir := filepath.Join(t.TempDir(), "data")
		h := &history{t: t, s: openTest(t, dir), dir: dir, rng: rand.New(rand.NewPCG(seed, 23))}
		h.s.core.small = true
		for range 25 {
			h.step()
			if h.rng.IntN(3) > 0 {
				continue
			}
			stepped := dump(h.s.core)
			h.restart()
			if diff := cmp.Diff(stepped, dump(h.s.core)); diff != "" {
				t.Fatalf("seed %d: in steps and in one go (-steps +one):\n%s", seed, diff)
			}
			found += strings.Count(stepped, "CVE-")
		}
		if err := h.s.Close(); err != nil {
			t.Error(err)
		}
	}
	if found == 0 {
		t.Error("nothing was ever found")
	}
}

// coherent checks that the counts of the index are those of what it lists.
func coherent(c *core) string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	exposed := map[string]int{}
	for it := c.fleet.Devices().Iterator(); it.HasNext(); {
		dev := it.Next()
		counts := map[string]exposure.Standing{}
		for _, h := range c.fleet.DeviceHits(dev) {
			if h.Exposed {
				counts[h.Weakness] = max(counts[h.Weakness], exposure.Exposed)
				if h.Fixed != "" {
					counts[h.Weakness] = exposure.Fixable
				}
			}
		}
		if got := c.fleet.DeviceCounts(dev); int(got.Weaknesses) != len(counts) {
			return fmt.Sprintf("device %d counts %d weaknesses and lists %d", dev, got.Weaknesses, len(counts))
		}
		for w, s := range counts {
			exposed[w]++
			if c.fleet.DeviceStanding(dev, w) != s {
				return fmt.Sprintf("device %d stands to %s as %d, and its findings say %d", dev, w, c.fleet.DeviceStanding(dev, w), s)
			}
		}
	}
	for w := range c.fleet.Weaknesses() {
		if info, _ := c.fleet.Weakness(w, nil); info.Exposed != exposed[w] {
			return fmt.Sprintf("%s counts %d devices and %d have it", w, info.Exposed, exposed[w])
		}
	}
	return ""
}

// TestReadersBetweenSteps: while a change of the intelligence goes in, readers
// get in between its steps, and what they see adds up.
func TestReadersBetweenSteps(t *testing.T) {
	s := testServer(t)
	var packages, rows []string
	for i := range 60 {
		packages = append(packages, fmt.Sprintf("p%d 1-1", i))
		rows = append(rows, fmt.Sprintf("p%d CVE-2024-%04d open", i, i), fmt.Sprintf("p%d CVE-2024-%04d resolved 2-1", i, i/2), fmt.Sprintf("p%d CVE-2024-%04d open", i, 100+i%7))
	}
	for d := range 5 {
		newReport(s, enrol(t, s, fmt.Sprint(d))).send(t, packages[d*5:]...)
	}
	s.core.small = true
	seen := map[string]bool{}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if wrong := coherent(s.core); wrong != "" {
				t.Error(wrong)
				return
			}
			seen[dump(s.core)] = true
		}
	})
	load(t, s, "tracker-2026-01-01.json", rows...)
	load(t, s, "tracker-2026-01-02.json", rows[30:]...)
	close(stop)
	wg.Wait()
	if len(seen) < 5 {
		t.Errorf("readers saw %d states, want some between the steps", len(seen))
	}
	t.Logf("%d states", len(seen))
}
