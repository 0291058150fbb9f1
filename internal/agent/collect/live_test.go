package collect

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/picketsec/picket/internal/inventory"
)

// liveHost opens the running host's root.
func liveHost(t testing.TB) Host {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the live checks need Linux")
	}
	h, c, err := OpenHost("/", true, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return h
}

func collector(t testing.TB, all []Collector, name inventory.SectionName) Collector {
	t.Helper()
	for _, c := range all {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no collector %q", name)
	return Collector{}
}

// need returns the path of a native tool, or skips (fails in CI).
func need(t testing.TB, tool string) string {
	t.Helper()
	p, err := exec.LookPath(tool)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed, and in CI this check may not be skipped", tool)
		}
		t.Skipf("%s is not installed", tool)
	}
	return p
}

func output(t testing.TB, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	b, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v", name, args, err)
	}
	return string(b)
}

func lines(s string) []string {
	l := strings.Split(strings.TrimSpace(s), "\n")
	sort.Strings(l)
	return l
}

func decode[T any](t testing.TB, s *inventory.Section) []T {
	t.Helper()
	v, bad := inventory.Decode[T](s)
	if len(bad) > 0 {
		t.Fatalf("section %s: %d items do not decode: %v", s.Name, len(bad), bad)
	}
	return v
}

// TestLiveDPKG compares with dpkg's own answer, exactly.
func TestLiveDPKG(t *testing.T) {
	tool := need(t, "dpkg-query")
	h := liveHost(t)
	s := Run(t.Context(), collector(t, All(), inventory.DPKG), h, DefaultLimits())
	if s.Status != inventory.Complete {
		t.Errorf("status %s: %s", s.Status, s.Reason)
	}
	want := lines(output(t, tool, "-W", "-f", "${Package}:${Architecture} ${Version} ${source:Package} ${source:Version}\n"))
	var got []string
	noTime, noOrigin := 0, 0
	for _, p := range decode[inventory.Package](t, s) {
		got = append(got, fmt.Sprintf("%s:%s %s %s %s", p.Name, p.Arch, p.Version, p.Source, p.SourceVersion))
		if p.InstalledAt.IsZero() {
			noTime++
		}
		if p.Origin == "" {
			noOrigin++
		}
	}
	sort.Strings(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("dpkg-query and the collector differ (-dpkg +ours):\n%s", d)
	}
	if noTime > 0 {
		t.Errorf("%d of %d packages have no installation time", noTime, len(got))
	}
	t.Logf("%d packages, %d without a known origin", len(got), noOrigin)
}

// TestLiveAll runs every collector on this host twice: sealed, valid, equal.
func TestLiveAll(t *testing.T) {
	h := liveHost(t)
	all := All()
	var before, after runtime.MemStats
	for _, c := range all {
		runtime.GC()
		runtime.ReadMemStats(&before)
		start := time.Now()
		s := Run(t.Context(), c, h, DefaultLimits())
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		t.Logf("%-10s %-14s %6d items %8.1f ms %7.1f MB allocated  %s", s.Name, s.Status, len(s.Items), float64(took.Microseconds())/1000, float64(after.TotalAlloc-before.TotalAlloc)/1e6, s.Reason)
		if s.Name != c.Name || !s.Status.Valid() || !s.SeenAt.Equal(h.Now) {
			t.Errorf("%s: section %q, status %q, seen at %s", c.Name, s.Name, s.Status, s.SeenAt)
		}
		if s.Status != inventory.Complete && s.Reason == "" {
			t.Errorf("%s is %s without a reason", c.Name, s.Status)
		}
	}
}

// TestLiveUpdates compares with what apt itself calls upgradable, exactly.
func TestLiveUpdates(t *testing.T) {
	tool := need(t, "apt")
	h := liveHost(t)
	s := Run(t.Context(), collector(t, All(), inventory.Updates), h, DefaultLimits())
	var want, got []string
	for _, line := range lines(output(t, tool, "list", "--upgradable")) {
		// name/suite[,suite] candidate arch [upgradable from: installed]
		f := strings.Fields(line)
		if len(f) != 6 {
			continue
		}
		name, suites, _ := strings.Cut(f[0], "/")
		want = append(want, fmt.Sprintf("%s %s %s %s security=%v", name, f[2], strings.TrimSuffix(f[5], "]"), f[1], strings.Contains(suites, "-security")))
	}
	for _, u := range decode[inventory.Update](t, s) {
		// apt names the suites that hold the candidate itself.
		got = append(got, fmt.Sprintf("%s %s %s %s security=%v", u.Name, u.Arch, u.Installed, u.Candidate, strings.Contains(u.Suite, "-security")))
		if strings.Contains(u.Suite, "-security") && !u.Security {
			t.Errorf("%s comes from %s and is not marked as security", u.Name, u.Suite)
		}
		if u.Origin == "" || u.Source == "" {
			t.Errorf("%s has no origin or source: %+v", u.Name, u)
		}
	}
	sort.Strings(want)
	sort.Strings(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("apt and the collector differ (-apt +ours):\n%s", d)
	}
	t.Logf("%d upgradable packages; %s %s", len(got), s.Status, s.Reason)
}
