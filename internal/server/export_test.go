package server

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/posture"
)

// Inventory rows are (software, version); checks that were not assessed have no row.
func TestExportInventoryAndChecks(t *testing.T) {
	s := testServer(t)
	r := newReport(s, enrol(t, s, "a"))
	r.send(t, "libssl3 3.0.1-1 openssl", "openssl 3.0.1-1", "bash 5.2-1")
	load(t, s, "tracker-2026-01-01.json", "openssl CVE-2024-0001 open", "openssl CVE-2024-0002 open", "bash CVE-2024-0003 resolved 5.3-1")
	py := inventory.NewSection(inventory.Python, inventory.Complete, "")
	py.Put("x", inventory.Package{Ecosystem: inventory.EcoPyPI, Name: "examplelib", Version: "1.0", Paths: []string{"/opt/x.dist-info"}})
	py.SeenAt = time.Now()
	py.Seal()
	if _, err := s.ingest(t.Context(), r.id, 9, []inventory.Delta{inventory.Diff(nil, py)}); err != nil {
		t.Fatal(err)
	}
	x, err := s.ExportInventory(t.Context(), admin, ExportQuery{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for d, err := range x.Devices {
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range d.Rows {
			got = append(got, fmt.Sprintf("%s %s %s %s %d %v %v", d.Name, row.Vendor, row.Product, row.Version, row.Weaknesses, row.Paths, row.FirstSeen.IsZero()))
		}
	}
	equal(t, "inventory", got, "h1 debian bash 5.2-1 1 [] false", "h1 debian openssl 3.0.1-1 2 [] false", "h1 pypi examplelib 1.0 0 [/opt/x.dist-info] false")

	checks := func() (pass, applicable int) {
		x, err := s.ExportChecks(t.Context(), admin, ExportQuery{})
		if err != nil {
			t.Fatal(err)
		}
		for d, err := range x.Devices {
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range d.Rows {
				if row.Compliant {
					pass++
				}
				if row.Applicable {
					applicable++
				}
			}
		}
		return pass, applicable
	}
	d, err := s.deviceByID(r.id)
	if err != nil {
		t.Fatal(err)
	}
	results := make([]posture.Result, len(posture.Checks()))
	for i := range results {
		results[i].State = []posture.State{posture.Pass, posture.Fail, posture.NotApplicable, posture.NotAssessed}[min(i, 3)]
	}
	s.core.mu.Lock()
	s.core.judge(d, newVerdicts(results))
	s.core.mu.Unlock()
	if pass, applicable := checks(); pass != 1 || applicable != 2 {
		t.Errorf("%d pass and %d apply, want 1 and 2", pass, applicable)
	}
}

// Files of exports are bounded in number and space, end with their time and
// with the program, and an export that failed leaves nothing.
func TestExportFilesAreBounded(t *testing.T) {
	s := testServer(t)
	x := s.Exports
	begin := func() *ExportFiles {
		t.Helper()
		f, err := x.NewExportFiles(t.Context(), admin, SoftwareRead, 0)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	write := func(f *ExportFiles, name, text string) error {
		w, err := f.Create(name)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		return err
	}
	refused := func(what string) {
		t.Helper()
		var wait *WaitError
		if _, err := x.NewExportFiles(t.Context(), admin, SoftwareRead, 0); !errors.As(err, &wait) || wait.After <= 0 {
			t.Errorf("%s: %v, want to be told to wait", what, err)
		}
	}
	a, b := begin(), begin()
	refused("a third at once")
	for _, name := range []string{"../x", "", "a/b"} {
		if err := write(a, name, "x"); !errors.Is(err, ErrInvalid) {
			t.Errorf("file %q: %v", name, err)
		}
	}
	if err := errors.Join(write(a, "1.gz", "hello"), a.Close(nil), write(b, "1.gz", "lost")); err != nil {
		t.Fatal(err)
	}
	failed := errors.New("failed")
	if err := b.Close(failed); !errors.Is(err, failed) {
		t.Errorf("%v", err)
	}
	if _, err := s.ExportFile(t.Context(), b.Secret, "1.gz"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a file of a failed export: %v", err)
	}
	f, err := s.ExportFile(t.Context(), a.Secret, "1.gz")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(f)
	if err = errors.Join(err, f.Close()); err != nil || string(text) != "hello" {
		t.Errorf("%q, %v", text, err)
	}
	x.most = 8
	if err := write(begin(), "1.gz", "too long"); err == nil {
		t.Error("more than the disk space was written")
	}
	x.most = maxExportDisk
	x.expire(a.Expires.Add(time.Second))
	if left, err := os.ReadDir(x.dir); err != nil || len(left) != 0 || x.disk != 0 {
		t.Errorf("%d folders and %d bytes are left, %v", len(left), x.disk, err)
	}
	<-x.writing // the one that was not closed
	late := begin()
	if err := write(late, "1.gz", "in time"); err != nil {
		t.Fatal(err)
	}
	x.expire(late.Expires.Add(time.Second))
	if _, err := late.Write([]byte("late")); !errors.Is(err, ErrNotFound) || x.disk != 0 {
		t.Errorf("an export that ended while it was written took %v, %d bytes are counted", err, x.disk)
	}
	if err := late.Close(nil); err != nil {
		t.Fatal(err)
	}
	for range maxExports {
		if err := begin().Close(nil); err != nil {
			t.Fatal(err)
		}
	}
	refused("one more than the number")
	if y, err := OpenExports(x.dir, s.log); err != nil || len(y.sets) > 0 {
		t.Error(err)
	} else if _, err := os.Stat(x.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("files of an earlier run: %v", err)
	}
}

// The results of checks in an export are those of its moment, on every page of
// it and after a restart, also of a device that changed since.
func TestExportChecksOfAMoment(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	list := []*report{newReport(s, enrol(t, s, "one")), newReport(s, enrol(t, s, "two"))}
	for _, r := range list {
		r.send(t, "bash 5.2-1")
	}
	read := func(q ExportQuery) (at time.Time, out []string) {
		t.Helper()
		x, err := s.ExportChecks(t.Context(), admin, q)
		if err != nil {
			t.Fatal(err)
		}
		for d, err := range x.Devices {
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range d.Rows {
				out = append(out, fmt.Sprintf("%d %s %v %v", d.Num, r.Check.ID, r.Applicable, r.Compliant))
			}
		}
		return x.At, out
	}
	type moment struct {
		at   time.Time
		want []string
	}
	var past []moment
	note := func() {
		t.Helper()
		at, want := read(ExportQuery{})
		if n := len(past); n > 0 && slices.Equal(want, past[n-1].want) {
			t.Fatal("the results did not change")
		}
		past = append(past, moment{at, want})
	}
	check := func(when string) {
		t.Helper()
		for i, p := range past {
			if _, got := read(ExportQuery{At: p.at}); !slices.Equal(got, p.want) {
				t.Errorf("%s: moment %d has %d rows, want %d, or others", when, i, len(got), len(p.want))
			}
		}
		from := uint32(2) // the page with the second device
		_, got := read(ExportQuery{At: past[0].at, From: from})
		if want := slices.DeleteFunc(slices.Clone(past[0].want), func(r string) bool { return !strings.HasPrefix(r, "2 ") }); len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("%s: a later page of the first moment has %d rows, want %d", when, len(got), len(want))
		}
	}
	note()
	list[1].send(t, "bash 5.2-1", "telnetd 1-1", "telnet 1-1")
	note()
	list[0].send(t, "bash 5.2-1", "telnet 1-1")
	note()
	list[1].send(t, "bash 5.2-1")
	note()
	set := inventory.NewSection(inventory.Sysctl, inventory.Complete, "") // no software changes with it
	set.Put("kernel.unprivileged_userns_clone", inventory.Setting{Value: "0"})
	list[0].sections(t, set)
	note()
	check("at once")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir)
	defer func() { _ = s.Close() }()
	check("after a restart")
}
