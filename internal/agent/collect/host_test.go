package collect

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/picketsec/picket/internal/inventory"
)

func write(t testing.TB, dir, name, data string) {
	t.Helper()
	p := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

func link(t testing.TB, dir, name, to string) {
	t.Helper()
	p := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(to, p); err != nil {
		t.Fatal(err)
	}
}

// otherRoot opens a directory as --root does.
func otherRoot(t testing.TB, dir string) Host {
	t.Helper()
	h, c, err := OpenHost(dir, false, testNow)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return h
}

// TestRootIsAWall proves that no link of an inventoried root reaches a file of
// the host, and that links that are absolute in the root are followed inside it.
func TestRootIsAWall(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	write(t, outside, "secret", "ID=outside\n")
	write(t, dir, "usr/lib/os-release", "ID=inside\n")
	link(t, dir, "etc/os-release", "/usr/lib/os-release")
	link(t, dir, "abs", filepath.Join(outside, "secret"))
	link(t, dir, "up", "../../../../../../../../../../"+outside+"/secret")
	link(t, dir, "dirlink", outside)
	link(t, dir, "a", "b")
	link(t, dir, "b", "a")
	t.Run("in one call", func(t *testing.T) { testWall(t, otherRoot(t, dir), outside) })
	t.Run("step by step", func(t *testing.T) { testWall(t, stepwise(t, dir), outside) })
}

// stepwise opens a directory as on a system that has no call to open beneath it.
func stepwise(t testing.TB, dir string) Host {
	t.Helper()
	h := otherRoot(t, dir)
	f, ok := h.FS.(rootFS)
	if !ok {
		t.Fatalf("the root is a %T", h.FS)
	}
	f.at = nil
	h.FS = f
	return h
}

func testWall(t *testing.T, h Host, outside string) {
	if b, err := h.read("etc/os-release", 100); err != nil || string(b) != "ID=inside\n" {
		t.Errorf("absolute link inside the root: %q, %v", b, err)
	}
	if list, err := h.readDirAt("dirlink"); err == nil {
		t.Errorf("a listing left the root: %v", list)
	}
	if list, err := h.readDirAt("usr/lib"); err != nil || len(list) != 1 || list[0].Name() != "os-release" {
		t.Errorf("listing inside the root: %v, %v", list, err)
	} else if info, err := list[0].Info(); err != nil || info.Size() != int64(len("ID=inside\n")) {
		t.Errorf("its entry: %v, %v", info, err)
	}
	if _, err := h.FS.Open("usr/none"); !isNotExist(err) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := h.readDirAt("none"); !isNotExist(err) {
		t.Errorf("a directory that is not there: %v", err)
	}
	for _, name := range []string{"abs", "up", "dirlink/secret", "../" + filepath.Base(outside) + "/secret"} {
		if b, err := h.read(name, 100); err == nil {
			t.Errorf("read(%q) left the root: %q", name, b)
		}
		if f, err := h.FS.Open(name); err == nil {
			f.Close()
			t.Errorf("FS.Open(%q) left the root", name)
		}
	}
	if _, err := h.read("a", 100); !errors.Is(err, errLoop) {
		t.Errorf("a loop of links gives %v, want errLoop", err)
	}
	s := Run(t.Context(), collector(t, All(), inventory.OSSection), h, DefaultLimits())
	if o := decode[inventory.OS](t, s); len(o) != 1 || o[0].ID != "inside" {
		t.Errorf("os section: %+v", o)
	}
}

// TestWalkFollowsNoLinks proves that each directory is visited once.
func TestWalkFollowsNoLinks(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "opt/app/lib/x.jar", "")
	link(t, dir, "opt/app/self", "..")
	link(t, dir, "opt/root", "/")
	link(t, dir, "srv/jar", "/opt/app/lib/x.jar")
	write(t, dir, "proc/1/x.jar", "")
	write(t, dir, "home/u/.cache/x.jar", "")
	write(t, dir, "home/u/go/pkg/mod/cache/download/x", "")
	write(t, dir, "home/u/go/pkg/mod/example.test@v1/testdata/x.jar", "")
	c := walk(t.Context(), otherRoot(t, dir), DefaultLimits())
	if d := cmp.Diff([]string{"opt/app/lib/x.jar"}, c.lists[javaKind]); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// TestWalkTogether proves that several walkers find what one finds.
func TestWalkTogether(t *testing.T) {
	dir := t.TempDir()
	for i := range 300 {
		write(t, dir, fmt.Sprintf("srv/%d/%d/node_modules/m%d/package.json", i%7, i%20, i), "")
		write(t, dir, fmt.Sprintf("opt/%d/x%d.jar", i%50, i), "")
	}
	one := walk(t.Context(), otherRoot(t, dir), DefaultLimits())
	if len(one.lists[npmKind]) != 300 || len(one.lists[javaKind]) != 300 {
		t.Fatalf("one finds %d and %d files", len(one.lists[npmKind]), len(one.lists[javaKind]))
	}
	l := DefaultLimits()
	l.Walkers = 5
	for _, h := range []Host{otherRoot(t, dir), stepwise(t, dir)} {
		if d := cmp.Diff(one, walk(t.Context(), h, l), cmp.AllowUnexported(catch{})); d != "" {
			t.Errorf("-one +five:\n%s", d)
		}
	}
	l.MaxFiles = 50
	if c := walk(t.Context(), otherRoot(t, dir), l); !c.over {
		t.Error("five do not stop at the limit")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if c := walk(ctx, otherRoot(t, dir), l); !c.stopped {
		t.Error("five do not stop at the end of the context")
	}
}

// brokenFS panics where a directory is listed.
type brokenFS struct{ fstest.MapFS }

func (f brokenFS) Open(name string) (fs.File, error) {
	if name == "srv/b" {
		panic("broken file system")
	}
	return f.MapFS.Open(name)
}

// TestWalkTogetherPanics proves that a panic of any walker is its section's alone.
func TestWalkTogetherPanics(t *testing.T) {
	h := Host{FS: brokenFS{fstest.MapFS{"srv/a/x.jar": {}, "srv/b/x.jar": {}, "srv/c/x.jar": {}}}, Now: testNow}
	for _, n := range []int{0, 4} {
		l := DefaultLimits()
		l.Walkers = n
		s := Run(t.Context(), collector(t, All(), inventory.Java), h, l)
		if s.Status != inventory.Partial || !strings.Contains(s.Reason, "broken file system") {
			t.Errorf("%d walkers: %s %q", n, s.Status, s.Reason)
		}
	}
}

func TestWalkLimits(t *testing.T) {
	fsys := fstest.MapFS{}
	deep := strings.Repeat("d/", 30)
	fsys[deep+"a.jar"] = &fstest.MapFile{}
	for i := range 50 {
		fsys["opt/"+strings.Repeat("x", i+1)+".jar"] = &fstest.MapFile{}
	}
	h := Host{FS: fsys, Now: testNow}
	l := DefaultLimits()
	l.MaxDepth = 10
	s := Run(t.Context(), collector(t, All(), inventory.Java), h, l)
	if s.Status != inventory.Partial || !strings.Contains(s.Reason, "1 directories deeper than 10 levels") {
		t.Errorf("depth: %s %q", s.Status, s.Reason)
	}
	l.MaxFiles = 20
	s = Run(t.Context(), collector(t, All(), inventory.Java), h, l)
	if s.Status != inventory.Partial || !strings.Contains(s.Reason, "more than 20 files") {
		t.Errorf("files: %s %q", s.Status, s.Reason)
	}
}

func TestParseMounts(t *testing.T) {
	const info = `22 1 254:0 / / rw - ext4 /dev/vda rw
23 22 0:5 / /proc rw - proc proc rw
24 22 254:1 / /home rw - xfs /dev/vdb rw
25 22 0:44 / /mnt/share\040name rw - nfs4 server:/ rw
26 22 254:0 /srv/a /mnt/bind rw - ext4 /dev/vda rw
27 22 7:0 / /snap/core/1 ro - squashfs /dev/loop0 ro
28 22 0:31 /@home /data rw - btrfs /dev/vdc rw
29 22 0:31 /@opt /data2 rw - btrfs /dev/vdc rw
30 22 0:31 /@opt /data3 rw - btrfs /dev/vdc rw
31 22 0:60 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw
broken line
`
	want := []string{"proc", "mnt/share name", "mnt/bind", "snap/core/1", "data3", "var/lib/docker/overlay2/x/merged"}
	if d := cmp.Diff(want, parseMounts(info)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// TestSweepIsShared proves that one pass walks the disk once for all, and that
// a later pass sees what came in between.
func TestSweepIsShared(t *testing.T) {
	fsys := &countingFS{MapFS: fstest.MapFS{"opt/a.jar": {}, "opt/node_modules/x/package.json": {Data: []byte(`{"name":"x","version":"1"}`)}}}
	all := All()
	h := Host{FS: fsys, Now: testNow}
	for _, n := range []inventory.SectionName{inventory.Python, inventory.NPM, inventory.Ruby, inventory.GoBinaries, inventory.Java} {
		Run(t.Context(), collector(t, all, n), h, DefaultLimits())
	}
	if fsys.roots != 1 {
		t.Errorf("the root was listed %d times in one pass, want 1", fsys.roots)
	}
	fsys.MapFS["opt/node_modules/y/package.json"] = &fstest.MapFile{Data: []byte(`{"name":"y","version":"1"}`)}
	h.Now = h.Now.Add(time.Second)
	if s := Run(t.Context(), collector(t, all, inventory.NPM), h, DefaultLimits()); len(s.Items) != 2 {
		t.Errorf("the next pass sees %d packages, want 2", len(s.Items))
	}
}

type countingFS struct {
	fstest.MapFS
	roots int
}

func (c *countingFS) Open(name string) (fs.File, error) {
	if name == "." {
		c.roots++
	}
	return c.MapFS.Open(name)
}

// TestRun proves what Run promises of panics, budgets and times.
func TestRun(t *testing.T) {
	h := Host{FS: fstest.MapFS{}, Now: testNow}
	s := Run(t.Context(), Collector{Name: inventory.NPM, Collect: nil}, h, DefaultLimits())
	if s.Status != inventory.Partial || !strings.Contains(s.Reason, "internal error") || !s.SeenAt.Equal(testNow) {
		t.Errorf("panic: %+v", s)
	}
	l := DefaultLimits()
	l.Budget = time.Nanosecond
	s = Run(t.Context(), collector(t, All(), inventory.Java), h, l)
	if s.Status != inventory.Partial || !strings.Contains(s.Reason, "time budget") {
		t.Errorf("budget: %s %q", s.Status, s.Reason)
	}
	yields := 0
	l = DefaultLimits()
	l.Yield = func() { yields++ }
	Run(t.Context(), collector(t, All(), inventory.Java), h, l)
	if yields == 0 {
		t.Error("a walk never yields")
	}
}

func TestRegistry(t *testing.T) {
	var got []inventory.SectionName
	for _, c := range All() {
		got = append(got, c.Name)
		for _, w := range c.Watch {
			if !fs.ValidPath(w) {
				t.Errorf("%s watches %q, which is no path relative to the root", c.Name, w)
			}
		}
	}
	if d := cmp.Diff(inventory.SectionNames, got); d != "" {
		t.Errorf("collectors and sections differ (-sections +collectors):\n%s", d)
	}
}
