package inventory

import (
	"slices"
	"testing"
)

// Every section of settings is a section, and none of them holds packages.
func TestSettingSections(t *testing.T) {
	for _, n := range SettingSections {
		if !n.Valid() || slices.Contains(PackageSections, n) {
			t.Errorf("section %s", n)
		}
	}
	if got, want := SectionNames[len(SectionNames)-len(SettingSections):], SettingSections; !slices.Equal(got, want) {
		t.Errorf("the last sections are %v, want %v", got, want)
	}
}
