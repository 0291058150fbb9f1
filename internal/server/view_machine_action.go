package server

import (
	"encoding/json"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
)

// MachineAction is what was asked to be done on one device, and what became of it.
//
// Sort keys: created, updated, device, kind, status, requester.
// Filters: device, device_group, kind, status, requester, active ("true": pending or in progress), from, to (times of asking).
type MachineAction struct {
	ID         string             `json:"id"`
	Kind       string             `json:"kind" enum:"collect,scan,isolate,release,investigate"`
	Type       string             `json:"type" enum:"CollectInvestigationPackage,RunAntiVirusScan,Isolate,Unisolate,Investigation" doc:"The kind as the Defender API names it."`
	Name       string             `json:"name"`                     // of the kind, as a button says it
	Scope      string             `json:"scope" enum:"Quick,Full,"` // of a scan or an isolation
	Status     string             `json:"status" enum:"Pending,InProgress,Succeeded,Failed,TimeOut,Cancelled"`
	DeviceID   inventory.DeviceID `json:"device_id"`
	DeviceName string             `json:"device_name"`
	DeviceDNS  string             `json:"-"`
	GroupID    exposure.Group     `json:"group_id"`
	Group      string             `json:"group"`
	Requester  string             `json:"requester"`
	Program    bool               `json:"program"` // asked for with a token
	Source     string             `json:"-"`       // of the request: Portal or Public API
	Comment    string             `json:"comment"`
	External   string             `json:"external_id" doc:"Free id that a program gave."`
	CreatedAt  time.Time          `json:"created_at"`
	UpdatedAt  time.Time          `json:"updated_at"`
	ExpiresAt  time.Time          `json:"expires_at"` // not begun by then, it is not begun any more
	SentAt     time.Time          `json:"sent_at,omitzero"`
	StartedAt  time.Time          `json:"started_at,omitzero"`
	EndedAt    time.Time          `json:"ended_at,omitzero"`
	Until      time.Time          `json:"until,omitzero" doc:"When the isolation ends by itself; left out: it does not."`
	Error      string             `json:"error"` // why it failed or was cancelled, or how far it is, in a sentence
	// Approval is the request that somebody else decides, or decided.
	Approval      string                `json:"approval,omitempty" doc:"Id of the request for approval."`
	Waits         bool                  `json:"waits"` // for that approval
	Result        *protocol.TaskResult  `json:"result,omitempty"`
	Package       *InvestigationPackage `json:"package,omitempty"`
	Investigation string                `json:"investigation,omitempty" doc:"Id of the investigation that it belongs to."`
	Cancel        *MachineActionCancel  `json:"cancel,omitempty"`
	MayCancel     bool                  `json:"may_cancel"`
	WhyNot        string                `json:"why_not,omitempty"` // it cannot be cancelled
}

// InvestigationPackage is the file that an action left on the server.
type InvestigationPackage struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	Gone   string `json:"gone,omitempty" doc:"Why it is not there any more."`
}

// MachineActionCancel says who wanted an action cancelled.
type MachineActionCancel struct {
	By      string    `json:"by"`
	Comment string    `json:"comment"`
	At      time.Time `json:"at"`
}

// NewMachineAction is what somebody wants done on devices.
type NewMachineAction struct {
	Kind     string    `json:"kind" enum:"collect,scan,isolate,release,investigate"`
	Scope    string    `json:"scope,omitempty" enum:"Quick,Full," doc:"Of a scan; an isolation is always full."`
	Until    time.Time `json:"until,omitzero" doc:"When an isolation ends by itself; left out: it does not."`
	Comment  string    `json:"comment" maxLength:"1000" doc:"Why: for whoever has to approve it, for the device's history and the audit log."`
	External string    `json:"external_id,omitempty" maxLength:"200" doc:"Free id, shown as it is."`
}

// MachineActionResult is what became of asking on one device.
type MachineActionResult struct {
	Device string         `json:"device"` // as it was named
	Action *MachineAction `json:"action,omitempty"`
	Error  string         `json:"error,omitempty" doc:"Why nothing was asked of this device."`
	Code   string         `json:"code,omitempty" enum:"ResourceNotFound,ActiveRequestAlreadyExists,OsPlatformNotSupported,ClientVersionNotSupported,"`
}

// MachineActionResults is what became of asking on several devices.
type MachineActionResults struct {
	Results []MachineActionResult `json:"results"`
	// Approval waits for somebody else, and with it all actions of the results.
	Approval *ApprovalRow `json:"approval,omitempty"`
}

// DeviceActionKind says of an action whether it can be asked for on a device.
type DeviceActionKind struct {
	ActionKind
	Can      bool   `json:"can"`               // the device can do it and the caller may ask
	WhyNot   string `json:"why_not,omitempty"` // in a sentence
	Active   string `json:"active,omitempty" doc:"Id of the action of this kind that is pending or in progress."`
	Approval bool   `json:"approval"` // somebody else has to approve it
}

// IsolationView says whether a device is isolated, as its agent told last.
type IsolationView struct {
	On       bool      `json:"on"`
	Since    time.Time `json:"since,omitzero"`
	Until    time.Time `json:"until,omitzero"`
	Action   string    `json:"action,omitempty" doc:"Id of the action that it follows from."`
	Cause    string    `json:"cause,omitempty" doc:"Why it ended, when no action ended it."`
	Repaired uint64    `json:"repaired"` // how often its rules were gone on the host and put back
}

// PackageLink is an address under which a package can be read for a while
// without any credentials.
type PackageLink struct {
	URL     string    `json:"url"`
	Expires time.Time `json:"expires"`
}

// PackageRetention says how long and how much of investigation packages is kept.
type PackageRetention struct {
	Days  int   `json:"days" minimum:"1" maximum:"3650"`
	Most  int64 `json:"most_bytes" minimum:"1048576" maximum:"268435456" doc:"Bytes of one package; a larger one is refused."`
	Total int64 `json:"total_bytes" minimum:"268435456" maximum:"1125899906842624" doc:"Bytes of all packages; the oldest go first."`
}

// PackageRetentionView is PackageRetention with what is kept now.
type PackageRetentionView struct {
	PackageRetention
	Packages int       `json:"packages"`
	Bytes    int64     `json:"bytes"`
	Removed  int       `json:"removed"` // packages that are gone, of actions that are listed
	AsOf     time.Time `json:"as_of"`
}

func resultOf(raw json.RawMessage) *protocol.TaskResult {
	var r *protocol.TaskResult
	if len(raw) == 0 || json.Unmarshal(raw, &r) != nil {
		return nil
	}
	return r
}
