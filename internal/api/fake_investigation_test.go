package api

import (
	"context"

	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/server"
)

var investigationRow = server.InvestigationRow{ID: "7", State: "Benign", Details: poison, DeviceID: deviceID(1), DeviceName: poison, Requester: poison, Comment: poison, Trigger: "da1_-1",
	Action: actionID, Alerts: 1, Started: asOf, Ended: asOf}

func fakeInvestigation() server.Investigation {
	return server.Investigation{InvestigationRow: investigationRow, AlertRefs: []server.AlertRef{{ID: "da1_-1", Title: poison, Time: asOf}}, Log: []server.InvestigationLine{{At: asOf, Text: poison}},
		Evidence: []server.InvestigationEvidence{{Kind: "File", Name: poison, Alerts: []string{"da1_-1"}, Verdict: "Malicious", Status: "Active", Reason: poison,
			File: &protocol.FileFacts{Path: poison, Package: poison, Signature: poison}}}, Scanner: poison, NoScanner: poison}
}

func (f *fake) Investigations(_ context.Context, c server.Caller, q server.Query, where func(*server.InvestigationRow) bool) (server.Page[server.InvestigationRow], error) {
	return paged(f, []server.InvestigationRow{investigationRow}, q, where), need(c, server.AlertRead)
}

func (f *fake) Investigation(_ context.Context, c server.Caller, id string) (server.Investigation, error) {
	if id != "7" {
		return server.Investigation{}, server.ErrNotFound
	}
	return fakeInvestigation(), need(c, server.AlertRead)
}

func (f *fake) StartInvestigation(_ context.Context, c server.Caller, _ string, in server.NewInvestigation) (server.Investigation, bool, error) {
	if in.Comment == "unable" {
		return server.Investigation{}, false, &server.UnableError{Message: poison}
	}
	return fakeInvestigation(), false, need(c, server.AlertWrite)
}
