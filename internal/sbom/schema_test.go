package sbom_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	_ "github.com/CycloneDX/cyclonedx-go" // its module carries the published schemas
	"github.com/santhosh-tekuri/jsonschema/v6"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdxlib"
	"golang.org/x/tools/txtar"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/sbom"
)

// cdxSchema is the published schema of CycloneDX 1.6.
var cdxSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		return nil, fmt.Errorf("find the module with the schemas: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "schema", "*.json"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no schemas in %s: %w", dir, err)
	}
	const base = "http://cyclonedx.org/schema/"
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for at, name := range map[string]string{"bom-1.6.schema.json": "bom-1.6.schema.json", "spdx.schema.json": "spdx.schema.json", "jsf-0.82.schema.json": "jsf-0.82*.json"} {
		i := slices.IndexFunc(files, func(f string) bool { ok, _ := filepath.Match(name, filepath.Base(f)); return ok })
		if i < 0 {
			return nil, fmt.Errorf("no %s beside %s", name, files[0])
		}
		if err := addSchema(c, base+at, files[i]); err != nil {
			return nil, err
		}
	}
	return c.Compile(base + "bom-1.6.schema.json")
})

// valid holds a document against what is published of its format.
func valid(t *testing.T, f sbom.Format, data []byte) {
	t.Helper()
	if f == sbom.SPDX {
		validSPDX(t, data)
		return
	}
	s, err := cdxSchema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(doc); err != nil {
		t.Errorf("not CycloneDX 1.6: %.2000v", err)
	}
}

// validSPDX has the SPDX project's own library read a document, and looks at
// what that does not: every field must be one of SPDX 2.3 in the form that it
// has there, and none that must be there may be missing.
func validSPDX(t *testing.T, data []byte) {
	t.Helper()
	doc, err := spdxjson.Read(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("not SPDX: %v", err)
	}
	if err := spdxlib.ValidateDocument(doc); err != nil {
		t.Errorf("not SPDX: %v", err)
	}
	var raw any
	if err := json.Unmarshal(data, &raw); err != nil {
		t.Fatal(err)
	}
	if wrong := spdxDocument.check("document", raw); len(wrong) > 0 {
		t.Errorf("not SPDX 2.3: %d faults, first %q", len(wrong), wrong[:min(len(wrong), 5)])
	}
	if n := len(raw.(map[string]any)["packages"].([]any)); len(doc.Packages) != n {
		t.Errorf("%d packages are read of %d", len(doc.Packages), n)
	}
}

// shape is the form of a value of SPDX 2.3: a text of a pattern, a truth value
// (pattern ""), a list of one shape, or an object.
type shape struct {
	pattern string
	of      *shape
	fields  map[string]*shape
	must    string
}

const (
	spdxInstant = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`
	spdxRef     = `SPDXRef-[a-zA-Z0-9.-]+`
	spdxWho     = `(Tool|Person|Organization): .+`
	anyText     = `(?s).*`
	oneLine     = `.+`
)

func text(pattern string) *shape { return &shape{pattern: pattern} }

var spdxDocument = &shape{must: "spdxVersion dataLicense SPDXID name documentNamespace creationInfo", fields: map[string]*shape{
	"spdxVersion": text(`SPDX-2\.3`), "dataLicense": text(`CC0-1\.0`), "SPDXID": text(`SPDXRef-DOCUMENT`), "name": text(oneLine), "documentNamespace": text(`[a-z][a-z0-9+.-]*:[^#\s]+`),
	"comment":      text(anyText),
	"creationInfo": {must: "created creators", fields: map[string]*shape{"created": text(spdxInstant), "creators": {of: text(spdxWho)}, "licenseListVersion": text(`\d+\.\d+`), "comment": text(anyText)}},
	"packages": {of: &shape{must: "SPDXID name downloadLocation", fields: map[string]*shape{
		"SPDXID": text(spdxRef), "name": text(oneLine), "versionInfo": text(oneLine), "supplier": text(`NOASSERTION|(Person|Organization): .+`),
		"downloadLocation": text(`NONE|NOASSERTION|\S+`), "filesAnalyzed": {}, "sourceInfo": text(anyText), "licenseConcluded": text(oneLine), "licenseDeclared": text(oneLine),
		"copyrightText": text(anyText), "summary": text(anyText), "description": text(anyText),
		"primaryPackagePurpose": text(`APPLICATION|FRAMEWORK|LIBRARY|CONTAINER|OPERATING-SYSTEM|DEVICE|FIRMWARE|SOURCE|ARCHIVE|FILE|INSTALL|OTHER`),
		"externalRefs": {of: &shape{must: "referenceCategory referenceType referenceLocator", fields: map[string]*shape{
			"referenceCategory": text(`OTHER|PERSISTENT-ID|SECURITY|PACKAGE-MANAGER`), "referenceType": text(`purl|cpe23Type|swid`), "referenceLocator": text(`\S+`)}}},
		"annotations": {of: &shape{must: "annotationDate annotationType annotator comment", fields: map[string]*shape{
			"annotationDate": text(spdxInstant), "annotationType": text(`OTHER|REVIEW`), "annotator": text(spdxWho), "comment": text(anyText)}}},
	}}},
	"relationships": {of: &shape{must: "spdxElementId relationshipType relatedSpdxElement", fields: map[string]*shape{
		"spdxElementId": text(spdxRef), "relatedSpdxElement": text(spdxRef), "relationshipType": text(`DESCRIBES|CONTAINS|DEPENDS_ON|DEPENDENCY_OF|OTHER`)}}},
}}

var spdxPatterns sync.Map

// check lists what is not of the shape.
func (s *shape) check(at string, v any) (wrong []string) {
	switch {
	case s.fields != nil:
		m, ok := v.(map[string]any)
		if !ok {
			return []string{at + " is no object"}
		}
		for _, k := range strings.Fields(s.must) {
			if _, ok := m[k]; !ok {
				wrong = append(wrong, at+"."+k+" is missing")
			}
		}
		for k, v := range m {
			if s.fields[k] == nil {
				wrong = append(wrong, at+"."+k+" is no field of it")
				continue
			}
			wrong = append(wrong, s.fields[k].check(at+"."+k, v)...)
		}
	case s.of != nil:
		list, ok := v.([]any)
		if !ok {
			return []string{at + " is no list"}
		}
		for i, v := range list {
			wrong = append(wrong, s.of.check(fmt.Sprintf("%s[%d]", at, i), v)...)
		}
	case s.pattern == "":
		if _, ok := v.(bool); !ok {
			return []string{at + " is no truth value"}
		}
	default:
		re, _ := spdxPatterns.LoadOrStore(s.pattern, regexp.MustCompile(`^(?:`+s.pattern+`)$`))
		if text, ok := v.(string); !ok || !re.(*regexp.Regexp).MatchString(text) {
			return []string{fmt.Sprintf("%s is %.80q", at, v)}
		}
	}
	return wrong
}

// The checks see faults: what they let through says something.
func TestValidation(t *testing.T) {
	t.Parallel()
	s, err := cdxSchema()
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{`{"bomFormat":"CycloneDX"}`, `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"thing","name":"x"}]}`,
		`{"bomFormat":"CycloneDX","specVersion":"1.6","serialNumber":"7"}`, `{"bomFormat":"CycloneDX","specVersion":"1.6","unknown":1}`} {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(bad))
		if err != nil {
			t.Fatal(err)
		}
		if s.Validate(doc) == nil {
			t.Errorf("%s passes", bad)
		}
	}
	for _, bad := range []string{`{}`, `{"spdxVersion":"SPDX-2.2"}`, `{"name":7}`, `{"packages":[{"SPDXID":"x"}]}`, `{"relationships":{}}`, `{"more":1}`} {
		var doc any
		if err := json.Unmarshal([]byte(bad), &doc); err != nil {
			t.Fatal(err)
		}
		if len(spdxDocument.check("", doc)) <= len(strings.Fields(spdxDocument.must))-1 {
			t.Errorf("%s passes: %v", bad, spdxDocument.check("", doc))
		}
	}
}

func addSchema(c *jsonschema.Compiler, url, file string) error {
	doc, err := readJSON(file)
	if err != nil {
		return err
	}
	return c.AddResource(url, doc)
}

func readJSON(file string) (any, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return jsonschema.UnmarshalJSON(f)
}

// Whatever a document says, what is written of it is of its format and is read again.
func FuzzWrite(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range a.Files {
			if part.Name == "document" {
				f.Add(part.Data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := sbom.Decode(data, "x")
		if err != nil {
			return
		}
		for _, format := range []sbom.Format{sbom.CycloneDX, sbom.SPDX} {
			var b bytes.Buffer
			if err := sbom.Encode(&b, format, sbom.SystemOf(doc.Device(), doc.Name, "test", doc.Sections, exposure.PURL)); err != nil {
				t.Fatal(err)
			}
			valid(t, format, b.Bytes())
			if _, err := sbom.Decode(b.Bytes(), "x"); err != nil {
				t.Fatalf("%s is written so that it cannot be read: %v", format, err)
			}
		}
	})
}
