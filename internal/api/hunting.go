package api

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/picketsec/picket/internal/server"
)

type huntIn struct {
	Body struct {
		Query string     `json:"query" minLength:"1" maxLength:"65536" doc:"In the Kusto Query Language."`
		From  *time.Time `json:"from,omitempty" doc:"Events from this time on (RFC 3339); nothing: the last 30 days."`
		To    *time.Time `json:"to,omitempty" doc:"Events before this time (RFC 3339)."`
		Limit int        `json:"limit,omitempty" minimum:"1" maximum:"100000" doc:"Most rows; nothing: 100000."`
	}
}

func (in *huntIn) request() server.HuntRequest {
	return server.HuntRequest{Query: in.Body.Query, From: whenOf(in.Body.From), To: whenOf(in.Body.To), Limit: in.Body.Limit}
}

func whenOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

type huntExportIn struct {
	Body struct {
		Query  string     `json:"query" minLength:"1" maxLength:"65536"`
		From   *time.Time `json:"from,omitempty"`
		To     *time.Time `json:"to,omitempty"`
		Format string     `json:"format" enum:"csv,jsonl"`
	}
}

type huntQueryIn struct {
	Body server.HuntQueryEdit
}

type editHuntQueryIn struct {
	ID
	Body server.HuntQueryEdit
}

// HuntMistake is what is wrong with a query, and where.
type HuntMistake struct {
	Line    int    `json:"line" doc:"From 1."`
	Column  int    `json:"column" doc:"From 1, in characters."`
	Length  int    `json:"length" doc:"Characters from there on."`
	Message string `json:"message"`
	Hint    string `json:"hint" doc:"How to mend it; may be empty."`
}

// HuntCheck says whether a query would run.
type HuntCheck struct {
	OK      bool                `json:"ok"`
	Mistake *HuntMistake        `json:"mistake"`
	Columns []server.HuntColumn `json:"columns" doc:"Of the result."`
	Open    bool                `json:"open" doc:"Whether columns depend on rows (evaluate): they are known once the query runs, and what is behind is checked then."`
	Render  *HuntRender         `json:"render"`
}

// HuntRender is how a result is to be drawn.
type HuntRender struct {
	Chart      string            `json:"chart"`
	Properties map[string]string `json:"properties"`
}

// HuntLine is one line of the answer to a query. Which members it has goes by its
// kind: schema is the first line, then come progress and rows in any order, and
// done or error is the last. An answer that ends without one of these is not whole.
type HuntLine struct {
	Kind       string                 `json:"kind" enum:"schema,progress,rows,done,error"`
	Columns    []server.HuntColumn    `json:"columns,omitempty"`
	Render     *HuntRender            `json:"render,omitempty"`
	Rows       [][]any                `json:"rows,omitempty" doc:"Values in the order of columns: times and spans as text, dynamic values as JSON."`
	Statistics *server.HuntStatistics `json:"statistics,omitempty"`
	Notes      []string               `json:"notes,omitempty"`
	Error      *HuntMistake           `json:"error,omitempty" doc:"Line 0 where no place of the query is to blame."`
}

func huntMistake(err error) *HuntMistake {
	var e *server.HuntError
	if !errors.As(err, &e) {
		return nil
	}
	m := &e.Mistake
	return &HuntMistake{Line: m.Line, Column: m.Column, Length: m.Length, Message: m.Message, Hint: m.Hint}
}

func huntRender(h *server.Hunt) *HuntRender {
	r := h.Render()
	if r == nil {
		return nil
	}
	return &HuntRender{Chart: r.Chart, Properties: r.Properties}
}

// huntingRoutes are advanced hunting.
func (c *console) huntingRoutes() {
	get(c, "hunting-schema", "/hunting/schema", "Tables, columns, functions and operators that a query may be written with",
		func(ctx context.Context, caller server.Caller, _ *empty) (server.HuntSchema, error) {
			return c.srv.HuntSchema(ctx, caller)
		})
	act(c, huma.Operation{OperationID: "check-hunt", Method: http.MethodPost, Path: "/hunting/check", Summary: "Whether a query would run, and what its result would look like", DefaultStatus: http.StatusOK},
		func(ctx context.Context, caller server.Caller, in *huntIn) (HuntCheck, error) {
			h, err := c.srv.Hunt(ctx, caller, in.request())
			if m := huntMistake(err); m != nil {
				return HuntCheck{Mistake: m, Columns: []server.HuntColumn{}}, nil
			}
			if err != nil {
				return HuntCheck{}, err
			}
			return HuntCheck{OK: true, Columns: h.Columns(), Open: h.Open(), Render: huntRender(h)}, nil
		})
	get(c, "hunting-queries", "/hunting/queries", "Own saved queries and those that are shared, by name",
		func(ctx context.Context, caller server.Caller, _ *empty) ([]server.HuntQuery, error) {
			return c.srv.HuntQueries(ctx, caller)
		})
	act(c, huma.Operation{OperationID: "save-hunting-query", Method: http.MethodPost, Path: "/hunting/queries", Summary: "Save a query", DefaultStatus: http.StatusCreated},
		func(ctx context.Context, caller server.Caller, in *huntQueryIn) (server.HuntQuery, error) {
			return c.srv.SaveHuntQuery(ctx, caller, "", in.Body)
		})
	act(c, huma.Operation{OperationID: "edit-hunting-query", Method: http.MethodPut, Path: "/hunting/queries/{id}", Summary: "Change a saved query", DefaultStatus: http.StatusOK},
		func(ctx context.Context, caller server.Caller, in *editHuntQueryIn) (server.HuntQuery, error) {
			return c.srv.SaveHuntQuery(ctx, caller, in.ID.ID, in.Body)
		})
	end(c, huma.Operation{OperationID: "delete-hunting-query", Method: http.MethodDelete, Path: "/hunting/queries/{id}", Summary: "Delete a saved query"},
		func(ctx context.Context, caller server.Caller, in *ID) error {
			return c.srv.DeleteHuntQuery(ctx, caller, in.ID)
		})
	c.huntRoute()
	c.huntExportRoute()
}

// huntProblem is an error of a hunt; a mistake in the query tells its place.
func (c *console) huntProblem(ctx context.Context, op string, err error) error {
	out := c.problem(ctx, op, err)
	var p *huma.ErrorModel
	if m := huntMistake(err); m != nil && errors.As(out, &p) {
		p.Errors = []*huma.ErrorDetail{{Message: cmp.Or(m.Hint, m.Message), Location: "body.query", Value: m}}
	}
	return out
}

func (c *console) huntRoute() {
	schema := c.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[HuntLine](), true, "")
	huma.Register(c.api, huma.Operation{OperationID: "run-hunt", Method: http.MethodPost, Path: "/hunting/run", Summary: "Run a query",
		Description: "The answer is a stream of lines, each a HuntLine. Closing the connection ends the query. A query that cannot be run is 422; errors[0].value is its HuntMistake.",
		Errors:      readErrors, DefaultStatus: http.StatusOK, MaxBodyBytes: 256 << 10,
		Responses: map[string]*huma.Response{"200": {Description: "A stream of lines.", Content: map[string]*huma.MediaType{"application/x-ndjson": {Schema: schema}}}}},
		func(ctx context.Context, in *huntIn) (*huma.StreamResponse, error) {
			h, err := c.srv.Hunt(ctx, callerOf(ctx), in.request())
			if err == nil {
				err = h.Resolve(ctx)
			}
			if err != nil {
				return nil, c.huntProblem(ctx, "run-hunt", err)
			}
			return &huma.StreamResponse{Body: func(hc huma.Context) { c.streamHunt(hc, h) }}, nil
		})
}

const (
	// huntBatch is how many rows a line has at most, huntBatchBytes how many bytes about.
	huntBatch      = 500
	huntBatchBytes = 256 << 10
)

// huntWriter writes the lines of an answer.
type huntWriter struct {
	ctl  *http.ResponseController
	out  *bufio.Writer
	rows int
	buf  []byte
}

// line writes one line and sends it.
func (w *huntWriter) line(l HuntLine) error {
	raw, err := json.Marshal(l)
	if err != nil {
		return err
	}
	return w.send(append(raw, '\n'))
}

func (w *huntWriter) send(b []byte) error {
	_ = w.ctl.SetWriteDeadline(time.Now().Add(writeTime)) // a writer without deadlines has none to set
	if _, err := w.out.Write(b); err != nil {
		return err
	}
	if err := w.out.Flush(); err != nil {
		return err
	}
	return w.ctl.Flush()
}

// flush sends the rows that were collected.
func (w *huntWriter) flush() error {
	if w.rows == 0 {
		return nil
	}
	b := append(w.buf, "]}\n"...)
	w.rows, w.buf = 0, w.buf[:0]
	return w.send(b)
}

// streamHunt runs a query and writes its answer. The server's write deadline is
// moved on with every line; a client that goes away cancels the request's context.
func (c *console) streamHunt(hc huma.Context, h *server.Hunt) {
	r, rw := humago.Unwrap(hc)
	ctx := r.Context()
	hc.SetHeader("Content-Type", "application/x-ndjson; charset=utf-8")
	hc.SetHeader("X-Accel-Buffering", "no")
	hc.SetStatus(http.StatusOK)
	w := &huntWriter{ctl: http.NewResponseController(rw), out: bufio.NewWriterSize(rw, 64<<10)}
	if w.line(HuntLine{Kind: "schema", Columns: h.Columns(), Render: huntRender(h)}) != nil {
		return
	}
	st, err := h.Run(ctx, func(row server.HuntRow) error {
		if w.rows == 0 {
			w.buf = append(w.buf, `{"kind":"rows","rows":[`...)
		} else {
			w.buf = append(w.buf, ',')
		}
		w.buf = server.AppendHuntRow(w.buf, row)
		if w.rows++; w.rows >= huntBatch || len(w.buf) > huntBatchBytes {
			return w.flush()
		}
		return nil
	}, func(st server.HuntStatistics) {
		_ = w.flush() // what cannot be written ends the run by its context
		_ = w.line(HuntLine{Kind: "progress", Statistics: &st})
	})
	if err == nil {
		err = w.flush()
	}
	if err != nil {
		f := faultIn(ctx, err)
		if f.status >= 500 {
			c.log.ErrorContext(ctx, "request failed", "id", requestOf(ctx).id, "operation", "run-hunt", "error", err)
		}
		_ = w.line(HuntLine{Kind: "error", Statistics: &st, Error: &HuntMistake{Message: f.text}}) // a client that has gone needs no answer
		return
	}
	_ = w.line(HuntLine{Kind: "done", Statistics: &st, Notes: h.Notes})
}

func (c *console) huntExportRoute() {
	const op = "export-hunt"
	huma.Register(c.api, huma.Operation{OperationID: op, Method: http.MethodPost, Path: "/hunting/export", Summary: "Run a query; its whole result as a file",
		Errors: readErrors, DefaultStatus: http.StatusOK, MaxBodyBytes: 256 << 10,
		Responses: map[string]*huma.Response{"200": {Description: "The rows. Trailers X-Picket-Rows and X-Picket-Sha256 say how many and what they hash to.",
			Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}, "application/jsonl": {Schema: &huma.Schema{Type: huma.TypeString}}}}}},
		func(ctx context.Context, in *huntExportIn) (*huma.StreamResponse, error) {
			b := &in.Body
			h, err := c.srv.Hunt(ctx, callerOf(ctx), server.HuntRequest{Query: b.Query, From: whenOf(b.From), To: whenOf(b.To), Export: true})
			if err == nil {
				err = h.Resolve(ctx)
			}
			if err != nil {
				return nil, c.huntProblem(ctx, op, err)
			}
			return &huma.StreamResponse{Body: func(hc huma.Context) {
				cols := make([]column[huntExportRow], 0, len(h.Columns()))
				for i, col := range h.Columns() {
					cols = append(cols, column[huntExportRow]{col.Name, func(r *huntExportRow) string { return r.row[i].Text() }})
				}
				streamSeq(hc, "hunting", "", b.Format, time.Now(), huntRows(hc.Context(), h), belongs{}, cols)
			}}, nil
		})
}

// huntExportRow is a row of a result with the names of its columns.
type huntExportRow struct {
	cols []server.HuntColumn
	row  server.HuntRow
}

// MarshalJSON writes the row as an object.
func (r *huntExportRow) MarshalJSON() ([]byte, error) {
	return server.AppendHuntObject(nil, r.cols, r.row), nil
}

// huntRows yields the rows of a query; an error is the last that it yields.
func huntRows(ctx context.Context, h *server.Hunt) iter.Seq2[huntExportRow, error] {
	return func(yield func(huntExportRow, error) bool) {
		cols := h.Columns()
		enough := errors.New("enough")
		_, err := h.Run(ctx, func(row server.HuntRow) error {
			if !yield(huntExportRow{cols, row}, nil) {
				return enough
			}
			return nil
		}, nil)
		if err != nil && !errors.Is(err, enough) {
			yield(huntExportRow{}, err)
		}
	}
}
