package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/server"
)

// huntServer is a real server behind a real listener, with an application's token.
func huntServer(t *testing.T) (base, token string) {
	t.Helper()
	return huntServerWith(t, server.HuntLimits{}, `{"type":"library","name":"openssl","version":"1.0-1","purl":"pkg:deb/debian/openssl@1.0-1?arch=amd64&distro=debian-12&upstream=openssl"}`)
}

// huntServerWith is one with limits of its own, and a device with some components.
func huntServerWith(t *testing.T, limits server.HuntLimits, components string) (base, token string) {
	t.Helper()
	s, err := server.Open(t.Context(), server.Options{Dir: filepath.Join(t.TempDir(), "data"), Log: discard(), AgentAddr: "127.0.0.1:1", Hunt: limits})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.ImportSBOM(t.Context(), server.Caller{Name: "boss", Admin: true}, []byte(`{"bomFormat":"CycloneDX","specVersion":"1.5","metadata":{"timestamp":"2026-11-01T00:00:00Z","component":{"type":"container","name":"alpha","version":"1"}},
		"components":[`+components+`]}`), server.SBOMImport{}); err != nil {
		t.Fatal(err)
	}
	_, client, secret, err := s.CreateApp(t.Context(), "hunter", []string{server.AdvancedQuery})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(New(Options{Server: s, Log: discard()}))
	t.Cleanup(web.Close)
	tok, err := s.IssueToken(t.Context(), web.URL, client, secret)
	if err != nil {
		t.Fatal(err)
	}
	return web.URL, tok.Token
}

func huntPost(t *testing.T, ctx context.Context, base, token, path, body string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Body.Close() })
	return a
}

func huntText(t *testing.T, a *http.Response) string {
	t.Helper()
	var b strings.Builder
	sc := bufio.NewScanner(a.Body)
	sc.Buffer(nil, 8<<20)
	for sc.Scan() {
		b.WriteString(sc.Text() + "\n")
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The Defender API's shape, its errors included.
func TestAdvancedQueries(t *testing.T) {
	base, token := huntServer(t)
	a := huntPost(t, t.Context(), base, token, "/api/advancedqueries/run", `{"Query":"DeviceTvmSoftwareInventory | project DeviceName, SoftwareName, N = 1, T = datetime(2024-05-20T08:59:57Z), D = dynamic({\"a\":[1]})"}`)
	want := `{"Schema":[{"Name":"DeviceName","Type":"String"},{"Name":"SoftwareName","Type":"String"},{"Name":"N","Type":"Int64"},{"Name":"T","Type":"DateTime"},{"Name":"D","Type":"Object"}],` +
		`"Results":[{"DeviceName":"alpha","SoftwareName":"openssl","N":1,"T":"2024-05-20T08:59:57.0000000Z","D":{"a":[1]}}]}` + "\n"
	if got := huntText(t, a); a.StatusCode != 200 || got != want {
		t.Errorf("%d %s, want %s", a.StatusCode, got, want)
	}
	a = huntPost(t, t.Context(), base, token, "/api/advancedqueries/run", `{"Query":"print a = 1, b = dynamic({\"c\": \"x\"}) | evaluate bag_unpack(b)"}`)
	if got := huntText(t, a); got != `{"Schema":[{"Name":"a","Type":"Int64"},{"Name":"c","Type":"String"}],"Results":[{"a":1,"c":"x"}]}`+"\n" {
		t.Errorf("evaluate answers %s", got)
	}
	for body, says := range map[string]string{
		`{"Query":"DeviceInfo | where Nam == 1"}`: "line 1, column 20", `{"Query":""}`: "MissingRequiredParameter", `{`: "InvalidRequestBody",
		`{"Query":"range x from 1 to 100000 step 1 | extend t = strrep('abcdefghij', 130)"}`:                       "allowed result size of 124 MB",
		`{"Query":"range x from 1 to 1000000 step 1 | summarize make_list(strcat(strrep('abcdefghij', 100), x))"}`: "memory",
	} {
		a := huntPost(t, t.Context(), base, token, "/api/advancedhunting/run", body)
		if got := huntText(t, a); a.StatusCode != 400 || !strings.Contains(got, says) || !strings.Contains(got, `"error":{"code":"`) {
			t.Errorf("%s answers %d %.300s", body, a.StatusCode, got)
		}
	}
}

func huntLines(t *testing.T, a *http.Response) (out []HuntLine) {
	t.Helper()
	for _, l := range strings.Split(strings.TrimSpace(huntText(t, a)), "\n") {
		var h HuntLine
		if err := json.Unmarshal([]byte(l), &h); err != nil {
			t.Fatalf("%q: %v", l, err)
		}
		out = append(out, h)
	}
	return out
}

func TestHuntStream(t *testing.T) {
	base, token := huntServer(t)
	lines := huntLines(t, huntPost(t, t.Context(), base, token, "/api/x/hunting/run", `{"query":"range x from 1 to 1200 step 1 | render timechart with (title=\"t\")","limit":1100}`))
	first, last := lines[0], lines[len(lines)-1]
	rows := 0
	for _, l := range lines[1 : len(lines)-1] {
		rows += len(l.Rows)
	}
	if first.Kind != "schema" || len(first.Columns) != 1 || first.Render == nil || first.Render.Chart != "timechart" || last.Kind != "done" || rows != 1100 || !last.Statistics.Truncated || len(last.Notes) != 1 {
		t.Errorf("%d lines, %d rows, first %+v, last %+v", len(lines), rows, first, last)
	}
	a := huntPost(t, t.Context(), base, token, "/api/x/hunting/run", `{"query":"DeviceInfo\n| where DeviceNam == 1"}`)
	var p struct {
		Errors []struct{ Value HuntMistake }
	}
	if err := json.Unmarshal([]byte(huntText(t, a)), &p); err != nil || a.StatusCode != 422 || len(p.Errors) != 1 || p.Errors[0].Value.Line != 2 || p.Errors[0].Value.Column != 9 || p.Errors[0].Value.Hint == "" {
		t.Errorf("a mistake answers %d %+v %v", a.StatusCode, p, err)
	}
	lines = huntLines(t, huntPost(t, t.Context(), base, token, "/api/x/hunting/run", `{"query":"range x from 1 to 1000000 step 1 | summarize make_list(strcat(strrep('abcdefghij', 100), x))"}`))
	if l := lines[len(lines)-1]; l.Kind != "error" || l.Error == nil || !strings.Contains(l.Error.Message, "memory") {
		t.Errorf("a query that needs too much ends with %+v", l)
	}
	pivot := huntLines(t, huntPost(t, t.Context(), base, token, "/api/x/hunting/run", `{"query":"range x from 1 to 4 step 1 | extend k = strcat('k', x % 2) | evaluate pivot(k, sum(x))"}`))
	if len(pivot) != 3 || len(pivot[0].Columns) != 2 || pivot[0].Columns[1].Name != "k1" || len(pivot[1].Rows) != 1 {
		t.Errorf("columns of rows: %+v", pivot)
	}
	if a := huntPost(t, t.Context(), base, token, "/api/x/hunting/run", `{"query":"range x from 1 to 4 step 1 | evaluate pivot(x) | where k3 == 1"}`); a.StatusCode != 422 || !strings.Contains(huntText(t, a), "k3") {
		t.Errorf("a mistake behind evaluate answers %d", a.StatusCode)
	}
	var check HuntCheck
	if err := json.Unmarshal([]byte(huntText(t, huntPost(t, t.Context(), base, token, "/api/x/hunting/check", `{"query":"DeviceInfo | evaluate narrow()"}`))), &check); err != nil || !check.OK || !check.Open || len(check.Columns) != 0 {
		t.Errorf("%+v %v", check, err)
	}
	// The selection of device groups goes for queries too.
	for _, want := range []struct{ group, rows string }{{"", "[[1]]"}, {"?group=0", "[[1]]"}, {"?group=7", "[[0]]"}} {
		l := huntLines(t, huntPost(t, t.Context(), base, token, "/api/x/hunting/run"+want.group, `{"query":"DeviceInfo | count"}`))
		if len(l) != 3 || fmt.Sprint(l[1].Rows) != want.rows {
			t.Errorf("%s: %+v", want.group, l)
		}
		e := huntText(t, huntPost(t, t.Context(), base, token, "/api/x/hunting/export"+want.group, `{"query":"DeviceInfo | count","format":"csv"}`))
		if e != "Count\n"+strings.Trim(want.rows, "[]")+"\n" {
			t.Errorf("%s: the export is %q", want.group, e)
		}
	}
	check = HuntCheck{}
	if err := json.Unmarshal([]byte(huntText(t, huntPost(t, t.Context(), base, token, "/api/x/hunting/check", `{"query":"DeviceInfo | wher x"}`))), &check); err != nil || check.OK || check.Mistake == nil || check.Mistake.Column != 14 {
		t.Errorf("%+v %v", check, err)
	}
}

func TestHuntExport(t *testing.T) {
	base, token := huntServer(t)
	a := huntPost(t, t.Context(), base, token, "/api/x/hunting/export", `{"query":"range x from 1 to 150000 step 1 | extend t = '=1+1', d = dynamic({\"a\":1})","format":"csv"}`)
	got := huntText(t, a)
	if n := strings.Count(got, "\n"); n != 150_001 || a.Trailer.Get("X-Picket-Rows") != "150000" || !strings.HasPrefix(got, "x,t,d\n") {
		t.Errorf("%d lines, trailer %q, begins %.60q", n, a.Trailer.Get("X-Picket-Rows"), got)
	}
	if strings.Contains(got, ",=1+1") {
		t.Error("a cell is a formula")
	}
	a = huntPost(t, t.Context(), base, token, "/api/x/hunting/export", `{"query":"range x from 1 to 2 step 1 | extend d = dynamic({\"a\":1})","format":"jsonl"}`)
	if got := huntText(t, a); got != `{"x":1,"d":{"a":1}}`+"\n"+`{"x":2,"d":{"a":1}}`+"\n" {
		t.Errorf("%s", got)
	}
}

// Who goes away does not leave a query behind.
func TestHuntEndsWithItsConnection(t *testing.T) {
	base, token := huntServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	a := huntPost(t, ctx, base, token, "/api/x/hunting/run", `{"query":"range a from 1 to 1000000 step 1 | extend k = 1 | join kind=inner (range b from 1 to 100000 step 1 | extend k = 1) on k | count"}`)
	if _, err := bufio.NewReader(a.Body).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	cancel()
	// Two queries run at once at most where there are few processors: when those that
	// were left are over, many more can run.
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	for range 20 {
		l := huntLines(t, huntPost(t, ctx, base, token, "/api/x/hunting/run", `{"query":"print 1"}`))
		if l[len(l)-1].Kind != "done" {
			t.Fatalf("%+v", l)
		}
	}
}

// The limits of the Defender API: time of a query, rows of an answer.
func TestAdvancedQueryLimits(t *testing.T) {
	if server.HuntTime != 200*time.Second || server.HuntRows != 100_000 || server.HuntDays != 30 {
		t.Errorf("a query may run %v, answer %d rows, of %d days", server.HuntTime, server.HuntRows, server.HuntDays)
	}
	base, token := huntServerWith(t, server.HuntLimits{Time: time.Second}, "")
	const long = `range x from 1 to 100000 step 1 | extend k = 1 | join kind=inner (range y from 1 to 100000 step 1 | extend k = 1) on k | where x < 0`
	began := time.Now()
	a := huntPost(t, t.Context(), base, token, "/api/advancedqueries/run", `{"Query":"`+long+`"}`)
	if got := huntText(t, a); a.StatusCode != 400 || !strings.Contains(got, "ran for 1 seconds") || !strings.Contains(got, `"error":{"code":"`) || time.Since(began) > 20*time.Second {
		t.Errorf("after %v: %d %s", time.Since(began), a.StatusCode, got)
	}
	lines := huntLines(t, huntPost(t, t.Context(), base, token, "/api/x/hunting/run", `{"query":"`+long+`"}`))
	if l := lines[len(lines)-1]; l.Kind != "error" || l.Error == nil || !strings.Contains(l.Error.Message, "ran for 1 seconds") {
		t.Errorf("the stream ends with %+v", l)
	}
	// The server is free again, and a query that is quick is answered with as many rows as there may be.
	base, token = huntServer(t)
	for n, want := range map[int]int{99_999: 99_999, 100_000: 100_000, 100_001: 100_000} {
		a := huntPost(t, t.Context(), base, token, "/api/advancedqueries/run", fmt.Sprintf(`{"Query":"range x from 1 to %d step 1"}`, n))
		var got struct{ Results []struct{ X int } }
		if err := json.NewDecoder(a.Body).Decode(&got); err != nil || a.StatusCode != 200 || len(got.Results) != want || got.Results[want-1].X != want {
			t.Errorf("of %d rows %d are answered, want %d; %d, %v", n, len(got.Results), want, a.StatusCode, err)
		}
	}
}

// A run tells how far it is: lines of progress whose numbers rise, before the last.
func TestHuntProgress(t *testing.T) {
	var parts []string
	for i := range 5000 {
		parts = append(parts, fmt.Sprintf(`{"type":"library","name":"lib%d","version":"1.0-1","purl":"pkg:deb/debian/lib%d@1.0-1?arch=amd64&distro=debian-12"}`, i, i))
	}
	base, token := huntServerWith(t, server.HuntLimits{Tell: time.Nanosecond}, strings.Join(parts, ","))
	lines := huntLines(t, huntPost(t, t.Context(), base, token, "/api/x/hunting/run", `{"query":"DeviceTvmSoftwareInventory | count"}`))
	told, last := 0, 0
	for i, l := range lines {
		if l.Kind != "progress" {
			continue
		}
		if told++; l.Statistics == nil || l.Statistics.RowsRead <= last || i == 0 || i == len(lines)-1 {
			t.Fatalf("line %d: %+v", i, l)
		}
		last = l.Statistics.RowsRead
	}
	if end := lines[len(lines)-1]; told < 3 || end.Kind != "done" || end.Statistics.RowsRead != 5000 {
		t.Errorf("%d lines of progress, the last %+v", told, end)
	}
}
