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
		d.ID, d.Name, d.DNSName, d.GroupID, d.Group = deviceID(100+i), "n", "", 7, "seven"
		w.fake.devices = append(w.fake.devices, d)
	}
	id := string(deviceID(105))
	for _, list := range []string{"/api/software/debian-_-openssl/machineReferences", "/api/recommendations/va-_-debian-_-openssl/machineReferences"} {
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
	for _, list := range []string{"/api/software/debian-_-openssl/vulnerabilities", "/api/recommendations/va-_-debian-_-openssl/vulnerabilities"} {
		w.fake.table.Store(nil)
		a := w.do("GET", list+"?$filter=id eq 'CVE-2024-1000' and cvssV3 ge 0&$top=1&$orderby=cvssV3 desc", "", token...)
		q := w.fake.table.Load()
		if a.code != 200 || q == nil || q.Limit != 1 || len(q.IDs) != 1 || q.Where == nil || q.Order == nil {
			t.Errorf("%s = %d, asked for %+v", list, a.code, q)
		}
	}
}
