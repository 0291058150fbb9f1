package posture

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/picketsec/picket/internal/inventory"
)

// A fixture is a device as settings: one line per setting, "section name
// value", with "[a, b]" for a list; "packages name version" for a package
// that is installed; "os debian" (the default), "rhel". In testdata, each
// check has the fixtures
//
//	scid-1001 pass     a device that passes
//	scid-1001 fail N   what is different on one that fails; "-section name" takes a setting away
//	scid-1001 na N     what is different on one that the check does not concern
type fixture struct {
	os       string
	settings map[[2]string]string // by section and name; "-" is not set
}

func parseFixture(t testing.TB, text string) fixture {
	t.Helper()
	f := fixture{os: "debian", settings: map[[2]string]string{}}
	for s := range strings.Lines(text) {
		s = strings.TrimSpace(s)
		if s == "" {
			continue
		}
		if name, ok := strings.CutPrefix(s, "os "); ok {
			f.os = name
			continue
		}
		gone := strings.HasPrefix(s, "-")
		w := strings.SplitN(strings.TrimPrefix(s, "-"), " ", 3)
		switch {
		case gone && len(w) == 2:
			f.settings[[2]string{w[0], w[1]}] = "-"
		case !gone && len(w) == 3:
			f.settings[[2]string{w[0], w[1]}] = w[2]
		default:
			t.Fatalf("fixture line %q", s)
		}
	}
	return f
}

// with returns the fixture with the differences of another.
func (f fixture) with(d fixture) fixture {
	out := fixture{os: f.os, settings: maps.Clone(f.settings)}
	if d.os != "debian" {
		out.os = d.os
	}
	maps.Copy(out.settings, d.settings)
	return out
}

// String is the fixture as it stands in a file.
func (f fixture) String() string {
	var out []string
	if f.os != "debian" {
		out = append(out, "os "+f.os)
	}
	for k, v := range f.settings {
		if v == "-" {
			out = append(out, fmt.Sprintf("-%s %s", k[0], k[1]))
		} else {
			out = append(out, fmt.Sprintf("%s %s %s", k[0], k[1], v))
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n") + "\n"
}

func parseSetting(v string) inventory.Setting {
	if list, ok := strings.CutPrefix(v, "["); ok {
		s := inventory.Setting{List: []string{}, Source: "test"}
		if list = strings.TrimSuffix(list, "]"); list != "" {
			s.List = strings.Split(list, ", ")
		}
		return s
	}
	return inventory.Setting{Value: v, Source: "test"}
}

// sections is the device as its agent would report it, every section complete.
func (f fixture) sections() map[inventory.SectionName]*inventory.Section {
	all := map[inventory.SectionName]*inventory.Section{}
	for _, n := range append([]inventory.SectionName{inventory.OSSection, inventory.DPKG}, inventory.SettingSections...) {
		all[n] = inventory.NewSection(n, inventory.Complete, "")
	}
	o := inventory.OS{Family: "linux", ID: f.os}
	switch f.os {
	case "debian":
		o.VersionID = "12"
	case "rhel":
		o.VersionID, o.IDLike = "9.4", []string{"fedora"}
	case "windows":
		o.Family = "windows"
	}
	all[inventory.OSSection].Put("os", o)
	for k, v := range f.settings {
		switch {
		case v == "-":
		case k[0] == "packages":
			all[inventory.DPKG].Put(k[1]+":amd64", inventory.Package{Ecosystem: inventory.EcoDebian, Name: k[1], Version: v, Arch: "amd64", Paths: []string{"/var/lib/dpkg/status"}})
		default:
			all[inventory.SectionName(k[0])].Put(k[1], parseSetting(v))
		}
	}
	for _, s := range all {
		s.Seal()
	}
	return all
}

// fixtures are those of one check.
type fixtures struct {
	pass fixture
	fail []fixture // complete devices
	na   []fixture
}

// readFixtures reads testdata.
func readFixtures(t testing.TB) map[string]*fixtures {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	all := map[string]*fixtures{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range txtar.Parse(text).Files {
			w := strings.Fields(f.Name)
			if len(w) < 2 {
				t.Fatalf("%s: fixture %q", file, f.Name)
			}
			d := parseFixture(t, string(f.Data))
			x := all[w[0]]
			switch {
			case w[1] == "pass" && x == nil:
				all[w[0]] = &fixtures{pass: d}
			case w[1] == "fail" && x != nil:
				x.fail = append(x.fail, x.pass.with(d))
			case w[1] == "na" && x != nil:
				x.na = append(x.na, x.pass.with(d))
			default:
				t.Fatalf("%s: fixture %q stands before the passing one, is there twice or is of no kind", file, f.Name)
			}
		}
	}
	return all
}
