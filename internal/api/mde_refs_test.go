package api

import (
	"encoding/json"
	"testing"

	"github.com/picketsec/picket/internal/inventory"
)

// TestReferencesHandedDown: lists of references to machines, and the weaknesses of
// software and of recommendations, are filtered, ordered, counted and paged by the
// server, which is told what the index can find.
func TestReferencesHandedDown(t *testing.T) {
	w := newWorld(t)
	token := w.app()
	for i := range 10_020 {
		d := w.fake.devices[0]
		d.ID, d.Name, d.DNSName, d.GroupID, d.GroupWord = deviceID(100+i), "n", "", 7, "seven"
		w.fake.devices = append(w.fake.devices, d)
	}
	id := string(deviceID(105))
	for _, list := range []string{"/api/software/debian-_-openssl/machineReferences", "/api/recommendations/va-_-debian-_-openssl/machineReferences",
		"/api/remediationTasks/00000000-0000-4000-8000-000000000001/machineReferences"} {
		for _, tt := range []struct {
			query               string
			rows, count         int
			next                bool
			limit, ids, groups  int // as the server was asked; -1: none
			filtered, isOrdered bool
		}{
			{"", 10000, 0, true, 10000, -1, -1, false, false},
			{"?$top=2", 2, 0, false, 2, -1, -1, false, false},
			{"?$filter=id eq '" + id + "'", 1, 0, false, 10000, 1, -1, true, false},
			{"?$filter=rbacGroupId eq 7&$top=3&$count=true", 3, 10020, false, 3, -1, 1, true, false},
			{"?$filter=rbacGroupId in (7, 8) and id in ('" + id + "','x')", 1, 0, false, 10000, 2, 2, true, false},
			{"?$filter=rbacGroupId eq 7 or id eq '" + id + "'&$top=1", 1, 0, false, 1, -1, -1, true, false},
			{"?$filter=rbacGroupName eq 'seven'&$orderby=id desc&$top=1", 1, 0, false, 1, -1, -1, true, true},
			{"?$filter=rbacGroupId eq 7.5", 0, 0, false, 10000, -1, 0, true, false},
			{"?$filter=rbacGroupId eq 65543", 0, 0, false, 10000, -1, 0, true, false},
		} {
			a := w.do("GET", list+tt.query, "", token...)
			var l struct {
				Value []struct{ ID inventory.DeviceID }
				Next  string `json:"@odata.nextLink"`
				Count int    `json:"@odata.count"`
			}
			if err := json.Unmarshal([]byte(a.body), &l); err != nil || a.code != 200 {
				t.Fatalf("%s%s = %d %s", list, tt.query, a.code, a.body)
			}
			q, ids, groups := w.fake.refs.Load(), -1, -1
			if q.IDs != nil {
				ids = len(q.IDs)
			}
			if q.Groups != nil {
				groups = len(q.Groups)
			}
			if len(l.Value) != tt.rows || l.Count != tt.count || (l.Next != "") != tt.next || q.Limit != tt.limit || ids != tt.ids || groups != tt.groups || (q.Where != nil) != tt.filtered || (q.Order != nil) != tt.isOrdered {
				t.Errorf("%s%s: %d rows, count %d, next %q, limit %d, ids %d, groups %d, filtered %v, ordered %v; want %+v", list, tt.query, len(l.Value), l.Count, l.Next, q.Limit, ids, groups, q.Where != nil, q.Order != nil, tt)
			}
		}
		for _, bad := range []string{"?$filter=id eq", "?$filter=rbacGroupId eq 'x'", "?$orderby=nothing", "?$select=nothing"} {
			if a := w.do("GET", list+bad, "", token...); a.code != 400 {
				t.Errorf("%s%s = %d %s", list, bad, a.code, a.body)
			}
		}
	}
	for _, list := range []string{"/api/software/debian-_-openssl/vulnerabilities", "/api/recommendations/va-_-debian-_-openssl/vulnerabilities",
		"/api/machines/" + string(deviceID(1)) + "/vulnerabilities"} {
		w.fake.table.Store(nil)
		a := w.do("GET", list+"?$filter=id eq 'CVE-2024-1000' and cvssV3 ge 0&$top=1&$orderby=cvssV3 desc", "", token...)
		q := w.fake.table.Load()
		if a.code != 200 || q == nil || q.Limit != 1 || len(q.IDs) != 1 || q.Where == nil || q.Order == nil {
			t.Errorf("%s = %d, asked for %+v", list, a.code, q)
		}
	}
}

// TestTablesHandedDown: the lists of one device, of one product and of one alert are
// filtered, ordered, counted and paged by the server, too.
func TestTablesHandedDown(t *testing.T) {
	w := newWorld(t)
	token := w.app()
	machine := "/api/machines/" + string(deviceID(1))
	for list, filter := range map[string]string{
		machine + "/software":                          "weaknesses ge 0&$orderby=name desc",
		machine + "/recommendations":                   "exposedCriticalDevices ge 0&$orderby=exposedCriticalDevices",
		machine + "/getmissingkbs":                     "cveAddressed ge 0&$orderby=id",
		machine + "/logonusers":                        "logOnMachinesCount ge 0&$orderby=accountName",
		"/api/software/debian-_-openssl/getmissingkbs": "cveAddressed ge 0&$orderby=id",
		"/api/software/debian-_-openssl/distributions": "installations ge 0&$orderby=version",
		"/api/alerts/da637-1/files":                    "sha256 ne null&$orderby=fileName",
		"/api/alerts/da637-1/domains":                  "host ne null&$orderby=host",
		"/api/alerts/da637-1/ips":                      "id ne null&$orderby=id",
	} {
		for query, want := range map[string]rowsAsked{
			"":                               {0, 10000, false, false, false},
			"?$top=2&$skip=1&$count=true":    {1, 2, true, false, false},
			"?$top=0&$filter=" + filter:      {0, 0, false, true, true},
			"?$skip=20000&$filter=" + filter: {20000, 10000, false, true, true},
		} {
			w.fake.rows.Store(nil)
			if a := w.do("GET", list+query, "", token...); a.code != 200 || w.fake.rows.Load() == nil || *w.fake.rows.Load() != want {
				t.Errorf("%s%s = %d %s, asked for %+v, want %+v", list, query, a.code, a.body, w.fake.rows.Load(), want)
			}
		}
		for _, bad := range []string{"?$filter=nothing eq 1", "?$orderby=nothing", "?$select=nothing"} {
			if a := w.do("GET", list+bad, "", token...); a.code != 400 {
				t.Errorf("%s%s = %d %s", list, bad, a.code, a.body)
			}
		}
	}
}

// A filter by the exposed devices of high value, or by those without user impact,
// sees the figure of every row, not what stands there before it was counted.
func TestRecommendationsByCriticalDevices(t *testing.T) {
	w := newWorld(t)
	token := w.app()
	for filter, want := range map[string]int{"exposedCriticalDevices eq 1": 1, "EXPOSEDCRITICALDEVICES eq 0": 0, "weaknesses eq 2 and exposedCriticalDevices gt 0": 1,
		"NonProductivityImpactedAssets gt 1": 1, "nonProductivityImpactedAssets eq 0": 0} {
		a := w.do("GET", "/api/recommendations?$filter="+filter+"&$count=true", "", token...)
		var l struct {
			Value []any
			Count int `json:"@odata.count"`
		}
		if err := json.Unmarshal([]byte(a.body), &l); err != nil || a.code != 200 || len(l.Value) != want || l.Count != want {
			t.Errorf("%s = %d %s, want %d", filter, a.code, a.body, want)
		}
	}
}
