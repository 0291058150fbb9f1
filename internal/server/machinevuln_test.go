package server

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/picketsec/picket/internal/inventory"
)

// TestMachineVulns: every (device, weakness, product) that counts, in order,
// with the advisory that announced the fix, from any place on.
func TestMachineVulns(t *testing.T) {
	s := testServer(t)
	var ids []inventory.DeviceID
	for _, name := range []string{"a", "b"} {
		id := enrol(t, s, name)
		ids = append(ids, id)
		newReport(s, id).send(t, "libssl3 3.0.1-1 openssl", "bash 5.2-1", "zlib1g 1:1-1 zlib")
	}
	load(t, s, "tracker-2026-01-01.json", "openssl CVE-2024-0001 resolved 3.0.2-1", "openssl CVE-2024-0002 open", "bash CVE-2024-0003 resolved 5.3-1",
		"zlib CVE-2024-0003 resolved 1:1-2", "zlib CVE-2024-0004 resolved 0")
	list := filepath.Join(t.TempDir(), "list")
	text := "[03 Jan 2026] DSA-6000-2 openssl - regression update\n\t{CVE-2024-0001}\n\t[bookworm] - openssl 3.0.2-1\n" +
		"[01 Jan 2026] DSA-6000-1 openssl - security update\n\t{CVE-2024-0001 CVE-2024-0002}\n\t[bookworm] - openssl 3.0.2-1\n"
	if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	importFile(t, s, list)

	ask := func(q MachineVulnQuery) (rows []MachineVuln, short []string) {
		t.Helper()
		q.Limit = 100
		page, err := s.MachineVulns(t.Context(), admin, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Rows {
			rows = append(rows, v)
			short = append(short, fmt.Sprintf("%d %s %s-%s %s [%s]", slices.Index(ids, v.Device), v.CVE, v.Vendor, v.Product, v.Version, v.FixingID))
		}
		return rows, short
	}
	want := []string{
		"0 CVE-2024-0001 debian-openssl 3.0.1-1 [DSA-6000-2]", "0 CVE-2024-0002 debian-openssl 3.0.1-1 []",
		"0 CVE-2024-0003 debian-bash 5.2-1 []", "0 CVE-2024-0003 debian-zlib 1:1-1 []",
		"1 CVE-2024-0001 debian-openssl 3.0.1-1 [DSA-6000-2]", "1 CVE-2024-0002 debian-openssl 3.0.1-1 []",
		"1 CVE-2024-0003 debian-bash 5.2-1 []", "1 CVE-2024-0003 debian-zlib 1:1-1 []",
	}
	all, got := ask(MachineVulnQuery{})
	equal(t, "all", got, want...)
	for i := range all {
		_, got := ask(MachineVulnQuery{After: &all[i]})
		equal(t, fmt.Sprintf("after row %d", i), got, want[i+1:]...)
	}
	_, got = ask(MachineVulnQuery{Device: ids[1]})
	equal(t, "of a device", got, want[4:]...)
	_, got = ask(MachineVulnQuery{Weakness: "CVE-2024-0003"})
	equal(t, "of a weakness", got, want[2], want[3], want[6], want[7])
	_, got = ask(MachineVulnQuery{Device: ids[1], Weakness: "CVE-2024-0003", After: &all[6]})
	equal(t, "the last row", got, want[7])
	_, got = ask(MachineVulnQuery{Device: inventory.DeviceID("nothing")})
	equal(t, "of no device", got)
	if _, err := s.MachineVulns(t.Context(), Caller{}, MachineVulnQuery{}); !errors.Is(err, ErrDenied) {
		t.Errorf("without permission: %v", err)
	}
}

// What the index counts is what is yielded, also where rows cannot tell components apart.
func TestMachineVulnsCounted(t *testing.T) {
	s := testServer(t)
	for i, name := range []string{"a", "b", "c"} {
		packages := []string{"libssl3 3.0.1-1 openssl", "bash 5.2-1"}
		newReport(s, enrol(t, s, name)).send(t, packages[:1+i%2]...)
	}
	r := newReport(s, enrol(t, s, "kernel"))
	kernel := func(version string) inventory.Package {
		return inventory.Package{Ecosystem: inventory.EcoDebian, Name: "linux-image-" + version, Version: "6.1-1", Arch: "amd64", Source: "linux", SourceVersion: "6.1-1"}
	}
	dpkg := oneItem(inventory.DPKG, "a", kernel("6.1.0-1-amd64"))
	dpkg.Put("b", kernel("6.1.0-2-amd64"))
	r.sections(t, oneItem(inventory.OSSection, "os", inventory.OS{ID: "debian", VersionID: "12", Codename: "bookworm", Family: "linux", Arch: "amd64", Hostname: "k"}), dpkg,
		oneItem(inventory.Restart, "r", inventory.RestartNeed{Package: "libssl3", RunningVersion: "3.0.1-1"}))
	load(t, s, "tracker-2026-01-01.json", "openssl CVE-2024-0001 resolved 3.0.2-1", "openssl CVE-2024-0002 open", "bash CVE-2024-0003 open", "linux CVE-2024-0002 open")
	for _, weakness := range []string{"", "CVE-2024-0002", "CVE-2099-1"} {
		for name, where := range map[string]*MachineVulnCondition{"all": nil, "openssl": {Row: func(v *MachineVuln) bool { return v.Product == "openssl" }}} {
			want := 0
			for v := range s.core.machineVulnRows(t.Context(), admin, &MachineVulnQuery{Weakness: weakness}, nil) {
				if where.Holds(&v) {
					want++
				}
			}
			page, err := s.MachineVulns(t.Context(), admin, MachineVulnQuery{Weakness: weakness, Where: where, Count: true})
			if page.Total != want || err != nil || len(page.Rows) > 0 || weakness != "CVE-2099-1" && want == 0 {
				t.Errorf("%s %q: counted %d, want %d, %v", name, weakness, page.Total, want, err)
			}
		}
	}
}

// What nobody knows is not found, what is known and nowhere is an empty list.
func TestDevicesOfAWeakness(t *testing.T) {
	s := testServer(t)
	newReport(s, enrol(t, s, "a")).send(t, "libssl3 3.0.1-1 openssl")
	load(t, s, "tracker-2026-01-01.json", "openssl CVE-2024-0001 open", "bash CVE-2024-0002 open")
	for id, devices := range map[string]int{"CVE-2024-0001": 1, "CVE-2024-0002": 0, "CVE-2024-9999": -1} {
		p, err := s.WeaknessDevices(t.Context(), admin, id, Query{})
		_, err2 := s.WeaknessSoftware(t.Context(), admin, id, Query{})
		if missing := devices < 0; errors.Is(err, ErrNotFound) != missing || errors.Is(err2, ErrNotFound) != missing || !missing && p.Total != devices {
			t.Errorf("%s: %d devices, %v, %v, want %d", id, p.Total, err, err2, devices)
		}
	}
}
