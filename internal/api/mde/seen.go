package mde

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/picketsec/picket/internal/server"
)

// seenRoutes are what is known of files, addresses, hosts and accounts.
func seenRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/files/{id}", Permission: server.FileRead, serve: (*Handler).file},
		{Method: "GET", Path: "/files/{id}/stats", Permission: server.FileRead, serve: stats(server.EntityFile, "InOrgFileStats", fileStatProps)},
		{Method: "GET", Path: "/files/{id}/machines", Permission: server.MachineRead, serve: machinesOf(server.EntityFile)},
		{Method: "GET", Path: "/files/{id}/alerts", Permission: server.AlertRead, serve: alertsOf(server.EntityFile)},
		{Method: "GET", Path: "/domains/{id}/alerts", Permission: server.AlertRead, serve: alertsOf(server.EntityDomain)},
		{Method: "GET", Path: "/ips/{id}/alerts", Permission: server.AlertRead, serve: alertsOf(server.EntityIP)},
		{Method: "GET", Path: "/users/{id}/alerts", Permission: server.AlertRead, serve: alertsOf(server.EntityUser)},
		{Method: "GET", Path: "/domains/{id}/stats", Permission: server.URLRead, serve: stats(server.EntityDomain, "InOrgDomainStats", domainStatProps)},
		{Method: "GET", Path: "/domains/{id}/machines", Permission: server.MachineRead, serve: machinesOf(server.EntityDomain)},
		{Method: "GET", Path: "/ips/{id}/stats", Permission: server.AddressRead, serve: stats(server.EntityIP, "InOrgIPStats", addressStatProps)},
		{Method: "GET", Path: "/users/{id}/machines", Permission: server.MachineRead, serve: machinesOf(server.EntityUser)},
		{Method: "GET", Path: "/machines/{id}/logonusers", Permission: server.AccountRead, serve: (*Handler).logonUsers},
	}
}

// seenErrors are the codes of ids that are none.
var seenErrors = map[string]string{server.EntityFile: "InvalidHashValue", server.EntityDomain: "InvalidDomainName", server.EntityIP: "InvalidIpAddress", server.EntityUser: "InvalidInput"}

// entity names what the path is about, and how far back it is looked for.
func (h *Handler) entity(q *request, kind string, o options) (server.EntityQuery, error) {
	want := server.EntityQuery{Kind: kind, ID: pathArg(q.id)}
	if kind == server.EntityUser { // "domain\name", as ids of users are written
		want.ID = want.ID[strings.LastIndexByte(want.ID, '\\')+1:]
	}
	if back := o.plain["lookbackhours"]; back != "" {
		hours, err := strconv.Atoi(back)
		if err != nil || hours < 1 || hours > 366*24 {
			return want, &Error{Status: http.StatusBadRequest, Code: "InvalidInput", Message: "The parameter lookBackHours must be a whole number of hours, at most a year."}
		}
		want.Days = max(1, (hours+23)/24)
	}
	return want, nil
}

// seenError gives an id that is none its code.
func seenError(kind string, err error) error {
	var invalid *server.InputError
	if errors.As(err, &invalid) && invalid.Field == "id" {
		return &Error{Status: http.StatusBadRequest, Code: seenErrors[kind], Message: invalid.Message}
	}
	return err
}

// fileProps are the properties of a file. What this server knows of the world is its own
// devices: prevalence is theirs. Nothing says who signed a file, and no verdict is made up.
var fileProps = []prop[server.EntityView]{
	{"sha1", word, func(r *server.EntityView) any { return textOrNil(r.File.SHA1) }},
	{"sha256", word, func(r *server.EntityView) any { return textOrNil(r.File.SHA256) }},
	{"md5", word, func(r *server.EntityView) any { return textOrNil(r.File.MD5) }},
	{"globalPrevalence", number, func(r *server.EntityView) any { return float64(r.Devices) }},
	{"globalFirstObserved", instant, func(r *server.EntityView) any { return timeOrNil(r.First) }},
	{"globalLastObserved", instant, func(r *server.EntityView) any { return timeOrNil(r.Last) }},
	{"size", number, func(r *server.EntityView) any {
		if r.File.Size == 0 {
			return nil
		}
		return float64(r.File.Size)
	}},
	{"fileType", text, constant[server.EntityView](nil)},
	{"isPeFile", flag, func(r *server.EntityView) any { return isPE(r.Name) }},
	{"filePublisher", text, constant[server.EntityView](nil)},
	{"fileProductName", text, constant[server.EntityView](nil)},
	{"signer", text, constant[server.EntityView](nil)},
	{"issuer", text, constant[server.EntityView](nil)},
	{"signerHash", text, constant[server.EntityView](nil)},
	{"isValidCertificate", flag, constant[server.EntityView](nil)},
	{"determinationType", word, constant[server.EntityView]("Unknown")},
	{"determinationValue", text, constant[server.EntityView]("")},
}

// isPE reports whether a file is one of Windows programs by its name.
func isPE(name string) bool {
	low := strings.ToLower(name)
	return strings.HasSuffix(low, ".exe") || strings.HasSuffix(low, ".dll") || strings.HasSuffix(low, ".sys")
}

func (h *Handler) file(q *request) error {
	o, err := parseOptions(q.r.URL.RawQuery)
	if err != nil {
		return err
	}
	want, err := h.entity(q, server.EntityFile, o)
	if err != nil {
		return err
	}
	if want.Days == 0 {
		want.Days = 366 // whatever is kept
	}
	v, err := h.opt.Server.Entity(q.ctx(), q.caller, want)
	if err != nil {
		return missing(seenError(server.EntityFile, err), "File", q.id)
	}
	return serveOne(q, "Files", fileProps, &v)
}

// orgProps are the statistics that all kinds have; counts are texts, as programs know them.
var orgProps = []prop[server.EntityView]{
	{"orgPrevalence", word, func(r *server.EntityView) any { return strconv.Itoa(r.Devices) }},
	{"orgFirstSeen", instant, func(r *server.EntityView) any { return timeOrNil(r.First) }},
	{"orgLastSeen", instant, func(r *server.EntityView) any { return timeOrNil(r.Last) }},
}

var topNames = prop[server.EntityView]{"topFileNames", texts, func(r *server.EntityView) any {
	out := []string{}
	for _, n := range r.Names {
		if n.Name != "" {
			out = append(out, n.Name)
		}
	}
	return out
}}

var (
	fileStatProps = append(append([]prop[server.EntityView]{
		{"sha1", word, func(r *server.EntityView) any { return textOrNil(r.File.SHA1) }},
		{"sha256", word, func(r *server.EntityView) any { return textOrNil(r.File.SHA256) }},
	}, orgProps...),
		prop[server.EntityView]{"globalPrevalence", word, func(r *server.EntityView) any { return strconv.Itoa(r.Devices) }},
		prop[server.EntityView]{"globalFirstObserved", instant, func(r *server.EntityView) any { return timeOrNil(r.First) }},
		prop[server.EntityView]{"globalLastObserved", instant, func(r *server.EntityView) any { return timeOrNil(r.Last) }},
		topNames)
	domainStatProps = append(append([]prop[server.EntityView]{
		{"host", word, func(r *server.EntityView) any { return r.ID }},
	}, orgProps...), topNames)
	addressStatProps = append(append([]prop[server.EntityView]{
		{"ipAddress", word, func(r *server.EntityView) any { return r.ID }},
	}, orgProps...), topNames)
)

// stats answers the statistics of one entity; of one that nobody met they are zero.
func stats(kind, set string, props []prop[server.EntityView]) func(h *Handler, q *request) error {
	return func(h *Handler, q *request) error {
		o, err := parseOptions(q.r.URL.RawQuery)
		if err != nil {
			return err
		}
		want, err := h.entity(q, kind, o)
		if err != nil {
			return err
		}
		v, err := h.opt.Server.Entity(q.ctx(), q.caller, want)
		if errors.Is(err, server.ErrNotFound) {
			v, err = server.EntityView{ID: strings.ToLower(want.ID), File: &server.EntityFileFacts{}}, nil
			if kind == server.EntityFile {
				v.File.SHA1, v.File.SHA256 = bySize(v.ID)
			}
		}
		if err != nil {
			return seenError(kind, err)
		}
		return serveOne(q, "microsoft.windowsDefenderATP.api."+set, props, &v)
	}
}

// bySize says which of the two hashes one is.
func bySize(hash string) (sha1, sha256 string) {
	if len(hash) == 40 {
		return hash, ""
	}
	return "", hash
}

// machinesOf lists the devices that met an entity.
func machinesOf(kind string) func(h *Handler, q *request) error {
	return func(h *Handler, q *request) error {
		o, err := parseOptions(q.r.URL.RawQuery)
		if err != nil {
			return err
		}
		want, err := h.entity(q, kind, o)
		if err != nil {
			return err
		}
		on, err := h.opt.Server.SeenOn(q.ctx(), q.caller, want)
		if err != nil {
			return seenError(kind, err)
		}
		return h.some(q, o, func(r *server.DeviceRow) bool { return on[r.ID] })
	}
}

// alertsOf lists the alerts whose evidence names an entity; a user may be named
// with the domain, as ids of users are written.
func alertsOf(kind string) func(h *Handler, q *request) error {
	return func(h *Handler, q *request) error {
		return h.alertList(q, func(want server.Query, where func(*server.AlertRow) bool) (server.Page[server.AlertRow], error) {
			page, err := h.opt.Server.EntityAlerts(q.ctx(), q.caller, kind, pathArg(q.id), want, where)
			return page, seenError(kind, err)
		})
	}
}

// userProps are the properties of a user of a device. There is no directory that
// says who is an administrator of a domain.
var userProps = []prop[server.LogonUser]{
	{"id", word, func(r *server.LogonUser) any { return userID(r.Domain, r.Name) }},
	{"accountName", word, func(r *server.LogonUser) any { return r.Name }},
	{"accountDomain", word, func(r *server.LogonUser) any { return textOrNil(r.Domain) }},
	{"accountSid", word, func(r *server.LogonUser) any { return textOrNil(r.SID) }},
	{"firstSeen", instant, func(r *server.LogonUser) any { return timeOrNil(r.First) }},
	{"lastSeen", instant, func(r *server.LogonUser) any { return timeOrNil(r.Last) }},
	{"mostPrevalentMachineId", word, func(r *server.LogonUser) any { return textOrNil(string(r.MostOn)) }},
	{"leastPrevalentMachineId", word, func(r *server.LogonUser) any { return textOrNil(string(r.LeastOn)) }},
	{"logonTypes", text, func(r *server.LogonUser) any { return strings.Join(r.Types, ", ") }},
	{"logOnMachinesCount", number, func(r *server.LogonUser) any { return r.Machines }},
	{"isDomainAdmin", flag, constant[server.LogonUser](nil)},
	{"isOnlyNetworkUser", flag, func(r *server.LogonUser) any { return len(r.Types) == 1 && r.Types[0] == "Network" }},
}

func userID(domain, name string) string {
	if domain == "" {
		return name
	}
	return fmt.Sprintf(`%s\%s`, domain, name)
}

// logonUsers are those who logged on to a device in 30 days.
func (h *Handler) logonUsers(q *request) error {
	return serveRows(q, "Users", userProps, func(want server.RowQuery[server.LogonUser]) (server.RowPage[server.LogonUser], error) {
		page, err := h.opt.Server.DeviceUsers(q.ctx(), q.caller, lowerID(q.id), want)
		return page, missing(err, "Machine", q.id)
	})
}
