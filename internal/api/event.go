package api

import (
	"context"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/server"
)

// EventFilter narrows and orders the event timeline.
type EventFilter struct {
	TextFilter
	Sort      []string `query:"sort" enum:"date,-date,component,-component,type,-type,impacted,-impacted,share,-share,weaknesses,-weaknesses,severity,-severity" doc:"Columns; minus is descending."`
	Days      string   `query:"days" doc:"Only events of the last so many days."`
	From      string   `query:"from" doc:"Only events from this day (2026-01-31, UTC) or time (RFC 3339) on."`
	To        string   `query:"to" doc:"Only events until this day (included) or before this time."`
	Type      []string `query:"type" enum:"NewVulnerability,NewPublicExploit,ExploitVerified,ExploitInKit,AddedToKEV,FixPublished,SupportEnded,NewConfigurationAssessment,ExceptionExpired,ExceptionResurfaced,FirstAssessment"`
	Share     []string `query:"share" enum:"1,10,25,50,75,100" doc:"At least so many per cent of the devices were impacted when it happened."`
	Impact    []string `query:"impact" enum:"true,false" doc:"Whether it impacted at least one device."`
	Component []string `query:"component" doc:"Names of related components."`
	Product   []string `query:"product" doc:"Product ids."`
	Check     []string `query:"check" doc:"Ids of configuration checks."`
	Weakness  []string `query:"weakness" doc:"Ids of weaknesses."`
}

func (f EventFilter) query() server.Query {
	return f.queryWith(f.Sort, named("days", []string{f.Days}), named("from", []string{f.From}), named("to", []string{f.To}), named("type", f.Type),
		named("share", f.Share), named("impact", f.Impact), named("component", f.Component), named("product", f.Product), named("check", f.Check), named("weakness", f.Weakness))
}

type eventsIn struct {
	Paging
	EventFilter
}

type eventsOut struct {
	ExportFormat
	EventFilter
}

type eventVulnsIn struct {
	ID
	Paging
	WeaknessFilter
}

type eventVulnsOut struct {
	ID
	ExportFormat
	WeaknessFilter
}

var eventColumns = slices.Concat([]column[server.EventRow]{
	{"event_id", func(r *server.EventRow) string { return r.ID }},
	{"date", func(r *server.EventRow) string { return instant(r.At) }},
	{"type", func(r *server.EventRow) string { return r.Kind }},
	{"event", func(r *server.EventRow) string { return r.Title }},
	{"component", func(r *server.EventRow) string { return r.Component }},
	{"vendor", func(r *server.EventRow) string { return r.Vendor }},
	{"product_id", func(r *server.EventRow) string { return r.ProductID }},
	{"check", func(r *server.EventRow) string { return r.Check }},
	{"weaknesses", func(r *server.EventRow) string { return whole(r.Weaknesses) }},
	{"severity", func(r *server.EventRow) string { return string(r.Severity) }},
	{"exploit", func(r *server.EventRow) string { return string(r.Threats.Exploit) }},
	{"impacted", func(r *server.EventRow) string { return whole(r.Impacted) }},
	{"counted", func(r *server.EventRow) string { return whole(r.Counted) }},
	{"impacted_per_cent", func(r *server.EventRow) string { return number(r.Share) }},
	{"current", func(r *server.EventRow) string { return whole(r.Current) }},
	{"current_of", func(r *server.EventRow) string { return whole(r.CurrentOf) }},
	{"current_per_cent", func(r *server.EventRow) string { return number(r.CurrentShare) }},
	{"score", func(r *server.EventRow) string { return r.Score.Score }},
	{"score_before", func(r *server.EventRow) string { return number(r.Score.Before) }},
	{"score_after", func(r *server.EventRow) string { return number(r.Score.After) }},
	{"score_trend", func(r *server.EventRow) string { return r.Score.Trend }},
	{"score_version", func(r *server.EventRow) string { return whole(r.Score.Version) }},
	{"recommendation_id", func(r *server.EventRow) string { return r.RecommendationID }},
	{"detail", func(r *server.EventRow) string { return r.Detail }},
	{"kev", func(r *server.EventRow) string { return strconv.FormatBool(r.Threats.KEV) }},
}, likely(func(r *server.EventRow) *server.Threats { return &r.Threats }))

// eventRoutes are the event timeline.
func (c *console) eventRoutes() {
	event := &owner{column: "event_id", id: func(_ context.Context, _ server.Caller, id string) (string, error) { return id, nil }}
	list[eventsIn, eventsOut](c, "events", "/events", "Event timeline: what changed what the devices are exposed to", nil, eventColumns,
		func(ctx context.Context, caller server.Caller, _ string, q server.Query) (server.Page[server.EventRow], error) {
			return c.srv.Events(ctx, caller, q)
		})
	get(c, "event-counts", "/event-counts", "Numbers of the event timeline", func(ctx context.Context, caller server.Caller, in *EventFilter) (server.EventCounts, error) {
		return c.srv.EventCounts(ctx, caller, in.query())
	})
	get(c, "event", "/events/{id}", "One event", func(ctx context.Context, caller server.Caller, in *ID) (server.EventDetail, error) {
		return c.srv.Event(ctx, caller, in.ID)
	})
	list[eventVulnsIn, eventVulnsOut](c, "event-vulnerabilities", "/events/{id}/vulnerabilities", "Weaknesses of an event that devices have now", event, weaknessColumns, c.srv.EventVulns)
}

// finishEvents closes the enumerations of events.
func finishEvents(schemas map[string]*huma.Schema) {
	word := func(list ...string) *huma.Schema { return enum(list...) }
	for _, name := range []string{"EventRow", "EventDetail"} {
		if s := schemas[name]; s != nil {
			s.Properties["kind"] = word(server.NewVulnerability, server.NewPublicExploit, server.ExploitVerified, server.ExploitInKit, server.AddedToKEV, server.FixPublished,
				server.SupportEnded, server.NewConfiguration, server.ExceptionExpired, server.ExceptionResurfaced, server.FirstAssessment)
		}
	}
	if s := schemas["ScoreStep"]; s != nil {
		s.Properties["trend"], s.Properties["score"] = word("up", "down", "same", "unknown"), word("exposure", "secure")
	}
}
