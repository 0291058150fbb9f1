package mde

import (
	"strconv"
	"strings"

	"github.com/picketsec/picket/internal/server"
)

// exportOS is an operating system as exports write it: the family, and the
// distribution with its version.
func exportOS(id, version string) (platform, release string) {
	switch id {
	case "":
		return "", ""
	case "rhel":
		id = "enterprise_linux"
	case "ubuntu":
		id = "ubuntu_linux"
	}
	if version != "" {
		id += "_" + version
	}
	return "Linux", strings.ToLower(id)
}

// deviceStart writes the members that every row of a device begins with;
// withSystem adds version and architecture of its system.
func deviceStart[T any](b []byte, d *server.DeviceExport[T], withSystem bool) []byte {
	platform, release := exportOS(d.OSID, d.OSVersion)
	b = append(b, `"deviceId":`...)
	b = appendText(b, string(d.ID))
	b = append(b, `,"deviceName":`...)
	b = appendText(b, d.Name)
	b = append(b, `,"rbacGroupName":`...)
	b = appendText(b, d.Group)
	b = append(b, `,"rbacGroupId":`...)
	b = strconv.AppendUint(b, uint64(d.GroupID), 10)
	b = append(b, `,"osPlatform":`...)
	b = appendTextOrNull(b, platform)
	if withSystem {
		b = append(b, `,"osVersion":`...)
		b = appendTextOrNull(b, release)
		b = append(b, `,"osArchitecture":`...)
		if word, ok := architecture(d.Arch).(string); ok {
			b = appendText(b, word)
		} else {
			b = append(b, "null"...)
		}
	}
	return b
}

// exploitability has a word for every weakness.
func exploitability(s string) string {
	if s == "" {
		return "NoExploit"
	}
	return s
}

// appendVuln writes a row of the vulnerabilities of a device; start is deviceStart's.
func appendVuln(b, start []byte, d *server.DeviceExport[server.VulnExport], r *server.VulnExport) []byte {
	b = append(b, `{"id":`...)
	b = appendText(b, string(d.ID)+"_"+r.ProductID+"_"+r.Version+"_"+r.Weakness+"_")
	b = append(b, ',')
	b = append(b, start...)
	b = append(b, `,"softwareVendor":`...)
	b = appendText(b, r.Vendor)
	b = append(b, `,"softwareName":`...)
	b = appendText(b, r.Product)
	b = append(b, `,"softwareVersion":`...)
	b = appendText(b, r.Version)
	b = append(b, `,"cveId":`...)
	b = appendText(b, r.Weakness)
	b = append(b, `,"vulnerabilitySeverityLevel":`...)
	b = appendTextOrNull(b, rated(r.Severity))
	b = append(b, `,"cvssScore":`...)
	if r.CVSS == 0 {
		b = append(b, "null"...)
	} else {
		b = appendScore(b, r.CVSS)
	}
	b = append(b, `,"exploitabilityLevel":`...)
	b = appendText(b, exploitability(r.Exploit))
	b = append(b, `,"recommendedSecurityUpdate":`...)
	b = appendTextOrNull(b, r.Fixed)
	b = append(b, `,"recommendedSecurityUpdateId":`...)
	b = appendTextOrNull(b, r.FixedBy)
	b = append(b, `,"recommendedSecurityUpdateUrl":`...)
	b = appendTextOrNull(b, server.AdvisoryPage(r.FixedBy))
	b = append(b, `,"securityUpdateAvailable":`...)
	b = appendFlag(b, r.Fixed != "")
	b = append(b, `,"recommendationReference":`...)
	b = appendText(b, "va-_-"+r.ProductID)
	b = append(b, `,"diskPaths":`...)
	b = appendTexts(b, r.Paths)
	b = append(b, `,"registryPaths":[],"firstSeenTimestamp":`...)
	b = appendMoment(b, r.FirstSeen)
	b = append(b, `,"lastSeenTimestamp":`...)
	if r.Status == server.RowFixed {
		b = appendMoment(b, r.ChangedAt)
	} else {
		b = appendMoment(b, d.LastSeen)
	}
	if r.Status != "" {
		b = append(b, `,"status":`...)
		b = appendText(b, r.Status)
		b = append(b, `,"eventTimestamp":`...)
		b = appendMoment(b, r.ChangedAt)
		b = append(b, `,"isOnboarded":true`...)
	}
	return append(b, '}')
}

func appendFlag(b []byte, v bool) []byte {
	if v {
		return append(b, "true"...)
	}
	return append(b, "false"...)
}

// supportWords are the words for the end of a version's support.
var supportWords = map[string]string{"": "None", "EOS version": "EOS Version", "Upcoming EOS version": "Upcoming EOS Version",
	"EOS software": "EOS Software", "Upcoming EOS software": "Upcoming EOS Software"}

// appendInventory writes a row of the software of a device.
func appendInventory(b, start []byte, _ *server.DeviceExport[server.InventoryExport], r *server.InventoryExport) []byte {
	b = append(b, '{')
	b = append(b, start...)
	b = append(b, `,"softwareVendor":`...)
	b = appendText(b, r.Vendor)
	b = append(b, `,"softwareName":`...)
	b = appendText(b, r.Product)
	b = append(b, `,"softwareVersion":`...)
	b = appendText(b, r.Version)
	b = append(b, `,"numberOfWeaknesses":`...)
	b = appendScore(b, float64(r.Weaknesses))
	b = append(b, `,"diskPaths":`...)
	b = appendTexts(b, r.Paths)
	b = append(b, `,"registryPaths":[],"softwareFirstSeenTimestamp":`...)
	b = appendMoment(b, r.FirstSeen)
	tag, date := "", ""
	if r.Support != nil {
		tag, date = r.Support.Tag, r.Support.Date
	}
	b = append(b, `,"endOfSupportStatus":`...)
	b = appendText(b, supportWords[tag])
	b = append(b, `,"endOfSupportDate":`...)
	b = appendTextOrNull(b, date)
	return append(b, '}')
}

// appendCheck writes a row of the configuration of a device.
func appendCheck(b, start []byte, d *server.DeviceExport[server.CheckExport], r *server.CheckExport) []byte {
	k := r.Check
	b = append(b, '{')
	b = append(b, start...)
	b = append(b, `,"timestamp":`...)
	b = appendMoment(b, d.LastSeen)
	b = append(b, `,"configurationId":`...)
	b = appendText(b, k.ID)
	b = append(b, `,"configurationCategory":`...)
	b = appendText(b, string(k.Category))
	b = append(b, `,"configurationSubcategory":`...)
	b = appendText(b, k.Subcategory)
	b = append(b, `,"configurationImpact":`...)
	b = appendScore(b, float64(k.Impact))
	b = append(b, `,"configurationName":`...)
	b = appendText(b, k.Title)
	b = append(b, `,"isApplicable":`...)
	b = appendFlag(b, r.Applicable)
	b = append(b, `,"isCompliant":`...)
	b = appendFlag(b, r.Compliant)
	b = append(b, `,"isExpectedUserImpact":`...)
	b = appendFlag(b, k.Productivity)
	b = append(b, `,"recommendationReference":`...)
	b = appendText(b, "sca-_-"+k.ID)
	return append(b, '}')
}
