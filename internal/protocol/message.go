package protocol

import (
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// Message is one message in either direction: exactly one field is set.
type Message struct {
	// From the agent.
	Hello   *Hello   `json:"hello,omitempty"`
	Kept    *Kept    `json:"kept,omitempty"`
	Deliver *Deliver `json:"deliver,omitempty"`
	Seen    *Seen    `json:"seen,omitempty"`
	CSR     *CSR     `json:"csr,omitempty"`
	Events  *Events  `json:"events,omitempty"`

	TaskState *TaskState `json:"task_state,omitempty"`
	Response  *Response  `json:"response,omitempty"`

	// From the server.
	Welcome     *Welcome     `json:"welcome,omitempty"`
	Ack         *Ack         `json:"ack,omitempty"`
	Resync      *Resync      `json:"resync,omitempty"`
	Nudge       *Nudge       `json:"nudge,omitempty"`
	Slow        *Slow        `json:"slow,omitempty"`
	Fork        *Fork        `json:"fork,omitempty"`
	Renew       *Renew       `json:"renew,omitempty"`
	Certificate *Certificate `json:"certificate,omitempty"`
	Refusal     *Refusal     `json:"refusal,omitempty"`

	// From the server, to be done once.
	Collect     *Collect     `json:"collect,omitempty"`
	Scan        *Scan        `json:"scan,omitempty"`
	Isolate     *Isolate     `json:"isolate,omitempty"`
	Release     *Release     `json:"release,omitempty"`
	Investigate *Investigate `json:"investigate,omitempty"`
	CancelTask  *CancelTask  `json:"cancel_task,omitempty"`
}

// Evidence is what a host looks like. It is compared to tell a copied state
// directory from a restored one; it is never identity. Empty fields say nothing.
type Evidence struct {
	MachineID string   `json:"machine_id,omitempty"` // SHA-256 of the machine id, hexadecimal
	BootID    string   `json:"boot_id,omitempty"`    // of the running kernel
	MACs      []string `json:"macs,omitempty"`       // of real interfaces, sorted
}

// Hello opens a session.
type Hello struct {
	Version      int        `json:"version"`
	AgentVersion string     `json:"agent_version"`
	OS           string     `json:"os"`
	Arch         string     `json:"arch"`
	Evidence     Evidence   `json:"evidence"`
	Nonce        string     `json:"nonce,omitempty"` // of the last Welcome that the agent has on disk
	Spool        SpoolStats `json:"spool"`
	// Tags are words that the agent was told to show for its device: what the
	// endpoint says of itself, shown as such and never a reason to trust it.
	Tags []string `json:"tags,omitempty"`
	// Response is how the host stands to tasks; nil: it can do none.
	Response *Response `json:"response,omitempty"`
}

// SpoolStats say how the agent's spool fares.
type SpoolStats struct {
	Queued  int    `json:"queued"`  // records that wait
	Bytes   int64  `json:"bytes"`   // on disk
	Dropped uint64 `json:"dropped"` // records lost to the size limit or to damage, ever
	Blocked bool   `json:"blocked"` // the disk refuses writes now
}

// Welcome answers Hello when the session may go on.
type Welcome struct {
	Version int                              `json:"version"`
	Nonce   string                           `json:"nonce"`            // to be kept on disk and shown in the next Hello
	Hashes  map[inventory.SectionName]string `json:"hashes"`           // of the sections that the server holds
	LastSeq uint64                           `json:"last_seq"`         // highest number that is durable on the server
	Events  []Stream                         `json:"events,omitempty"` // highest numbers of Events that are durable, by stream
	Policy  Policy                           `json:"policy"`
	Now     time.Time                        `json:"now"` // server clock, to estimate skew
}

// Policy is how often and how much an agent sends. Zero fields leave the agent's defaults.
type Policy struct {
	FullPassSeconds  int `json:"full_pass_seconds,omitempty"`
	HeartbeatSeconds int `json:"heartbeat_seconds,omitempty"`
	MaxInFlight      int `json:"max_in_flight,omitempty"` // Delivers that wait for their Ack
}

// Kept says that the nonce of the Welcome is on the agent's disk.
type Kept struct {
	Nonce string `json:"nonce"`
}

// Deliver carries changes. Seq is greater than that of every earlier Deliver of
// this device and stays the same when it is sent again.
type Deliver struct {
	Seq    uint64            `json:"seq"`
	Deltas []inventory.Delta `json:"deltas"`
	Spool  SpoolStats        `json:"spool"`
}

// Seen says when unchanged sections were looked at (host clock).
type Seen struct {
	Mark     uint64                              `json:"mark"` // comes back in Ack
	Sections map[inventory.SectionName]time.Time `json:"sections"`
	Spool    SpoolStats                          `json:"spool"`
}

// Ack says that everything up to Seq is durable on the server, every Seen up
// to Mark, of each stream the Events up to its number, and the states of Tasks.
type Ack struct {
	Seq      uint64     `json:"seq,omitempty"`
	Mark     uint64     `json:"mark,omitempty"`
	Events   []Stream   `json:"events,omitempty"`
	Tasks    []TaskAck  `json:"tasks,omitempty"`
	Rejected []Rejected `json:"rejected,omitempty"`
}

// Rejected is a delta that the server will never take: do not send it again.
type Rejected struct {
	Name   inventory.SectionName `json:"name,omitempty"` // empty: the whole Deliver
	Hash   string                `json:"hash,omitempty"`
	Reason string                `json:"reason"`
}

// Resync asks for whole sections.
type Resync struct {
	Sections []inventory.SectionName `json:"sections"`
}

// Nudge asks the agent to look now.
type Nudge struct{}

// Slow asks the agent to send nothing for a while.
type Slow struct {
	Millis int `json:"millis"`
}

// Fork tells an agent that its key lives elsewhere too: it makes a new key and
// sends a CSR with purpose PurposeFork on this session.
type Fork struct {
	Reason string `json:"reason"`
}

// Renew asks the agent for a CSR with purpose PurposeRenew.
type Renew struct{}

// What a CSR on a session is for.
const (
	PurposeRenew = "renew" // the same key, a new certificate
	PurposeFork  = "fork"  // a new key, after Fork
)

// CSR asks for a certificate on an authenticated session.
type CSR struct {
	Purpose string `json:"purpose"`
	PEM     string `json:"pem"`
}

// Certificate answers a CSR.
type Certificate struct {
	PEM string `json:"pem"`
}

// EnrollRequest is the body of POST EnrollPath. A key that the server knows
// needs no token: the request's own signature proves that the key is held.
type EnrollRequest struct {
	Version      int    `json:"version"`
	AgentVersion string `json:"agent_version"`
	Token        string `json:"token,omitempty"`
	CSR          string `json:"csr"` // PEM
}

// EnrollResponse is the answer to an accepted EnrollRequest.
type EnrollResponse struct {
	Device      inventory.DeviceID `json:"device"`
	Certificate string             `json:"certificate"` // PEM
}

// Refusal says why the server refuses, in words for the log and a code for the program.
type Refusal struct {
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// The codes of a Refusal.
const (
	RefusedToken       = "token"       // unknown, used up, expired or revoked token
	RefusedRequest     = "request"     // malformed request
	RefusedVersion     = "version"     // protocol version not spoken
	RefusedUnknown     = "unknown"     // this device or certificate is not (or no longer) known: enrol again
	RefusedCertificate = "certificate" // no certificate, or one that may not open a session
	RefusedBusy        = "busy"        // try again later
	RefusedClones      = "clones"      // too many forks of one device
)
