package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/server"
)

// ssoCookie carries a sign-in to the provider and back. It is Lax, because the
// way back is a navigation from the provider's site; its content is sealed.
const ssoCookie = "picket_sso"

type departIn struct {
	Body struct {
		Next string `json:"next,omitempty" maxLength:"2000" doc:"Path of the console to go to afterwards."`
	}
}

type departOut struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      struct {
		Address string `json:"address" doc:"Of the identity provider; the browser goes there."`
	}
}

type ssoIn struct {
	Body server.SingleSignOnEdit
}

// ssoRoutes are single sign-on: its settings, and its beginning.
func (c *console) ssoRoutes() {
	get(c, "sign-in-ways", "/session/ways", "How to sign in here", func(ctx context.Context, _ server.Caller, _ *empty) (server.SignInWays, error) {
		return c.srv.SignInWays(ctx), nil
	})
	huma.Register(c.api, huma.Operation{OperationID: "depart-sso", Method: http.MethodPost, Path: "/session/sso", Summary: "Start to sign in at the identity provider",
		Errors: append([]int{http.StatusServiceUnavailable}, signInErrors...), MaxBodyBytes: 16 << 10},
		func(ctx context.Context, in *departIn) (*departOut, error) {
			got, err := c.srv.DepartSSO(ctx, ownPath(in.Body.Next), placeOf(ctx))
			if err != nil {
				return nil, c.problem(ctx, "depart-sso", err)
			}
			out := &departOut{SetCookie: laxCookie(requestOf(ctx), got.Slip, 300)}
			out.Body.Address = got.Address
			return out, nil
		})
	get(c, "single-sign-on", "/sign-in/sso", "The identity provider", func(ctx context.Context, caller server.Caller, _ *empty) (server.SingleSignOnView, error) {
		return c.srv.SingleSignOn(ctx, caller, requestOf(ctx).base)
	})
	act(c, huma.Operation{OperationID: "set-single-sign-on", Method: http.MethodPut, Path: "/sign-in/sso", Summary: "Set the identity provider up"},
		func(ctx context.Context, caller server.Caller, in *ssoIn) (server.SingleSignOnView, error) {
			return c.srv.SetSingleSignOn(ctx, caller, in.Body, requestOf(ctx).base)
		})
	act(c, huma.Operation{OperationID: "test-single-sign-on", Method: http.MethodPost, Path: "/sign-in/sso/test", Summary: "Ask an identity provider what it says of itself"},
		func(ctx context.Context, caller server.Caller, in *ssoIn) (server.TestResult, error) {
			return c.srv.TestSingleSignOn(ctx, caller, in.Body)
		})
}

func laxCookie(q *request, value string, maxAge int) http.Cookie {
	return http.Cookie{Name: cookieName(q.tls, ssoCookie), Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: q.tls, SameSite: http.SameSiteLaxMode}
}

// ownPath is a path of this console, "/" for whatever is none.
func ownPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || len(next) == 0 || next[0] != '/' || len(next) > 1 && (next[1] == '/' || next[1] == '\\') {
		return "/"
	}
	return next
}

// arrive is where the identity provider sends browsers back to. It answers
// with a way on into the console, signed in or with a word of what went wrong.
func (h *handler) arrive(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", "GET")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	q := requestOf(r.Context())
	slip := ""
	if c, err := r.Cookie(cookieName(q.tls, ssoCookie)); err == nil {
		slip = c.Value
	}
	ctx := h.opt.Server.Audited(r.Context(), server.Caller{Name: "single sign-on", Remote: q.remote}, "sign-in-sso", "", q.id)
	in, next, err := h.opt.Server.ArriveSSO(ctx, r.URL.Query(), slip, server.Place{Remote: q.remote, Agent: q.agent, Base: q.base, Public: q.public})
	gone := laxCookie(q, "", -1)
	http.SetCookie(w, &gone)
	if err != nil {
		word := "unavailable"
		var sso *server.SSOError
		if errors.As(err, &sso) {
			word = sso.Word
			h.opt.Server.AuditEnd(ctx, http.StatusUnauthorized)
		} else {
			h.opt.Log.ErrorContext(ctx, "request failed", "id", q.id, "operation", "sign-in-sso", "error", err)
			h.opt.Server.AuditEnd(ctx, http.StatusInternalServerError)
		}
		http.Redirect(w, r, "/login?trouble="+word, http.StatusSeeOther)
		return
	}
	h.opt.Server.AuditEnd(ctx, http.StatusOK)
	c := cookie(q, in.Secret.Reveal(), 7*24*3600)
	http.SetCookie(w, &c)
	// The page itself goes on: a redirect would still be the provider's navigation,
	// which the session's strict cookie does not go along with.
	http.Redirect(w, r, "/login?next="+url.QueryEscape(next), http.StatusSeeOther)
}
