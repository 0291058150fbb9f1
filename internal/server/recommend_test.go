package server

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/group"
	"github.com/picketsec/picket/internal/inventory"
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

// A recommendation names the platforms of the devices that are exposed, of those
// that are looked at; a device that is fixed or has another system takes its
// platform along.
func TestRecommendationsNameThePlatformsOfExposedDevices(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	load(t, s, "tracker.json", opensslFix)
	python := filepath.Join(t.TempDir(), "osv.json")
	if err := os.WriteFile(python, []byte(`{"id":"GHSA-aaaa-bbbb-cccc","aliases":["CVE-2024-0009"],"modified":"2024-01-01T00:00:00Z","published":"2024-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"PyPI","name":"lib"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2"}]}]}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	importFile(t, s, python)
	debian, ubuntu := newReport(s, enrol(t, s, "debian")), newReport(s, enrol(t, s, "ubuntu"))
	ubuntu.os = inventory.OS{ID: "ubuntu", VersionID: "24.04", PrettyName: "Ubuntu 24.04", Family: "linux", Arch: "amd64", Hostname: "h2"}
	for _, r := range []*report{debian, ubuntu} {
		r.send(t, "bash 5.2")
		r.sendPython(t, "lib 1")
	}
	const lib = "va-_-pypi-_-lib"
	want := func(when string, want ...string) {
		t.Helper()
		p, err := s.Recommendations(t.Context(), admin, Query{Filter: map[string][]string{"component": {"lib"}}}, nil)
		if err != nil || len(p.Items) != min(1, len(want)) {
			t.Fatalf("%s: %+v, %v", when, p.Items, err)
		}
		one, err := s.Recommendation(t.Context(), admin, lib)
		of, errOf := s.SoftwareRecommendations(t.Context(), admin, "pypi-_-lib", Query{})
		if len(want) > 0 && (errOf != nil || len(of.Items) != 1 || !slices.Equal(of.Items[0].Platforms, want)) {
			t.Errorf("%s: of the product %+v, %v, want %v", when, of.Items, errOf, want)
		}
		if len(want) > 0 && (err != nil || !slices.Equal(p.Items[0].Platforms, want) || !slices.Equal(one.Platforms, want)) {
			t.Errorf("%s: list %v, one %v, want %v, %v", when, p.Items[0].Platforms, one.Platforms, want, err)
		}
	}
	want("both", "Debian", "Ubuntu")
	mustTag(t, s, ubuntu.id, []string{"web"}, nil)
	web := admin
	web.Groups = []exposure.Group{mustGroup(t, s, 0, "Web servers", on(group.Tag, group.Equals, "web"))}
	if r, err := s.Recommendation(t.Context(), web, lib); err != nil || !slices.Equal(r.Platforms, []string{"Ubuntu"}) {
		t.Errorf("of a group %v, %v", r.Platforms, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir)
	t.Cleanup(func() { _ = s.Close() })
	debian.s, ubuntu.s = s, s
	want("after a restart", "Debian", "Ubuntu")
	debian.sendPython(t, "lib 2")
	want("one is fixed", "Ubuntu")
	ubuntu.os = inventory.OS{ID: "debian", VersionID: "12", PrettyName: "Debian GNU/Linux 12 (bookworm)", Family: "linux", Arch: "amd64", Hostname: "h2"}
	ubuntu.send(t, "bash 5.2")
	want("the other has another system", "Debian")
	ubuntu.sendPython(t, "lib 2")
	want("both are fixed")
	p, err := s.Recommendations(t.Context(), admin, Query{Filter: map[string][]string{"type": {RemedyConfigure}}, Limit: 1}, nil)
	if err != nil || len(p.Items) != 1 || !slices.Equal(p.Items[0].Platforms, []string{"Debian"}) {
		t.Errorf("a setting: %+v, %v", p.Items, err)
	}
}

// Recommendations are found by the id of a weakness that they close, or are about,
// and by the platform of the devices; of both only in what the caller looks at.
func TestRecommendationsByWeaknessAndPlatform(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker.json", opensslFix, "curl CVE-2024-0004 open")
	give(t, s, "osv.json", `{"id":"GHSA-aaaa-bbbb-cccc","aliases":["CVE-2024-0009"],"modified":"2024-01-01T00:00:00Z","published":"2024-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"PyPI","name":"lib"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2"}]}]}]}`)
	debian, ubuntu := newReport(s, enrol(t, s, "debian")), newReport(s, enrol(t, s, "ubuntu"))
	ubuntu.os = inventory.OS{ID: "ubuntu", VersionID: "24.04", PrettyName: "Ubuntu 24.04", Family: "linux", Arch: "amd64", Hostname: "h2"}
	debian.send(t, "openssl 3.0.11-1~deb12u1", "curl 7.88.1-10+deb12u5")
	ubuntu.send(t, "bash 5.2")
	ubuntu.sendPython(t, "lib 1")
	mustTag(t, s, ubuntu.id, []string{"web"}, nil)
	web := admin
	web.Groups = []exposure.Group{mustGroup(t, s, 0, "Web servers", on(group.Tag, group.Equals, "web"))}
	software := map[string][]string{"weaknesses": {"true"}}
	const openssl, curl, lib = "va-_-debian-_-openssl", "va-_-debian-_-curl-_-attentionrequired", "va-_-pypi-_-lib"
	for name, c := range map[string]struct {
		who  Caller
		q    Query
		want []string
	}{
		"a weakness":                    {admin, Query{Text: "CVE-2024-0001"}, []string{openssl}},
		"whatever the case":             {admin, Query{Text: " cve-2024-0001 "}, []string{openssl}},
		"without a fix":                 {admin, Query{Text: "CVE-2024-0004"}, []string{curl}},
		"by another id":                 {admin, Query{Text: "GHSA-aaaa-bbbb-cccc"}, []string{lib}},
		"a part of an id":               {admin, Query{Text: "CVE-2024-000"}, nil},
		"one that no device has":        {admin, Query{Text: "CVE-2024-0007"}, nil},
		"of devices not looked at":      {web, Query{Text: "CVE-2024-0001"}, nil},
		"of devices looked at":          {web, Query{Text: "CVE-2024-0009"}, []string{lib}},
		"text and filter":               {admin, Query{Text: "CVE-2024-0001", Filter: map[string][]string{"type": {RemedyAttention}}}, nil},
		"with weaknesses":               {admin, Query{Filter: software}, []string{openssl, curl, lib}},
		"a platform":                    {admin, Query{Filter: map[string][]string{"os": {"Ubuntu"}, "weaknesses": {"true"}}}, []string{lib}},
		"two platforms":                 {admin, Query{Filter: map[string][]string{"os": {"Ubuntu", "Debian"}, "weaknesses": {"true"}}}, []string{openssl, curl, lib}},
		"a platform that is not looked": {web, Query{Filter: map[string][]string{"os": {"Debian"}}}, nil},
		"by platform":                   {admin, Query{Filter: software, Sort: []string{"-os", "name"}}, []string{lib, curl, openssl}},
		"by vendor":                     {admin, Query{Filter: software, Sort: []string{"vendor", "-version"}}, []string{openssl, curl, lib}},
	} {
		p, err := s.Recommendations(t.Context(), c.who, c.q, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for _, r := range p.Items {
			got = append(got, r.ID)
		}
		if len(c.q.Sort) == 0 {
			slices.Sort(got)
			slices.Sort(c.want)
		}
		equal(t, name, got, c.want...)
	}
	p, err := s.Recommendations(t.Context(), admin, Query{Filter: map[string][]string{"weaknesses": {"false"}, "type": {RemedyUpdate}}}, nil)
	if err != nil || p.Total != 0 {
		t.Errorf("updates that close nothing: %+v, %v", p.Items, err)
	}
	if of, err := s.SoftwareRecommendations(t.Context(), admin, "debian-_-openssl", Query{Text: "cve-2024-0001"}); err != nil || len(of.Items) != 1 {
		t.Errorf("of a product: %+v, %v", of.Items, err)
	}
}

// A bug is less than one that is verified, that less than one of a kit; then the
// catalogue of known exploits, ransomware, alerts and EPSS decide.
func TestThreatsInOrder(t *testing.T) {
	rising := []Threats{{Exploit: advisory.NoExploit}, {Exploit: advisory.NoExploit, EPSS: 0.9}, {Exploit: advisory.NoExploit, Alerts: 1}, {Exploit: advisory.NoExploit, Ransom: true}, {Exploit: advisory.NoExploit, KEV: true},
		{Exploit: advisory.NoExploit, KEV: true, Ransom: true}, {Exploit: advisory.ExploitPublic}, {Exploit: advisory.ExploitPublic, KEV: true}, {Exploit: advisory.ExploitVerified}, {Exploit: advisory.ExploitInKit}}
	for i, a := range rising {
		for j, b := range rising {
			if got := graver(a, b); got != cmp.Compare(i, j) {
				t.Errorf("%+v to %+v: %d", a, b, got)
			}
		}
	}
}
