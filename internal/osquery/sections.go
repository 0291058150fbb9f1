package osquery

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// silentReason is why a section that osquery has no table for is partial.
const silentReason = "osquery does not tell this; an agent of Picket does"

// silent are the sections that osquery has no table for, or none that says what is needed.
var silent = slices.Concat([]inventory.SectionName{inventory.APK, inventory.Snap, inventory.Flatpak, inventory.Ruby, inventory.GoBinaries, inventory.Java,
	inventory.Updates, inventory.Restart}, inventory.SettingSections)

// Silent are the sections that a node of osquery says nothing of, with the reason.
func Silent(now time.Time) []*inventory.Section {
	out := make([]*inventory.Section, len(silent))
	for i, name := range silent {
		out[i] = inventory.NewSection(name, inventory.Partial, silentReason)
		out[i].SeenAt = now
		out[i].Seal()
	}
	return out
}

// Sections are those that answers make, sealed. have are the sections that the
// device has already: the running kernel's package is looked for among its packages.
func Sections(answers map[string]Answer, have map[inventory.SectionName]*inventory.Section, now time.Time) []*inventory.Section {
	m := &maker{now: now, made: map[inventory.SectionName]*inventory.Section{}, have: have}
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		a := answers[name]
		switch name {
		case "os":
			m.system(&a)
		case "kernel":
			m.section(inventory.Kernel, &a, func(r Row, put func(string, any)) {
				put("running", inventory.KernelFact{Release: clip(r["version"], 128)})
			})
		case "interfaces":
			m.interfaces(&a)
		case "deb":
			m.packages(inventory.DPKG, &a, "there is no dpkg database", deb)
		case "rpm":
			m.packages(inventory.RPM, &a, "there is no rpm database", rpm)
		case "python":
			m.language(inventory.Python, &a, python)
		case "npm":
			m.language(inventory.NPM, &a, npm)
		case "users":
			m.section(inventory.Users, &a, user)
		case "logons":
			m.section(inventory.Logons, &a, logon)
		}
	}
	m.kernelPackage()
	out := make([]*inventory.Section, 0, len(m.made))
	for _, name := range slices.Sorted(maps.Keys(m.made)) {
		m.made[name].Seal()
		out = append(out, m.made[name])
	}
	return out
}

type maker struct {
	now        time.Time
	made, have map[inventory.SectionName]*inventory.Section
}

// section makes a section of the rows of an answer; one that failed is partial
// and keeps what was known.
func (m *maker) section(name inventory.SectionName, a *Answer, fact func(r Row, put func(key string, v any))) *inventory.Section {
	s := inventory.NewSection(name, inventory.Complete, "")
	s.SeenAt = m.now
	m.made[name] = s
	if a.Failed {
		s.MarkPartial("osquery could not answer: " + cmp.Or(a.Reason, "it gave no reason"))
		if old := m.have[name]; old != nil {
			s.Items = slices.Clone(old.Items)
		}
		return s
	}
	if a.Cut > 0 {
		s.MarkPartial(fmt.Sprintf("%d rows were left out: at most %d are taken", a.Cut, MaxRows))
	}
	for _, r := range a.Rows {
		fact(r, s.Put)
	}
	return s
}

// system makes the operating system and the hardware.
func (m *maker) system(a *Answer) {
	m.section(inventory.OSSection, a, func(r Row, put func(string, any)) { put("os", osOf(r)) })
	m.section(inventory.Hardware, a, func(r Row, put func(string, any)) {
		cores, _ := strconv.Atoi(r["cpu_logical_cores"])             // 0: not known
		memory, _ := strconv.ParseUint(r["physical_memory"], 10, 64) // 0: not known
		put("hardware", inventory.HardwareFact{Manufacturer: r["hardware_vendor"], Model: r["hardware_model"], Serial: r["hardware_serial"],
			CPUModel: strings.TrimSpace(r["cpu_brand"]), CPUCores: max(cores, 0), MemoryBytes: memory})
	})
}

func osOf(r Row) inventory.OS {
	id := strings.ToLower(r["platform"])
	os := inventory.OS{ID: id, Name: r["os_name"], Version: r["version"], Codename: r["codename"], Family: "linux", Arch: archOf(r["arch"]),
		Hostname: cmp.Or(r["hostname"], r["computer_name"]), VersionID: versionID(id, r["version"], r["major"])}
	if like := strings.Fields(r["platform_like"]); len(like) > 0 {
		os.IDLike = like
	}
	switch id {
	case "windows", "darwin":
		os.Family = id
	}
	if strings.Contains(os.Hostname, ".") {
		os.FQDN = os.Hostname
	}
	os.PrettyName = strings.TrimSpace(os.Name + " " + os.Version)
	if minor := r["minor"]; id == "debian" && minor != "" && minor != "0" {
		os.PointRel = os.VersionID + "." + minor
	}
	return os
}

// versionID is VERSION_ID of os-release, which osquery does not tell as it is.
func versionID(id, version, major string) string {
	number := version[:len(version)-len(strings.TrimLeft(version, "0123456789."))]
	number = strings.Trim(number, ".")
	parts := strings.Split(number, ".")
	switch id {
	case "debian", "raspbian":
		return cmp.Or(parts[0], major)
	case "ubuntu":
		return strings.Join(parts[:min(2, len(parts))], ".")
	}
	return cmp.Or(number, major)
}

// archOf is an architecture in Go's words.
func archOf(a string) string {
	switch a {
	case "x86_64", "64-bit":
		return "amd64"
	case "aarch64", "arm64":
		return "arm64"
	case "i386", "i486", "i586", "i686":
		return "386"
	}
	return clip(a, 32)
}

func (m *maker) interfaces(a *Answer) {
	byName := map[string]*inventory.Interface{}
	s := m.section(inventory.Interfaces, a, func(r Row, _ func(string, any)) {
		name := clip(r["interface"], 64)
		i := byName[name]
		if i == nil {
			if len(byName) == 1000 {
				return
			}
			flags, _ := strconv.ParseUint(r["flags"], 10, 32) // 0: not known to be up
			i = &inventory.Interface{Name: name, MAC: strings.ToLower(clip(r["mac"], 64)), Up: flags&1 != 0, Loopback: flags&8 != 0, Addresses: []string{}}
			if strings.Trim(i.MAC, "0:") == "" {
				i.MAC = ""
			}
			byName[name] = i
		}
		addr, _, _ := strings.Cut(r["address"], "%")
		if addr != "" && len(i.Addresses) < 256 && !slices.Contains(i.Addresses, addr) {
			i.Addresses = append(i.Addresses, clip(addr, 64))
		}
	})
	for name, i := range byName {
		slices.Sort(i.Addresses)
		s.Put(name, *i)
	}
}

// packages makes the section of a package manager; without a row the manager is not there.
func (m *maker) packages(name inventory.SectionName, a *Answer, none string, of func(Row) (string, inventory.Package, bool)) {
	s := m.section(name, a, func(r Row, put func(string, any)) {
		if key, p, ok := of(r); ok {
			put(key, p)
		}
	})
	if !a.Failed && len(a.Rows) == 0 {
		s.Status, s.Reason = inventory.NotApplicable, none
	}
}

// deb is one row of deb_packages: source is "glibc (2.36-9)" where name or
// version differ from the package's, "glibc" or empty where they do not.
func deb(r Row) (string, inventory.Package, bool) {
	p := inventory.Package{Ecosystem: inventory.EcoDebian, Name: clip(r["name"], maxName), Version: clip(r["version"], maxName), Arch: clip(r["arch"], 32),
		Vendor: r["maintainer"], Paths: []string{"/var/lib/dpkg/status"}}
	if p.Name == "" {
		return "", p, false
	}
	p.Residual = r["status"] != "" && !strings.HasSuffix(r["status"], " installed")
	source, version, _ := strings.Cut(clip(r["source"], 2*maxName), " (")
	p.Source, p.SourceVersion = cmp.Or(strings.TrimSpace(source), p.Name), cmp.Or(strings.TrimSuffix(strings.TrimSpace(version), ")"), p.Version)
	return p.Name + ":" + p.Arch, p, true
}

// rpm is one row of rpm_packages: source is "openssl-3.0.7-24.el9.src.rpm".
func rpm(r Row) (string, inventory.Package, bool) {
	if r["name"] == "" || r["name"] == "gpg-pubkey" {
		return "", inventory.Package{}, false
	}
	p := inventory.Package{Ecosystem: inventory.EcoRPM, Name: clip(r["name"], maxName), Version: evr(r["epoch"], r["version"], r["release"]), Arch: clip(r["arch"], 32),
		Vendor: r["vendor"], Paths: []string{"/var/lib/rpm"}}
	if n, err := strconv.ParseInt(r["install_time"], 10, 64); err == nil && n > 0 {
		p.InstalledAt = time.Unix(n, 0).UTC()
	}
	base := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(r["source"], ".rpm"), ".src"), ".nosrc")
	if parts := strings.Split(base, "-"); len(parts) > 2 {
		p.Source = clip(strings.Join(parts[:len(parts)-2], "-"), maxName)
		p.SourceVersion = evr(r["epoch"], parts[len(parts)-2], parts[len(parts)-1]) // the epoch of the source is that of its packages, nearly always
	} else {
		p.Source, p.SourceVersion, p.NoSource = p.Name, p.Version, true
	}
	return p.Name + "-" + p.Arch + "@" + p.Version, p, true
}

func evr(epoch, version, release string) string {
	out := version
	if release != "" {
		out += "-" + release
	}
	if epoch != "" && epoch != "0" {
		out = epoch + ":" + out
	}
	return clip(out, maxName)
}

// language makes the section of a language's packages. osquery looks in the
// standard places, and does not say which package of the system owns a file.
func (m *maker) language(name inventory.SectionName, a *Answer, of func(Row) (inventory.Package, bool)) {
	s := m.section(name, a, func(r Row, put func(string, any)) {
		p, ok := of(r)
		if !ok {
			return
		}
		if path := p.Paths[0]; strings.HasPrefix(path, "/usr/lib/") || strings.HasPrefix(path, "/usr/lib64/") || strings.HasPrefix(path, "/usr/share/") {
			p.Unassessed = "it lies where the distribution keeps its own, and osquery does not tell which package it belongs to"
		}
		put(p.Name+"@"+p.Paths[0], p)
	})
	s.MarkPartial("osquery looks in the standard places only")
}

func python(r Row) (inventory.Package, bool) {
	name := strings.Map(func(c rune) rune {
		if c == '_' || c == '.' {
			return '-'
		}
		return c
	}, strings.ToLower(clip(r["name"], maxName)))
	for strings.Contains(name, "--") {
		name = strings.ReplaceAll(name, "--", "-")
	}
	return inventory.Package{Ecosystem: inventory.EcoPyPI, Name: name, Version: clip(r["version"], maxName), Paths: []string{clip(r["path"], maxText)}}, name != ""
}

func npm(r Row) (inventory.Package, bool) {
	name := clip(r["name"], maxName)
	path := cmp.Or(r["path"], strings.TrimRight(r["directory"], "/")+"/node_modules/"+name)
	return inventory.Package{Ecosystem: inventory.EcoNPM, Name: name, Version: clip(r["version"], maxName), Paths: []string{clip(path, maxText)}}, name != ""
}

func user(r Row, put func(string, any)) {
	name := clip(r["username"], maxName)
	if name != "" {
		put(name, inventory.User{Name: name, UID: clip(r["uid"], 32), GID: clip(r["gid"], 32), Description: clip(r["description"], maxName), Home: clip(r["directory"], maxText), Shell: clip(r["shell"], maxName)})
	}
}

func logon(r Row, put func(string, any)) {
	l := inventory.Logon{User: clip(r["user"], maxName), TTY: clip(r["tty"], 64), Host: clip(r["host"], maxName)}
	if n, err := strconv.ParseInt(r["time"], 10, 64); err == nil && n > 0 {
		l.Since = time.Unix(n, 0).UTC()
	}
	if l.User != "" {
		put(l.User+"@"+l.TTY, l)
	}
}

// kernelPackage finds the package of the running kernel. osquery does not say
// which build of it runs: it is taken for the installed one.
func (m *maker) kernelPackage() {
	s := m.made[inventory.Kernel]
	if s == nil && (m.made[inventory.DPKG] != nil || m.made[inventory.RPM] != nil) && m.have[inventory.Kernel] != nil {
		old := m.have[inventory.Kernel]
		s = inventory.NewSection(inventory.Kernel, old.Status, old.Reason)
		s.SeenAt, s.Items = m.now, slices.Clone(old.Items)
		m.made[inventory.Kernel] = s
	}
	if s == nil || len(s.Items) == 0 {
		return
	}
	var k inventory.KernelFact
	if json.Unmarshal(s.Items[len(s.Items)-1].Value, &k) != nil {
		return
	}
	k.Package, k.PackageVersion = m.findKernel(k.Release)
	s.Items = nil
	s.Put("running", k)
}

func (m *maker) findKernel(release string) (name, version string) {
	plain, _, _ := strings.Cut(release, "+")
	for _, section := range []inventory.SectionName{inventory.DPKG, inventory.RPM} {
		s := m.made[section]
		if s == nil {
			s = m.have[section]
		}
		if s == nil {
			continue
		}
		for _, it := range s.Items {
			var p inventory.Package
			switch {
			case section == inventory.DPKG && !strings.HasPrefix(it.Key, "linux-image-"), section == inventory.RPM && !strings.HasPrefix(it.Key, "kernel"):
				continue
			case json.Unmarshal(it.Value, &p) != nil || p.Residual:
				continue
			}
			_, vr, found := strings.Cut(p.Version, ":")
			if !found {
				vr = p.Version
			}
			switch {
			case section == inventory.DPKG && (p.Name == "linux-image-"+release || p.Name == "linux-image-unsigned-"+release):
				return p.Name, p.Version
			case section == inventory.RPM && vr+"."+p.Arch == plain && (strings.HasSuffix(p.Name, "-core") || name == "") && !strings.Contains(p.Name, "-devel") &&
				!strings.Contains(p.Name, "-headers") && !strings.Contains(p.Name, "-modules") && !strings.Contains(p.Name, "-tools"):
				name, version = p.Name, p.Version
			}
		}
	}
	return name, version
}

// Told are the sections that a node answers for once all questions were asked.
var Told = []inventory.SectionName{inventory.OSSection, inventory.Kernel, inventory.Hardware, inventory.Interfaces, inventory.DPKG, inventory.RPM, inventory.Python, inventory.NPM,
	inventory.Users, inventory.Logons}

// Answers are what an enrolment says already: the operating system and the name.
func (e Enroll) Answers() map[string]Answer {
	row := Row{}
	maps.Copy(row, e.Info["system_info"])
	for k, v := range e.Info["os_version"] {
		if k == "name" {
			k = "os_name"
		}
		row[k] = v
	}
	if row["hostname"] == "" {
		row["hostname"] = e.Host
	}
	if row["platform"] == "" {
		return map[string]Answer{}
	}
	return map[string]Answer{"os": {Rows: []Row{row}}}
}
