package exposure

import (
	"strings"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/inventory"
)

// language adds one package that is not the distribution's: language packages
// by the names of OSV, snaps and flatpaks without a feed. It returns false for
// items that cannot be read.
func (b *profiler) language(section inventory.SectionName, item string, p *inventory.Package) bool {
	if !readable(p) {
		return false
	}
	c := Component{Version: p.Version, Product: p.Name, Key: advisory.Key{Name: p.Name}}
	switch section {
	case inventory.Snap:
		c.Key.Ecosystem, c.Vendor, c.Unassessed = "snap", "snap", "no feed speaks for snaps"
	case inventory.Flatpak:
		c.Key.Ecosystem, c.Vendor, c.Unassessed = "flatpak", "flatpak", "no feed speaks for flatpaks"
	case inventory.Python:
		c.Key.Ecosystem, c.Vendor = "PyPI", "pypi"
		c.Key.Name = pep503(p.Name)
		c.Product = c.Key.Name
	case inventory.NPM:
		c.Key.Ecosystem, c.Vendor = "npm", "npm"
	case inventory.Ruby:
		c.Key.Ecosystem, c.Vendor = "RubyGems", "rubygems"
	case inventory.GoBinaries:
		c.Key.Ecosystem, c.Vendor = "Go", "go"
		if v, _, _ := strings.Cut(p.Version, " "); p.Name == "stdlib" || p.Name == "toolchain" {
			c.Key.Name, c.Product = "stdlib", "stdlib"
			c.Version = strings.TrimPrefix(v, "go") // "go1.26.3 X:synctest"
		}
		if p.Version == "(devel)" || strings.HasPrefix(p.Version, "devel") {
			c.Unassessed = "built from a working copy: the version is not known"
		}
	case inventory.Java:
		c.Key.Ecosystem, c.Vendor = "Maven", "maven"
		if group, artifact, ok := strings.Cut(p.Name, ":"); !ok || group == "" || artifact == "" {
			c.Unassessed = "the Maven group of the archive is not known"
		}
	case inventory.SBOM:
		c.Key.Ecosystem, c.Vendor = purlEcosystem(p.Ecosystem), p.Ecosystem
		if c.Key.Ecosystem == "" {
			c.Key.Ecosystem, c.Unassessed = p.Ecosystem, "no feed speaks for packages of type "+quoted(p.Ecosystem)
		}
	default:
		return false
	}
	if p.Unassessed != "" && c.Unassessed == "" {
		c.Unassessed = clip(p.Unassessed, 300)
	}
	switch {
	case p.Residual:
		c.Role, c.Unassessed = Residual, residualOnly
	case c.Unassessed != "":
	case p.Source != "": // the collector found the owner in the package database
		c.Unassessed = "owned by distribution package " + clip(p.Source, 100) + ", which is assessed in its place"
	case p.Version == "":
		c.Unassessed = "version is empty"
	}
	b.use(c, evidence(section, item, p))
	return true
}

// purlEcosystem is the ecosystem of OSV for a type of package URLs that no
// agent collects, "" when there is none.
func purlEcosystem(kind string) string {
	switch kind {
	case "cargo":
		return "crates.io"
	case "nuget":
		return "NuGet"
	case "composer":
		return "Packagist"
	case "hex":
		return "Hex"
	case "pub":
		return "Pub"
	}
	return ""
}

// pep503 normalises the name of a Python distribution: lower case, runs of
// ".", "_" and "-" as one "-".
func pep503(name string) string {
	var b strings.Builder
	b.Grow(len(name))
	dash := false
	for _, c := range []byte(strings.ToLower(name)) {
		if c == '-' || c == '_' || c == '.' {
			dash = true
			continue
		}
		if dash {
			b.WriteByte('-')
			dash = false
		}
		b.WriteByte(c)
	}
	if dash {
		b.WriteByte('-')
	}
	return b.String()
}
