package api

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/server"
)

// stored are names of what the server keeps beside what people send.
var stored = []string{"id", "num", "created", "created_at", "created_by", "by", "actor", "admin", "administrator", "permissions", "role", "roles", "scope", "all_devices", "built_in",
	"source", "external", "password", "hash", "secret", "digest", "owner", "status", "ended", "was", "targets", "spec", "user_id", "compiled", "match", "Admin", "Groups", "UserID"}

// TestStoredFieldsAreRefused is for CVE-2026-19072: a field that only the server
// sets is no part of a request. Every route that takes a JSON object is sent
// every name that the server stores or answers and that is not among the
// route's own, one at a time, also in nested objects as far as the description goes.
func TestStoredFieldsAreRefused(t *testing.T) {
	c := newConsole(Options{Server: struct{ Backend }{}, Log: discard()})
	doc := c.api.OpenAPI()
	w := newWorld(t)
	boss := w.session()
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
			for _, field := range names {
				if own[field] != nil || own[strings.ToLower(field)] != nil || field == "$schema" {
					continue
				}
				good := map[string]any{}
				if err := json.Unmarshal([]byte(table[name].body), &good); err != nil {
					t.Errorf("%s: the example body: %v", name, err)
					break
				}
				good[field] = "1"
				raw, err := json.Marshal(good)
				if err != nil {
					t.Fatal(err)
				}
				sent++
				// That it is refused says little where the example is refused anyway: the answer names the field.
				if a := w.do(method, table[name].target, string(raw), append([]string{"Content-Type", "application/json"}, boss...)...); a.code != 422 && a.code != 400 ||
					!strings.Contains(a.body, `"location":"body.`+field+`"`) {
					t.Errorf("%s takes %q: %d %.300s", name, field, a.code, a.body)
				}
				if name == "DELETE /api/x/session" {
					boss = w.session()
				}
			}
		}
	}
	if sent < 500 {
		t.Errorf("only %d requests were sent", sent)
	}
	// The Defender-compatible routes.
	admin := w.app()
	for name, rt := range table {
		method, _, _ := strings.Cut(name, " ")
		if strings.HasPrefix(name, "GET") || strings.Contains(name, " /api/x") || !strings.HasPrefix(rt.body, "{") || len(server.AppPermissions) == 0 {
			continue
		}
		for _, field := range stored {
			good := map[string]any{}
			if err := json.Unmarshal([]byte(rt.body), &good); err != nil {
				t.Fatal(err)
			}
			if _, own := good[field]; own {
				continue
			}
			good[field] = "1"
			raw, _ := json.Marshal(good)
			if a := w.do(method, rt.target, string(raw), append([]string{"Content-Type", "application/json"}, admin...)...); a.code != 400 {
				t.Errorf("%s takes %q: %d %.100s", name, field, a.code, a.body)
			}
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
