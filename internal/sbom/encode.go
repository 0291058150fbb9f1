package sbom

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// System is what is written: one device as its sections have it.
type System struct {
	ID       inventory.DeviceID
	Name     string
	Made     time.Time // of the youngest fact: the same facts give the same bytes
	Version  string    // of Picket
	OS       inventory.OS
	Kernel   *inventory.KernelFact   // nil: not known
	Restart  []inventory.RestartNeed // what still runs from replaced files
	Partial  []Partial               // sections that are not complete
	Packages []Entry                 // in the order of sections and keys
}

// Partial is a section that was looked at only in part.
type Partial struct {
	Section inventory.SectionName
	Reason  string
}

// Entry is one package of a system.
type Entry struct {
	Section inventory.SectionName
	Key     string
	Package inventory.Package
	PURL    string
}

// ContentType is the media type of a format.
func (f Format) ContentType() string {
	if f == SPDX {
		return "application/spdx+json"
	}
	return "application/vnd.cyclonedx+json; version=1.6"
}

// Extension is how names of files of a format end.
func (f Format) Extension() string {
	if f == SPDX {
		return ".spdx.json"
	}
	return ".cdx.json"
}

// Encode writes a system: CycloneDX 1.6 or SPDX 2.3, both as JSON. Equal
// systems give equal bytes. Source packages are written in the forms that
// Syft, Grype and Trivy read, and all that Decode needs to find the same
// components again under names that start with "picket:".
func Encode(w io.Writer, f Format, s *System) error {
	bw := bufio.NewWriterSize(w, 64<<10)
	e := &encoder{w: bw}
	if f == SPDX {
		e.spdx(s)
	} else {
		e.cyclonedx(s)
	}
	if e.err != nil {
		return fmt.Errorf("write bill of materials of %s: %w", s.ID, e.err)
	}
	if err := bw.Flush(); err != nil {
		return fmt.Errorf("write bill of materials of %s: %w", s.ID, err)
	}
	return nil
}

// encoder writes JSON part by part and remembers the first error.
type encoder struct {
	w   *bufio.Writer
	err error
}

func (e *encoder) text(s string) {
	if e.err == nil {
		_, e.err = e.w.WriteString(s)
	}
}

// value writes v indented by depth steps.
func (e *encoder) value(v any, depth int) {
	if e.err != nil {
		return
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b) // markup is escaped: names come from endpoints
	enc.SetIndent(strings.Repeat("  ", depth), "  ")
	if e.err = enc.Encode(v); e.err == nil {
		_, e.err = e.w.Write(bytes.TrimRight(b.Bytes(), "\n"))
	}
}

// list writes the n elements of a list.
func list[T any](e *encoder, key string, n int, item func(i int) T) {
	e.text(",\n  \"" + key + "\": [")
	for i := range n {
		if i > 0 {
			e.text(",")
		}
		e.text("\n    ")
		e.value(item(i), 2)
	}
	if n > 0 {
		e.text("\n  ")
	}
	e.text("]")
}

// compact is v as one line of JSON.
func compact(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return ""
	}
	return strings.TrimSpace(b.String())
}

// uuid names the document by its content.
func (s *System) uuid() string {
	h := sha256.New()
	enc := json.NewEncoder(h)
	_ = enc.Encode(s) // a digest takes everything, and System holds nothing that JSON cannot
	b := h.Sum(nil)[:16]
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80 // RFC 9562, version 8
	x := hex.EncodeToString(b)
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

func (s *System) made() string { return s.Made.UTC().Truncate(time.Second).Format(time.RFC3339) }

// facts are what is said of the system as a whole for Decode.
func (s *System) facts() []property {
	o := s.OS
	o.Hostname, o.FQDN, o.MachineID = "", "", ""
	out := []property{{"picket:device", string(s.ID)}, {"picket:os", compact(o)}}
	if s.Kernel != nil {
		k := *s.Kernel
		k.BootID = ""
		out = append(out, property{"picket:kernel", compact(k)})
	}
	for _, r := range s.Restart {
		r.Processes = []inventory.Process{}
		out = append(out, property{"picket:restart", compact(r)})
	}
	for _, p := range s.Partial {
		out = append(out, property{"picket:partial", string(p.Section) + ": " + p.Reason})
	}
	return out
}

// ours are the properties of a package for Decode.
func (n *Entry) ours() []property {
	p := n.Package
	p.Summary, p.InstalledAt = "", time.Time{}
	return []property{{"picket:item", string(n.Section) + "/" + n.Key}, {"picket:package", compact(p)}}
}

// trivyFamily is the name that Trivy has for a distribution.
func trivyFamily(id string) string {
	switch id {
	case "rhel":
		return "redhat"
	case "almalinux":
		return "alma"
	case "ol":
		return "oracle"
	case "amzn":
		return "amazon"
	case "sles":
		return "suse linux enterprise server"
	case "mariner":
		return "cbl-mariner"
	}
	return id
}

// others are the properties that Syft, Grype and Trivy read.
func (n *Entry) others(o *inventory.OS) []property {
	var out []property
	add := func(name, value string) {
		if value != "" {
			out = append(out, property{name, value})
		}
	}
	p := &n.Package
	switch n.Section {
	case inventory.DPKG, inventory.RPM, inventory.APK:
		add("aquasecurity:trivy:PkgType", trivyFamily(o.ID))
		add("aquasecurity:trivy:Modularitylabel", p.Module)
		if p.Source != "" && !p.NoSource {
			add("aquasecurity:trivy:SrcName", p.Source)
			v := p.SourceVersion
			epoch, rest, _ := cutEpoch(v)
			if n.Section == inventory.APK {
				add("aquasecurity:trivy:SrcVersion", v)
			} else {
				upstream, release := rest, ""
				if i := strings.LastIndexByte(rest, '-'); i > 0 {
					upstream, release = rest[:i], rest[i+1:]
				}
				add("aquasecurity:trivy:SrcVersion", upstream)
				add("aquasecurity:trivy:SrcRelease", release)
				add("aquasecurity:trivy:SrcEpoch", epoch)
			}
		}
		add("syft:package:type", p.Ecosystem)
	}
	for i, at := range p.Paths {
		add(fmt.Sprintf("syft:location:%d:path", i), at)
	}
	return out
}

type cdxOut struct {
	Type       string       `json:"type"`
	Ref        string       `json:"bom-ref,omitempty"`
	Supplier   *cdxSupplier `json:"supplier,omitempty"`
	Group      string       `json:"group,omitempty"`
	Name       string       `json:"name"`
	Version    string       `json:"version,omitempty"`
	PURL       string       `json:"purl,omitempty"`
	Properties []property   `json:"properties,omitempty"`
}

type cdxSupplier struct {
	Name string `json:"name"`
}

func (e *encoder) cyclonedx(s *System) {
	type tools struct {
		Components []cdxOut `json:"components"`
	}
	type metadata struct {
		Timestamp  string     `json:"timestamp"`
		Tools      tools      `json:"tools"`
		Component  cdxOut     `json:"component"`
		Properties []property `json:"properties"`
	}
	e.text("{\n  \"$schema\": \"http://cyclonedx.org/schema/bom-1.6.schema.json\",\n  \"bomFormat\": \"CycloneDX\",\n  \"specVersion\": \"1.6\"")
	e.text(",\n  \"serialNumber\": \"urn:uuid:" + s.uuid() + "\",\n  \"version\": 1,\n  \"metadata\": ")
	root := "device/" + string(s.ID)
	e.value(metadata{
		Timestamp: s.made(), Tools: tools{[]cdxOut{{Type: "application", Name: "picket", Version: s.Version}}},
		Component: cdxOut{Type: "device", Ref: root, Name: s.Name}, Properties: s.facts(),
	}, 1)
	var head []cdxOut
	if s.OS.ID != "" {
		head = append(head, osComponent(&s.OS))
	}
	list(e, "components", len(head)+len(s.Packages), func(i int) cdxOut {
		if i < len(head) {
			return head[i]
		}
		n := &s.Packages[i-len(head)]
		c := cdxOut{Type: "library", Ref: string(n.Section) + "/" + n.Key, Name: n.Package.Name, Version: n.Package.Version, PURL: n.PURL,
			Properties: append(n.ours(), n.others(&s.OS)...)}
		if n.Section == inventory.Java {
			if group, name, ok := strings.Cut(c.Name, ":"); ok && group != "" {
				c.Group, c.Name = group, name
			}
		}
		if n.Package.Vendor != "" {
			c.Supplier = &cdxSupplier{n.Package.Vendor}
		}
		return c
	})
	type dependency struct {
		Ref string   `json:"ref"`
		On  []string `json:"dependsOn,omitempty"`
	}
	all := dependency{Ref: root}
	for i := range head {
		all.On = append(all.On, head[i].Ref)
	}
	for i := range s.Packages {
		all.On = append(all.On, string(s.Packages[i].Section)+"/"+s.Packages[i].Key)
	}
	slices.Sort(all.On)
	all.On = slices.Compact(all.On) // the format wants them unique
	list(e, "dependencies", 1, func(int) dependency { return all })
	e.text("\n}\n")
}

// osComponent is the operating system in the forms of Syft and Trivy.
func osComponent(o *inventory.OS) cdxOut {
	c := cdxOut{Type: "operating-system", Ref: "os", Name: o.ID, Version: o.VersionID}
	add := func(name, value string) {
		if value != "" {
			c.Properties = append(c.Properties, property{name, value})
		}
	}
	add("aquasecurity:trivy:Class", "os-pkgs")
	add("aquasecurity:trivy:Type", trivyFamily(o.ID))
	add("syft:distro:id", o.ID)
	for i, like := range o.IDLike {
		add(fmt.Sprintf("syft:distro:idLike:%d", i), like)
	}
	add("syft:distro:prettyName", o.PrettyName)
	add("syft:distro:versionCodename", o.Codename)
	add("syft:distro:versionID", o.VersionID)
	return c
}

// SystemOf takes from a device's sections what is written of it. purl gives
// the package URL of a package.
func SystemOf(id inventory.DeviceID, name, version string, sections map[inventory.SectionName]*inventory.Section,
	purl func(inventory.OS, inventory.Package) string) *System {
	s := &System{ID: id, Name: name, Version: version, Restart: []inventory.RestartNeed{}}
	for _, n := range append(slices.Clone(inventory.SectionNames), inventory.SBOM) {
		sec := sections[n]
		if sec == nil {
			continue
		}
		if sec.SeenAt.After(s.Made) {
			s.Made = sec.SeenAt
		}
		if sec.Status == inventory.Partial && !slices.Contains(inventory.SettingSections, n) {
			s.Partial = append(s.Partial, Partial{n, sec.Reason})
		}
		switch n {
		case inventory.OSSection:
			if list, _ := inventory.Decode[inventory.OS](sec); len(list) > 0 {
				s.OS = list[0]
			}
		case inventory.Kernel:
			if list, _ := inventory.Decode[inventory.KernelFact](sec); len(list) > 0 {
				s.Kernel = &list[0]
			}
		case inventory.Restart:
			s.Restart, _ = inventory.Decode[inventory.RestartNeed](sec)
		default:
			if n != inventory.SBOM && !slices.Contains(inventory.PackageSections, n) {
				continue
			}
			for _, it := range sec.Items {
				var p inventory.Package
				if json.Unmarshal(it.Value, &p) == nil && p.Name != "" {
					s.Packages = append(s.Packages, Entry{Section: n, Key: it.Key, Package: p, PURL: purl(s.OS, p)})
				}
			}
		}
	}
	return s
}
