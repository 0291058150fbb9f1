package server

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/posture"
	"github.com/picketsec/picket/internal/store"
)

var priorities = []string{"High", "Medium", "Low"}

const (
	maxNotes        = 4000 // characters
	maxDestinations = 10   // of one activity
	dueLayout       = "2006-01-02"
)

// newID is a random UUID (version 4).
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0F|0x40, b[8]&0x3F|0x80
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// id names a caller for good: a person by number, a program by its client id,
// with that of the person whom it acts for.
func (c Caller) id() string {
	if c.delegated {
		return c.App + "/" + strconv.FormatInt(c.UserID, 10)
	}
	if c.App != "" {
		return c.App
	}
	return strconv.FormatInt(c.UserID, 10)
}

// remediationTypes are what may be asked for with a recommendation, the
// recommended one first: software can be uninstalled, whether it has a fix or not,
// but not the release of an operating system; and one may just draw attention.
func remediationTypes(row *RecommendationRow) []string {
	out := []string{row.Type}
	if row.Type == RemedyConfigure {
		return out
	}
	if row.Category != string(posture.OS) && row.Type != RemedyUninstall {
		out = append(out, RemedyUninstall)
	}
	if row.Type != RemedyAttention {
		out = append(out, RemedyAttention)
	}
	return out
}

// checkPlan checks what both a request and an edit say.
func checkPlan(kind, priority, due, notes string) (time.Time, error) {
	if !slices.Contains(priorities, priority) {
		return time.Time{}, Invalidf("priority", "%q is not one of %s", priority, strings.Join(priorities, ", "))
	}
	if len([]rune(notes)) > maxNotes {
		return time.Time{}, Invalidf("notes", "must have at most %d characters", maxNotes)
	}
	if due == "" {
		return time.Time{}, nil
	}
	if kind == RemedyAttention {
		return time.Time{}, Invalidf("due", "must be empty with attention required: there is nothing whose end could be measured")
	}
	at, err := time.Parse(dueLayout, due)
	if err != nil || at.Year() < 2000 || at.Year() > 2200 {
		return time.Time{}, Invalidf("due", "%q is not a day like 2026-01-31", due)
	}
	return at, nil
}

// RequestRemediation makes an activity for the devices that are exposed now.
// It changes nothing on devices. With destinations, what goes to them is stored
// with the activity and sent afterwards.
func (s *Server) RequestRemediation(ctx context.Context, caller Caller, in RemediationRequest) (Remediation, error) {
	if err := s.need(caller, RemediationWrite); err != nil {
		return Remediation{}, err
	}
	if err := s.checkDestinations(ctx, in.Destinations); err != nil {
		return Remediation{}, err
	}
	a, err := s.newActivity(ctx, caller, in)
	if err != nil {
		return Remediation{}, err
	}
	audit.Change(ctx, a.ID, nil, map[string]any{"recommendation": in.Recommendation, "type": a.Type, "priority": a.Priority, "due": day(a.Due), "notes": a.Notes, "unnoticed": a.spec.Unnoticed})
	if err := s.saveRequests(ctx, []*activity{a}, in.Destinations); err != nil {
		return Remediation{}, err
	}
	return s.remediation(ctx, caller, a.ID)
}

// newActivity makes the activity of a request, which is not stored yet.
func (s *Server) newActivity(ctx context.Context, caller Caller, in RemediationRequest) (*activity, error) {
	due, err := checkPlan(in.Type, in.Priority, in.Due, in.Notes)
	if err != nil {
		return nil, err
	}
	rec, err := s.recommendationFor(ctx, caller, in.Recommendation)
	if err != nil {
		return nil, err
	}
	if allowed := remediationTypes(&rec.RecommendationRow); !slices.Contains(allowed, in.Type) {
		return nil, Invalidf("type", "%q is not one of %s", in.Type, strings.Join(allowed, ", "))
	}
	now, title := time.Now().UTC(), rec.Name
	if in.Type == RemedyUninstall {
		title = s.core.remedyName(rec.ProductID, exposure.Uninstall, rec.Component)
	}
	a := &activity{spec: remediationSpec{Groups: in.Groups, Unnoticed: in.Unnoticed, Ecosystem: rec.Ecosystem}}
	a.Remediation = store.Remediation{ID: newID(), Recommendation: rec.ID, Type: in.Type, Title: title, Priority: in.Priority, Due: due, Notes: strings.TrimSpace(in.Notes),
		Created: now, CreatedBy: caller.Name, CreatedByID: caller.id(), RemediationStatus: store.RemediationStatus{Status: RemediationActive, At: now}}
	if a.targets, err = s.targets(caller, a); err != nil {
		return nil, err
	}
	if rec, err = s.forGroups(ctx, caller, rec, in.Groups); err != nil {
		return nil, err
	}
	a.spec.says(&rec)
	if in.Type == RemedyUninstall && rec.Type != RemedyUninstall {
		a.spec.Description, a.spec.Steps, a.spec.Version = removal(&rec), removalSteps(), ""
	}
	if in.Unnoticed {
		return a, s.onlyUnnoticed(ctx, a)
	}
	return a, nil
}

// says takes in what a recommendation tells whoever carries it out.
func (a *remediationSpec) says(r *Recommendation) {
	a.Description, a.Steps, a.Component, a.Vendor = r.task(), r.Steps, r.Component, r.Vendor
	a.ProductID, a.Ecosystem, a.Version, a.Category = r.ProductID, r.Ecosystem, r.Version, r.Category
}

// forGroups is a recommendation as it is in some device groups: the steps for
// systems that are not among them are not in it. Without groups, and where
// only devices in no score are left of it, it is the one given.
func (s *Server) forGroups(ctx context.Context, caller Caller, rec Recommendation, groups []uint32) (Recommendation, error) {
	if len(groups) == 0 {
		return rec, nil
	}
	some := make([]exposure.Group, len(groups))
	for i, g := range groups {
		some[i] = exposure.Group(g)
	}
	caller.Groups = caller.looks().Only(some).Groups()
	of, err := s.recommendationFor(ctx, caller, rec.ID)
	if errors.Is(err, ErrNotFound) {
		return rec, nil
	}
	return of, err
}

// recommendationFor is Recommendation for a caller who may request remediation.
func (s *Server) recommendationFor(ctx context.Context, caller Caller, id string) (Recommendation, error) {
	caller.Permissions = append(slices.Clone(caller.Permissions), RecommendationRead)
	rec, err := s.Recommendation(ctx, caller, id)
	if errors.Is(err, ErrNotFound) {
		return rec, fmt.Errorf("recommendation %q: no device needs it (any more): %w", id, ErrNotFound)
	}
	return rec, err
}

// targets are the exposed devices that an activity is for.
func (s *Server) targets(caller Caller, a *activity) (*roaring.Bitmap, error) {
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	var groups []exposure.Group
	for _, g := range a.spec.Groups {
		name, ok := Ungrouped, true
		if g != 0 {
			name, ok = c.sorting.names[exposure.Group(g)]
		}
		if !ok || g > lastGroup || !caller.sees().Has(exposure.Group(g)) {
			return nil, Invalidf("groups", "%d is not the number of a device group", g)
		}
		groups = append(groups, exposure.Group(g))
		a.spec.GroupNames = append(a.spec.GroupNames, name)
	}
	t := c.causeOf(a.Recommendation, a.spec.Ecosystem, false).there
	t.And(c.active()) // also devices that are in no score: what they fail is to be mended all the same
	t = c.lensOf(caller.looks().Only(groups)).of(t)
	if t.IsEmpty() {
		return nil, Invalidf("groups", "no device of these groups is exposed")
	}
	if product, remedy, ok := parseRecommendation(a.Recommendation); ok && remedy == exposure.Attention && a.Type != RemedyUninstall {
		a.spec.Weaknesses = c.weaknessesOf(product, remedy, t)
	}
	t.RunOptimize()
	return t, nil
}

// saveRequests stores activities with what goes out for them, all or none, and
// makes them known.
func (s *Server) saveRequests(ctx context.Context, list []*activity, destinations []string) (err error) {
	rows := make([]store.NewRemediation, 0, len(list))
	for _, a := range list {
		if a.Spec, err = json.Marshal(a.spec); err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
		if a.Targets, err = a.targets.ToBytes(); err != nil {
			return fmt.Errorf("encode targets: %w", err)
		}
		n := int(a.targets.GetCardinality())
		what := plural(n, "exposed device", "exposed devices")
		if a.spec.Unnoticed {
			what += " without user impact"
		}
		row := store.NewRemediation{Remediation: &a.Remediation, Event: store.RemediationEvent{At: a.Created, Who: a.CreatedBy, What: "requested", Detail: what}}
		for _, id := range destinations {
			d, err := s.delivery(a, id, "created", "", a.CreatedBy, a.Created, RemediationProgress{Targets: n})
			if err != nil {
				return err
			}
			row.Out = append(row.Out, d)
		}
		rows = append(rows, row)
	}
	if err := s.st.AddRemediations(ctx, rows); err != nil {
		return err
	}
	for i, a := range list {
		a.Spec, a.Targets, a.tickets = nil, nil, ticketSummary(rows[i].Out)
		s.core.remediations.put(a)
	}
	for _, a := range list {
		s.log.InfoContext(ctx, "remediation requested", "remediation", a.ID, "recommendation", a.Recommendation, "targets", a.targets.GetCardinality(), "by", a.CreatedBy)
		s.remediationChanged(a.ID)
	}
	return nil
}

// remediationChanged tells consoles and workers of a change that is stored.
func (s *Server) remediationChanged(id string) {
	s.live.publish(LiveEvent{Resource: "remediation", ID: id})
	s.tickets.wake()
}

func remediationList(now time.Time) *list[RemediationRow] {
	rank := func(p string) int { return -slices.Index(priorities, p) }
	share := func(r *RemediationRow) float64 {
		if !r.Tracked || r.Progress.Targets == 0 {
			return -1
		}
		return float64(r.Progress.Fixed) / float64(r.Progress.Targets)
	}
	due := func(r *RemediationRow) string { return cmp.Or(r.Due, "9999") }
	return &list[RemediationRow]{
		text: func(r *RemediationRow, has func(string) bool) bool {
			return has(r.Title) || has(r.Component) || has(r.Vendor) || has(r.CreatedBy) || has(r.Notes) || has(r.ID)
		},
		filters: map[string]func(*RemediationRow, []string) bool{
			"type":           oneOf(func(r *RemediationRow) string { return r.Type }),
			"status":         oneOf(func(r *RemediationRow) string { return r.Status }),
			"priority":       oneOf(func(r *RemediationRow) string { return r.Priority }),
			"ticket":         oneOf(func(r *RemediationRow) string { return r.Ticket }),
			"overdue":        truth(func(r *RemediationRow) bool { return r.Overdue }),
			"recommendation": oneOf(func(r *RemediationRow) string { return r.Recommendation }),
		},
		values: map[string][]string{"type": remedyWords, "status": {RemediationActive, RemediationCompleted}, "priority": priorities, "ticket": ticketWords, "overdue": yesNo},
		order: map[string]func(a, b *RemediationRow) int{
			"title":     byText(func(r *RemediationRow) string { return r.Title }),
			"component": byText(func(r *RemediationRow) string { return r.Component }),
			"type":      byText(func(r *RemediationRow) string { return r.Type }),
			"status":    byText(func(r *RemediationRow) string { return r.Status }),
			"progress":  byNumber(share),
			"priority":  byNumber(func(r *RemediationRow) int { return rank(r.Priority) }),
			"due":       byText(due),
			"created":   byTime(func(r *RemediationRow) time.Time { return r.CreatedAt }),
			"completed": byTime(func(r *RemediationRow) time.Time { return r.StatusAt }),

			"ticket":       byNumber(func(r *RemediationRow) int { return slices.Index(ticketWords, r.Ticket) }),
			"created_by":   byText(func(r *RemediationRow) string { return r.CreatedBy }),
			"completed_by": byText(func(r *RemediationRow) string { return r.CompletedBy }),
			"targets":      byNumber(func(r *RemediationRow) int { return r.Progress.Targets }),
		},
		tie:     func(a, b *RemediationRow) int { return strings.Compare(a.ID, b.ID) },
		initial: []string{"-created"},
	}
}

// remediationRow is an activity as lists show it. The caller holds mu for reading.
func (c *core) remediationRow(l lens, a *activity, p RemediationProgress, now time.Time) *RemediationRow {
	r := &RemediationRow{ID: a.ID, Title: a.Title, Recommendation: a.Recommendation, ProductID: a.spec.ProductID, Component: a.spec.Component, Vendor: a.spec.Vendor,
		Version: a.spec.Version, Type: a.Type, Category: a.spec.Category, Status: a.Status, StatusAt: a.At, Tracked: a.tracked(), Progress: p, Priority: a.Priority,
		CreatedAt: a.Created, CreatedBy: a.CreatedBy, CompletionMethod: a.Method, CompletedBy: a.CompletedBy, Groups: []string{}, Unnoticed: a.spec.Unnoticed, Notes: a.Notes, Ticket: cmp.Or(a.tickets, "none"),
		CreatedByID: a.CreatedByID, CompletedByID: a.CompletedByID, Description: a.spec.Description, DueAt: a.Due}
	for i, name := range a.spec.GroupNames {
		if i < len(a.spec.Groups) && l.sees.Has(exposure.Group(a.spec.Groups[i])) {
			r.Groups = append(r.Groups, name)
		}
	}
	if !a.Due.IsZero() {
		r.Due = a.Due.Format(dueLayout)
		r.Overdue = a.Status == RemediationActive && now.After(a.Due.Add(24*time.Hour))
	}
	return r
}

// remediationRows are all activities with a target that the caller may see. The
// caller holds mu for reading.
func (c *core) remediationRows(l lens, now time.Time) []*RemediationRow {
	known := causeMemo{}
	var out []*RemediationRow
	for _, a := range c.remediations.all() {
		if !l.has(a.targets) {
			continue
		}
		p := c.partition(l.of(a.targets), known.of(c, a))
		out = append(out, c.remediationRow(l, a, p.progress(), now))
	}
	return out
}

// Remediations lists activities with their progress as it is now.
func (s *Server) Remediations(_ context.Context, caller Caller, q Query, where func(*RemediationRow) bool) (Page[RemediationRow], error) {
	if err := s.need(caller, RemediationRead, RemediationWrite); err != nil {
		return Page[RemediationRow]{}, err
	}
	now := time.Now()
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	rows := s.core.remediationRows(s.core.lens(caller), now)
	if where != nil {
		rows = slices.DeleteFunc(rows, func(r *RemediationRow) bool { return !where(r) })
	}
	return remediationList(now).page(q, rows)
}

// visible is an activity that has a target which the caller sees, and its parts.
func (s *Server) visible(caller Caller, id string) (*activity, parts, error) {
	a, err := s.core.remediations.get(id)
	if err != nil {
		return nil, parts{}, err
	}
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	l := s.core.lens(caller)
	if !l.has(a.targets) {
		return nil, parts{}, fmt.Errorf("remediation %q: %w", id, ErrNotFound)
	}
	targets := l.of(a.targets)
	return a, s.core.partition(targets, s.core.causeFor(a)), nil
}

// mine is visible for who changes an activity: one that has targets besides
// those that the caller sees is ErrDenied.
func (s *Server) mine(caller Caller, id string) (*activity, parts, error) {
	a, p, err := s.visible(caller, id)
	if err != nil {
		return nil, parts{}, err
	}
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	if !s.core.within(caller.sees(), a) {
		return nil, parts{}, Deniedf("the activity is for devices too that are hidden from you")
	}
	return a, p, nil
}

// within reports whether a scope holds every target of an activity that is
// there. The caller holds mu for reading.
func (c *core) within(in exposure.Scope, a *activity) bool {
	if in.All() {
		return true
	}
	for it := roaring.And(a.targets, c.fleet.Devices()).Iterator(); it.HasNext(); {
		if d := c.at(it.Next()); d != nil && !in.Has(d.group) {
			return false
		}
	}
	return true
}

// Remediation is one activity with its tickets and its history.
func (s *Server) Remediation(ctx context.Context, caller Caller, id string) (Remediation, error) {
	if err := s.need(caller, RemediationRead, RemediationWrite); err != nil {
		return Remediation{}, err
	}
	return s.remediation(ctx, caller, id)
}

func (s *Server) remediation(ctx context.Context, caller Caller, id string) (Remediation, error) {
	a, p, err := s.visible(caller, id)
	if err != nil {
		return Remediation{}, err
	}
	now := time.Now().UTC()
	out := Remediation{About: a.spec.Description, Steps: append([]string{}, a.spec.Steps...), Tickets: []TicketRow{}, History: []RemediationEvent{}, AsOf: now}
	s.core.mu.RLock()
	l := s.core.lens(caller)
	out.RemediationRow = *s.core.remediationRow(l, a, p.progress(), now)
	_, _, notThere := s.core.recommendation(l, a.Recommendation)
	whole := s.core.within(l.sees, a)
	s.core.mu.RUnlock()
	out.Open = notThere == nil
	if a.spec.Plan != "" {
		out.Plan = &PlanRef{Name: a.spec.PlanName}
		if p, err := s.saved(ctx, caller, a.spec.Plan); err == nil && caller.Has(RecommendationRead) {
			out.Plan = &PlanRef{ID: p.ID, Name: p.Name}
		}
	}
	history, err := s.st.RemediationHistory(ctx, id)
	if err != nil {
		return Remediation{}, fmt.Errorf("read history of %s: %w", id, err)
	}
	for _, e := range history {
		row := RemediationEvent(e)
		if !whole && (e.What == "requested" || e.Who == systemName || e.Who == SystemConfirmation) { // it counts and names devices
			row.Detail = ""
		}
		out.History = append(out.History, row)
	}
	if out.Tickets, err = s.ticketRows(ctx, id); err != nil {
		return Remediation{}, err
	}
	return out, nil
}

// RemediationDevices lists the targets of an activity and whether each is fixed.
func (s *Server) RemediationDevices(_ context.Context, caller Caller, id string, q Query) (Page[RemediationDevice], error) {
	if err := s.need(caller, RemediationRead, RemediationWrite); err != nil {
		return Page[RemediationDevice]{}, err
	}
	a, p, err := s.visible(caller, id)
	if err != nil {
		return Page[RemediationDevice]{}, err
	}
	now := time.Now().UTC()
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	var rows []*RemediationDevice
	for it := a.targets.Iterator(); it.HasNext(); {
		num := it.Next()
		word := p.of(num)
		if word == "" {
			continue // not for this caller
		}
		r := &RemediationDevice{State: word}
		if d := c.at(num); d != nil {
			r.ID, r.Name, r.OSName, r.LastSeen, r.OSPlatform, r.DNSName = d.id, d.sum.Name, d.sum.OSName, d.lastSeen(now), d.sum.OSPlatform, d.sum.FQDN
			r.GroupID, r.Group, r.Alerts = d.group, c.sorting.names[d.group], len(c.alerts.severities(num))
		} else {
			r.Name = "removed device " + strconv.Itoa(int(num))
		}
		rows = append(rows, r)
	}
	l := &list[RemediationDevice]{
		text: func(r *RemediationDevice, has func(string) bool) bool { return has(r.Name) || has(string(r.ID)) },
		filters: map[string]func(*RemediationDevice, []string) bool{
			"state": oneOf(func(r *RemediationDevice) string { return r.State }),
		},
		values: map[string][]string{"state": targetWords},
		order: map[string]func(a, b *RemediationDevice) int{
			"name":      byText(func(r *RemediationDevice) string { return r.Name }),
			"state":     byNumber(func(r *RemediationDevice) int { return slices.Index(targetWords, r.State) }),
			"last_seen": byTime(func(r *RemediationDevice) time.Time { return r.LastSeen }),
		},
		tie:     func(a, b *RemediationDevice) int { return strings.Compare(string(a.ID), string(b.ID)) },
		initial: []string{"-state", "name"},
	}
	return l.page(q, rows)
}
