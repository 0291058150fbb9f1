package server

import (
	"fmt"
	"testing"

	"github.com/picketsec/picket/internal/advisory"
)

// Each filter of threats takes what is at least as mature, and nothing else.
func TestThreatFilters(t *testing.T) {
	for filter, want := range map[string]string{"exploit": "public verified kit", "verified": "verified kit", "kit": "kit", "kev": "kev", "ransomware": "ransomware"} {
		got := ""
		for _, threat := range []struct {
			name string
			Threats
		}{
			{"none", Threats{Exploit: advisory.NoExploit, EPSS: 0.99}}, {"public", Threats{Exploit: advisory.ExploitPublic}}, {"verified", Threats{Exploit: advisory.ExploitVerified}}, {"kit", Threats{Exploit: advisory.ExploitInKit}},
			{"kev", Threats{Exploit: advisory.NoExploit, KEV: true}}, {"ransomware", Threats{Exploit: advisory.NoExploit, Ransom: true}},
		} {
			if threatIs(threat.Threats, []string{filter}) {
				got = fmt.Sprint(got, " ", threat.name)
			}
		}
		if got != " "+want {
			t.Errorf("filter %s takes%s, want %s", filter, got, want)
		}
	}
}
