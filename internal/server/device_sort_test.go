package server

import (
	"slices"
	"testing"
	"time"

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

// Devices are ordered by their domain, and those that were first seen a week ago are not new.
func TestDomainsAndNewDevices(t *testing.T) {
	s := testServer(t)
	for name, domain := range map[string]string{"one": ".b.example", "two": ".a.example", "three": ""} {
		os := oneItem(inventory.OSSection, "os", inventory.OS{ID: "debian", VersionID: "12", Family: "linux", Arch: "amd64", Hostname: name, FQDN: name + domain})
		newReport(s, enrol(t, s, name)).sections(t, os)
	}
	s.core.mu.Lock()
	for _, d := range s.core.devices {
		if d != nil && d.sum.Name == "two" {
			d.agent.FirstSeen = d.agent.FirstSeen.Add(-newFor - time.Minute)
		}
	}
	s.core.mu.Unlock()
	names := func(q Query) (out []string) {
		p, err := s.Devices(t.Context(), admin, q, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Items {
			out = append(out, r.Name+" "+r.Domain)
		}
		return out
	}
	for _, tt := range []struct {
		q    Query
		want []string
	}{
		{Query{Sort: []string{"domain"}}, []string{"three ", "two a.example", "one b.example"}},
		{Query{Sort: []string{"-domain"}, Filter: map[string][]string{"new": {"true"}}}, []string{"one b.example", "three "}},
		{Query{Filter: map[string][]string{"new": {"false"}}}, []string{"two a.example"}},
	} {
		if got := names(tt.q); !slices.Equal(got, tt.want) {
			t.Errorf("%+v: %q, want %q", tt.q, got, tt.want)
		}
	}
}
