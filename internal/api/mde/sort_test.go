package mde

import (
	"fmt"
	"testing"
)

// The server orders what it has keys for; anything else is ordered here.
func TestSortKeys(t *testing.T) {
	for orderby, want := range map[string]string{
		"":                                   "[]",
		"lastSeen":                           "[last_seen]",
		"LASTSEEN desc, computerdnsname asc": "[-last_seen dns_name]",
		"lastSeen, exposureLevel":            "[]",
		"deviceValue":                        "[]",
	} {
		if got := fmt.Sprint(sortKeys(machineProps, orderby, machineSorts)); got != want {
			t.Errorf("%q: %s, want %s", orderby, got, want)
		}
	}
	for name := range machineSorts {
		if _, ok := lookup(machineProps, name); !ok {
			t.Errorf("there is no property %s", name)
		}
	}
}
