package protocol

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

const someTask = "0123abcd-4567-89ef-0123-456789abcdef"

// scanned is the end of a scan that found something.
func scanned() *TaskState {
	return &TaskState{ID: someTask, State: TaskSucceeded, Started: time.Unix(1, 0).UTC(), Ended: time.Unix(2, 0).UTC(), Result: &TaskResult{Scan: &ScanResult{
		Engine: "ClamAV 1.0", Database: "27000", Signatures: time.Unix(0, 0).UTC(), Files: 12, Skipped: []Skipped{{Reason: "too large", Files: 1}},
		Detections: []Detection{{Path: "/tmp/x", Signature: "Eicar", SHA256: strings.Repeat("a", hashLen)}}}}}
}

func TestTaskLimits(t *testing.T) {
	if err := CheckTaskState(scanned()); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", MaxPath+1)
	for name, spoil := range map[string]func(*TaskState){
		"id":            func(s *TaskState) { s.ID = "../../etc/passwd" },
		"id in capital": func(s *TaskState) { s.ID = strings.ToUpper(someTask) },
		"state":         func(s *TaskState) { s.State = "done" },
		"detail":        func(s *TaskState) { s.Detail = long },
		"engine":        func(s *TaskState) { s.Result.Scan.Engine = long },
		"end":           func(s *TaskState) { s.Result.Scan.Ended = long },
		"count":         func(s *TaskState) { s.Result.Scan.Files = 1 << 63 },
		"more":          func(s *TaskState) { s.Result.Scan.More = -1 },
		"detections":    func(s *TaskState) { s.Result.Scan.Detections = make([]Detection, MaxDetections+1) },
		"reasons":       func(s *TaskState) { s.Result.Scan.Skipped = make([]Skipped, MaxSkipped+1) },
		"reason":        func(s *TaskState) { s.Result.Scan.Skipped[0].Reason = long },
		"path":          func(s *TaskState) { s.Result.Scan.Detections[0].Path = long },
		"signature":     func(s *TaskState) { s.Result.Scan.Detections[0].Signature = long },
		"hash":          func(s *TaskState) { s.Result.Scan.Detections[0].SHA256 = "a" },
		"package size": func(s *TaskState) {
			s.Result.Package = &PackageResult{Bytes: MaxPackage + 1, SHA256: strings.Repeat("a", hashLen)}
		},
		"package hash": func(s *TaskState) { s.Result.Package = &PackageResult{} },
	} {
		s := scanned()
		if spoil(s); CheckTaskState(s) == nil {
			t.Errorf("%s: passes", name)
		}
	}
	for name, r := range map[string]Response{
		"abilities": {Can: make([]Ability, MaxAbilities+1)},
		"kind":      {Can: []Ability{{Kind: long}}},
		"reason":    {Can: []Ability{{Kind: TaskScan, Reason: long}}},
		"task":      {Isolation: Isolation{Task: "x"}},
		"cause":     {Isolation: Isolation{Cause: long}},
	} {
		if CheckResponse(&r) == nil {
			t.Errorf("response with %s passes", name)
		}
	}
	for name, m := range map[string]*Message{"nothing": {Nudge: &Nudge{}}, "id": {Collect: &Collect{ID: "1"}}, "extent": {Scan: &Scan{ID: someTask, Extent: "all"}}} {
		if CheckTask(m) == nil {
			t.Errorf("task with wrong %s passes", name)
		}
	}
}

// What is cut down passes, and says what was cut.
func TestClampScan(t *testing.T) {
	s := scanned()
	r := s.Result.Scan
	long := strings.Repeat("ä", MaxPath)
	for range MaxDetections + 6 {
		r.Detections = append(r.Detections, Detection{Path: long, Signature: long, SHA256: "none"})
	}
	for range MaxSkipped + 3 {
		r.Skipped = append(r.Skipped, Skipped{Reason: long, Files: 2})
	}
	r.Engine, r.Database, r.Ended = long, long, long
	ClampScan(r)
	if err := CheckTaskState(s); err != nil {
		t.Error(err)
	}
	last := r.Skipped[len(r.Skipped)-1]
	if r.More != 7 || len(r.Skipped) != MaxSkipped || last != (Skipped{Reason: "other reasons", Files: 10}) || !utf8.ValidString(r.Engine) {
		t.Errorf("%d more detections, %d reasons, the last %+v", r.More, len(r.Skipped), last)
	}
	if diff := cmp.Diff("a b c", Sentence("a\nb\x1bc")); diff != "" {
		t.Error(diff)
	}
	if s := Sentence(strings.Repeat("ä", MaxSentence)); len(s) > MaxSentence || !utf8.ValidString(s) {
		t.Errorf("%d bytes", len(s))
	}
}
