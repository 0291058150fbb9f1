package rig_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/rig"
)

// documented are the properties of the rows that programs written for the
// Defender API read, route by route: name and type, "?" where it may be null,
// and after "=" what it is one of or what it looks like. {device} is the device
// of the test.
var documented = []struct{ route, properties string }{
	{"/api/machines", `id string=[0-9a-f]{40}, computerDnsName string, firstSeen time, lastSeen time, osPlatform string, version string, osBuild number?, osProcessor string?, osArchitecture string?=32-bit|64-bit,
		onboardingStatus string=onboarded|CanBeOnboarded|Unsupported|InsufficientInfo, lastIpAddress string?, lastExternalIpAddress string?,
		healthStatus string=Active|Inactive|ImpairedCommunication|NoSensorData|NoSensorDataImpairedCommunication|Unknown, rbacGroupName string?, rbacGroupId number,
		riskScore string?=None|Informational|Low|Medium|High, exposureLevel string?=None|Low|Medium|High, deviceValue string=Low|Normal|High, aadDeviceId string?, machineTags texts, ipAddresses list`},
	{"/api/software", software},
	{"/api/machines/{device}/software", software},
	{"/api/recommendations/va-_-debian-_-alpha/software", software},
	{"/api/software/debian-_-alpha/distributions", "version string, installations whole, vulnerabilities whole"},
	{"/api/software/debian-_-alpha/machineReferences", machineReference},
	{"/api/software/debian-_-alpha/vulnerabilities", vulnerability},
	{"/api/recommendations", recommendation},
	{"/api/recommendations/va-_-debian-_-alpha", recommendation},
	{"/api/recommendations/{setting}", recommendation},
	{"/api/machines/{device}/recommendations", recommendation},
	{"/api/recommendations/va-_-debian-_-alpha/machineReferences", machineReference},
	{"/api/recommendations/va-_-debian-_-alpha/vulnerabilities", vulnerability},
	{"/api/vulnerabilities", vulnerability},
	{"/api/vulnerabilities/CVE-2024-99001", vulnerability},
	{"/api/vulnerabilities/CVE-2024-99001/machineReferences", machineReference},
	{"/api/machines/{device}/vulnerabilities", vulnerability},
	{"/api/vulnerabilities/machinesVulnerabilities", "id string={device}-_-CVE-2024-99001-_-debian-_-alpha-_-1.0-1-_-.*, cveId string, machineId string, fixingKbId string?, productName string, productVendor string, productVersion string, severity string?=Low|Medium|High|Critical"},
	{"/api/exposureScore", score},
	{"/api/configurationScore", score},
	{"/api/exposureScore/ByMachineGroups", score},
	{"/api/remediationTasks", remediation},
	{"/api/remediationTasks/{task}", remediation},
	{"/api/remediationTasks/{task}/machineReferences", machineReference},
	{"/api/machines/SoftwareVulnerabilitiesByMachine", exported},
	{"/api/machines/SoftwareVulnerabilityChangesByMachine?sinceTime={yesterday}", exported + ", status string=New|Fixed|Updated, eventTimestamp plain, isOnboarded flag"},
	{"/api/machines/SoftwareInventoryByMachine", `deviceId string, deviceName string, rbacGroupName string, rbacGroupId number, osPlatform string, softwareVendor string, softwareName string, softwareVersion string, numberOfWeaknesses whole,
		diskPaths texts, registryPaths texts, softwareFirstSeenTimestamp plain, endOfSupportStatus string=None|EOS Version|Upcoming EOS Version|EOS Software|Upcoming EOS Software, endOfSupportDate string?`},
	{"/api/machines/SecureConfigurationsAssessmentByMachine", `deviceId string, deviceName string, rbacGroupName string, osPlatform string, osVersion string, timestamp plain, configurationId string=scid-\d+,
		configurationCategory string=Accounts|Application|Network|OS|SecurityControls, configurationSubcategory string, configurationImpact whole=[1-9]|10, configurationName string, isApplicable flag, isCompliant flag, isExpectedUserImpact flag, recommendationReference string=sca-_-scid-\d+`},
}

const (
	software         = "id string=debian-_-.*, name string, vendor string, weaknesses whole, publicExploit flag, activeAlert flag, exposedMachines whole, impactScore number, installedMachines whole"
	machineReference = "id string={device}, computerDnsName string, osPlatform string, rbacGroupName string?, rbacGroupId number"
	recommendation   = `id string=(va|sca)-_-.*, productName string, recommendationName string, weaknesses whole, vendor string, recommendedVersion string, recommendedProgram string, recommendedVendor string,
		recommendationCategory string=Accounts|Application|Network|OS|SecurityControls, subCategory string, severityScore whole=\d|10, publicExploit flag, activeAlert flag, associatedThreats texts,
		remediationType string=ConfigurationChange|Update|Upgrade|Uninstall|AttentionRequired|Restart, status string=Active|Exception, configScoreImpact number, exposureImpact number, totalMachineCount whole, exposedMachinesCount whole,
		nonProductivityImpactedAssets whole, relatedComponent string, exposedCriticalDevices whole`
	vulnerability = `id string, name string, description string, severity string?=Low|Medium|High|Critical, cvssV3 number, cvssVector string?, exposedMachines whole, publishedOn time?, updatedOn time?, publicExploit flag, exploitVerified flag,
		exploitInKit flag, exploitTypes texts, exploitUris texts, cveSupportability string=Supported|Not Supported|SupportedInPremium, EPSS number?`
	score       = "score number, time time, rbacGroupName string?, rbacGroupId number"
	remediation = `id string, title string, description string, createdOn time, requesterId string, requesterEmail string, requesterNotes string, status string=Active|Completed, statusLastModifiedOn time, category string=Software|Security configuration,
		type string=Update, relatedComponent string, productId string?, vendorId string?, nameId string?, scid string?, recommendedVersion string?, recommendedVendor string?, recommendedProgram string?, priority string=High|Medium|Low, dueOn time?,
		targetDevices whole, fixedDevices whole?, rbacGroupNames texts, productivityImpactRemediationType string=AllExposedAssets|NonProductivityImpactedAssets, completionMethod string?=Automatic|Manual, completerId string?, completerEmail string?`
	exported = `id string={device}_debian-_-alpha_1.0-1_CVE-2024-99001_, deviceId string={device}, deviceName string, rbacGroupName string, rbacGroupId number, osPlatform string=Linux, osVersion string=debian_12, osArchitecture string?=32-bit|64-bit,
		softwareVendor string, softwareName string, softwareVersion string, cveId string?, vulnerabilitySeverityLevel string?, cvssScore number?, exploitabilityLevel string=NoExploit|ExploitIsPublic|ExploitIsVerified|ExploitIsInKit,
		recommendedSecurityUpdate string?, recommendedSecurityUpdateId string?, recommendedSecurityUpdateUrl string?, securityUpdateAvailable flag, recommendationReference string=va-_-debian-_-alpha, diskPaths texts, registryPaths texts,
		firstSeenTimestamp plain, lastSeenTimestamp plain`
)

// Every property that the Defender API documents of what vulnerability
// management answers is there, in its type, on a server that runs.
func TestDocumentedProperties(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	bins, err := rig.Build(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	c := &crash{t: t, ctx: ctx}
	if c.tree, err = rig.NewTree(filepath.Join(dir, "root"), map[string]string{"alpha": "1.0-1"}); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(c.tree.Root, "etc/ssh"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.tree.Root, "etc/passwd"), []byte("root:x:0:0::/root:/bin/sh\nother:x:0:0::/root:/bin/sh\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if c.srv, err = bins.StartServer(ctx, filepath.Join(dir, "data")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.srv.Kill() })
	c.importIntelligence(dir)
	if c.client, err = c.srv.Client(ctx); err != nil {
		t.Fatal(err)
	}
	if c.agent, err = bins.StartAgent(ctx, c.srv, filepath.Join(dir, "state"), rig.AgentOptions{Root: c.tree.Root}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.stop)
	names := c.furnished()
	for _, d := range documented {
		route := names.Replace(d.route)
		t.Run(strings.TrimPrefix(d.route, "/api/"), func(t *testing.T) {
			row := c.firstRow(t, route)
			for _, p := range strings.Split(d.properties, ",") {
				name, kind, _ := strings.Cut(strings.TrimSpace(p), " ")
				if err := is(row, name, names.Replace(kind)); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// furnished waits for findings and for a setting that fails, requests a
// remediation, and returns the names of what there is.
func (c *crash) furnished() *strings.Replacer {
	c.t.Helper()
	console, err := c.srv.Console(c.ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	var device, setting string
	if err := rig.Wait(c.ctx, 2*time.Minute, 100*time.Millisecond, func(ctx context.Context) (bool, error) {
		var list struct {
			Value []struct{ ID, RemediationType string }
		}
		if err := c.client.Get(ctx, "/api/recommendations", &list); err != nil {
			return false, err
		}
		update := false
		for _, r := range list.Value {
			update = update || r.ID == "va-_-debian-_-alpha"
			if r.RemediationType == "ConfigurationChange" {
				setting = r.ID
			}
		}
		return update && setting != "", nil
	}); err != nil {
		c.t.Fatal(err)
	}
	devices, err := c.client.Devices(c.ctx)
	if err != nil || len(devices) != 1 {
		c.t.Fatalf("%d devices, %v", len(devices), err)
	}
	device = devices[0].ID
	var task struct{ ID string }
	if err := console.Send(c.ctx, "POST", "/api/x/remediations", map[string]any{"recommendation_id": "va-_-debian-_-alpha", "type": "Update", "priority": "High", "due": "", "notes": "", "groups": []int{}, "destinations": []string{}}, &task); err != nil {
		c.t.Fatal(err)
	}
	return strings.NewReplacer("{device}", device, "{setting}", setting, "{task}", task.ID, "{yesterday}", time.Now().UTC().Add(-24*time.Hour).Format("2006-01-02T15:04:05Z"))
}

// firstRow is the first row of a list, or the one entity.
func (c *crash) firstRow(t *testing.T, route string) map[string]json.RawMessage {
	t.Helper()
	var answer map[string]json.RawMessage
	if err := c.client.Get(c.ctx, route, &answer); err != nil {
		t.Fatal(err)
	}
	list, ok := answer["value"]
	if !ok {
		return answer
	}
	var rows []map[string]json.RawMessage
	if err := json.Unmarshal(list, &rows); err != nil || len(rows) == 0 {
		t.Fatalf("no row: %s, %v", list, err)
	}
	return rows[0]
}

// is checks a property against "type", "type?" and "type=pattern".
func is(row map[string]json.RawMessage, name, kind string) error {
	raw, ok := row[name]
	if !ok {
		return fmt.Errorf("%s is missing", name)
	}
	kind, pattern, _ := strings.Cut(kind, "=")
	kind, null := strings.CutSuffix(kind, "?")
	if string(raw) == "null" {
		if !null {
			return fmt.Errorf("%s is null", name)
		}
		return nil
	}
	shapes := map[string]string{"string": `".*"`, "time": `"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z"`, "plain": `"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?"`, "number": `-?\d+(\.\d+)?([eE][-+]?\d+)?`, "whole": `\d+`,
		"flag": `true|false`, "texts": `\[("[^"]*",?)*\]`, "list": `\[.*\]`}
	if !regexp.MustCompile(`(?s)^(` + shapes[kind] + `)$`).Match(raw) {
		return fmt.Errorf("%s is %s, not a %s", name, raw, kind)
	}
	if pattern != "" && !regexp.MustCompile(`^"?(`+pattern+`)"?$`).Match(raw) {
		return fmt.Errorf("%s is %s, not one of %s", name, raw, pattern)
	}
	return nil
}
