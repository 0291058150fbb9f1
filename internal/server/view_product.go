package server

import "github.com/picketsec/picket/internal/advisory"

// Software is the flyout of a product.
type Software struct {
	SoftwareRow
	Distribution []VersionRow `json:"distribution"`
	EOL          []EndOfLife  `json:"eol"`
	// Checks are the configuration checks of the product that fail on a device
	// that has it, of the highest impact first; Misconfigured counts them.
	Checks        []SoftwareCheck `json:"checks"`
	Misconfigured SeverityCount   `json:"misconfigured"`
	// EventDays are the days of Trend on which something happened to the product;
	// none for those who may not read vulnerabilities.
	EventDays []EventDay `json:"event_days"`
}

// SoftwareCheck is a setting of a product that is not as it should be.
type SoftwareCheck struct {
	ID       string            `json:"id"` // of the recommendation: "sca-_-scid-1001"
	Name     string            `json:"name"`
	Impact   int               `json:"impact"`   // 1 to 10
	Severity advisory.Severity `json:"severity"` // from Impact: High from 8, Medium from 5
	Devices  int               `json:"devices"`  // that have the product and fail
}

// VersionRow is one version of a product over all devices.
type VersionRow struct {
	Version    string        `json:"version"`
	Places     []string      `json:"places"`    // "Debian 12", "PyPI"
	Installed  int           `json:"installed"` // devices
	Exposed    int           `json:"exposed"`   // of them: with a weakness of this version that counts
	Weaknesses int           `json:"weaknesses"`
	Severity   SeverityCount `json:"severity"`
	EOL        *EndOfLife    `json:"eol"` // of its release line, null when not known; of several the first that ends
	Tags       []string      `json:"tags"`

	ecosystem string
}

// RecommendationRef names a recommendation.
type RecommendationRef struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Type    string `json:"type"`
	Devices int    `json:"devices"` // where it closes the weakness
}

// WeaknessSoftwareRow is a product that has a weakness.
type WeaknessSoftwareRow struct {
	ID        string  `json:"id"`
	Name      string  `json:"name"`
	Vendor    string  `json:"vendor"`
	Ecosystem string  `json:"ecosystem"`
	Installed int     `json:"installed"` // devices with the product
	Exposed   int     `json:"exposed"`   // devices where the weakness counts through it
	Update    bool    `json:"update"`    // on some device a version that fixes it can be installed
	Fixed     string  `json:"fixed"`     // the latest of these versions, "" when there is none
	Threats   Threats `json:"threats"`
}
