package server

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// list describes how a list of T is searched, filtered and ordered: one literal
// per list, in the file of its noun.
type list[T any] struct {
	text    func(*T, func(string) bool) bool   // whether free text is in one of the row's texts
	filters map[string]func(*T, []string) bool // any of the values
	order   map[string]func(a, b *T) int       // by sort key, ascending
	tie     func(a, b *T) int                  // makes the order total
	initial []string                           // the sort when none is asked for
	values  map[string][]string                // allowed values of a filter; absent: any
}

// check refuses filters and sort keys that the list does not have.
func (l *list[T]) check(q *Query) error {
	for name, vals := range q.Filter {
		if _, ok := l.filters[name]; !ok {
			return Invalidf(name, "is not a filter of this list")
		}
		if allowed, ok := l.values[name]; ok {
			for _, v := range vals {
				if !slices.Contains(allowed, v) {
					return Invalidf(name, "%q is not one of %s", v, strings.Join(allowed, ", "))
				}
			}
		}
	}
	for _, key := range q.Sort {
		if _, ok := l.order[strings.TrimPrefix(key, "-")]; !ok {
			return Invalidf("sort", "%q is not a column that can be sorted by", key)
		}
	}
	if _, ok := q.Order.(func(a, b *T) int); q.Order != nil && !ok {
		return Invalidf("sort", "is an order of rows that this list is not made of")
	}
	if q.Offset < 0 || q.Limit < 0 {
		return Invalidf("page", "must not be negative")
	}
	return nil
}

// match reports whether a row passes text (has, nil: any) and filters.
func (l *list[T]) match(q *Query, has func(string) bool, row *T) bool {
	for name, vals := range q.Filter {
		if len(vals) > 0 && !l.filters[name](row, vals) {
			return false
		}
	}
	return has == nil || l.text(row, has)
}

// compare builds the comparison that the query asks for.
func (l *list[T]) compare(q *Query) func(a, b *T) int {
	keys := q.Sort
	if len(keys) == 0 {
		keys = l.initial
	}
	type step struct {
		cmp  func(a, b *T) int
		sign int
	}
	var steps []step
	if order, ok := q.Order.(func(a, b *T) int); ok {
		steps = append(steps, step{order, 1})
	}
	for _, k := range keys {
		if name, down := strings.CutPrefix(k, "-"); down {
			steps = append(steps, step{l.order[name], -1})
		} else {
			steps = append(steps, step{l.order[k], 1})
		}
	}
	return func(a, b *T) int {
		for _, s := range steps {
			if n := s.cmp(a, b); n != 0 {
				return n * s.sign
			}
		}
		return l.tie(a, b)
	}
}

// page filters, orders and cuts rows. rows is reordered.
func (l *list[T]) page(q Query, rows []*T) (Page[T], error) {
	cut, total, err := l.cut(q, rows)
	if err != nil {
		return Page[T]{}, err
	}
	p := Page[T]{Total: total, AsOf: time.Now().UTC(), Items: make([]T, len(cut))}
	for i, r := range cut {
		p.Items[i] = *r
	}
	return p, nil
}

// cut returns the rows of the page that is asked for, and how many pass its
// filters. rows is reordered.
func (l *list[T]) cut(q Query, rows []*T) (cut []*T, total int, err error) {
	if err := l.check(&q); err != nil {
		return nil, 0, err
	}
	var has func(string) bool
	if needle := strings.ToLower(strings.TrimSpace(q.Text)); needle != "" {
		has = func(s string) bool { return containsFold(s, needle) }
	}
	kept := rows[:0]
	for _, r := range rows {
		if l.match(&q, has, r) {
			kept = append(kept, r)
		}
	}
	return window(kept, l.compare(&q), q.Offset, q.Limit), len(kept), nil
}

// sieve takes the rows of a list one by one, from wherever they come, and keeps
// only those that the page which is asked for may show.
type sieve[T any] struct {
	l       *list[T]
	q       *Query
	has     func(string) bool
	compare func(a, b *T) int
	rows    []*T
	total   int
}

// sieve begins a page, or refuses the query.
func (l *list[T]) sieve(q *Query) (*sieve[T], error) {
	if err := l.check(q); err != nil {
		return nil, err
	}
	s := &sieve[T]{l: l, q: q, compare: l.compare(q)}
	if needle := strings.ToLower(strings.TrimSpace(q.Text)); needle != "" {
		s.has = func(s string) bool { return containsFold(s, needle) }
	}
	return s, nil
}

// add takes a row.
func (s *sieve[T]) add(r *T) {
	if !s.l.match(s.q, s.has, r) {
		return
	}
	s.total++
	s.rows = append(s.rows, r)
	if most := s.q.Offset + s.q.Limit; s.q.Limit > 0 && len(s.rows) >= 2*most+1000 {
		s.rows = window(s.rows, s.compare, 0, most)
	}
}

// drop takes back rows that were added.
func (s *sieve[T]) drop(which func(*T) bool) {
	n := len(s.rows)
	s.rows = slices.DeleteFunc(s.rows, which)
	s.total -= n - len(s.rows)
}

// page is what the query asked for of the rows that were added.
func (s *sieve[T]) page() Page[T] {
	p := Page[T]{Total: s.total, AsOf: time.Now().UTC(), Items: []T{}}
	for _, r := range window(s.rows, s.compare, s.q.Offset, s.q.Limit) {
		p.Items = append(p.Items, *r)
	}
	return p
}

// containsFold reports whether s holds needle, which is in lower case, without
// regard to case.
func containsFold(s, needle string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return strings.Contains(strings.ToLower(s), needle)
		}
	}
	for i := 0; i+len(needle) <= len(s); i++ {
		j := 0
		for j < len(needle) && lower(s[i+j]) == needle[j] {
			j++
		}
		if j == len(needle) {
			return true
		}
	}
	return false
}

// window returns rows offset … offset+limit of the order, limit 0 meaning all
// from offset. Small windows of long lists are selected, not sorted.
func window[T any](rows []T, compare func(a, b T) int, offset, limit int) []T {
	if offset >= len(rows) {
		return nil
	}
	end := len(rows)
	if limit > 0 {
		end = min(end, offset+limit)
	}
	if end*4 < len(rows) {
		h := &worst[T]{compare: compare, rows: append(make([]T, 0, end), rows[:end]...)}
		heap.Init(h)
		for _, r := range rows[end:] {
			if compare(r, h.rows[0]) < 0 {
				h.rows[0] = r
				heap.Fix(h, 0)
			}
		}
		rows = h.rows
	}
	slices.SortFunc(rows, compare)
	return rows[offset:end]
}

// worst is a heap with the last row of the order on top.
type worst[T any] struct {
	compare func(a, b T) int
	rows    []T
}

func (h *worst[T]) Len() int           { return len(h.rows) }
func (h *worst[T]) Less(i, j int) bool { return h.compare(h.rows[i], h.rows[j]) > 0 }
func (h *worst[T]) Swap(i, j int)      { h.rows[i], h.rows[j] = h.rows[j], h.rows[i] }
func (h *worst[T]) Push(any)           {}
func (h *worst[T]) Pop() any           { return nil }

// The small pieces that list literals are made of.

func byText[T any](f func(*T) string) func(a, b *T) int {
	return func(a, b *T) int { return cmpFold(f(a), f(b)) }
}

func byNumber[T any, N cmp.Ordered](f func(*T) N) func(a, b *T) int {
	return func(a, b *T) int { return cmp.Compare(f(a), f(b)) }
}

func byTime[T any](f func(*T) time.Time) func(a, b *T) int {
	return func(a, b *T) int { return f(a).Compare(f(b)) }
}

func oneOf[T any](f func(*T) string) func(*T, []string) bool {
	return func(r *T, vals []string) bool { return slices.Contains(vals, f(r)) }
}

func anyOf[T any](f func(*T) []string) func(*T, []string) bool {
	return func(r *T, vals []string) bool {
		for _, v := range f(r) {
			if slices.Contains(vals, v) {
				return true
			}
		}
		return false
	}
}

func truth[T any](f func(*T) bool) func(*T, []string) bool {
	return func(r *T, vals []string) bool {
		if f(r) {
			return slices.Contains(vals, "true")
		}
		return slices.Contains(vals, "false")
	}
}

var yesNo = []string{"true", "false"}

// cmpFold orders text without regard to ASCII case, equal text by bytes.
func cmpFold(a, b string) int {
	for i := 0; i < len(a) && i < len(b); i++ {
		x, y := lower(a[i]), lower(b[i])
		if x != y {
			return int(x) - int(y)
		}
	}
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 32
	}
	return c
}
