package api

import (
	"context"
	"time"

	"github.com/picketsec/picket/internal/server"
)

var forwardRow = server.ForwardRow{ID: "1", Kind: "syslog", Name: "n", Enabled: true, Classes: []string{"audit"}, Updated: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}

func (f *fake) Forwards(_ context.Context, c server.Caller) ([]server.ForwardRow, error) {
	return []server.ForwardRow{forwardRow}, need(c, server.ManageSettings)
}

func (f *fake) PutForward(_ context.Context, c server.Caller, _ string, _ server.ForwardInput) (server.ForwardRow, error) {
	return forwardRow, need(c, server.ManageSettings)
}

func (f *fake) RemoveForward(_ context.Context, c server.Caller, _ string) error {
	return need(c, server.ManageSettings)
}

func (f *fake) TestForward(_ context.Context, c server.Caller, _ string) (server.TestResult, error) {
	return server.TestResult{OK: true}, need(c, server.ManageSettings)
}
