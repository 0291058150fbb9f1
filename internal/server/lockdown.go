package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/store"
)

// Lockdown denies every action on agents to everybody, until two different
// administrators have lifted it.
type Lockdown struct {
	On     bool           `json:"on"`
	Since  time.Time      `json:"since,omitzero"`
	By     string         `json:"by,omitempty"`
	Reason string         `json:"reason,omitempty"`
	Lifts  []LockdownLift `json:"lifts" doc:"Administrators who want to lift it; with the second it ends."`
}

// LockdownLift is an administrator's word that a lockdown may end.
type LockdownLift struct {
	UserID int64     `json:"user_id"`
	Name   string    `json:"name"`
	At     time.Time `json:"at"`
	Until  time.Time `json:"until"` // it counts no more
}

// LockdownError says that a lockdown holds. It is an ErrDenied.
type LockdownError struct{ By string }

// Error says what holds and how it ends.
func (e *LockdownError) Error() string {
	return "Lockdown: nothing can be done on devices until two administrators lift it. It was put on by " + e.By + "."
}

// Is makes every LockdownError an ErrDenied.
func (e *LockdownError) Is(target error) bool { return target == ErrDenied }

const (
	lockdownSetting = "lockdown"
	liftLife        = 24 * time.Hour
	liftsNeeded     = 2
)

// guard knows what stands before every action: the lockdown and the rules of approval.
type guard struct {
	mu       sync.Mutex // one change at a time
	lockdown atomic.Pointer[Lockdown]
	policy   atomic.Pointer[ApprovalPolicy]
}

func (g *guard) load(ctx context.Context, st *store.Store) error {
	l, p := Lockdown{Lifts: []LockdownLift{}}, ApprovalPolicy{Rules: []ApprovalRule{}}
	for name, v := range map[string]any{lockdownSetting: &l, approvalSetting: &p} {
		raw, err := st.Setting(ctx, name)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err == nil {
			err = json.Unmarshal(raw, v)
		}
		if err != nil {
			return fmt.Errorf("read setting %s: %w", name, err)
		}
	}
	g.lockdown.Store(&l)
	g.policy.Store(&p)
	return nil
}

// open is nil while no lockdown holds.
func (g *guard) open() error {
	if l := g.lockdown.Load(); l.On {
		return &LockdownError{By: l.By}
	}
	return nil
}

// Lockdown is the lockdown as it is now.
func (s *Server) Lockdown(_ context.Context, c Caller) (Lockdown, error) {
	if err := s.need(c, MachineRead); err != nil {
		return Lockdown{}, err
	}
	return *s.guard.lockdown.Load(), nil
}

// StartLockdown puts a lockdown on at once, or puts it on anew, which takes
// back every word to lift it. What waits for an approval or was approved and is
// not carried out yet is cancelled.
func (s *Server) StartLockdown(ctx context.Context, c Caller, reason string) (Lockdown, error) {
	if err := s.need(c, ManageSettings); err != nil {
		return Lockdown{}, err
	}
	reason = strings.TrimSpace(reason)
	if reason == "" {
		return Lockdown{}, Invalidf("reason", "say why: everybody reads it")
	}
	if err := checkComment("reason", reason); err != nil {
		return Lockdown{}, err
	}
	g := &s.guard
	g.mu.Lock()
	defer g.mu.Unlock()
	was := g.lockdown.Load()
	now := &Lockdown{On: true, Since: s.now(), By: c.Name, Reason: reason, Lifts: []LockdownLift{}}
	g.lockdown.Store(now) // first: nothing is sent from here on
	raw, err := json.Marshal(now)
	if err == nil {
		audit.Change(ctx, "lockdown", was, now)
		var cancelled int64
		cancelled, err = s.st.Lockdown(ctx, lockdownSetting, raw, s.now(), c.Name, "Cancelled by the lockdown of "+c.Name+".")
		s.log.WarnContext(ctx, "lockdown", "by", c.Name, "cancelled", cancelled, "error", err)
	}
	if err != nil {
		g.lockdown.Store(was)
		return Lockdown{}, err
	}
	s.publishLockdown()
	return *now, nil
}

func (s *Server) publishLockdown() {
	for _, what := range []string{"lockdown", "status", "approvals"} {
		s.live.publish(LiveEvent{Resource: what})
	}
}

// setLockdown stores another state. The caller holds guard.mu.
func (s *Server) setLockdown(ctx context.Context, now *Lockdown) error {
	raw, err := json.Marshal(now)
	if err != nil {
		return fmt.Errorf("encode lockdown: %w", err)
	}
	audit.Change(ctx, "lockdown", s.guard.lockdown.Load(), now)
	if err := s.st.SetSetting(ctx, lockdownSetting, raw); err != nil {
		return err
	}
	s.guard.lockdown.Store(now)
	s.publishLockdown()
	return nil
}

// LiftLockdown is an administrator's word that a lockdown may end. It ends with
// the word of a second one within a day. Each gives it in a session of the own;
// an account that was made after the lockdown began has no word.
func (s *Server) LiftLockdown(ctx context.Context, c Caller) (Lockdown, error) {
	if err := s.need(c, ManageSettings); err != nil {
		return Lockdown{}, err
	}
	g := &s.guard
	g.mu.Lock()
	defer g.mu.Unlock()
	was, at := g.lockdown.Load(), s.now()
	if !was.On {
		return Lockdown{}, fmt.Errorf("there is no lockdown: %w", ErrConflict)
	}
	if err := s.ownEyes(ctx, c, was.Since); err != nil {
		return Lockdown{}, err
	}
	now := *was
	now.Lifts = slices.DeleteFunc(slices.Clone(was.Lifts), func(l LockdownLift) bool { return l.UserID == c.UserID || !l.Until.After(at) })
	if kept := len(now.Lifts); kept > 0 { // whoever gave the first word has to be an administrator still
		now.Lifts = slices.DeleteFunc(now.Lifts, func(l LockdownLift) bool {
			who, err := s.personCaller(ctx, l.UserID)
			return err != nil || !who.Has(ManageSettings)
		})
	}
	now.Lifts = append(now.Lifts, LockdownLift{UserID: c.UserID, Name: c.Name, At: at, Until: at.Add(liftLife)})
	if len(now.Lifts) >= liftsNeeded {
		now = Lockdown{Lifts: []LockdownLift{}}
	}
	if err := s.setLockdown(ctx, &now); err != nil {
		return Lockdown{}, err
	}
	s.log.WarnContext(ctx, "lockdown: word to lift it", "by", c.Name, "lifted", !now.On)
	return now, nil
}

// KeepLockdown takes back the caller's word to lift a lockdown.
func (s *Server) KeepLockdown(ctx context.Context, c Caller) (Lockdown, error) {
	if err := s.need(c, ManageSettings); err != nil {
		return Lockdown{}, err
	}
	g := &s.guard
	g.mu.Lock()
	defer g.mu.Unlock()
	now := *g.lockdown.Load()
	now.Lifts = slices.DeleteFunc(slices.Clone(now.Lifts), func(l LockdownLift) bool { return l.UserID == c.UserID })
	if len(now.Lifts) == len(g.lockdown.Load().Lifts) {
		return Lockdown{}, fmt.Errorf("you did not ask to lift it: %w", ErrConflict)
	}
	return now, s.setLockdown(ctx, &now)
}

// ownEyes is nil for a person in a session of the own, with an account that is
// older than what is to be decided: nobody makes a second pair of eyes afterwards.
func (s *Server) ownEyes(ctx context.Context, c Caller, since time.Time) error {
	if c.UserID == 0 || c.App != "" || c.session == "" {
		return &PolicyError{Message: "Only a person who is signed in to the console can do this, not a program and not the command line."}
	}
	who, err := s.st.AccountByID(ctx, c.UserID)
	if err != nil {
		return notFound(err)
	}
	if who.Created.After(since) {
		return &PolicyError{Message: "Your account was made after this began, so somebody else has to decide."}
	}
	return nil
}

// LockdownArgs are those of the verbs "lockdown on" and "lockdown break-glass".
type LockdownArgs struct {
	Reason string `json:"reason"`
}

// lockdownVerbs are "picket lockdown …".
func lockdownVerbs() map[string]AdminVerb {
	return map[string]AdminVerb{
		"lockdown status": func(ctx context.Context, s *Server, _ json.RawMessage, _ func(Progress)) (any, error) {
			return s.Lockdown(ctx, LocalCaller())
		},
		"lockdown on": func(ctx context.Context, s *Server, raw json.RawMessage, _ func(Progress)) (any, error) {
			args, err := verbArgs[LockdownArgs](raw)
			if err != nil {
				return nil, err
			}
			return s.StartLockdown(ctx, LocalCaller(), args.Reason)
		},
		"lockdown break-glass": breakGlassVerb,
	}
}

// breakGlassVerb ends a lockdown without the second administrator, for whoever
// holds the data directory and could change it there anyway.
func breakGlassVerb(ctx context.Context, s *Server, raw json.RawMessage, _ func(Progress)) (any, error) {
	args, err := verbArgs[LockdownArgs](raw)
	if err != nil {
		return nil, err
	}
	args.Reason = strings.TrimSpace(args.Reason)
	if args.Reason == "" {
		return nil, Invalidf("reason", "say why: it stays in the audit log")
	}
	if err := checkComment("reason", args.Reason); err != nil {
		return nil, err
	}
	g := &s.guard
	g.mu.Lock()
	defer g.mu.Unlock()
	was := g.lockdown.Load()
	if !was.On {
		return nil, fmt.Errorf("there is no lockdown: %w", ErrConflict)
	}
	now := Lockdown{Lifts: []LockdownLift{}}
	raw, err = json.Marshal(now)
	if err != nil {
		return nil, err
	}
	audit.Change(ctx, "lockdown", was, map[string]any{"on": false, "break_glass": args.Reason})
	if err := s.st.SetSetting(ctx, lockdownSetting, raw); err != nil {
		return nil, err
	}
	g.lockdown.Store(&now)
	s.log.WarnContext(ctx, "lockdown ended by break-glass on the server", "reason", args.Reason)
	s.publishLockdown()
	return now, nil
}
