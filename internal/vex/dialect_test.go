package vex

import (
	"fmt"
	"strings"
	"testing"
)

// told is a document in a line: per statement the weakness, its status, what is
// said of it, and its products with their bounds and problems.
func told(d *Document) string {
	var out []string
	for _, s := range d.Statements {
		var products []string
		for _, p := range s.Products {
			at := p.PURL
			if at == "" {
				at = "(" + p.Name + ")"
			}
			if p.From != "" || p.To != "" {
				at += "[" + p.From + "," + p.To + "]"
			}
			if p.Problem != "" {
				at += "!"
			}
			products = append(products, at)
		}
		out = append(out, fmt.Sprintf("%s %s %q %s", s.Weakness, s.Status, s.Detail, strings.Join(products, " ")))
	}
	return d.Author + ": " + strings.Join(out, "; ")
}

// Each form that documents of a dialect have is read as what it says.
func TestDialects(t *testing.T) {
	open := func(statement string) string {
		return `{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.example/1","author":"A","timestamp":"2026-01-02T03:04:05Z","version":1,"statements":[` + statement + `]}`
	}
	csaf := func(vulnerability string) string {
		return `{"document":{"category":"csaf_vex","csaf_version":"2.0","title":"t","publisher":{"name":"A","namespace":"https://e.example","category":"vendor"},"tracking":{"id":"1","version":"1","current_release_date":"2026-01-02T03:04:05Z"}},
			"product_tree":{"full_product_names":[{"product_id":"p","name":"p","product_identification_helper":{"purl":"pkg:deb/debian/p@1"}},
			{"product_id":"q","name":"q","product_identification_helper":{"purls":["pkg:deb/debian/q@1","pkg:deb/debian/q@2"]}}]},"vulnerabilities":[` + vulnerability + `]}`
	}
	cdx := func(metadata, vulnerability string) string {
		return `{"bomFormat":"CycloneDX","specVersion":"1.6","serialNumber":"urn:uuid:1","version":1,"metadata":{"timestamp":"2026-01-02T03:04:05Z",` + metadata +
			`},"components":[{"type":"library","bom-ref":"r","name":"r","purl":"pkg:deb/debian/r@1"}],"vulnerabilities":[` + vulnerability + `]}`
	}
	who := `"authors":[{"name":"A"}]`
	for _, tt := range []struct{ name, document, want string }{
		{"OpenVEX: a vulnerability by its address", open(`{"vulnerability":{"@id":"CVE-2026-1"},"products":[{"@id":"pkg:deb/debian/p@1"}],"status":"fixed"}`), `A: CVE-2026-1 fixed "" pkg:deb/debian/p@1`},
		{"OpenVEX: notes where no impact is stated", open(`{"vulnerability":{"name":"CVE-2026-1"},"products":[{"@id":"pkg:deb/debian/p@1"}],"status":"under_investigation","status_notes":"wait"}`),
			`A: CVE-2026-1 under_investigation "wait" pkg:deb/debian/p@1`},
		{"CSAF: several package URLs, the first counts", csaf(`{"cve":"CVE-2026-1","product_status":{"fixed":["q"]}}`), `A: CVE-2026-1 fixed "" pkg:deb/debian/q@1`},
		{"CSAF: first affected", csaf(`{"cve":"CVE-2026-1","product_status":{"first_affected":["p"]}}`), `A: CVE-2026-1 affected "" pkg:deb/debian/p@1`},
		{"CSAF: last affected", csaf(`{"cve":"CVE-2026-1","product_status":{"last_affected":["p"]}}`), `A: CVE-2026-1 affected "" pkg:deb/debian/p@1`},
		{"CSAF: first fixed", csaf(`{"cve":"CVE-2026-1","product_status":{"first_fixed":["p"]}}`), `A: CVE-2026-1 fixed "" pkg:deb/debian/p@1`},
		{"CycloneDX: a false positive", cdx(who, `{"id":"CVE-2026-1","analysis":{"state":"false_positive"},"affects":[{"ref":"r"}]}`), `A: CVE-2026-1 not_affected "" pkg:deb/debian/r@1`},
		{"CycloneDX: resolved with a pedigree", cdx(who, `{"id":"CVE-2026-1","analysis":{"state":"resolved_with_pedigree"},"affects":[{"ref":"r"}]}`), `A: CVE-2026-1 fixed "" pkg:deb/debian/r@1`},
		{"CycloneDX: a reference that is a package URL", cdx(who, `{"id":"CVE-2026-1","analysis":{"state":"exploitable"},"affects":[{"ref":"pkg:deb/debian/x@1"}]}`), `A: CVE-2026-1 affected "" pkg:deb/debian/x@1`},
		{"CycloneDX: every version", cdx(who, `{"id":"CVE-2026-1","analysis":{"state":"exploitable"},"affects":[{"ref":"r","versions":[{"range":"vers:deb/*"}]}]}`), `A: CVE-2026-1 affected "" pkg:deb/debian/r@1`},
		{"CycloneDX: the manufacturer as 1.4 writes it", cdx(`"manufacture":{"name":"M"}`, `{"id":"CVE-2026-1","analysis":{"state":"exploitable"},"affects":[{"ref":"r"}]}`), `M: CVE-2026-1 affected "" pkg:deb/debian/r@1`},
		{"CycloneDX: the document's own subject", cdx(who+`,"component":{"type":"application","bom-ref":"s","name":"s","purl":"pkg:deb/debian/s@1"}`, `{"id":"CVE-2026-1","analysis":{"state":"exploitable"},"affects":[{"ref":"s"}]}`),
			`A: CVE-2026-1 affected "" pkg:deb/debian/s@1`},
	} {
		d, err := Decode([]byte(tt.document))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := told(d); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
	many := csaf(`{"cve":"CVE-2026-1","product_status":{"fixed":["p"` + strings.Repeat(`,"p"`, MaxStatements) + `]}}`)
	if _, err := Decode([]byte(many)); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("a document with too many statements about products: %v", err)
	}
}
