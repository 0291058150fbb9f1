package server

import (
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/group"
	"github.com/picketsec/picket/internal/inventory"
)

// Ungrouped is the name of group 0: the devices that no rule takes.
const Ungrouped = "Ungrouped devices"

// DeviceGroup is a device group with what it holds.
type DeviceGroup struct {
	ID          exposure.Group `json:"id"` // from 1, never used twice; 0: the devices that no rule takes
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Rank        int            `json:"rank"`    // from 1; a device is in the first group whose rules hold. Group 0 comes last
	Rules       []group.Rule   `json:"rules"`   // alternatives
	Devices     int            `json:"devices"` // in the group, also those that count in no score
	// UserGroups see the devices of the group; none: everybody does. Only
	// administrators are told.
	UserGroups []int64 `json:"user_groups"`
	// Score is that of the group's devices that count, with the weights of the whole organisation.
	Score ScoreView `json:"score"`
}

// RuleEdit is what is saved of a device group, or of the rules of a tag.
type RuleEdit struct {
	Name        string       `json:"name" minLength:"1" maxLength:"100" doc:"Name of the group, or the tag."`
	Description string       `json:"description,omitempty" maxLength:"1000"`
	Rules       []group.Rule `json:"rules" maxItems:"20" doc:"Alternatives: a device is taken when one of them holds."`
	UserGroups  []int64      `json:"user_groups,omitempty" maxItems:"200" doc:"Of a device group: the user groups that see it; an empty list: everybody does; left out: it stays. Not of tags."`
}

// GroupAccess says who sees a device group.
type GroupAccess struct {
	UserGroups []int64 `json:"user_groups" maxItems:"200" doc:"The user groups that see it; none: everybody does."`
}

// PreviewAsk asks what rules would take.
type PreviewAsk struct {
	ID    int64        `json:"id,omitempty" minimum:"0" maximum:"65000" doc:"Of what is edited; 0: it does not exist yet."`
	Rules []group.Rule `json:"rules" maxItems:"20" doc:"Alternatives: a device is taken when one of them holds."`
}

// RulePreview says what rules would take, before they are saved.
type RulePreview struct {
	Matched int `json:"matched"` // devices for which a rule holds
	// Members are the devices that the group would have: those that match and
	// are in no group of a better rank. For tags: all that match.
	Members int            `json:"members"`
	Leaving int            `json:"leaving"` // devices that have it now and would not
	From    []PreviewGroup `json:"from"`    // where the members are now, most first
	Devices []PreviewRow   `json:"devices"` // the first 30 that match, by name
}

// PreviewGroup counts members by the group that they are in now.
type PreviewGroup struct {
	ID      exposure.Group `json:"id"`
	Name    string         `json:"name"`
	Devices int            `json:"devices"`
}

// PreviewRow is one device that rules match.
type PreviewRow struct {
	ID     inventory.DeviceID `json:"id"`
	Name   string             `json:"name"`
	OSName string             `json:"os_name"`
	Group  string             `json:"group"`  // that it is in now
	Member bool               `json:"member"` // it would be in this group, or have the tag
}

// TagRule is the rules that give a tag, with what they give it to.
type TagRule struct {
	ID          int64        `json:"id"`
	Tag         string       `json:"tag"`
	Description string       `json:"description"`
	Rules       []group.Rule `json:"rules"` // alternatives
	Devices     int          `json:"devices"`
}

// Kinds of tags, by who gives them.
const (
	TagManual = "manual" // people and programs
	TagByRule = "rule"
	TagAgent  = "agent" // the device's own
)

// DeviceTag is a tag of one device.
type DeviceTag struct {
	Tag   string   `json:"tag"`
	Kinds []string `json:"kinds"` // manual, rule, agent: only manual ones can be taken away
}

// TagRow is a tag that some device has, or that rules give.
type TagRow struct {
	Tag     string   `json:"tag"`
	Kinds   []string `json:"kinds"`
	Devices int      `json:"devices"`
	Manual  int      `json:"manual"` // devices that were given it by people or programs
}

// TagChange gives manual tags to devices and takes them away.
type TagChange struct {
	Devices []string `json:"devices" minItems:"1" maxItems:"1000" doc:"Ids or names."`
	Add     []string `json:"add,omitempty" maxItems:"20"`
	Remove  []string `json:"remove,omitempty" maxItems:"20"`
}

// TagResult says what a change of tags did.
type TagResult struct {
	Changed int `json:"changed"` // devices whose manual tags changed
	// Kept counts devices that still have a tag that was to be taken away: a
	// rule or the agent gives it.
	Kept int `json:"kept"`
}

// GroupScore is the exposure score of one device group.
type GroupScore struct {
	ID   exposure.Group `json:"id"`
	Name string         `json:"name"`
	Word string         `json:"-"` // the group as programs are told of it: "Unassigned" and "None" among them
	ScoreView
}
