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
	SetCookie []http.Cookie `header:"Set-Cookie"`
	Body      SignIn
}

// SignIn is how far a sign-in came: either who is signed in, or what is missing.
type SignIn struct {
	Me   *server.Me         `json:"me,omitempty" doc:"Who is signed in now."`
	Step *server.SecondStep `json:"step,omitempty" doc:"The second factor that is missing; nobody is signed in yet."`
}

type secondIn struct {
	Body struct {
		Ticket string `json:"ticket" maxLength:"16384"`
		Factor string `json:"factor" enum:"code,recovery"`
		Code   string `json:"code" maxLength:"100"`
	}
}

type askPasskeyIn struct {
	Body struct {
		Ticket string `json:"ticket,omitempty" maxLength:"16384" doc:"Of a first factor; empty: the passkey is the only one."`
	}
}

type passkeyIn struct {
	Body struct {
		Ticket     string `json:"ticket" maxLength:"16384"`
		Credential any    `json:"credential" doc:"PublicKeyCredential.toJSON()."`
	}
}

type signedOut struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      SignedOut
}

// SignedOut says where to go after signing out.
type SignedOut struct {
	Address string `json:"address" doc:"Of the identity provider, where the session there is ended; empty: stay."`
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
		Errors: signInErrors, MaxBodyBytes: 16 << 10},
		func(ctx context.Context, in *redeemIn) (*signedIn, error) {
			got, err := c.srv.RedeemLink(ctx, in.Body.Token, placeOf(ctx))
			return c.opened(ctx, "redeem", got, err)
		})
	huma.Register(c.api, huma.Operation{OperationID: "sign-in", Method: http.MethodPost, Path: "/session", Summary: "Sign in with a password",
		Errors: signInErrors, MaxBodyBytes: 16 << 10},
		func(ctx context.Context, in *signInIn) (*signedIn, error) {
			got, err := c.srv.SignIn(ctx, in.Body.Username, in.Body.Password, placeOf(ctx))
			return c.opened(ctx, "sign-in", got, err)
		})
	huma.Register(c.api, huma.Operation{OperationID: "second-factor", Method: http.MethodPost, Path: "/session/second", Summary: "End a sign-in with a one-time code or recovery code",
		Errors: signInErrors, MaxBodyBytes: 64 << 10},
		func(ctx context.Context, in *secondIn) (*signedIn, error) {
			got, err := c.srv.SecondFactor(ctx, in.Body.Ticket, in.Body.Factor, in.Body.Code, placeOf(ctx))
			return c.opened(ctx, "second-factor", got, err)
		})
	huma.Register(c.api, huma.Operation{OperationID: "ask-passkey", Method: http.MethodPost, Path: "/session/passkey/ask", Summary: "Start a sign-in by passkey",
		Errors: signInErrors, MaxBodyBytes: 64 << 10},
		func(ctx context.Context, in *askPasskeyIn) (*body[Ceremony], error) {
			got, err := c.srv.AskPasskey(ctx, in.Body.Ticket, placeOf(ctx))
			if err != nil {
				return nil, c.problem(ctx, "ask-passkey", err)
			}
			return ceremonyOf(got), nil
		})
	huma.Register(c.api, huma.Operation{OperationID: "sign-in-passkey", Method: http.MethodPost, Path: "/session/passkey", Summary: "End a sign-in by passkey",
		Errors: signInErrors, MaxBodyBytes: 64 << 10},
		func(ctx context.Context, in *passkeyIn) (*signedIn, error) {
			answer, err := json.Marshal(in.Body.Credential)
			if err != nil {
				return nil, c.problem(ctx, "sign-in-passkey", err)
			}
			got, err := c.srv.PasskeySignIn(ctx, in.Body.Ticket, answer, placeOf(ctx))
			return c.opened(ctx, "sign-in-passkey", got, err)
		})
	get(c, "me", "/session", "Who is signed in", func(ctx context.Context, caller server.Caller, _ *empty) (server.Me, error) {
		if caller.UserID == 0 || caller.App != "" {
			return server.Me{}, server.ErrDenied
		}
		return requestOf(ctx).me, nil
	})
	huma.Register(c.api, huma.Operation{OperationID: "sign-out", Method: http.MethodDelete, Path: "/session", Summary: "Sign out", Errors: readErrors},
		func(ctx context.Context, _ *empty) (*signedOut, error) {
			q := requestOf(ctx)
			if q.secret == "" {
				return nil, c.problem(ctx, "sign-out", server.ErrDenied)
			}
			if err := c.srv.SignOut(ctx, q.secret); err != nil {
				return nil, c.problem(ctx, "sign-out", err)
			}
			out := &signedOut{SetCookie: cookie(q, "", -1)}
			if q.me.External {
				out.Body.Address = c.srv.LeaveSSO(ctx, q.base)
			}
			return out, nil
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

// signInErrors are the problems of signing in.
var signInErrors = []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusTooManyRequests}

// placeOf is where a request to sign in comes from.
func placeOf(ctx context.Context) server.Place {
	q := requestOf(ctx)
	return server.Place{Remote: q.remote, Agent: q.agent, Base: q.base, Public: q.public}
}

// Ceremony is what a browser is asked to do with a passkey.
type Ceremony struct {
	Ticket  string `json:"ticket" doc:"To be sent with the answer; good for five minutes."`
	Options any    `json:"options" doc:"As PublicKeyCredential.parseCreationOptionsFromJSON or parseRequestOptionsFromJSON takes it."`
}

func ceremonyOf(got server.Ceremony) *body[Ceremony] {
	return &body[Ceremony]{Body: Ceremony{Ticket: got.Ticket, Options: got.Options}}
}

// opened is the answer to a sign-in.
func (c *console) opened(ctx context.Context, op string, got server.SignedIn, err error) (*signedIn, error) {
	if err != nil {
		return nil, c.problem(ctx, op, err)
	}
	if got.Step != nil {
		return &signedIn{Body: SignIn{Step: got.Step}}, nil
	}
	return &signedIn{SetCookie: []http.Cookie{cookie(requestOf(ctx), got.Secret.Reveal(), 7*24*3600)}, Body: SignIn{Me: &got.Me}}, nil
}

// cookie is the session's cookie; maxAge is in seconds, below 0 removes it.
func cookie(q *request, value string, maxAge int) http.Cookie {
	return http.Cookie{Name: cookieName(q.tls, sessionCookie), Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: q.tls, SameSite: http.SameSiteStrictMode}
}

// cookieName is the name of a cookie: over TLS with the prefix that makes
// browsers refuse one which a neighbouring host or plain HTTP has set.
func cookieName(tls bool, name string) string {
	if tls {
		return "__Host-" + name
	}
	return name
}
