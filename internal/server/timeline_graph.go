package server

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/inventory"
)

const (
	mostAncestors = 12
	mostChildren  = 12
	mostTouched   = 12
	// aroundLife is how much of a device's timeline is searched for what a
	// process did.
	aroundLife = 6 * time.Hour
)

// TimelineEvent returns one event of a device with the graph of its entities.
func (s *Server) TimelineEvent(ctx context.Context, c Caller, id, event string) (TimelineEvent, error) {
	d, q, err := s.timelineOf(c, id, &TimelineQuery{})
	if err != nil {
		return TimelineEvent{}, err
	}
	at, err := parseEventID(event)
	if err != nil {
		return TimelineEvent{}, err
	}
	q.From, q.To = time.Unix(0, at.Time), time.Unix(0, at.Time+1)
	q.Filter = func(r eventlog.Row) bool {
		h := r.Record.Head()
		return h.Seq == at.Seq && h.Action.Kind() == at.Kind
	}
	rows, _, _, err := s.telemetry.log.Page(ctx, q, eventlog.Cursor{}, 1)
	if err != nil {
		return TimelineEvent{}, fmt.Errorf("read event %s of %s: %w", event, d.id, err)
	}
	if len(rows) == 0 {
		return TimelineEvent{}, fmt.Errorf("event %q: %w", event, ErrNotFound)
	}
	flags, err := s.st.TimelineFlags(ctx, d.id)
	if err != nil {
		return TimelineEvent{}, err
	}
	s.core.mu.RLock()
	name := d.sum.Name
	s.core.mu.RUnlock()
	out := TimelineEvent{TimelineRow: timelineRow(&rows[0]), DeviceID: string(d.id), DeviceName: name, Nodes: []GraphNode{}, Edges: []GraphEdge{}}
	out.Flagged = flags[out.ID]
	out.Alerts = append(out.Alerts, s.alertsByEvent(c, d)[out.ID]...)
	g := graph{s: s, device: d.id, out: &out}
	if err := g.draw(ctx, &rows[0]); err != nil {
		return TimelineEvent{}, fmt.Errorf("read what is around event %s of %s: %w", event, d.id, err)
	}
	return out, nil
}

// graph draws what is around one event.
type graph struct {
	s      *Server
	device inventory.DeviceID
	out    *TimelineEvent
}

func (g *graph) node(n GraphNode) string {
	for i := range g.out.Nodes {
		if o := &g.out.Nodes[i]; o.ID == n.ID {
			o.Focus = o.Focus || n.Focus
			if len(n.Facts) > len(o.Facts) {
				o.Facts = n.Facts
			}
			if o.Event == "" {
				o.Event, o.Time = n.Event, n.Time
			}
			return n.ID
		}
	}
	if n.Facts == nil {
		n.Facts = []EntityFact{}
	}
	g.out.Nodes = append(g.out.Nodes, n)
	return n.ID
}

func (g *graph) edge(from, to, label string) {
	e := GraphEdge{From: from, To: to, Label: label}
	if from != to && !slices.Contains(g.out.Edges, e) {
		g.out.Edges = append(g.out.Edges, e)
	}
}

// The columns that tell of a process, in its three places.
type processColumns struct {
	pid, began, name, path, command, account, sha256, sha1 ev.Column
}

var (
	subject   = processColumns{ev.ProcessID, ev.ProcessCreationTime, ev.FileName, ev.FolderPath, ev.ProcessCommandLine, ev.AccountName, ev.SHA256, ev.SHA1}
	initiator = processColumns{ev.InitiatingProcessID, ev.InitiatingProcessCreationTime, ev.InitiatingProcessFileName, ev.InitiatingProcessFolderPath,
		ev.InitiatingProcessCommandLine, ev.InitiatingProcessAccountName, ev.InitiatingProcessSHA256, ev.InitiatingProcessSHA1}
	parent = processColumns{pid: ev.InitiatingProcessParentID, began: ev.InitiatingProcessParentCreationTime, name: ev.InitiatingProcessParentFileName}
)

// process draws a process that an event tells of; "" when it does not.
func (g *graph) process(e *ev.Event, c processColumns, event string, at time.Time, focus bool) string {
	x, ok := processOf(e, c.name, c.pid, c.began, 0)
	if !ok {
		return ""
	}
	pid, _ := e.Get(c.pid)
	n := GraphNode{ID: "process " + x.ID, Kind: "process", Name: x.Name, Focus: focus, Event: event, Time: at, Facts: []EntityFact{{"Process id", strconv.FormatInt(pid.Number, 10)}}}
	if f, ok := e.Get(c.began); ok {
		n.Facts = append(n.Facts, EntityFact{"Created", time.Unix(0, f.Number).UTC().Format(time.RFC3339Nano)})
	}
	for _, f := range []struct {
		name string
		col  ev.Column
	}{{"Command line", c.command}, {"Path", c.path}, {"User", c.account}, {"SHA-256", c.sha256}, {"SHA-1", c.sha1}} {
		if f.col != 0 && e.Text(f.col) != "" {
			n.Facts = append(n.Facts, EntityFact{f.name, e.Text(f.col)})
		}
	}
	return g.node(n)
}

// draw draws the event, the processes above it, what the process in focus
// started and what it touched.
func (g *graph) draw(ctx context.Context, r *eventlog.Row) error {
	e := r.Record.Event()
	focus := g.event(&e, eventID(r), r.Time, true)
	if focus.id == "" {
		return nil
	}
	if err := g.ancestors(ctx, &e, r); err != nil {
		return err
	}
	return g.descendants(ctx, focus, r)
}

// graphActor is the process that a graph is about.
type graphActor struct {
	id         string
	pid, began int64
}

// event draws one event and returns the process that it is about: the new one
// of a start, else the one that acted.
func (g *graph) event(e *ev.Event, id string, at time.Time, focus bool) graphActor {
	up := g.process(e, parent, "", time.Time{}, false)
	self := g.process(e, initiator, "", time.Time{}, focus && e.Kind() != ev.Process && e.Kind() != ev.ProcessEnd)
	if up != "" && self != "" {
		g.edge(up, self, "started")
	}
	who := initiator
	if e.Kind() == ev.Process || e.Kind() == ev.ProcessEnd {
		new := g.process(e, subject, id, at, focus)
		if self != "" && new != "" {
			g.edge(self, new, "started")
		}
		self, who = new, subject
	} else if self != "" || focus {
		for _, x := range eventEntities(e) {
			if x.Kind == "process" {
				continue
			}
			n := GraphNode{ID: x.Kind + " " + orElse(x.Detail, x.Name), Kind: x.Kind, Name: x.Name, Focus: focus && self == "", Event: id, Time: at, Facts: entityFacts(e, &x)}
			if to := g.node(n); self != "" {
				g.edge(self, to, orElse(verbs[e.Action], e.Action.String()))
			}
		}
	}
	pid, _ := e.Get(who.pid)
	began, _ := e.Get(who.began)
	return graphActor{self, pid.Number, began.Number}
}

func entityFacts(e *ev.Event, x *Entity) []EntityFact {
	out := []EntityFact{}
	if x.Detail != "" {
		out = append(out, EntityFact{map[string]string{"file": "Path", "ip": "Address", "package": "Version"}[x.Kind], x.Detail})
	}
	if x.Kind == "file" {
		for _, c := range []ev.Column{ev.SHA256, ev.SHA1} {
			if t := e.Text(c); t != "" {
				out = append(out, EntityFact{c.String(), t})
			}
		}
	}
	return out
}

// isProcess reports whether columns of an event tell of a process.
func isProcess(r ev.Record, c processColumns, pid, began int64) bool {
	n, ok := r.Number(c.pid)
	at, _ := r.Number(c.began)
	return ok && n == pid && at == began
}

// ancestors draws who started the process that acted, and so on upwards, as
// far as their starts are in the log.
func (g *graph) ancestors(ctx context.Context, e *ev.Event, r *eventlog.Row) error {
	skew := r.Time.Sub(e.Time)
	cols := parent
	if _, ok := e.Get(parent.pid); !ok {
		cols = initiator
	}
	for range mostAncestors {
		pid, ok := e.Get(cols.pid)
		began, _ := e.Get(cols.began)
		if !ok || began.Number == 0 {
			return nil
		}
		at := time.Unix(0, began.Number).Add(skew)
		q := eventlog.Query{Scope: eventlog.Only(g.device), From: at.Add(-5 * time.Second), To: at.Add(10 * time.Second), Actions: []ev.Action{ev.ProcessCreated}}
		q.Filter = func(r eventlog.Row) bool { return isProcess(r.Record, subject, pid.Number, began.Number) }
		rows, _, _, err := g.s.telemetry.log.Page(ctx, q, eventlog.Cursor{}, 1)
		if err != nil || len(rows) == 0 {
			return err
		}
		up := rows[0].Record.Event()
		g.event(&up, eventID(&rows[0]), rows[0].Time, false)
		e, cols = &up, initiator
		skew = rows[0].Time.Sub(up.Time)
	}
	return nil
}

// descendants draws what the process in focus started and touched.
func (g *graph) descendants(ctx context.Context, a graphActor, r *eventlog.Row) error {
	if a.began == 0 {
		return nil
	}
	q := eventlog.Query{Scope: eventlog.Only(g.device), From: r.Time.Add(-aroundLife), To: r.Time.Add(aroundLife)}
	q.Filter = func(r eventlog.Row) bool { return isProcess(r.Record, initiator, a.pid, a.began) }
	rows, next, _, err := g.s.telemetry.log.Page(ctx, q, eventlog.Cursor{}, 500)
	if err != nil {
		return err
	}
	g.out.Cut = !next.IsZero()
	children, touched := 0, map[string]bool{}
	for i := len(rows) - 1; i >= 0; i-- {
		e := rows[i].Record.Event()
		if e.Kind() == ev.Process {
			if children++; children > mostChildren {
				g.out.Cut = true
				continue
			}
		} else {
			key := strings.Join([]string{e.Action.String(), eventObject(&e)}, " ")
			if touched[key] {
				continue
			}
			if touched[key] = true; len(touched) > mostTouched {
				g.out.Cut = true
				continue
			}
		}
		g.event(&e, eventID(&rows[i]), rows[i].Time, false)
	}
	return nil
}
