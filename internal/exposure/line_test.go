package exposure

import (
	"testing"

	"github.com/picketsec/picket/internal/advisory"
)

// An exception for a release that has ended holds on every device of it, whether
// it has findings of it or not.
func TestExceptionForAnEndedLine(t *testing.T) {
	t.Parallel()
	f := NewFleet(func(string) Rating { return Rating{Points: 1000} })
	s := f.Scores()
	for dev, matches := range [][]Match{{{Weakness: "CVE-2025-1", State: State(advisory.Open), Exposed: true}}, nil} {
		id, _ := f.Intern(Component{Key: advisory.Key{Ecosystem: "Debian", Release: "10"}, Vendor: "debian", Product: "p", Version: string(rune('1' + dev))})
		f.SetAssessment(id, &Assessment{Matches: matches})
		f.SetLine(id, osLine)
		f.SetDevice(uint32(dev), []ComponentID{id})
		s.Put(uint32(dev), 0, ValueNormal)
	}
	s.SetExceptions([]Exception{{ID: 1, What: Selector{Check: -1, Product: osLine.Product, Remedy: Upgrade}, Global: true}})
	for !s.Settle(1) {
	}
	r, ok := s.ReliefOf(osLine.Product, Upgrade, nil, DefaultWeights(2))
	if !ok || r.Devices != 2 || r.Under != 2 || r.DevicesAfter != 0 || r.Impact.Num.IsZero() || !r.ImpactAfter.Num.IsZero() {
		t.Errorf("%+v", r)
	}
	if id := f.DeviceComponents(0)[0]; s.UnderOf(0, id, "CVE-2025-1") != Excepted {
		t.Error("the finding is not under the exception")
	}
}
