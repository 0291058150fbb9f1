package alert

import (
	"strings"
	"testing"
)

// TestJudge has a line for every rule, and one for each that must not decide before it.
func TestJudge(t *testing.T) {
	file := func(f Facts) Facts { f.Subject, f.Named = SubjectFile, true; return f }
	process := func(f Facts) Facts { f.Subject, f.Named = SubjectProcess, true; return f }
	for _, tt := range []struct {
		name    string
		f       Facts
		verdict Verdict
		there   Presence
		why     string
	}{
		{"found by the scanner, of a package", file(Facts{Signature: "Eicar", Package: "p 1", Integrity: Unchanged, Allowed: "ok"}), Malicious, Present, "Eicar"},
		{"blocked", file(Facts{Blocked: "bad", Allowed: "ok", Integrity: Unchanged}), Malicious, Present, "bad"},
		{"blocked and gone", file(Facts{Blocked: "bad", Gone: true}), Malicious, Absent, "bad"},
		{"allowed", file(Facts{Allowed: "ok"}), NoThreats, Present, "ok"},
		{"not examined", file(Facts{Trouble: "no time", Gone: true}), Unjudged, NotExamined, "no time."},
		{"gone", file(Facts{Gone: true, Integrity: Unchanged}), Unjudged, Absent, "not on the device"},
		{"ended", process(Facts{Gone: true, Runs: Malicious}), Unjudged, Absent, "ended"},
		{"no connection", Facts{Subject: SubjectAddress, Named: true}, Unjudged, Absent, "No connection"},
		{"connected", Facts{Subject: SubjectAddress, Named: true, Open: 1}, Suspicious, Present, "connected"},
		{"a host", Facts{Subject: SubjectHost, Named: true}, Unjudged, NotExamined, "indicators"},
		{"runs what is malicious", process(Facts{Runs: Malicious, Program: "/x"}), Malicious, Present, "/x"},
		{"runs what is deleted", process(Facts{Deleted: true, Integrity: Unchanged, Program: "/usr/bin/less"}), Suspicious, Present, "deleted"},
		{"runs what is suspicious", process(Facts{Runs: Suspicious, Program: "/x"}), Suspicious, Present, "/x"},
		{"a shell of a package", process(Facts{Integrity: Unchanged, Package: "dash 1", Program: "/usr/bin/dash"}), Unjudged, Present, "told to do"},
		{"an interpreter with a version", process(Facts{Integrity: Unchanged, Package: "p 1", Program: "/usr/bin/python3.11"}), Unjudged, Present, "told to do"},
		{"a program of a package", process(Facts{Integrity: Unchanged, Package: "less 1", Program: "/usr/bin/less"}), NoThreats, Present, "less 1"},
		{"a file of a package", file(Facts{Integrity: Unchanged, Package: "dash 1"}), NoThreats, Present, "dash 1"},
		{"a changed file of a package", file(Facts{Integrity: Different, Package: "p 1"}), Suspicious, Present, "differs"},
		{"a changed configuration, named", file(Facts{Integrity: Different, Config: true, Package: "p 1"}), Suspicious, Present, "An alert names it"},
		{"a changed configuration, found", Facts{Subject: SubjectFile, Integrity: Different, Config: true, Package: "p 1"}, Unjudged, Present, ""},
		{"starts what is malicious", Facts{Subject: SubjectStart, Starts: "/x", StartsBad: Malicious}, Suspicious, Present, "malicious"},
		{"starts what is unknown", Facts{Subject: SubjectStart, Starts: "/x", StartsBad: Unjudged}, Unjudged, Present, "/x"},
		{"another file", file(Facts{Changed: true}), Unjudged, Present, "another file"},
		{"named and there", file(Facts{}), Suspicious, Present, "An alert names it"},
		{"not compared", file(Facts{Integrity: NotCompared, Package: "p 1"}), Suspicious, Present, "An alert names it"},
		{"runs and named", process(Facts{Runs: Unjudged}), Suspicious, Present, "still runs"},
		{"found on the way", Facts{Subject: SubjectFile}, Unjudged, Present, "nothing else"},
	} {
		v, there, why := Judge(tt.f)
		if v != tt.verdict || there != tt.there || !strings.Contains(why, tt.why) || !strings.HasSuffix(why, ".") {
			t.Errorf("%s: %s, %s: %s; want %s, %s, %q", tt.name, v, there, why, tt.verdict, tt.there, tt.why)
		}
	}
}

func TestOutcome(t *testing.T) {
	for _, tt := range []struct {
		found map[Verdict]int
		early string
		state InvestigationState
		why   string
	}{
		{map[Verdict]int{NoThreats: 3}, "", InvestigationBenign, "No threats found."},
		{map[Verdict]int{Malicious: 1, NoThreats: 1}, "", InvestigationPartial, "1 thing is malicious: a person"},
		{map[Verdict]int{Malicious: 1, Suspicious: 2}, "", InvestigationPartial, "1 thing is malicious, 2 things are suspicious: a person"},
		{map[Verdict]int{Unjudged: 1, NoThreats: 9}, "", InvestigationPartial, "1 thing is not known"},
		{map[Verdict]int{NoThreats: 9}, "its time was over", InvestigationPartial, "its time was over."},
		{nil, "", InvestigationPartial, "names anything"},
	} {
		if state, why := Outcome(tt.found, tt.early); state != tt.state || !strings.Contains(why, tt.why) {
			t.Errorf("%v, %q: %s, %s", tt.found, tt.early, state, why)
		}
	}
}
