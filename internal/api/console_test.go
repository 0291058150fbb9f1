package api

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

func TestListParameters(t *testing.T) {
	w := newWorld(t)
	session := w.session()
	for _, tt := range []struct {
		target string
		code   int
		fields []string
	}{
		{"/api/x/devices?page=2&size=1", 200, nil},
		{"/api/x/devices?os=&q=", 200, nil},
		{"/api/x/devices?nothing=1&neither=2", 422, []string{"query.nothing", "query.neither"}},
		{"/api/x/devices?size=1001&page=0&sort=bad,name&health=Ill", 422, []string{"query.size", "query.page", "query.sort[0]", "query.health[0]"}},
		{"/api/x/devices?size=x", 422, []string{"query.size"}},
		{"/api/x/devices?sort=name%60;drop", 422, []string{"query.sort[0]"}},
		{"/api/x/devices/export?page=2", 422, []string{"query.page"}},
		{"/api/x/devices/export?format=xml", 422, []string{"query.format"}},
		{"/api/x/weaknesses?severity=Critical,High&threat=kev&sort=-cvss", 200, nil},
		{"/api/x/weaknesses?state=rotten", 422, []string{"query.state[0]"}},
		{"/api/x/devices/nothing", 404, nil},
	} {
		a := w.do("GET", tt.target, "", session...)
		var p struct{ Errors []struct{ Location string } }
		if err := json.Unmarshal([]byte(a.body), &p); err != nil {
			t.Fatalf("%s: %v", tt.target, err)
		}
		got := map[string]bool{}
		for _, e := range p.Errors {
			got[e.Location] = true
		}
		if a.code != tt.code || len(got) != len(tt.fields) {
			t.Errorf("%s = %d %s", tt.target, a.code, a.body)
		}
		for _, f := range tt.fields {
			if !got[f] {
				t.Errorf("%s: nothing about %s: %s", tt.target, f, a.body)
			}
		}
	}
	if a := w.do("GET", "/api/x/devices?page=3&size=1", "", session...); a.code != 200 || !strings.Contains(a.body, string(deviceID(3))) || strings.Contains(a.body, string(deviceID(1))) {
		t.Errorf("page 3 of 1 = %s", a.body)
	}
}

func TestSoftwareIDsInPaths(t *testing.T) {
	w := newWorld(t)
	session := w.session()
	for _, target := range []string{"/api/x/software/npm-_-%40babel%2Fcore", "/api/x/software/npm-_-%2540babel%252Fcore", "/api/x/software/npm-_-@babel%2fcore"} {
		a := w.do("GET", target, "", session...)
		if a.code != 200 || !strings.Contains(a.body, `"id":"npm-_-%40babel%2Fcore"`) {
			t.Errorf("%s = %d %s", target, a.code, a.body)
		}
	}
	a := w.do("GET", "/api/x/devices/srv-01/software/npm-_-%40babel%2Fcore", "", session...)
	if !strings.Contains(a.body, `"id":"npm-_-%40babel%2Fcore"`) || !strings.Contains(a.body, `"name":"srv-01"`) {
		t.Errorf("a product of a device = %s", a.body)
	}
}

func TestCrossOrigin(t *testing.T) {
	w := newWorld(t)
	session := w.session()
	prefs := func(header ...string) answer {
		return w.do("PUT", "/api/x/me/prefs", `{}`, append([]string{"Content-Type", "application/json"}, header...)...)
	}
	for _, tt := range []struct {
		name   string
		header []string
		code   int
	}{
		{"same site", append(session, "Sec-Fetch-Site", "same-origin"), 204},
		{"cross site", append(session, "Sec-Fetch-Site", "cross-site"), 403},
		{"other origin", append(session, "Origin", "https://evil.example"), 403},
		{"own origin", append(session, "Origin", "http://picket.test"), 204},
		{"no browser", session, 204},
	} {
		if a := prefs(tt.header...); a.code != tt.code {
			t.Errorf("%s = %d, want %d: %s", tt.name, a.code, tt.code, a.body)
		}
	}
	a := w.do("POST", "/api/x/session", `{"username":"a","password":"b"}`, "Content-Type", "application/json", "Sec-Fetch-Site", "cross-site")
	if a.code != 403 {
		t.Errorf("sign-in from another site = %d", a.code)
	}
}

func TestSessionCookie(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		proto, name string
		secure      bool
	}{{"", "picket_session", false}, {"https", "__Host-picket_session", true}} {
		link, err := w.fake.SignInLink(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		a := w.do("POST", "/api/x/session/redeem", `{"token":"`+link+`"}`, "Content-Type", "application/json", "X-Forwarded-Proto", tt.proto)
		c, err := http.ParseSetCookie(a.header.Get("Set-Cookie"))
		if err != nil {
			t.Fatalf("%d %s: %v", a.code, a.body, err)
		}
		if c.Name != tt.name || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Secure != tt.secure || len(c.Value) < 43 {
			t.Errorf("cookie = %+v", c)
		}
		if strings.Contains(a.body, c.Value) {
			t.Error("the secret is in the body")
		}
		// Over TLS only the name counts that no other host and no plain page can set.
		for name, want := range map[string]int{"picket_session": 200, "__Host-picket_session": 200} {
			if name != tt.name {
				want = 401
			}
			if a := w.do("GET", "/api/x/session", "", "X-Forwarded-Proto", tt.proto, "Cookie", name+"="+c.Value); a.code != want {
				t.Errorf("with %q as %s = %d, want %d", tt.proto, name, a.code, want)
			}
		}
	}
	session := w.session()
	if a := w.do("DELETE", "/api/x/session", "", session...); a.code != 200 || !strings.Contains(a.header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("sign out = %d %v", a.code, a.header)
	}
	if a := w.do("GET", "/api/x/session", "", session...); a.code != 401 {
		t.Errorf("after signing out = %d", a.code)
	}
}

func TestFaultsKeepTheirSecrets(t *testing.T) {
	w := newWorld(t)
	var log bytes.Buffer
	w.h = New(Options{Server: w.fake, Log: slog.New(slog.NewTextHandler(&log, nil))})
	for _, q := range []string{"panic", "broken"} {
		log.Reset()
		a := w.do("GET", "/api/x/search?q="+q, "", w.session()...)
		if a.code != 500 || strings.Contains(a.body, "secret") {
			t.Errorf("%s = %d %s", q, a.code, a.body)
		}
		id := a.header.Get("X-Request-Id")
		if id == "" || !strings.Contains(a.body, id) || !strings.Contains(log.String(), id) || !strings.Contains(log.String(), "secret detail") {
			t.Errorf("%s: answer and log do not share the id %q: %s\n%s", q, id, a.body, log.String())
		}
	}
}

func TestBodies(t *testing.T) {
	w := newWorld(t)
	session := append(w.session(), "Content-Type", "application/json")
	for _, tt := range []struct {
		method, target, body string
		code                 int
	}{
		{"PUT", "/api/x/me/prefs", `{"a":"` + strings.Repeat("x", 70<<10) + `"}`, 413},
		{"PUT", "/api/x/me/prefs", `[]`, 422},
		{"PUT", "/api/x/me/prefs", `{`, 400},
		{"POST", "/api/x/tokens", `{"note":"n","unknown":1}`, 422},
		{"POST", "/api/x/tokens", `{"hours":0}`, 422},
		{"POST", "/api/x/tokens", `{}`, 201},
		{"POST", "/api/x/session", `{"username":"a","password":"hunter2hunter2","extra":1}`, 422},
	} {
		a := w.do(tt.method, tt.target, tt.body, session...)
		if a.code != tt.code {
			t.Errorf("%s %s %.30s = %d, want %d: %.300s", tt.method, tt.target, tt.body, a.code, tt.code, a.body)
		}
		if strings.Contains(a.body, "hunter2") {
			t.Errorf("the answer repeats a password: %s", a.body)
		}
	}
}
