package server

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
)

const debian12 = "va-_-debian-_-debian_linux_12-_-upgrade"

// lives imports what endoflife.date says of Debian and Django: lines as "name end",
// those of a product one after the other. day is that of the data.
func lives(t *testing.T, s *Server, day string, debian, django string) {
	t.Helper()
	product := func(name, label, ids, lines string) string {
		var out []string
		for _, l := range strings.Split(lines, ",") {
			f := strings.Fields(l)
			out = append(out, fmt.Sprintf(`{"name": %q, "isEol": false, "eolFrom": %q, "latest": {"name": "%s.9"}}`, f[0], f[1], f[0]))
		}
		return fmt.Sprintf(`{"name": %q, "label": %q, "identifiers": [%s], "releases": [%s]}`, name, label, ids, strings.Join(out, ", "))
	}
	path := filepath.Join(t.TempDir(), "products.json")
	feed := fmt.Sprintf(`{"schema_version": "1.2.0", "generated_at": "%sT00:00:00Z", "total": 2, "result": [%s, %s]}`, day,
		product("debian", "Debian", `{"type": "cpe", "id": "cpe:2.3:o:debian:debian_linux"}`, debian),
		product("django", "Django", `{"type": "purl", "id": "pkg:pypi/django"}`, django))
	if err := os.WriteFile(path, []byte(feed), 0o600); err != nil {
		t.Fatal(err)
	}
	importFile(t, s, path)
}

// osvDjango imports what OSV says of Django: "id fixed-version", "-" for none.
func osvDjango(t *testing.T, s *Server, rows ...string) {
	t.Helper()
	for i, row := range rows {
		f := strings.Fields(row)
		fixed := ""
		if f[1] != "-" {
			fixed = fmt.Sprintf(`, {"fixed": %q}`, f[1])
		}
		path := filepath.Join(t.TempDir(), f[0]+".json")
		doc := fmt.Sprintf(`{"schema_version": "1.6.0", "id": %q, "modified": "2026-11-2%dT00:00:00Z", "published": "2026-01-01T00:00:00Z", "summary": "flaw", "details": "A flaw.",
			"affected": [{"package": {"ecosystem": "PyPI", "name": "django"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}%s]}]}]}`, f[0], i, fixed)
		if err := os.WriteFile(path, []byte(doc), 0o600); err != nil {
			t.Fatal(err)
		}
		importFile(t, s, path)
	}
}

// sendPython reports Python packages, "name version", beside those of the distribution.
func (r *report) sendPython(t *testing.T, packages ...string) {
	t.Helper()
	sec := inventory.NewSection(inventory.Python, inventory.Complete, "")
	for _, p := range packages {
		f := strings.Fields(p)
		path := "srv/" + f[1] + "/lib/python3/site-packages/" + f[0] + "-" + f[1] + ".dist-info"
		sec.Put(path, inventory.Package{Ecosystem: inventory.EcoPyPI, Name: f[0], Version: f[1], Paths: []string{path}})
	}
	sec.SeenAt = time.Now().UTC()
	sec.Seal()
	r.seq++
	if _, err := r.s.ingest(t.Context(), r.id, r.seq, []inventory.Delta{inventory.Diff(r.held[sec.Name], sec)}); err != nil {
		t.Fatal(err)
	}
	r.held[sec.Name] = sec
}

// says lists recommendations for software: "id type weaknesses exposed of installed [tags]", and
// the ends of support that the timeline has.
func says(t *testing.T, s *Server, caller Caller) string {
	t.Helper()
	page, err := s.Recommendations(t.Context(), caller, Query{Sort: []string{"name"}}, func(r *RecommendationRow) bool { return r.Type != RemedyConfigure })
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range page.Items {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %dw %d/%d %s", r.Name, r.Weaknesses, r.Exposed, r.Installed, strings.Join(r.Tags, ","))))
	}
	events, err := s.Events(t.Context(), caller, Query{Filter: map[string][]string{"type": {SupportEnded}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events.Items {
		out = append(out, fmt.Sprintf("[%s, now %d]", e.Title, e.Current))
	}
	return strings.Join(out, "\n")
}

func wantSays(t *testing.T, s *Server, when string, want ...string) {
	t.Helper()
	if got := says(t, s, admin); got != strings.Join(want, "\n") {
		t.Errorf("%s:\n%s\nwant\n%s", when, got, strings.Join(want, "\n"))
	}
}

// The day on which support ends moves what nobody will fix any more from
// "attention required" to one recommendation for the release, with an event, once,
// also after a restart; the score and the sum of what lowers it stay. A device
// that left the release is done.
func TestSupportEndsWithTime(t *testing.T) {
	b := newExcepting(t)
	b.clock = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	lives(t, b.s, "2026-11-20", "13 2030-06-30,12 2026-12-01", "5.2 2028-04-30")
	load(t, b.s, "tracker.json", "openssl CVE-2024-0001 resolved 3.0.15-1~deb12u1", "openssl CVE-2025-0002 open", "curl CVE-2025-0003 open")
	b.device("one", 1, "openssl 3.0.11-1~deb12u1", "curl 7.88.1-10")
	b.device("two", 2, "hello 2.10-3")
	wantSays(t, b.s, "before the end", "Attention required: curl 1w 1/1", "Attention required: openssl 1w 1/1", "Update openssl 1w 1/1")
	if d, err := b.s.Device(t.Context(), admin, string(b.boxes["one"].id)); err != nil || (d.OSSupport == nil || d.OSSupport.Tag != tagEnding) {
		t.Errorf("support of the device's release is %+v", d.OSSupport)
	}
	score := b.score()
	ask := func(id string) RecommendationRow {
		r, err := b.s.Recommendation(t.Context(), admin, id)
		if err != nil {
			t.Fatal(err)
		}
		return r.RecommendationRow
	}
	both, err := b.s.WhatIf(t.Context(), admin, []string{"va-_-debian-_-curl-_-attentionrequired", "va-_-debian-_-openssl-_-attentionrequired"})
	if err != nil {
		t.Fatal(err)
	}

	b.clock = time.Date(2026, 12, 1, 0, 0, 1, 0, time.UTC)
	if err := b.s.followSupport(t.Context(), b.clock); err != nil {
		t.Fatal(err)
	}
	after := []string{"Update openssl 1w 1/1", "Upgrade Debian 12 to a supported release 2w 2/2 EOS version", "[Support of Debian 12 ended, impacting 2 devices, now 2]"}
	wantSays(t, b.s, "on the day", after...)
	if b.score().Cmp(score) != 0 {
		t.Error("the end of support changed the score")
	}
	r, err := b.s.Recommendation(t.Context(), admin, debian12)
	if err != nil {
		t.Fatal(err)
	}
	if r.ImpactNum != both.ImpactNum || r.Version != "13.9" || r.Category != "OS" || len(r.Lines) != 1 || r.Lines[0].Date != "2026-12-01" || r.Lines[0].Devices != 2 ||
		len(r.Supported) != 1 || r.Supported[0].Cycle != "13" || !strings.Contains(r.Description, "until 2026-12-01") || !strings.Contains(strings.Join(r.Steps, " "), "Debian 13") {
		t.Errorf("the recommendation is %+v, impact of what it stands for %s", r, both.ImpactNum)
	}
	if w, err := b.s.WhatIf(t.Context(), admin, []string{debian12}); err != nil || w.ImpactNum != r.ImpactNum || w.Findings != 2 || w.Items[0].Devices != 2 {
		t.Errorf("what-if %+v, %v", w, err)
	}
	two := admin
	two.Groups = []exposure.Group{2}
	if got := says(t, b.s, two); !strings.HasPrefix(got, "Upgrade Debian 12 to a supported release 0w 1/1 EOS version") || strings.Contains(got, "openssl") {
		t.Errorf("in the group of the device without findings:\n%s", got)
	}
	mine, err := b.s.DeviceRecommendations(t.Context(), admin, string(b.boxes["two"].id), Query{Filter: map[string][]string{"type": {RemedyUpgrade}}})
	if err != nil || len(mine.Items) != 1 || mine.Items[0].ID != debian12 || mine.Items[0].Impact != 0 || !slices.Equal(mine.Items[0].Tags, []string{tagEnded}) {
		t.Errorf("on the device without findings: %+v, %v", mine.Items, err)
	}

	if err := b.s.followSupport(t.Context(), b.clock.Add(25*time.Hour)); err != nil {
		t.Fatal(err)
	}
	wantSays(t, b.s, "a day later", after...)
	if err := b.s.Close(); err != nil {
		t.Fatal(err)
	}
	b.open()
	wantSays(t, b.s, "after a restart", after...)

	a, err := b.s.RequestRemediation(t.Context(), admin, RemediationRequest{Recommendation: debian12, Type: RemedyUpgrade, Priority: "High", Due: "2027-01-31"})
	if err != nil || a.Progress.Targets != 2 || a.Progress.Exposed != 2 || !a.Tracked {
		t.Fatalf("activity %+v, %v", a.RemediationRow, err)
	}
	e := b.make(NewException{Recommendation: debian12, Scope: ScopeGlobal, Justification: RiskAccepted})
	if row := ask(debian12); row.Status != StatusFull || row.ExposedAfter != 0 || row.ImpactAfter != 0 || row.Impact == 0 || row.Exposed != 2 {
		t.Errorf("under an exception: %+v", row)
	}
	if _, err := b.s.CancelException(t.Context(), admin, e, nil); err != nil {
		t.Fatal(err)
	}
	b.boxes["two"].os = inventory.OS{ID: "debian", VersionID: "13", Codename: "trixie", Family: "linux", Arch: "amd64", Hostname: "h2"}
	b.device("two", 2, "hello 2.10-5")
	if got := remediationNow(t, b.s, a.ID); got.Progress.Fixed != 1 || got.Progress.Exposed != 1 {
		t.Errorf("after one of two moved: %+v", got.Progress)
	}
	if row := ask(debian12); row.Exposed != 1 || row.Weaknesses != 2 {
		t.Errorf("after one of two moved: %+v", row)
	}
}

// What had ended when the feed that knows was first loaded, and what a new device
// brings, is no news; what ends while the server is down is told at its start.
func TestSupportEndsThatAreNoNews(t *testing.T) {
	b := newExcepting(t)
	b.clock = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	load(t, b.s, "tracker.json", "curl CVE-2025-0003 open")
	b.device("one", 0, "hello 2.10-3")
	lives(t, b.s, "2026-11-20", "13 2030-06-30,12 2026-11-01", "5.2 2028-04-30,4.2 2026-12-24,3.2 2024-04-01")
	quiet := []string{"Upgrade Debian 12 to a supported release 0w 1/1 EOS version"}
	wantSays(t, b.s, "at the first load", quiet...)
	b.boxes["one"].sendPython(t, "django 3.2.1")
	wantSays(t, b.s, "with what a device brought", append(quiet, "Upgrade django to a supported version 0w 1/1 EOS version")...)
	b.boxes["one"].sendPython(t, "django 3.2.1", "django 4.2.1")
	if err := b.s.Close(); err != nil {
		t.Fatal(err)
	}
	b.clock = time.Date(2026, 12, 24, 1, 0, 0, 0, time.UTC)
	b.open()
	wantSays(t, b.s, "after a start past another end", append(quiet, "Upgrade django to a supported version 0w 1/1 EOS version",
		"[Support of django 4.2 ended, impacting 1 device, now 1]")...)
	lives(t, b.s, "2026-12-24", "13 2030-06-30,12 2026-11-01", "4.2 2026-12-24,3.2 2024-04-01")
	wantSays(t, b.s, "when no line is left", "Uninstall django 0w 1/1 EOS software", quiet[0],
		"[Support of django ended, impacting 1 device, now 1]", "[Support of django 4.2 ended, impacting 1 device, now 1]")
	lives(t, b.s, "2026-12-25", "13 2030-06-30,12 2027-11-01", "6.0 2029-01-01,4.2 2027-12-24,3.2 2027-04-01")
	wantSays(t, b.s, "when all of it goes on",
		"[Support of django ended, impacting 1 device, now 0]", "[Support of django 4.2 ended, impacting 1 device, now 0]")
}

// Within a line that has ended an update is an update; what only another line
// fixes needs the upgrade. A device that no feed can judge is in no score, and
// has to leave its release all the same.
func TestEndedLineOfAProduct(t *testing.T) {
	b := newExcepting(t)
	b.clock = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	lives(t, b.s, "2026-11-20", "13 2030-06-30,12 2026-11-01", "5.2 2028-04-30,3.2 2024-04-01")
	b.device("blind", 0, "hello 2.10-3") // no feed covers Debian 12
	wantSays(t, b.s, "on a device that nothing is known of", "Upgrade Debian 12 to a supported release 0w 1/1 EOS version")
	osvDjango(t, b.s, "GHSA-aaaa-aaaa-aaa1 3.2.13", "GHSA-aaaa-aaaa-aaa2 5.2.2", "GHSA-aaaa-aaaa-aaa3 -")
	b.device("web", 0)
	b.boxes["web"].sendPython(t, "django 3.2.1", "django 5.2.1")
	wantSays(t, b.s, "with two lines of a product", "Attention required: django 1w 1/1 EOS version", "Update django 2w 1/1 EOS version",
		"Upgrade Debian 12 to a supported release 0w 1/1 EOS version", "Upgrade django to a supported version 2w 1/1 EOS version")
	r, err := b.s.Recommendation(t.Context(), admin, "va-_-pypi-_-django-_-upgrade")
	if err != nil || r.Version != "5.2.9" || len(r.Lines) != 1 || r.Lines[0].Cycle != "3.2" || r.Lines[0].Devices != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	sum, err := b.s.DeviceScore(t.Context(), admin, string(b.boxes["web"].id))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := b.s.DeviceRecommendations(t.Context(), admin, string(b.boxes["web"].id), Query{})
	if err != nil {
		t.Fatal(err)
	}
	points := uint64(0)
	for _, r := range rows.Items {
		points += r.Points
	}
	if points != sum.Points || points == 0 {
		t.Errorf("recommendations of the device have %d points, its score %d", points, sum.Points)
	}
	vulns, err := b.s.RecommendationVulns(t.Context(), admin, "va-_-pypi-_-django-_-upgrade", Query{})
	if err != nil || vulns.Total != 2 {
		t.Errorf("it closes %d weaknesses, %v, want 2", vulns.Total, err)
	}
	w, err := b.s.Weakness(t.Context(), admin, "GHSA-aaaa-aaaa-aaa2")
	if err != nil || len(w.Recommendations) != 2 {
		t.Errorf("recommendations of a weakness: %+v, %v", w.Recommendations, err)
	}
	soft, err := b.s.Software(t.Context(), admin, "pypi-_-django")
	if err != nil || !slices.Equal(soft.Tags, []string{tagEnded}) {
		t.Errorf("tags of the product %v, %v", soft.Tags, err)
	}
}
