package api

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
)

func TestTokenThenMachines(t *testing.T) {
	w := newWorld(t)
	tenant, client, secret, err := w.fake.CreateApp(t.Context(), "siem", nil)
	if err != nil {
		t.Fatal(err)
	}
	form := "grant_type=client_credentials&client_id=" + client + "&client_secret=" + secret
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(client+":"+secret))
	for _, tt := range []struct {
		name, path, body string
		header           []string
		code             int
		err              string
	}{
		{"v2", "/" + tenant + "/oauth2/v2.0/token", form + "&scope=https%3A%2F%2Fapi.securitycenter.microsoft.com%2F.default", []string{"Content-Type", "application/x-www-form-urlencoded"}, 200, ""},
		{"v1", "/" + tenant + "/oauth2/token", form + "&resource=https://api.securitycenter.microsoft.com", []string{"Content-Type", "application/x-www-form-urlencoded"}, 200, ""},
		{"no tenant", "/oauth2/v2.0/token", form, nil, 200, ""},
		{"no content type", "/" + tenant + "/oauth2/token", form, nil, 200, ""},
		{"upper case", "/" + strings.ToUpper(tenant) + "/OAuth2/V2.0/Token", form, nil, 200, ""},
		{"basic", "/" + tenant + "/oauth2/token", "grant_type=client_credentials", []string{"Authorization", basic}, 200, ""},
		{"other tenant", "/00000000-0000-0000-0000-000000000000/oauth2/token", form, nil, 400, "invalid_request"},
		{"wrong secret", "/" + tenant + "/oauth2/token", form + "x", nil, 401, "invalid_client"},
		{"wrong client", "/" + tenant + "/oauth2/token", "grant_type=client_credentials&client_id=x&client_secret=y", nil, 401, "invalid_client"},
		{"no client", "/" + tenant + "/oauth2/token", "grant_type=client_credentials", nil, 400, "invalid_request"},
		{"no grant", "/" + tenant + "/oauth2/token", "client_id=x", nil, 400, "invalid_request"},
		{"other grant", "/" + tenant + "/oauth2/token", "grant_type=password&client_id=x", nil, 400, "unsupported_grant_type"},
		{"scope", "/" + tenant + "/oauth2/v2.0/token", form + "&scope=user.read", nil, 400, "invalid_scope"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := w.do("POST", tt.path, tt.body, tt.header...)
			var got struct {
				TokenType string      `json:"token_type"`
				ExpiresIn json.Number `json:"expires_in"`
				Token     string      `json:"access_token"`
				Error     string      `json:"error"`
			}
			if err := json.Unmarshal([]byte(a.body), &got); err != nil {
				t.Fatalf("%d %s: %v", a.code, a.body, err)
			}
			if a.code != tt.code || got.Error != tt.err {
				t.Fatalf("got %d %q, want %d %q", a.code, got.Error, tt.code, tt.err)
			}
			if a.header.Get("Cache-Control") != "no-store" {
				t.Error("a token may be cached")
			}
			if tt.code != 200 {
				return
			}
			if got.TokenType != "Bearer" || got.ExpiresIn != "3599" || strings.Contains(a.body, `"3599"`) || len(got.Token) < 20 {
				t.Fatalf("got %s", a.body)
			}
			list := w.do("GET", "/api/machines", "", "Authorization", "Bearer "+got.Token)
			if list.code != 200 || strings.Count(list.body, `"computerDnsName"`) != 3 {
				t.Fatalf("machines = %d %s", list.code, list.body)
			}
		})
	}
}

func TestDevicesList(t *testing.T) {
	w := newWorld(t)
	a := w.do("GET", "/api/x/devices?size=2&page=1&q=srv&health=Active,Inactive&sort=-weaknesses,name", "", w.session()...)
	if a.code != 200 {
		t.Fatalf("%d %s", a.code, a.body)
	}
	q := w.fake.lastQuery()
	if q.Text != "srv" || q.Limit != 2 || q.Offset != 0 || len(q.Filter["health"]) != 2 || len(q.Sort) != 2 {
		t.Errorf("query = %+v", q)
	}
}
