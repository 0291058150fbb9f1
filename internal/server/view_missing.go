package server

// MissingUpdate is one update that a vendor announced in an advisory ("DSA-5998-1",
// "USN-7000-1", "RHSA-2026:1234") and that devices lack. Fixes that no
// advisory announces are no row: they are with the weaknesses.
//
// Sort keys: id, products, weaknesses, severity, devices.
// Filters: severity, threat.
type MissingUpdate struct {
	ID       string        `json:"id"`      // of the advisory
	URL      string        `json:"url"`     // where it can be read, "" when not known
	Systems  []string      `json:"systems"` // what it is for: "Debian 12", "PyPI"
	Products []SoftwareRef `json:"products"`
	// Weaknesses are those that count and that it fixes here; WeaknessIDs names
	// at most 200 of them, none to those who may not read vulnerabilities.
	Weaknesses  int           `json:"weaknesses"`
	WeaknessIDs []string      `json:"weakness_ids"`
	Severity    SeverityCount `json:"severity"`
	Threats     Threats       `json:"threats"`
	Tags        []string      `json:"tags"`    // "New security update for zero day"
	Devices     int           `json:"devices"` // that lack it, of all that the caller looks at
	// AlertsElsewhere are, in the list of one device, the other devices that lack
	// it and have active alerts; Threats tells of the device itself there. 0 elsewhere.
	AlertsElsewhere int `json:"alerts_elsewhere"`
}
