package api

import (
	"slices"
	"strconv"

	"github.com/picketsec/picket/internal/server"
)

var versionColumns = slices.Concat([]column[server.VersionRow]{
	{"version", func(r *server.VersionRow) string { return r.Version }},
	{"places", func(r *server.VersionRow) string { return words(r.Places) }},
	{"installed_devices", func(r *server.VersionRow) string { return whole(r.Installed) }},
	{"exposed_devices", func(r *server.VersionRow) string { return whole(r.Exposed) }},
	{"weaknesses", func(r *server.VersionRow) string { return whole(r.Weaknesses) }},
	{"critical", func(r *server.VersionRow) string { return whole(r.Severity.Critical) }},
	{"high", func(r *server.VersionRow) string { return whole(r.Severity.High) }},
	{"support_ends", func(r *server.VersionRow) string {
		if r.EOL == nil {
			return ""
		}
		return r.EOL.Date
	}},
	{"tags", func(r *server.VersionRow) string { return words(r.Tags) }},
}, milder(func(r *server.VersionRow) *server.SeverityCount { return &r.Severity }))

var weaknessSoftwareColumns = slices.Concat([]column[server.WeaknessSoftwareRow]{
	{"software_id", func(r *server.WeaknessSoftwareRow) string { return r.ID }},
	{"name", func(r *server.WeaknessSoftwareRow) string { return r.Name }},
	{"vendor", func(r *server.WeaknessSoftwareRow) string { return r.Vendor }},
	{"ecosystem", func(r *server.WeaknessSoftwareRow) string { return r.Ecosystem }},
	{"exposed_devices", func(r *server.WeaknessSoftwareRow) string { return whole(r.Exposed) }},
	{"installed_devices", func(r *server.WeaknessSoftwareRow) string { return whole(r.Installed) }},
	{"update_available", func(r *server.WeaknessSoftwareRow) string { return strconv.FormatBool(r.Update) }},
	{"fixed_version", func(r *server.WeaknessSoftwareRow) string { return r.Fixed }},
}, attacked(func(r *server.WeaknessSoftwareRow) *server.Threats { return &r.Threats }), likely(func(r *server.WeaknessSoftwareRow) *server.Threats { return &r.Threats }))

var updateColumns = slices.Concat([]column[server.MissingUpdate]{
	{"advisory_id", func(r *server.MissingUpdate) string { return r.ID }},
	{"url", func(r *server.MissingUpdate) string { return r.URL }},
	{"systems", func(r *server.MissingUpdate) string { return words(r.Systems) }},
	{"products", func(r *server.MissingUpdate) string { return refs(r.Products) }},
	{"weaknesses", func(r *server.MissingUpdate) string { return whole(r.Weaknesses) }},
	{"weakness_ids", func(r *server.MissingUpdate) string { return words(r.WeaknessIDs) }},
	{"devices", func(r *server.MissingUpdate) string { return whole(r.Devices) }},
	{"tags", func(r *server.MissingUpdate) string { return words(r.Tags) }},
	{"alerts_elsewhere", func(r *server.MissingUpdate) string { return whole(r.AlertsElsewhere) }},
}, severest(func(r *server.MissingUpdate) *server.SeverityCount { return &r.Severity }), milder(func(r *server.MissingUpdate) *server.SeverityCount { return &r.Severity }),
	attacked(func(r *server.MissingUpdate) *server.Threats { return &r.Threats }), likely(func(r *server.MissingUpdate) *server.Threats { return &r.Threats }))

var inaccuracyColumns = []column[server.InaccuracyRow]{
	{"report_id", func(r *server.InaccuracyRow) string { return r.ID }},
	{"at", func(r *server.InaccuracyRow) string { return instant(r.At) }},
	{"by", func(r *server.InaccuracyRow) string { return r.By }},
	{"kind", func(r *server.InaccuracyRow) string { return r.Kind }},
	{"subject", func(r *server.InaccuracyRow) string { return r.Subject }},
	{"title", func(r *server.InaccuracyRow) string { return r.Title }},
	{"category", func(r *server.InaccuracyRow) string { return r.Category }},
	{"details", func(r *server.InaccuracyRow) string { return r.Details }},
	{"status", func(r *server.InaccuracyRow) string { return r.Status }},
	{"changed", func(r *server.InaccuracyRow) string { return instant(r.Changed) }},
	{"changed_by", func(r *server.InaccuracyRow) string { return r.ChangedBy }},
}
