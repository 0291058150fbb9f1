package sbom

import (
	"fmt"
	"slices"
	"strings"

	packageurl "github.com/package-url/packageurl-go"

	"github.com/picketsec/picket/internal/inventory"
)

// document turns what is written into what an agent would have reported.
func (b *bom) document(name string) (*Document, error) {
	d := &Document{Format: b.format, Spec: b.spec, Serial: clean(b.serial, maxText), Made: b.made, Tools: b.tools,
		Sections: map[inventory.SectionName]*inventory.Section{}}
	if err := b.identify(d, name); err != nil {
		return nil, err
	}
	p := &placer{bom: b, doc: d, lists: map[inventory.SectionName]*inventory.Section{}, told: map[string][]string{}}
	for _, n := range append([]inventory.SectionName{inventory.SBOM}, inventory.PackageSections...) {
		p.lists[n] = inventory.NewSection(n, inventory.Complete, "")
	}
	if err := p.run(); err != nil {
		return nil, err
	}
	return d, nil
}

// identify finds the name and the identity of what the document describes.
func (b *bom) identify(d *Document, name string) error {
	s := &b.subject
	written := s.name
	if written == "" && b.format == SPDX {
		written = b.name
	}
	d.Name = clean(written, maxText)
	device := b.prop("picket:device")
	if device == "" {
		device = s.prop("picket:device")
	}
	switch {
	case name != "":
		d.Name, d.Subject = name, "name "+name
	case device != "" && d.Name != "": // our own document, perhaps of another Picket
		d.Subject = "device " + clean(device, maxText)
	case !nameless(d.Name):
		kind := s.kind
		if kind == subjectKind || kind == "" {
			kind = "system"
		}
		d.Subject = kind + " " + strings.TrimPrefix(clean(s.group, maxText)+"/"+d.Name, "/")
	case d.Serial != "":
		d.Subject = "document " + d.Serial
		d.Name = d.Serial
	}
	if d.Subject == "" || name == "" && nameless(written) && written != "" {
		return &Error{Text: fmt.Sprintf("the document names no system that could be told from others (its subject is %q): give a name with it", clean(written, 80))}
	}
	return nil
}

func (b *bom) prop(name string) string {
	c := component{props: b.props}
	return c.prop(name)
}

// nameless reports whether a subject's name is one that any host could have.
func nameless(name string) bool {
	switch strings.Trim(name, " ") {
	case "", "/", ".", "./", "unknown", "rootfs", "sbom", "bom", "localhost":
		return true
	}
	return false
}

// placer puts components into sections.
type placer struct {
	bom   *bom
	doc   *Document
	os    inventory.OS
	place string // "debian-12": what distro qualifiers say that agree with os
	lists map[inventory.SectionName]*inventory.Section
	keys  map[inventory.SectionName]map[string]int
	told  map[string][]string // reasons → names of components
	order []string            // of reasons
	hosts bool                // there are distribution packages
	names bool                // the tool names the source package wherever it differs
}

func (p *placer) run() error {
	b := p.bom
	p.keys = map[inventory.SectionName]map[string]int{}
	p.names = b.madeBy("syft") || b.madeBy("trivy") || b.madeBy("picket")
	p.findOS()
	urls := make([]packageurl.PackageURL, len(b.parts))
	for i := range b.parts {
		c := &b.parts[i]
		if c.purl == "" || len(c.purl) > 4*maxName {
			continue
		}
		u, err := packageurl.FromString(c.purl)
		if err == nil && u.Name != "" {
			urls[i] = u
			p.hosts = p.hosts || u.Type == "deb" || u.Type == "rpm" || u.Type == "apk"
		}
	}
	p.osFromURLs(urls)
	for i := range b.parts {
		if err := p.part(&b.parts[i], &urls[i]); err != nil {
			return err
		}
	}
	p.finish()
	return nil
}

// part places one component.
func (p *placer) part(c *component, u *packageurl.PackageURL) error {
	switch c.kind {
	case subjectKind, "operating-system", "file", "container", "device", "platform", "device-driver", "data", "machine-learning-model", "cryptographic-asset":
		if u.Name == "" || u.Type == "oci" || u.Type == "docker" || u.Type == "generic" || c.kind == subjectKind {
			return nil // no package
		}
	}
	name := clean(c.name, 80)
	switch {
	case u.Name != "":
	case c.purl != "":
		p.miss("component with a package URL that cannot be read", name)
		return nil
	case c.prop("aquasecurity:trivy:Type") != "" || c.prop("aquasecurity:trivy:Class") != "":
		return nil // Trivy's entry of a lock file
	default:
		p.miss("component without a package URL", name)
		return nil
	}
	section, pkg, why := p.packageOf(c, u)
	if why != "" {
		p.miss(why, name)
		return nil
	}
	if pkg.Name == "gpg-pubkey" {
		return nil
	}
	s := p.lists[section]
	if len(s.Items) >= MaxItems {
		return &Error{Place: c.ref, Text: fmt.Sprintf("more than %d packages of kind %s", MaxItems, section)}
	}
	s.Put(p.key(section, c, &pkg), pkg)
	p.doc.Packages++
	return nil
}

// key is the item key of an agent for such a package, made unique.
func (p *placer) key(section inventory.SectionName, c *component, pkg *inventory.Package) string {
	k := pkg.Name + "@" + pkg.Version
	switch section {
	case inventory.DPKG:
		k = pkg.Name
		if pkg.Arch != "" {
			k += ":" + pkg.Arch
		}
	case inventory.RPM:
		k = pkg.Name + "-" + pkg.Arch + "@" + pkg.Version
	case inventory.APK:
		k = pkg.Name
	default:
		if len(pkg.Paths) > 0 {
			k += "@" + pkg.Paths[0]
		}
	}
	if _, own, ok := strings.Cut(c.prop("picket:item"), "/"); ok && p.bom.madeBy("picket") {
		k = own
	}
	k = clean(k, 4096)
	seen := p.keys[section]
	if seen == nil {
		seen = map[string]int{}
		p.keys[section] = seen
	}
	seen[k]++
	if n := seen[k]; n > 1 {
		k = fmt.Sprintf("%s#%d", k, n)
		seen[k]++
	}
	return k
}

// miss counts a component that is not taken.
func (p *placer) miss(why, name string) {
	if _, ok := p.told[why]; !ok {
		if len(p.order) >= 50 { // hostile types
			why = "component of yet another kind that no feed speaks for"
		}
		if !slices.Contains(p.order, why) {
			p.order = append(p.order, why)
		}
	}
	p.told[why] = append(p.told[why], name)
	p.doc.Unread++
}

// finish adds what is said of the whole, seals the sections and hands them over.
func (p *placer) finish() {
	rest := p.lists[inventory.SBOM]
	if p.bom.incomplete != "" {
		rest.MarkPartial(p.bom.incomplete)
	}
	for _, why := range p.order {
		names := p.told[why]
		text := fmt.Sprintf("%d × %s, not assessed: ", len(names), why) + strings.Join(names[:min(len(names), maxTold)], ", ")
		if len(names) > maxTold {
			text += " …"
		}
		rest.MarkPartial(text)
	}
	p.os.Hostname = p.doc.Name
	os := inventory.NewSection(inventory.OSSection, inventory.Complete, "")
	os.Put("os", p.os)
	p.lists[inventory.OSSection] = os
	kernel := inventory.NewSection(inventory.Kernel, inventory.NotApplicable, "a bill of materials does not say which kernel runs")
	restart := inventory.NewSection(inventory.Restart, inventory.NotApplicable, "a bill of materials does not say what runs")
	p.lists[inventory.Kernel], p.lists[inventory.Restart] = kernel, restart
	if p.bom.madeBy("picket") {
		p.ours(kernel, restart)
	}
	for name, s := range p.lists {
		if len(s.Items) == 0 && s.Status == inventory.Complete {
			s.Status, s.Reason = inventory.NotApplicable, "the document lists nothing of this kind"
		}
		s.SeenAt = p.doc.Made
		s.Seal()
		p.doc.Sections[name] = s
	}
}
