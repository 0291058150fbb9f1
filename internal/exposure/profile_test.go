package exposure

import (
	"testing"

	"github.com/picketsec/picket/internal/inventory"
)

// Settings that could not be read hide no weakness: they are no gap in what is
// known of a device's exposure, as a package database is.
func TestSettingsAreNoGap(t *testing.T) {
	sections := map[inventory.SectionName]*inventory.Section{}
	for _, n := range inventory.SettingSections {
		sections[n] = inventory.NewSection(n, inventory.Partial, "permission denied")
	}
	before := len(Profile(nil).Gaps)
	if gaps := Profile(sections).Gaps; len(gaps) != before {
		t.Errorf("gaps: %+v", gaps)
	}
	sections[inventory.DPKG] = inventory.NewSection(inventory.DPKG, inventory.Partial, "permission denied")
	if gaps := Profile(sections).Gaps; len(gaps) != before+1 || gaps[0].Section != inventory.DPKG {
		t.Errorf("gaps: %+v", gaps)
	}
}

// A package that names no version of its source has the source's by its own,
// without what a rebuild of the binary alone adds. rpm has no such suffix.
func TestSourceVersionOfARebuild(t *testing.T) {
	for _, tt := range []struct {
		os      string
		section inventory.SectionName
		version string
		want    string
	}{
		{"debian", inventory.DPKG, "5.2.15-2+b7", "5.2.15-2"},
		{"debian", inventory.DPKG, "5.2.15-2+b", "5.2.15-2+b"},
		{"debian", inventory.DPKG, "5.2.15-2+build", "5.2.15-2+build"},
		{"debian", inventory.DPKG, "1:2.0+b1-3", "1:2.0+b1-3"},
		{"rocky", inventory.RPM, "5.2-1+b7", "5.2-1+b7"},
	} {
		sections := map[inventory.SectionName]*inventory.Section{}
		put := func(name inventory.SectionName, v any) {
			s := inventory.NewSection(name, inventory.Complete, "")
			s.Put("k", v)
			s.Seal()
			sections[name] = s
		}
		put(inventory.OSSection, inventory.OS{ID: tt.os, VersionID: "12", Family: "linux"})
		put(tt.section, inventory.Package{Name: "bash", Version: tt.version})
		for _, u := range Profile(sections).Uses {
			if u.Component.Version != tt.want || u.Evidence[0].Version != tt.version {
				t.Errorf("%s %s is compared as %s, want %s", tt.section, tt.version, u.Component.Version, tt.want)
			}
		}
	}
}
