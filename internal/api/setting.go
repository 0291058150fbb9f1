package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/server"
)

type searchIn struct {
	Q string `query:"q" maxLength:"200" doc:"What to look for: devices, software, weaknesses."`
}

// frameRoutes are what the console's frame shows on every page.
func (c *console) frameRoutes() {
	get(c, "status", "/status", "State of the product", func(ctx context.Context, caller server.Caller, _ *empty) (server.Status, error) {
		s, err := c.srv.Status(ctx, caller)
		if s.Notices == nil {
			s.Notices = []server.Notice{}
		}
		return s, err
	})
	get(c, "search", "/search", "Search devices, software and weaknesses", func(ctx context.Context, caller server.Caller, in *searchIn) ([]server.SearchHit, error) {
		hits, err := c.srv.Search(ctx, caller, in.Q)
		if hits == nil {
			hits = []server.SearchHit{}
		}
		return hits, err
	})
}

type newTokenIn struct {
	Body struct {
		Note    string `json:"note,omitempty" maxLength:"200" doc:"What the token is for."`
		MaxUses int    `json:"max_uses,omitempty" minimum:"0" maximum:"1000000" doc:"0 is without bound."`
		Hours   int    `json:"hours,omitempty" minimum:"1" maximum:"8760" default:"24" doc:"How long it lives."`
	}
}

// NewToken is a token that was just made; its secret is shown only here.
type NewToken struct {
	Secret string          `json:"secret"`
	Token  server.TokenRow `json:"token"`
}

type retentionIn struct {
	Body server.Retention
}

// retentionRoutes are Settings › Data retention.
func (c *console) retentionRoutes() {
	get(c, "retention", "/retention", "How long events are kept, and what is stored", func(ctx context.Context, caller server.Caller, _ *empty) (server.RetentionView, error) {
		return c.srv.Retention(ctx, caller)
	})
	act(c, huma.Operation{OperationID: "set-retention", Method: http.MethodPut, Path: "/retention", Summary: "Set how long events are kept", DefaultStatus: http.StatusOK},
		func(ctx context.Context, caller server.Caller, in *retentionIn) (server.RetentionView, error) {
			return c.srv.SetRetention(ctx, caller, in.Body)
		})
}

// settingRoutes are Settings › Intelligence and Settings › Onboarding.
func (c *console) settingRoutes() {
	get(c, "intel", "/intel", "Loaded intelligence", func(ctx context.Context, caller server.Caller, _ *empty) (server.Intel, error) {
		in, err := c.srv.Intel(ctx, caller)
		if in.Feeds == nil {
			in.Feeds = []server.FeedRow{}
		}
		return in, err
	})
	huma.Register(c.api, huma.Operation{OperationID: "sync-intel", Method: http.MethodPost, Path: "/intel/sync", Summary: "Fetch the feeds now",
		Errors: append([]int{http.StatusConflict, http.StatusServiceUnavailable}, readErrors...), DefaultStatus: http.StatusAccepted},
		func(ctx context.Context, _ *empty) (*body[server.JobRow], error) {
			job, err := c.srv.SyncIntel(ctx, callerOf(ctx))
			if err != nil {
				return nil, c.problem(ctx, "sync-intel", err)
			}
			return &body[server.JobRow]{Body: job}, nil
		})
	huma.Register(c.api, huma.Operation{OperationID: "cancel-job", Method: http.MethodDelete, Path: "/jobs/{id}", Summary: "Stop work in progress",
		Errors: append([]int{http.StatusConflict}, readErrors...), DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, in *ID) (*empty, error) {
			if err := c.srv.CancelJob(ctx, callerOf(ctx), in.ID); err != nil {
				return nil, c.problem(ctx, "cancel-job", err)
			}
			return nil, nil
		})
	get(c, "onboarding", "/onboarding", "How to enrol a device", func(ctx context.Context, caller server.Caller, _ *empty) (server.Onboarding, error) {
		return c.srv.Onboarding(ctx, caller)
	})
	get(c, "tokens", "/tokens", "Enrolment tokens", func(ctx context.Context, caller server.Caller, _ *empty) ([]server.TokenRow, error) {
		rows, err := c.srv.Tokens(ctx, caller)
		if rows == nil {
			rows = []server.TokenRow{}
		}
		return rows, err
	})
	huma.Register(c.api, huma.Operation{OperationID: "create-token", Method: http.MethodPost, Path: "/tokens", Summary: "Make an enrolment token",
		Errors: readErrors, DefaultStatus: http.StatusCreated, MaxBodyBytes: 16 << 10},
		func(ctx context.Context, in *newTokenIn) (*body[NewToken], error) {
			secret, row, err := c.srv.CreateToken(ctx, callerOf(ctx), in.Body.Note, in.Body.MaxUses, in.Body.Hours)
			if err != nil {
				return nil, c.problem(ctx, "create-token", err)
			}
			return &body[NewToken]{Body: NewToken{Secret: secret, Token: row}}, nil
		})
	huma.Register(c.api, huma.Operation{OperationID: "revoke-token", Method: http.MethodDelete, Path: "/tokens/{id}", Summary: "Revoke an enrolment token",
		Errors: readErrors, DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, in *ID) (*empty, error) {
			if err := c.srv.RevokeToken(ctx, callerOf(ctx), in.ID); err != nil {
				return nil, c.problem(ctx, "revoke-token", err)
			}
			return nil, nil
		})
}
