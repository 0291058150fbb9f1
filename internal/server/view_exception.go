package server

import (
	"time"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
)

// Why something is excepted. Only the first two change scores.
const (
	ThirdPartyControl   = "ThirdPartyControl"   // another product or service already protects against it
	AlternateMitigation = "AlternateMitigation" // a measure of the organisation's own does
	RiskAccepted        = "RiskAccepted"        // it is low, or mending it costs more
	PlannedRemediation  = "PlannedRemediation"  // it is planned: a time of grace
)

// What an exception is about.
const (
	ExceptRecommendation = "Recommendation"
	ExceptWeakness       = "Weakness"
	ExceptSoftware       = "Software"
	ExceptPath           = "Path"
)

// Where an exception holds.
const (
	ScopeGlobal  = "Global"
	ScopeGroups  = "DeviceGroups"
	ScopeDevices = "Devices"
)

// How an exception stands.
const (
	StandsInEffect   = "InEffect"
	StandsSuspended  = "Suspended" // by a global exception of the same, until that ends
	StandsExpired    = "Expired"
	StandsCanceled   = "Canceled"
	StandsResurfaced = "Resurfaced" // it got worse, see ExceptionRow.Why
)

// How a recommendation stands to exceptions.
const (
	StatusActive  = "Active"
	StatusPartial = "PartialException" // some of its findings are under an exception, or it is where nothing is found now
	StatusFull    = "FullException"    // all of them are
)

// ExceptionSource says which document an exception came from. All of an
// imported document's exceptions have the same source; the zero value is a person's.
type ExceptionSource struct {
	Kind   string `json:"kind"`   // "OpenVEX", "CSAF", "CycloneDX"; "" when a person made it
	ID     string `json:"id"`     // of the document; with Kind it names the source
	Author string `json:"author"` // who says so
	Hash   string `json:"hash"`   // SHA-256 of the document, in hex
}

// NewException asks for an exception.
type NewException struct {
	// What it is about: Recommendation alone; or any of Weakness, Product (with
	// versions) and Path, which then must all hold.
	Recommendation string `json:"recommendation,omitempty" maxLength:"2000" doc:"Id of a recommendation."`
	Weakness       string `json:"weakness,omitempty" maxLength:"200" doc:"Id of a weakness."`
	Product        string `json:"product,omitempty" maxLength:"2000" doc:"Id of a product."`
	VersionFrom    string `json:"version_from,omitempty" maxLength:"200" doc:"Lowest version of the product that it is about."`
	VersionTo      string `json:"version_to,omitempty" maxLength:"200" doc:"Highest version of the product that it is about."`
	Path           string `json:"path,omitempty" maxLength:"500" doc:"Where the software was found: * is any name, ** any path. It must match every place on a device."`
	// Key narrows a product to the package of one release, as advisories name it. Only documents do.
	Key advisory.Key `json:"-"`

	Scope   string               `json:"scope" enum:"Global,DeviceGroups,Devices"`
	Groups  []exposure.Group     `json:"groups,omitempty" maxItems:"1000" doc:"Numbers of device groups; 0 is the devices that are in none."`
	Devices []inventory.DeviceID `json:"devices,omitempty" maxItems:"1000"`

	Justification string    `json:"justification" enum:"ThirdPartyControl,AlternateMitigation,RiskAccepted,PlannedRemediation"`
	Context       string    `json:"context,omitempty" maxLength:"2000" doc:"Why, in words."`
	Days          int       `json:"days,omitempty" minimum:"0" maximum:"365" doc:"How many days it holds: 30, 60, 90 or another number."`
	Until         time.Time `json:"until,omitzero" required:"false" doc:"When it ends, at most a year from now; instead of days."`
	Keep          bool      `json:"keep,omitempty" doc:"Keep it also when what it is about gets worse."`
}

// ExceptionRow is an exception in a list.
type ExceptionRow struct {
	ID             string          `json:"id"`
	Name           string          `json:"name"` // "Update openssl", "CVE-2024-1"
	Kind           string          `json:"kind"` // Recommendation, Weakness, Software, Path
	Recommendation string          `json:"recommendation"`
	Weakness       string          `json:"weakness"`
	Product        string          `json:"product"`
	VersionFrom    string          `json:"version_from"`
	VersionTo      string          `json:"version_to"`
	Path           string          `json:"path"`
	Package        string          `json:"package"` // of one release, as advisories name it: "Debian:12/openssl"; "": any
	Scope          string          `json:"scope"`
	Groups         int             `json:"groups"`    // that it holds in
	GroupIDs       []uint32        `json:"group_ids"` // their numbers
	Devices        int             `json:"devices"`   // that it names
	Exposed        int             `json:"exposed"`   // devices with what it is about, of those where it holds
	Justification  string          `json:"justification"`
	LowersScore    bool            `json:"lowers_score"`
	Context        string          `json:"context"`
	Status         string          `json:"status"`
	Why            string          `json:"why"` // it ended, in words; "" while it did not
	CreatedBy      string          `json:"created_by"`
	CreatedAt      time.Time       `json:"created_at"`
	ExpiresAt      *time.Time      `json:"expires_at"` // nil: it ends with its document
	EndedAt        *time.Time      `json:"ended_at"`
	EndedBy        string          `json:"ended_by"` // "" when Picket ended it
	Keep           bool            `json:"keep"`
	Source         ExceptionSource `json:"source"`
	Document       string          `json:"document"` // id of the loaded VEX document that says so; "" when none does

	spec *exceptionSpec
}

// ExceptionDetail is an exception with where it holds and what became of it.
type ExceptionDetail struct {
	ExceptionRow
	In      []ExceptionTarget `json:"in"`
	History []ExceptionEvent  `json:"history"`
	AsOf    time.Time         `json:"as_of"`
}

// ExceptionTarget is a device group or a device that an exception was made for.
type ExceptionTarget struct {
	Group   *exposure.Group    `json:"group"` // nil: a device
	Device  inventory.DeviceID `json:"device"`
	Name    string             `json:"name"`
	Status  string             `json:"status"`  // of the exception there: it may be canceled for one group
	Exposed int                `json:"exposed"` // devices there with what it is about
	EndedAt *time.Time         `json:"ended_at"`
	EndedBy string             `json:"ended_by"`
}

// ExceptionEvent is something that became of an exception.
type ExceptionEvent struct {
	At     time.Time `json:"at"`
	Type   string    `json:"type"` // created, canceled, group_canceled, expired, resurfaced
	Detail string    `json:"detail"`
	By     string    `json:"by"` // "" when it was Picket itself
}
