package server

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/group"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
)

// Every order of the Defender API is the one that its texts have.
func TestDevicesInTheOrderOfPrograms(t *testing.T) {
	s := testServer(t)
	for i, name := range []string{"b", "a", "C"} {
		os := oneItem(inventory.OSSection, "os", inventory.OS{ID: "debian", VersionID: []string{"12", "11", "9"}[i], Family: "linux", Arch: []string{"amd64", "arm64", "386"}[i], Hostname: name, FQDN: name + ".example"})
		newReport(s, enrol(t, s, name)).sections(t, os)
	}
	words := func() string {
		p, err := s.Devices(t.Context(), admin, Query{Sort: []string{"first_seen"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return p.Items[0].GroupWord + " " + p.Items[1].GroupWord
	}
	if got := words(); got != "None None" {
		t.Errorf("without groups: %s", got)
	}
	if _, err := s.SaveDeviceGroup(t.Context(), admin, 0, RuleEdit{Name: "Alpha", Rules: []group.Rule{{Conditions: []group.Condition{{Property: "name", Operator: "equals", Values: []string{"a"}}}}}}); err != nil {
		t.Fatal(err)
	}
	if got := words(); got != "Unassigned Alpha" {
		t.Errorf("with a group: %s", got)
	}
	s.core.mu.Lock()
	for _, d := range s.core.devices {
		switch {
		case d != nil && d.sum.Name == "a":
			d.value = exposure.ValueNormal
			s.core.alerts.put(&store.Alert{ID: "x", Device: d.num, Severity: "High", Status: "New"})
		case d != nil && d.sum.Name == "C":
			d.value = exposure.ValueHigh
		case d != nil:
			d.value = exposure.ValueLow
		}
	}
	s.core.mu.Unlock()
	if _, err := s.Devices(t.Context(), admin, Query{Order: func(a, b *AlertRow) int { return 0 }}, nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("an order of other rows: %v", err)
	}
	for key, want := range map[string][]string{
		"processor": {"a", "b", "C"}, "bits": {"C", "b", "a"}, "value_word": {"C", "b", "a"}, "-value_word": {"a", "b", "C"}, "risk_word": {"a", "b", "C"}, "-risk_word": {"b", "C", "a"},
		"group_id": {"b", "C", "a"}, "group_word": {"a", "b", "C"}, "exposure_word": {"b", "a", "C"},
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

// Devices are found by each of their addresses or its beginning, by MAC address
// and by full name; what all of them have on the loopback finds none.
func TestDevicesByAddress(t *testing.T) {
	s := testServer(t)
	for i, name := range []string{"one", "two"} {
		os := oneItem(inventory.OSSection, "os", inventory.OS{ID: "debian", VersionID: "12", Family: "linux", Arch: "amd64", Hostname: name, FQDN: name + ".corp.example"})
		r := newReport(s, enrol(t, s, name))
		r.sections(t, os)
		r.sections(t, oneItem(inventory.Interfaces, "eth0", inventory.Interface{Name: "eth0", MAC: fmt.Sprintf("00:a1:b2:c3:d4:e%d", i), Up: true, Addresses: []string{fmt.Sprintf("10.4.%d.17", i), fmt.Sprintf("2001:db8::%d", i+1)}}))
	}
	for text, want := range map[string][]string{"10.4.1.17": {"two"}, "10.4.": {"one", "two"}, "2001:db8::1": {"one"}, "00:A1:B2:C3:D4:E1": {"two"}, "two.corp": {"two"}, "::1": {"one"}, "127.0.0.1": nil} {
		p, err := s.Devices(t.Context(), admin, Query{Text: text, Sort: []string{"name"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range p.Items {
			got = append(got, r.Name)
		}
		equal(t, text, got, want...)
	}
}

// Devices are found by the version of their operating system and by whether
// its release is supported still; releases are listed with how many run them.
func TestDevicesByOperatingSystem(t *testing.T) {
	s := testServer(t)
	for i, is := range []inventory.OS{{ID: "debian", VersionID: "12"}, {ID: "debian", VersionID: "12"}, {ID: "debian", VersionID: "9"}, {ID: "debian", VersionID: "13"}, {ID: "alpine", VersionID: "12"}, {ID: "debian", VersionID: "14"}} {
		is.Family, is.Arch, is.Hostname = "linux", "amd64", fmt.Sprint("h", i)
		newReport(s, enrol(t, s, is.Hostname)).sections(t, oneItem(inventory.OSSection, "os", is))
	}
	day := func(days int) string { return time.Now().AddDate(0, 0, days).Format(time.DateOnly) }
	lives(t, s, "2026-01-01", "9 "+day(-400)+",12 "+day(90)+",13 "+day(900), "3 2030-01-01")
	find := func(filter map[string][]string) (names []string) {
		t.Helper()
		p, err := s.Devices(t.Context(), admin, Query{Filter: filter, Sort: []string{"name"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Items {
			names = append(names, fmt.Sprint(r.Name, " ", r.OSLife, " ", r.OSUntil))
		}
		return names
	}
	equal(t, "version 12", find(map[string][]string{"os_version": {"12"}}), "h0 upcoming "+day(90), "h1 upcoming "+day(90), "h4 unknown ")
	equal(t, "Debian 12", find(map[string][]string{"os_version": {"12"}, "os": {"Debian"}}), "h0 upcoming "+day(90), "h1 upcoming "+day(90))
	equal(t, "ended", find(map[string][]string{"os_life": {"ended"}}), "h2 ended "+day(-400))
	equal(t, "supported or not known", find(map[string][]string{"os_life": {"supported", "unknown"}}), "h3 supported "+day(900), "h4 unknown ", "h5 unknown ")
	if _, err := s.Devices(t.Context(), admin, Query{Filter: map[string][]string{"os_life": {"never"}}}, nil); err == nil {
		t.Error("a life that there is not")
	}
	systems, err := s.OperatingSystems(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range systems {
		got = append(got, fmt.Sprint(r.Platform, " ", r.Version, " ", r.Life, " ", r.Devices))
	}
	equal(t, "releases", got, "Alpine 12 unknown 1", "Debian 9 ended 1", "Debian 12 upcoming 2", "Debian 13 supported 1", "Debian 14 unknown 1")
	none := admin
	none.Groups = []exposure.Group{9}
	if systems, err := s.OperatingSystems(t.Context(), none); len(systems) != 0 || err != nil {
		t.Errorf("of no device group: %v, %v", systems, err)
	}
}

// A weakness that counts nowhere and of which the feed does not know on some
// device is neither exposed nor not.
func TestWeaknessesOfUnknownExposure(t *testing.T) {
	s := testServer(t)
	newReport(s, enrol(t, s, "a")).send(t, "openssl 3.0.1-1", "bash 5.2-1")
	load(t, s, "tracker-2026-01-01.json", "openssl CVE-2024-0001 open", "openssl CVE-2024-0002 undetermined", "bash CVE-2024-0003 undetermined", "openssl CVE-2024-0003 open", "bash CVE-2024-0004 resolved 0")
	for value, want := range map[string][]string{"true": {"CVE-2024-0001", "CVE-2024-0003"}, "unknown": {"CVE-2024-0002"}, "false": nil} {
		p, err := s.Weaknesses(t.Context(), admin, Query{Filter: map[string][]string{"exposed": {value}}, Sort: []string{"id"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range p.Items {
			got = append(got, r.ID)
			if r.Unknown != (value == "unknown") {
				t.Errorf("%s: exposure unknown is %v", r.ID, r.Unknown)
			}
		}
		equal(t, value, got, want...)
	}
}

// What is told of a weakness says what its exploits can do, once there are any.
func TestKindsOfExploits(t *testing.T) {
	s := testServer(t)
	r := newReport(s, enrol(t, s, "a"))
	r.send(t, "bash 5.2-1")
	r.sendPython(t, "django 3.2.1")
	path := filepath.Join(t.TempDir(), "CVE-2024-0001.json")
	doc := `{"schema_version": "1.6.0", "id": "CVE-2024-0001", "modified": "2026-01-01T00:00:00Z", "published": "2026-01-01T00:00:00Z", "details": "A flaw.",
		"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],
		"affected": [{"package": {"ecosystem": "PyPI", "name": "django"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}`
	if err := os.WriteFile(path, []byte(doc), 0o600); err != nil {
		t.Fatal(err)
	}
	importFile(t, s, path)
	told := func() (kinds []string) {
		t.Helper()
		w, err := s.Weakness(t.Context(), admin, "CVE-2024-0001")
		if err != nil {
			t.Fatal(err)
		}
		d, err := s.DeviceVuln(t.Context(), admin, string(r.id), "CVE-2024-0001")
		if err != nil || !slices.Equal(w.Weakness.ExploitTypes, d.Weakness.ExploitTypes) {
			t.Fatalf("on the device %v, over all %v, %v", d.Weakness.ExploitTypes, w.Weakness.ExploitTypes, err)
		}
		return w.Weakness.ExploitTypes
	}
	equal(t, "nobody exploits it", told())
	importFile(t, s, writeKEV(t, "CVE-2024-0001"))
	equal(t, "it is exploited", told(), "Remote", "Denial of service")
}
