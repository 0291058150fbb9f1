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
