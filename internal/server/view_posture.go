package server

import "time"

// SecureCategory is the secure score of one category of configuration checks.
type SecureCategory struct {
	Category string  `json:"category"` // "" for all
	Got      float64 `json:"got"`      // points; see docs/posture.md
	Max      int64   `json:"max"`
	PerCent  float64 `json:"per_cent"` // 0 when Max is 0
}

// SecureScoreView is how well devices are configured: higher is better.
type SecureScoreView struct {
	SecureCategory
	Version    int              `json:"version"` // of the formula
	Categories []SecureCategory `json:"categories"`
	AsOf       time.Time        `json:"as_of"`
}

// DeviceCheckRow is what one configuration check says of a device.
type DeviceCheckRow struct {
	ID          string          `json:"id"` // of the recommendation: "sca-_-scid-1001"
	Check       string          `json:"check"`
	Name        string          `json:"name"`
	Category    string          `json:"category"`
	Subcategory string          `json:"subcategory"`
	Impact      int             `json:"impact"` // 1 to 10
	State       string          `json:"state"`  // pass, fail, not_applicable, not_assessed
	Reason      string          `json:"reason"` // why it is not pass
	Evidence    []CheckEvidence `json:"evidence"`
}

// CheckEvidence is one setting as it was found.
type CheckEvidence struct {
	Section  string `json:"section"`
	Setting  string `json:"setting"`
	Found    string `json:"found"`
	Expected string `json:"expected"`
	Source   string `json:"source"`
	Holds    bool   `json:"holds"`
}
