package exposure

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/version"
)

// One host, one weakness in two sources with three binaries: every count says
// of what, and they differ.
func TestCountsSayOfWhat(t *testing.T) {
	t.Parallel()
	in := newMemory()
	for _, source := range []string{"openssl", "nodejs"} {
		in.add(advisory.Key{Ecosystem: "Debian", Release: "12", Name: source}, advisory.Statement{Advisory: "CVE-2024-0001",
			Weaknesses: []string{"CVE-2024-0001"}, Feed: "debian-tracker", State: advisory.Open}, time.Time{})
	}
	p := Profile(sections(debian12, `Package: libssl3
Status: install ok installed
Source: openssl
Version: 3.0.15-1
Architecture: amd64

Package: openssl
Status: install ok installed
Version: 3.0.15-1
Architecture: amd64

Package: nodejs
Status: install ok installed
Version: 18.19.0-1
Architecture: amd64
`))
	f := NewFleet(func(string) Rating { return Rating{} })
	pairs, binaries := 0, 0
	var ids []ComponentID
	for i, a := range assessAll(t, p, in) {
		id, _ := f.Intern(p.Uses[i].Component)
		f.SetAssessment(id, &a)
		ids = append(ids, id)
		pairs += len(a.Matches)
		binaries += len(a.Matches) * len(p.Uses[i].Evidence)
	}
	f.SetDevice(0, ids)
	if got := [3]int{int(f.DeviceCounts(0).Weaknesses), pairs, binaries}; got != [3]int{1, 2, 3} {
		t.Errorf("weaknesses, (weakness, source), (weakness, binary) = %v, want 1, 2, 3", got)
	}
}

// The order in which feeds were loaded does not matter.
func TestAssessOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := advisory.Key{Ecosystem: "Debian", Release: "12", Name: "p"}
		versions := []string{"1-1", "1-2", "2:1-1", "/"}
		feedNames := []string{"debian-tracker", "osv/Debian", "debian-dsa", "demo"}
		states := []advisory.State{advisory.Fixed, advisory.Open, advisory.NoDSA, advisory.NotAffect, advisory.Unimportant, advisory.Undetermined}
		var list []advisory.Statement
		for i := range rapid.IntRange(0, 12).Draw(t, "n") {
			s := advisory.Statement{Feed: rapid.SampledFrom(feedNames).Draw(t, "feed"), State: rapid.SampledFrom(states).Draw(t, "state"), Advisory: fmt.Sprintf("DSA-%d-1", i)}
			for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(1, 3), 1, 3, rapid.ID).Draw(t, "flaws") {
				s.Weaknesses = append(s.Weaknesses, fmt.Sprintf("CVE-2024-000%d", n))
			}
			if rapid.Bool().Draw(t, "bounded") {
				s.Ranges = append(s.Ranges, version.Range{Fixed: rapid.SampledFrom(versions).Draw(t, "fixed")})
			}
			list = append(list, s)
		}
		c := Component{Key: key, Version: rapid.SampledFrom(versions[:3]).Draw(t, "version"), Role: rapid.SampledFrom([]Role{Plain, KernelRunning, InMemory}).Draw(t, "role")}
		if c.Role != Plain {
			c.Disk = rapid.SampledFrom(versions[:3]).Draw(t, "disk")
		}
		assess := func(list []advisory.Statement) Assessment {
			in := newMemory()
			in.cover("Debian", "12", "debian-tracker", time.Time{})
			in.statements[key] = list
			in.rejected["CVE-2024-0003"] = true
			a, err := Assess(c, in)
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		first := assess(list)
		if diff := cmp.Diff(first, assess(rapid.Permutation(slices.Clone(list)).Draw(t, "order"))); diff != "" {
			t.Fatalf("another order gives (-first +second):\n%s", diff)
		}
		last := ""
		for _, m := range first.Matches {
			if m.Weakness <= last || m.Weakness == "CVE-2024-0003" {
				t.Fatalf("match %q after %q", m.Weakness, last)
			}
			last = m.Weakness
			if (m.State == "unimportant" || m.State == "undetermined") == m.Exposed {
				t.Fatalf("state %q, exposed %v", m.State, m.Exposed)
			}
		}
	})
}

type broken struct{ *memory }

func (broken) Statements(advisory.Key) ([]advisory.Statement, error) {
	return nil, errors.New("disk is gone")
}

// An intelligence that cannot be read is an error, never "nothing known".
func TestAssessError(t *testing.T) {
	t.Parallel()
	in := newMemory()
	in.cover("Debian", "12", "debian-tracker", time.Time{})
	_, err := Assess(Component{Key: advisory.Key{Ecosystem: "Debian", Release: "12", Name: "p"}, Version: "1"}, broken{in})
	if err == nil {
		t.Fatal("no error")
	}
}

func TestDistro(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		os              inventory.OS
		eco, release, v string
		problem         bool
	}{
		{inventory.OS{ID: "debian", VersionID: "12"}, "Debian", "12", "debian", false},
		{inventory.OS{ID: "debian", Codename: "trixie"}, "Debian", "13", "debian", false},
		{inventory.OS{ID: "debian", Codename: "sid"}, "Debian", "sid", "debian", false},
		{inventory.OS{ID: "debian"}, "Debian", "", "debian", true},
		{inventory.OS{ID: "ubuntu", VersionID: "22.04"}, "Ubuntu", "22.04", "ubuntu", false},
		{inventory.OS{ID: "alpine", VersionID: "3.19.1"}, "Alpine", "3.19", "alpine", false},
		{inventory.OS{ID: "alpine", VersionID: "3.21_alpha20240807"}, "Alpine", "edge", "alpine", false},
		{inventory.OS{ID: "almalinux", VersionID: "9.4"}, "AlmaLinux", "9", "almalinux", false},
		{inventory.OS{ID: "rocky", VersionID: "8.10"}, "Rocky Linux", "8", "rocky", false},
		{inventory.OS{ID: "rhel", VersionID: "9.4"}, "Red Hat", "9", "red_hat", false},
		{inventory.OS{ID: "ol", VersionID: "9.3"}, "Oracle Linux", "9", "oracle_linux", false},
		{inventory.OS{ID: "fedora", VersionID: "41"}, "Fedora", "41", "fedora", false},
		{inventory.OS{ID: "amzn", VersionID: "2023"}, "Amazon Linux", "2023", "amazon_linux", false},
		{inventory.OS{ID: "opensuse-leap", VersionID: "15.6"}, "openSUSE", "15.6", "opensuse", false},
		{inventory.OS{ID: "opensuse-tumbleweed", VersionID: "20260101"}, "openSUSE", "tumbleweed", "opensuse", false},
		{inventory.OS{ID: "sles", VersionID: "15.5"}, "SUSE", "15.5", "suse", false},
		{inventory.OS{ID: "azurelinux", VersionID: "3.0"}, "Azure Linux", "3", "azure_linux", false},
		{inventory.OS{ID: "wolfi", VersionID: "20230201"}, "Wolfi", "", "wolfi", false},
		{inventory.OS{ID: "raspbian", IDLike: []string{"debian"}, VersionID: "12"}, "", "12", "raspbian", true},
		{inventory.OS{ID: "gentoo"}, "", "", "gentoo", true},
		{inventory.OS{}, "", "", "unknown", true},
	} {
		d := distroOf(tt.os)
		if d.ecosystem != tt.eco || d.release != tt.release || d.vendor != tt.v || (d.problem != "") != tt.problem {
			t.Errorf("%+v: %q %q vendor %q problem %q, want %q %q %q %v", tt.os, d.ecosystem, d.release, d.vendor, d.problem, tt.eco, tt.release, tt.v, tt.problem)
		}
		if tt.eco != "" && !version.Known(tt.eco) {
			t.Errorf("%s has no order of versions", tt.eco)
		}
	}
}

func TestBackport(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		v, release, bare string
		ok               bool
	}{
		{"6.12.9-1~bpo12+1", "13", "6.12.9-1", true},
		{"2.0-1~bpo9+2", "10", "2.0-1", true},
		{"2.0-1~bpo70+1", "8", "2.0-1", true},
		{"2.0-1", "", "2.0-1", false},
		{"2.0-1~bpo12", "", "2.0-1~bpo12", false},
		{"2.0-1~bpo+1", "", "2.0-1~bpo+1", false},
		{"2.0-1~bpo12+x", "", "2.0-1~bpo12+x", false},
		{"2.0-1~bpo99999999999999999999+1", "", "2.0-1~bpo99999999999999999999+1", false},
	} {
		release, bare, ok := backport(tt.v)
		if release != tt.release || bare != tt.bare || ok != tt.ok {
			t.Errorf("backport(%q) = %q, %q, %v", tt.v, release, bare, ok)
		}
	}
}
