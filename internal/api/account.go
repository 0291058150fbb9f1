package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/server"
)

type sureIn struct {
	Body struct {
		Password string `json:"password,omitempty" maxLength:"1024" doc:"Needed when the session is older than 15 minutes."`
	}
}

type confirmIn struct {
	Body struct {
		Code string `json:"code" maxLength:"100" doc:"What the app shows."`
	}
}

type newPasskeyIn struct {
	Body struct {
		Ticket     string `json:"ticket" maxLength:"16384"`
		Name       string `json:"name" maxLength:"100"`
		Credential any    `json:"credential" doc:"PublicKeyCredential.toJSON()."`
	}
}

type namePasskeyIn struct {
	ID   string `path:"id" maxLength:"2000"`
	Body struct {
		Name string `json:"name" maxLength:"100"`
	}
}

type removePasskeyIn struct {
	ID   string `path:"id" maxLength:"2000"`
	Body struct {
		Password string `json:"password,omitempty" maxLength:"1024" doc:"Needed when the session is older than 15 minutes."`
	}
}

// end registers a route that changes something and answers nothing.
func end[I any](c *console, op huma.Operation, do func(ctx context.Context, caller server.Caller, in *I) error) {
	op.Errors = append([]int{http.StatusConflict, http.StatusTooManyRequests}, readErrors...)
	op.DefaultStatus = http.StatusNoContent
	op.MaxBodyBytes = 16 << 10
	huma.Register(c.api, op, func(ctx context.Context, in *I) (*empty, error) {
		if err := do(ctx, callerOf(ctx), in); err != nil {
			return nil, c.problem(ctx, op.OperationID, err)
		}
		return nil, nil
	})
}

// accountRoutes are the own account: its sessions and second factors.
func (c *console) accountRoutes() {
	get(c, "sessions", "/me/sessions", "The own open sessions", func(ctx context.Context, caller server.Caller, _ *empty) ([]server.SessionRow, error) {
		return c.srv.Sessions(ctx, caller)
	})
	end(c, huma.Operation{OperationID: "end-session", Method: http.MethodDelete, Path: "/me/sessions/{id}", Summary: "End one of the own sessions"},
		func(ctx context.Context, caller server.Caller, in *ID) error {
			return c.srv.EndSession(ctx, caller, in.ID)
		})
	end(c, huma.Operation{OperationID: "end-other-sessions", Method: http.MethodDelete, Path: "/me/sessions", Summary: "End all the own sessions but this one"},
		func(ctx context.Context, caller server.Caller, _ *empty) error {
			return c.srv.EndOtherSessions(ctx, caller)
		})
	get(c, "factors", "/me/factors", "The own second factors", func(ctx context.Context, caller server.Caller, _ *empty) (server.Factors, error) {
		return c.srv.OwnFactors(ctx, caller)
	})
	act(c, huma.Operation{OperationID: "begin-code", Method: http.MethodPost, Path: "/me/code", Summary: "Make a secret for an authenticator app"},
		func(ctx context.Context, caller server.Caller, in *sureIn) (server.NewCode, error) {
			return c.srv.BeginCode(ctx, caller, in.Body.Password)
		})
	act(c, huma.Operation{OperationID: "confirm-code", Method: http.MethodPost, Path: "/me/code/confirm", Summary: "Take the secret into use; answers recovery codes when there were none"},
		func(ctx context.Context, caller server.Caller, in *confirmIn) (server.RecoverySet, error) {
			return c.srv.ConfirmCode(ctx, caller, in.Body.Code)
		})
	end(c, huma.Operation{OperationID: "remove-code", Method: http.MethodPost, Path: "/me/code/remove", Summary: "Remove the authenticator app"},
		func(ctx context.Context, caller server.Caller, in *sureIn) error {
			return c.srv.RemoveCode(ctx, caller, in.Body.Password)
		})
	act(c, huma.Operation{OperationID: "new-recovery-codes", Method: http.MethodPost, Path: "/me/recovery-codes", Summary: "Make new recovery codes; the old ones end"},
		func(ctx context.Context, caller server.Caller, in *sureIn) (server.RecoverySet, error) {
			return c.srv.NewRecoveryCodes(ctx, caller, in.Body.Password)
		})
	c.passkeyRoutes()
}

func (c *console) passkeyRoutes() {
	act(c, huma.Operation{OperationID: "begin-passkey", Method: http.MethodPost, Path: "/me/passkeys/begin", Summary: "Start to register a passkey"},
		func(ctx context.Context, caller server.Caller, in *sureIn) (Ceremony, error) {
			got, err := c.srv.BeginPasskey(ctx, caller, in.Body.Password, placeOf(ctx))
			return ceremonyOf(got).Body, err
		})
	act(c, huma.Operation{OperationID: "add-passkey", Method: http.MethodPost, Path: "/me/passkeys", Summary: "Register a passkey; answers recovery codes when there were none"},
		func(ctx context.Context, caller server.Caller, in *newPasskeyIn) (server.RecoverySet, error) {
			answer, err := json.Marshal(in.Body.Credential)
			if err != nil {
				return server.RecoverySet{}, err
			}
			return c.srv.AddPasskey(ctx, caller, in.Body.Ticket, in.Body.Name, answer, placeOf(ctx))
		})
	end(c, huma.Operation{OperationID: "rename-passkey", Method: http.MethodPut, Path: "/me/passkeys/{id}", Summary: "Name a passkey"},
		func(ctx context.Context, caller server.Caller, in *namePasskeyIn) error {
			return c.srv.RenamePasskey(ctx, caller, in.ID, in.Body.Name)
		})
	end(c, huma.Operation{OperationID: "remove-passkey", Method: http.MethodPost, Path: "/me/passkeys/{id}/remove", Summary: "Remove a passkey"},
		func(ctx context.Context, caller server.Caller, in *removePasskeyIn) error {
			return c.srv.RemovePasskey(ctx, caller, in.ID, in.Body.Password)
		})
}

type personFactorsIn struct {
	ID int64 `path:"id" minimum:"1" doc:"Id of the person."`
}

type policyIn struct {
	Body server.SignInPolicy
}

// signInRoutes are Settings › Sign-in.
func (c *console) signInRoutes() {
	get(c, "sign-in-policy", "/sign-in/policy", "What signing in takes", func(ctx context.Context, caller server.Caller, _ *empty) (server.SignInPolicy, error) {
		return c.srv.SignInPolicy(ctx, caller)
	})
	act(c, huma.Operation{OperationID: "set-sign-in-policy", Method: http.MethodPut, Path: "/sign-in/policy", Summary: "Say what signing in takes"},
		func(ctx context.Context, caller server.Caller, in *policyIn) (server.SignInPolicy, error) {
			return c.srv.SetSignInPolicy(ctx, caller, in.Body)
		})
	end(c, huma.Operation{OperationID: "reset-person-factors", Method: http.MethodDelete, Path: "/people/{id}/factors", Summary: "Remove a person's second factors and end the sessions"},
		func(ctx context.Context, caller server.Caller, in *personFactorsIn) error {
			return c.srv.ResetPersonFactors(ctx, caller, in.ID)
		})
	get(c, "locks", "/sign-in/locks", "Accounts and addresses that failed to sign in several times", func(ctx context.Context, caller server.Caller, _ *empty) ([]server.LockRow, error) {
		return c.srv.Locks(ctx, caller)
	})
	end(c, huma.Operation{OperationID: "unlock", Method: http.MethodDelete, Path: "/sign-in/locks/{id}", Summary: "Forgive the failures of an account or address"},
		func(ctx context.Context, caller server.Caller, in *ID) error {
			return c.srv.Unlock(ctx, caller, in.ID)
		})
}
