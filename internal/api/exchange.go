package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/picketsec/picket/internal/server"
)

// maxDocument is the longest document that is taken as the body of a request,
// and documentTime how long it may take to arrive.
const (
	maxDocument  = 64 << 20
	documentTime = 5 * time.Minute
)

// takesDocument lists the routes whose bodies may be long.
func takesDocument(r *http.Request) bool {
	return r.Method == http.MethodPost && (r.URL.Path == "/api/x/sbom" || r.URL.Path == "/api/x/vex")
}

type sbomIn struct {
	Name    string `query:"name" maxLength:"200" doc:"Name of the device, and its identity; without it both come from the document."`
	Force   bool   `query:"force" doc:"Also when the device has a younger document, or this one is dated in the future."`
	RawBody []byte
}

type sbomOut struct {
	ID
	Format string `query:"format" enum:"cyclonedx,spdx" default:"cyclonedx" doc:"CycloneDX 1.6 or SPDX 2.3, as JSON."`
}

// exchangeRoutes are bills of materials in and out.
func (c *console) exchangeRoutes() {
	huma.Register(c.api, huma.Operation{OperationID: "import-sbom", Method: http.MethodPost, Path: "/sbom",
		Summary: "Import a bill of materials: CycloneDX 1.4 to 1.7, SPDX 2.3", Errors: append([]int{http.StatusConflict, http.StatusRequestEntityTooLarge}, readErrors...),
		MaxBodyBytes: maxDocument, BodyReadTimeout: documentTime, RequestBody: documentBody()},
		func(ctx context.Context, in *sbomIn) (*body[server.SBOMImported], error) {
			res, err := c.srv.ImportSBOM(ctx, callerOf(ctx), in.RawBody, server.SBOMImport{Name: in.Name, Force: in.Force})
			if err != nil {
				return nil, c.problem(ctx, "import-sbom", err)
			}
			return &body[server.SBOMImported]{Body: res}, nil
		})
	download(c, "device-sbom", "/devices/{id}/sbom", "A device's software as a bill of materials",
		func(ctx context.Context, caller server.Caller, in *sbomOut) (server.Download, error) {
			return c.srv.DeviceSBOM(ctx, caller, in.ID.ID, in.Format)
		})
}

type vexIn struct {
	Force   bool `query:"force" doc:"Also when a younger version is loaded, or this one is dated in the future."`
	RawBody []byte
}

// VEXFormat chooses the format of a report.
type VEXFormat struct {
	Format string `query:"format" enum:"openvex,csaf,cyclonedx" default:"openvex" doc:"OpenVEX 0.2.0, CSAF VEX 2.0 or CycloneDX VEX 1.6, as JSON."`
}

type vexOut struct {
	ID
	VEXFormat
}

// vexRoutes are statements about exploitability in and out.
func (c *console) vexRoutes() {
	huma.Register(c.api, huma.Operation{OperationID: "import-vex", Method: http.MethodPost, Path: "/vex",
		Summary: "Import a VEX document: OpenVEX, CSAF VEX 2.0, CycloneDX", Errors: append([]int{http.StatusConflict, http.StatusRequestEntityTooLarge}, readErrors...),
		MaxBodyBytes: maxDocument, BodyReadTimeout: documentTime, RequestBody: documentBody()},
		func(ctx context.Context, in *vexIn) (*body[server.VEXRow], error) {
			res, err := c.srv.ImportVEX(ctx, callerOf(ctx), in.RawBody, in.Force)
			if err != nil {
				return nil, c.problem(ctx, "import-vex", err)
			}
			return &body[server.VEXRow]{Body: res}, nil
		})
	get(c, "vex-documents", "/vex", "Loaded VEX documents", func(ctx context.Context, caller server.Caller, _ *empty) ([]server.VEXRow, error) {
		rows, err := c.srv.VEXDocuments(ctx, caller)
		if rows == nil {
			rows = []server.VEXRow{}
		}
		return rows, err
	})
	huma.Register(c.api, huma.Operation{OperationID: "remove-vex", Method: http.MethodDelete, Path: "/vex/{id}", Summary: "Remove a VEX document and its exceptions",
		Errors: readErrors, DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, in *ID) (*empty, error) {
			if err := c.srv.RemoveVEX(ctx, callerOf(ctx), in.ID); err != nil {
				return nil, c.problem(ctx, "remove-vex", err)
			}
			return nil, nil
		})
	download(c, "device-vex", "/devices/{id}/vex", "What can be exploited on a device", func(ctx context.Context, caller server.Caller, in *vexOut) (server.Download, error) {
		return c.srv.VEXReport(ctx, caller, in.ID.ID, in.Format)
	})
	download(c, "vex-report", "/vex/report", "What can be exploited on all devices, or on those of device groups",
		func(ctx context.Context, caller server.Caller, in *VEXFormat) (server.Download, error) {
			return c.srv.VEXReport(ctx, caller, "", in.Format)
		})
}

// documentBody describes a body that is a whole document.
func documentBody() *huma.RequestBody {
	return &huma.RequestBody{Required: true, Description: "The document as it is.",
		Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
}

// download registers a route that answers a file.
func download[I any](c *console, id, path, summary string, fetch func(ctx context.Context, caller server.Caller, in *I) (server.Download, error)) {
	huma.Register(c.api, huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Errors: readErrors,
		Responses: map[string]*huma.Response{"200": {Description: "The file.", Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{}}}}},
	}, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		f, err := fetch(ctx, callerOf(ctx), in)
		if err != nil {
			return nil, c.problem(ctx, id, err)
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			_, w := humago.Unwrap(hc)
			w.Header().Set("Content-Type", f.Type)
			w.Header().Set("Content-Disposition", `attachment; filename="`+f.Name+`"`)
			hc.SetStatus(http.StatusOK)
			if err := f.Write(w); err != nil {
				panic(http.ErrAbortHandler)
			}
		}}, nil
	})
}
