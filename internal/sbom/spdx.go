package sbom

import (
	"bytes"
	"fmt"
	"strings"
)

// spdxPackage is a package of SPDX.
type spdxPackage struct {
	ID          string           `json:"SPDXID"`
	Name        string           `json:"name"`
	Version     string           `json:"versionInfo"`
	Supplier    string           `json:"supplier"`
	About       string           `json:"sourceInfo"`
	Purpose     string           `json:"primaryPackagePurpose"`
	Externals   []spdxExternal   `json:"externalRefs"`
	Annotations []spdxAnnotation `json:"annotations"`
	Texts       []string         `json:"attributionTexts"`
}

type spdxExternal struct {
	Type    string `json:"referenceType"`
	Locator string `json:"referenceLocator"`
}

type spdxAnnotation struct {
	Annotator string `json:"annotator"`
	Comment   string `json:"comment"`
}

type spdxRelation struct {
	From    string `json:"spdxElementId"`
	Type    string `json:"relationshipType"`
	To      string `json:"relatedSpdxElement"`
	Comment string `json:"comment"`
}

// Words at the start of annotations and of sourceInfo.
const (
	picketWord  = "picket:"
	trivyWord   = "aquasecurity:trivy:"
	trivySource = "built package from: "
	overlapWord = "ownership-by-file-overlap"
)

func (p *spdxPackage) component() component {
	c := component{ref: p.ID, kind: strings.ToLower(p.Purpose), name: p.Name, version: p.Version, about: p.About}
	if c.kind == "" {
		c.kind = "library"
	}
	for _, who := range []string{"Organization: ", "Person: "} {
		if v, ok := strings.CutPrefix(p.Supplier, who); ok {
			c.vendor = v
		}
	}
	for _, e := range p.Externals {
		if e.Type == "purl" && c.purl == "" {
			c.purl = e.Locator
		}
	}
	for _, a := range p.Annotations {
		c.annotate(a.Annotator, a.Comment)
	}
	for _, t := range p.Texts {
		c.annotate("Tool: trivy", t)
	}
	return c
}

// annotate takes what tools write into annotations as properties: our own
// "picket:item dpkg/…", Trivy's "PkgType: debian".
func (c *component) annotate(annotator, text string) {
	switch {
	case strings.HasPrefix(text, picketWord):
		if name, value, ok := strings.Cut(text, " "); ok {
			c.props = append(c.props, property{name, value})
		}
	case strings.HasPrefix(strings.ToLower(annotator), "tool: trivy"):
		if name, value, ok := strings.Cut(text, ": "); ok {
			c.props = append(c.props, property{trivyWord + name, value})
		}
	}
}

// spdxOf refuses versions that are not read.
func spdxOf(version string) (string, error) {
	switch v := strings.TrimPrefix(version, "SPDX-"); v {
	case "2.2", "2.3":
		return v, nil
	}
	return "", fmt.Errorf("%.40q is not read: SPDX-2.3 is", version)
}

func parseSPDX(data []byte, version string) (*bom, error) {
	spec, err := spdxOf(version)
	if err != nil {
		return nil, &Error{Line: 1, Column: 1, Place: "spdxVersion", Text: err.Error()}
	}
	r := newReader(data)
	s := spdx{bom: bom{format: SPDX, spec: spec}}
	err = r.object("", func(key string) error {
		switch key {
		case "name":
			return r.value(key, &s.name)
		case "documentNamespace":
			return r.value(key, &s.serial)
		case "creationInfo":
			var v struct {
				Created  string   `json:"created"`
				Creators []string `json:"creators"`
			}
			if err := r.value(key, &v); err != nil {
				return err
			}
			s.made = parseTime(v.Created)
			for _, c := range v.Creators {
				s.creator(c)
			}
			return nil
		case "documentDescribes":
			return r.value(key, &s.roots)
		case "packages":
			return r.list(key, MaxComponents, func(at string) error {
				var p spdxPackage
				if err := r.value(at, &p); err != nil {
					return err
				}
				s.parts = append(s.parts, p.component())
				return nil
			})
		case "relationships":
			return r.list(key, 10*MaxComponents, func(at string) error {
				var rel spdxRelation
				if err := r.value(at, &rel); err != nil {
					return err
				}
				s.relate(rel)
				return nil
			})
		}
		return r.skip(key)
	})
	if err != nil {
		return nil, err
	}
	return s.done(), nil
}

// spdx is a document while it is read.
type spdx struct {
	bom
	roots  []string
	claims []spdxRelation // package From owns the files of package To
}

func (s *spdx) creator(text string) {
	if tool, ok := strings.CutPrefix(text, "Tool: "); ok && len(s.tools) < 20 {
		s.tools = append(s.tools, clean(tool, maxText))
	}
}

func (s *spdx) relate(r spdxRelation) {
	switch {
	case r.Type == "DESCRIBES" && r.From == "SPDXRef-DOCUMENT":
		s.roots = append(s.roots, r.To)
	case r.Type == "DESCRIBED_BY" && r.To == "SPDXRef-DOCUMENT":
		s.roots = append(s.roots, r.From)
	case strings.HasPrefix(r.Comment, overlapWord) && len(s.claims) < MaxComponents:
		s.claims = append(s.claims, r)
	}
}

// done joins what was read in any order.
func (s *spdx) done() *bom {
	at := make(map[string]int, len(s.parts))
	for i := range s.parts {
		at[s.parts[i].ref] = i
	}
	for _, id := range s.roots {
		i, ok := at[id]
		if !ok {
			continue
		}
		if s.subject.name == "" {
			s.subject = s.parts[i]
			s.props = s.parts[i].props
		}
		if len(s.roots) == 1 { // it is what is described, not a part of it
			s.parts[i].kind = subjectKind
		}
	}
	s.owners = map[string]string{}
	for _, c := range s.claims {
		if i, ok := at[c.From]; ok {
			s.owners[c.To] = s.parts[i].name
			s.ownership = true
		}
	}
	return &s.bom
}

// subjectKind marks the described thing among the parts.
const subjectKind = "subject"

// parseTagValue reads SPDX in its line form.
func parseTagValue(data []byte) (*bom, error) {
	s := spdx{bom: bom{format: SPDX}}
	var pkg *spdxPackage
	var note spdxAnnotation
	var rel *spdxRelation
	inFile := false
	line := 0
	flush := func() {
		if rel != nil {
			s.relate(*rel)
			rel = nil
		}
	}
	end := func() {
		if pkg != nil {
			s.parts = append(s.parts, pkg.component())
			pkg = nil
		}
	}
	for rest := data; len(rest) > 0; {
		var raw []byte
		raw, rest, _ = bytes.Cut(rest, []byte("\n"))
		line++
		at := line
		tag, value, ok := strings.Cut(strings.TrimRight(string(raw), "\r"), ":")
		if !ok || strings.HasPrefix(tag, "#") {
			continue
		}
		value = strings.TrimSpace(value)
		if text, open := strings.CutPrefix(value, "<text>"); open {
			var all strings.Builder
			last, closed := strings.CutSuffix(text, "</text>")
			all.WriteString(last)
			for !closed && len(rest) > 0 && all.Len() < 1<<20 {
				raw, rest, _ = bytes.Cut(rest, []byte("\n"))
				line++
				last, closed = strings.CutSuffix(strings.TrimRight(string(raw), "\r"), "</text>")
				all.WriteString("\n" + last)
			}
			value = all.String()
			if !closed {
				return nil, &Error{Line: at, Column: 1, Place: tag, Text: "<text> is not closed within 1 MiB: the document was cut off"}
			}
		}
		switch tag {
		case "SPDXVersion":
			spec, err := spdxOf(value)
			if err != nil {
				return nil, &Error{Line: at, Column: 1, Place: tag, Text: err.Error()}
			}
			s.spec = spec
		case "DocumentName":
			s.name = value
		case "DocumentNamespace":
			s.serial = value
		case "Creator":
			s.creator(value)
		case "Created":
			s.made = parseTime(value)
		case "PackageName":
			end()
			inFile = false
			pkg = &spdxPackage{Name: value}
			if len(s.parts) >= MaxComponents {
				return nil, &Error{Line: at, Column: 1, Text: fmt.Sprintf("the document has more than %d components", MaxComponents)}
			}
		case "FileName", "SnippetSPDXID":
			end()
			inFile = true
		case "Relationship":
			flush()
			if f := strings.Fields(value); len(f) == 3 {
				rel = &spdxRelation{From: f[0], Type: f[1], To: f[2]}
			}
		case "RelationshipComment":
			if rel != nil {
				rel.Comment = value
			}
		case "Annotator":
			note = spdxAnnotation{Annotator: value}
		case "AnnotationComment":
			note.Comment = value
			if pkg != nil && len(pkg.Annotations) < 100 {
				pkg.Annotations = append(pkg.Annotations, note)
			}
		}
		if pkg == nil || inFile {
			continue
		}
		switch tag {
		case "SPDXID":
			pkg.ID = value
		case "PackageVersion":
			pkg.Version = value
		case "PackageSupplier":
			pkg.Supplier = value
		case "PackageSourceInfo":
			pkg.About = value
		case "PrimaryPackagePurpose":
			pkg.Purpose = value
		case "PackageAttributionText":
			pkg.Texts = append(pkg.Texts, value)
		case "ExternalRef":
			if f := strings.Fields(value); len(f) == 3 {
				pkg.Externals = append(pkg.Externals, spdxExternal{f[1], f[2]})
			}
		}
	}
	flush()
	end()
	if s.spec == "" {
		return nil, &Error{Line: 1, Column: 1, Text: "SPDXVersion is missing"}
	}
	return s.done(), nil
}
