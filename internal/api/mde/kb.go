package mde

import (
	"strings"

	"github.com/picketsec/picket/internal/server"
)

// kbProps are the properties of an update that devices lack. What a KB is to
// Windows an advisory with a fix is to the distributions of Linux: its id is the
// vendor's ("DSA-5998-1"), its name tells the products, and there is no build.
var kbProps = []prop[server.MissingUpdate]{
	{"id", word, func(r *server.MissingUpdate) any { return r.ID }},
	{"name", text, func(r *server.MissingUpdate) any { return r.ID + ": " + strings.Join(kbProducts(r), ", ") }},
	{"osBuild", number, constant[server.MissingUpdate](nil)},
	{"productsNames", texts, func(r *server.MissingUpdate) any { return kbProducts(r) }},
	{"url", text, func(r *server.MissingUpdate) any { return textOrNil(r.URL) }},
	{"machineMissedOn", number, func(r *server.MissingUpdate) any { return float64(r.Devices) }},
	{"cveAddressed", number, func(r *server.MissingUpdate) any { return float64(r.Weaknesses) }},
}

const kbSet = "Collection(microsoft.windowsDefenderATP.api.PublicProductFixDto)"

// kbProducts are the names of the products of an update, each once.
func kbProducts(r *server.MissingUpdate) []string {
	out := []string{}
	for i, p := range r.Products {
		if i == 0 || p.Name != r.Products[i-1].Name {
			out = append(out, p.Name)
		}
	}
	return out
}

// machineKBs are the updates that a device lacks.
func (h *Handler) machineKBs(q *request) error {
	return serveRows(q, kbSet, kbProps, func(want server.RowQuery[server.MissingUpdate]) (server.RowPage[server.MissingUpdate], error) {
		page, err := h.opt.Server.DeviceUpdateTable(q.ctx(), q.caller, lowerID(q.id), want)
		return page, missing(err, "Machine", q.id)
	})
}

// softwareKBs are the updates of a product that devices lack.
func (h *Handler) softwareKBs(q *request) error {
	return serveRows(q, kbSet, kbProps, func(want server.RowQuery[server.MissingUpdate]) (server.RowPage[server.MissingUpdate], error) {
		page, err := h.opt.Server.SoftwareUpdateTable(q.ctx(), q.caller, h.softwareID(q), want)
		return page, missing(err, "Software", q.id)
	})
}
