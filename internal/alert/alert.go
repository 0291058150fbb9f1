// Package alert holds the words for alerts: their severity, status,
// classification and category, how a change of them is held together, the risk
// level that follows from those that are active on a device, and which ATT&CK
// techniques an event may be part of.
//
//	alert.Active(alert.New, "")           // true
//	alert.Risk([]alert.Severity{alert.Low}) // "Low"
//
// It is pure: no clock, no files.
package alert

import (
	"regexp"
	"slices"
	"strings"
)

// Severity is the risk of an alert to the organisation.
type Severity string

// The severities, from the least. Unspecified is of alerts whose maker gave none.
const (
	Unspecified   Severity = "UnSpecified"
	Informational Severity = "Informational"
	Low           Severity = "Low"
	Medium        Severity = "Medium"
	High          Severity = "High"
)

// Severities are all of them, from the least.
var Severities = []Severity{Unspecified, Informational, Low, Medium, High}

// Rank orders severities: the higher, the worse; -1 for what is none.
func (s Severity) Rank() int { return slices.Index(Severities, s) }

// Status is how far somebody is with an alert.
type Status string

// The statuses.
const (
	New        Status = "New"
	InProgress Status = "InProgress"
	Resolved   Status = "Resolved"
)

// Statuses are all of them, in the order of work.
var Statuses = []Status{New, InProgress, Resolved}

// Classification is what an alert turned out to be; "" as long as nobody said.
type Classification string

// The classifications.
const (
	TruePositive  Classification = "TruePositive"
	Expected      Classification = "InformationalExpectedActivity"
	FalsePositive Classification = "FalsePositive"
)

// Determinations are what a classification may be determined to be. Other goes
// with each.
var Determinations = map[Classification][]string{
	TruePositive:  {"MultiStagedAttack", "MaliciousUserActivity", "CompromisedUser", "Malware", "Phishing", "UnwantedSoftware", "Other"},
	Expected:      {"SecurityTesting", "LineOfBusinessApplication", "ConfirmedUserActivity", "Other"},
	FalsePositive: {"Clean", "InsufficientData", "Other"},
}

// Categories are the kinds of threat that an alert can be of.
var Categories = []string{"General", "CommandAndControl", "Collection", "CredentialAccess", "DefenseEvasion", "Discovery", "Exfiltration", "Exploit", "Execution",
	"InitialAccess", "LateralMovement", "Malware", "Persistence", "PrivilegeEscalation", "Ransomware", "SuspiciousActivity"}

// determinationAliases are other names of determinations that programs send.
var determinationAliases = map[string]string{"ConfirmedActivity": "ConfirmedUserActivity", "NotMalicious": "Clean"}

// ParseSeverity reads a severity, whatever its case.
func ParseSeverity(s string) (Severity, bool) { return fold(Severities, s) }

// ParseStatus reads a status, whatever its case.
func ParseStatus(s string) (Status, bool) { return fold(Statuses, s) }

// ParseClassification reads a classification, whatever its case. "Unknown" and
// "" take it away.
func ParseClassification(s string) (Classification, bool) {
	if s == "" || strings.EqualFold(s, "Unknown") {
		return "", true
	}
	return fold([]Classification{TruePositive, Expected, FalsePositive}, s)
}

// ParseDetermination reads a determination, whatever its case and by its older
// names too. "NotAvailable" and "" take it away.
func ParseDetermination(s string) (string, bool) {
	if s == "" || strings.EqualFold(s, "NotAvailable") {
		return "", true
	}
	for old, now := range determinationAliases {
		if strings.EqualFold(s, old) {
			return now, true
		}
	}
	for _, list := range Determinations {
		if d, ok := fold(list, s); ok {
			return d, true
		}
	}
	return "", false
}

// ParseCategory reads a category, whatever its case.
func ParseCategory(s string) (string, bool) { return fold(Categories, s) }

func fold[T ~string](all []T, s string) (T, bool) {
	i := slices.IndexFunc(all, func(t T) bool { return strings.EqualFold(string(t), s) })
	if i < 0 {
		return "", false
	}
	return all[i], true
}

var technique = regexp.MustCompile(`^T[0-9]{4}(\.[0-9]{3})?$`)

// IsTechnique reports whether a text has the form of an ATT&CK technique:
// T1234 or T1234.001.
func IsTechnique(id string) bool { return technique.MatchString(id) }

// Under reports whether a technique is another one or a part of it: T1053.003
// is under T1053.
func Under(id, of string) bool { return id == of || strings.HasPrefix(id, of+".") }

// Active reports whether an alert counts: it is not resolved, and nobody said
// that it is false or expected.
func Active(s Status, c Classification) bool {
	return s != Resolved && c != FalsePositive && c != Expected
}

// How many active alerts of the severity below make a risk level.
const (
	mediumsOfHigh = 3
	lowsOfMedium  = 5
)

// NoRisk is the risk level of a device without active alerts; the others are named as severities.
const NoRisk = "None"

// Risk is the risk level of a device with active alerts of some severities:
//
//	High            one of High, or 3 of Medium
//	Medium          one of Medium, or 5 of Low
//	Low             one of Low, or one whose severity is not specified
//	Informational   one of Informational
//	None            none
func Risk(active []Severity) string {
	var n [5]int
	for _, s := range active {
		if r := s.Rank(); r >= 0 {
			n[r]++
		}
	}
	lows := n[Low.Rank()] + n[Unspecified.Rank()]
	switch {
	case n[High.Rank()] > 0 || n[Medium.Rank()] >= mediumsOfHigh:
		return string(High)
	case n[Medium.Rank()] > 0 || lows >= lowsOfMedium:
		return string(Medium)
	case lows > 0:
		return string(Low)
	case n[Informational.Rank()] > 0:
		return string(Informational)
	}
	return NoRisk
}

// RiskLevels are the risk levels, from the least.
var RiskLevels = []string{NoRisk, string(Informational), string(Low), string(Medium), string(High)}
