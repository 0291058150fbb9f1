package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/server"
)

type inaccuraciesIn struct {
	Paging
	InaccuracyFilter
}

type inaccuraciesOut struct {
	ExportFormat
	InaccuracyFilter
}

type reportIn struct {
	Body server.InaccuracyReport
}

type inaccuracyStatusIn struct {
	ID
	Body struct {
		Status string `json:"status" enum:"open,resolved"`
	}
}

// inaccuracyRoutes are what people report as inaccurate.
func (c *console) inaccuracyRoutes() {
	list[inaccuraciesIn, inaccuraciesOut](c, "inaccuracies", "/inaccuracies", "What was reported as inaccurate", nil, inaccuracyColumns,
		func(ctx context.Context, caller server.Caller, _ string, q server.Query) (server.Page[server.InaccuracyRow], error) {
			return c.srv.Inaccuracies(ctx, caller, q)
		})
	huma.Register(c.api, huma.Operation{OperationID: "report-inaccuracy", Method: http.MethodPost, Path: "/inaccuracies", Summary: "Report something as inaccurate; nothing is sent anywhere",
		Errors: readErrors, DefaultStatus: http.StatusCreated, MaxBodyBytes: 64 << 10},
		func(ctx context.Context, in *reportIn) (*body[server.InaccuracyRow], error) {
			row, err := c.srv.ReportInaccuracy(ctx, callerOf(ctx), in.Body)
			if err != nil {
				return nil, c.problem(ctx, "report-inaccuracy", err)
			}
			return &body[server.InaccuracyRow]{Body: row}, nil
		})
	huma.Register(c.api, huma.Operation{OperationID: "inaccuracy", Method: http.MethodGet, Path: "/inaccuracies/{id}/file", Summary: "A report with its evidence as a file, to be sent to the maintainers", Errors: readErrors,
		Responses: map[string]*huma.Response{"200": {Description: "The report.", Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject}}}}}},
		func(ctx context.Context, in *ID) (*huma.StreamResponse, error) {
			x, err := c.srv.Inaccuracy(ctx, callerOf(ctx), in.ID)
			if err != nil {
				return nil, c.problem(ctx, "inaccuracy", err)
			}
			raw, err := json.MarshalIndent(x, "", "  ")
			if err != nil {
				return nil, c.problem(ctx, "inaccuracy", err)
			}
			return &huma.StreamResponse{Body: func(hc huma.Context) {
				hc.SetHeader("Content-Type", "application/json")
				hc.SetHeader("Content-Disposition", `attachment; filename="`+fileName("inaccuracy", x.ID, x.At)+`.json"`)
				hc.SetStatus(http.StatusOK)
				_, _ = hc.BodyWriter().Write(append(raw, '\n')) // the reader is gone
			}}, nil
		})
	huma.Register(c.api, huma.Operation{OperationID: "set-inaccuracy-status", Method: http.MethodPut, Path: "/inaccuracies/{id}/status", Summary: "Say whether a report is open or resolved",
		Errors: readErrors, DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, in *inaccuracyStatusIn) (*empty, error) {
			if err := c.srv.SetInaccuracyStatus(ctx, callerOf(ctx), in.ID.ID, in.Body.Status); err != nil {
				return nil, c.problem(ctx, "set-inaccuracy-status", err)
			}
			return nil, nil
		})
}
