package sbom

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/picketsec/picket/internal/inventory"
)

var update = flag.Bool("update", false, "rewrite the want files of testdata/*.txtar")

// Scripts are testdata/*.txtar: a document as a tool writes it, and what is
// made of it. "name" is the name that is given with it.
func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			part := map[string]*txtar.File{}
			for i := range a.Files {
				part[a.Files[i].Name] = &a.Files[i]
			}
			name := ""
			if f := part["name"]; f != nil {
				name = strings.TrimSpace(string(f.Data))
			}
			got := ""
			if doc, err := Decode(part["document"].Data, name); err != nil {
				got = "error: " + err.Error() + "\n"
			} else {
				got = print(doc)
			}
			if *update {
				part["want"].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(part["want"].Data), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		})
	}
}

// print shows a document in lines.
func print(d *Document) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s by %s\nname %s, subject %s, made %s, %d packages, %d not read\n", d.Format, d.Spec, strings.Join(d.Tools, ", "),
		d.Name, d.Subject, d.Made.Format("2006-01-02T15:04:05Z"), d.Packages, d.Unread)
	for _, n := range append(slices.Clone(inventory.SectionNames), inventory.SBOM) {
		s := d.Sections[n]
		if s == nil {
			continue
		}
		if s.Status == inventory.Partial || s.Status == inventory.Complete {
			fmt.Fprintf(&b, "%s %s %s\n", n, s.Status, s.Reason)
		}
		if slices.Contains(inventory.PackageSections, n) || n == inventory.SBOM {
			list, bad := inventory.Decode[inventory.Package](s)
			for i, p := range list {
				fmt.Fprintf(&b, "  %s = %s %s", s.Items[i].Key, p.Name, p.Version)
				for _, w := range [][2]string{{"arch", p.Arch}, {"source", p.Source}, {"source-version", p.SourceVersion}, {"module", p.Module},
					{"vendor", p.Vendor}, {"paths", strings.Join(p.Paths, ",")}, {"unassessed", p.Unassessed}} {
					if w[1] != "" {
						fmt.Fprintf(&b, " %s=%s", w[0], w[1])
					}
				}
				if p.NoSource {
					b.WriteString(" no-source")
				}
				b.WriteString("\n")
			}
			if len(bad) > 0 {
				fmt.Fprintf(&b, "  bad %v\n", bad)
			}
		} else if s.Status == inventory.Complete {
			for _, it := range s.Items {
				fmt.Fprintf(&b, "  %s = %s\n", it.Key, it.Value)
			}
		}
	}
	return b.String()
}

// Errors say what is wrong, where, in one line.
func TestErrors(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"components":[`, 40)
	for _, tt := range []struct{ name, doc, want string }{
		{"empty", " \n", "the document is empty"},
		{"text", "hello", "line 1, column 1: this is no bill of materials that can be read: give CycloneDX 1.4 to 1.7 (JSON or XML) or SPDX 2.3 (JSON or tag-value)"},
		{"other JSON", `{"a":1}`, `line 1, column 1: neither "bomFormat" (CycloneDX) nor "spdxVersion" (SPDX) is in the document`},
		{"SPDX 3", `{"@context":"x","@graph":[]}`, "line 1, column 1: this is SPDX 3, which is not read: export SPDX 2.3 or CycloneDX"},
		{"old", "{\"bomFormat\":\"CycloneDX\",\n \"specVersion\":\"1.3\"}", `line 2, column 21: specVersion: CycloneDX "1.3" is not read: 1.4, 1.5, 1.6 and 1.7 are`},
		{"cut off", "{\"bomFormat\":\"CycloneDX\",\n\"components\":[{\"name\":\"a\"", "line 2, column 26: components: the document ends in the middle: it was cut off"},
		{"comma", "{\"bomFormat\":\"CycloneDX\",\n\"components\":[{},]}", "line 2, column 18: components: this is not JSON: invalid character ']' looking for beginning of value"},
		{"type", "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\n\"components\":[{\"name\":\"a\"},\n{\"name\":7}]}",
			`line 2, column 27: components[1]: "name" is a number where the format has another type`},
		{"two documents", `{"bomFormat":"CycloneDX"} {}`, "line 1, column 28: something follows the end of the document: give one document per file"},
		{"deep", `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[` + deep + `{}` + strings.Repeat("]}", 40) + "]}",
			"line 1, column 742: components[0]: components are nested deeper than 32"},
		{"very deep", `{"bomFormat":"CycloneDX","x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "}", "line 1, column 159: x: values are nested deeper than 128"},
		{"no subject", `{"bomFormat":"CycloneDX","specVersion":"1.6","serialNumber":"urn:uuid:1","metadata":{"component":{"name":"/","type":"file"}}}`,
			`the document names no system that could be told from others (its subject is "/"): give a name with it`},
		{"nothing to name", `{"bomFormat":"CycloneDX","specVersion":"1.6"}`, `the document names no system that could be told from others (its subject is ""): give a name with it`},
		{"entities", `<!DOCTYPE x [<!ENTITY a "b">]><bom/>`, "line 1, column 31: this is not XML that can be read: document types and entities are not taken"},
		{"XML", `<bom xmlns="http://cyclonedx.org/schema/bom/1.6"><components><component></bom>`, "line 1, column 79: this is not XML: element <component> closed by </bom>"},
		{"other XML", `<a/>`, "line 1, column 1: this XML is no CycloneDX document"},
		{"tag value", "SPDXVersion: SPDX-2.3\nDocumentName: x\nPackageComment: <text>a\nb", "line 3, column 1: PackageComment: <text> is not closed within 1 MiB: the document was cut off"},
		{"tag value version", "SPDXVersion: SPDX-1.2\n", `line 1, column 1: SPDXVersion: "SPDX-1.2" is not read: SPDX-2.3 is`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decode([]byte(tt.doc), "")
			var e *Error
			if !errors.As(err, &e) || err.Error() != tt.want {
				t.Errorf("Decode = %v\nwant      %s", err, tt.want)
			}
		})
	}
	many := `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{}` + strings.Repeat(",{}", MaxComponents) + `]}`
	if _, err := Decode([]byte(many), "x"); err == nil || !strings.Contains(err.Error(), "more than 200000") {
		t.Errorf("too many components: %v", err)
	}
	if _, err := Decode(make([]byte, MaxBytes+1), "x"); err == nil || !strings.Contains(err.Error(), "at most 67108864 are read") {
		t.Errorf("too long a document: %v", err)
	}
}

// The identity follows from the subject alone, and a name given with the
// document goes before what it says.
func TestIdentity(t *testing.T) {
	t.Parallel()
	doc := func(serial, version, name, given string) *Document {
		d, err := Decode(fmt.Appendf(nil, `{"bomFormat":"CycloneDX","specVersion":"1.6","serialNumber":%q,"metadata":{"timestamp":"2026-01-02T03:04:05Z",
			"component":{"type":"container","name":%q,"version":%q}}}`, serial, name, version), given)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	a, b := doc("urn:uuid:1", "sha256:1", "web:1", ""), doc("urn:uuid:2", "sha256:2", "web:1", "")
	if a.Device() != b.Device() || !a.Device().Valid() {
		t.Errorf("two documents about one subject: %s, %s", a.Device(), b.Device())
	}
	if c := doc("urn:uuid:1", "sha256:1", "web:2", ""); c.Device() == a.Device() {
		t.Error("another subject has the same identity")
	}
	x, y := doc("urn:uuid:1", "1", "web:1", "shop"), doc("urn:uuid:2", "2", "/", "shop")
	if x.Device() != y.Device() || x.Device() == a.Device() || x.Name != "shop" {
		t.Errorf("a given name: %s %s %q", x.Device(), y.Device(), x.Name)
	}
	if z := doc("urn:uuid:9", "1", "", ""); z.Subject != "document urn:uuid:9" {
		t.Errorf("a document without a subject has the identity %q", z.Subject)
	}
}

// Real documents of other projects are read, where the feeds are at hand.
func TestRealDocuments(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "..", "shared", "feeds", "inventories", "sbom")
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(files) == 0 {
		t.Skipf("no documents at %s", dir)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d, err := Decode(raw, "host")
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		t.Logf("%s: %d packages, %d not read", filepath.Base(file), d.Packages, d.Unread)
		if filepath.Base(file) == "alpine.cdx.xml" && !strings.Contains(print(d), "source=alpine-baselayout") {
			t.Errorf("%s:\n%s", file, print(d))
		}
	}
}

func FuzzDecode(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range a.Files {
			if part.Name == "document" {
				f.Add(part.Data, "")
			}
		}
	}
	f.Add([]byte(`{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"tools":[{"name":"picket"}],"properties":[{"name":"picket:kernel","value":"{}"}]}}`), "x")
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		d, err := Decode(data, name)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("error of another type: %v", err)
			}
			return
		}
		if !d.Device().Valid() || d.Subject == "" {
			t.Fatalf("identity %q of %q", d.Device(), d.Subject)
		}
		n := 0
		for name, s := range d.Sections {
			if s.Name != name || !s.Status.Valid() || len(s.Items) > MaxItems {
				t.Fatalf("section %s: %s, %d items", s.Name, s.Status, len(s.Items))
			}
			if slices.Contains(inventory.PackageSections, name) || name == inventory.SBOM {
				list, bad := inventory.Decode[inventory.Package](s)
				if len(bad) > 0 {
					t.Fatalf("items that cannot be read: %v", bad)
				}
				n += len(list)
			}
		}
		if n != d.Packages {
			t.Fatalf("%d packages in sections, %d counted", n, d.Packages)
		}
		again, err := Decode(bytes.Clone(data), name)
		if err != nil || print(again) != print(d) {
			t.Fatalf("decoded twice, two results: %v", err)
		}
	})
}
