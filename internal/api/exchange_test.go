package api

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/picketsec/picket/internal/server"
)

func (f *fake) ImportSBOM(_ context.Context, c server.Caller, document []byte, opt server.SBOMImport) (server.SBOMImported, error) {
	if err := need(c, server.MachineReadWrite); err != nil {
		return server.SBOMImported{}, err
	}
	if string(document) == "bad" {
		return server.SBOMImported{}, server.Invalidf("document", "line 1, column 1: this is no bill of materials")
	}
	return server.SBOMImported{Device: deviceID(9), Name: opt.Name, Format: "cyclonedx", Spec: "1.6", Packages: len(document), New: opt.Force}, nil
}

func (f *fake) DeviceRemoval(_ context.Context, c server.Caller, _ string) (server.DeviceRemoval, error) {
	return server.DeviceRemoval{Name: poison, Tags: []string{}}, need(c, server.MachineReadWrite)
}

func (f *fake) RemoveDevice(_ context.Context, c server.Caller, _ string) error {
	return need(c, server.MachineReadWrite)
}

func (f *fake) DeviceSBOM(_ context.Context, c server.Caller, id, format string) (server.Download, error) {
	return server.Download{Name: "srv.cdx.json", Type: "application/x-" + format, Write: func(w io.Writer) error {
		_, err := io.WriteString(w, `{"of":"`+id+`"}`)
		return err
	}}, need(c, server.SoftwareRead)
}

func (f *fake) ImportVEX(_ context.Context, c server.Caller, _ []byte, _ bool) (server.VEXDocument, error) {
	return server.VEXDocument{VEXRow: server.VEXRow{ID: "1"}, Unmatched: []server.VEXUnmatched{}}, need(c, server.ManageSettings)
}

func (f *fake) VEXDocuments(_ context.Context, c server.Caller, _ server.Query) (server.Page[server.VEXRow], error) {
	return server.Page[server.VEXRow]{Items: []server.VEXRow{{ID: "1", Title: poison}}, Total: 1}, need(c, server.ManageSettings)
}

func (f *fake) VEXDocument(_ context.Context, c server.Caller, id string) (server.VEXDocument, error) {
	return server.VEXDocument{VEXRow: server.VEXRow{ID: id, Title: poison}, Unmatched: []server.VEXUnmatched{}}, need(c, server.ManageSettings)
}

func (f *fake) VEXStatements(_ context.Context, c server.Caller, _ string, _ server.Query) (server.Page[server.VEXStatement], error) {
	return server.Page[server.VEXStatement]{Items: []server.VEXStatement{{Weakness: "CVE-2024-1", Product: poison}}, Total: 1}, need(c, server.ManageSettings)
}

func (f *fake) VEXFile(_ context.Context, c server.Caller, id string) (server.Download, error) {
	return server.Download{Name: "x.json", Type: "application/json", Write: func(w io.Writer) error {
		_, err := io.WriteString(w, `{"of":"`+id+`"}`)
		return err
	}}, need(c, server.ManageSettings)
}

func (f *fake) VEXRemoval(_ context.Context, c server.Caller, _ string) (server.VEXRemoval, error) {
	return server.VEXRemoval{Weaknesses: []string{}}, need(c, server.ManageSettings)
}

func (f *fake) RemoveVEX(_ context.Context, c server.Caller, _ string) error {
	return need(c, server.ManageSettings)
}

func (f *fake) VEXReport(_ context.Context, c server.Caller, id, format string) (server.Download, error) {
	return server.Download{Name: "x.json", Type: "application/" + format + "+json", Write: func(w io.Writer) error {
		_, err := io.WriteString(w, `{"of":"`+id+`"}`)
		return err
	}}, need(c, server.VulnerabilityRead)
}

// A document may be longer than other bodies, of any media type, and arrives
// as it was sent; what the server says of it comes back.
func TestDocumentsAsBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	auth := w.app(server.MachineReadWrite, server.SoftwareRead)
	long := strings.Repeat("x", maxBody+1)
	for _, kind := range []string{"application/vnd.cyclonedx+json; version=1.6", "application/xml", "text/plain", "application/octet-stream"} {
		a := w.do("POST", "/api/x/sbom?name=a%20b&force=true", long, append([]string{"Content-Type", kind}, auth...)...)
		if a.code != 200 || !strings.Contains(a.body, fmt.Sprintf(`"packages":%d`, len(long))) || !strings.Contains(a.body, `"name":"a b"`) || !strings.Contains(a.body, `"new":true`) {
			t.Errorf("%s: %d %s", kind, a.code, a.body)
		}
	}
	if a := w.do("POST", "/api/x/sbom", strings.Repeat("x", maxDocument+1), auth...); a.code != 413 {
		t.Errorf("a document beyond the cap: %d %s", a.code, a.body)
	}
	if a := w.do("POST", "/api/x/sbom", "bad", auth...); a.code != 422 || !strings.Contains(a.body, "line 1, column 1") {
		t.Errorf("a document that is none: %d %s", a.code, a.body)
	}
	a := w.do("GET", "/api/x/devices/srv-01/sbom", "", auth...)
	if a.code != 200 || a.body != `{"of":"srv-01"}` || a.header.Get("Content-Type") != "application/x-cyclonedx" || a.header.Get("Content-Disposition") != `attachment; filename="srv.cdx.json"` {
		t.Errorf("download: %d %v %s", a.code, a.header, a.body)
	}
	if a := w.do("GET", "/api/x/devices/srv-01/sbom?format=word", "", auth...); a.code != 422 {
		t.Errorf("an unknown format: %d %s", a.code, a.body)
	}
}
