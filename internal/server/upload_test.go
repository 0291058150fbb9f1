package server

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/exposure"
)

// hostileDocuments are what people who may upload send to have more than that.
func hostileDocuments(t *testing.T) map[string][]byte {
	t.Helper()
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for range 64 {
		if _, err := z.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	good := string(bom("shop:1", "2026-11-20T09:00:00Z", "bash 5.2 bash"))
	vex := `{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://example.com/x","author":"a","timestamp":"2026-11-20T09:00:00Z","version":1,"statements":[{"vulnerability":{"name":"CVE-2026-1"},"products":[{"@id":"pkg:deb/debian/bash@5.2"}],"status":"fixed"}]}`
	many := strings.Repeat(`{"type":"library","name":"x","version":"1","purl":"pkg:npm/x@1"},`, 20_000)
	out := map[string][]byte{
		"nothing": nil, "null": []byte("null"), "a number": []byte("1e999"), "text": []byte("x"), "zeros": make([]byte, 1<<16),
		"deep":                  []byte(strings.Repeat(`{"a":[`, 50_000)),
		"deep components":       []byte(`{"bomFormat":"CycloneDX","specVersion":"1.6","components":` + strings.Repeat(`[{"components":`, 5000) + "[]" + strings.Repeat("}]", 5000) + "}"),
		"prototype":             []byte(strings.Replace(good, `"metadata"`, `"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},"metadata"`, 1)),
		"prototype in VEX":      []byte(strings.Replace(vex, `"author"`, `"__proto__":{"admin":true},"author"`, 1)),
		"types of Python":       []byte(`{"__class__":"os.system","__args__":["id"],"__unhandled_exc__":{"__class__":"exec"}}`),
		"tags of YAML":          []byte("!!python/object/apply:os.system ['id']\n"),
		"gob":                   []byte("\x0f\xff\x81\x03\x01\x01\x01T\x01\xff\x82\x00"),
		"pickle":                []byte("cos\nsystem\n(S'id'\ntR."),
		"Java":                  []byte("\xac\xed\x00\x05sr\x00\x11java.util.HashMap"),
		"expressions":           []byte(strings.ReplaceAll(good, "shop:1", "${jndi:ldap://x}{{7*7}}#{7*7}<%= 7*7 %>")),
		"SQL":                   []byte(strings.ReplaceAll(good, "shop:1", "x'); DROP TABLE device; --")),
		"entities":              []byte(`<?xml version="1.0"?><!DOCTYPE bom [<!ENTITY x SYSTEM "file:///etc/passwd">]><bom xmlns="http://cyclonedx.org/schema/bom/1.6"><components><component type="library"><name>&x;</name></component></components></bom>`),
		"laughs":                []byte(`<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><bom xmlns="http://cyclonedx.org/schema/bom/1.6"><components><component type="library"><name>&c;</name></component></components></bom>`),
		"a bomb of gzip":        bomb.Bytes(),
		"an archive":            []byte("PK\x03\x04\x14\x00\x00\x00\x00\x00"),
		"many components":       []byte(`{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"component":{"type":"container","name":"m"}},"components":[` + strings.TrimSuffix(many, ",") + `]}`),
		"a long name":           []byte(strings.ReplaceAll(good, "shop:1", strings.Repeat("n", 1<<20))),
		"two values of one key": []byte(strings.Replace(good, `"bomFormat"`, `"bomFormat":"SPDX","bomFormat"`, 1)),
		"not UTF-8":             bytes.ReplaceAll([]byte(good), []byte("shop"), []byte("\xff\xfe\xc0\xae")),
		"good":                  []byte(good), "good VEX": []byte(vex),
	}
	for i := range len(good) / 7 { // each cut and each flip of some documents
		out[fmt.Sprintf("cut at %d", i*7)] = []byte(good[:i*7])
		flipped := []byte(good)
		flipped[i*7] ^= 0x5a
		out[fmt.Sprintf("flipped at %d", i*7)] = flipped
	}
	for i := range len(vex) / 7 {
		flipped := []byte(vex)
		flipped[i*7] ^= 0x5a
		out[fmt.Sprintf("VEX flipped at %d", i*7)] = flipped
	}
	return out
}

// TestUploadsOfTheLowestRole is for the class of CVE-2019-7609, CVE-2025-25015 and
// CVE-2025-24016: hostile documents come from people who hold the permission to
// upload and nothing more, and from people who hold none. Nothing of a document is
// ever run, what is no document is refused as such, and it gives nobody anything.
func TestUploadsOfTheLowestRole(t *testing.T) {
	s := testServer(t)
	ctx := t.Context()
	viewer := Caller{Name: "viewer", Permissions: []string{MachineRead, SoftwareRead, VulnerabilityRead}, Scope: exposure.Everywhere()}
	uploads := map[string]struct {
		lowest Caller
		send   func(c Caller, doc []byte) error
	}{
		"SBOM": {Caller{Name: "low", Permissions: []string{MachineReadWrite, ManageSecurity}, Scope: exposure.Everywhere()},
			func(c Caller, doc []byte) error {
				_, err := s.ImportSBOM(ctx, c, doc, SBOMImport{Force: true})
				return err
			}},
		"VEX": {Caller{Name: "low", Permissions: []string{ManageSecurity}, Scope: exposure.Everywhere()},
			func(c Caller, doc []byte) error { _, err := s.ImportVEX(ctx, c, doc, true); return err }},
		"indicators": {Caller{Name: "low", Permissions: []string{TiWriteOwn}, Scope: exposure.Everywhere()},
			func(c Caller, doc []byte) error {
				text := strings.ToValidUTF8(string(doc), "?")
				if len(text) > 4096 {
					text = text[:4096]
				}
				list := []IndicatorEdit{}
				for _, kind := range []string{"FileSha1", "FileSha256", "FileMd5", "CertificateThumbprint", "IpAddress", "DomainName", "Url", text} {
					list = append(list, IndicatorEdit{Type: kind, Value: text, Action: "Audit", Title: text, Description: text, Severity: text, External: text, GroupNames: []string{text}},
						IndicatorEdit{Type: "DomainName", Value: "evil.example", Action: text, Title: "t", Description: "d"})
				}
				_, err := s.ImportIndicators(ctx, c, list)
				return err
			}},
	}
	people := mustPeople(t, s)
	for what, u := range uploads {
		taken := 0
		for name, doc := range hostileDocuments(t) {
			if err := u.send(viewer, doc); !errors.Is(err, ErrDenied) {
				t.Errorf("%s, %s: a viewer: %v", what, name, err)
			}
			done := make(chan error, 1)
			go func() {
				defer func() {
					if p := recover(); p != nil {
						t.Errorf("%s, %s: panic: %v", what, name, p)
						done <- nil
					}
				}()
				done <- u.send(u.lowest, doc)
			}()
			select {
			case err := <-done:
				if err == nil {
					taken++
				} else if !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrConflict) {
					t.Errorf("%s, %s: %v: an error that is nobody's", what, name, err)
				}
			case <-time.After(60 * time.Second):
				t.Fatalf("%s, %s: does not end", what, name)
			}
		}
		if taken == 0 {
			t.Errorf("%s: nothing was taken: the test sends nothing that is read", what)
		}
	}
	if got := mustPeople(t, s); got != people {
		t.Errorf("people before: %s\nafter: %s", people, got)
	}
	if page, err := s.Devices(ctx, boss, Query{}, nil); err != nil || page.Total == 0 {
		t.Errorf("the devices are gone: %v", err)
	}
}

// mustPeople are the people and roles that there are, as text.
func mustPeople(t *testing.T, s *Server) string {
	t.Helper()
	people, err := s.People(t.Context(), boss, Query{})
	if err != nil {
		t.Fatal(err)
	}
	return mustJSON(t, people.Items)
}
