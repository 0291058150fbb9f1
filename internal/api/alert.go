package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/server"
)

// AlertFilter narrows and orders lists of alerts.
type AlertFilter struct {
	TextFilter
	Sort           []string `query:"sort" enum:"id,-id,created,-created,updated,-updated,first_event,-first_event,last_event,-last_event,title,-title,severity,-severity,status,-status,category,-category,device,-device,assigned,-assigned,user,-user,classification,-classification,investigation_state,-investigation_state" doc:"Columns; minus is descending."`
	Severity       []string `query:"severity" enum:"UnSpecified,Informational,Low,Medium,High"`
	Status         []string `query:"status" enum:"New,InProgress,Resolved"`
	Category       []string `query:"category" doc:"Kinds of threat, as the Defender API names them."`
	Classification []string `query:"classification" enum:"-,TruePositive,InformationalExpectedActivity,FalsePositive" doc:"What it turned out to be; - is not set."`
	Source         []string `query:"source" doc:"Detection source."`
	Assigned       []string `query:"assigned" doc:"Whom it is assigned to; - is nobody."`
	Active         []string `query:"active" enum:"true,false" doc:"Whether it counts in risk and exposure."`
	Simulated      []string `query:"simulated" enum:"true,false" doc:"Whether its device is a simulated one."`
	Device         []string `query:"device" doc:"Device ids."`
	Group          []string `query:"device_group" doc:"Device groups, by number; 0: devices that no rule takes."`
	Technique      []string `query:"technique" doc:"ATT&CK techniques, with those under them."`
	Entity         []string `query:"entity" doc:"What its events name: file:SHA-256 or SHA-1, ip:address, domain:host, user:name."`
	Weakness       []string `query:"weakness" doc:"On devices that are exposed to one of these weaknesses."`
	Software       []string `query:"software" doc:"On devices that are exposed by one of these products."`
	Recommendation []string `query:"recommendation" doc:"On devices that one of these recommendations is for."`
	From           []string `query:"from" doc:"Raised at this instant or later (RFC 3339)."`
	To             []string `query:"to" doc:"Raised before this instant (RFC 3339)."`
	Raised         []string `query:"raised" enum:"1,7,30" doc:"Raised within so many days."`

	InvestigationState []string `query:"investigation_state" enum:"-,Queued,PendingApproval,PendingResource,Running,Benign,PartiallyInvestigated,Failed,TerminatedByUser,TerminatedBySystem" doc:"How the latest investigation that has it stands; - is none."`
}

func (f AlertFilter) query() server.Query {
	return f.queryWith(f.Sort, named("severity", f.Severity), named("status", f.Status), named("category", f.Category), named("classification", f.Classification),
		named("source", f.Source), named("assigned", f.Assigned), named("active", f.Active), named("simulated", f.Simulated), named("device", f.Device),
		named("device_group", f.Group), named("technique", f.Technique), named("entity", f.Entity), named("weakness", f.Weakness), named("software", f.Software),
		named("recommendation", f.Recommendation), named("from", f.From), named("to", f.To), named("raised", f.Raised),
		named("investigation_state", f.InvestigationState))
}

type alertsIn struct {
	Paging
	AlertFilter
}

type alertsOut struct {
	ExportFormat
	AlertFilter
}

type newAlertIn struct {
	Body struct {
		Device      string   `json:"device_id" maxLength:"200"`
		Event       string   `json:"event_id" maxLength:"100" doc:"Id of an event in the device's timeline."`
		Severity    string   `json:"severity" enum:"Informational,Low,Medium,High"`
		Title       string   `json:"title" maxLength:"256"`
		Description string   `json:"description" maxLength:"4000"`
		Recommended string   `json:"recommended_action" maxLength:"4000"`
		Category    string   `json:"category" maxLength:"50"`
		Techniques  []string `json:"techniques,omitempty" maxItems:"20" doc:"ATT&CK techniques, such as T1053.003."`
	}
}

// AlertChangeBody is what is to be changed of alerts; what is left out stays.
type AlertChangeBody struct {
	Status         *string `json:"status,omitempty" enum:"New,InProgress,Resolved"`
	AssignedTo     *string `json:"assigned_to,omitempty" maxLength:"200" doc:"Empty: nobody."`
	Classification *string `json:"classification,omitempty" maxLength:"50" doc:"TruePositive, InformationalExpectedActivity or FalsePositive; empty takes it away."`
	Determination  *string `json:"determination,omitempty" maxLength:"50" doc:"Empty takes it away."`
	Comment        string  `json:"comment,omitempty" maxLength:"30000"`
}

func (b *AlertChangeBody) change() server.AlertChange {
	return server.AlertChange{Status: b.Status, AssignedTo: b.AssignedTo, Classification: b.Classification, Determination: b.Determination, Comment: b.Comment}
}

type alertIn struct {
	ID
	Body AlertChangeBody
}

type alertsChangeIn struct {
	Body struct {
		Alerts []string `json:"alert_ids" minItems:"1" maxItems:"1000"`
		AlertChangeBody
	}
}

// alertRoutes are alerts and what is done about them.
func (c *console) alertRoutes() {
	list[alertsIn, alertsOut](c, "alerts", "/alerts", "Alerts", nil, alertColumns,
		func(ctx context.Context, caller server.Caller, _ string, q server.Query) (server.Page[server.AlertRow], error) {
			return c.srv.Alerts(ctx, caller, q, nil)
		})
	get(c, "alert-summary", "/alerts/summary", "Active alerts, counted", func(ctx context.Context, caller server.Caller, _ *empty) (server.AlertSummary, error) {
		return c.srv.AlertSummary(ctx, caller)
	})
	get(c, "alert", "/alerts/{id}", "One alert with its evidence and history", func(ctx context.Context, caller server.Caller, in *ID) (server.Alert, error) {
		return c.srv.Alert(ctx, caller, in.ID)
	})
	get(c, "techniques", "/techniques", "ATT&CK techniques that events can have", func(ctx context.Context, caller server.Caller, _ *empty) ([]server.Technique, error) {
		return c.srv.Techniques(ctx, caller)
	})
	act(c, huma.Operation{OperationID: "create-alert", Method: http.MethodPost, Path: "/alerts", Summary: "Raise an alert about an event of a device; an open one of the same title takes the event in",
		DefaultStatus: http.StatusCreated},
		func(ctx context.Context, caller server.Caller, in *newAlertIn) (server.Alert, error) {
			b := &in.Body
			n := server.NewAlert{Device: b.Device, Severity: b.Severity, Title: b.Title, Description: b.Description, Recommended: b.Recommended, Category: b.Category,
				Report: b.Event, EventTime: server.EventTime(b.Event), Techniques: b.Techniques}
			a, _, err := c.srv.CreateAlert(ctx, caller, n)
			return a, err
		})
	act(c, huma.Operation{OperationID: "update-alert", Method: http.MethodPatch, Path: "/alerts/{id}", Summary: "Change status, assignment, classification of an alert, or comment on it"},
		func(ctx context.Context, caller server.Caller, in *alertIn) (server.Alert, error) {
			if err := c.srv.UpdateAlerts(ctx, caller, []string{in.ID.ID}, in.Body.change()); err != nil {
				return server.Alert{}, err
			}
			return c.srv.Alert(ctx, caller, in.ID.ID)
		})
	change(c, "update-alerts", http.MethodPost, "/alerts/update", "Change alerts, each in the same way: all of them or none", http.StatusNoContent,
		func(ctx context.Context, caller server.Caller, in *alertsChangeIn) (*empty, error) {
			return nil, c.srv.UpdateAlerts(ctx, caller, in.Body.Alerts, in.Body.change())
		})
}

var alertColumns = []column[server.AlertRow]{
	{"alert_id", func(r *server.AlertRow) string { return r.ID }},
	{"title", func(r *server.AlertRow) string { return r.Title }},
	{"severity", func(r *server.AlertRow) string { return r.Severity }},
	{"status", func(r *server.AlertRow) string { return r.Status }},
	{"category", func(r *server.AlertRow) string { return r.Category }},
	{"classification", func(r *server.AlertRow) string { return r.Classification }},
	{"determination", func(r *server.AlertRow) string { return r.Determination }},
	{"assigned_to", func(r *server.AlertRow) string { return r.AssignedTo }},
	{"active", func(r *server.AlertRow) string { return strconv.FormatBool(r.Active) }},
	{"source", func(r *server.AlertRow) string { return r.Source }},
	{"maker", func(r *server.AlertRow) string { return r.Maker }},
	{"simulated", func(r *server.AlertRow) string { return strconv.FormatBool(r.Simulated) }},
	{"device_id", func(r *server.AlertRow) string { return string(r.DeviceID) }},
	{"device", func(r *server.AlertRow) string { return r.DeviceName }},
	{"group", func(r *server.AlertRow) string { return r.Group }},
	{"user", func(r *server.AlertRow) string { return r.User }},
	{"techniques", func(r *server.AlertRow) string { return words(techniqueIDs(r.Techniques)) }},
	{"events", func(r *server.AlertRow) string { return whole(r.Events) }},
	{"created_at", func(r *server.AlertRow) string { return instant(r.Created) }},
	{"updated_at", func(r *server.AlertRow) string { return instant(r.Updated) }},
	{"first_event", func(r *server.AlertRow) string { return instant(r.FirstEvent) }},
	{"last_event", func(r *server.AlertRow) string { return instant(r.LastEvent) }},
	{"resolved_at", func(r *server.AlertRow) string { return instant(r.Resolved) }},
	{"description", func(r *server.AlertRow) string { return r.Description }},
	{"recommended_action", func(r *server.AlertRow) string { return r.Recommended }},
}

func techniqueIDs(list []server.Technique) []string {
	out := make([]string, len(list))
	for i, t := range list {
		out[i] = t.ID
	}
	return out
}
