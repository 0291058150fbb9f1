package vex

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	_ "github.com/CycloneDX/cyclonedx-go" // its module carries the published schemas
	"github.com/gocsaf/csaf/v3/csaf"
	openvex "github.com/openvex/go-vex/pkg/vex"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// cdxSchema is the published schema of CycloneDX 1.6.
var cdxSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		return nil, fmt.Errorf("find the module with the schemas: %w", err)
	}
	const base = "http://cyclonedx.org/schema/"
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for _, name := range []string{"bom-1.6.schema.json", "spdx.schema.json", "jsf-0.82.schema.json"} {
		// One of the files has another ending than its id.
		files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "schema", strings.TrimSuffix(name, ".json")+"*.json"))
		if err != nil || len(files) != 1 {
			return nil, fmt.Errorf("schema %s: %d files, %w", name, len(files), err)
		}
		data, err := os.ReadFile(files[0])
		if err != nil {
			return nil, err
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("schema %s: %w", name, err)
		}
		if err := c.AddResource(base+name, doc); err != nil {
			return nil, err
		}
	}
	return c.Compile(base + "bom-1.6.schema.json")
})

// faults says what a document has against what is published of its format: the
// schemas of CSAF and CycloneDX, the library of the OpenVEX project and the
// fields that its specification demands.
func faults(f Format, data []byte) ([]string, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	switch f {
	case CSAF:
		return csaf.ValidateCSAF(doc)
	case CycloneDX:
		s, err := cdxSchema()
		if err != nil {
			return nil, err
		}
		if err := s.Validate(doc); err != nil {
			return []string{err.Error()}, nil
		}
		return nil, nil
	}
	var out []string
	v, err := openvex.Parse(data)
	if err != nil {
		return []string{err.Error()}, nil
	}
	for i := range v.Statements {
		if err := v.Statements[i].Validate(); err != nil {
			out = append(out, fmt.Sprintf("statements[%d]: %v", i, err))
		}
	}
	return append(out, openFields("", doc, map[string]string{
		"":                                   "@context @id author timestamp version statements | role last_updated tooling supplier",
		".statements":                        "vulnerability products status | @id version timestamp last_updated supplier status_notes justification impact_statement impact_statement_timestamp action_statement action_statement_timestamp",
		".statements.vulnerability":          "name | @id description aliases",
		".statements.products":               "@id | identifiers hashes subcomponents supplier",
		".statements.products.identifiers":   "| purl cpe22 cpe23",
		".statements.products.subcomponents": "@id | identifiers hashes supplier",
	})...), nil
}

// openFields lists the fields that are missing, or unknown, below a place of an OpenVEX document.
func openFields(at string, v any, known map[string]string) (out []string) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			out = append(out, openFields(at, e, known)...)
		}
	case map[string]any:
		must, may, _ := strings.Cut(known[at], "|")
		for _, k := range strings.Fields(must) {
			if v[k] == nil || v[k] == "" {
				out = append(out, at+"."+k+" is missing")
			}
		}
		for k, e := range v {
			if !slices.Contains(strings.Fields(must+" "+may), k) {
				out = append(out, at+"."+k+" is no field of it")
			}
			out = append(out, openFields(at+"."+k, e, known)...)
		}
	}
	return out
}

// What is written is what is published of each format, for every kind of
// statement; what is not is seen.
func TestPublishedSchemas(t *testing.T) {
	t.Parallel()
	r := report()
	for _, j := range []string{ComponentNotPresent, CodeNotPresent, CodeNotInPath, NotControllable, InlineMitigations, "protected_at_perimeter", ""} {
		for _, s := range []Status{Affected, NotAffected, Fixed, UnderInvestigation} {
			for _, w := range []string{"CVE-2026-4000", "GHSA-aaaa-bbbb-cccc", "DSA-1-1"} {
				st := Statement{Weakness: w, Status: s, Detail: "words <&> \u2028 \"q\"", Action: "Update it.", Products: []Product{{PURL: "pkg:deb/debian/a@1%3A2?arch=source"}, {PURL: "pkg:npm/%40x/y@1"}}}
				if s == NotAffected {
					st.Justification = j
				}
				r.Statements = append(r.Statements, st, Statement{Weakness: w + "1", Status: s, Justification: st.Justification, Products: st.Products[:1]})
			}
		}
	}
	for _, f := range []Format{OpenVEX, CSAF, CycloneDX} {
		for name, r := range map[string]*Report{"all kinds": r, "empty": {Subject: "device 2", Title: "b", Author: "Picket", Tool: "1", Made: at0}} {
			var b bytes.Buffer
			if err := Encode(&b, f, r); err != nil {
				t.Fatal(err)
			}
			wrong, err := faults(f, b.Bytes())
			if err != nil || len(wrong) > 0 {
				t.Errorf("%s, %s: %d faults, %.1500q, %v", f, name, len(wrong), wrong, err)
			}
		}
	}
	contradicts(t)
	for f, docs := range map[Format][]string{
		OpenVEX:   {`{"@context":"https://openvex.dev/ns/v0.2.0"}`, `{"@context":"x","@id":"x","author":"x","timestamp":"2026-01-01T00:00:00Z","version":1,"statements":[{"vulnerability":{"name":"x"},"products":[],"status":"affected"}]}`},
		CSAF:      {`{"document":{"category":"csaf_vex","csaf_version":"2.0"}}`},
		CycloneDX: {`{"bomFormat":"CycloneDX","specVersion":"1.6","vulnerabilities":[{"analysis":{"state":"fine"}}]}`},
	} {
		for _, doc := range docs {
			if wrong, err := faults(f, []byte(doc)); err != nil || len(wrong) == 0 {
				t.Errorf("%s passes as %s: %v", doc, f, err)
			}
		}
	}
}

// contradicts holds that one thing is said of a weakness and a product, the worst.
func contradicts(t *testing.T) {
	t.Helper()
	p := []Product{{PURL: "pkg:deb/debian/linux@6.1?arch=source"}}
	r := &Report{Subject: "s", Title: "t", Author: "a", Tool: "1", Made: at0, Statements: []Statement{
		{Weakness: "CVE-2026-1", Status: NotAffected, Justification: CodeNotPresent, Detail: "headers", Products: p},
		{Weakness: "CVE-2026-1", Status: Affected, Action: "Update.", Products: slices.Concat(p, p)},
		{Weakness: "CVE-2026-1", Status: Fixed, Products: p},
		{Weakness: "CVE-2026-2", Status: Fixed, Products: p},
	}}
	for _, f := range []Format{OpenVEX, CSAF, CycloneDX} {
		var b bytes.Buffer
		if err := Encode(&b, f, r); err != nil {
			t.Fatal(err)
		}
		d, err := Decode(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range d.Statements {
			for range s.Products {
				got = append(got, s.Weakness+" "+string(s.Status))
			}
		}
		slices.Sort(got)
		if want := []string{"CVE-2026-1 affected", "CVE-2026-2 fixed"}; !slices.Equal(got, want) {
			t.Errorf("%s says %q, want %q", f, got, want)
		}
	}
}
