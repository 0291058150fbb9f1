package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"github.com/picketsec/picket/internal/protocol"
)

// uploadFor is how long a package is offered to the server.
const uploadFor = 3 * 24 * time.Hour

// start adds a loop for each lane to a group.
func (b *taskBook) start(g *group) {
	for lane := range b.wakes {
		b.wake(lane) // what was under way
		g.add("tasks-"+lane, func(ctx context.Context) error { return b.runLane(ctx, lane) })
	}
}

func (b *taskBook) runLane(ctx context.Context, lane string) error {
	for {
		r := b.next(lane)
		if r == nil {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-b.wakes[lane]:
			}
			continue
		}
		b.run(ctx, r)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// next is the oldest task of a lane that is not done.
func (b *taskBook) next(lane string) (first *taskRecord) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.list {
		if lanes[r.Kind] == lane && !r.final() && (first == nil || r.N < first.N) {
			first = r
		}
	}
	return first
}

// run carries out a task, from its beginning or from where it stood. An agent
// that stops meanwhile leaves it as it is.
func (b *taskBook) run(ctx context.Context, r *taskRecord) {
	run, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	if !b.begin(r, stop) {
		return
	}
	result, err := b.carry(run, r)
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.running, r.ID)
	if b.list[r.ID] != r { // this agent became another device meanwhile
		return
	}
	if ctx.Err() != nil && err != nil {
		return
	}
	s := protocol.TaskState{ID: r.ID, State: protocol.TaskSucceeded, Result: result, Started: r.State.Started, Ended: time.Now().UTC()}
	switch {
	case err == nil:
	case errors.Is(context.Cause(run), errCancelled):
		s.State, s.Result = protocol.TaskCancelled, result
	default:
		s.State, s.Detail = protocol.TaskFailed, protocol.Sentence(err.Error())
	}
	r.State, r.Acked, r.Packed = s, false, false
	if err := b.write(r); err != nil {
		b.log.ErrorContext(ctx, "end of a task not written: after a restart it is told as interrupted", "task", r.ID, "error", err)
	}
	if r.Kind == protocol.TaskCollect {
		_ = b.state.root.Remove(uploadName(r.ID)) // what stays is removed at the next start
	}
	b.log.InfoContext(ctx, "task ended", "task", r.ID, "kind", r.Kind, "state", s.State, "detail", s.Detail)
	b.tell()
}

// begin notes durably that a task begins; false: it does not.
func (b *taskBook) begin(r *taskRecord, stop context.CancelCauseFunc) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.final() { // cancelled meanwhile
		return false
	}
	was := r.State
	if r.State.State != protocol.TaskRunning {
		r.State = protocol.TaskState{ID: r.ID, State: protocol.TaskRunning, Started: time.Now().UTC()}
		r.Acked = false
	}
	if err := b.write(r); err != nil {
		b.log.Error("task not begun: the journal refuses writes", "task", r.ID, "error", err)
		r.State = was
		r.State.State, r.State.Detail, r.State.Ended = protocol.TaskFailed, "The agent could not note it in its journal, so it did not begin: the state directory refuses writes.", time.Now().UTC()
		b.tell()
		return false
	}
	b.running[r.ID] = stop
	b.tell()
	return true
}

// progress tells the server how far a task is.
func (b *taskBook) progress(r *taskRecord) func(string) {
	return func(text string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		if text = protocol.Sentence(text); r.State.State == protocol.TaskRunning && r.State.Detail != text && time.Since(r.told) > progressEvery {
			r.State.Detail, r.Acked, r.told = text, false, time.Now()
			b.tell()
		}
	}
}

// carry does the work of a task. A panic of it is an error.
func (b *taskBook) carry(ctx context.Context, r *taskRecord) (result *protocol.TaskResult, err error) {
	err = guard("task", func(ctx context.Context) error {
		if r.Kind == protocol.TaskCollect {
			result, err = b.collect(ctx, r)
		} else {
			result, err = b.hand.do(ctx, r.task, io.Discard, b.progress(r))
		}
		if result != nil && result.Scan != nil {
			protocol.ClampScan(result.Scan)
		}
		if result != nil && result.Investigation != nil {
			protocol.ClampInvestigation(result.Investigation)
		}
		if b.look(time.Now()) {
			b.tell()
		}
		return err
	}, ctx)
	return result, err
}

func uploadName(id string) string { return filepath.Join(uploadDir, id+".zip") }

// collect makes a package, unless there is one already, and hands it to the server.
func (b *taskBook) collect(ctx context.Context, r *taskRecord) (*protocol.TaskResult, error) {
	b.mu.Lock()
	packed, result := r.Packed, r.State.Result
	b.mu.Unlock()
	if !packed || result == nil || result.Package == nil {
		var err error
		if result, err = b.pack(ctx, r); err != nil {
			return nil, err
		}
		b.mu.Lock()
		r.State.Result, r.Packed = result, true
		err = b.write(r)
		b.mu.Unlock()
		if err != nil {
			return nil, err
		}
	}
	b.progress(r)("The package is made and on its way to the server.")
	return result, b.deliver(ctx, r.ID, result.Package)
}

// pack writes a package to the agent's disk, whole or not at all.
func (b *taskBook) pack(ctx context.Context, r *taskRecord) (*protocol.TaskResult, error) {
	name := uploadName(r.ID)
	_ = b.state.root.Remove(name) // of an attempt that broke off
	f, err := b.state.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|noFollow, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create package: %w", err)
	}
	sum := sha256.New()
	w := &capped{w: io.MultiWriter(f, sum), left: protocol.MaxPackage}
	result, err := b.hand.do(ctx, r.task, w, b.progress(r))
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = b.state.root.Remove(name) // nobody looks at it again
		return nil, err
	}
	if result == nil || result.Package == nil {
		result = &protocol.TaskResult{Package: &protocol.PackageResult{}}
	}
	p := result.Package
	p.Bytes, p.SHA256, p.Note = protocol.MaxPackage-w.left, hex.EncodeToString(sum.Sum(nil)), protocol.Sentence(p.Note)
	return result, b.state.sync(uploadDir)
}

// capped refuses what is beyond a number of bytes.
type capped struct {
	w    io.Writer
	left int64
}

// Write implements io.Writer.
func (c *capped) Write(p []byte) (int, error) {
	if int64(len(p)) > c.left {
		return 0, fmt.Errorf("the package exceeds %d bytes", protocol.MaxPackage)
	}
	n, err := c.w.Write(p)
	c.left -= int64(n)
	return n, err
}

// deliver uploads a package, again and again while the server cannot be reached or is busy.
func (b *taskBook) deliver(ctx context.Context, id string, p *protocol.PackageResult) error {
	wait, until := minBackoff, time.Now().Add(uploadFor)
	for {
		err := b.send(ctx, id, p)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if refused, ok := errors.AsType[*protocol.RefusedError](err); ok && refused.Code == protocol.RefusedRequest {
			return fmt.Errorf("the server does not take the package: %w", err)
		}
		if time.Now().After(until) {
			return fmt.Errorf("the package could not be delivered: %w", err)
		}
		b.log.WarnContext(ctx, "package not delivered, trying again", "task", id, "error", err, "seconds", int(wait.Seconds()))
		if !sleep(ctx, wait) {
			return context.Cause(ctx)
		}
		wait = backoff(wait)
	}
}

var errNoSession = errors.New("there was no session with the server yet")

// sendPackage uploads the package of a task over a connection of its own.
func (a *agent) sendPackage(ctx context.Context, id string, p *protocol.PackageResult) error {
	ident := a.tasks.ident.Load()
	if ident == nil {
		return errNoSession
	}
	f, err := a.state.root.OpenFile(uploadName(id), os.O_RDONLY|noFollow, 0)
	if err != nil {
		return fmt.Errorf("open package: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, a.url(protocol.PackagePath+id), f)
	if err != nil {
		return fmt.Errorf("upload package: %w", err)
	}
	req.ContentLength = p.Bytes
	req.Header.Set("Content-Type", "application/zip")
	req.Header.Set(protocol.PackageHash, p.SHA256)
	client, done := a.client(ident)
	defer done()
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("upload package: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	if resp.StatusCode != http.StatusNoContent {
		return protocol.ReadRefusal(resp)
	}
	return nil
}

// taskLink is a session's view of tasks.
type taskLink struct {
	sent map[string]toldState // states that were sent in this session, by id
	said protocol.Response    // what the server was told of the host last
}

// fillTasks sends the states that the server does not have and what became
// different of what the host can do.
func (l *link) fillTasks(ctx context.Context) error {
	if l.version < tasksVersion || l.a.cfg.Once {
		return nil
	}
	for _, s := range l.a.tasks.states() {
		if was, ok := l.tasks.sent[s.ID]; ok && was.State == s.State && was.Detail == s.Detail && was.asked == s.asked {
			continue
		}
		l.tasks.sent[s.ID] = s
		if err := l.conn.Send(ctx, &protocol.Message{TaskState: &s.TaskState}); err != nil {
			return err
		}
	}
	if at := time.Now(); l.a.tasks.stale(at) {
		l.a.tasks.look(at)
	}
	now := l.a.tasks.said()
	if reflect.DeepEqual(l.tasks.said, now) {
		return nil
	}
	l.tasks.said = now
	return l.conn.Send(ctx, &protocol.Message{Response: &now})
}
