package collect

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/picketsec/picket/internal/inventory"
)

// TestRPMBuilt builds packages and a root with rpm's own tools and compares
// with what rpm says of it.
func TestRPMBuilt(t *testing.T) {
	build, rpm := need(t, "rpmbuild"), need(t, "rpm")
	top := t.TempDir()
	for _, p := range []struct{ name, epoch, version, release, vendor string }{
		{"plain", "", "1.2", "3.el9", "Example"},
		{"zero", "0", "2.0~rc1", "1.el9_4", ""},
		{"epoch", "2", "3.0.7", "27.el9", "Example, Inc."},
	} {
		spec := fmt.Sprintf("Name: %s\nVersion: %s\nRelease: %s\nSummary: The %s package\nLicense: MIT\n", p.name, p.version, p.release, p.name)
		if p.epoch != "" {
			spec += "Epoch: " + p.epoch + "\n"
		}
		if p.vendor != "" {
			spec += "Vendor: " + p.vendor + "\n"
		}
		spec += "%description\nx\n%package -n " + p.name + "-libs\nSummary: Libraries\n%description -n " + p.name + "-libs\ny\n%install\nmkdir -p %{buildroot}/usr/lib/python3.9/site-packages/" + p.name +
			".dist-info\nprintf 'Name: " + p.name + "\\nVersion: 1\\n' > %{buildroot}/usr/lib/python3.9/site-packages/" + p.name + ".dist-info/METADATA\n%files\n/usr/lib/python3.9/site-packages/" + p.name + ".dist-info/METADATA\n%files -n " + p.name + "-libs\n"
		file := filepath.Join(top, p.name+".spec")
		if err := os.WriteFile(file, []byte(spec), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), build, "-bb", "--quiet", "--define", "_topdir "+top, file).CombinedOutput(); err != nil {
			t.Fatalf("rpmbuild: %v\n%s", err, out)
		}
	}
	sameAsRPM(t, rpm, builtRPMs(t, top, 6))
}

// builtRPMs returns the packages below rpmbuild's directory.
func builtRPMs(t *testing.T, top string, n int) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(top, "RPMS", "*", "*.rpm"))
	if err != nil || len(files) != n {
		t.Fatalf("built %v, %v, want %d", files, err, n)
	}
	return files
}

// installRPMs makes a database in a new root; args ask rpm about it.
func installRPMs(t *testing.T, rpm string, files []string) (root string, args []string) {
	t.Helper()
	root = t.TempDir()
	args = []string{"--root", root, "--define", "_db_backend sqlite", "--dbpath", "/var/lib/rpm"}
	for _, more := range [][]string{{"--initdb"}, append([]string{"-i", "--nodeps", "--noscripts", "--ignoreos", "--ignorearch", "--oldpackage", "--replacefiles"}, files...)} {
		if out, err := exec.CommandContext(t.Context(), rpm, append(args, more...)...).CombinedOutput(); err != nil {
			t.Fatalf("rpm %v: %v\n%s", more, err, out)
		}
	}
	return root, args
}

// sameAsRPM compares the collector with rpm's own listing.
func sameAsRPM(t *testing.T, rpm string, files []string) {
	t.Helper()
	root, db := installRPMs(t, rpm, files)
	want := lines(output(t, rpm, append(db, "-qa", "--qf", "%{NAME} %|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE} %{ARCH} %{SOURCERPM} %{VENDOR}\n")...))
	h := otherRoot(t, root)
	s := Run(t.Context(), collector(t, All(), inventory.RPM), h, DefaultLimits())
	if s.Status != inventory.Complete {
		t.Errorf("%s: %s", s.Status, s.Reason)
	}
	var got []string
	for _, p := range decode[inventory.Package](t, s) {
		_, sv, ok := strings.Cut(p.SourceVersion, ":")
		if !ok {
			sv = p.SourceVersion
		}
		if p.Vendor == "" {
			p.Vendor = "(none)"
		}
		if p.InstalledAt.IsZero() {
			t.Errorf("%s has no installation time", p.Name)
		}
		got = append(got, fmt.Sprintf("%s %s %s %s-%s.src.rpm %s", p.Name, p.Version, p.Arch, p.Source, sv, p.Vendor))
		if e, _, ok := strings.Cut(p.Version, ":"); ok && !strings.HasPrefix(p.SourceVersion, e+":") {
			t.Errorf("%s: source version %s lost the epoch of %s", p.Name, p.SourceVersion, p.Version)
		}
	}
	sort.Strings(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("rpm and the collector differ (-rpm +ours):\n%s", d)
	}
	for _, p := range decode[inventory.Package](t, Run(t.Context(), collector(t, All(), inventory.Python), h, DefaultLimits())) {
		if p.Source != p.Name {
			t.Errorf("Python distribution %s is owned by %q, want the rpm package %s", p.Name, p.Source, p.Name)
		}
	}
}
