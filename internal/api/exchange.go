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
	get(c, "device-removal", "/devices/{id}/removal", "What would disappear with a device without an agent",
		func(ctx context.Context, caller server.Caller, in *ID) (server.DeviceRemoval, error) {
			return c.srv.DeviceRemoval(ctx, caller, in.ID)
		})
	huma.Register(c.api, huma.Operation{OperationID: "remove-device", Method: http.MethodDelete, Path: "/devices/{id}", Summary: "Remove a device without an agent",
		Errors: append([]int{http.StatusConflict}, readErrors...), DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, in *ID) (*empty, error) {
			if err := c.srv.RemoveDevice(ctx, callerOf(ctx), in.ID); err != nil {
				return nil, c.problem(ctx, "remove-device", err)
			}
			return nil, nil
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
		func(ctx context.Context, in *vexIn) (*body[server.VEXDocument], error) {
			res, err := c.srv.ImportVEX(ctx, callerOf(ctx), in.RawBody, in.Force)
			if err != nil {
				return nil, c.problem(ctx, "import-vex", err)
			}
			return &body[server.VEXDocument]{Body: res}, nil
		})
	list[vexListIn, vexListOut](c, "vex-documents", "/vex", "Loaded VEX documents and what came of them", nil, vexColumns,
		func(ctx context.Context, caller server.Caller, _ string, q server.Query) (server.Page[server.VEXRow], error) {
			return c.srv.VEXDocuments(ctx, caller, q)
		})
	get(c, "vex-document", "/vex/{id}", "One VEX document", func(ctx context.Context, caller server.Caller, in *ID) (server.VEXDocument, error) {
		return c.srv.VEXDocument(ctx, caller, in.ID)
	})
	list[vexStatementsIn, vexStatementsOut](c, "vex-statements", "/vex/{id}/statements", "What a VEX document says, and what came of each statement",
		&owner{"document_id", func(ctx context.Context, caller server.Caller, id string) (string, error) {
			d, err := c.srv.VEXDocument(ctx, caller, id)
			return d.ID, err
		}}, vexStatementColumns,
		func(ctx context.Context, caller server.Caller, id string, q server.Query) (server.Page[server.VEXStatement], error) {
			return c.srv.VEXStatements(ctx, caller, id, q)
		})
	get(c, "vex-removal", "/vex/{id}/removal", "What would come back if a VEX document were removed", func(ctx context.Context, caller server.Caller, in *ID) (server.VEXRemoval, error) {
		return c.srv.VEXRemoval(ctx, caller, in.ID)
	})
	download(c, "vex-file", "/vex/{id}/file", "A VEX document as it came", func(ctx context.Context, caller server.Caller, in *ID) (server.Download, error) {
		return c.srv.VEXFile(ctx, caller, in.ID)
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

// VEXFilter narrows and orders VEX documents.
type VEXFilter struct {
	TextFilter
	Sort   []string `query:"sort" enum:"document,-document,author,-author,format,-format,made,-made,loaded,-loaded,statements,-statements,applied,-applied,unmatched,-unmatched,exceptions,-exceptions" doc:"Columns; minus is descending."`
	Kind   []string `query:"kind" enum:"OpenVEX,CSAF,CycloneDX" doc:"Formats of documents."`
	Author []string `query:"author"`
}

func (f VEXFilter) query() server.Query {
	return f.queryWith(f.Sort, named("kind", f.Kind), named("author", f.Author))
}

type vexListIn struct {
	Paging
	VEXFilter
}

type vexListOut struct {
	ExportFormat
	VEXFilter
}

// VEXStatementFilter narrows and orders the statements of a document.
type VEXStatementFilter struct {
	TextFilter
	Sort    []string `query:"sort" enum:"weakness,-weakness,product,-product,status,-status,outcome,-outcome" doc:"Columns; minus is descending."`
	Outcome []string `query:"outcome" enum:"Applied,NotExcepted,Overruled,NotMatched" doc:"What came of it."`
	Status  []string `query:"status" enum:"affected,not_affected,fixed,under_investigation"`
}

func (f VEXStatementFilter) query() server.Query {
	return f.queryWith(f.Sort, named("outcome", f.Outcome), named("status", f.Status))
}

type vexStatementsIn struct {
	ID
	Paging
	VEXStatementFilter
}

type vexStatementsOut struct {
	ID
	ExportFormat
	VEXStatementFilter
}

var vexColumns = []column[server.VEXRow]{
	{"document_id", func(r *server.VEXRow) string { return r.ID }},
	{"format", func(r *server.VEXRow) string { return r.Format }},
	{"author", func(r *server.VEXRow) string { return r.Author }},
	{"document", func(r *server.VEXRow) string { return r.Document }},
	{"version", func(r *server.VEXRow) string { return r.Version }},
	{"title", func(r *server.VEXRow) string { return r.Title }},
	{"made", func(r *server.VEXRow) string { return instant(r.Made) }},
	{"loaded", func(r *server.VEXRow) string { return instant(r.Loaded) }},
	{"loaded_by", func(r *server.VEXRow) string { return r.LoadedBy }},
	{"statements", func(r *server.VEXRow) string { return whole(r.Statements) }},
	{"matched", func(r *server.VEXRow) string { return whole(r.Matched) }},
	{"applied", func(r *server.VEXRow) string { return whole(r.Applied) }},
	{"overruled", func(r *server.VEXRow) string { return whole(r.Overruled) }},
	{"unmatched", func(r *server.VEXRow) string { return whole(r.UnmatchedCount) }},
	{"exceptions", func(r *server.VEXRow) string { return whole(r.Exceptions) }},
	{"problem", func(r *server.VEXRow) string { return r.Problem }},
	{"sha256", func(r *server.VEXRow) string { return r.Digest }},
}

var vexStatementColumns = []column[server.VEXStatement]{
	{"place", func(r *server.VEXStatement) string { return whole(r.Place) }},
	{"weakness_id", func(r *server.VEXStatement) string { return r.Weakness }},
	{"product", func(r *server.VEXStatement) string { return r.Product }},
	{"status", func(r *server.VEXStatement) string { return r.Status }},
	{"justification", func(r *server.VEXStatement) string { return r.Justification }},
	{"detail", func(r *server.VEXStatement) string { return r.Detail }},
	{"outcome", func(r *server.VEXStatement) string { return r.Outcome }},
	{"reason", func(r *server.VEXStatement) string { return r.Reason }},
	{"software_id", func(r *server.VEXStatement) string { return r.Software }},
	{"devices", func(r *server.VEXStatement) string { return whole(r.Devices) }},
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
