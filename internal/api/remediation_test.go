package api

import (
	"context"
	"time"

	"github.com/picketsec/picket/internal/server"
)

// remediations of the fake are two: one that is tracked and one that is not.
func (f *fake) remediations() []server.RemediationRow {
	return []server.RemediationRow{
		{ID: "00000000-0000-4000-8000-000000000001", Title: "Update openssl", Recommendation: "va-_-debian-_-openssl", ProductID: "debian-_-openssl", Component: "openssl", Vendor: "debian",
			Version: "3.0.15-1", Type: server.RemedyUpdate, Category: "Application", Status: server.RemediationCompleted, StatusAt: asOf, Tracked: true,
			Progress: server.RemediationProgress{Targets: 3, Fixed: 3}, Priority: "High", Due: "2026-02-01", DueAt: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), CreatedAt: asOf, CreatedBy: "admin",
			CreatedByID: "1", CompletionMethod: server.CompletedAutomatic, CompletedBy: server.SystemConfirmation, Groups: []string{}, Notes: poison, Ticket: "none"},
		{ID: "00000000-0000-4000-8000-000000000002", Title: poison, Recommendation: "sca-_-scid-1001", Component: "Network", Type: server.RemedyConfigure, Status: server.RemediationActive,
			StatusAt: asOf, Tracked: true, Progress: server.RemediationProgress{Targets: 2, Exposed: 2}, Priority: "Low", CreatedAt: asOf, CreatedBy: "soar", Groups: []string{"servers"}, Ticket: "open"},
	}
}

func (f *fake) Remediations(_ context.Context, c server.Caller, q server.Query, where func(*server.RemediationRow) bool) (server.Page[server.RemediationRow], error) {
	return paged(f, f.remediations(), q, where), need(c, server.RemediationRead, server.RemediationWrite)
}

func (f *fake) Remediation(_ context.Context, c server.Caller, id string) (server.Remediation, error) {
	if err := need(c, server.RemediationRead, server.RemediationWrite); err != nil {
		return server.Remediation{}, err
	}
	for _, r := range f.remediations() {
		if r.ID == id {
			return server.Remediation{RemediationRow: r, Steps: []string{}, Tickets: []server.TicketRow{}, History: []server.RemediationEvent{}}, nil
		}
	}
	return server.Remediation{}, server.ErrNotFound
}

func (f *fake) RemediationDevices(_ context.Context, c server.Caller, _ string, q server.Query) (server.Page[server.RemediationDevice], error) {
	return paged(f, []server.RemediationDevice{{ID: deviceID(1), Name: "srv-01", State: "fixed", OSPlatform: "Debian"}, {Name: "removed device 7", State: "removed"}}, q, nil), need(c, server.RemediationRead, server.RemediationWrite)
}

func (f *fake) RemediationForm(_ context.Context, c server.Caller, _ string) (server.RemediationForm, error) {
	return server.RemediationForm{Types: []string{server.RemedyUpdate}, Groups: []server.FormGroup{}, Destinations: []server.FormDestination{}}, need(c, server.RemediationWrite)
}

func (f *fake) RequestRemediation(_ context.Context, c server.Caller, _ server.RemediationRequest) (server.Remediation, error) {
	return server.Remediation{}, need(c, server.RemediationWrite)
}

func (f *fake) EditRemediation(_ context.Context, c server.Caller, _, _, _, _ string) (server.Remediation, error) {
	return server.Remediation{}, need(c, server.RemediationWrite)
}

func (f *fake) CompleteRemediation(_ context.Context, c server.Caller, _, _ string) (server.Remediation, error) {
	return server.Remediation{}, need(c, server.RemediationWrite)
}

func (f *fake) ReopenRemediation(_ context.Context, c server.Caller, _, _ string) (server.Remediation, error) {
	return server.Remediation{}, need(c, server.RemediationWrite)
}

func (f *fake) RetryTicket(_ context.Context, c server.Caller, _ string, _ int64) (server.Remediation, error) {
	return server.Remediation{}, need(c, server.RemediationWrite)
}

func (f *fake) Destinations(_ context.Context, c server.Caller) ([]server.DestinationRow, error) {
	return []server.DestinationRow{}, need(c, server.ManageSettings)
}

func (f *fake) PutDestination(_ context.Context, c server.Caller, _ string, _ server.DestinationInput) (server.DestinationRow, error) {
	return server.DestinationRow{}, need(c, server.ManageSettings)
}

func (f *fake) RemoveDestination(_ context.Context, c server.Caller, _ string) error {
	return need(c, server.ManageSettings)
}

func (f *fake) TestDestination(_ context.Context, c server.Caller, _ string) (server.TestResult, error) {
	return server.TestResult{}, need(c, server.ManageSettings)
}
