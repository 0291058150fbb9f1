package server

import (
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/ticket"
)

// How an activity stands, and how it was completed.
const (
	RemediationActive    = "Active"
	RemediationCompleted = "Completed"
	CompletedAutomatic   = "Automatic"
	CompletedManual      = "Manual"
)

// SystemConfirmation is who completed an activity whose targets were all fixed.
const SystemConfirmation = "System confirmation"

// RemediationProgress counts the targets of an activity, as the fleet has them
// at the request. The five parts add up to Targets.
type RemediationProgress struct {
	Targets     int `json:"targets"`
	Fixed       int `json:"fixed"`        // the cause is gone
	Exposed     int `json:"exposed"`      // the cause is there
	Silent      int `json:"silent"`       // not seen for 30 days: nothing can be said
	Removed     int `json:"removed"`      // no longer in the inventory
	NotAssessed int `json:"not_assessed"` // cannot be judged any more
}

// RemediationRow is an activity in a list.
//
// Sort keys: title, component, type, status, progress, priority, due, created, completed.
// Filters: type, status, priority, ticket, overdue ("true"), recommendation.
type RemediationRow struct {
	ID               string              `json:"id"`
	Title            string              `json:"title"`
	Recommendation   string              `json:"recommendation_id"`
	ProductID        string              `json:"product_id"`
	Component        string              `json:"component"`
	Vendor           string              `json:"vendor"`
	Version          string              `json:"version"` // recommended when it was requested
	Type             string              `json:"type"`    // Update, AttentionRequired, Restart, ConfigurationChange …
	Category         string              `json:"category"`
	Status           string              `json:"status"` // Active, Completed
	StatusAt         time.Time           `json:"status_at"`
	Tracked          bool                `json:"tracked"` // progress is measured; not so for AttentionRequired
	Progress         RemediationProgress `json:"progress"`
	Priority         string              `json:"priority"` // High, Medium, Low
	Due              string              `json:"due"`      // YYYY-MM-DD, "" for none
	Overdue          bool                `json:"overdue"`
	CreatedAt        time.Time           `json:"created_at"`
	CreatedBy        string              `json:"created_by"`
	CompletionMethod string              `json:"completion_method"` // Automatic, Manual, ""
	CompletedBy      string              `json:"completed_by"`      // who, or "System confirmation"
	Groups           []string            `json:"device_groups"`     // that it was requested for; empty: all
	Unnoticed        bool                `json:"unnoticed"`         // only devices on which nobody would notice it, as it was then
	Notes            string              `json:"notes"`
	Ticket           string              `json:"ticket"` // of the worst delivery: none, pending, failing, dead, sent, open, in progress, closed

	// For the Defender-compatible API alone.
	CreatedByID   string    `json:"-"`
	CompletedByID string    `json:"-"`
	Description   string    `json:"-"`
	DueAt         time.Time `json:"-"`
}

// Remediation is an activity with what its flyout shows.
type Remediation struct {
	RemediationRow
	About   string             `json:"description"`
	Steps   []string           `json:"steps"`
	Plan    *PlanRef           `json:"plan"`                // the patch plan that it is a step of; null: none
	Open    bool               `json:"recommendation_open"` // the recommendation is still there
	Tickets []TicketRow        `json:"tickets"`
	History []RemediationEvent `json:"history"`
	AsOf    time.Time          `json:"as_of"`
}

// PlanRef names a saved patch plan. ID is "" when the plan is not there (any
// more) for the caller.
type PlanRef struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// RemediationEvent is who did what when.
type RemediationEvent struct {
	At     time.Time `json:"at"`
	Who    string    `json:"who"`
	What   string    `json:"what"` // requested, completed, reopened, edited, ticket
	Detail string    `json:"detail"`
}

// TicketRow is one message of an activity to a destination, and the ticket that it made.
type TicketRow struct {
	ID          int64       `json:"id"`
	Destination string      `json:"destination"` // its name
	Kind        ticket.Kind `json:"kind"`
	Event       string      `json:"event"` // created, completed, reopened
	State       string      `json:"state"` // pending, sent, dead
	Attempts    int         `json:"attempts"`
	CreatedAt   time.Time   `json:"created_at"`
	SentAt      time.Time   `json:"sent_at,omitzero"`
	NextAt      time.Time   `json:"next_at,omitzero"` // of the next attempt
	Until       time.Time   `json:"until,omitzero"`   // given up after this
	Error       string      `json:"error"`
	Mend        string      `json:"mend"` // what helps
	Ref         string      `json:"ref"`
	URL         string      `json:"url"`
	Phase       string      `json:"phase"` // open, in progress, closed; "" not known
	Word        string      `json:"word"`  // the receiver's own word
	AskedAt     time.Time   `json:"asked_at,omitzero"`
	AskError    string      `json:"ask_error"`
}

// RemediationDevice is one target of an activity.
//
// Sort keys: name, state, last_seen. Filters: state.
type RemediationDevice struct {
	ID         inventory.DeviceID `json:"id"`
	Name       string             `json:"name"`
	OSName     string             `json:"os_name"`
	State      string             `json:"state"` // fixed, exposed, silent, removed, not_assessed
	LastSeen   time.Time          `json:"last_seen"`
	Alerts     int                `json:"alerts"` // active ones
	OSPlatform string             `json:"-"`
	DNSName    string             `json:"-"`
	GroupID    exposure.Group     `json:"-"`
	Group      string             `json:"-"`
}

// RemediationRequest is what the request form sends.
type RemediationRequest struct {
	Recommendation string   `json:"recommendation_id"`
	Type           string   `json:"type"`         // one of RemediationForm.Types
	Groups         []uint32 `json:"groups"`       // device groups; empty: all exposed devices
	Unnoticed      bool     `json:"unnoticed"`    // only devices on which nobody would notice the change
	Priority       string   `json:"priority"`     // High, Medium, Low
	Due            string   `json:"due"`          // YYYY-MM-DD, "" for none
	Notes          string   `json:"notes"`        //
	Destinations   []string `json:"destinations"` // ids; empty: just track
}

// RemediationForm is what the request form offers.
type RemediationForm struct {
	Types        []string          `json:"types"` // the recommended one first
	Exposed      int               `json:"exposed"`
	Groups       []FormGroup       `json:"groups"`
	Destinations []FormDestination `json:"destinations"`
	Active       int               `json:"active"` // activities for the recommendation that are under way
	// UserImpact says of a configuration change on how many exposed devices people
	// would notice it; null: nothing is known of software.
	UserImpact *NoticeCount `json:"user_impact"`
}

// NoticeCount counts exposed devices by whether anybody there would notice a
// change. The three parts add up to them.
type NoticeCount struct {
	None        int  `json:"none"`
	Expected    int  `json:"expected"`
	NotAssessed int  `json:"not_assessed"`
	Days        int  `json:"days"`     // in which nothing may have been used
	Evidence    bool `json:"evidence"` // some device could be without: the check says so, or events can
}

// FormGroup is a device group with how many exposed devices it has.
type FormGroup struct {
	ID      uint32 `json:"id"`
	Name    string `json:"name"`
	Exposed int    `json:"exposed"`
	// Unnoticed are those of them on which nobody would notice a configuration change.
	Unnoticed int `json:"unnoticed"`
}

// FormDestination is a place for tickets.
type FormDestination struct {
	ID   string      `json:"id"`
	Name string      `json:"name"`
	Kind ticket.Kind `json:"kind"`
}

// DestinationRow is a place for tickets as Settings › Ticketing shows it. Its
// secret is never told.
type DestinationRow struct {
	ID        string        `json:"id"`
	Kind      ticket.Kind   `json:"kind"`
	Name      string        `json:"name"`
	Enabled   bool          `json:"enabled"`
	Config    ticket.Config `json:"config"`
	HasSecret bool          `json:"has_secret"`
	Updated   time.Time     `json:"updated_at"`
	UpdatedBy string        `json:"updated_by"`
	Pending   int           `json:"pending"`
	Failing   int           `json:"failing"` // of Pending: the last attempt did not succeed
	Sent      int           `json:"sent"`
	Dead      int           `json:"dead"` // given up
}

// DestinationInput is what Settings › Ticketing stores. An empty secret keeps the one that is there.
type DestinationInput struct {
	Kind    ticket.Kind   `json:"kind"`
	Name    string        `json:"name"`
	Enabled bool          `json:"enabled"`
	Config  ticket.Config `json:"config"`
	Secret  string        `json:"secret"`
}

// TestResult says whether a test of a destination went through.
type TestResult struct {
	OK   bool   `json:"ok"`
	Text string `json:"text"`
	Mend string `json:"mend"`
}

// TopRemediation is an activity on the dashboard.
type TopRemediation struct {
	ID       string              `json:"id"`
	Title    string              `json:"title"`
	Type     string              `json:"type"`
	Priority string              `json:"priority"`
	Due      string              `json:"due"`
	Overdue  bool                `json:"overdue"`
	Tracked  bool                `json:"tracked"`
	Progress RemediationProgress `json:"progress"`
}
