package server

import (
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
)

// InvestigationRow is an investigation in a list.
//
// Sort keys: started, ended, device, state, requester, id.
// Filters: device, device_group, state, alert (id), active ("true": it has not ended), from, to (of its start).
type InvestigationRow struct {
	ID         string             `json:"id"`
	State      string             `json:"state" enum:"Queued,PendingApproval,PendingResource,Running,Benign,PartiallyInvestigated,Failed,TerminatedByUser,TerminatedBySystem"`
	Details    string             `json:"details" doc:"Of the state, in a sentence."`
	Active     bool               `json:"active"` // it has not ended
	DeviceID   inventory.DeviceID `json:"device_id"`
	DeviceName string             `json:"device_name"`
	DeviceDNS  string             `json:"-"`
	GroupID    exposure.Group     `json:"group_id"`
	Group      string             `json:"group"`
	Requester  string             `json:"requester"`
	Comment    string             `json:"comment"`
	Trigger    string             `json:"trigger" doc:"Id of the alert that it was started from; empty: from none."`
	Canceller  string             `json:"cancelled_by"`
	Action     string             `json:"action" doc:"Id of the action on the device."`
	Alerts     int                `json:"alerts"`
	Started    time.Time          `json:"started_at"`
	Ended      time.Time          `json:"ended_at,omitzero"`
}

// Investigation is one investigation with all that is known of it.
type Investigation struct {
	InvestigationRow
	AlertRefs []AlertRef              `json:"alert_refs"` // that are there still, newest first
	Evidence  []InvestigationEvidence `json:"evidence"`   // the worst first; empty until it has ended
	Log       []InvestigationLine     `json:"log"`        // oldest first
	Scanner   string                  `json:"scanner" doc:"That looked at files; empty: none did."`
	NoScanner string                  `json:"no_scanner" doc:"Why files were not scanned."`
	Cancel    bool                    `json:"may_cancel"`
	Connected bool                    `json:"connected"` // the device
	AsOf      time.Time               `json:"as_of"`
}

// InvestigationEvidence is a thing that was examined, and what is said of it. Names
// and facts are the endpoint's words.
type InvestigationEvidence struct {
	Kind    string                 `json:"kind" enum:"File,Process,Ip,Url,Persistence"`
	Name    string                 `json:"name"` // a path, a name, an address
	PID     int64                  `json:"pid,omitempty"`
	Began   time.Time              `json:"began,omitzero"`
	SHA256  string                 `json:"sha256,omitempty" doc:"As the alert names it, else as it is now."`
	Alerts  []string               `json:"alerts" doc:"Ids of the alerts that name it; none: it was found on the way."`
	Verdict string                 `json:"verdict" enum:"Malicious,Suspicious,Unknown,NoThreatsFound"`
	Status  string                 `json:"status" enum:"Active,NotFound,Unknown" doc:"Whether it is still there."`
	Reason  string                 `json:"reason"`
	File    *protocol.FileFacts    `json:"file,omitempty"`
	Process *protocol.ProcessFacts `json:"process,omitempty"`
	Open    []protocol.Connection  `json:"connections,omitempty"` // to an address
	Starts  []protocol.Start       `json:"starts,omitempty"`
}

// InvestigationLine is a line of the log of an investigation.
type InvestigationLine struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// NewInvestigation is what somebody says who starts an investigation.
type NewInvestigation struct {
	Comment  string `json:"comment" maxLength:"1000" doc:"Why: it is kept with the investigation."`
	Alert    string `json:"alert,omitempty" doc:"Id of the alert on the device that it is started from."`
	External string `json:"external_id,omitempty" maxLength:"200" doc:"Free id, shown as it is."`
}

// InvestigationMark is an investigation on the chart of a timeline.
type InvestigationMark struct {
	ID      string    `json:"id"`
	State   string    `json:"state"`
	Started time.Time `json:"started_at"`
	Ended   time.Time `json:"ended_at,omitzero"`
}
