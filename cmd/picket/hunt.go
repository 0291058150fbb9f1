package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/picketsec/picket/client"
	"github.com/picketsec/picket/internal/server"
)

// HuntCmd is "picket hunt".
type HuntCmd struct {
	Remote
	Query string    `arg:"" help:"The query, in the Kusto Query Language; - reads it from stdin."`
	From  time.Time `help:"Read events from this time on (RFC 3339); without it the last 30 days."`
	To    time.Time `help:"Read events before this time."`
	Limit int       `default:"1000" help:"Print at most so many rows of the table."`
	JSON  bool      `name:"json" xor:"form" help:"Print every row as a line of JSON."`
	CSV   bool      `name:"csv" xor:"form" help:"Print every row as CSV."`
}

// maxStdin is the most bytes of a query that are read from stdin.
const maxStdin = 64 << 10

// Run runs a query and prints its result.
func (c *HuntCmd) Run(e *env) error {
	if c.Query == "-" {
		b, err := io.ReadAll(io.LimitReader(os.Stdin, maxStdin+1))
		if err != nil {
			return fmt.Errorf("read the query from stdin: %w", err)
		}
		if len(b) > maxStdin {
			return server.Invalidf("QUERY", "has more than %d bytes", maxStdin)
		}
		c.Query = string(b)
	}
	if c.Limit < 1 || c.Limit > server.HuntRows {
		return server.Invalidf("--limit", "must be 1 to %d", server.HuntRows)
	}
	return c.with(e, func(cl *client.Client) error {
		if c.JSON || c.CSV {
			return c.export(e, cl)
		}
		return c.table(e, cl)
	})
}

// export prints every row. It fails when what came is not whole.
func (c *HuntCmd) export(e *env, cl *client.Client) error {
	format := "jsonl"
	if c.CSV {
		format = "csv"
	}
	s, err := cl.ExportHunt(e.ctx, client.ExportHuntParams{}, client.HuntExportInBody{Query: c.Query, From: c.From, To: c.To, Format: format})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	if _, err := io.Copy(e.out, s); err != nil {
		return fmt.Errorf("read the result: %w", err)
	}
	_, err = s.Check()
	return err
}

// table prints the result as a table, and notes to stderr.
func (c *HuntCmd) table(e *env, cl *client.Client) error {
	s, err := cl.RunHunt(e.ctx, client.RunHuntParams{}, client.HuntInBody{Query: c.Query, From: c.From, To: c.To, Limit: int64(c.Limit)})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	var head []any
	var rows [][]any
	d := json.NewDecoder(bufio.NewReader(s))
	for {
		var l client.HuntLine
		if err := d.Decode(&l); err != nil {
			return fmt.Errorf("the result is not whole: %w", err)
		}
		switch l.Kind {
		case "schema":
			for _, col := range l.Columns {
				head = append(head, col.Name)
			}
		case "rows":
			for _, r := range l.Rows {
				rows = append(rows, cellsOf(r))
			}
		case "error":
			return errors.New(l.Error.Message)
		case "done":
			for _, n := range l.Notes {
				fmt.Fprintln(e.err, n)
			}
			return table(e.out, func(row func(...any)) {
				row(head...)
				for _, r := range rows {
					row(r...)
				}
			})
		}
	}
}

// cellsOf are the values of a row as a table prints them: arrays and bags as JSON.
func cellsOf(r []json.RawMessage) []any {
	out := make([]any, len(r))
	for i, raw := range r {
		var text string
		switch {
		case string(raw) == "null":
			out[i] = ""
		case json.Unmarshal(raw, &text) == nil:
			out[i] = text
		default:
			out[i] = string(raw)
		}
	}
	return out
}
