package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// hostileOrders are what nobody orders a list by.
var hostileOrders = []string{"nonsense", "name desc", "--name", "-", "NAME;DROP TABLE device", "1", "name,(SELECT 1)", "id' OR '1'='1", "../../etc/passwd", "<script>alert(1)</script>", "{{.}}", "$where",
	"name\x00", "n\u0000ame", "\u202ename", "ｎａｍｅ", "%27", "__proto__", "name asc, id", strings.Repeat("a", 4000)}

// TestHostileOrdersOfEveryListAreRefused orders every list of the console's API,
// and its export, by what is no column: it is refused and says which are. Every
// column that the description offers orders.
func TestHostileOrdersOfEveryListAreRefused(t *testing.T) {
	walk(t)
	e := openEstate(t)
	boss := e.hire("Administrator", "all")
	doc := newConsole(Options{Server: struct{ Backend }{}, Log: discard()}).api.OpenAPI()
	lists, asked := 0, 0
	for path, item := range doc.Paths {
		op := item.Get
		if op == nil {
			continue
		}
		var allowed []any
		ordered := false
		for _, p := range op.Parameters {
			if p.In == "query" && p.Name == "sort" {
				s := p.Schema
				if s.Items != nil {
					s = s.Items
				}
				allowed, ordered = s.Enum, true
			}
			if p.In == "query" && p.Name == "order" {
				t.Errorf("%s takes an order beside sort: this test knows nothing of it", path)
			}
		}
		if allowed == nil {
			if ordered {
				t.Errorf("%s does not say by which columns it can be ordered", path)
			}
			continue
		}
		lists++
		name := "GET /api/x" + path
		target := today(table[name].target)
		if kind := objects(name); kind != "" {
			target = e.target(name, "/api/x"+path, e.ids["alpha "+kind][0])
		}
		target, _, _ = strings.Cut(target, "?")
		for _, bad := range hostileOrders {
			asked++
			a := e.ask(boss, http.MethodGet, target+"?sort="+url.QueryEscape(bad), "")
			if a.code != 422 || !strings.Contains(a.body, `"location":"query.sort`) || !strings.Contains(a.body, fmt.Sprint(allowed[0])) || !strings.Contains(a.body, fmt.Sprint(allowed[len(allowed)-1])) {
				t.Errorf("%s by %.60q = %d, want 422 with the columns: %.300s", name, bad, a.code, a.body)
			}
			if a := e.ask(boss, http.MethodGet, target+"?order="+url.QueryEscape(bad), ""); a.code >= 500 {
				t.Errorf("%s with order %.60q = %d %.300s", name, bad, a.code, a.body)
			}
		}
		if a := e.ask(boss, http.MethodGet, target, ""); a.code == 404 {
			continue // the estate has none: the vulnerabilities of a document that nobody loaded
		}
		for _, good := range allowed {
			asked++
			if a := e.ask(boss, http.MethodGet, target+"?sort="+url.QueryEscape(fmt.Sprint(good)), ""); a.code != 200 {
				t.Errorf("%s by %v, which it offers, = %d %.300s", name, good, a.code, a.body)
			}
		}
	}
	if lists < 80 || asked < 1500 {
		t.Errorf("%d lists and %d requests", lists, asked)
	}
}
