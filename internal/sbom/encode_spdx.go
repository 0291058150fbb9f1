package sbom

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/picketsec/picket/internal/inventory"
)

type spdxOut struct {
	Name        string        `json:"name"`
	ID          string        `json:"SPDXID"`
	Version     string        `json:"versionInfo,omitempty"`
	Supplier    string        `json:"supplier"`
	Location    string        `json:"downloadLocation"`
	Analyzed    bool          `json:"filesAnalyzed"`
	About       string        `json:"sourceInfo,omitempty"`
	Concluded   string        `json:"licenseConcluded"`
	Declared    string        `json:"licenseDeclared"`
	Copyright   string        `json:"copyrightText"`
	Externals   []spdxRefOut  `json:"externalRefs,omitempty"`
	Purpose     string        `json:"primaryPackagePurpose,omitempty"`
	Annotations []spdxNoteOut `json:"annotations,omitempty"`
}

type spdxRefOut struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
}

type spdxNoteOut struct {
	Date      string `json:"annotationDate"`
	Type      string `json:"annotationType"`
	Annotator string `json:"annotator"`
	Comment   string `json:"comment"`
}

type spdxRelationOut struct {
	From string `json:"spdxElementId"`
	Type string `json:"relationshipType"`
	To   string `json:"relatedSpdxElement"`
}

// spdxID is an id of letters, digits, "." and "-" alone.
func spdxID(kind, text string) string {
	sum := sha256.Sum256([]byte(text))
	return "SPDXRef-" + kind + "-" + hex.EncodeToString(sum[:12])
}

func (e *encoder) spdx(s *System) {
	made := s.made()
	tool := "Tool: picket-" + strings.TrimSpace(s.Version)
	notes := func(list []property) []spdxNoteOut {
		out := make([]spdxNoteOut, len(list))
		for i, p := range list {
			out[i] = spdxNoteOut{Date: made, Type: "OTHER", Annotator: tool, Comment: p.Name + " " + p.Value}
		}
		return out
	}
	blank := func(name, id, purpose string) spdxOut {
		return spdxOut{Name: name, ID: id, Supplier: "NOASSERTION", Location: "NOASSERTION", Concluded: "NOASSERTION", Declared: "NOASSERTION",
			Copyright: "NOASSERTION", Purpose: purpose}
	}
	root := "SPDXRef-Device-" + string(s.ID)
	head := []spdxOut{blank(s.Name, root, "DEVICE")}
	head[0].Annotations = notes(s.facts())
	if s.OS.ID != "" {
		o := blank(s.OS.ID, "SPDXRef-OperatingSystem", "OPERATING-SYSTEM")
		o.Version = s.OS.VersionID
		head = append(head, o)
	}
	e.text("{\n  \"spdxVersion\": \"SPDX-2.3\",\n  \"dataLicense\": \"CC0-1.0\",\n  \"SPDXID\": \"SPDXRef-DOCUMENT\",\n  \"name\": ")
	e.value(s.Name, 1)
	e.text(",\n  \"documentNamespace\": \"urn:uuid:" + s.uuid() + "\",\n  \"creationInfo\": ")
	e.value(struct {
		Created  string   `json:"created"`
		Creators []string `json:"creators"`
	}{made, []string{tool}}, 1)
	ids := make([]string, len(s.Packages))
	for i := range s.Packages {
		ids[i] = spdxID("Package", string(s.Packages[i].Section)+"/"+s.Packages[i].Key)
	}
	list(e, "packages", len(head)+len(s.Packages), func(i int) spdxOut {
		if i < len(head) {
			return head[i]
		}
		i -= len(head)
		n := &s.Packages[i]
		p := &n.Package
		out := blank(p.Name, ids[i], "LIBRARY")
		out.Version = p.Version
		if p.Vendor != "" {
			out.Supplier = "Organization: " + p.Vendor
		}
		switch n.Section {
		case inventory.DPKG, inventory.RPM, inventory.APK:
			if p.Source != "" && !p.NoSource {
				out.About = trivySource + p.Source + " " + p.SourceVersion
			}
		}
		if n.PURL != "" {
			out.Externals = []spdxRefOut{{"PACKAGE-MANAGER", "purl", n.PURL}}
		}
		out.Annotations = notes(n.ours())
		return out
	})
	parts := make([]string, 0, len(head)+len(ids))
	for _, h := range head[1:] {
		parts = append(parts, h.ID)
	}
	parts = append(parts, ids...)
	list(e, "relationships", 1+len(parts), func(i int) spdxRelationOut {
		if i == 0 {
			return spdxRelationOut{"SPDXRef-DOCUMENT", "DESCRIBES", root}
		}
		return spdxRelationOut{root, "CONTAINS", parts[i-1]}
	})
	e.text("\n}\n")
}
