// Code generated from internal/api/openapi.golden.json. DO NOT EDIT.
// Made again by: go test ./internal/api -run OpenAPI -update

package client

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"net/url"
	"time"
)

var _ json.RawMessage // schemas without a type

// APISettings is the schema of that name.
type APISettings struct {
	Keys        []SigningKey `json:"keys"`
	PerMinute   int64        `json:"per_minute"`
	Permissions []Permission `json:"permissions"`
	Preset      string       `json:"preset"` // One of "plain", "reference".
	TenantID    string       `json:"tenant_id"`
}

// ActionKind is the schema of that name.
type ActionKind struct {
	Effect string `json:"effect"` // look: the agent looks again at what it reports anyway; read: something else is fetched; change: the device is changed; run: a program runs. One of "look", "read", "change", "run".
	ID     string `json:"id"`
	May    bool   `json:"may"` // The caller holds the permission for it.
	Name   string `json:"name"`
}

// ActionResult is the schema of that name.
type ActionResult struct {
	Approval ApprovalRow `json:"approval,omitzero"`
	State    string      `json:"state"` // One of "done", "pending".
}

// Alert is the schema of that name.
type Alert struct {
	Active             bool            `json:"active"`
	AsOf               time.Time       `json:"as_of"`
	AssignedTo         string          `json:"assigned_to"`
	Category           string          `json:"category"`
	Classification     string          `json:"classification"` // One of "", "TruePositive", "InformationalExpectedActivity", "FalsePositive".
	CreatedAt          time.Time       `json:"created_at"`
	Description        string          `json:"description"`
	Determination      string          `json:"determination"`
	DeviceExposure     string          `json:"device_exposure"`
	DeviceID           string          `json:"device_id"`
	DeviceName         string          `json:"device_name"`
	DeviceRisk         string          `json:"device_risk"`
	Dropped            int64           `json:"dropped"`
	Elsewhere          int64           `json:"elsewhere"`
	EventIDs           []string        `json:"event_ids"`
	Events             int64           `json:"events"`
	Evidence           []AlertEvidence `json:"evidence"`
	FirstEvent         time.Time       `json:"first_event"`
	Group              string          `json:"group"`
	GroupID            int64           `json:"group_id"`
	ID                 string          `json:"id"`
	Investigation      string          `json:"investigation,omitzero"` // Id of the latest investigation that has it.
	InvestigationState string          `json:"investigation_state,omitzero"`
	LastEvent          time.Time       `json:"last_event"`
	Maker              string          `json:"maker"`
	Notes              []AlertNote     `json:"notes"`
	Others             []AlertRef      `json:"others"`
	RecommendedAction  string          `json:"recommended_action"`
	ResolvedAt         time.Time       `json:"resolved_at,omitzero"`
	Severity           string          `json:"severity"` // One of "UnSpecified", "Informational", "Low", "Medium", "High".
	Simulated          bool            `json:"simulated"`
	Source             string          `json:"source"`
	Status             string          `json:"status"` // One of "New", "InProgress", "Resolved".
	Techniques         []Technique     `json:"techniques"`
	Title              string          `json:"title"`
	UpdatedAt          time.Time       `json:"updated_at"`
	User               string          `json:"user"`
}

// AlertChangeBody is the schema of that name.
type AlertChangeBody struct {
	AssignedTo     string `json:"assigned_to,omitzero"`    // Empty: nobody.
	Classification string `json:"classification,omitzero"` // TruePositive, InformationalExpectedActivity or FalsePositive; empty takes it away.
	Comment        string `json:"comment,omitzero"`
	Determination  string `json:"determination,omitzero"` // Empty takes it away.
	Status         string `json:"status,omitzero"`        // One of "New", "InProgress", "Resolved".
}

// AlertEvidence is the schema of that name.
type AlertEvidence struct {
	Account     string    `json:"account,omitzero"`
	At          time.Time `json:"at"`
	Began       time.Time `json:"began,omitzero"`
	Command     string    `json:"command,omitzero"`
	Domain      string    `json:"domain,omitzero"`
	Event       string    `json:"event"`
	IP          string    `json:"ip,omitzero"`
	Kind        string    `json:"kind"` // One of "Process", "File", "Ip", "Url", "User".
	Name        string    `json:"name,omitzero"`
	ParentBegan time.Time `json:"parent_began,omitzero"`
	ParentName  string    `json:"parent_name,omitzero"`
	ParentPid   int64     `json:"parent_pid,omitzero"`
	Path        string    `json:"path,omitzero"`
	Pid         int64     `json:"pid,omitzero"`
	Sha1        string    `json:"sha1,omitzero"`
	Sha256      string    `json:"sha256,omitzero"`
	Sid         string    `json:"sid,omitzero"`
	URL         string    `json:"url,omitzero"`
}

// AlertNote is the schema of that name.
type AlertNote struct {
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	Kind string    `json:"kind"` // One of "comment", "change".
	Text string    `json:"text"`
}

// AlertRef is the schema of that name.
type AlertRef struct {
	ID       string    `json:"id"`
	Severity string    `json:"severity"`
	Time     time.Time `json:"time"`
	Title    string    `json:"title"`
}

// AlertRow is the schema of that name.
type AlertRow struct {
	Active             bool        `json:"active"`
	AssignedTo         string      `json:"assigned_to"`
	Category           string      `json:"category"`
	Classification     string      `json:"classification"` // One of "", "TruePositive", "InformationalExpectedActivity", "FalsePositive".
	CreatedAt          time.Time   `json:"created_at"`
	Description        string      `json:"description"`
	Determination      string      `json:"determination"`
	DeviceID           string      `json:"device_id"`
	DeviceName         string      `json:"device_name"`
	Elsewhere          int64       `json:"elsewhere"`
	Events             int64       `json:"events"`
	FirstEvent         time.Time   `json:"first_event"`
	Group              string      `json:"group"`
	GroupID            int64       `json:"group_id"`
	ID                 string      `json:"id"`
	Investigation      string      `json:"investigation,omitzero"` // Id of the latest investigation that has it.
	InvestigationState string      `json:"investigation_state,omitzero"`
	LastEvent          time.Time   `json:"last_event"`
	Maker              string      `json:"maker"`
	RecommendedAction  string      `json:"recommended_action"`
	ResolvedAt         time.Time   `json:"resolved_at,omitzero"`
	Severity           string      `json:"severity"` // One of "UnSpecified", "Informational", "Low", "Medium", "High".
	Simulated          bool        `json:"simulated"`
	Source             string      `json:"source"`
	Status             string      `json:"status"` // One of "New", "InProgress", "Resolved".
	Techniques         []Technique `json:"techniques"`
	Title              string      `json:"title"`
	UpdatedAt          time.Time   `json:"updated_at"`
	User               string      `json:"user"`
}

// AlertSummary is the schema of that name.
type AlertSummary struct {
	Active     int64            `json:"active"`
	Assignees  []string         `json:"assignees"`
	Devices    int64            `json:"devices"`
	New        int64            `json:"new"`
	Severities map[string]int64 `json:"severities"`
	Top        []AlertRow       `json:"top"`
	Unassigned int64            `json:"unassigned"`
}

// AlertsChangeInBody is the schema of that name.
type AlertsChangeInBody struct {
	AlertIDs       []string `json:"alert_ids"`
	AssignedTo     string   `json:"assigned_to,omitzero"`    // Empty: nobody.
	Classification string   `json:"classification,omitzero"` // TruePositive, InformationalExpectedActivity or FalsePositive; empty takes it away.
	Comment        string   `json:"comment,omitzero"`
	Determination  string   `json:"determination,omitzero"` // Empty takes it away.
	Status         string   `json:"status,omitzero"`        // One of "New", "InProgress", "Resolved".
}

// AppEdit is the schema of that name.
type AppEdit struct {
	Delegated   []string `json:"delegated,omitzero"`   // Permissions that people may let it have.
	DeviceCode  bool     `json:"device_code,omitzero"` // People may let it in by a code that they type on the console.
	Disabled    bool     `json:"disabled,omitzero"`
	Name        string   `json:"name"`
	PerMinute   int64    `json:"per_minute,omitzero"` // Calls a minute, with plain.
	Permissions []string `json:"permissions"`
	Preset      string   `json:"preset,omitzero"`    // Limits: empty as for all, plain with a number of its own, reference as the Defender API has. One of "", "plain", "reference".
	Public      bool     `json:"public,omitzero"`    // It runs at people's own machines and keeps no secret. It stays what it was made as.
	Redirects   []string `json:"redirects,omitzero"` // Addresses that people may be sent back to, to the byte; of a public one at the loopback, with any port.
}

// AppKey is the schema of that name.
type AppKey struct {
	Created  time.Time  `json:"created"`
	Expires  *time.Time `json:"expires"`
	Hint     string     `json:"hint"` // The first three characters.
	ID       string     `json:"id"`
	LastUsed *time.Time `json:"last_used"`
	Note     string     `json:"note"`
}

// AppRow is the schema of that name.
type AppRow struct {
	Calls       int64      `json:"calls"`
	Created     time.Time  `json:"created"`
	CreatedBy   string     `json:"created_by"`
	Delegated   []string   `json:"delegated,omitzero"`   // Permissions that people may let it have.
	DeviceCode  bool       `json:"device_code,omitzero"` // People may let it in by a code that they type on the console.
	Disabled    bool       `json:"disabled"`
	ID          string     `json:"id"`
	LastRemote  string     `json:"last_remote"`
	LastUsed    *time.Time `json:"last_used"`
	Name        string     `json:"name"`
	Owner       string     `json:"owner"` // Whose own token it is; empty for an application.
	PerMinute   int64      `json:"per_minute"`
	Permissions []string   `json:"permissions"`
	Preset      string     `json:"preset"`             // One of "", "plain", "reference".
	Public      bool       `json:"public,omitzero"`    // It runs at people's own machines and keeps no secret. It stays what it was made as.
	Redirects   []string   `json:"redirects,omitzero"` // Addresses that people may be sent back to, to the byte; of a public one at the loopback, with any port.
	Refused     int64      `json:"refused"`
	Secrets     []AppKey   `json:"secrets"`
	Uses        []RateUse  `json:"uses"`
}

// ApprovalDeviceRow is the schema of that name.
type ApprovalDeviceRow struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Result string `json:"result,omitzero"` // Why it did not work on this device.
}

// ApprovalPolicy is the schema of that name.
type ApprovalPolicy struct {
	Rules []ApprovalRule `json:"rules"`
}

// ApprovalPolicyResult is the schema of that name.
type ApprovalPolicyResult struct {
	Approval ApprovalRow    `json:"approval,omitzero"`
	Policy   ApprovalPolicy `json:"policy"`
}

// ApprovalRow is the schema of that name.
type ApprovalRow struct {
	After     ApprovalPolicy      `json:"after,omitzero"`
	Before    ApprovalPolicy      `json:"before,omitzero"`
	Change    json.RawMessage     `json:"change,omitzero"` // For leave-approval: {before, after} of what is changed; either may be left out.
	Comment   string              `json:"comment"`
	CreatedAt time.Time           `json:"created_at"`
	DecidedAt time.Time           `json:"decided_at,omitzero"`
	Decider   string              `json:"decider,omitzero"`
	Devices   []ApprovalDeviceRow `json:"devices"`
	EndedAt   time.Time           `json:"ended_at,omitzero"`
	ExpiresAt time.Time           `json:"expires_at"`
	ID        string              `json:"id"`
	Kind      string              `json:"kind"` // Id of an action, approval-policy or leave-approval.
	MayDecide bool                `json:"may_decide"`
	Name      string              `json:"name"`
	Note      string              `json:"note,omitzero"`
	Own       bool                `json:"own"`
	Program   bool                `json:"program"`
	Requester string              `json:"requester"`
	Result    string              `json:"result,omitzero"`
	State     string              `json:"state"` // One of "pending", "approved", "running", "done", "failed", "refused", "withdrawn", "expired", "cancelled".
	WhyNot    string              `json:"why_not,omitzero"`
}

// ApprovalRule is the schema of that name.
type ApprovalRule struct {
	Actions    []string `json:"actions"`     // Ids of actions, without all_actions.
	AllActions bool     `json:"all_actions"` // Every action, also those that a later version brings.
	AllDevices bool     `json:"all_devices"`
	Groups     []int64  `json:"groups"` // Ids of device groups, without all_devices; 0 is the devices in none.
	Hours      int64    `json:"hours"`  // How long a request waits.
}

// AskPasskeyInBody is the schema of that name.
type AskPasskeyInBody struct {
	Ticket string `json:"ticket,omitzero"` // Of a first factor; empty: the passkey is the only one.
}

// AuditRow is the schema of that name.
type AuditRow struct {
	Action    string          `json:"action"`
	Actor     string          `json:"actor"`
	ActorID   string          `json:"actor_id"`
	At        time.Time       `json:"at"`
	Detail    json.RawMessage `json:"detail,omitzero"` // What the object was and is, or was to be when it failed, where that is noted: {before, after}.
	Hash      string          `json:"hash"`
	ID        string          `json:"id"`
	Kind      string          `json:"kind"`       // One of "person", "application", "local", "agent", "nobody".
	NotListed int64           `json:"not_listed"` // Requests before this one, refused or repeated by agents, that have no entry of their own.
	Object    string          `json:"object"`
	Outcome   string          `json:"outcome"` // One of "done", "denied", "failed".
	Remote    string          `json:"remote"`
	Request   string          `json:"request"`
	Status    int64           `json:"status"`
}

// AuditWords is the schema of that name.
type AuditWords struct {
	Actions []string `json:"actions"`
	Actors  []string `json:"actors"`
	Remotes []string `json:"remotes"`
}

// CancelExceptionInBody is the schema of that name.
type CancelExceptionInBody struct {
	Groups []int64 `json:"groups,omitzero"` // Only for these of its device groups; left out: whole.
}

// CancelInBody is the schema of that name.
type CancelInBody struct {
	Comment string `json:"comment"` // Why: it is kept with the action.
}

// Ceremony is the schema of that name.
type Ceremony struct {
	Options json.RawMessage `json:"options"` // As PublicKeyCredential.parseCreationOptionsFromJSON or parseRequestOptionsFromJSON takes it.
	Ticket  string          `json:"ticket"`  // To be sent with the answer; good for five minutes.
}

// CheckDeviceRow is the schema of that name.
type CheckDeviceRow struct {
	Group     string    `json:"group"`
	GroupID   int64     `json:"group_id"`
	ID        string    `json:"id"`
	LastSeen  time.Time `json:"last_seen"`
	Mitigated bool      `json:"mitigated"`
	Name      string    `json:"name"`
	OSName    string    `json:"os_name"`
	Reason    string    `json:"reason"`
	State     string    `json:"state"`
}

// CheckEvidence is the schema of that name.
type CheckEvidence struct {
	Expected string `json:"expected"`
	Found    string `json:"found"`
	Holds    bool   `json:"holds"`
	Section  string `json:"section"`
	Setting  string `json:"setting"`
	Source   string `json:"source"`
}

// Child is the schema of that name.
type Child struct {
	Name    string `json:"name"`
	Pid     int64  `json:"pid"`
	Program string `json:"program,omitzero"`
}

// ClosedRow is the schema of that name.
type ClosedRow struct {
	ClosedAt  time.Time `json:"closed_at"`
	Detail    string    `json:"detail"`
	FirstSeen time.Time `json:"first_seen,omitzero"`
	ID        string    `json:"id"`
	Reason    string    `json:"reason"`
	Severity  string    `json:"severity"` // One of "Critical", "High", "Medium", "Low", "None".
	Software  string    `json:"software"`
	Version   string    `json:"version"`
}

// Condition is the schema of that name.
type Condition struct {
	Operator string   `json:"operator"` // How it is compared, without regard to case. Only in takes several values. One of "equals", "starts_with", "ends_with", "contains", "in".
	Property string   `json:"property"` // What of the device is looked at. One of "name", "domain", "tag", "os_platform", "os_version", "ip", "value", "arch", "source".
	Values   []string `json:"values"`   // What it is compared with; for ip: addresses, or prefixes such as 10.1.0.0/16.
}

// Config is the schema of that name.
type Config struct {
	API     string   `json:"api,omitzero"`
	From    string   `json:"from,omitzero"`
	Host    string   `json:"host,omitzero"`
	Issue   string   `json:"issue,omitzero"`
	Labels  []string `json:"labels,omitzero"`
	Port    int64    `json:"port,omitzero"`
	Project string   `json:"project,omitzero"`
	TLS     string   `json:"tls,omitzero"`
	To      []string `json:"to,omitzero"`
	URL     string   `json:"url,omitzero"`
	User    string   `json:"user,omitzero"`
}

// ConfirmInBody is the schema of that name.
type ConfirmInBody struct {
	Code string `json:"code"` // What the app shows.
}

// Connection is the schema of that name.
type Connection struct {
	Local    string `json:"local"`
	Name     string `json:"name,omitzero"`
	Pid      int64  `json:"pid,omitzero"`
	Protocol string `json:"protocol"`
	Remote   string `json:"remote"`
	State    string `json:"state,omitzero"`
}

// Consent is the schema of that name.
type Consent struct {
	Application string         `json:"application"`
	ClientID    string         `json:"client_id"`
	Goes        string         `json:"goes"` // Where the person is sent back to: host or scheme; empty for a device.
	Permissions []ConsentRight `json:"permissions"`
	Refreshes   bool           `json:"refreshes"` // It will get new tokens without asking.
	Remote      string         `json:"remote"`    // Address that a device asked from; else empty.
}

// ConsentInBody is the schema of that name.
type ConsentInBody struct {
	Allow bool   `json:"allow"`
	Ask   string `json:"ask"`
}

// ConsentRight is the schema of that name.
type ConsentRight struct {
	Held bool   `json:"held"` // The person holds it now: else it opens nothing.
	Name string `json:"name"` // As scp names it.
}

// Credentials is the schema of that name.
type Credentials struct {
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	TenantID     string `json:"tenant_id"`
	TokenURL     string `json:"token_url"`
}

// Dashboard is the schema of that name.
type Dashboard struct {
	CheckDays           []EventDay          `json:"check_days"`
	Devices             []TopDevice         `json:"devices"`
	EventDays           []EventDay          `json:"event_days"`
	Exploitable         int64               `json:"exploitable"`
	KEV                 int64               `json:"kev"`
	RecommendationCount int64               `json:"recommendation_count"`
	Recommendations     []RecommendationRow `json:"recommendations"`
	RemediationCount    int64               `json:"remediation_count"`
	Remediations        []TopRemediation    `json:"remediations"`
	Score               ScoreView           `json:"score"`
	Secure              SecureScoreView     `json:"secure"`
	SecureTrend         []SecureTrendPoint  `json:"secure_trend"`
	Software            []TopSoftware       `json:"software"`
	TopEvents           []EventRow          `json:"top_events"`
	Trend               []TrendPoint        `json:"trend"`
	Weaknesses          int64               `json:"weaknesses"`
}

// DecideDeviceInBody is the schema of that name.
type DecideDeviceInBody struct {
	Allow bool   `json:"allow"`
	Code  string `json:"code"`
}

// DecideInBody is the schema of that name.
type DecideInBody struct {
	Note string `json:"note,omitzero"` // For whoever asked.
}

// DepartInBody is the schema of that name.
type DepartInBody struct {
	Next string `json:"next,omitzero"` // Path of the console to go to afterwards.
}

// DepartOutBody is the schema of that name.
type DepartOutBody struct {
	Address string `json:"address"` // Of the identity provider; the browser goes there.
}

// DestinationBody is the schema of that name.
type DestinationBody struct {
	Config  Config `json:"config"`
	Enabled bool   `json:"enabled"`
	Kind    string `json:"kind"` // One of "webhook", "email", "jira", "github", "servicenow".
	Name    string `json:"name"`
	Secret  string `json:"secret,omitzero"` // Key, token or password; never told again. Empty keeps the one that is there.
}

// DestinationRow is the schema of that name.
type DestinationRow struct {
	Config    Config    `json:"config"`
	Dead      int64     `json:"dead"`
	Enabled   bool      `json:"enabled"`
	Failing   int64     `json:"failing"`
	HasSecret bool      `json:"has_secret"`
	ID        string    `json:"id"`
	Kind      string    `json:"kind"`
	Name      string    `json:"name"`
	Pending   int64     `json:"pending"`
	Sent      int64     `json:"sent"`
	UpdatedAt time.Time `json:"updated_at"`
	UpdatedBy string    `json:"updated_by"`
}

// Detection is the schema of that name.
type Detection struct {
	Path      string `json:"path"`
	Sha256    string `json:"sha256,omitzero"`
	Signature string `json:"signature"`
}

// DetectionLogic is the schema of that name.
type DetectionLogic struct {
	Advisory  string      `json:"advisory"`
	Announced []string    `json:"announced"`
	Evidence  []Evidence  `json:"evidence"`
	Exposed   bool        `json:"exposed"`
	Feed      string      `json:"feed"`
	FeedDate  time.Time   `json:"feed_date,omitzero"`
	FirstSeen time.Time   `json:"first_seen"`
	Note      string      `json:"note"`
	Role      string      `json:"role"` // One of "", "kernel-running", "kernel-latent", "kernel-tools", "in-memory".
	Rule      string      `json:"rule"`
	Software  SoftwareRef `json:"software"`
	State     string      `json:"state"` // One of "fixed", "open", "no-dsa", "postponed", "ignored", "end-of-life", "affected", "not-affected", "unimportant", "undetermined", "latent-kernel", "kernel-tools", "restart-needed".
	Urgency   string      `json:"urgency"`
	URL       string      `json:"url"`
}

// Device is the schema of that name.
type Device struct {
	AgentVersion      string           `json:"agent_version"`
	Alerts            int64            `json:"alerts"`
	Arch              string           `json:"arch"`
	CloneOf           string           `json:"clone_of,omitzero"`
	Clones            []string         `json:"clones"`
	Connected         bool             `json:"connected"`
	Domain            string           `json:"domain"`
	Dropped           int64            `json:"dropped"`
	Exclusion         *Exclusion       `json:"exclusion"`
	Exploitable       int64            `json:"exploitable"`
	Exposure          string           `json:"exposure"`
	FirstSeen         time.Time        `json:"first_seen"`
	Fixable           int64            `json:"fixable"`
	FQDN              string           `json:"fqdn"`
	GapList           []Gap            `json:"gap_list"`
	Gaps              int64            `json:"gaps"`
	Group             string           `json:"group"`
	GroupID           int64            `json:"group_id"`
	Hardware          HardwareFact     `json:"hardware"`
	Health            string           `json:"health"`
	ID                string           `json:"id"`
	Interfaces        []Interface      `json:"interfaces"`
	InternetFacing    string           `json:"internet_facing"` // One of "yes", "not_assessed".
	InternetFacingWhy string           `json:"internet_facing_why"`
	IP                string           `json:"ip"`
	Isolated          bool             `json:"isolated"`
	Isolation         *IsolationView   `json:"isolation"`
	Kernel            KernelFact       `json:"kernel"`
	KEV               int64            `json:"kev"`
	LastSeen          time.Time        `json:"last_seen"`
	Logons            []Logon          `json:"logons"`
	MAC               string           `json:"mac"`
	ManagedBy         string           `json:"managed_by"` // One of "picket", "osquery", "nothing".
	Name              string           `json:"name"`
	NoData            string           `json:"no_data"`
	NotAssessed       int64            `json:"not_assessed"`
	OSLife            string           `json:"os_life"`
	OSName            string           `json:"os_name"`
	OSPlatform        string           `json:"os_platform"`
	OSSupport         *EndOfLife       `json:"os_support"`
	OSUntil           string           `json:"os_until"`
	OSVersion         string           `json:"os_version"`
	Restart           []RestartNeed    `json:"restart"`
	Risk              string           `json:"risk"` // One of "None", "Informational", "Low", "Medium", "High".
	SBOM              *SBOMView        `json:"sbom"`
	Score             float64          `json:"score"`
	Sections          []SectionRow     `json:"sections"`
	SecurityUpdates   int64            `json:"security_updates"`
	Severity          SeverityCount    `json:"severity"`
	Software          int64            `json:"software"`
	Source            string           `json:"source"` // One of "agent", "osquery", "simulated", "sbom".
	States            map[string]int64 `json:"states"`
	TagList           []DeviceTag      `json:"tag_list"`
	Tags              []string         `json:"tags"`
	TopWeaknesses     []DeviceVulnRow  `json:"top_weaknesses"`
	Updates           int64            `json:"updates"`
	UserImpact        string           `json:"user_impact,omitzero"` // One of "none", "expected", "not_assessed".
	UserImpactReason  string           `json:"user_impact_reason,omitzero"`
	Users             []User           `json:"users"`
	Value             string           `json:"value"`
	Weaknesses        int64            `json:"weaknesses"`
}

// DeviceActionKind is the schema of that name.
type DeviceActionKind struct {
	Active   string `json:"active,omitzero"` // Id of the action of this kind that is pending or in progress.
	Approval bool   `json:"approval"`
	Can      bool   `json:"can"`
	Effect   string `json:"effect"` // look: the agent looks again at what it reports anyway; read: something else is fetched; change: the device is changed; run: a program runs. One of "look", "read", "change", "run".
	ID       string `json:"id"`
	May      bool   `json:"may"` // The caller holds the permission for it.
	Name     string `json:"name"`
	WhyNot   string `json:"why_not,omitzero"`
}

// DeviceCheckRow is the schema of that name.
type DeviceCheckRow struct {
	Category    string          `json:"category"`
	Check       string          `json:"check"`
	Evidence    []CheckEvidence `json:"evidence"`
	ID          string          `json:"id"`
	Impact      int64           `json:"impact"`
	Name        string          `json:"name"`
	Reason      string          `json:"reason"`
	State       string          `json:"state"`
	Subcategory string          `json:"subcategory"`
}

// DeviceGroup is the schema of that name.
type DeviceGroup struct {
	Description string    `json:"description"`
	Devices     int64     `json:"devices"`
	ID          int64     `json:"id"`
	Name        string    `json:"name"`
	Rank        int64     `json:"rank"`
	Rules       []Rule    `json:"rules"`
	Score       ScoreView `json:"score"`
	UserGroups  []int64   `json:"user_groups"`
}

// DeviceHealth is the schema of that name.
type DeviceHealth struct {
	Antivirus    string         `json:"antivirus"`
	AsOf         time.Time      `json:"as_of"`
	Days         int64          `json:"days"`
	Detections   int64          `json:"detections"`
	Engine       string         `json:"engine"`
	FullScan     *ScanFact      `json:"full_scan"`
	OtherScan    *ScanFact      `json:"other_scan"`
	QuickScan    *ScanFact      `json:"quick_scan"`
	Sensor       string         `json:"sensor"`
	SensorSince  time.Time      `json:"sensor_since,omitzero"`
	Signatures   int64          `json:"signatures"`
	SignaturesAt time.Time      `json:"signatures_at,omitzero"`
	Sources      []SensorSource `json:"sources"`
	State        string         `json:"state"` // One of "no_sensor", "no_antivirus", "signatures_old", "scan_failed", "signatures_unknown", "never_scanned", "ok".
}

// DeviceRecommendationRow is the schema of that name.
type DeviceRecommendationRow struct {
	Component   string        `json:"component"`
	Exception   bool          `json:"exception"`
	ID          string        `json:"id"`
	Impact      float64       `json:"impact"`
	Name        string        `json:"name"`
	Points      int64         `json:"points"`
	ProductCode string        `json:"product_code"`
	ProductID   string        `json:"product_id"`
	Severity    SeverityCount `json:"severity"`
	Share       float64       `json:"share"`
	Status      string        `json:"status"`
	Tags        []string      `json:"tags"`
	Threats     Threats       `json:"threats"`
	Type        string        `json:"type"`
	Vendor      string        `json:"vendor"`
	Version     string        `json:"version"`
	Weaknesses  int64         `json:"weaknesses"`
}

// DeviceRemoval is the schema of that name.
type DeviceRemoval struct {
	Closed       int64    `json:"closed"`
	Exceptions   int64    `json:"exceptions"`
	Group        string   `json:"group"`
	ID           string   `json:"id"`
	Name         string   `json:"name"`
	Refused      string   `json:"refused"`
	Remediations int64    `json:"remediations"`
	Software     int64    `json:"software"`
	Subject      string   `json:"subject"`
	Tags         []string `json:"tags"`
	Weaknesses   int64    `json:"weaknesses"`
}

// DeviceRow is the schema of that name.
type DeviceRow struct {
	Alerts            int64         `json:"alerts"`
	Arch              string        `json:"arch"`
	CloneOf           string        `json:"clone_of,omitzero"`
	Connected         bool          `json:"connected"`
	Domain            string        `json:"domain"`
	Exclusion         *Exclusion    `json:"exclusion"`
	Exploitable       int64         `json:"exploitable"`
	Exposure          string        `json:"exposure"`
	FirstSeen         time.Time     `json:"first_seen"`
	Fixable           int64         `json:"fixable"`
	Gaps              int64         `json:"gaps"`
	Group             string        `json:"group"`
	GroupID           int64         `json:"group_id"`
	Health            string        `json:"health"`
	ID                string        `json:"id"`
	InternetFacing    string        `json:"internet_facing"` // One of "yes", "not_assessed".
	InternetFacingWhy string        `json:"internet_facing_why"`
	IP                string        `json:"ip"`
	Isolated          bool          `json:"isolated"`
	KEV               int64         `json:"kev"`
	LastSeen          time.Time     `json:"last_seen"`
	MAC               string        `json:"mac"`
	ManagedBy         string        `json:"managed_by"` // One of "picket", "osquery", "nothing".
	Name              string        `json:"name"`
	NoData            string        `json:"no_data"`
	OSLife            string        `json:"os_life"`
	OSName            string        `json:"os_name"`
	OSPlatform        string        `json:"os_platform"`
	OSUntil           string        `json:"os_until"`
	OSVersion         string        `json:"os_version"`
	Risk              string        `json:"risk"` // One of "None", "Informational", "Low", "Medium", "High".
	Score             float64       `json:"score"`
	Severity          SeverityCount `json:"severity"`
	Software          int64         `json:"software"`
	Source            string        `json:"source"` // One of "agent", "osquery", "simulated", "sbom".
	Tags              []string      `json:"tags"`
	UserImpact        string        `json:"user_impact,omitzero"` // One of "none", "expected", "not_assessed".
	UserImpactReason  string        `json:"user_impact_reason,omitzero"`
	Value             string        `json:"value"`
	Weaknesses        int64         `json:"weaknesses"`
}

// DeviceScore is the schema of that name.
type DeviceScore struct {
	Counted   bool        `json:"counted"`
	Level     string      `json:"level"`
	Points    int64       `json:"points"`
	RestUnits string      `json:"rest_units"`
	Score     float64     `json:"score"`
	TermCount int64       `json:"term_count"`
	Terms     []ScoreTerm `json:"terms"`
	Units     string      `json:"units"`
	Value     string      `json:"value"`
	Version   int64       `json:"version"`
	Weight    float64     `json:"weight"`
}

// DeviceSoftware is the schema of that name.
type DeviceSoftware struct {
	Ecosystem      string          `json:"ecosystem"`
	EOL            *EndOfLife      `json:"eol"`
	FirstFound     time.Time       `json:"first_found"`
	ID             string          `json:"id"`
	LastFound      time.Time       `json:"last_found"`
	Name           string          `json:"name"`
	NotAssessed    string          `json:"not_assessed"`
	Packages       []PackageRow    `json:"packages"`
	ProductCode    string          `json:"product_code"`
	Severity       SeverityCount   `json:"severity"`
	Tags           []string        `json:"tags"`
	Threats        Threats         `json:"threats"`
	Update         string          `json:"update"`
	UpdateSecurity bool            `json:"update_security"`
	Vendor         string          `json:"vendor"`
	Version        string          `json:"version"`
	Versions       []string        `json:"versions"`
	Weak           []DeviceVulnRow `json:"weak"`
	Weaknesses     int64           `json:"weaknesses"`
}

// DeviceSoftwareRow is the schema of that name.
type DeviceSoftwareRow struct {
	Ecosystem      string        `json:"ecosystem"`
	FirstFound     time.Time     `json:"first_found"`
	ID             string        `json:"id"`
	LastFound      time.Time     `json:"last_found"`
	Name           string        `json:"name"`
	NotAssessed    string        `json:"not_assessed"`
	ProductCode    string        `json:"product_code"`
	Severity       SeverityCount `json:"severity"`
	Tags           []string      `json:"tags"`
	Threats        Threats       `json:"threats"`
	Update         string        `json:"update"`
	UpdateSecurity bool          `json:"update_security"`
	Vendor         string        `json:"vendor"`
	Version        string        `json:"version"`
	Versions       []string      `json:"versions"`
	Weaknesses     int64         `json:"weaknesses"`
}

// DeviceTag is the schema of that name.
type DeviceTag struct {
	Kinds []string `json:"kinds"`
	Tag   string   `json:"tag"`
}

// DeviceValueInBody is the schema of that name.
type DeviceValueInBody struct {
	Value string `json:"value"` // What the device is worth to the organisation. One of "Low", "Normal", "High".
}

// DeviceVuln is the schema of that name.
type DeviceVuln struct {
	CVSS        float64          `json:"cvss"`
	CVSSVersion string           `json:"cvss_version"`
	EPSS        float64          `json:"epss"`
	Exception   bool             `json:"exception"`
	Exposed     bool             `json:"exposed"`
	FirstSeen   time.Time        `json:"first_seen"`
	FixVersion  string           `json:"fix_version"`
	ID          string           `json:"id"`
	Logic       []DetectionLogic `json:"logic"`
	Published   time.Time        `json:"published,omitzero"`
	Severity    string           `json:"severity"` // One of "Critical", "High", "Medium", "Low", "None".
	Software    []SoftwareRef    `json:"software"`
	State       string           `json:"state"` // One of "fixed", "open", "no-dsa", "postponed", "ignored", "end-of-life", "affected", "not-affected", "unimportant", "undetermined", "latent-kernel", "kernel-tools", "restart-needed".
	Threats     Threats          `json:"threats"`
	Title       string           `json:"title"`
	Updated     time.Time        `json:"updated,omitzero"`
	Weakness    Weakness         `json:"weakness"`
}

// DeviceVulnRow is the schema of that name.
type DeviceVulnRow struct {
	CVSS        float64       `json:"cvss"`
	CVSSVersion string        `json:"cvss_version"`
	EPSS        float64       `json:"epss"`
	Exception   bool          `json:"exception"`
	Exposed     bool          `json:"exposed"`
	FirstSeen   time.Time     `json:"first_seen"`
	FixVersion  string        `json:"fix_version"`
	ID          string        `json:"id"`
	Published   time.Time     `json:"published,omitzero"`
	Severity    string        `json:"severity"` // One of "Critical", "High", "Medium", "Low", "None".
	Software    []SoftwareRef `json:"software"`
	State       string        `json:"state"` // One of "fixed", "open", "no-dsa", "postponed", "ignored", "end-of-life", "affected", "not-affected", "unimportant", "undetermined", "latent-kernel", "kernel-tools", "restart-needed".
	Threats     Threats       `json:"threats"`
	Title       string        `json:"title"`
	Updated     time.Time     `json:"updated,omitzero"`
}

// DeviceWeights is the schema of that name.
type DeviceWeights struct {
	High   float64 `json:"high"`   // Weight of a device of high value, not below that of a normal one; 0: automatic, a tenth of the number of devices, at least 1 and at most 10.
	Low    float64 `json:"low"`    // Weight of a device of low value, a multiple of 0.025.
	Normal float64 `json:"normal"` // Weight of a device of normal value, not below that of a low one.
}

// DeviceWeightsView is the schema of that name.
type DeviceWeightsView struct {
	AsOf    time.Time     `json:"as_of"`
	Default DeviceWeights `json:"default"`
	Devices ValueCount    `json:"devices"`
	High    float64       `json:"high"` // Weight of a device of high value, not below that of a normal one; 0: automatic, a tenth of the number of devices, at least 1 and at most 10.
	HighNow float64       `json:"high_now"`
	Low     float64       `json:"low"`    // Weight of a device of low value, a multiple of 0.025.
	Normal  float64       `json:"normal"` // Weight of a device of normal value, not below that of a low one.
}

// DevicesActionInBody is the schema of that name.
type DevicesActionInBody struct {
	Comment    string    `json:"comment"`              // Why: for whoever has to approve it, for the device's history and the audit log.
	Devices    []string  `json:"devices"`              // Ids of devices.
	ExternalID string    `json:"external_id,omitzero"` // Free id, shown as it is.
	Kind       string    `json:"kind"`                 // One of "collect", "scan", "isolate", "release", "investigate".
	Scope      string    `json:"scope,omitzero"`       // Of a scan; an isolation is always full. One of "Quick", "Full", "".
	Until      time.Time `json:"until,omitzero"`       // When an isolation ends by itself; left out: it does not.
}

// DraftPlanInBody is the schema of that name.
type DraftPlanInBody struct {
	Exclude         []string `json:"exclude,omitzero"`         // Ids of recommendations that may not be taken.
	MaxDevices      int64    `json:"max_devices,omitzero"`     // Most devices that are touched.
	MaxRestarts     int64    `json:"max_restarts,omitzero"`    // Most devices that restart for certain.
	Recommendations []string `json:"recommendations,omitzero"` // Exactly what to do, in place of a search.
	Search          string   `json:"search,omitzero"`          // A name of your choice under which /plan-searches says how far the search is, while it runs.
	Target          float64  `json:"target"`                   // The score is to be below it; thousandths count.
	Types           []string `json:"types,omitzero"`           // Types of recommendations that may be taken; none: Update, Restart and ConfigurationChange.
}

// EditRemediationInBody is the schema of that name.
type EditRemediationInBody struct {
	Due      string `json:"due,omitzero"`
	Notes    string `json:"notes,omitzero"`
	Priority string `json:"priority"` // One of "High", "Medium", "Low".
}

// EndOfLife is the schema of that name.
type EndOfLife struct {
	Cycle    string `json:"cycle"`
	Date     string `json:"date"`
	Ended    bool   `json:"ended"`
	Extended string `json:"extended"`
	Latest   string `json:"latest"`
	Product  string `json:"product"`
	Regular  string `json:"regular"`
	Tag      string `json:"tag"`
}

// Entity is the schema of that name.
type Entity struct {
	Detail string `json:"detail,omitzero"`
	ID     string `json:"id,omitzero"`
	Kind   string `json:"kind"` // One of "process", "file", "ip", "url", "user", "service", "task", "package".
	Name   string `json:"name"`
}

// EntityDevice is the schema of that name.
type EntityDevice struct {
	Events     int64     `json:"events"`
	Exposure   string    `json:"exposure"`
	First      time.Time `json:"first"`
	Group      string    `json:"group"`
	Health     string    `json:"health"`
	ID         string    `json:"id"`
	Last       time.Time `json:"last"`
	Name       string    `json:"name"`
	Names      []string  `json:"names"`
	OSName     string    `json:"os_name"`
	OSPlatform string    `json:"os_platform"`
}

// EntityEvent is the schema of that name.
type EntityEvent struct {
	Action     string                     `json:"action"`
	Alerts     []AlertRef                 `json:"alerts"`
	DeviceID   string                     `json:"device_id"`
	DeviceName string                     `json:"device_name"`
	Entities   []Entity                   `json:"entities"`
	Fields     map[string]json.RawMessage `json:"fields"`
	Flagged    bool                       `json:"flagged"`
	Group      string                     `json:"group"`
	HostTime   time.Time                  `json:"host_time"`
	ID         string                     `json:"id"`
	Info       []string                   `json:"info"`
	Kind       string                     `json:"kind"`
	Received   time.Time                  `json:"received"`
	Seq        int64                      `json:"seq"`
	Table      string                     `json:"table"`
	Techniques []Technique                `json:"techniques"`
	Time       time.Time                  `json:"time"`
	Title      string                     `json:"title"`
	User       string                     `json:"user"`
}

// EntityEvents is the schema of that name.
type EntityEvents struct {
	AsOf    time.Time     `json:"as_of"`
	Damaged int64         `json:"damaged"`
	Items   []EntityEvent `json:"items"`
}

// EntityFact is the schema of that name.
type EntityFact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// EntityFileFacts is the schema of that name.
type EntityFileFacts struct {
	Md5    string `json:"md5"`
	Path   string `json:"path"`
	Sha1   string `json:"sha1"`
	Sha256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

// EntityName is the schema of that name.
type EntityName struct {
	Devices int64  `json:"devices"`
	Events  int64  `json:"events"`
	Name    string `json:"name"`
}

// EntityView is the schema of that name.
type EntityView struct {
	AsOf     time.Time       `json:"as_of"`
	Damaged  int64           `json:"damaged"`
	Days     int64           `json:"days"`
	Devices  int64           `json:"devices"`
	Events   int64           `json:"events"`
	File     EntityFileFacts `json:"file,omitzero"`
	First    time.Time       `json:"first,omitzero"`
	ID       string          `json:"id"`
	Kind     string          `json:"kind"` // One of "file", "ip", "domain", "user".
	Last     time.Time       `json:"last,omitzero"`
	Name     string          `json:"name"`
	Names    []EntityName    `json:"names"`
	Sort     string          `json:"sort,omitzero"`
	Unlisted int64           `json:"unlisted"`
}

// ErrorDetail is the schema of that name.
type ErrorDetail struct {
	Location string          `json:"location,omitzero"` // Where the error occurred, e.g. 'body.items[3].tags' or 'path.thing-id'
	Message  string          `json:"message,omitzero"`  // Error message text
	Value    json.RawMessage `json:"value,omitzero"`    // The value at the given location
}

// ErrorModel is the schema of that name.
type ErrorModel struct {
	Detail   string        `json:"detail,omitzero"`   // A human-readable explanation specific to this occurrence of the problem.
	Errors   []ErrorDetail `json:"errors,omitzero"`   // Optional list of individual error details
	Instance string        `json:"instance,omitzero"` // A URI reference that identifies the specific occurrence of the problem.
	Status   int64         `json:"status,omitzero"`   // HTTP status code
	Title    string        `json:"title,omitzero"`    // A short, human-readable summary of the problem type. This value should not change between occurrences of the error.
	Type     string        `json:"type,omitzero"`     // A URI reference to human-readable documentation for the error.
}

// EventCounts is the schema of that name.
type EventCounts struct {
	AsOf            time.Time `json:"as_of"`
	Events          int64     `json:"events"`
	Exploitable     int64     `json:"exploitable"`
	Vulnerabilities int64     `json:"vulnerabilities"`
}

// EventDay is the schema of that name.
type EventDay struct {
	At     time.Time  `json:"at"`
	Day    string     `json:"day"`
	Events []EventRow `json:"events"`
	Total  int64      `json:"total"`
}

// EventDetail is the schema of that name.
type EventDetail struct {
	AsOf             time.Time `json:"as_of"`
	At               time.Time `json:"at"`
	Check            string    `json:"check"`
	Component        string    `json:"component"`
	Counted          int64     `json:"counted"`
	Current          int64     `json:"current"`
	CurrentOf        int64     `json:"current_of"`
	CurrentShare     float64   `json:"current_share"`
	Detail           string    `json:"detail"`
	ID               string    `json:"id"`
	Impacted         int64     `json:"impacted"`
	Kind             string    `json:"kind"` // One of "NewVulnerability", "NewPublicExploit", "ExploitVerified", "ExploitInKit", "AddedToKEV", "FixPublished", "SupportEnded", "NewConfigurationAssessment", "ExceptionExpired", "ExceptionResurfaced", "FirstAssessment".
	Link             string    `json:"link"`
	ProductID        string    `json:"product_id"`
	RecommendationID string    `json:"recommendation_id"`
	Score            ScoreStep `json:"score"`
	Severity         string    `json:"severity"` // One of "Critical", "High", "Medium", "Low", "None".
	Share            float64   `json:"share"`
	Threats          Threats   `json:"threats"`
	Title            string    `json:"title"`
	Vendor           string    `json:"vendor"`
	WeaknessIDs      []string  `json:"weakness_ids"`
	Weaknesses       int64     `json:"weaknesses"`
}

// EventRow is the schema of that name.
type EventRow struct {
	At               time.Time `json:"at"`
	Check            string    `json:"check"`
	Component        string    `json:"component"`
	Counted          int64     `json:"counted"`
	Current          int64     `json:"current"`
	CurrentOf        int64     `json:"current_of"`
	CurrentShare     float64   `json:"current_share"`
	Detail           string    `json:"detail"`
	ID               string    `json:"id"`
	Impacted         int64     `json:"impacted"`
	Kind             string    `json:"kind"` // One of "NewVulnerability", "NewPublicExploit", "ExploitVerified", "ExploitInKit", "AddedToKEV", "FixPublished", "SupportEnded", "NewConfigurationAssessment", "ExceptionExpired", "ExceptionResurfaced", "FirstAssessment".
	Link             string    `json:"link"`
	ProductID        string    `json:"product_id"`
	RecommendationID string    `json:"recommendation_id"`
	Score            ScoreStep `json:"score"`
	Severity         string    `json:"severity"` // One of "Critical", "High", "Medium", "Low", "None".
	Share            float64   `json:"share"`
	Threats          Threats   `json:"threats"`
	Title            string    `json:"title"`
	Vendor           string    `json:"vendor"`
	Weaknesses       int64     `json:"weaknesses"`
}

// Evidence is the schema of that name.
type Evidence struct {
	Arch      string    `json:"arch,omitzero"`
	Item      string    `json:"item"`
	Package   string    `json:"package"`
	Paths     []string  `json:"paths,omitzero"`
	Processes []Process `json:"processes,omitzero"`
	Residual  bool      `json:"residual,omitzero"`
	Section   string    `json:"section"` // One of "os", "kernel", "hardware", "interfaces", "dpkg", "rpm", "apk", "snap", "flatpak", "python", "npm", "ruby", "golang", "java", "updates", "restart", "sysctl", "boot", "mounts", "accounts", "auth", "sshd", "services", "files", "audit", "firewall", "system", "apps".
	Version   string    `json:"version"`
}

// ExceptionDetail is the schema of that name.
type ExceptionDetail struct {
	AsOf           time.Time         `json:"as_of"`
	Context        string            `json:"context"`
	CreatedAt      time.Time         `json:"created_at"`
	CreatedBy      string            `json:"created_by"`
	Devices        int64             `json:"devices"`
	Document       string            `json:"document"`
	EndedAt        *time.Time        `json:"ended_at"`
	EndedBy        string            `json:"ended_by"`
	ExpiresAt      *time.Time        `json:"expires_at"`
	Exposed        int64             `json:"exposed"`
	GroupIDs       []int64           `json:"group_ids"`
	Groups         int64             `json:"groups"`
	History        []ExceptionEvent  `json:"history"`
	ID             string            `json:"id"`
	In             []ExceptionTarget `json:"in"`
	Justification  string            `json:"justification"`
	Keep           bool              `json:"keep"`
	Kind           string            `json:"kind"`
	LowersScore    bool              `json:"lowers_score"`
	Name           string            `json:"name"`
	Package        string            `json:"package"`
	Path           string            `json:"path"`
	Product        string            `json:"product"`
	Recommendation string            `json:"recommendation"`
	Scope          string            `json:"scope"`
	Source         ExceptionSource   `json:"source"`
	Status         string            `json:"status"`
	VersionFrom    string            `json:"version_from"`
	VersionTo      string            `json:"version_to"`
	Weakness       string            `json:"weakness"`
	Why            string            `json:"why"`
}

// ExceptionEvent is the schema of that name.
type ExceptionEvent struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Detail string    `json:"detail"`
	Type   string    `json:"type"`
}

// ExceptionRow is the schema of that name.
type ExceptionRow struct {
	Context        string          `json:"context"`
	CreatedAt      time.Time       `json:"created_at"`
	CreatedBy      string          `json:"created_by"`
	Devices        int64           `json:"devices"`
	Document       string          `json:"document"`
	EndedAt        *time.Time      `json:"ended_at"`
	EndedBy        string          `json:"ended_by"`
	ExpiresAt      *time.Time      `json:"expires_at"`
	Exposed        int64           `json:"exposed"`
	GroupIDs       []int64         `json:"group_ids"`
	Groups         int64           `json:"groups"`
	ID             string          `json:"id"`
	Justification  string          `json:"justification"`
	Keep           bool            `json:"keep"`
	Kind           string          `json:"kind"`
	LowersScore    bool            `json:"lowers_score"`
	Name           string          `json:"name"`
	Package        string          `json:"package"`
	Path           string          `json:"path"`
	Product        string          `json:"product"`
	Recommendation string          `json:"recommendation"`
	Scope          string          `json:"scope"`
	Source         ExceptionSource `json:"source"`
	Status         string          `json:"status"`
	VersionFrom    string          `json:"version_from"`
	VersionTo      string          `json:"version_to"`
	Weakness       string          `json:"weakness"`
	Why            string          `json:"why"`
}

// ExceptionSource is the schema of that name.
type ExceptionSource struct {
	Author string `json:"author"`
	Hash   string `json:"hash"`
	ID     string `json:"id"`
	Kind   string `json:"kind"`
}

// ExceptionTarget is the schema of that name.
type ExceptionTarget struct {
	Device  string     `json:"device"`
	EndedAt *time.Time `json:"ended_at"`
	EndedBy string     `json:"ended_by"`
	Exposed int64      `json:"exposed"`
	Group   *int64     `json:"group"`
	Name    string     `json:"name"`
	Status  string     `json:"status"`
}

// Exclusion is the schema of that name.
type Exclusion struct {
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Comment string    `json:"comment"`
	Reason  string    `json:"reason"` // One of "inactive", "duplicate", "not-there", "out-of-scope", "other".
}

// ExclusionInBody is the schema of that name.
type ExclusionInBody struct {
	Comment string `json:"comment,omitzero"` // Needed with other.
	Reason  string `json:"reason"`           // Why the device is taken out of scores and lists. One of "inactive", "duplicate", "not-there", "out-of-scope", "other".
}

// Factors is the schema of that name.
type Factors struct {
	AskPassword  bool         `json:"ask_password"` // The password is asked for before factors are changed, because this session is older than 15 minutes.
	Code         bool         `json:"code"`         // One-time codes of an authenticator app are set up.
	CodeAt       time.Time    `json:"code_at,omitzero"`
	Passkeys     []PasskeyRow `json:"passkeys"`
	RecoveryLeft int64        `json:"recovery_left"` // Recovery codes that were not used yet.
	Required     bool         `json:"required"`      // The policy asks this account for a second factor.
}

// FeedRow is the schema of that name.
type FeedRow struct {
	AgeDays    int64      `json:"age_days"`
	DataDate   time.Time  `json:"data_date,omitzero"`
	Demo       bool       `json:"demo"`
	Licence    string     `json:"licence"`
	LoadedAt   time.Time  `json:"loaded_at"`
	MaxAgeDays int64      `json:"max_age_days"`
	Name       string     `json:"name"`
	Records    int64      `json:"records"`
	Skipped    int64      `json:"skipped"`
	Skips      []FeedSkip `json:"skips"`
	Source     string     `json:"source"`
	Stale      bool       `json:"stale"`
	Title      string     `json:"title"`
}

// FeedSkip is the schema of that name.
type FeedSkip struct {
	Count  int64  `json:"count"`
	Reason string `json:"reason"`
	Sample string `json:"sample"`
}

// FileFacts is the schema of that name.
type FileFacts struct {
	Changed    time.Time `json:"changed,omitzero"`
	Config     bool      `json:"config,omitzero"`
	Gone       bool      `json:"gone,omitzero"`
	Integrity  string    `json:"integrity,omitzero"` // How it stands to the checksum that the host's package database has; left out: no package has it. One of "same", "different", "unknown", "".
	Mode       string    `json:"mode,omitzero"`
	NoPackage  string    `json:"no_package,omitzero"`
	NotScanned string    `json:"not_scanned,omitzero"`
	Owner      string    `json:"owner,omitzero"`
	Package    string    `json:"package,omitzero"`
	Path       string    `json:"path"`
	Scanned    bool      `json:"scanned,omitzero"`
	Sha256     string    `json:"sha256,omitzero"`
	Signature  string    `json:"signature,omitzero"`
	Size       int64     `json:"size,omitzero"`
	Target     string    `json:"target,omitzero"`
	Trouble    string    `json:"trouble,omitzero"`
}

// FixRow is the schema of that name.
type FixRow struct {
	Devices  int64  `json:"devices"`
	Package  string `json:"package"`
	Place    string `json:"place"`
	Version  string `json:"version"`
	Versions int64  `json:"versions"`
}

// FlagInBody is the schema of that name.
type FlagInBody struct {
	Flagged bool `json:"flagged"`
}

// FlagMark is the schema of that name.
type FlagMark struct {
	ID   string    `json:"id"`
	Time time.Time `json:"time"`
}

// FormDestination is the schema of that name.
type FormDestination struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
	Name string `json:"name"`
}

// FormGroup is the schema of that name.
type FormGroup struct {
	Exposed   int64  `json:"exposed"`
	ID        int64  `json:"id"`
	Name      string `json:"name"`
	Unnoticed int64  `json:"unnoticed"`
}

// ForwardConfig is the schema of that name.
type ForwardConfig struct {
	CA   string `json:"ca,omitzero"`   // Certificates (PEM) that vouch for a syslog receiver; empty: the system's.
	Host string `json:"host,omitzero"` // Of a syslog receiver.
	Port int64  `json:"port,omitzero"` // Of a syslog receiver; 0 is 6514 with TLS, else 601.
	TLS  bool   `json:"tls,omitzero"`  // Syslog over TLS.
	URL  string `json:"url,omitzero"`  // Of a webhook.
}

// ForwardInput is the schema of that name.
type ForwardInput struct {
	Classes []string      `json:"classes"` // exposure: the event timeline; audit: the audit log.
	Config  ForwardConfig `json:"config"`
	Enabled bool          `json:"enabled"`
	Kind    string        `json:"kind"` // One of "webhook", "syslog".
	Name    string        `json:"name"`
	Secret  string        `json:"secret,omitzero"` // Signing key of a webhook; empty: as it was.
}

// ForwardRow is the schema of that name.
type ForwardRow struct {
	Attempts  int64         `json:"attempts"` // That failed since the last success.
	Classes   []string      `json:"classes"`
	Config    ForwardConfig `json:"config"`
	Dropped   int64         `json:"dropped"` // Events that it never got, because too many waited or they were too old.
	Enabled   bool          `json:"enabled"`
	Error     string        `json:"error"`
	HasSecret bool          `json:"has_secret"`
	ID        string        `json:"id"`
	Kind      string        `json:"kind"` // One of "webhook", "syslog".
	LastSent  *time.Time    `json:"last_sent"`
	Mend      string        `json:"mend"`
	Name      string        `json:"name"`
	NextAt    *time.Time    `json:"next_at"`
	Sent      int64         `json:"sent"`
	UpdatedAt time.Time     `json:"updated_at"`
	UpdatedBy string        `json:"updated_by"`
	Waiting   int64         `json:"waiting"`
}

// Gap is the schema of that name.
type Gap struct {
	Section string `json:"section,omitzero"` // One of "os", "kernel", "hardware", "interfaces", "dpkg", "rpm", "apk", "snap", "flatpak", "python", "npm", "ruby", "golang", "java", "updates", "restart", "sysctl", "boot", "mounts", "accounts", "auth", "sshd", "services", "files", "audit", "firewall", "system", "apps".
	What    string `json:"what"`
	Why     string `json:"why"`
}

// GrantRow is the schema of that name.
type GrantRow struct {
	Application string    `json:"application"`
	ClientID    string    `json:"client_id"`
	Created     time.Time `json:"created"`
	Expires     time.Time `json:"expires"`
	ID          string    `json:"id"`
	Permissions []string  `json:"permissions"` // As scp names them.
	Person      string    `json:"person"`
	Refreshes   bool      `json:"refreshes"` // It gets new tokens without asking.
	Remote      string    `json:"remote"`    // Address that the application asked from.
	Used        time.Time `json:"used"`      // When it got its last token.
	Way         string    `json:"way"`       // One of "code", "device".
}

// GraphEdge is the schema of that name.
type GraphEdge struct {
	From  string `json:"from"`
	Label string `json:"label"`
	To    string `json:"to"`
}

// GraphNode is the schema of that name.
type GraphNode struct {
	DeviceID string       `json:"device_id,omitzero"`
	Event    string       `json:"event,omitzero"`
	Facts    []EntityFact `json:"facts"`
	Focus    bool         `json:"focus"`
	ID       string       `json:"id"`
	Kind     string       `json:"kind"`
	Name     string       `json:"name"`
	Time     time.Time    `json:"time,omitzero"`
}

// GroupAccess is the schema of that name.
type GroupAccess struct {
	UserGroups []int64 `json:"user_groups"` // The user groups that see it; none: everybody does.
}

// GroupMapping is the schema of that name.
type GroupMapping struct {
	UserGroup int64  `json:"user_group"` // Id of a user group.
	Value     string `json:"value"`
}

// HardwareFact is the schema of that name.
type HardwareFact struct {
	BiosVersion  string `json:"bios_version,omitzero"`
	CpuCores     int64  `json:"cpu_cores,omitzero"`
	CpuModel     string `json:"cpu_model,omitzero"`
	DiskBytes    int64  `json:"disk_bytes,omitzero"`
	Manufacturer string `json:"manufacturer,omitzero"`
	MemoryBytes  int64  `json:"memory_bytes,omitzero"`
	Model        string `json:"model,omitzero"`
	Serial       string `json:"serial,omitzero"`
	Virtual      string `json:"virtual,omitzero"`
}

// HuntCheck is the schema of that name.
type HuntCheck struct {
	Columns []HuntColumn `json:"columns"` // Of the result.
	Mistake *HuntMistake `json:"mistake"`
	Ok      bool         `json:"ok"`
	Open    bool         `json:"open"` // Whether columns depend on rows (evaluate): they are known once the query runs, and what is behind is checked then.
	Render  *HuntRender  `json:"render"`
}

// HuntColumn is the schema of that name.
type HuntColumn struct {
	Name string `json:"name"`
	Type string `json:"type"` // One of "string", "long", "int", "real", "bool", "datetime", "timespan", "dynamic", "guid", "null".
}

// HuntExportInBody is the schema of that name.
type HuntExportInBody struct {
	Format string    `json:"format"` // One of "csv", "jsonl".
	From   time.Time `json:"from,omitzero"`
	Query  string    `json:"query"`
	To     time.Time `json:"to,omitzero"`
}

// HuntInBody is the schema of that name.
type HuntInBody struct {
	From  time.Time `json:"from,omitzero"`  // Events from this time on (RFC 3339); nothing: the last 30 days.
	Limit int64     `json:"limit,omitzero"` // Most rows; nothing: 100000.
	Query string    `json:"query"`          // In the Kusto Query Language.
	To    time.Time `json:"to,omitzero"`    // Events before this time (RFC 3339).
}

// HuntLine is the schema of that name.
type HuntLine struct {
	Columns    []HuntColumn        `json:"columns,omitzero"`
	Error      HuntMistake         `json:"error,omitzero"` // Line 0 where no place of the query is to blame.
	Kind       string              `json:"kind"`           // One of "schema", "progress", "rows", "done", "error".
	Notes      []string            `json:"notes,omitzero"`
	Render     HuntRender          `json:"render,omitzero"`
	Rows       [][]json.RawMessage `json:"rows,omitzero"` // Values in the order of columns: times and spans as text, dynamic values as JSON.
	Statistics HuntStatistics      `json:"statistics,omitzero"`
}

// HuntMistake is the schema of that name.
type HuntMistake struct {
	Column  int64  `json:"column"` // From 1, in characters.
	Hint    string `json:"hint"`   // How to mend it; may be empty.
	Length  int64  `json:"length"` // Characters from there on.
	Line    int64  `json:"line"`   // From 1.
	Message string `json:"message"`
}

// HuntQuery is the schema of that name.
type HuntQuery struct {
	Author      string    `json:"author"`
	CreatedAt   time.Time `json:"created_at"`
	Description string    `json:"description,omitzero"`
	Editable    bool      `json:"editable"`
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Own         bool      `json:"own"`
	Query       string    `json:"query"`
	Shared      bool      `json:"shared,omitzero"` // Everybody who may hunt can read it.
	UpdatedAt   time.Time `json:"updated_at"`
}

// HuntQueryEdit is the schema of that name.
type HuntQueryEdit struct {
	Description string `json:"description,omitzero"`
	Name        string `json:"name"`
	Query       string `json:"query"`
	Shared      bool   `json:"shared,omitzero"` // Everybody who may hunt can read it.
}

// HuntRender is the schema of that name.
type HuntRender struct {
	Chart      string            `json:"chart"`
	Properties map[string]string `json:"properties"`
}

// HuntSchema is the schema of that name.
type HuntSchema struct {
	Days     int64       `json:"days"`
	MostRows int64       `json:"most_rows"`
	Tables   []HuntTable `json:"tables"`
	Words    []Word      `json:"words"`
}

// HuntStatistics is the schema of that name.
type HuntStatistics struct {
	BlocksRead int64   `json:"blocks_read"`
	BytesRead  int64   `json:"bytes_read"`
	ElapsedMs  int64   `json:"elapsed_ms"`
	Rows       int64   `json:"rows"`
	RowsRead   int64   `json:"rows_read"`
	Share      float64 `json:"share"`
	Truncated  bool    `json:"truncated"`
}

// HuntTable is the schema of that name.
type HuntTable struct {
	Columns     []HuntTableColumn `json:"columns"`
	Description string            `json:"description"`
	Events      bool              `json:"events"`
	Name        string            `json:"name"`
}

// HuntTableColumn is the schema of that name.
type HuntTableColumn struct {
	Description string `json:"description"`
	Filled      bool   `json:"filled"`
	Name        string `json:"name"`
	Type        string `json:"type"` // One of "string", "long", "int", "real", "bool", "datetime", "timespan", "dynamic", "guid", "null".
}

// InaccuracyReport is the schema of that name.
type InaccuracyReport struct {
	Category string `json:"category"` // detail-wrong, count-wrong, not-installed, version-wrong, support-wrong, not-vulnerable, fix-wrong, severity-wrong, does-not-help, done-already, not-supported or other, as the kind has it.
	Details  string `json:"details"`  // What is wrong and how one can tell; at most 4,000 characters.
	Kind     string `json:"kind"`     // One of "software", "weakness", "recommendation".
	Subject  string `json:"subject"`  // Id of the software, weakness or recommendation.
}

// InaccuracyRow is the schema of that name.
type InaccuracyRow struct {
	At        time.Time `json:"at"`
	By        string    `json:"by"`
	Category  string    `json:"category"`
	Changed   time.Time `json:"changed"`
	ChangedBy string    `json:"changed_by"`
	Details   string    `json:"details"`
	ID        string    `json:"id"`
	Kind      string    `json:"kind"`
	Status    string    `json:"status"`
	Subject   string    `json:"subject"`
	Title     string    `json:"title"`
}

// InaccuracyStatusInBody is the schema of that name.
type InaccuracyStatusInBody struct {
	Status string `json:"status"` // One of "open", "resolved".
}

// IndicatorEdit is the schema of that name.
type IndicatorEdit struct {
	Action             string    `json:"action"`               // None is enforced on endpoints yet: see enforcement. One of "Allowed", "Audit", "Warn", "Block", "BlockAndRemediate", "Alert", "AlertAndBlock".
	Application        string    `json:"application,omitzero"` // Cannot be changed.
	Description        string    `json:"description"`
	DeviceGroups       []int64   `json:"device_groups,omitzero"` // Device groups that it is for; none: all devices.
	EducateURL         string    `json:"educate_url,omitzero"`
	ExpiresAt          time.Time `json:"expires_at,omitzero"` // In the future; nothing: never.
	ExternalID         string    `json:"external_id,omitzero"`
	GenerateAlert      bool      `json:"generate_alert,omitzero"` // Audit needs it. What asks for more than an alert raises one in any case, since nothing else is done.
	RecommendedActions string    `json:"recommended_actions,omitzero"`
	Severity           string    `json:"severity,omitzero"` // Of its alerts; Informational when nothing is said. One of "Informational", "Low", "Medium", "High".
	Title              string    `json:"title"`
	Type               string    `json:"type"`  // One of "FileSha1", "FileSha256", "FileMd5", "CertificateThumbprint", "IpAddress", "DomainName", "Url".
	Value              string    `json:"value"` // A hash, an address, a domain (which covers what is below it) or a URL (which covers what is below its path); no wildcards, no ranges.
}

// IndicatorImportInBody is the schema of that name.
type IndicatorImportInBody struct {
	Indicators []IndicatorEdit `json:"indicators"`
}

// IndicatorImported is the schema of that name.
type IndicatorImported struct {
	Error     string       `json:"error"`              // Why it was refused; empty otherwise.
	Indicator IndicatorRow `json:"indicator,omitzero"` // Absent: it was refused.
	Value     string       `json:"value"`
}

// IndicatorRow is the schema of that name.
type IndicatorRow struct {
	Action             string    `json:"action"`
	Active             bool      `json:"active"`
	Application        string    `json:"application"`
	CreatedAt          time.Time `json:"created_at"`
	CreatedBy          string    `json:"created_by"`
	Description        string    `json:"description"`
	DeviceGroupNames   []string  `json:"device_group_names"`
	DeviceGroups       []int64   `json:"device_groups"`
	Editable           bool      `json:"editable"`
	EducateURL         string    `json:"educate_url"`
	Enforcement        string    `json:"enforcement"`      // One of "detected and alerted only", "suppresses alerts of other indicators", "not matched".
	EnforcementNote    string    `json:"enforcement_note"` // The same in a sentence, for people.
	ExpiresAt          time.Time `json:"expires_at"`
	ExternalID         string    `json:"external_id"`
	GenerateAlert      bool      `json:"generate_alert"`
	ID                 string    `json:"id"`
	LastMatched        time.Time `json:"last_matched"`
	LookBack           string    `json:"look_back"`         // How far the look at the stored events of 30 days is. One of "none", "waiting", "running", "done", "partial", "failed".
	LookBackDevices    int64     `json:"look_back_devices"` // On how many devices that found something.
	LookBackEvents     int64     `json:"look_back_events"`
	Matched            int64     `json:"matched"`
	RecommendedActions string    `json:"recommended_actions"`
	Severity           string    `json:"severity"`
	SourceName         string    `json:"source_name"`
	SourceType         string    `json:"source_type"` // One of "User", "AadApp".
	Title              string    `json:"title"`
	Type               string    `json:"type"`
	UpdatedAt          time.Time `json:"updated_at"`
	UpdatedBy          string    `json:"updated_by"`
	Value              string    `json:"value"`
}

// Intel is the schema of that name.
type Intel struct {
	Demo       bool      `json:"demo"`
	Empty      bool      `json:"empty"`
	Feeds      []FeedRow `json:"feeds"`
	Generation int64     `json:"generation"`
	Job        *JobRow   `json:"job"`
	Stale      bool      `json:"stale"`
	Weaknesses int64     `json:"weaknesses"`
}

// Interface is the schema of that name.
type Interface struct {
	Addresses []string `json:"addresses"`
	Loopback  bool     `json:"loopback,omitzero"`
	MAC       string   `json:"mac,omitzero"`
	Name      string   `json:"name"`
	Up        bool     `json:"up"`
}

// Investigation is the schema of that name.
type Investigation struct {
	Action      string                  `json:"action"` // Id of the action on the device.
	Active      bool                    `json:"active"`
	AlertRefs   []AlertRef              `json:"alert_refs"`
	Alerts      int64                   `json:"alerts"`
	AsOf        time.Time               `json:"as_of"`
	CancelledBy string                  `json:"cancelled_by"`
	Comment     string                  `json:"comment"`
	Connected   bool                    `json:"connected"`
	Details     string                  `json:"details"` // Of the state, in a sentence.
	DeviceID    string                  `json:"device_id"`
	DeviceName  string                  `json:"device_name"`
	EndedAt     time.Time               `json:"ended_at,omitzero"`
	Evidence    []InvestigationEvidence `json:"evidence"`
	Group       string                  `json:"group"`
	GroupID     int64                   `json:"group_id"`
	ID          string                  `json:"id"`
	Log         []InvestigationLine     `json:"log"`
	MayCancel   bool                    `json:"may_cancel"`
	NoScanner   string                  `json:"no_scanner"` // Why files were not scanned.
	Requester   string                  `json:"requester"`
	Scanner     string                  `json:"scanner"` // That looked at files; empty: none did.
	StartedAt   time.Time               `json:"started_at"`
	State       string                  `json:"state"`   // One of "Queued", "PendingApproval", "PendingResource", "Running", "Benign", "PartiallyInvestigated", "Failed", "TerminatedByUser", "TerminatedBySystem".
	Trigger     string                  `json:"trigger"` // Id of the alert that it was started from; empty: from none.
}

// InvestigationEvidence is the schema of that name.
type InvestigationEvidence struct {
	Alerts      []string     `json:"alerts"` // Ids of the alerts that name it; none: it was found on the way.
	Began       time.Time    `json:"began,omitzero"`
	Connections []Connection `json:"connections,omitzero"`
	File        FileFacts    `json:"file,omitzero"`
	Kind        string       `json:"kind"` // One of "File", "Process", "Ip", "Url", "Persistence".
	Name        string       `json:"name"`
	Pid         int64        `json:"pid,omitzero"`
	Process     ProcessFacts `json:"process,omitzero"`
	Reason      string       `json:"reason"`
	Sha256      string       `json:"sha256,omitzero"` // As the alert names it, else as it is now.
	Starts      []Start      `json:"starts,omitzero"`
	Status      string       `json:"status"`  // Whether it is still there. One of "Active", "NotFound", "Unknown".
	Verdict     string       `json:"verdict"` // One of "Malicious", "Suspicious", "Unknown", "NoThreatsFound".
}

// InvestigationLine is the schema of that name.
type InvestigationLine struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// InvestigationMark is the schema of that name.
type InvestigationMark struct {
	EndedAt   time.Time `json:"ended_at,omitzero"`
	ID        string    `json:"id"`
	StartedAt time.Time `json:"started_at"`
	State     string    `json:"state"`
}

// InvestigationPackage is the schema of that name.
type InvestigationPackage struct {
	Bytes  int64  `json:"bytes"`
	Gone   string `json:"gone,omitzero"` // Why it is not there any more.
	Sha256 string `json:"sha256"`
}

// InvestigationResult is the schema of that name.
type InvestigationResult struct {
	Connections []Connection   `json:"connections,omitzero"`
	Database    string         `json:"database,omitzero"`
	Ended       string         `json:"ended,omitzero"`
	Engine      string         `json:"engine,omitzero"`
	Files       []FileFacts    `json:"files,omitzero"`
	More        int64          `json:"more,omitzero"`
	NoEngine    string         `json:"no_engine,omitzero"`
	Processes   []ProcessFacts `json:"processes,omitzero"`
	Signatures  time.Time      `json:"signatures,omitzero"`
	Starts      []Start        `json:"starts,omitzero"`
}

// InvestigationRow is the schema of that name.
type InvestigationRow struct {
	Action      string    `json:"action"` // Id of the action on the device.
	Active      bool      `json:"active"`
	Alerts      int64     `json:"alerts"`
	CancelledBy string    `json:"cancelled_by"`
	Comment     string    `json:"comment"`
	Details     string    `json:"details"` // Of the state, in a sentence.
	DeviceID    string    `json:"device_id"`
	DeviceName  string    `json:"device_name"`
	EndedAt     time.Time `json:"ended_at,omitzero"`
	Group       string    `json:"group"`
	GroupID     int64     `json:"group_id"`
	ID          string    `json:"id"`
	Requester   string    `json:"requester"`
	StartedAt   time.Time `json:"started_at"`
	State       string    `json:"state"`   // One of "Queued", "PendingApproval", "PendingResource", "Running", "Benign", "PartiallyInvestigated", "Failed", "TerminatedByUser", "TerminatedBySystem".
	Trigger     string    `json:"trigger"` // Id of the alert that it was started from; empty: from none.
}

// IsolationView is the schema of that name.
type IsolationView struct {
	Action   string    `json:"action,omitzero"` // Id of the action that it follows from.
	Cause    string    `json:"cause,omitzero"`  // Why it ended, when no action ended it.
	On       bool      `json:"on"`
	Repaired int64     `json:"repaired"`
	Since    time.Time `json:"since,omitzero"`
	Until    time.Time `json:"until,omitzero"`
}

// JobRow is the schema of that name.
type JobRow struct {
	Done     int64     `json:"done"`
	Error    string    `json:"error"`
	Finished time.Time `json:"finished,omitzero"`
	ID       string    `json:"id"`
	Kind     string    `json:"kind"`
	Of       int64     `json:"of"`
	Started  time.Time `json:"started"`
	State    string    `json:"state"` // One of "running", "done", "failed", "cancelled".
	Text     string    `json:"text"`
}

// KEV is the schema of that name.
type KEV struct {
	Action     string `json:"action,omitzero"`
	Added      string `json:"added"`
	Due        string `json:"due,omitzero"`
	Name       string `json:"name,omitzero"`
	Ransomware bool   `json:"ransomware"`
}

// KernelFact is the schema of that name.
type KernelFact struct {
	BootID         string    `json:"boot_id,omitzero"`
	BootTime       time.Time `json:"boot_time,omitzero"`
	Machine        string    `json:"machine"`
	Package        string    `json:"package,omitzero"`
	PackageVersion string    `json:"package_version,omitzero"`
	Release        string    `json:"release"`
	Version        string    `json:"version"`
}

// LevelCount is the schema of that name.
type LevelCount struct {
	High   int64 `json:"high"`
	Low    int64 `json:"low"`
	Medium int64 `json:"medium"`
	None   int64 `json:"none"`
}

// LimitsInBody is the schema of that name.
type LimitsInBody struct {
	PerMinute int64  `json:"per_minute,omitzero"` // Calls a minute, with plain.
	Preset    string `json:"preset"`              // One of "plain", "reference".
}

// LineRow is the schema of that name.
type LineRow struct {
	Cycle    string `json:"cycle"`
	Date     string `json:"date"`
	Devices  int64  `json:"devices"`
	Ended    bool   `json:"ended"`
	Extended string `json:"extended"`
	Latest   string `json:"latest"`
	Product  string `json:"product"`
	Regular  string `json:"regular"`
	Tag      string `json:"tag"`
}

// LinkPersonInBody is the schema of that name.
type LinkPersonInBody struct {
	Reset bool `json:"reset,omitzero"` // Take the password away and end every session.
}

// LiveEvent is the schema of that name.
type LiveEvent struct {
	ID       string `json:"id,omitzero"`
	Resource string `json:"resource"`
}

// LockRow is the schema of that name.
type LockRow struct {
	Failures int64     `json:"failures"`
	ID       string    `json:"id"`
	Kind     string    `json:"kind"` // account: wrong first factors for a user name; factor: wrong second factors; address: failures from a network address. One of "account", "address", "factor".
	LastAt   time.Time `json:"last_at"`
	Locked   bool      `json:"locked"` // The next attempt has to wait.
	Name     string    `json:"name"`   // User name or address.
	Until    time.Time `json:"until"`  // When the next attempt is allowed.
}

// Lockdown is the schema of that name.
type Lockdown struct {
	By     string         `json:"by,omitzero"`
	Lifts  []LockdownLift `json:"lifts"` // Administrators who want to lift it; with the second it ends.
	On     bool           `json:"on"`
	Reason string         `json:"reason,omitzero"`
	Since  time.Time      `json:"since,omitzero"`
}

// LockdownInBody is the schema of that name.
type LockdownInBody struct {
	Reason string `json:"reason"` // Everybody reads it.
}

// LockdownLift is the schema of that name.
type LockdownLift struct {
	At     time.Time `json:"at"`
	Name   string    `json:"name"`
	Until  time.Time `json:"until"`
	UserID int64     `json:"user_id"`
}

// LogDamage is the schema of that name.
type LogDamage struct {
	Events       int64 `json:"events"`        // Events in them, as far as is known.
	LogBytes     int64 `json:"log_bytes"`     // Bytes of the write-ahead log that could not be read.
	Parts        int64 `json:"parts"`         // Blocks and indexes that cannot be read, of files that can be opened.
	Segments     int64 `json:"segments"`      // Files that cannot be opened, of events that would still be kept.
	SegmentsEver int64 `json:"segments_ever"` // Files that could not be opened, ever.
}

// Logon is the schema of that name.
type Logon struct {
	Host  string    `json:"host,omitzero"`
	Since time.Time `json:"since,omitzero"`
	Tty   string    `json:"tty,omitzero"`
	User  string    `json:"user"`
}

// LogonUser is the schema of that name.
type LogonUser struct {
	Domain      string    `json:"domain"`
	Failed      int64     `json:"failed"`
	First       time.Time `json:"first"`
	Interactive int64     `json:"interactive"`
	Last        time.Time `json:"last"`
	LocalAdmin  bool      `json:"local_admin"`
	Logons      int64     `json:"logons"`
	Name        string    `json:"name"`
	Sid         string    `json:"sid"`
	Types       []string  `json:"types"`
}

// LogonUsers is the schema of that name.
type LogonUsers struct {
	Days  int64       `json:"days"`
	Items []LogonUser `json:"items"`
	Least string      `json:"least"`
	Most  string      `json:"most"`
}

// MachineAction is the schema of that name.
type MachineAction struct {
	Approval      string               `json:"approval,omitzero"` // Id of the request for approval.
	Cancel        MachineActionCancel  `json:"cancel,omitzero"`
	Comment       string               `json:"comment"`
	CreatedAt     time.Time            `json:"created_at"`
	DeviceID      string               `json:"device_id"`
	DeviceName    string               `json:"device_name"`
	EndedAt       time.Time            `json:"ended_at,omitzero"`
	Error         string               `json:"error"`
	ExpiresAt     time.Time            `json:"expires_at"`
	ExternalID    string               `json:"external_id"` // Free id that a program gave.
	Group         string               `json:"group"`
	GroupID       int64                `json:"group_id"`
	ID            string               `json:"id"`
	Investigation string               `json:"investigation,omitzero"` // Id of the investigation that it belongs to.
	Kind          string               `json:"kind"`                   // One of "collect", "scan", "isolate", "release", "investigate".
	MayCancel     bool                 `json:"may_cancel"`
	Name          string               `json:"name"`
	Package       InvestigationPackage `json:"package,omitzero"`
	Program       bool                 `json:"program"`
	Requester     string               `json:"requester"`
	Result        TaskResult           `json:"result,omitzero"`
	Scope         string               `json:"scope"` // One of "Quick", "Full", "".
	SentAt        time.Time            `json:"sent_at,omitzero"`
	StartedAt     time.Time            `json:"started_at,omitzero"`
	Status        string               `json:"status"`         // One of "Pending", "InProgress", "Succeeded", "Failed", "TimeOut", "Cancelled".
	Type          string               `json:"type"`           // The kind as the Defender API names it. One of "CollectInvestigationPackage", "RunAntiVirusScan", "Isolate", "Unisolate", "Investigation".
	Until         time.Time            `json:"until,omitzero"` // When the isolation ends by itself; left out: it does not.
	UpdatedAt     time.Time            `json:"updated_at"`
	Waits         bool                 `json:"waits"`
	WhyNot        string               `json:"why_not,omitzero"`
}

// MachineActionCancel is the schema of that name.
type MachineActionCancel struct {
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Comment string    `json:"comment"`
}

// MachineActionResult is the schema of that name.
type MachineActionResult struct {
	Action MachineAction `json:"action,omitzero"`
	Code   string        `json:"code,omitzero"` // One of "ResourceNotFound", "ActiveRequestAlreadyExists", "OsPlatformNotSupported", "ClientVersionNotSupported", "".
	Device string        `json:"device"`
	Error  string        `json:"error,omitzero"` // Why nothing was asked of this device.
}

// MachineActionResults is the schema of that name.
type MachineActionResults struct {
	Approval ApprovalRow           `json:"approval,omitzero"`
	Results  []MachineActionResult `json:"results"`
}

// Me is the schema of that name.
type Me struct {
	Administrator bool     `json:"administrator"`
	AllDevices    bool     `json:"all_devices"`
	DisplayName   string   `json:"display_name"`
	External      bool     `json:"external"`     // Signed in at the identity provider.
	NeedsFactor   bool     `json:"needs_factor"` // A second factor is required and none is set up: until then nothing but the own account can be used.
	NeedsPassword bool     `json:"needs_password"`
	Permissions   []string `json:"permissions"`
	Role          string   `json:"role"`
	Username      string   `json:"username"`
}

// MissingPart is the schema of that name.
type MissingPart struct {
	After  time.Time `json:"after"`
	Before time.Time `json:"before"`
	Count  int64     `json:"count"`
	From   int64     `json:"from"`
	Kind   string    `json:"kind"`
	Reason string    `json:"reason"`
	To     int64     `json:"to"`
}

// MissingUpdate is the schema of that name.
type MissingUpdate struct {
	AlertsElsewhere int64         `json:"alerts_elsewhere"`
	Devices         int64         `json:"devices"`
	ID              string        `json:"id"`
	Products        []SoftwareRef `json:"products"`
	Severity        SeverityCount `json:"severity"`
	Systems         []string      `json:"systems"`
	Tags            []string      `json:"tags"`
	Threats         Threats       `json:"threats"`
	URL             string        `json:"url"`
	WeaknessIDs     []string      `json:"weakness_ids"`
	Weaknesses      int64         `json:"weaknesses"`
}

// NamePasskeyInBody is the schema of that name.
type NamePasskeyInBody struct {
	Name string `json:"name"`
}

// NewAlertInBody is the schema of that name.
type NewAlertInBody struct {
	Category          string   `json:"category"`
	Description       string   `json:"description"`
	DeviceID          string   `json:"device_id"`
	EventID           string   `json:"event_id"` // Id of an event in the device's timeline.
	RecommendedAction string   `json:"recommended_action"`
	Severity          string   `json:"severity"`            // One of "Informational", "Low", "Medium", "High".
	Techniques        []string `json:"techniques,omitzero"` // ATT&CK techniques, such as T1053.003.
	Title             string   `json:"title"`
}

// NewAppInBody is the schema of that name.
type NewAppInBody struct {
	Days        int64    `json:"days,omitzero"`        // How long the first secret lives; 0: it never expires.
	Delegated   []string `json:"delegated,omitzero"`   // Permissions that people may let it have.
	DeviceCode  bool     `json:"device_code,omitzero"` // People may let it in by a code that they type on the console.
	Disabled    bool     `json:"disabled,omitzero"`
	Name        string   `json:"name"`
	PerMinute   int64    `json:"per_minute,omitzero"` // Calls a minute, with plain.
	Permissions []string `json:"permissions"`
	Preset      string   `json:"preset,omitzero"`    // Limits: empty as for all, plain with a number of its own, reference as the Defender API has. One of "", "plain", "reference".
	Public      bool     `json:"public,omitzero"`    // It runs at people's own machines and keeps no secret. It stays what it was made as.
	Redirects   []string `json:"redirects,omitzero"` // Addresses that people may be sent back to, to the byte; of a public one at the loopback, with any port.
}

// NewCode is the schema of that name.
type NewCode struct {
	Address string `json:"address"` // otpauth://…, to be shown as a QR code.
	Secret  string `json:"secret"`  // In base32, to be typed.
}

// NewException is the schema of that name.
type NewException struct {
	Context        string    `json:"context,omitzero"` // Why, in words.
	Days           int64     `json:"days,omitzero"`    // How many days it holds: 30, 60, 90 or another number.
	Devices        []string  `json:"devices,omitzero"`
	Groups         []int64   `json:"groups,omitzero"`         // Numbers of device groups; 0 is the devices that are in none.
	Justification  string    `json:"justification"`           // One of "ThirdPartyControl", "AlternateMitigation", "RiskAccepted", "PlannedRemediation".
	Keep           bool      `json:"keep,omitzero"`           // Keep it also when what it is about gets worse.
	Path           string    `json:"path,omitzero"`           // Where the software was found: * is any name, ** any path. It must match every place on a device.
	Product        string    `json:"product,omitzero"`        // Id of a product.
	Recommendation string    `json:"recommendation,omitzero"` // Id of a recommendation.
	Scope          string    `json:"scope"`                   // One of "Global", "DeviceGroups", "Devices".
	Until          time.Time `json:"until,omitzero"`          // When it ends, at most a year from now; instead of days.
	VersionFrom    string    `json:"version_from,omitzero"`   // Lowest version of the product that it is about.
	VersionTo      string    `json:"version_to,omitzero"`     // Highest version of the product that it is about.
	Weakness       string    `json:"weakness,omitzero"`       // Id of a weakness.
}

// NewInvestigation is the schema of that name.
type NewInvestigation struct {
	Alert      string `json:"alert,omitzero"`       // Id of the alert on the device that it is started from.
	Comment    string `json:"comment"`              // Why: it is kept with the investigation.
	ExternalID string `json:"external_id,omitzero"` // Free id, shown as it is.
}

// NewMachineAction is the schema of that name.
type NewMachineAction struct {
	Comment    string    `json:"comment"`              // Why: for whoever has to approve it, for the device's history and the audit log.
	ExternalID string    `json:"external_id,omitzero"` // Free id, shown as it is.
	Kind       string    `json:"kind"`                 // One of "collect", "scan", "isolate", "release", "investigate".
	Scope      string    `json:"scope,omitzero"`       // Of a scan; an isolation is always full. One of "Quick", "Full", "".
	Until      time.Time `json:"until,omitzero"`       // When an isolation ends by itself; left out: it does not.
}

// NewOwnTokenInBody is the schema of that name.
type NewOwnTokenInBody struct {
	Days        int64    `json:"days"` // How long it lives.
	Name        string   `json:"name"`
	Permissions []string `json:"permissions"` // Of those that you hold.
}

// NewPasskeyInBody is the schema of that name.
type NewPasskeyInBody struct {
	Credential json.RawMessage `json:"credential"` // PublicKeyCredential.toJSON().
	Name       string          `json:"name"`
	Ticket     string          `json:"ticket"`
}

// NewPerson is the schema of that name.
type NewPerson struct {
	DisplayName string  `json:"display_name,omitzero"`
	Name        string  `json:"name"` // What the person signs in with: lower-case letters, digits, and . _ @ + -
	UserGroups  []int64 `json:"user_groups,omitzero"`
}

// NewSecret is the schema of that name.
type NewSecret struct {
	Days      int64  `json:"days,omitzero"`       // How long it lives; 0: it never expires.
	KeepHours int64  `json:"keep_hours,omitzero"` // How long the secrets before it live on, at most; absent: as they did.
	Note      string `json:"note,omitzero"`
}

// NewToken is the schema of that name.
type NewToken struct {
	Secret string   `json:"secret"`
	Token  TokenRow `json:"token"`
}

// NewTokenInBody is the schema of that name.
type NewTokenInBody struct {
	Hours   int64  `json:"hours,omitzero"`    // How long it lives.
	MaxUses int64  `json:"max_uses,omitzero"` // 0 is without bound.
	Note    string `json:"note,omitzero"`     // What the token is for.
}

// NoteInBody is the schema of that name.
type NoteInBody struct {
	Note string `json:"note,omitzero"` // Why; it goes into the history.
}

// Notice is the schema of that name.
type Notice struct {
	Level string `json:"level"`
	Link  string `json:"link"`
	Text  string `json:"text"`
}

// NoticeCount is the schema of that name.
type NoticeCount struct {
	Days        int64 `json:"days"`
	Evidence    bool  `json:"evidence"`
	Expected    int64 `json:"expected"`
	None        int64 `json:"none"`
	NotAssessed int64 `json:"not_assessed"`
}

// NudgeInBody is the schema of that name.
type NudgeInBody struct {
	Comment string `json:"comment,omitzero"` // For whoever has to approve it, and for the audit log.
}

// OSRow is the schema of that name.
type OSRow struct {
	Devices    int64  `json:"devices"`
	OSLife     string `json:"os_life"`
	OSName     string `json:"os_name"`
	OSPlatform string `json:"os_platform"`
	OSUntil    string `json:"os_until"`
	OSVersion  string `json:"os_version"`
}

// Onboarding is the schema of that name.
type Onboarding struct {
	CAPEM     string `json:"ca_pem"`
	CASha256  string `json:"ca_sha256"`
	Command   string `json:"command"`
	ServerURL string `json:"server_url"`
}

// OrderInBody is the schema of that name.
type OrderInBody struct {
	Order []int64 `json:"order"` // Every group but 0, the one of the best rank first.
}

// OwnTokenList is the schema of that name.
type OwnTokenList struct {
	Permissions []string `json:"permissions"`
	Tokens      []AppRow `json:"tokens"`
}

// PackageResult is the schema of that name.
type PackageResult struct {
	Bytes   int64  `json:"bytes"`
	Items   int64  `json:"items"`
	Missing int64  `json:"missing"`
	Note    string `json:"note,omitzero"`
	Sha256  string `json:"sha256"`
	System  string `json:"system,omitzero"`
}

// PackageRetention is the schema of that name.
type PackageRetention struct {
	Days       int64 `json:"days"`
	MostBytes  int64 `json:"most_bytes"`  // Bytes of one package; a larger one is refused.
	TotalBytes int64 `json:"total_bytes"` // Bytes of all packages; the oldest go first.
}

// PackageRetentionView is the schema of that name.
type PackageRetentionView struct {
	AsOf       time.Time `json:"as_of"`
	Bytes      int64     `json:"bytes"`
	Days       int64     `json:"days"`
	MostBytes  int64     `json:"most_bytes"` // Bytes of one package; a larger one is refused.
	Packages   int64     `json:"packages"`
	Removed    int64     `json:"removed"`
	TotalBytes int64     `json:"total_bytes"` // Bytes of all packages; the oldest go first.
}

// PackageRow is the schema of that name.
type PackageRow struct {
	Arch          string    `json:"arch"`
	InstalledAt   time.Time `json:"installed_at,omitzero"`
	Name          string    `json:"name"`
	Paths         []string  `json:"paths"`
	Purl          string    `json:"purl"`
	Residual      bool      `json:"residual"`
	Role          string    `json:"role"`    // One of "", "kernel-running", "kernel-latent", "kernel-tools", "in-memory".
	Section       string    `json:"section"` // One of "os", "kernel", "hardware", "interfaces", "dpkg", "rpm", "apk", "snap", "flatpak", "python", "npm", "ruby", "golang", "java", "updates", "restart", "sysctl", "boot", "mounts", "accounts", "auth", "sshd", "services", "files", "audit", "firewall", "system", "apps".
	Source        string    `json:"source"`
	SourceVersion string    `json:"source_version"`
	Summary       string    `json:"summary"`
	Vendor        string    `json:"vendor"`
	Version       string    `json:"version"`
}

// PageAlertRow is the schema of that name.
type PageAlertRow struct {
	AsOf  time.Time  `json:"as_of"`
	Items []AlertRow `json:"items"`
	Total int64      `json:"total"`
}

// PageApprovalRow is the schema of that name.
type PageApprovalRow struct {
	AsOf  time.Time     `json:"as_of"`
	Items []ApprovalRow `json:"items"`
	Total int64         `json:"total"`
}

// PageAuditRow is the schema of that name.
type PageAuditRow struct {
	AsOf  time.Time  `json:"as_of"`
	Items []AuditRow `json:"items"`
	Total int64      `json:"total"`
}

// PageCheckDeviceRow is the schema of that name.
type PageCheckDeviceRow struct {
	AsOf  time.Time        `json:"as_of"`
	Items []CheckDeviceRow `json:"items"`
	Total int64            `json:"total"`
}

// PageClosedRow is the schema of that name.
type PageClosedRow struct {
	AsOf  time.Time   `json:"as_of"`
	Items []ClosedRow `json:"items"`
	Total int64       `json:"total"`
}

// PageDeviceCheckRow is the schema of that name.
type PageDeviceCheckRow struct {
	AsOf  time.Time        `json:"as_of"`
	Items []DeviceCheckRow `json:"items"`
	Total int64            `json:"total"`
}

// PageDeviceRecommendationRow is the schema of that name.
type PageDeviceRecommendationRow struct {
	AsOf  time.Time                 `json:"as_of"`
	Items []DeviceRecommendationRow `json:"items"`
	Total int64                     `json:"total"`
}

// PageDeviceRow is the schema of that name.
type PageDeviceRow struct {
	AsOf  time.Time   `json:"as_of"`
	Items []DeviceRow `json:"items"`
	Total int64       `json:"total"`
}

// PageDeviceSoftwareRow is the schema of that name.
type PageDeviceSoftwareRow struct {
	AsOf  time.Time           `json:"as_of"`
	Items []DeviceSoftwareRow `json:"items"`
	Total int64               `json:"total"`
}

// PageDeviceVulnRow is the schema of that name.
type PageDeviceVulnRow struct {
	AsOf  time.Time       `json:"as_of"`
	Items []DeviceVulnRow `json:"items"`
	Total int64           `json:"total"`
}

// PageEntityDevice is the schema of that name.
type PageEntityDevice struct {
	AsOf  time.Time      `json:"as_of"`
	Items []EntityDevice `json:"items"`
	Total int64          `json:"total"`
}

// PageEventRow is the schema of that name.
type PageEventRow struct {
	AsOf  time.Time  `json:"as_of"`
	Items []EventRow `json:"items"`
	Total int64      `json:"total"`
}

// PageExceptionRow is the schema of that name.
type PageExceptionRow struct {
	AsOf  time.Time      `json:"as_of"`
	Items []ExceptionRow `json:"items"`
	Total int64          `json:"total"`
}

// PageExceptionTarget is the schema of that name.
type PageExceptionTarget struct {
	AsOf  time.Time         `json:"as_of"`
	Items []ExceptionTarget `json:"items"`
	Total int64             `json:"total"`
}

// PageInaccuracyRow is the schema of that name.
type PageInaccuracyRow struct {
	AsOf  time.Time       `json:"as_of"`
	Items []InaccuracyRow `json:"items"`
	Total int64           `json:"total"`
}

// PageIndicatorRow is the schema of that name.
type PageIndicatorRow struct {
	AsOf  time.Time      `json:"as_of"`
	Items []IndicatorRow `json:"items"`
	Total int64          `json:"total"`
}

// PageInvestigationRow is the schema of that name.
type PageInvestigationRow struct {
	AsOf  time.Time          `json:"as_of"`
	Items []InvestigationRow `json:"items"`
	Total int64              `json:"total"`
}

// PageMachineAction is the schema of that name.
type PageMachineAction struct {
	AsOf  time.Time       `json:"as_of"`
	Items []MachineAction `json:"items"`
	Total int64           `json:"total"`
}

// PageMissingUpdate is the schema of that name.
type PageMissingUpdate struct {
	AsOf  time.Time       `json:"as_of"`
	Items []MissingUpdate `json:"items"`
	Total int64           `json:"total"`
}

// PagePersonRow is the schema of that name.
type PagePersonRow struct {
	AsOf  time.Time   `json:"as_of"`
	Items []PersonRow `json:"items"`
	Total int64       `json:"total"`
}

// PagePlanRow is the schema of that name.
type PagePlanRow struct {
	AsOf  time.Time `json:"as_of"`
	Items []PlanRow `json:"items"`
	Total int64     `json:"total"`
}

// PagePlanStep is the schema of that name.
type PagePlanStep struct {
	AsOf  time.Time  `json:"as_of"`
	Items []PlanStep `json:"items"`
	Total int64      `json:"total"`
}

// PageRecommendationRow is the schema of that name.
type PageRecommendationRow struct {
	AsOf  time.Time           `json:"as_of"`
	Items []RecommendationRow `json:"items"`
	Total int64               `json:"total"`
}

// PageRemediationDevice is the schema of that name.
type PageRemediationDevice struct {
	AsOf  time.Time           `json:"as_of"`
	Items []RemediationDevice `json:"items"`
	Total int64               `json:"total"`
}

// PageRemediationRow is the schema of that name.
type PageRemediationRow struct {
	AsOf  time.Time        `json:"as_of"`
	Items []RemediationRow `json:"items"`
	Total int64            `json:"total"`
}

// PageScoreDevicePart is the schema of that name.
type PageScoreDevicePart struct {
	AsOf  time.Time         `json:"as_of"`
	Items []ScoreDevicePart `json:"items"`
	Total int64             `json:"total"`
}

// PageScoreGroupPart is the schema of that name.
type PageScoreGroupPart struct {
	AsOf  time.Time        `json:"as_of"`
	Items []ScoreGroupPart `json:"items"`
	Total int64            `json:"total"`
}

// PageScoreTerm is the schema of that name.
type PageScoreTerm struct {
	AsOf  time.Time   `json:"as_of"`
	Items []ScoreTerm `json:"items"`
	Total int64       `json:"total"`
}

// PageSecureCheckRow is the schema of that name.
type PageSecureCheckRow struct {
	AsOf  time.Time        `json:"as_of"`
	Items []SecureCheckRow `json:"items"`
	Total int64            `json:"total"`
}

// PageSoftwareRow is the schema of that name.
type PageSoftwareRow struct {
	AsOf  time.Time     `json:"as_of"`
	Items []SoftwareRow `json:"items"`
	Total int64         `json:"total"`
}

// PageVEXRow is the schema of that name.
type PageVEXRow struct {
	AsOf  time.Time `json:"as_of"`
	Items []VEXRow  `json:"items"`
	Total int64     `json:"total"`
}

// PageVEXStatement is the schema of that name.
type PageVEXStatement struct {
	AsOf  time.Time      `json:"as_of"`
	Items []VEXStatement `json:"items"`
	Total int64          `json:"total"`
}

// PageVersionRow is the schema of that name.
type PageVersionRow struct {
	AsOf  time.Time    `json:"as_of"`
	Items []VersionRow `json:"items"`
	Total int64        `json:"total"`
}

// PageWeaknessDevice is the schema of that name.
type PageWeaknessDevice struct {
	AsOf  time.Time        `json:"as_of"`
	Items []WeaknessDevice `json:"items"`
	Total int64            `json:"total"`
}

// PageWeaknessRow is the schema of that name.
type PageWeaknessRow struct {
	AsOf  time.Time     `json:"as_of"`
	Items []WeaknessRow `json:"items"`
	Total int64         `json:"total"`
}

// PageWeaknessSoftwareRow is the schema of that name.
type PageWeaknessSoftwareRow struct {
	AsOf  time.Time             `json:"as_of"`
	Items []WeaknessSoftwareRow `json:"items"`
	Total int64                 `json:"total"`
}

// PasskeyInBody is the schema of that name.
type PasskeyInBody struct {
	Credential json.RawMessage `json:"credential"` // PublicKeyCredential.toJSON().
	Ticket     string          `json:"ticket"`
}

// PasskeyRow is the schema of that name.
type PasskeyRow struct {
	CreatedAt time.Time `json:"created_at"`
	Doubt     bool      `json:"doubt"` // Its counter went backwards once: there may be a copy, and it is refused. Remove it.
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Synced    bool      `json:"synced"` // Its maker may copy it to other devices of its owner.
	UsedAt    time.Time `json:"used_at,omitzero"`
}

// PasswordInBody is the schema of that name.
type PasswordInBody struct {
	Current string `json:"current,omitzero"` // Needed when a password is set.
	New     string `json:"new"`              // At least 12 characters.
}

// Permission is the schema of that name.
type Permission struct {
	Name  string `json:"name"`
	Opens bool   `json:"opens"` // It opens something in this version.
}

// PersonEdit is the schema of that name.
type PersonEdit struct {
	Disabled    bool    `json:"disabled"`
	DisplayName string  `json:"display_name,omitzero"`
	UserGroups  []int64 `json:"user_groups,omitzero"` // Ids of user groups that an administrator gives; left out: they stay.
}

// PersonLink is the schema of that name.
type PersonLink struct {
	Expires time.Time `json:"expires"`
	Person  PersonRow `json:"person"`
	Secret  string    `json:"secret"`
}

// PersonRow is the schema of that name.
type PersonRow struct {
	CreatedAt   time.Time `json:"created_at"`
	Disabled    time.Time `json:"disabled,omitzero"` // Since when it may not sign in; absent: it may.
	DisplayName string    `json:"display_name"`
	HasPassword bool      `json:"has_password"`
	ID          int64     `json:"id"`
	LastUsed    time.Time `json:"last_used,omitzero"`  // Of the sessions that are open; absent: there is none.
	LinkUntil   time.Time `json:"link_until,omitzero"` // Until when an unused sign-in link works; absent: there is none.
	LocalGroups []int64   `json:"local_groups"`
	Name        string    `json:"name"`
	Role        string    `json:"role"`
	Sessions    int64     `json:"sessions"`
	UserGroups  []int64   `json:"user_groups"`
}

// Plan is the schema of that name.
type Plan struct {
	Actual     *PlanActual `json:"actual"`
	AllDevices bool        `json:"all_devices"`
	Available  int64       `json:"available"`
	Before     PlanScore   `json:"before"`
	Considered int64       `json:"considered"`
	CreatedAt  time.Time   `json:"created_at"`
	CreatedBy  string      `json:"created_by"`
	Devices    int64       `json:"devices"`
	Draft      string      `json:"draft"`
	Fewest     int64       `json:"fewest"`
	Goal       PlanGoal    `json:"goal"`
	GroupNames []string    `json:"group_names"`
	Groups     []int64     `json:"groups"`
	ID         string      `json:"id"`
	Lowest     bool        `json:"lowest"`
	Name       string      `json:"name"`
	Predicted  PlanScore   `json:"predicted"`
	Reached    bool        `json:"reached"`
	Restarts   int64       `json:"restarts"`
	Scored     int64       `json:"scored"`
	Searched   bool        `json:"searched"`
	Steps      []PlanStep  `json:"steps"`
	Version    int64       `json:"version"`
	Weights    string      `json:"weights"`
}

// PlanActual is the schema of that name.
type PlanActual struct {
	AsOf  time.Time    `json:"as_of"`
	Done  int64        `json:"done"`
	Score PlanScore    `json:"score"`
	Trend []TrendPoint `json:"trend"`
}

// PlanForm is the schema of that name.
type PlanForm struct {
	Destinations []FormDestination `json:"destinations"`
	GroupNames   []string          `json:"group_names"`
	Steps        []PlanFormStep    `json:"steps"`
}

// PlanFormStep is the schema of that name.
type PlanFormStep struct {
	Active  int64  `json:"active"`
	Asked   bool   `json:"asked"`
	Exposed int64  `json:"exposed"`
	ID      string `json:"id"`
	Name    string `json:"name"`
	Type    string `json:"type"`
}

// PlanGoal is the schema of that name.
type PlanGoal struct {
	Exclude         []string `json:"exclude"`
	MaxDevices      *int64   `json:"max_devices"`
	MaxRestarts     *int64   `json:"max_restarts"`
	Recommendations []string `json:"recommendations"`
	Target          float64  `json:"target"`
	Types           []string `json:"types"`
}

// PlanRef is the schema of that name.
type PlanRef struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// PlanRequestInBody is the schema of that name.
type PlanRequestInBody struct {
	Destinations []string `json:"destinations,omitzero"` // Where tickets go; empty: just track.
	Due          string   `json:"due,omitzero"`          // YYYY-MM-DD; not for steps of type AttentionRequired.
	Notes        string   `json:"notes,omitzero"`
	Priority     string   `json:"priority"` // One of "High", "Medium", "Low".
	Steps        []string `json:"steps"`    // Ids of the recommendations of steps: an activity is made for each, all or none.
}

// PlanRow is the schema of that name.
type PlanRow struct {
	Actual     float64   `json:"actual"`
	AllDevices bool      `json:"all_devices"`
	Before     float64   `json:"before"`
	CreatedAt  time.Time `json:"created_at"`
	CreatedBy  string    `json:"created_by"`
	Devices    int64     `json:"devices"`
	Done       int64     `json:"done"`
	GroupNames []string  `json:"group_names"`
	Groups     []int64   `json:"groups"`
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Predicted  float64   `json:"predicted"`
	Restarts   int64     `json:"restarts"`
	State      string    `json:"state"`
	Steps      int64     `json:"steps"`
	Target     float64   `json:"target"`
}

// PlanScore is the schema of that name.
type PlanScore struct {
	Den   int64   `json:"den"`
	Level string  `json:"level"`
	Num   string  `json:"num"`
	Score float64 `json:"score"`
}

// PlanSearch is the schema of that name.
type PlanSearch struct {
	Done  int64  `json:"done"`
	Of    int64  `json:"of"`
	Stage string `json:"stage"`
}

// PlanStep is the schema of that name.
type PlanStep struct {
	Activity       string    `json:"activity"`
	ActivityStatus string    `json:"activity_status"`
	After          PlanScore `json:"after"`
	Devices        int64     `json:"devices"`
	Exposed        int64     `json:"exposed"`
	Fall           float64   `json:"fall"`
	ID             string    `json:"id"`
	Name           string    `json:"name"`
	Order          int64     `json:"order"`
	Remaining      int64     `json:"remaining"`
	Restarts       int64     `json:"restarts"`
	State          string    `json:"state"`
	Type           string    `json:"type"`
}

// PreviewAsk is the schema of that name.
type PreviewAsk struct {
	ID    int64  `json:"id,omitzero"` // Of what is edited; 0: it does not exist yet.
	Rules []Rule `json:"rules"`       // Alternatives: a device is taken when one of them holds.
}

// PreviewGroup is the schema of that name.
type PreviewGroup struct {
	Devices int64  `json:"devices"`
	ID      int64  `json:"id"`
	Name    string `json:"name"`
}

// PreviewRow is the schema of that name.
type PreviewRow struct {
	Group  string `json:"group"`
	ID     string `json:"id"`
	Member bool   `json:"member"`
	Name   string `json:"name"`
	OSName string `json:"os_name"`
}

// Process is the schema of that name.
type Process struct {
	Name  string    `json:"name"`
	Pid   int64     `json:"pid"`
	Start time.Time `json:"start,omitzero"`
}

// ProcessFacts is the schema of that name.
type ProcessFacts struct {
	Began       time.Time    `json:"began,omitzero"`
	Children    []Child      `json:"children,omitzero"`
	Command     string       `json:"command,omitzero"`
	Connections []Connection `json:"connections,omitzero"`
	Deleted     bool         `json:"deleted,omitzero"`
	Gone        bool         `json:"gone,omitzero"`
	More        int64        `json:"more,omitzero"`
	Name        string       `json:"name,omitzero"`
	Parent      int64        `json:"parent,omitzero"`
	Pid         int64        `json:"pid"`
	Program     string       `json:"program,omitzero"`
	Sha256      string       `json:"sha256,omitzero"`
	Trouble     string       `json:"trouble,omitzero"`
	User        string       `json:"user,omitzero"`
}

// Provisioning is the schema of that name.
type Provisioning struct {
	Address   string    `json:"address"` // Base address, for the directory.
	CreatedAt time.Time `json:"created_at,omitzero"`
	CreatedBy string    `json:"created_by,omitzero"`
	Groups    int64     `json:"groups"`
	On        bool      `json:"on"`               // There is a token.
	UsedAt    time.Time `json:"used_at,omitzero"` // To five minutes.
	Users     int64     `json:"users"`
}

// ProvisioningToken is the schema of that name.
type ProvisioningToken struct {
	Secret string `json:"secret"`
}

// RateUse is the schema of that name.
type RateUse struct {
	Class     string `json:"class"`
	Hour      int64  `json:"hour"`
	Minute    int64  `json:"minute"`
	PerHour   int64  `json:"per_hour"`
	PerMinute int64  `json:"per_minute"`
}

// Recommendation is the schema of that name.
type Recommendation struct {
	AsOf                  time.Time     `json:"as_of"`
	Category              string        `json:"category"`
	CheckImpact           int64         `json:"check_impact"`
	Component             string        `json:"component"`
	Description           string        `json:"description"`
	Ecosystem             string        `json:"ecosystem"`
	Exposed               int64         `json:"exposed"`
	ExposedAfter          int64         `json:"exposed_after"`
	Fixes                 []FixRow      `json:"fixes"`
	ID                    string        `json:"id"`
	Impact                float64       `json:"impact"`
	ImpactAfter           float64       `json:"impact_after"`
	ImpactAfterNum        string        `json:"impact_after_num"`
	ImpactDen             int64         `json:"impact_den"`
	ImpactNum             string        `json:"impact_num"`
	Installed             int64         `json:"installed"`
	Lines                 []LineRow     `json:"lines"`
	Name                  string        `json:"name"`
	NotAssessed           int64         `json:"not_assessed"`
	OSPlatforms           []string      `json:"os_platforms"`
	ProductCode           string        `json:"product_code"`
	ProductID             string        `json:"product_id"`
	Productivity          bool          `json:"productivity"`
	References            []string      `json:"references"`
	RemediationActivities int64         `json:"remediation_activities"`
	SecureGain            float64       `json:"secure_gain"`
	Severity              SeverityCount `json:"severity"`
	Status                string        `json:"status"`
	Steps                 []string      `json:"steps"`
	Subcategory           string        `json:"subcategory"`
	Supported             []EndOfLife   `json:"supported"`
	Tags                  []string      `json:"tags"`
	Threats               Threats       `json:"threats"`
	Trend                 []int64       `json:"trend"`
	Type                  string        `json:"type"`
	UserImpact            string        `json:"user_impact"`
	Vendor                string        `json:"vendor"`
	Version               string        `json:"version"`
	Weaknesses            int64         `json:"weaknesses"`
}

// RecommendationRef is the schema of that name.
type RecommendationRef struct {
	Devices int64  `json:"devices"`
	ID      string `json:"id"`
	Name    string `json:"name"`
	Type    string `json:"type"`
}

// RecommendationRow is the schema of that name.
type RecommendationRow struct {
	Category              string        `json:"category"`
	CheckImpact           int64         `json:"check_impact"`
	Component             string        `json:"component"`
	Ecosystem             string        `json:"ecosystem"`
	Exposed               int64         `json:"exposed"`
	ExposedAfter          int64         `json:"exposed_after"`
	ID                    string        `json:"id"`
	Impact                float64       `json:"impact"`
	ImpactAfter           float64       `json:"impact_after"`
	ImpactAfterNum        string        `json:"impact_after_num"`
	ImpactDen             int64         `json:"impact_den"`
	ImpactNum             string        `json:"impact_num"`
	Installed             int64         `json:"installed"`
	Name                  string        `json:"name"`
	OSPlatforms           []string      `json:"os_platforms"`
	ProductCode           string        `json:"product_code"`
	ProductID             string        `json:"product_id"`
	Productivity          bool          `json:"productivity"`
	RemediationActivities int64         `json:"remediation_activities"`
	SecureGain            float64       `json:"secure_gain"`
	Severity              SeverityCount `json:"severity"`
	Status                string        `json:"status"`
	Subcategory           string        `json:"subcategory"`
	Tags                  []string      `json:"tags"`
	Threats               Threats       `json:"threats"`
	Trend                 []int64       `json:"trend"`
	Type                  string        `json:"type"`
	Vendor                string        `json:"vendor"`
	Version               string        `json:"version"`
	Weaknesses            int64         `json:"weaknesses"`
}

// RecoverySet is the schema of that name.
type RecoverySet struct {
	Codes []string `json:"codes"`
}

// RedeemInBody is the schema of that name.
type RedeemInBody struct {
	Token string `json:"token"` // The fragment of the one-time link.
}

// Reference is the schema of that name.
type Reference struct {
	Tags []string `json:"tags,omitzero"`
	URL  string   `json:"url"`
}

// Remediation is the schema of that name.
type Remediation struct {
	AsOf               time.Time           `json:"as_of"`
	Category           string              `json:"category"`
	CompletedBy        string              `json:"completed_by"`
	CompletionMethod   string              `json:"completion_method"`
	Component          string              `json:"component"`
	CreatedAt          time.Time           `json:"created_at"`
	CreatedBy          string              `json:"created_by"`
	Description        string              `json:"description"`
	DeviceGroups       []string            `json:"device_groups"`
	Due                string              `json:"due"`
	History            []RemediationEvent  `json:"history"`
	ID                 string              `json:"id"`
	Notes              string              `json:"notes"`
	Overdue            bool                `json:"overdue"`
	Plan               *PlanRef            `json:"plan"`
	Priority           string              `json:"priority"`
	ProductID          string              `json:"product_id"`
	Progress           RemediationProgress `json:"progress"`
	RecommendationID   string              `json:"recommendation_id"`
	RecommendationOpen bool                `json:"recommendation_open"`
	Status             string              `json:"status"`
	StatusAt           time.Time           `json:"status_at"`
	Steps              []string            `json:"steps"`
	Ticket             string              `json:"ticket"`
	Tickets            []TicketRow         `json:"tickets"`
	Title              string              `json:"title"`
	Tracked            bool                `json:"tracked"`
	Type               string              `json:"type"`
	Unnoticed          bool                `json:"unnoticed"`
	Vendor             string              `json:"vendor"`
	Version            string              `json:"version"`
}

// RemediationDevice is the schema of that name.
type RemediationDevice struct {
	Alerts   int64     `json:"alerts"`
	ID       string    `json:"id"`
	LastSeen time.Time `json:"last_seen"`
	Name     string    `json:"name"`
	OSName   string    `json:"os_name"`
	State    string    `json:"state"`
}

// RemediationEvent is the schema of that name.
type RemediationEvent struct {
	At     time.Time `json:"at"`
	Detail string    `json:"detail"`
	What   string    `json:"what"`
	Who    string    `json:"who"`
}

// RemediationForm is the schema of that name.
type RemediationForm struct {
	Active       int64             `json:"active"`
	Destinations []FormDestination `json:"destinations"`
	Exposed      int64             `json:"exposed"`
	Groups       []FormGroup       `json:"groups"`
	Types        []string          `json:"types"`
	UserImpact   *NoticeCount      `json:"user_impact"`
}

// RemediationProgress is the schema of that name.
type RemediationProgress struct {
	Exposed     int64 `json:"exposed"`
	Fixed       int64 `json:"fixed"`
	NotAssessed int64 `json:"not_assessed"`
	Removed     int64 `json:"removed"`
	Silent      int64 `json:"silent"`
	Targets     int64 `json:"targets"`
}

// RemediationRow is the schema of that name.
type RemediationRow struct {
	Category         string              `json:"category"`
	CompletedBy      string              `json:"completed_by"`
	CompletionMethod string              `json:"completion_method"`
	Component        string              `json:"component"`
	CreatedAt        time.Time           `json:"created_at"`
	CreatedBy        string              `json:"created_by"`
	DeviceGroups     []string            `json:"device_groups"`
	Due              string              `json:"due"`
	ID               string              `json:"id"`
	Notes            string              `json:"notes"`
	Overdue          bool                `json:"overdue"`
	Priority         string              `json:"priority"`
	ProductID        string              `json:"product_id"`
	Progress         RemediationProgress `json:"progress"`
	RecommendationID string              `json:"recommendation_id"`
	Status           string              `json:"status"`
	StatusAt         time.Time           `json:"status_at"`
	Ticket           string              `json:"ticket"`
	Title            string              `json:"title"`
	Tracked          bool                `json:"tracked"`
	Type             string              `json:"type"`
	Unnoticed        bool                `json:"unnoticed"`
	Vendor           string              `json:"vendor"`
	Version          string              `json:"version"`
}

// RemovePasskeyInBody is the schema of that name.
type RemovePasskeyInBody struct {
	Password string `json:"password,omitzero"` // Needed when the session is older than 15 minutes.
}

// RequestRemediationInBody is the schema of that name.
type RequestRemediationInBody struct {
	Destinations     []string `json:"destinations,omitzero"` // Where tickets go; empty: just track.
	Due              string   `json:"due,omitzero"`          // YYYY-MM-DD; not for AttentionRequired.
	Groups           []int64  `json:"groups,omitzero"`       // Device groups; empty: all exposed devices.
	Notes            string   `json:"notes,omitzero"`
	Priority         string   `json:"priority"` // One of "High", "Medium", "Low".
	RecommendationID string   `json:"recommendation_id"`
	Type             string   `json:"type"`               // One of those that the form offers.
	Unnoticed        bool     `json:"unnoticed,omitzero"` // Only devices on which nobody would notice the change; for configuration changes.
}

// RestartCount is the schema of that name.
type RestartCount struct {
	Programs int64 `json:"programs"`
	Reboot   int64 `json:"reboot"`
	Unknown  int64 `json:"unknown"`
}

// RestartNeed is the schema of that name.
type RestartNeed struct {
	Installed      string    `json:"installed,omitzero"`
	Package        string    `json:"package"`
	Paths          []string  `json:"paths"`
	Processes      []Process `json:"processes"`
	RunningVersion string    `json:"running_version,omitzero"`
	Source         string    `json:"source,omitzero"`
}

// Retention is the schema of that name.
type Retention struct {
	Bytes int64           `json:"bytes"` // Bytes on disk that all events may take; the oldest go first.
	Days  int64           `json:"days"`  // Days that events are kept.
	Kinds []RetentionKind `json:"kinds"` // Kinds that are kept shorter or take less.
}

// RetentionKind is the schema of that name.
type RetentionKind struct {
	Bytes int64  `json:"bytes,omitzero"` // 0: no bound of its own; at least 16 MiB.
	Days  int64  `json:"days,omitzero"`  // 0: as all others.
	Kind  string `json:"kind"`
}

// RetentionView is the schema of that name.
type RetentionView struct {
	AsOf   time.Time       `json:"as_of"`
	Bytes  int64           `json:"bytes"` // Bytes on disk that all events may take; the oldest go first.
	Damage LogDamage       `json:"damage"`
	Days   int64           `json:"days"`  // Days that events are kept.
	Kinds  []RetentionKind `json:"kinds"` // Kinds that are kept shorter or take less.
	Stored []StoredKind    `json:"stored"`
}

// Role is the schema of that name.
type Role struct {
	Administrator bool     `json:"administrator"`
	BuiltIn       bool     `json:"built_in"`
	Description   string   `json:"description"`
	ID            int64    `json:"id"`
	Name          string   `json:"name"`
	Permissions   []string `json:"permissions"`
	UserGroups    []int64  `json:"user_groups"`
}

// RoleEdit is the schema of that name.
type RoleEdit struct {
	Description string   `json:"description,omitzero"`
	Name        string   `json:"name"`
	Permissions []string `json:"permissions"` // Identifiers of permissions.
}

// RolePermission is the schema of that name.
type RolePermission struct {
	AdministratorsOnly bool     `json:"administrators_only"`
	Area               string   `json:"area"` // One of "View", "Act", "Settings", "Live response".
	Description        string   `json:"description"`
	ID                 string   `json:"id"`
	Name               string   `json:"name"`
	Opens              []string `json:"opens"`
}

// RotateInBody is the schema of that name.
type RotateInBody struct {
	Revoke bool `json:"revoke,omitzero"` // Tokens that were issued end at once.
}

// Rule is the schema of that name.
type Rule struct {
	Conditions []Condition `json:"conditions"` // All of them must hold.
}

// RuleEdit is the schema of that name.
type RuleEdit struct {
	Description string  `json:"description,omitzero"`
	Name        string  `json:"name"`                 // Name of the group, or the tag.
	Rules       []Rule  `json:"rules"`                // Alternatives: a device is taken when one of them holds.
	UserGroups  []int64 `json:"user_groups,omitzero"` // Of a device group: the user groups that see it; an empty list: everybody does; left out: it stays. Not of tags.
}

// RulePreview is the schema of that name.
type RulePreview struct {
	Devices []PreviewRow   `json:"devices"`
	From    []PreviewGroup `json:"from"`
	Leaving int64          `json:"leaving"`
	Matched int64          `json:"matched"`
	Members int64          `json:"members"`
}

// SBOMImported is the schema of that name.
type SBOMImported struct {
	Device   string `json:"device"`
	Format   string `json:"format"` // One of "cyclonedx", "spdx".
	Name     string `json:"name"`
	New      bool   `json:"new"`
	Packages int64  `json:"packages"`
	Reasons  string `json:"reasons,omitzero"`
	Spec     string `json:"spec"`
	Subject  string `json:"subject"`
	Unread   int64  `json:"unread"`
}

// SBOMView is the schema of that name.
type SBOMView struct {
	Digest   string    `json:"digest"`
	Format   string    `json:"format"` // One of "cyclonedx", "spdx".
	Loaded   time.Time `json:"loaded"`
	LoadedBy string    `json:"loaded_by"`
	Made     time.Time `json:"made"`
	Packages int64     `json:"packages"`
	Serial   string    `json:"serial"`
	Spec     string    `json:"spec"`
	Subject  string    `json:"subject"`
	Tools    []string  `json:"tools"`
	Unread   int64     `json:"unread"`
}

// SavePlanInBody is the schema of that name.
type SavePlanInBody struct {
	Draft string `json:"draft"` // As the draft names itself.
	Name  string `json:"name"`
}

// ScanFact is the schema of that name.
type ScanFact struct {
	At       time.Time `json:"at"`
	Failed   string    `json:"failed"`
	Files    int64     `json:"files"`
	Infected int64     `json:"infected"`
}

// ScanResult is the schema of that name.
type ScanResult struct {
	Bytes      int64       `json:"bytes,omitzero"`
	Database   string      `json:"database,omitzero"`
	Detections []Detection `json:"detections,omitzero"`
	Ended      string      `json:"ended,omitzero"`
	Engine     string      `json:"engine"`
	Files      int64       `json:"files"`
	More       int64       `json:"more,omitzero"`
	Signatures time.Time   `json:"signatures,omitzero"`
	Skipped    []Skipped   `json:"skipped,omitzero"`
}

// Score is the schema of that name.
type Score struct {
	Base    float64 `json:"base"`
	Source  string  `json:"source"`
	Vector  string  `json:"vector"`
	Version string  `json:"version"`
}

// ScoreDevicePart is the schema of that name.
type ScoreDevicePart struct {
	Den     int64   `json:"den"`
	Group   string  `json:"group"`
	GroupID int64   `json:"group_id"`
	ID      string  `json:"id"`
	Level   string  `json:"level"`
	Name    string  `json:"name"`
	Num     string  `json:"num"`
	OSName  string  `json:"os_name"`
	Score   float64 `json:"score"`
	Share   float64 `json:"share"`
	Units   string  `json:"units"`
	Value   string  `json:"value"`
	Weight  float64 `json:"weight"`
}

// ScoreGroupPart is the schema of that name.
type ScoreGroupPart struct {
	Den     int64   `json:"den"`
	Devices int64   `json:"devices"`
	ID      int64   `json:"id"`
	Level   string  `json:"level"`
	Name    string  `json:"name"`
	Num     string  `json:"num"`
	Score   float64 `json:"score"`
	Share   float64 `json:"share"`
	Weight  float64 `json:"weight"`
}

// ScoreStep is the schema of that name.
type ScoreStep struct {
	After   float64 `json:"after"`
	Before  float64 `json:"before"`
	Score   string  `json:"score"` // One of "exposure", "secure".
	Trend   string  `json:"trend"` // One of "up", "down", "same", "unknown".
	Version int64   `json:"version"`
}

// ScoreTerm is the schema of that name.
type ScoreTerm struct {
	Alert     string  `json:"alert"`
	Check     string  `json:"check"`
	Component string  `json:"component"`
	CVSS      float64 `json:"cvss"`
	Exception string  `json:"exception"`
	Fallback  bool    `json:"fallback"`
	Kind      string  `json:"kind"` // One of "finding", "check", "alert".
	Points    int64   `json:"points"`
	ProductID string  `json:"product_id"`
	Severity  string  `json:"severity"` // One of "Critical", "High", "Medium", "Low", "None".
	Share     float64 `json:"share"`
	State     string  `json:"state"` // One of "fixed", "open", "no-dsa", "postponed", "ignored", "end-of-life", "affected", "not-affected", "unimportant", "undetermined", "latent-kernel", "kernel-tools", "restart-needed".
	Threats   Threats `json:"threats"`
	Units     string  `json:"units"`
	Version   string  `json:"version"`
	Weakness  string  `json:"weakness"`
}

// ScoreView is the schema of that name.
type ScoreView struct {
	AsOf    time.Time  `json:"as_of"`
	Den     int64      `json:"den"`
	Devices int64      `json:"devices"`
	Level   string     `json:"level"`
	Levels  LevelCount `json:"levels"`
	Num     string     `json:"num"`
	Score   float64    `json:"score"`
	Version int64      `json:"version"`
	Weights string     `json:"weights"`
}

// SearchHit is the schema of that name.
type SearchHit struct {
	ID   string `json:"id"`
	Info string `json:"info"`
	Kind string `json:"kind"` // One of "device", "software", "weakness".
	Name string `json:"name"`
}

// SecondInBody is the schema of that name.
type SecondInBody struct {
	Code   string `json:"code"`
	Factor string `json:"factor"` // One of "code", "recovery".
	Ticket string `json:"ticket"`
}

// SecondStep is the schema of that name.
type SecondStep struct {
	Factors []string `json:"factors"` // What may be shown.
	Ticket  string   `json:"ticket"`  // To be sent with the second factor; good for five minutes.
}

// SectionRow is the schema of that name.
type SectionRow struct {
	ChangedAt time.Time `json:"changed_at"`
	Items     int64     `json:"items"`
	Name      string    `json:"name"` // One of "os", "kernel", "hardware", "interfaces", "dpkg", "rpm", "apk", "snap", "flatpak", "python", "npm", "ruby", "golang", "java", "updates", "restart", "sysctl", "boot", "mounts", "accounts", "auth", "sshd", "services", "files", "audit", "firewall", "system", "apps".
	Reason    string    `json:"reason"`
	SeenAt    time.Time `json:"seen_at"`
	Status    string    `json:"status"` // One of "complete", "partial", "not_applicable".
}

// SecureCategory is the schema of that name.
type SecureCategory struct {
	Category string  `json:"category"`
	Got      float64 `json:"got"`
	Max      int64   `json:"max"`
	PerCent  float64 `json:"per_cent"`
}

// SecureCheck is the schema of that name.
type SecureCheck struct {
	AsOf          time.Time `json:"as_of"`
	Category      string    `json:"category"`
	Check         string    `json:"check"`
	Description   string    `json:"description"`
	Failed        int64     `json:"failed"`
	Got           float64   `json:"got"`
	GotExact      string    `json:"got_exact"`
	ID            string    `json:"id"`
	Impact        int64     `json:"impact"`
	Max           int64     `json:"max"`
	Missing       float64   `json:"missing"`
	Mitigated     int64     `json:"mitigated"`
	Name          string    `json:"name"`
	NotApplicable int64     `json:"not_applicable"`
	NotAssessed   int64     `json:"not_assessed"`
	Passed        int64     `json:"passed"`
	References    []string  `json:"references"`
	Steps         []string  `json:"steps"`
	Subcategory   string    `json:"subcategory"`
	UserImpact    string    `json:"user_impact"`
}

// SecureCheckRow is the schema of that name.
type SecureCheckRow struct {
	Category      string  `json:"category"`
	Check         string  `json:"check"`
	Failed        int64   `json:"failed"`
	Got           float64 `json:"got"`
	GotExact      string  `json:"got_exact"`
	ID            string  `json:"id"`
	Impact        int64   `json:"impact"`
	Max           int64   `json:"max"`
	Missing       float64 `json:"missing"`
	Mitigated     int64   `json:"mitigated"`
	Name          string  `json:"name"`
	NotApplicable int64   `json:"not_applicable"`
	NotAssessed   int64   `json:"not_assessed"`
	Passed        int64   `json:"passed"`
	Subcategory   string  `json:"subcategory"`
}

// SecureScoreView is the schema of that name.
type SecureScoreView struct {
	AsOf       time.Time        `json:"as_of"`
	Categories []SecureCategory `json:"categories"`
	Category   string           `json:"category"`
	Got        float64          `json:"got"`
	Max        int64            `json:"max"`
	PerCent    float64          `json:"per_cent"`
	Version    int64            `json:"version"`
}

// SecureTrendCategory is the schema of that name.
type SecureTrendCategory struct {
	Category string  `json:"category"`
	PerCent  float64 `json:"per_cent"`
}

// SecureTrendPoint is the schema of that name.
type SecureTrendPoint struct {
	At         time.Time             `json:"at"`
	Categories []SecureTrendCategory `json:"categories"`
	Devices    int64                 `json:"devices"`
	PerCent    float64               `json:"per_cent"`
	Version    int64                 `json:"version"`
}

// SensorSource is the schema of that name.
type SensorSource struct {
	Kinds []string `json:"kinds"`
	Name  string   `json:"name"`
}

// SentBack is the schema of that name.
type SentBack struct {
	Address string `json:"address"` // Of the application, registered for it.
}

// SessionRow is the schema of that name.
type SessionRow struct {
	Agent     string    `json:"agent"` // What the browser called itself.
	CreatedAt time.Time `json:"created_at"`
	Current   bool      `json:"current"` // The session that asks.
	EndsAt    time.Time `json:"ends_at"` // When it ends if it is not used again.
	ID        string    `json:"id"`
	Method    string    `json:"method"`  // How its person signed in.
	Remote    string    `json:"remote"`  // Address it was opened from.
	UsedAt    time.Time `json:"used_at"` // To five minutes.
}

// SeverityCount is the schema of that name.
type SeverityCount struct {
	Critical int64 `json:"critical"`
	High     int64 `json:"high"`
	Low      int64 `json:"low"`
	Medium   int64 `json:"medium"`
	Unrated  int64 `json:"unrated"`
}

// SignIn is the schema of that name.
type SignIn struct {
	Me   Me         `json:"me,omitzero"`   // Who is signed in now.
	Step SecondStep `json:"step,omitzero"` // The second factor that is missing; nobody is signed in yet.
}

// SignInInBody is the schema of that name.
type SignInInBody struct {
	Password string `json:"password"`
	Username string `json:"username"`
}

// SignInPolicy is the schema of that name.
type SignInPolicy struct {
	LocalAdminsOnly bool    `json:"local_admins_only"` // Only administrators sign in with a password or passkey of Picket; everybody else by single sign-on.
	Roles           []int64 `json:"roles"`             // Ids of roles, for second_factor roles.
	SecondFactor    string  `json:"second_factor"`     // Who needs a second factor. One of "optional", "roles", "everyone".
}

// SignInWays is the schema of that name.
type SignInWays struct {
	LocalAdminsOnly bool   `json:"local_admins_only"` // Passwords and passkeys are for administrators.
	SingleSignOn    string `json:"single_sign_on"`    // What the button says; empty: there is none.
}

// SignedOut is the schema of that name.
type SignedOut struct {
	Address string `json:"address"` // Of the identity provider, where the session there is ended; empty: stay.
}

// SigningKey is the schema of that name.
type SigningKey struct {
	ID    string    `json:"id"`
	Until time.Time `json:"until,omitzero"` // When the last token that it signed ends; absent for the key in use.
}

// SingleSignOnEdit is the schema of that name.
type SingleSignOnEdit struct {
	ClientID     string         `json:"client_id"`
	Enabled      bool           `json:"enabled"`
	GroupClaim   string         `json:"group_claim"`     // Claim of the id token that names the person's groups; empty: groups are not taken from it.
	Groups       []GroupMapping `json:"groups"`          // Values of the group claim and the user groups that they mean.
	Issuer       string         `json:"issuer"`          // https://…, as the provider calls itself.
	LinkClaim    string         `json:"link_claim"`      // Claim that holds what provisioning calls externalId: ties a provisioned account to the person. Empty: sub.
	Name         string         `json:"name"`            // What the button on the sign-in page says.
	RequireGroup bool           `json:"require_group"`   // Nobody is let in who is in none of these groups.
	Scopes       []string       `json:"scopes"`          // Besides openid.
	Secret       string         `json:"secret,omitzero"` // Client secret; left out: the one that is kept.
}

// SingleSignOnView is the schema of that name.
type SingleSignOnView struct {
	ClientID     string         `json:"client_id"`
	Enabled      bool           `json:"enabled"`
	GroupClaim   string         `json:"group_claim"` // Claim of the id token that names the person's groups; empty: groups are not taken from it.
	Groups       []GroupMapping `json:"groups"`      // Values of the group claim and the user groups that they mean.
	HasSecret    bool           `json:"has_secret"`
	Issuer       string         `json:"issuer"`        // https://…, as the provider calls itself.
	LinkClaim    string         `json:"link_claim"`    // Claim that holds what provisioning calls externalId: ties a provisioned account to the person. Empty: sub.
	Name         string         `json:"name"`          // What the button on the sign-in page says.
	Redirect     string         `json:"redirect"`      // Address that the provider must send people back to.
	RequireGroup bool           `json:"require_group"` // Nobody is let in who is in none of these groups.
	Scopes       []string       `json:"scopes"`        // Besides openid.
}

// Skipped is the schema of that name.
type Skipped struct {
	Files  int64  `json:"files"`
	Reason string `json:"reason"`
}

// Software is the schema of that name.
type Software struct {
	Checks        []SoftwareCheck `json:"checks"`
	Distribution  []VersionRow    `json:"distribution"`
	Ecosystem     string          `json:"ecosystem"`
	EOL           []EndOfLife     `json:"eol"`
	EventDays     []EventDay      `json:"event_days"`
	Exposed       int64           `json:"exposed"`
	ID            string          `json:"id"`
	Impact        float64         `json:"impact"`
	Installed     int64           `json:"installed"`
	Misconfigured SeverityCount   `json:"misconfigured"`
	Name          string          `json:"name"`
	NotAssessed   string          `json:"not_assessed"`
	ProductCode   string          `json:"product_code"`
	Severity      SeverityCount   `json:"severity"`
	Tags          []string        `json:"tags"`
	Threats       Threats         `json:"threats"`
	Trend         []int64         `json:"trend"`
	Vendor        string          `json:"vendor"`
	Versions      int64           `json:"versions"`
	Weaknesses    int64           `json:"weaknesses"`
}

// SoftwareCheck is the schema of that name.
type SoftwareCheck struct {
	Devices  int64  `json:"devices"`
	ID       string `json:"id"`
	Impact   int64  `json:"impact"`
	Name     string `json:"name"`
	Severity string `json:"severity"` // One of "Critical", "High", "Medium", "Low", "None".
}

// SoftwareRef is the schema of that name.
type SoftwareRef struct {
	Fixed   string `json:"fixed"`
	ID      string `json:"id"`
	Name    string `json:"name"`
	Vendor  string `json:"vendor"`
	Version string `json:"version"`
}

// SoftwareRow is the schema of that name.
type SoftwareRow struct {
	Ecosystem   string        `json:"ecosystem"`
	Exposed     int64         `json:"exposed"`
	ID          string        `json:"id"`
	Impact      float64       `json:"impact"`
	Installed   int64         `json:"installed"`
	Name        string        `json:"name"`
	NotAssessed string        `json:"not_assessed"`
	ProductCode string        `json:"product_code"`
	Severity    SeverityCount `json:"severity"`
	Tags        []string      `json:"tags"`
	Threats     Threats       `json:"threats"`
	Trend       []int64       `json:"trend"`
	Vendor      string        `json:"vendor"`
	Versions    int64         `json:"versions"`
	Weaknesses  int64         `json:"weaknesses"`
}

// Start is the schema of that name.
type Start struct {
	File  string `json:"file"`
	Line  string `json:"line"`
	Place string `json:"place"`
}

// Status is the schema of that name.
type Status struct {
	Approvals         int64    `json:"approvals,omitzero"`
	Connected         int64    `json:"connected"`
	DemoIntelligence  bool     `json:"demo_intelligence"`
	Devices           int64    `json:"devices"`
	Health            string   `json:"health"` // One of "ok", "amber".
	IntelligenceEmpty bool     `json:"intelligence_empty"`
	Lockdown          Lockdown `json:"lockdown,omitzero"`
	NeedsPassword     bool     `json:"needs_password"`
	Notices           []Notice `json:"notices"`
	Version           string   `json:"version"`
	Weaknesses        int64    `json:"weaknesses"`
}

// StoredKind is the schema of that name.
type StoredKind struct {
	Bytes        int64     `json:"bytes"`
	DayBytes     int64     `json:"day_bytes"` // Of bytes: what happened in the last 24 hours.
	Events       int64     `json:"events"`
	Kind         string    `json:"kind"`
	Oldest       time.Time `json:"oldest,omitzero"`
	WillHoldDays float64   `json:"will_hold_days"`
}

// SureInBody is the schema of that name.
type SureInBody struct {
	Password string `json:"password,omitzero"` // Needed when the session is older than 15 minutes.
}

// TagChange is the schema of that name.
type TagChange struct {
	Add     []string `json:"add,omitzero"`
	Devices []string `json:"devices"` // Ids or names.
	Remove  []string `json:"remove,omitzero"`
}

// TagResult is the schema of that name.
type TagResult struct {
	Changed int64 `json:"changed"`
	Kept    int64 `json:"kept"`
}

// TagRow is the schema of that name.
type TagRow struct {
	Devices int64    `json:"devices"`
	Kinds   []string `json:"kinds"`
	Manual  int64    `json:"manual"`
	Tag     string   `json:"tag"`
}

// TagRule is the schema of that name.
type TagRule struct {
	Description string `json:"description"`
	Devices     int64  `json:"devices"`
	ID          int64  `json:"id"`
	Rules       []Rule `json:"rules"`
	Tag         string `json:"tag"`
}

// TaskResult is the schema of that name.
type TaskResult struct {
	Investigation InvestigationResult `json:"investigation,omitzero"`
	Package       PackageResult       `json:"package,omitzero"`
	Scan          ScanResult          `json:"scan,omitzero"`
}

// Technique is the schema of that name.
type Technique struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Reason  string   `json:"reason,omitzero"`
	Tactics []string `json:"tactics"`
}

// TechniqueCount is the schema of that name.
type TechniqueCount struct {
	Events int64  `json:"events"`
	ID     string `json:"id"`
	Name   string `json:"name"`
}

// TestResult is the schema of that name.
type TestResult struct {
	Mend string `json:"mend"`
	Ok   bool   `json:"ok"`
	Text string `json:"text"`
}

// Threats is the schema of that name.
type Threats struct {
	Alerts     int64   `json:"alerts"`
	EPSS       float64 `json:"epss"`
	Exploit    string  `json:"exploit"` // One of "NoExploit", "ExploitIsPublic", "ExploitIsVerified", "ExploitIsInKit".
	KEV        bool    `json:"kev"`
	Ransomware bool    `json:"ransomware"`
}

// TicketRow is the schema of that name.
type TicketRow struct {
	AskError    string    `json:"ask_error"`
	AskedAt     time.Time `json:"asked_at,omitzero"`
	Attempts    int64     `json:"attempts"`
	CreatedAt   time.Time `json:"created_at"`
	Destination string    `json:"destination"`
	Error       string    `json:"error"`
	Event       string    `json:"event"`
	ID          int64     `json:"id"`
	Kind        string    `json:"kind"`
	Mend        string    `json:"mend"`
	NextAt      time.Time `json:"next_at,omitzero"`
	Phase       string    `json:"phase"`
	Ref         string    `json:"ref"`
	SentAt      time.Time `json:"sent_at,omitzero"`
	State       string    `json:"state"`
	Until       time.Time `json:"until,omitzero"`
	URL         string    `json:"url"`
	Word        string    `json:"word"`
}

// Timeline is the schema of that name.
type Timeline struct {
	AsOf          time.Time        `json:"as_of"`
	Complete      bool             `json:"complete"`
	Cursor        string           `json:"cursor"`
	Damaged       int64            `json:"damaged"`
	Items         []TimelineRow    `json:"items"`
	Missing       []MissingPart    `json:"missing"`
	MissingPauses int64            `json:"missing_pauses"`
	MissingTotal  int64            `json:"missing_total"`
	SkewSeconds   float64          `json:"skew_seconds"`
	Unreadable    []UnreadablePart `json:"unreadable"`
}

// TimelineBucket is the schema of that name.
type TimelineBucket struct {
	Groups map[string]int64 `json:"groups"`
	Start  time.Time        `json:"start"`
}

// TimelineCounts is the schema of that name.
type TimelineCounts struct {
	Alerts         []AlertRef          `json:"alerts"`
	Buckets        []TimelineBucket    `json:"buckets"`
	First          time.Time           `json:"first"`
	Flags          []FlagMark          `json:"flags"`
	From           time.Time           `json:"from"`
	Groups         map[string]int64    `json:"groups"`
	Investigations []InvestigationMark `json:"investigations"`
	Last           time.Time           `json:"last"`
	StepSeconds    int64               `json:"step_seconds"`
	To             time.Time           `json:"to"`
	Total          int64               `json:"total"`
}

// TimelineEvent is the schema of that name.
type TimelineEvent struct {
	Action     string                     `json:"action"`
	Alerts     []AlertRef                 `json:"alerts"`
	Cut        bool                       `json:"cut"`
	DeviceID   string                     `json:"device_id"`
	DeviceName string                     `json:"device_name"`
	Edges      []GraphEdge                `json:"edges"`
	Entities   []Entity                   `json:"entities"`
	Fields     map[string]json.RawMessage `json:"fields"`
	Flagged    bool                       `json:"flagged"`
	Group      string                     `json:"group"`
	HostTime   time.Time                  `json:"host_time"`
	ID         string                     `json:"id"`
	Info       []string                   `json:"info"`
	Kind       string                     `json:"kind"`
	Nodes      []GraphNode                `json:"nodes"`
	Received   time.Time                  `json:"received"`
	Seq        int64                      `json:"seq"`
	Table      string                     `json:"table"`
	Techniques []Technique                `json:"techniques"`
	Time       time.Time                  `json:"time"`
	Title      string                     `json:"title"`
	User       string                     `json:"user"`
}

// TimelineRow is the schema of that name.
type TimelineRow struct {
	Action     string                     `json:"action"`
	Alerts     []AlertRef                 `json:"alerts"`
	Entities   []Entity                   `json:"entities"`
	Fields     map[string]json.RawMessage `json:"fields"`
	Flagged    bool                       `json:"flagged"`
	Group      string                     `json:"group"`
	HostTime   time.Time                  `json:"host_time"`
	ID         string                     `json:"id"`
	Info       []string                   `json:"info"`
	Kind       string                     `json:"kind"`
	Received   time.Time                  `json:"received"`
	Seq        int64                      `json:"seq"`
	Table      string                     `json:"table"`
	Techniques []Technique                `json:"techniques"`
	Time       time.Time                  `json:"time"`
	Title      string                     `json:"title"`
	User       string                     `json:"user"`
}

// TokenRow is the schema of that name.
type TokenRow struct {
	Created   time.Time `json:"created"`
	CreatedBy string    `json:"created_by"`
	Expires   time.Time `json:"expires"`
	ID        string    `json:"id"`
	MaxUses   int64     `json:"max_uses"`
	Note      string    `json:"note"`
	Revoked   bool      `json:"revoked"`
	Uses      int64     `json:"uses"`
}

// TopDevice is the schema of that name.
type TopDevice struct {
	ID         string    `json:"id"`
	LastSeen   time.Time `json:"last_seen"`
	Level      string    `json:"level"`
	Name       string    `json:"name"`
	OSName     string    `json:"os_name"`
	Score      float64   `json:"score"`
	Weaknesses int64     `json:"weaknesses"`
}

// TopRemediation is the schema of that name.
type TopRemediation struct {
	Due      string              `json:"due"`
	ID       string              `json:"id"`
	Overdue  bool                `json:"overdue"`
	Priority string              `json:"priority"`
	Progress RemediationProgress `json:"progress"`
	Title    string              `json:"title"`
	Tracked  bool                `json:"tracked"`
	Type     string              `json:"type"`
}

// TopSoftware is the schema of that name.
type TopSoftware struct {
	Exposed    int64    `json:"exposed"`
	ID         string   `json:"id"`
	Impact     float64  `json:"impact"`
	Installed  int64    `json:"installed"`
	Name       string   `json:"name"`
	Tags       []string `json:"tags"`
	Threats    Threats  `json:"threats"`
	Trend      []int64  `json:"trend"`
	Vendor     string   `json:"vendor"`
	Weaknesses int64    `json:"weaknesses"`
}

// TrendPoint is the schema of that name.
type TrendPoint struct {
	At      time.Time `json:"at"`
	Devices int64     `json:"devices"`
	Score   float64   `json:"score"`
	Version int64     `json:"version"`
	Weights string    `json:"weights"`
}

// UnreadablePart is the schema of that name.
type UnreadablePart struct {
	Bytes  int64     `json:"bytes"`
	Events int64     `json:"events"`
	From   time.Time `json:"from,omitzero"`
	To     time.Time `json:"to,omitzero"`
	What   string    `json:"what"` // One of "segment", "block", "index", "log".
}

// User is the schema of that name.
type User struct {
	Description string `json:"description,omitzero"`
	Gid         string `json:"gid,omitzero"`
	Home        string `json:"home,omitzero"`
	Name        string `json:"name"`
	Shell       string `json:"shell,omitzero"`
	Uid         string `json:"uid"`
}

// UserGroup is the schema of that name.
type UserGroup struct {
	BuiltIn      bool    `json:"built_in"`
	Description  string  `json:"description"`
	DeviceGroups []int64 `json:"device_groups"`
	ID           int64   `json:"id"`
	Members      int64   `json:"members"`
	Name         string  `json:"name"`
	Roles        []int64 `json:"roles"`
	Source       string  `json:"source"` // One of "local", "oidc", "scim".
}

// UserGroupEdit is the schema of that name.
type UserGroupEdit struct {
	Description string  `json:"description,omitzero"`
	Members     []int64 `json:"members,omitzero"` // Ids of people that an administrator makes members; left out: they stay. Memberships that a directory gives stay in any case.
	Name        string  `json:"name"`
	Roles       []int64 `json:"roles,omitzero"` // Ids of roles; left out: they stay.
}

// VEXDocument is the schema of that name.
type VEXDocument struct {
	Applied        int64          `json:"applied"`
	Author         string         `json:"author"`
	Digest         string         `json:"digest"`
	Document       string         `json:"document"`
	Exceptions     int64          `json:"exceptions"`
	Format         string         `json:"format"`
	ID             string         `json:"id"`
	Loaded         time.Time      `json:"loaded"`
	LoadedBy       string         `json:"loaded_by"`
	Made           time.Time      `json:"made"`
	Matched        int64          `json:"matched"`
	Overruled      int64          `json:"overruled"`
	Problem        string         `json:"problem"`
	Statements     int64          `json:"statements"`
	Title          string         `json:"title"`
	Unmatched      []VEXUnmatched `json:"unmatched"`
	UnmatchedCount int64          `json:"unmatched_count"`
	Version        string         `json:"version"`
}

// VEXRemoval is the schema of that name.
type VEXRemoval struct {
	Count      int64    `json:"count"`
	Devices    int64    `json:"devices"`
	Exceptions int64    `json:"exceptions"`
	Findings   int64    `json:"findings"`
	Made       int64    `json:"made"`
	Weaknesses []string `json:"weaknesses"`
}

// VEXRow is the schema of that name.
type VEXRow struct {
	Applied        int64     `json:"applied"`
	Author         string    `json:"author"`
	Digest         string    `json:"digest"`
	Document       string    `json:"document"`
	Exceptions     int64     `json:"exceptions"`
	Format         string    `json:"format"`
	ID             string    `json:"id"`
	Loaded         time.Time `json:"loaded"`
	LoadedBy       string    `json:"loaded_by"`
	Made           time.Time `json:"made"`
	Matched        int64     `json:"matched"`
	Overruled      int64     `json:"overruled"`
	Problem        string    `json:"problem"`
	Statements     int64     `json:"statements"`
	Title          string    `json:"title"`
	UnmatchedCount int64     `json:"unmatched_count"`
	Version        string    `json:"version"`
}

// VEXStatement is the schema of that name.
type VEXStatement struct {
	Detail        string `json:"detail"`
	Devices       int64  `json:"devices"`
	Justification string `json:"justification"`
	Outcome       string `json:"outcome"`
	Place         int64  `json:"place"`
	Product       string `json:"product"`
	Reason        string `json:"reason"`
	Software      string `json:"software"`
	Status        string `json:"status"`
	Weakness      string `json:"weakness"`
}

// VEXUnmatched is the schema of that name.
type VEXUnmatched struct {
	Product  string `json:"product"`
	Reason   string `json:"reason"`
	Weakness string `json:"weakness"`
}

// ValueCount is the schema of that name.
type ValueCount struct {
	High   int64 `json:"high"`
	Low    int64 `json:"low"`
	Normal int64 `json:"normal"`
}

// VersionRow is the schema of that name.
type VersionRow struct {
	EOL        *EndOfLife    `json:"eol"`
	Exposed    int64         `json:"exposed"`
	Installed  int64         `json:"installed"`
	Places     []string      `json:"places"`
	Severity   SeverityCount `json:"severity"`
	Tags       []string      `json:"tags"`
	Version    string        `json:"version"`
	Weaknesses int64         `json:"weaknesses"`
}

// Weakness is the schema of that name.
type Weakness struct {
	Aliases        []string    `json:"aliases"`
	CWEs           []string    `json:"cwes,omitzero"`
	Description    string      `json:"description"`
	EPSS           float64     `json:"epss"`
	EPSSDate       string      `json:"epss_date,omitzero"`
	EPSSPercentile float64     `json:"epss_percentile"`
	Exploit        string      `json:"exploit"` // One of "NoExploit", "ExploitIsPublic", "ExploitIsVerified", "ExploitIsInKit".
	ExploitTypes   []string    `json:"exploit_types,omitzero"`
	ID             string      `json:"id"`
	KEV            *KEV        `json:"kev"`
	Modified       time.Time   `json:"modified,omitzero"`
	Published      time.Time   `json:"published,omitzero"`
	References     []Reference `json:"references,omitzero"`
	Rejected       bool        `json:"rejected"`
	Scores         []Score     `json:"scores"`
	Severity       string      `json:"severity"` // One of "Critical", "High", "Medium", "Low", "None".
	SeverityFrom   string      `json:"severity_from"`
	Sources        []string    `json:"sources"`
	Title          string      `json:"title,omitzero"`
}

// WeaknessDetail is the schema of that name.
type WeaknessDetail struct {
	Affected        int64               `json:"affected"`
	AgeDays         int64               `json:"age_days"`
	CVSS            float64             `json:"cvss"`
	CVSSVersion     string              `json:"cvss_version"`
	EPSS            float64             `json:"epss"`
	Exception       bool                `json:"exception"`
	Exposed         int64               `json:"exposed"`
	ExposedAfter    int64               `json:"exposed_after"`
	ExposedUnknown  bool                `json:"exposed_unknown"`
	Fixable         bool                `json:"fixable"`
	ID              string              `json:"id"`
	Published       time.Time           `json:"published,omitzero"`
	Recommendations []RecommendationRef `json:"recommendations"`
	Severity        string              `json:"severity"` // One of "Critical", "High", "Medium", "Low", "None".
	Software        []SoftwareRef       `json:"software"`
	SoftwareCount   int64               `json:"software_count"`
	States          []string            `json:"states"`
	Tags            []string            `json:"tags"`
	Threats         Threats             `json:"threats"`
	Title           string              `json:"title"`
	Updated         time.Time           `json:"updated,omitzero"`
	Weakness        Weakness            `json:"weakness"`
}

// WeaknessDevice is the schema of that name.
type WeaknessDevice struct {
	Alerts     int64         `json:"alerts"`
	Exposed    bool          `json:"exposed"`
	FirstSeen  time.Time     `json:"first_seen"`
	FixVersion string        `json:"fix_version"`
	ID         string        `json:"id"`
	LastSeen   time.Time     `json:"last_seen"`
	Name       string        `json:"name"`
	OSName     string        `json:"os_name"`
	Software   []SoftwareRef `json:"software"`
	State      string        `json:"state"` // One of "fixed", "open", "no-dsa", "postponed", "ignored", "end-of-life", "affected", "not-affected", "unimportant", "undetermined", "latent-kernel", "kernel-tools", "restart-needed".
	Update     bool          `json:"update"`
}

// WeaknessRow is the schema of that name.
type WeaknessRow struct {
	Affected       int64         `json:"affected"`
	AgeDays        int64         `json:"age_days"`
	CVSS           float64       `json:"cvss"`
	CVSSVersion    string        `json:"cvss_version"`
	EPSS           float64       `json:"epss"`
	Exception      bool          `json:"exception"`
	Exposed        int64         `json:"exposed"`
	ExposedAfter   int64         `json:"exposed_after"`
	ExposedUnknown bool          `json:"exposed_unknown"`
	Fixable        bool          `json:"fixable"`
	ID             string        `json:"id"`
	Published      time.Time     `json:"published,omitzero"`
	Severity       string        `json:"severity"` // One of "Critical", "High", "Medium", "Low", "None".
	Software       []SoftwareRef `json:"software"`
	SoftwareCount  int64         `json:"software_count"`
	States         []string      `json:"states"`
	Tags           []string      `json:"tags"`
	Threats        Threats       `json:"threats"`
	Title          string        `json:"title"`
	Updated        time.Time     `json:"updated,omitzero"`
}

// WeaknessSoftwareRow is the schema of that name.
type WeaknessSoftwareRow struct {
	Ecosystem string  `json:"ecosystem"`
	Exposed   int64   `json:"exposed"`
	Fixed     string  `json:"fixed"`
	ID        string  `json:"id"`
	Installed int64   `json:"installed"`
	Name      string  `json:"name"`
	Threats   Threats `json:"threats"`
	Update    bool    `json:"update"`
	Vendor    string  `json:"vendor"`
}

// WhatIf is the schema of that name.
type WhatIf struct {
	After      ScoreView    `json:"after"`
	Before     ScoreView    `json:"before"`
	Checks     int64        `json:"checks"`
	Cleared    int64        `json:"cleared"`
	Devices    int64        `json:"devices"`
	Findings   int64        `json:"findings"`
	Impact     float64      `json:"impact"`
	ImpactDen  int64        `json:"impact_den"`
	ImpactNum  string       `json:"impact_num"`
	Items      []WhatIfItem `json:"items"`
	Restarts   RestartCount `json:"restarts"`
	Separate   float64      `json:"separate"`
	Weaknesses int64        `json:"weaknesses"`
}

// WhatIfInBody is the schema of that name.
type WhatIfInBody struct {
	Recommendations []string `json:"recommendations"` // Ids of recommendations that are carried out together.
}

// WhatIfItem is the schema of that name.
type WhatIfItem struct {
	Devices int64   `json:"devices"`
	ID      string  `json:"id"`
	Impact  float64 `json:"impact"`
	Name    string  `json:"name"`
	Open    bool    `json:"open"`
	Type    string  `json:"type"`
}

// Word is the schema of that name.
type Word struct {
	Arguments   string `json:"arguments"`
	Description string `json:"description"`
	Kind        string `json:"kind"` // One of "function", "aggregate", "operator".
	Name        string `json:"name"`
}

// ActOnDevice: Collect a package from a device, scan, isolate, release or investigate it; it waits for the device, and for an approval where one is needed (POST /devices/{id}/actions).
func (c *Client) ActOnDevice(ctx context.Context, id string, in NewMachineAction) (MachineAction, error) {
	var out MachineAction
	err := c.do(ctx, http.MethodPost, "/devices/"+pathValue(id)+"/actions", nil, in, &out)
	return out, err
}

// ActOnDevices: The same on several devices; what one of them cannot do is told with it (POST /machine-actions).
func (c *Client) ActOnDevices(ctx context.Context, in DevicesActionInBody) (MachineActionResults, error) {
	var out MachineActionResults
	err := c.do(ctx, http.MethodPost, "/machine-actions", nil, in, &out)
	return out, err
}

// ActionKindsParams are the query of ActionKinds. Zero values are left out.
type ActionKindsParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ActionKindsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// ActionKinds: Actions on devices, and which of them the caller may ask for (GET /action-kinds).
func (c *Client) ActionKinds(ctx context.Context, p ActionKindsParams) ([]ActionKind, error) {
	var out []ActionKind
	err := c.do(ctx, http.MethodGet, "/action-kinds", p.values(), nil, &out)
	return out, err
}

// AddApplicationSecret: Make another secret, shown once (POST /applications/{id}/secrets).
func (c *Client) AddApplicationSecret(ctx context.Context, id string, in NewSecret) (Credentials, error) {
	var out Credentials
	err := c.do(ctx, http.MethodPost, "/applications/"+pathValue(id)+"/secrets", nil, in, &out)
	return out, err
}

// AddDestination: Add a place for tickets (POST /ticketing).
func (c *Client) AddDestination(ctx context.Context, in DestinationBody) (DestinationRow, error) {
	var out DestinationRow
	err := c.do(ctx, http.MethodPost, "/ticketing", nil, in, &out)
	return out, err
}

// AddPasskey: Register a passkey; answers recovery codes when there were none (POST /me/passkeys).
func (c *Client) AddPasskey(ctx context.Context, in NewPasskeyInBody) (RecoverySet, error) {
	var out RecoverySet
	err := c.do(ctx, http.MethodPost, "/me/passkeys", nil, in, &out)
	return out, err
}

// AddPerson: Make an account, with a one-time sign-in link (POST /people).
func (c *Client) AddPerson(ctx context.Context, in NewPerson) (PersonLink, error) {
	var out PersonLink
	err := c.do(ctx, http.MethodPost, "/people", nil, in, &out)
	return out, err
}

// AlertParams are the query of Alert. Zero values are left out.
type AlertParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p AlertParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Alert: One alert with its evidence and history (GET /alerts/{id}).
func (c *Client) Alert(ctx context.Context, id string, p AlertParams) (Alert, error) {
	var out Alert
	err := c.do(ctx, http.MethodGet, "/alerts/"+pathValue(id), p.values(), nil, &out)
	return out, err
}

// AlertSummaryParams are the query of AlertSummary. Zero values are left out.
type AlertSummaryParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p AlertSummaryParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// AlertSummary: Active alerts, counted (GET /alerts/summary).
func (c *Client) AlertSummary(ctx context.Context, p AlertSummaryParams) (AlertSummary, error) {
	var out AlertSummary
	err := c.do(ctx, http.MethodGet, "/alerts/summary", p.values(), nil, &out)
	return out, err
}

// AlertsParams are the query of Alerts. Zero values are left out.
type AlertsParams struct {
	Page               int64    // Page, from 1.
	Size               int64    // Rows per page.
	Q                  string   // Free text, matched without regard to case.
	Sort               []string // Columns; minus is descending.
	Severity           []string // One of "UnSpecified", "Informational", "Low", "Medium", "High".
	Status             []string // One of "New", "InProgress", "Resolved".
	Category           []string // Kinds of threat, as the Defender API names them.
	Classification     []string // What it turned out to be; - is not set. One of "-", "TruePositive", "InformationalExpectedActivity", "FalsePositive".
	Source             []string // Detection source.
	Assigned           []string // Whom it is assigned to; - is nobody.
	Active             []string // Whether it counts in risk and exposure. One of "true", "false".
	Simulated          []string // Whether its device is a simulated one. One of "true", "false".
	Device             []string // Device ids.
	DeviceGroup        []string // Device groups, by number; 0: devices that no rule takes.
	Technique          []string // ATT&CK techniques, with those under them.
	Entity             []string // What its events name: file:SHA-256 or SHA-1, ip:address, domain:host, user:name.
	Weakness           []string // On devices that are exposed to one of these weaknesses.
	Software           []string // On devices that are exposed by one of these products.
	Recommendation     []string // On devices that one of these recommendations is for.
	From               []string // Raised at this instant or later (RFC 3339).
	To                 []string // Raised before this instant (RFC 3339).
	Raised             []string // Raised within so many days. One of "1", "7", "30".
	InvestigationState []string // How the latest investigation that has it stands; - is none. One of "-", "Queued", "PendingApproval", "PendingResource", "Running", "Benign", "PartiallyInvestigated", "Failed", "TerminatedByUser", "TerminatedBySystem".
	Group              []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p AlertsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "severity", p.Severity)
	addQuery(q, "status", p.Status)
	addQuery(q, "category", p.Category)
	addQuery(q, "classification", p.Classification)
	addQuery(q, "source", p.Source)
	addQuery(q, "assigned", p.Assigned)
	addQuery(q, "active", p.Active)
	addQuery(q, "simulated", p.Simulated)
	addQuery(q, "device", p.Device)
	addQuery(q, "device_group", p.DeviceGroup)
	addQuery(q, "technique", p.Technique)
	addQuery(q, "entity", p.Entity)
	addQuery(q, "weakness", p.Weakness)
	addQuery(q, "software", p.Software)
	addQuery(q, "recommendation", p.Recommendation)
	addQuery(q, "from", p.From)
	addQuery(q, "to", p.To)
	addQuery(q, "raised", p.Raised)
	addQuery(q, "investigation_state", p.InvestigationState)
	addQuery(q, "group", p.Group)
	return q
}

// Alerts: Alerts (GET /alerts).
func (c *Client) Alerts(ctx context.Context, p AlertsParams) (PageAlertRow, error) {
	var out PageAlertRow
	err := c.do(ctx, http.MethodGet, "/alerts", p.values(), nil, &out)
	return out, err
}

// AlertsAll gives the rows of all pages of Alerts, and an error as the last.
func (c *Client) AlertsAll(ctx context.Context, p AlertsParams) iter.Seq2[AlertRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]AlertRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.Alerts(ctx, p)
		return out.Items, out.Total, err
	})
}

// APISettingsParams are the query of APISettings. Zero values are left out.
type APISettingsParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p APISettingsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// APISettings: What holds for all applications (GET /api-settings).
func (c *Client) APISettings(ctx context.Context, p APISettingsParams) (APISettings, error) {
	var out APISettings
	err := c.do(ctx, http.MethodGet, "/api-settings", p.values(), nil, &out)
	return out, err
}

// ApplicationGrantsParams are the query of ApplicationGrants. Zero values are left out.
type ApplicationGrantsParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ApplicationGrantsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// ApplicationGrants: People whom an application acts for (GET /applications/{id}/grants).
func (c *Client) ApplicationGrants(ctx context.Context, id string, p ApplicationGrantsParams) ([]GrantRow, error) {
	var out []GrantRow
	err := c.do(ctx, http.MethodGet, "/applications/"+pathValue(id)+"/grants", p.values(), nil, &out)
	return out, err
}

// ApplicationsParams are the query of Applications. Zero values are left out.
type ApplicationsParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ApplicationsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Applications: Applications and people's own tokens (GET /applications).
func (c *Client) Applications(ctx context.Context, p ApplicationsParams) ([]AppRow, error) {
	var out []AppRow
	err := c.do(ctx, http.MethodGet, "/applications", p.values(), nil, &out)
	return out, err
}

// ApprovalParams are the query of Approval. Zero values are left out.
type ApprovalParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ApprovalParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Approval: One request (GET /approvals/{id}).
func (c *Client) Approval(ctx context.Context, id string, p ApprovalParams) (ApprovalRow, error) {
	var out ApprovalRow
	err := c.do(ctx, http.MethodGet, "/approvals/"+pathValue(id), p.values(), nil, &out)
	return out, err
}

// ApprovalPolicyParams are the query of ApprovalPolicy. Zero values are left out.
type ApprovalPolicyParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ApprovalPolicyParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// ApprovalPolicy: What somebody else has to approve (GET /approval-policy).
func (c *Client) ApprovalPolicy(ctx context.Context, p ApprovalPolicyParams) (ApprovalPolicy, error) {
	var out ApprovalPolicy
	err := c.do(ctx, http.MethodGet, "/approval-policy", p.values(), nil, &out)
	return out, err
}

// ApprovalsParams are the query of Approvals. Zero values are left out.
type ApprovalsParams struct {
	Page      int64    // Page, from 1.
	Size      int64    // Rows per page.
	Q         string   // Free text, matched without regard to case.
	Sort      []string // Columns; minus is descending. One of "created", "-created", "expires", "-expires", "name", "-name", "requester", "-requester", "state", "-state".
	State     []string // One of "pending", "approved", "running", "done", "failed", "refused", "withdrawn", "expired", "cancelled".
	Kind      []string // Ids of actions, approval-policy or leave-approval.
	Requester []string // Names of people and applications.
	Device    []string // Ids of devices.
	Group     []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ApprovalsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "state", p.State)
	addQuery(q, "kind", p.Kind)
	addQuery(q, "requester", p.Requester)
	addQuery(q, "device", p.Device)
	addQuery(q, "group", p.Group)
	return q
}

// Approvals: Requests that somebody else has to approve, and what became of them (GET /approvals).
func (c *Client) Approvals(ctx context.Context, p ApprovalsParams) (PageApprovalRow, error) {
	var out PageApprovalRow
	err := c.do(ctx, http.MethodGet, "/approvals", p.values(), nil, &out)
	return out, err
}

// ApprovalsAll gives the rows of all pages of Approvals, and an error as the last.
func (c *Client) ApprovalsAll(ctx context.Context, p ApprovalsParams) iter.Seq2[ApprovalRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]ApprovalRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.Approvals(ctx, p)
		return out.Items, out.Total, err
	})
}

// ApproveAction: Approve what somebody else asked for; it is carried out at once (POST /approvals/{id}/approve).
func (c *Client) ApproveAction(ctx context.Context, id string, in DecideInBody) (ApprovalRow, error) {
	var out ApprovalRow
	err := c.do(ctx, http.MethodPost, "/approvals/"+pathValue(id)+"/approve", nil, in, &out)
	return out, err
}

// AskPasskey: Start a sign-in by passkey (POST /session/passkey/ask).
func (c *Client) AskPasskey(ctx context.Context, in AskPasskeyInBody) (Ceremony, error) {
	var out Ceremony
	err := c.do(ctx, http.MethodPost, "/session/passkey/ask", nil, in, &out)
	return out, err
}

// AuditParams are the query of Audit. Zero values are left out.
type AuditParams struct {
	Page    int64    // Page, from 1.
	Size    int64    // Rows per page.
	Q       string   // Free text, matched without regard to case.
	Sort    []string // Order of time; minus is newest first. One of "at", "-at".
	Actor   []string // Names of people, applications and accounts of the server's machine, whole.
	Action  []string // Operations, as in the entries: set-device-value.
	Object  []string // Ids of what entries are about, whole.
	Outcome []string // How requests ended. One of "done", "denied", "failed".
	Remote  []string // Addresses that requests came from, whole.
	From    []string // Instant (RFC 3339), included; one.
	To      []string // Instant (RFC 3339), not included; one, after from.
	Group   []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p AuditParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "actor", p.Actor)
	addQuery(q, "action", p.Action)
	addQuery(q, "object", p.Object)
	addQuery(q, "outcome", p.Outcome)
	addQuery(q, "remote", p.Remote)
	addQuery(q, "from", p.From)
	addQuery(q, "to", p.To)
	addQuery(q, "group", p.Group)
	return q
}

// Audit: The audit log: who did what, with which outcome (GET /audit).
func (c *Client) Audit(ctx context.Context, p AuditParams) (PageAuditRow, error) {
	var out PageAuditRow
	err := c.do(ctx, http.MethodGet, "/audit", p.values(), nil, &out)
	return out, err
}

// AuditAll gives the rows of all pages of Audit, and an error as the last.
func (c *Client) AuditAll(ctx context.Context, p AuditParams) iter.Seq2[AuditRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]AuditRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.Audit(ctx, p)
		return out.Items, out.Total, err
	})
}

// AuditWordsParams are the query of AuditWords. Zero values are left out.
type AuditWordsParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p AuditWordsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// AuditWords: Actors, actions and addresses of the audit log, 500 of each at most (GET /audit/words).
func (c *Client) AuditWords(ctx context.Context, p AuditWordsParams) (AuditWords, error) {
	var out AuditWords
	err := c.do(ctx, http.MethodGet, "/audit/words", p.values(), nil, &out)
	return out, err
}

// BeginCode: Make a secret for an authenticator app (POST /me/code).
func (c *Client) BeginCode(ctx context.Context, in SureInBody) (NewCode, error) {
	var out NewCode
	err := c.do(ctx, http.MethodPost, "/me/code", nil, in, &out)
	return out, err
}

// BeginPasskey: Start to register a passkey (POST /me/passkeys/begin).
func (c *Client) BeginPasskey(ctx context.Context, in SureInBody) (Ceremony, error) {
	var out Ceremony
	err := c.do(ctx, http.MethodPost, "/me/passkeys/begin", nil, in, &out)
	return out, err
}

// CancelException: End an exception, whole or for some of its device groups (POST /exceptions/{id}/cancel).
func (c *Client) CancelException(ctx context.Context, id string, in CancelExceptionInBody) (ExceptionDetail, error) {
	var out ExceptionDetail
	err := c.do(ctx, http.MethodPost, "/exceptions/"+pathValue(id)+"/cancel", nil, in, &out)
	return out, err
}

// CancelJob: Stop work in progress (DELETE /jobs/{id}).
func (c *Client) CancelJob(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "/jobs/"+pathValue(id), nil, nil, nil)
}

// CancelMachineAction: Take an action back; an agent that has it already is told, and says what it comes to (POST /machine-actions/{id}/cancel).
func (c *Client) CancelMachineAction(ctx context.Context, id string, in CancelInBody) (MachineAction, error) {
	var out MachineAction
	err := c.do(ctx, http.MethodPost, "/machine-actions/"+pathValue(id)+"/cancel", nil, in, &out)
	return out, err
}

// ChangeDestination: Change a place for tickets (PUT /ticketing/{id}).
func (c *Client) ChangeDestination(ctx context.Context, id string, in DestinationBody) (DestinationRow, error) {
	var out DestinationRow
	err := c.do(ctx, http.MethodPut, "/ticketing/"+pathValue(id), nil, in, &out)
	return out, err
}

// ChangeTags: Give manual tags to devices, or take them away (POST /tags).
func (c *Client) ChangeTags(ctx context.Context, in TagChange) (TagResult, error) {
	var out TagResult
	err := c.do(ctx, http.MethodPost, "/tags", nil, in, &out)
	return out, err
}

// CheckDevicesParams are the query of CheckDevices. Zero values are left out.
type CheckDevicesParams struct {
	Page        int64    // Page, from 1.
	Size        int64    // Rows per page.
	Q           string   // Free text, matched without regard to case.
	Sort        []string // Columns; minus is descending. One of "name", "-name", "os", "-os", "group", "-group", "state", "-state".
	State       []string // Its result on the device. One of "pass", "fail", "not_applicable", "not_assessed".
	DeviceGroup []string // Device groups, by number; 0: devices that no rule takes.
	Group       []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p CheckDevicesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "state", p.State)
	addQuery(q, "device_group", p.DeviceGroup)
	addQuery(q, "group", p.Group)
	return q
}

// CheckDevices: What a configuration check says of devices, and why (GET /secure-score/checks/{id}/devices).
func (c *Client) CheckDevices(ctx context.Context, id string, p CheckDevicesParams) (PageCheckDeviceRow, error) {
	var out PageCheckDeviceRow
	err := c.do(ctx, http.MethodGet, "/secure-score/checks/"+pathValue(id)+"/devices", p.values(), nil, &out)
	return out, err
}

// CheckDevicesAll gives the rows of all pages of CheckDevices, and an error as the last.
func (c *Client) CheckDevicesAll(ctx context.Context, id string, p CheckDevicesParams) iter.Seq2[CheckDeviceRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]CheckDeviceRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.CheckDevices(ctx, id, p)
		return out.Items, out.Total, err
	})
}

// CheckHunt: Whether a query would run, and what its result would look like (POST /hunting/check).
func (c *Client) CheckHunt(ctx context.Context, in HuntInBody) (HuntCheck, error) {
	var out HuntCheck
	err := c.do(ctx, http.MethodPost, "/hunting/check", nil, in, &out)
	return out, err
}

// CompleteRemediation: Mark an activity as completed (POST /remediations/{id}/complete).
func (c *Client) CompleteRemediation(ctx context.Context, id string, in NoteInBody) (Remediation, error) {
	var out Remediation
	err := c.do(ctx, http.MethodPost, "/remediations/"+pathValue(id)+"/complete", nil, in, &out)
	return out, err
}

// ConfirmCode: Take the secret into use; answers recovery codes when there were none (POST /me/code/confirm).
func (c *Client) ConfirmCode(ctx context.Context, in ConfirmInBody) (RecoverySet, error) {
	var out RecoverySet
	err := c.do(ctx, http.MethodPost, "/me/code/confirm", nil, in, &out)
	return out, err
}

// ConsentParams are the query of Consent. Zero values are left out.
type ConsentParams struct {
	Ask   string  // What the application asks for, as the browser brought it.
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ConsentParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "ask", p.Ask)
	addQuery(q, "group", p.Group)
	return q
}

// Consent: What an application asks of you (GET /me/consent).
func (c *Client) Consent(ctx context.Context, p ConsentParams) (Consent, error) {
	var out Consent
	err := c.do(ctx, http.MethodGet, "/me/consent", p.values(), nil, &out)
	return out, err
}

// CreateAlert: Raise an alert about an event of a device; an open one of the same title takes the event in (POST /alerts).
func (c *Client) CreateAlert(ctx context.Context, in NewAlertInBody) (Alert, error) {
	var out Alert
	err := c.do(ctx, http.MethodPost, "/alerts", nil, in, &out)
	return out, err
}

// CreateApplication: Register an application; its secret is shown once (POST /applications).
func (c *Client) CreateApplication(ctx context.Context, in NewAppInBody) (Credentials, error) {
	var out Credentials
	err := c.do(ctx, http.MethodPost, "/applications", nil, in, &out)
	return out, err
}

// CreateDeviceGroup: Make a device group, of the last rank (POST /device-groups).
func (c *Client) CreateDeviceGroup(ctx context.Context, in RuleEdit) (DeviceGroup, error) {
	var out DeviceGroup
	err := c.do(ctx, http.MethodPost, "/device-groups", nil, in, &out)
	return out, err
}

// CreateException: Make an exception (POST /exceptions).
func (c *Client) CreateException(ctx context.Context, in NewException) (ExceptionDetail, error) {
	var out ExceptionDetail
	err := c.do(ctx, http.MethodPost, "/exceptions", nil, in, &out)
	return out, err
}

// CreateForwarding: Add a receiver of events (POST /forwarding).
func (c *Client) CreateForwarding(ctx context.Context, in ForwardInput) (ForwardRow, error) {
	var out ForwardRow
	err := c.do(ctx, http.MethodPost, "/forwarding", nil, in, &out)
	return out, err
}

// CreateIndicator: Make an indicator, or change the one of its type and value (POST /indicators).
func (c *Client) CreateIndicator(ctx context.Context, in IndicatorEdit) (IndicatorRow, error) {
	var out IndicatorRow
	err := c.do(ctx, http.MethodPost, "/indicators", nil, in, &out)
	return out, err
}

// CreateOwnToken: Make a token for a program that acts as you; its secret is shown once (POST /me/tokens).
func (c *Client) CreateOwnToken(ctx context.Context, in NewOwnTokenInBody) (Credentials, error) {
	var out Credentials
	err := c.do(ctx, http.MethodPost, "/me/tokens", nil, in, &out)
	return out, err
}

// CreateRole: Make a role (POST /roles).
func (c *Client) CreateRole(ctx context.Context, in RoleEdit) (Role, error) {
	var out Role
	err := c.do(ctx, http.MethodPost, "/roles", nil, in, &out)
	return out, err
}

// CreateTagRule: Give a tag by rules (POST /tag-rules).
func (c *Client) CreateTagRule(ctx context.Context, in RuleEdit) (TagRule, error) {
	var out TagRule
	err := c.do(ctx, http.MethodPost, "/tag-rules", nil, in, &out)
	return out, err
}

// CreateToken: Make an enrolment token (POST /tokens).
func (c *Client) CreateToken(ctx context.Context, in NewTokenInBody) (NewToken, error) {
	var out NewToken
	err := c.do(ctx, http.MethodPost, "/tokens", nil, in, &out)
	return out, err
}

// CreateUserGroup: Make a user group (POST /user-groups).
func (c *Client) CreateUserGroup(ctx context.Context, in UserGroupEdit) (UserGroup, error) {
	var out UserGroup
	err := c.do(ctx, http.MethodPost, "/user-groups", nil, in, &out)
	return out, err
}

// DashboardParams are the query of Dashboard. Zero values are left out.
type DashboardParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DashboardParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Dashboard: Vulnerability management dashboard (GET /dashboard).
func (c *Client) Dashboard(ctx context.Context, p DashboardParams) (Dashboard, error) {
	var out Dashboard
	err := c.do(ctx, http.MethodGet, "/dashboard", p.values(), nil, &out)
	return out, err
}

// DecideConsent: Let an application act for you, or not (POST /me/consent).
func (c *Client) DecideConsent(ctx context.Context, in ConsentInBody) (SentBack, error) {
	var out SentBack
	err := c.do(ctx, http.MethodPost, "/me/consent", nil, in, &out)
	return out, err
}

// DecideDevice: Let the application on a device act for you, or not (POST /me/device).
func (c *Client) DecideDevice(ctx context.Context, in DecideDeviceInBody) error {
	return c.do(ctx, http.MethodPost, "/me/device", nil, in, nil)
}

// DeleteApplication: Delete an application; its tokens end (DELETE /applications/{id}).
func (c *Client) DeleteApplication(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "/applications/"+pathValue(id), nil, nil, nil)
}

// DeleteDeviceGroup: Delete a device group; its devices go on to other groups (DELETE /device-groups/{id}).
func (c *Client) DeleteDeviceGroup(ctx context.Context, id int64) error {
	return c.do(ctx, http.MethodDelete, "/device-groups/"+pathValue(id), nil, nil, nil)
}

// DeleteHuntingQuery: Delete a saved query (DELETE /hunting/queries/{id}).
func (c *Client) DeleteHuntingQuery(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "/hunting/queries/"+pathValue(id), nil, nil, nil)
}

// DeleteIndicator: Delete an indicator; alerts that it raised stay (DELETE /indicators/{id}).
func (c *Client) DeleteIndicator(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "/indicators/"+pathValue(id), nil, nil, nil)
}

// DeleteOwnToken: Delete an own token (DELETE /me/tokens/{id}).
func (c *Client) DeleteOwnToken(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "/me/tokens/"+pathValue(id), nil, nil, nil)
}

// DeletePerson: Delete an account (DELETE /people/{id}).
func (c *Client) DeletePerson(ctx context.Context, id int64) error {
	return c.do(ctx, http.MethodDelete, "/people/"+pathValue(id), nil, nil, nil)
}

// DeletePlan: Delete a saved patch plan (DELETE /plans/{id}).
func (c *Client) DeletePlan(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "/plans/"+pathValue(id), nil, nil, nil)
}

// DeleteRole: Delete a role; nobody has it any more (DELETE /roles/{id}).
func (c *Client) DeleteRole(ctx context.Context, id int64) error {
	return c.do(ctx, http.MethodDelete, "/roles/"+pathValue(id), nil, nil, nil)
}

// DeleteTagRule: Delete the rules of a tag; devices have it no more (DELETE /tag-rules/{id}).
func (c *Client) DeleteTagRule(ctx context.Context, id int64) error {
	return c.do(ctx, http.MethodDelete, "/tag-rules/"+pathValue(id), nil, nil, nil)
}

// DeleteUserGroup: Delete a user group (DELETE /user-groups/{id}).
func (c *Client) DeleteUserGroup(ctx context.Context, id int64) error {
	return c.do(ctx, http.MethodDelete, "/user-groups/"+pathValue(id), nil, nil, nil)
}

// DepartSso: Start to sign in at the identity provider (POST /session/sso).
func (c *Client) DepartSso(ctx context.Context, in DepartInBody) (DepartOutBody, error) {
	var out DepartOutBody
	err := c.do(ctx, http.MethodPost, "/session/sso", nil, in, &out)
	return out, err
}

// DeviceParams are the query of Device. Zero values are left out.
type DeviceParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DeviceParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Device: One device (GET /devices/{id}).
func (c *Client) Device(ctx context.Context, id string, p DeviceParams) (Device, error) {
	var out Device
	err := c.do(ctx, http.MethodGet, "/devices/"+pathValue(id), p.values(), nil, &out)
	return out, err
}

// DeviceActionKindsParams are the query of DeviceActionKinds. Zero values are left out.
type DeviceActionKindsParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DeviceActionKindsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// DeviceActionKinds: Actions on a device, and which of them can be asked for now (GET /devices/{id}/action-kinds).
func (c *Client) DeviceActionKinds(ctx context.Context, id string, p DeviceActionKindsParams) ([]DeviceActionKind, error) {
	var out []DeviceActionKind
	err := c.do(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/action-kinds", p.values(), nil, &out)
	return out, err
}

// DeviceChecksParams are the query of DeviceChecks. Zero values are left out.
type DeviceChecksParams struct {
	Page     int64    // Page, from 1.
	Size     int64    // Rows per page.
	Q        string   // Free text, matched without regard to case.
	Sort     []string // Columns; minus is descending. One of "name", "-name", "category", "-category", "impact", "-impact", "state", "-state".
	State    []string // One of "pass", "fail", "not_applicable", "not_assessed".
	Category []string // One of "Application", "OS", "Network", "Accounts", "SecurityControls".
	Group    []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DeviceChecksParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "state", p.State)
	addQuery(q, "category", p.Category)
	addQuery(q, "group", p.Group)
	return q
}

// DeviceChecks: Configuration checks of a device, with what was found (GET /devices/{id}/checks).
func (c *Client) DeviceChecks(ctx context.Context, id string, p DeviceChecksParams) (PageDeviceCheckRow, error) {
	var out PageDeviceCheckRow
	err := c.do(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/checks", p.values(), nil, &out)
	return out, err
}

// DeviceChecksAll gives the rows of all pages of DeviceChecks, and an error as the last.
func (c *Client) DeviceChecksAll(ctx context.Context, id string, p DeviceChecksParams) iter.Seq2[DeviceCheckRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]DeviceCheckRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.DeviceChecks(ctx, id, p)
		return out.Items, out.Total, err
	})
}

// DeviceClosedParams are the query of DeviceClosed. Zero values are left out.
type DeviceClosedParams struct {
	Page   int64    // Page, from 1.
	Size   int64    // Rows per page.
	Q      string   // Free text, matched without regard to case.
	Sort   []string // Columns; minus is descending. One of "closed_at", "-closed_at".
	Reason []string // One of "upgraded", "removed", "rejected", "advisory-changed", "kernel-changed", "restarted".
	Group  []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DeviceClosedParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "reason", p.Reason)
	addQuery(q, "group", p.Group)
	return q
}

// DeviceClosed: Findings of a device that are gone, and why (GET /devices/{id}/closed).
func (c *Client) DeviceClosed(ctx context.Context, id string, p DeviceClosedParams) (PageClosedRow, error) {
	var out PageClosedRow
	err := c.do(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/closed", p.values(), nil, &out)
	return out, err
}

// DeviceClosedAll gives the rows of all pages of DeviceClosed, and an error as the last.
func (c *Client) DeviceClosedAll(ctx context.Context, id string, p DeviceClosedParams) iter.Seq2[ClosedRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]ClosedRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.DeviceClosed(ctx, id, p)
		return out.Items, out.Total, err
	})
}

// DeviceConsentParams are the query of DeviceConsent. Zero values are left out.
type DeviceConsentParams struct {
	Code  string  // The code that the device shows.
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DeviceConsentParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "code", p.Code)
	addQuery(q, "group", p.Group)
	return q
}

// DeviceConsent: What the device that shows a code asks of you (GET /me/device).
func (c *Client) DeviceConsent(ctx context.Context, p DeviceConsentParams) (Consent, error) {
	var out Consent
	err := c.do(ctx, http.MethodGet, "/me/device", p.values(), nil, &out)
	return out, err
}

// DeviceGroupsParams are the query of DeviceGroups. Zero values are left out.
type DeviceGroupsParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DeviceGroupsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// DeviceGroups: Device groups by rank, whichever are selected (GET /device-groups).
func (c *Client) DeviceGroups(ctx context.Context, p DeviceGroupsParams) ([]DeviceGroup, error) {
	var out []DeviceGroup
	err := c.do(ctx, http.MethodGet, "/device-groups", p.values(), nil, &out)
	return out, err
}

// DeviceHealthParams are the query of DeviceHealth. Zero values are left out.
type DeviceHealthParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DeviceHealthParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// DeviceHealth: How a device's sensor and antivirus program are, by what the agent told in 30 days (GET /devices/{id}/health).
func (c *Client) DeviceHealth(ctx context.Context, id string, p DeviceHealthParams) (DeviceHealth, error) {
	var out DeviceHealth
	err := c.do(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/health", p.values(), nil, &out)
	return out, err
}

// DeviceLogonUsersParams are the query of DeviceLogonUsers. Zero values are left out.
type DeviceLogonUsersParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DeviceLogonUsersParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// DeviceLogonUsers: Who logged on to a device in 30 days (GET /devices/{id}/logonusers).
func (c *Client) DeviceLogonUsers(ctx context.Context, id string, p DeviceLogonUsersParams) (LogonUsers, error) {
	var out LogonUsers
	err := c.do(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/logonusers", p.values(), nil, &out)
	return out, err
}

// DeviceProductParams are the query of DeviceProduct. Zero values are left out.
type DeviceProductParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DeviceProductParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// DeviceProduct: One product on a device (GET /devices/{id}/software/{product}).
func (c *Client) DeviceProduct(ctx context.Context, id string, product string, p DeviceProductParams) (DeviceSoftware, error) {
	var out DeviceSoftware
	err := c.do(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/software/"+pathValue(product), p.values(), nil, &out)
	return out, err
}

// DeviceRecommendationsParams are the query of DeviceRecommendations. Zero values are left out.
type DeviceRecommendationsParams struct {
	Page      int64    // Page, from 1.
	Size      int64    // Rows per page.
	Q         string   // Free text, matched without regard to case.
	Sort      []string // Columns; minus is descending.
	Type      []string // Type of remediation. One of "Update", "Upgrade", "Uninstall", "AttentionRequired", "Restart", "ConfigurationChange".
	Threat    []string // alert: an exposed device has an active alert. One of "exploit", "verified", "kit", "kev", "ransomware", "alert".
	Status    []string // One of "Active", "PartialException", "FullException".
	Tag       []string
	Exception []string // Whether some of it is under an exception. One of "true", "false".
	Group     []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DeviceRecommendationsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "type", p.Type)
	addQuery(q, "threat", p.Threat)
	addQuery(q, "status", p.Status)
	addQuery(q, "tag", p.Tag)
	addQuery(q, "exception", p.Exception)
	addQuery(q, "group", p.Group)
	return q
}

// DeviceRecommendations: Recommendations for a device (GET /devices/{id}/recommendations).
func (c *Client) DeviceRecommendations(ctx context.Context, id string, p DeviceRecommendationsParams) (PageDeviceRecommendationRow, error) {
	var out PageDeviceRecommendationRow
	err := c.do(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/recommendations", p.values(), nil, &out)
	return out, err
}

// DeviceRecommendationsAll gives the rows of all pages of DeviceRecommendations, and an error as the last.
func (c *Client) DeviceRecommendationsAll(ctx context.Context, id string, p DeviceRecommendationsParams) iter.Seq2[DeviceRecommendationRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]DeviceRecommendationRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.DeviceRecommendations(ctx, id, p)
		return out.Items, out.Total, err
	})
}

// DeviceRemovalParams are the query of DeviceRemoval. Zero values are left out.
type DeviceRemovalParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DeviceRemovalParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// DeviceRemoval: What would disappear with a device without an agent (GET /devices/{id}/removal).
func (c *Client) DeviceRemoval(ctx context.Context, id string, p DeviceRemovalParams) (DeviceRemoval, error) {
	var out DeviceRemoval
	err := c.do(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/removal", p.values(), nil, &out)
	return out, err
}

// DeviceSBOMParams are the query of DeviceSBOM. Zero values are left out.
type DeviceSBOMParams struct {
	Format string  // CycloneDX 1.6 or SPDX 2.3, as JSON. One of "cyclonedx", "spdx".
	Group  []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DeviceSBOMParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "group", p.Group)
	return q
}

// DeviceSBOM: A device's software as a bill of materials (GET /devices/{id}/sbom).
func (c *Client) DeviceSBOM(ctx context.Context, id string, p DeviceSBOMParams) (json.RawMessage, error) {
	var out json.RawMessage
	err := c.do(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/sbom", p.values(), nil, &out)
	return out, err
}

// DeviceScoreParams are the query of DeviceScore. Zero values are left out.
type DeviceScoreParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DeviceScoreParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// DeviceScore: Exposure score of a device, opened into its findings (GET /devices/{id}/score).
func (c *Client) DeviceScore(ctx context.Context, id string, p DeviceScoreParams) (DeviceScore, error) {
	var out DeviceScore
	err := c.do(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/score", p.values(), nil, &out)
	return out, err
}

// DeviceScoreTermsParams are the query of DeviceScoreTerms. Zero values are left out.
type DeviceScoreTermsParams struct {
	Page     int64    // Page, from 1.
	Size     int64    // Rows per page.
	Q        string   // Free text, matched without regard to case.
	Sort     []string // Columns; minus is descending. One of "points", "-points", "weakness", "-weakness", "component", "-component", "cvss", "-cvss".
	Kind     []string // What the term is of. One of "finding", "check", "alert".
	Severity []string // Of a weakness. One of "Critical", "High", "Medium", "Low", "None".
	Threat   []string // alert: the device has an active alert. One of "exploit", "verified", "kit", "kev", "ransomware", "alert".
	Group    []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DeviceScoreTermsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "kind", p.Kind)
	addQuery(q, "severity", p.Severity)
	addQuery(q, "threat", p.Threat)
	addQuery(q, "group", p.Group)
	return q
}

// DeviceScoreTerms: All terms of a device's exposure score (GET /devices/{id}/score/terms).
func (c *Client) DeviceScoreTerms(ctx context.Context, id string, p DeviceScoreTermsParams) (PageScoreTerm, error) {
	var out PageScoreTerm
	err := c.do(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/score/terms", p.values(), nil, &out)
	return out, err
}

// DeviceScoreTermsAll gives the rows of all pages of DeviceScoreTerms, and an error as the last.
func (c *Client) DeviceScoreTermsAll(ctx context.Context, id string, p DeviceScoreTermsParams) iter.Seq2[ScoreTerm, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]ScoreTerm, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.DeviceScoreTerms(ctx, id, p)
		return out.Items, out.Total, err
	})
}

// DeviceSoftwareParams are the query of DeviceSoftware. Zero values are left out.
type DeviceSoftwareParams struct {
	Page       int64    // Page, from 1.
	Size       int64    // Rows per page.
	Q          string   // Free text, matched without regard to case.
	Sort       []string // Columns; minus is descending. One of "name", "-name", "vendor", "-vendor", "version", "-version", "weaknesses", "-weaknesses", "severity", "-severity", "last_found", "-last_found".
	Vendor     []string
	Ecosystem  []string
	Code       []string // Kind of product code; available: any; none: there is none. One of "available", "cpe", "purl", "none".
	Vulnerable []string // Only products with weaknesses. One of "true".
	Update     []string // Only products that the host's package manager would upgrade. One of "true".
	Threat     []string // alert: the device has an active alert. One of "exploit", "verified", "kit", "kev", "ransomware", "alert".
	Assessed   []string // One of "true", "false".
	Group      []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DeviceSoftwareParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "vendor", p.Vendor)
	addQuery(q, "ecosystem", p.Ecosystem)
	addQuery(q, "code", p.Code)
	addQuery(q, "vulnerable", p.Vulnerable)
	addQuery(q, "update", p.Update)
	addQuery(q, "threat", p.Threat)
	addQuery(q, "assessed", p.Assessed)
	addQuery(q, "group", p.Group)
	return q
}

// DeviceSoftware: Software of a device (GET /devices/{id}/software).
func (c *Client) DeviceSoftware(ctx context.Context, id string, p DeviceSoftwareParams) (PageDeviceSoftwareRow, error) {
	var out PageDeviceSoftwareRow
	err := c.do(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/software", p.values(), nil, &out)
	return out, err
}

// DeviceSoftwareAll gives the rows of all pages of DeviceSoftware, and an error as the last.
func (c *Client) DeviceSoftwareAll(ctx context.Context, id string, p DeviceSoftwareParams) iter.Seq2[DeviceSoftwareRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]DeviceSoftwareRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.DeviceSoftware(ctx, id, p)
		return out.Items, out.Total, err
	})
}

// DeviceTimelineParams are the query of DeviceTimeline. Zero values are left out.
type DeviceTimelineParams struct {
	From       time.Time // From this time on (RFC 3339).
	To         time.Time // Before this time (RFC 3339).
	EventGroup []string  // Event groups.
	Action     []string  // Action types.
	Q          string    // Text that occurs in the event, whatever its case.
	Flagged    bool      // Only flagged events.
	Technique  []string  // ATT&CK techniques, with those under them.
	Sort       string    // -flagged: flagged events first. Newest first in any case. One of "-time", "-flagged".
	Cursor     string    // Cursor of the page before; none: the newest events.
	Size       int64     // Events per page.
	Group      []int64   // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DeviceTimelineParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "from", p.From)
	addQuery(q, "to", p.To)
	addQuery(q, "event_group", p.EventGroup)
	addQuery(q, "action", p.Action)
	addQuery(q, "q", p.Q)
	addQuery(q, "flagged", p.Flagged)
	addQuery(q, "technique", p.Technique)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "cursor", p.Cursor)
	addQuery(q, "size", p.Size)
	addQuery(q, "group", p.Group)
	return q
}

// DeviceTimeline: What happened on a device, newest first, and what is missing (GET /devices/{id}/timeline).
func (c *Client) DeviceTimeline(ctx context.Context, id string, p DeviceTimelineParams) (Timeline, error) {
	var out Timeline
	err := c.do(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/timeline", p.values(), nil, &out)
	return out, err
}

// DeviceTimelineCountsParams are the query of DeviceTimelineCounts. Zero values are left out.
type DeviceTimelineCountsParams struct {
	From       time.Time // From this time on (RFC 3339).
	To         time.Time // Before this time (RFC 3339).
	EventGroup []string  // Event groups.
	Action     []string  // Action types.
	Q          string    // Text that occurs in the event, whatever its case.
	Flagged    bool      // Only flagged events.
	Technique  []string  // ATT&CK techniques, with those under them.
	Group      []int64   // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DeviceTimelineCountsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "from", p.From)
	addQuery(q, "to", p.To)
	addQuery(q, "event_group", p.EventGroup)
	addQuery(q, "action", p.Action)
	addQuery(q, "q", p.Q)
	addQuery(q, "flagged", p.Flagged)
	addQuery(q, "technique", p.Technique)
	addQuery(q, "group", p.Group)
	return q
}

// DeviceTimelineCounts: A device's events by time and group (GET /devices/{id}/timeline/counts).
func (c *Client) DeviceTimelineCounts(ctx context.Context, id string, p DeviceTimelineCountsParams) (TimelineCounts, error) {
	var out TimelineCounts
	err := c.do(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/timeline/counts", p.values(), nil, &out)
	return out, err
}

// DeviceTimelineEventParams are the query of DeviceTimelineEvent. Zero values are left out.
type DeviceTimelineEventParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DeviceTimelineEventParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// DeviceTimelineEvent: One event of a device with the graph of its entities (GET /devices/{id}/timeline/events/{sub}).
func (c *Client) DeviceTimelineEvent(ctx context.Context, id string, sub string, p DeviceTimelineEventParams) (TimelineEvent, error) {
	var out TimelineEvent
	err := c.do(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/timeline/events/"+pathValue(sub), p.values(), nil, &out)
	return out, err
}

// DeviceTimelineTechniquesParams are the query of DeviceTimelineTechniques. Zero values are left out.
type DeviceTimelineTechniquesParams struct {
	From       time.Time // From this time on (RFC 3339).
	To         time.Time // Before this time (RFC 3339).
	EventGroup []string  // Event groups.
	Action     []string  // Action types.
	Q          string    // Text that occurs in the event, whatever its case.
	Flagged    bool      // Only flagged events.
	Technique  []string  // ATT&CK techniques, with those under them.
	Group      []int64   // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DeviceTimelineTechniquesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "from", p.From)
	addQuery(q, "to", p.To)
	addQuery(q, "event_group", p.EventGroup)
	addQuery(q, "action", p.Action)
	addQuery(q, "q", p.Q)
	addQuery(q, "flagged", p.Flagged)
	addQuery(q, "technique", p.Technique)
	addQuery(q, "group", p.Group)
	return q
}

// DeviceTimelineTechniques: ATT&CK techniques that occur on a device, with how many of its events may be part of each (GET /devices/{id}/timeline/techniques).
func (c *Client) DeviceTimelineTechniques(ctx context.Context, id string, p DeviceTimelineTechniquesParams) ([]TechniqueCount, error) {
	var out []TechniqueCount
	err := c.do(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/timeline/techniques", p.values(), nil, &out)
	return out, err
}

// DeviceUpdatesParams are the query of DeviceUpdates. Zero values are left out.
type DeviceUpdatesParams struct {
	Page     int64    // Page, from 1.
	Size     int64    // Rows per page.
	Q        string   // Free text, matched without regard to case.
	Sort     []string // Columns; minus is descending. One of "id", "-id", "products", "-products", "weaknesses", "-weaknesses", "severity", "-severity", "devices", "-devices".
	Severity []string // The highest of what it fixes. One of "Critical", "High", "Medium", "Low", "None".
	Threat   []string // alert: an exposed device has an active alert. One of "exploit", "verified", "kit", "kev", "ransomware", "alert".
	Group    []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DeviceUpdatesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "severity", p.Severity)
	addQuery(q, "threat", p.Threat)
	addQuery(q, "group", p.Group)
	return q
}

// DeviceUpdates: Updates that vendors announced and that a device lacks (GET /devices/{id}/updates).
func (c *Client) DeviceUpdates(ctx context.Context, id string, p DeviceUpdatesParams) (PageMissingUpdate, error) {
	var out PageMissingUpdate
	err := c.do(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/updates", p.values(), nil, &out)
	return out, err
}

// DeviceUpdatesAll gives the rows of all pages of DeviceUpdates, and an error as the last.
func (c *Client) DeviceUpdatesAll(ctx context.Context, id string, p DeviceUpdatesParams) iter.Seq2[MissingUpdate, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]MissingUpdate, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.DeviceUpdates(ctx, id, p)
		return out.Items, out.Total, err
	})
}

// DeviceVEXParams are the query of DeviceVEX. Zero values are left out.
type DeviceVEXParams struct {
	Format string  // OpenVEX 0.2.0, CSAF VEX 2.0 or CycloneDX VEX 1.6, as JSON. One of "openvex", "csaf", "cyclonedx".
	Group  []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DeviceVEXParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "group", p.Group)
	return q
}

// DeviceVEX: What can be exploited on a device (GET /devices/{id}/vex).
func (c *Client) DeviceVEX(ctx context.Context, id string, p DeviceVEXParams) (json.RawMessage, error) {
	var out json.RawMessage
	err := c.do(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/vex", p.values(), nil, &out)
	return out, err
}

// DeviceVulnerabilitiesParams are the query of DeviceVulnerabilities. Zero values are left out.
type DeviceVulnerabilitiesParams struct {
	Page           int64    // Page, from 1.
	Size           int64    // Rows per page.
	Q              string   // Free text, matched without regard to case.
	Sort           []string // Columns; minus is descending.
	Severity       []string // One of "Critical", "High", "Medium", "Low", "None".
	State          []string
	Exposed        []string // Whether it counts in exposure. One of "true", "false".
	Fix            []string // One of "available", "none".
	Threat         []string // alert: an exposed device has an active alert. One of "exploit", "verified", "kit", "kev", "ransomware", "alert".
	Software       []string // Product ids.
	Exception      []string // Whether all of it that counts is under exceptions. One of "true", "false".
	Recommendation []string // Ids of recommendations that close it on the device.
	Group          []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DeviceVulnerabilitiesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "severity", p.Severity)
	addQuery(q, "state", p.State)
	addQuery(q, "exposed", p.Exposed)
	addQuery(q, "fix", p.Fix)
	addQuery(q, "threat", p.Threat)
	addQuery(q, "software", p.Software)
	addQuery(q, "exception", p.Exception)
	addQuery(q, "recommendation", p.Recommendation)
	addQuery(q, "group", p.Group)
	return q
}

// DeviceVulnerabilities: Weaknesses of a device (GET /devices/{id}/vulnerabilities).
func (c *Client) DeviceVulnerabilities(ctx context.Context, id string, p DeviceVulnerabilitiesParams) (PageDeviceVulnRow, error) {
	var out PageDeviceVulnRow
	err := c.do(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/vulnerabilities", p.values(), nil, &out)
	return out, err
}

// DeviceVulnerabilitiesAll gives the rows of all pages of DeviceVulnerabilities, and an error as the last.
func (c *Client) DeviceVulnerabilitiesAll(ctx context.Context, id string, p DeviceVulnerabilitiesParams) iter.Seq2[DeviceVulnRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]DeviceVulnRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.DeviceVulnerabilities(ctx, id, p)
		return out.Items, out.Total, err
	})
}

// DeviceVulnerabilityParams are the query of DeviceVulnerability. Zero values are left out.
type DeviceVulnerabilityParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DeviceVulnerabilityParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// DeviceVulnerability: One weakness on a device with its evidence (GET /devices/{id}/vulnerabilities/{weakness}).
func (c *Client) DeviceVulnerability(ctx context.Context, id string, weakness string, p DeviceVulnerabilityParams) (DeviceVuln, error) {
	var out DeviceVuln
	err := c.do(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/vulnerabilities/"+pathValue(weakness), p.values(), nil, &out)
	return out, err
}

// DeviceWeightsParams are the query of DeviceWeights. Zero values are left out.
type DeviceWeightsParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DeviceWeightsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// DeviceWeights: What devices count in scores by their value (GET /device-weights).
func (c *Client) DeviceWeights(ctx context.Context, p DeviceWeightsParams) (DeviceWeightsView, error) {
	var out DeviceWeightsView
	err := c.do(ctx, http.MethodGet, "/device-weights", p.values(), nil, &out)
	return out, err
}

// DevicesParams are the query of Devices. Zero values are left out.
type DevicesParams struct {
	Page           int64    // Page, from 1.
	Size           int64    // Rows per page.
	Q              string   // Free text, matched without regard to case.
	Sort           []string // Columns; minus is descending.
	OS             []string // OS platform, as in os_platform.
	OSVersion      []string // Version of the operating system, as in os_version.
	OSLife         []string // Support of the operating system's release; upcoming: it ends within 6 months. One of "supported", "upcoming", "ended", "unknown".
	Health         []string // One of "Active", "Inactive", "ImpairedCommunication", "NoSensorData".
	Exposure       []string // Exposure level. One of "None", "Low", "Medium", "High", "NoData".
	Risk           []string // Risk level, by active alerts. One of "None", "Informational", "Low", "Medium", "High".
	Value          []string // What the device is worth. One of "Low", "Normal", "High".
	Tag            []string
	DeviceGroup    []string // Device groups, by number; 0: devices that no rule takes.
	Isolated       []string // Whether it is isolated, as its agent told last. One of "true", "false".
	Excluded       []string // Whether somebody took it out of scores and lists. One of "true", "false".
	Clone          []string // Only devices forked from a copied state directory. One of "true".
	New            []string // Whether it was first seen within 7 days. One of "true", "false".
	Source         []string // Where the inventory comes from. One of "agent", "osquery", "simulated", "sbom".
	ManagedBy      []string // What can be told to do something on the device; nothing: a document describes it. One of "picket", "osquery", "nothing".
	InternetFacing []string // Whether it is proven that the device stands in the internet. One of "yes", "not_assessed".
	Group          []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DevicesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "os", p.OS)
	addQuery(q, "os_version", p.OSVersion)
	addQuery(q, "os_life", p.OSLife)
	addQuery(q, "health", p.Health)
	addQuery(q, "exposure", p.Exposure)
	addQuery(q, "risk", p.Risk)
	addQuery(q, "value", p.Value)
	addQuery(q, "tag", p.Tag)
	addQuery(q, "device_group", p.DeviceGroup)
	addQuery(q, "isolated", p.Isolated)
	addQuery(q, "excluded", p.Excluded)
	addQuery(q, "clone", p.Clone)
	addQuery(q, "new", p.New)
	addQuery(q, "source", p.Source)
	addQuery(q, "managed_by", p.ManagedBy)
	addQuery(q, "internet_facing", p.InternetFacing)
	addQuery(q, "group", p.Group)
	return q
}

// Devices: Devices (GET /devices).
func (c *Client) Devices(ctx context.Context, p DevicesParams) (PageDeviceRow, error) {
	var out PageDeviceRow
	err := c.do(ctx, http.MethodGet, "/devices", p.values(), nil, &out)
	return out, err
}

// DevicesAll gives the rows of all pages of Devices, and an error as the last.
func (c *Client) DevicesAll(ctx context.Context, p DevicesParams) iter.Seq2[DeviceRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]DeviceRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.Devices(ctx, p)
		return out.Items, out.Total, err
	})
}

// DomainParams are the query of Domain. Zero values are left out.
type DomainParams struct {
	Days  int64   // Whole days (UTC) back from now.
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DomainParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "days", p.Days)
	addQuery(q, "group", p.Group)
	return q
}

// Domain: What is known of a host and those below it on all devices (GET /domains/{id}).
func (c *Client) Domain(ctx context.Context, id string, p DomainParams) (EntityView, error) {
	var out EntityView
	err := c.do(ctx, http.MethodGet, "/domains/"+pathValue(id), p.values(), nil, &out)
	return out, err
}

// DomainDevicesParams are the query of DomainDevices. Zero values are left out.
type DomainDevicesParams struct {
	Page     int64    // Page, from 1.
	Size     int64    // Rows per page.
	Q        string   // Free text, matched without regard to case.
	Days     int64    // Whole days (UTC) back from now.
	Sort     []string // Columns; minus is descending.
	OS       []string // OS platform, as in os_platform.
	Health   []string // One of "Active", "Inactive", "ImpairedCommunication", "NoSensorData".
	Exposure []string // Exposure level. One of "None", "Low", "Medium", "High", "NoData".
	Group    []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DomainDevicesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "days", p.Days)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "os", p.OS)
	addQuery(q, "health", p.Health)
	addQuery(q, "exposure", p.Exposure)
	addQuery(q, "group", p.Group)
	return q
}

// DomainDevices: Devices that met a host and those below it (GET /domains/{id}/devices).
func (c *Client) DomainDevices(ctx context.Context, id string, p DomainDevicesParams) (PageEntityDevice, error) {
	var out PageEntityDevice
	err := c.do(ctx, http.MethodGet, "/domains/"+pathValue(id)+"/devices", p.values(), nil, &out)
	return out, err
}

// DomainDevicesAll gives the rows of all pages of DomainDevices, and an error as the last.
func (c *Client) DomainDevicesAll(ctx context.Context, id string, p DomainDevicesParams) iter.Seq2[EntityDevice, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]EntityDevice, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.DomainDevices(ctx, id, p)
		return out.Items, out.Total, err
	})
}

// DomainEventsParams are the query of DomainEvents. Zero values are left out.
type DomainEventsParams struct {
	Days  int64   // Whole days (UTC) back from now.
	Size  int64   // Events, the newest.
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DomainEventsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "days", p.Days)
	addQuery(q, "size", p.Size)
	addQuery(q, "group", p.Group)
	return q
}

// DomainEvents: The newest events of a host and those below it (GET /domains/{id}/events).
func (c *Client) DomainEvents(ctx context.Context, id string, p DomainEventsParams) (EntityEvents, error) {
	var out EntityEvents
	err := c.do(ctx, http.MethodGet, "/domains/"+pathValue(id)+"/events", p.values(), nil, &out)
	return out, err
}

// DraftPlanParams are the query of DraftPlan. Zero values are left out.
type DraftPlanParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p DraftPlanParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// DraftPlan: Make a patch plan: the smallest set of recommendations that brings the score below a target, or exactly those that are named (POST /plans/draft).
func (c *Client) DraftPlan(ctx context.Context, p DraftPlanParams, in DraftPlanInBody) (Plan, error) {
	var out Plan
	err := c.do(ctx, http.MethodPost, "/plans/draft", p.values(), in, &out)
	return out, err
}

// EditApplication: Change, disable or enable an application (PUT /applications/{id}).
func (c *Client) EditApplication(ctx context.Context, id string, in AppEdit) (AppRow, error) {
	var out AppRow
	err := c.do(ctx, http.MethodPut, "/applications/"+pathValue(id), nil, in, &out)
	return out, err
}

// EditForwarding: Change a receiver of events (PUT /forwarding/{id}).
func (c *Client) EditForwarding(ctx context.Context, id string, in ForwardInput) (ForwardRow, error) {
	var out ForwardRow
	err := c.do(ctx, http.MethodPut, "/forwarding/"+pathValue(id), nil, in, &out)
	return out, err
}

// EditHuntingQuery: Change a saved query (PUT /hunting/queries/{id}).
func (c *Client) EditHuntingQuery(ctx context.Context, id string, in HuntQueryEdit) (HuntQuery, error) {
	var out HuntQuery
	err := c.do(ctx, http.MethodPut, "/hunting/queries/"+pathValue(id), nil, in, &out)
	return out, err
}

// EditIndicator: Change an indicator; its type and value stay (PUT /indicators/{id}).
func (c *Client) EditIndicator(ctx context.Context, id string, in IndicatorEdit) (IndicatorRow, error) {
	var out IndicatorRow
	err := c.do(ctx, http.MethodPut, "/indicators/"+pathValue(id), nil, in, &out)
	return out, err
}

// EditPerson: Change an account; disabling it ends its sessions (PUT /people/{id}).
func (c *Client) EditPerson(ctx context.Context, id int64, in PersonEdit) (PersonRow, error) {
	var out PersonRow
	err := c.do(ctx, http.MethodPut, "/people/"+pathValue(id), nil, in, &out)
	return out, err
}

// EditRemediation: Change priority, due date and notes (PUT /remediations/{id}).
func (c *Client) EditRemediation(ctx context.Context, id string, in EditRemediationInBody) (Remediation, error) {
	var out Remediation
	err := c.do(ctx, http.MethodPut, "/remediations/"+pathValue(id), nil, in, &out)
	return out, err
}

// EndApplicationGrant: Let an application act for a person no more; its tokens end (DELETE /applications/{id}/grants/{sub}).
func (c *Client) EndApplicationGrant(ctx context.Context, id string, sub string) error {
	return c.do(ctx, http.MethodDelete, "/applications/"+pathValue(id)+"/grants/"+pathValue(sub), nil, nil, nil)
}

// EndOtherSessions: End all the own sessions but this one (DELETE /me/sessions).
func (c *Client) EndOtherSessions(ctx context.Context) error {
	return c.do(ctx, http.MethodDelete, "/me/sessions", nil, nil, nil)
}

// EndOwnGrant: Let an application act for you no more; its tokens end (DELETE /me/grants/{id}).
func (c *Client) EndOwnGrant(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "/me/grants/"+pathValue(id), nil, nil, nil)
}

// EndPersonSessions: End every session and link of a person (DELETE /people/{id}/sessions).
func (c *Client) EndPersonSessions(ctx context.Context, id int64) error {
	return c.do(ctx, http.MethodDelete, "/people/"+pathValue(id)+"/sessions", nil, nil, nil)
}

// EndProvisioning: End the directory's token; accounts stay (DELETE /sign-in/provisioning/token).
func (c *Client) EndProvisioning(ctx context.Context) error {
	return c.do(ctx, http.MethodDelete, "/sign-in/provisioning/token", nil, nil, nil)
}

// EndSession: End one of the own sessions (DELETE /me/sessions/{id}).
func (c *Client) EndSession(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "/me/sessions/"+pathValue(id), nil, nil, nil)
}

// EventParams are the query of Event. Zero values are left out.
type EventParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p EventParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Event: One event (GET /events/{id}).
func (c *Client) Event(ctx context.Context, id string, p EventParams) (EventDetail, error) {
	var out EventDetail
	err := c.do(ctx, http.MethodGet, "/events/"+pathValue(id), p.values(), nil, &out)
	return out, err
}

// EventCountsParams are the query of EventCounts. Zero values are left out.
type EventCountsParams struct {
	Q         string   // Free text, matched without regard to case.
	Sort      []string // Columns; minus is descending.
	Days      string   // Only events of the last so many days.
	From      string   // Only events from this day (2026-01-31, UTC) or time (RFC 3339) on.
	To        string   // Only events until this day (included) or before this time.
	Type      []string // One of "NewVulnerability", "NewPublicExploit", "ExploitVerified", "ExploitInKit", "AddedToKEV", "FixPublished", "SupportEnded", "NewConfigurationAssessment", "ExceptionExpired", "ExceptionResurfaced", "FirstAssessment".
	Share     []string // At least so many per cent of the devices were impacted when it happened. One of "1", "10", "25", "50", "75", "100".
	Impact    []string // Whether it impacted at least one device. One of "true", "false".
	Component []string // Names of related components.
	Product   []string // Product ids.
	Check     []string // Ids of configuration checks.
	Weakness  []string // Ids of weaknesses.
	Group     []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p EventCountsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "days", p.Days)
	addQuery(q, "from", p.From)
	addQuery(q, "to", p.To)
	addQuery(q, "type", p.Type)
	addQuery(q, "share", p.Share)
	addQuery(q, "impact", p.Impact)
	addQuery(q, "component", p.Component)
	addQuery(q, "product", p.Product)
	addQuery(q, "check", p.Check)
	addQuery(q, "weakness", p.Weakness)
	addQuery(q, "group", p.Group)
	return q
}

// EventCounts: Numbers of the event timeline (GET /event-counts).
func (c *Client) EventCounts(ctx context.Context, p EventCountsParams) (EventCounts, error) {
	var out EventCounts
	err := c.do(ctx, http.MethodGet, "/event-counts", p.values(), nil, &out)
	return out, err
}

// EventVulnerabilitiesParams are the query of EventVulnerabilities. Zero values are left out.
type EventVulnerabilitiesParams struct {
	Page      int64    // Page, from 1.
	Size      int64    // Rows per page.
	Q         string   // Free text, matched without regard to case.
	Sort      []string // Columns; minus is descending.
	Severity  []string // One of "Critical", "High", "Medium", "Low", "None".
	Threat    []string // alert: an exposed device has an active alert. One of "exploit", "verified", "kit", "kev", "ransomware", "alert".
	Fix       []string // One of "available", "none".
	Exposed   []string // Whether it counts on at least one device; unknown: on none, and of some the feed does not know. One of "true", "false", "unknown".
	State     []string
	Exception []string // Whether an exception is about it somewhere. One of "true", "false".
	Tag       []string // One of "Some updates available", "No security update", "Zero day".
	Age       []string // Published within the last 7, 30, 90 or 365 days, or longer ago. One of "week", "month", "quarter", "year", "older".
	Group     []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p EventVulnerabilitiesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "severity", p.Severity)
	addQuery(q, "threat", p.Threat)
	addQuery(q, "fix", p.Fix)
	addQuery(q, "exposed", p.Exposed)
	addQuery(q, "state", p.State)
	addQuery(q, "exception", p.Exception)
	addQuery(q, "tag", p.Tag)
	addQuery(q, "age", p.Age)
	addQuery(q, "group", p.Group)
	return q
}

// EventVulnerabilities: Weaknesses of an event that devices have now (GET /events/{id}/vulnerabilities).
func (c *Client) EventVulnerabilities(ctx context.Context, id string, p EventVulnerabilitiesParams) (PageWeaknessRow, error) {
	var out PageWeaknessRow
	err := c.do(ctx, http.MethodGet, "/events/"+pathValue(id)+"/vulnerabilities", p.values(), nil, &out)
	return out, err
}

// EventVulnerabilitiesAll gives the rows of all pages of EventVulnerabilities, and an error as the last.
func (c *Client) EventVulnerabilitiesAll(ctx context.Context, id string, p EventVulnerabilitiesParams) iter.Seq2[WeaknessRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]WeaknessRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.EventVulnerabilities(ctx, id, p)
		return out.Items, out.Total, err
	})
}

// EventsParams are the query of Events. Zero values are left out.
type EventsParams struct {
	Page      int64    // Page, from 1.
	Size      int64    // Rows per page.
	Q         string   // Free text, matched without regard to case.
	Sort      []string // Columns; minus is descending.
	Days      string   // Only events of the last so many days.
	From      string   // Only events from this day (2026-01-31, UTC) or time (RFC 3339) on.
	To        string   // Only events until this day (included) or before this time.
	Type      []string // One of "NewVulnerability", "NewPublicExploit", "ExploitVerified", "ExploitInKit", "AddedToKEV", "FixPublished", "SupportEnded", "NewConfigurationAssessment", "ExceptionExpired", "ExceptionResurfaced", "FirstAssessment".
	Share     []string // At least so many per cent of the devices were impacted when it happened. One of "1", "10", "25", "50", "75", "100".
	Impact    []string // Whether it impacted at least one device. One of "true", "false".
	Component []string // Names of related components.
	Product   []string // Product ids.
	Check     []string // Ids of configuration checks.
	Weakness  []string // Ids of weaknesses.
	Group     []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p EventsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "days", p.Days)
	addQuery(q, "from", p.From)
	addQuery(q, "to", p.To)
	addQuery(q, "type", p.Type)
	addQuery(q, "share", p.Share)
	addQuery(q, "impact", p.Impact)
	addQuery(q, "component", p.Component)
	addQuery(q, "product", p.Product)
	addQuery(q, "check", p.Check)
	addQuery(q, "weakness", p.Weakness)
	addQuery(q, "group", p.Group)
	return q
}

// Events: Event timeline: what changed what the devices are exposed to (GET /events).
func (c *Client) Events(ctx context.Context, p EventsParams) (PageEventRow, error) {
	var out PageEventRow
	err := c.do(ctx, http.MethodGet, "/events", p.values(), nil, &out)
	return out, err
}

// EventsAll gives the rows of all pages of Events, and an error as the last.
func (c *Client) EventsAll(ctx context.Context, p EventsParams) iter.Seq2[EventRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]EventRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.Events(ctx, p)
		return out.Items, out.Total, err
	})
}

// ExceptionParams are the query of Exception. Zero values are left out.
type ExceptionParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExceptionParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Exception: One exception, where it holds and what became of it (GET /exceptions/{id}).
func (c *Client) Exception(ctx context.Context, id string, p ExceptionParams) (ExceptionDetail, error) {
	var out ExceptionDetail
	err := c.do(ctx, http.MethodGet, "/exceptions/"+pathValue(id), p.values(), nil, &out)
	return out, err
}

// ExceptionTargetsParams are the query of ExceptionTargets. Zero values are left out.
type ExceptionTargetsParams struct {
	Page   int64    // Page, from 1.
	Size   int64    // Rows per page.
	Q      string   // Free text, matched without regard to case.
	Sort   []string // Columns; minus is descending. One of "name", "-name", "exposed", "-exposed", "status", "-status".
	Status []string // One of "InEffect", "Suspended", "Expired", "Canceled", "Resurfaced".
	Group  []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExceptionTargetsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "status", p.Status)
	addQuery(q, "group", p.Group)
	return q
}

// ExceptionTargets: Device groups or devices for which an exception was made (GET /exceptions/{id}/targets).
func (c *Client) ExceptionTargets(ctx context.Context, id string, p ExceptionTargetsParams) (PageExceptionTarget, error) {
	var out PageExceptionTarget
	err := c.do(ctx, http.MethodGet, "/exceptions/"+pathValue(id)+"/targets", p.values(), nil, &out)
	return out, err
}

// ExceptionTargetsAll gives the rows of all pages of ExceptionTargets, and an error as the last.
func (c *Client) ExceptionTargetsAll(ctx context.Context, id string, p ExceptionTargetsParams) iter.Seq2[ExceptionTarget, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]ExceptionTarget, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.ExceptionTargets(ctx, id, p)
		return out.Items, out.Total, err
	})
}

// ExceptionsParams are the query of Exceptions. Zero values are left out.
type ExceptionsParams struct {
	Page           int64    // Page, from 1.
	Size           int64    // Rows per page.
	Q              string   // Free text, matched without regard to case.
	Sort           []string // Columns; minus is descending.
	Status         []string // One of "InEffect", "Suspended", "Expired", "Canceled", "Resurfaced".
	Justification  []string // One of "ThirdPartyControl", "AlternateMitigation", "RiskAccepted", "PlannedRemediation".
	Kind           []string // What it is about. One of "Recommendation", "Weakness", "Software", "Path".
	Scope          []string // One of "Global", "DeviceGroups", "Devices".
	Source         []string // Manual, or the kind of document that it came from.
	Recommendation []string // Ids of recommendations that it is about.
	Weakness       []string
	Product        []string
	Document       []string // Ids of loaded VEX documents that they come from.
	Group          []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExceptionsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "status", p.Status)
	addQuery(q, "justification", p.Justification)
	addQuery(q, "kind", p.Kind)
	addQuery(q, "scope", p.Scope)
	addQuery(q, "source", p.Source)
	addQuery(q, "recommendation", p.Recommendation)
	addQuery(q, "weakness", p.Weakness)
	addQuery(q, "product", p.Product)
	addQuery(q, "document", p.Document)
	addQuery(q, "group", p.Group)
	return q
}

// Exceptions: Exceptions, those that ended too (GET /exceptions).
func (c *Client) Exceptions(ctx context.Context, p ExceptionsParams) (PageExceptionRow, error) {
	var out PageExceptionRow
	err := c.do(ctx, http.MethodGet, "/exceptions", p.values(), nil, &out)
	return out, err
}

// ExceptionsAll gives the rows of all pages of Exceptions, and an error as the last.
func (c *Client) ExceptionsAll(ctx context.Context, p ExceptionsParams) iter.Seq2[ExceptionRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]ExceptionRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.Exceptions(ctx, p)
		return out.Items, out.Total, err
	})
}

// ExcludeDevice: Take a device out of scores and lists (PUT /devices/{id}/exclusion).
func (c *Client) ExcludeDevice(ctx context.Context, id string, in ExclusionInBody) error {
	return c.do(ctx, http.MethodPut, "/devices/"+pathValue(id)+"/exclusion", nil, in, nil)
}

// ExportAlertsParams are the query of ExportAlerts. Zero values are left out.
type ExportAlertsParams struct {
	Format             string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q                  string   // Free text, matched without regard to case.
	Sort               []string // Columns; minus is descending.
	Severity           []string // One of "UnSpecified", "Informational", "Low", "Medium", "High".
	Status             []string // One of "New", "InProgress", "Resolved".
	Category           []string // Kinds of threat, as the Defender API names them.
	Classification     []string // What it turned out to be; - is not set. One of "-", "TruePositive", "InformationalExpectedActivity", "FalsePositive".
	Source             []string // Detection source.
	Assigned           []string // Whom it is assigned to; - is nobody.
	Active             []string // Whether it counts in risk and exposure. One of "true", "false".
	Simulated          []string // Whether its device is a simulated one. One of "true", "false".
	Device             []string // Device ids.
	DeviceGroup        []string // Device groups, by number; 0: devices that no rule takes.
	Technique          []string // ATT&CK techniques, with those under them.
	Entity             []string // What its events name: file:SHA-256 or SHA-1, ip:address, domain:host, user:name.
	Weakness           []string // On devices that are exposed to one of these weaknesses.
	Software           []string // On devices that are exposed by one of these products.
	Recommendation     []string // On devices that one of these recommendations is for.
	From               []string // Raised at this instant or later (RFC 3339).
	To                 []string // Raised before this instant (RFC 3339).
	Raised             []string // Raised within so many days. One of "1", "7", "30".
	InvestigationState []string // How the latest investigation that has it stands; - is none. One of "-", "Queued", "PendingApproval", "PendingResource", "Running", "Benign", "PartiallyInvestigated", "Failed", "TerminatedByUser", "TerminatedBySystem".
	Group              []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportAlertsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "severity", p.Severity)
	addQuery(q, "status", p.Status)
	addQuery(q, "category", p.Category)
	addQuery(q, "classification", p.Classification)
	addQuery(q, "source", p.Source)
	addQuery(q, "assigned", p.Assigned)
	addQuery(q, "active", p.Active)
	addQuery(q, "simulated", p.Simulated)
	addQuery(q, "device", p.Device)
	addQuery(q, "device_group", p.DeviceGroup)
	addQuery(q, "technique", p.Technique)
	addQuery(q, "entity", p.Entity)
	addQuery(q, "weakness", p.Weakness)
	addQuery(q, "software", p.Software)
	addQuery(q, "recommendation", p.Recommendation)
	addQuery(q, "from", p.From)
	addQuery(q, "to", p.To)
	addQuery(q, "raised", p.Raised)
	addQuery(q, "investigation_state", p.InvestigationState)
	addQuery(q, "group", p.Group)
	return q
}

// ExportAlerts: Alerts, all rows of the filter as a file (GET /alerts/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportAlerts(ctx context.Context, p ExportAlertsParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/alerts/export", p.values(), nil)
}

// ExportApprovalsParams are the query of ExportApprovals. Zero values are left out.
type ExportApprovalsParams struct {
	Format    string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q         string   // Free text, matched without regard to case.
	Sort      []string // Columns; minus is descending. One of "created", "-created", "expires", "-expires", "name", "-name", "requester", "-requester", "state", "-state".
	State     []string // One of "pending", "approved", "running", "done", "failed", "refused", "withdrawn", "expired", "cancelled".
	Kind      []string // Ids of actions, approval-policy or leave-approval.
	Requester []string // Names of people and applications.
	Device    []string // Ids of devices.
	Group     []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportApprovalsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "state", p.State)
	addQuery(q, "kind", p.Kind)
	addQuery(q, "requester", p.Requester)
	addQuery(q, "device", p.Device)
	addQuery(q, "group", p.Group)
	return q
}

// ExportApprovals: Requests that somebody else has to approve, and what became of them, all rows of the filter as a file (GET /approvals/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportApprovals(ctx context.Context, p ExportApprovalsParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/approvals/export", p.values(), nil)
}

// ExportAuditParams are the query of ExportAudit. Zero values are left out.
type ExportAuditParams struct {
	Format  string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q       string   // Free text, matched without regard to case.
	Sort    []string // Order of time; minus is newest first. One of "at", "-at".
	Actor   []string // Names of people, applications and accounts of the server's machine, whole.
	Action  []string // Operations, as in the entries: set-device-value.
	Object  []string // Ids of what entries are about, whole.
	Outcome []string // How requests ended. One of "done", "denied", "failed".
	Remote  []string // Addresses that requests came from, whole.
	From    []string // Instant (RFC 3339), included; one.
	To      []string // Instant (RFC 3339), not included; one, after from.
	Group   []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportAuditParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "actor", p.Actor)
	addQuery(q, "action", p.Action)
	addQuery(q, "object", p.Object)
	addQuery(q, "outcome", p.Outcome)
	addQuery(q, "remote", p.Remote)
	addQuery(q, "from", p.From)
	addQuery(q, "to", p.To)
	addQuery(q, "group", p.Group)
	return q
}

// ExportAudit: The audit log: who did what, with which outcome, all rows of the filter as a file (GET /audit/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportAudit(ctx context.Context, p ExportAuditParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/audit/export", p.values(), nil)
}

// ExportCheckDevicesParams are the query of ExportCheckDevices. Zero values are left out.
type ExportCheckDevicesParams struct {
	Format      string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q           string   // Free text, matched without regard to case.
	Sort        []string // Columns; minus is descending. One of "name", "-name", "os", "-os", "group", "-group", "state", "-state".
	State       []string // Its result on the device. One of "pass", "fail", "not_applicable", "not_assessed".
	DeviceGroup []string // Device groups, by number; 0: devices that no rule takes.
	Group       []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportCheckDevicesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "state", p.State)
	addQuery(q, "device_group", p.DeviceGroup)
	addQuery(q, "group", p.Group)
	return q
}

// ExportCheckDevices: What a configuration check says of devices, and why, all rows of the filter as a file (GET /secure-score/checks/{id}/devices/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportCheckDevices(ctx context.Context, id string, p ExportCheckDevicesParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/secure-score/checks/"+pathValue(id)+"/devices/export", p.values(), nil)
}

// ExportDeviceChecksParams are the query of ExportDeviceChecks. Zero values are left out.
type ExportDeviceChecksParams struct {
	Format   string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q        string   // Free text, matched without regard to case.
	Sort     []string // Columns; minus is descending. One of "name", "-name", "category", "-category", "impact", "-impact", "state", "-state".
	State    []string // One of "pass", "fail", "not_applicable", "not_assessed".
	Category []string // One of "Application", "OS", "Network", "Accounts", "SecurityControls".
	Group    []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportDeviceChecksParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "state", p.State)
	addQuery(q, "category", p.Category)
	addQuery(q, "group", p.Group)
	return q
}

// ExportDeviceChecks: Configuration checks of a device, with what was found, all rows of the filter as a file (GET /devices/{id}/checks/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportDeviceChecks(ctx context.Context, id string, p ExportDeviceChecksParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/checks/export", p.values(), nil)
}

// ExportDeviceClosedParams are the query of ExportDeviceClosed. Zero values are left out.
type ExportDeviceClosedParams struct {
	Format string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q      string   // Free text, matched without regard to case.
	Sort   []string // Columns; minus is descending. One of "closed_at", "-closed_at".
	Reason []string // One of "upgraded", "removed", "rejected", "advisory-changed", "kernel-changed", "restarted".
	Group  []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportDeviceClosedParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "reason", p.Reason)
	addQuery(q, "group", p.Group)
	return q
}

// ExportDeviceClosed: Findings of a device that are gone, and why, all rows of the filter as a file (GET /devices/{id}/closed/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportDeviceClosed(ctx context.Context, id string, p ExportDeviceClosedParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/closed/export", p.values(), nil)
}

// ExportDeviceRecommendationsParams are the query of ExportDeviceRecommendations. Zero values are left out.
type ExportDeviceRecommendationsParams struct {
	Format    string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q         string   // Free text, matched without regard to case.
	Sort      []string // Columns; minus is descending.
	Type      []string // Type of remediation. One of "Update", "Upgrade", "Uninstall", "AttentionRequired", "Restart", "ConfigurationChange".
	Threat    []string // alert: an exposed device has an active alert. One of "exploit", "verified", "kit", "kev", "ransomware", "alert".
	Status    []string // One of "Active", "PartialException", "FullException".
	Tag       []string
	Exception []string // Whether some of it is under an exception. One of "true", "false".
	Group     []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportDeviceRecommendationsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "type", p.Type)
	addQuery(q, "threat", p.Threat)
	addQuery(q, "status", p.Status)
	addQuery(q, "tag", p.Tag)
	addQuery(q, "exception", p.Exception)
	addQuery(q, "group", p.Group)
	return q
}

// ExportDeviceRecommendations: Recommendations for a device, all rows of the filter as a file (GET /devices/{id}/recommendations/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportDeviceRecommendations(ctx context.Context, id string, p ExportDeviceRecommendationsParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/recommendations/export", p.values(), nil)
}

// ExportDeviceScoreTermsParams are the query of ExportDeviceScoreTerms. Zero values are left out.
type ExportDeviceScoreTermsParams struct {
	Format   string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q        string   // Free text, matched without regard to case.
	Sort     []string // Columns; minus is descending. One of "points", "-points", "weakness", "-weakness", "component", "-component", "cvss", "-cvss".
	Kind     []string // What the term is of. One of "finding", "check", "alert".
	Severity []string // Of a weakness. One of "Critical", "High", "Medium", "Low", "None".
	Threat   []string // alert: the device has an active alert. One of "exploit", "verified", "kit", "kev", "ransomware", "alert".
	Group    []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportDeviceScoreTermsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "kind", p.Kind)
	addQuery(q, "severity", p.Severity)
	addQuery(q, "threat", p.Threat)
	addQuery(q, "group", p.Group)
	return q
}

// ExportDeviceScoreTerms: All terms of a device's exposure score, all rows of the filter as a file (GET /devices/{id}/score/terms/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportDeviceScoreTerms(ctx context.Context, id string, p ExportDeviceScoreTermsParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/score/terms/export", p.values(), nil)
}

// ExportDeviceSoftwareParams are the query of ExportDeviceSoftware. Zero values are left out.
type ExportDeviceSoftwareParams struct {
	Format     string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q          string   // Free text, matched without regard to case.
	Sort       []string // Columns; minus is descending. One of "name", "-name", "vendor", "-vendor", "version", "-version", "weaknesses", "-weaknesses", "severity", "-severity", "last_found", "-last_found".
	Vendor     []string
	Ecosystem  []string
	Code       []string // Kind of product code; available: any; none: there is none. One of "available", "cpe", "purl", "none".
	Vulnerable []string // Only products with weaknesses. One of "true".
	Update     []string // Only products that the host's package manager would upgrade. One of "true".
	Threat     []string // alert: the device has an active alert. One of "exploit", "verified", "kit", "kev", "ransomware", "alert".
	Assessed   []string // One of "true", "false".
	Group      []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportDeviceSoftwareParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "vendor", p.Vendor)
	addQuery(q, "ecosystem", p.Ecosystem)
	addQuery(q, "code", p.Code)
	addQuery(q, "vulnerable", p.Vulnerable)
	addQuery(q, "update", p.Update)
	addQuery(q, "threat", p.Threat)
	addQuery(q, "assessed", p.Assessed)
	addQuery(q, "group", p.Group)
	return q
}

// ExportDeviceSoftware: Software of a device, all rows of the filter as a file (GET /devices/{id}/software/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportDeviceSoftware(ctx context.Context, id string, p ExportDeviceSoftwareParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/software/export", p.values(), nil)
}

// ExportDeviceTimelineParams are the query of ExportDeviceTimeline. Zero values are left out.
type ExportDeviceTimelineParams struct {
	Format     string    // csv (RFC 4180), jsonl (one JSON object a line), or ecs (one a line, in fields of the Elastic Common Schema). One of "csv", "jsonl", "ecs".
	From       time.Time // From this time on (RFC 3339).
	To         time.Time // Before this time (RFC 3339).
	EventGroup []string  // Event groups.
	Action     []string  // Action types.
	Q          string    // Text that occurs in the event, whatever its case.
	Flagged    bool      // Only flagged events.
	Technique  []string  // ATT&CK techniques, with those under them.
	Sort       string    // -flagged: flagged events first. Newest first in any case. One of "-time", "-flagged".
	Group      []int64   // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportDeviceTimelineParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "from", p.From)
	addQuery(q, "to", p.To)
	addQuery(q, "event_group", p.EventGroup)
	addQuery(q, "action", p.Action)
	addQuery(q, "q", p.Q)
	addQuery(q, "flagged", p.Flagged)
	addQuery(q, "technique", p.Technique)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "group", p.Group)
	return q
}

// ExportDeviceTimeline: What happened on a device, all events of the filter as a file (GET /devices/{id}/timeline/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportDeviceTimeline(ctx context.Context, id string, p ExportDeviceTimelineParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/timeline/export", p.values(), nil)
}

// ExportDeviceUpdatesParams are the query of ExportDeviceUpdates. Zero values are left out.
type ExportDeviceUpdatesParams struct {
	Format   string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q        string   // Free text, matched without regard to case.
	Sort     []string // Columns; minus is descending. One of "id", "-id", "products", "-products", "weaknesses", "-weaknesses", "severity", "-severity", "devices", "-devices".
	Severity []string // The highest of what it fixes. One of "Critical", "High", "Medium", "Low", "None".
	Threat   []string // alert: an exposed device has an active alert. One of "exploit", "verified", "kit", "kev", "ransomware", "alert".
	Group    []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportDeviceUpdatesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "severity", p.Severity)
	addQuery(q, "threat", p.Threat)
	addQuery(q, "group", p.Group)
	return q
}

// ExportDeviceUpdates: Updates that vendors announced and that a device lacks, all rows of the filter as a file (GET /devices/{id}/updates/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportDeviceUpdates(ctx context.Context, id string, p ExportDeviceUpdatesParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/updates/export", p.values(), nil)
}

// ExportDeviceVulnerabilitiesParams are the query of ExportDeviceVulnerabilities. Zero values are left out.
type ExportDeviceVulnerabilitiesParams struct {
	Format         string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q              string   // Free text, matched without regard to case.
	Sort           []string // Columns; minus is descending.
	Severity       []string // One of "Critical", "High", "Medium", "Low", "None".
	State          []string
	Exposed        []string // Whether it counts in exposure. One of "true", "false".
	Fix            []string // One of "available", "none".
	Threat         []string // alert: an exposed device has an active alert. One of "exploit", "verified", "kit", "kev", "ransomware", "alert".
	Software       []string // Product ids.
	Exception      []string // Whether all of it that counts is under exceptions. One of "true", "false".
	Recommendation []string // Ids of recommendations that close it on the device.
	Group          []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportDeviceVulnerabilitiesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "severity", p.Severity)
	addQuery(q, "state", p.State)
	addQuery(q, "exposed", p.Exposed)
	addQuery(q, "fix", p.Fix)
	addQuery(q, "threat", p.Threat)
	addQuery(q, "software", p.Software)
	addQuery(q, "exception", p.Exception)
	addQuery(q, "recommendation", p.Recommendation)
	addQuery(q, "group", p.Group)
	return q
}

// ExportDeviceVulnerabilities: Weaknesses of a device, all rows of the filter as a file (GET /devices/{id}/vulnerabilities/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportDeviceVulnerabilities(ctx context.Context, id string, p ExportDeviceVulnerabilitiesParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/devices/"+pathValue(id)+"/vulnerabilities/export", p.values(), nil)
}

// ExportDevicesParams are the query of ExportDevices. Zero values are left out.
type ExportDevicesParams struct {
	Format         string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q              string   // Free text, matched without regard to case.
	Sort           []string // Columns; minus is descending.
	OS             []string // OS platform, as in os_platform.
	OSVersion      []string // Version of the operating system, as in os_version.
	OSLife         []string // Support of the operating system's release; upcoming: it ends within 6 months. One of "supported", "upcoming", "ended", "unknown".
	Health         []string // One of "Active", "Inactive", "ImpairedCommunication", "NoSensorData".
	Exposure       []string // Exposure level. One of "None", "Low", "Medium", "High", "NoData".
	Risk           []string // Risk level, by active alerts. One of "None", "Informational", "Low", "Medium", "High".
	Value          []string // What the device is worth. One of "Low", "Normal", "High".
	Tag            []string
	DeviceGroup    []string // Device groups, by number; 0: devices that no rule takes.
	Isolated       []string // Whether it is isolated, as its agent told last. One of "true", "false".
	Excluded       []string // Whether somebody took it out of scores and lists. One of "true", "false".
	Clone          []string // Only devices forked from a copied state directory. One of "true".
	New            []string // Whether it was first seen within 7 days. One of "true", "false".
	Source         []string // Where the inventory comes from. One of "agent", "osquery", "simulated", "sbom".
	ManagedBy      []string // What can be told to do something on the device; nothing: a document describes it. One of "picket", "osquery", "nothing".
	InternetFacing []string // Whether it is proven that the device stands in the internet. One of "yes", "not_assessed".
	Group          []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportDevicesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "os", p.OS)
	addQuery(q, "os_version", p.OSVersion)
	addQuery(q, "os_life", p.OSLife)
	addQuery(q, "health", p.Health)
	addQuery(q, "exposure", p.Exposure)
	addQuery(q, "risk", p.Risk)
	addQuery(q, "value", p.Value)
	addQuery(q, "tag", p.Tag)
	addQuery(q, "device_group", p.DeviceGroup)
	addQuery(q, "isolated", p.Isolated)
	addQuery(q, "excluded", p.Excluded)
	addQuery(q, "clone", p.Clone)
	addQuery(q, "new", p.New)
	addQuery(q, "source", p.Source)
	addQuery(q, "managed_by", p.ManagedBy)
	addQuery(q, "internet_facing", p.InternetFacing)
	addQuery(q, "group", p.Group)
	return q
}

// ExportDevices: Devices, all rows of the filter as a file (GET /devices/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportDevices(ctx context.Context, p ExportDevicesParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/devices/export", p.values(), nil)
}

// ExportDomainDevicesParams are the query of ExportDomainDevices. Zero values are left out.
type ExportDomainDevicesParams struct {
	Format   string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q        string   // Free text, matched without regard to case.
	Days     int64    // Whole days (UTC) back from now.
	Sort     []string // Columns; minus is descending.
	OS       []string // OS platform, as in os_platform.
	Health   []string // One of "Active", "Inactive", "ImpairedCommunication", "NoSensorData".
	Exposure []string // Exposure level. One of "None", "Low", "Medium", "High", "NoData".
	Group    []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportDomainDevicesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "days", p.Days)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "os", p.OS)
	addQuery(q, "health", p.Health)
	addQuery(q, "exposure", p.Exposure)
	addQuery(q, "group", p.Group)
	return q
}

// ExportDomainDevices: Devices that met a host and those below it, all rows of the filter as a file (GET /domains/{id}/devices/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportDomainDevices(ctx context.Context, id string, p ExportDomainDevicesParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/domains/"+pathValue(id)+"/devices/export", p.values(), nil)
}

// ExportEventVulnerabilitiesParams are the query of ExportEventVulnerabilities. Zero values are left out.
type ExportEventVulnerabilitiesParams struct {
	Format    string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q         string   // Free text, matched without regard to case.
	Sort      []string // Columns; minus is descending.
	Severity  []string // One of "Critical", "High", "Medium", "Low", "None".
	Threat    []string // alert: an exposed device has an active alert. One of "exploit", "verified", "kit", "kev", "ransomware", "alert".
	Fix       []string // One of "available", "none".
	Exposed   []string // Whether it counts on at least one device; unknown: on none, and of some the feed does not know. One of "true", "false", "unknown".
	State     []string
	Exception []string // Whether an exception is about it somewhere. One of "true", "false".
	Tag       []string // One of "Some updates available", "No security update", "Zero day".
	Age       []string // Published within the last 7, 30, 90 or 365 days, or longer ago. One of "week", "month", "quarter", "year", "older".
	Group     []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportEventVulnerabilitiesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "severity", p.Severity)
	addQuery(q, "threat", p.Threat)
	addQuery(q, "fix", p.Fix)
	addQuery(q, "exposed", p.Exposed)
	addQuery(q, "state", p.State)
	addQuery(q, "exception", p.Exception)
	addQuery(q, "tag", p.Tag)
	addQuery(q, "age", p.Age)
	addQuery(q, "group", p.Group)
	return q
}

// ExportEventVulnerabilities: Weaknesses of an event that devices have now, all rows of the filter as a file (GET /events/{id}/vulnerabilities/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportEventVulnerabilities(ctx context.Context, id string, p ExportEventVulnerabilitiesParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/events/"+pathValue(id)+"/vulnerabilities/export", p.values(), nil)
}

// ExportEventsParams are the query of ExportEvents. Zero values are left out.
type ExportEventsParams struct {
	Format    string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q         string   // Free text, matched without regard to case.
	Sort      []string // Columns; minus is descending.
	Days      string   // Only events of the last so many days.
	From      string   // Only events from this day (2026-01-31, UTC) or time (RFC 3339) on.
	To        string   // Only events until this day (included) or before this time.
	Type      []string // One of "NewVulnerability", "NewPublicExploit", "ExploitVerified", "ExploitInKit", "AddedToKEV", "FixPublished", "SupportEnded", "NewConfigurationAssessment", "ExceptionExpired", "ExceptionResurfaced", "FirstAssessment".
	Share     []string // At least so many per cent of the devices were impacted when it happened. One of "1", "10", "25", "50", "75", "100".
	Impact    []string // Whether it impacted at least one device. One of "true", "false".
	Component []string // Names of related components.
	Product   []string // Product ids.
	Check     []string // Ids of configuration checks.
	Weakness  []string // Ids of weaknesses.
	Group     []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportEventsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "days", p.Days)
	addQuery(q, "from", p.From)
	addQuery(q, "to", p.To)
	addQuery(q, "type", p.Type)
	addQuery(q, "share", p.Share)
	addQuery(q, "impact", p.Impact)
	addQuery(q, "component", p.Component)
	addQuery(q, "product", p.Product)
	addQuery(q, "check", p.Check)
	addQuery(q, "weakness", p.Weakness)
	addQuery(q, "group", p.Group)
	return q
}

// ExportEvents: Event timeline: what changed what the devices are exposed to, all rows of the filter as a file (GET /events/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportEvents(ctx context.Context, p ExportEventsParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/events/export", p.values(), nil)
}

// ExportExceptionTargetsParams are the query of ExportExceptionTargets. Zero values are left out.
type ExportExceptionTargetsParams struct {
	Format string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q      string   // Free text, matched without regard to case.
	Sort   []string // Columns; minus is descending. One of "name", "-name", "exposed", "-exposed", "status", "-status".
	Status []string // One of "InEffect", "Suspended", "Expired", "Canceled", "Resurfaced".
	Group  []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportExceptionTargetsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "status", p.Status)
	addQuery(q, "group", p.Group)
	return q
}

// ExportExceptionTargets: Device groups or devices for which an exception was made, all rows of the filter as a file (GET /exceptions/{id}/targets/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportExceptionTargets(ctx context.Context, id string, p ExportExceptionTargetsParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/exceptions/"+pathValue(id)+"/targets/export", p.values(), nil)
}

// ExportExceptionsParams are the query of ExportExceptions. Zero values are left out.
type ExportExceptionsParams struct {
	Format         string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q              string   // Free text, matched without regard to case.
	Sort           []string // Columns; minus is descending.
	Status         []string // One of "InEffect", "Suspended", "Expired", "Canceled", "Resurfaced".
	Justification  []string // One of "ThirdPartyControl", "AlternateMitigation", "RiskAccepted", "PlannedRemediation".
	Kind           []string // What it is about. One of "Recommendation", "Weakness", "Software", "Path".
	Scope          []string // One of "Global", "DeviceGroups", "Devices".
	Source         []string // Manual, or the kind of document that it came from.
	Recommendation []string // Ids of recommendations that it is about.
	Weakness       []string
	Product        []string
	Document       []string // Ids of loaded VEX documents that they come from.
	Group          []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportExceptionsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "status", p.Status)
	addQuery(q, "justification", p.Justification)
	addQuery(q, "kind", p.Kind)
	addQuery(q, "scope", p.Scope)
	addQuery(q, "source", p.Source)
	addQuery(q, "recommendation", p.Recommendation)
	addQuery(q, "weakness", p.Weakness)
	addQuery(q, "product", p.Product)
	addQuery(q, "document", p.Document)
	addQuery(q, "group", p.Group)
	return q
}

// ExportExceptions: Exceptions, those that ended too, all rows of the filter as a file (GET /exceptions/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportExceptions(ctx context.Context, p ExportExceptionsParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/exceptions/export", p.values(), nil)
}

// ExportFileDevicesParams are the query of ExportFileDevices. Zero values are left out.
type ExportFileDevicesParams struct {
	Format   string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q        string   // Free text, matched without regard to case.
	Days     int64    // Whole days (UTC) back from now.
	Sort     []string // Columns; minus is descending.
	OS       []string // OS platform, as in os_platform.
	Health   []string // One of "Active", "Inactive", "ImpairedCommunication", "NoSensorData".
	Exposure []string // Exposure level. One of "None", "Low", "Medium", "High", "NoData".
	Group    []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportFileDevicesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "days", p.Days)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "os", p.OS)
	addQuery(q, "health", p.Health)
	addQuery(q, "exposure", p.Exposure)
	addQuery(q, "group", p.Group)
	return q
}

// ExportFileDevices: Devices that met a file, all rows of the filter as a file (GET /files/{id}/devices/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportFileDevices(ctx context.Context, id string, p ExportFileDevicesParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/files/"+pathValue(id)+"/devices/export", p.values(), nil)
}

// ExportHuntParams are the query of ExportHunt. Zero values are left out.
type ExportHuntParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportHuntParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// ExportHunt: Run a query; its whole result as a file (POST /hunting/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportHunt(ctx context.Context, p ExportHuntParams, in HuntExportInBody) (*Stream, error) {
	return c.stream(ctx, http.MethodPost, "/hunting/export", p.values(), in)
}

// ExportInaccuraciesParams are the query of ExportInaccuracies. Zero values are left out.
type ExportInaccuraciesParams struct {
	Format   string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q        string   // Free text, matched without regard to case.
	Sort     []string // Columns; minus is descending. One of "at", "-at", "title", "-title", "kind", "-kind", "status", "-status", "changed", "-changed".
	Status   []string // One of "open", "resolved".
	Kind     []string // One of "software", "weakness", "recommendation".
	Category []string
	Group    []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportInaccuraciesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "status", p.Status)
	addQuery(q, "kind", p.Kind)
	addQuery(q, "category", p.Category)
	addQuery(q, "group", p.Group)
	return q
}

// ExportInaccuracies: What was reported as inaccurate, all rows of the filter as a file (GET /inaccuracies/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportInaccuracies(ctx context.Context, p ExportInaccuraciesParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/inaccuracies/export", p.values(), nil)
}

// ExportIndicatorsParams are the query of ExportIndicators. Zero values are left out.
type ExportIndicatorsParams struct {
	Format      string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q           string   // Free text, matched without regard to case.
	Sort        []string // Columns; minus is descending.
	Type        []string // One of "FileSha1", "FileSha256", "FileMd5", "CertificateThumbprint", "IpAddress", "DomainName", "Url".
	Action      []string // One of "Allowed", "Audit", "Warn", "Block", "BlockAndRemediate", "Alert", "AlertAndBlock".
	Severity    []string // One of "Informational", "Low", "Medium", "High".
	Active      []string // Whether it has not expired. One of "true", "false".
	DeviceGroup []string // Device groups that it is for, by number.
	Group       []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportIndicatorsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "type", p.Type)
	addQuery(q, "action", p.Action)
	addQuery(q, "severity", p.Severity)
	addQuery(q, "active", p.Active)
	addQuery(q, "device_group", p.DeviceGroup)
	addQuery(q, "group", p.Group)
	return q
}

// ExportIndicators: Indicators: values that raise alerts where they occur, all rows of the filter as a file (GET /indicators/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportIndicators(ctx context.Context, p ExportIndicatorsParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/indicators/export", p.values(), nil)
}

// ExportInvestigationsParams are the query of ExportInvestigations. Zero values are left out.
type ExportInvestigationsParams struct {
	Format      string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q           string   // Free text, matched without regard to case.
	Sort        []string // Columns; minus is descending. One of "started", "-started", "ended", "-ended", "device", "-device", "state", "-state", "requester", "-requester", "id", "-id".
	Device      []string // Device ids.
	DeviceGroup []string // Device groups, by number; 0: devices that no rule takes.
	State       []string // One of "Queued", "PendingApproval", "PendingResource", "Running", "Benign", "PartiallyInvestigated", "Failed", "TerminatedByUser", "TerminatedBySystem".
	Alert       []string // Ids of alerts that belong to it.
	Active      []string // Whether it has not ended. One of "true", "false".
	From        []string // Started at this instant or later (RFC 3339).
	To          []string // Started before this instant (RFC 3339).
	Group       []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportInvestigationsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "device", p.Device)
	addQuery(q, "device_group", p.DeviceGroup)
	addQuery(q, "state", p.State)
	addQuery(q, "alert", p.Alert)
	addQuery(q, "active", p.Active)
	addQuery(q, "from", p.From)
	addQuery(q, "to", p.To)
	addQuery(q, "group", p.Group)
	return q
}

// ExportInvestigations: Investigations of devices, all rows of the filter as a file (GET /investigations/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportInvestigations(ctx context.Context, p ExportInvestigationsParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/investigations/export", p.values(), nil)
}

// ExportIPDevicesParams are the query of ExportIPDevices. Zero values are left out.
type ExportIPDevicesParams struct {
	Format   string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q        string   // Free text, matched without regard to case.
	Days     int64    // Whole days (UTC) back from now.
	Sort     []string // Columns; minus is descending.
	OS       []string // OS platform, as in os_platform.
	Health   []string // One of "Active", "Inactive", "ImpairedCommunication", "NoSensorData".
	Exposure []string // Exposure level. One of "None", "Low", "Medium", "High", "NoData".
	Group    []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportIPDevicesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "days", p.Days)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "os", p.OS)
	addQuery(q, "health", p.Health)
	addQuery(q, "exposure", p.Exposure)
	addQuery(q, "group", p.Group)
	return q
}

// ExportIPDevices: Devices that met a address, all rows of the filter as a file (GET /ips/{id}/devices/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportIPDevices(ctx context.Context, id string, p ExportIPDevicesParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/ips/"+pathValue(id)+"/devices/export", p.values(), nil)
}

// ExportMachineActionsParams are the query of ExportMachineActions. Zero values are left out.
type ExportMachineActionsParams struct {
	Format      string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q           string   // Free text, matched without regard to case.
	Sort        []string // Columns; minus is descending. One of "created", "-created", "updated", "-updated", "device", "-device", "kind", "-kind", "status", "-status", "requester", "-requester".
	Device      []string // Device ids.
	DeviceGroup []string // Device groups, by number; 0: devices that no rule takes.
	Kind        []string // One of "collect", "scan", "isolate", "release", "investigate".
	Status      []string // One of "Pending", "InProgress", "Succeeded", "Failed", "TimeOut", "Cancelled".
	Requester   []string // Names of people and applications.
	Active      []string // Whether it is pending or in progress. One of "true", "false".
	From        []string // Asked for at this instant or later (RFC 3339).
	To          []string // Asked for before this instant (RFC 3339).
	Group       []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportMachineActionsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "device", p.Device)
	addQuery(q, "device_group", p.DeviceGroup)
	addQuery(q, "kind", p.Kind)
	addQuery(q, "status", p.Status)
	addQuery(q, "requester", p.Requester)
	addQuery(q, "active", p.Active)
	addQuery(q, "from", p.From)
	addQuery(q, "to", p.To)
	addQuery(q, "group", p.Group)
	return q
}

// ExportMachineActions: What was asked to be done on devices, and what became of it, all rows of the filter as a file (GET /machine-actions/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportMachineActions(ctx context.Context, p ExportMachineActionsParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/machine-actions/export", p.values(), nil)
}

// ExportPeopleParams are the query of ExportPeople. Zero values are left out.
type ExportPeopleParams struct {
	Format    string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q         string   // Free text, matched without regard to case.
	Sort      []string // Columns; minus is descending. One of "name", "-name", "display", "-display", "created", "-created", "last_used", "-last_used".
	Status    []string // One of "active", "disabled".
	UserGroup []string // Ids of user groups.
	Group     []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportPeopleParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "status", p.Status)
	addQuery(q, "user_group", p.UserGroup)
	addQuery(q, "group", p.Group)
	return q
}

// ExportPeople: People who may sign in, all rows of the filter as a file (GET /people/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportPeople(ctx context.Context, p ExportPeopleParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/people/export", p.values(), nil)
}

// ExportPlanStepsParams are the query of ExportPlanSteps. Zero values are left out.
type ExportPlanStepsParams struct {
	Format string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q      string   // Free text, matched without regard to case.
	Sort   []string // Columns; minus is descending. One of "order", "-order", "name", "-name", "state", "-state".
	State  []string // One of "Open", "In progress", "Done".
	Group  []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportPlanStepsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "state", p.State)
	addQuery(q, "group", p.Group)
	return q
}

// ExportPlanSteps: Steps of a saved patch plan and their state now, all rows of the filter as a file (GET /plans/{id}/steps/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportPlanSteps(ctx context.Context, id string, p ExportPlanStepsParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/plans/"+pathValue(id)+"/steps/export", p.values(), nil)
}

// ExportPlansParams are the query of ExportPlans. Zero values are left out.
type ExportPlansParams struct {
	Format string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q      string   // Free text, matched without regard to case.
	Sort   []string // Columns; minus is descending.
	State  []string // One of "Open", "In progress", "Done".
	Group  []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportPlansParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "state", p.State)
	addQuery(q, "group", p.Group)
	return q
}

// ExportPlans: Saved patch plans, with what became of them, all rows of the filter as a file (GET /plans/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportPlans(ctx context.Context, p ExportPlansParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/plans/export", p.values(), nil)
}

// ExportProductDevicesParams are the query of ExportProductDevices. Zero values are left out.
type ExportProductDevicesParams struct {
	Format         string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q              string   // Free text, matched without regard to case.
	Sort           []string // Columns; minus is descending.
	OS             []string // OS platform, as in os_platform.
	OSVersion      []string // Version of the operating system, as in os_version.
	OSLife         []string // Support of the operating system's release; upcoming: it ends within 6 months. One of "supported", "upcoming", "ended", "unknown".
	Health         []string // One of "Active", "Inactive", "ImpairedCommunication", "NoSensorData".
	Exposure       []string // Exposure level. One of "None", "Low", "Medium", "High", "NoData".
	Risk           []string // Risk level, by active alerts. One of "None", "Informational", "Low", "Medium", "High".
	Value          []string // What the device is worth. One of "Low", "Normal", "High".
	Tag            []string
	DeviceGroup    []string // Device groups, by number; 0: devices that no rule takes.
	Isolated       []string // Whether it is isolated, as its agent told last. One of "true", "false".
	Excluded       []string // Whether somebody took it out of scores and lists. One of "true", "false".
	Clone          []string // Only devices forked from a copied state directory. One of "true".
	New            []string // Whether it was first seen within 7 days. One of "true", "false".
	Source         []string // Where the inventory comes from. One of "agent", "osquery", "simulated", "sbom".
	ManagedBy      []string // What can be told to do something on the device; nothing: a document describes it. One of "picket", "osquery", "nothing".
	InternetFacing []string // Whether it is proven that the device stands in the internet. One of "yes", "not_assessed".
	Version        []string // Only devices that have one of these versions.
	Group          []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportProductDevicesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "os", p.OS)
	addQuery(q, "os_version", p.OSVersion)
	addQuery(q, "os_life", p.OSLife)
	addQuery(q, "health", p.Health)
	addQuery(q, "exposure", p.Exposure)
	addQuery(q, "risk", p.Risk)
	addQuery(q, "value", p.Value)
	addQuery(q, "tag", p.Tag)
	addQuery(q, "device_group", p.DeviceGroup)
	addQuery(q, "isolated", p.Isolated)
	addQuery(q, "excluded", p.Excluded)
	addQuery(q, "clone", p.Clone)
	addQuery(q, "new", p.New)
	addQuery(q, "source", p.Source)
	addQuery(q, "managed_by", p.ManagedBy)
	addQuery(q, "internet_facing", p.InternetFacing)
	addQuery(q, "version", p.Version)
	addQuery(q, "group", p.Group)
	return q
}

// ExportProductDevices: Devices that have a product, all rows of the filter as a file (GET /software/{id}/devices/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportProductDevices(ctx context.Context, id string, p ExportProductDevicesParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/software/"+pathValue(id)+"/devices/export", p.values(), nil)
}

// ExportProductRecommendationsParams are the query of ExportProductRecommendations. Zero values are left out.
type ExportProductRecommendationsParams struct {
	Format     string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q          string   // Free text, matched without regard to case.
	Sort       []string // Columns; minus is descending.
	Type       []string // Type of remediation. One of "Update", "Upgrade", "Uninstall", "AttentionRequired", "Restart", "ConfigurationChange".
	Category   []string // One of "Application", "OS", "Network", "Accounts", "SecurityControls".
	Threat     []string // alert: an exposed device has an active alert. One of "exploit", "verified", "kit", "kev", "ransomware", "alert".
	Status     []string // One of "Active", "PartialException", "FullException".
	Tag        []string
	Vendor     []string
	Component  []string // Related component, as the column has it.
	Weaknesses []string // Whether it closes weaknesses. One of "true", "false".
	OS         []string // OS platforms of the exposed devices, as in os_platforms.
	Group      []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportProductRecommendationsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "type", p.Type)
	addQuery(q, "category", p.Category)
	addQuery(q, "threat", p.Threat)
	addQuery(q, "status", p.Status)
	addQuery(q, "tag", p.Tag)
	addQuery(q, "vendor", p.Vendor)
	addQuery(q, "component", p.Component)
	addQuery(q, "weaknesses", p.Weaknesses)
	addQuery(q, "os", p.OS)
	addQuery(q, "group", p.Group)
	return q
}

// ExportProductRecommendations: What to do about a product, all rows of the filter as a file (GET /software/{id}/recommendations/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportProductRecommendations(ctx context.Context, id string, p ExportProductRecommendationsParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/software/"+pathValue(id)+"/recommendations/export", p.values(), nil)
}

// ExportProductUpdatesParams are the query of ExportProductUpdates. Zero values are left out.
type ExportProductUpdatesParams struct {
	Format   string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q        string   // Free text, matched without regard to case.
	Sort     []string // Columns; minus is descending. One of "id", "-id", "products", "-products", "weaknesses", "-weaknesses", "severity", "-severity", "devices", "-devices".
	Severity []string // The highest of what it fixes. One of "Critical", "High", "Medium", "Low", "None".
	Threat   []string // alert: an exposed device has an active alert. One of "exploit", "verified", "kit", "kev", "ransomware", "alert".
	Group    []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportProductUpdatesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "severity", p.Severity)
	addQuery(q, "threat", p.Threat)
	addQuery(q, "group", p.Group)
	return q
}

// ExportProductUpdates: Updates of a product that vendors announced and that devices lack, all rows of the filter as a file (GET /software/{id}/updates/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportProductUpdates(ctx context.Context, id string, p ExportProductUpdatesParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/software/"+pathValue(id)+"/updates/export", p.values(), nil)
}

// ExportProductVersionsParams are the query of ExportProductVersions. Zero values are left out.
type ExportProductVersionsParams struct {
	Format     string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q          string   // Free text, matched without regard to case.
	Sort       []string // Columns; minus is descending. One of "version", "-version", "installed", "-installed", "exposed", "-exposed", "weaknesses", "-weaknesses", "support", "-support".
	Vulnerable []string // Whether a weakness of it counts. One of "true", "false".
	Tag        []string
	Group      []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportProductVersionsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "vulnerable", p.Vulnerable)
	addQuery(q, "tag", p.Tag)
	addQuery(q, "group", p.Group)
	return q
}

// ExportProductVersions: Installed versions of a product, all rows of the filter as a file (GET /software/{id}/versions/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportProductVersions(ctx context.Context, id string, p ExportProductVersionsParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/software/"+pathValue(id)+"/versions/export", p.values(), nil)
}

// ExportProductVulnerabilitiesParams are the query of ExportProductVulnerabilities. Zero values are left out.
type ExportProductVulnerabilitiesParams struct {
	Format    string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q         string   // Free text, matched without regard to case.
	Sort      []string // Columns; minus is descending.
	Severity  []string // One of "Critical", "High", "Medium", "Low", "None".
	Threat    []string // alert: an exposed device has an active alert. One of "exploit", "verified", "kit", "kev", "ransomware", "alert".
	Fix       []string // One of "available", "none".
	Exposed   []string // Whether it counts on at least one device; unknown: on none, and of some the feed does not know. One of "true", "false", "unknown".
	State     []string
	Exception []string // Whether an exception is about it somewhere. One of "true", "false".
	Tag       []string // One of "Some updates available", "No security update", "Zero day".
	Age       []string // Published within the last 7, 30, 90 or 365 days, or longer ago. One of "week", "month", "quarter", "year", "older".
	Version   []string // Only weaknesses of these versions.
	Group     []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportProductVulnerabilitiesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "severity", p.Severity)
	addQuery(q, "threat", p.Threat)
	addQuery(q, "fix", p.Fix)
	addQuery(q, "exposed", p.Exposed)
	addQuery(q, "state", p.State)
	addQuery(q, "exception", p.Exception)
	addQuery(q, "tag", p.Tag)
	addQuery(q, "age", p.Age)
	addQuery(q, "version", p.Version)
	addQuery(q, "group", p.Group)
	return q
}

// ExportProductVulnerabilities: Weaknesses of a product, all rows of the filter as a file (GET /software/{id}/vulnerabilities/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportProductVulnerabilities(ctx context.Context, id string, p ExportProductVulnerabilitiesParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/software/"+pathValue(id)+"/vulnerabilities/export", p.values(), nil)
}

// ExportRecommendationDevicesParams are the query of ExportRecommendationDevices. Zero values are left out.
type ExportRecommendationDevicesParams struct {
	Format         string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q              string   // Free text, matched without regard to case.
	Sort           []string // Columns; minus is descending.
	OS             []string // OS platform, as in os_platform.
	OSVersion      []string // Version of the operating system, as in os_version.
	OSLife         []string // Support of the operating system's release; upcoming: it ends within 6 months. One of "supported", "upcoming", "ended", "unknown".
	Health         []string // One of "Active", "Inactive", "ImpairedCommunication", "NoSensorData".
	Exposure       []string // Exposure level. One of "None", "Low", "Medium", "High", "NoData".
	Risk           []string // Risk level, by active alerts. One of "None", "Informational", "Low", "Medium", "High".
	Value          []string // What the device is worth. One of "Low", "Normal", "High".
	Tag            []string
	DeviceGroup    []string // Device groups, by number; 0: devices that no rule takes.
	Isolated       []string // Whether it is isolated, as its agent told last. One of "true", "false".
	Excluded       []string // Whether somebody took it out of scores and lists. One of "true", "false".
	Clone          []string // Only devices forked from a copied state directory. One of "true".
	New            []string // Whether it was first seen within 7 days. One of "true", "false".
	Source         []string // Where the inventory comes from. One of "agent", "osquery", "simulated", "sbom".
	ManagedBy      []string // What can be told to do something on the device; nothing: a document describes it. One of "picket", "osquery", "nothing".
	InternetFacing []string // Whether it is proven that the device stands in the internet. One of "yes", "not_assessed".
	UserImpact     []string // Whether anybody on the device would notice a configuration change. One of "none", "expected", "not_assessed".
	Group          []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportRecommendationDevicesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "os", p.OS)
	addQuery(q, "os_version", p.OSVersion)
	addQuery(q, "os_life", p.OSLife)
	addQuery(q, "health", p.Health)
	addQuery(q, "exposure", p.Exposure)
	addQuery(q, "risk", p.Risk)
	addQuery(q, "value", p.Value)
	addQuery(q, "tag", p.Tag)
	addQuery(q, "device_group", p.DeviceGroup)
	addQuery(q, "isolated", p.Isolated)
	addQuery(q, "excluded", p.Excluded)
	addQuery(q, "clone", p.Clone)
	addQuery(q, "new", p.New)
	addQuery(q, "source", p.Source)
	addQuery(q, "managed_by", p.ManagedBy)
	addQuery(q, "internet_facing", p.InternetFacing)
	addQuery(q, "user_impact", p.UserImpact)
	addQuery(q, "group", p.Group)
	return q
}

// ExportRecommendationDevices: Devices with findings that a recommendation closes, all rows of the filter as a file (GET /recommendations/{id}/devices/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportRecommendationDevices(ctx context.Context, id string, p ExportRecommendationDevicesParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/recommendations/"+pathValue(id)+"/devices/export", p.values(), nil)
}

// ExportRecommendationVulnerabilitiesParams are the query of ExportRecommendationVulnerabilities. Zero values are left out.
type ExportRecommendationVulnerabilitiesParams struct {
	Format    string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q         string   // Free text, matched without regard to case.
	Sort      []string // Columns; minus is descending.
	Severity  []string // One of "Critical", "High", "Medium", "Low", "None".
	Threat    []string // alert: an exposed device has an active alert. One of "exploit", "verified", "kit", "kev", "ransomware", "alert".
	Fix       []string // One of "available", "none".
	Exposed   []string // Whether it counts on at least one device; unknown: on none, and of some the feed does not know. One of "true", "false", "unknown".
	State     []string
	Exception []string // Whether an exception is about it somewhere. One of "true", "false".
	Tag       []string // One of "Some updates available", "No security update", "Zero day".
	Age       []string // Published within the last 7, 30, 90 or 365 days, or longer ago. One of "week", "month", "quarter", "year", "older".
	Group     []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportRecommendationVulnerabilitiesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "severity", p.Severity)
	addQuery(q, "threat", p.Threat)
	addQuery(q, "fix", p.Fix)
	addQuery(q, "exposed", p.Exposed)
	addQuery(q, "state", p.State)
	addQuery(q, "exception", p.Exception)
	addQuery(q, "tag", p.Tag)
	addQuery(q, "age", p.Age)
	addQuery(q, "group", p.Group)
	return q
}

// ExportRecommendationVulnerabilities: Weaknesses that a recommendation closes, all rows of the filter as a file (GET /recommendations/{id}/vulnerabilities/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportRecommendationVulnerabilities(ctx context.Context, id string, p ExportRecommendationVulnerabilitiesParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/recommendations/"+pathValue(id)+"/vulnerabilities/export", p.values(), nil)
}

// ExportRecommendationsParams are the query of ExportRecommendations. Zero values are left out.
type ExportRecommendationsParams struct {
	Format     string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q          string   // Free text, matched without regard to case.
	Sort       []string // Columns; minus is descending.
	Type       []string // Type of remediation. One of "Update", "Upgrade", "Uninstall", "AttentionRequired", "Restart", "ConfigurationChange".
	Category   []string // One of "Application", "OS", "Network", "Accounts", "SecurityControls".
	Threat     []string // alert: an exposed device has an active alert. One of "exploit", "verified", "kit", "kev", "ransomware", "alert".
	Status     []string // One of "Active", "PartialException", "FullException".
	Tag        []string
	Vendor     []string
	Component  []string // Related component, as the column has it.
	Weaknesses []string // Whether it closes weaknesses. One of "true", "false".
	OS         []string // OS platforms of the exposed devices, as in os_platforms.
	Group      []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportRecommendationsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "type", p.Type)
	addQuery(q, "category", p.Category)
	addQuery(q, "threat", p.Threat)
	addQuery(q, "status", p.Status)
	addQuery(q, "tag", p.Tag)
	addQuery(q, "vendor", p.Vendor)
	addQuery(q, "component", p.Component)
	addQuery(q, "weaknesses", p.Weaknesses)
	addQuery(q, "os", p.OS)
	addQuery(q, "group", p.Group)
	return q
}

// ExportRecommendations: Security recommendations, all rows of the filter as a file (GET /recommendations/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportRecommendations(ctx context.Context, p ExportRecommendationsParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/recommendations/export", p.values(), nil)
}

// ExportRemediationDevicesParams are the query of ExportRemediationDevices. Zero values are left out.
type ExportRemediationDevicesParams struct {
	Format string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q      string   // Free text, matched without regard to case.
	Sort   []string // Columns; minus is descending. One of "name", "-name", "state", "-state", "last_seen", "-last_seen".
	State  []string // One of "fixed", "exposed", "silent", "removed", "not_assessed".
	Group  []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportRemediationDevicesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "state", p.State)
	addQuery(q, "group", p.Group)
	return q
}

// ExportRemediationDevices: Targets of an activity, and whether each is fixed, all rows of the filter as a file (GET /remediations/{id}/devices/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportRemediationDevices(ctx context.Context, id string, p ExportRemediationDevicesParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/remediations/"+pathValue(id)+"/devices/export", p.values(), nil)
}

// ExportRemediationsParams are the query of ExportRemediations. Zero values are left out.
type ExportRemediationsParams struct {
	Format         string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q              string   // Free text, matched without regard to case.
	Sort           []string // Columns; minus is descending.
	Type           []string // Type of remediation. One of "Update", "Upgrade", "Uninstall", "AttentionRequired", "Restart", "ConfigurationChange".
	Status         []string // One of "Active", "Completed".
	Priority       []string // One of "High", "Medium", "Low".
	Ticket         []string // The worst of its tickets. One of "none", "pending", "failing", "dead", "sent", "open", "in progress", "closed".
	Overdue        []string // One of "true", "false".
	Recommendation []string // Id of the recommendation that it was made from.
	Group          []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportRemediationsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "type", p.Type)
	addQuery(q, "status", p.Status)
	addQuery(q, "priority", p.Priority)
	addQuery(q, "ticket", p.Ticket)
	addQuery(q, "overdue", p.Overdue)
	addQuery(q, "recommendation", p.Recommendation)
	addQuery(q, "group", p.Group)
	return q
}

// ExportRemediations: Remediation activities, all rows of the filter as a file (GET /remediations/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportRemediations(ctx context.Context, p ExportRemediationsParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/remediations/export", p.values(), nil)
}

// ExportScoreDevicesParams are the query of ExportScoreDevices. Zero values are left out.
type ExportScoreDevicesParams struct {
	Format      string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q           string   // Free text, matched without regard to case.
	Sort        []string // Columns; minus is descending. One of "name", "-name", "group", "-group", "score", "-score", "weight", "-weight", "share", "-share".
	DeviceGroup []string // Device groups, by number; 0: devices that no rule takes.
	Value       []string // What the device is worth. One of "Low", "Normal", "High".
	Exposure    []string // Exposure level. One of "None", "Low", "Medium", "High".
	Group       []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportScoreDevicesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "device_group", p.DeviceGroup)
	addQuery(q, "value", p.Value)
	addQuery(q, "exposure", p.Exposure)
	addQuery(q, "group", p.Group)
	return q
}

// ExportScoreDevices: What devices put into the exposure score, all rows of the filter as a file (GET /exposure-score/devices/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportScoreDevices(ctx context.Context, p ExportScoreDevicesParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/exposure-score/devices/export", p.values(), nil)
}

// ExportScoreGroupsParams are the query of ExportScoreGroups. Zero values are left out.
type ExportScoreGroupsParams struct {
	Format string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q      string   // Free text, matched without regard to case.
	Sort   []string // Columns; minus is descending. One of "name", "-name", "devices", "-devices", "score", "-score", "weight", "-weight", "share", "-share".
	Group  []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportScoreGroupsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "group", p.Group)
	return q
}

// ExportScoreGroups: What device groups put into the exposure score, all rows of the filter as a file (GET /exposure-score/groups/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportScoreGroups(ctx context.Context, p ExportScoreGroupsParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/exposure-score/groups/export", p.values(), nil)
}

// ExportSecureChecksParams are the query of ExportSecureChecks. Zero values are left out.
type ExportSecureChecksParams struct {
	Format   string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q        string   // Free text, matched without regard to case.
	Sort     []string // Columns; minus is descending.
	Category []string // One of "Application", "OS", "Network", "Accounts", "SecurityControls".
	Missing  []string // Whether points are missing. One of "true", "false".
	State    []string // Results that some device has. One of "pass", "fail", "not_applicable", "not_assessed".
	Group    []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportSecureChecksParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "category", p.Category)
	addQuery(q, "missing", p.Missing)
	addQuery(q, "state", p.State)
	addQuery(q, "group", p.Group)
	return q
}

// ExportSecureChecks: What configuration checks put into the secure score, all rows of the filter as a file (GET /secure-score/checks/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportSecureChecks(ctx context.Context, p ExportSecureChecksParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/secure-score/checks/export", p.values(), nil)
}

// ExportSoftwareParams are the query of ExportSoftware. Zero values are left out.
type ExportSoftwareParams struct {
	Format     string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q          string   // Free text, matched without regard to case.
	Sort       []string // Columns; minus is descending.
	Vendor     []string
	Ecosystem  []string
	Vulnerable []string // Only products with weaknesses. One of "true".
	Threat     []string // alert: an exposed device has an active alert. One of "exploit", "verified", "kit", "kev", "ransomware", "alert".
	Code       []string // Kind of product code; available: any; none: there is none. One of "available", "cpe", "purl", "none".
	Assessed   []string // One of "true", "false".
	Tag        []string
	Group      []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportSoftwareParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "vendor", p.Vendor)
	addQuery(q, "ecosystem", p.Ecosystem)
	addQuery(q, "vulnerable", p.Vulnerable)
	addQuery(q, "threat", p.Threat)
	addQuery(q, "code", p.Code)
	addQuery(q, "assessed", p.Assessed)
	addQuery(q, "tag", p.Tag)
	addQuery(q, "group", p.Group)
	return q
}

// ExportSoftware: Products over all devices, all rows of the filter as a file (GET /software/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportSoftware(ctx context.Context, p ExportSoftwareParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/software/export", p.values(), nil)
}

// ExportUserDevicesParams are the query of ExportUserDevices. Zero values are left out.
type ExportUserDevicesParams struct {
	Format   string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q        string   // Free text, matched without regard to case.
	Days     int64    // Whole days (UTC) back from now.
	Sort     []string // Columns; minus is descending.
	OS       []string // OS platform, as in os_platform.
	Health   []string // One of "Active", "Inactive", "ImpairedCommunication", "NoSensorData".
	Exposure []string // Exposure level. One of "None", "Low", "Medium", "High", "NoData".
	Group    []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportUserDevicesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "days", p.Days)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "os", p.OS)
	addQuery(q, "health", p.Health)
	addQuery(q, "exposure", p.Exposure)
	addQuery(q, "group", p.Group)
	return q
}

// ExportUserDevices: Devices that met a user's account, all rows of the filter as a file (GET /users/{id}/devices/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportUserDevices(ctx context.Context, id string, p ExportUserDevicesParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/users/"+pathValue(id)+"/devices/export", p.values(), nil)
}

// ExportVEXDocumentsParams are the query of ExportVEXDocuments. Zero values are left out.
type ExportVEXDocumentsParams struct {
	Format string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q      string   // Free text, matched without regard to case.
	Sort   []string // Columns; minus is descending.
	Kind   []string // Formats of documents. One of "OpenVEX", "CSAF", "CycloneDX".
	Author []string
	Group  []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportVEXDocumentsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "kind", p.Kind)
	addQuery(q, "author", p.Author)
	addQuery(q, "group", p.Group)
	return q
}

// ExportVEXDocuments: Loaded VEX documents and what came of them, all rows of the filter as a file (GET /vex/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportVEXDocuments(ctx context.Context, p ExportVEXDocumentsParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/vex/export", p.values(), nil)
}

// ExportVEXStatementsParams are the query of ExportVEXStatements. Zero values are left out.
type ExportVEXStatementsParams struct {
	Format  string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q       string   // Free text, matched without regard to case.
	Sort    []string // Columns; minus is descending. One of "weakness", "-weakness", "product", "-product", "status", "-status", "outcome", "-outcome".
	Outcome []string // What came of it. One of "Applied", "NotExcepted", "Overruled", "NotMatched".
	Status  []string // One of "affected", "not_affected", "fixed", "under_investigation".
	Group   []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportVEXStatementsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "outcome", p.Outcome)
	addQuery(q, "status", p.Status)
	addQuery(q, "group", p.Group)
	return q
}

// ExportVEXStatements: What a VEX document says, and what came of each statement, all rows of the filter as a file (GET /vex/{id}/statements/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportVEXStatements(ctx context.Context, id string, p ExportVEXStatementsParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/vex/"+pathValue(id)+"/statements/export", p.values(), nil)
}

// ExportWeaknessDevicesParams are the query of ExportWeaknessDevices. Zero values are left out.
type ExportWeaknessDevicesParams struct {
	Format  string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q       string   // Free text, matched without regard to case.
	Sort    []string // Columns; minus is descending. One of "name", "-name", "domain", "-domain", "os", "-os", "last_seen", "-last_seen".
	Exposed []string // Whether it counts on the device. One of "true", "false".
	Update  []string // Whether a version that fixes it can be installed. One of "true", "false".
	Group   []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportWeaknessDevicesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "exposed", p.Exposed)
	addQuery(q, "update", p.Update)
	addQuery(q, "group", p.Group)
	return q
}

// ExportWeaknessDevices: Devices that have a weakness, all rows of the filter as a file (GET /weaknesses/{id}/devices/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportWeaknessDevices(ctx context.Context, id string, p ExportWeaknessDevicesParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/weaknesses/"+pathValue(id)+"/devices/export", p.values(), nil)
}

// ExportWeaknessSoftwareParams are the query of ExportWeaknessSoftware. Zero values are left out.
type ExportWeaknessSoftwareParams struct {
	Format string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q      string   // Free text, matched without regard to case.
	Sort   []string // Columns; minus is descending. One of "name", "-name", "vendor", "-vendor", "installed", "-installed", "exposed", "-exposed", "update", "-update".
	Vendor []string
	Update []string // Whether a version that fixes it can be installed on some device. One of "true", "false".
	Group  []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportWeaknessSoftwareParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "vendor", p.Vendor)
	addQuery(q, "update", p.Update)
	addQuery(q, "group", p.Group)
	return q
}

// ExportWeaknessSoftware: Products that have a weakness, all rows of the filter as a file (GET /weaknesses/{id}/software/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportWeaknessSoftware(ctx context.Context, id string, p ExportWeaknessSoftwareParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/weaknesses/"+pathValue(id)+"/software/export", p.values(), nil)
}

// ExportWeaknessesParams are the query of ExportWeaknesses. Zero values are left out.
type ExportWeaknessesParams struct {
	Format    string   // csv (RFC 4180) or jsonl (one JSON object a line). One of "csv", "jsonl".
	Q         string   // Free text, matched without regard to case.
	Sort      []string // Columns; minus is descending.
	Severity  []string // One of "Critical", "High", "Medium", "Low", "None".
	Threat    []string // alert: an exposed device has an active alert. One of "exploit", "verified", "kit", "kev", "ransomware", "alert".
	Fix       []string // One of "available", "none".
	Exposed   []string // Whether it counts on at least one device; unknown: on none, and of some the feed does not know. One of "true", "false", "unknown".
	State     []string
	Exception []string // Whether an exception is about it somewhere. One of "true", "false".
	Tag       []string // One of "Some updates available", "No security update", "Zero day".
	Age       []string // Published within the last 7, 30, 90 or 365 days, or longer ago. One of "week", "month", "quarter", "year", "older".
	Group     []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExportWeaknessesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "severity", p.Severity)
	addQuery(q, "threat", p.Threat)
	addQuery(q, "fix", p.Fix)
	addQuery(q, "exposed", p.Exposed)
	addQuery(q, "state", p.State)
	addQuery(q, "exception", p.Exception)
	addQuery(q, "tag", p.Tag)
	addQuery(q, "age", p.Age)
	addQuery(q, "group", p.Group)
	return q
}

// ExportWeaknesses: Weaknesses over all devices, all rows of the filter as a file (GET /weaknesses/export).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) ExportWeaknesses(ctx context.Context, p ExportWeaknessesParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/weaknesses/export", p.values(), nil)
}

// ExposureScoreParams are the query of ExposureScore. Zero values are left out.
type ExposureScoreParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ExposureScoreParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// ExposureScore: Exposure score of all devices (GET /exposure-score).
func (c *Client) ExposureScore(ctx context.Context, p ExposureScoreParams) (ScoreView, error) {
	var out ScoreView
	err := c.do(ctx, http.MethodGet, "/exposure-score", p.values(), nil, &out)
	return out, err
}

// FactorsParams are the query of Factors. Zero values are left out.
type FactorsParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p FactorsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Factors: The own second factors (GET /me/factors).
func (c *Client) Factors(ctx context.Context, p FactorsParams) (Factors, error) {
	var out Factors
	err := c.do(ctx, http.MethodGet, "/me/factors", p.values(), nil, &out)
	return out, err
}

// FileParams are the query of File. Zero values are left out.
type FileParams struct {
	Days  int64   // Whole days (UTC) back from now.
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p FileParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "days", p.Days)
	addQuery(q, "group", p.Group)
	return q
}

// File: What is known of a file on all devices (GET /files/{id}).
func (c *Client) File(ctx context.Context, id string, p FileParams) (EntityView, error) {
	var out EntityView
	err := c.do(ctx, http.MethodGet, "/files/"+pathValue(id), p.values(), nil, &out)
	return out, err
}

// FileDevicesParams are the query of FileDevices. Zero values are left out.
type FileDevicesParams struct {
	Page     int64    // Page, from 1.
	Size     int64    // Rows per page.
	Q        string   // Free text, matched without regard to case.
	Days     int64    // Whole days (UTC) back from now.
	Sort     []string // Columns; minus is descending.
	OS       []string // OS platform, as in os_platform.
	Health   []string // One of "Active", "Inactive", "ImpairedCommunication", "NoSensorData".
	Exposure []string // Exposure level. One of "None", "Low", "Medium", "High", "NoData".
	Group    []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p FileDevicesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "days", p.Days)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "os", p.OS)
	addQuery(q, "health", p.Health)
	addQuery(q, "exposure", p.Exposure)
	addQuery(q, "group", p.Group)
	return q
}

// FileDevices: Devices that met a file (GET /files/{id}/devices).
func (c *Client) FileDevices(ctx context.Context, id string, p FileDevicesParams) (PageEntityDevice, error) {
	var out PageEntityDevice
	err := c.do(ctx, http.MethodGet, "/files/"+pathValue(id)+"/devices", p.values(), nil, &out)
	return out, err
}

// FileDevicesAll gives the rows of all pages of FileDevices, and an error as the last.
func (c *Client) FileDevicesAll(ctx context.Context, id string, p FileDevicesParams) iter.Seq2[EntityDevice, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]EntityDevice, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.FileDevices(ctx, id, p)
		return out.Items, out.Total, err
	})
}

// FileEventsParams are the query of FileEvents. Zero values are left out.
type FileEventsParams struct {
	Days  int64   // Whole days (UTC) back from now.
	Size  int64   // Events, the newest.
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p FileEventsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "days", p.Days)
	addQuery(q, "size", p.Size)
	addQuery(q, "group", p.Group)
	return q
}

// FileEvents: The newest events of a file (GET /files/{id}/events).
func (c *Client) FileEvents(ctx context.Context, id string, p FileEventsParams) (EntityEvents, error) {
	var out EntityEvents
	err := c.do(ctx, http.MethodGet, "/files/"+pathValue(id)+"/events", p.values(), nil, &out)
	return out, err
}

// FlagTimelineEvent: Flag an event of a device, or take its flag away (PUT /devices/{id}/timeline/events/{sub}/flag).
func (c *Client) FlagTimelineEvent(ctx context.Context, id string, sub string, in FlagInBody) error {
	return c.do(ctx, http.MethodPut, "/devices/"+pathValue(id)+"/timeline/events/"+pathValue(sub)+"/flag", nil, in, nil)
}

// ForwardingParams are the query of Forwarding. Zero values are left out.
type ForwardingParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ForwardingParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Forwarding: Receivers of events, and how they do (GET /forwarding).
func (c *Client) Forwarding(ctx context.Context, p ForwardingParams) ([]ForwardRow, error) {
	var out []ForwardRow
	err := c.do(ctx, http.MethodGet, "/forwarding", p.values(), nil, &out)
	return out, err
}

// HuntingQueriesParams are the query of HuntingQueries. Zero values are left out.
type HuntingQueriesParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p HuntingQueriesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// HuntingQueries: Own saved queries and those that are shared, by name (GET /hunting/queries).
func (c *Client) HuntingQueries(ctx context.Context, p HuntingQueriesParams) ([]HuntQuery, error) {
	var out []HuntQuery
	err := c.do(ctx, http.MethodGet, "/hunting/queries", p.values(), nil, &out)
	return out, err
}

// HuntingSchemaParams are the query of HuntingSchema. Zero values are left out.
type HuntingSchemaParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p HuntingSchemaParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// HuntingSchema: Tables, columns, functions and operators that a query may be written with (GET /hunting/schema).
func (c *Client) HuntingSchema(ctx context.Context, p HuntingSchemaParams) (HuntSchema, error) {
	var out HuntSchema
	err := c.do(ctx, http.MethodGet, "/hunting/schema", p.values(), nil, &out)
	return out, err
}

// ImportIndicators: Make or change indicators, each by itself (POST /indicators/import).
func (c *Client) ImportIndicators(ctx context.Context, in IndicatorImportInBody) ([]IndicatorImported, error) {
	var out []IndicatorImported
	err := c.do(ctx, http.MethodPost, "/indicators/import", nil, in, &out)
	return out, err
}

// ImportSBOMParams are the query of ImportSBOM. Zero values are left out.
type ImportSBOMParams struct {
	Name  string // Name of the device, and its identity; without it both come from the document.
	Force bool   // Also when the device has a younger document, or this one is dated in the future.
}

func (p ImportSBOMParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "name", p.Name)
	addQuery(q, "force", p.Force)
	return q
}

// ImportSBOM: Import a bill of materials: CycloneDX 1.4 to 1.7, SPDX 2.3 (POST /sbom).
func (c *Client) ImportSBOM(ctx context.Context, p ImportSBOMParams, document io.Reader) (SBOMImported, error) {
	var out SBOMImported
	err := c.do(ctx, http.MethodPost, "/sbom", p.values(), document, &out)
	return out, err
}

// ImportVEXParams are the query of ImportVEX. Zero values are left out.
type ImportVEXParams struct {
	Force bool // Also when a younger version is loaded, or this one is dated in the future.
}

func (p ImportVEXParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "force", p.Force)
	return q
}

// ImportVEX: Import a VEX document: OpenVEX, CSAF VEX 2.0, CycloneDX (POST /vex).
func (c *Client) ImportVEX(ctx context.Context, p ImportVEXParams, document io.Reader) (VEXDocument, error) {
	var out VEXDocument
	err := c.do(ctx, http.MethodPost, "/vex", p.values(), document, &out)
	return out, err
}

// InaccuraciesParams are the query of Inaccuracies. Zero values are left out.
type InaccuraciesParams struct {
	Page     int64    // Page, from 1.
	Size     int64    // Rows per page.
	Q        string   // Free text, matched without regard to case.
	Sort     []string // Columns; minus is descending. One of "at", "-at", "title", "-title", "kind", "-kind", "status", "-status", "changed", "-changed".
	Status   []string // One of "open", "resolved".
	Kind     []string // One of "software", "weakness", "recommendation".
	Category []string
	Group    []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p InaccuraciesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "status", p.Status)
	addQuery(q, "kind", p.Kind)
	addQuery(q, "category", p.Category)
	addQuery(q, "group", p.Group)
	return q
}

// Inaccuracies: What was reported as inaccurate (GET /inaccuracies).
func (c *Client) Inaccuracies(ctx context.Context, p InaccuraciesParams) (PageInaccuracyRow, error) {
	var out PageInaccuracyRow
	err := c.do(ctx, http.MethodGet, "/inaccuracies", p.values(), nil, &out)
	return out, err
}

// InaccuraciesAll gives the rows of all pages of Inaccuracies, and an error as the last.
func (c *Client) InaccuraciesAll(ctx context.Context, p InaccuraciesParams) iter.Seq2[InaccuracyRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]InaccuracyRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.Inaccuracies(ctx, p)
		return out.Items, out.Total, err
	})
}

// InaccuracyParams are the query of Inaccuracy. Zero values are left out.
type InaccuracyParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p InaccuracyParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Inaccuracy: A report with its evidence as a file, to be sent to the maintainers (GET /inaccuracies/{id}/file).
func (c *Client) Inaccuracy(ctx context.Context, id string, p InaccuracyParams) (map[string]json.RawMessage, error) {
	var out map[string]json.RawMessage
	err := c.do(ctx, http.MethodGet, "/inaccuracies/"+pathValue(id)+"/file", p.values(), nil, &out)
	return out, err
}

// IncludeDevice: Take an excluded device into scores and lists again (DELETE /devices/{id}/exclusion).
func (c *Client) IncludeDevice(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "/devices/"+pathValue(id)+"/exclusion", nil, nil, nil)
}

// IndicatorParams are the query of Indicator. Zero values are left out.
type IndicatorParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p IndicatorParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Indicator: One indicator (GET /indicators/{id}).
func (c *Client) Indicator(ctx context.Context, id string, p IndicatorParams) (IndicatorRow, error) {
	var out IndicatorRow
	err := c.do(ctx, http.MethodGet, "/indicators/"+pathValue(id), p.values(), nil, &out)
	return out, err
}

// IndicatorsParams are the query of Indicators. Zero values are left out.
type IndicatorsParams struct {
	Page        int64    // Page, from 1.
	Size        int64    // Rows per page.
	Q           string   // Free text, matched without regard to case.
	Sort        []string // Columns; minus is descending.
	Type        []string // One of "FileSha1", "FileSha256", "FileMd5", "CertificateThumbprint", "IpAddress", "DomainName", "Url".
	Action      []string // One of "Allowed", "Audit", "Warn", "Block", "BlockAndRemediate", "Alert", "AlertAndBlock".
	Severity    []string // One of "Informational", "Low", "Medium", "High".
	Active      []string // Whether it has not expired. One of "true", "false".
	DeviceGroup []string // Device groups that it is for, by number.
	Group       []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p IndicatorsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "type", p.Type)
	addQuery(q, "action", p.Action)
	addQuery(q, "severity", p.Severity)
	addQuery(q, "active", p.Active)
	addQuery(q, "device_group", p.DeviceGroup)
	addQuery(q, "group", p.Group)
	return q
}

// Indicators: Indicators: values that raise alerts where they occur (GET /indicators).
func (c *Client) Indicators(ctx context.Context, p IndicatorsParams) (PageIndicatorRow, error) {
	var out PageIndicatorRow
	err := c.do(ctx, http.MethodGet, "/indicators", p.values(), nil, &out)
	return out, err
}

// IndicatorsAll gives the rows of all pages of Indicators, and an error as the last.
func (c *Client) IndicatorsAll(ctx context.Context, p IndicatorsParams) iter.Seq2[IndicatorRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]IndicatorRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.Indicators(ctx, p)
		return out.Items, out.Total, err
	})
}

// IntelParams are the query of Intel. Zero values are left out.
type IntelParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p IntelParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Intel: Loaded intelligence (GET /intel).
func (c *Client) Intel(ctx context.Context, p IntelParams) (Intel, error) {
	var out Intel
	err := c.do(ctx, http.MethodGet, "/intel", p.values(), nil, &out)
	return out, err
}

// InvestigationParams are the query of Investigation. Zero values are left out.
type InvestigationParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p InvestigationParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Investigation: One investigation, with its evidence, verdicts and log (GET /investigations/{id}).
func (c *Client) Investigation(ctx context.Context, id string, p InvestigationParams) (Investigation, error) {
	var out Investigation
	err := c.do(ctx, http.MethodGet, "/investigations/"+pathValue(id), p.values(), nil, &out)
	return out, err
}

// InvestigationsParams are the query of Investigations. Zero values are left out.
type InvestigationsParams struct {
	Page        int64    // Page, from 1.
	Size        int64    // Rows per page.
	Q           string   // Free text, matched without regard to case.
	Sort        []string // Columns; minus is descending. One of "started", "-started", "ended", "-ended", "device", "-device", "state", "-state", "requester", "-requester", "id", "-id".
	Device      []string // Device ids.
	DeviceGroup []string // Device groups, by number; 0: devices that no rule takes.
	State       []string // One of "Queued", "PendingApproval", "PendingResource", "Running", "Benign", "PartiallyInvestigated", "Failed", "TerminatedByUser", "TerminatedBySystem".
	Alert       []string // Ids of alerts that belong to it.
	Active      []string // Whether it has not ended. One of "true", "false".
	From        []string // Started at this instant or later (RFC 3339).
	To          []string // Started before this instant (RFC 3339).
	Group       []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p InvestigationsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "device", p.Device)
	addQuery(q, "device_group", p.DeviceGroup)
	addQuery(q, "state", p.State)
	addQuery(q, "alert", p.Alert)
	addQuery(q, "active", p.Active)
	addQuery(q, "from", p.From)
	addQuery(q, "to", p.To)
	addQuery(q, "group", p.Group)
	return q
}

// Investigations: Investigations of devices (GET /investigations).
func (c *Client) Investigations(ctx context.Context, p InvestigationsParams) (PageInvestigationRow, error) {
	var out PageInvestigationRow
	err := c.do(ctx, http.MethodGet, "/investigations", p.values(), nil, &out)
	return out, err
}

// InvestigationsAll gives the rows of all pages of Investigations, and an error as the last.
func (c *Client) InvestigationsAll(ctx context.Context, p InvestigationsParams) iter.Seq2[InvestigationRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]InvestigationRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.Investigations(ctx, p)
		return out.Items, out.Total, err
	})
}

// IPParams are the query of IP. Zero values are left out.
type IPParams struct {
	Days  int64   // Whole days (UTC) back from now.
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p IPParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "days", p.Days)
	addQuery(q, "group", p.Group)
	return q
}

// IP: What is known of a address on all devices (GET /ips/{id}).
func (c *Client) IP(ctx context.Context, id string, p IPParams) (EntityView, error) {
	var out EntityView
	err := c.do(ctx, http.MethodGet, "/ips/"+pathValue(id), p.values(), nil, &out)
	return out, err
}

// IPDevicesParams are the query of IPDevices. Zero values are left out.
type IPDevicesParams struct {
	Page     int64    // Page, from 1.
	Size     int64    // Rows per page.
	Q        string   // Free text, matched without regard to case.
	Days     int64    // Whole days (UTC) back from now.
	Sort     []string // Columns; minus is descending.
	OS       []string // OS platform, as in os_platform.
	Health   []string // One of "Active", "Inactive", "ImpairedCommunication", "NoSensorData".
	Exposure []string // Exposure level. One of "None", "Low", "Medium", "High", "NoData".
	Group    []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p IPDevicesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "days", p.Days)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "os", p.OS)
	addQuery(q, "health", p.Health)
	addQuery(q, "exposure", p.Exposure)
	addQuery(q, "group", p.Group)
	return q
}

// IPDevices: Devices that met a address (GET /ips/{id}/devices).
func (c *Client) IPDevices(ctx context.Context, id string, p IPDevicesParams) (PageEntityDevice, error) {
	var out PageEntityDevice
	err := c.do(ctx, http.MethodGet, "/ips/"+pathValue(id)+"/devices", p.values(), nil, &out)
	return out, err
}

// IPDevicesAll gives the rows of all pages of IPDevices, and an error as the last.
func (c *Client) IPDevicesAll(ctx context.Context, id string, p IPDevicesParams) iter.Seq2[EntityDevice, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]EntityDevice, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.IPDevices(ctx, id, p)
		return out.Items, out.Total, err
	})
}

// IPEventsParams are the query of IPEvents. Zero values are left out.
type IPEventsParams struct {
	Days  int64   // Whole days (UTC) back from now.
	Size  int64   // Events, the newest.
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p IPEventsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "days", p.Days)
	addQuery(q, "size", p.Size)
	addQuery(q, "group", p.Group)
	return q
}

// IPEvents: The newest events of a address (GET /ips/{id}/events).
func (c *Client) IPEvents(ctx context.Context, id string, p IPEventsParams) (EntityEvents, error) {
	var out EntityEvents
	err := c.do(ctx, http.MethodGet, "/ips/"+pathValue(id)+"/events", p.values(), nil, &out)
	return out, err
}

// KeepLockdown: Take the own word back (DELETE /lockdown/lift).
func (c *Client) KeepLockdown(ctx context.Context) (Lockdown, error) {
	var out Lockdown
	err := c.do(ctx, http.MethodDelete, "/lockdown/lift", nil, nil, &out)
	return out, err
}

// LiftLockdown: Say that the lockdown may end; it ends with the word of a second administrator (POST /lockdown/lift).
func (c *Client) LiftLockdown(ctx context.Context) (Lockdown, error) {
	var out Lockdown
	err := c.do(ctx, http.MethodPost, "/lockdown/lift", nil, nil, &out)
	return out, err
}

// LinkPerson: Make a one-time sign-in link; the one before ends (POST /people/{id}/link).
func (c *Client) LinkPerson(ctx context.Context, id int64, in LinkPersonInBody) (PersonLink, error) {
	var out PersonLink
	err := c.do(ctx, http.MethodPost, "/people/"+pathValue(id)+"/link", nil, in, &out)
	return out, err
}

// LiveParams are the query of Live. Zero values are left out.
type LiveParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p LiveParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Live: What changes, as server-sent events (GET /live).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) Live(ctx context.Context, p LiveParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/live", p.values(), nil)
}

// LockdownParams are the query of Lockdown. Zero values are left out.
type LockdownParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p LockdownParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Lockdown: Whether a lockdown holds (GET /lockdown).
func (c *Client) Lockdown(ctx context.Context, p LockdownParams) (Lockdown, error) {
	var out Lockdown
	err := c.do(ctx, http.MethodGet, "/lockdown", p.values(), nil, &out)
	return out, err
}

// LocksParams are the query of Locks. Zero values are left out.
type LocksParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p LocksParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Locks: Accounts and addresses that failed to sign in several times (GET /sign-in/locks).
func (c *Client) Locks(ctx context.Context, p LocksParams) ([]LockRow, error) {
	var out []LockRow
	err := c.do(ctx, http.MethodGet, "/sign-in/locks", p.values(), nil, &out)
	return out, err
}

// MachineActionParams are the query of MachineAction. Zero values are left out.
type MachineActionParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p MachineActionParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// MachineAction: One action (GET /machine-actions/{id}).
func (c *Client) MachineAction(ctx context.Context, id string, p MachineActionParams) (MachineAction, error) {
	var out MachineAction
	err := c.do(ctx, http.MethodGet, "/machine-actions/"+pathValue(id), p.values(), nil, &out)
	return out, err
}

// MachineActionPackageParams are the query of MachineActionPackage. Zero values are left out.
type MachineActionPackageParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p MachineActionPackageParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// MachineActionPackage: The investigation package of an action (GET /machine-actions/{id}/package).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) MachineActionPackage(ctx context.Context, id string, p MachineActionPackageParams) (*Stream, error) {
	return c.stream(ctx, http.MethodGet, "/machine-actions/"+pathValue(id)+"/package", p.values(), nil)
}

// MachineActionsParams are the query of MachineActions. Zero values are left out.
type MachineActionsParams struct {
	Page        int64    // Page, from 1.
	Size        int64    // Rows per page.
	Q           string   // Free text, matched without regard to case.
	Sort        []string // Columns; minus is descending. One of "created", "-created", "updated", "-updated", "device", "-device", "kind", "-kind", "status", "-status", "requester", "-requester".
	Device      []string // Device ids.
	DeviceGroup []string // Device groups, by number; 0: devices that no rule takes.
	Kind        []string // One of "collect", "scan", "isolate", "release", "investigate".
	Status      []string // One of "Pending", "InProgress", "Succeeded", "Failed", "TimeOut", "Cancelled".
	Requester   []string // Names of people and applications.
	Active      []string // Whether it is pending or in progress. One of "true", "false".
	From        []string // Asked for at this instant or later (RFC 3339).
	To          []string // Asked for before this instant (RFC 3339).
	Group       []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p MachineActionsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "device", p.Device)
	addQuery(q, "device_group", p.DeviceGroup)
	addQuery(q, "kind", p.Kind)
	addQuery(q, "status", p.Status)
	addQuery(q, "requester", p.Requester)
	addQuery(q, "active", p.Active)
	addQuery(q, "from", p.From)
	addQuery(q, "to", p.To)
	addQuery(q, "group", p.Group)
	return q
}

// MachineActions: What was asked to be done on devices, and what became of it (GET /machine-actions).
func (c *Client) MachineActions(ctx context.Context, p MachineActionsParams) (PageMachineAction, error) {
	var out PageMachineAction
	err := c.do(ctx, http.MethodGet, "/machine-actions", p.values(), nil, &out)
	return out, err
}

// MachineActionsAll gives the rows of all pages of MachineActions, and an error as the last.
func (c *Client) MachineActionsAll(ctx context.Context, p MachineActionsParams) iter.Seq2[MachineAction, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]MachineAction, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.MachineActions(ctx, p)
		return out.Items, out.Total, err
	})
}

// MakeProvisioningToken: Make the directory's token; one that was there ends (POST /sign-in/provisioning/token).
func (c *Client) MakeProvisioningToken(ctx context.Context) (ProvisioningToken, error) {
	var out ProvisioningToken
	err := c.do(ctx, http.MethodPost, "/sign-in/provisioning/token", nil, nil, &out)
	return out, err
}

// MeParams are the query of Me. Zero values are left out.
type MeParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p MeParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Me: Who is signed in (GET /session).
func (c *Client) Me(ctx context.Context, p MeParams) (Me, error) {
	var out Me
	err := c.do(ctx, http.MethodGet, "/session", p.values(), nil, &out)
	return out, err
}

// NewRecoveryCodes: Make new recovery codes; the old ones end (POST /me/recovery-codes).
func (c *Client) NewRecoveryCodes(ctx context.Context, in SureInBody) (RecoverySet, error) {
	var out RecoverySet
	err := c.do(ctx, http.MethodPost, "/me/recovery-codes", nil, in, &out)
	return out, err
}

// NudgeDevice: Ask a device's agent to look at everything now; 202 when somebody else has to approve it first (POST /devices/{id}/nudge).
func (c *Client) NudgeDevice(ctx context.Context, id string, in NudgeInBody) (ActionResult, error) {
	var out ActionResult
	err := c.do(ctx, http.MethodPost, "/devices/"+pathValue(id)+"/nudge", nil, in, &out)
	return out, err
}

// OnboardingParams are the query of Onboarding. Zero values are left out.
type OnboardingParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p OnboardingParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Onboarding: How to enrol a device (GET /onboarding).
func (c *Client) Onboarding(ctx context.Context, p OnboardingParams) (Onboarding, error) {
	var out Onboarding
	err := c.do(ctx, http.MethodGet, "/onboarding", p.values(), nil, &out)
	return out, err
}

// OperatingSystemsParams are the query of OperatingSystems. Zero values are left out.
type OperatingSystemsParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p OperatingSystemsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// OperatingSystems: Releases of operating systems that devices run (GET /operating-systems).
func (c *Client) OperatingSystems(ctx context.Context, p OperatingSystemsParams) ([]OSRow, error) {
	var out []OSRow
	err := c.do(ctx, http.MethodGet, "/operating-systems", p.values(), nil, &out)
	return out, err
}

// OrderDeviceGroups: Rank the device groups (PUT /device-groups/order).
func (c *Client) OrderDeviceGroups(ctx context.Context, in OrderInBody) error {
	return c.do(ctx, http.MethodPut, "/device-groups/order", nil, in, nil)
}

// OwnGrantsParams are the query of OwnGrants. Zero values are left out.
type OwnGrantsParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p OwnGrantsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// OwnGrants: Applications that act for you (GET /me/grants).
func (c *Client) OwnGrants(ctx context.Context, p OwnGrantsParams) ([]GrantRow, error) {
	var out []GrantRow
	err := c.do(ctx, http.MethodGet, "/me/grants", p.values(), nil, &out)
	return out, err
}

// OwnTokensParams are the query of OwnTokens. Zero values are left out.
type OwnTokensParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p OwnTokensParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// OwnTokens: The own tokens for programs (GET /me/tokens).
func (c *Client) OwnTokens(ctx context.Context, p OwnTokensParams) (OwnTokenList, error) {
	var out OwnTokenList
	err := c.do(ctx, http.MethodGet, "/me/tokens", p.values(), nil, &out)
	return out, err
}

// PackageRetentionParams are the query of PackageRetention. Zero values are left out.
type PackageRetentionParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p PackageRetentionParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// PackageRetention: How long investigation packages are kept, and what is kept (GET /package-retention).
func (c *Client) PackageRetention(ctx context.Context, p PackageRetentionParams) (PackageRetentionView, error) {
	var out PackageRetentionView
	err := c.do(ctx, http.MethodGet, "/package-retention", p.values(), nil, &out)
	return out, err
}

// PeopleParams are the query of People. Zero values are left out.
type PeopleParams struct {
	Page      int64    // Page, from 1.
	Size      int64    // Rows per page.
	Q         string   // Free text, matched without regard to case.
	Sort      []string // Columns; minus is descending. One of "name", "-name", "display", "-display", "created", "-created", "last_used", "-last_used".
	Status    []string // One of "active", "disabled".
	UserGroup []string // Ids of user groups.
	Group     []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p PeopleParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "status", p.Status)
	addQuery(q, "user_group", p.UserGroup)
	addQuery(q, "group", p.Group)
	return q
}

// People: People who may sign in (GET /people).
func (c *Client) People(ctx context.Context, p PeopleParams) (PagePersonRow, error) {
	var out PagePersonRow
	err := c.do(ctx, http.MethodGet, "/people", p.values(), nil, &out)
	return out, err
}

// PeopleAll gives the rows of all pages of People, and an error as the last.
func (c *Client) PeopleAll(ctx context.Context, p PeopleParams) iter.Seq2[PersonRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]PersonRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.People(ctx, p)
		return out.Items, out.Total, err
	})
}

// PersonParams are the query of Person. Zero values are left out.
type PersonParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p PersonParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Person: One person (GET /people/{id}).
func (c *Client) Person(ctx context.Context, id int64, p PersonParams) (PersonRow, error) {
	var out PersonRow
	err := c.do(ctx, http.MethodGet, "/people/"+pathValue(id), p.values(), nil, &out)
	return out, err
}

// PlanParams are the query of Plan. Zero values are left out.
type PlanParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p PlanParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Plan: A saved patch plan: predicted and actual (GET /plans/{id}).
func (c *Client) Plan(ctx context.Context, id string, p PlanParams) (Plan, error) {
	var out Plan
	err := c.do(ctx, http.MethodGet, "/plans/"+pathValue(id), p.values(), nil, &out)
	return out, err
}

// PlanRemediationFormParams are the query of PlanRemediationForm. Zero values are left out.
type PlanRemediationFormParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p PlanRemediationFormParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// PlanRemediationForm: What the form to request remediation of a saved patch plan offers (GET /plans/{id}/remediation).
func (c *Client) PlanRemediationForm(ctx context.Context, id string, p PlanRemediationFormParams) (PlanForm, error) {
	var out PlanForm
	err := c.do(ctx, http.MethodGet, "/plans/"+pathValue(id)+"/remediation", p.values(), nil, &out)
	return out, err
}

// PlanSearchParams are the query of PlanSearch. Zero values are left out.
type PlanSearchParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p PlanSearchParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// PlanSearch: How far a search for a patch plan is that you began; without a stage it does not run (GET /plan-searches/{id}).
func (c *Client) PlanSearch(ctx context.Context, id string, p PlanSearchParams) (PlanSearch, error) {
	var out PlanSearch
	err := c.do(ctx, http.MethodGet, "/plan-searches/"+pathValue(id), p.values(), nil, &out)
	return out, err
}

// PlanStepsParams are the query of PlanSteps. Zero values are left out.
type PlanStepsParams struct {
	Page  int64    // Page, from 1.
	Size  int64    // Rows per page.
	Q     string   // Free text, matched without regard to case.
	Sort  []string // Columns; minus is descending. One of "order", "-order", "name", "-name", "state", "-state".
	State []string // One of "Open", "In progress", "Done".
	Group []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p PlanStepsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "state", p.State)
	addQuery(q, "group", p.Group)
	return q
}

// PlanSteps: Steps of a saved patch plan and their state now (GET /plans/{id}/steps).
func (c *Client) PlanSteps(ctx context.Context, id string, p PlanStepsParams) (PagePlanStep, error) {
	var out PagePlanStep
	err := c.do(ctx, http.MethodGet, "/plans/"+pathValue(id)+"/steps", p.values(), nil, &out)
	return out, err
}

// PlanStepsAll gives the rows of all pages of PlanSteps, and an error as the last.
func (c *Client) PlanStepsAll(ctx context.Context, id string, p PlanStepsParams) iter.Seq2[PlanStep, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]PlanStep, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.PlanSteps(ctx, id, p)
		return out.Items, out.Total, err
	})
}

// PlansParams are the query of Plans. Zero values are left out.
type PlansParams struct {
	Page  int64    // Page, from 1.
	Size  int64    // Rows per page.
	Q     string   // Free text, matched without regard to case.
	Sort  []string // Columns; minus is descending.
	State []string // One of "Open", "In progress", "Done".
	Group []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p PlansParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "state", p.State)
	addQuery(q, "group", p.Group)
	return q
}

// Plans: Saved patch plans, with what became of them (GET /plans).
func (c *Client) Plans(ctx context.Context, p PlansParams) (PagePlanRow, error) {
	var out PagePlanRow
	err := c.do(ctx, http.MethodGet, "/plans", p.values(), nil, &out)
	return out, err
}

// PlansAll gives the rows of all pages of Plans, and an error as the last.
func (c *Client) PlansAll(ctx context.Context, p PlansParams) iter.Seq2[PlanRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]PlanRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.Plans(ctx, p)
		return out.Items, out.Total, err
	})
}

// PrefsParams are the query of Prefs. Zero values are left out.
type PrefsParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p PrefsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Prefs: The own preferences (GET /me/prefs).
func (c *Client) Prefs(ctx context.Context, p PrefsParams) (map[string]json.RawMessage, error) {
	var out map[string]json.RawMessage
	err := c.do(ctx, http.MethodGet, "/me/prefs", p.values(), nil, &out)
	return out, err
}

// PreviewDeviceGroup: What a device group would hold with these rules (POST /device-groups/preview).
func (c *Client) PreviewDeviceGroup(ctx context.Context, in PreviewAsk) (RulePreview, error) {
	var out RulePreview
	err := c.do(ctx, http.MethodPost, "/device-groups/preview", nil, in, &out)
	return out, err
}

// PreviewTagRule: Which devices would have a tag by these rules (POST /tag-rules/preview).
func (c *Client) PreviewTagRule(ctx context.Context, in PreviewAsk) (RulePreview, error) {
	var out RulePreview
	err := c.do(ctx, http.MethodPost, "/tag-rules/preview", nil, in, &out)
	return out, err
}

// ProductParams are the query of Product. Zero values are left out.
type ProductParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ProductParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Product: One product (GET /software/{id}).
func (c *Client) Product(ctx context.Context, id string, p ProductParams) (Software, error) {
	var out Software
	err := c.do(ctx, http.MethodGet, "/software/"+pathValue(id), p.values(), nil, &out)
	return out, err
}

// ProductDevicesParams are the query of ProductDevices. Zero values are left out.
type ProductDevicesParams struct {
	Page           int64    // Page, from 1.
	Size           int64    // Rows per page.
	Q              string   // Free text, matched without regard to case.
	Sort           []string // Columns; minus is descending.
	OS             []string // OS platform, as in os_platform.
	OSVersion      []string // Version of the operating system, as in os_version.
	OSLife         []string // Support of the operating system's release; upcoming: it ends within 6 months. One of "supported", "upcoming", "ended", "unknown".
	Health         []string // One of "Active", "Inactive", "ImpairedCommunication", "NoSensorData".
	Exposure       []string // Exposure level. One of "None", "Low", "Medium", "High", "NoData".
	Risk           []string // Risk level, by active alerts. One of "None", "Informational", "Low", "Medium", "High".
	Value          []string // What the device is worth. One of "Low", "Normal", "High".
	Tag            []string
	DeviceGroup    []string // Device groups, by number; 0: devices that no rule takes.
	Isolated       []string // Whether it is isolated, as its agent told last. One of "true", "false".
	Excluded       []string // Whether somebody took it out of scores and lists. One of "true", "false".
	Clone          []string // Only devices forked from a copied state directory. One of "true".
	New            []string // Whether it was first seen within 7 days. One of "true", "false".
	Source         []string // Where the inventory comes from. One of "agent", "osquery", "simulated", "sbom".
	ManagedBy      []string // What can be told to do something on the device; nothing: a document describes it. One of "picket", "osquery", "nothing".
	InternetFacing []string // Whether it is proven that the device stands in the internet. One of "yes", "not_assessed".
	Version        []string // Only devices that have one of these versions.
	Group          []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ProductDevicesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "os", p.OS)
	addQuery(q, "os_version", p.OSVersion)
	addQuery(q, "os_life", p.OSLife)
	addQuery(q, "health", p.Health)
	addQuery(q, "exposure", p.Exposure)
	addQuery(q, "risk", p.Risk)
	addQuery(q, "value", p.Value)
	addQuery(q, "tag", p.Tag)
	addQuery(q, "device_group", p.DeviceGroup)
	addQuery(q, "isolated", p.Isolated)
	addQuery(q, "excluded", p.Excluded)
	addQuery(q, "clone", p.Clone)
	addQuery(q, "new", p.New)
	addQuery(q, "source", p.Source)
	addQuery(q, "managed_by", p.ManagedBy)
	addQuery(q, "internet_facing", p.InternetFacing)
	addQuery(q, "version", p.Version)
	addQuery(q, "group", p.Group)
	return q
}

// ProductDevices: Devices that have a product (GET /software/{id}/devices).
func (c *Client) ProductDevices(ctx context.Context, id string, p ProductDevicesParams) (PageDeviceRow, error) {
	var out PageDeviceRow
	err := c.do(ctx, http.MethodGet, "/software/"+pathValue(id)+"/devices", p.values(), nil, &out)
	return out, err
}

// ProductDevicesAll gives the rows of all pages of ProductDevices, and an error as the last.
func (c *Client) ProductDevicesAll(ctx context.Context, id string, p ProductDevicesParams) iter.Seq2[DeviceRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]DeviceRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.ProductDevices(ctx, id, p)
		return out.Items, out.Total, err
	})
}

// ProductRecommendationsParams are the query of ProductRecommendations. Zero values are left out.
type ProductRecommendationsParams struct {
	Page       int64    // Page, from 1.
	Size       int64    // Rows per page.
	Q          string   // Free text, matched without regard to case.
	Sort       []string // Columns; minus is descending.
	Type       []string // Type of remediation. One of "Update", "Upgrade", "Uninstall", "AttentionRequired", "Restart", "ConfigurationChange".
	Category   []string // One of "Application", "OS", "Network", "Accounts", "SecurityControls".
	Threat     []string // alert: an exposed device has an active alert. One of "exploit", "verified", "kit", "kev", "ransomware", "alert".
	Status     []string // One of "Active", "PartialException", "FullException".
	Tag        []string
	Vendor     []string
	Component  []string // Related component, as the column has it.
	Weaknesses []string // Whether it closes weaknesses. One of "true", "false".
	OS         []string // OS platforms of the exposed devices, as in os_platforms.
	Group      []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ProductRecommendationsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "type", p.Type)
	addQuery(q, "category", p.Category)
	addQuery(q, "threat", p.Threat)
	addQuery(q, "status", p.Status)
	addQuery(q, "tag", p.Tag)
	addQuery(q, "vendor", p.Vendor)
	addQuery(q, "component", p.Component)
	addQuery(q, "weaknesses", p.Weaknesses)
	addQuery(q, "os", p.OS)
	addQuery(q, "group", p.Group)
	return q
}

// ProductRecommendations: What to do about a product (GET /software/{id}/recommendations).
func (c *Client) ProductRecommendations(ctx context.Context, id string, p ProductRecommendationsParams) (PageRecommendationRow, error) {
	var out PageRecommendationRow
	err := c.do(ctx, http.MethodGet, "/software/"+pathValue(id)+"/recommendations", p.values(), nil, &out)
	return out, err
}

// ProductRecommendationsAll gives the rows of all pages of ProductRecommendations, and an error as the last.
func (c *Client) ProductRecommendationsAll(ctx context.Context, id string, p ProductRecommendationsParams) iter.Seq2[RecommendationRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]RecommendationRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.ProductRecommendations(ctx, id, p)
		return out.Items, out.Total, err
	})
}

// ProductUpdatesParams are the query of ProductUpdates. Zero values are left out.
type ProductUpdatesParams struct {
	Page     int64    // Page, from 1.
	Size     int64    // Rows per page.
	Q        string   // Free text, matched without regard to case.
	Sort     []string // Columns; minus is descending. One of "id", "-id", "products", "-products", "weaknesses", "-weaknesses", "severity", "-severity", "devices", "-devices".
	Severity []string // The highest of what it fixes. One of "Critical", "High", "Medium", "Low", "None".
	Threat   []string // alert: an exposed device has an active alert. One of "exploit", "verified", "kit", "kev", "ransomware", "alert".
	Group    []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ProductUpdatesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "severity", p.Severity)
	addQuery(q, "threat", p.Threat)
	addQuery(q, "group", p.Group)
	return q
}

// ProductUpdates: Updates of a product that vendors announced and that devices lack (GET /software/{id}/updates).
func (c *Client) ProductUpdates(ctx context.Context, id string, p ProductUpdatesParams) (PageMissingUpdate, error) {
	var out PageMissingUpdate
	err := c.do(ctx, http.MethodGet, "/software/"+pathValue(id)+"/updates", p.values(), nil, &out)
	return out, err
}

// ProductUpdatesAll gives the rows of all pages of ProductUpdates, and an error as the last.
func (c *Client) ProductUpdatesAll(ctx context.Context, id string, p ProductUpdatesParams) iter.Seq2[MissingUpdate, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]MissingUpdate, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.ProductUpdates(ctx, id, p)
		return out.Items, out.Total, err
	})
}

// ProductVersionsParams are the query of ProductVersions. Zero values are left out.
type ProductVersionsParams struct {
	Page       int64    // Page, from 1.
	Size       int64    // Rows per page.
	Q          string   // Free text, matched without regard to case.
	Sort       []string // Columns; minus is descending. One of "version", "-version", "installed", "-installed", "exposed", "-exposed", "weaknesses", "-weaknesses", "support", "-support".
	Vulnerable []string // Whether a weakness of it counts. One of "true", "false".
	Tag        []string
	Group      []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ProductVersionsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "vulnerable", p.Vulnerable)
	addQuery(q, "tag", p.Tag)
	addQuery(q, "group", p.Group)
	return q
}

// ProductVersions: Installed versions of a product (GET /software/{id}/versions).
func (c *Client) ProductVersions(ctx context.Context, id string, p ProductVersionsParams) (PageVersionRow, error) {
	var out PageVersionRow
	err := c.do(ctx, http.MethodGet, "/software/"+pathValue(id)+"/versions", p.values(), nil, &out)
	return out, err
}

// ProductVersionsAll gives the rows of all pages of ProductVersions, and an error as the last.
func (c *Client) ProductVersionsAll(ctx context.Context, id string, p ProductVersionsParams) iter.Seq2[VersionRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]VersionRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.ProductVersions(ctx, id, p)
		return out.Items, out.Total, err
	})
}

// ProductVulnerabilitiesParams are the query of ProductVulnerabilities. Zero values are left out.
type ProductVulnerabilitiesParams struct {
	Page      int64    // Page, from 1.
	Size      int64    // Rows per page.
	Q         string   // Free text, matched without regard to case.
	Sort      []string // Columns; minus is descending.
	Severity  []string // One of "Critical", "High", "Medium", "Low", "None".
	Threat    []string // alert: an exposed device has an active alert. One of "exploit", "verified", "kit", "kev", "ransomware", "alert".
	Fix       []string // One of "available", "none".
	Exposed   []string // Whether it counts on at least one device; unknown: on none, and of some the feed does not know. One of "true", "false", "unknown".
	State     []string
	Exception []string // Whether an exception is about it somewhere. One of "true", "false".
	Tag       []string // One of "Some updates available", "No security update", "Zero day".
	Age       []string // Published within the last 7, 30, 90 or 365 days, or longer ago. One of "week", "month", "quarter", "year", "older".
	Version   []string // Only weaknesses of these versions.
	Group     []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ProductVulnerabilitiesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "severity", p.Severity)
	addQuery(q, "threat", p.Threat)
	addQuery(q, "fix", p.Fix)
	addQuery(q, "exposed", p.Exposed)
	addQuery(q, "state", p.State)
	addQuery(q, "exception", p.Exception)
	addQuery(q, "tag", p.Tag)
	addQuery(q, "age", p.Age)
	addQuery(q, "version", p.Version)
	addQuery(q, "group", p.Group)
	return q
}

// ProductVulnerabilities: Weaknesses of a product (GET /software/{id}/vulnerabilities).
func (c *Client) ProductVulnerabilities(ctx context.Context, id string, p ProductVulnerabilitiesParams) (PageWeaknessRow, error) {
	var out PageWeaknessRow
	err := c.do(ctx, http.MethodGet, "/software/"+pathValue(id)+"/vulnerabilities", p.values(), nil, &out)
	return out, err
}

// ProductVulnerabilitiesAll gives the rows of all pages of ProductVulnerabilities, and an error as the last.
func (c *Client) ProductVulnerabilitiesAll(ctx context.Context, id string, p ProductVulnerabilitiesParams) iter.Seq2[WeaknessRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]WeaknessRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.ProductVulnerabilities(ctx, id, p)
		return out.Items, out.Total, err
	})
}

// ProvisioningParams are the query of Provisioning. Zero values are left out.
type ProvisioningParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ProvisioningParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Provisioning: How a directory provisions accounts (GET /sign-in/provisioning).
func (c *Client) Provisioning(ctx context.Context, p ProvisioningParams) (Provisioning, error) {
	var out Provisioning
	err := c.do(ctx, http.MethodGet, "/sign-in/provisioning", p.values(), nil, &out)
	return out, err
}

// RecommendationParams are the query of Recommendation. Zero values are left out.
type RecommendationParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p RecommendationParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Recommendation: One recommendation and how to carry it out (GET /recommendations/{id}).
func (c *Client) Recommendation(ctx context.Context, id string, p RecommendationParams) (Recommendation, error) {
	var out Recommendation
	err := c.do(ctx, http.MethodGet, "/recommendations/"+pathValue(id), p.values(), nil, &out)
	return out, err
}

// RecommendationDevicesParams are the query of RecommendationDevices. Zero values are left out.
type RecommendationDevicesParams struct {
	Page           int64    // Page, from 1.
	Size           int64    // Rows per page.
	Q              string   // Free text, matched without regard to case.
	Sort           []string // Columns; minus is descending.
	OS             []string // OS platform, as in os_platform.
	OSVersion      []string // Version of the operating system, as in os_version.
	OSLife         []string // Support of the operating system's release; upcoming: it ends within 6 months. One of "supported", "upcoming", "ended", "unknown".
	Health         []string // One of "Active", "Inactive", "ImpairedCommunication", "NoSensorData".
	Exposure       []string // Exposure level. One of "None", "Low", "Medium", "High", "NoData".
	Risk           []string // Risk level, by active alerts. One of "None", "Informational", "Low", "Medium", "High".
	Value          []string // What the device is worth. One of "Low", "Normal", "High".
	Tag            []string
	DeviceGroup    []string // Device groups, by number; 0: devices that no rule takes.
	Isolated       []string // Whether it is isolated, as its agent told last. One of "true", "false".
	Excluded       []string // Whether somebody took it out of scores and lists. One of "true", "false".
	Clone          []string // Only devices forked from a copied state directory. One of "true".
	New            []string // Whether it was first seen within 7 days. One of "true", "false".
	Source         []string // Where the inventory comes from. One of "agent", "osquery", "simulated", "sbom".
	ManagedBy      []string // What can be told to do something on the device; nothing: a document describes it. One of "picket", "osquery", "nothing".
	InternetFacing []string // Whether it is proven that the device stands in the internet. One of "yes", "not_assessed".
	UserImpact     []string // Whether anybody on the device would notice a configuration change. One of "none", "expected", "not_assessed".
	Group          []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p RecommendationDevicesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "os", p.OS)
	addQuery(q, "os_version", p.OSVersion)
	addQuery(q, "os_life", p.OSLife)
	addQuery(q, "health", p.Health)
	addQuery(q, "exposure", p.Exposure)
	addQuery(q, "risk", p.Risk)
	addQuery(q, "value", p.Value)
	addQuery(q, "tag", p.Tag)
	addQuery(q, "device_group", p.DeviceGroup)
	addQuery(q, "isolated", p.Isolated)
	addQuery(q, "excluded", p.Excluded)
	addQuery(q, "clone", p.Clone)
	addQuery(q, "new", p.New)
	addQuery(q, "source", p.Source)
	addQuery(q, "managed_by", p.ManagedBy)
	addQuery(q, "internet_facing", p.InternetFacing)
	addQuery(q, "user_impact", p.UserImpact)
	addQuery(q, "group", p.Group)
	return q
}

// RecommendationDevices: Devices with findings that a recommendation closes (GET /recommendations/{id}/devices).
func (c *Client) RecommendationDevices(ctx context.Context, id string, p RecommendationDevicesParams) (PageDeviceRow, error) {
	var out PageDeviceRow
	err := c.do(ctx, http.MethodGet, "/recommendations/"+pathValue(id)+"/devices", p.values(), nil, &out)
	return out, err
}

// RecommendationDevicesAll gives the rows of all pages of RecommendationDevices, and an error as the last.
func (c *Client) RecommendationDevicesAll(ctx context.Context, id string, p RecommendationDevicesParams) iter.Seq2[DeviceRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]DeviceRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.RecommendationDevices(ctx, id, p)
		return out.Items, out.Total, err
	})
}

// RecommendationVulnerabilitiesParams are the query of RecommendationVulnerabilities. Zero values are left out.
type RecommendationVulnerabilitiesParams struct {
	Page      int64    // Page, from 1.
	Size      int64    // Rows per page.
	Q         string   // Free text, matched without regard to case.
	Sort      []string // Columns; minus is descending.
	Severity  []string // One of "Critical", "High", "Medium", "Low", "None".
	Threat    []string // alert: an exposed device has an active alert. One of "exploit", "verified", "kit", "kev", "ransomware", "alert".
	Fix       []string // One of "available", "none".
	Exposed   []string // Whether it counts on at least one device; unknown: on none, and of some the feed does not know. One of "true", "false", "unknown".
	State     []string
	Exception []string // Whether an exception is about it somewhere. One of "true", "false".
	Tag       []string // One of "Some updates available", "No security update", "Zero day".
	Age       []string // Published within the last 7, 30, 90 or 365 days, or longer ago. One of "week", "month", "quarter", "year", "older".
	Group     []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p RecommendationVulnerabilitiesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "severity", p.Severity)
	addQuery(q, "threat", p.Threat)
	addQuery(q, "fix", p.Fix)
	addQuery(q, "exposed", p.Exposed)
	addQuery(q, "state", p.State)
	addQuery(q, "exception", p.Exception)
	addQuery(q, "tag", p.Tag)
	addQuery(q, "age", p.Age)
	addQuery(q, "group", p.Group)
	return q
}

// RecommendationVulnerabilities: Weaknesses that a recommendation closes (GET /recommendations/{id}/vulnerabilities).
func (c *Client) RecommendationVulnerabilities(ctx context.Context, id string, p RecommendationVulnerabilitiesParams) (PageWeaknessRow, error) {
	var out PageWeaknessRow
	err := c.do(ctx, http.MethodGet, "/recommendations/"+pathValue(id)+"/vulnerabilities", p.values(), nil, &out)
	return out, err
}

// RecommendationVulnerabilitiesAll gives the rows of all pages of RecommendationVulnerabilities, and an error as the last.
func (c *Client) RecommendationVulnerabilitiesAll(ctx context.Context, id string, p RecommendationVulnerabilitiesParams) iter.Seq2[WeaknessRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]WeaknessRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.RecommendationVulnerabilities(ctx, id, p)
		return out.Items, out.Total, err
	})
}

// RecommendationsParams are the query of Recommendations. Zero values are left out.
type RecommendationsParams struct {
	Page       int64    // Page, from 1.
	Size       int64    // Rows per page.
	Q          string   // Free text, matched without regard to case.
	Sort       []string // Columns; minus is descending.
	Type       []string // Type of remediation. One of "Update", "Upgrade", "Uninstall", "AttentionRequired", "Restart", "ConfigurationChange".
	Category   []string // One of "Application", "OS", "Network", "Accounts", "SecurityControls".
	Threat     []string // alert: an exposed device has an active alert. One of "exploit", "verified", "kit", "kev", "ransomware", "alert".
	Status     []string // One of "Active", "PartialException", "FullException".
	Tag        []string
	Vendor     []string
	Component  []string // Related component, as the column has it.
	Weaknesses []string // Whether it closes weaknesses. One of "true", "false".
	OS         []string // OS platforms of the exposed devices, as in os_platforms.
	Group      []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p RecommendationsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "type", p.Type)
	addQuery(q, "category", p.Category)
	addQuery(q, "threat", p.Threat)
	addQuery(q, "status", p.Status)
	addQuery(q, "tag", p.Tag)
	addQuery(q, "vendor", p.Vendor)
	addQuery(q, "component", p.Component)
	addQuery(q, "weaknesses", p.Weaknesses)
	addQuery(q, "os", p.OS)
	addQuery(q, "group", p.Group)
	return q
}

// Recommendations: Security recommendations (GET /recommendations).
func (c *Client) Recommendations(ctx context.Context, p RecommendationsParams) (PageRecommendationRow, error) {
	var out PageRecommendationRow
	err := c.do(ctx, http.MethodGet, "/recommendations", p.values(), nil, &out)
	return out, err
}

// RecommendationsAll gives the rows of all pages of Recommendations, and an error as the last.
func (c *Client) RecommendationsAll(ctx context.Context, p RecommendationsParams) iter.Seq2[RecommendationRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]RecommendationRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.Recommendations(ctx, p)
		return out.Items, out.Total, err
	})
}

// Redeem: Sign in with a one-time link (POST /session/redeem).
func (c *Client) Redeem(ctx context.Context, in RedeemInBody) (SignIn, error) {
	var out SignIn
	err := c.do(ctx, http.MethodPost, "/session/redeem", nil, in, &out)
	return out, err
}

// RefuseAction: Refuse what somebody else asked for (POST /approvals/{id}/refuse).
func (c *Client) RefuseAction(ctx context.Context, id string, in DecideInBody) (ApprovalRow, error) {
	var out ApprovalRow
	err := c.do(ctx, http.MethodPost, "/approvals/"+pathValue(id)+"/refuse", nil, in, &out)
	return out, err
}

// RemediatePlan: Request remediation of steps of a saved patch plan (POST /plans/{id}/remediation).
func (c *Client) RemediatePlan(ctx context.Context, id string, in PlanRequestInBody) (Plan, error) {
	var out Plan
	err := c.do(ctx, http.MethodPost, "/plans/"+pathValue(id)+"/remediation", nil, in, &out)
	return out, err
}

// RemediationParams are the query of Remediation. Zero values are left out.
type RemediationParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p RemediationParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Remediation: One activity with tickets and history (GET /remediations/{id}).
func (c *Client) Remediation(ctx context.Context, id string, p RemediationParams) (Remediation, error) {
	var out Remediation
	err := c.do(ctx, http.MethodGet, "/remediations/"+pathValue(id), p.values(), nil, &out)
	return out, err
}

// RemediationDevicesParams are the query of RemediationDevices. Zero values are left out.
type RemediationDevicesParams struct {
	Page  int64    // Page, from 1.
	Size  int64    // Rows per page.
	Q     string   // Free text, matched without regard to case.
	Sort  []string // Columns; minus is descending. One of "name", "-name", "state", "-state", "last_seen", "-last_seen".
	State []string // One of "fixed", "exposed", "silent", "removed", "not_assessed".
	Group []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p RemediationDevicesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "state", p.State)
	addQuery(q, "group", p.Group)
	return q
}

// RemediationDevices: Targets of an activity, and whether each is fixed (GET /remediations/{id}/devices).
func (c *Client) RemediationDevices(ctx context.Context, id string, p RemediationDevicesParams) (PageRemediationDevice, error) {
	var out PageRemediationDevice
	err := c.do(ctx, http.MethodGet, "/remediations/"+pathValue(id)+"/devices", p.values(), nil, &out)
	return out, err
}

// RemediationDevicesAll gives the rows of all pages of RemediationDevices, and an error as the last.
func (c *Client) RemediationDevicesAll(ctx context.Context, id string, p RemediationDevicesParams) iter.Seq2[RemediationDevice, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]RemediationDevice, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.RemediationDevices(ctx, id, p)
		return out.Items, out.Total, err
	})
}

// RemediationFormParams are the query of RemediationForm. Zero values are left out.
type RemediationFormParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p RemediationFormParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// RemediationForm: What the form to request remediation offers (GET /recommendations/{id}/remediation).
func (c *Client) RemediationForm(ctx context.Context, id string, p RemediationFormParams) (RemediationForm, error) {
	var out RemediationForm
	err := c.do(ctx, http.MethodGet, "/recommendations/"+pathValue(id)+"/remediation", p.values(), nil, &out)
	return out, err
}

// RemediationsParams are the query of Remediations. Zero values are left out.
type RemediationsParams struct {
	Page           int64    // Page, from 1.
	Size           int64    // Rows per page.
	Q              string   // Free text, matched without regard to case.
	Sort           []string // Columns; minus is descending.
	Type           []string // Type of remediation. One of "Update", "Upgrade", "Uninstall", "AttentionRequired", "Restart", "ConfigurationChange".
	Status         []string // One of "Active", "Completed".
	Priority       []string // One of "High", "Medium", "Low".
	Ticket         []string // The worst of its tickets. One of "none", "pending", "failing", "dead", "sent", "open", "in progress", "closed".
	Overdue        []string // One of "true", "false".
	Recommendation []string // Id of the recommendation that it was made from.
	Group          []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p RemediationsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "type", p.Type)
	addQuery(q, "status", p.Status)
	addQuery(q, "priority", p.Priority)
	addQuery(q, "ticket", p.Ticket)
	addQuery(q, "overdue", p.Overdue)
	addQuery(q, "recommendation", p.Recommendation)
	addQuery(q, "group", p.Group)
	return q
}

// Remediations: Remediation activities (GET /remediations).
func (c *Client) Remediations(ctx context.Context, p RemediationsParams) (PageRemediationRow, error) {
	var out PageRemediationRow
	err := c.do(ctx, http.MethodGet, "/remediations", p.values(), nil, &out)
	return out, err
}

// RemediationsAll gives the rows of all pages of Remediations, and an error as the last.
func (c *Client) RemediationsAll(ctx context.Context, p RemediationsParams) iter.Seq2[RemediationRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]RemediationRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.Remediations(ctx, p)
		return out.Items, out.Total, err
	})
}

// RemoveApplicationSecret: Remove a secret; tokens that were got with it end (DELETE /applications/{id}/secrets/{sub}).
func (c *Client) RemoveApplicationSecret(ctx context.Context, id string, sub string) error {
	return c.do(ctx, http.MethodDelete, "/applications/"+pathValue(id)+"/secrets/"+pathValue(sub), nil, nil, nil)
}

// RemoveCode: Remove the authenticator app (POST /me/code/remove).
func (c *Client) RemoveCode(ctx context.Context, in SureInBody) error {
	return c.do(ctx, http.MethodPost, "/me/code/remove", nil, in, nil)
}

// RemoveDestination: Remove a place for tickets and its secret (DELETE /ticketing/{id}).
func (c *Client) RemoveDestination(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "/ticketing/"+pathValue(id), nil, nil, nil)
}

// RemoveDevice: Remove a device without an agent (DELETE /devices/{id}).
func (c *Client) RemoveDevice(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "/devices/"+pathValue(id), nil, nil, nil)
}

// RemoveForwarding: Forget a receiver of events (DELETE /forwarding/{id}).
func (c *Client) RemoveForwarding(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "/forwarding/"+pathValue(id), nil, nil, nil)
}

// RemovePasskey: Remove a passkey (POST /me/passkeys/{id}/remove).
func (c *Client) RemovePasskey(ctx context.Context, id string, in RemovePasskeyInBody) error {
	return c.do(ctx, http.MethodPost, "/me/passkeys/"+pathValue(id)+"/remove", nil, in, nil)
}

// RemoveVEX: Remove a VEX document and its exceptions (DELETE /vex/{id}).
func (c *Client) RemoveVEX(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "/vex/"+pathValue(id), nil, nil, nil)
}

// RenamePasskey: Name a passkey (PUT /me/passkeys/{id}).
func (c *Client) RenamePasskey(ctx context.Context, id string, in NamePasskeyInBody) error {
	return c.do(ctx, http.MethodPut, "/me/passkeys/"+pathValue(id), nil, in, nil)
}

// ReopenRemediation: Make a completed activity active again (POST /remediations/{id}/reopen).
func (c *Client) ReopenRemediation(ctx context.Context, id string, in NoteInBody) (Remediation, error) {
	var out Remediation
	err := c.do(ctx, http.MethodPost, "/remediations/"+pathValue(id)+"/reopen", nil, in, &out)
	return out, err
}

// ReportInaccuracy: Report something as inaccurate; nothing is sent anywhere (POST /inaccuracies).
func (c *Client) ReportInaccuracy(ctx context.Context, in InaccuracyReport) (InaccuracyRow, error) {
	var out InaccuracyRow
	err := c.do(ctx, http.MethodPost, "/inaccuracies", nil, in, &out)
	return out, err
}

// RequestRemediation: Request remediation (POST /remediations).
func (c *Client) RequestRemediation(ctx context.Context, in RequestRemediationInBody) (Remediation, error) {
	var out Remediation
	err := c.do(ctx, http.MethodPost, "/remediations", nil, in, &out)
	return out, err
}

// ResetPersonFactors: Remove a person's second factors and end the sessions (DELETE /people/{id}/factors).
func (c *Client) ResetPersonFactors(ctx context.Context, id int64) error {
	return c.do(ctx, http.MethodDelete, "/people/"+pathValue(id)+"/factors", nil, nil, nil)
}

// RetentionParams are the query of Retention. Zero values are left out.
type RetentionParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p RetentionParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Retention: How long events are kept, and what is stored (GET /retention).
func (c *Client) Retention(ctx context.Context, p RetentionParams) (RetentionView, error) {
	var out RetentionView
	err := c.do(ctx, http.MethodGet, "/retention", p.values(), nil, &out)
	return out, err
}

// RetryTicket: Send a message of an activity now (POST /remediations/{id}/tickets/{sub}/retry).
func (c *Client) RetryTicket(ctx context.Context, id string, sub int64) (Remediation, error) {
	var out Remediation
	err := c.do(ctx, http.MethodPost, "/remediations/"+pathValue(id)+"/tickets/"+pathValue(sub)+"/retry", nil, nil, &out)
	return out, err
}

// RevokeToken: Revoke an enrolment token (DELETE /tokens/{id}).
func (c *Client) RevokeToken(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "/tokens/"+pathValue(id), nil, nil, nil)
}

// RolePermissionsParams are the query of RolePermissions. Zero values are left out.
type RolePermissionsParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p RolePermissionsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// RolePermissions: What roles may hold (GET /role-permissions).
func (c *Client) RolePermissions(ctx context.Context, p RolePermissionsParams) ([]RolePermission, error) {
	var out []RolePermission
	err := c.do(ctx, http.MethodGet, "/role-permissions", p.values(), nil, &out)
	return out, err
}

// RolesParams are the query of Roles. Zero values are left out.
type RolesParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p RolesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Roles: Roles, built-in ones first (GET /roles).
func (c *Client) Roles(ctx context.Context, p RolesParams) ([]Role, error) {
	var out []Role
	err := c.do(ctx, http.MethodGet, "/roles", p.values(), nil, &out)
	return out, err
}

// RotateSigningKey: Make a new key for tokens (POST /api-settings/rotate-key).
func (c *Client) RotateSigningKey(ctx context.Context, in RotateInBody) (SigningKey, error) {
	var out SigningKey
	err := c.do(ctx, http.MethodPost, "/api-settings/rotate-key", nil, in, &out)
	return out, err
}

// RunHuntParams are the query of RunHunt. Zero values are left out.
type RunHuntParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p RunHuntParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// RunHunt: Run a query (POST /hunting/run).
// The caller closes the stream; Stream.Check tells whether it was whole.
func (c *Client) RunHunt(ctx context.Context, p RunHuntParams, in HuntInBody) (*Stream, error) {
	return c.stream(ctx, http.MethodPost, "/hunting/run", p.values(), in)
}

// SaveDeviceGroup: Change a device group (PUT /device-groups/{id}).
func (c *Client) SaveDeviceGroup(ctx context.Context, id int64, in RuleEdit) (DeviceGroup, error) {
	var out DeviceGroup
	err := c.do(ctx, http.MethodPut, "/device-groups/"+pathValue(id), nil, in, &out)
	return out, err
}

// SaveHuntingQuery: Save a query (POST /hunting/queries).
func (c *Client) SaveHuntingQuery(ctx context.Context, in HuntQueryEdit) (HuntQuery, error) {
	var out HuntQuery
	err := c.do(ctx, http.MethodPost, "/hunting/queries", nil, in, &out)
	return out, err
}

// SavePlan: Save a patch plan that was drafted within the last hour (POST /plans).
func (c *Client) SavePlan(ctx context.Context, in SavePlanInBody) (Plan, error) {
	var out Plan
	err := c.do(ctx, http.MethodPost, "/plans", nil, in, &out)
	return out, err
}

// SaveRole: Change a role (PUT /roles/{id}).
func (c *Client) SaveRole(ctx context.Context, id int64, in RoleEdit) (Role, error) {
	var out Role
	err := c.do(ctx, http.MethodPut, "/roles/"+pathValue(id), nil, in, &out)
	return out, err
}

// SaveTagRule: Change the rules of a tag (PUT /tag-rules/{id}).
func (c *Client) SaveTagRule(ctx context.Context, id int64, in RuleEdit) (TagRule, error) {
	var out TagRule
	err := c.do(ctx, http.MethodPut, "/tag-rules/"+pathValue(id), nil, in, &out)
	return out, err
}

// SaveUserGroup: Change a user group (PUT /user-groups/{id}).
func (c *Client) SaveUserGroup(ctx context.Context, id int64, in UserGroupEdit) (UserGroup, error) {
	var out UserGroup
	err := c.do(ctx, http.MethodPut, "/user-groups/"+pathValue(id), nil, in, &out)
	return out, err
}

// ScoreDevicesParams are the query of ScoreDevices. Zero values are left out.
type ScoreDevicesParams struct {
	Page        int64    // Page, from 1.
	Size        int64    // Rows per page.
	Q           string   // Free text, matched without regard to case.
	Sort        []string // Columns; minus is descending. One of "name", "-name", "group", "-group", "score", "-score", "weight", "-weight", "share", "-share".
	DeviceGroup []string // Device groups, by number; 0: devices that no rule takes.
	Value       []string // What the device is worth. One of "Low", "Normal", "High".
	Exposure    []string // Exposure level. One of "None", "Low", "Medium", "High".
	Group       []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ScoreDevicesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "device_group", p.DeviceGroup)
	addQuery(q, "value", p.Value)
	addQuery(q, "exposure", p.Exposure)
	addQuery(q, "group", p.Group)
	return q
}

// ScoreDevices: What devices put into the exposure score (GET /exposure-score/devices).
func (c *Client) ScoreDevices(ctx context.Context, p ScoreDevicesParams) (PageScoreDevicePart, error) {
	var out PageScoreDevicePart
	err := c.do(ctx, http.MethodGet, "/exposure-score/devices", p.values(), nil, &out)
	return out, err
}

// ScoreDevicesAll gives the rows of all pages of ScoreDevices, and an error as the last.
func (c *Client) ScoreDevicesAll(ctx context.Context, p ScoreDevicesParams) iter.Seq2[ScoreDevicePart, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]ScoreDevicePart, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.ScoreDevices(ctx, p)
		return out.Items, out.Total, err
	})
}

// ScoreGroupsParams are the query of ScoreGroups. Zero values are left out.
type ScoreGroupsParams struct {
	Page  int64    // Page, from 1.
	Size  int64    // Rows per page.
	Q     string   // Free text, matched without regard to case.
	Sort  []string // Columns; minus is descending. One of "name", "-name", "devices", "-devices", "score", "-score", "weight", "-weight", "share", "-share".
	Group []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p ScoreGroupsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "group", p.Group)
	return q
}

// ScoreGroups: What device groups put into the exposure score (GET /exposure-score/groups).
func (c *Client) ScoreGroups(ctx context.Context, p ScoreGroupsParams) (PageScoreGroupPart, error) {
	var out PageScoreGroupPart
	err := c.do(ctx, http.MethodGet, "/exposure-score/groups", p.values(), nil, &out)
	return out, err
}

// ScoreGroupsAll gives the rows of all pages of ScoreGroups, and an error as the last.
func (c *Client) ScoreGroupsAll(ctx context.Context, p ScoreGroupsParams) iter.Seq2[ScoreGroupPart, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]ScoreGroupPart, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.ScoreGroups(ctx, p)
		return out.Items, out.Total, err
	})
}

// SearchParams are the query of Search. Zero values are left out.
type SearchParams struct {
	Q     string  // What to look for: devices, software, weaknesses.
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p SearchParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "q", p.Q)
	addQuery(q, "group", p.Group)
	return q
}

// Search: Search devices, software and weaknesses (GET /search).
func (c *Client) Search(ctx context.Context, p SearchParams) ([]SearchHit, error) {
	var out []SearchHit
	err := c.do(ctx, http.MethodGet, "/search", p.values(), nil, &out)
	return out, err
}

// SecondFactor: End a sign-in with a one-time code or recovery code (POST /session/second).
func (c *Client) SecondFactor(ctx context.Context, in SecondInBody) (SignIn, error) {
	var out SignIn
	err := c.do(ctx, http.MethodPost, "/session/second", nil, in, &out)
	return out, err
}

// SecureCheckParams are the query of SecureCheck. Zero values are left out.
type SecureCheckParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p SecureCheckParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// SecureCheck: One configuration check, over all devices (GET /secure-score/checks/{id}).
func (c *Client) SecureCheck(ctx context.Context, id string, p SecureCheckParams) (SecureCheck, error) {
	var out SecureCheck
	err := c.do(ctx, http.MethodGet, "/secure-score/checks/"+pathValue(id), p.values(), nil, &out)
	return out, err
}

// SecureChecksParams are the query of SecureChecks. Zero values are left out.
type SecureChecksParams struct {
	Page     int64    // Page, from 1.
	Size     int64    // Rows per page.
	Q        string   // Free text, matched without regard to case.
	Sort     []string // Columns; minus is descending.
	Category []string // One of "Application", "OS", "Network", "Accounts", "SecurityControls".
	Missing  []string // Whether points are missing. One of "true", "false".
	State    []string // Results that some device has. One of "pass", "fail", "not_applicable", "not_assessed".
	Group    []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p SecureChecksParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "category", p.Category)
	addQuery(q, "missing", p.Missing)
	addQuery(q, "state", p.State)
	addQuery(q, "group", p.Group)
	return q
}

// SecureChecks: What configuration checks put into the secure score (GET /secure-score/checks).
func (c *Client) SecureChecks(ctx context.Context, p SecureChecksParams) (PageSecureCheckRow, error) {
	var out PageSecureCheckRow
	err := c.do(ctx, http.MethodGet, "/secure-score/checks", p.values(), nil, &out)
	return out, err
}

// SecureChecksAll gives the rows of all pages of SecureChecks, and an error as the last.
func (c *Client) SecureChecksAll(ctx context.Context, p SecureChecksParams) iter.Seq2[SecureCheckRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]SecureCheckRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.SecureChecks(ctx, p)
		return out.Items, out.Total, err
	})
}

// SecureScoreParams are the query of SecureScore. Zero values are left out.
type SecureScoreParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p SecureScoreParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// SecureScore: Secure score of all devices, by category (GET /secure-score).
func (c *Client) SecureScore(ctx context.Context, p SecureScoreParams) (SecureScoreView, error) {
	var out SecureScoreView
	err := c.do(ctx, http.MethodGet, "/secure-score", p.values(), nil, &out)
	return out, err
}

// SessionsParams are the query of Sessions. Zero values are left out.
type SessionsParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p SessionsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Sessions: The own open sessions (GET /me/sessions).
func (c *Client) Sessions(ctx context.Context, p SessionsParams) ([]SessionRow, error) {
	var out []SessionRow
	err := c.do(ctx, http.MethodGet, "/me/sessions", p.values(), nil, &out)
	return out, err
}

// SetAPILimits: Set the limits of applications without their own (PUT /api-settings/limits).
func (c *Client) SetAPILimits(ctx context.Context, in LimitsInBody) error {
	return c.do(ctx, http.MethodPut, "/api-settings/limits", nil, in, nil)
}

// SetApprovalPolicy: Change what somebody else has to approve; less waits for another administrator (PUT /approval-policy).
func (c *Client) SetApprovalPolicy(ctx context.Context, in ApprovalPolicy) (ApprovalPolicyResult, error) {
	var out ApprovalPolicyResult
	err := c.do(ctx, http.MethodPut, "/approval-policy", nil, in, &out)
	return out, err
}

// SetDeviceGroupAccess: Say which user groups see a device group (PUT /device-groups/{id}/access).
func (c *Client) SetDeviceGroupAccess(ctx context.Context, id int64, in GroupAccess) (DeviceGroup, error) {
	var out DeviceGroup
	err := c.do(ctx, http.MethodPut, "/device-groups/"+pathValue(id)+"/access", nil, in, &out)
	return out, err
}

// SetDeviceValue: Say what a device is worth (PUT /devices/{id}/value).
func (c *Client) SetDeviceValue(ctx context.Context, id string, in DeviceValueInBody) error {
	return c.do(ctx, http.MethodPut, "/devices/"+pathValue(id)+"/value", nil, in, nil)
}

// SetDeviceWeights: Set what devices count in scores by their value (PUT /device-weights).
func (c *Client) SetDeviceWeights(ctx context.Context, in DeviceWeights) (DeviceWeightsView, error) {
	var out DeviceWeightsView
	err := c.do(ctx, http.MethodPut, "/device-weights", nil, in, &out)
	return out, err
}

// SetInaccuracyStatus: Say whether a report is open or resolved (PUT /inaccuracies/{id}/status).
func (c *Client) SetInaccuracyStatus(ctx context.Context, id string, in InaccuracyStatusInBody) error {
	return c.do(ctx, http.MethodPut, "/inaccuracies/"+pathValue(id)+"/status", nil, in, nil)
}

// SetPackageRetention: Set how long investigation packages are kept (PUT /package-retention).
func (c *Client) SetPackageRetention(ctx context.Context, in PackageRetention) (PackageRetentionView, error) {
	var out PackageRetentionView
	err := c.do(ctx, http.MethodPut, "/package-retention", nil, in, &out)
	return out, err
}

// SetPassword: Set the own password; other sessions end (PUT /me/password).
func (c *Client) SetPassword(ctx context.Context, in PasswordInBody) error {
	return c.do(ctx, http.MethodPut, "/me/password", nil, in, nil)
}

// SetPrefs: Replace the own preferences (at most 64 KiB) (PUT /me/prefs).
func (c *Client) SetPrefs(ctx context.Context, in map[string]json.RawMessage) error {
	return c.do(ctx, http.MethodPut, "/me/prefs", nil, in, nil)
}

// SetRetention: Set how long events are kept (PUT /retention).
func (c *Client) SetRetention(ctx context.Context, in Retention) (RetentionView, error) {
	var out RetentionView
	err := c.do(ctx, http.MethodPut, "/retention", nil, in, &out)
	return out, err
}

// SetSignInPolicy: Say what signing in takes (PUT /sign-in/policy).
func (c *Client) SetSignInPolicy(ctx context.Context, in SignInPolicy) (SignInPolicy, error) {
	var out SignInPolicy
	err := c.do(ctx, http.MethodPut, "/sign-in/policy", nil, in, &out)
	return out, err
}

// SetSingleSignOn: Set the identity provider up (PUT /sign-in/sso).
func (c *Client) SetSingleSignOn(ctx context.Context, in SingleSignOnEdit) (SingleSignOnView, error) {
	var out SingleSignOnView
	err := c.do(ctx, http.MethodPut, "/sign-in/sso", nil, in, &out)
	return out, err
}

// SignIn: Sign in with a password (POST /session).
func (c *Client) SignIn(ctx context.Context, in SignInInBody) (SignIn, error) {
	var out SignIn
	err := c.do(ctx, http.MethodPost, "/session", nil, in, &out)
	return out, err
}

// SignInPasskey: End a sign-in by passkey (POST /session/passkey).
func (c *Client) SignInPasskey(ctx context.Context, in PasskeyInBody) (SignIn, error) {
	var out SignIn
	err := c.do(ctx, http.MethodPost, "/session/passkey", nil, in, &out)
	return out, err
}

// SignInPolicyParams are the query of SignInPolicy. Zero values are left out.
type SignInPolicyParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p SignInPolicyParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// SignInPolicy: What signing in takes (GET /sign-in/policy).
func (c *Client) SignInPolicy(ctx context.Context, p SignInPolicyParams) (SignInPolicy, error) {
	var out SignInPolicy
	err := c.do(ctx, http.MethodGet, "/sign-in/policy", p.values(), nil, &out)
	return out, err
}

// SignInWaysParams are the query of SignInWays. Zero values are left out.
type SignInWaysParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p SignInWaysParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// SignInWays: How to sign in here (GET /session/ways).
func (c *Client) SignInWays(ctx context.Context, p SignInWaysParams) (SignInWays, error) {
	var out SignInWays
	err := c.do(ctx, http.MethodGet, "/session/ways", p.values(), nil, &out)
	return out, err
}

// SignOut: Sign out (DELETE /session).
func (c *Client) SignOut(ctx context.Context) (SignedOut, error) {
	var out SignedOut
	err := c.do(ctx, http.MethodDelete, "/session", nil, nil, &out)
	return out, err
}

// SingleSignOnParams are the query of SingleSignOn. Zero values are left out.
type SingleSignOnParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p SingleSignOnParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// SingleSignOn: The identity provider (GET /sign-in/sso).
func (c *Client) SingleSignOn(ctx context.Context, p SingleSignOnParams) (SingleSignOnView, error) {
	var out SingleSignOnView
	err := c.do(ctx, http.MethodGet, "/sign-in/sso", p.values(), nil, &out)
	return out, err
}

// SoftwareParams are the query of Software. Zero values are left out.
type SoftwareParams struct {
	Page       int64    // Page, from 1.
	Size       int64    // Rows per page.
	Q          string   // Free text, matched without regard to case.
	Sort       []string // Columns; minus is descending.
	Vendor     []string
	Ecosystem  []string
	Vulnerable []string // Only products with weaknesses. One of "true".
	Threat     []string // alert: an exposed device has an active alert. One of "exploit", "verified", "kit", "kev", "ransomware", "alert".
	Code       []string // Kind of product code; available: any; none: there is none. One of "available", "cpe", "purl", "none".
	Assessed   []string // One of "true", "false".
	Tag        []string
	Group      []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p SoftwareParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "vendor", p.Vendor)
	addQuery(q, "ecosystem", p.Ecosystem)
	addQuery(q, "vulnerable", p.Vulnerable)
	addQuery(q, "threat", p.Threat)
	addQuery(q, "code", p.Code)
	addQuery(q, "assessed", p.Assessed)
	addQuery(q, "tag", p.Tag)
	addQuery(q, "group", p.Group)
	return q
}

// Software: Products over all devices (GET /software).
func (c *Client) Software(ctx context.Context, p SoftwareParams) (PageSoftwareRow, error) {
	var out PageSoftwareRow
	err := c.do(ctx, http.MethodGet, "/software", p.values(), nil, &out)
	return out, err
}

// SoftwareAll gives the rows of all pages of Software, and an error as the last.
func (c *Client) SoftwareAll(ctx context.Context, p SoftwareParams) iter.Seq2[SoftwareRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]SoftwareRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.Software(ctx, p)
		return out.Items, out.Total, err
	})
}

// StartInvestigation: Have the agent examine what the device's alerts name; while an investigation goes on on the device, that one is joined (POST /devices/{id}/investigations).
func (c *Client) StartInvestigation(ctx context.Context, id string, in NewInvestigation) (Investigation, error) {
	var out Investigation
	err := c.do(ctx, http.MethodPost, "/devices/"+pathValue(id)+"/investigations", nil, in, &out)
	return out, err
}

// StartLockdown: Deny every action on devices to everybody, at once (POST /lockdown).
func (c *Client) StartLockdown(ctx context.Context, in LockdownInBody) (Lockdown, error) {
	var out Lockdown
	err := c.do(ctx, http.MethodPost, "/lockdown", nil, in, &out)
	return out, err
}

// StatusParams are the query of Status. Zero values are left out.
type StatusParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p StatusParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Status: State of the product (GET /status).
func (c *Client) Status(ctx context.Context, p StatusParams) (Status, error) {
	var out Status
	err := c.do(ctx, http.MethodGet, "/status", p.values(), nil, &out)
	return out, err
}

// SyncIntel: Fetch the feeds now (POST /intel/sync).
func (c *Client) SyncIntel(ctx context.Context) (JobRow, error) {
	var out JobRow
	err := c.do(ctx, http.MethodPost, "/intel/sync", nil, nil, &out)
	return out, err
}

// TagRulesParams are the query of TagRules. Zero values are left out.
type TagRulesParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p TagRulesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// TagRules: Rules that give tags (GET /tag-rules).
func (c *Client) TagRules(ctx context.Context, p TagRulesParams) ([]TagRule, error) {
	var out []TagRule
	err := c.do(ctx, http.MethodGet, "/tag-rules", p.values(), nil, &out)
	return out, err
}

// TagsParams are the query of Tags. Zero values are left out.
type TagsParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p TagsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Tags: Tags of devices, with who gives them (GET /tags).
func (c *Client) Tags(ctx context.Context, p TagsParams) ([]TagRow, error) {
	var out []TagRow
	err := c.do(ctx, http.MethodGet, "/tags", p.values(), nil, &out)
	return out, err
}

// TechniquesParams are the query of Techniques. Zero values are left out.
type TechniquesParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p TechniquesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Techniques: ATT&CK techniques that events can have (GET /techniques).
func (c *Client) Techniques(ctx context.Context, p TechniquesParams) ([]Technique, error) {
	var out []Technique
	err := c.do(ctx, http.MethodGet, "/techniques", p.values(), nil, &out)
	return out, err
}

// TestDestination: Try a place for tickets (POST /ticketing/{id}/test).
func (c *Client) TestDestination(ctx context.Context, id string) (TestResult, error) {
	var out TestResult
	err := c.do(ctx, http.MethodPost, "/ticketing/"+pathValue(id)+"/test", nil, nil, &out)
	return out, err
}

// TestForwarding: Send a test event now (POST /forwarding/{id}/test).
func (c *Client) TestForwarding(ctx context.Context, id string) (TestResult, error) {
	var out TestResult
	err := c.do(ctx, http.MethodPost, "/forwarding/"+pathValue(id)+"/test", nil, nil, &out)
	return out, err
}

// TestSingleSignOn: Ask an identity provider what it says of itself (POST /sign-in/sso/test).
func (c *Client) TestSingleSignOn(ctx context.Context, in SingleSignOnEdit) (TestResult, error) {
	var out TestResult
	err := c.do(ctx, http.MethodPost, "/sign-in/sso/test", nil, in, &out)
	return out, err
}

// TicketingParams are the query of Ticketing. Zero values are left out.
type TicketingParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p TicketingParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Ticketing: Where tickets go (GET /ticketing).
func (c *Client) Ticketing(ctx context.Context, p TicketingParams) ([]DestinationRow, error) {
	var out []DestinationRow
	err := c.do(ctx, http.MethodGet, "/ticketing", p.values(), nil, &out)
	return out, err
}

// TokensParams are the query of Tokens. Zero values are left out.
type TokensParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p TokensParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Tokens: Enrolment tokens (GET /tokens).
func (c *Client) Tokens(ctx context.Context, p TokensParams) ([]TokenRow, error) {
	var out []TokenRow
	err := c.do(ctx, http.MethodGet, "/tokens", p.values(), nil, &out)
	return out, err
}

// Unlock: Forgive the failures of an account or address (DELETE /sign-in/locks/{id}).
func (c *Client) Unlock(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "/sign-in/locks/"+pathValue(id), nil, nil, nil)
}

// UpdateAlert: Change status, assignment, classification of an alert, or comment on it (PATCH /alerts/{id}).
func (c *Client) UpdateAlert(ctx context.Context, id string, in AlertChangeBody) (Alert, error) {
	var out Alert
	err := c.do(ctx, http.MethodPatch, "/alerts/"+pathValue(id), nil, in, &out)
	return out, err
}

// UpdateAlerts: Change alerts, each in the same way: all of them or none (POST /alerts/update).
func (c *Client) UpdateAlerts(ctx context.Context, in AlertsChangeInBody) error {
	return c.do(ctx, http.MethodPost, "/alerts/update", nil, in, nil)
}

// UserParams are the query of User. Zero values are left out.
type UserParams struct {
	Days  int64   // Whole days (UTC) back from now.
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p UserParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "days", p.Days)
	addQuery(q, "group", p.Group)
	return q
}

// User: What is known of a user's account on all devices (GET /users/{id}).
func (c *Client) User(ctx context.Context, id string, p UserParams) (EntityView, error) {
	var out EntityView
	err := c.do(ctx, http.MethodGet, "/users/"+pathValue(id), p.values(), nil, &out)
	return out, err
}

// UserDevicesParams are the query of UserDevices. Zero values are left out.
type UserDevicesParams struct {
	Page     int64    // Page, from 1.
	Size     int64    // Rows per page.
	Q        string   // Free text, matched without regard to case.
	Days     int64    // Whole days (UTC) back from now.
	Sort     []string // Columns; minus is descending.
	OS       []string // OS platform, as in os_platform.
	Health   []string // One of "Active", "Inactive", "ImpairedCommunication", "NoSensorData".
	Exposure []string // Exposure level. One of "None", "Low", "Medium", "High", "NoData".
	Group    []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p UserDevicesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "days", p.Days)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "os", p.OS)
	addQuery(q, "health", p.Health)
	addQuery(q, "exposure", p.Exposure)
	addQuery(q, "group", p.Group)
	return q
}

// UserDevices: Devices that met a user's account (GET /users/{id}/devices).
func (c *Client) UserDevices(ctx context.Context, id string, p UserDevicesParams) (PageEntityDevice, error) {
	var out PageEntityDevice
	err := c.do(ctx, http.MethodGet, "/users/"+pathValue(id)+"/devices", p.values(), nil, &out)
	return out, err
}

// UserDevicesAll gives the rows of all pages of UserDevices, and an error as the last.
func (c *Client) UserDevicesAll(ctx context.Context, id string, p UserDevicesParams) iter.Seq2[EntityDevice, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]EntityDevice, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.UserDevices(ctx, id, p)
		return out.Items, out.Total, err
	})
}

// UserEventsParams are the query of UserEvents. Zero values are left out.
type UserEventsParams struct {
	Days  int64   // Whole days (UTC) back from now.
	Size  int64   // Events, the newest.
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p UserEventsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "days", p.Days)
	addQuery(q, "size", p.Size)
	addQuery(q, "group", p.Group)
	return q
}

// UserEvents: The newest events of a user's account (GET /users/{id}/events).
func (c *Client) UserEvents(ctx context.Context, id string, p UserEventsParams) (EntityEvents, error) {
	var out EntityEvents
	err := c.do(ctx, http.MethodGet, "/users/"+pathValue(id)+"/events", p.values(), nil, &out)
	return out, err
}

// UserGroupsParams are the query of UserGroups. Zero values are left out.
type UserGroupsParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p UserGroupsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// UserGroups: User groups, with their roles and the device groups that they see (GET /user-groups).
func (c *Client) UserGroups(ctx context.Context, p UserGroupsParams) ([]UserGroup, error) {
	var out []UserGroup
	err := c.do(ctx, http.MethodGet, "/user-groups", p.values(), nil, &out)
	return out, err
}

// VEXDocumentParams are the query of VEXDocument. Zero values are left out.
type VEXDocumentParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p VEXDocumentParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// VEXDocument: One VEX document (GET /vex/{id}).
func (c *Client) VEXDocument(ctx context.Context, id string, p VEXDocumentParams) (VEXDocument, error) {
	var out VEXDocument
	err := c.do(ctx, http.MethodGet, "/vex/"+pathValue(id), p.values(), nil, &out)
	return out, err
}

// VEXDocumentsParams are the query of VEXDocuments. Zero values are left out.
type VEXDocumentsParams struct {
	Page   int64    // Page, from 1.
	Size   int64    // Rows per page.
	Q      string   // Free text, matched without regard to case.
	Sort   []string // Columns; minus is descending.
	Kind   []string // Formats of documents. One of "OpenVEX", "CSAF", "CycloneDX".
	Author []string
	Group  []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p VEXDocumentsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "kind", p.Kind)
	addQuery(q, "author", p.Author)
	addQuery(q, "group", p.Group)
	return q
}

// VEXDocuments: Loaded VEX documents and what came of them (GET /vex).
func (c *Client) VEXDocuments(ctx context.Context, p VEXDocumentsParams) (PageVEXRow, error) {
	var out PageVEXRow
	err := c.do(ctx, http.MethodGet, "/vex", p.values(), nil, &out)
	return out, err
}

// VEXDocumentsAll gives the rows of all pages of VEXDocuments, and an error as the last.
func (c *Client) VEXDocumentsAll(ctx context.Context, p VEXDocumentsParams) iter.Seq2[VEXRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]VEXRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.VEXDocuments(ctx, p)
		return out.Items, out.Total, err
	})
}

// VEXFileParams are the query of VEXFile. Zero values are left out.
type VEXFileParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p VEXFileParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// VEXFile: A VEX document as it came (GET /vex/{id}/file).
func (c *Client) VEXFile(ctx context.Context, id string, p VEXFileParams) (json.RawMessage, error) {
	var out json.RawMessage
	err := c.do(ctx, http.MethodGet, "/vex/"+pathValue(id)+"/file", p.values(), nil, &out)
	return out, err
}

// VEXRemovalParams are the query of VEXRemoval. Zero values are left out.
type VEXRemovalParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p VEXRemovalParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// VEXRemoval: What would come back if a VEX document were removed (GET /vex/{id}/removal).
func (c *Client) VEXRemoval(ctx context.Context, id string, p VEXRemovalParams) (VEXRemoval, error) {
	var out VEXRemoval
	err := c.do(ctx, http.MethodGet, "/vex/"+pathValue(id)+"/removal", p.values(), nil, &out)
	return out, err
}

// VEXReportParams are the query of VEXReport. Zero values are left out.
type VEXReportParams struct {
	Format string  // OpenVEX 0.2.0, CSAF VEX 2.0 or CycloneDX VEX 1.6, as JSON. One of "openvex", "csaf", "cyclonedx".
	Group  []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p VEXReportParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "format", p.Format)
	addQuery(q, "group", p.Group)
	return q
}

// VEXReport: What can be exploited on all devices, or on those of device groups (GET /vex/report).
func (c *Client) VEXReport(ctx context.Context, p VEXReportParams) (json.RawMessage, error) {
	var out json.RawMessage
	err := c.do(ctx, http.MethodGet, "/vex/report", p.values(), nil, &out)
	return out, err
}

// VEXStatementsParams are the query of VEXStatements. Zero values are left out.
type VEXStatementsParams struct {
	Page    int64    // Page, from 1.
	Size    int64    // Rows per page.
	Q       string   // Free text, matched without regard to case.
	Sort    []string // Columns; minus is descending. One of "weakness", "-weakness", "product", "-product", "status", "-status", "outcome", "-outcome".
	Outcome []string // What came of it. One of "Applied", "NotExcepted", "Overruled", "NotMatched".
	Status  []string // One of "affected", "not_affected", "fixed", "under_investigation".
	Group   []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p VEXStatementsParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "outcome", p.Outcome)
	addQuery(q, "status", p.Status)
	addQuery(q, "group", p.Group)
	return q
}

// VEXStatements: What a VEX document says, and what came of each statement (GET /vex/{id}/statements).
func (c *Client) VEXStatements(ctx context.Context, id string, p VEXStatementsParams) (PageVEXStatement, error) {
	var out PageVEXStatement
	err := c.do(ctx, http.MethodGet, "/vex/"+pathValue(id)+"/statements", p.values(), nil, &out)
	return out, err
}

// VEXStatementsAll gives the rows of all pages of VEXStatements, and an error as the last.
func (c *Client) VEXStatementsAll(ctx context.Context, id string, p VEXStatementsParams) iter.Seq2[VEXStatement, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]VEXStatement, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.VEXStatements(ctx, id, p)
		return out.Items, out.Total, err
	})
}

// WeaknessParams are the query of Weakness. Zero values are left out.
type WeaknessParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p WeaknessParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// Weakness: One weakness (GET /weaknesses/{id}).
func (c *Client) Weakness(ctx context.Context, id string, p WeaknessParams) (WeaknessDetail, error) {
	var out WeaknessDetail
	err := c.do(ctx, http.MethodGet, "/weaknesses/"+pathValue(id), p.values(), nil, &out)
	return out, err
}

// WeaknessDevicesParams are the query of WeaknessDevices. Zero values are left out.
type WeaknessDevicesParams struct {
	Page    int64    // Page, from 1.
	Size    int64    // Rows per page.
	Q       string   // Free text, matched without regard to case.
	Sort    []string // Columns; minus is descending. One of "name", "-name", "domain", "-domain", "os", "-os", "last_seen", "-last_seen".
	Exposed []string // Whether it counts on the device. One of "true", "false".
	Update  []string // Whether a version that fixes it can be installed. One of "true", "false".
	Group   []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p WeaknessDevicesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "exposed", p.Exposed)
	addQuery(q, "update", p.Update)
	addQuery(q, "group", p.Group)
	return q
}

// WeaknessDevices: Devices that have a weakness (GET /weaknesses/{id}/devices).
func (c *Client) WeaknessDevices(ctx context.Context, id string, p WeaknessDevicesParams) (PageWeaknessDevice, error) {
	var out PageWeaknessDevice
	err := c.do(ctx, http.MethodGet, "/weaknesses/"+pathValue(id)+"/devices", p.values(), nil, &out)
	return out, err
}

// WeaknessDevicesAll gives the rows of all pages of WeaknessDevices, and an error as the last.
func (c *Client) WeaknessDevicesAll(ctx context.Context, id string, p WeaknessDevicesParams) iter.Seq2[WeaknessDevice, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]WeaknessDevice, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.WeaknessDevices(ctx, id, p)
		return out.Items, out.Total, err
	})
}

// WeaknessSoftwareParams are the query of WeaknessSoftware. Zero values are left out.
type WeaknessSoftwareParams struct {
	Page   int64    // Page, from 1.
	Size   int64    // Rows per page.
	Q      string   // Free text, matched without regard to case.
	Sort   []string // Columns; minus is descending. One of "name", "-name", "vendor", "-vendor", "installed", "-installed", "exposed", "-exposed", "update", "-update".
	Vendor []string
	Update []string // Whether a version that fixes it can be installed on some device. One of "true", "false".
	Group  []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p WeaknessSoftwareParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "vendor", p.Vendor)
	addQuery(q, "update", p.Update)
	addQuery(q, "group", p.Group)
	return q
}

// WeaknessSoftware: Products that have a weakness (GET /weaknesses/{id}/software).
func (c *Client) WeaknessSoftware(ctx context.Context, id string, p WeaknessSoftwareParams) (PageWeaknessSoftwareRow, error) {
	var out PageWeaknessSoftwareRow
	err := c.do(ctx, http.MethodGet, "/weaknesses/"+pathValue(id)+"/software", p.values(), nil, &out)
	return out, err
}

// WeaknessSoftwareAll gives the rows of all pages of WeaknessSoftware, and an error as the last.
func (c *Client) WeaknessSoftwareAll(ctx context.Context, id string, p WeaknessSoftwareParams) iter.Seq2[WeaknessSoftwareRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]WeaknessSoftwareRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.WeaknessSoftware(ctx, id, p)
		return out.Items, out.Total, err
	})
}

// WeaknessesParams are the query of Weaknesses. Zero values are left out.
type WeaknessesParams struct {
	Page      int64    // Page, from 1.
	Size      int64    // Rows per page.
	Q         string   // Free text, matched without regard to case.
	Sort      []string // Columns; minus is descending.
	Severity  []string // One of "Critical", "High", "Medium", "Low", "None".
	Threat    []string // alert: an exposed device has an active alert. One of "exploit", "verified", "kit", "kev", "ransomware", "alert".
	Fix       []string // One of "available", "none".
	Exposed   []string // Whether it counts on at least one device; unknown: on none, and of some the feed does not know. One of "true", "false", "unknown".
	State     []string
	Exception []string // Whether an exception is about it somewhere. One of "true", "false".
	Tag       []string // One of "Some updates available", "No security update", "Zero day".
	Age       []string // Published within the last 7, 30, 90 or 365 days, or longer ago. One of "week", "month", "quarter", "year", "older".
	Group     []int64  // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p WeaknessesParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "page", p.Page)
	addQuery(q, "size", p.Size)
	addQuery(q, "q", p.Q)
	addQuery(q, "sort", p.Sort)
	addQuery(q, "severity", p.Severity)
	addQuery(q, "threat", p.Threat)
	addQuery(q, "fix", p.Fix)
	addQuery(q, "exposed", p.Exposed)
	addQuery(q, "state", p.State)
	addQuery(q, "exception", p.Exception)
	addQuery(q, "tag", p.Tag)
	addQuery(q, "age", p.Age)
	addQuery(q, "group", p.Group)
	return q
}

// Weaknesses: Weaknesses over all devices (GET /weaknesses).
func (c *Client) Weaknesses(ctx context.Context, p WeaknessesParams) (PageWeaknessRow, error) {
	var out PageWeaknessRow
	err := c.do(ctx, http.MethodGet, "/weaknesses", p.values(), nil, &out)
	return out, err
}

// WeaknessesAll gives the rows of all pages of Weaknesses, and an error as the last.
func (c *Client) WeaknessesAll(ctx context.Context, p WeaknessesParams) iter.Seq2[WeaknessRow, error] {
	return pages(p.Page, p.Size, func(page, size int64) ([]WeaknessRow, int64, error) {
		p.Page, p.Size = page, size
		out, err := c.Weaknesses(ctx, p)
		return out.Items, out.Total, err
	})
}

// WhatIfParams are the query of WhatIf. Zero values are left out.
type WhatIfParams struct {
	Group []int64 // Only devices of these device groups, by number; 0 is the devices that are in none.
}

func (p WhatIfParams) values() url.Values {
	q := url.Values{}
	addQuery(q, "group", p.Group)
	return q
}

// WhatIf: The exact score with some recommendations carried out together, and what that means (POST /what-if).
func (c *Client) WhatIf(ctx context.Context, p WhatIfParams, in WhatIfInBody) (WhatIf, error) {
	var out WhatIf
	err := c.do(ctx, http.MethodPost, "/what-if", p.values(), in, &out)
	return out, err
}

// WithdrawAction: Take back what the caller asked for (POST /approvals/{id}/withdraw).
func (c *Client) WithdrawAction(ctx context.Context, id string) (ApprovalRow, error) {
	var out ApprovalRow
	err := c.do(ctx, http.MethodPost, "/approvals/"+pathValue(id)+"/withdraw", nil, nil, &out)
	return out, err
}
