package respond

import "time"

// Questions are what an investigation examines.
type Questions struct {
	Files     []string // absolute paths
	Processes []ProcessKey
	Addresses []string
}

// ProcessKey names a process; its beginning tells it from another one that got its number.
type ProcessKey struct {
	PID   int64
	Began time.Time // zero: not known
}

// Findings are what an investigation found. Nothing of it is judged.
type Findings struct {
	Engine      string // of the scanner: name and version
	Database    string
	Signatures  time.Time
	NoEngine    string         // why files were not scanned
	Files       []FileFacts    // that were asked for, in their order; then what was found on the way
	Processes   []ProcessFacts // that were asked for, in their order
	Connections []Connection   // to addresses that were asked for
	Starts      []Start
	More        int    // facts beyond the limits
	Ended       string // "" when all was examined, else by what it ended
}

// FileFacts is a file as it is now.
type FileFacts struct {
	Path      string
	Trouble   string // why it was not examined
	Gone      bool
	Target    string // what the path leads to, when that is another one
	Size      int64
	Mode      string
	Owner     string
	Changed   time.Time
	SHA256    string
	Package   string // with its version
	Integrity string // Same, Different or NotCompared; "": no package has it
	Config    bool   // the package expects that people change it
	NoPackage string // why packages were not asked
	Scanned   bool
	Signature string
	NotScan   string
}

// What the integrity of a file can be.
const (
	Same        = "same"
	Different   = "different"
	NotCompared = "unknown"
)

// ProcessFacts is a process as it is now.
type ProcessFacts struct {
	ProcessKey
	Trouble     string
	Gone        bool
	Name        string
	Program     string
	Deleted     bool
	SHA256      string
	User        string
	Parent      int64
	Command     string
	Children    []Child
	Connections []Connection
	More        int
}

// Child is a process that another one started.
type Child struct {
	PID     int64
	Name    string
	Program string
}

// Connection is a connection that is open.
type Connection struct {
	Protocol string
	Local    string
	Remote   string
	State    string
	PID      int64
	Name     string
}

// Start is a line by which something that was examined is started.
type Start struct {
	Place string
	Line  string
	File  string
}
