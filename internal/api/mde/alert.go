package mde

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/server"
)

// alertProps are the properties of an alert. Picket joins no alerts to incidents:
// those are null. The state of one that was never investigated is UnsupportedAlertType.
var alertProps = []prop[server.AlertRow]{
	{"id", word, func(r *server.AlertRow) any { return r.ID }},
	{"incidentId", number, constant[server.AlertRow](nil)},
	{"investigationId", number, func(r *server.AlertRow) any { return investigationID(r.Investigation) }},
	{"assignedTo", word, func(r *server.AlertRow) any { return textOrNil(r.AssignedTo) }},
	{"severity", word, func(r *server.AlertRow) any { return r.Severity }},
	{"status", word, func(r *server.AlertRow) any { return r.Status }},
	{"classification", word, func(r *server.AlertRow) any { return textOrNil(r.Classification) }},
	{"determination", word, func(r *server.AlertRow) any { return textOrNil(r.Determination) }},
	{"investigationState", word, func(r *server.AlertRow) any { return cmp.Or(r.InvestigationState, "UnsupportedAlertType") }},
	{"detectionSource", word, func(r *server.AlertRow) any { return r.Source }},
	{"detectorId", word, constant[server.AlertRow](nil)},
	{"category", word, func(r *server.AlertRow) any { return r.Category }},
	{"threatFamilyName", word, constant[server.AlertRow](nil)},
	{"threatName", word, constant[server.AlertRow](nil)},
	{"title", text, func(r *server.AlertRow) any { return r.Title }},
	{"description", text, func(r *server.AlertRow) any { return r.Description }},
	{"recommendedAction", text, func(r *server.AlertRow) any { return r.Recommended }},
	{"alertCreationTime", instant, func(r *server.AlertRow) any { return timeOrNil(r.Created) }},
	{"firstEventTime", instant, func(r *server.AlertRow) any { return timeOrNil(r.FirstEvent) }},
	{"lastEventTime", instant, func(r *server.AlertRow) any { return timeOrNil(r.LastEvent) }},
	{"lastUpdateTime", instant, func(r *server.AlertRow) any { return timeOrNil(r.Updated) }},
	{"resolvedTime", instant, func(r *server.AlertRow) any { return timeOrNil(r.Resolved) }},
	{"machineId", word, func(r *server.AlertRow) any { return string(r.DeviceID) }},
	{"computerDnsName", word, func(r *server.AlertRow) any { return dnsName(r.DeviceDNS, r.DeviceName) }},
	{"rbacGroupName", text, func(r *server.AlertRow) any { return textOrNil(r.GroupWord) }},
	{"aadTenantId", word, constant[server.AlertRow](nil)},
	{"mitreTechniques", texts, func(r *server.AlertRow) any { return techniqueIDs(r) }},
	{"relatedUser", objects, func(r *server.AlertRow) any { return relatedUser(r) }},
	{"comments", objects, func(r *server.AlertRow) any { return alertComments(r) }},
	{"evidence", objects, func(r *server.AlertRow) any { return alertEvidence(r) }},
}

// alertSorts are the server's sort keys of properties that it orders the same way.
var alertSorts = map[string]string{"id": "id", "alertCreationTime": "created", "lastUpdateTime": "updated", "firstEventTime": "first_event", "lastEventTime": "last_event", "assignedTo": "assigned"}

func techniqueIDs(r *server.AlertRow) []string {
	out := []string{}
	for _, t := range r.Techniques {
		out = append(out, t.ID)
	}
	return out
}

func relatedUser(r *server.AlertRow) any {
	if r.UserName == "" {
		return nil
	}
	return map[string]any{"userName": r.UserName, "domainName": textOrNil(r.UserDomain)}
}

func alertComments(r *server.AlertRow) []map[string]any {
	out := []map[string]any{}
	for _, n := range r.Comments {
		out = append(out, map[string]any{"comment": n.Text, "createdBy": n.By, "createdTime": n.At.UTC().Format(timeLayout)})
	}
	return out
}

// alertEvidence has every key on each thing; those that are not of its kind are null.
func alertEvidence(r *server.AlertRow) []map[string]any {
	out := []map[string]any{}
	at := func(t time.Time) any {
		if t.IsZero() {
			return nil
		}
		return t.UTC().Format(timeLayout)
	}
	for i := range r.Evidence {
		e := &r.Evidence[i]
		m := map[string]any{"entityType": e.Kind, "evidenceCreationTime": at(e.At), "sha1": textOrNil(e.SHA1), "sha256": textOrNil(e.SHA256), "fileName": nil, "filePath": nil,
			"processId": nil, "processCommandLine": textOrNil(e.Command), "processCreationTime": nil, "parentProcessId": nil, "parentProcessCreationTime": nil,
			"parentProcessFileName": textOrNil(e.ParentName), "parentProcessFilePath": nil, "ipAddress": textOrNil(e.IP), "url": textOrNil(e.URL), "registryKey": nil,
			"registryHive": nil, "registryValueType": nil, "registryValue": nil, "accountName": textOrNil(e.Account), "domainName": textOrNil(e.Domain),
			"userSid": textOrNil(e.SID), "aadUserId": nil, "userPrincipalName": nil, "detectionStatus": "Detected"}
		if e.Name != "" || e.Path != "" {
			name, folder := e.Name, e.Path
			if name != "" && path.Base(folder) == name { // the path names the file, too
				folder = path.Dir(folder)
			}
			m["fileName"], m["filePath"] = textOrNil(name), textOrNil(folder)
		}
		if e.Kind == "Process" {
			m["processId"], m["processCreationTime"] = e.PID, at(e.Began)
			if e.ParentPID != 0 {
				m["parentProcessId"], m["parentProcessCreationTime"] = e.ParentPID, at(e.ParentBegan)
			}
		}
		out = append(out, m)
	}
	return out
}

// alerts is the list of alerts, oldest first: pages stay where they are.
func (h *Handler) alerts(q *request) error {
	return h.alertList(q, func(want server.Query, where func(*server.AlertRow) bool) (server.Page[server.AlertRow], error) {
		return h.opt.Server.Alerts(q.ctx(), q.caller, want, where)
	})
}

// machineAlerts are those of one machine.
func (h *Handler) machineAlerts(q *request) error {
	return h.alertList(q, func(want server.Query, where func(*server.AlertRow) bool) (server.Page[server.AlertRow], error) {
		page, err := h.opt.Server.DeviceAlerts(q.ctx(), q.caller, lowerID(q.id), want, where)
		return page, missing(err, "Machine", q.id)
	})
}

// alertList lists alerts. Comments, and evidence when $expand asks for it, are
// read for the rows of the answer alone.
func (h *Handler) alertList(q *request, get fetch[server.AlertRow]) error {
	o, err := parseOptions(q.r.URL.RawQuery)
	if err != nil {
		return err
	}
	q.fill = func(rows any) error {
		list, _ := rows.([]server.AlertRow)
		return h.opt.Server.FillAlerts(q.ctx(), q.caller, list, expands(o, "evidence"))
	}
	return serveSorted(q, o, "Alerts", alertProps, alertSorts, func(want server.Query, where func(*server.AlertRow) bool) (server.Page[server.AlertRow], error) {
		want.Sort = append(want.Sort, "created", "id")
		return get(want, where)
	})
}

// expands reports whether $expand names a property.
func expands(o options, name string) bool {
	for _, part := range strings.Split(o.plain["$expand"], ",") {
		if strings.EqualFold(strings.TrimSpace(part), name) {
			return true
		}
	}
	return false
}

func (h *Handler) alert(q *request) error {
	a, err := h.opt.Server.Alert(q.ctx(), q.caller, q.id)
	if err != nil {
		return missing(err, "Alert", q.id)
	}
	return serveOne(q, "Alerts", alertProps, &a.AlertRow)
}

// alertEdit is the body of a change of alerts.
type alertEdit struct {
	AlertIDs       []string `json:"alertIds"`
	Status         *string  `json:"status"`
	AssignedTo     *string  `json:"assignedTo"`
	Classification *string  `json:"classification"`
	Determination  *string  `json:"determination"`
	Comment        string   `json:"comment"`
}

func (e *alertEdit) change() server.AlertChange {
	return server.AlertChange{Status: e.Status, AssignedTo: e.AssignedTo, Classification: e.Classification, Determination: e.Determination, Comment: e.Comment}
}

// patchAlert changes an alert and answers with it.
func (h *Handler) patchAlert(q *request) error {
	var in alertEdit
	if err := q.bodyOf(&in, `{"status": "Resolved", "assignedTo": "…", "classification": "TruePositive", "determination": "Malware", "comment": "…"}`); err != nil {
		return err
	}
	if in.AlertIDs != nil {
		return &Error{Status: http.StatusBadRequest, Code: "InvalidRequestBody", Message: "The property alertIds belongs to batchUpdate."}
	}
	if err := h.opt.Server.UpdateAlerts(q.ctx(), q.caller, []string{q.id}, in.change()); err != nil {
		return missing(err, "Alert", q.id)
	}
	return h.alert(q)
}

// updateAlerts changes alerts, all of them or none, and answers without a body.
func (h *Handler) updateAlerts(q *request) error {
	var in alertEdit
	if err := q.bodyOf(&in, `{"alertIds": ["…"], "status": "Resolved"}`); err != nil {
		return err
	}
	if len(in.AlertIDs) == 0 {
		return &Error{Status: http.StatusBadRequest, Code: "MissingRequiredParameter", Message: "The property alertIds is missing: it is a list of ids."}
	}
	if n := len(in.AlertIDs); n > server.MostAlertsAtOnce {
		return tooMany("alertIds", n, server.MostAlertsAtOnce)
	}
	if err := h.opt.Server.UpdateAlerts(q.ctx(), q.caller, in.AlertIDs, in.change()); err != nil {
		return missing(err, "One of the alerts", "named")
	}
	q.w.WriteHeader(http.StatusOK)
	return nil
}

// createAlert raises an alert about an event of a machine.
func (h *Handler) createAlert(q *request) error {
	var in struct {
		EventTime         string          `json:"eventTime"`
		MachineID         string          `json:"machineId"`
		Severity          string          `json:"severity"`
		Title             string          `json:"title"`
		Description       string          `json:"description"`
		RecommendedAction string          `json:"recommendedAction"`
		Category          string          `json:"category"`
		ReportID          json.RawMessage `json:"reportId"`
		MitreTechniques   []string        `json:"mitreTechniques"`
	}
	if err := q.bodyOf(&in, `{"machineId": "…", "severity": "Low", "title": "…", "description": "…", "recommendedAction": "…", "eventTime": "…", "reportId": "…", "category": "Exploit"}`); err != nil {
		return err
	}
	report := strings.Trim(string(in.ReportID), `"`) // a number, or a text that is one
	for _, p := range []struct{ name, value string }{{"eventTime", in.EventTime}, {"reportId", report}, {"machineId", in.MachineID}, {"severity", in.Severity},
		{"title", in.Title}, {"description", in.Description}, {"recommendedAction", in.RecommendedAction}, {"category", in.Category}} {
		if strings.TrimSpace(p.value) == "" || p.value == "null" {
			return &Error{Status: http.StatusBadRequest, Code: "MissingRequiredParameter", Message: "The property " + p.name + " is missing."}
		}
	}
	at, ok := parseTime(strings.TrimSpace(in.EventTime))
	if !ok {
		return &Error{Status: http.StatusBadRequest, Code: "InvalidInput", Message: "The property eventTime is not a date and time."}
	}
	a, _, err := h.opt.Server.CreateAlert(q.ctx(), q.caller, server.NewAlert{Device: lowerID(in.MachineID), Severity: in.Severity, Title: in.Title, Description: in.Description,
		Recommended: in.RecommendedAction, Category: in.Category, Report: report, EventTime: at, Techniques: in.MitreTechniques})
	if err != nil {
		return missing(err, "Event", fmt.Sprintf("%s of machine %s at %s", report, in.MachineID, in.EventTime))
	}
	return serveOne(q, "Alerts", alertProps, &a.AlertRow)
}

// alertMachine is the machine that an alert is on.
func (h *Handler) alertMachine(q *request) error {
	r, err := h.opt.Server.AlertRelated(q.ctx(), q.caller, q.id, server.RelatedMachine, server.RowQuery[server.AlertEvidence]{})
	if err != nil {
		return missing(err, "Alert", q.id)
	}
	d, err := h.opt.Server.Device(q.ctx(), q.caller, string(r.Device))
	if err != nil {
		return missing(err, "Machine", string(r.Device))
	}
	return serveOne(q, "Machines", machineProps, rowOf(&d))
}

// alertUserProps are those of the user that an alert names.
var alertUserProps = []prop[server.AlertEvidence]{
	{"id", word, func(r *server.AlertEvidence) any { return accountID(r) }},
	{"accountName", word, func(r *server.AlertEvidence) any { return r.Account }},
	{"accountDomain", word, func(r *server.AlertEvidence) any { return textOrNil(r.Domain) }},
	{"accountSid", word, func(r *server.AlertEvidence) any { return textOrNil(r.SID) }},
	{"firstSeen", instant, constant[server.AlertEvidence](nil)},
	{"lastSeen", instant, func(r *server.AlertEvidence) any { return timeOrNil(r.At) }},
	{"logonTypes", text, constant[server.AlertEvidence](nil)},
	{"isDomainAdmin", flag, constant[server.AlertEvidence](nil)},
	{"isOnlyNetworkUser", flag, constant[server.AlertEvidence](nil)},
}

func accountID(r *server.AlertEvidence) string {
	if r.Domain == "" {
		return r.Account
	}
	return r.Domain + `\` + r.Account
}

// alertUser is the user that the first of an alert's events names.
func (h *Handler) alertUser(q *request) error {
	r, err := h.opt.Server.AlertRelated(q.ctx(), q.caller, q.id, server.RelatedUser, server.RowQuery[server.AlertEvidence]{Limit: 1})
	if err != nil {
		return missing(err, "Alert", q.id)
	}
	if len(r.Rows) == 0 {
		return &Error{Status: http.StatusNotFound, Code: "ResourceNotFound", Message: "Alert " + q.id + " names no user"}
	}
	return serveOne(q, "Users", alertUserProps, &r.Rows[0])
}

// alertFileProps are those of a file that an alert names; what only a look at
// all devices tells is at /files/{hash}.
var alertFileProps = []prop[server.AlertEvidence]{
	{"sha1", word, func(r *server.AlertEvidence) any { return textOrNil(r.SHA1) }},
	{"sha256", word, func(r *server.AlertEvidence) any { return textOrNil(r.SHA256) }},
	{"fileName", text, func(r *server.AlertEvidence) any { return textOrNil(r.Name) }},
	{"filePath", text, func(r *server.AlertEvidence) any { return textOrNil(r.Path) }},
}

var alertDomainProps = []prop[server.AlertEvidence]{{"host", word, func(r *server.AlertEvidence) any { return r.URL }}}

var alertAddressProps = []prop[server.AlertEvidence]{{"id", word, func(r *server.AlertEvidence) any { return r.IP }}}

func (h *Handler) alertFiles(q *request) error {
	return h.alertThings(q, server.RelatedFiles, "Files", alertFileProps)
}

func (h *Handler) alertDomains(q *request) error {
	return h.alertThings(q, server.RelatedDomains, "Domains", alertDomainProps)
}

func (h *Handler) alertAddresses(q *request) error {
	return h.alertThings(q, server.RelatedAddresses, "Ips", alertAddressProps)
}

// alertThings lists what an alert names of a kind.
func (h *Handler) alertThings(q *request, kind, set string, props []prop[server.AlertEvidence]) error {
	return serveRows(q, set, props, func(want server.RowQuery[server.AlertEvidence]) (server.RowPage[server.AlertEvidence], error) {
		r, err := h.opt.Server.AlertRelated(q.ctx(), q.caller, q.id, kind, want)
		return r.RowPage, missing(err, "Alert", q.id)
	})
}
