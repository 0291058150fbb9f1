package alert

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
)

var (
	sha256 = strings.Repeat("ab", 32)
	sha1   = strings.Repeat("cd", 20)
	md5    = strings.Repeat("ef", 16)
)

// Values are kept in one form, and what cannot be matched as it is meant is refused.
func TestIndicatorValue(t *testing.T) {
	for _, c := range []struct {
		typ        IndicatorType
		text, want string // "": refused
	}{
		{FileSHA256, " " + strings.ToUpper(sha256) + " ", sha256},
		{FileSHA256, sha1, ""},
		{FileSHA1, sha1, sha1},
		{FileSHA1, sha1[1:] + "g", ""},
		{FileMD5, strings.ToUpper(md5), md5},
		{Certificate, sha1, sha1},
		{IPAddress, "192.0.2.7", "192.0.2.7"},
		{IPAddress, "::FFFF:192.0.2.7", "192.0.2.7"},
		{IPAddress, "2001:DB8:0::1", "2001:db8::1"},
		{IPAddress, "192.0.2.0/24", ""},
		{DomainName, "Evil.Example.", "evil.example"},
		{DomainName, "*.evil.example", ""},
		{DomainName, "evil.example/path", ""},
		{DomainName, "com", ""},
		{DomainName, "a..b", ""},
		{DomainName, strings.Repeat("a.", 200) + "b", ""},
		{URL, "HTTPS://Evil.Example/Path?q=1#x", "https://evil.example/Path?q=1"},
		{URL, "evil.example/path", "http://evil.example/path"},
		{URL, "http://[2001:DB8::1]:8080/x", "http://[2001:db8::1]:8080/x"},
		{URL, "ftp://evil.example/x", ""},
		{URL, "http://user@evil.example/x", ""},
		{URL, "http://*.evil.example/", ""},
		{URL, "http://evil.example/" + strings.Repeat("x", 3000), ""},
		{"Else", "x", ""},
	} {
		got, why := IndicatorValue(c.typ, c.text)
		if got != c.want || (why == "") != (c.want != "") {
			t.Errorf("%s %q: %q %q, want %q", c.typ, c.text, got, why, c.want)
		}
		if again, _ := IndicatorValue(c.typ, got); got != "" && again != got {
			t.Errorf("%s %q: %q, and of that %q", c.typ, c.text, got, again)
		}
	}
}

func record(t testing.TB, columns map[event.Column]string) event.Record {
	t.Helper()
	e := event.Event{Action: event.ConnectionSuccess, Seq: 1, Time: time.Unix(1_700_000_000, 0)}
	for c, v := range columns {
		e.Set(c, v)
	}
	raw, err := event.Append(nil, &e)
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := event.Split(raw)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Indicators are found by every value that an event has, domains with what is below them.
func TestMatch(t *testing.T) {
	list := []Indicator{{1, FileSHA256, sha256}, {2, FileSHA1, sha1}, {3, FileMD5, md5}, {4, IPAddress, "192.0.2.7"}, {5, IPAddress, "2001:db8::1"},
		{6, DomainName, "evil.example"}, {7, URL, "https://host.example/"}, {8, URL, "https://host.example/a/b"}, {9, URL, "http://q.example/a?b=1"}, {10, Certificate, sha1},
		{11, URL, "http://192.0.2.7/x"}}
	m := NewMatcher(list)
	for _, c := range []struct {
		columns map[event.Column]string
		want    string
	}{
		{map[event.Column]string{event.SHA256: strings.ToUpper(sha256)}, "1"},
		{map[event.Column]string{event.InitiatingProcessSHA1: sha1, event.MD5: md5}, "2 3"},
		{map[event.Column]string{event.RemoteIP: "192.0.2.7"}, "4"},
		{map[event.Column]string{event.RemoteIP: "::ffff:192.0.2.7"}, "4"},
		{map[event.Column]string{event.RemoteIP: "2001:0DB8::1"}, "5"},
		{map[event.Column]string{event.InitiatingProcessRemoteSessionIP: "192.0.2.7"}, "4"},
		{map[event.Column]string{event.LocalIP: "192.0.2.7"}, ""},
		{map[event.Column]string{event.RemoteURL: "evil.example"}, "6"},
		{map[event.Column]string{event.RemoteURL: "A.B.EVIL.example."}, "6"},
		{map[event.Column]string{event.RemoteURL: "notevil.example"}, ""},
		{map[event.Column]string{event.RemoteURL: "https://x@evil.example:8443/p"}, "6"},
		{map[event.Column]string{event.RemoteURL: "host.example"}, "7 8?"},
		{map[event.Column]string{event.RemoteURL: "sub.host.example"}, ""},
		{map[event.Column]string{event.RemoteURL: "http://host.example/a/b/c"}, "7 8"},
		{map[event.Column]string{event.RemoteURL: "http://host.example/a/b?x"}, "7 8"},
		{map[event.Column]string{event.RemoteURL: "http://host.example/a/bc"}, "7"},
		{map[event.Column]string{event.RemoteURL: "http://q.example/a?b=1"}, "9"},
		{map[event.Column]string{event.RemoteURL: "http://q.example/a?b=2"}, ""},
		{map[event.Column]string{event.RemoteURL: "http://192.0.2.7/x/y"}, "4 11"},
		{map[event.Column]string{event.RemoteURL: "http://[2001:db8::1]:80/"}, "5"},
		{map[event.Column]string{event.RemoteURL: strings.Repeat("a.", 5000) + "evil.example"}, ""},
		{map[event.Column]string{event.FileName: sha256}, ""},
	} {
		var got []string
		for _, h := range m.Match(record(t, c.columns), nil) {
			text := fmt.Sprint(h.ID)
			if h.HostOnly {
				text += "?"
			}
			got = append(got, text)
		}
		slices.SortFunc(got, func(a, b string) int {
			return cmp.Or(len(strings.TrimSuffix(a, "?"))-len(strings.TrimSuffix(b, "?")), strings.Compare(a, b))
		})
		if strings.Join(got, " ") != c.want {
			t.Errorf("%v: %v, want %s", c.columns, got, c.want)
		}
	}
	if (*Matcher)(nil).Empty() != true || NewMatcher(list[9:10]).Empty() != true || m.Empty() {
		t.Error("empty")
	}
}

// What is allowed counts before what is as close or less close, of the same thing alone.
func TestRelevant(t *testing.T) {
	list := []Indicator{{1, FileSHA256, sha256}, {2, FileSHA1, sha1}, {3, DomainName, "evil.example"}, {4, DomainName, "good.evil.example"}, {5, URL, "http://x.evil.example/a"}, {6, IPAddress, "192.0.2.7"}}
	m := NewMatcher(list)
	for _, c := range []struct {
		columns map[event.Column]string
		allowed []int64
		want    []int64
	}{
		{map[event.Column]string{event.SHA256: sha256, event.SHA1: sha1}, nil, []int64{1, 2}},
		{map[event.Column]string{event.SHA256: sha256, event.SHA1: sha1}, []int64{2}, nil},                                           // one file
		{map[event.Column]string{event.SHA256: sha256, event.InitiatingProcessSHA1: sha1}, []int64{2}, []int64{1}},                   // two
		{map[event.Column]string{event.RemoteURL: "a.good.evil.example"}, []int64{4}, nil},                                           // closer
		{map[event.Column]string{event.RemoteURL: "a.good.evil.example"}, []int64{3}, []int64{4}},                                    // less close
		{map[event.Column]string{event.RemoteURL: "evil.example", event.RemoteIP: "192.0.2.7"}, []int64{3}, []int64{6}},              // another thing
		{map[event.Column]string{event.RemoteURL: "http://x.evil.example/a"}, []int64{3}, []int64{5}},                                // a URL is closer than its host
		{map[event.Column]string{event.SHA256: sha256, event.InitiatingProcessSHA256: sha256}, nil, []int64{1}},                      // once
		{map[event.Column]string{event.RemoteURL: "http://x.evil.example/a", event.SHA1: sha1}, []int64{5}, []int64{2}},              //
		{map[event.Column]string{event.RemoteURL: "http://x.evil.example/other"}, []int64{5}, []int64{3}},                            // not what is allowed
		{map[event.Column]string{event.RemoteIP: "192.0.2.7", event.InitiatingProcessRemoteSessionIP: "192.0.2.7"}, nil, []int64{6}}, //
	} {
		var got []int64
		for _, h := range Relevant(m.Match(record(t, c.columns), nil), func(id int64) bool { return slices.Contains(c.allowed, id) }) {
			got = append(got, h.ID)
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%v, %v allowed: %v, want %v", c.columns, c.allowed, got, c.want)
		}
	}
}

func FuzzMatch(f *testing.F) {
	m := NewMatcher([]Indicator{{1, DomainName, "evil.example"}, {2, URL, "http://host.example/a"}, {3, IPAddress, "2001:db8::1"}})
	f.Add("http://[::1]:@?#")
	f.Add("evil.example")
	f.Fuzz(func(t *testing.T, text string) {
		e := event.Event{Action: event.ConnectionSuccess, Seq: 1, Time: time.Unix(1_700_000_000, 0)}
		e.Set(event.RemoteURL, text)
		e.Set(event.RemoteIP, text)
		raw, err := event.Append(nil, &e)
		if err != nil {
			return
		}
		r, _, err := event.Split(raw)
		if err != nil {
			t.Fatal(err)
		}
		m.Match(r, nil)
		for _, typ := range IndicatorTypes {
			if v, why := IndicatorValue(typ, text); (v == "") == (why == "") {
				t.Fatalf("%s %q: %q %q", typ, text, v, why)
			}
		}
	})
}

// BenchmarkMatch is the cost of looking for 15,000 indicators in an event that has none.
func BenchmarkMatch(b *testing.B) {
	var list []Indicator
	for i := range 5000 {
		list = append(list, Indicator{int64(i), FileSHA256, fmt.Sprintf("%064x", i)}, Indicator{int64(i), IPAddress, fmt.Sprintf("10.0.%d.%d", i/256, i%256)},
			Indicator{int64(i), DomainName, fmt.Sprintf("h%d.evil.example", i)})
	}
	m := NewMatcher(list)
	r := record(b, map[event.Column]string{event.SHA256: sha256, event.InitiatingProcessSHA256: sha256, event.RemoteIP: "198.51.100.7", event.RemoteURL: "www.good.example",
		event.FileName: "curl", event.FolderPath: "/usr/bin/curl", event.ProcessCommandLine: "curl --verbose https://www.good.example/", event.AccountName: "www-data"})
	b.ReportAllocs()
	for b.Loop() {
		m.Match(r, nil)
	}
}
