package server

import (
	"time"

	"github.com/picketsec/picket/internal/exposure"
)

// PlanScore is an exposure score in a plan, exact and as a number.
type PlanScore struct {
	Score float64                `json:"score"`
	Level exposure.ExposureLevel `json:"level"`
	Num   string                 `json:"num"` // exact: Num / (Den · 10¹⁵) points
	Den   uint64                 `json:"den"`
}

func planScore(m exposure.Mean) PlanScore {
	return PlanScore{Score: m.Float(), Level: exposure.LevelOf(m.Float()), Num: m.Num.Big().String(), Den: m.Den}
}

// RestartCount says on how many devices something has to be started again
// before the findings are gone; each device counts once, where it stands first.
type RestartCount struct {
	Reboot   int `json:"reboot"`   // the kernel that runs has the findings
	Programs int `json:"programs"` // programs use old files that are replaced on disk
	Unknown  int `json:"unknown"`  // nothing says what uses the package, or takes the setting in
}

// WhatIf is the score as it would be with some recommendations carried out.
type WhatIf struct {
	Before     ScoreView    `json:"before"`
	After      ScoreView    `json:"after"`
	Impact     float64      `json:"impact"` // what the score falls by, jointly; exact difference, not rounded
	ImpactNum  string       `json:"impact_num"`
	ImpactDen  uint64       `json:"impact_den"`
	Separate   float64      `json:"separate"`   // the impacts of the items alone, added up: less than Impact where devices have several of them
	Findings   uint64       `json:"findings"`   // closed, on each device for itself; failed checks too
	Checks     uint64       `json:"checks"`     // of Findings: failed configuration checks
	Weaknesses int          `json:"weaknesses"` // distinct, of these findings
	Cleared    int          `json:"cleared"`    // of Weaknesses: no device has them afterwards
	Devices    int          `json:"devices"`    // that are touched
	Restarts   RestartCount `json:"restarts"`
	Items      []WhatIfItem `json:"items"` // as they were asked for
}

// WhatIfItem is one recommendation of a what-if.
type WhatIfItem struct {
	ID      string  `json:"id"`
	Name    string  `json:"name"`
	Type    string  `json:"type"`
	Open    bool    `json:"open"`    // some device has it; else it changes nothing
	Devices int     `json:"devices"` // that have it
	Impact  float64 `json:"impact"`  // alone
}

// PlanGoal is what a patch plan is asked to do.
type PlanGoal struct {
	Target      float64  `json:"target"`       // the score is to be below it
	Types       []string `json:"types"`        // of recommendations that may be taken
	Exclude     []string `json:"exclude"`      // ids of recommendations that may not
	MaxRestarts *int     `json:"max_restarts"` // devices that restart for certain; null: any number
	MaxDevices  *int     `json:"max_devices"`  // devices that are touched; null: any number
	// Recommendations are exactly what to do, in place of a search; the limits
	// do not concern them.
	Recommendations []string `json:"recommendations"`

	Search string `json:"-"` // names the search for PlanSearch, while it runs; "": nobody asks
}

// PlanSearch is how far a search for a plan is.
type PlanSearch struct {
	Stage string `json:"stage"` // waiting: others search first; reading the fleet; searching; "": it does not run
	Done  int    `json:"done"`
	Of    int    `json:"of"` // the most that may be done: a search may end sooner; 0: not known
}

// The stages of a search.
const (
	SearchWaiting = "waiting"
	SearchReading = "reading"
	SearchPlans   = "searching"
)

// PlanForm is what the form to request remediation of a saved plan offers.
type PlanForm struct {
	GroupNames   []string          `json:"group_names"` // that the plan is for; empty: all devices
	Steps        []PlanFormStep    `json:"steps"`
	Destinations []FormDestination `json:"destinations"`
}

// PlanFormStep is a step of a plan as it may be requested now.
type PlanFormStep struct {
	ID      string `json:"id"` // of the recommendation
	Name    string `json:"name"`
	Type    string `json:"type"`    // as it is now: what the activity will be
	Exposed int    `json:"exposed"` // devices of the plan that have it now; 0: nothing to request
	Active  int    `json:"active"`  // activities for it that are under way
	Asked   bool   `json:"asked"`   // one of Active is this plan's: it is not made twice
}

// PlanRequest asks for remediation of some steps of a saved plan.
type PlanRequest struct {
	Steps        []string `json:"steps"`    // ids of recommendations
	Priority     string   `json:"priority"` // High, Medium, Low
	Due          string   `json:"due"`      // YYYY-MM-DD, "" for none; not for steps of type AttentionRequired
	Notes        string   `json:"notes"`
	Destinations []string `json:"destinations"` // ids; empty: just track
}

// Plan is a patch plan, as it was predicted.
type Plan struct {
	ID         string     `json:"id"`    // of a saved plan, else ""
	Draft      string     `json:"draft"` // names a plan that is not saved yet, for an hour
	Name       string     `json:"name"`
	CreatedAt  time.Time  `json:"created_at"`
	CreatedBy  string     `json:"created_by"`
	Groups     []int      `json:"groups"`      // device groups that it is for; empty: AllDevices says whether for all
	GroupNames []string   `json:"group_names"` // of Groups, as they are called now
	AllDevices bool       `json:"all_devices"`
	Goal       PlanGoal   `json:"goal"`
	Version    int        `json:"version"` // of the formula of scores
	Weights    string     `json:"weights"` // of devices by their value, in words
	Scored     int        `json:"scored"`  // devices that count in the score
	Before     PlanScore  `json:"before"`
	Predicted  PlanScore  `json:"predicted"` // after all steps; without any, because the target is out of reach: after everything that may be done
	Reached    bool       `json:"reached"`
	Steps      []PlanStep `json:"steps"`
	Devices    int        `json:"devices"`    // that are touched
	Restarts   int        `json:"restarts"`   // of Devices: where a restart is certain
	Considered int        `json:"considered"` // recommendations that the search took into account
	Available  int        `json:"available"`  // that the goal allows
	// Searched says that steps were searched for. Fewest is then proven: no
	// plan of fewer steps reaches the target, of those considered. Lowest: no
	// plan has a lower score, with as many steps, or within the limits when
	// the target is not reached.
	Searched bool `json:"searched"`
	Fewest   int  `json:"fewest"`
	Lowest   bool `json:"lowest"`

	Actual *PlanActual `json:"actual"` // of a saved plan
}

// PlanStep is one change of a plan. After, Devices and Restarts are of this
// and all steps before it together.
type PlanStep struct {
	Order    int       `json:"order"` // from 1
	ID       string    `json:"id"`    // of the recommendation
	Name     string    `json:"name"`
	Type     string    `json:"type"`
	After    PlanScore `json:"after"`
	Fall     float64   `json:"fall"` // what the score falls by with this step
	Exposed  int       `json:"exposed"`
	Devices  int       `json:"devices"`
	Restarts int       `json:"restarts"`

	// Of a saved plan: how many devices have it now, and Open, In progress or Done.
	Remaining int    `json:"remaining"`
	State     string `json:"state"`
	// The last remediation activity that was requested with the plan, and how it
	// stands; "" when there is none that the caller may see.
	Activity       string `json:"activity"`
	ActivityStatus string `json:"activity_status"`
}

// The states of a step.
const (
	StepOpen     = "Open"
	StepProgress = "In progress"
	StepDone     = "Done"
)

// PlanActual is how the score of a plan's devices went since it was made.
type PlanActual struct {
	Score PlanScore    `json:"score"`
	Done  int          `json:"done"` // steps
	Trend []TrendPoint `json:"trend"`
	AsOf  time.Time    `json:"as_of"`
}

// PlanRow is a saved plan in a list.
type PlanRow struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	CreatedAt  time.Time `json:"created_at"`
	CreatedBy  string    `json:"created_by"`
	AllDevices bool      `json:"all_devices"`
	Groups     []int     `json:"groups"`
	GroupNames []string  `json:"group_names"`
	Target     float64   `json:"target"`
	Before     float64   `json:"before"`
	Predicted  float64   `json:"predicted"`
	Actual     float64   `json:"actual"`
	Steps      int       `json:"steps"`
	Done       int       `json:"done"`
	Devices    int       `json:"devices"`
	Restarts   int       `json:"restarts"`
	State      string    `json:"state"` // Open, In progress, Done: all steps carried out
}
