package server

import (
	"time"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
)

// ScoreView is the exposure score of many devices, exact and as a number.
type ScoreView struct {
	Score   float64                `json:"score"` // 0 to 100, lower is better, not rounded
	Level   exposure.ExposureLevel `json:"level"`
	Version int                    `json:"version"` // of the formula, see docs/scoring.md
	Weights string                 `json:"weights"` // of devices by their value, in words
	Num     string                 `json:"num"`     // exact: Num / (Den · 10¹⁵) points
	Den     uint64                 `json:"den"`
	Devices int                    `json:"devices"` // that count
	Levels  LevelCount             `json:"levels"`
	AsOf    time.Time              `json:"as_of"`
}

// LevelCount counts devices by exposure level.
type LevelCount struct {
	None   int `json:"none"`
	Low    int `json:"low"`
	Medium int `json:"medium"`
	High   int `json:"high"`
}

// TrendPoint is the score at one time.
type TrendPoint struct {
	At      time.Time `json:"at"`
	Score   float64   `json:"score"`
	Version int       `json:"version"`
	Weights string    `json:"weights"` // of devices by their value, in words
	Devices int       `json:"devices"`
}

// Recommended types of remediation, in the words of the Defender API and its
// two documented extensions.
const (
	RemedyUpdate    = "Update"
	RemedyAttention = "AttentionRequired"
	RemedyRestart   = "Restart"
	RemedyUpgrade   = "Upgrade"   // the release line has ended, another one is supported
	RemedyUninstall = "Uninstall" // the product as a whole has ended
	RemedyConfigure = "ConfigurationChange"
)

// RecommendationRow is one thing to do that closes findings on many devices.
type RecommendationRow struct {
	ID          string `json:"id"`   // "va-_-debian-_-openssl", with a suffix for other types than Update
	Name        string `json:"name"` // "Update openssl"
	ProductID   string `json:"product_id"`
	Component   string `json:"component"`
	Vendor      string `json:"vendor"`
	Ecosystem   string `json:"ecosystem"`
	Type        string `json:"type"`         // Update, Upgrade, Uninstall, AttentionRequired, Restart, ConfigurationChange
	Category    string `json:"category"`     // of a configuration check; OS for a release of an operating system; else Application
	Subcategory string `json:"subcategory"`  // of a configuration check ("SSH server"), else ""
	CheckImpact int    `json:"check_impact"` // 1 to 10 for a configuration check, else 0
	// Productivity says that people are expected to notice the change in their
	// work; of software nothing is known, so it is false.
	Productivity bool          `json:"productivity"`
	SecureGain   float64       `json:"secure_gain"` // points that the secure score rises by; exact quotient, not rounded
	Version      string        `json:"version"`     // that fixes the most; "" when there is none
	Weaknesses   int           `json:"weaknesses"`  // distinct, that it closes on some device
	Severity     SeverityCount `json:"severity"`
	Threats      Threats       `json:"threats"`
	Exposed      int           `json:"exposed"`      // devices with findings that it closes
	Platforms    []string      `json:"os_platforms"` // of the exposed devices, by name
	Trend        []int         `json:"trend"`        // Exposed on each of the last 30 days (UTC), as far as they were counted, today last
	Installed    int           `json:"installed"`    // devices with the product
	Impact       float64       `json:"impact"`       // points that the score falls by; exact difference, not rounded
	ImpactNum    string        `json:"impact_num"`
	ImpactDen    uint64        `json:"impact_den"`
	Status       string        `json:"status"` // Active, PartialException, FullException
	// What is under no exception: the devices that have some of it, and what
	// the score falls by without it.
	ExposedAfter   int      `json:"exposed_after"`
	ImpactAfter    float64  `json:"impact_after"`
	ImpactAfterNum string   `json:"impact_after_num"` // over ImpactDen
	Tags           []string `json:"tags"`
	ProductCode    string   `json:"product_code"`
	// Activities is how many remediation activities for it are under way.
	Activities int `json:"remediation_activities"`

	// For the Defender-compatible API alone: exposed devices of high value, and
	// those on which nobody would notice the change; 0 until CountCritical and
	// CountUnnoticed have counted them.
	Critical  int `json:"-"`
	Unnoticed int `json:"-"`
}

// Recommendation is a recommendation with what its flyout shows.
type Recommendation struct {
	RecommendationRow
	Description string   `json:"description"`
	Steps       []string `json:"steps"`
	Fixes       []FixRow `json:"fixes"`
	// Lines are the release lines on devices that have ended or end within six
	// months, the first to end first; Supported are those to move to, the newest first.
	Lines       []LineRow   `json:"lines"`
	Supported   []EndOfLife `json:"supported"`
	UserImpact  string      `json:"user_impact"`  // what people notice of a configuration change
	References  []string    `json:"references"`   // places of benchmarks that ask for the same
	NotAssessed int         `json:"not_assessed"` // devices that a configuration check could not judge
	AsOf        time.Time   `json:"as_of"`
}

// LineRow is a release line that some devices have.
type LineRow struct {
	EndOfLife
	Devices int `json:"devices"`
}

// FixRow is what to install where.
type FixRow struct {
	Place    string `json:"place"`   // "Debian 12", "PyPI"
	Package  string `json:"package"` // source package or name in the ecosystem
	Version  string `json:"version"` // the lowest version that closes all of it
	Versions int    `json:"versions"`
	Devices  int    `json:"devices"` // that are exposed by it
}

// DeviceRecommendationRow is a recommendation as one device has it.
type DeviceRecommendationRow struct {
	ID          string        `json:"id"`
	Name        string        `json:"name"`
	ProductID   string        `json:"product_id"`
	Component   string        `json:"component"`
	Vendor      string        `json:"vendor"`
	Type        string        `json:"type"`
	Version     string        `json:"version"`
	Weaknesses  int           `json:"weaknesses"`
	Severity    SeverityCount `json:"severity"`
	Threats     Threats       `json:"threats"`
	Points      uint64        `json:"points"`
	Share       float64       `json:"share"`     // of the device's score; the shares add up to it
	Impact      float64       `json:"impact"`    // what the device's score falls by without it
	Status      string        `json:"status"`    // Active, PartialException, FullException: of its findings here
	Exception   bool          `json:"exception"` // some of it is under an exception
	Tags        []string      `json:"tags"`
	ProductCode string        `json:"product_code"`
}

// DeviceScore opens a device's exposure score.
type DeviceScore struct {
	Score     float64                `json:"score"`
	Level     exposure.ExposureLevel `json:"level"`
	Version   int                    `json:"version"`
	Units     string                 `json:"units"`  // more digits than a double holds: the score in units of 10⁻¹⁵ points; the shares of the terms add up to it
	Points    uint64                 `json:"points"` // the points of the terms add up to it
	Value     string                 `json:"value"`  // Low, Normal, High
	Weight    float64                `json:"weight"` // what the device counts by its value in the score of many
	Counted   bool                   `json:"counted"`
	Terms     []ScoreTerm            `json:"terms"`      // of the most points; all of them are a list of their own
	TermCount int                    `json:"term_count"` // how many there are in all
	RestUnits string                 `json:"rest_units"` // shares of the terms that were cut
}

// ScoreTerm is the share of one finding in a device's score.
type ScoreTerm struct {
	Kind      string            `json:"kind" enum:"finding,check,alert"`
	Weakness  string            `json:"weakness"` // "" for a failed configuration check and for an active alert
	Alert     string            `json:"alert"`    // id of an active alert, for those who may read alerts
	Check     string            `json:"check"`    // its id
	Severity  advisory.Severity `json:"severity"`
	CVSS      float64           `json:"cvss"`
	Fallback  bool              `json:"fallback"` // no CVSS score: a marked fallback weighs in its place
	Threats   Threats           `json:"threats"`
	State     exposure.State    `json:"state"` // "" for an alert
	ProductID string            `json:"product_id"`
	Component string            `json:"component"`
	Version   string            `json:"version"`
	Exception string            `json:"exception"` // "", Excepted, Mitigated: then it has no points
	Points    uint64            `json:"points"`
	Units     string            `json:"units"`
	Share     float64           `json:"share"` // Units in points of the score
}

// Dashboard is the vulnerability management dashboard.
type Dashboard struct {
	Score           ScoreView           `json:"score"`
	Secure          SecureScoreView     `json:"secure"`
	Trend           []TrendPoint        `json:"trend"`
	SecureTrend     []SecureTrendPoint  `json:"secure_trend"`    // empty within device groups: it is kept for all devices
	TopEvents       []EventRow          `json:"top_events"`      // of seven days
	EventDays       []EventDay          `json:"event_days"`      // of the trend, with news of software
	CheckDays       []EventDay          `json:"check_days"`      // and of configuration checks
	Recommendations []RecommendationRow `json:"recommendations"` // of the highest impact
	RecCount        int                 `json:"recommendation_count"`
	Software        []TopSoftware       `json:"software"`
	Devices         []TopDevice         `json:"devices"`
	Weaknesses      int                 `json:"weaknesses"`
	Exploitable     int                 `json:"exploitable"`
	KEV             int                 `json:"kev"`
	Remediations    []TopRemediation    `json:"remediations"`      // under way, the most pressing first
	RemediationN    int                 `json:"remediation_count"` // under way
}

// TopSoftware is a product by what it adds to the score.
type TopSoftware struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Vendor     string   `json:"vendor"`
	Weaknesses int      `json:"weaknesses"`
	Exposed    int      `json:"exposed"`
	Installed  int      `json:"installed"`
	Threats    Threats  `json:"threats"`
	Impact     float64  `json:"impact"` // what the score falls by without the product's findings
	Trend      []int    `json:"trend"`  // exposed devices day by day, the last is today
	Tags       []string `json:"tags"`
}

// TopDevice is a device by its score.
type TopDevice struct {
	ID         inventory.DeviceID     `json:"id"`
	Name       string                 `json:"name"`
	OSName     string                 `json:"os_name"`
	Score      float64                `json:"score"`
	Level      exposure.ExposureLevel `json:"level"`
	Weaknesses int                    `json:"weaknesses"`
	LastSeen   time.Time              `json:"last_seen"`
}
