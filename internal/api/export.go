package api

import (
	"bufio"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/picketsec/picket/internal/api/mde"
	"github.com/picketsec/picket/internal/server"
)

// column is one column of a CSV export. Names and order are part of the
// contract with whoever reads the files.
type column[T any] struct {
	name string
	text func(*T) string
}

// Headers that follow the body.
const (
	trailerRows = mde.TrailerRows
	trailerHash = mde.TrailerHash
)

// extendEvery is after how many rows the write deadline is moved on: a slow
// reader may take its time, a dead one may not.
const extendEvery = 2000

// belongs says what all rows of a list below one item belong to, so that a row
// still says it when files are put together. Zero for a list of its own.
type belongs struct{ column, id string }

// streamExport writes all rows of a page as an attachment, each with what it
// belongs to in front, and behind them how many there were and the SHA-256 of
// the body. A write that does not succeed ends the connection, so that a short
// file never looks whole; so does a change of what the caller may see.
func streamExport[T any](hc huma.Context, caller server.Caller, name, id, format string, p server.Page[T], to belongs, cols []column[T]) {
	_, w := humago.Unwrap(hc)
	ctl := http.NewResponseController(w)
	hd := w.Header()
	kind := "text/csv; charset=utf-8; header=present"
	if format == "jsonl" {
		kind = "application/jsonl; charset=utf-8"
	}
	hd.Set("Content-Type", kind)
	hd.Set("Content-Disposition", `attachment; filename="`+fileName(name, id, p.AsOf)+"."+format+`"`)
	hd.Set("Trailer", trailerRows+", "+trailerHash)
	hc.SetStatus(http.StatusOK)
	sum := sha256.New()
	out := bufio.NewWriterSize(io.MultiWriter(w, sum), 64<<10)
	row := jsonRows[T](out, to)
	if format != "jsonl" {
		row = csvRows(out, to, cols)
	}
	err := row(nil)
	for i := range p.Items {
		if err != nil {
			break
		}
		if i%extendEvery == 0 {
			_ = ctl.SetWriteDeadline(time.Now().Add(writeTime)) // a writer without deadlines has none to set
			if err = caller.Still(hc.Context()); err != nil {
				break
			}
		}
		err = row(&p.Items[i])
	}
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	hd.Set(trailerRows, strconv.Itoa(len(p.Items)))
	hd.Set(trailerHash, hex.EncodeToString(sum.Sum(nil)))
}

// jsonRows writes one object a line, markup escaped.
func jsonRows[T any](w io.Writer, to belongs) func(*T) error {
	front, err := json.Marshal(map[string]string{to.column: to.id})
	return func(t *T) error {
		if t == nil {
			return err
		}
		line, err := json.Marshal(t)
		if err != nil {
			return err
		}
		if to.column != "" {
			line = slices.Concat(front[:len(front)-1], []byte{','}, line[1:]) // a row has at least one field
		}
		_, err = w.Write(append(line, '\n'))
		return err
	}
}

// csvRows writes RFC 4180; nil writes the header.
func csvRows[T any](w io.Writer, to belongs, cols []column[T]) func(*T) error {
	if to.column != "" {
		cols = append([]column[T]{{to.column, func(*T) string { return to.id }}}, cols...)
	}
	cw := csv.NewWriter(w)
	cw.UseCRLF = true
	record := make([]string, len(cols))
	return func(t *T) error {
		for i, c := range cols {
			if t == nil {
				record[i] = c.name
			} else {
				record[i] = plainCell(c.text(t))
			}
		}
		if err := cw.Write(record); err != nil {
			return err
		}
		cw.Flush()
		return cw.Error()
	}
}

// plainCell keeps a spreadsheet from reading text as a formula: what starts
// like one gets an apostrophe in front. Numbers stay as they are.
func plainCell(s string) string {
	if s == "" || !strings.ContainsRune("=+-@\t\r\n", rune(s[0])) {
		return s
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return s
	}
	return "'" + s
}

// fileName is "devices-2026-01-31" with nothing in it that a header or a file
// system could trip over.
func fileName(name, id string, at time.Time) string {
	if at.IsZero() {
		at = time.Now()
	}
	if id != "" {
		name += "-" + id[:min(len(id), 80)]
	}
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '_'
	}, name[:min(len(name), 200)])
	return name + "-" + at.UTC().Format("2006-01-02")
}

func whole(n int) string { return strconv.Itoa(n) }

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func words(list []string) string { return strings.Join(list, "; ") }
