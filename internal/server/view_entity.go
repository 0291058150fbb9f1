package server

import (
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// The kinds of entities that are looked up across devices.
const (
	EntityFile   = "file"   // by SHA-1 or SHA-256
	EntityIP     = "ip"     // an address at the other end
	EntityDomain = "domain" // a host, and every one below it
	EntityUser   = "user"   // an account's name, without its domain
)

// EntityQuery names an entity and how far back it is looked for.
type EntityQuery struct {
	Kind string
	ID   string
	Days int // back from now, 1 to 366; 0: 30
}

// Entity statistics: EntityView is what is known of one file, address, host or
// account on the devices that the caller sees.
type EntityView struct {
	Kind string `json:"kind" enum:"file,ip,domain,user"`
	ID   string `json:"id"`   // as it is written best
	Name string `json:"name"` // of a file the one that it goes by most, else the id
	Days int    `json:"days"` // that were looked at, whole days (UTC)
	// Devices are those that met it, Events how often in all, from First to Last.
	Devices int       `json:"devices"`
	Events  int       `json:"events"`
	First   time.Time `json:"first,omitzero"`
	Last    time.Time `json:"last,omitzero"`
	// Names are file names, programs that spoke to it, or what an account did; the 20 most frequent.
	Names []EntityName `json:"names"`
	// File is of a file, by its newest event.
	File *EntityFileFacts `json:"file,omitempty"`
	// Sort is of an address: Public, Private, Loopback …
	Sort string    `json:"sort,omitempty"`
	AsOf time.Time `json:"as_of"`
	// Unlisted are mentions of entities that the index had no room for, of whichever; Damaged are
	// parts that could not be read. With 0 and 0 the numbers are whole.
	Unlisted int `json:"unlisted"`
	Damaged  int `json:"damaged"`
}

// EntityName is what an entity went by.
type EntityName struct {
	Name    string `json:"name"` // "": the events have none
	Devices int    `json:"devices"`
	Events  int    `json:"events"`
}

// EntityFileFacts are what events say of a file; "" and 0: nothing.
type EntityFileFacts struct {
	SHA1   string `json:"sha1"`
	SHA256 string `json:"sha256"`
	MD5    string `json:"md5"`
	Size   int64  `json:"size"`
	Path   string `json:"path"`
}

// EntityDevice is a device that met an entity.
type EntityDevice struct {
	ID         inventory.DeviceID `json:"id"`
	Name       string             `json:"name"`
	OSPlatform string             `json:"os_platform"`
	OSName     string             `json:"os_name"`
	Health     string             `json:"health"`
	Group      string             `json:"group"`
	Exposure   string             `json:"exposure"`
	Events     int                `json:"events"`
	First      time.Time          `json:"first"`
	Last       time.Time          `json:"last"`
	Names      []string           `json:"names"`
}

// EntityEvents are the newest events of an entity.
type EntityEvents struct {
	Items []EntityEvent `json:"items"`
	AsOf  time.Time     `json:"as_of"`
	// Damaged are parts of the log that could not be read.
	Damaged int `json:"damaged"`
}

// EntityEvent is an event of some device.
type EntityEvent struct {
	TimelineRow
	DeviceID   inventory.DeviceID `json:"device_id"`
	DeviceName string             `json:"device_name"`
}
