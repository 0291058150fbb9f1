package api

import (
	"context"

	"github.com/picketsec/picket/internal/server"
)

// alertRows are the fake's alerts.
func alertRows() []server.AlertRow {
	return []server.AlertRow{{ID: "da1_-1", Title: poison, Description: poison, Severity: "High", Status: "New", Category: "Malware", DeviceID: deviceID(1), DeviceName: poison,
		Created: asOf, Updated: asOf, FirstEvent: asOf, LastEvent: asOf, Active: true, Techniques: []server.Technique{{ID: "T1053.003", Name: "Cron", Tactic: []string{}}}}}
}

func (f *fake) Alerts(_ context.Context, c server.Caller, q server.Query, where func(*server.AlertRow) bool) (server.Page[server.AlertRow], error) {
	return paged(f, alertRows(), q, where), need(c, server.AlertRead)
}

func (f *fake) DeviceAlerts(ctx context.Context, c server.Caller, _ string, q server.Query, where func(*server.AlertRow) bool) (server.Page[server.AlertRow], error) {
	return f.Alerts(ctx, c, q, where)
}

func (f *fake) EntityAlerts(ctx context.Context, c server.Caller, kind, id string, q server.Query, where func(*server.AlertRow) bool) (server.Page[server.AlertRow], error) {
	if id == "none" && kind != server.EntityUser {
		return server.Page[server.AlertRow]{}, server.Invalidf("id", "%q is none", id)
	}
	return f.Alerts(ctx, c, q, where)
}

func (f *fake) FillAlerts(_ context.Context, c server.Caller, _ []server.AlertRow, _ bool) error {
	return need(c, server.AlertRead)
}

func (f *fake) Alert(_ context.Context, c server.Caller, _ string) (server.Alert, error) {
	return server.Alert{AlertRow: alertRows()[0]}, need(c, server.AlertRead)
}

func (f *fake) AlertSummary(_ context.Context, c server.Caller) (server.AlertSummary, error) {
	return server.AlertSummary{}, need(c, server.AlertRead)
}

func (f *fake) Techniques(_ context.Context, c server.Caller) ([]server.Technique, error) {
	return []server.Technique{}, need(c, server.MachineRead)
}

func (f *fake) AlertRelated(_ context.Context, c server.Caller, _, kind string, q server.RowQuery[server.AlertEvidence]) (server.AlertRelated, error) {
	permission := map[string]string{server.RelatedMachine: server.MachineRead, server.RelatedUser: server.AccountRead, server.RelatedFiles: server.FileRead,
		server.RelatedDomains: server.URLRead, server.RelatedAddresses: server.AddressRead}[kind]
	rows := []server.AlertEvidence{{Kind: "User", Account: poison, URL: poison, IP: poison, SHA256: poison, Name: poison}}
	return server.AlertRelated{Device: deviceID(1), RowPage: tableOf(f, q, rows)}, need(c, permission)
}

func (f *fake) CreateAlert(_ context.Context, c server.Caller, _ server.NewAlert) (server.Alert, bool, error) {
	return server.Alert{AlertRow: alertRows()[0]}, true, need(c, server.AlertWrite)
}

func (f *fake) UpdateAlerts(_ context.Context, c server.Caller, _ []string, _ server.AlertChange) error {
	return need(c, server.AlertWrite)
}
