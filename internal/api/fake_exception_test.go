package api

import (
	"context"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/server"
)

func fakeException() server.ExceptionDetail {
	g := exposure.Group(1)
	return server.ExceptionDetail{ExceptionRow: server.ExceptionRow{ID: "1", Name: "Update " + poison, Context: poison, Scope: server.ScopeGroups, CreatedBy: poison, CreatedAt: asOf, ExpiresAt: &asOf,
		Justification: server.RiskAccepted, Status: server.StandsInEffect, Source: server.ExceptionSource{Kind: "OpenVEX", Author: poison}},
		In: []server.ExceptionTarget{{Group: &g, Name: poison}}, History: []server.ExceptionEvent{{At: asOf, Type: "created", By: poison}}, AsOf: asOf}
}

func (f *fake) Exceptions(_ context.Context, c server.Caller, q server.Query) (server.Page[server.ExceptionRow], error) {
	return paged(f, []server.ExceptionRow{fakeException().ExceptionRow}, q, nil), need(c, server.RecommendationRead)
}

func (f *fake) Exception(_ context.Context, c server.Caller, _ string) (server.ExceptionDetail, error) {
	return fakeException(), need(c, server.RecommendationRead)
}

func (f *fake) ExceptionTargets(_ context.Context, c server.Caller, _ string, q server.Query) (server.Page[server.ExceptionTarget], error) {
	return paged(f, fakeException().In, q, nil), need(c, server.RecommendationRead)
}

func (f *fake) MakeException(_ context.Context, c server.Caller, _ server.NewException) (server.ExceptionDetail, error) {
	return fakeException(), need(c, server.ManageExceptions)
}

func (f *fake) CancelException(_ context.Context, c server.Caller, _ string, _ []exposure.Group) (server.ExceptionDetail, error) {
	return fakeException(), need(c, server.ManageExceptions)
}
