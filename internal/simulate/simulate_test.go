package simulate

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"

	"github.com/google/go-cmp/cmp"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/version"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

func mustUniverse(t testing.TB) *universe {
	t.Helper()
	u, err := loadUniverse()
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// ecosystem is the name under which package version orders a section's versions.
func ecosystem(h *host, p *inventory.Package) string {
	switch p.Ecosystem {
	case inventory.EcoPyPI:
		return "PyPI"
	case inventory.EcoNPM:
		return "npm"
	case inventory.EcoGem:
		return "RubyGems"
	case inventory.EcoGo:
		return "Go"
	case inventory.EcoMaven:
		return "Maven"
	case inventory.EcoSnap, inventory.EcoFlatpak:
		return ""
	}
	return distroEcosystem(h.rel)
}

func distroEcosystem(r *release) string {
	return map[string]string{"debian": "Debian", "ubuntu": "Ubuntu", "almalinux": "AlmaLinux", "rocky": "Rocky Linux", "alpine": "Alpine"}[r.id]
}

// The lists hold together: versions are readable and rise, names are whole.
func TestUniverse(t *testing.T) {
	u := mustUniverse(t)
	if len(u.releases) != 13 || len(u.named) > 60 {
		t.Errorf("%d releases and %d groups, want 13 and at most 60", len(u.releases), len(u.named))
	}
	for _, r := range u.releases {
		for _, s := range r.sources {
			rising(t, r.file, distroEcosystem(&r), &s, true)
		}
	}
	for _, a := range u.apps {
		eco := map[string]string{"npm": "npm", "pypi": "PyPI", "gem": "RubyGems", "maven": "Maven", "golang": "Go"}[a.ecosystem]
		for _, p := range a.packages {
			if eco != "" {
				rising(t, a.place, eco, &p, false)
			}
		}
	}
	for _, x := range u.roles {
		for _, c := range x.choices {
			if _, ok := u.set(c); !ok {
				t.Errorf("role %s: %q names a group that no package has", x.name, c)
			}
		}
	}
}

func rising(t *testing.T, where, eco string, s *source, strictly bool) {
	t.Helper()
	for i, v := range s.versions {
		if err := version.Valid(eco, v.version); err != nil {
			t.Errorf("%s: %s: %v", where, s.name, err)
		}
		if i == 0 {
			continue
		}
		n, err := version.Compare(eco, s.versions[i-1].version, v.version)
		if err != nil || n > 0 || strictly && n == 0 {
			t.Errorf("%s: %s: %s comes before %s (%v)", where, s.name, s.versions[i-1].version, v.version, err)
		}
	}
}

// encode is what a device reports, as bytes.
func encode(t testing.TB, h *host) []byte {
	t.Helper()
	raw, err := json.Marshal(h.sections(start))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// The same seed gives the same inventories, byte for byte, at the start and
// after any number of days; another seed gives others.
func TestSameSeedSameBytes(t *testing.T) {
	c := &clock{start: start, tick: time.Minute}
	u, differ := mustUniverse(t), 0
	for n := range 30 {
		a, b, other := newHost(u, c, 7, n), newHost(mustUniverse(t), c, 7, n), newHost(u, c, 8, n)
		for range 8 {
			if !bytes.Equal(encode(t, a), encode(t, b)) {
				t.Fatalf("device %d on day %d: two inventories of one seed differ", n, a.step)
			}
			a.advance()
			b.advance()
		}
		if first := newHost(u, c, 7, n); first.rel.file != other.rel.file || !slices.Equal(first.levels, other.levels) {
			differ++
		}
	}
	if differ != 30 {
		t.Errorf("%d of 30 devices have other software with another seed, want all", differ)
	}
}

// Every section that is ever reported is one that the server takes, and every
// version in it can be read.
func TestSectionsAreValid(t *testing.T) {
	u, c := mustUniverse(t), &clock{start: start, tick: time.Minute}
	for n := range 60 {
		h := newHost(u, c, 3, n)
		for range 5 {
			checkSections(t, h)
			for range 9 {
				h.advance()
			}
		}
	}
}

func checkSections(t *testing.T, h *host) {
	t.Helper()
	all := h.sections(start)
	if len(all) != len(reported) {
		t.Fatalf("device %d: %d sections, want all %d", h.n, len(all), len(reported))
	}
	for _, s := range all {
		d := inventory.Diff(nil, s)
		if err := protocol.CheckDelta(&d); err != nil {
			t.Errorf("device %d: %v", h.n, err)
		}
		if back, err := inventory.Apply(nil, d); err != nil || back.Hash() != s.Hash() {
			t.Errorf("device %d, section %s: not what it says: %v", h.n, s.Name, err)
		}
		if s.Status == inventory.NotApplicable && s.Reason == "" {
			t.Errorf("device %d, section %s: not applicable without a reason", h.n, s.Name)
		}
		if !slices.Contains(inventory.PackageSections, s.Name) {
			continue
		}
		pkgs, bad := inventory.Decode[inventory.Package](s)
		if len(bad) > 0 {
			t.Errorf("device %d, section %s: unreadable items %q", h.n, s.Name, bad)
		}
		for _, p := range pkgs {
			if eco := ecosystem(h, &p); eco != "" && p.Name != "" {
				if err := version.Valid(eco, p.Version); err != nil {
					t.Errorf("device %d, section %s, %s: %v", h.n, s.Name, p.Name, err)
				}
			}
			if p.InstalledAt.After(h.at(h.now()).Add(time.Minute)) {
				t.Errorf("device %d, %s is installed at %s, after now", h.n, p.Name, p.InstalledAt)
			}
		}
	}
}

// The running kernel is always among the installed ones.
func TestRunningKernelIsInstalled(t *testing.T) {
	u, c := mustUniverse(t), &clock{start: start, tick: time.Minute}
	waiting := 0
	for n := range 60 {
		h := newHost(u, c, 5, n)
		for range 6 {
			h.advance()
			if h.running != h.levels[h.rel.kernel] {
				waiting++
			}
			if h.rel.section == inventory.APK {
				continue
			}
			sections := h.sections(start)
			k, _ := inventory.Decode[inventory.KernelFact](sections[slices.Index(reported, inventory.Kernel)])
			pkgs, _ := inventory.Decode[inventory.Package](sections[slices.Index(reported, h.rel.section)])
			if !slices.ContainsFunc(pkgs, func(p inventory.Package) bool { return p.Name == k[0].Package && p.Version == k[0].PackageVersion }) {
				t.Fatalf("device %d (%s) runs %s, which is not installed", n, h.rel.file, k[0].Release)
			}
		}
	}
	if waiting == 0 {
		t.Error("no device ever runs an older kernel than it has installed")
	}
}

// A fleet has a bit of everything, and time changes it without end.
func TestFleetIsAlive(t *testing.T) {
	u, c := mustUniverse(t), &clock{start: start, tick: time.Minute}
	releases, roles, policies := map[string]int{}, map[string]int{}, map[string]int{}
	var fleet []*host
	for n := range 300 {
		h := newHost(u, c, 1, n)
		releases[h.rel.id+h.rel.versionID]++
		roles[h.role.name]++
		policies[h.policy.name]++
		fleet = append(fleet, h)
	}
	if len(releases) != len(u.releases) || len(roles) != len(u.roles) || len(policies) != len(u.policies) {
		t.Errorf("of 300 devices: releases %v, roles %v, policies %v", releases, roles, policies)
	}
	changed, silent := map[int]int{}, 0
	for range 12 {
		for _, h := range fleet[:60] {
			before := encode(t, h)
			h.advance()
			if !bytes.Equal(before, encode(t, h)) {
				changed[h.step]++
			}
			if h.quiet > 0 {
				silent++
			}
		}
	}
	for step, n := range changed {
		if n < 12 {
			t.Errorf("on day %d only %d of 60 devices change", step, n)
		}
	}
	if len(changed) != 12 || silent == 0 {
		t.Errorf("changes on %d of 12 days, %d silent days", len(changed), silent)
	}
}

func TestReadLocal(t *testing.T) {
	root := fstest.MapFS{
		"etc/os-release": {Data: []byte("NAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nID=debian\n")},
		"var/lib/dpkg/status": {Data: []byte("Package: a\nStatus: install ok installed\nVersion: 1.0-1\nDescription: x\n more: text\n\n" +
			"Package: liba1\nStatus: install ok installed\nSource: a\nVersion: 1.0-1\n\n" +
			"Package: b\nStatus: deinstall ok config-files\nVersion: 2\n\n" +
			"Package: c\nStatus: install ok installed\nSource: c-src (3-1)\nVersion: 3-1+b2\n")},
	}
	got, err := ReadLocal(root)
	want := &Local{OS: inventory.OS{ID: "debian", VersionID: "12"}, Packages: []inventory.Package{
		{Name: "a", Version: "1.0-1", Source: "a", SourceVersion: "1.0-1"},
		{Name: "liba1", Version: "1.0-1", Source: "a", SourceVersion: "1.0-1"},
		{Name: "c", Version: "3-1+b2", Source: "c-src", SourceVersion: "3-1"},
	}}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("-want +got:\n%s%v", d, err)
	}
	u := mustUniverse(t)
	u.addLocal(got.OS, got.Packages)
	i := slices.IndexFunc(u.releases, func(r release) bool { return r.file == "debian-12" })
	added := u.releases[i].sources[len(u.releases[i].sources)-1]
	if added.name != "a" || len(added.binaries) != 2 {
		t.Errorf("added source %+v, want a with two binaries", added)
	}
	if l, err := ReadLocal(fstest.MapFS{}); err != nil || len(l.Packages) != 0 {
		t.Errorf("a machine without dpkg: %+v, %v", l, err)
	}
}

func FuzzReadLocal(f *testing.F) {
	f.Add("ID=debian\nVERSION_ID=\"12\"\n", "Package: a\nStatus: install ok installed\nVersion: 1\n\n")
	f.Add("", "\n\n: \n Package: x")
	f.Add("=\n", "Package:  \nStatus: install ok installed\nSource:  ()\nVersion: ")
	f.Fuzz(func(t *testing.T, release, status string) {
		l, err := ReadLocal(fstest.MapFS{"etc/os-release": {Data: []byte(release)}, "var/lib/dpkg/status": {Data: []byte(status)}})
		if err != nil {
			return
		}
		for _, p := range l.Packages {
			if p.Name == "" || p.Version == "" || p.Source == "" || p.SourceVersion == "" {
				t.Errorf("half a package: %+v", p)
			}
		}
	})
}
