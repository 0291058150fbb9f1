//go:build linux

package agent

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/picketsec/picket/internal/agent/collect"
	"github.com/picketsec/picket/internal/inventory"
)

func TestSurvey(t *testing.T) {
	root := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(root, "var/lib/dpkg"), 0o755))
	must(t, os.MkdirAll(filepath.Join(root, "usr/lib"), 0o755))
	must(t, os.WriteFile(filepath.Join(root, "usr/lib/os-release"), nil, 0o644))
	must(t, os.Mkdir(filepath.Join(root, "etc"), 0o755))
	must(t, os.Symlink("../usr/lib/os-release", filepath.Join(root, "etc/os-release")))
	must(t, os.Symlink("/usr/lib", filepath.Join(root, "absolute")))
	must(t, os.Symlink("../../../../../../etc", filepath.Join(root, "escape")))
	must(t, os.Symlink("loop", filepath.Join(root, "loop")))
	at := func(p string) string { return filepath.Join(root, p) }
	for _, tt := range []struct {
		path string
		want []point
	}{
		{"var/lib/dpkg/status", []point{{at("var/lib/dpkg"), "status"}}},
		{"var/lib/rpm/rpmdb.sqlite", []point{{at("var/lib"), "rpm"}}},
		{"var/lib/dpkg", []point{{at("var/lib"), "dpkg"}, {at("var/lib/dpkg"), ""}}},
		{"etc/os-release", []point{{at("etc"), "os-release"}, {at("usr/lib"), "os-release"}}},
		{"absolute/os-release", []point{{root, "absolute"}, {at("usr/lib"), "os-release"}}},
		{"escape/os-release", []point{{root, "escape"}, {at("etc"), "os-release"}, {at("usr/lib"), "os-release"}}},
	} {
		got, _ := survey(root, tt.path)
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(point{})); diff != "" {
			t.Errorf("%s: %s", tt.path, diff)
		}
	}
	if got, print := survey(root, "loop"); print != "broken" || len(got) > maxHops+1 {
		t.Errorf("loop: %q, %d points", print, len(got))
	}
	for _, p := range []string{"escape/passwd", "absolute/x"} {
		for _, q := range firstOf(survey(root, p)) {
			if !strings.HasPrefix(q.dir, root) {
				t.Errorf("%s leads out of the root to %s", p, q.dir)
			}
		}
	}
}

func firstOf(p []point, _ string) []point { return p }

// listen runs the watch of a gatherer with one collector and returns what it triggers.
func listen(t *testing.T, root string, paths ...string) func() bool {
	t.Helper()
	g := &gatherer{cfg: Config{Root: root}, log: slog.New(slog.DiscardHandler), seldom: 200 * time.Millisecond,
		collectors: []collect.Collector{{Name: inventory.DPKG, Watch: paths}}, lanes: [2]*lane{newLane("quick", false, 0), newLane("slow", true, 0)}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = g.watch(ctx) }() // ends with ctx
	t.Cleanup(func() { cancel(); <-done })
	return func() bool {
		select {
		case <-g.lanes[0].wake:
			return slices.Contains(keysOf(g.lanes[0].take()), inventory.DPKG)
		case <-time.After(5 * time.Second):
			return false
		}
	}
}

func keysOf(m map[inventory.SectionName]bool) (out []inventory.SectionName) {
	for k := range m {
		out = append(out, k)
	}
	return out
}

func TestWatchNoticesChanges(t *testing.T) {
	root := t.TempDir()
	file := filepath.Join(root, "var/lib/dpkg/status")
	noticed := listen(t, root, "var/lib/dpkg/status")
	// Until the watch is armed nothing is noticed: change something until it is.
	armed := make(chan bool)
	go func() { armed <- noticed() }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for on, ready := false, false; !ready; on = !on {
		if on {
			must(t, os.Remove(filepath.Join(root, "var")))
		} else {
			must(t, os.Mkdir(filepath.Join(root, "var"), 0o755))
		}
		select {
		case ready = <-armed:
		case <-tick.C:
		}
	}
	must(t, os.RemoveAll(filepath.Join(root, "var")))
	noticed() // the end of it, when it was there
	// The directory comes into being long after the watch began.
	must(t, os.MkdirAll(filepath.Dir(file), 0o755))
	if !noticed() {
		t.Fatal("a new directory was not noticed")
	}
	must(t, os.WriteFile(file, []byte("one"), 0o644))
	if !noticed() {
		t.Fatal("a new file was not noticed")
	}
	must(t, os.WriteFile(file+"-new", []byte("two"), 0o644))
	must(t, os.Rename(file+"-new", file))
	if !noticed() {
		t.Fatal("a rename over the file was not noticed")
	}
	must(t, os.RemoveAll(filepath.Dir(file)))
	if !noticed() {
		t.Fatal("the end of the directory was not noticed")
	}
	must(t, os.MkdirAll(filepath.Dir(file), 0o755))
	must(t, os.WriteFile(file, []byte("again"), 0o644))
	if !noticed() {
		t.Fatal("its return was not noticed")
	}
}

func TestDebounce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d debounce
		if _, ok := d.wait(time.Now()); ok {
			t.Error("nothing is due")
		}
		start := time.Now()
		// A package manager that writes every 100 ms for a long time.
		for {
			d.add([]inventory.SectionName{inventory.DPKG}, time.Now())
			wait, ok := d.wait(time.Now())
			if !ok || wait > quiet {
				t.Fatalf("wait = %v, %v", wait, ok)
			}
			if wait == 0 {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(start); took > patience+100*time.Millisecond {
			t.Errorf("passed on after %v", took)
		}
		if got := d.take(); !slices.Equal(got, []inventory.SectionName{inventory.DPKG}) || len(d.take()) != 0 {
			t.Errorf("take = %v", got)
		}
		start = time.Now()
		d.add([]inventory.SectionName{inventory.RPM}, start)
		if wait, _ := d.wait(start); wait != quiet {
			t.Errorf("a single change waits %v, want %v", wait, quiet)
		}
	})
}

func TestGovernorHoldsItsShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const burst = 3 * time.Second
		g := newGovernor(burst)
		work := func() (worked, took time.Duration) {
			start := time.Now()
			g.from = start
			for range 2000 {
				time.Sleep(6 * time.Millisecond) // stands for work
				worked += 6 * time.Millisecond
				g.yield(t.Context())
			}
			return worked, time.Since(start)
		}
		for range 2 {
			worked, took := work()
			if share := float64(worked-burst) / float64(took); share > 0.051 || share < 0.045 {
				t.Errorf("share of %.3f beyond the burst, want 0.05", share)
			}
			time.Sleep(time.Duration(float64(burst) / duty)) // after which it has its burst again
		}
		time.Sleep(time.Hour) // which earns no more than one
		if rest := g.spend(burst + time.Second); rest != 20*time.Second {
			t.Errorf("rest of %v for a second beyond the burst", rest)
		}
		if rest := g.spend(time.Hour); rest > time.Duration(float64(maxDebt)/duty)+time.Second {
			t.Errorf("rest of %v after the disk did not answer for an hour", rest)
		}
	})
}

// TestEndlessChanges proves for both lanes that changes that never end are
// looked at, and do not keep the host busy.
func TestEndlessChanges(t *testing.T) {
	for i, name := range []string{"quick", "slow"} {
		t.Run(name, func(t *testing.T) {
			state, err := openState(filepath.Join(t.TempDir(), "state"))
			must(t, err)
			defer func() { must(t, state.close()) }()
			sp, err := openSpool(spoolDisk{state, "spool"}, minSpool, randomSalt)
			must(t, err)
			defer sp.close()
			log := slog.New(slog.DiscardHandler)
			synctest.Test(t, func(t *testing.T) {
				var worked, looks atomic.Int64
				g := newGatherer(Config{Root: t.TempDir()}, openKeeper(t.Context(), state, sp, log), log)
				g.used = func() time.Duration { return time.Duration(worked.Load()) }
				g.collectors = []collect.Collector{{Name: inventory.DPKG, Slow: i == 1, Collect: func(_ context.Context, _ collect.Host, l collect.Limits) *inventory.Section {
					looks.Add(1)
					for range 20 {
						time.Sleep(10 * time.Millisecond) // stands for work
						worked.Add(int64(10 * time.Millisecond))
						if l.Yield != nil {
							l.Yield()
						}
					}
					s := inventory.NewSection(inventory.DPKG, inventory.Complete, "")
					s.Seal()
					return s
				}}}
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() { defer close(done); _ = g.runLane(ctx, g.lanes[i]) }() // ends with ctx
				g.trigger(inventory.DPKG)
				time.Sleep(time.Minute) // the first look
				worked.Store(0)
				looks.Store(0)
				start := time.Now()
				for range 6000 {
					g.trigger(inventory.DPKG)
					time.Sleep(100 * time.Millisecond)
				}
				cancel()
				<-done
				share := float64(time.Duration(worked.Load())-g.lanes[i].gov.burst) / float64(time.Since(start))
				if share > 0.051 || share < 0.02 || looks.Load() < 50 {
					t.Errorf("share of %.3f, %d looks in %v", share, looks.Load(), time.Since(start))
				}
			})
		})
	}
}

func TestGroupEndsTogether(t *testing.T) {
	boom := context.DeadlineExceeded
	for name, fn := range map[string]func(context.Context) error{
		"error": func(context.Context) error { return boom },
		"panic": func(context.Context) error { panic("boom") },
	} {
		g := newGroup(t.Context(), slog.New(slog.DiscardHandler))
		g.add("waits", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		g.add("ends", fn)
		if err := g.wait(); err == nil || name == "panic" && !strings.Contains(err.Error(), "boom") || name == "error" && err != boom {
			t.Errorf("%s: %v", name, err)
		}
	}
}
