package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/server"
)

// IndicatorFilter narrows and orders lists of indicators.
type IndicatorFilter struct {
	TextFilter
	Sort     []string `query:"sort" enum:"id,-id,type,-type,value,-value,action,-action,title,-title,severity,-severity,created,-created,updated,-updated,expires,-expires,matched,-matched,last_matched,-last_matched" doc:"Columns; minus is descending."`
	Type     []string `query:"type" enum:"FileSha1,FileSha256,FileMd5,CertificateThumbprint,IpAddress,DomainName,Url"`
	Action   []string `query:"action" enum:"Allowed,Audit,Warn,Block,BlockAndRemediate,Alert,AlertAndBlock"`
	Severity []string `query:"severity" enum:"Informational,Low,Medium,High"`
	Active   []string `query:"active" enum:"true,false" doc:"Whether it has not expired."`
	Group    []string `query:"device_group" doc:"Device groups that it is for, by number."`
}

func (f IndicatorFilter) query() server.Query {
	return f.queryWith(f.Sort, named("type", f.Type), named("action", f.Action), named("severity", f.Severity), named("active", f.Active), named("device_group", f.Group))
}

type indicatorsIn struct {
	Paging
	IndicatorFilter
}

type indicatorsOut struct {
	ExportFormat
	IndicatorFilter
}

type newIndicatorIn struct {
	Body server.IndicatorEdit
}

type indicatorIn struct {
	ID
	Body server.IndicatorEdit
}

type indicatorImportIn struct {
	Body struct {
		Indicators []server.IndicatorEdit `json:"indicators" maxItems:"500"`
	}
}

// IndicatorImported is what became of one indicator of an import.
type IndicatorImported struct {
	Value     string               `json:"value"`
	Indicator *server.IndicatorRow `json:"indicator,omitempty" doc:"Absent: it was refused."`
	Error     string               `json:"error" doc:"Why it was refused; empty otherwise."`
}

// indicatorRoutes are Settings › Indicators.
func (c *console) indicatorRoutes() {
	const honest = "No action is enforced on endpoints yet: matches are detected and alerted only (enforcement)."
	list[indicatorsIn, indicatorsOut](c, "indicators", "/indicators", "Indicators: values that raise alerts where they occur", nil, indicatorColumns,
		func(ctx context.Context, caller server.Caller, _ string, q server.Query) (server.Page[server.IndicatorRow], error) {
			return c.srv.Indicators(ctx, caller, q, nil)
		})
	get(c, "indicator", "/indicators/{id}", "One indicator", func(ctx context.Context, caller server.Caller, in *ID) (server.IndicatorRow, error) {
		return c.srv.Indicator(ctx, caller, in.ID)
	})
	act(c, huma.Operation{OperationID: "create-indicator", Method: http.MethodPost, Path: "/indicators", Summary: "Make an indicator, or change the one of its type and value", Description: honest,
		DefaultStatus: http.StatusCreated},
		func(ctx context.Context, caller server.Caller, in *newIndicatorIn) (server.IndicatorRow, error) {
			r, _, err := c.srv.SaveIndicator(ctx, caller, in.Body)
			return r, err
		})
	act(c, huma.Operation{OperationID: "edit-indicator", Method: http.MethodPut, Path: "/indicators/{id}", Summary: "Change an indicator; its type and value stay", Description: honest},
		func(ctx context.Context, caller server.Caller, in *indicatorIn) (server.IndicatorRow, error) {
			return c.srv.ChangeIndicator(ctx, caller, in.ID.ID, in.Body)
		})
	end(c, huma.Operation{OperationID: "delete-indicator", Method: http.MethodDelete, Path: "/indicators/{id}", Summary: "Delete an indicator; alerts that it raised stay"},
		func(ctx context.Context, caller server.Caller, in *ID) error {
			return c.srv.DeleteIndicators(ctx, caller, []string{in.ID})
		})
	huma.Register(c.api, huma.Operation{OperationID: "import-indicators", Method: http.MethodPost, Path: "/indicators/import", Summary: "Make or change indicators, each by itself", Description: honest,
		Errors: readErrors, DefaultStatus: http.StatusOK, MaxBodyBytes: 2 << 20},
		func(ctx context.Context, in *indicatorImportIn) (*body[[]IndicatorImported], error) {
			results, err := c.srv.ImportIndicators(ctx, callerOf(ctx), in.Body.Indicators)
			if err != nil {
				return nil, c.problem(ctx, "import-indicators", err)
			}
			out := make([]IndicatorImported, len(results))
			for i, r := range results {
				out[i] = IndicatorImported{Value: in.Body.Indicators[i].Value, Indicator: r.Row}
				if r.Err != nil {
					out[i].Error = faultOf(r.Err).text
				}
			}
			return &body[[]IndicatorImported]{Body: out}, nil
		})
}

var indicatorColumns = []column[server.IndicatorRow]{
	{"indicator_id", func(r *server.IndicatorRow) string { return r.ID }},
	{"type", func(r *server.IndicatorRow) string { return r.Type }},
	{"value", func(r *server.IndicatorRow) string { return r.Value }},
	{"action", func(r *server.IndicatorRow) string { return r.Action }},
	{"enforcement", func(r *server.IndicatorRow) string { return r.Enforcement }},
	{"active", func(r *server.IndicatorRow) string { return strconv.FormatBool(r.Active) }},
	{"title", func(r *server.IndicatorRow) string { return r.Title }},
	{"severity", func(r *server.IndicatorRow) string { return r.Severity }},
	{"generate_alert", func(r *server.IndicatorRow) string { return strconv.FormatBool(r.Generate) }},
	{"device_groups", func(r *server.IndicatorRow) string { return words(r.GroupNames) }},
	{"matched", func(r *server.IndicatorRow) string { return strconv.FormatInt(r.Matched, 10) }},
	{"last_matched", func(r *server.IndicatorRow) string { return instant(r.LastMatched) }},
	{"look_back", func(r *server.IndicatorRow) string { return r.Look }},
	{"created_by", func(r *server.IndicatorRow) string { return r.CreatedBy }},
	{"source_name", func(r *server.IndicatorRow) string { return r.SourceName }},
	{"updated_by", func(r *server.IndicatorRow) string { return r.UpdatedBy }},
	{"created_at", func(r *server.IndicatorRow) string { return instant(r.Created) }},
	{"updated_at", func(r *server.IndicatorRow) string { return instant(r.Updated) }},
	{"expires_at", func(r *server.IndicatorRow) string { return instant(r.Expires) }},
	{"description", func(r *server.IndicatorRow) string { return r.Description }},
	{"recommended_actions", func(r *server.IndicatorRow) string { return r.Recommended }},
	{"application", func(r *server.IndicatorRow) string { return r.Application }},
	{"external_id", func(r *server.IndicatorRow) string { return r.External }},
	{"educate_url", func(r *server.IndicatorRow) string { return r.Educate }},
}
