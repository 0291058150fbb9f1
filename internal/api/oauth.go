package api

import (
	"context"
	"net/http"

	"github.com/picketsec/picket/internal/server"
)

// grants are the ways to a token.
var grants = map[string]func(t *tokenRoutes, ctx context.Context, f *tokenForm) (map[string]any, error){
	"client_credentials": func(t *tokenRoutes, ctx context.Context, f *tokenForm) (map[string]any, error) {
		got, err := t.opt.Server.IssueToken(ctx, requestOf(ctx).base, f.id, f.secret)
		return tokenAnswer(server.DelegatedToken{AccessToken: got}), err
	},
	"authorization_code": func(t *tokenRoutes, ctx context.Context, f *tokenForm) (map[string]any, error) {
		q := requestOf(ctx)
		got, err := t.opt.Server.RedeemCode(ctx, q.base, server.CodeRequest{Client: f.id, Secret: f.secret, Code: f.Get("code"), Redirect: f.Get("redirect_uri"),
			Verifier: f.Get("code_verifier"), Remote: q.remote})
		return tokenAnswer(got), err
	},
	"refresh_token": func(t *tokenRoutes, ctx context.Context, f *tokenForm) (map[string]any, error) {
		got, err := t.opt.Server.RefreshToken(ctx, requestOf(ctx).base, refreshRequest(ctx, f, "refresh_token"))
		return tokenAnswer(got), err
	},
	"urn:ietf:params:oauth:grant-type:device_code": func(t *tokenRoutes, ctx context.Context, f *tokenForm) (map[string]any, error) {
		q := requestOf(ctx)
		got, err := t.opt.Server.PollDevice(ctx, q.base, server.DevicePoll{Client: f.id, Secret: f.secret, Code: f.Get("device_code"), Remote: q.remote})
		return tokenAnswer(got), err
	},
}

func refreshRequest(ctx context.Context, f *tokenForm, field string) server.RefreshRequest {
	return server.RefreshRequest{Client: f.id, Secret: f.secret, Token: f.Get(field), Scope: f.Get("scope"), Remote: requestOf(ctx).remote}
}

func tokenAnswer(got server.DelegatedToken) map[string]any {
	life := int(got.Expires.Seconds())
	out := map[string]any{"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": got.Token}
	if got.Scope != "" {
		out["scope"] = got.Scope
	}
	if got.Refresh != "" {
		out["refresh_token"] = got.Refresh
	}
	return out
}

// authorize sends a browser on: to the console, where its person is asked, or
// back to the application with a refusal.
func (t *tokenRoutes) authorize(w http.ResponseWriter, r *http.Request) {
	at, err := t.opt.Server.Authorize(r.Context(), requestOf(r.Context()).base, r.URL.RawQuery)
	if err != nil {
		f := faultOf(err)
		noteFault(t.opt.Log, r, f, err)
		oauthError(w, f.status, "temporarily_unavailable", f.text)
		return
	}
	w.Header().Set("Location", at)
	w.WriteHeader(http.StatusFound)
}

// devicecode is the device authorization request of RFC 8628.
func (t *tokenRoutes) devicecode(ctx context.Context, f *tokenForm) (map[string]any, error) {
	q := requestOf(ctx)
	got, err := t.opt.Server.StartDevice(ctx, q.base, server.DeviceRequest{Client: f.id, Secret: f.secret, Scope: f.Get("scope"), Remote: q.remote})
	return map[string]any{"device_code": got.DeviceCode, "user_code": got.UserCode, "verification_uri": got.Address, "verification_uri_complete": got.Complete,
		"expires_in": int(got.Expires.Seconds()), "interval": int(got.Interval.Seconds()),
		"message": "To sign in, open " + got.Address + " in a browser and enter the code " + got.UserCode + "."}, err
}

// revoke ends what a refresh token stands for (RFC 7009).
func (t *tokenRoutes) revoke(ctx context.Context, f *tokenForm) (map[string]any, error) {
	return map[string]any{}, t.opt.Server.EndRefreshToken(ctx, refreshRequest(ctx, f, "token"))
}

type askIn struct {
	Ask string `query:"ask" maxLength:"12000" required:"true" doc:"What the application asks for, as the browser brought it."`
}

type consentIn struct {
	Body struct {
		Ask   string `json:"ask" maxLength:"12000"`
		Allow bool   `json:"allow"`
	}
}

// SentBack is where the browser goes on to.
type SentBack struct {
	Address string `json:"address" doc:"Of the application, registered for it."`
}

type userCodeIn struct {
	Code string `query:"code" maxLength:"20" required:"true" doc:"The code that the device shows."`
}

type decideDeviceIn struct {
	Body struct {
		Code  string `json:"code" maxLength:"20"`
		Allow bool   `json:"allow"`
	}
}

type grantID struct {
	ID
	Sub string `path:"sub" maxLength:"64" doc:"Id of what a person let the application do."`
}

// consentRoutes are where people let applications act for them, and end it.
func (c *console) consentRoutes() {
	get(c, "consent", "/me/consent", "What an application asks of you", func(ctx context.Context, caller server.Caller, in *askIn) (server.Consent, error) {
		return c.srv.AskedConsent(ctx, caller, in.Ask)
	})
	change(c, "decide-consent", http.MethodPost, "/me/consent", "Let an application act for you, or not", http.StatusOK,
		func(ctx context.Context, caller server.Caller, in *consentIn) (*body[SentBack], error) {
			at, err := c.srv.DecideConsent(ctx, caller, requestOf(ctx).base, in.Body.Ask, in.Body.Allow)
			return &body[SentBack]{Body: SentBack{Address: at}}, err
		})
	get(c, "device-consent", "/me/device", "What the device that shows a code asks of you", func(ctx context.Context, caller server.Caller, in *userCodeIn) (server.Consent, error) {
		return c.srv.AskedDevice(ctx, caller, in.Code)
	})
	change(c, "decide-device", http.MethodPost, "/me/device", "Let the application on a device act for you, or not", http.StatusNoContent,
		func(ctx context.Context, caller server.Caller, in *decideDeviceIn) (*empty, error) {
			return nil, c.srv.DecideDevice(ctx, caller, in.Body.Code, in.Body.Allow)
		})
	get(c, "own-grants", "/me/grants", "Applications that act for you", func(ctx context.Context, caller server.Caller, _ *empty) ([]server.GrantRow, error) {
		return c.srv.OwnGrants(ctx, caller)
	})
	change(c, "end-own-grant", http.MethodDelete, "/me/grants/{id}", "Let an application act for you no more; its tokens end", http.StatusNoContent,
		func(ctx context.Context, caller server.Caller, in *ID) (*empty, error) {
			return nil, c.srv.EndOwnGrant(ctx, caller, in.ID)
		})
	get(c, "application-grants", "/applications/{id}/grants", "People whom an application acts for", func(ctx context.Context, caller server.Caller, in *ID) ([]server.GrantRow, error) {
		return c.srv.AppGrants(ctx, caller, in.ID)
	})
	change(c, "end-application-grant", http.MethodDelete, "/applications/{id}/grants/{sub}", "Let an application act for a person no more; its tokens end", http.StatusNoContent,
		func(ctx context.Context, caller server.Caller, in *grantID) (*empty, error) {
			return nil, c.srv.EndAppGrant(ctx, caller, in.ID.ID, in.Sub)
		})
}
