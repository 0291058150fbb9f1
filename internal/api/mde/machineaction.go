package mde

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/picketsec/picket/internal/server"
)

// PackagePath is where links to packages go; below it come the sealed link and
// the name of the file.
const PackagePath = "/packages/"

// machineActionProps are the properties of a machine action.
var machineActionProps = []prop[server.MachineAction]{
	{"id", word, func(r *server.MachineAction) any { return r.ID }},
	{"type", word, func(r *server.MachineAction) any { return r.Type }},
	{"title", text, constant[server.MachineAction](nil)},
	{"scope", word, func(r *server.MachineAction) any { return textOrNil(r.Scope) }},
	{"requestor", word, func(r *server.MachineAction) any { return r.Requester }},
	{"requestorComment", text, func(r *server.MachineAction) any { return r.Comment }},
	{"requestSource", word, func(r *server.MachineAction) any { return r.Source }},
	{"externalId", word, func(r *server.MachineAction) any { return textOrNil(r.External) }},
	{"status", word, func(r *server.MachineAction) any { return r.Status }},
	{"machineId", word, func(r *server.MachineAction) any { return string(r.DeviceID) }},
	{"computerDnsName", word, func(r *server.MachineAction) any { return dnsName(r.DeviceDNS, r.DeviceName) }},
	{"creationDateTimeUtc", instant, func(r *server.MachineAction) any { return timeOrNil(r.CreatedAt) }},
	{"lastUpdateDateTimeUtc", instant, func(r *server.MachineAction) any { return timeOrNil(r.UpdatedAt) }},
	{"lastUpdateTimeUtc", instant, func(r *server.MachineAction) any { return timeOrNil(r.UpdatedAt) }},
	{"cancellationRequestor", word, func(r *server.MachineAction) any {
		if r.Cancel == nil {
			return nil
		}
		return r.Cancel.By
	}},
	{"cancellationComment", text, func(r *server.MachineAction) any {
		if r.Cancel == nil {
			return nil
		}
		return r.Cancel.Comment
	}},
	{"cancellationDateTimeUtc", instant, func(r *server.MachineAction) any {
		if r.Cancel == nil {
			return nil
		}
		return timeOrNil(r.Cancel.At)
	}},
	{"errorHResult", number, constant[server.MachineAction](float64(0))},
	{"relatedFileInfo", objects, constant[server.MachineAction](nil)},
	{"commands", objects, func(*server.MachineAction) any { return []map[string]any{} }},
	{"troubleshootInfo", text, func(r *server.MachineAction) any { return textOrNil(r.Error) }},
}

// machineActionSorts are the server's sort keys of properties that it orders the same way.
var machineActionSorts = map[string]string{"id": "id", "creationDateTimeUtc": "created", "lastUpdateDateTimeUtc": "updated", "lastUpdateTimeUtc": "updated"}

func machineActionRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/machineactions", Permission: server.MachineRead, serve: (*Handler).machineActions},
		{Method: "GET", Path: "/machineactions/{id}", Permission: server.MachineRead, serve: (*Handler).machineAction},
		{Method: "POST", Path: "/machineactions/{id}/cancel", Permission: server.MachineIsolate, Or: []string{server.MachineScan, server.MachineCollect, server.AlertWrite}, serve: (*Handler).cancelMachineAction},
		{Method: "GET", Path: "/machineactions/{id}/getPackageUri", Permission: server.MachineCollect, serve: (*Handler).packageURI},
		{Method: "POST", Path: "/machines/{id}/isolate", Permission: server.MachineIsolate, serve: (*Handler).isolate},
		{Method: "POST", Path: "/machines/{id}/unisolate", Permission: server.MachineIsolate, serve: (*Handler).unisolate},
		{Method: "POST", Path: "/machines/{id}/runAntiVirusScan", Permission: server.MachineScan, serve: (*Handler).scan},
		{Method: "POST", Path: "/machines/{id}/collectInvestigationPackage", Permission: server.MachineCollect, serve: (*Handler).collectPackage},
	}
}

// machineActions is the list of actions, the newest first.
func (h *Handler) machineActions(q *request) error {
	o, err := parseOptions(q.r.URL.RawQuery)
	if err != nil {
		return err
	}
	return serveSorted(q, o, "MachineActions", machineActionProps, machineActionSorts, func(want server.Query, where func(*server.MachineAction) bool) (server.Page[server.MachineAction], error) {
		if want.Sort == nil {
			want.Sort = []string{"-created"}
		}
		return h.opt.Server.MachineActions(q.ctx(), q.caller, want, func(r *server.MachineAction) bool { // investigations are no machine actions there
			return r.Kind != "investigate" && (where == nil || where(r))
		})
	})
}

func (h *Handler) machineAction(q *request) error {
	r, err := h.opt.Server.MachineAction(q.ctx(), q.caller, q.id)
	if err != nil {
		return missing(err, "Machine action", q.id)
	}
	return serveOne(q, "MachineActions", machineActionProps, &r)
}

// actionBody is the body of a request for an action.
type actionBody struct {
	Comment       string
	IsolationType string
	ScanType      string
	ExternalID    string `json:"ExternalId"`
}

const isolationForm = `{"Comment": "why", "IsolationType": "Full"}`

// asked reads the body of an action; own is the property that its kind has besides the comment.
func (q *request) asked(own, form string) (in actionBody, err error) {
	if err := q.bodyOf(&in, form); err != nil {
		return in, err
	}
	for name, value := range map[string]string{"IsolationType": in.IsolationType, "ScanType": in.ScanType} {
		if value != "" && name != own {
			return in, &Error{Status: http.StatusBadRequest, Code: "InvalidRequestBody", Message: "The body is no JSON object of the form " + form + "."}
		}
	}
	if strings.TrimSpace(in.Comment) == "" {
		return in, &Error{Status: http.StatusBadRequest, Code: "MissingRequiredParameter", Message: "The property Comment is missing: say why."}
	}
	return in, nil
}

// respond asks for an action and answers it whole.
func (h *Handler) respond(q *request, n server.NewMachineAction) error {
	out, err := h.opt.Server.Respond(q.ctx(), q.caller, []string{lowerID(q.id)}, n)
	if err != nil {
		return missing(err, "Machine", q.id)
	}
	var b bytes.Buffer
	appendEntity(&b, q.context("MachineActions")+"/$entity", machineActionProps, out.Results[0].Action)
	writeStatus(q.w, http.StatusCreated, b.Bytes())
	return nil
}

func (h *Handler) isolate(q *request) error {
	in, err := q.asked("IsolationType", isolationForm)
	switch {
	case err != nil:
		return err
	case strings.EqualFold(in.IsolationType, "Selective"):
		return &Error{Status: http.StatusBadRequest, Code: "OsPlatformNotSupported", Message: "Linux has full isolation only: ask for the IsolationType Full."}
	case strings.EqualFold(in.IsolationType, "UnManagedDevice"):
		return &Error{Status: http.StatusBadRequest, Code: "OsPlatformNotSupported", Message: "Only a device with an agent can be isolated, and Linux has full isolation only: ask for the IsolationType Full."}
	case in.IsolationType == "":
		return &Error{Status: http.StatusBadRequest, Code: "MissingRequiredParameter", Message: "The property IsolationType is missing: it is Full."}
	case !strings.EqualFold(in.IsolationType, "Full"):
		return &Error{Status: http.StatusBadRequest, Code: "InvalidInput", Message: "The property IsolationType is not Full."}
	}
	return h.respond(q, server.NewMachineAction{Kind: "isolate", Scope: server.ScopeFull, Comment: in.Comment, External: in.ExternalID})
}

func (h *Handler) unisolate(q *request) error {
	in, err := q.asked("", `{"Comment": "why"}`)
	if err != nil {
		return err
	}
	return h.respond(q, server.NewMachineAction{Kind: "release", Comment: in.Comment, External: in.ExternalID})
}

func (h *Handler) scan(q *request) error {
	in, err := q.asked("ScanType", `{"Comment": "why", "ScanType": "Quick"}`)
	if err != nil {
		return err
	}
	scope := ""
	switch {
	case in.ScanType == "":
		return &Error{Status: http.StatusBadRequest, Code: "MissingRequiredParameter", Message: "The property ScanType is missing: it is Quick or Full."}
	case strings.EqualFold(in.ScanType, server.ScopeQuick):
		scope = server.ScopeQuick
	case strings.EqualFold(in.ScanType, server.ScopeFull):
		scope = server.ScopeFull
	default:
		return &Error{Status: http.StatusBadRequest, Code: "InvalidInput", Message: "The property ScanType is neither Quick nor Full."}
	}
	return h.respond(q, server.NewMachineAction{Kind: "scan", Scope: scope, Comment: in.Comment, External: in.ExternalID})
}

func (h *Handler) collectPackage(q *request) error {
	in, err := q.asked("", `{"Comment": "why"}`)
	if err != nil {
		return err
	}
	return h.respond(q, server.NewMachineAction{Kind: "collect", Comment: in.Comment, External: in.ExternalID})
}

func (h *Handler) cancelMachineAction(q *request) error {
	in, err := q.asked("", `{"Comment": "why"}`)
	if err != nil {
		return err
	}
	r, err := h.opt.Server.CancelMachineAction(q.ctx(), q.caller, q.id, in.Comment)
	if err != nil {
		return missing(err, "Machine action", q.id)
	}
	return serveOne(q, "MachineActions", machineActionProps, &r)
}

// packageURI answers an address of the package that works without a token for a while.
func (h *Handler) packageURI(q *request) error {
	link, err := h.opt.Server.PackageLink(q.ctx(), q.caller, q.id, q.base)
	if err != nil {
		return missing(err, "The package of machine action", q.id)
	}
	var b bytes.Buffer
	b.WriteString(`{"@odata.context":`)
	appendJSON(&b, q.context("Edm.String"))
	b.WriteString(`,"value":`)
	appendJSON(&b, link.URL)
	b.WriteByte('}')
	writeJSON(q.w, b.Bytes())
	return nil
}
