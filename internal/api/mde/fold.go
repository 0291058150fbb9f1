package mde

import (
	"errors"
	"strings"

	"github.com/picketsec/picket/internal/server"
)

// Paths match in any letter case, and ids of products and recommendations are
// parts of paths. The server tells them apart by case: what it does not know
// as it is written is looked for in another case, and taken when it is one.

// softwareID is the id of the product that the path names.
func (h *Handler) softwareID(q *request) string {
	if _, err := h.opt.Server.Software(q.ctx(), q.caller, q.id); !errors.Is(err, server.ErrNotFound) {
		return q.id
	}
	page, err := h.opt.Server.SoftwareList(q.ctx(), q.caller, server.Query{Limit: 1}, func(r *server.SoftwareRow) bool { return strings.EqualFold(r.ID, q.id) })
	if err != nil || page.Total != 1 || len(page.Items) != 1 {
		return q.id
	}
	return page.Items[0].ID
}

// recommendationID is the id of the recommendation that the path names.
func (h *Handler) recommendationID(q *request) string {
	if _, err := h.opt.Server.Recommendation(q.ctx(), q.caller, q.id); !errors.Is(err, server.ErrNotFound) {
		return q.id
	}
	page, err := h.opt.Server.Recommendations(q.ctx(), q.caller, server.Query{Limit: 1}, func(r *server.RecommendationRow) bool { return strings.EqualFold(r.ID, q.id) })
	if err != nil || page.Total != 1 || len(page.Items) != 1 {
		return q.id
	}
	return page.Items[0].ID
}
