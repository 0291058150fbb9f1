package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/server"
)

// pageInput is the input of a route that answers one page.
type pageInput interface {
	query() server.Query
	window(server.Query) server.Query
}

// exportInput is the input of a route that streams all rows.
type exportInput interface {
	query() server.Query
	format() string
}

// fetchList reads a part of a list; id is empty for lists that are not below an item.
type fetchList[T any] func(ctx context.Context, caller server.Caller, id string, q server.Query) (server.Page[T], error)

// owner names the item that a list is below, for the first column or key of
// each row of its export; nil when the rows say it themselves.
type owner struct {
	column string
	id     func(ctx context.Context, caller server.Caller, id string) (string, error)
}

// list registers a list at path and its export at path + "/export".
func list[P pageInput, E exportInput, T any](c *console, id, path, summary string, of *owner, cols []column[T], fetch fetchList[T]) {
	huma.Register(c.api, huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Errors: readErrors,
	}, func(ctx context.Context, in *P) (*body[server.Page[T]], error) {
		p, err := fetch(ctx, callerOf(ctx), idOf(*in), (*in).window((*in).query()))
		if err != nil {
			return nil, c.problem(ctx, id, err)
		}
		if p.Items == nil {
			p.Items = []T{}
		}
		return &body[server.Page[T]]{Body: p}, nil
	})
	export := "export-" + id
	huma.Register(c.api, huma.Operation{
		OperationID: export, Method: http.MethodGet, Path: path + "/export", Summary: summary + ", all rows of the filter as a file", Errors: readErrors,
		Responses: exportResponses("The rows."),
	}, func(ctx context.Context, in *E) (*huma.StreamResponse, error) {
		p, err := fetch(ctx, callerOf(ctx), idOf(*in), (*in).query())
		if err != nil {
			return nil, c.problem(ctx, export, err)
		}
		var to belongs
		if of != nil {
			owner, err := of.id(ctx, callerOf(ctx), idOf(*in))
			if err != nil {
				return nil, c.problem(ctx, export, err)
			}
			to = belongs{of.column, owner}
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			streamExport(hc, callerOf(ctx), id, idOf(*in), (*in).format(), p, to, cols)
		}}, nil
	})
}

// exportResponses describes the answer of an export.
func exportResponses(what string) map[string]*huma.Response {
	return map[string]*huma.Response{"200": {Description: what + " Trailers X-Picket-Rows and X-Picket-Sha256 say how many and what they hash to.",
		Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}, "application/jsonl": {Schema: &huma.Schema{Type: huma.TypeString}}}}}
}

func idOf(in any) string {
	if x, ok := in.(interface{ id() string }); ok {
		return x.id()
	}
	return ""
}
