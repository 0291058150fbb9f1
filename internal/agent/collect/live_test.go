package collect

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
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

// live holds what every collector says of this host, collected once for all
// checks: a walk over a whole disk is dear.
type live struct {
	sections map[inventory.SectionName]*inventory.Section
	report   []string
	err      error
}

var liveOnce = sync.OnceValue(func() (v live) {
	h, c, err := OpenHost("/", true, time.Now())
	if err != nil {
		return live{err: err}
	}
	defer c.Close()
	v.sections = map[inventory.SectionName]*inventory.Section{}
	var before, after runtime.MemStats
	for _, c := range All() {
		runtime.ReadMemStats(&before)
		start := time.Now()
		s := Run(context.Background(), c, h, DefaultLimits())
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		v.report = append(v.report, fmt.Sprintf("%-10s %-14s %6d items %8.1f ms %7.1f MB allocated  %s", s.Name, s.Status, len(s.Items),
			float64(took.Microseconds())/1000, float64(after.TotalAlloc-before.TotalAlloc)/1e6, s.Reason))
		if !s.SeenAt.Equal(h.Now) {
			v.err = fmt.Errorf("section %s was seen at %s", s.Name, s.SeenAt)
		}
		v.sections[c.Name] = s
	}
	status, _ := h.read("proc/self/status", 1<<20)
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "VmHWM") {
			v.report = append(v.report, strings.TrimSpace(line))
		}
	}
	return v
})

// liveSection returns a section of this host.
func liveSection(t testing.TB, name inventory.SectionName) *inventory.Section {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the live checks need Linux")
	}
	v := liveOnce()
	if v.err != nil {
		t.Fatal(v.err)
	}
	return v.sections[name]
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
	s := Run(t.Context(), collector(t, All(), inventory.DPKG), liveHost(t), DefaultLimits())
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

// TestLiveAll checks what every section of this host promises, and tells what
// the collectors cost.
func TestLiveAll(t *testing.T) {
	for _, n := range inventory.SectionNames {
		s := liveSection(t, n)
		if s == nil || s.Name != n || !s.Status.Valid() || s.Status != inventory.Complete && s.Reason == "" {
			t.Errorf("section %s: %+v", n, s)
		}
	}
	for _, line := range liveOnce().report {
		t.Log(line)
	}
	// The same host twice is the same content.
	h := liveHost(t)
	for _, n := range []inventory.SectionName{inventory.OSSection, inventory.Kernel, inventory.Hardware, inventory.DPKG, inventory.Updates} {
		a, b := Run(t.Context(), collector(t, All(), n), h, DefaultLimits()), Run(t.Context(), collector(t, All(), n), h, DefaultLimits())
		if a.Hash() != b.Hash() {
			t.Errorf("two runs of %s differ", n)
		}
	}
}

// TestLiveUpdates compares with what apt itself calls upgradable, exactly.
func TestLiveUpdates(t *testing.T) {
	tool := need(t, "apt")
	s := Run(t.Context(), collector(t, All(), inventory.Updates), liveHost(t), DefaultLimits())
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

// TestLivePython compares every site directory with Python's own reading of it.
func TestLivePython(t *testing.T) {
	tool := need(t, "python3")
	s := liveSection(t, inventory.Python)
	got := map[string][]string{}
	for _, p := range decode[inventory.Package](t, s) {
		dir := p.Paths[0]
		for filepath.Base(dir) != "site-packages" && filepath.Base(dir) != "dist-packages" {
			dir = filepath.Dir(dir)
		}
		got[dir] = append(got[dir], p.Name+" "+p.Version)
	}
	const script = `
import importlib.metadata as m, re, sys
print("\n".join(sorted({re.sub(r"[-_.]+", "-", d.metadata["Name"]).lower() + " " + d.version for d in m.distributions(path=[sys.argv[1]])})))`
	for dir, list := range got {
		sort.Strings(list)
		list = slices.Compact(list) // a distribution may have metadata of both kinds
		if d := cmp.Diff(lines(output(t, tool, "-c", script, dir)), list); d != "" {
			t.Errorf("%s (-python +ours):\n%s", dir, d)
		}
		t.Logf("%s: %d", dir, len(list))
	}
}

// TestLiveNPM compares the global tree with npm's own listing of it.
func TestLiveNPM(t *testing.T) {
	tool := need(t, "npm")
	root := strings.TrimSpace(output(t, tool, "root", "-g"))
	var want, got []string
	for _, line := range lines(output(t, tool, "ls", "-g", "--all", "--parseable", "--long")) {
		f := strings.Split(line, ":") // path:name@version:…
		if len(f) < 2 || !strings.HasPrefix(f[0], root+"/") {
			continue
		}
		want = append(want, f[0]+" "+f[1])
	}
	s := liveSection(t, inventory.NPM)
	for _, p := range decode[inventory.Package](t, s) {
		if strings.HasPrefix(p.Paths[0], root+"/") {
			got = append(got, filepath.Dir(p.Paths[0])+" "+p.Name+"@"+p.Version)
		}
	}
	sort.Strings(want)
	sort.Strings(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-npm +ours:\n%s", d)
	}
	t.Logf("%d packages below %s", len(got), root)
}
