package api

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/picketsec/picket/internal/server"
)

// tokenRoutes are OAuth 2.0 client credentials (RFC 6749, section 4.4) and the
// discovery documents that identity libraries ask for first.
type tokenRoutes struct {
	opt Options
}

func newTokenRoutes(opt Options) *tokenRoutes { return &tokenRoutes{opt: opt} }

// maxForm bounds the body of a token request.
const maxForm = 64 << 10

// tokenPath is a route outside /api, with or without a tenant before it.
type tokenPath struct{ suffix, kind string }

// tokenPaths is the whole table: what is not in it is not there.
func tokenPaths() []tokenPath {
	return []tokenPath{
		{"/oauth2/v2.0/token", "token"},
		{"/oauth2/token", "token"},
		{"/v2.0/.well-known/openid-configuration", "config"},
		{"/.well-known/openid-configuration", "config"},
		{"/discovery/v2.0/keys", "keys"},
		{"/discovery/keys", "keys"},
	}
}

// tokenRoute says what a path outside /api is: "token", "config" or "keys",
// and the tenant that it names ("" for none).
func tokenRoute(path string) (kind, tenant string) {
	path = strings.ToLower(strings.TrimSuffix(path, "/"))
	for _, r := range tokenPaths() {
		if rest, ok := strings.CutSuffix(path, r.suffix); ok {
			tenant = strings.TrimPrefix(rest, "/")
			if strings.Contains(tenant, "/") || rest != "" && tenant == "" {
				return "", ""
			}
			return r.kind, tenant
		}
	}
	return "", ""
}

func (t *tokenRoutes) owns(path string) bool {
	kind, _ := tokenRoute(path)
	return kind != ""
}

// ServeHTTP serves a path that owns accepts.
func (t *tokenRoutes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind, tenant := tokenRoute(r.URL.EscapedPath())
	w.Header().Set("Pragma", "no-cache")
	post := kind == "token"
	if post != (r.Method == http.MethodPost) && !(r.Method == http.MethodHead && !post) && !(r.Method == http.MethodGet && !post) {
		w.Header().Set("Allow", map[bool]string{true: "POST", false: "GET"}[post])
		oauthError(w, http.StatusMethodNotAllowed, "invalid_request", "This address takes POST for tokens and GET for documents.")
		return
	}
	if tenant != "" && !strings.EqualFold(tenant, t.opt.Server.TenantID()) {
		oauthError(w, http.StatusBadRequest, "invalid_request", "There is no such tenant.")
		return
	}
	switch kind {
	case "token":
		t.token(w, r)
	case "config":
		t.config(w, r)
	default:
		writeJSON(w, http.StatusOK, t.opt.Server.KeySet())
	}
}

// token answers a request for a token. The form is read whatever its
// Content-Type says: some clients send none.
func (t *tokenRoutes) token(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
	if err != nil || len(raw) > maxForm {
		oauthError(w, http.StatusBadRequest, "invalid_request", "The form cannot be read or is larger than 64 KiB.")
		return
	}
	form, err := url.ParseQuery(strings.TrimSpace(string(raw)))
	if err != nil {
		oauthError(w, http.StatusBadRequest, "invalid_request", "The body is not a URL-encoded form.")
		return
	}
	id, secret := form.Get("client_id"), form.Get("client_secret")
	user, pass, basic := r.BasicAuth()
	if basic {
		id, secret = formValue(user), formValue(pass)
	}
	switch grant := form.Get("grant_type"); {
	case grant == "":
		oauthError(w, http.StatusBadRequest, "invalid_request", "grant_type is missing; use client_credentials.")
		return
	case grant != "client_credentials":
		oauthError(w, http.StatusBadRequest, "unsupported_grant_type", "Only client_credentials is supported.")
		return
	case id == "":
		oauthError(w, http.StatusBadRequest, "invalid_request", "client_id is missing.")
		return
	}
	if scope := form.Get("scope"); scope != "" && !strings.HasSuffix(scope, "/.default") {
		oauthError(w, http.StatusBadRequest, "invalid_scope", "scope must end in /.default.")
		return
	}
	q := requestOf(r.Context())
	ctx := t.opt.Server.Audited(r.Context(), server.Caller{Name: id, App: id, Remote: q.remote}, "issue-token", id, q.id)
	token, err := t.opt.Server.IssueToken(ctx, q.base, id, secret)
	switch {
	case errors.Is(err, server.ErrUnauthenticated):
		if basic {
			w.Header().Set("WWW-Authenticate", `Basic realm="picket"`)
		}
		t.opt.Server.AuditEnd(ctx, http.StatusUnauthorized)
		oauthError(w, http.StatusUnauthorized, "invalid_client", "The client id or the client secret is wrong.")
	case err != nil:
		f := faultOf(err)
		noteFault(t.opt.Log, r, f, err)
		faultHeaders(w, f)
		oauthError(w, f.status, "temporarily_unavailable", f.text)
	default:
		t.opt.Server.AuditEnd(ctx, http.StatusOK)
		life := int(token.Expires.Seconds())
		writeJSON(w, http.StatusOK, map[string]any{
			"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token.Token,
		})
	}
}

// formValue undoes the form encoding that RFC 6749 asks for in Basic; a value
// that is not encoded stays as it is.
func formValue(s string) string {
	if v, err := url.QueryUnescape(s); err == nil {
		return v
	}
	return s
}

// config is the OpenID Connect discovery document.
func (t *tokenRoutes) config(w http.ResponseWriter, r *http.Request) {
	base := requestOf(r.Context()).base + "/" + t.opt.Server.TenantID()
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                base + "/v2.0",
		"authorization_endpoint":                base + "/oauth2/v2.0/authorize",
		"token_endpoint":                        base + "/oauth2/v2.0/token",
		"jwks_uri":                              base + "/discovery/v2.0/keys",
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "client_secret_basic"},
		"response_types_supported":              []string{"token"},
		"grant_types_supported":                 []string{"client_credentials"},
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
	})
}

// oauthError is an error as RFC 6749, section 5.2, says.
func oauthError(w http.ResponseWriter, status int, code, text string) {
	writeJSON(w, status, map[string]any{"error": code, "error_description": text})
}
