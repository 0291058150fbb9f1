package mde

import (
	"errors"
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

// recommendationProps are the properties of a recommendation. severityScore,
// subCategory, configScoreImpact and nonProductivityImpactedAssets (exposed
// devices on which nobody would notice the change) belong to
// configuration and are 0 or empty for software; activeAlert says that an exposed
// device has an active alert.
var recommendationProps = []prop[server.RecommendationRow]{
	{"id", text, func(r *server.RecommendationRow) any { return r.ID }},
	{"productName", text, func(r *server.RecommendationRow) any { return r.Component }},
	{"recommendationName", text, func(r *server.RecommendationRow) any { return r.Name }},
	{"weaknesses", number, func(r *server.RecommendationRow) any { return float64(r.Weaknesses) }},
	{"vendor", text, func(r *server.RecommendationRow) any { return r.Vendor }},
	{"recommendedVersion", text, func(r *server.RecommendationRow) any { return r.Version }},
	{"recommendedProgram", text, func(r *server.RecommendationRow) any { return ofSoftware(r, r.Component) }},
	{"recommendedVendor", text, func(r *server.RecommendationRow) any { return ofSoftware(r, r.Vendor) }},
	{"recommendationCategory", word, func(r *server.RecommendationRow) any { return r.Category }},
	{"subCategory", text, func(r *server.RecommendationRow) any { return r.Subcategory }},
	{"severityScore", number, func(r *server.RecommendationRow) any { return float64(r.CheckImpact) }},
	{"publicExploit", flag, func(r *server.RecommendationRow) any { return public(r.Threats) }},
	{"activeAlert", flag, func(r *server.RecommendationRow) any { return r.Threats.Alerts > 0 }},
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
	{"nonProductivityImpactedAssets", number, func(r *server.RecommendationRow) any {
		return float64(r.Unnoticed)
	}},
	{"relatedComponent", text, func(r *server.RecommendationRow) any { return r.Component }},
	{"exposedCriticalDevices", number, func(r *server.RecommendationRow) any { return float64(r.Critical) }},
}

// ofSoftware is a text of a recommendation about software, "" of one about a setting.
func ofSoftware(r *server.RecommendationRow, text string) string {
	if r.ProductID == "" {
		return ""
	}
	return text
}

// counted gives recommendations their exposed devices of high value and those
// without user impact.
func (h *Handler) counted(q *request, page server.Page[server.RecommendationRow], err error) (server.Page[server.RecommendationRow], error) {
	if err == nil {
		err = errors.Join(h.opt.Server.CountCritical(q.ctx(), q.caller, page.Items), h.opt.Server.CountUnnoticed(q.ctx(), q.caller, page.Items))
	}
	return page, err
}

// recommendations is the list of recommendations. What is counted of them is
// counted for the rows of the answer, and where an option asks for such a figure
// for all rows before it is looked at.
func (h *Handler) recommendations(q *request) error {
	o, err := parseOptions(q.r.URL.RawQuery)
	if err != nil {
		return err
	}
	get := func(want server.Query, where func(*server.RecommendationRow) bool) (server.Page[server.RecommendationRow], error) {
		want.Sort = []string{"component"}
		page, err := h.opt.Server.Recommendations(q.ctx(), q.caller, want, where)
		return h.counted(q, page, err)
	}
	asked := strings.ToLower(o.filter + o.orderby)
	if !strings.Contains(asked, "exposedcriticaldevices") && !strings.Contains(asked, "nonproductivityimpactedassets") {
		return serveSorted(q, o, "Recommendations", recommendationProps, nil, get)
	}
	return serveRows(q, "Recommendations", recommendationProps, func(want server.RowQuery[server.RecommendationRow]) (server.RowPage[server.RecommendationRow], error) {
		page, err := get(server.Query{}, nil)
		return want.Of(server.Each(page.Items)), err
	})
}

func (h *Handler) recommendation(q *request) error {
	r, err := h.opt.Server.Recommendation(q.ctx(), q.caller, h.recommendationID(q))
	if err != nil {
		return missing(err, "Recommendation", q.id)
	}
	one := []server.RecommendationRow{r.RecommendationRow}
	if _, err := h.counted(q, server.Page[server.RecommendationRow]{Items: one}, nil); err != nil {
		return err
	}
	return serveOne(q, "Recommendations", recommendationProps, &one[0])
}

// recommendationSoftware is the product that a recommendation is about.
func (h *Handler) recommendationSoftware(q *request) error {
	id := h.recommendationID(q)
	row, err := h.opt.Server.RecommendationSoftware(q.ctx(), q.caller, id)
	if errors.Is(err, server.ErrNotFound) && strings.HasPrefix(strings.ToLower(q.id), "sca-_-") {
		if _, known := h.opt.Server.Recommendation(q.ctx(), q.caller, id); known == nil {
			return &Error{Status: http.StatusNotFound, Code: "ResourceNotFound", Message: "Recommendation " + q.id + " is about a setting, not about software."}
		}
	}
	if err != nil {
		return missing(err, "Recommendation", q.id)
	}
	return serveOne(q, "Software", softwareProps, &row)
}

func (h *Handler) recommendationMachines(q *request) error {
	return machineRefs(q, func(want server.DeviceRefQuery) (server.DeviceRefPage, error) {
		page, err := h.opt.Server.RecommendationDeviceRefs(q.ctx(), q.caller, h.recommendationID(q), want)
		return page, missing(err, "Recommendation", q.id)
	})
}

func (h *Handler) recommendationVulns(q *request) error {
	return h.vulnTable(q, func(want server.WeaknessTableQuery) (server.WeaknessTablePage, error) {
		page, err := h.opt.Server.RecommendationWeaknessTable(q.ctx(), q.caller, h.recommendationID(q), want)
		return page, missing(err, "Recommendation", q.id)
	})
}

// machineRecommendations are the recommendations for one device, with the
// figures of all devices.
func (h *Handler) machineRecommendations(q *request) error {
	return serveRows(q, "Recommendations", recommendationProps, func(want server.RowQuery[server.RecommendationRow]) (server.RowPage[server.RecommendationRow], error) {
		page, err := h.opt.Server.DeviceRecommendationTable(q.ctx(), q.caller, lowerID(q.id), want)
		return page, missing(err, "Machine", q.id)
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
