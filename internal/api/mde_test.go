package api

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/picketsec/picket/internal/advisory"
)

var requestID = regexp.MustCompile(`"target":"[A-Z2-7]{26}"`)

// TestDefenderGolden keeps the answers of the Defender-compatible routes.
func TestDefenderGolden(t *testing.T) {
	w := newWorld(t)
	token := w.app()
	var b strings.Builder
	for _, target := range []string{
		"/api/machines?$filter=computerDnsName eq 'SRV-01.corp.example'",
		"/api/machines/srv-02",
		"/api/machines?$filter=machineTags/any(tag: tag eq 'vip')&$select=id,machineTags&$count=true",
		"/api/v1.0/machines?$top=1&$orderby=lastSeen+desc&$select=id",
		"/api/machines?$filter=healthStatus eq 'Inactive'",
		"/api/machines/findbyip(ip='10.0.0.2',timestamp=2026-01-02T03:10:00Z)?$select=id",
		"/api/machines/findbyip(ip='10.0.0.2',timestamp=2025-12-20T03:10:00Z)?$select=id",
		"/api/machines/findbyip(ip='10.0.0.2',timestamp=2025-12-03T03:04:05Z)",
		"/api/machines/findbyip(ip='x',timestamp=2025-01-02T03:10:00Z)",
		"/api/machines/nothing",
		"/api/machines?$filter=computerDnsName eq",
		"/api/machines/" + string(deviceID(1)) + "/software?$filter=name eq 'openssl'",
		"/api/machines/" + string(deviceID(1)) + "/vulnerabilities?$top=1",
		"/api/machines/" + string(deviceID(1)) + "/vulnerabilities?$select=id&$count=true",
		"/api/software?$filter=publicExploit eq true",
		"/api/software/npm-_-%2540babel%252Fcore",
		"/api/software/debian-_-openssl/distributions",
		"/api/software/debian-_-openssl/machineReferences?$top=1",
		"/api/software/debian-_-openssl/vulnerabilities?$select=id",
		"/api/vulnerabilities?$filter=cvssV3 gt '9'&$select=id,cvssV3,cvssVector,EPSS,exploitUris",
		"/api/vulnerabilities?$select=id&$count=true",
		"/api/vulnerabilities/CVE-2024-2000",
		"/api/vulnerabilities/CVE-1999-1",
		"/api/vulnerabilities/CVE-2024-1000/machineReferences",
		"/api/vulnerabilities/CVE-1999-1/machineReferences",
		"/api/software/DEBIAN-_-OpenSSL?$select=id",
		"/api/software/Debian-_-openssl/machineReferences?$top=1&$select=id",
		"/api/software/Debian-_-nothing",
		"/api/software/debian-_-openssl/getmissingkbs",
		"/api/machines/" + string(deviceID(1)) + "/getmissingkbs",
		"/api/machines/" + string(deviceID(9)) + "/getmissingkbs",
		"/api/exposureScore/ByMachineGroups",
		"/api/exposureScore",
		"/api/remediationTasks?$filter=createdOn gt 2026-01-01T00:00:00Z and status eq 'Completed'",
		"/api/remediationTasks/00000000-0000-4000-8000-000000000002?$select=id,category,scid,productId,fixedDevices,rbacGroupNames,dueOn",
		"/api/remediationTasks/00000000-0000-4000-8000-000000000001/machineReferences",
		"/api/remediationTasks/nothing",
		"/api/vulnerabilities/machinesVulnerabilities?$skip=5",
		"/api/vulnerabilities/machinesVulnerabilities?$filter=machineId eq '" + string(deviceID(1)) + "'&$select=id",
	} {
		a := w.do("GET", target, "", token...)
		if !json.Valid([]byte(a.body)) {
			t.Errorf("%s: not JSON: %s", target, a.body)
		}
		b.WriteString("-- GET " + target + " --\n")
		var pretty strings.Builder
		enc := json.NewEncoder(&pretty)
		enc.SetIndent("", " ")
		if err := enc.Encode(json.RawMessage(requestID.ReplaceAllString(a.body, `"target":"ID"`))); err != nil {
			t.Fatal(err)
		}
		b.WriteString(strconv.Itoa(a.code) + " " + a.header.Get("Content-Type") + "\n" + pretty.String())
	}
	const file = "testdata/defender.golden.txt"
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("answers changed (-want +got); run go test ./internal/api -run Golden -update\n%s", diff)
	}
}

// TestPaging follows next links and $top/$skip to the end.
func TestPaging(t *testing.T) {
	w := newWorld(t)
	token := w.app()
	type list struct {
		Value []struct{ ID string }
		Next  *string `json:"@odata.nextLink"`
		Count *int    `json:"@odata.count"`
	}
	get := func(target string) list {
		t.Helper()
		a := w.do("GET", target, "", token...)
		var l list
		if err := json.Unmarshal([]byte(a.body), &l); err != nil || a.code != 200 {
			t.Fatalf("%s = %d %s", target, a.code, a.body)
		}
		if strings.Contains(a.body, "nextLink") && l.Next == nil {
			t.Errorf("%s: a next link that is null", target)
		}
		return l
	}
	if l := get("/api/machines"); len(l.Value) != 3 || l.Next != nil || l.Count != nil {
		t.Errorf("everything = %+v", l)
	}
	if l := get("/api/machines?$top=2"); len(l.Value) != 2 || l.Next != nil {
		t.Errorf("$top=2 = %+v: it asked for two, so no page follows", l)
	}
	if l := get("/api/machines?$top=2&$skip=2"); len(l.Value) != 1 || l.Value[0].ID != string(deviceID(3)) {
		t.Errorf("$top=2&$skip=2 = %+v", l)
	}
	if l := get("/api/machines?$top=0&$count=true"); len(l.Value) != 0 || l.Count == nil || *l.Count != 3 {
		t.Errorf("$top=0 = %+v", l)
	}
	for len(w.fake.devices) < 25001 {
		d := w.fake.devices[0]
		d.ID = deviceID(len(w.fake.devices) + 1)
		w.fake.devices = append(w.fake.devices, d)
	}
	seen := map[string]bool{}
	pages, target := 0, "/api/machines?$select=id&$filter=osPlatform+eq+'Debian'"
	for target != "" {
		l := get(target)
		pages++
		for _, v := range l.Value {
			seen[v.ID] = true
		}
		target = ""
		if l.Next != nil {
			u, err := url.Parse(*l.Next)
			if err != nil || u.Scheme != "http" || u.Host != "picket.test" {
				t.Fatalf("next link %q is not absolute: %v", *l.Next, err)
			}
			target = u.RequestURI()
		}
	}
	if len(seen) != 25001 || pages != 3 {
		t.Errorf("%d machines on %d pages, want 25001 on 3", len(seen), pages)
	}
	if l := get("/api/machines?$top=12000"); l.Next == nil || !strings.Contains(*l.Next, "$top=2000&$skip=10000") {
		t.Errorf("$top beyond a page: %v", l.Next)
	}
}

func TestEmptyListIsAList(t *testing.T) {
	w := newWorld(t)
	w.fake.devices = nil
	a := w.do("GET", "/api/machines", "", w.app()...)
	if a.code != 200 || a.body != `{"@odata.context":"http://picket.test/api/$metadata#Machines","value":[]}` {
		t.Errorf("%d %s", a.code, a.body)
	}
}

func TestForwardedHost(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct{ host, proto, want string }{
		{"", "", "http://picket.test/"},
		{"picket.example", "https", "https://picket.example/"},
		{"picket.example, inner", "https, http", "https://picket.example/"},
		{"evil.example/x?", "https", "https://localhost/"},
		{"a@evil.example", "gopher", "http://localhost/"},
	} {
		a := w.do("GET", "/api/machines?$select=id", "", append(w.app(), "X-Forwarded-Host", tt.host, "X-Forwarded-Proto", tt.proto)...)
		if !strings.HasPrefix(a.body, `{"@odata.context":"`+tt.want+`api/$metadata#Machines"`) {
			t.Errorf("%q %q: %s", tt.host, tt.proto, a.body[:80])
		}
	}
}

// TestVulnsHandedDown: the server filters, orders, counts and pages the list of
// weaknesses by its columns; only what has no column is asked here, of the
// weaknesses that columns leave.
func TestVulnsHandedDown(t *testing.T) {
	w := newWorld(t)
	token := w.app()
	for n := range 40 {
		row := w.fake.weaknesses[1]
		row.ID, row.Exposed, row.Severity = fmt.Sprintf("CVE-2025-%d", 1000+n), 1+n%4, []advisory.Severity{advisory.High, advisory.Low}[n%2]
		w.fake.weaknesses = append(w.fake.weaknesses, row)
	}
	for _, tt := range []struct {
		query       string
		rows, count int
		next        bool
		limit       int
		named       int // ids that are looked up, -1: all are walked over
		ordered     bool
		first       string
	}{
		{"?$top=10", 10, 0, false, 10, -1, false, "CVE-2024-1000"},
		{"?$top=0&$count=true", 0, 42, false, 0, -1, false, ""},
		{"?$filter=severity eq 'High'&$count=true&$top=3", 3, 20, false, 3, -1, false, "CVE-2025-1000"},
		{"?$filter=cvssV3 lt 1 and exposedMachines gt 3&$skip=8", 2, 0, false, 10000, -1, false, "CVE-2025-1035"},
		{"?$filter=id eq 'cve-2025-1003'&$count=true", 1, 1, false, 10000, 1, false, "CVE-2025-1003"},
		{"?$filter=name in ('CVE-2025-1003','CVE-2025-1005') and severity eq 'Low'&$orderby=exposedMachines desc", 2, 0, false, 10000, 2, true, "CVE-2025-1003"},
		{"?$orderby=exposedMachines desc&$top=5&$skip=1", 5, 0, false, 5, -1, true, "CVE-2025-1007"},
		{"?$filter=contains(description,'second') and severity eq 'High'&$top=4&$count=true", 4, 20, false, -1, -1, false, "CVE-2025-1000"},
		{"?$orderby=description desc&$top=2&$count=true", 2, 42, false, -1, -1, false, "CVE-2024-2000"},
	} {
		a := w.do("GET", "/api/vulnerabilities"+tt.query, "", token...)
		var l struct {
			Value []struct{ ID string }
			Next  string `json:"@odata.nextLink"`
			Count int    `json:"@odata.count"`
		}
		if err := json.Unmarshal([]byte(a.body), &l); err != nil || a.code != 200 {
			t.Fatalf("%s = %d %s", tt.query, a.code, a.body)
		}
		q, first, named := w.fake.table.Load(), "", -1
		if len(l.Value) > 0 {
			first = l.Value[0].ID
		}
		if q.IDs != nil {
			named = len(q.IDs)
		}
		if len(l.Value) != tt.rows || l.Count != tt.count || (l.Next != "") != tt.next || first != tt.first || q.Limit != tt.limit || named != tt.named || (q.Order != nil) != tt.ordered {
			t.Errorf("%s: %d rows, count %d, next %q, first %s, limit %d, named %d, ordered %v; want %+v", tt.query, len(l.Value), l.Count, l.Next, first, q.Limit, named, q.Order != nil, tt)
		}
	}
	for _, bad := range []string{"?$filter=id eq", "?$filter=cvssV3 gt 'x'", "?$orderby=nothing", "?$select=nothing", "?$filter=id in (name)"} {
		if a := w.do("GET", "/api/vulnerabilities"+bad, "", token...); a.code != 400 {
			t.Errorf("%s = %d %s", bad, a.code, a.body)
		}
	}
}

// TestMachineVulnsHandedDown: the server filters, orders, counts and pages a
// list that may have hundreds of millions of rows, and is told which device and
// weakness a filter is about.
func TestMachineVulnsHandedDown(t *testing.T) {
	w := newWorld(t)
	token := w.app()
	for len(w.fake.devices) < 200 {
		d := w.fake.devices[0]
		d.ID = deviceID(len(w.fake.devices) + 1)
		w.fake.devices = append(w.fake.devices, d)
	}
	const path = "/api/vulnerabilities/machinesVulnerabilities"
	get := func(query string) (ids []string, next string, count int) {
		t.Helper()
		a := w.do("GET", path+query, "", token...)
		var l struct {
			Value []struct{ ID string }
			Next  string `json:"@odata.nextLink"`
			Count int    `json:"@odata.count"`
		}
		if err := json.Unmarshal([]byte(a.body), &l); err != nil || a.code != 200 {
			t.Fatalf("%s = %d %s", query, a.code, a.body)
		}
		for _, v := range l.Value {
			ids = append(ids, v.ID)
		}
		return ids, l.Next, l.Count
	}
	last := string(deviceID(150))
	for _, tt := range []struct {
		query     string
		rows, all int
		device    string
		weakness  string
		each      bool
	}{
		{"?$top=10", 10, 0, "", "", false},
		{"?$top=10&$skip=395", 5, 0, "", "", false},
		{"?$top=0&$count=true", 0, 400, "", "", false},
		{"?$top=10&$count=true&$filter=severity eq 'Critical'", 10, 200, "", "", false},
		{"?$top=10&$count=true&$filter=cveId eq 'CVE-2024-2000'", 10, 200, "", "CVE-2024-2000", false},
		{"?$count=true&$filter=machineId ne '" + last + "'&$top=1", 1, 398, "", "", false},
		{"?$filter=machineId eq '" + strings.ToUpper(last) + "' and severity ne 'x'", 2, 0, last, "", false},
		{"?$filter='cve-2024-1000' eq cveId&$top=3", 3, 0, "", "CVE-2024-1000", false},
		{"?$filter=id eq '" + last + "-_-CVE-2024-1000-_-debian-_-openssl-_-3.0.15-1-_-DSA-5764-1'", 1, 0, last, "", false},
		{"?$filter=startswith(id,'" + last + "') eq true&$count=true", 2, 2, "", "", false},
		{"?$filter=length(id) gt 90&$count=true&$top=1", 1, 200, "", "", true},
		{"?$filter=not (cveId eq 'CVE-2024-1000')&$top=500", 200, 0, "", "", false},
	} {
		ids, _, count := get(tt.query)
		q := w.fake.asked.Load()
		each := false
		if q.Where != nil {
			each = q.Where.Both != nil
		}
		if len(ids) != tt.rows || count != tt.all || string(q.Device) != tt.device || q.Weakness != tt.weakness || each != tt.each {
			t.Errorf("%s: %d rows, count %d, of %q %q, each %v, want %d, %d, %q, %q, %v", tt.query, len(ids), count, q.Device, q.Weakness, each, tt.rows, tt.all, tt.device, tt.weakness, tt.each)
		}
	}
	if ids, _, _ := get("?$orderby=machineId desc&$top=1"); len(ids) != 1 || !strings.HasPrefix(ids[0], string(deviceID(200))+"-_-") {
		t.Errorf("last machine first = %v", ids)
	}
	if a := w.do("GET", path+"?$filter=length(id)+gt+90&$orderby=severity&$skip=2000000", "", token...); a.code != 400 || !strings.Contains(a.body, "nextLink") {
		t.Errorf("far into an order of rows that are looked at one by one: %d %s", a.code, a.body)
	}

	// Next links lead to every row once, also when what they name is gone.
	for len(w.fake.devices) < 6001 {
		d := w.fake.devices[0]
		d.ID = deviceID(len(w.fake.devices) + 1)
		w.fake.devices = append(w.fake.devices, d)
	}
	ids, next, _ := get("?$select=id")
	u, err := url.Parse(next)
	if err != nil || len(ids) != 10000 || !strings.Contains(u.RawQuery, "$skiptoken=") {
		t.Fatalf("%d rows, then %q", len(ids), next)
	}
	counted, nextCounted, all := get("?$select=id&$count=true")
	uc, err := url.Parse(nextCounted)
	if err != nil || len(counted) != 10000 || all != 12002 {
		t.Fatalf("%d rows of %d, then %q", len(counted), all, nextCounted)
	}
	if last, end, all := get("?" + uc.RawQuery); len(last) != 2002 || end != "" || all != 12002 {
		t.Errorf("second page with a count: %d rows of %d, then %q", len(last), all, end)
	}
	rest, end, _ := get("?" + u.RawQuery)
	if len(rest) != 2002 || end != "" {
		t.Errorf("second page: %d rows, then %q", len(rest), end)
	}
	seen := map[string]bool{}
	for _, id := range append(ids, rest...) {
		seen[id] = true
	}
	if len(seen) != 12002 {
		t.Errorf("%d rows in all, want 12002", len(seen))
	}
	if a := w.do("GET", path+"?$skiptoken=nonsense!", "", token...); a.code != 400 || !strings.Contains(a.body, `"ODataError"`) {
		t.Errorf("a token of somebody else: %d %s", a.code, a.body)
	}
}
