package respond

import (
	"archive/zip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"sync"
	"time"
)

// Status is how an item of a package was got.
type Status string

// The states of an item.
const (
	Whole       Status = "ok"
	Truncated   Status = "truncated"     // larger than its cap, or than what the package has room for
	Part        Status = "partial"       // some of it could not be had: see the error
	Absent      Status = "absent"        // the host has none
	Failed      Status = "failed"        // see the error
	TimedOut    Status = "timed out"     // what was there in time is in it
	Unavailable Status = "not available" // cannot be had by the way in which the agent looks at this host
)

// Item is an item of a package, as its summary tells.
type Item struct {
	Name   string        `json:"name"` // path in the package
	How    string        `json:"how"`
	Bytes  int64         `json:"bytes"` // of its text
	Took   time.Duration `json:"-"`
	Millis int64         `json:"milliseconds"`
	Status Status        `json:"status"`
	Error  string        `json:"error,omitempty"`
}

// Package is what an investigation package holds.
type Package struct {
	Version   string    `json:"agentVersion"`
	Host      string    `json:"host"`
	System    string    `json:"system"`
	Root      string    `json:"root,omitempty"` // the root that was looked at, unless it is the running host
	Collected time.Time `json:"collected"`      // by the host's clock
	Bytes     int64     `json:"bytes"`          // of all texts
	Missing   int       `json:"missing"`        // items that are not whole though the host should have them
	Items     []Item    `json:"items"`
}

// packageMax bounds the texts of a package in bytes, before they are compressed.
const packageMax = 160 << 20

// itemGrace is how long an item may take to notice that its time is over.
const itemGrace = 3 * time.Second

// maxStuck is how many items may hang in the host before no more are tried.
const maxStuck = 3

var (
	errFull        = errors.New("the item is larger than its cap")
	errLate        = errors.New("its time is over")
	errUnavailable = errors.New("not available")
)

// item is something that a package holds.
type item struct {
	name string
	how  string
	max  int64         // bytes
	wait time.Duration // time
	live bool          // tells of the running host, so it cannot be had of another root
	run  func(ctx context.Context, w io.Writer) error
}

// Collect writes an investigation package, a ZIP file, to w, and returns what it
// holds. It streams: no item is in memory as a whole. What cannot be had is told
// in the summary within the package; an error is one of w or of ctx, and what was
// written is then of no use.
//
// Secrets that are known by their form are left out; files that hold nothing but
// secrets (password hashes, private keys) and environments of processes are not
// read at all.
func (r *Responder) Collect(ctx context.Context, w io.Writer) (*Package, error) {
	if err := r.can(Collect); err != nil {
		return nil, err
	}
	release, err := take(ctx, r.collecting)
	if err != nil {
		return nil, err
	}
	defer release()
	p := r.describe()
	err = writePackage(ctx, w, p, r.items())
	if err != nil {
		return nil, err
	}
	return p, nil
}

// writePackage writes the items and, last, the summary.
func writePackage(ctx context.Context, w io.Writer, p *Package, items []item) error {
	z := zip.NewWriter(w)
	room, stuck := int64(packageMax), 0
	for _, it := range items {
		if p.Root != "" && it.live {
			p.note(Item{Name: it.name, How: it.how, Status: Unavailable, Error: "the agent inventories " + p.Root + " and looks at nothing of the running host (--root)"})
			continue
		}
		if stuck >= maxStuck {
			p.note(Item{Name: it.name, How: it.how, Status: Failed, Error: "not tried: too many items before it hang on this host"})
			continue
		}
		e, err := z.CreateHeader(&zip.FileHeader{Name: it.name, Method: zip.Deflate, Modified: p.Collected})
		if err != nil {
			return err
		}
		done, hangs := it.collect(ctx, e, room)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if hangs {
			stuck++
		}
		room -= done.Bytes
		p.note(done)
	}
	for _, s := range []struct {
		name  string
		write func(io.Writer, *Package) error
	}{{"CollectionSummaryReport.csv", summaryCSV}, {"CollectionSummaryReport.json", summaryJSON}} {
		e, err := z.CreateHeader(&zip.FileHeader{Name: s.name, Method: zip.Deflate, Modified: p.Collected})
		if err != nil {
			return err
		}
		if err := s.write(e, p); err != nil {
			return err
		}
	}
	return z.Close()
}

func (p *Package) note(it Item) {
	it.Millis = it.Took.Milliseconds()
	p.Items = append(p.Items, it)
	p.Bytes += it.Bytes
	if it.Status != Whole && it.Status != Absent {
		p.Missing++
	}
}

// collect writes an item within its caps. hangs says that it did not end in
// time: it is left alone, and can write no more.
func (it *item) collect(ctx context.Context, w io.Writer, room int64) (done Item, hangs bool) {
	began := time.Now()
	done = Item{Name: it.name, How: it.how}
	g := &gate{w: w, left: max(min(it.max, room), 0)}
	red := &redactor{w: g}
	within, cancel := context.WithTimeoutCause(ctx, it.wait, errLate)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- guarded(func() error {
			err := it.run(within, red)
			return errors.Join(err, red.Close())
		})
	}()
	var err error
	select {
	case err = <-ended:
	case <-within.Done():
		t := time.NewTimer(itemGrace)
		defer t.Stop()
		select {
		case err = <-ended:
		case <-t.C:
			err, hangs = errLate, true
		}
	}
	done.Bytes = g.shut()
	done.Took = time.Since(began)
	done.Status, done.Error = outcome(err, done.Bytes)
	return done, hangs
}

// outcome is the status of an item that ended with an error and so many bytes.
func outcome(err error, bytes int64) (Status, string) {
	switch {
	case err == nil:
		return Whole, ""
	case errors.Is(err, errFull):
		return Truncated, ""
	case errors.Is(err, errLate), errors.Is(err, context.DeadlineExceeded):
		return TimedOut, redactText(err.Error())
	case bytes > 0:
		return Part, redactText(err.Error())
	case errors.Is(err, errUnavailable):
		return Unavailable, redactText(err.Error())
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errNoProgram):
		return Absent, redactText(err.Error())
	}
	return Failed, redactText(err.Error())
}

// gate lets so many bytes through to a writer, until it is shut.
type gate struct {
	mu   sync.Mutex // guards the fields below
	w    io.Writer
	left int64
	n    int64
}

// Write implements io.Writer.
func (g *gate) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.w == nil {
		return 0, errLate
	}
	part := p
	if int64(len(part)) > g.left {
		part = part[:g.left]
	}
	n, err := g.w.Write(part)
	g.left -= int64(n)
	g.n += int64(n)
	if err == nil && n < len(p) {
		err = errFull
	}
	return n, err
}

// shut returns what has passed. Nothing passes afterwards.
func (g *gate) shut() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.w = nil
	return g.n
}

func guarded(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("internal error (%v): please report this", p)
		}
	}()
	return fn()
}

func summaryCSV(w io.Writer, p *Package) error {
	c := csv.NewWriter(w)
	rows := [][]string{{"Item", "How it was got", "Bytes", "Milliseconds", "Status", "Error"}}
	for _, it := range p.Items {
		rows = append(rows, []string{it.Name, it.How, strconv.FormatInt(it.Bytes, 10), strconv.FormatInt(it.Millis, 10), string(it.Status), cell(it.Error)})
	}
	return c.WriteAll(rows)
}

func summaryJSON(w io.Writer, p *Package) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(p)
}

// table writes rows as CSV.
type table struct{ c *csv.Writer }

func newTable(w io.Writer, columns ...string) (*table, error) {
	t := &table{csv.NewWriter(w)}
	return t, t.c.Write(columns)
}

// row writes a row. What a spreadsheet would take for a formula gets an
// apostrophe before it.
func (t *table) row(cells ...string) error {
	for i, c := range cells {
		cells[i] = cell(redactText(c)) // by cell, so that no secret takes the next one with it
	}
	return t.c.Write(cells)
}

func (t *table) end() error {
	t.c.Flush()
	return t.c.Error()
}

// cell makes a text one that no spreadsheet runs and that stays on one line.
func cell(s string) string {
	out := make([]rune, 0, len(s))
	for _, c := range s {
		if c < ' ' || c == 0x7f || c == '\u2028' || c == '\u2029' {
			c = ' '
		}
		out = append(out, c)
	}
	if len(out) > 0 {
		switch out[0] {
		case '=', '+', '-', '@':
			return "'" + string(out)
		}
	}
	return string(out)
}
