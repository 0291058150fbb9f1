package server

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
)

// summarise takes from a device's sections what lists show.
func summarise(sections map[inventory.SectionName]*inventory.Section, p *exposure.DeviceProfile) summary {
	os := first[inventory.OS](sections[inventory.OSSection])
	s := summary{
		Name: os.Hostname, FQDN: os.FQDN, OSID: os.ID, OSPlatform: platformOf(os), OSVersion: os.VersionID, OSName: os.PrettyName, Arch: os.Arch,
		Gaps: len(p.Gaps),
	}
	if s.Name == "" {
		s.Name = "unnamed"
	}
	if s.OSName == "" {
		s.OSName = strings.TrimSpace(os.Name + " " + os.VersionID)
	}
	hardware, kernel := first[inventory.HardwareFact](sections[inventory.Hardware]), first[inventory.KernelFact](sections[inventory.Kernel])
	s.Vendor, s.Model, s.Virtual, s.Kernel, s.Booted = hardware.Manufacturer, hardware.Model, hardware.Virtual, kernel.Release, kernel.BootTime
	seen := map[string]bool{}
	for _, u := range p.Uses {
		if u.Component.Unassessed != "" && u.Component.Role != exposure.Residual && !seen[u.Component.ID()] {
			seen[u.Component.ID()] = true
			s.NotAssessed++
		}
	}
	if sec := sections[inventory.Interfaces]; sec != nil {
		s.Interfaces, _ = inventory.Decode[inventory.Interface](sec)
	}
	s.IP = mainAddress(s.Interfaces)
	if sec := sections[inventory.Updates]; sec != nil {
		ups, _ := inventory.Decode[inventory.Update](sec)
		s.Updates = len(ups)
		for _, u := range ups {
			if u.Security {
				s.SecUpdates++
			}
		}
	}
	if sec := sections[inventory.Restart]; sec != nil {
		s.Restart = len(sec.Items)
	}
	for _, name := range packageSections {
		if sec := sections[name]; sec != nil && sec.Status == inventory.Partial {
			s.Partial = true
		}
	}
	return s
}

// mainAddress is the first global IPv4 address of an interface that is up,
// else the first global IPv6 one, else "".
func mainAddress(list []inventory.Interface) string {
	var six string
	for _, i := range list {
		if !i.Up || i.Loopback {
			continue
		}
		for _, a := range i.Addresses {
			ip, err := netip.ParseAddr(a)
			switch {
			case err != nil || !ip.IsGlobalUnicast():
			case ip.Is4():
				return a
			case six == "":
				six = a
			}
		}
	}
	return six
}

// mainMAC is the hardware address of the interface that has an address, else of
// the first that is up and has one, else "".
func mainMAC(list []inventory.Interface, ip string) string {
	first := ""
	for _, i := range list {
		switch {
		case i.Loopback || i.MAC == "":
		case ip != "" && slices.Contains(i.Addresses, ip):
			return i.MAC
		case first == "" && i.Up:
			first = i.MAC
		}
	}
	return first
}

// platformOf is the operating system in the Defender API's words.
func platformOf(os inventory.OS) string {
	names := map[string]string{
		"debian": "Debian", "ubuntu": "Ubuntu", "rhel": "RedHatEnterpriseLinux", "centos": "CentOS", "almalinux": "AlmaLinux", "rocky": "RockyLinux",
		"fedora": "Fedora", "ol": "OracleLinux", "amzn": "AmazonLinux", "sles": "SuseLinuxEnterpriseServer", "opensuse-leap": "openSUSE",
		"opensuse-tumbleweed": "openSUSE", "alpine": "Alpine", "azurelinux": "AzureLinux", "mariner": "Mariner", "wolfi": "Wolfi",
		"arch": "Arch", "linuxmint": "LinuxMint", "raspbian": "Raspbian",
	}
	if n, ok := names[os.ID]; ok {
		return n
	}
	switch os.Family {
	case "windows":
		return "Windows"
	case "darwin":
		return "macOS"
	}
	if os.ID != "" {
		return os.ID
	}
	return "Linux"
}

func componentIDs(held store.Holding) []exposure.ComponentID {
	out := make([]exposure.ComponentID, 0, held.Len())
	for h := range held.All() {
		out = append(out, exposure.ComponentID(h.Component))
	}
	return out
}
