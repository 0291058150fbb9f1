package api

import (
	"context"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/server"
)

func indicatorRows() []server.IndicatorRow {
	return []server.IndicatorRow{{ID: "1", Type: "DomainName", Value: poison, Action: "Block", Enforcement: server.EnforcedNot, EnforcementNote: "Not enforced on endpoints: detected and alerted only.", Active: true, Title: poison,
		Description: poison, Severity: "High", Recommended: poison, Application: poison, External: poison, Educate: poison, Groups: []exposure.Group{7}, GroupNames: []string{poison},
		SourceType: "AadApp", SourceName: poison, CreatedBy: poison, UpdatedBy: poison, Created: asOf, Updated: asOf, Look: server.LookDone}}
}

func needTi(c server.Caller) error {
	if c.Has(server.TiWriteOwn) {
		return nil
	}
	return need(c, server.TiWrite)
}

func (f *fake) Indicators(_ context.Context, c server.Caller, q server.Query, where func(*server.IndicatorRow) bool) (server.Page[server.IndicatorRow], error) {
	return paged(f, indicatorRows(), q, where), needTi(c)
}

func (f *fake) Indicator(_ context.Context, c server.Caller, _ string) (server.IndicatorRow, error) {
	return indicatorRows()[0], needTi(c)
}

func (f *fake) SaveIndicator(_ context.Context, c server.Caller, in server.IndicatorEdit) (server.IndicatorRow, bool, error) {
	if in.Value == "192.0.2.0/24" {
		return server.IndicatorRow{}, false, server.Invalidf("indicatorValue", "%q is no address", in.Value)
	}
	return indicatorRows()[0], true, needTi(c)
}

func (f *fake) ChangeIndicator(_ context.Context, c server.Caller, _ string, _ server.IndicatorEdit) (server.IndicatorRow, error) {
	return indicatorRows()[0], needTi(c)
}

func (f *fake) ImportIndicators(_ context.Context, c server.Caller, list []server.IndicatorEdit) ([]server.IndicatorResult, error) {
	out := make([]server.IndicatorResult, len(list))
	for i := range list {
		r, _, err := f.SaveIndicator(context.Background(), c, list[i])
		if out[i].Err = err; err == nil {
			out[i].Row = &r
		}
	}
	return out, needTi(c)
}

func (f *fake) DeleteIndicators(_ context.Context, c server.Caller, _ []string) error {
	return needTi(c)
}
