package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestRebinding is for the class of CVE-2022-41924: a page elsewhere, whose
// name was made to lead to this machine, opens nothing.
func TestRebinding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	serve := func(public string) string {
		srv := httptest.NewServer(New(Options{Server: w.fake, Web: http.NotFoundHandler(), Log: discard(), PublicURL: public}))
		t.Cleanup(srv.Close)
		return srv.URL
	}
	plain, named := serve(""), serve("https://picket.example:8680")
	for _, tt := range []struct {
		at, host string
		want     bool
	}{
		{plain, "", true}, // the address, as the client has it
		{plain, "localhost:8680", true},
		{plain, "LOCALHOST.", true},
		{plain, "[::1]:8680", true},
		{plain, "10.0.0.1", true},
		{plain, "picket.localhost", true},
		{plain, "evil.example", false},
		{plain, "evil.example:8680", false},
		{plain, "localhost.evil.example", false},
		{plain, "127.0.0.1.evil.example", false},
		{plain, "picket.example", false},
		{named, "picket.example", true},
		{named, "Picket.Example:443", true},
		{named, "evil.example", false},
		{named, "localhost", true},
	} {
		for _, path := range []string{"/", "/api/x/session", "/api/machines", "/healthz", "/scim/v2/Users"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, tt.at+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if tt.host != "" {
				req.Host = tt.host
			}
			req.Header.Set("X-Forwarded-Host", "localhost") // a page may send what it likes
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if got := res.StatusCode != http.StatusMisdirectedRequest; got != tt.want {
				t.Errorf("%s as %q = %s", path, tt.host, res.Status)
			}
			if !tt.want && (!strings.Contains(string(body), "--public-url") || strings.Contains(string(body), "evil")) {
				t.Errorf("%s as %q says %q", path, tt.host, body)
			}
		}
	}
}
