package server

import (
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// TimelineQuery says which of a device's events are asked for.
type TimelineQuery struct {
	From, To time.Time // From included, To not; zero: unbounded
	Groups   []string  // event groups; nil: all
	Actions  []string  // action types; nil: all
	Text     string    // is in one of the event's texts or what its row shows, or one of its numbers
	Flagged  bool      // only flagged ones
	// FlaggedFirst puts flagged ones before all others; both are newest first.
	FlaggedFirst bool
	// Techniques are ATT&CK techniques, each with those under it: events that may
	// be part of one, or that an alert with one refers to. nil: all events.
	Techniques []string
	Cursor     string // of the page before; "": the newest
	Limit      int    // 1 to 1000
}

// TimelineRow is one event of a device.
type TimelineRow struct {
	ID       string    `json:"id"` // stable: it names the event for ever
	Time     time.Time `json:"time"`
	Received time.Time `json:"received"`
	HostTime time.Time `json:"host_time"` // by the host's own wall clock
	Action   string    `json:"action"`    // ActionType
	Kind     string    `json:"kind"`
	Group    string    `json:"group"`
	Table    string    `json:"table"`
	Seq      uint64    `json:"seq"`
	Title    string    `json:"title"` // what happened, in a line
	User     string    `json:"user"`
	// Entities are what took part, in the order in which it acted.
	Entities []Entity `json:"entities"`
	// Info is additional information: reason, how often.
	Info []string `json:"info"`
	// Techniques are ATT&CK techniques that the event may be part of, each with why.
	Techniques []Technique `json:"techniques"`
	// Alerts refer to the event; for those who may read alerts.
	Alerts  []AlertRef `json:"alerts"`
	Flagged bool       `json:"flagged"`
	// Fields are all columns that have a value: text, number, true or false.
	Fields map[string]any `json:"fields"`
}

// Entity is something that took part in an event.
type Entity struct {
	Kind   string `json:"kind" enum:"process,file,ip,url,user,service,task,package"`
	Name   string `json:"name"`
	Detail string `json:"detail,omitempty"`
	// ID is of a process: its number and when it began, so that a number that
	// was used again is another process.
	ID string `json:"id,omitempty"`
}

// Timeline is one page of a device's events, newest first.
type Timeline struct {
	Items  []TimelineRow `json:"items"`
	Cursor string        `json:"cursor"` // of the next page; "": there is none
	AsOf   time.Time     `json:"as_of"`
	// Complete says that no event of the asked time is missing. Missing are those
	// that are, at most 100 parts of them, by kind and number; MissingN how many
	// they are as far as that was counted; Pauses for how many times it was not.
	Complete bool          `json:"complete"`
	Missing  []MissingPart `json:"missing"`
	MissingN uint64        `json:"missing_total"`
	Pauses   int           `json:"missing_pauses"`
	// SkewSeconds is how far the device's own clock is behind the server's, by its
	// last message; negative: ahead; 0: less than 5 s. Times are right all the same.
	SkewSeconds float64 `json:"skew_seconds"`
	// Damaged is how many parts of the log cannot be read that may have held events of the device and
	// the asked time: what was in them is not here. Unreadable are those parts, at most 100.
	Damaged    int              `json:"damaged"`
	Unreadable []UnreadablePart `json:"unreadable"`
}

// UnreadablePart is a part of the log of events that is damaged.
type UnreadablePart struct {
	What   string    `json:"what" enum:"segment,block,index,log"` // a file, a block of one, the index of one, or the write-ahead log
	Events int       `json:"events"`                              // of all devices in it; 0: not known
	Bytes  int64     `json:"bytes"`                               // of the write-ahead log
	From   time.Time `json:"from,omitzero"`                       // when they happened; not there: not known
	To     time.Time `json:"to,omitzero"`
}

// MissingPart are events of a kind that happened and are not there.
type MissingPart struct {
	Kind string `json:"kind"`
	From uint64 `json:"from"` // first and last number
	To   uint64 `json:"to"`
	// Count is how many events are missing; 0: nobody knows, and one number stands for all of them.
	Count uint64 `json:"count"`
	// After and Before are when they happened, as exactly as it is known: by the
	// agent's word, else by the events before and behind them.
	After  time.Time `json:"after"`
	Before time.Time `json:"before"`
	Reason string    `json:"reason"` // "": not known
}

// TimelineCounts are a device's events by time and group.
type TimelineCounts struct {
	From        time.Time        `json:"from"`
	To          time.Time        `json:"to"`
	StepSeconds int              `json:"step_seconds"`
	Buckets     []TimelineBucket `json:"buckets"` // those with events
	Total       int              `json:"total"`
	Groups      map[string]int   `json:"groups"` // by event group
	First       time.Time        `json:"first"`  // of the device's events that are kept
	Last        time.Time        `json:"last"`
	// Alerts have their first event in that time, oldest first; at most 200. For those who may read alerts.
	Alerts []AlertRef `json:"alerts"`
	// Investigations began in that time, oldest first; at most 200. For those who may read alerts.
	Investigations []InvestigationMark `json:"investigations"`
	// Flags are the flagged events of that time, oldest first; the newest 200 of them.
	Flags []FlagMark `json:"flags"`
}

// FlagMark is a flagged event on a chart.
type FlagMark struct {
	ID   string    `json:"id"`
	Time time.Time `json:"time"`
}

// TimelineBucket is a step of time.
type TimelineBucket struct {
	Start  time.Time      `json:"start"`
	Groups map[string]int `json:"groups"`
}

// TimelineEvent is one event with what is around it.
type TimelineEvent struct {
	TimelineRow
	DeviceID   string `json:"device_id"`
	DeviceName string `json:"device_name"`
	// Nodes and Edges are the graph of the event's entities: the process that
	// acted, its parents, its children, what it touched.
	Nodes []GraphNode `json:"nodes"`
	Edges []GraphEdge `json:"edges"`
	// Cut says that there are more children or touched things than are drawn.
	Cut bool `json:"cut"`
}

// GraphNode is an entity with what is known of it.
type GraphNode struct {
	ID     string       `json:"id"`
	Kind   string       `json:"kind"`
	Name   string       `json:"name"`
	Focus  bool         `json:"focus"` // the event is about it
	Facts  []EntityFact `json:"facts"`
	Event  string       `json:"event,omitempty"` // id of the event that tells of it
	Time   time.Time    `json:"time,omitzero"`
	Device string       `json:"device_id,omitempty"`
}

// EntityFact is one thing known of an entity.
type EntityFact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// GraphEdge joins two nodes.
type GraphEdge struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Label string `json:"label"`
}

// LogonUser is a user who logged on to a device.
type LogonUser struct {
	Name        string    `json:"name"`
	Domain      string    `json:"domain"`
	SID         string    `json:"sid"`
	Logons      int       `json:"logons"`      // that succeeded
	Failed      int       `json:"failed"`      //
	Interactive int       `json:"interactive"` // at the console, remotely, by su or sudo
	Types       []string  `json:"types"`
	LocalAdmin  bool      `json:"local_admin"`
	First       time.Time `json:"first"`
	Last        time.Time `json:"last"`
	// Machines is on how many devices that the caller sees the account logged on in
	// the same time; MostOn and LeastOn are those of the most and the fewest logons.
	// DeviceUsers fills them.
	Machines int                `json:"-"`
	MostOn   inventory.DeviceID `json:"-"`
	LeastOn  inventory.DeviceID `json:"-"`
}

// LogonUsers are the users of a device in 30 days, most frequent first.
type LogonUsers struct {
	Items []LogonUser `json:"items"`
	Days  int         `json:"days"`
	// Most and Least are the most and least frequent users by interactive logons, "" when there is none.
	Most  string `json:"most"`
	Least string `json:"least"`
}
