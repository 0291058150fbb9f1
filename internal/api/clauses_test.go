package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// The rules that clients of the Defender API rely on, held on every list of it
// that there is: a list that is added is held to them at once.
func TestEveryListHoldsTheRulesOfOData(t *testing.T) {
	w := newWorld(t)
	token := w.app()
	type page struct {
		Value []map[string]any
		Next  *string `json:"@odata.nextLink"`
		Count *int    `json:"@odata.count"`
	}
	lists := 0
	for name, rt := range table {
		path, query, _ := strings.Cut(rt.target, "?")
		if !strings.HasPrefix(name, "GET /api/") || strings.HasPrefix(name, "GET /api/x/") || strings.Contains(name, "Export") || strings.Contains(name, "ByMachine") && strings.Contains(name, "/machines/S") {
			continue
		}
		required := ""
		for _, p := range strings.Split(query, "&") {
			if p != "" && !strings.HasPrefix(p, "$") {
				required += p + "&"
			}
		}
		ask := func(path, query string) (int, page, string) {
			t.Helper()
			a := w.do("GET", path+"?"+required+query, "", token...)
			var p page
			_ = json.Unmarshal([]byte(a.body), &p) // errors have no page
			return a.code, p, a.body
		}
		code, whole, body := ask(path, "")
		if code != 200 || !strings.Contains(body, `"value":[`) {
			continue // one entity
		}
		lists++
		t.Run(strings.TrimPrefix(name, "GET /api/"), func(t *testing.T) {
			if whole.Next != nil || strings.Contains(body, `"@odata.nextLink":null`) || strings.Contains(body, `"@odata.nextLink":""`) {
				t.Error("the last page has a next link")
			}
			for what, same := range map[string][2]string{"a trailing &": {path, "&"}, "a trailing slash": {path + "/", ""}, "the version": {strings.Replace(strings.Replace(path, "/api/v1.0/", "/api/", 1), "/api/", "/api/v1.0/", 1), ""},
				"another case": {strings.Replace(path, "/api/", "/API/", 1), ""}, "an unknown parameter": {path, "foo=bar&cacheBuster=1"}, "an encoded option": {path, "%24top=10000"}, "the slip of the documentation": {path, "$stop=10000"}} {
				if code, p, body := ask(same[0], same[1]); code != 200 || fmt.Sprint(p.Value) != fmt.Sprint(whole.Value) {
					t.Errorf("%s: %d, %.200s", what, code, body)
				}
			}
			for _, bad := range []string{"$filter=id%20eq", "$filter=nonsense%20eq%201", "$filter=((", "$filter=id%20eq%20%27x", "$orderby=nonsense", "$select=nonsense", "$top=x", "$skip=-1"} {
				if code, _, body := ask(path, bad); code != 400 || !strings.Contains(body, `"code":"ODataError"`) {
					t.Errorf("%s = %d %.200s", bad, code, body)
				}
			}
			if code, p, _ := ask(path, "$count=true"); code != 200 || p.Count == nil || *p.Count != len(whole.Value) {
				t.Errorf("$count = %d %v, want %d", code, p.Count, len(whole.Value))
			}
			if len(whole.Value) == 0 {
				return
			}
			var key string
			for _, k := range []string{"id", "version", "rbacGroupName", "cveId", "sha256", "host"} {
				if _, ok := whole.Value[0][k].(string); ok && key == "" {
					key = k
				}
			}
			if key == "" {
				t.Fatalf("no key: %v", whole.Value[0])
			}
			for _, none := range []string{"$filter=" + key + "+eq+'nothing+like+it'", "$filter=" + key + " eq 'nothing like it'", "$filter=" + key + "%20in%20('a',%20'b')", "$filter=not%20(" + key + "%20ne%20'nothing')"} {
				if code, p, body := ask(path, none); code != 200 || len(p.Value) != 0 || p.Next != nil || !strings.Contains(body, `"value":[]`) {
					t.Errorf("%s = %d %.200s", none, code, body)
				}
			}
			if code, p, _ := ask(path, "$select="+key); code != 200 || len(p.Value) != len(whole.Value) || len(p.Value[0]) != 1 {
				t.Errorf("$select = %d %v", code, p.Value)
			}
			if code, p, _ := ask(path, "$orderby="+key+"+desc"); code != 200 || len(p.Value) != len(whole.Value) {
				t.Errorf("$orderby = %d, %d rows", code, len(p.Value))
			}
			var walked []string
			for n := range len(whole.Value) + 1 {
				code, p, body := ask(path, fmt.Sprintf("$top=1&$skip=%d", n))
				if code != 200 || len(p.Value) > 1 || p.Next != nil {
					t.Fatalf("$skip=%d: %d %.200s", n, code, body)
				}
				for _, v := range p.Value {
					walked = append(walked, fmt.Sprint(v[key]))
				}
			}
			var want []string
			for _, v := range whole.Value {
				want = append(want, fmt.Sprint(v[key]))
			}
			if !slices.Equal(walked, want) {
				t.Errorf("row by row %v, at once %v", walked, want)
			}
			for _, v := range whole.Value {
				for k, x := range v {
					if strings.HasSuffix(k, "Tags") && x == nil {
						t.Errorf("%s is null", k)
					}
				}
			}
		})
	}
	if lists < 18 {
		t.Errorf("%d lists were found", lists)
	}
}
