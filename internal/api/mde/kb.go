package mde

import "github.com/picketsec/picket/internal/server"

// kb is an update of Windows. Platforms without them have none missing.
type kb struct{}

var kbProps = []prop[kb]{
	{"id", word, constant[kb](nil)},
	{"name", text, constant[kb](nil)},
	{"osBuild", number, constant[kb](nil)},
	{"productsNames", texts, constant[kb]([]string{})},
	{"url", text, constant[kb](nil)},
	{"machineMissedOn", number, constant[kb](nil)},
	{"cveAddressed", number, constant[kb](nil)},
}

const kbSet = "Collection(microsoft.windowsDefenderATP.api.PublicProductFixDto)"

func noKBs(q *request, err error) error {
	if err != nil {
		return err
	}
	return serveList(q, kbSet, kbProps, false, func(server.Query, func(*kb) bool) (server.Page[kb], error) { return server.Page[kb]{}, nil })
}

// machineKBs are the updates of Windows that a device lacks.
func (h *Handler) machineKBs(q *request) error {
	_, err := h.opt.Server.DeviceSoftware(q.ctx(), q.caller, lowerID(q.id), server.Query{Limit: 1})
	return noKBs(q, missing(err, "Machine", q.id))
}

// softwareKBs are the updates of Windows that are missing for a product.
func (h *Handler) softwareKBs(q *request) error {
	_, err := h.opt.Server.Software(q.ctx(), q.caller, h.softwareID(q))
	return noKBs(q, missing(err, "Software", q.id))
}
