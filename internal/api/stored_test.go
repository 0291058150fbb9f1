package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/server"
)

// storedNames are the names of all that the store keeps, read from the exported
// structs of its source, in every form that a body could have: as they are, in
// small letters with "_", and with a small first letter; and words that have a
// meaning elsewhere.
func storedNames(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("../store/*.go")
	if err != nil {
		t.Fatal(err)
	}
	names, structs := map[string]bool{}, 0
	for _, also := range []string{"actor", "administrator", "permissions", "all_devices", "built_in", "hash", "compiled", "match", "was", "user_id", "created_by", "secret", "digest", "roles"} {
		names[also] = true
	}
	for _, path := range paths {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			typ, ok := n.(*ast.TypeSpec)
			if !ok || !typ.Name.IsExported() {
				return true
			}
			st, ok := typ.Type.(*ast.StructType)
			if !ok {
				return true
			}
			structs++
			for _, field := range st.Fields.List {
				for _, name := range field.Names {
					if name.IsExported() {
						names[name.Name], names[snake(name.Name)] = true, true
						names[strings.ToLower(name.Name[:1])+name.Name[1:]] = true
					}
				}
			}
			return true
		})
	}
	if structs < 40 || len(names) < 300 {
		t.Fatalf("%d structs and %d names of the store were found", structs, len(names))
	}
	return slices.Sorted(maps.Keys(names))
}

// snake is a name of Go in small letters: "DeviceID" is "device_id".
func snake(name string) string {
	var out []byte
	for i, c := range []byte(name) {
		if c >= 'A' && c <= 'Z' {
			if i > 0 && (name[i-1] >= 'a' || i+1 < len(name) && name[i+1] >= 'a') {
				out = append(out, '_')
			}
			c += 'a' - 'A'
		}
		out = append(out, c)
	}
	return string(out)
}

// canary is the value that must be nowhere.
const canary = "canary-4711-of-stored-fields"

// withCanaries is a JSON object with fields added that are not its own.
func withCanaries(t *testing.T, body string, fields []string, own func(name string) bool) string {
	t.Helper()
	good := map[string]any{}
	if err := json.Unmarshal([]byte(body), &good); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	for _, f := range fields {
		if _, there := good[f]; !there && !own(f) {
			good[f] = canary
		}
	}
	raw, err := json.Marshal(good)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestStoredFieldsAreRefused is for CVE-2026-19072: a field that only the server
// sets is no part of a request. Every route that takes a JSON object is sent
// every name that the store has, or that it answers, and that is not among its
// own, also in nested objects as far as the description goes.
func TestStoredFieldsAreRefused(t *testing.T) {
	walk(t)
	c := newConsole(Options{Server: struct{ Backend }{}, Log: discard()})
	doc := c.api.OpenAPI()
	w := newWorld(t)
	boss := w.session()
	stored := storedNames(t)
	open := []string{"PUT /api/x/me/prefs"} // a map of the console's own
	sent := 0
	for path, item := range doc.Paths {
		for method, op := range map[string]*huma.Operation{"POST": item.Post, "PUT": item.Put, "PATCH": item.Patch, "DELETE": item.Delete} {
			name := method + " /api/x" + path
			if op == nil || op.RequestBody == nil || slices.Contains(open, name) {
				continue
			}
			media := op.RequestBody.Content["application/json"]
			if media == nil || media.Schema == nil || takesAnyDocument(name) {
				continue
			}
			closed(t, doc, name, "body", media.Schema, map[string]bool{})
			own := resolve(doc, media.Schema).Properties
			names := slices.Clone(stored)
			for _, r := range op.Responses {
				if m := r.Content["application/json"]; m != nil && m.Schema != nil {
					names = append(names, slices.Sorted(maps.Keys(resolve(doc, m.Schema).Properties))...)
				}
			}
			mine := func(f string) bool { return own[f] != nil || own[strings.ToLower(f)] != nil || f == "$schema" }
			// That it is refused says little where the example is refused anyway: the answer names each field.
			for some := range slices.Chunk(names, 200) { // some bodies may be no larger
				a := w.do(method, table[name].target, withCanaries(t, table[name].body, some, mine), append([]string{"Content-Type", "application/json"}, boss...)...)
				if a.code != 422 && a.code != 400 {
					t.Errorf("%s = %d %.300s", name, a.code, a.body)
				}
				for _, f := range some {
					if sent++; !mine(f) && !strings.Contains(a.body, `"location":"body.`+f+`"`) {
						t.Errorf("%s takes %q: %d %.300s", name, f, a.code, a.body)
					}
				}
			}
			if name == "DELETE /api/x/session" {
				boss = w.session()
			}
		}
	}
	if sent < 10_000 {
		t.Errorf("only %d fields were sent", sent)
	}
	// The Defender-compatible routes name the first that they do not know.
	sent = 0
	for name, rt := range table {
		method, _, _ := strings.Cut(name, " ")
		if strings.HasPrefix(name, "GET") || strings.Contains(name, " /api/x") || !strings.HasPrefix(rt.body, "{") {
			continue
		}
		own := map[string]bool{}
		for _, f := range defenderBodies(t)[handlerOf[name]] {
			own[f] = true
		}
		for _, f := range stored {
			if own[f] {
				continue
			}
			sent++
			if a := w.do(method, rt.target, withCanaries(t, rt.body, []string{f}, func(string) bool { return false }), append([]string{"Content-Type", "application/json"}, boss...)...); a.code != 400 {
				t.Errorf("%s takes %q: %d %.100s", name, f, a.code, a.body)
			}
		}
	}
	if sent < 5_000 {
		t.Errorf("only %d fields were sent to the Defender-compatible routes", sent)
	}
}

// TestStoredFieldsBesideTheAPI sends every name that the store has to what does
// not refuse it: the directory, the token endpoint and osqueryd. What comes of it
// is what comes without it, and no value of it is kept.
func TestStoredFieldsBesideTheAPI(t *testing.T) {
	walk(t)
	e := openEstate(t)
	stored := storedNames(t)
	made, err := e.s.MakeProvisioningToken(t.Context(), e.admin)
	if err != nil {
		t.Fatal(err)
	}
	directory := []string{"Authorization", "Bearer " + made.Secret, "Content-Type", scimType}
	attributes := map[string]bool{"schemas": true, "externalid": true}
	var list struct {
		Resources []struct {
			Attributes []struct{ Name, Mutability string }
		}
	}
	if a := e.do("GET", "/scim/v2/Schemas", "", directory...); json.Unmarshal([]byte(a.body), &list) != nil || len(list.Resources) < 2 {
		t.Fatalf("schemas = %d %s", a.code, a.body)
	}
	for _, r := range list.Resources {
		for _, at := range r.Attributes {
			attributes[strings.ToLower(at.Name)] = at.Mutability != "readOnly"
		}
	}
	own := func(f string) bool { return attributes[strings.ToLower(f)] }
	resource := func(name, body string) {
		t.Helper()
		a := e.do("POST", "/scim/v2/"+name, withCanaries(t, body, append(stored, "id", "meta", "groups"), own), directory...)
		var doc struct{ ID string }
		if err := json.Unmarshal([]byte(a.body), &doc); err != nil || a.code != 201 || doc.ID == "" || strings.Contains(a.body, canary) {
			t.Fatalf("%s = %d %.300s", name, a.code, a.body)
		}
		plain := e.do("GET", "/scim/v2/"+name+"/"+doc.ID, "", directory...)
		a = e.do("PUT", "/scim/v2/"+name+"/"+doc.ID, withCanaries(t, body, append(stored, "id", "meta", "groups"), own), directory...)
		if b := e.do("GET", "/scim/v2/"+name+"/"+doc.ID, "", directory...); a.code != 200 || strings.Contains(b.body, canary) || len(b.body) != len(plain.body) {
			t.Errorf("%s put = %d %.300s %.300s", name, a.code, a.body, b.body)
		}
		for _, f := range stored {
			if own(f) {
				continue
			}
			op, err := json.Marshal(map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": []map[string]any{{"op": "replace", "path": f, "value": canary}}})
			if err != nil {
				t.Fatal(err)
			}
			e.do("PATCH", "/scim/v2/"+name+"/"+doc.ID, string(op), directory...)
		}
		if b := e.do("GET", "/scim/v2/"+name+"/"+doc.ID, "", directory...); strings.Contains(b.body, canary) || len(b.body) != len(plain.body) {
			t.Errorf("%s patched: %.300s", name, b.body)
		}
	}
	resource("Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"dora","active":true}`)
	resource("Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"new ones"}`)
	people, err := e.s.People(t.Context(), e.admin, server.Query{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range people.Items {
		if p.Name == "dora" && (p.Role == "Administrator" || len(p.UserGroups) > 1) {
			t.Errorf("the account became %+v", p)
		}
	}

	_, client, secret, err := e.s.CreateApp(t.Context(), "program", []string{server.MachineRead})
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {client}, "client_secret": {secret}, "scope": {"urn:picket:api/.default"}}
	grant := func() map[string]any {
		t.Helper()
		a := e.do("POST", "/oauth2/v2.0/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
		var out struct {
			Token string `json:"access_token"`
		}
		if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.code != 200 || strings.Contains(a.body, canary) {
			t.Fatalf("token = %d %.300s", a.code, a.body)
		}
		c := claimsOf(t, out.Token)
		for _, changing := range []string{"iat", "nbf", "exp", "jti", "uti"} {
			delete(c, changing)
		}
		return c
	}
	without := grant()
	for _, f := range stored {
		if !form.Has(f) {
			form.Set(f, canary)
		}
	}
	if with := grant(); fmt.Sprint(with) != fmt.Sprint(without) {
		t.Errorf("a token of more fields says\n%v\nnot\n%v", with, without)
	}

	none := func(string) bool { return false }
	enrolment, _, err := e.s.CreateToken(t.Context(), e.admin, "n", 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	a := e.askAgents("POST", "/api/osquery/enroll", withCanaries(t, `{"enroll_secret":"`+enrolment+`","host_identifier":"h","platform_type":"9","host_details":{}}`, stored, none), "Content-Type", "application/json")
	var node struct {
		NodeKey string `json:"node_key"`
	}
	if err := json.Unmarshal([]byte(a.body), &node); err != nil || node.NodeKey == "" || strings.Contains(a.body, canary) {
		t.Fatalf("osquery = %d %.300s", a.code, a.body)
	}
	for path, body := range map[string]string{"config": `{}`, "log": `{"log_type":"result","data":[]}`, "distributed/read": `{}`, "distributed/write": `{"queries":{},"statuses":{}}`} {
		body = withCanaries(t, `{"node_key":"`+node.NodeKey+`",`+strings.TrimPrefix(strings.Replace(body, "{}", "{\"x\":1}", 1), "{"), stored, none)
		if a := e.askAgents("POST", "/api/osquery/"+path, body, "Content-Type", "application/json"); a.code != 200 || strings.Contains(a.body, canary) {
			t.Errorf("osquery %s = %d %.300s", path, a.code, a.body)
		}
	}
	files, err := filepath.Glob(filepath.Join(e.s.Dir(), "*.db*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if i := bytes.Index(raw, []byte(canary)); i >= 0 {
			t.Errorf("%s holds what was sent: %.200q", filepath.Base(f), raw[max(0, i-100):i+40])
		}
	}
}

// takesAnyDocument reports whether the body of a route is a document of
// somebody else's format, which is decoded by its own rules.
func takesAnyDocument(name string) bool {
	return name == "POST /api/x/sbom" || name == "POST /api/x/vex"
}

func resolve(doc *huma.OpenAPI, s *huma.Schema) *huma.Schema {
	for s.Ref != "" {
		s = doc.Components.Schemas.SchemaFromRef(s.Ref)
	}
	return s
}

// closed checks that no object below a schema takes names that are not its own.
func closed(t *testing.T, doc *huma.OpenAPI, route, at string, s *huma.Schema, seen map[string]bool) {
	t.Helper()
	if s.Ref != "" && seen[s.Ref] {
		return
	}
	seen[s.Ref] = true
	s = resolve(doc, s)
	if s.Type == huma.TypeObject && s.AdditionalProperties != false && !freeForm(route, at) {
		t.Errorf("%s: %s takes any name", route, at)
	}
	for name, p := range s.Properties {
		closed(t, doc, route, at+"."+name, p, seen)
	}
	if s.Items != nil {
		closed(t, doc, route, at+"[]", s.Items, seen)
	}
}

// freeForm are objects whose names are data: each says why.
func freeForm(route, at string) bool {
	return strings.HasSuffix(route, "/ticketing") && at == "body.config" || strings.HasSuffix(route, "/ticketing/{id}") && at == "body.config" // decoded strictly by its kind
}
