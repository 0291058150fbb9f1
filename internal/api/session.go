package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/server"
)

type redeemIn struct {
	Body struct {
		Token string `json:"token" maxLength:"200" doc:"The fragment of the one-time link."`
	}
}

type signInIn struct {
	Body struct {
		Username string `json:"username" maxLength:"200"`
		Password string `json:"password" maxLength:"1024"`
	}
}

type signedIn struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      server.Me
}

type signedOut struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

type passwordIn struct {
	Body struct {
		Current string `json:"current,omitempty" maxLength:"1024" doc:"Needed when a password is set."`
		New     string `json:"new" maxLength:"1024" doc:"At least 12 characters."`
	}
}

type prefsBody struct {
	Body map[string]any
}

// sessionRoutes are signing in and out, and the own account.
func (c *console) sessionRoutes() {
	huma.Register(c.api, huma.Operation{OperationID: "redeem", Method: http.MethodPost, Path: "/session/redeem", Summary: "Sign in with a one-time link",
		Errors: []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusTooManyRequests}, MaxBodyBytes: 16 << 10},
		func(ctx context.Context, in *redeemIn) (*signedIn, error) {
			secret, me, err := c.srv.RedeemLink(ctx, in.Body.Token, requestOf(ctx).remote)
			return c.opened(ctx, "redeem", secret, me, err)
		})
	huma.Register(c.api, huma.Operation{OperationID: "sign-in", Method: http.MethodPost, Path: "/session", Summary: "Sign in with a password",
		Errors: []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusTooManyRequests}, MaxBodyBytes: 16 << 10},
		func(ctx context.Context, in *signInIn) (*signedIn, error) {
			secret, me, err := c.srv.SignIn(ctx, in.Body.Username, in.Body.Password, requestOf(ctx).remote)
			return c.opened(ctx, "sign-in", secret, me, err)
		})
	get(c, "me", "/session", "Who is signed in", func(ctx context.Context, caller server.Caller, _ *empty) (server.Me, error) {
		if caller.UserID == 0 {
			return server.Me{}, server.ErrDenied
		}
		return requestOf(ctx).me, nil
	})
	huma.Register(c.api, huma.Operation{OperationID: "sign-out", Method: http.MethodDelete, Path: "/session", Summary: "Sign out", Errors: readErrors, DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, _ *empty) (*signedOut, error) {
			q := requestOf(ctx)
			if q.secret == "" {
				return nil, c.problem(ctx, "sign-out", server.ErrDenied)
			}
			if err := c.srv.SignOut(ctx, q.secret); err != nil {
				return nil, c.problem(ctx, "sign-out", err)
			}
			return &signedOut{SetCookie: cookie(q, "", -1)}, nil
		})
	huma.Register(c.api, huma.Operation{OperationID: "set-password", Method: http.MethodPut, Path: "/me/password", Summary: "Set the own password; other sessions end",
		Errors: readErrors, DefaultStatus: http.StatusNoContent, MaxBodyBytes: 16 << 10},
		func(ctx context.Context, in *passwordIn) (*empty, error) {
			if err := c.srv.SetPassword(ctx, callerOf(ctx), in.Body.Current, in.Body.New); err != nil {
				return nil, c.problem(ctx, "set-password", err)
			}
			return nil, nil
		})
	huma.Register(c.api, huma.Operation{OperationID: "prefs", Method: http.MethodGet, Path: "/me/prefs", Summary: "The own preferences", Errors: readErrors},
		func(ctx context.Context, _ *empty) (*prefsBody, error) {
			raw, err := c.srv.Prefs(ctx, callerOf(ctx))
			if err != nil {
				return nil, c.problem(ctx, "prefs", err)
			}
			out := &prefsBody{Body: map[string]any{}}
			if err := json.Unmarshal(raw, &out.Body); err != nil {
				return nil, c.problem(ctx, "prefs", err)
			}
			return out, nil
		})
	huma.Register(c.api, huma.Operation{OperationID: "set-prefs", Method: http.MethodPut, Path: "/me/prefs", Summary: "Replace the own preferences (at most 64 KiB)",
		Errors: readErrors, DefaultStatus: http.StatusNoContent, MaxBodyBytes: 64 << 10},
		func(ctx context.Context, in *prefsBody) (*empty, error) {
			raw, err := json.Marshal(in.Body)
			if err == nil {
				err = c.srv.SetPrefs(ctx, callerOf(ctx), raw)
			}
			if err != nil {
				return nil, c.problem(ctx, "set-prefs", err)
			}
			return nil, nil
		})
}

// opened is the answer to a sign-in.
func (c *console) opened(ctx context.Context, op string, secret server.SessionSecret, me server.Me, err error) (*signedIn, error) {
	if err != nil {
		return nil, c.problem(ctx, op, err)
	}
	return &signedIn{SetCookie: cookie(requestOf(ctx), secret.Reveal(), 7*24*3600), Body: me}, nil
}

// cookie is the session's cookie; maxAge is in seconds, below 0 removes it.
func cookie(q *request, value string, maxAge int) http.Cookie {
	return http.Cookie{Name: sessionCookie, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: q.tls, SameSite: http.SameSiteStrictMode}
}
