package server

import (
	"context"

	"github.com/picketsec/picket/internal/audit"
)

// Onboarding is what an administrator needs to bring a host in.
func (s *Server) Onboarding(_ context.Context, c Caller) (Onboarding, error) {
	if err := s.need(c, ManageSecurity); err != nil {
		return Onboarding{}, err
	}
	return s.gate.onboarding("https://" + s.opt.AgentAddr), nil
}

// Tokens lists the enrolment tokens, newest first, without their secrets.
func (s *Server) Tokens(ctx context.Context, c Caller) ([]TokenRow, error) {
	if err := s.need(c, ManageSecurity); err != nil {
		return nil, err
	}
	return s.gate.tokens(ctx)
}

// CreateToken makes an enrolment token. The secret is returned once; maxUses 0
// is unlimited; hours is its life.
func (s *Server) CreateToken(ctx context.Context, c Caller, note string, maxUses, hours int) (string, TokenRow, error) {
	if err := s.need(c, ManageSecurity); err != nil {
		return "", TokenRow{}, err
	}
	audit.Change(ctx, "", nil, map[string]any{"enrolment_token": "made", "note": note, "max_uses": maxUses, "hours": hours})
	return s.gate.createToken(ctx, c.Name, note, maxUses, hours)
}

// RevokeToken ends an enrolment token.
func (s *Server) RevokeToken(ctx context.Context, c Caller, id string) error {
	if err := s.need(c, ManageSecurity); err != nil {
		return err
	}
	audit.Change(ctx, id, map[string]any{"enrolment_token": "good"}, map[string]any{"enrolment_token": "revoked"})
	return s.gate.revokeToken(ctx, c.Name, id)
}
