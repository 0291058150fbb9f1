package api

import (
	"context"

	"github.com/picketsec/picket/internal/server"
)

func (f *fake) ScoreGroups(_ context.Context, c server.Caller, q server.Query) (server.Page[server.ScoreGroupPart], error) {
	return paged(f, []server.ScoreGroupPart{{ID: 7, Name: poison, Devices: 2, Num: "80", Den: 80, Share: 1}}, q, nil), need(c, server.ScoreRead)
}

func (f *fake) ScoreDevices(_ context.Context, c server.Caller, q server.Query) (server.Page[server.ScoreDevicePart], error) {
	return paged(f, []server.ScoreDevicePart{{ID: deviceID(1), Name: poison, Group: poison, Value: "Normal", Weight: 1, Units: "2", Num: "80", Den: 80, Share: 1}}, q, nil), need(c, server.ScoreRead)
}

func (f *fake) DeviceScoreTerms(_ context.Context, c server.Caller, _ string, q server.Query) (server.Page[server.ScoreTerm], error) {
	return paged(f, []server.ScoreTerm{{Kind: "finding", Weakness: "CVE-2024-1", Component: poison, Points: 10, Units: "2"}}, q, nil), need(c, server.ScoreRead)
}

func (f *fake) SecureChecks(_ context.Context, c server.Caller, q server.Query) (server.Page[server.SecureCheckRow], error) {
	return paged(f, []server.SecureCheckRow{{ID: "sca-_-scid-1001", Check: "scid-1001", Impact: 5, Max: 5, Missing: 5, NotAssessed: 1, GotExact: "0"}}, q, nil), need(c, server.RecommendationRead)
}

func (f *fake) SecureCheck(_ context.Context, c server.Caller, _ string) (server.SecureCheck, error) {
	return server.SecureCheck{Description: poison, Steps: []string{}, References: []string{}, AsOf: asOf}, need(c, server.RecommendationRead)
}

func (f *fake) CheckDevices(_ context.Context, c server.Caller, _ string, q server.Query) (server.Page[server.CheckDeviceRow], error) {
	return paged(f, []server.CheckDeviceRow{{ID: deviceID(1), Name: poison, State: "not_assessed", Reason: poison}}, q, nil), need(c, server.RecommendationRead)
}

func (f *fake) DeviceWeights(_ context.Context, c server.Caller) (server.DeviceWeightsView, error) {
	return server.DeviceWeightsView{DeviceWeights: server.DeviceWeights{Low: 0.75, Normal: 1}, AsOf: asOf}, need(c, server.ScoreRead)
}

func (f *fake) SetDeviceWeights(_ context.Context, c server.Caller, w server.DeviceWeights) (server.DeviceWeightsView, error) {
	return server.DeviceWeightsView{DeviceWeights: w, AsOf: asOf}, need(c, server.ManageSecurity)
}
