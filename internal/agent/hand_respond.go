//go:build !noexec

package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"time"

	"github.com/picketsec/picket/internal/agent/respond"
	"github.com/picketsec/picket/internal/protocol"
)

// Responds says whether this program was built with response actions. The build
// tag noexec leaves them out.
const Responds = true

// hands are what carries out response actions on the host.
type hands = respond.Responder

// responseFiles are the names in the state directory that are those of response actions.
var responseFiles = respond.StateFiles

// newHand is what tasks are done with.
func (a *agent) newHand() hand { return responder{a.hands, a.times.now} }

// ReleaseHost ends the isolation of this host by the agent with that state
// directory, whether or not it runs; it tells its server. It reports whether the
// host was isolated.
func ReleaseHost(ctx context.Context, state string) (was bool, err error) {
	dir, err := ownState(state)
	if err != nil {
		return false, err
	}
	return respond.ReleaseLocal(ctx, dir)
}

// RestoreHost isolates this host as it was when it went down, before an agent
// runs. Where it was not isolated it does nothing.
func RestoreHost(ctx context.Context, state string, log *slog.Logger) error {
	dir, err := ownState(state)
	if err != nil {
		return err
	}
	return respond.New(respond.Config{State: dir, Log: log}).Restore(ctx)
}

// leaveNothing ends on this host what response actions left there.
func leaveNothing(ctx context.Context, state string) error { return respond.Uninstall(ctx, state) }

// responder is the hand of a running host.
type responder struct {
	r   *respond.Responder
	now func() time.Time // the server's clock, as far as it is known
}

var _ hand = responder{}

// can implements hand.
func (h responder) can() map[string]string {
	out := map[string]string{}
	for kind, why := range h.r.Can() {
		out[string(kind)] = why
	}
	return out
}

// isolation implements hand.
func (h responder) isolation() protocol.Isolation { return protocol.Isolation(h.r.Isolation()) }

// do implements hand.
func (h responder) do(ctx context.Context, t task, pack io.Writer, progress func(string)) (*protocol.TaskResult, error) {
	switch t.Kind {
	case protocol.TaskCollect:
		p, err := h.r.Collect(ctx, pack)
		if err != nil {
			return nil, err
		}
		out := &protocol.PackageResult{Items: len(p.Items), Missing: p.Missing, System: p.System}
		if p.Missing > 0 {
			out.Note = fmt.Sprintf("%d of %d items are not whole: the summary in the package says which and why.", p.Missing, len(p.Items))
		}
		return &protocol.TaskResult{Package: out}, nil
	case protocol.TaskScan:
		found, err := h.r.Scan(ctx, respond.Extent(t.Extent), func(p respond.Progress) {
			progress(fmt.Sprintf("%d files looked at, %d detections.", p.Files, p.Detections))
		})
		if found == nil {
			return nil, err
		}
		return &protocol.TaskResult{Scan: scanResult(found)}, err
	case protocol.TaskInvestigate:
		if t.Ask == nil {
			return nil, errors.New("the journal has lost what was to be examined")
		}
		found, err := h.r.Investigate(ctx, questions(t.Ask), progress)
		if found == nil {
			return nil, err
		}
		return &protocol.TaskResult{Investigation: findings(found)}, err
	case protocol.TaskIsolate:
		until := t.Until
		if !until.IsZero() { // the same distance by this host's clock
			until = time.Now().Add(until.Sub(h.now()))
		}
		return nil, h.r.Isolate(ctx, t.ID, until)
	case protocol.TaskRelease:
		return nil, h.r.Release(ctx, t.ID)
	}
	return nil, fmt.Errorf("this agent knows no task %q", t.Kind)
}

// scanResult tells of a scan as the protocol does.
func scanResult(r *respond.ScanResult) *protocol.ScanResult {
	out := &protocol.ScanResult{Engine: r.Engine, Database: r.Database, Signatures: r.Signatures, Files: r.Files, Bytes: r.Bytes, More: r.More, Ended: r.Ended}
	for _, k := range r.Skipped {
		out.Skipped = append(out.Skipped, protocol.Skipped(k))
	}
	for _, d := range r.Detections {
		out.Detections = append(out.Detections, protocol.Detection(d))
	}
	return out
}

// questions is what an order asks to examine.
func questions(m *protocol.Investigate) respond.Questions {
	q := respond.Questions{Files: m.Files, Addresses: m.Addresses}
	for _, p := range m.Processes {
		q.Processes = append(q.Processes, respond.ProcessKey(p))
	}
	return q
}

// findings tells of an investigation as the protocol does.
func findings(f *respond.Findings) *protocol.InvestigationResult {
	out := &protocol.InvestigationResult{Engine: f.Engine, Database: f.Database, Signatures: f.Signatures, NoEngine: f.NoEngine, More: f.More, Ended: f.Ended, Connections: connections(f.Connections)}
	for _, x := range f.Files {
		out.Files = append(out.Files, protocol.FileFacts(x))
	}
	for _, x := range f.Processes {
		p := protocol.ProcessFacts{ProcessKey: protocol.ProcessKey(x.ProcessKey), Trouble: x.Trouble, Gone: x.Gone, Name: x.Name, Program: x.Program, Deleted: x.Deleted, SHA256: x.SHA256, User: x.User,
			Parent: x.Parent, Command: x.Command, More: x.More, Connections: connections(x.Connections)}
		for _, c := range x.Children {
			p.Children = append(p.Children, protocol.Child(c))
		}
		out.Processes = append(out.Processes, p)
	}
	for _, x := range f.Starts {
		out.Starts = append(out.Starts, protocol.Start(x))
	}
	return out
}

func connections(list []respond.Connection) (out []protocol.Connection) {
	for _, c := range list {
		out = append(out, protocol.Connection(c))
	}
	return out
}

// newResponder makes the hand of this agent.
func (a *agent) newResponder() *respond.Responder {
	way := a.way()
	_, err := netip.ParseAddr(way.Hostname())
	return respond.New(respond.Config{State: a.state.path, Root: a.cfg.Root, Version: a.cfg.Version, Log: a.log, Named: err != nil,
		Server: a.serverAddresses, Reach: a.reachServer, Changed: func(respond.Isolation) { a.tasks.lookSoon() }, Event: a.happened})
}
