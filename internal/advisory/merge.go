package advisory

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// FeedFacts is what one feed says of a flaw: one record that speaks of it.
type FeedFacts struct {
	Feed   string
	Record Record
}

// MergeFacts joins everything that feeds say of the flaw id into one Weakness. The
// result depends on the set of parts only, not on their order.
//
//   - Scores are ordered by CVSS 4.0, 3.1, 3.0, 2.0, within a version NVD
//     first, then the CNA, CISA's ADP, GitHub, then the others by name.
//   - Severity is that of the first score; without one, the word of the first
//     feed that has one; SeverityFrom says which.
//   - Texts come from the CVE record, then NVD, OSV, Debian, KEV, demo.
//   - Exploit is the furthest maturity that anyone reports.
//   - Rejected is set when the CVE record or NVD withdrew it, or when every
//     part that speaks of it is withdrawn.
//
// Slices in the result are new; parts are not changed.
func MergeFacts(id string, parts []FeedFacts) Weakness {
	parts = slices.Clone(parts)
	slices.SortStableFunc(parts, func(a, b FeedFacts) int {
		return cmp.Or(cmp.Compare(feedRank(a.Feed), feedRank(b.Feed)), strings.Compare(a.Feed, b.Feed),
			strings.Compare(a.Record.ID, b.Record.ID), a.Record.Modified.Compare(b.Record.Modified))
	})
	w := Weakness{ID: id, Aliases: []string{}, Scores: []Score{}, Sources: []string{}, Exploit: NoExploit}
	var word Severity
	var wordFrom string
	live := 0
	for i := range parts {
		p := &parts[i]
		w.Sources = addOnce(w.Sources, p.Feed)
		if p.Record.Withdrawn {
			if p.Feed == FeedCVE5 || p.Feed == FeedNVD && !spokenBy(parts, FeedCVE5) {
				w.Rejected = true
			}
		} else {
			live++
		}
		w.takeNames(p)
		w.takeFacts(p)
		w.takeMarks(p)
		if s, from := statedSeverity(id, p); word == "" && s != "" {
			word, wordFrom = s, from
		}
	}
	if live == 0 && len(parts) > 0 {
		w.Rejected = true
	}
	slices.SortFunc(w.Aliases, strings.Compare)
	sortScores(w.Scores)
	w.Scores = slices.CompactFunc(w.Scores, func(a, b Score) bool { return a == b })
	w.Severity = Unrated
	if best, ok := w.Best(); ok {
		w.Severity = SeverityOf(best.Base)
		w.SeverityFrom = "CVSS " + best.Version + " (" + best.Source + ")"
	} else if word != "" {
		w.Severity, w.SeverityFrom = word, wordFrom
	}
	if w.KEV != nil {
		w.Exploit = atLeast(w.Exploit, ExploitVerified)
		if w.KEV.Ransomware {
			w.Exploit = ExploitInKit
		}
	}
	return w
}

// spokenBy reports whether a feed is among the parts.
func spokenBy(parts []FeedFacts, feed string) bool {
	return slices.ContainsFunc(parts, func(p FeedFacts) bool { return p.Feed == feed })
}

// takeNames collects other ids: the aliases and the id of each record that is
// about this flaw alone. The tracker's record ids name a package, not a flaw.
func (w *Weakness) takeNames(p *FeedFacts) {
	add := func(id string) {
		if id != "" && id != w.ID && len(w.Aliases) < maxAliases {
			w.Aliases = addOnce(w.Aliases, id)
		}
	}
	if p.Feed == FeedDebianTracker {
		return
	}
	for _, a := range p.Record.Aliases {
		if !IsCVE(a) || !IsCVE(w.ID) { // two CVE ids are two weaknesses
			add(a)
		}
	}
	if p.Record.Facts != nil && (p.Record.Facts.ID == w.ID || len(p.Record.Aliases) > 0) && !IsCVE(p.Record.ID) && strings.HasPrefix(p.Feed, feedOSVPrefix) {
		add(p.Record.ID)
	}
}

// takeFacts fills what is still empty and appends lists.
func (w *Weakness) takeFacts(p *FeedFacts) {
	f := p.Record.Facts
	if f == nil {
		return
	}
	if w.Title == "" {
		w.Title = f.Title
	}
	if w.Description == "" {
		w.Description = f.Description
	}
	if w.Published.IsZero() || !f.Published.IsZero() && f.Published.Before(w.Published) {
		w.Published = f.Published
	}
	if at := latest(f.Modified, p.Record.Modified); p.Feed != FeedDebianTracker && at.After(w.Modified) {
		w.Modified = at
	}
	for _, s := range f.Scores {
		if len(w.Scores) < maxScores {
			w.Scores = append(w.Scores, s)
		}
	}
	w.Exploit = atLeast(w.Exploit, f.Exploit)
	for _, t := range f.ExploitTypes {
		w.ExploitTypes = addOnce(w.ExploitTypes, t)
	}
	for _, c := range f.CWEs {
		w.CWEs = addCWE(w.CWEs, c)
	}
	for _, r := range f.References {
		w.References = addReference(w.References, r.URL, r.Tags)
	}
}

// takeMarks takes the entries of the catalogues. The catalogue itself wins over
// its echo in CVE records and NVD, which lacks fields.
func (w *Weakness) takeMarks(p *FeedFacts) {
	if k := p.Record.KEV; k != nil && (w.KEV == nil || p.Feed == FeedKEV) {
		entry := *k
		w.KEV = &entry
	}
	if e := p.Record.EPSS; e != nil && (w.EPSSDate == "" && w.EPSS == 0 && w.EPSSRank == 0 || e.Date > w.EPSSDate) {
		w.EPSS, w.EPSSRank, w.EPSSDate = e.Score, e.Percentile, e.Date
	}
}

// statedSeverity finds the severity in words: of the record, else of its statements.
func statedSeverity(id string, p *FeedFacts) (Severity, string) {
	if f := p.Record.Facts; f != nil && f.Severity != "" && f.Severity != Unrated {
		return f.Severity, "severity (" + p.Feed + ")"
	}
	for i := range p.Record.Statements {
		st := &p.Record.Statements[i].Statement
		if s := severityWord(st.Urgency); s != "" && slices.Contains(st.Weaknesses, id) {
			return s, "urgency (" + p.Feed + ")"
		}
	}
	return "", ""
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// sortScores orders ratings, preferred first.
func sortScores(scores []Score) {
	slices.SortStableFunc(scores, func(a, b Score) int {
		return cmp.Or(-strings.Compare(a.Version, b.Version), cmp.Compare(sourceRank(a.Source), sourceRank(b.Source)),
			strings.Compare(a.Source, b.Source), cmp.Compare(b.Base, a.Base), strings.Compare(a.Vector, b.Vector))
	})
}

func sourceRank(source string) int {
	switch source {
	case "nvd":
		return 0
	case "cna":
		return 1
	case "cisa-adp":
		return 2
	case "ghsa":
		return 3
	}
	return 4
}
