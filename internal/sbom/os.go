package sbom

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	packageurl "github.com/package-url/packageurl-go"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/inventory"
)

// osIDs are the names of distributions in other tools that os-release writes
// in another way.
var osIDs = map[string]string{
	"redhat": "rhel", "red hat": "rhel", "alma": "almalinux", "rocky-linux": "rocky", "rockylinux": "rocky", "oracle": "ol", "oraclelinux": "ol",
	"amazon": "amzn", "amazonlinux": "amzn", "suse linux enterprise server": "sles", "suse": "sles", "sle": "sles", "cbl-mariner": "mariner",
	"opensuse.leap": "opensuse-leap", "opensuse.tumbleweed": "opensuse-tumbleweed", "none": "",
}

func osID(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	if id, ok := osIDs[name]; ok {
		return id
	}
	return name
}

// findOS reads the operating system component.
func (p *placer) findOS() {
	b := p.bom
	for i := range b.parts {
		c := &b.parts[i]
		if c.kind != "operating-system" {
			continue
		}
		if p.os.ID != "" {
			p.miss("further operating system", clean(c.name+" "+c.version, 80))
			continue
		}
		p.setOS(c)
	}
	if p.os.ID == "" && b.subject.kind == "operating-system" {
		p.setOS(&b.subject)
	}
}

func (p *placer) setOS(c *component) {
	id, version := c.prop("syft:distro:id"), c.prop("syft:distro:versionID")
	if id == "" {
		id = c.name
	}
	if version == "" && c.prop("syft:distro:id") == "" {
		version = c.version
	}
	version, _, _ = strings.Cut(version, " ") // Trivy: "2 (Karoo)"
	o := &p.os
	o.ID, o.VersionID = osID(clean(id, 60)), clean(version, 60)
	if o.ID == "" {
		return
	}
	o.Name, o.PrettyName = clean(c.name, maxText), clean(c.prop("syft:distro:prettyName"), maxText)
	o.Codename = clean(c.prop("syft:distro:versionCodename"), 60)
	for i := range c.props {
		if strings.HasPrefix(c.props[i].Name, "syft:distro:idLike:") && len(o.IDLike) < 8 {
			o.IDLike = append(o.IDLike, clean(c.props[i].Value, 60))
		}
	}
	p.settleOS()
}

// settleOS writes the release as os-release does.
func (p *placer) settleOS() {
	o := &p.os
	o.Family = "linux"
	if o.ID == "debian" { // os-release: "12"; Trivy: "12.5"
		if release, _, ok := strings.Cut(o.VersionID, "."); ok {
			o.PointRel, o.VersionID = o.VersionID, release
		}
		if o.VersionID != "" && strings.Trim(o.VersionID, "0123456789") != "" { // a code name
			if o.Codename == "" {
				o.Codename, _, _ = strings.Cut(o.VersionID, "/")
			}
			o.VersionID = ""
		}
	}
	if o.PrettyName == "" {
		o.PrettyName = strings.TrimSpace(o.ID + " " + o.VersionID)
	}
	p.place = strings.TrimSuffix(o.ID+"-"+o.VersionID, "-")
}

// distroWord is the distribution that a package URL names: "debian-12", or
// "debian" where only the namespace tells.
func distroWord(qualifier, namespace string) string {
	if qualifier == "" {
		return ""
	}
	id, version := splitDistro(qualifier)
	if id == "" { // a code name or a number alone: the namespace says of what
		id = osID(namespace)
	}
	return strings.TrimSuffix(id+"-"+version, "-")
}

// splitDistro splits "debian-12", "opensuse-leap-15.5", "bookworm".
func splitDistro(q string) (id, version string) {
	q = strings.ToLower(clean(q, 100))
	if i := strings.LastIndexByte(q, '-'); i > 0 && i+1 < len(q) && q[i+1] >= '0' && q[i+1] <= '9' {
		return osID(q[:i]), q[i+1:]
	}
	if q == "" || q[0] >= '0' && q[0] <= '9' {
		return "", q
	}
	if release := advisory.DebianRelease(q); release != "" && release != q {
		return "debian", release
	}
	switch id := osID(q); id {
	case "debian", "ubuntu", "alpine", "wolfi", "chainguard", "opensuse-tumbleweed", "arch":
		return id, ""
	}
	return "", q
}

// samePlace reports whether two words can mean one release: Trivy writes
// "debian-12.5" where others write "debian-12".
func samePlace(a, b string) bool {
	if a == b || strings.HasPrefix(a, b+".") || strings.HasPrefix(b, a+".") {
		return true
	}
	ai, av := splitDistro(a)
	bi, bv := splitDistro(b)
	if ai != bi {
		return false
	}
	return av == "" || bv == "" || av[0] < '0' || av[0] > '9' || bv[0] < '0' || bv[0] > '9'
}

// osFromURLs takes the release from package URLs where no component names it,
// and only when all of them agree.
func (p *placer) osFromURLs(urls []packageurl.PackageURL) {
	var words, arches []string
	for i := range urls {
		u := &urls[i]
		if u.Type != "deb" && u.Type != "rpm" && u.Type != "apk" {
			continue
		}
		for _, q := range u.Qualifiers {
			if q.Key == "arch" && q.Value != "all" && q.Value != "noarch" && q.Value != "source" && !slices.Contains(arches, q.Value) && len(arches) < 3 {
				arches = append(arches, q.Value)
			}
			if q.Key == "distro" {
				if w := distroWord(q.Value, u.Namespace); !slices.Contains(words, w) && len(words) < 4 {
					words = append(words, w)
				}
			}
		}
	}
	if len(arches) > 0 {
		p.os.Arch = goArch(arches)
	}
	if p.os.ID != "" || len(words) == 0 {
		return
	}
	if len(words) > 1 {
		p.lists[inventory.SBOM].MarkPartial("package URLs disagree about the distribution (" + strings.Join(words, ", ") + "), so that none is taken")
		return
	}
	id, version := splitDistro(words[0])
	if id == "" {
		id, version, _ = strings.Cut(words[0], "-")
	}
	p.os.ID, p.os.VersionID, p.os.Name = id, version, id
	p.settleOS()
}

// goArch is the machine's architecture where the packages agree on one.
func goArch(list []string) string {
	out := ""
	for _, a := range list {
		switch a {
		case "x86_64", "amd64":
			a = "amd64"
		case "aarch64", "arm64":
			a = "arm64"
		case "i386", "i486", "i586", "i686", "x86", "386":
			a = "386"
		}
		if out != "" && out != a {
			return ""
		}
		out = clean(a, 32)
	}
	return out
}

// ours takes what only our own documents say.
func (p *placer) ours(kernel, restart *inventory.Section) {
	var o inventory.OS
	if raw := p.bom.prop("picket:os"); raw != "" && json.Unmarshal([]byte(raw), &o) == nil {
		o.Hostname, o.FQDN, o.MachineID = p.doc.Name, "", ""
		p.lists[inventory.OSSection].Items = nil
		p.lists[inventory.OSSection].Put("os", o)
	}
	var k inventory.KernelFact
	if raw := p.bom.prop("picket:kernel"); raw != "" && json.Unmarshal([]byte(raw), &k) == nil {
		kernel.Status, kernel.Reason = inventory.Complete, ""
		kernel.Put("running", k)
	}
	for i := range p.bom.props {
		switch v := p.bom.props[i]; v.Name {
		case "picket:restart":
			var r inventory.RestartNeed
			if json.Unmarshal([]byte(v.Value), &r) == nil && len(restart.Items) < 10_000 {
				restart.Status, restart.Reason = inventory.Complete, ""
				restart.Put(fmt.Sprintf("%s#%d", clean(r.Package, maxName), i), r)
			}
		case "picket:partial":
			name, why, _ := strings.Cut(v.Value, ": ")
			n := inventory.SectionName(name)
			if p.lists[n] == nil && n.Valid() {
				p.lists[n] = inventory.NewSection(n, inventory.Complete, "")
			}
			if s := p.lists[n]; s != nil {
				s.MarkPartial(clean(why, 2000))
			}
		}
	}
}

// ourPackage takes a package as our own documents carry it, when what others
// read of the component still agrees with it.
func (p *placer) ourPackage(c *component) (inventory.SectionName, inventory.Package, bool) {
	raw := c.prop("picket:package")
	if raw == "" || !p.bom.madeBy("picket") {
		return "", inventory.Package{}, false
	}
	var pkg inventory.Package
	section, _, _ := strings.Cut(c.prop("picket:item"), "/")
	name := inventory.SectionName(section)
	if p.lists[name] == nil || json.Unmarshal([]byte(raw), &pkg) != nil || pkg.Version != c.version {
		return "", inventory.Package{}, false
	}
	full := c.name
	if c.group != "" {
		full = c.group + ":" + c.name
	}
	if pkg.Name != c.name && pkg.Name != full {
		return "", inventory.Package{}, false
	}
	return name, pkg, true
}
