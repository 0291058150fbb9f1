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
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
	"github.com/picketsec/picket/internal/version"
)

const (
	mostExceptionDays = 365
	mostContext       = 2000
	mostPath          = 500
	mostTargets       = 1000
	mostFromSource    = 20_000
	mostExceptions    = 100_000 // that are not over
)

// What becomes of an exception, in its history.
const (
	exceptionMade       = "created"
	exceptionCanceled   = "canceled"
	exceptionGroupEnded = "group_canceled"
	exceptionExpired    = "expired"
	exceptionResurfaced = "resurfaced"
)

var justifications = []string{ThirdPartyControl, AlternateMitigation, RiskAccepted, PlannedRemediation}

// MakeException makes an exception. Global ones are for administrators only.
// It is an ErrConflict when there is one of the same already where it is to hold.
func (s *Server) MakeException(ctx context.Context, caller Caller, in NewException) (ExceptionDetail, error) {
	if err := s.need(caller, ManageExceptions); err != nil {
		return ExceptionDetail{}, err
	}
	if in.Scope == ScopeGlobal && !caller.Admin {
		return ExceptionDetail{}, Deniedf("only an administrator makes global exceptions")
	}
	e, err := s.putException(ctx, caller, &in)
	if err != nil {
		return ExceptionDetail{}, err
	}
	if e.spec.Path != "" {
		if err := s.matchPaths(ctx, e, mostMatchedNow); err != nil {
			return ExceptionDetail{}, err
		}
	}
	s.log.InfoContext(ctx, "exception made", "exception", e.id, "by", caller.Name, "scope", in.Scope, "justification", in.Justification)
	return s.exceptionDetail(ctx, caller, e.id)
}

// putException checks and stores a person's exception.
func (s *Server) putException(ctx context.Context, caller Caller, in *NewException) (*exception, error) {
	s.excepting.Lock()
	defer s.excepting.Unlock()
	now := s.now()
	spec, err := s.newException(caller.sees(), in, now, true)
	if err != nil {
		return nil, err
	}
	spec.CreatedBy = caller.Name
	s.core.mu.RLock()
	err = s.core.vacant(spec)
	if err == nil && spec.Path == "" {
		spec.Was = s.core.baselineOf(0, spec)
	}
	s.core.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	e := &exception{spec: spec}
	audit.Change(ctx, "", nil, in)
	return e, s.saveExceptions(ctx, []*exception{e}, []store.ExceptionEvent{{At: now, Type: exceptionMade, Who: caller.Name}})
}

// CancelException ends an exception, whole (groups nil) or for some of its device groups.
func (s *Server) CancelException(ctx context.Context, caller Caller, number string, groups []exposure.Group) (ExceptionDetail, error) {
	if err := s.need(caller, ManageExceptions); err != nil {
		return ExceptionDetail{}, err
	}
	id, err := exceptionID(number)
	if err != nil {
		return ExceptionDetail{}, err
	}
	s.excepting.Lock()
	defer s.excepting.Unlock()
	c := s.core
	c.mu.RLock()
	e := c.exceptionByID(id)
	var spec exceptionSpec
	if e != nil {
		spec = *e.spec
	}
	c.mu.RUnlock()
	c.mu.RLock()
	hidden := e != nil && !c.lensOf(caller.sees()).concerns(c, &spec)
	c.mu.RUnlock()
	switch {
	case hidden:
		return ExceptionDetail{}, fmt.Errorf("exception %d: %w", id, ErrNotFound)
	case e == nil:
		if _, err := s.exceptionDetail(ctx, caller, id); err != nil {
			return ExceptionDetail{}, err
		}
		return ExceptionDetail{}, fmt.Errorf("exception %d is over already: %w", id, ErrConflict)
	case spec.Global && !caller.Admin:
		return ExceptionDetail{}, Deniedf("only an administrator cancels global exceptions")
	}
	now := s.now()
	ev := store.ExceptionEvent{At: now, Type: exceptionCanceled, Who: caller.Name}
	if groups == nil && !c.holdsWithin(caller.sees(), &spec) {
		return ExceptionDetail{}, fmt.Errorf("the exception holds on devices that are hidden from you too: cancel it for device groups that you see: %w", ErrConflict)
	}
	if groups != nil {
		if spec.scope() != ScopeGroups {
			return ExceptionDetail{}, Invalidf("groups", "the exception is not one for device groups: cancel it whole")
		}
		spec.Targets = slices.Clone(spec.Targets)
		left := 0
		var ended []string
		for i := range spec.Targets {
			t := &spec.Targets[i]
			switch {
			case !t.Ended.IsZero():
			case slices.Contains(groups, *t.Group) && caller.sees().Has(*t.Group):
				t.Ended, t.EndedBy = now, caller.Name
				ended = append(ended, strconv.Quote(s.groupName(*t.Group)))
			default:
				left++
			}
		}
		if len(ended) == 0 {
			return ExceptionDetail{}, Invalidf("groups", "the exception holds in none of these device groups")
		}
		ev.Type, ev.Detail = exceptionGroupEnded, "device group "+strings.Join(ended, ", ")
		if left == 0 {
			ev.Type = exceptionCanceled
		}
	}
	audit.Change(ctx, number, map[string]any{"scope": spec.scope(), "state": "in effect"}, map[string]any{"state": ev.Type, "detail": ev.Detail})
	if ev.Type == exceptionCanceled {
		spec.Ended, spec.EndedAs, spec.EndedBy = now, StandsCanceled, caller.Name
	}
	if err := s.saveExceptions(ctx, []*exception{{id: id, spec: &spec, row: e.row}}, []store.ExceptionEvent{ev}); err != nil {
		return ExceptionDetail{}, err
	}
	s.log.InfoContext(ctx, "exception canceled", "exception", id, "by", caller.Name, "type", ev.Type)
	return s.exceptionDetail(ctx, caller, id)
}

// PutExceptions makes the exceptions of one source, say an imported VEX
// document, exactly those of list: what is there already stays, what is new is
// made, what is not in list any more is canceled, all in one transaction. A nil
// list removes the source. The source is source.Kind and source.ID, both
// given; its author and hash are kept with what is new. Differences to
// MakeException: product and weakness need not be known here, Days and Until
// may both be zero (it holds until the document changes), exceptions of other
// sources or of people on the same are no conflict, and Keep is true always.
// It is for callers with ManageExceptions, administrators if one of list is global.
func (s *Server) PutExceptions(ctx context.Context, caller Caller, source ExceptionSource, list []NewException) (added, removed int, err error) {
	if err := s.need(caller, ManageExceptions); err != nil {
		return 0, 0, err
	}
	if source.Kind == "" || source.ID == "" {
		return 0, 0, Invalidf("source", "needs a kind and an id")
	}
	if len(list) > mostFromSource {
		return 0, 0, Invalidf("source", "has %d exceptions, at most %d are taken from one document", len(list), mostFromSource)
	}
	for i := range list {
		if list[i].Scope == ScopeGlobal && !caller.Admin {
			return 0, 0, Deniedf("only an administrator makes global exceptions")
		}
	}
	s.excepting.Lock()
	defer s.excepting.Unlock()
	now := s.now()
	news, gone, err := s.sourceChanges(source, list, now)
	if err != nil {
		return 0, 0, err
	}
	var changes []*exception
	var events []store.ExceptionEvent
	for _, spec := range news {
		spec.CreatedBy = caller.Name
		changes = append(changes, &exception{spec: spec, row: store.Exception{Source: sourceKey(source)}})
		events = append(events, store.ExceptionEvent{At: now, Type: exceptionMade, Detail: "from " + source.Kind + " " + source.ID, Who: caller.Name})
	}
	added, removed = len(news), len(gone)
	for _, e := range gone {
		spec := *e.spec
		spec.Ended, spec.EndedAs, spec.EndedBy, spec.Why = now, StandsCanceled, caller.Name, "the document does not say so any more"
		changes = append(changes, &exception{id: e.id, spec: &spec, row: e.row})
		events = append(events, store.ExceptionEvent{At: now, Type: exceptionCanceled, Detail: spec.Why, Who: caller.Name})
	}
	if len(changes) == 0 {
		return 0, 0, nil
	}
	if err := s.saveExceptions(ctx, changes, events); err != nil {
		return 0, 0, err
	}
	for _, e := range changes {
		if e.spec.Path != "" && e.spec.open() {
			s.askExceptions()
			break
		}
	}
	s.log.InfoContext(ctx, "exceptions of a document taken", "kind", source.Kind, "document", source.ID, "added", added, "removed", removed, "by", caller.Name)
	return added, removed, nil
}

// sourceChanges says what makes the exceptions of a source exactly those of
// list: new ones, and those that are there and must end. Nothing is changed.
func (s *Server) sourceChanges(source ExceptionSource, list []NewException, now time.Time) (news []*exceptionSpec, gone map[string]*exception, err error) {
	key := sourceKey(source)
	gone = map[string]*exception{}
	s.core.mu.RLock()
	for _, e := range s.core.exceptions {
		if e.spec.open() && e.row.Source == key {
			gone[e.spec.same()] = &exception{id: e.id, spec: e.spec, row: e.row}
		}
	}
	s.core.mu.RUnlock()
	for i := range list {
		spec, err := s.newException(exposure.Everywhere(), &list[i], now, false)
		if err != nil {
			return nil, nil, fmt.Errorf("exception %d of %s: %w", i+1, source.ID, err)
		}
		spec.Keep, spec.Source = true, source
		if same := spec.same(); gone[same] != nil {
			delete(gone, same)
			continue
		}
		news = append(news, spec)
	}
	return news, gone, nil
}

// groupName is a device group for people.
func (s *Server) groupName(g exposure.Group) string {
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	return s.core.groupName(g)
}

func sourceKey(s ExceptionSource) string { return s.Kind + "\x00" + s.ID }

// same is equal for exceptions of one source that say the same.
func (e *exceptionSpec) same() string {
	k := exceptionSpec{Check: e.Check, Product: e.Product, Remedy: e.Remedy, Weakness: e.Weakness, From: e.From, To: e.To, Path: e.Path, Key: e.Key, Global: e.Global,
		Justification: e.Justification, Context: e.Context}
	for _, t := range e.Targets {
		k.Targets = append(k.Targets, exceptionTarget{Group: t.Group, Device: t.Device})
	}
	raw, _ := json.Marshal(k) // of texts and numbers
	return string(raw)
}

// newException checks what is asked for; known: it must be about something that
// is known here, for a time. It can hold nowhere outside of the scope.
func (s *Server) newException(where exposure.Scope, in *NewException, now time.Time, known bool) (*exceptionSpec, error) {
	e := &exceptionSpec{Created: now, Justification: in.Justification, Context: strings.TrimSpace(in.Context), Keep: in.Keep}
	if !slices.Contains(justifications, in.Justification) {
		return nil, Invalidf("justification", "%q is not one of %s", in.Justification, strings.Join(justifications, ", "))
	}
	if len(e.Context) > mostContext || !utf8.ValidString(e.Context) {
		return nil, Invalidf("context", "is longer than %d bytes or no text", mostContext)
	}
	switch {
	case in.Days != 0 && !in.Until.IsZero():
		return nil, Invalidf("until", "give either days or a date")
	case in.Days != 0:
		e.Expires = now.Add(time.Duration(in.Days) * 24 * time.Hour)
	case !in.Until.IsZero():
		e.Expires = in.Until.UTC()
	case known:
		return nil, Invalidf("days", "say for how long: an exception ends")
	}
	if !e.Expires.IsZero() && (!e.Expires.After(now) || e.Expires.After(now.Add(mostExceptionDays*24*time.Hour+time.Minute))) {
		return nil, Invalidf("until", "must be within a year from now")
	}
	if err := s.aboutWhat(where, in, e, known); err != nil {
		return nil, err
	}
	return e, s.holdsWhere(where, in, e)
}

// aboutWhat fills in what an exception is about. Software that no device of the
// scope has is not known.
func (s *Server) aboutWhat(where exposure.Scope, in *NewException, e *exceptionSpec, known bool) error {
	if in.Recommendation != "" {
		if in.Weakness+in.Product+in.VersionFrom+in.VersionTo+in.Path != "" {
			return Invalidf("recommendation", "an exception for a recommendation is about nothing else")
		}
		return s.aboutRecommendation(where, in.Recommendation, e, known)
	}
	e.Weakness, e.Product, e.From, e.To, e.Path = in.Weakness, in.Product, in.VersionFrom, in.VersionTo, in.Path
	e.Key = in.Key
	switch {
	case e.Weakness+e.Product+e.Path == "":
		return Invalidf("recommendation", "say what the exception is about: a recommendation, a weakness, a product or a path")
	case e.Product == "" && e.From+e.To != "":
		return Invalidf("version_from", "versions are those of a product: name it")
	case len(e.Path) > mostPath || !utf8.ValidString(e.Path) || e.Path != "" && strings.Trim(e.Path, "*/?") == "":
		return Invalidf("path", "must name something, in at most %d bytes", mostPath)
	case len(e.Weakness) > 200 || len(e.Product) > 2000 || len(e.From) > 200 || len(e.To) > 200:
		return Invalidf("product", "is too long")
	}
	if e.Weakness != "" {
		if !known {
			e.Weakness = s.canonical(e.Weakness)
		} else if id, err := s.knownWeakness(e.Weakness); err != nil {
			return err
		} else {
			e.Weakness = id
		}
	}
	if e.Product == "" {
		return nil
	}
	ecosystem, err := s.productEcosystem(where, e.Product)
	if err != nil {
		if known {
			return err
		}
		return nil
	}
	for field, v := range map[string]string{"version_from": e.From, "version_to": e.To} {
		if v == "" {
			continue
		}
		if _, err := version.Compare(ecosystem, v, v); err != nil {
			return Invalidf(field, "%q is no version of %s", v, ecosystem)
		}
	}
	if n, err := version.Compare(ecosystem, e.From, e.To); e.From != "" && e.To != "" && (err != nil || n > 0) {
		return Invalidf("version_to", "%s comes before %s", e.To, e.From)
	}
	return nil
}

func (s *Server) aboutRecommendation(where exposure.Scope, id string, e *exceptionSpec, known bool) error {
	if check, ok := strings.CutPrefix(id, "sca-_-"); ok {
		if _, is := checkNumber(check); !is {
			return fmt.Errorf("recommendation %q: %w", id, ErrNotFound)
		}
		e.Check = check
		return nil
	}
	product, remedy, ok := parseRecommendation(id)
	if !ok {
		return fmt.Errorf("recommendation %q: %w", id, ErrNotFound)
	}
	if _, err := s.productEcosystem(where, product); err != nil && known && (!remedy.OfLine() || !s.knownLine(where, product, remedy)) {
		return fmt.Errorf("recommendation %q: %w", id, ErrNotFound)
	}
	e.Product, e.Remedy = product, remedyTypes[remedy]
	return nil
}

// productEcosystem is that of a product which some device of the scope has.
func (s *Server) productEcosystem(where exposure.Scope, id string) (string, error) {
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	info, ok := s.core.fleet.Product(id, s.core.lensOf(where).devs)
	if !ok {
		return "", fmt.Errorf("software %q: %w", id, ErrNotFound)
	}
	return info.Ecosystem, nil
}

// holdsWhere fills in where an exception holds.
func (s *Server) holdsWhere(where exposure.Scope, in *NewException, e *exceptionSpec) error {
	if len(in.Groups) > mostTargets || len(in.Devices) > mostTargets {
		return Invalidf("scope", "names more than %d device groups or devices", mostTargets)
	}
	switch in.Scope {
	case ScopeGlobal:
		if len(in.Groups)+len(in.Devices) > 0 {
			return Invalidf("scope", "a global exception holds everywhere: leave out groups and devices")
		}
		e.Global = true
	case ScopeGroups:
		if len(in.Groups) == 0 || len(in.Devices) > 0 {
			return Invalidf("groups", "name the device groups where it is to hold, and no devices")
		}
		s.core.mu.RLock()
		defer s.core.mu.RUnlock()
		for _, g := range slices.Compact(slices.Sorted(slices.Values(in.Groups))) {
			if _, ok := s.core.sorting.names[g]; !ok || !where.Has(g) {
				return fmt.Errorf("device group %d: %w", g, ErrNotFound)
			}
			e.Targets = append(e.Targets, exceptionTarget{Group: &g})
		}
	case ScopeDevices:
		if len(in.Devices) == 0 || len(in.Groups) > 0 {
			return Invalidf("devices", "name the devices where it is to hold, and no device groups")
		}
		s.core.mu.RLock()
		defer s.core.mu.RUnlock()
		var ids []inventory.DeviceID
		for _, id := range in.Devices {
			d, err := s.core.named(where, string(id))
			if err != nil {
				return err
			}
			ids = append(ids, d.id)
		}
		for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
			e.Targets = append(e.Targets, exceptionTarget{Device: id})
		}
	default:
		return Invalidf("scope", "%q is not one of Global, DeviceGroups, Devices", in.Scope)
	}
	return nil
}

// vacant reports a conflict when an exception about the same holds already
// where a new one is to hold. The caller holds mu.
func (c *core) vacant(spec *exceptionSpec) error {
	what, _ := spec.selector()
	open := 0
	for _, e := range c.exceptions {
		if !e.spec.open() {
			continue
		}
		open++
		if w, ok := e.spec.selector(); !ok || w != what || e.spec.Global != spec.Global {
			continue
		}
		if spec.Global {
			return fmt.Errorf("there is a global exception for this already, %d: cancel it first: %w", e.id, ErrConflict)
		}
		for _, t := range spec.Targets {
			for _, o := range e.spec.Targets {
				if o.Ended.IsZero() && o.Device == t.Device && (o.Group == nil) == (t.Group == nil) && (o.Group == nil || *o.Group == *t.Group) {
					where := "device " + string(t.Device)
					if t.Group != nil {
						where = fmt.Sprintf("device group %q", c.groupName(*t.Group))
					}
					return fmt.Errorf("exception %d for this holds in %s already: leave that out or cancel the other: %w", e.id, where, ErrConflict)
				}
			}
		}
	}
	if open >= mostExceptions {
		return fmt.Errorf("%d exceptions are open: cancel some first: %w", open, ErrConflict)
	}
	return nil
}

// saveExceptions makes changes durable, then known; events go with them by
// place. New exceptions get their ids. The caller holds excepting.
func (s *Server) saveExceptions(ctx context.Context, changes []*exception, events []store.ExceptionEvent) error {
	rows := make([]store.ExceptionChange, len(changes))
	for i, e := range changes {
		raw, err := json.Marshal(e.spec)
		if err != nil {
			return fmt.Errorf("encode exception: %w", err)
		}
		e.row.Spec, e.row.Ended = raw, e.spec.Ended
		rows[i] = store.ExceptionChange{Exception: &e.row, Event: events[i]}
	}
	if err := s.st.SaveExceptions(ctx, rows); err != nil {
		return err
	}
	for _, e := range changes {
		e.id, e.row.Spec = e.row.ID, nil
	}
	s.core.mu.Lock()
	s.core.takeExceptions(changes)
	s.core.mu.Unlock()
	select {
	case s.settleSoon <- struct{}{}:
	default:
	}
	s.live.publish(LiveEvent{Resource: "all"})
	return nil
}
