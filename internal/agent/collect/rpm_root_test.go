package collect

import (
	"bytes"
	"database/sql"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	_ "modernc.org/sqlite" // writes a log as rpm does

	"github.com/picketsec/picket/internal/agent/collect/rpmdb"
	"github.com/picketsec/picket/internal/inventory"
)

// realRPM reads one of the databases of real systems that the module of
// another reader carries.
func realRPM(t *testing.T, name string) []byte {
	t.Helper()
	dir := strings.TrimSpace(output(t, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/knqyf263/go-rpmdb"))
	raw, err := os.ReadFile(filepath.Join(dir, "pkg", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Each of rpm's three databases is read where its systems keep it. Public keys
// that rpm lists beside packages are none.
func TestRPMDatabases(t *testing.T) {
	for _, tt := range []struct {
		real, at string
		keys     bool // it holds some
	}{
		{"centos7-plain/Packages", "var/lib/rpm/Packages", false},
		{"sle15-bci/Packages.db", "usr/lib/sysimage/rpm/Packages.db", false},
		{"fedora35/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite", true},
	} {
		t.Run(tt.real, func(t *testing.T) {
			raw := realRPM(t, tt.real)
			headers, keys := 0, 0
			if _, err := rpmdb.Each(rpmdb.Source{DB: bytes.NewReader(raw), Size: int64(len(raw))}, func(blob []byte) error {
				p, err := rpmdb.Parse(blob)
				if headers++; err == nil && p.Name == "gpg-pubkey" {
					keys++
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
			if headers < 30 || tt.keys != (keys > 0) {
				t.Fatalf("%d headers, %d of them keys: not what the test wants", headers, keys)
			}
			s := rpmOf(t, fstest.MapFS{tt.at: {Data: raw}})
			if s.Status != inventory.Complete || len(s.Items) != headers-keys {
				t.Errorf("%s (%s), %d packages, want %d", s.Status, s.Reason, len(s.Items), headers-keys)
			}
			for _, p := range decode[inventory.Package](t, s) {
				if p.Name == "gpg-pubkey" || p.Version == "" || p.Source == "" || len(p.Paths) != 1 || p.Paths[0] != "/"+tt.at {
					t.Errorf("%+v", p)
				}
			}
		})
	}
}

func rpmOf(t *testing.T, root fs.FS) *inventory.Section {
	t.Helper()
	return Run(t.Context(), collector(t, All(), inventory.RPM), Host{FS: root, Now: testNow}, DefaultLimits())
}

// A damaged record costs that record and is told.
func TestRPMDamageIsTold(t *testing.T) {
	raw := realRPM(t, "sle15-bci/Packages.db")
	whole := rpmOf(t, fstest.MapFS{"var/lib/rpm/Packages.db": {Data: raw}})
	raw[bytes.Index(raw, []byte("BlbS"))] = 'X'
	s := rpmOf(t, fstest.MapFS{"var/lib/rpm/Packages.db": {Data: raw}})
	if s.Status != inventory.Partial || len(s.Items) != len(whole.Items)-1 || !strings.Contains(s.Reason, "1 damaged records") || !strings.Contains(s.Reason, "rpm --rebuilddb") {
		t.Errorf("%s (%s), %d packages of %d", s.Status, s.Reason, len(s.Items), len(whole.Items))
	}
}

// What rpm has written into the log beside a SQLite database counts, as long as
// it is not yet in the database itself.
func TestRPMLogCounts(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "rpmdb.sqlite")
	if err := os.WriteFile(file, realRPM(t, "fedora35/rpmdb.sqlite"), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, q := range []string{"PRAGMA journal_mode=WAL", "PRAGMA wal_autocheckpoint=0", "DELETE FROM Packages WHERE hnum IN (SELECT hnum FROM Packages ORDER BY hnum LIMIT 3)"} {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) []byte {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	root := fstest.MapFS{"var/lib/rpm/rpmdb.sqlite": {Data: read(file)}}
	before := rpmOf(t, root)
	root["var/lib/rpm/rpmdb.sqlite-wal"] = &fstest.MapFile{Data: read(file + "-wal")}
	after := rpmOf(t, root)
	if after.Status != inventory.Complete || len(before.Items)-len(after.Items) != 3 {
		t.Errorf("%d packages, %d with the log (%s %s), want 3 fewer", len(before.Items), len(after.Items), after.Status, after.Reason)
	}
}

// busyFS is a root of which one file is written while it is read.
type busyFS struct {
	fstest.MapFS
	name string
}

// Open implements fs.FS.
func (b busyFS) Open(name string) (fs.File, error) {
	f, err := b.MapFS.Open(name)
	if err != nil || name != b.name {
		return f, err
	}
	return busyFile{f, b.MapFS[name]}, nil
}

type busyFile struct {
	fs.File
	m *fstest.MapFile
}

// stamp is what a file was like at one moment.
type stamp struct {
	fs.FileInfo
	at time.Time
}

// ModTime implements fs.FileInfo.
func (s stamp) ModTime() time.Time { return s.at }

// Stat implements fs.File.
func (f busyFile) Stat() (fs.FileInfo, error) {
	info, err := f.File.Stat()
	return stamp{info, f.m.ModTime}, err
}

// ReadAt implements io.ReaderAt.
func (f busyFile) ReadAt(p []byte, off int64) (int, error) {
	f.m.ModTime = f.m.ModTime.Add(1)
	return f.File.(io.ReaderAt).ReadAt(p, off)
}

// A database that is written while it is read may be read half old, half new:
// that is told, and so is a transaction that is under way.
func TestRPMWrittenWhileRead(t *testing.T) {
	const at = "var/lib/rpm/rpmdb.sqlite"
	raw := realRPM(t, "fedora35/rpmdb.sqlite")
	for name, root := range map[string]fs.FS{
		"written":     busyFS{fstest.MapFS{at: {Data: raw, ModTime: testNow}}, at},
		"transaction": fstest.MapFS{at: {Data: raw}, at + "-journal": {Data: []byte("x")}},
	} {
		if s := rpmOf(t, root); s.Status != inventory.Partial || !strings.Contains(s.Reason, "written while it was read") {
			t.Errorf("%s: %s (%s)", name, s.Status, s.Reason)
		}
	}
	if s := rpmOf(t, fstest.MapFS{at: {Data: raw}, at + "-journal": {}}); s.Status != inventory.Complete {
		t.Errorf("an empty journal: %s (%s)", s.Status, s.Reason)
	}
}

// The kernel that runs is told from those that are installed, by the release
// that it gives itself.
func TestRPMKernels(t *testing.T) {
	build, rpm := need(t, "rpmbuild"), need(t, "rpm")
	top := t.TempDir()
	for i, p := range []struct{ name, version, release string }{
		{"kernel-core", "5.14.0", "427.13.1.el9_4"},
		{"kernel-core", "5.14.0", "427.35.1.el9_4"},
		{"kernel", "5.14.0", "427.35.1.el9_4"},
		{"kernel-devel", "5.14.0", "427.13.1.el9_4"},
		{"kernel-default", "5.14.21", "150500.55.19.1"},
		{"kernel-rt-debug-core", "5.14.0", "427.13.1.el9_4"},
	} {
		spec := fmt.Sprintf("Name: %s\nVersion: %s\nRelease: %s\nSummary: A kernel\nLicense: MIT\n%%description\nx\n%%files\n", p.name, p.version, p.release)
		file := filepath.Join(top, fmt.Sprintf("%d.spec", i))
		if err := os.WriteFile(file, []byte(spec), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), build, "-bb", "--quiet", "--target", "x86_64", "--define", "_topdir "+top, file).CombinedOutput(); err != nil {
			t.Fatalf("rpmbuild: %v\n%s", err, out)
		}
	}
	root, _ := installRPMs(t, rpm, builtRPMs(t, top, 6))
	for _, tt := range []struct{ release, name, version string }{
		{"5.14.0-427.13.1.el9_4.x86_64", "kernel-core", "5.14.0-427.13.1.el9_4"},
		{"5.14.0-427.13.1.el9_4.x86_64+rt-debug", "kernel-rt-debug-core", "5.14.0-427.13.1.el9_4"},
		{"5.14.0-427.13.1.el9_4.x86_64+debug", "", ""},
		{"5.14.0-427.35.1.el9_4.x86_64", "kernel-core", "5.14.0-427.35.1.el9_4"},
		{"5.14.21-150500.55.19-default", "kernel-default", "5.14.21-150500.55.19.1"},
		{"5.14.21-150500.55.1-default", "", ""},
		{"5.14.0-427.13.1.el9_4.aarch64", "", ""},
		{"6.9.9-custom", "", ""},
	} {
		h := otherRoot(t, root)
		h.Live = true
		if err := os.MkdirAll(filepath.Join(root, "proc/sys/kernel"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, "proc/sys/kernel/osrelease"), []byte(tt.release+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		got := decode[inventory.KernelFact](t, Run(t.Context(), collector(t, All(), inventory.Kernel), h, DefaultLimits()))
		if len(got) != 1 || got[0].Release != tt.release || got[0].Package != tt.name || got[0].PackageVersion != tt.version {
			t.Errorf("%s is %+v, want %s %s", tt.release, got, tt.name, tt.version)
		}
	}
}
