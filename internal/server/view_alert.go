package server

import (
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
)

// AlertRow is an alert in a list.
//
// Sort keys: created, updated, last_event, first_event, title, severity, status, category, device, assigned, id.
// Filters: severity, status, category, classification, source, assigned ("-": nobody), device (id), device_group, technique (with those under it),
// active ("true", "false"), from and to (of its creation, RFC 3339), simulated ("true", "false"), entity ("file:…", "ip:…", "domain:…", "user:…"),
// weakness, software and recommendation (of devices that are exposed to them).
type AlertRow struct {
	ID             string             `json:"id"`
	Title          string             `json:"title"`
	Description    string             `json:"description"`
	Recommended    string             `json:"recommended_action"`
	Severity       string             `json:"severity" enum:"UnSpecified,Informational,Low,Medium,High"`
	Status         string             `json:"status" enum:"New,InProgress,Resolved"`
	Classification string             `json:"classification" enum:",TruePositive,InformationalExpectedActivity,FalsePositive"`
	Determination  string             `json:"determination"`
	Category       string             `json:"category"`
	Source         string             `json:"source"` // detection source: CustomDetection (a person raised it), ThirdPartySensors (a program did)
	Maker          string             `json:"maker"`  // who raised it
	AssignedTo     string             `json:"assigned_to"`
	Active         bool               `json:"active"` // it counts in risk and exposure
	Simulated      bool               `json:"simulated"`
	DeviceID       inventory.DeviceID `json:"device_id"`
	DeviceName     string             `json:"device_name"`
	GroupID        exposure.Group     `json:"group_id"`
	Group          string             `json:"group"`
	User           string             `json:"user"` // of the first event that names one
	Techniques     []Technique        `json:"techniques"`
	Events         int                `json:"events"` // that it refers to
	Created        time.Time          `json:"created_at"`
	Updated        time.Time          `json:"updated_at"`
	FirstEvent     time.Time          `json:"first_event"`
	LastEvent      time.Time          `json:"last_event"`
	Resolved       time.Time          `json:"resolved_at,omitzero"`

	Investigation      string `json:"investigation,omitempty" doc:"Id of the latest investigation that has it."`
	InvestigationState string `json:"investigation_state,omitempty"`
	// Elsewhere is on how many other devices that the caller sees there is an active alert of the same title.
	Elsewhere int `json:"elsewhere"`

	// For the Defender-compatible API alone.
	GroupWord  string          `json:"-"` // device group: "Unassigned" where no rule takes the device, "None" where there are no groups
	DeviceDNS  string          `json:"-"` // full name of the device where it knows one
	UserName   string          `json:"-"`
	UserDomain string          `json:"-"`
	Comments   []AlertNote     `json:"-"` // of one alert, or when they were asked for
	Evidence   []AlertEvidence `json:"-"` // when they were asked for
}

// Technique is an ATT&CK technique; Name is "" where Picket does not know it.
type Technique struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Tactic []string `json:"tactics"`
	// Reason says why an event has it; "" for an alert, whose maker said so.
	Reason string `json:"reason,omitempty"`
}

// Alert is one alert with what belongs to it.
type Alert struct {
	AlertRow
	Evidence []AlertEvidence `json:"evidence"`
	EventIDs []string        `json:"event_ids"` // in the device's timeline, newest first
	Dropped  int             `json:"dropped"`   // events and things beyond what an alert keeps
	Notes    []AlertNote     `json:"notes"`     // comments and changes, newest first
	Risk     string          `json:"device_risk"`
	Exposure string          `json:"device_exposure"`
	// Others are other active alerts on the device.
	Others []AlertRef `json:"others"`
	AsOf   time.Time  `json:"as_of"`
}

// AlertRef names an alert.
type AlertRef struct {
	ID       string    `json:"id"`
	Title    string    `json:"title"`
	Severity string    `json:"severity"`
	Time     time.Time `json:"time"` // of its last event
}

// AlertNote is a comment on an alert, or what was changed of it.
type AlertNote struct {
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	Kind string    `json:"kind" enum:"comment,change"`
	Text string    `json:"text"`
}

// AlertEvidence is something that an alert's events tell of. What does not
// belong to its kind is empty.
type AlertEvidence struct {
	Kind    string    `json:"kind" enum:"Process,File,Ip,Url,User"`
	At      time.Time `json:"at"` // of the event
	Event   string    `json:"event"`
	SHA1    string    `json:"sha1,omitempty"`
	SHA256  string    `json:"sha256,omitempty"`
	Name    string    `json:"name,omitempty"` // of a file or of a process's program
	Path    string    `json:"path,omitempty"` // its folder, or its whole path
	PID     int64     `json:"pid,omitempty"`
	Command string    `json:"command,omitempty"`
	Began   time.Time `json:"began,omitzero"`

	ParentPID   int64     `json:"parent_pid,omitempty"`
	ParentName  string    `json:"parent_name,omitempty"`
	ParentBegan time.Time `json:"parent_began,omitzero"`

	IP      string `json:"ip,omitempty"`
	URL     string `json:"url,omitempty"`
	Account string `json:"account,omitempty"`
	Domain  string `json:"domain,omitempty"`
	SID     string `json:"sid,omitempty"`
}

// NewAlert is an alert to be raised about an event that is in the log.
type NewAlert struct {
	Device      string
	Severity    string
	Title       string
	Description string
	Recommended string
	Category    string
	// Report names the event: its number, or its id in the timeline.
	Report     string
	EventTime  time.Time // when the event was
	Techniques []string  // ATT&CK ids
}

// AlertChange is what is to be changed of alerts; nil stays as it is.
type AlertChange struct {
	Status         *string
	AssignedTo     *string // "" for nobody
	Classification *string // "" takes it away
	Determination  *string // "" takes it away
	Comment        string
}

// AlertSummary counts active alerts.
type AlertSummary struct {
	Active     int            `json:"active"`
	Severities map[string]int `json:"severities"` // active ones
	Devices    int            `json:"devices"`    // with active ones
	New        int            `json:"new"`        // of Active: nobody began
	Unassigned int            `json:"unassigned"` // of Active
	Top        []AlertRow     `json:"top"`        // at most 5: the worst, newest first
	// Assignees are those that an alert is or was assigned to, also when it is not active.
	Assignees []string `json:"assignees"`
}

// AlertRelated is what an alert names of one kind, each thing once.
type AlertRelated struct {
	Device inventory.DeviceID
	RowPage[AlertEvidence]
}
