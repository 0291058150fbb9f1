package mde

import (
	"bytes"
	"net/http"
	"strconv"

	"github.com/picketsec/picket/internal/server"
)

// investigationProps are the properties of an investigation.
var investigationProps = []prop[server.InvestigationRow]{
	{"id", word, func(r *server.InvestigationRow) any { return r.ID }},
	{"startTime", instant, func(r *server.InvestigationRow) any { return timeOrNil(r.Started) }},
	{"endTime", instant, func(r *server.InvestigationRow) any { return timeOrNil(r.Ended) }},
	{"state", word, func(r *server.InvestigationRow) any { return r.State }},
	{"cancelledBy", word, func(r *server.InvestigationRow) any { return textOrNil(r.Canceller) }},
	{"statusDetails", text, func(r *server.InvestigationRow) any { return textOrNil(r.Details) }},
	{"machineId", word, func(r *server.InvestigationRow) any { return string(r.DeviceID) }},
	{"computerDnsName", word, func(r *server.InvestigationRow) any { return dnsName(r.DeviceDNS, r.DeviceName) }},
	{"triggeringAlertId", word, func(r *server.InvestigationRow) any { return textOrNil(r.Trigger) }},
}

// investigationSorts are the server's sort keys of properties that it orders the same way.
var investigationSorts = map[string]string{"startTime": "started", "endTime": "ended", "state": "state"}

func investigationRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/investigations", Permission: server.AlertRead, serve: (*Handler).investigations},
		{Method: "GET", Path: "/investigations/{id}", Permission: server.AlertRead, serve: (*Handler).investigation},
		{Method: "POST", Path: "/machines/{id}/startInvestigation", Permission: server.AlertWrite, serve: (*Handler).startInvestigation},
	}
}

// investigations is the list of investigations, the newest first.
func (h *Handler) investigations(q *request) error {
	o, err := parseOptions(q.r.URL.RawQuery)
	if err != nil {
		return err
	}
	return serveSorted(q, o, "Investigations", investigationProps, investigationSorts, func(want server.Query, where func(*server.InvestigationRow) bool) (server.Page[server.InvestigationRow], error) {
		if want.Sort == nil {
			want.Sort = []string{"-started"}
		}
		return h.opt.Server.Investigations(q.ctx(), q.caller, want, where)
	})
}

func (h *Handler) investigation(q *request) error {
	r, err := h.opt.Server.Investigation(q.ctx(), q.caller, q.id)
	if err != nil {
		return missing(err, "Investigation", q.id)
	}
	return serveOne(q, "Investigations", investigationProps, &r.InvestigationRow)
}

// startInvestigation starts an investigation, or joins the one that goes on, and answers it.
func (h *Handler) startInvestigation(q *request) error {
	in, err := q.asked("", `{"Comment": "why"}`)
	if err != nil {
		return err
	}
	r, _, err := h.opt.Server.StartInvestigation(q.ctx(), q.caller, lowerID(q.id), server.NewInvestigation{Comment: in.Comment, External: in.ExternalID})
	if err != nil {
		return missing(err, "Machine", q.id)
	}
	var b bytes.Buffer
	appendEntity(&b, q.context("Investigations")+"/$entity", investigationProps, &r.InvestigationRow)
	writeStatus(q.w, http.StatusCreated, b.Bytes())
	return nil
}

// investigationID is the number of an investigation, null where there is none.
func investigationID(id string) any {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return nil
	}
	return float64(n)
}
