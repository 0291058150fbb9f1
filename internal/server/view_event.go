package server

import (
	"time"

	"github.com/picketsec/picket/internal/advisory"
)

// EventRow is one event of the timeline, as the devices that the caller looks at have it.
type EventRow struct {
	ID               string            `json:"id"`
	At               time.Time         `json:"at"`
	Kind             string            `json:"kind"`
	Title            string            `json:"title"`
	Component        string            `json:"component"`
	Vendor           string            `json:"vendor"`
	ProductID        string            `json:"product_id"` // "" when it is about no product
	Check            string            `json:"check"`      // "" when it is about no configuration check
	RecommendationID string            `json:"recommendation_id"`
	Detail           string            `json:"detail"`
	Link             string            `json:"link"`
	Weaknesses       int               `json:"weaknesses"`
	Severity         advisory.Severity `json:"severity"` // of the worst weakness, as it is rated now
	Threats          Threats           `json:"threats"`
	Impacted         int               `json:"impacted"` // devices, when it happened
	Counted          int               `json:"counted"`  // devices that counted in scores then
	Share            float64           `json:"share"`    // per cent of Counted
	Current          int               `json:"current"`  // devices that still have it
	CurrentOf        int               `json:"current_of"`
	CurrentShare     float64           `json:"current_share"`
	Score            ScoreStep         `json:"score"`
}

// ScoreStep is how a score of the whole organisation went with the change that
// an event belongs to.
type ScoreStep struct {
	Score   string  `json:"score"` // exposure, secure
	Trend   string  `json:"trend"` // up, down, same, unknown
	Before  float64 `json:"before"`
	After   float64 `json:"after"`
	Version int     `json:"version"` // of the formula
}

// EventDetail is an event with what its flyout shows.
type EventDetail struct {
	EventRow
	WeaknessIDs []string  `json:"weakness_ids"` // all of them, also of devices outside the caller's view
	AsOf        time.Time `json:"as_of"`
}

// EventCounts are the numbers above the timeline.
type EventCounts struct {
	Vulnerabilities int       `json:"vulnerabilities"` // distinct new ones
	Exploitable     int       `json:"exploitable"`     // distinct ones of which an exploit or its use became known, and new ones with an exploit
	Events          int       `json:"events"`
	AsOf            time.Time `json:"as_of"`
}

// EventDay is a day (UTC) of a trend on which something happened.
type EventDay struct {
	Day    string     `json:"day"` // YYYY-MM-DD
	At     time.Time  `json:"at"`  // of its most impactful event
	Events []EventRow `json:"events"`
	Total  int        `json:"total"`
}

// SecureTrendPoint is the secure score at one time.
type SecureTrendPoint struct {
	At         time.Time             `json:"at"`
	PerCent    float64               `json:"per_cent"`
	Version    int                   `json:"version"`
	Devices    int                   `json:"devices"`
	Categories []SecureTrendCategory `json:"categories"`
}

// SecureTrendCategory is the part of one category.
type SecureTrendCategory struct {
	Category string  `json:"category"`
	PerCent  float64 `json:"per_cent"`
}
