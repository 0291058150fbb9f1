package server

import (
	"testing"

	"github.com/picketsec/picket/internal/exposure"
)

// Exposed devices of high value are counted of those that are exposed, and only
// of those that the caller looks at.
func TestExposedDevicesOfHighValueAreCounted(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker.json", opensslFix)
	high, normal, fixed := newReport(s, enrol(t, s, "high")), newReport(s, enrol(t, s, "normal")), newReport(s, enrol(t, s, "fixed"))
	for _, r := range []*report{high, normal} {
		r.send(t, "openssl 3.0.11-1~deb12u1")
	}
	fixed.send(t, "openssl 3.0.15-1~deb12u1")
	count := func(caller Caller) int {
		t.Helper()
		rows := []RecommendationRow{{ID: "va-_-debian-_-openssl"}, {ID: "va-_-debian-_-bash"}}
		if err := s.CountCritical(t.Context(), caller, rows); err != nil {
			t.Fatal(err)
		}
		if rows[1].Critical != 0 {
			t.Errorf("what nobody needs has %d devices of high value", rows[1].Critical)
		}
		return rows[0].Critical
	}
	worth := func(r *report, value string) {
		t.Helper()
		if err := s.SetDeviceValue(t.Context(), admin, string(r.id), value); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(admin); n != 0 {
		t.Errorf("no device is of high value, %d are counted", n)
	}
	worth(high, "High")
	worth(normal, "Low")
	worth(fixed, "High") // not exposed
	if n := count(admin); n != 1 {
		t.Errorf("one exposed device is of high value, %d are counted", n)
	}
	worth(normal, "High")
	if n := count(admin); n != 2 {
		t.Errorf("two exposed devices are of high value, %d are counted", n)
	}
	none := admin
	none.Groups = []exposure.Group{4711}
	if n := count(none); n != 0 {
		t.Errorf("of no device that is looked at %d are counted", n)
	}
	if err := s.CountCritical(t.Context(), Caller{Permissions: []string{MachineRead}, Scope: exposure.Everywhere()}, nil); err == nil {
		t.Error("counted for who may not read recommendations")
	}
}
