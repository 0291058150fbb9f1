package mde

import (
	"net/http"
	"strings"

	"github.com/picketsec/picket/internal/server"
)

// exposureLevel is None, Low, Medium or High, null where nothing can be said.
func exposureLevel(r *server.DeviceRow) any {
	switch r.Exposure {
	case "None", "Low", "Medium", "High":
		return r.Exposure
	}
	return nil
}

// recommendationProps are the properties of a recommendation. severityScore
// and configScoreImpact belong to configuration and are 0 for software, which
// has no product behind it; activeAlert is false: Picket raises no alerts yet.
var recommendationProps = []prop[server.RecommendationRow]{
	{"id", text, func(r *server.RecommendationRow) any { return r.ID }},
	{"productName", text, func(r *server.RecommendationRow) any { return r.Component }},
	{"recommendationName", text, func(r *server.RecommendationRow) any { return r.Name }},
	{"weaknesses", number, func(r *server.RecommendationRow) any { return float64(r.Weaknesses) }},
	{"vendor", text, func(r *server.RecommendationRow) any { return r.Vendor }},
	{"recommendedVersion", text, func(r *server.RecommendationRow) any { return r.Version }},
	{"recommendedProgram", text, constant[server.RecommendationRow]("")},
	{"recommendedVendor", text, constant[server.RecommendationRow]("")},
	{"recommendationCategory", word, func(r *server.RecommendationRow) any { return r.Category }},
	{"subCategory", text, constant[server.RecommendationRow]("")},
	{"severityScore", number, func(r *server.RecommendationRow) any { return float64(r.CheckImpact) }},
	{"publicExploit", flag, func(r *server.RecommendationRow) any { return public(r.Threats) }},
	{"activeAlert", flag, constant[server.RecommendationRow](false)},
	{"associatedThreats", texts, constant[server.RecommendationRow]([]string{})},
	{"remediationType", word, func(r *server.RecommendationRow) any { return r.Type }},
	{"status", word, func(r *server.RecommendationRow) any {
		if r.Status == server.StatusFull {
			return "Exception"
		}
		return server.StatusActive // there is something left to do
	}},
	{"configScoreImpact", number, func(r *server.RecommendationRow) any { return r.SecureGain }},
	{"exposureImpact", number, func(r *server.RecommendationRow) any { return r.Impact }},
	{"totalMachineCount", number, func(r *server.RecommendationRow) any { return float64(r.Installed) }},
	{"exposedMachinesCount", number, func(r *server.RecommendationRow) any { return float64(r.Exposed) }},
	{"nonProductivityImpactedAssets", number, constant[server.RecommendationRow](float64(0))},
	{"relatedComponent", text, func(r *server.RecommendationRow) any { return r.Component }},
}

// recommendations is the list of recommendations.
func (h *Handler) recommendations(q *request) error {
	return serveList(q, "Recommendations", recommendationProps, true, func(want server.Query, where func(*server.RecommendationRow) bool) (server.Page[server.RecommendationRow], error) {
		want.Sort = []string{"component"}
		return h.opt.Server.Recommendations(q.ctx(), q.caller, want, where)
	})
}

func (h *Handler) recommendation(q *request) error {
	r, err := h.opt.Server.Recommendation(q.ctx(), q.caller, h.recommendationID(q))
	if err != nil {
		return missing(err, "Recommendation", q.id)
	}
	return serveOne(q, "Recommendations", recommendationProps, &r.RecommendationRow)
}

// recommendationSoftware is the product that a recommendation is about.
func (h *Handler) recommendationSoftware(q *request) error {
	r, err := h.opt.Server.Recommendation(q.ctx(), q.caller, h.recommendationID(q))
	if err != nil {
		return missing(err, "Recommendation", q.id)
	}
	if strings.HasPrefix(strings.ToLower(q.id), "sca-_-") {
		return &Error{Status: http.StatusNotFound, Code: "ResourceNotFound", Message: "Recommendation " + q.id + " is about a setting, not about software."}
	}
	return serveOne(q, "Software", softwareProps, &server.SoftwareRow{ID: r.ProductID, Name: r.Component, Vendor: r.Vendor, Weaknesses: r.Weaknesses,
		Threats: r.Threats, Exposed: r.Exposed, Installed: r.Installed})
}

func (h *Handler) recommendationMachines(q *request) error {
	return serveList(q, "MachineReferences", machineRefProps, false, func(server.Query, func(*machineRef) bool) (server.Page[machineRef], error) {
		page, err := h.opt.Server.RecommendationDevices(q.ctx(), q.caller, h.recommendationID(q), server.Query{})
		var out server.Page[machineRef]
		for i := range page.Items {
			r := &page.Items[i]
			out.Items = append(out.Items, refOf(r))
		}
		return out, missing(err, "Recommendation", q.id)
	})
}

func (h *Handler) recommendationVulns(q *request) error {
	return serveList(q, "Vulnerabilities", vulnProps, false, func(server.Query, func(*vuln) bool) (server.Page[vuln], error) {
		page, err := h.opt.Server.RecommendationVulns(q.ctx(), q.caller, h.recommendationID(q), server.Query{Sort: []string{"id"}})
		return h.asVulns(q, page), missing(err, "Recommendation", q.id)
	})
}

// machineRecommendations are the recommendations for one device, with the
// figures of all devices.
func (h *Handler) machineRecommendations(q *request) error {
	return serveList(q, "Recommendations", recommendationProps, false, func(server.Query, func(*server.RecommendationRow) bool) (server.Page[server.RecommendationRow], error) {
		mine, err := h.opt.Server.DeviceRecommendations(q.ctx(), q.caller, lowerID(q.id), server.Query{})
		if err != nil {
			return server.Page[server.RecommendationRow]{}, missing(err, "Machine", q.id)
		}
		has := map[string]bool{}
		for i := range mine.Items {
			has[mine.Items[i].ID] = true
		}
		page, err := h.opt.Server.Recommendations(q.ctx(), q.caller, server.Query{Sort: []string{"component"}}, func(r *server.RecommendationRow) bool { return has[r.ID] })
		return page, err
	})
}

// setDeviceValue changes what a device is worth and answers with the device.
func (h *Handler) setDeviceValue(q *request) error {
	var in struct{ DeviceValue string }
	if err := q.bodyOf(&in, `{"DeviceValue": "High"}`); err != nil {
		return err
	}
	if err := h.opt.Server.SetDeviceValue(q.ctx(), q.caller, lowerID(q.id), in.DeviceValue); err != nil {
		return missing(err, "Machine", q.id)
	}
	return h.machine(q)
}
