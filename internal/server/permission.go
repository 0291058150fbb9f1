package server

import (
	"slices"

	"github.com/picketsec/picket/internal/store"
)

// What a role may hold: the identifiers never change.
const (
	ViewOperations   = "view.security-operations"
	ViewExposure     = "view.vulnerability-management"
	ActOperations    = "remediate.security-operations"
	ActExceptions    = "remediate.exceptions"
	ActRemediation   = "remediate.remediation"
	ActApplications  = "remediate.applications"
	Baselines        = "baselines.manage"
	Investigate      = "alerts.investigate"
	SecuritySettings = "settings.security"
	PortalSettings   = "settings.portal"
	LiveBasic        = "live-response.basic"
	LiveAdvanced     = "live-response.advanced"
)

// RolePermission is a permission that a role may hold, with what it opens.
type RolePermission struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Area        string `json:"area" enum:"View,Act,Settings,Live response"`
	// Opens are the permissions that the product asks for.
	Opens []string `json:"opens"`
	// Administrators only: no other role can hold it.
	Only bool `json:"administrators_only"`
}

// viewing is what whoever works with exposure sees.
var viewing = []string{MachineRead, SoftwareRead, VulnerabilityRead, RecommendationRead, ScoreRead, RemediationRead}

// opsViewing is what whoever works with alerts sees.
var opsViewing = []string{MachineRead, AlertRead, "Incident.Read.All", "User.Read.All", AdvancedQuery, "File.Read.All", "Ip.Read.All", "Url.Read.All"}

// RolePermissions are all that a role may hold, in the order that people see.
// Those that act on something open the view of it too.
var RolePermissions = []RolePermission{
	{ID: ViewOperations, Name: "View data: security operations", Area: "View", Opens: opsViewing,
		Description: "Sees devices, alerts and incidents."},
	{ID: ViewExposure, Name: "View data: vulnerability management", Area: "View", Opens: viewing,
		Description: "Sees devices, software, vulnerabilities, recommendations, scores, events and remediation."},
	{ID: ActOperations, Name: "Active remediation: security operations", Area: "Act",
		Opens:       append([]string{ApproveActions, MachineIsolate, "Machine.StopAndQuarantine", "Machine.RestrictExecution", TiWrite}, opsViewing...),
		Description: "Isolates devices and releases them, approves actions, and manages indicators."},
	{ID: ActExceptions, Name: "Active remediation: exception handling", Area: "Act", Opens: append([]string{ManageExceptions}, viewing...),
		Description: "Makes and cancels exceptions from recommendations."},
	{ID: ActRemediation, Name: "Active remediation: remediation handling", Area: "Act", Opens: append([]string{RemediationWrite, RecommendationWrite}, viewing...),
		Description: "Requests, changes and completes remediation, retries tickets, saves patch plans."},
	{ID: ActApplications, Name: "Active remediation: application handling", Area: "Act", Opens: viewing,
		Description: "Blocks vulnerable applications, once that can be done."},
	{ID: Baselines, Name: "Security baselines", Area: "Act", Opens: viewing,
		Description: "Manages profiles of baselines, once there are any."},
	{ID: Investigate, Name: "Alerts investigation", Area: "Act",
		Opens:       append([]string{ManageDevices, AlertWrite, "Incident.ReadWrite.All", MachineScan, MachineCollect}, opsViewing...),
		Description: "Raises and manages alerts, scans devices, collects investigation packages, gives devices tags and values."},
	{ID: SecuritySettings, Name: "Manage security settings", Area: "Settings", Opens: append([]string{ManageSecurity, ManageDevices, TiWrite}, viewing...),
		Description: "Onboards and removes devices, imports bills of materials and VEX documents, writes rules of tags, handles reports of inaccuracy, manages indicators."},
	{ID: PortalSettings, Name: "Manage portal system settings", Area: "Settings", Opens: []string{ManageSettings}, Only: true,
		Description: "Roles, user groups, people, device groups, applications, intelligence, ticketing and the audit log. Only the role Administrator has it."},
	{ID: LiveBasic, Name: "Live response: basic", Area: "Live response", Opens: append([]string{"Machine.LiveResponse"}, opsViewing...),
		Description: "Opens live response with commands that read, once that can be done."},
	{ID: LiveAdvanced, Name: "Live response: advanced", Area: "Live response", Opens: append([]string{"Machine.LiveResponse"}, opsViewing...),
		Description: "Opens live response with all commands, once that can be done."},
}

// builtInRoles is what the built-in roles hold besides Administrator, who holds everything.
var builtInRoles = map[string][]string{
	store.RoleOperator: {ViewOperations, ViewExposure, ActOperations, ActExceptions, ActRemediation, ActApplications, Baselines, Investigate, SecuritySettings, LiveBasic},
	store.RoleReader:   {ViewOperations, ViewExposure},
}

// rolePermission finds a permission of roles by its identifier.
func rolePermission(id string) (RolePermission, bool) {
	i := slices.IndexFunc(RolePermissions, func(p RolePermission) bool { return p.ID == id })
	if i < 0 {
		return RolePermission{}, false
	}
	return RolePermissions[i], true
}

// heldBy are the permissions of a role in the order of RolePermissions.
func heldBy(r store.Role) []string {
	held := r.Permissions
	if r.BuiltIn != "" {
		held = builtInRoles[r.BuiltIn]
	}
	out := []string{}
	for _, p := range RolePermissions {
		if r.BuiltIn == store.RoleAdministrator || slices.Contains(held, p.ID) {
			out = append(out, p.ID)
		}
	}
	return out
}
