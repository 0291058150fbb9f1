package advisory

import (
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"
)

// osvRecord is a record of the OSV schema, as far as Picket reads it. What
// databases fill in their own ways stays raw.
type osvRecord struct {
	ID         string          `json:"id"`
	Modified   string          `json:"modified"`
	Published  string          `json:"published"`
	Withdrawn  string          `json:"withdrawn"`
	Summary    string          `json:"summary"`
	Details    string          `json:"details"`
	Aliases    []string        `json:"aliases"`
	Upstream   []string        `json:"upstream"`
	Related    []string        `json:"related"`
	Severity   []osvSeverity   `json:"severity"`
	Affected   []osvAffected   `json:"affected"`
	References []osvReference  `json:"references"`
	Specific   json.RawMessage `json:"database_specific"`
}

type osvSeverity struct {
	Type  string `json:"type"`
	Score string `json:"score"`
}

type osvReference struct {
	Type string `json:"type"`
	URL  string `json:"url"`
}

type osvAffected struct {
	Package struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
	} `json:"package"`
	Severity  []osvSeverity   `json:"severity"`
	Ranges    []osvRange      `json:"ranges"`
	Versions  []string        `json:"versions"`
	Ecosystem json.RawMessage `json:"ecosystem_specific"`
	Specific  json.RawMessage `json:"database_specific"`
}

type osvRange struct {
	Type   string     `json:"type"`
	Events []osvEvent `json:"events"`
}

type osvEvent struct {
	Introduced   string `json:"introduced"`
	Fixed        string `json:"fixed"`
	LastAffected string `json:"last_affected"`
}

// osv reads one OSV record.
func (d *decoding) osv() error {
	d.h = Header{Feed: feedOSVPrefix + "unknown", Mode: Merge}
	s, err := newSplitter(d.r, smallBuffer)
	if err != nil {
		return err
	}
	if c, err := s.peek(); err != nil {
		return err
	} else if c != '{' {
		return s.wrong(c, "an object")
	}
	var r osvRecord
	bad, err := s.into(&r)
	if err != nil {
		return err
	}
	if err := s.finish(); err != nil {
		return err
	}
	if bad != nil {
		d.drop(r.ID, d.name, bad)
		return nil
	}
	if !validID(r.ID) {
		d.drop("", d.name, badID(r.ID))
		return nil
	}
	rec := d.osvRecord(&r)
	return d.emit(d.h, rec)
}

func (d *decoding) osvRecord(r *osvRecord) Record {
	rec := Record{ID: r.ID, Modified: when(r.Modified), Withdrawn: r.Withdrawn != ""}
	d.h.Date = rec.Modified
	flaws, single := osvFlaws(r)
	if single {
		rec.Aliases = osvAliases(r, flaws[0])
	}
	d.h.Feed = feedOSVPrefix + d.osvFeed(r)
	base := Statement{
		Advisory: r.ID, Weaknesses: flaws, Feed: d.h.Feed, URL: osvPage(r), Date: when(r.Published),
		Announced: osvAnnounced(r.Related), Urgency: osvUrgency(r),
	}
	if base.Date.IsZero() {
		base.Date = rec.Modified
	}
	rec.Statements = d.osvStatements(r, base)
	if single || flaws[0] == r.ID {
		rec.Facts = osvFacts(r, flaws[0])
	}
	return rec
}

// osvFeed names the ecosystem whose feed a record belongs to.
func (d *decoding) osvFeed(r *osvRecord) string {
	first := ""
	for i := range r.Affected {
		eco, _, _ := splitEcosystem(r.Affected[i].Package.Ecosystem)
		if !validFeedName(eco) {
			continue
		}
		if first == "" {
			first = eco
		} else if first == eco {
			continue
		}
		if strings.Contains("/"+d.path+"/", "/"+eco+"/") {
			return eco
		}
	}
	switch {
	case first != "":
		return first
	case len(r.Affected) == 0:
		return "unknown"
	}
	return "GIT" // commits only
}

// osvFlaws returns the ids that a record speaks of. single is true when it
// describes one flaw; a bundle closes several with one update.
func osvFlaws(r *osvRecord) (flaws []string, single bool) {
	if own := cveIn(r.ID); own != "" {
		return []string{own}, true
	}
	bundle := isBundle(r.ID)
	lists := [][]string{r.Aliases, r.Upstream}
	if bundle || strings.HasPrefix(r.ID, "CGA-") {
		lists = append(lists, r.Related)
	}
	for _, list := range lists {
		for _, id := range list {
			if cve := cveIn(id); cve != "" && len(flaws) < maxWeaknesses {
				flaws = append(flaws, cve)
			}
		}
	}
	if len(flaws) == 0 {
		return []string{r.ID}, !bundle
	}
	sort.Slice(flaws, func(i, j int) bool { return lessID(flaws[i], flaws[j]) })
	flaws = compact(flaws)
	return flaws, len(flaws) == 1 && !bundle
}

// osvAliases lists the other ids of the one flaw of a record.
func osvAliases(r *osvRecord, flaw string) []string {
	var out []string
	if flaw != r.ID {
		out = append(out, flaw)
	}
	for _, id := range r.Aliases {
		if id != r.ID && validID(id) && len(out) < maxAliases {
			out = addOnce(out, id)
		}
	}
	return out
}

// osvAnnounced keeps the related ids that are advisories of a vendor.
func osvAnnounced(related []string) []string {
	var out []string
	for _, id := range related {
		if isBundle(id) && validID(id) && len(out) < maxAliases {
			out = addOnce(out, id)
		}
	}
	return out
}

func osvPage(r *osvRecord) string {
	cve, dashed := cveIn(r.ID), strings.ReplaceAll(r.ID, ":", "-")
	for _, ref := range r.References {
		if ref.Type == "ADVISORY" && (strings.Contains(ref.URL, r.ID) || strings.Contains(ref.URL, dashed) || cve != "" && strings.Contains(ref.URL, cve)) {
			if address, ok := link(ref.URL); ok {
				return address
			}
		}
	}
	return "https://osv.dev/vulnerability/" + r.ID
}

// osvWord finds the severity in words that a record gives, "" when none.
func osvWord(r *osvRecord) string {
	for _, s := range r.Severity {
		if s.Type == "Ubuntu" {
			return s.Score
		}
	}
	var specific struct {
		Severity json.RawMessage `json:"severity"`
	}
	var word string
	if json.Unmarshal(r.Specific, &specific) == nil && json.Unmarshal(specific.Severity, &word) == nil && word != "" {
		return word
	}
	if isBundle(r.ID) { // "Important: kernel security update"
		if word, _, ok := strings.Cut(r.Summary, ": "); ok && severityWord(word) != "" {
			return word
		}
	}
	return ""
}

func osvUrgency(r *osvRecord) string {
	return strings.ToLower(line(osvWord(r), 40))
}

// osvFacts gathers what a record says of the flaw itself.
func osvFacts(r *osvRecord, flaw string) *Weakness {
	w := &Weakness{
		ID: flaw, Title: line(r.Summary, maxTitle), Description: clean(r.Details, maxDescription),
		Published: when(r.Published), Modified: when(r.Modified), Severity: severityWord(osvWord(r)),
	}
	source := osvSource(r.ID)
	for _, s := range r.Severity {
		w.Scores = addScore(w.Scores, source, s.Score, 0)
	}
	for i := range r.Affected {
		a := &r.Affected[i]
		for _, s := range a.Severity {
			w.Scores = addScore(w.Scores, source, s.Score, 0)
		}
		var specific struct {
			CVSS json.RawMessage `json:"cvss"`
			CWEs []struct {
				ID string `json:"cweId"`
			} `json:"cwes"`
		}
		if len(a.Specific) > 0 && json.Unmarshal(a.Specific, &specific) == nil {
			var vector string
			if len(specific.CVSS) > 0 && json.Unmarshal(specific.CVSS, &vector) == nil {
				w.Scores = addScore(w.Scores, source, vector, 0)
			}
			for _, c := range specific.CWEs {
				w.CWEs = addCWE(w.CWEs, c.ID)
			}
		}
	}
	var specific struct {
		CWEs []string `json:"cwe_ids"`
	}
	if len(r.Specific) > 0 && json.Unmarshal(r.Specific, &specific) == nil {
		for _, c := range specific.CWEs {
			w.CWEs = addCWE(w.CWEs, c)
		}
	}
	for _, ref := range r.References {
		w.References = addReference(w.References, ref.URL, []string{strings.ToLower(ref.Type)})
		if ref.Type == "EVIDENCE" {
			w.Exploit = atLeast(w.Exploit, ExploitPublic)
		}
	}
	return w
}

// osvSource names who rated: the database, as its ids begin ("ghsa", "pysec").
func osvSource(id string) string {
	prefix, _, _ := strings.Cut(id, "-")
	switch prefix {
	case "CVE":
		return "osv"
	case "BIT":
		return "bitnami"
	}
	return strings.ToLower(prefix)
}

// osvStatements places the record's affected packages.
func (d *decoding) osvStatements(r *osvRecord, base Statement) []Placed {
	var out []Placed
	at := map[placement]int{}
	commits, entries := 0, 0
	for i := range r.Affected {
		a := &r.Affected[i]
		eco, release, note := splitEcosystem(a.Package.Ecosystem)
		st, why := osvStatement(r, a, eco, base)
		if why == errCommits {
			commits++
			continue
		}
		key := Key{Ecosystem: eco, Release: release, Name: NormalName(eco, a.Package.Name)}
		switch {
		case why != nil:
		case !validFeedName(eco) || len(release) > maxName:
			why = fmt.Errorf("ecosystem %.80q is not usable", a.Package.Ecosystem)
		case !validName(key.Name):
			why = fmt.Errorf("package name %.80q is not usable", a.Package.Name)
		case entries >= maxStatements:
			why = fmt.Errorf("it has more than %d affected packages", maxStatements)
		}
		if why != nil {
			d.drop(r.ID, "", fmt.Errorf("affected package %d: %w", i+1, why))
			continue
		}
		entries++
		if note != "" {
			st.Note = line(strings.TrimSuffix(note+"; "+st.Note, "; "), maxNote)
		}
		p := placement{key, st.State, st.Note, st.Module}
		if j, ok := at[p]; ok && len(out[j].Statement.Ranges)+len(st.Ranges) <= maxRanges && !isBare(&out[j].Statement) && !isBare(&st) {
			have := &out[j].Statement
			have.Ranges = append(have.Ranges, st.Ranges...)
			have.Versions = append(have.Versions, st.Versions...)
			continue
		}
		at[p] = len(out)
		out = append(out, Placed{Key: key, Statement: st})
	}
	if commits > 0 && len(out) == 0 {
		d.drop(r.ID, "", fmt.Errorf("%d affected entries name commits only (GIT): there is no package version to compare", commits))
	}
	return out
}

// placement joins affected entries of one record that say the same of one package.
type placement struct {
	key    Key
	state  State
	note   string
	module string
}

// isBare reports whether a statement names no version: it speaks of all or of none.
func isBare(s *Statement) bool { return len(s.Ranges) == 0 && len(s.Versions) == 0 }

var errCommits = errors.New("commit ranges only")

// osvStatement turns one affected entry into a statement, without its key.
func osvStatement(r *osvRecord, a *osvAffected, eco string, base Statement) (Statement, error) {
	st := base
	commitsOnly, empty, unfixed := len(a.Ranges) > 0, false, false
	for _, rg := range a.Ranges {
		if rg.Type == "GIT" {
			continue
		}
		commitsOnly = false
		ranges := osvRanges(eco, rg.Events)
		empty = empty || len(ranges) == 0
		for _, one := range ranges {
			unfixed = unfixed || one.Fixed == ""
		}
		st.Ranges = append(st.Ranges, ranges...)
	}
	if len(st.Ranges) > maxRanges {
		return st, fmt.Errorf("it has more than %d ranges", maxRanges)
	}
	if len(a.Versions) > maxVersions {
		return st, fmt.Errorf("it lists more than %d versions", maxVersions)
	}
	st.Versions = outsideRanges(eco, st.Ranges, a.Versions)
	if commitsOnly && len(st.Versions) == 0 || a.Package.Name == "" && eco == "" {
		return st, errCommits
	}
	switch {
	case isBare(&st) && empty: // ranges such as introduced 0, fixed 0
		st.State = NotAffect
	case len(st.Ranges) > 0 && !unfixed:
		st.State = Fixed
	default:
		st.State = Affected
		for _, one := range st.Ranges {
			if one.Fixed != "" {
				st.State = Fixed
			}
		}
	}
	osvOverrides(r, a, &st)
	return st, nil
}

// osvOverrides applies what databases say in their own fields.
func osvOverrides(r *osvRecord, a *osvAffected, st *Statement) {
	var eco struct {
		Urgency json.RawMessage `json:"urgency"`
	}
	var urgency string
	if len(a.Ecosystem) > 0 && json.Unmarshal(a.Ecosystem, &eco) == nil && json.Unmarshal(eco.Urgency, &urgency) == nil {
		if urgency != "not yet assigned" {
			st.Urgency = line(urgency, 40)
		}
	}
	var own struct {
		Known         json.RawMessage `json:"last_known_affected_version_range"`
		Informational json.RawMessage `json:"informational"`
	}
	var known, informational string
	if len(a.Specific) > 0 && json.Unmarshal(a.Specific, &own) == nil {
		_ = json.Unmarshal(own.Known, &known)
		_ = json.Unmarshal(own.Informational, &informational)
	}
	if known != "" {
		st.Note = line("last known affected: "+known, maxNote)
	}
	if st.State == NotAffect {
		return
	}
	switch {
	case strings.TrimSuffix(st.Urgency, "*") == "unimportant":
		st.State = Unimportant
	case strings.TrimSuffix(st.Urgency, "*") == "end-of-life":
		st.State = EndOfLife
	case informational != "": // RustSec: unmaintained, unsound, notice
		st.State, st.Note = Unimportant, line("informational: "+informational, maxNote)
	case isBugFix(r.ID) && len(st.Weaknesses) == 1 && st.Weaknesses[0] == r.ID:
		st.State, st.Note = Unimportant, "bug fix or enhancement, names no flaw"
	}
	if len(st.Ranges) > 0 && strings.Contains(st.Ranges[0].Fixed, ".module") {
		st.Module = moduleIn(r.Summary)
	}
}
