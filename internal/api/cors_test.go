package api

import (
	"net/url"
	"strings"
	"testing"
)

// A page of an origin that a public application has people sent back to reads
// what the token address answers to that application. No other page does, and
// no other address, and never with cookies.
func TestTokensForPagesOfRegisteredOriginsAlone(t *testing.T) {
	w := newWorld(t)
	admin := w.session()
	page := w.register(admin, `{"name":"Page","permissions":[],"public":true,"redirects":["https://Page.example:443/back","http://127.0.0.1:5173/back","com.example.desk:/back"],"delegated":["Machine.Read.All"]}`)
	other := w.register(admin, `{"name":"Other","permissions":[],"public":true,"redirects":["https://other.example/back"],"delegated":["Machine.Read.All"]}`)
	secret := w.register(admin, webApp)
	off := w.register(admin, `{"name":"Off","permissions":[],"public":true,"redirects":["https://off.example/back"],"delegated":["Machine.Read.All"]}`)
	if a := w.do("PUT", "/api/x/applications/"+off.id, `{"name":"Off","permissions":[],"disabled":true,"public":true,"redirects":["https://off.example/back"],"delegated":["Machine.Read.All"]}`, append(admin, "Content-Type", "application/json")...); a.code != 200 {
		t.Fatal(a.code, a.body)
	}
	shared := func(a answer, origin string) {
		t.Helper()
		for name, values := range a.header {
			if strings.HasPrefix(name, "Access-Control-") && (origin == "" || name == "Access-Control-Allow-Credentials" || name == "Access-Control-Allow-Origin" && strings.Join(values, ",") != origin) {
				t.Errorf("%s: %v, want %q", name, values, origin)
			}
		}
		if got := a.header.Get("Access-Control-Allow-Origin"); got != origin {
			t.Errorf("shared with %q, want %q: %d %s", got, origin, a.code, a.body)
		}
	}
	form := func(p *party) string {
		f := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x.y"}, "client_id": {p.id}}
		if p.secret != "" {
			f.Set("client_secret", p.secret)
		}
		return f.Encode()
	}
	for _, address := range []string{"/oauth2/v2.0/token", "/" + w.tenant + "/oauth2/v2.0/token", "/oauth2/token"} {
		for _, tt := range []struct {
			origin    string
			preflight bool
			of        *party // whose request it may read
		}{
			{"https://page.example", true, page}, {"http://127.0.0.1:5173", true, page}, {"https://other.example", true, other},
			{"https://portal.example", false, nil}, {"https://off.example", false, nil}, {"http://page.example", false, nil}, {"https://page.example.evil.example", false, nil},
			{"https://page.example:8443", false, nil}, {"http://127.0.0.1", false, nil}, {"http://127.0.0.1:5174", false, nil}, {"com.example.desk:", false, nil}, {"null", false, nil}, {"", false, nil}, {"*", false, nil},
		} {
			a := w.do("OPTIONS", address, "", "Origin", tt.origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type")
			if tt.preflight {
				shared(a, tt.origin)
			} else {
				shared(a, "")
			}
			if ok := a.code == 204 && a.header.Get("Access-Control-Allow-Methods") == "POST" && a.header.Get("Access-Control-Allow-Headers") == "Content-Type"; ok != tt.preflight || a.header.Get("Vary") != "Origin" {
				t.Errorf("%q before its request: %d %v", tt.origin, a.code, a.header)
			}
			for _, p := range []*party{page, other, secret, off} {
				a := w.do("POST", address, form(p), "Origin", tt.origin)
				if p == tt.of {
					shared(a, tt.origin)
				} else {
					shared(a, "")
				}
			}
		}
	}
	shared(w.do("OPTIONS", "/00000000-0000-4000-8000-000000000000/oauth2/v2.0/token", "", "Origin", "https://page.example"), "")

	for _, p := range tokenPaths() {
		if p.kind == "token" {
			continue
		}
		for _, method := range []string{"OPTIONS", "GET", "POST"} {
			shared(w.do(method, p.suffix, form(page), "Origin", "https://page.example", "Access-Control-Request-Method", method), "")
		}
	}
	for _, address := range []string{"/api/machines", "/api/x/devices", "/api/x/me/consent", "/scim/v2/Users", "/", "/consent", "/healthz"} {
		for _, method := range []string{"OPTIONS", "GET", "POST"} {
			shared(w.do(method, address, "", append(admin, "Origin", "https://page.example")...), "")
		}
	}
}
