package exposure

import (
	"strings"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/inventory"
)

// distro is a distribution as advisories speak of it.
type distro struct {
	ecosystem string
	release   string
	vendor    string                // word in product ids
	section   inventory.SectionName // package database of the distribution
	binary    bool                  // advisories name binary packages, not sources
	origins   string                // what the origin (dpkg) or vendor (rpm) of its own packages contains, in lower case
	problem   string                // why nothing can be judged: no ecosystem, no release
	label     string                // "Debian 12", for people
}

// distroOf maps os-release to a distribution. A distribution that is only like
// another one is not taken for it: it may rebuild, patch or number differently.
func distroOf(o inventory.OS) distro {
	id := strings.ToLower(o.ID)
	d := distro{vendor: id, release: o.VersionID}
	switch {
	case id == "debian":
		d.ecosystem, d.section, d.origins = "Debian", inventory.DPKG, "debian"
		if d.release == "" { // testing and unstable have no number
			d.release = advisory.DebianRelease(debianCodename(o))
		}
		d.release = major(d.release)
	case id == "ubuntu":
		d.ecosystem, d.section, d.origins = "Ubuntu", inventory.DPKG, "ubuntu"
	case id == "alpine":
		d.ecosystem, d.section = "Alpine", inventory.APK
		d.release = alpineRelease(o.VersionID)
	case id == "almalinux":
		d.ecosystem, d.section, d.origins, d.binary = "AlmaLinux", inventory.RPM, "almalinux", true
		d.release = major(o.VersionID)
	case id == "rocky":
		d.ecosystem, d.section, d.origins = "Rocky Linux", inventory.RPM, "rocky"
		d.release = major(o.VersionID)
	case id == "rhel":
		d.ecosystem, d.section, d.vendor, d.origins, d.binary = "Red Hat", inventory.RPM, "red_hat", "red hat", true
		d.release = major(o.VersionID)
	case id == "centos":
		d.ecosystem, d.section, d.origins = "CentOS", inventory.RPM, "centos"
		d.release = major(o.VersionID)
	case id == "ol":
		d.ecosystem, d.section, d.vendor, d.origins = "Oracle Linux", inventory.RPM, "oracle_linux", "oracle"
		d.release = major(o.VersionID)
	case id == "fedora":
		d.ecosystem, d.section, d.origins = "Fedora", inventory.RPM, "fedora"
	case id == "amzn":
		d.ecosystem, d.section, d.vendor, d.origins = "Amazon Linux", inventory.RPM, "amazon_linux", "amazon"
	case id == "opensuse-tumbleweed":
		d.ecosystem, d.section, d.vendor, d.origins, d.release = "openSUSE", inventory.RPM, "opensuse", "suse", "tumbleweed"
	case strings.HasPrefix(id, "opensuse"):
		d.ecosystem, d.section, d.vendor, d.origins = "openSUSE", inventory.RPM, "opensuse", "suse"
	case id == "sles" || id == "sled" || id == "sles_sap":
		d.ecosystem, d.section, d.vendor, d.origins = "SUSE", inventory.RPM, "suse", "suse"
	case id == "azurelinux" || id == "mariner":
		d.ecosystem, d.section, d.vendor, d.origins = "Azure Linux", inventory.RPM, "azure_linux", "microsoft"
		d.release = major(o.VersionID)
	case id == "wolfi", id == "chainguard":
		d.ecosystem, d.section, d.release = strings.ToUpper(id[:1])+id[1:], inventory.APK, ""
		d.label = d.ecosystem
		return d
	default:
		d.problem = unknownDistro(o)
		d.label, d.section = o.PrettyName, ""
		if d.vendor == "" {
			d.vendor = "unknown"
		}
		return d
	}
	d.label = d.ecosystem + " " + d.release
	if d.release == "" {
		d.problem = "the release of " + d.ecosystem + " is not known"
		d.label = d.ecosystem
	}
	return d
}

func unknownDistro(o inventory.OS) string {
	if o.ID == "" {
		return "the distribution is not known"
	}
	if len(o.IDLike) > 0 {
		return "distribution " + quoted(o.ID) + " is like " + strings.Join(o.IDLike, " ") + ", but no feed speaks for it"
	}
	return "unknown distribution " + quoted(o.ID)
}

// debianCodename finds the code name of a Debian without a number: "trixie",
// "sid"; "" when os-release does not tell.
func debianCodename(o inventory.OS) string {
	if o.Codename != "" {
		return strings.ToLower(o.Codename)
	}
	// "Debian GNU/Linux trixie/sid" means testing.
	if i := strings.LastIndexByte(o.PrettyName, ' '); i >= 0 {
		if code, rest, ok := strings.Cut(o.PrettyName[i+1:], "/"); ok && rest == "sid" {
			return strings.ToLower(code)
		}
	}
	return ""
}

// major returns the part of a version id before the first dot.
func major(v string) string {
	v, _, _ = strings.Cut(v, ".")
	return v
}

// alpineRelease returns "3.19" for "3.19.1", "edge" for a development version, "" for anything else.
func alpineRelease(v string) string {
	if strings.Contains(v, "_alpha") || strings.Contains(v, "edge") {
		return "edge"
	}
	first, rest, ok := strings.Cut(v, ".")
	if !ok || first == "" {
		return ""
	}
	second, _, _ := strings.Cut(rest, ".")
	if second == "" {
		return ""
	}
	return first + "." + second
}

// thirdParty says who else built a package; "" when it is the distribution's
// own or nobody can tell.
func (d *distro) thirdParty(p *inventory.Package) string {
	who := p.Origin
	if who == "" && d.section == inventory.RPM {
		who = p.Vendor // rpm's vendor is set by the builder; dpkg's maintainer tells nothing
	}
	if who == "" || d.origins == "" || strings.Contains(strings.ToLower(who), d.origins) {
		return ""
	}
	return who
}

// quoted puts a foreign word in quotes, cut to a readable length.
func quoted(s string) string {
	if len(s) > 80 {
		s = s[:80] + "…"
	}
	return `"` + s + `"`
}
