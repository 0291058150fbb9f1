package server

import (
	"slices"
	"testing"

	"github.com/picketsec/picket/internal/inventory"
)

// Every order of the Defender API is the one that its texts have.
func TestDevicesInTheOrderOfPrograms(t *testing.T) {
	s := testServer(t)
	for i, name := range []string{"b", "a", "C"} {
		os := oneItem(inventory.OSSection, "os", inventory.OS{ID: "debian", VersionID: []string{"12", "11", "9"}[i], Family: "linux", Arch: "amd64", Hostname: name, FQDN: name + ".example"})
		newReport(s, enrol(t, s, name)).sections(t, os)
	}
	for key, want := range map[string][]string{
		"dns_name": {"a", "b", "C"}, "-dns_name": {"C", "b", "a"}, "release": {"a", "b", "C"}, "platform": {"b", "a", "C"}, "health_word": {"b", "a", "C"}, "address": {"b", "a", "C"},
	} {
		p, err := s.Devices(t.Context(), admin, Query{Sort: []string{key, "first_seen"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range p.Items {
			got = append(got, r.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", key, got, want)
		}
	}
}
