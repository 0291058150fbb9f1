package rpmdb

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	oracle "github.com/knqyf263/go-rpmdb/pkg"
	_ "modernc.org/sqlite" // the oracle reads SQLite through database/sql
)

// databases returns the real databases that the oracle's module carries.
func databases(t testing.TB) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/knqyf263/go-rpmdb").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []string
	for _, p := range []string{"Packages", "Packages.db", "rpmdb.sqlite"} {
		m, _ := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "pkg", "testdata", "*", p))
		all = append(all, m...)
	}
	if len(all) < 10 {
		t.Fatalf("only %d databases beside the oracle's module", len(all))
	}
	return all
}

func open1(t testing.TB, path string) Source {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	s := Source{DB: f, Size: st.Size()}
	if w, err := os.Open(path + "-wal"); err == nil {
		t.Cleanup(func() { w.Close() })
		if st, err := w.Stat(); err == nil {
			s.WAL, s.WALSize = w, st.Size()
		}
	}
	return s
}

// ours lists a database in the words of `rpm -qa --qf`.
func ours(t testing.TB, path string) []string {
	t.Helper()
	var got []string
	st, err := Each(open1(t, path), func(blob []byte) error {
		p, err := Parse(blob)
		if err != nil {
			return err
		}
		files := 0
		if err := Files(blob, func([]byte) bool { files++; return true }); err != nil {
			return err
		}
		got = append(got, fmt.Sprintf("%s|%s|%s|%s|%s|%s|%s|%s|%d|%d", p.Name, p.Epoch, p.Version, p.Release, p.Arch, p.SourceRPM, p.Vendor, p.Modularity, p.Installed.Unix(), files))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if st.Damaged != 0 || st.Headers != len(got) {
		t.Errorf("stats %+v for %d packages", st, len(got))
	}
	sort.Strings(got)
	return got
}

// TestOracle compares all three formats, both byte orders and some 3,000
// packages with the other reader of them.
func TestOracle(t *testing.T) {
	total := 0
	for _, path := range databases(t) {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			db, err := oracle.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			list, err := db.ListPackages()
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, p := range list {
				epoch := ""
				if p.Epoch != nil {
					epoch = fmt.Sprint(*p.Epoch)
				}
				names, err := p.InstalledFileNames()
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, fmt.Sprintf("%s|%s|%s|%s|%s|%s|%s|%s|%d|%d", p.Name, epoch, p.Version, p.Release, p.Arch, p.SourceRpm, p.Vendor, p.Modularitylabel, p.InstallTime, len(names)))
			}
			sort.Strings(want)
			got := ours(t, path)
			for i := range want {
				want[i] = strings.ReplaceAll(want[i], "(none)", "")
			}
			sort.Strings(want)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("-oracle +ours:\n%s", d)
			}
			total += len(got)
		})
	}
	t.Logf("%d packages", total)
}

func TestRejects(t *testing.T) {
	for _, tt := range []struct{ name, data string }{
		{"empty", ""},
		{"text", "hello, this is no database at all"},
		{"sqlite head only", "SQLite format 3\x00"},
		{"ndb head only", "RpmP"},
	} {
		_, err := Each(Source{DB: strings.NewReader(tt.data), Size: int64(len(tt.data))}, func([]byte) error { return nil })
		if !errors.Is(err, ErrFormat) {
			t.Errorf("%s: error %v, want ErrFormat", tt.name, err)
		}
	}
}

func TestSource(t *testing.T) {
	for _, tt := range []struct{ rpm, epoch, name, evr string }{
		{"openssl-3.0.7-27.el9.src.rpm", "1", "openssl", "1:3.0.7-27.el9"},
		{"openssl-3.0.7-27.el9.src.rpm", "", "openssl", "3.0.7-27.el9"},
		{"openssl-3.0.7-27.el9.src.rpm", "0", "openssl", "0:3.0.7-27.el9"},
		{"java-1.8.0-openjdk-1.8.0.1-2.nosrc.rpm", "", "java-1.8.0-openjdk", "1.8.0.1-2"},
		{"", "", "bin", "9-9"},
		{"odd.src.rpm", "", "bin", "9-9"},
	} {
		p := Package{Name: "bin", Version: "9", Release: "9", Epoch: tt.epoch, SourceRPM: tt.rpm}
		if n, v := p.Source(); n != tt.name || v != tt.evr {
			t.Errorf("source of %q with epoch %q = %s %s, want %s %s", tt.rpm, tt.epoch, n, v, tt.name, tt.evr)
		}
	}
}
