package api

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/picketsec/picket/internal/server"
)

// indicatorPrograms are a server, and the tokens of two programs: of one that may do
// everything with indicators, and of one that has the own ones alone.
func indicatorPrograms(t *testing.T) (w *world, all, own []string) {
	t.Helper()
	s := openServer(t, filepath.Join(t.TempDir(), "data"))
	t.Cleanup(func() { _ = s.Close() })
	w = &world{t: t, apps: map[string][]string{}, h: New(Options{Server: s, Log: discard()})}
	token := func(p string) []string {
		_, client, secret, err := s.CreateApp(t.Context(), p, []string{p})
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.IssueToken(t.Context(), "http://picket.test", client, secret)
		if err != nil {
			t.Fatal(err)
		}
		return []string{"Content-Type", "application/json", "Authorization", "Bearer " + got.Token}
	}
	return w, token(server.TiWrite), token(server.TiWriteOwn)
}

func decoded(t *testing.T, a answer) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		t.Fatal(a.code, a.body, err)
	}
	return out
}

const blocked = `{"indicatorValue":"%s","indicatorType":"%s","action":"Block","title":"t","description":"d","severity":"High","expirationTime":"2099-01-01T00:00:00Z","rbacGroupNames":[],"mitreTechniques":["T1059"]}`

// Indicators over the Defender API are as its clients rely on, and every one says that
// nothing is enforced.
func TestIndicatorsOfPrograms(t *testing.T) {
	w, all, own := indicatorPrograms(t)
	a := w.do("POST", "/api/Indicators", fmt.Sprintf(blocked, "192.0.2.7", "ipaddress"), all...)
	first := decoded(t, a)
	if a.code != 200 || first["id"] == "" || first["indicatorType"] != "IpAddress" || first["sourceType"] != "AadApp" || first["enforcement"] != "Not enforced on endpoints: detected and alerted only." ||
		first["lastUpdatedBy"] != nil || fmt.Sprint(first["rbacGroupIds"]) != "[]" || first["expirationTime"] != "2099-01-01T00:00:00.0000000Z" {
		t.Fatal(a.code, a.body)
	}
	if again := decoded(t, w.do("POST", "/api/v1.0/indicators/", fmt.Sprintf(blocked, " 192.0.2.7", "IpAddress"), all...)); again["id"] != first["id"] || again["lastUpdatedBy"] == nil {
		t.Errorf("%v", again)
	}
	list := func(query string, who []string) []any {
		t.Helper()
		got := decoded(t, w.do("GET", "/api/indicators"+query, "", who...))
		value, _ := got["value"].([]any)
		return value
	}
	if got := list("?$filter=indicatorValue+eq+'192.0.2.7'+and+action+eq+'Block'+and+severity+eq+'High'&", all); len(got) != 1 {
		t.Errorf("%v", got)
	}
	if got := list("?$filter=creationTimeDateTimeUtc+gt+2099-01-01Z", all); len(got) != 0 {
		t.Errorf("%v", got)
	}
	if got := list("", own); len(got) != 0 {
		t.Errorf("another's: %v", got)
	}
	for name, c := range map[string]struct {
		who                []string
		method, path, body string
		code               int
		want               string
	}{
		"hash":             {all, "POST", "", fmt.Sprintf(blocked, "12", "FileSha256"), 400, "InvalidHashValue"},
		"address":          {all, "POST", "", fmt.Sprintf(blocked, "192.0.2.0/24", "IpAddress"), 400, "InvalidIpAddress"},
		"domain":           {all, "POST", "", fmt.Sprintf(blocked, "*.evil.example", "DomainName"), 400, "InvalidDomainName"},
		"url":              {all, "POST", "", fmt.Sprintf(blocked, "ftp://evil.example", "Url"), 400, "InvalidUrl"},
		"nothing":          {all, "POST", "", `{"indicatorType":"Url","action":"Block","title":"t","description":"d"}`, 400, "MissingRequiredParameter"},
		"audit":            {all, "POST", "", strings.Replace(fmt.Sprintf(blocked, "192.0.2.9", "IpAddress"), "Block", "Audit", 1), 400, "InvalidInput"},
		"the server's":     {all, "POST", "", strings.Replace(fmt.Sprintf(blocked, "192.0.2.9", "IpAddress"), "{", `{"createdBy":"x",`, 1), 400, "InvalidRequestBody"},
		"case":             {all, "POST", "", `{"IndicatorValue":"192.0.2.7"}`, 400, "InvalidRequestBody"},
		"another's":        {own, "POST", "", fmt.Sprintf(blocked, "192.0.2.7", "IpAddress"), 403, "Forbidden"},
		"delete another's": {own, "DELETE", "/" + fmt.Sprint(first["id"]), "", 404, "ResourceNotFound"},
		"unknown":          {all, "DELETE", "/4711", "", 404, "ResourceNotFound"},
		"one":              {all, "GET", "/" + fmt.Sprint(first["id"]), "", 200, `"indicatorValue":"192.0.2.7"`},
		"probe":            {own, "POST", "/import", `{"Indicators":[]}`, 200, `"value":[]`},
		"too many":         {all, "POST", "/import", `{"Indicators":[` + strings.Repeat(`{},`, 500) + `{}]}`, 400, "MaximumBatchSizeExceeded"},
		"no ids":           {all, "POST", "/BatchDelete", `{"IndicatorIds":[]}`, 400, "MissingRequiredParameter"},
		"all or none":      {all, "POST", "/BatchDelete", fmt.Sprintf(`{"IndicatorIds":[%q,"4711"]}`, first["id"]), 404, "ResourceNotFound"},
	} {
		if a := w.do(c.method, "/api/indicators"+c.path, c.body, c.who...); a.code != c.code || !strings.Contains(a.body, c.want) {
			t.Errorf("%s: %d %s, want %d %s", name, a.code, a.body, c.code, c.want)
		}
	}
	got := decoded(t, w.do("POST", "/api/indicators/import", `{"Indicators":[`+fmt.Sprintf(blocked, "evil.example", "DomainName")+`,`+fmt.Sprintf(blocked, "x", "FileMd5")+`,{"indicatorValue":7}]}`, own...))
	results, _ := got["value"].([]any)
	if len(results) != 3 {
		t.Fatal(got)
	}
	for i, failed := range []bool{false, true, true} {
		r, _ := results[i].(map[string]any)
		if r["isFailed"] != failed || (r["failureReason"] != nil) != failed || (r["id"] == nil) != failed || (r["enforcement"] == nil) != failed {
			t.Errorf("%d: %v", i, r)
		}
	}
	mine := list("", own)
	if len(mine) != 1 || len(list("", all)) != 2 {
		t.Fatal(mine)
	}
	id := mine[0].(map[string]any)["id"]
	if a := w.do("POST", "/api/indicators/BatchDelete", fmt.Sprintf(`{"IndicatorIds":[%s]}`, id), own...); a.code != 204 || a.body != "" {
		t.Error(a.code, a.body)
	}
	if a := w.do("DELETE", "/api/indicators/"+fmt.Sprint(first["id"]), "", all...); a.code != 204 || len(list("", all)) != 0 {
		t.Error(a.code, a.body)
	}
}
