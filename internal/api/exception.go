package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/server"
)

// ExceptionFilter narrows and orders exceptions.
type ExceptionFilter struct {
	TextFilter
	Sort           []string `query:"sort" enum:"name,-name,status,-status,justification,-justification,scope,-scope,created_at,-created_at,created_by,-created_by,expires_at,-expires_at,kind,-kind,exposed,-exposed" doc:"Columns; minus is descending."`
	Status         []string `query:"status" enum:"InEffect,Suspended,Expired,Canceled,Resurfaced"`
	Justification  []string `query:"justification" enum:"ThirdPartyControl,AlternateMitigation,RiskAccepted,PlannedRemediation"`
	Kind           []string `query:"kind" enum:"Recommendation,Weakness,Software,Path" doc:"What it is about."`
	Scope          []string `query:"scope" enum:"Global,DeviceGroups,Devices"`
	Source         []string `query:"source" doc:"Manual, or the kind of document that it came from."`
	Recommendation []string `query:"recommendation" doc:"Ids of recommendations that it is about."`
	Weakness       []string `query:"weakness"`
	Product        []string `query:"product"`
	Document       []string `query:"document" doc:"Ids of loaded VEX documents that they come from."`
}

func (f ExceptionFilter) query() server.Query {
	return f.queryWith(f.Sort, named("status", f.Status), named("justification", f.Justification), named("kind", f.Kind), named("scope", f.Scope),
		named("source", f.Source), named("recommendation", f.Recommendation), named("weakness", f.Weakness), named("product", f.Product), named("document", f.Document))
}

type exceptionsIn struct {
	Paging
	ExceptionFilter
}

type exceptionsOut struct {
	ExportFormat
	ExceptionFilter
}

// ExceptionTargetFilter narrows and orders where an exception holds.
type ExceptionTargetFilter struct {
	TextFilter
	Sort   []string `query:"sort" enum:"name,-name,exposed,-exposed,status,-status" doc:"Columns; minus is descending."`
	Status []string `query:"status" enum:"InEffect,Suspended,Expired,Canceled,Resurfaced"`
}

func (f ExceptionTargetFilter) query() server.Query {
	return f.queryWith(f.Sort, named("status", f.Status))
}

type exceptionTargetsIn struct {
	ID
	Paging
	ExceptionTargetFilter
}

type exceptionTargetsOut struct {
	ID
	ExportFormat
	ExceptionTargetFilter
}

type newExceptionIn struct {
	Body server.NewException
}

type cancelExceptionIn struct {
	ID
	Body struct {
		Groups []exposure.Group `json:"groups,omitempty" maxItems:"1000" doc:"Only for these of its device groups; left out: whole."`
	}
}

// exceptionRoutes are exceptions: what nobody has to do for now.
func (c *console) exceptionRoutes() {
	list[exceptionsIn, exceptionsOut](c, "exceptions", "/exceptions", "Exceptions, those that ended too", nil, exceptionColumns,
		func(ctx context.Context, caller server.Caller, _ string, q server.Query) (server.Page[server.ExceptionRow], error) {
			return c.srv.Exceptions(ctx, caller, q)
		})
	get(c, "exception", "/exceptions/{id}", "One exception, where it holds and what became of it", func(ctx context.Context, caller server.Caller, in *ID) (server.ExceptionDetail, error) {
		return c.srv.Exception(ctx, caller, in.ID)
	})
	one := &owner{column: "exception_id", id: func(_ context.Context, _ server.Caller, id string) (string, error) { return id, nil }}
	list[exceptionTargetsIn, exceptionTargetsOut](c, "exception-targets", "/exceptions/{id}/targets", "Device groups or devices for which an exception was made", one, exceptionTargetColumns, c.srv.ExceptionTargets)
	writeErrors := append([]int{http.StatusConflict}, readErrors...)
	huma.Register(c.api, huma.Operation{
		OperationID: "create-exception", Method: http.MethodPost, Path: "/exceptions", Summary: "Make an exception", Errors: writeErrors,
		DefaultStatus: http.StatusCreated, MaxBodyBytes: 256 << 10,
	}, func(ctx context.Context, in *newExceptionIn) (*body[server.ExceptionDetail], error) {
		e, err := c.srv.MakeException(ctx, callerOf(ctx), in.Body)
		if err != nil {
			return nil, c.problem(ctx, "create-exception", err)
		}
		return &body[server.ExceptionDetail]{Body: e}, nil
	})
	huma.Register(c.api, huma.Operation{
		OperationID: "cancel-exception", Method: http.MethodPost, Path: "/exceptions/{id}/cancel", Summary: "End an exception, whole or for some of its device groups", Errors: writeErrors,
		MaxBodyBytes: 64 << 10,
	}, func(ctx context.Context, in *cancelExceptionIn) (*body[server.ExceptionDetail], error) {
		e, err := c.srv.CancelException(ctx, callerOf(ctx), in.ID.ID, in.Body.Groups)
		if err != nil {
			return nil, c.problem(ctx, "cancel-exception", err)
		}
		return &body[server.ExceptionDetail]{Body: e}, nil
	})
}

var exceptionTargetColumns = []column[server.ExceptionTarget]{
	{"group_id", func(r *server.ExceptionTarget) string {
		if r.Group == nil {
			return ""
		}
		return whole(int(*r.Group))
	}},
	{"device_id", func(r *server.ExceptionTarget) string { return string(r.Device) }},
	{"name", func(r *server.ExceptionTarget) string { return r.Name }},
	{"status", func(r *server.ExceptionTarget) string { return r.Status }},
	{"exposed", func(r *server.ExceptionTarget) string { return whole(r.Exposed) }},
	{"ended_at", func(r *server.ExceptionTarget) string {
		if r.EndedAt == nil {
			return ""
		}
		return instant(*r.EndedAt)
	}},
	{"ended_by", func(r *server.ExceptionTarget) string { return r.EndedBy }},
}

var exceptionColumns = []column[server.ExceptionRow]{
	{"exception_id", func(r *server.ExceptionRow) string { return r.ID }},
	{"name", func(r *server.ExceptionRow) string { return r.Name }},
	{"kind", func(r *server.ExceptionRow) string { return r.Kind }},
	{"recommendation_id", func(r *server.ExceptionRow) string { return r.Recommendation }},
	{"weakness_id", func(r *server.ExceptionRow) string { return r.Weakness }},
	{"software_id", func(r *server.ExceptionRow) string { return r.Product }},
	{"version_from", func(r *server.ExceptionRow) string { return r.VersionFrom }},
	{"version_to", func(r *server.ExceptionRow) string { return r.VersionTo }},
	{"path", func(r *server.ExceptionRow) string { return r.Path }},
	{"package", func(r *server.ExceptionRow) string { return r.Package }},
	{"scope", func(r *server.ExceptionRow) string { return r.Scope }},
	{"groups", func(r *server.ExceptionRow) string { return whole(r.Groups) }},
	{"devices", func(r *server.ExceptionRow) string { return whole(r.Devices) }},
	{"exposed", func(r *server.ExceptionRow) string { return whole(r.Exposed) }},
	{"justification", func(r *server.ExceptionRow) string { return r.Justification }},
	{"lowers_score", func(r *server.ExceptionRow) string { return strconv.FormatBool(r.LowersScore) }},
	{"context", func(r *server.ExceptionRow) string { return r.Context }},
	{"status", func(r *server.ExceptionRow) string { return r.Status }},
	{"why", func(r *server.ExceptionRow) string { return r.Why }},
	{"created_by", func(r *server.ExceptionRow) string { return r.CreatedBy }},
	{"created_at", func(r *server.ExceptionRow) string { return instant(r.CreatedAt) }},
	{"expires_at", func(r *server.ExceptionRow) string {
		if r.ExpiresAt == nil {
			return ""
		}
		return instant(*r.ExpiresAt)
	}},
	{"ended_at", func(r *server.ExceptionRow) string {
		if r.EndedAt == nil {
			return ""
		}
		return instant(*r.EndedAt)
	}},
	{"ended_by", func(r *server.ExceptionRow) string { return r.EndedBy }},
	{"source_kind", func(r *server.ExceptionRow) string { return r.Source.Kind }},
	{"source_id", func(r *server.ExceptionRow) string { return r.Source.ID }},
	{"source_author", func(r *server.ExceptionRow) string { return r.Source.Author }},
	{"document_id", func(r *server.ExceptionRow) string { return r.Document }},
	{"source_sha256", func(r *server.ExceptionRow) string { return r.Source.Hash }},
	{"keep", func(r *server.ExceptionRow) string { return strconv.FormatBool(r.Keep) }},
	{"group_ids", func(r *server.ExceptionRow) string {
		var ids []string
		for _, id := range r.GroupIDs {
			ids = append(ids, whole(int(id)))
		}
		return words(ids)
	}},
}
