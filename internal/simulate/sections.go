package simulate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// reported lists the sections that simulated devices report. They say nothing of
// others, so that "nothing there" and "did not look" never look alike.
var reported = []inventory.SectionName{inventory.OSSection, inventory.Kernel, inventory.Hardware, inventory.Interfaces,
	inventory.DPKG, inventory.RPM, inventory.APK, inventory.Snap, inventory.Flatpak, inventory.Python, inventory.NPM,
	inventory.Ruby, inventory.GoBinaries, inventory.Java, inventory.Updates, inventory.Restart,
	inventory.Sysctl, inventory.Boot, inventory.Mounts, inventory.Accounts, inventory.Auth, inventory.SSHD, inventory.Services,
	inventory.Files, inventory.Audit, inventory.Firewall, inventory.System, inventory.Apps}

// sections is everything that the device reports now, sealed, in the order of
// reported. Times of look are the caller's.
func (h *host) sections(now time.Time) []*inventory.Section {
	all := map[inventory.SectionName]*inventory.Section{}
	for _, name := range reported {
		all[name] = inventory.NewSection(name, inventory.Complete, "")
	}
	h.system(all[inventory.OSSection])
	h.kernel(all[inventory.Kernel])
	h.hardware(all[inventory.Hardware])
	h.interfaces(all[inventory.Interfaces])
	h.packages(all[h.rel.section])
	h.applications(all)
	h.configuration(all)
	if h.rel.section == inventory.DPKG {
		h.updates(all[inventory.Updates])
		h.restarts(all[inventory.Restart])
	}
	out := make([]*inventory.Section, 0, len(all))
	for _, name := range reported {
		s := all[name]
		if reason := h.missing(name); reason != "" && len(s.Items) == 0 {
			s.Status, s.Reason = inventory.NotApplicable, reason
		}
		s.SeenAt = now.UTC().Truncate(time.Second)
		s.Seal()
		out = append(out, s)
	}
	return out
}

// missing says why a source of facts is not on this device, "" when it may be.
func (h *host) missing(name inventory.SectionName) string {
	absent := map[inventory.SectionName]string{
		inventory.DPKG:    "there is no dpkg database at /var/lib/dpkg/status",
		inventory.RPM:     "there is no rpm database in /usr/lib/sysimage/rpm or /var/lib/rpm",
		inventory.APK:     "there is no apk database at /lib/apk/db/installed",
		inventory.Snap:    "snapd is not installed: there is no /var/lib/snapd",
		inventory.Flatpak: "flatpak is not in use: there is no /var/lib/flatpak/app",
	}
	if h.rel.section != inventory.DPKG {
		absent[inventory.Updates] = "available updates are read from apt's lists, and this system has no dpkg database"
	}
	return absent[name]
}

// at is the date of a step; step 0 is before the start.
func (h *host) at(step uint16) time.Time {
	if step == 0 {
		return h.clock.start.Add(-h.patched).UTC().Truncate(time.Second)
	}
	days := float64(step) - 1 + h.phase
	return h.clock.start.Add(time.Duration(days * float64(h.clock.tick))).UTC().Truncate(time.Second)
}

// digest is a name for something of this device that nothing else has.
func (h *host) digest(what string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d %s", h.seed, h.n, what))
	return hex.EncodeToString(sum[:])
}

func (h *host) name() string { return fmt.Sprintf("%s-%s-%03d", h.role.name, h.site.code, h.n+1) }

func (h *host) bootID() string {
	d := h.digest(fmt.Sprint("boot ", h.boots))
	return d[:8] + "-" + d[8:12] + "-4" + d[13:16] + "-a" + d[17:20] + "-" + d[20:32]
}

// arch is the architecture in the words of Go, and in those of rpm and apk.
func (h *host) arch() (goarch, machine string) {
	if h.arm {
		return "arm64", "aarch64"
	}
	return "amd64", "x86_64"
}

func (h *host) system(s *inventory.Section) {
	d := &h.rel.distribution
	o := inventory.OS{ID: d.id, IDLike: d.idLike, Name: d.name, VersionID: d.versionID, Codename: d.codename, Family: "linux", Hostname: h.name(),
		FQDN: h.name() + "." + h.site.domain, MachineID: h.digest("machine"), Timezone: h.site.zone}
	o.Arch, _ = h.arch()
	point := h.pointRelease()
	switch d.id {
	case "debian":
		o.Version, o.PointRel, o.PrettyName = d.version, d.versionID+"."+point, d.name+" "+d.version
	case "ubuntu":
		full := d.versionID
		if point != "0" {
			full += "." + point
		}
		o.Version, o.PrettyName = full+" LTS ("+d.version+")", d.name+" "+full+" LTS"
	default:
		o.VersionID = d.versionID + "." + point
		o.Version = strings.TrimSpace(o.VersionID + " " + parens(d.version))
		o.PrettyName = d.name + " " + o.Version
	}
	if d.id == "alpine" {
		o.PrettyName, o.PointRel, o.Version = "Alpine Linux v"+d.versionID, o.VersionID, ""
	}
	s.Put("os", o)
}

func parens(s string) string {
	if s == "" {
		return ""
	}
	return "(" + s + ")"
}

// pointRelease is the number behind the release's: base-files tells it on
// Debian and Ubuntu, the tag of the newest kernel on the RHEL family.
func (h *host) pointRelease() string {
	switch h.rel.section {
	case inventory.RPM:
		if _, tag, ok := strings.Cut(h.newestKernel().version, ".el"+h.rel.versionID+"_"); ok {
			return tag
		}
	case inventory.APK:
		return fmt.Sprint(h.levels[h.rel.kernel] + 1)
	}
	for i := range h.rel.sources {
		if s := &h.rel.sources[i]; s.name == "base-files" {
			v := s.versions[h.levels[i]].version
			if _, point, ok := strings.Cut(v, "+deb"+h.rel.versionID+"u"); ok {
				return point
			}
			if _, n, ok := strings.Cut(v, "ubuntu"); ok && strings.Contains(n, ".") {
				return fmt.Sprint(int(h.levels[i])) // one step of base-files per point release
			}
		}
	}
	return "0"
}

func (h *host) hardware(s *inventory.Section) {
	m := h.machine
	f := inventory.HardwareFact{Manufacturer: m.manufacturer, Model: m.model, Serial: strings.ToUpper(h.digest("serial")[:10]), BIOSVersion: m.bios,
		CPUModel: m.cpu, CPUCores: m.cores[h.n%len(m.cores)], MemoryBytes: uint64(m.memory[h.n%len(m.memory)])<<30 - 220<<20,
		DiskBytes: uint64(32<<(h.n%5)) << 30, Virtual: m.virtual}
	if h.arm {
		f.CPUModel, f.Model = "Neoverse-N1", "m6g.xlarge"
	}
	s.Put("hardware", f)
}

// mac is the hardware address of the device's interface.
func (h *host) mac() string {
	d := h.digest("mac")
	return h.machine.oui + ":" + d[:2] + ":" + d[2:4] + ":" + d[4:6]
}

func (h *host) interfaces(s *inventory.Section) {
	s.Put("lo", inventory.Interface{Name: "lo", Up: true, Loopback: true, Addresses: []string{"127.0.0.1", "::1"}})
	mac := h.mac()
	a := []string{fmt.Sprintf("10.%d.%d.%d", 20+h.n/62500, h.n/250%250, 4+h.n%250)}
	if h.n%3 == 0 {
		a = append(a, fmt.Sprintf("fd20:%x:%x::%x", h.n>>16, h.n&0xffff, 4+h.n%250))
	}
	s.Put(h.machine.iface, inventory.Interface{Name: h.machine.iface, MAC: mac, Up: true, Addresses: a})
	if h.role.name == "node" {
		s.Put("docker0", inventory.Interface{Name: "docker0", MAC: "02:42" + mac[5:], Up: true, Addresses: []string{"172.17.0.1"}})
	}
}
