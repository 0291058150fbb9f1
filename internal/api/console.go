package api

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/picketsec/picket/internal/server"
)

// console is the console's API: everything below /api/x.
type console struct {
	srv     Backend
	log     *slog.Logger
	mux     *http.ServeMux
	api     huma.API
	origin  string // of the public URL, "" when there is none
	streams chan struct{}
}

// arraysNeverNull sets huma's package-wide setting once.
var arraysNeverNull = sync.OnceFunc(func() { huma.DefaultArrayNullable = false })

func newConsole(opt Options) *console {
	arraysNeverNull()
	c := &console{srv: opt.Server, log: opt.Log, mux: http.NewServeMux(), origin: originOf(opt.PublicURL), streams: make(chan struct{}, maxStreams)}
	cfg := huma.DefaultConfig("Picket console API", "1")
	cfg.CreateHooks = nil
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath = "", "", ""
	cfg.RejectUnknownQueryParameters = true
	escaped := huma.Format{Marshal: marshalEscaped, Unmarshal: json.Unmarshal}
	cfg.Formats = map[string]huma.Format{"application/json": escaped, "json": escaped}
	cfg.Transformers = []huma.Transformer{quietProblem}
	cfg.Servers = []*huma.Server{{URL: "/api/x"}}
	cfg.Info.Description = "What the console uses. Lists take q, sort, page, size and filters by name, several values joined by commas."
	enumSchemas(cfg.Components.Schemas)
	c.api = humago.New(c.mux, cfg)
	c.api.UseMiddleware(c.audited)
	c.sessionRoutes()
	c.accountRoutes()
	c.signInRoutes()
	c.ssoRoutes()
	c.provisioningRoutes()
	c.frameRoutes()
	c.deviceRoutes()
	c.timelineRoutes()
	c.entityRoutes()
	c.retentionRoutes()
	c.alertRoutes()
	c.indicatorRoutes()
	c.huntingRoutes()
	c.exchangeRoutes()
	c.vexRoutes()
	c.softwareRoutes()
	c.exposureRoutes()
	c.scoreRoutes()
	c.planRoutes()
	c.exceptionRoutes()
	c.remediationRoutes()
	c.weaknessRoutes()
	c.eventRoutes()
	c.groupingRoutes()
	c.settingRoutes()
	c.inaccuracyRoutes()
	c.auditRoutes()
	c.appRoutes()
	c.forwardRoutes()
	c.ownTokenRoutes()
	c.consentRoutes()
	c.actionRoutes()
	c.machineActionRoutes()
	c.investigationRoutes()
	c.peopleRoutes()
	c.roleRoutes()
	c.liveRoute()
	finishSchemas(c.api.OpenAPI())
	describeGroups(c.api.OpenAPI())
	return c
}

// marshalEscaped encodes with <, > and & escaped.
func marshalEscaped(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) }

// quietProblem names the request in problems that huma makes and takes the
// rejected values out: they may be passwords.
func quietProblem(ctx huma.Context, _ string, v any) (any, error) {
	if p, ok := v.(*huma.ErrorModel); ok && p.Instance == "" {
		p.Instance = "urn:picket:request:" + requestOf(ctx.Context()).id
		for _, e := range p.Errors {
			e.Value = nil
		}
	}
	return v, nil
}

// serve answers a request below /api/x; path is its escaped rest. Unknown
// paths and methods are 404.
func (c *console) serve(w http.ResponseWriter, r *http.Request, path string) {
	decoded, ok := canonicalPath(path)
	if !ok {
		writeProblem(c.log, w, r, errRoute)
		return
	}
	u := *r.URL
	u.Path, u.RawPath = decoded, (&url.URL{Path: decoded}).EscapedPath()
	if err := takeGroups(&u, &requestOf(r.Context()).caller); err != nil {
		writeProblem(c.log, w, r, err)
		return
	}
	r = r.WithContext(r.Context())
	r.URL = &u
	if _, pattern := c.mux.Handler(r); pattern == "" {
		writeProblem(c.log, w, r, errRoute)
		return
	}
	c.mux.ServeHTTP(w, r)
}

// problem is an error as a handler of huma returns it.
func (c *console) problem(ctx context.Context, op string, err error) error {
	f := faultIn(ctx, err)
	if f.status >= 500 {
		c.log.ErrorContext(ctx, "request failed", "id", requestOf(ctx).id, "operation", op, "error", err)
	}
	var model error = problemOf(f, requestOf(ctx).id)
	header := headerMap{}
	faultHeaders(header, f)
	if len(header) > 0 {
		return huma.ErrorWithHeaders(model, http.Header(header))
	}
	return model
}

// headerMap collects headers where a ResponseWriter is asked for.
type headerMap http.Header

// Header is the map itself.
func (h headerMap) Header() http.Header { return http.Header(h) }

// Write takes nothing.
func (h headerMap) Write([]byte) (int, error) { return 0, http.ErrBodyNotAllowed }

// WriteHeader does nothing.
func (h headerMap) WriteHeader(int) {}

// body is an answer with a body.
type body[T any] struct {
	Body T
}

// empty is a request without parameters or an answer without a body.
type empty struct{}

// get registers a route that answers one value. At most one path parameter,
// "id", and a second, "sub", are taken from the input.
func get[I, T any](c *console, id, path, summary string, fetch func(ctx context.Context, caller server.Caller, in *I) (T, error)) {
	huma.Register(c.api, huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Errors: readErrors,
	}, func(ctx context.Context, in *I) (*body[T], error) {
		v, err := fetch(ctx, callerOf(ctx), in)
		if err != nil {
			return nil, c.problem(ctx, id, err)
		}
		return &body[T]{Body: v}, nil
	})
}

// readErrors are the problems that any route may answer.
var readErrors = []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity}
