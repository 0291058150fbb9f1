package exposure

import (
	"strings"

	packageurl "github.com/package-url/packageurl-go"

	"github.com/picketsec/picket/internal/inventory"
)

// PURL returns the package URL of an installed package (purl-spec), with its
// architecture, distribution and epoch as qualifiers and the source package as
// "upstream" where it has another name or version, so that readers that match
// by source can. It is empty when the package has no name.
func PURL(os inventory.OS, p inventory.Package) string {
	if p.Name == "" {
		return ""
	}
	q := map[string]string{}
	u := packageurl.PackageURL{Name: p.Name, Version: p.Version}
	switch p.Ecosystem {
	case inventory.EcoDebian, inventory.EcoRPM, inventory.EcoAlpine:
		u.Type, u.Namespace = p.Ecosystem, namespaceOf(os.ID)
		set(q, "arch", p.Arch)
		if os.ID != "" {
			set(q, "distro", strings.TrimSuffix(strings.ToLower(os.ID)+"-"+os.VersionID, "-"))
		}
		set(q, "upstream", upstream(&p))
		if p.Ecosystem == inventory.EcoRPM {
			if epoch, rest, ok := strings.Cut(p.Version, ":"); ok {
				u.Version = rest
				set(q, "epoch", epoch)
			}
			set(q, "rpmmod", p.Module)
		}
	case inventory.EcoPyPI:
		u.Type, u.Name = packageurl.TypePyPi, pep503(p.Name)
	case inventory.EcoNPM:
		u.Type = packageurl.TypeNPM
		u.Namespace, u.Name = splitLast(p.Name, "/")
	case inventory.EcoGem:
		u.Type = packageurl.TypeGem
	case inventory.EcoGo:
		u.Type = packageurl.TypeGolang
		u.Namespace, u.Name = splitLast(p.Name, "/")
		u.Version = strings.TrimPrefix(u.Version, "go")
	case inventory.EcoMaven:
		u.Type = packageurl.TypeMaven
		u.Namespace, u.Name = splitLast(p.Name, ":")
	case inventory.EcoSnap, inventory.EcoFlatpak, "": // no type of the specification
		u.Type, u.Namespace = packageurl.TypeGeneric, p.Ecosystem
		set(q, "channel", p.Channel)
	default: // from a bill of materials: the type of its package URL
		u.Type = p.Ecosystem
		u.Namespace, u.Name = splitLast(p.Name, "/")
	}
	u.Qualifiers = packageurl.QualifiersFromMap(q)
	return u.ToString()
}

// ProductCode returns the package URL of a component's product, without a
// version: the source package for distributions. Picket guesses no CPE by name.
func ProductCode(c Component) string {
	if c.Product == "" {
		return ""
	}
	u := productURL(c)
	return u.ToString()
}

// productURL is the package URL of a component's product.
func productURL(c Component) packageurl.PackageURL {
	u := packageurl.PackageURL{Name: c.Product}
	switch c.Key.Ecosystem {
	case "Debian", "Ubuntu":
		u.Type, u.Namespace = packageurl.TypeDebian, c.Vendor
	case "Alpine", "Wolfi", "Chainguard":
		u.Type, u.Namespace = packageurl.TypeApk, c.Vendor
	case "AlmaLinux", "Rocky Linux", "Red Hat", "CentOS", "Oracle Linux", "Fedora", "Amazon Linux", "openSUSE", "SUSE", "Azure Linux":
		u.Type, u.Namespace = packageurl.TypeRPM, namespaceOf(c.Vendor)
	case "PyPI":
		u.Type = packageurl.TypePyPi
	case "npm":
		u.Type = packageurl.TypeNPM
		u.Namespace, u.Name = splitLast(c.Product, "/")
	case "RubyGems":
		u.Type = packageurl.TypeGem
	case "Go":
		u.Type = packageurl.TypeGolang
		u.Namespace, u.Name = splitLast(c.Product, "/")
	case "Maven":
		u.Type = packageurl.TypeMaven
		u.Namespace, u.Name = splitLast(c.Product, ":")
	case "crates.io", "NuGet", "Packagist", "Hex", "Pub":
		u.Type = c.Vendor // the type itself
		u.Namespace, u.Name = splitLast(c.Product, "/")
	default:
		u.Type, u.Namespace = packageurl.TypeGeneric, c.Vendor
	}
	switch u.Type {
	case packageurl.TypeDebian, packageurl.TypeApk, packageurl.TypeRPM:
		u.Qualifiers = packageurl.Qualifiers{{Key: "arch", Value: "source"}}
	}
	return u
}

// namespaceOf is the namespace of a distribution in package URLs.
func namespaceOf(id string) string {
	switch id = strings.ToLower(id); id {
	case "rhel", "red_hat":
		return "redhat"
	case "rocky":
		return "rocky-linux"
	case "ol", "oracle_linux":
		return "oracle"
	case "amzn", "amazon_linux":
		return "amazon"
	case "azurelinux", "azure_linux":
		return "azurelinux"
	case "opensuse-leap", "opensuse-tumbleweed":
		return "opensuse"
	case "sles", "sled":
		return "suse"
	}
	return id
}

// upstream names the source package where it differs from the binary, in the
// form that each package type has for it.
func upstream(p *inventory.Package) string {
	if p.Source == "" || p.Source == p.Name && (p.SourceVersion == "" || p.SourceVersion == p.Version) {
		return ""
	}
	switch {
	case p.Ecosystem == inventory.EcoRPM:
		v := p.SourceVersion
		if _, rest, ok := strings.Cut(v, ":"); ok {
			v = rest
		}
		if v == "" {
			return ""
		}
		return p.Source + "-" + v + ".src.rpm"
	case p.SourceVersion == "" || p.SourceVersion == p.Version:
		return p.Source
	}
	return p.Source + "@" + p.SourceVersion
}

func set(q map[string]string, key, value string) {
	if value != "" {
		q[key] = value
	}
}

// splitLast splits at the last separator; without one, all is the name.
func splitLast(s, sep string) (space, name string) {
	i := strings.LastIndex(s, sep)
	if i < 0 || i+len(sep) == len(s) {
		return "", s
	}
	return s[:i], s[i+len(sep):]
}
