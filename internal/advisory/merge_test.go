package advisory

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMergeFacts(t *testing.T) {
	const vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
	on := func(d int) time.Time { return time.Date(2024, 1, d, 0, 0, 0, 0, time.UTC) }
	parts := []FeedFacts{
		{"cve5", Record{ID: "CVE-2024-1000", Modified: on(5), Facts: &Weakness{
			ID: "CVE-2024-1000", Title: "Title of the CNA", Description: "Text of the CNA", Published: on(2), Modified: on(4),
			Scores: []Score{{"3.1", vector, 9.8, "cisa-adp"}, {"3.1", vector, 5.5, "cna"}}, Exploit: ExploitPublic, CWEs: []string{"CWE-79"},
			References: []Reference{{URL: "https://example.org/a", Tags: []string{"patch"}}}}}},
		{"nvd", Record{ID: "CVE-2024-1000", Facts: &Weakness{
			ID: "CVE-2024-1000", Description: "Text of NVD", Published: on(1),
			Scores: []Score{{"2.0", "AV:N/AC:L/Au:N/C:P/I:P/A:P", 7.5, "nvd"}, {"3.1", vector, 9.8, "nvd"}}, CWEs: []string{"CWE-20", "CWE-79"},
			References: []Reference{{URL: "https://example.org/a", Tags: []string{"Exploit"}}, {URL: "https://example.org/b"}}}}},
		{"osv/npm", Record{ID: "GHSA-aaaa-bbbb-cccc", Aliases: []string{"CVE-2024-1000"}, Facts: &Weakness{
			ID: "CVE-2024-1000", Title: "Title of GitHub", Scores: []Score{{"4.0", "CVSS:4.0/x", 8.1, "ghsa"}}, Severity: High}}},
		{"debian-tracker", Record{ID: "alpha/CVE-2024-1000", Facts: &Weakness{ID: "CVE-2024-1000", Description: "Text of Debian"}}},
		{"kev", Record{ID: "CVE-2024-1000", KEV: &KEV{Added: "2024-02-01", Name: "Name", Ransomware: true}}},
		{"epss", Record{ID: "CVE-2024-1000", EPSS: &EPSS{0.25, 0.75, "2024-03-01"}}},
	}
	want := Weakness{
		ID: "CVE-2024-1000", Aliases: []string{"GHSA-aaaa-bbbb-cccc"}, Title: "Title of the CNA", Description: "Text of the CNA",
		Published: on(1), Modified: on(5),
		Scores: []Score{{"4.0", "CVSS:4.0/x", 8.1, "ghsa"}, {"3.1", vector, 9.8, "nvd"}, {"3.1", vector, 5.5, "cna"}, {"3.1", vector, 9.8, "cisa-adp"},
			{"2.0", "AV:N/AC:L/Au:N/C:P/I:P/A:P", 7.5, "nvd"}},
		Severity: High, SeverityFrom: "CVSS 4.0 (ghsa)", EPSS: 0.25, EPSSRank: 0.75, EPSSDate: "2024-03-01",
		KEV: &KEV{Added: "2024-02-01", Name: "Name", Ransomware: true}, Exploit: ExploitInKit, CWEs: []string{"CWE-79", "CWE-20"},
		References: []Reference{{"https://example.org/a", []string{"patch", "Exploit"}}, {URL: "https://example.org/b"}},
		Sources:    []string{"cve5", "nvd", "osv/npm", "debian-tracker", "kev", "epss"},
	}
	for range 20 { // whatever the order of the parts
		rand.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		if diff := cmp.Diff(want, MergeFacts("CVE-2024-1000", parts)); diff != "" {
			t.Fatalf("MergeFacts (-want +got):\n%s", diff)
		}
	}
}

func TestMergeSeverityAndRejection(t *testing.T) {
	st := func(urgency string, ids ...string) Record {
		return Record{ID: "a/" + ids[0], Statements: []Placed{{Statement: Statement{Weaknesses: ids, Urgency: urgency}}}}
	}
	gone := func(r Record) Record { r.Withdrawn = true; return r }
	tests := []struct {
		name     string
		parts    []FeedFacts
		severity Severity
		from     string
		rejected bool
	}{
		{"nothing", nil, Unrated, "", false},
		{"urgency of a statement", []FeedFacts{{"debian-tracker", st("high", "CVE-2024-1000")}}, High, "urgency (debian-tracker)", false},
		{"urgency of another flaw", []FeedFacts{{"debian-tracker", st("high", "CVE-2024-9999")}}, Unrated, "", false},
		{"unimportant is no severity", []FeedFacts{{"debian-tracker", st("unimportant", "CVE-2024-1000")}}, Unrated, "", false},
		{"word before urgency", []FeedFacts{{"osv/npm", Record{ID: "GHSA-a", Facts: &Weakness{ID: "CVE-2024-1000", Severity: Low}}}, {"debian-tracker", st("high", "CVE-2024-1000")}}, Low, "severity (osv/npm)", false},
		{"rejected by the CNA", []FeedFacts{{"cve5", gone(Record{ID: "CVE-2024-1000"})}, {"nvd", Record{ID: "CVE-2024-1000"}}}, Unrated, "", true},
		{"NVD alone", []FeedFacts{{"nvd", gone(Record{ID: "CVE-2024-1000"})}, {"epss", Record{ID: "CVE-2024-1000"}}}, Unrated, "", true},
		{"the CNA knows better than NVD", []FeedFacts{{"cve5", Record{ID: "CVE-2024-1000"}}, {"nvd", gone(Record{ID: "CVE-2024-1000"})}}, Unrated, "", false},
		{"one database withdrew", []FeedFacts{{"osv/npm", gone(Record{ID: "GHSA-a"})}, {"nvd", Record{ID: "CVE-2024-1000"}}}, Unrated, "", false},
		{"its only database withdrew", []FeedFacts{{"osv/npm", gone(Record{ID: "GHSA-a"})}}, Unrated, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := MergeFacts("CVE-2024-1000", tt.parts)
			if w.Severity != tt.severity || w.SeverityFrom != tt.from || w.Rejected != tt.rejected {
				t.Errorf("severity %s from %q, rejected %v, want %s from %q, %v", w.Severity, w.SeverityFrom, w.Rejected, tt.severity, tt.from, tt.rejected)
			}
		})
	}
}

func TestReadVector(t *testing.T) {
	tests := []struct {
		text, ver string
		base      float64
		ok        bool
	}{
		{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "3.1", 10, true},
		{"CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", "3.0", 6.1, true},
		{"(AV:N/AC:M/Au:N/C:N/I:P/A:N)", "2.0", 4.3, true},
		{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:N/E:U", "4.0", 8.7, true}, // E does not change the base score
		{"CVSS:3.1/AV:N", "", 0, false},
		{"CVSS:9.9/AV:N", "", 0, false},
		{"", "", 0, false},
	}
	for _, tt := range tests {
		_, ver, base, ok := ReadVector(tt.text)
		if ver != tt.ver || base != tt.base || ok != tt.ok {
			t.Errorf("ReadVector(%q) = %s, %v, %v, want %s, %v, %v", tt.text, ver, base, ok, tt.ver, tt.base, tt.ok)
		}
	}
}

// What catalogues say of a flaw: the newest score counts, the catalogue of
// exploited flaws before its echo elsewhere, and an entry there is the proof of
// an exploit; two CVE ids that one record names stay two flaws.
func TestMergeMarks(t *testing.T) {
	const id = "CVE-2024-1000"
	entry := func(feed, name string, ransomware bool) FeedFacts {
		return FeedFacts{feed, Record{ID: id, KEV: &KEV{Added: "2024-02-01", Name: name, Ransomware: ransomware}}}
	}
	score := func(feed, date string, n float64) FeedFacts {
		return FeedFacts{feed, Record{ID: id, EPSS: &EPSS{n, n, date}}}
	}
	for _, tt := range []struct {
		name  string
		parts []FeedFacts
		check func(w Weakness) bool
	}{
		{"exploited", []FeedFacts{entry("kev", "K", false)}, func(w Weakness) bool { return w.Exploit == ExploitVerified }},
		{"used for ransom", []FeedFacts{entry("kev", "K", true)}, func(w Weakness) bool { return w.Exploit == ExploitInKit }},
		{"public before exploited", []FeedFacts{{"nvd", Record{ID: id, Facts: &Weakness{ID: id, Exploit: ExploitPublic}}}, entry("kev", "K", false)},
			func(w Weakness) bool { return w.Exploit == ExploitVerified }},
		{"a kit stays one", []FeedFacts{{"nvd", Record{ID: id, Facts: &Weakness{ID: id, Exploit: ExploitInKit}}}, entry("kev", "K", false)},
			func(w Weakness) bool { return w.Exploit == ExploitInKit }},
		{"catalogue and echoes", []FeedFacts{entry("cve5", "echo", false), entry("kev", "catalogue", true), entry("nvd", "echo", false)},
			func(w Weakness) bool { return w.KEV.Name == "catalogue" && w.KEV.Ransomware }},
		{"echo alone", []FeedFacts{entry("nvd", "echo", false)}, func(w Weakness) bool { return w.KEV != nil && w.KEV.Name == "echo" }},
		{"scores of two days", []FeedFacts{score("epss", "2024-03-01", 0.1), score("zz", "2024-03-02", 0.9)}, func(w Weakness) bool { return w.EPSS == 0.9 && w.EPSSDate == "2024-03-02" }},
		{"scores of two days, turned", []FeedFacts{score("epss", "2024-03-02", 0.9), score("zz", "2024-03-01", 0.1)}, func(w Weakness) bool { return w.EPSS == 0.9 && w.EPSSDate == "2024-03-02" }},
		{"two CVEs in one advisory", []FeedFacts{{"osv/npm", Record{ID: "GHSA-a", Aliases: []string{id, "CVE-2024-1001", "PYSEC-2024-1"}, Facts: &Weakness{ID: id}}}},
			func(w Weakness) bool { return cmp.Diff([]string{"GHSA-a", "PYSEC-2024-1"}, w.Aliases) == "" }},
	} {
		for range 4 {
			rand.Shuffle(len(tt.parts), func(i, j int) { tt.parts[i], tt.parts[j] = tt.parts[j], tt.parts[i] })
			if w := MergeFacts(id, tt.parts); !tt.check(w) {
				t.Errorf("%s: %+v", tt.name, w)
				break
			}
		}
	}
}

// The score that a feed states is kept, whatever its vector would give; a
// vector that cannot be read counts only beside a stated score and when it
// tells its version.
func TestStatedScores(t *testing.T) {
	const vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" // 9.8
	for _, tt := range []struct {
		text  string
		given float64
		want  []Score
	}{
		{vector, 0, []Score{{"3.1", vector, 9.8, "nvd"}}},
		{vector, 9.1, []Score{{"3.1", vector, 9.1, "nvd"}}},
		{vector, 11, []Score{{"3.1", vector, 9.8, "nvd"}}},
		{"CVSS:4.0/AV:N/odd:X", 7.7, []Score{{"4.0", "CVSS:4.0/AV:N/odd:X", 7.7, "nvd"}}},
		{"CVSS:4.0/AV:N/odd:X", 0, nil},
		{"AV:N/odd:X", 7.7, nil},
	} {
		if diff := cmp.Diff(tt.want, addScore(nil, "nvd", tt.text, tt.given)); diff != "" {
			t.Errorf("%s stated as %v (-want +got):\n%s", tt.text, tt.given, diff)
		}
	}
}
