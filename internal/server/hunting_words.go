package server

import "strings"

// columnAbouts say what columns hold; what stands behind a prefix is described once.
var columnAbouts = map[string]string{
	"Timestamp": "When it happened, or of what is: when it was last seen.", "DeviceId": "The device's id.", "DeviceName": "The device's full name.",
	"ActionType": "What happened.", "ReportId": "Counts a device's events of a kind.", "AdditionalFields": "What no other column has, as a bag.",
	"FileName": "Name of the file.", "FolderPath": "Path of the file.", "SHA1": "SHA-1 of the file.", "SHA256": "SHA-256 of the file.", "MD5": "MD5 of the file.", "FileSize": "Bytes of the file.",
	"ProcessId": "Number of the new process.", "EntityType": "Machine, Process, File, Ip, Url or User.", "Categories": "Categories of the alert, as JSON.", "AttackTechniques": "ATT&CK techniques, as JSON.", "DetectionSource": "What raised the alert.", "EvidenceRole": "Impacted for the device, Related for the rest.",
	"ProcessCommandLine": "Arguments of the new process, joined by blanks.", "ProcessCreationTime": "When the process began.",
	"AccountName": "User.", "AccountDomain": "Domain or host of the user.", "AccountSid": "Identifier of the user.", "LogonId": "Session of the user.",
	"RemoteIP": "Address of the other side.", "RemotePort": "Port of the other side.", "RemoteUrl": "Name or address that was asked for.", "LocalIP": "Own address.", "LocalPort": "Own port.",
	"Protocol": "Protocol, such as Tcp or ssh.", "LocalIPType": "Kind of the own address: Public, Private, Loopback …", "RemoteIPType": "Kind of the other side's address: Public, Private, Loopback …",
	"PreviousFolderPath": "Path before the file was renamed.", "PreviousFileName": "Name before the file was renamed.", "LogonType": "Interactive, RemoteInteractive, Network, Batch or Service.",
	"FailureReason": "Why a logon failed.", "IsLocalAdmin": "Whether the user administers the device.", "RemoteDeviceName": "Name of the device on the other side.",
	"OSPlatform": "Kind of operating system.", "OSVersion": "Version of the operating system.", "OSArchitecture": "Architecture of the processor.", "OSDistribution": "Distribution of Linux.",
	"OSVersionInfo": "Distribution and version together.", "ClientVersion": "Version of the agent.", "MachineGroup": "Device group.", "OnboardingStatus": "Whether the device is onboarded.",
	"SensorHealthState": "Active, Inactive or NoSensorData.", "ExposureLevel": "None, Low, Medium or High.", "AssetValue": "What the device is worth: Low, Normal or High.",
	"DeviceManualTags": "Tags that people gave.", "DeviceDynamicTags": "Tags by rules.", "NetworkAdapterName": "Name of the adapter.", "MacAddress": "Hardware address.", "IPAddresses": "Addresses of the adapter.",
	"SoftwareVendor": "Vendor of the product.", "SoftwareName": "Product.", "SoftwareVersion": "Installed version.", "EndOfSupportStatus": "Whether support ended or soon will.", "EndOfSupportDate": "When support ends.",
	"CveId": "Id of the weakness.", "VulnerabilitySeverityLevel": "Critical, High, Medium or Low.", "RecommendedSecurityUpdate": "Version that fixes it.", "RecommendedSecurityUpdateId": "Advisory that announced the fix.",
	"CveTags": "NoSecurityUpdate where no version fixes it.", "CvssScore": "CVSS score, as text.", "IsExploitAvailable": "Whether an exploit is public or worse.", "LastModifiedTime": "When what is known changed.",
	"PublishedDate": "When it was published.", "VulnerabilityDescription": "What is wrong.", "AffectedSoftware": "Up to three products that have it.",
	"ConfigurationId": "Id of the check.", "ConfigurationName": "The state that is expected.", "ConfigurationImpact": "Points of the secure score.", "IsCompliant": "Whether the device passes.", "IsApplicable": "Whether the check applies to the device.",
	"RiskDescription": "Why it matters.", "RemediationOptions": "How to mend it.", "ConfigurationBenchmarks": "Benchmarks that ask for the same.", "DiskPaths": "Files where it was found.",
	"AlertId": "Id of the alert.", "Title": "Title of the alert.", "Category": "Category of the alert.", "Severity": "Severity of the alert.",
}

// columnAbout describes a column.
func columnAbout(name string) string {
	if t, ok := columnAbouts[name]; ok {
		return t
	}
	for prefix, of := range map[string]string{"InitiatingProcessParent": "the parent of the process that acted", "InitiatingProcess": "the process that acted"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok && (prefix != "InitiatingProcess" || !strings.HasPrefix(rest, "Parent")) {
			return strings.ToUpper(rest[:min(1, len(rest))]) + spaced(rest[min(1, len(rest)):]) + " of " + of + "."
		}
	}
	return ""
}

// spaced puts blanks before the capitals of a name.
func spaced(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && r >= 'A' && r <= 'Z' && name[i-1] >= 'a' && name[i-1] <= 'z' {
			b.WriteByte(' ')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}
