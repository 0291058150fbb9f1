package api

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/picketsec/picket/internal/server"
)

// exportPage is a page of a by-machine export as a client reads it.
type exportPage struct {
	Generated string           `json:"generatedTime"`
	Value     []map[string]any `json:"value"`
	Next      *string          `json:"@odata.nextLink"`
	Files     []string         `json:"exportFiles"`
	Manifest  []struct {
		URL  string `json:"url"`
		Rows int    `json:"rows"`
		Hash string `json:"sha256"`
	} `json:"files"`
}

func readPage(t *testing.T, srv *httptest.Server, auth []string, target string) (*http.Response, exportPage) {
	t.Helper()
	resp, body := fetchExport(t, srv, auth, target)
	var p exportPage
	if err := json.Unmarshal([]byte(body), &p); err != nil || resp.StatusCode != 200 {
		t.Fatalf("%s = %d %v: %s", target, resp.StatusCode, err, body)
	}
	sum := sha256.Sum256([]byte(body))
	if len(p.Files) == 0 && (resp.Trailer.Get(trailerRows) != strconv.Itoa(len(p.Value)) || resp.Trailer.Get(trailerHash) != hex.EncodeToString(sum[:])) {
		t.Errorf("%s: trailers %v", target, resp.Trailer)
	}
	return resp, p
}

// The rows have the members that api.md names, each always there.
func TestByMachineRows(t *testing.T) {
	w := newWorld(t)
	srv := httptest.NewServer(w.h)
	defer srv.Close()
	auth := w.app()
	device := map[string]any{"deviceId": string(deviceID(1)), "deviceName": "srv-01.corp.example", "rbacGroupName": "Servers", "rbacGroupId": 7.0, "osPlatform": "Linux"}
	system := map[string]any{"osVersion": "debian_12", "osArchitecture": "64-bit"}
	soft := map[string]any{"softwareVendor": "debian", "softwareName": "openssl", "softwareVersion": "1:3.0.15-1"}
	vuln := map[string]any{"id": string(deviceID(1)) + "_debian-_-openssl_1:3.0.15-1_CVE-2024-1000_", "cveId": "CVE-2024-1000", "vulnerabilitySeverityLevel": "Critical",
		"cvssScore": 9.8, "exploitabilityLevel": "ExploitIsVerified", "recommendedSecurityUpdate": "1:3.0.17-1", "recommendedSecurityUpdateId": "DSA-5764-1",
		"recommendedSecurityUpdateUrl": "https://security-tracker.debian.org/tracker/DSA-5764-1", "securityUpdateAvailable": true,
		"recommendationReference": "va-_-debian-_-openssl", "diskPaths": []any{"/opt/" + poison}, "registryPaths": []any{},
		"firstSeenTimestamp": "2026-01-02 02:04:05", "lastSeenTimestamp": "2026-01-02 03:04:05"}
	join := func(parts ...map[string]any) map[string]any {
		out := map[string]any{}
		for _, p := range parts {
			for k, v := range p {
				out[k] = v
			}
		}
		return out
	}
	for target, want := range map[string][]map[string]any{
		"SoftwareVulnerabilitiesByMachine": {join(device, system, soft, vuln), join(device, system, soft, map[string]any{
			"id": string(deviceID(1)) + "_debian-_-openssl_1:3.0.15-1_CVE-2024-2000_", "cveId": "CVE-2024-2000", "vulnerabilitySeverityLevel": nil, "cvssScore": nil,
			"exploitabilityLevel": "NoExploit", "recommendedSecurityUpdate": nil, "recommendedSecurityUpdateId": nil, "recommendedSecurityUpdateUrl": nil,
			"securityUpdateAvailable": false, "recommendationReference": "va-_-debian-_-openssl", "diskPaths": []any{}, "registryPaths": []any{},
			"firstSeenTimestamp": "2026-01-02 02:04:05", "lastSeenTimestamp": "2026-01-02 03:04:05"})},
		"SoftwareVulnerabilityChangesByMachine?sinceTime=2026-01-01T00:00:00Z&pageSize=1": {join(device, system, soft, vuln,
			map[string]any{"status": "Fixed", "eventTimestamp": "2026-01-02 03:04:05", "isOnboarded": true})},
		"SoftwareInventoryByMachine": {join(device, soft, map[string]any{"numberOfWeaknesses": 2.0, "diskPaths": []any{}, "registryPaths": []any{},
			"softwareFirstSeenTimestamp": "2026-01-02 03:04:05", "endOfSupportStatus": "None", "endOfSupportDate": nil}),
			join(device, map[string]any{"softwareVendor": poison, "softwareName": "node", "softwareVersion": "18", "numberOfWeaknesses": 0.0, "diskPaths": []any{},
				"registryPaths": []any{}, "softwareFirstSeenTimestamp": nil, "endOfSupportStatus": "EOS Version", "endOfSupportDate": "2025-04-30"})},
		"SoftwareInventoryNoProductCodeByMachine": {join(device, soft, map[string]any{"numberOfWeaknesses": 2.0, "diskPaths": []any{}, "registryPaths": []any{},
			"softwareFirstSeenTimestamp": "2026-01-02 03:04:05", "endOfSupportStatus": "None", "endOfSupportDate": nil})},
		"SecureConfigurationsAssessmentByMachine": {join(device, system, map[string]any{"timestamp": "2026-01-02 03:04:05", "isApplicable": false, "isCompliant": false})},
	} {
		_, p := readPage(t, srv, auth, "/api/machines/"+target)
		for i := range want {
			got := p.Value[i]
			if strings.HasPrefix(target, "Secure") {
				for _, k := range []string{"configurationId", "configurationCategory", "configurationSubcategory", "configurationImpact", "configurationName", "isExpectedUserImpact", "recommendationReference"} {
					if _, ok := got[k]; !ok {
						t.Errorf("%s lacks %s", target, k)
					}
					delete(got, k)
				}
			}
			if diff := cmp.Diff(want[i], got); diff != "" {
				t.Errorf("%s, row %d (-want +got):\n%s", target, i, diff)
			}
		}
	}
}

// Pages hold every row once, show one moment, and the last one has no link.
func TestByMachinePages(t *testing.T) {
	w := newWorld(t)
	srv := httptest.NewServer(w.h)
	defer srv.Close()
	auth := w.app()
	for _, route := range []string{"/api/machines/SoftwareVulnerabilitiesByMachine?", "/api/v1.0/MACHINES/softwareVulnerabilityChangesByMachine?sinceTime=2026-01-01&",
		"/api/machines/SoftwareInventoryNoProductCodeByMachine?"} {
		_, whole := readPage(t, srv, auth, route)
		for size := 1; size <= len(whole.Value)+1; size++ {
			var all []map[string]any
			target := route + "pageSize=" + strconv.Itoa(size)
			for pages := 0; target != ""; pages++ {
				_, p := readPage(t, srv, auth, target)
				if target = ""; p.Next != nil {
					if !strings.HasPrefix(*p.Next, srv.URL) || len(p.Value) != size {
						t.Fatalf("page of %d: %d rows, next %q", size, len(p.Value), *p.Next)
					}
					target = strings.TrimPrefix(*p.Next, srv.URL)
				}
				if all = append(all, p.Value...); pages > len(whole.Value) {
					t.Fatal("the pages do not end")
				}
				if pages > 0 && strings.Contains(route, "Vuln") && !w.fake.exported.At.Equal(asOf.Truncate(1000)) {
					t.Errorf("a later page shows %v", w.fake.exported.At)
				}
			}
			if diff := cmp.Diff(whole.Value, all); diff != "" {
				t.Errorf("%s in pages of %d (-want +got):\n%s", route, size, diff)
			}
		}
		_, p := readPage(t, srv, auth, route+"pageSize=2&pageIndex=2")
		_, top := readPage(t, srv, auth, route+"$top=2")
		if len(whole.Value) > 3 && !cmp.Equal(p.Value, whole.Value[2:4]) || !cmp.Equal(top.Value, whole.Value[:2]) || top.Next != nil {
			t.Errorf("%s: pageIndex or $top: %v, %v, %v", route, p.Value, top.Value, top.Next)
		}
	}
	for target, code := range map[string]string{
		"SoftwareVulnerabilityChangesByMachine":                          "MissingRequiredParameter",
		"SoftwareVulnerabilityChangesByMachine?sinceTime=yesterday":      "InvalidInput",
		"SoftwareVulnerabilitiesByMachine?pageSize=0":                    "InvalidInput",
		"SoftwareVulnerabilitiesByMachine?$skiptoken=x":                  "ODataError",
		"SoftwareVulnerabilitiesExport?sasValidHours=7":                  "InvalidInput",
		"SoftwareVulnerabilitiesByMachine?$skiptoken=eyJ0IjoxLCJzIjoxfQ": "ODataError", // of a delta
	} {
		if a := w.do("GET", "/api/machines/"+target, "", auth...); a.code != 400 || !strings.Contains(a.body, `"`+code+`"`) {
			t.Errorf("%s = %d %s, want %s", target, a.code, a.body, code)
		}
	}
}

// An export that fails ends its connection where rows were sent, and is an
// error where none were.
func TestByMachineFails(t *testing.T) {
	for device, clean := range map[int]bool{1: true, 2: false} {
		w := newWorld(t) // each its own: what answers may still be at it when the connection has ended
		srv := httptest.NewServer(w.h)
		defer srv.Close()
		auth := w.app()
		w.fake.broken = device
		r, err := http.NewRequestWithContext(t.Context(), "GET", srv.URL+"/api/machines/SoftwareVulnerabilitiesByMachine", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(auth[0], auth[1])
		resp, err := srv.Client().Do(r)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			_ = resp.Body.Close()
		}
		if (err == nil) != clean || clean && resp.StatusCode != 500 {
			t.Errorf("failure at device %d: %v, %v", device, resp, err)
		}
	}
	w := newWorld(t)
	w.fake.broken = 1
	auth := w.app()
	if a := w.do("GET", "/api/machines/SoftwareVulnerabilitiesExport", "", auth...); a.code != 500 {
		t.Errorf("files of an export that fails = %d %s", a.code, a.body)
	}
}

// Files are gzip of JSON lines, served to whoever has the address, and to nobody else.
func TestExportFiles(t *testing.T) {
	w := newWorld(t)
	srv := httptest.NewServer(w.h)
	defer srv.Close()
	auth := w.app()
	_, whole := readPage(t, srv, auth, "/api/machines/SoftwareVulnerabilitiesByMachine")
	_, files := readPage(t, srv, auth, "/api/machines/SoftwareVulnerabilitiesExport?sasValidHours=2")
	if len(files.Files) != 1 || len(files.Manifest) != 1 || files.Manifest[0].URL != files.Files[0] || !strings.HasPrefix(files.Files[0], srv.URL+"/export-files/") {
		t.Fatalf("%+v", files)
	}
	get := func(url string) (*http.Response, []byte) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", "identity")
		resp, err := srv.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, body
	}
	resp, packed := get(files.Files[0])
	if resp.StatusCode != 200 || resp.Header.Get("Content-Disposition") != `attachment; filename="software-vulnerabilities-20260102-030405-1.json.gz"` ||
		resp.Header.Get("Content-Type") != "application/gzip" || resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	z, err := gzip.NewReader(strings.NewReader(string(packed)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]any
	for line := range strings.Lines(string(text)) {
		var row map[string]any
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	sum := sha256.Sum256(text)
	if diff := cmp.Diff(whole.Value, rows); diff != "" || files.Manifest[0].Rows != len(rows) || files.Manifest[0].Hash != hex.EncodeToString(sum[:]) {
		t.Errorf("manifest %+v, rows (-want +got):\n%s", files.Manifest[0], diff)
	}
	secret := strings.Split(strings.TrimPrefix(files.Files[0], srv.URL+"/export-files/"), "/")
	if len(secret[0]) < 50 {
		t.Errorf("the secret %q is short", secret[0])
	}
	for _, path := range []string{"", "x/" + secret[1], secret[0], secret[0] + "/", secret[0] + "/x.json.gz", secret[0] + "/../" + secret[1], secret[0] + "/%2e%2e", strings.ToLower(secret[0]) + "/" + secret[1]} {
		if resp, _ := get(srv.URL + "/export-files/" + path); resp.StatusCode != 404 {
			t.Errorf("%q = %d", path, resp.StatusCode)
		}
	}
	if a := w.do("GET", "/api/machines/SoftwareInventoryExport", "", w.app(server.VulnerabilityRead)...); a.code != 403 {
		t.Errorf("without the permission = %d", a.code)
	}
}
