package alert

import (
	"fmt"
	"path"
	"strings"
)

// InvestigationState is how an investigation of a device stands, as the Defender API spells it.
type InvestigationState string

// The states that investigations of Picket come to. It remediates nothing by
// itself: those that tell of remediation are never reached.
const (
	InvestigationQueued          InvestigationState = "Queued"                // the agent is about to have it
	InvestigationPendingApproval InvestigationState = "PendingApproval"       // somebody else decides whether it begins
	InvestigationPendingResource InvestigationState = "PendingResource"       // the device is not connected
	InvestigationRunning         InvestigationState = "Running"               //
	InvestigationBenign          InvestigationState = "Benign"                // all was examined, and each thing is without a threat
	InvestigationPartial         InvestigationState = "PartiallyInvestigated" // something is for a person to decide, or was not examined
	InvestigationFailed          InvestigationState = "Failed"                //
	InvestigationByUser          InvestigationState = "TerminatedByUser"      // a person or a program took it back
	InvestigationBySystem        InvestigationState = "TerminatedBySystem"    // by time, a lockdown, or a refused approval
)

// InvestigationStates are all of them.
var InvestigationStates = []InvestigationState{InvestigationQueued, InvestigationPendingApproval, InvestigationPendingResource, InvestigationRunning, InvestigationBenign,
	InvestigationPartial, InvestigationFailed, InvestigationByUser, InvestigationBySystem}

// Verdict is what an investigation says of a thing.
type Verdict string

// The verdicts, the worst first. Unknown is never guessed away.
const (
	Malicious  Verdict = "Malicious"
	Suspicious Verdict = "Suspicious"
	Unjudged   Verdict = "Unknown"
	NoThreats  Verdict = "NoThreatsFound"
)

// Verdicts are all of them, the worst first.
var Verdicts = []Verdict{Malicious, Suspicious, Unjudged, NoThreats}

// Presence says whether a thing of an investigation is still there.
type Presence string

// The presences.
const (
	Present     Presence = "Active"
	Absent      Presence = "NotFound"
	NotExamined Presence = "Unknown"
)

// Subject is what kind of thing an investigation examined.
type Subject string

// The subjects.
const (
	SubjectFile    Subject = "File"
	SubjectProcess Subject = "Process"
	SubjectAddress Subject = "Ip"
	SubjectHost    Subject = "Url"         // a host or a URL: nothing on the device is asked
	SubjectStart   Subject = "Persistence" // a file from which another one is started
)

// Integrity is how a file stands to the checksum that its package has.
type Integrity string

// The integrities.
const (
	Unchanged    Integrity = "same"
	Different    Integrity = "different"
	NotCompared  Integrity = "unknown"
	NoneCompared Integrity = "" // no package has it
)

// Facts are what is known of one thing of an investigation. Names in them are the endpoint's words.
type Facts struct {
	Subject   Subject
	Named     bool   // an alert names it
	Signature string // what a scanner found in it
	Blocked   string // title of an indicator that asks to block it
	Allowed   string // title of an indicator that allows it
	Trouble   string // why it was not examined
	Gone      bool
	Changed   bool // a file that is not what the alert named: another hash

	Package   string // that has the file, or the program of the process
	Integrity Integrity
	Config    bool // the package expects that people change it

	Program string  // of a process
	Runs    Verdict // of that program
	Deleted bool    // the program's file is not there any more, or another one is at its place

	Open int // connections to an address now

	Starts    string  // what a start begins
	StartsBad Verdict // what is said of that
}

// Judge says what a thing is by fixed rules, of which the first that fits decides,
// whether it is still there, and why in a sentence.
//
//  1. A scanner found something in it: malicious.
//  2. An indicator asks to block it: malicious.
//  3. An indicator allows it: no threat.
//  4. It was not examined: unknown.
//  5. It is gone, a process has ended, an address has no connection: unknown. What it
//     was or did cannot be examined any more, and that it is over says nothing of it.
//  6. A process runs what is malicious: malicious. It runs what is suspicious, or a
//     program whose file is deleted: suspicious.
//  7. A package has the file, or the program, and its checksum is the same: no threat;
//     but of a process that runs an interpreter that says nothing: unknown.
//  8. A package has the file, and it differs though nobody is expected to change it: suspicious.
//  9. A start begins what is malicious or suspicious: suspicious.
//  10. An alert names a file and it is another one now: unknown.
//  11. An alert names it, it is there, and nothing explains it: suspicious.
//  12. All else is unknown.
func Judge(f Facts) (Verdict, Presence, string) {
	there := Present
	switch {
	case f.Trouble != "" || f.Subject == SubjectHost:
		there = NotExamined
	case f.Gone || f.Subject == SubjectAddress && f.Open == 0:
		there = Absent
	}
	is := func(v Verdict, format string, args ...any) (Verdict, Presence, string) {
		return v, there, fmt.Sprintf(format, args...)
	}
	switch {
	case f.Signature != "":
		return is(Malicious, "ClamAV finds %s in it.", f.Signature)
	case f.Blocked != "":
		return is(Malicious, "The indicator “%s” asks to block it.", f.Blocked)
	case f.Allowed != "":
		return is(NoThreats, "The indicator “%s” allows it.", f.Allowed)
	case f.Trouble != "":
		return is(Unjudged, "It was not examined: %s", full(f.Trouble))
	case f.Subject == SubjectHost:
		return is(Unjudged, "Hosts are looked for among indicators alone, and none names it.")
	case there == Absent && f.Subject == SubjectProcess:
		return is(Unjudged, "The process has ended: what it did cannot be examined any more.")
	case there == Absent && f.Subject == SubjectAddress:
		return is(Unjudged, "No connection to it is open now: what there was before, the timeline tells.")
	case there == Absent:
		return is(Unjudged, "It is not on the device any more: what it was cannot be examined.")
	case f.Subject == SubjectProcess && f.Runs == Malicious:
		return is(Malicious, "It runs %s, which is malicious.", f.Program)
	case f.Subject == SubjectProcess && f.Deleted:
		return is(Suspicious, "It runs a program whose file is deleted or was replaced.")
	case f.Subject == SubjectProcess && f.Runs == Suspicious:
		return is(Suspicious, "It runs %s, which is suspicious.", f.Program)
	case f.Integrity == Unchanged && f.Subject == SubjectProcess && Interprets(f.Program):
		return is(Unjudged, "It runs %s of the package %s unchanged; what that was told to do is not known.", path.Base(f.Program), f.Package)
	case f.Integrity == Unchanged && f.Subject == SubjectProcess:
		return is(NoThreats, "It runs a program of the package %s that equals the package's checksum.", f.Package)
	case f.Integrity == Unchanged:
		return is(NoThreats, "It belongs to the package %s and equals the package's checksum.", f.Package)
	case f.Integrity == Different && !f.Config:
		return is(Suspicious, "It belongs to the package %s and differs from the package's checksum.", f.Package)
	case f.Subject == SubjectStart && (f.StartsBad == Malicious || f.StartsBad == Suspicious):
		return is(Suspicious, "It starts %s, which is %s.", f.Starts, strings.ToLower(string(f.StartsBad)))
	case f.Subject == SubjectFile && f.Named && f.Changed:
		return is(Unjudged, "At its path is another file than the one that the alert names.")
	case f.Named && f.Subject == SubjectAddress:
		return is(Suspicious, "An alert names it, and the device is connected to it now.")
	case f.Named && f.Subject == SubjectProcess:
		return is(Suspicious, "An alert names it, it still runs, and no package explains its program.")
	case f.Named:
		return is(Suspicious, "An alert names it, it is still on the device, and no package explains it.")
	case f.Subject == SubjectStart:
		return is(Unjudged, "It starts %s, of which too little is known.", f.Starts)
	}
	return is(Unjudged, "No package has it, and nothing else is known of it.")
}

// full ends a sentence.
func full(text string) string { return strings.TrimRight(text, ". ") + "." }

// interpreters are programs that do what a script or an argument tells them.
var interpreters = []string{"sh", "bash", "dash", "zsh", "ksh", "mksh", "fish", "ash", "busybox", "toybox", "python", "perl", "ruby", "node", "nodejs", "php", "lua", "tclsh", "expect", "awk", "gawk", "mawk",
	"java", "curl", "wget", "nc", "ncat", "netcat", "socat", "ssh", "env", "xargs", "nohup", "setsid", "sudo", "su", "systemd-run", "at", "gdb"}

// Interprets reports whether a program does what it is told by scripts or arguments,
// so that an unchanged program says nothing about it.
func Interprets(program string) bool {
	name := strings.TrimRight(strings.ToLower(path.Base(program)), "0123456789.-")
	name, _, _ = strings.Cut(name, ".")
	for _, i := range interpreters {
		if name == i {
			return true
		}
	}
	return false
}

// Outcome is the state of an investigation whose things are all judged, and why. early
// says by what the agent ended before it had examined all, "" when it had. What is
// malicious, suspicious or unknown is for a person to decide, also when it is gone.
func Outcome(found map[Verdict]int, early string) (InvestigationState, string) {
	total := 0
	for _, n := range found {
		total += n
	}
	var parts []string
	add := func(n int, one, many string) {
		switch {
		case n == 1:
			parts = append(parts, "1 "+one)
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %s", n, many))
		}
	}
	add(found[Malicious], "thing is malicious", "things are malicious")
	add(found[Suspicious], "thing is suspicious", "things are suspicious")
	add(found[Unjudged], "thing is not known", "things are not known")
	switch {
	case early != "":
		return InvestigationPartial, "It ended before all was examined: " + full(early)
	case total == 0:
		return InvestigationPartial, "No alert of the device names anything that can be examined."
	case len(parts) > 0:
		return InvestigationPartial, strings.Join(parts, ", ") + ": a person has to decide. Nothing was moved or ended."
	}
	return InvestigationBenign, "No threats found."
}
