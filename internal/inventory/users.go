package inventory

import "time"

// Sections that nodes of osquery send and Picket's own agent does not.
const (
	Users  SectionName = "users"  // User per local user
	Logons SectionName = "logons" // Logon per person who is logged on
)

// User is a local user.
type User struct {
	Name        string `json:"name"`
	UID         string `json:"uid"`
	GID         string `json:"gid,omitempty"`
	Description string `json:"description,omitempty"`
	Home        string `json:"home,omitempty"`
	Shell       string `json:"shell,omitempty"`
}

// Logon is a person who is logged on.
type Logon struct {
	User  string    `json:"user"`
	TTY   string    `json:"tty,omitempty"`
	Host  string    `json:"host,omitempty"` // where the person comes from
	Since time.Time `json:"since,omitzero"`
}
