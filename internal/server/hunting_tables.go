package server

import (
	"slices"
	"strings"
	"sync"

	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/kql"
)

// huntTable is a table of hunting, and where its rows come from.
type huntTable struct {
	kql.Table
	about string
	// needs are permissions of which people hold one; nil: hunting is enough.
	needs  []string
	events ev.Table // of events; 0: another
	// read gives the rows of a table that holds no events.
	read func(h *huntReader, s kql.Scan, f *huntFilter, yield func(row []kql.Value) error) error
	// filled are the columns that get values here; nil: all.
	filled map[string]bool
}

// Fragments that tables have in common. A column is its name and the letter of
// its type.
const (
	baseColumns = "Timestamp:d DeviceId:s DeviceName:s ActionType:s ReportId:l AppGuardContainerId:s "
	actColumns  = "InitiatingProcessSHA1:s InitiatingProcessSHA256:s InitiatingProcessMD5:s InitiatingProcessFileName:s InitiatingProcessFileSize:l InitiatingProcessFolderPath:s " +
		"InitiatingProcessId:l InitiatingProcessCommandLine:s InitiatingProcessCreationTime:d InitiatingProcessAccountDomain:s InitiatingProcessAccountName:s InitiatingProcessAccountSid:s " +
		"InitiatingProcessAccountUpn:s InitiatingProcessAccountObjectId:s InitiatingProcessParentId:l InitiatingProcessParentFileName:s InitiatingProcessParentCreationTime:d " +
		"InitiatingProcessVersionInfoCompanyName:s InitiatingProcessVersionInfoProductName:s InitiatingProcessVersionInfoProductVersion:s InitiatingProcessVersionInfoInternalFileName:s " +
		"InitiatingProcessVersionInfoOriginalFileName:s InitiatingProcessVersionInfoFileDescription:s "
	levelColumns   = "InitiatingProcessIntegrityLevel:s InitiatingProcessTokenElevation:s "
	sessionColumns = "InitiatingProcessSessionId:l IsInitiatingProcessRemoteSession:b InitiatingProcessRemoteSessionDeviceName:s InitiatingProcessRemoteSessionIP:s "
	fileColumns    = "FileName:s FolderPath:s SHA1:s SHA256:s MD5:s FileSize:l "
	moreColumns    = "AdditionalFields:y "
)

func eventTables() []*huntTable {
	table := func(t ev.Table, about, columns string) *huntTable {
		return &huntTable{Table: kql.Table{Name: t.String(), Columns: huntColumns(columns)}, about: about, events: t, filled: setOf(strings.Fields(sensed[t])...)}
	}
	return []*huntTable{
		table(ev.ProcessEvents, "Programs that were started: one row for every successful exec.", baseColumns+fileColumns+
			"ProcessVersionInfoCompanyName:s ProcessVersionInfoProductName:s ProcessVersionInfoProductVersion:s ProcessVersionInfoInternalFileName:s ProcessVersionInfoOriginalFileName:s ProcessVersionInfoFileDescription:s "+
			"ProcessId:l ProcessCommandLine:s ProcessIntegrityLevel:s ProcessTokenElevation:s ProcessCreationTime:d AccountDomain:s AccountName:s AccountSid:s AccountUpn:s AccountObjectId:s LogonId:l "+
			actColumns+levelColumns+"InitiatingProcessLogonId:l InitiatingProcessSignerType:s InitiatingProcessSignatureStatus:s "+moreColumns),
		table(ev.NetworkEvents, "Connections that were made, accepted, refused or listened for.", baseColumns+
			"RemoteIP:s RemotePort:i RemoteUrl:s LocalIP:s LocalPort:i Protocol:s LocalIPType:s RemoteIPType:s "+actColumns+levelColumns+sessionColumns+moreColumns),
		table(ev.FileEvents, "Files that were created, changed, renamed or deleted in watched places.", baseColumns+fileColumns+
			"FileOriginUrl:s FileOriginReferrerUrl:s FileOriginIP:s PreviousFolderPath:s PreviousFileName:s RequestProtocol:s RequestSourceIP:s RequestSourcePort:i RequestAccountName:s RequestAccountDomain:s "+
			"RequestAccountSid:s ShareName:s SensitivityLabel:s SensitivitySubLabel:s IsAzureInfoProtectionApplied:b "+actColumns+levelColumns+sessionColumns+moreColumns),
		table(ev.RegistryEvents, "Changes of the registry of Windows devices.", baseColumns+
			"RegistryKey:s RegistryValueType:s RegistryValueName:s RegistryValueData:s PreviousRegistryKey:s PreviousRegistryValueName:s PreviousRegistryValueData:s "+actColumns+levelColumns+sessionColumns),
		table(ev.LogonEvents, "Logons, logoffs and failed attempts.", baseColumns+
			"LogonType:s AccountDomain:s AccountName:s AccountSid:s Protocol:s FailureReason:s IsLocalAdmin:b LogonId:l RemoteDeviceName:s RemoteIP:s RemoteIPType:s RemotePort:i "+actColumns+levelColumns+sessionColumns+moreColumns),
		table(ev.ImageLoadEvents, "Shared libraries and modules that programs loaded.", baseColumns+fileColumns+actColumns+levelColumns),
		table(ev.DeviceEvents, "Everything else: ends of processes, answers to names, accounts, services, scheduled tasks, packages, kernel modules, sensors.", baseColumns+fileColumns+
			"AccountDomain:s AccountName:s AccountSid:s RemoteUrl:s RemoteDeviceName:s ProcessId:l ProcessCommandLine:s ProcessCreationTime:d ProcessTokenElevation:s LogonId:l "+
			"RegistryKey:s RegistryValueName:s RegistryValueData:s RemoteIP:s RemotePort:i LocalIP:s LocalPort:i FileOriginUrl:s FileOriginIP:s InitiatingProcessLogonId:l CreatedProcessSessionId:l "+
			"IsProcessRemoteSession:b ProcessRemoteSessionDeviceName:s ProcessRemoteSessionIP:s "+actColumns+sessionColumns+moreColumns),
	}
}

var huntTypes = map[string]kql.Type{"s": kql.String, "l": kql.Long, "i": kql.Int, "b": kql.Bool, "d": kql.DateTime, "r": kql.Real, "y": kql.Dynamic}

// huntColumns reads a list of columns with the letters of their types.
func huntColumns(list string) []kql.Column {
	var out []kql.Column
	for _, f := range strings.Fields(list) {
		name, typ, _ := strings.Cut(f, ":")
		out = append(out, kql.Column{Name: name, Type: huntTypes[typ]})
	}
	return out
}

// huntTables are all tables, by name. They never change.
var huntTables = sync.OnceValue(func() map[string]*huntTable {
	out := map[string]*huntTable{}
	for _, t := range slices.Concat(eventTables(), stateTables(), alertTables()) {
		out[t.Name] = t
	}
	return out
})

// tablesOf are the tables that a caller may read.
type tablesOf struct{ c Caller }

// Table returns a table that the caller may read.
func (t tablesOf) Table(name string) (*kql.Table, bool) {
	h, ok := huntTables()[name]
	if !ok || !h.readableBy(t.c) {
		return nil, false
	}
	return &h.Table, true
}

// Names are the names of the tables that the caller may read, in order.
func (t tablesOf) Names() []string {
	var out []string
	for name, h := range huntTables() {
		if h.readableBy(t.c) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// readableBy reports whether a caller may read the table. Applications that may
// hunt read all, as with the Defender API; people, and programs that act for
// them, need what the pages need that show the same.
func (t *huntTable) readableBy(c Caller) bool {
	if c.behind != nil {
		c = *c.behind
	}
	return t.needs == nil || c.App != "" || slices.ContainsFunc(t.needs, c.Has)
}

// fills reports whether a column gets values here.
func (t *huntTable) fills(column string) bool { return t.filled == nil || t.filled[column] }

// What the agent's sensors tell of every event, and of the process that acted.
const (
	sensedBase = "Timestamp DeviceId DeviceName ActionType ReportId "
	sensedActs = "InitiatingProcessSHA1 InitiatingProcessSHA256 InitiatingProcessMD5 InitiatingProcessFileName InitiatingProcessFileSize InitiatingProcessFolderPath InitiatingProcessId " +
		"InitiatingProcessCommandLine InitiatingProcessCreationTime InitiatingProcessAccountDomain InitiatingProcessAccountName InitiatingProcessAccountSid InitiatingProcessParentId " +
		"InitiatingProcessParentFileName InitiatingProcessParentCreationTime "
	sensedFile = "FileName FolderPath SHA1 SHA256 MD5 FileSize "
	sensedRun  = "ProcessId ProcessCommandLine ProcessCreationTime AccountDomain AccountName AccountSid LogonId InitiatingProcessLogonId "
)

// sensed are the columns that sensors fill, by table. No sensor fills the registry's.
var sensed = map[ev.Table]string{
	ev.ProcessEvents:   sensedBase + sensedActs + sensedFile + sensedRun + "AdditionalFields",
	ev.NetworkEvents:   sensedBase + sensedActs + "RemoteIP RemotePort LocalIP LocalPort Protocol LocalIPType RemoteIPType AdditionalFields",
	ev.FileEvents:      sensedBase + sensedActs + sensedFile + "PreviousFolderPath PreviousFileName AdditionalFields",
	ev.RegistryEvents:  "",
	ev.LogonEvents:     sensedBase + sensedActs + "LogonType AccountDomain AccountName AccountSid Protocol FailureReason IsLocalAdmin LogonId RemoteIP RemoteIPType RemotePort AdditionalFields",
	ev.ImageLoadEvents: sensedBase + sensedActs + sensedFile,
	ev.DeviceEvents:    sensedBase + sensedActs + sensedFile + sensedRun + "RemoteUrl RemoteIP RemotePort LocalPort AdditionalFields",
}
