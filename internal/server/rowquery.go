package server

import (
	"iter"
	"slices"
)

// RowQuery says which rows of a list are answered; the zero value is no row.
type RowQuery[T any] struct {
	// Where keeps a row; nil keeps all. Like Order, it is asked while the index
	// is held: it must not call the server or keep what it is given.
	Where func(*T) bool
	Order func(a, b *T) int // before the list's own order
	Skip  int               // rows to leave out
	Limit int               // rows to answer; -1: all
	Count bool              // whether to count what is left
}

// RowPage is an answer to a RowQuery.
type RowPage[T any] struct {
	Rows  []T
	More  bool // rows follow
	Total int  // 0 unless it was asked for
}

// Of answers the query from rows that come in the list's own order and are not
// kept. It stops behind the page unless Order or Count ask for the rest, and of
// a page in another order it holds little more than the page and what it skips.
func (q *RowQuery[T]) Of(rows iter.Seq[*T]) (page RowPage[T]) {
	most := q.Skip + q.Limit + 1 // with one to see that more follow
	var last *T                  // of the first so many, once there are as many
	for r := range rows {
		if q.Where != nil && !q.Where(r) {
			continue
		}
		page.Total++
		if q.Limit >= 0 && (q.Order == nil && len(page.Rows) == most || last != nil && q.Order(r, last) >= 0) {
			continue
		}
		page.Rows = append(page.Rows, *r)
		switch {
		case q.Limit < 0:
		case q.Order != nil:
			if len(page.Rows) >= 2*most+1000 {
				q.sort(page.Rows)
				page.Rows = page.Rows[:most]
				copied := page.Rows[most-1]
				last = &copied
			}
		case !q.Count && len(page.Rows) == most:
			return q.cut(page)
		}
	}
	return q.cut(page)
}

// cut makes a page of the rows that may be in it.
func (q *RowQuery[T]) cut(page RowPage[T]) RowPage[T] {
	if q.Order != nil {
		q.sort(page.Rows)
	}
	page.Rows = page.Rows[min(q.Skip, len(page.Rows)):]
	if q.Limit >= 0 && len(page.Rows) > q.Limit {
		page.Rows, page.More = page.Rows[:q.Limit], q.Limit > 0
	}
	if !q.Count {
		page.Total = 0
	}
	return page
}

// sort orders rows; equal ones stay in the order in which they came.
func (q *RowQuery[T]) sort(rows []T) {
	slices.SortStableFunc(rows, func(a, b T) int { return q.Order(&a, &b) })
}

// Each yields the rows of a slice.
func Each[T any](rows []T) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for i := range rows {
			if !yield(&rows[i]) {
				return
			}
		}
	}
}
