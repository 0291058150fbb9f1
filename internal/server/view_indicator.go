package server

import (
	"time"

	"github.com/picketsec/picket/internal/exposure"
)

// What becomes of an indicator, as far as Picket does it.
const (
	// EnforcedNot: it is looked for and alerted of; nothing is blocked on endpoints.
	EnforcedNot = "detected and alerted only"
	// EnforcedAllow: it keeps other indicators from raising alerts.
	EnforcedAllow = "suppresses alerts of other indicators"
	// EnforcedNothing: no event has values of its type.
	EnforcedNothing = "not matched"
)

// enforcementNotes say it in a sentence.
var enforcementNotes = map[string]string{
	EnforcedNot:     "Not enforced on endpoints: detected and alerted only.",
	EnforcedAllow:   "Not enforced on endpoints: suppresses alerts of other indicators only.",
	EnforcedNothing: "Not enforced on endpoints and not detected: no event tells of certificates.",
}

// How far the look at stored events is.
const (
	LookNone    = "none"    // there is nothing to look for
	LookWaiting = "waiting" // its turn comes
	LookRunning = "running"
	LookDone    = "done"
	LookPartial = "partial" // what was found is not all: there were too many, or a part could not be read
	LookFailed  = "failed"
)

// IndicatorEdit is what people and programs say of an indicator.
type IndicatorEdit struct {
	Type        string     `json:"type" enum:"FileSha1,FileSha256,FileMd5,CertificateThumbprint,IpAddress,DomainName,Url"`
	Value       string     `json:"value" minLength:"1" maxLength:"2048" doc:"A hash, an address, a domain (which covers what is below it) or a URL (which covers what is below its path); no wildcards, no ranges."`
	Action      string     `json:"action" enum:"Allowed,Audit,Warn,Block,BlockAndRemediate,Alert,AlertAndBlock" doc:"None is enforced on endpoints yet: see enforcement."`
	Title       string     `json:"title" minLength:"1" maxLength:"200"`
	Description string     `json:"description" minLength:"1" maxLength:"2000"`
	Severity    string     `json:"severity,omitempty" enum:"Informational,Low,Medium,High" doc:"Of its alerts; Informational when nothing is said."`
	Recommended string     `json:"recommended_actions,omitempty" maxLength:"2000"`
	Application string     `json:"application,omitempty" maxLength:"200" doc:"Cannot be changed."`
	External    string     `json:"external_id,omitempty" maxLength:"200"`
	Educate     string     `json:"educate_url,omitempty" maxLength:"2048"`
	Generate    bool       `json:"generate_alert,omitempty" doc:"Audit needs it. What asks for more than an alert raises one in any case, since nothing else is done."`
	Expires     *time.Time `json:"expires_at,omitempty" doc:"In the future; nothing: never."`
	// Groups are the device groups that it is for; GroupNames name further ones.
	Groups     []exposure.Group `json:"device_groups,omitempty" maxItems:"500" doc:"Device groups that it is for; none: all devices."`
	GroupNames []string         `json:"-"`
}

// IndicatorRow is an indicator.
type IndicatorRow struct {
	ID              string           `json:"id"`
	Type            string           `json:"type"`
	Value           string           `json:"value"`
	Action          string           `json:"action"`
	Enforcement     string           `json:"enforcement" enum:"detected and alerted only,suppresses alerts of other indicators,not matched"`
	EnforcementNote string           `json:"enforcement_note" doc:"The same in a sentence, for people."`
	Active          bool             `json:"active"` // it has not expired
	Title           string           `json:"title"`
	Description     string           `json:"description"`
	Severity        string           `json:"severity"`
	Recommended     string           `json:"recommended_actions"`
	Application     string           `json:"application"`
	External        string           `json:"external_id"`
	Educate         string           `json:"educate_url"`
	Generate        bool             `json:"generate_alert"`
	Expires         time.Time        `json:"expires_at"` // zero: never
	Groups          []exposure.Group `json:"device_groups"`
	GroupNames      []string         `json:"device_group_names"`
	SourceType      string           `json:"source_type" enum:"User,AadApp"`
	SourceName      string           `json:"source_name"` // who made it
	CreatedBy       string           `json:"created_by"`  // user name, or client id of an application
	UpdatedBy       string           `json:"updated_by"`
	Created         time.Time        `json:"created_at"`
	Updated         time.Time        `json:"updated_at"`
	Matched         int64            `json:"matched"`      // events, since it was made
	LastMatched     time.Time        `json:"last_matched"` // zero: none
	Look            string           `json:"look_back" enum:"none,waiting,running,done,partial,failed" doc:"How far the look at the stored events of 30 days is."`
	LookDevices     int              `json:"look_back_devices" doc:"On how many devices that found something."`
	LookEvents      int              `json:"look_back_events"`
	Editable        bool             `json:"editable"` // by the caller
}

// IndicatorResult is what became of one indicator of an import.
type IndicatorResult struct {
	Row *IndicatorRow // nil: it failed
	Err error         // why; an *InputError, ErrDenied or ErrConflict
}
