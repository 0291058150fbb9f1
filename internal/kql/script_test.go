package kql

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write what the scripts give")

// noon is now() in the scripts.
var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// memory are tables in memory. It reads with the conditions that it is offered, as
// a store does, or without.
type memory struct {
	tables map[string]*Table
	rows   map[string][][]Value
	plain  bool     // every row is given
	read   int      // rows that were given
	asked  int      // conditions that were offered
	many   int      // passes over several tables
	keys   []string // that were asked for last
}

func (m *memory) Table(name string) (*Table, bool) { t, ok := m.tables[name]; return t, ok }

func (m *memory) Names() []string {
	var out []string
	for n := range m.tables {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

func (m *memory) Read(_ context.Context, s Scan, yield func([]Value) error) error {
	m.asked += len(s.Where)
	if !s.From.IsZero() || !s.To.IsZero() {
		m.asked++
	}
	row := make([]Value, len(s.Table.Columns))
	for _, r := range m.rows[s.Table.Name] {
		if !m.plain && !m.wanted(s, r) {
			continue
		}
		for i := range row { // what is not asked for is not there
			if row[i] = (Value{}); s.Use[i] {
				row[i] = r[i]
			}
		}
		m.read++
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

// ReadMany reads tables at once: a row of each in turn.
func (m *memory) ReadMany(ctx context.Context, scans []Scan, yield func(int, []Value) error) error {
	m.many++
	rows := make([][][]Value, len(scans))
	for i, s := range scans {
		if err := m.Read(ctx, s, func(row []Value) error { rows[i] = append(rows[i], slices.Clone(row)); return nil }); err != nil {
			return err
		}
	}
	for n, more := 0, true; more; n++ {
		more = false
		for i := range rows {
			if n < len(rows[i]) {
				more = true
				if err := yield(i, rows[i][n]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// lowerASCII is the case that the event log knows.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 {
			return rune(lowerByte(byte(r)))
		}
		return r
	}, s)
}

// wanted applies conditions as the event log does.
func (m *memory) wanted(s Scan, row []Value) bool {
	for _, w := range s.Where {
		if w.Column == "" && !slices.ContainsFunc(row, func(v Value) bool {
			return slices.ContainsFunc(w.Values, func(word string) bool {
				return v.typ >= String && hasWord(v.Text(), lowerASCII(word), true, true, true)
			})
		}) {
			return false
		}
	}
	for i, c := range s.Table.Columns {
		if c.Name == "Timestamp" {
			if at := row[i].Time(); !s.From.IsZero() && at.Before(s.From) || !s.To.IsZero() && !at.Before(s.To) {
				return false
			}
		}
		for _, w := range s.Where {
			if w.Column != c.Name {
				continue
			}
			text := row[i].Text()
			if text == "" { // in the log an empty text is no value, and is found by none
				return false
			}
			if !slices.ContainsFunc(w.Values, func(v string) bool {
				return w.Op == Equals && text == v || w.Op == EqualsFold && len(text) == len(v) && lowerASCII(text) == lowerASCII(v) || w.Op == Has && hasWord(text, lowerASCII(v), true, true, true)
			}) {
				return false
			}
		}
	}
	return true
}

// openMemory reads testdata/tables.txt.
func openMemory(t testing.TB) *memory {
	t.Helper()
	raw, err := os.ReadFile("testdata/tables.txt")
	if err != nil {
		t.Fatal(err)
	}
	m := &memory{tables: map[string]*Table{}, rows: map[string][][]Value{}}
	text := strings.ReplaceAll("\n"+string(raw), "\n#", "\n//")
	for _, part := range strings.Split(text, "\n")[1:] {
		name, _, ok := strings.Cut(part, " = ")
		if !ok || strings.ContainsAny(name, " /\"") {
			continue
		}
		i := strings.Index(text, "\n"+name+" = ")
		query := text[i+len(name)+4:]
		for _, next := range []string{"\nEvents = ", "\nDevices = ", "\nBig = "} {
			if k := strings.Index(query, next); k >= 0 {
				query = query[:k]
			}
		}
		q, err := Prepare(query, Options{Tables: m, Now: noon})
		if err != nil {
			t.Fatalf("table %s: %v", name, err)
		}
		m.tables[name] = &Table{Name: name, Columns: q.Columns()}
		if _, err := q.Run(t.Context(), m, Limits{Rows: 1e6, Memory: 1 << 30}, func(row []Value) error {
			m.rows[name] = append(m.rows[name], slices.Clone(row))
			return nil
		}); err != nil {
			t.Fatalf("table %s: %v", name, err)
		}
	}
	return m
}

// profile is what the enrichment of the tests tells of names of files.
var profile = &Enrichment{Name: "FileProfile", Arguments: "[column [, most]]", Keys: []string{"FileName", "Other"}, Columns: []Column{{"Known", Long}, {"Note", String}, {"Size", Long}}, Usual: 3, Most: 100}

// Enrich tells of some files.
func (m *memory) Enrich(_ context.Context, _ *Enrichment, keys []string, yield func(string, []Value) error) error {
	m.keys = slices.Clone(keys)
	for i, k := range keys {
		if k == "bash" || k == "curl" || strings.HasPrefix(k, "known") {
			if err := yield(k, []Value{LongValue(int64(i + 1)), StringValue("the " + k), LongValue(-1)}); err != nil {
				return err
			}
		}
	}
	return nil
}

// options are what queries of the tests are prepared with.
func (m *memory) options() Options {
	return Options{Tables: m, Enrichments: []*Enrichment{profile}, Now: noon}
}

// answer is what a query gives, as the scripts write it.
func answer(t testing.TB, m *memory, query string) string {
	t.Helper()
	var b strings.Builder
	q, err := Prepare(query, m.options())
	if err == nil && q.Open() {
		err = q.Resolve(t.Context(), m, Limits{Memory: 1 << 28})
	}
	var wrong *Error
	if errors.As(err, &wrong) {
		fmt.Fprintf(&b, "error %d:%d+%d %s\n", wrong.Line, wrong.Column, wrong.Length, wrong.Message)
		if wrong.Hint != "" {
			fmt.Fprintf(&b, "hint %s\n", wrong.Hint)
		}
		return b.String()
	}
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	var head []string
	for _, c := range q.Columns() {
		head = append(head, c.Name+":"+c.Type.String())
	}
	b.WriteString("-- " + strings.Join(head, " ") + "\n")
	if _, err := q.Run(t.Context(), m, Limits{Rows: 1e6, Memory: 1 << 28}, func(row []Value) error {
		var cells []string
		for _, v := range row {
			text := strings.ReplaceAll(v.Text(), "\n", `\n`)
			if v.IsNull() {
				text = "null"
			}
			cells = append(cells, text)
		}
		b.WriteString(strings.Join(cells, " | ") + "\n")
		return nil
	}); err != nil {
		fmt.Fprintf(&b, "failed %v\n", err)
	}
	return b.String()
}

// TestScripts runs the scripts of testdata/scripts: a name, a query and what it
// gives. Each is run twice: by a store that uses what it is offered, and by one
// that gives every row.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/scripts/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no scripts", err)
	}
	m := openMemory(t)
	count := 0
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		for _, part := range strings.Split("\n"+string(raw), "\n== ")[1:] {
			name, rest, _ := strings.Cut(part, "\n")
			query, want := rest, ""
			for _, mark := range []string{"\n-- ", "\nerror "} {
				if i := strings.Index("\n"+rest, mark); i >= 0 {
					query, want = rest[:max(i-1, 0)], rest[i:]
				}
			}
			query, want = strings.TrimSpace(query), strings.TrimSpace(want)
			count++
			m.plain = false
			got := answer(t, m, query)
			m.plain = true
			if all := answer(t, m, query); all != got {
				t.Errorf("%s: %s: a store that filters gives\n%sone that gives every row\n%s", f, name, got, all)
			}
			fmt.Fprintf(&out, "== %s\n%s\n%s\n", name, query, got)
			if !*update && strings.TrimSpace(got) != want {
				t.Errorf("%s: %s:\n%s\ngives\n%swant\n%s", f, name, query, got, want)
			}
		}
		if *update {
			if err := os.WriteFile(f, []byte(strings.TrimSpace(out.String())+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d scripts", count)
	if m.many == 0 {
		t.Error("no tables were read at once")
	}
	if m.asked == 0 {
		t.Error("nothing was pushed into the store")
	}
}
