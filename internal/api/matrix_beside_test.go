package api

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/picketsec/picket/internal/api/mde"
	"github.com/picketsec/picket/internal/server"
)

// Whose credentials open routes beside the API, and nothing in it.
const (
	aDirectory = "a directory"
	aNode      = "an osqueryd"
	agents     = "an agent's listener" // TLS of agents, which tests of package server are about
)

// beside is the table of who may do what outside /api and on the agents'
// listener: target, body and what a good request answers.
var beside = map[string]route{
	"GET /scim/v2/ServiceProviderConfig": {aDirectory, "/scim/v2/ServiceProviderConfig", "", 200},
	"GET /scim/v2/ResourceTypes":         {aDirectory, "/scim/v2/ResourceTypes", "", 200},
	"GET /scim/v2/ResourceTypes/{id}":    {aDirectory, "/scim/v2/ResourceTypes/User", "", 200},
	"GET /scim/v2/Schemas":               {aDirectory, "/scim/v2/Schemas", "", 200},
	"GET /scim/v2/Schemas/{id}":          {aDirectory, "/scim/v2/Schemas/urn:ietf:params:scim:schemas:core:2.0:User", "", 200},
	"GET /scim/v2/Users":                 {aDirectory, "/scim/v2/Users", "", 200},
	"POST /scim/v2/Users":                {aDirectory, "/scim/v2/Users", `{"title":"no name"}`, 400},
	"GET /scim/v2/Users/{id}":            {aDirectory, "/scim/v2/Users/1", "", 404}, // those of others are not the directory's
	"PUT /scim/v2/Users/{id}":            {aDirectory, "/scim/v2/Users/1", `{"userName":"x"}`, 404},
	"PATCH /scim/v2/Users/{id}":          {aDirectory, "/scim/v2/Users/1", `{"Operations":[]}`, 404},
	"DELETE /scim/v2/Users/{id}":         {aDirectory, "/scim/v2/Users/1", "", 404},
	"GET /scim/v2/Groups":                {aDirectory, "/scim/v2/Groups", "", 200},
	"POST /scim/v2/Groups":               {aDirectory, "/scim/v2/Groups", `{}`, 400},
	"GET /scim/v2/Groups/{id}":           {aDirectory, "/scim/v2/Groups/1", "", 404},
	"PUT /scim/v2/Groups/{id}":           {aDirectory, "/scim/v2/Groups/1", `{"displayName":"x"}`, 404},
	"PATCH /scim/v2/Groups/{id}":         {aDirectory, "/scim/v2/Groups/1", `{"Operations":[]}`, 404},
	"DELETE /scim/v2/Groups/{id}":        {aDirectory, "/scim/v2/Groups/1", "", 404},

	"POST /{tenant}/oauth2/v2.0/token":                          {anyone, "/oauth2/v2.0/token", "grant_type=client_credentials&client_id=x&client_secret=y", 401},
	"POST /{tenant}/oauth2/token":                               {anyone, "/oauth2/token", "grant_type=client_credentials&client_id=x&client_secret=y", 401},
	"GET /{tenant}/v2.0/.well-known/openid-configuration":       {anyone, "/v2.0/.well-known/openid-configuration", "", 200},
	"GET /{tenant}/.well-known/openid-configuration":            {anyone, "/.well-known/openid-configuration", "", 200},
	"GET /{tenant}/oauth2/v2.0/authorize":                       {anyone, "/oauth2/v2.0/authorize?client_id=x", "", 302},
	"POST /{tenant}/oauth2/v2.0/devicecode":                     {anyone, "/oauth2/v2.0/devicecode", "client_id=x", 401},
	"POST /{tenant}/oauth2/v2.0/revoke":                         {anyone, "/oauth2/v2.0/revoke", "client_id=x&token=y", 401},
	"GET /{tenant}/v2.0/.well-known/oauth-authorization-server": {anyone, "/v2.0/.well-known/oauth-authorization-server", "", 200},
	"GET /{tenant}/.well-known/oauth-authorization-server":      {anyone, "/.well-known/oauth-authorization-server", "", 200},
	"GET /.well-known/oauth-authorization-server/{tenant}/v2.0": {anyone, "/.well-known/oauth-authorization-server", "", 200},
	"GET /{tenant}/discovery/v2.0/keys":                         {anyone, "/discovery/v2.0/keys", "", 200},
	"GET /{tenant}/discovery/keys":                              {anyone, "/discovery/keys", "", 200},
	"GET /healthz":                                              {anyone, "/healthz", "", 200},
	"GET /readyz":                                               {anyone, "/readyz", "", 200},
	"GET " + server.SSOCallback:                                 {anyone, server.SSOCallback + "?code=x&state=y", "", 303},
	"GET " + mde.DownloadPath + "{id}/{sub}":                    {anyone, mde.DownloadPath + "guess/1.gz", "", 404},
	"GET " + mde.PackagePath + "{id}":                           {anyone, mde.PackagePath + "guess", "", 404},
	"AGENTS POST /agent/v1/enroll":                              {agents, "", "", 0},
	"AGENTS PUT /agent/v1/package/{id}":                         {agents, "", "", 0},
	"AGENTS GET /agent/v1/session":                              {agents, "", "", 0},
	"AGENTS POST /api/osquery/enroll":                           {anyone, "/api/osquery/enroll", `{"enroll_secret":"guess","host_identifier":"h"}`, 200},
	"AGENTS POST /api/osquery/config":                           {aNode, "/api/osquery/config", "{}", 200},
	"AGENTS POST /api/osquery/log":                              {aNode, "/api/osquery/log", "{}", 200},
	"AGENTS POST /api/osquery/distributed/read":                 {aNode, "/api/osquery/distributed/read", "{}", 200},
	"AGENTS POST /api/osquery/distributed/write":                {aNode, "/api/osquery/distributed/write", "{}", 200},
	"AGENTS POST /api/v1/osquery/enroll":                        {anyone, "/api/v1/osquery/enroll", `{"enroll_secret":"guess","host_identifier":"h"}`, 200},
	"AGENTS POST /api/v1/osquery/config":                        {aNode, "/api/v1/osquery/config", "{}", 200},
	"AGENTS POST /api/v1/osquery/log":                           {aNode, "/api/v1/osquery/log", "{}", 200},
	"AGENTS POST /api/v1/osquery/distributed/read":              {aNode, "/api/v1/osquery/distributed/read", "{}", 200},
	"AGENTS POST /api/v1/osquery/distributed/write":             {aNode, "/api/v1/osquery/distributed/write", "{}", 200},
}

// registeredBeside lists the routes beside the API, from the table that the
// router reads and from where the routes below each line of it are registered. A
// line of which nothing is known here fails.
func registeredBeside(t *testing.T, s *server.Server) []string {
	t.Helper()
	var out []string
	for _, p := range prefixes() {
		switch p.area {
		case areaConsole, areaDefender: // registered lists them
			if p.path != "/api/x/" && p.path != "/api/" {
				t.Errorf("the API is served below %q as well", p.path)
			}
		case areaProbe, areaArrive:
			out = append(out, "GET "+p.path)
		case areaFile:
			out = append(out, "GET "+p.path+"{id}/{sub}")
		case areaPackage:
			out = append(out, "GET "+p.path+"{id}")
		case areaSCIM:
			if !strings.HasPrefix(server.SCIMPath, p.path) {
				t.Errorf("provisioning is served below %q as well", p.path)
			}
			for _, r := range scimRoutes() {
				out = append(out, r.method+" "+server.SCIMPath+r.path)
			}
		case areaToken:
			out = append(out, "GET "+metadataPath+"{tenant}/v2.0")
			for _, p := range tokenPaths() {
				method := "GET"
				if p.kind == "token" || p.kind == "devicecode" || p.kind == "revoke" {
					method = "POST"
				}
				out = append(out, method+" /{tenant}"+p.suffix)
			}
		default:
			t.Errorf("nothing says what is served at %q: name its routes here, and in the table who may use them", p.path)
		}
	}
	for _, p := range s.AgentRoutes() {
		out = append(out, "AGENTS "+p)
	}
	return out
}

// TestPathsAreInOneTable reads the functions that a request goes through before
// it is known which part it is for: none of them names a path. What is served is
// in the table of prefixes, which the matrix reads.
func TestPathsAreInOneTable(t *testing.T) {
	read := 0
	for file, functions := range map[string][]string{"api.go": {"ServeHTTP", "New"}, "area.go": {"fits", "areaOf", "afterSegments"}, "request.go": {"prepare", "serveAPI", "authenticate"}, "host.go": nil} {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || functions != nil && !slices.Contains(functions, fn.Name.Name) {
				continue
			}
			read++
			ast.Inspect(fn, func(n ast.Node) bool {
				lit, ok := n.(*ast.BasicLit)
				if ok && lit.Kind == token.STRING && strings.HasPrefix(lit.Value, `"/`) && len(lit.Value) > len(`"/"`) {
					t.Errorf("%s of %s names the path %s: it belongs into prefixes", fn.Name.Name, file, lit.Value)
				}
				return true
			})
		}
	}
	if read < 8 {
		t.Errorf("only %d functions were found", read)
	}
}

// nodeKey enrols an osqueryd.
func (e *estate) nodeKey() string {
	e.t.Helper()
	secret, _, err := e.s.CreateToken(e.t.Context(), e.admin, "n", 1, 1)
	if err != nil {
		e.t.Fatal(err)
	}
	a := e.askAgents("POST", "/api/osquery/enroll", `{"enroll_secret":"`+secret+`","host_identifier":"h","platform_type":"9","host_details":{}}`)
	var out struct {
		NodeKey string `json:"node_key"`
	}
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || out.NodeKey == "" {
		e.t.Fatalf("enrol osquery: %d %s", a.code, a.body)
	}
	return out.NodeKey
}

// askAgents sends a request to the agents' listener.
func (e *estate) askAgents(method, target, body string, header ...string) answer {
	rec := httptest.NewRecorder()
	e.s.AgentHandler().ServeHTTP(rec, e.request(method, target, body, header...))
	return answer{code: rec.Code, body: rec.Body.String(), header: rec.Header()}
}

// TestMatrixBeside asks every route beside the API as everybody: a directory's
// token opens SCIM and nothing else does, a node key opens osquery's routes and
// nothing else does, and what is for anyone makes no difference between them.
// A route that is not in the table fails.
func TestMatrixBeside(t *testing.T) {
	walk(t)
	e := openEstate(t)
	people := e.everybody()
	listed := registeredBeside(t, e.s)
	for name := range beside {
		if !slices.Contains(listed, name) {
			t.Errorf("the table lists %q, which does not exist", name)
		}
	}
	asked := 0
	for _, name := range listed {
		rt, ok := beside[name]
		if !ok {
			t.Errorf("route %q is not in the table of who may use it", name)
			continue
		}
		method, path, _ := strings.Cut(strings.TrimPrefix(name, "AGENTS "), " ")
		if rt.need == agents { // on the console's listener they are not there at all
			if a := e.do(method, path, "{}"); a.code < 400 && strings.Contains(a.body, "certificate") {
				t.Errorf("%s on the console's listener = %d %s", name, a.code, a.body)
			}
			continue
		}
		for _, who := range people {
			asked++
			if strings.HasPrefix(name, "AGENTS ") {
				e.besideAgents(name, method, rt, who)
				continue
			}
			want := rt.ok
			if rt.need == aDirectory && who.name != aDirectory {
				want = 401
			}
			if a := e.ask(who, method, rt.target, rt.body); a.code != want {
				t.Errorf("%s as %s = %d, want %d: %.200s", name, who.name, a.code, want, a.body)
			}
		}
	}
	if asked < 800 {
		t.Errorf("only %d requests", asked)
	}
}

// besideAgents asks a route of osquery: whoever has no node key is told that the node is invalid.
func (e *estate) besideAgents(name, method string, rt route, who somebody) {
	e.t.Helper()
	body := rt.body
	mine := who.name == aNode && rt.need == aNode
	if mine {
		body = `{"node_key":"` + strings.TrimPrefix(who.header[1], "Bearer ") + `"}`
	}
	a := e.askAgents(method, rt.target, body, append([]string{"Content-Type", "application/json"}, who.header...)...)
	if refused := a.code >= 400 || strings.Contains(a.body, `"node_invalid":true`); refused == mine {
		e.t.Errorf("%s as %s = %d %.200s", name, who.name, a.code, a.body)
	}
}
