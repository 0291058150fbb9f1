package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/picketsec/picket/client"
	"github.com/picketsec/picket/internal/server"
)

// ExportCmd is "picket export".
type ExportCmd struct {
	Listing
	List   string `arg:"" enum:"devices,software,weaknesses,recommendations,events,remediations,exceptions" help:"What to export: ${enum}."`
	Format string `enum:"csv,jsonl" default:"csv" help:"csv or jsonl."`
	Out    string `short:"o" placeholder:"FILE" help:"Write to a file, which is there only when it is whole; without it to stdout."`
}

// exports are the streams of the lists, each with its own parameters.
var exports = map[string]func(ctx context.Context, c *client.Client, l *ExportCmd) (*client.Stream, error){
	"devices":         exportOf(func(p *client.ExportDevicesParams, f string) { p.Format = f }, (*client.Client).ExportDevices),
	"software":        exportOf(func(p *client.ExportSoftwareParams, f string) { p.Format = f }, (*client.Client).ExportSoftware),
	"weaknesses":      exportOf(func(p *client.ExportWeaknessesParams, f string) { p.Format = f }, (*client.Client).ExportWeaknesses),
	"recommendations": exportOf(func(p *client.ExportRecommendationsParams, f string) { p.Format = f }, (*client.Client).ExportRecommendations),
	"events":          exportOf(func(p *client.ExportEventsParams, f string) { p.Format = f }, (*client.Client).ExportEvents),
	"remediations":    exportOf(func(p *client.ExportRemediationsParams, f string) { p.Format = f }, (*client.Client).ExportRemediations),
	"exceptions":      exportOf(func(p *client.ExportExceptionsParams, f string) { p.Format = f }, (*client.Client).ExportExceptions),
}

func exportOf[P any](format func(*P, string), open func(*client.Client, context.Context, P) (*client.Stream, error)) func(context.Context, *client.Client, *ExportCmd) (*client.Stream, error) {
	return func(ctx context.Context, c *client.Client, l *ExportCmd) (*client.Stream, error) {
		var p P
		if err := l.fill(&p); err != nil {
			return nil, err
		}
		format(&p, l.Format)
		return open(c, ctx, p)
	}
}

// Run writes all rows of the filter. It fails when what came is not whole.
func (c *ExportCmd) Run(e *env) error {
	if c.Limit != 0 || c.JSON {
		return server.Invalidf("--limit", "an export is whole, and its form is chosen by --format")
	}
	return c.with(e, func(cl *client.Client) error {
		s, err := exports[c.List](e.ctx, cl, c)
		if err != nil {
			return err
		}
		defer func() { _ = s.Close() }()
		b := newBar(e.err)
		defer b.end()
		counted := &countingReader{r: s, tell: func(n int64) { b.show(server.Progress{Text: c.List, Done: n}) }}
		var rows int64
		if c.Out == "" {
			if _, err = io.Copy(e.out, counted); err == nil {
				rows, err = s.Check()
			}
		} else {
			rows, err = writeWhole(c.Out, counted, s.Check)
		}
		b.end()
		if err == nil {
			_, _ = fmt.Fprintf(e.err, "%d rows, %d bytes, whole\n", rows, counted.n)
		}
		return err
	})
}

// writeWhole writes a file that is there only when all of it is.
func writeWhole(path string, r io.Reader, check func() (int64, error)) (rows int64, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return 0, err
	}
	if _, err = io.Copy(f, r); err == nil {
		rows, err = check()
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return 0, errors.Join(err, os.Remove(f.Name()))
	}
	return rows, nil
}

type countingReader struct {
	r    io.Reader
	n    int64
	tell func(int64)
}

// Read counts what is read.
func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.tell(c.n)
	return n, err
}
