package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/picketsec/picket/internal/protocol"
)

// hand does on this host what tasks ask for.
type hand interface {
	// can names the kinds of tasks that the host knows: "" where it can do one,
	// else why not, in a sentence.
	can() map[string]string
	// do carries out a task and returns when it is done. A package goes to pack;
	// progress may be told a sentence on how far it is. ctx ends when the task is
	// cancelled or the agent stops.
	do(ctx context.Context, t task, pack io.Writer, progress func(string)) (*protocol.TaskResult, error)
	// isolation is whether the host is cut off now.
	isolation() protocol.Isolation
}

// task is what a message of the server asks for.
type task struct {
	Kind   string    `json:"kind"`
	ID     string    `json:"id"`
	Extent string    `json:"extent,omitempty"` // of a scan
	Until  time.Time `json:"until,omitzero"`   // of an isolation, on the server's clock

	Ask *protocol.Investigate `json:"ask,omitempty"` // what an investigation examines
}

// taskRecord is a task as the journal keeps it: a file of its own, on disk before
// anything of the task is done.
type taskRecord struct {
	task
	N      uint64             `json:"n"` // order of arrival
	Got    time.Time          `json:"got"`
	State  protocol.TaskState `json:"state"`            // the last; without a state: not begun
	Acked  bool               `json:"acked,omitempty"`  // that state is durable on the server
	Packed bool               `json:"packed,omitempty"` // the package is whole on disk: it only has to go

	asked int       // how often the server asked for the state since it was sent
	told  time.Time // when its progress was told last
}

func (r *taskRecord) final() bool {
	return r.State.State != "" && r.State.State != protocol.TaskRunning
}

const (
	taskDir      = "tasks"
	uploadDir    = "uploads"
	tasksVersion = 4 // first protocol in which tasks travel
	mostTasks    = 64
	maxTaskFile  = 1 << 20
	taskMemory   = 14 * 24 * time.Hour // of tasks that have ended and that the server knows of
	responseLook = time.Minute         // between looks at what the host can do
)

// lanes are tasks of which one runs at a time, in their order. Isolation and its
// end are one lane: the last decides.
var lanes = map[string]string{protocol.TaskCollect: "collect", protocol.TaskScan: "scan", protocol.TaskIsolate: "isolate", protocol.TaskRelease: "isolate", protocol.TaskInvestigate: "investigate"}

var errCancelled = errors.New("cancelled")

const (
	interrupted   = "Interrupted: the agent stopped while it was at it. Ask again."
	progressEvery = 5 * time.Second
)

// taskBook is the journal of tasks, and runs them. What it says of a task
// survives a crash at any moment: a task is begun at most once, but for isolation
// and its end, which are applied again because twice is as once.
type taskBook struct {
	state *stateDir
	hand  hand
	log   *slog.Logger
	send  func(ctx context.Context, id string, result *protocol.PackageResult) error // uploads a package
	ident atomic.Pointer[identity]                                                   // that of the session; nil: there was none yet

	changed chan struct{}            // told when there is something to say to the server
	wakes   map[string]chan struct{} // told when a lane has work

	mu       sync.Mutex // guards the fields below
	list     map[string]*taskRecord
	last     uint64
	running  map[string]context.CancelCauseFunc
	response protocol.Response
	looked   time.Time
}

// openTasks reads the journal. What was under way when the agent stopped is
// settled: it is failed, or begun again where that is the same.
func openTasks(state *stateDir, h hand, log *slog.Logger) (*taskBook, error) {
	b := &taskBook{state: state, hand: h, log: log, changed: make(chan struct{}, 1), wakes: map[string]chan struct{}{}, list: map[string]*taskRecord{}, running: map[string]context.CancelCauseFunc{}}
	for _, lane := range lanes {
		b.wakes[lane] = make(chan struct{}, 1)
	}
	names, err := fs.ReadDir(state.root.FS(), taskDir)
	if err != nil {
		return nil, fmt.Errorf("read journal of tasks: %w", err)
	}
	for _, e := range names {
		id, ok := strings.CutSuffix(e.Name(), ".json")
		if !ok || !protocol.ValidTask(id) {
			continue
		}
		var r taskRecord
		raw, err := state.read(filepath.Join(taskDir, e.Name()), maxTaskFile)
		if err == nil {
			err = json.Unmarshal(raw, &r)
		}
		if err != nil || r.ID != id || lanes[r.Kind] == "" {
			log.Error("task of the journal not readable: it is told as failed", "task", id, "error", err)
			r = taskRecord{task: task{ID: id, Kind: protocol.TaskCollect}, Got: time.Now().UTC(), State: protocol.TaskState{ID: id, State: protocol.TaskFailed, Detail: "The agent's journal of it was damaged."}}
		}
		b.last = max(b.last, r.N)
		b.list[id] = &r
	}
	for _, r := range b.list {
		if r.State.State != protocol.TaskRunning || lanes[r.Kind] == "isolate" || r.Packed {
			continue
		}
		r.State.State, r.State.Detail, r.State.Ended, r.Acked = protocol.TaskFailed, interrupted, time.Now().UTC(), false
		if err := b.write(r); err != nil {
			return nil, err
		}
	}
	b.clean(time.Now())
	b.look(time.Now())
	return b, nil
}

// write puts a record on disk.
func (b *taskBook) write(r *taskRecord) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode task: %w", err)
	}
	if err := b.state.replace(filepath.Join(taskDir, r.ID+".json"), raw); err != nil {
		return fmt.Errorf("write journal of tasks: %w", err)
	}
	return nil
}

// clean forgets tasks that ended long ago and that the server knows of, and
// packages that no task has any more. The caller holds mu, or nobody else has b yet.
func (b *taskBook) clean(now time.Time) {
	for id, r := range b.list {
		if r.final() && r.Acked && now.Sub(r.Got) > taskMemory {
			if err := b.state.root.Remove(filepath.Join(taskDir, id+".json")); err == nil {
				delete(b.list, id)
			}
		}
	}
	files, err := fs.ReadDir(b.state.root.FS(), uploadDir)
	if err != nil {
		return
	}
	for _, e := range files {
		r := b.list[strings.TrimSuffix(e.Name(), ".zip")]
		if r == nil || r.final() {
			_ = b.state.root.Remove(filepath.Join(uploadDir, e.Name())) // it is looked for again
		}
	}
}

// reset forgets everything: this agent became another device.
func (b *taskBook) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, r := range b.list {
		if stop := b.running[id]; stop != nil {
			stop(errCancelled)
		}
		if err := b.state.root.Remove(filepath.Join(taskDir, id+".json")); err != nil {
			r.Acked = true
			continue
		}
		delete(b.list, id)
	}
}

// take notes a task that the server asks for, durably, and has it begun. A task
// that is known already is only told of again.
func (b *taskBook) take(ctx context.Context, m *protocol.Message) {
	if err := protocol.CheckTask(m); err != nil {
		b.log.WarnContext(ctx, "task of the server not understood", "error", err)
		return
	}
	t := task{}
	t.Kind, t.ID, _ = m.Task()
	if m.Scan != nil {
		t.Extent = m.Scan.Extent
	}
	if m.Isolate != nil {
		t.Until = m.Isolate.Until
	}
	t.Ask = m.Investigate
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.tell()
	if r := b.list[t.ID]; r != nil {
		r.Acked = false
		r.asked++
		return
	}
	b.clean(time.Now())
	r := &taskRecord{task: t, N: b.last + 1, Got: time.Now().UTC(), State: protocol.TaskState{ID: t.ID}}
	open := 0
	for _, o := range b.list {
		if !o.final() {
			open++
		}
	}
	if open >= mostTasks {
		r.State = protocol.TaskState{ID: t.ID, State: protocol.TaskFailed, Detail: fmt.Sprintf("The agent has %d tasks already.", open), Ended: time.Now().UTC()}
	}
	if err := b.write(r); err != nil { // nothing is begun; the server asks again
		b.log.ErrorContext(ctx, "task not taken: the journal refuses writes", "task", t.ID, "error", err)
		return
	}
	b.last++
	b.list[t.ID] = r
	b.log.InfoContext(ctx, "task of the server", "task", t.ID, "kind", t.Kind)
	b.wake(lanes[t.Kind])
}

// cancel takes a task back: one that has not begun never does, one that collects
// or scans stops. Of one that is not known it is noted that it is cancelled.
func (b *taskBook) cancel(ctx context.Context, id string) {
	if !protocol.ValidTask(id) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.tell()
	r := b.list[id]
	switch {
	case r == nil:
		r = &taskRecord{task: task{ID: id, Kind: protocol.TaskCollect}, N: b.last + 1, Got: time.Now().UTC()}
		b.last++
		b.list[id] = r
	case r.final():
		r.Acked = false
		r.asked++
		return
	case r.State.State == protocol.TaskRunning:
		if stop := b.running[id]; stop != nil && lanes[r.Kind] != "isolate" {
			b.log.InfoContext(ctx, "task cancelled", "task", id)
			stop(errCancelled)
		}
		r.Acked = false
		r.asked++
		return
	}
	r.State, r.Acked = protocol.TaskState{ID: id, State: protocol.TaskCancelled, Ended: time.Now().UTC()}, false
	if err := b.write(r); err != nil {
		b.log.ErrorContext(ctx, "cancelled task not noted: it is cancelled while this agent runs", "task", id, "error", err)
	}
}

// acked notes what is durable on the server.
func (b *taskBook) acked(list []protocol.TaskAck) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, k := range list {
		r := b.list[k.ID]
		if r == nil || r.Acked || r.State.State != k.State {
			continue
		}
		r.Acked = true
		if err := b.write(r); err != nil {
			b.log.Warn("acknowledged task not noted: it will be told again", "task", k.ID, "error", err)
		}
	}
}

// toldState is a state of a task that the server does not have.
type toldState struct {
	protocol.TaskState
	asked int
}

// states are those that the server does not have, in the order of the tasks.
func (b *taskBook) states() []toldState {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []toldState
	for _, r := range slices.SortedFunc(maps.Values(b.list), func(x, y *taskRecord) int { return cmp.Compare(x.N, y.N) }) {
		if !r.Acked && r.State.State != "" {
			out = append(out, toldState{r.State, r.asked})
		}
	}
	return out
}

// look asks what the host can do, and reports whether that is another answer than before.
func (b *taskBook) look(now time.Time) bool {
	r := protocol.Response{Isolation: b.hand.isolation()}
	can := b.hand.can()
	for _, kind := range slices.Sorted(maps.Keys(can)) {
		r.Can = append(r.Can, protocol.Ability{Kind: kind, Reason: protocol.Sentence(can[kind])})
	}
	r.Isolation.Cause = protocol.Sentence(r.Isolation.Cause)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.looked = now
	if reflect.DeepEqual(r, b.response) {
		return false
	}
	b.response = r
	return true
}

// lookSoon asks for a look at the host before the next one is due. It does not wait.
func (b *taskBook) lookSoon() {
	if b == nil { // the agent is being opened
		return
	}
	b.mu.Lock()
	b.looked = time.Time{}
	b.mu.Unlock()
	b.tell()
}

// said is what is to be said of the host now.
func (b *taskBook) said() protocol.Response {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.response
	r.Can = slices.Clone(r.Can)
	return r
}

// stale reports whether it is time to look again at what the host can do.
func (b *taskBook) stale(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return now.Sub(b.looked) >= responseLook
}

func (b *taskBook) tell() {
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

func (b *taskBook) wake(lane string) {
	select {
	case b.wakes[lane] <- struct{}{}:
	default:
	}
}
