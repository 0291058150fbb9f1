package api

import (
	"fmt"
	"strings"
	"testing"
)

// Bodies of the Defender API: keys are case-sensitive, unknown ones and what is no
// object are refused, annotations of OData are passed over, lists are bounded.
func TestDefenderBodies(t *testing.T) {
	w := newWorld(t)
	app := append(w.app(), "Content-Type", "application/json")
	machine := "/api/machines/" + string(deviceID(1))
	ids := func(n int) string { return strings.TrimSuffix(strings.Repeat(`"`+string(deviceID(1))+`",`, n), ",") }
	for _, tt := range []struct{ method, target, body, key, wrong string }{
		{"POST", machine + "/tags", `{"Value":"x","Action":"Add"}`, "Value", "value"},
		{"POST", "/api/machines/AddOrRemoveTagForMultipleMachines", `{"Value":"x","Action":"Add","MachineIds":[` + ids(1) + `]}`, "MachineIds", "machineIds"},
		{"POST", machine + "/setDeviceValue", `{"DeviceValue":"High"}`, "DeviceValue", "deviceValue"},
		{"PATCH", machine, `{"deviceValue":"High"}`, "deviceValue", "DeviceValue"},
		{"PATCH", "/api/alerts/da637-1", `{"status":"Resolved"}`, "status", "Status"},
		{"POST", "/api/alerts/batchUpdate", `{"alertIds":["da637-1"],"status":"Resolved"}`, "alertIds", "AlertIds"},
		{"POST", "/api/alerts/CreateAlertByReference", `{"machineId":"` + string(deviceID(1)) + `","severity":"Low","title":"t","description":"d","recommendedAction":"r","eventTime":"2026-01-01T00:00:00Z","reportId":"1","category":"Exploit"}`, "machineId", "MachineId"},
	} {
		if a := w.do(tt.method, tt.target, tt.body, app...); a.code >= 300 {
			t.Errorf("%s %s %s = %d %s", tt.method, tt.target, tt.body, a.code, a.body)
		}
		if a := w.do(tt.method, tt.target, `{"@odata.type":"x",`+tt.body[1:], app...); a.code >= 300 {
			t.Errorf("%s %s with an annotation = %d %s", tt.method, tt.target, a.code, a.body)
		}
		for what, body := range map[string]string{
			"another case": strings.Replace(tt.body, `"`+tt.key+`"`, `"`+tt.wrong+`"`, 1), "an unknown key": `{"nothing":1,` + tt.body[1:], "two objects": tt.body + tt.body, "a list": "[" + tt.body + "]",
			"no object": `"x"`, "nothing": "", "another type": fmt.Sprintf(`{%q:{"a":1}}`, tt.key), "too much": tt.body[:len(tt.body)-1] + strings.Repeat(" ", 300<<10) + "}",
		} {
			if a := w.do(tt.method, tt.target, body, app...); a.code != 400 || !strings.Contains(a.body, `"code":"InvalidRequestBody"`) {
				t.Errorf("%s %s, %s = %d %s", tt.method, tt.target, what, a.code, a.body)
			}
		}
	}
	for target, body := range map[string]string{
		"/api/machines/AddOrRemoveTagForMultipleMachines": `{"Value":"x","Action":"Add","MachineIds":[` + ids(501) + `]}`,
		"/api/alerts/batchUpdate":                         `{"status":"New","alertIds":[` + ids(1001) + `]}`,
	} {
		if a := w.do("POST", target, body, app...); a.code != 400 || !strings.Contains(a.body, `"code":"MaximumBatchSizeExceeded"`) || !strings.Contains(a.body, "01 entries, at most ") {
			t.Errorf("%s = %d %s", target, a.code, a.body)
		}
	}
}
