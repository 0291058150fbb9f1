package mde

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/server"
)

// mostIndicatorBody is how many bytes an import may have: some 4 KB for each.
const mostIndicatorBody = 2 << 20

func indicatorRoutes() []Route {
	own := []string{server.TiWriteOwn}
	return []Route{
		{Method: "GET", Path: "/indicators", Permission: server.TiWrite, Or: own, serve: (*Handler).indicators},
		{Method: "GET", Path: "/indicators/{id}", Permission: server.TiWrite, Or: own, serve: (*Handler).indicator},
		{Method: "POST", Path: "/indicators", Permission: server.TiWrite, Or: own, serve: (*Handler).saveIndicator},
		{Method: "POST", Path: "/indicators/import", Permission: server.TiWrite, Or: own, serve: (*Handler).importIndicators},
		{Method: "POST", Path: "/indicators/BatchDelete", Permission: server.TiWrite, Or: own, serve: (*Handler).deleteIndicators},
		{Method: "DELETE", Path: "/indicators/{id}", Permission: server.TiWrite, Or: own, serve: (*Handler).deleteIndicator},
	}
}

// indicatorProps are the properties of an indicator. enforcement is Picket's own: what
// really becomes of it, whatever its action asks for.
var indicatorProps = []prop[server.IndicatorRow]{
	{"id", word, func(r *server.IndicatorRow) any { return r.ID }},
	{"indicatorValue", word, func(r *server.IndicatorRow) any { return r.Value }},
	{"indicatorType", word, func(r *server.IndicatorRow) any { return r.Type }},
	{"action", word, func(r *server.IndicatorRow) any { return r.Action }},
	{"enforcement", text, func(r *server.IndicatorRow) any { return r.EnforcementNote }},
	{"application", text, func(r *server.IndicatorRow) any { return textOrNil(r.Application) }},
	{"externalId", word, func(r *server.IndicatorRow) any { return textOrNil(r.External) }},
	{"sourceType", word, func(r *server.IndicatorRow) any { return r.SourceType }},
	{"createdBySource", text, func(r *server.IndicatorRow) any { return r.SourceName }},
	{"createdBy", word, func(r *server.IndicatorRow) any { return r.CreatedBy }},
	{"createdByDisplayName", text, func(r *server.IndicatorRow) any { return r.SourceName }},
	{"severity", word, func(r *server.IndicatorRow) any { return r.Severity }},
	{"title", text, func(r *server.IndicatorRow) any { return r.Title }},
	{"description", text, func(r *server.IndicatorRow) any { return r.Description }},
	{"recommendedActions", text, func(r *server.IndicatorRow) any { return textOrNil(r.Recommended) }},
	{"creationTimeDateTimeUtc", instant, func(r *server.IndicatorRow) any { return timeOrNil(r.Created) }},
	{"expirationTime", instant, func(r *server.IndicatorRow) any { return timeOrNil(r.Expires) }},
	{"lastUpdateTime", instant, func(r *server.IndicatorRow) any { return timeOrNil(r.Updated) }},
	{"lastUpdatedBy", word, func(r *server.IndicatorRow) any { return textOrNil(r.UpdatedBy) }},
	{"rbacGroupNames", texts, func(r *server.IndicatorRow) any { return r.GroupNames }},
	{"rbacGroupIds", texts, func(r *server.IndicatorRow) any { return groupIDs(r.Groups) }},
	{"generateAlert", flag, func(r *server.IndicatorRow) any { return r.Generate }},
	{"educateUrl", text, func(r *server.IndicatorRow) any { return textOrNil(r.Educate) }},
}

func groupIDs(groups []exposure.Group) []string {
	out := []string{}
	for _, g := range groups {
		out = append(out, strconv.FormatUint(uint64(g), 10))
	}
	return out
}

// indicatorSorts are the server's sort keys of properties that it orders the same way.
var indicatorSorts = map[string]string{"id": "id", "creationTimeDateTimeUtc": "created", "lastUpdateTime": "updated"}

// indicators is the list of indicators, oldest first: pages stay where they are.
func (h *Handler) indicators(q *request) error {
	o, err := parseOptions(q.r.URL.RawQuery)
	if err != nil {
		return err
	}
	return serveSorted(q, o, "Indicators", indicatorProps, indicatorSorts, func(want server.Query, where func(*server.IndicatorRow) bool) (server.Page[server.IndicatorRow], error) {
		want.Sort = append(want.Sort, "created", "id")
		return h.opt.Server.Indicators(q.ctx(), q.caller, want, where)
	})
}

func (h *Handler) indicator(q *request) error {
	r, err := h.opt.Server.Indicator(q.ctx(), q.caller, q.id)
	if err != nil {
		return missing(err, "Indicator", q.id)
	}
	return serveOne(q, "Indicators", indicatorProps, &r)
}

// indicatorBody is an indicator as programs send it. What its last properties say is not
// looked at.
type indicatorBody struct {
	IndicatorValue     string            `json:"indicatorValue"`
	IndicatorType      string            `json:"indicatorType"`
	Action             string            `json:"action"`
	Application        string            `json:"application"`
	ExternalID         string            `json:"externalId"`
	Severity           string            `json:"severity"`
	Title              string            `json:"title"`
	Description        string            `json:"description"`
	RecommendedActions string            `json:"recommendedActions"`
	ExpirationTime     string            `json:"expirationTime"`
	RBACGroupNames     []string          `json:"rbacGroupNames"`
	RBACGroupIDs       []json.RawMessage `json:"rbacGroupIds"` // numbers, or texts that are some
	GenerateAlert      bool              `json:"generateAlert"`
	EducateURL         string            `json:"educateUrl"`

	Category            json.RawMessage `json:"category"`
	MitreTechniques     json.RawMessage `json:"mitreTechniques"`
	LookBackPeriod      json.RawMessage `json:"lookBackPeriod"`
	HistoricalDetection json.RawMessage `json:"historicalDetection"`
	BypassDurationHours json.RawMessage `json:"bypassDurationHours"`
	CertificateInfo     json.RawMessage `json:"certificateInfo"`
}

const indicatorForm = `{"indicatorValue": "…", "indicatorType": "FileSha256", "action": "Audit", "title": "…", "description": "…", "generateAlert": true}`

// edit is the indicator as the server takes it.
func (b *indicatorBody) edit() (server.IndicatorEdit, error) {
	for _, p := range []struct{ name, value string }{{"indicatorValue", b.IndicatorValue}, {"indicatorType", b.IndicatorType}, {"action", b.Action}, {"title", b.Title}, {"description", b.Description}} {
		if strings.TrimSpace(p.value) == "" {
			return server.IndicatorEdit{}, &Error{Status: http.StatusBadRequest, Code: "MissingRequiredParameter", Message: "The property " + p.name + " is missing."}
		}
	}
	e := server.IndicatorEdit{Type: b.IndicatorType, Value: b.IndicatorValue, Action: b.Action, Title: b.Title, Description: b.Description, Severity: b.Severity, Recommended: b.RecommendedActions,
		Application: b.Application, External: b.ExternalID, Educate: b.EducateURL, Generate: b.GenerateAlert, GroupNames: b.RBACGroupNames}
	if b.ExpirationTime != "" {
		at, ok := parseTime(strings.TrimSpace(b.ExpirationTime))
		if !ok {
			return e, &Error{Status: http.StatusBadRequest, Code: "InvalidInput", Message: "The property expirationTime is not a date and time."}
		}
		e.Expires = &at
	}
	if len(b.RBACGroupNames) > 0 { // clients send both of what they read
		return e, nil
	}
	for _, raw := range b.RBACGroupIDs {
		n, err := strconv.ParseUint(strings.Trim(string(raw), `"`), 10, 16)
		if err != nil {
			return e, &Error{Status: http.StatusBadRequest, Code: "InvalidInput", Message: "The property rbacGroupIds has what is no number of a device group."}
		}
		e.Groups = append(e.Groups, exposure.Group(n))
	}
	return e, nil
}

// badIndicator gives what is wrong with a value the code that the Defender API has for it.
func badIndicator(err error, typ string) error {
	var input *server.InputError
	if !errors.As(err, &input) || input.Field != "indicatorValue" {
		return err
	}
	code, ok := map[string]string{"filesha1": "InvalidHashValue", "filesha256": "InvalidHashValue", "filemd5": "InvalidHashValue", "certificatethumbprint": "InvalidHashValue",
		"ipaddress": "InvalidIpAddress", "domainname": "InvalidDomainName", "url": "InvalidUrl"}[strings.ToLower(strings.TrimSpace(typ))]
	if !ok {
		return err
	}
	return &Error{Status: http.StatusBadRequest, Code: code, Message: input.Error() + "."}
}

// saveIndicator makes an indicator, or changes the one of its value, and answers with it.
func (h *Handler) saveIndicator(q *request) error {
	var in indicatorBody
	if err := q.bodyOf(&in, indicatorForm); err != nil {
		return err
	}
	e, err := in.edit()
	if err != nil {
		return err
	}
	r, _, err := h.opt.Server.SaveIndicator(q.ctx(), q.caller, e)
	if err != nil {
		return badIndicator(err, in.IndicatorType)
	}
	return serveOne(q, "Indicators", indicatorProps, &r)
}

// importIndicators makes or changes many, and says of each what became of it. An empty
// list is how programs find out whether they may.
func (h *Handler) importIndicators(q *request) error {
	raw, err := io.ReadAll(http.MaxBytesReader(q.w, q.r.Body, mostIndicatorBody))
	var in struct {
		Indicators []json.RawMessage `json:"Indicators"`
	}
	if err != nil || decodeStrictly(raw, &in) != nil {
		return &Error{Status: http.StatusBadRequest, Code: "InvalidRequestBody", Message: fmt.Sprintf(`The body is no JSON object of the form {"Indicators": [%s]} of at most %d bytes.`, indicatorForm, mostIndicatorBody)}
	}
	if n := len(in.Indicators); n > server.MostIndicatorsAtOnce {
		return tooMany("Indicators", n, server.MostIndicatorsAtOnce)
	}
	type result struct {
		ID            *string `json:"id"`
		Indicator     string  `json:"indicator"`
		IsFailed      bool    `json:"isFailed"`
		FailureReason *string `json:"failureReason"`
		Enforcement   *string `json:"enforcement"`
	}
	out := make([]result, len(in.Indicators))
	failed := func(i int, err error) {
		reason := err.Error()
		out[i].IsFailed, out[i].FailureReason = true, &reason
	}
	var list []server.IndicatorEdit
	var at []int
	for i, one := range in.Indicators {
		var b indicatorBody
		if err := decodeStrictly(one, &b); err != nil {
			failed(i, fmt.Errorf("is no JSON object of the form %s: %w", indicatorForm, err))
			continue
		}
		out[i].Indicator = b.IndicatorValue
		e, err := b.edit()
		if err != nil {
			failed(i, err)
			continue
		}
		list, at = append(list, e), append(at, i)
	}
	results, err := h.opt.Server.ImportIndicators(q.ctx(), q.caller, list)
	if err != nil {
		return err
	}
	for k, r := range results {
		if i := at[k]; r.Row == nil {
			failed(i, r.Err)
		} else {
			out[i].ID, out[i].Enforcement = &r.Row.ID, &r.Row.EnforcementNote
		}
	}
	body, err := json.Marshal(map[string]any{"@odata.context": q.context("Collection(microsoft.windowsDefenderATP.api.ImportIndicatorResult)"), "value": out})
	if err != nil {
		return err
	}
	writeJSON(q.w, body)
	return nil
}

// deleteIndicators deletes many: all of them or none.
func (h *Handler) deleteIndicators(q *request) error {
	var in struct {
		IndicatorIds []json.RawMessage
	}
	if err := q.bodyOf(&in, `{"IndicatorIds": ["…"]}`); err != nil {
		return err
	}
	if n := len(in.IndicatorIds); n > server.MostIndicatorsAtOnce {
		return tooMany("IndicatorIds", n, server.MostIndicatorsAtOnce)
	} else if n == 0 {
		return &Error{Status: http.StatusBadRequest, Code: "MissingRequiredParameter", Message: "The property IndicatorIds is missing: it is a list of ids."}
	}
	ids := make([]string, len(in.IndicatorIds))
	for i, raw := range in.IndicatorIds { // texts, or numbers
		ids[i] = strings.Trim(string(raw), `"`)
	}
	return h.removeIndicators(q, ids, "One of the indicators", "named")
}

func (h *Handler) deleteIndicator(q *request) error {
	return h.removeIndicators(q, []string{q.id}, "Indicator", q.id)
}

func (h *Handler) removeIndicators(q *request, ids []string, what, name string) error {
	if err := h.opt.Server.DeleteIndicators(q.ctx(), q.caller, ids); err != nil {
		return missing(err, what, name)
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}
