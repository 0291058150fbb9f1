package api

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// directory is a client of SCIM, as Entra ID and Okta are.
type directory struct {
	*world
	token string
}

// newDirectory makes the token by the console.
func newDirectory(t *testing.T) *directory {
	t.Helper()
	w := newWorld(t)
	a := w.do("POST", "/api/x/sign-in/provisioning/token", "", w.session()...)
	var made struct{ Secret string }
	if err := json.Unmarshal([]byte(a.body), &made); a.code != 201 || err != nil || len(made.Secret) < 43 {
		t.Fatalf("token = %d %s", a.code, a.body)
	}
	return &directory{world: w, token: made.Secret}
}

// ask sends a request and decodes the answer.
func (d *directory) ask(method, path, body string, want int) map[string]any {
	d.t.Helper()
	a := d.do(method, "/scim/v2"+path, body, "Authorization", "Bearer "+d.token, "Content-Type", scimType)
	if a.code != want {
		d.t.Fatalf("%s %s = %d, want %d: %s", method, path, a.code, want, a.body)
	}
	if a.code == http.StatusNoContent {
		return nil
	}
	var out map[string]any
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.header.Get("Content-Type") != scimType {
		d.t.Fatalf("%s %s: %s %s", method, path, a.header.Get("Content-Type"), a.body)
	}
	return out
}

func (d *directory) ids(path string) string {
	d.t.Helper()
	out := d.ask("GET", path, "", 200)
	names := []string{}
	for _, r := range out["Resources"].([]any) {
		o := r.(map[string]any)
		if name, ok := o["userName"]; ok {
			names = append(names, name.(string))
		} else {
			names = append(names, o["displayName"].(string))
		}
	}
	return fmt.Sprintf("%v of %v", names, out["totalResults"])
}

// Every route of SCIM opens to the directory's token and to nothing else, and
// none is there that is not in this list.
func TestEveryDirectoryRouteAsksForItsToken(t *testing.T) {
	listed := map[string]int{
		"GET /ServiceProviderConfig": 200, "GET /ResourceTypes": 200, "GET /ResourceTypes/{id}": 404, "GET /Schemas": 200, "GET /Schemas/{id}": 404,
		"GET /Users": 200, "POST /Users": 400, "GET /Users/{id}": 404, "PUT /Users/{id}": 404, "PATCH /Users/{id}": 404, "DELETE /Users/{id}": 404,
		"GET /Groups": 200, "POST /Groups": 400, "GET /Groups/{id}": 404, "PUT /Groups/{id}": 404, "PATCH /Groups/{id}": 404, "DELETE /Groups/{id}": 404,
	}
	d := newDirectory(t)
	rich, admin := d.app(), d.session()
	for _, r := range scimRoutes() {
		name := r.method + " " + r.path
		want, ok := listed[name]
		if !ok {
			t.Errorf("route %q is not in the list of what the directory may use", name)
			continue
		}
		delete(listed, name)
		target := "/scim/v2" + strings.ReplaceAll(r.path, "{id}", "1")
		check := func(who string, want int, header ...string) {
			t.Helper()
			a := d.do(r.method, target, "{}", append([]string{"Content-Type", scimType}, header...)...)
			if a.code != want || want >= 400 && !strings.Contains(a.body, "urn:ietf:params:scim:api:messages:2.0:Error") {
				t.Errorf("%s as %s = %d, want %d: %s", name, who, a.code, want, a.body)
			}
		}
		check("nobody", 401)
		check("an application with every permission", 401, rich...)
		check("the administrator", 401, admin...)
		check("a token that is none", 401, "Authorization", "Bearer x")
		check("basic", 401, "Authorization", "Basic "+d.token)
		agent := d.request(r.method, target, "{}")
		agent.TLS = &tls.ConnectionState{HandshakeComplete: true, PeerCertificates: []*x509.Certificate{{}}, VerifiedChains: [][]*x509.Certificate{{{}}}}
		if a := d.send(agent); a.code != 401 {
			t.Errorf("%s as an agent = %d", name, a.code)
		}
		check("the directory", want, "Authorization", "Bearer "+d.token)
	}
	for name := range listed {
		t.Errorf("the list has %q, which does not exist", name)
	}
	for _, target := range []string{"/scim", "/scim/", "/scim/v2", "/scim/v1/Users", "/scim/v2/Users/1/2", "/scim/v2/Bulk", "/SCIM/v2/nothing", "/scim/v2/../api/machines"} {
		if a := d.do("GET", target, ""); a.code != 401 && a.code != 404 {
			t.Errorf("%s as nobody = %d", target, a.code)
		}
		if a := d.do("GET", target, "", "Authorization", "Bearer "+d.token); a.code != 404 && a.code != 401 {
			t.Errorf("%s = %d %s", target, a.code, a.body)
		}
	}
	// The token opens nothing else.
	for _, target := range []string{"/api/machines", "/api/x/devices", "/api/x/people", "/api/x/session"} {
		if a := d.do("GET", target, "", "Authorization", "Bearer "+d.token); a.code != 401 {
			t.Errorf("the directory's token at %s = %d", target, a.code)
		}
	}
	if a := d.do("DELETE", "/api/x/sign-in/provisioning/token", "", admin...); a.code != 204 {
		t.Fatalf("end = %d", a.code)
	}
	if a := d.do("GET", "/scim/v2/Users", "", "Authorization", "Bearer "+d.token); a.code != 401 {
		t.Errorf("after its end the token = %d", a.code)
	}
	if a := d.do("GET", "/scim/v2/Users", "", "Authorization", "Bearer "); a.code != 401 {
		t.Errorf("no token at all = %d", a.code)
	}
}

// The order of requests in which Entra ID provisions: look for the user, make
// it, change it with paths in brackets and capital operations, disable it.
func TestProvisioningAsEntraDoesIt(t *testing.T) {
	d := newDirectory(t)
	if got := d.ids(`/Users?filter=userName+eq+%22Ann@Example.org%22`); got != "[] of 0" {
		t.Errorf("before = %s", got)
	}
	made := d.ask("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
		"externalId":"0a21f0f2","userName":"Ann@Example.org","active":true,"displayName":"Ann Example","emails":[{"primary":true,"type":"work","value":"ann@example.org"}],
		"meta":{"resourceType":"User"},"name":{"formatted":"Ann Example","familyName":"Example","givenName":"Ann"},"roles":[],
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"IT"}}`, 201)
	id := made["id"].(string)
	if made["userName"] != "Ann@Example.org" || made["active"] != true || !strings.HasSuffix(made["meta"].(map[string]any)["location"].(string), "/scim/v2/Users/"+id) {
		t.Errorf("made = %v", made)
	}
	if a := d.do("POST", "/scim/v2/Users", `{"userName":"ann@example.ORG"}`, "Authorization", "Bearer "+d.token); a.code != 409 || !strings.Contains(a.body, `"scimType":"uniqueness"`) {
		t.Errorf("a second one = %d %s", a.code, a.body)
	}
	if got := d.ids(`/Users?filter=externalId+eq+%220a21f0f2%22`); got != "[Ann@Example.org] of 1" {
		t.Errorf("by externalId = %s", got)
	}
	got := d.ask("PATCH", "/Users/"+id, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[
		{"op":"Replace","path":"displayName","value":"Ann B. Example"},
		{"op":"Replace","path":"emails[type eq \"work\"].value","value":"ann.b@example.org"},
		{"op":"Add","path":"name.givenName","value":"Ann B."},
		{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"Sales"}]}`, 200)
	if got["displayName"] != "Ann B. Example" || fmt.Sprint(got["emails"]) != "[map[primary:true type:work value:ann.b@example.org]]" || got["name"].(map[string]any)["givenName"] != "Ann B." {
		t.Errorf("patched = %v", got)
	}
	group := d.ask("POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"externalId":"8aa1a0c0","displayName":"SOC","meta":{"resourceType":"Group"}}`, 201)
	gid := group["id"].(string)
	if a := d.ask("PATCH", "/Groups/"+gid, `{"Operations":[{"op":"Add","path":"members","value":[{"value":"`+id+`"}]}]}`, 200); len(a["members"].([]any)) != 1 {
		t.Errorf("members = %v", a)
	}
	if got := d.ids(`/Groups?excludedAttributes=members&filter=displayName+eq+%22soc%22`); got != "[SOC] of 1" {
		t.Errorf("groups = %s", got)
	}
	if a := d.ask("GET", "/Groups/"+gid+"?excludedAttributes=members", "", 200); a["members"] != nil {
		t.Errorf("members although excluded: %v", a)
	}
	who, err := d.st.AccountByName(t.Context(), "ann@example.org")
	if err != nil || who.Display != "Ann B. Example" || who.Password != "" {
		t.Fatalf("account = %+v, %v", who, err)
	}
	// Entra says False in words.
	if got := d.ask("PATCH", "/Users/"+id, `{"Operations":[{"op":"Replace","path":"active","value":"False"}]}`, 200); got["active"] != false {
		t.Errorf("disabled = %v", got)
	}
	if who, err = d.st.AccountByName(t.Context(), "ann@example.org"); err != nil || who.Disabled.IsZero() {
		t.Errorf("account = %+v, %v", who, err)
	}
	if a := d.ask("PATCH", "/Groups/"+gid, `{"Operations":[{"op":"Remove","path":"members","value":[{"value":"`+id+`"}]}]}`, 200); len(a["members"].([]any)) != 0 {
		t.Errorf("members after removal = %v", a)
	}
	d.ask("DELETE", "/Users/"+id, "", 204)
	d.ask("GET", "/Users/"+id, "", 404)
}

// Okta replaces whole users, patches without a path and removes members by filter.
func TestProvisioningAsOktaDoesIt(t *testing.T) {
	d := newDirectory(t)
	made := d.ask("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"bob@example.org","name":{"givenName":"Bob","familyName":"Builder"},
		"emails":[{"primary":true,"value":"bob@example.org","type":"work"}],"displayName":"Bob Builder","locale":"en-US","externalId":"00u1","groups":[],"password":"1mz050nq","active":true}`, 201)
	id := made["id"].(string)
	if made["password"] != nil {
		t.Error("the password came back")
	}
	group := d.ask("POST", "/Groups", `{"displayName":"Builders","members":[{"value":"`+id+`","display":"bob@example.org"}]}`, 201)
	gid := group["id"].(string)
	d.ask("PUT", "/Users/"+id, `{"userName":"bob@example.org","name":{"givenName":"Bob","familyName":"Baumeister"},"active":true,"externalId":"00u1"}`, 200)
	if got := d.ids(`/Users?filter=userName+eq+%22bob@example.org%22&startIndex=1&count=100`); got != "[bob@example.org] of 1" {
		t.Errorf("list = %s", got)
	}
	if who, err := d.st.AccountByName(t.Context(), "bob@example.org"); err != nil || who.Display != "Bob Baumeister" {
		t.Errorf("account = %+v, %v", who, err)
	}
	if a := d.ask("PATCH", "/Groups/"+gid, `{"Operations":[{"op":"replace","value":{"id":"`+gid+`","displayName":"Master builders"}}]}`, 200); a["displayName"] != "Master builders" || len(a["members"].([]any)) != 1 {
		t.Errorf("renamed = %v", a)
	}
	if a := d.ask("PATCH", "/Groups/"+gid, `{"Operations":[{"op":"remove","path":"members[value eq \"`+id+`\"]"}]}`, 200); len(a["members"].([]any)) != 0 {
		t.Errorf("removed = %v", a)
	}
	if a := d.ask("PATCH", "/Groups/"+gid, `{"Operations":[{"op":"replace","path":"members","value":[{"value":"`+id+`"}]}]}`, 200); len(a["members"].([]any)) != 1 {
		t.Errorf("replaced = %v", a)
	}
	if got := d.ask("PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","value":{"active":false}}]}`, 200); got["active"] != false {
		t.Errorf("disabled = %v", got)
	}
	if got := d.ask("PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","value":{"active":true}}]}`, 200); got["active"] != true {
		t.Errorf("enabled again = %v", got)
	}
	d.ask("DELETE", "/Groups/"+gid, "", 204)
	d.ask("GET", "/Groups/"+gid, "", 404)
}

func TestDirectoryTakesNothingOver(t *testing.T) {
	d := newDirectory(t)
	made := d.ask("POST", "/Users", `{"userName":"admin","externalId":"x"}`, 201)
	who, err := d.st.AccountByName(t.Context(), "admin-2")
	if err != nil || made["userName"] != "admin" {
		t.Fatalf("the directory's admin is %+v, %v", who, err)
	}
	d.ask("DELETE", "/Users/"+made["id"].(string), "", 204)
	if _, err := d.st.AccountByName(t.Context(), "admin"); err != nil {
		t.Errorf("the local admin is gone: %v", err)
	}
	// The groups of Picket are not there for it, and their names are taken.
	if got := d.ids("/Groups"); got != "[] of 0" {
		t.Errorf("groups = %s", got)
	}
	d.ask("GET", "/Groups/1", "", 404)
	d.ask("PATCH", "/Groups/1", `{"Operations":[{"op":"add","path":"members","value":[{"value":"x"}]}]}`, 404)
	d.ask("DELETE", "/Groups/1", "", 404)
	d.ask("POST", "/Groups", `{"displayName":"administrators"}`, 409)
	d.ask("POST", "/Groups", `{"displayName":"G","members":[{"value":"nobody"}]}`, 400)
	for _, bad := range []string{"", "[]", "null", `"x"`, "{", `{"userName":1}`, `{"userName":""}`, `{"userName":"x","active":"perhaps"}`, `{"userName":"` + strings.Repeat("x", 300) + `"}`} {
		d.ask("POST", "/Users", bad, 400)
	}
	for _, bad := range []string{"userName", "userName+eq", `userName+eq+%22x`, `userName+xx+%22x%22`, "%28userName+pr", strings.Repeat("%28", 100), `userName+eq+%22x%22+and`} {
		if a := d.ask("GET", "/Users?filter="+bad, "", 400); a["scimType"] != "invalidFilter" || a["status"] != "400" {
			t.Errorf("filter %s = %v", bad, a)
		}
	}
	d.ask("GET", "/Users?count=x", "", 400)
}

func TestDirectoryPages(t *testing.T) {
	d := newDirectory(t)
	for n := range 7 {
		d.ask("POST", "/Users", fmt.Sprintf(`{"userName":"user%d@example.org","active":%v,"title":"T%d"}`, n, n%2 == 0, n), 201)
	}
	for _, tt := range []struct{ query, want string }{
		{"?startIndex=1&count=3", "[user0@example.org user1@example.org user2@example.org] of 7"},
		{"?startIndex=7&count=3", "[user6@example.org] of 7"},
		{"?startIndex=8&count=3", "[] of 7"},
		{"?startIndex=0&count=1", "[user0@example.org] of 7"},
		{"?count=0", "[] of 7"},
		{"?filter=active+eq+false+and+not+%28title+eq+%22T1%22%29", "[user3@example.org user5@example.org] of 2"},
		{"?filter=userName+sw+%22USER2%22+or+title+eq+%22t6%22", "[user2@example.org user6@example.org] of 2"},
	} {
		if got := d.ids("/Users" + tt.query); got != tt.want {
			t.Errorf("%s = %s, want %s", tt.query, got, tt.want)
		}
	}
	if a := d.ask("GET", "/Users?attributes=userName&count=1", "", 200); fmt.Sprint(a["Resources"].([]any)[0].(map[string]any)["active"]) != "<nil>" {
		t.Errorf("attributes = %v", a)
	}
	if a := d.ask("GET", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User", "", 200); a["name"] != "User" {
		t.Errorf("schema = %v", a)
	}
	if a := d.ask("GET", "/ResourceTypes/Group", "", 200); a["endpoint"] != "/Groups" {
		t.Errorf("type = %v", a)
	}
}

// Versions: what was read and changed meanwhile is not overwritten, and what
// is there already is not sent again.
func TestSCIMVersions(t *testing.T) {
	d := newDirectory(t)
	for path, bodies := range map[string][2]string{
		"/Users":  {`{"userName":"ann@example.org","title":"A"}`, `{"userName":"ann@example.org","title":"B"}`},
		"/Groups": {`{"displayName":"web"}`, `{"displayName":"web team"}`},
	} {
		one := d.ask("POST", path, bodies[0], 201)
		at := path + "/" + one["id"].(string)
		version := func(o map[string]any) string { return o["meta"].(map[string]any)["version"].(string) }
		first := version(one)
		ask := func(method, body string, want int, header ...string) answer {
			t.Helper()
			a := d.do(method, "/scim/v2"+at, body, append([]string{"Authorization", "Bearer " + d.token, "Content-Type", scimType}, header...)...)
			if a.code != want {
				t.Fatalf("%s %s %v = %d, want %d: %s", method, at, header, a.code, want, a.body)
			}
			return a
		}
		if a := ask("GET", "", 200); a.header.Get("ETag") != first || first == "" {
			t.Errorf("%s: ETag %q, version %q", path, a.header.Get("ETag"), first)
		}
		if a := ask("GET", "", 304, "If-None-Match", `"x", `+first); a.body != "" {
			t.Errorf("304 with a body: %s", a.body)
		}
		ask("PUT", bodies[1], 412, "If-Match", `W/"other"`)
		if now := d.ask("GET", at, "", 200); version(now) != first {
			t.Error("a refused change has changed the version")
		}
		a := ask("PUT", bodies[1], 200, "If-Match", first)
		second := a.header.Get("ETag")
		if second == first || second == "" {
			t.Errorf("the version after a change is %q, before %q", second, first)
		}
		ask("PUT", bodies[0], 412, "If-Match", first)
		ask("PATCH", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[]}`, 412, "If-Match", first)
		ask("DELETE", "", 412, "If-Match", first)
		ask("PUT", bodies[0], 412, "If-None-Match", "*")
		ask("GET", "", 200, "If-None-Match", first)
		ask("DELETE", "", 204, "If-Match", "*")
		ask("DELETE", "", 404, "If-Match", "*")
	}
}
