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
