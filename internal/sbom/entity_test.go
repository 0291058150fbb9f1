package sbom

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestEntitiesOfXMLAreNotResolved is for the class of CWE-611: a document of XML
// names a file of this host and an address, in each way in which XML can. It is
// refused; nothing is read, nobody is asked, and no text grows.
func TestEntitiesOfXMLAreNotResolved(t *testing.T) {
	const canary = "canary-of-this-host"
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(canary), 0o600); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{}, 64)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			asked <- struct{}{}
			_ = c.Close()
		}
	}()
	defer func() { _ = ln.Close() }()
	at := "http://" + ln.Addr().String() + "/x.dtd"
	body := func(head, name string) string {
		return `<?xml version="1.0"?>` + head + `<bom xmlns="http://cyclonedx.org/schema/bom/1.6"><metadata><component type="container"><name>s</name></component></metadata>` +
			`<components><component type="library"><name>` + name + `</name><version>1</version><purl>pkg:npm/x@1</purl></component></components></bom>`
	}
	for name, doc := range map[string]string{
		"a file":           body(`<!DOCTYPE bom [<!ENTITY x SYSTEM "file://`+file+`">]>`, "&x;"),
		"an address":       body(`<!DOCTYPE bom [<!ENTITY x SYSTEM "`+at+`">]>`, "&x;"),
		"a parameter":      body(`<!DOCTYPE bom [<!ENTITY % x SYSTEM "`+at+`"> %x;]>`, "n"),
		"a document type":  body(`<!DOCTYPE bom SYSTEM "`+at+`">`, "n"),
		"a public one":     body(`<!DOCTYPE bom PUBLIC "-//x" "`+at+`">`, "n"),
		"without a subset": body(`<!DOCTYPE bom>`, "&x;"),
		"laughs":           body(`<!DOCTYPE bom [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>`, "&c;"),
		"lower case":       body(`<!doctype bom [<!entity x SYSTEM "file://`+file+`">]>`, "&x;"),
		"undeclared":       body(``, "&x;"),
		"an inclusion":     body(``, `<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file://`+file+`" parse="text"/>`),
		"a style sheet":    body(`<?xml-stylesheet href="`+at+`" type="text/xsl"?>`, "n"),
		"a schema's place": strings.Replace(body(``, "n"), "<bom ", `<bom xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="x `+at+`" `, 1),
		"an encoding":      strings.Replace(body(`<!DOCTYPE bom [<!ENTITY x SYSTEM "file://`+file+`">]>`, "&x;"), `"1.0"`, `"1.0" encoding="UTF-7"`, 1),
	} {
		d, err := Decode([]byte(doc), "")
		harmless := name == "an inclusion" || name == "a style sheet" || name == "a schema's place" // elements and instructions that say nothing here
		if err == nil && !harmless {
			t.Errorf("%s: the document was taken", name)
		}
		if err != nil && strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v", name, err)
		}
		if d == nil {
			continue
		}
		for _, sec := range d.Sections {
			for _, it := range sec.Items {
				if strings.Contains(it.Key+string(it.Value), canary) {
					t.Errorf("%s: the file was read into %s", name, it.Key)
				}
			}
		}
	}
	select {
	case <-asked:
		t.Error("somebody was asked")
	case <-time.After(200 * time.Millisecond):
	}
}
