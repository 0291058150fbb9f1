package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/server"
)

// AuditFilter narrows the audit log.
type AuditFilter struct {
	TextFilter
	Sort    []string `query:"sort" enum:"at,-at" doc:"Order of time; minus is newest first."`
	Actor   []string `query:"actor" doc:"Names of people, applications and accounts of the server's machine, whole."`
	Action  []string `query:"action" doc:"Operations, as in the entries: set-device-value."`
	Object  []string `query:"object" doc:"Ids of what entries are about, whole."`
	Outcome []string `query:"outcome" enum:"done,denied,failed" doc:"How requests ended."`
	Remote  []string `query:"remote" doc:"Addresses that requests came from, whole."`
	From    []string `query:"from" doc:"Instant (RFC 3339), included; one."`
	To      []string `query:"to" doc:"Instant (RFC 3339), not included; one, after from."`
}

func (f AuditFilter) query() server.Query {
	return f.queryWith(f.Sort, named("actor", f.Actor), named("action", f.Action), named("object", f.Object), named("outcome", f.Outcome), named("remote", f.Remote), named("from", f.From), named("to", f.To))
}

type auditIn struct {
	Paging
	AuditFilter
}

type auditOut struct {
	ExportFormat
	AuditFilter
}

var auditColumns = []column[server.AuditRow]{
	{"number", func(r *server.AuditRow) string { return r.ID }},
	{"at", func(r *server.AuditRow) string { return instant(r.At) }},
	{"kind", func(r *server.AuditRow) string { return string(r.Kind) }},
	{"actor", func(r *server.AuditRow) string { return r.Actor }},
	{"actor_id", func(r *server.AuditRow) string { return r.ActorID }},
	{"remote", func(r *server.AuditRow) string { return r.Remote }},
	{"action", func(r *server.AuditRow) string { return r.Action }},
	{"object", func(r *server.AuditRow) string { return r.Object }},
	{"outcome", func(r *server.AuditRow) string { return string(r.Outcome) }},
	{"status", func(r *server.AuditRow) string { return whole(r.Status) }},
	{"request", func(r *server.AuditRow) string { return r.Request }},
	{"detail", func(r *server.AuditRow) string { return string(r.Detail) }},
	{"not_listed", func(r *server.AuditRow) string { return whole(r.NotListed) }},
	{"hash", func(r *server.AuditRow) string { return r.Hash }},
}

func (c *console) auditRoutes() {
	const summary = "The audit log: who did what, with which outcome"
	get(c, "audit", "/audit", summary, func(ctx context.Context, caller server.Caller, in *auditIn) (server.Page[server.AuditRow], error) {
		return c.srv.Audit(ctx, caller, in.window(in.query()))
	})
	get(c, "audit-words", "/audit/words", "Actors, actions and addresses of the audit log, 500 of each at most", func(ctx context.Context, caller server.Caller, _ *struct{}) (server.AuditWords, error) {
		return c.srv.AuditWords(ctx, caller)
	})
	const export = "export-audit"
	huma.Register(c.api, huma.Operation{OperationID: export, Method: http.MethodGet, Path: "/audit/export", Summary: summary + ", all rows of the filter as a file", Errors: readErrors, Responses: exportResponses("The rows.")},
		func(ctx context.Context, in *auditOut) (*huma.StreamResponse, error) {
			rows, err := c.srv.AuditExport(ctx, callerOf(ctx), in.query())
			if err != nil {
				return nil, c.problem(ctx, export, err)
			}
			return &huma.StreamResponse{Body: func(hc huma.Context) {
				streamSeq(hc, "audit", "", in.Format, time.Now(), rows, belongs{}, auditColumns)
			}}, nil
		})
}

// unaudited are operations that change nothing although they are no GETs, and
// the looks of a person's own console.
var unaudited = []string{"what-if", "draft-plan", "preview-device-group", "preview-tag-rule", "set-prefs", "ask-passkey", "begin-passkey", "depart-sso", "test-single-sign-on"}

// readsByPost are operations that only read although they are no GETs: what is
// in the log of them is who was denied.
var readsByPost = []string{"run-hunt", "check-hunt", "export-hunt"}

// audited records what a request changes, and every request that is denied.
func (c *console) audited(hc huma.Context, next func(huma.Context)) {
	op := hc.Operation()
	if slices.Contains(unaudited, op.OperationID) {
		next(hc)
		return
	}
	q := requestOf(hc.Context())
	caller := q.caller
	caller.Remote = q.remote // of those who are not signed in, too
	reads := op.Method == http.MethodGet && op.OperationID != packageOperation || slices.Contains(readsByPost, op.OperationID)
	ctx := hc.Context()
	if !reads {
		ctx = c.srv.Audited(ctx, caller, op.OperationID, objectOf(hc), q.id)
		hc = huma.WithContext(hc, ctx)
	}
	next(hc)
	switch status := hc.Status(); {
	case reads && status == http.StatusForbidden:
		c.srv.AuditEnd(c.srv.Audited(ctx, caller, op.OperationID, objectOf(hc), q.id), status)
	case !reads && status != http.StatusTooManyRequests: // those are told by the attempts before them
		c.srv.AuditEnd(ctx, status)
	}
}

func objectOf(hc huma.Context) string {
	if id := hc.Param("id"); id != "" {
		return id
	}
	return hc.Param("sub")
}

// statusOf remembers what was answered.
type statusOf struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status.
func (s *statusOf) WriteHeader(status int) {
	if s.status == 0 {
		s.status = status
	}
	s.ResponseWriter.WriteHeader(status)
}

// Write is an answer of 200 where nothing else was said.
func (s *statusOf) Write(b []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	return s.ResponseWriter.Write(b)
}

// Unwrap gives http.ResponseController what is below.
func (s *statusOf) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// serveDefender serves the Defender-compatible API, and records as audited does.
// The action is the method with the path's names, the object its second part.
func (h *handler) serveDefender(w http.ResponseWriter, r *http.Request, path string) {
	q := requestOf(r.Context())
	parts := strings.Split(strings.Trim(path, "/"), "/")
	action, object := "defender "+r.Method+" "+parts[0], ""
	if len(parts) > 1 {
		object = parts[1]
	}
	if len(parts) > 2 {
		action += "/" + strings.Join(parts[2:], "/")
	}
	srv, ctx := h.opt.Server, r.Context()
	reads := (r.Method == http.MethodGet || r.Method == http.MethodHead) && !strings.EqualFold(parts[len(parts)-1], "getPackageUri") || hunts(parts)
	if !reads {
		ctx = srv.Audited(ctx, q.caller, action, object, q.id)
	}
	answer := &statusOf{ResponseWriter: w}
	h.mde.Serve(answer, r.WithContext(ctx), path, q.caller, q.base)
	switch {
	case reads && answer.status == http.StatusForbidden:
		srv.AuditEnd(srv.Audited(ctx, q.caller, action, object, q.id), answer.status)
	case !reads:
		srv.AuditEnd(ctx, answer.status)
	}
}

// hunts reports whether a path runs a query, which changes nothing although it is posted.
func hunts(parts []string) bool {
	if len(parts) > 0 && strings.EqualFold(parts[0], "v1.0") {
		parts = parts[1:]
	}
	return len(parts) == 2 && strings.EqualFold(parts[1], "run") && (strings.EqualFold(parts[0], "advancedqueries") || strings.EqualFold(parts[0], "advancedhunting"))
}
