package simulate

import (
	"fmt"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// newestKernel is the kernel that the next restart starts.
func (h *host) newestKernel() rung {
	return h.rel.sources[h.rel.kernel].versions[h.levels[h.rel.kernel]]
}

// packages writes the package database of the distribution.
func (h *host) packages(s *inventory.Section) {
	for i := range h.rel.sources {
		if h.levels[i] == absent {
			continue
		}
		if i != h.rel.kernel || h.rel.section == inventory.APK {
			h.binaries(s, i, int(h.levels[i]))
			continue
		}
		for _, l := range h.installedKernels() {
			h.binaries(s, i, l)
		}
	}
}

// binaries writes the binary packages of one source at one level.
func (h *host) binaries(s *inventory.Section, i, level int) {
	src := &h.rel.sources[i]
	v := src.versions[level]
	at := h.at(h.since[i])
	if level == 0 && h.since[i] == 0 {
		at = h.clock.start.Add(-h.built).UTC().Truncate(time.Second)
	}
	for _, b := range src.binaries {
		if b.groups != 0 && b.groups&h.groups == 0 {
			continue
		}
		p := inventory.Package{Name: h.binaryName(b.name, v), Version: v.version, Source: src.name, SourceVersion: v.version,
			Vendor: h.rel.vendor, Origin: h.rel.origin, InstalledAt: at}
		_, machine := h.arch()
		switch h.rel.section {
		case inventory.RPM:
			p.Ecosystem, p.Arch, p.Paths = inventory.EcoRPM, machine, []string{"/var/lib/rpm/rpmdb.sqlite"}
			if _, bare, ok := strings.Cut(v.version, ":"); ok { // source rpms have no epoch
				p.SourceVersion = bare
			}
			s.Put(p.Name+"-"+p.Arch+"@"+p.Version, p)
		case inventory.APK:
			p.Ecosystem, p.Arch, p.Paths = inventory.EcoAlpine, machine, []string{"/lib/apk/db/installed"}
			p.InstalledAt = time.Time{} // apk keeps no date
			s.Put(p.Name+":"+p.Arch, p)
		default:
			p.Ecosystem, p.Arch, p.Paths = inventory.EcoDebian, h.debArch(p.Name), []string{"/var/lib/dpkg/status"}
			if strings.HasPrefix(p.Name, "linux-image-") {
				p.Source, p.SourceVersion = h.signed(v.version)
			}
			s.Put(p.Name+":"+p.Arch, p)
		}
	}
}

// signed is the source of a kernel image, which is signed by a package of its own.
func (h *host) signed(v string) (source, version string) {
	if h.rel.id == "ubuntu" {
		return "linux-signed", v
	}
	goarch, _ := h.arch()
	return "linux-signed-" + goarch, strings.Replace(v, "-", "+", 1)
}

func (h *host) binaryName(name string, v rung) string {
	name = strings.Replace(name, "%", v.label, 1)
	if goarch, _ := h.arch(); v.label != "" {
		name = strings.Replace(name, "-amd64", "-"+goarch, 1)
	}
	return name
}

// debArch is "all" for packages that hold no programs.
func (h *host) debArch(name string) string {
	switch name {
	case "adduser", "base-passwd", "ca-certificates", "debconf", "init-system-helpers", "netbase", "python3-pip", "python3-setuptools",
		"python3-pkg-resources", "python3-django", "python3-jinja2", "python3-requests", "python3-urllib3", "tzdata", "ucf", "unattended-upgrades":
		return "all"
	}
	for _, end := range []string{"-common", "-data", "-doc", "-base", "-java", "-l10n"} {
		if strings.HasSuffix(name, end) {
			return "all"
		}
	}
	goarch, _ := h.arch()
	return goarch
}

// kernel writes the running kernel.
func (h *host) kernel(s *inventory.Section) {
	v := h.rel.sources[h.rel.kernel].versions[h.running]
	goarch, machine := h.arch()
	k := inventory.KernelFact{Machine: machine, BootID: h.bootID(), BootTime: h.at(h.booted), PackageVersion: v.version}
	switch h.rel.id {
	case "debian":
		k.Release = v.label + "-" + goarch
		k.Version = "#1 SMP PREEMPT_DYNAMIC Debian " + v.version
		k.Package = "linux-image-" + k.Release
	case "ubuntu":
		k.Release = v.label + "-generic"
		_, build, _ := strings.Cut(v.version[len(v.label):], ".")
		k.Version = "#" + build + "-Ubuntu SMP"
		k.Package = "linux-image-" + k.Release
	case "alpine":
		k.Release = strings.Replace(v.version, "-r", "-", 1) + "-lts"
		k.Version = "#1-Alpine SMP PREEMPT_DYNAMIC"
		k.Package = "linux-lts"
	default:
		k.Release = v.version + "." + machine
		k.Version = "#1 SMP"
		k.Package = "kernel-core"
	}
	s.Put("running", k)
}

// updates writes what apt would upgrade. Machines that nobody looks after have no lists.
func (h *host) updates(s *inventory.Section) {
	if h.policy.wave == 0 && h.n%3 == 0 {
		s.MarkPartial("apt's lists are missing in /var/lib/apt/lists: run apt-get update")
		return
	}
	for i := range h.rel.sources {
		src := &h.rel.sources[i]
		top := len(src.versions) - 1
		if h.levels[i] == absent || int(h.levels[i]) == top || i == h.rel.kernel {
			continue
		}
		for _, b := range src.binaries {
			if b.groups != 0 && b.groups&h.groups == 0 {
				continue
			}
			up := inventory.Update{Name: b.name, Arch: h.debArch(b.name), Source: src.name, Installed: src.versions[h.levels[i]].version,
				Candidate: src.versions[top].version, Suite: h.rel.codename + "-security", Origin: h.rel.origin, Security: true}
			if hash(src.name)%4 == 0 {
				up.Suite, up.Security = h.rel.codename+"-updates", false
			}
			s.Put(up.Name+":"+up.Arch, up)
		}
	}
}

// libraries are sources whose files running processes map, with a process that does.
var libraries = map[string][2]string{
	"openssl":   {"libssl.so.3", "sshd"},
	"glibc":     {"libc.so.6", "systemd-journal"},
	"gnutls28":  {"libgnutls.so.30", "rsyslogd"},
	"systemd":   {"libsystemd.so.0", "dbus-daemon"},
	"zlib":      {"libz.so.1", "sshd"},
	"krb5":      {"libgssapi_krb5.so.2", "sshd"},
	"expat":     {"libexpat.so.1", "python3"},
	"curl":      {"libcurl.so.4", "fwupd"},
	"nghttp2":   {"libnghttp2.so.14", "nginx"},
	"libxml2":   {"libxml2.so.2", "php-fpm"},
	"pam":       {"libpam.so.0", "cron"},
	"xz-utils":  {"liblzma.so.5", "systemd-logind"},
	"sqlite3":   {"libsqlite3.so.0", "python3"},
	"libwebp":   {"libwebp.so.7", "php-fpm"},
	"glib2.0":   {"libglib-2.0.so.0", "polkitd"},
	"libpng1.6": {"libpng16.so.16", "php-fpm"},
}

func mapped(source string) bool { _, ok := libraries[source]; return ok }

// restarts writes the libraries that were replaced under running processes.
func (h *host) restarts(s *inventory.Section) {
	for k, old := range h.stale {
		src := &h.rel.sources[old.source]
		if h.levels[old.source] == absent || h.levels[old.source] == old.level {
			continue
		}
		lib := libraries[src.name]
		_, machine := h.arch()
		n := inventory.RestartNeed{Package: src.binaries[0].name, Source: src.name, Installed: src.versions[h.levels[old.source]].version,
			RunningVersion: src.versions[old.level].version, Paths: []string{"/usr/lib/" + machine + "-linux-gnu/" + lib[0]},
			Processes: []inventory.Process{{PID: 400 + h.n%9000 + 37*k, Name: lib[1], Start: h.at(h.booted).Add(time.Minute)}}}
		s.Put(n.Package, n)
	}
}

// applications writes the packages of applications.
func (h *host) applications(all map[inventory.SectionName]*inventory.Section) {
	for i := range h.u.apps {
		a := &h.u.apps[i]
		if h.apps[i] == absent {
			continue
		}
		for j := range a.packages {
			p := &a.packages[j]
			// Packages of one application move together, however many versions each has.
			level := int(h.apps[i]) * (len(p.versions) - 1) / max(a.depth-1, 1)
			section, key, pkg := place(a, p.name, p.versions[level].version)
			all[section].Put(key, pkg)
		}
	}
}

// place says where a package of an application is, in the ways of its ecosystem.
func place(a *app, name, v string) (inventory.SectionName, string, inventory.Package) {
	p := inventory.Package{Ecosystem: a.ecosystem, Name: name, Version: v}
	section, path := inventory.SectionName(a.ecosystem), a.place
	switch a.ecosystem {
	case inventory.EcoNPM:
		path += "/" + name + "/package.json"
	case inventory.EcoPyPI:
		section, path = inventory.Python, fmt.Sprintf("%s/%s-%s.dist-info/METADATA", path, strings.ReplaceAll(name, "-", "_"), v)
	case inventory.EcoGem:
		section, path = inventory.Ruby, fmt.Sprintf("%s/specifications/%s-%s.gemspec", path, name, v)
	case inventory.EcoMaven:
		_, artifact, _ := strings.Cut(name, ":")
		section, path = inventory.Java, fmt.Sprintf("%s/%s-%s.jar", path, artifact, v)
	case inventory.EcoSnap:
		p.Channel = "latest/stable"
		return section, name, p
	case inventory.EcoFlatpak:
		p.Arch, p.Channel, path = "amd64", "stable", path+"/"+name+"/x86_64/stable/active"
		p.Paths = []string{path}
		return section, name + "/" + p.Arch + "/" + p.Channel + "@" + path, p
	}
	p.Paths = []string{path}
	return section, name + "@" + path, p
}
