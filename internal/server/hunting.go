package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/kql"
)

// AdvancedQuery is the permission to hunt. For an application it opens every table.
const AdvancedQuery = "AdvancedQuery.Read.All"

// Limits of hunting; those of the Defender API where it has one.
const (
	// HuntRows is the most rows of an answer.
	HuntRows = 100_000
	// HuntBytes is the most bytes of an answer of the Defender API.
	HuntBytes = 124 << 20
	// HuntTime is how long a query may run.
	HuntTime = 200 * time.Second
	// HuntDays is how far back events are read where nothing else is asked for.
	HuntDays = 30
	// huntMemory is the most that one query keeps in memory.
	huntMemory = 256 << 20
	// huntWait is how long a query waits for its turn.
	huntWait = 30 * time.Second
	// hourShare and dayShare are how long the queries of one application may run.
	hourShare = 10 * time.Minute
	dayShare  = 3 * time.Hour
)

// HuntLimits are limits that a server may set lower. Zero: as the constants say.
type HuntLimits struct {
	Time time.Duration // that a query may run
	Tell time.Duration // between two words of how far it is, at least
}

func (l HuntLimits) time() time.Duration { return cmp.Or(l.Time, HuntTime) }

// HuntRequest is a query with what it is about.
type HuntRequest struct {
	Query string
	// From and To bound the events that are read: From included, To not. Zero: the
	// last HuntDays days, until now.
	From, To time.Time
	Limit    int  // most rows, 1 to HuntRows; 0: HuntRows
	Export   bool // every row there is
	Fixed    bool // nothing older than HuntDays is read
}

// HuntError is a query that cannot be run: what is wrong, and where. It is an ErrInvalid.
type HuntError struct{ Mistake kql.Error }

// Error is the place and the message.
func (e *HuntError) Error() string { return e.Mistake.Error() }

// Is makes every HuntError an ErrInvalid.
func (e *HuntError) Is(target error) bool { return target == ErrInvalid }

// HuntLimitError is a query that needs more than it may. It is an ErrInvalid.
type HuntLimitError struct{ Message string }

// Error is the message.
func (e *HuntLimitError) Error() string { return e.Message }

// Is makes every HuntLimitError an ErrInvalid.
func (e *HuntLimitError) Is(target error) bool { return target == ErrInvalid }

// HuntColumn is a column of a result or a table.
type HuntColumn struct {
	Name string `json:"name"`
	Type string `json:"type" enum:"string,long,int,real,bool,datetime,timespan,dynamic,guid,null"`
}

// HuntStatistics is what a run read so far.
type HuntStatistics struct {
	RowsRead   int     `json:"rows_read"`
	BlocksRead int     `json:"blocks_read"` // of the event log
	BytesRead  int64   `json:"bytes_read"`  // of these blocks, as they are on disk
	ElapsedMS  int64   `json:"elapsed_ms"`
	Share      float64 `json:"share"` // of the table under way that was looked at, 0 to 1
	Rows       int     `json:"rows"`  // of the result
	Truncated  bool    `json:"truncated"`
}

// Hunt is a checked query of a caller, ready to be run once.
type Hunt struct {
	s     *Server
	q     *kql.Query
	r     *huntReader
	limit int
	Notes []string // what the reader of the result should know; filled by Run
	done  func()   // ends the turn that Resolve took; nil: it took none
	began time.Time
}

// Hunt checks a query. What is wrong with it is a *HuntError.
func (s *Server) Hunt(_ context.Context, c Caller, in HuntRequest) (*Hunt, error) {
	if err := s.need(c, AdvancedQuery); err != nil {
		return nil, err
	}
	now := s.now()
	h := &Hunt{s: s, limit: in.Limit, r: &huntReader{s: s, c: c, now: now, from: in.From, to: in.To}}
	switch {
	case in.Limit < 0 || in.Limit > HuntRows:
		return nil, Invalidf("limit", "must be 1 to %d", HuntRows)
	case in.Export:
		h.limit = -1
	case in.Limit == 0:
		h.limit = HuntRows
	}
	if h.r.to.IsZero() {
		h.r.to = now.Add(time.Hour) // a device's clock may be ahead
	}
	if oldest := now.Add(-HuntDays * 24 * time.Hour); h.r.from.IsZero() || in.Fixed && h.r.from.Before(oldest) {
		h.r.from = oldest
	}
	if !h.r.from.Before(h.r.to) {
		return nil, Invalidf("from", "must be before to")
	}
	q, err := kql.Prepare(in.Query, kql.Options{Tables: tablesOf{c}, Enrichments: []*kql.Enrichment{fileProfile}, Now: now})
	var wrong *kql.Error
	if errors.As(err, &wrong) {
		return nil, &HuntError{*wrong}
	}
	h.q = q
	return h, err
}

// Columns are the columns of the result; none of a query that is open.
func (h *Hunt) Columns() []HuntColumn { return huntColumnsOf(h.q.Columns()) }

func huntColumnsOf(cols []kql.Column) []HuntColumn {
	out := make([]HuntColumn, len(cols))
	for i, c := range cols {
		out[i] = HuntColumn{Name: c.Name, Type: c.Type.String()}
	}
	return out
}

// Render is how the query asks for its result to be drawn; nil: it says nothing.
func (h *Hunt) Render() *kql.Render { return h.q.Render() }

// Open reports whether the columns of the result depend on rows: then Resolve has
// to be called before Columns and Run.
func (h *Hunt) Open() bool { return h.q.Open() }

// Resolve reads what the columns of an open query depend on; it does nothing for
// others. The turn that it takes ends with Run, or with ctx. Its errors are those
// of Hunt and Run.
func (h *Hunt) Resolve(ctx context.Context) error {
	if !h.q.Open() {
		return nil
	}
	done, err := h.s.hunts.begin(ctx, h.r.c, h.s.now)
	if err != nil {
		return err
	}
	h.began, h.done = time.Now(), sync.OnceFunc(done)
	context.AfterFunc(ctx, h.done)
	run, cancel := context.WithTimeoutCause(ctx, h.s.opt.Hunt.time(), errHuntTime)
	defer cancel()
	h.r.ctx = run
	err = h.q.Resolve(run, h.r, kql.Limits{Memory: huntMemory})
	if err != nil {
		h.done()
	}
	var wrong *kql.Error
	if errors.As(err, &wrong) {
		return &HuntError{*wrong}
	}
	return h.failed(run, err)
}

// failed is the error of a run: a limit that it exceeded is a *HuntLimitError.
func (h *Hunt) failed(run context.Context, err error) error {
	var limit *kql.LimitError
	switch {
	case errors.As(err, &limit):
		return &HuntLimitError{limit.Message}
	case err != nil && errors.Is(context.Cause(run), errHuntTime):
		return &HuntLimitError{fmt.Sprintf("the query ran for %d seconds, as long as a query may: read a shorter time, or filter by device, action or another column first", int(h.s.opt.Hunt.time().Seconds()))}
	}
	return err
}

// Run runs the query. out gets each row of the result, in order, and keeps
// nothing of it; watch, which may be nil, learns now and then how far the run is.
// It ends with ctx. A limit that the query exceeds is a *HuntLimitError; too many
// queries at once are ErrUnavailable, too much time of an application a *RateError.
func (h *Hunt) Run(ctx context.Context, out func(row HuntRow) error, watch func(HuntStatistics)) (HuntStatistics, error) {
	if h.done == nil {
		done, err := h.s.hunts.begin(ctx, h.r.c, h.s.now)
		if err != nil {
			return HuntStatistics{}, err
		}
		h.began, h.done = time.Now(), done
	}
	defer h.done()
	began := h.began
	run, cancel := context.WithTimeoutCause(ctx, h.s.opt.Hunt.time()-time.Since(began), errHuntTime)
	defer cancel()
	h.r.ctx = run
	if watch != nil {
		told := began
		h.r.watch = func(st HuntStatistics) {
			if now := time.Now(); now.Sub(told) >= cmp.Or(h.s.opt.Hunt.Tell, huntTell) {
				told = now
				st.ElapsedMS = now.Sub(began).Milliseconds()
				watch(st)
			}
		}
	}
	rows := 0
	o, err := h.q.Run(run, h.r, kql.Limits{Rows: h.limit, Memory: huntMemory}, func(row []kql.Value) error {
		rows++
		h.r.stats.Rows = rows
		return out(row)
	})
	st := h.r.stats
	st.Rows, st.Truncated, st.Share, st.ElapsedMS = o.Rows, o.Truncated, 1, time.Since(began).Milliseconds()
	if err := h.failed(run, err); err != nil {
		return st, err
	}
	h.Notes = h.notes(o)
	return st, nil
}

// huntTell is how often a run tells how far it is.
const huntTell = 250 * time.Millisecond

var errHuntTime = errors.New("time of a query is up")

func (h *Hunt) notes(o kql.Outcome) []string {
	notes := append([]string{}, o.Notes...)
	if o.Truncated {
		notes = append(notes, fmt.Sprintf("There are more than %d rows; only these are shown.", h.limit))
	}
	if h.r.earlier {
		notes = append(notes, fmt.Sprintf("The query asks for events before %s; none of these were read.", h.r.from.UTC().Format(time.RFC3339)))
	}
	if h.r.unlisted {
		notes = append(notes, "The index had no room for some mentions of files: prevalence may be too low.")
	}
	if h.r.damaged > 0 {
		notes = append(notes, fmt.Sprintf("%d parts of the event log could not be read: what was in them is missing.", h.r.damaged))
	}
	return notes
}

// huntDesk lets few queries run at once, and counts how long those of each
// application ran. The zero value is ready. Safe for concurrent use.
type huntDesk struct {
	once sync.Once
	turn chan struct{}
	mu   sync.Mutex
	by   map[string][]huntRun // by application, the oldest first; of a day
}

type huntRun struct {
	at   time.Time
	took time.Duration
}

// begin waits for a turn and returns what ends it.
func (d *huntDesk) begin(ctx context.Context, c Caller, now func() time.Time) (func(), error) {
	d.once.Do(func() { d.turn = make(chan struct{}, max(2, runtime.NumCPU()/2)) })
	if c.App != "" {
		if err := d.admit(c.App, now()); err != nil {
			return nil, err
		}
	}
	wait := time.NewTimer(huntWait)
	defer wait.Stop()
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-wait.C:
		return nil, fmt.Errorf("too many queries run at once; try again: %w", ErrUnavailable)
	}
	began := time.Now()
	return func() {
		<-d.turn
		if c.App != "" {
			d.note(c.App, huntRun{at: now(), took: time.Since(began)})
		}
	}, nil
}

// admit refuses an application whose queries ran for too long in an hour or a day.
func (d *huntDesk) admit(app string, now time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	runs := d.by[app]
	for len(runs) > 0 && now.Sub(runs[0].at) >= 24*time.Hour {
		runs = runs[1:]
	}
	if d.by != nil {
		d.by[app] = runs
	}
	for _, w := range []struct {
		most, long time.Duration
	}{{hourShare, time.Hour}, {dayShare, 24 * time.Hour}} {
		var sum time.Duration
		for _, r := range slices.Backward(runs) {
			if now.Sub(r.at) >= w.long {
				break
			}
			if sum += r.took; sum >= w.most {
				return &RateError{Class: "CPU time of advanced hunting", Limit: int(w.most.Seconds()), Per: w.long, After: r.at.Add(w.long).Sub(now)}
			}
		}
	}
	return nil
}

// note adds a run; runs of the same minute are one.
func (d *huntDesk) note(app string, r huntRun) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.by == nil {
		d.by = map[string][]huntRun{}
	}
	runs := d.by[app]
	if n := len(runs); n > 0 && r.at.Sub(runs[n-1].at) < time.Minute {
		runs[n-1].took += r.took
		return
	}
	d.by[app] = append(runs, r)
}

// HuntTable is a table that the caller may read.
type HuntTable struct {
	Name        string            `json:"name"`
	Description string            `json:"description"`
	Events      bool              `json:"events"` // it is bounded by time
	Columns     []HuntTableColumn `json:"columns"`
}

// HuntTableColumn is a column of a table.
type HuntTableColumn struct {
	HuntColumn
	Description string `json:"description"`
	// Filled says that Picket has values for it. The others are there so that
	// queries written for Defender run.
	Filled bool `json:"filled"`
}

// HuntSchema is what a query may be written with.
type HuntSchema struct {
	Tables []HuntTable `json:"tables"`
	Words  []kql.Word  `json:"words"` // functions, aggregates and operators
	Rows   int         `json:"most_rows"`
	Days   int         `json:"days"` // how far back events are read where nothing is said
}

// HuntSchema lists tables, columns, functions and operators.
func (s *Server) HuntSchema(_ context.Context, c Caller) (HuntSchema, error) {
	if err := s.need(c, AdvancedQuery); err != nil {
		return HuntSchema{}, err
	}
	words := append(kql.Words(), kql.Word{Name: fileProfile.Name, Kind: "function", Arguments: fileProfile.Arguments, Description: fileProfile.Description})
	out := HuntSchema{Tables: []HuntTable{}, Words: words, Rows: HuntRows, Days: HuntDays}
	for _, name := range (tablesOf{c}).Names() {
		t := huntTables()[name]
		h := HuntTable{Name: name, Description: t.about, Events: t.events != 0}
		for _, col := range t.Columns {
			h.Columns = append(h.Columns, HuntTableColumn{HuntColumn: HuntColumn{Name: col.Name, Type: col.Type.String()}, Description: columnAbout(col.Name), Filled: t.fills(col.Name)})
		}
		out.Tables = append(out.Tables, h)
	}
	return out, nil
}
