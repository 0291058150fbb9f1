package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/server"
)

// scimType is the media type of RFC 7644.
const scimType = "application/scim+json"

// provisioningRoutes are Settings › Sign-in › Provisioning.
func (c *console) provisioningRoutes() {
	get(c, "provisioning", "/sign-in/provisioning", "How a directory provisions accounts", func(ctx context.Context, caller server.Caller, _ *empty) (server.Provisioning, error) {
		return c.srv.Provisioning(ctx, caller, requestOf(ctx).base)
	})
	act(c, huma.Operation{OperationID: "make-provisioning-token", Method: http.MethodPost, Path: "/sign-in/provisioning/token", Summary: "Make the directory's token; one that was there ends", DefaultStatus: http.StatusCreated},
		func(ctx context.Context, caller server.Caller, _ *empty) (server.ProvisioningToken, error) {
			return c.srv.MakeProvisioningToken(ctx, caller)
		})
	end(c, huma.Operation{OperationID: "end-provisioning", Method: http.MethodDelete, Path: "/sign-in/provisioning/token", Summary: "End the directory's token; accounts stay"},
		func(ctx context.Context, caller server.Caller, _ *empty) error {
			return c.srv.EndProvisioning(ctx, caller)
		})
}

// scimCall is one request of a directory.
type scimCall struct {
	p     *server.Provisioner
	id    string
	body  []byte
	query server.SCIMQuery
	base  string // "https://picket.example/scim/v2"
}

// scimRoute is one line of what SCIM offers.
type scimRoute struct {
	method, path string // path with {id}
	status       int
	do           func(ctx context.Context, c *scimCall) (any, error)
}

// scimRoutes is the whole table: what is not in it is not there.
func scimRoutes() []scimRoute {
	return []scimRoute{
		{"GET", "/ServiceProviderConfig", 200, func(_ context.Context, c *scimCall) (any, error) { return scimConfig(c.base), nil }},
		{"GET", "/ResourceTypes", 200, func(_ context.Context, c *scimCall) (any, error) { return scimList(scimTypes(c.base)), nil }},
		{"GET", "/ResourceTypes/{id}", 200, func(_ context.Context, c *scimCall) (any, error) { return scimOne(scimTypes(c.base), c.id) }},
		{"GET", "/Schemas", 200, func(_ context.Context, c *scimCall) (any, error) { return scimList(scimSchemas(c.base)), nil }},
		{"GET", "/Schemas/{id}", 200, func(_ context.Context, c *scimCall) (any, error) { return scimOne(scimSchemas(c.base), c.id) }},
		{"GET", "/Users", 200, func(ctx context.Context, c *scimCall) (any, error) { return c.p.Users(ctx, c.query, c.base) }},
		{"POST", "/Users", 201, func(ctx context.Context, c *scimCall) (any, error) { return c.p.CreateUser(ctx, c.body, c.base) }},
		{"GET", "/Users/{id}", 200, func(ctx context.Context, c *scimCall) (any, error) { return c.p.User(ctx, c.id, c.query, c.base) }},
		{"PUT", "/Users/{id}", 200, func(ctx context.Context, c *scimCall) (any, error) {
			return c.p.ReplaceUser(ctx, c.id, c.body, c.base)
		}},
		{"PATCH", "/Users/{id}", 200, func(ctx context.Context, c *scimCall) (any, error) { return c.p.PatchUser(ctx, c.id, c.body, c.base) }},
		{"DELETE", "/Users/{id}", 204, func(ctx context.Context, c *scimCall) (any, error) { return nil, c.p.DeleteUser(ctx, c.id) }},
		{"GET", "/Groups", 200, func(ctx context.Context, c *scimCall) (any, error) { return c.p.Groups(ctx, c.query, c.base) }},
		{"POST", "/Groups", 201, func(ctx context.Context, c *scimCall) (any, error) { return c.p.CreateGroup(ctx, c.body, c.base) }},
		{"GET", "/Groups/{id}", 200, func(ctx context.Context, c *scimCall) (any, error) { return c.p.Group(ctx, c.id, c.query, c.base) }},
		{"PUT", "/Groups/{id}", 200, func(ctx context.Context, c *scimCall) (any, error) {
			return c.p.ReplaceGroup(ctx, c.id, c.body, c.base)
		}},
		{"PATCH", "/Groups/{id}", 200, func(ctx context.Context, c *scimCall) (any, error) {
			return c.p.PatchGroup(ctx, c.id, c.body, c.base)
		}},
		{"DELETE", "/Groups/{id}", 204, func(ctx context.Context, c *scimCall) (any, error) { return nil, c.p.DeleteGroup(ctx, c.id) }},
	}
}

// serveSCIM answers a request below /scim. It believes the directory's token
// and nothing else: no session, no token of an application, no certificate.
func (h *handler) serveSCIM(w http.ResponseWriter, r *http.Request, path string) {
	q := requestOf(r.Context())
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		token = ""
	}
	p, err := h.opt.Server.Provisioner(r.Context(), strings.TrimSpace(token))
	if err != nil {
		h.scimFail(w, r, err)
		return
	}
	rest := ""
	if len(path) >= len(server.SCIMPath) && strings.EqualFold(path[:len(server.SCIMPath)], server.SCIMPath) {
		rest = path[len(server.SCIMPath):]
	}
	route, id := findSCIM(r.Method, rest)
	if route == nil {
		h.scimFail(w, r, errRoute)
		return
	}
	call := &scimCall{p: p, id: id, base: q.base + server.SCIMPath}
	if call.query, err = scimQuery(r.URL.Query()); err == nil && r.Method != http.MethodGet {
		call.body, err = io.ReadAll(r.Body)
	}
	if err != nil {
		h.scimFail(w, r, err)
		return
	}
	ctx := r.Context()
	if r.Method != http.MethodGet {
		ctx = h.opt.Server.Audited(ctx, server.Caller{Name: "directory", App: "scim", Remote: q.remote}, "scim "+r.Method+" "+route.path, id, q.id)
	}
	answer, err := h.doSCIM(ctx, r, route, call)
	if errors.Is(err, errNotModified) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if err != nil {
		status := h.scimFail(w, r, err)
		h.opt.Server.AuditEnd(ctx, status)
		return
	}
	h.opt.Server.AuditEnd(ctx, route.status)
	if route.status == http.StatusNoContent {
		w.WriteHeader(route.status)
		return
	}
	if v := scimVersion(answer); v != "" {
		w.Header().Set("ETag", v)
	}
	writeSCIM(w, route.status, answer)
}

// errNotModified says that the directory has what there is.
var errNotModified = errors.New("not modified")

// doSCIM does what a route does, if the conditions of the request hold
// (RFC 7644, section 3.14). One change at a time, so that nothing comes between
// looking at the version and changing what has it.
func (h *handler) doSCIM(ctx context.Context, r *http.Request, route *scimRoute, c *scimCall) (any, error) {
	none, some := r.Header.Get("If-None-Match"), r.Header.Get("If-Match")
	if r.Method == http.MethodGet {
		answer, err := route.do(ctx, c)
		if v := scimVersion(answer); err == nil && v != "" && versionIn(none, v) {
			return nil, errNotModified
		}
		return answer, err
	}
	h.provisioning.Lock()
	defer h.provisioning.Unlock()
	if (none != "" || some != "") && strings.HasSuffix(route.path, "/{id}") {
		get, _ := findSCIM(http.MethodGet, strings.TrimSuffix(route.path, "{id}")+url.PathEscape(c.id))
		now, err := get.do(ctx, &scimCall{p: c.p, id: c.id, base: c.base})
		if err != nil {
			return nil, err
		}
		if v := scimVersion(now); some != "" && !versionIn(some, v) || none != "" && versionIn(none, v) {
			return nil, &server.SCIMError{Status: http.StatusPreconditionFailed, Detail: "The resource was changed meanwhile: read it again. Its version is " + v + "."}
		}
	}
	return route.do(ctx, c)
}

// scimVersion is the version of a resource, "" for lists and what has none.
func scimVersion(answer any) string {
	raw, err := json.Marshal(answer)
	var d struct {
		Meta struct{ Version string } `json:"meta"`
	}
	if err != nil || json.Unmarshal(raw, &d) != nil {
		return ""
	}
	return d.Meta.Version
}

// versionIn reports whether a list of versions, as If-Match has it, names one.
// They are compared weakly: all of them are weak.
func versionIn(list, version string) bool {
	for v := range strings.SplitSeq(list, ",") {
		if v = strings.TrimSpace(v); v == "*" || strings.TrimPrefix(v, "W/") == strings.TrimPrefix(version, "W/") {
			return true
		}
	}
	return false
}

// findSCIM is the route of a path below the base, and the id in it.
func findSCIM(method, path string) (*scimRoute, string) {
	path = strings.TrimSuffix(path, "/")
	for _, r := range scimRoutes() {
		if r.method != method {
			continue
		}
		head, hasID := strings.CutSuffix(r.path, "/{id}")
		if !hasID && strings.EqualFold(path, head) {
			return &r, ""
		}
		if i := strings.LastIndexByte(path, '/'); hasID && i > 0 && strings.EqualFold(path[:i], head) {
			if id, err := url.PathUnescape(path[i+1:]); err == nil && id != "" && len(id) <= 300 {
				return &r, id
			}
		}
	}
	return nil, ""
}

func scimQuery(v url.Values) (server.SCIMQuery, error) {
	q := server.SCIMQuery{Filter: v.Get("filter"), Start: 1, Count: -1}
	for name, at := range map[string]*int{"startIndex": &q.Start, "count": &q.Count} {
		if text := v.Get(name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil {
				return q, &server.SCIMError{Status: http.StatusBadRequest, Type: "invalidValue", Detail: name + " must be a whole number."}
			}
			*at = max(n, 0)
		}
	}
	for name, at := range map[string]*[]string{"excludedAttributes": &q.Excluded, "attributes": &q.Only} {
		if text := v.Get(name); text != "" && len(text) <= 2000 {
			for a := range strings.SplitSeq(text, ",") {
				*at = append(*at, strings.TrimSpace(a))
			}
		}
	}
	return q, nil
}

// scimFail writes an error as RFC 7644, section 3.12, says, and returns its status.
func (h *handler) scimFail(w http.ResponseWriter, r *http.Request, err error) int {
	out := map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:Error"}}
	var s *server.SCIMError
	var status int
	if errors.As(err, &s) {
		status = s.Status
		out["detail"] = s.Detail
		if s.Type != "" {
			out["scimType"] = s.Type
		}
	} else {
		f := faultIn(r.Context(), err)
		noteFault(h.opt.Log, r, f, err)
		faultHeaders(w, f)
		status = f.status
		out["detail"] = f.text
	}
	out["status"] = strconv.Itoa(status)
	writeSCIM(w, status, out)
	return status
}

func writeSCIM(w http.ResponseWriter, status int, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		status, raw = http.StatusInternalServerError, []byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"500"}`)
	}
	w.Header().Set("Content-Type", scimType)
	w.WriteHeader(status)
	_, _ = w.Write(raw) // a client that has gone needs no answer
}
