package sbom_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/agent/collect"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/sbom"
	"github.com/picketsec/picket/internal/version"
)

// everything is intelligence that knows of every package a weakness of its own
// without a fix, and one that only this version or an earlier one has.
type everything struct{ fixed map[advisory.Key]string }

func (in everything) Statements(k advisory.Key) ([]advisory.Statement, error) {
	list := []advisory.Statement{{Feed: "test", Advisory: "A", State: advisory.Open, Weaknesses: []string{"open of " + k.String()}}}
	if v := in.fixed[k]; v != "" {
		list = append(list, advisory.Statement{Feed: "test", Advisory: "B", State: advisory.Fixed, Weaknesses: []string{"fixed of " + k.String()}, Ranges: []version.Range{{Fixed: v}}})
	}
	return list, nil
}

func (everything) Coverage(string, string) []advisory.Coverage {
	return []advisory.Coverage{{Feed: "test"}}
}
func (everything) Canonical(id string) string { return id }
func (everything) Rejected(string) bool       { return false }

// findings are (weakness, product, version, state) of a device, and what is
// not assessed of it.
func findings(t *testing.T, sections map[inventory.SectionName]*inventory.Section, in everything) (found, open []string) {
	t.Helper()
	for _, u := range exposure.Profile(sections).Uses {
		a, err := exposure.Assess(u.Component, in)
		if err != nil {
			t.Fatal(err)
		}
		if a.Unassessed != "" {
			open = append(open, u.Component.ID()+" "+u.Component.Version)
		}
		for _, m := range a.Matches {
			found = append(found, fmt.Sprintf("%s | %s | %s | %s", m.Weakness, u.Component.ID(), u.Component.Version, m.State))
		}
	}
	slices.Sort(found)
	slices.Sort(open)
	return found, slices.Compact(open)
}

// collectAll inventories a tree with the agent's own collectors, as --root does.
func collectAll(t *testing.T, files fs.FS) map[inventory.SectionName]*inventory.Section {
	t.Helper()
	out := map[inventory.SectionName]*inventory.Section{}
	for _, c := range collect.All() {
		out[c.Name] = collect.Run(context.Background(), c, collect.Host{FS: files, Now: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)}, collect.DefaultLimits())
	}
	return out
}

// tree is a root file system from a script of the collectors, with a Go binary.
func tree(t *testing.T, scripts ...string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	for _, s := range scripts {
		a, err := txtar.ParseFile("../agent/collect/testdata/" + s + ".txtar")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			name, link, isLink := strings.Cut(f.Name, " -> ")
			name, ok := strings.CutPrefix(name, "root/")
			if !ok || strings.Contains(name, "apt/") || strings.Contains(name, "dpkg/updates") {
				continue
			}
			if old := files[name]; old != nil && strings.HasSuffix(name, "dpkg/status") {
				old.Data = slices.Concat(old.Data, []byte("\n"), f.Data)
				continue
			}
			if isLink {
				files[name] = &fstest.MapFile{Data: []byte(link), Mode: fs.ModeSymlink | 0o777}
				continue
			}
			files[name] = &fstest.MapFile{Data: f.Data, Mode: 0o644, ModTime: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
		}
	}
	if f := files["var/lib/dpkg/status"]; f != nil { // its file list is in languages.txtar
		f.Data = append(f.Data, "\n\nPackage: node-semver\nStatus: install ok installed\nArchitecture: all\nVersion: 7.3.5+~7.3.9-2\n"...)
	}
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	files["opt/tool/bin/tool"] = &fstest.MapFile{Data: self, Mode: 0o755}
	return files
}

// packagesOf are the packages of a device in the order of its sections,
// without those that a scanner does not list: removed ones.
func packagesOf(t *testing.T, sections map[inventory.SectionName]*inventory.Section) (list []inventory.Package, in []inventory.SectionName) {
	t.Helper()
	for _, n := range inventory.PackageSections {
		if s := sections[n]; s != nil {
			got, bad := inventory.Decode[inventory.Package](s)
			if len(bad) > 0 {
				t.Fatalf("section %s: %v", n, bad)
			}
			for _, p := range got {
				if !p.Residual {
					list, in = append(list, p), append(in, n)
				}
			}
		}
	}
	return list, in
}

type object = map[string]any

func prop(name, value string) object { return object{"name": name, "value": value} }

// syft writes packages as Syft's CycloneDX does, by its documentation.
func syft(os inventory.OS, list []inventory.Package) any {
	var parts []any
	for i, p := range list {
		purl, version := exposure.PURL(os, p), p.Version
		c := object{"bom-ref": fmt.Sprintf("%d", i), "type": "library", "name": p.Name, "version": version, "purl": purl}
		props := []any{prop("syft:package:type", p.Ecosystem)}
		for n, at := range p.Paths {
			props = append(props, prop(fmt.Sprintf("syft:location:%d:path", n), at))
		}
		if p.Ecosystem == inventory.EcoRPM {
			c["publisher"] = p.Vendor
		}
		if p.Ecosystem == inventory.EcoMaven {
			c["group"], c["name"], _ = strings.Cut(p.Name, ":")
		}
		c["properties"] = props
		parts = append(parts, c)
	}
	parts = append(parts, object{"type": "operating-system", "name": os.ID, "version": os.VersionID, "properties": []any{
		prop("syft:distro:id", os.ID), prop("syft:distro:versionID", os.VersionID), prop("syft:distro:versionCodename", os.Codename)}})
	return object{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": parts,
		"metadata": object{"tools": object{"components": []any{object{"name": "syft"}}}, "component": object{"name": "x", "type": "container"}}}
}

// trivy writes packages as Trivy's CycloneDX does, by its documentation. It
// leaves out language packages that the distribution owns.
func trivy(os inventory.OS, list []inventory.Package) any {
	family := map[string]string{"rhel": "redhat", "almalinux": "alma"}[os.ID]
	if family == "" {
		family = os.ID
	}
	var parts []any
	for i, p := range list {
		bare := p
		bare.Source, bare.SourceVersion = "", ""
		c := object{"bom-ref": fmt.Sprintf("%d", i), "type": "library", "name": p.Name, "version": strings.TrimPrefix(p.Version, "0:"), "purl": exposure.PURL(os, bare)}
		props := []any{prop("aquasecurity:trivy:PkgType", family)}
		switch p.Ecosystem {
		case inventory.EcoDebian, inventory.EcoRPM:
			epoch, v, ok := strings.Cut(p.SourceVersion, ":")
			if !ok {
				epoch, v = "", p.SourceVersion
			}
			props = append(props, prop("aquasecurity:trivy:SrcName", p.Source))
			if at := strings.LastIndexByte(v, '-'); at > 0 {
				props = append(props, prop("aquasecurity:trivy:SrcVersion", v[:at]), prop("aquasecurity:trivy:SrcRelease", v[at+1:]))
			} else {
				props = append(props, prop("aquasecurity:trivy:SrcVersion", v))
			}
			if epoch != "" && epoch != "0" {
				props = append(props, prop("aquasecurity:trivy:SrcEpoch", epoch))
			}
			if p.Module != "" {
				props = append(props, prop("aquasecurity:trivy:Modularitylabel", p.Module+":1:2"))
			}
			c["supplier"] = object{"name": p.Vendor}
		case inventory.EcoAlpine:
			props = append(props, prop("aquasecurity:trivy:SrcName", p.Source), prop("aquasecurity:trivy:SrcVersion", p.SourceVersion))
		default:
			if p.Source != "" {
				continue
			}
			if len(p.Paths) > 0 {
				props = append(props, prop("aquasecurity:trivy:FilePath", strings.TrimPrefix(p.Paths[0], "/")))
			}
			if p.Ecosystem == inventory.EcoMaven {
				c["group"], c["name"], _ = strings.Cut(p.Name, ":")
			}
		}
		c["properties"] = props
		parts = append(parts, c)
	}
	parts = append(parts, object{"type": "operating-system", "name": family, "version": os.VersionID, "properties": []any{
		prop("aquasecurity:trivy:Class", "os-pkgs"), prop("aquasecurity:trivy:Type", family)}})
	return object{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": parts,
		"metadata": object{"tools": []any{object{"vendor": "aquasecurity", "name": "trivy"}}, "component": object{"name": "x", "type": "container"}}}
}

// spdx writes packages as SPDX 2.3 with the purl alone, as Syft does.
func spdx(os inventory.OS, list []inventory.Package) any {
	var parts, rel []any
	for i, p := range list {
		id := fmt.Sprintf("SPDXRef-%d", i)
		q := object{"SPDXID": id, "name": p.Name, "versionInfo": p.Version, "downloadLocation": "NOASSERTION",
			"externalRefs": []any{object{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": exposure.PURL(os, p)}}}
		if p.Vendor != "" {
			q["supplier"] = "Organization: " + p.Vendor
		}
		parts = append(parts, q)
		if !slices.Contains([]string{inventory.EcoDebian, inventory.EcoRPM, inventory.EcoAlpine}, p.Ecosystem) && p.Source != "" {
			for j, o := range list {
				if o.Name == p.Source && o.Ecosystem == inventory.EcoDebian {
					rel = append(rel, object{"spdxElementId": fmt.Sprintf("SPDXRef-%d", j), "relatedSpdxElement": id, "relationshipType": "OTHER", "comment": "ownership-by-file-overlap: x"})
				}
			}
		}
	}
	return object{"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "x", "packages": parts, "relationships": rel,
		"creationInfo": object{"creators": []string{"Tool: syft-1.18.1"}, "created": "2026-11-20T09:00:00Z"}}
}

// A bill of materials of a host finds what the agent finds on the host.
func TestSameFindingsAsTheAgent(t *testing.T) {
	t.Parallel()
	rpm := map[inventory.SectionName]*inventory.Section{
		inventory.OSSection: section(inventory.OSSection, "os", inventory.OS{ID: "rocky", VersionID: "9.3", Family: "linux", Hostname: "r", Name: "Rocky Linux", PrettyName: "Rocky Linux 9.3"}),
		inventory.Kernel:    inventory.NewSection(inventory.Kernel, inventory.NotApplicable, "another root"),
		inventory.RPM: section(inventory.RPM, "", nil,
			inventory.Package{Ecosystem: "rpm", Name: "openssl-libs", Version: "1:3.0.7-25.el9_3", Arch: "x86_64", Source: "openssl", SourceVersion: "1:3.0.7-25.el9_3", Vendor: "Rocky Enterprise Software Foundation"},
			inventory.Package{Ecosystem: "rpm", Name: "audit-libs", Version: "3.0.7-104.el9", Arch: "x86_64", Source: "audit", SourceVersion: "3.0.7-104.el9", Vendor: "Rocky Enterprise Software Foundation"},
			inventory.Package{Ecosystem: "rpm", Name: "mod_ssl", Version: "1:2.4.57-5.el9", Arch: "x86_64", Source: "httpd", SourceVersion: "1:2.4.57-5.el9", Vendor: "Rocky Enterprise Software Foundation"},
			inventory.Package{Ecosystem: "rpm", Name: "docker-ce", Version: "3:25.0.1-1.el9", Arch: "x86_64", Source: "docker-ce", SourceVersion: "3:25.0.1-1.el9", Vendor: "Docker"},
			inventory.Package{Ecosystem: "rpm", Name: "kernel-core", Version: "5.14.0-362.8.1.el9_3", Arch: "x86_64", Source: "kernel", SourceVersion: "5.14.0-362.8.1.el9_3", Vendor: "Rocky Enterprise Software Foundation"},
			inventory.Package{Ecosystem: "rpm", Name: "php", Version: "8.1.27-1.module+el9.3.0+1", Arch: "x86_64", Source: "php", SourceVersion: "8.1.27-1.module+el9.3.0+1", Module: "php:8.1", Vendor: "Rocky Enterprise Software Foundation"}),
	}
	alma := map[inventory.SectionName]*inventory.Section{}
	for k, v := range rpm {
		alma[k] = v
	}
	alma[inventory.RPM] = section(inventory.RPM, "", nil,
		inventory.Package{Ecosystem: "rpm", Name: "openssl-libs", Version: "1:3.0.7-25.el9_3", Arch: "x86_64", Source: "openssl", SourceVersion: "1:3.0.7-25.el9_3", Vendor: "AlmaLinux"})
	alma[inventory.OSSection] = section(inventory.OSSection, "os", inventory.OS{ID: "almalinux", VersionID: "9.3", Family: "linux", Hostname: "r"})
	for _, host := range []struct {
		name     string
		sections map[inventory.SectionName]*inventory.Section
		least    int
	}{
		{"debian", collectAll(t, tree(t, "debian", "languages")), 30},
		{"alpine", collectAll(t, tree(t, "alpine")), 5},
		{"rocky", rpm, 5}, {"alma", alma, 1},
	} {
		list, _ := packagesOf(t, host.sections)
		o, _ := inventory.Decode[inventory.OS](host.sections[inventory.OSSection])
		in := everything{map[advisory.Key]string{}}
		for _, u := range exposure.Profile(host.sections).Uses {
			in.fixed[u.Component.Key] = u.Component.Version + "0"
		}
		want, wantOpen := findings(t, host.sections, in)
		if len(want) < host.least {
			t.Errorf("%s: the agent finds only %d", host.name, len(want))
		}
		for name, write := range map[string]func(inventory.OS, []inventory.Package) any{"syft": syft, "trivy": trivy, "spdx": spdx} {
			t.Run(host.name+"/"+name, func(t *testing.T) {
				raw, err := json.Marshal(write(o[0], list))
				if err != nil {
					t.Fatal(err)
				}
				doc, err := sbom.Decode(raw, "")
				if err != nil {
					t.Fatal(err)
				}
				got, gotOpen := findings(t, doc.Sections, in)
				want, wantOpen := slices.Clone(want), slices.Clone(wantOpen)
				if name == "syft" && host.name == "debian" {
					// Nobody owns these two, which CycloneDX has no way to say: not assessed, not lost.
					for _, id := range []string{"pypi-_-old-thing", "rubygems-_-json"} {
						want = slices.DeleteFunc(want, func(s string) bool { return strings.Contains(s, " | "+id+" | ") })
						i := slices.IndexFunc(gotOpen, func(s string) bool { return strings.HasPrefix(s, id+" ") })
						if i < 0 {
							t.Fatalf("%s is lost: %v", id, gotOpen)
						}
						wantOpen = append(wantOpen, gotOpen[i])
					}
				}
				if name == "trivy" { // writes no epoch of zero, which orders the same
					for i := range want {
						want[i] = strings.ReplaceAll(want[i], "| 0:", "| ")
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("findings (-agent +document):\n%s", diff)
				}
				for _, id := range gotOpen {
					if !slices.Contains(wantOpen, id) {
						t.Errorf("%s is not assessed, the agent's is", id)
					}
				}
				if doc.Unread > 0 {
					t.Errorf("%d components are not read: %s", doc.Unread, doc.Sections[inventory.SBOM].Reason)
				}
			})
		}
		for _, f := range []sbom.Format{sbom.CycloneDX, sbom.SPDX} {
			t.Run(host.name+"/round trip "+string(f), func(t *testing.T) { roundTrip(t, f, host.sections, in) })
		}
	}
}

func section(name inventory.SectionName, key string, v any, list ...inventory.Package) *inventory.Section {
	s := inventory.NewSection(name, inventory.Complete, "")
	if key != "" {
		s.Put(key, v)
	}
	for _, p := range list {
		s.Put(p.Name+"-"+p.Arch+"@"+p.Version, p)
	}
	s.Seal()
	return s
}

// systemOf is what the server writes of a device.
func systemOf(t *testing.T, sections map[inventory.SectionName]*inventory.Section) *sbom.System {
	t.Helper()
	return sbom.SystemOf("0123456789012345678901234567890123456789", "host-1", "test", sections, exposure.PURL)
}

// What is written and read again has the same findings and gaps, and equal
// systems give equal bytes.
func roundTrip(t *testing.T, f sbom.Format, sections map[inventory.SectionName]*inventory.Section, in everything) {
	var a, b bytes.Buffer
	for _, w := range []*bytes.Buffer{&a, &b} {
		if err := sbom.Encode(w, f, systemOf(t, sections)); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("two writings differ")
	}
	valid(t, f, a.Bytes())
	doc, err := sbom.Decode(a.Bytes(), "")
	if err != nil {
		t.Fatal(err)
	}
	want, wantOpen := findings(t, sections, in)
	got, gotOpen := findings(t, doc.Sections, in)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-agent +document):\n%s", diff)
	}
	if diff := cmp.Diff(wantOpen, gotOpen); diff != "" {
		t.Errorf("not assessed (-agent +document):\n%s", diff)
	}
}

// A kernel that runs, old files in memory and incomplete sections survive the
// round trip.
func TestRoundTripOfALiveHost(t *testing.T) {
	t.Parallel()
	sections := collectAll(t, tree(t, "debian"))
	kernel := inventory.NewSection(inventory.Kernel, inventory.Complete, "")
	kernel.Put("running", inventory.KernelFact{Release: "6.1.0-13-amd64", Package: "linux-image-6.1.0-13-amd64", PackageVersion: "6.1.55-1", Machine: "x86_64"})
	sections[inventory.Kernel] = kernel
	restart := inventory.NewSection(inventory.Restart, inventory.Complete, "")
	restart.Put("libssl3", inventory.RestartNeed{Package: "libssl3", Source: "openssl", Installed: "3.0.11-1~deb12u2", RunningVersion: "3.0.9-1", Paths: []string{"/x"}})
	sections[inventory.Restart] = restart
	sections[inventory.Python].MarkPartial("a place could not be read: /opt")
	for _, s := range sections {
		s.Seal()
	}
	in := everything{map[advisory.Key]string{}}
	for _, u := range exposure.Profile(sections).Uses {
		in.fixed[u.Component.Key] = u.Component.Version
	}
	in.fixed[advisory.Key{Ecosystem: "Debian", Release: "12", Name: "openssl"}] = "3.0.11-1~deb12u2"
	want, _ := findings(t, sections, in)
	if !slices.ContainsFunc(want, func(s string) bool { return strings.HasSuffix(s, "restart-needed") }) {
		t.Fatalf("no restart is needed on the host: %v", want)
	}
	for _, f := range []sbom.Format{sbom.CycloneDX, sbom.SPDX} {
		roundTrip(t, f, sections, in)
		var raw bytes.Buffer
		if err := sbom.Encode(&raw, f, systemOf(t, sections)); err != nil {
			t.Fatal(err)
		}
		doc, err := sbom.Decode(raw.Bytes(), "")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(exposure.Profile(sections).Gaps, exposure.Profile(doc.Sections).Gaps); diff != "" {
			t.Errorf("%s: gaps (-agent +document):\n%s", f, diff)
		}
	}
}
