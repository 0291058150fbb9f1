package api

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/picketsec/picket/internal/server"
)

// tokenRoutes are OAuth 2.0 (RFC 6749) for programs: client credentials, and codes,
// device codes (RFC 8628) and refresh tokens of those that act for people; and the
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
		{"/oauth2/v2.0/authorize", "authorize"},
		{"/oauth2/v2.0/devicecode", "devicecode"},
		{"/oauth2/v2.0/revoke", "revoke"},
		{"/v2.0/.well-known/openid-configuration", "config"},
		{"/.well-known/openid-configuration", "config"},
		{"/v2.0/.well-known/oauth-authorization-server", "config"},
		{"/.well-known/oauth-authorization-server", "config"},
		{"/discovery/v2.0/keys", "keys"},
		{"/discovery/keys", "keys"},
	}
}

// metadataPath is where RFC 8414, section 3.1, puts the document of an issuer
// whose address has a path: before it.
const metadataPath = "/.well-known/oauth-authorization-server/"

// tokenRoute says what a path outside /api is, as tokenPaths has it, and the
// tenant that it names ("" for none).
func tokenRoute(path string) (kind, tenant string) {
	path = strings.ToLower(strings.TrimSuffix(path, "/"))
	if issuer, ok := strings.CutPrefix(path, metadataPath); ok {
		tenant, _ = strings.CutSuffix(issuer, "/v2.0")
		return "config", tenant
	}
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

func isTokenPath(path string) bool {
	kind, _ := tokenRoute(path)
	return kind != ""
}

// ServeHTTP serves a path that isTokenPath accepts.
func (t *tokenRoutes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind, tenant := tokenRoute(r.URL.EscapedPath())
	w.Header().Set("Pragma", "no-cache")
	preflight := kind == "token" && r.Method == http.MethodOptions
	post := kind == "token" || kind == "devicecode" || kind == "revoke"
	if !preflight && post != (r.Method == http.MethodPost) && !(r.Method == http.MethodHead && !post) && !(r.Method == http.MethodGet && !post) {
		wrongMethod(w, post)
		return
	}
	if tenant != "" && !strings.EqualFold(tenant, t.opt.Server.TenantID()) {
		oauthError(w, http.StatusBadRequest, "invalid_request", "There is no such tenant.")
		return
	}
	if preflight {
		t.preflight(w, r)
		return
	}
	switch kind {
	case "token", "devicecode", "revoke":
		t.post(w, r, kind)
	case "authorize":
		t.authorize(w, r)
	case "config":
		t.config(w, r)
	default:
		writeJSON(w, http.StatusOK, t.opt.Server.KeySet())
	}
}

func wrongMethod(w http.ResponseWriter, post bool) {
	w.Header().Set("Allow", map[bool]string{true: "POST", false: "GET"}[post])
	oauthError(w, http.StatusMethodNotAllowed, "invalid_request", "This address takes POST for tokens and GET for documents.")
}

// preflight answers a browser that asks whether a page of another origin may ask for a token.
func (t *tokenRoutes) preflight(w http.ResponseWriter, r *http.Request) {
	if !t.shareWith(w, r, "") {
		wrongMethod(w, true)
		return
	}
	w.Header().Set("Access-Control-Allow-Methods", http.MethodPost)
	w.Header().Set("Access-Control-Allow-Headers", "Content-Type")
	w.Header().Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

// shareWith lets a page of another origin read the answer, without cookies, when
// it is one that a public application has people sent back to: this one, or for
// "" any, before the form is there that names it. No other address answers so.
func (t *tokenRoutes) shareWith(w http.ResponseWriter, r *http.Request, client string) bool {
	w.Header().Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	may, err := t.opt.Server.MayAskFrom(r.Context(), client, origin)
	if err != nil {
		noteFault(t.opt.Log, r, faultOf(err), err)
		return false
	}
	if may {
		w.Header().Set("Access-Control-Allow-Origin", origin)
	}
	return may
}

// tokenForm is the form of a request for a token, and who sends it.
type tokenForm struct {
	url.Values
	id, secret string
	basic      bool // in the header and not in the form
}

// post answers a form. It is read whatever its Content-Type says: some clients
// send none.
func (t *tokenRoutes) post(w http.ResponseWriter, r *http.Request, kind string) {
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
	f := tokenForm{Values: form, id: form.Get("client_id"), secret: form.Get("client_secret")}
	if user, pass, basic := r.BasicAuth(); basic {
		f.id, f.secret, f.basic = formValue(user), formValue(pass), true
	}
	if kind == "token" && f.id != "" {
		t.shareWith(w, r, f.id)
	}
	grant := form.Get("grant_type")
	switch {
	case kind == "token" && grant == "":
		oauthError(w, http.StatusBadRequest, "invalid_request", "grant_type is missing; programs of their own use client_credentials.")
	case kind == "token" && grants[grant] == nil:
		oauthError(w, http.StatusBadRequest, "unsupported_grant_type", "grant_type is not one of those that the discovery document names.")
	case f.id == "":
		oauthError(w, http.StatusBadRequest, "invalid_request", "client_id is missing.")
	case kind == "devicecode":
		t.audited(w, r, "start-device", &f, t.devicecode)
	case kind == "revoke":
		t.audited(w, r, "revoke-token", &f, t.revoke)
	case grant == "client_credentials" && form.Get("scope") != "" && !strings.HasSuffix(form.Get("scope"), "/.default"):
		oauthError(w, http.StatusBadRequest, "invalid_scope", "scope must end in /.default.")
	default:
		t.audited(w, r, "issue-token", &f, func(ctx context.Context, f *tokenForm) (map[string]any, error) { return grants[grant](t, ctx, f) })
	}
}

// audited answers a form with what do makes of it, and records it but for waiting.
func (t *tokenRoutes) audited(w http.ResponseWriter, r *http.Request, action string, f *tokenForm, do func(context.Context, *tokenForm) (map[string]any, error)) {
	q := requestOf(r.Context())
	ctx := t.opt.Server.Audited(r.Context(), server.Caller{Name: f.id, App: f.id, Remote: q.remote}, action, f.id, q.id)
	answer, err := do(ctx, f)
	var oauth *server.OAuthError
	switch {
	case err == nil:
		t.opt.Server.AuditEnd(ctx, http.StatusOK)
		writeJSON(w, http.StatusOK, answer)
	case errors.Is(err, server.ErrUnauthenticated):
		if f.basic {
			w.Header().Set("WWW-Authenticate", `Basic realm="picket"`)
		}
		t.opt.Server.AuditEnd(ctx, http.StatusUnauthorized)
		oauthError(w, http.StatusUnauthorized, "invalid_client", "The client id or the client secret is wrong.")
	case errors.As(err, &oauth):
		if oauth.Code != "authorization_pending" && oauth.Code != "slow_down" {
			t.opt.Server.AuditEnd(ctx, http.StatusBadRequest)
		}
		oauthError(w, http.StatusBadRequest, oauth.Code, oauth.Text)
	default:
		f := faultOf(err)
		noteFault(t.opt.Log, r, f, err)
		faultHeaders(w, f)
		oauthError(w, f.status, "temporarily_unavailable", f.text)
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

// config is the discovery document of RFC 8414 and of OpenID Connect.
func (t *tokenRoutes) config(w http.ResponseWriter, r *http.Request) {
	base := requestOf(r.Context()).base + "/" + t.opt.Server.TenantID()
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                         base + "/v2.0",
		"authorization_endpoint":                         base + "/oauth2/v2.0/authorize",
		"token_endpoint":                                 base + "/oauth2/v2.0/token",
		"device_authorization_endpoint":                  base + "/oauth2/v2.0/devicecode",
		"revocation_endpoint":                            base + "/oauth2/v2.0/revoke",
		"jwks_uri":                                       base + "/discovery/v2.0/keys",
		"token_endpoint_auth_methods_supported":          []string{"client_secret_post", "client_secret_basic", "none"},
		"revocation_endpoint_auth_methods_supported":     []string{"client_secret_post", "client_secret_basic", "none"},
		"response_types_supported":                       []string{"code"},
		"response_modes_supported":                       []string{"query"},
		"grant_types_supported":                          slices.Sorted(maps.Keys(grants)),
		"scopes_supported":                               server.DelegatedScopes(),
		"code_challenge_methods_supported":               []string{"S256"},
		"authorization_response_iss_parameter_supported": true,
		"subject_types_supported":                        []string{"pairwise"},
		"id_token_signing_alg_values_supported":          []string{"RS256"},
	})
}

// oauthError is an error as RFC 6749, section 5.2, says.
func oauthError(w http.ResponseWriter, status int, code, text string) {
	writeJSON(w, status, map[string]any{"error": code, "error_description": text})
}
