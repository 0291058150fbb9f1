package mde

import (
	"bytes"
	"context"
	"iter"
	"net/http"
	"slices"

	"github.com/picketsec/picket/internal/server"
)

// request is one request of an authenticated caller.
type request struct {
	w      http.ResponseWriter
	r      *http.Request
	caller server.Caller
	base   string               // "https://picket.example"
	prefix string               // "/api" or "/api/v1.0", as the client wrote it
	id     string               // of the item in the path
	arg    string               // arguments of a function in the path
	token  string               // where the next page begins, when it is not by number of rows
	fill   func(rows any) error // adds to the rows of an answer what is read for them alone; nil: nothing
	more   *bool                // whether a page follows, when the total does not say
}

func (q *request) ctx() context.Context { return q.r.Context() }

// address is where this request went, without its query.
func (q *request) address() string { return q.base + q.r.URL.EscapedPath() }

func (q *request) context(set string) string { return q.base + q.prefix + "/$metadata#" + set }

// fetch reads rows; when it is paged, it honours offset and limit, its order is
// stable and its total is more than offset and limit when further rows follow;
// rows that where refuses do not count.
type fetch[T any] func(q server.Query, where func(*T) bool) (server.Page[T], error)

// serveList answers a collection. paged says that fetch filters and pages;
// else it gives all rows and both are done here.
func serveList[T any](q *request, set string, props []prop[T], paged bool, get fetch[T]) error {
	o, err := parseOptions(q.r.URL.RawQuery)
	if err != nil {
		return err
	}
	return serveWith(q, o, set, props, paged, get)
}

func serveWith[T any](q *request, o options, set string, props []prop[T], paged bool, get fetch[T]) error {
	return serveSorted(q, o, set, props, nil, paged, get)
}

// serveSorted is serveWith for a list that the server itself orders by some
// properties: sorts has its sort keys. The server then pages, too.
func serveSorted[T any](q *request, o options, set string, props []prop[T], sorts map[string]string, paged bool, get fetch[T]) error {
	var where func(*T) bool
	var err error
	if o.filter != "" {
		if where, err = compile(props, o.filter); err != nil {
			return err
		}
	}
	less, err := order(props, o.orderby)
	if err != nil {
		return err
	}
	shown, err := chosen(props, o.selects)
	if err != nil {
		return err
	}
	want := server.Query{Filter: map[string][]string{}}
	if want.Sort = sortKeys(props, o.orderby, sorts); want.Sort != nil {
		less = nil
	}
	local := less != nil || !paged
	if !local {
		want.Offset, want.Limit = o.skip, max(o.limit(), 1)
	}
	page, err := get(want, where)
	if err != nil {
		return err
	}
	rows, total := page.Items, page.Total
	if local {
		if !paged && where != nil {
			kept := rows[:0:0]
			for i := range rows {
				if where(&rows[i]) {
					kept = append(kept, rows[i])
				}
			}
			rows = kept
		}
		if !paged {
			total = len(rows)
		}
		if less != nil {
			rows = firstOf(slices.Values(rows), nil, less, o.skip+o.limit()).Items
		}
		rows = rows[min(o.skip, len(rows)):]
	}
	rows = rows[:min(len(rows), o.limit())]
	if q.fill != nil {
		if err := q.fill(rows); err != nil {
			return err
		}
	}
	writeList(q, o, set, shown, rows, total)
	return nil
}

// writeList writes the envelope. The next link is there only when a page follows.
func writeList[T any](q *request, o options, set string, shown []prop[T], rows []T, total int) {
	var b bytes.Buffer
	b.WriteString(`{"@odata.context":`)
	appendJSON(&b, q.context(set))
	if o.count {
		b.WriteString(`,"@odata.count":`)
		appendJSON(&b, total)
	}
	b.WriteString(`,"value":[`)
	for i := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		appendEntity(&b, "", shown, &rows[i])
	}
	b.WriteByte(']')
	more := o.skip+len(rows) < total
	if q.more != nil {
		more = *q.more
	}
	if next := o.next(q.address(), len(rows), more, q.token); next != "" {
		b.WriteString(`,"@odata.nextLink":`)
		appendJSON(&b, next)
	}
	b.WriteByte('}')
	writeJSON(q.w, b.Bytes())
}

// serveOne answers a single entity.
func serveOne[T any](q *request, set string, props []prop[T], row *T) error {
	o, err := parseOptions(q.r.URL.RawQuery)
	if err != nil {
		return err
	}
	shown, err := chosen(props, o.selects)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	appendEntity(&b, q.context(set)+"/$entity", shown, row)
	writeJSON(q.w, b.Bytes())
	return nil
}

func writeJSON(w http.ResponseWriter, raw []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(raw) // a client that has gone needs no answer
}

// firstOf takes the first n rows of an order, equal ones in the order in which
// they come. It holds at most twice as many.
func firstOf[T any](rows iter.Seq[T], where func(*T) bool, less func(a, b *T) int, n int) server.Page[T] {
	var page server.Page[T]
	var last T // of the first n so far
	full := false
	cut := func() {
		slices.SortStableFunc(page.Items, func(a, b T) int { return less(&a, &b) })
		if full = n > 0 && len(page.Items) >= n; full {
			last = page.Items[n-1]
		}
		page.Items = page.Items[:min(n, len(page.Items))]
	}
	for r := range rows {
		if where != nil && !where(&r) {
			continue
		}
		page.Total++
		if full && less(&r, &last) >= 0 {
			continue
		}
		if page.Items = append(page.Items, r); len(page.Items) >= 2*n {
			cut()
		}
	}
	cut()
	return page
}
