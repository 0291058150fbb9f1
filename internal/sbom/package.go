package sbom

import (
	"path"
	"strconv"
	"strings"

	packageurl "github.com/package-url/packageurl-go"

	"github.com/picketsec/picket/internal/inventory"
)

// packageOf reads one component as a package of an agent's section. why says
// what is missing when it cannot be taken.
func (p *placer) packageOf(c *component, u *packageurl.PackageURL) (section inventory.SectionName, pkg inventory.Package, why string) {
	if section, pkg, ok := p.ourPackage(c); ok {
		return section, pkg, ""
	}
	q := u.Qualifiers.Map()
	pkg = inventory.Package{Name: fullName(c, u, "/"), Version: u.Version, Vendor: clean(c.vendor, maxText), Paths: paths(c)}
	if pkg.Version == "" {
		pkg.Version = c.version
	}
	switch u.Type {
	case "deb":
		section, pkg.Ecosystem = inventory.DPKG, inventory.EcoDebian
	case "rpm":
		section, pkg.Ecosystem = inventory.RPM, inventory.EcoRPM
	case "apk":
		section, pkg.Ecosystem = inventory.APK, inventory.EcoAlpine
	case "pypi":
		section, pkg.Ecosystem = inventory.Python, inventory.EcoPyPI
	case "npm":
		section, pkg.Ecosystem = inventory.NPM, inventory.EcoNPM
	case "gem":
		section, pkg.Ecosystem = inventory.Ruby, inventory.EcoGem
	case "golang":
		section, pkg.Ecosystem = inventory.GoBinaries, inventory.EcoGo
		if pkg.Name == "stdlib" {
			pkg.Version = strings.TrimPrefix(strings.TrimPrefix(pkg.Version, "v"), "go")
		}
	case "maven":
		section, pkg.Ecosystem = inventory.Java, inventory.EcoMaven
		pkg.Name = strings.TrimPrefix(u.Namespace+":"+u.Name, ":")
	default:
		section, pkg.Ecosystem = inventory.SBOM, clean(u.Type, 40)
	}
	switch section {
	case inventory.DPKG, inventory.RPM, inventory.APK:
		pkg.Name = u.Name
		if strings.EqualFold(c.name, u.Name) {
			pkg.Name = c.name
		}
		p.distribution(&pkg, c, u, q)
	default:
		p.owned(&pkg, c)
	}
	pkg.Name, pkg.Version = clean(pkg.Name, maxName+1), clean(pkg.Version, maxVersion+1)
	pkg.Source, pkg.SourceVersion = clean(pkg.Source, maxName+1), clean(pkg.SourceVersion, maxVersion+1)
	pkg.Arch, pkg.Module = clean(pkg.Arch, 32), clean(pkg.Module, maxText)
	if pkg.Name == "" {
		return "", pkg, "component without a name"
	}
	return section, pkg, ""
}

// fullName is namespace and name as written: package URLs fold the case of
// names that their ecosystem tells apart, the component's own name does not.
func fullName(c *component, u *packageurl.PackageURL, sep string) string {
	full := u.Name
	if u.Namespace != "" {
		full = u.Namespace + sep + u.Name
	}
	for _, name := range []string{c.name, c.group + sep + c.name} {
		if strings.EqualFold(name, full) {
			return name
		}
	}
	return full
}

// distribution fills in what advisories of distributions speak of.
func (p *placer) distribution(pkg *inventory.Package, c *component, u *packageurl.PackageURL, q map[string]string) {
	epoch := q["epoch"]
	if epoch == "" {
		epoch, _, _ = cutEpoch(c.version) // rpm: purls have it as a qualifier, versions in front
	}
	if _, _, has := cutEpoch(pkg.Version); !has && epoch != "" && (epoch != "0" || strings.HasPrefix(c.version, "0:")) && u.Type != "apk" {
		pkg.Version = epoch + ":" + pkg.Version
	}
	if pkg.Arch = q["arch"]; pkg.Arch == "source" {
		pkg.Arch = ""
	}
	pkg.Module = module(q["rpmmod"])
	if pkg.Module == "" {
		pkg.Module = module(c.prop("aquasecurity:trivy:Modularitylabel"))
	}
	if pkg.Module == "" {
		pkg.Module = module(c.prop("syft:metadata:modularityLabel"))
	}
	pkg.Source, pkg.SourceVersion = source(c, u, q)
	switch {
	case pkg.Source == "" && p.names, q["arch"] == "source":
		pkg.Source, pkg.SourceVersion = pkg.Name, pkg.Version
	case pkg.Source == "":
		pkg.NoSource = true
	case pkg.SourceVersion == "":
		pkg.SourceVersion = pkg.Version
	}
	if u.Type == "rpm" && !strings.Contains(pkg.SourceVersion, ":") && pkg.SourceVersion != "" {
		// As the agent does: source packages carry no epoch, their binaries do.
		if e, _, ok := cutEpoch(pkg.Version); ok {
			pkg.SourceVersion = e + ":" + pkg.SourceVersion
		}
	}
	if other := distroWord(q["distro"], u.Namespace); other != "" && p.place != "" && !samePlace(other, p.place) {
		pkg.Unassessed = "a package of " + clean(other, 60) + " in a document about " + p.place
	}
}

// cutEpoch splits "1:2.3-4".
func cutEpoch(v string) (epoch, rest string, ok bool) {
	epoch, rest, ok = strings.Cut(v, ":")
	if _, err := strconv.ParseUint(epoch, 10, 32); !ok || err != nil {
		return "", v, false
	}
	return epoch, rest, true
}

// module is "name:stream" of a modularity label.
func module(label string) string {
	parts := strings.SplitN(label, ":", 3)
	if len(parts) < 2 {
		return ""
	}
	return parts[0] + ":" + parts[1]
}

// source finds the source package in the forms of the tools; "" when none is written.
func source(c *component, u *packageurl.PackageURL, q map[string]string) (name, version string) {
	if name = c.prop("aquasecurity:trivy:SrcName"); name != "" { // Trivy, CycloneDX
		version = c.prop("aquasecurity:trivy:SrcVersion")
		if r := c.prop("aquasecurity:trivy:SrcRelease"); r != "" && version != "" {
			version += "-" + r
		}
		if e := c.prop("aquasecurity:trivy:SrcEpoch"); e != "" && e != "0" && version != "" {
			version = e + ":" + version
		}
		return name, version
	}
	if rest, ok := strings.CutPrefix(c.about, trivySource); ok { // Trivy, SPDX
		name, version, _ = strings.Cut(strings.TrimSpace(rest), " ")
		return name, version
	}
	if up := q["upstream"]; up != "" { // Syft
		if u.Type == "rpm" {
			return sourceRPM(up)
		}
		name, version, _ = strings.Cut(up, "@")
		return name, version
	}
	if u.Type == "rpm" {
		return sourceRPM(c.prop("syft:metadata:sourceRpm"))
	}
	if name = c.prop("syft:metadata:source"); name != "" {
		return name, c.prop("syft:metadata:sourceVersion")
	}
	return c.prop("syft:metadata:originPackage"), ""
}

// sourceRPM reads "openssl-3.0.7-27.el9.src.rpm".
func sourceRPM(file string) (name, version string) {
	s, ok := strings.CutSuffix(file, ".src.rpm")
	if !ok {
		if s, ok = strings.CutSuffix(file, ".nosrc.rpm"); !ok {
			return "", ""
		}
	}
	r := strings.LastIndexByte(s, '-')
	if r <= 0 {
		return "", ""
	}
	v := strings.LastIndexByte(s[:r], '-')
	if v <= 0 {
		return "", ""
	}
	return s[:v], s[v+1:]
}

// paths are the places that a tool names for a component.
func paths(c *component) []string {
	var out []string
	add := func(s string) {
		if s = clean(s, 1024); s == "" || len(out) >= maxPlaces {
			return
		}
		if !strings.HasPrefix(s, "/") {
			s = "/" + s
		}
		out = append(out, s)
	}
	for i := range c.props {
		switch name := c.props[i].Name; {
		case strings.HasPrefix(name, "syft:location:") && strings.HasSuffix(name, ":path"), name == "aquasecurity:trivy:FilePath":
			add(c.props[i].Value)
		}
	}
	if _, list, ok := strings.Cut(c.about, ": /"); ok { // Syft, SPDX: "acquired package info from …: /a, /b"
		for i, s := range strings.Split("/"+list, ", ") {
			if i < maxPlaces {
				add(s)
			}
		}
	}
	return out
}

// owned finds out whether a language package belongs to one of the
// distribution, whose word then counts for it.
func (p *placer) owned(pkg *inventory.Package, c *component) {
	b := p.bom
	switch {
	case b.ownership:
		pkg.Source = b.owners[c.ref]
	case !p.hosts || b.madeBy("trivy"): // Trivy leaves out what the distribution owns
	default:
		for _, at := range pkg.Paths {
			if under(at, "/usr/local") || !under(at, "/usr") && !under(at, "/bin") && !under(at, "/sbin") && !under(at, "/lib") && !under(at, "/lib64") {
				continue
			}
			pkg.Unassessed = "it lies where the package manager installs (below /usr), and the document does not say which package owns it"
			return
		}
	}
}

func under(at, dir string) bool {
	at = path.Clean(at)
	return at == dir || strings.HasPrefix(at, dir+"/")
}
