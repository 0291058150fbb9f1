package protocol

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"path"
	"time"
)

// TaskInvestigate is the kind of an Investigate.
const TaskInvestigate = "investigate"

// The limits of investigations.
const (
	MaxExamined      = 64        // files, processes and addresses in one Investigate, of each
	MaxFileFacts     = 256       // files in one result
	MaxStarts        = 64        // places from which something is started
	MaxConnections   = 256       // connections to addresses in one result
	MaxRelated       = 32        // children, and connections, of one process
	MaxCommand       = 1000      // bytes of a command line
	MaxInvestigation = 600 << 10 // bytes of a result as JSON
)

// Investigate asks the agent to examine files, processes and addresses of its host,
// and what starts them. It reads only.
type Investigate struct {
	ID        string       `json:"id"`
	Files     []string     `json:"files,omitempty"` // absolute paths
	Processes []ProcessKey `json:"processes,omitempty"`
	Addresses []string     `json:"addresses,omitempty"`
}

// ProcessKey names a process: a number alone is given to another one later.
type ProcessKey struct {
	PID   int64     `json:"pid"`
	Began time.Time `json:"began,omitzero"` // host clock; zero: not known
}

// InvestigationResult is what an agent found. Texts are the host's.
type InvestigationResult struct {
	Engine      string         `json:"engine,omitempty"` // name and version of the scanner
	Database    string         `json:"database,omitempty"`
	Signatures  time.Time      `json:"signatures,omitzero"`
	NoEngine    string         `json:"no_engine,omitempty"`   // why files were not scanned
	Files       []FileFacts    `json:"files,omitempty"`       // that were asked for, programs of processes, and places of Starts
	Processes   []ProcessFacts `json:"processes,omitempty"`   // that were asked for
	Connections []Connection   `json:"connections,omitempty"` // to addresses that were asked for
	Starts      []Start        `json:"starts,omitempty"`
	More        int            `json:"more,omitempty"`  // facts beyond the limits
	Ended       string         `json:"ended,omitempty"` // "" when all was examined, else by what it ended
}

// FileFacts is a file as it is now.
type FileFacts struct {
	Path    string    `json:"path"`
	Trouble string    `json:"trouble,omitempty"` // why it was not examined
	Gone    bool      `json:"gone,omitempty"`
	Target  string    `json:"target,omitempty"` // what the path leads to, when that is another one
	Size    int64     `json:"size,omitempty"`
	Mode    string    `json:"mode,omitempty"` // as ls writes it
	Owner   string    `json:"owner,omitempty"`
	Changed time.Time `json:"changed,omitzero"` // of its contents
	SHA256  string    `json:"sha256,omitempty"`

	Package   string `json:"package,omitempty"` // with its version
	Integrity string `json:"integrity,omitempty" enum:"same,different,unknown," doc:"How it stands to the checksum that the host's package database has; left out: no package has it."`
	Config    bool   `json:"config,omitempty"`      // the package expects that people change it
	NoPackage string `json:"no_package,omitempty"`  // why packages were not asked
	Scanned   bool   `json:"scanned,omitempty"`     // the scanner looked at it
	Signature string `json:"signature,omitempty"`   // what it found
	NotScan   string `json:"not_scanned,omitempty"` // why it did not look
}

// ProcessFacts is a process as it is now.
type ProcessFacts struct {
	ProcessKey
	Trouble     string       `json:"trouble,omitempty"`
	Gone        bool         `json:"gone,omitempty"` // it has ended; another one may have its number
	Name        string       `json:"name,omitempty"`
	Program     string       `json:"program,omitempty"` // path of the file that it runs
	Deleted     bool         `json:"deleted,omitempty"` // that file is deleted
	SHA256      string       `json:"sha256,omitempty"`  // of what it runs, also when that is deleted
	User        string       `json:"user,omitempty"`
	Parent      int64        `json:"parent,omitempty"`
	Command     string       `json:"command,omitempty"`
	Children    []Child      `json:"children,omitempty"`
	Connections []Connection `json:"connections,omitempty"`
	More        int          `json:"more,omitempty"` // children and connections beyond the limits
}

// Child is a process that another one started and that still runs.
type Child struct {
	PID     int64  `json:"pid"`
	Name    string `json:"name"`
	Program string `json:"program,omitempty"`
}

// Connection is a connection that is open now.
type Connection struct {
	Protocol string `json:"protocol"`
	Local    string `json:"local"`
	Remote   string `json:"remote"`
	State    string `json:"state,omitempty"`
	PID      int64  `json:"pid,omitempty"`
	Name     string `json:"name,omitempty"`
}

// Start is a line of a file by which something that was examined is started: of a
// timetable, of a service, of a shell's profile.
type Start struct {
	Place string `json:"place"` // the file
	Line  string `json:"line"`
	File  string `json:"file"` // what it starts
}

// checkInvestigate says what is wrong with an order, nil if nothing.
func checkInvestigate(m *Investigate) error {
	if len(m.Files) > MaxExamined || len(m.Processes) > MaxExamined || len(m.Addresses) > MaxExamined {
		return fmt.Errorf("%d files, %d processes and %d addresses to examine, at most %d of each", len(m.Files), len(m.Processes), len(m.Addresses), MaxExamined)
	}
	for _, f := range m.Files {
		if !path.IsAbs(f) || len(f) > MaxPath {
			return fmt.Errorf("%.40q is no absolute path of at most %d bytes", f, MaxPath)
		}
	}
	for _, a := range m.Addresses {
		if _, err := netip.ParseAddr(a); err != nil {
			return fmt.Errorf("%.60q is no address", a)
		}
	}
	return nil
}

// checkInvestigation says what is wrong with a result that arrived, nil if nothing.
func checkInvestigation(id string, r *InvestigationResult) error {
	if len(r.Files) > MaxFileFacts || len(r.Processes) > MaxExamined || len(r.Connections) > MaxConnections || len(r.Starts) > MaxStarts || r.More < 0 {
		return fmt.Errorf("task %s: %d files, %d processes, %d connections and %d starts are more than the limits", id, len(r.Files), len(r.Processes), len(r.Connections), len(r.Starts))
	}
	if len(r.Engine) > MaxText || len(r.Database) > MaxText || len(r.NoEngine) > MaxSentence || len(r.Ended) > MaxSentence {
		return fmt.Errorf("task %s: over-long words about its investigation", id)
	}
	for i := range r.Files {
		f := &r.Files[i]
		switch {
		case len(f.Path) > MaxPath || len(f.Target) > MaxPath || len(f.Mode) > MaxText || len(f.Owner) > MaxText || len(f.Package) > MaxText || len(f.Signature) > MaxSignature ||
			len(f.Trouble) > MaxSentence || len(f.NotScan) > MaxSentence || len(f.NoPackage) > MaxSentence || f.Size < 0:
			return fmt.Errorf("task %s: a file with over-long texts", id)
		case f.SHA256 != "" && !isHash(f.SHA256):
			return fmt.Errorf("task %s: a file with a wrong hash", id)
		case f.Integrity != "" && f.Integrity != "same" && f.Integrity != "different" && f.Integrity != "unknown":
			return fmt.Errorf("task %s: integrity %.40q is not known", id, f.Integrity)
		}
	}
	for i := range r.Processes {
		p := &r.Processes[i]
		if len(p.Children) > MaxRelated || len(p.Connections) > MaxRelated || len(p.Name) > MaxText || len(p.Program) > MaxPath || len(p.User) > MaxText || len(p.Command) > MaxCommand ||
			len(p.Trouble) > MaxSentence || p.SHA256 != "" && !isHash(p.SHA256) || p.More < 0 {
			return fmt.Errorf("task %s: a process with over-long texts or lists", id)
		}
		for _, c := range p.Children {
			if len(c.Name) > MaxText || len(c.Program) > MaxPath {
				return fmt.Errorf("task %s: a child with over-long texts", id)
			}
		}
		if err := checkConnections(id, p.Connections); err != nil {
			return err
		}
	}
	for _, s := range r.Starts {
		if len(s.Place) > MaxPath || len(s.File) > MaxPath || len(s.Line) > MaxCommand {
			return fmt.Errorf("task %s: a start with over-long texts", id)
		}
	}
	return checkConnections(id, r.Connections)
}

func checkConnections(id string, list []Connection) error {
	for _, c := range list {
		if len(c.Protocol) > MaxText || len(c.Local) > MaxText || len(c.Remote) > MaxText || len(c.State) > MaxText || len(c.Name) > MaxText {
			return fmt.Errorf("task %s: a connection with over-long texts", id)
		}
	}
	return nil
}

// ClampInvestigation cuts a result down to the limits of the protocol; what goes is
// counted in More.
func ClampInvestigation(r *InvestigationResult) {
	r.Engine, r.Database, r.NoEngine, r.Ended = cut(r.Engine, MaxText), cut(r.Database, MaxText), Sentence(r.NoEngine), Sentence(r.Ended)
	r.Files, r.More = most(r.Files, MaxFileFacts, r.More)
	r.Processes, r.More = most(r.Processes, MaxExamined, r.More)
	r.Connections, r.More = most(r.Connections, MaxConnections, r.More)
	r.Starts, r.More = most(r.Starts, MaxStarts, r.More)
	for i := range r.Files {
		f := &r.Files[i]
		f.Path, f.Target, f.Mode, f.Owner, f.Package = cut(f.Path, MaxPath), cut(f.Target, MaxPath), cut(f.Mode, MaxText), cut(f.Owner, MaxText), cut(f.Package, MaxText)
		f.Signature, f.Trouble, f.NotScan, f.NoPackage = cut(f.Signature, MaxSignature), Sentence(f.Trouble), Sentence(f.NotScan), Sentence(f.NoPackage)
	}
	for i := range r.Processes {
		p := &r.Processes[i]
		p.Name, p.Program, p.User, p.Command, p.Trouble = cut(p.Name, MaxText), cut(p.Program, MaxPath), cut(p.User, MaxText), cut(p.Command, MaxCommand), Sentence(p.Trouble)
		p.Children, p.More = most(p.Children, MaxRelated, p.More)
		p.Connections, p.More = most(p.Connections, MaxRelated, p.More)
		for j := range p.Children {
			p.Children[j].Name, p.Children[j].Program = cut(p.Children[j].Name, MaxText), cut(p.Children[j].Program, MaxPath)
		}
		clampConnections(p.Connections)
	}
	for i := range r.Starts {
		s := &r.Starts[i]
		s.Place, s.File, s.Line = cut(s.Place, MaxPath), cut(s.File, MaxPath), cut(s.Line, MaxCommand)
	}
	clampConnections(r.Connections)
	for size(r) > MaxInvestigation { // long paths: what was only found on the way goes first
		switch n := r.More; {
		case len(r.Starts) > 0:
			r.Starts, r.More = most(r.Starts, len(r.Starts)/2, n)
		case len(r.Connections) > 0:
			r.Connections, r.More = most(r.Connections, len(r.Connections)/2, n)
		case len(r.Files) > len(r.Processes):
			r.Files, r.More = most(r.Files, len(r.Files)-8, n)
		case len(r.Processes) > 0:
			r.Processes, r.More = most(r.Processes, len(r.Processes)-1, n)
		default:
			return
		}
	}
}

func most[T any](list []T, n, more int) ([]T, int) {
	n = max(n, 0)
	if len(list) <= n {
		return list, more
	}
	return list[:n], more + len(list) - n
}

func clampConnections(list []Connection) {
	for i := range list {
		c := &list[i]
		c.Protocol, c.Local, c.Remote, c.State, c.Name = cut(c.Protocol, MaxText), cut(c.Local, MaxText), cut(c.Remote, MaxText), cut(c.State, MaxText), cut(c.Name, MaxText)
	}
}

func size(r *InvestigationResult) int {
	raw, err := json.Marshal(r)
	if err != nil {
		return 0
	}
	return len(raw)
}
