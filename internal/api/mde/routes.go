package mde

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/server"
)

// Route is one route of the façade.
type Route struct {
	Method     string
	Path       string   // below /api; "{id}" is one segment, "name(…)" a function
	Permission string   // that the caller needs
	Or         []string // permissions that open it as well
	serve      func(h *Handler, q *request) error
}

// Routes is the whole table: what is not in it does not exist.
func Routes() []Route {
	return append(slices.Concat(exportRoutes(), seenRoutes(), machineActionRoutes(), investigationRoutes(), indicatorRoutes()), []Route{
		{Method: "GET", Path: "/machines", Permission: server.MachineRead, serve: (*Handler).machines},
		{Method: "GET", Path: "/machines/findbytag", Permission: server.MachineRead, serve: (*Handler).machinesByTag},
		{Method: "GET", Path: "/machines/findbyip(…)", Permission: server.MachineRead, serve: (*Handler).machinesByIP},
		{Method: "GET", Path: "/machines/{id}", Permission: server.MachineRead, serve: (*Handler).machine},
		{Method: "GET", Path: "/machines/{id}/software", Permission: server.SoftwareRead, serve: (*Handler).machineSoftware},
		{Method: "GET", Path: "/machines/{id}/vulnerabilities", Permission: server.VulnerabilityRead, serve: (*Handler).machineVulns},
		{Method: "GET", Path: "/machines/{id}/recommendations", Permission: server.RecommendationRead, serve: (*Handler).machineRecommendations},
		{Method: "PATCH", Path: "/machines/{id}", Permission: server.MachineReadWrite, serve: (*Handler).patchMachine},
		{Method: "POST", Path: "/machines/{id}/tags", Permission: server.MachineReadWrite, serve: (*Handler).tagMachine},
		{Method: "POST", Path: "/machines/AddOrRemoveTagForMultipleMachines", Permission: server.MachineReadWrite, serve: (*Handler).tagMachines},
		{Method: "POST", Path: "/machines/{id}/setDeviceValue", Permission: server.MachineReadWrite, serve: (*Handler).setDeviceValue},
		{Method: "GET", Path: "/machines/{id}/alerts", Permission: server.AlertRead, serve: (*Handler).machineAlerts},
		{Method: "GET", Path: "/alerts", Permission: server.AlertRead, serve: (*Handler).alerts},
		{Method: "GET", Path: "/alerts/{id}", Permission: server.AlertRead, serve: (*Handler).alert},
		{Method: "GET", Path: "/alerts/{id}/machine", Permission: server.MachineRead, serve: (*Handler).alertMachine},
		{Method: "GET", Path: "/alerts/{id}/user", Permission: server.AccountRead, serve: (*Handler).alertUser},
		{Method: "GET", Path: "/alerts/{id}/files", Permission: server.FileRead, serve: (*Handler).alertFiles},
		{Method: "GET", Path: "/alerts/{id}/domains", Permission: server.URLRead, serve: (*Handler).alertDomains},
		{Method: "GET", Path: "/alerts/{id}/ips", Permission: server.AddressRead, serve: (*Handler).alertAddresses},
		{Method: "PATCH", Path: "/alerts/{id}", Permission: server.AlertWrite, serve: (*Handler).patchAlert},
		{Method: "POST", Path: "/alerts/batchUpdate", Permission: server.AlertWrite, serve: (*Handler).updateAlerts},
		{Method: "POST", Path: "/alerts/CreateAlertByReference", Permission: server.AlertWrite, serve: (*Handler).createAlert},
		{Method: "GET", Path: "/recommendations", Permission: server.RecommendationRead, serve: (*Handler).recommendations},
		{Method: "GET", Path: "/recommendations/{id}", Permission: server.RecommendationRead, serve: (*Handler).recommendation},
		{Method: "GET", Path: "/recommendations/{id}/software", Permission: server.RecommendationRead, serve: (*Handler).recommendationSoftware},
		{Method: "GET", Path: "/recommendations/{id}/machineReferences", Permission: server.RecommendationRead, serve: (*Handler).recommendationMachines},
		{Method: "GET", Path: "/recommendations/{id}/vulnerabilities", Permission: server.RecommendationRead, serve: (*Handler).recommendationVulns},
		{Method: "GET", Path: "/remediationTasks", Permission: server.RemediationRead, serve: (*Handler).remediations},
		{Method: "GET", Path: "/remediationTasks/{id}", Permission: server.RemediationRead, serve: (*Handler).remediation},
		{Method: "GET", Path: "/remediationTasks/{id}/machineReferences", Permission: server.RemediationRead, serve: (*Handler).remediationMachines},
		{Method: "GET", Path: "/configurationScore", Permission: server.ScoreRead, serve: (*Handler).configurationScore},
		{Method: "GET", Path: "/exposureScore", Permission: server.ScoreRead, serve: (*Handler).exposureScore},
		{Method: "GET", Path: "/exposureScore/ByMachineGroups", Permission: server.ScoreRead, serve: (*Handler).exposureByGroup},
		{Method: "GET", Path: "/machines/{id}/getmissingkbs", Permission: server.SoftwareRead, serve: (*Handler).machineKBs},
		{Method: "GET", Path: "/software/{id}/getmissingkbs", Permission: server.SoftwareRead, serve: (*Handler).softwareKBs},
		{Method: "GET", Path: "/software", Permission: server.SoftwareRead, serve: (*Handler).software},
		{Method: "GET", Path: "/software/{id}", Permission: server.SoftwareRead, serve: (*Handler).product},
		{Method: "GET", Path: "/software/{id}/distributions", Permission: server.SoftwareRead, serve: (*Handler).distributions},
		{Method: "GET", Path: "/software/{id}/machineReferences", Permission: server.SoftwareRead, serve: (*Handler).softwareMachines},
		{Method: "GET", Path: "/software/{id}/vulnerabilities", Permission: server.VulnerabilityRead, serve: (*Handler).softwareVulns},
		{Method: "POST", Path: "/advancedqueries/run", Permission: server.AdvancedQuery, serve: (*Handler).hunt},
		{Method: "POST", Path: "/advancedhunting/run", Permission: server.AdvancedQuery, serve: (*Handler).hunt},
		{Method: "GET", Path: "/vulnerabilities", Permission: server.VulnerabilityRead, serve: (*Handler).vulns},
		{Method: "GET", Path: "/vulnerabilities/machinesVulnerabilities", Permission: server.VulnerabilityRead, serve: (*Handler).machinesVulns},
		{Method: "GET", Path: "/vulnerabilities/{id}", Permission: server.VulnerabilityRead, serve: (*Handler).vuln},
		{Method: "GET", Path: "/vulnerabilities/{id}/machineReferences", Permission: server.VulnerabilityRead, serve: (*Handler).vulnMachines},
	}...)
}

// machineSorts are the server's sort keys of properties that it orders the same way: of all
// that a machine can be ordered by. "": the property is the same for all machines.
var machineSorts = map[string]string{"id": "id", "computerDnsName": "dns_name", "firstSeen": "first_seen", "lastSeen": "last_seen",
	"osPlatform": "platform", "osVersion": "release", "version": "release", "lastIpAddress": "address", "healthStatus": "health_word",
	"osProcessor": "processor", "osArchitecture": "bits", "deviceValue": "value_word", "riskScore": "risk_word", "exposureLevel": "exposure_word",
	"rbacGroupId": "group_id", "rbacGroupName": "group_word",
	"osBuild": "", "onboardingStatus": "", "lastExternalIpAddress": "", "isAadJoined": "", "aadDeviceId": ""}

// machines is the list of devices.
func (h *Handler) machines(q *request) error {
	o, err := parseOptions(q.r.URL.RawQuery)
	if err != nil {
		return err
	}
	return serveSorted(q, o, "Machines", machineProps, machineSorts, func(want server.Query, where func(*server.DeviceRow) bool) (server.Page[server.DeviceRow], error) {
		want.Sort = append(want.Sort, "first_seen") // never changes: pages stay where they are
		return h.opt.Server.Devices(q.ctx(), q.caller, want, where)
	})
}

// machine is one device, by id or by name.
func (h *Handler) machine(q *request) error {
	d, err := h.device(q)
	if err != nil {
		return err
	}
	return serveOne(q, "Machines", machineProps, rowOf(&d))
}

// device looks the device of the path up.
func (h *Handler) device(q *request) (server.Device, error) {
	id := q.id
	if low := strings.ToLower(id); inventory.DeviceID(low).Valid() {
		id = low
	}
	d, err := h.opt.Server.Device(q.ctx(), q.caller, id)
	return d, missing(err, "Machine", q.id)
}

// missing gives a "not found" its name.
func missing(err error, what, id string) error {
	if errors.Is(err, server.ErrNotFound) {
		return &Error{Status: http.StatusNotFound, Code: "ResourceNotFound", Message: fmt.Sprintf("%s %s was not found", what, id)}
	}
	return err
}

func (h *Handler) machinesByTag(q *request) error {
	o, err := parseOptions(q.r.URL.RawQuery)
	if err != nil {
		return err
	}
	tag := o.plain["tag"]
	if tag == "" {
		return &Error{Status: http.StatusBadRequest, Code: "MissingRequiredParameter", Message: "The parameter tag is missing."}
	}
	prefix := strings.EqualFold(o.plain["usestartswithfilter"], "true")
	return h.some(q, o, func(r *server.DeviceRow) bool {
		return slices.ContainsFunc(r.Tags, func(t string) bool {
			return t == tag || prefix && strings.HasPrefix(t, tag)
		})
	})
}

// some lists the devices that a function of the path picks.
func (h *Handler) some(q *request, o options, pick func(*server.DeviceRow) bool) error {
	return serveSorted(q, o, "Machines", machineProps, machineSorts, func(want server.Query, where func(*server.DeviceRow) bool) (server.Page[server.DeviceRow], error) {
		want.Sort = append(want.Sort, "first_seen")
		return h.opt.Server.Devices(q.ctx(), q.caller, want, func(r *server.DeviceRow) bool { return pick(r) && (where == nil || where(r)) })
	})
}

var (
	argIP   = regexp.MustCompile(`(?i)\bip\s*=\s*['"]?([^'",)]*)`)
	argTime = regexp.MustCompile(`(?i)\btimestamp\s*=\s*(?:datetime)?['"]?([^'",)]*)`)
)

// near is how far from the timestamp a device may have been seen, back how old
// the timestamp may be.
const (
	near = 15 * time.Minute
	back = 30 * 24 * time.Hour
)

// machinesByIP finds devices that have an address and were seen around a time.
func (h *Handler) machinesByIP(q *request) error {
	o, err := parseOptions(q.r.URL.RawQuery)
	if err != nil {
		return err
	}
	m := argIP.FindStringSubmatch(q.arg)
	if m == nil {
		return &Error{Status: http.StatusBadRequest, Code: "MissingRequiredParameter", Message: "The argument ip is missing."}
	}
	ip, err := netip.ParseAddr(strings.TrimSpace(m[1]))
	if err != nil {
		return &Error{Status: http.StatusBadRequest, Code: "InvalidIpAddress", Message: "The argument ip is not an IP address."}
	}
	ip = ip.Unmap().WithZone("")
	var at time.Time
	if m := argTime.FindStringSubmatch(q.arg); m != nil {
		var ok bool
		if at, ok = parseTime(strings.TrimSpace(m[1])); !ok {
			return &Error{Status: http.StatusBadRequest, Code: "InvalidInput", Message: "The argument timestamp is not a date and time."}
		}
		if at.Before(h.opt.Now().Add(-back)) {
			return &Error{Status: http.StatusBadRequest, Code: "InvalidInput", Message: "The argument timestamp lies more than 30 days back."}
		}
	}
	return h.some(q, o, func(r *server.DeviceRow) bool {
		if !hasAddress(r, ip) {
			return false
		}
		return at.IsZero() || !r.FirstSeen.After(at.Add(near)) && !r.LastSeen.Before(at.Add(-near))
	})
}

// machineSoftware is one row per product on a device; how many machines have
// it is counted over all.
func (h *Handler) machineSoftware(q *request) error {
	return serveRows(q, "Software", softwareProps, func(want server.RowQuery[server.SoftwareRow]) (server.RowPage[server.SoftwareRow], error) {
		page, err := h.opt.Server.DeviceSoftwareTable(q.ctx(), q.caller, lowerID(q.id), want)
		return page, missing(err, "Machine", q.id)
	})
}

func lowerID(id string) string {
	if low := strings.ToLower(id); inventory.DeviceID(low).Valid() {
		return low
	}
	return id
}

// software is the list of products.
func (h *Handler) software(q *request) error {
	return serveList(q, "Software", softwareProps, func(want server.Query, where func(*server.SoftwareRow) bool) (server.Page[server.SoftwareRow], error) {
		want.Sort = []string{"name"}
		return h.opt.Server.SoftwareList(q.ctx(), q.caller, want, where)
	})
}

func (h *Handler) product(q *request) error {
	s, err := h.opt.Server.Software(q.ctx(), q.caller, h.softwareID(q))
	if err != nil {
		return missing(err, "Software", q.id)
	}
	return serveOne(q, "Software", softwareProps, &s.SoftwareRow)
}

func (h *Handler) distributions(q *request) error {
	return serveRows(q, "Distributions", distributionProps, func(want server.RowQuery[server.VersionRow]) (server.RowPage[server.VersionRow], error) {
		page, err := h.opt.Server.SoftwareVersionTable(q.ctx(), q.caller, h.softwareID(q), want)
		return page, missing(err, "Software", q.id)
	})
}

func (h *Handler) softwareMachines(q *request) error {
	return machineRefs(q, func(want server.DeviceRefQuery) (server.DeviceRefPage, error) {
		page, err := h.opt.Server.SoftwareDeviceRefs(q.ctx(), q.caller, h.softwareID(q), want)
		return page, missing(err, "Software", q.id)
	})
}

func (h *Handler) softwareVulns(q *request) error {
	return h.vulnTable(q, func(want server.WeaknessTableQuery) (server.WeaknessTablePage, error) {
		page, err := h.opt.Server.SoftwareWeaknessTable(q.ctx(), q.caller, h.softwareID(q), want)
		return page, missing(err, "Software", q.id)
	})
}

func upperCVE(id string) string {
	if up := strings.ToUpper(id); strings.HasPrefix(up, "CVE-") {
		return up
	}
	return id
}

func (h *Handler) vulnMachines(q *request) error {
	return machineRefs(q, func(want server.DeviceRefQuery) (server.DeviceRefPage, error) {
		page, err := h.opt.Server.WeaknessDeviceRefs(q.ctx(), q.caller, upperCVE(q.id), want)
		return page, missing(err, "Vulnerability", q.id)
	})
}

// pathArg decodes the arguments of a function in a path.
func pathArg(s string) string {
	if v, err := url.PathUnescape(s); err == nil {
		return v
	}
	return s
}
