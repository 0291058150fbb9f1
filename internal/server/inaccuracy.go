package server

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

const (
	// mostInaccuracies caps the reports that are kept.
	mostInaccuracies = 10_000
	// mostDetails caps what a person writes about one, in characters.
	mostDetails = 4000
	// mostOwn caps the open reports of a person who does not manage them.
	mostOwn = 100
	// mostEvidence caps the components whose evidence a report keeps.
	mostEvidence = 50
)

// inaccuracyKinds are what can be reported as inaccurate, each with the
// categories that are offered for it.
var inaccuracyKinds = map[string][]string{
	"software":       {"detail-wrong", "not-installed", "count-wrong", "version-wrong", "support-wrong", "not-supported", "other"},
	"weakness":       {"not-vulnerable", "fix-wrong", "severity-wrong", "detail-wrong", "count-wrong", "not-supported", "other"},
	"recommendation": {"does-not-help", "done-already", "detail-wrong", "count-wrong", "other"},
}

// InaccuracyReport is what a person says is wrong.
type InaccuracyReport struct {
	Kind     string `json:"kind" enum:"software,weakness,recommendation"`
	Subject  string `json:"subject" maxLength:"2000" doc:"Id of the software, weakness or recommendation."`
	Category string `json:"category" maxLength:"40" doc:"detail-wrong, count-wrong, not-installed, version-wrong, support-wrong, not-vulnerable, fix-wrong, severity-wrong, does-not-help, done-already, not-supported or other, as the kind has it."`
	Details  string `json:"details" maxLength:"16000" doc:"What is wrong and how one can tell; at most 4,000 characters."`
}

// InaccuracyRow is a report in the list.
type InaccuracyRow struct {
	ID        string    `json:"id"`
	At        time.Time `json:"at"`
	By        string    `json:"by"`
	Kind      string    `json:"kind"`
	Subject   string    `json:"subject"`
	Title     string    `json:"title"`
	Category  string    `json:"category"`
	Details   string    `json:"details"`
	Status    string    `json:"status"` // open, resolved
	Changed   time.Time `json:"changed"`
	ChangedBy string    `json:"changed_by"`
}

// Inaccuracy is a report with what Picket knew of its subject when it was made.
type Inaccuracy struct {
	InaccuracyRow
	Evidence json.RawMessage `json:"evidence"`
}

func inaccuracyList() *list[InaccuracyRow] {
	return &list[InaccuracyRow]{
		text: func(r *InaccuracyRow, has func(string) bool) bool {
			return has(r.Subject) || has(r.Title) || has(r.Details) || has(r.By)
		},
		filters: map[string]func(*InaccuracyRow, []string) bool{
			"status":   oneOf(func(r *InaccuracyRow) string { return r.Status }),
			"kind":     oneOf(func(r *InaccuracyRow) string { return r.Kind }),
			"category": oneOf(func(r *InaccuracyRow) string { return r.Category }),
		},
		values: map[string][]string{"status": {"open", "resolved"}, "kind": {"software", "weakness", "recommendation"}},
		order: map[string]func(a, b *InaccuracyRow) int{
			"at":      byTime(func(r *InaccuracyRow) time.Time { return r.At }),
			"title":   byText(func(r *InaccuracyRow) string { return r.Title }),
			"kind":    byText(func(r *InaccuracyRow) string { return r.Kind }),
			"status":  byText(func(r *InaccuracyRow) string { return r.Status }),
			"changed": byTime(func(r *InaccuracyRow) time.Time { return r.Changed }),
		},
		tie:     func(a, b *InaccuracyRow) int { return compareIDs(b.ID, a.ID) },
		initial: []string{"-at"},
	}
}

func inaccuracyRow(x *store.Inaccuracy) InaccuracyRow {
	return InaccuracyRow{ID: strconv.FormatInt(x.ID, 10), At: x.At, By: x.By, Kind: x.Kind, Subject: x.Subject, Title: x.Title, Category: x.Category,
		Details: x.Details, Status: x.Status, Changed: x.Changed, ChangedBy: x.ChangedBy}
}

// ownReports counts the open reports of somebody who does not manage them, and
// refuses one more than there may be.
func (s *Server) ownReports(ctx context.Context, caller Caller) error {
	if caller.Has(ManageSecurity) {
		return nil
	}
	all, err := s.st.Inaccuracies(ctx)
	if err != nil {
		return fmt.Errorf("read reports: %w", err)
	}
	own := 0
	for i := range all {
		if all[i].By == caller.Name && all[i].Status == "open" {
			own++
		}
	}
	if own >= mostOwn {
		return Invalidf("subject", "%d reports of yours are open already, which is the most", mostOwn)
	}
	return nil
}

// ReportInaccuracy stores what a person says is wrong, with what Picket knows
// of it. Nothing is sent anywhere. Every person may who may read the subject; a
// program only when it manages security.
func (s *Server) ReportInaccuracy(ctx context.Context, caller Caller, in InaccuracyReport) (InaccuracyRow, error) {
	anyOf := []string{ManageSecurity}
	if caller.App == "" {
		anyOf = append(anyOf, SoftwareRead, VulnerabilityRead, RecommendationRead)
	}
	if err := s.need(caller, anyOf...); err != nil {
		return InaccuracyRow{}, err
	}
	if err := s.ownReports(ctx, caller); err != nil {
		return InaccuracyRow{}, err
	}
	categories, ok := inaccuracyKinds[in.Kind]
	switch {
	case !ok:
		return InaccuracyRow{}, Invalidf("kind", "%q is not one of software, weakness, recommendation", in.Kind)
	case !slices.Contains(categories, in.Category):
		return InaccuracyRow{}, Invalidf("category", "%q is not one of %s", in.Category, strings.Join(categories, ", "))
	case strings.TrimSpace(in.Details) == "":
		return InaccuracyRow{}, Invalidf("details", "say what is wrong and how one can tell")
	case utf8.RuneCountInString(in.Details) > mostDetails:
		return InaccuracyRow{}, Invalidf("details", "is longer than %d characters", mostDetails)
	}
	title, evidence, err := s.evidence(ctx, caller, in.Kind, in.Subject)
	if err != nil {
		return InaccuracyRow{}, err
	}
	raw, err := json.Marshal(evidence)
	if err != nil {
		return InaccuracyRow{}, fmt.Errorf("encode evidence of %q: %w", in.Subject, err)
	}
	x := store.Inaccuracy{At: time.Now().UTC(), By: caller.Name, Kind: in.Kind, Subject: in.Subject, Title: title, Category: in.Category,
		Details: strings.TrimSpace(in.Details), Evidence: raw, Status: "open"}
	audit.Change(ctx, in.Subject, nil, map[string]any{"kind": in.Kind, "category": in.Category, "details": x.Details})
	if x.ID, ok, err = s.st.AddInaccuracy(ctx, x, mostInaccuracies); err != nil {
		return InaccuracyRow{}, fmt.Errorf("store report: %w", err)
	}
	if !ok {
		return InaccuracyRow{}, Invalidf("subject", "%d reports are kept already, which is the most", mostInaccuracies)
	}
	x.Changed, x.ChangedBy = x.At, x.By
	s.log.InfoContext(ctx, "inaccuracy reported", "kind", in.Kind, "subject", in.Subject, "by", caller.Name)
	s.live.publish(LiveEvent{Resource: "inaccuracies"})
	return inaccuracyRow(&x), nil
}

// snapshotOf is what a report keeps: enough to see why Picket says what it
// says, and no name, address or id of a device.
type snapshotOf struct {
	Version        string          `json:"picket_version"`
	At             time.Time       `json:"at"`
	Feeds          []FeedRow       `json:"feeds"`
	Software       *Software       `json:"software,omitempty"`
	Weakness       *WeaknessDetail `json:"weakness,omitempty"`
	Recommendation *Recommendation `json:"recommendation,omitempty"`
	Findings       []foundLogic    `json:"findings"`
	Cut            bool            `json:"findings_cut"` // there are more
}

// foundLogic is why Picket says that a component has a weakness.
type foundLogic struct {
	WeaknessID string `json:"weakness_id"`
	DetectionLogic
}

// evidence is what Picket knows of a subject, and its name for people.
func (s *Server) evidence(ctx context.Context, caller Caller, kind, subject string) (title string, out snapshotOf, err error) {
	out = snapshotOf{Version: s.opt.Version, At: time.Now().UTC(), Findings: []foundLogic{}}
	for _, f := range s.desk.intel().Feeds {
		f.Source = "" // may be a path of this server
		out.Feeds = append(out.Feeds, f)
	}
	var comps []exposure.ComponentID
	only := ""
	switch kind {
	case "software":
		p, err := s.Software(ctx, caller, subject)
		if err != nil {
			return "", out, err
		}
		title, out.Software = p.Name, &p
	case "weakness":
		w, err := s.Weakness(ctx, caller, subject)
		if err != nil {
			return "", out, err
		}
		title, out.Weakness, only = w.ID, &w, w.ID
	case "recommendation":
		r, err := s.Recommendation(ctx, caller, subject)
		if err != nil {
			return "", out, err
		}
		title, out.Recommendation = r.Name, &r
	}
	s.core.mu.RLock()
	switch l := s.core.lens(caller); {
	case out.Software != nil:
		comps = s.core.fleet.ProductComponents(subject, l.devs)
	case out.Recommendation != nil:
		comps = s.core.fleet.ProductComponents(out.Recommendation.ProductID, l.devs)
	default:
		comps = slices.DeleteFunc(s.core.fleet.WeaknessComponents(only), func(id exposure.ComponentID) bool { return !s.core.fleet.Held(id, l.devs) })
	}
	list := make([]exposure.Component, 0, mostEvidence)
	for _, id := range comps[:min(len(comps), mostEvidence)] {
		list = append(list, s.core.fleet.Component(id))
	}
	s.core.mu.RUnlock()
	view, release, err := s.snapshot()
	if err != nil {
		return "", out, err
	}
	defer release()
	out.Cut = len(comps) > mostEvidence
	for _, k := range list {
		a, err := exposure.Assess(k, view)
		if err != nil {
			return "", out, fmt.Errorf("assess %s: %w", k.Key, err)
		}
		for _, m := range a.Matches {
			if only != "" && m.Weakness != only {
				continue
			}
			if len(out.Findings) == 10*mostEvidence {
				out.Cut = true
				return title, out, nil
			}
			f := found{exposure.Finding{Component: k, Match: m}, a.Coverage}
			logic := logicOf(&f)
			logic.Evidence = []exposure.Evidence{}
			out.Findings = append(out.Findings, foundLogic{m.Weakness, logic})
		}
	}
	return title, out, nil
}

// Inaccuracies lists what was reported.
func (s *Server) Inaccuracies(ctx context.Context, caller Caller, q Query) (Page[InaccuracyRow], error) {
	if err := s.needAll(caller, ManageSecurity); err != nil {
		return Page[InaccuracyRow]{}, err
	}
	all, err := s.st.Inaccuracies(ctx)
	if err != nil {
		return Page[InaccuracyRow]{}, fmt.Errorf("read reports: %w", err)
	}
	rows := make([]*InaccuracyRow, len(all))
	for i := range all {
		r := inaccuracyRow(&all[i])
		rows[i] = &r
	}
	return inaccuracyList().page(q, rows)
}

// Inaccuracy is one report with its evidence: what to send to the maintainers.
func (s *Server) Inaccuracy(ctx context.Context, caller Caller, id string) (Inaccuracy, error) {
	if err := s.needAll(caller, ManageSecurity); err != nil {
		return Inaccuracy{}, err
	}
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return Inaccuracy{}, fmt.Errorf("report %q: %w", id, ErrNotFound)
	}
	x, ok, err := s.st.Inaccuracy(ctx, n)
	if err != nil {
		return Inaccuracy{}, fmt.Errorf("read report %d: %w", n, err)
	}
	if !ok {
		return Inaccuracy{}, fmt.Errorf("report %q: %w", id, ErrNotFound)
	}
	return Inaccuracy{InaccuracyRow: inaccuracyRow(&x), Evidence: x.Evidence}, nil
}

// SetInaccuracyStatus says whether a report is open or resolved.
func (s *Server) SetInaccuracyStatus(ctx context.Context, caller Caller, id, status string) error {
	if err := s.needAll(caller, ManageSecurity); err != nil {
		return err
	}
	if status != "open" && status != "resolved" {
		return Invalidf("status", "%q is not one of open, resolved", status)
	}
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return fmt.Errorf("report %q: %w", id, ErrNotFound)
	}
	x, ok, err := s.st.Inaccuracy(ctx, n)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("report %q: %w", id, ErrNotFound)
	}
	audit.Change(ctx, id, map[string]any{"status": x.Status}, map[string]any{"status": status})
	ok, err = s.st.SetInaccuracyStatus(ctx, n, status, caller.Name, time.Now().UTC())
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("report %q: %w", id, ErrNotFound)
	}
	s.live.publish(LiveEvent{Resource: "inaccuracies"})
	return nil
}
