package api

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestMendBlanks(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"GET /a?$filter=x eq 'y z' HTTP/1.1\r\n", "GET /a?$filter=x+eq+'y+z' HTTP/1.1\r\n"},
		{"ET /a b HTTP/1.0\n", "ET /a+b HTTP/1.0\n"},
		{"GET /a HTTP/1.1\r\n", "GET /a HTTP/1.1\r\n"},
		{"POST /a b HTTP/1.1\r\n", "POST /a b HTTP/1.1\r\n"},
		{"GET /a b HTTP/1.1 x\r\n", "GET /a b HTTP/1.1 x\r\n"},
		{"GET /a b", "GET /a b"},
		{"", ""},
		{"GET", "GET"},
	} {
		line := []byte(tt.in)
		mendBlanks(line)
		if string(line) != tt.want {
			t.Errorf("%q = %q, want %q", tt.in, line, tt.want)
		}
	}
}

func TestLenientListener(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, r.Method+" "+r.URL.Query().Get("$filter")+" "+string(body))
	})}
	go func() { _ = srv.Serve(Lenient(ln)) }()
	defer func() { _ = srv.Close() }()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	in := bufio.NewReader(c)
	// Several requests on one connection, with bodies that look like request lines.
	for i, tt := range []struct {
		send []string
		want string
	}{
		{[]string{"GET /a?$filter=x eq 'y' HTTP/1.1\r\nHost: h\r\n\r\n"}, "GET x eq 'y' "},
		{[]string{"GET /a?$filter=x eq 'y'", " HTTP/1.1\r\nHost: h\r\n\r\n"}, "GET x eq 'y' "},
		{[]string{"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 19\r\n\r\n", "GET /a b HTTP/1.1\r\n"}, "POST  GET /a b HTTP/1.1\r\n"},
		{[]string{"GET /a?$filter=a+b HTTP/1.1\r\nHost: h\r\n\r\n"}, "GET a b "},
		{[]string{"GET /a?$filter=" + strings.Repeat("x ", 3000) + "HTTP/1.1\r\nHost: h\r\n\r\n"}, "GET " + strings.Repeat("x ", 2999) + "x "},
	} {
		for _, s := range tt.send {
			if _, err := io.WriteString(c, s); err != nil {
				t.Fatal(err)
			}
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != 200 || string(body) != tt.want {
			t.Errorf("request %d = %d %q (%v), want %q", i, resp.StatusCode, body, err, tt.want)
		}
	}
}

func FuzzMendBlanks(f *testing.F) {
	for _, s := range []string{"GET /a?$filter=x eq 'y z' HTTP/1.1\r\n", "ET / HTTP/1.0\n", "HEAD  HTTP/1.1", "GET HTTP/1.1", " HTTP/1. HTTP/1.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line := []byte(s)
		mendBlanks(line)
		if len(line) != len(s) {
			t.Fatalf("%q became %q", s, line)
		}
		first, last := strings.IndexByte(s, ' '), strings.LastIndexByte(s, ' ')
		for i := range line {
			if line[i] != s[i] && (s[i] != ' ' || line[i] != '+' || i == first || i == last) {
				t.Fatalf("byte %d of %q became %q", i, s, line[i])
			}
		}
	})
}
