package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/store"
)

// AuditRow is one entry of the audit log.
type AuditRow struct {
	ID        string          `json:"id"` // number of the entry, from 1 without a gap
	At        time.Time       `json:"at"`
	Kind      audit.Kind      `json:"kind" enum:"person,application,local,agent,nobody"`
	Actor     string          `json:"actor"`
	ActorID   string          `json:"actor_id"`
	Remote    string          `json:"remote"` // address the request came from
	Action    string          `json:"action"` // operation of the API, or command
	Object    string          `json:"object"` // id of what it is about
	Outcome   audit.Outcome   `json:"outcome" enum:"done,denied,failed"`
	Status    int             `json:"status"`  // of the answer; 0: there was none yet
	Request   string          `json:"request"` // as X-Request-Id told it
	Detail    json.RawMessage `json:"detail,omitempty" doc:"What the object was and is, or was to be when it failed, where that is noted: {before, after}."`
	NotListed int             `json:"not_listed" doc:"Requests before this one, refused or repeated by agents, that have no entry of their own."`
	Hash      string          `json:"hash"` // SHA-256 over the entry and the hash before it
}

// outcomeWords are how requests end.
var outcomeWords = []string{string(audit.Done), string(audit.Denied), string(audit.Failed)}

// Audit lists the audit log. Filters are "actor", "action", "object", "outcome"
// and "remote", each with one or more values that are met whole, and "from" and
// "to", instants of RFC 3339 of which to is not included; it is in the order of
// time only.
func (s *Server) Audit(ctx context.Context, c Caller, q Query) (Page[AuditRow], error) {
	if err := s.need(c, ManageSettings); err != nil {
		return Page[AuditRow]{}, err
	}
	find, err := auditQuery(q)
	if err != nil {
		return Page[AuditRow]{}, err
	}
	p := Page[AuditRow]{Items: []AuditRow{}, AsOf: time.Now().UTC()}
	p.Total, err = s.st.Audit(ctx, find, func(e audit.Entry, h audit.Hash) error {
		p.Items = append(p.Items, auditRow(&e, h))
		return nil
	})
	return p, err
}

// AuditWords are the words that the audit log can be narrowed to, in order.
type AuditWords struct {
	Actors  []string `json:"actors"`
	Actions []string `json:"actions"`
	Remotes []string `json:"remotes"`
}

// mostAuditWords caps each list of AuditWords: what is beyond it can be asked for all the same.
const mostAuditWords = 500

// AuditWords lists who is in the audit log, with which actions and from where.
func (s *Server) AuditWords(ctx context.Context, c Caller) (AuditWords, error) {
	if err := s.need(c, ManageSettings); err != nil {
		return AuditWords{}, err
	}
	actors, actions, remotes, err := s.st.AuditWords(ctx, mostAuditWords)
	return AuditWords{Actors: append([]string{}, actors...), Actions: append([]string{}, actions...), Remotes: append([]string{}, remotes...)}, err
}

// auditPart is how many entries an export reads at a time.
const auditPart = 500

// AuditExport reads what Audit lists, all of it, a part at a time: it holds
// neither the whole nor the database. What is appended meanwhile may be in it or
// not. A caller who may not read it any more ends it with an error.
func (s *Server) AuditExport(ctx context.Context, c Caller, q Query) (iter.Seq2[AuditRow, error], error) {
	if err := s.need(c, ManageSettings); err != nil {
		return nil, err
	}
	find, err := auditQuery(q)
	if err != nil {
		return nil, err
	}
	find.Most, find.NoTotal = auditPart, true
	return func(yield func(AuditRow, error) bool) {
		for {
			var part []AuditRow
			err := c.Still(ctx)
			if err == nil {
				_, err = s.st.Audit(ctx, find, func(e audit.Entry, h audit.Hash) error {
					find.Beyond = e.Seq
					part = append(part, auditRow(&e, h))
					return nil
				})
			}
			if err != nil {
				yield(AuditRow{}, err)
				return
			}
			for _, r := range part {
				if !yield(r, nil) {
					return
				}
			}
			if find.Skip = 0; len(part) < auditPart {
				return
			}
		}
	}, nil
}

func auditRow(e *audit.Entry, h audit.Hash) AuditRow {
	return AuditRow{ID: strconv.FormatInt(e.Seq, 10), At: e.At, Kind: e.Kind, Actor: e.Actor, ActorID: e.ActorID, Remote: e.Remote,
		Action: e.Action, Object: e.Object, Outcome: e.Outcome, Status: e.Status, Request: e.Request, Detail: e.Detail, NotListed: e.NotListed, Hash: h.String()}
}

// auditQuery is what is asked of the audit log as the store understands it.
func auditQuery(q Query) (store.AuditQuery, error) {
	find := store.AuditQuery{Text: q.Text, Actors: q.Filter["actor"], Actions: q.Filter["action"], Objects: q.Filter["object"], Outcomes: q.Filter["outcome"],
		Remotes: q.Filter["remote"], Skip: q.Offset, Most: q.Limit}
	for _, o := range find.Outcomes {
		if !slices.Contains(outcomeWords, o) {
			return find, Invalidf("outcome", "%q is not one of done, denied, failed", o)
		}
	}
	for name, at := range map[string]*time.Time{"from": &find.From, "to": &find.To} {
		if list := q.Filter[name]; len(list) > 0 {
			t, err := time.Parse(time.RFC3339, list[0])
			if err != nil || len(list) > 1 {
				return find, Invalidf(name, "%q is not one instant such as 2026-11-26T10:00:00Z", strings.Join(list, ","))
			}
			*at = t
		}
	}
	if !find.From.IsZero() && !find.To.IsZero() && !find.From.Before(find.To) {
		return find, Invalidf("to", "the end is not after the beginning")
	}
	for _, key := range q.Sort {
		switch key {
		case "at":
			find.Oldest = true
		case "-at":
		default:
			return find, Invalidf("sort", "the audit log is in the order of time: at or -at, not %q", key)
		}
	}
	return find, nil
}

// actor says who a request turned out to come from, or says it does.
func actor(ctx context.Context, kind audit.Kind, name, id string) {
	if d := audit.From(ctx); d != nil {
		d.Edit(func(e *audit.Entry) { e.Kind, e.Actor, e.ActorID = kind, name, id })
	}
}

// Audited starts the audit entry of a request: what is done with the context
// that it returns is recorded together with its first change. The caller ends
// the entry with AuditEnd.
func (s *Server) Audited(ctx context.Context, c Caller, action, object, request string) context.Context {
	e := audit.Entry{At: time.Now(), Kind: audit.Nobody, Actor: c.Name, Remote: c.Remote, Action: action, Object: object, Outcome: audit.Done, Request: request}
	switch {
	case c.local:
		e.Kind, e.ActorID = audit.Local, c.Name
	case c.App != "":
		e.Kind, e.ActorID = audit.Application, c.id()
	case c.UserID != 0:
		e.Kind, e.ActorID = audit.Person, c.id()
	}
	return audit.With(ctx, audit.NewDraft(e))
}

// AuditEnd says how a request ended, as the status of its answer. What changed
// nothing is recorded now; what failed after a change is recorded once more.
// Not being able to is logged and changes no answer: what changed something is
// recorded already.
func (s *Server) AuditEnd(ctx context.Context, status int) {
	d := audit.From(ctx)
	if d == nil {
		return
	}
	outcome := audit.Done
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		outcome = audit.Denied
	case status >= 400:
		outcome = audit.Failed
	}
	e, _, first := d.Take()
	if !first && outcome == audit.Done {
		s.live.publish(LiveEvent{Resource: "audit"})
		return
	}
	e.Outcome, e.Status = outcome, status
	if outcome != audit.Done {
		missed, ok := s.refused.take(time.Now())
		if !ok {
			s.log.WarnContext(ctx, "refused request is only counted in the audit log", "action", e.Action, "actor", e.Actor, "remote", e.Remote, "status", status)
			return
		}
		e.NotListed = missed
	}
	if err := s.st.AppendAudit(context.WithoutCancel(ctx), e); err != nil {
		s.log.ErrorContext(ctx, "audit entry was not stored", "action", e.Action, "actor", e.Actor, "outcome", e.Outcome, "error", err)
		return
	}
	s.live.publish(LiveEvent{Resource: "audit"})
}

// refusals bounds how many refused requests are listed, because anybody can
// make them: so many at once, and one a second. What is not listed is counted
// with the next that is.
type refusals struct {
	mu     sync.Mutex
	left   float64
	at     time.Time
	missed int
}

const mostRefusals = 200

func (r *refusals) take(now time.Time) (missed int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at.IsZero() {
		r.left = mostRefusals
	} else {
		r.left = min(mostRefusals, r.left+max(0, now.Sub(r.at).Seconds()))
	}
	r.at = now
	if r.left < 1 {
		r.missed++
		return 0, false
	}
	r.left--
	missed, r.missed = r.missed, 0
	return missed, true
}

// quietVerbs only read, or are for measuring: they are not in the audit log.
var quietVerbs = []string{"ping", "explain", "intel status", "vex list", "audit verify", "lockdown status", "bench load", "bench match"}

// auditVerb records a command at the admin socket.
func (s *Server) auditVerb(ctx context.Context, verb string) (context.Context, func(err error)) {
	if slices.Contains(quietVerbs, verb) {
		return ctx, func(error) {}
	}
	who := "uid " + strconv.Itoa(os.Getuid()) // who else could open the data directory
	ctx = audit.With(ctx, audit.NewDraft(audit.Entry{At: time.Now(), Kind: audit.Local, Actor: who, ActorID: who, Action: verb, Outcome: audit.Done}))
	return ctx, func(err error) {
		status := http.StatusOK
		switch {
		case errors.Is(err, ErrDenied):
			status = http.StatusForbidden
		case err != nil:
			status = http.StatusInternalServerError
		}
		s.AuditEnd(ctx, status)
	}
}

// AuditState is what "picket audit verify" prints.
type AuditState struct {
	Entries int64  `json:"entries"`
	Head    string `json:"head"` // hash of the last entry
	// Passed says whether the entry that the caller had noted earlier was met.
	Passed bool `json:"passed"`
}

// AuditVerifyArgs are the arguments of the verb.
type AuditVerifyArgs struct {
	Expect string `json:"expect,omitempty"` // a hash that was noted earlier: it has to be in the chain
}

// auditVerifyVerb follows the chain of the whole log.
func auditVerifyVerb(ctx context.Context, s *Server, raw json.RawMessage, progress func(Progress)) (any, error) {
	var args AuditVerifyArgs
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, Invalidf("arguments", "cannot be read: %v", err)
	}
	total, err := s.st.Audit(ctx, store.AuditQuery{}, nil)
	if err != nil {
		return nil, err
	}
	out := AuditState{Passed: args.Expect == ""}
	err = s.st.VerifyAudit(ctx, func(seq int64, head audit.Hash) {
		out.Entries, out.Head = seq, head.String()
		out.Passed = out.Passed || out.Head == args.Expect
		if seq%1000 == 0 {
			progress(Progress{Text: "entries", Done: seq, Of: int64(total)})
		}
	})
	if err != nil {
		return nil, err
	}
	if !out.Passed {
		return nil, fmt.Errorf("no entry has the hash %s: the log was cut after it, or made anew: %w", args.Expect, audit.ErrBroken)
	}
	return out, nil
}
