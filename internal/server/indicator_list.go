package server

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"time"

	"github.com/picketsec/picket/internal/alert"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

var indicatorLists = &list[IndicatorRow]{
	text: func(r *IndicatorRow, has func(string) bool) bool {
		return has(r.Value) || has(r.Title) || has(r.Description) || has(r.SourceName) || has(r.ID)
	},
	filters: map[string]func(*IndicatorRow, []string) bool{
		"type":     oneOf(func(r *IndicatorRow) string { return r.Type }),
		"action":   oneOf(func(r *IndicatorRow) string { return r.Action }),
		"severity": oneOf(func(r *IndicatorRow) string { return r.Severity }),
		"active":   truth(func(r *IndicatorRow) bool { return r.Active }),
		"device_group": func(r *IndicatorRow, want []string) bool {
			return slices.ContainsFunc(r.Groups, func(g exposure.Group) bool { return slices.Contains(want, fmt.Sprint(g)) })
		},
	},
	values: map[string][]string{"type": words(alert.IndicatorTypes), "action": words(alert.IndicatorActions), "severity": words(alert.Severities[1:]), "active": yesNo},
	order: map[string]func(a, b *IndicatorRow) int{
		"id":           byNumber(indicatorNumber),
		"type":         byText(func(r *IndicatorRow) string { return r.Type }),
		"value":        byText(func(r *IndicatorRow) string { return r.Value }),
		"action":       byText(func(r *IndicatorRow) string { return r.Action }),
		"title":        byText(func(r *IndicatorRow) string { return r.Title }),
		"severity":     byNumber(func(r *IndicatorRow) int { return alert.Severity(r.Severity).Rank() }),
		"created":      byTime(func(r *IndicatorRow) time.Time { return r.Created }),
		"updated":      byTime(func(r *IndicatorRow) time.Time { return r.Updated }),
		"expires":      byTime(func(r *IndicatorRow) time.Time { return r.Expires }),
		"matched":      byNumber(func(r *IndicatorRow) int64 { return r.Matched }),
		"last_matched": byTime(func(r *IndicatorRow) time.Time { return r.LastMatched }),
	},
	tie:     func(a, b *IndicatorRow) int { return cmp.Compare(indicatorNumber(a), indicatorNumber(b)) },
	initial: []string{"-created"},
}

func indicatorNumber(r *IndicatorRow) int64 {
	n, _ := strconv.ParseInt(r.ID, 10, 64)
	return n
}

// Indicators lists the indicators that the caller sees. where, when given, keeps only
// the rows for which it is true.
func (s *Server) Indicators(_ context.Context, c Caller, q Query, where func(*IndicatorRow) bool) (Page[IndicatorRow], error) {
	if err := s.need(c, TiWrite, TiWriteOwn); err != nil {
		return Page[IndicatorRow]{}, err
	}
	rows := []*IndicatorRow{}
	for _, x := range s.indicators.set.Load().list {
		if !c.seesIndicator(x) {
			continue
		}
		if r := s.indicatorRow(c, x); where == nil || where(&r) {
			rows = append(rows, &r)
		}
	}
	return indicatorLists.page(q, rows)
}

// indicatorRow is an indicator as lists show it.
func (s *Server) indicatorRow(c Caller, x *store.Indicator) IndicatorRow {
	e := EnforcedNot
	switch {
	case x.Type == string(alert.Certificate):
		e = EnforcedNothing
	case x.Action == string(alert.Allowed):
		e = EnforcedAllow
	}
	r := IndicatorRow{ID: strconv.FormatInt(x.ID, 10), Type: x.Type, Value: x.Value, Action: x.Action, Enforcement: e, EnforcementNote: enforcementNotes[e], Active: !expired(x, s.now()),
		Title: x.Title, Description: x.Description, Severity: x.Severity, Recommended: x.Recommended, Application: x.Application, External: x.External, Educate: x.Educate,
		Generate: x.Generate, Expires: x.Expires, Groups: []exposure.Group{}, GroupNames: []string{}, SourceType: x.SourceType, SourceName: x.SourceName, CreatedBy: x.CreatedBy,
		UpdatedBy: x.UpdatedBy, Created: x.Created, Updated: x.Updated, Matched: x.Matched, LastMatched: x.LastMatched, Look: x.Look, LookDevices: x.LookDevices, LookEvents: x.LookEvents,
		Editable: c.mayIndicate(x.Groups)}
	s.indicators.counting.Lock()
	if n, ok := s.indicators.counts[x.ID]; ok {
		r.Matched += n.n
		if n.last.After(r.LastMatched) {
			r.LastMatched = n.last
		}
	}
	s.indicators.counting.Unlock()
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	for _, g := range x.Groups {
		if !c.sees().Has(exposure.Group(g)) {
			continue // others' groups are not told
		}
		r.Groups = append(r.Groups, exposure.Group(g))
		r.GroupNames = append(r.GroupNames, cmp.Or(s.core.sorting.names[exposure.Group(g)], "a device group that was deleted"))
	}
	return r
}
