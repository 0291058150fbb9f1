package mde

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/server"
)

// thing is a row with a property of every kind.
type thing struct {
	id    string
	name  string
	score any // nil or float64
	seen  time.Time
	on    bool
	tags  []string
}

var thingProps = []prop[thing]{
	{"id", word, func(r *thing) any { return r.id }},
	{"name", text, func(r *thing) any { return textOrNil(r.name) }},
	{"cvssV3", number, func(r *thing) any { return r.score }},
	{"lastSeen", instant, func(r *thing) any { return timeOrNil(r.seen) }},
	{"on", flag, func(r *thing) any { return r.on }},
	{"machineTags", texts, func(r *thing) any { return r.tags }},
	{"ipAddresses", objects, func(r *thing) any { return []map[string]any{{"ipAddress": "10.0.0." + r.id, "macAddress": nil}} }},
}

var things = []thing{
	{"1", "openssl", 9.8, time.Date(2024, 5, 20, 9, 0, 0, 123456700, time.UTC), true, []string{"finance", "vip"}},
	{"2", "O'Reilly + sons", 5.0, time.Date(2024, 5, 21, 0, 0, 0, 0, time.UTC), false, nil},
	{"3", "", nil, time.Time{}, false, []string{"Finance"}},
	{"a4", "Zlib", 9.0, time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC), true, []string{}},
}

func TestFilter(t *testing.T) {
	for _, tt := range []struct{ filter, want string }{
		{"name eq 'openssl'", "1"},
		{"name eq 'OPENSSL'", ""},
		{"NAME eq 'openssl'", "1"},
		{"id eq 'A4'", "a4"},
		{"name ne 'openssl'", "2 3 a4"},
		{"name eq null", "3"},
		{"name ne null", "1 2 a4"},
		{"name eq 'O''Reilly + sons'", "2"},
		{"cvssV3 gt 9", "1"},
		{"cvssV3 ge 9.0", "1 a4"},
		{"cvssV3 eq '9.8'", "1"},
		{"cvssV3 lt 9 and cvssV3 gt 1", "2"},
		{"cvssV3 le 5 or name eq 'Zlib'", "2 a4"},
		{"9 le cvssV3", "1 a4"},
		{"cvssV3 eq null", "3"},
		{"cvssV3 gt -1", "1 2 a4"},
		{"cvssV3 gt 9e0", "1"},
		{"cvssV3 eq 9.8d", "1"},
		{"lastSeen gt 2024-05-20T09:00:00.1234566Z", "1 2"},
		{"lastSeen gt 2024-05-20T09:00:00.1234567Z", "2"},
		{"lastSeen ge 2024-05-20T09:00:00.123456700Z", "1 2"},
		{"lastSeen ge 2024-05-20", "1 2"},
		{"lastSeen ge 2024-05-20Z", "1 2"},
		{"lastSeen ge '2024-05-20T00:00:00Z'", "1 2"},
		{"lastSeen ge datetime'2024-05-20T00:00:00'", "1 2"},
		{"lastSeen ge 2024-05-21T02:00:00+02:00", "2"},
		{"lastSeen ge 2024-05-21T02:00:00 02:00", "2"},
		{"lastSeen ge 2024-05-21T02:00:00 02:00 and on eq false", "2"},
		{"lastSeen eq null", "3"},
		{"lastSeen lt 2024-01-01", "a4"},
		{"on eq true", "1 a4"},
		{"on", "1 a4"},
		{"not on", "2 3"},
		{"not (on eq true or name eq null)", "2"},
		{"on eq 'false'", "2 3"},
		{"id in ('1','3')", "1 3"},
		{"cvssV3 in (5, '9.8')", "1 2"},
		{"startswith(name,'open')", "1"},
		{"startswith( name , 'open' ) eq true", "1"},
		{"not startswith(name,'open')", "2 3 a4"},
		{"endswith(name,'ssl')", "1"},
		{"contains(name, 'lib')", "a4"},
		{"substringof('lib',name)", "a4"},
		{"contains(tolower(name),'zlib')", "a4"},
		{"length(name) eq 7", "1"},
		{"machineTags/any(tag: tag eq 'vip')", "1"},
		{"machineTags/any(t:startswith(t,'fin'))", "1"},
		{"machineTags/any(t: t eq 'vip' or t eq 'Finance')", "1 3"},
		{"machineTags/any()", "1 3"},
		{"machineTags/all(t: t eq 'Finance')", "2 3 a4"},
		{"ipAddresses/any(i: i/ipAddress eq '10.0.0.2')", "2"},
		{"(((name eq 'openssl')))", "1"},
		{"name eq 'openssl' or name eq 'Zlib' and on eq false", "1"},
		{"(name eq 'openssl' or name eq 'Zlib') and on eq true", "1 a4"},
		{"id eq microsoft.windowsDefenderATP.api.Kind'1'", "1"},
		{"name EQ 'openssl' AND on Eq True", "1"},
		{"\tname  eq\n'openssl' ", "1"},
		{"name eq 'a' or name eq 'and' or name eq 'Zlib'", "a4"},
		{"id eq 1", "1"},
		{"true", "1 2 3 a4"},
	} {
		t.Run(tt.filter, func(t *testing.T) {
			where, err := compile(thingProps, tt.filter)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range things {
				if where(&things[i]) {
					got = append(got, things[i].id)
				}
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("got %q, want %q", s, tt.want)
			}
		})
	}
}

func TestFilterErrors(t *testing.T) {
	for _, filter := range []string{
		"name", "name eq", "eq 'x'", "name eq 'x", "name == 'x'", "nothing eq 1", "name eq 'x' and", "(name eq 'x'", "name eq 'x')", "cvssV3 gt 'x'", "cvssV3 gt true",
		"lastSeen gt yesterday", "lastSeen gt 5", "machineTags eq 'x'", "machineTags/any(t t eq 1)", "name/any(t: t eq 'x')", "foo(name,'x')", "startswith(name)", "startswith(cvssV3,'x')",
		"name eq 'x' name eq 'y'", "id in 'x'", "id in ()", "on eq 5", "not", "5", "'x'", ",", "name eq ;drop", "2024-99-99 eq lastSeen", "machineTags/any(t: u eq 'x')",
		strings.Repeat("(", 5000) + "on" + strings.Repeat(")", 5000), strings.Repeat("not ", 1000) + "on", "on" + strings.Repeat(" or on", 5000), "name eq '" + strings.Repeat("x", maxExpression) + "'",
	} {
		_, err := compile(thingProps, filter)
		var e *Error
		if !errors.As(err, &e) || e.Code != "ODataError" || e.Status != 400 {
			t.Errorf("compile(%.40q) = %v, want an ODataError", filter, err)
		}
	}
}

func TestOrder(t *testing.T) {
	for _, tt := range []struct{ orderby, want string }{
		{"cvssV3 desc", "1 a4 2 3"},
		{"cvssV3", "3 2 a4 1"},
		{"on desc, name", "a4 1 3 2"},
		{"lastSeen DESC", "2 1 a4 3"},
	} {
		less, err := order(thingProps, tt.orderby)
		if err != nil {
			t.Fatal(err)
		}
		rows := slices.Clone(things)
		slices.SortStableFunc(rows, func(a, b thing) int { return less(&a, &b) })
		var got []string
		for _, r := range rows {
			got = append(got, r.id)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s = %q, want %q", tt.orderby, s, tt.want)
		}
	}
	for _, bad := range []string{"nothing", "name up", "name asc desc", "machineTags", ",", "`; drop table"} {
		if _, err := order(thingProps, bad); err == nil {
			t.Errorf("order(%q) has no error", bad)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, tt := range []struct {
		raw, filter, next string
		served            int
		more              bool
	}{
		{"", "", "/api/machines?$skip=10", 10, true},
		{"", "", "", 10, false},
		{"$filter=name+eq+'x'&", "name eq 'x'", "/api/machines?$filter=name%20eq%20%27x%27&$skip=2", 2, true},
		{"%24filter=name%20eq%20'x'", "name eq 'x'", "", 0, true},
		{"$filter=name eq 'a b'", "name eq 'a b'", "", 0, false},
		{"$FILTER=name eq 'x'&foo=bar&$top=5", "name eq 'x'", "", 5, true},
		{"$top=20000&$skip=3&x=1", "", "/api/machines?x=1&$top=10000&$skip=10003", 10000, true},
		{"&&&$skip=1&$expand=evidence", "", "/api/machines?$expand=evidence&$skip=6", 5, true},
		{"$filter=a%zzb", "a%zzb", "", 0, false},
		{"$filter=a;b", "a;b", "", 0, false},
	} {
		o, err := parseOptions(tt.raw)
		if err != nil {
			t.Errorf("%q: %v", tt.raw, err)
			continue
		}
		if o.filter != tt.filter {
			t.Errorf("%q: filter %q, want %q", tt.raw, o.filter, tt.filter)
		}
		if next := o.next("/api/machines", tt.served, tt.more, ""); next != tt.next {
			t.Errorf("%q: next %q, want %q", tt.raw, next, tt.next)
		}
	}
	for _, bad := range []string{"$top=-1", "$top=x", "$skip=-1", "$skip=99999999999999999999", "$top="} {
		if _, err := parseOptions(bad); err == nil {
			t.Errorf("%q has no error", bad)
		}
	}
}

func TestCanonicalID(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"debian-_-openssl", "debian-_-openssl"},
		{"npm-_-%40babel%2Fcore", "npm-_-%40babel%2Fcore"},
		{"npm-_-%40babel%2fcore", "npm-_-%40babel%2Fcore"},
		{"npm-_-%2540babel%252Fcore", "npm-_-%40babel%2Fcore"},
		{"npm-_-@babel%2Fcore", "npm-_-%40babel%2Fcore"},
		{"a+b~c:d.e_f-g", "a+b~c:d.e_f-g"},
		{"ü", "%C3%BC"},
		{"", ""}, {".", ""}, {"..", ""}, {"%2e%2E", ""}, {"%zz", ""},
		{"%252e%252e", "%252e%252e"}, // the name "%2e%2e", which is no dot segment
		{"%252F", "%2F"},
	} {
		if got, ok := CanonicalID(tt.in); got != tt.want || ok != (tt.want != "") {
			t.Errorf("CanonicalID(%q) = %q, %v; want %q", tt.in, got, ok, tt.want)
		}
	}
}

func FuzzFilter(f *testing.F) {
	for _, s := range []string{"name eq 'x'", "machineTags/any(t: t eq 'x')", "cvssV3 gt 9 and lastSeen ge 2024-05-20T09:00:00 02:00", "not (on or id in ('1',2))", "startswith(tolower(name),'a') eq true",
		"((((", "a/b/c/any(x:x/y eq null)", "'", "2024-", "lastSeen eq datetime'2024-01-01'"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		where, err := compile(thingProps, s)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Status != 400 {
				t.Fatalf("error is not a 400: %v", err)
			}
			return
		}
		for i := range things {
			where(&things[i])
		}
	})
}

func FuzzOptions(f *testing.F) {
	for _, s := range []string{"$filter=a eq 'b'&$top=5&", "%24skip=3&$orderby=a+desc", "&&=&$select=,,", "$count=true&%zz=%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, err := parseOptions(s)
		if err != nil {
			return
		}
		next := o.next("/x", 1, true, "")
		if next == "" {
			return
		}
		_, query, _ := strings.Cut(next, "?")
		again, err := parseOptions(query)
		if err != nil || again.filter != o.filter || again.skip != o.skip+1 || again.orderby != o.orderby {
			t.Errorf("the next link of %q loses something: %q (%v)", s, next, err)
		}
	})
}

func FuzzCanonicalID(f *testing.F) {
	for _, s := range []string{"debian-_-openssl", "npm-_-%40babel%2Fcore", "npm-_-%2540babel%252Fcore", "%2e%2e", "%252e", "ü%zz", "a/b%00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, ok := CanonicalID(s)
		if !ok {
			return
		}
		if !regexp.MustCompile(`^[A-Za-z0-9._+~:%-]+$`).MatchString(id) || id == "." || id == ".." {
			t.Errorf("CanonicalID(%q) = %q", s, id)
		}
		if plain, err := url.PathUnescape(id); err == nil && !strings.Contains(plain, "%") {
			if again, ok := CanonicalID(id); again != id || !ok {
				t.Errorf("CanonicalID(%q) = %q, %v", id, again, ok)
			}
		}
	})
}

func FuzzToken(f *testing.F) {
	f.Add(writeToken(&server.MachineVuln{Num: 7, CVE: "CVE-2024-1000", Vendor: "debian", Product: "openssl", Version: "1:3.0-1"}))
	for _, s := range []string{"", "e30", "W10", "bnVsbA", "====", "eyJuIjotMX0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		row, err := readToken(s)
		if err != nil {
			return
		}
		if again, err := readToken(writeToken(row)); err != nil || *again != *row {
			t.Errorf("%q is %+v, then %+v, %v", s, row, again, err)
		}
	})
}
