package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/group"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/server"
	"github.com/picketsec/picket/internal/store"
)

// estate is a real server with two device groups, alpha and omega, with the same
// of everything in both: what is omega's has "omega" in its name.
type estate struct {
	*world
	s      *server.Server
	admin  server.Caller
	groups map[string]exposure.Group
	teams  map[string]int64    // user groups by "alpha", "omega"
	roles  map[string]int64    // by name
	ids    map[string][]string // of what belongs to "alpha" and "omega": by "alpha devices" …
}

// openEstate fills an estate.
func openEstate(t *testing.T) *estate {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	s := openServer(t, dir)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	e := &estate{world: &world{t: t, apps: map[string][]string{}, h: New(Options{Server: s, Log: discard()})}, s: s, admin: server.Caller{Name: "boss", Admin: true},
		groups: map[string]exposure.Group{}, teams: map[string]int64{}, roles: map[string]int64{}, ids: map[string][]string{}}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	importPoison(t, s, "CVE-2024-1000")
	roles, err := s.Roles(ctx, e.admin)
	must(err)
	for _, r := range roles {
		e.roles[r.Name] = r.ID
	}
	nothing, err := s.SaveRole(ctx, e.admin, 0, server.RoleEdit{Name: "Nothing", Permissions: []string{}})
	must(err)
	e.roles["Nothing"] = nothing.ID
	for _, name := range []string{"alpha", "omega"} {
		team, err := s.SaveUserGroup(ctx, e.admin, 0, server.UserGroupEdit{Name: "sees " + name})
		must(err)
		e.teams[name] = team.ID
		g, err := s.SaveDeviceGroup(ctx, e.admin, 0, server.RuleEdit{Name: name, UserGroups: []int64{team.ID},
			Rules: []group.Rule{{Conditions: []group.Condition{{Property: "name", Operator: "starts_with", Values: []string{name}}}}}})
		must(err)
		e.groups[name] = g.ID
	}
	_, err = s.SetGroupAccess(ctx, e.admin, 0, server.GroupAccess{UserGroups: []int64{e.teams["omega"]}})
	must(err)
	for _, name := range []string{"alpha", "omega"} {
		for n := range 2 {
			d, err := s.ImportSBOM(ctx, e.admin, []byte(fmt.Sprintf(`{"bomFormat":"CycloneDX","specVersion":"1.5","metadata":{"timestamp":"2026-11-01T00:00:00Z","component":{"type":"container","name":"%s-%d","version":"1"}},
				"components":[{"type":"library","name":"openssl","version":"1.0-1","purl":"pkg:deb/debian/openssl@1.0-1?arch=amd64&distro=debian-12&upstream=openssl"},
				{"type":"library","name":"%s-lib","version":"1.0","purl":"pkg:npm/%s-lib@1.0"}]}`, name, n, name, name)), server.SBOMImport{})
			must(err)
			e.ids[name+" devices"] = append(e.ids[name+" devices"], string(d.Device))
		}
		_, err := s.ChangeTags(ctx, e.admin, server.TagChange{Devices: e.ids[name+" devices"][:1], Add: []string{name + "-tag"}})
		must(err)
	}
	must(s.Close())
	e.plantActions(dir)
	planted := plantEvents(t, dir, append(slices.Clone(e.ids["alpha devices"]), e.ids["omega devices"]...))
	s = openServer(t, dir)
	e.s, e.h = s, New(Options{Server: s, Log: discard()})
	importPoison(t, s, "CVE-2024-1000", "CVE-2024-1001") // which is an event
	for _, name := range []string{"alpha", "omega"} {
		for _, dev := range e.ids[name+" devices"] {
			a, _, err := s.CreateAlert(ctx, e.admin, server.NewAlert{Device: dev, Severity: "High", Title: "alert of " + name, Description: name, Recommended: name, Category: "Malware",
				Report: "1", EventTime: planted, Techniques: []string{"T1053"}})
			must(err)
			e.ids[name+" alerts"] = append(e.ids[name+" alerts"], a.ID)
		}
		mine := e.admin
		mine.Groups = []exposure.Group{e.groups[name]}
		recs, err := s.Recommendations(ctx, mine, server.Query{}, nil)
		must(err)
		if len(recs.Items) == 0 {
			t.Fatal("there is nothing to do in " + name)
		}
		for _, r := range recs.Items {
			e.ids[name+" recommendations"] = append(e.ids[name+" recommendations"], r.ID)
		}
		list, err := s.SoftwareList(ctx, mine, server.Query{}, nil)
		must(err)
		for _, r := range list.Items {
			if name == "alpha" || strings.Contains(r.ID, name) { // openssl is both's
				e.ids[name+" software"] = append(e.ids[name+" software"], r.ID)
			}
		}
		x, err := s.MakeException(ctx, e.admin, server.NewException{Product: name + "-x", Weakness: "CVE-2024-1000", Scope: server.ScopeGroups, Groups: mine.Groups,
			Justification: server.RiskAccepted, Days: 30, Context: name})
		if err != nil {
			x, err = s.MakeException(ctx, e.admin, server.NewException{Recommendation: recs.Items[0].ID, Scope: server.ScopeGroups, Groups: mine.Groups,
				Justification: server.RiskAccepted, Days: 30, Context: name})
		}
		must(err)
		e.ids[name+" exceptions"] = []string{x.ID}
		a, err := s.RequestRemediation(ctx, e.admin, server.RemediationRequest{Recommendation: recs.Items[0].ID, Type: recs.Items[0].Type, Groups: []uint32{uint32(e.groups[name])},
			Priority: "High", Notes: name})
		must(err)
		e.ids[name+" remediations"] = []string{a.ID}
		p, err := s.DraftPlan(ctx, mine, server.PlanGoal{Target: 1, Recommendations: []string{recs.Items[0].ID}})
		must(err)
		p, err = s.SavePlan(ctx, mine, p.Draft, "plan of "+name)
		must(err)
		e.ids[name+" plans"] = []string{p.ID}
		events, err := s.Events(ctx, mine, server.Query{})
		must(err)
		for _, ev := range events.Items {
			e.ids[name+" events"] = append(e.ids[name+" events"], ev.ID)
		}
	}
	e.addApprovals(dir)
	e.addIndicators()
	shared := slices.Clone(e.ids["omega events"]) // what concerns both is no foreign object
	e.ids["omega events"] = slices.DeleteFunc(e.ids["omega events"], func(id string) bool { return slices.Contains(e.ids["alpha events"], id) })
	e.ids["omega recommendations"] = slices.DeleteFunc(e.ids["omega recommendations"], func(id string) bool { return slices.Contains(e.ids["alpha recommendations"], id) })
	if len(e.ids["alpha events"]) == 0 || len(shared) == 0 {
		t.Fatal("there are no events")
	}
	return e
}

// addApprovals makes requests for devices of both: bills of materials have no
// agent that could be asked, so they go into the store.
func (e *estate) addApprovals(dir string) {
	e.t.Helper()
	st, err := store.Open(e.t.Context(), dir, store.Options{})
	if err != nil {
		e.t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	for _, name := range []string{"alpha", "omega"} {
		id, err := st.AddApproval(e.t.Context(), store.Approval{Kind: server.ActionNudge, Args: []byte("{}"), Comment: name, Requester: "somebody", User: 4711,
			Devices: []store.ApprovalDevice{{ID: inventory.DeviceID(e.ids[name+" devices"][0]), Name: name}}, Created: time.Now(), Expires: time.Now().Add(time.Hour)}, 10)
		if err != nil {
			e.t.Fatal(err)
		}
		e.ids[name+" approvals"] = []string{strconv.FormatInt(id, 10)}
	}
}

// addIndicators makes indicators of both groups.
func (e *estate) addIndicators() {
	e.t.Helper()
	for n, name := range []string{"alpha", "omega"} {
		for i := range 2 {
			row, _, err := e.s.SaveIndicator(e.t.Context(), e.admin, server.IndicatorEdit{Type: "IpAddress", Value: fmt.Sprintf("192.0.2.%d", 71+10*n+i), Action: "Block", Title: name, Description: name,
				Groups: []exposure.Group{e.groups[name]}})
			if err != nil {
				e.t.Fatal(err)
			}
			e.ids[name+" indicators"] = append(e.ids[name+" indicators"], row.ID)
		}
	}
}

// plantActions writes actions with their packages into the server's files: the
// devices of the estate have no agents that could do any.
func (e *estate) plantActions(dir string) {
	t := e.t
	t.Helper()
	st, err := store.Open(t.Context(), dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "packages"), 0o700); err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	for n, name := range []string{"alpha", "omega"} {
		for i, dev := range e.ids[name+" devices"] {
			id := fmt.Sprintf("0123abcd-4567-49ef-8123-456789abcd%d%d", n, i)
			id = id + strings.Repeat("0", 36-len(id))
			added, err := st.AddMachineActions(t.Context(), []store.MachineAction{{ID: id, Kind: "collect", Device: inventory.DeviceID(dev), Name: name + "-0", Requester: "someone", Comment: "of " + name,
				Created: now, Expires: now.Add(time.Hour)}}, nil, 10)
			if err != nil || len(added) != 1 {
				t.Fatal(added, err)
			}
			if _, _, err := st.ChangeMachineAction(t.Context(), id, func(a *store.MachineAction) bool {
				a.Status, a.Package, a.PackageHash = store.ActionSucceeded, 3, strings.Repeat("0", 64)
				return true
			}); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "packages", id+".zip"), []byte("PK!"), 0o600); err != nil {
				t.Fatal(err)
			}
			e.ids[name+" actions"] = append(e.ids[name+" actions"], id)
			id = "1" + id[1:]
			added, err = st.AddMachineActions(t.Context(), []store.MachineAction{{ID: id, Kind: "investigate", Device: inventory.DeviceID(dev), Name: name + "-0", Requester: "someone", Comment: "of " + name,
				Created: now, Expires: now.Add(time.Hour)}}, nil, 10)
			if err != nil || len(added) != 1 {
				t.Fatal(added, err)
			}
			if _, _, err := st.ChangeMachineAction(t.Context(), id, func(a *store.MachineAction) bool {
				a.Status = store.ActionFailed
				return true
			}); err != nil {
				t.Fatal(err)
			}
			e.ids[name+" investigations"] = append(e.ids[name+" investigations"], strconv.FormatInt(added[0].Investigation, 10))
		}
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
}

func openServer(t *testing.T, dir string) *server.Server {
	t.Helper()
	s, err := server.Open(t.Context(), server.Options{Dir: dir, Log: discard(), AgentAddr: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// plantEvents gives each device one event, number 1 of its kind, into the log of
// a server that is closed. It returns when they were.
func plantEvents(t *testing.T, dir string, devices []string) time.Time {
	t.Helper()
	log, err := eventlog.Open(filepath.Join(dir, "events"), eventlog.Options{Log: discard()})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().UTC().Truncate(time.Second).Add(-time.Hour)
	for _, id := range devices {
		e := event.Event{Action: event.ConnectionSuccess, Seq: 1, Time: at}
		e.SetInt(event.InitiatingProcessID, 77)
		e.Set(event.InitiatingProcessFileName, "curl")
		e.Set(event.InitiatingProcessAccountName, "alice")
		e.Set(event.RemoteIP, "192.0.2.7")
		e.Set(event.RemoteURL, "https://evil.example/x")
		raw, err := event.Append(nil, &e)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := log.Append(t.Context(), eventlog.Batch{Device: inventory.DeviceID(id), Seq: 1, Received: at, Records: raw, Count: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	return at
}

// somebody is who asks in the matrix.
type somebody struct {
	name   string
	may    func(permission string) bool
	scope  string   // "all", "alpha", "none"
	header []string // credentials
	code   int      // what every route answers, where that is the same for all of them
}

// hire signs a person in who has a role and sees what some user groups see.
func (e *estate) hire(role, scope string) somebody {
	e.t.Helper()
	ctx := e.t.Context()
	name := strings.ToLower(strings.ReplaceAll(role, " ", "-")) + "-" + scope
	g, err := e.s.SaveUserGroup(ctx, e.admin, 0, server.UserGroupEdit{Name: name, Roles: []int64{e.roles[role]}})
	if err != nil {
		e.t.Fatal(err)
	}
	groups := []int64{g.ID}
	if scope == "all" || scope == "alpha" {
		groups = append(groups, e.teams["alpha"])
	}
	if scope == "all" {
		groups = append(groups, e.teams["omega"])
	}
	l, err := e.s.AddPerson(ctx, e.admin, server.NewPerson{Name: name, UserGroups: groups})
	if err != nil {
		e.t.Fatal(err)
	}
	in, err := e.s.RedeemLink(ctx, l.Secret, server.Place{})
	if err != nil {
		e.t.Fatal(err)
	}
	secret, me := in.Secret, in.Me
	c, _, err := e.s.SessionCaller(ctx, secret)
	if err != nil {
		e.t.Fatal(err)
	}
	if me.AllDevices != (scope == "all" || me.Administrator) {
		e.t.Fatalf("%s sees all devices: %v", name, me.AllDevices)
	}
	if me.Administrator {
		scope = "all"
	}
	return somebody{name: name, may: c.Has, scope: scope, header: []string{"Cookie", sessionCookie + "=" + secret.Reveal()}}
}

// everybody is every role in every scope, applications, and who is neither.
func (e *estate) everybody() []somebody {
	e.t.Helper()
	var out []somebody
	for _, role := range []string{"Administrator", "Security operator", "Security reader", "Nothing"} {
		for _, scope := range []string{"all", "alpha", "none"} {
			out = append(out, e.hire(role, scope))
		}
	}
	for _, p := range slices.Clone(server.AppPermissions) {
		_, client, secret, err := e.s.CreateApp(e.t.Context(), p, []string{p})
		if err != nil {
			e.t.Fatal(err)
		}
		token, err := e.s.IssueToken(e.t.Context(), "http://picket.test", client, secret)
		if err != nil {
			e.t.Fatal(err)
		}
		c, err := e.s.TokenCaller(e.t.Context(), token.Token)
		if err != nil {
			e.t.Fatal(err)
		}
		out = append(out, somebody{name: "application with " + p, may: func(want string) bool { return want != person && c.Has(want) }, scope: "all",
			header: []string{"Authorization", "Bearer " + token.Token}})
	}
	out = append(out, e.delegates(out)...)
	made, err := e.s.MakeProvisioningToken(e.t.Context(), e.admin)
	if err != nil {
		e.t.Fatal(err)
	}
	out = append(out, somebody{name: aDirectory, code: 401, header: []string{"Authorization", "Bearer " + made.Secret}},
		somebody{name: aNode, code: 401, header: []string{"Authorization", "Bearer " + e.nodeKey()}})
	return append(out, somebody{name: "nobody", code: 401}, somebody{name: "an agent", code: 401, header: []string{"X-Agent", "1"}})
}

// delegates are applications that act for each of some people: one that asks for
// all that there is, and one that asks for devices alone.
func (e *estate) delegates(people []somebody) []somebody {
	e.t.Helper()
	all, err := json.Marshal(server.AppPermissions)
	if err != nil {
		e.t.Fatal(err)
	}
	p := e.register(people[0].header, strings.Replace(nativeApp, `["Machine.Read.All","Software.Read.All","Machine.ReadWrite.All"]`, string(all)+`,"preset":"plain","per_minute":1000000`, 1))
	scopes := []string{".default", "Machine.Read"}
	var out []somebody
	for _, who := range people {
		if !strings.HasPrefix(who.header[0], "Cookie") {
			continue
		}
		for _, scope := range scopes {
			got := p.signIn(who.header, map[string]string{"scope": scope})
			c, err := e.s.TokenCaller(e.t.Context(), got.Access)
			if err != nil {
				e.t.Fatal(err)
			}
			if c.Admin || c.Has(server.ManageSettings) || c.Has(server.MachineRead) != who.may(server.MachineRead) || scope == "Machine.Read" && len(c.Permissions) > 1 {
				e.t.Fatalf("%s, %s: %+v", who.name, scope, c)
			}
			out = append(out, somebody{name: "application with " + scope + " for " + who.name, may: func(want string) bool { return want != person && who.may(want) && c.Has(want) }, scope: who.scope,
				header: bearer(got.Access)})
		}
	}
	return out
}

// objects is what the id of a route names, "" when it is nothing that belongs to devices.
func objects(name string) string {
	for _, o := range [][2]string{{"/alerts/{id}", "alerts"}, {"/devices/{id}", "devices"}, {"/machines/{id}", "devices"}, {"/exceptions/{id}", "exceptions"}, {"/approvals/{id}", "approvals"}, {"/indicators/{id}", "indicators"}, {"/remediations/{id}", "remediations"}, {"/machine-actions/{id}", "actions"}, {"/machineactions/{id}", "actions"}, {"/investigations/{id}", "investigations"},
		{"/remediationTasks/{id}", "remediations"}, {"/plans/{id}", "plans"}, {"/events/{id}", "events"}, {"/software/{id}", "software"}, {"/recommendations/{id}", "recommendations"}} {
		if strings.Contains(name, o[0]) {
			return o[1]
		}
	}
	return ""
}

// below are routes below an object whose own id is looked for only after the
// object is found: the test asks with one that is not there.
func (e *estate) target(name, path, id string) string {
	at := strings.Replace(path, "{id}", strings.ReplaceAll(id, "%", "%25"), 1)
	for _, rest := range []string{"{product}", "{weakness}", "{sub}"} {
		at = strings.Replace(at, rest, "1", 1)
	}
	if _, query, ok := strings.Cut(table[name].target, "?"); ok {
		at += "?" + query
	}
	return at
}

// today puts the present into the example of a route that looks back.
func today(target string) string {
	now := time.Now().UTC().Format(time.RFC3339)
	return strings.NewReplacer("2026-01-01T00:00:00Z", now, "2026-01-02T03:00:00Z", now).Replace(target)
}

// ask sends a request as somebody.
func (e *estate) ask(who somebody, method, target, body string) answer {
	r := e.request(method, target, body, append([]string{"Content-Type", "application/json"}, who.header...)...)
	if who.name == "an agent" {
		r.TLS = agentTLS()
	}
	return e.stop(r)
}

// walk is what a test begins with that asks every route in turn: it runs once, without
// the race detector, which one question after the other tells nothing.
func walk(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("a walk over all routes: once, without the race detector")
	}
}

// TestMatrix asks every route as everybody, of what is theirs and of what is
// others'. What is expected follows from the table of routes, the roles'
// permissions and the scope: 401, 403, 404, or an answer.
func TestMatrix(t *testing.T) {
	walk(t)
	e := openEstate(t)
	people := e.everybody()
	asked := 0
	for _, name := range slices.Sorted(slices.Values(registered(t))) {
		rt, ok := table[name]
		if !ok {
			t.Errorf("route %q is not in the table of who may use it", name)
			continue
		}
		if name == "DELETE /api/x/session" {
			continue
		}
		method, path, _ := strings.Cut(name, " ")
		if rt.need == anyone { // who asks makes no difference; 429: too often
			for _, who := range people {
				asked++
				if a := e.ask(who, method, rt.target, rt.body); a.code != rt.ok && a.code != 429 {
					t.Errorf("%s as %s: %s = %d, want %d", name, who.name, rt.target, a.code, rt.ok)
				}
			}
			continue
		}
		kind := objects(name)
		for _, who := range people {
			check := func(what, target string, want ...int) {
				t.Helper()
				if len(want) == 1 && want[0] == 200 && strings.HasSuffix(path, "Export") {
					want = append(want, 429) // so many at a time
				}
				asked++
				if a := e.ask(who, method, target, rt.body); !slices.Contains(want, a.code) {
					t.Errorf("%s as %s, %s: %s = %d, want %v: %.200s", name, who.name, what, target, a.code, want, a.body)
				}
			}
			own := today(rt.target)
			if kind != "" {
				own = e.target(name, path, e.ids["alpha "+kind][0])
			}
			if who.code != 0 {
				check("unknown", own, who.code)
				continue
			}
			permitted := rt.need == person && !strings.HasPrefix(who.name, "application") || slices.ContainsFunc(rt.anyOf(), who.may)
			if name == "POST /api/x/inaccuracies" && !strings.HasPrefix(who.name, "application") && who.may(server.VulnerabilityRead) {
				permitted = true // a person may report what it reads
			}
			if strings.HasSuffix(path, "/plans/{id}/remediation") && !who.may(server.RecommendationRead) { // it needs both
				permitted = false
			}
			if !permitted || rt.fleetWide() && who.scope != "all" {
				check("without the permission", own, 403)
				continue
			}
			// What somebody may see is there; what is others' is not. Routes that
			// change something are asked for what is others' alone.
			sub := strings.ContainsAny(strings.Replace(path, "{id}", "", 1), "{")
			if method == http.MethodGet && !strings.Contains(name, "{") {
				want := 200
				if rt.need == person { // some are about a code that the example does not know
					want = rt.ok
				}
				check("a list", own, want)
			}
			if kind == "" {
				continue
			}
			ownOnly := kind == "indicators" && !who.may(server.TiWrite) // of those that it made, and it made none
			if method == http.MethodGet && !sub {
				want := 200
				if who.scope == "none" || ownOnly {
					want = 404
				}
				for _, id := range e.ids["alpha "+kind] {
					if strings.HasPrefix(id, "sca-") && strings.HasSuffix(path, "/software") {
						continue // a setting is about no software
					}
					check("of alpha", e.target(name, path, id), want)
				}
			}
			for _, id := range e.ids["omega "+kind] {
				switch target := e.target(name, path, id); {
				case who.scope != "all" || ownOnly:
					check("of omega", target, 404)
				case method == http.MethodGet && !sub:
					check("of omega", target, 200)
				}
			}
		}
	}
	t.Logf("%d requests", asked)
}

// TestNothingOfOthersIsSaid reads every route as somebody who sees alpha alone
// and looks for anything of omega, also in lists, counts, exports and searches;
// and holds each answer against what an administrator gets who selects alpha.
func TestNothingOfOthersIsSaid(t *testing.T) {
	e := openEstate(t)
	who, boss := e.hire("Security operator", "alpha"), e.hire("Administrator", "all")
	read := 0
	for _, name := range slices.Sorted(maps.Keys(table)) {
		rt := table[name]
		method, path, _ := strings.Cut(name, " ")
		if method != http.MethodGet || rt.fleetWide() || rt.need == anyone || name == "GET /api/x/live" {
			continue
		}
		targets := []string{today(rt.target)}
		if kind := objects(name); kind != "" {
			targets = nil
			for _, id := range e.ids["alpha "+kind] {
				targets = append(targets, e.target(name, path, id))
			}
		}
		if strings.HasSuffix(path, "/search") {
			targets = append(targets, "/api/x/search?q=lib", "/api/x/search?q=-0", "/api/x/search?q=omega")
		}
		for _, target := range targets {
			a := e.ask(who, method, target, "")
			if a.code == 403 || a.code == 404 {
				continue
			}
			read++
			if i := strings.Index(strings.ToLower(a.body), "omega"); i >= 0 {
				t.Errorf("%s says %.120q", target, a.body[max(0, i-60):])
			}
			for _, id := range e.ids["omega devices"] {
				if strings.Contains(a.body, id) {
					t.Errorf("%s names the device %s", target, id)
				}
			}
			if strings.HasPrefix(target, "/api/x/") && rt.need != person && !unfiltered(name) {
				sep := "?"
				if strings.Contains(target, "?") {
					sep = "&"
				}
				b := e.ask(boss, method, fmt.Sprintf("%s%sgroup=%d", target, sep, e.groups["alpha"]), "")
				if got, want := settledBody(a.body), settledBody(b.body); got != want {
					t.Errorf("%s is another than that of an administrator who selects the group:\n got %.1500s\nwant %.1500s", target, got, want)
				}
			}
		}
	}
	// What both teams' alerts name tells of each team's alerts alone.
	for _, target := range []string{"/api/ips/192.0.2.7/alerts", "/api/domains/evil.example/alerts", "/api/users/alice/alerts"} {
		a, all := e.ask(who, "GET", target, ""), e.ask(boss, "GET", target, "")
		for _, id := range e.ids["alpha alerts"] {
			if a.code != 200 || !strings.Contains(a.body, id) {
				t.Errorf("%s = %d lacks %s: %.300s", target, a.code, id, a.body)
			}
		}
		for _, id := range e.ids["omega alerts"] {
			if strings.Contains(a.body, id) || !strings.Contains(all.body, id) {
				t.Errorf("%s: %s is told to whoever sees alpha, or not to an administrator: %.300s", target, id, all.body)
			}
		}
	}
	if read < 60 {
		t.Errorf("only %d answers were read", read)
	}
	// Searches and names do not find what is hidden.
	for _, target := range []string{"/api/x/devices/omega-0:1", "/api/x/devices?q=omega", "/api/x/search?q=omega", "/api/machines?$filter=startswith(computerDnsName,'omega')"} {
		if a := e.ask(who, "GET", target, ""); a.code == 200 && strings.Contains(a.body, "omega-") {
			t.Errorf("%s finds %s", target, a.body)
		}
	}
	// The status counts what is seen.
	var st server.Status
	if a := e.ask(who, "GET", "/api/x/status", ""); json.Unmarshal([]byte(a.body), &st) != nil || st.Devices != 2 {
		t.Errorf("status: %s", a.body)
	}
}

// unfiltered are routes whose answer differs by who asks, not only by what they see.
func unfiltered(name string) bool {
	return slices.Contains([]string{"GET /api/x/session", "GET /api/x/status", "GET /api/x/search", "GET /api/x/device-groups", "GET /api/x/tag-rules", "GET /api/x/me/prefs", "GET /api/x/me/tokens",
		"GET /api/x/tokens", "GET /api/x/onboarding", "GET /api/x/tags", "GET /api/x/recommendations/{id}/remediation", "GET /api/x/action-kinds", "GET /api/x/approvals", "GET /api/x/approvals/{id}",
		"GET /api/x/indicators", "GET /api/x/indicators/export", "GET /api/x/indicators/{id}"}, name) // no device is behind an indicator
}

// settledBody is an answer without what differs from moment to moment, and
// without scores of all devices.
func settledBody(body string) string {
	var v any
	if json.Unmarshal([]byte(body), &v) != nil {
		return ""
	}
	var clean func(v any)
	clean = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			delete(v, "as_of")
			delete(v, "timestamp")
			if step, ok := v["score"].(map[string]any); ok && step["trend"] != nil { // of an event
				delete(v, "score")
			}
			if v["trend"] != nil && v["before"] == nil {
				delete(v, "trend")
			}
			delete(v, "secure_trend")
			delete(v, "history")
			delete(v, "actual")
			delete(v, "metadata")
			for _, x := range v {
				clean(x)
			}
		case []any:
			for _, x := range v {
				clean(x)
			}
		}
	}
	clean(v)
	out, _ := json.Marshal(v)
	return string(out)
}

// TestScopeFollowsAtOnce changes who sees a device group: the next request, an
// open stream and an export under way all notice.
func TestScopeFollowsAtOnce(t *testing.T) {
	e := openEstate(t)
	who := e.hire("Security reader", "alpha")
	total := func() int {
		t.Helper()
		var p struct{ Total int }
		a := e.ask(who, "GET", "/api/x/devices", "")
		if err := json.Unmarshal([]byte(a.body), &p); err != nil || a.code != 200 {
			t.Fatalf("%d %s", a.code, a.body)
		}
		return p.Total
	}
	if n := total(); n != 2 {
		t.Fatalf("%d devices", n)
	}
	secret := server.SessionSecret(strings.TrimPrefix(who.header[1], sessionCookie+"="))
	c, _, err := e.s.SessionCaller(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	events, err := e.s.Subscribe(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	x, err := e.s.ExportInventory(t.Context(), c, server.ExportQuery{})
	if err != nil {
		t.Fatal(err)
	}
	files, err := e.s.NewExportFiles(t.Context(), c, server.SoftwareRead, time.Hour)
	if err == nil {
		_, err = files.Create("1.gz")
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := files.Close(nil); err != nil {
		t.Fatal(err)
	}
	if a := e.do("GET", "/export-files/"+files.Secret+"/1.gz", ""); a.code != 200 {
		t.Fatalf("the export file = %d", a.code)
	}
	seen, ended := 0, error(nil)
	for _, err := range x.Devices {
		if err != nil {
			ended = err
			break
		}
		if seen++; seen == 1 {
			if _, err := e.s.SetGroupAccess(t.Context(), e.admin, e.groups["alpha"], server.GroupAccess{UserGroups: []int64{e.teams["omega"]}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if seen != 1 || ended == nil {
		t.Errorf("the export went on: %d devices, %v", seen, ended)
	}
	if n := total(); n != 0 {
		t.Errorf("%d devices after the group was taken away", n)
	}
	if a := e.do("GET", "/export-files/"+files.Secret+"/1.gz", ""); a.code != 404 {
		t.Errorf("the export file after the group was taken away = %d", a.code)
	}
	next := func(what string) server.LiveEvent {
		t.Helper()
		select {
		case ev, ok := <-events:
			if !ok {
				return server.LiveEvent{Resource: "end"}
			}
			return ev
		case <-time.After(20 * time.Second):
			t.Fatal("nothing came: " + what)
			return server.LiveEvent{}
		}
	}
	if ev := next("that all may be different"); ev.Resource != "all" {
		t.Errorf("the stream says %+v", ev)
	}
	// A change of a hidden device is not told; one that comes into sight is.
	if err := e.s.SetDeviceValue(t.Context(), e.admin, e.ids["omega devices"][0], "High"); err != nil {
		t.Fatal(err)
	}
	if err := e.s.SetDeviceValue(t.Context(), e.admin, e.ids["alpha devices"][0], "High"); err != nil {
		t.Fatal(err)
	}
	if _, err := e.s.SetGroupAccess(t.Context(), e.admin, e.groups["alpha"], server.GroupAccess{UserGroups: []int64{e.teams["alpha"]}}); err != nil {
		t.Fatal(err)
	}
	if ev := next("that all may be different"); ev.Resource != "all" {
		t.Errorf("the stream says %+v", ev)
	}
	if err := e.s.SetDeviceValue(t.Context(), e.admin, e.ids["omega devices"][0], "Low"); err != nil {
		t.Fatal(err)
	}
	if err := e.s.SetDeviceValue(t.Context(), e.admin, e.ids["alpha devices"][0], "Low"); err != nil {
		t.Fatal(err)
	}
	if ev := next("the device"); ev.ID != e.ids["alpha devices"][0] {
		t.Errorf("the stream says %+v", ev)
	}
	if n := total(); n != 2 {
		t.Errorf("%d devices after the group came back", n)
	}
	// Disabling the person ends the stream and the session.
	if _, err := e.s.EditPerson(t.Context(), e.admin, c.UserID, server.PersonEdit{Disabled: true}); err != nil {
		t.Fatal(err)
	}
	for ev := next("the end"); ev.Resource != "end"; ev = next("the end") {
		if ev.ID != "" && ev.ID != e.ids["alpha devices"][0] {
			t.Errorf("before the end: %+v", ev)
		}
	}
	if a := e.ask(who, "GET", "/api/x/devices", ""); a.code != 401 {
		t.Errorf("a disabled person gets %d", a.code)
	}
}

// Profiles and other insights are served on the admin socket and nowhere else
// (CVE-2026-23517): neither to an administrator, nor to an agent.
func TestDebuggingIsOnTheAdminSocketAlone(t *testing.T) {
	e := openEstate(t)
	boss := e.hire("Administrator", "all")
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/profile?seconds=1", "/debug/pprof/heap", "/debug/vars", "/api/x/debug/pprof/", "/api/debug/pprof/"} {
		for _, who := range []somebody{boss, {name: "nobody"}} {
			if a := e.ask(who, "GET", path, ""); strings.Contains(a.body, "goroutine") || strings.HasPrefix(a.header.Get("Content-Type"), "application/octet-stream") || strings.Contains(a.body, "memstats") {
				t.Errorf("%s as %s = %d %.100s", path, who.name, a.code, a.body)
			}
		}
		r := e.request("GET", path, "")
		r.TLS = agentTLS()
		rec := httptest.NewRecorder()
		e.s.AgentHandler().ServeHTTP(rec, r)
		if rec.Code < 400 {
			t.Errorf("%s on the agents' listener = %d", path, rec.Code)
		}
	}
}
