package api

import (
	"encoding/json"
	"strings"
	"testing"
)

// Tests of section 2 of the issue: limits and applications over HTTP.

func TestTooManyCallsAre429InTheShapeOfTheArea(t *testing.T) {
	w := newWorld(t)
	if a := w.do("PUT", "/api/x/api-settings/limits", `{"preset":"plain","per_minute":4}`, append(w.session(), "Content-Type", "application/json")...); a.code != 204 {
		t.Fatalf("set limits = %d %s", a.code, a.body)
	}
	token := w.app("Machine.Read.All") // the first call
	for _, target := range []string{"/api/machines", "/api/x/devices", "/api/v1.0/machines"} {
		if a := w.do("GET", target, "", token...); a.code != 200 {
			t.Fatalf("GET %s = %d %s", target, a.code, a.body)
		}
	}
	for _, target := range []string{"/api/machines", "/api/x/devices"} {
		a := w.do("GET", target, "", token...)
		if after := a.header.Get("Retry-After"); a.code != 429 || after == "" || after == "0" || len(after) > 2 {
			t.Errorf("GET %s = %d, Retry-After %q: %s", target, a.code, after, a.body)
		}
		wellFormed(t, "one call too many", target, a)
		if !strings.Contains(a.body, "limit of 4 in a minute") {
			t.Errorf("GET %s does not say which limit: %s", target, a.body)
		}
	}
	if a := w.do("GET", "/api/machines", "", token...); !strings.Contains(a.body, `"code":"TooManyRequests"`) {
		t.Errorf("the code is wrong: %s", a.body)
	}
	if a := w.do("GET", "/api/machines", "", w.session()...); a.code != 200 {
		t.Errorf("a person is limited: %d %s", a.code, a.body)
	}
}

func TestApplicationsOverHTTP(t *testing.T) {
	w := newWorld(t)
	admin := append(w.session(), "Content-Type", "application/json")
	a := w.do("POST", "/api/x/applications", `{"name":"siem","permissions":["Machine.Read.All"],"days":30}`, admin...)
	var made Credentials
	if err := json.Unmarshal([]byte(a.body), &made); err != nil || a.code != 201 || len(made.ClientSecret) < 43 || made.TokenURL != "http://picket.test/"+w.tenant+"/oauth2/v2.0/token" {
		t.Fatalf("create = %d %s, %v", a.code, a.body, err)
	}
	form := "grant_type=client_credentials&client_id=" + made.ClientID + "&client_secret=" + made.ClientSecret + "&scope=x/.default"
	if a := w.do("POST", strings.TrimPrefix(made.TokenURL, "http://picket.test"), form); a.code != 200 {
		t.Fatalf("token = %d %s", a.code, a.body)
	}
	a = w.do("GET", "/api/x/applications", "", admin...)
	if strings.Contains(a.body, made.ClientSecret) || !strings.Contains(a.body, made.ClientID) || !strings.Contains(a.body, `"hint":"`+made.ClientSecret[:3]+`"`) {
		t.Errorf("the list shows the secret, or not the application: %s", a.body)
	}
	for _, bad := range []string{`{"name":"x","permissions":["Picket.Manage"]}`, `{"name":"x","permissions":[]}`, `{"name":"","permissions":["Machine.Read.All"]}`,
		`{"name":"x","permissions":["Machine.Read.All"],"preset":"none"}`, `{"name":"x","permissions":["Machine.Read.All"],"preset":"plain"}`,
		`{"name":"x","permissions":["Machine.Read.All"],"owner":1}`, `{"name":"x","permissions":["Machine.Read.All"],"client_secret":"x"}`, `{"name":"x","permissions":["Machine.Read.All"],"days":99999}`} {
		if a := w.do("POST", "/api/x/applications", bad, admin...); a.code != 422 {
			t.Errorf("POST %s = %d %s", bad, a.code, a.body)
		}
	}
	a = w.do("POST", "/api/x/me/tokens", `{"name":"mine","permissions":["Machine.Read.All"],"days":1}`, admin...)
	if err := json.Unmarshal([]byte(a.body), &made); err != nil || a.code != 201 {
		t.Fatalf("own token = %d %s", a.code, a.body)
	}
	form = "grant_type=client_credentials&client_id=" + made.ClientID + "&client_secret=" + made.ClientSecret
	a = w.do("POST", "/oauth2/v2.0/token", form)
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(a.body), &token); err != nil || a.code != 200 {
		t.Fatalf("token = %d %s", a.code, a.body)
	}
	own := []string{"Authorization", "Bearer " + token.AccessToken}
	for target, want := range map[string]int{"/api/machines": 200, "/api/software": 403, "/api/x/tokens": 403, "/api/x/me/tokens": 403, "/api/x/applications": 403} {
		if a := w.do("GET", target, "", own...); a.code != want {
			t.Errorf("GET %s with an own token = %d, want %d", target, a.code, want)
		}
	}
	if a := w.do("DELETE", "/api/x/me/tokens/"+made.ClientID, "", admin...); a.code != 204 {
		t.Fatalf("delete = %d %s", a.code, a.body)
	}
	if a := w.do("GET", "/api/machines", "", own...); a.code != 401 {
		t.Errorf("a deleted token = %d", a.code)
	}
}
