package server

import (
	"slices"
	"strings"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

// Permission names, as applications ask for them (the Defender API's names).
const (
	MachineRead      = "Machine.Read.All"
	MachineReadWrite = "Machine.ReadWrite.All" // includes MachineRead
	// MachineIsolate, MachineScan and MachineCollect open actions on devices: isolation
	// and its end, scans, investigation packages.
	MachineIsolate    = "Machine.Isolate"
	MachineScan       = "Machine.Scan"
	MachineCollect    = "Machine.CollectForensics"
	SoftwareRead      = "Software.Read.All"
	VulnerabilityRead = "Vulnerability.Read.All"
	// FileRead, AddressRead, URLRead and AccountRead open what is known of a file, an
	// address, a host and an account across devices.
	FileRead    = "File.Read.All"
	AddressRead = "Ip.Read.All"
	URLRead     = "Url.Read.All"
	AccountRead = "User.Read.All"
	// RecommendationRead opens recommendations, ScoreRead exposure scores.
	RecommendationRead = "SecurityRecommendation.Read.All"
	ScoreRead          = "Score.Read.All"
	// RecommendationWrite saves and deletes patch plans.
	RecommendationWrite = "SecurityRecommendation.ReadWrite.All"
	// RemediationRead opens remediation activities. RemediationWrite is the right
	// of remediation handling: to request, complete and re-open them; it includes RemediationRead.
	RemediationRead  = "RemediationTasks.Read.All"
	RemediationWrite = "RemediationTasks.ReadWrite.All"
	// AlertRead opens alerts; AlertWrite raises and changes them and includes AlertRead.
	AlertRead  = "Alert.Read.All"
	AlertWrite = "Alert.ReadWrite.All"
	// TiWrite opens indicators and makes, changes and deletes them; TiWriteOwn does so with
	// those that the caller made.
	TiWrite    = "Ti.ReadWrite.All"
	TiWriteOwn = "Ti.ReadWrite"
	// ManageSettings is the administrators' permission: people, roles, device
	// groups, intelligence, ticketing, the audit log. Applications cannot have it.
	ManageSettings = "Picket.Manage"
	// ManageSecurity is the right of security settings: onboarding, removal of
	// devices, documents, rules of tags. Applications cannot have it.
	ManageSecurity = "Picket.Security"
	// ManageDevices gives devices tags and values. Applications have MachineReadWrite.
	ManageDevices = "Picket.Devices"
	// ApproveActions decides on actions that others asked for, with the permission
	// of the action itself. Applications cannot have it.
	ApproveActions = "Picket.Approve"
	// ManageExceptions makes and cancels exceptions. Applications cannot have it.
	ManageExceptions = "Picket.Exceptions"
)

// AppPermissions are the permissions that an application may be given.
var AppPermissions = []string{MachineRead, SoftwareRead, VulnerabilityRead, RecommendationRead, ScoreRead, MachineReadWrite, RecommendationWrite, RemediationRead, RemediationWrite, FileRead, AddressRead, URLRead, AccountRead,
	AlertRead, AlertWrite, AdvancedQuery, MachineIsolate, MachineScan, MachineCollect, TiWrite, TiWriteOwn}

// Caller is who asks: a person with a session or an application with a token.
// The zero Caller may do nothing and sees nothing.
type Caller struct {
	Name        string // user name, or application name
	App         string // client id when it is an application
	UserID      int64  // when it is a person
	Admin       bool   // has every permission and sees all devices
	Permissions []string
	Remote      string // address it came from
	// Scope are the devices that the caller may see. Whoever knows the session
	// or the token sets it, nobody else.
	Scope exposure.Scope
	// Groups are the device groups that the answer is to be about; nil: all
	// that the caller may see. Only looks reads it.
	Groups []exposure.Group

	session     string       // digest of the session's secret, for a person
	again       *rightsAgain // nil: the program made the caller itself
	tokenSecret string       // id of the secret that a program's token was got with
	limits      appLimits    // of a program
	delegated   bool         // an application that acts for a person who let it
	behind      *Caller      // the person whom a program acts for, with all that person may do; nil: none
	// approved are the devices that an administrator let leave the reach of rules
	// of approval, for the one change that was asked for; see keepProtected.
	approved []store.ApprovalDevice
	local    bool // whoever may read the data directory on the server itself
}

// sees are the devices that the caller may see: what a device, a group or an
// exception that is named by its id must be in.
func (c Caller) sees() exposure.Scope {
	if c.Admin {
		return exposure.Everywhere()
	}
	return c.Scope
}

// looks are the devices that an answer is about: those that the caller sees,
// in the device groups that were asked for.
func (c Caller) looks() exposure.Scope { return c.sees().Only(c.Groups) }

// LocalCaller is whoever may read the data directory on the server itself, and
// may do everything with it anyway.
func LocalCaller() Caller { return Caller{Name: "command line", Admin: true, local: true} }

// Has reports whether the caller holds a permission.
func (c Caller) Has(permission string) bool {
	if c.Admin {
		return true
	}
	for _, p := range c.Permissions {
		if p == permission {
			return true
		}
	}
	return false
}

// needAll is need for what concerns every device: whoever does not see all of
// them may not do it.
func (s *Server) needAll(c Caller, anyOf ...string) error {
	if err := s.need(c, anyOf...); err != nil || c.sees().All() {
		return err
	}
	return Deniedf("this concerns every device, and some are hidden from you")
}

// need is the one door: every exported method that takes a Caller goes
// through it before it does anything.
func (s *Server) need(c Caller, anyOf ...string) error {
	for _, p := range anyOf {
		if c.Has(p) {
			return nil
		}
	}
	return c.lacks(anyOf)
}

// lacks says what a caller would need: a person one of the rights of roles that
// open it, a program the permission itself.
func (c Caller) lacks(anyOf []string) error {
	if c.App == "" {
		var rights []string
		for _, r := range RolePermissions {
			if slices.ContainsFunc(r.Opens, func(p string) bool { return slices.Contains(anyOf, p) }) {
				rights = append(rights, "“"+r.Name+"”")
			}
		}
		if len(rights) > 0 {
			return Deniedf("your roles do not allow this: it takes %s", strings.Join(rights[:min(len(rights), mostNamed)], " or "))
		}
	}
	return Deniedf("this takes the permission %s", strings.Join(anyOf, " or "))
}

// mostNamed is how many rights a denial names; of more, those that open least come first.
const mostNamed = 2
