package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/posture"
	"github.com/picketsec/picket/internal/store"
)

// standsWords are how an exception can stand.
var standsWords = []string{StandsInEffect, StandsSuspended, StandsExpired, StandsCanceled, StandsResurfaced}

func exceptionList() *list[ExceptionRow] {
	return &list[ExceptionRow]{
		text: func(r *ExceptionRow, has func(string) bool) bool {
			return has(r.Name) || has(r.Context) || has(r.CreatedBy) || has(r.Recommendation) || has(r.Source.ID) || has(r.Source.Author)
		},
		filters: map[string]func(*ExceptionRow, []string) bool{
			"status":        oneOf(func(r *ExceptionRow) string { return r.Status }),
			"justification": oneOf(func(r *ExceptionRow) string { return r.Justification }),
			"kind":          oneOf(func(r *ExceptionRow) string { return r.Kind }),
			"scope":         oneOf(func(r *ExceptionRow) string { return r.Scope }),
			"source": oneOf(func(r *ExceptionRow) string {
				if r.Source.Kind == "" {
					return "Manual"
				}
				return r.Source.Kind
			}),
			"recommendation": oneOf(func(r *ExceptionRow) string { return r.Recommendation }),
			"weakness":       oneOf(func(r *ExceptionRow) string { return r.Weakness }),
			"product":        oneOf(func(r *ExceptionRow) string { return r.Product }),
			"document":       oneOf(func(r *ExceptionRow) string { return r.Document }),
		},
		values: map[string][]string{"status": standsWords, "justification": justifications,
			"kind": {ExceptRecommendation, ExceptWeakness, ExceptSoftware, ExceptPath}, "scope": {ScopeGlobal, ScopeGroups, ScopeDevices}},
		order: map[string]func(a, b *ExceptionRow) int{
			"name":          byText(func(r *ExceptionRow) string { return r.Name }),
			"status":        byText(func(r *ExceptionRow) string { return r.Status }),
			"justification": byText(func(r *ExceptionRow) string { return r.Justification }),
			"scope":         byText(func(r *ExceptionRow) string { return r.Scope }),
			"created_at":    byTime(func(r *ExceptionRow) time.Time { return r.CreatedAt }),
			"created_by":    byText(func(r *ExceptionRow) string { return r.CreatedBy }),
			"kind":          byText(func(r *ExceptionRow) string { return r.Kind }),
			"exposed":       byNumber(func(r *ExceptionRow) int { return r.Exposed }),
			"expires_at": byTime(func(r *ExceptionRow) time.Time {
				if r.ExpiresAt == nil {
					return r.CreatedAt.AddDate(100, 0, 0)
				}
				return *r.ExpiresAt
			}),
		},
		tie:     func(a, b *ExceptionRow) int { return compareNumbers(b.ID, a.ID) },
		initial: []string{"-created_at"},
	}
}

func compareNumbers(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// endedAtOnce is how many exceptions that are over are read at a time.
const endedAtOnce = 500

// Exceptions lists exceptions, those that ended too. With a filter of device
// groups it lists those that were made for devices in them. What is over is read
// from the store, bit by bit, and of it only what the page may show is kept.
func (s *Server) Exceptions(ctx context.Context, caller Caller, q Query) (Page[ExceptionRow], error) {
	if err := s.need(caller, RecommendationRead); err != nil {
		return Page[ExceptionRow]{}, err
	}
	list := exceptionList()
	sieve, err := list.sieve(&q)
	if err != nil {
		return Page[ExceptionRow]{}, err
	}
	c := s.core
	c.mu.RLock()
	l := c.lens(caller)
	open := map[int64]bool{}
	byExposed := slices.Contains(q.Sort, "exposed") || slices.Contains(q.Sort, "-exposed")
	row := func(l lens, e *exception) *ExceptionRow {
		r := c.exceptionRow(l, e)
		if byExposed { // of a page alone otherwise
			r.Exposed = l.count(c.exceptedDevices(e))
		}
		return r
	}
	for _, e := range c.exceptions {
		open[e.id] = true
		if l.concerns(c, e.spec) {
			sieve.add(row(l, e))
		}
	}
	c.mu.RUnlock()
	if wantsEnded(&q) {
		read, enough := 0, math.MaxInt
		if asMade(&q) && caller.looks().All() { // in the order in which the store has them: the page needs no more of them
			enough = q.Offset + q.Limit
		}
		if err := s.eachEnded(ctx, func(c *core, e *exception) bool {
			if l := c.lens(caller); l.concerns(c, e.spec) {
				r := row(l, e)
				if open[e.id] { // it ended just now
					sieve.drop(func(o *ExceptionRow) bool { return o.ID == r.ID })
				}
				sieve.add(r)
			}
			read++
			return read < enough
		}); err != nil {
			return Page[ExceptionRow]{}, err
		}
		if read == enough {
			all, err := s.st.CountEnded(ctx)
			if err != nil {
				return Page[ExceptionRow]{}, err
			}
			sieve.total += all - read
		}
	}
	p := sieve.page()
	c.mu.RLock()
	defer c.mu.RUnlock()
	l = c.lens(caller)
	for i := range p.Items {
		id, err := exceptionID(p.Items[i].ID)
		if err != nil {
			return Page[ExceptionRow]{}, err
		}
		p.Items[i].Exposed = l.count(c.exceptedDevices(&exception{id: id, spec: p.Items[i].spec}))
	}
	return p, nil
}

// wantsEnded reports whether a query lets exceptions through that are over.
func wantsEnded(q *Query) bool {
	want := q.Filter["status"]
	return len(want) == 0 || slices.ContainsFunc(want, func(v string) bool { return v != StandsInEffect && v != StandsSuspended })
}

// asMade reports whether a query asks for a page of all exceptions, newest first.
func asMade(q *Query) bool {
	return q.Limit > 0 && q.Text == "" && len(q.Filter) == 0 && (len(q.Sort) == 0 || len(q.Sort) == 1 && q.Sort[0] == "-created_at")
}

// eachEnded calls fn, which holds core.mu for reading, for the exceptions that
// are over, newest first, until it returns false.
func (s *Server) eachEnded(ctx context.Context, fn func(c *core, e *exception) bool) error {
	for below := int64(math.MaxInt64); ; {
		rows, err := s.st.EndedExceptions(ctx, below, endedAtOnce)
		if err != nil {
			return err
		}
		some := make([]*exception, len(rows))
		for i, row := range rows {
			if some[i], err = parseException(row); err != nil {
				return err
			}
			below = row.ID
		}
		more := len(rows) == endedAtOnce
		s.core.mu.RLock()
		for _, e := range some {
			if !fn(s.core, e) {
				more = false
				break
			}
		}
		s.core.mu.RUnlock()
		if !more {
			return nil
		}
	}
}

// ended reads an exception that is over.
func (s *Server) ended(ctx context.Context, id int64) (*exception, error) {
	row, err := s.st.Exception(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("exception %d: %w", id, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("exception %d: %w", id, err)
	}
	return parseException(row)
}

// concerns reports whether an exception was made for devices of the lens.
func (l lens) concerns(c *core, e *exceptionSpec) bool {
	if l.devs == nil || e.Global {
		return true
	}
	return slices.ContainsFunc(e.Targets, func(t exceptionTarget) bool {
		if t.Group != nil {
			return slices.Contains(l.groups, *t.Group)
		}
		num, ok := c.byID[t.Device]
		return ok && l.devs.Contains(num)
	})
}

// shows reports whether somebody may know that an exception holds at a target.
// The caller holds mu.
func (c *core) shows(l lens, t *exceptionTarget) bool {
	if l.sees.All() {
		return true
	}
	if t.Group != nil {
		return l.sees.Has(*t.Group)
	}
	num, ok := c.byID[t.Device]
	return ok && l.sees.Has(c.at(num).group)
}

// holdsWithin reports whether an exception reaches no device outside of a
// scope. The caller may hold mu for reading.
func (c *core) holdsWithin(in exposure.Scope, e *exceptionSpec) bool {
	if in.All() {
		return true
	}
	return !e.Global && !slices.ContainsFunc(e.Targets, func(t exceptionTarget) bool { return !c.shows(lens{sees: in}, &t) })
}

func exceptionID(s string) (int64, error) {
	id, err := strconv.ParseInt(s, 10, 64)
	if err != nil || id <= 0 {
		return 0, fmt.Errorf("exception %q: %w", s, ErrNotFound)
	}
	return id, nil
}

// exceptionRow is an exception without its count of devices; of where it holds it
// counts what may be seen. The caller holds mu.
func (c *core) exceptionRow(l lens, e *exception) *ExceptionRow {
	x := e.spec
	r := &ExceptionRow{ID: strconv.FormatInt(e.id, 10), Name: c.exceptionName(x), Kind: x.kind(), Recommendation: x.recommendation(), Weakness: x.Weakness,
		Product: x.Product, VersionFrom: x.From, VersionTo: x.To, Path: x.Path, Scope: x.scope(), Justification: x.Justification, LowersScore: x.mitigates(),
		Context: x.Context, Status: e.status(), Why: x.Why, CreatedBy: x.CreatedBy, CreatedAt: x.Created, EndedBy: x.EndedBy, Keep: x.Keep, Source: x.Source, GroupIDs: []uint32{}, spec: x}
	for _, t := range x.Targets {
		switch {
		case !c.shows(l, &t):
		case t.Group == nil:
			r.Devices++
		case t.Ended.IsZero():
			r.Groups++
			r.GroupIDs = append(r.GroupIDs, uint32(*t.Group))
		}
	}
	if x.Key != (advisory.Key{}) {
		r.Package = x.Key.String()
	}
	if x.open() && x.Source.Kind != "" {
		r.Document = vexID(x.Source.Author, x.Source.ID)
	}
	if !x.Expires.IsZero() {
		r.ExpiresAt = &x.Expires
	}
	if !x.Ended.IsZero() {
		r.EndedAt = &x.Ended
	}
	return r
}

// exceptedDevices are the devices with what an exception is about, of those
// where it holds, or held until it ended. The caller holds mu.
func (c *core) exceptedDevices(e *exception) *roaring.Bitmap {
	if e == nil {
		return roaring.New()
	}
	x, ok := c.inForce(e.id, e.spec)
	if !ok {
		return roaring.New()
	}
	return c.devicesOf(&x)
}

func (c *core) devicesOf(x *exposure.Exception) *roaring.Bitmap {
	if x.What.Check >= 0 {
		return roaring.And(c.checks.devices(x.What.Check, posture.Fail), c.fleet.Scores().Reached(x))
	}
	_, devs := c.fleet.Scores().Selected(x)
	return devs
}

// Exception is one exception, with where it holds and what became of it.
func (s *Server) Exception(ctx context.Context, caller Caller, id string) (ExceptionDetail, error) {
	if err := s.need(caller, RecommendationRead); err != nil {
		return ExceptionDetail{}, err
	}
	n, err := exceptionID(id)
	if err != nil {
		return ExceptionDetail{}, err
	}
	return s.exceptionDetail(ctx, caller, n)
}

// ExceptionTargets lists the device groups or devices for which an exception was
// made, of those that the caller may see. A global one has none.
func (s *Server) ExceptionTargets(ctx context.Context, caller Caller, id string, q Query) (Page[ExceptionTarget], error) {
	d, err := s.Exception(ctx, caller, id)
	if err != nil {
		return Page[ExceptionTarget]{}, err
	}
	rows := make([]*ExceptionTarget, len(d.In))
	for i := range d.In {
		rows[i] = &d.In[i]
	}
	l := &list[ExceptionTarget]{
		text: func(r *ExceptionTarget, has func(string) bool) bool { return has(r.Name) || has(string(r.Device)) },
		filters: map[string]func(*ExceptionTarget, []string) bool{
			"status": oneOf(func(r *ExceptionTarget) string { return r.Status }),
		},
		values: map[string][]string{"status": standsWords},
		order: map[string]func(a, b *ExceptionTarget) int{
			"name":    byText(func(r *ExceptionTarget) string { return r.Name }),
			"exposed": byNumber(func(r *ExceptionTarget) int { return r.Exposed }),
			"status":  byText(func(r *ExceptionTarget) string { return r.Status }),
		},
		tie: func(a, b *ExceptionTarget) int {
			return cmp.Or(strings.Compare(string(a.Device), string(b.Device)), cmp.Compare(numberOf(a.Group), numberOf(b.Group)))
		},
		initial: []string{"name"},
	}
	return l.page(q, rows)
}

// numberOf is the number of a device group, -1 for none.
func numberOf(g *exposure.Group) int64 {
	if g == nil {
		return -1
	}
	return int64(*g)
}

func (s *Server) exceptionDetail(ctx context.Context, caller Caller, id int64) (ExceptionDetail, error) {
	events, err := s.st.ExceptionEvents(ctx, id)
	if err != nil {
		return ExceptionDetail{}, fmt.Errorf("read what became of exception %d: %w", id, err)
	}
	c := s.core
	c.mu.RLock()
	e := c.exceptionByID(id)
	c.mu.RUnlock()
	if e == nil {
		if e, err = s.ended(ctx, id); err != nil {
			return ExceptionDetail{}, err
		}
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	l := c.lens(caller)
	if !l.concerns(c, e.spec) {
		return ExceptionDetail{}, fmt.Errorf("exception %d: %w", id, ErrNotFound)
	}
	out := ExceptionDetail{ExceptionRow: *c.exceptionRow(l, e), In: []ExceptionTarget{}, History: []ExceptionEvent{}, AsOf: s.now()}
	devs := c.exceptedDevices(e)
	out.Exposed = l.count(devs)
	for _, t := range e.spec.Targets {
		if !c.shows(l, &t) {
			continue
		}
		row := ExceptionTarget{Group: t.Group, Device: t.Device, Status: e.status(), EndedBy: t.EndedBy}
		if !t.Ended.IsZero() {
			row.Status, row.EndedAt = StandsCanceled, &t.Ended
		}
		if t.Group != nil {
			row.Name = c.groupName(*t.Group)
			if in := c.members[*t.Group]; in != nil {
				row.Exposed = l.count(roaring.And(in, devs))
			}
		} else if d, err := c.named(l.sees, string(t.Device)); err == nil {
			row.Name = d.sum.Name
			if devs.Contains(d.num) {
				row.Exposed = 1
			}
		}
		out.In = append(out.In, row)
	}
	within := c.holdsWithin(l.sees, e.spec)
	for _, ev := range events {
		row := ExceptionEvent{At: ev.At, Type: ev.Type, Detail: ev.Detail, By: ev.Who}
		if !within { // it may name a device group that is hidden
			row.Detail = ""
		}
		out.History = append(out.History, row)
	}
	return out, nil
}

// groupName is a device group for people.
func (c *core) groupName(g exposure.Group) string {
	if name, ok := c.sorting.names[g]; ok {
		return name
	}
	return "Device group " + strconv.Itoa(int(g)) + ", deleted"
}
