package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/server"
)

type recommendationsIn struct {
	Paging
	RecommendationFilter
}

type recommendationsOut struct {
	ExportFormat
	RecommendationFilter
}

// AffectedFilter narrows and orders the devices of a recommendation.
type AffectedFilter struct {
	DeviceFilter
	UserImpact []string `query:"user_impact" enum:"none,expected,not_assessed" doc:"Whether anybody on the device would notice a configuration change."`
}

func (f AffectedFilter) query() server.Query {
	q := f.DeviceFilter.query()
	if len(f.UserImpact) > 0 {
		q.Filter["user_impact"] = f.UserImpact
	}
	return q
}

type recommendationDevicesIn struct {
	ID
	Paging
	AffectedFilter
}

type recommendationDevicesOut struct {
	ID
	ExportFormat
	AffectedFilter
}

type recommendationVulnsIn struct {
	ID
	Paging
	WeaknessFilter
}

type recommendationVulnsOut struct {
	ID
	ExportFormat
	WeaknessFilter
}

type deviceRecommendationsIn struct {
	ID
	Paging
	DeviceRecommendationFilter
}

type deviceRecommendationsOut struct {
	ID
	ExportFormat
	DeviceRecommendationFilter
}

type deviceChecksIn struct {
	ID
	Paging
	DeviceCheckFilter
}

type deviceChecksOut struct {
	ID
	ExportFormat
	DeviceCheckFilter
}

type deviceValueIn struct {
	ID
	Body struct {
		Value string `json:"value" enum:"Low,Normal,High" doc:"What the device is worth to the organisation."`
	}
}

type exclusionIn struct {
	ID
	Body struct {
		Reason  string `json:"reason" enum:"inactive,duplicate,not-there,out-of-scope,other" doc:"Why the device is taken out of scores and lists."`
		Comment string `json:"comment,omitempty" maxLength:"1000" doc:"Needed with other."`
	}
}

// exposureRoutes are the dashboard, scores and recommendations.
func (c *console) exposureRoutes() {
	get(c, "dashboard", "/dashboard", "Vulnerability management dashboard", func(ctx context.Context, caller server.Caller, _ *struct{}) (server.Dashboard, error) {
		return c.srv.Dashboard(ctx, caller)
	})
	get(c, "exposure-score", "/exposure-score", "Exposure score of all devices", func(ctx context.Context, caller server.Caller, _ *struct{}) (server.ScoreView, error) {
		return c.srv.ExposureScore(ctx, caller)
	})
	get(c, "secure-score", "/secure-score", "Secure score of all devices, by category", func(ctx context.Context, caller server.Caller, _ *struct{}) (server.SecureScoreView, error) {
		return c.srv.SecureScore(ctx, caller)
	})
	list[deviceChecksIn, deviceChecksOut](c, "device-checks", "/devices/{id}/checks", "Configuration checks of a device, with what was found", c.deviceOwner(), deviceCheckColumns, c.srv.DeviceChecks)
	get(c, "device-score", "/devices/{id}/score", "Exposure score of a device, opened into its findings", func(ctx context.Context, caller server.Caller, in *ID) (server.DeviceScore, error) {
		return c.srv.DeviceScore(ctx, caller, in.ID)
	})
	huma.Register(c.api, huma.Operation{
		OperationID: "set-device-value", Method: http.MethodPut, Path: "/devices/{id}/value", Summary: "Say what a device is worth", Errors: readErrors,
		DefaultStatus: http.StatusNoContent,
	}, func(ctx context.Context, in *deviceValueIn) (*struct{}, error) {
		if err := c.srv.SetDeviceValue(ctx, callerOf(ctx), in.ID.ID, in.Body.Value); err != nil {
			return nil, c.problem(ctx, "set-device-value", err)
		}
		return nil, nil
	})
	huma.Register(c.api, huma.Operation{
		OperationID: "exclude-device", Method: http.MethodPut, Path: "/devices/{id}/exclusion", Summary: "Take a device out of scores and lists", Errors: readErrors,
		DefaultStatus: http.StatusNoContent,
	}, func(ctx context.Context, in *exclusionIn) (*struct{}, error) {
		e := &server.Exclusion{Reason: in.Body.Reason, Comment: in.Body.Comment}
		if err := c.srv.SetExclusion(ctx, callerOf(ctx), in.ID.ID, e); err != nil {
			return nil, c.problem(ctx, "exclude-device", err)
		}
		return nil, nil
	})
	huma.Register(c.api, huma.Operation{
		OperationID: "include-device", Method: http.MethodDelete, Path: "/devices/{id}/exclusion", Summary: "Take an excluded device into scores and lists again", Errors: readErrors,
		DefaultStatus: http.StatusNoContent,
	}, func(ctx context.Context, in *ID) (*struct{}, error) {
		if err := c.srv.SetExclusion(ctx, callerOf(ctx), in.ID, nil); err != nil {
			return nil, c.problem(ctx, "include-device", err)
		}
		return nil, nil
	})
	recommendation := &owner{column: "recommendation_id", id: func(_ context.Context, _ server.Caller, id string) (string, error) { return id, nil }}
	list[recommendationsIn, recommendationsOut](c, "recommendations", "/recommendations", "Security recommendations", nil, recommendationColumns,
		func(ctx context.Context, caller server.Caller, _ string, q server.Query) (server.Page[server.RecommendationRow], error) {
			return c.srv.Recommendations(ctx, caller, q, nil)
		})
	get(c, "recommendation", "/recommendations/{id}", "One recommendation and how to carry it out", func(ctx context.Context, caller server.Caller, in *ID) (server.Recommendation, error) {
		return c.srv.Recommendation(ctx, caller, in.ID)
	})
	list[recommendationDevicesIn, recommendationDevicesOut](c, "recommendation-devices", "/recommendations/{id}/devices", "Devices with findings that a recommendation closes", recommendation, affectedColumns, c.srv.RecommendationDevices)
	list[recommendationVulnsIn, recommendationVulnsOut](c, "recommendation-vulnerabilities", "/recommendations/{id}/vulnerabilities", "Weaknesses that a recommendation closes", recommendation, weaknessColumns, c.srv.RecommendationVulns)
	list[deviceRecommendationsIn, deviceRecommendationsOut](c, "device-recommendations", "/devices/{id}/recommendations", "Recommendations for a device", c.deviceOwner(), deviceRecommendationColumns, c.srv.DeviceRecommendations)
}
