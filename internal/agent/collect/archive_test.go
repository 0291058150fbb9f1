package collect

import (
	"archive/zip"
	"bytes"
	"context"
	"debug/buildinfo"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sort"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/picketsec/picket/internal/inventory"
)

// member is one file of a test archive.
type member struct {
	name   string
	data   []byte
	stored bool
}

func jar(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: zip.Deflate}
		if m.stored {
			h.Method = zip.Store
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(m.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pom(group, artifact, version string) member {
	return member{name: "META-INF/maven/" + group + "/" + artifact + "/pom.properties",
		data: []byte(fmt.Sprintf("#Generated\r\ngroupId=%s\r\nartifactId: %s\nversion = %s\n", group, artifact, version))}
}

func manifest(lines ...string) member {
	return member{name: "META-INF/MANIFEST.MF", data: []byte("Manifest-Version: 1.0\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\nName: x\r\nImplementation-Title: not-this\r\n")}
}

func javaOf(t testing.TB, files map[string][]byte) *inventory.Section {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, data := range files {
		fsys[name] = &fstest.MapFile{Data: data, Mode: 0o644}
	}
	return Run(t.Context(), collector(t, All(), inventory.Java), Host{FS: fsys, Now: testNow}, DefaultLimits())
}

func names(t testing.TB, s *inventory.Section) []string {
	t.Helper()
	got := []string{}
	for _, p := range decode[inventory.Package](t, s) {
		got = append(got, p.Name+" "+p.Version+" "+strings.Join(p.Paths, ","))
	}
	sort.Strings(got)
	return got
}

func TestJava(t *testing.T) {
	log4j := jar(t, pom("org.apache.logging.log4j", "log4j-core", "2.14.1"))
	nested := jar(t, pom("g.d4", "a", "4"))
	for range 6 {
		nested = jar(t, member{"lib/n.jar", nested, false})
	}
	prefixed := append([]byte("#!/bin/sh\nexec java -jar $0\n"), jar(t, pom("g", "prefixed", "1"))...)
	s := javaOf(t, map[string][]byte{
		"opt/a/plain.jar":  log4j,
		"opt/a/boot.jar":   jar(t, pom("com.example", "boot", "1.0"), member{"BOOT-INF/lib/log4j-core.jar", log4j, true}, member{"../../../etc/evil.jar", log4j, false}),
		"opt/a/web.war":    jar(t, member{"WEB-INF/lib/log4j-core.jar", log4j, false}),
		"opt/a/deep.ear":   nested,
		"opt/a/start.jar":  prefixed,
		"opt/a/mf.jar":     jar(t, manifest("Implementation-Vendor-Id: org.example", "Implementation-Title: part", "Implementation-Version: 3.", " 1")),
		"opt/a/title.jar":  jar(t, manifest("Implementation-Title: Some Title", "Implementation-Version: 3.1")),
		"opt/a/plugin.hpi": jar(t, manifest("Group-Id: org.jenkins-ci.plugins", "Short-Name: git", "Plugin-Version: 5.0")),
		"opt/a/two.jar":    jar(t, pom("g", "one", "1"), pom("g", "two", "2"), manifest("Implementation-Vendor-Id: org.example", "Implementation-Title: no", "Implementation-Version: 1")),
		"opt/a/empty.jar":  {},
		"opt/a/bad.jar":    []byte("PK\x03\x04 and no more"),
		"opt/a/unset.jar":  jar(t, pom("g", "unset", "${project.version}")),
	})
	want := []string{
		"com.example:boot 1.0 /opt/a/boot.jar",
		"g:one 1 /opt/a/two.jar",
		"g:prefixed 1 /opt/a/start.jar",
		"g:two 2 /opt/a/two.jar",
		"org.apache.logging.log4j:log4j-core 2.14.1 /opt/a/boot.jar!/BOOT-INF/lib/log4j-core.jar",
		"org.apache.logging.log4j:log4j-core 2.14.1 /opt/a/boot.jar!/etc/evil.jar",
		"org.apache.logging.log4j:log4j-core 2.14.1 /opt/a/plain.jar",
		"org.apache.logging.log4j:log4j-core 2.14.1 /opt/a/web.war!/WEB-INF/lib/log4j-core.jar",
		"org.example:part 3.1 /opt/a/mf.jar",
		"org.jenkins-ci.plugins:git 5.0 /opt/a/plugin.hpi",
	}
	if d := cmp.Diff(want, names(t, s)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	for _, reason := range []string{"1 × Java archive nested too deep", "1 × Java archive that cannot be read in full (no end record)"} {
		if s.Status != inventory.Partial || !strings.Contains(s.Reason, reason) {
			t.Errorf("%s %q does not say %q", s.Status, s.Reason, reason)
		}
	}
}

// TestZipBombs proves that archives that grow are left out and told.
func TestZipBombs(t *testing.T) {
	zeros := make([]byte, maxHeld+1)
	bomb := jar(t, member{"lib/zeros.jar", zeros, false}, pom("g", "outer", "1"))
	if len(bomb) > 1<<20 {
		t.Fatalf("the bomb has %d bytes", len(bomb))
	}
	lying := bytes.Clone(bomb)
	// The directory understates the size: it is the last 4 bytes field at +24 of
	// the first directory entry.
	dir := bytes.Index(lying, []byte("PK\x01\x02"))
	copy(lying[dir+24:], []byte{1, 0, 0, 0})
	many := make([]member, 0, 5000)
	small := jar(t)
	for i := range 5000 {
		many = append(many, member{fmt.Sprintf("lib/%d.jar", i), small, true})
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s := javaOf(t, map[string][]byte{"opt/bomb.jar": bomb, "opt/lying.jar": lying, "opt/many.jar": jar(t, many...)})
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 400<<20 {
		t.Errorf("%d MB were allocated", used>>20)
	}
	if d := cmp.Diff([]string{"g:outer 1 /opt/bomb.jar", "g:outer 1 /opt/lying.jar"}, names(t, s)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	for _, reason := range []string{"2 × packed Java archive in an archive that is too large", "1000 × Java archive beyond the count"} {
		if !strings.Contains(s.Reason, reason) {
			t.Errorf("%s %q does not say %q", s.Status, s.Reason, reason)
		}
	}
}

// TestGoBinary builds a program and compares with what the toolchain says of it.
func TestGoBinary(t *testing.T) {
	tool := need(t, "go")
	dir := t.TempDir()
	src := filepath.Join(dir, "usr/local/src/demo")
	write(t, src, "go.mod", "module example.test/demo\n\ngo 1.26\n")
	write(t, src, "main.go", "package main\n\nfunc main() { println(1) }\n")
	for _, target := range []struct{ goos, name string }{{"linux", "demo"}, {"windows", "demo.exe"}, {"darwin", "demo-mac"}} {
		cmd := exec.CommandContext(t.Context(), tool, "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(dir, "opt/bin", target.name), ".")
		cmd.Dir = src
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+target.goos, "GOFLAGS=-mod=mod", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go build for %s: %v\n%s", target.goos, err, out)
		}
	}
	bin, err := os.ReadFile(filepath.Join(dir, "opt/bin/demo"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "opt/bin/not-executable", string(bin)) // mode 0644
	self, err := os.ReadFile("/proc/self/exe")
	if err == nil { // this test's own program: it has real dependencies
		if err := os.WriteFile(filepath.Join(dir, "opt/bin/self"), self, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s := Run(t.Context(), collector(t, All(), inventory.GoBinaries), otherRoot(t, dir), DefaultLimits())
	if s.Status != inventory.Complete {
		t.Errorf("%s: %s", s.Status, s.Reason)
	}
	got := map[string]string{}
	paths := map[string]bool{}
	for _, p := range decode[inventory.Package](t, s) {
		got[p.Name+"@"+p.Paths[0]] = p.Version
		paths[p.Paths[0]] = true
	}
	release := strings.TrimPrefix(runtime.Version(), "go")
	for _, n := range []string{"/opt/bin/demo", "/opt/bin/demo.exe", "/opt/bin/demo-mac"} {
		if v := got["stdlib@"+n]; v != release {
			t.Errorf("stdlib of %s = %q, want %s", n, v, release)
		}
	}
	if paths["/opt/bin/not-executable"] {
		t.Error("a file that is not executable was taken for a program")
	}
	if err == nil && self != nil {
		info, err := buildinfo.Read(bytes.NewReader(self))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range info.Deps {
			if v := got[m.Path+"@/opt/bin/self"]; v != m.Version {
				t.Errorf("%s in this program = %q, want %s", m.Path, v, m.Version)
			}
		}
	}
}

func TestGoModule(t *testing.T) {
	for _, tt := range []struct {
		m    debug.Module
		want string
	}{
		{debug.Module{Path: "a", Version: "v1.0.0"}, "a v1.0.0"},
		{debug.Module{Path: "a", Version: "v1.0.0", Replace: &debug.Module{Path: "b", Version: "v2.0.0"}}, "b v2.0.0"},
		{debug.Module{Path: "a", Version: "v1.0.0", Replace: &debug.Module{Path: "../b"}}, "a "},
		{debug.Module{Path: "a", Version: "v1.0.0", Replace: &debug.Module{Path: "./b", Version: "(devel)"}}, "a "},
	} {
		if n, v := goModule(&tt.m); n+" "+v != tt.want {
			t.Errorf("goModule(%+v) = %q %q, want %q", tt.m, n, v, tt.want)
		}
	}
	for in, want := range map[string]string{"go1.26.8": "1.26.8", "go1.24.1 X:boringcrypto": "1.24.1", "devel go1.27-abc": "", "": ""} {
		if got := goRelease(in); got != want {
			t.Errorf("goRelease(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestLZ4 compares with the lz4 tool, in every form of block that it writes.
func TestLZ4(t *testing.T) {
	tool := need(t, "lz4")
	var text bytes.Buffer
	for i := range 60_000 {
		fmt.Fprintf(&text, "Package: p%d\nVersion: %d.%d\n\n", i*7919%65537, i%13, i)
	}
	noise := make([]byte, 300_000)
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x = x*1664525 + 1013904223
		noise[i] = byte(x >> 24)
	}
	text.Write(noise)
	for _, args := range [][]string{{"-1", "-B4"}, {"-9", "-B4", "-BD"}, {"-1", "-B7"}, {"-9", "-B7", "-BD"}, {"-1", "-B5", "-BX"}, {"-1", "--content-size"}, {"-1", "--no-frame-crc"}} {
		cmd := exec.CommandContext(t.Context(), tool, append(args, "-c", "-")...)
		cmd.Stdin = bytes.NewReader(text.Bytes())
		packed, err := cmd.Output()
		if err != nil {
			t.Fatalf("lz4 %v: %v", args, err)
		}
		got, err := io.ReadAll(newLZ4(bytes.NewReader(append(packed, packed...))))
		if err != nil || !bytes.Equal(got, append(bytes.Clone(text.Bytes()), text.Bytes()...)) {
			t.Errorf("lz4 %v: %d bytes, want %d (%v)", args, len(got), 2*text.Len(), err)
		}
		if _, err := io.ReadAll(newLZ4(bytes.NewReader(packed[:len(packed)/2]))); err == nil {
			t.Errorf("lz4 %v: half a file looks complete", args)
		}
	}
}

// TestUnpack reads one list in every compression that apt may keep.
func TestUnpack(t *testing.T) {
	const text = "Package: a\nVersion: 1\nArchitecture: all\n\n"
	for _, c := range []struct{ ext, tool string }{{"", ""}, {".gz", "gzip"}, {".xz", "xz"}, {".bz2", "bzip2"}, {".zst", "zstd"}, {".lz4", "lz4"}} {
		data := []byte(text)
		if c.tool != "" {
			var err error
			cmd := exec.CommandContext(t.Context(), need(t, c.tool), "-c")
			cmd.Stdin = strings.NewReader(text)
			if data, err = cmd.Output(); err != nil {
				t.Fatal(err)
			}
		}
		h := Host{FS: fstest.MapFS{"x_Packages" + c.ext: &fstest.MapFile{Data: data}}}
		n := 0
		err := eachAptPackage(context.Background(), h, DefaultLimits(), "x_Packages"+c.ext, func(name, version, arch, _ []byte) {
			if string(name) == "a" && string(version) == "1" && string(arch) == "all" {
				n++
			}
		})
		if err != nil || n != 1 {
			t.Errorf("%q: %d packages, %v", c.ext, n, err)
		}
	}
}
