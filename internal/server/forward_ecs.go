package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
	"github.com/picketsec/picket/internal/syslog"
)

// ecsVersion is that of the Elastic Common Schema whose field names are used.
const ecsVersion = "8.17.0"

// maxForwardIDs is how many weaknesses one event names.
const maxForwardIDs = 200

// ecs starts a document: what every event has.
func (s *Server) ecs(dataset, id string, at time.Time, message string) map[string]any {
	return map[string]any{
		"@timestamp": at.UTC().Format(time.RFC3339Nano),
		"ecs":        map[string]any{"version": ecsVersion},
		"message":    message,
		"event":      map[string]any{"id": id, "module": "picket", "dataset": "picket." + dataset, "kind": "event"},
		"observer":   map[string]any{"vendor": "Picket", "product": "Picket", "version": s.opt.Version, "serial_number": s.TenantID()},
	}
}

// forwardDocument is what an entry of the outbox points at, in fields of ECS,
// with the severity of syslog. What is not kept any more is store.ErrNotFound.
func (s *Server) forwardDocument(ctx context.Context, o *store.Outgoing) (json.RawMessage, int, error) {
	var doc map[string]any
	severity := syslog.Notice
	var err error
	switch o.Class {
	case ForwardExposure:
		doc, err = s.exposureDocument(ctx, o.Ref)
		severity = syslog.Warning
	case ForwardAudit:
		doc, err = s.auditDocument(ctx, o.Ref)
	default:
		err = fmt.Errorf("class %q: %w", o.Class, store.ErrNotFound)
	}
	if err != nil {
		return nil, 0, err
	}
	doc["event"].(map[string]any)["sequence"] = o.Seq
	raw, err := json.Marshal(doc)
	return raw, severity, err
}

// exposureDocument is one event of the timeline, for the whole organisation.
func (s *Server) exposureDocument(ctx context.Context, id int64) (map[string]any, error) {
	e, err := s.eventAt(ctx, id)
	if err != nil {
		return nil, err
	}
	name := "ev-" + strconv.FormatInt(id, 10)
	doc := s.ecs("exposure", name, e.At, e.Title)
	event := doc["event"].(map[string]any)
	event["category"], event["type"], event["action"] = []string{"vulnerability"}, []string{"info"}, e.Kind
	if s.opt.PublicURL != "" {
		event["url"] = s.opt.PublicURL + "/events?open=" + name
	}
	if n := len(e.weaknesses); n > 0 {
		doc["vulnerability"] = map[string]any{"id": e.weaknesses[:min(n, maxForwardIDs)], "severity": string(e.Severity), "scanner": map[string]any{"vendor": "Picket"}}
	}
	if e.Component != "" {
		doc["package"] = map[string]any{"name": e.Component}
	}
	doc["picket"] = map[string]any{"devices": map[string]any{"impacted": e.Impacted, "counted": e.Counted}, "vendor": e.Vendor, "product_id": e.ProductID, "check": e.Check, "detail": e.Detail,
		"weaknesses": len(e.weaknesses), "known_exploited": e.Threats.KEV, "exploit": e.Threats.Exploit}
	return doc, nil
}

// forwardedEvent is an event with the weaknesses that it is about.
type forwardedEvent struct {
	EventRow
	weaknesses []string
}

// eventAt reads an event that was stored.
func (s *Server) eventAt(ctx context.Context, id int64) (forwardedEvent, error) {
	d, err := s.Event(ctx, Caller{Name: systemName, Permissions: []string{VulnerabilityRead}, Scope: exposure.Everywhere()}, "ev-"+strconv.FormatInt(id, 10))
	if err != nil {
		if errors.Is(err, ErrNotFound) {
			err = store.ErrNotFound
		}
		return forwardedEvent{}, err
	}
	return forwardedEvent{d.EventRow, d.WeaknessIDs}, nil
}

// auditDocument is one entry of the audit log.
func (s *Server) auditDocument(ctx context.Context, seq int64) (map[string]any, error) {
	record, err := s.st.AuditEntry(ctx, seq)
	if err != nil {
		return nil, err
	}
	var e audit.Entry
	if err := json.Unmarshal(record, &e); err != nil {
		return nil, fmt.Errorf("read audit entry %d: %w", seq, err)
	}
	doc := s.ecs("audit", "audit-"+strconv.FormatInt(seq, 10), e.At, e.Actor+": "+e.Action)
	event := doc["event"].(map[string]any)
	outcome := "success"
	if e.Outcome != audit.Done {
		outcome = "failure"
	}
	event["category"], event["type"], event["action"], event["outcome"] = []string{"configuration"}, []string{"change"}, e.Action, outcome
	doc["user"] = map[string]any{"name": e.Actor, "id": e.ActorID}
	if e.Remote != "" {
		doc["source"] = map[string]any{"address": e.Remote}
	}
	picket := map[string]any{"object": e.Object, "outcome": string(e.Outcome), "status": e.Status, "actor_kind": string(e.Kind), "request": e.Request}
	if len(e.Detail) > 0 {
		picket["detail"] = string(e.Detail) // as text: its keys are not fields of a schema
	}
	doc["picket"] = picket
	return doc, nil
}
