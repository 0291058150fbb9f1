package kql

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// queries are those of the scripts.
func queries(t testing.TB) []string {
	t.Helper()
	files, _ := filepath.Glob("testdata/scripts/*.txt")
	var out []string
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split("\n"+string(raw), "\n== ")[1:] {
			_, rest, _ := strings.Cut(part, "\n")
			for _, mark := range []string{"\n-- ", "\nerror "} {
				rest, _, _ = strings.Cut(rest, mark)
			}
			out = append(out, strings.TrimSpace(rest))
		}
	}
	return out
}

// FuzzQuery runs any text as a query: it may be wrong, and it may be stopped by a
// limit, but nothing else happens.
func FuzzQuery(f *testing.F) {
	for _, q := range queries(f) {
		f.Add(q)
	}
	m := openMemory(f)
	f.Fuzz(func(t *testing.T, text string) {
		q, err := Prepare(text, m.options())
		if err == nil {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			err = q.Resolve(ctx, m, Limits{Memory: 8 << 20})
		}
		if err != nil {
			var wrong *Error
			var limit *LimitError
			if errors.As(err, &limit) || errors.Is(err, context.DeadlineExceeded) {
				return
			}
			if !errors.As(err, &wrong) || wrong.Line < 1 || wrong.Column < 1 || wrong.Length < 1 || wrong.Message == "" {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		width := len(q.Columns())
		if _, err := q.Run(ctx, m, Limits{Rows: 1000, Memory: 8 << 20}, func(row []Value) error {
			if len(row) != width {
				t.Fatalf("a row of %d values in a result of %d columns", len(row), width)
			}
			for _, v := range row {
				v.AppendJSON(nil)
			}
			return nil
		}); err != nil {
			var limit *LimitError
			if !errors.As(err, &limit) && !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("%q: %v", text, err)
			}
		}
	})
}

// FuzzJSON reads any text as a dynamic value: what is made of it is JSON that
// reads the same.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5,"x",null,true]}`, `[[[[1]]]]`, `"\u2028<"`, `1e999`, `{"a":1,"a":2}`, `no`, `-0`, `{"a":`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v := ParseJSON(s)
		if v.typ != array && v.typ != bag {
			return
		}
		again := ParseJSON(v.Text())
		if again.Text() != v.Text() {
			t.Errorf("%q is %s, and that is %s", s, v.Text(), again.Text())
		}
	})
}

// Conditions that are pushed into a store and those that are not give the same,
// whatever they are and whatever is between them and the table.
func TestPushedConditionsChangeNothing(t *testing.T) {
	m := openMemory(t)
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	var condition func(depth int) string
	condition = func(depth int) string {
		if depth > 0 && r.IntN(2) == 0 {
			return "(" + condition(depth-1) + pick(" and ", " or ") + condition(depth-1) + ")"
		}
		text := pick(`"bash"`, `"BASH"`, `"curl"`, `"d1"`, `"D2"`, `"a.example"`, `"ProcessCreated"`, `"x_y"`, `""`, `"ä"`, `"Ä.EXE"`)
		col := pick("FileName", "DeviceId", "CommandLine", "ActionType")
		switch r.IntN(9) {
		case 0:
			return col + pick(" == ", " != ", " =~ ", " !~ ", " has ", " !has ", " has_cs ", " contains ", " startswith ", " hasprefix ") + text
		case 6:
			return pick("* has ", "Extra has ", "* has_cs ", "tostring(Extra.user) has ") + text
		case 7:
			return "(" + col + " has " + text + " or " + pick("Extra", "DeviceName", col) + pick(" has ", " has_cs ", " !has ") + pick(`"root"`, `"alice"`, `"n"`) + ")"
		case 1:
			return col + pick(" in ", " in~ ", " !in ", " has_any ", " has_all ") + "(" + text + ", " + pick(`"curl"`, `"bash"`) + ")"
		case 2:
			return text + " == " + col
		case 3:
			return "Timestamp" + pick(" > ", " >= ", " < ", " <= ", " == ") + pick("datetime(2026-11-26T08:00:01Z)", "datetime(2026-11-26T09:15:00.5Z)", "ago(3h)", "datetime(2026-11-25T23:59:59.9999999Z)", "datetime(2026-11-26T08:00:00.9999999Z)", "datetime(2026-11-26T08:00:01.0000001Z)")
		case 4:
			return "ago(" + pick("1h", "4h", "1d") + ")" + pick(" < ", " >= ") + "Timestamp"
		case 5:
			return "Timestamp" + pick(" between ", " !between ") + "(ago(" + pick("4h", "750m", "1d") + ") .. " + pick("ago(165m)", "30m", "now()") + ")"
		}
		return "not(" + col + " =~ " + text + ")"
	}
	between := []string{"", "| sort by FileName asc, Timestamp asc ", "| project FileName, DeviceId, CommandLine, ActionType, Timestamp ", "| extend CommandLine = FileName, Timestamp = Timestamp ",
		"| project-rename Old = FileName | extend FileName = ActionType ", "| union Events ", "| join kind=inner (Devices) on DeviceId ", "| join kind=leftouter (Devices) on DeviceId ",
		"| join kind=rightouter (Devices) on DeviceId ", "| join kind=fullouter (Devices) on DeviceId ", "| join kind=leftanti (Devices | where Group == 'db') on DeviceId ", "| join Devices on DeviceId ",
		"| take 3 ", "| top 3 by Timestamp asc ", "| summarize Timestamp = max(Timestamp), CommandLine = take_any(CommandLine) by FileName, DeviceId, ActionType ", "| distinct FileName, DeviceId, CommandLine, ActionType, Timestamp ",
		"| partition by ActionType (sort by Timestamp asc | where Size >= 0) ", "| sort by Timestamp asc | scan declare (N: long) with (step s: true => N = coalesce(s.N, 0) + 1) ", "| invoke FileProfile(DeviceId, 2) ",
		"| partition by DeviceId (top 1 by Timestamp) ", "| mv-expand Extra ", "| parse CommandLine with FileName ' ' * ", "| serialize N = row_number() | where N < 4 "}
	with := 0
	for range 4000 {
		query := "Events " + between[r.IntN(len(between))] + "| where " + condition(2) + " " + between[r.IntN(3)] + "| where " + condition(1)
		m.plain, m.asked = false, 0
		got := answer(t, m, query)
		if m.asked > 0 {
			with++
		}
		m.plain = true
		if want := answer(t, m, query); got != want {
			t.Fatalf("%s\ngives with what is pushed\n%swithout\n%s", query, got, want)
		}
	}
	if with < 1000 {
		t.Errorf("only %d of 4000 queries pushed something", with)
	}
}

// A store reads less for what it is offered.
func TestConditionsReachTheStore(t *testing.T) {
	m := openMemory(t)
	for query, want := range map[string]int{
		"Events | where DeviceId == 'd2'":                                                                2,
		"Events | where FileName in ('curl', 'none')":                                                    2,
		"Events | where Timestamp > ago(3h)":                                                             2,
		"Events | where Timestamp between (ago(4h) .. ago(210m)) and DeviceId == 'd1'":                   3,
		"let t = ago(3h); let d = dynamic(['d2']); Events | where Timestamp > t and DeviceId in (d)":     2,
		"Events | project D = DeviceId | where D == 'd3'":                                                1,
		"union Events, Events | where DeviceId == 'd3'":                                                  2,
		"Events | where DeviceId in ((Devices | where Group == 'db' | project DeviceId))":                1 + 2,
		"Events | where FileName == 'curl' or FileName =~ 'BASH'":                                        4,
		"Events | where CommandLine has 'curl'":                                                          2,
		"Devices | where Group == 'web' | join kind=inner (Events | where DeviceId == 'd2') on DeviceId": 2 + 2,
		"search in (Events) 'alice'":                                                                     1,
		"search in (Events, Devices) 'db'":                                                               3,
		"search 'alice' | count":                                                                         1,
		"search 'alice' or 'root'":                                                                       2,
		"search 'curl' and not('alice')":                                                                 3,
		"union withsource=T Events, Devices | where * has 'db'":                                          7 + 3,
		"Events | where * has 'alice' or Size == 5":                                                      7,
		"Events | where Extra has 'root'":                                                                1,
		"Events | where CommandLine has_any ('a', 'sh')":                                                 3,
		"Events | where CommandLine has 'curl' or Extra has 'to'":                                        3,
		"Events | where (CommandLine has 'x' and Size > 0) or FileName has 'x_y'":                        3,
		"Events | where CommandLine has '' or Extra has 'to'":                                            7,
		"Events | where FileName == 'curl' or Size > 5":                                                  7,
		"Events | make-series count() on Timestamp from ago(3h) to now() step 1h":                        2,
		"let E = materialize(Events | where DeviceId == 'd1'); union E, E, E":                            3,
		"let E = materialize(Events); E | where DeviceId == 'd1'":                                        3,
		"let M = toscalar(Events | summarize max(Size)); Events | where Size == M or Size > M":           7 + 7,
		"search in (Events) 'x' and DeviceId == 'd1'":                                                    2,
		"Events | where DeviceId == 'd1' | evaluate pivot(FileName) | where DeviceId == 'd2'":            3,
		"Events | take 1": 1,
	} {
		m.plain, m.read = false, 0
		answer(t, m, query)
		if m.read != want {
			t.Errorf("%s: %d rows were read, want %d", query, m.read, want)
		}
	}
}

// manySteps are steps of scan with names of their own.
func manySteps(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("step s" + LongValue(int64(i)).Text() + ": true; ")
	}
	return b.String()
}

// Limits hold, and say what to do.
func TestLimits(t *testing.T) {
	m := openMemory(t)
	run := func(query string, l Limits) (Outcome, error) {
		q, err := Prepare(query, m.options())
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		if err := q.Resolve(t.Context(), m, l); err != nil {
			return Outcome{}, err
		}
		return q.Run(t.Context(), m, l, func([]Value) error { return nil })
	}
	big := "range x from 1 to 1000000 step 1"
	for _, query := range []string{big + " | sort by x", big + " | summarize make_list(strcat('a long text to keep ', x))", big + " | distinct x | count", big + " | summarize count() by x",
		big + " | join kind=inner (" + big + ") on x", big + " | summarize percentile(x, 50)", big + " | extend y = next(strcat('a long text to keep ', x), 10000) | summarize make_set(y)",
		big + " | extend t = strcat('a long text to keep twice and thrice ', x) | extend n = next(x, 10000), m = next(t, 10000) | where false",
		big + " | make-series n = count() on x step 1000 by y = x % 100000", big + " | make-series n = make_list(x) on x step 500000", big + " | top-nested 1 of x by count()",
		"let m = materialize(" + big + "); union m, m | count", big + " | evaluate narrow()", big + " | extend b = bag_pack('a', x) | evaluate bag_unpack(b) | count", big + " | extend b = bag_pack(tostring(x), x) | take 1000 | evaluate bag_unpack(b)",
		big + " | take 1000 | evaluate pivot(x)", big + " | take 30000 | evaluate narrow() | sort by Value asc",
		big + " | mv-apply y = range(1, 100000, 1) on (sort by tolong(y) asc)", big + " | partition by x (count)", big + " | extend k = 1 | partition by k (take 1)",
		big + " | take 2 | partition by x (mv-expand y = range(1, 60000) to typeof(long) | summarize make_set(y)) | count", big + " | extend s = 'x' | invoke FileProfile(s)", big + " | extend s = strcat('known', x) | invoke FileProfile(s, 100) | count",
		big + " | extend t = strcat('10.0.0.', x) | evaluate ipv4_lookup((" + big + " | project t = strcat('10.', x / 65536, '.', (x / 256) % 256, '.', x % 256)), t, t) | count",
		"range x from 1 to 9 step 1 | scan declare (t: dynamic, u: dynamic) with (step s: true => t = array_concat(coalesce(s.t, dynamic([])), range(1, 20000)), u = coalesce(s.u, s.t)) | count"} {
		var limit *LimitError
		if _, err := run(query, Limits{Rows: 1, Memory: 4 << 20}); !errors.As(err, &limit) {
			t.Errorf("%s ends with %v", query, err)
		}
	}
	if o, err := run(big, Limits{Rows: 10, Memory: 1 << 20}); err != nil || o.Rows != 10 || !o.Truncated {
		t.Errorf("%+v %v", o, err)
	}
	if o, err := run(big+" | top 5 by x", Limits{Rows: 10, Memory: 1 << 16}); err != nil || o.Rows != 5 {
		t.Errorf("the first rows of many need little memory: %+v %v", o, err)
	}
	if _, err := run("range x from 1 to 5000 step 1 | mv-apply y = range(1, 100, 1) to typeof(long) on (top 2 by y) | summarize sum(y)", Limits{Rows: 10, Memory: 1 << 18}); err != nil {
		t.Errorf("what is applied to a row needs memory behind it: %v", err)
	}
	for _, query := range []string{big + " | scan declare (n: long) with (step s output=last: true => n = coalesce(s.n, 0) + x)", "range x from 1 to 50000 step 1 | extend k = x % 10 | partition by k (summarize make_set(x))"} {
		if _, err := run(query, Limits{Rows: 100, Memory: 32 << 20}); err != nil {
			t.Errorf("what a step or partition does not need any more is free: %s: %v", query, err)
		}
	}
	// What a part keeps is free behind it, and so are its rows.
	for query, most := range map[string]int{"range x from 1 to 20000 step 1 | extend k = x % 200 | partition by k (extend t = strcat(strrep('long', 100), x) | summarize s = make_set(t) | project array_length(s)) | count": 5 << 20,
		"range x from 1 to 10000 step 1 | extend k = x % 100 | partition by k (extend t = strcat('a long text that is kept behind ', x, k)) | summarize make_set(t) | count": 2 << 20} {
		if _, err := run(query, Limits{Rows: 10, Memory: most}); err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
	// What is kept of rows and groups counts, not only how many there are.
	for _, query := range []string{"range x from 1 to 2000 step 1 | sort by strcat(strrep('x', 1000), x) asc | count", "range x from 1 to 20000 step 1 | extend t = strrep('x', 500) | top-nested 1 of t by count()",
		"range x from 1 to 2000 step 1 | make-series n = count() on x step 100000 by t = strcat(strrep('x', 1000), x)"} {
		var limit *LimitError
		if _, err := run(query, Limits{Rows: 10, Memory: 2 << 20}); !errors.As(err, &limit) {
			t.Errorf("%s ends with %v", query, err)
		}
	}
	if _, err := run(big+" | make-series n = count() on x step 1", Limits{Rows: 10, Memory: 1 << 30}); err == nil {
		t.Error("a series has a million values")
	}
	if _, err := Prepare("Events | serialize | scan with ("+manySteps(maxSteps)+")", m.options()); err != nil {
		t.Errorf("as many steps as there may be: %v", err)
	}
	for what, query := range map[string]string{
		"levels":    "Events | top-nested 1 of Size by count()" + strings.Repeat(", top-nested 1 of Size by count()", 10),
		"nested":    "print " + strings.Repeat("(", 200) + "1" + strings.Repeat(")", 200),
		"bytes":     "print '" + strings.Repeat("x", MaxQuery) + "'",
		"operators": "Events" + strings.Repeat(" | take 1", 600),
		"lookups":   "let N = datatable(IP: string) ['10.0.0.0/8']; Events | project A = DeviceId" + strings.Repeat(" | evaluate ipv4_lookup(N, A, IP)", 20),
		"joins":     "Events" + strings.Repeat(" | join kind=leftsemi Devices on DeviceId", 20),
		"values":    "print 1 in (" + strings.Repeat("1,", 11_000) + "1)",
		"steps":     "Events | serialize | scan with (" + manySteps(maxSteps+1) + ")",
		"invokes":   "let f = (T: (*)) { union T, T, T }; Events" + strings.Repeat(" | invoke f()", 10),
		"lets":      "let a = Events; " + "let b = union a, a, a, a; let c = union b, b, b, b; let d = union c, c, c, c; let e = union d, d, d, d; union e, e, e, e",
	} {
		if _, err := Prepare(query, m.options()); err == nil {
			t.Errorf("%s: there is no limit", what)
		}
	}
}

// Arrays of arrays do not grow beyond all bounds.
func TestValuesAreBounded(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	for range 8 {
		_, _ = z.Write(make([]byte, 1<<20))
	}
	_ = z.Close()
	bomb := base64.StdEncoding.EncodeToString(packed.Bytes())
	m := openMemory(t)
	for query, want := range map[string]string{
		"print x = repeat(repeat('text', 60000), 60000)":                                                           "null",
		"print x = repeat(strrep('long text', 1000), 60000)":                                                       "null",
		"print x = 1" + strings.Repeat(" | extend x = pack_array(x, x)", 20):                                       "null",
		"print x = 1" + strings.Repeat(" | extend x = bag_pack('a', x, 'b', x)", 19):                               "null",
		"print x = array_length(repeat(1, 1000000))":                                                               "65536",
		"print x = array_length(range(1, 1000000))":                                                                "65536",
		"print x = array_length(zip(range(1, 70000), range(1, 70000)))":                                            "65536",
		"print x = string_size(gzip_decompress_from_base64_string('" + bomb + "'))":                                "0",
		"print x = isnull(series_fit_line_dynamic(range(1, 20000)))":                                               "false",
		"print x = isnull(series_decompose_anomalies(range(1, 20000)))":                                            "true",
		"print x = string_size(replace_strings(strrep(strrep('a', 1000), 1000), dynamic(['a']), dynamic(['bb'])))": "1000000",
		"range x from 1 to 3 step 1 | summarize x = array_length(make_list(range(1, 60000)))":                      "3",
	} {
		if got := answer(t, m, query); !strings.HasSuffix(strings.TrimSpace(got), "\n"+want) {
			t.Errorf("%.200s gives %.200s", query, got)
		}
	}
}

// What is unpacked is read no further than it may be.
func TestUnpackingIsBounded(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	for range 128 {
		_, _ = z.Write(make([]byte, 1<<20))
	}
	_ = z.Close()
	text := base64.StdEncoding.EncodeToString(packed.Bytes())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	v := unpacked(text, func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) })
	runtime.ReadMemStats(&after)
	if n := (after.TotalAlloc - before.TotalAlloc) >> 20; v.Text() != "" || n > 32 {
		t.Errorf("128 MB in %d kB take %d MB", len(text)>>10, n)
	}
}

// dcount is exact up to its limit, and says when it is not.
func TestDistinctCount(t *testing.T) {
	m := openMemory(t)
	for n, exact := range map[int]bool{ExactDistinct: true, ExactDistinct + 1: false, 4 * ExactDistinct: false} {
		q, err := Prepare("range x from 1 to "+LongValue(int64(n)).Text()+" step 1 | summarize dcount(x)", m.options())
		if err != nil {
			t.Fatal(err)
		}
		var got int64
		o, err := q.Run(t.Context(), m, Limits{Rows: 1, Memory: 64 << 20}, func(row []Value) error { got = row[0].num; return nil })
		if err != nil {
			t.Fatal(err)
		}
		off := float64(got-int64(n)) / float64(n)
		if exact && (off != 0 || len(o.Notes) != 0) || !exact && (off > 0.03 || off < -0.03 || len(o.Notes) != 1) {
			t.Errorf("%d values: dcount is %d, notes %q", n, got, o.Notes)
		}
	}
}

// A run ends when nobody waits for it any more.
func TestRunEndsWithItsContext(t *testing.T) {
	m := openMemory(t)
	for _, query := range []string{"range x from 1 to 1000000 step 1 | count", "range a from 1 to 1000 step 1 | extend k = 1 | join kind=inner (range b from 1 to 1000 step 1 | extend k = 1) on k | count"} {
		q, err := Prepare(query, m.options())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := q.Run(ctx, m, Limits{Rows: 10, Memory: 64 << 20}, func([]Value) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("%s ends with %v", query, err)
		}
	}
}

// Everything that can be written has a word for whoever completes queries.
func TestWords(t *testing.T) {
	words := Words()
	for _, w := range words {
		if w.Description == "" {
			t.Errorf("%s %s is not described", w.Kind, w.Name)
		}
	}
	for _, name := range []string{"where", "arg_max", "strcat", "toscalar"} {
		if !slices.ContainsFunc(words, func(w Word) bool { return w.Name == name }) {
			t.Errorf("%s is missing", name)
		}
	}
}
