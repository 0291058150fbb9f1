package exposure

import (
	"fmt"
	"testing"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/inventory"
)

// However many weaknesses devices gain at once, each counts once on each of them.
func TestGainMany(t *testing.T) {
	t.Parallel()
	severities := []advisory.Severity{advisory.Critical, advisory.High, advisory.Medium}
	for _, weaknesses := range []int{1, 7, 255, 256, 2500} {
		f := NewFleet(func(w string) Rating { return Rating{Severity: severities[len(w)%3], KEV: w[len(w)-1] == '7'} })
		var ids []ComponentID
		for _, name := range []string{"one", "two", "three"} {
			id, _ := f.Intern(Component{Key: advisory.Key{Ecosystem: inventory.EcoDebian, Release: "12", Name: name}, Product: name, Version: "1"})
			ids = append(ids, id)
		}
		const devices = 1000
		for dev := range uint32(devices) {
			held := ids[:1+dev%3]
			if dev%10 == 9 {
				held = nil
			}
			f.SetDevice(dev, held)
		}
		as := make([]Assessment, len(ids))
		want := [4]int{} // by how many of the components a device has
		for n := range weaknesses {
			m := Match{Weakness: fmt.Sprintf("CVE-2031-%0*d", 4+n%3, n), State: "open", Exposed: true}
			for i := n % 3; i < len(ids); i++ { // the first component has every third, the last has all
				as[i].Matches = append(as[i].Matches, m)
			}
			for has := n%3 + 1; has <= 3; has++ {
				want[has]++
			}
		}
		f.SetAssessments(ids, as)
		for dev := range uint32(devices) {
			has := int(1 + dev%3)
			if dev%10 == 9 {
				has = 0
			}
			if got := f.DeviceCounts(dev); int(got.Weaknesses) != want[has] || got.Critical+got.High+got.Medium != got.Weaknesses {
				t.Fatalf("%d weaknesses, device %d with %d components: counts %+v, want %d", weaknesses, dev, has, got, want[has])
			}
		}
	}
}
