package vex

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var at0 = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// lines shows what a document says, one product a line.
func lines(d *Document) []string {
	var out []string
	for _, s := range d.Statements {
		for _, p := range s.Products {
			l := fmt.Sprintf("%s %s %s", s.Weakness, s.Status, p.PURL)
			if s.Justification != "" {
				l += " because " + s.Justification
			}
			if p.From+p.To != "" {
				l += " versions " + p.From + ".." + p.To
			}
			if p.Problem != "" {
				l += " problem: " + p.Problem + " (" + p.Name + ")"
			}
			out = append(out, l)
		}
	}
	return out
}

func TestDecode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, doc, id, author, version string
		want                           []string
	}{
		{"OpenVEX", `{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://x.test/vex/1","author":"X","timestamp":"2026-11-20T09:00:00Z","version":2,"statements":[
			{"vulnerability":{"name":"CVE-2026-1"},"products":[{"@id":"pkg:deb/debian/openssl@3.0.11-1?distro=debian-12"},{"@id":"x","identifiers":{"purl":"pkg:npm/a@1"}}],"status":"not_affected","justification":"vulnerable_code_not_present"},
			{"vulnerability":"CVE-2026-2","products":["pkg:npm/b"],"status":"under_investigation"},
			{"vulnerability":{"name":"CVE-2026-3"},"products":[{"@id":"pkg:oci/img","subcomponents":[{"@id":"pkg:npm/c"}]},{"@id":"Acme Tool"}],"status":"fixed"}]}`,
			"https://x.test/vex/1", "X", "2", []string{
				"CVE-2026-1 not_affected pkg:deb/debian/openssl@3.0.11-1?distro=debian-12 because vulnerable_code_not_present",
				"CVE-2026-1 not_affected pkg:npm/a@1 because vulnerable_code_not_present",
				"CVE-2026-2 under_investigation pkg:npm/b",
				"CVE-2026-3 fixed pkg:oci/img problem: " + partOfAnother + " (pkg:oci/img)",
				"CVE-2026-3 fixed  problem: it has no package URL, and nothing is matched by name (Acme Tool)"}},
		{"CSAF", `{"document":{"category":"csaf_vex","csaf_version":"2.0","title":"T","publisher":{"name":"P"},"tracking":{"id":"V-1","version":"1.0.1","current_release_date":"2026-11-20T09:00:00Z"}},
			"product_tree":{"branches":[{"branches":[{"product":{"product_id":"a","name":"A 1","product_identification_helper":{"purl":"pkg:rpm/redhat/a@1"}}}]}],
			"full_product_names":[{"product_id":"b","name":"B"}],"relationships":[{"full_product_name":{"product_id":"c","name":"A in L"}}]},
			"vulnerabilities":[{"cve":"CVE-2026-1","product_status":{"known_not_affected":["a"],"fixed":["b","c","d"]},"flags":[{"label":"component_not_present","product_ids":["a"]}]}]}`,
			"V-1", "P", "1.0.1", []string{
				"CVE-2026-1 not_affected pkg:rpm/redhat/a@1 because component_not_present",
				"CVE-2026-1 fixed  problem: it has no package URL, and nothing is matched by name (B)",
				"CVE-2026-1 fixed  problem: " + partOfAnother + " (A in L)",
				"CVE-2026-1 fixed  problem: the product tree does not name it (d)"}},
		{"CycloneDX", `{"bomFormat":"CycloneDX","specVersion":"1.6","serialNumber":"urn:uuid:1","version":3,"metadata":{"timestamp":"2026-11-20T09:00:00Z","supplier":{"name":"S"}},
			"components":[{"bom-ref":"r","name":"a","purl":"pkg:npm/a","components":[{"bom-ref":"i","name":"in","purl":"pkg:npm/in@1"}]}],"vulnerabilities":[
			{"id":"CVE-2026-1","analysis":{"state":"not_affected","justification":"code_not_reachable","detail":"d"},"affects":[{"ref":"r","versions":[{"version":"1.0"},{"range":"vers:npm/>=2|<=3"},{"range":"vers:npm/<4"}]},{"ref":"i"},{"ref":"urn:cdx:x/1#pkg:npm/z@9"},{"ref":"nothing"}]},
			{"id":"CVE-2026-2","analysis":{"state":"exploitable"},"affects":[{"ref":"r"}]},{"id":"CVE-2026-3","affects":[{"ref":"r"}]}]}`,
			"urn:uuid:1", "S", "3", []string{
				"CVE-2026-1 not_affected pkg:npm/a because code_not_reachable versions 1.0..1.0",
				"CVE-2026-1 not_affected pkg:npm/a because code_not_reachable versions 2..3",
				"CVE-2026-1 not_affected pkg:npm/a because code_not_reachable problem: its range of versions cannot be taken: vers:npm/<4 (a)",
				"CVE-2026-1 not_affected pkg:npm/in@1 because code_not_reachable",
				"CVE-2026-1 not_affected pkg:npm/z@9 because code_not_reachable",
				"CVE-2026-1 not_affected  because code_not_reachable problem: the document does not say what it is (nothing)",
				"CVE-2026-2 affected pkg:npm/a"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := Decode([]byte(tt.doc))
			if err != nil {
				t.Fatal(err)
			}
			if d.ID != tt.id || d.Author != tt.author || d.Version != tt.version || !d.Made.Equal(at0) {
				t.Errorf("document = %q of %q, version %q, %s", d.ID, d.Author, d.Version, d.Made)
			}
			if diff := cmp.Diff(tt.want, lines(d)); diff != "" {
				t.Errorf("statements (-want +got):\n%s", diff)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]string{
		"":                                    "the document is empty",
		"{\n\"a\":":                           "line 2, column 5: the document ends in the middle: it was cut off",
		`{} {}`:                               "line 1, column 5: something follows",
		`{"a":1}`:                             "this is no document that can be read",
		strings.Repeat("[", 200):              "values are nested deeper than 100",
		`{"@context":"openvex","@id":1}`:      `"@id" is a number where the format has another type`,
		`{"@context":"openvex","author":"x"}`: "the document has no id",
		`{"@context":"openvex","@id":"x"}`:    "the document has no author",
		`{"@context":"openvex","@id":"x","author":"y","statements":[{"status":"maybe"}]}`: `statements[0]: status "maybe" is not known`,
		`{"document":{"category":"csaf_security_advisory","csaf_version":"2.0"}}`:         "csaf_vex is read",
		`{"bomFormat":"CycloneDX"}`: "has no vulnerabilities",
		`{"bomFormat":"CycloneDX","vulnerabilities":[{"id":"CVE-1","analysis":{"state":"perhaps"}}]}`: `analysis.state "perhaps" is not known`,
	} {
		if _, err := Decode([]byte(doc)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Decode(%.60s) = %v, want %s", doc, err, want)
		}
	}
}

func report() *Report {
	p := func(s string) []Product { return []Product{{PURL: s}} }
	return &Report{Subject: "device 1", Title: "host <1>", Author: "Picket at home", Tool: "1.0", Made: at0, Statements: []Statement{
		{Weakness: "CVE-2026-1000", Status: Affected, Action: "Update openssl to 3.0.17-1.", Products: p("pkg:deb/debian/openssl@3.0.11-1?arch=source&distro=debian-12")},
		{Weakness: "CVE-2026-2000", Status: NotAffected, Justification: CodeNotInPath, Detail: "not running", Products: p("pkg:deb/debian/linux@6.1?arch=source")},
		{Weakness: "GHSA-x", Status: UnderInvestigation, Products: p("pkg:npm/a@1")},
		{Weakness: "CVE-2026-3000", Status: Fixed, Products: p("pkg:npm/a@1")},
		{Weakness: "CVE-2026-1000", Status: Affected, Products: p("pkg:npm/a@1")},
	}}
}

// What is written is read again with the same meaning, and equal reports are equal bytes.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, f := range []Format{OpenVEX, CSAF, CycloneDX} {
		r := report()
		var b bytes.Buffer
		if err := Encode(&b, f, r); err != nil {
			t.Fatal(err)
		}
		if !json.Valid(b.Bytes()) || strings.Contains(b.String(), "<") || !equal(r, report(), f) {
			t.Errorf("%s: %s", f, b.String())
		}
		d, err := Decode(b.Bytes())
		if err != nil {
			t.Fatalf("%s: %v\n%s", f, err, b.String())
		}
		got := map[string]int{}
		for _, s := range d.Statements {
			for _, p := range s.Products {
				got[s.Weakness+" "+string(s.Status)+" "+p.PURL+" "+label(s.Justification)]++
			}
		}
		want := map[string]int{}
		for _, s := range r.Statements {
			for _, p := range s.Products {
				want[s.Weakness+" "+string(s.Status)+" "+p.PURL+" "+s.Justification]++
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", f, diff)
		}
		if d.Format != f || d.Author != "Picket at home" || d.ID == "" || !d.Made.Equal(at0) {
			t.Errorf("%s: %+v", f, d)
		}
	}
}

// equal says whether two reports are written alike.
func equal(a, b *Report, f Format) bool {
	var x, y bytes.Buffer
	return Encode(&x, f, a) == nil && Encode(&y, f, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

func FuzzDecode(f *testing.F) {
	for _, format := range []Format{OpenVEX, CSAF, CycloneDX} {
		var b bytes.Buffer
		if err := Encode(&b, format, report()); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Decode(data)
		if err != nil {
			return
		}
		if d.ID == "" || d.Author == "" || !d.Format.Valid() {
			t.Fatalf("%+v", d)
		}
		for _, s := range d.Statements {
			if !s.Status.valid() {
				t.Fatalf("status %q", s.Status)
			}
			for _, p := range s.Products {
				if p.PURL == "" && p.Problem == "" {
					t.Fatal("a product without a package URL has no problem")
				}
			}
		}
		for _, format := range []Format{OpenVEX, CSAF, CycloneDX} {
			var b bytes.Buffer
			if err := Encode(&b, format, &Report{Subject: d.ID, Title: d.Title, Author: d.Author, Tool: d.Version, Made: d.Made, Statements: d.Statements}); err != nil {
				t.Fatalf("%s: %v", format, err)
			}
			if again, err := Decode(b.Bytes()); err != nil || again.Author != d.Author {
				t.Fatalf("%s is written so that it cannot be read: %v\n%s", format, err, b.String())
			}
		}
	})
}
