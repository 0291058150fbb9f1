package mde

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/picketsec/picket/internal/server"
)

// The server orders what it has keys for; anything else is ordered here.
func TestSortKeys(t *testing.T) {
	for orderby, want := range map[string]string{
		"":                                   "[]",
		"lastSeen":                           "[last_seen]",
		"LASTSEEN desc, computerdnsname asc": "[-last_seen dns_name]",
		"lastSeen, exposureLevel":            "[last_seen exposure_word]",
		"isAadJoined desc":                   "[]",
	} {
		if got := fmt.Sprint(sortKeys(machineProps, orderby, machineSorts)); got != want {
			t.Errorf("%q: %s, want %s", orderby, got, want)
		}
	}
	for _, p := range machineProps {
		if _, ok := machineSorts[p.name]; !ok && p.kind != texts && p.kind != objects {
			t.Errorf("machines, of which there are very many, have no key for %s", p.name)
		}
	}
	for name := range machineSorts {
		if _, ok := lookup(machineProps, name); !ok {
			t.Errorf("there is no property %s", name)
		}
	}
}

// However a list is ordered, the server is asked for the page alone.
func TestOrdersAskForAPage(t *testing.T) {
	for orderby, key := range map[string]string{"title%20desc": "", "alertCreationTime": "created", "isActive": "?"} {
		var asked server.Query
		w := httptest.NewRecorder()
		q := &request{w: w, r: httptest.NewRequest("GET", "/api/alerts?$top=2&$skip=1&$orderby="+orderby, nil)}
		o, err := parseOptions(q.r.URL.RawQuery)
		if err != nil {
			t.Fatal(err)
		}
		err = serveSorted(q, o, "Alerts", alertProps, alertSorts, func(want server.Query, _ func(*server.AlertRow) bool) (server.Page[server.AlertRow], error) {
			asked = want
			return server.Page[server.AlertRow]{Items: []server.AlertRow{{ID: "one"}, {ID: "two"}}, Total: 4}, nil
		})
		if key == "?" {
			if err == nil {
				t.Errorf("%s is ordered by", orderby)
			}
			continue
		}
		if err != nil || asked.Offset != 1 || asked.Limit != 2 || strings.Join(asked.Sort, " ") != key || (asked.Order == nil) != (key != "") {
			t.Errorf("%s: asked %+v, %v", orderby, asked, err)
		}
		if order, ok := asked.Order.(func(a, b *server.AlertRow) int); ok && order(&server.AlertRow{Title: "a"}, &server.AlertRow{Title: "b"}) <= 0 {
			t.Errorf("%s: the order is another", orderby)
		}
		if body := w.Body.String(); !strings.Contains(body, `"id":"two"`) {
			t.Errorf("%s: %s", orderby, body)
		}
	}
}
