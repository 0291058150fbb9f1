package server

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const opensslAttention = "va-_-debian-_-openssl-_-attentionrequired"

// turned asks for attention to openssl, without a fix on two devices.
func turned(t *testing.T) (*excepting, Remediation) {
	b := newExcepting(t)
	b.clock = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	lives(t, b.s, "2026-11-20", "13 2030-06-30,12 2026-12-01", "5.2 2028-04-30")
	load(t, b.s, "tracker.json", "openssl CVE-2025-0001 open", "openssl CVE-2025-0002 open")
	b.device("one", 1, "openssl 3.0.11-1~deb12u1")
	b.device("two", 2, "openssl 3.0.11-1~deb12u1")
	a, err := b.s.RequestRemediation(t.Context(), admin, RemediationRequest{Recommendation: opensslAttention, Type: RemedyAttention, Priority: "High", Notes: "mind"})
	if err != nil || a.Tracked {
		t.Fatalf("activity %+v, %v", a.RemediationRow, err)
	}
	return b, a
}

func (b *excepting) follow(id string) Remediation {
	b.Helper()
	b.s.follow(b.Context(), &touchedDevices{all: true})
	return remediationNow(b.T, b.s, id)
}

// An activity and an exception for what had no fix stay while something has none;
// with the last fix the activity is measured as an update, and the exception is over.
func TestAttentionFollowsTheFix(t *testing.T) {
	b, a := turned(t)
	e := b.make(NewException{Recommendation: opensslAttention, Scope: ScopeGlobal, Justification: RiskAccepted})
	kept := b.make(NewException{Product: "debian-_-openssl", VersionFrom: "1", Scope: ScopeGlobal, Justification: RiskAccepted})
	load(t, b.s, "tracker.json", "openssl CVE-2025-0001 resolved 3.0.15-1~deb12u1", "openssl CVE-2025-0002 open", "openssl CVE-2025-0003 open")
	b.tend()
	if got := b.follow(a.ID); got.Type != RemedyAttention || got.Recommendation != opensslAttention {
		t.Errorf("with one of two fixed it is %s", got.Recommendation)
	}
	status := func(id string) string {
		d, err := b.s.Exception(t.Context(), admin, id)
		if err != nil {
			t.Fatal(err)
		}
		return d.Status + " " + d.Why
	}
	if got := status(e); got != StandsInEffect+" " {
		t.Errorf("the exception with one of two fixed: %s", got)
	}
	load(t, b.s, "tracker.json", "openssl CVE-2025-0001 resolved 3.0.15-1~deb12u1", "openssl CVE-2025-0002 resolved 3.0.15-1~deb12u1")
	b.tend()
	got := b.follow(a.ID)
	if got.Type != RemedyUpdate || got.Recommendation != openssl || got.Title != "Update openssl" || !got.Tracked || got.Progress.Exposed != 2 || got.Notes != "mind" ||
		!strings.Contains(got.About, "an update fixes") || got.History[len(got.History)-1].What != "turned" {
		t.Errorf("with the last fix it is %+v, history %+v", got.RemediationRow, got.History)
	}
	if s := status(e); !strings.HasPrefix(s, StandsResurfaced+" a fix was published") || !strings.Contains(s, "Update openssl") {
		t.Errorf("the exception with the last fix: %s", s)
	}
	if s := status(kept); s != StandsInEffect+" " {
		t.Errorf("an exception for versions: %s", s)
	}
	events, err := b.s.Events(t.Context(), admin, Query{Filter: map[string][]string{"type": {ExceptionResurfaced}}})
	if err != nil || events.Total != 1 {
		t.Errorf("%d events of it, %v", events.Total, err)
	}
	if err := b.s.Close(); err != nil {
		t.Fatal(err)
	}
	b.open()
	if rec, err := b.s.Recommendation(t.Context(), admin, openssl); err != nil || rec.Activities != 1 {
		t.Errorf("after a restart the update has %d activities, %v", rec.Activities, err)
	}
	b.device("one", 1, "openssl 3.0.15-1~deb12u1")
	b.device("two", 2, "openssl 3.0.15-1~deb12u1")
	if got := b.follow(a.ID); got.Status != RemediationCompleted || got.CompletionMethod != CompletedAutomatic {
		t.Errorf("with both updated it is %+v", got.RemediationRow)
	}
}

// What closes without a fix has no successor: an activity stays for people.
func TestAttentionThatIsJustOver(t *testing.T) {
	b, a := turned(t)
	e := b.make(NewException{Recommendation: opensslAttention, Scope: ScopeGlobal})
	load(t, b.s, "tracker.json", "openssl CVE-2025-0009 resolved 3.0.15-1~deb12u1") // others were withdrawn, another one came
	b.tend()
	if got := b.follow(a.ID); got.Type != RemedyAttention || got.Status != RemediationActive {
		t.Errorf("an activity whose weaknesses were withdrawn is %+v", got.RemediationRow)
	}
	if d, err := b.s.Exception(t.Context(), admin, e); err != nil || d.Status != StandsInEffect {
		t.Errorf("its exception is %s, %v", d.Status, err)
	}
}

// When the release ends before a fix came, the activity is one to leave it.
func TestAttentionFollowsTheEndOfSupport(t *testing.T) {
	b, a := turned(t)
	e := b.make(NewException{Recommendation: opensslAttention, Scope: ScopeGlobal})
	b.clock = time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC)
	if err := b.s.followSupport(t.Context(), b.clock); err != nil {
		t.Fatal(err)
	}
	b.tend()
	got := b.follow(a.ID)
	if got.Type != RemedyUpgrade || got.Recommendation != debian12 || got.Progress.Exposed != 2 {
		t.Errorf("it is %+v", got.RemediationRow)
	}
	if d, err := b.s.Exception(t.Context(), admin, e); err != nil || d.Status != StandsResurfaced || !strings.Contains(d.Why, "Upgrade Debian 12") {
		t.Errorf("its exception is %s %s, %v", d.Status, d.Why, err)
	}
}

// An update that was asked for is not done when its line ends and only another
// one has the fix.
func TestUpdateOutlivesItsLine(t *testing.T) {
	b := newExcepting(t)
	b.clock = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	lives(t, b.s, "2026-11-20", "13 2030-06-30,12 2029-12-01", "5.2 2028-04-30,3.2 2026-12-01")
	osvDjango(t, b.s, "GHSA-aaaa-aaaa-aaa2 5.2.2")
	b.device("web", 0)
	b.boxes["web"].sendPython(t, "django 3.2.1")
	a := request(t, b.s, "va-_-pypi-_-django")
	b.clock = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	if err := b.s.followSupport(t.Context(), b.clock); err != nil {
		t.Fatal(err)
	}
	wantSays(t, b.s, "after the end", "Upgrade django to a supported version 1w 1/1 EOS version", "[Support of django 3.2 ended, impacting 1 device, now 1]")
	if got := b.follow(a.ID); got.Status != RemediationActive || got.Progress.Exposed != 1 {
		t.Errorf("the update after the end: %+v", got.RemediationRow)
	}
	b.boxes["web"].sendPython(t, "django 5.2.2")
	if got := b.follow(a.ID); got.Status != RemediationCompleted {
		t.Errorf("the update after it: %+v", got.RemediationRow)
	}
}

// A weakness that is exploited before there is a fix is a zero day everywhere; with the
// fix the tag is gone, and the update says what it is for, for thirty days.
func TestZeroDay(t *testing.T) {
	b := newExcepting(t)
	b.clock = time.Now().UTC()
	load(t, b.s, "tracker.json", "openssl CVE-2025-0001 open", "curl CVE-2025-0003 open")
	b.device("one", 0, "openssl 3.0.11-1~deb12u1", "curl 7.88.1-10")
	importFile(t, b.s, writeKEV(t, "CVE-2025-0001"))
	tags := func(id string) string {
		r, err := b.s.Recommendation(t.Context(), admin, id)
		if err != nil {
			t.Fatal(err)
		}
		soft, err := b.s.Software(t.Context(), admin, r.ProductID)
		if err != nil {
			t.Fatal(err)
		}
		mine, err := b.s.DeviceRecommendations(t.Context(), admin, string(b.boxes["one"].id), Query{})
		if err != nil {
			t.Fatal(err)
		}
		out := strings.Join(r.Tags, ",") + " | " + strings.Join(soft.Tags, ",")
		for _, m := range mine.Items {
			if m.ID == id {
				out += " | " + strings.Join(m.Tags, ",")
			}
		}
		return out
	}
	weakness := func(id string) bool {
		p, err := b.s.Weaknesses(t.Context(), admin, Query{Filter: map[string][]string{"tag": {tagZeroDay}}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(p.Items, func(r WeaknessRow) bool { return r.ID == id })
	}
	if got := tags(opensslAttention); got != "Zero day | Zero day | Zero day" || !weakness("CVE-2025-0001") {
		t.Errorf("of a zero day: %q", got)
	}
	if got := tags("va-_-debian-_-curl-_-attentionrequired"); got != " |  | " || weakness("CVE-2025-0003") {
		t.Errorf("of what nobody exploits: %q", got)
	}
	load(t, b.s, "tracker.json", "openssl CVE-2025-0001 resolved 3.0.15-1~deb12u1", "curl CVE-2025-0003 resolved 7.88.1-11")
	if got := tags(openssl); got != "New security update for zero day |  | New security update for zero day" || weakness("CVE-2025-0001") {
		t.Errorf("with its fix: %q", got)
	}
	if got := tags("va-_-debian-_-curl"); got != " |  | " {
		t.Errorf("of another fix: %q", got)
	}
	if err := b.s.Close(); err != nil {
		t.Fatal(err)
	}
	b.open()
	if got := tags(openssl); !strings.HasPrefix(got, tagZeroDayFixed) {
		t.Errorf("with its fix after a restart: %q", got)
	}
	b.clock = b.clock.Add(31 * 24 * time.Hour)
	if err := b.s.followSupport(t.Context(), b.clock); err != nil {
		t.Fatal(err)
	}
	if got := tags(openssl); got != " |  | " {
		t.Errorf("a month later: %q", got)
	}
}

// What one package has a fix for is no zero day in another.
func TestFixElsewhereIsNoZeroDay(t *testing.T) {
	b := newExcepting(t)
	load(t, b.s, "tracker.json", "openssl CVE-2025-0001 open", "curl CVE-2025-0001 resolved 7.88.1-11")
	b.device("one", 0, "openssl 3.0.11-1~deb12u1", "curl 7.88.1-10")
	importFile(t, b.s, writeKEV(t, "CVE-2025-0001"))
	if r, err := b.s.Recommendation(t.Context(), admin, opensslAttention); err != nil || len(r.Tags) != 0 {
		t.Errorf("tags %v, %v", r.Tags, err)
	}
}
