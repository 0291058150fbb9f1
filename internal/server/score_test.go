package server

import (
	"database/sql"
	"errors"
	"math/big"
	"path/filepath"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

func scoreNow(t *testing.T, s *Server) ScoreView {
	t.Helper()
	v, err := s.ExposureScore(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func number(t *testing.T, s string) *big.Int {
	t.Helper()
	n, ok := new(big.Int).SetString(s, 10)
	if !ok {
		t.Fatalf("%q is no number", s)
	}
	return n
}

// A fix counts devices, however many versions of the package they have.
func TestAFixCountsDevicesNotVersions(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker.json", "openssl CVE-2024-0001 resolved 3.0.15-1~deb12u1")
	one, two := newReport(s, enrol(t, s, "one")), newReport(s, enrol(t, s, "two"))
	one.send(t, "openssl 3.0.11-1~deb12u1", "libssl3 3.0.12-1~deb12u1 openssl", "libssl-dev 3.0.13-1~deb12u1 openssl")
	two.send(t, "openssl 3.0.11-1~deb12u1")
	rec, err := s.Recommendation(t.Context(), admin, "va-_-debian-_-openssl")
	if err != nil {
		t.Fatal(err)
	}
	if len(rec.Fixes) != 1 || rec.Fixes[0].Versions != 3 || rec.Fixes[0].Devices != rec.Exposed || rec.Exposed != 2 {
		t.Errorf("fixes %+v on %d exposed devices, want 3 versions of one package on 2", rec.Fixes, rec.Exposed)
	}
}

// What a recommendation promises is what the score falls by when it is carried
// out, to the unit; and the parts of every number add up to it.
func TestARecommendationDoesWhatItPromises(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker.json",
		"openssl CVE-2024-0001 resolved 3.0.15-1~deb12u1", "openssl CVE-2024-0002 resolved 3.0.14-1~deb12u1", "openssl CVE-2024-0003 open",
		"curl CVE-2024-0004 resolved 7.88.1-10+deb12u8")
	one, two := newReport(s, enrol(t, s, "one")), newReport(s, enrol(t, s, "two"))
	one.send(t, "openssl 3.0.11-1~deb12u1", "libssl3 3.0.11-1~deb12u1 openssl", "curl 7.88.1-10+deb12u5")
	two.send(t, "openssl 3.0.14-1~deb12u1")
	if err := s.SetDeviceValue(t.Context(), admin, string(two.id), "Low"); err != nil {
		t.Fatal(err)
	}

	before := scoreNow(t, s)
	rec, err := s.Recommendation(t.Context(), admin, "va-_-debian-_-openssl")
	if err != nil {
		t.Fatal(err)
	}
	if rec.Exposed != 2 || rec.Weaknesses != 2 || rec.Version != "3.0.15-1~deb12u1" || rec.Type != RemedyUpdate || len(rec.Fixes) != 1 || rec.Fixes[0].Place != "Debian 12" {
		t.Errorf("recommendation %+v, want an update to 3.0.15-1~deb12u1 of 2 weaknesses on 2 devices", rec)
	}
	software := map[string][]string{"type": {RemedyUpdate, RemedyAttention, RemedyRestart}}
	list, err := s.Recommendations(t.Context(), admin, Query{Filter: software}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for _, r := range list.Items {
		types = append(types, r.ID)
	}
	if list.Total != 3 {
		t.Errorf("recommendations %v, want openssl, what openssl has no fix for, and curl", types)
	}
	d, err := s.DeviceScore(t.Context(), admin, string(one.id))
	if err != nil {
		t.Fatal(err)
	}
	sum, points := number(t, d.RestUnits), uint64(0)
	for _, term := range d.Terms {
		sum.Add(sum, number(t, term.Units))
		points += term.Points
	}
	if sum.String() != d.Units || points != d.Points || points == 0 {
		t.Errorf("terms add up to %v units and %d points, want %s and %d", sum, points, d.Units, d.Points)
	}
	own, err := s.DeviceRecommendations(t.Context(), admin, string(one.id), Query{})
	if err != nil {
		t.Fatal(err)
	}
	share := 0.0
	for _, r := range own.Items {
		share += r.Share
	}
	if share < d.Score-1e-9 || share > d.Score+1e-9 {
		t.Errorf("shares of %d recommendations add up to %v, want %v", own.Total, share, d.Score)
	}
	if own, err = s.DeviceRecommendations(t.Context(), admin, string(one.id), Query{Filter: software}); err != nil || own.Total != 3 {
		t.Errorf("%d recommendations for the software of the device, %v, want 3", own.Total, err)
	}

	one.send(t, "openssl 3.0.15-1~deb12u1", "libssl3 3.0.15-1~deb12u1 openssl", "curl 7.88.1-10+deb12u5")
	two.send(t, "openssl 3.0.15-1~deb12u1")
	after := scoreNow(t, s)
	fell := new(big.Int).Sub(number(t, before.Num), number(t, after.Num))
	if before.Den != after.Den || fell.Cmp(number(t, rec.ImpactNum)) != 0 || rec.ImpactDen != before.Den {
		t.Errorf("the score fell by %v/%d, promised %v/%d", fell, after.Den, rec.ImpactNum, rec.ImpactDen)
	}
	if _, err := s.Recommendation(t.Context(), admin, "va-_-debian-_-openssl"); err == nil {
		t.Error("the recommendation is still there after it was carried out")
	}

	// New facts about a weakness move scores too.
	load(t, s, "later.json",
		"openssl CVE-2024-0001 resolved 3.0.15-1~deb12u1", "openssl CVE-2024-0002 resolved 3.0.14-1~deb12u1", "openssl CVE-2024-0003 resolved 3.0.16-1~deb12u1",
		"curl CVE-2024-0004 resolved 7.88.1-10+deb12u8")
	if now := scoreNow(t, s); number(t, now.Num).Cmp(number(t, after.Num)) <= 0 {
		t.Errorf("a fix came out for what both devices have, and the score did not rise: %v, before %v", now.Num, after.Num)
	}
}

// A device that was silent for thirty days leaves the score, and comes back with a sign of life.
func TestSilentDevicesLeaveTheScore(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker.json", "openssl CVE-2024-0001 resolved 3.0.15-1~deb12u1")
	r := newReport(s, enrol(t, s, "one"))
	r.send(t, "openssl 3.0.11-1~deb12u1")
	if v := scoreNow(t, s); v.Devices != 1 || v.Score == 0 {
		t.Fatalf("score %+v of one exposed device", v)
	}
	s.retire(time.Now().Add(29 * 24 * time.Hour))
	if v := scoreNow(t, s); v.Devices != 1 {
		t.Errorf("after 29 days %d devices count, want 1", v.Devices)
	}
	s.retire(time.Now().Add(31 * 24 * time.Hour))
	if v := scoreNow(t, s); v.Devices != 0 || v.Score != 0 || v.Level != exposure.LevelNone {
		t.Errorf("after 31 days the score is %+v, want none", v)
	}
	s.connectionChanged(r.id, true)
	if v := scoreNow(t, s); v.Devices != 1 {
		t.Errorf("with the agent back %d devices count, want 1", v.Devices)
	}
}

// Values of devices and the history of the score survive a restart; a clock
// that is set back does not put history out of order.
func TestScoresSurviveARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	load(t, s, "tracker.json", "openssl CVE-2024-0001 resolved 3.0.15-1~deb12u1")
	r := newReport(s, enrol(t, s, "one"))
	r.send(t, "openssl 3.0.11-1~deb12u1")
	enrol(t, s, "two")
	if err := s.SetDeviceValue(t.Context(), admin, string(r.id), "High"); err != nil {
		t.Fatal(err)
	}
	want := scoreNow(t, s)
	now := time.Now().UTC()
	last, err := s.recordScore(t.Context(), store.ScorePoint{}, now)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := s.recordScore(t.Context(), last, now.Add(10*time.Minute)); !again.At.Equal(last.At) {
		t.Error("a score that did not change was recorded again after ten minutes")
	}
	if _, err := s.recordScore(t.Context(), last, now.Add(-2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = openTest(t, dir)
	defer func() { _ = s.Close() }()
	if got := scoreNow(t, s); got.Num != want.Num || got.Den != want.Den {
		t.Errorf("score after a restart is %s/%d, want %s/%d", got.Num, got.Den, want.Num, want.Den)
	}
	points, err := s.st.Scores(t.Context(), now.Add(-24*time.Hour), now, trendPoints)
	if err != nil || len(points) != 2 {
		t.Fatalf("history %+v, %v, want two points", points, err)
	}
	if points[1].At.Before(points[0].At) || points[0].Num != want.Num || points[0].Version != exposure.ScoreVersion {
		t.Errorf("history %+v is out of order or not what was recorded", points)
	}
}

func TestRecommendationIDs(t *testing.T) {
	for id, want := range map[string]struct {
		product string
		remedy  exposure.Remedy
	}{
		"va-_-debian-_-openssl":                     {"debian-_-openssl", exposure.Update},
		"va-_-debian-_-openssl-_-attentionrequired": {"debian-_-openssl", exposure.Attention},
		"va-_-debian-_-linux-_-restart":             {"debian-_-linux", exposure.Restart},
		"va-_-npm-_-restart":                        {"npm-_-restart", exposure.Update},
		"va-_-npm-_-restart-_-attentionrequired":    {"npm-_-restart", exposure.Attention},
		"va-_-npm-_-attentionrequired":              {"npm-_-attentionrequired", exposure.Update},
		"va-_-npm-_-%40a%2Fb":                       {"npm-_-%40a%2Fb", exposure.Update},
	} {
		product, remedy, ok := parseRecommendation(id)
		if !ok || product != want.product || remedy != want.remedy || recommendationID(product, remedy) != id {
			t.Errorf("%s = %q, %v, %v", id, product, remedy, ok)
		}
	}
	if _, _, ok := parseRecommendation("sca-_-scid-1"); ok {
		t.Error("an id of a configuration check was taken for software")
	}
}

// Who may read scores sees no device, product, recommendation or weakness by it.
func TestScoresOpenNothingElse(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker.json", "openssl CVE-2024-0001 resolved 3.0.15-1~deb12u1")
	r := newReport(s, enrol(t, s, "one"))
	r.send(t, "openssl 3.0.11-1~deb12u1")
	d, err := s.Dashboard(t.Context(), Caller{Permissions: []string{ScoreRead}, Scope: exposure.Everywhere()})
	if err != nil || d.Score.Score == 0 {
		t.Fatalf("dashboard of a caller who may read scores: %v, %v", d.Score.Score, err)
	}
	if len(d.Recommendations)+len(d.Software)+len(d.Devices)+d.RecCount+d.Weaknesses != 0 {
		t.Errorf("it shows what the caller has no permission for: %+v", d)
	}
	if d, err = s.Dashboard(t.Context(), admin); err != nil || len(d.Recommendations) == 0 || len(d.Software) == 0 || len(d.Devices) == 0 || d.Weaknesses == 0 {
		t.Errorf("the administrator's dashboard lacks a card: %+v, %v", d, err)
	}
	for _, p := range []string{MachineRead, RecommendationRead, SoftwareRead} {
		other := Caller{Permissions: []string{p}, Scope: exposure.Everywhere()}
		if _, err := s.DeviceScore(t.Context(), other, string(r.id)); !errors.Is(err, ErrDenied) {
			t.Errorf("device score with %s alone: %v, want a refusal", p, err)
		}
		if _, err := s.Dashboard(t.Context(), other); !errors.Is(err, ErrDenied) {
			t.Errorf("dashboard with %s alone: %v, want a refusal", p, err)
		}
	}
}

// One device whose sections cannot be read does not end the judging of the others.
func TestRecheckGoesOn(t *testing.T) {
	s := testServer(t)
	broken, whole := newReport(s, enrol(t, s, "broken")), newReport(s, enrol(t, s, "whole"))
	broken.send(t, "openssl 3.0.11-1~deb12u1")
	whole.send(t, "openssl 3.0.11-1~deb12u1")
	for _, r := range []*report{broken, whole} {
		s.core.matches(string(r.id))[0].verdicts = nil
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.Dir(), "picket.db"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), `UPDATE section SET body = x'00' WHERE device = $1`, s.core.matches(string(broken.id))[0].num)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if err := s.recheck(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.core.matches(string(whole.id))[0].verdicts == nil || s.core.matches(string(broken.id))[0].verdicts != nil {
		t.Error("want the whole device judged again, and the broken one left as it is")
	}
}
