package api

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/server"
)

// naming is a field of a request's body that names something which devices are
// behind: how a body is that names it, and what the answer is when it is
// somebody else's. "{it}" is what is named; "{device}", "{recommendation}" and
// so on are the caller's own.
type naming struct {
	field string // as fieldsOf writes it
	kind  string // of world.named
	body  string
	code  int // of what is others', and of what is not there
	good  int // of what is one's own
}

// naming of every route whose body can name something of others. A route that
// has a field which is neither here nor in plainFields fails.
var namings = map[string][]naming{
	"POST /api/x/alerts": {
		{"device_id", "devices", `{"device_id":"{it}","event_id":"{event}","severity":"Low","title":"a title","description":"d","recommended_action":"r","category":"Malware"}`, 404, 201},
	},
	"POST /api/x/alerts/update": {
		{"alert_ids[]", "alerts", `{"alert_ids":["{it}"],"status":"Resolved"}`, 404, 204},
		{"alert_ids[]", "alerts", `{"alert_ids":["{alert}","{it}"],"status":"Resolved"}`, 404, 204},
	},
	"POST /api/x/devices/{id}/investigations": {
		{"alert", "first alerts", `{"comment":"c","alert":"{it}"}`, 422, 409}, // a bill of materials has no agent
	},
	"POST /api/x/machine-actions": {
		{"devices[]", "devices", `{"devices":["{it}"],"kind":"collect","comment":"c"}`, 404, 409},
		{"devices[]", "devices", `{"devices":["{it}","{device}"],"kind":"collect","comment":"c"}`, 201, 201}, // each with what becomes of it
	},
	"POST /api/x/exceptions": {
		{"devices[]", "devices", `{"recommendation":"{recommendation}","scope":"Devices","devices":["{it}"],"justification":"RiskAccepted","days":30}`, 404, 201},
		{"groups[]", "groups", `{"product":"{product}","scope":"DeviceGroups","groups":[{it}],"justification":"RiskAccepted","days":30}`, 404, 201},
		{"recommendation", "to do", `{"recommendation":"{it}","scope":"DeviceGroups","groups":[{group}],"justification":"RiskAccepted","days":30}`, 404, 201},
		{"product", "products", `{"product":"{it}","version_from":"1","scope":"DeviceGroups","groups":[{group}],"justification":"RiskAccepted","days":30}`, 404, 201},
	},
	"POST /api/x/exceptions/{id}/cancel": {
		{"groups[]", "groups", `{"groups":[{it}]}`, 422, 200},
	},
	"POST /api/x/what-if": {
		{"recommendations[]", "to do", `{"recommendations":["{it}"]}`, 200, 200},
		{"recommendations[]", "to do", `{"recommendations":["{recommendation}","{it}"]}`, 200, 200},
	},
	"POST /api/x/plans/draft": {
		{"recommendations[]", "to do", `{"target":1,"recommendations":["{it}"]}`, 200, 200},
		{"exclude[]", "to do", `{"target":1,"exclude":["{it}"]}`, 200, 200},
	},
	"POST /api/x/plans": {
		{"draft", "drafts", `{"draft":"{it}","name":"n"}`, 404, 201},
	},
	"POST /api/x/plans/{id}/remediation": {
		{"steps[]", "to do", `{"steps":["{it}"],"priority":"High"}`, 422, 0}, // its own are those of the plan
	},
	"POST /api/x/remediations": {
		{"recommendation_id", "to do", `{"recommendation_id":"{it}","type":"Update","priority":"High"}`, 404, 0},
		{"groups[]", "groups", `{"recommendation_id":"{recommendation}","type":"{type}","priority":"High","groups":[{it}]}`, 422, 201},
	},
	"POST /api/x/indicators": {
		{"device_groups[]", "groups", `{"type":"IpAddress","value":"192.0.2.9","action":"Block","title":"t","description":"d","device_groups":[{it}]}`, 422, 201},
		{"device_groups[]", "groups", `{"type":"IpAddress","value":"192.0.2.10","action":"Block","title":"t","description":"d","device_groups":[{group},{it}]}`, 422, 201},
	},
	"PUT /api/x/indicators/{id}": {
		{"device_groups[]", "groups", `{"type":"IpAddress","value":"192.0.2.71","action":"Block","title":"t","description":"d","device_groups":[{it}]}`, 422, 200},
	},
	"POST /api/x/indicators/import": {
		{"indicators[].device_groups[]", "groups", `{"indicators":[{"type":"IpAddress","value":"192.0.2.11","action":"Block","title":"t","description":"d","device_groups":[{it}]}]}`, 200, 200},
	},
	"POST /api/x/inaccuracies": {
		{"subject", "products", `{"kind":"software","subject":"{it}","category":"other","details":"no"}`, 404, 201},
	},
	"POST /api/x/tags": {
		{"devices[]", "devices", `{"devices":["{it}"],"add":["new"]}`, 404, 200},
		{"devices[]", "devices", `{"devices":["{device}","{it}"],"add":["newer"]}`, 404, 200},
	},
	"POST /api/x/hunting/run": {
		{"query", "devices", `{"query":"DeviceInfo | where DeviceId == '{it}'"}`, 200, 200},
		{"query", "devices", `{"query":"AlertInfo | where Title contains 'alert of' | project Title"}`, 200, 200},
	},
	"POST /api/x/hunting/check":  {{"query", "devices", `{"query":"DeviceInfo | where DeviceId == '{it}'"}`, 200, 200}},
	"POST /api/x/hunting/export": {{"query", "devices", `{"query":"DeviceInfo | where DeviceId == '{it}'","format":"csv"}`, 200, 200}},

	"POST /api/advancedqueries/run": {{"Query", "devices", `{"Query":"DeviceInfo | where DeviceId == '{it}'"}`, 200, 200}},
	"POST /api/advancedhunting/run": {{"Query", "devices", `{"Query":"DeviceInfo | where DeviceId == '{it}'"}`, 200, 200}},
	"POST /api/machines/{id}/tags":  {{"MachineIds", "devices", `{"Value":"new","Action":"Add","MachineIds":["{it}"]}`, 200, 200}}, // the one of the path alone
	"POST /api/machines/AddOrRemoveTagForMultipleMachines": {
		{"MachineIds", "devices", `{"Value":"new","Action":"Add","MachineIds":["{it}"]}`, 404, 204},
		{"MachineIds", "devices", `{"Value":"newer","Action":"Add","MachineIds":["{device}","{it}"]}`, 404, 204},
	},
	"PATCH /api/alerts/{id}": {{"alertIds", "alerts", `{"status":"Resolved","alertIds":["{it}"]}`, 400, 0}}, // those of batchUpdate
	"POST /api/alerts/batchUpdate": {
		{"alertIds", "alerts", `{"alertIds":["{it}"],"status":"Resolved"}`, 404, 200},
		{"alertIds", "alerts", `{"alertIds":["{alert}","{it}"],"status":"Resolved"}`, 404, 200},
	},
	"POST /api/alerts/CreateAlertByReference": {
		{"machineId", "devices", `{"machineId":"{it}","severity":"Low","title":"by reference","description":"d","recommendedAction":"r","category":"Malware","eventTime":"{time}","reportId":"1"}`, 404, 200},
	},
	"POST /api/indicators": {
		{"rbacGroupIds", "groups", `{"indicatorValue":"192.0.2.12","indicatorType":"IpAddress","action":"Block","title":"t","description":"d","rbacGroupIds":["{it}"]}`, 400, 200},
		{"rbacGroupNames", "group names", `{"indicatorValue":"192.0.2.13","indicatorType":"IpAddress","action":"Block","title":"t","description":"d","rbacGroupNames":["{it}"]}`, 400, 200},
	},
	"POST /api/indicators/import": {
		{"rbacGroupIds", "groups", `{"Indicators":[{"indicatorValue":"192.0.2.14","indicatorType":"IpAddress","action":"Block","title":"t","description":"d","rbacGroupIds":["{it}"]}]}`, 200, 200},
		{"rbacGroupNames", "group names", `{"Indicators":[{"indicatorValue":"192.0.2.15","indicatorType":"IpAddress","action":"Block","title":"t","description":"d","rbacGroupNames":["{it}"]}]}`, 200, 200},
	},
	"POST /api/indicators/BatchDelete": {
		{"IndicatorIds", "indicators", `{"IndicatorIds":["{it}"]}`, 404, 204},
	},
}

// plainFields name nothing that devices are behind, or, where it is said, nothing of others.
var plainFields = map[string]string{
	"category": "a word", "classification": "a word", "determination": "a word", "severity": "a word", "status": "a word", "kind": "a word", "scope": "a word", "priority": "a word", "format": "a word",
	"justification": "a word", "action": "a word", "type": "a word", "types[]": "words", "reason": "a word", "value": "a word or an address", "shared": "a truth",
	"title": "text", "description": "text", "comment": "text", "context": "text", "details": "text", "note": "text", "notes": "text", "name": "text", "recommended_action": "text",
	"recommended_actions": "text", "application": "text", "educate_url": "text", "external_id": "text", "path": "a pattern of paths", "version_from": "a version", "version_to": "a version",
	"assigned_to": "a name of a person", "techniques[]": "of ATT&CK", "add[]": "tags", "remove[]": "tags", "password": "one's own",
	"until": "a time", "from": "a time", "to": "a time", "due": "a day", "expires_at": "a time", "days": "a number", "hours": "a number", "limit": "a number", "max_uses": "a number",
	"max_devices": "a number", "max_restarts": "a number", "target": "a number",
	"query": "asks about the devices of whoever runs it", "Query": "asks about the devices of whoever runs it", "weakness": "what anybody may know", "search": "a name of the caller's own", "destinations[]": "places for tickets, which all are told of", "event_id": "looked for on the device alone",

	"Comment": "text", "ExternalId": "text", "ScanType": "a word", "IsolationType": "a word", "Timespan": "a length of time", "Value": "a tag", "Action": "a word", "DeviceValue": "a word",
	"deviceValue": "a word", "machineTags": "tags", "assignedTo": "a name of a person", "eventTime": "a time", "recommendedAction": "text", "reportId": "looked for on the device alone",
	"mitreTechniques": "of ATT&CK", "Indicators": "a list of what has its own fields", "indicatorValue": "an address, a host, a hash", "indicatorType": "a word", "externalId": "text",
	"recommendedActions": "text", "expirationTime": "a time", "generateAlert": "a truth", "educateUrl": "text", "lookBackPeriod": "not looked at", "historicalDetection": "not looked at",
	"bypassDurationHours": "not looked at", "certificateInfo": "not looked at",
}

// fieldsOf are the fields of a body that hold texts or numbers: "devices[]", "indicators[].type".
func fieldsOf(doc *huma.OpenAPI, s *huma.Schema, at string) (out []string) {
	s = resolve(doc, s)
	switch {
	case s.Type == huma.TypeArray:
		return fieldsOf(doc, s.Items, at+"[]")
	case s.Type == huma.TypeObject:
		for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
			if name != "$schema" {
				out = append(out, fieldsOf(doc, s.Properties[name], strings.TrimPrefix(at+"."+name, "."))...)
			}
		}
		return out
	case s.Type == huma.TypeBoolean:
		return nil
	}
	return []string{at}
}

// defenderBodies are the names of the properties that handlers of the
// Defender-compatible routes decode, by the name of the function: read from the
// source, from what is handed to bodyOf and from the types of the package.
func defenderBodies(t *testing.T) map[string][]string {
	t.Helper()
	set := token.NewFileSet()
	paths, err := filepath.Glob("mde/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	structs := map[string]*ast.StructType{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
		ast.Inspect(f, func(n ast.Node) bool {
			if s, ok := n.(*ast.TypeSpec); ok {
				if st, ok := s.Type.(*ast.StructType); ok {
					structs[s.Name.Name] = st
				}
			}
			return true
		})
	}
	named := regexp.MustCompile("json:\"([^\",]+)")
	var fields func(st *ast.StructType) []string
	fields = func(st *ast.StructType) (out []string) {
		for _, f := range st.Fields.List {
			if id, ok := f.Type.(*ast.Ident); ok && len(f.Names) == 0 {
				out = append(out, fields(structs[id.Name])...)
				continue
			}
			for _, n := range f.Names {
				name := n.Name
				if f.Tag != nil {
					if m := named.FindStringSubmatch(f.Tag.Value); m != nil {
						name = m[1]
					}
				}
				out = append(out, name)
			}
		}
		return out
	}
	out := map[string][]string{}
	for _, f := range files {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil || fn.Name.Name == "bodyOf" {
				continue
			}
			local := map[string]ast.Expr{}
			if fn.Type.Results != nil {
				for _, r := range fn.Type.Results.List {
					for _, id := range r.Names {
						local[id.Name] = r.Type
					}
				}
			}
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.ValueSpec:
					for _, id := range n.Names {
						local[id.Name] = n.Type
					}
				case *ast.CallExpr:
					arg := 0
					switch fun := n.Fun.(type) {
					case *ast.SelectorExpr:
						if fun.Sel.Name != "bodyOf" {
							return true
						}
					case *ast.Ident:
						if fun.Name != "decodeStrictly" {
							return true
						}
						arg = 1
					default:
						return true
					}
					ptr, ok := n.Args[arg].(*ast.UnaryExpr)
					if !ok {
						t.Errorf("%s: what is decoded is not &x", set.Position(n.Pos()))
						return true
					}
					var st *ast.StructType
					switch typ := local[fmt.Sprint(ptr.X)].(type) {
					case *ast.StructType:
						st = typ
					case *ast.Ident:
						st = structs[typ.Name]
					}
					if st == nil {
						t.Errorf("%s: nothing is known of the type that is decoded", set.Position(n.Pos()))
						return true
					}
					out[fn.Name.Name] = append(out[fn.Name.Name], fields(st)...)
				}
				return true
			})
		}
	}
	return out
}

// named is something of a kind: the caller's own, somebody else's, and one that
// is nowhere. They are of the same length.
func (e *estate) named(kind string, drafts map[string]string) (own, foreign, none string) {
	e.t.Helper()
	switch kind {
	case "groups":
		return fmt.Sprint(e.groups["alpha"]), fmt.Sprint(e.groups["omega"]), "9"
	case "group names":
		return "alpha", "omega", "sigma"
	case "products":
		return "npm-_-alpha-lib", "npm-_-omega-lib", "npm-_-sigma-lib"
	case "to do":
		return "va-_-npm-_-alpha-lib", "va-_-npm-_-omega-lib", "va-_-npm-_-sigma-lib"
	case "drafts":
		return drafts["alpha"], drafts["omega"], strings.Repeat("A", len(drafts["omega"]))
	case "devices":
		return e.ids["alpha devices"][1], e.ids["omega devices"][1], strings.Repeat("ab", 20)
	case "first alerts":
		own, foreign := e.ids["alpha alerts"][0], e.ids["omega alerts"][0]
		return own, foreign, foreign[:len(foreign)-2] + "00"
	case "alerts":
		own, foreign := e.ids["alpha alerts"][1], e.ids["omega alerts"][1]
		return own, foreign, foreign[:len(foreign)-2] + "00"
	case "indicators":
		return e.ids["alpha indicators"][1], e.ids["omega indicators"][0], "9"
	}
	e.t.Fatalf("nothing is known of %q", kind)
	return "", "", ""
}

// asked is an answer without what is new each time, and without what was asked for.
func asked(a answer, it string) string {
	body := settledBody(a.body)
	if body == "" {
		body = a.body
	}
	body = regexp.MustCompile(`(^|[ ":,\[])`+regexp.QuoteMeta(it)+`($|[ ",\]}\\.])`).ReplaceAllString(body, "${1}IT$2")
	for _, changing := range []string{`"(instance|draft|target|created_at)":"[^"]*"`, `"(elapsed_ms|took_ms|cpu_ms|wait_ms|milliseconds|ms)":[0-9.]+`} {
		body = regexp.MustCompile(changing).ReplaceAllString(body, `"$1":0`)
	}
	return body
}

// state is what an administrator reads of everything that a request could change.
func (e *estate) state(boss somebody) string {
	e.t.Helper()
	var out strings.Builder
	for _, list := range []string{"devices", "alerts", "exceptions", "remediations", "plans", "indicators", "machine-actions", "investigations", "approvals", "inaccuracies", "tags", "device-groups"} {
		a := e.ask(boss, "GET", "/api/x/"+list, "")
		if a.code != 200 {
			e.t.Fatalf("%s = %d %s", list, a.code, a.body)
		}
		out.WriteString(settledBody(a.body) + "\n")
	}
	return out.String()
}

// inScope asks routes as somebody who sees alpha alone and may do all that there
// is: those of the Defender-compatible API as a program that holds every
// permission, which no role opens.
func (e *estate) inScope(who somebody) func(method, target, body string) answer {
	e.t.Helper()
	c, _, err := e.s.SessionCaller(e.t.Context(), server.SessionSecret(strings.TrimPrefix(who.header[1], sessionCookie+"=")))
	if err != nil {
		e.t.Fatal(err)
	}
	c.Permissions = append(slices.Clone(c.Permissions), server.AppPermissions...)
	return func(method, target, body string) answer {
		e.t.Helper()
		if strings.HasPrefix(target, "/api/x/") {
			return e.ask(who, method, target, body)
		}
		rec := httptest.NewRecorder()
		r := e.request(method, target, body, "Content-Type", "application/json")
		e.h.(*handler).mde.Serve(rec, r, afterSegments(r.URL.EscapedPath(), 1), c, "http://picket.test")
		return answer{code: rec.Code, body: rec.Body.String(), header: rec.Header()}
	}
}

// TestBodiesNameNothingOfOthers names what is others' in the body of every route
// that takes a name of anything: the answer is that to a name of nothing at all,
// nothing is changed, and nothing is told. Every field of every body is accounted for.
func TestBodiesNameNothingOfOthers(t *testing.T) {
	walk(t)
	e := openEstate(t)
	who, boss := e.hire("Security operator", "alpha"), e.hire("Administrator", "all")
	ask := e.inScope(who)
	fill := e.ownWords(ask)
	for _, name := range slices.Sorted(maps.Keys(fieldsOfBodies(t))) {
		method, path, _ := strings.Cut(name, " ")
		for _, n := range namings[name] {
			drafts := map[string]string{}
			for _, g := range []string{"alpha", "omega"} {
				mine := e.admin
				mine.Groups = []exposure.Group{e.groups[g]}
				p, err := e.s.DraftPlan(t.Context(), mine, server.PlanGoal{Target: 1, Recommendations: []string{e.ids[g+" plan"][0]}})
				if err != nil {
					t.Fatal(err)
				}
				drafts[g] = p.Draft
			}
			target := path
			if kind := objects(name); kind != "" {
				target = e.target(name, path, e.ids["alpha "+kind][0])
			}
			own, foreign, none := e.named(n.kind, drafts)
			body := func(it string) string { return strings.ReplaceAll(fill.Replace(n.body), "{it}", it) }
			before := e.state(boss)
			unknown := ask(method, target, body(none))
			mid := e.state(boss)
			theirs := ask(method, target, body(foreign))
			what := fmt.Sprintf("%s, %s", name, n.field)
			if theirs.code != n.code || unknown.code != n.code {
				t.Errorf("%s: of others = %d, of nobody = %d, want %d: %.300s %.300s", what, theirs.code, unknown.code, n.code, theirs.body, unknown.body)
			}
			if got, want := asked(theirs, foreign), asked(unknown, none); got != want {
				t.Errorf("%s: of others another answer than of nobody:\n%.600s\n%.600s", what, got, want)
			}
			if said := strings.ReplaceAll(theirs.body, foreign, ""); strings.Contains(strings.ToLower(said), "omega") {
				t.Errorf("%s tells of others: %.300s", what, said)
			}
			after := e.state(boss)
			if n.code >= 400 && (mid != before || after != before) {
				t.Errorf("%s was refused and changed something: %.2000s", what, difference(before, after))
			}
			if strings.Contains(difference(before, after), "omega") {
				t.Errorf("%s changed what is others'", what)
			}
			if n.good == 0 {
				continue
			}
			if a := ask(method, target, body(own)); a.code != n.good {
				t.Errorf("%s: of one's own = %d, want %d: the example says nothing: %.300s", what, a.code, n.good, a.body)
			}
		}
	}
}

// difference are the lines that are in one text alone.
func difference(a, b string) string {
	var out []string
	have := strings.Split(a, "\n")
	for i, line := range strings.Split(b, "\n") {
		if i >= len(have) || have[i] != line {
			for _, part := range strings.Split(line, "},{") {
				if !strings.Contains(have[min(i, len(have)-1)], part) {
					out = append(out, part)
				}
			}
		}
	}
	return strings.Join(out, "\n")
}

// ownWords are the words of bodies that stand for what the caller sees.
func (e *estate) ownWords(ask func(method, target, body string) answer) *strings.Replacer {
	e.t.Helper()
	mine := e.admin
	mine.Groups = []exposure.Group{e.groups["alpha"]}
	recs, err := e.s.Recommendations(e.t.Context(), mine, server.Query{}, nil)
	if err != nil || len(recs.Items) == 0 {
		e.t.Fatal(recs, err)
	}
	for _, g := range []string{"alpha", "omega"} {
		e.ids[g+" plan"] = []string{recs.Items[0].ID}
	}
	var line struct {
		Items []struct {
			ID   string `json:"id"`
			Time string `json:"time"`
		} `json:"items"`
	}
	a := ask("GET", "/api/x/devices/"+e.ids["alpha devices"][1]+"/timeline", "")
	if err := json.Unmarshal([]byte(a.body), &line); err != nil || a.code != 200 || len(line.Items) == 0 {
		e.t.Fatalf("timeline = %d %s", a.code, a.body)
	}
	return strings.NewReplacer("{device}", e.ids["alpha devices"][0], "{alert}", e.ids["alpha alerts"][0], "{group}", fmt.Sprint(e.groups["alpha"]), "{product}", "npm-_-alpha-lib",
		"{recommendation}", recs.Items[0].ID, "{type}", recs.Items[0].Type, "{event}", line.Items[0].ID, "{time}", line.Items[0].Time)
}

// handlerOf names the functions that decode bodies of the Defender-compatible routes.
var handlerOf = map[string]string{"POST /api/machines/{id}/tags": "tagMachine", "POST /api/machines/AddOrRemoveTagForMultipleMachines": "tagMachines", "PATCH /api/machines/{id}": "patchMachine",
	"POST /api/machines/{id}/setDeviceValue": "setDeviceValue", "PATCH /api/alerts/{id}": "patchAlert", "POST /api/alerts/batchUpdate": "updateAlerts",
	"POST /api/alerts/CreateAlertByReference": "createAlert", "POST /api/advancedqueries/run": "hunt", "POST /api/advancedhunting/run": "hunt", "POST /api/indicators/import": "importIndicators",
	"POST /api/indicators/BatchDelete": "deleteIndicators", "POST /api/indicators": "saveIndicator", "POST /api/machines/{id}/startInvestigation": "asked",
	"POST /api/machineactions/{id}/cancel": "asked", "POST /api/machines/{id}/isolate": "asked", "POST /api/machines/{id}/unisolate": "asked",
	"POST /api/machines/{id}/runAntiVirusScan": "asked", "POST /api/machines/{id}/collectInvestigationPackage": "asked"}

// fieldsOfBodies are the fields of the bodies of all routes that whoever sees
// some devices may use, and accounts for each of them.
func fieldsOfBodies(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	doc := newConsole(Options{Server: struct{ Backend }{}, Log: discard()}).api.OpenAPI()
	for path, item := range doc.Paths {
		for method, op := range map[string]*huma.Operation{"POST": item.Post, "PUT": item.Put, "PATCH": item.Patch, "DELETE": item.Delete} {
			name := method + " /api/x" + path
			if op == nil || op.RequestBody == nil || op.RequestBody.Content["application/json"] == nil {
				continue
			}
			out[name] = fieldsOf(doc, op.RequestBody.Content["application/json"].Schema, "")
		}
	}
	bodies, used := defenderBodies(t), map[string]bool{}
	for _, name := range registered(t) {
		if method, _, _ := strings.Cut(name, " "); method == "GET" || method == "DELETE" || strings.HasPrefix(name, method+" /api/x/") {
			continue
		}
		if bodies[handlerOf[name]] == nil {
			t.Errorf("%s: nothing says which function decodes its body (%q)", name, handlerOf[name])
		}
		out[name], used[handlerOf[name]] = bodies[handlerOf[name]], true
	}
	for fn := range bodies {
		if !used[fn] {
			t.Errorf("the body that %s decodes is that of no route here", fn)
		}
	}
	for name, fields := range out {
		rt := table[name]
		if rt.need == anyone || rt.need == person || rt.need == manager || rt.fleetWide() {
			delete(out, name)
			continue
		}
		for _, f := range fields {
			has := slices.ContainsFunc(namings[name], func(n naming) bool { return n.field == f })
			if _, plain := plainFields[f[strings.LastIndex(f, ".")+1:]]; !has && !plain {
				t.Errorf("%s: nothing says what its field %s names: add a row of namings, or, where it names nothing of others, a plain field", name, f)
			}
		}
	}
	for name, list := range namings {
		for _, n := range list {
			if !slices.Contains(out[name], n.field) {
				t.Errorf("%s has no field %s", name, n.field)
			}
		}
	}
	return out
}

// TestNamesBelowAnObject asks for what is below an object by names of the
// object's own, of somebody else's, and of nothing: "{sub}" and its like. A
// route without a row fails.
func TestNamesBelowAnObject(t *testing.T) {
	e := openEstate(t)
	tickets := e.addTickets()
	who, boss := e.hire("Security operator", "alpha"), e.hire("Administrator", "all")
	event := func(name string) string {
		var line struct {
			Items []struct {
				ID string `json:"id"`
			} `json:"items"`
		}
		a := e.ask(boss, "GET", "/api/x/devices/"+e.ids[name+" devices"][0]+"/timeline", "")
		if err := json.Unmarshal([]byte(a.body), &line); err != nil || len(line.Items) == 0 {
			t.Fatalf("timeline = %d %s", a.code, a.body)
		}
		return line.Items[0].ID
	}
	type names struct {
		own, foreign string
		good, bad    int // of one's own; of others' below one's own
		shared       bool
	}
	rows := map[string]names{
		"GET /api/x/devices/{id}/timeline/events/{sub}":      {event("alpha"), event("omega"), 200, 404, event("alpha") == event("omega")},
		"PUT /api/x/devices/{id}/timeline/events/{sub}/flag": {event("alpha"), event("omega"), 204, 404, event("alpha") == event("omega")},
		"GET /api/x/devices/{id}/software/{product}":         {"npm-_-alpha-lib", "npm-_-omega-lib", 200, 404, false},
		"GET /api/x/devices/{id}/vulnerabilities/{weakness}": {"CVE-2024-1000", "CVE-2024-9999", 200, 404, false},
		"POST /api/x/remediations/{id}/tickets/{sub}/retry":  {tickets["alpha"], tickets["omega"], 200, 409, false},
	}
	for _, name := range registered(t) {
		method, path, _ := strings.Cut(name, " ")
		if !strings.ContainsAny(strings.Replace(path, "{id}", "", 1), "{") || table[name].need == manager {
			continue
		}
		row, ok := rows[name]
		if !ok {
			t.Errorf("%s: nothing says what is below its object", name)
			continue
		}
		kind := objects(name)
		at := func(object, sub string) string {
			target := strings.Replace(path, "{id}", object, 1)
			for _, p := range []string{"{product}", "{weakness}", "{sub}"} {
				target = strings.Replace(target, p, sub, 1)
			}
			return target
		}
		alpha, omega := e.ids["alpha "+kind][0], e.ids["omega "+kind][0]
		if !row.shared {
			a := e.ask(who, method, at(alpha, row.foreign), table[name].body)
			none := e.ask(who, method, at(alpha, strings.Repeat("9", max(1, len(row.foreign)-1))), table[name].body)
			if a.code != row.bad || strings.Contains(strings.ToLower(strings.ReplaceAll(a.body, row.foreign, "")), "omega") {
				t.Errorf("%s: of others below one's own = %d, want %d: %.300s", name, a.code, row.bad, a.body)
			}
			if kind == "remediations" && none.code != a.code {
				t.Errorf("%s: of others = %d, of nobody = %d", name, a.code, none.code)
			}
		}
		theirs := strings.SplitAfter(strings.Replace(path, "{id}", omega, 1), omega)[0]
		before := settledBody(e.ask(boss, "GET", theirs, "").body)
		if a := e.ask(who, method, at(omega, row.foreign), table[name].body); a.code != 404 {
			t.Errorf("%s: of others = %d, want 404: %.300s", name, a.code, a.body)
		}
		if after := settledBody(e.ask(boss, "GET", theirs, "").body); after != before || before == "" {
			t.Errorf("%s was refused and changed something: %.600s %.600s", name, before, after)
		}
		if a := e.ask(who, method, at(alpha, row.own), table[name].body); a.code != row.good {
			t.Errorf("%s: of one's own = %d, want %d: the example says nothing: %.300s", name, a.code, row.good, a.body)
		}
	}
}

// addTickets gives the remediation of each group a ticket that waits to be sent,
// and returns the numbers of the messages.
func (e *estate) addTickets() map[string]string {
	e.t.Helper()
	ctx := e.t.Context()
	in := server.DestinationInput{Kind: "webhook", Name: "desk", Enabled: true, Secret: strings.Repeat("s", 32)}
	in.Config.URL = "http://127.0.0.1:1/"
	d, err := e.s.PutDestination(ctx, e.admin, "", in)
	if err != nil {
		e.t.Fatal(err)
	}
	out := map[string]string{}
	for _, name := range []string{"alpha", "omega"} {
		mine := e.admin
		mine.Groups = []exposure.Group{e.groups[name]}
		recs, err := e.s.Recommendations(ctx, mine, server.Query{}, nil)
		if err != nil {
			e.t.Fatal(err)
		}
		r, err := e.s.RequestRemediation(ctx, e.admin, server.RemediationRequest{Recommendation: recs.Items[0].ID, Type: recs.Items[0].Type, Groups: []uint32{uint32(e.groups[name])}, Priority: "High",
			Notes: name, Destinations: []string{d.ID}})
		if err != nil || len(r.Tickets) != 1 {
			e.t.Fatal(r.Tickets, err)
		}
		e.ids[name+" remediations"] = []string{r.ID}
		out[name] = fmt.Sprint(r.Tickets[0].ID)
	}
	return out
}
