package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/server"
)

type newAppIn struct {
	Body struct {
		server.AppEdit
		Days int `json:"days,omitempty" minimum:"0" maximum:"3660" doc:"How long the first secret lives; 0: it never expires."`
	}
}

type editAppIn struct {
	ID
	Body server.AppEdit
}

type newSecretIn struct {
	ID
	Body server.NewSecret
}

type appSecretID struct {
	ID
	Sub string `path:"sub" maxLength:"64" doc:"Id of the secret."`
}

// Credentials are an application's; the secret is shown only here.
type Credentials struct {
	TenantID     string `json:"tenant_id"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	TokenURL     string `json:"token_url"`
}

func credentials(ctx context.Context, s server.AppSecret) *body[Credentials] {
	return &body[Credentials]{Body: Credentials{TenantID: s.TenantID, ClientID: s.ClientID, ClientSecret: s.ClientSecret,
		TokenURL: requestOf(ctx).base + "/" + s.TenantID + "/oauth2/v2.0/token"}}
}

type limitsIn struct {
	Body struct {
		Preset    string `json:"preset" enum:"plain,reference"`
		PerMinute int    `json:"per_minute,omitempty" minimum:"0" maximum:"10000000" doc:"Calls a minute, with plain."`
	}
}

type rotateIn struct {
	Body struct {
		Revoke bool `json:"revoke,omitempty" doc:"Tokens that were issued end at once."`
	}
}

// change registers a route that changes something and answers one value.
func change[I, T any](c *console, id, method, path, summary string, status int, do func(ctx context.Context, caller server.Caller, in *I) (*T, error)) {
	huma.Register(c.api, huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Errors: readErrors, DefaultStatus: status, MaxBodyBytes: 64 << 10},
		func(ctx context.Context, in *I) (*T, error) {
			v, err := do(ctx, callerOf(ctx), in)
			if err != nil {
				return nil, c.problem(ctx, id, err)
			}
			return v, nil
		})
}

// appRoutes are Settings › API applications.
func (c *console) appRoutes() {
	get(c, "applications", "/applications", "Applications and people's own tokens", func(ctx context.Context, caller server.Caller, _ *empty) ([]server.AppRow, error) {
		return c.srv.Apps(ctx, caller)
	})
	change(c, "create-application", http.MethodPost, "/applications", "Register an application; its secret is shown once", http.StatusCreated,
		func(ctx context.Context, caller server.Caller, in *newAppIn) (*body[Credentials], error) {
			s, err := c.srv.NewApp(ctx, caller, in.Body.AppEdit, in.Body.Days)
			return credentials(ctx, s), err
		})
	change(c, "edit-application", http.MethodPut, "/applications/{id}", "Change, disable or enable an application", http.StatusOK,
		func(ctx context.Context, caller server.Caller, in *editAppIn) (*body[server.AppRow], error) {
			row, err := c.srv.EditApp(ctx, caller, in.ID.ID, in.Body)
			return &body[server.AppRow]{Body: row}, err
		})
	change(c, "delete-application", http.MethodDelete, "/applications/{id}", "Delete an application; its tokens end", http.StatusNoContent,
		func(ctx context.Context, caller server.Caller, in *ID) (*empty, error) {
			return nil, c.srv.DeleteApp(ctx, caller, in.ID)
		})
	change(c, "add-application-secret", http.MethodPost, "/applications/{id}/secrets", "Make another secret, shown once", http.StatusCreated,
		func(ctx context.Context, caller server.Caller, in *newSecretIn) (*body[Credentials], error) {
			s, err := c.srv.AddAppSecret(ctx, caller, in.ID.ID, in.Body)
			return credentials(ctx, s), err
		})
	change(c, "remove-application-secret", http.MethodDelete, "/applications/{id}/secrets/{sub}", "Remove a secret; tokens that were got with it end", http.StatusNoContent,
		func(ctx context.Context, caller server.Caller, in *appSecretID) (*empty, error) {
			return nil, c.srv.DeleteAppSecret(ctx, caller, in.ID.ID, in.Sub)
		})
	get(c, "api-settings", "/api-settings", "What holds for all applications", func(ctx context.Context, caller server.Caller, _ *empty) (server.APISettings, error) {
		return c.srv.APISettings(ctx, caller)
	})
	change(c, "set-api-limits", http.MethodPut, "/api-settings/limits", "Set the limits of applications without their own", http.StatusNoContent,
		func(ctx context.Context, caller server.Caller, in *limitsIn) (*empty, error) {
			return nil, c.srv.SetAPILimits(ctx, caller, in.Body.Preset, in.Body.PerMinute)
		})
	change(c, "rotate-signing-key", http.MethodPost, "/api-settings/rotate-key", "Make a new key for tokens", http.StatusOK,
		func(ctx context.Context, caller server.Caller, in *rotateIn) (*body[server.SigningKey], error) {
			k, err := c.srv.RotateSigningKey(ctx, caller, in.Body.Revoke)
			return &body[server.SigningKey]{Body: k}, err
		})
}

// OwnTokenList are a person's tokens, and what a new one may be given.
type OwnTokenList struct {
	Tokens      []server.AppRow `json:"tokens"`
	Permissions []string        `json:"permissions"`
}

type newOwnTokenIn struct {
	Body struct {
		Name        string   `json:"name" maxLength:"200"`
		Permissions []string `json:"permissions" maxItems:"100" doc:"Of those that you hold."`
		Days        int      `json:"days" minimum:"1" maximum:"366" doc:"How long it lives."`
	}
}

// ownTokenRoutes are the tokens of who is signed in.
func (c *console) ownTokenRoutes() {
	get(c, "own-tokens", "/me/tokens", "The own tokens for programs", func(ctx context.Context, caller server.Caller, _ *empty) (OwnTokenList, error) {
		rows, err := c.srv.OwnTokens(ctx, caller)
		return OwnTokenList{Tokens: rows, Permissions: c.srv.OwnPermissions(ctx, caller)}, err
	})
	change(c, "create-own-token", http.MethodPost, "/me/tokens", "Make a token for a program that acts as you; its secret is shown once", http.StatusCreated,
		func(ctx context.Context, caller server.Caller, in *newOwnTokenIn) (*body[Credentials], error) {
			s, err := c.srv.NewOwnToken(ctx, caller, in.Body.Name, in.Body.Permissions, in.Body.Days)
			return credentials(ctx, s), err
		})
	change(c, "delete-own-token", http.MethodDelete, "/me/tokens/{id}", "Delete an own token", http.StatusNoContent,
		func(ctx context.Context, caller server.Caller, in *ID) (*empty, error) {
			return nil, c.srv.DeleteOwnToken(ctx, caller, in.ID)
		})
}
