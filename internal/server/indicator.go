package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/picketsec/picket/internal/alert"
	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

// Bounds of indicators.
const (
	MostIndicatorsAtOnce = 500 // that one import or deletion names
	mostIndicators       = 15_000
	// keepExpired is how long one that has expired is still listed.
	keepExpired = 30 * 24 * time.Hour
)

// indicatorDesk holds the indicators. Its set is replaced as a whole, under mu.
type indicatorDesk struct {
	mu   sync.Mutex
	set  atomic.Pointer[indicatorSet]
	most int           // that may be active
	soon chan struct{} // there is something to look back for

	counting sync.Mutex
	counts   map[int64]indicatorCount  // by indicator; not stored yet
	more     map[string]indicatorCount // by alert: events beyond those that it names
}

// indicatorCount is what was counted and not stored yet.
type indicatorCount struct {
	n    int64
	last time.Time // of the events
}

func newIndicatorDesk() *indicatorDesk {
	d := &indicatorDesk{most: mostIndicators, soon: make(chan struct{}, 1), counts: map[int64]indicatorCount{}, more: map[string]indicatorCount{}}
	d.put(nil, nil)
	return d
}

// indicatorSet is all indicators at a moment. It is never changed.
type indicatorSet struct {
	list    []*store.Indicator // by number
	byID    map[int64]*store.Indicator
	byKey   map[indicatorKey]*store.Indicator
	matcher *alert.Matcher
}

type indicatorKey struct{ typ, key string }

// put replaces the set; m is what finds the same values, nil: it is made. The caller
// holds mu, or is alone.
func (d *indicatorDesk) put(list []*store.Indicator, m *alert.Matcher) {
	s := &indicatorSet{list: list, byID: make(map[int64]*store.Indicator, len(list)), byKey: make(map[indicatorKey]*store.Indicator, len(list))}
	look := make([]alert.Indicator, 0, len(list))
	for _, x := range list {
		s.byID[x.ID], s.byKey[indicatorKey{x.Type, x.Key}] = x, x
		look = append(look, alert.Indicator{ID: x.ID, Type: alert.IndicatorType(x.Type), Value: x.Key})
	}
	if s.matcher = m; m == nil {
		s.matcher = alert.NewMatcher(look)
	}
	d.set.Store(s)
}

// with puts changed and new indicators into the set; same says that there are no others
// than before. The caller holds mu.
func (d *indicatorDesk) with(changed []*store.Indicator, same bool) {
	by := map[int64]*store.Indicator{}
	for _, x := range changed {
		by[x.ID] = x
	}
	list := make([]*store.Indicator, 0, len(d.set.Load().list)+len(changed))
	for _, x := range d.set.Load().list {
		if y := by[x.ID]; y != nil {
			delete(by, x.ID)
			x = y
		}
		list = append(list, x)
	}
	for _, x := range changed {
		if by[x.ID] == x {
			list = append(list, x)
		}
	}
	var m *alert.Matcher
	if same {
		m = d.set.Load().matcher
	}
	d.put(list, m)
}

// loadIndicators reads the indicators when the program starts. A look at stored events
// that was under way begins anew.
func (s *Server) loadIndicators(ctx context.Context) error {
	list, err := s.st.Indicators(ctx)
	if err != nil {
		return err
	}
	for _, x := range list {
		if x.Look == LookRunning {
			x.Look = LookWaiting
		}
	}
	s.indicators.mu.Lock()
	defer s.indicators.mu.Unlock()
	s.indicators.put(list, nil)
	return nil
}

func expired(x *store.Indicator, now time.Time) bool {
	return !x.Expires.IsZero() && !x.Expires.After(now)
}

// ownerOf is who an indicator belongs to that a caller makes.
func ownerOf(c Caller) string {
	switch {
	case c.UserID != 0:
		return "person:" + strconv.FormatInt(c.UserID, 10)
	case c.App != "":
		return "app:" + c.App
	}
	return "local:" + c.Name
}

// seesIndicator reports whether a caller sees an indicator: with TiWriteOwn the own
// ones, and those that are for devices which the caller sees.
func (c Caller) seesIndicator(x *store.Indicator) bool {
	if !c.Has(TiWrite) && x.Owner != ownerOf(c) {
		return false
	}
	return len(x.Groups) == 0 || slices.ContainsFunc(x.Groups, func(g uint32) bool { return c.sees().Has(exposure.Group(g)) })
}

// mayIndicate reports whether a caller may make or change what concerns these groups.
func (c Caller) mayIndicate(groups []uint32) bool {
	if len(groups) == 0 {
		return c.sees().All()
	}
	return !slices.ContainsFunc(groups, func(g uint32) bool { return !c.sees().Has(exposure.Group(g)) })
}

// checkIndicator makes an indicator of what somebody said who sees so many devices.
func (s *Server) checkIndicator(sees exposure.Scope, in *IndicatorEdit) (*store.Indicator, error) {
	typ, ok := alert.ParseIndicatorType(in.Type)
	if !ok {
		return nil, Invalidf("indicatorType", "%q is not one of %s", short(in.Type), strings.Join(words(alert.IndicatorTypes), ", "))
	}
	action, ok := alert.ParseIndicatorAction(in.Action)
	if !ok {
		return nil, Invalidf("action", "%q is not one of %s", short(in.Action), strings.Join(words(alert.IndicatorActions), ", "))
	}
	key, why := alert.IndicatorValue(typ, in.Value)
	if why != "" {
		return nil, Invalidf("indicatorValue", "%q %s", short(in.Value), why)
	}
	x := &store.Indicator{Type: string(typ), Value: strings.TrimSpace(in.Value), Key: key, Action: string(action), Generate: in.Generate, Severity: string(alert.Informational)}
	for _, t := range []struct {
		name     string
		from     string
		to       *string
		min, max int
	}{{"title", in.Title, &x.Title, 1, 200}, {"description", in.Description, &x.Description, 1, 2000}, {"recommendedActions", in.Recommended, &x.Recommended, 0, 2000},
		{"application", in.Application, &x.Application, 0, 200}, {"externalId", in.External, &x.External, 0, 200}, {"educateUrl", in.Educate, &x.Educate, 0, 2048}} {
		*t.to = strings.TrimSpace(t.from)
		if n := utf8.RuneCountInString(*t.to); n < t.min || n > t.max || !utf8.ValidString(*t.to) {
			return nil, Invalidf(t.name, "must have %d to %d characters", t.min, t.max)
		}
	}
	if in.Severity != "" {
		v, ok := alert.ParseSeverity(in.Severity)
		if !ok || v == alert.Unspecified {
			return nil, Invalidf("severity", "%q is not one of Informational, Low, Medium, High", short(in.Severity))
		}
		x.Severity = string(v)
	}
	if action == alert.AuditOnly && !in.Generate {
		return nil, Invalidf("generateAlert", "must be true where the action is Audit")
	}
	if in.Expires != nil && !in.Expires.IsZero() {
		if x.Expires = in.Expires.UTC(); expired(x, s.now()) || x.Expires.Year() > 9998 {
			return nil, Invalidf("expirationTime", "must be in the future")
		}
	}
	x.Look = LookWaiting
	if action == alert.Allowed || typ == alert.Certificate {
		x.Look = LookNone
	}
	return x, s.indicatorGroups(sees, in, x)
}

// indicatorGroups notes the device groups that an indicator is for. One that is
// hidden from whoever names it is not there.
func (s *Server) indicatorGroups(sees exposure.Scope, in *IndicatorEdit, x *store.Indicator) error {
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	for _, g := range in.Groups {
		if _, ok := s.core.sorting.names[g]; g != 0 && !(ok && sees.Has(g)) {
			return Invalidf("rbacGroupIds", "there is no device group %d", g)
		}
		x.Groups = append(x.Groups, uint32(g))
	}
	for _, name := range in.GroupNames {
		found := false
		for g, n := range s.core.sorting.names {
			if strings.EqualFold(n, strings.TrimSpace(name)) && sees.Has(g) {
				x.Groups, found = append(x.Groups, uint32(g)), true
			}
		}
		if !found {
			return Invalidf("rbacGroupNames", "there is no device group %q", short(name))
		}
	}
	slices.Sort(x.Groups)
	x.Groups = slices.Compact(x.Groups)
	return nil
}

// prepare makes what is to be stored of an edit: a new indicator, or the one of that
// value as it is to be. was is nil when it is new. The caller holds the desk's mu.
func (s *Server) prepare(c Caller, in *IndicatorEdit) (x, was *store.Indicator, err error) {
	if x, err = s.checkIndicator(c.sees(), in); err != nil {
		return nil, nil, err
	}
	if !c.mayIndicate(x.Groups) {
		return nil, nil, fmt.Errorf("an indicator is for device groups that you see: name them in rbacGroupIds or device_groups: %w", ErrDenied)
	}
	was = s.indicators.set.Load().byKey[indicatorKey{x.Type, x.Key}]
	now := s.now()
	x.Created, x.Updated = now, now
	if was == nil {
		x.Owner, x.SourceType, x.SourceName, x.CreatedBy = ownerOf(c), "User", c.Name, c.Name
		if c.App != "" && c.UserID == 0 {
			x.SourceType, x.CreatedBy = "AadApp", c.App
		}
		return x, nil, nil
	}
	if !c.seesIndicator(was) || !c.mayIndicate(was.Groups) {
		return nil, nil, fmt.Errorf("there is an indicator of this value that is not yours to change: %w", ErrDenied)
	}
	y := *was
	y.Value, y.Action, y.External, y.Generate, y.Severity, y.Title, y.Description, y.Recommended = x.Value, x.Action, x.External, x.Generate, x.Severity, x.Title, x.Description, x.Recommended
	y.Educate, y.Expires, y.Groups, y.Updated, y.UpdatedBy = x.Educate, x.Expires, x.Groups, now, c.Name
	if was.Action != y.Action || !slices.Equal(was.Groups, y.Groups) || expired(was, now) {
		y.Look = x.Look
	}
	return &y, was, nil
}

// indicatorRoom is how many more may be active once these are kept; below 0: they are
// too many. The caller holds the desk's mu.
func (s *Server) indicatorRoom(more []*store.Indicator) int {
	now, n := s.now(), s.indicators.most
	for _, x := range s.indicators.set.Load().list {
		if !expired(x, now) {
			n--
		}
	}
	for _, x := range more {
		if was := s.indicators.set.Load().byID[x.ID]; was == nil || expired(was, now) {
			n--
		}
	}
	return n
}

func (s *Server) noRoom() error {
	return Invalidf("indicators", "%d are active, as many as there may be: delete some, or let them expire", s.indicators.most)
}

// SaveIndicator makes an indicator, or changes the one of its type and value: made is
// false then. Whoever has only TiWriteOwn changes own ones alone (ErrDenied).
func (s *Server) SaveIndicator(ctx context.Context, c Caller, in IndicatorEdit) (row IndicatorRow, made bool, err error) {
	if err := s.need(c, TiWrite, TiWriteOwn); err != nil {
		return IndicatorRow{}, false, err
	}
	d := s.indicators
	d.mu.Lock()
	defer d.mu.Unlock()
	x, was, err := s.prepare(c, &in)
	if err != nil {
		return IndicatorRow{}, false, err
	}
	if s.indicatorRoom([]*store.Indicator{x}) < 0 {
		return IndicatorRow{}, false, s.noRoom()
	}
	return s.keepIndicator(ctx, c, x, was)
}

// ChangeIndicator changes an indicator, whose type, value and application stay: others
// are refused.
func (s *Server) ChangeIndicator(ctx context.Context, c Caller, id string, in IndicatorEdit) (IndicatorRow, error) {
	if err := s.need(c, TiWrite, TiWriteOwn); err != nil {
		return IndicatorRow{}, err
	}
	d := s.indicators
	d.mu.Lock()
	defer d.mu.Unlock()
	old, err := s.indicator(c, id)
	if err != nil {
		return IndicatorRow{}, err
	}
	x, was, err := s.prepare(c, &in)
	switch {
	case err != nil:
		return IndicatorRow{}, err
	case was != old:
		return IndicatorRow{}, Invalidf("value", "and type stay as they are: make another indicator instead")
	case s.indicatorRoom([]*store.Indicator{x}) < 0:
		return IndicatorRow{}, s.noRoom()
	}
	row, _, err := s.keepIndicator(ctx, c, x, was)
	return row, err
}

// keepIndicator stores one and takes it into the set. The caller holds the desk's mu.
func (s *Server) keepIndicator(ctx context.Context, c Caller, x, was *store.Indicator) (IndicatorRow, bool, error) {
	var before any
	if was != nil {
		before = indicatorSides(was)
	}
	audit.Change(ctx, x.Type+":"+x.Value, before, indicatorSides(x))
	if err := s.st.SaveIndicators(ctx, []*store.Indicator{x}); err != nil {
		return IndicatorRow{}, false, err
	}
	s.indicators.with([]*store.Indicator{x}, was != nil)
	s.lookSoon()
	return s.indicatorRow(c, x), was == nil, nil
}

// indicatorSides is what the audit log notes of an indicator.
func indicatorSides(x *store.Indicator) map[string]any {
	out := map[string]any{"id": x.ID, "type": x.Type, "value": x.Value, "action": x.Action, "title": x.Title, "severity": x.Severity, "generate_alert": x.Generate, "device_groups": x.Groups}
	if !x.Expires.IsZero() {
		out["expires_at"] = x.Expires
	}
	return out
}

// ImportIndicators makes or changes indicators, each by itself: what is wrong with one
// hinders no other. The results are in the order of the list, which may be empty.
func (s *Server) ImportIndicators(ctx context.Context, c Caller, list []IndicatorEdit) ([]IndicatorResult, error) {
	if err := s.need(c, TiWrite, TiWriteOwn); err != nil {
		return nil, err
	}
	if len(list) > MostIndicatorsAtOnce {
		return nil, Invalidf("Indicators", "must be at most %d", MostIndicatorsAtOnce)
	}
	d := s.indicators
	d.mu.Lock()
	defer d.mu.Unlock()
	out, room := make([]IndicatorResult, len(list)), s.indicatorRoom(nil)
	keep := map[indicatorKey]*store.Indicator{} // of several of one value the last counts
	var order []indicatorKey
	var replaced []*store.Indicator
	of := make([]indicatorKey, len(list))
	for i := range list {
		x, was, err := s.prepare(c, &list[i])
		if err == nil {
			of[i] = indicatorKey{x.Type, x.Key}
			if keep[of[i]] == nil && (was == nil || expired(was, s.now())) {
				if room--; room < 0 {
					err = s.noRoom()
				}
			}
		}
		if out[i].Err = err; err != nil {
			of[i] = indicatorKey{}
			continue
		}
		if keep[of[i]] == nil {
			order = append(order, of[i])
		}
		if keep[of[i]] = x; was != nil && !slices.Contains(replaced, was) {
			replaced = append(replaced, was)
		}
	}
	changed := make([]*store.Indicator, 0, len(order))
	failed := len(list)
	for _, k := range order {
		changed = append(changed, keep[k])
	}
	for i := range of {
		if of[i] != (indicatorKey{}) {
			failed--
		}
	}
	var before any
	if len(replaced) > 0 {
		before = map[string]any{"replaced": len(replaced), "values": firstValues(replaced)}
	}
	audit.Change(ctx, "", before, map[string]any{"imported": len(changed), "failed": failed, "values": firstValues(changed)})
	if len(changed) > 0 {
		if err := s.st.SaveIndicators(ctx, changed); err != nil {
			return nil, err
		}
		d.with(changed, false)
		s.lookSoon()
	}
	for i := range out {
		if x := keep[of[i]]; out[i].Err == nil && x != nil {
			row := s.indicatorRow(c, x)
			out[i].Row = &row
		}
	}
	return out, nil
}

// firstValues are some of the values of an import, for the audit log.
func firstValues(list []*store.Indicator) []string {
	const most = 20
	out := []string{}
	for _, x := range list[:min(most, len(list))] {
		out = append(out, x.Action+" "+x.Value)
	}
	return out
}

// DeleteIndicators deletes indicators: all of them, or none when the caller does not
// see one (ErrNotFound) or may not change it (ErrDenied). Alerts that they raised stay.
func (s *Server) DeleteIndicators(ctx context.Context, c Caller, ids []string) error {
	if err := s.need(c, TiWrite, TiWriteOwn); err != nil {
		return err
	}
	if len(ids) == 0 || len(ids) > MostIndicatorsAtOnce {
		return Invalidf("IndicatorIds", "must be 1 to %d", MostIndicatorsAtOnce)
	}
	d := s.indicators
	d.mu.Lock()
	defer d.mu.Unlock()
	var gone []int64
	var before []map[string]any
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		x, err := s.indicator(c, id)
		if err != nil {
			return err
		}
		if !c.mayIndicate(x.Groups) {
			return fmt.Errorf("indicator %q concerns devices that are hidden from you: %w", id, ErrDenied)
		}
		gone, before = append(gone, x.ID), append(before, indicatorSides(x))
	}
	object := ""
	if len(gone) == 1 {
		object = fmt.Sprint(before[0]["type"], ":", before[0]["value"])
	}
	audit.Change(ctx, object, before, nil)
	if err := s.st.DeleteIndicators(ctx, gone); errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("one of the indicators: %w", ErrNotFound)
	} else if err != nil {
		return err
	}
	d.put(slices.DeleteFunc(slices.Clone(d.set.Load().list), func(x *store.Indicator) bool { return slices.Contains(gone, x.ID) }), nil)
	return nil
}

// indicator finds one that the caller sees.
func (s *Server) indicator(c Caller, id string) (*store.Indicator, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	x := s.indicators.set.Load().byID[n]
	if err != nil || x == nil || !c.seesIndicator(x) {
		return nil, fmt.Errorf("indicator %q: %w", short(id), ErrNotFound)
	}
	return x, nil
}

// Indicator is one indicator.
func (s *Server) Indicator(_ context.Context, c Caller, id string) (IndicatorRow, error) {
	if err := s.need(c, TiWrite, TiWriteOwn); err != nil {
		return IndicatorRow{}, err
	}
	x, err := s.indicator(c, id)
	if err != nil {
		return IndicatorRow{}, err
	}
	return s.indicatorRow(c, x), nil
}
