package server

import (
	"time"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
)

// The shapes in this file are what people and programs see: the console API
// serves them as they are. Times are UTC. Lists are never null. Counts say of
// what: "weaknesses" are distinct CVEs (or other ids), not findings.

// Query is what every list takes: a page of a filtered, ordered list.
type Query struct {
	Text   string              // free text, matched without regard to case
	Filter map[string][]string // by filter name; several values of one name are alternatives
	Sort   []string            // column keys, "-" in front for descending; unknown keys are ErrInvalid
	Offset int
	Limit  int // 0: all (exports)
	// Order, a func(a, b *T) int of the list's rows, comes before Sort; nil: Sort alone.
	// It is asked while the index is held, as a RowQuery's is.
	Order any
}

// Page is one page of a list.
type Page[T any] struct {
	Items []T       `json:"items"`
	Total int       `json:"total"` // rows after the filter
	AsOf  time.Time `json:"as_of"`
}

// SeverityCount counts weaknesses by severity.
type SeverityCount struct {
	Critical int `json:"critical"`
	High     int `json:"high"`
	Medium   int `json:"medium"`
	Low      int `json:"low"`
	Unrated  int `json:"unrated"`
}

// DeviceRow is a device in a list.
//
// Sort keys: name, domain, os, last_seen, first_seen, weaknesses, exploitable, fixable, software, ip, health, group, risk, alerts.
// Filters: os (OSPlatform), health, tag, isolated ("true"), clone ("true"), new ("true": first seen within 7 days), device_group (GroupID), risk, source, managed_by, internet_facing, excluded.
type DeviceRow struct {
	ID          inventory.DeviceID `json:"id"`
	Name        string             `json:"name"`
	Domain      string             `json:"domain"`      // of the full name, "" where the host knows none
	OSPlatform  string             `json:"os_platform"` // "Debian", "Ubuntu", "RedHatEnterpriseLinux" …
	OSVersion   string             `json:"os_version"`  // "12"
	OSName      string             `json:"os_name"`     // "Debian GNU/Linux 12 (bookworm)"
	OSLife      string             `json:"os_life"`     // of the release: supported, upcoming (ends within 6 months), ended, unknown
	OSUntil     string             `json:"os_until"`    // YYYY-MM-DD when its last support ends or ended, "" when that is not known
	Arch        string             `json:"arch"`
	Health      string             `json:"health"` // Active, Inactive, ImpairedCommunication, NoSensorData
	Connected   bool               `json:"connected"`
	IP          string             `json:"ip"`
	MAC         string             `json:"mac"` // of the interface with that address, else of the first that is up
	FirstSeen   time.Time          `json:"first_seen"`
	LastSeen    time.Time          `json:"last_seen"`
	Software    int                `json:"software"`   // products
	Weaknesses  int                `json:"weaknesses"` // that count in exposure
	Severity    SeverityCount      `json:"severity"`
	Fixable     int                `json:"fixable"`     // of Weaknesses: a fixed version exists
	Exploitable int                `json:"exploitable"` // of Weaknesses: a public exploit or worse
	KEV         int                `json:"kev"`         // of Weaknesses: in CISA's catalogue
	Gaps        int                `json:"gaps"`        // holes in coverage: sections or packages that are not assessed
	// Score is the exposure score, 0 to 100, and Exposure its level; "NoData" for
	// a device that counts in no score.
	Score    float64 `json:"score"`
	Exposure string  `json:"exposure"`
	NoData   string  `json:"no_data"` // why the exposure is "NoData", else ""
	Value    string  `json:"value"`   // what the device is worth: Low, Normal, High
	// Risk is the risk level that follows from its active alerts, Alerts how many those are.
	Risk   string   `json:"risk" enum:"None,Informational,Low,Medium,High"`
	Alerts int      `json:"alerts"`
	Tags   []string `json:"tags"` // of every kind, each once
	// GroupID and Group are the device group, 0 for a device that no rule takes.
	GroupID exposure.Group `json:"group_id"`
	Group   string         `json:"group"`
	// GroupWord is the group as programs are told of it: "Unassigned" where no rule takes the device, "None" where there are no groups.
	GroupWord string `json:"-"`
	CloneOf   string `json:"clone_of,omitempty"` // the device whose state directory was copied
	// Isolated says that the device is cut off from everything but the server, as its agent told last.
	Isolated bool `json:"isolated"`
	// Source is where the inventory comes from: "agent", "simulated", or "sbom" for a device without an agent.
	Source string `json:"source" enum:"agent,osquery,simulated,sbom"`
	// ManagedBy is what can be told to do something on the device, or "nothing" for one that a document describes.
	ManagedBy string `json:"managed_by" enum:"picket,osquery,nothing"`
	// InternetFacing is "yes" with the proof in FacingWhy, else "not_assessed" with the reason.
	InternetFacing string `json:"internet_facing" enum:"yes,not_assessed"`
	FacingWhy      string `json:"internet_facing_why"`
	// Exclusion says why the device is out of scores and lists, null when it is not.
	Exclusion *Exclusion `json:"exclusion"`

	// Notice says in the list of a configuration change whether anybody on the
	// device would notice it, and NoticeWhy why; elsewhere they are left out.
	Notice    string `json:"user_impact,omitempty" enum:"none,expected,not_assessed"`
	NoticeWhy string `json:"user_impact_reason,omitempty"`

	// For the Defender-compatible API alone.
	DNSName string `json:"-"` // full name where the host knows it, else ""
	// Interfaces are for programs that ask for addresses; lists of the console leave them out.
	Interfaces []inventory.Interface `json:"-"`
	// External is the public address that its last session came from; "": not known, or not public.
	External string `json:"-"`
}

// Device is everything that the device page's frame and overview show.
type Device struct {
	DeviceRow
	FQDN         string                  `json:"fqdn"`
	TagList      []DeviceTag             `json:"tag_list"` // tags with who gives them
	Kernel       inventory.KernelFact    `json:"kernel"`
	Hardware     inventory.HardwareFact  `json:"hardware"`
	Interfaces   []inventory.Interface   `json:"interfaces"`
	AgentVersion string                  `json:"agent_version"`
	Sections     []SectionRow            `json:"sections"`
	GapList      []exposure.Gap          `json:"gap_list"`
	States       map[string]int          `json:"states"` // findings by state, also those outside exposure
	Restart      []inventory.RestartNeed `json:"restart"`
	Updates      int                     `json:"updates"`          // packages that the host's own package manager would upgrade
	SecUpdates   int                     `json:"security_updates"` // of those: from a security archive
	NotAssessed  int                     `json:"not_assessed"`     // products that could not be judged
	Clones       []string                `json:"clones"`           // devices forked from this one
	Dropped      uint64                  `json:"dropped"`          // reports that the agent's spool had to drop, ever
	TopWeak      []DeviceVulnRow         `json:"top_weaknesses"`   // at most 5, worst first
	OSSupport    *EndOfLife              `json:"os_support"`       // life of the operating system's release, null when unknown
	Users        []inventory.User        `json:"users"`            // local users, where osquery tells them; at most 500
	Logons       []inventory.Logon       `json:"logons"`           // who is logged on, where osquery tells it
	Isolation    *IsolationView          `json:"isolation"`        // null where it never was isolated
	SBOM         *SBOMView               `json:"sbom"`             // the document that the device was made from, null for one with an agent
}

// SectionRow says how well one source of facts was looked at.
type SectionRow struct {
	Name    inventory.SectionName `json:"name"`
	Status  inventory.Status      `json:"status"`
	Reason  string                `json:"reason"`
	Items   int                   `json:"items"`
	SeenAt  time.Time             `json:"seen_at"`
	Changed time.Time             `json:"changed_at"`
}

// DeviceSoftwareRow is a product on one device.
//
// Sort keys: name, vendor, version, weaknesses, severity, last_found.
// Filters: vendor, ecosystem, code ("cpe", "purl"), vulnerable ("true"), update ("true"), threat, assessed ("true", "false").
type DeviceSoftwareRow struct {
	ID          string        `json:"id"` // vendor-_-product
	Name        string        `json:"name"`
	Vendor      string        `json:"vendor"`
	Version     string        `json:"version"`  // installed versions, joined by ", "
	Versions    []string      `json:"versions"` //
	Ecosystem   string        `json:"ecosystem"`
	Weaknesses  int           `json:"weaknesses"`
	Severity    SeverityCount `json:"severity"`
	Threats     Threats       `json:"threats"`
	ProductCode string        `json:"product_code"` // CPE 2.3 where one is known, else package URL
	Tags        []string      `json:"tags"`         // "EOS software", "EOS version", "Upcoming EOS version", "Restart needed", "Update available"
	Update      string        `json:"update"`       // candidate version that the host's package manager offers
	UpdateSec   bool          `json:"update_security"`
	NotAssessed string        `json:"not_assessed"` // why, "" when assessed
	LastFound   time.Time     `json:"last_found"`
	FirstFound  time.Time     `json:"first_found"`
}

// DeviceSoftware is the flyout of a product on one device.
type DeviceSoftware struct {
	DeviceSoftwareRow
	Packages []PackageRow    `json:"packages"`
	Weak     []DeviceVulnRow `json:"weak"` // every finding of the product, any state
	EOL      *EndOfLife      `json:"eol"`
}

// PackageRow is one package record beneath a product.
type PackageRow struct {
	Section   inventory.SectionName `json:"section"`
	Name      string                `json:"name"`
	Version   string                `json:"version"`
	Arch      string                `json:"arch"`
	Source    string                `json:"source"`
	SourceVer string                `json:"source_version"`
	PURL      string                `json:"purl"`
	Paths     []string              `json:"paths"`
	Residual  bool                  `json:"residual"`
	Role      exposure.Role         `json:"role"`
	Vendor    string                `json:"vendor"`
	Summary   string                `json:"summary"`
	Installed time.Time             `json:"installed_at,omitzero"`
}

// EndOfLife is what endoflife.date says of a release cycle.
type EndOfLife struct {
	Product string `json:"product"`
	Cycle   string `json:"cycle"`
	Ended   bool   `json:"ended"`   // no support of any kind is left
	Date    string `json:"date"`    // YYYY-MM-DD when the last support ends, "" when only known that it ended or not
	Regular string `json:"regular"` // YYYY-MM-DD when regular support ends, where longer support (LTS, ESM, ELS) goes on until Date; else ""
	// Extended is until when subscribers of its maker get longer support, else "".
	Extended string `json:"extended"`
	Latest   string `json:"latest"`
	Tag      string `json:"tag"` // "EOS version", "EOS software" (no line of it is supported), "Upcoming EOS version", "Upcoming EOS software" (within 6 months), else ""
}

// Threats are the insights shown as icons.
type Threats struct {
	Exploit advisory.Exploit `json:"exploit"`
	KEV     bool             `json:"kev"`
	Ransom  bool             `json:"ransomware"`
	EPSS    float64          `json:"epss"`
	// Alerts are the exposed devices that have active alerts; in lists about one device 1 when it has some and is exposed.
	Alerts int `json:"alerts"`
}

// DeviceVulnRow is one weakness on one device (one row per CVE).
//
// Sort keys: id, severity, cvss, epss, published, updated, software, state, first_seen.
// Filters: severity, state, exposed ("true", "false"), fix ("available", "none"), threat ("exploit", "kev", "ransomware"), software (product id).
type DeviceVulnRow struct {
	ID         string            `json:"id"`
	Title      string            `json:"title"`
	Severity   advisory.Severity `json:"severity"`
	CVSS       float64           `json:"cvss"`         // 0: no score
	CVSSVer    string            `json:"cvss_version"` // "3.1"
	EPSS       float64           `json:"epss"`
	Software   []SoftwareRef     `json:"software"` // related software on this device
	State      exposure.State    `json:"state"`    // worst state of the findings of this weakness here
	Exposed    bool              `json:"exposed"`
	Exception  bool              `json:"exception"` // all of its findings here that count are under exceptions
	FixVersion string            `json:"fix_version"`
	Published  time.Time         `json:"published,omitzero"`
	Updated    time.Time         `json:"updated,omitzero"`
	Threats    Threats           `json:"threats"`
	FirstSeen  time.Time         `json:"first_seen"`
}

// SoftwareRef names a product and a version of it.
type SoftwareRef struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Vendor  string `json:"vendor"`
	Version string `json:"version"`
	Fixed   string `json:"fixed"`
}

// DeviceVuln is the flyout of a weakness on one device.
type DeviceVuln struct {
	DeviceVulnRow
	Weakness advisory.Weakness `json:"weakness"`
	Logic    []DetectionLogic  `json:"logic"` // one per component

	found []found // what Logic was made of, in its order
}

// found is a finding with the coverage of its component.
type found struct {
	exposure.Finding
	coverage []advisory.Coverage
}

// DetectionLogic says why a finding is there: the package record, the advisory
// and the comparison.
type DetectionLogic struct {
	Software  SoftwareRef         `json:"software"`
	State     exposure.State      `json:"state"`
	Exposed   bool                `json:"exposed"`
	Rule      string              `json:"rule"`
	Feed      string              `json:"feed"`
	FeedDate  time.Time           `json:"feed_date,omitzero"`
	Advisory  string              `json:"advisory"`
	URL       string              `json:"url"`
	Announced []string            `json:"announced"`
	Urgency   string              `json:"urgency"`
	Note      string              `json:"note"`
	Role      exposure.Role       `json:"role"`
	Evidence  []exposure.Evidence `json:"evidence"`
	FirstSeen time.Time           `json:"first_seen"`
}

// ClosedRow is a finding that is no longer there, and why.
type ClosedRow struct {
	ID        string            `json:"id"`
	Severity  advisory.Severity `json:"severity"`
	Software  string            `json:"software"`
	Version   string            `json:"version"`
	Reason    string            `json:"reason"` // upgraded, removed, rejected, advisory-changed, kernel-changed, restarted
	Detail    string            `json:"detail"` // "3.0.15-1 → 3.0.17-1"
	ClosedAt  time.Time         `json:"closed_at"`
	FirstSeen time.Time         `json:"first_seen,omitzero"`
}

// SoftwareRow is a product over all devices.
//
// Sort keys: name, vendor, weaknesses, exposed, installed, severity.
// Filters: vendor, ecosystem, vulnerable ("true"), threat, code, assessed, tag.
type SoftwareRow struct {
	ID          string        `json:"id"`
	Name        string        `json:"name"`
	Vendor      string        `json:"vendor"`
	Ecosystem   string        `json:"ecosystem"`
	Versions    int           `json:"versions"`
	Weaknesses  int           `json:"weaknesses"`
	Severity    SeverityCount `json:"severity"`
	Exposed     int           `json:"exposed"`   // devices
	Trend       []int         `json:"trend"`     // Exposed on each of the last 30 days (UTC), as far as they were counted, today last
	Installed   int           `json:"installed"` // devices
	Impact      float64       `json:"impact"`    // points that the score would be lower by without the product
	Threats     Threats       `json:"threats"`
	ProductCode string        `json:"product_code"`
	Tags        []string      `json:"tags"`
	NotAssessed string        `json:"not_assessed"`
}

// WeaknessRow is a weakness over all devices.
//
// Sort keys: id, severity, cvss, epss, published, updated, exposed.
// Filters: severity, threat, fix, exposed ("true": on at least one device), state.
type WeaknessRow struct {
	ID        string            `json:"id"`
	Title     string            `json:"title"`
	Severity  advisory.Severity `json:"severity"`
	CVSS      float64           `json:"cvss"`
	CVSSVer   string            `json:"cvss_version"`
	EPSS      float64           `json:"epss"`
	Software  []SoftwareRef     `json:"software"` // related products, at most 3, versions empty
	SoftwareN int               `json:"software_count"`
	Exposed   int               `json:"exposed"`         // devices where it counts
	Unknown   bool              `json:"exposed_unknown"` // it counts on no device, and of some the feed does not know yet whether it is there
	After     int               `json:"exposed_after"`   // of them: some of it is under no exception
	Exception bool              `json:"exception"`       // an exception is about it somewhere
	Affected  int               `json:"affected"`        // devices with any finding of it
	Fixable   bool              `json:"fixable"`         // on some device a fix exists
	Published time.Time         `json:"published,omitzero"`
	Updated   time.Time         `json:"updated,omitzero"`
	AgeDays   int               `json:"age_days"`
	Threats   Threats           `json:"threats"`
	Tags      []string          `json:"tags"`   // "Some updates available", "No security update"
	States    []string          `json:"states"` // states of its findings, each once
}

// WeaknessDetail is the flyout of a weakness.
type WeaknessDetail struct {
	WeaknessRow
	Weakness advisory.Weakness `json:"weakness"`
	// Recommendations close it on some device, of the most devices first; none when there is nothing to install.
	Recommendations []RecommendationRef `json:"recommendations"`
}

// WeaknessDevice is a device that has a weakness.
type WeaknessDevice struct {
	ID        inventory.DeviceID `json:"id"`
	Name      string             `json:"name"`
	OSName    string             `json:"os_name"`
	State     exposure.State     `json:"state"`
	Exposed   bool               `json:"exposed"`
	Software  []SoftwareRef      `json:"software"`
	Fix       string             `json:"fix_version"`
	Update    bool               `json:"update"` // a version that fixes it can be installed
	FirstSeen time.Time          `json:"first_seen"`
	LastSeen  time.Time          `json:"last_seen"`
	Alerts    int                `json:"alerts"` // active ones

	// For the Defender-compatible API alone.
	OSPlatform string         `json:"-"`
	GroupID    exposure.Group `json:"-"`
	Group      string         `json:"-"`
	DNSName    string         `json:"-"` // full name where the host knows it, else ""
}

// FeedRow is one feed of the loaded intelligence.
type FeedRow struct {
	Name     string     `json:"name"`
	Title    string     `json:"title"`
	Source   string     `json:"source"` // path or address it came from
	Licence  string     `json:"licence"`
	DataDate time.Time  `json:"data_date,omitzero"` // of the data itself
	LoadedAt time.Time  `json:"loaded_at"`
	AgeDays  int        `json:"age_days"`
	Stale    bool       `json:"stale"`
	MaxAge   int        `json:"max_age_days"`
	Records  int        `json:"records"`
	Skipped  int        `json:"skipped"`
	Skips    []FeedSkip `json:"skips"` // the first of each reason
	Demo     bool       `json:"demo"`
}

// FeedSkip is a reason why records were skipped.
type FeedSkip struct {
	Reason string `json:"reason"`
	Count  int    `json:"count"`
	Sample string `json:"sample"` // file and record
}

// Intel is the state of the intelligence.
type Intel struct {
	Feeds      []FeedRow `json:"feeds"`
	Weaknesses int       `json:"weaknesses"`
	Generation uint64    `json:"generation"`
	Demo       bool      `json:"demo"`
	Stale      bool      `json:"stale"`
	Empty      bool      `json:"empty"`
	Job        *JobRow   `json:"job"` // the import or sync that runs, or the last one
}

// JobRow is long work in progress.
type JobRow struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"`
	State    string    `json:"state"` // running, done, failed, cancelled
	Done     int64     `json:"done"`
	Of       int64     `json:"of"` // 0: unknown
	Text     string    `json:"text"`
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished,omitzero"`
	Error    string    `json:"error"`
}

// TokenRow is an enrolment token as listed; its secret is shown only once.
type TokenRow struct {
	ID        string    `json:"id"`
	Note      string    `json:"note"`
	Uses      int       `json:"uses"`
	MaxUses   int       `json:"max_uses"`
	Created   time.Time `json:"created"`
	Expires   time.Time `json:"expires"`
	CreatedBy string    `json:"created_by"`
	Revoked   bool      `json:"revoked"`
}

// Onboarding is what Settings › Onboarding shows.
type Onboarding struct {
	ServerURL string `json:"server_url"` // of the agent listener
	CAPEM     string `json:"ca_pem"`
	CAHash    string `json:"ca_sha256"`
	Command   string `json:"command"` // copy-paste, with TOKEN in place of the token
}

// Status is what the console's frame shows on every page.
type Status struct {
	Version     string   `json:"version"`
	Devices     int      `json:"devices"`
	Connected   int      `json:"connected"`
	Health      string   `json:"health"` // ok, amber
	Notices     []Notice `json:"notices"`
	Demo        bool     `json:"demo_intelligence"`
	IntelEmpty  bool     `json:"intelligence_empty"`
	Weaknesses  int      `json:"weaknesses"` // exposed on at least one device
	NeedsSecret bool     `json:"needs_password"`
	// Lockdown is there while one holds.
	Lockdown *Lockdown `json:"lockdown,omitempty"`
	// Approvals counts the requests that the caller can decide.
	Approvals int `json:"approvals,omitempty"`
}

// Notice is one thing that an operator should know.
type Notice struct {
	Level string `json:"level"` // info, warning
	Text  string `json:"text"`
	Link  string `json:"link"`
}

// SearchHit is one answer of the global search.
type SearchHit struct {
	Kind string `json:"kind"` // device, software, weakness
	ID   string `json:"id"`
	Name string `json:"name"`
	Info string `json:"info"`
}

// LiveEvent tells a console what changed. Resource is "devices", "device",
// "software", "weaknesses", "events", "score", "timeline", "intel", "approvals", "lockdown" or "status"; ID narrows it.
type LiveEvent struct {
	Resource string `json:"resource"`
	ID       string `json:"id,omitempty"`
}
