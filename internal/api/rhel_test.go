package api

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/picketsec/picket/internal/server"
)

// TestRedHatAsTheDefenderAPIHasIt is a host of Red Hat Enterprise Linux with a
// flaw in its kernel: its system, software, update and recommendation have the
// names that the Defender API documents for it, in every answer that has them;
// and where there are no device groups, their name is "None".
func TestRedHatAsTheDefenderAPIHasIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openServer(t, dir)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	e := &estate{world: &world{t: t, apps: map[string][]string{}, h: New(Options{Server: s, Log: discard()})}, s: s, admin: server.Caller{Name: "boss", Admin: true}}
	file := filepath.Join(t.TempDir(), "RHSA-2024_8617.json")
	if err := os.WriteFile(file, []byte(`{"id":"RHSA-2024:8617","modified":"2024-10-30T00:00:00Z","published":"2024-10-30T00:00:00Z","related":["CVE-2024-26898"],"summary":"kernel security update","affected":[
		{"package":{"ecosystem":"Red Hat:enterprise_linux:9::baseos","name":"kernel-core"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"0:5.14.0-427.44.1.el9_4"}]}]},
		{"package":{"ecosystem":"Red Hat:enterprise_linux:9::baseos","name":"kernel"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"0:5.14.0-427.44.1.el9_4"}]}]}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	args, err := json.Marshal(server.IntelImportArgs{Paths: []string{file}})
	if err == nil {
		_, err = s.Admin(t.Context(), "intel import", args, func(server.Progress) {})
	}
	if err != nil {
		t.Fatal(err)
	}
	secret, _, err := s.CreateToken(t.Context(), e.admin, "n", 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	asJSON := []string{"Content-Type", "application/json"}
	a := e.askAgents("POST", "/api/osquery/enroll", `{"enroll_secret":"`+secret+`","host_identifier":"h","platform_type":"9","host_details":{"os_version":{"name":"Red Hat Enterprise Linux","version":"9.4 (Plow)",
		"major":"9","minor":"4","platform":"rhel","platform_like":"fedora","arch":"x86_64"},"system_info":{"hostname":"rhel-1"}}}`, asJSON...)
	var node struct {
		NodeKey string `json:"node_key"`
	}
	if err := json.Unmarshal([]byte(a.body), &node); err != nil || node.NodeKey == "" {
		t.Fatalf("enrol = %d %s", a.code, a.body)
	}
	a = e.askAgents("POST", "/api/osquery/distributed/write", `{"node_key":"`+node.NodeKey+`","queries":{"picket_kernel":[{"version":"5.14.0-427.42.1.el9_4.x86_64"}],"picket_rpm":[
		{"name":"kernel-core","version":"5.14.0","release":"427.42.1.el9_4","epoch":"0","source":"kernel-5.14.0-427.42.1.el9_4.src.rpm","arch":"x86_64","vendor":"Red Hat, Inc.","install_time":"1700000000"}]},
		"statuses":{"picket_kernel":0,"picket_rpm":0}}`, asJSON...)
	if a.code != 200 {
		t.Fatalf("packages = %d %s", a.code, a.body)
	}
	_, client, app, err := s.CreateApp(t.Context(), "reader", nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.IssueToken(t.Context(), "http://picket.test", client, app)
	if err != nil {
		t.Fatal(err)
	}
	rows := func(target string) []map[string]any {
		t.Helper()
		a := e.do("GET", target, "", bearer(token.Token)...)
		var list struct{ Value []map[string]any }
		if err := json.Unmarshal([]byte(a.body), &list); err != nil || a.code != 200 || len(list.Value) != 1 {
			t.Fatalf("%s = %d %.500s, want one row", target, a.code, a.body)
		}
		return list.Value
	}
	has := func(what string, row map[string]any, want map[string]any) {
		t.Helper()
		for name, v := range want {
			if got, there := row[name]; !there || fmt.Sprint(got) != fmt.Sprint(v) {
				t.Errorf("%s: %s is %v, want %v", what, name, got, v)
			}
		}
	}
	machine := rows("/api/machines")[0]
	has("machine", machine, map[string]any{"osPlatform": "RedHatEnterpriseLinux", "rbacGroupName": "None", "computerDnsName": "rhel-1", "osArchitecture": "64-bit"})
	id := fmt.Sprint(machine["id"])
	const installed, erratum, page = "5.14.0-427.42.1.el9_4", "RHSA-2024:8617", "https://access.redhat.com/errata/RHSA-2024:8617"
	for _, target := range []string{"/api/software", "/api/machines/" + id + "/software", "/api/recommendations/va-_-red_hat-_-kernel/software"} {
		if strings.HasSuffix(target, "kernel/software") { // it is one
			a := e.do("GET", target, "", bearer(token.Token)...)
			if a.code != 200 || !strings.Contains(a.body, `"id":"red_hat-_-kernel"`) {
				t.Errorf("%s = %d %.300s", target, a.code, a.body)
			}
			continue
		}
		has(target, rows(target)[0], map[string]any{"id": "red_hat-_-kernel", "name": "kernel", "vendor": "red_hat", "weaknesses": 1})
	}
	has("recommendation", rows("/api/recommendations")[0], map[string]any{"id": "va-_-red_hat-_-kernel", "vendor": "red_hat", "productName": "kernel", "remediationType": "Update", "recommendationCategory": "Application"})
	has("vulnerability of a machine", rows("/api/vulnerabilities/machinesVulnerabilities")[0], map[string]any{"id": id + "-_-CVE-2024-26898-_-red_hat-_-kernel-_-" + installed + "-_-" + erratum,
		"productVendor": "red_hat", "productName": "kernel", "productVersion": installed, "fixingKbId": erratum})
	has("reference", rows("/api/vulnerabilities/CVE-2024-26898/machineReferences")[0], map[string]any{"id": id, "osPlatform": "RedHatEnterpriseLinux", "rbacGroupName": "None"})
	has("missing update", rows("/api/machines/" + id + "/getmissingkbs")[0], map[string]any{"id": erratum, "url": page})
	exported := map[string]any{"deviceId": id, "osPlatform": "Linux", "osVersion": "enterprise_linux_9.4", "rbacGroupName": "None", "softwareVendor": "red_hat", "softwareName": "kernel", "softwareVersion": installed,
		"cveId": "CVE-2024-26898", "recommendedSecurityUpdateId": erratum, "recommendedSecurityUpdateUrl": page, "recommendationReference": "va-_-red_hat-_-kernel", "securityUpdateAvailable": true}
	has("by machine", rows("/api/machines/SoftwareVulnerabilitiesByMachine")[0], exported)
	has("inventory by machine", rows("/api/machines/SoftwareInventoryByMachine")[0], map[string]any{"osPlatform": "Linux", "softwareVendor": "red_hat", "softwareName": "kernel", "softwareVersion": installed, "rbacGroupName": "None"})

	var files struct{ ExportFiles []string }
	a = e.do("GET", "/api/machines/SoftwareVulnerabilitiesExport", "", bearer(token.Token)...)
	if err := json.Unmarshal([]byte(a.body), &files); err != nil || len(files.ExportFiles) == 0 {
		t.Fatalf("export = %d %s", a.code, a.body)
	}
	a = e.do("GET", strings.TrimPrefix(files.ExportFiles[0], "http://picket.test"), "")
	z, err := gzip.NewReader(strings.NewReader(a.body))
	if err != nil {
		t.Fatalf("file = %d %v", a.code, err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	line := map[string]any{}
	if err := json.Unmarshal(bytes.TrimSpace(raw), &line); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	has("export file", line, exported)
}
