package api

import (
	"context"
	"net/http"

	"github.com/picketsec/picket/internal/server"
)

// ForwardDesk manages the receivers of events.
type ForwardDesk interface {
	Forwards(ctx context.Context, c server.Caller) ([]server.ForwardRow, error)
	// PutForward stores a receiver; id "" makes a new one.
	PutForward(ctx context.Context, c server.Caller, id string, in server.ForwardInput) (server.ForwardRow, error)
	RemoveForward(ctx context.Context, c server.Caller, id string) error
	TestForward(ctx context.Context, c server.Caller, id string) (server.TestResult, error)
}

type forwardIn struct {
	Body server.ForwardInput
}

type editForwardIn struct {
	ID
	Body server.ForwardInput
}

// forwardRoutes are Settings › Event forwarding.
func (c *console) forwardRoutes() {
	get(c, "forwarding", "/forwarding", "Receivers of events, and how they do", func(ctx context.Context, caller server.Caller, _ *empty) ([]server.ForwardRow, error) {
		return c.srv.Forwards(ctx, caller)
	})
	change(c, "create-forwarding", http.MethodPost, "/forwarding", "Add a receiver of events", http.StatusCreated,
		func(ctx context.Context, caller server.Caller, in *forwardIn) (*body[server.ForwardRow], error) {
			row, err := c.srv.PutForward(ctx, caller, "", in.Body)
			return &body[server.ForwardRow]{Body: row}, err
		})
	change(c, "edit-forwarding", http.MethodPut, "/forwarding/{id}", "Change a receiver of events", http.StatusOK,
		func(ctx context.Context, caller server.Caller, in *editForwardIn) (*body[server.ForwardRow], error) {
			row, err := c.srv.PutForward(ctx, caller, in.ID.ID, in.Body)
			return &body[server.ForwardRow]{Body: row}, err
		})
	change(c, "remove-forwarding", http.MethodDelete, "/forwarding/{id}", "Forget a receiver of events", http.StatusNoContent,
		func(ctx context.Context, caller server.Caller, in *ID) (*empty, error) {
			return nil, c.srv.RemoveForward(ctx, caller, in.ID)
		})
	change(c, "test-forwarding", http.MethodPost, "/forwarding/{id}/test", "Send a test event now", http.StatusOK,
		func(ctx context.Context, caller server.Caller, in *ID) (*body[server.TestResult], error) {
			r, err := c.srv.TestForward(ctx, caller, in.ID)
			return &body[server.TestResult]{Body: r}, err
		})
}
