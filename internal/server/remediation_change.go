package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
)

// systemName is who does what follows from the fleet alone.
const systemName = "System"

// transition is a change of an activity's status.
type transition struct {
	a      *activity
	to     store.RemediationStatus
	what   string // completed, reopened
	detail string
	who    string
	at     RemediationProgress
}

// apply stores a move, with what has to go out for it, and makes it known. An
// activity that somebody else moved meanwhile is ErrConflict.
func (s *Server) apply(ctx context.Context, m transition) error {
	audit.Change(ctx, m.a.ID, map[string]any{"status": m.a.Status}, map[string]any{"status": m.to.Status, "note": m.detail})
	list, err := s.st.Deliveries(ctx, m.a.ID)
	if err != nil {
		return fmt.Errorf("read tickets of %s: %w", m.a.ID, err)
	}
	dests, err := s.destinations(ctx)
	if err != nil {
		return err
	}
	var out []store.Delivery
	for _, first := range list {
		dest, ok := dests[first.Destination]
		if first.Event != "created" || !ok || dest.Removed {
			continue
		}
		d, err := s.delivery(m.a, first.Destination, m.what, first.Key, m.who, m.to.At, m.at)
		if err != nil {
			return err
		}
		out = append(out, d)
	}
	ev := store.RemediationEvent{At: m.to.At, Who: m.who, What: m.what, Detail: m.detail}
	err = s.st.ChangeRemediation(ctx, m.a.ID, m.a.Status, m.to, ev, out)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("remediation %q was changed meanwhile: look at it again: %w", m.a.ID, ErrConflict)
	}
	if err != nil {
		return err
	}
	s.core.remediations.change(m.a.ID, func(a *activity) { a.RemediationStatus = m.to })
	s.log.InfoContext(ctx, "remediation "+m.what, "remediation", m.a.ID, "method", m.to.Method, "by", m.who)
	s.remediationChanged(m.a.ID)
	return nil
}

// CompleteRemediation marks an activity as completed, whatever the fleet says.
func (s *Server) CompleteRemediation(ctx context.Context, caller Caller, id, note string) (Remediation, error) {
	if err := s.need(caller, RemediationWrite); err != nil {
		return Remediation{}, err
	}
	if err := checkNote(note); err != nil {
		return Remediation{}, err
	}
	a, p, err := s.mine(caller, id)
	if err != nil {
		return Remediation{}, err
	}
	if a.Status != RemediationActive {
		return Remediation{}, fmt.Errorf("the activity is completed already: %w", ErrConflict)
	}
	to := store.RemediationStatus{Status: RemediationCompleted, At: time.Now().UTC(), Method: CompletedManual, CompletedBy: caller.Name, CompletedByID: caller.id()}
	if err := s.apply(ctx, transition{a: a, to: to, what: "completed", detail: note, who: caller.Name, at: p.progress()}); err != nil {
		return Remediation{}, err
	}
	return s.remediation(ctx, caller, id)
}

// ReopenRemediation makes a completed activity active again. One whose targets
// are all fixed would be completed again at once; that is refused.
func (s *Server) ReopenRemediation(ctx context.Context, caller Caller, id, note string) (Remediation, error) {
	if err := s.need(caller, RemediationWrite); err != nil {
		return Remediation{}, err
	}
	if err := checkNote(note); err != nil {
		return Remediation{}, err
	}
	a, p, err := s.mine(caller, id)
	if err != nil {
		return Remediation{}, err
	}
	at := p.progress()
	switch {
	case a.Status != RemediationCompleted:
		return Remediation{}, fmt.Errorf("the activity is active already: %w", ErrConflict)
	case a.tracked() && at.Fixed == int(a.targets.GetCardinality()):
		return Remediation{}, fmt.Errorf("every target is fixed: the activity would be completed again at once. It opens by itself when a target is exposed again: %w", ErrConflict)
	}
	to := store.RemediationStatus{Status: RemediationActive, At: time.Now().UTC()}
	if err := s.apply(ctx, transition{a: a, to: to, what: "reopened", detail: note, who: caller.Name, at: at}); err != nil {
		return Remediation{}, err
	}
	return s.remediation(ctx, caller, id)
}

func checkNote(note string) error {
	if len([]rune(note)) > maxNotes {
		return Invalidf("note", "must have at most %d characters", maxNotes)
	}
	return nil
}

// EditRemediation changes priority, due date and notes.
func (s *Server) EditRemediation(ctx context.Context, caller Caller, id, priority, due, notes string) (Remediation, error) {
	if err := s.need(caller, RemediationWrite); err != nil {
		return Remediation{}, err
	}
	a, _, err := s.mine(caller, id)
	if err != nil {
		return Remediation{}, err
	}
	at, err := checkPlan(a.Type, priority, due, notes)
	if err != nil {
		return Remediation{}, err
	}
	notes = strings.TrimSpace(notes)
	var what []string
	if priority != a.Priority {
		what = append(what, "priority "+a.Priority+" → "+priority)
	}
	if !at.Equal(a.Due) {
		what = append(what, "due "+day(a.Due)+" → "+day(at))
	}
	if notes != a.Notes {
		what = append(what, "notes changed")
	}
	if len(what) > 0 {
		ev := store.RemediationEvent{At: time.Now().UTC(), Who: caller.Name, What: "edited", Detail: strings.Join(what, ", ")}
		audit.Change(ctx, id, map[string]string{"priority": a.Priority, "due": day(a.Due), "notes": a.Notes}, map[string]string{"priority": priority, "due": day(at), "notes": notes})
		if err := s.st.EditRemediation(ctx, id, priority, at, notes, ev); err != nil {
			return Remediation{}, err
		}
		s.core.remediations.change(id, func(a *activity) { a.Priority, a.Due, a.Notes = priority, at, notes })
		s.remediationChanged(id)
	}
	return s.remediation(ctx, caller, id)
}

func day(t time.Time) string {
	if t.IsZero() {
		return "none"
	}
	return t.Format(dueLayout)
}

// followRest is how long changes of the fleet are gathered, followMost how long at most.
const (
	followRest = 300 * time.Millisecond
	followMost = 3 * time.Second
)

// touchedDevices gathers which devices changed.
type touchedDevices struct {
	all  bool
	nums *roaring.Bitmap
	ids  map[string]bool // of activities
}

func (t *touchedDevices) empty() bool { return !t.all && t.nums.IsEmpty() && len(t.ids) == 0 }

// add notes an event.
func (s *Server) gather(t *touchedDevices, ev LiveEvent) {
	switch {
	case ev.Resource == "device" && ev.ID != "":
		s.core.mu.RLock()
		num, ok := s.core.byID[inventory.DeviceID(ev.ID)]
		s.core.mu.RUnlock()
		if ok {
			t.nums.Add(num)
		}
	case ev.Resource == "remediation":
		t.ids[ev.ID] = true
	case ev.Resource == "all" || ev.Resource == "device" || ev.Resource == "intel":
		t.all = true
	}
}

// runRemediations completes and re-opens activities as the fleet changes, until
// ctx ends: it wakes up for changes and looks only at activities with a target
// that changed.
func (s *Server) runRemediations(ctx context.Context) error {
	events := s.live.subscribe(ctx)
	t := &touchedDevices{all: true, nums: roaring.New(), ids: map[string]bool{}}
	for {
		if !t.empty() {
			s.follow(ctx, t)
			t = &touchedDevices{nums: roaring.New(), ids: map[string]bool{}}
		}
		ev, ok := <-events
		if !ok {
			return ctx.Err()
		}
		s.gather(t, ev)
		if t.empty() {
			continue
		}
		rest, most := time.NewTimer(followRest), time.NewTimer(followMost)
	wait:
		for {
			select {
			case ev, ok := <-events:
				if !ok {
					return ctx.Err()
				}
				s.gather(t, ev)
				rest.Reset(followRest)
			case <-rest.C:
				break wait
			case <-most.C:
				break wait
			}
		}
		rest.Stop()
		most.Stop()
	}
}

// follow moves the activities that a change concerns.
func (s *Server) follow(ctx context.Context, t *touchedDevices) {
	s.followFixes(ctx, t)
	moves, seen := s.moves(t, time.Now().UTC())
	if seen {
		s.live.publish(LiveEvent{Resource: "remediations"})
	}
	for _, m := range moves {
		if err := s.apply(ctx, m); err != nil && ctx.Err() == nil && !errors.Is(err, ErrConflict) {
			s.log.ErrorContext(ctx, "follow remediation", "remediation", m.a.ID, "error", err)
		}
	}
}

// followFixes turns activities that had nothing to install into what is
// recommended now that a fix exists, or that the release line has ended: from then
// on their progress is measured. Targets, priority and notes stay.
func (s *Server) followFixes(ctx context.Context, t *touchedDevices) {
	type step struct {
		a    *activity
		next RecommendationRef
	}
	var steps []step
	c := s.core
	c.mu.RLock()
	for _, a := range c.remediations.all() {
		if !t.all && !a.targets.Intersects(t.nums) && !t.ids[a.ID] {
			continue
		}
		if next, ok := c.followed(a); ok {
			steps = append(steps, step{a, next})
		}
	}
	c.mu.RUnlock()
	for _, st := range steps {
		if err := s.turn(ctx, st.a, st.next); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "follow a fix", "remediation", st.a.ID, "error", err)
		}
	}
}

// turn makes an activity one for another recommendation.
func (s *Server) turn(ctx context.Context, a *activity, next RecommendationRef) error {
	system := Caller{Name: systemName, Permissions: []string{RecommendationRead}, Scope: exposure.Everywhere()}
	rec, err := s.Recommendation(ctx, system, next.ID)
	if err == nil {
		rec, err = s.forGroups(ctx, system, rec, a.spec.Groups)
	}
	if err != nil {
		return err
	}
	to := *a
	to.Recommendation, to.Type, to.Title = next.ID, next.Type, next.Name
	to.spec.says(&rec)
	to.spec.Weaknesses = nil
	if to.Spec, err = json.Marshal(to.spec); err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	ev := store.RemediationEvent{At: time.Now().UTC(), Who: systemName, What: "turned", Detail: a.Title + " → " + next.Name}
	if err := s.st.TurnRemediation(ctx, a.Remediation, to.Remediation, ev); err != nil {
		return err
	}
	to.Spec = nil
	s.core.remediations.turn(a, &to)
	s.log.InfoContext(ctx, "remediation turned", "remediation", a.ID, "from", a.Recommendation, "to", to.Recommendation)
	s.remediationChanged(a.ID)
	return nil
}

// moves says which activities are to be completed or re-opened; seen that the
// progress of some may have changed.
func (s *Server) moves(t *touchedDevices, now time.Time) (out []transition, seen bool) {
	known := causeMemo{}
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, a := range c.remediations.all() {
		touched := t.all || a.targets.Intersects(t.nums)
		seen = seen || touched
		watched := a.Status == RemediationActive || a.Method == CompletedAutomatic
		if !a.tracked() || !watched || !touched && !t.ids[a.ID] {
			continue
		}
		p := c.partition(a.targets, known.of(c, a))
		n := p.progress()
		switch {
		case a.Status == RemediationActive && n.Targets > 0 && n.Fixed == n.Targets:
			out = append(out, transition{a: a, what: "completed", who: SystemConfirmation, at: n, detail: "all " + plural(n.Targets, "target", "targets") + " fixed",
				to: store.RemediationStatus{Status: RemediationCompleted, At: now, Method: CompletedAutomatic, CompletedBy: SystemConfirmation}})
		case a.Status == RemediationCompleted && n.Exposed > 0:
			out = append(out, transition{a: a, what: "reopened", who: systemName, at: n, detail: plural(n.Exposed, "target", "targets") + " exposed again" + c.names(p.exposed),
				to: store.RemediationStatus{Status: RemediationActive, At: now}})
		}
	}
	return out, seen
}

// names lists the first few devices of a set.
func (c *core) names(set *roaring.Bitmap) string {
	var names []string
	for it := set.Iterator(); it.HasNext() && len(names) < 3; {
		if d := c.at(it.Next()); d != nil {
			names = append(names, d.sum.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	if int(set.GetCardinality()) > len(names) {
		names = append(names, "…")
	}
	return ": " + strings.Join(names, ", ")
}

// topRemediations are the activities under way, the most pressing first:
// overdue, then by priority, then by due date. The caller holds mu for reading.
func (c *core) topRemediations(l lens, now time.Time) ([]TopRemediation, int) {
	rows := slices.DeleteFunc(c.remediationRows(l, now), func(r *RemediationRow) bool { return r.Status != RemediationActive })
	n := len(rows)
	top := window(rows, func(a, b *RemediationRow) int {
		over := func(r *RemediationRow) int {
			if r.Overdue {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(over(a), over(b)), cmp.Compare(slices.Index(priorities, a.Priority), slices.Index(priorities, b.Priority)),
			strings.Compare(cmp.Or(a.Due, "9999"), cmp.Or(b.Due, "9999")), a.CreatedAt.Compare(b.CreatedAt), strings.Compare(a.ID, b.ID))
	}, 0, topRows)
	out := make([]TopRemediation, 0, len(top))
	for _, r := range top {
		out = append(out, TopRemediation{ID: r.ID, Title: r.Title, Type: r.Type, Priority: r.Priority, Due: r.Due, Overdue: r.Overdue, Tracked: r.Tracked, Progress: r.Progress})
	}
	return out, n
}
