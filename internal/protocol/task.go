package protocol

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The kinds of tasks: what a server asks an agent to do on its host.
const (
	TaskCollect = "collect" // an investigation package
	TaskScan    = "scan"    // a scan for malware
	TaskIsolate = "isolate" // cut the host off from everything but the server
	TaskRelease = "release" // end that
)

// TaskKinds are the kinds of tasks that this version knows.
var TaskKinds = []string{TaskCollect, TaskScan, TaskIsolate, TaskRelease, TaskInvestigate}

// The extents of a Scan.
const (
	ScanQuick = "quick" // where malware is likely
	ScanFull  = "full"  // every local file system
)

// The states of a task. All but TaskRunning are final.
const (
	TaskRunning   = "in_progress"
	TaskSucceeded = "succeeded"
	TaskFailed    = "failed"
	TaskCancelled = "cancelled"
)

// Collect asks for an investigation package: the agent makes it, uploads it by
// PUT PackagePath+ID, and then says TaskSucceeded.
type Collect struct {
	ID string `json:"id"`
}

// Scan asks for a scan of the host for malware.
type Scan struct {
	ID     string `json:"id"`
	Extent string `json:"extent"` // ScanQuick or ScanFull
}

// Isolate cuts the host off from everything but the server. An agent that has
// isolated its host already takes the new end.
type Isolate struct {
	ID    string    `json:"id"`
	Until time.Time `json:"until,omitzero"` // it ends by itself then, on the server's clock; zero: it does not
}

// Release ends the isolation of the host. It succeeds where there is none.
type Release struct {
	ID string `json:"id"`
}

// CancelTask takes a task back. An agent that has not begun never does; one that
// collects, scans or investigates stops. It answers with the TaskState that it comes to,
// TaskCancelled also for a task that it never heard of.
type CancelTask struct {
	ID string `json:"id"`
}

// TaskState says how a task fares. The agent sends it again, in this session and
// in later ones, until an Ack names it; the server acknowledges only what is on
// its disk. An agent that is sent a task again does not do it twice, it sends the
// state that it is in.
type TaskState struct {
	ID      string      `json:"id"`
	State   string      `json:"state"`
	Detail  string      `json:"detail,omitempty"` // a sentence: why it failed, or how far it is
	Result  *TaskResult `json:"result,omitempty"`
	Started time.Time   `json:"started,omitzero"` // host clock
	Ended   time.Time   `json:"ended,omitzero"`   // of a final state
}

// TaskAck is a TaskState that is durable on the server.
type TaskAck struct {
	ID    string `json:"id"`
	State string `json:"state"`
}

// TaskResult is what came of a task: the field of its kind is set.
type TaskResult struct {
	Package *PackageResult `json:"package,omitempty"`
	Scan    *ScanResult    `json:"scan,omitempty"`

	Investigation *InvestigationResult `json:"investigation,omitempty"`
}

// PackageResult is what an investigation package holds.
type PackageResult struct {
	Bytes   int64  `json:"bytes"`
	SHA256  string `json:"sha256"`
	Items   int    `json:"items"`            // that were looked at
	Missing int    `json:"missing"`          // of them, could not be had or were cut short
	Note    string `json:"note,omitempty"`   // a sentence on what is missing
	System  string `json:"system,omitempty"` // operating system in words
}

// ScanResult is what a scan found.
type ScanResult struct {
	Engine     string      `json:"engine"`               // name and version
	Database   string      `json:"database,omitempty"`   // version of its signatures
	Signatures time.Time   `json:"signatures,omitzero"`  // when they were made
	Files      uint64      `json:"files"`                // looked at
	Bytes      uint64      `json:"bytes,omitempty"`      // of them
	Skipped    []Skipped   `json:"skipped,omitempty"`    // files that were not looked at
	Detections []Detection `json:"detections,omitempty"` // at most MaxDetections
	More       int         `json:"more,omitempty"`       // further detections, beyond those
	Ended      string      `json:"ended,omitempty"`      // "" when it came to its end, else by what it ended
}

// Skipped counts files that a scan did not look at.
type Skipped struct {
	Reason string `json:"reason"`
	Files  uint64 `json:"files"`
}

// Detection is a file in which a scan found something.
type Detection struct {
	Path      string `json:"path"`
	Signature string `json:"signature"`
	SHA256    string `json:"sha256,omitempty"` // "" when the file was gone or could not be read
}

// Response is how a host stands to tasks. It is in Hello, and an agent sends it
// again when it changes. It is what the host says of itself: a host that does
// not say that it can do a kind is never asked to.
type Response struct {
	Can       []Ability `json:"can,omitempty"`
	Isolation Isolation `json:"isolation,omitzero"`
}

// Ability says of a kind of task that the host can do it, or why it cannot.
type Ability struct {
	Kind   string `json:"kind"`
	Reason string `json:"reason,omitempty"` // a sentence: why it cannot; "" when it can
}

// Isolation is whether a host is cut off now.
type Isolation struct {
	On       bool      `json:"on,omitempty"`
	Since    time.Time `json:"since,omitzero"`    // of the state that it is in; host clock
	Until    time.Time `json:"until,omitzero"`    // it ends by itself then
	Task     string    `json:"task,omitempty"`    // id of the task that it follows from, "" when none
	Cause    string    `json:"cause,omitempty"`   // why it is off, when no task ended it: its time, root on the host, the server out of reach
	Repaired uint64    `json:"repaired,omitzero"` // how often its rules were gone and put back
}

// ValidTask reports whether a text has the form of the id of a task: 32
// lower-case hexadecimal digits in groups of 8, 4, 4, 4 and 12 with hyphens between.
func ValidTask(id string) bool {
	if len(id) != taskIDLen {
		return false
	}
	for i, c := range []byte(id) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// Task is the kind and the id of the task that a message asks for; false when it asks for none.
func (m *Message) Task() (kind, id string, ok bool) {
	switch {
	case m.Collect != nil:
		return TaskCollect, m.Collect.ID, true
	case m.Scan != nil:
		return TaskScan, m.Scan.ID, true
	case m.Isolate != nil:
		return TaskIsolate, m.Isolate.ID, true
	case m.Release != nil:
		return TaskRelease, m.Release.ID, true
	case m.Investigate != nil:
		return TaskInvestigate, m.Investigate.ID, true
	}
	return "", "", false
}

// CheckTask says what is wrong with a message that asks for a task, nil if nothing.
func CheckTask(m *Message) error {
	_, id, ok := m.Task()
	switch {
	case !ok:
		return errors.New("the message asks for no task")
	case !ValidTask(id):
		return fmt.Errorf("task id %.40q is not 128 bits in hexadecimal groups", id)
	case m.Scan != nil && m.Scan.Extent != ScanQuick && m.Scan.Extent != ScanFull:
		return fmt.Errorf("extent %.40q of a scan is not known", m.Scan.Extent)
	case m.Investigate != nil:
		return checkInvestigate(m.Investigate)
	}
	return nil
}

// CheckTaskState says what is wrong with a state that arrived, nil if nothing. A
// state that passes has bounded sizes.
func CheckTaskState(t *TaskState) error {
	switch {
	case !ValidTask(t.ID):
		return fmt.Errorf("task id %.40q is not 128 bits in hexadecimal groups", t.ID)
	case t.State != TaskRunning && t.State != TaskSucceeded && t.State != TaskFailed && t.State != TaskCancelled:
		return fmt.Errorf("task %s: state %.40q is not known", t.ID, t.State)
	case len(t.Detail) > MaxSentence:
		return fmt.Errorf("task %s: detail of %d bytes, at most %d", t.ID, len(t.Detail), MaxSentence)
	case t.Result == nil:
		return nil
	}
	if p := t.Result.Package; p != nil {
		if p.Bytes < 0 || p.Bytes > MaxPackage || p.Items < 0 || p.Missing < 0 || !isHash(p.SHA256) || len(p.Note) > MaxSentence || len(p.System) > MaxText {
			return fmt.Errorf("task %s: its package is described with impossible values", t.ID)
		}
	}
	if s := t.Result.Scan; s != nil {
		if err := checkScan(t.ID, s); err != nil {
			return err
		}
	}
	if r := t.Result.Investigation; r != nil {
		return checkInvestigation(t.ID, r)
	}
	return nil
}

func checkScan(id string, s *ScanResult) error {
	if len(s.Engine) > MaxText || len(s.Database) > MaxText || len(s.Ended) > MaxSentence || s.Files > maxCount || s.Bytes > maxCount || s.More < 0 {
		return fmt.Errorf("task %s: its scan is described with impossible values", id)
	}
	if len(s.Skipped) > MaxSkipped || len(s.Detections) > MaxDetections {
		return fmt.Errorf("task %s: %d reasons and %d detections, at most %d and %d", id, len(s.Skipped), len(s.Detections), MaxSkipped, MaxDetections)
	}
	for _, k := range s.Skipped {
		if len(k.Reason) > MaxText || k.Files > maxCount {
			return fmt.Errorf("task %s: over-long reason for skipped files", id)
		}
	}
	for _, d := range s.Detections {
		if len(d.Path) > MaxPath || len(d.Signature) > MaxSignature || d.SHA256 != "" && !isHash(d.SHA256) {
			return fmt.Errorf("task %s: a detection with an over-long text or a wrong hash", id)
		}
	}
	return nil
}

// CheckResponse says what is wrong with what a host says of tasks, nil if nothing.
func CheckResponse(r *Response) error {
	if len(r.Can) > MaxAbilities {
		return fmt.Errorf("%d abilities, at most %d", len(r.Can), MaxAbilities)
	}
	for _, a := range r.Can {
		if len(a.Kind) > MaxText || len(a.Reason) > MaxSentence {
			return errors.New("over-long ability")
		}
	}
	if i := &r.Isolation; i.Task != "" && !ValidTask(i.Task) || len(i.Cause) > MaxSentence || i.Repaired > maxCount {
		return errors.New("impossible values in the isolation of the host")
	}
	return nil
}

// Sentence makes text one that CheckTaskState takes: printable, on one line, at
// most MaxSentence bytes.
func Sentence(text string) string {
	text = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	if len(text) <= MaxSentence {
		return text
	}
	cut := MaxSentence
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut]
}

// ClampScan cuts a result down to the limits of the protocol; detections beyond
// them are counted in More.
func ClampScan(s *ScanResult) {
	s.Engine, s.Database, s.Ended = cut(s.Engine, MaxText), cut(s.Database, MaxText), Sentence(s.Ended)
	if n := len(s.Detections) - MaxDetections; n > 0 {
		s.Detections, s.More = s.Detections[:MaxDetections], s.More+n
	}
	for i := range s.Detections {
		d := &s.Detections[i]
		d.Path, d.Signature = cut(d.Path, MaxPath), cut(d.Signature, MaxSignature)
		if !isHash(d.SHA256) {
			d.SHA256 = ""
		}
	}
	if len(s.Skipped) > MaxSkipped {
		rest := Skipped{Reason: "other reasons"}
		for _, k := range s.Skipped[MaxSkipped-1:] {
			rest.Files += k.Files
		}
		s.Skipped = append(s.Skipped[:MaxSkipped-1:MaxSkipped-1], rest)
	}
	for i := range s.Skipped {
		s.Skipped[i].Reason = cut(s.Skipped[i].Reason, MaxText)
	}
}

// cut shortens a text to at most n bytes of whole characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
