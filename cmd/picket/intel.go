package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/picketsec/picket/internal/intel"
	"github.com/picketsec/picket/internal/server"
)

// IntelCmd groups the verbs on vulnerability intelligence.
type IntelCmd struct {
	Import IntelImportCmd `cmd:"" help:"Load feeds from files, directories and archives."`
	Sync   IntelSyncCmd   `cmd:"" help:"Fetch feeds from their official addresses and load what is new."`
	Status IntelStatusCmd `cmd:"" help:"Print age, records and source of each feed."`
}

// IntelImportCmd is "picket intel import".
type IntelImportCmd struct {
	Data  string   `required:"" env:"PICKET_DATA" help:"Data directory."`
	Force bool     `help:"Load also what is older than what is loaded, or suspiciously small."`
	JSON  bool     `name:"json" help:"Print the result as JSON."`
	Paths []string `arg:"" name:"path" help:"Files, directories or archives; what they are follows from their content."`
}

// Run loads the feeds and prints what became of each file.
func (c *IntelImportCmd) Run(e *env) error {
	args := server.IntelImportArgs{Force: c.Force}
	for _, p := range c.Paths {
		abs, err := filepath.Abs(p)
		if err != nil {
			return fmt.Errorf("path %q: %w", p, err)
		}
		args.Paths = append(args.Paths, abs)
	}
	var res server.IntelImported
	bar := newBar(e.err)
	err := runVerb(e, c.Data, "intel import", args, &res, bar.show)
	bar.end()
	if err != nil {
		return err
	}
	if c.JSON {
		err = printJSON(e.out, res)
	} else {
		err = printImport(e.out, &res)
	}
	for _, p := range res.Problems {
		_, _ = fmt.Fprintf(e.err, "picket: %s: %s\n", p.Path, p.Error)
	}
	if len(res.Problems) > 0 {
		err = errors.Join(err, fmt.Errorf("%d of %d paths could not be used", len(res.Problems), len(c.Paths)))
	}
	return err
}

// IntelSyncCmd is "picket intel sync".
type IntelSyncCmd struct {
	Data      string            `required:"" env:"PICKET_DATA" help:"Data directory."`
	Feed      []string          `help:"Only these: debian, debian-lists, kev, epss, endoflife, osv, nvd, cve5, or a feed such as osv/PyPI."`
	Base      map[string]string `env:"PICKET_INTEL_BASE" help:"Base address by group, as osv=https://mirror.example/osv; separated by semicolons."`
	Ecosystem []string          `help:"Only these ecosystems of OSV."`
	Proxy     string            `env:"PICKET_PROXY" help:"HTTP proxy; else that of HTTPS_PROXY and NO_PROXY."`
	Force     bool              `help:"Ask again for what has not changed, and load also what is older."`
	JSON      bool              `name:"json" help:"Print the result as JSON."`
}

// Run fetches the feeds and prints what became of each address.
func (c *IntelSyncCmd) Run(e *env) error {
	args := server.IntelSyncArgs{Feeds: c.Feed, Base: c.Base, Ecosystems: c.Ecosystem, Proxy: c.Proxy, Force: c.Force}
	var res intel.SyncResult
	bar := newBar(e.err)
	err := runVerb(e, c.Data, "intel sync", args, &res, bar.show)
	bar.end()
	if err != nil {
		return err
	}
	if c.JSON {
		err = printJSON(e.out, res)
	} else {
		err = printSync(e.out, &res)
	}
	failed := 0
	for _, s := range res.Sources {
		if s.Error != "" {
			failed++
			_, _ = fmt.Fprintf(e.err, "picket: %s: %s\n", s.Name, s.Error)
		}
	}
	if failed > 0 {
		err = errors.Join(err, fmt.Errorf("%d of %d sources failed", failed, len(res.Sources)))
	}
	return err
}

// IntelStatusCmd is "picket intel status".
type IntelStatusCmd struct {
	Data string `required:"" env:"PICKET_DATA" help:"Data directory."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Run prints the state of each feed.
func (c *IntelStatusCmd) Run(e *env) error {
	var in server.Intel
	if err := runVerb(e, c.Data, "intel status", struct{}{}, &in, nil); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(e.out, in)
	}
	return printIntel(e.out, &in)
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// table writes rows in columns.
func table(w io.Writer, fill func(row func(cells ...any))) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fill(func(cells ...any) {
		for i, c := range cells {
			if i > 0 {
				_, _ = io.WriteString(t, "\t")
			}
			_, _ = io.WriteString(t, oneLine(fmt.Sprint(c)))
		}
		_, _ = io.WriteString(t, "\n")
	})
	return t.Flush() // the first error of all writes
}

// oneLine makes foreign text safe for a terminal and for a column.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x202e || r == 0x2066 || r == 0x2067 {
			return ' '
		}
		return r
	}, s)
}

// day is a date without its time, "-" when it is not known.
func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateOnly)
}

func printImport(w io.Writer, res *server.IntelImported) error {
	count := map[intel.Status]int{}
	err := table(w, func(row func(...any)) {
		row("FEED", "STATUS", "DATE", "RECORDS", "NEW", "CHANGED", "GONE", "SKIPPED", "PER SECOND", "SOURCE")
		for i := range res.Loads {
			l := &res.Loads[i]
			count[l.Status]++
			if l.Status == intel.Unknown {
				continue
			}
			row(orDash(l.Feed), l.Status, day(l.Date), l.Records, l.Added, l.Updated, l.Removed, l.Skipped, rate(l), source(l))
		}
	})
	if err != nil {
		return err
	}
	for i := range res.Loads {
		l := &res.Loads[i]
		if l.Status == intel.Unknown {
			if _, err := fmt.Fprintf(w, "skipped: %s: %s\n", oneLine(l.Source), oneLine(l.Reason)); err != nil {
				return err
			}
		}
		for _, s := range l.Skips {
			if _, err := fmt.Fprintf(w, "%s: %d records skipped: %s (%s)\n", l.Feed, s.Count, oneLine(s.Reason), oneLine(s.Sample)); err != nil {
				return err
			}
		}
	}
	var parts []string
	for s, n := range count {
		parts = append(parts, fmt.Sprintf("%d %s", n, s))
	}
	sort.Strings(parts)
	if len(parts) == 0 {
		parts = []string{"nothing was given"}
	}
	_, err = fmt.Fprintf(w, "%s; %d weaknesses known; generation %d; %s\n", strings.Join(parts, ", "), res.Weaknesses, res.Generation, res.Took.Round(time.Millisecond))
	return err
}

// source says where a load came from, and why when there is more to say.
func source(l *intel.Load) string {
	if l.Reason == "" {
		return l.Source
	}
	return l.Source + " (" + l.Reason + ")"
}

func rate(l *intel.Load) string {
	if l.Took < time.Millisecond {
		return "-"
	}
	return fmt.Sprintf("%.0f", float64(l.Records)/l.Took.Seconds())
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func printSync(w io.Writer, res *intel.SyncResult) error {
	return table(w, func(row func(...any)) {
		row("SOURCE", "STATUS", "BYTES", "RECORDS", "NEW", "CHANGED", "GONE", "ADDRESS")
		for _, s := range res.Sources {
			var records, added, updated, removed int
			for i := range s.Loads {
				l := &s.Loads[i]
				records, added, updated, removed = records+l.Records, added+l.Added, updated+l.Updated, removed+l.Removed
			}
			row(s.Name, s.Status, s.Bytes, records, added, updated, removed, s.URL)
		}
	})
}

func printIntel(w io.Writer, in *server.Intel) error {
	err := table(w, func(row func(...any)) {
		row("FEED", "DATA OF", "AGE", "STATE", "RECORDS", "SKIPPED", "LOADED", "LICENCE", "SOURCE")
		for _, f := range in.Feeds {
			state := "fresh"
			switch {
			case f.Stale:
				state = fmt.Sprintf("stale (more than %d days)", f.MaxAge)
			case f.Demo:
				state = "demo"
			}
			row(f.Name, day(f.DataDate), fmt.Sprintf("%d d", f.AgeDays), state, f.Records, f.Skipped, f.LoadedAt.UTC().Format("2006-01-02 15:04Z"), f.Licence, f.Source)
		}
	})
	if err != nil {
		return err
	}
	for _, f := range in.Feeds {
		for _, s := range f.Skips {
			if _, err := fmt.Fprintf(w, "%s: %d records skipped: %s (%s)\n", f.Name, s.Count, oneLine(s.Reason), oneLine(s.Sample)); err != nil {
				return err
			}
		}
	}
	text := fmt.Sprintf("%d weaknesses known; generation %d", in.Weaknesses, in.Generation)
	switch {
	case in.Empty:
		text = "no intelligence is loaded: run \"picket intel import\" or \"picket intel sync\""
	case in.Demo:
		text += "; this is demo intelligence, not a complete picture"
	}
	_, err = fmt.Fprintln(w, text)
	return err
}

// bar shows progress on standard error: a bar on a terminal, else a line when
// the work turns to something else, at most one a second.
type bar struct {
	w    io.Writer
	term bool
	bar  *progressbar.ProgressBar
	text string
	last time.Time
}

func newBar(w io.Writer) *bar {
	b := &bar{w: w}
	if f, ok := w.(*os.File); ok {
		b.term = term.IsTerminal(int(f.Fd()))
	}
	return b
}

func (b *bar) show(p server.Progress) {
	text, _, _ := strings.Cut(oneLine(p.Text), " (")
	if b.term {
		if b.bar == nil {
			b.bar = progressbar.NewOptions64(-1, progressbar.OptionSetWriter(b.w), progressbar.OptionShowBytes(false),
				progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetPredictTime(false))
		}
		if len(text) > 60 {
			text = text[:20] + "…" + text[len(text)-38:]
		}
		b.bar.Describe(text)
		if p.Of > 0 {
			b.bar.ChangeMax64(p.Of)
			_ = b.bar.Set64(min(p.Done, p.Of)) // a bar that cannot be drawn is no fault of the work
		} else {
			_ = b.bar.Add(1)
		}
		return
	}
	if now := time.Now(); text != b.text && now.Sub(b.last) >= time.Second {
		b.text, b.last = text, now
		_, _ = fmt.Fprintln(b.w, text)
	}
}

func (b *bar) end() {
	if b.bar != nil {
		_ = b.bar.Finish()
	}
}
