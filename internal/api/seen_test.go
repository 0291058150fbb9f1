package api

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/picketsec/picket/internal/server"
)

// What programs get to know of files, addresses, hosts and users: keys, kinds of
// values, codes of ids that are none.
func TestSeen(t *testing.T) {
	w := newWorld(t)
	hash := strings.Repeat("a", 40)
	get := func(target string, permission string) map[string]any {
		t.Helper()
		a := w.send(w.request("GET", target, "", w.app(permission)...))
		var m map[string]any
		if err := json.Unmarshal([]byte(a.body), &m); err != nil || a.code != 200 {
			t.Fatalf("%s = %d %s", target, a.code, a.body)
		}
		return m
	}
	f := get("/api/v1.0/Files/"+hash, server.FileRead)
	for key, want := range map[string]any{"sha1": "a", "sha256": nil, "globalPrevalence": 2.0, "size": 7.0, "determinationType": "Unknown", "determinationValue": "", "isPeFile": false, "signer": nil} {
		if got, ok := f[key]; !ok || got != want {
			t.Errorf("file: %s is %v, want %v", key, got, want)
		}
	}
	if f["globalFirstObserved"] == nil || !strings.HasSuffix(f["@odata.context"].(string), "#Files/$entity") {
		t.Errorf("file: %v", f)
	}
	for target, permission := range map[string]string{"/api/files/" + hash + "/stats": server.FileRead, "/api/ips/192.0.2.1/stats": server.AddressRead, "/api/domains/Example.com/stats?lookBackHours=24": server.URLRead} {
		m := get(target, permission)
		if m["orgPrevalence"] != "2" || m["orgFirstSeen"] == nil || m["orgLastSeen"] == nil {
			t.Errorf("%s: %v", target, m)
		}
		if names, ok := m["topFileNames"].([]any); !ok || len(names) != 1 { // the nameless one is left out
			t.Errorf("%s: names %v", target, m["topFileNames"])
		}
	}
	if m := get("/api/domains/nobody/stats", server.URLRead); m["orgPrevalence"] != "0" || m["orgFirstSeen"] != nil || len(m["topFileNames"].([]any)) != 0 {
		t.Errorf("of a host that nobody met: %v", m)
	}
	for _, target := range []string{"/api/files/" + hash + "/machines", "/api/domains/example.com/machines", "/api/users/CORP%5Calice/machines"} {
		rows := get(target, server.MachineRead)["value"].([]any)
		if len(rows) != 1 || rows[0].(map[string]any)["id"] != string(deviceID(1)) {
			t.Errorf("%s: %v", target, rows)
		}
	}
	u := get("/api/machines/"+string(deviceID(1))+"/logonusers", server.AccountRead)["value"].([]any)[0].(map[string]any)
	if u["id"] != poison+`\`+poison || u["logonTypes"] != "Network" || u["isOnlyNetworkUser"] != true || u["firstSeen"] == nil {
		t.Errorf("user: %v", u)
	}
	for target, want := range map[string]string{"/api/files/none": "InvalidHashValue", "/api/files/none/stats": "InvalidHashValue", "/api/domains/none/stats": "InvalidDomainName",
		"/api/ips/none/stats": "InvalidIpAddress", "/api/ips/192.0.2.1/stats?lookBackHours=x": "InvalidInput", "/api/files/none/machines": "InvalidHashValue",
		"/api/files/none/alerts": "InvalidHashValue", "/api/domains/none/alerts": "InvalidDomainName", "/api/ips/none/alerts": "InvalidIpAddress"} {
		a := w.send(w.request("GET", target, "", w.app()...))
		if a.code != 400 || !strings.Contains(a.body, `"code":"`+want+`"`) {
			t.Errorf("%s = %d %s, want %s", target, a.code, a.body, want)
		}
	}
	if a := w.send(w.request("GET", "/api/files/nobody", "", w.app()...)); a.code != 404 || !strings.Contains(a.body, "ResourceNotFound") {
		t.Errorf("unknown file: %d %s", a.code, a.body)
	}
}
