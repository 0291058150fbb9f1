package api

import (
	"fmt"
	"strings"
	"testing"

	"github.com/picketsec/picket/internal/server"
)

// What programs send as changes of tags and groups reaches the server as it was
// meant, or is refused in words.
func TestChangesOfTagsAndGroups(t *testing.T) {
	w := newWorld(t)
	app, person := w.app(), w.session()
	one, two := string(deviceID(1)), string(deviceID(2))
	w.fake.devices[0].GroupID, w.fake.devices[0].Group, w.fake.devices[0].GroupWord = 7, "Web", "Web"
	for _, c := range []struct {
		method, target, body string
		header               []string
		code                 int
		want                 string // part of the answer
		told                 string // what the server was told, "" nothing
	}{
		{"POST", "/api/Machines/" + strings.ToUpper(one) + "/tags", `{"Value":"vip","Action":"Add"}`, app, 200, `"rbacGroupId":7,"rbacGroupName":"Web"`, "{[" + one + "] [vip] []}"},
		{"POST", "/api/machines/" + two + "/tags", `{"Value":"vip","Action":"remove"}`, app, 200, `"rbacGroupId":0,"rbacGroupName":"Unassigned"`, "{[" + two + "] [] [vip]}"},
		{"POST", "/api/machines/" + one + "/tags", `{"Value":"vip","Action":"Set"}`, app, 400, `"code":"InvalidInput"`, ""},
		{"POST", "/api/machines/" + one + "/tags", `{"Action":"Add"}`, app, 400, `"code":"MissingRequiredParameter"`, ""},
		{"POST", "/api/machines/" + one + "/tags", `[]`, app, 400, `"code":"InvalidRequestBody"`, ""},
		{"POST", "/api/machines/AddOrRemoveTagForMultipleMachines", `{"Value":"a","Action":"Add","MachineIds":["` + one + `","` + two + `"]}`, app, 204, "", "{[" + one + " " + two + "] [a] []}"},
		{"POST", "/api/machines/AddOrRemoveTagForMultipleMachines", `{"Value":"a","Action":"Add"}`, app, 400, "MachineIds is missing", ""},
		{"POST", "/api/machines/AddOrRemoveTagForMultipleMachines", `{"Value":"a","Action":"Add","MachineIds":["x"` + strings.Repeat(`,"x"`, 500) + `]}`, app, 400, "501 entries, at most 500", ""},
		{"PATCH", "/api/machines/" + two, `{"machineTags":["vip","new"]}`, app, 200, `"id":"` + two, "{[" + two + "] [new] []}"},
		{"GET", "/api/machines?$filter=rbacGroupId%20eq%207&$select=id,rbacGroupName", "", app, 200, `[{"id":"` + one + `","rbacGroupName":"Web"}]`, ""},
		{"POST", "/api/x/tags", `{"devices":["srv-01"],"add":["a"],"remove":["b"]}`, person, 200, `"changed"`, "{[srv-01] [a] [b]}"},
		{"PUT", "/api/x/device-groups/7", `{"name":"W","rules":[]}`, person, 200, `"id":7,"name":"W"`, ""},
		{"PUT", "/api/x/tag-rules/9", `{"name":"t","rules":[]}`, person, 200, `"id":9,"tag":"t"`, ""},
		{"PUT", "/api/x/device-groups/65001", `{"name":"W","rules":[]}`, person, 422, "", ""},
		{"POST", "/api/x/device-groups", `{"name":"W","rules":[{"conditions":[{"property":"colour","operator":"equals","values":["x"]}]}]}`, person, 422, "property", ""},
	} {
		w.fake.tagged = server.TagChange{}
		a := w.do(c.method, c.target, c.body, c.header...)
		told := ""
		if len(w.fake.tagged.Devices) > 0 {
			told = fmt.Sprint(w.fake.tagged)
		}
		if a.code != c.code || !strings.Contains(a.body, c.want) || told != c.told {
			t.Errorf("%s %s %s: %d %s, told %s; want %d with %q, told %s", c.method, c.target, c.body, a.code, a.body, told, c.code, c.want, c.told)
		}
	}
}

// A comma parts values of a filter; one within a value is written "%2C".
func TestCommasInFilters(t *testing.T) {
	w := newWorld(t)
	for query, want := range map[string]string{
		"tag=a,b":               "[a b]",
		"tag=a%252C%20%28b%29":  "[a%2C (b) a, (b)]",
		"tag=a%252Cb,c&tag=d":   "[a%2Cb c a,b]",
		"tag=&device_group=0,7": "[]",
	} {
		if a := w.do("GET", "/api/x/devices?"+query, "", w.session()...); a.code != 200 {
			t.Fatalf("%s: %d %s", query, a.code, a.body)
		}
		if got := fmt.Sprint(w.fake.lastQuery().Filter["tag"]); got != want {
			t.Errorf("%s asks for tags %s, want %s", query, got, want)
		}
	}
}
