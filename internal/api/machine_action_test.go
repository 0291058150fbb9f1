package api

import (
	"encoding/json"
	"strings"
	"testing"
)

// The routes of response actions, as programs of the Defender API use them.
func TestMachineActionsOfTheDefenderAPI(t *testing.T) {
	w := newWorld(t)
	app := append(w.app(), "Content-Type", "application/json")
	machine := "/api/machines/" + string(deviceID(1))
	for _, tt := range []struct {
		path, body string
		code       int
		says       string
	}{
		{"/isolate", `{"Comment":"c","IsolationType":"Full"}`, 201, `"status":"Pending"`},
		{"/ISOLATE/", `{"Comment":"c","IsolationType":"full"}`, 201, `"requestorComment":"c"`},
		{"/isolate", `{"Comment":"c","IsolationType":"Selective"}`, 400, "Linux has full isolation only"},
		{"/isolate", `{"Comment":"c","IsolationType":"UnManagedDevice"}`, 400, "OsPlatformNotSupported"},
		{"/isolate", `{"Comment":"c"}`, 400, "MissingRequiredParameter"},
		{"/isolate", `{"Comment":"c","IsolationType":"Some"}`, 400, "InvalidInput"},
		{"/isolate", `{"IsolationType":"Full"}`, 400, "The property Comment is missing"},
		{"/isolate", `{"comment":"c","IsolationType":"Full"}`, 400, "InvalidRequestBody"},
		{"/unisolate", `{"Comment":"c"}`, 201, `"status":"Pending"`},
		{"/unisolate", `{"Comment":"c","IsolationType":"Full"}`, 400, "InvalidRequestBody"},
		{"/runAntiVirusScan", `{"Comment":"c","ScanType":"quick"}`, 201, `"scope":"Quick"`},
		{"/runAntiVirusScan", `{"Comment":"c","ScanType":"Deep"}`, 400, "neither Quick nor Full"},
		{"/runAntiVirusScan", `{"Comment":"c"}`, 400, "MissingRequiredParameter"},
		{"/collectInvestigationPackage", `{"Comment":"c","ExternalId":"x"}`, 201, `"commands":[]`},
		{"/collectInvestigationPackage", `{"Comment":"busy"}`, 400, `{"error":{"code":"ActiveRequestAlreadyExists","message":"Action is already in progress"`},
		{"/collectInvestigationPackage", `{"Comment":"unable"}`, 400, `"code":"OsPlatformNotSupported"`},
		{"/collectInvestigationPackage", `{"Comment":"old"}`, 400, `"code":"ClientVersionNotSupported"`},
		{"/collectInvestigationPackage", `{"Comment":"locked"}`, 403, `"code":"DisallowedOperation"`},
	} {
		if a := w.do("POST", machine+tt.path, tt.body, app...); a.code != tt.code || !strings.Contains(a.body, tt.says) {
			t.Errorf("%s %s = %d %s; want %d with %s", tt.path, tt.body, a.code, a.body, tt.code, tt.says)
		}
	}
	if a := w.do("POST", "/api/x/devices/"+string(deviceID(1))+"/actions", `{"kind":"collect","comment":"busy"}`, app...); a.code != 409 || !strings.Contains(a.body, "Action is already in progress") {
		t.Errorf("on the console = %d %s", a.code, a.body)
	}
	for target, says := range map[string]string{
		"/api/MachineActions?$filter=status eq 'Succeeded' and type eq 'CollectInvestigationPackage'": `"machineId":"` + string(deviceID(1)),
		"/api/v1.0/machineactions?$filter=creationDateTimeUtc gt 2026-02-01Z":                         `"value":[]`,
		"/api/machineactions?$filter=requestor eq 'nobody'":                                           `"value":[]`,
	} {
		if a := w.do("GET", strings.ReplaceAll(target, " ", "%20"), "", app...); a.code != 200 || !strings.Contains(a.body, says) || strings.Contains(a.body, "nextLink") {
			t.Errorf("%s = %d %s", target, a.code, a.body)
		}
	}
	if a := w.do("GET", "/api/machineactions/"+strings.Repeat("0", 36), "", app...); a.code != 404 || !strings.Contains(a.body, "ResourceNotFound") {
		t.Errorf("no such action = %d %s", a.code, a.body)
	}

	// The link is absolute, works without a token, saves a file, and no other does.
	a := w.do("GET", "/api/machineactions/"+actionID+"/getPackageUri", "", app...)
	var link struct{ Value string }
	if err := json.Unmarshal([]byte(a.body), &link); err != nil || a.code != 200 || !strings.HasPrefix(link.Value, "http") {
		t.Fatalf("%d %s, %v", a.code, a.body, err)
	}
	path := link.Value[strings.Index(link.Value, "/packages/"):]
	if a = w.do("GET", path, ""); a.code != 200 || a.body != "PK!" || !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment; filename=") || a.header.Get("Content-Type") != "application/zip" {
		t.Errorf("the link = %d %q %v", a.code, a.body, a.header)
	}
	if a = w.do("GET", "/packages/bad/package.zip", ""); a.code != 404 {
		t.Errorf("another link = %d %s", a.code, a.body)
	}
	if a = w.do("POST", path, ""); a.code != 404 {
		t.Errorf("a post to the link = %d", a.code)
	}
	if a = w.do("GET", "/api/x/machine-actions/"+actionID+"/package", "", app...); a.code != 200 || a.body != "PK!" || a.header.Get("Content-Length") != "3" {
		t.Errorf("download = %d %q %v", a.code, a.body, a.header)
	}
}
