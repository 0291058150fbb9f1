package mde

import (
	"github.com/picketsec/picket/internal/server"
)

// remediationProps are the properties of a remediation task. scid belongs to
// configuration, vendor and product to software. Fixed devices of a task whose
// progress cannot be measured are null.
var remediationProps = []prop[server.RemediationRow]{
	{"id", word, func(r *server.RemediationRow) any { return r.ID }},
	{"title", text, func(r *server.RemediationRow) any { return r.Title }},
	{"description", text, func(r *server.RemediationRow) any { return r.Description }},
	{"createdOn", instant, func(r *server.RemediationRow) any { return timeOrNil(r.CreatedAt) }},
	{"requesterId", word, func(r *server.RemediationRow) any { return r.CreatedByID }},
	{"requesterEmail", text, func(r *server.RemediationRow) any { return r.CreatedBy }},
	{"requesterNotes", text, func(r *server.RemediationRow) any { return r.Notes }},
	{"status", word, func(r *server.RemediationRow) any { return r.Status }},
	{"statusLastModifiedOn", instant, func(r *server.RemediationRow) any { return timeOrNil(r.StatusAt) }},
	{"category", word, func(r *server.RemediationRow) any {
		if r.Type == server.RemedyConfigure {
			return "Security configuration"
		}
		return "Software"
	}},
	{"type", word, func(r *server.RemediationRow) any { return r.Type }},
	{"relatedComponent", text, func(r *server.RemediationRow) any { return r.Component }},
	{"productId", word, func(r *server.RemediationRow) any { return textOrNil(r.ProductID) }},
	{"vendorId", text, func(r *server.RemediationRow) any { return textOrNil(r.Vendor) }},
	{"nameId", text, func(r *server.RemediationRow) any { return textOrNil(nameOf(r)) }},
	{"scid", word, func(r *server.RemediationRow) any { return textOrNil(scidOf(r)) }},
	{"recommendationReference", word, func(r *server.RemediationRow) any { return r.Recommendation }},
	{"recommendedVersion", text, func(r *server.RemediationRow) any { return textOrNil(r.Version) }},
	{"recommendedVendor", text, func(r *server.RemediationRow) any { return textOrNil(r.Vendor) }},
	{"recommendedProgram", text, func(r *server.RemediationRow) any { return textOrNil(nameOf(r)) }},
	{"priority", word, func(r *server.RemediationRow) any { return r.Priority }},
	{"dueOn", instant, func(r *server.RemediationRow) any { return timeOrNil(r.DueAt) }},
	{"targetDevices", number, func(r *server.RemediationRow) any { return float64(r.Progress.Targets) }},
	{"fixedDevices", number, func(r *server.RemediationRow) any {
		if !r.Tracked {
			return nil
		}
		return float64(r.Progress.Fixed)
	}},
	{"rbacGroupNames", texts, func(r *server.RemediationRow) any { return r.Groups }},
	{"productivityImpactRemediationType", word, func(r *server.RemediationRow) any {
		if r.Unnoticed {
			return "NonProductivityImpactedAssets"
		}
		return "AllExposedAssets"
	}},
	{"completionMethod", word, func(r *server.RemediationRow) any { return textOrNil(r.CompletionMethod) }},
	{"completerId", word, func(r *server.RemediationRow) any { return textOrNil(r.CompletedByID) }},
	{"completerEmail", text, func(r *server.RemediationRow) any { return textOrNil(r.CompletedBy) }},
}

func nameOf(r *server.RemediationRow) string {
	if r.ProductID == "" {
		return ""
	}
	return r.Component
}

// scidOf is the configuration check behind a task, "" for software.
func scidOf(r *server.RemediationRow) string {
	const prefix = "sca-_-"
	if len(r.Recommendation) > len(prefix) && r.Recommendation[:len(prefix)] == prefix {
		return r.Recommendation[len(prefix):]
	}
	return ""
}

// remediations is the list of remediation tasks, oldest first: pages stay where they are.
func (h *Handler) remediations(q *request) error {
	return serveList(q, "RemediationTasks", remediationProps, func(want server.Query, where func(*server.RemediationRow) bool) (server.Page[server.RemediationRow], error) {
		want.Sort = []string{"created"}
		return h.opt.Server.Remediations(q.ctx(), q.caller, want, where)
	})
}

func (h *Handler) remediation(q *request) error {
	r, err := h.opt.Server.Remediation(q.ctx(), q.caller, q.id)
	if err != nil {
		return missing(err, "RemediationTask", q.id)
	}
	return serveOne(q, "RemediationTasks", remediationProps, &r.RemediationRow)
}

// remediationMachines are the targets of a task that are in the inventory.
func (h *Handler) remediationMachines(q *request) error {
	return machineRefs(q, func(want server.DeviceRefQuery) (server.DeviceRefPage, error) {
		page, err := h.opt.Server.RemediationDeviceRefs(q.ctx(), q.caller, q.id, want)
		return page, missing(err, "RemediationTask", q.id)
	})
}
