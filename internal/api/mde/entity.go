package mde

import (
	"net/netip"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/server"
)

// constant is a property that is the same on every row.
func constant[T any](v any) func(*T) any { return func(*T) any { return v } }

// timeOrNil is null for a time that is not known.
func timeOrNil(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// machineProps are the properties of a machine. riskScore is
// the risk level that active alerts make.
var machineProps = []prop[server.DeviceRow]{
	{"id", word, func(r *server.DeviceRow) any { return string(r.ID) }},
	{"computerDnsName", word, func(r *server.DeviceRow) any { return dnsName(r.DNSName, r.Name) }},
	{"firstSeen", instant, func(r *server.DeviceRow) any { return timeOrNil(r.FirstSeen) }},
	{"lastSeen", instant, func(r *server.DeviceRow) any { return timeOrNil(r.LastSeen) }},
	{"osPlatform", word, func(r *server.DeviceRow) any { return r.OSPlatform }},
	{"osVersion", text, func(r *server.DeviceRow) any { return textOrNil(r.OSVersion) }},
	{"osProcessor", word, func(r *server.DeviceRow) any { return processor(r.Arch) }},
	{"version", text, func(r *server.DeviceRow) any { return r.OSVersion }},
	{"osBuild", number, constant[server.DeviceRow](nil)},
	{"osArchitecture", word, func(r *server.DeviceRow) any { return architecture(r.Arch) }},
	{"onboardingStatus", word, constant[server.DeviceRow]("onboarded")},
	{"lastIpAddress", text, func(r *server.DeviceRow) any { return textOrNil(r.IP) }},
	{"lastExternalIpAddress", text, func(r *server.DeviceRow) any { return textOrNil(r.External) }},
	{"healthStatus", word, func(r *server.DeviceRow) any { return health(r.Health) }},
	{"deviceValue", word, func(r *server.DeviceRow) any { return r.Value }},
	{"rbacGroupId", number, func(r *server.DeviceRow) any { return float64(r.GroupID) }},
	{"rbacGroupName", text, func(r *server.DeviceRow) any { return textOrNil(r.GroupWord) }},
	{"riskScore", word, func(r *server.DeviceRow) any { return textOrNil(r.Risk) }},
	{"exposureLevel", word, exposureLevel},
	{"isAadJoined", flag, constant[server.DeviceRow](false)},
	{"aadDeviceId", word, constant[server.DeviceRow](nil)},
	{"machineTags", texts, func(r *server.DeviceRow) any { return r.Tags }},
	{"ipAddresses", objects, func(r *server.DeviceRow) any { return addresses(r) }},
}

func dnsName(full, name string) string {
	if full != "" {
		return full
	}
	return name
}

func health(h string) string {
	if h == "" {
		return "Unknown"
	}
	return h
}

func processor(arch string) any { return textOrNil(server.ProcessorWord(arch)) }

func architecture(arch string) any { return textOrNil(server.ArchitectureWord(arch)) }

// addresses lists one object per address; loopback interfaces are left out.
func addresses(r *server.DeviceRow) []map[string]any {
	out := []map[string]any{}
	add := func(ip, mac string, up bool) {
		status := "Down"
		if up {
			status = "Up"
		}
		out = append(out, map[string]any{"ipAddress": ip, "macAddress": textOrNil(strings.ToUpper(strings.ReplaceAll(mac, ":", ""))), "operationalStatus": status})
	}
	for _, i := range r.Interfaces {
		if i.Loopback {
			continue
		}
		for _, a := range i.Addresses {
			add(a, i.MAC, i.Up)
		}
	}
	if len(out) == 0 && r.IP != "" {
		add(r.IP, "", true)
	}
	return out
}

// hasAddress reports whether a device has an IP address.
func hasAddress(r *server.DeviceRow, ip netip.Addr) bool {
	same := func(s string) bool {
		a, err := netip.ParseAddr(s)
		return err == nil && a.Unmap().WithZone("") == ip
	}
	if same(r.IP) {
		return true
	}
	for _, i := range r.Interfaces {
		for _, a := range i.Addresses {
			if same(a) {
				return true
			}
		}
	}
	return false
}

// rowOf is a device as a row of the list.
func rowOf(d *server.Device) *server.DeviceRow {
	r := d.DeviceRow
	r.DNSName = dnsName(dnsName(r.DNSName, d.FQDN), r.Name)
	if r.Interfaces == nil {
		r.Interfaces = d.Interfaces
	}
	return &r
}

// softwareProps are the properties of a product. activeAlert says that an
// exposed device has an active alert.
var softwareProps = []prop[server.SoftwareRow]{
	{"id", text, func(r *server.SoftwareRow) any { return r.ID }},
	{"name", text, func(r *server.SoftwareRow) any { return r.Name }},
	{"vendor", text, func(r *server.SoftwareRow) any { return r.Vendor }},
	{"weaknesses", number, func(r *server.SoftwareRow) any { return float64(r.Weaknesses) }},
	{"publicExploit", flag, func(r *server.SoftwareRow) any { return public(r.Threats) }},
	{"activeAlert", flag, func(r *server.SoftwareRow) any { return r.Threats.Alerts > 0 }},
	{"exposedMachines", number, func(r *server.SoftwareRow) any { return float64(r.Exposed) }},
	{"installedMachines", number, func(r *server.SoftwareRow) any { return float64(r.Installed) }},
	{"impactScore", number, func(r *server.SoftwareRow) any { return r.Impact }},
	{"isNormalized", flag, constant[server.SoftwareRow](true)},
	{"category", word, constant[server.SoftwareRow]("Application")},
}

func public(t server.Threats) bool { return t.Exploit != "" && t.Exploit != advisory.NoExploit }

var distributionProps = []prop[server.VersionRow]{
	{"version", text, func(r *server.VersionRow) any { return r.Version }},
	{"installations", number, func(r *server.VersionRow) any { return float64(r.Installed) }},
	{"vulnerabilities", number, func(r *server.VersionRow) any { return float64(r.Weaknesses) }},
}

// vuln is a weakness as a row, and how to learn what the row does not say.
type vuln struct {
	server.WeaknessRow
	base  *float64 // the CVSS 3 score when the row came with it
	facts *advisory.Weakness
	load  func(id string) *advisory.Weakness // nil: what the row does not say cannot be asked
	asked bool                               // it was asked all the same
}

// more is everything that is known of the weakness, looked up once.
func (v *vuln) more() *advisory.Weakness {
	if v.facts == nil && v.load != nil {
		v.facts = v.load(v.ID)
	}
	if v.facts == nil {
		v.facts, v.asked = &advisory.Weakness{}, true
	}
	return v.facts
}

// wideVulnProps are the properties of which the row says nothing.
var wideVulnProps = []string{"description", "cvssVector", "exploitTypes", "exploitUris"}

var vulnProps = []prop[vuln]{
	{"id", word, func(r *vuln) any { return r.ID }},
	{"name", word, func(r *vuln) any { return r.ID }},
	{"description", text, func(r *vuln) any { return describe(r) }},
	{"severity", word, func(r *vuln) any { return textOrNil(rated(string(r.Severity))) }},
	{"cvssV3", number, func(r *vuln) any { return baseV3(r) }},
	{"cvssVector", text, func(r *vuln) any { r.more(); return textOrNil(scoreV3(r).Vector) }},
	{"exposedMachines", number, func(r *vuln) any { return float64(r.Exposed) }},
	{"publishedOn", instant, func(r *vuln) any { return timeOrNil(r.Published) }},
	{"updatedOn", instant, func(r *vuln) any { return timeOrNil(r.Updated) }},
	{"publicExploit", flag, func(r *vuln) any { return public(r.Threats) }},
	{"exploitVerified", flag, func(r *vuln) any {
		return r.Threats.Exploit == advisory.ExploitVerified || r.Threats.Exploit == advisory.ExploitInKit
	}},
	{"exploitInKit", flag, func(r *vuln) any { return r.Threats.Exploit == advisory.ExploitInKit }},
	{"exploitTypes", texts, func(r *vuln) any { return r.more().ExploitTypes }},
	{"exploitUris", texts, func(r *vuln) any { return exploitURIs(r.more()) }},
	{"cveSupportability", word, constant[vuln]("Supported")},
	{"EPSS", number, func(r *vuln) any {
		if r.EPSS == 0 {
			return nil
		}
		return r.EPSS
	}},
}

// rated is a severity as this API has it, Low to Critical; "" where nobody
// scored the weakness: that is unknown, no fifth severity.
func rated(severity string) string {
	if severity == string(advisory.Unrated) {
		return ""
	}
	return severity
}

func describe(r *vuln) string {
	if d := r.more().Description; d != "" {
		return d
	}
	return r.Title
}

// scoreV3 is the CVSS 3 score: the preferred one where it is of version 3,
// else the best of version 3 that a feed gives, else the preferred one. A
// weakness without any score has 0. The vector is only there once more was asked.
func scoreV3(r *vuln) advisory.Score {
	if strings.HasPrefix(r.CVSSVer, "3") && r.facts == nil {
		return advisory.Score{Version: r.CVSSVer, Base: r.CVSS}
	}
	var first advisory.Score
	for i, s := range r.more().Scores {
		if strings.HasPrefix(s.Version, "3") {
			return s
		}
		if i == 0 {
			first = s
		}
	}
	if first.Version == "" {
		first.Base = r.CVSS
	}
	return first
}

func baseV3(r *vuln) float64 {
	if r.base != nil {
		return *r.base
	}
	return scoreV3(r).Base
}

func exploitURIs(w *advisory.Weakness) []string {
	out := []string{}
	for _, ref := range w.References {
		for _, tag := range ref.Tags {
			if strings.EqualFold(tag, "exploit") {
				out = append(out, ref.URL)
				break
			}
		}
	}
	return out
}

// machineVulnProps are one (machine, weakness, product, version).
var machineVulnProps = []prop[server.MachineVuln]{
	{"id", word, func(r *server.MachineVuln) any {
		return strings.Join([]string{string(r.Device), r.CVE, r.Vendor, r.Product, r.Version, r.FixingID}, "-_-")
	}},
	{"cveId", word, func(r *server.MachineVuln) any { return r.CVE }},
	{"machineId", word, func(r *server.MachineVuln) any { return string(r.Device) }},
	{"fixingKbId", word, func(r *server.MachineVuln) any { return textOrNil(r.FixingID) }},
	{"productName", text, func(r *server.MachineVuln) any { return r.Product }},
	{"productVendor", text, func(r *server.MachineVuln) any { return r.Vendor }},
	{"productVersion", text, func(r *server.MachineVuln) any { return r.Version }},
	{"severity", word, func(r *server.MachineVuln) any { return textOrNil(rated(r.Severity)) }},
}
