package api

import (
	"slices"
	"strconv"

	"github.com/picketsec/picket/internal/server"
)

// The columns of the exports. A column may be added at the end; one that is
// there keeps its name, place and meaning.

var deviceColumns = []column[server.DeviceRow]{
	{"device_id", func(r *server.DeviceRow) string { return string(r.ID) }},
	{"name", func(r *server.DeviceRow) string { return r.Name }},
	{"domain", func(r *server.DeviceRow) string { return r.Domain }},
	{"os_platform", func(r *server.DeviceRow) string { return r.OSPlatform }},
	{"os_version", func(r *server.DeviceRow) string { return r.OSVersion }},
	{"os_name", func(r *server.DeviceRow) string { return r.OSName }},
	{"os_life", func(r *server.DeviceRow) string { return r.OSLife }},
	{"os_until", func(r *server.DeviceRow) string { return r.OSUntil }},
	{"arch", func(r *server.DeviceRow) string { return r.Arch }},
	{"health", func(r *server.DeviceRow) string { return r.Health }},
	{"connected", func(r *server.DeviceRow) string { return strconv.FormatBool(r.Connected) }},
	{"ip", func(r *server.DeviceRow) string { return r.IP }},
	{"first_seen", func(r *server.DeviceRow) string { return instant(r.FirstSeen) }},
	{"last_seen", func(r *server.DeviceRow) string { return instant(r.LastSeen) }},
	{"software", func(r *server.DeviceRow) string { return whole(r.Software) }},
	{"weaknesses", func(r *server.DeviceRow) string { return whole(r.Weaknesses) }},
	{"critical", func(r *server.DeviceRow) string { return whole(r.Severity.Critical) }},
	{"high", func(r *server.DeviceRow) string { return whole(r.Severity.High) }},
	{"medium", func(r *server.DeviceRow) string { return whole(r.Severity.Medium) }},
	{"low", func(r *server.DeviceRow) string { return whole(r.Severity.Low) }},
	{"unrated", func(r *server.DeviceRow) string { return whole(r.Severity.Unrated) }},
	{"fixable", func(r *server.DeviceRow) string { return whole(r.Fixable) }},
	{"exploitable", func(r *server.DeviceRow) string { return whole(r.Exploitable) }},
	{"kev", func(r *server.DeviceRow) string { return whole(r.KEV) }},
	{"gaps", func(r *server.DeviceRow) string { return whole(r.Gaps) }},
	{"tags", func(r *server.DeviceRow) string { return words(r.Tags) }},
	{"isolated", func(r *server.DeviceRow) string { return strconv.FormatBool(r.Isolated) }},
	{"clone_of", func(r *server.DeviceRow) string { return r.CloneOf }},
	{"score", func(r *server.DeviceRow) string { return number(r.Score) }},
	{"exposure", func(r *server.DeviceRow) string { return r.Exposure }},
	{"value", func(r *server.DeviceRow) string { return r.Value }},
	{"group_id", func(r *server.DeviceRow) string { return whole(int(r.GroupID)) }},
	{"group", func(r *server.DeviceRow) string { return r.Group }},
	{"source", func(r *server.DeviceRow) string { return r.Source }},
	{"no_data", func(r *server.DeviceRow) string { return r.NoData }},
	{"risk", func(r *server.DeviceRow) string { return r.Risk }},
	{"alerts", func(r *server.DeviceRow) string { return whole(r.Alerts) }},
	{"managed_by", func(r *server.DeviceRow) string { return r.ManagedBy }},
	{"internet_facing", func(r *server.DeviceRow) string { return r.InternetFacing }},
	{"internet_facing_why", func(r *server.DeviceRow) string { return r.FacingWhy }},
	{"exclusion", func(r *server.DeviceRow) string {
		if r.Exclusion == nil {
			return ""
		}
		return r.Exclusion.Reason
	}},
	{"mac", func(r *server.DeviceRow) string { return r.MAC }},
}

var deviceSoftwareColumns = slices.Concat([]column[server.DeviceSoftwareRow]{
	{"software_id", func(r *server.DeviceSoftwareRow) string { return r.ID }},
	{"name", func(r *server.DeviceSoftwareRow) string { return r.Name }},
	{"vendor", func(r *server.DeviceSoftwareRow) string { return r.Vendor }},
	{"version", func(r *server.DeviceSoftwareRow) string { return r.Version }},
	{"ecosystem", func(r *server.DeviceSoftwareRow) string { return r.Ecosystem }},
	{"weaknesses", func(r *server.DeviceSoftwareRow) string { return whole(r.Weaknesses) }},
	{"critical", func(r *server.DeviceSoftwareRow) string { return whole(r.Severity.Critical) }},
	{"high", func(r *server.DeviceSoftwareRow) string { return whole(r.Severity.High) }},
	{"exploit", func(r *server.DeviceSoftwareRow) string { return string(r.Threats.Exploit) }},
	{"kev", func(r *server.DeviceSoftwareRow) string { return strconv.FormatBool(r.Threats.KEV) }},
	{"product_code", func(r *server.DeviceSoftwareRow) string { return r.ProductCode }},
	{"tags", func(r *server.DeviceSoftwareRow) string { return words(r.Tags) }},
	{"update", func(r *server.DeviceSoftwareRow) string { return r.Update }},
	{"update_security", func(r *server.DeviceSoftwareRow) string { return strconv.FormatBool(r.UpdateSec) }},
	{"not_assessed", func(r *server.DeviceSoftwareRow) string { return r.NotAssessed }},
	{"first_found", func(r *server.DeviceSoftwareRow) string { return instant(r.FirstFound) }},
	{"last_found", func(r *server.DeviceSoftwareRow) string { return instant(r.LastFound) }},
}, milder(func(r *server.DeviceSoftwareRow) *server.SeverityCount { return &r.Severity }), likely(func(r *server.DeviceSoftwareRow) *server.Threats { return &r.Threats }))

var deviceVulnColumns = []column[server.DeviceVulnRow]{
	{"weakness_id", func(r *server.DeviceVulnRow) string { return r.ID }},
	{"title", func(r *server.DeviceVulnRow) string { return r.Title }},
	{"severity", func(r *server.DeviceVulnRow) string { return string(r.Severity) }},
	{"cvss", func(r *server.DeviceVulnRow) string { return number(r.CVSS) }},
	{"cvss_version", func(r *server.DeviceVulnRow) string { return r.CVSSVer }},
	{"epss", func(r *server.DeviceVulnRow) string { return number(r.EPSS) }},
	{"software", func(r *server.DeviceVulnRow) string { return refs(r.Software) }},
	{"state", func(r *server.DeviceVulnRow) string { return string(r.State) }},
	{"exposed", func(r *server.DeviceVulnRow) string { return strconv.FormatBool(r.Exposed) }},
	{"fix_version", func(r *server.DeviceVulnRow) string { return r.FixVersion }},
	{"exploit", func(r *server.DeviceVulnRow) string { return string(r.Threats.Exploit) }},
	{"kev", func(r *server.DeviceVulnRow) string { return strconv.FormatBool(r.Threats.KEV) }},
	{"published", func(r *server.DeviceVulnRow) string { return instant(r.Published) }},
	{"updated", func(r *server.DeviceVulnRow) string { return instant(r.Updated) }},
	{"first_seen", func(r *server.DeviceVulnRow) string { return instant(r.FirstSeen) }},
	{"exception", func(r *server.DeviceVulnRow) string { return strconv.FormatBool(r.Exception) }},
	{"ransomware", func(r *server.DeviceVulnRow) string { return strconv.FormatBool(r.Threats.Ransom) }},
	{"alerted_devices", func(r *server.DeviceVulnRow) string { return whole(r.Threats.Alerts) }},
}

var closedColumns = []column[server.ClosedRow]{
	{"weakness_id", func(r *server.ClosedRow) string { return r.ID }},
	{"severity", func(r *server.ClosedRow) string { return string(r.Severity) }},
	{"software", func(r *server.ClosedRow) string { return r.Software }},
	{"version", func(r *server.ClosedRow) string { return r.Version }},
	{"reason", func(r *server.ClosedRow) string { return r.Reason }},
	{"detail", func(r *server.ClosedRow) string { return r.Detail }},
	{"closed_at", func(r *server.ClosedRow) string { return instant(r.ClosedAt) }},
	{"first_seen", func(r *server.ClosedRow) string { return instant(r.FirstSeen) }},
}

var softwareColumns = slices.Concat([]column[server.SoftwareRow]{
	{"software_id", func(r *server.SoftwareRow) string { return r.ID }},
	{"name", func(r *server.SoftwareRow) string { return r.Name }},
	{"vendor", func(r *server.SoftwareRow) string { return r.Vendor }},
	{"ecosystem", func(r *server.SoftwareRow) string { return r.Ecosystem }},
	{"versions", func(r *server.SoftwareRow) string { return whole(r.Versions) }},
	{"weaknesses", func(r *server.SoftwareRow) string { return whole(r.Weaknesses) }},
	{"critical", func(r *server.SoftwareRow) string { return whole(r.Severity.Critical) }},
	{"high", func(r *server.SoftwareRow) string { return whole(r.Severity.High) }},
	{"exposed_devices", func(r *server.SoftwareRow) string { return whole(r.Exposed) }},
	{"installed_devices", func(r *server.SoftwareRow) string { return whole(r.Installed) }},
	{"exploit", func(r *server.SoftwareRow) string { return string(r.Threats.Exploit) }},
	{"kev", func(r *server.SoftwareRow) string { return strconv.FormatBool(r.Threats.KEV) }},
	{"product_code", func(r *server.SoftwareRow) string { return r.ProductCode }},
	{"tags", func(r *server.SoftwareRow) string { return words(r.Tags) }},
	{"not_assessed", func(r *server.SoftwareRow) string { return r.NotAssessed }},
	{"impact", func(r *server.SoftwareRow) string { return number(r.Impact) }},
}, milder(func(r *server.SoftwareRow) *server.SeverityCount { return &r.Severity }), likely(func(r *server.SoftwareRow) *server.Threats { return &r.Threats }))

var weaknessColumns = []column[server.WeaknessRow]{
	{"weakness_id", func(r *server.WeaknessRow) string { return r.ID }},
	{"title", func(r *server.WeaknessRow) string { return r.Title }},
	{"severity", func(r *server.WeaknessRow) string { return string(r.Severity) }},
	{"cvss", func(r *server.WeaknessRow) string { return number(r.CVSS) }},
	{"cvss_version", func(r *server.WeaknessRow) string { return r.CVSSVer }},
	{"epss", func(r *server.WeaknessRow) string { return number(r.EPSS) }},
	{"software", func(r *server.WeaknessRow) string { return refs(r.Software) }},
	{"software_count", func(r *server.WeaknessRow) string { return whole(r.SoftwareN) }},
	{"exposed_devices", func(r *server.WeaknessRow) string { return whole(r.Exposed) }},
	{"exposed_unknown", func(r *server.WeaknessRow) string { return strconv.FormatBool(r.Unknown) }},
	{"affected_devices", func(r *server.WeaknessRow) string { return whole(r.Affected) }},
	{"fixable", func(r *server.WeaknessRow) string { return strconv.FormatBool(r.Fixable) }},
	{"exploit", func(r *server.WeaknessRow) string { return string(r.Threats.Exploit) }},
	{"kev", func(r *server.WeaknessRow) string { return strconv.FormatBool(r.Threats.KEV) }},
	{"published", func(r *server.WeaknessRow) string { return instant(r.Published) }},
	{"updated", func(r *server.WeaknessRow) string { return instant(r.Updated) }},
	{"tags", func(r *server.WeaknessRow) string { return words(r.Tags) }},
	{"exposed_after", func(r *server.WeaknessRow) string { return whole(r.After) }},
	{"exception", func(r *server.WeaknessRow) string { return strconv.FormatBool(r.Exception) }},
	{"age_days", func(r *server.WeaknessRow) string { return whole(r.AgeDays) }},
	{"states", states},
	{"ransomware", func(r *server.WeaknessRow) string { return strconv.FormatBool(r.Threats.Ransom) }},
	{"alerted_devices", func(r *server.WeaknessRow) string { return whole(r.Threats.Alerts) }},
}

var weaknessDeviceColumns = []column[server.WeaknessDevice]{
	{"device_id", func(r *server.WeaknessDevice) string { return string(r.ID) }},
	{"name", func(r *server.WeaknessDevice) string { return r.Name }},
	{"os_name", func(r *server.WeaknessDevice) string { return r.OSName }},
	{"state", func(r *server.WeaknessDevice) string { return string(r.State) }},
	{"exposed", func(r *server.WeaknessDevice) string { return strconv.FormatBool(r.Exposed) }},
	{"software", func(r *server.WeaknessDevice) string { return refs(r.Software) }},
	{"fix_version", func(r *server.WeaknessDevice) string { return r.Fix }},
	{"first_seen", func(r *server.WeaknessDevice) string { return instant(r.FirstSeen) }},
	{"last_seen", func(r *server.WeaknessDevice) string { return instant(r.LastSeen) }},
	{"update_available", func(r *server.WeaknessDevice) string { return strconv.FormatBool(r.Update) }},
	{"alerts", func(r *server.WeaknessDevice) string { return whole(r.Alerts) }},
}

// refs is "openssl 3.0.15-1; nginx 1.22".
func refs(list []server.SoftwareRef) string {
	text := make([]string, len(list))
	for i, s := range list {
		text[i] = s.Name
		if s.Version != "" {
			text[i] += " " + s.Version
		}
	}
	return words(text)
}

// affectedColumns are those of the devices of a recommendation.
var affectedColumns = slices.Concat(deviceColumns, []column[server.DeviceRow]{
	{"user_impact", func(r *server.DeviceRow) string { return r.Notice }},
	{"user_impact_reason", func(r *server.DeviceRow) string { return r.NoticeWhy }},
})

var recommendationColumns = slices.Concat([]column[server.RecommendationRow]{
	{"recommendation_id", func(r *server.RecommendationRow) string { return r.ID }},
	{"name", func(r *server.RecommendationRow) string { return r.Name }},
	{"component", func(r *server.RecommendationRow) string { return r.Component }},
	{"vendor", func(r *server.RecommendationRow) string { return r.Vendor }},
	{"type", func(r *server.RecommendationRow) string { return r.Type }},
	{"version", func(r *server.RecommendationRow) string { return r.Version }},
	{"weaknesses", func(r *server.RecommendationRow) string { return whole(r.Weaknesses) }},
	{"critical", func(r *server.RecommendationRow) string { return whole(r.Severity.Critical) }},
	{"high", func(r *server.RecommendationRow) string { return whole(r.Severity.High) }},
	{"exploit", func(r *server.RecommendationRow) string { return string(r.Threats.Exploit) }},
	{"kev", func(r *server.RecommendationRow) string { return strconv.FormatBool(r.Threats.KEV) }},
	{"exposed", func(r *server.RecommendationRow) string { return whole(r.Exposed) }},
	{"installed", func(r *server.RecommendationRow) string { return whole(r.Installed) }},
	{"impact", func(r *server.RecommendationRow) string { return number(r.Impact) }},
	{"status", func(r *server.RecommendationRow) string { return r.Status }},
	{"tags", func(r *server.RecommendationRow) string { return words(r.Tags) }},
	{"category", func(r *server.RecommendationRow) string { return r.Category }},
	{"secure_gain", func(r *server.RecommendationRow) string { return number(r.SecureGain) }},
	{"exposed_after", func(r *server.RecommendationRow) string { return whole(r.ExposedAfter) }},
	{"impact_after", func(r *server.RecommendationRow) string { return number(r.ImpactAfter) }},
	{"remediation_activities", func(r *server.RecommendationRow) string { return whole(r.Activities) }},
	{"software_id", func(r *server.RecommendationRow) string { return r.ProductID }},
	{"ecosystem", func(r *server.RecommendationRow) string { return r.Ecosystem }},
	{"product_code", func(r *server.RecommendationRow) string { return r.ProductCode }},
	{"subcategory", func(r *server.RecommendationRow) string { return r.Subcategory }},
	{"check_impact", func(r *server.RecommendationRow) string { return whole(r.CheckImpact) }},
	{"productivity", func(r *server.RecommendationRow) string { return strconv.FormatBool(r.Productivity) }},
}, milder(func(r *server.RecommendationRow) *server.SeverityCount { return &r.Severity }), likely(func(r *server.RecommendationRow) *server.Threats { return &r.Threats }), []column[server.RecommendationRow]{
	{"os_platforms", func(r *server.RecommendationRow) string { return words(r.Platforms) }},
})

var deviceRecommendationColumns = slices.Concat([]column[server.DeviceRecommendationRow]{
	{"recommendation_id", func(r *server.DeviceRecommendationRow) string { return r.ID }},
	{"name", func(r *server.DeviceRecommendationRow) string { return r.Name }},
	{"component", func(r *server.DeviceRecommendationRow) string { return r.Component }},
	{"vendor", func(r *server.DeviceRecommendationRow) string { return r.Vendor }},
	{"type", func(r *server.DeviceRecommendationRow) string { return r.Type }},
	{"version", func(r *server.DeviceRecommendationRow) string { return r.Version }},
	{"weaknesses", func(r *server.DeviceRecommendationRow) string { return whole(r.Weaknesses) }},
	{"points", func(r *server.DeviceRecommendationRow) string { return strconv.FormatUint(r.Points, 10) }},
	{"share", func(r *server.DeviceRecommendationRow) string { return number(r.Share) }},
	{"impact", func(r *server.DeviceRecommendationRow) string { return number(r.Impact) }},
	{"status", func(r *server.DeviceRecommendationRow) string { return r.Status }},
	{"tags", func(r *server.DeviceRecommendationRow) string { return words(r.Tags) }},
	{"exception", func(r *server.DeviceRecommendationRow) string { return strconv.FormatBool(r.Exception) }},
	{"software_id", func(r *server.DeviceRecommendationRow) string { return r.ProductID }},
	{"product_code", func(r *server.DeviceRecommendationRow) string { return r.ProductCode }},
}, severest(func(r *server.DeviceRecommendationRow) *server.SeverityCount { return &r.Severity }), milder(func(r *server.DeviceRecommendationRow) *server.SeverityCount { return &r.Severity }), attacked(func(r *server.DeviceRecommendationRow) *server.Threats { return &r.Threats }), likely(func(r *server.DeviceRecommendationRow) *server.Threats { return &r.Threats }))

var deviceCheckColumns = []column[server.DeviceCheckRow]{
	{"check", func(r *server.DeviceCheckRow) string { return r.Check }},
	{"name", func(r *server.DeviceCheckRow) string { return r.Name }},
	{"category", func(r *server.DeviceCheckRow) string { return r.Category }},
	{"impact", func(r *server.DeviceCheckRow) string { return whole(r.Impact) }},
	{"state", func(r *server.DeviceCheckRow) string { return r.State }},
	{"reason", func(r *server.DeviceCheckRow) string { return r.Reason }},
	{"recommendation_id", func(r *server.DeviceCheckRow) string { return r.ID }},
	{"subcategory", func(r *server.DeviceCheckRow) string { return r.Subcategory }},
	{"evidence", evidence},
}
