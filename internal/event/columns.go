package event

import "strings"

// Column is a column of hunting tables: its number in the catalogue. The same
// name is the same column in every table.
type Column uint16

// The columns that the code speaks of. Their numbers are kept on disk: the
// list only grows, at its end, together with columnList.
const (
	FileName Column = iota + 1
	FolderPath
	SHA1
	SHA256
	MD5
	FileSize
	ProcessID
	ProcessCommandLine
	ProcessCreationTime
	ProcessTokenElevation
	ProcessIntegrityLevel
	AccountDomain
	AccountName
	AccountSID
	LogonID
	InitiatingProcessSHA1
	InitiatingProcessSHA256
	InitiatingProcessMD5
	InitiatingProcessFileName
	InitiatingProcessFileSize
	InitiatingProcessFolderPath
	InitiatingProcessID
	InitiatingProcessCommandLine
	InitiatingProcessCreationTime
	InitiatingProcessAccountDomain
	InitiatingProcessAccountName
	InitiatingProcessAccountSID
	InitiatingProcessParentID
	InitiatingProcessParentFileName
	InitiatingProcessParentCreationTime
	InitiatingProcessLogonID
	InitiatingProcessIntegrityLevel
	InitiatingProcessTokenElevation
	RemoteIP
	RemotePort
	RemoteURL
	LocalIP
	LocalPort
	Protocol
	LocalIPType
	RemoteIPType
	PreviousFolderPath
	PreviousFileName
	LogonType
	FailureReason
	IsLocalAdmin
	RemoteDeviceName
	AdditionalFields
	InitiatingProcessSessionID
	IsInitiatingProcessRemoteSession
	InitiatingProcessRemoteSessionIP
	// ProcessExitCode and what follows are Picket's own; hunting shows them
	// within AdditionalFields.
	ProcessExitCode
	ContainerID
	Interpreter    // the program that ran a script
	EventCount     // how many like it this one event stands for
	LostKind       // of SensorEventsLost: the kind that lost some
	LostFrom       // first number that is missing
	LostTo         // last number that is missing
	Reason         // why
	TaskName       // of scheduled tasks
	ServiceName    //
	PackageName    //
	PackageVersion //
	GroupName      //
	Source         // the sensor's source: ebpf, proc connector, /proc …
	columnEnd
)

type columnRow struct {
	name string
	typ  Type
	own  bool // Picket's own
}

var columnList = [columnEnd]columnRow{
	FileName:                            {"FileName", String, false},
	FolderPath:                          {"FolderPath", String, false},
	SHA1:                                {"SHA1", String, false},
	SHA256:                              {"SHA256", String, false},
	MD5:                                 {"MD5", String, false},
	FileSize:                            {"FileSize", Long, false},
	ProcessID:                           {"ProcessId", Long, false},
	ProcessCommandLine:                  {"ProcessCommandLine", String, false},
	ProcessCreationTime:                 {"ProcessCreationTime", Time, false},
	ProcessTokenElevation:               {"ProcessTokenElevation", String, false},
	ProcessIntegrityLevel:               {"ProcessIntegrityLevel", String, false},
	AccountDomain:                       {"AccountDomain", String, false},
	AccountName:                         {"AccountName", String, false},
	AccountSID:                          {"AccountSid", String, false},
	LogonID:                             {"LogonId", Long, false},
	InitiatingProcessSHA1:               {"InitiatingProcessSHA1", String, false},
	InitiatingProcessSHA256:             {"InitiatingProcessSHA256", String, false},
	InitiatingProcessMD5:                {"InitiatingProcessMD5", String, false},
	InitiatingProcessFileName:           {"InitiatingProcessFileName", String, false},
	InitiatingProcessFileSize:           {"InitiatingProcessFileSize", Long, false},
	InitiatingProcessFolderPath:         {"InitiatingProcessFolderPath", String, false},
	InitiatingProcessID:                 {"InitiatingProcessId", Long, false},
	InitiatingProcessCommandLine:        {"InitiatingProcessCommandLine", String, false},
	InitiatingProcessCreationTime:       {"InitiatingProcessCreationTime", Time, false},
	InitiatingProcessAccountDomain:      {"InitiatingProcessAccountDomain", String, false},
	InitiatingProcessAccountName:        {"InitiatingProcessAccountName", String, false},
	InitiatingProcessAccountSID:         {"InitiatingProcessAccountSid", String, false},
	InitiatingProcessParentID:           {"InitiatingProcessParentId", Long, false},
	InitiatingProcessParentFileName:     {"InitiatingProcessParentFileName", String, false},
	InitiatingProcessParentCreationTime: {"InitiatingProcessParentCreationTime", Time, false},
	InitiatingProcessLogonID:            {"InitiatingProcessLogonId", Long, false},
	InitiatingProcessIntegrityLevel:     {"InitiatingProcessIntegrityLevel", String, false},
	InitiatingProcessTokenElevation:     {"InitiatingProcessTokenElevation", String, false},
	RemoteIP:                            {"RemoteIP", String, false},
	RemotePort:                          {"RemotePort", Int, false},
	RemoteURL:                           {"RemoteUrl", String, false},
	LocalIP:                             {"LocalIP", String, false},
	LocalPort:                           {"LocalPort", Int, false},
	Protocol:                            {"Protocol", String, false},
	LocalIPType:                         {"LocalIPType", String, false},
	RemoteIPType:                        {"RemoteIPType", String, false},
	PreviousFolderPath:                  {"PreviousFolderPath", String, false},
	PreviousFileName:                    {"PreviousFileName", String, false},
	LogonType:                           {"LogonType", String, false},
	FailureReason:                       {"FailureReason", String, false},
	IsLocalAdmin:                        {"IsLocalAdmin", Bool, false},
	RemoteDeviceName:                    {"RemoteDeviceName", String, false},
	AdditionalFields:                    {"AdditionalFields", Dynamic, false},
	InitiatingProcessSessionID:          {"InitiatingProcessSessionId", Long, false},
	IsInitiatingProcessRemoteSession:    {"IsInitiatingProcessRemoteSession", Bool, false},
	InitiatingProcessRemoteSessionIP:    {"InitiatingProcessRemoteSessionIP", String, false},
	ProcessExitCode:                     {"ProcessExitCode", Long, true},
	ContainerID:                         {"ContainerId", String, true},
	Interpreter:                         {"Interpreter", String, true},
	EventCount:                          {"EventCount", Long, true},
	LostKind:                            {"LostKind", String, true},
	LostFrom:                            {"LostFrom", Long, true},
	LostTo:                              {"LostTo", Long, true},
	Reason:                              {"Reason", String, true},
	TaskName:                            {"TaskName", String, true},
	ServiceName:                         {"ServiceName", String, true},
	PackageName:                         {"PackageName", String, true},
	PackageVersion:                      {"PackageVersion", String, true},
	GroupName:                           {"GroupName", String, true},
	Source:                              {"Source", String, true},
}

// Valid reports whether the column is in the catalogue.
func (c Column) Valid() bool { return c > 0 && c < columnEnd }

// String is the column's name in hunting.
func (c Column) String() string { return columnList[c].name }

// Type is the type of the column's values.
func (c Column) Type() Type { return columnList[c].typ }

// Own reports whether the column is Picket's own: hunting shows it within
// AdditionalFields.
func (c Column) Own() bool { return columnList[c].own }

func (c Column) text() bool { return columnList[c].typ == String || columnList[c].typ == Dynamic }

// Columns yields every column.
func Columns(yield func(Column) bool) {
	for c := Column(1); c < columnEnd; c++ {
		if !yield(c) {
			return
		}
	}
}

// ColumnOf returns the column with a name, whatever its case.
func ColumnOf(name string) (Column, bool) {
	for c := range Columns {
		if strings.EqualFold(columnList[c].name, name) {
			return c, true
		}
	}
	return 0, false
}
