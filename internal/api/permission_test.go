package api

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/picketsec/picket/internal/server"
)

// The permissions of roles as the reference of the portal's behaviour has them
// (its section 16): who sees what security operations work with, and who what
// vulnerability management works with. Whoever acts on something sees it too.
var (
	operations = []string{"view.security-operations", "remediate.security-operations", "alerts.investigate", "live-response.basic", "live-response.advanced"}
	exposures  = []string{"view.vulnerability-management", "remediate.exceptions", "remediate.remediation", "remediate.applications", "baselines.manage", "settings.security"}
	everyRole  = slices.Concat(operations, exposures)
	adminsOnly = []string{}
)

// opening is which permissions of roles open routes of the console's API.
type opening struct {
	routes string // expression over "GET /devices": the first that fits counts
	open   []string
}

// openings is written by hand after the reference, and not after the code.
var openings = []opening{
	// response actions, approve and reject, allow and block lists
	{`POST /approvals/\{id\}/(approve|refuse)`, []string{"remediate.security-operations"}},
	{`\w+ /indicators(/.*)?`, []string{"remediate.security-operations", "settings.security"}},
	// manage alerts, start investigations, scan, package, tags
	{`(POST|PATCH) /alerts(/.*)?`, []string{"alerts.investigate"}},
	{`POST /devices/\{id\}/investigations`, []string{"alerts.investigate"}},
	{`POST /(devices/\{id\}/actions|machine-actions)`, []string{"alerts.investigate"}}, // the example collects a package
	{`GET /machine-actions/\{id\}/package`, []string{"alerts.investigate"}},
	{`POST /machine-actions/\{id\}/cancel`, []string{"alerts.investigate", "remediate.security-operations"}},
	{`POST /tags`, []string{"alerts.investigate", "settings.security"}},
	{`(PUT|DELETE|POST) /devices/\{id\}/(value|exclusion|nudge)`, []string{"alerts.investigate", "settings.security"}},
	{`PUT /devices/\{id\}/timeline/events/\{sub\}/flag`, []string{"alerts.investigate", "settings.security"}},
	// create and manage exceptions
	{`POST /exceptions(/.*)?`, []string{"remediate.exceptions"}},
	// requests, tickets, activities
	{`(POST|PUT) /remediations(/.*)?`, []string{"remediate.remediation"}},
	{`\w+ /(plans|recommendations)/\{id\}/remediation`, []string{"remediate.remediation"}},
	{`(POST|DELETE) /plans(/\{id\})?`, []string{"remediate.remediation"}},
	// on- and offboarding, rules, documents, reports
	{`\w+ /(onboarding|tokens)(/.*)?`, []string{"settings.security"}},
	{`(POST|PUT|DELETE) /tag-rules(/.*)?`, []string{"settings.security"}},
	{`POST /sbom`, []string{"settings.security"}},
	{`GET /vex/report`, exposures},
	{`\w+ /vex(/.*)?`, []string{"settings.security"}},
	{`POST /inaccuracies`, exposures}, // whoever sees it may say that it is wrong
	{`\w+ /inaccuracies(/.*)?`, []string{"settings.security"}},
	{`PUT /device-weights`, []string{"settings.security"}},
	{`(DELETE /devices/\{id\}|GET /devices/\{id\}/removal)`, []string{"settings.security"}},
	// of the built-in Administrator role only
	{`\w+ /(people|roles|role-permissions|user-groups|applications|api-settings|sign-in|audit|retention|package-retention|ticketing|forwarding|intel|jobs|approval-policy)(/.*)?`, adminsOnly},
	{`(POST|PUT|DELETE) /(device-groups|lockdown)(/.*)?`, adminsOnly},
	// read data of vulnerability management
	{`GET /devices/\{id\}/(software|updates|sbom|vulnerabilities|closed|vex|checks|recommendations|score)(/.*)?`, exposures},
	{`GET /(software|weaknesses|events|event-counts|dashboard|exposure-score|secure-score|device-weights|plans|plan-searches|recommendations|exceptions|remediations)(/.*)?`, exposures},
	{`POST /(what-if|plans/draft)`, exposures},
	// read data of security operations
	{`GET /(files|ips|domains|users)/\{id\}`, operations},
	{`GET /(alerts|investigations)(/.*)?`, operations},
	{`\w+ /hunting/.*`, operations},
	// devices, which both work with
	{`GET /(files|ips|domains|users)/\{id\}/(events|devices)(/export)?`, everyRole},
	{`GET /(status|search|live|techniques|tags|tag-rules|device-groups|operating-systems|action-kinds|lockdown)`, everyRole},
	{`GET /devices(/export|/\{id\}|/\{id\}/(timeline.*|logonusers|action-kinds|health))?`, everyRole},
	{`GET /(machine-actions|approvals)(/.*)?`, everyRole},
	{`POST /approvals/\{id\}/withdraw`, everyRole}, // one's own
}

// acts are what one route does that takes one permission or another.
var acts = map[string]struct {
	body string
	open []string
}{
	"isolation":   {`{"kind":"isolate","comment":"c"}`, []string{"remediate.security-operations"}},
	"release":     {`{"kind":"release","comment":"c"}`, []string{"remediate.security-operations"}},
	"a scan":      {`{"kind":"scan","scope":"Quick","comment":"c"}`, []string{"alerts.investigate"}},
	"a package":   {`{"kind":"collect","comment":"c"}`, []string{"alerts.investigate"}},
	"examination": {`{"kind":"investigate","comment":"c"}`, []string{"alerts.investigate"}},
}

// programOpens is which permissions of applications open the routes of the
// Defender-compatible API, after the tables of that API (its section 1.3 and the
// column "permission" of each route).
const programOpens = `
GET /machines                                            Machine.Read.All Machine.ReadWrite.All
GET /machines/{id}                                       Machine.Read.All Machine.ReadWrite.All
GET /machines/findbyip(…)                                Machine.Read.All Machine.ReadWrite.All
GET /machines/findbytag                                  Machine.Read.All Machine.ReadWrite.All
GET /machines/{id}/logonusers                            User.Read.All
GET /machines/{id}/alerts                                Alert.Read.All Alert.ReadWrite.All Alerts.ReadWrite.All
GET /machines/{id}/software                              Software.Read.All
GET /machines/{id}/vulnerabilities                       Vulnerability.Read.All
GET /machines/{id}/recommendations                       SecurityRecommendation.Read.All
GET /machines/{id}/getmissingkbs                         Software.Read.All
PATCH /machines/{id}                                     Machine.ReadWrite.All
POST /machines/{id}/tags                                 Machine.ReadWrite.All
POST /machines/AddOrRemoveTagForMultipleMachines         Machine.ReadWrite.All
POST /machines/{id}/setDeviceValue                       Machine.ReadWrite.All
GET /machineactions                                      Machine.Read.All Machine.ReadWrite.All
GET /machineactions/{id}                                 Machine.Read.All Machine.ReadWrite.All
GET /machineactions/{id}/getPackageUri                   Machine.CollectForensics
POST /machineactions/{id}/cancel                         Machine.Isolate Machine.Scan Machine.CollectForensics Alert.ReadWrite.All Alerts.ReadWrite.All
POST /machines/{id}/isolate                              Machine.Isolate
POST /machines/{id}/unisolate                            Machine.Isolate
POST /machines/{id}/runAntiVirusScan                     Machine.Scan
POST /machines/{id}/collectInvestigationPackage          Machine.CollectForensics
POST /machines/{id}/startInvestigation                   Alert.ReadWrite.All Alerts.ReadWrite.All
GET /investigations                                      Alert.Read.All Alert.ReadWrite.All Alerts.ReadWrite.All
GET /investigations/{id}                                 Alert.Read.All Alert.ReadWrite.All Alerts.ReadWrite.All
GET /alerts                                              Alert.Read.All Alert.ReadWrite.All Alerts.ReadWrite.All
GET /alerts/{id}                                         Alert.Read.All Alert.ReadWrite.All Alerts.ReadWrite.All
PATCH /alerts/{id}                                       Alert.ReadWrite.All Alerts.ReadWrite.All
POST /alerts/batchUpdate                                 Alert.ReadWrite.All Alerts.ReadWrite.All
POST /alerts/CreateAlertByReference                      Alert.ReadWrite.All Alerts.ReadWrite.All
GET /alerts/{id}/machine                                 Machine.Read.All Machine.ReadWrite.All
GET /alerts/{id}/user                                    User.Read.All
GET /alerts/{id}/files                                   File.Read.All
GET /alerts/{id}/domains                                 Url.Read.All
GET /alerts/{id}/ips                                     Ip.Read.All
GET /files/{id}                                          File.Read.All
GET /files/{id}/stats                                    File.Read.All
GET /files/{id}/alerts                                   Alert.Read.All Alert.ReadWrite.All Alerts.ReadWrite.All
GET /files/{id}/machines                                 Machine.Read.All Machine.ReadWrite.All
GET /domains/{id}/stats                                  Url.Read.All
GET /domains/{id}/alerts                                 Alert.Read.All Alert.ReadWrite.All Alerts.ReadWrite.All
GET /domains/{id}/machines                               Machine.Read.All Machine.ReadWrite.All
GET /ips/{id}/stats                                      Ip.Read.All
GET /ips/{id}/alerts                                     Alert.Read.All Alert.ReadWrite.All Alerts.ReadWrite.All
GET /users/{id}/alerts                                   Alert.Read.All Alert.ReadWrite.All Alerts.ReadWrite.All
GET /users/{id}/machines                                 Machine.Read.All Machine.ReadWrite.All
GET /vulnerabilities                                     Vulnerability.Read.All
GET /vulnerabilities/{id}                                Vulnerability.Read.All
GET /vulnerabilities/{id}/machineReferences              Vulnerability.Read.All
GET /vulnerabilities/machinesVulnerabilities             Vulnerability.Read.All
GET /software                                            Software.Read.All
GET /software/{id}                                       Software.Read.All
GET /software/{id}/distributions                         Software.Read.All
GET /software/{id}/machineReferences                     Software.Read.All
GET /software/{id}/getmissingkbs                         Software.Read.All
GET /software/{id}/vulnerabilities                       Vulnerability.Read.All
GET /recommendations                                     SecurityRecommendation.Read.All
GET /recommendations/{id}                                SecurityRecommendation.Read.All
GET /recommendations/{id}/software                       SecurityRecommendation.Read.All
GET /recommendations/{id}/machineReferences              SecurityRecommendation.Read.All
GET /recommendations/{id}/vulnerabilities                SecurityRecommendation.Read.All
GET /exposureScore                                       Score.Read.All
GET /exposureScore/ByMachineGroups                       Score.Read.All
GET /configurationScore                                  Score.Read.All
GET /remediationTasks                                    RemediationTasks.Read.All RemediationTasks.ReadWrite.All
GET /remediationTasks/{id}                               RemediationTasks.Read.All RemediationTasks.ReadWrite.All
GET /remediationTasks/{id}/machineReferences             RemediationTasks.Read.All RemediationTasks.ReadWrite.All
GET /indicators                                          Ti.ReadWrite Ti.ReadWrite.All
GET /indicators/{id}                                     Ti.ReadWrite Ti.ReadWrite.All
POST /indicators                                         Ti.ReadWrite Ti.ReadWrite.All
POST /indicators/import                                  Ti.ReadWrite Ti.ReadWrite.All
POST /indicators/BatchDelete                             Ti.ReadWrite Ti.ReadWrite.All
DELETE /indicators/{id}                                  Ti.ReadWrite Ti.ReadWrite.All
POST /advancedqueries/run                                AdvancedQuery.Read.All AdvancedHunting.Read.All
POST /advancedhunting/run                                AdvancedQuery.Read.All AdvancedHunting.Read.All
GET /machines/SoftwareVulnerabilitiesByMachine           Vulnerability.Read.All
GET /machines/SoftwareVulnerabilityChangesByMachine      Vulnerability.Read.All
GET /machines/SoftwareVulnerabilitiesExport              Vulnerability.Read.All
GET /machines/SoftwareInventoryByMachine                 Software.Read.All
GET /machines/SoftwareInventoryExport                    Software.Read.All
GET /machines/SoftwareInventoryNoProductCodeByMachine    Software.Read.All
GET /machines/SoftwareInventoryNonCpeExport              Software.Read.All
GET /machines/SecureConfigurationsAssessmentByMachine    Vulnerability.Read.All
GET /machines/SecureConfigurationsAssessmentExport       Vulnerability.Read.All
`

// programPermissions are the names of the Defender API's permissions for
// applications, all that its section 1.3 lists; the last two are Picket's own.
var programPermissions = []string{"Alert.Read.All", "Alert.ReadWrite.All", "Alerts.ReadWrite.All", "Machine.Read.All", "Machine.ReadWrite.All", "Machine.Isolate", "Machine.StopAndQuarantine",
	"Machine.LiveResponse", "Machine.RestrictExecution", "Machine.Scan", "Machine.CollectForensics", "Machine.Offboard", "User.Read.All", "Vulnerability.Read.All", "SecurityRecommendation.Read.All",
	"Software.Read.All", "RemediationTasks.Read.All", "Score.Read.All", "Ti.ReadWrite", "Ti.ReadWrite.All", "AdvancedQuery.Read.All", "AdvancedHunting.Read.All", "Library.Manage",
	"Incident.Read.All", "Incident.ReadWrite.All", "File.Read.All", "Ip.Read.All", "Url.Read.All",
	"RemediationTasks.ReadWrite.All", "SecurityRecommendation.ReadWrite.All"}

// TestEachPermissionOpensWhatTheReferenceSays gives somebody exactly one
// permission of roles, and an application exactly one of applications, for each
// that there is, and asks for every route: what is open is what the reference
// says, and nothing else.
func TestEachPermissionOpensWhatTheReferenceSays(t *testing.T) {
	walk(t)
	e := openEstate(t)
	opens := map[string][]string{}
	fitted := map[string]bool{}
	var listed []string
	for _, name := range registered(t) {
		method, path, _ := strings.Cut(name, " ")
		if rt := table[name]; !strings.HasPrefix(path, "/api/x/") || rt.need == anyone || rt.need == person {
			continue
		}
		listed = append(listed, name)
		at := method + " " + strings.TrimPrefix(path, "/api/x")
		i := slices.IndexFunc(openings, func(o opening) bool { return regexp.MustCompile(`^(?:` + o.routes + `)$`).MatchString(at) })
		if i < 0 {
			t.Errorf("nothing says which permissions open %s", name)
			continue
		}
		opens[name], fitted[openings[i].routes] = openings[i].open, true
	}
	for _, o := range openings {
		if !fitted[o.routes] {
			t.Errorf("no route fits %s", o.routes)
		}
	}
	walked := 0
	for _, p := range server.RolePermissions {
		role, err := e.s.SaveRole(t.Context(), e.admin, 0, server.RoleEdit{Name: p.ID + " alone", Permissions: []string{p.ID}})
		if p.ID == "settings.portal" {
			if !errors.Is(err, server.ErrInvalid) {
				t.Errorf("a role of one's own holds %s: %v", p.ID, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(everyRole, p.ID) {
			t.Errorf("the reference has no permission %s", p.ID)
		}
		e.roles[role.Name] = role.ID
		who := e.hire(role.Name, "all")
		check := func(what, method, target, body string, open []string) {
			t.Helper()
			walked++
			a := e.ask(who, method, target, body)
			if opened := a.code != http.StatusForbidden; opened != slices.Contains(open, p.ID) || a.code == http.StatusUnauthorized {
				t.Errorf("with %s alone, %s = %d; it is opened by %v: %.200s", p.ID, what, a.code, open, a.body)
			}
		}
		for _, name := range listed {
			method, _, _ := strings.Cut(name, " ")
			// What is asked for is not there: its own rules come behind the permission.
			target := strings.Replace(today(table[name].target), "/approvals/1", "/approvals/9999", 1)
			check(name, method, target, strings.Replace(table[name].body, `"scope":"Global"`, `"scope":"DeviceGroups","groups":[9999]`, 1), opens[name])
		}
		for what, act := range acts {
			check(what, "POST", "/api/x/devices/"+e.ids["alpha devices"][0]+"/actions", act.body, act.open)
		}
	}
	if want := len(everyRole) * (len(listed) + len(acts)); walked != want || walked < 2000 {
		t.Errorf("%d requests of roles, want %d", walked, want)
	}
	programs := map[string][]string{}
	for _, line := range strings.Split(strings.TrimSpace(programOpens), "\n") {
		f := strings.Fields(line)
		programs[f[0]+" /api"+f[1]] = f[2:]
		for _, p := range f[2:] {
			if !slices.Contains(programPermissions, p) {
				t.Errorf("%s is opened by %s, which there is not", f[1], p)
			}
		}
	}
	for n, p := range programPermissions {
		_, client, secret, err := e.s.CreateApp(t.Context(), "with "+p, []string{p})
		if err != nil {
			t.Fatalf("an application cannot have %s: %v", p, err)
		}
		token, err := e.s.IssueToken(t.Context(), "http://picket.test", client, secret)
		if err != nil {
			t.Fatal(err)
		}
		who := somebody{name: p, header: []string{"Authorization", "Bearer " + token.Token}}
		for _, name := range registered(t) {
			method, path, _ := strings.Cut(name, " ")
			if strings.HasPrefix(path, "/api/x/") {
				continue
			}
			open, ok := programs[name]
			if !ok {
				t.Fatalf("nothing says which permissions open %s", name)
			}
			body := strings.ReplaceAll(table[name].body, "192.0.2.7", fmt.Sprintf("198.51.100.%d", n)) // nobody else's indicator
			a := e.ask(who, method, today(table[name].target), body)
			if opened := a.code != http.StatusForbidden; opened != slices.Contains(open, p) || a.code == http.StatusUnauthorized {
				t.Errorf("with %s alone, %s = %d; it is opened by %v: %.200s", p, name, a.code, open, a.body)
			}
		}
	}
}

// TestPermissionNamesAreThoseOfTheDefenderAPI holds the names that applications
// may have, and those that they ask people for, against the documented ones.
func TestPermissionNamesAreThoseOfTheDefenderAPI(t *testing.T) {
	known, want := slices.Clone(server.KnownPermissions), slices.Clone(programPermissions)
	slices.Sort(known)
	slices.Sort(want)
	if !slices.Equal(known, want) {
		t.Errorf("permissions\n%q\nwant\n%q", known, want)
	}
	for _, p := range server.AppPermissions {
		if !slices.Contains(programPermissions, p) {
			t.Errorf("%s is no permission of the Defender API", p)
		}
	}
	scopes := server.DelegatedScopes()
	for _, twin := range []string{"Alert.Read", "Alert.ReadWrite", "Machine.Read", "Machine.ReadWrite", "Vulnerability.Read", "RemediationTask.Read", "SecurityRecommendation.Read", "Software.Read", "Score.Read",
		"AdvancedQuery.Read", "User.Read", "File.Read", "Ip.Read", "Url.Read", "Machine.Isolate", "Machine.Scan", "Machine.CollectForensics", "Ti.ReadWrite"} {
		if !slices.Contains(scopes, twin) {
			t.Errorf("nobody can be asked for %s: %q", twin, scopes)
		}
	}
	w := newWorld(t)
	for _, p := range programPermissions { // a token says what it is for, by that name
		token := strings.TrimPrefix(w.app(p)[1], "Bearer ")
		if got := fmt.Sprint(claimsOf(t, token)["roles"]); got != "["+p+"]" {
			t.Errorf("a token for %s has the roles %s", p, got)
		}
	}
}
