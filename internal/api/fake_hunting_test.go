package api

import (
	"context"

	"github.com/picketsec/picket/internal/server"
)

// Hunt is the real one: queries that read no table need no data.
func (f *fake) Hunt(ctx context.Context, c server.Caller, in server.HuntRequest) (*server.Hunt, error) {
	return (&server.Server{}).Hunt(ctx, c, in)
}

func (f *fake) HuntSchema(ctx context.Context, c server.Caller) (server.HuntSchema, error) {
	return (&server.Server{}).HuntSchema(ctx, c)
}

func (f *fake) HuntQueries(_ context.Context, c server.Caller) ([]server.HuntQuery, error) {
	return []server.HuntQuery{{ID: "1", HuntQueryEdit: server.HuntQueryEdit{Name: poison, Description: poison, Query: poison}, Author: poison}}, need(c, server.AdvancedQuery)
}

func (f *fake) SaveHuntQuery(_ context.Context, c server.Caller, id string, in server.HuntQueryEdit) (server.HuntQuery, error) {
	return server.HuntQuery{ID: id, HuntQueryEdit: in}, need(c, server.AdvancedQuery)
}

func (f *fake) DeleteHuntQuery(_ context.Context, c server.Caller, _ string) error {
	return need(c, server.AdvancedQuery)
}
