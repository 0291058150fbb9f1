package protocol

// Version is the protocol that this program speaks. It rises by one with every
// change; one line per change:
//
//	1  first version
//	2  tags in Hello
//	3  Events, their numbers in Ack and Welcome
//	4  tasks: Collect, Scan, Isolate, Release, CancelTask, TaskState, Response, their Ack; PackagePath
//	5  Investigate
const Version = 5

// MinVersion is the oldest protocol that a server of this version accepts.
const MinVersion = 1

// The paths of the agent listener.
const (
	EnrollPath  = "/agent/v1/enroll"   // POST EnrollRequest → EnrollResponse or Refusal
	SessionPath = "/agent/v1/session"  // GET, WebSocket, device certificate required
	PackagePath = "/agent/v1/package/" // PUT, with the id of a Collect behind it, device certificate required
)

// PackageHash is the header of an upload that has the SHA-256 of the whole
// package, as 64 lower-case hexadecimal digits.
const PackageHash = "Picket-Sha256"
