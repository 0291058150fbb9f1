package mde

import (
	"bytes"
	"context"
	"net/http"

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

// fetch reads rows: it honours offset and limit, its order is stable and its
// total is more than offset and limit when further rows follow; rows that where
// refuses do not count.
type fetch[T any] func(q server.Query, where func(*T) bool) (server.Page[T], error)

// serveList answers a collection that fetch filters and pages.
func serveList[T any](q *request, set string, props []prop[T], get fetch[T]) error {
	o, err := parseOptions(q.r.URL.RawQuery)
	if err != nil {
		return err
	}
	return serveSorted(q, o, set, props, nil, get)
}

// serveSorted is serveList for a list that has sort keys for some properties, which
// sorts names: by them the server finds a page soonest. Any other order it is given as
// a comparison. Either way no more rows leave the server than the page has.
func serveSorted[T any](q *request, o options, set string, props []prop[T], sorts map[string]string, get fetch[T]) error {
	rq, shown, err := rowQuery(o, props)
	if err != nil {
		return err
	}
	want := server.Query{Filter: map[string][]string{}, Offset: o.skip, Limit: max(o.limit(), 1)}
	if want.Sort = sortKeys(props, o.orderby, sorts); want.Sort == nil && rq.Order != nil {
		want.Order = rq.Order
	}
	page, err := get(want, rq.Where)
	if err != nil {
		return err
	}
	rows := page.Items[:min(len(page.Items), o.limit())]
	if q.fill != nil {
		if err := q.fill(rows); err != nil {
			return err
		}
	}
	writeList(q, o, set, shown, rows, page.Total)
	return nil
}

// rowQuery is what options ask of a list, and the properties to show.
func rowQuery[T any](o options, props []prop[T]) (want server.RowQuery[T], shown []prop[T], err error) {
	want = server.RowQuery[T]{Skip: o.skip, Limit: o.limit(), Count: o.count}
	if o.filter != "" {
		if want.Where, err = compile(props, o.filter); err != nil {
			return want, nil, err
		}
	}
	if want.Order, err = order(props, o.orderby); err != nil {
		return want, nil, err
	}
	shown, err = chosen(props, o.selects)
	return want, shown, err
}

// serveRows answers a collection that the server filters, orders, counts and pages.
func serveRows[T any](q *request, set string, props []prop[T], read func(server.RowQuery[T]) (server.RowPage[T], error)) error {
	o, err := parseOptions(q.r.URL.RawQuery)
	if err != nil {
		return err
	}
	want, shown, err := rowQuery(o, props)
	if err != nil {
		return err
	}
	page, err := read(want)
	if err != nil {
		return err
	}
	writeRows(q, o, set, shown, page)
	return nil
}

func writeRows[T any](q *request, o options, set string, shown []prop[T], page server.RowPage[T]) {
	q.more = &page.More
	writeList(q, o, set, shown, page.Rows, page.Total)
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
	writeStatus(w, http.StatusOK, raw)
}

func writeStatus(w http.ResponseWriter, status int, raw []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(raw) // a client that has gone needs no answer
}
