package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The keys that an entity has in every answer, with the JSON type of its value:
// s text, n number, b flag, l list; a question mark allows null.
var entityKeys = map[string]map[string]string{
	"machine": {"id": "s", "computerDnsName": "s", "firstSeen": "s", "lastSeen": "s", "osPlatform": "s", "osVersion": "s?", "osProcessor": "s?", "version": "s", "osBuild": "n?",
		"osArchitecture": "s?", "onboardingStatus": "s", "lastIpAddress": "s?", "lastExternalIpAddress": "s?", "healthStatus": "s", "rbacGroupName": "s?", "rbacGroupId": "n",
		"riskScore": "s?", "exposureLevel": "s?", "deviceValue": "s?", "aadDeviceId": "s?", "machineTags": "l", "ipAddresses": "l"},
	"machineReference": {"id": "s", "computerDnsName": "s", "osPlatform": "s", "rbacGroupName": "s?", "rbacGroupId": "n"},
	"software":         {"id": "s", "name": "s", "vendor": "s", "weaknesses": "n", "publicExploit": "b", "activeAlert": "b", "exposedMachines": "n", "impactScore": "n"},
	"distribution":     {"version": "s", "installations": "n", "vulnerabilities": "n"},
	"vulnerability": {"id": "s", "name": "s", "description": "s", "severity": "s?", "cvssV3": "n", "cvssVector": "s?", "exposedMachines": "n", "publishedOn": "s?", "updatedOn": "s?",
		"publicExploit": "b", "exploitVerified": "b", "exploitInKit": "b", "exploitTypes": "l", "exploitUris": "l", "cveSupportability": "s", "EPSS": "n?"},
	"machineVulnerability": {"id": "s", "cveId": "s", "machineId": "s", "fixingKbId": "s?", "productName": "s", "productVendor": "s", "productVersion": "s", "severity": "s?"},
}

func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "?"
	case string:
		return "s"
	case float64:
		return "n"
	case bool:
		return "b"
	case []any:
		return "l"
	}
	return fmt.Sprintf("%T", v)
}

// defender is a client of the Defender API at a running server.
type defender struct {
	*rig
	t *testing.T
}

// ask sends a request and returns the status and the decoded body, which is JSON always.
func (d *defender) ask(method, target string) (int, map[string]any) {
	d.t.Helper()
	req, err := http.NewRequest(method, "http://"+d.console+target, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+d.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(raw, &v); err != nil || !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		d.t.Fatalf("%s %s = %d %s: %.200s", method, target, resp.StatusCode, resp.Header.Get("Content-Type"), raw)
	}
	return resp.StatusCode, v
}

// fits holds that an entity has its keys, with values of their types.
func (d *defender) fits(target, entity string, v map[string]any) {
	d.t.Helper()
	for key, want := range entityKeys[entity] {
		got, there := v[key]
		if k := kindOf(got); !there || !strings.Contains(want, k) {
			d.t.Errorf("%s: %s.%s is %v (present: %v), want %s", target, entity, key, got, there, want)
		}
	}
}

// list reads a collection of some entity and returns its ids.
func (d *defender) list(target, entity string) (ids []string) {
	d.t.Helper()
	code, v := d.ask("GET", target)
	rows, ok := v["value"].([]any)
	if code != 200 || !ok || !strings.HasPrefix(fmt.Sprint(v["@odata.context"]), "http://"+d.console+"/api") {
		d.t.Fatalf("%s = %d %v", target, code, v)
	}
	if next, there := v["@odata.nextLink"]; there {
		d.t.Errorf("%s: a next link on the last page: %v", target, next)
	}
	for _, r := range rows {
		row := r.(map[string]any)
		if entity != "" {
			d.fits(target, entity, row)
		}
		ids = append(ids, fmt.Sprint(row["id"]))
	}
	return ids
}

// refused holds that a request is refused with a status and a code in the Defender API's shape.
func (d *defender) refused(method, target string, status int, code string) {
	d.t.Helper()
	got, v := d.ask(method, target)
	e, _ := v["error"].(map[string]any)
	if got != status || e["code"] != code || fmt.Sprint(e["message"]) == "" || fmt.Sprint(e["target"]) == "" {
		d.t.Errorf("%s %s = %d %v, want %d %s", method, target, got, v, status, code)
	}
}

// TestDefenderClient walks every route as programs written for the Defender API do.
func TestDefenderClient(t *testing.T) {
	r := startServer(t)
	tree := filepath.Join(t.TempDir(), "root")
	root(t, tree, statusOf("libssl3 3.0.1-1 openssl", "bash 5.2-1"))
	dir := t.TempDir()
	for name, text := range map[string]string{
		"tracker-2026-06-30.json": tracker,
		"list":                    "[01 Jan 2026] DSA-6000-1 openssl - security update\n\t{CVE-2024-0001}\n\t[bookworm] - openssl 3.0.2-1\n",
		"cve.json": `{"dataType":"CVE_RECORD","dataVersion":"5.1","cveMetadata":{"cveId":"CVE-2024-0001","state":"PUBLISHED","datePublished":"2024-01-02T03:04:05.678Z","dateUpdated":"2024-05-01T00:00:00Z"},
			"containers":{"cna":{"title":"T","descriptions":[{"lang":"en","value":"D."}],"metrics":[{"cvssV3_1":{"version":"3.1","vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H","baseScore":9.8}}]}}}`,
		"epss.csv": "#model_version:v2026.01.01,score_date:2026-06-30T00:00:00Z\ncve,epss,percentile\nCVE-2024-0001,0.123456789,0.98\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	picket(t, "intel", "import", "--data", r.data, dir)
	if out, errText, code := runCode(t, filepath.Join(binaries(t), "picket-agent"), "run", "--server", "https://"+r.agent, "--ca", filepath.Join(r.data, "ca.pem"),
		"--state", filepath.Join(t.TempDir(), "state"), "--root", tree, "--once", "--token", picket(t, "enroll-token", "create", "--data", r.data)); code != 0 {
		t.Fatalf("agent: exit %d: %s%s", code, out, errText)
	}
	d := &defender{r, t}

	ids := d.list("/api/machines", "machine")
	if len(ids) != 1 {
		t.Fatalf("machines = %v", ids)
	}
	id := ids[0]
	one := func(want []string, targets ...string) func(entity string) {
		return func(entity string) {
			t.Helper()
			for _, target := range targets {
				if got := d.list(target, entity); !slices.Equal(got, want) {
					t.Errorf("%s = %v, want %v", target, got, want)
				}
			}
		}
	}
	now := time.Now().UTC()
	one(ids, "/API/V1.0/Machines/?", "/api/machines?$top=10000&", "/api/machines?%24filter=computerDnsName+eq+'ROOTED'", "/api/machines?$filter=healthStatus%20eq%20'Active'&x=y&$expand=z",
		"/api/machines?$filter=startswith(computerDnsName,'root')%20and%20lastSeen%20gt%20"+now.Add(-time.Hour).Format("2006-01-02T15:04:05.0000000Z"),
		"/api/machines?$filter=lastSeen+ge+"+now.AddDate(0, 0, -1).Format("2006-01-02")+"Z&$orderby=lastSeen+desc")("machine")
	for _, p := range []string{"id", "version", "deviceValue", "aadDeviceId", "exposureLevel", "onboardingStatus", "lastIpAddress", "osPlatform", "riskScore"} {
		d.list("/api/machines?$filter="+p+"%20ne%20'x'", "machine")
	}
	one(nil, "/api/machines?$filter=machineTags/any(tag:%20tag%20eq%20'vip')", "/api/machines?$filter=rbacGroupId+eq+7", "/api/machines?$skip=1", "/api/machines/findbytag?tag=vip&useStartsWithFilter=true",
		"/api/machines/findbyip(ip='203.0.113.77',timestamp="+url.PathEscape(now.Format(time.RFC3339))+")")("machine")
	if code, v := d.ask("GET", "/api/machines?$count=true&$top=0&$select=id,version"); code != 200 || v["@odata.count"] != 1.0 || len(v["value"].([]any)) != 0 {
		t.Errorf("$count = %d %v", code, v)
	}
	for _, target := range []string{"/api/machines/" + id, "/api/machines/" + strings.ToUpper(id), "/api/v1.0/machines/rooted", "/api/MACHINES/Rooted/"} {
		code, v := d.ask("GET", target)
		if code != 200 || v["id"] != id || !strings.HasSuffix(fmt.Sprint(v["@odata.context"]), "$metadata#Machines/$entity") {
			t.Errorf("%s = %d %v", target, code, v)
		}
		d.fits(target, "machine", v)
	}

	software, weak := []string{"debian-_-bash", "debian-_-openssl"}, []string{"CVE-2024-0001", "CVE-2024-0003"}
	one(software, "/api/software", "/api/machines/"+id+"/software", "/api/software?$orderby=id", "/api/v1.0/Software?$filter=vendor eq 'debian'")("software")
	one(weak, "/api/vulnerabilities", "/api/machines/"+id+"/vulnerabilities", "/api/software/debian-_-openssl/vulnerabilities", "/api/vulnerabilities?$filter=exposedMachines ge 1")("vulnerability")
	one(ids, "/api/software/debian-_-openssl/machineReferences", "/api/vulnerabilities/CVE-2024-0001/machineReferences", "/api/vulnerabilities/cve-2024-0003/MachineReferences")("machineReference")
	one([]string{"<nil>"}, "/api/software/debian-_-openssl/distributions")("distribution")
	one([]string{id + "-_-CVE-2024-0001-_-debian-_-openssl-_-3.0.1-1-_-DSA-6000-1"}, "/api/vulnerabilities/machinesVulnerabilities?$filter=fixingKbId eq 'DSA-6000-1'",
		"/api/vulnerabilities/machinesvulnerabilities?$filter=severity eq 'Critical' and productName eq 'openssl' and productVendor eq 'debian' and productVersion eq '3.0.1-1'")("machineVulnerability")
	one([]string{id + "-_-CVE-2024-0003-_-debian-_-openssl-_-3.0.1-1-_-"}, "/api/vulnerabilities/machinesVulnerabilities?$skip=1", "/api/vulnerabilities/machinesVulnerabilities?$filter=fixingKbId eq null")("machineVulnerability")
	code, v := d.ask("GET", "/api/vulnerabilities/cve-2024-0001")
	d.fits("CVE-2024-0001", "vulnerability", v)
	if code != 200 || v["id"] != "CVE-2024-0001" || v["name"] != v["id"] || v["cvssV3"] != 9.8 || v["EPSS"] != 0.123456789 || v["publishedOn"] != "2024-01-02T03:04:05.6780000Z" || v["severity"] != "Critical" {
		t.Errorf("CVE-2024-0001 = %d %v", code, v)
	}
	if code, v = d.ask("GET", "/api/software/debian-_-openssl"); code != 200 || v["weaknesses"] != 2.0 || v["exposedMachines"] != 1.0 {
		t.Errorf("openssl = %d %v", code, v)
	}

	for _, prefix := range []string{"/api", "/api/v1.0"} {
		for _, target := range []string{"/machines/" + strings.Repeat("0", 40), "/machines/nobody", "/machines/nobody/software", "/machines/nobody/vulnerabilities", "/software/debian-_-nothing", "/software/x/distributions",
			"/software/x/machineReferences", "/software/x/vulnerabilities", "/vulnerabilities/CVE-1999-9999", "/vulnerabilities/CVE-1999-9999/machineReferences"} {
			d.refused("GET", prefix+target, 404, "ResourceNotFound")
		}
		d.refused("GET", prefix+"/nothing", 404, "NotFound")
		d.refused("DELETE", prefix+"/machines", 404, "NotFound")
		for _, target := range []string{"/machines?$filter=computerDnsName", "/machines?$filter=nothing eq 1", "/software?$filter=(name eq 'x'", "/vulnerabilities?$orderby=nothing", "/vulnerabilities?$filter=cvssV3 gt 'x'",
			"/vulnerabilities/machinesVulnerabilities?$select=nothing", "/machines/" + id + "/software?$top=x", "/machines/" + id + "/vulnerabilities?$skip=-1"} {
			d.refused("GET", prefix+target, 400, "ODataError")
		}
		d.refused("GET", prefix+"/machines/findbyip(ip='10.0.0.300',timestamp=2026-01-01T00:00:00Z)", 400, "InvalidIpAddress")
		d.refused("GET", prefix+"/machines/findbyip(ip='10.0.0.3',timestamp=2020-01-01T00:00:00Z)", 400, "InvalidInput")
		d.refused("GET", prefix+"/machines/findbytag", 400, "MissingRequiredParameter")
	}
	d.permissions()
}

// permissions holds that an application reaches what it was given, and that
// tokens come by both addresses in every form that clients send.
func (d *defender) permissions() {
	d.t.Helper()
	var app struct{ TenantID, ClientID, ClientSecret string }
	if err := json.Unmarshal([]byte(picket(d.t, "app", "create", "--data", d.data, "--name", "narrow", "--permission", "Software.Read.All")), &app); err != nil {
		d.t.Fatal(err)
	}
	post := func(path, contentType, form string, basic bool) (int, map[string]any) {
		d.t.Helper()
		req, err := http.NewRequest(http.MethodPost, "http://"+d.console+"/"+path, strings.NewReader(form))
		if err != nil {
			d.t.Fatal(err)
		}
		if contentType != "" {
			req.Header.Set("Content-Type", contentType)
		}
		if basic {
			req.SetBasicAuth(app.ClientID, app.ClientSecret)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			d.t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		var v map[string]any
		if err := json.NewDecoder(resp.Body).Decode(&v); err != nil {
			d.t.Fatal(err)
		}
		return resp.StatusCode, v
	}
	const grant, form = "grant_type=client_credentials", "application/x-www-form-urlencoded"
	own := "&client_id=" + app.ClientID + "&client_secret=" + app.ClientSecret
	for _, tt := range []struct {
		path, contentType, form string
		basic                   bool
		code                    int
		fault                   string
	}{
		{app.TenantID + "/oauth2/token", form, grant + own + "&resource=https%3A%2F%2Fapi.securitycenter.microsoft.com", false, 200, ""},
		{app.TenantID + "/oauth2/v2.0/token", "", grant + own + "&scope=https%3A%2F%2Fapi.securitycenter.microsoft.com%2F.default", false, 200, ""},
		{app.TenantID + "/oauth2/v2.0/token", form, grant + "&scope=x/.default", true, 200, ""},
		{app.TenantID + "/oauth2/v2.0/token", form, grant + "&client_id=" + app.ClientID + "&client_secret=wrong", false, 401, "invalid_client"},
		{app.TenantID + "/oauth2/v2.0/token", form, "grant_type=password" + own, false, 400, "unsupported_grant_type"},
		{app.TenantID + "/oauth2/v2.0/token", form, own[1:], false, 400, "invalid_request"},
		{app.TenantID + "/oauth2/v2.0/token", form, grant + own + "&scope=User.Read", false, 400, "invalid_scope"},
		{"nobody/oauth2/token", form, grant + own, false, 400, "invalid_request"},
	} {
		code, v := post(tt.path, tt.contentType, tt.form, tt.basic)
		if tt.code != 200 {
			if code != tt.code || v["error"] != tt.fault || v["error_description"] == nil {
				d.t.Errorf("%s %s = %d %v, want %d %s", tt.path, tt.form, code, v, tt.code, tt.fault)
			}
			continue
		}
		token, _ := v["access_token"].(string)
		if code != 200 || v["token_type"] != "Bearer" || v["expires_in"] != 3599.0 || len(token) < 20 {
			d.t.Fatalf("%s %s = %d %v", tt.path, tt.form, code, v)
		}
		d.token = token
		d.list("/api/software", "software")
		d.refused("GET", "/api/machines", 403, "Forbidden")
		d.refused("GET", "/api/software/debian-_-openssl/vulnerabilities", 403, "Forbidden")
		d.refused("GET", "/api/nothing", 404, "NotFound")
	}
	d.token = d.token[:len(d.token)-8] + "AAAAAAAA"
	d.refused("GET", "/api/software", 401, "Unauthorized")
	d.refused("GET", "/api/nothing", 401, "Unauthorized")
}
