package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/protocol"
)

// fakeHand does what a test says.
type fakeHand struct {
	mu     sync.Mutex
	did    []string // kinds and ids, in order
	work   func(ctx context.Context, t task, pack io.Writer) (*protocol.TaskResult, error)
	before func(t task) // when it is called, before anything else
}

func (h *fakeHand) can() map[string]string {
	return map[string]string{protocol.TaskCollect: "", protocol.TaskScan: "", protocol.TaskIsolate: "", protocol.TaskRelease: ""}
}

func (h *fakeHand) isolation() protocol.Isolation { return protocol.Isolation{} }

func (h *fakeHand) do(ctx context.Context, t task, pack io.Writer, _ func(string)) (*protocol.TaskResult, error) {
	h.mu.Lock()
	h.did = append(h.did, t.Kind+" "+t.ID[:4])
	before, work := h.before, h.work
	h.mu.Unlock()
	if before != nil {
		before(t)
	}
	if work == nil {
		return nil, nil
	}
	return work(ctx, t, pack)
}

func (h *fakeHand) done() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.did)
}

// taskHost is a state directory with a journal of tasks that can be stopped and started.
type taskHost struct {
	t    *testing.T
	dir  string
	hand *fakeHand
	sent func(ctx context.Context, id string, p *protocol.PackageResult) error

	s    *stateDir
	b    *taskBook
	stop func()
}

func newTaskHost(t *testing.T) *taskHost {
	h := &taskHost{t: t, dir: filepath.Join(t.TempDir(), "state"), hand: &fakeHand{}, sent: func(context.Context, string, *protocol.PackageResult) error { return nil }}
	h.start()
	t.Cleanup(func() { h.stop() })
	return h
}

func (h *taskHost) start() {
	h.t.Helper()
	var err error
	if h.s, err = openState(h.dir); err != nil {
		h.t.Fatal(err)
	}
	if h.b, err = openTasks(h.s, h.hand, slog.New(slog.DiscardHandler)); err != nil {
		h.t.Fatal(err)
	}
	h.b.send = func(ctx context.Context, id string, p *protocol.PackageResult) error { return h.sent(ctx, id, p) }
	ctx, cancel := context.WithCancel(context.Background())
	g := newGroup(ctx, slog.New(slog.DiscardHandler))
	h.b.start(g)
	h.stop = func() {
		cancel()
		_ = g.wait() // the loops end with ctx
		_ = h.s.close()
		h.stop = func() {}
	}
}

func taskNo(n int) string { return fmt.Sprintf("%04d0000-0000-0000-0000-000000000000", n) }

// until waits for a state of a task.
func (h *taskHost) until(n int, state string) (s protocol.TaskState) {
	h.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		for _, k := range h.b.states() {
			if k.ID == taskNo(n) && k.State == state {
				return k.TaskState
			}
		}
	}
	h.t.Fatalf("task %d never was %q: %+v", n, state, h.b.states())
	return s
}

func TestATaskIsDoneOnce(t *testing.T) {
	h := newTaskHost(t)
	ctx := t.Context()
	noted := make(chan bool, 8)
	h.hand.before = func(k task) { // it is on disk as begun before it begins
		raw, err := os.ReadFile(filepath.Join(h.dir, taskDir, k.ID+".json"))
		noted <- err == nil && strings.Contains(string(raw), `"in_progress"`)
	}
	ask := &protocol.Message{Scan: &protocol.Scan{ID: taskNo(1), Extent: protocol.ScanQuick}}
	h.b.take(ctx, ask)
	if s := h.until(1, protocol.TaskSucceeded); s.Started.IsZero() || s.Ended.IsZero() {
		t.Errorf("%+v", s)
	}
	if !<-noted {
		t.Error("it began before it was on disk")
	}
	h.b.take(ctx, ask)
	h.b.acked([]protocol.TaskAck{{ID: taskNo(1), State: protocol.TaskRunning}}) // of another state than it is in
	h.until(1, protocol.TaskSucceeded)
	h.b.acked([]protocol.TaskAck{{ID: taskNo(1), State: protocol.TaskSucceeded}})
	if left := h.b.states(); len(left) != 0 {
		t.Errorf("acknowledged and told again: %+v", left)
	}
	h.b.take(ctx, ask) // asked for once more: told once more, done no more
	h.until(1, protocol.TaskSucceeded)
	h.stop()
	h.start()
	h.b.take(ctx, ask)
	h.until(1, protocol.TaskSucceeded)
	h.b.take(ctx, &protocol.Message{Collect: &protocol.Collect{ID: "../../x"}})
	h.b.take(ctx, &protocol.Message{Scan: &protocol.Scan{ID: taskNo(2), Extent: "all"}})
	if got := h.hand.done(); !slices.Equal(got, []string{"scan 0001"}) {
		t.Errorf("did %v", got)
	}
}

// An agent that stops in the middle says so; isolation is applied again; a
// package that was whole only has to go.
func TestTasksAfterACrash(t *testing.T) {
	h := newTaskHost(t)
	ctx := t.Context()
	began := make(chan string, 8)
	h.hand.work = func(ctx context.Context, k task, _ io.Writer) (*protocol.TaskResult, error) {
		began <- k.Kind
		<-ctx.Done()
		return nil, ctx.Err()
	}
	h.b.take(ctx, &protocol.Message{Scan: &protocol.Scan{ID: taskNo(1), Extent: protocol.ScanFull}})
	h.b.take(ctx, &protocol.Message{Isolate: &protocol.Isolate{ID: taskNo(2)}})
	h.b.take(ctx, &protocol.Message{Collect: &protocol.Collect{ID: taskNo(3)}})
	h.b.take(ctx, &protocol.Message{Scan: &protocol.Scan{ID: taskNo(4), Extent: protocol.ScanQuick}}) // waits for its turn
	for range 3 {
		<-began
	}
	h.stop()
	h.hand.work = nil
	h.start()
	if s := h.until(1, protocol.TaskFailed); s.Detail != interrupted {
		t.Errorf("%+v", s)
	}
	if s := h.until(3, protocol.TaskFailed); s.Detail != interrupted {
		t.Errorf("%+v", s)
	}
	h.until(2, protocol.TaskSucceeded)
	h.until(4, protocol.TaskSucceeded)
	if left, err := fs.ReadDir(h.s.root.FS(), uploadDir); err != nil || len(left) != 0 {
		t.Errorf("packages left: %v, %v", left, err)
	}

	// A package is made once, however often it has to be sent.
	h.hand.work = func(_ context.Context, _ task, pack io.Writer) (*protocol.TaskResult, error) {
		_, err := io.WriteString(pack, "PK!")
		return &protocol.TaskResult{Package: &protocol.PackageResult{Items: 7}}, err
	}
	tried := make(chan *protocol.PackageResult, 8)
	h.sent = func(ctx context.Context, _ string, p *protocol.PackageResult) error {
		tried <- p
		<-ctx.Done()
		return ctx.Err()
	}
	h.b.take(ctx, &protocol.Message{Collect: &protocol.Collect{ID: taskNo(5)}})
	<-tried
	h.stop()
	var got []byte
	h.sent = func(_ context.Context, id string, p *protocol.PackageResult) (err error) {
		got, err = h.s.read(uploadName(id), 1<<20)
		return err
	}
	before := len(h.hand.done())
	h.start()
	s := h.until(5, protocol.TaskSucceeded)
	sum := sha256.Sum256([]byte("PK!"))
	if p := s.Result.Package; string(got) != "PK!" || p.Bytes != 3 || p.Items != 7 || p.SHA256 != hex.EncodeToString(sum[:]) || len(h.hand.done()) != before {
		t.Errorf("sent %q, %+v, done %v", got, p, h.hand.done()[before:])
	}
	if left, err := fs.ReadDir(h.s.root.FS(), uploadDir); err != nil || len(left) != 0 {
		t.Errorf("packages left: %v, %v", left, err)
	}
}

func TestCancelledTasks(t *testing.T) {
	h := newTaskHost(t)
	ctx := t.Context()
	began := make(chan string, 8)
	release := make(chan struct{})
	h.hand.work = func(ctx context.Context, k task, _ io.Writer) (*protocol.TaskResult, error) {
		began <- k.Kind
		if k.Kind == protocol.TaskIsolate {
			<-release
			return nil, nil
		}
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	h.b.take(ctx, &protocol.Message{Scan: &protocol.Scan{ID: taskNo(1), Extent: protocol.ScanFull}})
	h.b.take(ctx, &protocol.Message{Scan: &protocol.Scan{ID: taskNo(2), Extent: protocol.ScanFull}})
	h.b.take(ctx, &protocol.Message{Isolate: &protocol.Isolate{ID: taskNo(3)}})
	<-began
	<-began
	for _, n := range []int{2, 1, 3, 4} { // waiting, under way, not to be stopped, never heard of
		h.b.cancel(ctx, taskNo(n))
	}
	h.until(1, protocol.TaskCancelled)
	h.until(2, protocol.TaskCancelled)
	h.until(4, protocol.TaskCancelled)
	h.b.take(ctx, &protocol.Message{Scan: &protocol.Scan{ID: taskNo(4), Extent: protocol.ScanFull}}) // comes after its end
	close(release)
	h.until(3, protocol.TaskSucceeded)
	h.until(4, protocol.TaskCancelled)
	if got := h.hand.done(); len(got) != 2 {
		t.Errorf("did %v", got)
	}
}

// What fails, is too large or panics is told; the next task is done.
func TestTasksThatFail(t *testing.T) {
	h := newTaskHost(t)
	ctx := t.Context()
	h.hand.work = func(_ context.Context, k task, pack io.Writer) (*protocol.TaskResult, error) {
		switch k.ID {
		case taskNo(1):
			return nil, errors.New("no " + strings.Repeat("x", 5000))
		case taskNo(2):
			panic("boom")
		case taskNo(3):
			chunk := make([]byte, 32<<20)
			for range protocol.MaxPackage/len(chunk) + 1 {
				if _, err := pack.Write(chunk); err != nil {
					return nil, err
				}
			}
		}
		return &protocol.TaskResult{Scan: &protocol.ScanResult{Engine: strings.Repeat("e", 9999)}}, nil
	}
	h.b.take(ctx, &protocol.Message{Isolate: &protocol.Isolate{ID: taskNo(1)}})
	h.b.take(ctx, &protocol.Message{Release: &protocol.Release{ID: taskNo(2)}})
	h.b.take(ctx, &protocol.Message{Collect: &protocol.Collect{ID: taskNo(3)}})
	h.b.take(ctx, &protocol.Message{Scan: &protocol.Scan{ID: taskNo(4), Extent: protocol.ScanQuick}})
	for n, state := range map[int]string{1: protocol.TaskFailed, 2: protocol.TaskFailed, 3: protocol.TaskFailed, 4: protocol.TaskSucceeded} {
		s := h.until(n, state)
		if err := protocol.CheckTaskState(&s); err != nil {
			t.Errorf("the server would not take it: %v", err)
		}
	}
	if s := h.until(3, protocol.TaskFailed); !strings.Contains(s.Detail, "exceeds") {
		t.Errorf("%+v", s)
	}
	if got := h.hand.done(); slices.Index(got, "isolate 0001") > slices.Index(got, "release 0002") {
		t.Errorf("isolation and its end are out of order: %v", got)
	}
	// A fork forgets what another device was asked for.
	h.b.reset()
	if left := h.b.states(); len(left) != 0 {
		t.Errorf("after a fork: %+v", left)
	}
	h.stop()
	h.start()
	if left := h.b.states(); len(left) != 0 {
		t.Errorf("after a fork and a restart: %+v", left)
	}
}
