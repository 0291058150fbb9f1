package event

import (
	"fmt"
	"strings"
)

// Type is the type of a column, as hunting knows it.
type Type uint8

// The types of columns.
const (
	String  Type = iota + 1
	Long         // 64 bits with a sign
	Int          // 32 bits with a sign
	Bool         //
	Time         // nanoseconds since 1970
	Dynamic      // JSON
)

// Kind is what sequence numbers, budgets and retention go by.
type Kind uint8

// The kinds of events. Their numbers are kept on disk: the list only grows.
const (
	Process    Kind = iota + 1 // a program was started
	ProcessEnd                 // a process ended
	Network                    // connections made, accepted, listened for
	DNS                        // answers to names
	File                       // files made, changed, deleted, renamed
	Image                      // modules and shared libraries loaded
	Logon                      // logons, logoffs and attempts
	Account                    // accounts and groups changed
	Schedule                   // scheduled tasks
	Service                    // services
	Kernel                     // kernel modules
	Package                    // software installed, upgraded, removed
	Antivirus                  //
	Response                   // what was done to the device by order
	Sensor                     // what the agent says of its own sources
	kindEnd
)

// Kinds yields every kind.
func Kinds(yield func(Kind) bool) {
	for k := Process; k < kindEnd; k++ {
		if !yield(k) {
			return
		}
	}
}

// NumKinds is one more than the highest kind.
const NumKinds = int(kindEnd)

var kindNames = [...]string{"", "process", "processEnd", "network", "dns", "file", "image", "logon", "account", "schedule", "service", "kernel", "package", "antivirus", "response", "sensor"}

// String is the kind's name in the API.
func (k Kind) String() string {
	if k.Valid() {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Valid reports whether the kind is known.
func (k Kind) Valid() bool { return k > 0 && k < kindEnd }

// KindOf returns the kind with a name.
func KindOf(name string) (Kind, bool) {
	for k := range Kinds {
		if kindNames[k] == name {
			return k, true
		}
	}
	return 0, false
}

// Table is a table of hunting.
type Table uint8

// The tables that hold events.
const (
	ProcessEvents   Table = iota + 1 // DeviceProcessEvents
	NetworkEvents                    // DeviceNetworkEvents
	FileEvents                       // DeviceFileEvents
	RegistryEvents                   // DeviceRegistryEvents
	LogonEvents                      // DeviceLogonEvents
	ImageLoadEvents                  // DeviceImageLoadEvents
	DeviceEvents                     // DeviceEvents
	tableEnd
)

var tableNames = [...]string{"", "DeviceProcessEvents", "DeviceNetworkEvents", "DeviceFileEvents", "DeviceRegistryEvents", "DeviceLogonEvents", "DeviceImageLoadEvents", "DeviceEvents"}

// String is the table's name in hunting.
func (t Table) String() string {
	if t > 0 && t < tableEnd {
		return tableNames[t]
	}
	return fmt.Sprintf("table %d", uint8(t))
}

// TableOf returns the table with a name.
func TableOf(name string) (Table, bool) {
	for t := ProcessEvents; t < tableEnd; t++ {
		if tableNames[t] == name {
			return t, true
		}
	}
	return 0, false
}

// Group is an event group: what the timeline is filtered by.
type Group string

// The event groups of the timeline.
const (
	GroupAlert      Group = "Alert-related events"
	GroupAntivirus  Group = "Antivirus"
	GroupAppControl Group = "Application control"
	GroupAppGuard   Group = "Application Guard"
	GroupExploit    Group = "Exploit protection"
	GroupFile       Group = "File events"
	GroupFirewall   Group = "Firewall events"
	GroupImage      Group = "Image load"
	GroupLogon      Group = "Logon and user activity"
	GroupNetwork    Group = "Network events"
	GroupOther      Group = "Other events"
	GroupScript     Group = "Script events"
	GroupProcess    Group = "Process events"
	GroupRegistry   Group = "Registry events"
	GroupResponse   Group = "Response actions"
	GroupSchedule   Group = "Scheduled task"
	GroupSmart      Group = "Smart Screen events"
	GroupTechnique  Group = "Techniques"
)

// Groups are the event groups in the order of the filter.
var Groups = []Group{
	GroupAlert, GroupAntivirus, GroupAppControl, GroupAppGuard, GroupExploit, GroupFile, GroupFirewall, GroupImage, GroupLogon, GroupNetwork,
	GroupOther, GroupProcess, GroupRegistry, GroupResponse, GroupSchedule, GroupScript, GroupSmart, GroupTechnique,
}

// Action is an action type: its number in the catalogue.
type Action uint16

type actionRow struct {
	name  string
	kind  Kind
	table Table
	group Group
}

// The action types. Their numbers are kept on disk: the list only grows.
const (
	ProcessCreated Action = iota + 1
	ProcessTerminated
	ConnectionSuccess
	ConnectionFailed
	InboundConnectionAccepted
	ListeningConnectionCreated
	DNSQueryResponse
	FileCreated
	FileModified
	FileDeleted
	FileRenamed
	ImageLoaded
	LogonSuccess
	LogonFailed
	LogonAttempted
	LogoffSuccess
	UserAccountCreated
	UserAccountDeleted
	UserAccountModified
	GroupCreated
	GroupDeleted
	GroupMemberAdded
	GroupMemberRemoved
	ScheduledTaskCreated
	ScheduledTaskUpdated
	ScheduledTaskDeleted
	ServiceInstalled
	ServiceChanged
	ServiceRemoved
	ServiceStarted
	ServiceStopped
	KernelModuleLoaded
	KernelModuleUnloaded
	PackageInstalled
	PackageUpgraded
	PackageRemoved
	AntivirusDetection
	AntivirusReport
	AntivirusScanCompleted
	AntivirusScanCancelled
	ResponseAction
	SensorStarted
	SensorChanged
	SensorEventsLost
	ScriptLoaded
	ConnectionFound
	ClockChanged
	actionEnd
)

var actions = [actionEnd]actionRow{
	ProcessCreated:             {"ProcessCreated", Process, ProcessEvents, GroupProcess},
	ProcessTerminated:          {"ProcessTerminated", ProcessEnd, DeviceEvents, GroupProcess},
	ConnectionSuccess:          {"ConnectionSuccess", Network, NetworkEvents, GroupNetwork},
	ConnectionFailed:           {"ConnectionFailed", Network, NetworkEvents, GroupNetwork},
	InboundConnectionAccepted:  {"InboundConnectionAccepted", Network, NetworkEvents, GroupNetwork},
	ListeningConnectionCreated: {"ListeningConnectionCreated", Network, NetworkEvents, GroupNetwork},
	DNSQueryResponse:           {"DnsQueryResponse", DNS, DeviceEvents, GroupNetwork},
	FileCreated:                {"FileCreated", File, FileEvents, GroupFile},
	FileModified:               {"FileModified", File, FileEvents, GroupFile},
	FileDeleted:                {"FileDeleted", File, FileEvents, GroupFile},
	FileRenamed:                {"FileRenamed", File, FileEvents, GroupFile},
	ImageLoaded:                {"ImageLoaded", Image, ImageLoadEvents, GroupImage},
	LogonSuccess:               {"LogonSuccess", Logon, LogonEvents, GroupLogon},
	LogonFailed:                {"LogonFailed", Logon, LogonEvents, GroupLogon},
	LogonAttempted:             {"LogonAttempted", Logon, LogonEvents, GroupLogon},
	LogoffSuccess:              {"LogoffSuccess", Logon, LogonEvents, GroupLogon},
	UserAccountCreated:         {"UserAccountCreated", Account, DeviceEvents, GroupLogon},
	UserAccountDeleted:         {"UserAccountDeleted", Account, DeviceEvents, GroupLogon},
	UserAccountModified:        {"UserAccountModified", Account, DeviceEvents, GroupLogon},
	GroupCreated:               {"SecurityGroupCreated", Account, DeviceEvents, GroupLogon},
	GroupDeleted:               {"SecurityGroupDeleted", Account, DeviceEvents, GroupLogon},
	GroupMemberAdded:           {"UserAccountAddedToLocalGroup", Account, DeviceEvents, GroupLogon},
	GroupMemberRemoved:         {"UserAccountRemovedFromLocalGroup", Account, DeviceEvents, GroupLogon},
	ScheduledTaskCreated:       {"ScheduledTaskCreated", Schedule, DeviceEvents, GroupSchedule},
	ScheduledTaskUpdated:       {"ScheduledTaskUpdated", Schedule, DeviceEvents, GroupSchedule},
	ScheduledTaskDeleted:       {"ScheduledTaskDeleted", Schedule, DeviceEvents, GroupSchedule},
	ServiceInstalled:           {"ServiceInstalled", Service, DeviceEvents, GroupOther},
	ServiceChanged:             {"ServiceChanged", Service, DeviceEvents, GroupOther},
	ServiceRemoved:             {"ServiceRemoved", Service, DeviceEvents, GroupOther},
	ServiceStarted:             {"ServiceStarted", Service, DeviceEvents, GroupOther},
	ServiceStopped:             {"ServiceStopped", Service, DeviceEvents, GroupOther},
	KernelModuleLoaded:         {"DriverLoad", Kernel, DeviceEvents, GroupOther},
	KernelModuleUnloaded:       {"DriverUnload", Kernel, DeviceEvents, GroupOther},
	PackageInstalled:           {"SoftwareInstalled", Package, DeviceEvents, GroupOther},
	PackageUpgraded:            {"SoftwareUpgraded", Package, DeviceEvents, GroupOther},
	PackageRemoved:             {"SoftwareRemoved", Package, DeviceEvents, GroupOther},
	AntivirusDetection:         {"AntivirusDetection", Antivirus, DeviceEvents, GroupAntivirus},
	AntivirusReport:            {"AntivirusReport", Antivirus, DeviceEvents, GroupAntivirus},
	AntivirusScanCompleted:     {"AntivirusScanCompleted", Antivirus, DeviceEvents, GroupAntivirus},
	AntivirusScanCancelled:     {"AntivirusScanCancelled", Antivirus, DeviceEvents, GroupAntivirus},
	ResponseAction:             {"ResponseAction", Response, DeviceEvents, GroupResponse},
	SensorStarted:              {"SensorStarted", Sensor, DeviceEvents, GroupOther},
	SensorChanged:              {"SensorChanged", Sensor, DeviceEvents, GroupOther},
	SensorEventsLost:           {"SensorEventsLost", Sensor, DeviceEvents, GroupOther},
	ScriptLoaded:               {"ScriptLoaded", Image, DeviceEvents, GroupScript},
	ConnectionFound:            {"ConnectionFound", Network, NetworkEvents, GroupNetwork},
	ClockChanged:               {"SystemTimeChanged", Sensor, DeviceEvents, GroupOther},
}

// Valid reports whether the action is in the catalogue.
func (a Action) Valid() bool { return a > 0 && a < actionEnd }

// String is the ActionType.
func (a Action) String() string { return actions[a].name }

// Kind is the kind of such events.
func (a Action) Kind() Kind { return actions[a].kind }

// Table is the hunting table that such events are rows of.
func (a Action) Table() Table { return actions[a].table }

// Group is the event group that such events belong to.
func (a Action) Group() Group { return actions[a].group }

// ActionOf returns the action with an ActionType, whatever its case.
func ActionOf(name string) (Action, bool) {
	for a := range Actions {
		if strings.EqualFold(actions[a].name, name) {
			return a, true
		}
	}
	return 0, false
}

// Actions yields every action.
func Actions(yield func(Action) bool) {
	for a := Action(1); a < actionEnd; a++ {
		if !yield(a) {
			return
		}
	}
}
